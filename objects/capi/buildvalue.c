/* Py_BuildValue: objects from C values, described by a format. */
#include "objects/capi/call.h"
#include "objects/capi/capi.h"

#include <string.h>

/* The position in the format and in the arguments. A failure is noted and building goes on: the
 * references that 'N' hands over and that nobody has seen yet must still be taken. */
struct builder {
    const char *format;
    va_list va;
};

static PyObject *build_one(struct builder *b);

/* Number of values up to `end` at this level; -1 with SystemError. */
static Py_ssize_t count_values(const char *format, char end)
{
    Py_ssize_t count = 0;
    for (int level = 0; level > 0 || *format != end; format++) {
        switch (*format) {
        case '\0':
            PyErr_SetString(PyExc_SystemError, "unmatched paren in format");
            return -1;
        case '(':
        case '[':
        case '{':
            count += level == 0;
            level++;
            break;
        case ')':
        case ']':
        case '}':
            level--;
            break;
        case '#':
        case '&':
        case ',':
        case ':':
        case ' ':
        case '\t':
            break;
        default:
            count += level == 0;
        }
    }
    return count;
}

/* Reads values whose fate is sealed, for the references among them. */
static void discard_values(struct builder *b, Py_ssize_t count, char end)
{
    PyObject *exception = PyErr_GetRaisedException();
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *value = build_one(b);
        PyErr_Clear();
        Py_XDECREF(value);
    }
    PyErr_SetRaisedException(exception);
    if (*b->format == end && end) {
        b->format++;
    }
}

/* Fills an array with `count` values up to `end`. 0, or -1 with an exception and nothing to
 * release; everything has been read then. */
static int build_array(struct builder *b, PyObject **values, Py_ssize_t count, char end)
{
    for (Py_ssize_t i = 0; i < count; i++) {
        values[i] = build_one(b);
        if (!values[i]) {
            discard_values(b, count - i - 1, end);
            while (i > 0) {
                Py_DECREF(values[--i]);
            }
            return -1;
        }
    }
    while (*b->format != end) {
        if (!strchr(",: \t", *b->format) || !*b->format) {
            PyErr_SetString(PyExc_SystemError, "Unmatched paren in format");
            while (count > 0) {
                Py_DECREF(values[--count]);
            }
            return -1;
        }
        b->format++;
    }
    if (end) {
        b->format++;
    }
    return 0;
}

static PyObject *build_sequence(struct builder *b, char end, bool list)
{
    Py_ssize_t count = count_values(b->format, end);
    if (count < 0) {
        return NULL;
    }
    PyObject *sequence = list ? PyList_New(count) : PyTuple_New(count);
    if (!sequence) {
        discard_values(b, count, end);
        return NULL;
    }
    PyObject **items =
        list ? ((PyListObject *)sequence)->ob_item : ((PyTupleObject *)sequence)->ob_item;
    if (count == 0) {
        return build_array(b, NULL, 0, end) < 0 ? (Py_DECREF(sequence), NULL) : sequence;
    }
    PyObject *small[8], **values = small;
    if (count > (Py_ssize_t)Py_ARRAY_LENGTH(small)) {
        values = PyMem_New(PyObject *, count);
        if (!values) {
            PyErr_NoMemory();
            discard_values(b, count, end);
            Py_DECREF(sequence);
            return NULL;
        }
    }
    if (build_array(b, values, count, end) < 0) {
        Py_CLEAR(sequence);
    } else {
        memcpy(items, values, (size_t)count * sizeof *values);
    }
    if (values != small) {
        PyMem_Free(values);
    }
    return sequence;
}

static PyObject *build_dict(struct builder *b)
{
    Py_ssize_t count = count_values(b->format, '}');
    if (count < 0) {
        return NULL;
    }
    if (count % 2) {
        PyErr_SetString(PyExc_SystemError, "Bad dict format");
        discard_values(b, count, '}');
        return NULL;
    }
    PyObject *dict = PyDict_New();
    for (Py_ssize_t i = 0; i < count; i += 2) {
        PyObject *key = dict ? build_one(b) : NULL;
        PyObject *value = key ? build_one(b) : NULL;
        int status = value ? PyDict_SetItem(dict, key, value) : -1;
        Py_XDECREF(key);
        Py_XDECREF(value);
        if (status < 0) {
            Py_XDECREF(dict);
            discard_values(b, count - i - (value ? 2 : key ? 2 : dict ? 1 : 0), '}');
            return NULL;
        }
    }
    return dict && build_array(b, NULL, 0, '}') == 0 ? dict : (Py_XDECREF(dict), NULL);
}

/* A length given by '#', or -1. */
static Py_ssize_t build_length(struct builder *b)
{
    if (*b->format != '#') {
        return -1;
    }
    b->format++;
    return va_arg(b->va, Py_ssize_t);
}

static PyObject *build_text(struct builder *b, bool bytes)
{
    const char *text = va_arg(b->va, const char *);
    Py_ssize_t length = build_length(b);
    if (!text) {
        return Py_NewRef(Py_None);
    }
    if (length < 0) {
        size_t found = strlen(text);
        if (found > PY_SSIZE_T_MAX) {
            PyErr_SetString(PyExc_OverflowError, bytes ? "string too long for Python bytes"
                                                       : "string too long for Python string");
            return NULL;
        }
        length = (Py_ssize_t)found;
    }
    return bytes ? PyBytes_FromStringAndSize(text, length)
                 : PyUnicode_FromStringAndSize(text, length);
}

