/* What number, string and bytes literals mean. */

#include "parser.h"

#include <string.h>

/* ---- numbers ---- */

enum { PLAIN_DIGITS = 18 }; /* so many decimal digits fit in 64 bits */

static PyObject *plain_integer(const char *text, size_t len)
{
    long long value = 0;
    for (size_t i = 0; i < len; i++) {
        value = value * 10 + (text[i] - '0');
    }
    return PyLong_FromLongLong(value);
}

PyObject *literal_number(const char *text, size_t len)
{
    char small[64], *copy = small;
    bool plain = true;
    size_t used = 0;

    for (size_t i = 0; i < len; i++) {
        plain &= text[i] >= '0' && text[i] <= '9';
    }
    if (plain && len <= PLAIN_DIGITS) {
        return plain_integer(text, len);
    }
    if (len + 1 > sizeof(small)) {
        copy = PyMem_Malloc(len + 1);
        if (copy == NULL) {
            return PyErr_NoMemory();
        }
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '_') {
            copy[used++] = text[i];
        }
    }
    copy[used] = 0;

    PyObject *value;
    bool other_base = used > 2 && copy[0] == '0' && strchr("xXoObB", copy[1]) != NULL;
    if (plain || other_base || strpbrk(copy, ".eEjJ") == NULL) {
        value = PyLong_FromString(copy, NULL, 0);
    } else {
        bool imaginary = copy[used - 1] == 'j' || copy[used - 1] == 'J';
        if (imaginary) {
            copy[used - 1] = 0;
        }
        double real = PyOS_string_to_double(copy, NULL, NULL);
        value = real == -1.0 && PyErr_Occurred() ? NULL
                : imaginary                      ? PyComplex_FromDoubles(0.0, real)
                                                 : PyFloat_FromDouble(real);
    }
    if (copy != small) {
        PyMem_Free(copy);
    }
    return value;
}

/* An integer with too many digits: the limit's own words, and a hint. */
static void *raise_too_long(struct parser *p, const struct token *token)
{
    if (!PyErr_ExceptionMatches(PyExc_ValueError)) {
        return parser_fail(p);
    }
    PyObject *error = PyErr_GetRaisedException();
    PyObject *text = PyObject_Str(error);
    Py_DECREF(error);
    if (text == NULL) {
        return parser_fail(p);
    }
    struct ast_pos pos = {token->line, -1, token->line, -1};
    raise_at(p, PyExc_SyntaxError, pos,
             "%U - Consider hexadecimal for huge integer literals to avoid decimal conversion "
             "limits.",
             text);
    Py_DECREF(text);
    return NULL;
}

struct expr *parse_number(struct parser *p)
{
    const struct token *token = &p->tokens[p->pos];
    const char *text = p->tok.text + token->start;
    size_t len = (size_t)(token->end - token->start);

    if (p->feature_version < 6 && memchr(text, '_', len) != NULL) {
        p->pos++;
        check_version(p, 6, "Underscores in numeric literals are");
        return NULL;
    }
    PyObject *value = literal_number(text, len);
    if (value == NULL) {
        return raise_too_long(p, token);
    }
    p->pos++;
    return make_constant(p, value, token_pos(last(p)));
}

/* ---- escapes ---- */

