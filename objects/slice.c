/*
 * slice, Ellipsis's neighbour in subscripts: three objects, and how they select from a length.
 */
#include "objects/birth.h"
#include "objects/gc/gc.h"
#include "objects/int.h"
#include "objects/object.h"
#include "objects/tuple.h"

/* ---- making ---------------------------------------------------------------------------------- */

/* Takes over the references, also on failure. */
static PyObject *slice_from_owned(PyObject *start, PyObject *stop, PyObject *step)
{
    PySliceObject *slice =
        (PySliceObject *)birth_of_container(&PySlice_Type, sizeof(PySliceObject));
    if (slice == NULL) {
        Py_DECREF(start);
        Py_DECREF(stop);
        Py_DECREF(step);
        return NULL;
    }
    slice->start = start;
    slice->stop = stop;
    slice->step = step;
    gc_track_new((PyObject *)slice);
    return (PyObject *)slice;
}

PyObject *PySlice_New(PyObject *start, PyObject *stop, PyObject *step)
{
    return slice_from_owned(Py_NewRef(start == NULL ? Py_None : start),
                            Py_NewRef(stop == NULL ? Py_None : stop),
                            Py_NewRef(step == NULL ? Py_None : step));
}

PyObject *_PySlice_FromIndices(Py_ssize_t start, Py_ssize_t stop)
{
    PyObject *low = PyLong_FromSsize_t(start);
    PyObject *high = low == NULL ? NULL : PyLong_FromSsize_t(stop);
    if (high == NULL) {
        Py_XDECREF(low);
        return NULL;
    }
    return slice_from_owned(low, high, Py_NewRef(Py_None));
}

/* ---- as C indices ---------------------------------------------------------------------------- */

static int index_or_raise(PyObject *op, Py_ssize_t *index, const char *message)
{
    if (PyLong_CheckExact(op) && int_is_compact((PyLongObject *)op)) {
        *index = int_compact_value((PyLongObject *)op);
        return 1;
    }
    if (!PyIndex_Check(op)) {
        PyErr_SetString(PyExc_TypeError, message);
        return 0;
    }
    Py_ssize_t value = PyNumber_AsSsize_t(op, NULL);
    if (value == -1 && PyErr_Occurred()) {
        return 0;
    }
    *index = value;
    return 1;
}

/* As converters of arguments: 1, or 0 with an exception; None leaves *index. */
int _PyEval_SliceIndex(PyObject *op, Py_ssize_t *index)
{
    return Py_IsNone(op) ? 1
                         : index_or_raise(op, index,
                                          "slice indices must be integers or None or "
                                          "have an __index__ method");
}

int _PyEval_SliceIndexNotNone(PyObject *op, Py_ssize_t *index)
{
    return index_or_raise(op, index, "slice indices must be integers or have an __index__ method");
}

int PySlice_Unpack(PyObject *op, Py_ssize_t *start, Py_ssize_t *stop, Py_ssize_t *step)
{
    PySliceObject *slice = (PySliceObject *)op;
    *step = 1;
    if (!_PyEval_SliceIndex(slice->step, step)) {
        return -1;
    }
    if (*step == 0) {
        PyErr_SetString(PyExc_ValueError, "slice step cannot be zero");
        return -1;
    }
    if (*step < -PY_SSIZE_T_MAX) {
        *step = -PY_SSIZE_T_MAX; /* so that -step is a number too */
    }
    *start = *step < 0 ? PY_SSIZE_T_MAX : 0;
    *stop = *step < 0 ? PY_SSIZE_T_MIN : PY_SSIZE_T_MAX;
    if (!_PyEval_SliceIndex(slice->start, start) || !_PyEval_SliceIndex(slice->stop, stop)) {
        return -1;
    }
    return 0;
}

static Py_ssize_t clip(Py_ssize_t index, Py_ssize_t length, Py_ssize_t step)
{
    if (index < 0) {
        index += length;
        return index >= 0 ? index : step < 0 ? -1 : 0;
    }
    return index < length ? index : step < 0 ? length - 1 : length;
}

Py_ssize_t PySlice_AdjustIndices(Py_ssize_t length, Py_ssize_t *start, Py_ssize_t *stop,
                                 Py_ssize_t step)
{
    *start = clip(*start, length, step);
    *stop = clip(*stop, length, step);
    if (step == 1) {
        return *start < *stop ? *stop - *start : 0;
    }
    if (step < 0) {
        return *stop < *start ? (*start - *stop - 1) / -step + 1 : 0;
    }
    return *start < *stop ? (*stop - *start - 1) / step + 1 : 0;
}

