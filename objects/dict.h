/*
 * dict: an insertion-ordered hash table.
 *
 * A dict points to a key table (struct _dictkeysobject): a hash index of 1, 2, 4 or 8 byte slots,
 * which lies before the header, and an array of entries in insertion order, which lies behind it
 * at a fixed offset. Tables whose keys are all exact str hold entries without the hash. A dict
 * never shares its table with another one, except that all empty dicts share one static table.
 *
 * Writers hold the dict's critical section. Lookups by identity or of str keys take no lock: they
 * load ma_keys, probe, load the value, take a reference if it is still alive, and look again.
 * Key tables are freed after a grace period. A lookup that has to call __eq__ holds the lock and
 * starts again when the table changed under it.
 *
 * Keys versions. A table's version is 0 or a number that no other table has, and it goes back to 0
 * before any key is added, removed or moved. So a cache that holds (version, index) may read the
 * value at that index for as long as the dict's table has that version: the key has not moved.
 * Replacing a value changes no version.
 */
#ifndef KRAIT_OBJECTS_DICT_H
#define KRAIT_OBJECTS_DICT_H

#include "Python.h"
#include <stdbool.h>
#include <stdint.h>
#include "locking/lock.h"
#include "locking/refs.h"
#include "objects/value.h"

enum dict_keys_kind { DICT_KEYS_GENERAL, DICT_KEYS_STR };

struct dict_entry { /* of a general table */
    Py_hash_t hash;
    PyObject *key;   /* owned; NULL: deleted */
    PyObject *value; /* owned */
};

struct dict_str_entry { /* of a table of str keys */
    PyObject *key;
    PyObject *value;
};

struct _dictkeysobject {
    uint32_t version;  /* atomic; see above */
    uint8_t log2_size; /* of the index, in slots */
    uint8_t log2_index_bytes;
    uint8_t kind; /* enum dict_keys_kind */
    uint8_t spare;
    Py_ssize_t usable;   /* entries that may still be added */
    Py_ssize_t nentries; /* entries in use, deleted ones included */
    /* entries follow */
};

static inline struct dict_str_entry *dict_str_entries(PyDictKeysObject *keys)
{
    return (struct dict_str_entry *)(keys + 1);
}

static inline struct dict_entry *dict_entries(PyDictKeysObject *keys)
{
    return (struct dict_entry *)(keys + 1);
}

/* ---- lookups ---- */

/* 1 and a new reference in *value; 0 and NULL when absent; -1 with an exception. Borrows all.
 * May run Python code (__eq__) unless key and all keys are exact str. */
int dict_get(PyObject *dict, PyObject *key, Py_hash_t hash, PyObject **value);
/* The same, hashing the key first (PyDict_GetItemRef for dicts known to be dicts). */
int dict_get_item(PyObject *dict, PyObject *key, PyObject **value);
/* Where the first slot that is tried has this very str, its value (borrowed), else NULL: ask dict_get(). With
 * a global lock; name is an exact str. */
static inline PyObject *dict_peek_str(PyObject *dict, PyObject *name)
{
    PyDictKeysObject *keys = ((PyDictObject *)dict)->ma_keys;
    if (unlikely(keys->log2_size >= 8 || keys->kind != DICT_KEYS_STR)) {
        return NULL;
    }
    size_t size = (size_t)1 << keys->log2_size;
    size_t slot = (size_t)((PyASCIIObject *)name)->hash & (size - 1);
    Py_ssize_t ix = ((const int8_t *)keys - size)[slot];
    if (unlikely(ix < 0)) {
        return NULL;
    }
    struct dict_str_entry *entry = &dict_str_entries(keys)[ix];
    return likely(entry->key == name) ? entry->value : NULL;
}
/* Looks an exact str up; never raises when the table is of str keys. New reference or NULL; with
 * NULL, PyErr_Occurred() tells (only possible with general keys). */
PyObject *dict_get_str(PyObject *dict, PyObject *name);
/* Borrowed, NULL without exception when absent or on any error; the dict's lock is held or the
 * dict is private to this thread. */
PyObject *dict_get_borrowed_locked(PyObject *dict, PyObject *key, Py_hash_t hash);
/* Lookup by a register's word: numbers are hashed without being boxed. As dict_get. The key may be
 * boxed in place (sticky). */
int dict_get_value(PyObject *dict, value_t *key, PyObject **value);
/* 1, 0, -1. */
int dict_contains(PyObject *dict, PyObject *key, Py_hash_t hash);

/* ---- caches ---- */

/* The version of the dict's table if all its keys are str, giving it one if it has none; 0 if
 * none can be had. Takes the lock. */
