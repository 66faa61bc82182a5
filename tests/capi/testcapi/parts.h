/* The parts of _testcapi: each adds its functions and types. 0 or -1 with an exception. */
#ifndef KRAIT_TESTS_CAPI_PARTS_H
#define KRAIT_TESTS_CAPI_PARTS_H

#include "testing.h"

#define EACH_PART(X) \
    X(abstract) X(calls) X(constants) X(exceptions) X(getargs) X(members) X(types)

#define DECLARE_PART(name) int add_##name(PyObject *module);
EACH_PART(DECLARE_PART)

#endif
