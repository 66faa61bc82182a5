/* Sets of signals as Python code gives them, in C. */
#ifndef KRAIT_STDLIB_SIGSET_H
#define KRAIT_STDLIB_SIGSET_H

#include "module.h"

#include <errno.h>
#include <signal.h>

/* Adds a signal; numbers that the C library keeps for itself are skipped. */
static inline bool sigset_add(sigset_t *set, PyObject *item)
{
    int overflow;
    PyObject *index = PyNumber_Index(item);
    long number = index == NULL ? -1 : PyLong_AsLongAndOverflow(index, &overflow);
    Py_XDECREF(index);
    if (index == NULL) {
        return false;
    }
    if (number < 1 || number >= NSIG) {
        PyErr_Format(PyExc_ValueError, "signal number %ld out of range [1; %i]", number, NSIG - 1);
        return false;
    }
    if (sigaddset(set, (int)number) < 0 && errno != EINVAL) {
        PyErr_SetFromErrno(PyExc_OSError);
        return false;
    }
    return true;
}

/* A set of signals from an iterable of numbers; false with an exception. Runs Python code. */
static inline bool sigset_of(PyObject *iterable, sigset_t *set)
{
    sigemptyset(set);
    PyObject *iterator = PyObject_GetIter(iterable);
    bool fine = iterator != NULL;
    PyObject *item;
    while (fine && (item = PyIter_Next(iterator)) != NULL) {
        fine = sigset_add(set, item);
        Py_DECREF(item);
    }
    Py_XDECREF(iterator);
    return fine && !PyErr_Occurred();
}

#endif
