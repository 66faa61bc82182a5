/* The tokenizer: from decoded text to tokens, one at a time.

   Text is UTF-8 in one growing buffer that ends in NUL; positions in it are offsets, so it may move
   when more text is read.  A token that cannot be made gives TOK_ERROR: then either an exception is
   set, or `trouble` says what is wrong and the parser words it. */

#ifndef KRAIT_PARSE_TOKENIZER_H
#define KRAIT_PARSE_TOKENIZER_H

#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

/* Numbers up to TOK_ENCODING are those of Python's `token` module. */
/* clang-format off */
enum token_kind {
    TOK_ENDMARKER, TOK_NAME, TOK_NUMBER, TOK_STRING, TOK_NEWLINE, TOK_INDENT, TOK_DEDENT, TOK_LPAR,
    TOK_RPAR, TOK_LSQB, TOK_RSQB, TOK_COLON, TOK_COMMA, TOK_SEMI, TOK_PLUS, TOK_MINUS, TOK_STAR,
    TOK_SLASH, TOK_VBAR, TOK_AMPER, TOK_LESS, TOK_GREATER, TOK_EQUAL, TOK_DOT, TOK_PERCENT,
    TOK_LBRACE, TOK_RBRACE, TOK_EQEQUAL, TOK_NOTEQUAL, TOK_LESSEQUAL, TOK_GREATEREQUAL, TOK_TILDE,
    TOK_CIRCUMFLEX, TOK_LEFTSHIFT, TOK_RIGHTSHIFT, TOK_DOUBLESTAR, TOK_PLUSEQUAL, TOK_MINEQUAL,
    TOK_STAREQUAL, TOK_SLASHEQUAL, TOK_PERCENTEQUAL, TOK_AMPEREQUAL, TOK_VBAREQUAL,
    TOK_CIRCUMFLEXEQUAL, TOK_LEFTSHIFTEQUAL, TOK_RIGHTSHIFTEQUAL, TOK_DOUBLESTAREQUAL,
    TOK_DOUBLESLASH, TOK_DOUBLESLASHEQUAL, TOK_AT, TOK_ATEQUAL, TOK_RARROW, TOK_ELLIPSIS,
    TOK_COLONEQUAL, TOK_EXCLAMATION, TOK_OP, TOK_TYPE_IGNORE, TOK_TYPE_COMMENT, TOK_SOFT_KEYWORD,
    TOK_FSTRING_START, TOK_FSTRING_MIDDLE, TOK_FSTRING_END, TOK_COMMENT, TOK_NL, TOK_ERROR,
    TOK_ENCODING,

    /* Keywords, which are names to the outside. */
    KW_FALSE, KW_NONE, KW_TRUE, KW_AND, KW_AS, KW_ASSERT, KW_ASYNC, KW_AWAIT, KW_BREAK, KW_CLASS,
    KW_CONTINUE, KW_DEF, KW_DEL, KW_ELIF, KW_ELSE, KW_EXCEPT, KW_FINALLY, KW_FOR, KW_FROM,
    KW_GLOBAL, KW_IF, KW_IMPORT, KW_IN, KW_IS, KW_LAMBDA, KW_NONLOCAL, KW_NOT, KW_OR, KW_PASS,
    KW_RAISE, KW_RETURN, KW_TRY, KW_WHILE, KW_WITH, KW_YIELD,
    TOKEN_KINDS
};
/* clang-format on */

struct token {
    uint8_t kind;                         /* enum token_kind */
    uint8_t level;                        /* open brackets behind the token */
    int32_t start, end;                   /* offsets in the text */
    int32_t line, col, end_line, end_col; /* columns in bytes; col -1: no place of its own */
};

enum {
    TOK_MAX_INDENT = 100,
    TOK_MAX_PARENS = 200,
    TOK_MAX_FSTRINGS = 150,
    TOK_MAX_FSTRING_NESTING = 3,
};

/* Why a token could not be made, where no exception is set. */
enum tok_trouble {
    TROUBLE_NONE,
    TROUBLE_RAISED,   /* an exception is set */
    TROUBLE_EOF,      /* the text ends too early */
    TROUBLE_DEDENT,   /* unindent to a column never seen */
    TROUBLE_TABSPACE, /* tabs and spaces mixed */
    TROUBLE_TOODEEP,  /* too many levels of indentation */
    TROUBLE_LINECONT, /* something behind a backslash */
    TROUBLE_DECODE,   /* bytes that are no UTF-8; UnicodeDecodeError is set */
};

