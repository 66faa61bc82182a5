/* The second pass: what is wrong with arguments and parameters. */

#include "parser.h"

/* ---- arguments ---- */

void diagnose_keyword_argument(struct parser *p)
{
    struct mark start = mark(p);
    int kind = peek(p);
    struct ast_pos name = here(p);
    if ((kind == KW_TRUE || kind == KW_FALSE || kind == KW_NONE) && peek_at(p, 1) == TOK_EQUAL) {
        p->pos++;
        syntax_error_range(p, name, here(p), "cannot assign to %s",
                           kind == KW_TRUE    ? "True"
                           : kind == KW_FALSE ? "False"
                                              : "None");
        return;
    }
    if (kind == TOK_NAME && peek_at(p, 1) == TOK_EQUAL) {
        p->pos++;
        struct ast_pos equal = here(p);
        p->pos++;
        if (parse_expression(p) != NULL && parse_for_if_clauses(p) != NULL) {
            syntax_error_range(p, name, equal,
                               "invalid syntax. Maybe you meant '==' or ':=' instead of '='?");
        }
        back(p, start);
        return;
    }
    struct expr *e = parse_expression(p);
    if (e != NULL && peek(p) == TOK_EQUAL) {
        syntax_error_range(p, e->pos, here(p),
                           "expression cannot contain assignment, perhaps you "
                           "meant \"==\"?");
    }
    back(p, start);
}

/* Where the last part of a comprehension ends. */
static struct ast_pos comprehension_end(const struct comprehension_seq *seq)
{
    const struct comprehension *clause = seq->items[seq->len - 1];
    return clause->ifs->len > 0 ? clause->ifs->items[clause->ifs->len - 1]->pos : clause->iter->pos;
}

static const char must_parenthesize[] = "Generator expression must be parenthesized";

/* f(**a, *b) */
static void diagnose_star_after_mapping(struct parser *p)
{
    struct argument_list list;
    if (!parse_argument_list(p, &list) || !list.mapping || peek(p) != TOK_COMMA) {
        return;
    }
    struct ast_pos comma = here(p);
    p->pos++;
    struct ast_pos end = comma;
    while (accept(p, TOK_STAR)) {
        struct expr *value = parse_expression(p);
        if (value == NULL || peek(p) == TOK_EQUAL) {
            return;
        }
        end = value->pos;
        if (peek(p) != TOK_COMMA || peek_at(p, 1) != TOK_STAR) {
            syntax_error_from(p, comma,
                              "iterable argument unpacking follows keyword argument "
                              "unpacking");
            return;
        }
        p->pos++;
    }
    (void)end;
}

/* f(x for x in y, z) */
static void diagnose_first_genexp(struct parser *p)
{
    struct expr *a = parse_expression(p);
    struct comprehension_seq *b = a ? parse_for_if_clauses(p) : NULL;
    if (b != NULL && accept(p, TOK_COMMA)) {
        struct argument_list list;
        parse_argument_list(p, &list);
        syntax_error_range(p, a->pos, comprehension_end(b), must_parenthesize);
    }
}

/* f(a=x for x in y) */
static void diagnose_named_genexp(struct parser *p)
{
    if (peek(p) == TOK_NAME && peek_at(p, 1) == TOK_EQUAL) {
        diagnose_keyword_argument(p);
    }
}

static bool at_empty_value(struct parser *p)
{
    return peek(p) == TOK_NAME && peek_at(p, 1) == TOK_EQUAL
           && (peek_at(p, 2) == TOK_COMMA || peek_at(p, 2) == TOK_RPAR);
}

/* f(a=) */
static void diagnose_empty_value(struct parser *p)
{
    struct argument_list list;
    struct mark start = mark(p);
    if (!parse_argument_list(p, &list) || !accept(p, TOK_COMMA) || !at_empty_value(p)) {
        back(p, start);
    }
    if (!p->failed && at_empty_value(p)) {
        struct ast_pos name = here(p);
        p->pos++;
        syntax_error_range(p, name, here(p), "expected argument value expression");
    }
}

