/* Compound statements: those with blocks. */

#include "parser.h"

/* ---- blocks ---- */

static bool starts_compound(struct parser *p)
{
    switch (peek(p)) {
    case KW_IF:
    case KW_FOR:
    case KW_DEF:
    case KW_CLASS:
    case KW_WHILE:
    case KW_WITH:
    case KW_TRY:
    case KW_ASYNC:
    case TOK_AT:
        return true;
    default:
        return false;
    }
}

bool parse_statement(struct parser *p)
{
    if (starts_compound(p) || at_soft_keyword(p, "match")) {
        struct stmt *s = parse_compound(p);
        if (s != NULL) {
            return push(p, s);
        }
        if (p->failed || peek(p) != TOK_NAME) {
            return false; /* but a name called `match` may begin a simple statement */
        }
    }
    return parse_simple_statements(p);
}

static struct stmt_seq *parse_block_new(struct parser *p)
{
    size_t base = p->stack_size;
    if (peek(p) != TOK_NEWLINE) {
        return parse_simple_statements(p) ? pop_seq(p, base) : NULL;
    }
    p->pos++;
    if (!accept(p, TOK_INDENT)) {
        if (p->diagnose && !p->failed) {
            raise_here(p, PyExc_IndentationError, "expected an indented block");
        }
        return NULL;
    }
    do {
        if (!parse_statement(p)) {
            return NULL;
        }
        if (peek(p) == TOK_ENDMARKER) {
            break; /* single mode with PyCF_DONT_IMPLY_DEDENT */
        }
    } while (peek(p) != TOK_DEDENT && !p->failed);
    return accept(p, TOK_DEDENT) ? pop_seq(p, base) : NULL;
}

struct stmt_seq *parse_block(struct parser *p)
{
    if (!enter(p)) {
        return NULL;
    }
    struct stmt_seq *block;
    void *node;
    int start = p->pos;
    if (!p->second) {
        block = parse_block_new(p);
    } else if (memo_find(p, MEMO_BLOCK, &node)) {
        block = node;
    } else {
        block = parse_block_new(p);
        memo_store(p, MEMO_BLOCK, start, block);
    }
    leave(p);
    return block;
}

struct stmt_seq *parse_block_of(struct parser *p, const char *what, int line)
{
    if (p->diagnose && peek(p) == TOK_NEWLINE && peek_at(p, 1) != TOK_INDENT && !p->failed) {
        return raise_here(p, PyExc_IndentationError,
                          "expected an indented block after %s on line "
                          "%d",
                          what, line);
    }
    return parse_block(p);
}

struct stmt_seq *parse_colon_block(struct parser *p, const char *what, int line)
{
    if (!accept(p, TOK_COLON)) {
        if (p->diagnose && peek(p) == TOK_NEWLINE) {
            syntax_error_here(p, "expected ':'");
        }
        return NULL;
    }
    return parse_block_of(p, what, line);
}

/* The same where nothing else than the colon can stand. */
static struct stmt_seq *parse_forced_block(struct parser *p, const char *what, int line)
{
    return expect_forced(p, TOK_COLON, "':'") ? parse_block_of(p, what, line) : NULL;
}

/* [else: block] */
static struct stmt_seq *parse_else(struct parser *p)
{
    if (!accept(p, KW_ELSE)) {
        return p->failed ? NULL : pop_seq(p, p->stack_size);
    }
    return parse_forced_block(p, "'else' statement", last(p)->line);
}

/* ---- if, while, for ---- */

static struct stmt *make_if(struct parser *p, struct ast_pos start, struct expr *test,
                            struct stmt_seq *body)
{
    struct stmt *s = make_stmt(p, STMT_IF, start);
    if (s != NULL) {
        s->if_.test = test;
        s->if_.body = body;
    }
    return s;
}

/* if and elif are a chain: read in a loop, then tied together from the end. */
static struct stmt *parse_if(struct parser *p)
{
    size_t base = p->stack_size;
    const char *what = "'if' statement";
    do {
        struct ast_pos start = here(p);
        p->pos++;
        struct expr *test = parse_named_expression(p);
        struct stmt_seq *body = test ? parse_colon_block(p, what, start.line) : NULL;
        struct stmt *s = body ? make_if(p, start, test, body) : NULL;
        if (s == NULL) {
            return NULL;
        }
        push(p, s);
        what = "'elif' statement";
    } while (peek(p) == KW_ELIF);

