/* Importing modules. */
#ifndef Py_IMPORT_H
#define Py_IMPORT_H

_Py_BEGIN_DECLS

/* Import: new reference to the module, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) PyImport_Import(PyObject *);
PyAPI_FUNC(int) PyImport_ImportFrozenModule(const char *);
PyAPI_FUNC(PyObject *) PyImport_ImportModule(const char *);
PyAPI_FUNC(PyObject *) PyImport_ImportModuleLevel(const char *, PyObject *, PyObject *, PyObject *,
    int);
Py_DEPRECATED(3.13) PyAPI_FUNC(PyObject *) PyImport_ImportModuleNoBlock(const char *);
#if _Py_API_VERSION >= 0x03030000
PyAPI_FUNC(int) PyImport_ImportFrozenModuleObject(PyObject *);
#endif

#if _Py_API_VERSION >= 0x03050000
PyAPI_FUNC(PyObject *) PyImport_ImportModuleLevelObject(PyObject *, PyObject *, PyObject *,
    PyObject *, int);
#endif

PyAPI_FUNC(PyObject *) PyImport_AddModule(const char *);
PyAPI_FUNC(int) PyImport_AppendInittab(const char *, PyObject *(*) (void));
PyAPI_FUNC(PyObject *) PyImport_ExecCodeModule(const char *, PyObject *);
PyAPI_FUNC(PyObject *) PyImport_ExecCodeModuleEx(const char *, PyObject *, const char *);
PyAPI_FUNC(PyObject *) PyImport_ExecCodeModuleWithPathnames(const char *, PyObject *, const char *,
    const char *);
PyAPI_FUNC(PyObject *) PyImport_GetImporter(PyObject *);
PyAPI_FUNC(long) PyImport_GetMagicNumber(void);
PyAPI_FUNC(const char *) PyImport_GetMagicTag(void);
PyAPI_FUNC(PyObject *) PyImport_GetModuleDict(void);
PyAPI_FUNC(PyObject *) PyImport_ReloadModule(PyObject *);
#if _Py_API_VERSION >= 0x03030000
PyAPI_FUNC(PyObject *) PyImport_AddModuleObject(PyObject *);
PyAPI_FUNC(PyObject *) PyImport_ExecCodeModuleObject(PyObject *, PyObject *, PyObject *, PyObject *);
#endif

#if _Py_API_VERSION >= 0x030d0000
PyAPI_FUNC(PyObject *) PyImport_AddModuleRef(const char *);
#endif

#if _Py_API_VERSION >= 0x03070000
PyAPI_FUNC(PyObject *) PyImport_GetModule(PyObject *);
#endif
#define PyImport_ImportModuleEx(n, g, l, f) PyImport_ImportModuleLevel(n, g, l, f, 0)

_Py_END_DECLS

#ifndef Py_LIMITED_API
#  include "cpython/import.h"
#endif

#endif
