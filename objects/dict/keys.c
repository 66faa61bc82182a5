/*
 * Key tables of dicts: memory, probing, growing, and the changes of single entries.
 */
#include "objects/dict/keys.h"
#include "objects/gc/gc.h"

struct dict_empty_keys dict_empty_keys = {
    .index = {-1, -1, -1, -1, -1, -1, -1, -1},
    .keys = {.log2_size = 0, .log2_index_bytes = 3, .kind = DICT_KEYS_STR},
};

/* ---- memory ---------------------------------------------------------------------------------- */

static unsigned index_bytes_log2(unsigned log2)
{
    return log2 < 8 ? log2 : log2 < 16 ? log2 + 1 : log2 < 32 ? log2 + 2 : log2 + 3;
}

unsigned keys_log2_for_slots(size_t slots)
{
    if (slots <= (size_t)1 << KEYS_MIN_LOG2) {
        return KEYS_MIN_LOG2;
    }
    unsigned log2 = 64 - (unsigned)__builtin_clzl(slots - 1);
    return log2 < 60 ? log2 : 60;
}

unsigned keys_log2_for_entries(Py_ssize_t n)
{
    return keys_log2_for_slots(((size_t)n * 3 + 1) / 2);
}

PyDictKeysObject *keys_new(unsigned log2, enum dict_keys_kind kind)
{
    if (log2 >= 58) {
        return (PyDictKeysObject *)PyErr_NoMemory();
    }
    unsigned index_log2 = index_bytes_log2(log2);
    size_t index_bytes = (size_t)1 << index_log2;
    Py_ssize_t capacity = keys_capacity(log2);
    char *block = block_alloc(index_bytes + sizeof(PyDictKeysObject)
                              + (size_t)capacity * keys_entry_size(kind));
    if (block == NULL) {
        return (PyDictKeysObject *)PyErr_NoMemory();
    }
    if (index_bytes == 8) {
        memset(block, 0xff, 8);
    } else {
        memset(block, 0xff, index_bytes);
    }
    PyDictKeysObject *keys = (PyDictKeysObject *)(block + index_bytes);
    *keys = (PyDictKeysObject){
        .log2_size = (uint8_t)log2,
        .log2_index_bytes = (uint8_t)index_log2,
        .kind = (uint8_t)kind,
        .usable = capacity,
    };
    return keys;
}

/* Readers that still look at the table must not find a reference there that the dict does not
 * hold any more: the slots are emptied before the table waits for its end. */
void keys_retire(PyDictObject *d, PyDictKeysObject *keys)
{
    if (keys == KEYS_EMPTY) {
        return;
    }
    if (shared_is_read((PyObject *)d)) {
        for (Py_ssize_t ix = 0; ix < keys->nentries; ix++) {
            field_store(keys_value_slot(keys, ix), NULL);
        }
    }
    block_retire((PyObject *)d, keys_block(keys), keys_bytes(keys));
}

void keys_append(PyDictKeysObject *keys, PyObject *key, Py_hash_t hash, PyObject *value)
{
    struct probe p = probe_start(keys, hash);
    /* Slots of deleted entries stay dummies until the table is built again: a lookup without the
     * lock that has passed one must not miss a key that was added there meanwhile. */
    while (keys_index_get(keys, p.slot) != IX_EMPTY) {
        probe_next(&p);
    }
    Py_ssize_t ix = keys->nentries;
    if (keys_are_str(keys)) {
        struct dict_str_entry *entry = &dict_str_entries(keys)[ix];
        field_store_release(&entry->key, key);
        field_store_release(&entry->value, value);
    } else {
        struct dict_entry *entry = &dict_entries(keys)[ix];
        entry->hash = hash;
        field_store_release(&entry->key, key);
        field_store_release(&entry->value, value);
    }
    keys_index_set(keys, p.slot, ix);
    keys->usable--;
    field_store_release(&keys->nentries, ix + 1);
}

/* ---- lookups --------------------------------------------------------------------------------- */

/* With the walk for tables whose index has bytes apart, which are most. */
ALWAYS_INLINE Py_ssize_t find_str(PyDictKeysObject *keys, PyObject *key, Py_hash_t hash, bool bytes)
{
    struct dict_str_entry *entries = dict_str_entries(keys);
    const int8_t *index = (const int8_t *)keys - keys_size(keys);
    for (struct probe p = probe_start(keys, hash);; probe_next(&p)) {
        Py_ssize_t ix = bytes ? field_load(&index[p.slot]) : keys_index_get(keys, p.slot);
        if (ix >= 0) {
            PyObject *found = entries[ix].key;
            if (found == key || (((PyASCIIObject *)found)->hash == hash && str_equal(found, key))) {
                return ix;
            }
        } else if (ix == IX_EMPTY) {
            return IX_EMPTY;
        }
    }
}

