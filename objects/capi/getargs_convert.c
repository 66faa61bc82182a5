/* Format units of PyArg_Parse*: one Python object to one C value. */
#include "objects/capi/getargs.h"

#include <limits.h>
#include <string.h>

static const char raised[] = "an exception is set";

/* "must be EXPECTED, not TYPE"; a text in parentheses stands for itself and blames the format. */
static const char *expected_text(struct parser *p, const char *expected, PyObject *arg)
{
    if (expected[0] == '(') {
        PyOS_snprintf(p->text, sizeof p->text, "%.100s", expected);
    } else {
        PyOS_snprintf(p->text, sizeof p->text, "must be %.50s, not %.50s", expected,
                      arg == Py_None ? "None" : Py_TYPE(arg)->tp_name);
    }
    return p->text;
}

/* ---- numbers --------------------------------------------------------------------------------- */

/* A number of a C type narrower than long. */
static const char *small_int(PyObject *arg, long low, long high, const char *type, long *value)
{
    *value = PyLong_AsLong(arg);
    if (*value == -1 && PyErr_Occurred()) {
        return raised;
    }
    if (*value < low || *value > high) {
        PyErr_Format(PyExc_OverflowError, "%s is %s", type,
                     *value < low ? "less than minimum" : "greater than maximum");
        return raised;
    }
    return NULL;
}

static const char *convert_int(struct parser *p, PyObject *arg, char unit)
{
    void *out = va_arg(p->va, void *);
    long value = 0;
    const char *error = NULL;
    switch (unit) {
    case 'b':
        error = small_int(arg, 0, UCHAR_MAX, "unsigned byte integer", &value);
        if (!error) {
            *(unsigned char *)out = (unsigned char)value;
        }
        break;
    case 'h':
        error = small_int(arg, SHRT_MIN, SHRT_MAX, "signed short integer", &value);
        if (!error) {
            *(short *)out = (short)value;
        }
        break;
    case 'i':
        error = small_int(arg, INT_MIN, INT_MAX, "signed integer", &value);
        if (!error) {
            *(int *)out = (int)value;
        }
        break;
    case 'l':
        error = small_int(arg, LONG_MIN, LONG_MAX, "", &value);
        if (!error) {
            *(long *)out = value;
        }
        break;
    case 'B':
    case 'H':
    case 'I': {
        /* The low bits, whatever the rest. */
        unsigned long bits = PyLong_AsUnsignedLongMask(arg);
        if (bits == (unsigned long)-1 && PyErr_Occurred()) {
            return raised;
        }
        if (unit == 'B') {
            *(unsigned char *)out = (unsigned char)bits;
        } else if (unit == 'H') {
            *(unsigned short *)out = (unsigned short)bits;
        } else {
            *(unsigned int *)out = (unsigned int)bits;
        }
        break;
    }
    case 'k':
    case 'K':
        if (!PyLong_Check(arg)) {
            return expected_text(p, "int", arg);
        }
        if (unit == 'k') {
            *(unsigned long *)out = PyLong_AsUnsignedLongMask(arg);
        } else {
            *(unsigned long long *)out = PyLong_AsUnsignedLongLongMask(arg);
        }
        break;
    case 'L': {
        long long big = PyLong_AsLongLong(arg);
        if (big == -1 && PyErr_Occurred()) {
            return raised;
        }
        *(long long *)out = big;
        break;
    }
    case 'n': {
        PyObject *index = PyNumber_Index(arg);
        Py_ssize_t size = index ? PyLong_AsSsize_t(index) : -1;
        Py_XDECREF(index);
        if (size == -1 && PyErr_Occurred()) {
            return raised;
        }
        *(Py_ssize_t *)out = size;
        break;
    }
    case 'p': {
        int truth = PyObject_IsTrue(arg);
        if (truth < 0) {
            return raised;
        }
        *(int *)out = truth;
        break;
    }
    }
    return error;
}

