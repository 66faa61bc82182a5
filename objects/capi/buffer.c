/* The buffer protocol: getting, releasing, walking and copying views of memory. */
#include "objects/capi/capi.h"

#include <string.h>

/* ---- getting and releasing ------------------------------------------------------------------- */

int PyObject_CheckBuffer(PyObject *op)
{
    PyBufferProcs *procs = Py_TYPE(op)->tp_as_buffer;
    return procs && procs->bf_getbuffer;
}

/* READ and WRITE are for memoryview constructors; as requests they are a caller's mistake. */
static bool request_is_valid(int flags)
{
    if (flags != PyBUF_READ && flags != PyBUF_WRITE) {
        return true;
    }
    PyErr_BadInternalCall();
    return false;
}

int PyObject_GetBuffer(PyObject *op, Py_buffer *view, int flags)
{
    if (!request_is_valid(flags)) {
        return -1;
    }
    if (!PyObject_CheckBuffer(op)) {
        return raise_for_type_int("a bytes-like object is required, not '%.100s'", op);
    }
    return Py_TYPE(op)->tp_as_buffer->bf_getbuffer(op, view, flags);
}

void PyBuffer_Release(Py_buffer *view)
{
    PyObject *owner = view->obj;
    if (!owner) {
        return;
    }
    PyBufferProcs *procs = Py_TYPE(owner)->tp_as_buffer;
    if (procs && procs->bf_releasebuffer) {
        procs->bf_releasebuffer(owner, view);
    }
    view->obj = NULL;
    Py_DECREF(owner);
}

/* What bf_getbuffer of an object with plain contiguous bytes does. */
int PyBuffer_FillInfo(Py_buffer *view, PyObject *owner, void *buf, Py_ssize_t len, int readonly,
                      int flags)
{
    if (!view) {
        PyErr_SetString(PyExc_BufferError, "PyBuffer_FillInfo: view==NULL argument is obsolete");
        return -1;
    }
    if (!request_is_valid(flags)) {
        return -1;
    }
    if ((flags & PyBUF_WRITABLE) && readonly == 1) {
        PyErr_SetString(PyExc_BufferError, "Object is not writable.");
        return -1;
    }
    *view = (Py_buffer){
        .buf = buf,
        .obj = Py_XNewRef(owner),
        .len = len,
        .itemsize = 1,
        .readonly = readonly,
        .ndim = 1,
        .format = flags & PyBUF_FORMAT ? (char *)"B" : NULL,
        .shape = (flags & PyBUF_ND) == PyBUF_ND ? &view->len : NULL,
        .strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? &view->itemsize : NULL,
    };
    return 0;
}

/* ---- layout ---------------------------------------------------------------------------------- */

/* Whether each stride is the size of all faster dimensions together; those of length 1 do not
 * matter. The fastest dimension is the last for C, the first for Fortran. */
static bool strides_match(const Py_buffer *view, bool fortran)
{
    Py_ssize_t expected = view->itemsize;
    for (int k = 0; k < view->ndim; k++) {
        int i = fortran ? k : view->ndim - 1 - k;
        if (view->shape[i] > 1 && view->strides[i] != expected) {
            return false;
        }
        expected *= view->shape[i];
    }
    return true;
}

/* Without strides the layout is C's, which is also Fortran's if only one dimension counts. */
static bool is_fortran(const Py_buffer *view)
{
    if (view->strides) {
        return strides_match(view, true);
    }
    int long_dimensions = 0;
    for (int i = 0; view->ndim > 1 && i < view->ndim; i++) {
        long_dimensions += view->shape[i] > 1;
    }
    return long_dimensions <= 1;
}

int PyBuffer_IsContiguous(const Py_buffer *view, char order)
{
    if (view->suboffsets) {
        return 0;
    }
    bool empty = view->len == 0;
    bool c = empty || !view->strides || strides_match(view, false);
    switch (order) {
    case 'C':
        return c;
    case 'F':
        return empty || is_fortran(view);
    case 'A':
        return c || is_fortran(view);
    default:
        return 0;
    }
}

void PyBuffer_FillContiguousStrides(int ndim, Py_ssize_t *shape, Py_ssize_t *strides, int itemsize,
                                    char order)
{
    Py_ssize_t stride = itemsize;
    for (int k = 0; k < ndim; k++) {
        int i = order == 'F' ? k : ndim - 1 - k;
        strides[i] = stride;
        stride *= shape[i];
    }
}

/* Address of the item at the given indices. */
void *PyBuffer_GetPointer(const Py_buffer *view, const Py_ssize_t *indices)
{
    char *pointer = view->buf;
    for (int i = 0; i < view->ndim; i++) {
        pointer += view->strides[i] * indices[i];
        if (view->suboffsets && view->suboffsets[i] >= 0) {
            pointer = *(char **)pointer + view->suboffsets[i];
        }
    }
    return pointer;
}

/* Size of one item, as struct.calcsize() says; -1 with an exception. Runs Python code. */
Py_ssize_t PyBuffer_SizeFromFormat(const char *format)
{
    Py_ssize_t size = -1;
    PyObject *module = PyImport_ImportModule("struct");
    PyObject *result = module ? PyObject_CallMethod(module, "calcsize", "s", format) : NULL;
    if (result) {
        size = PyLong_AsSsize_t(result);
    }
    Py_XDECREF(module);
    Py_XDECREF(result);
    return size;
}

/* ---- copying --------------------------------------------------------------------------------- */

/* Steps to the next item in an order: 'F' runs through the first index fastest. */
static void next_index(Py_ssize_t *indices, int ndim, const Py_ssize_t *shape, char order)
{
    for (int k = 0; k < ndim; k++) {
        int i = order == 'F' ? k : ndim - 1 - k;
        if (++indices[i] < shape[i]) {
            return;
        }
        indices[i] = 0;
    }
}

