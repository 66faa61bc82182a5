/* unicodedata: the Unicode Character Database.
 *
 * The module has the functions for the current version, and an object `ucd_3_2_0` with the same
 * methods for version 3.2.0, which internationalised domain names are defined by. */
#include <Python.h>

#include "objects/str.h"
#include "objects/unicode_data/unicode_data.h"
#include "unicodedata.bind.h"

#include <stdio.h>

/* ---- What both versions do ------------------------------------------------------------------------ */

static PyObject *missing(PyObject *fallback, const char *message)
{
    if (fallback != NULL) {
        return Py_NewRef(fallback);
    }
    PyErr_SetString(PyExc_ValueError, message);
    return NULL;
}

static PyObject *get_decimal(Py_UCS4 chr, PyObject *fallback, bool old)
{
    struct char_properties p;
    char_properties(chr, old, &p);
    bool none = p.decimal < 0 || (old && strcmp(p.category, "Cn") == 0);
    return none ? missing(fallback, "not a decimal") : PyLong_FromLong(p.decimal);
}

static PyObject *get_digit(Py_UCS4 chr, PyObject *fallback, bool Py_UNUSED(old))
{
    int digit = _PyUnicode_ToDigit(chr);
    return digit < 0 ? missing(fallback, "not a digit") : PyLong_FromLong(digit);
}

static PyObject *get_numeric(Py_UCS4 chr, PyObject *fallback, bool old)
{
    struct char_properties p;
    char_properties(chr, old, &p);
    bool none = p.numeric == -1.0 || (old && strcmp(p.category, "Cn") == 0);
    return none ? missing(fallback, "not a numeric character") : PyFloat_FromDouble(p.numeric);
}

static PyObject *get_category(Py_UCS4 chr, bool old)
{
    struct char_properties p;
    char_properties(chr, old, &p);
    return PyUnicode_FromString(p.category);
}

static PyObject *get_bidirectional(Py_UCS4 chr, bool old)
{
    struct char_properties p;
    char_properties(chr, old, &p);
    return PyUnicode_FromString(p.bidirectional);
}

static PyObject *get_east_asian_width(Py_UCS4 chr, bool old)
{
    struct char_properties p;
    char_properties(chr, old, &p);
    return PyUnicode_FromString(p.width);
}

static int get_combining(Py_UCS4 chr, bool old)
{
    struct char_properties p;
    char_properties(chr, old, &p);
    return p.combining;
}

static int get_mirrored(Py_UCS4 chr, bool old)
{
    struct char_properties p;
    char_properties(chr, old, &p);
    return p.mirrored;
}

static PyObject *get_decomposition(Py_UCS4 chr, bool old)
{
    const char *tag;
    Py_UCS4 to[32];
    int count = char_decomposition(chr, old, &tag, to, 32);
    char text[32 * 9 + 32];
    int length = snprintf(text, sizeof text, "%s", tag);
    for (int i = 0; i < count; i++) {
        length += snprintf(text + length, sizeof text - (size_t)length, "%s%04X",
                           length == 0 ? "" : " ", (unsigned)to[i]);
    }
    return str_from_ascii(text, length);
}

static int form_from_name(PyObject *name, enum normal_form *form)
{
    static const char *const names[] = {
        [NORMAL_NFC] = "NFC", [NORMAL_NFKC] = "NFKC", [NORMAL_NFD] = "NFD", [NORMAL_NFKD] = "NFKD"};
    for (int i = 0; i < 4; i++) {
        if (str_equal_ascii(name, names[i])) {
            *form = (enum normal_form)i;
            return 0;
        }
    }
    PyErr_SetString(PyExc_ValueError, "invalid normalization form");
    return -1;
}

static PyObject *get_normal(PyObject *name, PyObject *text, bool old)
{
    enum normal_form form;
    if (str_len(text) == 0) {
        return Py_NewRef(text);
    }
    return form_from_name(name, &form) < 0 ? NULL : str_normalize(text, form, old);
}

static PyObject *is_normal(PyObject *name, PyObject *text, bool old)
{
    enum normal_form form;
    if (form_from_name(name, &form) < 0) {
        return NULL;
    }
    if (!old && str_is_normal(text, form)) {
        return Py_True;
    }
    PyObject *normal = str_normalize(text, form, old);
    if (normal == NULL) {
        return NULL;
    }
    bool equal = str_equal(normal, text);
    Py_DECREF(normal);
    return PyBool_FromLong(equal);
}

static PyObject *get_name(Py_UCS4 chr, PyObject *fallback, bool old)
{
    char text[CHAR_NAME_MAX];
    return char_name(chr, old, text, sizeof text) ? PyUnicode_FromString(text)
                                                  : missing(fallback, "no such name");
}

static PyObject *get_lookup(const Py_buffer *name, bool old)
{
    Py_UCS4 out[8];
    if (name->len >= CHAR_NAME_MAX) {
        PyErr_SetString(PyExc_KeyError, "name too long");
        return NULL;
    }
    int count =
        char_from_name(name->buf, name->len, old ? CHAR_NAMES : CHAR_ALIASES | CHAR_SEQUENCES, out);
    if (count == 1 && old) {
        struct char_properties p;
        char_properties(out[0], true, &p);
        count = strcmp(p.category, "Cn") != 0;
    }
    if (count == 0) {
        PyErr_Format(PyExc_KeyError, "undefined character name '%s'", (const char *)name->buf);
        return NULL;
    }
    return str_from_ucs4(out, count);
}

