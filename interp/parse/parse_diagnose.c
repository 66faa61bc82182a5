/* The second pass: what is wrong with an expression or an assignment.  Each function is asked at a
   place where the grammar allows what it is named after, looks for the usual mistakes and raises, or
   leaves the position as it was. */

#include "parser.h"

#include <string.h>

/* ---- what an expression is called ---- */

static const char *constant_name(const PyObject *value)
{
    return value == Py_None       ? "None"
           : value == Py_True     ? "True"
           : value == Py_False    ? "False"
           : value == Py_Ellipsis ? "ellipsis"
                                  : "literal";
}

const char *expr_name(const struct expr *e)
{
    static const char *const names[EXPR_KINDS] = {
        [EXPR_BOOLOP] = "expression",
        [EXPR_NAMEDEXPR] = "named expression",
        [EXPR_BINOP] = "expression",
        [EXPR_UNARYOP] = "expression",
        [EXPR_LAMBDA] = "lambda",
        [EXPR_IFEXP] = "conditional expression",
        [EXPR_DICT] = "dict literal",
        [EXPR_SET] = "set display",
        [EXPR_LISTCOMP] = "list comprehension",
        [EXPR_SETCOMP] = "set comprehension",
        [EXPR_DICTCOMP] = "dict comprehension",
        [EXPR_GENERATOREXP] = "generator expression",
        [EXPR_AWAIT] = "await expression",
        [EXPR_YIELD] = "yield expression",
        [EXPR_YIELDFROM] = "yield expression",
        [EXPR_COMPARE] = "comparison",
        [EXPR_CALL] = "function call",
        [EXPR_FORMATTEDVALUE] = "f-string expression",
        [EXPR_JOINEDSTR] = "f-string expression",
        [EXPR_ATTRIBUTE] = "attribute",
        [EXPR_SUBSCRIPT] = "subscript",
        [EXPR_STARRED] = "starred",
        [EXPR_NAME] = "name",
        [EXPR_LIST] = "list",
        [EXPR_TUPLE] = "tuple",
        [EXPR_SLICE] = "slice",
    };
    return e->kind == EXPR_CONSTANT ? constant_name(e->constant.value) : names[e->kind];
}

/* ---- targets ---- */

/* The part of `e` that cannot be a target of a `kind` (KW_FOR, KW_DEL, other) statement, or NULL. */
static struct expr *invalid_target(struct expr *e, int kind)
{
    switch (e->kind) {
    case EXPR_LIST:
    case EXPR_TUPLE:
        for (size_t i = 0; i < e->tuple.elts->len; i++) {
            struct expr *bad = invalid_target(e->tuple.elts->items[i], kind);
            if (bad != NULL) {
                return bad;
            }
        }
        return NULL;
    case EXPR_STARRED:
        return kind == KW_DEL ? e : invalid_target(e->starred.value, kind);
    case EXPR_COMPARE:
        if (kind == KW_FOR) {
            /* `for x in y` read as a comparison */
            return e->compare.ops->items[0] == AST_IN ? invalid_target(e->compare.left, kind)
                                                      : NULL;
        }
        return e;
    case EXPR_NAME:
    case EXPR_SUBSCRIPT:
    case EXPR_ATTRIBUTE:
        return NULL;
    default:
        return e;
    }
}

void diagnose_target_list(struct parser *p, struct expr *e, int kind)
{
    struct expr *bad = invalid_target(e, kind);
    if (bad != NULL) {
        syntax_error(p, bad->pos, kind == KW_DEL ? "cannot delete %s" : "cannot assign to %s",
                     expr_name(bad));
    }
}

/* ---- expressions ---- */

static bool is_legacy_statement(const struct expr *e)
{
    return e->kind == EXPR_NAME
           && (PyUnicode_CompareWithASCIIString(e->name.id, "print") == 0
               || PyUnicode_CompareWithASCIIString(e->name.id, "exec") == 0);
}

/* An expression, with no questions asked. */
static struct expr *plain_expression(struct parser *p)
{
    p->diagnose = false;
    struct expr *e = parse_bare_expression(p);
    p->diagnose = true;
    return e;
}

