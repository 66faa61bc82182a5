/* str_iterator, for its type (type.c). */
#ifndef KRAIT_OBJECTS_STR_OBJECT_H
#define KRAIT_OBJECTS_STR_OBJECT_H

#include "objects/str/internal.h"

struct str_iterator {
    PyObject_HEAD
    Py_ssize_t index; /* of the next character; past the end when done */
    PyObject *text;   /* owned until the iterator dies */
};

void str_iterator_dealloc(PyObject *self);
int str_iterator_traverse(PyObject *self, visitproc visit, void *arg);
PyObject *str_iterator_next(PyObject *self);
PyObject *str_iterator_length_hint(PyObject *self, PyObject *unused);
PyObject *str_iterator_reduce(PyObject *self, PyObject *unused);
PyObject *str_iterator_setstate(PyObject *self, PyObject *state);

#endif
