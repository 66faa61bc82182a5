/* Simple statements: those that fit on a line. */

#include "parser.h"

#include <string.h>

struct stmt *make_stmt(struct parser *p, enum stmt_kind kind, struct ast_pos start)
{
    struct ast_pos pos = until_line_end(p, start);
    struct stmt *s = ast_stmt_new(p->arena, kind, &pos);
    return s ? s : parser_fail(p);
}

PyObject *accept_type_comment(struct parser *p)
{
    return accept(p, TOK_TYPE_COMMENT) ? token_string(p, last(p)) : NULL;
}

/* ---- assignments and expressions ---- */

static bool is_single_target(const struct expr *e)
{
    return e->kind == EXPR_NAME || e->kind == EXPR_ATTRIBUTE || e->kind == EXPR_SUBSCRIPT;
}

static void store(struct parser *p, struct expr *e)
{
    if (!p->second) {
        expr_set_context(e, AST_STORE);
    }
}

static struct stmt *parse_annotated(struct parser *p, struct expr *target, struct ast_pos start)
{
    if (!is_single_target(target)) {
        return NULL;
    }
    bool simple = target->kind == EXPR_NAME && !(target->flags & EXPR_PARENTHESISED);
    p->pos++;
    struct expr *annotation = parse_expression(p), *value = NULL;
    if (annotation == NULL) {
        return NULL;
    }
    if (peek(p) == TOK_EQUAL) {
        struct mark before = mark(p);
        p->pos++;
        value = parse_annotated_rhs(p);
        if (value == NULL) {
            back(p, before);
        }
    }
    if (p->failed
        || check_version(
               p, 6, simple ? "Variable annotation syntax is" : "Variable annotations syntax is")
               < 0) {
        return NULL;
    }
    struct stmt *s = make_stmt(p, STMT_ANNASSIGN, start);
    if (s != NULL) {
        store(p, target);
        s->annassign.target = target;
        s->annassign.annotation = annotation;
        s->annassign.value = value;
        s->annassign.simple = simple;
    }
    return s;
}

/* target = [target =]... value, at the first `=` */
static struct stmt *parse_assignment(struct parser *p, struct expr *first, struct ast_pos start)
{
    size_t base = p->stack_size;
    struct expr *value = first;
    while (accept(p, TOK_EQUAL)) {
        if (!expr_is_target(value, true)) {
            return NULL;
        }
        store(p, value);
        push(p, value);
        value = parse_annotated_rhs(p);
        if (value == NULL) {
            return NULL;
        }
    }
    struct expr_seq *targets = pop_seq(p, base);
    PyObject *type_comment = accept_type_comment(p);
    struct stmt *s = targets && !p->failed ? make_stmt(p, STMT_ASSIGN, start) : NULL;
    if (s != NULL) {
        s->assign.targets = targets;
        s->assign.value = value;
        s->assign.type_comment = type_comment;
    }
    return s;
}

static int augmented_operator(int kind)
{
    switch (kind) {
    case TOK_PLUSEQUAL:
        return AST_ADD;
    case TOK_MINEQUAL:
        return AST_SUB;
    case TOK_STAREQUAL:
        return AST_MULT;
    case TOK_ATEQUAL:
        return AST_MATMULT;
    case TOK_SLASHEQUAL:
        return AST_DIV;
    case TOK_PERCENTEQUAL:
        return AST_MOD;
    case TOK_AMPEREQUAL:
        return AST_BITAND;
    case TOK_VBAREQUAL:
        return AST_BITOR;
    case TOK_CIRCUMFLEXEQUAL:
        return AST_BITXOR;
    case TOK_LEFTSHIFTEQUAL:
        return AST_LSHIFT;
    case TOK_RIGHTSHIFTEQUAL:
        return AST_RSHIFT;
    case TOK_DOUBLESTAREQUAL:
        return AST_POW;
    case TOK_DOUBLESLASHEQUAL:
        return AST_FLOORDIV;
    default:
        return -1;
    }
}

