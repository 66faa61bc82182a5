/* SyntaxErrors: their positions and their line of text. */

#include "parser.h"

#include <stdarg.h>
#include <string.h>

void *parser_fail(struct parser *p)
{
    p->failed = true;
    p->limit = 0;
    return NULL;
}

struct ast_pos token_pos(const struct token *t)
{
    return (struct ast_pos){t->line, t->col, t->end_line, t->end_col};
}

/* ---- the text of a line ---- */

/* The source line `line`, with its newline (new str). */
static PyObject *error_line(struct parser *p, int line)
{
    const struct tokenizer *tok = &p->tok;
    const char *start = tok->text, *end;
    if (tok->line <= line && tok->end > tok->line_start) {
        start = tok->line_start; /* the line being read, with its end */
        end = strchr(start, '\n');
    } else {
        for (int i = 1; i < line; i++) {
            const char *newline = strchr(start, '\n');
            if (newline == NULL) {
                break;
            }
            start = newline + 1;
        }
        end = strchr(start, '\n');
        return PyUnicode_DecodeUTF8(start, (end ? end : tok->end) - start, "replace");
    }
    end = end ? end + 1 : tok->end;
    return PyUnicode_DecodeUTF8(start, end - start, "replace");
}

/* The number of characters in the first `offset` bytes of a line. */
static Py_ssize_t chars_in(PyObject *line, Py_ssize_t offset)
{
    Py_ssize_t len;
    const char *utf8 = PyUnicode_AsUTF8AndSize(line, &len);
    if (utf8 == NULL || offset < 0) {
        PyErr_Clear();
        return offset;
    }
    Py_ssize_t beyond = 0;
    if (offset > len) {
        beyond = 1; /* at most one place behind the end */
        offset = len;
    }
    PyObject *text = PyUnicode_DecodeUTF8(utf8, offset, "replace");
    if (text == NULL) {
        PyErr_Clear();
        return offset;
    }
    Py_ssize_t chars = PyUnicode_GET_LENGTH(text) + beyond;
    Py_DECREF(text);
    return chars;
}

/* ---- raising ---- */

/* Columns count from 1 here, or are 0 or -1 for none. */
static void *raise_columns(struct parser *p, PyObject *type, int line, Py_ssize_t col, int end_line,
                           Py_ssize_t end_col, const char *format, va_list arguments)
{
    PyObject *message = NULL, *text = NULL, *args = NULL;
    if (p->failed && PyErr_Occurred()) {
        return NULL;
    }
    if (end_line == PLACE_CURSOR) {
        end_line = p->tok.line;
    }
    if (end_col == PLACE_CURSOR) {
        end_col = p->tok.cur - p->tok.line_start;
    }
    message = PyUnicode_FromFormatV(format, arguments);
    text = error_line(p, line);
    if (message != NULL && text != NULL) {
        col = chars_in(text, col);
        if (end_col > 0) {
            end_col = chars_in(text, end_col);
        }
        args = Py_BuildValue("(O(OinOin))", message, p->tok.filename ? p->tok.filename : Py_None,
                             line, col, text, end_line, end_col);
        if (args != NULL) {
            PyErr_SetObject(type, args);
        }
    }
    Py_XDECREF(args);
    Py_XDECREF(text);
    Py_XDECREF(message);
    return parser_fail(p);
}

void *raise_va(struct parser *p, PyObject *type, struct ast_pos pos, const char *format,
               va_list arguments)
{
    Py_ssize_t end_col = pos.end_col == PLACE_CURSOR ? PLACE_CURSOR : pos.end_col + 1;
    return raise_columns(p, type, pos.line, pos.col + 1, pos.end_line, end_col, format, arguments);
}

void *raise_at(struct parser *p, PyObject *type, struct ast_pos pos, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    raise_va(p, type, pos, format, arguments);
    va_end(arguments);
    return NULL;
}

void *syntax_error(struct parser *p, struct ast_pos pos, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    raise_va(p, PyExc_SyntaxError, pos, format, arguments);
    va_end(arguments);
    return NULL;
}

void *syntax_error_range(struct parser *p, struct ast_pos start, struct ast_pos end,
                         const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    raise_va(p, PyExc_SyntaxError, span(start, end), format, arguments);
    va_end(arguments);
    return NULL;
}

void *syntax_error_from(struct parser *p, struct ast_pos start, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    start.end_line = start.end_col = PLACE_CURSOR;
    raise_va(p, PyExc_SyntaxError, start, format, arguments);
    va_end(arguments);
    return NULL;
}

static void raise_unclosed(struct parser *p)
{
    int level = p->tok.level - 1;
    struct ast_pos pos = {p->tok.paren_lines[level], p->tok.paren_cols[level],
                          p->tok.paren_lines[level], -1};
    syntax_error(p, pos, "'%c' was never closed", p->tok.parens[level]);
}

/* At the last token that was read, whatever it is. */
static void *raise_last_va(struct parser *p, PyObject *type, const char *format, va_list arguments)
{
    if (p->count == 0) {
        return raise_columns(p, type, 0, 0, 0, -1, format, arguments);
    }
    const struct token *t = &p->tokens[p->count - 1];
    if (t->col == -1) {
        return raise_columns(p, type, t->line, p->tok.cur - p->tok.line_start, t->end_line, -1,
                             format, arguments);
    }
    return raise_columns(p, type, t->line, t->col + 1, t->end_line,
                         t->end_col == -1 ? -1 : t->end_col + 1, format, arguments);
}

