/* UnicodeEncodeError, UnicodeDecodeError and UnicodeTranslateError. */

#include "objects/exceptions/exceptions.h"

/* ---- the three types -------------------------------------------------------------------------- */

static int unicode_error_clear(PyObject *op)
{
    PyUnicodeErrorObject *self = (PyUnicodeErrorObject *)op;
    Py_CLEAR(self->encoding);
    Py_CLEAR(self->object);
    Py_CLEAR(self->reason);
    return exception_clear(op);
}

static int unicode_error_traverse(PyObject *op, visitproc visit, void *arg)
{
    PyUnicodeErrorObject *self = (PyUnicodeErrorObject *)op;
    Py_VISIT(self->encoding);
    Py_VISIT(self->object);
    Py_VISIT(self->reason);
    return exception_traverse(op, visit, arg);
}

static void set_fields(PyUnicodeErrorObject *self, PyObject *encoding, PyObject *object,
                       Py_ssize_t start, Py_ssize_t end, PyObject *reason)
{
    Py_XSETREF(self->encoding, Py_XNewRef(encoding));
    Py_XSETREF(self->object, Py_NewRef(object));
    Py_XSETREF(self->reason, Py_NewRef(reason));
    self->start = start;
    self->end = end;
}

static int encode_error_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    PyObject *encoding, *object, *reason;
    Py_ssize_t start, end;
    if (exception_init(op, args, kwargs) < 0
        || !PyArg_ParseTuple(args, "UUnnU", &encoding, &object, &start, &end, &reason)) {
        return -1;
    }
    set_fields((PyUnicodeErrorObject *)op, encoding, object, start, end, reason);
    return 0;
}

static int decode_error_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    PyObject *encoding, *object, *reason;
    Py_ssize_t start, end;
    if (exception_init(op, args, kwargs) < 0
        || !PyArg_ParseTuple(args, "UOnnU", &encoding, &object, &start, &end, &reason)) {
        return -1;
    }
    if (PyBytes_Check(object)) {
        Py_INCREF(object);
    } else {
        Py_buffer view;
        if (PyObject_GetBuffer(object, &view, PyBUF_SIMPLE) < 0) {
            return -1;
        }
        object = PyBytes_FromStringAndSize(view.buf, view.len);
        PyBuffer_Release(&view);
        if (object == NULL) {
            return -1;
        }
    }
    set_fields((PyUnicodeErrorObject *)op, encoding, object, start, end, reason);
    Py_DECREF(object);
    return 0;
}

static int translate_error_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    PyObject *object, *reason;
    Py_ssize_t start, end;
    if (exception_init(op, args, kwargs) < 0
        || !PyArg_ParseTuple(args, "UnnU", &object, &start, &end, &reason)) {
        return -1;
    }
    set_fields((PyUnicodeErrorObject *)op, NULL, object, start, end, reason);
    return 0;
}

/* ---- text -------------------------------------------------------------------------------------- */

/* The one character at fault, written out, or NULL if it is not one. */
static PyObject *character_text(PyUnicodeErrorObject *self)
{
    Py_UCS4 c = PyUnicode_READ_CHAR(self->object, self->start);
    const char *format = c <= 0xff ? "'\\x%02x'" : c <= 0xffff ? "'\\u%04x'" : "'\\U%08x'";
    return PyUnicode_FromFormat(format, (unsigned)c);
}

static bool one_item(const PyUnicodeErrorObject *self, Py_ssize_t length)
{
    return self->start >= 0 && self->start < length && self->end == self->start + 1;
}

/* "'ascii' codec can't encode" and the like, then what is at fault and where. */
static PyObject *str_error_text(PyUnicodeErrorObject *self, PyObject *prefix)
{
    if (!one_item(self, PyUnicode_GET_LENGTH(self->object))) {
        return PyUnicode_FromFormat("%U characters in position %zd-%zd: %S", prefix, self->start,
                                    self->end - 1, self->reason);
    }
    PyObject *character = character_text(self);
    PyObject *text = character == NULL
                         ? NULL
                         : PyUnicode_FromFormat("%U character %U in position %zd: %S", prefix,
                                                character, self->start, self->reason);
    Py_XDECREF(character);
    return text;
}

