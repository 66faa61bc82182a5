/* Argument parsing shared by all generated parsers: keyword matching, number conversion and the
 * error texts. */
#include "objects/bindings.h"

#include <limits.h>

enum { NAME_MAX_LENGTH = 40 };

/* ---- matching keywords ---------------------------------------------------------------------- */

/* Walks over the packed names of a spec. */
struct name_walk {
    const unsigned char *at;
    int index;
};

static inline struct name_walk names_from(const struct bind_spec *spec, int first)
{
    struct name_walk walk = {(const unsigned char *)spec->names, 0};
    for (; walk.index < first; walk.index++) {
        walk.at += 1 + walk.at[0];
    }
    return walk;
}

static inline void names_next(struct name_walk *walk)
{
    walk->at += 1 + walk->at[0];
    walk->index++;
}

static inline bool name_is(const struct name_walk *walk, PyObject *str)
{
    size_t len = walk->at[0];
    return (size_t)PyUnicode_GET_LENGTH(str) == len && PyUnicode_IS_COMPACT_ASCII(str)
           && memcmp(PyUnicode_1BYTE_DATA(str), walk->at + 1, len) == 0;
}

/* The index of the parameter called `name`, or -1. */
static int spec_find(const struct bind_spec *spec, PyObject *name)
{
    struct name_walk walk = names_from(spec, spec->posonly);
    for (; walk.index < spec->count; names_next(&walk)) {
        if (name_is(&walk, name)) {
            return walk.index;
        }
    }
    return -1;
}

/* The same, looking first at the parameter where *walk stands, and leaving it behind the one found: most
 * callers keep to the order. */
static int spec_find_next(const struct bind_spec *spec, PyObject *name, struct name_walk *walk)
{
    if (walk->index >= spec->count || !name_is(walk, name)) {
        *walk = names_from(spec, spec->posonly);
        while (walk->index < spec->count && !name_is(walk, name)) {
            names_next(walk);
        }
        if (walk->index >= spec->count) {
            return -1;
        }
    }
    int found = walk->index;
    names_next(walk);
    return found;
}

/* ---- "Did you mean" ------------------------------------------------------------------------- */

enum { COST_MOVE = 2, COST_CASE = 1 };

static inline int substitution_cost(unsigned char a, unsigned char b)
{
    if (a == b) {
        return 0;
    }
    if ((a ^ b) == 0x20 && (a | 0x20) >= 'a' && (a | 0x20) <= 'z') {
        return COST_CASE;
    }
    return COST_MOVE;
}

/* Weighted edit distance of two short strings, or limit + 1 when it is larger than limit. */
static int edit_distance(const unsigned char *a, int a_len, const unsigned char *b, int b_len,
                         int limit)
{
    while (a_len > 0 && b_len > 0 && *a == *b) {
        a++, b++, a_len--, b_len--;
    }
    while (a_len > 0 && b_len > 0 && a[a_len - 1] == b[b_len - 1]) {
        a_len--, b_len--;
    }
    if (a_len > NAME_MAX_LENGTH || b_len > NAME_MAX_LENGTH
        || abs(a_len - b_len) * COST_MOVE > limit) {
        return limit + 1;
    }
    int row[NAME_MAX_LENGTH + 1];
    for (int j = 0; j <= b_len; j++) {
        row[j] = j * COST_MOVE;
    }
    for (int i = 0; i < a_len; i++) {
        int diagonal = row[0];
        int best = row[0] = (i + 1) * COST_MOVE;
        for (int j = 0; j < b_len; j++) {
            int replaced = diagonal + substitution_cost(a[i], b[j]);
            diagonal = row[j + 1];
            row[j + 1] = Py_MIN(replaced, Py_MIN(row[j], row[j + 1]) + COST_MOVE);
            best = Py_MIN(best, row[j + 1]);
        }
        if (best > limit) {
            return limit + 1;
        }
    }
    return row[b_len];
}