    struct stmt_seq *orelse = parse_else(p);
    while (orelse != NULL && !p->failed) {
        struct stmt *s = p->stack[--p->stack_size];
        s->if_.orelse = orelse;
        s->pos = until_line_end(p, s->pos);
        if (p->stack_size == base) {
            return s;
        }
        orelse = seq_of_one(p, s);
    }
    return NULL;
}

static struct stmt *parse_while(struct parser *p)
{
    struct ast_pos start = here(p);
    p->pos++;
    struct expr *test = parse_named_expression(p);
    struct stmt_seq *body = test ? parse_colon_block(p, "'while' statement", start.line) : NULL;
    struct stmt_seq *orelse = body ? parse_else(p) : NULL;
    struct stmt *s = orelse ? make_stmt(p, STMT_WHILE, start) : NULL;
    if (s != NULL) {
        s->while_.test = test;
        s->while_.body = body;
        s->while_.orelse = orelse;
    }
    return s;
}

static struct stmt *parse_for(struct parser *p, struct ast_pos start, bool is_async)
{
    int line = here(p).line;
    p->pos++;
    int first = p->pos;
    struct expr *target = parse_star_targets(p);
    if (target == NULL || !accept(p, KW_IN)) {
        if (p->diagnose && !p->failed) {
            p->pos = first;
            struct expr *e = parse_star_expressions(p);
            if (e != NULL) {
                diagnose_target_list(p, e, KW_FOR);
            }
        }
        return NULL;
    }
    struct expr *iter = parse_star_expressions(p);
    if (iter == NULL) {
        return NULL;
    }
    if (!accept(p, TOK_COLON)) {
        if (p->diagnose && peek(p) == TOK_NEWLINE) {
            syntax_error_here(p, "expected ':'");
        }
        return NULL;
    }
    PyObject *type_comment = accept_type_comment(p);
    struct stmt_seq *body = parse_block_of(p, "'for' statement", line);
    struct stmt_seq *orelse = body ? parse_else(p) : NULL;
    if (orelse == NULL || (is_async && check_version(p, 5, "Async for loops are") < 0)) {
        return NULL;
    }
    struct stmt *s = make_stmt(p, is_async ? STMT_ASYNCFOR : STMT_FOR, start);
    if (s != NULL) {
        s->for_.target = target;
        s->for_.iter = iter;
        s->for_.body = body;
        s->for_.orelse = orelse;
        s->for_.type_comment = type_comment;
    }
    return s;
}

/* ---- with ---- */

static struct withitem *parse_with_item(struct parser *p)
{
    struct expr *context = parse_expression(p), *vars = NULL;
    if (context == NULL) {
        return NULL;
    }
    if (peek(p) == KW_AS) {
        struct mark before = mark(p);
        p->pos++;
        int first = p->pos;
        vars = parse_star_target(p);
        int kind = peek(p);
        if (vars == NULL || (kind != TOK_COMMA && kind != TOK_RPAR && kind != TOK_COLON)) {
            vars = NULL;
            if (p->diagnose && !p->failed) {
                p->pos = first;
                struct expr *e = parse_expression(p);
                kind = e ? peek(p) : 0;
                if (kind == TOK_COMMA || kind == TOK_RPAR || kind == TOK_COLON) {
                    diagnose_target_list(p, e, KW_WITH);
                }
            }
            back(p, before);
        } else if (!p->second) {
            expr_set_context(vars, AST_STORE);
        }
    }
    struct withitem *item = p->failed ? NULL : arena_alloc(p->arena, sizeof(*item));
    if (item == NULL) {
        return parser_fail(p);
    }
    item->context_expr = context;
    item->optional_vars = vars;
    return item;
}

/* Items up to `:`, which is accepted; with parentheses or without. */
static struct withitem_seq *parse_with_items(struct parser *p, bool paren)
{
    size_t base = p->stack_size;
    if (paren && !accept(p, TOK_LPAR)) {
        return NULL;
    }
    do {
        if (paren && p->stack_size > base && peek(p) == TOK_RPAR) {
            break;
        }
        struct withitem *item = parse_with_item(p);
        if (item == NULL) {
            return NULL;
        }
        push(p, item);
    } while (accept(p, TOK_COMMA));
    if ((paren && !accept(p, TOK_RPAR)) || !accept(p, TOK_COLON)) {
        return NULL;
    }
    return pop_seq(p, base);
}

