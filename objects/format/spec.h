/* A parsed format specification: [[fill]align][sign][z][#][0][width][grouping][.precision][type] */
#ifndef KRAIT_OBJECTS_FORMAT_SPEC_H
#define KRAIT_OBJECTS_FORMAT_SPEC_H

#include "objects/str.h"

struct format_spec {
    Py_UCS4 fill;
    char align; /* < > = ^ */
    char sign;  /* '-', '+', ' ' or 0 */
    bool no_negative_zero, alternate;
    bool fill_given, align_given;
    Py_ssize_t width;     /* -1: none */
    char grouping;        /* ',', '_', 'n' for the locale's, or 0 */
    Py_ssize_t precision; /* -1: none */
    Py_UCS4 type;
};

/* Parses spec[start:end].  -1 and ValueError; `type_name` is for the message. */
int format_spec_parse(struct format_spec *out, PyObject *spec, Py_ssize_t start, Py_ssize_t end,
                      Py_UCS4 default_type, char default_align, const char *type_name);

/* ValueError: the type does not know this letter. */
void format_spec_unknown(Py_UCS4 type, const char *type_name);

/* Writes the padding before (and returns in *right that after) `length` characters.  -1 on error. */
int format_pad_left(str_writer *w, const struct format_spec *spec, Py_ssize_t length,
                    Py_ssize_t *right);

/* A decimal number of spec[*at:end]: how many digits were read, -1 and ValueError if it is too big. */
int format_read_number(PyObject *spec, Py_ssize_t *at, Py_ssize_t end, Py_ssize_t *value);

#endif
