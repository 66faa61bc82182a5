/* Encodings of one to four bytes per character without state, and HZ. */
#include "cjk.h"

/* ---- one, two or three bytes ---------------------------------------------------------------- */

static bool is_lead(const struct cjk_codec *codec, unsigned char c)
{
    const unsigned char *range = codec->leads;
    if (range == NULL) {
        return c >= 0x80;
    }
    for (; *range != 0; range += 2) {
        if (c >= range[0] && c <= range[1]) {
            return true;
        }
    }
    return false;
}

/* One character of two bytes or, where there are such, of three. */
static int decode_lead(const struct cjk_tables *tables, struct mb_bytes *in,
                       _PyUnicodeWriter *writer)
{
    const unsigned char *data = in->data + in->pos;
    Py_ssize_t left = in->len - in->pos, used = 2;
    const uint32_t *page = tables->two[data[0]];
    unsigned char last = data[1];
    if (data[0] == 0x8f && tables->three_bytes) {
        if (left < 3) {
            return MB_TOO_FEW;
        }
        page = tables->three[data[1]];
        last = data[2];
        used = 3;
    }
    uint32_t value = page ? page[last] : 0;
    if (value <= CJK_BOTH_BAD) {
        return value == CJK_BOTH_BAD ? 2 : 1;
    }
    in->pos += used;
    return mb_write_value(writer, tables, value);
}

/* Bytes that are themselves, as many as there are. */
static int decode_ascii(const struct cjk_tables *tables, struct mb_bytes *in,
                        _PyUnicodeWriter *writer)
{
    const unsigned char *data = in->data;
    Py_ssize_t start = in->pos, end = start + 1;
    while (end < in->len && data[end] < 0x80 && tables->single[data[end]] == data[end]) {
        end++;
    }
    in->pos = end;
    return end == start + 1 ? mb_write(writer, data[start])
           : _PyUnicodeWriter_WriteASCIIString(writer, (const char *)data + start, end - start) < 0
               ? MB_FAILED
               : MB_DONE;
}

int dbcs_decode(const struct cjk_codec *codec, struct mb_state *Py_UNUSED(state),
                struct mb_bytes *in, _PyUnicodeWriter *writer)
{
    const struct cjk_tables *tables = cjk_tables_of(codec->data);
    int rc = tables ? MB_DONE : MB_FAILED;
    while (rc == MB_DONE && in->pos < in->len) {
        unsigned char c = in->data[in->pos];
        if (tables->single[c] == c && c < 0x80) {
            rc = decode_ascii(tables, in, writer);
        } else if (tables->single[c] >= 0) {
            rc = mb_write(writer, (Py_UCS4)tables->single[c]);
            in->pos++;
        } else if (!is_lead(codec, c)) {
            rc = 1;
        } else {
            rc = in->len - in->pos < 2 ? MB_TOO_FEW : decode_lead(tables, in, writer);
        }
    }
    return rc;
}

/* One character by the tables; 1 if it is not in them. */
static int encode_char(const struct cjk_tables *tables, struct mb_text *in, struct mb_out *out,
                       bool flush)
{
    Py_UCS4 point = mb_char(in, in->pos);
    uint32_t code = cjk_code_of(tables, point);
    if (UNLIKELY(code & CJK_PAIR)) {
        if (in->pos + 1 == in->len && !flush) {
            return MB_TOO_FEW;
        }
        uint32_t pair =
            in->pos + 1 < in->len ? cjk_pair_code(tables, point, mb_char(in, in->pos + 1)) : 0;
        if (pair != 0) {
            in->pos += 2;
            return mb_put_code(out, pair);
        }
        code &= ~CJK_PAIR;
    }
    if (code == 0) {
        return 1;
    }
    in->pos++;
    return mb_put_code(out, code);
}

