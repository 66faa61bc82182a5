/*
 * Traceback objects: the chain of frames that an exception left.
 */
#include "interp/vm/vm.h"

#include "objects/birth.h"
#include "objects/error.h"
#include "objects/gc/gc.h"

#include "traceback.bind.h"

#define TRACEBACK(op) ((PyTracebackObject *)(op))

/* Steals `next`, also on failure. New reference. */
static PyObject *traceback_make(PyObject *next, PyFrameObject *frame, int lasti, int lineno)
{
    PyTracebackObject *tb =
        (PyTracebackObject *)birth_of_container(&PyTraceBack_Type, sizeof(PyTracebackObject));
    if (unlikely(tb == NULL)) {
        Py_XDECREF(next);
        return NULL;
    }
    tb->tb_next = (PyTracebackObject *)next;
    tb->tb_frame = (PyFrameObject *)Py_NewRef((PyObject *)frame);
    tb->tb_lasti = lasti;
    tb->tb_lineno = lineno;
    gc_track_new((PyObject *)tb);
    return (PyObject *)tb;
}

/* Puts an entry in front of an exception's traceback. -1 with another exception. */
static int exception_passes(PyObject *exc, PyFrameObject *frame, int lasti, int lineno)
{
    PyBaseExceptionObject *e = (PyBaseExceptionObject *)exc;
    PyObject *tb = traceback_make(Py_XNewRef(e->traceback), frame, lasti, lineno);
    if (unlikely(tb == NULL)) {
        return -1;
    }
    Py_XSETREF(e->traceback, tb);
    return 0;
}

/* The same for the current one, which matters more than its traceback. */
static int traceback_prepend(PyFrameObject *frame, int lasti, int lineno)
{
    PyObject *exc = error_fetch();
    if (exc == NULL) {
        return 0;
    }
    int status = exception_passes(exc, frame, lasti, lineno);
    error_restore(exc);
    return status;
}

int traceback_add(struct frame *frame)
{
    PyObject *exc = error_fetch();
    PyFrameObject *op = frame_object(frame);
    int status = -1;
    if (likely(op != NULL)) { /* the line is worked out when asked for */
        status = exception_passes(exc, op, frame_lasti(frame) * 2, -1);
    }
    error_restore(exc);
    return status;
}

int PyTraceBack_Here(PyFrameObject *frame)
{
    return traceback_prepend(frame, PyFrame_GetLasti(frame), PyFrame_GetLineNumber(frame));
}

static int traceback_line(PyTracebackObject *tb)
{
    if (tb->tb_lineno != -1) {
        return tb->tb_lineno;
    }
    PyCodeObject *code = PyFrame_GetCode(tb->tb_frame);
    int line = PyCode_Addr2Line(code, tb->tb_lasti);
    Py_DECREF(code);
    return line;
}

/* ---- type ------------------------------------------------------------------------------------ */

static int check_next(PyObject *self, PyObject *value, PyObject **next)
{
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "can't delete tb_next attribute");
        return -1;
    }
    *next = NULL;
    if (Py_IsNone(value)) {
        return 0;
    }
    if (!PyTraceBack_Check(value)) {
        PyErr_Format(PyExc_TypeError, "expected traceback object, got '%s'",
                     Py_TYPE(value)->tp_name);
        return -1;
    }
    for (PyTracebackObject *tb = TRACEBACK(value); tb != NULL; tb = tb->tb_next) {
        if ((PyObject *)tb == self) {
            PyErr_SetString(PyExc_ValueError, "traceback loop detected");
            return -1;
        }
    }
    *next = value;
    return 0;
}

static PyObject *traceback_new(PyTypeObject *type, PyObject *tb_next, PyObject *tb_frame,
                               int tb_lasti, int tb_lineno)
{
    PyObject *next;
    (void)type;
    if (check_next(NULL, tb_next, &next) < 0) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_Clear();
            PyErr_Format(PyExc_TypeError, "expected traceback object or None, got '%s'",
                         Py_TYPE(tb_next)->tp_name);
        }
        return NULL;
    }
    return traceback_make(Py_XNewRef(next), (PyFrameObject *)tb_frame, tb_lasti, tb_lineno);
}

static PyObject *traceback_get_tb_next(PyTracebackObject *self)
{
    PyObject *next = (PyObject *)self->tb_next;
    return Py_NewRef(next != NULL ? next : Py_None);
}

static int traceback_set_tb_next(PyTracebackObject *self, PyObject *value)
{
    PyObject *next, *old;
    if (check_next((PyObject *)self, value, &next) < 0) {
        return -1;
    }
    CRITICAL_SECTION(self);
    old = (PyObject *)self->tb_next;
    self->tb_next = (PyTracebackObject *)Py_XNewRef(next);
    CRITICAL_SECTION_END();
    Py_XDECREF(old);
    return 0;
}

static PyObject *traceback_get_tb_lineno(PyTracebackObject *self)
{
    int line = traceback_line(self);
    return line < 0 ? Py_NewRef(Py_None) : PyLong_FromLong(line);
}

static PyObject *traceback_dir(PyTracebackObject *self)
{
    (void)self;
    return Py_BuildValue("[ssss]", "tb_frame", "tb_next", "tb_lasti", "tb_lineno");
}

static PyMemberDef traceback_fields[] = {
    {"tb_frame", _Py_T_OBJECT, offsetof(PyTracebackObject, tb_frame), Py_READONLY | Py_AUDIT_READ,
     NULL},
    {"tb_lasti", Py_T_INT, offsetof(PyTracebackObject, tb_lasti), Py_READONLY, NULL},
    {0},
};

static int traceback_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(TRACEBACK(op)->tb_next);
    Py_VISIT(TRACEBACK(op)->tb_frame);
    return 0;
}

static int traceback_clear(PyObject *op)
{
    Py_CLEAR(TRACEBACK(op)->tb_next);
    Py_CLEAR(TRACEBACK(op)->tb_frame);
    return 0;
}

/* Chains are long: they go one after the other, not inside each other. */
static void traceback_dealloc(PyObject *op)
{
    gc_untrack_dead(op);
    PyTracebackObject *next = TRACEBACK(op)->tb_next;
    TRACEBACK(op)->tb_next = NULL;
    Py_CLEAR(TRACEBACK(op)->tb_frame);
    death_of_container(op, sizeof(PyTracebackObject));
    while (next != NULL && Py_REFCNT(next) == 1) {
        PyTracebackObject *after = next->tb_next;
        next->tb_next = NULL;
        Py_DECREF(next);
        next = after;
    }
    Py_XDECREF(next);
}

PyTypeObject PyTraceBack_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "traceback",
    .tp_basicsize = sizeof(PyTracebackObject),
    .tp_dealloc = traceback_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = traceback_doc,
    .tp_traverse = traceback_traverse,
    .tp_clear = traceback_clear,
    .tp_methods = traceback_methods,
    .tp_members = traceback_fields,
    .tp_getset = traceback_getset,
    .tp_new = bind_traceback_new,
};

PyTypeObject *const traceback_types[] = {&PyTraceBack_Type, NULL};
