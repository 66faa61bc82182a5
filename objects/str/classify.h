/* Questions about all characters of a string. */
#ifndef KRAIT_OBJECTS_STR_CLASSIFY_H
#define KRAIT_OBJECTS_STR_CLASSIFY_H

#include "objects/str/internal.h"

bool str_is_alpha(PyObject *s);
bool str_is_alnum(PyObject *s);
bool str_is_decimal(PyObject *s);
bool str_is_digit(PyObject *s);
bool str_is_numeric(PyObject *s);
bool str_is_space(PyObject *s);
bool str_is_printable(PyObject *s);
bool str_is_lower(PyObject *s);
bool str_is_upper(PyObject *s);
bool str_is_title(PyObject *s);

/* Length of the identifier at the start of `s`. */
Py_ssize_t _PyUnicode_ScanIdentifier(PyObject *s);

#endif
