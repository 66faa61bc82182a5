/*
 * dict: the type, its methods, making and merging.
 */
#include "objects/dict/keys.h"
#include "objects/birth.h"
#include "objects/gc/gc.h"
#include "objects/set.h"
#include "objects/tuple.h"

/* ---- making ---------------------------------------------------------------------------------- */

PyObject *dict_from_keys(PyDictKeysObject *keys, Py_ssize_t used)
{
    PyDictObject *d = (PyDictObject *)birth_of_container(&PyDict_Type, sizeof(PyDictObject));
    if (d == NULL) {
        if (keys != KEYS_EMPTY) {
            for (Py_ssize_t ix = 0; ix < keys->nentries; ix++) {
                Py_XDECREF(*keys_key_slot(keys, ix));
                Py_XDECREF(*keys_value_slot(keys, ix));
            }
            block_free(keys_block(keys), keys_bytes(keys));
        }
        return NULL;
    }
    d->ma_used = used;
    d->ma_version_tag = 0;
    d->ma_keys = keys;
    d->ma_values = NULL;
    return (PyObject *)d;
}

PyObject *PyDict_New(void)
{
    return dict_from_keys(KEYS_EMPTY, 0);
}

PyObject *dict_new_presized(Py_ssize_t n, enum dict_keys_kind kind)
{
    if (n <= 0) {
        return PyDict_New();
    }
    PyDictKeysObject *keys = keys_new(keys_log2_for_entries(n), kind);
    return keys == NULL ? NULL : dict_from_keys(keys, 0);
}

PyObject *_PyDict_NewPresized(Py_ssize_t n)
{
    return n <= 5 ? PyDict_New() : dict_new_presized(n, DICT_KEYS_STR);
}

PyObject *dict_from_items(PyObject *const *keys, Py_ssize_t key_step, PyObject *const *values,
                          Py_ssize_t value_step, Py_ssize_t n)
{
    enum dict_keys_kind kind = DICT_KEYS_STR;
    for (Py_ssize_t i = 0; i < n && kind == DICT_KEYS_STR; i++) {
        kind = PyUnicode_CheckExact(keys[i * key_step]) ? DICT_KEYS_STR : DICT_KEYS_GENERAL;
    }
    PyObject *dict = dict_new_presized(n, kind);
    if (dict == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *key = keys[i * key_step];
        Py_hash_t hash = dict_hash_key(key);
        if (hash == -1
            || dict_insert_owned_locked((PyDictObject *)dict, Py_NewRef(key), hash,
                                        Py_NewRef(values[i * value_step]))
                   < 0) {
            Py_DECREF(dict);
            return NULL;
        }
    }
    return dict;
}

/* The first of some pairs, while their keys are different strings: into an empty table whose index has bytes.
 * Gives how many. */
static Py_ssize_t keys_fill_str(PyDictKeysObject *keys, PyObject *const *pairs, Py_ssize_t n)
{
    struct dict_str_entry *entries = dict_str_entries(keys);
    int8_t *index = (int8_t *)keys - keys_size(keys);
    Py_ssize_t i = 0;
    for (; i < n; i++) {
        PyObject *key = pairs[2 * i];
        Py_hash_t hash = str_hash(key);
        struct probe p = probe_start(keys, hash);
        for (; index[p.slot] >= 0; probe_next(&p)) {
            PyObject *found = entries[index[p.slot]].key;
            if (found == key || str_hash(found) == hash) {
                goto end;
            }
        }
        index[p.slot] = (int8_t)i;
        entries[i] = (struct dict_str_entry){key, pairs[2 * i + 1]};
    }
end:
    keys->usable -= i;
    keys->nentries = i;
    return i;
}

