/* UTF-7: ASCII, with everything else as UTF-16 in base 64 between '+' and '-'. */
#include "objects/str/codec_utf7.h"

#include "objects/codecs/callbacks.h"

static int base64_value(uint8_t c)
{
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* A decoder's place in a base-64 stretch. */
struct shift {
    bool inside;
    uint64_t buffer;
    unsigned bits;        /* of the buffer that are not used yet */
    Py_UCS4 surrogate;    /* a high one that waits for its partner, or 0 */
    Py_ssize_t start;     /* of the stretch in the input */
    Py_ssize_t out_start; /* length of the output then */
};

/* Takes a 16-bit unit out of the stretch. */
static int put_unit(struct text_decoder *d, struct shift *shift, Py_UCS4 unit)
{
    if (shift->surrogate != 0) {
        Py_UCS4 high = shift->surrogate;
        shift->surrogate = 0;
        if (unit >= 0xdc00 && unit < 0xe000) {
            return str_writer_char(&d->out, 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00));
        }
        if (str_writer_char(&d->out, high) < 0) {
            return -1;
        }
    }
    if (unit >= 0xd800 && unit < 0xdc00) {
        shift->surrogate = unit;
        return 0;
    }
    return str_writer_char(&d->out, unit);
}

/* The end of a stretch at byte `c`: what is wrong with it, or NULL. */
static const char *leave_shift(struct text_decoder *d, struct shift *shift, uint8_t c, int *failed)
{
    shift->inside = false;
    if (shift->bits >= 6) {
        return "partial character in shift sequence";
    }
    if (shift->bits > 0 && shift->buffer != 0) {
        return "non-zero padding bits in shift sequence";
    }
    if (shift->surrogate != 0 && c < 0x80 && c != '-') {
        /* It stays alone: the stretch ended by a character that stands for itself. */
        *failed = str_writer_char(&d->out, shift->surrogate);
    } else if (shift->surrogate != 0 && c == '-') {
        *failed = str_writer_char(&d->out, shift->surrogate);
    }
    shift->surrogate = 0;
    return NULL;
}

PyObject *PyUnicode_DecodeUTF7Stateful(const char *text, Py_ssize_t size, const char *errors,
                                       Py_ssize_t *consumed)
{
    if (size == 0) {
        if (consumed != NULL) {
            *consumed = 0;
        }
        return str_empty();
    }
    struct text_decoder d;
    text_decoder_init(&d, "utf7", errors, text, size);
    struct shift shift = {0};
    const uint8_t *p = d.start;
    Py_ssize_t start = 0;
    int failed = 0;
    for (;;) {
        const char *reason = NULL;
        while (p < d.end && reason == NULL && !failed) {
            uint8_t c = *p;
            if (shift.inside) {
                int value = base64_value(c);
                if (value >= 0) {
                    shift.buffer = shift.buffer << 6 | (unsigned)value;
                    shift.bits += 6;
                    p++;
                    if (shift.bits >= 16) {
                        shift.bits -= 16;
                        Py_UCS4 unit = (Py_UCS4)(shift.buffer >> shift.bits) & 0xffff;
                        shift.buffer &= (1ull << shift.bits) - 1;
                        failed = put_unit(&d, &shift, unit);
                    }
                    continue;
                }
                start = shift.start;
                reason = leave_shift(&d, &shift, c, &failed);
                if (reason != NULL) {
                    p++;
                    break;
                }
                if (c == '-') {
                    p++;
                    continue;
                }
                start = p - d.start;
                if (c >= 0x80) {
                    p++;
                    reason = "unexpected special character";
                }
                continue;
            }
            start = p - d.start;
            p++;
            if (c == '+') {
                if (p < d.end && *p == '-') {
                    p++;
                    failed = str_writer_char(&d.out, '+');
                } else if (p < d.end && base64_value(*p) < 0) {
                    p++;
                    reason = "ill-formed sequence";
                } else {
                    shift = (struct shift){.inside = true, .start = start, .out_start = d.out.pos};
                }
            } else if (c < 0x80) {
                failed = str_writer_char(&d.out, c);
            } else {
                reason = "unexpected special character";
            }
        }
        if (failed) {
            return text_decoder_finish(&d, true);
        }
        if (reason == NULL && shift.inside && consumed == NULL) {
            /* An empty stretch at the very end is no error. */
            shift.inside = false;
            if (shift.surrogate != 0 || shift.bits >= 6 || (shift.bits > 0 && shift.buffer != 0)) {
                start = shift.start;
                reason = "unterminated shift sequence";
            }
        }
        if (reason == NULL) {
            break;
        }
        shift.surrogate = 0;
        Py_ssize_t at = text_decoder_error(&d, reason, start, p - d.start);
        if (at < 0) {
            return text_decoder_finish(&d, true);
        }
        p = d.start + at;
    }
    if (consumed != NULL) {
        *consumed = p - d.start;
        if (shift.inside) {
            /* The stretch is decoded again when more of it is there. */
            *consumed = shift.start;
            d.out.pos = shift.out_start;
            PyObject *result = text_decoder_finish(&d, false);
            return str_narrow(result);
        }
    }
    return text_decoder_finish(&d, false);
}

