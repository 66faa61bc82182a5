/* The module _collections: defaultdict, the fields of named tuples, and Counter's inner loop. */
#include "collections.h"

struct defaultdict {
    PyDictObject dict;
    PyObject *default_factory;
};

struct tuplegetter {
    PyObject_HEAD
    Py_ssize_t index;
    PyObject *doc;
};

#include "collections.bind.h"

/* ---- defaultdict ---------------------------------------------------------------------------- */

/* The factory (new reference), NULL if there is none. */
static PyObject *defaultdict_factory(struct defaultdict *self)
{
    PyObject *factory = LOCKED(self, Py_XNewRef(self->default_factory));
    if (factory == Py_None) {
        Py_DECREF(factory);
        factory = NULL;
    }
    return factory;
}

static PyObject *defaultdict_missing(struct defaultdict *self, PyObject *key)
{
    PyObject *factory = defaultdict_factory(self);
    if (factory == NULL) {
        /* In a tuple, or a tuple as key would become the arguments of the exception. */
        PyObject *args = PyTuple_Pack(1, key);
        if (args != NULL) {
            PyErr_SetObject(PyExc_KeyError, args);
            Py_DECREF(args);
        }
        return NULL;
    }
    PyObject *value = PyObject_CallNoArgs(factory);
    Py_DECREF(factory);
    if (value != NULL && PyObject_SetItem((PyObject *)self, key, value) < 0) {
        Py_CLEAR(value);
    }
    return value;
}

/* A dict of the same kind made from `items`. */
static PyObject *defaultdict_like(struct defaultdict *self, PyObject *items)
{
    PyObject *factory = defaultdict_factory(self);
    PyObject *made = PyObject_CallFunctionObjArgs((PyObject *)Py_TYPE(self),
                                                  factory ? factory : Py_None, items, NULL);
    Py_XDECREF(factory);
    return made;
}

static PyObject *defaultdict_copy(struct defaultdict *self)
{
    return defaultdict_like(self, (PyObject *)self);
}

static PyObject *defaultdict_copy_again(struct defaultdict *self)
{
    return defaultdict_copy(self);
}

static PyObject *defaultdict_reduce(struct defaultdict *self)
{
    PyObject *items = PyObject_CallMethod((PyObject *)self, "items", NULL);
    PyObject *it = items ? PyObject_GetIter(items) : NULL;
    Py_XDECREF(items);
    if (it == NULL) {
        return NULL;
    }
    PyObject *factory = defaultdict_factory(self);
    return factory ? Py_BuildValue("O(N)OON", Py_TYPE(self), factory, Py_None, Py_None, it)
                   : Py_BuildValue("O()OON", Py_TYPE(self), Py_None, Py_None, it);
}

static PyObject *defaultdict_factory_repr(struct defaultdict *self)
{
    PyObject *factory = defaultdict_factory(self);
    if (factory == NULL) {
        return PyUnicode_FromString("None");
    }
    int entered = Py_ReprEnter(factory);
    PyObject *text = NULL;
    if (entered > 0) {
        text = PyUnicode_FromString("...");
    } else if (entered == 0) {
        text = PyObject_Repr(factory);
        Py_ReprLeave(factory);
    }
    Py_DECREF(factory);
    return text;
}

static PyObject *defaultdict_repr(PyObject *op)
{
    PyObject *items = PyDict_Type.tp_repr(op);
    PyObject *factory = items ? defaultdict_factory_repr((struct defaultdict *)op) : NULL;
    PyObject *name = factory ? PyType_GetName(Py_TYPE(op)) : NULL;
    PyObject *text = name ? PyUnicode_FromFormat("%U(%U, %U)", name, factory, items) : NULL;
    Py_XDECREF(items);
    Py_XDECREF(factory);
    Py_XDECREF(name);
    return text;
}

