/* What %-formatting of str and of bytes share. */
#include "objects/format/percent.h"

#include <limits.h>

/* ---- Values ------------------------------------------------------------------------------------- */

void percent_args_init(struct percent_args *a, PyObject *args, bool for_bytes)
{
    *a = (struct percent_args){.args = args, .count = -1, .index = -2};
    if (PyTuple_Check(args)) {
        a->count = PyTuple_GET_SIZE(args);
        a->index = 0;
    } else if (PyMapping_Check(args) && !PyUnicode_Check(args)
               && !(for_bytes && (PyBytes_Check(args) || PyByteArray_Check(args)))) {
        a->dict = args;
    }
}

PyObject *percent_next(struct percent_args *a)
{
    if (a->count >= 0 && a->index < a->count) {
        return PyTuple_GET_ITEM(a->args, a->index++);
    }
    if (a->count < 0 && a->index == -2) {
        a->index = -1; /* a single value is used once */
        return a->current != NULL ? a->current : a->args;
    }
    PyErr_SetString(PyExc_TypeError, "not enough arguments for format string");
    return NULL;
}

int percent_finish(struct percent_args *a, const char *what)
{
    Py_CLEAR(a->current);
    if (a->dict == NULL && (a->count >= 0 ? a->index < a->count : a->index == -2)) {
        PyErr_Format(PyExc_TypeError, "not all arguments converted during %s formatting", what);
        return -1;
    }
    return 0;
}

/* ---- Conversions ---------------------------------------------------------------------------------- */

static int refuse(const char *message)
{
    PyErr_SetString(PyExc_ValueError, message);
    return -1;
}

/* %(key): *at stands behind the '('. */
static int parse_key(struct percent_args *a, const void *format, percent_read read, percent_key key,
                     Py_ssize_t *at, Py_ssize_t end)
{
    if (a->dict == NULL) {
        PyErr_SetString(PyExc_TypeError, "format requires a mapping");
        return -1;
    }
    Py_ssize_t start = *at;
    int depth = 1;
    while (depth > 0 && *at < end) {
        Py_UCS4 c = read(format, (*at)++);
        depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    }
    if (depth > 0) {
        return refuse("incomplete format key");
    }
    PyObject *name = key(format, start, *at - 1);
    if (name == NULL) {
        return -1;
    }
    Py_XSETREF(a->current, PyObject_GetItem(a->dict, name));
    Py_DECREF(name);
    a->index = -2;
    return a->current == NULL ? -1 : 0;
}

/* A '*': the next value, which must be an int. */
static PyObject *star_value(struct percent_args *a)
{
    PyObject *value = percent_next(a);
    if (value != NULL && !PyLong_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "* wants int");
        return NULL;
    }
    return value;
}

static int parse_width(struct percent_conversion *c, struct percent_args *a, const void *format,
                       percent_read read, Py_ssize_t *at, Py_ssize_t end)
{
    Py_UCS4 ch = *at < end ? read(format, *at) : 0;
    if (ch == '*') {
        ++*at;
        PyObject *value = star_value(a);
        if (value == NULL) {
            return -1;
        }
        c->width = PyLong_AsSsize_t(value);
        if (c->width == -1 && PyErr_Occurred()) {
            return -1;
        }
        if (c->width < 0) {
            c->flags |= PERCENT_LEFT;
            c->width = -c->width;
        }
        return 0;
    }
    for (; ch >= '0' && ch <= '9'; ch = ++*at < end ? read(format, *at) : 0) {
        int digit = (int)(ch - '0');
        if (c->width > (PY_SSIZE_T_MAX - digit) / 10) {
            return refuse("width too big");
        }
        c->width = c->width * 10 + digit;
    }
    return 0;
}

static int parse_precision(struct percent_conversion *c, struct percent_args *a, const void *format,
                           percent_read read, Py_ssize_t *at, Py_ssize_t end)
{
    if (*at >= end || read(format, *at) != '.') {
        return 0;
    }
    Py_UCS4 ch = ++*at < end ? read(format, *at) : 0;
    c->precision = 0;
    if (ch == '*') {
        ++*at;
        PyObject *value = star_value(a);
        if (value == NULL) {
            return -1;
        }
        c->precision = PyLong_AsInt(value);
        if (c->precision == -1 && PyErr_Occurred()) {
            return -1;
        }
        c->precision = Py_MAX(c->precision, 0);
        return 0;
    }
    for (; ch >= '0' && ch <= '9'; ch = ++*at < end ? read(format, *at) : 0) {
        int digit = (int)(ch - '0');
        if (c->precision > (INT_MAX - digit) / 10) {
            return refuse("precision too big");
        }
        c->precision = c->precision * 10 + digit;
    }
    return 0;
}

int percent_parse(struct percent_conversion *c, struct percent_args *a, const void *format,
                  percent_read read, percent_key key, Py_ssize_t *at, Py_ssize_t end)
{
    *c = (struct percent_conversion){.precision = -1};
    Py_UCS4 first = *at < end ? read(format, *at) : 0;
    if (first == '%') {
        c->letter = PERCENT_LITERAL;
        ++*at;
        return 0;
    }
    if (first == 's' || first == 'd' || first == 'r') { /* nothing between: what is usual */
        c->letter = first;
        ++*at;
        return 0;
    }
    if (first == '(') {
        ++*at;
        if (parse_key(a, format, read, key, at, end) < 0) {
            return -1;
        }
    }
    for (; *at < end; ++*at) {
        Py_UCS4 ch = read(format, *at);
        unsigned flag = ch == '-'   ? PERCENT_LEFT
                        : ch == '+' ? PERCENT_SIGN
                        : ch == ' ' ? PERCENT_BLANK
                        : ch == '#' ? PERCENT_ALT
                        : ch == '0' ? PERCENT_ZERO
                                    : 0;
        if (flag == 0) {
            break;
        }
        c->flags |= flag;
    }
    if (parse_width(c, a, format, read, at, end) < 0
        || parse_precision(c, a, format, read, at, end) < 0) {
        return -1;
    }
    if (*at < end) {
        Py_UCS4 ch = read(format, *at);
        *at += ch == 'h' || ch == 'l' || ch == 'L'; /* C's sizes mean nothing here */
    }
    if (*at >= end) {
        return refuse("incomplete format");
    }
    c->letter = read(format, (*at)++);
    return 0;
}