static const char *convert_real(struct parser *p, PyObject *arg, char unit)
{
    void *out = va_arg(p->va, void *);
    if (unit == 'D') {
        Py_complex value = PyComplex_AsCComplex(arg);
        if (PyErr_Occurred()) {
            return raised;
        }
        *(Py_complex *)out = value;
        return NULL;
    }
    double value = PyFloat_AsDouble(arg);
    if (value == -1.0 && PyErr_Occurred()) {
        return raised;
    }
    if (unit == 'f') {
        *(float *)out = (float)value;
    } else {
        *(double *)out = value;
    }
    return NULL;
}

static const char *convert_char(struct parser *p, PyObject *arg, char unit)
{
    if (unit == 'c') {
        char *out = va_arg(p->va, char *);
        if (PyBytes_Check(arg) && PyBytes_GET_SIZE(arg) == 1) {
            *out = PyBytes_AS_STRING(arg)[0];
        } else if (PyByteArray_Check(arg) && PyByteArray_GET_SIZE(arg) == 1) {
            *out = PyByteArray_AS_STRING(arg)[0];
        } else {
            return expected_text(p, "a byte string of length 1", arg);
        }
        return NULL;
    }
    int *out = va_arg(p->va, int *);
    if (!PyUnicode_Check(arg) || PyUnicode_GET_LENGTH(arg) != 1) {
        return expected_text(p, "a unicode character", arg);
    }
    *out = (int)PyUnicode_READ_CHAR(arg, 0);
    return NULL;
}

/* ---- text and bytes -------------------------------------------------------------------------- */

/* A contiguous view. NULL, or what the argument should have been. */
static const char *view_of(PyObject *arg, Py_buffer *view)
{
    if (PyObject_GetBuffer(arg, view, PyBUF_SIMPLE) < 0) {
        return "bytes-like object";
    }
    if (!PyBuffer_IsContiguous(view, 'C')) {
        PyBuffer_Release(view);
        return "contiguous buffer";
    }
    return NULL;
}

/* The bytes of an object whose memory stays while it lives, so that no view must be held. */
static const char *bytes_of(PyObject *arg, const void **data, Py_ssize_t *size)
{
    PyBufferProcs *procs = Py_TYPE(arg)->tp_as_buffer;
    *data = NULL;
    if (procs && procs->bf_releasebuffer) {
        return "read-only bytes-like object";
    }
    Py_buffer view;
    const char *error = view_of(arg, &view);
    if (!error) {
        *data = view.buf;
        *size = view.len;
        PyBuffer_Release(&view);
    }
    return error;
}

/* s* z* y*: a view that the caller releases. */
static const char *convert_view(struct parser *p, PyObject *arg, char unit)
{
    Py_buffer *view = va_arg(p->va, Py_buffer *);
    if (unit == 'z' && arg == Py_None) {
        PyBuffer_FillInfo(view, NULL, NULL, 0, 1, 0);
    } else if (unit != 'y' && PyUnicode_Check(arg)) {
        Py_ssize_t size;
        const char *text = PyUnicode_AsUTF8AndSize(arg, &size);
        if (!text) {
            return expected_text(p, "(unicode conversion error)", arg);
        }
        PyBuffer_FillInfo(view, arg, (void *)text, size, 1, 0);
    } else {
        const char *error = view_of(arg, view);
        if (error) {
            return expected_text(p, error, arg);
        }
    }
    return cleanup_add(p, CLEANUP_BUFFER, view, NULL) < 0 ? raised : NULL;
}

/* s# z# y#: a pointer and a length. */
static const char *convert_sized(struct parser *p, PyObject *arg, char unit)
{
    const void **data = va_arg(p->va, const void **);
    Py_ssize_t *size = va_arg(p->va, Py_ssize_t *);
    if (unit == 'z' && arg == Py_None) {
        *data = NULL;
        *size = 0;
        return NULL;
    }
    if (unit != 'y' && PyUnicode_Check(arg)) {
        *data = PyUnicode_AsUTF8AndSize(arg, size);
        return *data ? NULL : expected_text(p, "(unicode conversion error)", arg);
    }
    const char *error = bytes_of(arg, data, size);
    return error ? expected_text(p, error, arg) : NULL;
}

