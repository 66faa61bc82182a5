/* Arrays as sequences: indices, slices, sums and multiples. */
#include "array.h"

static PyObject *array_slice_copy(struct array *self, Py_ssize_t start, Py_ssize_t count)
{
    struct arrays_state *state = state_of(Py_TYPE(self));
    struct array *copy =
        state ? array_make((PyTypeObject *)state->array_type, count, self->kind) : NULL;
    if (copy != NULL && count > 0) {
        memcpy(copy->items, item_at(self, start), (size_t)(count * self->kind->size));
    }
    return (PyObject *)copy;
}

PyObject *array_copy(struct array *self)
{
    return array_slice_copy(self, 0, Py_SIZE(self));
}

PyObject *array_deepcopy(struct array *self, PyObject *Py_UNUSED(memo))
{
    return array_copy(self);
}

Py_ssize_t array_length(PyObject *op)
{
    return __atomic_load_n(&((PyVarObject *)op)->ob_size, __ATOMIC_RELAXED);
}

static PyObject *array_item_locked(struct array *self, Py_ssize_t i)
{
    if (i < 0 || i >= Py_SIZE(self)) {
        PyErr_SetString(PyExc_IndexError, "array index out of range");
        return NULL;
    }
    return self->kind->get(item_at(self, i));
}

PyObject *array_item(PyObject *op, Py_ssize_t i)
{
    return LOCKED(op, array_item_locked((struct array *)op, i));
}

static int array_assign_locked(struct array *self, Py_ssize_t i, PyObject *value)
{
    char item[ITEM_MAX];
    if (i < 0 || i >= Py_SIZE(self)) {
        PyErr_SetString(PyExc_IndexError, "array assignment index out of range");
        return -1;
    }
    if (value == NULL) {
        return array_splice(self, i, 1, NULL, 0);
    }
    if (self->kind->set(item, value) < 0) {
        return -1;
    }
    if (i >= Py_SIZE(self)) { /* converting it has changed the array */
        PyErr_SetString(PyExc_IndexError, "array assignment index out of range");
        return -1;
    }
    memcpy(item_at(self, i), item, (size_t)self->kind->size);
    return 0;
}

int array_assign(PyObject *op, Py_ssize_t i, PyObject *value)
{
    return LOCKED(op, array_assign_locked((struct array *)op, i, value));
}

static PyObject *array_subscript_slice(struct array *self, Py_ssize_t start, Py_ssize_t stop,
                                       Py_ssize_t step)
{
    Py_ssize_t count = PySlice_AdjustIndices(Py_SIZE(self), &start, &stop, step);
    if (step == 1 || count == 0) {
        return array_slice_copy(self, start, count);
    }
    struct arrays_state *state = state_of(Py_TYPE(self));
    struct array *part =
        state ? array_make((PyTypeObject *)state->array_type, count, self->kind) : NULL;
    for (Py_ssize_t i = 0; part != NULL && i < count; i++) {
        memcpy(item_at(part, i), item_at(self, start + i * step), (size_t)self->kind->size);
    }
    return (PyObject *)part;
}

PyObject *array_subscript(PyObject *op, PyObject *key)
{
    struct array *self = (struct array *)op;
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) {
            return NULL;
        }
        return LOCKED(op, array_item_locked(self, i < 0 ? i + Py_SIZE(self) : i));
    }
    if (!PySlice_Check(key)) {
        PyErr_SetString(PyExc_TypeError, "array indices must be integers");
        return NULL;
    }
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(key, &start, &stop, &step) < 0) {
        return NULL;
    }
    return LOCKED(op, array_subscript_slice(self, start, stop, step));
}

/* Removes every step-th of `count` items from start on; step is positive. */
static int array_delete_steps(struct array *self, Py_ssize_t start, Py_ssize_t count,
                              Py_ssize_t step)
{
    Py_ssize_t to = start, size = Py_SIZE(self);
    if (self->exports > 0) {
        return array_resize(self, size - count);
    }
    for (Py_ssize_t from = start; from < size; from++) {
        bool removed = (from - start) % step == 0 && (from - start) / step < count;
        if (!removed) {
            memcpy(item_at(self, to++), item_at(self, from), (size_t)self->kind->size);
        }
    }
    return array_resize(self, size - count);
}

static int array_assign_slice(struct array *self, const Py_ssize_t slice[3], struct array *other)
{
    Py_ssize_t start = slice[0], stop = slice[1], step = slice[2];
    Py_ssize_t count = PySlice_AdjustIndices(Py_SIZE(self), &start, &stop, step);
    Py_ssize_t needed = other ? Py_SIZE(other) : 0;
    if (step == 1) {
        return array_splice(self, start, count, other ? other->items : NULL, needed);
    }
    if (needed == 0 && (other == NULL || count == 0)) {
        if (step < 0 && count > 0) {
            start += step * (count - 1);
            step = -step;
        }
        return count == 0 ? 0 : array_delete_steps(self, start, count, step);
    }
    if (needed != count) {
        PyErr_Format(PyExc_ValueError,
                     "attempt to assign array of size %zd to extended slice of size %zd", needed,
                     count);
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        memcpy(item_at(self, start + i * step), item_at(other, i), (size_t)self->kind->size);
    }
    return 0;
}

