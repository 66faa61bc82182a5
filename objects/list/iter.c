/*
 * Iterators over lists, forwards and backwards.
 */
#include "objects/iter.h"
#include "objects/list/array.h"

PyObject *list_iter(PyObject *list)
{
    return iter_over(&PyListIter_Type, list, 0);
}

PyObject *list_reverse_iter(PyObject *list)
{
    return iter_over(&PyListRevIter_Type, list, PyList_GET_SIZE(list) - 1);
}

static PyObject *list_iter_next(PyObject *op)
{
    struct index_iter *it = (struct index_iter *)op;
    Py_ssize_t i = iter_index(it);
    if (i < 0) {
        return NULL;
    }
    PyListObject *list = (PyListObject *)it->seq;
    PyObject *item = list_peek(list, i);
    if (likely(item != NULL)) {
        iter_set_index(it, i + 1);
        return Py_NewRef(item);
    }
    if (!lock_threads_run_together() || (item = list_get_ref(list, i)) == NULL) {
        return iter_finish(it);
    }
    iter_set_index(it, i + 1);
    return item;
}

static PyObject *list_reverse_iter_next(PyObject *op)
{
    struct index_iter *it = (struct index_iter *)op;
    Py_ssize_t i = iter_index(it);
    if (i < 0) {
        return it->seq == NULL ? NULL : iter_finish(it);
    }
    PyObject *item = list_get_ref((PyListObject *)it->seq, i);
    if (item == NULL) {
        return iter_finish(it);
    }
    iter_set_index(it, i - 1);
    return item;
}

#include "list_iter.bind.h"

static Py_ssize_t list_iterator_length_hint(struct index_iter *self)
{
    Py_ssize_t i = iter_index(self);
    Py_ssize_t left = i < 0 ? 0 : PyList_GET_SIZE(self->seq) - i;
    return left < 0 ? 0 : left;
}

static PyObject *reduce(struct index_iter *it, PyObject *name)
{
    PyObject *empty = PyList_New(0);
    if (empty == NULL) {
        return NULL;
    }
    PyObject *result = iter_reduce(it, name, empty);
    Py_DECREF(empty);
    return result;
}

static PyObject *list_iterator_reduce(struct index_iter *self)
{
    return reduce(self, ID(iter));
}

static PyObject *list_iterator_setstate(struct index_iter *self, PyObject *state)
{
    return iter_set_state(self, state, 0, PY_SSIZE_T_MAX);
}

static Py_ssize_t list_reverseiterator_length_hint(struct index_iter *self)
{
    Py_ssize_t left = iter_index(self) + 1;
    return self->seq == NULL || PyList_GET_SIZE(self->seq) < left ? 0 : left;
}

static PyObject *list_reverseiterator_reduce(struct index_iter *self)
{
    return reduce(self, ID(reversed));
}

static PyObject *list_reverseiterator_setstate(struct index_iter *self, PyObject *state)
{
    Py_ssize_t size = self->seq == NULL ? 0 : PyList_GET_SIZE(self->seq);
    return iter_set_state(self, state, -1, size - 1);
}

PyTypeObject PyListIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "list_iterator",
    .tp_basicsize = sizeof(struct index_iter),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_dealloc = iter_dealloc,
    .tp_traverse = iter_traverse,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = list_iter_next,
    .tp_methods = list_iterator_methods,
};

PyTypeObject PyListRevIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "list_reverseiterator",
    .tp_basicsize = sizeof(struct index_iter),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_dealloc = iter_dealloc,
    .tp_traverse = iter_traverse,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = list_reverse_iter_next,
    .tp_methods = list_reverseiterator_methods,
};
