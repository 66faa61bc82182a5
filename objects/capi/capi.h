/* What the files of this folder share: the errors of abstract operations, and calls upward. */
#ifndef KRAIT_OBJECTS_CAPI_H
#define KRAIT_OBJECTS_CAPI_H

#include "objects/ids.h"
#include "objects/object.h"

/* A NULL where an object belongs: SystemError, unless an exception is set already, which then is
 * the reason for the NULL. */
__attribute__((cold)) PyObject *raise_null_argument(void);

/* TypeError with a text in which %.200s stands for the name of an object's type. NULL or -1. */
__attribute__((cold)) PyObject *raise_for_type(const char *text, PyObject *op);
__attribute__((cold)) int raise_for_type_int(const char *text, PyObject *op);

/* Raises `type` with the raised exception as its cause and context. NULL. */
__attribute__((cold)) PyObject *raise_from_cause(PyObject *type, const char *format, ...);

/* x op y through the number slots at `offset` of PyNumberMethods: a new reference,
 * Py_NotImplemented (a new reference) if neither side knows, NULL with an exception. */
PyObject *number_try_binary(PyObject *x, PyObject *y, size_t offset);
/* The in-place slot of x first. */
PyObject *number_try_inplace(PyObject *x, PyObject *y, size_t inplace, size_t offset);

/* Types of other files that have no place in the public headers. */
PyAPI_DATA(PyTypeObject) _PyUnion_Type;

/* tp_iternext of types that take the slot back from their base: raises TypeError. */
PyAPI_FUNC(PyObject *) _PyObject_NextNotImplemented(PyObject *op);

#define NUMBER_SLOT(name) offsetof(PyNumberMethods, name)

/* The slot at `offset` of a type's number methods, or NULL. */
static inline void *number_slot(PyObject *op, size_t offset)
{
    PyNumberMethods *methods = Py_TYPE(op)->tp_as_number;
    return methods ? *(void **)((char *)methods + offset) : NULL;
}

#endif
