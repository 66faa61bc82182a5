/*
 * tuple: the immutable sequence, its iterator, and the C API of both.
 */
#include "objects/tuple.h"
#include "objects/gc/gc.h"
#include "objects/compare.h"
#include "objects/iter.h"
#include "objects/key.h"
#include "objects/object.h"
#include "objects/str.h"
#include "objects/value.h"

PyTupleObject tuple_empty = {
    .ob_base = {.ob_base = PyObject_HEAD_INIT(&PyTuple_Type)},
};

#define EMPTY ((PyObject *)&tuple_empty)

/* ---- making ---------------------------------------------------------------------------------- */

PyTupleObject *tuple_alloc_large(Py_ssize_t n)
{
    if ((size_t)n > (PY_SSIZE_T_MAX - sizeof(PyTupleObject)) / sizeof(PyObject *)) {
        return (PyTupleObject *)PyErr_NoMemory();
    }
    PyTupleObject *t = (PyTupleObject *)birth_of_container(&PyTuple_Type, tuple_bytes(n));
    if (likely(t != NULL)) {
        t->ob_base.ob_size = n;
    }
    return t;
}

PyObject *PyTuple_New(Py_ssize_t n)
{
    if (n < 0) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (n == 0) {
        return EMPTY;
    }
    PyTupleObject *t = tuple_alloc(n);
    if (t == NULL) {
        return NULL;
    }
    memset(t->ob_item, 0, (size_t)n * sizeof(PyObject *));
    return tuple_ready(t);
}

PyObject *tuple_from_array(PyObject *const *items, Py_ssize_t n)
{
    if (n == 0) {
        return EMPTY;
    }
    PyTupleObject *t = tuple_alloc(n);
    if (t == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        t->ob_item[i] = Py_NewRef(items[i]);
    }
    return tuple_ready(t);
}

PyObject *tuple_from_array_steal(PyObject *const *items, Py_ssize_t n)
{
    if (n == 0) {
        return EMPTY;
    }
    PyTupleObject *t = tuple_alloc(n);
    if (t == NULL) {
        for (Py_ssize_t i = 0; i < n; i++) {
            Py_DECREF(items[i]);
        }
        return NULL;
    }
    memcpy(t->ob_item, items, (size_t)n * sizeof(PyObject *));
    return tuple_ready(t);
}

PyObject *tuple_pair_steal(PyObject *a, PyObject *b)
{
    PyTupleObject *t = tuple_alloc(2);
    if (t == NULL) {
        Py_DECREF(a);
        Py_DECREF(b);
        return NULL;
    }
    t->ob_item[0] = a;
    t->ob_item[1] = b;
    return tuple_ready(t);
}

PyObject *tuple_pair_again(PyObject *iterator, PyObject **kept, PyObject *a, PyObject *b)
{
    PyObject *pair = *kept;
    if (unlikely(!ref_is_mine(iterator))) {
        return tuple_pair_steal(a, b);
    }
    if (unlikely(pair == NULL || !ref_is_unique(pair))) {
        pair = tuple_pair_steal(a, b);
        Py_XSETREF(*kept, Py_XNewRef(pair));
        return pair;
    }
    PyObject *old_a = tuple_items(pair)[0], *old_b = tuple_items(pair)[1];
    Py_INCREF(pair);
    tuple_items(pair)[0] = a;
    tuple_items(pair)[1] = b;
    if (!(field_load(object_gc_byte_small(pair)) & GC_TRACKED)) {
        gc_track(pair);
    }
    Py_DECREF(old_a);
    Py_DECREF(old_b);
    return pair;
}

PyObject *PyTuple_Pack(Py_ssize_t n, ...)
{
    if (n == 0) {
        return EMPTY;
    }
    if (n < 0) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PyTupleObject *t = tuple_alloc(n);
    if (t == NULL) {
        return NULL;
    }
    va_list items;
    va_start(items, n);
    for (Py_ssize_t i = 0; i < n; i++) {
        t->ob_item[i] = Py_NewRef(va_arg(items, PyObject *));
    }
    va_end(items);
    return tuple_ready(t);
}

PyObject *tuple_slice(PyTupleObject *t, Py_ssize_t low, Py_ssize_t high)
{
    if (low == 0 && high == Py_SIZE(t) && PyTuple_CheckExact(t)) {
        return Py_NewRef(t);
    }
    return tuple_from_array(t->ob_item + low, high - low);
}

