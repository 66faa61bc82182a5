/* Expressions: operators, conditions, lambda, yield, lists without brackets, targets. */

#include "parser.h"

/* ---- nodes ---- */

static struct expr *new_expr(struct parser *p, enum expr_kind kind, struct ast_pos pos)
{
    struct expr *e = ast_expr_new(p->arena, kind, &pos);
    return e ? e : parser_fail(p);
}

struct expr *make_name(struct parser *p, PyObject *id, struct ast_pos pos, enum ast_context ctx)
{
    struct expr *e = id ? new_expr(p, EXPR_NAME, pos) : NULL;
    if (e != NULL) {
        e->name.id = id;
        e->ctx = (uint8_t)ctx;
    }
    return e;
}

struct expr *make_constant(struct parser *p, PyObject *value, struct ast_pos pos)
{
    value = arena_own(p->arena, value);
    struct expr *e = value ? new_expr(p, EXPR_CONSTANT, pos) : parser_fail(p);
    if (e != NULL) {
        e->constant.value = value;
    }
    return e;
}

struct expr *make_starred(struct parser *p, struct expr *value, struct ast_pos pos)
{
    struct expr *e = value ? new_expr(p, EXPR_STARRED, pos) : NULL;
    if (e != NULL) {
        e->starred.value = value;
    }
    return e;
}

struct expr *make_sequence(struct parser *p, enum expr_kind kind, struct expr_seq *elts,
                           struct ast_pos pos)
{
    struct expr *e = elts ? new_expr(p, kind, pos) : NULL;
    if (e != NULL) {
        e->tuple.elts = elts; /* list, set and tuple agree */
    }
    return e;
}

static struct expr *make_binop(struct parser *p, struct expr *left, int op, struct expr *right)
{
    struct expr *e = new_expr(p, EXPR_BINOP, span(left->pos, right->pos));
    if (e != NULL) {
        e->op = (uint8_t)op;
        e->binop.left = left;
        e->binop.right = right;
    }
    return e;
}

/* ---- operators ---- */

/* How tightly a token binds as an infix operator, and which one it is. */
static const struct {
    uint8_t level, op;
} infix[TOKEN_KINDS] = {
    [KW_OR] = {LEVEL_OR, AST_OR},
    [KW_AND] = {LEVEL_AND, AST_AND},
    [TOK_EQEQUAL] = {LEVEL_COMPARE, AST_EQ},
    [TOK_NOTEQUAL] = {LEVEL_COMPARE, AST_NOTEQ},
    [TOK_LESS] = {LEVEL_COMPARE, AST_LT},
    [TOK_LESSEQUAL] = {LEVEL_COMPARE, AST_LTE},
    [TOK_GREATER] = {LEVEL_COMPARE, AST_GT},
    [TOK_GREATEREQUAL] = {LEVEL_COMPARE, AST_GTE},
    [KW_IN] = {LEVEL_COMPARE, AST_IN},
    [KW_IS] = {LEVEL_COMPARE, AST_IS},
    [KW_NOT] = {LEVEL_COMPARE, AST_NOTIN},
    [TOK_VBAR] = {LEVEL_BITOR, AST_BITOR},
    [TOK_CIRCUMFLEX] = {LEVEL_BITXOR, AST_BITXOR},
    [TOK_AMPER] = {LEVEL_BITAND, AST_BITAND},
    [TOK_LEFTSHIFT] = {LEVEL_SHIFT, AST_LSHIFT},
    [TOK_RIGHTSHIFT] = {LEVEL_SHIFT, AST_RSHIFT},
    [TOK_PLUS] = {LEVEL_SUM, AST_ADD},
    [TOK_MINUS] = {LEVEL_SUM, AST_SUB},
    [TOK_STAR] = {LEVEL_TERM, AST_MULT},
    [TOK_SLASH] = {LEVEL_TERM, AST_DIV},
    [TOK_DOUBLESLASH] = {LEVEL_TERM, AST_FLOORDIV},
    [TOK_PERCENT] = {LEVEL_TERM, AST_MOD},
    [TOK_AT] = {LEVEL_TERM, AST_MATMULT},
};

