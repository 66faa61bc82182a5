/* Upper, lower, title and folded case. */
#include "objects/str/internal.h"

/* ---- ASCII: eight characters at a time ----------------------------------------------------- */

static inline uint64_t repeat_byte(uint8_t byte)
{
    return 0x0101010101010101u * byte;
}

/* 0x20 in every byte of `word` that is a letter from `first` on (26 of them); bytes < 0x80. */
static inline uint64_t letter_bits(uint64_t word, char first)
{
    uint64_t above = word + repeat_byte((uint8_t)(0x80 - first));
    uint64_t beyond = word + repeat_byte((uint8_t)(0x80 - first - 26));
    return ((above & ~beyond) & repeat_byte(0x80)) >> 2;
}

/* Changes letters of the case that begins with `first` ('a' or 'A'; 0: both) to the other one; the two
 * do not overlap, unless there are fewer than eight. */
static void ascii_flip(uint8_t *to, const uint8_t *from, Py_ssize_t n, char first)
{
    Py_ssize_t i = 0;
    for (; i < n && n >= 8; i += 8) {
        Py_ssize_t at = Py_MIN(i, n - 8); /* the last eight may overlap those before */
        uint64_t word, bits;
        memcpy(&word, from + at, 8);
        bits =
            first != 0 ? letter_bits(word, first) : letter_bits(word, 'a') | letter_bits(word, 'A');
        word ^= bits;
        memcpy(to + at, &word, 8);
    }
    for (; i < n; i++) {
        uint8_t c = from[i];
        bool flip = first == 'a' ? Py_ISLOWER(c) : first == 'A' ? Py_ISUPPER(c) : Py_ISALPHA(c);
        to[i] = (uint8_t)(c ^ (flip ? 0x20 : 0));
    }
}

static PyObject *ascii_result(PyObject *s, char flip)
{
    Py_ssize_t n = str_len(s);
    if (n == 1) {
        uint8_t c = *(uint8_t *)str_data(s);
        ascii_flip(&c, &c, 1, flip);
        return str_latin1_char(c);
    }
    PyObject *result = str_new(n, 0x7f);
    if (result != NULL && n > 0) {
        ascii_flip(str_data(result), str_data(s), n, flip);
    }
    return result;
}

/* ---- Everything else: character by character ------------------------------------------------ */

/* Greek sigma is final when cased characters stand before it but not after it; ignorable characters
 * between do not count. */
static bool sigma_is_final(PyObject *s, Py_ssize_t at)
{
    Py_ssize_t i = at - 1;
    while (i >= 0 && (char_flags(str_read(s, i)) & CHAR_CASE_IGNORABLE)) {
        i--;
    }
    if (i < 0 || !(char_flags(str_read(s, i)) & CHAR_CASED)) {
        return false;
    }
    for (i = at + 1; i < str_len(s); i++) {
        unsigned flags = char_flags(str_read(s, i));
        if (!(flags & CHAR_CASE_IGNORABLE)) {
            return !(flags & CHAR_CASED);
        }
    }
    return true;
}

static int lower_at(PyObject *s, Py_ssize_t i, Py_UCS4 *out)
{
    Py_UCS4 ch = str_read(s, i);
    if (ch == 0x3a3) {
        out[0] = sigma_is_final(s, i) ? 0x3c2 : 0x3c3;
        return 1;
    }
    return char_to_lower_full(ch, out);
}

enum casing { UPPER, LOWER, TITLE, FOLD, SWAP, CAPITALIZE };

static int map_at(PyObject *s, Py_ssize_t i, enum casing casing, bool *previous_cased, Py_UCS4 *out)
{
    Py_UCS4 ch = str_read(s, i);
    switch (casing) {
    case UPPER:
        return char_to_upper_full(ch, out);
    case LOWER:
        return lower_at(s, i, out);
    case FOLD:
        return char_to_folded(ch, out);
    case SWAP:
        if (char_is(ch, CHAR_UPPER)) {
            return lower_at(s, i, out);
        }
        if (char_is(ch, CHAR_LOWER)) {
            return char_to_upper_full(ch, out);
        }
        out[0] = ch;
        return 1;
    case CAPITALIZE:
        return i == 0 ? char_to_title_full(ch, out) : lower_at(s, i, out);
    default: {
        bool inside = *previous_cased;
        *previous_cased = char_is(ch, CHAR_CASED);
        return inside ? lower_at(s, i, out) : char_to_title_full(ch, out);
    }
    }
}

static PyObject *map_all(PyObject *s, enum casing casing)
{
    Py_ssize_t n = str_len(s), length = 0;
    if (n > PY_SSIZE_T_MAX / (3 * (Py_ssize_t)sizeof(Py_UCS4))) {
        PyErr_SetString(PyExc_OverflowError, "string is too long");
        return NULL;
    }
    Py_UCS4 *mapped = PyMem_Malloc((size_t)n * 3 * sizeof *mapped);
    if (mapped == NULL) {
        return PyErr_NoMemory();
    }
    bool previous_cased = false;
    for (Py_ssize_t i = 0; i < n; i++) {
        length += map_at(s, i, casing, &previous_cased, mapped + length);
    }
    PyObject *result = str_from_ucs4(mapped, length);
    PyMem_Free(mapped);
    return result;
}

PyObject *str_upper(PyObject *s)
{
    return str_is_ascii(s) ? ascii_result(s, 'a') : map_all(s, UPPER);
}

PyObject *str_lower(PyObject *s)
{
    return str_is_ascii(s) ? ascii_result(s, 'A') : map_all(s, LOWER);
}

PyObject *str_casefold(PyObject *s)
{
    return str_is_ascii(s) ? ascii_result(s, 'A') : map_all(s, FOLD);
}

PyObject *str_swapcase(PyObject *s)
{
    return str_is_ascii(s) ? ascii_result(s, 0) : map_all(s, SWAP);
}

PyObject *str_title(PyObject *s)
{
    if (!str_is_ascii(s)) {
        return map_all(s, TITLE);
    }
    Py_ssize_t n = str_len(s);
    PyObject *result = n == 1 ? NULL : str_new(n, 0x7f);
    if (n <= 1 || result == NULL) {
        return n == 1 ? str_upper(s) : result;
    }
    const uint8_t *from = str_data(s);
    uint8_t *to = str_data(result);
    bool inside = false;
    for (Py_ssize_t i = 0; i < n; i++) {
        to[i] = inside ? Py_TOLOWER(from[i]) : Py_TOUPPER(from[i]);
        inside = Py_ISALPHA(from[i]);
    }
    return result;
}

PyObject *str_capitalize(PyObject *s)
{
    Py_ssize_t n = str_len(s);
    if (n == 0) {
        return str_exact(s);
    }
    if (!str_is_ascii(s)) {
        return map_all(s, CAPITALIZE);
    }
    PyObject *result = ascii_result(s, 'A');
    if (result == NULL || n == 1) {
        return n == 1 ? str_upper(s) : result;
    }
    uint8_t *to = str_data(result);
    to[0] = Py_TOUPPER(to[0]);
    return result;
}
