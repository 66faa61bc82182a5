/*
 * Frame objects: the type, its attributes, and the C API on frames.
 */
#include "interp/vm/vm.h"
#include "objects/gc/gc.h"
#include "frameobject.h"

#define FRAME(op) ((PyFrameObject *)(op))

/* ---- what a frame is at ---------------------------------------------------------------------- */

static struct frame *record(PyFrameObject *op)
{
    return frame_of_object(op);
}

int PyFrame_GetLasti(PyFrameObject *op)
{
    int index = frame_lasti(record(op));
    return index < 0 ? -1 : index * 2;
}

int PyFrame_GetLineNumber(PyFrameObject *op)
{
    if (op->f_lineno != 0) {
        return op->f_lineno;
    }
    struct frame *frame = record(op);
    return code_line(frame_code(frame), frame_lasti(frame));
}

PyCodeObject *PyFrame_GetCode(PyFrameObject *op)
{
    return (PyCodeObject *)Py_NewRef((PyObject *)frame_code(record(op)));
}

PyFrameObject *PyFrame_GetBack(PyFrameObject *op)
{
    if (op->f_back != NULL) {
        return (PyFrameObject *)Py_NewRef((PyObject *)op->f_back);
    }
    struct frame *back = frame_visible(record(op)->prev);
    return back ? (PyFrameObject *)Py_XNewRef((PyObject *)frame_object(back)) : NULL;
}

PyObject *PyFrame_GetGlobals(PyFrameObject *op)
{
    return Py_NewRef(frame_globals(record(op)));
}

PyObject *PyFrame_GetBuiltins(PyFrameObject *op)
{
    return Py_NewRef(frame_function(record(op))->func_builtins);
}

PyObject *PyFrame_GetGenerator(PyFrameObject *op)
{
    struct frame *frame = record(op);
    return frame->owner == FRAME_OF_GENERATOR ? Py_NewRef((PyObject *)gen_of_frame(frame)) : NULL;
}

static bool has_hidden_locals(struct frame *frame)
{
    PyCodeObject *code = frame_code(frame);
    for (int i = 0; i < code->co_nlocalsplus; i++) {
        if ((code_local_kind(code, i) & CODE_FAST_HIDDEN) && !value_is_null(frame->r[i])) {
            return true;
        }
    }
    return false;
}

PyObject *PyFrame_GetLocals(PyFrameObject *op)
{
    struct frame *frame = record(op);
    if (!(frame_code(frame)->co_flags & CO_OPTIMIZED) && !has_hidden_locals(frame)) {
        return Py_NewRef(frame->locals ? frame->locals : frame_globals(frame));
    }
    return frame_locals_proxy(op);
}

PyObject *frame_locals(struct frame *frame)
{
    PyFrameObject *op = frame_object(frame);
    PyObject *locals = op ? PyFrame_GetLocals(op) : NULL;
    if (locals != NULL && Py_IS_TYPE(locals, &PyFrameLocalsProxy_Type)) {
        PyObject *dict = PyDict_New();
        if (dict != NULL && PyDict_Update(dict, locals) < 0) {
            Py_CLEAR(dict);
        }
        Py_SETREF(locals, dict);
    }
    return locals;
}

PyObject *PyFrame_GetVar(PyFrameObject *op, PyObject *name)
{
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "name must be str, not %s", Py_TYPE(name)->tp_name);
        return NULL;
    }
    struct frame *frame = record(op);
    int index = code_local_index(frame_code(frame), name);
    PyObject *value = NULL;
    if (index >= 0 && frame_local_get(frame, index, &value) < 0) {
        return NULL;
    }
    if (value != NULL && PyCell_Check(value)
        && (code_local_kind(frame_code(frame), index) & (CODE_FAST_CELL | CODE_FAST_FREE))) {
        Py_SETREF(value, cell_load(value));
    }
    if (value == NULL) {
        PyErr_Format(PyExc_NameError, "variable %R does not exist", name);
    }
    return value;
}

