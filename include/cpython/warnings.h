/* Warnings with an explicit place. */
#ifndef Py_CPYTHON_WARNINGS_H
#define Py_CPYTHON_WARNINGS_H

_Py_BEGIN_DECLS

PyAPI_FUNC(int) PyErr_WarnExplicitFormat(PyObject *category, const char *filename, int line,
                                         const char *module, PyObject *registry, const char *format,
                                         ...);
PyAPI_FUNC(int) PyErr_WarnExplicitObject(PyObject *category, PyObject *message, PyObject *filename,
                                         int line, PyObject *module, PyObject *registry);
PyAPI_FUNC(int) _PyErr_WarnExplicitObjectWithContext(PyObject *category, PyObject *message,
                                                     PyObject *filename, int line);
#define PyErr_Warn(category, msg) PyErr_WarnEx((category), (msg), 1)

_Py_END_DECLS

#endif
