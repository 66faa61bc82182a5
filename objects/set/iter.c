/*
 * Iterators over sets.
 */
#include "objects/birth.h"
#include "objects/gc/gc.h"
#include "objects/iter.h"
#include "objects/set/table.h"

struct set_iter {
    PyObject_HEAD
    PySetObject
        *set;        /* owned; never changes where threads run together, else NULL when exhausted */
    Py_ssize_t used; /* size of the set at the start, or a state below */
    Py_ssize_t pos;  /* next slot to look at */
};

/* The set was found changed; all its keys were given out. */
enum { USED_CHANGED = -1, USED_UP = -2 };

PyObject *set_iter(PyObject *op)
{
    struct set_iter *it =
        (struct set_iter *)birth_of_container(&PySetIter_Type, sizeof(struct set_iter));
    if (it == NULL) {
        return NULL;
    }
    it->set = (PySetObject *)Py_NewRef(op);
    it->used = field_load(&it->set->used);
    it->pos = 0;
    gc_track_new((PyObject *)it);
    return (PyObject *)it;
}

static void set_iter_dealloc(PyObject *op)
{
    gc_untrack_dead(op);
    Py_XDECREF(((struct set_iter *)op)->set);
    death_of_container(op, sizeof(struct set_iter));
}

static int set_iter_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((struct set_iter *)op)->set);
    return 0;
}

/* The set's lock held. Finished: drops the set where nobody can be about to take its lock. */
static PyObject *next_locked(struct set_iter *it)
{
    PySetObject *set = it->set;
    if (set == NULL || field_load(&it->used) == USED_UP) {
        return NULL;
    }
    shared_mark((PyObject *)set);
    if (field_load(&it->used) != set->used) {
        PyErr_SetString(PyExc_RuntimeError, "Set changed size during iteration");
        field_store(&it->used, USED_CHANGED);
        return NULL;
    }
    PyObject *key;
    Py_hash_t hash;
    Py_ssize_t pos = field_load(&it->pos);
    if (pos > set->mask || !set_walk(set, &pos, &key, &hash)) {
        field_store(&it->used, USED_UP);
        if (!lock_threads_run_together()) {
            Py_CLEAR(it->set);
        }
        return NULL;
    }
    field_store(&it->pos, pos);
    return shared_new_ref(key);
}

/* The same without the lock. NULL: that did not work, or there is more to say; nothing is changed then. */
static inline PyObject *next_free(struct set_iter *it)
{
    PySetObject *set = it->set;
    if (unlikely(set == NULL || field_load(&it->used) != field_load(&set->used)
                 || shared_needs_lock((PyObject *)set))) {
        return NULL;
    }
    Py_ssize_t mask, i = field_load(&it->pos);
    setentry *table = set_look(set, &mask);
    if (unlikely(table == NULL)) {
        return NULL;
    }
    for (setentry *entry = &table[i], *end = &table[mask]; entry <= end; entry++) {
        PyObject *key = field_load_acquire(&entry->key);
        if (key == NULL || unlikely(key == set_dummy)) {
            continue;
        }
        if (unlikely(!ref_try_hold(key, &entry->key))) {
            return NULL;
        }
        if (lock_threads_run_together() && unlikely(field_load_acquire(&set->table) != table)) {
            Py_DECREF(key);
            return NULL;
        }
        field_store(&it->pos, entry - table + 1);
        return key;
    }
    return NULL;
}

static NOINLINE PyObject *next_slow(struct set_iter *it)
{
    PyObject *key;
    Py_BEGIN_CRITICAL_SECTION(it->set);
    key = next_locked(it);
    Py_END_CRITICAL_SECTION();
    return key;
}

static PyObject *set_iter_next(PyObject *op)
{
    struct set_iter *it = (struct set_iter *)op;
    PyObject *key = next_free(it);
    return likely(key != NULL) ? key : next_slow(it);
}

#include "set_iter.bind.h"

static Py_ssize_t set_iterator_length_hint(struct set_iter *self)
{
    Py_ssize_t left = 0;
    Py_BEGIN_CRITICAL_SECTION(self->set);
    if (self->set != NULL && field_load(&self->used) == self->set->used) {
        for (Py_ssize_t i = field_load(&self->pos); i <= self->set->mask; i++) {
            left += entry_is_used(&self->set->table[i]);
        }
    }
    Py_END_CRITICAL_SECTION();
    return left;
}

/* (iter, ([keys left],)) */
static PyObject *set_iterator_reduce(struct set_iter *self)
{
    struct set_iter *copy =
        (struct set_iter *)birth_of_container(&PySetIter_Type, sizeof(struct set_iter));
    if (copy == NULL) {
        return NULL;
    }
    copy->set = (PySetObject *)Py_XNewRef(self->set);
    copy->used = field_load(&self->used);
    copy->pos = field_load(&self->pos);
    gc_track((PyObject *)copy);
    PyObject *keys = PySequence_List((PyObject *)copy);
    Py_DECREF(copy);
    PyObject *iter = keys == NULL ? NULL : iter_builtin(ID(iter));
    if (iter == NULL) {
        Py_XDECREF(keys);
        return NULL;
    }
    return Py_BuildValue("N(N)", iter, keys);
}

PyTypeObject PySetIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "set_iterator",
    .tp_basicsize = sizeof(struct set_iter),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_dealloc = set_iter_dealloc,
    .tp_traverse = set_iter_traverse,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = set_iter_next,
    .tp_methods = set_iterator_methods,
};
