/* Built-in functions and methods: C functions bound to a module or an instance. */
#ifndef KRAIT_OBJECTS_CFUNCTION_H
#define KRAIT_OBJECTS_CFUNCTION_H

#include "objects/object.h"

extern PyTypeObject *const cfunction_types[]; /* NULL-terminated */

#endif
