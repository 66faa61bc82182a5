/* ISO 2022: sets are designated to G0 ... G2 by escape sequences.
 *
 * state.c[0 .. 2] are what G0 ... G2 are, by the final byte of the sequence, with bit 7 for sets of
 * two bytes; state.c[4] has flags. */
#include "cjk.h"

enum { DOUBLE = 0x80, SHIFTED = 1, THROUGH = 2 };
enum { ESC = 0x1b, SO = 0x0e, SI = 0x0f };
enum { FLAGS = 4 };

/* clang-format off */
enum set {
    ASCII = 'B', ROMAN = 'J', KANA = 'I', LATIN1 = 'A', GREEK = 'F',
    JISX0208 = 'B' | DOUBLE, JISX0208_OLD = '@' | DOUBLE, JISX0212 = 'D' | DOUBLE,
    JISX0213_2000_1 = 'O' | DOUBLE, JISX0213_2004_1 = 'Q' | DOUBLE, JISX0213_2 = 'P' | DOUBLE,
    GB2312 = 'A' | DOUBLE, KSX1001 = 'C' | DOUBLE,
};
/* clang-format on */

struct designation {
    unsigned char set;
    unsigned char place;         /* G0, G1 or G2 */
    bool pairs_only;             /* encodes nothing but pairs */
    const struct cjk_data *data; /* of sets of two bytes */
};

struct iso2022_config {
    bool shifts;                 /* SO and SI mean something */
    bool g2;                     /* ESC N takes a character from G2 */
    bool long_jisx0208;          /* ESC & @ may stand in front of JIS X 0208 */
    struct designation sets[10]; /* in the order in which encoding tries them; ends with 0 */
};

const struct iso2022_config iso2022_kr = {
    .shifts = true,
    .sets = {{KSX1001, 1, false, &cjk_ksx1001_7bit}},
};
const struct iso2022_config iso2022_jp = {
    .long_jisx0208 = true,
    .sets = {{JISX0208, 0, false, &cjk_jisx0208},
             {ROMAN, 0, false, NULL},
             {JISX0208_OLD, 0, false, &cjk_jisx0208}},
};
const struct iso2022_config iso2022_jp_1 = {
    .long_jisx0208 = true,
    .sets = {{JISX0208, 0, false, &cjk_jisx0208},
             {JISX0212, 0, false, &cjk_jisx0212},
             {ROMAN, 0, false, NULL},
             {JISX0208_OLD, 0, false, &cjk_jisx0208}},
};
const struct iso2022_config iso2022_jp_2 = {
    .g2 = true,
    .long_jisx0208 = true,
    .sets = {{JISX0208, 0, false, &cjk_jisx0208},
             {JISX0212, 0, false, &cjk_jisx0212},
             {KSX1001, 0, false, &cjk_ksx1001_7bit},
             {GB2312, 0, false, &cjk_gb2312_7bit},
             {ROMAN, 0, false, NULL},
             {JISX0208_OLD, 0, false, &cjk_jisx0208},
             {LATIN1, 2, false, NULL},
             {GREEK, 2, false, NULL}},
};
const struct iso2022_config iso2022_jp_3 = {
    .long_jisx0208 = true,
    .sets = {{JISX0213_2000_1, 0, true, &cjk_jisx0213_2000_1},
             {JISX0208, 0, false, &cjk_jisx0208},
             {JISX0213_2000_1, 0, false, &cjk_jisx0213_2000_1},
             {JISX0213_2, 0, false, &cjk_jisx0213_2000_2}},
};
const struct iso2022_config iso2022_jp_2004 = {
    .long_jisx0208 = true,
    .sets = {{JISX0213_2004_1, 0, true, &cjk_jisx0213_2004_1},
             {JISX0208, 0, false, &cjk_jisx0208},
             {JISX0213_2004_1, 0, false, &cjk_jisx0213_2004_1},
             {JISX0213_2, 0, false, &cjk_jisx0213_2}},
};
const struct iso2022_config iso2022_jp_ext = {
    .long_jisx0208 = true,
    .sets = {{JISX0208, 0, false, &cjk_jisx0208},
             {JISX0212, 0, false, &cjk_jisx0212},
             {ROMAN, 0, false, NULL},
             {KANA, 0, false, NULL},
             {JISX0208_OLD, 0, false, &cjk_jisx0208}},
};

