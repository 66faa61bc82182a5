/* Comparing strings with strings and with C text. */
#include "objects/str/internal.h"

#include <wchar.h>

bool str_equal_slow(PyObject *a, PyObject *b)
{
    const char *p = str_data(a), *q = str_data(b);
    return *p == *q && memcmp(p, q, (size_t)str_len(a) * (size_t)str_kind(a)) == 0;
}

int str_compare(PyObject *a, PyObject *b)
{
    if (a == b) {
        return 0;
    }
    int kind_a = str_kind(a), kind_b = str_kind(b);
    const void *data_a = str_data(a), *data_b = str_data(b);
    Py_ssize_t n = Py_MIN(str_len(a), str_len(b));
    if (kind_a == 1 && kind_b == 1) {
        int order = memcmp(data_a, data_b, (size_t)n);
        if (order != 0) {
            return order < 0 ? -1 : 1;
        }
    } else {
        for (Py_ssize_t i = 0; i < n; i++) {
            Py_UCS4 x = str_data_read(kind_a, data_a, i), y = str_data_read(kind_b, data_b, i);
            if (x != y) {
                return x < y ? -1 : 1;
            }
        }
    }
    return str_len(a) == str_len(b) ? 0 : str_len(a) < str_len(b) ? -1 : 1;
}

bool str_equal_ascii(PyObject *s, const char *text)
{
    size_t n = (size_t)str_len(s);
    return str_is_ascii(s) && strncmp(str_data(s), text, n) == 0
           && memchr(str_data(s), 0, n) == NULL && text[n] == '\0';
}

/* Decodes `text` as it compares, so that nothing is allocated. */
bool str_equal_utf8(PyObject *s, const char *text, Py_ssize_t length)
{
    if (str_is_ascii(s)) {
        return str_len(s) == length && memcmp(str_data(s), text, (size_t)length) == 0;
    }
    const uint8_t *p = (const uint8_t *)text, *end = p + length;
    for (Py_ssize_t i = 0; i < str_len(s); i++) {
        Py_UCS4 ch = str_read(s, i);
        uint8_t form[4];
        int size = ch < 0x80 ? 1 : ch < 0x800 ? 2 : ch < 0x10000 ? 3 : 4;
        if ((ch >= 0xd800 && ch < 0xe000) || end - p < size) {
            return false;
        }
        static const uint8_t lead[5] = {0, 0, 0xc0, 0xe0, 0xf0};
        for (int k = size - 1; k > 0; k--) {
            form[k] = (uint8_t)(0x80 | (ch & 0x3f));
            ch >>= 6;
        }
        form[0] = (uint8_t)(lead[size] | ch);
        if (memcmp(p, form, (size_t)size) != 0) {
            return false;
        }
        p += size;
    }
    return p == end;
}

PyObject *str_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PyUnicode_Check(a) || !PyUnicode_Check(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (op == Py_EQ || op == Py_NE) {
        return PyBool_FromLong(str_equal(a, b) == (op == Py_EQ));
    }
    Py_RETURN_RICHCOMPARE(str_compare(a, b), 0, op);
}

/* ---- The C API ----------------------------------------------------------------------------- */

PyObject *PyUnicode_RichCompare(PyObject *a, PyObject *b, int op)
{
    return str_richcompare(a, b, op);
}

int PyUnicode_Compare(PyObject *a, PyObject *b)
{
    if (PyUnicode_Check(a) && PyUnicode_Check(b)) {
        return str_compare(a, b);
    }
    PyErr_Format(PyExc_TypeError, "Can't compare %.100s and %.100s", Py_TYPE(a)->tp_name,
                 Py_TYPE(b)->tp_name);
    return -1;
}

/* `text` may hold latin-1 characters. */
int PyUnicode_CompareWithASCIIString(PyObject *s, const char *text)
{
    Py_ssize_t n = str_len(s), i = 0;
    for (; i < n && text[i] != '\0'; i++) {
        Py_UCS4 ch = str_read(s, i), other = (uint8_t)text[i];
        if (ch != other) {
            return ch < other ? -1 : 1;
        }
    }
    return i < n ? 1 : text[i] != '\0' ? -1 : 0;
}

int PyUnicode_EqualToUTF8(PyObject *s, const char *text)
{
    return str_equal_utf8(s, text, (Py_ssize_t)strlen(text));
}

int PyUnicode_EqualToUTF8AndSize(PyObject *s, const char *text, Py_ssize_t size)
{
    return str_equal_utf8(s, text, size);
}

PyAPI_FUNC(int) _PyUnicode_EqualToASCIIString(PyObject *s, const char *text);

int _PyUnicode_EqualToASCIIString(PyObject *s, const char *text)
{
    return str_equal_ascii(s, text);
}

int _PyUnicode_Equal(PyObject *a, PyObject *b)
{
    return str_equal(a, b);
}