/* s z y: a zero-terminated string. */
static const char *convert_string(struct parser *p, PyObject *arg, char unit)
{
    const char **out = va_arg(p->va, const char **);
    Py_ssize_t size;
    if (unit == 'y') {
        const char *error = bytes_of(arg, (const void **)out, &size);
        if (error) {
            return expected_text(p, error, arg);
        }
        if (strlen(*out) != (size_t)size) {
            PyErr_SetString(PyExc_ValueError, "embedded null byte");
            return raised;
        }
        return NULL;
    }
    if (unit == 'z' && arg == Py_None) {
        *out = NULL;
        return NULL;
    }
    if (!PyUnicode_Check(arg)) {
        return expected_text(p, unit == 'z' ? "str or None" : "str", arg);
    }
    const char *text = PyUnicode_AsUTF8AndSize(arg, &size);
    if (!text) {
        return expected_text(p, "(unicode conversion error)", arg);
    }
    if (strlen(text) != (size_t)size) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return raised;
    }
    *out = text;
    return NULL;
}

/* w*: memory to write to. */
static const char *convert_writable(struct parser *p, PyObject *arg)
{
    Py_buffer *view = va_arg(p->va, Py_buffer *);
    if (*p->format != '*') {
        return "(invalid use of 'w' format character)";
    }
    p->format++;
    if (PyObject_GetBuffer(arg, view, PyBUF_WRITABLE) < 0) {
        PyErr_Clear();
        return expected_text(p, "read-write bytes-like object", arg);
    }
    if (!PyBuffer_IsContiguous(view, 'C')) {
        PyBuffer_Release(view);
        return expected_text(p, "contiguous buffer", arg);
    }
    return cleanup_add(p, CLEANUP_BUFFER, view, NULL) < 0 ? raised : NULL;
}

/* ---- es et es# et#: text in an encoding, copied ---------------------------------------------- */

/* The encoded bytes as a new reference to a bytes or bytearray object. */
static const char *encode(struct parser *p, PyObject *arg, const char *encoding, bool recode,
                          PyObject **bytes)
{
    *bytes = NULL;
    if (!recode && (PyBytes_Check(arg) || PyByteArray_Check(arg))) {
        *bytes = Py_NewRef(arg);
        return NULL;
    }
    if (!PyUnicode_Check(arg)) {
        return expected_text(p, recode ? "str" : "str, bytes or bytearray", arg);
    }
    *bytes = PyUnicode_AsEncodedString(arg, encoding ? encoding : "utf-8", NULL);
    if (!*bytes) {
        return expected_text(p, "(encoding failed)", arg);
    }
    return NULL;
}

/* Copies into memory of the caller or, where *buffer is NULL, into new memory. */
static const char *copy_sized(struct parser *p, PyObject *arg, const char *data, Py_ssize_t size,
                              char **buffer, Py_ssize_t *length)
{
    if (!length) {
        return expected_text(p, "(buffer_len is NULL)", arg);
    }
    if (!*buffer) {
        *buffer = PyMem_Malloc((size_t)size + 1);
        if (!*buffer) {
            PyErr_NoMemory();
            return raised;
        }
        if (cleanup_add(p, CLEANUP_MEMORY, buffer, NULL) < 0) {
            return raised;
        }
    } else if (size + 1 > *length) {
        PyErr_Format(PyExc_ValueError, "encoded string too long (%zd, maximum length %zd)", size,
                     *length - 1);
        return raised;
    }
    memcpy(*buffer, data, (size_t)size);
    (*buffer)[size] = '\0';
    *length = size;
    return NULL;
}

static const char *copy_string(struct parser *p, PyObject *arg, const char *data, Py_ssize_t size,
                               char **buffer)
{
    if (strlen(data) != (size_t)size) {
        return expected_text(p, "encoded string without null bytes", arg);
    }
    *buffer = PyMem_Malloc((size_t)size + 1);
    if (!*buffer) {
        PyErr_NoMemory();
        return raised;
    }
    if (cleanup_add(p, CLEANUP_MEMORY, buffer, NULL) < 0) {
        return raised;
    }
    memcpy(*buffer, data, (size_t)size + 1);
    return NULL;
}

