/* bytes: making, comparing, indexing, and its C API. */
#include "objects/bytes/object.h"

#include "objects/atom.h"
#include "objects/bytes/internal.h"
#include "objects/hash.h"
#include "objects/str.h"
#include "objects/str/search.h"

#include <stddef.h>

/* ---- Making ----------------------------------------------------------------------------------- */

#define EMPTY_HEAD(n)                                                                              \
    .head = {.ob_base = PyObject_HEAD_INIT(&PyBytes_Type).ob_size = (n)}, .hash = -1
#define CHAR(c)                                                                                    \
    {                                                                                              \
        EMPTY_HEAD(1), .data = {(c) }                                                              \
    }
#define ROW8(b)                                                                                    \
    CHAR(b), CHAR(b + 1), CHAR(b + 2), CHAR(b + 3), CHAR(b + 4), CHAR(b + 5), CHAR(b + 6),         \
        CHAR(b + 7)
#define ROW64(b)                                                                                   \
    ROW8(b), ROW8(b + 8), ROW8(b + 16), ROW8(b + 24), ROW8(b + 32), ROW8(b + 40), ROW8(b + 48),    \
        ROW8(b + 56)

struct bytes_static bytes_static_empty = {EMPTY_HEAD(0)};
struct bytes_static bytes_static_chars[256] = {ROW64(0), ROW64(64), ROW64(128), ROW64(192)};

_Static_assert(offsetof(struct bytes_static, data) == offsetof(PyBytesObject, ob_sval),
               "static bytes lie as the others");

#define HEADER ((Py_ssize_t)offsetof(PyBytesObject, ob_sval))

/* ob_shash is deprecated for others. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static PyObject *bytes_init_object(void *memory, Py_ssize_t length)
{
    PyBytesObject *b = memory;
    PyObject_InitVar((PyVarObject *)b, &PyBytes_Type, length);
    b->ob_shash = -1;
    b->ob_sval[length] = '\0';
    return (PyObject *)b;
}

PyObject *bytes_new(Py_ssize_t length)
{
    if (length <= 0) {
        return bytes_empty();
    }
    if (length > PY_SSIZE_T_MAX - HEADER - 1) {
        PyErr_SetString(PyExc_OverflowError, "byte string is too large");
        return NULL;
    }
    void *memory = atom_alloc((size_t)(HEADER + length + 1));
    return memory == NULL ? PyErr_NoMemory() : bytes_init_object(memory, length);
}

PyObject *bytes_from(const void *data, Py_ssize_t length)
{
    if (length == 1) {
        return bytes_char(*(const uint8_t *)data);
    }
    PyObject *b = bytes_new(length);
    if (b != NULL && length > 0) {
        memcpy(bytes_data(b), data, (size_t)length);
    }
    return b;
}

PyObject *PyBytes_FromStringAndSize(const char *data, Py_ssize_t size)
{
    if (size < 0) {
        PyErr_SetString(PyExc_SystemError, "Negative size passed to PyBytes_FromStringAndSize");
        return NULL;
    }
    return data == NULL ? bytes_new(size) : bytes_from(data, size);
}

PyObject *PyBytes_FromString(const char *text)
{
    return PyBytes_FromStringAndSize(text, (Py_ssize_t)strlen(text));
}

void bytes_dealloc(PyObject *b)
{
    if (PyBytes_CheckExact(b) && _Py_IsImmortal(b)) {
        return;
    }
    Py_TYPE(b)->tp_free(b);
}

int _PyBytes_Resize(PyObject **p, Py_ssize_t length)
{
    PyObject *b = *p;
    if (!PyBytes_Check(b) || length < 0) {
        *p = NULL;
        Py_XDECREF(b);
        PyErr_BadInternalCall();
        return -1;
    }
    if (Py_SIZE(b) == length) {
        return 0;
    }
    if (length == 0) {
        Py_SETREF(*p, bytes_empty());
        return 0;
    }
    if (Py_SIZE(b) == 0) {
        *p = bytes_new(length);
        Py_DECREF(b);
        return *p == NULL ? -1 : 0;
    }
    if (Py_REFCNT(b) != 1 || !PyBytes_CheckExact(b)) {
        /* Others see it: the caller gets a copy. */
        *p = bytes_new(length);
        if (*p != NULL) {
            memcpy(bytes_data(*p), bytes_data(b), (size_t)Py_MIN(length, Py_SIZE(b)));
        }
        Py_DECREF(b);
        return *p == NULL ? -1 : 0;
    }
    PyObject *moved =
        atom_realloc(b, (size_t)(HEADER + Py_SIZE(b) + 1), (size_t)(HEADER + length + 1));
    if (moved == NULL) {
        *p = NULL;
        PyObject_Free(b);
        PyErr_NoMemory();
        return -1;
    }
    Py_SET_SIZE((PyVarObject *)moved, length);
    ((PyBytesObject *)moved)->ob_shash = -1;
    ((PyBytesObject *)moved)->ob_sval[length] = '\0';
    *p = moved;
    return 0;
}

