/* bool: True and False, never freed. */
#ifndef Py_BOOLOBJECT_H
#define Py_BOOLOBJECT_H

_Py_BEGIN_DECLS

#define PyBool_Check(x) Py_IS_TYPE((x), &PyBool_Type)

PyAPI_DATA(PyLongObject) _Py_FalseStruct;
PyAPI_DATA(PyLongObject) _Py_TrueStruct;
#if defined(Py_LIMITED_API) && _Py_API_VERSION >= 0x030d0000
#  define Py_False Py_GetConstantBorrowed(Py_CONSTANT_FALSE)
#  define Py_True Py_GetConstantBorrowed(Py_CONSTANT_TRUE)
#else
#  define Py_False _PyObject_CAST(&_Py_FalseStruct)
#  define Py_True _PyObject_CAST(&_Py_TrueStruct)
#endif

PyAPI_FUNC(int) Py_IsTrue(PyObject *op);
PyAPI_FUNC(int) Py_IsFalse(PyObject *op);
#define Py_IsTrue(x) Py_Is((x), Py_True)
#define Py_IsFalse(x) Py_Is((x), Py_False)
#define Py_RETURN_TRUE return Py_True
#define Py_RETURN_FALSE return Py_False

/* True or False (new reference). */
PyAPI_FUNC(PyObject *) PyBool_FromLong(long value);

_Py_END_DECLS

#endif
