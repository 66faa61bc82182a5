/* String literals and the text parts of f-strings: where they end.  What they mean is computed in
   literals.c and fstring.c. */

#include "tokenizer.h"

#include <string.h>

/* A newline has just been read inside a token: if more text follows, it is a new line. */
static void line_inside(struct tokenizer *tok)
{
    int c = tok_char(tok);
    if (c != TOK_END) {
        tok_unread(tok, c);
        tok_line_begin(tok);
    }
}

/* Moves the tokenizer back behind the first character of an unfinished literal, so that the error
   points there, and returns the line where the end was noticed. */
static int rewind_to(struct tokenizer *tok, int32_t start, int32_t line, int32_t line_start)
{
    int detected = tok->line;
    tok->cur = tok->text + start + 1;
    tok->line_start = tok->text + line_start;
    tok->line = line;
    return detected;
}

static int unterminated(struct tokenizer *tok, int quote, int quote_size, int32_t start,
                        int32_t line, int32_t line_start, bool escaped_quote)
{
    if (tok->trouble == TROUBLE_RAISED) {
        return TOK_ERROR;
    }
    tok->open_string = tok->at_eof;
    int detected = rewind_to(tok, start, line, line_start);
    const struct fstring_mode *mode = tok_fstring(tok);
    if (mode != NULL && mode->quote == quote && mode->quote_size == quote_size) {
        return tok_error(tok, "f-string: expecting '}'"); /* the quote was to end the f-string */
    }
    if (quote_size == 3) {
        return tok_error(tok, "unterminated triple-quoted string literal (detected at line %d)",
                         detected);
    }
    if (escaped_quote) {
        return tok_error(tok,
                         "unterminated string literal (detected at line %d); "
                         "perhaps you escaped the end quote?",
                         detected);
    }
    return tok_error(tok, "unterminated string literal (detected at line %d)", detected);
}

/* The opening quote has been read: 1, 3, or 2 for an empty literal that is complete. */
static int opening_quotes(struct tokenizer *tok, int quote)
{
    if (*tok->cur != quote) {
        return 1;
    }
    tok->cur++;
    if (*tok->cur != quote) {
        return 2;
    }
    tok->cur++;
    return 3;
}

/* A literal that is no f-string; its first character (prefix or quote) is at `start`, its first quote
   has been read. */
int tok_scan_string(struct tokenizer *tok, int quote, int32_t start)
{
    int32_t first_line = tok->line, first_line_start = (int32_t)(tok->line_start - tok->text);
    bool escaped_quote = false;
    int size = opening_quotes(tok, quote);
    if (size == 2) {
        return TOK_STRING;
    }
    for (int closing = 0; closing != size;) {
        int c = tok_char(tok);
        if (c == quote) {
            closing++;
            continue;
        }
        closing = 0;
        if (c == TOK_END || (c == '\n' && size == 1)) {
            return unterminated(tok, quote, size, start, first_line, first_line_start,
                                escaped_quote);
        }
        if (c == '\\') {
            c = tok_char(tok);
            escaped_quote |= c == quote;
            if (c == '\r') {
                c = tok_char(tok);
            }
        }
        if (c == '\n') {
            line_inside(tok);
        }
    }
    return TOK_STRING;
}

/* ---- f-strings ---- */

static int fstring_push(struct tokenizer *tok)
{
    if (tok->fstring >= TOK_MAX_FSTRINGS - 1) {
        return tok_error(tok, "too many nested f-strings");
    }
    if (tok->fstring == tok->fstring_capacity) {
        int32_t capacity = tok->fstring_capacity ? tok->fstring_capacity * 2 : 4;
        struct fstring_mode *modes =
            PyMem_Realloc(tok->fstrings, (size_t)capacity * sizeof(*modes));
        if (modes == NULL) {
            PyErr_NoMemory();
            tok->trouble = TROUBLE_RAISED;
            return TOK_ERROR;
        }
        tok->fstrings = modes;
        tok->fstring_capacity = capacity;
    }
    tok->fstring++;
    return 0;
}

/* The prefix from `start` on and the first quote have been read: FSTRING_START. */
int tok_fstring_begin(struct tokenizer *tok, int quote, int32_t start, bool raw)
{
    int32_t line_start = (int32_t)(tok->line_start - tok->text);
    int size = opening_quotes(tok, quote);
    if (size == 2) {
        tok->cur--; /* empty: the second quote is its end */
        size = 1;
    }
    if (fstring_push(tok) != 0) {
        return TOK_ERROR;
    }
    *tok_fstring(tok) = (struct fstring_mode){
        .in_text = true,
        .raw = raw,
        .quote = (char)quote,
        .quote_size = (uint8_t)size,
        .field_depth = -1,
        .start = start,
        .first_line = tok->line,
        .first_line_start = line_start,
    };
    return TOK_FSTRING_START;
}

static int fstring_unterminated(struct tokenizer *tok, const struct fstring_mode *mode)
{
    if (tok->trouble == TROUBLE_RAISED) {
        return TOK_ERROR;
    }
    tok->open_string = tok->at_eof && mode->quote_size == 3;
    int detected = rewind_to(tok, mode->start, mode->first_line, mode->first_line_start);
    if (mode->quote_size == 3) {
        return tok_error(tok, "unterminated triple-quoted f-string literal (detected at line %d)",
                         detected);
    }
    return tok_error(tok, "unterminated f-string literal (detected at line %d)", detected);
}