/* with item [as target], ... without its colon */
static void diagnose_with(struct parser *p)
{
    struct mark start = mark(p);
    for (int paren = 0; paren <= 1 && !p->failed; paren++) {
        back(p, start);
        if (paren && !accept(p, TOK_LPAR)) {
            break;
        }
        struct expr *e = NULL;
        do {
            if (paren && peek(p) == TOK_RPAR) {
                break;
            }
            e = parse_expression(p);
            if (e != NULL && peek(p) == KW_AS) {
                struct mark before = mark(p);
                p->pos++;
                if (parse_star_target(p) == NULL) {
                    back(p, before);
                }
            }
        } while (e != NULL && accept(p, TOK_COMMA));
        if (e != NULL && (!paren || accept(p, TOK_RPAR)) && peek(p) == TOK_NEWLINE) {
            syntax_error_here(p, "expected ':'");
        }
    }
    back(p, start);
}

static struct stmt *parse_with(struct parser *p, struct ast_pos start, bool is_async)
{
    int line = here(p).line;
    p->pos++;
    struct mark items_start = mark(p);
    struct withitem_seq *items = NULL;
    if (peek(p) == TOK_LPAR) {
        items = parse_with_items(p, true);
    }
    if (items == NULL && !p->failed) {
        back(p, items_start);
        items = parse_with_items(p, false);
    }
    if (items == NULL) {
        if (p->diagnose && !p->failed) {
            back(p, items_start);
            diagnose_with(p);
        }
        return NULL;
    }
    PyObject *type_comment = accept_type_comment(p);
    struct stmt_seq *body = parse_block_of(p, "'with' statement", line);
    if (body == NULL || (is_async && check_version(p, 5, "Async with statements are") < 0)) {
        return NULL;
    }
    struct stmt *s = make_stmt(p, is_async ? STMT_ASYNCWITH : STMT_WITH, start);
    if (s != NULL) {
        s->with.items = items;
        s->with.body = body;
        s->with.type_comment = type_comment;
    }
    return s;
}

/* ---- try ---- */

/* [as NAME] */
static void skip_as_name(struct parser *p)
{
    struct mark before = mark(p);
    if (accept(p, KW_AS) && !accept(p, TOK_NAME)) {
        back(p, before);
    }
}

/* except a, b: */
static void diagnose_except(struct parser *p, struct mark start)
{
    bool star = accept(p, TOK_STAR);
    struct expr *first = parse_expression(p);
    if (first != NULL) {
        struct mark after = mark(p);
        if (accept(p, TOK_COMMA) && parse_star_expressions(p) != NULL) {
            skip_as_name(p);
            if (accept(p, TOK_COLON)) {
                syntax_error_from(p, first->pos, "multiple exception types must be parenthesized");
            }
        }
        back(p, after);
        skip_as_name(p);
        if (peek(p) == TOK_NEWLINE) {
            syntax_error_here(p, "expected ':'");
        }
    } else if (!p->failed) {
        back(p, start);
        star = accept(p, TOK_STAR);
        int kind = peek(p);
        if (!star && kind == TOK_NEWLINE) {
            syntax_error_here(p, "expected ':'");
        } else if (star && (kind == TOK_NEWLINE || kind == TOK_COLON)) {
            syntax_error_here(p, "expected one or more exception types");
        }
    }
    back(p, start);
}

/* One except clause; *star says of which sort it is, and has to be as it was unless it is the first. */
static struct handler *parse_except(struct parser *p, bool first, bool *star)
{
    struct ast_pos start = here(p);
    p->pos++;
    struct mark inside = mark(p);
    bool this_star = accept(p, TOK_STAR);
    if (!first && this_star != *star) {
        if (p->diagnose && !p->failed) {
            back(p, inside);
            diagnose_except(p, inside);
        }
        return NULL;
    }
    *star = this_star;
    struct expr *type = NULL;
    PyObject *name = NULL;
    bool good = true;
    if (*star || peek(p) != TOK_COLON) {
        type = parse_expression(p);
        good = type != NULL;
        if (good && accept(p, KW_AS)) {
            name = accept_name(p);
            good = name != NULL;
        }
    }
    if (!good || !accept(p, TOK_COLON)) {
        if (p->diagnose && !p->failed) {
            back(p, inside);
            diagnose_except(p, inside);
        }
        return NULL;
    }
    struct stmt_seq *body =
        parse_block_of(p, *star ? "'except*' statement" : "'except' statement", start.line);
    struct handler *handler = body ? arena_alloc(p->arena, sizeof(*handler)) : NULL;
    if (handler == NULL) {
        return body ? parser_fail(p) : NULL;
    }
    *handler = (struct handler){until_line_end(p, start), type, name, body};
    return handler;
}

