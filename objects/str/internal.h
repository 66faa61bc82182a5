/* What the files of objects/str/ share and nobody else needs. */
#ifndef KRAIT_OBJECTS_STR_INTERNAL_H
#define KRAIT_OBJECTS_STR_INTERNAL_H

#include "objects/str.h"
#include "objects/str/copy.h"

#include "objects/unicode_data/unicode_data.h"

/* TypeError and -1 unless `s` is a str: the check of every C API function. */
static inline int str_check_argument(PyObject *s)
{
    if (PyUnicode_Check(s)) {
        return 0;
    }
    PyErr_BadArgument();
    return -1;
}

/* 0, or -1 and TypeError "must be str, not X". */
int str_require(PyObject *s);

/* New references to the results of str's methods; arguments as in Python, and
 * every `s` is a str.  The bindings call them. */
PyObject *str_upper(PyObject *s);
PyObject *str_lower(PyObject *s);
PyObject *str_title(PyObject *s);
PyObject *str_casefold(PyObject *s);
PyObject *str_swapcase(PyObject *s);
PyObject *str_capitalize(PyObject *s);

enum strip_side { STRIP_LEFT = 1, STRIP_RIGHT = 2, STRIP_BOTH = 3 };
PyObject *str_strip(PyObject *s, PyObject *chars, enum strip_side side); /* chars: str or NULL */

PyObject *str_split(PyObject *s, PyObject *separator, Py_ssize_t limit);
PyObject *str_rsplit(PyObject *s, PyObject *separator, Py_ssize_t limit);
PyObject *str_splitlines(PyObject *s, bool keep_ends);
PyObject *str_partition(PyObject *s, PyObject *separator);
PyObject *str_rpartition(PyObject *s, PyObject *separator);
PyObject *str_join_iterable(PyObject *separator, PyObject *iterable); /* runs Python code */

/* May run Python code: the table's __getitem__. */
PyObject *str_translate(PyObject *s, PyObject *table);
PyObject *str_repr(PyObject *s);
PyObject *str_ascii_repr(PyObject *s);
void str_data_fill(int kind, void *data, Py_ssize_t start, Py_ssize_t count, Py_UCS4 ch);
PyObject *str_pad(PyObject *s, Py_ssize_t left, Py_ssize_t right, Py_UCS4 fill);

/* An instance of `type` (a subclass of str) with the characters of `s`. */
PyObject *str_subtype_new(PyTypeObject *type, PyObject *s);
void str_dealloc(PyObject *s);
void str_intern_forget(PyObject *s);

/* Steals `s` (may be NULL), which may be wider than its characters need. */
PyObject *str_narrow(PyObject *s);

/* Can the string be changed in place?  Only while its maker alone knows it. */
bool str_is_private(PyObject *s);

/* Slots of the type (type.c). */
PyObject *str_richcompare(PyObject *a, PyObject *b, int op);
PyObject *str_subscript(PyObject *s, PyObject *index);
PyObject *str_item(PyObject *s, Py_ssize_t index);
PyObject *str_iter(PyObject *s);
PyObject *str_modulo(PyObject *format, PyObject *args);

#endif
