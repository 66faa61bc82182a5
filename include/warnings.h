/* Warnings: 0, or -1 with an exception set when the warning became one. */
#ifndef Py_WARNINGS_H
#define Py_WARNINGS_H

_Py_BEGIN_DECLS

#if _Py_API_VERSION >= 0x03060000
PyAPI_FUNC(int) PyErr_ResourceWarning(PyObject *, Py_ssize_t, const char *, ...);
#endif

PyAPI_FUNC(int) PyErr_WarnEx(PyObject *, const char *, Py_ssize_t);
PyAPI_FUNC(int) PyErr_WarnExplicit(PyObject *, const char *, const char *, int, const char *,
    PyObject *);
PyAPI_FUNC(int) PyErr_WarnFormat(PyObject *, Py_ssize_t, const char *, ...);

_Py_END_DECLS

#ifndef Py_LIMITED_API
#  include "cpython/warnings.h"
#endif

#endif
