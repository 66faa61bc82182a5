/* repr() and ascii() of strings. */
#include "objects/str/internal.h"

static const char hex_digits[] = "0123456789abcdef";

/* How many characters `ch` takes in the repr with quote `quote`. */
static int escaped_length(Py_UCS4 ch, Py_UCS4 quote, bool ascii_only)
{
    if (ch == quote || ch == '\\' || ch == '\t' || ch == '\n' || ch == '\r') {
        return 2;
    }
    if (ch < 0x7f) {
        return ch < ' ' ? 4 : 1;
    }
    if (!ascii_only && char_is(ch, CHAR_PRINTABLE)) {
        return 1;
    }
    return ch < 0x100 ? 4 : ch < 0x10000 ? 6 : 10;
}

static Py_ssize_t write_escaped(int kind, void *out, Py_ssize_t at, Py_UCS4 ch, int length)
{
    if (length == 1) {
        str_data_write(kind, out, at++, ch);
        return at;
    }
    str_data_write(kind, out, at++, '\\');
    if (length == 2) {
        Py_UCS4 letter = ch == '\t' ? 't' : ch == '\n' ? 'n' : ch == '\r' ? 'r' : ch;
        str_data_write(kind, out, at++, letter);
        return at;
    }
    str_data_write(kind, out, at++, length == 4 ? 'x' : length == 6 ? 'u' : 'U');
    for (int shift = (length - 3) * 4; shift >= 0; shift -= 4) {
        str_data_write(kind, out, at++, (Py_UCS4)hex_digits[ch >> shift & 15]);
    }
    return at;
}

/* Whether all bytes stand for themselves between single quotes; word by word. */
static bool is_plain(const uint8_t *p, Py_ssize_t n)
{
    const uint64_t ones = 0x0101010101010101u, high = ones << 7;
    Py_ssize_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t word;
        memcpy(&word, p + i, 8);
        uint64_t quote = word ^ ones * '\'', slash = word ^ ones * '\\', end = word ^ ones * 0x7f;
        uint64_t special = (word - ones * ' ') | (quote - ones) | (slash - ones) | (end - ones);
        if ((special | word) & high) {
            return false;
        }
    }
    for (; i < n; i++) {
        if (p[i] < ' ' || p[i] >= 0x7f || p[i] == '\'' || p[i] == '\\') {
            return false;
        }
    }
    return true;
}

/* The repr of ASCII that needs no escapes. */
static PyObject *plain_repr(PyObject *s)
{
    Py_ssize_t n = str_len(s);
    PyObject *repr = str_new(n + 2, 0x7f);
    if (repr != NULL) {
        char *out = str_data(repr);
        out[0] = out[n + 1] = '\'';
        copy_short(out + 1, str_data(s), (size_t)n);
    }
    return repr;
}

static PyObject *make_repr(PyObject *s, bool ascii_only)
{
    if (str_is_ascii(s) && is_plain(str_data(s), str_len(s))) {
        return plain_repr(s);
    }
    int kind = str_kind(s);
    const void *data = str_data(s);
    Py_ssize_t n = str_len(s);
    bool double_quotes = str_find_char(s, '\'', 0, n) >= 0 && str_find_char(s, '"', 0, n) < 0;
    Py_UCS4 quote = double_quotes ? '"' : '\'', maxchar = 0x7f;
    Py_ssize_t length = 2;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_UCS4 ch = str_data_read(kind, data, i);
        int add = escaped_length(ch, quote, ascii_only);
        if (length > PY_SSIZE_T_MAX - add) {
            PyErr_SetString(PyExc_OverflowError, "string is too long to generate repr");
            return NULL;
        }
        length += add;
        maxchar = add == 1 ? Py_MAX(maxchar, ch) : maxchar;
    }
    PyObject *repr = str_new(length, maxchar);
    if (repr == NULL) {
        return NULL;
    }
    int out_kind = str_kind(repr);
    void *out = str_data(repr);
    str_data_write(out_kind, out, 0, quote);
    if (length == n + 2) { /* nothing to escape */
        str_data_copy(out_kind, out, 1, kind, data, 0, n);
    } else {
        Py_ssize_t at = 1;
        for (Py_ssize_t i = 0; i < n; i++) {
            Py_UCS4 ch = str_data_read(kind, data, i);
            at = write_escaped(out_kind, out, at, ch, escaped_length(ch, quote, ascii_only));
        }
    }
    str_data_write(out_kind, out, length - 1, quote);
    return repr;
}

PyObject *str_repr(PyObject *s)
{
    return make_repr(s, false);
}

PyObject *str_ascii_repr(PyObject *s)
{
    return make_repr(s, true);
}
