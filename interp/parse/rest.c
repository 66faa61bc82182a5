#include "parse.h"
PyObject *ast_unparse(const struct expr *expr) { (void)expr; PyErr_SetNone(PyExc_NotImplementedError); return NULL; }
