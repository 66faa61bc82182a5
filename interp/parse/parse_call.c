/* Calls and parameters: what stands in the parentheses of a call, a def and a lambda. */

#include "parser.h"

#include <string.h>

/* ---- calls ---- */

/* The arguments of a call while they are read: on the stack pairs of (node, is keyword). */
struct call_args {
    size_t base;
    size_t positional, keywords;
    bool keyword_seen, mapping_seen;
};

static bool push_arg(struct parser *p, struct call_args *args, void *node, bool is_keyword)
{
    if (is_keyword) {
        args->keywords++;
    } else {
        args->positional++;
    }
    return node != NULL && push(p, node) && push(p, is_keyword ? args : NULL);
}

static struct keyword *make_keyword(struct parser *p, PyObject *name, struct expr *value,
                                    struct ast_pos start)
{
    struct keyword *keyword = value ? arena_alloc(p->arena, sizeof(*keyword)) : NULL;
    if (keyword == NULL) {
        return value ? parser_fail(p) : NULL;
    }
    keyword->pos = until_here(p, start);
    keyword->arg = name;
    keyword->value = value;
    return keyword;
}

/* `*x =` or `**x =` */
static void diagnose_unpacking(struct parser *p, struct ast_pos start, const char *what)
{
    if (peek(p) == TOK_EQUAL) {
        p->pos++;
        struct expr *value = parse_expression(p);
        if (value != NULL) {
            syntax_error_range(p, start, value->pos, "cannot assign to %s unpacking", what);
        }
    }
}

static bool parse_starred_arg(struct parser *p, struct call_args *args)
{
    struct ast_pos start = here(p);
    p->pos++;
    struct expr *value = parse_expression(p);
    if (value == NULL) {
        if (p->diagnose && !p->failed) {
            syntax_error_here(p, "Invalid star expression");
        }
        return false;
    }
    struct ast_pos pos = until_here(p, start);
    if (p->diagnose) {
        diagnose_unpacking(p, start, "iterable argument");
    }
    return !p->failed && push_arg(p, args, make_starred(p, value, pos), false);
}

static bool parse_mapping_arg(struct parser *p, struct call_args *args)
{
    struct ast_pos start = here(p);
    p->pos++;
    struct expr *value = parse_expression(p);
    if (value == NULL) {
        return false;
    }
    struct keyword *keyword = make_keyword(p, NULL, value, start);
    if (p->diagnose) {
        diagnose_unpacking(p, start, "keyword argument");
    }
    args->keyword_seen = args->mapping_seen = true;
    return !p->failed && push_arg(p, args, keyword, true);
}

static bool parse_keyword_arg(struct parser *p, struct call_args *args)
{
    struct ast_pos start = here(p);
    PyObject *name = token_name(p, &p->tokens[p->pos]);
    p->pos += 2;
    struct expr *value = name ? parse_expression(p) : NULL;
    args->keyword_seen = true;
    return value != NULL && push_arg(p, args, make_keyword(p, name, value, start), true);
}

static bool parse_arg(struct parser *p, struct call_args *args)
{
    int kind = peek(p);
    if (kind == TOK_STAR) {
        return !args->mapping_seen && parse_starred_arg(p, args);
    }
    if (kind == TOK_DOUBLESTAR) {
        return parse_mapping_arg(p, args);
    }
    if (kind == TOK_NAME && peek_at(p, 1) == TOK_EQUAL) {
        if (p->diagnose) {
            diagnose_keyword_argument(p);
        }
        return !p->failed && parse_keyword_arg(p, args);
    }
    int start = p->pos;
    if (args->keyword_seen) {
        if (p->diagnose) {
            diagnose_keyword_argument(p);
        }
        return false;
    }
    struct expr *value = parse_assignment_expression(p);
    if (value == NULL) {
        p->pos = start;
        value = p->failed ? NULL : parse_expression(p);
    }
    bool positional = value != NULL && peek(p) != TOK_EQUAL && peek(p) != TOK_COLONEQUAL;
    if (!positional) {
        if (p->diagnose && !p->failed) {
            p->pos = start;
            diagnose_keyword_argument(p);
        }
        return false;
    }
    return push_arg(p, args, value, false);
}

