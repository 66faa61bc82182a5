/*
 * Floats as text: PyOS_double_to_string and PyOS_string_to_double, repr, hexadecimal form, float().
 */
#include "objects/float.h"
#include "objects/object.h"
#include "objects/str.h"
#include <float.h>
#include <math.h>

/* ---- to text --------------------------------------------------------------------------------- */

struct layout {
    Py_ssize_t point; /* of the digits: 0.DIGITS * 10**point, or the exponent's rest */
    Py_ssize_t end;   /* digits to write up to here, padded with zeros */
    bool exponent;    /* with an exponent, one digit before the point */
    bool upper, sign, alternate, dot_zero;
};

/* Where digits, point and exponent go for a format code; ndigits are there. */
static void lay_out(struct layout *l, char code, Py_ssize_t ndigits, Py_ssize_t precision)
{
    l->end = ndigits;
    switch (code) {
    case 'e':
        l->exponent = true;
        l->end = precision;
        break;
    case 'f':
        l->end = l->point + precision;
        break;
    case 'g':
        l->exponent = l->point <= -4 || l->point > precision - l->dot_zero;
        if (l->alternate) {
            l->end = precision;
        }
        break;
    default:
        l->exponent = l->point <= -4 || l->point > 16;
    }
}

static char *write_exponent(char *at, Py_ssize_t exponent, bool upper)
{
    *at++ = upper ? 'E' : 'e';
    *at++ = exponent < 0 ? '-' : '+';
    exponent = exponent < 0 ? -exponent : exponent;
    if (exponent >= 100) {
        *at++ = (char)('0' + exponent / 100);
    }
    *at++ = (char)('0' + exponent / 10 % 10);
    *at++ = (char)('0' + exponent % 10);
    return at;
}

/* Digits number `from` .. `to` of the value, zeros outside of the ones there are. */
static char *write_range(char *at, const char *digits, Py_ssize_t ndigits, Py_ssize_t from,
                         Py_ssize_t to)
{
    for (Py_ssize_t i = from; i < to; i++) {
        *at++ = i >= 0 && i < ndigits ? digits[i] : '0';
    }
    return at;
}

static char *write_number(char *at, const struct layout *l, const char *digits, Py_ssize_t ndigits)
{
    Py_ssize_t point = l->exponent ? 1 : l->point, end = l->end;
    if (!l->exponent && l->dot_zero && end < point + 1) {
        end = point + 1;
    }
    if (point <= 0) {
        *at++ = '0';
    }
    at = write_range(at, digits, ndigits, 0, point);
    if (end > point || l->alternate) {
        *at++ = '.';
        at = write_range(at, digits, ndigits, point < 0 ? point : point > 0 ? point : 0, end);
    }
    return l->exponent ? write_exponent(at, l->point - 1, l->upper) : at;
}

