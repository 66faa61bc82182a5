/* pickle.PickleBuffer: an export of an object's memory, for pickling out of band. */
#include "objects/object.h"

#include "locking/lock.h"
#include "objects/memoryview/memoryview.h"

struct picklebuffer {
    PyObject_HEAD
    Py_buffer view; /* obj is NULL once it is released */
    PyObject *weaklist;
};

#include "picklebuffer.bind.h"

static int raise_released(void)
{
    PyErr_SetString(PyExc_ValueError, "operation forbidden on released PickleBuffer object");
    return -1;
}

static struct picklebuffer *check_type(PyObject *op)
{
    if (!PyPickleBuffer_Check(op)) {
        PyErr_Format(PyExc_TypeError, "expected PickleBuffer, %.200s found", Py_TYPE(op)->tp_name);
        return NULL;
    }
    return (struct picklebuffer *)op;
}

PyObject *PyPickleBuffer_FromObject(PyObject *base)
{
    PyTypeObject *type = &PyPickleBuffer_Type;
    struct picklebuffer *self = (struct picklebuffer *)type->tp_alloc(type, 0);
    if (self != NULL && PyObject_GetBuffer(base, &self->view, PyBUF_FULL_RO) < 0) {
        self->view.obj = NULL;
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

const Py_buffer *PyPickleBuffer_GetBuffer(PyObject *op)
{
    struct picklebuffer *self = check_type(op);
    if (self != NULL && self->view.obj == NULL) {
        raise_released();
        return NULL;
    }
    return self ? &self->view : NULL;
}

static int picklebuffer_release(struct picklebuffer *self)
{
    Py_buffer view;
    CRITICAL_SECTION((PyObject *)self);
    view = self->view;
    self->view.obj = NULL;
    CRITICAL_SECTION_END();
    if (view.obj != NULL) {
        PyBuffer_Release(&view);
    }
    return 0;
}

int PyPickleBuffer_Release(PyObject *op)
{
    struct picklebuffer *self = check_type(op);
    return self ? picklebuffer_release(self) : -1;
}

static PyObject *picklebuffer_new(PyTypeObject *Py_UNUSED(type), PyObject *object)
{
    return PyPickleBuffer_FromObject(object);
}

static PyObject *picklebuffer_raw(struct picklebuffer *self)
{
    PyObject *whole = PyMemoryView_FromObject((PyObject *)self);
    if (whole == NULL) {
        return NULL;
    }
    PyObject *bytes = NULL;
    Py_buffer layout = *view_of(whole);
    if (layout.suboffsets != NULL || !PyBuffer_IsContiguous(&layout, 'A')) {
        PyErr_SetString(PyExc_BufferError, "cannot extract raw buffer from non-contiguous buffer");
    } else {
        Py_ssize_t stride = 1;
        layout.format = (char *)"B";
        layout.ndim = 1;
        layout.itemsize = 1;
        layout.shape = &layout.len;
        layout.strides = &stride;
        bytes = view_of_managed(((PyMemoryViewObject *)whole)->mbuf, &layout);
    }
    Py_DECREF(whole);
    return bytes;
}

/* Whoever asks gets an export of the object behind. */
static int picklebuffer_getbuffer(PyObject *op, Py_buffer *out, int flags)
{
    struct picklebuffer *self = (struct picklebuffer *)op;
    PyObject *base;
    CRITICAL_SECTION(op);
    base = Py_XNewRef(self->view.obj);
    CRITICAL_SECTION_END();
    if (base == NULL) {
        out->obj = NULL;
        return raise_released();
    }
    int rc = PyObject_GetBuffer(base, out, flags);
    Py_DECREF(base);
    return rc;
}

/* Never called, since exports belong to the object behind; it says that they are to be released. */
static void picklebuffer_releasebuffer(PyObject *Py_UNUSED(op), Py_buffer *Py_UNUSED(out))
{
}

static int picklebuffer_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((struct picklebuffer *)op)->view.obj);
    return 0;
}

static int picklebuffer_clear(PyObject *op)
{
    return picklebuffer_release((struct picklebuffer *)op);
}

static void picklebuffer_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    if (((struct picklebuffer *)op)->weaklist != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    PyBuffer_Release(&((struct picklebuffer *)op)->view);
    Py_TYPE(op)->tp_free(op);
}

static PyBufferProcs picklebuffer_buffer = {picklebuffer_getbuffer, picklebuffer_releasebuffer};

PyTypeObject PyPickleBuffer_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "pickle.PickleBuffer",
    .tp_basicsize = sizeof(struct picklebuffer),
    .tp_dealloc = picklebuffer_dealloc,
    .tp_as_buffer = &picklebuffer_buffer,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = picklebuffer_doc,
    .tp_traverse = picklebuffer_traverse,
    .tp_clear = picklebuffer_clear,
    .tp_weaklistoffset = offsetof(struct picklebuffer, weaklist),
    .tp_methods = picklebuffer_methods,
    .tp_new = bind_picklebuffer_new,
};
