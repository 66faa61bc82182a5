/* UTF-8.
 *
 * Decoding takes two steps: a scan finds how far the input is valid, how many characters that
 * makes and how wide they are; then they are written without further questions. */
#include "objects/str/internal.h"

#include "objects/codecs/callbacks.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define HIGH_BITS 0x8080808080808080u

/* The first byte from `p` on that is not ASCII, or `end`. */
static inline const uint8_t *skip_ascii(const uint8_t *p, const uint8_t *end)
{
    uint64_t words[4], high;
    for (; end - p >= 32; p += 32) {
        memcpy(words, p, 32);
        if ((words[0] | words[1] | words[2] | words[3]) & HIGH_BITS) {
            break;
        }
    }
    for (; end - p >= 8; p += 8) {
        memcpy(words, p, 8);
        high = words[0] & HIGH_BITS;
        if (high) {
            return p + (PY_LITTLE_ENDIAN ? __builtin_ctzll(high) : __builtin_clzll(high)) / 8;
        }
    }
    while (p < end && *p < 0x80) {
        p++;
    }
    return p;
}

enum defect { DEFECT_NONE, DEFECT_START, DEFECT_CONTINUATION, DEFECT_END };

/* A valid sequence at `p` (not ASCII): its length; else 0, *defect, and in *bad the number of bytes
 * that belong to the error. */
static int sequence_check(const uint8_t *p, const uint8_t *end, enum defect *defect, int *bad)
{
    uint8_t lead = p[0];
    int length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    *bad = 1;
    if (lead < 0xc2 || lead > 0xf4) {
        *defect = DEFECT_START;
        return 0;
    }
    /* The second byte decides about overlong forms, surrogates and the end of the range. */
    uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    for (int i = 1; i < length; i++) {
        if (p + i == end) {
            *defect = DEFECT_END;
            *bad = i;
            return 0;
        }
        if (p[i] < low || p[i] > high) {
            *defect = DEFECT_CONTINUATION;
            *bad = i;
            return 0;
        }
        low = 0x80;
        high = 0xbf;
    }
    return length;
}

struct scan {
    Py_ssize_t count; /* characters */
    Py_UCS4 maxchar;
    enum defect defect;
    int bad; /* bytes of the error */
};

/* How many of eight bytes are ASCII, from the first on. */
static inline int ascii_run(uint64_t word)
{
    uint64_t high = word & HIGH_BITS;
    return high == 0 ? 8 : (PY_LITTLE_ENDIAN ? __builtin_ctzll(high) : __builtin_clzll(high)) / 8;
}

/* The bound of characters that a sequence with this first byte stands for. */
static Py_UCS4 lead_bound(uint8_t lead)
{
    return lead < 0x80 ? 0x7f : lead < 0xc4 ? 0xff : lead < 0xf0 ? 0xffff : STR_MAX_CODE_POINT;
}

/* Goes over valid input; returns where it ends. */
static const uint8_t *scan_valid(const uint8_t *start, const uint8_t *end, struct scan *scan)
{
    const uint8_t *p = start;
    Py_ssize_t more = 0; /* bytes behind the first ones */
    uint8_t top = 0;     /* the largest of the first ones */
    while (p < end) {
        if (end - p >= 8) {
            uint64_t word;
            memcpy(&word, p, 8);
            int run = ascii_run(word);
            p += run;
            if (run == 8) {
                continue;
            }
        } else if (*p < 0x80) {
            p++;
            continue;
        }
        for (uint8_t lead; p < end && (lead = *p) >= 0x80;) {
            int length;
            /* Two and three bytes whose second one may be any. */
            if (lead >= 0xc2 && lead < 0xe0 && end - p >= 2 && (p[1] & 0xc0) == 0x80) {
                length = 2;
            } else if (lead > 0xe0 && lead < 0xed && end - p >= 3 && (p[1] & 0xc0) == 0x80
                       && (p[2] & 0xc0) == 0x80) {
                length = 3;
            } else if ((length = sequence_check(p, end, &scan->defect, &scan->bad)) == 0) {
                goto stop;
            }
            top = Py_MAX(top, lead);
            more += length - 1;
            p += length;
        }
    }
stop:
    scan->count = p - start - more;
    scan->maxchar = lead_bound(top);
    return p;
}

