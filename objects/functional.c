/* map, filter and zip. */

#include "locking/lock.h"
#include "locking/refs.h"
#include "locking/world.h"
#include "objects/bindings.h"
#include "objects/error.h"
#include "objects/functional.h"
#include "objects/gc/gc.h"
#include "objects/iter_words.h"
#include "objects/tuple.h"

struct map_object {
    PyObject_HEAD
    PyObject *iterators; /* tuple */
    PyObject *function;
};

struct filter_object {
    PyObject_HEAD
    PyObject *function;
    PyObject *iterator;
};

struct zip_object {
    PyObject_HEAD
    PyObject *iterators; /* tuple */
    PyObject *result;    /* the last tuple, to be used again when nobody else has it; or NULL */
    bool strict;
};

#include "functional.bind.h"

/* Iterators over each of the items (new tuple). */
static PyObject *iterators_of(PyObject *const *items, Py_ssize_t count)
{
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; i < count && tuple != NULL; i++) {
        PyObject *iterator = PyObject_GetIter(items[i]);
        if (iterator == NULL) {
            Py_CLEAR(tuple);
        } else {
            PyTuple_SET_ITEM(tuple, i, iterator);
        }
    }
    return tuple;
}

/* ---- map ---------------------------------------------------------------------------------------------- */

static PyObject *map_make(PyTypeObject *type, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs < 2) {
        raise_type("map() must have at least two arguments.");
        return NULL;
    }
    PyObject *iterators = iterators_of(args + 1, nargs - 1);
    struct map_object *self =
        iterators == NULL ? NULL : (struct map_object *)type->tp_alloc(type, 0);
    if (self == NULL) {
        Py_XDECREF(iterators);
        return NULL;
    }
    self->iterators = iterators;
    self->function = Py_NewRef(args[0]);
    return (PyObject *)self;
}

static PyObject *map_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (type->tp_init == PyMap_Type.tp_init && !bind_no_keywords("map", kwargs)) {
        return NULL;
    }
    return map_make(type, &PyTuple_GET_ITEM(args, 0), PyTuple_GET_SIZE(args));
}

static PyObject *map_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                                PyObject *kwnames)
{
    if (!bind_no_kwnames("map", kwnames)) {
        return NULL;
    }
    return map_make((PyTypeObject *)type, args, PyVectorcall_NARGS(nargsf));
}

static int map_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct map_object *self = (struct map_object *)op;
    Py_VISIT(self->iterators);
    Py_VISIT(self->function);
    return 0;
}

static int map_clear(PyObject *op)
{
    struct map_object *self = (struct map_object *)op;
    Py_CLEAR(self->iterators);
    Py_CLEAR(self->function);
    return 0;
}

/* The dealloc of all three. */
static void functional_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_TYPE(op)->tp_clear(op);
    Py_TYPE(op)->tp_free(op);
}

enum { SMALL = 5 };

static PyObject *map_next(PyObject *op)
{
    struct map_object *self = (struct map_object *)op;
    Py_ssize_t count = PyTuple_GET_SIZE(self->iterators), got = 0;
    PyObject *small[SMALL], **stack = small, *result = NULL;
    if (count > SMALL) {
        stack = PyMem_New(PyObject *, count);
        if (stack == NULL) {
            return PyErr_NoMemory();
        }
    }
    for (; got < count; got++) {
        PyObject *iterator = PyTuple_GET_ITEM(self->iterators, got);
        stack[got] = iter_step(iterator);
        if (stack[got] == NULL) {
            break;
        }
    }
    if (got == count) {
        result = PyObject_Vectorcall(self->function, stack, (size_t)count, NULL);
    }
    while (got > 0) {
        Py_DECREF(stack[--got]);
    }
    if (stack != small) {
        PyMem_Free(stack);
    }
    return result;
}

static PyObject *map_reduce(struct map_object *self)
{
    Py_ssize_t count = PyTuple_GET_SIZE(self->iterators);
    PyObject *args = PyTuple_New(count + 1);
    if (args == NULL) {
        return NULL;
    }
    PyTuple_SET_ITEM(args, 0, Py_NewRef(self->function));
    for (Py_ssize_t i = 0; i < count; i++) {
        PyTuple_SET_ITEM(args, i + 1, Py_NewRef(PyTuple_GET_ITEM(self->iterators, i)));
    }
    PyObject *result = PyTuple_Pack(2, Py_TYPE(self), args);
    Py_DECREF(args);
    return result;
}