static PyObject *build_wide(struct builder *b)
{
    const wchar_t *text = va_arg(b->va, const wchar_t *);
    Py_ssize_t length = build_length(b);
    return text ? PyUnicode_FromWideChar(text, length) : Py_NewRef(Py_None);
}

/* O, S, N and O&: an object that exists, or that a function makes of a pointer. */
static PyObject *build_object(struct builder *b, char code)
{
    if (*b->format == '&') {
        typedef PyObject *(*converter)(void *);
        b->format++;
        converter convert = va_arg(b->va, converter);
        return convert(va_arg(b->va, void *));
    }
    PyObject *op = va_arg(b->va, PyObject *);
    if (op) {
        return code == 'N' ? op : Py_NewRef(op);
    }
    if (!PyErr_Occurred()) {
        PyErr_SetString(PyExc_SystemError, "NULL object passed to Py_BuildValue");
    }
    return NULL;
}

static PyObject *build_one(struct builder *b)
{
    for (;;) {
        char code = *b->format++;
        switch (code) {
        case '(':
            return build_sequence(b, ')', false);
        case '[':
            return build_sequence(b, ']', true);
        case '{':
            return build_dict(b);
        case 'b':
        case 'B':
        case 'h':
        case 'i':
            return PyLong_FromLong(va_arg(b->va, int));
        case 'H':
            return PyLong_FromLong((long)va_arg(b->va, unsigned int));
        case 'I':
            return PyLong_FromUnsignedLong(va_arg(b->va, unsigned int));
        case 'n':
            return PyLong_FromSsize_t(va_arg(b->va, Py_ssize_t));
        case 'l':
            return PyLong_FromLong(va_arg(b->va, long));
        case 'k':
            return PyLong_FromUnsignedLong(va_arg(b->va, unsigned long));
        case 'L':
            return PyLong_FromLongLong(va_arg(b->va, long long));
        case 'K':
            return PyLong_FromUnsignedLongLong(va_arg(b->va, unsigned long long));
        case 'd':
        case 'f':
            return PyFloat_FromDouble(va_arg(b->va, double));
        case 'D':
            return PyComplex_FromCComplex(*va_arg(b->va, Py_complex *));
        case 'c': {
            char byte = (char)va_arg(b->va, int);
            return PyBytes_FromStringAndSize(&byte, 1);
        }
        case 'C':
            return PyUnicode_FromOrdinal(va_arg(b->va, int));
        case 's':
        case 'z':
        case 'U':
            return build_text(b, false);
        case 'y':
            return build_text(b, true);
        case 'u':
            return build_wide(b);
        case 'O':
        case 'S':
        case 'N':
            return build_object(b, code);
        case ',':
        case ':':
        case ' ':
        case '\t':
            break;
        default:
            b->format--;
            PyErr_SetString(PyExc_SystemError, "bad format char passed to Py_BuildValue");
            return NULL;
        }
    }
}

PyObject *Py_VaBuildValue(const char *format, va_list va)
{
    struct builder b = {.format = format};
    Py_ssize_t count = count_values(format, '\0');
    if (count < 0) {
        return NULL;
    }
    if (count == 0) {
        return Py_NewRef(Py_None);
    }
    va_copy(b.va, va);
    PyObject *result = count == 1 ? build_one(&b) : build_sequence(&b, '\0', false);
    va_end(b.va);
    return result;
}

PyObject **build_values(PyObject **small, Py_ssize_t room, const char *format, va_list va,
                        Py_ssize_t *count)
{
    struct builder b = {.format = format};
    *count = count_values(format, '\0');
    if (*count < 0) {
        return NULL;
    }
    PyObject **values = *count <= room ? small : PyMem_New(PyObject *, *count);
    va_copy(b.va, va);
    if (!values) {
        PyErr_NoMemory();
        discard_values(&b, *count, '\0');
    } else if (build_array(&b, values, *count, '\0') < 0) {
        if (values != small) {
            PyMem_Free(values);
        }
        values = NULL;
    }
    va_end(b.va);
    return values;
}

PyObject *Py_BuildValue(const char *format, ...)
{
    va_list va;
    va_start(va, format);
    PyObject *result = Py_VaBuildValue(format, va);
    va_end(va);
    return result;
}

/* Names from when lengths could be int. */
PyAPI_FUNC(PyObject *) _Py_BuildValue_SizeT(const char *format, ...);
PyObject *_Py_BuildValue_SizeT(const char *format, ...)
{
    va_list va;
    va_start(va, format);
    PyObject *result = Py_VaBuildValue(format, va);
    va_end(va);
    return result;
}

PyAPI_FUNC(PyObject *) _Py_VaBuildValue_SizeT(const char *format, va_list va);
PyObject *_Py_VaBuildValue_SizeT(const char *format, va_list va)
{
    return Py_VaBuildValue(format, va);
}
