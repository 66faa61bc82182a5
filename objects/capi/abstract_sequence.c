/* PySequence_*: objects that are indexed by numbers. */
#include "objects/capi/capi.h"

static PySequenceMethods *sequence_of(PyObject *op)
{
    return Py_TYPE(op)->tp_as_sequence;
}

static PyMappingMethods *mapping_of(PyObject *op)
{
    return Py_TYPE(op)->tp_as_mapping;
}

int PySequence_Check(PyObject *op)
{
    return !PyDict_Check(op) && sequence_of(op) && sequence_of(op)->sq_item;
}

#undef PySequence_Length
Py_ssize_t PySequence_Length(PyObject *op)
{
    return PySequence_Size(op);
}

Py_ssize_t PySequence_Size(PyObject *op)
{
    if (!op) {
        raise_null_argument();
        return -1;
    }
    if (sequence_of(op) && sequence_of(op)->sq_length) {
        return sequence_of(op)->sq_length(op);
    }
    bool is_mapping = mapping_of(op) && mapping_of(op)->mp_length;
    return raise_for_type_int(
        is_mapping ? "%.200s is not a sequence" : "object of type '%.200s' has no len()", op);
}

/* ---- items ----------------------------------------------------------------------------------- */

/* Makes a negative index count from the end, for types that know their length. 0, or -1. */
static int index_from_start(PyObject *op, Py_ssize_t *i)
{
    if (*i < 0 && sequence_of(op)->sq_length) {
        Py_ssize_t length = sequence_of(op)->sq_length(op);
        if (length < 0) {
            return -1;
        }
        *i += length;
    }
    return 0;
}

PyObject *PySequence_GetItem(PyObject *op, Py_ssize_t i)
{
    if (!op) {
        return raise_null_argument();
    }
    if (sequence_of(op) && sequence_of(op)->sq_item) {
        return index_from_start(op, &i) < 0 ? NULL : sequence_of(op)->sq_item(op, i);
    }
    bool is_mapping = mapping_of(op) && mapping_of(op)->mp_subscript;
    return raise_for_type(
        is_mapping ? "%.200s is not a sequence" : "'%.200s' object does not support indexing", op);
}

/* Stores, or deletes if value is NULL. */
static int assign_item(PyObject *op, Py_ssize_t i, PyObject *value, const char *unsupported)
{
    if (!op) {
        raise_null_argument();
        return -1;
    }
    if (sequence_of(op) && sequence_of(op)->sq_ass_item) {
        return index_from_start(op, &i) < 0 ? -1 : sequence_of(op)->sq_ass_item(op, i, value);
    }
    bool is_mapping = mapping_of(op) && mapping_of(op)->mp_ass_subscript;
    return raise_for_type_int(is_mapping ? "%.200s is not a sequence" : unsupported, op);
}

int PySequence_SetItem(PyObject *op, Py_ssize_t i, PyObject *value)
{
    return assign_item(op, i, value, "'%.200s' object does not support item assignment");
}

int PySequence_DelItem(PyObject *op, Py_ssize_t i)
{
    return assign_item(op, i, NULL, "'%.200s' object doesn't support item deletion");
}

/* ---- slices ---------------------------------------------------------------------------------- */

static PyObject *slice_of(Py_ssize_t start, Py_ssize_t stop)
{
    PyObject *slice = NULL, *first = PyLong_FromSsize_t(start), *last = PyLong_FromSsize_t(stop);
    if (first && last) {
        slice = PySlice_New(first, last, NULL);
    }
    Py_XDECREF(first);
    Py_XDECREF(last);
    return slice;
}

PyObject *PySequence_GetSlice(PyObject *op, Py_ssize_t start, Py_ssize_t stop)
{
    if (!op) {
        return raise_null_argument();
    }
    if (!mapping_of(op) || !mapping_of(op)->mp_subscript) {
        return raise_for_type("'%.200s' object is unsliceable", op);
    }
    PyObject *slice = slice_of(start, stop);
    if (!slice) {
        return NULL;
    }
    PyObject *result = mapping_of(op)->mp_subscript(op, slice);
    Py_DECREF(slice);
    return result;
}

static int assign_slice(PyObject *op, Py_ssize_t start, Py_ssize_t stop, PyObject *value,
                        const char *unsupported)
{
    if (!op) {
        raise_null_argument();
        return -1;
    }
    if (!mapping_of(op) || !mapping_of(op)->mp_ass_subscript) {
        return raise_for_type_int(unsupported, op);
    }
    PyObject *slice = slice_of(start, stop);
    if (!slice) {
        return -1;
    }
    int status = mapping_of(op)->mp_ass_subscript(op, slice, value);
    Py_DECREF(slice);
    return status;
}

int PySequence_SetSlice(PyObject *op, Py_ssize_t start, Py_ssize_t stop, PyObject *value)
{
    return assign_slice(op, start, stop, value, "'%.200s' object doesn't support slice assignment");
}

int PySequence_DelSlice(PyObject *op, Py_ssize_t start, Py_ssize_t stop)
{
    return assign_slice(op, start, stop, NULL, "'%.200s' object doesn't support slice deletion");
}

/* ---- + and * --------------------------------------------------------------------------------- */

static PyObject *concat(PyObject *x, PyObject *y, bool inplace)
{
    if (!x || !y) {
        return raise_null_argument();
    }
    PySequenceMethods *methods = sequence_of(x);
    if (inplace && methods && methods->sq_inplace_concat) {
        return methods->sq_inplace_concat(x, y);
    }
    if (methods && methods->sq_concat) {
        return methods->sq_concat(x, y);
    }
    /* Classes made in Python have __add__ in the number slots only. */
    if (PySequence_Check(x) && PySequence_Check(y)) {
        PyObject *result =
            inplace ? number_try_inplace(x, y, NUMBER_SLOT(nb_inplace_add), NUMBER_SLOT(nb_add))
                    : number_try_binary(x, y, NUMBER_SLOT(nb_add));
        if (result != Py_NotImplemented) {
            return result;
        }
    }
    return raise_for_type("'%.200s' object can't be concatenated", x);
}

