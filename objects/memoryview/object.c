/* memoryview: making, exporting and releasing. */
#include "objects/memoryview/memoryview.h"

#include <string.h>

/* ---- Managed buffers ----------------------------------------------------------------------------------- */

static _PyManagedBufferObject *managed_alloc(void)
{
    _PyManagedBufferObject *managed =
        PyObject_GC_New(_PyManagedBufferObject, &_PyManagedBuffer_Type);
    if (managed != NULL) {
        managed->flags = 0;
        managed->exports = 0;
        managed->master.obj = NULL;
        PyObject_GC_Track(managed);
    }
    return managed;
}

static _PyManagedBufferObject *managed_from_object(PyObject *object, int flags)
{
    _PyManagedBufferObject *managed = managed_alloc();
    if (managed != NULL && PyObject_GetBuffer(object, &managed->master, flags) < 0) {
        managed->master.obj = NULL;
        Py_CLEAR(managed);
    }
    return managed;
}

static void managed_release(_PyManagedBufferObject *managed)
{
    if (managed->flags & _Py_MANAGED_BUFFER_RELEASED) {
        return;
    }
    managed->flags |= _Py_MANAGED_BUFFER_RELEASED;
    PyBuffer_Release(&managed->master);
}

static void managed_dealloc(PyObject *self)
{
    _PyManagedBufferObject *managed = (_PyManagedBufferObject *)self;
    PyObject_GC_UnTrack(self);
    char *format = managed->master.format;
    managed_release(managed);
    if (managed->flags & _Py_MANAGED_BUFFER_FREE_FORMAT) {
        PyMem_Free(format);
    }
    PyObject_GC_Del(self);
}

static int managed_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((_PyManagedBufferObject *)self)->master.obj);
    return 0;
}

static int managed_clear(PyObject *self)
{
    managed_release((_PyManagedBufferObject *)self);
    return 0;
}

PyTypeObject _PyManagedBuffer_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "managedbuffer",
    .tp_basicsize = sizeof(_PyManagedBufferObject),
    .tp_dealloc = managed_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = managed_traverse,
    .tp_clear = managed_clear,
};

/* ---- Views ---------------------------------------------------------------------------------------------- */

int view_check_released(PyObject *self)
{
    PyMemoryViewObject *view = (PyMemoryViewObject *)self;
    if ((view->flags & _Py_MEMORYVIEW_RELEASED)
        || (view->mbuf->flags & _Py_MANAGED_BUFFER_RELEASED)) {
        PyErr_SetString(PyExc_ValueError, "operation forbidden on released memoryview object");
        return -1;
    }
    return 0;
}

static PyMemoryViewObject *view_alloc(int ndim)
{
    PyMemoryViewObject *self =
        PyObject_GC_NewVar(PyMemoryViewObject, &PyMemoryView_Type, 3 * (Py_ssize_t)ndim);
    if (self != NULL) {
        self->mbuf = NULL;
        self->hash = -1;
        self->flags = 0;
        self->exports = 0;
        self->view.ndim = ndim;
        self->view.shape = self->ob_array;
        self->view.strides = self->ob_array + ndim;
        self->view.suboffsets = self->ob_array + 2 * ndim;
        self->weakreflist = NULL;
    }
    return self;
}

void view_update_flags(PyMemoryViewObject *self)
{
    const Py_buffer *view = &self->view;
    int flags = 0;
    if (view->ndim == 0) {
        flags = _Py_MEMORYVIEW_SCALAR | _Py_MEMORYVIEW_C | _Py_MEMORYVIEW_FORTRAN;
    } else if (view->ndim == 1) {
        if (view->shape[0] == 1 || view->strides[0] == view->itemsize) {
            flags = _Py_MEMORYVIEW_C | _Py_MEMORYVIEW_FORTRAN;
        }
    } else {
        flags = (PyBuffer_IsContiguous(view, 'C') ? _Py_MEMORYVIEW_C : 0)
                | (PyBuffer_IsContiguous(view, 'F') ? _Py_MEMORYVIEW_FORTRAN : 0);
    }
    if (view->suboffsets != NULL) {
        flags |= _Py_MEMORYVIEW_PIL;
        flags &= ~(_Py_MEMORYVIEW_C | _Py_MEMORYVIEW_FORTRAN);
    }
    int layout =
        _Py_MEMORYVIEW_SCALAR | _Py_MEMORYVIEW_C | _Py_MEMORYVIEW_FORTRAN | _Py_MEMORYVIEW_PIL;
    self->flags = (self->flags & ~layout) | flags;
}

