/* find, count, contains, startswith, endswith, replace. */
#include "alloc/prim.h"
#include "objects/str/internal.h"
#include "objects/str/search.h"

void str_clip(Py_ssize_t *start, Py_ssize_t *end, Py_ssize_t len)
{
    if (*end > len) {
        *end = len;
    } else if (*end < 0) {
        *end = Py_MAX(*end + len, 0);
    }
    if (*start < 0) {
        *start = Py_MAX(*start + len, 0);
    }
}

static const void *data_at(PyObject *s, Py_ssize_t i)
{
    return (const char *)str_data(s) + i * str_kind(s);
}

Py_ssize_t str_find(PyObject *s, PyObject *sub, Py_ssize_t start, Py_ssize_t end)
{
    str_clip(&start, &end, str_len(s));
    if (end - start < str_len(sub)) {
        return -1;
    }
    Py_ssize_t found = text_find(str_kind(s), data_at(s, start), end - start, str_kind(sub),
                                 str_data(sub), str_len(sub));
    return found < 0 ? -1 : start + found;
}

Py_ssize_t str_rfind(PyObject *s, PyObject *sub, Py_ssize_t start, Py_ssize_t end)
{
    str_clip(&start, &end, str_len(s));
    if (end - start < str_len(sub)) {
        return -1;
    }
    Py_ssize_t found = text_rfind(str_kind(s), data_at(s, start), end - start, str_kind(sub),
                                  str_data(sub), str_len(sub));
    return found < 0 ? -1 : start + found;
}

Py_ssize_t str_find_char(PyObject *s, Py_UCS4 ch, Py_ssize_t start, Py_ssize_t end)
{
    str_clip(&start, &end, str_len(s));
    Py_ssize_t found =
        end <= start ? -1 : text_find_char(str_kind(s), data_at(s, start), end - start, ch);
    return found < 0 ? -1 : start + found;
}

Py_ssize_t str_rfind_char(PyObject *s, Py_UCS4 ch, Py_ssize_t start, Py_ssize_t end)
{
    str_clip(&start, &end, str_len(s));
    Py_ssize_t found =
        end <= start ? -1 : text_rfind_char(str_kind(s), data_at(s, start), end - start, ch);
    return found < 0 ? -1 : start + found;
}

Py_ssize_t str_count(PyObject *s, PyObject *sub, Py_ssize_t start, Py_ssize_t end)
{
    str_clip(&start, &end, str_len(s));
    if (end - start < str_len(sub)) {
        return 0;
    }
    return text_count(str_kind(s), data_at(s, start), end - start, str_kind(sub), str_data(sub),
                      str_len(sub), -1);
}

bool str_contains(PyObject *s, PyObject *sub)
{
    return text_find(str_kind(s), str_data(s), str_len(s), str_kind(sub), str_data(sub),
                     str_len(sub))
           >= 0;
}

/* Do the characters of `part` stand at index `at`?  The caller knows that they fit. */
static bool matches_at(PyObject *s, PyObject *part, Py_ssize_t at)
{
    int kind = str_kind(s), part_kind = str_kind(part);
    Py_ssize_t m = str_len(part);
    if (kind == part_kind) {
        return memcmp(data_at(s, at), str_data(part), (size_t)(m * kind)) == 0;
    }
    if (part_kind > kind) {
        return m == 0;
    }
    for (Py_ssize_t i = 0; i < m; i++) {
        if (str_read(s, at + i) != str_read(part, i)) {
            return false;
        }
    }
    return true;
}

bool str_starts_with(PyObject *s, PyObject *prefix, Py_ssize_t start, Py_ssize_t end)
{
    str_clip(&start, &end, str_len(s));
    return end - start >= str_len(prefix) && matches_at(s, prefix, start);
}

bool str_ends_with(PyObject *s, PyObject *suffix, Py_ssize_t start, Py_ssize_t end)
{
    str_clip(&start, &end, str_len(s));
    return end - start >= str_len(suffix) && matches_at(s, suffix, end - str_len(suffix));
}

/* ---- Replacing ----------------------------------------------------------------------------- */

PyObject *str_narrow(PyObject *s)
{
    if (s == NULL || str_is_ascii(s)) {
        return s;
    }
    Py_UCS4 maxchar = str_data_maxchar(str_kind(s), str_data(s), str_len(s));
    if (maxchar == str_maxchar(s) && str_len(s) > 1) {
        return s;
    }
    PyObject *narrow = str_from_data(str_kind(s), str_data(s), str_len(s));
    Py_DECREF(s);
    return narrow;
}

/* A result in the making: characters of any kind are appended to a string that is large enough. */
struct target {
    void *data;
    int kind;
    Py_ssize_t at;
};

static inline void target_copy(struct target *t, PyObject *s, Py_ssize_t from, Py_ssize_t count)
{
    if (likely(t->kind == str_kind(s))) {
        copy_short((char *)t->data + t->at * t->kind, data_at(s, from), (size_t)(count * t->kind));
    } else {
        str_data_copy(t->kind, t->data, t->at, str_kind(s), str_data(s), from, count);
    }
    t->at += count;
}

/* Puts `to` before the first `count` characters, the end counting as one. */
static void replace_nothing(struct target *t, PyObject *s, PyObject *to, Py_ssize_t count)
{
    Py_ssize_t n = str_len(s), at = 0;
    while (count-- > 0) {
        target_copy(t, to, 0, str_len(to));
        if (at < n) {
            target_copy(t, s, at++, 1);
        }
    }
    target_copy(t, s, at, n - at);
}

