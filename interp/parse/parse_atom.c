/* Atoms and what follows them: names, displays, comprehensions, attributes, subscripts. */

#include "parser.h"

static struct expr *new_expr(struct parser *p, enum expr_kind kind, struct ast_pos pos)
{
    struct expr *e = ast_expr_new(p->arena, kind, &pos);
    return e ? e : parser_fail(p);
}

/* ---- comprehensions ---- */

bool at_comprehension(struct parser *p)
{
    int kind = peek(p);
    return kind == KW_FOR || (kind == KW_ASYNC && peek_at(p, 1) == KW_FOR);
}

static void diagnose_for_clause(struct parser *p, int start)
{
    /* Targets that no `in` follows, or that are no targets. */
    p->pos = start;
    struct expr *e = parse_bitwise_or(p);
    while (e != NULL && accept(p, TOK_COMMA)) {
        struct mark before = mark(p);
        e = parse_bitwise_or(p);
        if (e == NULL) {
            back(p, before);
            break;
        }
    }
    if (!p->failed && p->pos > start && peek(p) != KW_IN) {
        syntax_error_here(p, "'in' expected after for-loop variables");
        return;
    }
    p->pos = start;
    e = p->failed ? NULL : parse_star_expressions(p);
    if (e != NULL) {
        diagnose_target_list(p, e, KW_FOR);
    }
}

static struct comprehension *parse_for_if_clause(struct parser *p)
{
    struct comprehension *clause = arena_alloc(p->arena, sizeof(*clause));
    if (clause == NULL) {
        return parser_fail(p);
    }
    clause->is_async = accept(p, KW_ASYNC);
    p->pos++; /* for */
    int start = p->pos;
    clause->target = parse_star_targets(p);
    if (clause->target == NULL || !accept(p, KW_IN)) {
        if (p->diagnose && !p->failed) {
            diagnose_for_clause(p, start);
        }
        return NULL;
    }
    clause->iter = parse_disjunction(p);
    if (clause->iter == NULL) {
        return NULL;
    }
    size_t base = p->stack_size;
    while (peek(p) == KW_IF) {
        struct mark before = mark(p);
        p->pos++;
        struct expr *test = parse_disjunction(p);
        if (test == NULL) {
            back(p, before);
            break;
        }
        push(p, test);
    }
    clause->ifs = pop_seq(p, base);
    if (clause->is_async && check_version(p, 6, "Async comprehensions are") < 0) {
        return NULL;
    }
    return p->failed ? NULL : clause;
}

struct comprehension_seq *parse_for_if_clauses(struct parser *p)
{
    size_t base = p->stack_size;
    while (at_comprehension(p)) {
        struct mark before = mark(p);
        struct comprehension *clause = parse_for_if_clause(p);
        if (clause == NULL) {
            if (p->failed || p->stack_size == base) {
                return NULL;
            }
            back(p, before);
            break;
        }
        push(p, clause);
    }
    if (p->failed || p->stack_size == base) {
        return NULL;
    }
    return pop_seq(p, base);
}

/* The rest of a comprehension whose element has been read; `close` ends it. */
static struct expr *finish_comprehension(struct parser *p, enum expr_kind kind, struct expr *elt,
                                         int close, struct ast_pos start)
{
    struct comprehension_seq *generators = parse_for_if_clauses(p);
    if (generators == NULL || !accept(p, close)) {
        return NULL;
    }
    struct expr *e = new_expr(p, kind, until_here(p, start));
    if (e != NULL) {
        e->listcomp.elt = elt; /* setcomp and generatorexp alike */
        e->listcomp.generators = generators;
    }
    return e;
}

/* ( element for ... ): the argument of a call */
struct expr *parse_genexp(struct parser *p)
{
    struct ast_pos start = here(p);
    p->pos++;
    struct expr *elt = parse_assignment_expression(p);
    if (elt == NULL && !p->failed) {
        elt = parse_expression(p);
    }
    if (elt == NULL || !at_comprehension(p)) {
        return NULL;
    }
    return finish_comprehension(p, EXPR_GENERATOREXP, elt, TOK_RPAR, start);
}

/* ---- displays ---- */

/* The elements up to `close`, which is accepted; the first one has been read. */
static struct expr_seq *finish_elements(struct parser *p, struct expr *first, int close)
{
    size_t base = p->stack_size;
    push(p, first);
    while (accept(p, TOK_COMMA)) {
        if (peek(p) == close) {
            break;
        }
        struct expr *next = parse_star_named_expression(p);
        if (next == NULL || !push(p, next)) {
            p->stack_size = base;
            return NULL;
        }
    }
    struct expr_seq *elts = pop_seq(p, base);
    return accept(p, close) ? elts : NULL;
}

