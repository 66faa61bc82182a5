/* isalpha, isdigit, isidentifier, ...: questions about all characters of a string. */
#include "objects/str/classify.h"

/* True if the string is not empty and all its characters have one of the flags. */
static bool all_have(PyObject *s, unsigned flags)
{
    Py_ssize_t n = str_len(s);
    int kind = str_kind(s);
    const void *data = str_data(s);
    for (Py_ssize_t i = 0; i < n; i++) {
        if (!char_is(str_data_read(kind, data, i), flags)) {
            return false;
        }
    }
    return n != 0;
}

bool str_is_alpha(PyObject *s)
{
    return all_have(s, CHAR_ALPHA);
}

bool str_is_alnum(PyObject *s)
{
    return all_have(s, CHAR_ALPHA | CHAR_DECIMAL | CHAR_DIGIT | CHAR_NUMERIC);
}

bool str_is_decimal(PyObject *s)
{
    return all_have(s, CHAR_DECIMAL);
}

bool str_is_digit(PyObject *s)
{
    return all_have(s, CHAR_DIGIT);
}

bool str_is_numeric(PyObject *s)
{
    return all_have(s, CHAR_NUMERIC);
}

bool str_is_space(PyObject *s)
{
    return all_have(s, CHAR_SPACE);
}

bool str_is_printable(PyObject *s)
{
    return str_len(s) == 0 || all_have(s, CHAR_PRINTABLE);
}

/* No character of the forbidden case, and at least one of the wanted one. */
static bool one_case(PyObject *s, unsigned wanted, unsigned forbidden)
{
    bool seen = false;
    for (Py_ssize_t i = 0; i < str_len(s); i++) {
        Py_UCS4 ch = str_read(s, i);
        if (char_is(ch, forbidden)) {
            return false;
        }
        seen = seen || char_is(ch, wanted);
    }
    return seen;
}

bool str_is_lower(PyObject *s)
{
    return one_case(s, CHAR_LOWER, CHAR_UPPER | CHAR_TITLE);
}

bool str_is_upper(PyObject *s)
{
    return one_case(s, CHAR_UPPER, CHAR_LOWER | CHAR_TITLE);
}

bool str_is_title(PyObject *s)
{
    bool seen = false, inside = false;
    for (Py_ssize_t i = 0; i < str_len(s); i++) {
        Py_UCS4 ch = str_read(s, i);
        if (char_is(ch, CHAR_UPPER | CHAR_TITLE)) {
            if (inside) {
                return false;
            }
            inside = seen = true;
        } else if (char_is(ch, CHAR_LOWER)) {
            if (!inside) {
                return false;
            }
            seen = true;
        } else {
            inside = false;
        }
    }
    return seen;
}

Py_ssize_t _PyUnicode_ScanIdentifier(PyObject *s)
{
    Py_ssize_t n = str_len(s);
    if (n == 0) {
        return 0;
    }
    Py_UCS4 ch = str_read(s, 0);
    if (ch != '_' && !char_is(ch, CHAR_ID_START)) {
        return 0;
    }
    Py_ssize_t i = 1;
    while (i < n && char_is(str_read(s, i), CHAR_ID_CONTINUE)) {
        i++;
    }
    return i;
}

bool str_is_identifier(PyObject *s)
{
    return str_len(s) != 0 && _PyUnicode_ScanIdentifier(s) == str_len(s);
}

int PyUnicode_IsIdentifier(PyObject *s)
{
    return str_is_identifier(s);
}

PyObject *str_digits_to_ascii(PyObject *s)
{
    if (str_is_ascii(s)) {
        return str_exact(s);
    }
    Py_ssize_t n = str_len(s);
    PyObject *result = PyUnicode_New(n, 0x7f);
    if (result == NULL) {
        return NULL;
    }
    uint8_t *out = str_data(result);
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 ch = str_read(s, i);
        int digit;
        if (ch < 127) {
            out[i] = (uint8_t)ch;
        } else if (char_is(ch, CHAR_SPACE)) {
            out[i] = ' ';
        } else if ((digit = _PyUnicode_ToDecimalDigit(ch)) >= 0) {
            out[i] = (uint8_t)('0' + digit);
        } else {
            /* No number goes on here: what follows does not matter. */
            out[i] = '?';
            memset(out + i + 1, '?', (size_t)(n - i - 1));
            break;
        }
    }
    return result;
}

PyAPI_FUNC(PyObject *) _PyUnicode_TransformDecimalAndSpaceToASCII(PyObject *s);

/* The same for extension modules, which want nothing behind the '?'. */
PyObject *_PyUnicode_TransformDecimalAndSpaceToASCII(PyObject *s)
{
    if (!PyUnicode_Check(s)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PyObject *ascii = str_digits_to_ascii(s);
    if (ascii == NULL || ascii == s || str_is_ascii(s)) {
        return ascii;
    }
    Py_ssize_t stop = str_find_char(ascii, '?', 0, str_len(ascii));
    if (stop >= 0) {
        Py_SETREF(ascii, PyUnicode_Substring(ascii, 0, stop + 1));
    }
    return ascii;
}
