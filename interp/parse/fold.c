#include "parse.h"
int ast_fold(struct ast_module *tree, int optimize, int future_flags, struct arena *arena)
{ (void)tree; (void)optimize; (void)future_flags; (void)arena; return 0; }
int ast_validate(const struct ast_module *tree) { (void)tree; return 0; }
PyObject *ast_unparse(const struct expr *expr) { (void)expr; PyErr_SetNone(PyExc_NotImplementedError); return NULL; }
