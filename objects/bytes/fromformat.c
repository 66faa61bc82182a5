/* PyBytes_FromFormat, and escapes in bytes literals. */
#include "objects/bytes.h"

#include "objects/str/codec_escape.h"

#include <stdio.h>

/* ---- PyBytes_FromFormat ------------------------------------------------------------------------- */

/* One conversion at `p` (behind the '%'): returns where it ends, NULL on failure. */
static const char *write_conversion(struct bytes_writer *w, const char *p, va_list *list)
{
    const char *start = p - 1;
    Py_ssize_t precision = -1;
    char text[64];
    while (Py_ISDIGIT(*p)) { /* a width is read, but means nothing */
        p++;
    }
    if (*p == '.') {
        precision = 0;
        for (p++; Py_ISDIGIT(*p); p++) {
            if (precision > (PY_SSIZE_T_MAX - 9) / 10) {
                PyErr_SetString(PyExc_ValueError, "precision too big");
                return NULL;
            }
            precision = precision * 10 + (*p - '0');
        }
    }
    bool is_long = *p == 'l' && (p[1] == 'd' || p[1] == 'u');
    bool is_size = *p == 'z' && (p[1] == 'd' || p[1] == 'u');
    p += is_long || is_size;
    int length = 0;
    switch (*p) {
    case 'c': {
        int c = va_arg(*list, int);
        if (c < 0 || c > 255) {
            PyErr_SetString(
                PyExc_OverflowError,
                "PyBytes_FromFormatV(): %c format expects an integer in range [0; 255]");
            return NULL;
        }
        text[0] = (char)c;
        length = 1;
        break;
    }
    case 'd':
    case 'i':
        length = is_long   ? snprintf(text, sizeof text, "%ld", va_arg(*list, long))
                 : is_size ? snprintf(text, sizeof text, "%zd", va_arg(*list, Py_ssize_t))
                           : snprintf(text, sizeof text, "%d", va_arg(*list, int));
        break;
    case 'u':
        length = is_long   ? snprintf(text, sizeof text, "%lu", va_arg(*list, unsigned long))
                 : is_size ? snprintf(text, sizeof text, "%zu", va_arg(*list, size_t))
                           : snprintf(text, sizeof text, "%u", va_arg(*list, unsigned));
        break;
    case 'x':
        length = snprintf(text, sizeof text, "%x", va_arg(*list, unsigned));
        break;
    case 'p':
        length = snprintf(text, sizeof text, "0x%llx",
                          (unsigned long long)(uintptr_t)va_arg(*list, void *));
        break;
    case 's': {
        const char *s = va_arg(*list, const char *);
        size_t n = precision < 0 ? strlen(s) : strnlen(s, (size_t)precision);
        return bytes_writer_write(w, s, (Py_ssize_t)n) < 0 ? NULL : p + 1;
    }
    case '%':
        text[0] = '%';
        length = 1;
        break;
    default:
        /* Not a conversion: the rest is taken as it stands. */
        return bytes_writer_write(w, start, (Py_ssize_t)strlen(start)) < 0 ? NULL
                                                                           : start + strlen(start);
    }
    return bytes_writer_write(w, text, length) < 0 ? NULL : p + 1;
}

PyObject *PyBytes_FromFormatV(const char *format, va_list list)
{
    struct bytes_writer w;
    va_list copy;
    bytes_writer_init(&w);
    va_copy(copy, list);
    const char *p = format;
    while (p != NULL && *p != '\0') {
        const char *percent = strchrnul(p, '%');
        if (bytes_writer_write(&w, p, percent - p) < 0) {
            p = NULL;
        } else {
            p = *percent == '\0' ? percent : write_conversion(&w, percent + 1, &copy);
        }
    }
    va_end(copy);
    if (p == NULL) {
        bytes_writer_drop(&w);
        return NULL;
    }
    return bytes_writer_finish(&w);
}

PyObject *PyBytes_FromFormat(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    PyObject *result = PyBytes_FromFormatV(format, list);
    va_end(list);
    return result;
}

