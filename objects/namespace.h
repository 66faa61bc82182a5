/* types.SimpleNamespace. */
#ifndef KRAIT_OBJECTS_NAMESPACE_H
#define KRAIT_OBJECTS_NAMESPACE_H

#include "objects/object.h"

/* A namespace with these attributes (a dict, or NULL); new reference. */
OWNED PyAPI_FUNC(PyObject *) _PyNamespace_New(PyObject *attributes);

extern PyTypeObject _PyNamespace_Type;

#endif
