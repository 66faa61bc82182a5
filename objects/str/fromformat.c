/* PyUnicode_FromFormat: printf for strings and objects. */
#include "objects/str/internal.h"

#include <stdio.h>
#include <wchar.h>

/* One conversion: %[flags][width][.precision][length]letter */
struct conversion {
    bool left, zero, alternate;
    Py_ssize_t width, precision; /* -1: not given */
    char length;                 /* 0, 'l', 'q' for ll, 'z', 't', 'j' */
    char letter;
};

/* The arguments, passed by address so that functions share their position. */
struct arguments {
    va_list list;
};

/* ---- Reading a conversion --------------------------------------------------------------------- */

static int read_number(const char **p, Py_ssize_t *value, const char *what)
{
    *value = 0;
    for (; Py_ISDIGIT(**p); (*p)++) {
        int digit = **p - '0';
        if (*value > (PY_SSIZE_T_MAX - digit) / 10) {
            PyErr_Format(PyExc_ValueError, "%s too big", what);
            return -1;
        }
        *value = *value * 10 + digit;
    }
    return 0;
}

/* `p` stands behind the '%'.  NULL on failure. */
static const char *read_conversion(const char *p, struct conversion *c, struct arguments *args)
{
    const char *start = p;
    *c = (struct conversion){.width = -1, .precision = -1};
    for (;; p++) {
        if (*p == '-') {
            c->left = true;
        } else if (*p == '0') {
            c->zero = true;
        } else if (*p == '#') {
            c->alternate = true;
        } else {
            break;
        }
    }
    if (*p == '*') {
        p++;
        c->width = va_arg(args->list, int);
        if (c->width < 0) {
            c->left = true;
            c->width = -c->width;
        }
    } else if (Py_ISDIGIT(*p) && read_number(&p, &c->width, "width") < 0) {
        return NULL;
    }
    if (*p == '.') {
        p++;
        if (*p == '*') {
            p++;
            c->precision = va_arg(args->list, int);
            c->precision = c->precision < 0 ? -2 : c->precision;
        } else if (read_number(&p, &c->precision, "precision") < 0) {
            return NULL;
        }
    }
    if (*p == 'l') {
        p++;
        c->length = 'l';
        if (*p == 'l') {
            p++;
            c->length = 'q';
        }
    } else if (*p == 'z' || *p == 't' || *p == 'j') {
        c->length = *p++;
    }
    c->letter = *p;
    if (*p == '\0') {
        PyErr_Format(PyExc_SystemError, "invalid format string: %%%s", start);
        return NULL;
    }
    return p + 1;
}

/* ---- Writing -------------------------------------------------------------------------------- */

/* `text` cut to the precision and padded to the width. */
static int write_padded(str_writer *w, const struct conversion *c, PyObject *text)
{
    Py_ssize_t length = str_len(text);
    if (c->precision >= 0) {
        length = Py_MIN(length, c->precision);
    }
    Py_ssize_t fill = Py_MAX(c->width - length, 0);
    if (!c->left && str_writer_fill(w, ' ', fill) < 0) {
        return -1;
    }
    if (str_writer_substring(w, text, 0, length) < 0) {
        return -1;
    }
    return c->left ? str_writer_fill(w, ' ', fill) : 0;
}

static int write_and_release(str_writer *w, const struct conversion *c, PyObject *text)
{
    if (text == NULL) {
        return -1;
    }
    int result = write_padded(w, c, text);
    Py_DECREF(text);
    return result;
}

/* UTF-8; the precision counts bytes. */
static int write_utf8(str_writer *w, const struct conversion *c, const char *text)
{
    Py_ssize_t size, used;
    struct conversion padded = *c;
    bool cut = false;
    if (c->precision < 0) {
        size = (Py_ssize_t)strlen(text);
    } else {
        size = (Py_ssize_t)strnlen(text, (size_t)c->precision);
        cut = size == c->precision && text[size] != '\0';
    }
    padded.precision = -1;
    /* A character that the precision cuts off at the end is left out. */
    return write_and_release(
        w, &padded, PyUnicode_DecodeUTF8Stateful(text, size, "replace", cut ? &used : NULL));
}

static int write_wide(str_writer *w, const struct conversion *c, const wchar_t *text)
{
    struct conversion padded = *c;
    size_t size = c->precision < 0 ? wcslen(text) : wcsnlen(text, (size_t)c->precision);
    padded.precision = -1;
    return write_and_release(w, &padded, PyUnicode_FromWideChar(text, (Py_ssize_t)size));
}

static int write_integer(str_writer *w, const struct conversion *c, struct arguments *args)
{
    bool is_signed = c->letter == 'd' || c->letter == 'i';
    unsigned long long value;
    switch (c->length) {
    case 'l':
        value = is_signed ? (unsigned long long)va_arg(args->list, long)
                          : va_arg(args->list, unsigned long);
        break;
    case 'q':
    case 'j':
        value = va_arg(args->list, unsigned long long);
        break;
    case 'z':
    case 't':
        value = (unsigned long long)va_arg(args->list, Py_ssize_t);
        break;
    default:
        value = is_signed ? (unsigned long long)va_arg(args->list, int)
                          : va_arg(args->list, unsigned int);
    }
    bool negative = is_signed && (long long)value < 0;
    char digits[32];
    char *end = digits + sizeof digits, *p = end;
    unsigned base = c->letter == 'x' || c->letter == 'X' ? 16 : c->letter == 'o' ? 8 : 10;
    const char *set = c->letter == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    for (value = negative ? 0 - value : value; value != 0 || p == end; value /= base) {
        *--p = set[value % base];
    }
    Py_ssize_t length = end - p, zeros = Py_MAX(c->precision - length, 0);
    Py_ssize_t fill = Py_MAX(c->width - length - zeros - negative, 0);
    if (c->zero && !c->left) {
        zeros += fill;
        fill = 0;
    }
    if ((!c->left && str_writer_fill(w, ' ', fill) < 0) || (negative && str_writer_char(w, '-') < 0)
        || str_writer_fill(w, '0', zeros) < 0 || str_writer_ascii(w, p, length) < 0) {
        return -1;
    }
    return c->left ? str_writer_fill(w, ' ', fill) : 0;
}

