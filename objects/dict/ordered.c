/*
 * collections.OrderedDict: a dict with a list of nodes for the order of its keys.
 *
 * A dict keeps an order by itself, but cannot change it, and the methods of dict itself work on an
 * OrderedDict behind its back. So the order has nodes of its own. Since the table's entries have
 * numbers, the node of a key is found by the number that a lookup gives; when the table was replaced,
 * the numbers are found anew by the identity of the keys, which runs no Python code.
 */
#include "objects/dict/ordered.h"

#include "objects/gc/gc.h"
#include "objects/tuple.h"

#include "ordered.bind.h"

/* ---- nodes: lock held ------------------------------------------------------------------------ */

/* The entry that has this very key, or -1. */
static Py_ssize_t find_identical(PyDictKeysObject *keys, PyObject *key, Py_hash_t hash)
{
    if (keys == KEYS_EMPTY) {
        return -1;
    }
    for (struct probe p = probe_start(keys, hash);; probe_next(&p)) {
        Py_ssize_t ix = keys_index_get(keys, p.slot);
        if (ix == IX_EMPTY) {
            return -1;
        }
        if (ix >= 0 && *keys_key_slot(keys, ix) == key) {
            return ix;
        }
    }
}

/* Makes the array fit the dict's table. */
static int nodes_renew(struct odict *self)
{
    PyDictKeysObject *keys = self->dict.ma_keys;
    Py_ssize_t size = keys_capacity(keys->log2_size);
    struct odict_node **nodes = PyMem_Calloc((size_t)size, sizeof *nodes);
    if (nodes == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (struct odict_node *node = self->first; node != NULL; node = node->next) {
        Py_ssize_t ix = find_identical(keys, node->key, node->hash);
        if (ix >= 0) {
            nodes[ix] = node;
        }
    }
    PyMem_Free(self->nodes);
    self->nodes = nodes;
    self->nodes_size = size;
    self->nodes_for = keys;
    return 0;
}

/* The place of the node of entry ix, or NULL with MemoryError. A node that is there is the one of the
 * entry's key. */
static struct odict_node **node_place(struct odict *self, Py_ssize_t ix)
{
    PyDictKeysObject *keys = self->dict.ma_keys;
    if ((self->nodes_for != keys || ix >= self->nodes_size) && nodes_renew(self) < 0) {
        return NULL;
    }
    struct odict_node *node = self->nodes[ix];
    if (node != NULL && node->key != *keys_key_slot(keys, ix)) {
        /* Left over from a table, or an entry, that dict's own methods have removed. */
        if (nodes_renew(self) < 0) {
            return NULL;
        }
    }
    return &self->nodes[ix];
}

static void list_add(struct odict *self, struct odict_node *node, bool last)
{
    node->prev = last ? self->last : NULL;
    node->next = last ? NULL : self->first;
    *(node->prev ? &node->prev->next : &self->first) = node;
    *(node->next ? &node->next->prev : &self->last) = node;
    self->state++;
}

static void list_remove(struct odict *self, struct odict_node *node)
{
    *(node->prev ? &node->prev->next : &self->first) = node->next;
    *(node->next ? &node->next->prev : &self->last) = node->prev;
    self->state++;
}

/* Takes a node off the list and frees it; may run Python code (the key's end). */
static void node_drop(struct odict *self, struct odict_node *node)
{
    PyObject *key = node->key;
    list_remove(self, node);
    PyMem_Free(node);
    Py_DECREF(key);
}

static void nodes_clear(struct odict *self)
{
    struct odict_node *node = self->first;
    self->first = self->last = NULL;
    self->state++;
    PyMem_Free(self->nodes);
    self->nodes = NULL;
    self->nodes_for = NULL;
    self->nodes_size = 0;
    while (node != NULL) {
        struct odict_node *next = node->next;
        Py_DECREF(node->key);
        PyMem_Free(node);
        node = next;
    }
}

/* ---- changing -------------------------------------------------------------------------------- */

/* Gives a new entry the prepared node, which has its key. */
static int attach_node(struct odict *self, Py_ssize_t ix, struct odict_node *node)
{
    struct odict_node **place = node_place(self, ix);
    if (place == NULL) {
        return -1;
    }
    *place = node;
    list_add(self, node, true);
    return 0;
}

static int odict_set_locked(struct odict *self, PyObject *key, Py_hash_t hash, PyObject *value)
{
    PyDictObject *d = &self->dict;
    if (dict_insert_owned_locked(d, Py_NewRef(key), hash, Py_NewRef(value)) < 0) {
        return -1;
    }
    /* Unless the key went in just now, an equal one was there. */
    Py_ssize_t ix = find_identical(d->ma_keys, key, hash);
    if (ix < 0) {
        return 0;
    }
    struct odict_node **place = node_place(self, ix);
    if (place != NULL && *place != NULL) {
        return 0;
    }
    struct odict_node *node = place ? PyMem_Malloc(sizeof *node) : NULL;
    if (node != NULL) {
        node->key = Py_NewRef(key);
        node->hash = hash;
        if (attach_node(self, ix, node) == 0) {
            return 0;
        }
        Py_DECREF(node->key);
        PyMem_Free(node);
    }
    PyErr_NoMemory();
    Py_DECREF(dict_take_locked(d, ix, hash));
    return -1;
}

static int odict_set(struct odict *self, PyObject *key, Py_hash_t hash, PyObject *value)
{
    int rc;
    CRITICAL_SECTION((PyObject *)self);
    rc = odict_set_locked(self, key, hash, value);
    CRITICAL_SECTION_END();
    return rc;
}

/* Removes a key from both: 1 and its value, 0 and NULL if it is missing, -1. */
static int odict_take_locked(struct odict *self, PyObject *key, Py_hash_t hash, PyObject **value)
{
    PyDictObject *d = &self->dict;
    *value = NULL;
    Py_ssize_t ix = dict_lookup(d, key, hash);
    if (ix < 0) {
        return ix == IX_EMPTY ? 0 : -1;
    }
    struct odict_node **place = node_place(self, ix);
    if (place == NULL) {
        return -1;
    }
    struct odict_node *node = *place;
    *place = NULL;
    if (node != NULL) {
        list_remove(self, node);
    }
    *value = dict_take_locked(d, ix, keys_hash_at(d->ma_keys, ix));
    if (node != NULL) {
        Py_DECREF(node->key);
        PyMem_Free(node);
    }
    return 1;
}

static int odict_take(struct odict *self, PyObject *key, Py_hash_t hash, PyObject **value)
{
    int found;
    CRITICAL_SECTION((PyObject *)self);
    found = odict_take_locked(self, key, hash, value);
    CRITICAL_SECTION_END();
    return found;
}

static int odict_del(struct odict *self, PyObject *key)
{
    PyObject *value;
    Py_hash_t hash = dict_hash_key(key);
    int found = hash == -1 ? -1 : odict_take(self, key, hash, &value);
    if (found == 0) {
        return raise_key(key);
    }
    Py_XDECREF(found < 0 ? NULL : value);
    return found < 0 ? -1 : 0;
}

static int odict_ass_subscript(PyObject *op, PyObject *key, PyObject *value)
{
    if (value == NULL) {
        return odict_del((struct odict *)op, key);
    }
    Py_hash_t hash = dict_hash_key(key);
    return hash == -1 ? -1 : odict_set((struct odict *)op, key, hash, value);
}

/* ---- filling from others --------------------------------------------------------------------- */

/* The two parts of a pair, as new references. */
static int split_pair(PyObject *pair, PyObject **key, PyObject **value)
{
    if (PyTuple_CheckExact(pair) && PyTuple_GET_SIZE(pair) == 2) {
        *key = Py_NewRef(PyTuple_GET_ITEM(pair, 0));
        *value = Py_NewRef(PyTuple_GET_ITEM(pair, 1));
        return 0;
    }
    PyObject *list = PySequence_List(pair);
    if (list == NULL) {
        return -1;
    }
    Py_ssize_t n = PyList_GET_SIZE(list);
    if (n == 2) {
        *key = Py_NewRef(PyList_GET_ITEM(list, 0));
        *value = Py_NewRef(PyList_GET_ITEM(list, 1));
    } else {
        PyErr_SetString(PyExc_ValueError, n == 0   ? "need more than 0 values to unpack"
                                          : n == 1 ? "need more than 1 value to unpack"
                                                   : "too many values to unpack (expected 2)");
    }
    Py_DECREF(list);
    return n == 2 ? 0 : -1;
}

static int add_pairs(PyObject *self, PyObject *pairs)
{
    PyObject *it = PyObject_GetIter(pairs), *pair, *key = NULL, *value = NULL;
    if (it == NULL) {
        return -1;
    }
    int rc = 0;
    while (rc == 0 && (pair = PyIter_Next(it)) != NULL) {
        rc = split_pair(pair, &key, &value);
        Py_DECREF(pair);
        if (rc == 0) {
            rc = PyObject_SetItem(self, key, value);
            Py_DECREF(key);
            Py_DECREF(value);
        }
    }
    Py_DECREF(it);
    return rc < 0 || PyErr_Occurred() ? -1 : 0;
}

/* keys: what the method of that name of `other` returned. */
static int add_keys(PyObject *self, PyObject *other, PyObject *keys)
{
    PyObject *it = PyObject_GetIter(keys), *key;
    int rc = it ? 0 : -1;
    while (rc == 0 && (key = PyIter_Next(it)) != NULL) {
        PyObject *value = PyObject_GetItem(other, key);
        rc = value ? PyObject_SetItem(self, key, value) : -1;
        Py_XDECREF(value);
        Py_DECREF(key);
    }
    Py_XDECREF(it);
    return rc < 0 || PyErr_Occurred() ? -1 : 0;
}

static int add_dict(PyObject *self, PyObject *dict)
{
    PyObject *items = PyDict_Items(dict);
    int rc = items ? add_pairs(self, items) : -1;
    Py_XDECREF(items);
    return rc;
}

/* The result of other.name(): 1 and a new reference, 0 without that method, -1. */
static int call_optional(PyObject *other, PyObject *name, PyObject **result)
{
    PyObject *method;
    int rc = PyObject_GetOptionalAttr(other, name, &method);
    if (rc > 0) {
        *result = PyObject_CallNoArgs(method);
        rc = *result ? 1 : -1;
        Py_DECREF(method);
    }
    return rc;
}

static int add_from(PyObject *self, PyObject *other)
{
    if (PyDict_CheckExact(other)) {
        return add_dict(self, other);
    }
    PyObject *found = NULL;
    int rc = call_optional(other, ID(keys), &found);
    if (rc > 0) {
        rc = add_keys(self, other, found);
    } else if (rc == 0) {
        rc = call_optional(other, ID(items), &found);
        if (rc >= 0) {
            rc = add_pairs(self, rc > 0 ? found : other);
        }
    }
    Py_XDECREF(found);
    return rc;
}

static int add_arguments(PyObject *self, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t n = args ? PyTuple_GET_SIZE(args) : 0;
    if (n > 1) {
        PyErr_Format(PyExc_TypeError, "update() takes at most 1 positional argument (%zd given)",
                     n);
        return -1;
    }
    if (n == 1 && add_from(self, PyTuple_GET_ITEM(args, 0)) < 0) {
        return -1;
    }
    return kwargs != NULL ? add_dict(self, kwargs) : 0;
}

static PyObject *odict_update(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return add_arguments(self, args, kwargs) < 0 ? NULL : Py_NewRef(Py_None);
}

static int odict_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (n > 1) {
        PyErr_Format(PyExc_TypeError, "expected at most 1 arguments, got %zd", n);
        return -1;
    }
    return add_arguments(self, args, kwargs);
}