/* Characters with codes of their own, as long as there are such: one copy for many. */
static int encode_run(const struct cjk_tables *tables, struct mb_text *in, struct mb_out *out)
{
    unsigned char buffer[512];
    size_t used = 0;
    Py_ssize_t pos = in->pos;
    for (; pos < in->len && used <= sizeof buffer - 3; pos++) {
        uint32_t code = cjk_code_of(tables, mb_char(in, pos));
        unsigned length = code >> 24;
        if (length == 0 || (code & CJK_PAIR)) {
            break;
        }
        if (length > 2) {
            buffer[used++] = (unsigned char)(code >> 16);
        }
        if (length > 1) {
            buffer[used++] = (unsigned char)(code >> 8);
        }
        buffer[used++] = (unsigned char)code;
    }
    in->pos = pos;
    return used ? mb_put(out, buffer, (Py_ssize_t)used) : MB_DONE;
}

int dbcs_encode(const struct cjk_codec *codec, struct mb_state *Py_UNUSED(state),
                struct mb_text *in, struct mb_out *out, bool flush)
{
    const struct cjk_tables *tables = cjk_tables_of(codec->data);
    int rc = tables ? MB_DONE : MB_FAILED;
    while (rc == MB_DONE && in->pos < in->len) {
        Py_ssize_t before = in->pos;
        rc = encode_run(tables, in, out);
        if (rc == MB_DONE && in->pos == before) {
            rc = encode_char(tables, in, out, flush);
        }
    }
    return rc;
}

/* ---- GB 18030: four bytes for the rest of Unicode ------------------------------------------- */

enum { GB_SUPPLEMENTARY = 189000 }; /* where U+10000 is among the four-byte codes */

static int decode_four(const struct cjk_tables *tables, struct mb_bytes *in,
                       _PyUnicodeWriter *writer)
{
    const unsigned char *data = in->data + in->pos;
    if (in->len - in->pos < 4) {
        return MB_TOO_FEW;
    }
    if (data[0] < 0x81 || data[0] > 0xfe || data[2] < 0x81 || data[2] > 0xfe || data[3] < 0x30
        || data[3] > 0x39) {
        return 1;
    }
    unsigned index = ((data[0] - 0x81u) * 10 + data[1] - 0x30u) * 1260 + (data[2] - 0x81u) * 10
                     + data[3] - 0x30u;
    Py_UCS4 point;
    if (index < GB_FOUR) {
        point = tables->four[index];
    } else if (index >= GB_SUPPLEMENTARY && index - GB_SUPPLEMENTARY < 0x100000) {
        point = index - GB_SUPPLEMENTARY + 0x10000;
    } else {
        return 1;
    }
    in->pos += 4;
    return mb_write(writer, point);
}

int gb18030_decode(const struct cjk_codec *codec, struct mb_state *Py_UNUSED(state),
                   struct mb_bytes *in, _PyUnicodeWriter *writer)
{
    const struct cjk_tables *tables = cjk_tables_of(codec->data);
    int rc = tables ? MB_DONE : MB_FAILED;
    while (rc == MB_DONE && in->pos < in->len) {
        const unsigned char *data = in->data + in->pos;
        if (data[0] < 0x80) {
            rc = mb_write(writer, data[0]);
            in->pos++;
        } else if (in->len - in->pos < 2) {
            rc = MB_TOO_FEW;
        } else if (data[1] >= 0x30 && data[1] <= 0x39) {
            rc = decode_four(tables, in, writer);
        } else {
            rc = decode_lead(tables, in, writer);
        }
    }
    return rc;
}

