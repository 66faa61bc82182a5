/*
 * sys.settrace and sys.setprofile over the machinery of sys.monitoring.
 */
#include "interp/monitoring.h"

/* ---- hooks ----------------------------------------------------------------------------------- */

/* One call of a hook; the frame shows `line` meanwhile if it is not 0. */
static int call_hook(PyThreadState *ts, Py_tracefunc hook, PyObject *object, int what,
                     PyObject *arg, int line)
{
    struct frame *frame = thread_frame(ts);
    PyFrameObject *op = hook ? frame_object(frame) : NULL;
    if (op == NULL) {
        return hook ? -1 : 0;
    }
    int old_event = ts->what_event, old_line = op->f_lineno;
    Py_INCREF(op);
    Py_XINCREF(object);
    ts->what_event = what;
    ts->tracing++;
    op->f_lineno = line;
    int status = hook(object, op, what, arg);
    op->f_lineno = old_line;
    ts->tracing--;
    ts->what_event = old_event;
    Py_XDECREF(object);
    Py_DECREF(op);
    return status;
}

/* Calls of functions written in C, also bound ones, and of methods as if they had been bound first. */
static int profile_c_call(PyThreadState *ts, int what, PyObject *callable, PyObject *first)
{
    PyObject *function = NULL;
    if (PyMethod_Check(callable)) {
        callable = PyMethod_GET_FUNCTION(callable);
    }
    if (PyCFunction_Check(callable)) {
        function = Py_NewRef(callable);
    } else if (Py_IS_TYPE(callable, &PyMethodDescr_Type) && first != monitoring.missing) {
        function = Py_TYPE(callable)->tp_descr_get(callable, first, (PyObject *)Py_TYPE(first));
        if (function == NULL) {
            return -1;
        }
    }
    int status =
        function ? call_hook(ts, ts->c_profilefunc, ts->c_profileobj, what, function, 0) : 0;
    Py_XDECREF(function);
    return status;
}

static int profile_event(PyThreadState *ts, int event, PyObject *arg, PyObject *arg2)
{
    int what;
    PyObject *value = NULL;
    switch (event) {
    case PY_MONITORING_EVENT_PY_START:
    case PY_MONITORING_EVENT_PY_RESUME:
    case PY_MONITORING_EVENT_PY_THROW:
        what = PyTrace_CALL;
        break;
    case PY_MONITORING_EVENT_PY_RETURN:
    case PY_MONITORING_EVENT_PY_YIELD:
        what = PyTrace_RETURN;
        value = arg;
        break;
    case PY_MONITORING_EVENT_PY_UNWIND:
        what = PyTrace_RETURN;
        break;
    case PY_MONITORING_EVENT_CALL:
        return profile_c_call(ts, PyTrace_C_CALL, arg, arg2);
    case PY_MONITORING_EVENT_C_RETURN:
        return profile_c_call(ts, PyTrace_C_RETURN, arg, arg2);
    case PY_MONITORING_EVENT_C_RAISE:
        return profile_c_call(ts, PyTrace_C_EXCEPTION, arg, arg2);
    default:
        return 0;
    }
    return call_hook(ts, ts->c_profilefunc, ts->c_profileobj, what, value, 0);
}

/* (type, value, traceback) for 'exception' events. */
static int trace_exception(PyThreadState *ts, PyObject *exc)
{
    PyObject *tb = PyException_GetTraceback(exc);
    PyObject *triple = PyTuple_Pack(3, Py_TYPE(exc), exc, tb ? tb : Py_None);
    Py_XDECREF(tb);
    int status =
        triple ? call_hook(ts, ts->c_tracefunc, ts->c_traceobj, PyTrace_EXCEPTION, triple, 0) : -1;
    Py_XDECREF(triple);
    return status;
}