/* ---- Escapes ------------------------------------------------------------------------------------ */

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* \xNN; *p stands behind the 'x'.  -1 on failure. */
static int write_hex(struct bytes_writer *w, const char **p, const char *start, const char *end,
                     const char *errors)
{
    int high = *p < end ? hex_value(**p) : -1;
    int low = high >= 0 && *p + 1 < end ? hex_value((*p)[1]) : -1;
    if (low >= 0) {
        *p += 2;
        return bytes_writer_byte(w, (uint8_t)(high << 4 | low));
    }
    if (errors == NULL || strcmp(errors, "strict") == 0) {
        PyErr_Format(PyExc_ValueError, "invalid \\x escape at position %zd", *p - 2 - start);
        return -1;
    }
    *p += high >= 0; /* a lone digit goes with it */
    if (strcmp(errors, "replace") == 0) {
        return bytes_writer_byte(w, '?');
    }
    if (strcmp(errors, "ignore") == 0) {
        return 0;
    }
    PyErr_Format(PyExc_ValueError, "decoding error; unknown error handling code: %.400s", errors);
    return -1;
}

static int write_escape(struct bytes_writer *w, const char **p, const char *start, const char *end,
                        const char *errors, const char **first_invalid)
{
    static const char from[] = "\\'\"btnrafv", to[] = "\\'\"\b\t\n\r\a\f\v";
    char c = *(*p)++;
    const char *found = c == '\0' ? NULL : strchr(from, c);
    if (found != NULL) {
        return bytes_writer_byte(w, (uint8_t)to[found - from]);
    }
    if (c == '\n') {
        return 0;
    }
    if (c >= '0' && c <= '7') {
        int value = c - '0';
        for (int i = 0; i < 2 && *p < end && **p >= '0' && **p <= '7'; i++) {
            value = value << 3 | (*(*p)++ - '0');
        }
        if (value > 0xff && *first_invalid == NULL) {
            *first_invalid = *p - 3;
        }
        return bytes_writer_byte(w, (uint8_t)value);
    }
    if (c == 'x') {
        return write_hex(w, p, start, end, errors);
    }
    if (*first_invalid == NULL) {
        *first_invalid = *p - 1;
    }
    return bytes_writer_byte(w, '\\') < 0 ? -1 : bytes_writer_byte(w, (uint8_t)c);
}

PyObject *_PyBytes_DecodeEscape(const char *text, Py_ssize_t size, const char *errors,
                                const char **first_invalid)
{
    struct bytes_writer w;
    const char *p = text, *end = text + size;
    *first_invalid = NULL;
    if (size > PY_SSIZE_T_MAX - (Py_ssize_t)sizeof(PyBytesObject)) {
        PyErr_SetString(PyExc_OverflowError, "byte string is too large");
        return NULL;
    }
    bytes_writer_init(&w);
    while (p < end) {
        const char *backslash = memchr(p, '\\', (size_t)(end - p));
        const char *stop = backslash == NULL ? end : backslash;
        int failed = bytes_writer_write(&w, p, stop - p);
        p = stop;
        if (failed == 0 && p < end) {
            p++;
            if (p == end) {
                PyErr_SetString(PyExc_ValueError, "Trailing \\ in string");
                failed = -1;
            } else {
                failed = write_escape(&w, &p, text, end, errors, first_invalid);
            }
        }
        if (failed < 0) {
            bytes_writer_drop(&w);
            return NULL;
        }
    }
    return bytes_writer_finish(&w);
}

PyObject *PyBytes_DecodeEscape(const char *text, Py_ssize_t size, const char *errors,
                               Py_ssize_t Py_UNUSED(unicode), const char *Py_UNUSED(recode))
{
    const char *first_invalid;
    PyObject *result = _PyBytes_DecodeEscape(text, size, errors, &first_invalid);
    if (result != NULL && first_invalid != NULL && escape_warn(first_invalid) < 0) {
        Py_CLEAR(result);
    }
    return result;
}
