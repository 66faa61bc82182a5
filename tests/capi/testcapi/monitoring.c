/* Events of sys.monitoring that C code fires for something that is like code. */
#include "parts.h"

#include <stddef.h>

struct codelike {
    PyObject_HEAD
    uint64_t version;
    int count;
    PyMonitoringState *states;
};

static PyTypeObject codelike_type;

static PyObject *codelike_new(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs))
{
    int count;
    if (!PyArg_ParseTuple(args, "i:CodeLike", &count)) {
        return NULL;
    }
    struct codelike *self = (struct codelike *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->states = PyMem_Calloc((size_t)count, sizeof(PyMonitoringState));
    self->count = count;
    if (self->states == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    return (PyObject *)self;
}

static void codelike_dealloc(PyObject *self)
{
    PyMem_Free(((struct codelike *)self)->states);
    Py_TYPE(self)->tp_free(self);
}

static PyTypeObject codelike_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "_testcapi.CodeLike",
    .tp_basicsize = sizeof(struct codelike),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = codelike_new,
    .tp_dealloc = codelike_dealloc,
};

/* What a call that fires an event works with. */
struct fire {
    PyObject *codelike, *value; /* borrowed; value may be NULL */
    int offset;
    PyMonitoringState *state;
};

/* Reads (codelike, offset[, value]). */
static int fire_begin(struct fire *fire, PyObject *args)
{
    fire->value = NULL;
    if (!PyArg_ParseTuple(args, "O!i|O", &codelike_type, &fire->codelike, &fire->offset,
                          &fire->value)) {
        return -1;
    }
    struct codelike *codelike = (struct codelike *)fire->codelike;
    if (fire->offset < 0 || fire->offset >= codelike->count) {
        PyErr_SetString(PyExc_IndexError, "offset out of range");
        return -1;
    }
    fire->state = &codelike->states[fire->offset];
    if (fire->value == Py_None) {
        fire->value = NULL;
    }
    return 0;
}

/* An event with nothing more, or with a value. */
#define FIRE(name, call)                                                                           \
    FUNCTIONN(fire_event_##name)                                                                   \
    {                                                                                              \
        struct fire f;                                                                             \
        if (fire_begin(&f, args) < 0) {                                                            \
            return NULL;                                                                           \
        }                                                                                          \
        return int_or_error(call);                                                                 \
    }

FIRE(py_start, PyMonitoring_FirePyStartEvent(f.state, f.codelike, f.offset))
FIRE(py_resume, PyMonitoring_FirePyResumeEvent(f.state, f.codelike, f.offset))
FIRE(py_return, PyMonitoring_FirePyReturnEvent(f.state, f.codelike, f.offset, f.value))
FIRE(py_yield, PyMonitoring_FirePyYieldEvent(f.state, f.codelike, f.offset, f.value))
FIRE(c_return, PyMonitoring_FireCReturnEvent(f.state, f.codelike, f.offset, f.value))
FIRE(jump, PyMonitoring_FireJumpEvent(f.state, f.codelike, f.offset, f.value))
FIRE(branch, PyMonitoring_FireBranchEvent(f.state, f.codelike, f.offset, f.value))
FIRE(stop_iteration, PyMonitoring_FireStopIterationEvent(f.state, f.codelike, f.offset, f.value))

/* An event about the exception that is raised: it has to be there before and after. */
static PyObject *fire_exception(PyObject *args,
                                int (*call)(PyMonitoringState *, PyObject *, int32_t))
{
    struct fire f;
    if (fire_begin(&f, args) < 0) {
        return NULL;
    }
    if (f.value != NULL) {
        PyErr_SetRaisedException(Py_NewRef(f.value));
    }
    int result = call(f.state, f.codelike, f.offset);
    if (result < 0 || f.value == NULL) {
        return int_or_error(result);
    }
    PyObject *raised = PyErr_GetRaisedException();
    Py_XDECREF(raised);
    return raised == f.value ? PyLong_FromLong(result) : failed("the exception was lost");
}

#define FIRE_EXCEPTION(name, call)                                                                 \
    FUNCTIONN(fire_event_##name)                                                                   \
    {                                                                                              \
        return fire_exception(args, call);                                                         \
    }

FIRE_EXCEPTION(py_throw, PyMonitoring_FirePyThrowEvent)
FIRE_EXCEPTION(raise, PyMonitoring_FireRaiseEvent)
FIRE_EXCEPTION(c_raise, PyMonitoring_FireCRaiseEvent)
FIRE_EXCEPTION(reraise, PyMonitoring_FireReraiseEvent)
FIRE_EXCEPTION(exception_handled, PyMonitoring_FireExceptionHandledEvent)
FIRE_EXCEPTION(py_unwind, PyMonitoring_FirePyUnwindEvent)

FUNCTIONN(fire_event_call)
{
    PyObject *head = PyTuple_GetSlice(args, 0, 2), *callable, *argument;
    struct fire f;
    if (head == NULL || fire_begin(&f, head) < 0) {
        Py_XDECREF(head);
        return NULL;
    }
    Py_DECREF(head);
    PyObject *codelike;
    int offset;
    if (!PyArg_ParseTuple(args, "OiOO", &codelike, &offset, &callable, &argument)) {
        return NULL;
    }
    return int_or_error(
        PyMonitoring_FireCallEvent(f.state, f.codelike, f.offset, callable, argument));
}

FUNCTIONN(fire_event_line)
{
    struct fire f;
    if (fire_begin(&f, args) < 0) {
        return NULL;
    }
    int line = f.value == NULL ? 0 : (int)PyLong_AsLong(f.value);
    if (line == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return int_or_error(PyMonitoring_FireLineEvent(f.state, f.codelike, f.offset, line));
}

FUNCTIONN(monitoring_enter_scope)
{
    PyObject *object;
    int first, second = -1;
    if (!PyArg_ParseTuple(args, "O!i|i:monitoring_enter_scope", &codelike_type, &object, &first,
                          &second)) {
        return NULL;
    }
    struct codelike *codelike = (struct codelike *)object;
    const uint8_t events[] = {(uint8_t)first, (uint8_t)second};
    return none_or_error(
        PyMonitoring_EnterScope(codelike->states, &codelike->version, events, second < 0 ? 1 : 2));
}

FUNCTION0(monitoring_exit_scope)
{
    return none_or_error(PyMonitoring_ExitScope());
}

/* clang-format off */
static PyMethodDef methods[] = {
    VARARGS(fire_event_py_start), VARARGS(fire_event_py_resume), VARARGS(fire_event_py_return),
    VARARGS(fire_event_py_yield), VARARGS(fire_event_c_return), VARARGS(fire_event_jump),
    VARARGS(fire_event_branch), VARARGS(fire_event_stop_iteration), VARARGS(fire_event_py_throw),
    VARARGS(fire_event_raise), VARARGS(fire_event_c_raise), VARARGS(fire_event_reraise),
    VARARGS(fire_event_exception_handled), VARARGS(fire_event_py_unwind), VARARGS(fire_event_call),
    VARARGS(fire_event_line), VARARGS(monitoring_enter_scope), NOARGS(monitoring_exit_scope),
    {NULL},
};
/* clang-format on */

int add_monitoring(PyObject *module)
{
    return PyModule_AddType(module, &codelike_type) < 0 ? -1
                                                        : PyModule_AddFunctions(module, methods);
}