PyTypeObject PyMap_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "map",
    .tp_basicsize = sizeof(struct map_object),
    .tp_dealloc = functional_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = map_doc,
    .tp_traverse = map_traverse,
    .tp_clear = map_clear,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = map_next,
    .tp_methods = map_methods,
    .tp_new = map_new,
    .tp_vectorcall = map_vectorcall,
};

/* ---- filter -------------------------------------------------------------------------------------------- */

static PyObject *filter_new(PyTypeObject *type, PyObject *function, PyObject *iterable)
{
    PyObject *iterator = PyObject_GetIter(iterable);
    struct filter_object *self =
        iterator == NULL ? NULL : (struct filter_object *)type->tp_alloc(type, 0);
    if (self == NULL) {
        Py_XDECREF(iterator);
        return NULL;
    }
    self->function = Py_NewRef(function);
    self->iterator = iterator;
    return (PyObject *)self;
}

static int filter_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct filter_object *self = (struct filter_object *)op;
    Py_VISIT(self->function);
    Py_VISIT(self->iterator);
    return 0;
}

static int filter_clear(PyObject *op)
{
    struct filter_object *self = (struct filter_object *)op;
    Py_CLEAR(self->function);
    Py_CLEAR(self->iterator);
    return 0;
}

/* 1 or 0 for kept or not, -1 with an exception. */
static int filter_keeps(struct filter_object *self, PyObject *item)
{
    if (self->function == Py_None || self->function == (PyObject *)&PyBool_Type) {
        return PyObject_IsTrue(item);
    }
    PyObject *answer = PyObject_CallOneArg(self->function, item);
    if (answer == NULL) {
        return -1;
    }
    int keeps = PyObject_IsTrue(answer);
    Py_DECREF(answer);
    return keeps;
}

static PyObject *filter_next(PyObject *op)
{
    struct filter_object *self = (struct filter_object *)op;
    PyObject *item;
    while ((item = iter_step(self->iterator)) != NULL) {
        int keeps = filter_keeps(self, item);
        if (keeps > 0) {
            return item;
        }
        Py_DECREF(item);
        if (keeps < 0 || safe_point() < 0) {
            return NULL;
        }
    }
    return NULL;
}

static PyObject *filter_reduce(struct filter_object *self)
{
    return Py_BuildValue("O(OO)", Py_TYPE(self), self->function, self->iterator);
}

PyTypeObject PyFilter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "filter",
    .tp_basicsize = sizeof(struct filter_object),
    .tp_dealloc = functional_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = filter_doc,
    .tp_traverse = filter_traverse,
    .tp_clear = filter_clear,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = filter_next,
    .tp_methods = filter_methods,
    .tp_new = bind_filter_new,
};

/* ---- zip ----------------------------------------------------------------------------------------------- */

static PyObject *zip_new(PyTypeObject *type, PyObject *const *iterables, Py_ssize_t count,
                         int strict)
{
    PyObject *iterators = iterators_of(iterables, count);
    struct zip_object *self =
        iterators == NULL ? NULL : (struct zip_object *)type->tp_alloc(type, 0);
    if (self == NULL) {
        Py_XDECREF(iterators);
        return NULL;
    }
    self->iterators = iterators;
    self->strict = strict;
    return (PyObject *)self;
}

static int zip_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct zip_object *self = (struct zip_object *)op;
    Py_VISIT(self->iterators);
    Py_VISIT(self->result);
    return 0;
}

static int zip_clear(PyObject *op)
{
    struct zip_object *self = (struct zip_object *)op;
    Py_CLEAR(self->iterators);
    Py_CLEAR(self->result);
    return 0;
}

