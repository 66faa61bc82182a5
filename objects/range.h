/*
 * range: what loops over ranges may know. A range and its iterator are immutable or read as whole
 * words; no locks.
 */
#ifndef KRAIT_OBJECTS_RANGE_H
#define KRAIT_OBJECTS_RANGE_H

#include "Python.h"
#include <stdbool.h>

/* The iterator of a range whose numbers fit a C long (PyRangeIter_Type). */
struct range_iter {
    PyObject_HEAD
    long next;
    long step;
    long left; /* numbers still to come */
};

/* Start, step and length of a range as C longs, or false when they do not fit. */
bool range_as_longs(PyObject *range, long *start, long *step, long *length);

/* New reference. start, stop, step are exact ints (borrowed); ValueError when step is 0. */
PyObject *range_new_from_ints(PyObject *start, PyObject *stop, PyObject *step);

extern PyTypeObject *const range_types[];

#endif