/* ---- the C API ------------------------------------------------------------------------------- */

Py_ssize_t PyTuple_Size(PyObject *op)
{
    if (!PyTuple_Check(op)) {
        PyErr_BadInternalCall();
        return -1;
    }
    return Py_SIZE(op);
}

PyObject *PyTuple_GetItem(PyObject *op, Py_ssize_t i)
{
    if (!PyTuple_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (i < 0 || i >= Py_SIZE(op)) {
        PyErr_SetString(PyExc_IndexError, "tuple index out of range");
        return NULL;
    }
    return tuple_items(op)[i];
}

int PyTuple_SetItem(PyObject *op, Py_ssize_t i, PyObject *item)
{
    if (!PyTuple_Check(op) || Py_REFCNT(op) != 1) {
        Py_XDECREF(item);
        PyErr_BadInternalCall();
        return -1;
    }
    if (i < 0 || i >= Py_SIZE(op)) {
        Py_XDECREF(item);
        PyErr_SetString(PyExc_IndexError, "tuple assignment index out of range");
        return -1;
    }
    Py_XSETREF(tuple_items(op)[i], item);
    return 0;
}

PyObject *PyTuple_GetSlice(PyObject *op, Py_ssize_t low, Py_ssize_t high)
{
    if (op == NULL || !PyTuple_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    Py_ssize_t size = Py_SIZE(op);
    low = low < 0 ? 0 : low > size ? size : low;
    high = high > size ? size : high < low ? low : high;
    return tuple_slice((PyTupleObject *)op, low, high);
}

int _PyTuple_Resize(PyObject **slot, Py_ssize_t size)
{
    PyObject *old = *slot;
    if (old == NULL || !PyTuple_CheckExact(old) || size < 0
        || (Py_SIZE(old) != 0 && Py_REFCNT(old) != 1)) {
        *slot = NULL;
        Py_XDECREF(old);
        PyErr_BadInternalCall();
        return -1;
    }
    Py_ssize_t old_size = Py_SIZE(old);
    if (size == old_size) {
        return 0;
    }
    PyObject *fresh = PyTuple_New(size);
    if (fresh != NULL) {
        PyObject **from = tuple_items(old);
        Py_ssize_t kept = size < old_size ? size : old_size;
        memcpy(tuple_items(fresh), from, (size_t)kept * sizeof(PyObject *));
        memset(from, 0, (size_t)kept * sizeof(PyObject *));
    }
    *slot = fresh;
    Py_DECREF(old);
    return fresh == NULL ? -1 : 0;
}

/* ---- slots ----------------------------------------------------------------------------------- */

static void tuple_dealloc(PyObject *op)
{
    if (op == EMPTY) {
        return;
    }
    PyTupleObject *t = (PyTupleObject *)op;
    Py_ssize_t n = Py_SIZE(op);
    bool small = PyTuple_CheckExact(op) && n <= TUPLE_SMALL;
    if (likely(small)) {
        gc_untrack_dead(op);
    } else {
        gc_untrack(op);
    }
    for (Py_ssize_t i = n; --i >= 0;) {
        FEW_TIMES();
        Py_XDECREF(t->ob_item[i]);
    }
    if (likely(small)) {
        death_of_container(op, tuple_bytes(n));
    } else if (PyTuple_CheckExact(op)) {
        slab_free(op);
    } else {
        Py_TYPE(op)->tp_free(op);
    }
}

static int tuple_traverse(PyObject *op, visitproc visit, void *arg)
{
    PyTupleObject *t = (PyTupleObject *)op;
    for (Py_ssize_t i = Py_SIZE(op); --i >= 0;) {
        Py_VISIT(t->ob_item[i]);
    }
    return 0;
}

static PyObject *tuple_repr(PyObject *op)
{
    Py_ssize_t n = Py_SIZE(op);
    if (n == 0) {
        return PyUnicode_FromString("()");
    }
    int entered = Py_ReprEnter(op);
    if (entered != 0) {
        return entered > 0 ? PyUnicode_FromString("(...)") : NULL;
    }
    str_writer w;
    str_writer_init(&w);
    PyObject *text = NULL;
    if (str_writer_char(&w, '(') < 0) {
        goto done;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        if ((i > 0 && str_writer_ascii(&w, ", ", 2) < 0)
            || str_writer_repr(&w, tuple_items(op)[i]) < 0) {
            goto done;
        }
    }
    if (str_writer_ascii(&w, n == 1 ? ",)" : ")", -1) == 0) {
        text = str_writer_finish(&w);
        Py_ReprLeave(op);
        return text;
    }
done:
    str_writer_drop(&w);
    Py_ReprLeave(op);
    return NULL;
}

/* xxHash's mixing, with the constants that make hash(tuple) what every Python prints. */
#define LANE_PRIME_1 11400714785074694791ull
#define LANE_PRIME_2 14029467366897019727ull
#define LANE_PRIME_5 2870177450012600261ull

static inline uint64_t hash_lane(uint64_t acc, Py_hash_t lane)
{
    acc += (uint64_t)lane * LANE_PRIME_2;
    acc = (acc << 31) | (acc >> 33);
    return acc * LANE_PRIME_1;
}

static inline Py_hash_t hash_end(uint64_t acc, Py_ssize_t n)
{
    acc += (uint64_t)n ^ (LANE_PRIME_5 ^ 3527539ull);
    return acc == (uint64_t)-1 ? 1546275796 : (Py_hash_t)acc;
}

Py_hash_t tuple_hash_of(const Py_hash_t *hashes, Py_ssize_t n)
{
    uint64_t acc = LANE_PRIME_5;
    for (Py_ssize_t i = 0; i < n; i++) {
        acc = hash_lane(acc, hashes[i]);
    }
    return hash_end(acc, n);
}

static Py_hash_t tuple_hash(PyObject *op)
{
    uint64_t acc = LANE_PRIME_5;
    Py_ssize_t n = Py_SIZE(op);
    if (stack_check(" while hashing") < 0) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_hash_t lane = key_hash(tuple_items(op)[i]);
        if (lane == -1) {
            return -1;
        }
        acc = hash_lane(acc, lane);
    }
    return hash_end(acc, n);
}

static PyObject *tuple_richcompare(PyObject *a, PyObject *b, int operation)
{
    if (!PyTuple_Check(a) || !PyTuple_Check(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    Py_ssize_t na = Py_SIZE(a), nb = Py_SIZE(b), n = na < nb ? na : nb, i;
    for (i = 0; i < n; i++) {
        PyObject *x = tuple_items(a)[i], *y = tuple_items(b)[i];
        int equal = x == y ? 1 : compare_plain(x, y, Py_EQ);
        if (equal < 0) {
            equal = loop_pause(i) < 0 ? -1 : PyObject_RichCompareBool(x, y, Py_EQ);
        }
        if (equal < 0) {
            return NULL;
        }
        if (!equal) {
            break;
        }
    }
    if (i == n) {
        Py_RETURN_RICHCOMPARE(na, nb, operation);
    }
    if (operation == Py_EQ || operation == Py_NE) {
        return PyBool_FromLong(operation == Py_NE);
    }
    PyObject *x = tuple_items(a)[i], *y = tuple_items(b)[i];
    int truth = compare_plain(x, y, operation);
    return truth < 0 ? PyObject_RichCompare(x, y, operation) : PyBool_FromLong(truth);
}

int tuple_equals_plain(PyObject *a, PyObject *b)
{
    Py_ssize_t n = Py_SIZE(a);
    if (n != Py_SIZE(b)) {
        return 0;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *x = tuple_items(a)[i], *y = tuple_items(b)[i];
        if (x != y) {
            /* One level only: those in it may be deep. */
            int equal = PyTuple_CheckExact(x) ? -1 : key_equals_plain(x, y);
            if (equal <= 0) {
                return equal;
            }
        }
    }
    return 1;
}

static Py_ssize_t tuple_length(PyObject *op)
{
    return Py_SIZE(op);
}

static PyObject *tuple_item(PyObject *op, Py_ssize_t i)
{
    if (i < 0 || i >= Py_SIZE(op)) {
        PyErr_SetString(PyExc_IndexError, "tuple index out of range");
        return NULL;
    }
    return Py_NewRef(tuple_items(op)[i]);
}

static PyObject *tuple_subscript(PyObject *op, PyObject *key)
{
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) {
            return NULL;
        }
        return tuple_item(op, i < 0 ? i + Py_SIZE(op) : i);
    }
    if (!PySlice_Check(key)) {
        PyErr_Format(PyExc_TypeError, "tuple indices must be integers or slices, not %.200s",
                     Py_TYPE(key)->tp_name);
        return NULL;
    }
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(key, &start, &stop, &step) < 0) {
        return NULL;
    }
    Py_ssize_t n = PySlice_AdjustIndices(Py_SIZE(op), &start, &stop, step);
    if (n <= 0) {
        return EMPTY;
    }
    if (step == 1) {
        return tuple_slice((PyTupleObject *)op, start, start + n);
    }
    PyTupleObject *result = tuple_alloc(n);
    if (result == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0, from = start; i < n; i++, from += step) {
        result->ob_item[i] = Py_NewRef(tuple_items(op)[from]);
    }
    return tuple_ready(result);
}

