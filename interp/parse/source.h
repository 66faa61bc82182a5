/* Source text as the tokenizer wants it: UTF-8, '\n' line ends, NUL behind the end. */

#ifndef KRAIT_PARSE_SOURCE_H
#define KRAIT_PARSE_SOURCE_H

#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

struct source {
    const char *text; /* the caller's bytes if they were good, else `owned` */
    size_t len;
    char *owned;    /* PyMem, or NULL */
    char *encoding; /* PyMem: what cookie or caller said; NULL: nothing, UTF-8 */
    bool implicit_newline;
    bool invalid; /* it is no good UTF-8 somewhere: names and literals must look */
};

/* Decodes `len` bytes, behind which a NUL must stand.  `encoding` (or NULL) overrules the cookie;
   `is_utf8`: the bytes come from a str, so neither mark nor cookie counts; `end_line`: the last line
   gets a newline.  0, or -1 with SyntaxError, MemoryError, or what a codec raises.  May run Python
   code. */
int source_decode(struct source *out, const char *source, size_t len, const char *encoding,
                  bool is_utf8, bool end_line, PyObject *filename);
/* 0, or -1 with a SyntaxError that names the first byte of a file that is not UTF-8 and does not say what it is. */
int source_check_file(const char *source, size_t len, PyObject *filename);

void source_clear(struct source *source);

#endif