/* ---- Numbers ---------------------------------------------------------------------------------------- */

static void wants_number(PyObject *value, const struct percent_conversion *c, bool integer)
{
    PyErr_Format(PyExc_TypeError,
                 integer ? "%%%c format: an integer is required, not %.200s"
                         : "%%%c format: a real number is required, not %.200s",
                 (int)c->letter, Py_TYPE(value)->tp_name);
}

/* The value as int: new reference. */
static PyObject *integer_of(PyObject *value, const struct percent_conversion *c)
{
    bool integer = c->letter == 'o' || (c->letter | 32) == 'x';
    if (PyLong_Check(value)) {
        return Py_NewRef(value);
    }
    PyObject *number = NULL;
    if (PyNumber_Check(value)) {
        number = integer ? PyNumber_Index(value) : PyNumber_Long(value);
        if (number == NULL && !PyErr_ExceptionMatches(PyExc_TypeError)) {
            return NULL;
        }
    }
    if (number == NULL) {
        PyErr_Clear();
        wants_number(value, c, integer);
    }
    return number;
}

/* At least `precision` digits: zeros go between the sign or prefix and the digits. */
static PyObject *with_precision(PyObject *text, Py_ssize_t head, Py_ssize_t precision)
{
    Py_ssize_t zeros = precision - (str_len(text) - head);
    if (zeros <= 0) {
        return text;
    }
    str_writer w;
    str_writer_init(&w);
    int failed = str_writer_substring(&w, text, 0, head) < 0 || str_writer_fill(&w, '0', zeros) < 0
                 || str_writer_substring(&w, text, head, str_len(text)) < 0;
    Py_DECREF(text);
    if (failed) {
        str_writer_drop(&w);
        return NULL;
    }
    return str_writer_finish(&w);
}

PyObject *percent_integer(PyObject *value, const struct percent_conversion *c)
{
    PyObject *number = integer_of(value, c);
    if (number == NULL) {
        return NULL;
    }
    int base = c->letter == 'o' ? 8 : (c->letter | 32) == 'x' ? 16 : 10;
    PyObject *text = PyNumber_ToBase(number, base);
    Py_DECREF(number);
    if (text == NULL) {
        return NULL;
    }
    bool negative = str_read(text, 0) == '-';
    Py_ssize_t head = negative + (base == 10 ? 0 : 2);
    if (base != 10 && !(c->flags & PERCENT_ALT)) {
        /* Take the prefix out. */
        PyObject *digits = str_substring(text, head, str_len(text));
        Py_SETREF(text, digits == NULL ? NULL
                                       : PyUnicode_FromFormat("%s%U", negative ? "-" : "", digits));
        Py_XDECREF(digits);
        head = negative;
    }
    if (text != NULL) {
        text = with_precision(text, head, c->precision);
    }
    if (text != NULL && c->letter == 'X') {
        PyObject *upper = PyUnicode_New(str_len(text), 127);
        for (Py_ssize_t i = 0; upper != NULL && i < str_len(text); i++) {
            str_data_write(1, str_data(upper), i, Py_TOUPPER(str_read(text, i)));
        }
        Py_SETREF(text, upper);
    }
    return text;
}

PyObject *percent_float(PyObject *value, const struct percent_conversion *c)
{
    double number = PyFloat_AsDouble(value);
    if (number == -1.0 && PyErr_Occurred()) {
        return NULL;
    }
    char *text = PyOS_double_to_string(number, (char)c->letter, c->precision < 0 ? 6 : c->precision,
                                       c->flags & PERCENT_ALT ? Py_DTSF_ALT : 0, NULL);
    if (text == NULL) {
        return NULL;
    }
    PyObject *result = str_from_ascii(text, (Py_ssize_t)strlen(text));
    PyMem_Free(text);
    return result;
}

void percent_layout_number(struct percent_layout *layout, PyObject *text,
                           const struct percent_conversion *c)
{
    *layout = (struct percent_layout){0};
    Py_UCS4 first = str_read(text, 0);
    if (first == '-' || first == '+') {
        layout->sign = first;
        layout->skip = 1;
    } else if (c->flags & PERCENT_SIGN) {
        layout->sign = '+';
    } else if (c->flags & PERCENT_BLANK) {
        layout->sign = ' ';
    }
    bool based = c->letter == 'o' || (c->letter | 32) == 'x';
    layout->prefix = based && (c->flags & PERCENT_ALT) ? 2 : 0;
    Py_ssize_t length = str_len(text) - layout->skip + (layout->sign != 0);
    Py_ssize_t fill = Py_MAX(c->width - length, 0);
    if (c->flags & PERCENT_LEFT) {
        layout->blanks_right = fill;
    } else if (c->flags & PERCENT_ZERO) {
        layout->zeros = fill;
    } else {
        layout->blanks_left = fill;
    }
}
