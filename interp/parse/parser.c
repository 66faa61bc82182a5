/* The parser's machinery (tokens, names, sequences, the memo) and its entry points. */

#include "parser.h"
#include "source.h"

#include <string.h>

/* ---- tokens ---- */

static bool grow_tokens(struct parser *p)
{
    int capacity = p->capacity ? p->capacity * 2 : 256;
    struct token *tokens = PyMem_Realloc(p->tokens, (size_t)capacity * sizeof(*tokens));
    if (tokens == NULL) {
        PyErr_NoMemory();
        parser_fail(p);
        return false;
    }
    p->tokens = tokens;
    p->capacity = capacity;
    return true;
}

static bool mark_type_ignore(struct parser *p, const struct token *token)
{
    if (p->ignore_count == p->ignore_capacity) {
        size_t capacity = p->ignore_capacity ? p->ignore_capacity * 2 : 16;
        struct type_ignore_mark *ignores = PyMem_Realloc(p->ignores, capacity * sizeof(*ignores));
        if (ignores == NULL) {
            PyErr_NoMemory();
            parser_fail(p);
            return false;
        }
        p->ignores = ignores;
        p->ignore_capacity = capacity;
    }
    p->ignores[p->ignore_count++] =
        (struct type_ignore_mark){token->line, token->start, token->end};
    return true;
}

/* A single statement may end without a newline: then one is made up, and the open blocks are closed. */
static void end_single(struct parser *p, struct token *token)
{
    if (token->kind != TOK_ENDMARKER || !p->tokens_seen) {
        p->tokens_seen = true;
        return;
    }
    token->kind = TOK_NEWLINE;
    p->tokens_seen = false;
    if (p->tok.indent > 0 && !(p->flags & PyCF_DONT_IMPLY_DEDENT)) {
        p->tok.pending = -p->tok.indent;
        p->tok.indent = 0;
    }
}

int parser_fetch(struct parser *p, int index)
{
    if (p->failed) {
        return TOK_ERROR;
    }
    while (index >= p->count) {
        if (p->count > 0 && p->tokens[p->count - 1].kind == TOK_ERROR) {
            raise_trouble(p);
            return TOK_ERROR;
        }
        if (p->count == p->capacity && !grow_tokens(p)) {
            return TOK_ERROR;
        }
        struct token *token = &p->tokens[p->count];
        int kind = tok_next(&p->tok, token);
        if (kind == TOK_TYPE_IGNORE) {
            if (!mark_type_ignore(p, token)) {
                return TOK_ERROR;
            }
            continue;
        }
        if (p->mode == PARSE_SINGLE) {
            end_single(p, token);
        }
        p->count++;
        if (kind == TOK_ERROR) {
            raise_trouble(p);
            return TOK_ERROR;
        }
        p->limit = p->count;
    }
    return p->tokens[index].kind;
}

bool token_is(const struct parser *p, const struct token *token, const char *text)
{
    size_t len = (size_t)(token->end - token->start);
    const char *at = p->tok.text + token->start;
    return strncmp(at, text, len) == 0 && text[len] == 0;
}

bool expect_forced(struct parser *p, int kind, const char *what)
{
    if (accept(p, kind)) {
        return true;
    }
    if (!p->failed) {
        syntax_error(p, here(p), "expected %s", what);
    }
    return false;
}

/* ---- names ---- */

static uint32_t hash_bytes(const char *text, size_t len)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    }
    return hash ^ hash >> 15;
}

static bool grow_names(struct parser *p)
{
    size_t capacity = p->name_capacity ? p->name_capacity * 2 : 128;
    struct name_entry *names = PyMem_Calloc(capacity, sizeof(*names));
    if (names == NULL) {
        PyErr_NoMemory();
        parser_fail(p);
        return false;
    }
    for (size_t i = 0; i < p->name_capacity; i++) {
        if (p->names[i].name != NULL) {
            size_t slot = p->names[i].hash & (capacity - 1);
            while (names[slot].name != NULL) {
                slot = (slot + 1) & (capacity - 1);
            }
            names[slot] = p->names[i];
        }
    }
    PyMem_Free(p->names);
    p->names = names;
    p->name_capacity = capacity;
    return true;
}

