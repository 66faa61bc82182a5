/* Atomic operations on plain variables, for the inline parts of the API. */
#ifndef Py_PYATOMIC_H
#define Py_PYATOMIC_H

#ifndef Py_LIMITED_API
#  include "cpython/pyatomic.h"
#endif

#endif
