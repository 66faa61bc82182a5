/*
 * What generators, coroutines and async generators share.
 */
#ifndef KRAIT_INTERP_GENERATOR_H
#define KRAIT_INTERP_GENERATOR_H

#include "interp/vm/vm.h"

/* Resumes with a value (borrowed; NULL: next()) or, `exc`, with the current exception. As am_send; PYGEN_ERROR
 * without an exception when next() meets a finished one. `closing`: from close(). */
PySendResult gen_send_ex(PyGenObject *gen, PyObject *arg, PyObject **result, bool exc,
                         bool closing);
/* send() and its kin: a new reference, or NULL with StopIteration (StopAsyncIteration). */
PyObject *gen_send_value(PyGenObject *gen, PyObject *arg, bool exc, bool closing);
PyObject *gen_close(PyGenObject *gen);
/* throw(): type, value and traceback borrowed, the last two may be NULL. */
PyObject *gen_throw(PyGenObject *gen, bool close_on_exit, PyObject *type, PyObject *value,
                    PyObject *tb);
/* The arguments of throw() as a method; warns of the old signature. */
bool gen_throw_args(PyObject *const *args, Py_ssize_t nargs, PyObject **type, PyObject **value,
                    PyObject **tb);

/* Slots and accessors that do for all three. */
PyObject *gen_method_send(PyObject *self, PyObject *arg);
PyObject *gen_method_throw(PyObject *self, PyObject *const *args, Py_ssize_t nargs);
PyObject *gen_method_close(PyObject *self, PyObject *unused);
PyObject *gen_method_sizeof(PyObject *self, PyObject *unused);
PyObject *gen_get_name(PyObject *self, void *unused);
int gen_set_name(PyObject *self, PyObject *value, void *unused);
PyObject *gen_get_qualname(PyObject *self, void *unused);
int gen_set_qualname(PyObject *self, PyObject *value, void *unused);
PyObject *gen_get_delegate(PyObject *self, void *unused);
PyObject *gen_get_running(PyObject *self, void *unused);
PyObject *gen_get_frame(PyObject *self, void *unused);
PyObject *gen_get_suspended(PyObject *self, void *unused);
PyObject *gen_get_code(PyObject *self, void *unused);
PySendResult gen_am_send(PyObject *self, PyObject *arg, PyObject **result);
void gen_dealloc(PyObject *self);
void gen_finalize(PyObject *self);
int gen_traverse(PyObject *self, visitproc visit, void *arg);
int gen_clear(PyObject *self);
/* StopIteration(value) as current exception, also for tuples and exceptions as value. -1 on failure. */
int gen_set_stop_iteration(PyObject *value);

extern PyTypeObject _PyCoroWrapper_Type, _PyAsyncGenAThrow_Type, _PyAsyncGenWrappedValue_Type,
    _PyAnextAwaitable_Type;

/* Async generators: hooks of sys.set_asyncgen_hooks when iteration starts (-1 with an exception); the
 * finalizer's turn (1: it has taken over). */
int async_gen_init_hooks(PyAsyncGenObject *gen);
int async_gen_finalizer(PyAsyncGenObject *gen);

/* Methods that all kinds have. */
#define SIZEOF_METHOD                                                                              \
    {                                                                                              \
        "__sizeof__", gen_method_sizeof, METH_NOARGS,                                              \
            PyDoc_STR("__sizeof__($self, /)\n--\n\nBytes of memory it takes.")                     \
    }
#define CLASS_GETITEM_METHOD                                                                       \
    {                                                                                              \
        "__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS,                                 \
            PyDoc_STR("__class_getitem__($type, object, /)\n--\n\n"                                \
                      "The alias that a subscript makes, as in list[int].")                        \
    }

#endif
