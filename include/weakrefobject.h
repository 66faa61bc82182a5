/* Weak references and proxies. */
#ifndef Py_WEAKREFOBJECT_H
#define Py_WEAKREFOBJECT_H

_Py_BEGIN_DECLS

typedef struct _PyWeakReference PyWeakReference;

PyAPI_DATA(PyTypeObject) _PyWeakref_CallableProxyType;
PyAPI_DATA(PyTypeObject) _PyWeakref_ProxyType;
PyAPI_DATA(PyTypeObject) _PyWeakref_RefType;
#define PyWeakref_CheckRef(op) PyObject_TypeCheck((op), &_PyWeakref_RefType)
#define PyWeakref_CheckRefExact(op) Py_IS_TYPE((op), &_PyWeakref_RefType)
#define PyWeakref_CheckProxy(op)                                                                   \
    (Py_IS_TYPE((op), &_PyWeakref_ProxyType) || Py_IS_TYPE((op), &_PyWeakref_CallableProxyType))
#define PyWeakref_Check(op) (PyWeakref_CheckRef(op) || PyWeakref_CheckProxy(op))

/* New reference or proxy (new reference). GetRef gives the referent as a new reference and
   returns 1, 0 if it is gone, -1 with an exception set; GetObject borrows. */
Py_DEPRECATED(3.13) PyAPI_FUNC(PyObject *) PyWeakref_GetObject(PyObject *ref);
PyAPI_FUNC(PyObject *) PyWeakref_NewProxy(PyObject *op, PyObject *callback);
PyAPI_FUNC(PyObject *) PyWeakref_NewRef(PyObject *op, PyObject *callback);
#if _Py_API_VERSION >= 0x030d0000
PyAPI_FUNC(int) PyWeakref_GetRef(PyObject *ref, PyObject **result);
#endif

_Py_END_DECLS

#ifndef Py_LIMITED_API
#  include "cpython/weakrefobject.h"
#endif

#endif
