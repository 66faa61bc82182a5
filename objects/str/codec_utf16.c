/* UTF-16 and UTF-32, in either byte order, with or without a byte order mark. */
#include "objects/str/internal.h"

#include "objects/codecs/callbacks.h"

static const char surrogates_reason[] = "surrogates not allowed";

/* byteorder: -1 little, 1 big, 0 native with a mark; as in the C API. */
static bool is_big(int byteorder)
{
    return byteorder > 0 || (byteorder == 0 && PY_BIG_ENDIAN);
}

static inline Py_UCS4 read16(const uint8_t *p, bool big)
{
    return big ? (Py_UCS4)(p[0] << 8 | p[1]) : (Py_UCS4)(p[1] << 8 | p[0]);
}

static inline Py_UCS4 read32(const uint8_t *p, bool big)
{
    uint32_t word;
    memcpy(&word, p, 4);
    return big == PY_BIG_ENDIAN ? word : __builtin_bswap32(word);
}

static inline void write16(uint8_t *p, Py_UCS4 unit, bool big)
{
    p[big ? 0 : 1] = (uint8_t)(unit >> 8);
    p[big ? 1 : 0] = (uint8_t)unit;
}

static inline void write32(uint8_t *p, Py_UCS4 ch, bool big)
{
    uint32_t word = big == PY_BIG_ENDIAN ? ch : __builtin_bswap32(ch);
    memcpy(p, &word, 4);
}

static inline bool is_surrogate(Py_UCS4 ch)
{
    return (ch & ~(Py_UCS4)0x7ff) == 0xd800;
}

/* ---- Decoding ------------------------------------------------------------------------------ */

enum { CHUNK = 256 };

/* Copies characters up to the next surrogate or the end of whole units; returns the position. */
static const uint8_t *copy_plain16(struct text_decoder *d, const uint8_t *p, bool big)
{
    for (;;) {
        Py_UCS2 chunk[CHUNK];
        Py_ssize_t count = 0;
        while (count < CHUNK && d->end - p >= 2) {
            Py_UCS4 unit = read16(p, big);
            if (is_surrogate(unit)) {
                break;
            }
            chunk[count++] = (Py_UCS2)unit;
            p += 2;
        }
        if (str_writer_data(&d->out, 2, chunk, count) < 0) {
            return NULL;
        }
        if (count < CHUNK) {
            return p;
        }
    }
}

/* What is wrong at `p`, where copy_plain16() and pairs end: NULL if it is only cut off and more may
 * come. */
static const char *defect16(const uint8_t *p, const uint8_t *end, bool big, bool more_may_come,
                            Py_ssize_t *length)
{
    *length = end - p;
    if (end - p < 2) {
        return more_may_come ? NULL : "truncated data";
    }
    if (read16(p, big) >= 0xdc00) {
        *length = 2;
        return "illegal encoding";
    }
    if (end - p < 4) {
        return more_may_come ? NULL : "unexpected end of data";
    }
    *length = 2;
    return "illegal UTF-16 surrogate";
}

PyObject *PyUnicode_DecodeUTF16Stateful(const char *text, Py_ssize_t size, const char *errors,
                                        int *byteorder, Py_ssize_t *consumed)
{
    int order = byteorder == NULL ? 0 : *byteorder;
    const uint8_t *p = (const uint8_t *)text;
    if (order == 0 && size >= 2) {
        Py_UCS4 mark = read16(p, false);
        order = mark == 0xfeff ? -1 : mark == 0xfffe ? 1 : 0;
        p += order != 0 ? 2 : 0;
        if (byteorder != NULL) {
            *byteorder = order;
        }
    }
    bool big = is_big(order);
    struct text_decoder d;
    text_decoder_init(&d, big ? "utf-16-be" : "utf-16-le", errors, text, size);
    while (p < d.end) {
        p = copy_plain16(&d, p, big);
        if (p == NULL) {
            return text_decoder_finish(&d, true);
        }
        if (p == d.end) {
            break;
        }
        if (d.end - p >= 4) {
            Py_UCS4 high = read16(p, big), low = read16(p + 2, big);
            if (high < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
                Py_UCS4 ch = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                if (str_writer_char(&d.out, ch) < 0) {
                    return text_decoder_finish(&d, true);
                }
                p += 4;
                continue;
            }
        }
        Py_ssize_t length, at = p - d.start;
        const char *reason = defect16(p, d.end, big, consumed != NULL, &length);
        if (reason == NULL) {
            break;
        }
        at = text_decoder_error(&d, reason, at, at + length);
        if (at < 0) {
            return text_decoder_finish(&d, true);
        }
        p = d.start + at;
    }
    if (consumed != NULL) {
        *consumed = p - d.start;
    }
    return text_decoder_finish(&d, false);
}

