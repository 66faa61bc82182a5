/*
 * Views of dicts: keys, values and items, with the set operations of keys and items.
 */
#include "objects/dict/keys.h"
#include "objects/gc/gc.h"
#include "objects/set.h"
#include "objects/tuple.h"

struct dict_view {
    PyObject_HEAD
    PyDictObject *dict; /* owned */
};

static inline PyObject *view_dict(PyObject *view)
{
    return (PyObject *)((struct dict_view *)view)->dict;
}

PyObject *dict_view_new(PyTypeObject *type, PyObject *dict)
{
    if (!PyDict_Check(dict)) {
        PyErr_Format(PyExc_TypeError, "%s() requires a dict argument, not '%s'", type->tp_name,
                     Py_TYPE(dict)->tp_name);
        return NULL;
    }
    struct dict_view *view = (struct dict_view *)object_new_raw(type, 0);
    if (view == NULL) {
        return NULL;
    }
    view->dict = (PyDictObject *)Py_NewRef(dict);
    gc_track((PyObject *)view);
    return (PyObject *)view;
}

static void view_dealloc(PyObject *op)
{
    gc_untrack(op);
    Py_XDECREF(view_dict(op));
    object_free(op);
}

static int view_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(view_dict(op));
    return 0;
}

static Py_ssize_t view_length(PyObject *op)
{
    return dict_size(view_dict(op));
}

static PyObject *view_repr(PyObject *op)
{
    int entered = Py_ReprEnter(op);
    if (entered != 0) {
        return entered > 0 ? PyUnicode_FromString("...") : NULL;
    }
    PyObject *text = NULL, *list = PySequence_List(op);
    if (list != NULL) {
        text = PyUnicode_FromFormat("%s(%R)", Py_TYPE(op)->tp_name, list);
        Py_DECREF(list);
    }
    Py_ReprLeave(op);
    return text;
}

/* ---- comparing as sets ----------------------------------------------------------------------- */

/* Whether all of `a` is in `b`: 1, 0, -1. */
static int all_in(PyObject *a, PyObject *b)
{
    PyObject *it = PyObject_GetIter(a);
    if (it == NULL) {
        return -1;
    }
    int result = 1;
    PyObject *item;
    while (result > 0 && (item = PyIter_Next(it)) != NULL) {
        result = PySequence_Contains(b, item);
        Py_DECREF(item);
    }
    Py_DECREF(it);
    return PyErr_Occurred() ? -1 : result;
}

static bool is_set_view(PyObject *op)
{
    return PyDictKeys_Check(op) || PyDictItems_Check(op);
}

