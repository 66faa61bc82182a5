/* Adding, removing and finding items, and changing their order.  The array is locked. */
#include "array.h"

/* Puts one item in at `at`.  Setting it may run code, so it is converted first. */
static int array_insert_value(struct array *self, Py_ssize_t at, PyObject *value)
{
    char item[ITEM_MAX];
    if (self->kind->set(item, value) < 0) {
        return -1;
    }
    return array_splice(self, Py_MIN(at, Py_SIZE(self)), 0, item, 1);
}

int array_append(struct array *self, PyObject *value)
{
    char item[ITEM_MAX];
    if (self->kind->set(item, value) < 0) {
        return -1;
    }
    Py_ssize_t size = Py_SIZE(self);
    if (array_resize(self, size + 1) < 0) {
        return -1;
    }
    memcpy(item_at(self, size), item, (size_t)self->kind->size);
    return 0;
}

int array_insert(struct array *self, Py_ssize_t i, PyObject *value)
{
    if (i < 0) {
        i = Py_MAX(i + Py_SIZE(self), 0);
    }
    return array_insert_value(self, i, value);
}

PyObject *array_pop(struct array *self, Py_ssize_t i)
{
    if (Py_SIZE(self) == 0) {
        PyErr_SetString(PyExc_IndexError, "pop from empty array");
        return NULL;
    }
    i = i < 0 ? i + Py_SIZE(self) : i;
    if (i < 0 || i >= Py_SIZE(self)) {
        PyErr_SetString(PyExc_IndexError, "pop index out of range");
        return NULL;
    }
    PyObject *item = self->kind->get(item_at(self, i));
    if (item != NULL && array_splice(self, i, 1, NULL, 0) < 0) {
        Py_CLEAR(item);
    }
    return item;
}

int array_clear(struct array *self)
{
    return array_resize(self, 0);
}

/* Whether item i is equal to value: 1, 0, or -1 on error. */
static int item_is(struct array *self, Py_ssize_t i, PyObject *value)
{
    PyObject *item = self->kind->get(item_at(self, i));
    int equal = item ? PyObject_RichCompareBool(item, value, Py_EQ) : -1;
    Py_XDECREF(item);
    return equal;
}

/* The index of the first item equal to value; Py_SIZE if there is none, -1 on error. */
static Py_ssize_t array_find(struct array *self, PyObject *value, Py_ssize_t start, Py_ssize_t stop)
{
    for (Py_ssize_t i = start; i < Py_SIZE(self) && i < stop; i++) {
        int equal = item_is(self, i, value);
        if (equal != 0) {
            return equal < 0 ? -1 : i;
        }
    }
    return PY_SSIZE_T_MAX;
}

Py_ssize_t array_count(struct array *self, PyObject *value)
{
    Py_ssize_t count = 0;
    for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) {
        int equal = item_is(self, i, value);
        if (equal < 0) {
            return -1;
        }
        count += equal;
    }
    return count;
}

Py_ssize_t array_index(struct array *self, PyObject *value, Py_ssize_t start, Py_ssize_t stop)
{
    start = start < 0 ? Py_MAX(start + Py_SIZE(self), 0) : start;
    stop = stop < 0 ? stop + Py_SIZE(self) : stop;
    Py_ssize_t i = array_find(self, value, start, stop);
    if (i == PY_SSIZE_T_MAX) {
        PyErr_SetString(PyExc_ValueError, "array.index(x): x not in array");
        return -1;
    }
    return i;
}

int array_remove(struct array *self, PyObject *value)
{
    Py_ssize_t i = array_find(self, value, 0, PY_SSIZE_T_MAX);
    if (i == PY_SSIZE_T_MAX) {
        PyErr_SetString(PyExc_ValueError, "array.remove(x): x not in array");
        return -1;
    }
    return i < 0 || i >= Py_SIZE(self) ? (i < 0 ? -1 : 0) : array_splice(self, i, 1, NULL, 0);
}

static int array_contains_locked(struct array *self, PyObject *value)
{
    Py_ssize_t i = array_find(self, value, 0, PY_SSIZE_T_MAX);
    return i < 0 ? -1 : i != PY_SSIZE_T_MAX;
}

int array_contains(PyObject *op, PyObject *value)
{
    return LOCKED(op, array_contains_locked((struct array *)op, value));
}

void array_reverse(struct array *self)
{
    size_t unit = (size_t)self->kind->size;
    char held[ITEM_MAX];
    for (Py_ssize_t i = 0, j = Py_SIZE(self) - 1; i < j; i++, j--) {
        memcpy(held, item_at(self, i), unit);
        memcpy(item_at(self, i), item_at(self, j), unit);
        memcpy(item_at(self, j), held, unit);
    }
}

int array_byteswap(struct array *self)
{
    int unit = self->kind->size;
    for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) {
        char *at = item_at(self, i);
        for (int a = 0, b = unit - 1; a < b; a++, b--) {
            char byte = at[a];
            at[a] = at[b];
            at[b] = byte;
        }
    }
    return 0;
}
