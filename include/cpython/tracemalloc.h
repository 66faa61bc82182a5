/* Blocks of memory that an extension allocates by other means, for tracemalloc. */
#ifndef Py_CPYTHON_TRACEMALLOC_H
#define Py_CPYTHON_TRACEMALLOC_H

#ifndef Py_LIMITED_API
_Py_BEGIN_DECLS
PyAPI_FUNC(int) PyTraceMalloc_Track(unsigned int domain, uintptr_t address, size_t size);
PyAPI_FUNC(int) PyTraceMalloc_Untrack(unsigned int domain, uintptr_t address);
_Py_END_DECLS
#endif

#endif
