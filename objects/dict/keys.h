/*
 * Key tables of dicts: what the files of this folder share. "Lock held" means the dict's critical
 * section, or that nobody else knows the dict.
 */
#ifndef KRAIT_OBJECTS_DICT_KEYS_H
#define KRAIT_OBJECTS_DICT_KEYS_H

#include "objects/block.h"
#include "objects/dict.h"
#include "objects/error.h"
#include "objects/key.h"
#include "objects/object.h"
#include "objects/str.h"

enum {
    IX_EMPTY = -1,   /* never used: ends a probe sequence */
    IX_DUMMY = -2,   /* its entry was deleted */
    IX_ERROR = -3,   /* of lookups: an exception is set */
    IX_CHANGED = -4, /* of lookups: the table was changed by an __eq__ */
};

#define KEYS_MIN_LOG2 3

extern struct dict_empty_keys {
    int8_t index[8];
    PyDictKeysObject keys;
} dict_empty_keys;

#define KEYS_EMPTY (&dict_empty_keys.keys)

static inline size_t keys_size(const PyDictKeysObject *keys)
{
    return (size_t)1 << keys->log2_size;
}

static inline size_t keys_mask(const PyDictKeysObject *keys)
{
    return keys_size(keys) - 1;
}

static inline size_t keys_index_bytes(const PyDictKeysObject *keys)
{
    return (size_t)1 << keys->log2_index_bytes;
}

/* Entries a table of 2**log2 slots holds: two thirds. */
static inline Py_ssize_t keys_capacity(unsigned log2)
{
    return (Py_ssize_t)(((size_t)2 << log2) / 3);
}

static inline size_t keys_entry_size(enum dict_keys_kind kind)
{
    return kind == DICT_KEYS_STR ? sizeof(struct dict_str_entry) : sizeof(struct dict_entry);
}

static inline bool keys_are_str(const PyDictKeysObject *keys)
{
    return keys->kind == DICT_KEYS_STR;
}

static inline size_t keys_bytes(const PyDictKeysObject *keys)
{
    return keys_index_bytes(keys) + sizeof(PyDictKeysObject)
           + (size_t)keys_capacity(keys->log2_size)
                 * keys_entry_size((enum dict_keys_kind)keys->kind);
}

static inline void *keys_block(PyDictKeysObject *keys)
{
    return (char *)keys - keys_index_bytes(keys);
}

static inline Py_ssize_t keys_index_get(const PyDictKeysObject *keys, size_t slot)
{
    const char *index = (const char *)keys - keys_index_bytes(keys);
    if (keys->log2_size < 8) {
        return field_load((const int8_t *)index + slot);
    }
    if (keys->log2_size < 16) {
        return field_load((const int16_t *)index + slot);
    }
    if (keys->log2_size < 32) {
        return field_load((const int32_t *)index + slot);
    }
    return (Py_ssize_t)field_load((const int64_t *)index + slot);
}

static inline void keys_index_set(PyDictKeysObject *keys, size_t slot, Py_ssize_t ix)
{
    char *index = (char *)keys - keys_index_bytes(keys);
    if (keys->log2_size < 8) {
        field_store_release((int8_t *)index + slot, (int8_t)ix);
    } else if (keys->log2_size < 16) {
        field_store_release((int16_t *)index + slot, (int16_t)ix);
    } else if (keys->log2_size < 32) {
        field_store_release((int32_t *)index + slot, (int32_t)ix);
    } else {
        field_store_release((int64_t *)index + slot, (int64_t)ix);
    }
}

/* The order in which slots are tried for a hash: all bits of the hash take part in the end. */
struct probe {
    size_t slot, perturb, mask;
};

static inline struct probe probe_start(const PyDictKeysObject *keys, Py_hash_t hash)
{
    size_t mask = keys_mask(keys);
    return (struct probe){(size_t)hash & mask, (size_t)hash, mask};
}

static inline void probe_next(struct probe *p)
{
    p->perturb >>= 5;
    p->slot = (p->slot * 5 + p->perturb + 1) & p->mask;
}

static inline PyObject **keys_key_slot(PyDictKeysObject *keys, Py_ssize_t ix)
{
    return keys_are_str(keys) ? &dict_str_entries(keys)[ix].key : &dict_entries(keys)[ix].key;
}

