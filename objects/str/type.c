/* The types str and str_iterator. */
#include "objects/codecs.h"
#include "objects/format/format.h"
#include "objects/str/classify.h"
#include "objects/str/methods.h"
#include "objects/str/object.h"

static bool strm_fill(PyObject *argument, Py_UCS4 *ch)
{
    return str_fill_char(argument, ch) == 0;
}

#include "str.bind.h"

/* ---- Methods ---------------------------------------------------------------------------------- */

#define TO_STR(name)                                                                               \
    static PyObject *strm_##name(PyObject *self)                                                   \
    {                                                                                              \
        return str_##name(self);                                                                   \
    }
TO_STR(upper)
TO_STR(lower)
TO_STR(title)
TO_STR(casefold)
TO_STR(swapcase)
TO_STR(capitalize)
TO_STR(sizeof)
TO_STR(getnewargs)

#define TO_BOOL(name, function)                                                                    \
    static int strm_##name(PyObject *self)                                                         \
    {                                                                                              \
        return function(self);                                                                     \
    }
TO_BOOL(isascii, str_is_ascii)
TO_BOOL(islower, str_is_lower)
TO_BOOL(isupper, str_is_upper)
TO_BOOL(istitle, str_is_title)
TO_BOOL(isspace, str_is_space)
TO_BOOL(isdecimal, str_is_decimal)
TO_BOOL(isdigit, str_is_digit)
TO_BOOL(isnumeric, str_is_numeric)
TO_BOOL(isalpha, str_is_alpha)
TO_BOOL(isalnum, str_is_alnum)
TO_BOOL(isidentifier, str_is_identifier)
TO_BOOL(isprintable, str_is_printable)

static PyObject *strm_encode(PyObject *self, const char *encoding, const char *errors)
{
    return PyUnicode_AsEncodedString(self, encoding, errors);
}

static PyObject *strm_replace(PyObject *self, PyObject *old, PyObject *new, Py_ssize_t count)
{
    return str_replace(self, old, new, count);
}

static PyObject *strm_split(PyObject *self, PyObject *sep, Py_ssize_t maxsplit)
{
    return str_separator(sep, &sep) < 0 ? NULL : str_split(self, sep, maxsplit);
}

static PyObject *strm_rsplit(PyObject *self, PyObject *sep, Py_ssize_t maxsplit)
{
    return str_separator(sep, &sep) < 0 ? NULL : str_rsplit(self, sep, maxsplit);
}

static PyObject *strm_join(PyObject *self, PyObject *iterable)
{
    return str_join_iterable(self, iterable);
}

static PyObject *strm_center(PyObject *self, Py_ssize_t width, Py_UCS4 fillchar)
{
    return str_center(self, width, fillchar);
}

static PyObject *strm_ljust(PyObject *self, Py_ssize_t width, Py_UCS4 fillchar)
{
    return str_ljust(self, width, fillchar);
}

static PyObject *strm_rjust(PyObject *self, Py_ssize_t width, Py_UCS4 fillchar)
{
    return str_rjust(self, width, fillchar);
}

static PyObject *strm_count(PyObject *self, PyObject *sub, Py_ssize_t start, Py_ssize_t end)
{
    return PyLong_FromSsize_t(str_count(self, sub, start, end));
}

static PyObject *strm_find(PyObject *self, PyObject *sub, Py_ssize_t start, Py_ssize_t end)
{
    return PyLong_FromSsize_t(str_find(self, sub, start, end));
}

static PyObject *strm_rfind(PyObject *self, PyObject *sub, Py_ssize_t start, Py_ssize_t end)
{
    return PyLong_FromSsize_t(str_rfind(self, sub, start, end));
}

static PyObject *strm_index(PyObject *self, PyObject *sub, Py_ssize_t start, Py_ssize_t end)
{
    Py_ssize_t found = str_index(self, sub, start, end, false);
    return found < 0 ? NULL : PyLong_FromSsize_t(found);
}

static PyObject *strm_rindex(PyObject *self, PyObject *sub, Py_ssize_t start, Py_ssize_t end)
{
    Py_ssize_t found = str_index(self, sub, start, end, true);
    return found < 0 ? NULL : PyLong_FromSsize_t(found);
}

static PyObject *strm_expandtabs(PyObject *self, int tabsize)
{
    return str_expandtabs(self, tabsize);
}

static PyObject *strm_partition(PyObject *self, PyObject *sep)
{
    return str_partition(self, sep);
}

static PyObject *strm_rpartition(PyObject *self, PyObject *sep)
{
    return str_rpartition(self, sep);
}

static PyObject *strm_strip(PyObject *self, PyObject *chars)
{
    return str_strip_arg(self, chars, STRIP_BOTH);
}

static PyObject *strm_lstrip(PyObject *self, PyObject *chars)
{
    return str_strip_arg(self, chars, STRIP_LEFT);
}

static PyObject *strm_rstrip(PyObject *self, PyObject *chars)
{
    return str_strip_arg(self, chars, STRIP_RIGHT);
}

static PyObject *strm_splitlines(PyObject *self, int keepends)
{
    return str_splitlines(self, keepends != 0);
}

