/* The charmap codec: a mapping from bytes to characters, or from characters to bytes. */
#include "objects/str/codec_charmap.h"

#include "objects/atom.h"
#include "objects/codecs/callbacks.h"

static const char undefined_reason[] = "character maps to <undefined>";

/* ---- Decoding ------------------------------------------------------------------------------ */

/* By a str: byte i is its i-th character, U+FFFE means undefined. */
static int decode_by_str(struct text_decoder *d, PyObject *mapping)
{
    int kind = str_kind(mapping);
    const void *data = str_data(mapping);
    Py_ssize_t n = str_len(mapping);
    const uint8_t *p = d->start;
    while (p < d->end) {
        Py_UCS4 ch = *p < n ? str_data_read(kind, data, *p) : 0xfffe;
        if (ch != 0xfffe) {
            if (str_writer_char(&d->out, ch) < 0) {
                return -1;
            }
            p++;
            continue;
        }
        Py_ssize_t at = p - d->start;
        at = text_decoder_error(d, undefined_reason, at, at + 1);
        if (at < 0) {
            return -1;
        }
        p = d->start + at;
    }
    return 0;
}

/* Writes what the mapping has for a byte: 1, 0 if that is undefined, or -1. */
static int write_mapped(struct text_decoder *d, PyObject *mapping, uint8_t byte)
{
    PyObject *key = PyLong_FromLong(byte);
    PyObject *value = key == NULL ? NULL : PyObject_GetItem(mapping, key);
    Py_XDECREF(key);
    if (value == NULL) {
        if (key != NULL && PyErr_ExceptionMatches(PyExc_LookupError)) {
            PyErr_Clear();
            return 0;
        }
        return -1;
    }
    int result = -1;
    if (value == Py_None) {
        result = 0;
    } else if (PyLong_Check(value)) {
        long number = PyLong_AsLong(value);
        if (number == -1 && PyErr_Occurred()) {
            PyErr_Clear();
        }
        if (number == 0xfffe) {
            result = 0;
        } else if (number < 0 || number > (long)STR_MAX_CODE_POINT) {
            PyErr_Format(PyExc_TypeError, "character mapping must be in range(0x%x)",
                         STR_MAX_CODE_POINT + 1);
        } else {
            result = str_writer_char(&d->out, (Py_UCS4)number) < 0 ? -1 : 1;
        }
    } else if (PyUnicode_Check(value)) {
        bool undefined = str_len(value) == 1 && str_read(value, 0) == 0xfffe;
        result = undefined ? 0 : str_writer_str(&d->out, value) < 0 ? -1 : 1;
    } else {
        PyErr_SetString(PyExc_TypeError, "character mapping must return integer, None or str");
    }
    Py_DECREF(value);
    return result;
}

static int decode_by_mapping(struct text_decoder *d, PyObject *mapping)
{
    Py_ssize_t at = 0;
    while (at < d->end - d->start) {
        int result = write_mapped(d, mapping, d->start[at]);
        if (result < 0) {
            return -1;
        }
        at = result > 0 ? at + 1 : text_decoder_error(d, undefined_reason, at, at + 1);
        if (at < 0) {
            return -1;
        }
    }
    return 0;
}

PyObject *PyUnicode_DecodeCharmap(const char *text, Py_ssize_t size, PyObject *mapping,
                                  const char *errors)
{
    if (mapping == NULL) {
        return PyUnicode_DecodeLatin1(text, size, errors);
    }
    if (size == 0) {
        return str_empty();
    }
    struct text_decoder d;
    text_decoder_init(&d, "charmap", errors, text, size);
    int failed =
        PyUnicode_CheckExact(mapping) ? decode_by_str(&d, mapping) : decode_by_mapping(&d, mapping);
    return text_decoder_finish(&d, failed < 0);
}

/* ---- Encoding maps: a compact trie from characters to bytes ----------------------------------- */

/* Made from a decoding table of 256 characters: level1 by the highest bits, level2 by the next
 * four, level3 by the lowest seven; a zero byte in level3 means undefined. */
struct encoding_map {
    PyObject_HEAD
    uint8_t level1[32];
    int count2, count3;
    uint8_t level23[];
};

static PyObject *map_size(PyObject *self, PyObject *Py_UNUSED(args))
{
    struct encoding_map *map = (struct encoding_map *)self;
    return PyLong_FromSize_t(sizeof *map + (size_t)(16 * map->count2 + 128 * map->count3));
}

static void map_dealloc(PyObject *self)
{
    PyObject_Free(self);
}