static PyObject *tuple_concat(PyObject *a, PyObject *b)
{
    if (Py_SIZE(a) == 0 && PyTuple_CheckExact(b)) {
        return Py_NewRef(b);
    }
    if (!PyTuple_Check(b)) {
        PyErr_Format(PyExc_TypeError, "can only concatenate tuple (not \"%.200s\") to tuple",
                     Py_TYPE(b)->tp_name);
        return NULL;
    }
    if (Py_SIZE(b) == 0 && PyTuple_CheckExact(a)) {
        return Py_NewRef(a);
    }
    Py_ssize_t na = Py_SIZE(a), nb = Py_SIZE(b);
    if (na + nb == 0) {
        return EMPTY;
    }
    PyTupleObject *result = tuple_alloc(na + nb);
    if (result == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < na; i++) {
        result->ob_item[i] = Py_NewRef(tuple_items(a)[i]);
    }
    for (Py_ssize_t i = 0; i < nb; i++) {
        result->ob_item[na + i] = Py_NewRef(tuple_items(b)[i]);
    }
    return tuple_ready(result);
}

static PyObject *tuple_repeat(PyObject *op, Py_ssize_t count)
{
    Py_ssize_t n = Py_SIZE(op);
    if (PyTuple_CheckExact(op) && (n == 0 || count == 1)) {
        return Py_NewRef(op);
    }
    if (n == 0 || count <= 0) {
        return EMPTY;
    }
    if (n > PY_SSIZE_T_MAX / count) {
        return PyErr_NoMemory();
    }
    PyTupleObject *result = tuple_alloc(n * count);
    if (result == NULL) {
        return NULL;
    }
    PyObject **to = result->ob_item;
    for (Py_ssize_t round = 0; round < count; round++) {
        for (Py_ssize_t i = 0; i < n; i++) {
            *to++ = Py_NewRef(tuple_items(op)[i]);
        }
    }
    return tuple_ready(result);
}

