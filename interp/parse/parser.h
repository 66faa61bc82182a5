/* The parser's state and what its files share.

   The parser reads a program at most twice.  The first pass only builds the tree: it decides by
   looking at the next token (seldom two), and on a wrong program it just returns NULL.  Then the
   second pass, with `diagnose` set, reads the program again with all questions asked that explain
   what is wrong (parse_diagnose*.c); it may go back and forth as it likes and keeps a memo.

   A parse function returns a node (borrowed from the arena), or NULL.  NULL with `failed` set
   means that an exception is set: then no token matches any more, so that everything unwinds.
   NULL without it means that the tokens are not what was asked for; the position is then anywhere. */

#ifndef KRAIT_PARSE_PARSER_H
#define KRAIT_PARSE_PARSER_H

#include "parse.h"
#include "tokenizer.h"

#ifndef CO_FUTURE_BARRY_AS_BDFL
#define CO_FUTURE_BARRY_AS_BDFL 0x400000
#endif

enum { PARSE_MAX_DEPTH = 6000 };

struct name_entry {
    PyObject *name; /* owned by the arena */
    int32_t start, len;
    uint32_t hash;
};

struct memo_entry {
    int32_t rule, pos, end;
    void *node;
};

struct type_ignore_mark {
    int32_t line, start, end;
};

struct parser {
    struct tokenizer tok;
    struct token *tokens;
    int count, capacity; /* tokens read so far */
    int limit;           /* `count`, or 0 once an exception is set */
    int pos;             /* the next token to use */
    struct arena *arena;

    bool failed;       /* an exception is set */
    bool second;       /* the second pass: the memo is in use */
    bool diagnose;     /* in it, questions are asked */
    bool invalid_utf8; /* the source is damaged: literals must look */
    bool tokens_seen;  /* single mode: the newline at the end has yet to be made */
    int depth;         /* of recursion */
    enum parse_mode mode;
    int flags, feature_version;
    int warned_until; /* escapes are warned about behind this token only */

    void **stack; /* items of the sequences under construction */
    size_t stack_size, stack_capacity;

    struct name_entry *names; /* open addressing */
    size_t name_count, name_capacity;

    struct memo_entry *memo;
    size_t memo_count, memo_capacity;

    struct type_ignore_mark *ignores;
    size_t ignore_count, ignore_capacity;
};

/* ---- tokens (parser.c) ---- */

/* Reads tokens until there are more than `index`; its kind, or TOK_ERROR. */
int parser_fetch(struct parser *p, int index);

static inline int peek_at(struct parser *p, int ahead)
{
    int index = p->pos + ahead;
    return index < p->limit ? p->tokens[index].kind : parser_fetch(p, index);
}

static inline int peek(struct parser *p)
{
    return p->pos < p->limit ? p->tokens[p->pos].kind : parser_fetch(p, p->pos);
}

static inline bool accept(struct parser *p, int kind)
{
    if (peek(p) != kind) {
        return false;
    }
    p->pos++;
    return true;
}

/* The token last accepted. */
static inline const struct token *last(const struct parser *p)
{
    return &p->tokens[p->pos - 1];
}

/* Where the next token begins; it has been peeked at. */
static inline struct ast_pos here(const struct parser *p)
{
    const struct token *t = &p->tokens[p->pos < p->count ? p->pos : p->count - 1];
    return (struct ast_pos){t->line, t->col, t->end_line, t->end_col};
}

/* From the start of `start` to the end of the token last accepted. */
static inline struct ast_pos until_here(const struct parser *p, struct ast_pos start)
{
    const struct token *t = last(p);
    start.end_line = t->end_line;
    start.end_col = t->end_col;
    return start;
}

/* The same for what may end in a block: to the last token that is no line end. */
static inline struct ast_pos until_line_end(const struct parser *p, struct ast_pos start)
{
    const struct token *t = last(p);
    while (t > p->tokens
           && (t->kind == TOK_ENDMARKER || (t->kind >= TOK_NEWLINE && t->kind <= TOK_DEDENT))) {
        t--;
    }
    start.end_line = t->end_line;
    start.end_col = t->end_col;
    return start;
}

static inline struct ast_pos span(struct ast_pos start, struct ast_pos end)
{
    start.end_line = end.end_line;
    start.end_col = end.end_col;
    return start;
}

/* Like accept, but raises "expected WHAT" if the token is another one. */
bool expect_forced(struct parser *p, int kind, const char *what);

/* Whether the token is a name (no keyword) spelt like `text`. */
bool token_is(const struct parser *p, const struct token *token, const char *text);

static inline bool at_soft_keyword(struct parser *p, const char *text)
{
    return peek(p) == TOK_NAME && token_is(p, &p->tokens[p->pos], text);
}

/* The text of a token as an interned str (borrowed from the arena). */
PyObject *token_name(struct parser *p, const struct token *token);
PyObject *token_string(struct parser *p, const struct token *token); /* not interned */

