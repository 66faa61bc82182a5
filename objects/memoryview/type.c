/* The types memoryview and memory_iterator. */
#include "objects/memoryview/memoryview.h"

#include "objects/bytes.h"
#include "objects/hash.h"
#include "objects/memoryview/object.h"

#include "memoryview.bind.h"

#include <stddef.h>
#include <string.h>

/* ---- Methods ---------------------------------------------------------------------------------------- */

static PyObject *viewm_new(PyTypeObject *Py_UNUSED(type), PyObject *object)
{
    return PyMemoryView_FromObject(object);
}

static PyObject *viewm_from_flags(PyTypeObject *Py_UNUSED(type), PyObject *object, int flags)
{
    return view_from_flags(object, flags);
}

static int viewm_release(PyObject *self)
{
    return view_release(self);
}

static PyObject *viewm_enter(PyObject *self)
{
    return view_check_released(self) < 0 ? NULL : Py_NewRef(self);
}

static PyObject *viewm_exit(PyObject *self, PyObject *Py_UNUSED(args))
{
    int result;
    Py_BEGIN_CRITICAL_SECTION(self);
    result = view_release(self);
    Py_END_CRITICAL_SECTION();
    return result < 0 ? NULL : Py_None;
}

/* The data in the order 'C', 'F' or 'A', as bytes. */
static PyObject *copy_as_bytes(PyObject *self, char order)
{
    const Py_buffer *view = view_of(self);
    PyObject *bytes = bytes_new(view->len);
    if (bytes != NULL && view->len > 0
        && PyBuffer_ToContiguous(bytes_data(bytes), view, view->len, order) < 0) {
        Py_CLEAR(bytes);
    }
    return bytes;
}

static PyObject *viewm_tobytes(PyObject *self, const char *order)
{
    char letter = 'C';
    if (view_check_released(self) < 0) {
        return NULL;
    }
    if (order != NULL) {
        if (strcmp(order, "F") != 0 && strcmp(order, "C") != 0 && strcmp(order, "A") != 0) {
            PyErr_SetString(PyExc_ValueError, "order must be 'C', 'F' or 'A'");
            return NULL;
        }
        letter = order[0];
    }
    return copy_as_bytes(self, letter);
}

static PyObject *viewm_hex(PyObject *self, PyObject *sep, int bytes_per_sep)
{
    const Py_buffer *view = view_of(self);
    if (view_check_released(self) < 0) {
        return NULL;
    }
    if (view_is_c_contiguous(self)) {
        return bytes_to_hex(view->buf, view->len, sep, bytes_per_sep, false);
    }
    PyObject *bytes = copy_as_bytes(self, 'C');
    if (bytes == NULL) {
        return NULL;
    }
    PyObject *result = bytes_to_hex(bytes_data(bytes), bytes_len(bytes), sep, bytes_per_sep, false);
    Py_DECREF(bytes);
    return result;
}

static PyObject *viewm_tolist(PyObject *self)
{
    return view_tolist(self);
}

static PyObject *viewm_cast(PyObject *self, PyObject *format, PyObject *shape)
{
    return view_cast(self, format, shape);
}

static PyObject *viewm_toreadonly(PyObject *self)
{
    if (view_check_released(self) < 0 || view_check_restricted(self) < 0) {
        return NULL;
    }
    PyObject *result = view_of_managed(((PyMemoryViewObject *)self)->mbuf, view_of(self));
    if (result != NULL) {
        view_of(result)->readonly = 1;
    }
    return result;
}

/* ---- Attributes --------------------------------------------------------------------------------------- */

#define GETTER(name, expression)                                                                   \
    static PyObject *viewm_get_##name(PyObject *self)                                              \
    {                                                                                              \
        const Py_buffer *view = view_of(self);                                                     \
        if (view_check_released(self) < 0) {                                                       \
            return NULL;                                                                           \
        }                                                                                          \
        (void)view;                                                                                \
        return expression;                                                                         \
    }

static PyObject *numbers(const Py_ssize_t *values, int count)
{
    if (values == NULL) {
        return PyTuple_New(0);
    }
    PyObject *tuple = PyTuple_New(count);
    for (int i = 0; tuple != NULL && i < count; i++) {
        PyObject *number = PyLong_FromSsize_t(values[i]);
        if (number == NULL) {
            Py_CLEAR(tuple);
        } else {
            PyTuple_SET_ITEM(tuple, i, number);
        }
    }
    return tuple;
}

static bool has_layout(PyObject *self, int flags)
{
    return ((PyMemoryViewObject *)self)->flags & flags;
}

GETTER(obj, Py_NewRef(view->obj == NULL ? Py_None : view->obj))
GETTER(nbytes, PyLong_FromSsize_t(view->len))
GETTER(readonly, PyBool_FromLong(view->readonly))
GETTER(itemsize, PyLong_FromSsize_t(view->itemsize))
GETTER(format, PyUnicode_FromString(view->format))
GETTER(ndim, PyLong_FromLong(view->ndim))
GETTER(shape, numbers(view->shape, view->ndim))
GETTER(strides, numbers(view->strides, view->ndim))
GETTER(suboffsets, numbers(view->suboffsets, view->ndim))
GETTER(c_contiguous, PyBool_FromLong(has_layout(self, _Py_MEMORYVIEW_SCALAR | _Py_MEMORYVIEW_C)))
GETTER(f_contiguous,
       PyBool_FromLong(has_layout(self, _Py_MEMORYVIEW_SCALAR | _Py_MEMORYVIEW_FORTRAN)))
