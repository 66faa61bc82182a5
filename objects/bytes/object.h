/* Slots of bytes, for its type (type.c). */
#ifndef KRAIT_OBJECTS_BYTES_OBJECT_H
#define KRAIT_OBJECTS_BYTES_OBJECT_H

#include "objects/bytes.h"

void bytes_dealloc(PyObject *b);
PyObject *bytes_richcompare(PyObject *a, PyObject *b, int op);
PyObject *bytes_repr(PyObject *b);
PyObject *bytes_str(PyObject *b);
Py_ssize_t bytes_length(PyObject *b);
PyObject *bytes_item(PyObject *b, Py_ssize_t i);
PyObject *bytes_subscript(PyObject *b, PyObject *index);
int bytes_getbuffer(PyObject *b, Py_buffer *view, int flags);
PyObject *bytes_construct(PyTypeObject *type, PyObject *source, const char *encoding,
                          const char *errors);
int bytes_write_iterable(struct bytes_writer *w, PyObject *iterable, const char *out_of_range);

/* Whether -b was given: comparisons of bytes with other things then warn. */
static inline int bytes_warning_wanted(void)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    return Py_BytesWarningFlag;
#pragma GCC diagnostic pop
}

#endif
