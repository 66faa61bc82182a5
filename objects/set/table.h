/*
 * The hash table of sets: what the files of this folder share. All of it wants the set's lock.
 */
#ifndef KRAIT_OBJECTS_SET_TABLE_H
#define KRAIT_OBJECTS_SET_TABLE_H

#include "objects/key.h"
#include "objects/object.h"
#include "objects/set.h"
#include <stdbool.h>

/* The key of a deleted entry; its hash is -1. */
extern PyObject set_dummy[1];

static inline bool entry_is_used(const setentry *entry)
{
    return entry->key != NULL && entry->key != set_dummy;
}

/* Adds a key that is not there, to a set without deleted entries; takes over the reference, also on failure
 * (-1). */
int set_add_new(PySetObject *set, PyObject *key, Py_hash_t hash);
/* 1 if key was there, 0 if added, -1 with an exception. Borrows. May run Python code. */
int set_add_locked(PySetObject *set, PyObject *key, Py_hash_t hash);
/* 1, 0, -1. May run Python code. */
int set_contains_locked(PySetObject *set, PyObject *key, Py_hash_t hash);
int set_discard_locked(PySetObject *set, PyObject *key, Py_hash_t hash);
/* May run Python code once the set is empty. */
void set_clear_locked(PySetObject *set);
/* Adds all of a set, dict or any iterable. `other`'s lock is held too if it is a set or dict. */
int set_update_locked(PySetObject *set, PyObject *other);
/* Exchanges the contents of two sets, not their types. */
void set_swap(PySetObject *a, PySetObject *b);
/* An empty set of a type, tracked. */
PySetObject *set_new_empty(PyTypeObject *type);

PyObject *set_iter(PyObject *set);

/* set_next() */
static inline bool set_walk(PySetObject *set, Py_ssize_t *pos, PyObject **key, Py_hash_t *hash)
{
    setentry *entry = &set->table[*pos], *end = &set->table[set->mask];
    for (; entry <= end; entry++) {
        if (entry_is_used(entry)) {
            *pos = entry - set->table + 1;
            *key = entry->key;
            *hash = entry->hash;
            return true;
        }
    }
    *pos = set->mask + 1;
    return false;
}

static inline Py_hash_t set_hash_key(PyObject *key)
{
    return key_hash(key);
}

/* What the first slot for a key says: the entry that has it or that it would go to; NULL: ask further. */
static inline setentry *set_first(PySetObject *set, PyObject *key, Py_hash_t hash)
{
    setentry *entry = &set->table[(size_t)hash & (size_t)set->mask];
    return entry->key == key || entry->key == NULL ? entry : NULL;
}

#endif