PyObject *PySequence_Concat(PyObject *x, PyObject *y)
{
    return concat(x, y, false);
}

PyObject *PySequence_InPlaceConcat(PyObject *x, PyObject *y)
{
    return concat(x, y, true);
}

static PyObject *repeat(PyObject *op, Py_ssize_t count, bool inplace)
{
    if (!op) {
        return raise_null_argument();
    }
    PySequenceMethods *methods = sequence_of(op);
    if (inplace && methods && methods->sq_inplace_repeat) {
        return methods->sq_inplace_repeat(op, count);
    }
    if (methods && methods->sq_repeat) {
        return methods->sq_repeat(op, count);
    }
    if (PySequence_Check(op)) {
        PyObject *times = PyLong_FromSsize_t(count);
        if (!times) {
            return NULL;
        }
        PyObject *result = inplace ? number_try_inplace(op, times, NUMBER_SLOT(nb_inplace_multiply),
                                                        NUMBER_SLOT(nb_multiply))
                                   : number_try_binary(op, times, NUMBER_SLOT(nb_multiply));
        Py_DECREF(times);
        if (result != Py_NotImplemented) {
            return result;
        }
    }
    return raise_for_type("'%.200s' object can't be repeated", op);
}

PyObject *PySequence_Repeat(PyObject *op, Py_ssize_t count)
{
    return repeat(op, count, false);
}

PyObject *PySequence_InPlaceRepeat(PyObject *op, Py_ssize_t count)
{
    return repeat(op, count, true);
}

/* ---- conversion ------------------------------------------------------------------------------ */

PyObject *PySequence_List(PyObject *op)
{
    if (!op) {
        return raise_null_argument();
    }
    PyObject *list = PyList_New(0);
    if (list && PyList_Extend(list, op) < 0) {
        Py_CLEAR(list);
    }
    return list;
}

PyObject *PySequence_Tuple(PyObject *op)
{
    if (!op) {
        return raise_null_argument();
    }
    if (PyTuple_CheckExact(op)) {
        return Py_NewRef(op);
    }
    if (PyList_CheckExact(op)) {
        return PyList_AsTuple(op);
    }
    PyObject *list = PySequence_List(op);
    if (!list) {
        return NULL;
    }
    PyObject *tuple = PyList_AsTuple(list);
    Py_DECREF(list);
    return tuple;
}

PyObject *PySequence_Fast(PyObject *op, const char *message)
{
    if (!op) {
        return raise_null_argument();
    }
    if (PyList_CheckExact(op) || PyTuple_CheckExact(op)) {
        return Py_NewRef(op);
    }
    PyObject *it = PyObject_GetIter(op);
    if (!it) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_SetString(PyExc_TypeError, message);
        }
        return NULL;
    }
    PyObject *list = PySequence_List(it);
    Py_DECREF(it);
    return list;
}

/* ---- search ---------------------------------------------------------------------------------- */

enum search { SEARCH_COUNT, SEARCH_INDEX, SEARCH_CONTAINS };

static Py_ssize_t search_iterator(PyObject *it, PyObject *item, enum search what)
{
    Py_ssize_t found = 0;
    for (Py_ssize_t i = 0;; i++) {
        PyObject *candidate = PyIter_Next(it);
        if (!candidate) {
            break;
        }
        int equal = PyObject_RichCompareBool(candidate, item, Py_EQ);
        Py_DECREF(candidate);
        if (equal < 0) {
            return -1;
        }
        if (!equal) {
            continue;
        }
        if (what == SEARCH_CONTAINS) {
            return 1;
        }
        if (what == SEARCH_INDEX) {
            return i;
        }
        if (found == PY_SSIZE_T_MAX) {
            PyErr_SetString(PyExc_OverflowError, "count exceeds C integer size");
            return -1;
        }
        found++;
    }
    if (PyErr_Occurred()) {
        return -1;
    }
    if (what == SEARCH_INDEX) {
        PyErr_SetString(PyExc_ValueError, "sequence.index(x): x not in sequence");
        return -1;
    }
    return found;
}

static Py_ssize_t search(PyObject *op, PyObject *item, enum search what)
{
    if (!op || !item) {
        raise_null_argument();
        return -1;
    }
    PyObject *it = PyObject_GetIter(op);
    if (!it) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            raise_for_type("argument of type '%.200s' is not iterable", op);
        }
        return -1;
    }
    Py_ssize_t result = search_iterator(it, item, what);
    Py_DECREF(it);
    return result;
}

Py_ssize_t PySequence_Count(PyObject *op, PyObject *item)
{
    return search(op, item, SEARCH_COUNT);
}

Py_ssize_t PySequence_Index(PyObject *op, PyObject *item)
{
    return search(op, item, SEARCH_INDEX);
}

int PySequence_Contains(PyObject *op, PyObject *item)
{
    if (item == NULL && PyList_Check(op) && PyList_GET_SIZE(op) > 0) {
        raise_null_argument();
        return -1;
    }
    if (sequence_of(op) && sequence_of(op)->sq_contains) {
        return sequence_of(op)->sq_contains(op, item);
    }
    return (int)search(op, item, SEARCH_CONTAINS);
}

#undef PySequence_In
int PySequence_In(PyObject *op, PyObject *item)
{
    return PySequence_Contains(op, item);
}
