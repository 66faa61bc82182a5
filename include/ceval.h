/* Running code, recursion limits, and giving other threads a turn. */
#ifndef Py_CEVAL_H
#define Py_CEVAL_H

_Py_BEGIN_DECLS

/* Evaluate: new reference, or NULL with an exception set. */
PyAPI_FUNC(PyObject *) PyEval_EvalCode(PyObject *code, PyObject *globals, PyObject *locals);
PyAPI_FUNC(PyObject *) PyEval_EvalCodeEx(PyObject *code, PyObject *globals, PyObject *locals,
                                         PyObject *const *args, int nargs, PyObject *const *kwargs,
                                         int nkwargs, PyObject *const *defaults, int ndefaults,
                                         PyObject *kwdefaults, PyObject *closure);
PyAPI_FUNC(PyObject *) PyEval_EvalFrame(PyFrameObject *frame);
PyAPI_FUNC(PyObject *) PyEval_EvalFrameEx(PyFrameObject *frame, int throwing);

/* Of the running frame: borrowed, NULL if there is none. GetFrameBuiltins and its like give new
   references. */
PyAPI_FUNC(PyObject *) PyEval_GetBuiltins(void);
PyAPI_FUNC(PyFrameObject *) PyEval_GetFrame(void);
PyAPI_FUNC(PyObject *) PyEval_GetFrameBuiltins(void);
PyAPI_FUNC(PyObject *) PyEval_GetFrameGlobals(void);
PyAPI_FUNC(PyObject *) PyEval_GetFrameLocals(void);
PyAPI_FUNC(const char *) PyEval_GetFuncDesc(PyObject *function);
PyAPI_FUNC(const char *) PyEval_GetFuncName(PyObject *function);
PyAPI_FUNC(PyObject *) PyEval_GetGlobals(void);
PyAPI_FUNC(PyObject *) PyEval_GetLocals(void);

/* Limit on nesting: 0, or RecursionError and non-zero. Balance each successful Enter with a
   Leave. */
PyAPI_FUNC(int) Py_AddPendingCall(int (*function)(void *), void *arg);
PyAPI_FUNC(int) Py_EnterRecursiveCall(const char *where);
PyAPI_FUNC(int) Py_GetRecursionLimit(void);
PyAPI_FUNC(void) Py_LeaveRecursiveCall(void);
PyAPI_FUNC(int) Py_MakePendingCalls(void);
PyAPI_FUNC(void) Py_SetRecursionLimit(int limit);
PyAPI_FUNC(void) PyEval_AcquireThread(PyThreadState *ts);
Py_DEPRECATED(3.9) PyAPI_FUNC(void) PyEval_InitThreads(void);
PyAPI_FUNC(void) PyEval_ReleaseThread(PyThreadState *ts);
PyAPI_FUNC(void) PyEval_RestoreThread(PyThreadState *ts);
PyAPI_FUNC(PyThreadState *) PyEval_SaveThread(void);

/* Code between the macros runs detached: it must not touch Python objects. */
#define Py_BEGIN_ALLOW_THREADS                                                                     \
    {                                                                                              \
        PyThreadState *_save = PyEval_SaveThread();
#define Py_BLOCK_THREADS PyEval_RestoreThread(_save);
#define Py_UNBLOCK_THREADS _save = PyEval_SaveThread();
#define Py_END_ALLOW_THREADS                                                                       \
        PyEval_RestoreThread(_save);                                                               \
    }

/* Conversions of format(): which one, and whether a specification follows. */
#define FVC_NONE      0
#define FVC_STR       1
#define FVC_REPR      2
#define FVC_ASCII     3
#define FVC_MASK      3
#define FVS_HAVE_SPEC 4
#define FVS_MASK      4

_Py_END_DECLS

#ifndef Py_LIMITED_API
#  include "cpython/ceval.h"
#endif

#endif
