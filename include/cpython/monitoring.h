/* Events of sys.monitoring, for code that runs Python-like programs. */
#ifndef Py_CPYTHON_MONITORING_H
#define Py_CPYTHON_MONITORING_H

_Py_BEGIN_DECLS

/* Events that can be set per code object come first. */
#define PY_MONITORING_EVENT_PY_START          0
#define PY_MONITORING_EVENT_PY_RESUME         1
#define PY_MONITORING_EVENT_PY_RETURN         2
#define PY_MONITORING_EVENT_PY_YIELD          3
#define PY_MONITORING_EVENT_CALL              4
#define PY_MONITORING_EVENT_LINE              5
#define PY_MONITORING_EVENT_INSTRUCTION       6
#define PY_MONITORING_EVENT_JUMP              7
#define PY_MONITORING_EVENT_BRANCH            8
#define PY_MONITORING_EVENT_STOP_ITERATION    9
#define PY_MONITORING_EVENT_RAISE             10
#define PY_MONITORING_EVENT_EXCEPTION_HANDLED 11
#define PY_MONITORING_EVENT_PY_UNWIND         12
#define PY_MONITORING_EVENT_PY_THROW          13
#define PY_MONITORING_EVENT_RERAISE           14
#define PY_MONITORING_EVENT_C_RETURN          15
#define PY_MONITORING_EVENT_C_RAISE           16
#define _PY_MONITORING_LOCAL_EVENTS 10
#define _PY_MONITORING_UNGROUPED_EVENTS 15
#define _PY_MONITORING_EVENTS 17
#define PY_MONITORING_IS_INSTRUMENTED_EVENT(ev) ((ev) < _PY_MONITORING_LOCAL_EVENTS)

typedef struct _PyMonitoringState {
    uint8_t active;
    uint8_t opaque;
} PyMonitoringState;

/* Enter and leave a code-like object; 0, or -1 with an exception set. */
PyAPI_FUNC(int) PyMonitoring_EnterScope(PyMonitoringState *states, uint64_t *version,
                                        const uint8_t *events, Py_ssize_t count);
PyAPI_FUNC(int) PyMonitoring_ExitScope(void);
PyAPI_FUNC(int) _PyMonitoring_FireBranchEvent(PyMonitoringState *state, PyObject *codelike,
                                              int32_t offset, PyObject *target);
PyAPI_FUNC(int) _PyMonitoring_FireCRaiseEvent(PyMonitoringState *state, PyObject *codelike,
                                              int32_t offset);
PyAPI_FUNC(int) _PyMonitoring_FireCReturnEvent(PyMonitoringState *state, PyObject *codelike,
                                               int32_t offset, PyObject *result);
PyAPI_FUNC(int) _PyMonitoring_FireCallEvent(PyMonitoringState *state, PyObject *codelike,
                                            int32_t offset, PyObject *callable, PyObject *arg0);
PyAPI_FUNC(int) _PyMonitoring_FireExceptionHandledEvent(PyMonitoringState *state,
                                                        PyObject *codelike, int32_t offset);
PyAPI_FUNC(int) _PyMonitoring_FireJumpEvent(PyMonitoringState *state, PyObject *codelike,
                                            int32_t offset, PyObject *target);
PyAPI_FUNC(int) _PyMonitoring_FireLineEvent(PyMonitoringState *state, PyObject *codelike,
                                            int32_t offset, int line);
PyAPI_FUNC(int) _PyMonitoring_FirePyResumeEvent(PyMonitoringState *state, PyObject *codelike,
                                                int32_t offset);
PyAPI_FUNC(int) _PyMonitoring_FirePyReturnEvent(PyMonitoringState *state, PyObject *codelike,
                                                int32_t offset, PyObject *result);
PyAPI_FUNC(int) _PyMonitoring_FirePyStartEvent(PyMonitoringState *state, PyObject *codelike,
                                               int32_t offset);
PyAPI_FUNC(int) _PyMonitoring_FirePyThrowEvent(PyMonitoringState *state, PyObject *codelike,
                                               int32_t offset);
PyAPI_FUNC(int) _PyMonitoring_FirePyUnwindEvent(PyMonitoringState *state, PyObject *codelike,
                                                int32_t offset);
PyAPI_FUNC(int) _PyMonitoring_FirePyYieldEvent(PyMonitoringState *state, PyObject *codelike,
                                               int32_t offset, PyObject *result);
PyAPI_FUNC(int) _PyMonitoring_FireRaiseEvent(PyMonitoringState *state, PyObject *codelike,
                                             int32_t offset);
PyAPI_FUNC(int) _PyMonitoring_FireReraiseEvent(PyMonitoringState *state, PyObject *codelike,
                                               int32_t offset);
PyAPI_FUNC(int) _PyMonitoring_FireStopIterationEvent(PyMonitoringState *state, PyObject *codelike,
                                                     int32_t offset, PyObject *value);