#define EXPAND(type)                                                                               \
    do {                                                                                           \
        type *out = (type *)data + at, *stop = out + count;                                        \
        while (p < end) {                                                                          \
            uint64_t word;                                                                         \
            if (end - p >= 8 && stop - out >= 8) { /* the ASCII ones of eight are kept */          \
                memcpy(&word, p, 8);                                                               \
                for (int i = 0; i < 8; i++) {                                                      \
                    out[i] = p[i];                                                                 \
                }                                                                                  \
                int run = ascii_run(word);                                                         \
                out += run;                                                                        \
                p += run;                                                                          \
                if (run == 8) {                                                                    \
                    continue;                                                                      \
                }                                                                                  \
            } else if (*p < 0x80) {                                                                \
                *out++ = *p++;                                                                     \
                continue;                                                                          \
            }                                                                                      \
            for (uint8_t b; p < end && (b = *p) >= 0x80;) {                                        \
                if (b < 0xe0) {                                                                    \
                    *out++ = (type)((b & 0x1f) << 6 | (p[1] & 0x3f));                              \
                    p += 2;                                                                        \
                } else if (b < 0xf0) {                                                             \
                    *out++ = (type)((b & 0x0f) << 12 | (p[1] & 0x3f) << 6 | (p[2] & 0x3f));        \
                    p += 3;                                                                        \
                } else {                                                                           \
                    *out++ = (type)((b & 7) << 18 | (p[1] & 0x3f) << 12 | (p[2] & 0x3f) << 6       \
                                    | (p[3] & 0x3f));                                              \
                    p += 4;                                                                        \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    } while (0)

/* Writes valid input, which makes `count` characters, at index `at`. */
static void expand(int kind, void *data, Py_ssize_t at, Py_ssize_t count, const uint8_t *p,
                   const uint8_t *end)
{
    if (kind == 1) {
        EXPAND(Py_UCS1);
    } else if (kind == 2) {
        EXPAND(Py_UCS2);
    } else {
        EXPAND(Py_UCS4);
    }
}

static int decode_some(struct text_decoder *d, const uint8_t *p, const uint8_t *stop,
                       const struct scan *scan)
{
    if (scan->count == 0) {
        return 0;
    }
    if (str_writer_reserve(&d->out, scan->count, scan->maxchar) < 0) {
        return -1;
    }
    expand(d->out.kind, d->out.data, d->out.pos, scan->count, p, stop);
    d->out.pos += scan->count;
    return 0;
}

static const char *const defect_reasons[] = {NULL, "invalid start byte",
                                             "invalid continuation byte", "unexpected end of data"};

/* More input may complete the character at `p`: also a surrogate, which a handler may accept. */
static bool is_cut_off(const uint8_t *p, const uint8_t *end, enum defect defect)
{
    return defect == DEFECT_END || (end - p == 2 && p[0] == 0xed && p[1] >= 0xa0 && p[1] <= 0xbf);
}

/* Input with errors, or cut off in the middle of a character. */
static PyObject *decode_with_errors(const char *text, Py_ssize_t size, const char *errors,
                                    Py_ssize_t *consumed)
{
    struct text_decoder d;
    text_decoder_init(&d, "utf-8", errors, text, size);
    const uint8_t *p = d.start;
    for (;;) {
        struct scan scan;
        const uint8_t *stop = scan_valid(p, d.end, &scan);
        if (decode_some(&d, p, stop, &scan) < 0) {
            return text_decoder_finish(&d, true);
        }
        p = stop;
        if (p == d.end || (consumed != NULL && is_cut_off(p, d.end, scan.defect))) {
            break;
        }
        Py_ssize_t at = p - d.start;
        at = text_decoder_error(&d, defect_reasons[scan.defect], at, at + scan.bad);
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

PyObject *PyUnicode_DecodeUTF8Stateful(const char *text, Py_ssize_t size, const char *errors,
                                       Py_ssize_t *consumed)
{
    /* With an error `*consumed` stays as it is. */
    if (size == 0) {
        if (consumed != NULL) {
            *consumed = 0;
        }
        return str_empty();
    }
    if (size > PY_SSIZE_T_MAX - (Py_ssize_t)sizeof(PyASCIIObject) - 1) {
        return PyErr_NoMemory(); /* nobody has so much text */
    }
    const uint8_t *start = (const uint8_t *)text, *end = start + size;
    const uint8_t *p = skip_ascii(start, end);
    struct scan scan;
    if (p != end && scan_valid(p, end, &scan) != end) {
        return decode_with_errors(text, size, errors, consumed);
    }
    if (consumed != NULL) {
        *consumed = size;
    }
    if (p == end) {
        return str_from_ascii(text, size);
    }
    Py_ssize_t prefix = p - start;
    PyObject *s = str_new(prefix + scan.count, scan.maxchar);
    if (s != NULL) {
        str_data_copy(str_kind(s), str_data(s), 0, 1, text, 0, prefix);
        expand(str_kind(s), str_data(s), prefix, scan.count, p, end);
        if (str_len(s) == 1) {
            s = str_narrow(s);
        }
    }
    return s;
}

PyObject *PyUnicode_DecodeUTF8(const char *text, Py_ssize_t size, const char *errors)
{
    return PyUnicode_DecodeUTF8Stateful(text, size, errors, NULL);
}

/* ---- Encoding ------------------------------------------------------------------------------ */

static inline bool is_surrogate(Py_UCS4 ch)
{
    return (ch & ~(Py_UCS4)0x7ff) == 0xd800;
}

static inline uint8_t *encode_char(uint8_t *p, Py_UCS4 ch)
{
    if (ch < 0x80) {
        *p++ = (uint8_t)ch;
    } else if (ch < 0x800) {
        *p++ = (uint8_t)(0xc0 | ch >> 6);
        *p++ = (uint8_t)(0x80 | (ch & 0x3f));
    } else if (ch < 0x10000) {
        *p++ = (uint8_t)(0xe0 | ch >> 12);
        *p++ = (uint8_t)(0x80 | (ch >> 6 & 0x3f));
        *p++ = (uint8_t)(0x80 | (ch & 0x3f));
    } else {
        *p++ = (uint8_t)(0xf0 | ch >> 18);
        *p++ = (uint8_t)(0x80 | (ch >> 12 & 0x3f));
        *p++ = (uint8_t)(0x80 | (ch >> 6 & 0x3f));
        *p++ = (uint8_t)(0x80 | (ch & 0x3f));
    }
    return p;
}

/* Bytes needed; *surrogates tells whether there are any, which have no UTF-8 form. */
static Py_ssize_t encoded_size(PyObject *s, bool *surrogates)
{
    int kind = str_kind(s);
    const void *data = str_data(s);
    Py_ssize_t n = str_len(s), size = n;
    unsigned bad = 0;
    if (kind == 1) {
        for (Py_ssize_t i = 0; i < n; i++) {
            size += ((const Py_UCS1 *)data)[i] >> 7;
        }
    } else if (kind == 2) {
        const Py_UCS2 *p = data;
        for (Py_ssize_t i = 0; i < n;) {
            Py_ssize_t stop = Py_MIN(n, i + 0x4000);
            uint16_t more = 0, wrong = 0; /* narrow, so that many fit a vector */
            for (; i < stop; i++) {
                more = (uint16_t)(more + (p[i] >= 0x80) + (p[i] >= 0x800));
                wrong |= (p[i] & 0xf800) == 0xd800;
            }
            size += more;
            bad |= wrong;
        }
    } else {
        for (Py_ssize_t i = 0; i < n; i++) {
            Py_UCS4 ch = ((const Py_UCS4 *)data)[i];
            size += (ch >= 0x80) + (ch >= 0x800) + (ch >= 0x10000);
            bad |= is_surrogate(ch);
        }
    }
    *surrogates = bad != 0;
    return size;
}

/* Characters of two bytes, eight at a time where they are ASCII. */
static void encode_clean2(const Py_UCS2 *text, Py_ssize_t n, uint8_t *p)
{
    Py_ssize_t i = 0;
    while (i < n) {
#ifdef __SSE2__
        if (i + 8 <= n) { /* at least as many bytes are to be written */
            __m128i block = _mm_loadu_si128((const __m128i *)(text + i)),
                    zero = _mm_setzero_si128();
            _mm_storel_epi64((__m128i *)p, _mm_packus_epi16(block, block));
            __m128i ascii = _mm_cmpeq_epi16(_mm_and_si128(block, _mm_set1_epi16(~0x7f)), zero);
            unsigned wide = ~(unsigned)_mm_movemask_epi8(ascii);
            int run = Py_MIN(__builtin_ctz(wide) / 2, 8);
            i += run;
            p += run;
            if (run == 8) {
                continue;
            }
        }
#endif
        do {
            p = encode_char(p, text[i++]);
        } while (i < n && text[i] >= 0x80);
    }
}

static void encode_clean(PyObject *s, uint8_t *p)
{
    int kind = str_kind(s);
    const void *data = str_data(s);
    Py_ssize_t n = str_len(s);
    if (kind == 1) {
        for (Py_ssize_t i = 0; i < n; i++) {
            p = encode_char(p, ((const Py_UCS1 *)data)[i]);
        }
    } else if (kind == 2) {
        encode_clean2(data, n, p);
    } else {
        for (Py_ssize_t i = 0; i < n; i++) {
            p = encode_char(p, ((const Py_UCS4 *)data)[i]);
        }
    }
}

/* Surrogates [start, end) by a built-in handler: how many of them it dealt with, -1 on failure. */
static Py_ssize_t builtin_handler(struct text_encoder *e, struct bytes_writer *w, Py_ssize_t start,
                                  Py_ssize_t end)
{
    char text[12];
    Py_ssize_t i = start;
    for (; i < end; i++) {
        Py_UCS4 ch = str_read(e->text, i);
        int length = 0;
        switch (e->kind) {
        case CODEC_ERRORS_IGNORE:
            break;
        case CODEC_ERRORS_REPLACE:
            text[length++] = '?';
            break;
        case CODEC_ERRORS_SURROGATEESCAPE:
            if (ch < 0xdc80 || ch > 0xdcff) {
                return i - start;
            }
            text[length++] = (char)(ch - 0xdc00);
            break;
        case CODEC_ERRORS_SURROGATEPASS:
            length = (int)(encode_char((uint8_t *)text, ch) - (uint8_t *)text);
            break;
        case CODEC_ERRORS_BACKSLASHREPLACE:
            length = escape_backslash(ch, text);
            break;
        case CODEC_ERRORS_XMLCHARREFREPLACE:
            length = escape_xml(ch, text);
            break;
        default:
            return i - start;
        }
        if (bytes_writer_write(w, text, length) < 0) {
            return -1;
        }
    }
    return i - start;
}

static Py_ssize_t handle_surrogates(struct text_encoder *e, struct bytes_writer *w,
                                    Py_ssize_t start)
{
    static const char reason[] = "surrogates not allowed";
    Py_ssize_t end = start + 1, next;
    while (end < str_len(e->text) && is_surrogate(str_read(e->text, end))) {
        end++;
    }
    if (e->kind == CODEC_ERRORS_STRICT) {
        text_encoder_raise(e, reason, start, end);
        return -1;
    }
    Py_ssize_t done = builtin_handler(e, w, start, end);
    if (done < 0 || start + done == end) {
        return done < 0 ? -1 : end;
    }
    start += done;
    PyObject *replacement = text_encoder_ask(e, reason, start, end, &next);
    if (replacement == NULL) {
        return -1;
    }
    int failed = 0;
    if (PyBytes_Check(replacement)) {
        failed = bytes_writer_write(w, bytes_data(replacement), bytes_len(replacement));
    } else if (!str_is_ascii(replacement)) {
        text_encoder_raise(e, reason, start, end);
        failed = -1;
    } else {
        failed = bytes_writer_write(w, str_data(replacement), str_len(replacement));
    }
    Py_DECREF(replacement);
    return failed < 0 ? -1 : next;
}

static PyObject *encode_with_errors(PyObject *s, const char *errors)
{
    struct text_encoder e;
    struct bytes_writer w;
    text_encoder_init(&e, "utf-8", errors, s);
    bytes_writer_init(&w);
    Py_ssize_t i = 0, n = str_len(s);
    while (i < n) {
        Py_UCS4 ch = str_read(s, i);
        if (is_surrogate(ch)) {
            i = handle_surrogates(&e, &w, i);
        } else if (bytes_writer_reserve(&w, 4) < 0) {
            i = -1;
        } else {
            w.pos = encode_char(w.pos, ch);
            i++;
        }
        if (i < 0) {
            text_encoder_drop(&e);
            bytes_writer_drop(&w);
            return NULL;
        }
    }
    text_encoder_drop(&e);
    return bytes_writer_finish(&w);
}

PyObject *_PyUnicode_AsUTF8String(PyObject *s, const char *errors)
{
    if (str_check_argument(s) < 0) {
        return NULL;
    }
    if (str_is_ascii(s)) {
        return bytes_from(str_data(s), str_len(s));
    }
    const char *known = __atomic_load_n(&((PyCompactUnicodeObject *)s)->utf8, __ATOMIC_ACQUIRE);
    if (known != NULL) {
        return bytes_from(known, ((PyCompactUnicodeObject *)s)->utf8_length);
    }
    if (str_len(s) > PY_SSIZE_T_MAX / 4) {
        return PyErr_NoMemory();
    }
    bool surrogates;
    Py_ssize_t size = encoded_size(s, &surrogates);
    if (surrogates) {
        return encode_with_errors(s, errors);
    }
    PyObject *bytes = bytes_new(size);
    if (bytes != NULL) {
        encode_clean(s, bytes_data(bytes));
    }
    return bytes;
}

PyObject *PyUnicode_AsUTF8String(PyObject *s)
{
    return _PyUnicode_AsUTF8String(s, NULL);
}