/* Identifiers beyond ASCII count in their normal form NFKC (steals and returns a reference). */
static PyObject *normalise(PyObject *name)
{
    PyObject *module = PyImport_ImportModule("unicodedata");
    PyObject *result = module ? PyObject_CallMethod(module, "normalize", "sO", "NFKC", name) : NULL;
    Py_XDECREF(module);
    Py_DECREF(name);
    if (result != NULL && !PyUnicode_Check(result)) {
        PyErr_Format(PyExc_TypeError, "unicodedata.normalize() must return a string, not %.200s",
                     Py_TYPE(result)->tp_name);
        Py_CLEAR(result);
    }
    return result;
}

/* A normal form may be that of a keyword which no name can be (steals and returns a reference). */
static PyObject *refuse_constant(PyObject *name)
{
    static const char *const constants[] = {"None", "True", "False"};
    for (int i = 0; i < 3; i++) {
        if (PyUnicode_CompareWithASCIIString(name, constants[i]) == 0) {
            PyErr_Format(PyExc_ValueError, "identifier field can't represent '%s' constant",
                         constants[i]);
            Py_DECREF(name);
            return NULL;
        }
    }
    return name;
}

static PyObject *new_name(struct parser *p, const char *text, size_t len)
{
    PyObject *name = PyUnicode_DecodeUTF8(text, (Py_ssize_t)len, NULL);
    if (name != NULL && !PyUnicode_IS_ASCII(name)) {
        name = normalise(name);
        name = name ? refuse_constant(name) : NULL;
    }
    if (name != NULL) {
        PyUnicode_InternInPlace(&name);
    }
    name = arena_own(p->arena, name);
    if (name == NULL) {
        parser_fail(p);
    }
    return name;
}

PyObject *token_name(struct parser *p, const struct token *token)
{
    const char *text = p->tok.text + token->start;
    size_t len = (size_t)(token->end - token->start);
    uint32_t hash = hash_bytes(text, len);

    if (p->name_count * 2 >= p->name_capacity && !grow_names(p)) {
        return NULL;
    }
    size_t mask = p->name_capacity - 1, slot = hash & mask;
    for (; p->names[slot].name != NULL; slot = (slot + 1) & mask) {
        const struct name_entry *entry = &p->names[slot];
        if (entry->hash == hash && (size_t)entry->len == len
            && memcmp(p->tok.text + entry->start, text, len) == 0) {
            return entry->name;
        }
    }
    struct name_entry entry = {.start = token->start, .len = (int32_t)len, .hash = hash};
    entry.name = new_name(p, text, len);
    if (entry.name != NULL) {
        p->names[slot] = entry;
        p->name_count++;
    }
    return entry.name;
}

PyObject *token_string(struct parser *p, const struct token *token)
{
    PyObject *text = arena_own(p->arena, PyUnicode_DecodeUTF8(p->tok.text + token->start,
                                                              token->end - token->start, NULL));
    if (text == NULL) {
        parser_fail(p);
    }
    return text;
}

/* ---- sequences ---- */

bool push_slow(struct parser *p, void *item)
{
    size_t capacity = p->stack_capacity ? p->stack_capacity * 2 : 64;
    void **stack = PyMem_Realloc(p->stack, capacity * sizeof(*stack));
    if (stack == NULL) {
        PyErr_NoMemory();
        parser_fail(p);
        return false;
    }
    p->stack = stack;
    p->stack_capacity = capacity;
    p->stack[p->stack_size++] = item;
    return true;
}

void *pop_seq(struct parser *p, size_t base)
{
    size_t len = p->stack_size - base;
    struct expr_seq *seq = ast_seq_new(p->arena, len, sizeof(void *));
    p->stack_size = base;
    if (seq == NULL) {
        return parser_fail(p);
    }
    if (len > 0) {
        memcpy(seq->items, p->stack + base, len * sizeof(void *));
    }
    return seq;
}

