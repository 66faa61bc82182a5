/* sys.settrace and sys.setprofile: Python functions behind the C hooks. */

#include "interp/sys_trace.h"
#include "interp/frame.h"
#include "objects/error.h"

/* By the values of PyTrace_*. */
static PyObject *event_name(int what)
{
    /* clang-format off */
    PyObject *const names[] = {
        ID(call), ID(exception), ID(line), ID(return), ID(c_call), ID(c_exception), ID(c_return),
        ID(opcode),
    };
    /* clang-format on */
    return names[what];
}

static PyObject *call_hook(PyObject *function, PyFrameObject *frame, int what, PyObject *arg)
{
    PyObject *args[] = {(PyObject *)frame, event_name(what), arg == NULL ? Py_None : arg};
    return PyObject_Vectorcall(function, args, 3, NULL);
}

int sys_profile_call(PyObject *function, PyFrameObject *frame, int what, PyObject *arg)
{
    PyObject *result = call_hook(function, frame, what, arg);
    if (result == NULL) {
        PyEval_SetProfile(NULL, NULL);
        return -1;
    }
    Py_DECREF(result);
    return 0;
}

/* The function set with sys.settrace sees calls; what it returns sees the rest of that frame. */
int sys_trace_call(PyObject *function, PyFrameObject *frame, int what, PyObject *arg)
{
    PyObject *callback;
    Py_BEGIN_CRITICAL_SECTION(frame);
    callback = Py_XNewRef(what == PyTrace_CALL ? function : frame->f_trace);
    Py_END_CRITICAL_SECTION();
    if (callback == NULL) {
        return 0;
    }
    PyObject *result = call_hook(callback, frame, what, arg);
    Py_DECREF(callback);
    if (result == NULL) {
        PyEval_SetTrace(NULL, NULL);
        frame_set_trace(frame, NULL);
        return -1;
    }
    if (result != Py_None) {
        frame_set_trace(frame, result);
    } else {
        Py_DECREF(result);
    }
    return 0;
}

int sys_trace_set(PyThreadState *ts, PyObject *function)
{
    if (PySys_Audit("sys.settrace", NULL) < 0) {
        return -1;
    }
    if (function == Py_None) {
        PyEval_SetTrace(NULL, NULL);
    } else {
        PyEval_SetTrace(sys_trace_call, function);
    }
    return PyErr_Occurred() ? -1 : 0;
}

int sys_profile_set(PyThreadState *ts, PyObject *function)
{
    if (PySys_Audit("sys.setprofile", NULL) < 0) {
        return -1;
    }
    if (function == Py_None) {
        PyEval_SetProfile(NULL, NULL);
    } else {
        PyEval_SetProfile(sys_profile_call, function);
    }
    return PyErr_Occurred() ? -1 : 0;
}