static struct expr *make_unary(struct parser *p, int op, struct expr *operand, struct ast_pos start)
{
    if (operand == NULL) {
        return NULL;
    }
    struct expr *e = new_expr(p, EXPR_UNARYOP, span(start, operand->pos));
    if (e != NULL) {
        e->op = (uint8_t)op;
        e->unaryop.operand = operand;
    }
    return e;
}

static struct expr *parse_await(struct parser *p)
{
    struct ast_pos start = here(p);
    p->pos++;
    struct expr *value = parse_primary(p);
    if (value == NULL || check_version(p, 5, "Await expressions are") < 0) {
        return NULL;
    }
    struct expr *e = new_expr(p, EXPR_AWAIT, span(start, value->pos));
    if (e != NULL) {
        e->await.value = value;
        e->pos = until_here(p, start);
    }
    return e;
}

static struct expr *parse_factor(struct parser *p);

/* `+not x`: the second pass says what is wrong with it. */
static void diagnose_factor(struct parser *p)
{
    int start = p->pos;
    p->pos++;
    if (peek(p) == KW_NOT) {
        struct ast_pos pos = here(p);
        p->pos++;
        struct expr *operand = parse_factor(p);
        if (operand != NULL) {
            syntax_error_range(p, pos, operand->pos,
                               "'not' after an operator must be parenthesized");
        }
    }
    p->pos = start;
}

static struct expr *parse_signed(struct parser *p, int op)
{
    struct ast_pos start = here(p);
    if (p->diagnose) {
        diagnose_factor(p);
    }
    if (!enter(p)) {
        return NULL;
    }
    p->pos++;
    struct expr *operand = parse_factor(p);
    leave(p);
    struct expr *e = make_unary(p, op, operand, start);
    if (e != NULL) {
        e->pos = until_here(p, start);
    }
    return e;
}

static struct expr *parse_factor(struct parser *p)
{
    switch (peek(p)) {
    case TOK_PLUS:
        return parse_signed(p, AST_UADD);
    case TOK_MINUS:
        return parse_signed(p, AST_USUB);
    case TOK_TILDE:
        return parse_signed(p, AST_INVERT);
    }
    struct ast_pos start = here(p);
    struct expr *base = peek(p) == KW_AWAIT ? parse_await(p) : parse_primary(p);
    if (base == NULL || peek(p) != TOK_DOUBLESTAR) {
        return base;
    }
    struct mark before = mark(p);
    p->pos++;
    if (!enter(p)) {
        return NULL;
    }
    struct expr *exponent = parse_factor(p);
    leave(p);
    if (exponent == NULL) {
        back(p, before); /* the base alone is an expression */
        return p->failed ? NULL : base;
    }
    struct expr *e = make_binop(p, base, AST_POW, exponent);
    if (e != NULL) {
        e->pos = until_here(p, start);
    }
    return e;
}

static struct expr *parse_not(struct parser *p)
{
    struct ast_pos start = here(p);
    p->pos++;
    if (!enter(p)) {
        return NULL;
    }
    struct expr *operand = parse_infix(p, LEVEL_NOT);
    leave(p);
    struct expr *e = make_unary(p, AST_NOT, operand, start);
    if (e != NULL) {
        e->pos = until_here(p, start);
    }
    return e;
}

/* `!=`, or `<>` under barry_as_FLUFL; they are one token kind. */
static bool accept_not_equal(struct parser *p)
{
    bool diamond = p->tok.text[p->tokens[p->pos].start] == '<';
    if (p->flags & CO_FUTURE_BARRY_AS_BDFL) {
        if (!diamond) {
            syntax_error_here(p, "with Barry as BDFL, use '<>' instead of '!='");
            return false;
        }
    } else if (diamond) {
        return false;
    }
    p->pos++;
    return true;
}

/* The comparison operator at the position, moving behind it; -1: there is none. */
static int accept_comparison(struct parser *p)
{
    int kind = peek(p);
    if (infix[kind].level != LEVEL_COMPARE) {
        return -1;
    }
    if (kind == TOK_NOTEQUAL) {
        return accept_not_equal(p) ? AST_NOTEQ : -1;
    }
    if (kind == KW_NOT) {
        if (peek_at(p, 1) != KW_IN) {
            return -1;
        }
        p->pos += 2;
        return AST_NOTIN;
    }
    p->pos++;
    if (kind == KW_IS && accept(p, KW_NOT)) {
        return AST_ISNOT;
    }
    return infix[kind].op;
}