/* At a soft keyword, or at what is a beginning of one: the reference makes no difference there. */
static bool at_any_soft_keyword(struct parser *p)
{
    static const char *const keywords[] = {"_", "case", "match", "type"};
    const struct token *token = &p->tokens[p->pos];
    for (int i = 0; i < 4; i++) {
        if (strncmp(p->tok.text + token->start, keywords[i], (size_t)(token->end - token->start))
            == 0) {
            return true;
        }
    }
    return false;
}

/* Two expressions in a row inside brackets. */
static void diagnose_missing_comma(struct parser *p)
{
    if (peek(p) == TOK_NAME
        && (peek_at(p, 1) == TOK_STRING || p->failed || at_any_soft_keyword(p))) {
        return;
    }
    struct expr *a = parse_disjunction(p);
    struct expr *b = a ? plain_expression(p) : NULL;
    if (b != NULL && !is_legacy_statement(a) && last(p)->level > 0) {
        syntax_error_range(p, a->pos, b->pos, "invalid syntax. Perhaps you forgot a comma?");
    }
}

static void diagnose_missing_else(struct parser *p)
{
    struct expr *a = parse_disjunction(p);
    struct expr *b = a && accept(p, KW_IF) ? parse_disjunction(p) : NULL;
    if (b != NULL && peek(p) != KW_ELSE && peek(p) != TOK_COLON && !p->failed) {
        syntax_error_range(p, a->pos, b->pos, "expected 'else' after 'if' expression");
    }
}

/* The colon of a lambda in a replacement field begins a format specification. */
static void diagnose_fstring_lambda(struct parser *p)
{
    if (peek(p) != KW_LAMBDA) {
        return;
    }
    struct ast_pos start = here(p);
    p->pos++;
    struct arguments *args = parse_parameters(p, TOK_COLON);
    if (args != NULL && accept(p, TOK_COLON)) {
        struct ast_pos colon = token_pos(last(p));
        if (peek(p) == TOK_FSTRING_MIDDLE) {
            syntax_error_range(p, start, colon,
                               "f-string: lambda expressions are not allowed "
                               "without parentheses");
        }
    }
}

static void diagnose_legacy(struct parser *p)
{
    if (peek(p) != TOK_NAME || peek_at(p, 1) == TOK_LPAR) {
        return;
    }
    struct expr *name = parse_atom(p);
    struct expr *rest = name ? parse_star_expressions(p) : NULL;
    if (rest != NULL && is_legacy_statement(name)) {
        syntax_error_range(p, name->pos, rest->pos,
                           "Missing parentheses in call to '%U'. Did you mean %U(...)?",
                           name->name.id, name->name.id);
    }
}

void diagnose_expression(struct parser *p)
{
    static void (*const questions[])(struct parser *) = {
        diagnose_missing_comma,
        diagnose_missing_else,
        diagnose_fstring_lambda,
        diagnose_legacy,
    };
    struct mark start = mark(p);
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]) && !p->failed; i++) {
        questions[i](p);
        back(p, start);
    }
}

static bool at_double_assignment(struct parser *p)
{
    return peek(p) == TOK_EQUAL || peek(p) == TOK_COLONEQUAL;
}

static bool begins_with_sequence(struct parser *p)
{
    int kind = peek(p);
    if (kind == KW_TRUE || kind == KW_FALSE || kind == KW_NONE) {
        return true;
    }
    if (kind != TOK_LPAR && kind != TOK_LSQB) {
        return false;
    }
    struct mark start = mark(p);
    struct expr *e = parse_atom(p);
    bool group = e != NULL && (e->flags & EXPR_PARENTHESISED);
    back(p, start);
    return e != NULL && !group
           && (e->kind == EXPR_LIST || e->kind == EXPR_TUPLE || e->kind == EXPR_GENERATOREXP);
}

