/* The module _locale.
 *
 * setlocale() changes the whole process while localeconv() and its kin read it, so all of them go
 * one at a time. */
#include "module.h"

#include <langinfo.h>
#include <libintl.h>
#include <limits.h>
#include <locale.h>
#include <wchar.h>

struct locale_state {
    PyObject *error;
};

static PyMutex locale_mutex;

#include "locale.bind.h"

/* Text of the C library in the locale's encoding; NULL is None. */
static PyObject *text_of(const char *text)
{
    return text ? PyUnicode_DecodeLocale(text, NULL) : Py_NewRef(Py_None);
}

/* A copy of a C string (PyMem_Free); NULL stays NULL. */
static char *copy_text(const char *text)
{
    size_t size = text ? strlen(text) + 1 : 0;
    char *copy = text ? PyMem_Malloc(size) : NULL;
    return copy ? memcpy(copy, text, size) : NULL;
}

static PyObject *locale_setlocale(PyObject *module, int category, const char *locale)
{
    PyMutex_Lock(&locale_mutex);
    char *name = copy_text(setlocale(category, locale));
    PyMutex_Unlock(&locale_mutex);
    if (name == NULL) {
        struct locale_state *state = PyModule_GetState(module);
        PyErr_SetString(state->error,
                        locale ? "unsupported locale setting" : "locale query failed");
        return NULL;
    }
    PyObject *result = text_of(name);
    PyMem_Free(name);
    return result;
}

/* ---- localeconv ------------------------------------------------------------------------------ */

