/* pickle.PickleBuffer. */
#ifndef Py_CPYTHON_PICKLEBUFOBJECT_H
#define Py_CPYTHON_PICKLEBUFOBJECT_H

#ifndef Py_LIMITED_API
_Py_BEGIN_DECLS
PyAPI_DATA(PyTypeObject) PyPickleBuffer_Type;
#define PyPickleBuffer_Check(op) Py_IS_TYPE((op), &PyPickleBuffer_Type)
PyAPI_FUNC(PyObject *) PyPickleBuffer_FromObject(PyObject *op);
PyAPI_FUNC(const Py_buffer *) PyPickleBuffer_GetBuffer(PyObject *op);
PyAPI_FUNC(int) PyPickleBuffer_Release(PyObject *op);
_Py_END_DECLS
#endif

#endif
