/* Makes lookup tables of the text of character sets. */
#include "cjk.h"

struct filling {
    struct cjk_tables *tables;
    enum cjk_transform transform;
    bool failed;
};

static int digit_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'Z' ? c - 'A' + 10
           : c >= 'a' && c <= 'z' ? c - 'a' + 36
           : c == '#'             ? 62
                                  : 63;
}

static uint32_t read_digits(const char **text, int count)
{
    uint32_t value = 0;
    while (count-- > 0) {
        value = value << 6 | (uint32_t)digit_value(*(*text)++);
    }
    return value;
}

/* ---- transforms ----------------------------------------------------------------------------- */

static uint32_t folded(unsigned lead, unsigned cell, bool second)
{
    return lead << 8 | (second ? cell + 0x9e : cell + 0x3f + (cell >= 0x40));
}

static uint32_t to_sjis(unsigned row, unsigned cell)
{
    unsigned lead = (row - 1) / 2 + 0x81;
    return folded(lead > 0x9f ? lead + 0x40 : lead, cell, row % 2 == 0);
}

/* The second plane has gaps between its rows, and its first rows stand in another order. */
static uint32_t to_sjis_2(unsigned row, unsigned cell)
{
    static const unsigned char first_rows[] = {1, 8, 3, 4, 5, 12, 13, 14, 15};
    unsigned index = row >= 78 ? row - 78 + sizeof first_rows : 0;
    if (row < 78) {
        while (index < sizeof first_rows && first_rows[index] != row) {
            index++;
        }
        if (index == sizeof first_rows) {
            return 0;
        }
    }
    return folded(0xf0 + index / 2, cell, index % 2 != 0);
}

/* The code in the encoding, 0 for none. */
static uint32_t transformed(enum cjk_transform transform, uint32_t code)
{
    unsigned row = (code >> 8) - 0x20, cell = (code & 0xff) - 0x20;
    bool high = code >= 0xa1a1 && (code & 0xff) >= 0xa1;
    switch (transform) {
    case CJK_AS_EUC:
        return code | 0x8080;
    case CJK_AS_EUC_3:
    case CJK_AS_EUC_3_REST:
        return code | 0x8f8080;
    case CJK_AS_SJIS:
        return to_sjis(row, cell);
    case CJK_AS_SJIS_2:
        return to_sjis_2(row, cell);
    case CJK_AS_7BIT:
        return high ? code & 0x7f7f : 0;
    case CJK_AS_HIGH:
        return high ? code : 0;
    default:
        return code;
    }
}

/* ---- filling -------------------------------------------------------------------------------- */

static uint32_t *slot_in(uint32_t **pages, unsigned page, unsigned index)
{
    if (pages[page] == NULL) {
        pages[page] = PyMem_RawCalloc(256, sizeof(uint32_t));
    }
    return pages[page] ? &pages[page][index] : NULL;
}

/* Where a code of two or three bytes is decoded; NULL without memory. */
static uint32_t *decode_slot(struct cjk_tables *tables, uint32_t code)
{
    uint32_t **pages = code > 0xffff ? tables->three : tables->two;
    tables->three_bytes |= code > 0xffff;
    return slot_in(pages, code >> 8 & 0xff, code & 0xff);
}

static void set_code(struct filling *filling, uint32_t point, uint32_t code, bool replace)
{
    uint32_t *slot = slot_in(filling->tables->encode, point >> 8, point & 0xff);
    filling->failed |= slot == NULL;
    if (slot != NULL && (replace || (*slot & ~CJK_PAIR) == 0)) {
        uint32_t length = code > 0xffff ? 3 : code > 0xff ? 2 : 1;
        *slot = (*slot & CJK_PAIR) | (code == 0 && point != 0 ? 0 : length << 24 | code);
    }
}

/* Takes `code` away from the code point that it was decoded to. */
static void unset_code(struct filling *filling, uint32_t point, uint32_t code)
{
    if ((cjk_code_of(filling->tables, point) & 0xffffff) == code) {
        set_code(filling, point, 0, true);
    }
}

/* point 0: takes the code away. */
static void set_point(struct filling *filling, uint32_t code, uint32_t point)
{
    struct cjk_tables *tables = filling->tables;
    bool patch = filling->transform == CJK_PATCH;
    if (code < 0x100) {
        if (patch && tables->single[code] >= 0) {
            unset_code(filling, (uint32_t)tables->single[code], code);
        }
        tables->single[code] = point ? (int32_t)point : -1;
    } else {
        uint32_t *slot = decode_slot(tables, code);
        if (slot == NULL) {
            filling->failed = true;
            return;
        }
        if (*slot != 0 && filling->transform == CJK_AS_EUC_3_REST) {
            return;
        }
        if (patch && *slot != 0) {
            unset_code(filling, *slot, code);
        }
        *slot = point;
    }
    if (point != 0 && point != CJK_BOTH_BAD) {
        set_code(filling, point, code, false);
    }
}

