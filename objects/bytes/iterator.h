/* bytes_iterator and bytearray_iterator. */
#ifndef KRAIT_OBJECTS_BYTES_ITERATOR_H
#define KRAIT_OBJECTS_BYTES_ITERATOR_H

#include <Python.h>

/* New reference to an iterator of `type` over `blob`, a bytes or bytearray. */
PyObject *bytes_iterator_new(PyTypeObject *type, PyObject *blob);

#endif
