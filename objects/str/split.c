/* Taking strings apart: split, splitlines, partition, strip. */
#include "objects/list.h"
#include "objects/str/internal.h"
#include "objects/str/search.h"

/* Appends s[start:end] to the list. */
static int push(PyObject *list, PyObject *s, Py_ssize_t start, Py_ssize_t end)
{
    PyObject *piece = str_substring(s, start, end);
    if (piece == NULL) {
        return -1;
    }
    return list_append_owned((PyListObject *)list, piece);
}

static PyObject *finish(PyObject *list, int failed)
{
    if (failed) {
        Py_DECREF(list);
        return NULL;
    }
    return list;
}

static inline bool space_at(int kind, const void *data, Py_ssize_t i)
{
    return char_is(str_data_read(kind, data, i), CHAR_SPACE);
}

/* The common case of split(): ASCII, with a table for white space. */
static int split_ascii_space(PyObject *list, PyObject *s, Py_ssize_t limit)
{
    const uint8_t *start = str_data(s), *end = start + str_len(s), *p = start;
    for (;;) {
        while (p < end && _Py_ascii_whitespace[*p]) {
            p++;
        }
        if (p == end) {
            return 0;
        }
        const uint8_t *word = p;
        if (limit-- <= 0) {
            return push(list, s, word - start, end - start);
        }
        while (p < end && !_Py_ascii_whitespace[*p]) {
            p++;
        }
        if (push(list, s, word - start, p - start) < 0) {
            return -1;
        }
    }
}

static int split_space(PyObject *list, PyObject *s, Py_ssize_t limit)
{
    if (str_is_ascii(s)) {
        return split_ascii_space(list, s, limit);
    }
    int kind = str_kind(s);
    const void *data = str_data(s);
    Py_ssize_t n = str_len(s), i = 0;
    while (limit-- > 0) {
        while (i < n && space_at(kind, data, i)) {
            i++;
        }
        if (i == n) {
            return 0;
        }
        Py_ssize_t start = i++;
        while (i < n && !space_at(kind, data, i)) {
            i++;
        }
        if (push(list, s, start, i) < 0) {
            return -1;
        }
    }
    while (i < n && space_at(kind, data, i)) {
        i++;
    }
    return i < n ? push(list, s, i, n) : 0;
}

static int rsplit_space(PyObject *list, PyObject *s, Py_ssize_t limit)
{
    int kind = str_kind(s);
    const void *data = str_data(s);
    Py_ssize_t i = str_len(s);
    while (limit-- > 0) {
        while (i > 0 && space_at(kind, data, i - 1)) {
            i--;
        }
        if (i == 0) {
            return 0;
        }
        Py_ssize_t end = i--;
        while (i > 0 && !space_at(kind, data, i - 1)) {
            i--;
        }
        if (push(list, s, i, end) < 0) {
            return -1;
        }
    }
    while (i > 0 && space_at(kind, data, i - 1)) {
        i--;
    }
    return i > 0 ? push(list, s, 0, i) : 0;
}

static int split_by(PyObject *list, PyObject *s, PyObject *separator, Py_ssize_t limit)
{
    int kind = str_kind(s);
    const char *data = str_data(s);
    Py_ssize_t n = str_len(s), m = str_len(separator), at = 0;
    while (limit-- > 0) {
        Py_ssize_t found = text_find(kind, data + at * kind, n - at, str_kind(separator),
                                     str_data(separator), m);
        if (found < 0) {
            break;
        }
        if (push(list, s, at, at + found) < 0) {
            return -1;
        }
        at += found + m;
    }
    return push(list, s, at, n);
}

static int rsplit_by(PyObject *list, PyObject *s, PyObject *separator, Py_ssize_t limit)
{
    Py_ssize_t m = str_len(separator), end = str_len(s);
    while (limit-- > 0) {
        Py_ssize_t found = text_rfind(str_kind(s), str_data(s), end, str_kind(separator),
                                      str_data(separator), m);
        if (found < 0) {
            break;
        }
        if (push(list, s, found + m, end) < 0) {
            return -1;
        }
        end = found;
    }
    return push(list, s, 0, end);
}

static PyObject *split(PyObject *s, PyObject *separator, Py_ssize_t limit, bool from_right)
{
    if (limit < 0) {
        limit = PY_SSIZE_T_MAX;
    }
    if (separator != NULL && str_len(separator) == 0) {
        PyErr_SetString(PyExc_ValueError, "empty separator");
        return NULL;
    }
    PyObject *list = PyList_New(0);
    if (list == NULL) {
        return NULL;
    }
    int failed;
    if (from_right) {
        failed = separator == NULL ? rsplit_space(list, s, limit)
                                   : rsplit_by(list, s, separator, limit);
        failed = failed < 0 || PyList_Reverse(list) < 0;
    }
    else {
        failed = separator == NULL ? split_space(list, s, limit)
                                   : split_by(list, s, separator, limit);
    }
    return finish(list, failed);
}