static PyObject *view_richcompare(PyObject *a, PyObject *b, int operation)
{
    if (!PyAnySet_Check(b) && !is_set_view(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    Py_ssize_t na = PyObject_Size(a), nb = na < 0 ? -1 : PyObject_Size(b);
    if (nb < 0) {
        return NULL;
    }
    int result = 0;
    switch (operation) {
    case Py_NE:
    case Py_EQ:
        result = na == nb ? all_in(a, b) : 0;
        break;
    case Py_LT:
        result = na < nb ? all_in(a, b) : 0;
        break;
    case Py_LE:
        result = na <= nb ? all_in(a, b) : 0;
        break;
    case Py_GT:
        result = na > nb ? all_in(b, a) : 0;
        break;
    case Py_GE:
        result = na >= nb ? all_in(b, a) : 0;
        break;
    }
    return result < 0 ? NULL : PyBool_FromLong(operation == Py_NE ? !result : result);
}

/* ---- set operations: results are sets -------------------------------------------------------- */

static PyObject *set_of(PyObject *view)
{
    return PySet_New(view);
}

/* set(view) after calling one of its updating methods. */
static PyObject *set_after(PyObject *view, PyObject *method, PyObject *other)
{
    PyObject *result = set_of(view);
    if (result == NULL) {
        return NULL;
    }
    PyObject *none = PyObject_CallMethodOneArg(result, method, other);
    if (none == NULL) {
        Py_CLEAR(result);
    }
    Py_XDECREF(none);
    return result;
}

static PyObject *view_sub(PyObject *a, PyObject *b)
{
    return set_after(a, ID(difference_update), b);
}

static PyObject *view_or(PyObject *a, PyObject *b)
{
    return set_after(a, ID(update), b);
}

static PyObject *view_xor(PyObject *a, PyObject *b)
{
    return set_after(a, ID(symmetric_difference_update), b);
}

static PyObject *view_and(PyObject *a, PyObject *b)
{
    PyObject *swap = a;
    if (!is_set_view(a)) {
        a = b;
        b = swap;
    }
    /* Walk the smaller one, ask the other. */
    if (PySet_CheckExact(b) && PyObject_Size(b) >= view_length(a)) {
        return PyObject_CallMethodOneArg(b, ID(intersection), a);
    }
    if (is_set_view(b) && view_length(b) > view_length(a)) {
        swap = a;
        a = b;
        b = swap;
    }
    PyObject *result = PySet_New(NULL), *it = result == NULL ? NULL : PyObject_GetIter(b);
    if (it == NULL) {
        Py_XDECREF(result);
        return NULL;
    }
    PyObject *item;
    while ((item = PyIter_Next(it)) != NULL) {
        int found = PySequence_Contains(a, item);
        if (found > 0) {
            found = PySet_Add(result, item);
        }
        Py_DECREF(item);
        if (found < 0) {
            break;
        }
    }
    Py_DECREF(it);
    if (PyErr_Occurred()) {
        Py_CLEAR(result);
    }
    return result;
}

static PyNumberMethods view_as_number = {
    .nb_subtract = view_sub,
    .nb_and = view_and,
    .nb_xor = view_xor,
    .nb_or = view_or,
};

/* ---- keys ------------------------------------------------------------------------------------ */

static int keys_view_contains(PyObject *op, PyObject *key)
{
    return PyDict_Contains(view_dict(op), key);
}

static PyObject *keys_view_iter(PyObject *op)
{
    return dict_iter_new(&PyDictIterKey_Type, view_dict(op));
}

/* ---- items ----------------------------------------------------------------------------------- */

static int items_view_contains(PyObject *op, PyObject *item)
{
    if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 2) {
        return 0;
    }
    PyObject *value;
    int found = dict_get_item(view_dict(op), PyTuple_GET_ITEM(item, 0), &value);
    if (found > 0) {
        found = PyObject_RichCompareBool(value, PyTuple_GET_ITEM(item, 1), Py_EQ);
        Py_DECREF(value);
    }
    return found;
}

static PyObject *items_view_iter(PyObject *op)
{
    return dict_iter_new(&PyDictIterItem_Type, view_dict(op));
}

static PyObject *values_view_iter(PyObject *op)
{
    return dict_iter_new(&PyDictIterValue_Type, view_dict(op));
}

/* ---- methods --------------------------------------------------------------------------------- */

#include "dict_views.bind.h"

static int dict_keys_isdisjoint(struct dict_view *self, PyObject *other)
{
    PyObject *view = (PyObject *)self;
    if (view == other) {
        return view_length(view) == 0;
    }
    if (PyAnySet_CheckExact(other) || is_set_view(other)) {
        Py_ssize_t n = PyObject_Size(other);
        if (n < 0) {
            return -1;
        }
        if (n > view_length(view)) {
            PyObject *swap = other;
            other = view;
            view = swap;
        }
    }
    PyObject *it = PyObject_GetIter(other);
    if (it == NULL) {
        return -1;
    }
    int found = 0;
    PyObject *item;
    while (found == 0 && (item = PyIter_Next(it)) != NULL) {
        found = PySequence_Contains(view, item);
        Py_DECREF(item);
    }
    Py_DECREF(it);
    return PyErr_Occurred() ? -1 : !found;
}

static int dict_items_isdisjoint(struct dict_view *self, PyObject *other)
{
    return dict_keys_isdisjoint(self, other);
}

static PyObject *dict_keys_reversed(struct dict_view *self)
{
    return dict_iter_new(&PyDictRevIterKey_Type, (PyObject *)self->dict);
}

static PyObject *dict_items_reversed(struct dict_view *self)
{
    return dict_iter_new(&PyDictRevIterItem_Type, (PyObject *)self->dict);
}

static PyObject *dict_values_reversed(struct dict_view *self)
{
    return dict_iter_new(&PyDictRevIterValue_Type, (PyObject *)self->dict);
}

static PyObject *dict_keys_get_mapping(struct dict_view *self)
{
    return PyDictProxy_New((PyObject *)self->dict);
}

static PyObject *dict_items_get_mapping(struct dict_view *self)
{
    return PyDictProxy_New((PyObject *)self->dict);
}

static PyObject *dict_values_get_mapping(struct dict_view *self)
{
    return PyDictProxy_New((PyObject *)self->dict);
}

/* ---- types ----------------------------------------------------------------------------------- */

static PySequenceMethods keys_as_sequence = {
    .sq_length = view_length,
    .sq_contains = keys_view_contains,
};

static PySequenceMethods items_as_sequence = {
    .sq_length = view_length,
    .sq_contains = items_view_contains,
};

static PySequenceMethods values_as_sequence = {
    .sq_length = view_length,
};

PyTypeObject PyDictKeys_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "dict_keys",
    .tp_basicsize = sizeof(struct dict_view),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_dealloc = view_dealloc,
    .tp_traverse = view_traverse,
    .tp_repr = view_repr,
    .tp_richcompare = view_richcompare,
    .tp_as_number = &view_as_number,
    .tp_as_sequence = &keys_as_sequence,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_iter = keys_view_iter,
    .tp_methods = dict_keys_methods,
    .tp_getset = dict_keys_getset,
};

PyTypeObject PyDictItems_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "dict_items",
    .tp_basicsize = sizeof(struct dict_view),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_dealloc = view_dealloc,
    .tp_traverse = view_traverse,
    .tp_repr = view_repr,
    .tp_richcompare = view_richcompare,
    .tp_as_number = &view_as_number,
    .tp_as_sequence = &items_as_sequence,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_iter = items_view_iter,
    .tp_methods = dict_items_methods,
    .tp_getset = dict_items_getset,
};

PyTypeObject PyDictValues_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "dict_values",
    .tp_basicsize = sizeof(struct dict_view),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_dealloc = view_dealloc,
    .tp_traverse = view_traverse,
    .tp_repr = view_repr,
    .tp_as_sequence = &values_as_sequence,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_iter = values_view_iter,
    .tp_methods = dict_values_methods,
    .tp_getset = dict_values_getset,
};

/* clang-format off */
PyTypeObject *const dict_types[] = {
    &PyDict_Type, &PyDictKeys_Type, &PyDictItems_Type, &PyDictValues_Type, &PyDictIterKey_Type,
    &PyDictIterValue_Type, &PyDictIterItem_Type, &PyDictRevIterKey_Type, &PyDictRevIterValue_Type,
    &PyDictRevIterItem_Type, &PyODict_Type, &PyODictKeys_Type, &PyODictValues_Type,
    &PyODictItems_Type, &PyODictIter_Type, NULL,
};
/* clang-format on */
