/* _codecs: the registry and the built-in codecs, as the codecs module uses them.
 *
 * Encoders and decoders return (result, how much of the input they used). */
#include <Python.h>

#include "objects/codecs.h"
#include "objects/bytes.h"
#include "objects/str/codec_charmap.h"
#include "objects/str/codec_escape.h"
#include "objects/str/codec_utf7.h"
#include "_codecs.bind.h"

/* (result, used); steals `result`, which may be NULL. */
static PyObject *pair(PyObject *result, Py_ssize_t used)
{
    return result == NULL ? NULL : Py_BuildValue("(Nn)", result, used);
}

/* ---- The registry ------------------------------------------------------------------------------ */

static int codecs_register(PyObject *Py_UNUSED(module), PyObject *search_function)
{
    return PyCodec_Register(search_function);
}

static int codecs_unregister(PyObject *Py_UNUSED(module), PyObject *search_function)
{
    return PyCodec_Unregister(search_function);
}

static PyObject *codecs_lookup(PyObject *Py_UNUSED(module), const char *encoding)
{
    return codec_lookup(encoding);
}

static PyObject *codecs_encode(PyObject *Py_UNUSED(module), PyObject *obj, const char *encoding,
                               const char *errors)
{
    return PyCodec_Encode(obj, encoding, errors);
}

static PyObject *codecs_decode(PyObject *Py_UNUSED(module), PyObject *obj, const char *encoding,
                               const char *errors)
{
    return PyCodec_Decode(obj, encoding, errors);
}

static int codecs_register_error(PyObject *Py_UNUSED(module), const char *errors, PyObject *handler)
{
    return PyCodec_RegisterError(errors, handler);
}

static PyObject *codecs_lookup_error(PyObject *Py_UNUSED(module), const char *name)
{
    return PyCodec_LookupError(name);
}

static int codecs_forget_codec(PyObject *Py_UNUSED(module), const char *encoding)
{
    return codec_forget(encoding);
}

/* ---- Decoders ---------------------------------------------------------------------------------- */

/* Those that may leave an incomplete end for the next call, unless it is final. */
#define STATEFUL(name, decode, ...)                                                                \
    static PyObject *codecs_##name(PyObject *Py_UNUSED(module), Py_buffer *data,                   \
                                   const char *errors, int final)                                  \
    {                                                                                              \
        Py_ssize_t used = data->len;                                                               \
        PyObject *text =                                                                           \
            decode(data->buf, data->len, errors, ##__VA_ARGS__, final ? NULL : &used);             \
        return pair(text, used);                                                                   \
    }

STATEFUL(utf_8_decode, PyUnicode_DecodeUTF8Stateful)
STATEFUL(utf_7_decode, PyUnicode_DecodeUTF7Stateful)
STATEFUL(utf_16_decode, PyUnicode_DecodeUTF16Stateful, &(int){0})
STATEFUL(utf_16_le_decode, PyUnicode_DecodeUTF16Stateful, &(int){-1})
STATEFUL(utf_16_be_decode, PyUnicode_DecodeUTF16Stateful, &(int){1})
STATEFUL(utf_32_decode, PyUnicode_DecodeUTF32Stateful, &(int){0})
STATEFUL(utf_32_le_decode, PyUnicode_DecodeUTF32Stateful, &(int){-1})
STATEFUL(utf_32_be_decode, PyUnicode_DecodeUTF32Stateful, &(int){1})
STATEFUL(unicode_escape_decode, unicode_escape_decode_warn)
STATEFUL(raw_unicode_escape_decode, raw_unicode_escape_decode)

/* (text, used, byte order): the order that was found is needed to go on. */
#define WITH_ORDER(name, decode)                                                                   \
    static PyObject *codecs_##name(PyObject *Py_UNUSED(module), Py_buffer *data,                   \
                                   const char *errors, int byteorder, int final)                   \
    {                                                                                              \
        Py_ssize_t used = data->len;                                                               \
        PyObject *text = decode(data->buf, data->len, errors, &byteorder, final ? NULL : &used);   \
        return text == NULL ? NULL : Py_BuildValue("(Nni)", text, used, byteorder);                \
    }

WITH_ORDER(utf_16_ex_decode, PyUnicode_DecodeUTF16Stateful)
WITH_ORDER(utf_32_ex_decode, PyUnicode_DecodeUTF32Stateful)

static PyObject *codecs_latin_1_decode(PyObject *Py_UNUSED(module), Py_buffer *data,
                                       const char *errors)
{
    return pair(PyUnicode_DecodeLatin1(data->buf, data->len, errors), data->len);
}

static PyObject *codecs_ascii_decode(PyObject *Py_UNUSED(module), Py_buffer *data,
                                     const char *errors)
{
    return pair(PyUnicode_DecodeASCII(data->buf, data->len, errors), data->len);
}

