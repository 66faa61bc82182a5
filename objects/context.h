/* Context variables: the types. Everything else is the public PyContext_* and PyContextVar_*. */
#ifndef KRAIT_OBJECTS_CONTEXT_H
#define KRAIT_OBJECTS_CONTEXT_H

#include <Python.h>

extern PyTypeObject *const context_types[]; /* NULL-terminated */

/* Readies the types in the calling interpreter and completes Token; may be called again. 0, or -1 with
 * an exception. */
int context_init(void);

#endif
