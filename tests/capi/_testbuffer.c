/*
 * An exporter of buffers of every form: `ndarray` has any number of dimensions, strides, suboffsets and formats of
 * the struct module; `staticarray` has twelve bytes.
 *
 * What an array shows is a layer: memory of its own, or another exporter's buffer with its own copy of the dimensions.
 * An array that owns its memory may be given further layers (push) and lose them (pop).
 */
#include "testing.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum {
    ND_MAX_NDIM = 2 * PyBUF_MAX_NDIM,
    ND_VAREXPORT = 0x001, /* layers change while there are exports */
    ND_WRITABLE = 0x002,
    ND_FORTRAN = 0x004,
    ND_SCALAR = 0x008,
    ND_PIL = 0x010,      /* pointers to rows, as in the Python Imaging Library */
    ND_REDIRECT = 0x020, /* buffers come from the array's own exporter */
    ND_GETBUF_FAIL = 0x040,
    ND_GETBUF_UNDEFINED = 0x080, /* after a failure view->obj is whatever it was */
};

struct layer {
    struct layer *below;
    Py_buffer source; /* the buffer that it shows; obj and buf are NULL if it owns its memory */
    Py_buffer view;   /* as it is shown */
    bool consumer;
    char *memory, *format;
    Py_ssize_t offset;
    Py_ssize_t exports;
    int flags;
    Py_ssize_t shape[ND_MAX_NDIM], strides[ND_MAX_NDIM], suboffsets[ND_MAX_NDIM];
};

struct ndarray {
    PyObject_HEAD
    int flags;
    struct layer *top;
};

static PyTypeObject ndarray_type, staticarray_type;
static PyObject *struct_pack, *struct_unpack, *struct_calcsize;

#define ARRAY(object) ((struct ndarray *)(object))
#define VIEW(object) (&ARRAY(object)->top->view)

/* ---- items ---------------------------------------------------------------------------------------- */

static const char *format_of(const Py_buffer *view)
{
    if (view->format == NULL && view->itemsize != 1) {
        PyErr_SetString(PyExc_ValueError, "items without a format");
        return NULL;
    }
    return view->format == NULL ? "B" : view->format;
}

/* An item as an object: a tuple if the format has several members (new reference). */
static PyObject *item_unpack(const char *format, const char *at, Py_ssize_t size)
{
    PyObject *values = PyObject_CallFunction(struct_unpack, "sy#", format, at, size);
    if (values == NULL || PyTuple_GET_SIZE(values) != 1) {
        return values;
    }
    PyObject *value = Py_NewRef(PyTuple_GET_ITEM(values, 0));
    Py_DECREF(values);
    return value;
}

/* How many values an item has; -1 with an exception. */
static Py_ssize_t member_count(const char *format, Py_ssize_t size)
{
    PyObject *zeros = PyBytes_FromStringAndSize(NULL, size);
    if (zeros == NULL) {
        return -1;
    }
    memset(PyBytes_AS_STRING(zeros), 0, (size_t)size);
    PyObject *values = PyObject_CallFunction(struct_unpack, "sO", format, zeros);
    Py_DECREF(zeros);
    Py_ssize_t count = values == NULL ? -1 : PyTuple_GET_SIZE(values);
    Py_XDECREF(values);
    return count;
}

/* Writes an item of `members` values. */
static int item_pack(const char *format, char *at, Py_ssize_t size, Py_ssize_t members,
                     PyObject *item)
{
    PyObject *values;
    if (PyList_Check(item) || PyTuple_Check(item)) {
        values = PySequence_Tuple(item);
    } else if (PyLong_Check(item) || PyFloat_Check(item) || PyBytes_Check(item)) {
        values = PyTuple_Pack(1, item);
    } else {
        PyErr_Format(PyExc_ValueError, "an item cannot be of type %T", item);
        return -1;
    }
    if (values == NULL) {
        return -1;
    }
    if (PyTuple_GET_SIZE(values) != members) {
        PyErr_SetString(PyExc_ValueError, "the item does not match the format");
        Py_DECREF(values);
        return -1;
    }
    PyObject *name = PyUnicode_FromString(format);
    PyObject *first = name == NULL ? NULL : PyTuple_Pack(1, name);
    PyObject *args = first == NULL ? NULL : PySequence_Concat(first, values);
    PyObject *packed = args == NULL ? NULL : PyObject_Call(struct_pack, args, NULL);
    int result = packed == NULL ? -1 : 0;
    if (packed != NULL) {
        memcpy(at, PyBytes_AS_STRING(packed), (size_t)size);
    }
    Py_XDECREF(packed);
    Py_XDECREF(args);
    Py_XDECREF(first);
    Py_XDECREF(name);
    Py_DECREF(values);
    return result;
}

/* ---- layouts -------------------------------------------------------------------------------------- */

/* The dimensions of a buffer with those that it leaves out. */
struct layout {
    int ndim;
    Py_ssize_t shape[ND_MAX_NDIM], strides[ND_MAX_NDIM];
    const Py_ssize_t *suboffsets;
};

static void strides_fill(Py_ssize_t *strides, const Py_ssize_t *shape, int ndim,
                         Py_ssize_t itemsize, bool fortran)
{
    Py_ssize_t step = itemsize;
    for (int i = 0; i < ndim; i++) {
        int dim = fortran ? i : ndim - 1 - i;
        strides[dim] = step;
        step *= shape[dim];
    }
}

static void layout_of(const Py_buffer *view, struct layout *layout)
{
    layout->ndim = view->ndim;
    layout->suboffsets = view->suboffsets;
    if (view->shape != NULL) {
        memcpy(layout->shape, view->shape, (size_t)view->ndim * sizeof(Py_ssize_t));
    } else if (view->ndim == 1) {
        layout->shape[0] = view->itemsize == 0 ? 0 : view->len / view->itemsize;
    }
    if (view->strides != NULL) {
        memcpy(layout->strides, view->strides, (size_t)view->ndim * sizeof(Py_ssize_t));
    } else {
        strides_fill(layout->strides, layout->shape, view->ndim, view->itemsize, false);
    }
}

