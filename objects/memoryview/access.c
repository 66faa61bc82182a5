/* memoryview: items, slices, casting, copying, comparing. */
#include "objects/memoryview/memoryview.h"

#include <string.h>

/* ---- Addresses ----------------------------------------------------------------------------------------- */

/* Along one dimension: a suboffset that is not negative means that the memory holds pointers. */
static char *follow(const Py_buffer *view, char *at, int dim)
{
    if (view->suboffsets != NULL && view->suboffsets[dim] >= 0) {
        at = *(char **)at + view->suboffsets[dim];
    }
    return at;
}

static char *address_in(const Py_buffer *view, char *at, int dim, Py_ssize_t index)
{
    Py_ssize_t n = view->shape[dim];
    index = index < 0 ? index + n : index;
    if (index < 0 || index >= n) {
        PyErr_Format(PyExc_IndexError, "index out of bounds on dimension %d", dim + 1);
        return NULL;
    }
    return follow(view, at + view->strides[dim] * index, dim);
}

/* Of an item by a tuple of indices, which may run Python code: the view is checked again. */
static char *address_of_tuple(PyObject *self, PyObject *key)
{
    const Py_buffer *view = view_of(self);
    Py_ssize_t count = PyTuple_GET_SIZE(key);
    if (count > view->ndim) {
        PyErr_Format(PyExc_TypeError, "cannot index %d-dimension view with %zd-element tuple",
                     view->ndim, count);
        return NULL;
    }
    char *at = view->buf;
    for (int dim = 0; at != NULL && dim < count; dim++) {
        Py_ssize_t index = PyNumber_AsSsize_t(PyTuple_GET_ITEM(key, dim), PyExc_IndexError);
        if ((index == -1 && PyErr_Occurred()) || view_check_released(self) < 0) {
            return NULL;
        }
        at = address_in(view, at, dim, index);
    }
    return at;
}

/* ---- Copying -------------------------------------------------------------------------------------------- */

/* Row by row through `scratch`, which holds the last dimension of one row, since memory may overlap. */
static void copy_rows(const Py_buffer *to, char *to_at, const Py_buffer *from, char *from_at,
                      int dim, char *scratch)
{
    Py_ssize_t n = to->shape[dim], size = to->itemsize;
    if (dim < to->ndim - 1) {
        for (Py_ssize_t i = 0; i < n; i++) {
            copy_rows(to, follow(to, to_at + i * to->strides[dim], dim), from,
                      follow(from, from_at + i * from->strides[dim], dim), dim + 1, scratch);
        }
        return;
    }
    bool plain = to->strides[dim] == size && from->strides[dim] == size
                 && (to->suboffsets == NULL || to->suboffsets[dim] < 0)
                 && (from->suboffsets == NULL || from->suboffsets[dim] < 0);
    if (plain) {
        memmove(to_at, from_at, (size_t)(n * size));
        return;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        memcpy(scratch + i * size, follow(from, from_at + i * from->strides[dim], dim),
               (size_t)size);
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        memcpy(follow(to, to_at + i * to->strides[dim], dim), scratch + i * size, (size_t)size);
    }
}

