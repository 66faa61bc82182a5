/* Construction of nodes: how many bytes each kind takes, and empty sequences. */

#include "ast.h"

#include <string.h>

#define UP_TO(type, member) (offsetof(struct type, member) + sizeof(((struct type *)0)->member))

static const uint8_t expr_size[EXPR_KINDS] = {
    [EXPR_BOOLOP] = UP_TO(expr, boolop),       [EXPR_NAMEDEXPR] = UP_TO(expr, namedexpr),
    [EXPR_BINOP] = UP_TO(expr, binop),         [EXPR_UNARYOP] = UP_TO(expr, unaryop),
    [EXPR_LAMBDA] = UP_TO(expr, lambda),       [EXPR_IFEXP] = UP_TO(expr, ifexp),
    [EXPR_DICT] = UP_TO(expr, dict),           [EXPR_SET] = UP_TO(expr, set),
    [EXPR_LISTCOMP] = UP_TO(expr, listcomp),   [EXPR_SETCOMP] = UP_TO(expr, setcomp),
    [EXPR_DICTCOMP] = UP_TO(expr, dictcomp),   [EXPR_GENERATOREXP] = UP_TO(expr, generatorexp),
    [EXPR_AWAIT] = UP_TO(expr, await),         [EXPR_YIELD] = UP_TO(expr, yield),
    [EXPR_YIELDFROM] = UP_TO(expr, yieldfrom), [EXPR_COMPARE] = UP_TO(expr, compare),
    [EXPR_CALL] = UP_TO(expr, call),           [EXPR_FORMATTEDVALUE] = UP_TO(expr, formattedvalue),
    [EXPR_JOINEDSTR] = UP_TO(expr, joinedstr), [EXPR_CONSTANT] = UP_TO(expr, constant),
    [EXPR_ATTRIBUTE] = UP_TO(expr, attribute), [EXPR_SUBSCRIPT] = UP_TO(expr, subscript),
    [EXPR_STARRED] = UP_TO(expr, starred),     [EXPR_NAME] = UP_TO(expr, name),
    [EXPR_LIST] = UP_TO(expr, list),           [EXPR_TUPLE] = UP_TO(expr, tuple),
    [EXPR_SLICE] = UP_TO(expr, slice),
};

static const uint8_t stmt_size[STMT_KINDS] = {
    [STMT_FUNCTIONDEF] = UP_TO(stmt, functiondef),
    [STMT_ASYNCFUNCTIONDEF] = UP_TO(stmt, functiondef),
    [STMT_CLASSDEF] = UP_TO(stmt, classdef),
    [STMT_RETURN] = UP_TO(stmt, return_),
    [STMT_DELETE] = UP_TO(stmt, delete_),
    [STMT_ASSIGN] = UP_TO(stmt, assign),
    [STMT_TYPEALIAS] = UP_TO(stmt, typealias),
    [STMT_AUGASSIGN] = UP_TO(stmt, augassign),
    [STMT_ANNASSIGN] = UP_TO(stmt, annassign),
    [STMT_FOR] = UP_TO(stmt, for_),
    [STMT_ASYNCFOR] = UP_TO(stmt, for_),
    [STMT_WHILE] = UP_TO(stmt, while_),
    [STMT_IF] = UP_TO(stmt, if_),
    [STMT_WITH] = UP_TO(stmt, with),
    [STMT_ASYNCWITH] = UP_TO(stmt, with),
    [STMT_MATCH] = UP_TO(stmt, match),
    [STMT_RAISE] = UP_TO(stmt, raise),
    [STMT_TRY] = UP_TO(stmt, try_),
    [STMT_TRYSTAR] = UP_TO(stmt, try_),
    [STMT_ASSERT] = UP_TO(stmt, assert_),
    [STMT_IMPORT] = UP_TO(stmt, import),
    [STMT_IMPORTFROM] = UP_TO(stmt, importfrom),
    [STMT_GLOBAL] = UP_TO(stmt, global),
    [STMT_NONLOCAL] = UP_TO(stmt, global),
    [STMT_EXPR] = UP_TO(stmt, expr),
    [STMT_PASS] = UP_TO(stmt, pos),
    [STMT_BREAK] = UP_TO(stmt, pos),
    [STMT_CONTINUE] = UP_TO(stmt, pos),
};

static const uint8_t pattern_size[PATTERN_KINDS] = {
    [PATTERN_VALUE] = UP_TO(pattern, value),
    [PATTERN_SINGLETON] = UP_TO(pattern, singleton),
    [PATTERN_SEQUENCE] = UP_TO(pattern, sequence),
    [PATTERN_MAPPING] = UP_TO(pattern, mapping),
    [PATTERN_CLASS] = UP_TO(pattern, class_),
    [PATTERN_STAR] = UP_TO(pattern, star),
    [PATTERN_AS] = UP_TO(pattern, as),
    [PATTERN_OR] = UP_TO(pattern, or_),
};

struct expr *ast_expr_new(struct arena *arena, enum expr_kind kind, const struct ast_pos *pos)
{
    struct expr *node = arena_alloc(arena, expr_size[kind]);
    if (node != NULL) {
        memset(node, 0, expr_size[kind]);
        node->kind = (uint8_t)kind;
        node->pos = *pos;
    }
    return node;
}

struct stmt *ast_stmt_new(struct arena *arena, enum stmt_kind kind, const struct ast_pos *pos)
{
    struct stmt *node = arena_alloc(arena, stmt_size[kind]);
    if (node != NULL) {
        memset(node, 0, stmt_size[kind]);
        node->kind = (uint8_t)kind;
        node->pos = *pos;
    }
    return node;
}

struct pattern *ast_pattern_new(struct arena *arena, enum pattern_kind kind,
                                const struct ast_pos *pos)
{
    struct pattern *node = arena_alloc(arena, pattern_size[kind]);
    if (node != NULL) {
        memset(node, 0, pattern_size[kind]);
        node->kind = (uint8_t)kind;
        node->pos = *pos;
    }
    return node;
}

void *ast_seq_new(struct arena *arena, size_t len, size_t item_size)
{
    static const size_t empty[2]; /* the length of every empty sequence; never written */

    if (len == 0) {
        return (void *)empty;
    }
    if (len > (PY_SSIZE_T_MAX - sizeof(size_t)) / item_size) {
        PyErr_NoMemory();
        return NULL;
    }
    size_t size = sizeof(size_t) + len * item_size;
    size_t *seq = arena_alloc(arena, size);
    if (seq != NULL) {
        memset(seq, 0, size);
        seq[0] = len;
    }
    return seq;
}

PyObject *ast_docstring(const struct stmt_seq *body)
{
    if (body->len == 0 || body->items[0]->kind != STMT_EXPR) {
        return NULL;
    }
    const struct expr *value = body->items[0]->expr.value;
    if (value->kind != EXPR_CONSTANT || !PyUnicode_CheckExact(value->constant.value)) {
        return NULL;
    }
    return value->constant.value;
}
