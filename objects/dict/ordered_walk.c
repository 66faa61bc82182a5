/*
 * Views and iterators of OrderedDict.
 *
 * An iterator points to the next node; that is valid as long as the list has not changed, which the
 * dict's state tells.
 */
#include "objects/dict/ordered.h"

#include "objects/gc/gc.h"
#include "objects/tuple.h"

PyObject *odict_value_of(struct odict *self, PyObject *key)
{
    PyObject *value;
    Py_hash_t hash = dict_hash_key(key);
    if (hash != -1 && dict_get((PyObject *)self, key, hash, &value) != 0) {
        return value;
    }
    if (hash != -1) {
        raise_key(key);
    }
    return NULL;
}

PyObject *odict_iter_new(struct odict *dict, int kind)
{
    struct odict_iter *it = (struct odict_iter *)object_new_raw(&PyODictIter_Type, 0);
    if (it == NULL) {
        return NULL;
    }
    it->kind = kind;
    it->dict = (struct odict *)Py_NewRef(dict);
    it->spare = NULL;
    CRITICAL_SECTION((PyObject *)dict);
    it->next = kind & ODICT_REVERSED ? dict->last : dict->first;
    it->size = PyDict_GET_SIZE((PyObject *)dict);
    it->state = dict->state;
    CRITICAL_SECTION_END();
    gc_track((PyObject *)it);
    return (PyObject *)it;
}

/* The next key (new reference), or NULL, with an exception if the dict was changed. Locks of both
 * held. */
static PyObject *next_key(struct odict_iter *self, struct odict *dict)
{
    if (self->state != dict->state) {
        self->size = -1;
        PyErr_SetString(PyExc_RuntimeError, "OrderedDict mutated during iteration");
        return NULL;
    }
    if (self->size != PyDict_GET_SIZE((PyObject *)dict)) {
        self->size = -1;
        PyErr_SetString(PyExc_RuntimeError, "OrderedDict changed size during iteration");
        return NULL;
    }
    struct odict_node *node = self->next;
    if (node == NULL) {
        return NULL;
    }
    self->next = self->kind & ODICT_REVERSED ? node->prev : node->next;
    return Py_NewRef(node->key);
}

/* The iterator forgets the dict. */
static void iter_end(struct odict_iter *self)
{
    struct odict *dict;
    CRITICAL_SECTION((PyObject *)self);
    dict = self->dict;
    self->dict = NULL;
    self->next = NULL;
    CRITICAL_SECTION_END();
    Py_XDECREF(dict);
}

static PyObject *iter_next(PyObject *op)
{
    struct odict_iter *self = (struct odict_iter *)op;
    struct odict *dict;
    PyObject *key = NULL;
    CRITICAL_SECTION(op);
    dict = (struct odict *)Py_XNewRef(self->dict);
    CRITICAL_SECTION_END();
    if (dict == NULL) {
        return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION2(op, dict);
    key = next_key(self, dict);
    Py_END_CRITICAL_SECTION2();
    int kind = self->kind & ODICT_ITEMS;
    PyObject *result = key;
    if (key == NULL) {
        if (!PyErr_Occurred()) {
            iter_end(self);
        }
    } else if (kind & ODICT_VALUES) {
        PyObject *value = odict_value_of(dict, key);
        result = value;
        if (value == NULL) {
            iter_end(self);
            Py_DECREF(key);
        } else if (kind == ODICT_ITEMS) {
            result = tuple_pair_steal(key, value);
        } else {
            Py_DECREF(key);
        }
    }
    Py_DECREF(dict);
    return result;
}

/* iter() of the list of what is left. */
static PyObject *odict_iter_reduce(struct odict_iter *self)
{
    struct odict_iter *copy = (struct odict_iter *)object_new_raw(&PyODictIter_Type, 0);
    if (copy == NULL) {
        return NULL;
    }
    CRITICAL_SECTION((PyObject *)self);
    copy->kind = self->kind;
    copy->dict = (struct odict *)Py_XNewRef(self->dict);
    copy->size = self->size;
    copy->state = self->state;
    copy->spare = NULL;
    copy->next = self->next;
    CRITICAL_SECTION_END();
    gc_track((PyObject *)copy);
    PyObject *list = PySequence_List((PyObject *)copy);
    Py_DECREF(copy);
    PyObject *builtins = list ? PyEval_GetBuiltins() : NULL, *iter = NULL;
    if (builtins != NULL && PyMapping_GetOptionalItem(builtins, ID(iter), &iter) == 0) {
        PyErr_SetObject(PyExc_AttributeError, ID(iter));
    }
    PyObject *result = iter ? Py_BuildValue("N(N)", iter, list) : NULL;
    if (iter == NULL) {
        Py_XDECREF(list);
    }
    return result;
}

static int iter_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((struct odict_iter *)op)->dict);
    return 0;
}

static void iter_dealloc(PyObject *op)
{
    gc_untrack(op);
    Py_XDECREF(((struct odict_iter *)op)->dict);
    object_free(op);
}

static PyObject *odict_of(struct dict_view *view, int kind)
{
    return odict_iter_new((struct odict *)view->dict, kind);
}

static PyObject *keys_iter(PyObject *view)
{
    return odict_of((struct dict_view *)view, ODICT_KEYS);
}

static PyObject *values_iter(PyObject *view)
{
    return odict_of((struct dict_view *)view, ODICT_VALUES);
}

static PyObject *items_iter(PyObject *view)
{
    return odict_of((struct dict_view *)view, ODICT_ITEMS);
}

static PyObject *odict_keys_view_reversed(struct dict_view *view)
{
    return odict_of(view, ODICT_KEYS | ODICT_REVERSED);
}

static PyObject *odict_values_view_reversed(struct dict_view *view)
{
    return odict_of(view, ODICT_VALUES | ODICT_REVERSED);
}

static PyObject *odict_items_view_reversed(struct dict_view *view)
{
    return odict_of(view, ODICT_ITEMS | ODICT_REVERSED);
}

#include "ordered_walk.bind.h"

PyTypeObject PyODictIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "odict_iterator",
    .tp_basicsize = sizeof(struct odict_iter),
    .tp_dealloc = iter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = iter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iter_next,
    .tp_methods = odict_iter_methods,
};

#define VIEW_TYPE(c_name, name, base, prefix)                                                      \
    PyTypeObject c_name = {                                                                        \
        PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = name,                                     \
        .tp_basicsize = sizeof(struct dict_view),                                                  \
        .tp_flags = Py_TPFLAGS_DEFAULT,                                                            \
        .tp_iter = prefix##_iter,                                                                  \
        .tp_methods = odict_##prefix##_view_methods,                                               \
        .tp_base = &base,                                                                          \
    }

VIEW_TYPE(PyODictKeys_Type, "odict_keys", PyDictKeys_Type, keys);
VIEW_TYPE(PyODictValues_Type, "odict_values", PyDictValues_Type, values);
VIEW_TYPE(PyODictItems_Type, "odict_items", PyDictItems_Type, items);