static inline PyObject *accept_name(struct parser *p)
{
    return accept(p, TOK_NAME) ? token_name(p, last(p)) : NULL;
}

/* ---- sequences under construction ---- */

bool push_slow(struct parser *p, void *item);

static inline bool push(struct parser *p, void *item)
{
    if (p->stack_size < p->stack_capacity) {
        p->stack[p->stack_size++] = item;
        return true;
    }
    return push_slow(p, item);
}

/* A place to come back to: whoever tries something and goes on after NULL must go back first. */
struct mark {
    int pos;
    size_t stack_size;
};

static inline struct mark mark(const struct parser *p)
{
    return (struct mark){p->pos, p->stack_size};
}

static inline void back(struct parser *p, struct mark to)
{
    p->pos = to.pos;
    p->stack_size = to.stack_size;
}

/* The items above `base` as a sequence of pointers, taken off the stack. */
void *pop_seq(struct parser *p, size_t base);
void *seq_of_one(struct parser *p, void *item);

/* ---- failure (parse_error.c) ---- */

/* An exception is set: stops the parser.  Always NULL. */
void *parser_fail(struct parser *p);

/* Raises at a place; lines as they are, columns in bytes from 0.  An end column of -1 means no end;
   PLACE_CURSOR for the end means the tokenizer's place.  All return NULL. */
enum { PLACE_CURSOR = -5 };
void *raise_at(struct parser *p, PyObject *type, struct ast_pos pos, const char *format, ...);
void *raise_va(struct parser *p, PyObject *type, struct ast_pos pos, const char *format,
               va_list arguments);
void *syntax_error(struct parser *p, struct ast_pos pos, const char *format, ...);
void *syntax_error_range(struct parser *p, struct ast_pos start, struct ast_pos end,
                         const char *format, ...);
void *syntax_error_from(struct parser *p, struct ast_pos start, const char *format, ...);
/* At the last token that was read; unless raise_last, a bracket that was never closed has precedence. */
void *raise_last(struct parser *p, PyObject *type, const char *format, ...);
void *raise_here(struct parser *p, PyObject *type, const char *format, ...);
void *syntax_error_here(struct parser *p, const char *format, ...);

/* Makes the error of a codec a SyntaxError of the last token. */
void wrap_decode_error(struct parser *p);

struct ast_pos token_pos(const struct token *token);

/* TOK_ERROR came without an exception: raises what is to be said. */
void raise_trouble(struct parser *p);
/* After both passes: makes sure that the best exception is set. */
void raise_final(struct parser *p, int last_token);

static inline bool enter(struct parser *p)
{
    if (++p->depth > PARSE_MAX_DEPTH) {
        PyErr_SetString(PyExc_MemoryError,
                        "Parser stack overflowed - Python source too complex to parse");
        parser_fail(p);
        p->depth--;
        return false;
    }
    return true;
}

static inline void leave(struct parser *p)
{
    p->depth--;
}

/* 0, or -1 with SyntaxError, if feature_version is below 3.`minor`: "WHAT only supported ...". */
int check_version(struct parser *p, int minor, const char *what);

/* ---- expressions (parse_expr.c, parse_atom.c, parse_call.c) ---- */

/* clang-format off */
enum infix_level {
    LEVEL_NONE, LEVEL_OR, LEVEL_AND, LEVEL_NOT, LEVEL_COMPARE, LEVEL_BITOR, LEVEL_BITXOR,
    LEVEL_BITAND, LEVEL_SHIFT, LEVEL_SUM, LEVEL_TERM, LEVEL_FACTOR,
};
/* clang-format on */

struct expr *parse_expression(struct parser *p);
struct expr *parse_bare_expression(struct parser *p);
struct expr *parse_infix(struct parser *p, enum infix_level level);
struct expr *parse_primary(struct parser *p);
struct expr *parse_atom(struct parser *p);
struct expr *parse_named_expression(struct parser *p);
struct expr *parse_assignment_expression(struct parser *p); /* NAME := ...; NULL if it is not */
struct expr *parse_star_expression(struct parser *p);
struct expr *parse_star_expressions(struct parser *p);
struct expr *parse_star_named_expression(struct parser *p);
struct expr *parse_yield(struct parser *p);
struct expr *parse_annotated_rhs(struct parser *p); /* yield or star_expressions */
struct expr *parse_slices(struct parser *p);
struct expr *parse_star_targets(struct parser *p);
struct expr *parse_star_target(struct parser *p);
struct expr *parse_lambda(struct parser *p);
struct expr *parse_call(struct parser *p, struct expr *func); /* at the '(' */
struct expr *parse_genexp(struct parser *p);                  /* at the '(' */
struct comprehension_seq *parse_for_if_clauses(struct parser *p);
bool at_comprehension(struct parser *p); /* `for` or `async for` */

