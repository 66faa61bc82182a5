/* Arguments of C functions, building values, filling modules. */
#ifndef Py_MODSUPPORT_H
#define Py_MODSUPPORT_H

_Py_BEGIN_DECLS

/* Parse arguments: 1, or 0 with an exception set. The letters of the format say what follows. */
PyAPI_FUNC(int) PyArg_Parse(PyObject *arg, const char *format, ...);
PyAPI_FUNC(int) PyArg_ParseTuple(PyObject *args, const char *format, ...);
PyAPI_FUNC(int) PyArg_ParseTupleAndKeywords(PyObject *args, PyObject *kwargs, const char *format,
                                            char *const *names, ...);
PyAPI_FUNC(int) PyArg_UnpackTuple(PyObject *args, const char *name, Py_ssize_t low, Py_ssize_t high,
                                  ...);
PyAPI_FUNC(int) PyArg_VaParse(PyObject *args, const char *format, va_list va);
PyAPI_FUNC(int) PyArg_VaParseTupleAndKeywords(PyObject *args, PyObject *kwargs, const char *format,
                                              char *const *names, va_list va);
PyAPI_FUNC(int) PyArg_ValidateKeywordArguments(PyObject *kwargs);

/* A converter of format unit O& returns this to be called again, with NULL, if parsing fails. */
#define Py_CLEANUP_SUPPORTED 0x20000

/* Build a value from a format: new reference, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) Py_BuildValue(const char *format, ...);
PyAPI_FUNC(PyObject *) Py_VaBuildValue(const char *format, va_list va);

/* Fill a module: 0, or -1 with an exception set. PyModule_AddObject steals on success. */
#if _Py_API_VERSION >= 0x030d0000
PyAPI_FUNC(int) PyModule_Add(PyObject *module, const char *name, PyObject *value);
#endif

#if _Py_API_VERSION >= 0x03050000
PyAPI_FUNC(int) PyModule_AddFunctions(PyObject *module, PyMethodDef *functions);
PyAPI_FUNC(int) PyModule_ExecDef(PyObject *module, PyModuleDef *def);
PyAPI_FUNC(int) PyModule_SetDocString(PyObject *module, const char *doc);
#endif

PyAPI_FUNC(int) PyModule_AddIntConstant(PyObject *module, const char *name, long value);
PyAPI_FUNC(int) PyModule_AddObject(PyObject *module, const char *name, PyObject *value);
PyAPI_FUNC(int) PyModule_AddStringConstant(PyObject *module, const char *name, const char *value);
#if _Py_API_VERSION >= 0x030a0000
PyAPI_FUNC(int) PyModule_AddObjectRef(PyObject *module, const char *name, PyObject *value);
#endif

#if _Py_API_VERSION >= 0x03090000
PyAPI_FUNC(int) PyModule_AddType(PyObject *module, PyTypeObject *type);
#endif
#define PyModule_AddIntMacro(m, c) PyModule_AddIntConstant((m), #c, (c))
#define PyModule_AddStringMacro(m, c) PyModule_AddStringConstant((m), #c, (c))

/* The version of the interface that an extension was compiled for. */
#define PYTHON_API_VERSION 1013
#define PYTHON_API_STRING "1013"
#define PYTHON_ABI_VERSION 3
#define PYTHON_ABI_STRING "3"

/* Make a module from its definition (new reference). */
PyAPI_FUNC(PyObject *) PyModule_Create2(PyModuleDef *def, int api_version);
#if _Py_API_VERSION >= 0x03050000
PyAPI_FUNC(PyObject *) PyModule_FromDefAndSpec2(PyModuleDef *def, PyObject *spec, int api_version);
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
