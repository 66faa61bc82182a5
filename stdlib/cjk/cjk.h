/* Multibyte codecs: what the files of _multibytecodec and the _codecs_* modules share.
 *
 * data.c has the character sets as text and, per encoding, how they are combined; tables.c makes
 * lookup tables of that when an encoding is first used.  dbcs.c and iso2022.c convert; multibyte.c
 * has errors, pending input and the types around them; modules.c lists the codecs.
 *
 * A set is text in which 64 characters are digits, most significant first.  `@` and four digits:
 * the code that comes next (codes count up by one from there).  Three digits: a code point.  `*`
 * and two digits: so many code points that follow on the last one.  `-` and two digits: so many
 * codes that earlier layers have and this one has not. */
#ifndef KRAIT_STDLIB_CJK_H
#define KRAIT_STDLIB_CJK_H

#include "../module.h"

/* ---- data ----------------------------------------------------------------------------------- */

/* How a layer's codes become codes of the encoding. */
enum cjk_transform {
    CJK_END,
    CJK_ASCII, /* no text: the bytes below 0x80 as themselves */
    CJK_AS_IS,
    CJK_AS_EUC,        /* 0x2121 is 0xa1a1 */
    CJK_AS_EUC_3,      /* 0x2121 is 0x8fa1a1 */
    CJK_AS_EUC_3_REST, /* the same, where nothing is yet */
    CJK_AS_SJIS,       /* rows folded in two, as Shift JIS does */
    CJK_AS_SJIS_2,     /* the rows of the second plane of JIS X 0213 */
    CJK_AS_7BIT,       /* 0xa1a1 is 0x2121; all others away */
    CJK_AS_HIGH,       /* only codes with both bytes from 0xa1 on */
    CJK_PATCH,         /* as it is, and the last layer */
};

struct cjk_layer {
    const char *text;
    enum cjk_transform transform;
};

struct cjk_pair { /* two code points that are one code */
    uint32_t first, second, code;
};

struct cjk_data {
    const struct cjk_layer *layers;
    const struct cjk_pair *pairs; /* ends with a zero; or NULL */
    const char *encode_patch;     /* code point (3 digits), code (4), or 0 for none */
};

extern const struct cjk_data cjk_gbk, cjk_gb18030, cjk_gb2312, cjk_cp949, cjk_euc_kr, cjk_johab,
    cjk_big5, cjk_cp950, cjk_big5hkscs, cjk_cp932, cjk_shift_jis, cjk_shift_jisx0213,
    cjk_shift_jis_2004, cjk_euc_jp, cjk_euc_jisx0213, cjk_euc_jis_2004, cjk_jisx0208, cjk_jisx0212,
    cjk_jisx0213_2000_1, cjk_jisx0213_2004_1, cjk_jisx0213_2, cjk_jisx0213_2000_2, cjk_gb2312_7bit,
    cjk_ksx1001_7bit;

/* ---- tables --------------------------------------------------------------------------------- */

enum {
    CJK_POINTS = 0x30000, /* code points above are in no set */
    CJK_BOTH_BAD = 1,     /* decoding: illegal, and both bytes are to blame */
    GB_FOUR = 39420,      /* four-byte codes of GB 18030 below U+10000 */
};
#define CJK_PAIR 0x80000000u /* decoding: the number of a pair; encoding: may begin one */

struct cjk_tables {
    int32_t single[256];               /* code point, or -1 */
    uint32_t *two[256];                /* by first byte; NULL, or by second: code point or 0 */
    uint32_t *three[256];              /* after 0x8f */
    bool three_bytes;                  /* whether there are any */
    uint32_t *encode[CJK_POINTS >> 8]; /* length << 24 | code, or 0 */
    const struct cjk_pair *pairs;
    uint16_t *four; /* GB 18030: the code points of the four-byte codes */
};

/* The tables of an encoding, made once; NULL with MemoryError. */
const struct cjk_tables *cjk_tables_of(const struct cjk_data *data);

static inline uint32_t cjk_code_of(const struct cjk_tables *tables, Py_UCS4 point)
{
    const uint32_t *page = point < CJK_POINTS ? tables->encode[point >> 8] : NULL;
    return page ? page[point & 0xff] : 0;
}

/* The code of two code points as one, or 0. */
uint32_t cjk_pair_code(const struct cjk_tables *tables, Py_UCS4 first, Py_UCS4 second);

/* ---- codecs --------------------------------------------------------------------------------- */

struct mb_state {
    unsigned char c[8];
};

