/* The compiler: a syntax tree becomes code for the register machine.

   One pass over the tree emits instructions into the current unit (a module, class body or function).
   Locals live in registers 0..nlocals-1; temporaries are a stack above them whose height at every
   instruction is known while compiling.  The rules for operands, windows and handlers are those of
   interp/code.h.

   Failure is sticky: the first one sets `failed` (with an exception set), after which everything is
   a cheap no-op, so that code generation reads as if nothing could fail. */

#ifndef KRAIT_COMPILE_COMPILE_H
#define KRAIT_COMPILE_COMPILE_H

#include "interp/parse/ast.h"

/* Compiles `tree`; `flags` are PyCF_ and CO_FUTURE_ bits (features that the source itself imports from
   __future__ are added on return), `optimize` is 0, 1 or 2 (not -1).  New reference, or NULL with
   SyntaxError, RecursionError or MemoryError.  May run Python code (warnings). */
PyObject *compile_tree(struct ast_module *tree, PyObject *filename, int *flags, int optimize,
                       struct arena *arena);

/* The CO_FUTURE_ bits that the tree's __future__ imports ask for, or -1 with SyntaxError. */
int future_flags(const struct ast_module *tree, PyObject *filename);

#endif