/* f(a, x for x in y) */
static void diagnose_later_genexp(struct parser *p)
{
    struct argument_list list;
    struct mark start = mark(p);
    if (!parse_argument_list(p, &list)) {
        return;
    }
    struct comprehension_seq *b = parse_for_if_clauses(p);
    if (b != NULL && list.positional > 1) {
        syntax_error_range(p, list.last_positional->pos, comprehension_end(b), must_parenthesize);
    }
    back(p, start);
    if (p->failed || !parse_argument_list(p, &list) || !accept(p, TOK_COMMA)) {
        return;
    }
    struct expr *a = parse_expression(p);
    b = a ? parse_for_if_clauses(p) : NULL;
    if (b != NULL) {
        syntax_error_range(p, a->pos, b->items[b->len - 1]->target->pos, must_parenthesize);
    }
}

/* f(a=1, b) */
static void diagnose_order(struct parser *p)
{
    struct argument_list first, second;
    if (parse_argument_list(p, &first) && accept(p, TOK_COMMA) && parse_argument_list(p, &second)) {
        syntax_error_here(p, first.mapping
                                 ? "positional argument follows keyword argument unpacking"
                                 : "positional argument follows keyword argument");
    }
}

void diagnose_arguments(struct parser *p)
{
    static void (*const questions[])(struct parser *) = {
        diagnose_star_after_mapping, diagnose_first_genexp, diagnose_named_genexp,
        diagnose_empty_value,        diagnose_later_genexp, diagnose_order,
    };
    struct mark start = mark(p);
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]) && !p->failed; i++) {
        questions[i](p);
        back(p, start);
    }
}

/* ---- parameters ---- */

struct scan {
    int close;
    int count; /* parameters so far, before a star */
    bool defaults, slash, star, slash_last;
};

static bool skip_annotation(struct parser *p, const struct scan *scan)
{
    if (scan->close == TOK_RPAR && accept(p, TOK_COLON)) {
        return parse_star_expression(p) != NULL;
    }
    return true;
}

static void diagnose_missing_default(struct parser *p)
{
    /* at the '=' */
    int kind = peek_at(p, 1);
    if (kind == TOK_COMMA || kind == TOK_RPAR) {
        syntax_error(p, here(p), "expected default value expression");
    }
}

static bool scan_name(struct parser *p, struct scan *scan)
{
    struct ast_pos name = here(p);
    p->pos++;
    if (!skip_annotation(p, scan)) {
        return false;
    }
    struct ast_pos pos = until_here(p, name);
    if (peek(p) == TOK_EQUAL) {
        diagnose_missing_default(p);
        p->pos++;
        if (p->failed || parse_expression(p) == NULL) {
            return false;
        }
        scan->defaults |= !scan->star;
    } else if (scan->defaults && !scan->star && (peek(p) == TOK_COMMA || peek(p) == scan->close)) {
        peek_at(p, peek(p) == TOK_COMMA); /* a type comment might follow */
        syntax_error(p, pos, "parameter without a default follows parameter with a default");
    }
    scan->count++;
    return true;
}

static bool scan_slash(struct parser *p, struct scan *scan)
{
    struct ast_pos slash = here(p);
    p->pos++;
    if (scan->star) {
        syntax_error(p, slash, "/ must be ahead of *");
    } else if (scan->slash) {
        syntax_error(p, slash, "/ may appear only once");
    } else if (scan->count == 0 && peek(p) == TOK_COMMA) {
        syntax_error(p, slash, "at least one argument must precede /");
    } else if (scan->count > 0 && peek(p) == TOK_STAR) {
        syntax_error(p, here(p), "expected comma between / and *");
    }
    scan->slash = true;
    return !p->failed;
}