static struct expr *parse_paren(struct parser *p)
{
    struct ast_pos start = here(p);
    p->pos++;
    if (accept(p, TOK_RPAR)) {
        struct expr_seq *none = pop_seq(p, p->stack_size);
        return make_sequence(p, EXPR_TUPLE, none, until_here(p, start));
    }
    if (peek(p) == KW_YIELD) {
        struct expr *yield = parse_yield(p);
        if (yield != NULL) {
            yield->flags |= EXPR_PARENTHESISED;
        }
        return yield != NULL && accept(p, TOK_RPAR) ? yield : NULL;
    }
    struct expr *first = parse_star_named_expression(p);
    if (first == NULL) {
        return NULL;
    }
    if (peek(p) == TOK_COMMA) {
        struct expr_seq *elts = finish_elements(p, first, TOK_RPAR);
        return elts ? make_sequence(p, EXPR_TUPLE, elts, until_here(p, start)) : NULL;
    }
    if (first->kind == EXPR_STARRED) {
        return NULL;
    }
    if (accept(p, TOK_RPAR)) {
        first->flags |= EXPR_PARENTHESISED;
        return first;
    }
    if (at_comprehension(p)) {
        return finish_comprehension(p, EXPR_GENERATOREXP, first, TOK_RPAR, start);
    }
    return NULL;
}

static struct expr *parse_list(struct parser *p)
{
    struct ast_pos start = here(p);
    p->pos++;
    if (accept(p, TOK_RSQB)) {
        struct expr_seq *none = pop_seq(p, p->stack_size);
        return make_sequence(p, EXPR_LIST, none, until_here(p, start));
    }
    struct expr *first = parse_star_named_expression(p);
    if (first == NULL) {
        return NULL;
    }
    if (first->kind != EXPR_STARRED && at_comprehension(p)) {
        return finish_comprehension(p, EXPR_LISTCOMP, first, TOK_RSQB, start);
    }
    struct expr_seq *elts = finish_elements(p, first, TOK_RSQB);
    return elts ? make_sequence(p, EXPR_LIST, elts, until_here(p, start)) : NULL;
}

/* `key: value` or `**mapping`: pushes key and value. */
static bool parse_dict_item(struct parser *p)
{
    if (accept(p, TOK_DOUBLESTAR)) {
        struct expr *mapping = parse_bitwise_or(p);
        return mapping != NULL && push(p, NULL) && push(p, mapping);
    }
    struct expr *key = parse_expression(p);
    if (key == NULL || !accept(p, TOK_COLON)) {
        return false;
    }
    struct expr *value = parse_expression(p);
    return value != NULL && push(p, key) && push(p, value);
}

static struct expr *finish_dict(struct parser *p, size_t base, struct ast_pos start)
{
    while (accept(p, TOK_COMMA)) {
        if (peek(p) == TOK_RBRACE) {
            break;
        }
        if (!parse_dict_item(p)) {
            return NULL;
        }
    }
    size_t count = (p->stack_size - base) / 2;
    if (!accept(p, TOK_RBRACE)) {
        return NULL;
    }
    struct expr_seq *keys = AST_SEQ_NEW(p->arena, expr_seq, count);
    struct expr_seq *values = AST_SEQ_NEW(p->arena, expr_seq, count);
    struct expr *e = new_expr(p, EXPR_DICT, until_here(p, start));
    if (keys == NULL || values == NULL || e == NULL) {
        return parser_fail(p);
    }
    for (size_t i = 0; i < count; i++) {
        keys->items[i] = p->stack[base + 2 * i];
        values->items[i] = p->stack[base + 2 * i + 1];
    }
    p->stack_size = base;
    e->dict.keys = keys;
    e->dict.values = values;
    return e;
}

static struct expr *parse_dict_comprehension(struct parser *p, size_t base, struct ast_pos start)
{
    struct expr *key = p->stack[base], *value = p->stack[base + 1];
    p->stack_size = base;
    struct comprehension_seq *generators = key ? parse_for_if_clauses(p) : NULL;
    if (generators == NULL || !accept(p, TOK_RBRACE)) {
        return NULL;
    }
    struct expr *e = new_expr(p, EXPR_DICTCOMP, until_here(p, start));
    if (e != NULL) {
        e->dictcomp.key = key;
        e->dictcomp.value = value;
        e->dictcomp.generators = generators;
    }
    return e;
}

