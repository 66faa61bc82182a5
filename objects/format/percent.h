/* What %-formatting of str and of bytes share: reading conversions, numbers. */
#ifndef KRAIT_OBJECTS_FORMAT_PERCENT_H
#define KRAIT_OBJECTS_FORMAT_PERCENT_H

#include "objects/str.h"

enum {
    PERCENT_LEFT = 1,  /* - */
    PERCENT_SIGN = 2,  /* + */
    PERCENT_BLANK = 4, /* space */
    PERCENT_ALT = 8,   /* # */
    PERCENT_ZERO = 16, /* 0 */
};

/* The letter of "%%"; a '%' behind flags is an unknown letter. */
#define PERCENT_LITERAL ((Py_UCS4)-1)

struct percent_conversion {
    unsigned flags;
    Py_ssize_t width;
    int precision; /* -1: none */
    Py_UCS4 letter;
    bool has_sign; /* of the value: a number */
};

/* The values on the right of the %. */
struct percent_args {
    PyObject *args, *dict; /* borrowed; dict: args as a mapping, or NULL */
    PyObject *current;     /* owned: the value of a mapping key */
    Py_ssize_t index, count;
};

void percent_args_init(struct percent_args *a, PyObject *args, bool exclude_bytes);
/* Borrowed, valid until the next call; NULL and TypeError if there are no more. */
PyObject *percent_next(struct percent_args *a);
/* -1 and TypeError if values are left. */
int percent_finish(struct percent_args *a, const char *what);

/* Reads characters of the format; returns 0 past the end. */
typedef Py_UCS4 (*percent_read)(const void *format, Py_ssize_t i);
/* Makes the mapping key of characters [start, end): new reference. */
typedef PyObject *(*percent_key)(const void *format, Py_ssize_t start, Py_ssize_t end);

/* Parses the conversion whose '%' stands before *at; -1 on error. */
int percent_parse(struct percent_conversion *c, struct percent_args *a, const void *format,
                  percent_read read, percent_key key, Py_ssize_t *at, Py_ssize_t end);

/* Text of an integer for d i u o x X, with sign and prefix: a new reference to ASCII str.  `value`
 * is any number. */
PyObject *percent_integer(PyObject *value, const struct percent_conversion *c);
/* Text of a float for e f g and their capitals: new reference to ASCII str. */
PyObject *percent_float(PyObject *value, const struct percent_conversion *c);

/* How to lay out `text` (ASCII number): sign, prefix, padding; calls back for each stretch. */
struct percent_layout {
    Py_UCS4 sign;      /* 0: none */
    Py_ssize_t prefix; /* characters of "0x" in front of the digits */
    Py_ssize_t skip;   /* characters of the text that were the sign */
    Py_ssize_t blanks_left, zeros, blanks_right;
};

void percent_layout_number(struct percent_layout *layout, PyObject *text,
                           const struct percent_conversion *c);

#endif