static PyObject *strm_translate(PyObject *self, PyObject *table)
{
    return str_translate(self, table);
}

static int strm_startswith(PyObject *self, PyObject *prefix, Py_ssize_t start, Py_ssize_t end)
{
    return str_has_end(self, prefix, start, end, false);
}

static int strm_endswith(PyObject *self, PyObject *suffix, Py_ssize_t start, Py_ssize_t end)
{
    return str_has_end(self, suffix, start, end, true);
}

static PyObject *strm_removeprefix(PyObject *self, PyObject *prefix)
{
    return str_removeprefix(self, prefix);
}

static PyObject *strm_removesuffix(PyObject *self, PyObject *suffix)
{
    return str_removesuffix(self, suffix);
}

static PyObject *strm_zfill(PyObject *self, Py_ssize_t width)
{
    return str_zfill(self, width);
}

static PyObject *strm_format(PyObject *self, PyObject *const *args, Py_ssize_t count,
                             PyObject *names)
{
    return template_format(self, args, count, names);
}

static PyObject *strm_format_map(PyObject *self, PyObject *mapping)
{
    return template_format_map(self, mapping);
}

static PyObject *strm_maketrans(PyObject *Py_UNUSED(type), PyObject *x, PyObject *y, PyObject *z)
{
    return str_maketrans(x, y, z);
}

static PyObject *strm_format_spec(PyObject *self, PyObject *format_spec)
{
    return format_str(self, format_spec);
}

/* ---- Construction ------------------------------------------------------------------------------- */

static PyObject *strm_new(PyTypeObject *type, PyObject *object, const char *encoding,
                          const char *errors)
{
    PyObject *text;
    if (object == NULL) {
        text = str_empty();
    } else if (encoding == NULL && errors == NULL) {
        text = PyObject_Str(object);
    } else {
        text = PyUnicode_FromEncodedObject(object, encoding, errors);
    }
    if (text == NULL || type == &PyUnicode_Type) {
        return text;
    }
    PyObject *self = str_subtype_new(type, text);
    Py_DECREF(text);
    return self;
}

/* str(x) without keywords comes here most of the time. */
static PyObject *vectorcall_slot(PyObject *type, PyObject *const *args, size_t nargsf,
                                 PyObject *kwnames)
{
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    if (kwnames == NULL && type == (PyObject *)&PyUnicode_Type) {
        if (count == 1) {
            return PyObject_Str(args[0]);
        }
        if (count == 0) {
            return str_empty();
        }
        if (count > 3) {
            PyErr_Format(PyExc_TypeError, "str expected at most 3 arguments, got %zd", count);
            return NULL;
        }
    }
    return bind_strm_new_vectorcall(type, args, nargsf, kwnames);
}

/* ---- Slots --------------------------------------------------------------------------------------- */

static Py_hash_t hash_slot(PyObject *self)
{
    return str_hash(self);
}

static PyObject *str_slot(PyObject *self)
{
    return str_exact(self);
}

static Py_ssize_t length_slot(PyObject *self)
{
    return str_len(self);
}

static PyNumberMethods number_slots = {.nb_remainder = str_modulo};

static PySequenceMethods sequence_slots = {
    .sq_length = length_slot,
    .sq_concat = PyUnicode_Concat,
    .sq_repeat = str_repeat,
    .sq_item = str_item,
    .sq_contains = PyUnicode_Contains,
};

static PyMappingMethods mapping_slots = {
    .mp_length = length_slot,
    .mp_subscript = str_subscript,
};

PyTypeObject PyUnicode_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "str",
    .tp_basicsize = sizeof(PyUnicodeObject),
    .tp_dealloc = str_dealloc,
    .tp_repr = str_repr,
    .tp_as_number = &number_slots,
    .tp_as_sequence = &sequence_slots,
    .tp_as_mapping = &mapping_slots,
    .tp_hash = hash_slot,
    .tp_str = str_slot,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_UNICODE_SUBCLASS
                | _Py_TPFLAGS_MATCH_SELF,
    .tp_doc = strm_doc,
    .tp_richcompare = str_richcompare,
    .tp_iter = str_iter,
    .tp_methods = strm_methods,
    .tp_new = bind_strm_new,
    .tp_vectorcall = vectorcall_slot,
    .tp_free = PyObject_Free,
};

/* ---- The iterator -------------------------------------------------------------------------------- */

static PyMethodDef iterator_methods[] = {
    {"__length_hint__", str_iterator_length_hint, METH_NOARGS, "An estimate of what is left."},
    {"__reduce__", str_iterator_reduce, METH_NOARGS, "State for pickling."},
    {"__setstate__", str_iterator_setstate, METH_O, "Set the position, for unpickling."},
    {0},
};

PyTypeObject PyUnicodeIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "str_iterator",
    .tp_basicsize = sizeof(struct str_iterator),
    .tp_dealloc = str_iterator_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = str_iterator_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = str_iterator_next,
    .tp_methods = iterator_methods,
};

extern PyTypeObject encoding_map_type;

PyTypeObject *const str_types[] = {
    &PyUnicode_Type,       &PyUnicodeIter_Type,  &encoding_map_type,
    &template_parser_type, &template_field_type, NULL,
};