static struct expr *parse_compare(struct parser *p, struct expr *left, struct ast_pos start)
{
    enum { INLINE_OPS = 16 };
    uint8_t few[INLINE_OPS], *ops = few;
    size_t base = p->stack_size, count = 0, capacity = INLINE_OPS;
    struct expr *result = left;
    int end = p->pos;

    for (;;) {
        int op = accept_comparison(p);
        struct expr *right = op >= 0 ? parse_infix(p, LEVEL_BITOR) : NULL;
        if (right == NULL) {
            break;
        }
        end = p->pos;
        if (count == capacity) {
            uint8_t *more = arena_alloc(p->arena, capacity * 2);
            if (more == NULL) {
                parser_fail(p);
                break;
            }
            for (size_t i = 0; i < count; i++) {
                more[i] = ops[i];
            }
            ops = more;
            capacity *= 2;
        }
        ops[count++] = (uint8_t)op;
        push(p, right);
    }
    back(p, (struct mark){end, base + count});
    if (p->failed) {
        return NULL;
    }
    if (count > 0) {
        struct expr_seq *comparators = pop_seq(p, base);
        struct cmpop_seq *seq = AST_SEQ_NEW(p->arena, cmpop_seq, count);
        result = new_expr(p, EXPR_COMPARE, until_here(p, start));
        if (result == NULL || comparators == NULL || seq == NULL) {
            return parser_fail(p);
        }
        for (size_t i = 0; i < count; i++) {
            seq->items[i] = ops[i];
        }
        result->compare.left = left;
        result->compare.ops = seq;
        result->compare.comparators = comparators;
    }
    return result;
}

static struct expr *parse_boolop(struct parser *p, struct expr *left, int kind,
                                 struct ast_pos start)
{
    size_t base = p->stack_size;
    enum infix_level operand = kind == KW_OR ? LEVEL_AND : LEVEL_NOT;
    push(p, left);
    struct mark end = mark(p);
    while (accept(p, kind)) {
        struct expr *right = parse_infix(p, operand);
        if (right == NULL) {
            break;
        }
        push(p, right);
        end = mark(p);
    }
    back(p, end);
    if (p->failed) {
        return NULL;
    }
    if (p->stack_size == base + 1) {
        p->stack_size = base;
        return left;
    }
    struct expr_seq *values = pop_seq(p, base);
    struct expr *e = new_expr(p, EXPR_BOOLOP, until_here(p, start));
    if (e == NULL || values == NULL) {
        return NULL;
    }
    e->op = infix[kind].op;
    e->boolop.values = values;
    return e;
}

/* `a + not b`, with the position behind the operator. */
static void diagnose_arithmetic(struct parser *p)
{
    if (peek(p) != KW_NOT) {
        return;
    }
    struct mark before = mark(p);
    struct ast_pos start = here(p);
    struct expr *operand = parse_infix(p, LEVEL_NOT);
    if (operand != NULL) {
        syntax_error_range(p, start, operand->pos, "'not' after an operator must be parenthesized");
    }
    back(p, before);
}

static struct expr *parse_infix_new(struct parser *p, enum infix_level level)
{
    peek(p);
    struct ast_pos start = here(p);
    struct expr *left = level <= LEVEL_NOT && peek(p) == KW_NOT ? parse_not(p) : parse_factor(p);

    while (left != NULL) {
        int kind = peek(p);
        enum infix_level found = infix[kind].level;
        if (found < level || found == LEVEL_NONE) {
            break;
        }
        struct mark before = mark(p);
        struct expr *joined;
        if (found <= LEVEL_AND) {
            joined = parse_boolop(p, left, kind, start);
        } else if (found == LEVEL_COMPARE) {
            joined = parse_compare(p, left, start);
        } else {
            p->pos++;
            if (p->diagnose && found >= LEVEL_SUM) {
                diagnose_arithmetic(p);
            }
            struct expr *right = parse_infix(p, found + 1);
            joined = right && (kind != TOK_AT || check_version(p, 5, "The '@' operator is") == 0)
                         ? make_binop(p, left, infix[kind].op, right)
                         : NULL;
            if (joined != NULL) {
                joined->pos = until_here(p, start);
            }
        }
        if (joined == NULL || joined == left) {
            back(p, before); /* what stands before the operator is an expression by itself */
            break;
        }
        left = joined;
    }
    return p->failed ? NULL : left;
}

