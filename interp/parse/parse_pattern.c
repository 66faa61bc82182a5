/* match statements and their patterns. */

#include "parser.h"

static struct pattern *parse_pattern(struct parser *p);
static struct pattern *parse_or_pattern(struct parser *p);

static struct pattern *new_pattern(struct parser *p, enum pattern_kind kind, struct ast_pos start)
{
    struct ast_pos pos = until_here(p, start);
    struct pattern *node = ast_pattern_new(p->arena, kind, &pos);
    return node ? node : parser_fail(p);
}

/* ---- literals and names ---- */

static bool after_value(struct parser *p)
{
    int kind = peek(p);
    return kind != TOK_DOT && kind != TOK_LPAR && kind != TOK_EQUAL;
}

/* A name to bind, which is not `_`. */
static PyObject *accept_capture(struct parser *p)
{
    if (peek(p) != TOK_NAME || at_soft_keyword(p, "_")) {
        return NULL;
    }
    PyObject *name = accept_name(p);
    return name != NULL && after_value(p) ? name : NULL;
}

static struct expr *parse_signed_number(struct parser *p)
{
    struct ast_pos start = here(p);
    bool minus = accept(p, TOK_MINUS);
    struct expr *number = peek(p) == TOK_NUMBER ? parse_number(p) : NULL;
    if (number == NULL || !minus) {
        return number;
    }
    struct ast_pos pos = until_here(p, start);
    struct expr *e = ast_expr_new(p->arena, EXPR_UNARYOP, &pos);
    if (e == NULL) {
        return parser_fail(p);
    }
    e->op = AST_USUB;
    e->unaryop.operand = number;
    return e;
}

static bool is_imaginary(const struct expr *e)
{
    return e->kind == EXPR_UNARYOP ? is_imaginary(e->unaryop.operand)
                                   : PyComplex_CheckExact(e->constant.value);
}

/* [-]number, or the sum or difference of a real and an imaginary one */
static struct expr *parse_number_literal(struct parser *p)
{
    peek(p);
    struct ast_pos start = here(p);
    struct expr *left = parse_signed_number(p);
    if (left == NULL || (peek(p) != TOK_PLUS && peek(p) != TOK_MINUS)) {
        return left;
    }
    if (is_imaginary(left)) {
        const struct expr *blame = left->kind == EXPR_UNARYOP ? left->unaryop.operand : left;
        return syntax_error(p, blame->pos, "real number required in complex literal");
    }
    int op = peek(p) == TOK_PLUS ? AST_ADD : AST_SUB;
    p->pos++;
    struct expr *right = peek(p) == TOK_NUMBER ? parse_number(p) : NULL;
    if (right == NULL) {
        return NULL;
    }
    if (!is_imaginary(right)) {
        return syntax_error(p, right->pos, "imaginary number required in complex literal");
    }
    struct ast_pos pos = until_here(p, start);
    struct expr *e = ast_expr_new(p->arena, EXPR_BINOP, &pos);
    if (e == NULL) {
        return parser_fail(p);
    }
    e->op = (uint8_t)op;
    e->binop.left = left;
    e->binop.right = right;
    return e;
}

static bool at_literal(struct parser *p)
{
    switch (peek(p)) {
    case TOK_NUMBER:
    case TOK_MINUS:
    case TOK_STRING:
    case TOK_FSTRING_START:
    case KW_NONE:
    case KW_TRUE:
    case KW_FALSE:
        return true;
    default:
        return false;
    }
}

/* A literal as an expression: keys of mappings. */
static struct expr *parse_literal_expr(struct parser *p)
{
    int kind = peek(p);
    return kind == TOK_NUMBER || kind == TOK_MINUS ? parse_number_literal(p) : parse_atom(p);
}

/* name.name... as an expression */
static struct expr *parse_dotted(struct parser *p)
{
    struct expr *e = peek(p) == TOK_NAME ? parse_atom(p) : NULL;
    while (e != NULL && peek(p) == TOK_DOT) {
        p->pos++;
        PyObject *attr = accept_name(p);
        e = attr ? make_attribute(p, e, attr) : NULL;
    }
    return e;
}

