/*
 * range: an arithmetic sequence of ints of any size, and its iterators.
 */
#include "objects/bindings.h"
#include "objects/birth.h"
#include "objects/range.h"
#include "locking/lock.h"
#include "objects/int.h"
#include "objects/iter.h"
#include "objects/object.h"
#include "objects/tuple.h"

struct range {
    PyObject_HEAD
    PyObject *start; /* exact ints, owned */
    PyObject *stop;
    PyObject *step;
    PyObject *length;
};

#define INT(op) ((PyLongObject *)(op))

/* ---- making ---------------------------------------------------------------------------------- */

/* How many numbers lie between: new reference. */
static PyObject *compute_length(PyObject *start, PyObject *stop, PyObject *step)
{
    int64_t a, b, c;
    if (int_fits_i64(INT(start), &a) && int_fits_i64(INT(stop), &b)
        && int_fits_i64(INT(step), &c)) {
        uint64_t length = 0;
        if (c > 0 && a < b) {
            length = ((uint64_t)b - (uint64_t)a - 1) / (uint64_t)c + 1;
        } else if (c < 0 && a > b) {
            length = ((uint64_t)a - (uint64_t)b - 1) / (0 - (uint64_t)c) + 1;
        }
        return int_from_u64(length);
    }
    bool down = int_is_negative(INT(step));
    PyObject *low = down ? stop : start, *high = down ? start : stop;
    if (int_compare(INT(low), INT(high)) >= 0) {
        return int_small(0);
    }
    PyObject *span = int_subtract(INT(high), INT(low));
    PyObject *stride = span == NULL ? NULL : int_absolute(INT(step));
    PyObject *less = stride == NULL ? NULL : int_subtract(INT(span), INT(int_small(1)));
    PyObject *whole = less == NULL ? NULL : int_floor_divide(INT(less), INT(stride));
    PyObject *length = whole == NULL ? NULL : int_add(INT(whole), INT(int_small(1)));
    Py_XDECREF(span);
    Py_XDECREF(stride);
    Py_XDECREF(less);
    Py_XDECREF(whole);
    return length;
}

/* Takes over the references, also on failure. */
static PyObject *range_from_owned(PyObject *start, PyObject *stop, PyObject *step)
{
    PyObject *length = compute_length(start, stop, step);
    struct range *r = length == NULL ? NULL : (struct range *)object_new_raw(&PyRange_Type, 0);
    if (r == NULL) {
        Py_XDECREF(length);
        Py_DECREF(start);
        Py_DECREF(stop);
        Py_DECREF(step);
        return NULL;
    }
    r->start = start;
    r->stop = stop;
    r->step = step;
    r->length = length;
    return (PyObject *)r;
}

PyObject *range_new_from_ints(PyObject *start, PyObject *stop, PyObject *step)
{
    if (int_is_zero(INT(step))) {
        PyErr_SetString(PyExc_ValueError, "range() arg 3 must not be zero");
        return NULL;
    }
    return range_from_owned(Py_NewRef(start), Py_NewRef(stop), Py_NewRef(step));
}

/* __index__ as an exact int. */
static PyObject *exact_index(PyObject *op)
{
    PyObject *index = PyNumber_Index(op);
    if (index != NULL && !PyLong_CheckExact(index)) {
        Py_SETREF(index, _PyLong_Copy(INT(index)));
    }
    return index;
}

static PyObject *range_from_args(PyObject *const *args, Py_ssize_t nargs)
{
    if (!bind_count("range", nargs, 1, 3)) {
        return NULL;
    }
    PyObject *start = nargs == 1 ? int_small(0) : exact_index(args[0]);
    PyObject *stop = start == NULL ? NULL : exact_index(args[nargs == 1 ? 0 : 1]);
    PyObject *step = stop == NULL ? NULL : nargs == 3 ? exact_index(args[2]) : int_small(1);
    PyObject *range = step == NULL ? NULL : range_new_from_ints(start, stop, step);
    Py_XDECREF(start);
    Py_XDECREF(stop);
    Py_XDECREF(step);
    return range;
}

static PyObject *range_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (!bind_no_keywords(type->tp_name, kwargs)) {
        return NULL;
    }
    return range_from_args(tuple_items(args), PyTuple_GET_SIZE(args));
}