/* Every field is filled in, also those that the exporter left out. */
static void layout_copy(Py_buffer *to, const Py_buffer *from)
{
    int ndim = from->ndim;
    to->obj = from->obj;
    to->buf = from->buf;
    to->len = from->len;
    to->itemsize = from->itemsize;
    to->readonly = from->readonly;
    to->format = from->format != NULL ? from->format : "B";
    to->internal = NULL;
    if (ndim == 1 && from->shape == NULL) {
        to->shape[0] = from->len / from->itemsize;
    } else if (ndim > 0) {
        memcpy(to->shape, from->shape, (size_t)ndim * sizeof *to->shape);
    }
    if (from->strides != NULL) {
        memcpy(to->strides, from->strides, (size_t)ndim * sizeof *to->strides);
    } else {
        Py_ssize_t stride = to->itemsize;
        for (int i = ndim - 1; i >= 0; i--) {
            to->strides[i] = stride;
            stride *= to->shape[i];
        }
    }
    if (from->suboffsets != NULL && ndim > 0) {
        memcpy(to->suboffsets, from->suboffsets, (size_t)ndim * sizeof *to->suboffsets);
    } else {
        to->suboffsets = NULL;
    }
}

PyObject *view_of_managed(_PyManagedBufferObject *managed, const Py_buffer *layout)
{
    if (layout == NULL) {
        layout = &managed->master;
    }
    if (layout->ndim > PyBUF_MAX_NDIM) {
        PyErr_Format(PyExc_ValueError, "memoryview: number of dimensions must not exceed %d",
                     PyBUF_MAX_NDIM);
        return NULL;
    }
    PyMemoryViewObject *self = view_alloc(layout->ndim);
    if (self == NULL) {
        return NULL;
    }
    layout_copy(&self->view, layout);
    view_update_flags(self);
    self->mbuf = (_PyManagedBufferObject *)Py_NewRef(managed);
    __atomic_fetch_add(&managed->exports, 1, __ATOMIC_RELAXED);
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

int view_check_restricted(PyObject *self)
{
    if (((PyMemoryViewObject *)self)->flags & _Py_MEMORYVIEW_RESTRICTED) {
        PyErr_SetString(PyExc_ValueError, "cannot create new view on restricted memoryview");
        return -1;
    }
    return 0;
}

static PyObject *view_from_object(PyObject *object, int flags)
{
    if (PyMemoryView_Check(object)) {
        PyObject *result = NULL;
        Py_BEGIN_CRITICAL_SECTION(object);
        if (view_check_released(object) == 0 && view_check_restricted(object) == 0) {
            result = view_of_managed(((PyMemoryViewObject *)object)->mbuf, view_of(object));
        }
        Py_END_CRITICAL_SECTION();
        return result;
    }
    if (!PyObject_CheckBuffer(object)) {
        PyErr_Format(PyExc_TypeError, "memoryview: a bytes-like object is required, not '%.200s'",
                     Py_TYPE(object)->tp_name);
        return NULL;
    }
    _PyManagedBufferObject *managed = managed_from_object(object, flags);
    if (managed == NULL) {
        return NULL;
    }
    PyObject *result = view_of_managed(managed, NULL);
    Py_DECREF(managed);
    return result;
}

PyObject *PyMemoryView_FromObject(PyObject *object)
{
    return view_from_object(object, PyBUF_FULL_RO);
}

PyObject *_PyMemoryView_FromBufferProc(PyObject *object, int flags, getbufferproc get)
{
    _PyManagedBufferObject *managed = managed_alloc();
    if (managed == NULL) {
        return NULL;
    }
    if (get(object, &managed->master, flags) < 0) {
        managed->master.obj = NULL;
        Py_DECREF(managed);
        return NULL;
    }
    PyObject *result = view_of_managed(managed, NULL);
    Py_DECREF(managed);
    return result;
}

PyObject *view_from_flags(PyObject *object, int flags)
{
    return view_from_object(object, flags);
}

PyObject *PyMemoryView_FromBuffer(const Py_buffer *info)
{
    if (info->buf == NULL) {
        PyErr_SetString(PyExc_ValueError, "PyMemoryView_FromBuffer(): info->buf must not be NULL");
        return NULL;
    }
    _PyManagedBufferObject *managed = managed_alloc();
    if (managed == NULL) {
        return NULL;
    }
    managed->master = *info;
    managed->master.obj = NULL; /* the caller keeps the memory alive */
    PyObject *result = view_of_managed(managed, NULL);
    Py_DECREF(managed);
    return result;
}

PyObject *PyMemoryView_FromMemory(char *memory, Py_ssize_t size, int flags)
{
    Py_buffer info;
    if (PyBuffer_FillInfo(&info, NULL, memory, size, flags != PyBUF_WRITE, PyBUF_FULL_RO) < 0) {
        return NULL;
    }
    return PyMemoryView_FromBuffer(&info);
}

/* A view of a contiguous copy; the bytes object that holds it is `obj` of the view. */
static PyObject *view_of_copy(const Py_buffer *from, char order)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, from->len);
    if (bytes == NULL) {
        return NULL;
    }
    _PyManagedBufferObject *managed = managed_from_object(bytes, PyBUF_FULL_RO);
    Py_DECREF(bytes);
    if (managed == NULL) {
        return NULL;
    }
    if (from->format != NULL) {
        char *format = PyMem_Malloc(strlen(from->format) + 1);
        if (format == NULL) {
            Py_DECREF(managed);
            return PyErr_NoMemory();
        }
        managed->master.format = strcpy(format, from->format);
        managed->flags |= _Py_MANAGED_BUFFER_FREE_FORMAT;
    }
    Py_ssize_t strides[PyBUF_MAX_NDIM];
    Py_buffer layout = managed->master;
    layout.itemsize = from->itemsize;
    layout.ndim = from->ndim;
    layout.shape = from->shape;
    layout.strides = strides;
    layout.suboffsets = NULL;
    PyBuffer_FillContiguousStrides(from->ndim, from->shape, strides, (int)from->itemsize, order);
    PyObject *result = NULL;
    if (buffer_copy(&layout, from) == 0) {
        result = view_of_managed(managed, &layout);
    }
    Py_DECREF(managed);
    return result;
}

