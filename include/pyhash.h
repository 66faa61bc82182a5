/* Hashing. */
#ifndef Py_PYHASH_H
#define Py_PYHASH_H

_Py_BEGIN_DECLS

#define Py_HASH_CUTOFF    0
#define Py_HASH_EXTERNAL  0
#define Py_HASH_SIPHASH24 1
#define Py_HASH_FNV       2
#define Py_HASH_SIPHASH13 3
#define Py_HASH_ALGORITHM Py_HASH_SIPHASH13

_Py_END_DECLS

#ifndef Py_LIMITED_API
#  include "cpython/pyhash.h"
#endif

#endif
