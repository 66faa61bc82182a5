/* What the files of itertools share. */
#ifndef KRAIT_ITERTOOLS_H
#define KRAIT_ITERTOOLS_H

#include "module.h"
#ifdef KRAIT_BUILD
#include "locking/lock.h" /* critical sections without a call */
#endif

#pragma GCC visibility push(hidden)

/* Types made at the start of the module, in the order of itertools_specs. */
enum { TEE, TEE_DATA, GROUPER, CHAIN, ISLICE, ACCUMULATE, TYPE_COUNT = 32 };

struct itertools_state {
    PyObject *types[TYPE_COUNT];
};

extern PyModuleDef itertools_module;

extern PyType_Spec chain_spec, islice_spec, accumulate_spec, batched_spec, compress_spec,
    count_spec, cycle_spec, dropwhile_spec, filterfalse_spec, pairwise_spec, repeat_spec,
    starmap_spec, takewhile_spec, zip_longest_spec, groupby_spec, grouper_spec, tee_spec,
    tee_data_spec, combinations_spec, combinations_with_replacement_spec, permutations_spec,
    product_spec;

PyObject *itertools_tee(PyObject *module, PyObject *iterable, Py_ssize_t n);

/* The state's type number `which`, found from an object whose type may be a subclass (borrowed). */
static inline PyTypeObject *itertools_type(PyTypeObject *type, int which)
{
    PyObject *module = PyType_GetModuleByDef(type, &itertools_module);
    if (module == NULL) {
        return NULL;
    }
    struct itertools_state *state = PyModule_GetState(module);
    return (PyTypeObject *)state->types[which];
}

static inline int warn_pickling(void)
{
    return PyErr_WarnEx(PyExc_DeprecationWarning,
                        "Pickle, copy, and deepcopy support will be removed from itertools in "
                        "Python 3.14.",
                        1);
}

/* A tuple of `size` for the next result (new reference): the last one again if the caller has let
 * it go, else a new empty one.  *row keeps it for the time after. */
static inline PyObject *row_next(PyObject **row, Py_ssize_t size)
{
    PyObject *last = *row;
    if (LIKELY(last != NULL && Py_REFCNT(last) == 1)) {
        if (UNLIKELY(!PyObject_GC_IsTracked(last)) && size != 0) {
            PyObject_GC_Track(last); /* the collector drops tuples of plain values */
        }
        return Py_NewRef(last);
    }
    PyObject *fresh = PyTuple_New(size);
    field_set(row, Py_XNewRef(fresh));
    return fresh;
}

/* Puts `item` (stolen) into a row. */
static inline void row_put(PyObject *row, Py_ssize_t i, PyObject *item)
{
    PyObject *old = PyTuple_GET_ITEM(row, i);
    PyTuple_SET_ITEM(row, i, item);
    Py_XDECREF(old);
}

/* Puts a borrowed item into a row; nothing to do where it is already. */
static inline void row_set(PyObject *row, Py_ssize_t i, PyObject *item)
{
    if (PyTuple_GET_ITEM(row, i) != item) {
        row_put(row, i, Py_NewRef(item));
    }
}

#pragma GCC visibility pop

/* NAME_next: the step of NAME under its lock. */
#define STEP_LOCKED(name)                                                                          \
    static PyObject *name##_next(PyObject *op)                                                     \
    {                                                                                              \
        return LOCKED(op, name##_step((struct name *)op));                                         \
    }

#define ITERATOR_SLOTS(name)                                                                       \
    GC_SLOTS(name), {Py_tp_iter, PyObject_SelfIter}, {Py_tp_iternext, name##_next},                \
    {                                                                                              \
        Py_tp_getattro, PyObject_GenericGetAttr                                                    \
    }

#define ITERATOR_SPEC(name, flags)                                                                 \
    PyType_Spec name##_spec = {                                                                    \
        "itertools." #name,                                                                        \
        sizeof(struct name),                                                                       \
        0,                                                                                         \
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | (flags),              \
        name##_slots,                                                                              \
    };

#endif