static int hex_value(int c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static int simple_escape(int c)
{
    switch (c) {
    case '\\':
    case '\'':
    case '"':
        return c;
    case 'a':
        return '\a';
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'v':
        return '\v';
    default:
        return -1;
    }
}

/* The place of the backslash before `at`, which lies inside the token. */
static struct ast_pos escape_pos(const struct parser *p, const char *at, const struct token *token)
{
    const char *s = p->tok.text + token->start;
    struct ast_pos pos = token_pos(token);
    for (; s < at - 1; s++) {
        pos.col = *s == '\n' ? 0 : pos.col + 1;
        pos.line += *s == '\n';
    }
    pos.end_line = pos.line;
    pos.end_col = pos.col + 2;
    return pos;
}

/* The first escape in a literal that means nothing: `at` points behind its backslash. */
static int warn_escape(struct parser *p, const char *at, const struct token *token)
{
    int index = (int)(token - p->tokens);
    if (p->second || index < p->warned_until) {
        return 0; /* said before */
    }
    p->warned_until = index + 1;
    if (token->kind == TOK_FSTRING_MIDDLE && (*at == '{' || *at == '}')) {
        return 0; /* the tokenizer said so */
    }
    bool octal = *at >= '4' && *at <= '7';
    PyObject *category = p->feature_version >= 12 ? PyExc_SyntaxWarning : PyExc_DeprecationWarning;
    PyObject *message =
        octal ? PyUnicode_FromFormat("invalid octal escape sequence '\\%.3s'", at)
              : PyUnicode_FromFormat("invalid escape sequence '\\%c'", (int)(unsigned char)*at);
    if (message == NULL) {
        parser_fail(p);
        return -1;
    }
    struct ast_pos pos = escape_pos(p, at, token);
    int rc = PyErr_WarnExplicitObject(category, message, p->tok.filename, pos.line, NULL, NULL);
    if (rc < 0) {
        if (PyErr_ExceptionMatches(category)) {
            PyErr_Clear();
            syntax_error(p, pos, "%U", message);
        }
        parser_fail(p);
    }
    Py_DECREF(message);
    return rc;
}

/* ---- str ---- */

/* An error that the codec words best: lets it decode the text in the form in which positions
   are counted, where each character beyond ASCII is an escape of ten. */
static void raise_bad_escape(struct parser *p, const char *text, size_t len)
{
    PyObject *source = PyUnicode_DecodeUTF8(text, (Py_ssize_t)len, "replace");
    if (source == NULL) {
        parser_fail(p);
        return;
    }
    Py_ssize_t chars = PyUnicode_GET_LENGTH(source);
    char *ascii = PyMem_Malloc((size_t)chars * 10 + 1), *to = ascii;
    if (ascii == NULL) {
        PyErr_NoMemory();
    } else {
        for (Py_ssize_t i = 0; i < chars; i++) {
            Py_UCS4 c = PyUnicode_READ_CHAR(source, i);
            to += c < 128 ? (*to = (char)c, 1) : sprintf(to, "\\U%08x", (unsigned)c);
        }
        PyObject *result = PyUnicode_DecodeUnicodeEscape(ascii, to - ascii, NULL);
        if (result != NULL) {
            Py_DECREF(result);
            PyErr_SetString(PyExc_SystemError, "string literal decoded differently");
        }
    }
    PyMem_Free(ascii);
    Py_DECREF(source);
    parser_fail(p);
}

/* \N{...} with the cursor at the brace: the character, or -1 (exception set or not). */
static long named_character(const char **cursor, const char *end)
{
    const char *close = memchr(*cursor, '}', (size_t)(end - *cursor));
    if (**cursor != '{' || close == NULL || close - *cursor > 1000) {
        return -1;
    }
    char escape[1008] = "\\N";
    size_t len = (size_t)(close + 1 - *cursor);
    memcpy(escape + 2, *cursor, len);
    PyObject *text = PyUnicode_DecodeUnicodeEscape(escape, (Py_ssize_t)len + 2, NULL);
    if (text == NULL) {
        return -1;
    }
    long c = PyUnicode_GET_LENGTH(text) == 1 ? (long)PyUnicode_READ_CHAR(text, 0) : -1;
    Py_DECREF(text);
    *cursor = close + 1;
    return c;
}

static long hex_escape(const char **cursor, const char *end, int digits)
{
    long value = 0;
    if (end - *cursor < digits) {
        return -1;
    }
    for (int i = 0; i < digits; i++) {
        int digit = hex_value((unsigned char)*(*cursor)++);
        if (digit < 0) {
            return -1;
        }
        value = value << 4 | digit;
    }
    return value <= 0x10FFFF ? value : -1;
}

static int octal_escape(const char **cursor, const char *end)
{
    int value = 0;
    for (int i = 0; i < 3 && *cursor < end && **cursor >= '0' && **cursor <= '7'; i++) {
        value = value * 8 + (*(*cursor)++ - '0');
    }
    return value;
}

static Py_UCS4 decode_utf8_char(const char **cursor)
{
    const unsigned char *s = (const unsigned char *)*cursor;
    if (s[0] < 0xE0) {
        *cursor += 2;
        return (Py_UCS4)(s[0] & 0x1F) << 6 | (s[1] & 0x3F);
    }
    if (s[0] < 0xF0) {
        *cursor += 3;
        return (Py_UCS4)(s[0] & 0x0F) << 12 | (Py_UCS4)(s[1] & 0x3F) << 6 | (s[2] & 0x3F);
    }
    *cursor += 4;
    return (Py_UCS4)(s[0] & 0x07) << 18 | (Py_UCS4)(s[1] & 0x3F) << 12 | (Py_UCS4)(s[2] & 0x3F) << 6
           | (s[3] & 0x3F);
}

/* Decodes into `out`, which has room for `len` characters: their number, or -1. */
static Py_ssize_t decode_escapes(struct parser *p, const char *text, size_t len, Py_UCS4 *out,
                                 const char **invalid)
{
    const char *s = text, *end = text + len;
    Py_UCS4 *to = out;
    while (s < end) {
        if ((unsigned char)*s >= 0x80) {
            *to++ = decode_utf8_char(&s);
            continue;
        }
        if (*s != '\\') {
            *to++ = (unsigned char)*s++;
            continue;
        }
        if (++s == end) {
            *to++ = '\\'; /* before a brace of an f-string */
            break;
        }
        int c = (unsigned char)*s++;
        int simple = simple_escape(c);
        long value = -1;
        if (simple >= 0) {
            *to++ = (Py_UCS4)simple;
            continue;
        }
        switch (c) {
        case '\n':
            continue;
        case '0':
        case '1':
        case '2':
        case '3':
        case '4':
        case '5':
        case '6':
        case '7':
            s--;
            value = octal_escape(&s, end);
            if (value > 0377 && *invalid == NULL) {
                *invalid = s - 3;
            }
            break;
        case 'x':
            value = hex_escape(&s, end, 2);
            break;
        case 'u':
            value = hex_escape(&s, end, 4);
            break;
        case 'U':
            value = hex_escape(&s, end, 8);
            break;
        case 'N':
            value = s < end ? named_character(&s, end) : -1;
            PyErr_Clear();
            break;
        default:
            if (*invalid == NULL) {
                *invalid = s - 1;
            }
            *to++ = '\\';
            s--;
            continue;
        }
        if (value < 0) {
            raise_bad_escape(p, text, len);
            return -1;
        }
        *to++ = (Py_UCS4)value;
    }
    return to - out;
}

PyObject *literal_decode_str(struct parser *p, const char *text, size_t len, bool raw,
                             const struct token *token)
{
    if (raw || p->invalid_utf8 || memchr(text, '\\', len) == NULL) {
        PyObject *plain = PyUnicode_DecodeUTF8(text, (Py_ssize_t)len, NULL);
        if (plain == NULL) {
            parser_fail(p);
        }
        if (plain == NULL || raw || memchr(text, '\\', len) == NULL) {
            return plain;
        }
        Py_DECREF(plain);
    }
    Py_UCS4 small[256], *buffer = small;
    if (len > sizeof(small) / sizeof(small[0])) {
        buffer = PyMem_Malloc(len * sizeof(*buffer));
        if (buffer == NULL) {
            PyErr_NoMemory();
            return parser_fail(p);
        }
    }
    PyObject *result = NULL;
    const char *invalid = NULL;
    Py_ssize_t chars = decode_escapes(p, text, len, buffer, &invalid);
    if (chars >= 0 && (invalid == NULL || warn_escape(p, invalid, token) >= 0)) {
        result = PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, buffer, chars);
        if (result == NULL) {
            parser_fail(p);
        }
    }
    if (buffer != small) {
        PyMem_Free(buffer);
    }
    return result;
}