PyObject *dict_from_pairs_steal(PyObject *const *pairs, Py_ssize_t n)
{
    enum dict_keys_kind kind = DICT_KEYS_STR;
    for (Py_ssize_t i = 0; i < n && kind == DICT_KEYS_STR; i++) {
        kind = PyUnicode_CheckExact(pairs[2 * i]) ? DICT_KEYS_STR : DICT_KEYS_GENERAL;
    }
    PyObject *dict = dict_new_presized(n, kind);
    Py_ssize_t i = 0;
    if (likely(dict != NULL && kind == DICT_KEYS_STR && n < 80)) {
        PyDictObject *d = (PyDictObject *)dict;
        d->ma_used = i = keys_fill_str(d->ma_keys, pairs, n);
        for (Py_ssize_t k = 0; k < i; k++) {
            dict_track_for(d, Py_None, pairs[2 * k + 1]);
        }
    }
    for (; dict != NULL && i < n; i++) {
        PyObject *key = pairs[2 * i], *value = pairs[2 * i + 1];
        Py_hash_t hash = dict_hash_key(key);
        if (hash == -1) {
            Py_CLEAR(dict);
            break;
        }
        if (dict_insert_owned_locked((PyDictObject *)dict, key, hash, value) < 0) {
            Py_CLEAR(dict);
        }
    }
    for (; dict == NULL && i < n; i++) {
        Py_DECREF(pairs[2 * i]);
        Py_DECREF(pairs[2 * i + 1]);
    }
    return dict;
}

void dict_append_inline(PyObject *dict, PyObject *name, PyObject *value)
{
    PyDictObject *d = (PyDictObject *)dict;
    keys_append(d->ma_keys, Py_NewRef(name), str_hash(name), value);
    d->ma_used++;
}

/* A copy of a table with the deleted entries still in it; lock of its dict held. */
static PyDictKeysObject *keys_clone(PyDictKeysObject *keys)
{
    char *block = block_alloc(keys_bytes(keys));
    if (block == NULL) {
        return (PyDictKeysObject *)PyErr_NoMemory();
    }
    memcpy(block, keys_block(keys),
           keys_index_bytes(keys) + sizeof(PyDictKeysObject)
               + (size_t)keys->nentries * keys_entry_size(keys->kind));
    PyDictKeysObject *clone = (PyDictKeysObject *)(block + keys_index_bytes(keys));
    clone->version = 0;
    Py_ssize_t n = clone->nentries;
    if (keys_are_str(clone)) {
        for (struct dict_str_entry *entry = dict_str_entries(clone), *end = entry + n; entry < end;
             entry++) {
            Py_XINCREF(entry->key);
            Py_XINCREF(entry->value);
        }
    } else {
        for (struct dict_entry *entry = dict_entries(clone), *end = entry + n; entry < end;
             entry++) {
            Py_XINCREF(entry->key);
            Py_XINCREF(entry->value);
        }
    }
    return clone;
}

/* Whether the table holds few enough deleted entries that a copy may keep them. */
static bool worth_cloning(PyDictObject *d)
{
    return d->ma_used >= d->ma_keys->nentries * 2 / 3 && d->ma_keys != KEYS_EMPTY;
}

static PyObject *dict_copy_locked(PyDictObject *d)
{
    if (d->ma_used == 0) {
        return PyDict_New();
    }
    if (!worth_cloning(d)) {
        PyObject *copy = PyDict_New();
        if (copy != NULL && dict_merge_locked((PyDictObject *)copy, (PyObject *)d, 1) < 0) {
            Py_CLEAR(copy);
        }
        return copy;
    }
    PyDictKeysObject *keys = keys_clone(d->ma_keys);
    PyObject *copy = keys == NULL ? NULL : dict_from_keys(keys, d->ma_used);
    if (copy != NULL && PyObject_GC_IsTracked((PyObject *)d)) {
        gc_track(copy);
    }
    return copy;
}

