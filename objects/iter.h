/*
 * Iterators that walk a sequence by index: tuple, list, and whatever has __getitem__. They all
 * have the layout of struct index_iter and share the functions here.
 *
 * Several threads may use one iterator: the index is read and written as one word, and where
 * threads run together the sequence is kept until the iterator dies, so the worst that a race does
 * is to give an item twice. An exhausted iterator has the index -1; with one global lock it lets
 * go of its sequence then (seq is NULL).
 */
#ifndef KRAIT_OBJECTS_ITER_H
#define KRAIT_OBJECTS_ITER_H

#include "Python.h"
#include "locking/lock.h"
#include "locking/thread.h"

struct index_iter {
    PyObject_HEAD
    Py_ssize_t index;
    PyObject *seq; /* owned; may be NULL when exhausted */
};

static inline Py_ssize_t iter_index(struct index_iter *it)
{
    return __atomic_load_n(&it->index, __ATOMIC_RELAXED);
}

static inline void iter_set_index(struct index_iter *it, Py_ssize_t index)
{
    __atomic_store_n(&it->index, index, __ATOMIC_RELAXED);
}

/* Marks the iterator as exhausted; returns NULL. May run Python code (the sequence's end). */
static inline PyObject *iter_finish(struct index_iter *it)
{
    iter_set_index(it, -1);
    if (!lock_threads_run_together()) {
        Py_CLEAR(it->seq);
    }
    return NULL;
}

/* For loops that draw from an iterator for as long as it likes: -1 with the exception of a signal's handler. Looks at
 * signals alone, so a critical section may be held. */
static inline int iter_interrupted(void)
{
    uintptr_t due = atomic_load_relaxed(&thread_self()->ts.eval_breaker);
    return unlikely(due & BREAK_SIGNAL) ? PyErr_CheckSignals() : 0;
}

/* A new iterator of the given type over `seq` (borrowed). */
PyObject *iter_over(PyTypeObject *type, PyObject *seq, Py_ssize_t index);

/* Slots. */
void iter_dealloc(PyObject *op);
int iter_traverse(PyObject *op, visitproc visit, void *arg);

/* What __reduce__ returns: (builtins.NAME, (seq,), index), or (builtins.NAME, (empty,)) when
 * exhausted. Borrows name and empty. Runs Python code only to look NAME up. */
PyObject *iter_reduce(struct index_iter *it, PyObject *name, PyObject *empty);
/* __setstate__: the index clipped to low .. high; an exhausted iterator stays so. None. */
PyObject *iter_set_state(struct index_iter *it, PyObject *state, Py_ssize_t low, Py_ssize_t high);

/* builtins.NAME: new reference, or NULL with an exception (AttributeError). Runs Python code only
 * when builtins is not a plain dict. */
PyObject *iter_builtin(PyObject *name);

extern PyTypeObject *const iter_types[];

#endif
