/* What a module says that needs no global lock. The call exists only where there is a lock to do without, so an
 * extension has to ask the headers. */
#ifndef KRAIT_TESTS_NO_GIL_H
#define KRAIT_TESTS_NO_GIL_H

#include "Python.h"

static inline void module_needs_no_gil(PyObject *module)
{
#ifdef Py_GIL_DISABLED
    PyUnstable_Module_SetGIL(module, Py_MOD_GIL_NOT_USED);
#else
    (void)module;
#endif
}

#endif