PyObject *PyDict_Copy(PyObject *op)
{
    if (op == NULL || !PyDict_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PyObject *copy;
    if (unlikely(Py_TYPE(op)->tp_iter != dict_iter)) { /* it may have an order of its own */
        copy = PyDict_New();
        if (copy != NULL && PyDict_Update(copy, op) < 0) {
            Py_CLEAR(copy);
        }
        return copy;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    copy = dict_copy_locked((PyDictObject *)op);
    Py_END_CRITICAL_SECTION();
    return copy;
}

/* ---- merging --------------------------------------------------------------------------------- */

static int merge_one(PyDictObject *d, PyObject *key, Py_hash_t hash, PyObject *value, int override)
{
    if (override != 1) {
        Py_ssize_t ix = dict_lookup(d, key, hash);
        if (ix == IX_ERROR) {
            return -1;
        }
        if (ix >= 0) {
            return override == 0 ? 0 : raise_key(key);
        }
    }
    return dict_insert_owned_locked(d, Py_NewRef(key), hash, Py_NewRef(value));
}

static int raise_mutated(void)
{
    PyErr_SetString(PyExc_RuntimeError, "dict mutated during update");
    return -1;
}

/* All entries of a dict of str keys, replacing what is there. */
static int merge_str_entries(PyDictObject *d, PyDictObject *other)
{
    PyDictKeysObject *keys = other->ma_keys;
    Py_ssize_t n = keys->nentries;
    for (Py_ssize_t ix = 0; ix < n; ix++) {
        PyObject *key = dict_str_entries(keys)[ix].key, *value = dict_str_entries(keys)[ix].value;
        if (value == NULL) {
            continue;
        }
        if (dict_insert_owned_locked(d, Py_NewRef(key), str_hash(key), Py_NewRef(value)) < 0) {
            return -1;
        }
        if (unlikely(other->ma_keys != keys || keys->nentries != n)) {
            return raise_mutated();
        }
    }
    return 0;
}

static int merge_dict(PyDictObject *d, PyDictObject *other, int override)
{
    if (other == d || other->ma_used == 0) {
        return 0;
    }
    if (d->ma_used == 0 && d->ma_keys->nentries == 0
        && other->ma_used == other->ma_keys->nentries) {
        PyDictKeysObject *keys = keys_clone(other->ma_keys);
        if (keys == NULL) {
            return -1;
        }
        dict_notify(PyDict_EVENT_CLONED, d, (PyObject *)other, NULL);
        dict_publish_keys(d, keys);
        field_store(&d->ma_used, other->ma_used);
        if (PyObject_GC_IsTracked((PyObject *)other) && !PyObject_GC_IsTracked((PyObject *)d)) {
            gc_track((PyObject *)d);
        }
        return 0;
    }
    if (d->ma_keys->usable < other->ma_used && !keys_are_str(other->ma_keys) <= !d->ma_used) {
        unsigned log2 = keys_log2_for_entries(d->ma_used + other->ma_used);
        enum dict_keys_kind kind = d->ma_used == 0 ? other->ma_keys->kind : d->ma_keys->kind;
        if (dict_rebuild(d, log2, kind) < 0) {
            return -1;
        }
    }
    PyDictKeysObject *keys = other->ma_keys;
    if (keys_are_str(keys) && override == 1) {
        return merge_str_entries(d, other);
    }
    Py_ssize_t pos = 0;
    PyObject *key, *value;
    Py_hash_t hash;
    Py_ssize_t nentries = keys->nentries;
    while (dict_next((PyObject *)other, &pos, &key, &value, &hash)) {
        Py_INCREF(key);
        Py_INCREF(value);
        int failed = merge_one(d, key, hash, value, override);
        Py_DECREF(key);
        Py_DECREF(value);
        if (failed < 0) {
            return -1;
        }
        if (other->ma_keys != keys || keys->nentries != nentries) {
            return raise_mutated();
        }
    }
    return 0;
}

static int merge_mapping(PyDictObject *d, PyObject *other, int override)
{
    PyObject *keys = PyMapping_Keys(other);
    if (keys == NULL) {
        return -1;
    }
    PyObject *it = PyObject_GetIter(keys);
    Py_DECREF(keys);
    if (it == NULL) {
        return -1;
    }
    PyObject *key;
    while ((key = PyIter_Next(it)) != NULL) {
        int failed = -1;
        Py_hash_t hash = dict_hash_key(key);
        if (hash != -1) {
            if (override != 1) {
                Py_ssize_t ix = dict_lookup(d, key, hash);
                if (ix >= 0 && override == 0) {
                    Py_DECREF(key);
                    continue;
                }
                if (ix >= 0) {
                    raise_key(key);
                }
                failed = ix == IX_EMPTY ? 0 : -1;
            } else {
                failed = 0;
            }
        }
        PyObject *value = failed < 0 ? NULL : PyObject_GetItem(other, key);
        if (value == NULL) {
            Py_DECREF(key);
            Py_DECREF(it);
            return -1;
        }
        if (dict_insert_owned_locked(d, key, hash, value) < 0) {
            Py_DECREF(it);
            return -1;
        }
    }
    Py_DECREF(it);
    return PyErr_Occurred() ? -1 : 0;
}

int dict_merge_locked(PyDictObject *d, PyObject *other, int override)
{
    if (PyDict_Check(other) && Py_TYPE(other)->tp_iter == dict_iter) {
        return merge_dict(d, (PyDictObject *)other, override);
    }
    return merge_mapping(d, other, override);
}

int dict_merge(PyObject *dict, PyObject *other, int override)
{
    int result;
    Py_BEGIN_CRITICAL_SECTION2(dict, other);
    result = dict_merge_locked((PyDictObject *)dict, other, override);
    Py_END_CRITICAL_SECTION2();
    return result;
}

int dict_update_from_kwargs(PyObject *dict, PyObject *names, PyObject *const *values)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(names); i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        Py_hash_t hash = dict_hash_key(name);
        if (hash == -1 || dict_set(dict, name, hash, values[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

/* One element of an update sequence. */
static int merge_pair(PyDictObject *d, PyObject *item, Py_ssize_t i, int override)
{
    PyObject *pair = PySequence_Fast(item, "");
    if (pair == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_Format(PyExc_TypeError,
                         "cannot convert dictionary update sequence element #%zd to a sequence", i);
        }
        return -1;
    }
    Py_ssize_t n = PySequence_Fast_GET_SIZE(pair);
    if (n != 2) {
        PyErr_Format(PyExc_ValueError,
                     "dictionary update sequence element #%zd has length %zd; 2 is required", i, n);
        Py_DECREF(pair);
        return -1;
    }
    PyObject *key = Py_NewRef(PySequence_Fast_GET_ITEM(pair, 0));
    PyObject *value = Py_NewRef(PySequence_Fast_GET_ITEM(pair, 1));
    Py_DECREF(pair);
    Py_hash_t hash = dict_hash_key(key);
    int result = hash == -1 ? -1 : merge_one(d, key, hash, value, override ? 1 : 0);
    Py_DECREF(key);
    Py_DECREF(value);
    return result;
}

int PyDict_MergeFromSeq2(PyObject *dict, PyObject *pairs, int override)
{
    PyObject *it = PyObject_GetIter(pairs);
    if (it == NULL) {
        return -1;
    }
    int result = 0;
    for (Py_ssize_t i = 0; result == 0; i++) {
        PyObject *item = PyIter_Next(it);
        if (item == NULL) {
            result = PyErr_Occurred() ? -1 : 1;
            break;
        }
        Py_BEGIN_CRITICAL_SECTION(dict);
        result = merge_pair((PyDictObject *)dict, item, i, override);
        Py_END_CRITICAL_SECTION();
        Py_DECREF(item);
    }
    Py_DECREF(it);
    return result < 0 ? -1 : 0;
}

/* dict.update(arg): a mapping if it has keys(), else pairs. */
static int update_from_argument(PyObject *dict, PyObject *arg)
{
    if (PyDict_CheckExact(arg)) {
        return dict_merge(dict, arg, 1);
    }
    PyObject *keys;
    if (PyObject_GetOptionalAttr(arg, ID(keys), &keys) < 0) {
        return -1;
    }
    if (keys != NULL) {
        Py_DECREF(keys);
        return dict_merge(dict, arg, 1);
    }
    return PyDict_MergeFromSeq2(dict, arg, 1);
}

static int check_count(const char *name, Py_ssize_t nargs)
{
    if (nargs > 1) {
        PyErr_Format(PyExc_TypeError, "%s expected at most 1 argument, got %zd", name, nargs);
        return -1;
    }
    return 0;
}

static int dict_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t nargs = PyTuple_GET_SIZE(args);
    if (check_count("dict", nargs) < 0
        || (nargs == 1 && update_from_argument(self, PyTuple_GET_ITEM(args, 0)) < 0)) {
        return -1;
    }
    if (kwargs == NULL) {
        return 0;
    }
    return PyArg_ValidateKeywordArguments(kwargs) ? dict_merge(self, kwargs, 1) : -1;
}

static PyObject *dict_new(PyTypeObject *type, PyObject *Py_UNUSED(args),
                          PyObject *Py_UNUSED(kwargs))
{
    PyObject *self = type->tp_alloc(type, 0);
    if (self != NULL) {
        ((PyDictObject *)self)->ma_keys = KEYS_EMPTY;
        if (type == &PyDict_Type) {
            gc_untrack(self);
        }
    }
    return self;
}

static PyObject *dict_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                                 PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (check_count("dict", nargs) < 0) {
        return NULL;
    }
    bool exact = type == (PyObject *)&PyDict_Type;
    if (exact && nargs == 1 && kwnames == NULL && PyDict_CheckExact(args[0])) {
        return PyDict_Copy(args[0]);
    }
    PyObject *self = exact ? PyDict_New() : dict_new((PyTypeObject *)type, NULL, NULL);
    if (self != NULL
        && ((nargs == 1 && update_from_argument(self, args[0]) < 0)
            || (kwnames != NULL && dict_update_from_kwargs(self, kwnames, args + nargs) < 0))) {
        Py_CLEAR(self);
    }
    return self;
}

/* ---- walking --------------------------------------------------------------------------------- */

bool dict_next(PyObject *dict, Py_ssize_t *pos, PyObject **key, PyObject **value, Py_hash_t *hash)
{
    PyDictKeysObject *keys = ((PyDictObject *)dict)->ma_keys;
    Py_ssize_t ix = *pos;
    while (ix < keys->nentries && *keys_value_slot(keys, ix) == NULL) {
        ix++;
    }
    if (ix >= keys->nentries) {
        return false;
    }
    *pos = ix + 1;
    if (key != NULL) {
        *key = *keys_key_slot(keys, ix);
    }
    if (value != NULL) {
        *value = *keys_value_slot(keys, ix);
    }
    if (hash != NULL) {
        *hash = keys_hash_at(keys, ix);
    }
    return true;
}

bool dict_next_ref(PyObject *dict, Py_ssize_t *pos, PyObject **key, PyObject **value)
{
    bool found;
    Py_BEGIN_CRITICAL_SECTION(dict);
    found = dict_next(dict, pos, key, value, NULL);
    if (found) {
        Py_XINCREF(key == NULL ? NULL : *key);
        Py_XINCREF(value == NULL ? NULL : *value);
    }
    Py_END_CRITICAL_SECTION();
    return found;
}

/* ---- slots ----------------------------------------------------------------------------------- */

static void dict_dealloc(PyObject *op)
{
    PyDictObject *d = (PyDictObject *)op;
    if (dict_is_watched(d)) {
        Py_SET_REFCNT(op, 1);
        dict_notify_slow(PyDict_EVENT_DEALLOCATED, d, NULL, NULL);
        if (Py_REFCNT(op) > 1) {
            Py_DECREF(op);
            return;
        }
        Py_SET_REFCNT(op, 0);
    }
    bool exact = PyDict_CheckExact(op);
    if (likely(exact)) {
        gc_untrack_dead(op);
    } else {
        gc_untrack(op);
    }
    PyDictKeysObject *keys = d->ma_keys;
    if (keys != KEYS_EMPTY) {
        d->ma_keys = KEYS_EMPTY;
        keys_changing(keys);
        Py_ssize_t n = keys->nentries;
        if (keys_are_str(keys)) {
            struct dict_str_entry *entries = dict_str_entries(keys);
            for (Py_ssize_t ix = 0; ix < n; ix++) {
                Py_XDECREF(entries[ix].key);
                Py_XDECREF(entries[ix].value);
            }
        } else {
            struct dict_entry *entries = dict_entries(keys);
            for (Py_ssize_t ix = 0; ix < n; ix++) {
                Py_XDECREF(entries[ix].key);
                Py_XDECREF(entries[ix].value);
            }
        }
        block_free(keys_block(keys), keys_bytes(keys));
    }
    if (likely(exact)) {
        death_of_container(op, sizeof(PyDictObject));
    } else {
        Py_TYPE(op)->tp_free(op);
    }
}

static int dict_traverse(PyObject *op, visitproc visit, void *arg)
{
    PyDictKeysObject *keys = ((PyDictObject *)op)->ma_keys;
    if (keys_are_str(keys)) {
        struct dict_str_entry *entries = dict_str_entries(keys);
        for (Py_ssize_t ix = 0; ix < keys->nentries; ix++) {
            Py_VISIT(entries[ix].value);
        }
        return 0;
    }
    struct dict_entry *entries = dict_entries(keys);
    for (Py_ssize_t ix = 0; ix < keys->nentries; ix++) {
        Py_VISIT(entries[ix].key);
        Py_VISIT(entries[ix].value);
    }
    return 0;
}

static int dict_tp_clear(PyObject *op)
{
    PyDict_Clear(op);
    return 0;
}

static int repr_items(str_writer *w, PyObject *dict)
{
    Py_ssize_t pos = 0;
    PyObject *key, *value;
    bool first = true;
    while (dict_next_ref(dict, &pos, &key, &value)) {
        int failed = (!first && str_writer_ascii(w, ", ", 2) < 0) || str_writer_repr(w, key) < 0
                     || str_writer_ascii(w, ": ", 2) < 0 || str_writer_repr(w, value) < 0;
        Py_DECREF(key);
        Py_DECREF(value);
        if (failed) {
            return -1;
        }
        first = false;
    }
    return 0;
}

static PyObject *dict_repr(PyObject *op)
{
    int entered = Py_ReprEnter(op);
    if (entered != 0) {
        return entered > 0 ? PyUnicode_FromString("{...}") : NULL;
    }
    str_writer w;
    str_writer_init(&w);
    PyObject *text = NULL;
    if (str_writer_char(&w, '{') == 0 && repr_items(&w, op) == 0 && str_writer_char(&w, '}') == 0) {
        text = str_writer_finish(&w);
    } else {
        str_writer_drop(&w);
    }
    Py_ReprLeave(op);
    return text;
}

/* 1 equal, 0 not, -1 with an exception. Locks of both held; each comparison may drop them. */
static int equal_locked(PyDictObject *a, PyDictObject *b)
{
    if (a->ma_used != b->ma_used) {
        return 0;
    }
    Py_ssize_t pos = 0;
    PyObject *key, *value, *other;
    Py_hash_t hash;
    while (dict_next((PyObject *)a, &pos, &key, &value, &hash)) {
        Py_INCREF(key);
        Py_INCREF(value);
        int equal = dict_get((PyObject *)b, key, hash, &other);
        if (equal > 0) {
            equal = PyObject_RichCompareBool(value, other, Py_EQ);
            Py_DECREF(other);
        }
        Py_DECREF(key);
        Py_DECREF(value);
        if (equal <= 0) {
            return equal;
        }
    }
    return 1;
}

static PyObject *dict_richcompare(PyObject *a, PyObject *b, int operation)
{
    if (!PyDict_Check(a) || !PyDict_Check(b) || (operation != Py_EQ && operation != Py_NE)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    int equal;
    Py_BEGIN_CRITICAL_SECTION2(a, b);
    equal = equal_locked((PyDictObject *)a, (PyDictObject *)b);
    Py_END_CRITICAL_SECTION2();
    return equal < 0 ? NULL : PyBool_FromLong(equal == (operation == Py_EQ));
}

static Py_ssize_t dict_length(PyObject *op)
{
    return dict_size(op);
}

/* dict[key] when the key is missing: __missing__ of a subclass, else KeyError. */
static PyObject *dict_missing(PyObject *op, PyObject *key)
{
    if (!PyDict_CheckExact(op)) {
        PyObject *missing = object_lookup_special(op, ID(__missing__));
        if (missing != NULL) {
            PyObject *value = PyObject_CallOneArg(missing, key);
            Py_DECREF(missing);
            return value;
        }
        if (PyErr_Occurred()) {
            return NULL;
        }
    }
    raise_key(key);
    return NULL;
}

static PyObject *dict_subscript(PyObject *op, PyObject *key)
{
    PyObject *value;
    int found = dict_get_item(op, key, &value);
    return found == 0 ? dict_missing(op, key) : value;
}

static int dict_ass_subscript(PyObject *op, PyObject *key, PyObject *value)
{
    return value == NULL ? PyDict_DelItem(op, key) : PyDict_SetItem(op, key, value);
}

static PyObject *dict_or(PyObject *a, PyObject *b)
{
    if (!PyDict_Check(a) || !PyDict_Check(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *result = PyDict_Copy(a);
    if (result != NULL && dict_merge(result, b, 1) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

static PyObject *dict_ior(PyObject *self, PyObject *other)
{
    return update_from_argument(self, other) < 0 ? NULL : Py_NewRef(self);
}

/* ---- methods --------------------------------------------------------------------------------- */

#include "dict.bind.h"

static PyObject *dict_getitem(PyDictObject *self, PyObject *key)
{
    return dict_subscript((PyObject *)self, key);
}

static int dict_contains_method(PyDictObject *self, PyObject *key)
{
    return PyDict_Contains((PyObject *)self, key);
}

static PyObject *dict_get_method(PyDictObject *self, PyObject *key, PyObject *dflt)
{
    PyObject *value;
    int found = dict_get_item((PyObject *)self, key, &value);
    return found == 0 ? Py_NewRef(dflt) : value;
}

static PyObject *dict_setdefault_method(PyDictObject *self, PyObject *key, PyObject *dflt)
{
    PyObject *value;
    PyDict_SetDefaultRef((PyObject *)self, key, dflt, &value);
    return value;
}

static PyObject *dict_pop_method(PyDictObject *self, PyObject *key, PyObject *dflt)
{
    return _PyDict_Pop((PyObject *)self, key, dflt);
}

static PyObject *dict_popitem(PyDictObject *self)
{
    if (self->ma_used == 0) {
        PyErr_SetString(PyExc_KeyError, "popitem(): dictionary is empty");
        return NULL;
    }
    PyDictKeysObject *keys = self->ma_keys;
    Py_ssize_t ix = keys->nentries - 1;
    while (*keys_key_slot(keys, ix) == NULL) {
        ix--;
    }
    PyObject *key = Py_NewRef(*keys_key_slot(keys, ix));
    PyObject *value = dict_take_locked(self, ix, keys_hash_at(keys, ix));
    /* Its place may be used again, but not counted as usable: the index keeps a dummy for it. */
    field_store(&keys->nentries, ix);
    return tuple_pair_steal(key, value);
}

static PyObject *dict_copy(PyDictObject *self)
{
    return dict_copy_locked(self);
}

static PyObject *dict_clear(PyDictObject *self)
{
    dict_clear_locked(self);
    Py_RETURN_NONE;
}

static PyObject *dict_keys(PyDictObject *self)
{
    return dict_view_new(&PyDictKeys_Type, (PyObject *)self);
}

static PyObject *dict_values(PyDictObject *self)
{
    return dict_view_new(&PyDictValues_Type, (PyObject *)self);
}

static PyObject *dict_items(PyDictObject *self)
{
    return dict_view_new(&PyDictItems_Type, (PyObject *)self);
}

static PyObject *dict_reversed(PyDictObject *self)
{
    return dict_iter_new(&PyDictRevIterKey_Type, (PyObject *)self);
}

static Py_ssize_t dict_memory(PyDictObject *d)
{
    size_t size = (size_t)Py_TYPE(d)->tp_basicsize;
    PyDictKeysObject *keys = d->ma_keys;
    if (keys != KEYS_EMPTY) {
        size += keys_bytes(keys);
    }
    return (Py_ssize_t)size;
}

static Py_ssize_t dict_sizeof(PyDictObject *self)
{
    return dict_memory(self);
}

static PyObject *dict_class_getitem(PyTypeObject *type, PyObject *item)
{
    return Py_GenericAlias((PyObject *)type, item);
}

static PyObject *dict_update(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                             PyObject *kwnames)
{
    if (check_count("update", nargs) < 0 || (nargs == 1 && update_from_argument(self, args[0]) < 0)
        || (kwnames != NULL && dict_update_from_kwargs(self, kwnames, args + nargs) < 0)) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* fromkeys() into an exact dict from a dict or set, whose hashes are known. */
static int fromkeys_hashed(PyObject *result, PyObject *iterable, PyObject *value)
{
    Py_ssize_t pos = 0;
    PyObject *key;
    Py_hash_t hash;
    bool is_dict = PyDict_CheckExact(iterable);
    while (is_dict ? dict_next(iterable, &pos, &key, NULL, &hash)
                   : set_next(iterable, &pos, &key, &hash)) {
        if (dict_insert_owned_locked((PyDictObject *)result, Py_NewRef(key), hash, Py_NewRef(value))
            < 0) {
            return -1;
        }
    }
    return 0;
}

static int fromkeys_fill(PyObject *result, PyObject *iterable, PyObject *value)
{
    if (PyDict_CheckExact(result) && dict_size(result) == 0
        && (PyDict_CheckExact(iterable) || PyAnySet_CheckExact(iterable))) {
        int failed;
        Py_BEGIN_CRITICAL_SECTION2(result, iterable);
        failed = fromkeys_hashed(result, iterable, value);
        Py_END_CRITICAL_SECTION2();
        return failed;
    }
    PyObject *it = PyObject_GetIter(iterable);
    if (it == NULL) {
        return -1;
    }
    bool exact = PyDict_CheckExact(result);
    PyObject *key;
    while ((key = PyIter_Next(it)) != NULL) {
        int failed =
            exact ? PyDict_SetItem(result, key, value) : PyObject_SetItem(result, key, value);
        Py_DECREF(key);
        if (failed < 0) {
            break;
        }
    }
    Py_DECREF(it);
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *dict_fromkeys(PyTypeObject *type, PyObject *iterable, PyObject *value)
{
    PyObject *result = PyObject_CallNoArgs((PyObject *)type);
    if (result != NULL && fromkeys_fill(result, iterable, value) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

/* ---- the type -------------------------------------------------------------------------------- */

static PyNumberMethods dict_as_number = {
    .nb_or = dict_or,
    .nb_inplace_or = dict_ior,
};

static PySequenceMethods dict_as_sequence = {
    .sq_contains = PyDict_Contains,
};

static PyMappingMethods dict_as_mapping = {
    .mp_length = dict_length,
    .mp_subscript = dict_subscript,
    .mp_ass_subscript = dict_ass_subscript,
};

PyTypeObject PyDict_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "dict",
    .tp_basicsize = sizeof(PyDictObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE
                | Py_TPFLAGS_DICT_SUBCLASS | _Py_TPFLAGS_MATCH_SELF | Py_TPFLAGS_MAPPING,
    .tp_doc = "dict(**kwargs) -> dict\n"
              "dict(mapping, **kwargs) -> dict\n"
              "dict(iterable, **kwargs) -> dict\n"
              "\n"
              "A mapping that keeps its keys in the order of insertion, filled from another\n"
              "mapping or an iterable of pairs, and then from the keyword arguments.",
    .tp_dealloc = dict_dealloc,
    .tp_traverse = dict_traverse,
    .tp_clear = dict_tp_clear,
    .tp_repr = dict_repr,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_richcompare = dict_richcompare,
    .tp_as_number = &dict_as_number,
    .tp_as_sequence = &dict_as_sequence,
    .tp_as_mapping = &dict_as_mapping,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_iter = dict_iter,
    .tp_methods = dict_methods,
    .tp_init = dict_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = dict_new,
    .tp_vectorcall = dict_vectorcall,
    .tp_free = PyObject_GC_Del,
};
