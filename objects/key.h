/*
 * Keys of dicts and sets: hashes and comparisons, the usual ones without a call.
 */
#ifndef KRAIT_OBJECTS_KEY_H
#define KRAIT_OBJECTS_KEY_H

#include "Python.h"
#include "objects/int.h"
#include "objects/str.h"

/* -1 with TypeError. May run Python code unless it is an exact str or int. */
static inline Py_hash_t key_hash(PyObject *key)
{
    if (PyUnicode_CheckExact(key)) {
        return str_hash(key);
    }
    if (PyLong_CheckExact(key) && int_is_compact((PyLongObject *)key)) {
        Py_hash_t value = int_compact_value((PyLongObject *)key);
        return value == -1 ? -2 : value;
    }
    return PyObject_Hash(key);
}

/* key_equals_plain() of exact tuples. */
int tuple_equals_plain(PyObject *a, PyObject *b);

/* Whether two keys of the same hash are equal: 1, 0; -1: that is for __eq__ to say. Runs nothing. */
static inline int key_equals_plain(PyObject *a, PyObject *b)
{
    if (PyUnicode_CheckExact(a) && PyUnicode_CheckExact(b)) {
        return str_equal(a, b);
    }
    if (PyLong_CheckExact(a) && PyLong_CheckExact(b)) {
        PyLongObject *x = (PyLongObject *)a, *y = (PyLongObject *)b;
        return x->long_value.lv_tag == y->long_value.lv_tag
               && memcmp(int_digits(x), int_digits(y), (size_t)int_ndigits(x) * sizeof(digit)) == 0;
    }
    if (PyTuple_CheckExact(a) && PyTuple_CheckExact(b)) {
        return tuple_equals_plain(a, b);
    }
    return -1;
}

/* The same for `found`, which was read without a lock from a slot that others may overwrite. */
static inline int key_equals_shared(PyObject **slot, PyObject *found, PyObject *key)
{
    bool held = ref_is_held(found);
    if (!held && !ref_try_hold(found, slot)) {
        return -1;
    }
    int equal = key_equals_plain(found, key);
    if (!held) {
        Py_DECREF(found);
    }
    return equal;
}

#endif