static void diagnose_named_expression_new(struct parser *p, struct mark start)
{
    struct expr *a = parse_expression(p);
    if (a != NULL && accept(p, TOK_COLONEQUAL) && parse_expression(p) != NULL) {
        syntax_error(p, a->pos, "cannot use assignment expressions with %s", expr_name(a));
        return;
    }
    back(p, start);
    if (peek(p) == TOK_NAME && peek_at(p, 1) == TOK_EQUAL) {
        struct ast_pos name = here(p);
        p->pos += 2;
        struct expr *b = parse_bitwise_or(p);
        if (b != NULL && !at_double_assignment(p)) {
            syntax_error_range(p, name, b->pos,
                               "invalid syntax. Maybe you meant '==' or ':=' instead of '='?");
        }
        back(p, start);
    }
    if (p->failed || begins_with_sequence(p)) {
        return;
    }
    a = parse_bitwise_or(p);
    if (a != NULL && accept(p, TOK_EQUAL) && parse_bitwise_or(p) != NULL
        && !at_double_assignment(p)) {
        syntax_error(p, a->pos, "cannot assign to %s here. Maybe you meant '==' instead of '='?",
                     expr_name(a));
    }
}

void diagnose_named_expression(struct parser *p)
{
    struct mark start = mark(p);
    void *node;
    if (memo_find(p, MEMO_INVALID_NAMED, &node)) {
        return;
    }
    diagnose_named_expression_new(p, start);
    back(p, start);
    memo_store(p, MEMO_INVALID_NAMED, start.pos, NULL);
}

/* ---- assignments ---- */

static bool is_augmented(int kind)
{
    return (kind >= TOK_PLUSEQUAL && kind <= TOK_DOUBLESTAREQUAL) || kind == TOK_DOUBLESLASHEQUAL
           || kind == TOK_ATEQUAL;
}

static void diagnose_annotation(struct parser *p, struct mark start)
{
    int kind = peek(p);
    struct expr *a = kind == TOK_LPAR || kind == TOK_LSQB ? parse_atom(p) : NULL;
    if (a != NULL && (a->kind == EXPR_LIST || a->kind == EXPR_TUPLE) && accept(p, TOK_COLON)
        && parse_expression(p) != NULL) {
        syntax_error(p, a->pos, "only single target (not %s) can be annotated", expr_name(a));
        return;
    }
    back(p, start);
    a = parse_star_named_expression(p);
    if (a != NULL && accept(p, TOK_COMMA)) {
        /* More of them, with commas or even without. */
        struct mark end = mark(p);
        while (parse_star_named_expression(p) != NULL) {
            accept(p, TOK_COMMA);
            end = mark(p);
        }
        back(p, end);
        if (accept(p, TOK_COLON) && parse_expression(p) != NULL) {
            syntax_error(p, a->pos, "only single target (not tuple) can be annotated");
            return;
        }
    }
    back(p, start);
    a = p->failed ? NULL : parse_expression(p);
    if (a != NULL && accept(p, TOK_COLON) && parse_expression(p) != NULL) {
        syntax_error(p, a->pos, "illegal target for annotation");
    }
    back(p, start);
}

void diagnose_assignment(struct parser *p)
{
    struct mark start = mark(p);
    diagnose_annotation(p, start);
    if (p->failed) {
        return;
    }
    struct mark rest = start;
    for (;;) {
        if (parse_star_targets(p) == NULL || !accept(p, TOK_EQUAL)) {
            break;
        }
        rest = mark(p);
    }
    back(p, rest);
    struct expr *a = p->failed ? NULL : parse_star_expressions(p);
    if (a != NULL && accept(p, TOK_EQUAL)) {
        diagnose_target_list(p, a, TOK_EQUAL);
    }
    back(p, rest);
    if (!p->failed && peek(p) == KW_YIELD) {
        a = parse_yield(p);
        if (a != NULL && accept(p, TOK_EQUAL)) {
            syntax_error(p, a->pos, "assignment to yield expression not possible");
        }
    }
    back(p, start);
    a = p->failed ? NULL : parse_star_expressions(p);
    if (a != NULL && is_augmented(peek(p))) {
        p->pos++;
        if (parse_annotated_rhs(p) != NULL) {
            syntax_error(p, a->pos, "'%s' is an illegal expression for augmented assignment",
                         expr_name(a));
        }
    }
    back(p, start);
}

