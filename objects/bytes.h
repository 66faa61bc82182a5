/* Bytes: what the rest of the interpreter may know about `bytes`, `bytearray` and `memoryview`.
 *
 * Functions that make an object return a new reference, or NULL with an exception set.  Arguments
 * are borrowed.  Nothing here runs Python code unless its comment says so.
 */
#ifndef KRAIT_OBJECTS_BYTES_H
#define KRAIT_OBJECTS_BYTES_H

#include <Python.h>

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct interp_state;

/* ---- bytes --------------------------------------------------------------------------------- */

/* b"" and the 256 objects of one byte: static and immortal. */
struct bytes_static {
    PyVarObject head;
    Py_hash_t hash;
    uint8_t data[8];
};
extern struct bytes_static bytes_static_empty;
extern struct bytes_static bytes_static_chars[256];

/* Borrowed, immortal. */
static inline PyObject *bytes_empty(void)
{
    return (PyObject *)&bytes_static_empty;
}

/* Borrowed, immortal. */
static inline PyObject *bytes_char(uint8_t byte)
{
    return (PyObject *)&bytes_static_chars[byte];
}

static inline uint8_t *bytes_data(PyObject *b)
{
    return (uint8_t *)((PyBytesObject *)b)->ob_sval;
}

static inline Py_ssize_t bytes_len(PyObject *b)
{
    return Py_SIZE(b);
}

/* `length` bytes, undefined but for a terminating zero; length 0 gives the shared b"". */
PyObject *bytes_new(Py_ssize_t length);
PyObject *bytes_from(const void *data, Py_ssize_t length);

bool bytes_equal(PyObject *a, PyObject *b);
Py_hash_t bytes_hash(PyObject *b); /* never fails */

/* ---- A growing bytes object ---------------------------------------------------------------- */

/* Starts in `small` and moves to a bytes object (or a bytearray's memory) when that is full.
 * Belongs to one thread.  Functions return 0, or -1 with an exception; then call
 * bytes_writer_drop(). */
struct bytes_writer {
    uint8_t *pos;     /* next byte to write */
    uint8_t *end;     /* end of the room */
    uint8_t *start;   /* first byte */
    PyObject *buffer; /* owned; NULL while in `small` */
    uint8_t small[256];
};

static inline void bytes_writer_init(struct bytes_writer *w)
{
    w->pos = w->start = w->small;
    w->end = w->small + sizeof w->small;
    w->buffer = NULL;
}

int bytes_writer_grow(struct bytes_writer *w, Py_ssize_t length);

/* Makes room for `length` more bytes. */
static inline int bytes_writer_reserve(struct bytes_writer *w, Py_ssize_t length)
{
    return w->end - w->pos >= length ? 0 : bytes_writer_grow(w, length);
}

static inline int bytes_writer_byte(struct bytes_writer *w, uint8_t byte)
{
    if (bytes_writer_reserve(w, 1) < 0) {
        return -1;
    }
    *w->pos++ = byte;
    return 0;
}

int bytes_writer_write(struct bytes_writer *w, const void *data, Py_ssize_t length);
int bytes_writer_fill(struct bytes_writer *w, uint8_t byte, Py_ssize_t count);
/* New reference to a bytes object; the writer is empty afterwards, also when it fails. */
PyObject *bytes_writer_finish(struct bytes_writer *w);
/* The same as a bytearray. */
PyObject *bytes_writer_finish_bytearray(struct bytes_writer *w);
void bytes_writer_drop(struct bytes_writer *w);

/* ---- Text forms ---------------------------------------------------------------------------- */

/* Hexadecimal digits of the bytes as str (or as bytes); `sep` (str or bytes of length 1, may be
 * NULL) stands between groups of `group` bytes, counted from the right if positive. */
PyObject *bytes_to_hex(const uint8_t *data, Py_ssize_t length, PyObject *sep, int group,
                       bool as_bytes);
/* repr: b'...' with the shorter quoting; `prefix` and `suffix` go around it. */
PyObject *bytes_to_repr(const uint8_t *data, Py_ssize_t length, bool smart_quotes,
                        const char *prefix, const char *suffix);
/* bytes.fromhex / bytearray.fromhex: bytes object from hexadecimal text. */
PyObject *bytes_parse_hex(PyObject *text, bool as_bytearray);
/* bytes % args, also bytearray % args (objects/format/percent_bytes.c); may run Python code. */
PyObject *bytes_format_percent(const uint8_t *format, Py_ssize_t length, PyObject *args,
                               bool as_bytearray);

/* ---- Start and end ------------------------------------------------------------------------- */

extern PyTypeObject *const bytes_types[]; /* NULL-terminated; bytes, bytearray, their iterators */
extern PyTypeObject *const memoryview_types[];
int bytes_init(struct interp_state *interp);
void bytes_fini(struct interp_state *interp);

#endif
