/* String atoms: one or more adjacent literals, with or without replacement fields, as one node. */

#include "parser.h"

#include <string.h>

static struct expr *new_expr(struct parser *p, enum expr_kind kind, struct ast_pos pos)
{
    struct expr *e = ast_expr_new(p->arena, kind, &pos);
    return e ? e : parser_fail(p);
}

/* ---- plain literals ---- */

/* A STRING token: its value as a Constant, bytes or str. */
static struct expr *plain_literal(struct parser *p)
{
    struct token token = p->tokens[p->pos];
    const char *text = p->tok.text + token.start;
    size_t len = (size_t)(token.end - token.start);
    bool raw = false, bytes = false, unicode = false;

    for (; *text != '"' && *text != '\''; text++, len--) {
        switch (*text) {
        case 'r':
        case 'R':
            raw = true;
            break;
        case 'b':
        case 'B':
            bytes = true;
            break;
        case 'u':
            unicode = true;
            break; /* `U` leaves no trace */
        }
    }
    size_t quotes = len >= 6 && text[1] == text[0] && text[2] == text[0] ? 3 : 1;
    text += quotes;
    len -= 2 * quotes;

    const struct token *blame = &p->tokens[p->pos];
    PyObject *value = bytes ? literal_decode_bytes(p, text, len, raw, blame)
                            : literal_decode_str(p, text, len, raw, blame);
    if (value == NULL) {
        return NULL;
    }
    p->pos++;
    struct expr *e = make_constant(p, value, token_pos(&token));
    if (e != NULL && unicode) {
        e->constant.kind = arena_own(p->arena, PyUnicode_InternFromString("u"));
        if (e->constant.kind == NULL) {
            return parser_fail(p);
        }
    }
    return e;
}

/* ---- replacement fields ---- */

/* Source text without its comments (new reference). */
static PyObject *strip_comments(const char *text, size_t len)
{
    char *copy = PyMem_Malloc(len + 1), *to = copy;
    if (copy == NULL) {
        return PyErr_NoMemory();
    }
    char quote = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (quote == 0 && c == '#') {
            while (i < len && text[i] != '\n') {
                i++;
            }
            if (i == len) {
                break;
            }
            c = '\n';
        } else if (c == '"' || c == '\'') {
            quote = quote == 0 ? c : quote == c ? 0 : quote;
        } else if (c == '\\' && quote != 0 && i + 1 < len) {
            *to++ = c;
            c = text[++i];
        }
        *to++ = c;
    }
    PyObject *result = PyUnicode_DecodeUTF8(copy, to - copy, NULL);
    PyMem_Free(copy);
    return result;
}

/* `{x = }`: the source text from behind the brace to `end` as a Constant that begins at `start`. */
static struct expr *debug_text(struct parser *p, int32_t from, const struct token *end,
                               struct ast_pos start)
{
    const char *text = p->tok.text + from;
    size_t len = (size_t)(end->start - from);
    struct ast_pos pos = {start.line, start.col + 1, end->line, end->col};
    PyObject *value = memchr(text, '#', len) ? strip_comments(text, len)
                                             : PyUnicode_DecodeUTF8(text, (Py_ssize_t)len, NULL);
    return value ? make_constant(p, value, pos) : parser_fail(p);
}

/* The name behind `!`, which must stand right behind it. */
static bool accept_conversion(struct parser *p, struct token *name)
{
    struct token exclamation = *last(p);
    if (!accept(p, TOK_NAME)) {
        return false;
    }
    *name = *last(p);
    if (name->line != exclamation.end_line || name->col != exclamation.end_col) {
        syntax_error_range(
            p, token_pos(&exclamation), token_pos(name),
            "f-string: conversion type must come right after the exclamanation mark");
        return false;
    }
    return true;
}

/* The letter of a conversion, 0 after an error. */
static int check_conversion(struct parser *p, const struct token *name)
{
    char c = p->tok.text[name->start];
    if (name->end - name->start == 1 && (c == 's' || c == 'r' || c == 'a')) {
        return c;
    }
    PyObject *text = token_name(p, name);
    if (text != NULL) {
        syntax_error(p, token_pos(name),
                     "f-string: invalid conversion character %R: "
                     "expected 's', 'r', or 'a'",
                     text);
    }
    return 0;
}

static bool parse_field(struct parser *p);
static bool push_text(struct parser *p, bool raw);
static struct expr *join_parts(struct parser *p, size_t base, struct ast_pos pos, bool flat);

