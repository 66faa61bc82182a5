/* What the files of TextIOWrapper share: its structure and the steps of reading and writing. */
#ifndef KRAIT_IO_TEXT_H
#define KRAIT_IO_TEXT_H

#include "io.h"

#pragma GCC visibility push(hidden)

/* An encoder known by name, for which text need not go through Python. */
enum text_fast { FAST_NONE, FAST_UTF8, FAST_ASCII, FAST_LATIN1 };

struct text {
    struct iobase base;
    struct io_state *state;
    PyObject *buffer, *encoding, *errors, *encoder, *decoder;
    PyObject *chars;      /* what is decoded and not all read, or NULL */
    Py_ssize_t used;      /* how much of it is read */
    PyObject *snap_input; /* the bytes that `chars` came from, with the decoder's state before; */
    long long snap_flags; /* NULL when not telling */
    char *pending;        /* encoded, not yet written */
    Py_ssize_t pending_size, pending_room;
    Py_ssize_t chunk_size;
    double bytes_per_char;
    char read_newline[3], write_newline[3]; /* "" and "\n": nothing to do */
    bool ready, detached, any_newline, translate_read, line_buffering, write_through, seekable,
        telling, has_read1, finalizing, plain_buffer; /* the buffer is of one of our own types */
    enum text_fast fast;
};

/* 0, or -1 with ValueError: not initialized, detached. */
int text_check_ready(struct text *self);

/* The same, or closed. */
int text_check_open(struct text *self);

/* Writes out what is pending to the buffer, without flushing that: 0, or -1. */
int text_write_out(struct text *self);

/* Writes out and flushes: 0, or -1. */
int text_flush_all(struct text *self);

/* Forgets what was read ahead. */
void text_drop_chars(struct text *self);

/* seek() and tell() (place.c); new references. */
PyObject *text_go(struct text *self, PyObject *cookie, int whence);
PyObject *text_place(struct text *self);

#pragma GCC visibility pop

#endif
