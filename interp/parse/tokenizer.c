/* The tokenizer's main loop: lines and indentation, names, operators and brackets.  Numbers are in
   tokenizer_number.c, strings in tokenizer_string.c. */

#include "tokenizer.h"

#include <stdarg.h>
#include <string.h>

enum { TAB_SIZE = 8 };

/* ---- text ---- */

void tok_init(struct tokenizer *tok, const char *text, size_t len, PyObject *filename)
{
    memset(tok, 0, sizeof(*tok));
    tok->text = tok->cur = tok->line_start = text;
    tok->end = text + len;
    tok->at_line_start = true;
    tok->filename = filename;
}

void tok_clear(struct tokenizer *tok)
{
    PyMem_Free(tok->owned);
    PyMem_Free(tok->fstrings);
    tok->owned = NULL;
    tok->fstrings = NULL;
}

int tok_append(struct tokenizer *tok, const char *bytes, size_t len)
{
    size_t used = (size_t)(tok->end - tok->text);
    if (len >= INT32_MAX - used) {
        PyErr_NoMemory();
        return -1;
    }
    if (tok->owned == NULL || used + len + 1 > tok->capacity) {
        size_t capacity = (used + len + 1) * 2;
        char *text = PyMem_Realloc(tok->owned, capacity);
        if (text == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        if (tok->owned == NULL) {
            memcpy(text, tok->text, used);
        }
        tok->cur = text + (tok->cur - tok->text);
        tok->line_start = text + (tok->line_start - tok->text);
        tok->text = tok->owned = text;
        tok->capacity = capacity;
    }
    memcpy(tok->owned + used, bytes, len);
    tok->owned[used + len] = 0;
    tok->end = tok->text + used + len;
    return 0;
}

int tok_char_slow(struct tokenizer *tok)
{
    if (tok->cur < tok->end || tok->trouble == TROUBLE_RAISED) {
        return TOK_END; /* a NUL in the text: the caller has refused it before */
    }
    if (tok->refill != NULL && !tok->at_eof) {
        int more = tok->refill(tok);
        if (more > 0) {
            return (unsigned char)*tok->cur++;
        }
        if (more < 0) {
            tok->trouble = TROUBLE_RAISED;
        }
    }
    tok->at_eof = true;
    return TOK_END;
}

/* ---- errors ---- */

int tok_error_va(struct tokenizer *tok, Py_ssize_t col, Py_ssize_t end_col, const char *format,
                 va_list arguments)
{
    if (tok->trouble == TROUBLE_RAISED) {
        return TOK_ERROR; /* the first error stays */
    }
    tok->trouble = TROUBLE_RAISED;
    PyObject *message = PyUnicode_FromFormatV(format, arguments);
    PyObject *text = NULL, *args = NULL;
    if (message == NULL) {
        return TOK_ERROR;
    }
    if (col < 0) {
        PyObject *before =
            PyUnicode_DecodeUTF8(tok->line_start, tok->cur - tok->line_start, "replace");
        if (before == NULL) {
            goto done;
        }
        col = PyUnicode_GET_LENGTH(before);
        Py_DECREF(before);
    }
    if (end_col < 0) {
        end_col = col;
    }
    size_t len = strcspn(tok->line_start, "\n");
    text = PyUnicode_DecodeUTF8(tok->line_start, (Py_ssize_t)len, "replace");
    if (text == NULL) {
        goto done;
    }
    args = Py_BuildValue("(O(OinOin))", message, tok->filename ? tok->filename : Py_None, tok->line,
                         col, text, tok->line, end_col);
    if (args != NULL) {
        PyErr_SetObject(PyExc_SyntaxError, args);
    }
done:
    Py_XDECREF(args);
    Py_XDECREF(text);
    Py_DECREF(message);
    return TOK_ERROR;
}

int tok_error(struct tokenizer *tok, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    tok_error_va(tok, -1, -1, format, arguments);
    va_end(arguments);
    return TOK_ERROR;
}

int tok_error_range(struct tokenizer *tok, Py_ssize_t col, Py_ssize_t end_col, const char *format,
                    ...)
{
    va_list arguments;
    va_start(arguments, format);
    tok_error_va(tok, col, end_col, format, arguments);
    va_end(arguments);
    return TOK_ERROR;
}

static int tok_stop(struct tokenizer *tok, enum tok_trouble trouble)
{
    if (tok->trouble != TROUBLE_RAISED) {
        tok->trouble = (uint8_t)trouble;
    }
    return TOK_ERROR;
}

/* Errors of indentation are reported at the end of their line. */
static int tok_stop_line(struct tokenizer *tok, enum tok_trouble trouble)
{
    const char *newline = strchr(tok->cur, '\n');
    tok->cur = newline ? newline + 1 : tok->end;
    return tok_stop(tok, trouble);
}

int tok_warn(struct tokenizer *tok, PyObject *category, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    PyObject *message = PyUnicode_FromFormatV(format, arguments);
    va_end(arguments);
    if (message == NULL) {
        tok->trouble = TROUBLE_RAISED;
        return -1;
    }
    int rc = PyErr_WarnExplicitObject(category, message, tok->filename, tok->line, NULL, NULL);
    if (rc < 0) {
        if (PyErr_ExceptionMatches(category)) {
            /* The warning is an error now: give it a position. */
            PyErr_Clear();
            tok_error(tok, "%U", message);
        }
        tok->trouble = TROUBLE_RAISED;
    }
    Py_DECREF(message);
    return rc < 0 ? -1 : 0;
}

/* ---- names ---- */

#define KEYWORD(text_, kind_)                                                                      \
    if (memcmp(text, text_, sizeof(text_) - 1) == 0) {                                             \
        return kind_;                                                                              \
    }
#define CASE(len, first) case (len) << 8 | (first)

int tok_keyword(const char *text, size_t len)
{
    if (len < 2 || len > 8) {
        return TOK_NAME;
    }
    switch (len << 8 | (unsigned char)text[0]) {
        CASE(2, 'a') : KEYWORD("as", KW_AS) break;
        CASE(2, 'i') : KEYWORD("if", KW_IF) KEYWORD("in", KW_IN) KEYWORD("is", KW_IS) break;
        CASE(2, 'o') : KEYWORD("or", KW_OR) break;
        CASE(3, 'a') : KEYWORD("and", KW_AND) break;
        CASE(3, 'd') : KEYWORD("def", KW_DEF) KEYWORD("del", KW_DEL) break;
        CASE(3, 'f') : KEYWORD("for", KW_FOR) break;
        CASE(3, 'n') : KEYWORD("not", KW_NOT) break;
        CASE(3, 't') : KEYWORD("try", KW_TRY) break;
        CASE(4, 'N') : KEYWORD("None", KW_NONE) break;
        CASE(4, 'T') : KEYWORD("True", KW_TRUE) break;
        CASE(4, 'e') : KEYWORD("elif", KW_ELIF) KEYWORD("else", KW_ELSE) break;
        CASE(4, 'f') : KEYWORD("from", KW_FROM) break;
        CASE(4, 'p') : KEYWORD("pass", KW_PASS) break;
        CASE(4, 'w') : KEYWORD("with", KW_WITH) break;
        CASE(5, 'F') : KEYWORD("False", KW_FALSE) break;
        CASE(5, 'a') : KEYWORD("async", KW_ASYNC) KEYWORD("await", KW_AWAIT) break;
        CASE(5, 'b') : KEYWORD("break", KW_BREAK) break;
        CASE(5, 'c') : KEYWORD("class", KW_CLASS) break;
        CASE(5, 'r') : KEYWORD("raise", KW_RAISE) break;
        CASE(5, 'w') : KEYWORD("while", KW_WHILE) break;
        CASE(5, 'y') : KEYWORD("yield", KW_YIELD) break;
        CASE(6, 'a') : KEYWORD("assert", KW_ASSERT) break;
        CASE(6, 'e') : KEYWORD("except", KW_EXCEPT) break;
        CASE(6, 'g') : KEYWORD("global", KW_GLOBAL) break;
        CASE(6, 'i') : KEYWORD("import", KW_IMPORT) break;
        CASE(6, 'l') : KEYWORD("lambda", KW_LAMBDA) break;
        CASE(6, 'r') : KEYWORD("return", KW_RETURN) break;
        CASE(7, 'f') : KEYWORD("finally", KW_FINALLY) break;
        CASE(8, 'c') : KEYWORD("continue", KW_CONTINUE) break;
        CASE(8, 'n') : KEYWORD("nonlocal", KW_NONLOCAL) break;
    }
    return TOK_NAME;
}

#undef KEYWORD
#undef CASE

enum { CHAR_START = 1, CHAR_DIGIT = 2, CHAR_SPACE = 4 };

/* Bytes by what they may be part of; all bytes of other scripts count as letters at first. */
static const uint8_t char_class[256] = {
    ['a' ... 'z'] = CHAR_START, ['A' ... 'Z'] = CHAR_START, ['_'] = CHAR_START,
    [128 ... 255] = CHAR_START, ['0' ... '9'] = CHAR_DIGIT, [' '] = CHAR_SPACE,
    ['\t'] = CHAR_SPACE,        ['\f'] = CHAR_SPACE,
};

static int raise_bad_character(struct tokenizer *tok, Py_UCS4 c)
{
    if (Py_UNICODE_ISPRINTABLE(c)) {
        return tok_error(tok, "invalid character '%c' (U+%04X)", (int)c, (int)c);
    }
    return tok_error(tok, "invalid non-printable character U+%04X", (int)c);
}

/* A name with bytes beyond ASCII, from `start` to the cursor, must be an identifier. */
int tok_check_identifier(struct tokenizer *tok, int32_t start)
{
    const char *text = tok->text + start;
    PyObject *name = PyUnicode_DecodeUTF8(text, tok->cur - text, NULL);
    if (name == NULL) {
        tok->trouble =
            PyErr_ExceptionMatches(PyExc_UnicodeDecodeError) ? TROUBLE_DECODE : TROUBLE_RAISED;
        return TOK_ERROR;
    }
    int valid = PyUnicode_IsIdentifier(name);
    if (valid > 0) {
        Py_DECREF(name);
        return TOK_NAME;
    }
    /* Find the first character that does not belong: the shortest prefix that is wrong. */
    Py_ssize_t bad = 1, len = PyUnicode_GET_LENGTH(name);
    for (Py_ssize_t high = len; valid == 0 && bad < high;) {
        Py_ssize_t middle = bad + (high - bad) / 2;
        PyObject *prefix = PyUnicode_Substring(name, 0, middle);
        int good = prefix ? PyUnicode_IsIdentifier(prefix) : -1;
        Py_XDECREF(prefix);
        if (good < 0) {
            valid = -1;
        } else if (good) {
            bad = middle + 1;
        } else {
            high = middle;
        }
    }
    Py_UCS4 c = PyUnicode_READ_CHAR(name, bad - 1);
    Py_DECREF(name);
    if (valid < 0) {
        tok->trouble = TROUBLE_RAISED;
        return TOK_ERROR;
    }
    tok->cur = text;
    for (Py_ssize_t i = 0; i < bad; i++) {
        do {
            tok->cur++;
        } while (((unsigned char)*tok->cur & 0xC0) == 0x80);
    }
    return raise_bad_character(tok, c);
}

/* Letters that stand before a quote: sets *quote and *kinds and leaves the cursor behind the quote. */
enum { PREFIX_R = 1, PREFIX_B = 2, PREFIX_U = 4, PREFIX_F = 8 };

static int prefix_letter(int c)
{
    switch (c) {
    case 'r':
    case 'R':
        return PREFIX_R;
    case 'b':
    case 'B':
        return PREFIX_B;
    case 'u':
    case 'U':
        return PREFIX_U;
    case 'f':
    case 'F':
        return PREFIX_F;
    default:
        return 0;
    }
}

static bool scan_prefix(struct tokenizer *tok, const char *start, int *prefix)
{
    int first = prefix_letter((unsigned char)start[0]);
    const char *next = start + 1;
    *prefix = first;
    if (*next != '"' && *next != '\'') {
        int second = prefix_letter((unsigned char)*next);
        int both = first | second;
        if (second == 0 || first == second
            || (both != (PREFIX_R | PREFIX_B) && both != (PREFIX_R | PREFIX_F))) {
            return false;
        }
        *prefix = both;
        next++;
        if (*next != '"' && *next != '\'') {
            return false;
        }
    }
    tok->cur = next + 1;
    return true;
}

static int scan_name(struct tokenizer *tok, int c, const char *start)
{
    int prefix;
    int32_t offset = (int32_t)(start - tok->text);
    if (prefix_letter(c) != 0 && scan_prefix(tok, start, &prefix)) {
        int quote = (unsigned char)tok->cur[-1];
        return prefix & PREFIX_F ? tok_fstring_begin(tok, quote, offset, (prefix & PREFIX_R) != 0)
                                 : tok_scan_string(tok, quote, offset);
    }
    int all = c;
    const char *cur = tok->cur;
    while (char_class[(unsigned char)*cur] & (CHAR_START | CHAR_DIGIT)) {
        all |= (unsigned char)*cur++;
    }
    tok->cur = cur;
    if (all >= 128 && !tok->extra_tokens) {
        return tok_check_identifier(tok, offset);
    }
    return tok_keyword(start, (size_t)(cur - start));
}

/* ---- lines ---- */

static int push_indent(struct tokenizer *tok, int32_t col, int32_t alt)
{
    if (tok->indent + 1 >= TOK_MAX_INDENT) {
        return tok_stop_line(tok, TROUBLE_TOODEEP);
    }
    if (alt <= tok->alt_indents[tok->indent]) {
        return tok_stop_line(tok, TROUBLE_TABSPACE);
    }
    tok->pending++;
    tok->indent++;
    tok->indents[tok->indent] = col;
    tok->alt_indents[tok->indent] = alt;
    return 0;
}

/* Compares a line's indentation with the levels that are open. */
static int adjust_indent(struct tokenizer *tok, int32_t col, int32_t alt)
{
    if (col > tok->indents[tok->indent]) {
        return push_indent(tok, col, alt);
    }
    while (tok->indent > 0 && col < tok->indents[tok->indent]) {
        tok->pending--;
        tok->indent--;
    }
    if (col != tok->indents[tok->indent]) {
        return tok_stop_line(tok, TROUBLE_DEDENT);
    }
    if (alt != tok->alt_indents[tok->indent]) {
        return tok_stop_line(tok, TROUBLE_TABSPACE);
    }
    return 0;
}

/* The cursor is behind a backslash: the rest of the line must be empty and another must follow. */
static int join_line(struct tokenizer *tok)
{
    int c = tok_char(tok);
    if (c == '\r') {
        c = tok_char(tok);
    }
    if (c != '\n') {
        return tok_stop(tok, TROUBLE_LINECONT);
    }
    c = tok_char(tok);
    if (c == TOK_END) {
        tok->cur = tok->end;
        return tok_stop(tok, TROUBLE_EOF);
    }
    tok_unread(tok, c);
    tok_line_begin(tok);
    return 0;
}

/* Reads the white space that begins a line.  *blank: the line has no code. */
static int begin_line(struct tokenizer *tok, bool *blank)
{
    int32_t col = 0, alt = 0, joined_col = 0;
    int c = tok_char(tok);

    *blank = false;
    tok->at_line_start = false;
    if (c != TOK_END) {
        tok_unread(tok, c);
        tok_line_begin(tok);
    }
    for (;;) {
        c = tok_char(tok);
        if (c == ' ') {
            col++, alt++;
        } else if (c == '\t') {
            col = (col / TAB_SIZE + 1) * TAB_SIZE;
            alt++;
        } else if (c == '\f') {
            col = alt = 0;
        } else if (c == '\\') {
            /* The indentation of joined lines is that of the first one. */
            if (joined_col == 0) {
                joined_col = col;
            }
            if (join_line(tok) != 0) {
                return TOK_ERROR;
            }
        } else {
            break;
        }
    }
    tok_unread(tok, c);
    if (c == '#' || c == '\n' || c == '\r') {
        if (tok->interactive && col == 0 && c == '\n') {
            *blank = false; /* ends the statement */
        } else if (tok->interactive && tok->line == 1) {
            *blank = false;
            col = alt = 0;
        } else {
            *blank = true;
        }
    }
    if (*blank || tok->level > 0) {
        return 0;
    }
    if (joined_col != 0) {
        col = alt = joined_col;
    }
    if (col == tok->indents[tok->indent] && alt == tok->alt_indents[tok->indent]) {
        return 0;
    }
    return adjust_indent(tok, col, alt);
}

/* ---- operators and brackets ---- */

static const uint8_t one_char[128] = {
    ['('] = TOK_LPAR,  [')'] = TOK_RPAR,       ['['] = TOK_LSQB,    [']'] = TOK_RSQB,
    [':'] = TOK_COLON, [','] = TOK_COMMA,      [';'] = TOK_SEMI,    ['+'] = TOK_PLUS,
    ['-'] = TOK_MINUS, ['*'] = TOK_STAR,       ['/'] = TOK_SLASH,   ['|'] = TOK_VBAR,
    ['&'] = TOK_AMPER, ['<'] = TOK_LESS,       ['>'] = TOK_GREATER, ['='] = TOK_EQUAL,
    ['.'] = TOK_DOT,   ['%'] = TOK_PERCENT,    ['{'] = TOK_LBRACE,  ['}'] = TOK_RBRACE,
    ['~'] = TOK_TILDE, ['^'] = TOK_CIRCUMFLEX, ['@'] = TOK_AT,      ['!'] = TOK_EXCLAMATION,
};

static int two_chars(int first, int second)
{
    switch (first) {
    case '+':
        return second == '=' ? TOK_PLUSEQUAL : 0;
    case '-':
        return second == '=' ? TOK_MINEQUAL : second == '>' ? TOK_RARROW : 0;
    case '*':
        return second == '=' ? TOK_STAREQUAL : second == '*' ? TOK_DOUBLESTAR : 0;
    case '/':
        return second == '=' ? TOK_SLASHEQUAL : second == '/' ? TOK_DOUBLESLASH : 0;
    case '%':
        return second == '=' ? TOK_PERCENTEQUAL : 0;
    case '&':
        return second == '=' ? TOK_AMPEREQUAL : 0;
    case '|':
        return second == '=' ? TOK_VBAREQUAL : 0;
    case '^':
        return second == '=' ? TOK_CIRCUMFLEXEQUAL : 0;
    case '@':
        return second == '=' ? TOK_ATEQUAL : 0;
    case ':':
        return second == '=' ? TOK_COLONEQUAL : 0;
    case '=':
        return second == '=' ? TOK_EQEQUAL : 0;
    case '!':
        return second == '=' ? TOK_NOTEQUAL : 0;
    case '<':
        return second == '='   ? TOK_LESSEQUAL
               : second == '<' ? TOK_LEFTSHIFT
               : second == '>' ? TOK_NOTEQUAL
                               : 0;
    case '>':
        return second == '=' ? TOK_GREATEREQUAL : second == '>' ? TOK_RIGHTSHIFT : 0;
    default:
        return 0;
    }
}

static int with_equals(int kind)
{
    switch (kind) {
    case TOK_DOUBLESTAR:
        return TOK_DOUBLESTAREQUAL;
    case TOK_DOUBLESLASH:
        return TOK_DOUBLESLASHEQUAL;
    case TOK_LEFTSHIFT:
        return TOK_LEFTSHIFTEQUAL;
    case TOK_RIGHTSHIFT:
        return TOK_RIGHTSHIFTEQUAL;
    default:
        return 0;
    }
}

static int open_bracket(struct tokenizer *tok, int c, int32_t start)
{
    if (tok->level >= TOK_MAX_PARENS) {
        return tok_error(tok, "too many nested parentheses");
    }
    tok->parens[tok->level] = (char)c;
    tok->paren_lines[tok->level] = tok->line;
    tok->paren_cols[tok->level] = (int32_t)(tok->text + start - tok->line_start);
    tok->level++;
    if (tok->fstring > 0) {
        tok_fstring(tok)->braces++;
    }
    return 0;
}

static bool brackets_match(int opening, int closing)
{
    return (opening == '(' && closing == ')') || (opening == '[' && closing == ']')
           || (opening == '{' && closing == '}');
}

static int close_bracket(struct tokenizer *tok, int c)
{
    struct fstring_mode *mode = tok_fstring(tok);
    if (mode != NULL && mode->braces == 0 && c == '}') {
        return tok_error(tok, "f-string: single '}' is not allowed");
    }
    if (tok->level == 0 && !tok->extra_tokens) {
        return tok_error(tok, "unmatched '%c'", c);
    }
    if (tok->level > 0) {
        int level = --tok->level, opening = tok->parens[level];
        if (!tok->extra_tokens && !brackets_match(opening, c)) {
            if (mode != NULL && opening == '{' && mode->braces - 1 == mode->field_depth) {
                return tok_error(tok, "f-string: unmatched '%c'", c);
            }
            if (tok->paren_lines[level] != tok->line) {
                return tok_error(tok,
                                 "closing parenthesis '%c' does not match opening parenthesis "
                                 "'%c' on line %d",
                                 c, opening, (int)tok->paren_lines[level]);
            }
            return tok_error(tok,
                             "closing parenthesis '%c' does not match opening parenthesis '%c'", c,
                             opening);
        }
    }
    if (mode != NULL) {
        mode->braces--;
        if (mode->braces < 0) {
            return tok_error(tok, "f-string: unmatched '%c'", c);
        }
        if (c == '}' && mode->braces == mode->field_depth) {
            mode->field_depth--;
            mode->in_text = true;
            mode->in_format_spec = false;
        }
    }
    return 0;
}

static int scan_operator(struct tokenizer *tok, int c, int32_t start)
{
    struct fstring_mode *mode = tok_fstring(tok);
    if (mode != NULL && c == ':' && mode->field_depth >= 0
        && mode->braces - 1 == mode->field_depth) {
        mode->in_text = true;
        mode->in_format_spec = true;
        return TOK_COLON;
    }
    int kind = two_chars(c, (unsigned char)*tok->cur);
    if (kind != 0) {
        tok->cur++;
        int longer = *tok->cur == '=' ? with_equals(kind) : 0;
        if (longer != 0) {
            tok->cur++;
            kind = longer;
        }
        return kind;
    }
    switch (c) {
    case '(':
    case '[':
    case '{':
        if (open_bracket(tok, c, start) != 0) {
            return TOK_ERROR;
        }
        break;
    case ')':
    case ']':
    case '}':
        if (close_bracket(tok, c) != 0) {
            return TOK_ERROR;
        }
        break;
    }
    if (c < 128 && one_char[c] != 0) {
        return one_char[c];
    }
    if (!Py_UNICODE_ISPRINTABLE((Py_UCS4)c)) {
        return raise_bad_character(tok, (Py_UCS4)c);
    }
    return TOK_OP;
}

/* ---- comments ---- */

/* If the comment from `start` to the cursor is `# type: ...`, the offset of what follows, else -1. */
static int32_t type_comment_start(const struct tokenizer *tok, int32_t start)
{
    const char *p = tok->text + start;
    for (const char *prefix = "# type: "; *prefix; prefix++) {
        if (p >= tok->cur && *prefix != ' ') {
            return -1;
        }
        if (*prefix == ' ') {
            while (p < tok->cur && (*p == ' ' || *p == '\t')) {
                p++;
            }
        } else if (*prefix == *p) {
            p++;
        } else {
            return -1;
        }
    }
    return (int32_t)(p - tok->text);
}

/* A comment that begins at *start and goes on to the end of the line: 0 if it is no token, else the
   kind, with *start moved to the text that counts. */
static int scan_comment(struct tokenizer *tok, int32_t *start, bool blank)
{
    const char *cur = tok->cur;
    while (*cur != 0 && *cur != '\n' && *cur != '\r') {
        cur++;
    }
    tok->cur = cur;
    if (tok->extra_tokens) {
        return TOK_COMMENT;
    }
    int32_t type_start = tok->type_comments ? type_comment_start(tok, *start) : -1;
    if (type_start < 0) {
        return 0;
    }
    const char *type = tok->text + type_start, *rest = type + 6;
    if (cur >= rest && memcmp(type, "ignore", 6) == 0
        && (cur == rest
            || !((char_class[(unsigned char)*rest] & (CHAR_START | CHAR_DIGIT)) && *rest != '_'))) {
        *start = type_start + 6;
        if (blank) {
            /* The line holds nothing else: its end is no token. */
            tok_char(tok);
            tok->at_line_start = true;
        }
        return TOK_TYPE_IGNORE;
    }
    *start = type_start;
    return TOK_TYPE_COMMENT;
}

/* ---- the loop ---- */

static int finish(struct tokenizer *tok, struct token *token, int kind, int32_t start, int32_t end,
                  int32_t line, int32_t line_start)
{
    token->kind = (uint8_t)kind;
    token->level = (uint8_t)tok->level;
    token->start = start;
    token->end = end;
    token->line = line;
    token->col = start - line_start;
    token->end_line = tok->line;
    token->end_col = end - (int32_t)(tok->line_start - tok->text);
    return kind;
}

/* A token without extent: INDENT, DEDENT, the end, an error. */
static int finish_empty(struct tokenizer *tok, struct token *token, int kind)
{
    int32_t here = (int32_t)(tok->cur - tok->text);
    finish(tok, token, kind, here, here, tok->line, 0);
    token->col = token->end_col = -1;
    return kind;
}

static int finish_error(struct tokenizer *tok, struct token *token, int32_t start)
{
    finish_empty(tok, token, TOK_ERROR);
    int32_t line_start = (int32_t)(tok->line_start - tok->text);
    if (start >= line_start) {
        token->start = start;
        token->col = start - line_start;
        token->end_col = token->end - line_start;
    }
    return TOK_ERROR;
}

int tok_next(struct tokenizer *tok, struct token *token)
{
    bool blank = tok->comment_line;
    tok->comment_line = false;
    if (tok->trouble != TROUBLE_NONE) {
        return finish_empty(tok, token, TOK_ERROR);
    }
    if (tok->fstring > 0 && tok_fstring(tok)->in_text) {
        return tok_fstring_text(tok, token);
    }

    int32_t comment = -1; /* where one began: the line's end is said to begin there */

next_line:
    if (tok->at_line_start && begin_line(tok, &blank) != 0) {
        return finish_empty(tok, token, TOK_ERROR);
    }
    if (tok->pending != 0) {
        bool dedent = tok->pending < 0;
        tok->pending += dedent ? 1 : -1;
        return finish_empty(tok, token, dedent ? TOK_DEDENT : TOK_INDENT);
    }

    comment = -1;
again:;
    int c;
    do {
        c = tok_char(tok);
    } while (c == ' ' || c == '\t' || c == '\f');
    if (c == TOK_END) {
        if (tok->trouble == TROUBLE_RAISED) {
            return finish_empty(tok, token, TOK_ERROR);
        }
        if (tok->level > 0) {
            tok->trouble = TROUBLE_EOF;
            return finish_empty(tok, token, TOK_ERROR);
        }
        return finish_empty(tok, token, TOK_ENDMARKER);
    }

    int32_t start = (int32_t)(tok->cur - tok->text) - 1;
    int32_t line = tok->line, line_start = (int32_t)(tok->line_start - tok->text);
    int kind;
    if (c == '#') {
        comment = start;
        kind = scan_comment(tok, &start, blank);
        tok->comment_line = blank && kind == TOK_COMMENT;
        if (kind == 0) {
            goto again;
        }
    } else if (char_class[c] & CHAR_START) {
        kind = scan_name(tok, c, tok->text + start);
    } else if (c == '\r' && *tok->cur == '\n') {
        goto again;
    } else if (c == '\n') {
        tok->at_line_start = true;
        if (blank || tok->level > 0) {
            if (tok->extra_tokens) {
                return finish(tok, token, TOK_NL, start, start + 1, line, line_start);
            }
            goto next_line;
        }
        tok->continued = false;
        return finish(tok, token, TOK_NEWLINE, comment >= 0 ? comment : start, start + 1, line,
                      line_start);
    } else if (char_class[c] & CHAR_DIGIT
               || (c == '.' && char_class[(unsigned char)*tok->cur] == CHAR_DIGIT)) {
        kind = tok_scan_number(tok, c, tok->text + start);
    } else if (c == '.' && tok->cur[0] == '.' && tok->cur[1] == '.') {
        tok->cur += 2;
        kind = TOK_ELLIPSIS;
    } else if (c == '\'' || c == '"') {
        kind = tok_scan_string(tok, c, start);
    } else if (c == '\\') {
        if (join_line(tok) != 0) {
            return finish_empty(tok, token, TOK_ERROR);
        }
        tok->continued = true;
        goto again;
    } else {
        kind = scan_operator(tok, c, start);
    }
    if (kind == TOK_ERROR && tok->trouble == TROUBLE_DECODE) {
        return finish_empty(tok, token, TOK_ERROR);
    }
    if (kind == TOK_ERROR) {
        return finish_error(tok, token, start);
    }
    return finish(tok, token, kind, start, (int32_t)(tok->cur - tok->text), line, line_start);
}