/* The name a caller probably meant by `given` (index in the spec), or -1. */
static int spec_suggest(const struct bind_spec *spec, PyObject *given)
{
    Py_ssize_t len;
    const char *text = PyUnicode_AsUTF8AndSize(given, &len);
    if (text == NULL) {
        PyErr_Clear();
        return -1;
    }
    if (len > NAME_MAX_LENGTH) {
        return -1;
    }
    int found = -1, least = INT_MAX;
    struct name_walk walk = names_from(spec, spec->posonly);
    for (; walk.index < spec->count; names_next(&walk)) {
        int limit = ((int)len + walk.at[0] + 3) * COST_MOVE / 6;
        limit = Py_MIN(limit, least - 1);
        int distance =
            edit_distance((const unsigned char *)text, (int)len, walk.at + 1, walk.at[0], limit);
        if (distance <= limit) {
            least = distance;
            found = walk.index;
        }
    }
    return found;
}

/* ---- errors --------------------------------------------------------------------------------- */

/* What a text calls a function, for "%.200s%s": one without a name is spoken of in general. */
#define CALLED(fname) (fname) != NULL ? (fname) : "function", (fname) != NULL ? "()" : ""
#define UNEXPECTED_BY(fname)                                                                       \
    (fname) != NULL ? (fname) : "this function", (fname) != NULL ? "()" : ""

bool bind_count_error(const char *fname, Py_ssize_t nargs, Py_ssize_t min, Py_ssize_t max)
{
    Py_ssize_t wanted = nargs < min ? min : max;
    PyErr_Format(PyExc_TypeError, "%.200s expected %s%zd argument%s, got %zd", fname,
                 min == max    ? ""
                 : nargs < min ? "at least "
                               : "at most ",
                 wanted, wanted == 1 ? "" : "s", nargs);
    return false;
}

bool bind_takes_no_arguments(const char *fname)
{
    PyErr_Format(PyExc_TypeError, "%.200s() takes no arguments", fname);
    return false;
}

bool bind_takes_no_keywords(const char *fname)
{
    PyErr_Format(PyExc_TypeError, "%.200s() takes no keyword arguments", fname);
    return false;
}

bool bind_bad_argument(const char *fname, const char *argument, const char *expected, PyObject *arg)
{
    PyErr_Format(PyExc_TypeError, "%.200s%s%.200s must be %.50s, not %.50s", fname ? fname : "",
                 fname ? "() " : "", argument, expected,
                 arg == Py_None ? "None" : Py_TYPE(arg)->tp_name);
    return false;
}

bool bind_group_error(const char *fname, Py_ssize_t min, Py_ssize_t max)
{
    PyErr_Format(PyExc_TypeError, "%.200s requires %zd to %zd arguments", fname, min, max);
    return false;
}

int bind_no_delete(const char *attribute)
{
    PyErr_Format(PyExc_AttributeError, "cannot delete attribute '%s'", attribute);
    return -1;
}

static void too_many(const struct bind_spec *spec, Py_ssize_t nargs, Py_ssize_t nkw)
{
    PyErr_Format(PyExc_TypeError, "%.200s%s takes at most %d %sargument%s (%zd given)",
                 CALLED(spec->fname), spec->count, nargs == 0 ? "keyword " : "",
                 spec->count == 1 ? "" : "s", nargs + nkw);
}

static void wrong_positional(const struct bind_spec *spec, Py_ssize_t nargs, bool exactly,
                             const char *bound, int wanted)
{
    if (wanted == 0) {
        PyErr_Format(PyExc_TypeError, "%.200s%s takes no positional arguments",
                     CALLED(spec->fname));
        return;
    }
    PyErr_Format(PyExc_TypeError, "%.200s%s takes %s %d positional argument%s (%zd given)",
                 CALLED(spec->fname), exactly ? "exactly" : bound, wanted, wanted == 1 ? "" : "s",
                 nargs);
}

/* Whether an instance of a subclass of str says that it equals a name, though it does not: 1, 0, -1. May run Python
 * code. */
