/*
 * Descriptors: what stands in a type's dict for methods, members, getsets and slots; property,
 * classmethod, staticmethod; and the read-only view of a mapping.
 */
#ifndef KRAIT_OBJECTS_DESCR_H
#define KRAIT_OBJECTS_DESCR_H

#include "objects/object.h"

struct propertyobject {
    PyObject_HEAD
    PyObject *getter, *setter, *deleter; /* each NULL when there is none */
    PyObject *doc;
    PyObject *name; /* set by __set_name__, or NULL */
    int doc_from_getter;
};

struct class_or_static_method { /* classmethod and staticmethod */
    PyObject_HEAD
    PyObject *callable;
    PyObject *dict;
};

struct mappingproxy {
    PyObject_HEAD
    PyObject *mapping;
};

extern PyTypeObject method_wrapper_type;  /* (1).__add__ */
extern PyTypeObject *const descr_types[]; /* NULL-terminated */

/* Whether a method descriptor can be called with self before its arguments, so that a call needs
 * no bound method (Py_TPFLAGS_METHOD_DESCRIPTOR). */
static inline bool descr_is_method(PyObject *descr)
{
    return PyType_HasFeature(Py_TYPE(descr), Py_TPFLAGS_METHOD_DESCRIPTOR);
}

/* The vectorcall function for a PyMethodDef's flags; NULL with SystemError for a combination
 * that does not exist. For functions bound to a module or self, and for method descriptors. */
vectorcallfunc cfunction_vectorcall_for(int flags, const char *name);
vectorcallfunc method_descr_vectorcall_for(int flags, const char *name);

/* A wrapper of slot `base` found in `type` around the C function `wrapped`; used by type/slots.c. */
OWNED PyObject *wrapper_descr_new(PyTypeObject *type, struct wrapperbase *base, void *wrapped);

/* The callable inside a classmethod or staticmethod; borrowed, may be NULL. */
BORROWED static inline PyObject *class_or_static_callable(PyObject *op)
{
    return ((struct class_or_static_method *)op)->callable;
}

/* "name(" or "name($" signature lines in docs: the doc without them, and the signature (new
 * references; None when there is none; NULL with an exception). `name` may be dotted. */
OWNED PyObject *doc_without_signature(const char *name, const char *doc);
OWNED PyObject *doc_signature(const char *name, const char *doc);
/* The doc's start behind the signature (borrowed C string). */
const char *doc_body(const char *name, const char *doc);

#endif