/* The longest expression of operators that bind at least as tightly as `level`. */
struct expr *parse_infix(struct parser *p, enum infix_level level)
{
    if (!p->second) {
        return parse_infix_new(p, level);
    }
    void *node;
    int start = p->pos;
    if (memo_find(p, MEMO_INFIX + (int)level, &node)) {
        return node;
    }
    node = parse_infix_new(p, level);
    memo_store(p, MEMO_INFIX + (int)level, start, node);
    return node;
}

/* ---- expression ---- */

static struct expr *parse_condition(struct parser *p, struct expr *body, struct ast_pos start)
{
    struct mark before = mark(p);
    p->pos++;
    struct expr *test = parse_disjunction(p);
    struct expr *orelse = test && accept(p, KW_ELSE) ? parse_expression(p) : NULL;
    if (orelse == NULL) {
        back(p, before);
        return p->failed ? NULL : body;
    }
    struct expr *e = new_expr(p, EXPR_IFEXP, until_here(p, start));
    if (e != NULL) {
        e->ifexp.test = test;
        e->ifexp.body = body;
        e->ifexp.orelse = orelse;
    }
    return e;
}

/* An expression, with nothing asked or remembered about the whole of it. */
struct expr *parse_bare_expression(struct parser *p)
{
    if (peek(p) == KW_LAMBDA) {
        return parse_lambda(p);
    }
    struct ast_pos start = here(p);
    struct expr *e = parse_disjunction(p);
    if (e != NULL && peek(p) == KW_IF) {
        e = parse_condition(p, e, start);
    }
    return e;
}

struct expr *parse_expression(struct parser *p)
{
    void *node;
    int start = p->pos;
    if (p->second && memo_find(p, MEMO_EXPRESSION, &node)) {
        return node;
    }
    if (!enter(p)) {
        return NULL;
    }
    if (p->diagnose) {
        diagnose_expression(p);
    }
    node = parse_bare_expression(p);
    leave(p);
    if (p->second) {
        memo_store(p, MEMO_EXPRESSION, start, node);
    }
    return node;
}

struct expr *parse_lambda(struct parser *p)
{
    struct ast_pos start = here(p);
    p->pos++;
    struct arguments *args = parse_parameters(p, TOK_COLON);
    if (args == NULL || !accept(p, TOK_COLON)) {
        return NULL;
    }
    struct expr *body = parse_expression(p);
    struct expr *e = body ? new_expr(p, EXPR_LAMBDA, until_here(p, start)) : NULL;
    if (e != NULL) {
        e->lambda.args = args;
        e->lambda.body = body;
    }
    return e;
}

struct expr *parse_yield(struct parser *p)
{
    struct ast_pos start = here(p);
    p->pos++;
    bool from = accept(p, KW_FROM);
    struct mark before = mark(p);
    struct expr *value = from ? parse_expression(p) : parse_star_expressions(p);
    if (value == NULL) {
        if (from || p->failed) {
            return NULL;
        }
        back(p, before);
    }
    struct expr *e = new_expr(p, from ? EXPR_YIELDFROM : EXPR_YIELD, until_here(p, start));
    if (e != NULL) {
        e->yield.value = value; /* yieldfrom alike */
    }
    return e;
}

struct expr *parse_assignment_expression(struct parser *p)
{
    if (peek(p) != TOK_NAME || peek_at(p, 1) != TOK_COLONEQUAL) {
        return NULL;
    }
    struct ast_pos start = here(p);
    struct expr *target = make_name(p, token_name(p, &p->tokens[p->pos]), start, AST_STORE);
    p->pos += 2;
    struct expr *value = target ? parse_expression(p) : NULL;
    if (value == NULL || check_version(p, 8, "Assignment expressions are") < 0) {
        return NULL;
    }
    struct expr *e = new_expr(p, EXPR_NAMEDEXPR, until_here(p, start));
    if (e != NULL) {
        e->namedexpr.target = target;
        e->namedexpr.value = value;
    }
    return e;
}

