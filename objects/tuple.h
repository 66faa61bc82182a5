/*
 * tuple: making tuples. Tuples are immutable once visible to others, so nothing takes a lock.
 */
#ifndef KRAIT_OBJECTS_TUPLE_H
#define KRAIT_OBJECTS_TUPLE_H

#include "Python.h"
#include "objects/birth.h"

/* The only empty tuple: static, immortal. Borrowed. */
extern PyTupleObject tuple_empty;

static inline PyObject **tuple_items(PyObject *op)
{
    return ((PyTupleObject *)op)->ob_item;
}

/* A tuple has its items in itself; one of at most TUPLE_SMALL items lies in a slab. */
enum { TUPLE_SMALL = 1000 };

static inline size_t tuple_bytes(Py_ssize_t n)
{
    return offsetof(PyTupleObject, ob_item) + (size_t)n * sizeof(PyObject *);
}

PyTupleObject *tuple_alloc_large(Py_ssize_t n);

/* A tuple of n items that are not set, not yet tracked by the collector; the caller fills it and calls
 * tuple_ready(). n > 0. New reference or NULL with an exception. */
static inline PyTupleObject *tuple_alloc(Py_ssize_t n)
{
    if (unlikely(n > TUPLE_SMALL)) {
        return tuple_alloc_large(n);
    }
    PyTupleObject *t = (PyTupleObject *)birth_of_container(&PyTuple_Type, tuple_bytes(n));
    if (likely(t != NULL)) {
        t->ob_base.ob_size = n;
    }
    return t;
}

/* Tracks a filled tuple. Returns it. */
static inline PyObject *tuple_ready(PyTupleObject *t)
{
    if (likely(Py_SIZE(t) <= TUPLE_SMALL)) {
        gc_track_new((PyObject *)t);
    } else {
        gc_track((PyObject *)t);
    }
    return (PyObject *)t;
}

/* New tuple with new references to the n items. */
PyObject *tuple_from_array(PyObject *const *items, Py_ssize_t n);
/* New tuple that takes over the n references, also on failure (then they are released, NULL). */
PyObject *tuple_from_array_steal(PyObject *const *items, Py_ssize_t n);
/* New tuple of two; takes over both references, also on failure. */
PyObject *tuple_pair_steal(PyObject *a, PyObject *b);
/* The same for iterators: the pair they gave last, *kept, is filled again if nobody else has it any more, so that most
 * loops make none. Only the iterator's owner uses *kept. */
PyObject *tuple_pair_again(PyObject *iterator, PyObject **kept, PyObject *a, PyObject *b);
/* A slice with step 1 of an exact tuple (the tuple itself if whole). Bounds must be in range. */
PyObject *tuple_slice(PyTupleObject *t, Py_ssize_t low, Py_ssize_t high);

/* The hash of a tuple of items with these hashes: for code objects and others that hash alike. */
Py_hash_t tuple_hash_of(const Py_hash_t *hashes, Py_ssize_t n);

extern PyTypeObject *const tuple_types[];

#endif