static const char *convert_encoded(struct parser *p, PyObject *arg)
{
    const char *encoding = va_arg(p->va, const char *);
    char kind = *p->format;
    if (kind != 's' && kind != 't') {
        return expected_text(p, "(unknown parser marker combination)", arg);
    }
    p->format++;
    char **buffer = va_arg(p->va, char **);
    bool sized = *p->format == '#';
    Py_ssize_t *length = NULL;
    if (sized) {
        p->format++;
        length = va_arg(p->va, Py_ssize_t *);
    }
    if (!buffer) {
        return expected_text(p, "(buffer is NULL)", arg);
    }
    PyObject *bytes;
    const char *error = encode(p, arg, encoding, kind == 's', &bytes);
    if (error) {
        return error;
    }
    bool plain = PyBytes_Check(bytes);
    const char *data = plain ? PyBytes_AS_STRING(bytes) : PyByteArray_AS_STRING(bytes);
    Py_ssize_t size = plain ? PyBytes_GET_SIZE(bytes) : PyByteArray_GET_SIZE(bytes);
    error = sized ? copy_sized(p, arg, data, size, buffer, length)
                  : copy_string(p, arg, data, size, buffer);
    Py_DECREF(bytes);
    return error;
}

/* ---- objects --------------------------------------------------------------------------------- */

/* O, O!, O&: the object itself (borrowed), perhaps of a type, or what a function makes of it. */
static const char *convert_object(struct parser *p, PyObject *arg)
{
    if (*p->format == '!') {
        p->format++;
        PyTypeObject *type = va_arg(p->va, PyTypeObject *);
        PyObject **out = va_arg(p->va, PyObject **);
        if (!PyType_IsSubtype(Py_TYPE(arg), type)) {
            return expected_text(p, type->tp_name, arg);
        }
        *out = arg;
    } else if (*p->format == '&') {
        typedef int (*converter)(PyObject *, void *);
        p->format++;
        converter convert = va_arg(p->va, converter);
        void *out = va_arg(p->va, void *);
        int status = convert(arg, out);
        if (status == 0) {
            return expected_text(p, "(unspecified)", arg);
        }
        if (status == Py_CLEANUP_SUPPORTED && cleanup_add(p, CLEANUP_CONVERTER, out, convert) < 0) {
            return raised;
        }
    } else {
        *va_arg(p->va, PyObject **) = arg;
    }
    return NULL;
}

static const char *convert_checked(struct parser *p, PyObject *arg, int is_right,
                                   const char *expected)
{
    PyObject **out = va_arg(p->va, PyObject **);
    if (!is_right) {
        return expected_text(p, expected, arg);
    }
    *out = arg;
    return NULL;
}

static const char *convert_simple(struct parser *p, PyObject *arg)
{
    char unit = *p->format++;
    switch (unit) {
    case 'b':
    case 'B':
    case 'h':
    case 'H':
    case 'i':
    case 'I':
    case 'n':
    case 'l':
    case 'k':
    case 'L':
    case 'K':
    case 'p':
        return convert_int(p, arg, unit);
    case 'f':
    case 'd':
    case 'D':
        return convert_real(p, arg, unit);
    case 'c':
    case 'C':
        return convert_char(p, arg, unit);
    case 's':
    case 'z':
    case 'y':
        if (*p->format == '*') {
            p->format++;
            return convert_view(p, arg, unit);
        }
        if (*p->format == '#') {
            p->format++;
            return convert_sized(p, arg, unit);
        }
        return convert_string(p, arg, unit);
    case 'e':
        return convert_encoded(p, arg);
    case 'w':
        return convert_writable(p, arg);
    case 'O':
        return convert_object(p, arg);
    case 'S':
        return convert_checked(p, arg, PyBytes_Check(arg), "bytes");
    case 'Y':
        return convert_checked(p, arg, PyByteArray_Check(arg), "bytearray");
    case 'U':
        return convert_checked(p, arg, PyUnicode_Check(arg), "str");
    default:
        p->format--;
        return expected_text(p, "(impossible<bad format char>)", arg);
    }
}

/* ---- tuples ---------------------------------------------------------------------------------- */

