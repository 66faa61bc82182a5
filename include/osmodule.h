/* Paths. */
#ifndef Py_OSMODULE_H
#define Py_OSMODULE_H

_Py_BEGIN_DECLS

#if _Py_API_VERSION >= 0x03060000
PyAPI_FUNC(PyObject *) PyOS_FSPath(PyObject *path);
#endif

_Py_END_DECLS

#endif