/* ---- Reading ---------------------------------------------------------------------------------- */

static int require_bytes(PyObject *b)
{
    if (PyBytes_Check(b)) {
        return 0;
    }
    PyErr_Format(PyExc_TypeError, "expected bytes, %.200s found", Py_TYPE(b)->tp_name);
    return -1;
}

Py_ssize_t PyBytes_Size(PyObject *b)
{
    return require_bytes(b) < 0 ? -1 : Py_SIZE(b);
}

char *PyBytes_AsString(PyObject *b)
{
    return require_bytes(b) < 0 ? NULL : PyBytes_AS_STRING(b);
}

int PyBytes_AsStringAndSize(PyObject *b, char **data, Py_ssize_t *size)
{
    if (data == NULL) {
        PyErr_BadInternalCall();
        return -1;
    }
    if (require_bytes(b) < 0) {
        return -1;
    }
    *data = PyBytes_AS_STRING(b);
    if (size != NULL) {
        *size = Py_SIZE(b);
    } else if (strlen(*data) != (size_t)Py_SIZE(b)) {
        PyErr_SetString(PyExc_ValueError, "embedded null byte");
        return -1;
    }
    return 0;
}

Py_hash_t bytes_hash(PyObject *b)
{
    Py_hash_t *slot = &((PyBytesObject *)b)->ob_shash;
    Py_hash_t hash = __atomic_load_n(slot, __ATOMIC_RELAXED);
    if (hash == -1) {
        hash = hash_bytes(bytes_data(b), Py_SIZE(b));
        __atomic_store_n(slot, hash, __ATOMIC_RELAXED);
    }
    return hash;
}

bool bytes_equal(PyObject *a, PyObject *b)
{
    return a == b
           || (Py_SIZE(a) == Py_SIZE(b)
               && memcmp(bytes_data(a), bytes_data(b), (size_t)Py_SIZE(a)) == 0);
}

PyObject *bytes_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PyBytes_Check(a) || !PyBytes_Check(b)) {
        if (bytes_warning_wanted() && (op == Py_EQ || op == Py_NE)
            && (PyUnicode_Check(a) || PyUnicode_Check(b) || PyLong_Check(a) || PyLong_Check(b))) {
            const char *what = PyUnicode_Check(a) || PyUnicode_Check(b)
                                   ? "Comparison between bytes and string"
                                   : "Comparison between bytes and int";
            if (PyErr_WarnEx(PyExc_BytesWarning, what, 1) < 0) {
                return NULL;
            }
        }
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (op == Py_EQ || op == Py_NE) {
        return PyBool_FromLong(bytes_equal(a, b) == (op == Py_EQ));
    }
    Py_ssize_t n = Py_MIN(Py_SIZE(a), Py_SIZE(b));
    int order = memcmp(bytes_data(a), bytes_data(b), (size_t)n);
    if (order == 0) {
        order = Py_SIZE(a) < Py_SIZE(b) ? -1 : Py_SIZE(a) > Py_SIZE(b);
    }
    Py_RETURN_RICHCOMPARE(order, 0, op);
}

PyObject *PyBytes_Repr(PyObject *b, int smart_quotes)
{
    return bytes_to_repr(bytes_data(b), Py_SIZE(b), smart_quotes != 0, "", "");
}

PyObject *bytes_repr(PyObject *b)
{
    return PyBytes_Repr(b, 1);
}

PyObject *bytes_str(PyObject *b)
{
    if (bytes_warning_wanted()
        && PyErr_WarnEx(PyExc_BytesWarning, "str() on a bytes instance", 1) < 0) {
        return NULL;
    }
    return bytes_repr(b);
}

/* ---- As a sequence ----------------------------------------------------------------------------- */

Py_ssize_t bytes_length(PyObject *b)
{
    return Py_SIZE(b);
}

PyObject *bytes_item(PyObject *b, Py_ssize_t i)
{
    if (i < 0 || i >= Py_SIZE(b)) {
        PyErr_SetString(PyExc_IndexError, "index out of range");
        return NULL;
    }
    return PyLong_FromLong(bytes_data(b)[i]);
}