static int equals_parameter(const struct bind_spec *spec, PyObject *name)
{
    int equal = 0;
    struct name_walk walk = names_from(spec, spec->posonly);
    for (; !PyUnicode_CheckExact(name) && walk.index < spec->count && equal == 0;
         names_next(&walk)) {
        PyObject *own = PyUnicode_FromStringAndSize((const char *)walk.at + 1, walk.at[0]);
        equal = own == NULL ? -1 : PyObject_RichCompareBool(name, own, Py_EQ);
        Py_XDECREF(own);
    }
    return equal;
}

/* `name` matches no free parameter: it was given twice, or does not exist. */
static void bad_keyword(const struct bind_spec *spec, Py_ssize_t nargs, PyObject *const *names,
                        Py_ssize_t n)
{
    PyObject *unknown = NULL;
    int twice = INT_MAX;
    for (Py_ssize_t i = 0; i < n; i++) {
        if (!PyUnicode_Check(names[i])) {
            PyErr_SetString(PyExc_TypeError, "keywords must be strings");
            return;
        }
        int at = spec_find(spec, names[i]);
        if (at >= 0 && at < nargs && at < spec->maxpos) {
            twice = Py_MIN(twice, at);
        }
        if (at < 0 && unknown == NULL) {
            int equal = equals_parameter(spec, names[i]);
            if (equal < 0) {
                return;
            }
            unknown = equal ? NULL : names[i];
        }
    }
    if (twice != INT_MAX) {
        struct name_walk walk = names_from(spec, twice);
        PyErr_Format(PyExc_TypeError,
                     "argument for %.200s%s given by name ('%.*s') and position "
                     "(%d)",
                     CALLED(spec->fname), (int)walk.at[0], walk.at + 1, twice + 1);
        return;
    }
    if (unknown == NULL) {
        PyErr_Format(PyExc_TypeError, "invalid keyword argument for %.200s%s", CALLED(spec->fname));
        return;
    }
    int meant = spec_suggest(spec, unknown);
    if (meant < 0) {
        PyErr_Format(PyExc_TypeError, "%.200s%s got an unexpected keyword argument '%S'",
                     UNEXPECTED_BY(spec->fname), unknown);
        return;
    }
    struct name_walk walk = names_from(spec, meant);
    PyErr_Format(PyExc_TypeError,
                 "%.200s%s got an unexpected keyword argument '%S'. "
                 "Did you mean '%.*s'?",
                 UNEXPECTED_BY(spec->fname), unknown, (int)walk.at[0], walk.at + 1);
}

/* ---- unpacking ------------------------------------------------------------------------------ */

static bool counts_fit(const struct bind_spec *spec, Py_ssize_t nargs, Py_ssize_t nkw)
{
    if (spec->apart && nkw > spec->count) {
        too_many(spec, 0, nkw);
        return false;
    }
    if (!spec->vararg) {
        if (nargs + nkw > spec->count) {
            too_many(spec, nargs, nkw);
            return false;
        }
        if (nargs > spec->maxpos) {
            wrong_positional(spec, nargs, spec->minpos == spec->maxpos, "at most", spec->maxpos);
            return false;
        }
    }
    int wanted = Py_MIN(spec->minpos, spec->posonly);
    if (nargs < wanted) {
        wrong_positional(spec, nargs, wanted == spec->maxpos && !spec->vararg, "at least", wanted);
        return false;
    }
    return true;
}

/* Puts a keyword's value into its slot; false if there is no such free slot. */
static inline bool place(const struct bind_spec *spec, PyObject *name, PyObject *value,
                         PyObject **slots, struct name_walk *walk)
{
    if (!PyUnicode_Check(name)) {
        return false;
    }
    int at = spec_find_next(spec, name, walk);
    if (at < 0 || slots[at] != NULL) {
        return false;
    }
    slots[at] = value;
    return true;
}

