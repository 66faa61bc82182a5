/* _tokenize: the tokenizer for Python programs, as an iterator over a readline function. */

#include "tokenizer.h"

#include <string.h>

struct tokenizer_iter {
    PyObject ob_base;
    struct tokenizer tok;
    PyObject *readline;
    PyObject *encoding; /* str, or NULL: readline gives str */
    PyObject *filename;
    PyObject *line;               /* the text of the line that the last token was in */
    int32_t line_start, line_end; /* where it lies */
    int32_t last_line;            /* the line the last token ended in */
    bool done;
    bool busy; /* a thread is inside next() */
};

#include "tokenize_module.bind.h"

/* ---- reading ---- */

/* One line as str (new reference); NULL without an exception at the end. */
static PyObject *read_line(struct tokenizer_iter *self)
{
    PyObject *line = PyObject_CallNoArgs(self->readline);
    if (line == NULL) {
        if (PyErr_ExceptionMatches(PyExc_StopIteration)) {
            PyErr_Clear();
        }
        return NULL;
    }
    if (self->encoding == NULL) {
        if (!PyUnicode_Check(line)) {
            PyErr_Format(PyExc_TypeError, "readline() returned a non-string object");
            Py_CLEAR(line);
        }
        return line;
    }
    PyObject *text = NULL;
    if (!PyBytes_Check(line)) {
        PyErr_Format(PyExc_TypeError, "readline() returned a non-bytes object");
    } else {
        const char *encoding = PyUnicode_AsUTF8(self->encoding);
        if (encoding != NULL) {
            text = PyUnicode_Decode(PyBytes_AS_STRING(line), PyBytes_GET_SIZE(line), encoding,
                                    "replace");
        }
    }
    Py_DECREF(line);
    return text;
}

