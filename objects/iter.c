/*
 * Iterators by index: what those of tuple and list share; the iterator of anything with
 * __getitem__; and iter(callable, sentinel).
 */
#include "objects/iter.h"
#include "objects/birth.h"
#include "objects/gc/gc.h"
#include "objects/object.h"

/* ---- shared parts ---------------------------------------------------------------------------- */

PyObject *iter_over(PyTypeObject *type, PyObject *seq, Py_ssize_t index)
{
    struct index_iter *it =
        (struct index_iter *)birth_of_container(type, sizeof(struct index_iter));
    if (it == NULL) {
        return NULL;
    }
    it->index = index;
    it->seq = Py_NewRef(seq);
    gc_track_new((PyObject *)it);
    return (PyObject *)it;
}

void iter_dealloc(PyObject *op)
{
    gc_untrack_dead(op);
    Py_XDECREF(((struct index_iter *)op)->seq);
    death_of_container(op, sizeof(struct index_iter));
}

int iter_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((struct index_iter *)op)->seq);
    return 0;
}

PyObject *iter_builtin(PyObject *name)
{
    PyObject *builtins = PyEval_GetBuiltins();
    if (builtins == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "lost builtins");
        return NULL;
    }
    PyObject *value = PyObject_GetItem(builtins, name);
    if (value == NULL && PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyErr_SetObject(PyExc_AttributeError, name);
    }
    return value;
}

PyObject *iter_reduce(struct index_iter *it, PyObject *name, PyObject *empty)
{
    /* Looking the name up may run the iterator: it comes first. */
    PyObject *function = iter_builtin(name);
    if (function == NULL) {
        return NULL;
    }
    Py_ssize_t index = iter_index(it);
    if (index < 0 || it->seq == NULL) {
        return Py_BuildValue("N(O)", function, empty);
    }
    return Py_BuildValue("N(O)n", function, it->seq, index);
}

PyObject *iter_set_state(struct index_iter *it, PyObject *state, Py_ssize_t low, Py_ssize_t high)
{
    Py_ssize_t index = PyLong_AsSsize_t(state);
    if (index == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (it->seq != NULL && iter_index(it) >= 0) {
        iter_set_index(it, index < low ? low : index > high ? high : index);
    }
    Py_RETURN_NONE;
}

/* ---- anything with __getitem__ --------------------------------------------------------------- */

PyObject *PySeqIter_New(PyObject *seq)
{
    if (!PySequence_Check(seq)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return iter_over(&PySeqIter_Type, seq, 0);
}

static PyObject *seq_iter_next(PyObject *op)
{
    struct index_iter *it = (struct index_iter *)op;
    Py_ssize_t i = iter_index(it);
    if (i < 0) {
        return NULL;
    }
    if (i == PY_SSIZE_T_MAX) {
        PyErr_SetString(PyExc_OverflowError, "iter index too large");
        return NULL;
    }
    PyObject *item = PySequence_GetItem(it->seq, i);
    if (item != NULL) {
        iter_set_index(it, i + 1);
        return item;
    }
    if (PyErr_ExceptionMatches(PyExc_IndexError) || PyErr_ExceptionMatches(PyExc_StopIteration)) {
        PyErr_Clear();
        return iter_finish(it);
    }
    return NULL;
}

/* ---- iter(callable, sentinel) ---------------------------------------------------------------- */

struct call_iter {
    PyObject_HEAD
    PyObject *callable; /* owned; both NULL when exhausted */
    PyObject *sentinel;
};

PyObject *PyCallIter_New(PyObject *callable, PyObject *sentinel)
{
    struct call_iter *it = (struct call_iter *)object_new_raw(&PyCallIter_Type, 0);
    if (it == NULL) {
        return NULL;
    }
    it->callable = Py_NewRef(callable);
    it->sentinel = Py_NewRef(sentinel);
    gc_track((PyObject *)it);
    return (PyObject *)it;
}

static void call_iter_dealloc(PyObject *op)
{
    struct call_iter *it = (struct call_iter *)op;
    gc_untrack(op);
    Py_XDECREF(it->callable);
    Py_XDECREF(it->sentinel);
    object_free(op);
}

static int call_iter_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((struct call_iter *)op)->callable);
    Py_VISIT(((struct call_iter *)op)->sentinel);
    return 0;
}