PyObject *PyUnicode_DecodeUTF16(const char *text, Py_ssize_t size, const char *errors,
                                int *byteorder)
{
    return PyUnicode_DecodeUTF16Stateful(text, size, errors, byteorder, NULL);
}

static const uint8_t *copy_plain32(struct text_decoder *d, const uint8_t *p, bool big)
{
    for (;;) {
        Py_UCS4 chunk[CHUNK];
        Py_ssize_t count = 0;
        while (count < CHUNK && d->end - p >= 4) {
            Py_UCS4 ch = read32(p, big);
            if (is_surrogate(ch) || ch > STR_MAX_CODE_POINT) {
                break;
            }
            chunk[count++] = ch;
            p += 4;
        }
        if (str_writer_data(&d->out, 4, chunk, count) < 0) {
            return NULL;
        }
        if (count < CHUNK) {
            return p;
        }
    }
}

PyObject *PyUnicode_DecodeUTF32Stateful(const char *text, Py_ssize_t size, const char *errors,
                                        int *byteorder, Py_ssize_t *consumed)
{
    int order = byteorder == NULL ? 0 : *byteorder;
    const uint8_t *p = (const uint8_t *)text;
    if (order == 0 && size >= 4) {
        Py_UCS4 mark = read32(p, false);
        order = mark == 0xfeff ? -1 : mark == 0xfffe0000 ? 1 : 0;
        p += order != 0 ? 4 : 0;
        if (byteorder != NULL) {
            *byteorder = order;
        }
    }
    bool big = is_big(order);
    struct text_decoder d;
    text_decoder_init(&d, big ? "utf-32-be" : "utf-32-le", errors, text, size);
    while (p < d.end) {
        p = copy_plain32(&d, p, big);
        if (p == NULL) {
            return text_decoder_finish(&d, true);
        }
        Py_ssize_t left = d.end - p, at = p - d.start;
        if (left == 0 || (left < 4 && consumed != NULL)) {
            break;
        }
        const char *reason = left < 4 ? "truncated data"
                             : is_surrogate(read32(p, big))
                                 ? "code point in surrogate code point range(0xd800, 0xe000)"
                                 : "code point not in range(0x110000)";
        at = text_decoder_error(&d, reason, at, at + Py_MIN(left, 4));
        if (at < 0) {
            return text_decoder_finish(&d, true);
        }
        p = d.start + at;
    }
    if (consumed != NULL) {
        *consumed = p - d.start;
    }
    return text_decoder_finish(&d, false);
}

PyObject *PyUnicode_DecodeUTF32(const char *text, Py_ssize_t size, const char *errors,
                                int *byteorder)
{
    return PyUnicode_DecodeUTF32Stateful(text, size, errors, byteorder, NULL);
}

/* ---- Encoding ------------------------------------------------------------------------------ */

/* One encoder for both: `unit` is 2 or 4 bytes. */
struct wide_encoder {
    struct text_encoder errors;
    struct bytes_writer out;
    int unit;
    bool big;
};

