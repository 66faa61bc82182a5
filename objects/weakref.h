/*
 * Weak references and proxies.
 *
 * An object that supports them has a word (object_weaklist) where its references hang, as a
 * doubly linked list. The first reference without callback and the first such proxy are
 * shared, and stand at the list's beginning.
 *
 * Threads. Lists are guarded by a striped set of mutexes, chosen by the object's address; no
 * object lock is held or taken under them. A reference is read by taking the mutex and trying
 * to take a count on the object: a dead object's count cannot be taken any more.
 */
#ifndef KRAIT_OBJECTS_WEAKREF_H
#define KRAIT_OBJECTS_WEAKREF_H

#include "objects/object.h"

static inline bool weakref_is(PyObject *op)
{
    return PyWeakref_Check(op);
}

/* The object if it still lives: a new reference, else NULL without exception. */
OWNED PyObject *weakref_get(PyObject *ref);
bool weakref_is_dead(PyObject *ref);
/* How many references hang from the object. */
Py_ssize_t weakref_count(PyObject *op);
/* A list of them (new reference), or NULL with an exception. */
OWNED PyObject *weakref_list(PyObject *op);

/* Called while an object dies: clears all references, then calls the callbacks (may run
 * Python code; the current exception is kept). The object's count is 0. */
void weakref_clear_all(PyObject *op);
/* The first reference of its list that still lives (new reference), or NULL without an exception. The type supports them. */
PyObject *weakref_first(PyObject *op);
/* The collector's two steps. All references to op are cleared; those with callbacks are given to
 * `each` (new references), whose callbacks the caller runs when the world runs again. */
void weakref_clear_collect(PyObject *op, void (*each)(PyWeakReference *ref, void *arg), void *arg);
/* Runs ref's callback and drops it; errors are reported as unraisable. */
void weakref_call_callback(PyWeakReference *ref);

extern PyTypeObject *const weakref_types[]; /* NULL-terminated */

#endif