static PyObject *codecs_charmap_decode(PyObject *Py_UNUSED(module), Py_buffer *data,
                                       const char *errors, PyObject *mapping)
{
    mapping = mapping == Py_None ? NULL : mapping;
    return pair(PyUnicode_DecodeCharmap(data->buf, data->len, mapping, errors), data->len);
}

static PyObject *codecs_escape_decode(PyObject *Py_UNUSED(module), Py_buffer *data,
                                      const char *errors)
{
    return pair(PyBytes_DecodeEscape(data->buf, data->len, errors, 0, NULL), data->len);
}

/* ---- Encoders ---------------------------------------------------------------------------------- */

#define ENCODER(name, expression)                                                                  \
    static PyObject *codecs_##name(PyObject *Py_UNUSED(module), PyObject *str, const char *errors) \
    {                                                                                              \
        (void)errors;                                                                              \
        return pair(expression, PyUnicode_GET_LENGTH(str));                                        \
    }

ENCODER(utf_7_encode, utf7_encode(str))
ENCODER(utf_8_encode, _PyUnicode_AsUTF8String(str, errors))
ENCODER(utf_16_le_encode, _PyUnicode_EncodeUTF16(str, errors, -1))
ENCODER(utf_16_be_encode, _PyUnicode_EncodeUTF16(str, errors, 1))
ENCODER(utf_32_le_encode, _PyUnicode_EncodeUTF32(str, errors, -1))
ENCODER(utf_32_be_encode, _PyUnicode_EncodeUTF32(str, errors, 1))
ENCODER(unicode_escape_encode, PyUnicode_AsUnicodeEscapeString(str))
ENCODER(raw_unicode_escape_encode, PyUnicode_AsRawUnicodeEscapeString(str))
ENCODER(latin_1_encode, _PyUnicode_AsLatin1String(str, errors))
ENCODER(ascii_encode, _PyUnicode_AsASCIIString(str, errors))

static PyObject *codecs_utf_16_encode(PyObject *Py_UNUSED(module), PyObject *str,
                                      const char *errors, int byteorder)
{
    return pair(_PyUnicode_EncodeUTF16(str, errors, byteorder), PyUnicode_GET_LENGTH(str));
}

static PyObject *codecs_utf_32_encode(PyObject *Py_UNUSED(module), PyObject *str,
                                      const char *errors, int byteorder)
{
    return pair(_PyUnicode_EncodeUTF32(str, errors, byteorder), PyUnicode_GET_LENGTH(str));
}

static PyObject *codecs_charmap_encode(PyObject *Py_UNUSED(module), PyObject *str,
                                       const char *errors, PyObject *mapping)
{
    mapping = mapping == Py_None ? NULL : mapping;
    return pair(_PyUnicode_EncodeCharmap(str, mapping, errors), PyUnicode_GET_LENGTH(str));
}

static PyObject *codecs_charmap_build(PyObject *Py_UNUSED(module), PyObject *map)
{
    return PyUnicode_BuildEncodingMap(map);
}

static PyObject *codecs_escape_encode(PyObject *Py_UNUSED(module), PyObject *data,
                                      const char *Py_UNUSED(errors))
{
    struct bytes_writer w;
    bytes_writer_init(&w);
    const uint8_t *p = bytes_data(data);
    static const char digits[] = "0123456789abcdef";
    for (Py_ssize_t i = 0; i < bytes_len(data); i++) {
        uint8_t c = p[i];
        if (bytes_writer_reserve(&w, 4) < 0) {
            bytes_writer_drop(&w);
            return NULL;
        }
        char letter = c == '\'' || c == '\\' ? (char)c
                      : c == '\t'            ? 't'
                      : c == '\n'            ? 'n'
                      : c == '\r'            ? 'r'
                                             : 0;
        if (letter != 0) {
            *w.pos++ = '\\';
            *w.pos++ = (uint8_t)letter;
        } else if (c < ' ' || c >= 0x7f) {
            *w.pos++ = '\\';
            *w.pos++ = 'x';
            *w.pos++ = (uint8_t)digits[c >> 4];
            *w.pos++ = (uint8_t)digits[c & 15];
        } else {
            *w.pos++ = c;
        }
    }
    return pair(bytes_writer_finish(&w), bytes_len(data));
}

static PyObject *codecs_readbuffer_encode(PyObject *Py_UNUSED(module), Py_buffer *data,
                                          const char *Py_UNUSED(errors))
{
    return pair(PyBytes_FromStringAndSize(data->buf, data->len), data->len);
}

/* ---- The module -------------------------------------------------------------------------------- */

static PyModuleDef_Slot slots[] = {
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_codecs",
    .m_methods = codecs_methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__codecs(void)
{
    return PyModuleDef_Init(&definition);
}