static inline PyObject **keys_value_slot(PyDictKeysObject *keys, Py_ssize_t ix)
{
    return keys_are_str(keys) ? &dict_str_entries(keys)[ix].value : &dict_entries(keys)[ix].value;
}

static inline Py_hash_t keys_hash_at(PyDictKeysObject *keys, Py_ssize_t ix)
{
    return keys_are_str(keys) ? str_hash(dict_str_entries(keys)[ix].key)
                              : dict_entries(keys)[ix].hash;
}

/* Hash of a key; -1 with TypeError. May run Python code unless it is an exact str. */
static inline Py_hash_t dict_hash_key(PyObject *key)
{
    return key_hash(key);
}

/* A table of 2**log2 slots without entries, or NULL with MemoryError. */
PyDictKeysObject *keys_new(unsigned log2, enum dict_keys_kind kind);
/* The smallest log2 whose table has at least `slots` slots, or holds at least `n` entries. */
unsigned keys_log2_for_slots(size_t slots);
unsigned keys_log2_for_entries(Py_ssize_t n);
/* To be called before a table changes or ends. */
void keys_lose_version(PyDictKeysObject *keys);
static inline void keys_changing(PyDictKeysObject *keys)
{
    if (unlikely(keys->version != 0)) {
        keys_lose_version(keys);
    }
}
/* Frees a table of d whose references are gone or moved; readers may still look at it. */
void keys_retire(PyDictObject *d, PyDictKeysObject *keys);
/* Appends an entry whose key is known to be absent; there must be room. Takes over both. */
void keys_append(PyDictKeysObject *keys, PyObject *key, Py_hash_t hash, PyObject *value);

/* Index of the entry of key, or IX_EMPTY, IX_ERROR. Lock held; the answer is about the table that
 * the dict has on return. May run Python code unless key and the table's keys are exact str. */
Py_ssize_t dict_lookup(PyDictObject *d, PyObject *key, Py_hash_t hash);
/* keys_find_str(): an exact str in a table of str. Never fails, runs nothing. */
Py_ssize_t keys_find_str(PyDictKeysObject *keys, PyObject *key, Py_hash_t hash);

/* The dict takes this table over, retiring the old one, whose references have moved. Lock held. */
void dict_publish_keys(PyDictObject *d, PyDictKeysObject *keys);
/* A new table of 2**log2 slots of at least this generality with the same entries. -1 with
 * MemoryError. Lock held. */
int dict_rebuild(PyDictObject *d, unsigned log2, enum dict_keys_kind kind);
/* Inserts or replaces; takes over both references, also on failure. Lock held. */
int dict_insert_owned_locked(PyDictObject *d, PyObject *key, Py_hash_t hash, PyObject *value);
/* Removes the entry ix, found by a lookup: gives its value to the caller. Lock held. May run
 * Python code (the key's end, watchers). */
PyObject *dict_take_locked(PyDictObject *d, Py_ssize_t ix, Py_hash_t hash);
/* Empties. May run Python code. Lock held. */
void dict_clear_locked(PyDictObject *d);
/* dict_merge() and friends with the locks of both held. */
int dict_merge_locked(PyDictObject *d, PyObject *other, int override);

/* Tells the watchers of a dict before it changes. */
void dict_notify_slow(PyDict_WatchEvent event, PyDictObject *d, PyObject *key, PyObject *value);

static inline bool dict_is_watched(PyDictObject *d)
{
    return (d->ma_version_tag & 0xff) != 0;
}

static inline void dict_notify(PyDict_WatchEvent event, PyDictObject *d, PyObject *key,
                               PyObject *value)
{
    if (__builtin_expect(dict_is_watched(d), 0)) {
        dict_notify_slow(event, d, key, value);
    }
}

/* A bare dict of an exact or sub type over a table, which it takes over also on failure. */
PyObject *dict_from_keys(PyDictKeysObject *keys, Py_ssize_t used);

/* The collector need not look at dicts of atoms: they get tracked with their first container. */
void dict_track_for(PyDictObject *d, PyObject *key, PyObject *value);

/* Views and iterators. */
PyObject *dict_view_new(PyTypeObject *type, PyObject *dict);
PyObject *dict_iter_new(PyTypeObject *type, PyObject *dict);
PyObject *dict_iter(PyObject *dict);

#endif