/* Where the sub-array at an index of one dimension begins. */
static char *step_into(const struct layout *layout, int dim, char *at, Py_ssize_t index)
{
    at += index * layout->strides[dim];
    if (layout->suboffsets != NULL && layout->suboffsets[dim] >= 0) {
        at = *(char **)at + layout->suboffsets[dim];
    }
    return at;
}

/* Copies all items from an array to contiguous memory, or back; the end of what was used there. */
static char *copy_items(const struct layout *layout, int dim, char *at, char *packed,
                        Py_ssize_t size, bool back)
{
    if (dim == layout->ndim) {
        memcpy(back ? at : packed, back ? packed : at, (size_t)size);
        return packed + size;
    }
    for (Py_ssize_t i = 0; i < layout->shape[dim]; i++) {
        packed = copy_items(layout, dim + 1, step_into(layout, dim, at, i), packed, size, back);
    }
    return packed;
}

static PyObject *list_items(const struct layout *layout, int dim, char *at, const char *format,
                            Py_ssize_t size)
{
    if (dim == layout->ndim) {
        return item_unpack(format, at, size);
    }
    PyObject *list = PyList_New(0);
    for (Py_ssize_t i = 0; list != NULL && i < layout->shape[dim]; i++) {
        PyObject *item = list_items(layout, dim + 1, step_into(layout, dim, at, i), format, size);
        if (item == NULL || PyList_Append(list, item) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(item);
    }
    return list;
}

/* The items of any buffer in C order (new reference). */
static PyObject *view_bytes(const Py_buffer *view)
{
    struct layout layout;
    layout_of(view, &layout);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, view->len);
    if (bytes != NULL) {
        copy_items(&layout, 0, view->buf, PyBytes_AS_STRING(bytes), view->itemsize, false);
    }
    return bytes;
}

/* ---- layers --------------------------------------------------------------------------------------- */

static struct layer *layer_new(void)
{
    struct layer *layer = PyMem_Calloc(1, sizeof(*layer));
    if (layer == NULL) {
        PyErr_NoMemory();
    }
    return layer;
}

static void layer_free(struct layer *layer)
{
    if (layer->consumer) {
        PyBuffer_Release(&layer->source);
    }
    PyMem_Free(layer->memory);
    PyMem_Free(layer->format);
    PyMem_Free(layer);
}

static void set_flags(struct layer *layer)
{
    Py_buffer *view = &layer->view;
    if (view->ndim == 0) {
        layer->flags |= ND_SCALAR;
    }
    if (PyBuffer_IsContiguous(view, 'F') && !PyBuffer_IsContiguous(view, 'C')) {
        layer->flags |= ND_FORTRAN;
    }
    if (view->suboffsets != NULL) {
        layer->flags |= ND_PIL;
    }
    if (!view->readonly) {
        layer->flags |= ND_WRITABLE;
    }
}

/* A list or tuple of numbers; their count, -1 with an exception. */
static int read_numbers(PyObject *object, const char *what, Py_ssize_t *numbers, bool negative)
{
    if (!PyList_Check(object) && !PyTuple_Check(object)) {
        PyErr_Format(PyExc_TypeError, "%s must be a list or a tuple", what);
        return -1;
    }
    Py_ssize_t count = PySequence_Fast_GET_SIZE(object);
    if (count > ND_MAX_NDIM) {
        PyErr_Format(PyExc_ValueError, "more than %d dimensions", ND_MAX_NDIM);
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *number = PySequence_Fast_GET_ITEM(object, i);
        if (!PyLong_Check(number)) {
            PyErr_Format(PyExc_ValueError, "elements of %s must be integers", what);
            return -1;
        }
        numbers[i] = PyLong_AsSsize_t(number);
        if (numbers[i] == -1 && PyErr_Occurred()) {
            return -1;
        }
        if (numbers[i] < 0 && !negative) {
            PyErr_Format(PyExc_ValueError, "elements of %s must not be negative", what);
            return -1;
        }
    }
    return (int)count;
}

/* Whether all items lie in the memory. */
static int check_bounds(const struct layer *layer, Py_ssize_t length)
{
    const Py_buffer *view = &layer->view;
    Py_ssize_t first = layer->offset, last = layer->offset;
    bool good = first >= 0 && first % view->itemsize == 0 && first + view->itemsize <= length,
         empty = false;
    for (int i = 0; i < view->ndim; i++) {
        Py_ssize_t span;
        good = good && layer->strides[i] % view->itemsize == 0;
        empty = empty || layer->shape[i] == 0;
        good = good && !__builtin_mul_overflow(layer->strides[i], layer->shape[i] - 1, &span);
        good = good
               && !__builtin_add_overflow(span < 0 ? first : last, span, span < 0 ? &first : &last);
    }
    if (!good || (!empty && (first < 0 || last + view->itemsize > length))) {
        PyErr_SetString(PyExc_ValueError, "the dimensions do not fit the memory");
        return -1;
    }
    return 0;
}