ALWAYS_INLINE Py_ssize_t find_str_any(PyDictKeysObject *keys, PyObject *key, Py_hash_t hash)
{
    return likely(keys->log2_size < 8) ? find_str(keys, key, hash, true)
                                       : find_str(keys, key, hash, false);
}

Py_ssize_t keys_find_str(PyDictKeysObject *keys, PyObject *key, Py_hash_t hash)
{
    return find_str_any(keys, key, hash);
}

/* Whether the key in `slot` equals `key`: 1, 0, IX_ERROR, or IX_CHANGED when asking has changed the
 * table. */
static int key_equals(PyDictObject *d, PyDictKeysObject *keys, PyObject **slot, PyObject *key)
{
    int plain = key_equals_plain(*slot, key);
    if (plain >= 0) {
        return plain;
    }
    PyObject *found = Py_NewRef(*slot);
    int equal = PyObject_RichCompareBool(found, key, Py_EQ);
    bool same = d->ma_keys == keys && *slot == found;
    Py_DECREF(found);
    if (equal < 0) {
        return IX_ERROR;
    }
    return same ? equal : IX_CHANGED;
}

/* A key that is no str in a table of str keys, which only its own __eq__ can make equal to one. */
static Py_ssize_t find_other_in_str(PyDictObject *d, PyDictKeysObject *keys, PyObject *key,
                                    Py_hash_t hash)
{
    struct dict_str_entry *entries = dict_str_entries(keys);
    for (struct probe p = probe_start(keys, hash);; probe_next(&p)) {
        Py_ssize_t ix = keys_index_get(keys, p.slot);
        if (ix >= 0 && str_hash(entries[ix].key) == hash) {
            int equal = key_equals(d, keys, &entries[ix].key, key);
            if (equal != 0) {
                return equal < 0 ? equal : ix;
            }
        } else if (ix == IX_EMPTY) {
            return IX_EMPTY;
        }
    }
}

static Py_ssize_t find_general(PyDictObject *d, PyDictKeysObject *keys, PyObject *key,
                               Py_hash_t hash)
{
    struct dict_entry *entries = dict_entries(keys);
    for (struct probe p = probe_start(keys, hash);; probe_next(&p)) {
        Py_ssize_t ix = keys_index_get(keys, p.slot);
        if (ix >= 0) {
            if (entries[ix].key == key) {
                return ix;
            }
            if (entries[ix].hash == hash) {
                int equal = key_equals(d, keys, &entries[ix].key, key);
                if (equal != 0) {
                    return equal < 0 ? equal : ix;
                }
            }
        } else if (ix == IX_EMPTY) {
            return IX_EMPTY;
        }
    }
}

Py_ssize_t dict_lookup(PyDictObject *d, PyObject *key, Py_hash_t hash)
{
    for (;;) {
        PyDictKeysObject *keys = d->ma_keys;
        Py_ssize_t ix;
        if (!keys_are_str(keys)) {
            ix = find_general(d, keys, key, hash);
        } else if (PyUnicode_CheckExact(key)) {
            return find_str_any(keys, key, hash);
        } else {
            ix = find_other_in_str(d, keys, key, hash);
        }
        if (ix != IX_CHANGED) {
            return ix;
        }
    }
}

/* ---- lookups without the lock ---------------------------------------------------------------- */

enum { FIND_ABSENT = 0, FIND_FOUND = 1, FIND_LOCKED = 2 };

