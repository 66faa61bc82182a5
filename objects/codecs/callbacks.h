/* What a codec does when it meets an error: the built-in handlers at once, others by a call.
 *
 * A call of a handler may run Python code, which may give the decoder other input: positions are
 * therefore kept as indices, and `start` and `end` are read again after each error.
 */
#ifndef KRAIT_OBJECTS_CODECS_CALLBACKS_H
#define KRAIT_OBJECTS_CODECS_CALLBACKS_H

#include "objects/bytes.h"
#include "objects/codecs.h"
#include "objects/str.h"

/* ---- From bytes to text -------------------------------------------------------------------- */

struct text_decoder {
    const char *encoding, *errors; /* for messages and the look-up; borrowed */
    enum codec_errors kind;
    const uint8_t *start, *end;    /* the input */
    PyObject *handler, *exception; /* owned; NULL until needed */
    PyObject *held; /* owned: the object that holds the input, if a handler gave it */
    str_writer out;
};

void text_decoder_init(struct text_decoder *d, const char *encoding, const char *errors,
                       const void *data, Py_ssize_t size);
/* Input [start, end) is wrong: writes the replacement, and returns where to go on, or -1. */
Py_ssize_t text_decoder_error(struct text_decoder *d, const char *reason, Py_ssize_t start,
                              Py_ssize_t end);
/* New reference to the text, or with `failed` set NULL; releases everything. */
PyObject *text_decoder_finish(struct text_decoder *d, bool failed);

/* ---- From text to bytes -------------------------------------------------------------------- */

struct text_encoder {
    const char *encoding, *errors;
    enum codec_errors kind;
    PyObject *text;                /* borrowed */
    PyObject *handler, *exception; /* owned; NULL until needed */
};

void text_encoder_init(struct text_encoder *e, const char *encoding, const char *errors,
                       PyObject *text);
void text_encoder_drop(struct text_encoder *e);
/* Sets UnicodeEncodeError for characters [start, end). */
void text_encoder_raise(struct text_encoder *e, const char *reason, Py_ssize_t start,
                        Py_ssize_t end);
/* Asks the handler: new reference to the replacement (str or bytes) and in *next where to go on; or
 * NULL. */
PyObject *text_encoder_ask(struct text_encoder *e, const char *reason, Py_ssize_t start,
                           Py_ssize_t end, Py_ssize_t *next);

/* Text of backslash escapes (\xNN, \uNNNN, \UNNNNNNNN) or character references (&#N;) of one
 * character; `out` has room for 12 bytes.  Returns the length. */
int escape_backslash(Py_UCS4 ch, char *out);
int escape_xml(Py_UCS4 ch, char *out);

#endif
