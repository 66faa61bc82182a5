/* Items from and to iterables, lists, bytes, text and files.  Functions without a note run with the
 * array locked. */
#include "array.h"

int array_extend_iterable(struct array *self, PyObject *iterable)
{
    PyObject *it = PyObject_GetIter(iterable);
    if (it == NULL) {
        return -1;
    }
    PyObject *item;
    int rc = 0;
    while (rc == 0 && (item = iter_next(it)) != NULL) {
        rc = array_append(self, item) < 0 ? -1 : PyErr_CheckSignals();
        Py_DECREF(item);
    }
    Py_DECREF(it);
    return rc < 0 || !iter_ended() ? -1 : 0;
}

int array_extend_array(struct array *self, struct array *other)
{
    if (self->kind != other->kind) {
        PyErr_SetString(PyExc_TypeError, "can only extend with array of same kind");
        return -1;
    }
    Py_ssize_t old = Py_SIZE(self), count = Py_SIZE(other);
    if (count == 0) {
        return 0;
    }
    if (count > PY_SSIZE_T_MAX - old || array_resize(self, old + count) < 0) {
        if (!PyErr_Occurred()) {
            PyErr_NoMemory();
        }
        return -1;
    }
    memcpy(item_at(self, old), other->items, (size_t)(count * self->kind->size));
    return 0;
}

/* Locks for itself. */
int array_extend(struct array *self, PyObject *other)
{
    return is_array(self, other)
               ? LOCKED2(self, other, array_extend_array(self, (struct array *)other))
               : LOCKED(self, array_extend_iterable(self, other));
}

int array_fromlist(struct array *self, PyObject *list)
{
    if (!PyList_Check(list)) {
        PyErr_SetString(PyExc_TypeError, "arg must be list");
        return -1;
    }
    Py_ssize_t old = Py_SIZE(self), count = PyList_GET_SIZE(list);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = i < PyList_GET_SIZE(list) ? PyList_GetItemRef(list, i) : NULL;
        int rc = item ? array_append(self, item) : -1;
        if (item == NULL && !PyErr_Occurred()) {
            PyErr_SetString(PyExc_RuntimeError, "list changed size during iteration");
        }
        Py_XDECREF(item);
        if (rc < 0) {
            PyObject *raised = PyErr_GetRaisedException();
            if (Py_SIZE(self) > old && array_resize(self, old) < 0) {
                PyErr_Clear();
            }
            PyErr_SetRaisedException(raised);
            return -1;
        }
    }
    return 0;
}

int array_add_bytes(struct array *self, const void *bytes, Py_ssize_t length)
{
    if (length % self->kind->size != 0) {
        PyErr_SetString(PyExc_ValueError, "bytes length not a multiple of item size");
        return -1;
    }
    Py_ssize_t count = length / self->kind->size, old = Py_SIZE(self);
    if (count == 0) {
        return 0;
    }
    if (count > PY_SSIZE_T_MAX - old) {
        PyErr_NoMemory();
        return -1;
    }
    if (array_resize(self, old + count) < 0) {
        return -1;
    }
    memcpy(item_at(self, old), bytes, (size_t)length);
    return 0;
}

int array_frombytes(struct array *self, Py_buffer *buffer)
{
    if (buffer->itemsize != 1) {
        PyErr_SetString(PyExc_TypeError, "a bytes-like object is required");
        return -1;
    }
    return array_add_bytes(self, buffer->buf, buffer->len);
}

PyObject *array_tobytes(struct array *self)
{
    if (Py_SIZE(self) > PY_SSIZE_T_MAX / self->kind->size) {
        return PyErr_NoMemory();
    }
    return PyBytes_FromStringAndSize(self->items, Py_SIZE(self) * self->kind->size);
}

PyObject *array_tolist(struct array *self)
{
    Py_ssize_t count = Py_SIZE(self);
    PyObject *list = PyList_New(count);
    for (Py_ssize_t i = 0; list != NULL && i < count; i++) {
        PyObject *item = self->kind->get(item_at(self, i));
        if (item == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, item);
    }
    return list;
}

int array_add_text(struct array *self, PyObject *text)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(text), old = Py_SIZE(self);
    if (length == 0) {
        return 0;
    }
    if (array_resize(self, old + length) < 0) {
        return -1;
    }
    return PyUnicode_AsUCS4(text, (Py_UCS4 *)item_at(self, old), length, 0) ? 0 : -1;
}

int array_fromunicode(struct array *self, PyObject *text)
{
    if (self->kind->what != IS_TEXT) {
        PyErr_SetString(PyExc_ValueError, "fromunicode() may only be called on unicode type "
                                          "arrays ('u' or 'w')");
        return -1;
    }
    return array_add_text(self, text);
}

PyObject *array_text(struct array *self)
{
    if (self->kind->code == 'u') {
        return PyUnicode_FromWideChar((const wchar_t *)self->items, Py_SIZE(self));
    }
    int order = 0;
    return PyUnicode_DecodeUTF32(self->items, Py_SIZE(self) * 4, "surrogatepass",
                                 (order = PY_LITTLE_ENDIAN ? -1 : 1, &order));
}

PyObject *array_tounicode(struct array *self)
{
    if (self->kind->what != IS_TEXT) {
        PyErr_SetString(PyExc_ValueError, "tounicode() may only be called on unicode type arrays "
                                          "('u' or 'w')");
        return NULL;
    }
    return array_text(self);
}

/* Reads without the lock: that runs any code. */
int array_fromfile(struct array *self, PyObject *file, Py_ssize_t n)
{
    if (n < 0) {
        PyErr_SetString(PyExc_ValueError, "negative count");
        return -1;
    }
    if (n > PY_SSIZE_T_MAX / self->kind->size) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t wanted = n * self->kind->size;
    PyObject *bytes = PyObject_CallMethod(file, "read", "n", wanted);
    if (bytes == NULL) {
        return -1;
    }
    int rc = -1;
    if (!PyBytes_Check(bytes)) {
        PyErr_SetString(PyExc_TypeError, "read() didn't return bytes");
    } else {
        rc = LOCKED(self, array_add_bytes(self, PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes)));
        if (rc == 0 && PyBytes_GET_SIZE(bytes) != wanted) {
            PyErr_SetString(PyExc_EOFError, "read() didn't return enough bytes");
            rc = -1;
        }
    }
    Py_DECREF(bytes);
    return rc;
}

enum { WRITE_AT_ONCE = 64 * 1024 };

/* Bytes [from, from + WRITE_AT_ONCE) of the array, fewer at its end. */
static PyObject *array_part(struct array *self, Py_ssize_t from)
{
    Py_ssize_t all = Py_SIZE(self) * self->kind->size;
    Py_ssize_t count = Py_MAX(Py_MIN(all - from, WRITE_AT_ONCE), 0);
    return PyBytes_FromStringAndSize(self->items + (count ? from : 0), count);
}

int array_tofile(struct array *self, PyObject *file)
{
    for (Py_ssize_t from = 0;; from += WRITE_AT_ONCE) {
        PyObject *part = LOCKED(self, array_part(self, from));
        bool last = part == NULL || PyBytes_GET_SIZE(part) == 0;
        if (last && from != 0) {
            Py_XDECREF(part);
            return part ? 0 : -1;
        }
        PyObject *result = part ? PyObject_CallMethod(file, "write", "O", part) : NULL;
        Py_XDECREF(part);
        if (result == NULL) {
            return -1;
        }
        Py_DECREF(result);
        if (last) {
            return 0;
        }
    }
}
