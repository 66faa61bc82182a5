/* Parsing the format specification mini-language. */
#include "objects/format/spec.h"

int format_read_number(PyObject *spec, Py_ssize_t *at, Py_ssize_t end, Py_ssize_t *value)
{
    Py_ssize_t number = 0;
    int digits = 0;
    for (; *at < end; ++*at, digits++) {
        Py_UCS4 ch = str_read(spec, *at);
        int digit = ch < 0x80 ? ((unsigned)ch - '0' < 10 ? (int)(ch - '0') : -1)
                              : _PyUnicode_ToDecimalDigit(ch);
        if (digit < 0) {
            break;
        }
        if (number > (PY_SSIZE_T_MAX - digit) / 10) {
            PyErr_SetString(PyExc_ValueError, "Too many decimal digits in format string");
            return -1;
        }
        number = number * 10 + digit;
    }
    *value = digits == 0 ? -1 : number;
    return digits;
}

static bool is_align(Py_UCS4 ch)
{
    return ch == '<' || ch == '>' || ch == '=' || ch == '^';
}

/* The grouping letter does not go with every type. */
static int check_grouping(const struct format_spec *s)
{
    switch (s->type) {
    case 0:
    case 'd':
    case 'e':
    case 'f':
    case 'g':
    case 'E':
    case 'F':
    case 'G':
    case '%':
        return 0;
    case 'b':
    case 'o':
    case 'x':
    case 'X':
        if (s->grouping == '_') {
            return 0;
        }
        break;
    default:
        break;
    }
    if (s->type > 32 && s->type < 128) {
        PyErr_Format(PyExc_ValueError, "Cannot specify '%c' with '%c'.", s->grouping, (int)s->type);
    } else {
        PyErr_Format(PyExc_ValueError, "Cannot specify '%c' with '\\x%x'.", s->grouping,
                     (unsigned)s->type);
    }
    return -1;
}

static int parse_grouping(struct format_spec *out, PyObject *spec, Py_ssize_t *at, Py_ssize_t end)
{
    if (*at == end) {
        return 0;
    }
    if (str_read(spec, *at) == ',') {
        out->grouping = ',';
        ++*at;
    }
    if (*at < end && str_read(spec, *at) == '_') {
        if (out->grouping != 0) {
            PyErr_SetString(PyExc_ValueError, "Cannot specify both ',' and '_'.");
            return -1;
        }
        out->grouping = '_';
        ++*at;
    }
    if (*at < end && str_read(spec, *at) == ',' && out->grouping == '_') {
        PyErr_SetString(PyExc_ValueError, "Cannot specify both ',' and '_'.");
        return -1;
    }
    return 0;
}

/* The character at `i`, 0 at the end. */
static inline Py_UCS4 char_or_zero(PyObject *spec, Py_ssize_t i, Py_ssize_t end)
{
    return i < end ? str_read(spec, i) : 0;
}

int format_spec_parse(struct format_spec *out, PyObject *spec, Py_ssize_t start, Py_ssize_t end,
                      Py_UCS4 default_type, char default_align, const char *type_name)
{
    Py_ssize_t at = start;
    *out = (struct format_spec){
        .fill = ' ', .align = default_align, .width = -1, .precision = -1, .type = default_type};
    Py_UCS4 ch = char_or_zero(spec, at, end), second = char_or_zero(spec, at + 1, end);
    if (is_align(second)) {
        out->fill = ch;
        out->align = (char)second;
        out->fill_given = out->align_given = true;
        at += 2;
        ch = char_or_zero(spec, at, end);
    } else if (is_align(ch)) {
        out->align = (char)ch;
        out->align_given = true;
        ch = char_or_zero(spec, ++at, end);
    }
    if (ch == '+' || ch == '-' || ch == ' ') {
        out->sign = (char)ch;
        ch = char_or_zero(spec, ++at, end);
    }
    if (ch == 'z') {
        out->no_negative_zero = true;
        ch = char_or_zero(spec, ++at, end);
    }
    if (ch == '#') {
        out->alternate = true;
        ch = char_or_zero(spec, ++at, end);
    }
    if (!out->fill_given && ch == '0') {
        out->fill = '0';
        if (!out->align_given && default_align == '>') {
            out->align = '=';
        }
        at++;
    }
    if (format_read_number(spec, &at, end, &out->width) < 0
        || parse_grouping(out, spec, &at, end) < 0) {
        return -1;
    }
    if (at < end && str_read(spec, at) == '.') {
        at++;
        int digits = format_read_number(spec, &at, end, &out->precision);
        if (digits == 0) {
            PyErr_SetString(PyExc_ValueError, "Format specifier missing precision");
        }
        if (digits <= 0) {
            return -1;
        }
    }
    if (end - at > 1) {
        PyObject *text = str_substring(spec, start, end);
        if (text != NULL) {
            PyErr_Format(PyExc_ValueError,
                         "Invalid format specifier '%U' for object of type '%.200s'", text,
                         type_name);
            Py_DECREF(text);
        }
        return -1;
    }
    if (at < end) {
        out->type = str_read(spec, at);
    }
    return out->grouping == 0 ? 0 : check_grouping(out);
}

void format_spec_unknown(Py_UCS4 type, const char *type_name)
{
    if (type > 32 && type < 128) {
        PyErr_Format(PyExc_ValueError, "Unknown format code '%c' for object of type '%.200s'",
                     (int)type, type_name);
    } else {
        PyErr_Format(PyExc_ValueError, "Unknown format code '\\x%x' for object of type '%.200s'",
                     (unsigned)type, type_name);
    }
}

int format_pad_left(str_writer *w, const struct format_spec *spec, Py_ssize_t length,
                    Py_ssize_t *right)
{
    Py_ssize_t fill = Py_MAX(spec->width - length, 0), left = 0;
    if (spec->align == '>') {
        left = fill;
    } else if (spec->align == '^') {
        left = fill / 2;
    }
    *right = fill - left;
    return str_writer_fill(w, spec->fill, left);
}