static void call_iter_finish(struct call_iter *it)
{
    PyObject *callable, *sentinel;
    Py_BEGIN_CRITICAL_SECTION(it);
    callable = it->callable;
    sentinel = it->sentinel;
    it->callable = it->sentinel = NULL;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(callable);
    Py_XDECREF(sentinel);
}

static PyObject *call_iter_next(PyObject *op)
{
    struct call_iter *it = (struct call_iter *)op;
    PyObject *callable, *sentinel;
    Py_BEGIN_CRITICAL_SECTION(it);
    callable = Py_XNewRef(it->callable);
    sentinel = Py_XNewRef(it->sentinel);
    Py_END_CRITICAL_SECTION();
    if (callable == NULL) {
        return NULL;
    }
    PyObject *result = PyObject_CallNoArgs(callable);
    if (result != NULL && it->sentinel == NULL) {
        Py_CLEAR(result); /* the call has exhausted the iterator itself */
    } else if (result != NULL) {
        int equal = PyObject_RichCompareBool(sentinel, result, Py_EQ);
        if (equal != 0) {
            Py_CLEAR(result);
        }
        if (equal > 0) {
            call_iter_finish(it);
        }
    } else if (PyErr_ExceptionMatches(PyExc_StopIteration)) {
        PyErr_Clear();
        call_iter_finish(it);
    }
    Py_DECREF(callable);
    Py_DECREF(sentinel);
    return result;
}

/* ---- types ----------------------------------------------------------------------------------- */

#include "iter.bind.h"

static PyObject *iterator_length_hint(struct index_iter *self)
{
    Py_ssize_t i = iter_index(self);
    if (i < 0 || self->seq == NULL) {
        return PyLong_FromLong(0);
    }
    if (!PyObject_HasAttrWithError(self->seq, ID(__len__))) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    Py_ssize_t size = PySequence_Size(self->seq);
    if (size < 0) {
        return NULL;
    }
    return PyLong_FromSsize_t(size > i ? size - i : 0);
}

static PyObject *iterator_reduce(struct index_iter *self)
{
    PyObject *empty = PyTuple_New(0);
    PyObject *result = empty == NULL ? NULL : iter_reduce(self, ID(iter), empty);
    Py_XDECREF(empty);
    return result;
}

static PyObject *iterator_setstate(struct index_iter *self, PyObject *state)
{
    return iter_set_state(self, state, 0, PY_SSIZE_T_MAX);
}

static PyObject *callable_iterator_reduce(struct call_iter *self)
{
    PyObject *function = iter_builtin(ID(iter));
    if (function == NULL) {
        return NULL;
    }
    PyObject *callable, *sentinel;
    Py_BEGIN_CRITICAL_SECTION(self);
    callable = Py_XNewRef(self->callable);
    sentinel = Py_XNewRef(self->sentinel);
    Py_END_CRITICAL_SECTION();
    if (callable == NULL) {
        return Py_BuildValue("N(())", function);
    }
    return Py_BuildValue("N(NN)", function, callable, sentinel);
}

PyTypeObject PySeqIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "iterator",
    .tp_basicsize = sizeof(struct index_iter),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_dealloc = iter_dealloc,
    .tp_traverse = iter_traverse,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = seq_iter_next,
    .tp_methods = iterator_methods,
};

PyTypeObject PyCallIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "callable_iterator",
    .tp_basicsize = sizeof(struct call_iter),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_dealloc = call_iter_dealloc,
    .tp_traverse = call_iter_traverse,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = call_iter_next,
    .tp_methods = callable_iterator_methods,
};

PyTypeObject *const iter_types[] = {&PySeqIter_Type, &PyCallIter_Type, NULL};
