/* What an unpickler reads from: bytes in memory, or a file of which the bytes read last are kept.
 *
 * A file without peek() is asked for exactly what is needed: one frame at a time since protocol 4,
 * one argument before.  With peek() what it has at hand is used in place, and the file is moved
 * over it afterwards. */
#include "pickle.h"

enum { PEEK_SIZE = 128 * 1024 };

int input_truncated(struct input *in)
{
    PyErr_SetString(in->state->unpickling_error, "pickle data was truncated");
    return -1;
}

static void input_use(struct input *in, PyObject *bytes, bool peeked)
{
    Py_XSETREF(in->bytes, bytes);
    in->data = bytes ? PyBytes_AS_STRING(bytes) : NULL;
    in->len = bytes ? PyBytes_GET_SIZE(bytes) : 0;
    in->pos = 0;
    in->peeked = peeked;
}

void input_clear(struct input *in)
{
    input_use(in, NULL, false);
    Py_CLEAR(in->read);
    Py_CLEAR(in->readline);
    Py_CLEAR(in->peek);
}

static PyObject *checked_bytes(PyObject *data, const char *method)
{
    if (data != NULL && !PyBytes_Check(data)) {
        PyErr_Format(PyExc_ValueError, "%s() returned non-bytes object (%R)", method, data);
        Py_CLEAR(data);
    }
    return data;
}

static PyObject *file_read(struct input *in, Py_ssize_t n)
{
    PyObject *size = PyLong_FromSsize_t(n);
    PyObject *data = size ? PyObject_CallOneArg(in->read, size) : NULL;
    Py_XDECREF(size);
    return checked_bytes(data, "read");
}

int input_sync(struct input *in)
{
    if (!in->peeked) {
        return 0;
    }
    Py_ssize_t consumed = in->pos;
    input_use(in, NULL, false);
    if (consumed == 0) {
        return 0;
    }
    PyObject *skipped = file_read(in, consumed);
    Py_XDECREF(skipped);
    return skipped ? 0 : -1;
}

/* Has a look at what the file has at hand.  0 or -1. */
static int input_peek(struct input *in)
{
    PyObject *size = PyLong_FromLong(PEEK_SIZE);
    PyObject *data = size ? PyObject_CallOneArg(in->peek, size) : NULL;
    Py_XDECREF(size);
    if (data == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_NotImplementedError)) {
            return -1;
        }
        PyErr_Clear();
        Py_CLEAR(in->peek);
        return 0;
    }
    if (checked_bytes(data, "peek") == NULL) {
        return -1;
    }
    input_use(in, data, true);
    return 0;
}

/* What is left in the buffer and what `more` (stolen, may be NULL with an exception) adds. */
static int input_extend(struct input *in, PyObject *more)
{
    Py_ssize_t left = in->len - in->pos;
    if (more != NULL && left > 0) {
        Py_ssize_t size = PyBytes_GET_SIZE(more);
        PyObject *joined = left > PY_SSIZE_T_MAX - size
                               ? PyErr_NoMemory()
                               : PyBytes_FromStringAndSize(NULL, left + size);
        if (joined != NULL) {
            memcpy(PyBytes_AS_STRING(joined), in->data + in->pos, (size_t)left);
            memcpy(PyBytes_AS_STRING(joined) + left, PyBytes_AS_STRING(more), (size_t)size);
        }
        Py_SETREF(more, joined);
    }
    if (more == NULL) {
        return -1;
    }
    input_use(in, more, false);
    return 0;
}

int input_read_more(struct input *in, Py_ssize_t n, const char **data)
{
    if (in->read == NULL) {
        return input_truncated(in);
    }
    if (input_sync(in) < 0) {
        return -1;
    }
    if (in->peek != NULL && in->pos == in->len && n < PEEK_SIZE) {
        if (input_peek(in) < 0) {
            return -1;
        }
        if (in->peeked && in->len < n) {
            input_use(in, NULL, false);
        }
    }
    if (in->len - in->pos < n && input_extend(in, file_read(in, n - (in->len - in->pos))) < 0) {
        return -1;
    }
    if (in->len - in->pos < n) {
        return input_truncated(in);
    }
    *data = in->data + in->pos;
    in->pos += n;
    return 0;
}

PyObject *input_bytes(struct input *in, Py_ssize_t n)
{
    if (in->read != NULL && n >= PEEK_SIZE && n > in->len - in->pos) {
        if (input_sync(in) < 0) {
            return NULL;
        }
        if (in->pos == in->len) {
            /* The very object that the file returns, without a copy. */
            PyObject *bytes = file_read(in, n);
            if (bytes != NULL && PyBytes_GET_SIZE(bytes) == n && PyBytes_CheckExact(bytes)) {
                return bytes;
            }
            if (input_extend(in, bytes) < 0) {
                return NULL;
            }
            if (in->len < n) {
                input_truncated(in);
                return NULL;
            }
        }
    }
    const char *data;
    return input_read(in, n, &data) < 0 ? NULL : PyBytes_FromStringAndSize(data, n);
}

int input_line(struct input *in, const char **line, Py_ssize_t *len)
{
    for (int attempt = 0; attempt < 2; attempt++) {
        const char *start = in->data + in->pos;
        const char *end =
            in->len > in->pos ? memchr(start, '\n', (size_t)(in->len - in->pos)) : NULL;
        if (end != NULL) {
            *line = start;
            *len = end + 1 - start;
            in->pos += *len;
            return 0;
        }
        if (attempt == 1 || in->readline == NULL) {
            break;
        }
        if (input_sync(in) < 0
            || input_extend(in, checked_bytes(PyObject_CallNoArgs(in->readline), "readline")) < 0) {
            return -1;
        }
    }
    return input_truncated(in);
}