int buffer_copy(const Py_buffer *to, const Py_buffer *from)
{
    if (to->ndim == 0) {
        memmove(to->buf, from->buf, (size_t)to->itemsize);
        return 0;
    }
    Py_ssize_t row = to->shape[to->ndim - 1] * to->itemsize;
    char *scratch = PyMem_Malloc(row > 0 ? (size_t)row : 1);
    if (scratch == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    copy_rows(to, to->buf, from, from->buf, 0, scratch);
    PyMem_Free(scratch);
    return 0;
}

/* ---- Reading --------------------------------------------------------------------------------------------- */

Py_ssize_t view_length(PyObject *self)
{
    if (view_check_released(self) < 0) {
        return -1;
    }
    const Py_buffer *view = view_of(self);
    if (view->ndim == 0) {
        PyErr_SetString(PyExc_TypeError, "0-dim memory has no length");
        return -1;
    }
    return view->shape[0];
}

static PyObject *unsupported(const char *what)
{
    PyErr_SetString(PyExc_NotImplementedError, what);
    return NULL;
}

static PyObject *item_at(PyObject *self, Py_ssize_t index)
{
    const Py_buffer *view = view_of(self);
    if (format_native(view->format) == 0) {
        PyErr_Format(PyExc_NotImplementedError, "memoryview: format %s not supported",
                     view->format);
        return NULL;
    }
    if (view->ndim == 0) {
        PyErr_SetString(PyExc_TypeError, "invalid indexing of 0-dim memory");
        return NULL;
    }
    if (view->ndim != 1) {
        return unsupported("multi-dimensional sub-views are not implemented");
    }
    char *at = address_in(view, view->buf, 0, index);
    return at == NULL ? NULL : item_unpack(at, view->format);
}

PyObject *view_item(PyObject *self, Py_ssize_t index)
{
    PyObject *result = NULL;
    Py_BEGIN_CRITICAL_SECTION(self);
    if (view_check_released(self) == 0) {
        result = item_at(self, index);
    }
    Py_END_CRITICAL_SECTION();
    return result;
}

static bool all_are(PyObject *tuple, bool slices)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++) {
        PyObject *item = PyTuple_GET_ITEM(tuple, i);
        if (slices ? !PySlice_Check(item) : !PyIndex_Check(item)) {
            return false;
        }
    }
    return !slices || PyTuple_GET_SIZE(tuple) > 0;
}

/* Narrows a one-dimensional layout to a slice. */
static int apply_slice(Py_buffer *view, PyObject *slice)
{
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(slice, &start, &stop, &step) < 0) {
        return -1;
    }
    Py_ssize_t count = PySlice_AdjustIndices(view->shape[0], &start, &stop, step);
    if (view->suboffsets == NULL || view->suboffsets[0] < 0) {
        view->buf = (char *)view->buf + view->strides[0] * start;
    } else {
        view->buf = (char *)view->buf + view->strides[0] * start; /* of the pointers */
    }
    view->shape[0] = count;
    view->strides[0] *= step;
    view->len = count * view->itemsize;
    for (int i = 1; i < view->ndim; i++) {
        view->len *= view->shape[i];
    }
    return 0;
}

static PyObject *slice_of(PyObject *self, PyObject *slice)
{
    if (view_check_restricted(self) < 0) {
        return NULL;
    }
    PyMemoryViewObject *result =
        (PyMemoryViewObject *)view_of_managed(((PyMemoryViewObject *)self)->mbuf, view_of(self));
    if (result != NULL && apply_slice(&result->view, slice) < 0) {
        Py_CLEAR(result);
    }
    if (result != NULL) {
        view_update_flags(result);
    }
    return (PyObject *)result;
}

static PyObject *scalar_item(const Py_buffer *view, PyObject *key, PyObject *self)
{
    if (PyTuple_Check(key) && PyTuple_GET_SIZE(key) == 0) {
        return item_unpack(view->buf, view->format);
    }
    if (key == Py_Ellipsis) {
        return Py_NewRef(self);
    }
    PyErr_SetString(PyExc_TypeError, "invalid indexing of 0-dim memory");
    return NULL;
}

static PyObject *item_of_tuple(PyObject *self, PyObject *key)
{
    const Py_buffer *view = view_of(self);
    if (format_native(view->format) == 0) {
        PyErr_Format(PyExc_NotImplementedError, "memoryview: format %s not supported",
                     view->format);
        return NULL;
    }
    if (PyTuple_GET_SIZE(key) < view->ndim) {
        return unsupported("sub-views are not implemented");
    }
    char *at = address_of_tuple(self, key);
    return at == NULL ? NULL : item_unpack(at, view->format);
}

