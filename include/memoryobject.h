/* memoryview. */
#ifndef Py_MEMORYOBJECT_H
#define Py_MEMORYOBJECT_H

_Py_BEGIN_DECLS

PyAPI_DATA(PyTypeObject) PyMemoryView_Type;
#define PyMemoryView_Check(op) Py_IS_TYPE((op), &PyMemoryView_Type)

/* New memoryview (new reference), or NULL with an exception set. */
#if _Py_API_VERSION >= 0x030b0000
PyAPI_FUNC(PyObject *) PyMemoryView_FromBuffer(const Py_buffer *view);
#endif

#if _Py_API_VERSION >= 0x03030000
PyAPI_FUNC(PyObject *) PyMemoryView_FromMemory(char *memory, Py_ssize_t size, int flags);
#endif

PyAPI_FUNC(PyObject *) PyMemoryView_FromObject(PyObject *op);
PyAPI_FUNC(PyObject *) PyMemoryView_GetContiguous(PyObject *op, int buffer_type, char order);

_Py_END_DECLS

#ifndef Py_LIMITED_API
#  include "cpython/memoryobject.h"
#endif

#endif
