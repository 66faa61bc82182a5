/* Tables of built-in and frozen modules. */
#ifndef Py_CPYTHON_IMPORT_H
#define Py_CPYTHON_IMPORT_H

_Py_BEGIN_DECLS

/* A built-in module. The table ends with a NULL name. */
struct _inittab {
    const char *name;
    PyObject *(*initfunc)(void);
};

PyAPI_DATA(struct _inittab *) PyImport_Inittab;
PyAPI_FUNC(int) PyImport_ExtendInittab(struct _inittab *table);

/* A frozen module. */
struct _frozen {
    const char *name;
    const unsigned char *code;
    int size;
    int is_package;
};

PyAPI_DATA(const struct _frozen *) PyImport_FrozenModules;
PyAPI_FUNC(PyObject *) PyInit__imp(void);

_Py_END_DECLS

#endif
