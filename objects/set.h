/*
 * set and frozenset: open addressing. Functions without _locked take the set's critical section
 * themselves; hashing and comparing keys may run Python code, so the table may change meanwhile
 * and lookups then start again.
 */
#ifndef KRAIT_OBJECTS_SET_H
#define KRAIT_OBJECTS_SET_H

#include "Python.h"

/* 0 if added, 1 if it was there, -1 with an exception. Borrows key. May run Python code. */
int set_add_key(PyObject *set, PyObject *key, Py_hash_t hash);
/* 1 if there, 0 if not, -1 with an exception. May run Python code. */
int set_contains_key(PyObject *set, PyObject *key, Py_hash_t hash);
/* 1 if removed, 0 if not there, -1 with an exception. May run Python code. */
int set_discard_key(PyObject *set, PyObject *key, Py_hash_t hash);
/* Adds all of an iterable. -1 with an exception. May run Python code. */
int set_update_from(PyObject *set, PyObject *iterable);
/* Walks a set: *pos starts at 0; *key is borrowed and valid while the set is not changed and its
 * lock is held. 1 while there are keys. Runs no Python code. */
int set_next(PyObject *set, Py_ssize_t *pos, PyObject **key, Py_hash_t *hash);
/* New frozenset (or set) of an iterable; NULL iterable = empty. May run Python code. */
PyObject *set_from_iterable(PyTypeObject *type, PyObject *iterable);

extern PyTypeObject *const set_types[];

#endif