static PyObject *encode_error_str(PyObject *op)
{
    PyUnicodeErrorObject *self = (PyUnicodeErrorObject *)op;
    if (self->object == NULL) {
        return PyUnicode_FromStringAndSize(NULL, 0); /* __init__ has not run */
    }
    PyObject *prefix = PyUnicode_FromFormat("'%S' codec can't encode", self->encoding);
    PyObject *text = prefix == NULL ? NULL : str_error_text(self, prefix);
    Py_XDECREF(prefix);
    return text;
}

static PyObject *decode_error_str(PyObject *op)
{
    PyUnicodeErrorObject *self = (PyUnicodeErrorObject *)op;
    if (self->object == NULL) {
        return PyUnicode_FromStringAndSize(NULL, 0);
    }
    if (one_item(self, PyBytes_GET_SIZE(self->object))) {
        unsigned byte = (unsigned char)PyBytes_AS_STRING(self->object)[self->start];
        return PyUnicode_FromFormat("'%S' codec can't decode byte 0x%02x in position %zd: %S",
                                    self->encoding, byte, self->start, self->reason);
    }
    return PyUnicode_FromFormat("'%S' codec can't decode bytes in position %zd-%zd: %S",
                                self->encoding, self->start, self->end - 1, self->reason);
}

static PyObject *translate_error_str(PyObject *op)
{
    PyUnicodeErrorObject *self = (PyUnicodeErrorObject *)op;
    if (self->object == NULL) {
        return PyUnicode_FromStringAndSize(NULL, 0);
    }
    PyObject *prefix = PyUnicode_FromString("can't translate");
    PyObject *text = prefix == NULL ? NULL : str_error_text(self, prefix);
    Py_XDECREF(prefix);
    return text;
}

static PyMemberDef unicode_error_members[] = {
    EXCEPTION_MEMBER(PyUnicodeErrorObject, encoding, "the name of the codec"),
    EXCEPTION_MEMBER(PyUnicodeErrorObject, object, "what was being converted"),
    {"start", Py_T_PYSSIZET, offsetof(PyUnicodeErrorObject, start), 0,
     PyDoc_STR("where the trouble starts in it")},
    {"end", Py_T_PYSSIZET, offsetof(PyUnicodeErrorObject, end), 0,
     PyDoc_STR("where the trouble ends in it")},
    EXCEPTION_MEMBER(PyUnicodeErrorObject, reason, "what is wrong there"),
    {NULL},
};

#define UNICODE_SLOTS(prefix)                                                                      \
    .tp_init = prefix##_error_init, .tp_str = prefix##_error_str, .tp_clear = unicode_error_clear, \
    .tp_traverse = unicode_error_traverse, .tp_members = unicode_error_members

EXCEPTION_TYPE(UnicodeEncodeError, UnicodeError, PyUnicodeErrorObject,
               "Text has no form in an encoding.", UNICODE_SLOTS(encode));
EXCEPTION_TYPE(UnicodeDecodeError, UnicodeError, PyUnicodeErrorObject,
               "Bytes are not valid in an encoding.", UNICODE_SLOTS(decode));
EXCEPTION_TYPE(UnicodeTranslateError, UnicodeError, PyUnicodeErrorObject,
               "Characters could not be translated.", UNICODE_SLOTS(translate));

/* ---- C API --------------------------------------------------------------------------------------- */

PyObject *PyUnicodeDecodeError_Create(const char *encoding, const char *object, Py_ssize_t length,
                                      Py_ssize_t start, Py_ssize_t end, const char *reason)
{
    return PyObject_CallFunction(PyExc_UnicodeDecodeError, "sy#nns", encoding, object, length,
                                 start, end, reason);
}