/* ---- The functions of the module and the methods of ucd_3_2_0 ------------------------------------------ */

#define FOR_BOTH(prefix, old)                                                                      \
    static PyObject *prefix##_decimal(PyObject *Py_UNUSED(self), Py_UCS4 chr, PyObject *fallback)  \
    {                                                                                              \
        return get_decimal(chr, fallback, old);                                                    \
    }                                                                                              \
    static PyObject *prefix##_digit(PyObject *Py_UNUSED(self), Py_UCS4 chr, PyObject *fallback)    \
    {                                                                                              \
        return get_digit(chr, fallback, old);                                                      \
    }                                                                                              \
    static PyObject *prefix##_numeric(PyObject *Py_UNUSED(self), Py_UCS4 chr, PyObject *fallback)  \
    {                                                                                              \
        return get_numeric(chr, fallback, old);                                                    \
    }                                                                                              \
    static PyObject *prefix##_category(PyObject *Py_UNUSED(self), Py_UCS4 chr)                     \
    {                                                                                              \
        return get_category(chr, old);                                                             \
    }                                                                                              \
    static PyObject *prefix##_bidirectional(PyObject *Py_UNUSED(self), Py_UCS4 chr)                \
    {                                                                                              \
        return get_bidirectional(chr, old);                                                        \
    }                                                                                              \
    static PyObject *prefix##_east_asian_width(PyObject *Py_UNUSED(self), Py_UCS4 chr)             \
    {                                                                                              \
        return get_east_asian_width(chr, old);                                                     \
    }                                                                                              \
    static int prefix##_combining(PyObject *Py_UNUSED(self), Py_UCS4 chr)                          \
    {                                                                                              \
        return get_combining(chr, old);                                                            \
    }                                                                                              \
    static int prefix##_mirrored(PyObject *Py_UNUSED(self), Py_UCS4 chr)                           \
    {                                                                                              \
        return get_mirrored(chr, old);                                                             \
    }                                                                                              \
    static PyObject *prefix##_decomposition(PyObject *Py_UNUSED(self), Py_UCS4 chr)                \
    {                                                                                              \
        return get_decomposition(chr, old);                                                        \
    }                                                                                              \
    static PyObject *prefix##_is_normalized(PyObject *Py_UNUSED(self), PyObject *form,             \
                                            PyObject *unistr)                                      \
    {                                                                                              \
        return is_normal(form, unistr, old);                                                       \
    }                                                                                              \
    static PyObject *prefix##_normalize(PyObject *Py_UNUSED(self), PyObject *form,                 \
                                        PyObject *unistr)                                          \
    {                                                                                              \
        return get_normal(form, unistr, old);                                                      \
    }                                                                                              \
    static PyObject *prefix##_name(PyObject *Py_UNUSED(self), Py_UCS4 chr, PyObject *fallback)     \
    {                                                                                              \
        return get_name(chr, fallback, old);                                                       \
    }                                                                                              \
    static PyObject *prefix##_lookup(PyObject *Py_UNUSED(self), Py_buffer *name)                   \
    {                                                                                              \
        return get_lookup(name, old);                                                              \
    }

FOR_BOTH(unicodedata, false)
FOR_BOTH(ucd, true)

/* ---- The module ------------------------------------------------------------------------------------------ */

static PyObject *get_version(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure))
{
    return PyUnicode_FromString("3.2.0");
}

static PyGetSetDef ucd_getset[] = {
    {"unidata_version", get_version, NULL, NULL, NULL},
    {0},
};

static void ucd_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot ucd_slots[] = {
    {Py_tp_dealloc, ucd_dealloc},
    {Py_tp_methods, ucd_methods},
    {Py_tp_getset, ucd_getset},
    {0, NULL},
};

static PyType_Spec ucd_spec = {
    .name = "unicodedata.UCD",
    .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = ucd_slots,
};

/* The interface that other C code may import: names and their characters. */
struct name_api {
    int (*get_name)(Py_UCS4 code, char *buffer, int size, int with_aliases);
    int (*get_code)(const char *name, int length, Py_UCS4 *code, int with_sequences);
};

static int api_get_name(Py_UCS4 code, char *buffer, int size, int Py_UNUSED(with_aliases))
{
    return char_name(code, false, buffer, (size_t)size);
}

static int api_get_code(const char *name, int length, Py_UCS4 *code, int Py_UNUSED(with_sequences))
{
    Py_UCS4 out[8];
    int count = char_from_name(name, length, CHAR_ALIASES, out);
    *code = out[0];
    return count == 1;
}

static int module_exec(PyObject *module)
{
    static struct name_api api = {api_get_name, api_get_code};
    if (PyModule_AddStringConstant(module, "unidata_version", "15.1.0") < 0
        || PyModule_Add(module, "_ucnhash_CAPI",
                        PyCapsule_New(&api, "unicodedata._ucnhash_CAPI", NULL))
               < 0) {
        return -1;
    }
    PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &ucd_spec, NULL);
    if (type == NULL) {
        return -1;
    }
    int result = PyModule_AddType(module, type);
    if (result == 0) {
        result = PyModule_Add(module, "ucd_3_2_0", type->tp_alloc(type, 0));
    }
    Py_DECREF(type);
    return result;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, module_exec},
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,    .m_name = "unicodedata",
    .m_doc = unicodedata_doc, .m_methods = unicodedata_methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_unicodedata(void)
{
    return PyModuleDef_Init(&definition);
}
