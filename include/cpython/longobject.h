/* int: conversion to and from bytes, and the inner layout. */
#ifndef Py_CPYTHON_LONGOBJECT_H
#define Py_CPYTHON_LONGOBJECT_H

_Py_BEGIN_DECLS

#define Py_ASNATIVEBYTES_DEFAULTS (-1)
#define Py_ASNATIVEBYTES_BIG_ENDIAN 0
#define Py_ASNATIVEBYTES_LITTLE_ENDIAN 1
#define Py_ASNATIVEBYTES_NATIVE_ENDIAN 3
#define Py_ASNATIVEBYTES_UNSIGNED_BUFFER 4
#define Py_ASNATIVEBYTES_REJECT_NEGATIVE 8
#define Py_ASNATIVEBYTES_ALLOW_INDEX 16

/* Bytes needed, whatever was asked; -1 with an exception set. */
PyAPI_FUNC(Py_ssize_t) PyLong_AsNativeBytes(PyObject *op, void *buffer, Py_ssize_t size, int flags);

/* New int from bytes in two's complement or unsigned. */
PyAPI_FUNC(PyObject *) PyLong_FromNativeBytes(const void *buffer, size_t size, int flags);
PyAPI_FUNC(PyObject *) PyLong_FromUnicodeObject(PyObject *text, int base);
PyAPI_FUNC(PyObject *) PyLong_FromUnsignedNativeBytes(const void *buffer, size_t size, int flags);
PyAPI_FUNC(Py_ssize_t) PyUnstable_Long_CompactValue(const PyLongObject *op);
PyAPI_FUNC(int) PyUnstable_Long_IsCompact(const PyLongObject *op);
PyAPI_FUNC(int) _PyLong_AsByteArray(PyLongObject *op, unsigned char *bytes, size_t size,
                                    int little_endian, int is_signed, int with_exceptions);
PyAPI_FUNC(PyObject *) _PyLong_FromByteArray(const unsigned char *bytes, size_t size,
                                             int little_endian, int is_signed);
PyAPI_FUNC(PyObject *) _PyLong_GCD(PyObject *a, PyObject *b);
PyAPI_FUNC(size_t) _PyLong_NumBits(PyObject *op);
PyAPI_FUNC(int) _PyLong_Sign(PyObject *op);

_Py_END_DECLS

#endif