PyObject *bytes_subscript(PyObject *b, PyObject *index)
{
    if (PyIndex_Check(index)) {
        Py_ssize_t i = PyNumber_AsSsize_t(index, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) {
            return NULL;
        }
        return bytes_item(b, i < 0 ? i + Py_SIZE(b) : i);
    }
    if (!PySlice_Check(index)) {
        PyErr_Format(PyExc_TypeError, "byte indices must be integers or slices, not %.200s",
                     Py_TYPE(index)->tp_name);
        return NULL;
    }
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(index, &start, &stop, &step) < 0) {
        return NULL;
    }
    Py_ssize_t count = PySlice_AdjustIndices(Py_SIZE(b), &start, &stop, step);
    if (count <= 0) {
        return bytes_empty();
    }
    if (step == 1) {
        return count == Py_SIZE(b) && PyBytes_CheckExact(b)
                   ? Py_NewRef(b)
                   : bytes_from(bytes_data(b) + start, count);
    }
    if (count == 1) {
        return bytes_char(bytes_data(b)[start]);
    }
    PyObject *result = bytes_new(count);
    for (Py_ssize_t i = 0; result != NULL && i < count; i++) {
        bytes_data(result)[i] = bytes_data(b)[start + i * step];
    }
    return result;
}

int bytes_getbuffer(PyObject *b, Py_buffer *view, int flags)
{
    return PyBuffer_FillInfo(view, b, bytes_data(b), Py_SIZE(b), 1, flags);
}

void PyBytes_Concat(PyObject **p, PyObject *right)
{
    if (*p == NULL) {
        return;
    }
    if (right == NULL) {
        Py_CLEAR(*p);
        return;
    }
    Py_ssize_t n = Py_SIZE(*p);
    if (PyBytes_CheckExact(*p) && Py_REFCNT(*p) == 1 && PyBytes_CheckExact(right) && n > 0
        && n <= PY_SSIZE_T_MAX - Py_SIZE(right)) {
        /* Nobody else sees it: grow it where it lies. */
        if (_PyBytes_Resize(p, n + Py_SIZE(right)) == 0) {
            memcpy(bytes_data(*p) + n, bytes_data(right), (size_t)Py_SIZE(right));
        }
        return;
    }
    Py_SETREF(*p, blob_concat(*p, right));
}

void PyBytes_ConcatAndDel(PyObject **p, PyObject *right)
{
    PyBytes_Concat(p, right);
    Py_XDECREF(right);
}

