/* bytes_iterator and bytearray_iterator: one implementation for both types. */
#include "objects/bytes/iterator.h"

/* The sequence stays until the iterator dies; an index past the end is never taken back, though a
 * bytearray may grow later. */
struct bytes_iterator {
    PyObject_HEAD
    Py_ssize_t index;
    PyObject *blob; /* owned */
};

enum { DONE = -1 };

PyObject *bytes_iterator_new(PyTypeObject *type, PyObject *blob)
{
    struct bytes_iterator *self = PyObject_GC_New(struct bytes_iterator, type);
    if (self != NULL) {
        self->index = 0;
        self->blob = Py_NewRef(blob);
        PyObject_GC_Track(self);
    }
    return (PyObject *)self;
}

static void iterator_dealloc(PyObject *object)
{
    PyObject_GC_UnTrack(object);
    Py_XDECREF(((struct bytes_iterator *)object)->blob);
    PyObject_GC_Del(object);
}

static int iterator_traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(((struct bytes_iterator *)object)->blob);
    return 0;
}

static PyObject *iterator_next(PyObject *object)
{
    struct bytes_iterator *self = (struct bytes_iterator *)object;
    Py_ssize_t i = __atomic_load_n(&self->index, __ATOMIC_RELAXED);
    int byte = -1;
    if (i == DONE) {
        return NULL;
    }
    if (PyBytes_Check(self->blob)) {
        byte = i < Py_SIZE(self->blob) ? (uint8_t)PyBytes_AS_STRING(self->blob)[i] : -1;
    } else {
        Py_BEGIN_CRITICAL_SECTION(self->blob);
        byte = i < Py_SIZE(self->blob) ? (uint8_t)PyByteArray_AS_STRING(self->blob)[i] : -1;
        Py_END_CRITICAL_SECTION();
    }
    __atomic_store_n(&self->index, byte < 0 ? DONE : i + 1, __ATOMIC_RELAXED);
    return byte < 0 ? NULL : PyLong_FromLong(byte);
}

static PyObject *iterator_length_hint(PyObject *object, PyObject *Py_UNUSED(unused))
{
    struct bytes_iterator *self = (struct bytes_iterator *)object;
    Py_ssize_t i = __atomic_load_n(&self->index, __ATOMIC_RELAXED);
    return PyLong_FromSsize_t(i == DONE ? 0 : Py_MAX(Py_SIZE(self->blob) - i, 0));
}

static PyObject *iterator_reduce(PyObject *object, PyObject *Py_UNUSED(unused))
{
    struct bytes_iterator *self = (struct bytes_iterator *)object;
    Py_ssize_t i = __atomic_load_n(&self->index, __ATOMIC_RELAXED);
    PyObject *iter = PyMapping_GetItemString(PyEval_GetBuiltins(), "iter");
    if (iter == NULL) {
        return NULL;
    }
    return i == DONE ? Py_BuildValue("N(())", iter) : Py_BuildValue("N(O)n", iter, self->blob, i);
}

static PyObject *iterator_setstate(PyObject *object, PyObject *state)
{
    struct bytes_iterator *self = (struct bytes_iterator *)object;
    Py_ssize_t i = PyLong_AsSsize_t(state);
    if (i == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (__atomic_load_n(&self->index, __ATOMIC_RELAXED) != DONE) {
        i = Py_MIN(Py_MAX(i, 0), Py_SIZE(self->blob));
        __atomic_store_n(&self->index, i, __ATOMIC_RELAXED);
    }
    return Py_None;
}

static PyMethodDef iterator_methods[] = {
    {"__length_hint__", iterator_length_hint, METH_NOARGS, "An estimate of what is left."},
    {"__reduce__", iterator_reduce, METH_NOARGS, "State for pickling."},
    {"__setstate__", iterator_setstate, METH_O, "Set the position, for unpickling."},
    {0},
};

#define ITERATOR_TYPE(name)                                                                        \
    {                                                                                              \
        PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = (name),                                   \
                                            .tp_basicsize = sizeof(struct bytes_iterator),         \
                                            .tp_dealloc = iterator_dealloc,                        \
                                            .tp_getattro = PyObject_GenericGetAttr,                \
                                            .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,   \
                                            .tp_traverse = iterator_traverse,                      \
                                            .tp_iter = PyObject_SelfIter,                          \
                                            .tp_iternext = iterator_next,                          \
                                            .tp_methods = iterator_methods,                        \
    }

PyTypeObject PyBytesIter_Type = ITERATOR_TYPE("bytes_iterator");
PyTypeObject PyByteArrayIter_Type = ITERATOR_TYPE("bytearray_iterator");