/* Fills the memory with one item for a scalar, or with a list of them. */
static int fill_memory(struct layer *layer, PyObject *items, Py_ssize_t itemsize,
                       Py_ssize_t *length)
{
    bool scalar = layer->view.ndim == 0;
    if (!scalar && !PyList_Check(items) && !PyTuple_Check(items)) {
        PyErr_SetString(PyExc_TypeError, "items must be a list or a tuple");
        return -1;
    }
    Py_ssize_t count = scalar ? 1 : PySequence_Fast_GET_SIZE(items);
    Py_ssize_t members = count == 0 ? 0 : member_count(layer->format, itemsize);
    if (count == 0) {
        PyErr_SetString(PyExc_ValueError, "there must be at least one item");
    }
    if (members <= 0) {
        return -1;
    }
    *length = count * itemsize;
    layer->memory = PyMem_Malloc((size_t)*length);
    if (layer->memory == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = scalar ? items : PySequence_Fast_GET_ITEM(items, i);
        if (item_pack(layer->format, layer->memory + i * itemsize, itemsize, members, item) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Puts pointers to the rows in front of the memory and takes the first dimension through them. */
static int add_row_pointers(struct layer *layer, Py_ssize_t length)
{
    Py_buffer *view = &layer->view;
    size_t rows = (size_t)layer->shape[0], table = rows * sizeof(char *);
    char *memory = PyMem_Malloc(table + (size_t)length);
    if (memory == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(memory + table, layer->memory, (size_t)length);
    Py_ssize_t below = 0; /* how far a row reaches below its first item */
    for (int i = 1; i < view->ndim && layer->shape[i] != 0; i++) {
        below += layer->strides[i] < 0 ? -layer->strides[i] * (layer->shape[i] - 1) : 0;
    }
    bool down = layer->strides[0] < 0;
    for (size_t i = 0; i < rows; i++) {
        char *row = memory + table + layer->offset + (Py_ssize_t)i * layer->strides[0] - below;
        memcpy(memory + (down ? rows - 1 - i : i) * sizeof(char *), &row, sizeof(char *));
    }
    PyMem_Free(layer->memory);
    layer->memory = memory;
    view->buf = memory + (down && rows > 0 ? (rows - 1) * sizeof(char *) : 0);
    layer->strides[0] = down ? -(Py_ssize_t)sizeof(char *) : (Py_ssize_t)sizeof(char *);
    for (int i = 0; i < view->ndim; i++) {
        layer->suboffsets[i] = i == 0 ? below : -1;
    }
    view->suboffsets = layer->suboffsets;
    return 0;
}

struct request {
    PyObject *items, *shape, *strides;
    Py_ssize_t offset;
    const char *format;
    int flags;
};

static int layer_fill(struct layer *layer, const struct request *request)
{
    Py_buffer *view = &layer->view;
    int strides = 0;
    view->ndim = read_numbers(request->shape, "shape", layer->shape, false);
    if (view->ndim < 0) {
        return -1;
    }
    if (request->strides != NULL && !Py_IsNone(request->strides)) {
        strides = read_numbers(request->strides, "strides", layer->strides, true);
        if (strides < 0) {
            return -1;
        }
    }
    if (strides != 0 && request->flags & ND_FORTRAN) {
        PyErr_SetString(PyExc_TypeError, "ND_FORTRAN cannot be used with strides");
        return -1;
    }
    if (strides != 0 && strides != view->ndim) {
        PyErr_SetString(PyExc_ValueError, "len(shape) != len(strides)");
        return -1;
    }
    if (view->ndim == 0 && request->flags & ND_PIL) {
        PyErr_SetString(PyExc_TypeError, "ndim = 0 cannot be used with ND_PIL");
        return -1;
    }
    PyObject *size = PyObject_CallFunction(struct_calcsize, "s", request->format);
    view->itemsize = size == NULL ? -1 : PyLong_AsSsize_t(size);
    Py_XDECREF(size);
    if (view->itemsize <= 0) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_ValueError, "items must have a size");
        }
        return -1;
    }
    layer->format = PyMem_Malloc(strlen(request->format) + 1);
    if (layer->format == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    strcpy(layer->format, request->format);
    if (strides == 0) {
        strides_fill(layer->strides, layer->shape, view->ndim, view->itemsize,
                     request->flags & ND_FORTRAN);
    }
    Py_ssize_t length = 0;
    layer->offset = request->offset;
    if (fill_memory(layer, request->items, view->itemsize, &length) < 0
        || check_bounds(layer, length) < 0) {
        return -1;
    }
    view->buf = layer->memory + layer->offset;
    view->format = layer->format;
    view->len = view->itemsize;
    for (int i = 0; i < view->ndim; i++) {
        view->len *= layer->shape[i];
    }
    view->readonly = !(request->flags & ND_WRITABLE);
    if (view->ndim != 0) {
        view->shape = layer->shape;
        view->strides = layer->strides;
    }
    if (request->flags & ND_PIL && add_row_pointers(layer, length) < 0) {
        return -1;
    }
    layer->flags = request->flags;
    set_flags(layer);
    return 0;
}

static struct layer *layer_of_items(const struct request *request)
{
    struct layer *layer = layer_new();
    if (layer != NULL && layer_fill(layer, request) < 0) {
        layer_free(layer);
        return NULL;
    }
    return layer;
}

/* Shows another exporter's buffer, with dimensions of its own. */
static struct layer *layer_of_exporter(PyObject *exporter, int request, int flags)
{
    struct layer *layer = layer_new();
    if (layer == NULL) {
        return NULL;
    }
    if (PyObject_GetBuffer(exporter, &layer->source, request) < 0) {
        layer_free(layer);
        return NULL;
    }
    layer->consumer = true;
    layer->view = layer->source;
    size_t size = (size_t)layer->view.ndim * sizeof(Py_ssize_t);
#define OWN(field)                                                                                 \
    if (layer->view.field != NULL) {                                                               \
        memcpy(layer->field, layer->view.field, size);                                             \
        layer->view.field = layer->field;                                                          \
    }
    OWN(shape)
    OWN(strides)
    OWN(suboffsets)
#undef OWN
    layer->flags = flags;
    set_flags(layer);
    return layer;
}

static void layer_remove(struct ndarray *self, struct layer *layer)
{
    struct layer **link = &self->top;
    while (*link != layer) {
        link = &(*link)->below;
    }
    *link = layer->below;
    layer_free(layer);
}

/* ---- the type ------------------------------------------------------------------------------------- */

static PyObject *ndarray_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"obj", "shape", "strides", "offset", "format", "flags", "getbuf", NULL};
    struct request request = {.format = NULL};
    int getbuf = PyBUF_FULL_RO, asked = -1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|OOnsii:ndarray", names, &request.items,
                                     &request.shape, &request.strides, &request.offset,
                                     &request.format, &request.flags, &asked)) {
        return NULL;
    }
    struct layer *layer;
    if (PyObject_CheckBuffer(request.items) && request.shape == NULL) {
        if (request.strides != NULL || request.offset != 0 || request.format != NULL
            || request.flags & ~ND_REDIRECT) {
            PyErr_SetString(PyExc_TypeError,
                            "an array of a buffer takes only getbuf, and ND_REDIRECT as flags");
            return NULL;
        }
        layer = layer_of_exporter(request.items, asked == -1 ? getbuf : asked, request.flags);
    } else {
        if (asked != -1 || request.shape == NULL) {
            PyErr_SetString(PyExc_TypeError, "an array of items takes a shape, and no getbuf");
            return NULL;
        }
        request.format = request.format == NULL ? "B" : request.format;
        layer = layer_of_items(&request);
    }
    if (layer == NULL) {
        return NULL;
    }
    struct ndarray *self = (struct ndarray *)type->tp_alloc(type, 0);
    if (self == NULL) {
        layer_free(layer);
        return NULL;
    }
    self->flags = layer->flags;
    self->top = layer;
    return (PyObject *)self;
}

