/* The built-in error handlers as Python objects. */
#ifndef KRAIT_OBJECTS_CODECS_HANDLERS_H
#define KRAIT_OBJECTS_CODECS_HANDLERS_H

#include <Python.h>

/* New reference to a dict of name -> handler. */
PyObject *codec_handlers_make(void);
/* Adds a note to the current exception: which codec failed at what. */
void codec_note_failure(const char *operation, const char *encoding);

#endif
