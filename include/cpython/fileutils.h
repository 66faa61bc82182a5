/* Opening files with an audit event. */
#ifndef Py_CPYTHON_FILEUTILS_H
#define Py_CPYTHON_FILEUTILS_H

_Py_BEGIN_DECLS

PyAPI_FUNC(FILE *) _Py_fopen_obj(PyObject *path, const char *mode);

_Py_END_DECLS

#endif