static PyObject *defaultdict_or(PyObject *left, PyObject *right)
{
    if (!PyDict_Check(left) || !PyDict_Check(right)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    struct collections_state *state = NULL;
    PyObject *own = left;
    PyObject *module = PyType_GetModuleByDef(Py_TYPE(left), &collections_module);
    if (module == NULL) {
        PyErr_Clear();
        own = right;
        module = PyType_GetModuleByDef(Py_TYPE(right), &collections_module);
    }
    state = module ? PyModule_GetState(module) : NULL;
    if (state == NULL) {
        return NULL;
    }
    if (!PyObject_TypeCheck(own, (PyTypeObject *)state->defaultdict_type)) {
        own = right;
    }
    PyObject *merged = defaultdict_like((struct defaultdict *)own, left);
    if (merged != NULL && PyDict_Update(merged, right) < 0) {
        Py_CLEAR(merged);
    }
    return merged;
}

static int defaultdict_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    struct defaultdict *self = (struct defaultdict *)op;
    PyObject *factory = NULL;
    if (PyTuple_GET_SIZE(args) > 0) {
        factory = PyTuple_GET_ITEM(args, 0);
        if (!PyCallable_Check(factory) && factory != Py_None) {
            PyErr_SetString(PyExc_TypeError, "first argument must be callable or None");
            return -1;
        }
    }
    PyObject *rest = PyTuple_GetSlice(args, 1, PY_SSIZE_T_MAX);
    if (rest == NULL) {
        return -1;
    }
    PyObject *old;
    Py_BEGIN_CRITICAL_SECTION(op);
    old = self->default_factory;
    self->default_factory = Py_XNewRef(factory);
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old);
    int rc = PyDict_Type.tp_init(op, rest, kwargs);
    Py_DECREF(rest);
    return rc;
}

static int defaultdict_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(((struct defaultdict *)op)->default_factory);
    return PyDict_Type.tp_traverse(op, visit, arg);
}

static int defaultdict_clear(PyObject *op)
{
    Py_CLEAR(((struct defaultdict *)op)->default_factory);
    return PyDict_Type.tp_clear(op);
}

static void defaultdict_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    Py_CLEAR(((struct defaultdict *)op)->default_factory);
    PyDict_Type.tp_dealloc(op);
    Py_DECREF(type);
}

static PyType_Slot defaultdict_slots[] = {
    GC_SLOTS(defaultdict),
    {Py_tp_repr, defaultdict_repr},
    {Py_nb_or, defaultdict_or},
    {Py_tp_getattro, PyObject_GenericGetAttr},
    {Py_tp_doc, defaultdict_doc},
    {Py_tp_methods, defaultdict_methods},
    {Py_tp_members, defaultdict_members},
    {Py_tp_init, defaultdict_init},
    {0, NULL},
};

PyType_Spec defaultdict_spec = {
    "collections.defaultdict",
    sizeof(struct defaultdict),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    defaultdict_slots,
};

/* ---- _tuplegetter --------------------------------------------------------------------------- */

static PyObject *tuplegetter_new(PyTypeObject *type, Py_ssize_t index, PyObject *doc)
{
    struct tuplegetter *self = type_make(type);
    if (self != NULL) {
        self->index = index;
        self->doc = Py_NewRef(doc);
    }
    return (PyObject *)self;
}

static PyObject *tuplegetter_get(PyObject *op, PyObject *instance, PyObject *Py_UNUSED(owner))
{
    Py_ssize_t index = ((struct tuplegetter *)op)->index;
    if (instance == NULL || instance == Py_None) {
        return Py_NewRef(op);
    }
    if (!PyTuple_Check(instance)) {
        PyErr_Format(PyExc_TypeError,
                     "descriptor for index '%zd' for tuple subclasses doesn't apply to '%s' object",
                     index, Py_TYPE(instance)->tp_name);
        return NULL;
    }
    if (index < 0 || index >= PyTuple_GET_SIZE(instance)) {
        PyErr_SetString(PyExc_IndexError, "tuple index out of range");
        return NULL;
    }
    return Py_NewRef(PyTuple_GET_ITEM(instance, index));
}

static int tuplegetter_set(PyObject *Py_UNUSED(op), PyObject *Py_UNUSED(instance), PyObject *value)
{
    PyErr_SetString(PyExc_AttributeError, value ? "can't set attribute" : "can't delete attribute");
    return -1;
}

static PyObject *tuplegetter_reduce(struct tuplegetter *self)
{
    return Py_BuildValue("O(nO)", Py_TYPE(self), self->index, self->doc);
}

static PyObject *tuplegetter_repr(PyObject *op)
{
    struct tuplegetter *self = (struct tuplegetter *)op;
    PyObject *name = PyType_GetName(Py_TYPE(op));
    PyObject *text =
        name ? PyUnicode_FromFormat("%U(%zd, %R)", name, self->index, self->doc) : NULL;
    Py_XDECREF(name);
    return text;
}

GC_OBJECT(tuplegetter, doc)

static PyType_Slot tuplegetter_slots[] = {
    GC_SLOTS(tuplegetter),
    {Py_tp_descr_get, tuplegetter_get},
    {Py_tp_descr_set, tuplegetter_set},
    {Py_tp_methods, tuplegetter_methods},
    {Py_tp_members, tuplegetter_members},
    {Py_tp_new, bind_tuplegetter_new},
    {Py_tp_repr, tuplegetter_repr},
    {0, NULL},
};

PyType_Spec tuplegetter_spec = {
    "collections._tuplegetter",
    sizeof(struct tuplegetter),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    tuplegetter_slots,
};

