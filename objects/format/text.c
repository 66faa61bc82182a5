/* format() of str, and replacement fields of f-strings. */
#include "objects/format/spec.h"

static int refuse(const char *message)
{
    PyErr_SetString(PyExc_ValueError, message);
    return -1;
}

static int check_spec(const struct format_spec *spec, const char *type_name)
{
    if (spec->type != 's') {
        format_spec_unknown(spec->type, type_name);
        return -1;
    }
    if (spec->sign != 0) {
        return refuse(spec->sign == ' ' ? "Space not allowed in string format specifier"
                                        : "Sign not allowed in string format specifier");
    }
    if (spec->no_negative_zero) {
        return refuse("Negative zero coercion (z) not allowed in string format specifier");
    }
    if (spec->alternate) {
        return refuse("Alternate form (#) not allowed in string format specifier");
    }
    if (spec->align == '=') {
        return refuse("'=' alignment not allowed in string format specifier");
    }
    return 0;
}

int format_str_spec(str_writer *w, PyObject *value, PyObject *spec, Py_ssize_t start,
                    Py_ssize_t end)
{
    if (start == end) {
        return PyUnicode_CheckExact(value) ? str_writer_str(w, value) : str_writer_object(w, value);
    }
    struct format_spec parsed;
    const char *type_name = Py_TYPE(value)->tp_name;
    if (format_spec_parse(&parsed, spec, start, end, 's', '<', type_name) < 0
        || check_spec(&parsed, type_name) < 0) {
        return -1;
    }
    Py_ssize_t length = str_len(value), right;
    if (parsed.precision >= 0) {
        length = Py_MIN(length, parsed.precision);
    }
    if (format_pad_left(w, &parsed, length, &right) < 0
        || str_writer_substring(w, value, 0, length) < 0) {
        return -1;
    }
    return str_writer_fill(w, parsed.fill, right);
}

static PyObject *finish(str_writer *w, int failed)
{
    if (failed < 0) {
        str_writer_drop(w);
        return NULL;
    }
    return str_writer_finish(w);
}

PyObject *format_str(PyObject *value, PyObject *spec)
{
    if (str_len(spec) == 0) {
        return PyUnicode_CheckExact(value) ? Py_NewRef(value) : PyObject_Str(value);
    }
    str_writer w;
    str_writer_init(&w);
    return finish(&w, format_str_spec(&w, value, spec, 0, str_len(spec)));
}

PyObject *format_int(PyObject *value, PyObject *spec)
{
    if (str_len(spec) == 0) {
        return PyObject_Str(value);
    }
    str_writer w;
    str_writer_init(&w);
    return finish(&w, format_int_spec(&w, value, spec, 0, str_len(spec)));
}

PyObject *format_float(PyObject *value, PyObject *spec)
{
    if (str_len(spec) == 0) {
        return PyObject_Str(value);
    }
    str_writer w;
    str_writer_init(&w);
    return finish(&w, format_float_spec(&w, value, spec, 0, str_len(spec)));
}

PyObject *format_complex(PyObject *value, PyObject *spec)
{
    if (str_len(spec) == 0) {
        return PyObject_Str(value);
    }
    str_writer w;
    str_writer_init(&w);
    return finish(&w, format_complex_spec(&w, value, spec, 0, str_len(spec)));
}

/* Writes format(value, spec); `spec` may be NULL or empty.  May run Python code. */
int format_object(str_writer *w, PyObject *value, PyObject *spec, Py_ssize_t start, Py_ssize_t end)
{
    if (PyUnicode_CheckExact(value)) {
        return format_str_spec(w, value, spec, start, end);
    }
    if (PyLong_CheckExact(value)) {
        return format_int_spec(w, value, spec, start, end);
    }
    if (PyFloat_CheckExact(value)) {
        return format_float_spec(w, value, spec, start, end);
    }
    PyObject *part = spec == NULL ? NULL : str_substring(spec, start, end);
    if (spec != NULL && part == NULL) {
        return -1;
    }
    PyObject *text = PyObject_Format(value, part);
    Py_XDECREF(part);
    if (text == NULL) {
        return -1;
    }
    int result = str_writer_str(w, text);
    Py_DECREF(text);
    return result;
}

PyObject *str_format_field(PyObject *value, int conversion, PyObject *spec)
{
    PyObject *converted;
    switch (conversion) {
    case 0:
        converted = Py_NewRef(value);
        break;
    case 's':
        converted = PyObject_Str(value);
        break;
    case 'r':
        converted = PyObject_Repr(value);
        break;
    default:
        converted = PyObject_ASCII(value);
        break;
    }
    if (converted == NULL) {
        return NULL;
    }
    if (PyUnicode_CheckExact(converted) && (spec == NULL || str_len(spec) == 0)) {
        return converted;
    }
    PyObject *text;
    if (spec != NULL && str_len(spec) > 0
        && (PyUnicode_CheckExact(converted) || PyLong_CheckExact(converted)
            || PyFloat_CheckExact(converted))) {
        str_writer w;
        str_writer_init(&w);
        text = finish(&w, format_object(&w, converted, spec, 0, str_len(spec)));
    } else {
        text = PyObject_Format(converted, spec);
    }
    Py_DECREF(converted);
    return text;
}