/* The number of a code point among those of four bytes, or -1. */
static long four_index(const struct cjk_tables *tables, Py_UCS4 point)
{
    if (point >= 0x10000) {
        return (long)point - 0x10000 + GB_SUPPLEMENTARY;
    }
    long low = 0, high = GB_FOUR;
    while (low < high) {
        long middle = (low + high) / 2;
        if (tables->four[middle] < point) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < GB_FOUR && tables->four[low] == point ? low : -1;
}

int gb18030_encode(const struct cjk_codec *codec, struct mb_state *Py_UNUSED(state),
                   struct mb_text *in, struct mb_out *out, bool flush)
{
    const struct cjk_tables *tables = cjk_tables_of(codec->data);
    int rc = tables ? MB_DONE : MB_FAILED;
    while (rc == MB_DONE && in->pos < in->len) {
        rc = encode_run(tables, in, out);
        if (rc < 0 || in->pos == in->len) {
            break;
        }
        rc = encode_char(tables, in, out, flush);
        long index = rc == 1 ? four_index(tables, mb_char(in, in->pos)) : -1;
        if (index >= 0) {
            const unsigned char bytes[4] = {
                (unsigned char)(index / 12600 + 0x81),
                (unsigned char)(index / 1260 % 10 + 0x30),
                (unsigned char)(index / 10 % 126 + 0x81),
                (unsigned char)(index % 10 + 0x30),
            };
            rc = mb_put(out, bytes, 4);
            in->pos++;
        }
    }
    return rc;
}

/* ---- EUC-KR: syllables that have no code are spelled ---------------------------------------- */

/* The consonants from ㄱ on, as the first and as the last of a syllable; 0xff: never. */
static const unsigned char initials[30] = {
    0,    1, 0xff, 2, 0xff, 0xff, 3,  4,  5,  0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 6, 7,    8, 0xff, 9,    10, 11, 12, 13,   14,   15,   16,   17,   18,
};
static const unsigned char finals[30] = {
    1,  2,  3,  4,    5,  6,  7,  0xff, 8,  9,    10, 11, 12, 13, 14,
    15, 16, 17, 0xff, 18, 19, 20, 21,   22, 0xff, 23, 24, 25, 26, 27,
};

enum { JAMO = 0xa4, FILLER = 0xd4, CONSONANT = 0xa1, VOWEL = 0xbf };

static int index_in(const unsigned char *list, int value)
{
    for (int i = 0; i < 30; i++) {
        if (list[i] == value) {
            return i;
        }
    }
    return -1;
}

/* Filler, initial, vowel, final or filler; each with its own lead byte. */
static int decode_spelled(struct mb_bytes *in, _PyUnicodeWriter *writer)
{
    const unsigned char *data = in->data + in->pos;
    if (in->len - in->pos < 8) {
        return MB_TOO_FEW;
    }
    if (data[2] != JAMO || data[4] != JAMO || data[6] != JAMO) {
        return 1;
    }
    unsigned initial = data[3] - CONSONANT, vowel = data[5] - VOWEL, final = data[7] - CONSONANT;
    initial = initial < 30 ? initials[initial] : 0xff;
    final = data[7] == FILLER ? 0 : final < 30 ? finals[final] : 0xff;
    if (initial == 0xff || vowel >= 21 || final == 0xff) {
        return 1;
    }
    in->pos += 8;
    return mb_write(writer, 0xac00 + (initial * 21 + vowel) * 28 + final);
}

int euc_kr_decode(const struct cjk_codec *codec, struct mb_state *Py_UNUSED(state),
                  struct mb_bytes *in, _PyUnicodeWriter *writer)
{
    const struct cjk_tables *tables = cjk_tables_of(codec->data);
    int rc = tables ? MB_DONE : MB_FAILED;
    while (rc == MB_DONE && in->pos < in->len) {
        const unsigned char *data = in->data + in->pos;
        if (data[0] < 0x80) {
            rc = mb_write(writer, data[0]);
            in->pos++;
        } else if (in->len - in->pos < 2) {
            rc = MB_TOO_FEW;
        } else if (data[0] == JAMO && data[1] == FILLER) {
            rc = decode_spelled(in, writer);
        } else {
            rc = decode_lead(tables, in, writer);
        }
    }
    return rc;
}

int euc_kr_encode(const struct cjk_codec *codec, struct mb_state *Py_UNUSED(state),
                  struct mb_text *in, struct mb_out *out, bool flush)
{
    const struct cjk_tables *tables = cjk_tables_of(codec->data);
    int rc = tables ? MB_DONE : MB_FAILED;
    while (rc == MB_DONE && in->pos < in->len) {
        rc = encode_run(tables, in, out);
        if (rc < 0 || in->pos == in->len) {
            break;
        }
        rc = encode_char(tables, in, out, flush);
        Py_UCS4 point = rc == 1 ? mb_char(in, in->pos) : 0;
        if (point >= 0xac00 && point < 0xac00 + 11172) {
            int syllable = (int)point - 0xac00, final = syllable % 28;
            const unsigned char bytes[8] = {
                JAMO, FILLER,
                JAMO, (unsigned char)(CONSONANT + index_in(initials, syllable / 588)),
                JAMO, (unsigned char)(VOWEL + syllable / 28 % 21),
                JAMO, (unsigned char)(final ? CONSONANT + index_in(finals, final) : FILLER),
            };
            rc = mb_put(out, bytes, 8);
            in->pos++;
        }
    }
    return rc;
}

/* ---- HZ: GB 2312 in seven bits, between ~{ and ~} ------------------------------------------- */

static int decode_tilde(struct mb_state *state, struct mb_bytes *in, _PyUnicodeWriter *writer)
{
    if (in->len - in->pos < 2) {
        return MB_TOO_FEW;
    }
    bool chinese = state->c[0];
    unsigned char c = in->data[in->pos + 1];
    if (c == '~' && !chinese) {
        in->pos += 2;
        return mb_write(writer, '~');
    }
    if (c == '{' && !chinese) {
        state->c[0] = 1;
    } else if (c == '}' && chinese) {
        state->c[0] = 0;
    } else if (c != '\n' || chinese) {
        return 1;
    }
    in->pos += 2;
    return MB_DONE;
}

int hz_decode(const struct cjk_codec *codec, struct mb_state *state, struct mb_bytes *in,
              _PyUnicodeWriter *writer)
{
    const struct cjk_tables *tables = cjk_tables_of(codec->data);
    int rc = tables ? MB_DONE : MB_FAILED;
    while (rc == MB_DONE && in->pos < in->len) {
        unsigned char c = in->data[in->pos];
        if (c == '~') {
            rc = decode_tilde(state, in, writer);
        } else if (c & 0x80) {
            rc = 1;
        } else if (!state->c[0]) {
            rc = mb_write(writer, c);
            in->pos++;
        } else {
            rc = in->len - in->pos < 2 ? MB_TOO_FEW : decode_lead(tables, in, writer);
        }
    }
    return rc;
}

static int hz_switch(struct mb_state *state, struct mb_out *out, bool chinese)
{
    if (state->c[0] == chinese) {
        return MB_DONE;
    }
    state->c[0] = chinese;
    return mb_put(out, chinese ? "~{" : "~}", 2);
}

int hz_encode(const struct cjk_codec *codec, struct mb_state *state, struct mb_text *in,
              struct mb_out *out, bool flush)
{
    const struct cjk_tables *tables = cjk_tables_of(codec->data);
    int rc = tables ? MB_DONE : MB_FAILED;
    while (rc == MB_DONE && in->pos < in->len) {
        Py_UCS4 point = mb_char(in, in->pos);
        if (point < 0x80) {
            const char text[2] = {(char)point, '~'};
            rc = hz_switch(state, out, false);
            rc = rc < 0 ? rc : mb_put(out, text, point == '~' ? 2 : 1);
            in->pos++;
        } else if (cjk_code_of(tables, point) == 0) {
            rc = 1;
        } else {
            rc = hz_switch(state, out, true);
            rc = rc < 0 ? rc : encode_char(tables, in, out, flush);
        }
    }
    return rc;
}

int hz_encode_reset(struct mb_state *state, struct mb_out *out)
{
    return hz_switch(state, out, false);
}

void hz_decode_reset(struct mb_state *state)
{
    state->c[0] = 0;
}
