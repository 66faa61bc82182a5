/* What the files of _functools share. */
#ifndef KRAIT_FUNCTOOLS_H
#define KRAIT_FUNCTOOLS_H

#include "module.h"
#ifdef KRAIT_BUILD
#include "locking/lock.h" /* critical sections without a call */
#endif

#pragma GCC visibility push(hidden)

struct functools_state {
    PyObject *partial_type, *key_type, *lru_type, *link_type, *lru_key_type;
    PyObject *kwd_mark; /* stands between positional and keyword arguments in a cache key */
};

extern PyModuleDef functools_module;
extern PyType_Spec partial_spec, key_spec, lru_spec, lru_link_spec, lru_key_spec;

PyObject *compare_key_new(PyTypeObject *type, PyObject *cmp, PyObject *object);

#pragma GCC visibility pop

#endif