/* ---- brackets ---- */

static struct expr *starred(struct parser *p)
{
    struct ast_pos start = here(p);
    if (!accept(p, TOK_STAR)) {
        return NULL;
    }
    struct expr *value = parse_expression(p);
    if (value == NULL && !p->failed) {
        syntax_error_here(p, "Invalid star expression");
    }
    return value ? make_starred(p, value, until_here(p, start)) : NULL;
}

void diagnose_comprehension(struct parser *p)
{
    struct mark start = mark(p);
    bool brackets = peek(p) != TOK_LPAR;
    p->pos++;
    peek(p);
    struct expr *a = starred(p);
    if (a != NULL && parse_for_if_clauses(p) != NULL) {
        syntax_error(p, a->pos, "iterable unpacking cannot be used in comprehension");
    }
    if (brackets && !p->failed) {
        back(p, start);
        p->pos++;
        a = parse_star_named_expression(p);
        if (a != NULL && accept(p, TOK_COMMA)) {
            struct ast_pos end = token_pos(last(p));
            struct mark behind = mark(p);
            struct expr *b = parse_star_named_expression(p);
            struct expr *latest = b;
            while (b != NULL && accept(p, TOK_COMMA)) {
                struct mark before = mark(p);
                b = parse_star_named_expression(p);
                if (b == NULL) {
                    back(p, before);
                } else {
                    latest = b;
                }
            }
            if (latest != NULL && !p->failed) {
                end = latest->pos;
            } else {
                back(p, behind);
            }
            if (!p->failed && parse_for_if_clauses(p) != NULL) {
                syntax_error_range(p, a->pos, end,
                                   "did you forget parentheses around the "
                                   "comprehension target?");
            }
        }
    }
    back(p, start);
}

void diagnose_group(struct parser *p)
{
    struct mark start = mark(p);
    p->pos++;
    peek(p);
    struct expr *a = starred(p);
    if (a != NULL && accept(p, TOK_RPAR)) {
        syntax_error(p, a->pos, "cannot use starred expression here");
    }
    back(p, start);
    p->pos++;
    if (!p->failed && accept(p, TOK_DOUBLESTAR)) {
        struct ast_pos stars = token_pos(last(p));
        if (parse_expression(p) != NULL && accept(p, TOK_RPAR)) {
            syntax_error(p, stars, "cannot use double starred expression here");
        }
    }
    back(p, start);
}

/* `key: *value` or `key:` */
static void diagnose_dict_value(struct parser *p)
{
    struct mark start = mark(p);
    if (parse_expression(p) != NULL && accept(p, TOK_COLON)) {
        struct ast_pos colon = token_pos(last(p));
        int kind = peek(p);
        if (kind == TOK_STAR) {
            struct ast_pos star = here(p);
            p->pos++;
            if (parse_bitwise_or(p) != NULL) {
                syntax_error_from(p, star, "cannot use a starred expression in a dictionary value");
            }
        } else if (kind == TOK_RBRACE || kind == TOK_COMMA) {
            syntax_error(p, colon, "expression expected after dictionary key and ':'");
        }
    }
    back(p, start);
}

static bool skip_dict_item(struct parser *p)
{
    if (accept(p, TOK_DOUBLESTAR)) {
        return parse_bitwise_or(p) != NULL;
    }
    return parse_expression(p) != NULL && accept(p, TOK_COLON) && parse_expression(p) != NULL;
}

/* Asked in the first pass, too: a dict whose items go wrong cannot be anything else. */
void diagnose_dict_items(struct parser *p)
{
    struct mark start = mark(p);
    p->pos++;
    struct mark inside = mark(p);
    bool items = false;
    while (skip_dict_item(p)) {
        struct mark after = mark(p);
        if (!accept(p, TOK_COMMA)) {
            break;
        }
        struct mark next = mark(p);
        items = skip_dict_item(p);
        back(p, items ? next : after);
        if (items) {
            continue;
        }
        if (p->failed) {
            break;
        }
        back(p, next);
        struct expr *key = parse_expression(p);
        if (key != NULL && peek(p) != TOK_COLON && !p->failed) {
            struct ast_pos pos = {key->pos.line, key->pos.end_col - 1, key->pos.end_line, -1};
            syntax_error(p, pos, "':' expected after dictionary key");
        }
        back(p, next);
        if (!p->failed) {
            diagnose_dict_value(p);
        }
        break;
    }
    back(p, inside);
    if (!p->failed) {
        diagnose_dict_value(p);
    }
    back(p, start);
}

