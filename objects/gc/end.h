/* The end of the process. */
#ifndef KRAIT_OBJECTS_GC_END_H
#define KRAIT_OBJECTS_GC_END_H

#include "Python.h"

#include <stdbool.h>

/* Whether nobody would notice if the objects that there are were never deallocated, because the process ends: none
 * but `known` (n of them) has a finalizer still to run, no class has one in Python, no weak reference has a callback,
 * and nothing watches collections. Runs no Python code. Attached; no other thread runs. */
bool gc_ends_quietly(PyObject *const *known, int n);

#endif