/* The longest list of arguments, without a comma behind it. */
static bool parse_args(struct parser *p, struct call_args *args)
{
    if (!parse_arg(p, args)) {
        return false;
    }
    while (peek(p) == TOK_COMMA) {
        struct mark before = mark(p);
        struct call_args so_far = *args;
        p->pos++;
        if (peek(p) == TOK_RPAR || !parse_arg(p, args)) {
            back(p, before);
            *args = so_far;
            break;
        }
    }
    return !p->failed;
}

/* The same for a list in brackets: the comma and the bracket behind it are accepted. */
static bool parse_closed_args(struct parser *p, struct call_args *args)
{
    if (!parse_args(p, args)) {
        return false;
    }
    accept(p, TOK_COMMA);
    return accept(p, TOK_RPAR);
}

static struct expr *make_call(struct parser *p, struct expr *func, const struct call_args *args)
{
    struct expr_seq *values = AST_SEQ_NEW(p->arena, expr_seq, args->positional);
    struct keyword_seq *keywords = AST_SEQ_NEW(p->arena, keyword_seq, args->keywords);
    struct ast_pos pos = until_here(p, func->pos);
    struct expr *call = ast_expr_new(p->arena, EXPR_CALL, &pos);
    if (values == NULL || keywords == NULL || call == NULL) {
        return parser_fail(p);
    }
    size_t value = 0, keyword = 0;
    for (size_t i = args->base; i < p->stack_size; i += 2) {
        if (p->stack[i + 1] != NULL) {
            keywords->items[keyword++] = p->stack[i];
        } else {
            values->items[value++] = p->stack[i];
        }
    }
    p->stack_size = args->base;
    call->call.func = func;
    call->call.args = values;
    call->call.keywords = keywords;
    return call;
}

/* `f(x for x in y)`, with the position behind the element: the generator has the call's brackets. */
static struct expr *finish_genexp_call(struct parser *p, struct expr *func, struct expr *elt,
                                       struct ast_pos start)
{
    struct call_args args = {.base = p->stack_size};
    struct comprehension_seq *generators = parse_for_if_clauses(p);
    if (generators == NULL || !accept(p, TOK_RPAR)) {
        return NULL;
    }
    struct ast_pos pos = until_here(p, start);
    struct expr *genexp = ast_expr_new(p->arena, EXPR_GENERATOREXP, &pos);
    if (genexp == NULL) {
        return parser_fail(p);
    }
    genexp->generatorexp.elt = elt;
    genexp->generatorexp.generators = generators;
    return push_arg(p, &args, genexp, false) ? make_call(p, func, &args) : NULL;
}

static struct expr *diagnose_call(struct parser *p, struct expr *func)
{
    int start = p->pos;
    struct call_args args = {.base = p->stack_size};
    struct expr *genexp = parse_genexp(p);
    if (genexp != NULL) {
        p->stack_size = args.base;
        return push_arg(p, &args, genexp, false) ? make_call(p, func, &args) : NULL;
    }
    p->pos = start;
    p->stack_size = args.base;
    if (!p->failed) {
        diagnose_comprehension(p);
    }
    p->pos = start + 1;
    if (accept(p, TOK_RPAR)) {
        return make_call(p, func, &args);
    }
    if (!p->failed && parse_closed_args(p, &args)) {
        return make_call(p, func, &args);
    }
    p->pos = start + 1;
    p->stack_size = args.base;
    if (!p->failed) {
        diagnose_arguments(p);
    }
    return NULL;
}

