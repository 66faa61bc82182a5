/* What a pickler writes to: one growing buffer, divided into frames since protocol 4. */
#include "pickle.h"

static void output_settle(struct output *out)
{
    out->limit = out->framing && out->frame < 0 ? 0 : out->cap;
    out->boundary = out->frame < 0 ? PY_SSIZE_T_MAX : out->frame + FRAME_HEADER + FRAME_TARGET;
}

void output_begin(struct output *out, char *scratch, Py_ssize_t size, bool framing)
{
    out->data = scratch;
    out->len = 0;
    out->cap = size;
    out->frame = -1;
    out->framing = framing;
    output_settle(out);
}

static int output_resize(struct output *out, Py_ssize_t need)
{
    if (need <= out->cap) {
        return 0;
    }
    if (need > PY_SSIZE_T_MAX / 2) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t cap = need < 1024 ? 1024 : need + need / 2;
    if (out->bytes == NULL) {
        out->bytes = PyBytes_FromStringAndSize(NULL, cap);
        if (out->bytes == NULL) {
            return -1;
        }
        if (out->len != 0) {
            memcpy(PyBytes_AS_STRING(out->bytes), out->data, (size_t)out->len);
        }
    } else if (_PyBytes_Resize(&out->bytes, cap) < 0) {
        out->data = NULL;
        out->len = out->cap = out->limit = 0;
        return -1;
    }
    out->data = PyBytes_AS_STRING(out->bytes);
    out->cap = cap;
    return 0;
}

char *output_grow(struct output *out, Py_ssize_t n)
{
    bool opens = out->framing && out->frame < 0;
    if (n > PY_SSIZE_T_MAX / 4
        || output_resize(out, out->len + n + (opens ? FRAME_HEADER : 0)) < 0) {
        return PyErr_Occurred() ? NULL : (char *)PyErr_NoMemory();
    }
    if (opens) {
        out->frame = out->len;
        out->len += FRAME_HEADER;
    }
    output_settle(out);
    return out->data + out->len;
}

/* Fills in the header of the open frame, or takes it away if that is not worth it. */
static void output_end_frame(struct output *out)
{
    if (out->frame >= 0) {
        char *start = out->data + out->frame;
        Py_ssize_t len = out->len - out->frame - FRAME_HEADER;
        if (len >= 4) {
            start[0] = (char)OP_FRAME;
            store_le(start + 1, (uint64_t)len, 8);
        } else {
            memmove(start, start + FRAME_HEADER, (size_t)len);
            out->len -= FRAME_HEADER;
        }
        out->frame = -1;
    }
    output_settle(out);
}

PyObject *output_take(struct output *out)
{
    PyObject *bytes = out->bytes;
    if (bytes == NULL) {
        bytes = PyBytes_FromStringAndSize(out->data, out->len);
    } else {
        out->bytes = NULL;
        if (out->len != out->cap) {
            _PyBytes_Resize(&bytes, out->len);
        }
    }
    output_begin(out, NULL, 0, out->framing);
    return bytes;
}

static int output_flush(struct output *out)
{
    if (out->len == 0) {
        return 0;
    }
    PyObject *bytes = output_take(out);
    PyObject *result = bytes ? PyObject_CallOneArg(out->write, bytes) : NULL;
    Py_XDECREF(bytes);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

int output_boundary(struct output *out)
{
    output_end_frame(out);
    return out->write ? output_flush(out) : 0;
}

int output_large(struct output *out, const char *head, Py_ssize_t head_len, const char *data,
                 Py_ssize_t len, PyObject *owner)
{
    bool framing = out->framing;
    output_end_frame(out);
    out->framing = false;
    output_settle(out);
    int rc = output_put(out, head, head_len);
    if (rc == 0 && out->write == NULL) {
        rc = output_put(out, data, len);
    } else if (rc == 0) {
        rc = output_flush(out);
        PyObject *bytes = rc < 0  ? NULL
                          : owner ? Py_NewRef(owner)
                                  : PyBytes_FromStringAndSize(data, len);
        PyObject *result = bytes ? PyObject_CallOneArg(out->write, bytes) : NULL;
        rc = result ? 0 : -1;
        Py_XDECREF(result);
        Py_XDECREF(bytes);
    }
    out->framing = framing;
    output_settle(out);
    return rc;
}

int output_finish(struct output *out)
{
    output_end_frame(out);
    out->framing = false;
    return out->write ? output_flush(out) : 0;
}

void output_clear(struct output *out)
{
    Py_CLEAR(out->bytes);
    output_begin(out, NULL, 0, false);
}