void *seq_of_one(struct parser *p, void *item)
{
    struct expr_seq *seq = ast_seq_new(p->arena, 1, sizeof(void *));
    if (seq == NULL) {
        return parser_fail(p);
    }
    seq->items[0] = item;
    return seq;
}

/* ---- the memo of the second pass ---- */

static size_t memo_slot(const struct parser *p, int rule, int pos)
{
    size_t mask = p->memo_capacity - 1;
    size_t slot = ((uint32_t)pos * 2654435761u ^ (uint32_t)rule * 40503u) & mask;
    while (p->memo[slot].rule >= 0 && (p->memo[slot].rule != rule || p->memo[slot].pos != pos)) {
        slot = (slot + 1) & mask;
    }
    return slot;
}

bool memo_find(struct parser *p, int rule, void **node)
{
    if (p->memo_capacity == 0 || p->failed) {
        return false;
    }
    const struct memo_entry *entry = &p->memo[memo_slot(p, rule, p->pos)];
    if (entry->rule < 0) {
        return false;
    }
    *node = entry->node;
    p->pos = entry->end;
    return true;
}

void memo_store(struct parser *p, int rule, int pos, void *node)
{
    if (p->failed) {
        return;
    }
    if (p->memo_count * 2 >= p->memo_capacity) {
        size_t old_capacity = p->memo_capacity;
        struct memo_entry *old = p->memo;
        size_t capacity = old_capacity ? old_capacity * 2 : 256;
        struct memo_entry *memo = PyMem_Malloc(capacity * sizeof(*memo));
        if (memo == NULL) {
            PyErr_NoMemory();
            parser_fail(p);
            return;
        }
        for (size_t i = 0; i < capacity; i++) {
            memo[i].rule = -1;
        }
        p->memo = memo;
        p->memo_capacity = capacity;
        for (size_t i = 0; i < old_capacity; i++) {
            if (old[i].rule >= 0) {
                memo[memo_slot(p, old[i].rule, old[i].pos)] = old[i];
            }
        }
        PyMem_Free(old);
    }
    size_t slot = memo_slot(p, rule, pos);
    if (p->memo[slot].rule < 0) {
        p->memo_count++;
    }
    p->memo[slot] = (struct memo_entry){rule, pos, p->pos, node};
}

static void memo_forget(struct parser *p)
{
    PyMem_Free(p->memo);
    p->memo = NULL;
    p->memo_count = p->memo_capacity = 0;
}

/* ---- whole inputs ---- */

static struct ast_module *new_module(struct parser *p, enum module_kind kind)
{
    struct ast_module *module = arena_alloc(p->arena, sizeof(*module));
    if (module == NULL) {
        return parser_fail(p);
    }
    memset(module, 0, sizeof(*module));
    module->kind = (uint8_t)kind;
    return module;
}

static struct typeignore_seq *make_type_ignores(struct parser *p)
{
    struct typeignore_seq *seq = AST_SEQ_NEW(p->arena, typeignore_seq, p->ignore_count);
    for (size_t i = 0; seq != NULL && i < p->ignore_count; i++) {
        struct typeignore *ignore = arena_alloc(p->arena, sizeof(*ignore));
        if (ignore == NULL) {
            return parser_fail(p);
        }
        const struct type_ignore_mark *mark = &p->ignores[i];
        ignore->lineno = mark->line;
        ignore->tag = arena_own(p->arena, PyUnicode_DecodeUTF8(p->tok.text + mark->start,
                                                               mark->end - mark->start, NULL));
        if (ignore->tag == NULL) {
            return parser_fail(p);
        }
        seq->items[i] = ignore;
    }
    return seq ? seq : parser_fail(p);
}

static struct ast_module *parse_file(struct parser *p)
{
    size_t base = p->stack_size;
    while (!p->failed && peek(p) != TOK_ENDMARKER) {
        if (!parse_statement(p)) {
            return NULL;
        }
    }
    if (!accept(p, TOK_ENDMARKER)) {
        return NULL;
    }
    struct ast_module *module = new_module(p, MODULE_MODULE);
    if (module != NULL) {
        module->module.body = pop_seq(p, base);
        module->module.type_ignores = make_type_ignores(p);
    }
    return module;
}

