/* The compiler's entrance: a whole tree to one code object. */

#include "compile.h"
#include "objects/ids.h"
#include "interp/parse/parse.h"
#include "unit.h"

static void module_body(struct compiler *c, const struct ast_module *tree)
{
    switch ((enum module_kind)tree->kind) {
    case MODULE_MODULE:
        body_with_docstring(c, tree->module.body);
        break;
    case MODULE_INTERACTIVE:
        c->interactive = true;
        body_with_docstring(c, tree->interactive.body);
        break;
    case MODULE_EXPRESSION: {
        int reg = expr_push(c, tree->expression.body);
        c->pos = tree->expression.body->pos;
        emit(c, RETURN, reg, 0, 0);
        temp_pop_to(c, reg);
        return;
    }
    case MODULE_FUNCTIONTYPE:
    case MODULE_KINDS:
        Py_UNREACHABLE();
    }
    c->pos = NOWHERE;
    emit_wide(c, RETURN_CONST, 0, const_add(c, Py_None));
}

PyObject *compile_tree(struct ast_module *tree, PyObject *filename, int *flags, int optimize,
                       struct arena *arena)
{
    int future = future_flags(tree, filename);
    if (future < 0) {
        return NULL;
    }
    *flags |= future;
    if (ast_fold(tree, optimize, *flags, arena) < 0) {
        return NULL;
    }
    struct compiler c = {.arena = arena,
                         .filename = filename,
                         .flags = *flags,
                         .optimize = optimize,
                         .table = symtable_build(tree, filename, *flags, arena)};
    if (c.table == NULL) {
        return NULL;
    }
    PyObject *name = keep(&c, PyUnicode_InternFromString("<module>"));
    if (name == NULL || !unit_enter(&c, name, c.table->top, 1)) {
        return NULL;
    }
    c.unit->async = (*flags & PyCF_ALLOW_TOP_LEVEL_AWAIT) != 0;
    c.pos = (struct ast_pos){1, 0, 1, 0};
    module_body(&c, tree);
    PyObject *code = unit_leave(&c);
    if (code == NULL && !PyErr_Occurred()) {
        PyErr_SetString(PyExc_SystemError, "compilation failed without an exception");
    }
    return Py_XNewRef(code);
}
