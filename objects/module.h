/* module: a namespace, and the state of a module written in C. */
#ifndef KRAIT_OBJECTS_MODULE_H
#define KRAIT_OBJECTS_MODULE_H

#include "objects/object.h"

struct module_object {
    PyObject_HEAD
    PyObject *dict;   /* owned; never NULL once it is made */
    PyModuleDef *def; /* NULL for a module that was not made in C */
    void *state;      /* def->m_size bytes, or NULL */
    PyObject *weaklist;
    PyObject *name; /* owned, or NULL */
    void *gil;      /* Py_MOD_GIL_*; only where the ABI has it (free-threaded) */
};

/* The ABI's size: the last field is missing in the default build. */
#define MODULE_BASICSIZE                                                                           \
    ((Py_ssize_t)(sizeof(PyObject) == 16 ? offsetof(struct module_object, gil)                     \
                                         : sizeof(struct module_object)))

BORROWED static inline PyObject *module_dict(PyObject *module)
{
    return ((struct module_object *)module)->dict;
}

/* The attribute, or why there is none: AttributeError with what import can tell about it. New
 * reference. May run Python code (__getattr__). `suppress`: no exception when absent. */
OWNED PyObject *module_getattr(PyObject *module, PyObject *name, bool suppress);

/* Sets all names of a module's dict to None, private ones first: for the end of an interpreter.
 * May run Python code (finalizers). */
void module_clear_dict(PyObject *dict);

/* What the import system registers. */
struct module_hooks {
    /* The full name of the module that is being loaded under this one, or `name` itself: what
     * PyModule_Create2 shall call the module. NULL: none registered. */
    const char *(*full_name)(const char *name);
    /* sys.path[0] as it was at start-up (new reference), or NULL without an exception: unsafe
     * paths are off. */
    PyObject *(*first_path)(void);
    /* importlib's repr of a module (new reference). */
    PyObject *(*repr)(PyObject *module);
    /* 0 when a module with this multiple_interpreters slot may be loaded here; -1, ImportError. */
    int (*check_interpreter)(const char *name, void *slot);
};
extern struct module_hooks module_hooks;

extern PyTypeObject *const module_types[]; /* NULL-terminated */

#endif
