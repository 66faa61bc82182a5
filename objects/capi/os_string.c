/* PyOS_*: formatting and number parsing that do not depend on the locale's surprises. */
#include "objects/capi/capi.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- formatting ------------------------------------------------------------------------------ */

/* As C's vsnprintf, but the result always ends with a zero byte, and a size that no int can tell
 * is an error (-666). */
int PyOS_vsnprintf(char *text, size_t size, const char *format, va_list va)
{
    if (size > INT_MAX - 1) {
        text[size - 1] = '\0';
        return -666;
    }
    int length = vsnprintf(text, size, format, va);
    if (size > 0) {
        text[size - 1] = '\0';
    }
    return length;
}

int PyOS_snprintf(char *text, size_t size, const char *format, ...)
{
    va_list va;
    va_start(va, format);
    int length = PyOS_vsnprintf(text, size, format, va);
    va_end(va);
    return length;
}

/* ---- comparison without case ----------------------------------------------------------------- */

int PyOS_mystrnicmp(const char *a, const char *b, Py_ssize_t size)
{
    for (; size > 0; size--, a++, b++) {
        int difference = Py_TOLOWER(*a) - Py_TOLOWER(*b);
        if (difference || !*a) {
            return difference;
        }
    }
    return 0;
}

int PyOS_mystricmp(const char *a, const char *b)
{
    return PyOS_mystrnicmp(a, b, PY_SSIZE_T_MAX);
}

/* ---- integers -------------------------------------------------------------------------------- */

static unsigned digit_value(char c)
{
    if (Py_ISDIGIT(c)) {
        return (unsigned)(c - '0');
    }
    return Py_ISALPHA(c) ? (unsigned)(Py_TOLOWER(c) - 'a' + 10) : 37;
}

/* The base that the letter of a prefix stands for, or 0. */
static int prefix_base(char letter)
{
    switch (letter) {
    case 'b':
    case 'B':
        return 2;
    case 'o':
    case 'O':
        return 8;
    case 'x':
    case 'X':
        return 16;
    default:
        return 0;
    }
}

/* Skips 0b, 0o or 0x where the base allows it, and finds the base if it is 0. False if the number
 * is complete: it is 0, and ends at *text. */
static bool skip_prefix(const char **text, int *base)
{
    const char *s = *text;
    if (*s != '0') {
        *base = *base ? *base : 10;
        return true;
    }
    int named = prefix_base(s[1]);
    if (named && (*base == 0 || *base == named)) {
        if (digit_value(s[2]) >= (unsigned)named) {
            *text = s + 1; /* "0x" and no digit */
            return false;
        }
        *text = s + 2;
        *base = named;
        return true;
    }
    if (*base != 0) {
        return true;
    }
    while (*s == '0') {
        s++;
    }
    while (Py_ISSPACE(*s)) {
        s++;
    }
    *text = s;
    return false;
}

/* Like strtoul: ULONG_MAX and ERANGE if too large, 0 and *end = text if there is no number. */
unsigned long PyOS_strtoul(const char *text, char **end, int base)
{
    unsigned long result = 0;
    bool overflow = false;
    while (*text && Py_ISSPACE(*text)) {
        text++;
    }
    if (base != 0 && (base < 2 || base > 36)) {
        if (end) {
            *end = (char *)text;
        }
        return 0;
    }
    if (skip_prefix(&text, &base)) {
        for (unsigned digit; (digit = digit_value(*text)) < (unsigned)base; text++) {
            overflow |= __builtin_mul_overflow(result, (unsigned long)base, &result);
            overflow |= __builtin_add_overflow(result, (unsigned long)digit, &result);
        }
    }
    if (end) {
        *end = (char *)text;
    }
    if (overflow) {
        errno = ERANGE;
        return ULONG_MAX;
    }
    return result;
}

long PyOS_strtol(const char *text, char **end, int base)
{
    while (*text && Py_ISSPACE(*text)) {
        text++;
    }
    char sign = *text;
    if (sign == '+' || sign == '-') {
        text++;
    }
    unsigned long magnitude = PyOS_strtoul(text, end, base);
    if (magnitude <= (unsigned long)LONG_MAX) {
        return sign == '-' ? -(long)magnitude : (long)magnitude;
    }
    if (sign == '-' && magnitude == (unsigned long)LONG_MAX + 1) {
        return LONG_MIN;
    }
    errno = ERANGE;
    return LONG_MAX;
}