void diagnose_dict_comprehension(struct parser *p)
{
    struct mark start = mark(p);
    p->pos++;
    if (accept(p, TOK_DOUBLESTAR)) {
        struct ast_pos stars = token_pos(last(p));
        if (parse_bitwise_or(p) != NULL && parse_for_if_clauses(p) != NULL
            && accept(p, TOK_RBRACE)) {
            syntax_error(p, stars, "dict unpacking cannot be used in dict comprehension");
        }
    }
    back(p, start);
}

/* ---- f-strings ---- */

/* At the next token. */
static void raise_next(struct parser *p, const char *message)
{
    peek(p);
    if (p->failed) {
        return;
    }
    const struct token *t = &p->tokens[p->pos];
    if (t->col == -1) {
        syntax_error_here(p, "%s", message);
    } else {
        syntax_error(p, token_pos(t), "%s", message);
    }
}

void diagnose_replacement_field(struct parser *p)
{
    struct mark start = mark(p);
    p->pos++;
    int kind = peek(p);
    if (kind == TOK_EQUAL || kind == TOK_EXCLAMATION || kind == TOK_COLON || kind == TOK_RBRACE) {
        char c = kind == TOK_EQUAL         ? '='
                 : kind == TOK_EXCLAMATION ? '!'
                 : kind == TOK_COLON       ? ':'
                                           : '}';
        syntax_error(p, here(p), "f-string: valid expression required before '%c'", c);
        return;
    }
    struct mark inside = mark(p);
    struct expr *value = parse_annotated_rhs(p);
    if (p->failed) {
        return;
    }
    if (value == NULL) {
        back(p, inside);
        raise_next(p, "f-string: expecting a valid expression after '{'");
        return;
    }
    kind = peek(p);
    if (kind != TOK_EQUAL && kind != TOK_EXCLAMATION && kind != TOK_COLON && kind != TOK_RBRACE) {
        raise_next(p, "f-string: expecting '=', or '!', or ':', or '}'");
        return;
    }
    if (accept(p, TOK_EQUAL)) {
        kind = peek(p);
        if (kind != TOK_EXCLAMATION && kind != TOK_COLON && kind != TOK_RBRACE) {
            raise_next(p, "f-string: expecting '!', or ':', or '}'");
            return;
        }
    }
    if (accept(p, TOK_EXCLAMATION)) {
        kind = peek(p);
        if (kind != TOK_NAME) {
            raise_next(p, kind == TOK_COLON || kind == TOK_RBRACE
                              ? "f-string: missing conversion character"
                              : "f-string: invalid conversion character");
            return;
        }
        p->pos++;
        kind = peek(p);
        if (kind != TOK_COLON && kind != TOK_RBRACE) {
            raise_next(p, "f-string: expecting ':' or '}'");
            return;
        }
    }
    if (accept(p, TOK_COLON)) {
        int depth = 0;
        while (!p->failed
               && (peek(p) == TOK_FSTRING_MIDDLE || peek(p) == TOK_LBRACE || depth > 0)) {
            kind = peek(p);
            depth += (kind == TOK_LBRACE) - (kind == TOK_RBRACE);
            if (kind == TOK_FSTRING_END || kind == TOK_ENDMARKER || kind == TOK_NEWLINE) {
                break;
            }
            p->pos++;
        }
        if (!p->failed && peek(p) != TOK_RBRACE) {
            raise_next(p, "f-string: expecting '}', or format specs");
            return;
        }
    } else if (peek(p) != TOK_RBRACE && !p->failed) {
        raise_next(p, "f-string: expecting '}'");
        return;
    }
    back(p, start);
}
