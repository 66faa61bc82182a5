/* The abstract grammar as data: every node type with its fields and where they lie in the C structs.
   The `_ast` types and the conversions both ways are driven by it. */

#ifndef KRAIT_PARSE_AST_TABLE_H
#define KRAIT_PARSE_AST_TABLE_H

#include "ast.h"
#include <stdbool.h>

/* Types of fields.  Up to GROUP_LAST they are indices of ast_groups. */
/* clang-format off */
enum ast_type {
    GROUP_MOD, GROUP_STMT, GROUP_EXPR, GROUP_EXPR_CONTEXT, GROUP_BOOLOP, GROUP_OPERATOR,
    GROUP_UNARYOP, GROUP_CMPOP, GROUP_COMPREHENSION, GROUP_EXCEPTHANDLER, GROUP_ARGUMENTS,
    GROUP_ARG, GROUP_KEYWORD, GROUP_ALIAS, GROUP_WITHITEM, GROUP_MATCH_CASE, GROUP_PATTERN,
    GROUP_TYPE_IGNORE, GROUP_TYPE_PARAM,
    GROUPS,
    TYPE_IDENTIFIER = GROUPS, TYPE_STRING, TYPE_CONSTANT, TYPE_INT,
};
/* clang-format on */

enum ast_quantity { AST_ONE, AST_OPTIONAL, AST_MANY };

struct ast_field {
    const char *name;
    uint8_t type;     /* enum ast_type */
    uint8_t quantity; /* enum ast_quantity */
    uint16_t offset;
};

/* A constructor: BinOp, Load, arguments. */
struct ast_node {
    const char *name;
    const struct ast_field *fields;
    uint8_t field_count;
    uint8_t size; /* of the struct for this kind; 0 for a mere enumerator */
};

/* A type of the grammar: a sum of constructors, a product, or an enumeration. */
struct ast_group {
    const char *name;
    const struct ast_node *nodes;
    uint8_t node_count;
    uint8_t first;   /* running number of its first node */
    bool is_product; /* the group itself is the constructor */
    bool is_enum;    /* stored as a uint8_t */
    int16_t pos;     /* offset of its struct ast_pos, -1 if it has none */
};

enum { AST_NODES = 120, AST_MAX_FIELDS = 7 }; /* at most so many */

extern const struct ast_group ast_groups[GROUPS];

#endif