static struct pattern *make_value(struct parser *p, struct expr *value, struct ast_pos start)
{
    struct pattern *node = value ? new_pattern(p, PATTERN_VALUE, start) : NULL;
    if (node != NULL) {
        node->value.value = value;
    }
    return node;
}

static struct pattern *parse_literal(struct parser *p)
{
    struct ast_pos start = here(p);
    int kind = peek(p);
    struct expr *value = parse_literal_expr(p);
    if (kind != KW_NONE && kind != KW_TRUE && kind != KW_FALSE) {
        return make_value(p, value, start);
    }
    struct pattern *node = value ? new_pattern(p, PATTERN_SINGLETON, start) : NULL;
    if (node != NULL) {
        node->singleton.value = value->constant.value;
    }
    return node;
}

/* ---- sequences ---- */

static struct pattern *parse_star_pattern(struct parser *p)
{
    struct ast_pos start = here(p);
    p->pos++;
    PyObject *name = NULL;
    if (at_soft_keyword(p, "_")) {
        p->pos++;
    } else {
        name = accept_capture(p);
        if (name == NULL) {
            return NULL;
        }
    }
    struct pattern *node = new_pattern(p, PATTERN_STAR, start);
    if (node != NULL) {
        node->star.name = name;
    }
    return node;
}

static struct pattern *parse_maybe_star(struct parser *p)
{
    return peek(p) == TOK_STAR ? parse_star_pattern(p) : parse_pattern(p);
}

static struct pattern *make_sequence_pattern(struct parser *p, size_t base, struct ast_pos start)
{
    struct pattern_seq *patterns = pop_seq(p, base);
    struct pattern *node = patterns ? new_pattern(p, PATTERN_SEQUENCE, start) : NULL;
    if (node != NULL) {
        node->sequence.patterns = patterns;
    }
    return node;
}

/* Patterns behind the first, each after a comma; the last comma may stand alone. */
static bool parse_more_patterns(struct parser *p)
{
    while (accept(p, TOK_COMMA)) {
        struct mark before = mark(p);
        struct pattern *next = parse_maybe_star(p);
        if (next == NULL) {
            back(p, before);
            break;
        }
        push(p, next);
    }
    return !p->failed;
}

/* [ ... ], ( ... ) and a pattern in parentheses */
static struct pattern *parse_bracketed(struct parser *p, int close)
{
    struct ast_pos start = here(p);
    size_t base = p->stack_size;
    p->pos++;
    if (accept(p, close)) {
        return make_sequence_pattern(p, base, start);
    }
    struct pattern *first = parse_maybe_star(p);
    if (first == NULL) {
        return NULL;
    }
    if (close == TOK_RPAR && first->kind != PATTERN_STAR && accept(p, TOK_RPAR)) {
        return first; /* a group */
    }
    if (close == TOK_RPAR && peek(p) != TOK_COMMA) {
        return NULL;
    }
    push(p, first);
    if (!parse_more_patterns(p) || !accept(p, close)) {
        return NULL;
    }
    return make_sequence_pattern(p, base, start);
}

/* ---- mappings ---- */

static struct pattern *make_mapping(struct parser *p, size_t base, PyObject *rest,
                                    struct ast_pos start)
{
    size_t count = (p->stack_size - base) / 2;
    struct expr_seq *keys = AST_SEQ_NEW(p->arena, expr_seq, count);
    struct pattern_seq *patterns = AST_SEQ_NEW(p->arena, pattern_seq, count);
    struct pattern *node = new_pattern(p, PATTERN_MAPPING, start);
    if (keys == NULL || patterns == NULL || node == NULL) {
        return parser_fail(p);
    }
    for (size_t i = 0; i < count; i++) {
        keys->items[i] = p->stack[base + 2 * i];
        patterns->items[i] = p->stack[base + 2 * i + 1];
    }
    p->stack_size = base;
    node->mapping.keys = keys;
    node->mapping.patterns = patterns;
    node->mapping.rest = rest;
    return node;
}