static int write_pointer(str_writer *w, const struct conversion *c, void *pointer)
{
    char text[32];
    struct conversion padded = *c;
    snprintf(text, sizeof text, "0x%llx", (unsigned long long)(uintptr_t)pointer);
    padded.precision = -1;
    return write_and_release(w, &padded, str_from_ascii(text, (Py_ssize_t)strlen(text)));
}

static int write_char(str_writer *w, const struct conversion *c, int ordinal)
{
    if (ordinal < 0 || ordinal > (int)STR_MAX_CODE_POINT) {
        PyErr_SetString(PyExc_OverflowError, "character argument not in range(0x110000)");
        return -1;
    }
    struct conversion padded = *c;
    padded.precision = -1;
    return write_and_release(w, &padded, str_from_char((Py_UCS4)ordinal));
}

/* The full name of a type; with `alternate` the module is set off by a colon. */
static int write_type_name(str_writer *w, const struct conversion *c, PyTypeObject *type)
{
    PyObject *full = PyType_GetFullyQualifiedName(type);
    if (full == NULL || !c->alternate) {
        return write_and_release(w, c, full);
    }
    PyObject *name = PyType_GetQualName(type), *text = NULL;
    if (name != NULL) {
        Py_ssize_t dot = str_len(full) - str_len(name) - 1;
        text = Py_NewRef(full);
        if (dot > 0 && str_read(full, dot) == '.') {
            PyObject *module = PyUnicode_Substring(full, 0, dot);
            Py_SETREF(text, module == NULL ? NULL : PyUnicode_FromFormat("%U:%U", module, name));
            Py_XDECREF(module);
        }
    }
    Py_XDECREF(name);
    Py_DECREF(full);
    return write_and_release(w, c, text);
}

static int write_conversion(str_writer *w, const struct conversion *c, struct arguments *args,
                            const char *start)
{
    PyObject *object;
    const void *text;
    switch (c->letter) {
    case '%':
        if (start[1] == '%') {
            return str_writer_char(w, '%');
        }
        break;
    case 'c':
        return write_char(w, c, va_arg(args->list, int));
    case 'd':
    case 'i':
    case 'u':
    case 'o':
    case 'x':
    case 'X':
        return write_integer(w, c, args);
    case 'p':
        return write_pointer(w, c, va_arg(args->list, void *));
    case 's':
        text = va_arg(args->list, const void *);
        return c->length == 'l' ? write_wide(w, c, text) : write_utf8(w, c, text);
    case 'U':
        return write_padded(w, c, va_arg(args->list, PyObject *));
    case 'V':
        object = va_arg(args->list, PyObject *);
        text = va_arg(args->list, const void *);
        return object != NULL     ? write_padded(w, c, object)
               : c->length == 'l' ? write_wide(w, c, text)
                                  : write_utf8(w, c, text);
    case 'S':
        return write_and_release(w, c, PyObject_Str(va_arg(args->list, PyObject *)));
    case 'R':
        return write_and_release(w, c, PyObject_Repr(va_arg(args->list, PyObject *)));
    case 'A':
        return write_and_release(w, c, PyObject_ASCII(va_arg(args->list, PyObject *)));
    case 'T':
        return write_type_name(w, c, Py_TYPE(va_arg(args->list, PyObject *)));
    case 'N':
        object = va_arg(args->list, PyObject *);
        if (!PyType_Check(object)) {
            PyErr_SetString(PyExc_TypeError, "%N argument must be a type");
            return -1;
        }
        return write_type_name(w, c, (PyTypeObject *)object);
    }
    PyErr_Format(PyExc_SystemError, "invalid format string: %s", start);
    return -1;
}

static int write_format(str_writer *w, const char *format, struct arguments *args)
{
    const char *p = format;
    while (*p != '\0') {
        const char *run = p;
        for (; *p != '\0' && *p != '%'; p++) {
            if ((uint8_t)*p > 127) {
                PyErr_Format(PyExc_ValueError,
                             "PyUnicode_FromFormatV() expects an ASCII-encoded format string, "
                             "got a non-ASCII byte: 0x%02x",
                             (unsigned)(uint8_t)*p);
                return -1;
            }
        }
        if (str_writer_ascii(w, run, p - run) < 0) {
            return -1;
        }
        if (*p == '%') {
            struct conversion c;
            const char *start = p;
            p = read_conversion(p + 1, &c, args);
            if (p == NULL || write_conversion(w, &c, args, start) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

PyObject *PyUnicode_FromFormatV(const char *format, va_list list)
{
    str_writer w;
    struct arguments args;
    str_writer_init(&w);
    va_copy(args.list, list);
    int failed = write_format(&w, format, &args);
    va_end(args.list);
    if (failed < 0) {
        str_writer_drop(&w);
        return NULL;
    }
    return str_writer_finish(&w);
}

PyObject *PyUnicode_FromFormat(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    PyObject *result = PyUnicode_FromFormatV(format, list);
    va_end(list);
    return result;
}

int str_writer_format(str_writer *w, const char *format, ...)
{
    struct arguments args;
    va_start(args.list, format);
    int result = write_format(w, format, &args);
    va_end(args.list);
    return result;
}
