/* format() of int, float and complex. */
#include "objects/format/spec.h"
#include "objects/int.h"
#include "objects/int/text.h"
#include "objects/str/copy.h"

#include <limits.h>
#include <locale.h>
#include <math.h>

/* ---- Grouping ---------------------------------------------------------------------------------- */

/* How digits are grouped: the separators as str, and the sizes of the groups from the right, the
 * last one repeated; CHAR_MAX ends the grouping. */
struct grouping {
    PyObject *point, *separator; /* owned */
    const char *sizes;
    char *copy; /* owned memory behind `sizes`, or NULL */
};

static int grouping_from_locale(struct grouping *g)
{
    /* What localeconv() points to may change under us: copy at once. */
    const struct lconv *conventions = localeconv();
    g->copy = PyMem_Malloc(strlen(conventions->grouping) + 1);
    if (g->copy == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    g->sizes = strcpy(g->copy, conventions->grouping);
    g->point = PyUnicode_DecodeLocale(conventions->decimal_point, NULL);
    g->separator = PyUnicode_DecodeLocale(conventions->thousands_sep, NULL);
    return g->point == NULL || g->separator == NULL ? -1 : 0;
}

static int grouping_init(struct grouping *g, const struct format_spec *spec)
{
    *g = (struct grouping){0};
    if (spec->type == 'n') {
        return grouping_from_locale(g);
    }
    g->point = str_latin1_char('.');
    g->separator =
        spec->grouping == 0 ? str_empty() : str_latin1_char((unsigned char)spec->grouping);
    bool fours = spec->type == 'b' || spec->type == 'o' || spec->type == 'x' || spec->type == 'X';
    g->sizes = spec->grouping == 0 ? "" : fours ? "\4" : "\3";
    return 0;
}

static void grouping_drop(struct grouping *g)
{
    Py_XDECREF(g->point);
    Py_XDECREF(g->separator);
    PyMem_Free(g->copy);
}

/* Size of the group number `i` from the right, 0 if there are no more separators. */
static Py_ssize_t group_size(const char *sizes, Py_ssize_t i)
{
    Py_ssize_t count = (Py_ssize_t)strlen(sizes);
    char size = count == 0 ? 0 : i < count ? sizes[i] : sizes[count - 1];
    /* An unlimited group may stand anywhere before the one that is asked for. */
    const char *stop = strchr(sizes, CHAR_MAX);
    if (stop != NULL && i >= stop - sizes) {
        return 0;
    }
    return size;
}

/* Writes the digits (ASCII) with separators; zeros in front make at least `width` characters.
 * With w == NULL only counts.  Returns the number of characters, or -1. */
static Py_ssize_t write_grouped(str_writer *w, const struct grouping *g, const char *digits,
                                Py_ssize_t count, Py_ssize_t width)
{
    Py_ssize_t gap = str_len(g->separator);
    /* From the right: how many groups are complete, and what is left for the first one. */
    Py_ssize_t groups = 0, left = count, room = width, length = 0;
    for (;;) {
        Py_ssize_t size = group_size(g->sizes, groups), most = Py_MAX(Py_MAX(left, room), 1);
        if (size == 0 || most <= size) {
            break;
        }
        left = Py_MAX(left - size, 0);
        room -= size + gap;
        length += size + gap;
        groups++;
    }
    /* A digit stands before each separator. */
    Py_ssize_t first = Py_MAX(Py_MAX(left, room), 1);
    length += first;
    if (w == NULL) {
        return length;
    }
    Py_ssize_t zeros = first - left, at = left;
    if (str_writer_fill(w, '0', zeros) < 0 || str_writer_ascii(w, digits, left) < 0) {
        return -1;
    }
    /* The digits of the groups, with zeros where there are none. */
    Py_ssize_t in_groups = 0;
    for (Py_ssize_t i = 0; i < groups; i++) {
        in_groups += group_size(g->sizes, i);
    }
    Py_ssize_t missing = in_groups - (count - left);
    for (Py_ssize_t i = groups - 1; i >= 0; i--) {
        if (str_writer_str(w, g->separator) < 0) {
            return -1;
        }
        Py_ssize_t size = group_size(g->sizes, i), pad = Py_MIN(missing, size);
        if (str_writer_fill(w, '0', pad) < 0 || str_writer_ascii(w, digits + at, size - pad) < 0) {
            return -1;
        }
        at += size - pad;
        missing -= pad;
    }
    return length;
}

/* ---- One number ---------------------------------------------------------------------------------- */

/* A number as text, in its parts. */
struct number {
    bool negative;
    const char *prefix; /* "0x" and the like, or "" */
    const char *digits; /* before the point; grouped */
    Py_ssize_t digit_count;
    bool point;
    const char *rest; /* behind the point, with exponent, percent sign, "inf", ... */
    Py_ssize_t rest_length;
};

/* Appends to one-byte characters that have room. */
static inline uint8_t *put(uint8_t *out, const char *text, Py_ssize_t length)
{
    copy_short(out, text, (size_t)length);
    return out + length;
}

static inline uint8_t *put_fill(uint8_t *out, Py_UCS4 ch, Py_ssize_t count)
{
    return count > 0 ? (uint8_t *)memset(out, (int)ch, (size_t)count) + count : out;
}

/* A number without separators: 1 done, 0 not here (the text is wide), -1. */
static int write_simple(str_writer *w, const struct format_spec *spec, const struct number *n,
                        char sign, Py_ssize_t prefix)
{
    Py_ssize_t length = (sign != 0) + prefix + n->digit_count + n->point + n->rest_length;
    Py_ssize_t fill = Py_MAX(spec->width - length, 0), left = 0, middle = 0;
    switch (spec->align) {
    case '>':
        left = fill;
        break;
    case '^':
        left = fill / 2;
        break;
    case '=':
        middle = fill;
        break;
    }
    if (str_writer_reserve(w, length + fill, fill > 0 ? spec->fill : 0x7f) < 0) {
        return -1;
    }
    if (w->kind != 1) {
        return 0;
    }
    uint8_t *out = put_fill((uint8_t *)w->data + w->pos, spec->fill, left);
    if (sign != 0) {
        *out++ = (uint8_t)sign;
    }
    out = put(out, n->prefix, prefix);
    out = put_fill(out, spec->fill, middle);
    out = put(out, n->digits, n->digit_count);
    if (n->point) {
        *out++ = '.';
    }
    out = put(out, n->rest, n->rest_length);
    put_fill(out, spec->fill, fill - left - middle);
    w->pos += length + fill;
    return 1;
}

static int write_number(str_writer *w, const struct format_spec *spec, const struct number *n,
                        const struct grouping *g)
{
    char sign = n->negative ? '-' : spec->sign == '+' ? '+' : spec->sign == ' ' ? ' ' : 0;
    Py_ssize_t prefix = (Py_ssize_t)strlen(n->prefix);
    if (spec->grouping == 0 && spec->type != 'n') {
        int done = write_simple(w, spec, n, sign, prefix);
        if (done != 0) {
            return done < 0 ? -1 : 0;
        }
    }
    Py_ssize_t fixed = (sign != 0) + prefix + (n->point ? str_len(g->point) : 0) + n->rest_length;
    /* Zeros between sign and digits are grouped like digits. */
    bool zeros = spec->fill == '0' && spec->align == '=';
    Py_ssize_t least = zeros ? spec->width - fixed : 0, right;
    Py_ssize_t grouped =
        n->digit_count == 0 ? 0 : write_grouped(NULL, g, n->digits, n->digit_count, least);
    Py_ssize_t length = fixed + grouped;
    if (format_pad_left(w, spec, length, &right) < 0
        || (sign != 0 && str_writer_char(w, (Py_UCS4)sign) < 0)
        || str_writer_ascii(w, n->prefix, prefix) < 0) {
        return -1;
    }
    if (spec->align == '=') {
        if (str_writer_fill(w, spec->fill, right) < 0) {
            return -1;
        }
        right = 0;
    }
    if ((n->digit_count > 0 && write_grouped(w, g, n->digits, n->digit_count, least) < 0)
        || (n->point && str_writer_str(w, g->point) < 0)
        || str_writer_ascii(w, n->rest, n->rest_length) < 0) {
        return -1;
    }
    return str_writer_fill(w, spec->fill, right);
}

/* ---- int ------------------------------------------------------------------------------------------- */

static int refuse(const char *message)
{
    PyErr_SetString(PyExc_ValueError, message);
    return -1;
}

static int write_int_char(str_writer *w, const struct format_spec *spec, PyObject *value)
{
    if (spec->sign != 0) {
        return refuse("Sign not allowed with integer format specifier 'c'");
    }
    if (spec->alternate) {
        return refuse("Alternate form (#) not allowed with integer format specifier 'c'");
    }
    long ch = PyLong_AsLong(value);
    if (ch == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (ch < 0 || ch > (long)STR_MAX_CODE_POINT) {
        PyErr_SetString(PyExc_OverflowError, "%c arg not in range(0x110000)");
        return -1;
    }
    Py_ssize_t right;
    struct format_spec padded = *spec;
    if (padded.align == '=') {
        padded.align = '>'; /* there is no sign to keep in front */
    }
    if (format_pad_left(w, &padded, 1, &right) < 0 || str_writer_char(w, (Py_UCS4)ch) < 0) {
        return -1;
    }
    return str_writer_fill(w, spec->fill, right);
}

/* write_int() in base 10, for what fits 64 bits. */
static int write_small(str_writer *w, const struct format_spec *spec, int64_t value)
{
    char text[INT64_TEXT_MAX], *end = text + sizeof text, *digits = int64_write(value, end);
    struct number n = {.prefix = "", .rest = "", .negative = value < 0};
    struct grouping g;
    n.digits = digits + n.negative;
    n.digit_count = end - n.digits;
    int result = grouping_init(&g, spec) < 0 ? -1 : write_number(w, spec, &n, &g);
    grouping_drop(&g);
    return result;
}

static int write_int(str_writer *w, const struct format_spec *spec, PyObject *value)
{
    int64_t small;
    if ((spec->type == 'd' || spec->type == 'n') && int_fits_i64((PyLongObject *)value, &small)) {
        return write_small(w, spec, small);
    }
    int base = spec->type == 'b' ? 2 : spec->type == 'o' ? 8 : (spec->type | 32) == 'x' ? 16 : 10;
    PyObject *text = PyNumber_ToBase(value, base);
    if (text == NULL) {
        return -1;
    }
    char *digits = str_data(text); /* ours alone: a new string, or one digit that stays as it is */
    Py_ssize_t count = str_len(text);
    struct number n = {.prefix = ""};
    if (*digits == '-') {
        n.negative = true;
        digits++;
        count--;
    }
    if (base != 10) {
        digits += 2;
        count -= 2;
    }
    if (spec->type == 'X') {
        for (Py_ssize_t i = 0; i < count; i++) {
            digits[i] = (char)Py_TOUPPER(digits[i]);
        }
    }
    if (spec->alternate && base != 10) {
        n.prefix = spec->type == 'b'   ? "0b"
                   : spec->type == 'o' ? "0o"
                   : spec->type == 'x' ? "0x"
                                       : "0X";
    }
    n.digits = digits;
    n.digit_count = count;
    n.rest = "";
    struct grouping g;
    int result = grouping_init(&g, spec);
    if (result == 0) {
        result = write_number(w, spec, &n, &g);
    }
    grouping_drop(&g);
    Py_DECREF(text);
    return result;
}

static int write_float(str_writer *w, const struct format_spec *spec, double value);

int format_int_spec(str_writer *w, PyObject *value, PyObject *spec, Py_ssize_t start,
                    Py_ssize_t end)
{
    int64_t small;
    if (start == end && PyLong_CheckExact(value) && int_fits_i64((PyLongObject *)value, &small)) {
        return str_writer_int64(w, small);
    }
    if (start == end) {
        return str_writer_object(w, value);
    }
    struct format_spec s;
    const char *type_name = Py_TYPE(value)->tp_name;
    if (format_spec_parse(&s, spec, start, end, 'd', '>', type_name) < 0) {
        return -1;
    }
    switch (s.type) {
    case 'b':
    case 'c':
    case 'd':
    case 'o':
    case 'x':
    case 'X':
    case 'n':
        if (s.precision >= 0) {
            return refuse("Precision not allowed in integer format specifier");
        }
        if (s.no_negative_zero) {
            return refuse("Negative zero coercion (z) not allowed in integer format specifier");
        }
        return s.type == 'c' ? write_int_char(w, &s, value) : write_int(w, &s, value);
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
    case '%': {
        double number = PyLong_AsDouble(value);
        return number == -1.0 && PyErr_Occurred() ? -1 : write_float(w, &s, number);
    }
    default:
        format_spec_unknown(s.type, type_name);
        return -1;
    }
}

/* ---- float ------------------------------------------------------------------------------------------- */

/* Text of a double and where its parts lie; `text` is from PyMem_Malloc. */
static int float_text(struct number *n, char **text, double value, char letter, int precision,
                      int flags, bool percent)
{
    *text = PyOS_double_to_string(value, letter, precision, flags, NULL);
    if (*text == NULL) {
        return -1;
    }
    size_t length = strlen(*text);
    if (percent) {
        char *longer = PyMem_Realloc(*text, length + 2);
        if (longer == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        *text = longer;
        strcpy(longer + length, "%");
        length++;
    }
    const char *p = *text, *end = p + length;
    *n = (struct number){.prefix = "", .negative = *p == '-'};
    p += n->negative;
    n->digits = p;
    while (p < end && Py_ISDIGIT(*p)) {
        p++;
    }
    n->digit_count = p - n->digits;
    n->point = p < end && *p == '.';
    p += n->point;
    n->rest = p;
    n->rest_length = end - p;
    return 0;
}

/* What the specification asks of PyOS_double_to_string(). */
struct float_request {
    char letter;
    int precision, flags;
};

static int float_request(struct float_request *request, const struct format_spec *spec,
                         Py_ssize_t default_precision)
{
    Py_ssize_t precision = spec->precision;
    if (precision > INT_MAX) {
        return refuse("precision too big");
    }
    *request = (struct float_request){.letter = (char)spec->type};
    if (spec->type == 0) {
        request->letter = precision < 0 ? 'r' : 'g';
        default_precision = 0;
    } else if (spec->type == 'n') {
        request->letter = 'g';
    } else if (spec->type == '%') {
        request->letter = 'f';
    }
    request->precision = (int)(precision < 0 ? default_precision : precision);
    request->flags =
        (spec->alternate ? Py_DTSF_ALT : 0) | (spec->no_negative_zero ? Py_DTSF_NO_NEG_0 : 0);
    return 0;
}

static int write_float(str_writer *w, const struct format_spec *spec, double value)
{
    struct float_request request;
    struct number n;
    struct grouping g;
    char *text = NULL;
    if (float_request(&request, spec, 6) < 0) {
        return -1;
    }
    if (spec->type == 0) {
        request.flags |= Py_DTSF_ADD_DOT_0;
    }
    bool percent = spec->type == '%';
    int result = float_text(&n, &text, percent ? value * 100 : value, request.letter,
                            request.precision, request.flags, percent);
    if (result == 0) {
        result = grouping_init(&g, spec);
        if (result == 0) {
            result = write_number(w, spec, &n, &g);
        }
        grouping_drop(&g);
    }
    PyMem_Free(text);
    return result;
}

int format_float_spec(str_writer *w, PyObject *value, PyObject *spec, Py_ssize_t start,
                      Py_ssize_t end)
{
    if (start == end) {
        return str_writer_object(w, value);
    }
    struct format_spec s;
    const char *type_name = Py_TYPE(value)->tp_name;
    if (format_spec_parse(&s, spec, start, end, 0, '>', type_name) < 0) {
        return -1;
    }
    if (s.type != 0 && (s.type > 127 || strchr("eEfFgGn%", (int)s.type) == NULL)) {
        format_spec_unknown(s.type, type_name);
        return -1;
    }
    return write_float(w, &s, PyFloat_AS_DOUBLE(value));
}

/* ---- complex ------------------------------------------------------------------------------------------ */

static int write_complex(str_writer *w, const struct format_spec *spec, Py_complex value)
{
    struct float_request request;
    struct number re, im;
    struct grouping g = {0};
    char *re_text = NULL, *im_text = NULL;
    if (float_request(&request, spec, 6) < 0) {
        return -1;
    }
    bool only_imaginary = spec->type == 0 && value.real == 0.0 && copysign(1.0, value.real) == 1.0;
    bool parentheses = spec->type == 0 && !only_imaginary;
    str_writer inner; /* unpadded */
    str_writer_init(&inner);
    int result = -1;
    if (float_text(&re, &re_text, value.real, request.letter, request.precision, request.flags,
                   false)
            < 0
        || float_text(&im, &im_text, value.imag, request.letter, request.precision, request.flags,
                      false)
               < 0
        || grouping_init(&g, spec) < 0) {
        goto done;
    }
    struct format_spec part = *spec;
    part.width = -1;
    part.align = '<';
    part.fill = ' ';
    if (parentheses && str_writer_char(&inner, '(') < 0) {
        goto done;
    }
    if (!only_imaginary) {
        if (write_number(&inner, &part, &re, &g) < 0) {
            goto done;
        }
        part.sign = '+';
    }
    if (write_number(&inner, &part, &im, &g) < 0 || str_writer_char(&inner, 'j') < 0
        || (parentheses && str_writer_char(&inner, ')') < 0)) {
        goto done;
    }
    Py_ssize_t right;
    result = format_pad_left(w, spec, inner.pos, &right) < 0
                     || str_writer_data(w, inner.kind, inner.data, inner.pos) < 0
                     || str_writer_fill(w, spec->fill, right) < 0
                 ? -1
                 : 0;
done:
    str_writer_drop(&inner);
    grouping_drop(&g);
    PyMem_Free(re_text);
    PyMem_Free(im_text);
    return result;
}

int format_complex_spec(str_writer *w, PyObject *value, PyObject *spec, Py_ssize_t start,
                        Py_ssize_t end)
{
    if (start == end) {
        return str_writer_object(w, value);
    }
    struct format_spec s;
    const char *type_name = Py_TYPE(value)->tp_name;
    if (format_spec_parse(&s, spec, start, end, 0, '>', type_name) < 0) {
        return -1;
    }
    if (s.type != 0 && (s.type > 127 || strchr("eEfFgGn", (int)s.type) == NULL)) {
        format_spec_unknown(s.type, type_name);
        return -1;
    }
    if (s.fill == '0') {
        return refuse("Zero padding is not allowed in complex format specifier");
    }
    if (s.align == '=') {
        return refuse("'=' alignment flag is not allowed in complex format specifier");
    }
    return write_complex(w, &s, PyComplex_AsCComplex(value));
}
