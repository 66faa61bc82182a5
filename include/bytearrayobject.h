/* bytearray: mutable bytes. */
#ifndef Py_BYTEARRAYOBJECT_H
#define Py_BYTEARRAYOBJECT_H

_Py_BEGIN_DECLS

PyAPI_DATA(PyTypeObject) PyByteArrayIter_Type;
PyAPI_DATA(PyTypeObject) PyByteArray_Type;
#define PyByteArray_Check(self) PyObject_TypeCheck((self), &PyByteArray_Type)
#define PyByteArray_CheckExact(self) Py_IS_TYPE((self), &PyByteArray_Type)

/* Make (new reference), measure and resize; NULL or -1 with an exception set. */
PyAPI_FUNC(char *) PyByteArray_AsString(PyObject *bytearray);
PyAPI_FUNC(PyObject *) PyByteArray_Concat(PyObject *x, PyObject *y);
PyAPI_FUNC(PyObject *) PyByteArray_FromObject(PyObject *op);
PyAPI_FUNC(PyObject *) PyByteArray_FromStringAndSize(const char *data, Py_ssize_t size);
PyAPI_FUNC(int) PyByteArray_Resize(PyObject *bytearray, Py_ssize_t size);
PyAPI_FUNC(Py_ssize_t) PyByteArray_Size(PyObject *bytearray);

_Py_END_DECLS

#ifndef Py_LIMITED_API
#  include "cpython/bytearrayobject.h"
#endif

#endif