struct expr *parse_named_expression(struct parser *p)
{
    if (peek(p) == TOK_NAME && peek_at(p, 1) == TOK_COLONEQUAL) {
        return parse_assignment_expression(p);
    }
    if (p->diagnose) {
        diagnose_named_expression(p);
    }
    struct expr *e = parse_expression(p);
    return e != NULL && peek(p) == TOK_COLONEQUAL ? NULL : e;
}

/* ---- expressions with stars and commas ---- */

static struct expr *parse_starred_bitor(struct parser *p)
{
    struct ast_pos start = here(p);
    p->pos++;
    struct expr *value = parse_bitwise_or(p);
    return value ? make_starred(p, value, until_here(p, start)) : NULL;
}

struct expr *parse_star_expression(struct parser *p)
{
    return peek(p) == TOK_STAR ? parse_starred_bitor(p) : parse_expression(p);
}

struct expr *parse_star_named_expression(struct parser *p)
{
    return peek(p) == TOK_STAR ? parse_starred_bitor(p) : parse_named_expression(p);
}

struct expr *parse_star_expressions(struct parser *p)
{
    peek(p);
    struct ast_pos start = here(p);
    struct expr *first = parse_star_expression(p);
    if (first == NULL || peek(p) != TOK_COMMA) {
        return first;
    }
    size_t base = p->stack_size;
    push(p, first);
    while (accept(p, TOK_COMMA)) {
        struct mark before = mark(p);
        struct expr *next = parse_star_expression(p);
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

struct expr *parse_annotated_rhs(struct parser *p)
{
    return peek(p) == KW_YIELD ? parse_yield(p) : parse_star_expressions(p);
}

/* ---- targets ---- */

static bool elts_are_targets(const struct expr_seq *elts)
{
    for (size_t i = 0; i < elts->len; i++) {
        if (!expr_is_target(elts->items[i], true)) {
            return false;
        }
    }
    return true;
}

/* What may stand left of `=`; with `star_allowed` also `*target`. */
bool expr_is_target(const struct expr *e, bool star_allowed)
{
    switch (e->kind) {
    case EXPR_NAME:
    case EXPR_ATTRIBUTE:
    case EXPR_SUBSCRIPT:
        return true;
    case EXPR_STARRED:
        return star_allowed && expr_is_target(e->starred.value, false);
    case EXPR_TUPLE:
        return elts_are_targets(e->tuple.elts);
    case EXPR_LIST:
        return elts_are_targets(e->list.elts);
    default:
        return false;
    }
}

void expr_set_context(struct expr *e, enum ast_context ctx)
{
    e->ctx = (uint8_t)ctx;
    if (e->kind == EXPR_STARRED) {
        expr_set_context(e->starred.value, ctx);
    } else if (e->kind == EXPR_TUPLE || e->kind == EXPR_LIST) {
        for (size_t i = 0; i < e->tuple.elts->len; i++) {
            expr_set_context(e->tuple.elts->items[i], ctx);
        }
    }
}

struct expr *parse_star_target(struct parser *p)
{
    peek(p);
    struct ast_pos start = here(p);
    bool star = accept(p, TOK_STAR);
    if (star && peek(p) == TOK_STAR) {
        return NULL;
    }
    struct expr *e = parse_primary(p);
    if (e == NULL || !expr_is_target(e, false)) {
        return NULL;
    }
    return star ? make_starred(p, e, until_here(p, start)) : e;
}

/* One target, or several with commas (a tuple); their context is set. */
struct expr *parse_star_targets(struct parser *p)
{
    peek(p);
    struct ast_pos start = here(p);
    struct expr *target = parse_star_target(p);
    if (target == NULL) {
        return NULL;
    }
    if (peek(p) == TOK_COMMA) {
        size_t base = p->stack_size;
        push(p, target);
        while (accept(p, TOK_COMMA)) {
            struct mark before = mark(p);
            struct expr *next = parse_star_target(p);
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
        target = make_sequence(p, EXPR_TUPLE, pop_seq(p, base), pos);
    }
    if (target != NULL && !p->second) {
        expr_set_context(target, AST_STORE); /* nodes of the memo stay as they are */
    }
    return target;
}
