/* unicode_escape and raw_unicode_escape. */
#include "objects/str/codec_escape.h"

#include "objects/codecs/callbacks.h"

static int hex_value(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Up to `count` hexadecimal digits at *p: true if they are all there. */
static bool read_hex(const uint8_t **p, const uint8_t *end, int count, Py_UCS4 *value)
{
    *value = 0;
    for (; count > 0; count--, (*p)++) {
        int digit = *p < end ? hex_value(**p) : -1;
        if (digit < 0) {
            return false;
        }
        *value = *value << 4 | (Py_UCS4)digit;
    }
    return true;
}

static void note_invalid(struct escape_notes *notes, const uint8_t *at, size_t count)
{
    if (notes->first_invalid == NULL) {
        notes->first_invalid = (const char *)at;
        memcpy(notes->invalid, at, count);
    }
}

/* One escape; p stands behind the backslash and the letter `c`.  Writes the character(s) and
 * returns NULL, or says what is wrong; *p then is the end of the error. */
static const char *read_escape(struct text_decoder *d, const uint8_t **p, uint8_t c, int *failed,
                               struct escape_notes *notes)
{
    static const char simple_from[] = "\\'\"btnrafv", simple_to[] = "\\'\"\b\t\n\r\a\f\v";
    const char *found = c == 0 ? NULL : strchr(simple_from, c);
    Py_UCS4 ch;
    if (found != NULL) {
        *failed = str_writer_char(&d->out, (uint8_t)simple_to[found - simple_from]);
        return NULL;
    }
    switch (c) {
    case '\n':
        return NULL;
    case '0' ... '7':
        ch = (Py_UCS4)(c - '0');
        for (int i = 0; i < 2 && *p < d->end && **p >= '0' && **p <= '7'; i++) {
            ch = ch << 3 | (Py_UCS4)(*(*p)++ - '0');
        }
        if (ch > 0xff) {
            note_invalid(notes, *p - 3, 3);
        }
        *failed = str_writer_char(&d->out, ch);
        return NULL;
    case 'x':
    case 'u':
    case 'U':
        if (!read_hex(p, d->end, c == 'x' ? 2 : c == 'u' ? 4 : 8, &ch)) {
            return c == 'x'   ? "truncated \\xXX escape"
                   : c == 'u' ? "truncated \\uXXXX escape"
                              : "truncated \\UXXXXXXXX escape";
        }
        if (ch > STR_MAX_CODE_POINT) {
            return "illegal Unicode character";
        }
        *failed = str_writer_char(&d->out, ch);
        return NULL;
    case 'N': {
        if (*p >= d->end || **p != '{') {
            return "malformed \\N character escape";
        }
        const uint8_t *name = ++*p;
        while (*p < d->end && **p != '}') {
            (*p)++;
        }
        if (*p == name || *p >= d->end) {
            return "malformed \\N character escape";
        }
        Py_UCS4 out[4];
        int count = char_from_name((const char *)name, *p - name, CHAR_ALIASES, out);
        ++*p;
        if (count == 0) {
            return "unknown Unicode character name";
        }
        *failed = str_writer_data(&d->out, 4, out, count);
        return NULL;
    }
    default:
        note_invalid(notes, *p - 1, 1);
        *failed = str_writer_char(&d->out, '\\') < 0 ? -1 : str_writer_char(&d->out, c);
        return NULL;
    }
}

PyObject *unicode_escape_decode(const char *text, Py_ssize_t size, const char *errors,
                                Py_ssize_t *consumed, struct escape_notes *notes)
{
    struct text_decoder d;
    text_decoder_init(&d, "unicodeescape", errors, text, size);
    *notes = (struct escape_notes){0};
    const uint8_t *p = d.start;
    while (p < d.end) {
        const uint8_t *run = p;
        while (p < d.end && *p != '\\') {
            p++;
        }
        if (str_writer_latin1(&d.out, run, p - run) < 0) {
            return text_decoder_finish(&d, true);
        }
        if (p == d.end) {
            break;
        }
        Py_ssize_t start = p++ - d.start;
        const char *reason;
        bool cut = p == d.end;
        int failed = 0;
        if (cut) {
            reason = "\\ at end of string";
        } else {
            uint8_t c = *p++;
            reason = read_escape(&d, &p, c, &failed, notes);
            cut = reason != NULL && p == d.end && c != 'N';
            if (c == 'N' && reason != NULL) {
                /* Cut off unless the name is closed, or no name begins. */
                cut = p == d.end && p[-1] != '}';
            }
        }
        if (reason != NULL && cut && consumed != NULL) {
            p = d.start + start;
            break;
        }
        if (reason != NULL) {
            Py_ssize_t at = text_decoder_error(&d, reason, start, p - d.start);
            failed = at < 0;
            p = d.start + at;
        }
        if (failed) {
            return text_decoder_finish(&d, true);
        }
    }
    if (consumed != NULL) {
        *consumed = p - d.start;
    }
    return text_decoder_finish(&d, false);
}

PyObject *_PyUnicode_DecodeUnicodeEscapeInternal(const char *text, Py_ssize_t size,
                                                 const char *errors, Py_ssize_t *consumed,
                                                 const char **first_invalid)
{
    struct escape_notes notes;
    PyObject *result = unicode_escape_decode(text, size, errors, consumed, &notes);
    *first_invalid = notes.first_invalid;
    return result;
}

/* The warning about an escape that means nothing; -1 if it is turned into an exception. */
int escape_warn(const char *at)
{
    uint8_t c = (uint8_t)*at;
    if (c >= '4' && c <= '7') {
        return PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                                "invalid octal escape sequence '\\%.3s'", at);
    }
    return PyErr_WarnFormat(PyExc_DeprecationWarning, 1, "invalid escape sequence '\\%c'", c);
}