static struct expr *parse_dict(struct parser *p, struct ast_pos start)
{
    size_t base = p->stack_size;
    struct expr *e = NULL;
    if (parse_dict_item(p)) {
        e = at_comprehension(p) ? parse_dict_comprehension(p, base, start)
                                : finish_dict(p, base, start);
    }
    p->stack_size = base;
    return e;
}

static struct expr *parse_brace(struct parser *p)
{
    struct ast_pos start = here(p);
    p->pos++;
    int inside = p->pos;
    if (peek(p) == TOK_RBRACE || peek(p) == TOK_DOUBLESTAR) {
        if (accept(p, TOK_RBRACE)) {
            return finish_dict(p, (p->pos--, p->stack_size), start);
        }
        return parse_dict(p, start);
    }
    if (peek(p) != TOK_STAR) {
        /* The first expression is read for a set; a colon makes it a key. */
        struct expr *first = parse_named_expression(p);
        if (first == NULL) {
            return NULL;
        }
        if (peek(p) == TOK_COLON
            && (first->kind != EXPR_NAMEDEXPR || (first->flags & EXPR_PARENTHESISED))) {
            size_t base = p->stack_size;
            p->pos++;
            struct expr *value = parse_expression(p), *e = NULL;
            if (value != NULL && push(p, first) && push(p, value)) {
                e = at_comprehension(p) ? parse_dict_comprehension(p, base, start)
                                        : finish_dict(p, base, start);
            }
            p->stack_size = base;
            return e;
        }
        if (at_comprehension(p)) {
            return finish_comprehension(p, EXPR_SETCOMP, first, TOK_RBRACE, start);
        }
        struct expr_seq *elts = finish_elements(p, first, TOK_RBRACE);
        return elts ? make_sequence(p, EXPR_SET, elts, until_here(p, start)) : NULL;
    }
    p->pos = inside;
    struct expr *first = parse_star_named_expression(p);
    struct expr_seq *elts = first ? finish_elements(p, first, TOK_RBRACE) : NULL;
    return elts ? make_sequence(p, EXPR_SET, elts, until_here(p, start)) : NULL;
}

static void diagnose_bracketed(struct parser *p, int kind)
{
    if (kind == TOK_LPAR) {
        diagnose_group(p);
    } else if (kind == TOK_LBRACE) {
        diagnose_dict_comprehension(p);
    }
    if (!p->failed) {
        diagnose_comprehension(p);
    }
}

/* A display, with all questions of the second pass if it is none. */
static struct expr *parse_bracketed(struct parser *p, int kind)
{
    int start = p->pos, failure = p->diagnose ? MEMO_NO_DISPLAY_ASKED : MEMO_NO_DISPLAY;
    size_t base = p->stack_size;
    void *known;
    if (memo_find(p, failure, &known)) {
        return NULL; /* even in the first pass: nested braces would be tried again and again */
    }
    struct expr *e = kind == TOK_LPAR   ? parse_paren(p)
                     : kind == TOK_LSQB ? parse_list(p)
                                        : parse_brace(p);
    if (e == NULL) {
        p->stack_size = base;
        p->pos = start;
        if (kind == TOK_LBRACE && !p->failed) {
            diagnose_dict_items(p);
        }
        if (p->diagnose && !p->failed) {
            diagnose_bracketed(p, kind);
        }
        memo_store(p, failure, start, NULL);
        return NULL;
    }
    return p->failed ? NULL : e;
}

/* ---- atoms ---- */

struct expr *parse_atom(struct parser *p)
{
    int kind = peek(p);
    switch (kind) {
    case TOK_NAME:
        p->pos++;
        return make_name(p, token_name(p, last(p)), token_pos(last(p)), AST_LOAD);
    case TOK_NUMBER:
        return parse_number(p);
    case TOK_STRING:
    case TOK_FSTRING_START:
        return parse_strings(p);
    case TOK_LPAR:
    case TOK_LSQB:
    case TOK_LBRACE:
        return parse_bracketed(p, kind);
    case KW_NONE:
        p->pos++;
        return make_constant(p, Py_NewRef(Py_None), token_pos(last(p)));
    case KW_TRUE:
        p->pos++;
        return make_constant(p, Py_NewRef(Py_True), token_pos(last(p)));
    case KW_FALSE:
        p->pos++;
        return make_constant(p, Py_NewRef(Py_False), token_pos(last(p)));
    case TOK_ELLIPSIS:
        p->pos++;
        return make_constant(p, Py_NewRef(Py_Ellipsis), token_pos(last(p)));
    default:
        return NULL;
    }
}

/* ---- primaries ---- */