static PyObject *range_vectorcall(PyObject *Py_UNUSED(type), PyObject *const *args, size_t nargsf,
                                  PyObject *kwnames)
{
    if (!bind_no_kwnames("range", kwnames)) {
        return NULL;
    }
    return range_from_args(args, PyVectorcall_NARGS(nargsf));
}

/* ---- selecting ------------------------------------------------------------------------------- */

/* start + i * step. */
static PyObject *number_at(struct range *r, PyObject *i)
{
    PyObject *offset = r->step == int_small(1) ? Py_NewRef(i) : int_multiply(INT(i), INT(r->step));
    if (offset == NULL) {
        return NULL;
    }
    PyObject *number = int_add(INT(r->start), INT(offset));
    Py_DECREF(offset);
    return number;
}

static PyObject *range_item_at(struct range *r, PyObject *index)
{
    PyObject *i =
        int_is_negative(INT(index)) ? int_add(INT(index), INT(r->length)) : Py_NewRef(index);
    if (i == NULL) {
        return NULL;
    }
    PyObject *number = NULL;
    if (int_is_negative(INT(i)) || int_compare(INT(i), INT(r->length)) >= 0) {
        PyErr_SetString(PyExc_IndexError, "range object index out of range");
    } else {
        number = number_at(r, i);
    }
    Py_DECREF(i);
    return number;
}

static PyObject *range_item(PyObject *op, Py_ssize_t i)
{
    PyObject *index = PyLong_FromSsize_t(i);
    PyObject *number = index == NULL ? NULL : range_item_at((struct range *)op, index);
    Py_XDECREF(index);
    return number;
}

static PyObject *range_slice(struct range *r, PyObject *slice)
{
    PyObject *start, *stop, *step;
    if (_PySlice_GetLongIndices((PySliceObject *)slice, r->length, &start, &stop, &step) < 0) {
        return NULL;
    }
    PyObject *from = number_at(r, start), *to = from == NULL ? NULL : number_at(r, stop);
    PyObject *by = to == NULL ? NULL : int_multiply(INT(r->step), INT(step));
    Py_DECREF(start);
    Py_DECREF(stop);
    Py_DECREF(step);
    if (by == NULL) {
        Py_XDECREF(from);
        Py_XDECREF(to);
        return NULL;
    }
    return range_from_owned(from, to, by);
}

static PyObject *range_subscript(PyObject *op, PyObject *key)
{
    struct range *r = (struct range *)op;
    if (PyIndex_Check(key)) {
        PyObject *index = PyNumber_Index(key);
        PyObject *number = index == NULL ? NULL : range_item_at(r, index);
        Py_XDECREF(index);
        return number;
    }
    if (PySlice_Check(key)) {
        return range_slice(r, key);
    }
    PyErr_Format(PyExc_TypeError, "range indices must be integers or slices, not %.200s",
                 Py_TYPE(key)->tp_name);
    return NULL;
}

static Py_ssize_t range_length(PyObject *op)
{
    return PyLong_AsSsize_t(((struct range *)op)->length);
}

/* Whether an exact int or bool is in the range: 1, 0, -1. */
static int contains_int(struct range *r, PyObject *number)
{
    bool up = !int_is_negative(INT(r->step));
    PyObject *low = up ? r->start : r->stop, *high = up ? r->stop : r->start;
    int above = int_compare(INT(number), INT(low)), below = int_compare(INT(number), INT(high));
    if (up ? above < 0 || below >= 0 : above <= 0 || below > 0) {
        return 0;
    }
    PyObject *offset = int_subtract(INT(number), INT(r->start));
    PyObject *rest = offset == NULL ? NULL : int_modulo(INT(offset), INT(r->step));
    int found = rest == NULL ? -1 : int_is_zero(INT(rest));
    Py_XDECREF(offset);
    Py_XDECREF(rest);
    return found;
}

static bool is_plain_int(PyObject *op)
{
    return PyLong_CheckExact(op) || PyBool_Check(op);
}

/* Walks the range comparing: for values that are no ints. The number of equal ones, or with
 * `first` the index of the first, -1 if there is none; -2 with an exception. */
static Py_ssize_t search(PyObject *range, PyObject *value, bool first)
{
    PyObject *it = PyObject_GetIter(range);
    if (it == NULL) {
        return -2;
    }
    Py_ssize_t count = 0, i = 0;
    PyObject *number;
    for (; (number = PyIter_Next(it)) != NULL; i++) {
        int equal = PyObject_RichCompareBool(number, value, Py_EQ);
        Py_DECREF(number);
        if (equal < 0 || (equal && first)) {
            Py_DECREF(it);
            return equal < 0 ? -2 : i;
        }
        count += equal;
    }
    Py_DECREF(it);
    return PyErr_Occurred() ? -2 : first ? -1 : count;
}

