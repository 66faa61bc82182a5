/* Hooks into evaluation. */
#ifndef Py_CPYTHON_CEVAL_H
#define Py_CPYTHON_CEVAL_H

_Py_BEGIN_DECLS

PyAPI_FUNC(int) PyEval_MergeCompilerFlags(PyCompilerFlags *flags);
PyAPI_FUNC(void) PyEval_SetProfile(Py_tracefunc function, PyObject *arg);
PyAPI_FUNC(void) PyEval_SetProfileAllThreads(Py_tracefunc function, PyObject *arg);
PyAPI_FUNC(void) PyEval_SetTrace(Py_tracefunc function, PyObject *arg);
PyAPI_FUNC(void) PyEval_SetTraceAllThreads(Py_tracefunc function, PyObject *arg);
PyAPI_FUNC(Py_ssize_t) PyUnstable_Eval_RequestCodeExtraIndex(freefunc free);
PyAPI_FUNC(PyObject *) _PyEval_EvalFrameDefault(PyThreadState *ts,
                                                struct _PyInterpreterFrame *frame, int throwing);
PyAPI_FUNC(int) _PyEval_SliceIndex(PyObject *arg, Py_ssize_t *index);
PyAPI_FUNC(int) _PyEval_SliceIndexNotNone(PyObject *arg, Py_ssize_t *index);
static inline Py_ssize_t _PyEval_RequestCodeExtraIndex(freefunc f)
{
    return PyUnstable_Eval_RequestCodeExtraIndex(f);
}

/* A perf map: which machine code belongs to which Python function. */
typedef struct {
    FILE *perf_map;
    PyThread_type_lock map_lock;
} PerfMapState;

_Py_END_DECLS

#endif
