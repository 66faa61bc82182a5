/* int: numbers of any size. */
#ifndef Py_LONGOBJECT_H
#define Py_LONGOBJECT_H

_Py_BEGIN_DECLS

#define PyLong_Check(op) PyType_FastSubclass(Py_TYPE(op), Py_TPFLAGS_LONG_SUBCLASS)
#define PyLong_CheckExact(op) Py_IS_TYPE((op), &PyLong_Type)

/* New int (new reference), or NULL with an exception set. */
PyAPI_FUNC(PyObject *) PyLong_FromDouble(double value);
PyAPI_FUNC(PyObject *) PyLong_FromLong(long value);
PyAPI_FUNC(PyObject *) PyLong_FromLongLong(long long value);
PyAPI_FUNC(PyObject *) PyLong_FromSize_t(size_t value);
PyAPI_FUNC(PyObject *) PyLong_FromSsize_t(Py_ssize_t value);
PyAPI_FUNC(PyObject *) PyLong_FromString(const char *text, char **end, int base);
PyAPI_FUNC(PyObject *) PyLong_FromUnsignedLong(unsigned long value);
PyAPI_FUNC(PyObject *) PyLong_FromUnsignedLongLong(unsigned long long value);
PyAPI_FUNC(PyObject *) PyLong_FromVoidPtr(void *pointer);

/* The value as a C number: -1 with OverflowError if it does not fit, TypeError for other
   objects. The Mask forms wrap around. */
PyAPI_FUNC(double) PyLong_AsDouble(PyObject *op);
PyAPI_FUNC(long) PyLong_AsLong(PyObject *op);
PyAPI_FUNC(long) PyLong_AsLongAndOverflow(PyObject *op, int *overflow);
PyAPI_FUNC(long long) PyLong_AsLongLong(PyObject *op);
PyAPI_FUNC(long long) PyLong_AsLongLongAndOverflow(PyObject *op, int *overflow);
PyAPI_FUNC(size_t) PyLong_AsSize_t(PyObject *op);
PyAPI_FUNC(Py_ssize_t) PyLong_AsSsize_t(PyObject *op);
PyAPI_FUNC(unsigned long) PyLong_AsUnsignedLong(PyObject *op);
PyAPI_FUNC(unsigned long long) PyLong_AsUnsignedLongLong(PyObject *op);
PyAPI_FUNC(unsigned long long) PyLong_AsUnsignedLongLongMask(PyObject *op);
PyAPI_FUNC(unsigned long) PyLong_AsUnsignedLongMask(PyObject *op);
PyAPI_FUNC(void *) PyLong_AsVoidPtr(PyObject *op);
#if _Py_API_VERSION >= 0x030d0000
PyAPI_FUNC(int) PyLong_AsInt(PyObject *op);
#endif

PyAPI_FUNC(PyObject *) PyLong_GetInfo(void);
PyAPI_FUNC(long) PyOS_strtol(const char *text, char **end, int base);
PyAPI_FUNC(unsigned long) PyOS_strtoul(const char *text, char **end, int base);
#define PyLong_AS_LONG(op) PyLong_AsLong(op)

/* Process ids, and format units of PyArg_Parse for pids and pointers. */
#define _Py_PARSE_PID "i"
#define PyLong_FromPid PyLong_FromLong
#if _Py_API_VERSION >= 0x030d0000
#  define PyLong_AsPid PyLong_AsInt
#else
#  define PyLong_AsPid PyLong_AsLong
#endif
#define _Py_PARSE_INTPTR "l"
#define _Py_PARSE_UINTPTR "k"

_Py_END_DECLS

#ifndef Py_LIMITED_API
#  include "cpython/longobject.h"
#endif

#endif
