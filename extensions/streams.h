/* What modules around compression libraries share: output that grows, and input that waits.  All of
 * it may be used without the interpreter's lock. */
#ifndef KRAIT_STDLIB_OPTIONAL_STREAMS_H
#define KRAIT_STDLIB_OPTIONAL_STREAMS_H

#include "module.h"

enum { OUTPUT_FIRST = 32 * 1024 };

struct output {
    unsigned char *bytes;
    size_t length, capacity, limit;
    bool no_memory;
};

/* For at most `limit` bytes, which may be negative for no limit. */
static inline struct output
output_start(Py_ssize_t limit)
{
    return (struct output){.limit = limit < 0 ? PY_SSIZE_T_MAX : (size_t)limit};
}

/* How many bytes may be written behind `length`: 0 at the limit, or without memory. */
static inline size_t
output_room(struct output *out)
{
    if (out->length < out->capacity) {
        return out->capacity - out->length;
    }
    size_t capacity = out->capacity ? out->capacity * 2 : OUTPUT_FIRST;
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

/* What was written as bytes, or NULL if `fine` is false or with MemoryError. */
static inline PyObject *
output_finish(struct output *out, bool fine)
{
    PyObject *result = NULL;
    if (fine && out->no_memory) {
        PyErr_NoMemory();
    }
    else if (fine) {
        result = PyBytes_FromStringAndSize((char *)out->bytes, (Py_ssize_t)out->length);
    }
    PyMem_RawFree(out->bytes);
    return result;
}

/* Input that a decompressor has not used yet, as its output had reached a limit. */
struct pending {
    unsigned char *bytes;
    size_t size;
};

/* Puts `data` behind what waits: *at and *left are all of it.  False with MemoryError. */
static inline bool
pending_join(struct pending *pending, const Py_buffer *data, const unsigned char **at, size_t *left)
{
    if (pending->size == 0) {
        *at = data->buf;
        *left = (size_t)data->len;
        return true;
    }
    size_t size = pending->size + (size_t)data->len;
    unsigned char *joined = PyMem_Realloc(pending->bytes, size);
    if (joined == NULL) {
        PyErr_NoMemory();
        return false;
    }
    if (data->len != 0) {
        memcpy(joined + pending->size, data->buf, (size_t)data->len);
    }
    *pending = (struct pending){joined, size};
    *at = joined;
    *left = size;
    return true;
}

/* Keeps what is left of the input, which may lie in `pending` itself.  False with MemoryError. */
static inline bool
pending_keep(struct pending *pending, const unsigned char *at, size_t left)
{
    if (left == 0) {
        PyMem_Free(pending->bytes);
        *pending = (struct pending){0};
        return true;
    }
    if (pending->size != 0) {
        memmove(pending->bytes, at, left);
        pending->size = left;
        return true;
    }
    unsigned char *bytes = PyMem_Malloc(left);
    if (bytes == NULL) {
        PyErr_NoMemory();
        return false;
    }
    memcpy(bytes, at, left);
    *pending = (struct pending){bytes, left};
    return true;
}

/* Takes a stream's mutex; lets other threads run if that takes a while. */
#define STREAM_LOCK(self) PyMutex_Lock(&(self)->mutex)
#define STREAM_UNLOCK(self) PyMutex_Unlock(&(self)->mutex)

#endif