static int count_units(const char *format)
{
    int count = 0, level = 0;
    for (;; format++) {
        char c = *format;
        if (c == '(') {
            count += level++ == 0;
        } else if (c == ')') {
            if (level-- == 0) {
                return count;
            }
        } else if (c == ':' || c == ';' || c == '\0') {
            return count;
        } else if (level == 0 && Py_ISALPHA(c) && c != 'e') {
            count++;
        }
    }
}

static const char *convert_tuple(struct parser *p, PyObject *arg, int *levels)
{
    int count = count_units(p->format);
    levels[0] = 0;
    if (!PySequence_Check(arg) || PyBytes_Check(arg)) {
        PyOS_snprintf(p->text, sizeof p->text, "must be %d-item sequence, not %.50s", count,
                      arg == Py_None ? "None" : Py_TYPE(arg)->tp_name);
        return p->text;
    }
    Py_ssize_t size = PySequence_Size(arg);
    if (size != count) {
        if (size < 0) {
            return raised;
        }
        PyOS_snprintf(p->text, sizeof p->text, "must be sequence of length %d, not %zd", count,
                      size);
        return p->text;
    }
    for (int i = 0; i < count; i++) {
        PyObject *item = PySequence_GetItem(arg, i);
        if (!item) {
            PyErr_Clear();
            levels[0] = i + 1;
            levels[1] = 0;
            return "is not retrievable";
        }
        const char *error = convert_item(p, item, levels + 1);
        /* The sequence keeps the item, as far as the caller may rely on it. */
        Py_DECREF(item);
        if (error) {
            levels[0] = i + 1;
            return error;
        }
    }
    return NULL;
}

const char *convert_item(struct parser *p, PyObject *arg, int *levels)
{
    if (*p->format != '(') {
        const char *error = convert_simple(p, arg);
        if (error) {
            levels[0] = 0;
        }
        return error;
    }
    if (levels - p->levels >= ARGS_DEPTH - 2) {
        levels[0] = 0;
        return "(too many tuple nesting levels in argument format string)";
    }
    p->format++;
    const char *error = convert_tuple(p, arg, levels);
    if (!error) {
        p->format++;
    }
    return error;
}

/* ---- skipping -------------------------------------------------------------------------------- */

const char *skip_item(struct parser *p)
{
    char unit = *p->format++;
    switch (unit) {
    case 'b':
    case 'B':
    case 'h':
    case 'H':
    case 'i':
    case 'I':
    case 'l':
    case 'k':
    case 'L':
    case 'K':
    case 'n':
    case 'f':
    case 'd':
    case 'D':
    case 'c':
    case 'C':
    case 'p':
    case 'S':
    case 'Y':
    case 'U':
        (void)va_arg(p->va, void *);
        return NULL;
    case 'e':
        (void)va_arg(p->va, void *);
        if (*p->format != 's' && *p->format != 't') {
            p->format--;
            return "impossible<bad format char>";
        }
        p->format++;
        (void)va_arg(p->va, void *);
        if (*p->format == '#') {
            p->format++;
            (void)va_arg(p->va, void *);
        }
        return NULL;
    case 's':
    case 'z':
    case 'y':
        (void)va_arg(p->va, void *);
        if (*p->format == '#') {
            p->format++;
            (void)va_arg(p->va, void *);
        } else if (*p->format == '*') {
            p->format++;
        }
        return NULL;
    case 'w':
        if (*p->format != '*') {
            p->format--;
            return "impossible<bad format char>";
        }
        p->format++;
        (void)va_arg(p->va, void *);
        return NULL;
    case 'O':
        (void)va_arg(p->va, void *);
        if (*p->format == '!' || *p->format == '&') {
            p->format++;
            (void)va_arg(p->va, void *);
        }
        return NULL;
    case '(':
        while (*p->format != ')') {
            if (*p->format == '\0' || *p->format == ':' || *p->format == ';') {
                return "Unmatched left paren in format string";
            }
            const char *error = skip_item(p);
            if (error) {
                return error;
            }
        }
        p->format++;
        return NULL;
    case ')':
        return "Unmatched right paren in format string";
    default:
        p->format--;
        return "impossible<bad format char>";
    }
}