/* `except*` behind `except`, or the other way round */
static void diagnose_mixed_except(struct parser *p, bool star)
{
    struct ast_pos start = here(p);
    p->pos++;
    bool this_star = accept(p, TOK_STAR);
    if (this_star == star || p->failed) {
        return;
    }
    start = until_here(p, start);
    if (this_star || peek(p) != TOK_COLON) {
        if (parse_expression(p) == NULL) {
            return;
        }
        skip_as_name(p);
    }
    if (accept(p, TOK_COLON)) {
        syntax_error(p, start, "cannot have both 'except' and 'except*' on the same 'try'");
    }
}

/* The clauses behind `try: block`; *star says of which sort they are. */
static struct handler_seq *parse_handlers(struct parser *p, bool *star)
{
    size_t base = p->stack_size;
    while (peek(p) == KW_EXCEPT) {
        struct mark before = mark(p);
        if (p->diagnose && p->stack_size > base) {
            diagnose_mixed_except(p, *star);
            back(p, before);
        }
        struct handler *handler = parse_except(p, p->stack_size == base, star);
        if (handler == NULL) {
            return NULL;
        }
        push(p, handler);
    }
    return p->failed ? NULL : pop_seq(p, base);
}

static struct stmt *parse_try(struct parser *p)
{
    struct ast_pos start = here(p);
    p->pos++;
    struct stmt_seq *body = parse_forced_block(p, "'try' statement", start.line);
    if (body == NULL) {
        return NULL;
    }
    bool star = false;
    struct handler_seq *handlers = parse_handlers(p, &star);
    if (handlers == NULL) {
        return NULL;
    }
    struct stmt_seq *orelse = pop_seq(p, p->stack_size), *finalbody = orelse;
    if (handlers->len > 0) {
        orelse = parse_else(p);
    }
    if (orelse != NULL && accept(p, KW_FINALLY)) {
        finalbody = parse_forced_block(p, "'finally' statement", last(p)->line);
    }
    if (orelse == NULL || finalbody == NULL || p->failed) {
        return NULL;
    }
    if (handlers->len == 0 && finalbody->len == 0) {
        if (p->diagnose) {
            syntax_error_here(p, "expected 'except' or 'finally' block");
        }
        return NULL;
    }
    if (star && check_version(p, 11, "Exception groups are") < 0) {
        return NULL;
    }
    struct stmt *s = make_stmt(p, star ? STMT_TRYSTAR : STMT_TRY, start);
    if (s != NULL) {
        s->try_.body = body;
        s->try_.handlers = handlers;
        s->try_.orelse = orelse;
        s->try_.finalbody = finalbody;
    }
    return s;
}

/* ---- def and class ---- */

/* A type comment behind the colon, or alone on the first line of the block. */
static PyObject *parse_func_type_comment(struct parser *p)
{
    if (peek(p) == TOK_TYPE_COMMENT && p->diagnose && peek_at(p, 1) == TOK_NEWLINE
        && peek_at(p, 2) == TOK_TYPE_COMMENT && peek_at(p, 3) == TOK_NEWLINE
        && peek_at(p, 4) == TOK_INDENT) {
        return syntax_error_here(p, "Cannot have two type comments on def");
    }
    if (p->tok.type_comments && peek(p) == TOK_NEWLINE && peek_at(p, 1) == TOK_TYPE_COMMENT
        && peek_at(p, 2) == TOK_NEWLINE && peek_at(p, 3) == TOK_INDENT) {
        p->pos += 2;
        return token_string(p, last(p));
    }
    return accept_type_comment(p);
}