static struct stmt *parse_augmented(struct parser *p, struct expr *target, int op,
                                    struct ast_pos start)
{
    if (!is_single_target(target)) {
        return NULL;
    }
    p->pos++;
    struct expr *value = parse_annotated_rhs(p);
    if (value == NULL || (op == AST_MATMULT && check_version(p, 5, "The '@' operator is") < 0)) {
        return NULL;
    }
    struct stmt *s = make_stmt(p, STMT_AUGASSIGN, start);
    if (s != NULL) {
        store(p, target);
        s->op = (uint8_t)op;
        s->augassign.target = target;
        s->augassign.value = value;
    }
    return s;
}

static struct stmt *parse_expr_stmt(struct parser *p)
{
    peek(p);
    struct ast_pos start = here(p);
    int first = p->pos;
    struct expr *e = parse_annotated_rhs(p);
    struct stmt *s = NULL;
    if (e != NULL) {
        struct mark before = mark(p);
        int kind = peek(p), op = augmented_operator(kind);
        if (kind == TOK_EQUAL) {
            s = parse_assignment(p, e, start);
        } else if (kind == TOK_COLON) {
            s = parse_annotated(p, e, start);
        } else if (op >= 0) {
            s = parse_augmented(p, e, op, start);
        }
        if (s != NULL || p->failed) {
            return s;
        }
        back(p, before);
    }
    if (p->diagnose && !p->failed) {
        struct mark after = mark(p);
        p->pos = first;
        diagnose_assignment(p);
        back(p, after);
    }
    if (e == NULL || p->failed) {
        return NULL;
    }
    s = make_stmt(p, STMT_EXPR, start);
    if (s != NULL) {
        s->expr.value = e;
    }
    return s;
}

/* ---- type aliases and type parameters ---- */

static struct typeparam *parse_type_param(struct parser *p)
{
    peek(p);
    struct ast_pos start = here(p);
    enum typeparam_kind kind = accept(p, TOK_STAR)         ? TYPEPARAM_TYPEVARTUPLE
                               : accept(p, TOK_DOUBLESTAR) ? TYPEPARAM_PARAMSPEC
                                                           : TYPEPARAM_TYPEVAR;
    PyObject *name = accept_name(p);
    struct typeparam *param = name ? arena_alloc(p->arena, sizeof(*param)) : NULL;
    if (param == NULL) {
        return name ? parser_fail(p) : NULL;
    }
    memset(param, 0, sizeof(*param));
    param->kind = (uint8_t)kind;
    param->name = name;
    if (peek(p) == TOK_COLON) {
        struct ast_pos colon = here(p);
        if (kind != TYPEPARAM_TYPEVAR && !p->diagnose) {
            return NULL;
        }
        p->pos++;
        param->bound = parse_expression(p);
        if (param->bound == NULL) {
            return NULL;
        }
        if (kind != TYPEPARAM_TYPEVAR) {
            const char *what = param->bound->kind == EXPR_TUPLE ? "constraints" : "bound";
            return syntax_error_from(p, colon, "cannot use %s with %s", what,
                                     kind == TYPEPARAM_PARAMSPEC ? "ParamSpec" : "TypeVarTuple");
        }
    }
    if (accept(p, TOK_EQUAL)) {
        param->default_value =
            kind == TYPEPARAM_TYPEVARTUPLE ? parse_star_expression(p) : parse_expression(p);
        if (param->default_value == NULL
            || check_version(p, 13, "Type parameter defaults are") < 0) {
            return NULL;
        }
    }
    param->pos = until_here(p, start);
    return param;
}

struct typeparam_seq *parse_type_params(struct parser *p)
{
    size_t base = p->stack_size;
    if (!accept(p, TOK_LSQB)) {
        return p->failed ? NULL : pop_seq(p, base);
    }
    if (p->diagnose && peek(p) == TOK_RSQB) {
        return syntax_error_from(p, here(p), "Type parameter list cannot be empty");
    }
    do {
        if (peek(p) == TOK_RSQB && p->stack_size > base) {
            break;
        }
        struct typeparam *param = parse_type_param(p);
        if (param == NULL) {
            return NULL;
        }
        push(p, param);
    } while (accept(p, TOK_COMMA));
    if (!accept(p, TOK_RSQB) || check_version(p, 12, "Type parameter lists are") < 0) {
        return NULL;
    }
    return pop_seq(p, base);
}