static PyObject *subscript(PyObject *self, PyObject *key, Py_ssize_t index)
{
    const Py_buffer *view = view_of(self);
    if (view_check_released(self) < 0) {
        return NULL;
    }
    if (view->ndim == 0) {
        return scalar_item(view, key, self);
    }
    if (PyIndex_Check(key)) {
        return item_at(self, index);
    }
    if (PySlice_Check(key)) {
        return slice_of(self, key);
    }
    if (PyTuple_Check(key)) {
        if (all_are(key, false)) {
            return item_of_tuple(self, key);
        }
        if (all_are(key, true)) {
            return unsupported("multi-dimensional slicing is not implemented");
        }
    }
    PyErr_SetString(PyExc_TypeError, "memoryview: invalid slice key");
    return NULL;
}

PyObject *view_subscript(PyObject *self, PyObject *key)
{
    Py_ssize_t index = 0;
    /* __index__() may run Python code, which may release the view: before anything else. */
    if (PyIndex_Check(key) && (view_check_released(self) < 0 || view_of(self)->ndim != 0)) {
        if (PyErr_Occurred()) {
            return NULL;
        }
        index = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (index == -1 && PyErr_Occurred()) {
            return NULL;
        }
    }
    PyObject *result;
    Py_BEGIN_CRITICAL_SECTION(self);
    result = subscript(self, key, index);
    Py_END_CRITICAL_SECTION();
    return result;
}

/* ---- Writing ---------------------------------------------------------------------------------------------- */

/* The value is converted to an item first: that may run Python code. */
static int store(PyObject *self, PyObject *key, PyObject *value)
{
    const Py_buffer *view = view_of(self);
    char item[16];
    Py_ssize_t index = 0;
    if (view->ndim == 0) {
        if (key != Py_Ellipsis && !(PyTuple_Check(key) && PyTuple_GET_SIZE(key) == 0)) {
            PyErr_SetString(PyExc_TypeError, "invalid indexing of 0-dim memory");
            return -1;
        }
    } else if (PyIndex_Check(key)) {
        if (view->ndim > 1) {
            unsupported("sub-views are not implemented");
            return -1;
        }
        index = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (index == -1 && PyErr_Occurred()) {
            return -1;
        }
        if (view_check_released(self) < 0 || address_in(view, view->buf, 0, index) == NULL) {
            return -1;
        }
    } else if (PyTuple_GET_SIZE(key) < view->ndim) {
        unsupported("sub-views are not implemented");
        return -1;
    }
    if (item_pack(item, value, view->format) < 0 || view_check_released(self) < 0) {
        return -1;
    }
    char *at = view->ndim == 0      ? view->buf
               : PyTuple_Check(key) ? address_of_tuple(self, key)
                                    : address_in(view, view->buf, 0, index);
    if (at == NULL || view_check_released(self) < 0) {
        return -1;
    }
    memcpy(at, item, (size_t)view->itemsize);
    return 0;
}

static bool same_structure(const Py_buffer *a, const Py_buffer *b)
{
    const char *format_a = a->format == NULL ? "B" : a->format;
    const char *format_b = b->format == NULL ? "B" : b->format;
    format_a += *format_a == '@';
    format_b += *format_b == '@';
    if (strcmp(format_a, format_b) != 0 || a->itemsize != b->itemsize || a->ndim != b->ndim) {
        return false;
    }
    for (int i = 0; i < a->ndim; i++) {
        if (a->shape[i] != b->shape[i]) {
            return false;
        }
        if (a->shape[i] == 0) {
            break;
        }
    }
    return true;
}

static int store_slice(PyObject *self, PyObject *slice, PyObject *value)
{
    Py_buffer from;
    if (PyObject_GetBuffer(value, &from, PyBUF_FULL_RO) < 0) {
        return -1;
    }
    int result = view_check_released(self);
    if (result == 0) {
        Py_ssize_t shape[1], strides[1], suboffsets[1];
        Py_buffer to = *view_of(self);
        shape[0] = to.shape[0];
        strides[0] = to.strides[0];
        if (to.suboffsets != NULL) {
            suboffsets[0] = to.suboffsets[0];
            to.suboffsets = suboffsets;
        }
        to.shape = shape;
        to.strides = strides;
        result = apply_slice(&to, slice);
        if (result == 0) {
            result = view_check_released(self); /* indices of a slice may run Python code */
        }
        if (result == 0 && !same_structure(&to, &from)) {
            PyErr_SetString(PyExc_ValueError, "memoryview assignment: lvalue and rvalue have "
                                              "different structures");
            result = -1;
        }
        if (result == 0) {
            result = buffer_copy(&to, &from);
        }
    }
    PyBuffer_Release(&from);
    return result;
}

