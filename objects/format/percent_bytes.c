/* bytes % values, bytearray % values. */
#include "objects/bytes.h"
#include "objects/format/percent.h"

struct byte_format {
    const uint8_t *data;
};

static Py_UCS4 read_byte(const void *format, Py_ssize_t i)
{
    return ((const struct byte_format *)format)->data[i];
}

static PyObject *make_key(const void *format, Py_ssize_t start, Py_ssize_t end)
{
    return bytes_from(((const struct byte_format *)format)->data + start, end - start);
}

static int write_bytes(struct bytes_writer *w, const uint8_t *data, Py_ssize_t length,
                       const struct percent_conversion *c)
{
    if (c->precision >= 0) {
        length = Py_MIN(length, c->precision);
    }
    Py_ssize_t fill = Py_MAX(c->width - length, 0);
    bool left = c->flags & PERCENT_LEFT;
    if ((!left && bytes_writer_fill(w, ' ', fill) < 0) || bytes_writer_write(w, data, length) < 0) {
        return -1;
    }
    return left ? bytes_writer_fill(w, ' ', fill) : 0;
}

/* ASCII text of a number; steals `text` (may be NULL). */
static int write_number(struct bytes_writer *w, PyObject *text, const struct percent_conversion *c)
{
    if (text == NULL) {
        return -1;
    }
    struct percent_layout layout;
    percent_layout_number(&layout, text, c);
    const uint8_t *data = (const uint8_t *)str_data(text) + layout.skip;
    Py_ssize_t rest = str_len(text) - layout.skip - layout.prefix;
    int failed = bytes_writer_fill(w, ' ', layout.blanks_left) < 0
                 || (layout.sign != 0 && bytes_writer_byte(w, (uint8_t)layout.sign) < 0)
                 || bytes_writer_write(w, data, layout.prefix) < 0
                 || bytes_writer_fill(w, '0', layout.zeros) < 0
                 || bytes_writer_write(w, data + layout.prefix, rest) < 0
                 || bytes_writer_fill(w, ' ', layout.blanks_right) < 0;
    Py_DECREF(text);
    return failed ? -1 : 0;
}

static int char_of(PyObject *value, uint8_t *byte)
{
    if (PyBytes_Check(value) || PyByteArray_Check(value)) {
        bool one = Py_SIZE(value) == 1;
        if (one) {
            *byte = PyBytes_Check(value) ? bytes_data(value)[0]
                                         : (uint8_t)PyByteArray_AS_STRING(value)[0];
        } else {
            PyErr_Format(PyExc_TypeError, "%%c requires an integer in range(256) or a single byte");
        }
        return one ? 0 : -1;
    }
    int overflow;
    long number = PyLong_AsLongAndOverflow(value, &overflow);
    if (number == -1 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_SetString(PyExc_TypeError,
                            "%c requires an integer in range(256) or a single byte");
        }
        return -1;
    }
    if (overflow != 0 || number < 0 || number > 255) {
        PyErr_SetString(PyExc_OverflowError, "%c arg not in range(256)");
        return -1;
    }
    *byte = (uint8_t)number;
    return 0;
}

/* %b: a bytes-like object, or one with __bytes__. */
static int write_object(struct bytes_writer *w, PyObject *value, const struct percent_conversion *c)
{
    if (!PyBytes_Check(value) && !PyObject_CheckBuffer(value)) {
        PyObject *method;
        int found =
            PyObject_GetOptionalAttrString((PyObject *)Py_TYPE(value), "__bytes__", &method);
        if (found < 0) {
            return -1;
        }
        if (found == 0) {
            PyErr_Format(PyExc_TypeError,
                         "%%b requires a bytes-like object, or an object that implements "
                         "__bytes__, not '%.100s'",
                         Py_TYPE(value)->tp_name);
            return -1;
        }
        PyObject *bytes = PyObject_CallOneArg(method, value);
        Py_DECREF(method);
        if (bytes != NULL && !PyBytes_Check(bytes)) {
            PyErr_Format(PyExc_TypeError, "__bytes__ returned non-bytes (type %.200s)",
                         Py_TYPE(bytes)->tp_name);
            Py_CLEAR(bytes);
        }
        int result = bytes == NULL ? -1 : write_bytes(w, bytes_data(bytes), bytes_len(bytes), c);
        Py_XDECREF(bytes);
        return result;
    }
    Py_buffer view;
    if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) < 0) {
        return -1;
    }
    int result = write_bytes(w, view.buf, view.len, c);
    PyBuffer_Release(&view);
    return result;
}

static int write_conversion(struct bytes_writer *w, const struct percent_conversion *c,
                            struct percent_args *args, Py_ssize_t index)
{
    if (c->letter == PERCENT_LITERAL) {
        return bytes_writer_byte(w, '%');
    }
    PyObject *value = percent_next(args), *text;
    if (value == NULL) {
        return -1;
    }
    switch (c->letter) {
    case 'r':
    case 'a': {
        text = PyObject_ASCII(value);
        int result = text == NULL ? -1 : write_bytes(w, str_data(text), str_len(text), c);
        Py_XDECREF(text);
        return result;
    }
    case 's':
    case 'b':
        return write_object(w, value, c);
    case 'i': {
        struct percent_conversion decimal = *c;
        decimal.letter = 'd'; /* also in messages */
        return write_number(w, percent_integer(value, &decimal), &decimal);
    }
    case 'd':
    case 'u':
    case 'o':
    case 'x':
    case 'X':
        return write_number(w, percent_integer(value, c), c);
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G': {
        if (PyFloat_AsDouble(value) == -1.0 && PyErr_Occurred()) {
            PyErr_Format(PyExc_TypeError, "float argument required, not %.200s",
                         Py_TYPE(value)->tp_name);
            return -1;
        }
        return write_number(w, percent_float(value, c), c);
    }
    case 'c': {
        uint8_t byte;
        struct percent_conversion whole = *c;
        whole.precision = -1;
        return char_of(value, &byte) < 0 ? -1 : write_bytes(w, &byte, 1, &whole);
    }
    default:
        PyErr_Format(PyExc_ValueError, "unsupported format character '%c' (0x%x) at index %zd",
                     (int)c->letter, (unsigned)c->letter, index);
        return -1;
    }
}

PyObject *bytes_format_percent(const uint8_t *data, Py_ssize_t n, PyObject *values,
                               bool as_bytearray)
{
    struct bytes_writer w;
    struct percent_args args;
    struct byte_format format = {data};
    bytes_writer_init(&w);
    percent_args_init(&args, values, true);
    Py_ssize_t at = 0;
    int failed = 0;
    while (failed == 0 && at < n) {
        const uint8_t *percent = memchr(data + at, '%', (size_t)(n - at));
        Py_ssize_t stop = percent == NULL ? n : percent - data;
        failed = bytes_writer_write(&w, data + at, stop - at);
        at = stop;
        if (failed == 0 && at < n) {
            struct percent_conversion c;
            at++;
            failed = percent_parse(&c, &args, &format, read_byte, make_key, &at, n);
            if (failed == 0) {
                failed = write_conversion(&w, &c, &args, at - 1);
            }
        }
    }
    if (failed == 0) {
        failed = percent_finish(&args, "bytes");
    }
    Py_CLEAR(args.current);
    if (failed < 0) {
        bytes_writer_drop(&w);
        return NULL;
    }
    return as_bytearray ? bytes_writer_finish_bytearray(&w) : bytes_writer_finish(&w);
}
