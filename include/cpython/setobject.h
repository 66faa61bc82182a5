/* The struct of sets. */
#ifndef Py_CPYTHON_SETOBJECT_H
#define Py_CPYTHON_SETOBJECT_H

_Py_BEGIN_DECLS

#define PySet_MINSIZE 8

/* An entry: unused if the key is NULL. */
typedef struct {
    PyObject *key;
    Py_hash_t hash;
} setentry;

typedef struct {
    PyObject_HEAD
    Py_ssize_t fill;
    Py_ssize_t used;
    Py_ssize_t mask;
    setentry *table;
    Py_hash_t hash;
    Py_ssize_t finger;
    setentry smalltable[8];
    PyObject *weakreflist;
} PySetObject;

#define _PySet_CAST(so) (assert(PyAnySet_Check(so)), _Py_CAST(PySetObject *, so))

static inline Py_ssize_t PySet_GET_SIZE(PyObject *so)
{
#ifdef Py_GIL_DISABLED
    return _Py_atomic_load_ssize_relaxed(&_PySet_CAST(so)->used);
#else
    return _PySet_CAST(so)->used;
#endif
}
#define PySet_GET_SIZE(so) PySet_GET_SIZE(_PyObject_CAST(so))

_Py_END_DECLS

#endif
