/*
 * enumerate and reversed.
 */
#include "objects/gc/gc.h"
#include "objects/int.h"
#include "objects/iter_words.h"
#include "objects/object.h"
#include "objects/shared.h"
#include "objects/tuple.h"

/* ---- enumerate ------------------------------------------------------------------------------- */

struct enumerate {
    PyObject_HEAD
    Py_ssize_t index;     /* next number while it fits, else PY_SSIZE_T_MAX */
    PyObject *it;         /* owned */
    PyObject *result;     /* pair given last, used again while nobody else has it; or NULL */
    PyObject *long_index; /* next number when it does not fit, or NULL */
    PyObject *unused;
};

static void enumerate_dealloc(PyObject *op)
{
    struct enumerate *e = (struct enumerate *)op;
    gc_untrack(op);
    Py_XDECREF(e->it);
    Py_XDECREF(e->result);
    Py_XDECREF(e->long_index);
    Py_TYPE(op)->tp_free(op);
}

static int enumerate_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct enumerate *e = (struct enumerate *)op;
    Py_VISIT(e->it);
    Py_VISIT(e->result);
    Py_VISIT(e->long_index);
    return 0;
}

/* The next number as a new reference, and moves on. Lock held. */
static PyObject *next_number(struct enumerate *e)
{
    if (e->index < PY_SSIZE_T_MAX) {
        return int_from_i64(e->index++);
    }
    if (e->long_index == NULL) {
        e->long_index = int_from_i64(PY_SSIZE_T_MAX);
        if (e->long_index == NULL) {
            return NULL;
        }
    }
    PyObject *number = e->long_index;
    PyObject *next = int_add((PyLongObject *)number, (PyLongObject *)int_small(1));
    if (next == NULL) {
        return NULL;
    }
    e->long_index = next;
    return number;
}

static PyObject *enumerate_next(PyObject *op)
{
    struct enumerate *e = (struct enumerate *)op;
    PyObject *item = iter_step(e->it);
    if (item == NULL) {
        return NULL;
    }
    PyObject *number;
    Py_BEGIN_CRITICAL_SECTION(op);
    number = next_number(e);
    Py_END_CRITICAL_SECTION();
    if (number == NULL) {
        Py_DECREF(item);
        return NULL;
    }
    return tuple_pair_again(op, &e->result, number, item);
}

/* The next number as a word, and moves on. VALUE_NULL with MemoryError. */
static value_t next_number_word(struct enumerate *e)
{
    value_t number;
    Py_BEGIN_CRITICAL_SECTION(e);
    number =
        value_int_fits(e->index) ? value_from_int(e->index++) : value_from_owned(next_number(e));
    Py_END_CRITICAL_SECTION();
    return number;
}

bool enumerate_next_words(PyObject *op, value_t words[2])
{
    struct enumerate *e = (struct enumerate *)op;
    value_t item = iter_next_word(e->it);
    if (unlikely(item == VALUE_NULL)) {
        return false;
    }
    value_t number = next_number_word(e);
    if (unlikely(number == VALUE_NULL)) {
        value_release(item);
        return false;
    }
    words[1] = number;
    words[0] = item;
    return true;
}

/* ---- reversed -------------------------------------------------------------------------------- */

static PyObject *reversed_next(PyObject *op)
{
    struct index_iter *it = (struct index_iter *)op;
    Py_ssize_t i = iter_index(it);
    if (i < 0) {
        return it->seq == NULL ? NULL : iter_finish(it);
    }
    PyObject *item = PySequence_GetItem(it->seq, i);
    if (item != NULL) {
        iter_set_index(it, i - 1);
        return item;
    }
    if (PyErr_ExceptionMatches(PyExc_IndexError) || PyErr_ExceptionMatches(PyExc_StopIteration)) {
        PyErr_Clear();
    }
    return iter_finish(it);
}

static void reversed_dealloc(PyObject *op)
{
    gc_untrack(op);
    Py_XDECREF(((struct index_iter *)op)->seq);
    Py_TYPE(op)->tp_free(op);
}

/* ---- methods --------------------------------------------------------------------------------- */

#include "enumerate.bind.h"