/* strict=True and iterator `i` was the first to end: that is fine only if all end now. */
static void check_strict(struct zip_object *self, Py_ssize_t i)
{
    Py_ssize_t count = PyTuple_GET_SIZE(self->iterators);
    if (PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_StopIteration)) {
            return;
        }
        PyErr_Clear();
    }
    if (i > 0) {
        PyErr_Format(PyExc_ValueError,
                     i == 1 ? "zip() argument %zd is shorter than argument 1"
                            : "zip() argument %zd is shorter than arguments 1-%zd",
                     i + 1, i);
        return;
    }
    for (i = 1; i < count; i++) {
        PyObject *iterator = PyTuple_GET_ITEM(self->iterators, i);
        PyObject *item = iter_step(iterator);
        if (item != NULL) {
            Py_DECREF(item);
            PyErr_Format(PyExc_ValueError,
                         i == 1 ? "zip() argument %zd is longer than argument 1"
                                : "zip() argument %zd is longer than arguments 1-%zd",
                         i + 1, i);
            return;
        }
        if (PyErr_Occurred()) {
            if (!PyErr_ExceptionMatches(PyExc_StopIteration)) {
                return;
            }
            PyErr_Clear();
        }
    }
}

/* Items of all iterators into a tuple's empty places; false at the end of one, or with an exception. */
static bool zip_fill(struct zip_object *self, PyTupleObject *result)
{
    Py_ssize_t count = PyTuple_GET_SIZE(self->iterators);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *iterator = PyTuple_GET_ITEM(self->iterators, i), *old = result->ob_item[i];
        PyObject *item = iter_next_object(iterator);
        if (item == NULL) {
            if (self->strict) {
                check_strict(self, i);
            }
            return false;
        }
        result->ob_item[i] = item;
        Py_XDECREF(old);
    }
    return true;
}

static PyObject *zip_next(PyObject *op)
{
    struct zip_object *self = (struct zip_object *)op;
    Py_ssize_t count = PyTuple_GET_SIZE(self->iterators);
    if (count == 0) {
        return NULL;
    }
    PyObject *result = self->result;
    bool mine = ref_is_mine(op); /* only the owner fills a tuple twice */
    if (mine && result != NULL && ref_is_unique(result)) {
        /* Nobody but this iterator has the last tuple: it is filled anew. */
        Py_INCREF(result);
        if (!gc_is_tracked(result)) {
            gc_track(result);
        }
    } else {
        result = PyTuple_New(count);
        if (result == NULL) {
            return NULL;
        }
        if (mine) {
            Py_XSETREF(self->result, Py_NewRef(result));
        }
    }
    if (!zip_fill(self, (PyTupleObject *)result)) {
        Py_CLEAR(result);
    }
    return result;
}

Py_ssize_t zip_width(PyObject *op)
{
    return PyTuple_GET_SIZE(((struct zip_object *)op)->iterators);
}

bool zip_next_words(PyObject *op, value_t *words, Py_ssize_t n)
{
    struct zip_object *self = (struct zip_object *)op;
    PyObject **iterators = tuple_items(self->iterators);
    for (Py_ssize_t i = 0; i < n; i++) {
        value_t item = iter_next_word(iterators[i]);
        if (unlikely(item == VALUE_NULL)) {
            if (self->strict) {
                check_strict(self, i);
            }
            while (i > 0) {
                value_release(words[n - i--]);
            }
            return false;
        }
        words[n - 1 - i] = item;
    }
    return n > 0;
}

static PyObject *zip_reduce(struct zip_object *self)
{
    return self->strict ? PyTuple_Pack(3, Py_TYPE(self), self->iterators, Py_True)
                        : PyTuple_Pack(2, Py_TYPE(self), self->iterators);
}

static PyObject *zip_setstate(struct zip_object *self, PyObject *state)
{
    int strict = PyObject_IsTrue(state);
    if (strict < 0) {
        return NULL;
    }
    self->strict = strict;
    Py_RETURN_NONE;
}

PyTypeObject PyZip_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "zip",
    .tp_basicsize = sizeof(struct zip_object),
    .tp_dealloc = functional_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = zip_doc,
    .tp_traverse = zip_traverse,
    .tp_clear = zip_clear,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = zip_next,
    .tp_methods = zip_methods,
    .tp_new = bind_zip_new,
};

PyTypeObject *const functional_types[] = {&PyMap_Type, &PyFilter_Type, &PyZip_Type, NULL};
