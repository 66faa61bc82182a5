/* Arguments of C functions, building values, filling modules. */
#ifndef Py_MODSUPPORT_H
#define Py_MODSUPPORT_H

_Py_BEGIN_DECLS

/* Parse arguments: 1, or 0 with an exception set. The letters of the format say what follows. */
PyAPI_FUNC(int) PyArg_Parse(PyObject *, const char *, ...);
PyAPI_FUNC(int) PyArg_ParseTuple(PyObject *, const char *, ...);
PyAPI_FUNC(int) PyArg_ParseTupleAndKeywords(PyObject *, PyObject *, const char *, char *const *,
    ...);
PyAPI_FUNC(int) PyArg_UnpackTuple(PyObject *, const char *, Py_ssize_t, Py_ssize_t, ...);
PyAPI_FUNC(int) PyArg_VaParse(PyObject *, const char *, va_list);
PyAPI_FUNC(int) PyArg_VaParseTupleAndKeywords(PyObject *, PyObject *, const char *, char *const *,
    va_list);
PyAPI_FUNC(int) PyArg_ValidateKeywordArguments(PyObject *);

/* A converter of format unit O& returns this to be called again, with NULL, if parsing fails. */
#define Py_CLEANUP_SUPPORTED 0x20000

/* Build a value from a format: new reference, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) Py_BuildValue(const char *, ...);
PyAPI_FUNC(PyObject *) Py_VaBuildValue(const char *, va_list);

/* Fill a module: 0, or -1 with an exception set. PyModule_AddObject steals on success. */
#if _Py_API_VERSION >= 0x030d0000
PyAPI_FUNC(int) PyModule_Add(PyObject *, const char *, PyObject *);
#endif

#if _Py_API_VERSION >= 0x03050000
PyAPI_FUNC(int) PyModule_AddFunctions(PyObject *, PyMethodDef *);
PyAPI_FUNC(int) PyModule_ExecDef(PyObject *, PyModuleDef *);
PyAPI_FUNC(int) PyModule_SetDocString(PyObject *, const char *);
#endif

PyAPI_FUNC(int) PyModule_AddIntConstant(PyObject *, const char *, long);
PyAPI_FUNC(int) PyModule_AddObject(PyObject *, const char *, PyObject *);
PyAPI_FUNC(int) PyModule_AddStringConstant(PyObject *, const char *, const char *);
#if _Py_API_VERSION >= 0x030a0000
PyAPI_FUNC(int) PyModule_AddObjectRef(PyObject *, const char *, PyObject *);
#endif

#if _Py_API_VERSION >= 0x03090000
PyAPI_FUNC(int) PyModule_AddType(PyObject *, PyTypeObject *);
#endif
#define PyModule_AddIntMacro(m, c) PyModule_AddIntConstant((m), #c, (c))
#define PyModule_AddStringMacro(m, c) PyModule_AddStringConstant((m), #c, (c))

/* The version of the interface that an extension was compiled for. */
#define PYTHON_API_VERSION 1013
#define PYTHON_API_STRING "1013"
#define PYTHON_ABI_VERSION 3
#define PYTHON_ABI_STRING "3"

/* Make a module from its definition (new reference). */
PyAPI_FUNC(PyObject *) PyModule_Create2(PyModuleDef *, int);
#if _Py_API_VERSION >= 0x03050000
PyAPI_FUNC(PyObject *) PyModule_FromDefAndSpec2(PyModuleDef *, PyObject *, int);
#endif

#ifdef Py_LIMITED_API
#  define PyModule_Create(module) PyModule_Create2((module), PYTHON_ABI_VERSION)
#  define PyModule_FromDefAndSpec(module, spec)                                                    \
      PyModule_FromDefAndSpec2((module), (spec), PYTHON_ABI_VERSION)
#else
#  define PyModule_Create(module) PyModule_Create2((module), PYTHON_API_VERSION)
#  define PyModule_FromDefAndSpec(module, spec)                                                    \
      PyModule_FromDefAndSpec2((module), (spec), PYTHON_API_VERSION)
#endif

_Py_END_DECLS

#ifndef Py_LIMITED_API
#  include "cpython/modsupport.h"
#endif

#endif