static PyObject *enumerate_new(PyTypeObject *type, PyObject *iterable, PyObject *start)
{
    PyObject *number = start == NULL ? int_small(0) : PyNumber_Index(start);
    PyObject *it = number == NULL ? NULL : PyObject_GetIter(iterable);
    struct enumerate *e = it == NULL ? NULL : (struct enumerate *)type->tp_alloc(type, 0);
    if (e == NULL) {
        Py_XDECREF(number);
        Py_XDECREF(it);
        return NULL;
    }
    int64_t value;
    e->it = it;
    if (int_fits_i64((PyLongObject *)number, &value) && value < PY_SSIZE_T_MAX) {
        e->index = value;
        Py_DECREF(number);
    } else {
        e->index = PY_SSIZE_T_MAX;
        e->long_index = number;
    }
    return (PyObject *)e;
}

static PyObject *enumerate_reduce(struct enumerate *self)
{
    if (self->long_index != NULL) {
        return Py_BuildValue("O(OO)", Py_TYPE(self), self->it, self->long_index);
    }
    return Py_BuildValue("O(On)", Py_TYPE(self), self->it, self->index);
}

static PyObject *enumerate_class_getitem(PyTypeObject *type, PyObject *item)
{
    return Py_GenericAlias((PyObject *)type, item);
}

static PyObject *reversed_new(PyTypeObject *type, PyObject *sequence)
{
    PyObject *method = object_lookup_special(sequence, ID(__reversed__));
    if (method == Py_None) {
        Py_DECREF(method);
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not reversible",
                     Py_TYPE(sequence)->tp_name);
        return NULL;
    }
    if (method != NULL) {
        PyObject *result = PyObject_CallNoArgs(method);
        Py_DECREF(method);
        return result;
    }
    if (PyErr_Occurred()) {
        return NULL;
    }
    if (!PySequence_Check(sequence)) {
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not reversible",
                     Py_TYPE(sequence)->tp_name);
        return NULL;
    }
    Py_ssize_t n = PySequence_Size(sequence);
    struct index_iter *it = n < 0 ? NULL : (struct index_iter *)type->tp_alloc(type, 0);
    if (it != NULL) {
        it->index = n - 1;
        it->seq = Py_NewRef(sequence);
    }
    return (PyObject *)it;
}

static PyObject *reversed_length_hint(struct index_iter *self)
{
    if (self->seq == NULL) {
        return int_small(0);
    }
    Py_ssize_t size = PySequence_Size(self->seq);
    if (size < 0) {
        return NULL;
    }
    Py_ssize_t left = iter_index(self) + 1;
    return PyLong_FromSsize_t(size < left ? 0 : left);
}

static PyObject *reversed_reduce(struct index_iter *self)
{
    if (self->seq == NULL || iter_index(self) < 0) {
        return Py_BuildValue("O(())", Py_TYPE(self));
    }
    return Py_BuildValue("O(O)n", Py_TYPE(self), self->seq, iter_index(self));
}

static PyObject *reversed_setstate(struct index_iter *self, PyObject *state)
{
    Py_ssize_t index = PyLong_AsSsize_t(state);
    if (index == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (self->seq != NULL) {
        Py_ssize_t n = PySequence_Size(self->seq);
        if (n < 0) {
            return NULL;
        }
        iter_set_index(self, index < -1 ? -1 : index > n - 1 ? n - 1 : index);
    }
    Py_RETURN_NONE;
}

/* ---- types ----------------------------------------------------------------------------------- */

PyTypeObject PyEnum_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "enumerate",
    .tp_basicsize = sizeof(struct enumerate),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = enumerate_doc,
    .tp_dealloc = enumerate_dealloc,
    .tp_traverse = enumerate_traverse,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = enumerate_next,
    .tp_methods = enumerate_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = bind_enumerate_new,
    .tp_vectorcall = bind_enumerate_new_vectorcall,
    .tp_free = PyObject_GC_Del,
};

PyTypeObject PyReversed_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "reversed",
    .tp_basicsize = sizeof(struct index_iter),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = reversed_doc,
    .tp_dealloc = reversed_dealloc,
    .tp_traverse = iter_traverse,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = reversed_next,
    .tp_methods = reversed_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = bind_reversed_new,
    .tp_vectorcall = bind_reversed_new_vectorcall,
    .tp_free = PyObject_GC_Del,
};

PyTypeObject *const enumerate_types[] = {&PyEnum_Type, &PyReversed_Type, NULL};