/* Each call costs a byte's test while nobody listens; 0, or -1 with an exception set. */
#define _PYMONITORING_IF_ACTIVE(STATE, CALL)                                                       \
    if (!(STATE)->active)                                                                          \
        return 0;                                                                                  \
    return CALL

static inline int PyMonitoring_FireBranchEvent(PyMonitoringState *state, PyObject *codelike,
                                               int32_t offset, PyObject *target_offset)
{
    _PYMONITORING_IF_ACTIVE(state,
                            _PyMonitoring_FireBranchEvent(state, codelike, offset, target_offset));
}

static inline int PyMonitoring_FireCRaiseEvent(PyMonitoringState *state, PyObject *codelike,
                                               int32_t offset)
{
    _PYMONITORING_IF_ACTIVE(state, _PyMonitoring_FireCRaiseEvent(state, codelike, offset));
}

static inline int PyMonitoring_FireCReturnEvent(PyMonitoringState *state, PyObject *codelike,
                                                int32_t offset, PyObject *retval)
{
    _PYMONITORING_IF_ACTIVE(state, _PyMonitoring_FireCReturnEvent(state, codelike, offset, retval));
}

static inline int PyMonitoring_FireCallEvent(PyMonitoringState *state, PyObject *codelike,
                                             int32_t offset, PyObject *callable, PyObject *arg0)
{
    _PYMONITORING_IF_ACTIVE(state,
                            _PyMonitoring_FireCallEvent(state, codelike, offset, callable, arg0));
}

static inline int PyMonitoring_FireExceptionHandledEvent(PyMonitoringState *state,
                                                         PyObject *codelike, int32_t offset)
{
    _PYMONITORING_IF_ACTIVE(state,
                            _PyMonitoring_FireExceptionHandledEvent(state, codelike, offset));
}

static inline int PyMonitoring_FireJumpEvent(PyMonitoringState *state, PyObject *codelike,
                                             int32_t offset, PyObject *target_offset)
{
    _PYMONITORING_IF_ACTIVE(state,
                            _PyMonitoring_FireJumpEvent(state, codelike, offset, target_offset));
}

static inline int PyMonitoring_FireLineEvent(PyMonitoringState *state, PyObject *codelike,
                                             int32_t offset, int lineno)
{
    _PYMONITORING_IF_ACTIVE(state, _PyMonitoring_FireLineEvent(state, codelike, offset, lineno));
}

static inline int PyMonitoring_FirePyResumeEvent(PyMonitoringState *state, PyObject *codelike,
                                                 int32_t offset)
{
    _PYMONITORING_IF_ACTIVE(state, _PyMonitoring_FirePyResumeEvent(state, codelike, offset));
}

static inline int PyMonitoring_FirePyReturnEvent(PyMonitoringState *state, PyObject *codelike,
                                                 int32_t offset, PyObject *retval)
{
    _PYMONITORING_IF_ACTIVE(state,
                            _PyMonitoring_FirePyReturnEvent(state, codelike, offset, retval));
}

static inline int PyMonitoring_FirePyStartEvent(PyMonitoringState *state, PyObject *codelike,
                                                int32_t offset)
{
    _PYMONITORING_IF_ACTIVE(state, _PyMonitoring_FirePyStartEvent(state, codelike, offset));
}

static inline int PyMonitoring_FirePyThrowEvent(PyMonitoringState *state, PyObject *codelike,
                                                int32_t offset)
{
    _PYMONITORING_IF_ACTIVE(state, _PyMonitoring_FirePyThrowEvent(state, codelike, offset));
}

static inline int PyMonitoring_FirePyUnwindEvent(PyMonitoringState *state, PyObject *codelike,
                                                 int32_t offset)
{
    _PYMONITORING_IF_ACTIVE(state, _PyMonitoring_FirePyUnwindEvent(state, codelike, offset));
}

static inline int PyMonitoring_FirePyYieldEvent(PyMonitoringState *state, PyObject *codelike,
                                                int32_t offset, PyObject *retval)
{
    _PYMONITORING_IF_ACTIVE(state, _PyMonitoring_FirePyYieldEvent(state, codelike, offset, retval));
}

static inline int PyMonitoring_FireRaiseEvent(PyMonitoringState *state, PyObject *codelike,
                                              int32_t offset)
{
    _PYMONITORING_IF_ACTIVE(state, _PyMonitoring_FireRaiseEvent(state, codelike, offset));
}

static inline int PyMonitoring_FireReraiseEvent(PyMonitoringState *state, PyObject *codelike,
                                                int32_t offset)
{
    _PYMONITORING_IF_ACTIVE(state, _PyMonitoring_FireReraiseEvent(state, codelike, offset));
}

static inline int PyMonitoring_FireStopIterationEvent(PyMonitoringState *state, PyObject *codelike,
                                                      int32_t offset, PyObject *value)
{
    _PYMONITORING_IF_ACTIVE(state,
                            _PyMonitoring_FireStopIterationEvent(state, codelike, offset, value));
}

#undef _PYMONITORING_IF_ACTIVE

_Py_END_DECLS

#endif