static const struct designation *find_set(const struct iso2022_config *config, unsigned char set)
{
    const struct designation *found = config->sets;
    while (found->set != 0 && found->set != set) {
        found++;
    }
    return found->set ? found : NULL;
}

/* ---- decoding ------------------------------------------------------------------------------- */

static bool ends_escape(unsigned char c)
{
    return c >= '@' && c <= 'Z';
}

/* How long the escape sequence is, 0 if it has no end; MB_TOO_FEW. */
static int escape_length(const struct iso2022_config *config, const struct mb_bytes *in)
{
    const unsigned char *data = in->data + in->pos;
    Py_ssize_t left = in->len - in->pos;
    for (int i = 1; i < 16; i++) {
        if (i >= left) {
            return MB_TOO_FEW;
        }
        if (ends_escape(data[i])) {
            return i + 1;
        }
        if (config->long_jisx0208 && i + 1 < left && data[i] == '&' && data[i + 1] == '@') {
            i += 2;
        }
    }
    return 0;
}

/* What a whole sequence designates, or 0. */
static unsigned char designated(const struct iso2022_config *config, const unsigned char *data,
                                int length, int *place)
{
    unsigned char between = data[1];
    *place = 0;
    if (length == 6 && config->long_jisx0208 && data[3] == ESC && data[4] == '$'
        && data[5] == 'B') {
        return JISX0208;
    }
    if (length == 3 && between == '$') {
        return data[2] | DOUBLE;
    }
    if (length == 4 && between == '$') {
        between = data[2];
    } else if (length != 3) {
        return 0;
    }
    if (between == ')') {
        *place = 1;
    } else if (between == '.' && config->g2 && length == 3) {
        *place = 2;
    } else if (between != '(') {
        return 0;
    }
    return length == 4 ? data[3] | DOUBLE : data[2];
}

static int decode_escape(const struct iso2022_config *config, struct mb_state *state,
                         struct mb_bytes *in)
{
    int length = escape_length(config, in), place;
    if (length <= 0) {
        return length == 0 ? 1 : length;
    }
    unsigned char set = designated(config, in->data + in->pos, length, &place);
    if (set == 0 || (set != ASCII && find_set(config, set) == NULL)) {
        return length;
    }
    state->c[place] = set;
    in->pos += length;
    return MB_DONE;
}

/* ISO 8859-7 from 0xa0 on; 0: nothing there. */
static Py_UCS4 greek(unsigned char c)
{
    static const Py_UCS4 start[20] = {
        0xa0, 0x2018, 0x2019, 0xa3, 0, 0,      0xa6, 0xa7, 0xa8, 0xa9,
        0,    0xab,   0xac,   0xad, 0, 0x2015, 0xb0, 0xb1, 0xb2, 0xb3,
    };
    if (c < 0xb4) {
        return c < 0xa0 ? c : start[c - 0xa0];
    }
    return c == 0xb7 || c == 0xbb || c == 0xbd ? c : c == 0xd2 || c == 0xff ? 0 : c + 0x2d0u;
}

/* ESC N and a character of G2. */
static int decode_single_shift(struct mb_state *state, struct mb_bytes *in,
                               _PyUnicodeWriter *writer)
{
    if (in->len - in->pos < 3) {
        return MB_TOO_FEW;
    }
    unsigned char c = in->data[in->pos + 2];
    Py_UCS4 point = 0;
    if (state->c[2] == LATIN1 && c < 0x80) {
        point = c | 0x80u;
    } else if (state->c[2] == GREEK) {
        point = greek(c ^ 0x80);
    } else if (state->c[2] == ASCII && c < 0x80) {
        point = c;
    }
    if (point == 0) {
        return 3;
    }
    in->pos += 3;
    return mb_write(writer, point);
}

