/*
 * The hash table of sets: what the files of this folder share. All of it wants the set's lock.
 */
#ifndef KRAIT_OBJECTS_SET_TABLE_H
#define KRAIT_OBJECTS_SET_TABLE_H

#include "objects/block.h"
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

/* Readers without the lock (after shared_join()). A slot is empty, then has a key, then the dummy; nothing else
 * happens to it while such readers may come: a table with other contents is another table, and the one inside the object is
 * left for good. Table and mask are written with a mask of -1 in between, so two equal masks around the table's pointer say
 * that they belong together. What was found holds if set->table is still the same. */

/* The table, and its mask; NULL: it is just being changed. */
static inline setentry *set_look(PySetObject *set, Py_ssize_t *mask)
{
    *mask = field_load_acquire(&set->mask);
    setentry *table = field_load_acquire(&set->table);
    if (table == set->smalltable) {
        *mask = PySet_MINSIZE - 1;
        return table;
    }
    bool whole = !lock_threads_run_together()
                 || (*mask >= 0 && field_load_acquire(&set->mask) == *mask
                     && field_load_acquire(&set->table) == table);
    return likely(whole) ? table : NULL;
}

/* Whether the key is in the set: 1, 0; -1: ask under the lock. Runs nothing. */
int set_contains_free(PySetObject *set, PyObject *key, Py_hash_t hash);

/* The rest is for who has the lock. */

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
/* Exchanges the contents of a set and of a private one. -1 with MemoryError. */
int set_take_over(PySetObject *set, PySetObject *from);
/* Frees a table that the set has no more; readers may still look at it. */
void set_table_retire(PySetObject *set, setentry *table, Py_ssize_t mask);
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

/* An entry gets a key, or loses it: the reference is the caller's then. */
static inline void entry_fill(setentry *entry, PyObject *key, Py_hash_t hash)
{
    field_store(&entry->hash, hash);
    field_store_release(&entry->key, key);
}

static inline PyObject *entry_empty(setentry *entry)
{
    PyObject *key = entry->key;
    field_store_release(&entry->key, set_dummy);
    field_store(&entry->hash, -1);
    return key;
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
