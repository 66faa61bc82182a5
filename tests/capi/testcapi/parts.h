/* The parts of _testcapi: each adds its functions and types. 0 or -1 with an exception. */
#ifndef KRAIT_TESTS_CAPI_PARTS_H
#define KRAIT_TESTS_CAPI_PARTS_H

#include "testing.h"

/* clang-format off */
#define EACH_PART(X) \
    X(abstract) X(atomics) X(calls) X(checks) X(constants) X(datetime) X(exceptions) X(files) X(getargs) X(heaptypes) X(members) \
    X(memory) X(monitoring) X(text) X(threads) X(types) X(watchers)
/* clang-format on */

#define DECLARE_PART(name) int add_##name(PyObject *module);
EACH_PART(DECLARE_PART)

#endif