PyObject *_PyBytes_Join(PyObject *separator, PyObject *iterable)
{
    if (separator == NULL || !PyBytes_Check(separator)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return blob_join(separator, iterable);
}

Py_ssize_t _PyBytes_Find(const char *text, Py_ssize_t n, const char *sub, Py_ssize_t m,
                         Py_ssize_t offset)
{
    Py_ssize_t found = text_find(1, text, n, 1, sub, m);
    return found < 0 ? -1 : found + offset;
}

Py_ssize_t _PyBytes_ReverseFind(const char *text, Py_ssize_t n, const char *sub, Py_ssize_t m,
                                Py_ssize_t offset)
{
    Py_ssize_t found = text_rfind(1, text, n, 1, sub, m);
    return found < 0 ? -1 : found + offset;
}

void _PyBytes_Repeat(char *to, Py_ssize_t to_size, const char *from, Py_ssize_t from_size)
{
    for (Py_ssize_t done = 0; done < to_size; done += from_size) {
        memcpy(to + done, from, (size_t)Py_MIN(from_size, to_size - done));
    }
}

/* ---- From objects ------------------------------------------------------------------------------ */

/* Bytes of an iterable of integers, into a writer. */
int bytes_write_iterable(struct bytes_writer *w, PyObject *iterable, const char *out_of_range)
{
    PyObject *iterator = PyObject_GetIter(iterable), *item;
    if (iterator == NULL) {
        return -1;
    }
    if (PyObject_LengthHint(iterable, 0) < 0) { /* the hint does not matter, its failure does */
        Py_DECREF(iterator);
        return -1;
    }
    while ((item = PyIter_Next(iterator)) != NULL) {
        Py_ssize_t byte = PyNumber_AsSsize_t(item, NULL);
        Py_DECREF(item);
        if (byte == -1 && PyErr_Occurred()) {
            break;
        }
        if (byte < 0 || byte > 255) {
            PyErr_SetString(PyExc_ValueError, out_of_range);
            break;
        }
        if (bytes_writer_byte(w, (uint8_t)byte) < 0) {
            break;
        }
    }
    Py_DECREF(iterator);
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *from_buffer(PyObject *object)
{
    Py_buffer view;
    if (PyObject_GetBuffer(object, &view, PyBUF_FULL_RO) < 0) {
        return NULL;
    }
    PyObject *result = bytes_new(view.len);
    if (result != NULL && view.len > 0
        && PyBuffer_ToContiguous(bytes_data(result), &view, view.len, 'C') < 0) {
        Py_CLEAR(result);
    }
    PyBuffer_Release(&view);
    return result;
}

PyObject *PyBytes_FromObject(PyObject *object)
{
    if (object == NULL) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (PyBytes_CheckExact(object)) {
        return Py_NewRef(object);
    }
    if (PyObject_CheckBuffer(object)) {
        return from_buffer(object);
    }
    if (!PyUnicode_Check(object)) {
        struct bytes_writer w;
        bytes_writer_init(&w);
        if (Py_TYPE(object)->tp_iter != NULL || PySequence_Check(object)) {
            if (bytes_write_iterable(&w, object, "bytes must be in range(0, 256)") == 0) {
                return bytes_writer_finish(&w);
            }
            bytes_writer_drop(&w);
            return NULL;
        }
    }
    PyErr_Format(PyExc_TypeError, "cannot convert '%.200s' object to bytes",
                 Py_TYPE(object)->tp_name);
    return NULL;
}

/* __bytes__() of `source`: 1 and *result, 0 if it has none, -1. */
static int from_special(PyObject *source, PyObject **result)
{
    PyObject *method;
    int found = PyObject_GetOptionalAttrString((PyObject *)Py_TYPE(source), "__bytes__", &method);
    if (found <= 0) {
        return found;
    }
    *result = PyObject_CallOneArg(method, source);
    Py_DECREF(method);
    if (*result != NULL && !PyBytes_Check(*result)) {
        PyErr_Format(PyExc_TypeError, "__bytes__ returned non-bytes (type %.200s)",
                     Py_TYPE(*result)->tp_name);
        Py_CLEAR(*result);
    }
    return *result == NULL ? -1 : 1;
}

static PyObject *from_source(PyObject *source, const char *encoding, const char *errors)
{
    if (encoding != NULL) {
        if (!PyUnicode_Check(source)) {
            PyErr_SetString(PyExc_TypeError, "encoding without a string argument");
            return NULL;
        }
        return PyUnicode_AsEncodedString(source, encoding, errors);
    }
    if (errors != NULL) {
        PyErr_SetString(PyExc_TypeError, PyUnicode_Check(source)
                                             ? "string argument without an encoding"
                                             : "errors without a string argument");
        return NULL;
    }
    PyObject *result;
    int special = from_special(source, &result);
    if (special != 0) {
        return special < 0 ? NULL : result;
    }
    if (PyUnicode_Check(source)) {
        PyErr_SetString(PyExc_TypeError, "string argument without an encoding");
        return NULL;
    }
    if (PyIndex_Check(source)) {
        Py_ssize_t size = PyNumber_AsSsize_t(source, PyExc_OverflowError);
        if (size == -1 && PyErr_Occurred()) {
            if (!PyErr_ExceptionMatches(PyExc_TypeError)) {
                return NULL;
            }
            PyErr_Clear(); /* fall through: other ways may take it */
        } else if (size < 0) {
            PyErr_SetString(PyExc_ValueError, "negative count");
            return NULL;
        } else {
            result = bytes_new(size);
            if (result != NULL) {
                memset(bytes_data(result), 0, (size_t)size);
            }
            return result;
        }
    }
    return PyBytes_FromObject(source);
}

PyObject *bytes_construct(PyTypeObject *type, PyObject *source, const char *encoding,
                          const char *errors)
{
    PyObject *bytes;
    if (source == NULL) {
        if (encoding != NULL || errors != NULL) {
            PyErr_SetString(PyExc_TypeError, encoding != NULL ? "encoding without a string argument"
                                                              : "errors without a string argument");
            return NULL;
        }
        bytes = bytes_empty();
    } else {
        bytes = from_source(source, encoding, errors);
    }
    if (bytes == NULL || type == &PyBytes_Type) {
        return bytes;
    }
    PyObject *self = type->tp_alloc(type, Py_SIZE(bytes));
    if (self != NULL) {
        memcpy(bytes_data(self), bytes_data(bytes), (size_t)Py_SIZE(bytes) + 1);
        ((PyBytesObject *)self)->ob_shash = bytes_hash(bytes);
    }
    Py_DECREF(bytes);
    return self;
}