/* A simple line, a compound statement and an empty line, or nothing but a newline. */
static struct ast_module *parse_single(struct parser *p)
{
    size_t base = p->stack_size;
    int kind = peek(p);
    if (kind == TOK_NEWLINE) {
        p->pos++;
        struct ast_pos pos = token_pos(last(p));
        struct stmt *pass = ast_stmt_new(p->arena, STMT_PASS, &pos);
        if (pass == NULL) {
            return parser_fail(p);
        }
        push(p, pass);
    } else if (kind == TOK_ENDMARKER) {
        p->pos++;
        return syntax_error_here(p, "invalid syntax");
    } else {
        struct stmt *compound = parse_compound(p);
        if (compound != NULL) {
            if (!accept(p, TOK_NEWLINE)) {
                return NULL;
            }
            push(p, compound);
        } else if (p->failed || !parse_simple_statements(p)) {
            return NULL;
        }
    }
    struct ast_module *module = new_module(p, MODULE_INTERACTIVE);
    if (module != NULL) {
        module->interactive.body = pop_seq(p, base);
    }
    return p->failed ? NULL : module;
}

static bool end_of_expression(struct parser *p)
{
    while (accept(p, TOK_NEWLINE)) {
    }
    return accept(p, TOK_ENDMARKER);
}

static struct expr *parse_expressions(struct parser *p)
{
    struct ast_pos start = (peek(p), here(p));
    struct expr *first = parse_expression(p);
    if (first == NULL || peek(p) != TOK_COMMA) {
        return first;
    }
    size_t base = p->stack_size;
    push(p, first);
    while (accept(p, TOK_COMMA)) {
        struct mark before = mark(p);
        struct expr *next = parse_expression(p);
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

static struct ast_module *parse_eval(struct parser *p)
{
    struct expr *body = parse_expressions(p);
    if (body == NULL || !end_of_expression(p)) {
        return NULL;
    }
    struct ast_module *module = new_module(p, MODULE_EXPRESSION);
    if (module != NULL) {
        module->expression.body = body;
    }
    return module;
}

/* ( types, *type, **type ) -> type */
static struct ast_module *parse_functype(struct parser *p)
{
    size_t base = p->stack_size;
    if (!accept(p, TOK_LPAR)) {
        return NULL;
    }
    bool star = false, double_star = false;
    while (peek(p) != TOK_RPAR && !double_star) {
        if (accept(p, TOK_DOUBLESTAR)) {
            double_star = true;
        } else if (peek(p) == TOK_STAR && !star) {
            p->pos++;
            star = true;
        } else if (star) {
            return NULL;
        }
        struct expr *type = parse_expression(p);
        if (type == NULL || !push(p, type)) {
            return NULL;
        }
        if (double_star || peek(p) == TOK_RPAR || !accept(p, TOK_COMMA)) {
            break;
        }
        if (peek(p) == TOK_RPAR) {
            return NULL;
        }
    }
    if (!accept(p, TOK_RPAR) || !accept(p, TOK_RARROW)) {
        return NULL;
    }
    struct expr_seq *argtypes = pop_seq(p, base);
    struct expr *returns = parse_expression(p);
    if (returns == NULL || !end_of_expression(p)) {
        return NULL;
    }
    struct ast_module *module = new_module(p, MODULE_FUNCTIONTYPE);
    if (module != NULL) {
        module->functiontype.argtypes = argtypes;
        module->functiontype.returns = returns;
    }
    return p->failed ? NULL : module;
}

static struct ast_module *parse_mode(struct parser *p)
{
    struct ast_module *module = NULL;
    switch (p->mode) {
    case PARSE_FILE:
        module = parse_file(p);
        break;
    case PARSE_EVAL:
        module = parse_eval(p);
        break;
    case PARSE_SINGLE:
        module = parse_single(p);
        break;
    case PARSE_FUNCTYPE:
        module = parse_functype(p);
        break;
    }
    return p->failed ? NULL : module;
}

/* ---- running ---- */

static PyObject *incomplete_input_error(void)
{
    static const char name[] = "_IncompleteInputError";
    PyObject *type = NULL;
    PyObject *builtins = PyImport_ImportModule("builtins");
    if (builtins != NULL) {
        type = PyObject_GetAttrString(builtins, name);
        Py_DECREF(builtins);
    }
    return type;
}

/* Whether the tokenizer has run into the end of the text. */
static bool at_end_of_source(const struct parser *p)
{
    const struct tokenizer *tok = &p->tok;
    if (tok->trouble != TROUBLE_NONE) {
        return tok->trouble == TROUBLE_EOF || tok->open_string;
    }
    int kind = p->count > 0 ? p->tokens[p->count - 1].kind : TOK_ENDMARKER;
    return tok->at_eof
           || (tok->cur == tok->end && kind != TOK_STRING && kind != TOK_FSTRING_END
               && kind != TOK_NEWLINE);
}

static void raise_incomplete(struct parser *p)
{
    PyErr_Clear();
    PyObject *type = incomplete_input_error();
    if (type != NULL) {
        p->failed = false;
        raise_last(p, type, "incomplete input");
        Py_DECREF(type);
    }
}

/* Whether there is more than white space and comments behind the tokens read. */
static bool more_follows(const struct parser *p)
{
    const char *s = p->tok.cur;
    for (;;) {
        s += strspn(s, " \t\n\f");
        if (*s != '#') {
            return *s != 0;
        }
        s += strcspn(s, "\n");
    }
}

static struct ast_module *run(struct parser *p)
{
    struct ast_module *module = parse_mode(p);
    if (module != NULL && p->mode == PARSE_SINGLE && more_follows(p)) {
        return syntax_error_here(p, "multiple statements found while compiling a single statement");
    }
    if (module != NULL) {
        return module;
    }
    if ((p->flags & PyCF_ALLOW_INCOMPLETE_INPUT) && at_end_of_source(p)
        && (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_SyntaxError))) {
        raise_incomplete(p);
        return NULL;
    }
    if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_SyntaxError)) {
        return NULL;
    }
    int last_token = p->count - 1;
    if (!p->failed) {
        p->pos = 0;
        p->depth = 0;
        p->stack_size = 0;
        p->limit = p->count;
        p->second = p->diagnose = true;
        memo_forget(p);
        parse_mode(p);
    }
    raise_final(p, last_token);
    return NULL;
}