static int decode_in_set(const struct iso2022_config *config, unsigned char set,
                         struct mb_bytes *in, _PyUnicodeWriter *writer)
{
    const unsigned char *data = in->data + in->pos;
    const struct designation *found = find_set(config, set);
    if (!(set & DOUBLE)) {
        Py_UCS4 point = set == ROMAN ? (data[0] == '\\'  ? 0xa5
                                        : data[0] == '~' ? 0x203e
                                                         : data[0])
                        : set == KANA && data[0] >= 0x21 && data[0] <= 0x5f ? data[0] + 0xff40u
                                                                            : 0;
        if (point == 0) {
            return 1;
        }
        in->pos++;
        return mb_write(writer, point);
    }
    if (found == NULL || found->data == NULL) {
        return 1; /* somebody has set a state of his own */
    }
    if (in->len - in->pos < 2) {
        return MB_TOO_FEW;
    }
    const struct cjk_tables *tables = cjk_tables_of(found->data);
    if (tables == NULL) {
        return MB_FAILED;
    }
    const uint32_t *page = tables->two[data[0]];
    uint32_t value = page ? page[data[1]] : 0;
    if (value <= CJK_BOTH_BAD) {
        return 2;
    }
    in->pos += 2;
    return mb_write_value(writer, tables, value);
}

static int decode_next(const struct iso2022_config *config, struct mb_state *state,
                       struct mb_bytes *in, _PyUnicodeWriter *writer)
{
    unsigned char c = in->data[in->pos];
    if (state->c[FLAGS] & THROUGH) {
        /* Inside of a sequence that is not for us: it is handed on. */
        if (ends_escape(c)) {
            state->c[FLAGS] &= (unsigned char)~THROUGH;
        }
    } else if (c == ESC) {
        if (in->len - in->pos < 2) {
            return MB_TOO_FEW;
        }
        unsigned char next = in->data[in->pos + 1];
        if (next == '(' || next == ')' || next == '$' || next == '.' || next == '&') {
            return decode_escape(config, state, in);
        }
        if (config->g2 && next == 'N') {
            return decode_single_shift(state, in, writer);
        }
        state->c[FLAGS] |= THROUGH;
    } else if ((c == SI || c == SO) && config->shifts) {
        state->c[FLAGS] = (unsigned char)((state->c[FLAGS] & ~SHIFTED) | (c == SO ? SHIFTED : 0));
        in->pos++;
        return MB_DONE;
    } else if (c == '\n') {
        state->c[FLAGS] &= (unsigned char)~SHIFTED;
    } else if (c >= 0x80) {
        return 1;
    } else if (c >= 0x20) {
        unsigned char set = state->c[state->c[FLAGS] & SHIFTED ? 1 : 0];
        if (set != ASCII) {
            return decode_in_set(config, set, in, writer);
        }
    }
    in->pos++;
    return mb_write(writer, c);
}

int iso2022_decode(const struct cjk_codec *codec, struct mb_state *state, struct mb_bytes *in,
                   _PyUnicodeWriter *writer)
{
    int rc = MB_DONE;
    while (rc == MB_DONE && in->pos < in->len) {
        rc = decode_next(codec->config, state, in, writer);
    }
    return rc;
}

/* ---- encoding ------------------------------------------------------------------------------- */

/* The code in a set and how many characters it takes; 0 if it is not in it, or MB_TOO_FEW,
 * MB_FAILED. */
