/* unicode_escape and raw_unicode_escape, as the _codecs module and the compiler call them. */
#ifndef KRAIT_OBJECTS_STR_CODEC_ESCAPE_H
#define KRAIT_OBJECTS_STR_CODEC_ESCAPE_H

#include "objects/str/internal.h"

/* What a decoder met without failing. */
struct escape_notes {
    const char *first_invalid; /* behind the backslash of the first meaningless escape, or NULL */
    char invalid[4]; /* what stands there: error handlers may replace the text, which then dies */
};

/* New reference.  `consumed` may be NULL: then an incomplete escape at the end is an error. */
PyObject *unicode_escape_decode(const char *text, Py_ssize_t size, const char *errors,
                                Py_ssize_t *consumed, struct escape_notes *notes);
/* The same, with a DeprecationWarning for a meaningless escape. */
PyObject *unicode_escape_decode_warn(const char *text, Py_ssize_t size, const char *errors,
                                     Py_ssize_t *consumed);
PyObject *raw_unicode_escape_decode(const char *text, Py_ssize_t size, const char *errors,
                                    Py_ssize_t *consumed);
int escape_warn(const char *at);

#endif