int array_subscript_assign(PyObject *op, PyObject *key, PyObject *value)
{
    struct array *self = (struct array *)op;
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) {
            return -1;
        }
        return LOCKED(op, array_assign_locked(self, i < 0 ? i + Py_SIZE(self) : i, value));
    }
    if (!PySlice_Check(key)) {
        PyErr_SetString(PyExc_TypeError, "array indices must be integers");
        return -1;
    }
    Py_ssize_t slice[3];
    if (PySlice_Unpack(key, &slice[0], &slice[1], &slice[2]) < 0) {
        return -1;
    }
    if (value == NULL) {
        return LOCKED(op, array_assign_slice(self, slice, NULL));
    }
    if (!is_array(self, value)) {
        PyErr_Format(PyExc_TypeError, "can only assign array (not \"%.200s\") to array slice",
                     Py_TYPE(value)->tp_name);
        return -1;
    }
    struct array *other = (struct array *)value;
    if (other->kind != self->kind) {
        PyErr_BadArgument();
        return -1;
    }
    PyObject *copy = value == op ? LOCKED(op, array_copy(self)) : Py_NewRef(value);
    if (copy == NULL) {
        return -1;
    }
    int rc = LOCKED2(op, copy, array_assign_slice(self, slice, (struct array *)copy));
    Py_DECREF(copy);
    return rc;
}

static PyObject *array_concat_locked(struct array *self, struct array *other)
{
    Py_ssize_t a = Py_SIZE(self), b = Py_SIZE(other), unit = self->kind->size;
    struct arrays_state *state = state_of(Py_TYPE(self));
    if (state == NULL || a > PY_SSIZE_T_MAX - b) {
        return state ? PyErr_NoMemory() : NULL;
    }
    struct array *sum = array_make((PyTypeObject *)state->array_type, a + b, self->kind);
    if (sum != NULL && a > 0) {
        memcpy(sum->items, self->items, (size_t)(a * unit));
    }
    if (sum != NULL && b > 0) {
        memcpy(sum->items + a * unit, other->items, (size_t)(b * unit));
    }
    return (PyObject *)sum;
}

PyObject *array_concat(PyObject *op, PyObject *other)
{
    struct array *self = (struct array *)op;
    if (!is_array(self, other)) {
        PyErr_Format(PyExc_TypeError, "can only append array (not \"%.200s\") to array",
                     Py_TYPE(other)->tp_name);
        return NULL;
    }
    if (self->kind != ((struct array *)other)->kind) {
        PyErr_BadArgument();
        return NULL;
    }
    return LOCKED2(op, other, array_concat_locked(self, (struct array *)other));
}

PyObject *array_inplace_concat(PyObject *op, PyObject *other)
{
    struct array *self = (struct array *)op;
    if (!is_array(self, other)) {
        PyErr_Format(PyExc_TypeError, "can only extend array with array (not \"%.200s\")",
                     Py_TYPE(other)->tp_name);
        return NULL;
    }
    int rc = LOCKED2(op, other, array_extend_array(self, (struct array *)other));
    return rc < 0 ? NULL : Py_NewRef(op);
}

/* Makes the array `n` times as long as its first `size` items. */
static int array_multiply(struct array *self, Py_ssize_t n)
{
    Py_ssize_t size = Py_SIZE(self);
    if (n <= 0 || size == 0) {
        return array_resize(self, 0);
    }
    if (size > PY_SSIZE_T_MAX / n) {
        PyErr_NoMemory();
        return -1;
    }
    if (array_resize(self, size * n) < 0) {
        return -1;
    }
    size_t done = (size_t)(size * self->kind->size), all = done * (size_t)n;
    while (done < all) {
        size_t part = Py_MIN(done, all - done);
        memcpy(self->items + done, self->items, part);
        done += part;
    }
    return 0;
}

PyObject *array_repeat(PyObject *op, Py_ssize_t n)
{
    PyObject *copy = LOCKED(op, array_copy((struct array *)op));
    if (copy != NULL && array_multiply((struct array *)copy, n) < 0) {
        Py_CLEAR(copy);
    }
    return copy;
}

PyObject *array_inplace_repeat(PyObject *op, Py_ssize_t n)
{
    int rc = n == 1 ? 0 : LOCKED(op, array_multiply((struct array *)op, n));
    return rc < 0 ? NULL : Py_NewRef(op);
}