static int trace_line(PyThreadState *ts, int line)
{
    PyFrameObject *op = frame_object(thread_frame(ts));
    if (op == NULL) {
        return -1;
    }
    return field_load(&op->f_trace_lines) && line >= 0
               ? call_hook(ts, ts->c_tracefunc, ts->c_traceobj, PyTrace_LINE, Py_None, line)
               : 0;
}

static int trace_event(PyThreadState *ts, int event, PyCodeObject *code, int index, PyObject *arg,
                       int target)
{
    PyFrameObject *op;
    switch (event) {
    case PY_MONITORING_EVENT_PY_START:
    case PY_MONITORING_EVENT_PY_RESUME:
    case PY_MONITORING_EVENT_PY_THROW:
        return call_hook(ts, ts->c_tracefunc, ts->c_traceobj, PyTrace_CALL, Py_None, 0);
    case PY_MONITORING_EVENT_PY_RETURN:
    case PY_MONITORING_EVENT_PY_YIELD:
        return call_hook(ts, ts->c_tracefunc, ts->c_traceobj, PyTrace_RETURN, arg, 0);
    case PY_MONITORING_EVENT_PY_UNWIND:
        return call_hook(ts, ts->c_tracefunc, ts->c_traceobj, PyTrace_RETURN, Py_None, 0);
    case PY_MONITORING_EVENT_RAISE:
    case PY_MONITORING_EVENT_STOP_ITERATION:
        return trace_exception(ts, arg);
    case PY_MONITORING_EVENT_LINE:
        return trace_line(ts, monitor_line(code_body(code), index));
    case PY_MONITORING_EVENT_JUMP:
    case PY_MONITORING_EVENT_BRANCH:
        /* Backward within a line: the line begins anew. */
        if (target <= index
            && monitor_line(code_body(code), index) == monitor_line(code_body(code), target)) {
            return trace_line(ts, monitor_line(code_body(code), target));
        }
        return 0;
    case PY_MONITORING_EVENT_INSTRUCTION:
        op = frame_object(thread_frame(ts));
        if (op == NULL) {
            return -1;
        }
        return field_load(&op->f_trace_opcodes)
                   ? call_hook(ts, ts->c_tracefunc, ts->c_traceobj, PyTrace_OPCODE, Py_None, 0)
                   : 0;
    default:
        return 0;
    }
}

int legacy_event(PyThreadState *ts, int tool, int event, PyCodeObject *code, int index,
                 PyObject *arg, PyObject *arg2, int target)
{
    if (tool == TOOL_PROFILE) {
        return ts->c_profilefunc ? profile_event(ts, event, arg, arg2) : 0;
    }
    return ts->c_tracefunc ? trace_event(ts, event, code, index, arg, target) : 0;
}

/* ---- setting them ---------------------------------------------------------------------------- */

#define COMMON_EVENTS                                                                              \
    (EVENT_BIT(PY_START) | EVENT_BIT(PY_RESUME) | EVENT_BIT(PY_THROW) | EVENT_BIT(PY_RETURN)       \
     | EVENT_BIT(PY_YIELD) | EVENT_BIT(PY_UNWIND))
#define PROFILE_EVENTS (COMMON_EVENTS | EVENT_BIT(CALL) | C_EVENTS)
#define TRACE_EVENTS                                                                               \
    (COMMON_EVENTS | EVENT_BIT(RAISE) | EVENT_BIT(STOP_ITERATION) | EVENT_BIT(LINE)                \
     | EVENT_BIT(JUMP) | EVENT_BIT(BRANCH))

/* Threads with a hook, and whether one of their frames wants to hear of each word: they change while the world is
 * stopped, and the sets of events with them. */
static int tracers, profilers;
static bool opcodes_wanted;

/* Gives the hooks the set of events that they need now: did it change? */
static bool put_hook_events(void)
{
    uint32_t traced =
        tracers == 0 ? 0 : TRACE_EVENTS | (opcodes_wanted ? EVENT_BIT(INSTRUCTION) : 0);
    bool changed = monitoring_put_events(TOOL_TRACE, traced);
    return monitoring_put_events(TOOL_PROFILE, profilers == 0 ? 0 : PROFILE_EVENTS) || changed;
}