PyObject *PyMemoryView_GetContiguous(PyObject *object, int type, char order)
{
    PyObject *self = PyMemoryView_FromObject(object);
    if (self == NULL) {
        return NULL;
    }
    Py_buffer *view = view_of(self);
    if (type == PyBUF_WRITE && view->readonly) {
        PyErr_SetString(PyExc_BufferError, "underlying buffer is not writable");
        Py_DECREF(self);
        return NULL;
    }
    if (PyBuffer_IsContiguous(view, order)) {
        return self;
    }
    PyObject *result = NULL;
    if (type == PyBUF_WRITE) {
        PyErr_SetString(PyExc_BufferError,
                        "writable contiguous buffer requested for a non-contiguous object.");
    } else {
        result = view_of_copy(view, order);
    }
    Py_DECREF(self);
    return result;
}

/* ---- Releasing ------------------------------------------------------------------------------------------- */

static void view_drop(PyMemoryViewObject *self)
{
    if (self->flags & _Py_MEMORYVIEW_RELEASED) {
        return;
    }
    self->flags |= _Py_MEMORYVIEW_RELEASED;
    if (__atomic_sub_fetch(&self->mbuf->exports, 1, __ATOMIC_ACQ_REL) == 0) {
        managed_release(self->mbuf);
    }
}

