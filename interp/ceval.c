/*
 * PyEval_*: running code and looking at what runs, for C; limits of recursion; the hooks of the floors below.
 */
#include "objects/error.h"
#include "interp/vm/vm.h"

#include "interp/state.h"

/* ---- running --------------------------------------------------------------------------------- */

PyObject *PyEval_EvalCode(PyObject *code, PyObject *globals, PyObject *locals)
{
    if (locals == NULL) {
        locals = globals;
    }
    /* Code sees the builtins that its globals name; they get ours when they name none. */
    int known = PyDict_ContainsString(globals, "__builtins__");
    if (known < 0
        || (!known && PyDict_SetItem(globals, ID(__builtins__), PyEval_GetBuiltins()) < 0)) {
        return NULL;
    }
    PyObject *func = PyFunction_New(code, globals);
    if (func == NULL) {
        return NULL;
    }
    bool fast = ((PyCodeObject *)code)->co_flags & CO_OPTIMIZED;
    PyObject *result = interp_eval(func, fast ? NULL : locals);
    Py_DECREF(func);
    return result;
}

PyObject *interp_eval_closure(PyObject *code, PyObject *globals, PyObject *locals,
                              PyObject *closure)
{
    PyObject *func = PyFunction_New(code, globals);
    if (func == NULL) {
        return NULL;
    }
    ((PyFunctionObject *)func)->func_closure = Py_XNewRef(closure);
    bool fast = ((PyCodeObject *)code)->co_flags & CO_OPTIMIZED;
    PyObject *result = interp_eval(func, fast ? NULL : locals);
    Py_DECREF(func);
    return result;
}

