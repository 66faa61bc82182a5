/* Calls as the interpreter and other files make them, beyond the public headers. */
#ifndef KRAIT_OBJECTS_CAPI_CALL_H
#define KRAIT_OBJECTS_CAPI_CALL_H

#include "Python.h"

#include <stdarg.h>

/* Passes a callee's result on, if it kept the contract: not NULL, or an exception, not both. Else
 * releases it and raises SystemError that names the callable (borrowed), or `where` if NULL. */
PyAPI_FUNC(PyObject *) _Py_CheckFunctionResult(PyThreadState *ts, PyObject *callable,
                                               PyObject *result, const char *where);

/* Calls through tp_call. `keywords`: tuple of names (values behind the arguments), dict or NULL;
 * all borrowed. New reference. Runs Python code. */
PyAPI_FUNC(PyObject *)
    _PyObject_MakeTpCall(PyThreadState *ts, PyObject *callable, PyObject *const *args,
                         Py_ssize_t nargs, PyObject *keywords);

PyAPI_FUNC(PyObject *) _PyObject_CallMethod(PyObject *op, PyObject *name, const char *format, ...);
PyAPI_FUNC(PyObject *) _PyObject_CallFunction_SizeT(PyObject *callable, const char *format, ...);
PyAPI_FUNC(PyObject *)
    _PyObject_CallMethod_SizeT(PyObject *op, const char *name, const char *format, ...);

/* The values of a format of Py_BuildValue, as new references in `small` or, if that has too little
 * room, in a block for PyMem_Free. NULL with an exception. */
PyObject **build_values(PyObject **small, Py_ssize_t room, const char *format, va_list va,
                        Py_ssize_t *count);

#endif
