/* The struct of float, and its binary forms. */
#ifndef Py_CPYTHON_FLOATOBJECT_H
#define Py_CPYTHON_FLOATOBJECT_H

_Py_BEGIN_DECLS

typedef struct {
    PyObject_HEAD
    double ob_fval;
} PyFloatObject;

#define _PyFloat_CAST(op) (assert(PyFloat_Check(op)), _Py_CAST(PyFloatObject *, op))

static inline double PyFloat_AS_DOUBLE(PyObject *op)
{
    return _PyFloat_CAST(op)->ob_fval;
}
#define PyFloat_AS_DOUBLE(op) PyFloat_AS_DOUBLE(_PyObject_CAST(op))

/* IEEE 754 formats of 2, 4 and 8 bytes; the last argument is true for little-endian. */
PyAPI_FUNC(int) PyFloat_Pack2(double value, char *data, int little_endian);
PyAPI_FUNC(int) PyFloat_Pack4(double value, char *data, int little_endian);
PyAPI_FUNC(int) PyFloat_Pack8(double value, char *data, int little_endian);
PyAPI_FUNC(double) PyFloat_Unpack2(const char *data, int little_endian);
PyAPI_FUNC(double) PyFloat_Unpack4(const char *data, int little_endian);
PyAPI_FUNC(double) PyFloat_Unpack8(const char *data, int little_endian);

_Py_END_DECLS

#endif
