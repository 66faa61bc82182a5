/* The memory of an array: its room, and items that come and go in the midst of it. */
#include "array.h"

int array_resize(struct array *self, Py_ssize_t size)
{
    if (self->exports > 0 && size != Py_SIZE(self)) {
        PyErr_SetString(PyExc_BufferError, "cannot resize an array that is exporting buffers");
        return -1;
    }
    bool grows = size >= Py_SIZE(self);
    if (size <= self->allocated && (grows || size >= self->allocated / 2) && self->items) {
        Py_SET_SIZE(self, size);
        return 0;
    }
    if (size == 0) {
        PyMem_Free(self->items);
        self->items = NULL;
        self->allocated = 0;
        Py_SET_SIZE(self, 0);
        return 0;
    }
    Py_ssize_t room = size + (size >> 4) + (Py_SIZE(self) < 8 ? 3 : 7);
    if (room > PY_SSIZE_T_MAX / self->kind->size) {
        PyErr_NoMemory();
        return -1;
    }
    char *items = PyMem_Realloc(self->items, (size_t)(room * self->kind->size));
    if (items == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    self->items = items;
    self->allocated = room;
    Py_SET_SIZE(self, size);
    return 0;
}

struct array *array_make(PyTypeObject *type, Py_ssize_t size, const struct kind *kind)
{
    if (size > PY_SSIZE_T_MAX / kind->size) {
        return (struct array *)PyErr_NoMemory();
    }
    struct array *self = (struct array *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->kind = kind;
    if (size > 0) {
        self->items = PyMem_Malloc((size_t)(size * kind->size));
        if (self->items == NULL) {
            Py_DECREF(self);
            return (struct array *)PyErr_NoMemory();
        }
    }
    self->allocated = size;
    Py_SET_SIZE(self, size);
    return self;
}

int array_splice(struct array *self, Py_ssize_t at, Py_ssize_t removed, const char *source,
                 Py_ssize_t count)
{
    Py_ssize_t old = Py_SIZE(self), tail = old - at - removed, change = count - removed;
    size_t unit = (size_t)self->kind->size;
    if (change > PY_SSIZE_T_MAX - old) {
        PyErr_NoMemory();
        return -1;
    }
    if (change < 0 && self->exports == 0) {
        memmove(item_at(self, at + count), item_at(self, at + removed), (size_t)tail * unit);
    }
    if (change != 0 && array_resize(self, old + change) < 0) {
        return -1;
    }
    if (change > 0) {
        memmove(item_at(self, at + count), item_at(self, at + removed), (size_t)tail * unit);
    }
    if (count > 0 && source != NULL) {
        memcpy(item_at(self, at), source, (size_t)count * unit);
    }
    return 0;
}