struct expr *parse_call(struct parser *p, struct expr *func)
{
    if (p->diagnose) {
        return diagnose_call(p, func);
    }
    struct ast_pos start = here(p);
    struct call_args args = {.base = p->stack_size};
    p->pos++;
    if (accept(p, TOK_RPAR)) {
        return make_call(p, func, &args);
    }
    if (parse_closed_args(p, &args)) {
        return make_call(p, func, &args);
    }
    if (p->failed || p->stack_size == args.base) {
        return NULL;
    }
    if (args.positional == 1 && args.keywords == 0 && last(p)->kind != TOK_COMMA
        && at_comprehension(p)) {
        struct expr *elt = p->stack[args.base];
        p->stack_size = args.base;
        return elt->kind == EXPR_STARRED ? NULL : finish_genexp_call(p, func, elt, start);
    }
    return NULL;
}

/* The bases and keywords of a class, at the '('. */
bool parse_class_arguments(struct parser *p, struct expr_seq **bases, struct keyword_seq **keywords)
{
    struct call_args args = {.base = p->stack_size};
    struct expr nobody = {.kind = EXPR_NAME, .pos = here(p)};
    int start = ++p->pos;
    if (!accept(p, TOK_RPAR) && !parse_closed_args(p, &args)) {
        p->pos = start;
        p->stack_size = args.base;
        if (p->diagnose && !p->failed) {
            diagnose_arguments(p);
        }
        return false;
    }
    struct expr *call = make_call(p, &nobody, &args);
    if (call == NULL) {
        return false;
    }
    *bases = call->call.args;
    *keywords = call->call.keywords;
    return true;
}

/* For the second pass: the longest list of arguments. */
bool parse_argument_list(struct parser *p, struct argument_list *list)
{
    struct call_args args = {.base = p->stack_size};
    bool good = parse_args(p, &args);
    list->positional = args.positional;
    list->last_positional = NULL;
    list->mapping = args.mapping_seen;
    for (size_t i = args.base; good && i < p->stack_size; i += 2) {
        if (p->stack[i + 1] == NULL) {
            list->last_positional = p->stack[i];
        }
    }
    p->stack_size = args.base;
    return good;
}

/* ---- parameters ---- */

struct parameters {
    size_t base;                       /* pairs of (arg, default or NULL) on the stack */
    size_t posonly, positional, count; /* up to '/', up to '*', all */
    size_t defaults;                   /* of the positional ones */
    struct arg *vararg, *kwarg;
    bool slash, star;
};

static struct arg *make_arg(struct parser *p, const struct token *name, struct expr *annotation)
{
    struct arg *arg = arena_alloc(p->arena, sizeof(*arg));
    if (arg == NULL) {
        return parser_fail(p);
    }
    struct ast_pos start = token_pos(name);
    arg->arg = token_name(p, name);
    arg->annotation = annotation;
    arg->type_comment = NULL;
    arg->pos = until_here(p, start);
    return arg->arg ? arg : NULL;
}

/* NAME [: annotation]; `star`: the annotation may be starred. */
static struct arg *parse_param(struct parser *p, bool annotated, bool star)
{
    int name = p->pos;
    struct expr *annotation = NULL;
    if (!accept(p, TOK_NAME)) {
        return NULL;
    }
    if (annotated && accept(p, TOK_COLON)) {
        annotation = star ? parse_star_expression(p) : parse_expression(p);
        if (annotation == NULL) {
            return NULL;
        }
    }
    return make_arg(p, &p->tokens[name], annotation);
}

/* What follows a parameter: a comma or the end, and a type comment. */
static bool end_param(struct parser *p, int close, struct arg *arg)
{
    bool comma = accept(p, TOK_COMMA);
    if (close == TOK_RPAR && peek(p) == TOK_TYPE_COMMENT && arg != NULL) {
        p->pos++;
        arg->type_comment = token_string(p, last(p));
        if (arg->type_comment == NULL) {
            return false;
        }
    }
    return comma || peek(p) == close;
}

static bool parse_plain_param(struct parser *p, int close, struct parameters *params)
{
    struct arg *arg = parse_param(p, close == TOK_RPAR, false);
    struct expr *value = NULL;
    if (arg == NULL) {
        return false;
    }
    if (accept(p, TOK_EQUAL)) {
        value = parse_expression(p);
        if (value == NULL) {
            return false;
        }
    }
    if (!params->star) {
        if (value == NULL && params->defaults > 0) {
            return false;
        }
        params->defaults += value != NULL;
        params->positional++;
    }
    params->count++;
    return push(p, arg) && push(p, value) && end_param(p, close, arg);
}

