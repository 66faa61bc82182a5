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
    PyDictObject
        *dict;       /* owned; never changes where threads run together, else NULL when exhausted */
    Py_ssize_t used; /* size of the dict at the start, or a state below */
    Py_ssize_t pos;  /* next entry to look at */
    Py_ssize_t end;  /* forwards: entries that there were at the start */
    PyObject
        *result; /* pair given last, used again while nobody else has it; or NULL. The owner's */
};

/* The dict was found changed; all its items were given out. */
enum { USED_CHANGED = -1, USED_UP = -2 };

static bool is_backwards(PyTypeObject *type)
{
    return type == &PyDictRevIterKey_Type || type == &PyDictRevIterValue_Type
           || type == &PyDictRevIterItem_Type;
}

PyObject *dict_iter_new(PyTypeObject *type, PyObject *dict)
{
    struct dict_iter *it = (struct dict_iter *)birth_of_container(type, sizeof(struct dict_iter));
    if (it == NULL) {
        return NULL;
    }
    it->dict = (PyDictObject *)Py_NewRef(dict);
    it->used = dict_size(dict);
    shared_join(dict);
    it->end = field_load(&field_load_acquire(&it->dict->ma_keys)->nentries);
    it->pos = is_backwards(type) ? it->end - 1 : 0;
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
    field_store(&it->used, USED_UP);
    if (!lock_threads_run_together()) {
        Py_CLEAR(it->dict);
    }
    return false;
}

/* The next entry in a direction: its key and value as new references (each may be NULL if not
 * wanted). False at the end and when the dict has changed, which raises. The dict's lock is held. */
static bool step_locked(struct dict_iter *it, int direction, PyObject **key, PyObject **value)
{
    PyDictObject *d = it->dict;
    if (d == NULL || field_load(&it->used) == USED_UP) {
        return false;
    }
    shared_mark((PyObject *)d);
    if (field_load(&it->used) != d->ma_used) {
        PyErr_SetString(PyExc_RuntimeError, "dictionary changed size during iteration");
        field_store(&it->used, USED_CHANGED);
        return false;
    }
    PyDictKeysObject *keys = d->ma_keys;
    Py_ssize_t ix = field_load(&it->pos);
    if (ix >= keys->nentries && direction < 0) {
        ix = keys->nentries - 1;
    }
    while (ix >= 0 && ix < keys->nentries && *keys_value_slot(keys, ix) == NULL) {
        ix += direction;
    }
    if (ix < 0 || ix >= keys->nentries) {
        return finish_locked(it);
    }
    if (direction > 0 && ix >= it->end) {
        PyErr_SetString(PyExc_RuntimeError, "dictionary keys changed during iteration");
        return finish_locked(it);
    }
    field_store(&it->pos, ix + direction);
    if (key != NULL) {
        *key = shared_new_ref(*keys_key_slot(keys, ix));
    }
    if (value != NULL) {
        *value = shared_new_ref(*keys_value_slot(keys, ix));
    }
    return true;
}

/* The same without the lock. False: that did not work, or there is more to say; nothing is changed then. Two threads
 * that step one iterator at a time may get the same entry. */
ALWAYS_INLINE bool step_free(struct dict_iter *it, int direction, PyObject **key, PyObject **value)
{
    PyDictObject *d = it->dict;
    if (unlikely(d == NULL || field_load(&it->used) != dict_size((PyObject *)d)
                 || shared_needs_lock((PyObject *)d))) {
        return false;
    }
    PyDictKeysObject *keys = field_load_acquire(&d->ma_keys);
    Py_ssize_t ix = field_load(&it->pos);
    if (unlikely((size_t)ix >= (size_t)it->end || ix >= field_load_acquire(&keys->nentries))) {
        return false;
    }
    PyObject **entry =
        keys_are_str(keys) ? &dict_str_entries(keys)[ix].key : &dict_entries(keys)[ix].key;
    bool empty;
    PyObject *k = NULL, *v = NULL;
    if ((key != NULL && unlikely((k = ref_try_load(&entry[0], &empty)) == NULL))
        || (value != NULL && unlikely((v = ref_try_load(&entry[1], &empty)) == NULL))
        || (lock_threads_run_together()
            && unlikely((key != NULL && field_load_acquire(&entry[0]) != k)
                        || field_load_acquire(&d->ma_keys) != keys))) {
        Py_XDECREF(k);
        Py_XDECREF(v);
        return false;
    }
    field_store(&it->pos, ix + direction);
    if (key != NULL) {
        *key = k;
    }
    if (value != NULL) {
        *value = v;
    }
    return true;
}

static NOINLINE bool step_slow(struct dict_iter *it, int direction, PyObject **key,
                               PyObject **value)
{
    bool found;
    Py_BEGIN_CRITICAL_SECTION(it->dict);
    found = step_locked(it, direction, key, value);
    Py_END_CRITICAL_SECTION();
    return found;
}

ALWAYS_INLINE bool step(struct dict_iter *it, int direction, PyObject **key, PyObject **value)
{
    return likely(step_free(it, direction, key, value)) || step_slow(it, direction, key, value);
}

ALWAYS_INLINE PyObject *next_key(PyObject *op, int direction)
{
    PyObject *key;
    return step((struct dict_iter *)op, direction, &key, NULL) ? key : NULL;
}

ALWAYS_INLINE PyObject *next_value(PyObject *op, int direction)
{
    PyObject *value;
    return step((struct dict_iter *)op, direction, NULL, &value) ? value : NULL;
}

ALWAYS_INLINE PyObject *next_item(PyObject *op, int direction)
{
    struct dict_iter *it = (struct dict_iter *)op;
    PyObject *key, *value;
    return step(it, direction, &key, &value) ? tuple_pair_again(op, &it->result, key, value) : NULL;
}

bool dict_iter_item_words(PyObject *op, value_t words[2])
{
    PyObject *key, *value;
    if (!step((struct dict_iter *)op, 1, &key, &value)) {
        return false;
    }
    words[1] = value_from_owned(key);
    words[0] = value_from_owned(value);
    return true;
}

static PyObject *iter_next_key(PyObject *op)
{
    return next_key(op, 1);
}
static PyObject *iter_next_value(PyObject *op)
{
    return next_value(op, 1);
}
static PyObject *iter_next_item(PyObject *op)
{
    return next_item(op, 1);
}
static PyObject *iter_prev_key(PyObject *op)
{
    return next_key(op, -1);
}
static PyObject *iter_prev_value(PyObject *op)
{
    return next_value(op, -1);
}
static PyObject *iter_prev_item(PyObject *op)
{
    return next_item(op, -1);
}

#include "dict_iter.bind.h"

static Py_ssize_t dict_iter_length_hint(struct dict_iter *self)
{
    Py_ssize_t n = 0;
    Py_BEGIN_CRITICAL_SECTION(self->dict);
    PyDictObject *d = self->dict;
    if (d != NULL && field_load(&self->used) == d->ma_used) {
        Py_ssize_t pos = field_load(&self->pos), nentries = d->ma_keys->nentries;
        bool backwards = is_backwards(Py_TYPE(self));
        Py_ssize_t first = backwards ? 0 : pos, last = backwards ? pos : self->end - 1;
        for (Py_ssize_t ix = first; ix <= last && ix < nentries; ix++) {
            n += *keys_value_slot(d->ma_keys, ix) != NULL;
        }
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
    copy->used = field_load(&self->used);
    copy->pos = field_load(&self->pos);
    copy->end = self->end;
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
        PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = NAME,                                     \
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
