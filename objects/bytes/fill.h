/* The fill byte of center(), ljust() and rjust(): converter of the bindings. */
#ifndef KRAIT_OBJECTS_BYTES_FILL_H
#define KRAIT_OBJECTS_BYTES_FILL_H

#include <Python.h>

#include <stdbool.h>

static inline bool blob_fill(PyObject *argument, char *byte)
{
    if (PyBytes_Check(argument) && Py_SIZE(argument) == 1) {
        *byte = PyBytes_AS_STRING(argument)[0];
        return true;
    }
    if (PyByteArray_Check(argument) && Py_SIZE(argument) == 1) {
        *byte = PyByteArray_AS_STRING(argument)[0];
        return true;
    }
    PyErr_Format(PyExc_TypeError, "argument 2 must be a byte string of length 1, not %.50s",
                 Py_TYPE(argument)->tp_name);
    return false;
}

#endif