static int find_shared(PyDictObject *d, PyObject *key, Py_hash_t hash, PyObject **value)
{
    PyDictKeysObject *keys = field_load_acquire(&d->ma_keys);
    bool str = keys_are_str(keys);
    if (str && !PyUnicode_CheckExact(key)) {
        return FIND_LOCKED;
    }
    for (struct probe p = probe_start(keys, hash);; probe_next(&p)) {
        Py_ssize_t ix = keys_index_get(keys, p.slot);
        if (ix == IX_EMPTY) {
            return field_load_acquire(&d->ma_keys) == keys ? FIND_ABSENT : FIND_LOCKED;
        }
        if (ix < 0) {
            continue;
        }
        PyObject **slot = keys_key_slot(keys, ix);
        PyObject *found = field_load_acquire(slot);
        if (found != key) {
            if (found == NULL) {
                continue;
            }
            /* The key may be gone by now; but it lies in a slot of a slab, which is readable. */
            Py_hash_t found_hash = str ? field_load(&((PyASCIIObject *)found)->hash)
                                       : field_load(&dict_entries(keys)[ix].hash);
            if (found_hash != hash) {
                continue;
            }
            int equal = key_equals_shared(slot, found, key);
            if (equal < 0) {
                return FIND_LOCKED;
            }
            if (!equal) {
                continue;
            }
        }
        bool empty;
        *value = ref_try_load(keys_value_slot(keys, ix), &empty);
        if (*value == NULL) {
            return FIND_LOCKED;
        }
        if (field_load_acquire(slot) != found || field_load_acquire(&d->ma_keys) != keys) {
            Py_CLEAR(*value);
            return FIND_LOCKED;
        }
        return FIND_FOUND;
    }
}

int dict_get(PyObject *dict, PyObject *key, Py_hash_t hash, PyObject **value)
{
    PyDictObject *d = (PyDictObject *)dict;
    *value = NULL;
    if (lock_threads_run_together() && !shared_needs_lock(dict)) {
        int found = find_shared(d, key, hash, value);
        if (found != FIND_LOCKED) {
            return found;
        }
    }
    Py_ssize_t ix;
    Py_BEGIN_CRITICAL_SECTION(dict);
    shared_mark(dict);
    ix = dict_lookup(d, key, hash);
    if (ix >= 0) {
        *value = shared_new_ref(*keys_value_slot(d->ma_keys, ix));
    }
    Py_END_CRITICAL_SECTION();
    return ix >= 0 ? 1 : ix == IX_ERROR ? -1 : 0;
}

int dict_get_value(PyObject *dict, value_t *word, PyObject **value)
{
    *value = NULL;
    PyObject *key = value_box(word);
    Py_hash_t hash = key == NULL ? -1 : dict_hash_key(key);
    return hash == -1 ? -1 : dict_get(dict, key, hash, value);
}

int dict_get_item(PyObject *dict, PyObject *key, PyObject **value)
{
    Py_hash_t hash = dict_hash_key(key);
    if (hash == -1) {
        *value = NULL;
        return -1;
    }
    return dict_get(dict, key, hash, value);
}

PyObject *dict_get_str(PyObject *dict, PyObject *name)
{
    PyObject *value;
    dict_get(dict, name, str_hash(name), &value);
    return value;
}

PyObject *dict_get_borrowed_locked(PyObject *dict, PyObject *key, Py_hash_t hash)
{
    PyDictObject *d = (PyDictObject *)dict;
    Py_ssize_t ix = dict_lookup(d, key, hash);
    if (ix == IX_ERROR) {
        PyErr_Clear();
    }
    return ix < 0 ? NULL : *keys_value_slot(d->ma_keys, ix);
}

int dict_contains(PyObject *dict, PyObject *key, Py_hash_t hash)
{
    if (lock_threads_run_together()) {
        PyObject *value;
        int found = dict_get(dict, key, hash, &value);
        Py_XDECREF(value);
        return found;
    }
    Py_ssize_t ix = dict_lookup((PyDictObject *)dict, key, hash);
    return ix >= 0 ? 1 : ix == IX_ERROR ? -1 : 0;
}

/* ---- caches ---------------------------------------------------------------------------------- */

static uint32_t next_version = 1;
uint64_t dict_keys_epoch = 1;