GETTER(contiguous, PyBool_FromLong(has_layout(self, _Py_MEMORYVIEW_SCALAR | _Py_MEMORYVIEW_C
                                                        | _Py_MEMORYVIEW_FORTRAN)))

/* ---- Slots ---------------------------------------------------------------------------------------------- */

static PyObject *view_repr(PyObject *self)
{
    bool released = has_layout(self, _Py_MEMORYVIEW_RELEASED);
    return PyUnicode_FromFormat(released ? "<released memory at %p>" : "<memory at %p>", self);
}

static Py_hash_t hash_view(PyObject *self)
{
    PyMemoryViewObject *m = (PyMemoryViewObject *)self;
    const Py_buffer *view = &m->view;
    if (m->hash != -1) {
        return m->hash;
    }
    if (view_check_released(self) < 0) {
        return -1;
    }
    if (!view->readonly) {
        PyErr_SetString(PyExc_ValueError, "cannot hash writable memoryview object");
        return -1;
    }
    char format = format_native(view->format);
    if (format != 'B' && format != 'b' && format != 'c') {
        PyErr_SetString(PyExc_ValueError,
                        "memoryview: hashing is restricted to formats 'B', 'b' or 'c'");
        return -1;
    }
    if (view->obj != NULL && PyObject_Hash(view->obj) == -1) {
        return -1; /* what it looks at must be hashable too */
    }
    if (view_is_c_contiguous(self)) {
        m->hash = hash_bytes(view->buf, view->len);
        return m->hash;
    }
    PyObject *bytes = copy_as_bytes(self, 'C');
    if (bytes == NULL) {
        return -1;
    }
    m->hash = hash_bytes(bytes_data(bytes), bytes_len(bytes));
    Py_DECREF(bytes);
    return m->hash;
}

static PyObject *view_iter(PyObject *self);

static PySequenceMethods sequence_slots = {
    .sq_length = view_length,
    .sq_item = view_item,
};

static PyMappingMethods mapping_slots = {
    .mp_length = view_length,
    .mp_subscript = view_subscript,
    .mp_ass_subscript = view_assign_subscript,
};

static PyBufferProcs buffer_slots = {
    .bf_getbuffer = view_getbuffer,
    .bf_releasebuffer = view_releasebuffer,
};

PyTypeObject PyMemoryView_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "memoryview",
    .tp_basicsize = offsetof(PyMemoryViewObject, ob_array),
    .tp_itemsize = sizeof(Py_ssize_t),
    .tp_dealloc = view_dealloc,
    .tp_repr = view_repr,
    .tp_as_sequence = &sequence_slots,
    .tp_as_mapping = &mapping_slots,
    .tp_hash = hash_view,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_as_buffer = &buffer_slots,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_SEQUENCE,
    .tp_doc = viewm_doc,
    .tp_traverse = view_traverse,
    .tp_clear = view_clear,
    .tp_richcompare = view_richcompare,
    .tp_weaklistoffset = offsetof(PyMemoryViewObject, weakreflist),
    .tp_iter = view_iter,
    .tp_methods = viewm_methods,
    .tp_getset = viewm_getset,
    .tp_new = bind_viewm_new,
};

/* ---- The iterator ---------------------------------------------------------------------------------------- */

struct view_iterator {
    PyObject_HEAD
    Py_ssize_t index, length;
    PyObject *view; /* owned; NULL when done */
};

static PyObject *view_iter(PyObject *self)
{
    const Py_buffer *view = view_of(self);
    if (view_check_released(self) < 0) {
        return NULL;
    }
    if (view->ndim == 0) {
        PyErr_SetString(PyExc_TypeError, "invalid indexing of 0-dim memory");
        return NULL;
    }
    if (view->ndim != 1) {
        PyErr_SetString(PyExc_NotImplementedError,
                        "multi-dimensional sub-views are not implemented");
        return NULL;
    }
    if (format_native(view->format) == 0) {
        PyErr_Format(PyExc_NotImplementedError, "memoryview: format %s not supported",
                     view->format);
        return NULL;
    }
    struct view_iterator *it = PyObject_GC_New(struct view_iterator, &_PyMemoryIter_Type);
    if (it != NULL) {
        it->index = 0;
        it->length = view->shape[0];
        it->view = Py_NewRef(self);
        PyObject_GC_Track(it);
    }
    return (PyObject *)it;
}

static void iterator_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_XDECREF(((struct view_iterator *)self)->view);
    PyObject_GC_Del(self);
}

static int iterator_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((struct view_iterator *)self)->view);
    return 0;
}

static PyObject *iterator_next(PyObject *self)
{
    struct view_iterator *it = (struct view_iterator *)self;
    Py_ssize_t i = __atomic_fetch_add(&it->index, 1, __ATOMIC_RELAXED);
    if (i < 0 || i >= it->length) {
        __atomic_store_n(&it->index, it->length, __ATOMIC_RELAXED);
        return NULL;
    }
    return view_item(it->view, i);
}

PyTypeObject _PyMemoryIter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "memory_iterator",
    .tp_basicsize = sizeof(struct view_iterator),
    .tp_dealloc = iterator_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = iterator_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = iterator_next,
};

PyTypeObject *const memoryview_types[] = {
    &PyMemoryView_Type,
    &_PyManagedBuffer_Type,
    &_PyMemoryIter_Type,
    NULL,
};