static int tuple_contains(PyObject *op, PyObject *value)
{
    for (Py_ssize_t i = 0; i < Py_SIZE(op); i++) {
        int equal =
            loop_pause(i) < 0 ? -1 : PyObject_RichCompareBool(tuple_items(op)[i], value, Py_EQ);
        if (equal != 0) {
            return equal;
        }
    }
    return 0;
}

/* ---- methods --------------------------------------------------------------------------------- */

static PyObject *tuple_index(PyTupleObject *self, PyObject *value, Py_ssize_t start,
                             Py_ssize_t stop)
{
    Py_ssize_t n = Py_SIZE(self);
    start = start < 0 ? (start + n < 0 ? 0 : start + n) : start;
    stop = stop < 0 ? stop + n : stop > n ? n : stop;
    for (Py_ssize_t i = start; i < stop; i++) {
        int equal =
            loop_pause(i) < 0 ? -1 : PyObject_RichCompareBool(self->ob_item[i], value, Py_EQ);
        if (equal != 0) {
            return equal < 0 ? NULL : PyLong_FromSsize_t(i);
        }
    }
    PyErr_SetString(PyExc_ValueError, "tuple.index(x): x not in tuple");
    return NULL;
}

static PyObject *tuple_count(PyTupleObject *self, PyObject *value)
{
    Py_ssize_t count = 0;
    for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) {
        int equal =
            loop_pause(i) < 0 ? -1 : PyObject_RichCompareBool(self->ob_item[i], value, Py_EQ);
        if (equal < 0) {
            return NULL;
        }
        count += equal;
    }
    return PyLong_FromSsize_t(count);
}