static struct stmt *parse_type_alias(struct parser *p)
{
    struct ast_pos start = here(p);
    p->pos++;
    PyObject *id = accept_name(p);
    struct expr *name = id ? make_name(p, id, token_pos(last(p)), AST_STORE) : NULL;
    struct typeparam_seq *params = name ? parse_type_params(p) : NULL;
    if (params == NULL || !accept(p, TOK_EQUAL)) {
        return NULL;
    }
    struct expr *value = parse_expression(p);
    if (value == NULL || check_version(p, 12, "Type statement is") < 0) {
        return NULL;
    }
    struct stmt *s = make_stmt(p, STMT_TYPEALIAS, start);
    if (s != NULL) {
        s->typealias.name = name;
        s->typealias.type_params = params;
        s->typealias.value = value;
    }
    return s;
}

/* ---- import ---- */

PyObject *parse_dotted_name(struct parser *p)
{
    PyObject *name = accept_name(p);
    if (name == NULL || peek(p) != TOK_DOT) {
        return name;
    }
    PyObject *joined = Py_NewRef(name);
    while (joined != NULL && peek(p) == TOK_DOT && peek_at(p, 1) == TOK_NAME) {
        p->pos += 2;
        PyObject *part = token_name(p, last(p));
        PyObject *longer = part ? PyUnicode_FromFormat("%U.%U", joined, part) : NULL;
        Py_DECREF(joined);
        joined = longer;
    }
    if (joined != NULL) {
        PyUnicode_InternInPlace(&joined);
    }
    joined = arena_own(p->arena, joined);
    return joined && !p->failed ? joined : parser_fail(p);
}

/* name [as NAME] */
static struct alias *parse_alias(struct parser *p, bool dotted)
{
    peek(p);
    struct ast_pos start = here(p);
    PyObject *name = dotted ? parse_dotted_name(p) : accept_name(p), *asname = NULL;
    if (name == NULL) {
        return NULL;
    }
    if (accept(p, KW_AS)) {
        asname = accept_name(p);
        if (asname == NULL) {
            return NULL;
        }
    }
    struct alias *alias = arena_alloc(p->arena, sizeof(*alias));
    if (alias == NULL) {
        return parser_fail(p);
    }
    *alias = (struct alias){until_here(p, start), name, asname};
    return alias;
}

static void diagnose_import(struct parser *p, struct ast_pos start)
{
    int before = p->pos;
    if (peek(p) == TOK_NEWLINE) {
        syntax_error_from(p, here(p), "Expected one or more names after 'import'");
        return;
    }
    /* import a, b from c */
    PyObject *name = parse_dotted_name(p);
    while (name != NULL && accept(p, TOK_COMMA)) {
        name = parse_dotted_name(p);
    }
    if (name != NULL && accept(p, KW_FROM) && parse_dotted_name(p) != NULL) {
        syntax_error_from(p, start, "Did you mean to use 'from ... import ...' instead?");
    }
    p->pos = before;
}

static struct stmt *parse_import(struct parser *p)
{
    struct ast_pos start = here(p);
    size_t base = p->stack_size;
    p->pos++;
    if (p->diagnose) {
        diagnose_import(p, start);
    }
    do {
        struct alias *alias = parse_alias(p, true);
        if (alias == NULL) {
            return NULL;
        }
        push(p, alias);
    } while (accept(p, TOK_COMMA));
    struct alias_seq *names = pop_seq(p, base);
    struct stmt *s = names ? make_stmt(p, STMT_IMPORT, start) : NULL;
    if (s != NULL) {
        s->import.names = names;
    }
    return s;
}

static struct alias_seq *parse_import_names(struct parser *p)
{
    size_t base = p->stack_size;
    if (p->diagnose && peek(p) == TOK_NEWLINE) {
        return syntax_error_from(p, here(p), "Expected one or more names after 'import'");
    }
    if (accept(p, TOK_STAR)) {
        struct alias *star = arena_alloc(p->arena, sizeof(*star));
        PyObject *name = arena_own(p->arena, PyUnicode_InternFromString("*"));
        if (star == NULL || name == NULL) {
            return parser_fail(p);
        }
        *star = (struct alias){token_pos(last(p)), name, NULL};
        return seq_of_one(p, star);
    }
    bool paren = accept(p, TOK_LPAR);
    for (;;) {
        struct alias *alias = parse_alias(p, false);
        if (alias == NULL) {
            return NULL;
        }
        push(p, alias);
        if (!accept(p, TOK_COMMA)) {
            break;
        }
        if (paren && peek(p) == TOK_RPAR) {
            break;
        }
        if (!paren && p->diagnose && peek(p) == TOK_NEWLINE) {
            return syntax_error_here(p, "trailing comma not allowed without surrounding "
                                        "parentheses");
        }
    }
    if (paren && !accept(p, TOK_RPAR)) {
        return NULL;
    }
    return pop_seq(p, base);
}