static struct pattern *parse_mapping(struct parser *p)
{
    struct ast_pos start = here(p);
    size_t base = p->stack_size;
    PyObject *rest = NULL;
    p->pos++;
    while (peek(p) != TOK_RBRACE) {
        if (accept(p, TOK_DOUBLESTAR)) {
            rest = accept_capture(p);
            if (rest == NULL) {
                return NULL;
            }
            accept(p, TOK_COMMA);
            break;
        }
        struct expr *key = at_literal(p) ? parse_literal_expr(p) : parse_dotted(p);
        if (key == NULL || key->kind == EXPR_NAME || !accept(p, TOK_COLON)) {
            return NULL;
        }
        struct pattern *value = parse_pattern(p);
        if (value == NULL) {
            return NULL;
        }
        push(p, key);
        push(p, value);
        if (!accept(p, TOK_COMMA)) {
            break;
        }
    }
    return accept(p, TOK_RBRACE) ? make_mapping(p, base, rest, start) : NULL;
}

/* ---- classes ---- */

static bool at_keyword_pattern(struct parser *p)
{
    return peek(p) == TOK_NAME && peek_at(p, 1) == TOK_EQUAL;
}

/* Positional patterns behind keyword ones. */
static void diagnose_class_pattern(struct parser *p)
{
    struct pattern *first = NULL, *latest = NULL;
    while (peek(p) != TOK_RPAR && !p->failed) {
        struct pattern *next = at_keyword_pattern(p) ? NULL : parse_pattern(p);
        if (next == NULL) {
            break;
        }
        latest = next;
        first = first ? first : next;
        if (!accept(p, TOK_COMMA)) {
            break;
        }
    }
    if (first != NULL && !p->failed) {
        syntax_error_range(p, first->pos, latest->pos,
                           "positional patterns follow keyword patterns");
    }
}

static struct pattern *parse_class(struct parser *p, struct expr *cls, struct ast_pos start)
{
    size_t base = p->stack_size, positional = 0;
    p->pos++;
    while (peek(p) != TOK_RPAR && !at_keyword_pattern(p)) {
        struct pattern *pattern = parse_pattern(p);
        if (pattern == NULL) {
            return NULL;
        }
        push(p, pattern);
        positional++;
        if (!accept(p, TOK_COMMA)) {
            break;
        }
    }
    struct pattern_seq *patterns = pop_seq(p, base);
    while (at_keyword_pattern(p)
           && (positional == 0 || last(p)->kind == TOK_COMMA || p->stack_size > base)) {
        push(p, accept_name(p));
        p->pos++;
        struct pattern *pattern = parse_pattern(p);
        if (pattern == NULL) {
            return NULL;
        }
        push(p, pattern);
        if (!accept(p, TOK_COMMA)) {
            break;
        }
        if (p->diagnose && peek(p) != TOK_RPAR && !at_keyword_pattern(p)) {
            diagnose_class_pattern(p);
            return NULL;
        }
    }
    if (!accept(p, TOK_RPAR) || patterns == NULL) {
        return NULL;
    }
    size_t count = (p->stack_size - base) / 2;
    struct name_seq *names = AST_SEQ_NEW(p->arena, name_seq, count);
    struct pattern_seq *values = AST_SEQ_NEW(p->arena, pattern_seq, count);
    struct pattern *node = new_pattern(p, PATTERN_CLASS, start);
    if (names == NULL || values == NULL || node == NULL) {
        return parser_fail(p);
    }
    for (size_t i = 0; i < count; i++) {
        names->items[i] = p->stack[base + 2 * i];
        values->items[i] = p->stack[base + 2 * i + 1];
    }
    p->stack_size = base;
    node->class_.cls = cls;
    node->class_.patterns = patterns;
    node->class_.kwd_attrs = names;
    node->class_.kwd_patterns = values;
    return node;
}

