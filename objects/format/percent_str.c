/* str % values. */
#include "objects/format/percent.h"
#include "objects/int.h"

static Py_UCS4 read_char(const void *format, Py_ssize_t i)
{
    return str_read((PyObject *)format, i);
}

static PyObject *make_key(const void *format, Py_ssize_t start, Py_ssize_t end)
{
    return str_substring((PyObject *)format, start, end);
}

/* `text` cut to the precision, between blanks. */
static int write_text(str_writer *w, PyObject *text, const struct percent_conversion *c)
{
    Py_ssize_t length = str_len(text);
    if (c->precision >= 0) {
        length = Py_MIN(length, c->precision);
    }
    Py_ssize_t fill = Py_MAX(c->width - length, 0);
    bool left = c->flags & PERCENT_LEFT;
    if ((!left && str_writer_fill(w, ' ', fill) < 0)
        || str_writer_substring(w, text, 0, length) < 0) {
        return -1;
    }
    return left ? str_writer_fill(w, ' ', fill) : 0;
}

static int write_number(str_writer *w, PyObject *text, const struct percent_conversion *c)
{
    struct percent_layout layout;
    percent_layout_number(&layout, text, c);
    Py_ssize_t at = layout.skip;
    if (str_writer_fill(w, ' ', layout.blanks_left) < 0
        || (layout.sign != 0 && str_writer_char(w, layout.sign) < 0)
        || str_writer_substring(w, text, at, at + layout.prefix) < 0
        || str_writer_fill(w, '0', layout.zeros) < 0
        || str_writer_substring(w, text, at + layout.prefix, str_len(text)) < 0) {
        return -1;
    }
    return str_writer_fill(w, ' ', layout.blanks_right);
}

static PyObject *char_of(PyObject *value)
{
    if (PyUnicode_Check(value)) {
        if (str_len(value) == 1) {
            return Py_NewRef(value);
        }
        PyErr_SetString(PyExc_TypeError, "%c requires int or char");
        return NULL;
    }
    PyObject *number = PyLong_Check(value) ? Py_NewRef(value) : PyNumber_Index(value);
    if (number == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_SetString(PyExc_TypeError, "%c requires int or char");
        }
        return NULL;
    }
    int overflow;
    long ch = PyLong_AsLongAndOverflow(number, &overflow);
    Py_DECREF(number);
    if (ch == -1 && PyErr_Occurred()) {
        PyErr_SetString(PyExc_TypeError, "%c requires int or char");
        return NULL;
    }
    if (overflow != 0 || ch < 0 || ch > (long)STR_MAX_CODE_POINT) {
        PyErr_SetString(PyExc_OverflowError, "%c arg not in range(0x110000)");
        return NULL;
    }
    return str_from_char((Py_UCS4)ch);
}

/* Exact ints and floats that are written as they are: 1 done, 0 not here, -1. */
static int write_bare_number(str_writer *w, const struct percent_conversion *c, PyObject *value)
{
    int64_t small;
    if (c->flags != 0 || c->width != 0) {
        return 0;
    }
    if (c->letter == 'd' && c->precision < 0 && PyLong_CheckExact(value)
        && int_fits_i64((PyLongObject *)value, &small)) {
        return str_writer_int64(w, small) < 0 ? -1 : 1;
    }
    Py_UCS4 lower = c->letter | 32;
    if (!PyFloat_CheckExact(value) || lower < 'e' || lower > 'g') {
        return 0;
    }
    char *text = PyOS_double_to_string(PyFloat_AS_DOUBLE(value), (char)c->letter,
                                       c->precision < 0 ? 6 : c->precision, 0, NULL);
    int result = text == NULL ? -1 : str_writer_ascii(w, text, -1) < 0 ? -1 : 1;
    PyMem_Free(text);
    return result;
}

static int write_conversion(str_writer *w, const struct percent_conversion *c,
                            struct percent_args *args, Py_ssize_t index)
{
    if (c->letter == PERCENT_LITERAL) {
        return str_writer_char(w, '%');
    }
    PyObject *value = percent_next(args), *text;
    if (value == NULL) {
        return -1;
    }
    int done = write_bare_number(w, c, value);
    if (done != 0) {
        return done < 0 ? -1 : 0;
    }
    bool number = false;
    struct percent_conversion adjusted = *c;
    switch (c->letter) {
    case 's':
        text = PyObject_Str(value);
        break;
    case 'r':
        text = PyObject_Repr(value);
        break;
    case 'a':
        text = PyObject_ASCII(value);
        break;
    case 'd':
    case 'i':
    case 'u':
    case 'o':
    case 'x':
    case 'X':
        number = true;
        text = percent_integer(value, c);
        break;
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
        number = true;
        text = percent_float(value, c);
        break;
    case 'c':
        adjusted.precision = -1;
        text = char_of(value);
        break;
    default:
        PyErr_Format(PyExc_ValueError, "unsupported format character '%c' (0x%x) at index %zd",
                     c->letter >= 32 && c->letter < 127 ? (int)c->letter : '?', (unsigned)c->letter,
                     index);
        return -1;
    }
    if (text == NULL) {
        return -1;
    }
    int result = number ? write_number(w, text, c) : write_text(w, text, &adjusted);
    Py_DECREF(text);
    return result;
}

PyObject *PyUnicode_Format(PyObject *format, PyObject *values)
{
    if (format == NULL || values == NULL) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (!PyUnicode_Check(format)) {
        PyErr_Format(PyExc_TypeError, "must be str, not %.100s", Py_TYPE(format)->tp_name);
        return NULL;
    }
    str_writer w;
    struct percent_args args;
    str_writer_init(&w);
    percent_args_init(&args, values, false);
    Py_ssize_t n = str_len(format), at = 0;
    int failed = 0;
    while (failed == 0 && at < n) {
        Py_ssize_t percent = str_find_char(format, '%', at, n);
        Py_ssize_t stop = percent < 0 ? n : percent;
        w.overallocate = stop < n; /* a format without conversions is the result itself */
        failed = str_writer_substring(&w, format, at, stop);
        at = stop;
        if (failed == 0 && at < n) {
            struct percent_conversion c;
            at++;
            failed = percent_parse(&c, &args, format, read_char, make_key, &at, n);
            if (failed == 0) {
                w.overallocate = at < n; /* a sole value is the result itself */
                failed = write_conversion(&w, &c, &args, at - 1);
            }
        }
    }
    if (failed == 0) {
        failed = percent_finish(&args, "string");
    }
    Py_CLEAR(args.current);
    if (failed < 0) {
        str_writer_drop(&w);
        return NULL;
    }
    return str_writer_finish(&w);
}