PyObject *str_split(PyObject *s, PyObject *separator, Py_ssize_t limit)
{
    return split(s, separator, limit, false);
}

PyObject *str_rsplit(PyObject *s, PyObject *separator, Py_ssize_t limit)
{
    return split(s, separator, limit, true);
}

PyObject *str_splitlines(PyObject *s, bool keep_ends)
{
    PyObject *list = PyList_New(0);
    if (list == NULL) {
        return NULL;
    }
    int kind = str_kind(s);
    const void *data = str_data(s);
    Py_ssize_t n = str_len(s), i = 0;
    while (i < n) {
        Py_ssize_t start = i;
        while (i < n && !char_is(str_data_read(kind, data, i), CHAR_LINEBREAK)) {
            i++;
        }
        Py_ssize_t end = i;
        if (i < n) {
            bool pair = str_data_read(kind, data, i) == '\r' && i + 1 < n &&
                        str_data_read(kind, data, i + 1) == '\n';
            i += pair ? 2 : 1;
        }
        if (push(list, s, start, keep_ends ? i : end) < 0) {
            return finish(list, true);
        }
    }
    return list;
}

/* (s[:left], separator, s[right:]) */
static PyObject *three(PyObject *s, PyObject *separator, Py_ssize_t left, Py_ssize_t right)
{
    PyObject *head = str_substring(s, 0, left);
    PyObject *tail = head == NULL ? NULL : str_substring(s, right, str_len(s));
    PyObject *result = tail == NULL ? NULL : PyTuple_Pack(3, head, separator, tail);
    Py_XDECREF(head);
    Py_XDECREF(tail);
    return result;
}

static PyObject *partition(PyObject *s, PyObject *separator, bool from_right)
{
    if (str_len(separator) == 0) {
        PyErr_SetString(PyExc_ValueError, "empty separator");
        return NULL;
    }
    Py_ssize_t n = str_len(s);
    Py_ssize_t found = from_right ? str_rfind(s, separator, 0, n) : str_find(s, separator, 0, n);
    if (found >= 0) {
        return three(s, separator, found, found + str_len(separator));
    }
    return from_right ? three(s, str_empty(), 0, 0) : three(s, str_empty(), n, n);
}

PyObject *str_partition(PyObject *s, PyObject *separator)
{
    return partition(s, separator, false);
}

PyObject *str_rpartition(PyObject *s, PyObject *separator)
{
    return partition(s, separator, true);
}

/* ---- Stripping ----------------------------------------------------------------------------- */

/* A quick 'perhaps' for set membership: one bit per low six bits of a character. */
static uint64_t bloom_of(PyObject *chars)
{
    uint64_t bloom = 0;
    for (Py_ssize_t i = 0; i < str_len(chars); i++) {
        bloom |= 1ull << (str_read(chars, i) & 63);
    }
    return bloom;
}

PyObject *str_strip(PyObject *s, PyObject *chars, enum strip_side side)
{
    int kind = str_kind(s);
    const void *data = str_data(s);
    Py_ssize_t start = 0, end = str_len(s);
    uint64_t bloom = chars == NULL ? 0 : bloom_of(chars);
#define GOES(i)                                                                                    \
    (chars == NULL ? space_at(kind, data, i)                                                       \
                   : (bloom >> (str_data_read(kind, data, i) & 63) & 1) &&                         \
                         text_find_char(str_kind(chars), str_data(chars), str_len(chars),          \
                                        str_data_read(kind, data, i)) >= 0)
    if (side & STRIP_LEFT) {
        while (start < end && GOES(start)) {
            start++;
        }
    }
    if (side & STRIP_RIGHT) {
        while (end > start && GOES(end - 1)) {
            end--;
        }
    }
#undef GOES
    return str_substring(s, start, end);
}

/* ---- The C API ----------------------------------------------------------------------------- */

PyObject *PyUnicode_Split(PyObject *s, PyObject *separator, Py_ssize_t limit)
{
    if (str_require(s) < 0 || (separator != NULL && str_require(separator) < 0)) {
        return NULL;
    }
    return split(s, separator, limit, false);
}

PyObject *PyUnicode_RSplit(PyObject *s, PyObject *separator, Py_ssize_t limit)
{
    if (str_require(s) < 0 || (separator != NULL && str_require(separator) < 0)) {
        return NULL;
    }
    return split(s, separator, limit, true);
}

PyObject *PyUnicode_Splitlines(PyObject *s, int keep_ends)
{
    return str_require(s) < 0 ? NULL : str_splitlines(s, keep_ends != 0);
}

PyObject *PyUnicode_Partition(PyObject *s, PyObject *separator)
{
    if (str_require(s) < 0 || str_require(separator) < 0) {
        return NULL;
    }
    return partition(s, separator, false);
}

PyObject *PyUnicode_RPartition(PyObject *s, PyObject *separator)
{
    if (str_require(s) < 0 || str_require(separator) < 0) {
        return NULL;
    }
    return partition(s, separator, true);
}