static void ndarray_dealloc(PyObject *op)
{
    struct ndarray *self = ARRAY(op);
    while (self->top != NULL) {
        layer_remove(self, self->top);
    }
    Py_TYPE(op)->tp_free(op);
}

static PyObject *ndarray_push(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"items", "shape", "strides", "offset", "format", "flags", NULL};
    struct ndarray *self = ARRAY(op);
    struct request request = {.format = "B"};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|Onsi:push", names, &request.items,
                                     &request.shape, &request.strides, &request.offset,
                                     &request.format, &request.flags)) {
        return NULL;
    }
    if (request.flags & ND_VAREXPORT) {
        PyErr_SetString(PyExc_ValueError, "ND_VAREXPORT can only be used when an array is made");
        return NULL;
    }
    if (self->top->consumer) {
        PyErr_SetString(PyExc_BufferError, "the array shows a buffer of something else");
        return NULL;
    }
    if (!(self->flags & ND_VAREXPORT) && self->top->exports > 0) {
        PyErr_SetString(PyExc_BufferError, "the array has exports");
        return NULL;
    }
    struct layer *layer = layer_of_items(&request);
    if (layer == NULL) {
        return NULL;
    }
    layer->below = self->top;
    self->top = layer;
    Py_RETURN_NONE;
}

static PyObject *ndarray_pop(PyObject *op, PyObject *Py_UNUSED(unused))
{
    struct ndarray *self = ARRAY(op);
    if (self->top->consumer || self->top->exports > 0 || self->top->below == NULL) {
        PyErr_SetString(PyExc_BufferError,
                        "the layer is not the array's own, has exports or is the only one");
        return NULL;
    }
    layer_remove(self, self->top);
    Py_RETURN_NONE;
}

/* ---- as an exporter ------------------------------------------------------------------------------- */

static bool asks(int request, int flag)
{
    return (request & flag) == flag;
}

/* Why the layer cannot give a buffer; NULL if it can. */
static const char *refusal(const struct layer *layer, int request)
{
    const Py_buffer *base = &layer->view;
    if (layer->flags & ND_GETBUF_FAIL) {
        return "ND_GETBUF_FAIL";
    }
    if (base->readonly && asks(request, PyBUF_WRITABLE)) {
        return "the array is not writable";
    }
    if ((asks(request, PyBUF_C_CONTIGUOUS) && !PyBuffer_IsContiguous(base, 'C'))
        || (asks(request, PyBUF_F_CONTIGUOUS) && !PyBuffer_IsContiguous(base, 'F'))
        || (asks(request, PyBUF_ANY_CONTIGUOUS) && !PyBuffer_IsContiguous(base, 'A'))) {
        return "the array is not contiguous in that way";
    }
    if (!asks(request, PyBUF_INDIRECT) && base->suboffsets != NULL) {
        return "the array needs suboffsets";
    }
    if (!asks(request, PyBUF_STRIDES) && !PyBuffer_IsContiguous(base, 'C')) {
        return "the array is not C-contiguous";
    }
    if (!asks(request, PyBUF_ND) && asks(request, PyBUF_FORMAT)) {
        return "a format needs a shape";
    }
    if (base->ndim != 0
        && ((asks(request, PyBUF_ND) && base->shape == NULL)
            || (asks(request, PyBUF_STRIDES) && base->strides == NULL))) {
        return "the array itself knows no such dimensions";
    }
    if (asks(request, PyBUF_FORMAT) && base->format == NULL) {
        return "the array itself knows no format";
    }
    return NULL;
}

static int ndarray_getbuffer(PyObject *op, Py_buffer *view, int request)
{
    struct layer *layer = ARRAY(op)->top;
    if (layer->flags & ND_REDIRECT && layer->view.obj != NULL) {
        return PyObject_GetBuffer(layer->view.obj, view, request);
    }
    const char *why = refusal(layer, request);
    if (why != NULL) {
        PyErr_SetString(PyExc_BufferError, why);
        if (!(layer->flags & ND_GETBUF_UNDEFINED)) {
            view->obj = NULL;
        }
        return -1;
    }
    *view = layer->view;
    if (!asks(request, PyBUF_FORMAT)) {
        view->format = NULL;
    }
    if (!asks(request, PyBUF_ND)) {
        view->ndim = 1;
        view->shape = NULL;
    }
    if (!asks(request, PyBUF_STRIDES)) {
        view->strides = NULL;
    }
    view->internal = layer;
    view->obj = Py_NewRef(op);
    layer->exports++;
    return 0;
}

static void ndarray_releasebuffer(PyObject *op, Py_buffer *view)
{
    struct layer *layer = view->internal;
    if (--layer->exports == 0 && layer != ARRAY(op)->top) {
        layer_remove(ARRAY(op), layer);
    }
}

/* ---- as a sequence and mapping -------------------------------------------------------------------- */

static Py_ssize_t ndarray_length(PyObject *op)
{
    const Py_buffer *view = VIEW(op);
    if (view->ndim == 0) {
        PyErr_SetString(PyExc_TypeError, "0-dim memory has no length");
        return -1;
    }
    struct layout layout;
    layout_of(view, &layout);
    return layout.shape[0];
}

/* An array that shows this one (new reference). */
static struct ndarray *subview(PyObject *op)
{
    struct layer *layer = layer_of_exporter(op, PyBUF_FULL_RO, 0);
    if (layer == NULL) {
        return NULL;
    }
    struct ndarray *sub = (struct ndarray *)ndarray_type.tp_alloc(&ndarray_type, 0);
    if (sub == NULL) {
        layer_free(layer);
        return NULL;
    }
    sub->flags = layer->flags;
    sub->top = layer;
    return sub;
}

