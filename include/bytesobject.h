/* bytes. The items end with a zero byte that is not counted. */
#ifndef Py_BYTESOBJECT_H
#define Py_BYTESOBJECT_H

_Py_BEGIN_DECLS

PyAPI_DATA(PyTypeObject) PyBytesIter_Type;
PyAPI_DATA(PyTypeObject) PyBytes_Type;
#define PyBytes_Check(op) PyType_FastSubclass(Py_TYPE(op), Py_TPFLAGS_BYTES_SUBCLASS)
#define PyBytes_CheckExact(op) Py_IS_TYPE((op), &PyBytes_Type)

/* New bytes (new reference), or NULL with an exception set. */
PyAPI_FUNC(PyObject *) PyBytes_FromFormat(const char *format, ...)
    Py_GCC_ATTRIBUTE((format(printf, 1, 2)));
PyAPI_FUNC(PyObject *) PyBytes_FromFormatV(const char *format, va_list va)
    Py_GCC_ATTRIBUTE((format(printf, 1, 0)));
PyAPI_FUNC(PyObject *) PyBytes_FromObject(PyObject *op);
PyAPI_FUNC(PyObject *) PyBytes_FromString(const char *text);
PyAPI_FUNC(PyObject *) PyBytes_FromStringAndSize(const char *data, Py_ssize_t size);

/* Contents and length; the pointer is valid as long as the object. */
PyAPI_FUNC(char *) PyBytes_AsString(PyObject *bytes);
PyAPI_FUNC(int) PyBytes_AsStringAndSize(PyObject *bytes, char **data, Py_ssize_t *size);
PyAPI_FUNC(Py_ssize_t) PyBytes_Size(PyObject *bytes);

/* Concat replaces *its argument, with NULL on failure; ConcatAndDel also takes the other's
   reference. */
PyAPI_FUNC(void) PyBytes_Concat(PyObject **bytes, PyObject *other);
PyAPI_FUNC(void) PyBytes_ConcatAndDel(PyObject **bytes, PyObject *other);
PyAPI_FUNC(PyObject *) PyBytes_DecodeEscape(const char *text, Py_ssize_t size, const char *errors,
                                            Py_ssize_t unicode, const char *recode_encoding);
PyAPI_FUNC(PyObject *) PyBytes_Repr(PyObject *bytes, int smartquotes);

_Py_END_DECLS

#ifndef Py_LIMITED_API
#  include "cpython/bytesobject.h"
#endif

#endif