/* from __future__ import barry_as_FLUFL changes how the rest is read. */
static void heed_future(struct parser *p, PyObject *module, const struct alias_seq *names)
{
    if (module == NULL || PyUnicode_CompareWithASCIIString(module, "__future__") != 0) {
        return;
    }
    for (size_t i = 0; i < names->len; i++) {
        if (PyUnicode_CompareWithASCIIString(names->items[i]->name, "barry_as_FLUFL") == 0) {
            p->flags |= CO_FUTURE_BARRY_AS_BDFL;
        }
    }
}

static struct stmt *parse_import_from(struct parser *p)
{
    struct ast_pos start = here(p);
    int32_t level = 0;
    p->pos++;
    for (;;) {
        if (accept(p, TOK_DOT)) {
            level++;
        } else if (accept(p, TOK_ELLIPSIS)) {
            level += 3;
        } else {
            break;
        }
    }
    PyObject *module = NULL;
    if (level == 0 || peek(p) == TOK_NAME) {
        module = parse_dotted_name(p);
        if (module == NULL) {
            return NULL;
        }
    }
    if (!accept(p, KW_IMPORT)) {
        return NULL;
    }
    struct alias_seq *names = parse_import_names(p);
    if (names == NULL) {
        return NULL;
    }
    heed_future(p, level == 0 ? module : NULL, names);
    struct stmt *s = make_stmt(p, STMT_IMPORTFROM, start);
    if (s != NULL) {
        s->importfrom.module = module;
        s->importfrom.names = names;
        s->importfrom.level = level;
    }
    return s;
}

/* ---- del ---- */

static bool is_del_target(const struct expr *e)
{
    if (e->kind == EXPR_TUPLE || e->kind == EXPR_LIST) {
        for (size_t i = 0; i < e->tuple.elts->len; i++) {
            if (!is_del_target(e->tuple.elts->items[i])) {
                return false;
            }
        }
        return true;
    }
    return is_single_target(e);
}

static struct expr_seq *parse_del_targets(struct parser *p)
{
    size_t base = p->stack_size;
    do {
        int kind = peek(p);
        if ((kind == TOK_NEWLINE || kind == TOK_SEMI) && p->stack_size > base) {
            break;
        }
        struct expr *target = parse_primary(p);
        if (target == NULL || !is_del_target(target)) {
            return NULL;
        }
        if (!p->second) {
            expr_set_context(target, AST_DEL);
        }
        push(p, target);
    } while (accept(p, TOK_COMMA));
    return peek(p) == TOK_NEWLINE || peek(p) == TOK_SEMI ? pop_seq(p, base) : NULL;
}

static struct stmt *parse_del(struct parser *p)
{
    struct ast_pos start = here(p);
    int first = ++p->pos;
    struct expr_seq *targets = parse_del_targets(p);
    if (targets == NULL) {
        if (p->diagnose && !p->failed) {
            p->pos = first;
            struct expr *e = parse_star_expressions(p);
            if (e != NULL) {
                diagnose_target_list(p, e, KW_DEL);
            }
        }
        return NULL;
    }
    struct stmt *s = make_stmt(p, STMT_DELETE, start);
    if (s != NULL) {
        s->delete_.targets = targets;
    }
    return s;
}

/* ---- the others ---- */

static bool at_line_end(struct parser *p)
{
    int kind = peek(p);
    return kind == TOK_NEWLINE || kind == TOK_SEMI;
}

