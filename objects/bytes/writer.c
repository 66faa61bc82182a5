/* Building bytes piece by piece. */
#include "objects/bytes.h"

static Py_ssize_t used(const struct bytes_writer *w)
{
    return w->pos - w->start;
}

int bytes_writer_grow(struct bytes_writer *w, Py_ssize_t length)
{
    Py_ssize_t size = used(w);
    if (length > PY_SSIZE_T_MAX / 2 - size) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t room = size + length;
    room += room >> 2;
    if (w->buffer == NULL) {
        w->buffer = bytes_new(room);
        if (w->buffer == NULL) {
            return -1;
        }
        memcpy(bytes_data(w->buffer), w->small, (size_t)size);
    } else if (_PyBytes_Resize(&w->buffer, room) < 0) {
        w->pos = w->start = w->small;
        w->end = w->small + sizeof w->small;
        return -1;
    }
    w->start = bytes_data(w->buffer);
    w->pos = w->start + size;
    w->end = w->start + room;
    return 0;
}

int bytes_writer_write(struct bytes_writer *w, const void *data, Py_ssize_t length)
{
    if (bytes_writer_reserve(w, length) < 0) {
        return -1;
    }
    memcpy(w->pos, data, (size_t)length);
    w->pos += length;
    return 0;
}

int bytes_writer_fill(struct bytes_writer *w, uint8_t byte, Py_ssize_t count)
{
    if (count <= 0) {
        return 0;
    }
    if (bytes_writer_reserve(w, count) < 0) {
        return -1;
    }
    memset(w->pos, byte, (size_t)count);
    w->pos += count;
    return 0;
}

PyObject *bytes_writer_finish(struct bytes_writer *w)
{
    Py_ssize_t size = used(w);
    PyObject *result = w->buffer;
    w->buffer = NULL;
    if (result == NULL || size <= 1) {
        PyObject *copy = bytes_from(w->start, size);
        Py_XDECREF(result);
        return copy;
    }
    return _PyBytes_Resize(&result, size) < 0 ? NULL : result;
}

PyObject *bytes_writer_finish_bytearray(struct bytes_writer *w)
{
    PyObject *result = PyByteArray_FromStringAndSize((const char *)w->start, used(w));
    bytes_writer_drop(w);
    return result;
}

void bytes_writer_drop(struct bytes_writer *w)
{
    Py_CLEAR(w->buffer);
}