struct expr *make_attribute(struct parser *p, struct expr *value, PyObject *attr)
{
    struct expr *e = attr ? new_expr(p, EXPR_ATTRIBUTE, until_here(p, value->pos)) : NULL;
    if (e != NULL) {
        e->attribute.value = value;
        e->attribute.attr = attr;
    }
    return e;
}

static struct expr *parse_slice(struct parser *p)
{
    peek(p);
    struct ast_pos start = here(p);
    struct expr *lower = NULL, *upper = NULL, *step = NULL;
    if (peek(p) == TOK_STAR) {
        p->pos++;
        struct expr *value = parse_expression(p);
        if (value == NULL && p->diagnose && !p->failed) {
            syntax_error_here(p, "Invalid star expression");
        }
        return value ? make_starred(p, value, until_here(p, start)) : NULL;
    }
    if (peek(p) != TOK_COLON) {
        lower = parse_named_expression(p);
        if (lower == NULL || peek(p) != TOK_COLON) {
            return lower;
        }
        if (lower->kind == EXPR_NAMEDEXPR && !(lower->flags & EXPR_PARENTHESISED)) {
            return lower; /* `x := 1` is no bound; the colon will be in the way */
        }
    }
    p->pos++;
    int kind = peek(p);
    if (kind != TOK_COLON && kind != TOK_COMMA && kind != TOK_RSQB) {
        upper = parse_expression(p);
        if (upper == NULL) {
            return NULL;
        }
    }
    if (accept(p, TOK_COLON)) {
        kind = peek(p);
        if (kind != TOK_COMMA && kind != TOK_RSQB) {
            step = parse_expression(p);
            if (step == NULL) {
                return NULL;
            }
        }
    }
    struct expr *e = new_expr(p, EXPR_SLICE, until_here(p, start));
    if (e != NULL) {
        e->slice.lower = lower;
        e->slice.upper = upper;
        e->slice.step = step;
    }
    return e;
}

struct expr *parse_slices(struct parser *p)
{
    peek(p);
    struct ast_pos start = here(p);
    struct expr *first = parse_slice(p);
    if (first == NULL || (peek(p) != TOK_COMMA && first->kind != EXPR_STARRED)) {
        return first;
    }
    size_t base = p->stack_size;
    push(p, first);
    while (accept(p, TOK_COMMA)) {
        if (peek(p) == TOK_RSQB) {
            break;
        }
        struct expr *next = parse_slice(p);
        if (next == NULL || !push(p, next)) {
            p->stack_size = base;
            return NULL;
        }
    }
    struct ast_pos pos = until_here(p, start);
    return make_sequence(p, EXPR_TUPLE, pop_seq(p, base), pos);
}

static struct expr *parse_subscript(struct parser *p, struct expr *value)
{
    p->pos++;
    struct expr *slice = parse_slices(p);
    if (slice == NULL || !accept(p, TOK_RSQB)) {
        return NULL;
    }
    struct expr *e = new_expr(p, EXPR_SUBSCRIPT, until_here(p, value->pos));
    if (e != NULL) {
        e->subscript.value = value;
        e->subscript.slice = slice;
    }
    return e;
}

static struct expr *parse_primary_new(struct parser *p)
{
    peek(p);
    struct ast_pos start = here(p);
    struct expr *e = parse_atom(p);
    while (e != NULL) {
        struct expr *next;
        struct mark before = mark(p);
        int kind = peek(p);
        if (p->diagnose && (kind == TOK_LBRACE || kind == TOK_LSQB)) {
            diagnose_comprehension(p); /* as if a call's generator were there */
        }
        switch (peek(p)) {
        case TOK_DOT:
            if (peek_at(p, 1) != TOK_NAME) {
                return p->failed ? NULL : e;
            }
            p->pos += 2;
            next = make_attribute(p, e, token_name(p, last(p)));
            break;
        case TOK_LPAR:
            next = parse_call(p, e);
            break;
        case TOK_LSQB:
            next = parse_subscript(p, e);
            break;
        default:
            return e;
        }
        if (next == NULL) {
            back(p, before); /* what stands before is a primary by itself */
            return p->failed ? NULL : e;
        }
        next->pos.line = start.line; /* of the bracket, where the atom has one */
        next->pos.col = start.col;
        e = next;
    }
    return NULL;
}

struct expr *parse_primary(struct parser *p)
{
    if (!p->second) {
        return parse_primary_new(p);
    }
    void *node;
    int start = p->pos;
    if (memo_find(p, MEMO_PRIMARY, &node)) {
        return node;
    }
    node = parse_primary_new(p);
    memo_store(p, MEMO_PRIMARY, start, node);
    return node;
}
