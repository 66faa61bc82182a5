/* The remaining methods of str: padding, tabs, zfill, removing ends, startswith, encode, ... */
#include "objects/str/methods.h"

/* ---- Padding ------------------------------------------------------------------------------- */

PyObject *str_pad(PyObject *s, Py_ssize_t left, Py_ssize_t right, Py_UCS4 fill)
{
    Py_ssize_t n = str_len(s);
    left = Py_MAX(left, 0);
    right = Py_MAX(right, 0);
    if (left == 0 && right == 0) {
        return str_exact(s);
    }
    if (left > PY_SSIZE_T_MAX - n || right > PY_SSIZE_T_MAX - (left + n)) {
        PyErr_SetString(PyExc_OverflowError, "padded string is too long");
        return NULL;
    }
    PyObject *result = str_new(left + n + right, Py_MAX(str_maxchar(s), fill));
    if (result == NULL) {
        return NULL;
    }
    int kind = str_kind(result);
    void *data = str_data(result);
    if (left > 0) {
        str_data_fill(kind, data, 0, left, fill);
    }
    str_data_copy(kind, data, left, str_kind(s), str_data(s), 0, n);
    if (right > 0) {
        str_data_fill(kind, data, left + n, right, fill);
    }
    return str_len(result) == 1 ? str_narrow(result) : result;
}

/* The fill character of center() and its like: 0 and *ch, or -1 and TypeError. */
int str_fill_char(PyObject *fill, Py_UCS4 *ch)
{
    if (fill == NULL) {
        *ch = ' ';
        return 0;
    }
    if (!PyUnicode_Check(fill)) {
        PyErr_Format(PyExc_TypeError, "The fill character must be a unicode character, not %.100s",
                     Py_TYPE(fill)->tp_name);
        return -1;
    }
    if (str_len(fill) != 1) {
        PyErr_SetString(PyExc_TypeError, "The fill character must be exactly one character long");
        return -1;
    }
    *ch = str_read(fill, 0);
    return 0;
}

PyObject *str_center(PyObject *s, Py_ssize_t width, Py_UCS4 fill)
{
    Py_ssize_t margin = width - str_len(s);
    if (width <= str_len(s)) {
        return str_exact(s);
    }
    Py_ssize_t left = margin / 2 + (margin & width & 1);
    return str_pad(s, left, margin - left, fill);
}

PyObject *str_ljust(PyObject *s, Py_ssize_t width, Py_UCS4 fill)
{
    return width <= str_len(s) ? str_exact(s) : str_pad(s, 0, width - str_len(s), fill);
}

PyObject *str_rjust(PyObject *s, Py_ssize_t width, Py_UCS4 fill)
{
    return width <= str_len(s) ? str_exact(s) : str_pad(s, width - str_len(s), 0, fill);
}

PyObject *str_zfill(PyObject *s, Py_ssize_t width)
{
    Py_ssize_t n = str_len(s);
    if (width <= n) {
        return str_exact(s);
    }
    PyObject *result = str_pad(s, width - n, 0, '0');
    if (result == NULL || n == 0) {
        return result;
    }
    int kind = str_kind(result);
    void *data = str_data(result);
    Py_UCS4 sign = str_read(s, 0);
    if (sign == '+' || sign == '-') {
        str_data_write(kind, data, 0, sign);
        str_data_write(kind, data, width - n, '0');
    }
    return result;
}

PyObject *str_expandtabs(PyObject *s, int tab_size)
{
    int kind = str_kind(s);
    const void *data = str_data(s);
    Py_ssize_t n = str_len(s), column = 0, length = 0;
    bool found = false;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 ch = str_data_read(kind, data, i);
        Py_ssize_t add = 1;
        if (ch == '\t') {
            found = true;
            add = tab_size > 0 ? tab_size - column % tab_size : 0;
        }
        if (add > PY_SSIZE_T_MAX - length) {
            PyErr_SetString(PyExc_OverflowError, "new string is too long");
            return NULL;
        }
        length += add;
        column = ch == '\n' || ch == '\r' ? 0 : column + add;
    }
    if (!found) {
        return str_exact(s);
    }
    PyObject *result = str_new(length, str_maxchar(s));
    if (result == NULL || length == 0) {
        return result;
    }
    void *out = str_data(result);
    Py_ssize_t at = 0;
    column = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 ch = str_data_read(kind, data, i);
        if (ch == '\t') {
            Py_ssize_t add = tab_size > 0 ? tab_size - column % tab_size : 0;
            str_data_fill(kind, out, at, add, ' ');
            at += add;
            column += add;
            continue;
        }
        str_data_write(kind, out, at++, ch);
        column = ch == '\n' || ch == '\r' ? 0 : column + 1;
    }
    return length == 1 ? str_narrow(result) : result;
}

