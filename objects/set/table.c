/*
 * The hash table of sets: probing, growing, adding and removing keys.
 *
 * A slot is tried first, then the few behind it, which share its cache lines, then a jump by the
 * remaining bits of the hash. Small sets use the table inside the object.
 */
#include "objects/set/table.h"
#include "objects/birth.h"
#include "objects/block.h"
#include "objects/dict.h"
#include "objects/gc/gc.h"
#include "objects/str.h"

#define NEIGHBOURS 9

PyObject set_dummy[1] = {PyObject_HEAD_INIT(&PyBaseObject_Type)};

PySetObject *set_new_empty(PyTypeObject *type)
{
    bool exact = type == &PySet_Type || type == &PyFrozenSet_Type;
    PySetObject *set = (PySetObject *)(exact ? birth_of_container(type, sizeof(PySetObject))
                                             : type->tp_alloc(type, 0));
    if (set != NULL) {
        if (exact) {
            memset((char *)set + sizeof(PyObject), 0, sizeof(PySetObject) - sizeof(PyObject));
            gc_track_new((PyObject *)set);
        }
        set->mask = PySet_MINSIZE - 1;
        set->table = set->smalltable;
        set->hash = -1;
    }
    return set;
}

/* ---- lookup ---------------------------------------------------------------------------------- */

enum { KEY_EQUAL = 1, KEY_OTHER = 0, KEY_ERROR = -1, KEY_CHANGED = -2 };

static int compare_key(PySetObject *set, setentry *entry, PyObject *key)
{
    PyObject *found = entry->key;
    if (found == key) {
        return KEY_EQUAL;
    }
    int plain = key_equals_plain(found, key);
    if (plain >= 0) {
        return plain;
    }
    setentry *table = set->table;
    Py_INCREF(found);
    int equal = PyObject_RichCompareBool(found, key, Py_EQ);
    bool same = set->table == table && entry->key == found;
    Py_DECREF(found);
    return equal < 0 ? KEY_ERROR : same ? equal : KEY_CHANGED;
}

/* The entry with the key, or the unused one where it would go; NULL with an exception. */
static setentry *find(PySetObject *set, PyObject *key, Py_hash_t hash)
{
restart:;
    size_t mask = (size_t)set->mask, perturb = (size_t)hash, slot = (size_t)hash & mask;
    for (;;) {
        setentry *entry = &set->table[slot];
        int neighbours = slot + NEIGHBOURS <= mask ? NEIGHBOURS : 0;
        do {
            if (entry->hash == 0 && entry->key == NULL) {
                return entry;
            }
            if (entry->hash == hash) {
                int equal = compare_key(set, entry, key);
                if (equal == KEY_EQUAL) {
                    return entry;
                }
                if (equal == KEY_CHANGED) {
                    goto restart;
                }
                if (equal == KEY_ERROR) {
                    return NULL;
                }
            }
            entry++;
        } while (neighbours-- > 0);
        perturb >>= 5;
        slot = (slot * 5 + 1 + perturb) & mask;
    }
}

/* Puts a key that is not there into a table without deleted entries. */
static void insert_clean(setentry *table, size_t mask, PyObject *key, Py_hash_t hash)
{
    size_t perturb = (size_t)hash, slot = (size_t)hash & mask;
    for (;;) {
        setentry *entry = &table[slot];
        int neighbours = slot + NEIGHBOURS <= mask ? NEIGHBOURS : 0;
        do {
            if (entry->key == NULL) {
                entry_fill(entry, key, hash);
                return;
            }
            entry++;
        } while (neighbours-- > 0);
        perturb >>= 5;
        slot = (slot * 5 + 1 + perturb) & mask;
    }
}

/* ---- without the lock ------------------------------------------------------------------------ */

int set_contains_free(PySetObject *set, PyObject *key, Py_hash_t hash)
{
    Py_ssize_t mask;
    setentry *table = set_look(set, &mask);
    if (unlikely(table == NULL)) {
        return -1;
    }
    size_t perturb = (size_t)hash, slot = (size_t)hash & (size_t)mask;
    for (;;) {
        setentry *entry = &table[slot];
        int neighbours = slot + NEIGHBOURS <= (size_t)mask ? NEIGHBOURS : 0;
        do {
            PyObject *found = field_load_acquire(&entry->key);
            if (found == key) {
                return 1;
            }
            if (found == NULL) {
                return field_load_acquire(&set->table) == table ? 0 : -1;
            }
            if (field_load(&entry->hash) == hash) {
                int equal = key_equals_shared(&entry->key, found, key);
                if (equal != 0) {
                    return equal > 0 && field_load_acquire(&set->table) == table ? 1 : -1;
                }
            }
            entry++;
        } while (neighbours-- > 0);
        perturb >>= 5;
        slot = (slot * 5 + 1 + perturb) & (size_t)mask;
    }
}

/* ---- changes --------------------------------------------------------------------------------- */