#undef PySlice_GetIndicesEx
int PySlice_GetIndicesEx(PyObject *op, Py_ssize_t length, Py_ssize_t *start, Py_ssize_t *stop,
                         Py_ssize_t *step, Py_ssize_t *count)
{
    if (PySlice_Unpack(op, start, stop, step) < 0) {
        return -1;
    }
    *count = PySlice_AdjustIndices(length, start, stop, *step);
    return 0;
}

/* The oldest of them: indices beyond the length are an error without an exception. */
int PySlice_GetIndices(PyObject *op, Py_ssize_t length, Py_ssize_t *start, Py_ssize_t *stop,
                       Py_ssize_t *step)
{
    PySliceObject *slice = (PySliceObject *)op;
    *step = 1;
    if (!Py_IsNone(slice->step)) {
        if (!PyLong_Check(slice->step)) {
            return -1;
        }
        *step = PyLong_AsSsize_t(slice->step);
    }
    *start = *step < 0 ? length - 1 : 0;
    *stop = *step < 0 ? -1 : length;
    PyObject *ends[2] = {slice->start, slice->stop};
    Py_ssize_t *results[2] = {start, stop};
    for (int i = 0; i < 2; i++) {
        if (Py_IsNone(ends[i])) {
            continue;
        }
        if (!PyLong_Check(ends[i])) {
            return -1;
        }
        Py_ssize_t index = PyLong_AsSsize_t(ends[i]);
        *results[i] = index < 0 ? index + length : index;
    }
    return *stop > length || *start >= length || *step == 0 ? -1 : 0;
}

/* ---- as ints of any size --------------------------------------------------------------------- */

static PyLongObject *as_index(PyObject *op)
{
    if (!PyIndex_Check(op)) {
        PyErr_SetString(PyExc_TypeError,
                        "slice indices must be integers or None or have an __index__ method");
        return NULL;
    }
    return (PyLongObject *)PyNumber_Index(op);
}

/* One end of a slice: its object, or what stands for None, between low and high. */
static PyLongObject *adjust_end(PyObject *op, PyLongObject *none, PyLongObject *length,
                                PyLongObject *low, PyLongObject *high)
{
    if (Py_IsNone(op)) {
        return (PyLongObject *)Py_NewRef(none);
    }
    PyLongObject *index = as_index(op);
    if (index == NULL) {
        return NULL;
    }
    if (int_is_negative(index)) {
        Py_SETREF(index, (PyLongObject *)int_add(index, length));
        if (index != NULL && int_compare(index, low) < 0) {
            Py_SETREF(index, (PyLongObject *)Py_NewRef(low));
        }
    } else if (int_compare(index, high) > 0) {
        Py_SETREF(index, (PyLongObject *)Py_NewRef(high));
    }
    return index;
}

int _PySlice_GetLongIndices(PySliceObject *slice, PyObject *length, PyObject **start,
                            PyObject **stop, PyObject **step)
{
    PyLongObject *n = (PyLongObject *)length, *one = (PyLongObject *)int_small(1);
    PyLongObject *by =
        Py_IsNone(slice->step) ? (PyLongObject *)Py_NewRef(one) : as_index(slice->step);
    PyLongObject *low = NULL, *high = NULL;
    *start = *stop = *step = NULL;
    if (by == NULL) {
        return -1;
    }
    if (int_is_zero(by)) {
        PyErr_SetString(PyExc_ValueError, "slice step cannot be zero");
        goto fail;
    }
    bool backwards = int_is_negative(by);
    low = (PyLongObject *)int_small(backwards ? -1 : 0);
    high = backwards ? (PyLongObject *)int_subtract(n, one) : (PyLongObject *)Py_NewRef(n);
    if (high == NULL) {
        goto fail;
    }
    *start = (PyObject *)adjust_end(slice->start, backwards ? high : low, n, low, high);
    *stop = *start == NULL
                ? NULL
                : (PyObject *)adjust_end(slice->stop, backwards ? low : high, n, low, high);
    if (*stop == NULL) {
        goto fail;
    }
    *step = (PyObject *)by;
    Py_DECREF(high);
    return 0;
fail:
    Py_CLEAR(*start);
    Py_XDECREF(high);
    Py_DECREF(by);
    return -1;
}