static bool nothing_missing(const struct bind_spec *spec, PyObject *const *slots)
{
    for (int i = 0; i < spec->maxpos + spec->minkw; i++) {
        if (slots[i] == NULL && (i < spec->minpos || i >= spec->maxpos)) {
            struct name_walk walk = names_from(spec, i);
            PyErr_Format(PyExc_TypeError, "%.200s%s missing required argument '%.*s' (pos %d)",
                         CALLED(spec->fname), (int)walk.at[0], walk.at + 1, i + 1);
            return false;
        }
    }
    return true;
}

static void bad_keyword_in_dict(const struct bind_spec *spec, Py_ssize_t nargs, PyObject *kwdict)
{
    PyObject *names = PyDict_Keys(kwdict);
    if (names == NULL) {
        return;
    }
    bad_keyword(spec, nargs, &PyList_GET_ITEM(names, 0), PyList_GET_SIZE(names));
    Py_DECREF(names);
}

PyObject *const *bind_unpack(const struct bind_spec *spec, PyObject *const *args, Py_ssize_t nargs,
                             PyObject *kwnames, PyObject *kwdict, PyObject **slots)
{
    Py_ssize_t nkw = kwnames ? PyTuple_GET_SIZE(kwnames) : kwdict ? PyDict_GET_SIZE(kwdict) : 0;
    if (!counts_fit(spec, nargs, nkw)) {
        return NULL;
    }
    Py_ssize_t placed = Py_MIN(nargs, spec->maxpos);
    for (Py_ssize_t i = 0; i < spec->count; i++) {
        slots[i] = i < placed ? args[i] : NULL;
    }
    bool all_placed = true;
    struct name_walk walk = names_from(spec, (int)Py_MAX(placed, spec->posonly));
    if (nkw != 0 && kwnames != NULL) {
        for (Py_ssize_t i = 0; i < nkw; i++) {
            all_placed &= place(spec, PyTuple_GET_ITEM(kwnames, i), args[nargs + i], slots, &walk);
        }
    } else if (nkw != 0) {
        PyObject *name, *value;
        Py_ssize_t pos = 0;
        while (PyDict_Next(kwdict, &pos, &name, &value)) {
            all_placed &= place(spec, name, value, slots, &walk);
        }
    }
    if (!nothing_missing(spec, slots)) {
        return NULL;
    }
    if (!all_placed) {
        if (kwnames != NULL) {
            bad_keyword(spec, nargs, bind_items(kwnames), nkw);
        } else {
            bad_keyword_in_dict(spec, nargs, kwdict);
        }
        return NULL;
    }
    return slots;
}

/* ---- numbers -------------------------------------------------------------------------------- */

bool bind_double_slow(PyObject *arg, double *out)
{
    *out = PyFloat_AsDouble(arg);
    return *out != -1.0 || !PyErr_Occurred();
}

bool bind_float(PyObject *arg, float *out)
{
    double value;
    if (!bind_double(arg, &value)) {
        return false;
    }
    *out = (float)value;
    return true;
}

bool bind_complex(PyObject *arg, Py_complex *out)
{
    *out = PyComplex_AsCComplex(arg);
    return out->real != -1.0 || !PyErr_Occurred();
}

bool bind_int(PyObject *arg, int *out)
{
    *out = PyLong_AsInt(arg);
    return *out != -1 || !PyErr_Occurred();
}

bool bind_long(PyObject *arg, long *out)
{
    *out = PyLong_AsLong(arg);
    return *out != -1 || !PyErr_Occurred();
}

bool bind_longlong(PyObject *arg, long long *out)
{
    *out = PyLong_AsLongLong(arg);
    return *out != -1 || !PyErr_Occurred();
}

/* A long between min and max; `what` is how the message calls the C type. */
static bool bind_long_within(PyObject *arg, long min, long max, const char *what, long *out)
{
    if (!bind_long(arg, out)) {
        return false;
    }
    if (*out < min || *out > max) {
        PyErr_Format(PyExc_OverflowError, "%s is %s", what,
                     *out < min ? "less than minimum" : "greater than maximum");
        return false;
    }
    return true;
}

bool bind_short(PyObject *arg, short *out)
{
    long value;
    if (!bind_long_within(arg, SHRT_MIN, SHRT_MAX, "signed short integer", &value)) {
        return false;
    }
    *out = (short)value;
    return true;
}