/* ---- bytes ---- */

PyObject *literal_decode_bytes(struct parser *p, const char *text, size_t len, bool raw,
                               const struct token *token)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] >= 0x80) {
            return syntax_error(p, token_pos(token),
                                "bytes can only contain ASCII literal characters");
        }
    }
    if (raw || memchr(text, '\\', len) == NULL) {
        PyObject *plain = PyBytes_FromStringAndSize(text, (Py_ssize_t)len);
        if (plain == NULL) {
            parser_fail(p);
        }
        return plain;
    }
    PyObject *result = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)len);
    if (result == NULL) {
        return parser_fail(p);
    }
    char *to = PyBytes_AS_STRING(result);
    const char *s = text, *end = text + len, *invalid = NULL;
    while (s < end) {
        if (*s != '\\') {
            *to++ = *s++;
            continue;
        }
        s++;
        int c = s < end ? (unsigned char)*s++ : 0;
        int simple = simple_escape(c);
        if (simple >= 0) {
            *to++ = (char)simple;
        } else if (c == '\n') {
            continue;
        } else if (c >= '0' && c <= '7') {
            s--;
            int value = octal_escape(&s, end);
            if (value > 0377 && invalid == NULL) {
                invalid = s - 3;
            }
            *to++ = (char)value;
        } else if (c == 'x') {
            const char *digits = s;
            long value = hex_escape(&s, end, 2);
            if (value < 0) {
                PyErr_Format(PyExc_ValueError, "invalid \\x escape at position %zd",
                             (Py_ssize_t)(digits - 2 - text));
                Py_DECREF(result);
                return parser_fail(p);
            }
            *to++ = (char)value;
        } else {
            if (invalid == NULL) {
                invalid = s - 1;
            }
            *to++ = '\\';
            s--;
        }
    }
    if (invalid != NULL && warn_escape(p, invalid, token) < 0) {
        Py_DECREF(result);
        return NULL;
    }
    if (_PyBytes_Resize(&result, to - PyBytes_AS_STRING(result)) < 0) {
        return parser_fail(p);
    }
    return result;
}