int monitoring_trace_opcodes(void)
{
    monitoring_begin();
    opcodes_wanted = true;
    return monitoring_end(put_hook_events());
}

/* World stopped. What the old hook got (its reference is the caller's), or NULL. */
static PyObject *hook_swap(PyThreadState *ts, bool trace, Py_tracefunc func, PyObject *arg)
{
    Py_tracefunc *slot = trace ? &ts->c_tracefunc : &ts->c_profilefunc;
    PyObject **object = trace ? &ts->c_traceobj : &ts->c_profileobj, *old = *object;
    *(trace ? &tracers : &profilers) += (func != NULL) - (*slot != NULL);
    *slot = func;
    *object = Py_XNewRef(arg);
    return old;
}

static int set_hook(PyThreadState *ts, bool trace, Py_tracefunc func, PyObject *arg)
{
    monitoring_begin();
    PyObject *old = hook_swap(ts, trace, func, arg);
    int status = monitoring_end(put_hook_events());
    Py_XDECREF(old);
    return status;
}

void hooks_thread_clear(PyThreadState *ts)
{
    if ((ts->c_tracefunc != NULL && set_hook(ts, true, NULL, NULL) < 0)
        || (ts->c_profilefunc != NULL && set_hook(ts, false, NULL, NULL) < 0)) {
        PyErr_Clear();
    }
}

void PyEval_SetTrace(Py_tracefunc func, PyObject *arg)
{
    PyThreadState *ts = PyThreadState_Get();
    PyObject *exc = PyErr_GetRaisedException();
    if (set_hook(ts, true, func, arg) < 0) {
        PyErr_FormatUnraisable("Exception ignored in PyEval_SetTrace");
    }
    PyErr_SetRaisedException(exc);
}

void PyEval_SetProfile(Py_tracefunc func, PyObject *arg)
{
    PyThreadState *ts = PyThreadState_Get();
    PyObject *exc = PyErr_GetRaisedException();
    if (set_hook(ts, false, func, arg) < 0) {
        PyErr_FormatUnraisable("Exception ignored in PyEval_SetProfile");
    }
    PyErr_SetRaisedException(exc);
}

struct hook_for_all {
    bool trace;
    Py_tracefunc func;
    PyObject *arg;
    uint64_t last; /* the id of the thread that got it last: they come with falling ids */
    bool found;
    PyObject *old;
};

static void hook_next(struct thread *t, void *arg)
{
    struct hook_for_all *all = arg;
    if (!all->found && t->ts.id < all->last) {
        all->found = true;
        all->last = t->ts.id;
        all->old = hook_swap(&t->ts, all->trace, all->func, all->arg);
    }
}

/* One thread after the other, since what an old hook got may run code when it goes. */
static void set_all(bool trace, Py_tracefunc func, PyObject *arg)
{
    struct hook_for_all all = {
        .trace = trace, .func = func, .arg = arg, .last = UINT64_MAX, .found = true};
    while (all.found) {
        all.found = false;
        all.old = NULL;
        monitoring_begin();
        thread_each(thread_interp(thread_self()), hook_next, &all);
        if (monitoring_end(put_hook_events()) < 0) {
            PyErr_FormatUnraisable("Exception ignored in PyEval_Set%sAllThreads",
                                   trace ? "Trace" : "Profile");
        }
        Py_XDECREF(all.old);
    }
}

void PyEval_SetTraceAllThreads(Py_tracefunc func, PyObject *arg)
{
    set_all(true, func, arg);
}

void PyEval_SetProfileAllThreads(Py_tracefunc func, PyObject *arg)
{
    set_all(false, func, arg);
}

void PyThreadState_EnterTracing(PyThreadState *ts)
{
    ts->tracing++;
}

void PyThreadState_LeaveTracing(PyThreadState *ts)
{
    ts->tracing--;
}