/* ---- _count_elements ------------------------------------------------------------------------ */

/* Whether a mapping's get and __setitem__ are those of dict: 1, 0, or -1 on error. */
static int counts_like_dict(struct collections_state *state, PyObject *mapping)
{
    PyObject *const names[] = {state->get_name, state->setitem_name};
    if (!PyDict_Check(mapping)) {
        return 0;
    }
    for (int i = 0; i < 2; i++) {
        PyObject *own = PyObject_GetAttr((PyObject *)Py_TYPE(mapping), names[i]);
        PyObject *plain = own ? PyObject_GetAttr((PyObject *)&PyDict_Type, names[i]) : NULL;
        int same = plain ? own == plain : -1;
        Py_XDECREF(own);
        Py_XDECREF(plain);
        if (same <= 0) {
            return same;
        }
    }
    return 1;
}

static int count_in_dict(PyObject *dict, PyObject *key, PyObject *one)
{
    Py_hash_t hash = PyObject_Hash(key);
    PyObject *old = hash == -1 ? NULL : _PyDict_GetItem_KnownHash(dict, key, hash), *sum = NULL;
    if (old != NULL) {
        Py_INCREF(old);
        sum = PyNumber_Add(old, one);
        Py_DECREF(old);
    } else if (!PyErr_Occurred()) {
        sum = Py_NewRef(one);
    }
    int rc = sum ? PyDict_SetItem(dict, key, sum) : -1;
    Py_XDECREF(sum);
    return rc;
}

static int count_in_mapping(PyObject *mapping, PyObject *get, PyObject *key, PyObject *zero,
                            PyObject *one)
{
    PyObject *old = PyObject_CallFunctionObjArgs(get, key, zero, NULL);
    PyObject *sum = old ? PyNumber_Add(old, one) : NULL;
    Py_XDECREF(old);
    int rc = sum ? PyObject_SetItem(mapping, key, sum) : -1;
    Py_XDECREF(sum);
    return rc;
}

static int collections_count_elements(PyObject *module, PyObject *mapping, PyObject *iterable)
{
    struct collections_state *state = PyModule_GetState(module);
    PyObject *it = PyObject_GetIter(iterable);
    int plain = it ? counts_like_dict(state, mapping) : -1;
    PyObject *zero = PyLong_FromLong(0), *one = PyLong_FromLong(1);
    PyObject *get = plain == 0 ? PyObject_GetAttr(mapping, state->get_name) : NULL;
    int rc = plain < 0 || (plain == 0 && get == NULL) || zero == NULL || one == NULL ? -1 : 0;
    PyObject *key;
    while (rc == 0 && (key = iter_next(it)) != NULL) {
        rc = plain ? count_in_dict(mapping, key, one)
                   : count_in_mapping(mapping, get, key, zero, one);
        Py_DECREF(key);
    }
    if (rc == 0 && !iter_ended()) {
        rc = -1;
    }
    Py_XDECREF(get);
    Py_XDECREF(zero);
    Py_XDECREF(one);
    Py_XDECREF(it);
    return rc;
}

/* ---- the module ----------------------------------------------------------------------------- */

static int collections_exec(PyObject *module)
{
    struct collections_state *state = PyModule_GetState(module);
    state->deque_type = (PyObject *)module_type(module, &deque_spec, true);
    state->iterator_type = (PyObject *)module_type(module, &deque_iterator_spec, true);
    state->reverse_type = (PyObject *)module_type(module, &deque_reverse_spec, true);
    state->tuplegetter_type = (PyObject *)module_type(module, &tuplegetter_spec, true);
    state->defaultdict_type =
        PyType_FromModuleAndSpec(module, &defaultdict_spec, (PyObject *)&PyDict_Type);
    bool complete = state->deque_type && state->iterator_type && state->reverse_type
                    && state->tuplegetter_type && state->defaultdict_type
                    && (state->get_name = PyUnicode_InternFromString("get")) != NULL
                    && (state->setitem_name = PyUnicode_InternFromString("__setitem__")) != NULL;
    return complete && PyModule_AddType(module, &PyODict_Type) == 0
               ? PyModule_AddType(module, (PyTypeObject *)state->defaultdict_type)
               : -1;
}

STATE_OBJECTS(collections)

static PyModuleDef_Slot collections_slots[] = MODULE_SLOTS(collections_exec);

PyModuleDef collections_module = {
    PyModuleDef_HEAD_INIT,        .m_name = "_collections",
    .m_doc = collections_doc,     .m_methods = collections_methods,
    .m_slots = collections_slots, STATE_FIELDS(collections),
};

MODULE_INIT(_collections, collections_module)
