/* The capsule type, for start-up. */
#ifndef KRAIT_OBJECTS_CAPI_CAPSULE_H
#define KRAIT_OBJECTS_CAPI_CAPSULE_H

#include "Python.h"

extern PyTypeObject *const capsule_types[]; /* NULL-terminated: for type_ready_all() */

#endif