struct mb_text { /* to be encoded */
    int kind;
    const void *data;
    Py_ssize_t pos, len;
};

struct mb_bytes { /* to be decoded */
    const unsigned char *data;
    Py_ssize_t pos, len;
};

struct mb_out { /* encoded */
    PyObject *bytes;
    Py_ssize_t len;
};

/* What encoding and decoding return; a positive number is that of illegal units at `pos`. */
enum { MB_DONE = 0, MB_TOO_FEW = -1, MB_FAILED = -2 };

struct cjk_codec {
    const char *name;
    const struct cjk_data *data;
    int (*encode)(const struct cjk_codec *, struct mb_state *, struct mb_text *, struct mb_out *,
                  bool flush);
    int (*decode)(const struct cjk_codec *, struct mb_state *, struct mb_bytes *,
                  _PyUnicodeWriter *);
    void (*encode_init)(struct mb_state *); /* NULL: zeros */
    void (*decode_init)(struct mb_state *);
    int (*encode_reset)(struct mb_state *, struct mb_out *);
    void (*decode_reset)(struct mb_state *);
    const unsigned char *leads; /* ranges of first bytes, ends with 0; NULL: from 0x80 on */
    const void *config;
};

/* Appends bytes; 0, or MB_FAILED with an exception. */
int mb_put(struct mb_out *out, const void *data, Py_ssize_t len);
/* Appends the bytes of a code of known length. */
int mb_put_code(struct mb_out *out, uint32_t code);

static inline Py_UCS4 mb_char(const struct mb_text *text, Py_ssize_t at)
{
    return PyUnicode_READ(text->kind, text->data, at);
}

static inline int mb_write(_PyUnicodeWriter *writer, Py_UCS4 point)
{
    if (LIKELY(writer->pos < writer->size && point <= writer->maxchar)) {
        PyUnicode_WRITE(writer->kind, writer->data, writer->pos, point);
        writer->pos++;
        return MB_DONE;
    }
    return _PyUnicodeWriter_WriteChar(writer, point) < 0 ? MB_FAILED : MB_DONE;
}

/* Writes what a table has for a code, which is not 0 and not CJK_BOTH_BAD. */
int mb_write_value(_PyUnicodeWriter *writer, const struct cjk_tables *tables, uint32_t value);

int dbcs_encode(const struct cjk_codec *codec, struct mb_state *state, struct mb_text *in,
                struct mb_out *out, bool flush);
int dbcs_decode(const struct cjk_codec *codec, struct mb_state *state, struct mb_bytes *in,
                _PyUnicodeWriter *writer);
int gb18030_encode(const struct cjk_codec *codec, struct mb_state *state, struct mb_text *in,
                   struct mb_out *out, bool flush);
int gb18030_decode(const struct cjk_codec *codec, struct mb_state *state, struct mb_bytes *in,
                   _PyUnicodeWriter *writer);
int euc_kr_encode(const struct cjk_codec *codec, struct mb_state *state, struct mb_text *in,
                  struct mb_out *out, bool flush);
int euc_kr_decode(const struct cjk_codec *codec, struct mb_state *state, struct mb_bytes *in,
                  _PyUnicodeWriter *writer);
int hz_encode(const struct cjk_codec *codec, struct mb_state *state, struct mb_text *in,
              struct mb_out *out, bool flush);
int hz_decode(const struct cjk_codec *codec, struct mb_state *state, struct mb_bytes *in,
              _PyUnicodeWriter *writer);
int hz_encode_reset(struct mb_state *state, struct mb_out *out);
void hz_decode_reset(struct mb_state *state);
int iso2022_encode(const struct cjk_codec *codec, struct mb_state *state, struct mb_text *in,
                   struct mb_out *out, bool flush);
int iso2022_decode(const struct cjk_codec *codec, struct mb_state *state, struct mb_bytes *in,
                   _PyUnicodeWriter *writer);
void iso2022_encode_init(struct mb_state *state);
void iso2022_decode_init(struct mb_state *state);
int iso2022_encode_reset(struct mb_state *state, struct mb_out *out);
void iso2022_decode_reset(struct mb_state *state);

struct iso2022_config;
extern const struct iso2022_config iso2022_kr, iso2022_jp, iso2022_jp_1, iso2022_jp_2, iso2022_jp_3,
    iso2022_jp_2004, iso2022_jp_ext;

/* A MultibyteCodec (new reference); imports _multibytecodec. */
PyObject *multibyte_codec_new(const struct cjk_codec *codec);

#endif