static void view_measure(struct ndarray *self)
{
    Py_buffer *view = &self->top->view;
    view->len = view->itemsize;
    for (int i = 0; i < view->ndim; i++) {
        view->len *= view->shape[i];
    }
    set_flags(self->top);
}

static PyObject *subview_at(PyObject *op, Py_ssize_t index)
{
    struct ndarray *sub = subview(op);
    if (sub == NULL) {
        return NULL;
    }
    struct layer *layer = sub->top;
    struct layout layout;
    layout_of(&layer->view, &layout);
    layer->view.buf = step_into(&layout, 0, layer->view.buf, index);
    layer->view.ndim--;
    layer->view.shape++;
    layer->view.strides++;
    if (layer->view.suboffsets != NULL) {
        layer->view.suboffsets++;
    }
    view_measure(sub);
    return (PyObject *)sub;
}

/* The index made to count from the start; -1 with IndexError. */
static Py_ssize_t index_check(Py_ssize_t index, Py_ssize_t length)
{
    index += index < 0 ? length : 0;
    if (index < 0 || index >= length) {
        PyErr_SetString(PyExc_IndexError, "index out of bounds");
        return -1;
    }
    return index;
}

static PyObject *ndarray_item(PyObject *op, Py_ssize_t index)
{
    const Py_buffer *view = VIEW(op);
    struct layout layout;
    if (view->ndim == 0) {
        PyErr_SetString(PyExc_TypeError, "invalid indexing of scalar");
        return NULL;
    }
    layout_of(view, &layout);
    index = index_check(index, layout.shape[0]);
    if (index < 0) {
        return NULL;
    }
    if (view->ndim > 1) {
        return subview_at(op, index);
    }
    const char *format = format_of(view);
    return format == NULL
               ? NULL
               : item_unpack(format, step_into(&layout, 0, view->buf, index), view->itemsize);
}

static int slice_dimension(Py_buffer *view, int dim, PyObject *slice)
{
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(slice, &start, &stop, &step) < 0) {
        return -1;
    }
    Py_ssize_t length = PySlice_AdjustIndices(view->shape[dim], &start, &stop, step),
               skip = start * view->strides[dim];
    int through = dim - 1; /* the last dimension before it that goes through pointers */
    while (through >= 0 && (view->suboffsets == NULL || view->suboffsets[through] < 0)) {
        through--;
    }
    if (length == 0) {
        skip = 0;
    }
    if (through >= 0) {
        view->suboffsets[through] += skip;
    } else {
        view->buf = (char *)view->buf + skip;
    }
    view->shape[dim] = length;
    view->strides[dim] *= step;
    return 0;
}

static PyObject *ndarray_slice(PyObject *op, PyObject **slices, Py_ssize_t count)
{
    if (count > VIEW(op)->ndim) {
        PyErr_SetString(PyExc_TypeError, "too many indices");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        if (!PySlice_Check(slices[i])) {
            PyErr_Format(PyExc_TypeError, "cannot index memory using \"%.200s\"",
                         Py_TYPE(slices[i])->tp_name);
            return NULL;
        }
    }
    struct ndarray *sub = subview(op);
    for (Py_ssize_t i = 0; sub != NULL && i < count; i++) {
        if (slice_dimension(&sub->top->view, (int)i, slices[i]) < 0) {
            Py_CLEAR(sub);
        }
    }
    if (sub != NULL) {
        view_measure(sub);
    }
    return (PyObject *)sub;
}

static PyObject *ndarray_subscript(PyObject *op, PyObject *key)
{
    const Py_buffer *view = VIEW(op);
    if (key == Py_Ellipsis) {
        return (PyObject *)subview(op);
    }
    if (view->ndim == 0) {
        if (PyTuple_Check(key) && PyTuple_GET_SIZE(key) == 0) {
            const char *format = format_of(view);
            return format == NULL ? NULL : item_unpack(format, view->buf, view->itemsize);
        }
        PyErr_SetString(PyExc_TypeError, "invalid indexing of scalar");
        return NULL;
    }
    if (PyIndex_Check(key)) {
        Py_ssize_t index = PyNumber_AsSsize_t(key, PyExc_OverflowError);
        return index == -1 && PyErr_Occurred() ? NULL : ndarray_item(op, index);
    }
    return PyTuple_Check(key) ? ndarray_slice(op, &PyTuple_GET_ITEM(key, 0), PyTuple_GET_SIZE(key))
                              : ndarray_slice(op, &key, 1);
}

/* Copies items row by row, each by way of `row`: that is what is seen where the two share memory. */
static void copy_rows(const struct layout *to, const struct layout *from, int dim, char *to_at,
                      char *from_at, Py_ssize_t size, char *row)
{
    if (dim >= to->ndim - 1) {
        copy_items(from, dim, from_at, row, size, false);
        copy_items(to, dim, to_at, row, size, true);
        return;
    }
    for (Py_ssize_t i = 0; i < to->shape[dim]; i++) {
        copy_rows(to, from, dim + 1, step_into(to, dim, to_at, i), step_into(from, dim, from_at, i),
                  size, row);
    }
}

/* Gives an array the items of another exporter; they may share memory. */
static int copy_from(PyObject *op, PyObject *value)
{
    Py_buffer *to = VIEW(op), from;
    if (PyObject_GetBuffer(value, &from, PyBUF_FULL_RO) < 0) {
        return -1;
    }
    bool same = from.ndim == to->ndim && from.itemsize == to->itemsize
                && strcmp(from.format, to->format == NULL ? "B" : to->format) == 0;
    for (int i = 0; same && i < to->ndim; i++) {
        same = from.shape[i] == to->shape[i];
    }
    char *row = NULL;
    if (!same) {
        PyErr_SetString(PyExc_ValueError, "the right side has other dimensions or another format");
    } else if ((row = PyMem_Malloc((size_t)to->len)) == NULL) {
        PyErr_NoMemory();
    } else {
        struct layout to_layout, from_layout;
        layout_of(to, &to_layout);
        layout_of(&from, &from_layout);
        copy_rows(&to_layout, &from_layout, 0, to->buf, from.buf, to->itemsize, row);
    }
    PyMem_Free(row);
    PyBuffer_Release(&from);
    return row == NULL ? -1 : 0;
}

