/* Slots and methods of bytearray, for its type (type.c). */
#ifndef KRAIT_OBJECTS_BYTES_BYTEARRAY_H
#define KRAIT_OBJECTS_BYTES_BYTEARRAY_H

#include "objects/bytes.h"

void bytearray_dealloc(PyObject *self);
int bytearray_getbuffer(PyObject *self, Py_buffer *view, int flags);
void bytearray_releasebuffer(PyObject *self, Py_buffer *view);
Py_ssize_t bytearray_length(PyObject *self);
PyObject *bytearray_item(PyObject *self, Py_ssize_t i);
int bytearray_set_item(PyObject *self, Py_ssize_t i, PyObject *value);
PyObject *bytearray_subscript(PyObject *self, PyObject *index);
int bytearray_assign_subscript(PyObject *self, PyObject *index, PyObject *value);
PyObject *bytearray_richcompare(PyObject *a, PyObject *b, int op);
PyObject *bytearray_repr(PyObject *self);
PyObject *bytearray_str(PyObject *self);

/* self[i] = byte for an `i` as in Python; false if it is out of range. */
bool bytearray_put(PyObject *self, Py_ssize_t i, uint8_t byte);

/* These expect the critical section to be held. */
int bytearray_append_item(PyObject *self, PyObject *item);
int bytearray_insert_item(PyObject *self, Py_ssize_t index, PyObject *item);
int bytearray_add_buffer(PyObject *self, PyObject *other);
int bytearray_extend_by(PyObject *self, PyObject *iterable);
PyObject *bytearray_pop_at(PyObject *self, Py_ssize_t index);
int bytearray_remove_item(PyObject *self, PyObject *item);
void bytearray_reverse_all(PyObject *self);
int bytearray_imultiply(PyObject *self, Py_ssize_t count);
int bytearray_fill_from(PyObject *self, PyObject *source, const char *encoding, const char *errors);
PyObject *bytearray_reduce_with(PyObject *self, int protocol);

#endif