static int range_contains(PyObject *op, PyObject *value)
{
    if (is_plain_int(value)) {
        return contains_int((struct range *)op, value);
    }
    Py_ssize_t at = search(op, value, true);
    return at == -2 ? -1 : at >= 0;
}

/* ---- other slots ----------------------------------------------------------------------------- */

static void range_dealloc(PyObject *op)
{
    struct range *r = (struct range *)op;
    Py_DECREF(r->start);
    Py_DECREF(r->stop);
    Py_DECREF(r->step);
    Py_DECREF(r->length);
    object_free(op);
}

static PyObject *range_repr(PyObject *op)
{
    struct range *r = (struct range *)op;
    if (r->step == int_small(1)) {
        return PyUnicode_FromFormat("range(%R, %R)", r->start, r->stop);
    }
    return PyUnicode_FromFormat("range(%R, %R, %R)", r->start, r->stop, r->step);
}

static int range_bool(PyObject *op)
{
    return !int_is_zero(INT(((struct range *)op)->length));
}

/* Ranges are equal when they are the same numbers: stop matters only through the length, step only
 * from two numbers on. */
static bool ranges_equal(struct range *a, struct range *b)
{
    if (int_compare(INT(a->length), INT(b->length)) != 0) {
        return false;
    }
    if (int_is_zero(INT(a->length))) {
        return true;
    }
    if (int_compare(INT(a->start), INT(b->start)) != 0) {
        return false;
    }
    return a->length == int_small(1) || int_compare(INT(a->step), INT(b->step)) == 0;
}

