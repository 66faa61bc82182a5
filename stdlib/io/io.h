/* What the files of _io share: the module's state, the head of every stream, and the few steps that
 * all of them take (asking whether a stream is closed, retrying after a signal, refusing). */
#ifndef KRAIT_IO_H
#define KRAIT_IO_H

#include "module.h"

#include <errno.h>
#include <unistd.h>

#pragma GCC visibility push(hidden)

enum { IO_BUFFER_SIZE = 8192 };

/* Every stream begins like this, so that Python classes can mix the abstract bases freely. */
struct iobase {
    PyObject_HEAD
    PyObject *dict, *weaklist;
};

/* clang-format off */
#define IO_NAMES(N)                                                                               \
    N(__IOBase_closed) N(_dealloc_warn) N(_finalizing) N(_is_text_encoding) N(close) N(closed)    \
    N(decode) N(encode) N(fileno) N(flush) N(getstate) N(incrementaldecoder)                      \
    N(incrementalencoder) N(isatty) N(mode) N(name) N(newlines) N(peek) N(raw) N(read) N(read1)   \
    N(readable) N(readall) N(readinto) N(readinto1) N(readline) N(readlines) N(replace) N(reset)  \
    N(seek) N(seekable) N(setstate) N(tell) N(truncate) N(writable) N(write)
/* clang-format on */

struct io_state {
    PyObject *unsupported;
    PyTypeObject *iobase_type, *rawiobase_type, *bufferediobase_type, *textiobase_type;
    PyTypeObject *fileio_type, *reader_type, *writer_type, *random_type, *rwpair_type;
    PyTypeObject *text_type, *newline_type, *bytesio_type, *bytesbuffer_type, *stringio_type;
#define IO_NAME_FIELD(n) PyObject *n;
    struct io_names {
        IO_NAMES(IO_NAME_FIELD)
    } names;                /* live as long as the module, since destructors still need them */
    PyObject *codec_lookup; /* codecs.lookup, for the same reason */
};

extern PyModuleDef io_module;
extern PyType_Spec iobase_spec, rawiobase_spec, bufferediobase_spec, textiobase_spec, fileio_spec,
    reader_spec, writer_spec, random_spec, rwpair_spec, text_spec, newline_spec, bytesio_spec,
    bytesbuffer_spec, stringio_spec;

/* Borrowed; NULL with an exception if `type` has nothing to do with the module. */
static inline struct io_state *io_state_of_type(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &io_module);
    return module ? PyModule_GetState(module) : NULL;
}

static inline struct io_state *io_state_of(void *op)
{
    return io_state_of_type(Py_TYPE((PyObject *)op));
}

/* ---- small steps (base.c) -------------------------------------------------------------------- */

/* Raises UnsupportedOperation; returns NULL. */
PyObject *io_unsupported(struct io_state *state, const char *message);

/* Whether the attribute `closed` is true: 1, 0, or -1 with an exception.  Runs Python code. */
int io_is_closed(struct io_state *state, PyObject *stream);

/* 0, or -1 with ValueError if the stream is closed. */
int io_check_open(struct io_state *state, PyObject *stream);

/* 0, or -1 with UnsupportedOperation `message` unless the method `name` answers True. */
int io_check_able(struct io_state *state, PyObject *stream, PyObject *name, const char *message);
int io_check_seekable(struct io_state *state, PyObject *stream);
int io_check_readable(struct io_state *state, PyObject *stream);
int io_check_writable(struct io_state *state, PyObject *stream);

/* The behaviour of the abstract base, for classes that add to it (new references). */
PyObject *iobase_close_plain(PyObject *stream);
PyObject *rawiobase_readall_plain(PyObject *stream);
int iobase_traverse(PyObject *op, visitproc visit, void *arg);
int iobase_clear(PyObject *op);

/* Ends a dealloc: frees the object and what the head holds. */
void iobase_free(PyObject *op);

/* Starts a dealloc: runs the finalizer, which closes the stream.  False if that kept it alive. */
bool iobase_dealloc_begin(PyObject *op);

/* The refusal to be pickled; NULL. */
PyObject *io_no_pickle(void *op);

/* A file position or size as a number; -1 with an exception, ValueError if it is too large. */
static inline Py_ssize_t io_offset(PyObject *number)
{
    return PyNumber_AsSsize_t(number, PyExc_ValueError);
}

/* Whether the call that just failed was only interrupted; then the exception is gone. */
static inline bool io_interrupted(void)
{
    if (!PyErr_ExceptionMatches(PyExc_InterruptedError)) {
        return false;
    }
    PyErr_Clear();
    return true;
}

/* Calls a method with at most one argument and again when a signal interrupts it. */
static inline PyObject *io_call_retrying(PyObject *op, PyObject *name, PyObject *arg)
{
    PyObject *result;
    do {
        result =
            arg ? PyObject_CallMethodOneArg(op, name, arg) : PyObject_CallMethodNoArgs(op, name);
    } while (result == NULL && io_interrupted());
    return result;
}

static inline PyObject *io_call_size(PyObject *op, PyObject *name, Py_ssize_t size)
{
    PyObject *number = PyLong_FromSsize_t(size);
    PyObject *result = number ? io_call_retrying(op, name, number) : NULL;
    Py_XDECREF(number);
    return result;
}

/* Brings back an exception kept with PyErr_GetRaisedException (stolen, may be NULL); one raised
 * meanwhile stays and gets it as its context. */
void io_chain(PyObject *earlier);

/* ---- FileIO, as its buffers see it (fileio.c) ------------------------------------------------- */

/* Reads or writes once, without the lock and again after a signal: the count, -2 if it would block,
 * -1 with an exception.  Only for an exact FileIO. */
Py_ssize_t fileio_read_once(PyObject *file, char *to, Py_ssize_t size);
Py_ssize_t fileio_write_once(PyObject *file, const char *from, Py_ssize_t size);
bool fileio_is_closed(PyObject *file);

/* Whether a buffered stream (exact type, initialized) is closed: 1, 0, or -1 with an exception. */
int buffered_is_closed(PyObject *stream);

/* ---- IncrementalNewlineDecoder (newline.c) ----------------------------------------------------- */

/* What `decode` does (new reference); `decoder` may be any decoder. */
PyObject *io_decode(struct io_state *state, PyObject *decoder, PyObject *input, bool final);

/* Finds the end of the first line of text[start..end): the index behind it, or -1 and, in *consumed,
 * how far there is nothing to look at again.  `newline` NULL: only "\n"; "": any of the three. */
Py_ssize_t io_line_end(int kind, const void *data, Py_ssize_t start, Py_ssize_t end,
                       const char *newline, Py_ssize_t *consumed);

/* The name of the encoding that a text file has when none is given (new reference). */
PyObject *io_default_encoding(void);

#pragma GCC visibility pop

#endif
