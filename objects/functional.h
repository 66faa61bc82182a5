/* map, filter and zip. */

#ifndef KRAIT_OBJECTS_FUNCTIONAL_H
#define KRAIT_OBJECTS_FUNCTIONAL_H

#include "Python.h"

extern PyTypeObject *const functional_types[]; /* NULL-terminated */

#endif
