/* Number literals: where they end, and what is wrong with them.  Their values are computed in
   literals.c. */

#include "tokenizer.h"

#include <string.h>

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex_digit(int c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_name_char(int c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 128;
}

/* Whether a keyword that may follow a number in working programs begins with `c` and goes on at
   the cursor. */
static bool keyword_follows(const struct tokenizer *tok, int c)
{
    const char *rest = tok->cur;
    switch (c) {
    case 'a':
        return strncmp(rest, "nd", 2) == 0;
    case 'e':
        return strncmp(rest, "lse", 3) == 0;
    case 'f':
        return strncmp(rest, "or", 2) == 0;
    case 'i':
        return *rest == 'n' || *rest == 'f' || *rest == 's';
    case 'n':
        return strncmp(rest, "ot", 2) == 0;
    case 'o':
        return *rest == 'r';
    default:
        return false;
    }
}

/* The number is over and `c`, already read, follows: it must not be part of a name. */
static int end_number(struct tokenizer *tok, int c, const char *kind)
{
    if (tok->extra_tokens) {
        tok_unread(tok, c);
        return TOK_NUMBER;
    }
    bool keyword = keyword_follows(tok, c);
    tok_unread(tok, c);
    if (keyword) {
        return tok_warn(tok, PyExc_SyntaxWarning, "invalid %s literal", kind) < 0 ? TOK_ERROR
                                                                                  : TOK_NUMBER;
    }
    if (c < 128 && is_name_char(c)) {
        return tok_error(tok, "invalid %s literal", kind);
    }
    return TOK_NUMBER;
}

/* The rest of a run of digits: the character behind it, read, or -2 after an error. */
static int decimal_tail(struct tokenizer *tok)
{
    for (;;) {
        int c;
        do {
            c = tok_char(tok);
        } while (is_digit(c));
        if (c != '_') {
            return c;
        }
        c = tok_char(tok);
        if (!is_digit(c)) {
            tok_unread(tok, c);
            tok_error(tok, "invalid decimal literal");
            return -2;
        }
    }
}

static int hexadecimal(struct tokenizer *tok)
{
    int c = tok_char(tok);
    do {
        if (c == '_') {
            c = tok_char(tok);
        }
        if (!is_hex_digit(c)) {
            tok_unread(tok, c);
            return tok_error(tok, "invalid hexadecimal literal");
        }
        do {
            c = tok_char(tok);
        } while (is_hex_digit(c));
    } while (c == '_');
    return end_number(tok, c, "hexadecimal");
}

/* Octal and binary: digits below `limit`. */
static int small_base(struct tokenizer *tok, int limit, const char *kind)
{
    int c = tok_char(tok);
    do {
        if (c == '_') {
            c = tok_char(tok);
        }
        if (c < '0' || c >= limit) {
            if (is_digit(c)) {
                return tok_error(tok, "invalid digit '%c' in %s literal", c, kind);
            }
            tok_unread(tok, c);
            return tok_error(tok, "invalid %s literal", kind);
        }
        do {
            c = tok_char(tok);
        } while (c >= '0' && c < limit);
    } while (c == '_');
    if (is_digit(c)) {
        return tok_error(tok, "invalid digit '%c' in %s literal", c, kind);
    }
    return end_number(tok, c, kind);
}

static int imaginary(struct tokenizer *tok)
{
    return end_number(tok, tok_char(tok), "imaginary");
}

/* `c` follows the digits before the exponent. */
static int exponent(struct tokenizer *tok, int c)
{
    if (c == 'e' || c == 'E') {
        int letter = c;
        c = tok_char(tok);
        if (c == '+' || c == '-') {
            c = tok_char(tok);
            if (!is_digit(c)) {
                tok_unread(tok, c);
                return tok_error(tok, "invalid decimal literal");
            }
        } else if (!is_digit(c)) {
            tok_unread(tok, c);
            return end_number(tok, letter, "decimal");
        }
        c = decimal_tail(tok);
        if (c == -2) {
            return TOK_ERROR;
        }
    }
    if (c == 'j' || c == 'J') {
        return imaginary(tok);
    }
    return end_number(tok, c, "decimal");
}

/* The point has been read. */
static int fraction(struct tokenizer *tok)
{
    int c = tok_char(tok);
    if (is_digit(c)) {
        c = decimal_tail(tok);
        if (c == -2) {
            return TOK_ERROR;
        }
    }
    return exponent(tok, c);
}

/* `c` follows digits that stand alone. */
static int after_digits(struct tokenizer *tok, int c)
{
    if (c == '.') {
        return fraction(tok);
    }
    return exponent(tok, c);
}

static int leading_zero(struct tokenizer *tok, const char *start)
{
    int c = tok_char(tok);
    bool nonzero = false;
    switch (c) {
    case 'x':
    case 'X':
        return hexadecimal(tok);
    case 'o':
    case 'O':
        return small_base(tok, '8', "octal");
    case 'b':
    case 'B':
        return small_base(tok, '2', "binary");
    }
    for (;;) {
        if (c == '_') {
            c = tok_char(tok);
            if (!is_digit(c)) {
                tok_unread(tok, c);
                return tok_error(tok, "invalid decimal literal");
            }
        }
        if (c != '0') {
            break;
        }
        c = tok_char(tok);
    }
    const char *zeros_end = tok->cur;
    if (is_digit(c)) {
        nonzero = true;
        c = decimal_tail(tok);
        if (c == -2) {
            return TOK_ERROR;
        }
    }
    if (nonzero && c != '.' && c != 'e' && c != 'E' && c != 'j' && c != 'J') {
        tok_unread(tok, c);
        if (tok->extra_tokens) {
            return TOK_NUMBER;
        }
        return tok_error_range(tok, start + 1 - tok->line_start, zeros_end - tok->line_start,
                               "leading zeros in decimal integer literals are not permitted; "
                               "use an 0o prefix for octal integers");
    }
    return after_digits(tok, c);
}

/* A number whose first character `c` (a digit, or the point before one) is at `start`. */
int tok_scan_number(struct tokenizer *tok, int c, const char *start)
{
    if (c == '.') {
        return fraction(tok);
    }
    if (c == '0') {
        return leading_zero(tok, start);
    }
    c = decimal_tail(tok);
    return c == -2 ? TOK_ERROR : after_digits(tok, c);
}
