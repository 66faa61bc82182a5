/*
 * tuple: making tuples. Tuples are immutable once visible to others, so nothing takes a lock.
 */
#ifndef KRAIT_OBJECTS_TUPLE_H
#define KRAIT_OBJECTS_TUPLE_H

#include "Python.h"

/* The only empty tuple: static, immortal. Borrowed. */
extern PyTupleObject tuple_empty;

static inline PyObject **tuple_items(PyObject *op)
{
    return ((PyTupleObject *)op)->ob_item;
}

/* A tuple of n NULL items, not yet tracked by the collector; the caller fills it and calls
 * tuple_ready(). n > 0. New reference or NULL with an exception. */
PyTupleObject *tuple_alloc(Py_ssize_t n);
/* Tracks a filled tuple. Returns it. */
PyObject *tuple_ready(PyTupleObject *t);

/* New tuple with new references to the n items. */
PyObject *tuple_from_array(PyObject *const *items, Py_ssize_t n);
/* New tuple that takes over the n references, also on failure (then they are released, NULL). */
PyObject *tuple_from_array_steal(PyObject *const *items, Py_ssize_t n);
/* New tuple of two; takes over both references, also on failure. */
PyObject *tuple_pair_steal(PyObject *a, PyObject *b);
/* A slice with step 1 of an exact tuple (the tuple itself if whole). Bounds must be in range. */
PyObject *tuple_slice(PyTupleObject *t, Py_ssize_t low, Py_ssize_t high);

/* The hash of a tuple of items with these hashes: for code objects and others that hash alike. */
Py_hash_t tuple_hash_of(const Py_hash_t *hashes, Py_ssize_t n);

extern PyTypeObject *const tuple_types[];

#endif
