/*
 * The C API of sys.monitoring: events of something that is like code but is not run by the machine.
 *
 * Such code has a state for each kind of event that it may fire: the tools that want it, as of the scope that was
 * entered last.
 */
#include "interp/monitoring.h"

enum { USER_MASK = (1 << TOOL_PROFILE) - 1 }; /* the hooks of sys.settrace and sys.setprofile want frames */

int PyMonitoring_EnterScope(PyMonitoringState *states, uint64_t *version, const uint8_t *events, Py_ssize_t count)
{
    /* Never 0, which is what a scope begins with. */
    uint64_t current = (uint64_t)vm_instrument_version(PyThreadState_Get()) + 1;
    if (*version == current) {
        return 0;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        uint8_t tools = 0;
        for (int t = 0; t < TOOL_PROFILE; t++) {
            tools |= (uint8_t)((field_load(&monitoring.events[t]) >> events[i] & 1) << t);
        }
        field_store(&states[i].active, tools);
    }
    *version = current;
    return 0;
}

int PyMonitoring_ExitScope(void)
{
    return 0;
}

/* Calls the tools with (code, place, a, b), where a and b may be NULL. 0 or -1. */
static int fire(PyMonitoringState *state, int event, PyObject *codelike, int32_t place, PyObject *a, PyObject *b)
{
    PyThreadState *ts = PyThreadState_Get();
    if (ts->tracing) {
        return 0;
    }
    PyObject *number = PyLong_FromLong(place);
    if (number == NULL) {
        return -1;
    }
    PyObject *args[5] = {NULL, codelike, number, a, b};
    size_t count = a == NULL ? 2 : b == NULL ? 3 : 4;
    uint8_t tools = field_load(&state->active) & USER_MASK;
    int status = 0;
    for (int t = 0; t < TOOL_PROFILE && status >= 0; t++) {
        if (tools & 1 << t) {
            status = monitoring_call_tool(ts, t, event, args + 1, count);
            if (status > 0) {
                field_store(&state->active, field_load(&state->active) & (uint8_t)~(1 << t));
            }
        }
    }
    Py_DECREF(number);
    return status < 0 ? -1 : 0;
}

/* The same with the exception that is raised, which stays so unless a tool raises another one. */
static int fire_exception(PyMonitoringState *state, int event, PyObject *codelike, int32_t offset)
{
    PyObject *exception = PyErr_GetRaisedException();
    if (exception == NULL) {
        PyErr_Format(PyExc_ValueError, "Firing event %d with no exception set", event);
        return -1;
    }
    int status = fire(state, event, codelike, offset, exception, NULL);
    if (status == 0) {
        PyErr_SetRaisedException(exception);
    } else {
        Py_DECREF(exception);
    }
    return status;
}

/* ---- without a value ------------------------------------------------------------------------------ */

int _PyMonitoring_FirePyStartEvent(PyMonitoringState *state, PyObject *codelike, int32_t offset)
{
    return fire(state, PY_MONITORING_EVENT_PY_START, codelike, offset, NULL, NULL);
}

int _PyMonitoring_FirePyResumeEvent(PyMonitoringState *state, PyObject *codelike, int32_t offset)
{
    return fire(state, PY_MONITORING_EVENT_PY_RESUME, codelike, offset, NULL, NULL);
}

int _PyMonitoring_FireLineEvent(PyMonitoringState *state, PyObject *codelike, int32_t Py_UNUSED(offset), int line)
{
    return fire(state, PY_MONITORING_EVENT_LINE, codelike, line, NULL, NULL);
}

/* ---- with a value --------------------------------------------------------------------------------- */

int _PyMonitoring_FirePyReturnEvent(PyMonitoringState *state, PyObject *codelike, int32_t offset, PyObject *value)
{
    return fire(state, PY_MONITORING_EVENT_PY_RETURN, codelike, offset, value, NULL);
}

int _PyMonitoring_FirePyYieldEvent(PyMonitoringState *state, PyObject *codelike, int32_t offset, PyObject *value)
{
    return fire(state, PY_MONITORING_EVENT_PY_YIELD, codelike, offset, value, NULL);
}

int _PyMonitoring_FireCallEvent(PyMonitoringState *state, PyObject *codelike, int32_t offset, PyObject *callable,
                                PyObject *argument)
{
    return fire(state, PY_MONITORING_EVENT_CALL, codelike, offset, callable, argument);
}

int _PyMonitoring_FireCReturnEvent(PyMonitoringState *state, PyObject *codelike, int32_t offset, PyObject *value)
{
    return fire(state, PY_MONITORING_EVENT_C_RETURN, codelike, offset, value, NULL);
}

int _PyMonitoring_FireJumpEvent(PyMonitoringState *state, PyObject *codelike, int32_t offset, PyObject *target)
{
    return fire(state, PY_MONITORING_EVENT_JUMP, codelike, offset, target, NULL);
}

int _PyMonitoring_FireBranchEvent(PyMonitoringState *state, PyObject *codelike, int32_t offset, PyObject *target)
{
    return fire(state, PY_MONITORING_EVENT_BRANCH, codelike, offset, target, NULL);
}

int _PyMonitoring_FireStopIterationEvent(PyMonitoringState *state, PyObject *codelike, int32_t offset, PyObject *value)
{
    PyObject *exception = PyObject_TypeCheck(value, (PyTypeObject *)PyExc_StopIteration)
                              ? Py_NewRef(value) : PyObject_CallOneArg(PyExc_StopIteration, value);
    if (exception == NULL) {
        return -1;
    }
    int status = fire(state, PY_MONITORING_EVENT_STOP_ITERATION, codelike, offset, exception, NULL);
    Py_DECREF(exception);
    return status;
}

/* ---- with an exception ---------------------------------------------------------------------------- */

int _PyMonitoring_FirePyThrowEvent(PyMonitoringState *state, PyObject *codelike, int32_t offset)
{
    return fire_exception(state, PY_MONITORING_EVENT_PY_THROW, codelike, offset);
}

int _PyMonitoring_FireRaiseEvent(PyMonitoringState *state, PyObject *codelike, int32_t offset)
{
    return fire_exception(state, PY_MONITORING_EVENT_RAISE, codelike, offset);
}

int _PyMonitoring_FireReraiseEvent(PyMonitoringState *state, PyObject *codelike, int32_t offset)
{
    return fire_exception(state, PY_MONITORING_EVENT_RERAISE, codelike, offset);
}

int _PyMonitoring_FireExceptionHandledEvent(PyMonitoringState *state, PyObject *codelike, int32_t offset)
{
    return fire_exception(state, PY_MONITORING_EVENT_EXCEPTION_HANDLED, codelike, offset);
}

int _PyMonitoring_FireCRaiseEvent(PyMonitoringState *state, PyObject *codelike, int32_t offset)
{
    return fire_exception(state, PY_MONITORING_EVENT_C_RAISE, codelike, offset);
}

int _PyMonitoring_FirePyUnwindEvent(PyMonitoringState *state, PyObject *codelike, int32_t offset)
{
    return fire_exception(state, PY_MONITORING_EVENT_PY_UNWIND, codelike, offset);
}
