/* Iteration over any object: PyObject_GetIter, PyIter_* and their asynchronous siblings. */
#include "objects/capi/capi.h"
#include "locking/world.h"

int PyIter_Check(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    return type->tp_iternext && type->tp_iternext != &_PyObject_NextNotImplemented;
}

int PyAIter_Check(PyObject *op)
{
    PyAsyncMethods *methods = Py_TYPE(op)->tp_as_async;
    return methods && methods->am_anext && methods->am_anext != &_PyObject_NextNotImplemented;
}

PyObject *PyObject_GetIter(PyObject *op)
{
    getiterfunc slot = Py_TYPE(op)->tp_iter;
    if (!slot) {
        if (PySequence_Check(op)) {
            return PySeqIter_New(op);
        }
        return raise_for_type("'%.200s' object is not iterable", op);
    }
    PyObject *it = slot(op);
    if (it && !PyIter_Check(it)) {
        raise_for_type("iter() returned non-iterator of type '%.100s'", it);
        Py_CLEAR(it);
    }
    return it;
}

PyObject *PyObject_GetAIter(PyObject *op)
{
    PyAsyncMethods *methods = Py_TYPE(op)->tp_as_async;
    if (!methods || !methods->am_aiter) {
        return raise_for_type("'%.200s' object is not an async iterable", op);
    }
    PyObject *it = methods->am_aiter(op);
    if (it && !PyAIter_Check(it)) {
        raise_for_type("aiter() returned not an async iterator of type '%.100s'", it);
        Py_CLEAR(it);
    }
    return it;
}

/* Whoever draws items this way lets other code run in between; so this is a safe point of the long loops in C. */
PyObject *PyIter_Next(PyObject *it)
{
    if (safe_point() < 0) {
        return NULL;
    }
    PyObject *item = Py_TYPE(it)->tp_iternext(it);
    if (!item && PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_StopIteration)) {
        PyErr_Clear();
    }
    return item;
}

/* The value of a raised StopIteration, which is cleared; None if nothing is raised. 0 and a new
 * reference, or -1 if another exception is raised, which stays. */
static int stop_value(PyObject **value)
{
    *value = NULL;
    if (!PyErr_Occurred()) {
        *value = Py_NewRef(Py_None);
        return 0;
    }
    if (!PyErr_ExceptionMatches(PyExc_StopIteration)) {
        return -1;
    }
    PyObject *stop = PyErr_GetRaisedException();
    *value = Py_NewRef(((PyStopIterationObject *)stop)->value);
    Py_DECREF(stop);
    return 0;
}

/* Sends a value into a generator or iterator. The result is a new reference, NULL for
 * PYGEN_ERROR. */
PySendResult PyIter_Send(PyObject *it, PyObject *arg, PyObject **result)
{
    PyAsyncMethods *methods = Py_TYPE(it)->tp_as_async;
    if (methods && methods->am_send) {
        return methods->am_send(it, arg, result);
    }
    if (arg == Py_None && PyIter_Check(it)) {
        *result = Py_TYPE(it)->tp_iternext(it);
    } else {
        *result = PyObject_CallMethodOneArg(it, ID(send), arg);
    }
    if (*result) {
        return PYGEN_NEXT;
    }
    return stop_value(result) == 0 ? PYGEN_RETURN : PYGEN_ERROR;
}