static PyObject *odict_or(PyObject *left, PyObject *right)
{
    PyTypeObject *type = PyODict_Check(left) ? Py_TYPE(left) : Py_TYPE(right);
    if (!PyDict_Check(left) || !PyDict_Check(right)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *result = PyObject_CallOneArg((PyObject *)type, left);
    if (result != NULL && add_from(result, right) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

static PyObject *odict_ior(PyObject *self, PyObject *other)
{
    return add_from(self, other) < 0 ? NULL : Py_NewRef(self);
}

/* ---- methods --------------------------------------------------------------------------------- */

static PyObject *odict_fromkeys(PyTypeObject *type, PyObject *iterable, PyObject *value)
{
    PyObject *self = PyObject_CallNoArgs((PyObject *)type);
    PyObject *it = self ? PyObject_GetIter(iterable) : NULL, *key;
    int rc = it ? 0 : -1;
    while (rc == 0 && (key = PyIter_Next(it)) != NULL) {
        rc = PyObject_SetItem(self, key, value);
        Py_DECREF(key);
    }
    Py_XDECREF(it);
    if (rc < 0 || PyErr_Occurred()) {
        Py_CLEAR(self);
    }
    return self;
}

static Py_ssize_t odict_memory(struct odict *self)
{
    PyObject *size = PyObject_CallMethod((PyObject *)&PyDict_Type, "__sizeof__", "O", self);
    Py_ssize_t bytes = size ? PyLong_AsSsize_t(size) : -1;
    Py_XDECREF(size);
    if (bytes >= 0) {
        CRITICAL_SECTION((PyObject *)self);
        bytes += self->nodes_size * (Py_ssize_t)sizeof *self->nodes;
        for (struct odict_node *node = self->first; node != NULL; node = node->next) {
            bytes += (Py_ssize_t)sizeof *node;
        }
        CRITICAL_SECTION_END();
    }
    return bytes;
}

static PyObject *odict_reduce(struct odict *self)
{
    PyObject *op = (PyObject *)self;
    PyObject *state = PyObject_CallMethod(op, "__getstate__", NULL);
    PyObject *items = state ? PyObject_CallMethodNoArgs(op, ID(items)) : NULL;
    PyObject *it = items ? PyObject_GetIter(items) : NULL;
    PyObject *result = it ? Py_BuildValue("O()OOO", Py_TYPE(op), state, Py_None, it) : NULL;
    Py_XDECREF(state);
    Py_XDECREF(items);
    Py_XDECREF(it);
    return result;
}

static PyObject *odict_setdefault(struct odict *self, PyObject *key, PyObject *dflt)
{
    PyObject *op = (PyObject *)self, *value;
    Py_hash_t hash = dict_hash_key(key);
    if (hash == -1) {
        return NULL;
    }
    if (!PyODict_CheckExact(op)) {
        int found = PySequence_Contains(op, key);
        if (found != 0) {
            return found < 0 ? NULL : PyObject_GetItem(op, key);
        }
        return PyObject_SetItem(op, key, dflt) < 0 ? NULL : Py_NewRef(dflt);
    }
    int found;
    CRITICAL_SECTION(op);
    found = dict_get(op, key, hash, &value);
    if (found == 0 && odict_set_locked(self, key, hash, dflt) == 0) {
        value = Py_NewRef(dflt);
    }
    CRITICAL_SECTION_END();
    return value;
}

static PyObject *odict_pop(struct odict *self, PyObject *key, PyObject *dflt)
{
    PyObject *value = NULL;
    Py_hash_t hash = dict_hash_key(key);
    int found = hash == -1 ? -1 : odict_take(self, key, hash, &value);
    if (found == 0 && dflt == NULL) {
        raise_key(key);
    }
    return found != 0 ? value : Py_XNewRef(dflt);
}

static PyObject *odict_popitem(struct odict *self, int last)
{
    PyObject *key = NULL, *value = NULL;
    CRITICAL_SECTION((PyObject *)self);
    struct odict_node *node = last ? self->last : self->first;
    if (node != NULL) {
        key = Py_NewRef(node->key);
        Py_ssize_t ix = find_identical(self->dict.ma_keys, key, node->hash);
        struct odict_node **place = ix < 0 ? NULL : node_place(self, ix);
        if (place != NULL) {
            *place = NULL;
            node_drop(self, node);
            value = dict_take_locked(&self->dict, ix, keys_hash_at(self->dict.ma_keys, ix));
        } else if (ix < 0) {
            /* Gone from the dict by dict's own methods. */
            node_drop(self, node);
        }
    }
    CRITICAL_SECTION_END();
    if (key == NULL) {
        PyErr_SetString(PyExc_KeyError, "dictionary is empty");
        return NULL;
    }
    if (value == NULL) {
        if (!PyErr_Occurred()) {
            raise_key(key);
        }
        Py_DECREF(key);
        return NULL;
    }
    return tuple_pair_steal(key, value);
}

static PyObject *odict_keys(struct odict *self)
{
    return dict_view_new(&PyODictKeys_Type, (PyObject *)self);
}

static PyObject *odict_values(struct odict *self)
{
    return dict_view_new(&PyODictValues_Type, (PyObject *)self);
}

static PyObject *odict_items(struct odict *self)
{
    return dict_view_new(&PyODictItems_Type, (PyObject *)self);
}

static int odict_clear(struct odict *self)
{
    CRITICAL_SECTION((PyObject *)self);
    dict_clear_locked(&self->dict);
    nodes_clear(self);
    CRITICAL_SECTION_END();
    return 0;
}

/* Sets all of self's pairs, in order, in `to`, by its __setitem__. */
static int copy_pairs(struct odict *self, PyObject *to)
{
    bool plain = PyODict_CheckExact((PyObject *)self);
    PyObject *it = odict_iter_new(self, ODICT_KEYS), *key;
    int rc = it ? 0 : -1;
    while (rc == 0 && (key = PyIter_Next(it)) != NULL) {
        PyObject *value =
            plain ? odict_value_of(self, key) : PyObject_GetItem((PyObject *)self, key);
        rc = value ? PyObject_SetItem(to, key, value) : -1;
        Py_XDECREF(value);
        Py_DECREF(key);
    }
    Py_XDECREF(it);
    return rc < 0 || PyErr_Occurred() ? -1 : 0;
}

static PyObject *odict_copy(struct odict *self)
{
    PyObject *copy = PyObject_CallNoArgs((PyObject *)Py_TYPE(self));
    if (copy != NULL && copy_pairs(self, copy) < 0) {
        Py_CLEAR(copy);
    }
    return copy;
}

static PyObject *odict_reversed(struct odict *self)
{
    return odict_iter_new(self, ODICT_KEYS | ODICT_REVERSED);
}

static int move_locked(struct odict *self, PyObject *key, Py_hash_t hash, bool last)
{
    Py_ssize_t ix = dict_lookup(&self->dict, key, hash);
    if (ix < 0) {
        return ix == IX_EMPTY ? raise_key(key) : -1;
    }
    struct odict_node **place = node_place(self, ix);
    if (place == NULL) {
        return -1;
    }
    struct odict_node *node = *place;
    if (node == NULL) {
        return raise_key(key);
    }
    if (node != (last ? self->last : self->first)) {
        list_remove(self, node);
        list_add(self, node, last);
    }
    return 0;
}

static int odict_move_to_end(struct odict *self, PyObject *key, int last)
{
    Py_hash_t hash = dict_hash_key(key);
    int rc = -1;
    if (hash != -1) {
        CRITICAL_SECTION((PyObject *)self);
        rc = move_locked(self, key, hash, last);
        CRITICAL_SECTION_END();
    }
    return rc;
}

/* ---- slots ----------------------------------------------------------------------------------- */

/* Whether two have the same keys in the same order: 1, 0, -1. Locks held. */
static int same_order(struct odict *a, struct odict *b)
{
    struct odict_node *x = a->first, *y = b->first;
    size_t a_state = a->state, b_state = b->state;
    while (x != NULL && y != NULL) {
        PyObject *x_key = Py_NewRef(x->key), *y_key = Py_NewRef(y->key);
        int equal = PyObject_RichCompareBool(x_key, y_key, Py_EQ);
        Py_DECREF(x_key);
        Py_DECREF(y_key);
        if (equal <= 0) {
            return equal;
        }
        if (a->state != a_state || b->state != b_state) {
            PyErr_SetString(PyExc_RuntimeError, "OrderedDict mutated during iteration");
            return -1;
        }
        x = x->next;
        y = y->next;
    }
    return x == NULL && y == NULL;
}

static PyObject *odict_richcompare(PyObject *a, PyObject *b, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !PyDict_Check(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *equal = PyDict_Type.tp_richcompare(a, b, Py_EQ);
    if (equal == NULL) {
        return NULL;
    }
    int same = equal == Py_True;
    Py_DECREF(equal);
    if (same && PyODict_Check(b)) {
        Py_BEGIN_CRITICAL_SECTION2(a, b);
        same = same_order((struct odict *)a, (struct odict *)b);
        Py_END_CRITICAL_SECTION2();
    }
    return same < 0 ? NULL : PyBool_FromLong((op == Py_EQ) == same);
}

static PyObject *plain_copy(PyObject *op)
{
    PyObject *dict = PyDict_New();
    int rc = dict ? 0 : -1;
    if (rc == 0 && PyODict_CheckExact(op)) {
        rc = copy_pairs((struct odict *)op, dict);
    } else if (rc == 0) {
        PyObject *items = PyObject_CallMethodNoArgs(op, ID(items));
        rc = items ? PyDict_MergeFromSeq2(dict, items, 1) : -1;
        Py_XDECREF(items);
    }
    if (rc < 0) {
        Py_CLEAR(dict);
    }
    return dict;
}

static PyObject *odict_repr(PyObject *op)
{
    const char *name = _PyType_Name(Py_TYPE(op));
    if (PyDict_GET_SIZE(op) == 0) {
        return PyUnicode_FromFormat("%s()", name);
    }
    int entered = Py_ReprEnter(op);
    if (entered != 0) {
        return entered > 0 ? PyUnicode_FromString("...") : NULL;
    }
    PyObject *dict = plain_copy(op);
    PyObject *text = dict ? PyUnicode_FromFormat("%s(%R)", name, dict) : NULL;
    Py_XDECREF(dict);
    Py_ReprLeave(op);
    return text;
}

static PyObject *odict_tp_iter(PyObject *op)
{
    return odict_iter_new((struct odict *)op, ODICT_KEYS);
}

static int odict_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct odict *self = (struct odict *)op;
    Py_VISIT(self->inst_dict);
    for (struct odict_node *node = self->first; node != NULL; node = node->next) {
        Py_VISIT(node->key);
    }
    return PyDict_Type.tp_traverse(op, visit, arg);
}

static int odict_tp_clear(PyObject *op)
{
    struct odict *self = (struct odict *)op;
    Py_CLEAR(self->inst_dict);
    return odict_clear(self);
}

static void odict_dealloc(PyObject *op)
{
    struct odict *self = (struct odict *)op;
    PyObject_GC_UnTrack(op);
    Py_TRASHCAN_BEGIN(op, odict_dealloc) Py_CLEAR(self->inst_dict);
    if (self->weaklist != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    nodes_clear(self);
    PyDict_Type.tp_dealloc(op);
    Py_TRASHCAN_END
}

static PyNumberMethods odict_as_number = {
    .nb_or = odict_or,
    .nb_inplace_or = odict_ior,
};

static PyMappingMethods odict_as_mapping = {
    .mp_ass_subscript = odict_ass_subscript,
};

static PyGetSetDef odict_getset[] = {
    {.name = "__dict__", .get = PyObject_GenericGetDict},
    {.name = NULL},
};

PyTypeObject PyODict_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "collections.OrderedDict",
    .tp_basicsize = sizeof(struct odict),
    .tp_dealloc = odict_dealloc,
    .tp_repr = odict_repr,
    .tp_as_number = &odict_as_number,
    .tp_as_mapping = &odict_as_mapping,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = odict_doc,
    .tp_traverse = odict_traverse,
    .tp_clear = odict_tp_clear,
    .tp_richcompare = odict_richcompare,
    .tp_weaklistoffset = offsetof(struct odict, weaklist),
    .tp_iter = odict_tp_iter,
    .tp_methods = odict_methods,
    .tp_getset = odict_getset,
    .tp_base = &PyDict_Type,
    .tp_dictoffset = offsetof(struct odict, inst_dict),
    .tp_init = odict_init,
    .tp_alloc = PyType_GenericAlloc,
};

/* ---- the C API ------------------------------------------------------------------------------- */

PyObject *PyODict_New(void)
{
    return PyDict_Type.tp_new(&PyODict_Type, NULL, NULL);
}

int PyODict_SetItem(PyObject *op, PyObject *key, PyObject *value)
{
    return odict_ass_subscript(op, key, value);
}

int PyODict_DelItem(PyObject *op, PyObject *key)
{
    return odict_del((struct odict *)op, key);
}
