/* Iterators over sequences, and over calls of a function until a sentinel. */
#ifndef Py_ITEROBJECT_H
#define Py_ITEROBJECT_H

_Py_BEGIN_DECLS

PyAPI_DATA(PyTypeObject) PyCallIter_Type;
PyAPI_DATA(PyTypeObject) PySeqIter_Type;
#define PySeqIter_Check(op) Py_IS_TYPE((op), &PySeqIter_Type)
#define PyCallIter_Check(op) Py_IS_TYPE((op), &PyCallIter_Type)

/* New iterator (new reference), or NULL with an exception set. */
PyAPI_FUNC(PyObject *) PyCallIter_New(PyObject *callable, PyObject *sentinel);
PyAPI_FUNC(PyObject *) PySeqIter_New(PyObject *sequence);

_Py_END_DECLS

#endif
