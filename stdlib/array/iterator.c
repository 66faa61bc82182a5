/* Iterators over arrays. */
#include "array.h"

struct arrayiterator {
    PyObject_HEAD
    Py_ssize_t index;
    struct array *array; /* NULL at the end */
    PyObject *(*get)(const char *at);
};

#include "arrayiterator.bind.h"

PyObject *array_iter(PyObject *op)
{
    struct arrays_state *state = state_of(Py_TYPE(op));
    struct arrayiterator *it = state ? type_make((PyTypeObject *)state->iterator_type) : NULL;
    if (it != NULL) {
        it->array = (struct array *)Py_NewRef(op);
        it->get = ((struct array *)op)->kind->get;
    }
    return (PyObject *)it;
}

static PyObject *arrayiterator_step(struct arrayiterator *self, struct array *array)
{
    return self->index < Py_SIZE(array) ? self->get(item_at(array, self->index++)) : NULL;
}

static PyObject *arrayiterator_next_locked(struct arrayiterator *self)
{
    if (self->array == NULL) {
        return NULL;
    }
    struct array *array = self->array;
    PyObject *item = LOCKED(array, arrayiterator_step(self, array));
    if (item == NULL && !PyErr_Occurred()) {
        self->array = NULL;
        Py_DECREF(array);
    }
    return item;
}

static PyObject *arrayiterator_next(PyObject *op)
{
    return LOCKED(op, arrayiterator_next_locked((struct arrayiterator *)op));
}

static PyObject *arrayiterator_reduce(struct arrayiterator *self)
{
    PyObject *builtins = PyEval_GetBuiltins();
    PyObject *iter = builtins ? PyDict_GetItemString(builtins, "iter") : NULL;
    if (iter == NULL) {
        return NULL;
    }
    return self->array == NULL ? Py_BuildValue("O(())", iter)
                               : Py_BuildValue("O(O)n", iter, self->array, self->index);
}

static int arrayiterator_setstate(struct arrayiterator *self, PyObject *state)
{
    Py_ssize_t index = PyLong_AsSsize_t(state);
    if (index == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (self->array != NULL) {
        Py_ssize_t size = array_length((PyObject *)self->array);
        self->index = index < 0 ? 0 : Py_MIN(index, size);
    }
    return 0;
}

GC_OBJECT(arrayiterator, array)

static PyType_Slot arrayiterator_slots[] = {
    GC_SLOTS(arrayiterator),
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, arrayiterator_next},
    {Py_tp_methods, arrayiterator_methods},
    {0, NULL},
};

PyType_Spec arrayiterator_spec = {
    "array.arrayiterator",
    sizeof(struct arrayiterator),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION
        | Py_TPFLAGS_IMMUTABLETYPE,
    arrayiterator_slots,
};
