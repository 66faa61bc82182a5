/* memoryview: what its files share.
 *
 * A managed buffer owns one export of an object; memoryviews of the same memory share it and give it
 * back when the last of them is released.  Functions that look at the memory expect the view's critical
 * section to be held, so that no other thread releases it meanwhile. */
#ifndef KRAIT_OBJECTS_MEMORYVIEW_H
#define KRAIT_OBJECTS_MEMORYVIEW_H

#include <Python.h>

#include <stdbool.h>
#include <stdint.h>

extern PyTypeObject _PyManagedBuffer_Type, _PyMemoryIter_Type;

static inline Py_buffer *view_of(PyObject *self)
{
    return &((PyMemoryViewObject *)self)->view;
}

/* ValueError and -1 if the view, or what it looks at, was released. */
int view_check_released(PyObject *self);

/* The same if __release_buffer__ has the view and nobody may make others of it. */
int view_check_restricted(PyObject *self);

/* A new view of the same memory with the format, shape and strides of `layout`. */
PyObject *view_of_managed(_PyManagedBufferObject *managed, const Py_buffer *layout);
/* Sets the contiguity flags of a view whose layout has changed. */
void view_update_flags(PyMemoryViewObject *self);
static inline bool view_is_c_contiguous(PyObject *self)
{
    return ((PyMemoryViewObject *)self)->flags & (_Py_MEMORYVIEW_SCALAR | _Py_MEMORYVIEW_C);
}

/* The letter of a native single-character format ("B", "@i"), 0 for any other. */
char format_native(const char *format);
/* Size of an item of that format, -1 for an unknown letter. */
Py_ssize_t format_size(char letter);
/* The value of an item: new reference. */
PyObject *item_unpack(const char *item, const char *format);
/* Stores a value; TypeError or ValueError and -1. */
int item_pack(char *item, PyObject *value, const char *format);
/* Equality of two items with native formats: 1, 0, or -1 if only the values can tell. */
int items_equal_native(const char *a, char format_a, const char *b, char format_b);

PyObject *view_richcompare(PyObject *a, PyObject *b, int op);
PyObject *view_subscript(PyObject *self, PyObject *key);
int view_assign_subscript(PyObject *self, PyObject *key, PyObject *value);
PyObject *view_item(PyObject *self, Py_ssize_t index);
Py_ssize_t view_length(PyObject *self);
PyObject *view_tolist(PyObject *self);
PyObject *view_cast(PyObject *self, PyObject *format, PyObject *shape);
int view_release(PyObject *self);

/* Copies the items of `from` to `to`, which have the same format and shape; they may overlap. */
int buffer_copy(const Py_buffer *to, const Py_buffer *from);

#endif
