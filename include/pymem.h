/* Memory for buffers and structs that are not objects.

   Each function returns NULL on failure and sets no exception; a size of 0 gives a unique
   pointer. The Raw family may be used without an attached thread state. */
#ifndef Py_PYMEM_H
#define Py_PYMEM_H

_Py_BEGIN_DECLS

/* Blocks of the mem domain: allocate, zeroed, resize, release. */
PyAPI_FUNC(void *) PyMem_Calloc(size_t count, size_t size);
PyAPI_FUNC(void) PyMem_Free(void *block);
PyAPI_FUNC(void *) PyMem_Malloc(size_t size);
PyAPI_FUNC(void *) PyMem_Realloc(void *block, size_t size);

/* The same for the raw domain. */
#if _Py_API_VERSION >= 0x030d0000
PyAPI_FUNC(void *) PyMem_RawCalloc(size_t count, size_t size);
PyAPI_FUNC(void) PyMem_RawFree(void *block);
PyAPI_FUNC(void *) PyMem_RawMalloc(size_t size);
PyAPI_FUNC(void *) PyMem_RawRealloc(void *block, size_t size);
#endif

/* An array of n items of a type; NULL if the size overflows. */
#define PyMem_New(type, n)                                                                         \
    (((size_t)(n) > PY_SSIZE_T_MAX / sizeof(type))                                                 \
         ? _Py_NULL                                                                                \
         : ((type *)PyMem_Malloc((size_t)(n) * sizeof(type))))

/* Assigns the resized block, or NULL, to p: keep a copy of the old pointer. */
#define PyMem_Resize(p, type, n)                                                                   \
    ((p) = ((size_t)(n) > PY_SSIZE_T_MAX / sizeof(type))                                           \
               ? _Py_NULL                                                                          \
               : (type *)PyMem_Realloc((p), (size_t)(n) * sizeof(type)))

/* Older spellings. */
#define PyMem_MALLOC(n) PyMem_Malloc((n))
#define PyMem_NEW(type, n) PyMem_New(type, (n))
#define PyMem_REALLOC(p, n) PyMem_Realloc((p), (n))
#define PyMem_RESIZE(p, type, n) PyMem_Resize((p), type, (n))
#define PyMem_FREE(p) PyMem_Free((p))
#define PyMem_Del(p) PyMem_Free((p))
#define PyMem_DEL(p) PyMem_Free((p))

_Py_END_DECLS

#ifndef Py_LIMITED_API
#  include "cpython/pymem.h"
#endif

#endif
