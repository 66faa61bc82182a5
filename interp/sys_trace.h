/* sys.settrace and sys.setprofile: Python functions behind the C hooks. */

#ifndef KRAIT_INTERP_SYS_TRACE_H
#define KRAIT_INTERP_SYS_TRACE_H

#include "Python.h"

/* The Py_tracefuncs that call a Python function; borrowed arguments, -1 with an exception. */
int sys_trace_call(PyObject *function, PyFrameObject *frame, int what, PyObject *arg);
int sys_profile_call(PyObject *function, PyFrameObject *frame, int what, PyObject *arg);

/* Sets this thread's function (None: none). -1 with an exception. May run Python code. */
int sys_trace_set(PyThreadState *ts, PyObject *function);
int sys_profile_set(PyThreadState *ts, PyObject *function);

#endif
