/* Decimal.__format__(). */
#include "extensions/decimal/decimal.h"

/* The texts of a locale, as UTF-8, kept while the specification points to them. */
struct locale_texts {
    PyObject *dot, *separator;
};

/* What localeconv() gave, in its own encoding, as UTF-8; returns the text, or NULL with an
 * exception. */
static const char *locale_text(const char *text, PyObject **owner)
{
    *owner = PyUnicode_DecodeLocale(text, NULL);
    return *owner ? PyUnicode_AsUTF8(*owner) : NULL;
}

/* An entry of the dict of overrides; false with an exception, *text unchanged without one. */
static bool override_read(PyObject *overrides, const char *name, const char **text)
{
    PyObject *value = PyDict_GetItemString(overrides, name);
    if (value == NULL) {
        return true;
    }
    *text = PyUnicode_Check(value) ? PyUnicode_AsUTF8(value) : NULL;
    if (*text == NULL && !PyErr_Occurred()) {
        PyErr_Format(PyExc_TypeError, "invalid override dict");
    }
    return *text != NULL;
}

static bool spec_localize(mpd_spec_t *spec, PyObject *overrides, struct locale_texts *texts)
{
    if (overrides != NULL) {
        if (!override_read(overrides, "decimal_point", &spec->dot)
            || !override_read(overrides, "thousands_sep", &spec->sep)
            || !override_read(overrides, "grouping", &spec->grouping)) {
            return false;
        }
        if (mpd_validate_lconv(spec) < 0) {
            PyErr_SetString(PyExc_ValueError, "invalid override dict");
            return false;
        }
        return true;
    }
    if (spec->type == 'n') {
        spec->dot = locale_text(spec->dot, &texts->dot);
        spec->sep = spec->dot ? locale_text(spec->sep, &texts->separator) : NULL;
        return spec->sep != NULL;
    }
    return true;
}

/* Fills with NUL are done by a byte that UTF-8 does not have. */
static PyObject *text_decode(char *text, bool fill_nul)
{
    size_t size = strlen(text);
    for (size_t i = 0; fill_nul && i < size; i++) {
        if (text[i] == '\xff') {
            text[i] = '\0';
        }
    }
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)size, NULL);
}

/* Reads the specification; a leading NUL is a fill.  1, 0 if it is malformed for the library, -1
 * with an exception. */
static int spec_read(mpd_spec_t *spec, const char *format, size_t size, bool capitals,
                     bool *fill_nul)
{
    char *copy = PyMem_Malloc(size + 1);
    if (copy == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(copy, format, size + 1);
    *fill_nul = size > 0 && format[0] == '\0';
    if (*fill_nul) {
        copy[0] = '_';
    }
    bool fine = strlen(copy) == size && mpd_parse_fmt_str(spec, copy, capitals);
    PyMem_Free(copy);
    if (fine && *fill_nul) {
        spec->fill[0] = '\xff';
        spec->fill[1] = '\0';
    }
    if (fine && size > 0 && format[size - 1] == 'N'
        && PyErr_WarnEx(PyExc_DeprecationWarning, "Format specifier 'N' is deprecated", 1) < 0) {
        return -1;
    }
    return fine;
}

/* What the library does not know is left to the module in Python. */
static PyObject *format_in_python(PyObject *op, PyObject *format, struct context *context)
{
    PyObject *module = PyImport_ImportModule("_pydecimal");
    PyObject *text = module ? PyObject_Str(op) : NULL;
    PyObject *number = text ? PyObject_CallMethod(module, "Decimal", "O", text) : NULL;
    PyObject *result =
        number ? PyObject_CallMethod(number, "__format__", "OO", format, context) : NULL;
    Py_XDECREF(module);
    Py_XDECREF(text);
    Py_XDECREF(number);
    if (result == NULL && PyErr_ExceptionMatches(PyExc_ValueError)) {
        PyErr_SetString(PyExc_ValueError, "invalid format string");
    }
    return result;
}

static PyObject *format_by_spec(struct context *context, PyObject *op, const mpd_spec_t *spec,
                                bool fill_nul)
{
    uint32_t status = 0;
    char *text = mpd_qformat_spec(MPD(op), spec, &context->mpd, &status);
    if (text == NULL) {
        if (status & MPD_Malloc_error) {
            return PyErr_NoMemory();
        }
        PyErr_SetString(PyExc_ValueError,
                        "format specification exceeds internal limits of _decimal");
        return NULL;
    }
    PyObject *result = text_decode(text, fill_nul);
    mpd_free(text);
    return result;
}

PyObject *number_format(struct decimal_state *state, PyObject *op, PyObject *format,
                        PyObject *overrides)
{
    mpd_spec_t spec;
    bool fill_nul;
    struct locale_texts texts = {NULL, NULL};
    Py_ssize_t size;
    if (!PyUnicode_Check(format)) {
        PyErr_SetString(PyExc_TypeError, "format arg must be str");
        return NULL;
    }
    if (overrides != NULL && !PyDict_Check(overrides)) {
        PyErr_SetString(PyExc_TypeError, "optional argument must be a dict");
        return NULL;
    }
    const char *text = PyUnicode_AsUTF8AndSize(format, &size);
    struct context *context = text ? context_current(state) : NULL;
    if (context == NULL) {
        return NULL;
    }
    PyObject *result = NULL;
    int rc = spec_read(&spec, text, (size_t)size, context->capitals, &fill_nul);
    if (rc == 0) {
        result = format_in_python(op, format, context);
    } else if (rc > 0 && spec_localize(&spec, overrides, &texts)) {
        result = format_by_spec(context, op, &spec, fill_nul);
    }
    Py_XDECREF(texts.dot);
    Py_XDECREF(texts.separator);
    Py_DECREF(context);
    return result;
}