/* Where a string stands in another one: `count` places, of which the first so many are at hand. */
struct places {
    Py_ssize_t count, at_hand;
    Py_ssize_t at[64];
};

static Py_ssize_t places_find(struct places *p, PyObject *s, Py_ssize_t start, PyObject *sub,
                              Py_ssize_t most)
{
    return p->at_hand = text_find_each(str_kind(s), data_at(s, start), str_len(s) - start,
                                       str_kind(sub), str_data(sub), str_len(sub), p->at,
                                       Py_MIN(most, (Py_ssize_t)Py_ARRAY_LENGTH(p->at)));
}

/* The first `most` places. */
static void places_init(struct places *p, PyObject *s, PyObject *sub, Py_ssize_t most)
{
    p->count = places_find(p, s, 0, sub, most);
    if (p->count == (Py_ssize_t)Py_ARRAY_LENGTH(p->at) && p->count < most) {
        Py_ssize_t next = p->at[p->count - 1] + str_len(sub);
        p->count += text_count(str_kind(s), data_at(s, next), str_len(s) - next, str_kind(sub),
                               str_data(sub), str_len(sub), most - p->count);
    }
}

static void replace_places(struct target *t, PyObject *s, PyObject *from, PyObject *to,
                           struct places *p)
{
    Py_ssize_t m = str_len(from), k = str_len(to), at = 0, left = p->count;
    while (left > 0) {
        Py_ssize_t start = at; /* which the places count from */
        for (Py_ssize_t i = 0; i < p->at_hand; i++) {
            target_copy(t, s, at, start + p->at[i] - at);
            target_copy(t, to, 0, k);
            at = start + p->at[i] + m;
        }
        left -= p->at_hand;
        if (left > 0) {
            places_find(p, s, at, from, left);
        }
    }
    target_copy(t, s, at, str_len(s) - at);
}

PyObject *str_replace(PyObject *s, PyObject *from, PyObject *to, Py_ssize_t limit)
{
    Py_ssize_t n = str_len(s), m = str_len(from), k = str_len(to);
    if (limit == 0 || m > n || (m == k && m != 0 && str_equal(from, to))) {
        return str_exact(s);
    }
    struct places places;
    Py_ssize_t most = limit < 0 ? PY_SSIZE_T_MAX : limit;
    if (m == 0) {
        places.count = Py_MIN(n + 1, most);
    } else {
        places_init(&places, s, from, most);
    }
    if (places.count == 0) {
        return str_exact(s);
    }
    if (k > m && k - m > (PY_SSIZE_T_MAX - n) / places.count) {
        PyErr_SetString(PyExc_OverflowError, "replace string is too long");
        return NULL;
    }
    Py_ssize_t length = n + places.count * (k - m);
    Py_UCS4 maxchar = Py_MAX(str_maxchar(s), k == 0 ? 0x7f : str_maxchar(to));
    PyObject *result = str_new(length, maxchar);
    if (result == NULL || length == 0) {
        return result;
    }
    struct target t = {str_data(result), str_kind(result), 0};
    if (m == 0) {
        replace_nothing(&t, s, to, places.count);
    } else {
        replace_places(&t, s, from, to, &places);
    }
    /* Taking the widest characters out may leave a narrower string. */
    bool may_narrow = str_maxchar(from) == str_maxchar(s) && maxchar == str_maxchar(s);
    return may_narrow || length == 1 ? str_narrow(result) : result;
}

/* ---- The C API ----------------------------------------------------------------------------- */

static int check_two(PyObject *a, PyObject *b)
{
    return str_require(a) < 0 || str_require(b) < 0 ? -1 : 0;
}

Py_ssize_t PyUnicode_Count(PyObject *s, PyObject *sub, Py_ssize_t start, Py_ssize_t end)
{
    return check_two(s, sub) < 0 ? -1 : str_count(s, sub, start, end);
}

Py_ssize_t PyUnicode_Find(PyObject *s, PyObject *sub, Py_ssize_t start, Py_ssize_t end,
                          int direction)
{
    if (check_two(s, sub) < 0) {
        return -2;
    }
    return direction > 0 ? str_find(s, sub, start, end) : str_rfind(s, sub, start, end);
}

Py_ssize_t PyUnicode_FindChar(PyObject *s, Py_UCS4 ch, Py_ssize_t start, Py_ssize_t end,
                              int direction)
{
    return direction > 0 ? str_find_char(s, ch, start, end) : str_rfind_char(s, ch, start, end);
}

Py_ssize_t PyUnicode_Tailmatch(PyObject *s, PyObject *sub, Py_ssize_t start, Py_ssize_t end,
                               int direction)
{
    if (check_two(s, sub) < 0) {
        return -1;
    }
    return direction > 0 ? str_ends_with(s, sub, start, end) : str_starts_with(s, sub, start, end);
}

int PyUnicode_Contains(PyObject *s, PyObject *sub)
{
    if (!PyUnicode_Check(sub)) {
        PyErr_Format(PyExc_TypeError, "'in <string>' requires string as left operand, not %.100s",
                     Py_TYPE(sub)->tp_name);
        return -1;
    }
    return str_require(s) < 0 ? -1 : str_contains(s, sub);
}

PyObject *PyUnicode_Replace(PyObject *s, PyObject *from, PyObject *to, Py_ssize_t limit)
{
    if (str_require(s) < 0 || check_two(from, to) < 0) {
        return NULL;
    }
    return str_replace(s, from, to, limit);
}