/* A replacement field begins at the cursor. */
static int enter_field(struct tokenizer *tok, struct fstring_mode *mode)
{
    mode->field_depth = mode->field_depth + 1;
    if (mode->field_depth >= TOK_MAX_FSTRING_NESTING) {
        return tok_error(tok, "f-string: expressions nested too deeply");
    }
    mode->in_text = false;
    return 0;
}

static bool at_closing_quotes(const struct tokenizer *tok, const struct fstring_mode *mode)
{
    return tok->cur[0] == mode->quote
           && (mode->quote_size == 1 || (tok->cur[1] == mode->quote && tok->cur[2] == mode->quote));
}

/* A backslash has been read.  *named_escape: it begins \N{. */
static int after_backslash(struct tokenizer *tok, const struct fstring_mode *mode,
                           bool *named_escape)
{
    int c = tok_char(tok);
    if (c == '\r') {
        c = tok_char(tok);
    }
    if (c == '{' || c == '}') {
        if (!mode->raw
            && tok_warn(tok, PyExc_SyntaxWarning, "invalid escape sequence '\\%c'", c) < 0) {
            return TOK_ERROR;
        }
        tok_unread(tok, c);
    } else if (c == '\n') {
        line_inside(tok);
    } else if (!mode->raw && c == 'N' && *tok->cur == '{') {
        tok->cur++;
        *named_escape = true;
    }
    return 0;
}

/* Reads text up to a field or the end of the literal.  *end: the offset where the text ends, which
   is one less than the cursor where a brace was doubled. */
static int scan_text(struct tokenizer *tok, struct fstring_mode *mode, int32_t *end)
{
    bool named_escape = false;
    for (;;) {
        if (at_closing_quotes(tok, mode)) {
            *end = (int32_t)(tok->cur - tok->text);
            return TOK_FSTRING_MIDDLE;
        }
        int c = tok_char(tok);
        if (c == TOK_END || (c == '\n' && mode->quote_size == 1)) {
            if (c == '\n' && mode->in_format_spec && tok->trouble == TROUBLE_NONE) {
                return tok_error(tok, "f-string: newlines are not allowed in format specifiers for "
                                      "single quoted f-strings");
            }
            return fstring_unterminated(tok, mode);
        }
        if (c == '\n') {
            line_inside(tok);
        } else if (c == '{') {
            if (*tok->cur != '{' || mode->in_format_spec) {
                tok_unread(tok, c);
                *end = (int32_t)(tok->cur - tok->text);
                return enter_field(tok, mode) != 0 ? TOK_ERROR : TOK_FSTRING_MIDDLE;
            }
            *end = (int32_t)(tok->cur - tok->text);
            tok->cur++;
            return TOK_FSTRING_MIDDLE;
        } else if (c == '}') {
            if (named_escape) {
                *end = (int32_t)(tok->cur - tok->text);
                return TOK_FSTRING_MIDDLE;
            }
            if (*tok->cur == '}' && !mode->in_format_spec && mode->braces == 0) {
                *end = (int32_t)(tok->cur - tok->text);
                tok->cur++;
                return TOK_FSTRING_MIDDLE;
            }
            tok_unread(tok, c);
            mode->in_text = false;
            *end = (int32_t)(tok->cur - tok->text);
            return TOK_FSTRING_MIDDLE;
        } else if (c == '\\') {
            if (after_backslash(tok, mode, &named_escape) != 0) {
                return TOK_ERROR;
            }
        }
    }
}

/* The next token where an f-string has text: FSTRING_MIDDLE, FSTRING_END, or the brace of a field. */
int tok_fstring_text(struct tokenizer *tok, struct token *token)
{
    struct fstring_mode *mode = tok_fstring(tok);
    int32_t start = (int32_t)(tok->cur - tok->text);
    int32_t line = tok->line, line_start = (int32_t)(tok->line_start - tok->text);
    int32_t end = start;
    int kind;

    if (at_closing_quotes(tok, mode)) {
        tok->cur += mode->quote_size;
        end = (int32_t)(tok->cur - tok->text);
        tok->fstring--;
        kind = TOK_FSTRING_END;
    } else {
        if (tok->cur[0] == '{' && (tok->cur[1] != '{' || mode->in_format_spec)) {
            if (enter_field(tok, mode) != 0) {
                goto error;
            }
            return tok_next(tok, token);
        }
        kind = scan_text(tok, mode, &end);
    }
    if (kind == TOK_ERROR) {
        goto error;
    }
    *token = (struct token){
        .kind = (uint8_t)kind,
        .level = (uint8_t)tok->level,
        .start = start,
        .end = end,
        .line = line,
        .col = start - line_start,
        .end_line = tok->line,
        .end_col = (int32_t)(tok->cur - tok->line_start),
    };
    return kind;

error:
    *token = (struct token){
        .kind = TOK_ERROR,
        .level = (uint8_t)tok->level,
        .start = (int32_t)(tok->cur - tok->text),
        .end = (int32_t)(tok->cur - tok->text),
        .line = tok->line,
        .col = -1,
        .end_line = tok->line,
        .end_col = -1,
    };
    return TOK_ERROR;
}