/* A name that is bound, `_`, a dotted name, or a class */
static struct pattern *parse_name_pattern(struct parser *p)
{
    struct ast_pos start = here(p);
    int kind = peek_at(p, 1);
    if (kind != TOK_DOT && kind != TOK_LPAR && kind != TOK_EQUAL) {
        bool wildcard = at_soft_keyword(p, "_");
        PyObject *name = accept_name(p);
        struct pattern *node = name ? new_pattern(p, PATTERN_AS, start) : NULL;
        if (node != NULL && !wildcard) {
            node->as.name = name;
        }
        return node;
    }
    struct expr *value = parse_dotted(p);
    if (value == NULL) {
        return NULL;
    }
    if (peek(p) == TOK_LPAR) {
        return parse_class(p, value, start);
    }
    return value->kind == EXPR_ATTRIBUTE && after_value(p) ? make_value(p, value, start) : NULL;
}

/* ---- patterns ---- */

static struct pattern *parse_closed(struct parser *p)
{
    switch (peek(p)) {
    case TOK_NAME:
        return parse_name_pattern(p);
    case TOK_LPAR:
        return parse_bracketed(p, TOK_RPAR);
    case TOK_LSQB:
        return parse_bracketed(p, TOK_RSQB);
    case TOK_LBRACE:
        return parse_mapping(p);
    default:
        return at_literal(p) ? parse_literal(p) : NULL;
    }
}

static struct pattern *parse_or_pattern(struct parser *p)
{
    peek(p);
    struct ast_pos start = here(p);
    struct pattern *first = parse_closed(p);
    if (first == NULL || peek(p) != TOK_VBAR) {
        return first;
    }
    size_t base = p->stack_size;
    push(p, first);
    while (accept(p, TOK_VBAR)) {
        struct pattern *next = parse_closed(p);
        if (next == NULL) {
            return NULL;
        }
        push(p, next);
    }
    struct pattern_seq *patterns = pop_seq(p, base);
    struct pattern *node = patterns ? new_pattern(p, PATTERN_OR, start) : NULL;
    if (node != NULL) {
        node->or_.patterns = patterns;
    }
    return node;
}

/* What is wrong with the target of `as`, which begins at the position. */
static void diagnose_as_target(struct parser *p)
{
    if (at_soft_keyword(p, "_")) {
        p->pos++;
        syntax_error(p, token_pos(last(p)), "cannot use '_' as a target");
        return;
    }
    if (peek(p) == TOK_NAME) {
        return;
    }
    struct expr *e = parse_expression(p);
    if (e != NULL) {
        syntax_error(p, e->pos, "invalid pattern target");
    }
}

static struct pattern *parse_pattern(struct parser *p)
{
    peek(p);
    struct ast_pos start = here(p);
    if (!enter(p)) {
        return NULL;
    }
    struct pattern *pattern = parse_or_pattern(p);
    leave(p);
    if (pattern == NULL || !accept(p, KW_AS)) {
        return pattern;
    }
    int target = p->pos;
    PyObject *name = accept_capture(p);
    if (name == NULL) {
        if (p->diagnose && !p->failed) {
            p->pos = target;
            diagnose_as_target(p);
        }
        return NULL;
    }
    struct pattern *node = new_pattern(p, PATTERN_AS, start);
    if (node != NULL) {
        node->as.pattern = pattern;
        node->as.name = name;
    }
    return node;
}

/* What follows `case`: a pattern, or a sequence without brackets */
static struct pattern *parse_patterns(struct parser *p)
{
    peek(p);
    struct ast_pos start = here(p);
    struct pattern *first = parse_maybe_star(p);
    if (first == NULL || (peek(p) != TOK_COMMA && first->kind != PATTERN_STAR)) {
        return first;
    }
    size_t base = p->stack_size;
    push(p, first);
    if (peek(p) != TOK_COMMA || !parse_more_patterns(p)) {
        return NULL;
    }
    return make_sequence_pattern(p, base, start);
}

