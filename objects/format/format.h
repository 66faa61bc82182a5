/* What the files of objects/format/ share. */
#ifndef KRAIT_OBJECTS_FORMAT_FORMAT_H
#define KRAIT_OBJECTS_FORMAT_FORMAT_H

#include "objects/format/spec.h"

/* Writes format(value, spec[start:end]); `spec` may be NULL with start == end.  May run Python
 * code. */
int format_object(str_writer *w, PyObject *value, PyObject *spec, Py_ssize_t start, Py_ssize_t end);

/* str.format() and str.format_map(): new reference.  `kwargs` may be any mapping, or NULL. */
PyObject *template_format(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names);
PyObject *template_format_map(PyObject *self, PyObject *mapping);
/* Iterators of _string.formatter_parser() and the pair of formatter_field_name_split(). */
PyObject *template_parser(PyObject *self);
PyObject *template_field_name_split(PyObject *name);
extern PyTypeObject template_parser_type, template_field_type;

#endif
