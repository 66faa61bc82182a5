/* Hashing: parameters of numeric hashes, hash functions for doubles, pointers and buffers. */
#ifndef Py_CPYTHON_PYHASH_H
#define Py_CPYTHON_PYHASH_H

_Py_BEGIN_DECLS

#define PyHASH_MULTIPLIER 1000003UL
#define PyHASH_BITS 61
#define PyHASH_MODULUS (((size_t)1 << PyHASH_BITS) - 1)
#define PyHASH_INF 314159
#define PyHASH_IMAG PyHASH_MULTIPLIER
#define _PyHASH_MULTIPLIER PyHASH_MULTIPLIER
#define _PyHASH_BITS PyHASH_BITS
#define _PyHASH_MODULUS PyHASH_MODULUS
#define _PyHASH_INF PyHASH_INF
#define _PyHASH_IMAG PyHASH_IMAG

/* The hash function of str and bytes. */
typedef struct {
    Py_hash_t (*const hash)(const void *, Py_ssize_t);
    const char *name;
    const int hash_bits;
    const int seed_bits;
} PyHash_FuncDef;

PyAPI_FUNC(PyHash_FuncDef *) PyHash_GetFuncDef(void);
PyAPI_FUNC(Py_hash_t) PyObject_GenericHash(PyObject *op);
PyAPI_FUNC(Py_hash_t) Py_HashPointer(const void *pointer);
PyAPI_FUNC(Py_hash_t) _Py_HashDouble(PyObject *op, double value);
#define _Py_HashPointer Py_HashPointer

_Py_END_DECLS

#endif
