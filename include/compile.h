/* Compiler flags and modes. */
#ifndef Py_COMPILE_H
#define Py_COMPILE_H

/* What is compiled: one interactive statement, a file, an expression, a function type. */
#define Py_single_input    256
#define Py_file_input      257
#define Py_eval_input      258
#define Py_func_type_input 345

#ifndef Py_LIMITED_API
#  include "cpython/compile.h"
#endif

#endif