PyObject *PyFrame_GetVarString(PyFrameObject *op, const char *text)
{
    PyObject *name = PyUnicode_FromString(text);
    PyObject *value = name ? PyFrame_GetVar(op, name) : NULL;
    Py_XDECREF(name);
    return value;
}

int PyFrame_FastToLocalsWithError(PyFrameObject *op)
{
    (void)op;
    return 0;
}

void PyFrame_FastToLocals(PyFrameObject *op)
{
    (void)op;
}

void PyFrame_LocalsToFast(PyFrameObject *op, int clear)
{
    (void)op, (void)clear;
}

int _PyFrame_IsEntryFrame(PyFrameObject *op)
{
    return record(op)->on_return == RETURN_C;
}

/* A frame that never runs: extensions make them for their tracebacks. */
PyFrameObject *PyFrame_New(PyThreadState *ts, PyCodeObject *code, PyObject *globals,
                           PyObject *locals)
{
    (void)ts;
    PyObject *func = PyFunction_New((PyObject *)code, globals);
    struct code_body *body = code_body(code);
    PyFrameObject *op = func ? (PyFrameObject *)object_new(&PyFrame_Type, body->nlocals) : NULL;
    if (op == NULL) {
        Py_XDECREF(func);
        return NULL;
    }
    op->f_back = NULL; /* where variable-sized objects have their size */
    struct frame *frame = (struct frame *)op->_f_frame_data;
    frame->body = body;
    frame->pc = body->words;
    frame->r = (value_t *)(frame + 1);
    frame->func = value_from_owned(func);
    frame->locals = Py_XNewRef(locals);
    frame->owner = FRAME_OF_OBJECT;
    frame->object = op;
    op->f_frame = (struct _PyInterpreterFrame *)frame;
    op->f_trace_lines = 1;
    PyObject_GC_Track(op);
    return op;
}

PyObject *PyUnstable_InterpreterFrame_GetCode(struct _PyInterpreterFrame *frame)
{
    return Py_NewRef((PyObject *)frame_code((struct frame *)frame));
}

int PyUnstable_InterpreterFrame_GetLasti(struct _PyInterpreterFrame *frame)
{
    return frame_lasti((struct frame *)frame) * 2;
}

int PyUnstable_InterpreterFrame_GetLine(struct _PyInterpreterFrame *op)
{
    struct frame *frame = (struct frame *)op;
    return code_line(frame_code(frame), frame_lasti(frame));
}

/* ---- attributes ------------------------------------------------------------------------------ */

static PyObject *or_none(PyObject *op)
{
    return op != NULL ? op : Py_NewRef(Py_None);
}

static PyObject *get_back(PyObject *op, void *unused)
{
    (void)unused;
    PyObject *back = (PyObject *)PyFrame_GetBack(FRAME(op));
    return back == NULL && PyErr_Occurred() ? NULL : or_none(back);
}

static PyObject *get_code(PyObject *op, void *unused)
{
    (void)unused;
    if (PySys_Audit("object.__getattr__", "Os", op, "f_code") < 0) {
        return NULL;
    }
    return (PyObject *)PyFrame_GetCode(FRAME(op));
}

static PyObject *get_globals(PyObject *op, void *unused)
{
    (void)unused;
    return PyFrame_GetGlobals(FRAME(op));
}

static PyObject *get_builtins(PyObject *op, void *unused)
{
    (void)unused;
    return PyFrame_GetBuiltins(FRAME(op));
}

static PyObject *get_locals(PyObject *op, void *unused)
{
    (void)unused;
    return PyFrame_GetLocals(FRAME(op));
}

static PyObject *get_lasti(PyObject *op, void *unused)
{
    (void)unused;
    return PyLong_FromLong(PyFrame_GetLasti(FRAME(op)));
}

static PyObject *get_lineno(PyObject *op, void *unused)
{
    (void)unused;
    int line = PyFrame_GetLineNumber(FRAME(op));
    return line < 0 ? Py_NewRef(Py_None) : PyLong_FromLong(line);
}

