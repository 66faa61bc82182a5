/* What modules around compression libraries share: output that grows, and compressors and decompressors as
 * far as they do not depend on the library.  A module's objects begin with one of the structs here, and
 * hand over a function that runs the library. */
#ifndef KRAIT_STDLIB_STREAMS_H
#define KRAIT_STDLIB_STREAMS_H

#include "module.h"

#pragma GCC visibility push(hidden)

/* What is still to be taken in. */
struct input {
    const unsigned char *at;
    size_t left;
};

enum { OUTFLOW_FIRST = 32 * 1024 };

/* What came out so far; may be filled without the interpreter's lock. */
struct outflow {
    unsigned char *bytes;
    size_t length, capacity, first, limit;
    bool no_memory;
};

/* For at most `limit` bytes, which may be negative for no limit; there is room for `first` at first. */
static inline struct outflow outflow_start(size_t first, Py_ssize_t limit)
{
    return (struct outflow){.first = first ? first : 1,
                            .limit = limit < 0 ? PY_SSIZE_T_MAX : (size_t)limit};
}

/* How many bytes may be written behind `length`: 0 at the limit, or without memory. */
size_t outflow_room(struct outflow *out);
/* What was written, as bytes (new reference); NULL if `fine` is false, or with MemoryError. */
PyObject *outflow_finish(struct outflow *out, bool fine);

/* ---- compressors ----------------------------------------------------------------------------- */

struct encoder {
    PyObject_HEAD
    PyMutex mutex; /* held while the library runs */
    bool flushed;
};

/* Takes all input in, and with `finish` ends the stream.  False with an exception. */
typedef bool (*encoder_function)(struct encoder *self, struct input in, bool finish,
                                 struct outflow *out);

/* The methods compress() and flush(): new references, or NULL with an exception. */
PyObject *encoder_compress(struct encoder *self, const Py_buffer *data, encoder_function run);
PyObject *encoder_flush(struct encoder *self, encoder_function run);

/* ---- decompressors --------------------------------------------------------------------------- */

struct decoder {
    PyObject_HEAD
    PyMutex mutex;          /* held while the library runs */
    PyObject *unused;       /* bytes: what followed the end of the stream */
    unsigned char *pending; /* input that waits, as the output had reached its limit */
    size_t pending_size;
    bool eof, needs_input;
};

enum decoder_state { DECODER_FAILED = -1, DECODER_GOES_ON, DECODER_ENDED };

/* Takes input in until it is used up, the stream ends, or there is no room; moves `in` on.  With an
 * exception if it failed. */
typedef enum decoder_state (*decoder_function)(struct decoder *self, struct input *in,
                                               struct outflow *out);

/* After the object was made: false with an exception. */
bool decoder_init(struct decoder *self);
/* The end of the object, which is not tracked by the collector. */
void decoder_free(struct decoder *self);
/* The method decompress(): a new reference, or NULL with an exception, which is EOFError with this text
 * after the end. */
PyObject *decoder_decompress(struct decoder *self, const Py_buffer *data, struct outflow out,
                             decoder_function run, const char *ended);
/* A field of bytes (new reference), while another thread may be setting it. */
PyObject *decoder_bytes(struct decoder *self, PyObject **field);

#pragma GCC visibility pop

#endif