/* ---- Ends ---------------------------------------------------------------------------------- */

PyObject *str_removeprefix(PyObject *s, PyObject *prefix)
{
    bool has = str_starts_with(s, prefix, 0, PY_SSIZE_T_MAX);
    return has ? str_substring(s, str_len(prefix), str_len(s)) : str_exact(s);
}

PyObject *str_removesuffix(PyObject *s, PyObject *suffix)
{
    bool has = str_len(suffix) > 0 && str_ends_with(s, suffix, 0, PY_SSIZE_T_MAX);
    return has ? str_substring(s, 0, str_len(s) - str_len(suffix)) : str_exact(s);
}

/* startswith and endswith: 1, 0, or -1 with TypeError. */
int str_has_end(PyObject *s, PyObject *ends, Py_ssize_t start, Py_ssize_t end, bool suffix)
{
    bool (*test)(PyObject *, PyObject *, Py_ssize_t, Py_ssize_t) =
        suffix ? str_ends_with : str_starts_with;
    const char *method = suffix ? "endswith" : "startswith";
    if (PyUnicode_Check(ends)) {
        return test(s, ends, start, end);
    }
    if (!PyTuple_Check(ends)) {
        PyErr_Format(PyExc_TypeError, "%s first arg must be str or a tuple of str, not %.100s",
                     method, Py_TYPE(ends)->tp_name);
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(ends); i++) {
        PyObject *item = PyTuple_GET_ITEM(ends, i);
        if (!PyUnicode_Check(item)) {
            PyErr_Format(PyExc_TypeError, "tuple for %s must only contain str, not %.100s", method,
                         Py_TYPE(item)->tp_name);
            return -1;
        }
        if (test(s, item, start, end)) {
            return 1;
        }
    }
    return 0;
}

/* index and rindex: -1 with ValueError if there is none. */
Py_ssize_t str_index(PyObject *s, PyObject *sub, Py_ssize_t start, Py_ssize_t end, bool from_right)
{
    Py_ssize_t found = from_right ? str_rfind(s, sub, start, end) : str_find(s, sub, start, end);
    if (found < 0) {
        PyErr_SetString(PyExc_ValueError, "substring not found");
    }
    return found;
}

/* The separator of split(): NULL for None, else a str; -1 and TypeError. */
int str_separator(PyObject *argument, PyObject **separator)
{
    *separator = argument == Py_None ? NULL : argument;
    if (*separator != NULL && !PyUnicode_Check(*separator)) {
        PyErr_Format(PyExc_TypeError, "must be str or None, not %.100s",
                     Py_TYPE(argument)->tp_name);
        return -1;
    }
    return 0;
}

PyObject *str_strip_arg(PyObject *s, PyObject *chars, enum strip_side side)
{
    if (chars != NULL && chars != Py_None && !PyUnicode_Check(chars)) {
        static const char *const names[] = {"", "lstrip", "rstrip", "strip"};
        PyErr_Format(PyExc_TypeError, "%s arg must be None or str", names[side]);
        return NULL;
    }
    return str_strip(s, chars == Py_None ? NULL : chars, side);
}

PyObject *str_sizeof(PyObject *s)
{
    int kind = str_kind(s);
    Py_ssize_t size;
    if (PyUnicode_IS_COMPACT(s)) {
        size =
            (Py_ssize_t)(str_is_ascii(s) ? sizeof(PyASCIIObject) : sizeof(PyCompactUnicodeObject));
    } else {
        size = (Py_ssize_t)sizeof(PyUnicodeObject);
    }
    size += (str_len(s) + 1) * kind;
    if (!str_is_ascii(s) && ((PyCompactUnicodeObject *)s)->utf8 != NULL) {
        size += ((PyCompactUnicodeObject *)s)->utf8_length + 1;
    }
    return PyLong_FromSsize_t(size);
}

PyObject *str_getnewargs(PyObject *s)
{
    PyObject *copy = _PyUnicode_Copy(s);
    PyObject *args = copy == NULL ? NULL : PyTuple_Pack(1, copy);
    Py_XDECREF(copy);
    return args;
}