static PyObject *range_richcompare(PyObject *a, PyObject *b, int operation)
{
    if (!PyRange_Check(b) || (operation != Py_EQ && operation != Py_NE)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    bool equal = a == b || ranges_equal((struct range *)a, (struct range *)b);
    return PyBool_FromLong(equal == (operation == Py_EQ));
}

static Py_hash_t range_hash(PyObject *op)
{
    struct range *r = (struct range *)op;
    bool empty = int_is_zero(INT(r->length)), single = r->length == int_small(1);
    Py_hash_t none = PyObject_Hash(Py_None);
    Py_hash_t hashes[3] = {
        int_hash(INT(r->length)),
        empty ? none : int_hash(INT(r->start)),
        empty || single ? none : int_hash(INT(r->step)),
    };
    return tuple_hash_of(hashes, 3);
}

bool range_as_longs(PyObject *op, long *start, long *step, long *length)
{
    struct range *r = (struct range *)op;
    int64_t a, b, c, last;
    if (!int_fits_i64(INT(r->start), &a) || !int_fits_i64(INT(r->step), &b)
        || !int_fits_i64(INT(r->length), &c) || __builtin_mul_overflow(b, c, &last)
        || __builtin_add_overflow(a, last, &last)) {
        return false;
    }
    *start = a;
    *step = b;
    *length = c;
    return true;
}

/* ---- iterator over C longs ------------------------------------------------------------------- */

static PyObject *range_iter_new(long start, long step, long length)
{
    struct range_iter *it =
        (struct range_iter *)birth_of_atom(&PyRangeIter_Type, sizeof(struct range_iter));
    if (it != NULL) {
        it->next = start;
        it->step = step;
        it->left = length;
    }
    return (PyObject *)it;
}

static void range_iter_dealloc(PyObject *op)
{
    death_of_atom(op, sizeof(struct range_iter));
}

static PyObject *range_iter_next(PyObject *op)
{
    struct range_iter *it = (struct range_iter *)op;
    long left = field_load(&it->left);
    if (left <= 0) {
        return NULL;
    }
    long number = field_load(&it->next);
    field_store(&it->left, left - 1);
    field_store(&it->next, (long)((unsigned long)number + (unsigned long)it->step));
    return int_from_i64(number);
}

/* ---- iterator over ints of any size ---------------------------------------------------------- */

struct long_range_iter {
    PyObject_HEAD
    PyObject *next; /* exact ints, owned */
    PyObject *step;
    PyObject *left;
};

/* Takes over the references, also on failure. */
static PyObject *long_range_iter_new(PyObject *start, PyObject *step, PyObject *length)
{
    struct long_range_iter *it =
        start == NULL || step == NULL || length == NULL
            ? NULL
            : (struct long_range_iter *)object_new_raw(&PyLongRangeIter_Type, 0);
    if (it == NULL) {
        Py_XDECREF(start);
        Py_XDECREF(step);
        Py_XDECREF(length);
        return NULL;
    }
    it->next = start;
    it->step = step;
    it->left = length;
    return (PyObject *)it;
}

static void long_range_iter_dealloc(PyObject *op)
{
    struct long_range_iter *it = (struct long_range_iter *)op;
    Py_XDECREF(it->next);
    Py_XDECREF(it->step);
    Py_XDECREF(it->left);
    object_free(op);
}

static PyObject *long_range_iter_next_locked(struct long_range_iter *it)
{
    if (int_is_zero(INT(it->left))) {
        return NULL;
    }
    PyObject *next = int_add(INT(it->next), INT(it->step));
    PyObject *left = next == NULL ? NULL : int_subtract(INT(it->left), INT(int_small(1)));
    if (left == NULL) {
        Py_XDECREF(next);
        return NULL;
    }
    PyObject *number = it->next;
    it->next = next;
    Py_SETREF(it->left, left);
    return number;
}

static PyObject *long_range_iter_next(PyObject *op)
{
    PyObject *number;
    Py_BEGIN_CRITICAL_SECTION(op);
    number = long_range_iter_next_locked((struct long_range_iter *)op);
    Py_END_CRITICAL_SECTION();
    return number;
}

static PyObject *range_iter(PyObject *op)
{
    struct range *r = (struct range *)op;
    long start, step, length;
    if (range_as_longs(op, &start, &step, &length)) {
        return range_iter_new(start, step, length);
    }
    return long_range_iter_new(Py_NewRef(r->start), Py_NewRef(r->step), Py_NewRef(r->length));
}

/* ---- methods --------------------------------------------------------------------------------- */

#include "range.bind.h"

static PyObject *range_reversed(struct range *self)
{
    long start, step, length;
    if (range_as_longs((PyObject *)self, &start, &step, &length) && step != LONG_MIN) {
        unsigned long span = (unsigned long)step * (unsigned long)(length - 1);
        long last = (long)((unsigned long)start + span);
        return range_iter_new(last, -step, length);
    }
    PyObject *less = int_subtract(INT(self->length), INT(int_small(1)));
    PyObject *last = less == NULL ? NULL : number_at(self, less);
    Py_XDECREF(less);
    return long_range_iter_new(last, int_negate(INT(self->step)), Py_NewRef(self->length));
}

static PyObject *range_reduce(struct range *self)
{
    return Py_BuildValue("(O(OOO))", Py_TYPE(self), self->start, self->stop, self->step);
}

static PyObject *range_count(struct range *self, PyObject *value)
{
    if (is_plain_int(value)) {
        int found = contains_int(self, value);
        return found < 0 ? NULL : int_small(found);
    }
    Py_ssize_t count = search((PyObject *)self, value, false);
    return count == -2 ? NULL : PyLong_FromSsize_t(count);
}

static PyObject *range_index(struct range *self, PyObject *value)
{
    if (!is_plain_int(value)) {
        Py_ssize_t at = search((PyObject *)self, value, true);
        if (at >= 0) {
            return PyLong_FromSsize_t(at);
        }
        if (at == -1) {
            PyErr_SetString(PyExc_ValueError, "sequence.index(x): x not in sequence");
        }
        return NULL;
    }
    int found = contains_int(self, value);
    if (found <= 0) {
        if (found == 0) {
            PyErr_Format(PyExc_ValueError, "%R is not in range", value);
        }
        return NULL;
    }
    PyObject *offset = int_subtract(INT(value), INT(self->start));
    PyObject *index = offset == NULL ? NULL : int_floor_divide(INT(offset), INT(self->step));
    Py_XDECREF(offset);
    return index;
}

static PyObject *range_iterator_length_hint(struct range_iter *self)
{
    return PyLong_FromLong(field_load(&self->left));
}

/* (iter, (range(what is left),), None) */
static PyObject *reduce_iterator(PyObject *start, PyObject *step, PyObject *left)
{
    PyObject *result = NULL, *span = NULL, *stop = NULL, *range = NULL, *function = NULL;
    if (start != NULL && step != NULL && left != NULL) {
        span = int_multiply(INT(step), INT(left));
        stop = span == NULL ? NULL : int_add(INT(start), INT(span));
        range = stop == NULL ? NULL : range_new_from_ints(start, stop, step);
        function = range == NULL ? NULL : iter_builtin(ID(iter));
        result = function == NULL ? NULL : Py_BuildValue("O(O)O", function, range, Py_None);
    }
    Py_XDECREF(start);
    Py_XDECREF(step);
    Py_XDECREF(left);
    Py_XDECREF(span);
    Py_XDECREF(stop);
    Py_XDECREF(range);
    Py_XDECREF(function);
    return result;
}

static PyObject *range_iterator_reduce(struct range_iter *self)
{
    return reduce_iterator(PyLong_FromLong(field_load(&self->next)), PyLong_FromLong(self->step),
                           PyLong_FromLong(field_load(&self->left)));
}

static int range_iterator_setstate(struct range_iter *self, PyObject *state)
{
    long index = PyLong_AsLong(state);
    if (index == -1 && PyErr_Occurred()) {
        return -1;
    }
    long left = field_load(&self->left);
    index = index < 0 ? 0 : index > left ? left : index;
    field_store(&self->next, (long)((unsigned long)field_load(&self->next)
                                    + (unsigned long)index * (unsigned long)self->step));
    field_store(&self->left, left - index);
    return 0;
}

static PyObject *longrange_iterator_length_hint(struct long_range_iter *self)
{
    return Py_NewRef(self->left);
}

static PyObject *longrange_iterator_reduce(struct long_range_iter *self)
{
    return reduce_iterator(Py_NewRef(self->next), Py_NewRef(self->step), Py_NewRef(self->left));
}

static int longrange_iterator_setstate(struct long_range_iter *self, PyObject *state)
{
    if (!PyLong_CheckExact(state)) {
        PyErr_Format(PyExc_TypeError, "state must be an int, not %T", state);
        return -1;
    }
    PyObject *index = int_is_negative(INT(state))                    ? int_small(0)
                      : int_compare(INT(state), INT(self->left)) > 0 ? self->left
                                                                     : state;
    PyObject *offset = int_multiply(INT(index), INT(self->step));
    PyObject *next = offset == NULL ? NULL : int_add(INT(self->next), INT(offset));
    PyObject *left = next == NULL ? NULL : int_subtract(INT(self->left), INT(index));
    Py_XDECREF(offset);
    if (left == NULL) {
        Py_XDECREF(next);
        return -1;
    }
    Py_SETREF(self->next, next);
    Py_SETREF(self->left, left);
    return 0;
}

/* ---- types ----------------------------------------------------------------------------------- */

static PyNumberMethods range_as_number = {
    .nb_bool = range_bool,
};

static PySequenceMethods range_as_sequence = {
    .sq_length = range_length,
    .sq_item = range_item,
    .sq_contains = range_contains,
};

static PyMappingMethods range_as_mapping = {
    .mp_length = range_length,
    .mp_subscript = range_subscript,
};

PyTypeObject PyRange_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "range",
    .tp_basicsize = sizeof(struct range),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_SEQUENCE,
    .tp_doc = "range(stop) -> range object\n"
              "range(start, stop[, step]) -> range object\n"
              "\n"
              "The ints from start, or 0, by step, or 1, up to but without stop.",
    .tp_dealloc = range_dealloc,
    .tp_repr = range_repr,
    .tp_hash = range_hash,
    .tp_richcompare = range_richcompare,
    .tp_as_number = &range_as_number,
    .tp_as_sequence = &range_as_sequence,
    .tp_as_mapping = &range_as_mapping,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_iter = range_iter,
    .tp_methods = range_methods,
    .tp_members = range_members,
    .tp_new = range_new,
    .tp_vectorcall = range_vectorcall,
};

PyTypeObject PyRangeIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "range_iterator",
    .tp_basicsize = sizeof(struct range_iter),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_dealloc = range_iter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = range_iter_next,
    .tp_methods = range_iterator_methods,
};

PyTypeObject PyLongRangeIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "longrange_iterator",
    .tp_basicsize = sizeof(struct long_range_iter),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_dealloc = long_range_iter_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = long_range_iter_next,
    .tp_methods = longrange_iterator_methods,
};

PyTypeObject *const range_types[] = {&PyRange_Type, &PyRangeIter_Type, &PyLongRangeIter_Type, NULL};