static struct stmt *parse_return(struct parser *p)
{
    struct ast_pos start = here(p);
    struct expr *value = NULL;
    p->pos++;
    if (!at_line_end(p)) {
        struct mark before = mark(p);
        value = parse_star_expressions(p);
        if (value == NULL) {
            back(p, before);
        }
    }
    struct stmt *s = p->failed ? NULL : make_stmt(p, STMT_RETURN, start);
    if (s != NULL) {
        s->return_.value = value;
    }
    return s;
}

static struct stmt *parse_raise(struct parser *p)
{
    struct ast_pos start = here(p);
    struct expr *exc = NULL, *cause = NULL;
    p->pos++;
    if (!at_line_end(p)) {
        struct mark before = mark(p);
        exc = parse_expression(p);
        if (exc == NULL) {
            back(p, before);
        } else if (peek(p) == KW_FROM) {
            before = mark(p);
            p->pos++;
            cause = parse_expression(p);
            if (cause == NULL) {
                back(p, before);
            }
        }
    }
    struct stmt *s = p->failed ? NULL : make_stmt(p, STMT_RAISE, start);
    if (s != NULL) {
        s->raise.exc = exc;
        s->raise.cause = cause;
    }
    return s;
}

static struct stmt *parse_assert(struct parser *p)
{
    struct ast_pos start = here(p);
    p->pos++;
    struct expr *test = parse_expression(p), *msg = NULL;
    if (test == NULL) {
        return NULL;
    }
    if (accept(p, TOK_COMMA)) {
        msg = parse_expression(p);
        if (msg == NULL) {
            return NULL;
        }
    }
    struct stmt *s = make_stmt(p, STMT_ASSERT, start);
    if (s != NULL) {
        s->assert_.test = test;
        s->assert_.msg = msg;
    }
    return s;
}

static struct stmt *parse_scope(struct parser *p, enum stmt_kind kind)
{
    struct ast_pos start = here(p);
    size_t base = p->stack_size;
    p->pos++;
    do {
        PyObject *name = accept_name(p);
        if (name == NULL) {
            return NULL;
        }
        push(p, name);
    } while (accept(p, TOK_COMMA));
    struct name_seq *names = pop_seq(p, base);
    struct stmt *s = names ? make_stmt(p, kind, start) : NULL;
    if (s != NULL) {
        s->global.names = names;
    }
    return s;
}

static struct stmt *parse_word(struct parser *p, enum stmt_kind kind)
{
    p->pos++;
    return make_stmt(p, kind, token_pos(last(p)));
}

struct stmt *parse_simple_statement(struct parser *p)
{
    switch (peek(p)) {
    case KW_RETURN:
        return parse_return(p);
    case KW_IMPORT:
        return parse_import(p);
    case KW_FROM:
        return parse_import_from(p);
    case KW_RAISE:
        return parse_raise(p);
    case KW_PASS:
        return parse_word(p, STMT_PASS);
    case KW_DEL:
        return parse_del(p);
    case KW_ASSERT:
        return parse_assert(p);
    case KW_BREAK:
        return parse_word(p, STMT_BREAK);
    case KW_CONTINUE:
        return parse_word(p, STMT_CONTINUE);
    case KW_GLOBAL:
        return parse_scope(p, STMT_GLOBAL);
    case KW_NONLOCAL:
        return parse_scope(p, STMT_NONLOCAL);
    case TOK_NAME:
        if (token_is(p, &p->tokens[p->pos], "type") && peek_at(p, 1) == TOK_NAME) {
            struct mark before = mark(p);
            if (p->diagnose) {
                parse_expr_stmt(p); /* its questions come first */
                back(p, before);
            }
            struct stmt *alias = p->failed ? NULL : parse_type_alias(p);
            if (alias != NULL || p->failed) {
                return alias;
            }
            back(p, before);
        }
        break;
    }
    return parse_expr_stmt(p);
}

/* One line: statements with semicolons between them, pushed. */
bool parse_simple_statements(struct parser *p)
{
    do {
        int kind = peek(p);
        if (kind == TOK_NEWLINE && last(p)->kind == TOK_SEMI) {
            break;
        }
        struct stmt *s = parse_simple_statement(p);
        if (s == NULL || !push(p, s)) {
            return false;
        }
    } while (accept(p, TOK_SEMI));
    return accept(p, TOK_NEWLINE);
}