static inline struct expr *parse_disjunction(struct parser *p)
{
    return parse_infix(p, LEVEL_OR);
}

static inline struct expr *parse_bitwise_or(struct parser *p)
{
    return parse_infix(p, LEVEL_BITOR);
}

bool expr_is_target(const struct expr *e, bool star_allowed);
void expr_set_context(struct expr *e, enum ast_context ctx);
struct expr *make_name(struct parser *p, PyObject *id, struct ast_pos pos, enum ast_context ctx);
struct expr *make_constant(struct parser *p, PyObject *value, struct ast_pos pos); /* steals */
struct expr *make_starred(struct parser *p, struct expr *value, struct ast_pos pos);
struct expr *make_sequence(struct parser *p, enum expr_kind kind, struct expr_seq *elts,
                           struct ast_pos pos);
struct expr *make_attribute(struct parser *p, struct expr *value, PyObject *attr);

/* `close` is TOK_RPAR for def, TOK_COLON for lambda (no annotations, no type comments). */
struct arguments *parse_parameters(struct parser *p, int close);
struct arguments *empty_parameters(struct parser *p);
bool parse_class_arguments(struct parser *p, struct expr_seq **bases,
                           struct keyword_seq **keywords);

/* ---- literals (literals.c, fstring.c) ---- */

struct expr *parse_strings(struct parser *p); /* one or more adjacent string tokens */
struct expr *parse_number(struct parser *p);

/* The value of the inside of a literal (new reference).  `token` is the one to blame. */
PyObject *literal_decode_str(struct parser *p, const char *text, size_t len, bool raw,
                             const struct token *token);
PyObject *literal_decode_bytes(struct parser *p, const char *text, size_t len, bool raw,
                               const struct token *token);
PyObject *literal_number(const char *text, size_t len); /* new; NULL with any exception */

/* ---- statements (parse_stmt.c, parse_compound.c, parse_pattern.c) ---- */

bool parse_statement(struct parser *p); /* pushes one or more statements */
bool parse_simple_statements(struct parser *p);
struct stmt *parse_simple_statement(struct parser *p);
struct stmt *parse_compound(struct parser *p); /* NULL if none begins here */
struct stmt_seq *parse_block(struct parser *p);
/* `:` and a block; `what` began on `line` ("'if' statement"): for the messages if either is missing. */
struct stmt_seq *parse_colon_block(struct parser *p, const char *what, int line);
struct stmt_seq *parse_block_of(struct parser *p, const char *what, int line); /* behind the `:` */
struct stmt *parse_match(struct parser *p);                /* NULL: no match statement after all */
struct typeparam_seq *parse_type_params(struct parser *p); /* empty if there is no '[' */
PyObject *accept_type_comment(struct parser *p);
struct stmt *make_stmt(struct parser *p, enum stmt_kind kind, struct ast_pos start);
PyObject *parse_dotted_name(struct parser *p);

/* What the second pass wants to know about arguments. */
struct argument_list {
    size_t positional;
    struct expr *last_positional;
    bool mapping; /* `**x` is among them */
};
bool parse_argument_list(struct parser *p, struct argument_list *list);

/* ---- the second pass (parse_diagnose*.c) ---- */

/* clang-format off */
enum memo_rule {
    MEMO_EXPRESSION, MEMO_NAMED, MEMO_STAR_EXPRESSION, MEMO_STAR_EXPRESSIONS, MEMO_PRIMARY,
    MEMO_BLOCK, MEMO_ARGUMENTS, MEMO_INFIX, /* + level */
    MEMO_ATOM = MEMO_INFIX + LEVEL_FACTOR + 1, MEMO_INVALID_NAMED,
    MEMO_NO_DISPLAY, MEMO_NO_DISPLAY_ASKED, /* brackets that are none, without and with questions */
};
/* clang-format on */

/* The memo's answer for a rule at the position: true with *node and the position moved. */
bool memo_find(struct parser *p, int rule, void **node);
void memo_store(struct parser *p, int rule, int pos, void *node);

/* What the invalid_* questions are called in their places; each leaves the position as it was. */
void diagnose_expression(struct parser *p);
void diagnose_named_expression(struct parser *p);
void diagnose_assignment(struct parser *p);
void diagnose_arguments(struct parser *p);
void diagnose_keyword_argument(struct parser *p);
void diagnose_comprehension(struct parser *p);
void diagnose_group(struct parser *p);
void diagnose_dict_items(struct parser *p);
void diagnose_dict_comprehension(struct parser *p);
void diagnose_parameters(struct parser *p, int close);
void diagnose_replacement_field(struct parser *p);
void diagnose_target_list(struct parser *p, struct expr *e, int kind);
const char *expr_name(const struct expr *e);
void diagnose_missing_block(struct parser *p, const char *what, int line);

#endif