bool bind_byte(PyObject *arg, unsigned char *out)
{
    long value;
    if (!bind_long_within(arg, 0, UCHAR_MAX, "unsigned byte integer", &value)) {
        return false;
    }
    *out = (unsigned char)value;
    return true;
}

bool bind_ssize_slow(PyObject *arg, Py_ssize_t *out)
{
    PyObject *index = PyNumber_Index(arg);
    if (index == NULL) {
        return false;
    }
    *out = PyLong_AsSsize_t(index);
    Py_DECREF(index);
    return *out != -1 || !PyErr_Occurred();
}

bool bind_ssize_or_none(PyObject *arg, Py_ssize_t *out)
{
    if (arg == Py_None) {
        return true;
    }
    if (!PyIndex_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "argument should be integer or None, not '%.200s'",
                     Py_TYPE(arg)->tp_name);
        return false;
    }
    *out = PyNumber_AsSsize_t(arg, PyExc_OverflowError);
    return *out != -1 || !PyErr_Occurred();
}

/* An index that is clipped, not refused, when it is too large. */
static bool bind_clipped_index(PyObject *arg, Py_ssize_t *out, const char *complaint)
{
    if (!PyIndex_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, complaint);
        return false;
    }
    *out = PyNumber_AsSsize_t(arg, NULL);
    return *out != -1 || !PyErr_Occurred();
}

bool bind_slice_index(PyObject *arg, Py_ssize_t *out)
{
    return bind_clipped_index(arg, out,
                              "slice indices must be integers or have an __index__ method");
}

bool bind_slice_index_or_none(PyObject *arg, Py_ssize_t *out)
{
    return arg == Py_None
           || bind_clipped_index(arg, out,
                                 "slice indices must be integers or None or have an "
                                 "__index__ method");
}

bool bind_fd(PyObject *arg, int *out)
{
    *out = PyObject_AsFileDescriptor(arg);
    return *out >= 0;
}

/* A non-negative number up to max. */
static bool bind_unsigned(PyObject *arg, unsigned long long max, const char *complaint,
                          unsigned long long *out)
{
    if (!PyIndex_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, "an integer is required");
        return false;
    }
    PyObject *index = PyNumber_Index(arg);
    if (index == NULL) {
        return false;
    }
    int overflow;
    long long small = PyLong_AsLongLongAndOverflow(index, &overflow);
    bool negative = overflow < 0 || (overflow == 0 && small < 0);
    *out = overflow > 0 ? PyLong_AsUnsignedLongLong(index) : (unsigned long long)small;
    Py_DECREF(index);
    if (negative) {
        PyErr_SetString(PyExc_ValueError, "value must be positive");
        return false;
    }
    bool too_large = *out == (unsigned long long)-1 && PyErr_Occurred();
    if (too_large || *out > max) {
        PyErr_SetString(PyExc_OverflowError, complaint);
        return false;
    }
    return true;
}

#define BIND_UNSIGNED(name, ctype, max, complaint)                                                 \
    bool name(PyObject *arg, ctype *out)                                                           \
    {                                                                                              \
        unsigned long long value;                                                                  \
        if (!bind_unsigned(arg, max, complaint, &value)) {                                         \
            return false;                                                                          \
        }                                                                                          \
        *out = (ctype)value;                                                                       \
        return true;                                                                               \
    }

BIND_UNSIGNED(bind_ushort, unsigned short, USHRT_MAX, "Python int too large for C unsigned short")
BIND_UNSIGNED(bind_uint, unsigned int, UINT_MAX, "Python int too large for C unsigned int")
BIND_UNSIGNED(bind_ulong, unsigned long, ULONG_MAX,
              "Python int too large to convert to C unsigned long")
BIND_UNSIGNED(bind_ulonglong, unsigned long long, ULLONG_MAX,
              "Python int too large for C unsigned long long")
BIND_UNSIGNED(bind_size, size_t, SIZE_MAX, "Python int too large to convert to C size_t")

