/* Symbol visibility: how public functions, data and module entry points are declared. */
#ifndef Py_EXPORTS_H
#define Py_EXPORTS_H

#if defined(__GNUC__)
#  define Py_IMPORTED_SYMBOL __attribute__((visibility("default")))
#  define Py_EXPORTED_SYMBOL __attribute__((visibility("default")))
#  define Py_LOCAL_SYMBOL __attribute__((visibility("hidden")))
#else
#  define Py_IMPORTED_SYMBOL
#  define Py_EXPORTED_SYMBOL
#  define Py_LOCAL_SYMBOL
#endif

#ifdef __cplusplus
#  define _Py_BEGIN_DECLS extern "C" {
#  define _Py_END_DECLS }
#  define _Py_EXTERN_C extern "C"
#else
#  define _Py_BEGIN_DECLS
#  define _Py_END_DECLS
#  define _Py_EXTERN_C
#endif

#define PyAPI_FUNC(type) Py_EXPORTED_SYMBOL type
#define PyAPI_DATA(type) extern Py_EXPORTED_SYMBOL type

/* Return type of a module's PyInit_NAME function. */
#define PyMODINIT_FUNC _Py_EXTERN_C Py_EXPORTED_SYMBOL PyObject *

#endif
