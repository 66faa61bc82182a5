/*
 * sys.monitoring for code that is not ours: PyMonitoring_*, by which an extension reports what the programs that it
 * runs do. It has a PyMonitoringState for each event that it may report at a place: the tools that want it there.
 */
#include "interp/monitoring.h"

/* The user's tools that want an event everywhere. The end of a call comes with the call. */
static uint8_t tools_listening(uint8_t event)
{
    unsigned e = event == PY_MONITORING_EVENT_C_RETURN || event == PY_MONITORING_EVENT_C_RAISE
                     ? PY_MONITORING_EVENT_CALL
                     : event;
    uint8_t tools = 0;
    for (int t = 0; t < TOOL_PROFILE; t++) {
        tools |= (uint8_t)((field_load(&monitoring.events[t]) >> e & 1) << t);
    }
    return tools;
}

int PyMonitoring_EnterScope(PyMonitoringState *states, uint64_t *version, const uint8_t *events,
                            Py_ssize_t count)
{
    uint32_t now = vm_instrument_version(&thread_self()->ts);
    if (now == *version) {
        return 0;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        states[i].active = tools_listening(events[i]);
    }
    *version = now;
    return 0;
}

int PyMonitoring_ExitScope(void)
{
    return 0;
}

/* ---- reporting --------------------------------------------------------------------------------- */

enum { AT_OFFSET = 2, ARGS_MAX = 5 };

/* Calls the tools with (code, offset or line, more...), where `more` has at most two objects. */
static int fire(PyMonitoringState *state, PyObject *codelike, int event, int32_t offset, int place,
                PyObject *arg, PyObject *arg2)
{
    PyThreadState *ts = &thread_self()->ts;
    if (ts->tracing) {
        return 0;
    }
    if (offset < 0) {
        PyErr_SetString(PyExc_ValueError, "offset must be non-negative");
        return -1;
    }
    PyObject *number = PyLong_FromLong(place);
    if (number == NULL) {
        return -1;
    }
    PyObject *args[ARGS_MAX] = {NULL, codelike, number, arg, arg2};
    size_t count = AT_OFFSET + (arg != NULL) + (arg2 != NULL);
    int status = 0;
    for (int t = 0; t < TOOL_PROFILE && status >= 0; t++) {
        if (field_load(&state->active) >> t & 1) {
            status = monitoring_call_tool(ts, t, event, args + 1, count);
            if (status > 0) {
                field_and(&state->active, (uint8_t) ~(1u << t));
            }
        }
    }
    Py_DECREF(number);
    return status < 0 ? -1 : 0;
}

static int fire_at(PyMonitoringState *state, PyObject *codelike, int event, int32_t offset,
                   PyObject *arg, PyObject *arg2)
{
    return fire(state, codelike, event, offset, offset, arg, arg2);
}

/* Reports the current exception, which is kept unless a tool raises another one. */
static int fire_exception(PyMonitoringState *state, PyObject *codelike, int event, int32_t offset)
{
    PyObject *exception = PyErr_GetRaisedException();
    if (exception == NULL) {
        PyErr_Format(PyExc_ValueError, "Firing event %d with no exception set", event);
        return -1;
    }
    int status = fire_at(state, codelike, event, offset, exception, NULL);
    if (status < 0) {
        Py_DECREF(exception);
        return -1;
    }
    PyErr_SetRaisedException(exception);
    return 0;
}

#define FIRE_PLAIN(name, event)                                                                    \
    int _PyMonitoring_Fire##name##Event(PyMonitoringState *state, PyObject *codelike,              \
                                        int32_t offset)                                            \
    {                                                                                              \
        return fire_at(state, codelike, PY_MONITORING_EVENT_##event, offset, NULL, NULL);          \
    }
#define FIRE_WITH(name, event)                                                                     \
    int _PyMonitoring_Fire##name##Event(PyMonitoringState *state, PyObject *codelike,              \
                                        int32_t offset, PyObject *arg)                             \
    {                                                                                              \
        return fire_at(state, codelike, PY_MONITORING_EVENT_##event, offset, arg, NULL);           \
    }
#define FIRE_EXCEPTION(name, event)                                                                \
    int _PyMonitoring_Fire##name##Event(PyMonitoringState *state, PyObject *codelike,              \
                                        int32_t offset)                                            \
    {                                                                                              \
        return fire_exception(state, codelike, PY_MONITORING_EVENT_##event, offset);               \
    }

FIRE_PLAIN(PyStart, PY_START)
FIRE_PLAIN(PyResume, PY_RESUME)
FIRE_WITH(PyReturn, PY_RETURN)
FIRE_WITH(PyYield, PY_YIELD)
FIRE_WITH(Jump, JUMP)
FIRE_WITH(Branch, BRANCH)
FIRE_WITH(CReturn, C_RETURN)
FIRE_EXCEPTION(CRaise, C_RAISE)
FIRE_EXCEPTION(PyThrow, PY_THROW)
FIRE_EXCEPTION(PyUnwind, PY_UNWIND)
FIRE_EXCEPTION(Raise, RAISE)
FIRE_EXCEPTION(Reraise, RERAISE)
FIRE_EXCEPTION(ExceptionHandled, EXCEPTION_HANDLED)

int _PyMonitoring_FireCallEvent(PyMonitoringState *state, PyObject *codelike, int32_t offset,
                                PyObject *callable, PyObject *arg0)
{
    return fire_at(state, codelike, PY_MONITORING_EVENT_CALL, offset, callable, arg0);
}

int _PyMonitoring_FireLineEvent(PyMonitoringState *state, PyObject *codelike, int32_t offset,
                                int line)
{
    return fire(state, codelike, PY_MONITORING_EVENT_LINE, offset, line, NULL, NULL);
}

/* The tools get a StopIteration, made of the value unless it is one; it does not stay the current exception. */
int _PyMonitoring_FireStopIterationEvent(PyMonitoringState *state, PyObject *codelike,
                                         int32_t offset, PyObject *value)
{
    PyObject *stop = PyErr_GivenExceptionMatches(value, PyExc_StopIteration) && !PyType_Check(value)
                         ? Py_NewRef(value)
                         : PyObject_CallOneArg(PyExc_StopIteration, value);
    int status = stop == NULL ? -1
                              : fire_at(state, codelike, PY_MONITORING_EVENT_STOP_ITERATION, offset,
                                        stop, NULL);
    Py_XDECREF(stop);
    return status;
}
