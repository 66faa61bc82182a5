/* What the files of _collections share. */
#ifndef KRAIT_COLLECTIONS_H
#define KRAIT_COLLECTIONS_H

#include "module.h"
#ifdef KRAIT_BUILD
#include "locking/lock.h" /* critical sections without a call */
#endif

#pragma GCC visibility push(hidden)

struct collections_state {
    PyObject *deque_type, *iterator_type, *reverse_type, *defaultdict_type, *tuplegetter_type;
    PyObject *get_name, *setitem_name;
};

extern PyModuleDef collections_module;
extern PyType_Spec deque_spec, deque_iterator_spec, deque_reverse_spec, defaultdict_spec,
    tuplegetter_spec;

/* Borrowed; NULL with an exception if `type` has nothing to do with the module. */
static inline struct collections_state *collections_state_of(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &collections_module);
    return module ? PyModule_GetState(module) : NULL;
}

#pragma GCC visibility pop

#endif