static size_t growth(const PySetObject *set)
{
    return (size_t)set->used * (set->used > 50000 ? 2 : 4);
}

static void set_publish(PySetObject *set, setentry *table, Py_ssize_t mask)
{
    if (lock_threads_run_together()) {
        field_store(&set->mask, -1);
    }
    field_store_release(&set->table, table);
    field_store_release(&set->mask, mask);
}

void set_table_retire(PySetObject *set, setentry *table, Py_ssize_t mask)
{
    if (table != set->smalltable) {
        block_retire((PyObject *)set, table, (size_t)(mask + 1) * sizeof(setentry));
    }
}

static int resize(PySetObject *set, size_t wanted)
{
    size_t size = PySet_MINSIZE;
    while (size <= wanted) {
        if (size > PY_SSIZE_T_MAX / (2 * sizeof(setentry))) {
            PyErr_NoMemory();
            return -1;
        }
        size <<= 1;
    }
    setentry *old = set->table, copy[PySet_MINSIZE], *fresh;
    size_t old_mask = (size_t)set->mask;
    if (size == PySet_MINSIZE && !shared_is_read((PyObject *)set)) {
        fresh = set->smalltable;
        if (old == fresh) {
            if (set->fill == set->used) {
                return 0;
            }
            memcpy(copy, old, sizeof copy);
            old = copy;
        }
    } else if ((fresh = block_alloc(size * sizeof(setentry))) == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    memset(fresh, 0, size * sizeof(setentry));
    for (size_t i = 0; i <= old_mask; i++) {
        if (entry_is_used(&old[i])) {
            insert_clean(fresh, size - 1, old[i].key, old[i].hash);
        }
    }
    set_publish(set, fresh, (Py_ssize_t)size - 1);
    set->fill = set->used;
    if (old != copy) {
        set_table_retire(set, old, (Py_ssize_t)old_mask);
    }
    return 0;
}

int set_add_new(PySetObject *set, PyObject *key, Py_hash_t hash)
{
    insert_clean(set->table, (size_t)set->mask, key, hash);
    set->fill++;
    field_store(&set->used, set->used + 1);
    return (size_t)set->fill * 5 < (size_t)set->mask * 3 ? 0 : resize(set, growth(set));
}

int set_add_locked(PySetObject *set, PyObject *key, Py_hash_t hash)
{
    setentry *entry = set_first(set, key, hash);
    if (entry != NULL && entry->key == key) {
        return 1;
    }
    Py_INCREF(key); /* comparing may lose the caller's */
    if (entry == NULL) {
        entry = find(set, key, hash);
    }
    if (entry == NULL || entry->key != NULL) {
        Py_DECREF(key);
        return entry == NULL ? -1 : 1;
    }
    entry_fill(entry, key, hash);
    set->fill++;
    field_store(&set->used, set->used + 1);
    if ((size_t)set->fill * 5 < (size_t)set->mask * 3) {
        return 0;
    }
    return resize(set, growth(set));
}

int set_contains_locked(PySetObject *set, PyObject *key, Py_hash_t hash)
{
    setentry *entry = set_first(set, key, hash);
    if (entry == NULL) {
        entry = find(set, key, hash);
    }
    return entry == NULL ? -1 : entry->key != NULL;
}

int set_discard_locked(PySetObject *set, PyObject *key, Py_hash_t hash)
{
    setentry *entry = find(set, key, hash);
    if (entry == NULL || entry->key == NULL) {
        return entry == NULL ? -1 : 0;
    }
    PyObject *old = entry_empty(entry);
    field_store(&set->used, set->used - 1);
    Py_DECREF(old);
    return 1;
}

/* Key by key, in place: what can be done without memory. */
static void clear_in_place(PySetObject *set)
{
    for (Py_ssize_t i = 0; i <= set->mask; i++) {
        if (entry_is_used(&set->table[i])) {
            PyObject *key = entry_empty(&set->table[i]);
            field_store(&set->used, set->used - 1);
            Py_DECREF(key);
        }
    }
}

void set_clear_locked(PySetObject *set)
{
    setentry *old = set->table, *empty = set->smalltable, copy[PySet_MINSIZE];
    Py_ssize_t mask = set->mask;
    if (set->fill == 0 && old == empty) {
        return;
    }
    set->hash = -1;
    if (shared_is_read((PyObject *)set)) {
        empty = block_alloc(sizeof set->smalltable);
        if (empty == NULL) {
            clear_in_place(set);
            return;
        }
    } else if (old == empty) {
        memcpy(copy, old, sizeof copy);
        old = copy;
    }
    memset(empty, 0, sizeof set->smalltable);
    set_publish(set, empty, PySet_MINSIZE - 1);
    set->fill = 0;
    field_store(&set->used, 0);
    for (Py_ssize_t i = 0; i <= mask; i++) {
        if (entry_is_used(&old[i])) {
            Py_DECREF(old[i].key);
        }
    }
    if (old != copy) {
        set_table_retire(set, old, mask);
    }
}

int set_take_over(PySetObject *set, PySetObject *from)
{
    setentry *table = from->table, *old = set->table;
    Py_ssize_t used = set->used, fill = set->fill, mask = set->mask;
    if (table == from->smalltable) {
        table = set->smalltable;
        if (shared_is_read((PyObject *)set)
            && (table = block_alloc(sizeof from->smalltable)) == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    setentry small[PySet_MINSIZE];
    memcpy(small, set->smalltable, sizeof small);
    if (from->table == from->smalltable) {
        memcpy(table, from->smalltable, sizeof small);
    }
    set_publish(set, table, from->mask);
    set->fill = from->fill;
    field_store(&set->used, from->used);
    set->hash = -1;
    if (old == set->smalltable) {
        memcpy(from->smalltable, small, sizeof small);
        old = from->smalltable;
    } else if (shared_is_read((PyObject *)set)) {
        shared_mark((PyObject *)from); /* so that the table outlives its readers */
    }
    set_publish(from, old, mask);
    from->fill = fill;
    field_store(&from->used, used);
    from->hash = -1;
    return 0;
}

/* ---- filling --------------------------------------------------------------------------------- */

int set_next(PyObject *op, Py_ssize_t *pos, PyObject **key, Py_hash_t *hash)
{
    return set_walk((PySetObject *)op, pos, key, hash);
}

static int reserve(PySetObject *set, Py_ssize_t more)
{
    if ((size_t)(set->fill + more) * 5 >= (size_t)set->mask * 3) {
        return resize(set, (size_t)(set->used + more) * 2);
    }
    return 0;
}

/* A table like another one's, which has no deleted entries, for an empty set. */
static int copy_table(PySetObject *set, PySetObject *other)
{
    size_t bytes = (size_t)(other->mask + 1) * sizeof(setentry);
    setentry *table = set->smalltable;
    if ((other->mask >= PySet_MINSIZE || shared_is_read((PyObject *)set))
        && (table = block_alloc(bytes)) == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(table, other->table, bytes);
    for (setentry *entry = table, *end = table + other->mask + 1; entry < end; entry++) {
        Py_XINCREF(entry->key);
    }
    set_publish(set, table, other->mask);
    set->fill = other->used;
    field_store(&set->used, other->used);
    return 0;
}

/* Into an empty set without comparing anything. */
static void copy_clean(PySetObject *set, PySetObject *other)
{
    for (Py_ssize_t i = 0; i <= other->mask; i++) {
        setentry *entry = &other->table[i];
        if (entry_is_used(entry)) {
            insert_clean(set->table, (size_t)set->mask, Py_NewRef(entry->key), entry->hash);
        }
    }
    set->fill = other->used;
    field_store(&set->used, other->used);
}

static int update_from_set(PySetObject *set, PySetObject *other)
{
    if (other == set || other->used == 0) {
        return 0;
    }
    if (set->fill == 0 && set->table == set->smalltable && other->fill == other->used
        && other->mask < 8 * other->used) {
        return copy_table(set, other);
    }
    if (reserve(set, other->used) < 0) {
        return -1;
    }
    if (set->fill == 0) {
        copy_clean(set, other);
        return 0;
    }
    Py_ssize_t pos = 0;
    PyObject *key;
    Py_hash_t hash;
    while (set_walk(other, &pos, &key, &hash)) {
        Py_INCREF(key);
        int failed = set_add_locked(set, key, hash);
        Py_DECREF(key);
        if (failed < 0) {
            return -1;
        }
    }
    return 0;
}

static int update_from_dict(PySetObject *set, PyObject *dict)
{
    if (reserve(set, dict_size(dict)) < 0) {
        return -1;
    }
    Py_ssize_t pos = 0;
    PyObject *key;
    Py_hash_t hash;
    while (dict_next(dict, &pos, &key, NULL, &hash)) {
        Py_INCREF(key);
        int failed = set_add_locked(set, key, hash);
        Py_DECREF(key);
        if (failed < 0) {
            return -1;
        }
    }
    return 0;
}

int set_update_locked(PySetObject *set, PyObject *other)
{
    if (PyAnySet_Check(other)) {
        return update_from_set(set, (PySetObject *)other);
    }
    if (PyDict_CheckExact(other)) {
        return update_from_dict(set, other);
    }
    PyObject *it = PyObject_GetIter(other);
    if (it == NULL) {
        return -1;
    }
    PyObject *key;
    while ((key = PyIter_Next(it)) != NULL) {
        Py_hash_t hash = set_hash_key(key);
        int failed = hash == -1 ? -1 : set_add_locked(set, key, hash);
        Py_DECREF(key);
        if (failed < 0) {
            break;
        }
    }
    Py_DECREF(it);
    return PyErr_Occurred() ? -1 : 0;
}