static bool parse_star_param(struct parser *p, int close, struct parameters *params)
{
    p->pos++;
    if (params->star) {
        return false;
    }
    params->star = true;
    if (accept(p, TOK_COMMA)) {
        return peek(p) == TOK_NAME; /* keyword-only parameters must follow */
    }
    params->vararg = parse_param(p, close == TOK_RPAR, true);
    return params->vararg != NULL && end_param(p, close, params->vararg);
}

static bool parse_slash(struct parser *p, int close, struct parameters *params)
{
    p->pos++;
    if (params->slash || params->star || params->count == 0) {
        return false;
    }
    params->slash = true;
    params->posonly = params->positional;
    if (check_version(p, 8, "Positional-only parameters are") < 0) {
        return false;
    }
    return accept(p, TOK_COMMA) || peek(p) == close;
}

static bool parse_kwarg(struct parser *p, int close, struct parameters *params)
{
    p->pos++;
    params->kwarg = parse_param(p, close == TOK_RPAR, false);
    return params->kwarg != NULL && end_param(p, close, params->kwarg) && peek(p) == close;
}

static struct arg_seq *collect_args(struct parser *p, size_t base, size_t from, size_t to)
{
    struct arg_seq *seq = AST_SEQ_NEW(p->arena, arg_seq, to - from);
    for (size_t i = from; seq != NULL && i < to; i++) {
        seq->items[i - from] = p->stack[base + 2 * i];
    }
    return seq;
}

static struct expr_seq *collect_defaults(struct parser *p, size_t base, size_t from, size_t to)
{
    struct expr_seq *seq = AST_SEQ_NEW(p->arena, expr_seq, to - from);
    for (size_t i = from; seq != NULL && i < to; i++) {
        seq->items[i - from] = p->stack[base + 2 * i + 1];
    }
    return seq;
}

static struct arguments *make_arguments(struct parser *p, const struct parameters *params)
{
    struct arguments *a = arena_alloc(p->arena, sizeof(*a));
    if (a == NULL) {
        return parser_fail(p);
    }
    size_t base = params->base, positional = params->positional;
    a->posonlyargs = collect_args(p, base, 0, params->posonly);
    a->args = collect_args(p, base, params->posonly, positional);
    a->kwonlyargs = collect_args(p, base, positional, params->count);
    a->defaults = collect_defaults(p, base, positional - params->defaults, positional);
    a->kw_defaults = collect_defaults(p, base, positional, params->count);
    a->vararg = params->vararg;
    a->kwarg = params->kwarg;
    p->stack_size = base;
    if (!a->posonlyargs || !a->args || !a->kwonlyargs || !a->defaults || !a->kw_defaults) {
        return parser_fail(p);
    }
    return a;
}

struct arguments *parse_parameters(struct parser *p, int close)
{
    struct parameters params = {.base = p->stack_size};
    if (p->diagnose) {
        struct mark start = mark(p);
        diagnose_parameters(p, close);
        back(p, start);
    }
    while (peek(p) != close) {
        bool good;
        switch (peek(p)) {
        case TOK_NAME:
            good = parse_plain_param(p, close, &params);
            break;
        case TOK_STAR:
            good = parse_star_param(p, close, &params);
            break;
        case TOK_DOUBLESTAR:
            good = parse_kwarg(p, close, &params);
            break;
        case TOK_SLASH:
            good = parse_slash(p, close, &params);
            break;
        default:
            good = false;
            break;
        }
        if (!good || p->failed) {
            p->stack_size = params.base;
            return NULL;
        }
    }
    return make_arguments(p, &params);
}

struct arguments *empty_parameters(struct parser *p)
{
    struct parameters params = {.base = p->stack_size};
    return make_arguments(p, &params);
}