/* Copies items between a view and contiguous memory, `len` bytes at most. The strides of a view
 * that has none are those of C. */
static void copy_items(const Py_buffer *view, char *memory, Py_ssize_t len, char order,
                       bool to_view)
{
    Py_ssize_t indices[PyBUF_MAX_NDIM] = {0}, strides[PyBUF_MAX_NDIM];
    Py_buffer walk = *view;
    if (!walk.strides) {
        PyBuffer_FillContiguousStrides(walk.ndim, walk.shape, strides, (int)walk.itemsize, 'C');
        walk.strides = strides;
    }
    Py_ssize_t itemsize = view->itemsize;
    for (Py_ssize_t left = len / (itemsize ? itemsize : 1); left > 0; left--) {
        char *item = PyBuffer_GetPointer(&walk, indices);
        memcpy(to_view ? item : memory, to_view ? memory : item, (size_t)itemsize);
        memory += itemsize;
        next_index(indices, view->ndim, view->shape, order);
    }
}

int PyBuffer_FromContiguous(const Py_buffer *view, const void *memory, Py_ssize_t len, char order)
{
    len = Py_MIN(len, view->len);
    if (PyBuffer_IsContiguous(view, order)) {
        memcpy(view->buf, memory, (size_t)len);
    } else {
        copy_items(view, (char *)memory, len, order, true);
    }
    return 0;
}

int PyBuffer_ToContiguous(void *memory, const Py_buffer *view, Py_ssize_t len, char order)
{
    if (len != view->len) {
        PyErr_SetString(PyExc_ValueError, "PyBuffer_ToContiguous: len != view->len");
        return -1;
    }
    if (PyBuffer_IsContiguous(view, order)) {
        memcpy(memory, view->buf, (size_t)len);
    } else {
        copy_items(view, memory, len, order, false);
    }
    return 0;
}

static int copy_view(const Py_buffer *to, const Py_buffer *from)
{
    if (to->len < from->len) {
        PyErr_SetString(PyExc_BufferError, "destination is too small to receive data from source");
        return -1;
    }
    if ((PyBuffer_IsContiguous(to, 'C') && PyBuffer_IsContiguous(from, 'C'))
        || (PyBuffer_IsContiguous(to, 'F') && PyBuffer_IsContiguous(from, 'F'))) {
        memcpy(to->buf, from->buf, (size_t)from->len);
        return 0;
    }
    char *packed = PyMem_Malloc((size_t)from->len);
    if (!packed) {
        PyErr_NoMemory();
        return -1;
    }
    copy_items(from, packed, from->len, 'C', false);
    copy_items(to, packed, from->len, 'C', true);
    PyMem_Free(packed);
    return 0;
}

int PyObject_CopyData(PyObject *to, PyObject *from)
{
    if (!PyObject_CheckBuffer(to) || !PyObject_CheckBuffer(from)) {
        PyErr_SetString(PyExc_TypeError, "both destination and source must be bytes-like objects");
        return -1;
    }
    Py_buffer to_view, from_view;
    if (PyObject_GetBuffer(to, &to_view, PyBUF_FULL) < 0) {
        return -1;
    }
    if (PyObject_GetBuffer(from, &from_view, PyBUF_FULL_RO) < 0) {
        PyBuffer_Release(&to_view);
        return -1;
    }
    int status = copy_view(&to_view, &from_view);
    PyBuffer_Release(&to_view);
    PyBuffer_Release(&from_view);
    return status;
}

/* ---- the protocol before views could be released --------------------------------------------- */

/* These give a pointer that is valid while the object lives and does not change. */
PyAPI_FUNC(int) PyObject_AsReadBuffer(PyObject *op, const void **buf, Py_ssize_t *len);
PyAPI_FUNC(int) PyObject_AsCharBuffer(PyObject *op, const char **buf, Py_ssize_t *len);
PyAPI_FUNC(int) PyObject_AsWriteBuffer(PyObject *op, void **buf, Py_ssize_t *len);
PyAPI_FUNC(int) PyObject_CheckReadBuffer(PyObject *op);

int PyObject_AsReadBuffer(PyObject *op, const void **buf, Py_ssize_t *len)
{
    if (!op || !buf || !len) {
        raise_null_argument();
        return -1;
    }
    Py_buffer view;
    if (PyObject_GetBuffer(op, &view, PyBUF_SIMPLE) < 0) {
        return -1;
    }
    *buf = view.buf;
    *len = view.len;
    PyBuffer_Release(&view);
    return 0;
}

int PyObject_AsCharBuffer(PyObject *op, const char **buf, Py_ssize_t *len)
{
    return PyObject_AsReadBuffer(op, (const void **)buf, len);
}

int PyObject_AsWriteBuffer(PyObject *op, void **buf, Py_ssize_t *len)
{
    if (!op || !buf || !len) {
        raise_null_argument();
        return -1;
    }
    Py_buffer view;
    if (!PyObject_CheckBuffer(op)
        || Py_TYPE(op)->tp_as_buffer->bf_getbuffer(op, &view, PyBUF_WRITABLE) < 0) {
        PyErr_SetString(PyExc_TypeError, "expected a writable bytes-like object");
        return -1;
    }
    *buf = view.buf;
    *len = view.len;
    PyBuffer_Release(&view);
    return 0;
}

int PyObject_CheckReadBuffer(PyObject *op)
{
    Py_buffer view;
    if (!PyObject_CheckBuffer(op)) {
        return 0;
    }
    if (PyObject_GetBuffer(op, &view, PyBUF_SIMPLE) < 0) {
        PyErr_Clear();
        return 0;
    }
    PyBuffer_Release(&view);
    return 1;
}