bool bind_uint_mask(PyObject *arg, unsigned int *out)
{
    unsigned long value = PyLong_AsUnsignedLongMask(arg);
    *out = (unsigned int)value;
    return value != (unsigned long)-1 || !PyErr_Occurred();
}

bool bind_ulong_mask(PyObject *arg, const char *fname, const char *argument, unsigned long *out)
{
    if (!PyLong_Check(arg)) {
        return bind_bad_argument(fname, argument, "int", arg);
    }
    *out = PyLong_AsUnsignedLongMask(arg);
    return *out != (unsigned long)-1 || !PyErr_Occurred();
}

/* ---- text and bytes ------------------------------------------------------------------------- */

bool bind_utf8(PyObject *arg, const char *fname, const char *argument, const char **out)
{
    if (!PyUnicode_Check(arg)) {
        return bind_bad_argument(fname, argument, "str", arg);
    }
    Py_ssize_t len;
    *out = PyUnicode_AsUTF8AndSize(arg, &len);
    if (*out == NULL) {
        return false;
    }
    if (strlen(*out) != (size_t)len) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return false;
    }
    return true;
}

bool bind_utf8_or_none(PyObject *arg, const char *fname, const char *argument, const char **out)
{
    if (arg == Py_None) {
        *out = NULL;
        return true;
    }
    if (!PyUnicode_Check(arg)) {
        return bind_bad_argument(fname, argument, "str or None", arg);
    }
    return bind_utf8(arg, fname, argument, out);
}

bool bind_char(PyObject *arg, const char *fname, const char *argument, char *out)
{
    if (PyBytes_Check(arg) && PyBytes_GET_SIZE(arg) == 1) {
        *out = PyBytes_AS_STRING(arg)[0];
    } else if (PyByteArray_Check(arg) && PyByteArray_GET_SIZE(arg) == 1) {
        *out = PyByteArray_AS_STRING(arg)[0];
    } else {
        return bind_bad_argument(fname, argument, "a byte string of length 1", arg);
    }
    return true;
}

bool bind_uchar(PyObject *arg, const char *fname, const char *argument, Py_UCS4 *out)
{
    if (!PyUnicode_Check(arg) || PyUnicode_GET_LENGTH(arg) != 1) {
        return bind_bad_argument(fname, argument, "a unicode character", arg);
    }
    *out = PyUnicode_READ_CHAR(arg, 0);
    return true;
}

bool bind_buffer_writable(PyObject *arg, const char *fname, const char *argument, Py_buffer *out)
{
    if (PyObject_GetBuffer(arg, out, PyBUF_WRITABLE) < 0) {
        PyErr_Clear();
        return bind_bad_argument(fname, argument, "read-write bytes-like object", arg);
    }
    return true;
}

bool bind_buffer_or_str(PyObject *arg, Py_buffer *out)
{
    if (!PyUnicode_Check(arg)) {
        return bind_buffer(arg, out);
    }
    Py_ssize_t len;
    const char *text = PyUnicode_AsUTF8AndSize(arg, &len);
    return text != NULL && PyBuffer_FillInfo(out, arg, (void *)text, len, 1, PyBUF_SIMPLE) == 0;
}

bool bind_buffer_or_ascii(PyObject *arg, Py_buffer *out)
{
    if (!PyUnicode_Check(arg)) {
        if (PyObject_GetBuffer(arg, out, PyBUF_SIMPLE) == 0) {
            return true;
        }
        PyErr_Format(PyExc_TypeError,
                     "argument should be bytes, buffer or ASCII string, not '%.100s'",
                     Py_TYPE(arg)->tp_name);
        return false;
    }
    if (!PyUnicode_IS_ASCII(arg)) {
        PyErr_SetString(PyExc_ValueError, "string argument should contain only ASCII characters");
        return false;
    }
    return PyBuffer_FillInfo(out, arg, (void *)PyUnicode_1BYTE_DATA(arg), PyUnicode_GET_LENGTH(arg),
                             1, PyBUF_SIMPLE)
           == 0;
}