static char *special_text(double value, bool upper, bool sign, int *type)
{
    char text[8], *at = text;
    if (isnan(value)) {
        *type = Py_DTST_NAN;
        at = stpcpy(sign ? stpcpy(at, "+") : at, upper ? "NAN" : "nan");
    } else {
        *type = Py_DTST_INFINITE;
        const char *prefix = value < 0 ? "-" : sign ? "+" : "";
        at = stpcpy(stpcpy(at, prefix), upper ? "INF" : "inf");
    }
    char *copy = PyMem_Malloc((size_t)(at - text) + 1);
    if (copy == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    return strcpy(copy, text);
}

/* The mode of digit generation for a format code, its digits, and the precision as laid out. */
static bool digits_wanted(char code, Py_ssize_t *precision, enum float_digits_mode *mode,
                          Py_ssize_t *ndigits)
{
    switch (code) {
    case 'e':
        ++*precision;
        *mode = FLOAT_PRECISION;
        break;
    case 'f':
        *mode = FLOAT_FIXED;
        break;
    case 'g':
        *precision = *precision == 0 ? 1 : *precision;
        *mode = FLOAT_PRECISION;
        break;
    case 'r':
        if (*precision != 0) {
            return false;
        }
        *mode = FLOAT_SHORTEST;
        break;
    default:
        return false;
    }
    *ndigits = *precision;
    return true;
}

char *PyOS_double_to_string(double value, char code, int precision, int flags, int *type)
{
    bool upper = code == 'E' || code == 'F' || code == 'G';
    code = (char)(upper ? code | 0x20 : code);
    Py_ssize_t places = precision, ndigits_wanted;
    enum float_digits_mode mode;
    int kind = Py_DTST_FINITE;
    if (!digits_wanted(code, &places, &mode, &ndigits_wanted)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    bool sign = flags & Py_DTSF_SIGN;
    if (!isfinite(value)) {
        char *text = special_text(value, upper, sign, &kind);
        if (type != NULL) {
            *type = kind;
        }
        return text;
    }
    char digits[FLOAT_DIGITS_MAX];
    struct layout l = {
        .upper = upper,
        .alternate = flags & Py_DTSF_ALT,
        .dot_zero = flags & Py_DTSF_ADD_DOT_0,
    };
    Py_ssize_t ndigits = float_digits(value, mode, ndigits_wanted, digits, &l.point);
    bool negative = signbit(value);
    if (ndigits == 0) {
        digits[0] = '0';
        ndigits = 1;
        l.point = 1;
        negative = negative && !(flags & Py_DTSF_NO_NEG_0);
    }
    lay_out(&l, code, ndigits, places);
    Py_ssize_t longest =
        (l.end > l.point ? l.end - l.point : 0) + (l.point > 0 ? l.point : -l.point) + l.end + 16;
    char *text = PyMem_Malloc((size_t)(longest > 32 ? longest : 32));
    if (text == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    char *at = text;
    if (negative || sign) {
        *at++ = negative ? '-' : '+';
    }
    at = write_number(at, &l, digits, ndigits);
    *at = '\0';
    if (type != NULL) {
        *type = kind;
    }
    return text;
}

int float_repr(double value, char *buf)
{
    if (!isfinite(value)) {
        return (int)(stpcpy(buf, isnan(value) ? "nan" : value < 0 ? "-inf" : "inf") - buf);
    }
    char digits[32], *at = buf;
    struct layout l = {.dot_zero = true};
    Py_ssize_t ndigits = float_digits(value, FLOAT_SHORTEST, 0, digits, &l.point);
    if (ndigits == 0) {
        digits[0] = '0';
        ndigits = 1;
        l.point = 1;
    }
    if (signbit(value)) {
        *at++ = '-';
    }
    lay_out(&l, 'r', ndigits, 0);
    return (int)(write_number(at, &l, digits, ndigits) - buf);
}

PyObject *float_to_hex(double value)
{
    if (!isfinite(value)) {
        char buf[8];
        return str_from_ascii(buf, float_repr(value, buf));
    }
    const char *sign = signbit(value) ? "-" : "";
    if (value == 0.0) {
        return PyUnicode_FromFormat("%s0x0.0p+0", sign);
    }
    int exponent;
    double m = frexp(fabs(value), &exponent);
    /* One digit before the point; denormals keep the lowest exponent and begin with 0. */
    int shift = 1 - (DBL_MIN_EXP - exponent > 0 ? DBL_MIN_EXP - exponent : 0);
    uint64_t bits = (uint64_t)ldexp(m, shift + 52);
    exponent -= shift;
    char digits[14];
    for (int i = 0; i < 13; i++) {
        digits[i] = "0123456789abcdef"[bits >> (48 - 4 * i) & 15];
    }
    digits[13] = '\0';
    return PyUnicode_FromFormat("%s0x%d.%sp%c%d", sign, (int)(bits >> 52), digits,
                                exponent < 0 ? '-' : '+', exponent < 0 ? -exponent : exponent);
}

/* ---- from text ------------------------------------------------------------------------------- */

double PyOS_string_to_double(const char *text, char **endptr, PyObject *overflow_exception)
{
    const char *end;
    double value = float_parse(text, strlen(text), &end);
    /* What was written with digits, not as a word. */
    bool overflow = isinf(value) && end > text && (end[-1] == '.' || Py_ISDIGIT(end[-1]));
    if (end == text || (endptr == NULL && *end != '\0')) {
        PyErr_Format(PyExc_ValueError, "could not convert string to float: '%.200s'", text);
        value = -1.0;
        end = end == text || endptr == NULL ? text : end;
    } else if (overflow && overflow_exception != NULL) {
        PyErr_Format(overflow_exception, "value too large to convert to float: '%.200s'", text);
        value = -1.0;
    }
    if (endptr != NULL) {
        *endptr = (char *)end;
    }
    return value;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Drops underscores that stand between digits: a new length, or -1 when one stands elsewhere. */
static Py_ssize_t drop_underscores(const char *text, Py_ssize_t n, char *to)
{
    char *at = to;
    for (Py_ssize_t i = 0; i < n; i++) {
        if (text[i] != '_') {
            *at++ = text[i];
        } else if (i == 0 || !is_digit(text[i - 1]) || i + 1 == n || !is_digit(text[i + 1])) {
            return -1;
        }
    }
    return at - to;
}

int float_from_text(const char *text, Py_ssize_t n, double *value)
{
    while (n > 0 && Py_ISSPACE(Py_CHARMASK(text[0]))) {
        text++;
        n--;
    }
    while (n > 0 && Py_ISSPACE(Py_CHARMASK(text[n - 1]))) {
        n--;
    }
    char *copy = NULL;
    if (n > 0 && memchr(text, '_', (size_t)n) != NULL) {
        copy = PyMem_Malloc((size_t)n);
        if (copy == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        n = drop_underscores(text, n, copy);
        text = copy;
    }
    int found = 0;
    if (n > 0) {
        const char *end;
        *value = float_parse(text, (size_t)n, &end);
        found = end == text + n;
    }
    PyMem_Free(copy);
    return found;
}

static PyObject *from_text_of(PyObject *op, const char *text, Py_ssize_t n)
{
    double value;
    int found = float_from_text(text, n, &value);
    if (found > 0) {
        return float_new(value);
    }
    if (found == 0) {
        PyErr_Format(PyExc_ValueError, "could not convert string to float: %R", op);
    }
    return NULL;
}

PyObject *PyFloat_FromString(PyObject *op)
{
    PyObject *result = NULL;
    if (PyUnicode_Check(op)) {
        PyObject *ascii = str_digits_to_ascii(op);
        if (ascii != NULL) {
            result = from_text_of(op, str_data(ascii), str_len(ascii));
            Py_DECREF(ascii);
        }
        return result;
    }
    if (PyBytes_Check(op)) {
        return from_text_of(op, PyBytes_AS_STRING(op), PyBytes_GET_SIZE(op));
    }
    if (PyByteArray_Check(op)) {
        return from_text_of(op, PyByteArray_AS_STRING(op), PyByteArray_GET_SIZE(op));
    }
    Py_buffer view;
    if (PyObject_GetBuffer(op, &view, PyBUF_SIMPLE) == 0) {
        result = from_text_of(op, view.buf, view.len);
        PyBuffer_Release(&view);
        return result;
    }
    PyErr_Format(PyExc_TypeError,
                 "float() argument must be a string or a real number, not '%.200s'",
                 Py_TYPE(op)->tp_name);
    return NULL;
}

/* ---- hexadecimal ----------------------------------------------------------------------------- */

static int hex_value(char c)
{
    char lower = (char)(c | 0x20);
    return is_digit(c) ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static int raise_bad_hex(void)
{
    PyErr_SetString(PyExc_ValueError, "invalid hexadecimal floating-point string");
    return -1;
}

static int raise_hex_overflow(void)
{
    PyErr_SetString(PyExc_OverflowError, "hexadecimal value too large to represent as a float");
    return -1;
}

/* What a run of hex digits around a point is worth: its first 64 bits, the exponent of the lowest
 * of these, and whether anything follows. */
struct hex_number {
    uint64_t mantissa;
    int64_t exponent;
    bool sticky;
    Py_ssize_t ndigits;
};

static const char *read_hex_digits(const char *at, const char *end, struct hex_number *h)
{
    bool after_point = false;
    for (; at < end; at++) {
        if (*at == '.' && !after_point) {
            after_point = true;
            continue;
        }
        int value = hex_value(*at);
        if (value < 0) {
            break;
        }
        h->ndigits++;
        if (h->mantissa >> 60 == 0) {
            h->mantissa = h->mantissa << 4 | (uint64_t)value;
            h->exponent -= after_point ? 4 : 0;
        } else {
            h->sticky |= value != 0;
            h->exponent += after_point ? 0 : 4;
        }
    }
    return at;
}

/* mantissa * 2**exponent, rounded half-even; -1 with OverflowError. */
static int hex_to_double(const struct hex_number *h, double *value)
{
    if (h->mantissa == 0) {
        *value = 0.0;
        return 0;
    }
    int length = 64 - __builtin_clzll(h->mantissa);
    int64_t top = h->exponent + length; /* value < 2**top */
    if (top > DBL_MAX_EXP) {
        return raise_hex_overflow();
    }
    if (top < DBL_MIN_EXP - DBL_MANT_DIG) {
        *value = 0.0;
        return 0;
    }
    int64_t lowest = top - DBL_MANT_DIG;
    lowest = lowest < DBL_MIN_EXP - DBL_MANT_DIG ? DBL_MIN_EXP - DBL_MANT_DIG : lowest;
    int64_t drop = lowest - h->exponent;
    uint64_t m = h->mantissa;
    int64_t exponent = h->exponent;
    if (drop > 0) {
        uint64_t rest = drop >= 64 ? m : m & (((uint64_t)1 << drop) - 1);
        uint64_t half = (uint64_t)1 << (drop - 1);
        m = drop >= 64 ? 0 : m >> drop;
        m += rest > half || (rest == half && (h->sticky || (m & 1)));
        exponent = lowest;
    }
    *value = ldexp((double)m, (int)exponent);
    return isinf(*value) ? raise_hex_overflow() : 0;
}

int float_from_hex(const char *at, Py_ssize_t n, double *value)
{
    const char *end = at + n;
    while (at < end && Py_ISSPACE(Py_CHARMASK(*at))) {
        at++;
    }
    while (at < end && Py_ISSPACE(Py_CHARMASK(end[-1]))) {
        end--;
    }
    const char *word_end;
    const char *start = at;
    bool negative = at < end && *at == '-';
    at += at < end && (*at == '-' || *at == '+');
    if (at < end && ((*at | 0x20) == 'i' || (*at | 0x20) == 'n')) {
        *value = float_parse(start, (size_t)(end - start), &word_end);
        return word_end == end ? 0 : raise_bad_hex();
    }
    if (end - at >= 2 && at[0] == '0' && (at[1] | 0x20) == 'x') {
        at += 2;
    }
    struct hex_number h = {0};
    at = read_hex_digits(at, end, &h);
    if (h.ndigits == 0) {
        return raise_bad_hex();
    }
    if (at < end && (*at | 0x20) == 'p') {
        at++;
        bool down = at < end && *at == '-';
        at += at < end && (*at == '-' || *at == '+');
        if (at >= end || !is_digit(*at)) {
            return raise_bad_hex();
        }
        int64_t exponent = 0;
        for (; at < end && is_digit(*at); at++) {
            exponent = exponent < INT64_MAX / 100 ? exponent * 10 + (*at - '0') : exponent;
        }
        h.exponent += down ? -exponent : exponent;
    }
    if (at != end) {
        return raise_bad_hex();
    }
    if (hex_to_double(&h, value) < 0) {
        return -1;
    }
    *value = negative ? -*value : *value;
    return 0;
}