static int store_item(const Py_buffer *view, char *at, PyObject *value)
{
    const char *format = format_of(view);
    Py_ssize_t members = format == NULL ? -1 : member_count(format, view->itemsize);
    return members < 0 ? -1 : item_pack(format, at, view->itemsize, members, value);
}

static int ndarray_ass_subscript(PyObject *op, PyObject *key, PyObject *value)
{
    const Py_buffer *view = VIEW(op);
    if (view->readonly || value == NULL) {
        PyErr_SetString(PyExc_TypeError,
                        value == NULL ? "items cannot be deleted" : "the array is not writable");
        return -1;
    }
    if (view->ndim == 0) {
        if (key == Py_Ellipsis || (PyTuple_Check(key) && PyTuple_GET_SIZE(key) == 0)) {
            return store_item(view, view->buf, value);
        }
        PyErr_SetString(PyExc_TypeError, "invalid indexing of scalar");
        return -1;
    }
    if (PyIndex_Check(key) && view->ndim == 1) {
        struct layout layout;
        layout_of(view, &layout);
        Py_ssize_t index = PyNumber_AsSsize_t(key, PyExc_OverflowError);
        if ((index == -1 && PyErr_Occurred())
            || (index = index_check(index, layout.shape[0])) < 0) {
            return -1;
        }
        return store_item(view, step_into(&layout, 0, view->buf, index), value);
    }
    PyObject *part = ndarray_subscript(op, key);
    int result = part == NULL ? -1 : copy_from(part, value);
    Py_XDECREF(part);
    return result;
}

static PyMappingMethods ndarray_as_mapping = {
    .mp_length = ndarray_length,
    .mp_subscript = ndarray_subscript,
    .mp_ass_subscript = ndarray_ass_subscript,
};
static PySequenceMethods ndarray_as_sequence = {.sq_length = ndarray_length,
                                                .sq_item = ndarray_item};
static PyBufferProcs ndarray_as_buffer = {ndarray_getbuffer, ndarray_releasebuffer};

/* ---- attributes and methods ----------------------------------------------------------------------- */

static PyObject *numbers_tuple(const Py_ssize_t *numbers, int count)
{
    PyObject *tuple = PyTuple_New(numbers == NULL ? 0 : count);
    for (int i = 0; tuple != NULL && numbers != NULL && i < count; i++) {
        PyObject *number = PyLong_FromSsize_t(numbers[i]);
        if (number == NULL) {
            Py_CLEAR(tuple);
        } else {
            PyTuple_SET_ITEM(tuple, i, number);
        }
    }
    return tuple;
}

#define GETTER(name, result)                                                                       \
    static PyObject *attr_##name(PyObject *op, void *Py_UNUSED(closure))                           \
    {                                                                                              \
        const struct layer *layer = ARRAY(op)->top;                                                \
        const Py_buffer *view = &layer->view;                                                      \
        (void)view;                                                                                \
        return result;                                                                             \
    }

GETTER(flags, PyLong_FromLong(layer->flags))
GETTER(offset, PyLong_FromSsize_t(layer->offset))
GETTER(obj, Py_NewRef(view->obj == NULL ? Py_None : view->obj))
GETTER(nbytes, PyLong_FromSsize_t(view->len))
GETTER(readonly, PyBool_FromLong(view->readonly))
GETTER(itemsize, PyLong_FromSsize_t(view->itemsize))
GETTER(format, PyUnicode_FromString(view->format == NULL ? "" : view->format))
GETTER(ndim, PyLong_FromLong(view->ndim))
GETTER(shape, numbers_tuple(view->shape, view->ndim))
GETTER(strides, numbers_tuple(view->strides, view->ndim))
GETTER(suboffsets, numbers_tuple(view->suboffsets, view->ndim))
GETTER(c_contiguous, PyBool_FromLong(PyBuffer_IsContiguous(view, 'C')))
GETTER(f_contiguous, PyBool_FromLong(PyBuffer_IsContiguous(view, 'F')))
GETTER(contiguous, PyBool_FromLong(PyBuffer_IsContiguous(view, 'A')))

static PyGetSetDef ndarray_getset[] = {
#define GET(name)                                                                                  \
    {                                                                                              \
#name, attr_##name, NULL, NULL, NULL                                                       \
    }
    GET(flags),      GET(offset),       GET(obj),          GET(nbytes),     GET(readonly),
    GET(itemsize),   GET(format),       GET(ndim),         GET(shape),      GET(strides),
    GET(suboffsets), GET(c_contiguous), GET(f_contiguous), GET(contiguous),
#undef GET
    {NULL},
};

static PyObject *ndarray_tolist(PyObject *op, PyObject *Py_UNUSED(unused))
{
    const Py_buffer *view = VIEW(op);
    const char *format = format_of(view);
    struct layout layout;
    layout_of(view, &layout);
    return format == NULL ? NULL : list_items(&layout, 0, view->buf, format, view->itemsize);
}

static PyObject *ndarray_tobytes(PyObject *op, PyObject *Py_UNUSED(unused))
{
    return view_bytes(VIEW(op));
}

/* Suboffsets that change nothing. */
static PyObject *ndarray_add_suboffsets(PyObject *op, PyObject *Py_UNUSED(unused))
{
    struct layer *layer = ARRAY(op)->top;
    Py_buffer *view = &layer->view;
    if (view->suboffsets != NULL || view->strides == NULL) {
        PyErr_SetString(PyExc_TypeError, "the array has suboffsets or no strides");
        return NULL;
    }
    for (int i = 0; i < view->ndim; i++) {
        layer->suboffsets[i] = -1;
    }
    view->suboffsets = layer->suboffsets;
    Py_RETURN_NONE;
}

/* PyMemoryView_FromBuffer(): the array has to outlive the result. */
static PyObject *ndarray_memoryview_from_buffer(PyObject *op, PyObject *Py_UNUSED(unused))
{
    const Py_buffer *view = VIEW(op);
    PyObject *base = view->obj;
    if (base != NULL && !(Py_IS_TYPE(base, &ndarray_type) && !ARRAY(base)->top->consumer)) {
        PyErr_SetString(PyExc_TypeError, "the memory must belong to this array or the one below");
        return NULL;
    }
    if (view->format != NULL && strlen(view->format) > ND_MAX_NDIM) {
        PyErr_SetString(PyExc_TypeError, "the format is too long");
        return NULL;
    }
    Py_buffer plain = *view;
    plain.obj = NULL;
    plain.internal = NULL;
    return PyMemoryView_FromBuffer(&plain);
}

