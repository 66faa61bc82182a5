/* The modules _codecs_cn, _codecs_hk, _codecs_iso2022, _codecs_jp, _codecs_kr and _codecs_tw: which
 * codecs each of them has. */
#include "cjk.h"

#include "codecs_cjk.bind.h"

#define DBCS(id)                                                                                   \
    {                                                                                              \
        .name = #id, .data = &cjk_##id, .encode = dbcs_encode, .decode = dbcs_decode               \
    }
#define SJIS(id, lead_ranges)                                                                      \
    {                                                                                              \
        .name = #id, .data = &cjk_##id, .encode = dbcs_encode, .decode = dbcs_decode,              \
        .leads = lead_ranges                                                                       \
    }
#define ISO2022(id)                                                                                \
    {                                                                                              \
        .name = "iso2022_" #id, .encode = iso2022_encode, .decode = iso2022_decode,                \
        .encode_init = iso2022_encode_init, .decode_init = iso2022_decode_init,                    \
        .encode_reset = iso2022_encode_reset, .decode_reset = iso2022_decode_reset,                \
        .config = &iso2022_##id                                                                    \
    }

static const unsigned char shift_jis_leads[] = {0x81, 0x9f, 0xe0, 0xea, 0};
static const unsigned char cp932_leads[] = {0x81, 0x9f, 0xe0, 0xfc, 0};

static const struct cjk_codec codecs_cn[] = {
    DBCS(gb2312),
    DBCS(gbk),
    {.name = "gb18030", .data = &cjk_gb18030, .encode = gb18030_encode, .decode = gb18030_decode},
    {.name = "hz",
     .data = &cjk_gb2312_7bit,
     .encode = hz_encode,
     .decode = hz_decode,
     .encode_reset = hz_encode_reset,
     .decode_reset = hz_decode_reset},
    {.name = NULL},
};
static const struct cjk_codec codecs_hk[] = {DBCS(big5hkscs), {.name = NULL}};
static const struct cjk_codec codecs_iso2022[] = {
    ISO2022(kr),      ISO2022(jp),   ISO2022(jp_1),   ISO2022(jp_2),
    ISO2022(jp_2004), ISO2022(jp_3), ISO2022(jp_ext), {.name = NULL},
};
static const struct cjk_codec codecs_jp[] = {
    SJIS(shift_jis, shift_jis_leads),  SJIS(cp932, cp932_leads), DBCS(euc_jp),
    SJIS(shift_jis_2004, cp932_leads), DBCS(euc_jis_2004),       DBCS(euc_jisx0213),
    SJIS(shift_jisx0213, cp932_leads), {.name = NULL},
};
static const struct cjk_codec codecs_kr[] = {
    {.name = "euc_kr", .data = &cjk_euc_kr, .encode = euc_kr_encode, .decode = euc_kr_decode},
    DBCS(cp949),
    DBCS(johab),
    {.name = NULL},
};
static const struct cjk_codec codecs_tw[] = {DBCS(big5), DBCS(cp950), {.name = NULL}};

static const struct cjk_codec *codecs_of(PyObject *module);

static PyObject *codecs_cjk_getcodec(PyObject *module, PyObject *encoding)
{
    if (!PyUnicode_Check(encoding)) {
        PyErr_SetString(PyExc_TypeError, "encoding name must be a string.");
        return NULL;
    }
    for (const struct cjk_codec *codec = codecs_of(module); codec->name != NULL; codec++) {
        if (PyUnicode_EqualToUTF8(encoding, codec->name)) {
            return multibyte_codec_new(codec);
        }
    }
    PyErr_SetString(PyExc_LookupError, "no such codec is supported.");
    return NULL;
}

static PyModuleDef_Slot plain_slots[] = MODULE_SLOTS_PLAIN;

#define REGION(region)                                                                             \
    static PyModuleDef region##_module = {                                                         \
        PyModuleDef_HEAD_INIT,           .m_name = "_codecs_" #region, .m_doc = codecs_cjk_doc,    \
        .m_methods = codecs_cjk_methods, .m_slots = plain_slots,                                   \
    };                                                                                             \
    MODULE_INIT(_codecs_##region, region##_module)

REGION(cn)
REGION(hk)
REGION(iso2022)
REGION(jp)
REGION(kr)
REGION(tw)

static const struct cjk_codec *codecs_of(PyObject *module)
{
    static const struct {
        PyModuleDef *module;
        const struct cjk_codec *codecs;
    } regions[] = {
        {&cn_module, codecs_cn}, {&hk_module, codecs_hk}, {&iso2022_module, codecs_iso2022},
        {&jp_module, codecs_jp}, {&kr_module, codecs_kr}, {&tw_module, codecs_tw},
    };
    PyModuleDef *definition = PyModule_GetDef(module);
    size_t i = 0;
    while (i + 1 < sizeof regions / sizeof *regions && regions[i].module != definition) {
        i++;
    }
    return regions[i].codecs;
}