/* The sizes of groups as a list, which ends with 0 or CHAR_MAX as in C. */
static PyObject *grouping_list(const char *grouping)
{
    PyObject *list = PyList_New(0);
    bool more = grouping[0] != '\0';
    for (size_t i = 0; list && more; i++) {
        more = grouping[i] != '\0' && grouping[i] != CHAR_MAX;
        PyObject *item = PyLong_FromLong(grouping[i]);
        if (item == NULL || PyList_Append(list, item) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(item);
    }
    return list;
}

/* Puts a value (stolen) in the dict. */
static int put(PyObject *dict, const char *key, PyObject *value)
{
    int rc = value ? PyDict_SetItemString(dict, key, value) : -1;
    Py_XDECREF(value);
    return rc;
}

/* A copy of what the C library says, made of strings in two encodings, and numbers. */
struct conventions {
    char *texts[8];
    char *groupings[2];
    char numbers[8];
    char *encoding[2]; /* of LC_NUMERIC, of LC_MONETARY; NULL: as LC_CTYPE */
};

static const char *const text_names[] = {
    "decimal_point",     "thousands_sep",     "int_curr_symbol", "currency_symbol",
    "mon_decimal_point", "mon_thousands_sep", "positive_sign",   "negative_sign",
};
enum { NUMERIC_TEXTS = 2, TEXTS = 8 };
static const char *const number_names[] = {
    "int_frac_digits", "frac_digits",    "p_cs_precedes", "p_sep_by_space",
    "n_cs_precedes",   "n_sep_by_space", "p_sign_posn",   "n_sign_posn",
};

/* Reads the texts of one category, and the encoding that category's locale has. */
static bool read_texts(struct conventions *out, int category)
{
    const char *name = setlocale(category, NULL);
    locale_t ours = newlocale(LC_CTYPE_MASK, name ? name : "C", (locale_t)0);
    bool numeric = category == LC_NUMERIC;
    if (ours != (locale_t)0) {
        out->encoding[!numeric] = copy_text(nl_langinfo_l(CODESET, ours));
        freelocale(ours);
    }
    struct lconv *c = localeconv();
    const char *const texts[] = {
        c->decimal_point,     c->thousands_sep,     c->int_curr_symbol, c->currency_symbol,
        c->mon_decimal_point, c->mon_thousands_sep, c->positive_sign,   c->negative_sign,
    };
    bool fine = true;
    for (int i = numeric ? 0 : NUMERIC_TEXTS; i < (numeric ? NUMERIC_TEXTS : TEXTS); i++) {
        fine = fine && (out->texts[i] = copy_text(texts[i])) != NULL;
    }
    return fine && (out->groupings[!numeric] = copy_text(numeric ? c->grouping : c->mon_grouping));
}

static bool read_conventions(struct conventions *out)
{
    PyMutex_Lock(&locale_mutex);
    bool fine = read_texts(out, LC_NUMERIC) && read_texts(out, LC_MONETARY);
    struct lconv *c = localeconv();
    const char numbers[] = {
        c->int_frac_digits, c->frac_digits,    c->p_cs_precedes, c->p_sep_by_space,
        c->n_cs_precedes,   c->n_sep_by_space, c->p_sign_posn,   c->n_sign_posn,
    };
    memcpy(out->numbers, numbers, sizeof(numbers));
    PyMutex_Unlock(&locale_mutex);
    if (!fine) {
        PyErr_NoMemory();
    }
    return fine;
}

static PyObject *decode(const char *text, const char *encoding)
{
    bool ascii = true;
    for (const char *p = text; *p != '\0'; p++) {
        ascii = ascii && (unsigned char)*p < 128;
    }
    if (ascii || encoding == NULL) {
        return text_of(text);
    }
    return PyUnicode_Decode(text, (Py_ssize_t)strlen(text), encoding, "surrogateescape");
}

static PyObject *conventions_dict(const struct conventions *c)
{
    PyObject *dict = PyDict_New();
    int rc = dict ? 0 : -1;
    for (int i = 0; rc == 0 && i < TEXTS; i++) {
        rc = put(dict, text_names[i], decode(c->texts[i], c->encoding[i >= NUMERIC_TEXTS]));
    }
    rc = rc ? rc : put(dict, "grouping", grouping_list(c->groupings[0]));
    rc = rc ? rc : put(dict, "mon_grouping", grouping_list(c->groupings[1]));
    for (int i = 0; rc == 0 && i < 8; i++) {
        rc = put(dict, number_names[i], PyLong_FromLong(c->numbers[i]));
    }
    if (rc < 0) {
        Py_CLEAR(dict);
    }
    return dict;
}

static PyObject *locale_localeconv(PyObject *Py_UNUSED(module))
{
    struct conventions c = {0};
    PyObject *dict = read_conventions(&c) ? conventions_dict(&c) : NULL;
    for (int i = 0; i < TEXTS; i++) {
        PyMem_Free(c.texts[i]);
    }
    for (int i = 0; i < 2; i++) {
        PyMem_Free(c.groupings[i]);
        PyMem_Free(c.encoding[i]);
    }
    return dict;
}

/* ---- order ----------------------------------------------------------------------------------- */

/* A str as wide characters (PyMem_Free), or NULL with an exception. */
static wchar_t *wide_of(PyObject *op, const char *function, int position)
{
    if (!PyUnicode_Check(op)) {
        if (position == 0) {
            PyErr_Format(PyExc_TypeError, "%s() argument must be str, not %.50s", function,
                         op == Py_None ? "None" : Py_TYPE(op)->tp_name);
        } else {
            PyErr_Format(PyExc_TypeError, "%s() argument %d must be str, not %.50s", function,
                         position, op == Py_None ? "None" : Py_TYPE(op)->tp_name);
        }
        return NULL;
    }
    return PyUnicode_AsWideCharString(op, NULL);
}

static int locale_strcoll(PyObject *Py_UNUSED(module), PyObject *a, PyObject *b)
{
    wchar_t *wide_a = wide_of(a, "strcoll", 1);
    wchar_t *wide_b = wide_a ? wide_of(b, "strcoll", 2) : NULL;
    int order = wide_b ? wcscoll(wide_a, wide_b) : -1;
    PyMem_Free(wide_a);
    PyMem_Free(wide_b);
    return order;
}

static PyObject *locale_strxfrm(PyObject *Py_UNUSED(module), PyObject *op)
{
    if (PyUnicode_Check(op) && PyUnicode_FindChar(op, 0, 0, PyUnicode_GET_LENGTH(op), 1) >= 0) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    wchar_t *wide = wide_of(op, "strxfrm", 0);
    if (wide == NULL) {
        return NULL;
    }
    PyObject *result = NULL;
    errno = 0;
    size_t size = wcsxfrm(NULL, wide, 0) + 1;
    wchar_t *key = errno ? NULL : PyMem_New(wchar_t, size);
    if (errno) {
        PyErr_SetFromErrno(PyExc_OSError);
    } else if (key == NULL) {
        PyErr_NoMemory();
    } else {
        size_t length = wcsxfrm(key, wide, size);
        result = PyUnicode_FromWideChar(key, (Py_ssize_t)(length < size ? length : size - 1));
    }
    PyMem_Free(key);
    PyMem_Free(wide);
    return result;
}

/* ---- texts ----------------------------------------------------------------------------------- */

static const struct constant langinfo_keys[] = {
    CONSTANT(DAY_1),      CONSTANT(DAY_2),     CONSTANT(DAY_3),       CONSTANT(DAY_4),
    CONSTANT(DAY_5),      CONSTANT(DAY_6),     CONSTANT(DAY_7),       CONSTANT(ABDAY_1),
    CONSTANT(ABDAY_2),    CONSTANT(ABDAY_3),   CONSTANT(ABDAY_4),     CONSTANT(ABDAY_5),
    CONSTANT(ABDAY_6),    CONSTANT(ABDAY_7),   CONSTANT(MON_1),       CONSTANT(MON_2),
    CONSTANT(MON_3),      CONSTANT(MON_4),     CONSTANT(MON_5),       CONSTANT(MON_6),
    CONSTANT(MON_7),      CONSTANT(MON_8),     CONSTANT(MON_9),       CONSTANT(MON_10),
    CONSTANT(MON_11),     CONSTANT(MON_12),    CONSTANT(ABMON_1),     CONSTANT(ABMON_2),
    CONSTANT(ABMON_3),    CONSTANT(ABMON_4),   CONSTANT(ABMON_5),     CONSTANT(ABMON_6),
    CONSTANT(ABMON_7),    CONSTANT(ABMON_8),   CONSTANT(ABMON_9),     CONSTANT(ABMON_10),
    CONSTANT(ABMON_11),   CONSTANT(ABMON_12),  CONSTANT(RADIXCHAR),   CONSTANT(THOUSEP),
    CONSTANT(CRNCYSTR),   CONSTANT(D_T_FMT),   CONSTANT(D_FMT),       CONSTANT(T_FMT),
    CONSTANT(AM_STR),     CONSTANT(PM_STR),    CONSTANT(CODESET),     CONSTANT(T_FMT_AMPM),
    CONSTANT(ERA),        CONSTANT(ERA_D_FMT), CONSTANT(ERA_D_T_FMT), CONSTANT(ERA_T_FMT),
    CONSTANT(ALT_DIGITS), CONSTANT(YESEXPR),   CONSTANT(NOEXPR),      CONSTANT(_DATE_FMT),
};

static PyObject *locale_nl_langinfo(PyObject *Py_UNUSED(module), int key)
{
    for (size_t i = 0; i < sizeof(langinfo_keys) / sizeof(*langinfo_keys); i++) {
        if (langinfo_keys[i].value == key) {
            PyMutex_Lock(&locale_mutex);
            char *text = copy_text(nl_langinfo(key));
            PyMutex_Unlock(&locale_mutex);
            PyObject *result = PyUnicode_DecodeLocale(text ? text : "", NULL);
            PyMem_Free(text);
            return result;
        }
    }
    PyErr_SetString(PyExc_ValueError, "unsupported langinfo constant");
    return NULL;
}

static PyObject *locale_getencoding(PyObject *Py_UNUSED(module))
{
    const char *name = nl_langinfo(CODESET);
    return PyUnicode_DecodeLocale(name && name[0] ? name : "UTF-8", NULL);
}

static PyObject *locale_gettext(PyObject *Py_UNUSED(module), const char *msg)
{
    return text_of(gettext(msg));
}

static PyObject *locale_dgettext(PyObject *Py_UNUSED(module), const char *domain, const char *msg)
{
    return text_of(dgettext(domain, msg));
}

static PyObject *locale_dcgettext(PyObject *Py_UNUSED(module), const char *domain, const char *msg,
                                  int category)
{
    return text_of(dcgettext(domain, msg, category));
}

static PyObject *locale_textdomain(PyObject *Py_UNUSED(module), const char *domain)
{
    const char *now = textdomain(domain);
    return now ? text_of(now) : PyErr_SetFromErrno(PyExc_OSError);
}

static PyObject *locale_bindtextdomain(PyObject *module, const char *domain, PyObject *folder)
{
    if (domain[0] == '\0') {
        struct locale_state *state = PyModule_GetState(module);
        PyErr_SetString(state->error, "domain must be a non-empty string");
        return NULL;
    }
    PyObject *path = NULL;
    if (folder != Py_None && !PyUnicode_FSConverter(folder, &path)) {
        return NULL;
    }
    const char *now = bindtextdomain(domain, path ? PyBytes_AS_STRING(path) : NULL);
    PyObject *result = now ? text_of(now) : PyErr_SetFromErrno(PyExc_OSError);
    Py_XDECREF(path);
    return result;
}

static PyObject *locale_bind_textdomain_codeset(PyObject *Py_UNUSED(module), const char *domain,
                                                const char *codeset)
{
    return text_of(bind_textdomain_codeset(domain, codeset));
}

/* ---- the module ------------------------------------------------------------------------------ */

static int locale_exec(PyObject *module)
{
    static const struct constant categories[] = {
        CONSTANT(LC_CTYPE),    CONSTANT(LC_TIME),    CONSTANT(LC_COLLATE), CONSTANT(LC_MONETARY),
        CONSTANT(LC_MESSAGES), CONSTANT(LC_NUMERIC), CONSTANT(LC_ALL),     CONSTANT(CHAR_MAX),
    };
    struct locale_state *state = PyModule_GetState(module);
    state->error = PyErr_NewException("locale.Error", NULL, NULL);
    return state->error == NULL || PyModule_AddObjectRef(module, "Error", state->error) < 0
                   || module_constants(module, categories, sizeof(categories) / sizeof(*categories))
                          < 0
                   || module_constants(module, langinfo_keys,
                                       sizeof(langinfo_keys) / sizeof(*langinfo_keys))
                          < 0
               ? -1
               : 0;
}

STATE_OBJECTS(locale)

static PyModuleDef_Slot locale_slots[] = MODULE_SLOTS(locale_exec);

static PyModuleDef locale_module = {
    PyModuleDef_HEAD_INIT,       .m_name = "_locale",     .m_doc = locale_doc,
    .m_methods = locale_methods, .m_slots = locale_slots, STATE_FIELDS(locale),
};

MODULE_INIT(_locale, locale_module)
