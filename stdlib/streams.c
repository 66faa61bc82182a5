/* Compressors and decompressors, as far as they do not depend on the library.  This file is compiled into
 * each shared object that needs it. */
#include "streams.h"

size_t outflow_room(struct outflow *out)
{
    if (out->length < out->capacity) {
        return out->capacity - out->length;
    }
    size_t capacity = out->capacity ? out->capacity * 2 : out->first;
    capacity = capacity < out->limit ? capacity : out->limit;
    if (capacity <= out->capacity) {
        return 0;
    }
    unsigned char *larger = PyMem_RawRealloc(out->bytes, capacity);
    if (larger == NULL) {
        out->no_memory = true;
        return 0;
    }
    out->bytes = larger;
    out->capacity = capacity;
    return capacity - out->length;
}

PyObject *outflow_finish(struct outflow *out, bool fine)
{
    PyObject *result = NULL;
    if (fine && out->no_memory) {
        PyErr_NoMemory();
    } else if (fine) {
        result = PyBytes_FromStringAndSize((char *)out->bytes, (Py_ssize_t)out->length);
    }
    PyMem_RawFree(out->bytes);
    return result;
}

/* ---- compressors ----------------------------------------------------------------------------- */

static PyObject *encoder_step(struct encoder *self, struct input in, bool finish,
                              encoder_function run, const char *flushed)
{
    PyObject *result = NULL;
    PyMutex_Lock(&self->mutex);
    if (self->flushed) {
        PyErr_SetString(PyExc_ValueError, flushed);
    } else {
        struct outflow out = outflow_start(OUTFLOW_FIRST, -1);
        self->flushed = finish;
        result = outflow_finish(&out, run(self, in, finish, &out));
    }
    PyMutex_Unlock(&self->mutex);
    return result;
}

PyObject *encoder_compress(struct encoder *self, const Py_buffer *data, encoder_function run)
{
    return encoder_step(self, (struct input){data->buf, (size_t)data->len}, false, run,
                        "Compressor has been flushed");
}

PyObject *encoder_flush(struct encoder *self, encoder_function run)
{
    return encoder_step(self, (struct input){NULL, 0}, true, run, "Repeated call to flush()");
}

/* ---- decompressors --------------------------------------------------------------------------- */

bool decoder_init(struct decoder *self)
{
    self->needs_input = true;
    self->unused = PyBytes_FromStringAndSize(NULL, 0);
    return self->unused != NULL;
}

void decoder_free(struct decoder *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyMem_Free(self->pending);
    Py_XDECREF(self->unused);
    type->tp_free(self);
    Py_DECREF(type);
}

/* The data behind what waits; false with MemoryError. */
static bool pending_join(struct decoder *self, const Py_buffer *data, struct input *in)
{
    if (self->pending_size == 0) {
        *in = (struct input){data->buf, (size_t)data->len};
        return true;
    }
    size_t size = self->pending_size + (size_t)data->len;
    unsigned char *joined = PyMem_Realloc(self->pending, size);
    if (joined == NULL) {
        PyErr_NoMemory();
        return false;
    }
    if (data->len != 0) {
        memcpy(joined + self->pending_size, data->buf, (size_t)data->len);
    }
    self->pending = joined;
    self->pending_size = size;
    *in = (struct input){joined, size};
    return true;
}

/* Keeps what is left of the input, which may lie in `pending` itself; false with MemoryError. */
static bool pending_keep(struct decoder *self, struct input in)
{
    if (in.left == 0) {
        PyMem_Free(self->pending);
        self->pending = NULL;
    } else if (self->pending_size != 0) {
        memmove(self->pending, in.at, in.left);
    } else {
        self->pending = PyMem_Malloc(in.left);
        if (self->pending == NULL) {
            PyErr_NoMemory();
            return false;
        }
        memcpy(self->pending, in.at, in.left);
    }
    self->pending_size = in.left;
    return true;
}

/* What remains to be done after a run: the input that is left, and the flags. */
static bool decoder_settle(struct decoder *self, enum decoder_state state, struct input in,
                           bool full)
{
    switch (state) {
    case DECODER_FAILED:
        return false;
    case DECODER_GOES_ON:
        self->needs_input = in.left == 0 && !full;
        return pending_keep(self, in);
    case DECODER_ENDED:
        break;
    }
    self->eof = true;
    self->needs_input = false;
    PyObject *unused = PyBytes_FromStringAndSize((const char *)in.at, (Py_ssize_t)in.left);
    if (unused == NULL) {
        return false;
    }
    field_set(&self->unused, unused);
    return pending_keep(self, (struct input){NULL, 0});
}

PyObject *decoder_decompress(struct decoder *self, const Py_buffer *data, struct outflow out,
                             decoder_function run, const char *ended)
{
    PyObject *result = NULL;
    struct input in;
    PyMutex_Lock(&self->mutex);
    if (self->eof) {
        PyErr_SetString(PyExc_EOFError, ended);
    } else if (pending_join(self, data, &in)) {
        enum decoder_state state = run(self, &in, &out);
        bool fine = decoder_settle(self, state, in, out.length >= out.limit);
        result = outflow_finish(&out, fine);
    }
    PyMutex_Unlock(&self->mutex);
    return result;
}

PyObject *decoder_bytes(struct decoder *self, PyObject **field)
{
    PyMutex_Lock(&self->mutex);
    PyObject *bytes = Py_NewRef(*field);
    PyMutex_Unlock(&self->mutex);
    return bytes;
}