static void *raise_here_va(struct parser *p, PyObject *type, const char *format, va_list arguments)
{
    if (p->failed && PyErr_Occurred()) {
        return NULL;
    }
    if (p->count > 0 && p->tokens[p->count - 1].kind == TOK_ERROR && p->tok.trouble == TROUBLE_EOF
        && p->tok.level > 0) {
        raise_unclosed(p);
        return NULL;
    }
    return raise_last_va(p, type, format, arguments);
}

void *raise_last(struct parser *p, PyObject *type, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    raise_last_va(p, type, format, arguments);
    va_end(arguments);
    return NULL;
}

void *raise_here(struct parser *p, PyObject *type, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    raise_here_va(p, type, format, arguments);
    va_end(arguments);
    return NULL;
}

void *syntax_error_here(struct parser *p, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    raise_here_va(p, PyExc_SyntaxError, format, arguments);
    va_end(arguments);
    return NULL;
}

/* An error in a literal's escapes came from a codec: as a SyntaxError of the last token. */
void wrap_decode_error(struct parser *p)
{
    const char *kind;
    if (PyErr_ExceptionMatches(PyExc_UnicodeError)) {
        kind = "unicode error";
    } else if (PyErr_ExceptionMatches(PyExc_ValueError)) {
        kind = "value error";
    } else {
        return;
    }
    PyObject *error = PyErr_GetRaisedException();
    PyObject *text = PyObject_Str(error);
    Py_DECREF(error);
    p->failed = false;
    if (text != NULL) {
        syntax_error_here(p, "(%s) %U", kind, text);
        Py_DECREF(text);
    } else {
        PyErr_Clear();
        syntax_error_here(p, "(%s) unknown error", kind);
    }
}

/* ---- what the tokenizer leaves to us ---- */

void raise_trouble(struct parser *p)
{
    struct tokenizer *tok = &p->tok;
    struct ast_pos line_start = {tok->line, 0, tok->line, -1};

    switch ((enum tok_trouble)tok->trouble) {
    case TROUBLE_NONE:
    case TROUBLE_RAISED:
        break;
    case TROUBLE_DECODE:
        wrap_decode_error(p);
        break;
    case TROUBLE_EOF:
        if (tok->level > 0) {
            raise_unclosed(p);
        } else {
            struct ast_pos nowhere = {tok->line, -1, tok->line, -1};
            if (p->pos == 0) {
                syntax_error(p, nowhere, "unexpected EOF while parsing");
            } else {
                syntax_error_here(p, "unexpected EOF while parsing");
            }
        }
        break;
    case TROUBLE_DEDENT:
        raise_here(p, PyExc_IndentationError,
                   "unindent does not match any outer indentation level");
        break;
    case TROUBLE_TABSPACE:
        raise_at(p, PyExc_TabError, line_start,
                 "inconsistent use of tabs and spaces in indentation");
        break;
    case TROUBLE_TOODEEP:
        raise_at(p, PyExc_IndentationError, line_start, "too many levels of indentation");
        break;
    case TROUBLE_LINECONT:
        line_start.col = (int32_t)(tok->cur - tok->line_start) - 1;
        if (line_start.col < 0) {
            line_start.col = 0;
        }
        syntax_error(p, line_start, "unexpected character after line continuation character");
        break;
    }
    parser_fail(p);
}

/* Tokenizes the rest of the source: an error there is more likely to be the cause of the trouble than
   what the parser stumbled over. */
static void check_rest(struct parser *p)
{
    struct tokenizer *tok = &p->tok;
    if (tok->interactive || p->count == 0) {
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    int line = p->tokens[p->count - 1].line;
    struct token token;
    int kind;
    do {
        kind = tok_next(tok, &token);
    } while (kind != TOK_ERROR && kind != TOK_ENDMARKER);
    if (tok->fstring > 0) {
        PyErr_Clear(); /* inside an f-string that is not what went wrong */
    } else if (kind == TOK_ERROR && !PyErr_Occurred() && tok->level > 0
               && line > tok->paren_lines[tok->level - 1]) {
        p->failed = false;
        raise_unclosed(p);
    }
    if (PyErr_Occurred()) {
        Py_XDECREF(raised);
    } else {
        PyErr_SetRaisedException(raised);
    }
}

void raise_final(struct parser *p, int last_token)
{
    if (PyErr_Occurred()) {
        if (p->tok.trouble == TROUBLE_NONE && PyErr_ExceptionMatches(PyExc_SyntaxError)) {
            check_rest(p);
        }
        return;
    }
    p->failed = false;
    if (last_token < 0) {
        syntax_error_here(p, "error at start before reading any input");
        return;
    }
    const struct token *t = &p->tokens[last_token];
    if (t->kind == TOK_ERROR && p->tok.trouble == TROUBLE_EOF) {
        raise_trouble(p);
        return;
    }
    if (t->kind == TOK_INDENT || t->kind == TOK_DEDENT) {
        raise_here(p, PyExc_IndentationError,
                   t->kind == TOK_INDENT ? "unexpected indent" : "unexpected unindent");
        return;
    }
    syntax_error(p, token_pos(t), "invalid syntax");
    check_rest(p);
}

int check_version(struct parser *p, int minor, const char *what)
{
    if (p->feature_version >= minor || p->failed) {
        return 0;
    }
    syntax_error_here(p, "%s only supported in Python 3.%i and greater", what, minor);
    return -1;
}