static int assign(PyObject *self, PyObject *key, PyObject *value)
{
    const Py_buffer *view = view_of(self);
    if (view_check_released(self) < 0) {
        return -1;
    }
    if (format_native(view->format) == 0) {
        PyErr_Format(PyExc_NotImplementedError, "memoryview: format %s not supported",
                     view->format);
        return -1;
    }
    if (view->readonly) {
        PyErr_SetString(PyExc_TypeError, "cannot modify read-only memory");
        return -1;
    }
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "cannot delete memory");
        return -1;
    }
    bool items = PyTuple_Check(key) && all_are(key, false);
    if (view->ndim == 0 || PyIndex_Check(key) || items) {
        return store(self, key, value);
    }
    if (PySlice_Check(key)) {
        if (view->ndim != 1) {
            unsupported("memoryview slice assignments are currently restricted to ndim = 1");
            return -1;
        }
        return store_slice(self, key, value);
    }
    if (PyTuple_Check(key) && all_are(key, true)) {
        unsupported("memoryview slice assignments are currently restricted to ndim = 1");
        return -1;
    }
    PyErr_SetString(PyExc_TypeError, "memoryview: invalid slice key");
    return -1;
}

int view_assign_subscript(PyObject *self, PyObject *key, PyObject *value)
{
    int result;
    Py_BEGIN_CRITICAL_SECTION(self);
    result = assign(self, key, value);
    Py_END_CRITICAL_SECTION();
    return result;
}

/* ---- tolist ------------------------------------------------------------------------------------------------ */

static PyObject *list_of(const Py_buffer *view, char *at, int dim)
{
    if (dim == view->ndim) {
        return item_unpack(at, view->format);
    }
    PyObject *list = PyList_New(view->shape[dim]);
    for (Py_ssize_t i = 0; list != NULL && i < view->shape[dim]; i++) {
        PyObject *item = list_of(view, follow(view, at + i * view->strides[dim], dim), dim + 1);
        if (item == NULL) {
            Py_CLEAR(list);
        } else {
            PyList_SET_ITEM(list, i, item);
        }
    }
    return list;
}

PyObject *view_tolist(PyObject *self)
{
    const Py_buffer *view = view_of(self);
    if (view_check_released(self) < 0) {
        return NULL;
    }
    if (format_native(view->format) == 0) {
        PyErr_Format(PyExc_NotImplementedError, "memoryview: format %s not supported",
                     view->format);
        return NULL;
    }
    return list_of(view, view->buf, 0);
}

/* ---- cast --------------------------------------------------------------------------------------------------- */

static int is_byte_format(char letter)
{
    return letter == 'b' || letter == 'B' || letter == 'c';
}