static int set_lineno(PyObject *op, PyObject *value, void *unused)
{
    (void)unused;
    if (value == NULL) {
        PyErr_SetString(PyExc_AttributeError, "cannot delete attribute");
        return -1;
    }
    if (!PyLong_CheckExact(value)) {
        PyErr_SetString(PyExc_ValueError, "lineno must be an integer");
        return -1;
    }
    int overflow;
    long line = PyLong_AsLongAndOverflow(value, &overflow);
    if (overflow || line < INT_MIN || line > INT_MAX) {
        PyErr_SetString(PyExc_ValueError, "lineno out of range");
        return -1;
    }
    return frame_set_lineno(FRAME(op), (int)line);
}

void frame_set_trace(PyFrameObject *op, PyObject *trace)
{
    PyObject *old;
    Py_BEGIN_CRITICAL_SECTION(op);
    old = op->f_trace;
    op->f_trace = trace;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old);
}

static PyObject *get_trace(PyObject *op, void *unused)
{
    (void)unused;
    PyObject *trace;
    Py_BEGIN_CRITICAL_SECTION(op);
    trace = Py_XNewRef(FRAME(op)->f_trace);
    Py_END_CRITICAL_SECTION();
    return or_none(trace);
}

static int set_trace(PyObject *op, PyObject *value, void *unused)
{
    (void)unused;
    value = value == Py_None ? NULL : value;
    frame_set_trace(FRAME(op), Py_XNewRef(value));
    return value != NULL && field_load(&FRAME(op)->f_trace_opcodes) ? monitoring_trace_opcodes()
                                                                    : 0;
}

static PyObject *get_trace_opcodes(PyObject *op, void *unused)
{
    (void)unused;
    return PyBool_FromLong(field_load(&FRAME(op)->f_trace_opcodes));
}

static int set_trace_opcodes(PyObject *op, PyObject *value, void *unused)
{
    (void)unused;
    if (value == NULL || !PyBool_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "attribute value type must be bool");
        return -1;
    }
    field_store(&FRAME(op)->f_trace_opcodes, (char)Py_IsTrue(value));
    return Py_IsTrue(value) ? monitoring_trace_opcodes() : 0;
}

static PyGetSetDef frame_getset[] = {
    {"f_back", get_back, NULL, NULL, NULL},
    {"f_locals", get_locals, NULL, NULL, NULL},
    {"f_lineno", get_lineno, set_lineno, NULL, NULL},
    {"f_trace", get_trace, set_trace, NULL, NULL},
    {"f_lasti", get_lasti, NULL, NULL, NULL},
    {"f_globals", get_globals, NULL, NULL, NULL},
    {"f_builtins", get_builtins, NULL, NULL, NULL},
    {"f_code", get_code, NULL, NULL, NULL},
    {"f_trace_opcodes", get_trace_opcodes, set_trace_opcodes, NULL, NULL},
    {0},
};

static PyMemberDef frame_members[] = {
    {"f_trace_lines", Py_T_BOOL, offsetof(PyFrameObject, f_trace_lines), 0, NULL},
    {0},
};

/* ---- clear(), death -------------------------------------------------------------------------- */

static bool owns_record(PyFrameObject *op)
{
    return op->f_frame != NULL && record(op)->owner == FRAME_OF_OBJECT;
}

static int frame_tp_clear(PyObject *self)
{
    PyFrameObject *op = FRAME(self);
    Py_CLEAR(op->f_trace);
    Py_CLEAR(op->f_extra_locals);
    Py_CLEAR(op->f_locals_cache);
    if (owns_record(op)) {
        struct frame *frame = record(op);
        reg_release_range(frame->r, 0, frame->body->nlocals);
        Py_CLEAR(frame->locals);
    }
    return 0;
}