uint32_t dict_keys_version(PyObject *dict)
{
    PyDictObject *d = (PyDictObject *)dict;
    uint32_t version = 0;
    Py_BEGIN_CRITICAL_SECTION(dict);
    shared_mark(dict);
    PyDictKeysObject *keys = d->ma_keys;
    if (keys_are_str(keys) && keys != KEYS_EMPTY) {
        version = keys->version;
        if (version == 0) {
            uint32_t next = __atomic_load_n(&next_version, __ATOMIC_RELAXED);
            while (next != 0
                   && !__atomic_compare_exchange_n(&next_version, &next, next + 1, true,
                                                   __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
            }
            version = next;
            __atomic_store_n(&keys->version, version, __ATOMIC_RELEASE);
        }
    }
    Py_END_CRITICAL_SECTION();
    return version;
}

Py_ssize_t dict_str_index(PyObject *dict, PyObject *name)
{
    PyDictKeysObject *keys = field_load_acquire(&((PyDictObject *)dict)->ma_keys);
    if (!keys_are_str(keys)) {
        return -1;
    }
    return keys_find_str(keys, name, str_hash(name));
}

bool dict_store_cached(PyObject *dict, uint32_t version, Py_ssize_t index, PyObject *value)
{
    PyDictObject *d = (PyDictObject *)dict;
    PyObject *old = NULL;
    Py_BEGIN_CRITICAL_SECTION(dict);
    PyObject **slot = dict_cached_slot(dict, version, index);
    if (slot != NULL && *slot != NULL && !dict_is_watched(d)) {
        old = *slot;
        dict_track_for(d, Py_None, value);
        field_store_release(slot, value);
    }
    Py_END_CRITICAL_SECTION();
    if (old == NULL) {
        return false;
    }
    Py_DECREF(old);
    return true;
}

void keys_lose_version(PyDictKeysObject *keys)
{
    __atomic_store_n(&keys->version, 0, __ATOMIC_RELEASE);
    __atomic_fetch_add(&dict_keys_epoch, 1, __ATOMIC_RELEASE);
}

/* ---- changes --------------------------------------------------------------------------------- */

static inline bool may_be_tracked(PyObject *op)
{
    return (Py_TYPE(op)->tp_flags & Py_TPFLAGS_HAVE_GC) && !ref_is_immortal(op)
           && gc_is_container(op) && (!PyTuple_CheckExact(op) || gc_is_tracked(op));
}

inline void dict_track_for(PyDictObject *d, PyObject *key, PyObject *value)
{
    if ((may_be_tracked(value) || may_be_tracked(key)) && !gc_is_tracked((PyObject *)d)) {
        gc_track((PyObject *)d);
    }
}

void dict_publish_keys(PyDictObject *d, PyDictKeysObject *keys)
{
    PyDictKeysObject *old = d->ma_keys;
    keys_changing(old);
    field_store_release(&d->ma_keys, keys);
    keys_retire(d, old);
}

/* Enters entries that a table without any index has: keys that differ, none of them deleted. */
static void keys_index_all(PyDictKeysObject *keys, Py_ssize_t n)
{
    bool bytes = keys->log2_size < 8;
    int8_t *index = (int8_t *)keys - keys_size(keys);
    for (Py_ssize_t ix = 0; ix < n; ix++) {
        struct probe p = probe_start(keys, keys_hash_at(keys, ix));
        if (bytes) {
            while (index[p.slot] != IX_EMPTY) {
                probe_next(&p);
            }
            index[p.slot] = (int8_t)ix;
        } else {
            while (keys_index_get(keys, p.slot) != IX_EMPTY) {
                probe_next(&p);
            }
            keys_index_set(keys, p.slot, ix);
        }
    }
    keys->usable -= n;
    keys->nentries = n;
}

/* Copies the `used` live entries of a table to an empty one that has room; moves the references. */
static void keys_move(PyDictKeysObject *from, PyDictKeysObject *to, Py_ssize_t used)
{
    if (from->kind == to->kind && used == from->nentries) {
        memcpy(dict_str_entries(to), dict_str_entries(from),
               (size_t)used * keys_entry_size((enum dict_keys_kind)from->kind));
        keys_index_all(to, used);
        return;
    }
    for (Py_ssize_t ix = 0; ix < from->nentries; ix++) {
        PyObject *key = *keys_key_slot(from, ix);
        if (key != NULL) {
            keys_append(to, key, keys_hash_at(from, ix), *keys_value_slot(from, ix));
        }
    }
}

int dict_rebuild(PyDictObject *d, unsigned log2, enum dict_keys_kind kind)
{
    if (!keys_are_str(d->ma_keys)) {
        kind = DICT_KEYS_GENERAL;
    }
    while (keys_capacity(log2) < d->ma_used) {
        log2++;
    }
    PyDictKeysObject *keys = keys_new(log2, kind);
    if (keys == NULL) {
        return -1;
    }
    keys_move(d->ma_keys, keys, d->ma_used);
    dict_publish_keys(d, keys);
    return 0;
}

/* Room for one more entry with a key like this. */
static int make_room(PyDictObject *d, PyObject *key)
{
    PyDictKeysObject *keys = d->ma_keys;
    bool to_general = keys_are_str(keys) && !PyUnicode_CheckExact(key);
    if (keys->usable > 0 && !to_general) {
        return 0;
    }
    enum dict_keys_kind kind = PyUnicode_CheckExact(key) ? DICT_KEYS_STR : DICT_KEYS_GENERAL;
    unsigned log2 =
        keys->usable > 0 ? keys->log2_size : keys_log2_for_slots((size_t)d->ma_used * 3);
    return dict_rebuild(d, log2, d->ma_used == 0 ? kind : to_general ? kind : keys->kind);
}

/* One walk finds the entry of a key, or its place. False when that does not suffice: no room, another kind of
 * table, or a comparison that may run code; nothing is changed then. */
ALWAYS_INLINE bool insert_plain(PyDictObject *d, PyObject *key, Py_hash_t hash, PyObject *value,
                                bool str, bool bytes)
{
    PyDictKeysObject *keys = d->ma_keys;
    struct dict_str_entry *str_entries = dict_str_entries(keys);
    struct dict_entry *entries = dict_entries(keys);
    int8_t *index = (int8_t *)keys - keys_size(keys);
    struct probe p = probe_start(keys, hash);
    for (;; probe_next(&p)) {
        Py_ssize_t ix = bytes ? field_load(&index[p.slot]) : keys_index_get(keys, p.slot);
        if (ix == IX_EMPTY) {
            break;
        }
        if (ix < 0) {
            continue;
        }
        PyObject *found = str ? str_entries[ix].key : entries[ix].key;
        if (found != key) {
            if (found == NULL
                || (str ? ((PyASCIIObject *)found)->hash : entries[ix].hash) != hash) {
                continue;
            }
            int equal = str ? str_equal(found, key) : key_equals_plain(found, key);
            if (equal < 0) {
                return false;
            }
            if (!equal) {
                continue;
            }
        }
        PyObject **slot = str ? &str_entries[ix].value : &entries[ix].value;
        PyObject *old = *slot;
        dict_track_for(d, key, value);
        field_store_release(slot, value);
        Py_DECREF(key);
        Py_DECREF(old);
        return true;
    }
    Py_ssize_t ix = keys->nentries;
    if (keys->usable <= 0) {
        return false;
    }
    dict_track_for(d, key, value);
    keys_changing(keys);
    if (str) {
        field_store_release(&str_entries[ix].key, key);
        field_store_release(&str_entries[ix].value, value);
    } else {
        entries[ix].hash = hash;
        field_store_release(&entries[ix].key, key);
        field_store_release(&entries[ix].value, value);
    }
    if (bytes) {
        field_store_release(&index[p.slot], (int8_t)ix);
    } else {
        keys_index_set(keys, p.slot, ix);
    }
    keys->usable--;
    field_store_release(&keys->nentries, ix + 1);
    field_store(&d->ma_used, d->ma_used + 1);
    return true;
}

static inline bool insert_fast(PyDictObject *d, PyObject *key, Py_hash_t hash, PyObject *value)
{
    PyDictKeysObject *keys = d->ma_keys;
    bool bytes = keys->log2_size < 8;
    if (unlikely(dict_is_watched(d))) {
        return false;
    }
    if (!keys_are_str(keys)) {
        return bytes ? insert_plain(d, key, hash, value, false, true)
                     : insert_plain(d, key, hash, value, false, false);
    }
    if (!PyUnicode_CheckExact(key)) {
        return false;
    }
    return bytes ? insert_plain(d, key, hash, value, true, true)
                 : insert_plain(d, key, hash, value, true, false);
}

int dict_insert_owned_locked(PyDictObject *d, PyObject *key, Py_hash_t hash, PyObject *value)
{
    if (likely(insert_fast(d, key, hash, value))) {
        return 0;
    }
    Py_ssize_t ix = dict_lookup(d, key, hash);
    if (ix == IX_ERROR) {
        goto fail;
    }
    dict_track_for(d, key, value);
    if (ix >= 0) {
        PyObject **slot = keys_value_slot(d->ma_keys, ix);
        PyObject *old = *slot;
        if (old != value) {
            dict_notify(PyDict_EVENT_MODIFIED, d, key, value);
            field_store_release(slot, value);
        }
        Py_DECREF(key);
        Py_DECREF(old);
        return 0;
    }
    dict_notify(PyDict_EVENT_ADDED, d, key, value);
    if (make_room(d, key) < 0) {
        goto fail;
    }
    keys_changing(d->ma_keys);
    keys_append(d->ma_keys, key, hash, value);
    field_store(&d->ma_used, d->ma_used + 1);
    return 0;

fail:
    Py_DECREF(key);
    Py_DECREF(value);
    return -1;
}

int dict_set_owned(PyObject *dict, PyObject *key, Py_hash_t hash, PyObject *value)
{
    int result;
    Py_BEGIN_CRITICAL_SECTION(dict);
    result = dict_insert_owned_locked((PyDictObject *)dict, key, hash, value);
    Py_END_CRITICAL_SECTION();
    return result;
}

int dict_set(PyObject *dict, PyObject *key, Py_hash_t hash, PyObject *value)
{
    return dict_set_owned(dict, Py_NewRef(key), hash, Py_NewRef(value));
}

/* The slot of the index that leads to entry ix. */
static size_t slot_of_entry(PyDictKeysObject *keys, Py_ssize_t ix, Py_hash_t hash)
{
    struct probe p = probe_start(keys, hash);
    while (keys_index_get(keys, p.slot) != ix) {
        probe_next(&p);
    }
    return p.slot;
}

PyObject *dict_take_locked(PyDictObject *d, Py_ssize_t ix, Py_hash_t hash)
{
    PyDictKeysObject *keys = d->ma_keys;
    PyObject **key_slot = keys_key_slot(keys, ix), **value_slot = keys_value_slot(keys, ix);
    PyObject *key = *key_slot, *value = *value_slot;
    dict_notify(PyDict_EVENT_DELETED, d, key, NULL);
    keys_changing(keys);
    keys_index_set(keys, slot_of_entry(keys, ix, hash), IX_DUMMY);
    field_store(&d->ma_used, d->ma_used - 1);
    field_store_release(key_slot, NULL);
    field_store_release(value_slot, NULL);
    Py_DECREF(key);
    return value;
}

int dict_pop(PyObject *dict, PyObject *key, Py_hash_t hash, PyObject **value)
{
    PyDictObject *d = (PyDictObject *)dict;
    Py_ssize_t ix;
    *value = NULL;
    Py_BEGIN_CRITICAL_SECTION(dict);
    ix = dict_lookup(d, key, hash);
    if (ix >= 0) {
        *value = dict_take_locked(d, ix, hash);
    }
    Py_END_CRITICAL_SECTION();
    return ix >= 0 ? 1 : ix == IX_ERROR ? -1 : 0;
}

int dict_del(PyObject *dict, PyObject *key, Py_hash_t hash)
{
    PyObject *value;
    int found = dict_pop(dict, key, hash, &value);
    if (found <= 0) {
        return found < 0 ? -1 : raise_key(key);
    }
    Py_DECREF(value);
    return 0;
}

int dict_setdefault(PyObject *dict, PyObject *key, Py_hash_t hash, PyObject *dflt, PyObject **value)
{
    PyDictObject *d = (PyDictObject *)dict;
    int result;
    *value = NULL;
    Py_BEGIN_CRITICAL_SECTION(dict);
    Py_ssize_t ix = dict_lookup(d, key, hash);
    if (ix >= 0) {
        *value = Py_NewRef(*keys_value_slot(d->ma_keys, ix));
        result = 1;
    } else if (ix == IX_ERROR) {
        result = -1;
    } else {
        dict_notify(PyDict_EVENT_ADDED, d, key, dflt);
        result = make_room(d, key);
        if (result == 0) {
            dict_track_for(d, key, dflt);
            keys_changing(d->ma_keys);
            keys_append(d->ma_keys, Py_NewRef(key), hash, Py_NewRef(dflt));
            field_store(&d->ma_used, d->ma_used + 1);
            *value = Py_NewRef(dflt);
        }
    }
    Py_END_CRITICAL_SECTION();
    return result;
}

void dict_clear_locked(PyDictObject *d)
{
    PyDictKeysObject *keys = d->ma_keys;
    if (keys == KEYS_EMPTY) {
        return;
    }
    dict_notify(PyDict_EVENT_CLEARED, d, NULL, NULL);
    keys_changing(keys);
    field_store_release(&d->ma_keys, KEYS_EMPTY);
    field_store(&d->ma_used, 0);
    for (Py_ssize_t ix = 0; ix < keys->nentries; ix++) {
        PyObject *key = field_swap(keys_key_slot(keys, ix), NULL);
        PyObject *value = field_swap(keys_value_slot(keys, ix), NULL);
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    keys_retire(d, keys);
}