static int refill(struct tokenizer *tok)
{
    struct tokenizer_iter *self = tok->refill_context;
    PyObject *line = read_line(self);
    if (line == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    Py_ssize_t len;
    const char *text = PyUnicode_AsUTF8AndSize(line, &len);
    int rc = -1;
    if (text == NULL) {
        /* The exception is set. */
    } else if (memchr(text, 0, (size_t)len) != NULL) {
        PyErr_SetString(PyExc_SyntaxError, "source code cannot contain null bytes");
    } else if (len == 0) {
        rc = 0;
    } else {
        rc = tok_append(tok, text, (size_t)len);
        if (rc == 0 && text[len - 1] != '\n') {
            tok->implicit_newline = true;
            rc = tok_append(tok, "\n", 1);
        }
        rc = rc == 0 ? 1 : -1;
    }
    Py_DECREF(line);
    return rc;
}

/* ---- errors ---- */

static void raise_trouble(struct tokenizer_iter *self)
{
    const struct tokenizer *tok = &self->tok;
    PyObject *type = PyExc_SyntaxError;
    const char *message = "unknown tokenization error";
    const char *end = strchr(tok->line_start, '\n');
    Py_ssize_t col = -1;

    if (PyErr_Occurred()) {
        return;
    }
    end = end ? end + 1 : tok->end;
    switch ((enum tok_trouble)tok->trouble) {
    case TROUBLE_EOF:
        PyErr_SetString(PyExc_SyntaxError, "unexpected EOF in multi-line statement");
        PyErr_SyntaxLocationObject(self->filename, tok->line, (int)(end - tok->line_start));
        return;
    case TROUBLE_DEDENT:
        type = PyExc_IndentationError;
        message = "unindent does not match any outer indentation level";
        break;
    case TROUBLE_TABSPACE:
        type = PyExc_TabError;
        message = "inconsistent use of tabs and spaces in indentation";
        break;
    case TROUBLE_TOODEEP:
        type = PyExc_IndentationError;
        message = "too many levels of indentation";
        break;
    case TROUBLE_LINECONT:
        col = tok->cur - tok->line_start - 1;
        message = "unexpected character after line continuation character";
        break;
    case TROUBLE_NONE:
    case TROUBLE_RAISED:
    case TROUBLE_DECODE:
        break;
    }
    bool newline = end > tok->line_start && end[-1] == '\n';
    end -= newline;
    PyObject *text = PyUnicode_DecodeUTF8(tok->line_start, end - tok->line_start, "replace");
    if (text == NULL) {
        return;
    }
    if (col < 0) {
        col = PyUnicode_GET_LENGTH(text) + newline;
    }
    PyObject *args = Py_BuildValue("(s(OinNOO))", message, self->filename, tok->line, col, text,
                                   Py_None, Py_None);
    if (args != NULL) {
        PyErr_SetObject(type, args);
        Py_DECREF(args);
    }
}

/* ---- tokens as tuples ---- */

static Py_ssize_t chars_between(const struct tokenizer *tok, int32_t from, int32_t to)
{
    const char *p = tok->text + from, *end = tok->text + to;
    Py_ssize_t count = 0;
    for (; p < end; p++) {
        count += ((unsigned char)*p & 0xC0) != 0x80;
    }
    return count;
}

/* The physical lines of a token: from `start` to the end of the line being read (new reference). */
static PyObject *line_text(struct tokenizer_iter *self, int32_t start)
{
    const struct tokenizer *tok = &self->tok;
    const char *newline = strchr(tok->line_start, '\n');
    int32_t end = (int32_t)((newline ? newline + 1 : tok->end) - tok->text);
    if (self->line != NULL && self->line_start == start && self->line_end == end) {
        return Py_NewRef(self->line);
    }
    int32_t shown = end - (tok->implicit_newline && tok->text + end == tok->end && end > start);
    PyObject *line = PyUnicode_DecodeUTF8(tok->text + start, shown - start, "replace");
    if (line != NULL) {
        Py_XSETREF(self->line, Py_NewRef(line));
        self->line_start = start;
        self->line_end = end;
    }
    return line;
}

static int public_kind(const struct tokenizer *tok, int kind)
{
    if (kind >= KW_FALSE) {
        return TOK_NAME;
    }
    return tok->extra_tokens && kind > TOK_DEDENT && kind < TOK_OP ? TOK_OP : kind;
}

static PyObject *token_tuple(struct tokenizer_iter *self, struct token *t)
{
    const struct tokenizer *tok = &self->tok;
    int kind = t->kind;
    bool extra = tok->extra_tokens, empty = t->col == -1;
    bool trailing = kind == TOK_ENDMARKER || (kind == TOK_DEDENT && tok->at_eof);
    int32_t line_start = (int32_t)(tok->line_start - tok->text);
    int32_t start_line = empty || t->line == t->end_line ? line_start : t->start - t->col;
    int32_t start = t->start, end = t->end;
    Py_ssize_t line = t->line, end_line = t->end_line, col = -1, end_col = -1;
    PyObject *text = NULL;

    if (!empty) {
        col = chars_between(tok, start_line, start);
        end_col = end >= line_start ? chars_between(tok, line_start, end) : -1;
    }
    if (extra && (kind == TOK_INDENT || kind == TOK_DEDENT) && !trailing) {
        int32_t cursor = (int32_t)(tok->cur - tok->text);
        start = kind == TOK_INDENT ? line_start : cursor;
        end = cursor;
        col = chars_between(tok, line_start, start);
        end_col = chars_between(tok, line_start, end);
        empty = false;
    }
    /* The end of the text has no line, unless that of the token before is still the current one. */
    bool no_line = trailing && (extra || tok->line != self->last_line);
    PyObject *physical = no_line ? PyUnicode_FromString("") : line_text(self, start_line);
    self->last_line = tok->line;
    if (extra && trailing) {
        line = end_line = end_line + 1;
        col = end_col = 0;
    }
    if (extra && (kind == TOK_NEWLINE || kind == TOK_NL)) {
        bool made_up = tok->implicit_newline && tok->text + end == tok->end;
        bool carriage = start > 0 && tok->text[start] == '\n' && tok->text[start - 1] == '\r';
        if (carriage) {
            col--;
            end_col = col + 2;
        }
        text = PyUnicode_FromString(made_up ? "" : carriage ? "\r\n" : "\n");
    } else if (empty) {
        text = PyUnicode_FromString("");
    } else {
        if (!extra && kind == TOK_NEWLINE) {
            end--; /* a comment counts, the newline does not */
            end_col = chars_between(tok, line_start, end);
        }
        text = PyUnicode_DecodeUTF8(tok->text + start, end - start, "replace");
    }
    if (text == NULL || physical == NULL) {
        Py_XDECREF(text);
        Py_XDECREF(physical);
        return NULL;
    }
    return Py_BuildValue("(iN(nn)(nn)N)", public_kind(tok, kind), text, line, col, end_line,
                         end_col, physical);
}

/* Drops text that no token needs any more, so that a long stream does not stay in memory. */
static void drop_consumed(struct tokenizer *tok)
{
    size_t used = (size_t)(tok->line_start - tok->text);
    if (tok->owned == NULL || used < (1 << 16) || tok->fstring > 0) {
        return;
    }
    size_t rest = (size_t)(tok->end - tok->line_start);
    memmove(tok->owned, tok->line_start, rest + 1);
    tok->cur -= used;
    tok->line_start -= used;
    tok->end -= used;
}

static PyObject *iter_next_locked(struct tokenizer_iter *self)
{
    struct token token;
    if (self->done) {
        PyErr_SetString(PyExc_StopIteration, "EOF");
        return NULL;
    }
    drop_consumed(&self->tok);
    int kind = tok_next(&self->tok, &token);
    if (kind == TOK_ERROR) {
        raise_trouble(self);
        return NULL;
    }
    if (kind == TOK_ENDMARKER) {
        self->done = true;
        if (self->tok.line == 0 && !self->tok.extra_tokens) {
            PyErr_SetString(PyExc_StopIteration, "EOF"); /* nothing at all */
            return NULL;
        }
    }
    return token_tuple(self, &token);
}

static PyObject *iter_next(PyObject *op)
{
    struct tokenizer_iter *self = (struct tokenizer_iter *)op;
    PyObject *result = NULL;
    Py_BEGIN_CRITICAL_SECTION(op);
    if (self->busy) {
        /* readline() asks for a token, or gave way to a thread that does. */
        PyErr_SetString(PyExc_ValueError, "tokenizer already executing");
    } else {
        self->busy = true;
        result = iter_next_locked(self);
        self->busy = false;
    }
    Py_END_CRITICAL_SECTION();
    return result;
}

/* ---- the type ---- */

static PyObject *tokenizer_iter_new(PyTypeObject *type, PyObject *readline, int extra_tokens,
                                    PyObject *encoding)
{
    struct tokenizer_iter *self = (struct tokenizer_iter *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->filename = PyUnicode_FromString("<string>");
    if (self->filename == NULL) {
        Py_DECREF(self);
        return NULL;
    }
    self->readline = Py_NewRef(readline);
    self->encoding = Py_XNewRef(encoding);
    tok_init(&self->tok, "", 0, self->filename);
    self->tok.extra_tokens = extra_tokens;
    self->tok.refill = refill;
    self->tok.refill_context = self;
    return (PyObject *)self;
}

static int iter_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct tokenizer_iter *self = (struct tokenizer_iter *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->readline);
    return 0;
}

static int iter_clear(PyObject *op)
{
    Py_CLEAR(((struct tokenizer_iter *)op)->readline);
    return 0;
}

static void iter_dealloc(PyObject *op)
{
    struct tokenizer_iter *self = (struct tokenizer_iter *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    tok_clear(&self->tok);
    Py_XDECREF(self->readline);
    Py_XDECREF(self->encoding);
    Py_XDECREF(self->filename);
    Py_XDECREF(self->line);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot iter_slots[] = {
    {Py_tp_new, bind_tokenizer_iter_new},
    {Py_tp_dealloc, iter_dealloc},
    {Py_tp_traverse, iter_traverse},
    {Py_tp_clear, iter_clear},
    {Py_tp_getattro, PyObject_GenericGetAttr},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, iter_next},
    {0, NULL},
};

static PyType_Spec iter_spec = {
    .name = "_tokenize.TokenizerIter",
    .basicsize = sizeof(struct tokenizer_iter),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = iter_slots,
};

static int tokenize_exec(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &iter_spec, NULL);
    int rc = type ? PyModule_AddType(module, (PyTypeObject *)type) : -1;
    Py_XDECREF(type);
    return rc;
}

static PyModuleDef_Slot tokenize_slots[] = {
    {Py_mod_exec, tokenize_exec},
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
    {0, NULL},
};

static PyModuleDef tokenize_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_tokenize",
    .m_slots = tokenize_slots,
};

PyMODINIT_FUNC PyInit__tokenize(void)
{
    return PyModuleDef_Init(&tokenize_definition);
}
