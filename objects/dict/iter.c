/*
 * Iterators over dicts, forwards and backwards, by key, value and item.
 */
#include "objects/dict/keys.h"
#include "objects/birth.h"
#include "objects/gc/gc.h"
#include "objects/iter_words.h"
#include "objects/shared.h"
#include "objects/tuple.h"

struct dict_iter {
    PyObject_HEAD
    PyDictObject *dict;     /* owned; never changes where threads run together, else NULL when exhausted */
    Py_ssize_t used;        /* size of the dict at the start, or a state below */
    Py_ssize_t pos;         /* next entry to look at */
    PyObject *result;       /* pair given last, used again while nobody else has it; or NULL */
    Py_ssize_t left;        /* items still to come */
};

/* The dict was found changed; all its items were given out. */
enum { USED_CHANGED = -1, USED_UP = -2 };

PyObject *dict_iter_new(PyTypeObject *type, PyObject *dict)
{
    struct dict_iter *it = (struct dict_iter *)birth_of_container(type, sizeof(struct dict_iter));
    if (it == NULL) {
        return NULL;
    }
    bool backwards = type == &PyDictRevIterKey_Type || type == &PyDictRevIterValue_Type ||
                     type == &PyDictRevIterItem_Type;
    PyDictObject *d = (PyDictObject *)dict;
    it->dict = (PyDictObject *)Py_NewRef(dict);
    it->used = it->left = dict_size(dict);
    Py_BEGIN_CRITICAL_SECTION(dict);
    it->pos = backwards ? d->ma_keys->nentries - 1 : 0;
    Py_END_CRITICAL_SECTION();
    it->result = NULL;
    gc_track_new((PyObject *)it);
    return (PyObject *)it;
}

PyObject *dict_iter(PyObject *dict)
{
    return dict_iter_new(&PyDictIterKey_Type, dict);
}

static void dict_iter_dealloc(PyObject *op)
{
    struct dict_iter *it = (struct dict_iter *)op;
    gc_untrack_dead(op);
    Py_XDECREF(it->dict);
    Py_XDECREF(it->result);
    death_of_container(op, sizeof(struct dict_iter));
}

static int dict_iter_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((struct dict_iter *)op)->dict);
    Py_VISIT(((struct dict_iter *)op)->result);
    return 0;
}

/* Nothing comes any more: drops the dict where nobody can be about to take its lock. */
static bool finish_locked(struct dict_iter *it)
{
    it->used = USED_UP;
    if (!lock_threads_run_together()) {
        Py_CLEAR(it->dict);
    }
    return false;
}

/* The next entry in a direction: its key and value as new references (each may be NULL if not
 * wanted). False at the end and when the dict has changed, which raises. The dict's lock is held, which
 * guards the iterator's fields too. */
static bool step_locked(struct dict_iter *it, int direction, PyObject **key, PyObject **value)
{
    PyDictObject *d = it->dict;
    if (d == NULL || it->used == USED_UP) {
        return false;
    }
    if (it->used != d->ma_used) {
        PyErr_SetString(PyExc_RuntimeError, "dictionary changed size during iteration");
        it->used = USED_CHANGED;
        return false;
    }
    PyDictKeysObject *keys = d->ma_keys;
    Py_ssize_t ix = it->pos;
    if (ix >= keys->nentries && direction < 0) {
        ix = keys->nentries - 1;
    }
    while (ix >= 0 && ix < keys->nentries && *keys_value_slot(keys, ix) == NULL) {
        ix += direction;
    }
    if (ix < 0 || ix >= keys->nentries) {
        return finish_locked(it);
    }
    if (it->left == 0) {
        PyErr_SetString(PyExc_RuntimeError, "dictionary keys changed during iteration");
        return finish_locked(it);
    }
    it->pos = ix + direction;
    it->left--;
    if (key != NULL) {
        *key = Py_NewRef(*keys_key_slot(keys, ix));
    }
    if (value != NULL) {
        *value = shared_new_ref(*keys_value_slot(keys, ix));
    }
    return true;
}

static inline bool step(struct dict_iter *it, int direction, PyObject **key, PyObject **value)
{
    if (!lock_threads_run_together()) {
        return step_locked(it, direction, key, value);
    }
    bool found;
    Py_BEGIN_CRITICAL_SECTION(it->dict);
    found = step_locked(it, direction, key, value);
    Py_END_CRITICAL_SECTION();
    return found;
}

static PyObject *next_key(PyObject *op, int direction)
{
    PyObject *key;
    return step((struct dict_iter *)op, direction, &key, NULL) ? key : NULL;
}

static PyObject *next_value(PyObject *op, int direction)
{
    PyObject *value;
    return step((struct dict_iter *)op, direction, NULL, &value) ? value : NULL;
}

/* The last pair again if nobody holds it any more: for k, v in d.items() makes no tuples. */
static PyObject *reuse_pair(struct dict_iter *it, PyObject *key, PyObject *value)
{
    PyObject *pair = it->result;
    PyObject *old_key = PyTuple_GET_ITEM(pair, 0), *old_value = PyTuple_GET_ITEM(pair, 1);
    Py_INCREF(pair);
    PyTuple_SET_ITEM(pair, 0, key);
    PyTuple_SET_ITEM(pair, 1, value);
    if (!(field_load(object_gc_byte_small(pair)) & GC_TRACKED)) {
        gc_track(pair);
    }
    Py_DECREF(old_key);
    Py_DECREF(old_value);
    return pair;
}

