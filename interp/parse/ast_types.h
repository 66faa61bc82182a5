/* The `_ast` types of one interpreter. */

#ifndef KRAIT_PARSE_AST_TYPES_H
#define KRAIT_PARSE_AST_TYPES_H

#include "ast_table.h"

struct ast_state {
    PyObject *base; /* AST */
    PyObject *groups[GROUPS];
    PyObject *nodes[AST_NODES];                 /* of a product: the group's type again */
    PyObject *singletons[AST_NODES];            /* instances of enumerators, else NULL */
    PyObject *names[AST_NODES][AST_MAX_FIELDS]; /* of the fields, interned */
    PyObject *attributes[4];                    /* lineno ... end_col_offset */
    PyObject *fields_name, *attributes_name, *field_types_name;
    PyObject *union_type;
};

/* The state of the current interpreter, made at the first call (borrowed); NULL with an exception. */
struct ast_state *ast_state_get(void);

#endif