static Py_hash_t ndarray_hash(PyObject *op)
{
    if (!VIEW(op)->readonly) {
        PyErr_SetString(PyExc_ValueError, "cannot hash writable ndarray object");
        return -1;
    }
    PyObject *bytes = view_bytes(VIEW(op));
    Py_hash_t hash = bytes == NULL ? -1 : PyObject_Hash(bytes);
    Py_XDECREF(bytes);
    return hash;
}

static PyMethodDef ndarray_methods[] = {
    {"tolist", ndarray_tolist, METH_NOARGS, NULL},
    {"tobytes", ndarray_tobytes, METH_NOARGS, NULL},
    {"add_suboffsets", ndarray_add_suboffsets, METH_NOARGS, NULL},
    {"memoryview_from_buffer", ndarray_memoryview_from_buffer, METH_NOARGS, NULL},
    {"push", (PyCFunction)(void (*)(void))ndarray_push, METH_VARARGS | METH_KEYWORDS, NULL},
    {"pop", ndarray_pop, METH_NOARGS, NULL},
    {NULL},
};

static PyTypeObject ndarray_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "_testbuffer.ndarray",
    .tp_basicsize = sizeof(struct ndarray),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = ndarray_new,
    .tp_dealloc = ndarray_dealloc,
    .tp_hash = ndarray_hash,
    .tp_as_mapping = &ndarray_as_mapping,
    .tp_as_sequence = &ndarray_as_sequence,
    .tp_as_buffer = &ndarray_as_buffer,
    .tp_methods = ndarray_methods,
    .tp_getset = ndarray_getset,
};

/* ---- staticarray ---------------------------------------------------------------------------------- */

struct staticarray {
    PyObject_HEAD
    int legacy; /* its buffers do not say whose they are */
};

static char static_bytes[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
static Py_ssize_t static_shape[] = {12}, static_strides[] = {1};

static PyObject *staticarray_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"legacy_mode", NULL};
    int legacy = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|p:staticarray", names, &legacy)) {
        return NULL;
    }
    struct staticarray *self = (struct staticarray *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->legacy = legacy;
    }
    return (PyObject *)self;
}

static int staticarray_getbuffer(PyObject *op, Py_buffer *view, int Py_UNUSED(request))
{
    *view = (Py_buffer){
        .buf = static_bytes,
        .len = 12,
        .readonly = 1,
        .itemsize = 1,
        .format = "B",
        .ndim = 1,
        .shape = static_shape,
        .strides = static_strides,
        .obj = ((struct staticarray *)op)->legacy ? NULL : Py_NewRef(op),
    };
    return 0;
}

static PyBufferProcs staticarray_as_buffer = {staticarray_getbuffer, NULL};

static PyTypeObject staticarray_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "_testbuffer.staticarray",
    .tp_basicsize = sizeof(struct staticarray),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = staticarray_new,
    .tp_as_buffer = &staticarray_as_buffer,
};

/* ---- functions ------------------------------------------------------------------------------------ */

/* The order of items that a function is asked for; 0 with an exception. */
static char read_order(PyObject *object)
{
    if (!PyUnicode_Check(object)) {
        PyErr_SetString(PyExc_TypeError, "order must be a string");
        return 0;
    }
    PyObject *ascii = PyUnicode_AsASCIIString(object);
    if (ascii == NULL) {
        return 0;
    }
    char order = PyBytes_AS_STRING(ascii)[0];
    Py_DECREF(ascii);
    if (order != 'C' && order != 'F' && order != 'A') {
        PyErr_SetString(PyExc_ValueError, "order must be 'C', 'F' or 'A'");
        return 0;
    }
    return order;
}

FUNCTIONN(slice_indices)
{
    PyObject *slice;
    Py_ssize_t length, start, stop, step;
    if (!PyArg_ParseTuple(args, "O!n:slice_indices", &PySlice_Type, &slice, &length)
        || PySlice_Unpack(slice, &start, &stop, &step) < 0) {
        return NULL;
    }
    Py_ssize_t count = PySlice_AdjustIndices(length, &start, &stop, step);
    return Py_BuildValue("nnnn", start, stop, step, count);
}

FUNCTION0(get_sizeof_void_p)
{
    return PyLong_FromSize_t(sizeof(void *));
}

/* The item at some indices, by way of PyBuffer_GetPointer(). */
FUNCTIONN(get_pointer)
{
    PyObject *exporter, *indices, *item = NULL;
    Py_ssize_t at[ND_MAX_NDIM];
    Py_buffer view;
    if (!PyArg_ParseTuple(args, "OO:get_pointer", &exporter, &indices)
        || PyObject_GetBuffer(exporter, &view, PyBUF_FULL_RO) < 0) {
        return NULL;
    }
    int count = read_numbers(indices, "indices", at, true);
    bool good = count == view.ndim;
    for (int i = 0; good && i < count; i++) {
        good = at[i] >= 0 && at[i] < view.shape[i];
    }
    if (good) {
        const char *format = format_of(&view);
        item = format == NULL ? NULL
                              : item_unpack(format, PyBuffer_GetPointer(&view, at), view.itemsize);
    } else if (count >= 0) {
        PyErr_SetString(PyExc_ValueError, "the indices are not those of an item");
    }
    PyBuffer_Release(&view);
    return item;
}