static int code_in_set(const struct designation *set, const struct mb_text *in, bool flush,
                       uint32_t *code)
{
    Py_UCS4 point = mb_char(in, in->pos);
    if (!(set->set & DOUBLE)) {
        *code = set->set == ROMAN                                        ? (point == 0xa5     ? '\\'
                                                                            : point == 0x203e ? '~'
                                                                                              : 0)
                : set->set == KANA && point >= 0xff61 && point <= 0xff9f ? point - 0xff40
                                                                         : 0;
        return *code != 0;
    }
    const struct cjk_tables *tables = cjk_tables_of(set->data);
    if (tables == NULL) {
        return MB_FAILED;
    }
    *code = cjk_code_of(tables, point);
    if (*code & CJK_PAIR) {
        if (in->pos + 1 == in->len && !flush) {
            return MB_TOO_FEW;
        }
        uint32_t pair =
            in->pos + 1 < in->len ? cjk_pair_code(tables, point, mb_char(in, in->pos + 1)) : 0;
        if (pair != 0) {
            *code = pair & 0xffff;
            return 2;
        }
    }
    *code &= 0xffff;
    return *code != 0 && !set->pairs_only;
}

static int shift(struct mb_state *state, struct mb_out *out, bool on)
{
    if (!(state->c[FLAGS] & SHIFTED) == !on) {
        return MB_DONE;
    }
    state->c[FLAGS] ^= SHIFTED;
    return mb_put(out, on ? "\x0e" : "\x0f", 1);
}

/* Makes G0 or G1 the set. */
static int designate(struct mb_state *state, struct mb_out *out, unsigned char set, int place)
{
    if (state->c[place] == set) {
        return MB_DONE;
    }
    state->c[place] = set;
    char text[4] = {ESC};
    int len = 1;
    if (set & DOUBLE) {
        text[len++] = '$';
    }
    /* The oldest set of two bytes has a shorter sequence. */
    if (set != JISX0208) {
        text[len++] = place ? ')' : '(';
    }
    text[len++] = (char)(set & ~DOUBLE);
    return mb_put(out, text, len);
}

static int encode_ascii(struct mb_state *state, struct mb_out *out, char c)
{
    int rc = designate(state, out, ASCII, 0);
    rc = rc < 0 ? rc : shift(state, out, false);
    return rc < 0 ? rc : mb_put(out, &c, 1);
}

static int encode_in_set(const struct designation *set, struct mb_state *state, struct mb_out *out,
                         uint32_t code)
{
    int rc = set->place == 0 ? shift(state, out, false) : MB_DONE;
    rc = rc < 0 ? rc : designate(state, out, set->set, set->place);
    rc = rc < 0 || set->place == 0 ? rc : shift(state, out, true);
    const char bytes[2] = {(char)(code >> 8), (char)code};
    return rc < 0 ? rc : set->set & DOUBLE ? mb_put(out, bytes, 2) : mb_put(out, bytes + 1, 1);
}

static int encode_next(const struct iso2022_config *config, struct mb_state *state,
                       struct mb_text *in, struct mb_out *out, bool flush)
{
    Py_UCS4 point = mb_char(in, in->pos);
    if (point < 0x80) {
        in->pos++;
        return encode_ascii(state, out, (char)point);
    }
    for (const struct designation *set = config->sets; set->set != 0; set++) {
        uint32_t code;
        int taken = code_in_set(set, in, flush, &code);
        if (taken < 0) {
            return taken;
        }
        if (taken > 0) {
            in->pos += taken;
            return encode_in_set(set, state, out, code);
        }
    }
    return 1;
}

int iso2022_encode(const struct cjk_codec *codec, struct mb_state *state, struct mb_text *in,
                   struct mb_out *out, bool flush)
{
    int rc = MB_DONE;
    while (rc == MB_DONE && in->pos < in->len) {
        rc = encode_next(codec->config, state, in, out, flush);
    }
    return rc;
}

/* ---- the state ------------------------------------------------------------------------------ */

void iso2022_encode_init(struct mb_state *state)
{
    state->c[0] = state->c[1] = ASCII;
}

void iso2022_decode_init(struct mb_state *state)
{
    state->c[0] = state->c[1] = state->c[2] = ASCII;
}

int iso2022_encode_reset(struct mb_state *state, struct mb_out *out)
{
    int rc = shift(state, out, false);
    return rc < 0 ? rc : designate(state, out, ASCII, 0);
}

void iso2022_decode_reset(struct mb_state *state)
{
    state->c[0] = ASCII;
    state->c[FLAGS] &= (unsigned char)~SHIFTED;
}
