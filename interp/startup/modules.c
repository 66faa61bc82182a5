/* The built-in modules: names and init functions. */

#include "Python.h"

#define MODULES(X)                                                                     \
    X(_collections) X(_functools) X(_imp) X(_operator) X(_typing) X(_warnings)         \
    X(itertools) X(marshal) X(gc)

#define DECLARE(name) extern PyObject *PyInit_##name(void);
MODULES(DECLARE)

#define ENTRY(name) {(char *)#name, PyInit_##name},

struct _inittab builtin_modules[] = {
    {(char *)"builtins", NULL},
    {(char *)"sys", NULL},
    MODULES(ENTRY)
    {NULL, NULL},
};