static PyObject *tuple_getnewargs(PyTupleObject *self)
{
    PyObject *copy = tuple_from_array(self->ob_item, Py_SIZE(self));
    return copy == NULL ? NULL : tuple_from_array_steal(&copy, 1);
}

static PyObject *tuple_subtype_new(PyTypeObject *type, PyObject *iterable)
{
    PyObject *items = iterable == NULL ? EMPTY : PySequence_Tuple(iterable);
    if (items == NULL) {
        return NULL;
    }
    Py_ssize_t n = Py_SIZE(items);
    PyObject *self = type->tp_alloc(type, n);
    if (self != NULL) {
        for (Py_ssize_t i = 0; i < n; i++) {
            tuple_items(self)[i] = Py_NewRef(tuple_items(items)[i]);
        }
    }
    Py_DECREF(items);
    return self;
}

static PyObject *tuple_new(PyTypeObject *type, PyObject *iterable)
{
    if (type != &PyTuple_Type) {
        return tuple_subtype_new(type, iterable);
    }
    return iterable == NULL ? EMPTY : PySequence_Tuple(iterable);
}

static PyObject *tuple_class_getitem(PyTypeObject *type, PyObject *item)
{
    return Py_GenericAlias((PyObject *)type, item);
}

/* ---- iterator -------------------------------------------------------------------------------- */

static PyObject *tuple_iter(PyObject *op)
{
    return iter_over(&PyTupleIter_Type, op, 0);
}

static PyObject *tuple_iter_next(PyObject *op)
{
    struct index_iter *it = (struct index_iter *)op;
    Py_ssize_t i = iter_index(it);
    if (i >= 0 && i < Py_SIZE(it->seq)) {
        iter_set_index(it, i + 1);
        return Py_NewRef(tuple_items(it->seq)[i]);
    }
    return iter_finish(it);
}

static PyObject *tuple_iterator_length_hint(struct index_iter *self)
{
    Py_ssize_t i = iter_index(self);
    return PyLong_FromSsize_t(i < 0 ? 0 : Py_SIZE(self->seq) - i);
}

static PyObject *tuple_iterator_reduce(struct index_iter *self)
{
    return iter_reduce(self, ID(iter), EMPTY);
}

static PyObject *tuple_iterator_setstate(struct index_iter *self, PyObject *state)
{
    return iter_set_state(self, state, 0, self->seq == NULL ? 0 : Py_SIZE(self->seq));
}

/* ---- types ----------------------------------------------------------------------------------- */

#include "tuple.bind.h"

static PySequenceMethods tuple_as_sequence = {
    .sq_length = tuple_length,
    .sq_concat = tuple_concat,
    .sq_repeat = tuple_repeat,
    .sq_item = tuple_item,
    .sq_contains = tuple_contains,
};

static PyMappingMethods tuple_as_mapping = {
    .mp_length = tuple_length,
    .mp_subscript = tuple_subscript,
};

PyTypeObject PyTuple_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "tuple",
    .tp_basicsize = sizeof(PyTupleObject) - sizeof(PyObject *),
    .tp_itemsize = sizeof(PyObject *),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE
                | Py_TPFLAGS_TUPLE_SUBCLASS | _Py_TPFLAGS_MATCH_SELF | Py_TPFLAGS_SEQUENCE,
    .tp_doc = tuple_doc,
    .tp_dealloc = tuple_dealloc,
    .tp_traverse = tuple_traverse,
    .tp_repr = tuple_repr,
    .tp_hash = tuple_hash,
    .tp_richcompare = tuple_richcompare,
    .tp_as_sequence = &tuple_as_sequence,
    .tp_as_mapping = &tuple_as_mapping,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_iter = tuple_iter,
    .tp_methods = tuple_methods,
    .tp_new = bind_tuple_new,
    .tp_vectorcall = bind_tuple_new_vectorcall,
    .tp_free = PyObject_GC_Del,
};

PyTypeObject PyTupleIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "tuple_iterator",
    .tp_basicsize = sizeof(struct index_iter),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_dealloc = iter_dealloc,
    .tp_traverse = iter_traverse,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = tuple_iter_next,
    .tp_methods = tuple_iterator_methods,
};

PyTypeObject *const tuple_types[] = {&PyTuple_Type, &PyTupleIter_Type, NULL};
