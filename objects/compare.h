/*
 * Comparisons that need no call: two exact ints of one digit, floats, or str for equality.
 */
#ifndef KRAIT_OBJECTS_COMPARE_H
#define KRAIT_OBJECTS_COMPARE_H

#include "alloc/prim.h"
#include "objects/int.h"
#include "objects/str.h"

#define COMPARE_BY(op, x, y)                                                                       \
    ((op) == Py_EQ   ? (x) == (y)                                                                  \
     : (op) == Py_LT ? (x) < (y)                                                                   \
     : (op) == Py_NE ? (x) != (y)                                                                  \
     : (op) == Py_GT ? (x) > (y)                                                                   \
     : (op) == Py_LE ? (x) <= (y)                                                                  \
                     : (x) >= (y))

/* 1 or 0; -1: the types must say. No exception, no Python code. */
static inline int compare_plain(PyObject *a, PyObject *b, int op)
{
    PyTypeObject *type = Py_TYPE(a);
    if (type != Py_TYPE(b)) {
        return -1;
    }
    if (type == &PyLong_Type) {
        PyLongObject *x = (PyLongObject *)a, *y = (PyLongObject *)b;
        if (PyUnstable_Long_IsCompact(x) && PyUnstable_Long_IsCompact(y)) {
            Py_ssize_t v = PyUnstable_Long_CompactValue(x), w = PyUnstable_Long_CompactValue(y);
            return COMPARE_BY(op, v, w);
        }
    } else if (type == &PyUnicode_Type) {
        if (op == Py_EQ || op == Py_NE) {
            return str_equal(a, b) == (op == Py_EQ);
        }
    } else if (type == &PyFloat_Type) {
        double v = PyFloat_AS_DOUBLE(a), w = PyFloat_AS_DOUBLE(b);
        return COMPARE_BY(op, v, w);
    }
    return -1;
}

/* For comparisons in long loops, at the i-th step: now and then signals are let in. 0, or -1 with an exception. May run
 * Python code. */
static inline int loop_pause(Py_ssize_t i)
{
    return unlikely((i & 0xFFFF) == 0xFFFF) ? PyErr_CheckSignals() : 0;
}

#endif