/* The format specification behind the colon, which is the last token. */
static struct expr *parse_format_spec(struct parser *p, bool raw)
{
    size_t base = p->stack_size;
    struct ast_pos start = token_pos(last(p));
    for (;;) {
        int kind = peek(p);
        if (kind == TOK_FSTRING_MIDDLE) {
            if (!push_text(p, raw)) {
                return NULL;
            }
        } else if (kind != TOK_LBRACE || !parse_field(p)) {
            break;
        }
    }
    if (p->failed) {
        return NULL;
    }
    return join_parts(p, base, until_here(p, start), false);
}

/* { expression [=] [!conversion] [: specification] }: pushes its text, if wanted, and its value. */
static bool parse_field_new(struct parser *p)
{
    struct ast_pos start = here(p);
    p->pos++;
    int32_t text_start = last(p)->end;
    struct expr *value = parse_annotated_rhs(p), *spec = NULL, *text = NULL;
    if (value == NULL) {
        return false;
    }
    bool debug = accept(p, TOK_EQUAL);
    peek(p);
    if (debug && !p->failed) {
        struct token end = p->tokens[p->pos];
        text = debug_text(p, text_start, &end, start);
        if (text == NULL) {
            return false;
        }
    }
    struct token name;
    bool converted = accept(p, TOK_EXCLAMATION);
    if (converted && !accept_conversion(p, &name)) {
        return false;
    }
    if (accept(p, TOK_COLON)) {
        spec = parse_format_spec(p, false);
        if (spec == NULL) {
            return false;
        }
    }
    if (!accept(p, TOK_RBRACE)) {
        return false;
    }
    int conversion = converted ? check_conversion(p, &name) : -1;
    struct expr *e = conversion ? new_expr(p, EXPR_FORMATTEDVALUE, until_here(p, start)) : NULL;
    if (e == NULL) {
        return false;
    }
    e->formattedvalue.value = value;
    e->formattedvalue.conversion = debug && conversion == -1 && spec == NULL ? 'r' : conversion;
    e->formattedvalue.format_spec = spec;
    return (text == NULL || push(p, text)) && push(p, e);
}

static bool parse_field(struct parser *p)
{
    struct mark start = mark(p);
    if (!enter(p)) {
        return false;
    }
    bool good = parse_field_new(p);
    leave(p);
    if (!good) {
        back(p, start);
        if (p->diagnose && !p->failed) {
            diagnose_replacement_field(p);
        }
    }
    return good;
}

/* ---- f-strings ---- */

/* A FSTRING_MIDDLE token as a Constant. */
static bool push_text(struct parser *p, bool raw)
{
    struct token token = p->tokens[p->pos];
    PyObject *value = literal_decode_str(
        p, p->tok.text + token.start, (size_t)(token.end - token.start), raw, &p->tokens[p->pos]);
    if (value == NULL) {
        wrap_decode_error(p);
        return false;
    }
    p->pos++;
    struct expr *e = make_constant(p, value, token_pos(&token));
    return e != NULL && push(p, e);
}

/* A Constant without its value, for the FSTRING_MIDDLE token at the position, which is kept where the
   node's place will be. */
static bool push_raw_text(struct parser *p)
{
    struct ast_pos index = {p->pos, 0, 0, 0};
    struct expr *e = new_expr(p, EXPR_CONSTANT, index);
    p->pos++;
    return e != NULL && push(p, e);
}

/* Gives the texts above `base` their values. */
static bool decode_texts(struct parser *p, size_t base, bool raw)
{
    for (size_t i = base; i < p->stack_size; i++) {
        struct expr *e = p->stack[i];
        if (e->kind != EXPR_CONSTANT || e->constant.value != NULL) {
            continue;
        }
        const struct token *token = &p->tokens[e->pos.line];
        PyObject *value = literal_decode_str(p, p->tok.text + token->start,
                                             (size_t)(token->end - token->start), raw, token);
        if (value == NULL) {
            wrap_decode_error(p);
            return false;
        }
        e->pos = token_pos(token);
        e->constant.value = arena_own(p->arena, value);
        if (e->constant.value == NULL) {
            parser_fail(p);
            return false;
        }
    }
    return true;
}

/* FSTRING_START ... FSTRING_END: pushes the parts. */
static bool push_fstring(struct parser *p)
{
    const struct token *start = &p->tokens[p->pos];
    bool raw = false;
    for (int32_t i = start->start; i < start->end; i++) {
        raw |= p->tok.text[i] == 'r' || p->tok.text[i] == 'R';
    }
    p->pos++;
    size_t base = p->stack_size;
    for (;;) {
        int kind = peek(p);
        if (kind == TOK_FSTRING_MIDDLE) {
            if (!push_raw_text(p)) {
                return false;
            }
        } else if (kind == TOK_LBRACE) {
            if (!parse_field(p)) {
                return false;
            }
        } else {
            return accept(p, TOK_FSTRING_END) && decode_texts(p, base, raw);
        }
    }
}