static PyMethodDef map_methods[] = {
    {"size", map_size, METH_NOARGS, "Return the size (in bytes) of this object"},
    {0},
};

PyTypeObject encoding_map_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "EncodingMap",
    .tp_basicsize = sizeof(struct encoding_map),
    .tp_dealloc = map_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_methods = map_methods,
};

static int map_lookup(struct encoding_map *map, Py_UCS4 ch)
{
    if (ch > 0xffff) {
        return -1;
    }
    if (ch == 0) {
        return 0;
    }
    unsigned i = map->level1[ch >> 11];
    if (i == 0xff) {
        return -1;
    }
    i = map->level23[16 * i + (ch >> 7 & 15)];
    if (i == 0xff) {
        return -1;
    }
    i = map->level23[16 * (unsigned)map->count2 + 128 * i + (ch & 127)];
    return i == 0 ? -1 : (int)i;
}

/* The general form, for tables that do not fit the trie. */
static PyObject *build_dict(PyObject *table)
{
    PyObject *dict = PyDict_New();
    for (Py_ssize_t i = 0; dict != NULL && i < str_len(table); i++) {
        PyObject *key = PyLong_FromLong((long)str_read(table, i));
        PyObject *value = PyLong_FromSsize_t(i);
        if (key == NULL || value == NULL || PyDict_SetItem(dict, key, value) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return dict;
}

PyObject *PyUnicode_BuildEncodingMap(PyObject *table)
{
    if (!PyUnicode_Check(table) || str_len(table) == 0) {
        PyErr_BadArgument();
        return NULL;
    }
    Py_ssize_t length = Py_MIN(str_len(table), 256);
    uint8_t level1[32], level2[512];
    int count2 = 0, count3 = 0;
    memset(level1, 0xff, sizeof level1);
    memset(level2, 0xff, sizeof level2);
    bool dict = str_read(table, 0) != 0;
    for (Py_ssize_t i = 1; i < length && !dict; i++) {
        Py_UCS4 ch = str_read(table, i);
        if (ch == 0 || ch > 0xffff) {
            dict = true;
        } else if (ch != 0xfffe) {
            if (level1[ch >> 11] == 0xff) {
                level1[ch >> 11] = (uint8_t)count2++;
            }
            if (level2[ch >> 7] == 0xff) {
                level2[ch >> 7] = (uint8_t)count3++;
            }
        }
    }
    if (dict || count2 >= 0xff || count3 >= 0xff) {
        return build_dict(table);
    }
    size_t tail = (size_t)(16 * count2 + 128 * count3);
    struct encoding_map *map = atom_alloc(sizeof *map + tail);
    if (map == NULL) {
        return PyErr_NoMemory();
    }
    PyObject_Init((PyObject *)map, &encoding_map_type);
    map->count2 = count2;
    map->count3 = count3;
    memcpy(map->level1, level1, sizeof level1);
    uint8_t *middle = map->level23, *last = map->level23 + 16 * count2;
    memset(middle, 0xff, (size_t)(16 * count2));
    memset(last, 0, (size_t)(128 * count3));
    int next3 = 0;
    for (Py_ssize_t i = 1; i < length; i++) {
        Py_UCS4 ch = str_read(table, i);
        if (ch == 0xfffe) {
            continue;
        }
        uint8_t *slot = &middle[16 * level1[ch >> 11] + (ch >> 7 & 15)];
        if (*slot == 0xff) {
            *slot = (uint8_t)next3++;
        }
        last[128 * *slot + (ch & 127)] = (uint8_t)i;
    }
    return (PyObject *)map;
}

/* ---- Encoding ------------------------------------------------------------------------------ */

/* Writes what the mapping has for a character: 1, 0 if that is undefined, or -1. */
static int encode_char(struct bytes_writer *w, PyObject *mapping, Py_UCS4 ch)
{
    if (Py_IS_TYPE(mapping, &encoding_map_type)) {
        int byte = map_lookup((struct encoding_map *)mapping, ch);
        return byte < 0 ? 0 : bytes_writer_byte(w, (uint8_t)byte) < 0 ? -1 : 1;
    }
    PyObject *key = PyLong_FromLong((long)ch);
    PyObject *value = key == NULL ? NULL : PyObject_GetItem(mapping, key);
    Py_XDECREF(key);
    if (value == NULL) {
        if (key != NULL && PyErr_ExceptionMatches(PyExc_LookupError)) {
            PyErr_Clear();
            return 0;
        }
        return -1;
    }
    int result = -1;
    if (value == Py_None) {
        result = 0;
    } else if (PyLong_Check(value)) {
        long byte = PyLong_AsLong(value);
        if (byte == -1 && PyErr_Occurred()) {
            PyErr_Clear();
        }
        if (byte < 0 || byte > 255) {
            PyErr_SetString(PyExc_TypeError, "character mapping must be in range(256)");
        } else {
            result = bytes_writer_byte(w, (uint8_t)byte) < 0 ? -1 : 1;
        }
    } else if (PyBytes_Check(value)) {
        result = bytes_writer_write(w, bytes_data(value), bytes_len(value)) < 0 ? -1 : 1;
    } else {
        PyErr_Format(PyExc_TypeError,
                     "character mapping must return integer, bytes or None, not %.400s",
                     Py_TYPE(value)->tp_name);
    }
    Py_DECREF(value);
    return result;
}

/* Is the character undefined?  1, 0 or -1. */
static int is_undefined(PyObject *mapping, Py_UCS4 ch)
{
    struct bytes_writer scratch;
    bytes_writer_init(&scratch);
    int result = encode_char(&scratch, mapping, ch);
    bytes_writer_drop(&scratch);
    return result < 0 ? -1 : result == 0;
}

/* Replacement text goes through the mapping too; what it lacks is an error of [start, end). */
static int encode_replacement(struct text_encoder *e, struct bytes_writer *w, PyObject *mapping,
                              int kind, const void *text, Py_ssize_t length, Py_ssize_t start,
                              Py_ssize_t end)
{
    for (Py_ssize_t i = 0; i < length; i++) {
        int result = encode_char(w, mapping, str_data_read(kind, text, i));
        if (result == 0) {
            text_encoder_raise(e, undefined_reason, start, end);
        }
        if (result <= 0) {
            return -1;
        }
    }
    return 0;
}

static Py_ssize_t handle_undefined(struct text_encoder *e, struct bytes_writer *w,
                                   PyObject *mapping, Py_ssize_t start)
{
    Py_ssize_t end = start + 1, next = end;
    for (; end < str_len(e->text); end++) {
        int undefined = is_undefined(mapping, str_read(e->text, end));
        if (undefined < 0) {
            return -1;
        }
        if (!undefined) {
            break;
        }
    }
    char text[12];
    switch (e->kind) {
    case CODEC_ERRORS_STRICT:
        text_encoder_raise(e, undefined_reason, start, end);
        return -1;
    case CODEC_ERRORS_IGNORE:
        return end;
    case CODEC_ERRORS_REPLACE:
        for (Py_ssize_t i = start; i < end; i++) {
            if (encode_replacement(e, w, mapping, 1, "?", 1, start, end) < 0) {
                return -1;
            }
        }
        return end;
    case CODEC_ERRORS_XMLCHARREFREPLACE:
        for (Py_ssize_t i = start; i < end; i++) {
            int length = escape_xml(str_read(e->text, i), text);
            if (encode_replacement(e, w, mapping, 1, text, length, start, end) < 0) {
                return -1;
            }
        }
        return end;
    default:
        break;
    }
    PyObject *replacement = text_encoder_ask(e, undefined_reason, start, end, &next);
    if (replacement == NULL) {
        return -1;
    }
    int failed = PyBytes_Check(replacement)
                     ? bytes_writer_write(w, bytes_data(replacement), bytes_len(replacement))
                     : encode_replacement(e, w, mapping, str_kind(replacement),
                                          str_data(replacement), str_len(replacement), start, end);
    Py_DECREF(replacement);
    return failed < 0 ? -1 : next;
}

PyObject *_PyUnicode_EncodeCharmap(PyObject *s, PyObject *mapping, const char *errors)
{
    if (mapping == NULL) {
        return _PyUnicode_AsLatin1String(s, errors);
    }
    struct text_encoder e;
    struct bytes_writer w;
    text_encoder_init(&e, "charmap", errors, s);
    bytes_writer_init(&w);
    Py_ssize_t i = 0;
    while (i >= 0 && i < str_len(s)) {
        int result = encode_char(&w, mapping, str_read(s, i));
        i = result > 0 ? i + 1 : result < 0 ? -1 : handle_undefined(&e, &w, mapping, i);
    }
    text_encoder_drop(&e);
    if (i < 0) {
        bytes_writer_drop(&w);
        return NULL;
    }
    return bytes_writer_finish(&w);
}

PyObject *PyUnicode_AsCharmapString(PyObject *s, PyObject *mapping)
{
    if (!PyUnicode_Check(s) || mapping == NULL) {
        PyErr_BadArgument();
        return NULL;
    }
    return _PyUnicode_EncodeCharmap(s, mapping, NULL);
}