/* A field of the right type (new reference), or NULL with TypeError. */
static PyObject *get_object(PyObject *field, bool bytes, const char *name)
{
    if (field == NULL) {
        PyErr_Format(PyExc_TypeError, "%.200s attribute not set", name);
        return NULL;
    }
    if (bytes ? !PyBytes_Check(field) : !PyUnicode_Check(field)) {
        PyErr_Format(PyExc_TypeError, "%.200s attribute must be %s", name,
                     bytes ? "bytes" : "unicode");
        return NULL;
    }
    return Py_NewRef(field);
}

/* Length of the object at fault, or -1 with TypeError. */
static Py_ssize_t object_length(PyObject *op, bool bytes)
{
    PyObject *object = get_object(((PyUnicodeErrorObject *)op)->object, bytes, "object");
    if (object == NULL) {
        return -1;
    }
    Py_ssize_t length = bytes ? PyBytes_GET_SIZE(object) : PyUnicode_GET_LENGTH(object);
    Py_DECREF(object);
    return length;
}

static int get_start(PyObject *op, Py_ssize_t *start, bool bytes)
{
    Py_ssize_t length = object_length(op, bytes);
    if (length < 0) {
        return -1;
    }
    Py_ssize_t value = ((PyUnicodeErrorObject *)op)->start;
    value = value < 0 ? 0 : value;
    *start = value >= length && length > 0 ? length - 1 : length == 0 ? 0 : value;
    return 0;
}

static int get_end(PyObject *op, Py_ssize_t *end, bool bytes)
{
    Py_ssize_t length = object_length(op, bytes);
    if (length < 0) {
        return -1;
    }
    Py_ssize_t value = ((PyUnicodeErrorObject *)op)->end;
    value = value < 1 ? 1 : value;
    *end = value > length ? length : value;
    return 0;
}

static int set_reason(PyObject *op, const char *reason)
{
    PyObject *text = PyUnicode_FromString(reason);
    if (text == NULL) {
        return -1;
    }
    Py_XSETREF(((PyUnicodeErrorObject *)op)->reason, text);
    return 0;
}

#define UNICODE_ERROR_API(kind, bytes)                                                             \
    PyObject *PyUnicode##kind##Error_GetObject(PyObject *op)                                       \
    {                                                                                              \
        return get_object(((PyUnicodeErrorObject *)op)->object, bytes, "object");                  \
    }                                                                                              \
    PyObject *PyUnicode##kind##Error_GetReason(PyObject *op)                                       \
    {                                                                                              \
        return get_object(((PyUnicodeErrorObject *)op)->reason, false, "reason");                  \
    }                                                                                              \
    int PyUnicode##kind##Error_SetReason(PyObject *op, const char *reason)                         \
    {                                                                                              \
        return set_reason(op, reason);                                                             \
    }                                                                                              \
    int PyUnicode##kind##Error_GetStart(PyObject *op, Py_ssize_t *start)                           \
    {                                                                                              \
        return get_start(op, start, bytes);                                                        \
    }                                                                                              \
    int PyUnicode##kind##Error_SetStart(PyObject *op, Py_ssize_t start)                            \
    {                                                                                              \
        ((PyUnicodeErrorObject *)op)->start = start;                                               \
        return 0;                                                                                  \
    }                                                                                              \
    int PyUnicode##kind##Error_GetEnd(PyObject *op, Py_ssize_t *end)                               \
    {                                                                                              \
        return get_end(op, end, bytes);                                                            \
    }                                                                                              \
    int PyUnicode##kind##Error_SetEnd(PyObject *op, Py_ssize_t end)                                \
    {                                                                                              \
        ((PyUnicodeErrorObject *)op)->end = end;                                                   \
        return 0;                                                                                  \
    }
UNICODE_ERROR_API(Encode, false)
UNICODE_ERROR_API(Decode, true)
UNICODE_ERROR_API(Translate, false)

PyObject *PyUnicodeEncodeError_GetEncoding(PyObject *op)
{
    return get_object(((PyUnicodeErrorObject *)op)->encoding, false, "encoding");
}

PyObject *PyUnicodeDecodeError_GetEncoding(PyObject *op)
{
    return get_object(((PyUnicodeErrorObject *)op)->encoding, false, "encoding");
}