static bool is_text(const struct expr *e)
{
    return e->kind == EXPR_CONSTANT;
}

/* The texts items[0..count) as one Constant. */
static struct expr *join_texts(struct parser *p, struct expr **items, size_t count)
{
    if (count == 1) {
        return items[0];
    }
    PyObject *empty = PyUnicode_FromString(""), *list = PyList_New((Py_ssize_t)count);
    PyObject *value = NULL;
    if (empty != NULL && list != NULL) {
        for (size_t i = 0; i < count; i++) {
            PyList_SET_ITEM(list, (Py_ssize_t)i, Py_NewRef(items[i]->constant.value));
        }
        value = PyUnicode_Join(empty, list);
    }
    Py_XDECREF(empty);
    Py_XDECREF(list);
    if (value == NULL) {
        return parser_fail(p);
    }
    struct expr *e = make_constant(p, value, span(items[0]->pos, items[count - 1]->pos));
    if (e != NULL) {
        e->constant.kind = items[0]->constant.kind;
    }
    return e;
}

/* The parts above `base` as a JoinedStr: neighbouring texts become one, empty ones vanish. */
static struct expr *join_parts(struct parser *p, size_t base, struct ast_pos pos, bool merge)
{
    struct expr **items = (struct expr **)p->stack + base;
    size_t count = p->stack_size - base, used = 0;
    (void)merge;
    for (size_t i = 0; i < count;) {
        size_t run = 1;
        if (is_text(items[i])) {
            while (i + run < count && is_text(items[i + run])) {
                run++;
            }
            struct expr *text = join_texts(p, items + i, run);
            if (text == NULL) {
                return NULL;
            }
            i += run;
            if (PyUnicode_GET_LENGTH(text->constant.value) > 0) {
                items[used++] = text;
            }
        } else {
            items[used++] = items[i++];
        }
    }
    p->stack_size = base + used;
    struct expr_seq *values = pop_seq(p, base);
    struct expr *e = values ? new_expr(p, EXPR_JOINEDSTR, pos) : NULL;
    if (e != NULL) {
        e->joinedstr.values = values;
    }
    return e;
}

/* ---- adjacent literals ---- */

static struct expr *concat_bytes(struct parser *p, size_t base, struct ast_pos pos)
{
    struct expr **items = (struct expr **)p->stack + base;
    PyObject *value = Py_NewRef(items[0]->constant.value);
    for (size_t i = base + 1; i < p->stack_size && value != NULL; i++) {
        PyBytes_Concat(&value, items[i - base]->constant.value);
    }
    p->stack_size = base;
    return value ? make_constant(p, value, pos) : parser_fail(p);
}

static struct expr *concat_literals(struct parser *p, size_t base, bool fstring, bool bytes,
                                    struct ast_pos pos)
{
    struct expr **items = (struct expr **)p->stack + base;
    if (fstring) {
        return join_parts(p, base, pos, true);
    }
    if (bytes) {
        return concat_bytes(p, base, pos);
    }
    struct expr *e = join_texts(p, items, p->stack_size - base);
    p->stack_size = base;
    if (e != NULL) {
        e->pos = pos;
    }
    return e;
}

static struct expr *parse_strings_new(struct parser *p)
{
    struct ast_pos start = here(p);
    size_t base = p->stack_size;
    bool fstring = false, bytes = false, text = false;
    for (;;) {
        int kind = peek(p);
        if (kind == TOK_STRING) {
            struct expr *e = plain_literal(p);
            if (e == NULL) {
                wrap_decode_error(p);
                return NULL;
            }
            bool is_bytes = PyBytes_Check(e->constant.value);
            bytes |= is_bytes;
            text |= !is_bytes;
            kind = peek(p);
            if (p->stack_size == base && !fstring && kind != TOK_STRING
                && kind != TOK_FSTRING_START) {
                return e;
            }
            push(p, e);
        } else if (kind == TOK_FSTRING_START) {
            if (!push_fstring(p)) {
                return NULL;
            }
            fstring = text = true;
        } else {
            break;
        }
    }
    if (p->failed) {
        return NULL;
    }
    if (bytes && text) {
        return syntax_error_here(p, "cannot mix bytes and nonbytes literals");
    }
    return concat_literals(p, base, fstring, bytes, until_here(p, start));
}

struct expr *parse_strings(struct parser *p)
{
    if (!p->second) {
        return parse_strings_new(p);
    }
    void *node;
    int start = p->pos;
    if (memo_find(p, MEMO_ATOM, &node)) {
        return node;
    }
    node = parse_strings_new(p);
    memo_store(p, MEMO_ATOM, start, node);
    return node;
}