static void fill_layer(struct filling *filling, const char *text)
{
    uint32_t code = 0, point = 0;
    while (*text != '\0') {
        uint32_t count = 1;
        bool away = *text == '-';
        if (*text == '@') {
            text++;
            code = read_digits(&text, 4);
            continue;
        }
        if (away || *text == '*') {
            text++;
            count = read_digits(&text, 2);
            point++;
        } else {
            point = read_digits(&text, 3);
        }
        for (; count > 0; count--, code++, point++) {
            uint32_t target = transformed(filling->transform, code);
            if (target != 0) {
                set_point(filling, target, away ? 0 : point);
            }
        }
        point--;
    }
}

static void fill_pairs(struct filling *filling, const struct cjk_pair *pairs)
{
    struct cjk_tables *tables = filling->tables;
    tables->pairs = pairs;
    for (uint32_t i = 0; pairs != NULL && pairs[i].code != 0; i++) {
        uint32_t *decode = decode_slot(tables, pairs[i].code);
        uint32_t *encode = slot_in(tables->encode, pairs[i].first >> 8, pairs[i].first & 0xff);
        if (decode == NULL || encode == NULL) {
            filling->failed = true;
            return;
        }
        *decode = CJK_PAIR | i;
        *encode |= CJK_PAIR;
    }
}

/* The code points that two bytes cannot express are those of four bytes, in order. */
static void fill_four(struct filling *filling)
{
    struct cjk_tables *tables = filling->tables;
    tables->four = PyMem_RawCalloc(GB_FOUR, sizeof(uint16_t));
    if (tables->four == NULL) {
        filling->failed = true;
        return;
    }
    int count = 0;
    for (uint32_t point = 0x80; point < 0x10000 && count < GB_FOUR; point++) {
        if ((point < 0xd800 || point >= 0xe000) && cjk_code_of(tables, point) == 0) {
            tables->four[count++] = (uint16_t)point;
        }
    }
}

static void tables_free(struct cjk_tables *tables)
{
    for (int i = 0; i < 256; i++) {
        PyMem_RawFree(tables->two[i]);
        PyMem_RawFree(tables->three[i]);
    }
    for (int i = 0; i < CJK_POINTS >> 8; i++) {
        PyMem_RawFree(tables->encode[i]);
    }
    PyMem_RawFree(tables->four);
    PyMem_RawFree(tables);
}

static struct cjk_tables *tables_make(const struct cjk_data *data)
{
    struct cjk_tables *tables = PyMem_RawCalloc(1, sizeof *tables);
    if (tables == NULL) {
        return NULL;
    }
    struct filling filling = {.tables = tables};
    memset(tables->single, 0xff, sizeof tables->single);
    for (const struct cjk_layer *layer = data->layers; layer->transform != CJK_END; layer++) {
        filling.transform = layer->transform;
        if (layer->transform == CJK_ASCII) {
            for (uint32_t code = 0; code < 0x80; code++) {
                tables->single[code] = (int32_t)code;
                set_code(&filling, code, code, true);
            }
        } else {
            fill_layer(&filling, layer->text);
        }
    }
    for (const char *patch = data->encode_patch; *patch != '\0';) {
        uint32_t point = read_digits(&patch, 3);
        set_code(&filling, point, read_digits(&patch, 4), true);
    }
    fill_pairs(&filling, data->pairs);
    if (data == &cjk_gb18030) {
        fill_four(&filling);
    }
    if (filling.failed) {
        tables_free(tables);
        return NULL;
    }
    return tables;
}

/* ---- looking up ----------------------------------------------------------------------------- */

const struct cjk_tables *cjk_tables_of(const struct cjk_data *data)
{
    /* They are the same for all interpreters and stay until the process ends. */
    static const struct {
        const struct cjk_data *data;
    } all[] = {
        {&cjk_gbk},
        {&cjk_gb18030},
        {&cjk_gb2312},
        {&cjk_cp949},
        {&cjk_euc_kr},
        {&cjk_johab},
        {&cjk_big5},
        {&cjk_cp950},
        {&cjk_big5hkscs},
        {&cjk_cp932},
        {&cjk_shift_jis},
        {&cjk_shift_jisx0213},
        {&cjk_shift_jis_2004},
        {&cjk_euc_jp},
        {&cjk_euc_jisx0213},
        {&cjk_euc_jis_2004},
        {&cjk_jisx0208},
        {&cjk_jisx0212},
        {&cjk_jisx0213_2000_1},
        {&cjk_jisx0213_2004_1},
        {&cjk_jisx0213_2},
        {&cjk_jisx0213_2000_2},
        {&cjk_gb2312_7bit},
        {&cjk_ksx1001_7bit},
    };
    static struct cjk_tables *made[sizeof all / sizeof *all];
    size_t i = 0;
    while (all[i].data != data) {
        i++;
    }
    struct cjk_tables *tables = __atomic_load_n(&made[i], __ATOMIC_ACQUIRE), *none = NULL;
    if (LIKELY(tables != NULL)) {
        return tables;
    }
    tables = tables_make(data);
    if (tables == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    if (!__atomic_compare_exchange_n(&made[i], &none, tables, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        tables_free(tables);
        tables = none;
    }
    return tables;
}

uint32_t cjk_pair_code(const struct cjk_tables *tables, Py_UCS4 first, Py_UCS4 second)
{
    for (const struct cjk_pair *pair = tables->pairs; pair != NULL && pair->code != 0; pair++) {
        if (pair->first == first && pair->second == second) {
            return 2u << 24 | pair->code;
        }
    }
    return 0;
}
