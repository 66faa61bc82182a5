/*
 * The hash of an address: what objects hash by that do not say otherwise.
 */
#include "Python.h"

Py_hash_t Py_HashPointer(const void *pointer)
{
    /* The lowest bits are always the same: they go to the top. */
    uintptr_t bits = (uintptr_t)pointer;
    Py_hash_t hash = (Py_hash_t)((bits >> 4) | (bits << (8 * sizeof bits - 4)));
    return hash == -1 ? -2 : hash;
}