/* ---- the type -------------------------------------------------------------------------------- */

static void slice_dealloc(PyObject *op)
{
    PySliceObject *slice = (PySliceObject *)op;
    gc_untrack_dead(op);
    Py_DECREF(slice->start);
    Py_DECREF(slice->stop);
    Py_DECREF(slice->step);
    death_of_container(op, sizeof(PySliceObject));
}

static int slice_traverse(PyObject *op, visitproc visit, void *arg)
{
    PySliceObject *slice = (PySliceObject *)op;
    Py_VISIT(slice->start);
    Py_VISIT(slice->stop);
    Py_VISIT(slice->step);
    return 0;
}

static PyObject *slice_repr(PyObject *op)
{
    PySliceObject *slice = (PySliceObject *)op;
    return PyUnicode_FromFormat("slice(%R, %R, %R)", slice->start, slice->stop, slice->step);
}

/* Slices compare and hash as tuples of their three objects; the hash is not quite the tuple's: it
 * leaves the length out. */
static PyObject *slice_richcompare(PyObject *a, PyObject *b, int operation)
{
    if (!PySlice_Check(a) || !PySlice_Check(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (a == b) {
        Py_RETURN_RICHCOMPARE(0, 0, operation);
    }
    PySliceObject *x = (PySliceObject *)a, *y = (PySliceObject *)b;
    PyObject *p = PyTuple_Pack(3, x->start, x->stop, x->step);
    PyObject *q = p == NULL ? NULL : PyTuple_Pack(3, y->start, y->stop, y->step);
    PyObject *result = q == NULL ? NULL : PyObject_RichCompare(p, q, operation);
    Py_XDECREF(p);
    Py_XDECREF(q);
    return result;
}

static Py_hash_t slice_hash(PyObject *op)
{
    PySliceObject *slice = (PySliceObject *)op;
    PyObject *parts[3] = {slice->start, slice->stop, slice->step};
    uint64_t acc = 2870177450012600261ull;
    if (stack_check(" while hashing") < 0) {
        return -1;
    }
    for (int i = 0; i < 3; i++) {
        Py_hash_t lane = PyObject_Hash(parts[i]);
        if (lane == -1) {
            return -1;
        }
        acc += (uint64_t)lane * 14029467366897019727ull;
        acc = (acc << 31) | (acc >> 33);
        acc *= 11400714785074694791ull;
    }
    return acc == (uint64_t)-1 ? 1546275796 : (Py_hash_t)acc;
}

#include "slice.bind.h"

static PyObject *slice_new(PyTypeObject *Py_UNUSED(type), PyObject *a, PyObject *b, PyObject *c)
{
    return b == NULL ? PySlice_New(NULL, a, NULL) : PySlice_New(a, b, c);
}

static PyObject *slice_indices(PySliceObject *self, PyObject *length)
{
    PyObject *n = PyNumber_Index(length);
    if (n == NULL) {
        return NULL;
    }
    PyObject *start, *stop, *step;
    int failed = -1;
    if (int_is_negative((PyLongObject *)n)) {
        PyErr_SetString(PyExc_ValueError, "length should not be negative");
    } else {
        failed = _PySlice_GetLongIndices(self, n, &start, &stop, &step);
    }
    Py_DECREF(n);
    return failed ? NULL : Py_BuildValue("(NNN)", start, stop, step);
}

static PyObject *slice_reduce(PySliceObject *self)
{
    return Py_BuildValue("O(OOO)", Py_TYPE(self), self->start, self->stop, self->step);
}

PyTypeObject PySlice_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "slice",
    .tp_basicsize = sizeof(PySliceObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "slice(stop)\n"
              "slice(start, stop[, step])\n"
              "\n"
              "What a[start:stop:step] hands to a's __getitem__.",
    .tp_dealloc = slice_dealloc,
    .tp_traverse = slice_traverse,
    .tp_repr = slice_repr,
    .tp_hash = slice_hash,
    .tp_richcompare = slice_richcompare,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_methods = slice_methods,
    .tp_members = slice_members,
    .tp_new = bind_slice_new,
};

PyTypeObject *const slice_types[] = {&PySlice_Type, NULL};