FUNCTIONN(get_contiguous)
{
    PyObject *exporter, *type_object, *order_object;
    if (!PyArg_ParseTuple(args, "OOO:get_contiguous", &exporter, &type_object, &order_object)) {
        return NULL;
    }
    if (!PyLong_Check(type_object)) {
        PyErr_SetString(PyExc_TypeError, "buffertype must be PyBUF_READ or PyBUF_WRITE");
        return NULL;
    }
    long type = PyLong_AsLong(type_object);
    if (type == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (type != PyBUF_READ && type != PyBUF_WRITE) {
        PyErr_SetString(PyExc_ValueError, "buffertype must be PyBUF_READ or PyBUF_WRITE");
        return NULL;
    }
    char order = read_order(order_object);
    return order == 0 ? NULL : PyMemoryView_GetContiguous(exporter, (int)type, order);
}

FUNCTIONN(py_buffer_to_contiguous)
{
    PyObject *exporter, *order_object;
    int request;
    Py_buffer view;
    if (!PyArg_ParseTuple(args, "OOi:py_buffer_to_contiguous", &exporter, &order_object,
                          &request)) {
        return NULL;
    }
    char order = read_order(order_object);
    if (order == 0 || PyObject_GetBuffer(exporter, &view, request) < 0) {
        return NULL;
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, view.len);
    if (bytes != NULL
        && PyBuffer_ToContiguous(PyBytes_AS_STRING(bytes), &view, view.len, order) < 0) {
        Py_CLEAR(bytes);
    }
    PyBuffer_Release(&view);
    return bytes;
}

static bool same_numbers(const Py_ssize_t *a, const Py_ssize_t *b, int count)
{
    if (count == 0 || a == NULL || b == NULL) {
        return count == 0 || a == b;
    }
    return memcmp(a, b, (size_t)count * sizeof(Py_ssize_t)) == 0;
}

/* Whether two contiguous buffers are the same in form, order and contents. */
static bool contiguous_equal(const Py_buffer *a, const Py_buffer *b)
{
    const char *one = a->format == NULL ? "B" : a->format,
               *other = b->format == NULL ? "B" : b->format;
    return a->len == b->len && a->itemsize == b->itemsize && a->ndim == b->ndim
           && strcmp(one, other) == 0 && same_numbers(a->shape, b->shape, a->ndim)
           && PyBuffer_IsContiguous(a, 'C') == PyBuffer_IsContiguous(b, 'C')
           && PyBuffer_IsContiguous(a, 'F') == PyBuffer_IsContiguous(b, 'F')
           && PyBuffer_IsContiguous(a, 'A') && memcmp(a->buf, b->buf, (size_t)a->len) == 0;
}

FUNCTIONN(cmp_contig)
{
    PyObject *first, *second;
    Py_buffer a, b;
    if (!PyArg_ParseTuple(args, "OO:cmp_contig", &first, &second)
        || PyObject_GetBuffer(first, &a, PyBUF_FULL_RO) < 0) {
        return NULL;
    }
    if (PyObject_GetBuffer(second, &b, PyBUF_FULL_RO) < 0) {
        PyBuffer_Release(&a);
        return NULL;
    }
    bool equal = contiguous_equal(&a, &b);
    PyBuffer_Release(&a);
    PyBuffer_Release(&b);
    return PyBool_FromLong(equal);
}

/* Of an ndarray it looks at what it has, which may be less than a full buffer. */
FUNCTIONN(is_contiguous)
{
    PyObject *object, *order_object;
    Py_buffer view;
    if (!PyArg_ParseTuple(args, "OO:is_contiguous", &object, &order_object)) {
        return NULL;
    }
    char order = read_order(order_object);
    if (order == 0) {
        return NULL;
    }
    if (Py_IS_TYPE(object, &ndarray_type)) {
        return PyBool_FromLong(PyBuffer_IsContiguous(VIEW(object), order));
    }
    if (PyObject_GetBuffer(object, &view, PyBUF_FULL_RO) < 0) {
        return NULL;
    }
    int result = PyBuffer_IsContiguous(&view, order);
    PyBuffer_Release(&view);
    return PyBool_FromLong(result);
}

static PyMethodDef methods[] = {
    VARARGS(slice_indices),
    NOARGS(get_sizeof_void_p),
    VARARGS(get_pointer),
    VARARGS(get_contiguous),
    VARARGS(py_buffer_to_contiguous),
    VARARGS(cmp_contig),
    VARARGS(is_contiguous),
    {NULL},
};

static int add_constants(PyObject *module)
{
    static const struct {
        const char *name;
        int value;
    } constants[] = {
#define C(name) {#name, name}
        C(ND_MAX_NDIM),        C(ND_VAREXPORT),       C(ND_WRITABLE),
        C(ND_FORTRAN),         C(ND_SCALAR),          C(ND_PIL),
        C(ND_REDIRECT),        C(ND_GETBUF_FAIL),     C(ND_GETBUF_UNDEFINED),
        C(PyBUF_SIMPLE),       C(PyBUF_WRITABLE),     C(PyBUF_FORMAT),
        C(PyBUF_ND),           C(PyBUF_STRIDES),      C(PyBUF_INDIRECT),
        C(PyBUF_C_CONTIGUOUS), C(PyBUF_F_CONTIGUOUS), C(PyBUF_ANY_CONTIGUOUS),
        C(PyBUF_FULL),         C(PyBUF_FULL_RO),      C(PyBUF_RECORDS),
        C(PyBUF_RECORDS_RO),   C(PyBUF_STRIDED),      C(PyBUF_STRIDED_RO),
        C(PyBUF_CONTIG),       C(PyBUF_CONTIG_RO),    C(PyBUF_READ),
        C(PyBUF_WRITE),
#undef C
    };
    for (size_t i = 0; i < sizeof constants / sizeof constants[0]; i++) {
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0) {
            return -1;
        }
    }
    return 0;
}

static int exec(PyObject *module)
{
    PyObject *structs = PyImport_ImportModule("struct");
    if (structs == NULL) {
        return -1;
    }
    Py_XSETREF(struct_pack, PyObject_GetAttrString(structs, "pack"));
    Py_XSETREF(struct_unpack, PyObject_GetAttrString(structs, "unpack"));
    Py_XSETREF(struct_calcsize, PyObject_GetAttrString(structs, "calcsize"));
    Py_DECREF(structs);
    if (struct_pack == NULL || struct_unpack == NULL || struct_calcsize == NULL) {
        return -1;
    }
    return PyModule_AddType(module, &ndarray_type) < 0
                   || PyModule_AddType(module, &staticarray_type) < 0 || add_constants(module) < 0
               ? -1
               : 0;
}

MODULE(_testbuffer, methods, exec)
