/* Searching in characters of every width, against the simplest way to do it. */
#include <criterion/criterion.h>

#include "objects/str/search.c"

#include <stdlib.h>

static Py_UCS4 char_of(int kind, const void *text, Py_ssize_t i)
{
    return kind == 1   ? ((const Py_UCS1 *)text)[i]
           : kind == 2 ? ((const Py_UCS2 *)text)[i]
                       : ((const Py_UCS4 *)text)[i];
}

static void fill(int kind, void *text, Py_ssize_t n, unsigned letters)
{
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 ch = 'a' + (Py_UCS4)rand() % letters;
        if (kind == 1) {
            ((Py_UCS1 *)text)[i] = (Py_UCS1)ch;
        } else if (kind == 2) {
            ((Py_UCS2 *)text)[i] = (Py_UCS2)ch;
        } else {
            ((Py_UCS4 *)text)[i] = ch;
        }
    }
}

static bool stands_at(int kind, const void *text, Py_ssize_t at, int needle_kind,
                      const void *needle, Py_ssize_t m)
{
    for (Py_ssize_t i = 0; i < m; i++) {
        if (char_of(kind, text, at + i) != char_of(needle_kind, needle, i)) {
            return false;
        }
    }
    return true;
}

Test(text_search, finds_what_the_simple_way_finds)
{
    static const int kinds[6][2] = {{1, 1}, {2, 1}, {2, 2}, {4, 1}, {4, 2}, {4, 4}};
    uint32_t text[400], needle[40];
    srand(7);
    for (int round = 0; round < 60000; round++) {
        int kind = kinds[round % 6][0], needle_kind = kinds[round % 6][1];
        Py_ssize_t n = rand() % 400, m = 1 + rand() % 12, first = -1, last = -1;
        unsigned letters = 1 + (unsigned)rand() % 3;
        fill(kind, text, n, letters);
        fill(needle_kind, needle, m, letters);
        for (Py_ssize_t at = 0; at + m <= n; at++) {
            if (stands_at(kind, text, at, needle_kind, needle, m)) {
                first = first < 0 ? at : first;
                last = at;
            }
        }
        cr_assert_eq(text_find(kind, text, n, needle_kind, needle, m), first);
        cr_assert_eq(text_rfind(kind, text, n, needle_kind, needle, m), last);
    }
}

Test(text_search, long_periodic_needles_take_the_linear_way)
{
    enum { N = 200000, M = 2000 };
    Py_UCS2 *text = malloc(N * sizeof *text), *needle = malloc(M * sizeof *needle);
    for (int i = 0; i < N; i++) {
        text[i] = 'a';
    }
    for (int i = 0; i < M; i++) {
        needle[i] = 'a';
    }
    needle[M / 2] = 'b';
    cr_assert_eq(text_find(2, text, N, 2, needle, M), -1);
    text[N - M / 2] = 'b';
    cr_assert_eq(text_find(2, text, N, 2, needle, M), N - M);
    free(text);
    free(needle);
}
