/* Methods of str that only its bindings call. */
#ifndef KRAIT_OBJECTS_STR_METHODS_H
#define KRAIT_OBJECTS_STR_METHODS_H

#include "objects/str/internal.h"

int str_fill_char(PyObject *fill, Py_UCS4 *ch);
PyObject *str_center(PyObject *s, Py_ssize_t width, Py_UCS4 fill);
PyObject *str_ljust(PyObject *s, Py_ssize_t width, Py_UCS4 fill);
PyObject *str_rjust(PyObject *s, Py_ssize_t width, Py_UCS4 fill);
PyObject *str_zfill(PyObject *s, Py_ssize_t width);
PyObject *str_expandtabs(PyObject *s, int tab_size);
PyObject *str_removeprefix(PyObject *s, PyObject *prefix);
PyObject *str_removesuffix(PyObject *s, PyObject *suffix);
int str_has_end(PyObject *s, PyObject *ends, Py_ssize_t start, Py_ssize_t end, bool suffix);
Py_ssize_t str_index(PyObject *s, PyObject *sub, Py_ssize_t start, Py_ssize_t end, bool from_right);
int str_separator(PyObject *argument, PyObject **separator);
PyObject *str_strip_arg(PyObject *s, PyObject *chars, enum strip_side side);
PyObject *str_sizeof(PyObject *s);
PyObject *str_getnewargs(PyObject *s);
PyObject *_PyUnicode_Copy(PyObject *s);
PyObject *str_maketrans(PyObject *x, PyObject *y, PyObject *z);

#endif