static bool scan_star(struct parser *p, struct scan *scan)
{
    struct ast_pos star = here(p);
    p->pos++;
    if (scan->star) {
        if (peek(p) == TOK_NAME || peek(p) == TOK_COMMA) {
            syntax_error(p, star, "* argument may appear only once");
        }
        return false;
    }
    scan->star = true;
    int kind = peek(p);
    if (kind == scan->close
        || (kind == TOK_COMMA
            && (peek_at(p, 1) == scan->close || peek_at(p, 1) == TOK_DOUBLESTAR))) {
        if (scan->close == TOK_RPAR) {
            syntax_error(p, star, "named arguments must follow bare *");
        } else {
            syntax_error_here(p, "named arguments must follow bare *");
        }
        return false;
    }
    if (kind == TOK_COMMA && peek_at(p, 1) == TOK_TYPE_COMMENT) {
        syntax_error_here(p, "bare * has associated type comment");
        return false;
    }
    if (kind == TOK_NAME) {
        p->pos++;
        bool unpacks = peek(p) == TOK_COLON && peek_at(p, 1) == TOK_STAR;
        if (!skip_annotation(p, scan)) {
            return false;
        }
        if (peek(p) == TOK_EQUAL && !unpacks) {
            syntax_error(p, here(p), "var-positional argument cannot have default value");
        }
    }
    return !p->failed;
}

static bool scan_double_star(struct parser *p, struct scan *scan)
{
    p->pos++;
    if (!accept(p, TOK_NAME) || !skip_annotation(p, scan)) {
        return false;
    }
    if (peek(p) == TOK_EQUAL) {
        syntax_error(p, here(p), "var-keyword argument cannot have default value");
    } else if (accept(p, TOK_COMMA)) {
        int kind = peek(p);
        struct ast_pos pos = here(p);
        if (kind == TOK_NAME) {
            p->pos++;
            skip_annotation(p, scan);
            syntax_error(p, until_here(p, pos), "arguments cannot follow var-keyword argument");
        } else if (kind == TOK_STAR || kind == TOK_DOUBLESTAR || kind == TOK_SLASH) {
            syntax_error(p, pos, "arguments cannot follow var-keyword argument");
        }
    }
    return false;
}

/* def f(a, (b, c)) */
static bool scan_paren(struct parser *p, const struct scan *scan)
{
    struct ast_pos open = here(p);
    if (scan->defaults || scan->star || scan->slash) {
        return false;
    }
    p->pos++;
    bool good = false;
    while (accept(p, TOK_NAME)) {
        good = true;
        if (scan->close == TOK_RPAR && !skip_annotation(p, scan)) {
            return false;
        }
        if (!accept(p, TOK_COMMA)) {
            break;
        }
    }
    if (good && peek(p) == TOK_RPAR) {
        syntax_error_range(p, open, here(p),
                           scan->close == TOK_RPAR ? "Function parameters cannot be parenthesized"
                                                   : "Lambda expression parameters cannot be "
                                                     "parenthesized");
    }
    return false;
}

void diagnose_parameters(struct parser *p, int close)
{
    struct mark start = mark(p);
    struct scan scan = {.close = close};
    bool good = true;
    while (good && !p->failed && peek(p) != close) {
        switch (peek(p)) {
        case TOK_NAME:
            good = scan_name(p, &scan);
            break;
        case TOK_SLASH:
            good = scan_slash(p, &scan);
            break;
        case TOK_STAR:
            good = scan_star(p, &scan);
            break;
        case TOK_DOUBLESTAR:
            good = scan_double_star(p, &scan);
            break;
        case TOK_LPAR:
            good = scan_paren(p, &scan);
            break;
        default:
            good = false;
            break;
        }
        if (good && !accept(p, TOK_COMMA) && peek(p) != close) {
            good = false;
        }
        accept(p, TOK_TYPE_COMMENT);
    }
    back(p, start);
}
