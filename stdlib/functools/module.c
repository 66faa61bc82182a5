/* The module _functools: reduce, cmp_to_key, and the types of the other files. */
#include "functools.h"

struct compare_key {
    PyObject_HEAD
    PyObject *cmp, *object; /* object is NULL in what cmp_to_key returns */
};

#include "functools.bind.h"

/* ---- reduce --------------------------------------------------------------------------------- */

static PyObject *functools_reduce(PyObject *Py_UNUSED(module), PyObject *function,
                                  PyObject *iterable, PyObject *initial)
{
    PyObject *it = PyObject_GetIter(iterable);
    if (it == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_SetString(PyExc_TypeError, "reduce() arg 2 must support iteration");
        }
        return NULL;
    }
    PyObject *total = Py_XNewRef(initial);
    PyObject *item;
    while ((item = iter_next(it)) != NULL) {
        if (total == NULL) {
            total = item;
            continue;
        }
        PyObject *args[3] = {NULL, total, item};
        PyObject *next =
            PyObject_Vectorcall(function, args + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
        Py_DECREF(item);
        Py_SETREF(total, next);
        if (total == NULL || PyErr_CheckSignals() < 0) {
            Py_XDECREF(total);
            Py_DECREF(it);
            return NULL;
        }
    }
    Py_DECREF(it);
    if (!iter_ended()) {
        Py_CLEAR(total);
    } else if (total == NULL) {
        PyErr_SetString(PyExc_TypeError, "reduce() of empty iterable with no initial value");
    }
    return total;
}

/* ---- cmp_to_key ----------------------------------------------------------------------------- */

PyObject *compare_key_new(PyTypeObject *type, PyObject *cmp, PyObject *object)
{
    struct compare_key *key = type_make(type);
    if (key != NULL) {
        key->cmp = Py_NewRef(cmp);
        key->object = Py_XNewRef(object);
    }
    return (PyObject *)key;
}

static PyObject *functools_cmp_to_key(PyObject *module, PyObject *mycmp)
{
    struct functools_state *state = PyModule_GetState(module);
    return compare_key_new((PyTypeObject *)state->key_type, mycmp, NULL);
}

static PyObject *compare_key_call(struct compare_key *self, PyObject *object)
{
    return compare_key_new(Py_TYPE(self), self->cmp, object);
}

static PyObject *compare_key_compare(PyObject *a, PyObject *b, int op)
{
    if (!Py_IS_TYPE(b, Py_TYPE(a))) {
        PyErr_SetString(PyExc_TypeError, "other argument must be K instance");
        return NULL;
    }
    struct compare_key *left = (struct compare_key *)a, *right = (struct compare_key *)b;
    if (left->object == NULL || right->object == NULL) {
        PyErr_SetString(PyExc_AttributeError, "object");
        return NULL;
    }
    PyObject *args[3] = {NULL, left->object, right->object};
    PyObject *order =
        PyObject_Vectorcall(left->cmp, args + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    PyObject *zero = order ? PyLong_FromLong(0) : NULL;
    PyObject *result = zero ? PyObject_RichCompare(order, zero, op) : NULL;
    Py_XDECREF(zero);
    Py_XDECREF(order);
    return result;
}

GC_OBJECT(compare_key, cmp, object)

static PyObject *compare_key_signature(PyObject *Py_UNUSED(op), void *Py_UNUSED(closure))
{
    return PyUnicode_FromString("(obj)");
}

static PyGetSetDef compare_key_getset[] = {
    {"__text_signature__", compare_key_signature, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot compare_key_slots[] = {
    {Py_tp_getset, compare_key_getset},        GC_SLOTS(compare_key),
    {Py_tp_call, bind_compare_key_call},       {Py_tp_getattro, PyObject_GenericGetAttr},
    {Py_tp_hash, PyObject_HashNotImplemented}, {Py_tp_members, compare_key_members},
    {Py_tp_richcompare, compare_key_compare},  {0, NULL},
};

PyType_Spec key_spec = {
    "functools.KeyWrapper",
    sizeof(struct compare_key),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION
        | Py_TPFLAGS_IMMUTABLETYPE,
    compare_key_slots,
};

/* ---- the module ----------------------------------------------------------------------------- */

static int functools_exec(PyObject *module)
{
    struct functools_state *state = PyModule_GetState(module);
    state->kwd_mark = PyObject_CallNoArgs((PyObject *)&PyBaseObject_Type);
    state->partial_type = (PyObject *)module_type(module, &partial_spec, true);
    state->lru_type = (PyObject *)module_type(module, &lru_spec, true);
    state->key_type = (PyObject *)module_type(module, &key_spec, false);
    state->link_type = (PyObject *)module_type(module, &lru_link_spec, false);
    state->lru_key_type = (PyObject *)module_type(module, &lru_key_spec, false);
    bool complete = state->kwd_mark && state->partial_type && state->lru_type && state->key_type
                    && state->link_type && state->lru_key_type;
    return complete ? 0 : -1;
}

STATE_OBJECTS(functools)

static PyModuleDef_Slot functools_slots[] = MODULE_SLOTS(functools_exec);

PyModuleDef functools_module = {
    PyModuleDef_HEAD_INIT,          .m_name = "_functools",     .m_doc = functools_doc,
    .m_methods = functools_methods, .m_slots = functools_slots, STATE_FIELDS(functools),
};

MODULE_INIT(_functools, functools_module)
