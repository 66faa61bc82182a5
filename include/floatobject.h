/* float: a double. */
#ifndef Py_FLOATOBJECT_H
#define Py_FLOATOBJECT_H

_Py_BEGIN_DECLS

PyAPI_DATA(PyTypeObject) PyFloat_Type;
#define PyFloat_Check(op) PyObject_TypeCheck((op), &PyFloat_Type)
#define PyFloat_CheckExact(op) Py_IS_TYPE((op), &PyFloat_Type)

#define Py_RETURN_NAN return PyFloat_FromDouble(Py_NAN)
#define Py_RETURN_INF(sign)                                                                        \
    do {                                                                                           \
        return PyFloat_FromDouble(copysign(1.0, (sign)) == 1.0 ? Py_INFINITY : -Py_INFINITY);      \
    } while (0)

/* New float (new reference), or NULL with an exception set. */
PyAPI_FUNC(PyObject *) PyFloat_FromDouble(double value);
PyAPI_FUNC(PyObject *) PyFloat_FromString(PyObject *text);

/* The value as a double; -1.0 with an exception set on failure. */
PyAPI_FUNC(double) PyFloat_AsDouble(PyObject *op);
PyAPI_FUNC(PyObject *) PyFloat_GetInfo(void);
PyAPI_FUNC(double) PyFloat_GetMax(void);
PyAPI_FUNC(double) PyFloat_GetMin(void);

_Py_END_DECLS

#ifndef Py_LIMITED_API
#  include "cpython/floatobject.h"
#endif

#endif