static PyObject *frame_clear_method(PyObject *self, PyObject *unused)
{
    (void)unused;
    struct frame *frame = record(FRAME(self));
    if (frame->owner == FRAME_OF_GENERATOR) {
        PyGenObject *gen = gen_of_frame(frame);
        if (gen->gi_frame_state == GEN_EXECUTING) {
            PyErr_SetString(PyExc_RuntimeError, "cannot clear an executing frame");
            return NULL;
        }
        if (gen->gi_frame_state > GEN_CREATED && gen->gi_frame_state < GEN_EXECUTING) {
            PyErr_SetString(PyExc_RuntimeError, "cannot clear a suspended frame");
            return NULL;
        }
        PyObject_CallFinalizer((PyObject *)gen);
        Py_TYPE(gen)->tp_clear ? (void)Py_TYPE(gen)->tp_clear((PyObject *)gen) : (void)0;
        Py_RETURN_NONE;
    }
    if (frame->owner == FRAME_OF_STACK) {
        PyErr_SetString(PyExc_RuntimeError, "cannot clear an executing frame");
        return NULL;
    }
    frame_tp_clear(self);
    Py_RETURN_NONE;
}

static PyObject *frame_sizeof(PyObject *self, PyObject *unused)
{
    (void)unused;
    struct frame *frame = record(FRAME(self));
    return PyLong_FromSsize_t(PyFrame_Type.tp_basicsize + frame->body->nregs * 8);
}

static PyMethodDef frame_methods[] = {
    {"clear", frame_clear_method, METH_NOARGS,
     PyDoc_STR("clear($self, /)\n--\n\nDrop the frame's variables, if it has ended.")},
    {"__sizeof__", frame_sizeof, METH_NOARGS,
     PyDoc_STR("__sizeof__($self, /)\n--\n\nBytes of memory it takes.")},
    {0},
};

static int frame_traverse(PyObject *self, visitproc visit, void *arg)
{
    PyFrameObject *op = FRAME(self);
    Py_VISIT(op->f_back);
    Py_VISIT(op->f_trace);
    Py_VISIT(op->f_extra_locals);
    Py_VISIT(op->f_locals_cache);
    if (owns_record(op)) {
        struct frame *frame = record(op);
        Py_VISIT(value_object(frame->func));
        Py_VISIT(frame->locals);
        for (unsigned i = 0; i < frame->body->nlocals; i++) {
            if (value_is_owned(frame->r[i])) {
                Py_VISIT(value_object(frame->r[i]));
            }
        }
    }
    return 0;
}

static void frame_dealloc(PyObject *self)
{
    PyFrameObject *op = FRAME(self);
    gc_untrack(self);
    frame_tp_clear(self);
    if (owns_record(op)) {
        value_clear(&record(op)->func);
    }
    /* The chain outward can be long. */
    PyFrameObject *back = op->f_back;
    op->f_back = NULL;
    slab_free(op);
    while (back != NULL && Py_REFCNT(back) == 1 && owns_record(back)) {
        PyFrameObject *next = back->f_back;
        back->f_back = NULL;
        Py_DECREF((PyObject *)back);
        back = next;
    }
    Py_XDECREF((PyObject *)back);
}

static PyObject *frame_repr(PyObject *self)
{
    PyCodeObject *code = frame_code(record(FRAME(self)));
    return PyUnicode_FromFormat("<frame at %p, file %R, line %d, code %S>", self, code->co_filename,
                                PyFrame_GetLineNumber(FRAME(self)), code->co_name);
}

PyTypeObject PyFrame_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "frame",
    .tp_basicsize = offsetof(PyFrameObject, _f_frame_data) + sizeof(struct frame),
    .tp_itemsize = sizeof(value_t),
    .tp_dealloc = frame_dealloc,
    .tp_repr = frame_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = frame_traverse,
    .tp_clear = frame_tp_clear,
    .tp_methods = frame_methods,
    .tp_members = frame_members,
    .tp_getset = frame_getset,
};

PyTypeObject *const frame_types[] = {&PyFrame_Type, &PyFrameLocalsProxy_Type, NULL};