static struct stmt *parse_def(struct parser *p, struct ast_pos start, struct expr_seq *decorators,
                              bool is_async)
{
    int line = here(p).line;
    p->pos++;
    PyObject *name = accept_name(p);
    struct typeparam_seq *type_params = name ? parse_type_params(p) : NULL;
    if (type_params == NULL || !expect_forced(p, TOK_LPAR, "'('")) {
        return NULL;
    }
    struct arguments *args = parse_parameters(p, TOK_RPAR);
    if (args == NULL || !accept(p, TOK_RPAR)) {
        return NULL;
    }
    struct expr *returns = NULL;
    if (peek(p) == TOK_RARROW) {
        struct mark before = mark(p);
        p->pos++;
        returns = parse_expression(p);
        if (returns == NULL) {
            back(p, before);
        }
    }
    if (!expect_forced(p, TOK_COLON, "':'")) {
        return NULL;
    }
    PyObject *type_comment = parse_func_type_comment(p);
    struct stmt_seq *body = parse_block_of(p, "function definition", line);
    if (body == NULL || (is_async && check_version(p, 5, "Async functions are") < 0)) {
        return NULL;
    }
    struct stmt *s = make_stmt(p, is_async ? STMT_ASYNCFUNCTIONDEF : STMT_FUNCTIONDEF, start);
    if (s != NULL) {
        s->functiondef.name = name;
        s->functiondef.args = args;
        s->functiondef.body = body;
        s->functiondef.decorator_list = decorators;
        s->functiondef.returns = returns;
        s->functiondef.type_comment = type_comment;
        s->functiondef.type_params = type_params;
    }
    return s;
}

static struct stmt *parse_class(struct parser *p, struct expr_seq *decorators)
{
    struct ast_pos start = here(p);
    p->pos++;
    PyObject *name = accept_name(p);
    struct typeparam_seq *type_params = name ? parse_type_params(p) : NULL;
    if (type_params == NULL) {
        return NULL;
    }
    struct expr_seq *bases = pop_seq(p, p->stack_size);
    struct keyword_seq *keywords = pop_seq(p, p->stack_size);
    if (peek(p) == TOK_LPAR && !parse_class_arguments(p, &bases, &keywords)) {
        return NULL;
    }
    struct stmt_seq *body = p->failed ? NULL : parse_colon_block(p, "class definition", start.line);
    struct stmt *s = body ? make_stmt(p, STMT_CLASSDEF, start) : NULL;
    if (s != NULL) {
        s->classdef.name = name;
        s->classdef.bases = bases;
        s->classdef.keywords = keywords;
        s->classdef.body = body;
        s->classdef.decorator_list = decorators;
        s->classdef.type_params = type_params;
    }
    return s;
}

static struct stmt *parse_decorated(struct parser *p)
{
    size_t base = p->stack_size;
    while (accept(p, TOK_AT)) {
        struct expr *decorator = parse_named_expression(p);
        if (decorator == NULL || !accept(p, TOK_NEWLINE)) {
            return NULL;
        }
        push(p, decorator);
    }
    struct expr_seq *decorators = pop_seq(p, base);
    if (decorators == NULL) {
        return NULL;
    }
    int kind = peek(p);
    struct ast_pos start = here(p);
    if (kind == KW_CLASS) {
        return parse_class(p, decorators);
    }
    bool is_async = kind == KW_ASYNC && peek_at(p, 1) == KW_DEF;
    p->pos += is_async;
    return is_async || kind == KW_DEF ? parse_def(p, start, decorators, is_async) : NULL;
}

static struct stmt *parse_async(struct parser *p)
{
    struct ast_pos start = here(p);
    p->pos++;
    switch (peek(p)) {
    case KW_DEF:
        return parse_def(p, start, pop_seq(p, p->stack_size), true);
    case KW_WITH:
        return parse_with(p, start, true);
    case KW_FOR:
        return parse_for(p, start, true);
    default:
        return NULL;
    }
}

struct stmt *parse_compound(struct parser *p)
{
    int kind = peek(p);
    struct ast_pos start = here(p);
    struct mark before = mark(p);
    struct stmt *s;
    switch (kind) {
    case KW_IF:
        s = parse_if(p);
        break;
    case KW_FOR:
        s = parse_for(p, start, false);
        break;
    case KW_DEF:
        s = parse_def(p, start, pop_seq(p, p->stack_size), false);
        break;
    case KW_CLASS:
        s = parse_class(p, pop_seq(p, p->stack_size));
        break;
    case KW_WHILE:
        s = parse_while(p);
        break;
    case KW_WITH:
        s = parse_with(p, start, false);
        break;
    case KW_TRY:
        s = parse_try(p);
        break;
    case KW_ASYNC:
        s = parse_async(p);
        break;
    case TOK_AT:
        s = parse_decorated(p);
        break;
    default:
        s = at_soft_keyword(p, "match") ? parse_match(p) : NULL;
        break;
    }
    if (s == NULL) {
        back(p, before);
    }
    return p->failed ? NULL : s;
}
