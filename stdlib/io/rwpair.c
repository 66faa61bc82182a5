/* BufferedRWPair: a reader and a writer under one name. */
#include "io.h"

struct rwpair {
    struct iobase base;
    PyObject *reader, *writer;
};

#include "rwpair.bind.h"

static int rwpair_init(struct rwpair *self, PyObject *reader, PyObject *writer,
                       Py_ssize_t buffer_size)
{
    struct io_state *state = io_state_of(self);
    if (state == NULL || io_check_readable(state, reader) < 0
        || io_check_writable(state, writer) < 0) {
        return -1;
    }
    PyObject *in = PyObject_CallFunction((PyObject *)state->reader_type, "On", reader, buffer_size);
    PyObject *out =
        in ? PyObject_CallFunction((PyObject *)state->writer_type, "On", writer, buffer_size)
           : NULL;
    if (out == NULL) {
        Py_XDECREF(in);
        return -1;
    }
    field_set(&self->reader, in);
    field_set(&self->writer, out);
    return 0;
}

/* A method of one half; `args` may be NULL. */
static PyObject *half_call(PyObject *half, const char *name, PyObject *args)
{
    if (half == NULL) {
        PyErr_SetString(PyExc_ValueError, "I/O operation on uninitialized object");
        return NULL;
    }
    PyObject *method = PyObject_GetAttrString(half, name);
    PyObject *result = method ? PyObject_CallObject(method, args) : NULL;
    Py_XDECREF(method);
    return result;
}

#define FORWARD(method, half)                                                                      \
    static PyObject *rwpair_##method(PyObject *op, PyObject *args)                                 \
    {                                                                                              \
        return half_call(((struct rwpair *)op)->half, #method, args);                              \
    }
#define FORWARD_PLAIN(method, half)                                                                \
    static PyObject *rwpair_##method(struct rwpair *self)                                          \
    {                                                                                              \
        return half_call(self->half, #method, NULL);                                               \
    }

FORWARD(read, reader)
FORWARD(peek, reader)
FORWARD(read1, reader)
FORWARD(readinto, reader)
FORWARD(readinto1, reader)
FORWARD(write, writer)
FORWARD_PLAIN(flush, writer)
FORWARD_PLAIN(readable, reader)
FORWARD_PLAIN(writable, writer)

static PyObject *rwpair_close(struct rwpair *self)
{
    PyObject *out = half_call(self->writer, "close", NULL);
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *in = half_call(self->reader, "close", NULL);
    bool fine = in != NULL && out != NULL;
    Py_XDECREF(in);
    Py_XDECREF(out);
    io_chain(raised);
    return fine ? Py_NewRef(Py_None) : NULL;
}

static PyObject *rwpair_isatty(struct rwpair *self)
{
    PyObject *answer = half_call(self->writer, "isatty", NULL);
    if (answer != Py_False) {
        return answer; /* yes, or an error */
    }
    Py_DECREF(answer);
    return half_call(self->reader, "isatty", NULL);
}

static PyObject *rwpair_get_closed(struct rwpair *self)
{
    if (self->writer == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the BufferedRWPair object is being garbage-collected");
        return NULL;
    }
    return PyObject_GetAttrString(self->writer, "closed");
}

static int rwpair_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((struct rwpair *)op)->reader);
    Py_VISIT(((struct rwpair *)op)->writer);
    return iobase_traverse(op, visit, arg);
}

static int rwpair_clear(PyObject *op)
{
    Py_CLEAR(((struct rwpair *)op)->reader);
    Py_CLEAR(((struct rwpair *)op)->writer);
    return iobase_clear(op);
}

static void rwpair_dealloc(PyObject *op)
{
    if (iobase_dealloc_begin(op)) {
        rwpair_clear(op);
        iobase_free(op);
    }
}

static PyType_Slot rwpair_slots[] = {
    GC_SLOTS(rwpair),
    {Py_tp_doc, rwpair_doc},
    {Py_tp_methods, rwpair_methods},
    {Py_tp_getset, rwpair_getset},
    {Py_tp_init, bind_rwpair_init},
    {0, NULL},
};

PyType_Spec rwpair_spec = {
    "_io.BufferedRWPair",
    sizeof(struct rwpair),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    rwpair_slots,
};