PyObject *unicode_escape_decode_warn(const char *text, Py_ssize_t size, const char *errors,
                                     Py_ssize_t *consumed)
{
    struct escape_notes notes;
    PyObject *result = unicode_escape_decode(text, size, errors, consumed, &notes);
    if (result != NULL && notes.first_invalid != NULL && escape_warn(notes.invalid) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

PyObject *PyUnicode_DecodeUnicodeEscape(const char *text, Py_ssize_t size, const char *errors)
{
    return unicode_escape_decode_warn(text, size, errors, NULL);
}

PyObject *PyUnicode_AsUnicodeEscapeString(PyObject *s)
{
    if (str_check_argument(s) < 0) {
        return NULL;
    }
    struct bytes_writer w;
    bytes_writer_init(&w);
    for (Py_ssize_t i = 0; i < str_len(s); i++) {
        Py_UCS4 ch = str_read(s, i);
        if (bytes_writer_reserve(&w, 12) < 0) {
            bytes_writer_drop(&w);
            return NULL;
        }
        char letter = ch == '\t'   ? 't'
                      : ch == '\n' ? 'n'
                      : ch == '\r' ? 'r'
                      : ch == '\\' ? '\\'
                                   : 0;
        if (letter != 0) {
            *w.pos++ = '\\';
            *w.pos++ = (uint8_t)letter;
        } else if (ch >= ' ' && ch < 0x7f) {
            *w.pos++ = (uint8_t)ch;
        } else {
            w.pos += escape_backslash(ch, (char *)w.pos);
        }
    }
    return bytes_writer_finish(&w);
}

/* ---- Raw ----------------------------------------------------------------------------------- */

PyObject *raw_unicode_escape_decode(const char *text, Py_ssize_t size, const char *errors,
                                    Py_ssize_t *consumed)
{
    struct text_decoder d;
    text_decoder_init(&d, "rawunicodeescape", errors, text, size);
    const uint8_t *p = d.start;
    while (p < d.end) {
        const uint8_t *start = p;
        uint8_t c = *p++;
        if (c != '\\' || (p == d.end && consumed == NULL)) {
            if (str_writer_char(&d.out, c) < 0) {
                return text_decoder_finish(&d, true);
            }
            continue;
        }
        if (p == d.end) {
            p = start;
            break;
        }
        c = *p++;
        if (c != 'u' && c != 'U') {
            if (str_writer_char(&d.out, '\\') < 0 || str_writer_char(&d.out, c) < 0) {
                return text_decoder_finish(&d, true);
            }
            continue;
        }
        Py_UCS4 ch;
        const char *reason = NULL;
        if (!read_hex(&p, d.end, c == 'u' ? 4 : 8, &ch)) {
            if (p == d.end && consumed != NULL) {
                p = start;
                break;
            }
            reason = c == 'u' ? "truncated \\uXXXX escape" : "truncated \\UXXXXXXXX escape";
        } else if (ch > STR_MAX_CODE_POINT) {
            reason = "\\Uxxxxxxxx out of range";
        } else if (str_writer_char(&d.out, ch) < 0) {
            return text_decoder_finish(&d, true);
        }
        if (reason != NULL) {
            Py_ssize_t at = text_decoder_error(&d, reason, start - d.start, p - d.start);
            if (at < 0) {
                return text_decoder_finish(&d, true);
            }
            p = d.start + at;
        }
    }
    if (consumed != NULL) {
        *consumed = p - d.start;
    }
    return text_decoder_finish(&d, false);
}

PyObject *PyUnicode_DecodeRawUnicodeEscape(const char *text, Py_ssize_t size, const char *errors)
{
    return raw_unicode_escape_decode(text, size, errors, NULL);
}

PyObject *PyUnicode_AsRawUnicodeEscapeString(PyObject *s)
{
    if (str_check_argument(s) < 0) {
        return NULL;
    }
    if (str_kind(s) == 1) {
        return bytes_from(str_data(s), str_len(s));
    }
    struct bytes_writer w;
    bytes_writer_init(&w);
    for (Py_ssize_t i = 0; i < str_len(s); i++) {
        Py_UCS4 ch = str_read(s, i);
        if (bytes_writer_reserve(&w, 12) < 0) {
            bytes_writer_drop(&w);
            return NULL;
        }
        if (ch < 0x100) {
            *w.pos++ = (uint8_t)ch;
        } else {
            w.pos += escape_backslash(ch, (char *)w.pos);
        }
    }
    return bytes_writer_finish(&w);
}