static void parser_clear(struct parser *p)
{
    tok_clear(&p->tok);
    PyMem_Free(p->tokens);
    PyMem_Free(p->stack);
    PyMem_Free(p->names);
    PyMem_Free(p->memo);
    PyMem_Free(p->ignores);
}

static void parser_init(struct parser *p, enum parse_mode mode, struct parse_options *options,
                        struct arena *arena)
{
    p->arena = arena;
    p->mode = mode;
    p->flags = options ? options->flags : 0;
    p->feature_version = options && options->feature_version >= 0 ? options->feature_version : 13;
    p->tok.type_comments = (p->flags & PyCF_TYPE_COMMENTS) != 0;
}

static struct ast_module *finish_parser(struct parser *p, struct parse_options *options,
                                        struct ast_module *module)
{
    if (options != NULL) {
        options->flags |= p->flags & CO_FUTURE_BARRY_AS_BDFL;
    }
    parser_clear(p);
    return module;
}

static int report_encoding(struct parse_options *options, const struct source *source, bool is_utf8)
{
    if (options == NULL || !options->want_encoding) {
        return 0;
    }
    const char *name = source->encoding && !is_utf8 ? source->encoding : "utf-8";
    options->encoding = PyUnicode_FromString(name);
    return options->encoding ? 0 : -1;
}

