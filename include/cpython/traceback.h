/* The struct of tracebacks. */
#ifndef Py_CPYTHON_TRACEBACK_H
#define Py_CPYTHON_TRACEBACK_H

_Py_BEGIN_DECLS

typedef struct _traceback PyTracebackObject;

struct _traceback {
    PyObject_HEAD
    PyTracebackObject *tb_next;
    PyFrameObject *tb_frame;
    int tb_lasti;
    int tb_lineno;
};

_Py_END_DECLS

#endif
