/* Warnings: 0, or -1 with an exception set when the warning became one. */
#ifndef Py_WARNINGS_H
#define Py_WARNINGS_H

_Py_BEGIN_DECLS

#if _Py_API_VERSION >= 0x03060000
PyAPI_FUNC(int) PyErr_ResourceWarning(PyObject *source, Py_ssize_t stack_level, const char *format,
                                      ...);
#endif

PyAPI_FUNC(int) PyErr_WarnEx(PyObject *category, const char *message, Py_ssize_t stack_level);
PyAPI_FUNC(int) PyErr_WarnExplicit(PyObject *category, const char *message, const char *filename,
                                   int line, const char *module, PyObject *registry);
PyAPI_FUNC(int) PyErr_WarnFormat(PyObject *category, Py_ssize_t stack_level, const char *format,
                                 ...);

_Py_END_DECLS

#ifndef Py_LIMITED_API
#  include "cpython/warnings.h"
#endif

#endif