static struct ast_module *parse_bytes(const char *text, size_t len, PyObject *filename,
                                      const char *encoding, enum parse_mode mode,
                                      struct parse_options *options, struct arena *arena)
{
    struct source source;
    struct parser p = {0};
    bool is_utf8 = options != NULL && (options->flags & PyCF_IGNORE_COOKIE);
    if (source_decode(&source, text, len, encoding, is_utf8, mode == PARSE_FILE, filename) < 0) {
        return NULL;
    }
    if (report_encoding(options, &source, is_utf8) < 0) {
        source_clear(&source);
        return NULL;
    }
    tok_init(&p.tok, source.text, source.len, filename);
    parser_init(&p, mode, options, arena);
    p.invalid_utf8 = source.invalid;
    struct ast_module *module = finish_parser(&p, options, run(&p));
    source_clear(&source);
    return module;
}

struct ast_module *parse_string(const char *source, size_t len, PyObject *filename,
                                enum parse_mode mode, struct parse_options *options,
                                struct arena *arena)
{
    return parse_bytes(source, len, filename, NULL, mode, options, arena);
}

struct ast_module *parse_stream(FILE *stream, PyObject *filename, const char *encoding,
                                enum parse_mode mode, struct parse_options *options,
                                struct arena *arena)
{
    size_t len = 0, capacity = 1 << 14;
    char *text = PyMem_Malloc(capacity + 1);
    while (text != NULL) {
        size_t got = fread(text + len, 1, capacity - len, stream);
        len += got;
        if (got == 0) {
            break;
        }
        if (len == capacity) {
            char *more = PyMem_Realloc(text, capacity * 2 + 1);
            if (more == NULL) {
                PyMem_Free(text);
            }
            text = more;
            capacity *= 2;
        }
    }
    if (text == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    struct ast_module *module = NULL;
    if (ferror(stream)) {
        PyErr_SetFromErrno(PyExc_OSError);
    } else {
        text[len] = 0;
        module = parse_bytes(text, len, filename, encoding, mode, options, arena);
    }
    PyMem_Free(text);
    return module;
}

/* ---- interactive input ---- */

struct interactive {
    parse_readline *readline;
    void *context;
    bool continued;
};

static int read_interactive(struct tokenizer *tok)
{
    struct interactive *input = tok->refill_context;
    PyObject *line = input->readline(input->context, input->continued);
    if (line == NULL) {
        return -1;
    }
    Py_ssize_t len;
    int rc = -1;
    const char *utf8 = PyUnicode_AsUTF8AndSize(line, &len);
    if (utf8 == NULL) {
        /* The exception is set. */
    } else if (len == 0) {
        rc = 0;
    } else if (memchr(utf8, 0, (size_t)len) != NULL) {
        PyErr_SetString(PyExc_SyntaxError, "source code cannot contain null bytes");
    } else {
        rc = tok_append(tok, utf8, (size_t)len);
        if (rc == 0 && utf8[len - 1] != '\n') {
            rc = tok_append(tok, "\n", 1);
        }
        rc = rc == 0 ? 1 : -1;
        input->continued = true;
    }
    Py_DECREF(line);
    return rc;
}

struct ast_module *parse_interactive(parse_readline *readline, void *context, PyObject *filename,
                                     struct parse_options *options, struct arena *arena,
                                     int *at_end, PyObject **consumed)
{
    struct interactive input = {readline, context, false};
    struct parser p = {0};
    tok_init(&p.tok, "", 0, filename);
    p.tok.interactive = true;
    p.tok.refill = read_interactive;
    p.tok.refill_context = &input;
    parser_init(&p, PARSE_SINGLE, options, arena);
    *at_end = 0;

    struct ast_module *module = NULL;
    if (peek(&p) == TOK_ENDMARKER && p.tok.end == p.tok.text) {
        *at_end = 1;
    } else if (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_SyntaxError)) {
        module = run(&p);
    }
    if (consumed != NULL) {
        PyObject *raised = PyErr_GetRaisedException();
        *consumed = PyUnicode_DecodeUTF8(p.tok.text, p.tok.end - p.tok.text, "replace");
        if (*consumed == NULL) {
            module = NULL;
        }
        if (raised != NULL) {
            PyErr_SetRaisedException(raised);
        }
    }
    return finish_parser(&p, options, module);
}