PyObject *PyEval_EvalCodeEx(PyObject *code, PyObject *globals, PyObject *locals,
                            PyObject *const *args, int argcount, PyObject *const *kws, int kwcount,
                            PyObject *const *defs, int defcount, PyObject *kwdefs,
                            PyObject *closure)
{
    bool fast = (((PyCodeObject *)code)->co_flags & (CO_OPTIMIZED | CO_NEWLOCALS)) != 0;
    if (globals == NULL || !PyDict_Check(globals)) {
        return raise_system("PyEval_EvalCodeEx: globals must be a dict"), NULL;
    }
    PyFunctionObject *func = (PyFunctionObject *)PyFunction_New(code, globals);
    if (func == NULL) {
        return NULL;
    }
    PyObject *result = NULL, *kwnames = NULL;
    PyObject **all = PyMem_New(PyObject *, argcount + kwcount + 1);
    if (all == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    if (defcount > 0) {
        func->func_defaults = PyTuple_New(defcount);
        if (func->func_defaults == NULL) {
            goto done;
        }
        for (int i = 0; i < defcount; i++) {
            PyTuple_SET_ITEM(func->func_defaults, i, Py_NewRef(defs[i]));
        }
    }
    func->func_kwdefaults = Py_XNewRef(kwdefs);
    func->func_closure = Py_XNewRef(closure);
    for (int i = 0; i < argcount; i++) {
        all[i] = args[i];
    }
    if (kwcount > 0 && (kwnames = PyTuple_New(kwcount)) == NULL) {
        goto done;
    }
    for (int i = 0; i < kwcount; i++) {
        PyTuple_SET_ITEM(kwnames, i, Py_NewRef(kws[2 * i]));
        all[argcount + i] = kws[2 * i + 1];
    }
    result = fast ? interp_call((PyObject *)func, all, (size_t)argcount, kwnames)
                  : interp_eval((PyObject *)func, locals == NULL ? globals : locals);
done:
    PyMem_Free(all);
    Py_XDECREF(kwnames);
    Py_DECREF(func);
    return result;
}

static PyObject *refuse_frame(void)
{
    PyErr_SetString(PyExc_NotImplementedError, "frame objects cannot be run");
    return NULL;
}

PyObject *PyEval_EvalFrame(PyFrameObject *frame)
{
    (void)frame;
    return refuse_frame();
}

PyObject *PyEval_EvalFrameEx(PyFrameObject *frame, int throwing)
{
    (void)frame, (void)throwing;
    return refuse_frame();
}

PyObject *_PyEval_EvalFrameDefault(PyThreadState *ts, struct _PyInterpreterFrame *frame,
                                   int throwing)
{
    (void)ts, (void)frame, (void)throwing;
    return refuse_frame();
}

/* ---- looking --------------------------------------------------------------------------------- */

static struct frame *current(void)
{
    return frame_visible(thread_frame(PyThreadState_Get()));
}

PyFrameObject *PyEval_GetFrame(void)
{
    struct frame *frame = current();
    return frame ? frame_object(frame) : NULL;
}

PyFrameObject *PyThreadState_GetFrame(PyThreadState *ts)
{
    struct frame *frame = frame_visible(thread_frame(ts));
    return frame ? (PyFrameObject *)Py_XNewRef((PyObject *)frame_object(frame)) : NULL;
}

PyObject *PyEval_GetGlobals(void)
{
    struct frame *frame = current();
    return frame ? frame_globals(frame) : NULL;
}

/* Borrowed: kept by the frame object. */
PyObject *PyEval_GetLocals(void)
{
    struct frame *frame = current();
    if (frame == NULL) {
        PyErr_SetString(PyExc_SystemError, "frame does not exist");
        return NULL;
    }
    PyObject *locals = frame_locals(frame);
    if (locals == NULL || frame->locals == locals || frame_globals(frame) == locals) {
        Py_XDECREF(locals);
        return locals;
    }
    PyFrameObject *op = frame_object(frame);
    if (op->f_locals_cache == NULL && (op->f_locals_cache = PyList_New(0)) == NULL) {
        Py_DECREF(locals);
        return NULL;
    }
    int status = PyList_Append(op->f_locals_cache, locals);
    Py_DECREF(locals);
    return status < 0 ? NULL : locals;
}

PyObject *PyEval_GetFrameLocals(void)
{
    struct frame *frame = current();
    if (frame == NULL) {
        PyErr_SetString(PyExc_SystemError, "frame does not exist");
        return NULL;
    }
    return frame_locals(frame);
}

PyObject *PyEval_GetFrameGlobals(void)
{
    return Py_XNewRef(PyEval_GetGlobals());
}

PyObject *PyEval_GetFrameBuiltins(void)
{
    return Py_XNewRef(PyEval_GetBuiltins());
}

PyObject *PyEval_GetBuiltins(void)
{
    PyThreadState *ts = PyThreadState_Get();
    struct frame *frame = frame_visible(thread_frame(ts));
    if (frame != NULL) {
        return frame_function(frame)->func_builtins;
    }
    return main_interp_of(ts)->builtins_dict;
}

const char *PyEval_GetFuncName(PyObject *func)
{
    if (PyMethod_Check(func)) {
        return PyEval_GetFuncName(PyMethod_GET_FUNCTION(func));
    }
    if (PyFunction_Check(func)) {
        return PyUnicode_AsUTF8(((PyFunctionObject *)func)->func_name);
    }
    if (PyCFunction_Check(func)) {
        return ((PyCFunctionObject *)func)->m_ml->ml_name;
    }
    return Py_TYPE(func)->tp_name;
}

const char *PyEval_GetFuncDesc(PyObject *func)
{
    return PyMethod_Check(func) || PyFunction_Check(func) || PyCFunction_Check(func) ? "()"
                                                                                     : " object";
}

int PyEval_MergeCompilerFlags(PyCompilerFlags *flags)
{
    struct frame *frame = thread_frame(PyThreadState_Get());
    if (frame != NULL) {
        flags->cf_flags |= frame_code(frame)->co_flags & PyCF_MASK;
    }
    return flags->cf_flags != 0;
}

/* ---- recursion ------------------------------------------------------------------------------- */

/* Making the exception calls things too: that may use most of what is kept to spare. */
enum { RESERVE_FOR_ERROR = 40 * 1024 };

void raise_stack_used_up(const char *where)
{
    struct thread *self = thread_self();
    if (self->stack_reserve) {
        PyErr_NoMemory();
        return;
    }
    self->stack_reserve = true;
    self->stack_low -= RESERVE_FOR_ERROR;
    PyErr_Format(PyExc_RecursionError, "maximum recursion depth exceeded%s", where);
    self->stack_low += RESERVE_FOR_ERROR;
    self->stack_reserve = false;
}

int Py_EnterRecursiveCall(const char *where)
{
    if (unlikely(thread_stack_low(thread_self(), 0))) {
        raise_stack_used_up(where);
        return -1;
    }
    return 0;
}

void Py_LeaveRecursiveCall(void)
{
}

static int recursion_limit = 1000;

int Py_GetRecursionLimit(void)
{
    return recursion_limit;
}

static void set_limit_of(struct thread *thread, void *arg)
{
    int limit = *(int *)arg,
        depth = thread->ts.py_recursion_limit - thread->ts.py_recursion_remaining;
    thread->ts.py_recursion_limit = limit;
    thread->ts.py_recursion_remaining = limit - depth;
}

void Py_SetRecursionLimit(int limit)
{
    recursion_limit = limit;
    thread_each(thread_interp(thread_self()), set_limit_of, &limit);
}

/* ---- hooks ----------------------------------------------------------------------------------- */

static int super_arguments(PyTypeObject **class, PyObject **self)
{
    struct frame *frame = current();
    *class = NULL;
    *self = NULL;
    if (frame == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "super(): no current frame");
        return -1;
    }
    PyCodeObject *code = frame_code(frame);
    PyObject *first = NULL;
    if (code->co_argcount == 0) {
        PyErr_SetString(PyExc_RuntimeError, "super(): no arguments");
        return -1;
    }
    if (frame_local_get(frame, 0, &first) < 0) {
        return -1;
    }
    if (first != NULL && PyCell_Check(first) && (code_local_kind(code, 0) & CODE_FAST_CELL)) {
        Py_SETREF(first, cell_load(first));
    }
    if (first == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "super(): arg[0] deleted");
        return -1;
    }
    int index = -1;
    for (int i = code->co_nlocalsplus - code->co_nfreevars; i < code->co_nlocalsplus; i++) {
        if (PyUnicode_EqualToUTF8(PyTuple_GET_ITEM(code->co_localsplusnames, i), "__class__")) {
            index = i;
        }
    }
    PyObject *cell = index < 0 ? NULL : value_object(frame->r[index]);
    if (cell == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "super(): __class__ cell not found");
    } else if (!PyCell_Check(cell)) {
        PyErr_SetString(PyExc_RuntimeError, "super(): bad __class__ cell");
    } else {
        PyObject *value = cell_load(cell);
        if (value == NULL) {
            PyErr_SetString(PyExc_RuntimeError, "super(): empty __class__ cell");
        } else if (!PyType_Check(value)) {
            PyErr_Format(PyExc_RuntimeError, "super(): __class__ is not a type (%s)",
                         Py_TYPE(value)->tp_name);
            Py_DECREF(value);
        } else {
            *class = (PyTypeObject *)value;
            *self = first;
            return 0;
        }
    }
    Py_DECREF(first);
    return -1;
}

static PyObject *caller_module(int depth)
{
    struct frame *frame = current();
    while (frame != NULL && depth-- > 0) {
        frame = frame_visible(frame->prev);
    }
    PyObject *name = NULL;
    if (frame != NULL && PyDict_GetItemRef(frame_globals(frame), ID(__name__), &name) < 0) {
        PyErr_Clear();
    }
    return name;
}

int interp_init_hooks(void)
{
    object_hooks.super_arguments = super_arguments;
    object_hooks.caller_module = caller_module;
    return 0;
}