int view_release(PyObject *object)
{
    PyMemoryViewObject *self = (PyMemoryViewObject *)object;
    if (self->exports > 0) {
        PyErr_Format(PyExc_BufferError, "memoryview has %zd exported buffer%s", self->exports,
                     self->exports == 1 ? "" : "s");
        return -1;
    }
    view_drop(self);
    return 0;
}

void view_dealloc(PyObject *object)
{
    PyMemoryViewObject *self = (PyMemoryViewObject *)object;
    PyObject_GC_UnTrack(self);
    if (self->mbuf != NULL) {
        view_drop(self);
        Py_CLEAR(self->mbuf);
    }
    if (self->weakreflist != NULL) {
        PyObject_ClearWeakRefs(object);
    }
    PyObject_GC_Del(self);
}

int view_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((PyMemoryViewObject *)self)->mbuf);
    return 0;
}

int view_clear(PyObject *object)
{
    PyMemoryViewObject *self = (PyMemoryViewObject *)object;
    if (self->exports == 0 && self->mbuf != NULL) {
        view_drop(self);
        Py_CLEAR(self->mbuf);
    }
    return 0;
}

/* ---- Exporting: a memoryview is itself a buffer ------------------------------------------------------------ */

static int refuse(const char *message)
{
    PyErr_SetString(PyExc_BufferError, message);
    return -1;
}

#define WANTS(flag) ((flags & (flag)) == (flag))

static int export_layout(PyObject *self, Py_buffer *out, int flags)
{
    int layout = ((PyMemoryViewObject *)self)->flags;
    *out = *view_of(self);
    out->obj = NULL;
    if (out->ndim == 0) {
        out->shape = out->strides = NULL; /* as the protocol wants it for a single item */
    }
    if (WANTS(PyBUF_WRITABLE) && out->readonly) {
        return refuse("memoryview: underlying buffer is not writable");
    }
    if (!WANTS(PyBUF_FORMAT)) {
        out->format = NULL; /* the items are plain bytes then */
    }
    if (WANTS(PyBUF_C_CONTIGUOUS) && !(layout & _Py_MEMORYVIEW_C)) {
        return refuse("memoryview: underlying buffer is not C-contiguous");
    }
    if (WANTS(PyBUF_F_CONTIGUOUS) && !(layout & _Py_MEMORYVIEW_FORTRAN)) {
        return refuse("memoryview: underlying buffer is not Fortran contiguous");
    }
    if (WANTS(PyBUF_ANY_CONTIGUOUS) && !(layout & (_Py_MEMORYVIEW_C | _Py_MEMORYVIEW_FORTRAN))) {
        return refuse("memoryview: underlying buffer is not contiguous");
    }
    if (!WANTS(PyBUF_INDIRECT) && (layout & _Py_MEMORYVIEW_PIL)) {
        return refuse("memoryview: underlying buffer requires suboffsets");
    }
    if (!WANTS(PyBUF_STRIDES)) {
        if (!(layout & _Py_MEMORYVIEW_C)) {
            return refuse("memoryview: underlying buffer is not C-contiguous");
        }
        out->strides = NULL;
    }
    if (!WANTS(PyBUF_ND)) {
        if (out->format != NULL) {
            return refuse(
                "memoryview: cannot cast to unsigned bytes if the format flag is present");
        }
        out->ndim = 1;
        out->shape = NULL;
    }
    return 0;
}

int view_getbuffer(PyObject *self, Py_buffer *out, int flags)
{
    int result;
    Py_BEGIN_CRITICAL_SECTION(self);
    result = view_check_released(self);
    if (result == 0) {
        result = view_check_restricted(self);
    }
    if (result == 0) {
        result = export_layout(self, out, flags);
    }
    if (result == 0) {
        out->obj = Py_NewRef(self);
        ((PyMemoryViewObject *)self)->exports++;
    }
    Py_END_CRITICAL_SECTION();
    return result;
}

void view_releasebuffer(PyObject *self, Py_buffer *Py_UNUSED(out))
{
    Py_BEGIN_CRITICAL_SECTION(self);
    ((PyMemoryViewObject *)self)->exports--;
    Py_END_CRITICAL_SECTION();
}