uint32_t dict_keys_version(PyObject *dict);
/* The index of an exact str key in a table of str keys, or -1. Lock held, or version checked
 * afterwards. Runs no Python code. */
Py_ssize_t dict_str_index(PyObject *dict, PyObject *name);

/* Grows whenever any table that has a version loses it or ends: what was found under versions stands as long as
 * this has not changed. */
extern uint64_t dict_keys_epoch;

/* The slot of the value of entry `index` if the dict's table still has this version, else NULL.
 * The caller reads it with ref_load() or ref_load_uncounted(), and when that gives NULL takes the
 * slow way. */
static inline PyObject **dict_cached_slot(PyObject *dict, uint32_t version, Py_ssize_t index)
{
    PyDictKeysObject *keys = __atomic_load_n(&((PyDictObject *)dict)->ma_keys, __ATOMIC_ACQUIRE);
    if (__atomic_load_n(&keys->version, __ATOMIC_RELAXED) != version) {
        return NULL;
    }
    return &dict_str_entries(keys)[index].value;
}

/* Stores to a cached slot: `value` is taken over when it returns true; false (and nothing
 * changed) when the version is out of date, the dict is watched, or the entry is empty. Takes the
 * lock; the old value is released last (may run Python code). */
bool dict_store_cached(PyObject *dict, uint32_t version, Py_ssize_t index, PyObject *value);

/* ---- changes; 0, or -1 with an exception ---- */

/* Borrow key and value. May run Python code (__eq__, finalizers of replaced values). */
int dict_set(PyObject *dict, PyObject *key, Py_hash_t hash, PyObject *value);
/* Takes over both references, also on failure. */
int dict_set_owned(PyObject *dict, PyObject *key, Py_hash_t hash, PyObject *value);
/* KeyError when absent. */
int dict_del(PyObject *dict, PyObject *key, Py_hash_t hash);
/* As dict_get, and removes it. */
int dict_pop(PyObject *dict, PyObject *key, Py_hash_t hash, PyObject **value);
/* *value gets a new reference to the value found or inserted; 1 if found, 0 if inserted. */
int dict_setdefault(PyObject *dict, PyObject *key, Py_hash_t hash, PyObject *dflt,
                    PyObject **value);

/* override: 0 keep existing keys, 1 replace, 2 raise KeyError with the duplicate key (what the
 * call protocol's ** turns into a TypeError). `other` is any mapping. */
int dict_merge(PyObject *dict, PyObject *other, int override);
/* Adds keyword arguments: names is a tuple of str, values an array beside it; new references. */
int dict_update_from_kwargs(PyObject *dict, PyObject *names, PyObject *const *values);

/* ---- making ---- */

/* An empty dict with room for n entries of the given kind. */
PyObject *dict_new_presized(Py_ssize_t n, enum dict_keys_kind kind);
/* keys[i * key_step] : values[i * value_step], n pairs; new references. */
PyObject *dict_from_items(PyObject *const *keys, Py_ssize_t key_step, PyObject *const *values,
                          Py_ssize_t value_step, Py_ssize_t n);

/* The same from n pairs of key and value, one after the other; takes over the references, also on failure.
 * May run Python code (__hash__, __eq__). */
PyObject *dict_from_pairs_steal(PyObject *const *pairs, Py_ssize_t n);

/* ---- the dict of an instance with inline values ---- */

/* Adds `name` (borrowed, an exact str) with `value` (stolen) to a dict that was made with room for it, that does not
 * have the name, and that nobody else knows yet. Neither fails nor runs Python code, nor blocks. */
void dict_append_inline(PyObject *dict, PyObject *name, PyObject *value);

/* ---- walking ---- */

/* *pos starts at 0. Borrowed results, valid while the dict is unchanged and its lock is held
 * (or it is private). hash may be NULL. */
bool dict_next(PyObject *dict, Py_ssize_t *pos, PyObject **key, PyObject **value, Py_hash_t *hash);
/* The same with new references, for dicts that others may change. Takes the lock. */
bool dict_next_ref(PyObject *dict, Py_ssize_t *pos, PyObject **key, PyObject **value);

static inline Py_ssize_t dict_size(PyObject *dict)
{
    return __atomic_load_n(&((PyDictObject *)dict)->ma_used, __ATOMIC_RELAXED);
}

/* Called for each dict with a watcher bit by the per-interpreter table of PyDict_AddWatcher. */
struct dict_interp {
    PyDict_WatchCallback watchers[8];
};

extern PyTypeObject *const dict_types[];

#endif
