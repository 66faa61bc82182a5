/* Codecs: the registry, the error handlers, and decoding and encoding by name.
 *
 * Functions that make an object return a new reference, or NULL with an exception set.  Arguments
 * are borrowed.  A call may run Python code if the codec or the error handler is Python code;
 * the built-in codecs with the built-in error handlers do not.
 */
#ifndef KRAIT_OBJECTS_CODECS_H
#define KRAIT_OBJECTS_CODECS_H

#include <Python.h>

#include <stdbool.h>
#include <stdint.h>

struct interp_state;

/* The error handlers that codecs know by themselves, so that they need no call. */
enum codec_errors {
    CODEC_ERRORS_UNKNOWN = 0, /* not looked at yet */
    CODEC_ERRORS_STRICT,
    CODEC_ERRORS_SURROGATEESCAPE,
    CODEC_ERRORS_REPLACE,
    CODEC_ERRORS_IGNORE,
    CODEC_ERRORS_BACKSLASHREPLACE,
    CODEC_ERRORS_SURROGATEPASS,
    CODEC_ERRORS_XMLCHARREFREPLACE,
    CODEC_ERRORS_OTHER,
};

/* `errors` may be NULL for "strict". */
enum codec_errors codec_errors_from_name(const char *errors);

/* -X dev: encoding and error handler are looked up although the text may not need them. */
extern bool codec_checks_names;
/* 0, or -1 with LookupError; both may be NULL. Does nothing unless codec_checks_names. */
int codec_check_names(const char *encoding, const char *errors);

/* The encodings that need no registry. */
enum codec_builtin {
    CODEC_NOT_BUILTIN = 0,
    CODEC_UTF_8,
    CODEC_UTF_16,
    CODEC_UTF_16_LE,
    CODEC_UTF_16_BE,
    CODEC_UTF_32,
    CODEC_UTF_32_LE,
    CODEC_UTF_32_BE,
    CODEC_LATIN_1,
    CODEC_ASCII,
};

enum codec_builtin codec_builtin_from_name(const char *encoding);

/* CodecInfo of `encoding`: the cache, then the search functions in order.  Runs Python code. */
PyObject *codec_lookup(const char *encoding);
/* The same, and LookupError if it is not an encoding between text and bytes; `alternate` is named
 * in the message, as what to use instead. */
PyObject *codec_lookup_text(const char *encoding, const char *alternate);
/* str.encode() and bytes.decode() by a registered text codec. */
PyObject *codec_encode_text(PyObject *object, const char *encoding, const char *errors);
PyObject *codec_decode_text(PyObject *object, const char *encoding, const char *errors);
bool codec_forget(const char *encoding); /* drops it from the cache */

/* Encoder or decoder of the file system and of the terminal: name and error handler, kept per
 * interpreter and set at start-up (UTF-8 with surrogateescape until then). */
int codec_fs_set(const char *encoding, const char *errors);
const char *codec_fs_encoding(void);
const char *codec_fs_errors(void);

int codecs_init(struct interp_state *interp);
void codecs_fini(struct interp_state *interp);

#endif