static int put(struct wide_encoder *e, Py_UCS4 ch)
{
    if (bytes_writer_reserve(&e->out, 4) < 0) {
        return -1;
    }
    if (e->unit == 4) {
        write32(e->out.pos, ch, e->big);
        e->out.pos += 4;
    } else if (ch < 0x10000) {
        write16(e->out.pos, ch, e->big);
        e->out.pos += 2;
    } else {
        write16(e->out.pos, 0xd7c0 + (ch >> 10), e->big);
        write16(e->out.pos + 2, 0xdc00 + (ch & 0x3ff), e->big);
        e->out.pos += 4;
    }
    return 0;
}

/* A surrogate at `i`: where to go on, or -1. */
static Py_ssize_t put_surrogate(struct wide_encoder *e, Py_ssize_t i)
{
    Py_ssize_t next;
    if (e->errors.kind == CODEC_ERRORS_STRICT) {
        text_encoder_raise(&e->errors, surrogates_reason, i, i + 1);
        return -1;
    }
    PyObject *replacement = text_encoder_ask(&e->errors, surrogates_reason, i, i + 1, &next);
    if (replacement == NULL) {
        return -1;
    }
    int failed = 0;
    if (PyBytes_Check(replacement) && bytes_len(replacement) % e->unit == 0) {
        failed = bytes_writer_write(&e->out, bytes_data(replacement), bytes_len(replacement));
    } else if (PyUnicode_Check(replacement) && str_is_ascii(replacement)) {
        for (Py_ssize_t k = 0; k < str_len(replacement) && failed == 0; k++) {
            failed = put(e, str_read(replacement, k));
        }
    } else {
        text_encoder_raise(&e->errors, surrogates_reason, i, i + 1);
        failed = -1;
    }
    Py_DECREF(replacement);
    return failed < 0 ? -1 : next;
}

static PyObject *encode_wide(PyObject *s, const char *errors, int byteorder, int unit)
{
    static const char *const names[2][3] = {{"utf-16-le", "utf-16", "utf-16-be"},
                                            {"utf-32-le", "utf-32", "utf-32-be"}};
    if (str_check_argument(s) < 0) {
        return NULL;
    }
    Py_ssize_t n = str_len(s), i = 0;
    if (n > (PY_SSIZE_T_MAX - 8) / 4) {
        return PyErr_NoMemory();
    }
    struct wide_encoder e = {.unit = unit, .big = is_big(byteorder)};
    int order = byteorder < 0 ? 0 : byteorder == 0 ? 1 : 2;
    text_encoder_init(&e.errors, names[unit / 4][order], errors, s);
    bytes_writer_init(&e.out);
    if (bytes_writer_reserve(&e.out, n * unit + unit) < 0
        || (byteorder == 0 && put(&e, 0xfeff) < 0)) {
        i = -1;
    }
    int kind = str_kind(s);
    const void *data = str_data(s);
    while (i >= 0 && i < n) {
        Py_UCS4 ch = str_data_read(kind, data, i);
        if (is_surrogate(ch)) {
            i = put_surrogate(&e, i);
        } else {
            i = put(&e, ch) < 0 ? -1 : i + 1;
        }
    }
    text_encoder_drop(&e.errors);
    if (i < 0) {
        bytes_writer_drop(&e.out);
        return NULL;
    }
    return bytes_writer_finish(&e.out);
}

PyObject *_PyUnicode_EncodeUTF16(PyObject *s, const char *errors, int byteorder)
{
    return encode_wide(s, errors, byteorder, 2);
}

PyObject *_PyUnicode_EncodeUTF32(PyObject *s, const char *errors, int byteorder)
{
    return encode_wide(s, errors, byteorder, 4);
}

PyObject *PyUnicode_AsUTF16String(PyObject *s)
{
    return encode_wide(s, NULL, 0, 2);
}

PyObject *PyUnicode_AsUTF32String(PyObject *s)
{
    return encode_wide(s, NULL, 0, 4);
}