/* The whole memory as a row of items of the format. */
static int cast_to_row(PyMemoryViewObject *self, const char *format_text)
{
    static const char *const names[128] = {
        ['c'] = "c", ['b'] = "b", ['B'] = "B", ['h'] = "h", ['H'] = "H", ['i'] = "i",
        ['I'] = "I", ['l'] = "l", ['L'] = "L", ['q'] = "q", ['Q'] = "Q", ['n'] = "n",
        ['N'] = "N", ['f'] = "f", ['d'] = "d", ['e'] = "e", ['?'] = "?", ['P'] = "P",
    };
    static const char *const native_names[128] = {
        ['c'] = "@c", ['b'] = "@b", ['B'] = "@B", ['h'] = "@h", ['H'] = "@H", ['i'] = "@i",
        ['I'] = "@I", ['l'] = "@l", ['L'] = "@L", ['q'] = "@q", ['Q'] = "@Q", ['n'] = "@n",
        ['N'] = "@N", ['f'] = "@f", ['d'] = "@d", ['e'] = "@e", ['?'] = "@?", ['P'] = "@P",
    };
    Py_buffer *view = &self->view;
    char from = format_native(view->format), to = format_native(format_text);
    if (to == 0) {
        PyErr_SetString(PyExc_ValueError, "memoryview: destination format must be a native single "
                                          "character format prefixed with an optional '@'");
        return -1;
    }
    if (!is_byte_format(from) && !is_byte_format(to)) {
        PyErr_SetString(PyExc_TypeError, "memoryview: cannot cast between two non-byte formats");
        return -1;
    }
    Py_ssize_t size = format_size(to);
    if (view->len % size != 0) {
        PyErr_SetString(PyExc_TypeError, "memoryview: length is not a multiple of itemsize");
        return -1;
    }
    view->format = (char *)(format_text[0] == '@' ? native_names : names)[(unsigned char)to];
    view->itemsize = size;
    view->ndim = 1;
    view->shape[0] = view->len / size;
    view->strides[0] = size;
    view->suboffsets = NULL;
    return 0;
}

static int cast_shape(PyMemoryViewObject *self, const Py_ssize_t *shape, Py_ssize_t ndim)
{
    Py_buffer *view = &self->view;
    Py_ssize_t product = view->itemsize;
    for (Py_ssize_t i = 0; i < ndim; i++) {
        if (shape[i] > PY_SSIZE_T_MAX / product) {
            PyErr_SetString(PyExc_ValueError, "memoryview.cast(): product(shape) > SSIZE_MAX");
            return -1;
        }
        product *= shape[i];
    }
    if (product != view->len) {
        PyErr_SetString(PyExc_TypeError, "memoryview: product(shape) * itemsize != buffer size");
        return -1;
    }
    view->ndim = (int)ndim;
    view->shape = self->ob_array;
    view->strides = self->ob_array + ndim;
    view->suboffsets = NULL;
    if (ndim == 0) {
        view->shape = view->strides = NULL;
    }
    Py_ssize_t stride = view->itemsize;
    for (Py_ssize_t i = ndim - 1; i >= 0; i--) {
        view->shape[i] = shape[i];
        view->strides[i] = stride;
        stride *= shape[i];
    }
    return 0;
}

/* The numbers of a tuple, at most PyBUF_MAX_NDIM; their count, or -1. */
static Py_ssize_t read_shape(PyObject *items, Py_ssize_t *shape)
{
    Py_ssize_t count = PyTuple_GET_SIZE(items);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PyTuple_GET_ITEM(items, i);
        if (!PyLong_Check(item)) {
            PyErr_SetString(PyExc_TypeError,
                            "memoryview.cast(): elements of shape must be integers");
            count = -1;
            break;
        }
        shape[i] = PyLong_AsSsize_t(item);
        if (shape[i] == -1 && PyErr_Occurred()) {
            count = -1;
        } else if (shape[i] <= 0) {
            PyErr_SetString(PyExc_ValueError,
                            "memoryview.cast(): elements of shape must be integers > 0");
            count = -1;
        }
    }
    return count;
}

static bool has_zero(const Py_buffer *view)
{
    for (int i = 0; i < view->ndim; i++) {
        if (view->shape[i] == 0 || view->strides[i] == 0) {
            return true;
        }
    }
    return false;
}

