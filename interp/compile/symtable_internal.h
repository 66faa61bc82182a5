/* What the two passes of the symbol table share. */

#ifndef KRAIT_COMPILE_SYMTABLE_INTERNAL_H
#define KRAIT_COMPILE_SYMTABLE_INTERNAL_H

#include "symtable.h"

/* The symbol called `name`, added without flags if it is new.  NULL with MemoryError. */
struct symbol *map_add(struct symbol_map *map, struct arena *arena, PyObject *name);

/* Raises SyntaxError at `pos`; always -1. */
int symtable_error(struct symtable *table, const struct ast_pos *pos, const char *format, ...);

/* The same at the global or nonlocal statement that names `name` (the format's only argument). */
int symtable_directive_error(struct symtable *table, const struct block *block, PyObject *name,
                             const char *format);

/* Second pass: decides every symbol's scope.  -1 with an exception set. */
int symtable_analyze(struct symtable *table);

#endif