/* ---- the statement ---- */

static struct match_case *parse_case(struct parser *p)
{
    int line = here(p).line;
    p->pos++;
    struct pattern *pattern = parse_patterns(p);
    struct expr *guard = NULL;
    if (pattern == NULL) {
        return NULL;
    }
    if (accept(p, KW_IF)) {
        guard = parse_named_expression(p);
        if (guard == NULL) {
            return NULL;
        }
    }
    struct stmt_seq *body = parse_colon_block(p, "'case' statement", line);
    struct match_case *node = body ? arena_alloc(p->arena, sizeof(*node)) : NULL;
    if (node == NULL) {
        return body ? parser_fail(p) : NULL;
    }
    *node = (struct match_case){pattern, guard, body};
    return node;
}

static struct expr *parse_subject(struct parser *p)
{
    peek(p);
    struct ast_pos start = here(p);
    struct expr *first = parse_star_named_expression(p);
    if (first == NULL || peek(p) != TOK_COMMA) {
        return first != NULL && first->kind == EXPR_STARRED ? NULL : first;
    }
    size_t base = p->stack_size;
    push(p, first);
    while (accept(p, TOK_COMMA)) {
        struct mark before = mark(p);
        struct expr *next = parse_star_named_expression(p);
        if (next == NULL) {
            back(p, before);
            break;
        }
        push(p, next);
    }
    if (p->failed) {
        return NULL;
    }
    struct ast_pos pos = until_here(p, start);
    return make_sequence(p, EXPR_TUPLE, pop_seq(p, base), pos);
}

/* Whether the word `match` can begin a statement of its kind before this token. */
static bool may_begin_subject(int kind)
{
    switch (kind) {
    case TOK_NAME:
    case TOK_NUMBER:
    case TOK_STRING:
    case TOK_FSTRING_START:
    case TOK_LPAR:
    case TOK_LSQB:
    case TOK_LBRACE:
    case TOK_MINUS:
    case TOK_PLUS:
    case TOK_TILDE:
    case TOK_STAR:
    case TOK_ELLIPSIS:
    case KW_NOT:
    case KW_NONE:
    case KW_TRUE:
    case KW_FALSE:
    case KW_LAMBDA:
    case KW_AWAIT:
        return true;
    default:
        return false;
    }
}

struct stmt *parse_match(struct parser *p)
{
    struct ast_pos start = here(p);
    if (!may_begin_subject(peek_at(p, 1))) {
        return NULL;
    }
    p->pos++;
    struct expr *subject = parse_subject(p);
    if (subject == NULL || !accept(p, TOK_COLON)) {
        if (subject != NULL && p->diagnose && peek(p) == TOK_NEWLINE
            && check_version(p, 10, "Pattern matching is") == 0) {
            syntax_error_here(p, "expected ':'");
        }
        return NULL;
    }
    if (!accept(p, TOK_NEWLINE)) {
        return NULL;
    }
    if (!accept(p, TOK_INDENT)) {
        if (p->diagnose && !p->failed) {
            raise_here(p, PyExc_IndentationError,
                       "expected an indented block after 'match' statement on line %d", start.line);
        }
        return NULL;
    }
    size_t base = p->stack_size;
    while (at_soft_keyword(p, "case")) {
        struct match_case *node = parse_case(p);
        if (node == NULL) {
            return NULL;
        }
        push(p, node);
    }
    if (p->stack_size == base || !accept(p, TOK_DEDENT)
        || check_version(p, 10, "Pattern matching is") < 0) {
        return NULL;
    }
    struct match_case_seq *cases = pop_seq(p, base);
    struct stmt *s = cases ? make_stmt(p, STMT_MATCH, start) : NULL;
    if (s != NULL) {
        s->match.subject = subject;
        s->match.cases = cases;
    }
    return s;
}