/* Takes over both references. */
static inline PyObject *pair_of(struct dict_iter *it, PyObject *key, PyObject *value)
{
    if (lock_threads_run_together()) {
        return tuple_pair_steal(key, value);
    }
    if (likely(it->result != NULL && ref_is_unique(it->result))) {
        return reuse_pair(it, key, value);
    }
    PyObject *pair = tuple_pair_steal(key, value);
    Py_XSETREF(it->result, Py_XNewRef(pair));
    return pair;
}

static PyObject *next_item(PyObject *op, int direction)
{
    struct dict_iter *it = (struct dict_iter *)op;
    PyObject *key, *value;
    if (!step(it, direction, &key, &value)) {
        return NULL;
    }
    return pair_of(it, key, value);
}

/* With a global lock, the usual step forwards: key and value in the entry that comes next. NULL: the long way
 * (nothing is changed then). */
static inline PyObject **step_plain(struct dict_iter *it)
{
    PyDictObject *d = it->dict;
    if (lock_threads_run_together() || d == NULL || it->used != d->ma_used || it->left == 0) {
        return NULL;
    }
    PyDictKeysObject *keys = d->ma_keys;
    Py_ssize_t ix = it->pos;
    PyObject **entry = keys_are_str(keys) ? &dict_str_entries(keys)[ix].key : &dict_entries(keys)[ix].key;
    if (ix >= keys->nentries || entry[1] == NULL) {
        return NULL;
    }
    it->pos = ix + 1;
    it->left--;
    return entry;
}

static PyObject *iter_next_key(PyObject *op)
{
    PyObject **entry = step_plain((struct dict_iter *)op);
    return entry != NULL ? Py_NewRef(entry[0]) : next_key(op, 1);
}

static PyObject *iter_next_value(PyObject *op)
{
    PyObject **entry = step_plain((struct dict_iter *)op);
    return entry != NULL ? Py_NewRef(entry[1]) : next_value(op, 1);
}

static PyObject *iter_next_item(PyObject *op)
{
    struct dict_iter *it = (struct dict_iter *)op;
    PyObject **entry = step_plain(it);
    return entry != NULL ? pair_of(it, Py_NewRef(entry[0]), Py_NewRef(entry[1])) : next_item(op, 1);
}

bool dict_iter_item_words(PyObject *op, value_t words[2])
{
    PyObject **entry = step_plain((struct dict_iter *)op), *key, *value;
    if (likely(entry != NULL)) {
        words[1] = value_from_owned(Py_NewRef(entry[0]));
        words[0] = value_from_owned(Py_NewRef(entry[1]));
        return true;
    }
    if (!step((struct dict_iter *)op, 1, &key, &value)) {
        return false;
    }
    words[1] = value_from_owned(key);
    words[0] = value_from_owned(value);
    return true;
}

static PyObject *iter_prev_key(PyObject *op) { return next_key(op, -1); }
static PyObject *iter_prev_value(PyObject *op) { return next_value(op, -1); }
static PyObject *iter_prev_item(PyObject *op) { return next_item(op, -1); }

#include "dict_iter.bind.h"

static Py_ssize_t dict_iter_length_hint(struct dict_iter *self)
{
    Py_ssize_t n = 0;
    Py_BEGIN_CRITICAL_SECTION(self->dict);
    if (self->dict != NULL && self->used == dict_size((PyObject *)self->dict)) {
        n = self->left;
    }
    Py_END_CRITICAL_SECTION();
    return n;
}

/* (iter, ([items left],)): a copy of the iterator is run to its end. */
static PyObject *dict_iter_reduce(struct dict_iter *self)
{
    struct dict_iter *copy = (struct dict_iter *)object_new_raw(Py_TYPE(self), 0);
    if (copy == NULL) {
        return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION(self->dict);
    copy->dict = (PyDictObject *)Py_XNewRef(self->dict);
    copy->used = self->used;
    copy->pos = self->pos;
    copy->left = self->left;
    Py_END_CRITICAL_SECTION();
    copy->result = NULL;
    gc_track((PyObject *)copy);
    PyObject *items = PySequence_List((PyObject *)copy);
    Py_DECREF(copy);
    PyObject *iter = items == NULL ? NULL : iter_builtin(ID(iter));
    if (iter == NULL) {
        Py_XDECREF(items);
        return NULL;
    }
    return Py_BuildValue("N(N)", iter, items);
}

#define DICT_ITER_TYPE(VARIABLE, NAME, NEXT)                                                       \
    PyTypeObject VARIABLE = {                                                                      \
        PyVarObject_HEAD_INIT(&PyType_Type, 0)                                                     \
        .tp_name = NAME,                                                                           \
        .tp_basicsize = sizeof(struct dict_iter),                                                  \
        .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,                                       \
        .tp_dealloc = dict_iter_dealloc,                                                           \
        .tp_traverse = dict_iter_traverse,                                                         \
        .tp_getattro = PyObject_GenericGetAttr,                                                    \
        .tp_iter = PyObject_SelfIter,                                                              \
        .tp_iternext = NEXT,                                                                       \
        .tp_methods = dict_iter_methods,                                                           \
    }

DICT_ITER_TYPE(PyDictIterKey_Type, "dict_keyiterator", iter_next_key);
DICT_ITER_TYPE(PyDictIterValue_Type, "dict_valueiterator", iter_next_value);
DICT_ITER_TYPE(PyDictIterItem_Type, "dict_itemiterator", iter_next_item);
DICT_ITER_TYPE(PyDictRevIterKey_Type, "dict_reversekeyiterator", iter_prev_key);
DICT_ITER_TYPE(PyDictRevIterValue_Type, "dict_reversevalueiterator", iter_prev_value);
DICT_ITER_TYPE(PyDictRevIterItem_Type, "dict_reverseitemiterator", iter_prev_item);
