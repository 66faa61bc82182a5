/* Warnings with an explicit place. */
#ifndef Py_CPYTHON_WARNINGS_H
#define Py_CPYTHON_WARNINGS_H

_Py_BEGIN_DECLS

PyAPI_FUNC(int) PyErr_WarnExplicitFormat(PyObject *, const char *, int, const char *, PyObject *,
    const char *, ...);
PyAPI_FUNC(int) PyErr_WarnExplicitObject(PyObject *, PyObject *, PyObject *, int, PyObject *,
    PyObject *);
PyAPI_FUNC(int) _PyErr_WarnExplicitObjectWithContext(PyObject *, PyObject *, PyObject *, int);
#define PyErr_Warn(category, msg) PyErr_WarnEx((category), (msg), 1)

_Py_END_DECLS

#endif