/* One f-string that is being read. */
struct fstring_mode {
    bool in_text; /* between expressions, or in a format specification */
    bool in_format_spec;
    bool raw;
    char quote;
    uint8_t quote_size;  /* 1 or 3 */
    int32_t braces;      /* open brackets of any sort inside it */
    int32_t field_depth; /* value of `braces` outside the innermost field; -1: in no field */
    int32_t start;       /* offset of the token FSTRING_START */
    int32_t first_line, first_line_start;
};

struct tokenizer {
    const char *text; /* NUL-terminated */
    const char *cur, *end;
    char *owned; /* `text` if it is ours to free */
    size_t capacity;

    int32_t line; /* 1 for the first line, 0 before it */
    const char *line_start;
    bool at_line_start;
    bool interactive; /* blank lines end a statement */
    bool type_comments;
    bool extra_tokens;     /* comments and blank lines are tokens: the `tokenize` module */
    bool comment_line;     /* the comment just returned has its line to itself */
    bool continued;        /* the line was joined with a backslash */
    bool at_eof;           /* the end has been seen */
    bool open_string;      /* a string literal goes on to the end of the text */
    bool implicit_newline; /* the final newline is not in the source */
    uint8_t trouble;       /* enum tok_trouble */

    int32_t pending; /* indents (> 0) or dedents (< 0) still to be reported */
    int32_t indent;  /* index of the innermost level */
    int32_t indents[TOK_MAX_INDENT], alt_indents[TOK_MAX_INDENT];

    int32_t level; /* open brackets */
    char parens[TOK_MAX_PARENS];
    int32_t paren_lines[TOK_MAX_PARENS], paren_cols[TOK_MAX_PARENS];

    int32_t fstring; /* open f-strings */
    struct fstring_mode *fstrings;
    int32_t fstring_capacity;

    PyObject *filename; /* borrowed */

    /* Appends text with tok_append: 1; 0 at the end of the input; -1 with an exception.  NULL: all text
       is there from the start. */
    int (*refill)(struct tokenizer *);
    void *refill_context;
};

/* Text that is already there: `text[len]` must be NUL and the text must outlive the tokenizer. */
void tok_init(struct tokenizer *, const char *text, size_t len, PyObject *filename);
void tok_clear(struct tokenizer *);

/* Adds a copy of the bytes behind the text.  -1 with MemoryError. */
int tok_append(struct tokenizer *, const char *bytes, size_t len);

/* The next token: its kind, which may be TOK_ERROR. */
int tok_next(struct tokenizer *, struct token *);

/* Raises SyntaxError at the cursor (columns < 0) or for columns of the current line, both counted in
   characters from 1, and returns TOK_ERROR. */
int tok_error(struct tokenizer *, const char *format, ...);
int tok_error_range(struct tokenizer *, Py_ssize_t col, Py_ssize_t end_col, const char *format,
                    ...);
int tok_error_va(struct tokenizer *, Py_ssize_t col, Py_ssize_t end_col, const char *format,
                 va_list arguments);

/* Issues a warning of `category` for the current line; -1 (SyntaxError if the warning was turned into
   an error) or 0. */
int tok_warn(struct tokenizer *, PyObject *category, const char *format, ...);

/* KW_* for a keyword, else TOK_NAME. */
int tok_keyword(const char *text, size_t len);

/* ---- between the tokenizer's files ---- */

enum { TOK_END = -1 }; /* the character behind the last */

/* The next character, reading more text if there is none. */
int tok_char_slow(struct tokenizer *);

static inline int tok_char(struct tokenizer *tok)
{
    int c = (unsigned char)*tok->cur;
    if (c != 0) {
        tok->cur++;
        return c;
    }
    return tok_char_slow(tok);
}

static inline void tok_unread(struct tokenizer *tok, int c)
{
    if (c != TOK_END) {
        tok->cur--;
    }
}

/* A new line begins at the cursor. */
static inline void tok_line_begin(struct tokenizer *tok)
{
    tok->line++;
    tok->line_start = tok->cur;
}

static inline struct fstring_mode *tok_fstring(struct tokenizer *tok)
{
    return tok->fstring > 0 ? &tok->fstrings[tok->fstring - 1] : NULL;
}

int tok_scan_number(struct tokenizer *, int c, const char *start);
int tok_scan_string(struct tokenizer *, int quote, int32_t start);
int tok_fstring_begin(struct tokenizer *, int quote, int32_t start, bool raw);
int tok_fstring_text(struct tokenizer *, struct token *);
int tok_check_identifier(struct tokenizer *, int32_t start);

#endif