/* A view of the same memory with room for `ndim` dimensions, cast to a row of items. */
static PyObject *cast_row(PyObject *self, const char *format, Py_ssize_t ndim)
{
    Py_ssize_t zeros[PyBUF_MAX_NDIM] = {0};
    Py_buffer wide = *view_of(self);
    wide.ndim = (int)Py_MAX(Py_MAX(ndim, wide.ndim), 1);
    wide.shape = wide.strides = zeros;
    wide.suboffsets = NULL;
    PyObject *result = view_of_managed(((PyMemoryViewObject *)self)->mbuf, &wide);
    if (result != NULL && cast_to_row((PyMemoryViewObject *)result, format) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

static int check_cast(PyObject *self, PyObject *dims)
{
    const Py_buffer *view = view_of(self);
    if (!view_is_c_contiguous(self)) {
        PyErr_SetString(PyExc_TypeError, "memoryview: casts are restricted to C-contiguous views");
        return -1;
    }
    if ((dims != NULL || view->ndim != 1) && has_zero(view)) {
        PyErr_SetString(PyExc_TypeError,
                        "memoryview: cannot cast view with zeros in shape or strides");
        return -1;
    }
    if (dims == NULL) {
        return 0;
    }
    if (PyTuple_GET_SIZE(dims) > PyBUF_MAX_NDIM) {
        PyErr_Format(PyExc_ValueError, "memoryview: number of dimensions must not exceed %d",
                     PyBUF_MAX_NDIM);
        return -1;
    }
    if (view->ndim != 1 && PyTuple_GET_SIZE(dims) != 1) {
        PyErr_SetString(PyExc_TypeError, "memoryview: cast must be 1D -> ND or ND -> 1D");
        return -1;
    }
    return 0;
}

PyObject *view_cast(PyObject *self, PyObject *format, PyObject *shape_argument)
{
    Py_ssize_t shape[PyBUF_MAX_NDIM];
    PyObject *dims = NULL, *result = NULL;
    if (view_check_released(self) < 0 || view_check_restricted(self) < 0) {
        return NULL;
    }
    if (shape_argument != NULL) {
        if (!PyList_Check(shape_argument) && !PyTuple_Check(shape_argument)) {
            PyErr_SetString(PyExc_TypeError, "shape must be a list or a tuple");
            return NULL;
        }
        dims = PySequence_Tuple(shape_argument);
        if (dims == NULL) {
            return NULL;
        }
    }
    const char *text = PyUnicode_AsUTF8(format);
    if (text != NULL && view_check_released(self) == 0 && check_cast(self, dims) == 0) {
        result = cast_row(self, text, dims == NULL ? 1 : PyTuple_GET_SIZE(dims));
    }
    if (result != NULL && dims != NULL) {
        Py_ssize_t ndim = read_shape(dims, shape);
        if (ndim < 0 || cast_shape((PyMemoryViewObject *)result, shape, ndim) < 0) {
            Py_CLEAR(result);
        }
    }
    if (result != NULL) {
        view_update_flags((PyMemoryViewObject *)result);
    }
    Py_XDECREF(dims);
    return result;
}

/* ---- Comparing ------------------------------------------------------------------------------------------------ */

/* How items of one side become values: natively, or through struct.Struct. */
struct unpacker {
    const char *format;
    char native;
    PyObject *unpack; /* owned: unpack_from of a Struct, or NULL */
};

static int unpacker_init(struct unpacker *u, const char *format)
{
    *u = (struct unpacker){.format = format == NULL ? "B" : format};
    u->native = format_native(u->format);
    if (u->native != 0) {
        return 0;
    }
    PyObject *module = PyImport_ImportModule("struct");
    PyObject *object =
        module == NULL ? NULL : PyObject_CallMethod(module, "Struct", "s", u->format);
    Py_XDECREF(module);
    if (object == NULL) {
        return -1;
    }
    u->unpack = PyObject_GetAttrString(object, "unpack_from");
    Py_DECREF(object);
    return u->unpack == NULL ? -1 : 0;
}

static PyObject *unpacker_value(struct unpacker *u, char *item, Py_ssize_t size)
{
    if (u->native != 0) {
        return item_unpack(item, u->format);
    }
    PyObject *view = PyMemoryView_FromMemory(item, size, PyBUF_READ);
    PyObject *values = view == NULL ? NULL : PyObject_CallOneArg(u->unpack, view);
    Py_XDECREF(view);
    if (values != NULL && PyTuple_GET_SIZE(values) == 1) {
        Py_SETREF(values, Py_NewRef(PyTuple_GET_ITEM(values, 0)));
    }
    return values;
}

struct comparison {
    const Py_buffer *a, *b;
    struct unpacker unpack_a, unpack_b;
};

static int items_equal(struct comparison *c, char *a, char *b)
{
    int equal = items_equal_native(a, c->unpack_a.native, b, c->unpack_b.native);
    if (equal >= 0) {
        return equal;
    }
    PyObject *x = unpacker_value(&c->unpack_a, a, c->a->itemsize);
    PyObject *y = x == NULL ? NULL : unpacker_value(&c->unpack_b, b, c->b->itemsize);
    equal = y == NULL ? -1 : PyObject_RichCompareBool(x, y, Py_EQ);
    Py_XDECREF(x);
    Py_XDECREF(y);
    return equal;
}

static int rows_equal(struct comparison *c, char *a, char *b, int dim)
{
    if (dim == c->a->ndim) {
        return items_equal(c, a, b);
    }
    int equal = 1;
    for (Py_ssize_t i = 0; i < c->a->shape[dim] && equal > 0; i++) {
        equal = rows_equal(c, follow(c->a, a + i * c->a->strides[dim], dim),
                           follow(c->b, b + i * c->b->strides[dim], dim), dim + 1);
    }
    return equal;
}

static bool same_shape(const Py_buffer *a, const Py_buffer *b)
{
    if (a->ndim != b->ndim) {
        return false;
    }
    for (int i = 0; i < a->ndim; i++) {
        if (a->shape[i] != b->shape[i]) {
            return false;
        }
        if (a->shape[i] == 0) {
            break;
        }
    }
    return true;
}

/* 1, 0 or -1.  Formats that nobody knows make buffers unequal. */
static int buffers_equal(const Py_buffer *a, const Py_buffer *b)
{
    struct comparison c = {.a = a, .b = b};
    if (!same_shape(a, b)) {
        return 0;
    }
    int equal;
    if (unpacker_init(&c.unpack_a, a->format) < 0 || unpacker_init(&c.unpack_b, b->format) < 0) {
        equal = -1;
        if (PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_Exception)
            && !PyErr_ExceptionMatches(PyExc_MemoryError)
            && !PyErr_ExceptionMatches(PyExc_ImportError)) {
            PyErr_Clear(); /* not a format of the struct module */
            equal = 0;
        }
    } else {
        equal = rows_equal(&c, a->buf, b->buf, 0);
    }
    Py_XDECREF(c.unpack_a.unpack);
    Py_XDECREF(c.unpack_b.unpack);
    return equal;
}

PyObject *view_richcompare(PyObject *a, PyObject *b, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !PyMemoryView_Check(a)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyMemoryViewObject *self = (PyMemoryViewObject *)a;
    bool released = (self->flags & _Py_MEMORYVIEW_RELEASED)
                    || (self->mbuf->flags & _Py_MANAGED_BUFFER_RELEASED);
    if (released) {
        return PyBool_FromLong((a == b) == (op == Py_EQ));
    }
    if (PyMemoryView_Check(b)) {
        PyMemoryViewObject *other = (PyMemoryViewObject *)b;
        if ((other->flags & _Py_MEMORYVIEW_RELEASED)
            || (other->mbuf->flags & _Py_MANAGED_BUFFER_RELEASED)) {
            return PyBool_FromLong((a == b) == (op == Py_EQ));
        }
    }
    /* Both are exported while they are compared: no Python code can release them. */
    Py_buffer left, right;
    if (PyObject_GetBuffer(b, &right, PyBUF_FULL_RO) < 0) {
        PyErr_Clear();
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (PyObject_GetBuffer(a, &left, PyBUF_FULL_RO) < 0) {
        PyErr_Clear();
        PyBuffer_Release(&right);
        Py_RETURN_NOTIMPLEMENTED;
    }
    int equal = buffers_equal(&left, &right);
    PyBuffer_Release(&left);
    PyBuffer_Release(&right);
    return equal < 0 ? NULL : PyBool_FromLong(equal == (op == Py_EQ));
}