PyObject *PyUnicode_DecodeUTF7(const char *text, Py_ssize_t size, const char *errors)
{
    return PyUnicode_DecodeUTF7Stateful(text, size, errors, NULL);
}

/* ---- Encoding ------------------------------------------------------------------------------ */

/* Characters that may stand for themselves. */
static bool is_direct(Py_UCS4 ch)
{
    if (ch >= 127 || ch == 0 || ch == '+' || ch == '\\' || ch == '~') {
        return false;
    }
    return ch >= ' ' || ch == '\t' || ch == '\n' || ch == '\r';
}

struct unshift {
    struct bytes_writer out;
    uint32_t buffer;
    unsigned bits;
};

static void put_bits(struct unshift *u, Py_UCS4 unit)
{
    u->buffer = u->buffer << 16 | unit;
    u->bits += 16;
    while (u->bits >= 6) {
        u->bits -= 6;
        *u->out.pos++ = (uint8_t)base64_digits[u->buffer >> u->bits & 63];
    }
    u->buffer &= (1u << u->bits) - 1;
}

static void flush_bits(struct unshift *u)
{
    if (u->bits > 0) {
        *u->out.pos++ = (uint8_t)base64_digits[u->buffer << (6 - u->bits) & 63];
    }
    u->buffer = 0;
    u->bits = 0;
}

PyObject *utf7_encode(PyObject *s)
{
    struct unshift u = {0};
    bytes_writer_init(&u.out);
    bool inside = false;
    for (Py_ssize_t i = 0; i < str_len(s); i++) {
        Py_UCS4 ch = str_read(s, i);
        if (bytes_writer_reserve(&u.out, 12) < 0) {
            bytes_writer_drop(&u.out);
            return NULL;
        }
        if (inside && is_direct(ch)) {
            flush_bits(&u);
            inside = false;
            /* '-' may be left out before what could not go on the stretch. */
            if (base64_value((uint8_t)ch) >= 0 || ch == '-') {
                *u.out.pos++ = '-';
            }
        }
        if (!inside) {
            if (is_direct(ch)) {
                *u.out.pos++ = (uint8_t)ch;
                continue;
            }
            *u.out.pos++ = '+';
            if (ch == '+') {
                *u.out.pos++ = '-';
                continue;
            }
            inside = true;
        }
        if (ch >= 0x10000) {
            put_bits(&u, 0xd7c0 + (ch >> 10));
            ch = 0xdc00 + (ch & 0x3ff);
        }
        put_bits(&u, ch);
    }
    if (bytes_writer_reserve(&u.out, 4) < 0) {
        bytes_writer_drop(&u.out);
        return NULL;
    }
    flush_bits(&u);
    if (inside) {
        *u.out.pos++ = '-';
    }
    return bytes_writer_finish(&u.out);
}
