/* Futures, and what awaits them. */
#include "asyncio.h"

struct future_iter {
    PyObject_HEAD
    struct future *future; /* NULL: over */
};

#include "future.bind.h"

static int raise_uninitialized(PyObject *type)
{
    PyErr_SetString(type, "Future object is not initialized.");
    return -1;
}

static bool is_alive(struct future *self)
{
    return self->loop != NULL || raise_uninitialized(PyExc_RuntimeError) == 0;
}

/* ---- making --------------------------------------------------------------------------------- */

static PyObject *future_new(PyTypeObject *type, PyObject *Py_UNUSED(args),
                            PyObject *Py_UNUSED(kwargs))
{
    PyObject *module = PyType_GetModuleByDef(type, &asyncio_module);
    struct future *self = module ? type_make(type) : NULL;
    if (self != NULL) {
        self->state = state_of(module);
    }
    return (PyObject *)self;
}

/* Everything as in a new one. */
static void future_reset(struct future *self)
{
    FIELD_PUT(self, callback, NULL);
    FIELD_PUT(self, context, NULL);
    FIELD_PUT(self, callbacks, NULL);
    FIELD_PUT(self, result, NULL);
    FIELD_PUT(self, exception, NULL);
    FIELD_PUT(self, exception_tb, NULL);
    FIELD_PUT(self, source_traceback, NULL);
    FIELD_PUT(self, cancel_message, NULL);
    FIELD_PUT(self, cancelled_exc, NULL);
    FLAG_SET(self->status, PENDING);
    FLAG_SET(self->log_traceback, false);
    FLAG_SET(self->blocking, false);
}

/* Remembers where it was made, if the loop is to be debugged. */
static int future_trace(struct future *self, PyObject *loop)
{
    PyObject *debug = PyObject_CallMethodNoArgs(loop, self->state->n_get_debug);
    int on = debug ? PyObject_IsTrue(debug) : -1;
    Py_XDECREF(debug);
    if (on <= 0 || Py_IsFinalizing()) {
        return on < 0 ? -1 : 0;
    }
    PyObject *stack = PyObject_CallNoArgs(self->state->extract_stack);
    if (stack == NULL) {
        return -1;
    }
    FIELD_PUT(self, source_traceback, stack);
    return 0;
}

int future_start(struct future *self, PyObject *loop)
{
    future_reset(self);
    loop = loop == Py_None ? event_loop(self->state) : Py_NewRef(loop);
    if (loop == NULL) {
        return -1;
    }
    FIELD_PUT(self, loop, Py_NewRef(loop));
    int rc = future_trace(self, loop);
    Py_DECREF(loop);
    return rc;
}

static int future_init(struct future *self, PyObject *loop)
{
    return future_start(self, loop);
}

/* ---- finishing ------------------------------------------------------------------------------ */

struct callbacks {
    PyObject *callback, *context, *more;
};

/* Finishes under the lock: stores the reference (stolen) and takes the callbacks.  False if it was
 * not pending; then nothing is changed. */
static bool finish_locked(struct future *self, enum status status, PyObject **field,
                          PyObject *value, struct callbacks *out)
{
    if (self->status != PENDING) {
        return false;
    }
    *out = (struct callbacks){self->callback, self->context, self->callbacks};
    self->callback = self->context = self->callbacks = NULL;
    if (field != NULL) {
        PyObject *old = *field;
        *field = value;
        Py_XDECREF(old);
    }
    FLAG_SET(self->status, status);
    return true;
}

/* Has the loop call them (stolen); the first error ends it. */
static int callbacks_schedule(struct future *self, struct callbacks *all)
{
    struct asyncio_state *state = self->state;
    int rc = 0;
    if (all->callback != NULL) {
        rc = call_soon(state, self->loop, all->callback, (PyObject *)self, all->context);
    }
    for (Py_ssize_t i = 0; rc == 0 && all->more && i < PyList_GET_SIZE(all->more); i++) {
        PyObject *pair = PyList_GET_ITEM(all->more, i);
        rc = call_soon(state, self->loop, PyTuple_GET_ITEM(pair, 0), (PyObject *)self,
                       PyTuple_GET_ITEM(pair, 1));
    }
    Py_XDECREF(all->callback);
    Py_XDECREF(all->context);
    Py_XDECREF(all->more);
    return rc;
}

static int future_finish(struct future *self, enum status status, PyObject **field, PyObject *value)
{
    struct callbacks all;
    if (!LOCKED((PyObject *)self, finish_locked(self, status, field, Py_XNewRef(value), &all))) {
        Py_XDECREF(value);
        return 0;
    }
    return callbacks_schedule(self, &all) < 0 ? -1 : 1;
}

static int invalid_state(struct future *self)
{
    PyErr_SetString(self->state->invalid_state_error, "invalid state");
    return -1;
}

int future_do_cancel(struct future *self, PyObject *message)
{
    FLAG_SET(self->log_traceback, false);
    return future_finish(self, CANCELLED, &self->cancel_message, message);
}

int future_do_result(struct future *self, PyObject *result)
{
    if (!is_alive(self)) {
        return -1;
    }
    return future_finish(self, FINISHED, &self->result, result);
}

/* RuntimeError in place of StopIteration, which would end whoever awaits (new reference). */
static PyObject *stop_iteration_wrapped(PyObject *exception)
{
    static const char text[] = "StopIteration interacts badly with generators and cannot be raised "
                               "into a Future";
    PyObject *error = PyObject_CallFunction(PyExc_RuntimeError, "s", text);
    if (error != NULL) {
        PyException_SetCause(error, Py_NewRef(exception));
        PyException_SetContext(error, Py_NewRef(exception));
    }
    return error;
}

/* What set_exception() gets, as an instance (new reference). */
static PyObject *exception_instance(PyObject *arg)
{
    PyObject *exception = PyExceptionClass_Check(arg) ? PyObject_CallNoArgs(arg) : Py_NewRef(arg);
    if (exception != NULL && !PyExceptionInstance_Check(exception)) {
        PyErr_SetString(PyExc_TypeError, "invalid exception object");
        Py_CLEAR(exception);
    }
    if (exception != NULL && PyErr_GivenExceptionMatches(exception, PyExc_StopIteration)) {
        Py_SETREF(exception, stop_iteration_wrapped(exception));
    }
    return exception;
}

int future_do_exception(struct future *self, PyObject *arg)
{
    if (!is_alive(self)) {
        return -1;
    }
    if (FLAG(self->status) != PENDING) {
        return 0;
    }
    PyObject *exception = exception_instance(arg);
    if (exception == NULL) {
        return -1;
    }
    FIELD_PUT(self, exception_tb, PyException_GetTraceback(exception));
    struct callbacks all;
    int rc = 0;
    if (LOCKED((PyObject *)self,
               finish_locked(self, FINISHED, &self->exception, Py_NewRef(exception), &all))) {
        rc = callbacks_schedule(self, &all) < 0 ? -1 : 1;
        FLAG_SET(self->log_traceback, true);
    } else {
        Py_DECREF(exception);
    }
    Py_DECREF(exception);
    return rc;
}

static int future_set_result(struct future *self, PyObject *result)
{
    int rc = future_do_result(self, result);
    return rc == 0 ? invalid_state(self) : Py_MIN(rc, 0);
}

static int future_set_exception(struct future *self, PyObject *exception)
{
    int rc = future_do_exception(self, exception);
    return rc == 0 ? invalid_state(self) : Py_MIN(rc, 0);
}

static int future_cancel(struct future *self, PyObject *message)
{
    return is_alive(self) ? future_do_cancel(self, message) : -1;
}

/* ---- asking --------------------------------------------------------------------------------- */

static int future_done(struct future *self)
{
    return FLAG(self->status) != PENDING;
}

static int future_cancelled(struct future *self)
{
    return FLAG(self->status) == CANCELLED;
}

static PyObject *future_owner(struct future *self)
{
    return is_alive(self) ? FIELD_GET(self, loop) : NULL;
}

PyObject *future_cancelled_error(struct future *self)
{
    PyObject *error = FIELD_TAKE(self, cancelled_exc);
    if (error != NULL) {
        return error;
    }
    PyObject *message = FIELD_GET(self, cancel_message);
    PyObject *type = self->state->cancelled_error;
    error = message == NULL || message == Py_None ? PyObject_CallNoArgs(type)
                                                  : PyObject_CallOneArg(type, message);
    Py_XDECREF(message);
    return error;
}

static PyObject *future_make_cancelled_error(struct future *self)
{
    return future_cancelled_error(self);
}

static PyObject *raise_instance(PyObject *error)
{
    if (error != NULL) {
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
        Py_DECREF(error);
    }
    return NULL;
}

/* 1 if finished; 0 if cancelled, with the error to raise in *out; or -1 with an exception. */
static int future_finished(struct future *self, const char *complaint, PyObject **out)
{
    if (self->loop == NULL) {
        return raise_uninitialized(self->state->invalid_state_error);
    }
    switch (FLAG(self->status)) {
    case CANCELLED:
        *out = future_cancelled_error(self);
        return *out ? 0 : -1;
    case PENDING:
        PyErr_SetString(self->state->invalid_state_error, complaint);
        return -1;
    default:
        FLAG_SET(self->log_traceback, false);
        return 1;
    }
}

int future_outcome(struct future *self, PyObject **out)
{
    int rc = future_finished(self, "Result is not set.", out);
    if (rc <= 0) {
        return rc;
    }
    PyObject *exception = FIELD_GET(self, exception);
    if (exception == NULL) {
        *out = FIELD_GET(self, result);
        return 1;
    }
    /* Raised again and again, its traceback shall not grow. */
    PyObject *traceback = or_none(FIELD_TAKE(self, exception_tb));
    rc = PyException_SetTraceback(exception, traceback);
    Py_DECREF(traceback);
    if (rc < 0) {
        Py_DECREF(exception);
        return -1;
    }
    *out = exception;
    return 0;
}

static PyObject *future_result(struct future *self)
{
    PyObject *out;
    int rc = future_outcome(self, &out);
    return rc > 0 ? out : rc < 0 ? NULL : raise_instance(out);
}

static PyObject *future_exception(struct future *self)
{
    PyObject *error;
    int rc = future_finished(self, "Exception is not set.", &error);
    if (rc <= 0) {
        return rc < 0 ? NULL : raise_instance(error);
    }
    return or_none(FIELD_GET(self, exception));
}

/* ---- callbacks ------------------------------------------------------------------------------ */

enum added { ADDED, DONE_ALREADY, FAILED };

static enum added callback_add_locked(struct future *self, PyObject *callback, PyObject *context)
{
    if (self->status != PENDING) {
        return DONE_ALREADY;
    }
    if (self->callback == NULL && self->callbacks == NULL) {
        self->callback = Py_NewRef(callback);
        self->context = Py_NewRef(context);
        return ADDED;
    }
    if (self->callbacks == NULL) {
        self->callbacks = PyList_New(0);
    }
    PyObject *pair = self->callbacks ? PyTuple_Pack(2, callback, context) : NULL;
    int rc = pair ? PyList_Append(self->callbacks, pair) : -1;
    Py_XDECREF(pair);
    return rc < 0 ? FAILED : ADDED;
}

int future_add_callback(struct future *self, PyObject *callback, PyObject *context)
{
    switch (LOCKED((PyObject *)self, callback_add_locked(self, callback, context))) {
    case ADDED:
        return 0;
    case DONE_ALREADY:
        return call_soon(self->state, self->loop, callback, (PyObject *)self, context);
    default:
        return -1;
    }
}

static int future_add_done_callback(struct future *self, PyObject *callback, PyObject *context)
{
    if (self->loop == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "uninitialized Future object");
        return -1;
    }
    context = context ? Py_NewRef(context) : PyContext_CopyCurrent();
    if (context == NULL) {
        return -1;
    }
    int rc = future_add_callback(self, callback, context);
    Py_DECREF(context);
    return rc;
}

/* [(callback, context), ...], or NULL without an exception if there are none. */
static PyObject *callbacks_list_locked(struct future *self)
{
    if (self->callback == NULL) {
        return self->callbacks ? PyList_GetSlice(self->callbacks, 0, PY_SSIZE_T_MAX) : NULL;
    }
    PyObject *list = PyList_New(0);
    PyObject *pair = list ? PyTuple_Pack(2, self->callback, self->context) : NULL;
    if (pair == NULL || PyList_Append(list, pair) < 0
        || (self->callbacks && PyList_SetSlice(list, 1, 1, self->callbacks) < 0)) {
        Py_CLEAR(list);
    }
    Py_XDECREF(pair);
    return list;
}

/* Takes the first pair with this callback out of the list, wherever others moved it meanwhile. */
static bool callback_drop_locked(struct future *self, PyObject *callback, PyObject *pair)
{
    if (self->callback == callback) {
        Py_CLEAR(self->callback);
        Py_CLEAR(self->context);
        return true;
    }
    for (Py_ssize_t i = 0; self->callbacks && i < PyList_GET_SIZE(self->callbacks); i++) {
        if (PyList_GET_ITEM(self->callbacks, i) == pair) {
            if (PyList_GET_SIZE(self->callbacks) == 1) {
                Py_CLEAR(self->callbacks);
                return true;
            }
            return PyList_SetSlice(self->callbacks, i, i + 1, NULL) == 0;
        }
    }
    return false;
}

static PyObject *future_remove_done_callback(struct future *self, PyObject *fn)
{
    if (!is_alive(self)) {
        return NULL;
    }
    /* Comparing may run any code, so we look at a copy. */
    PyObject *all = LOCKED((PyObject *)self, callbacks_list_locked(self));
    if (all == NULL && PyErr_Occurred()) {
        return NULL;
    }
    Py_ssize_t removed = 0, count = all ? PyList_GET_SIZE(all) : 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *pair = PyList_GET_ITEM(all, i), *callback = PyTuple_GET_ITEM(pair, 0);
        int same = PyObject_RichCompareBool(callback, fn, Py_EQ);
        if (same < 0) {
            Py_DECREF(all);
            return NULL;
        }
        removed += same && LOCKED((PyObject *)self, callback_drop_locked(self, callback, pair));
    }
    Py_XDECREF(all);
    return PyErr_Occurred() ? NULL : PyLong_FromSsize_t(removed);
}

/* ---- attributes ----------------------------------------------------------------------------- */

static PyObject *future_get_state(struct future *self)
{
    static const char *const names[] = {"PENDING", "CANCELLED", "FINISHED"};
    return is_alive(self) ? PyUnicode_InternFromString(names[FLAG(self->status)]) : NULL;
}

static int future_get_asyncio_future_blocking(struct future *self)
{
    return self->loop != NULL && FLAG(self->blocking);
}

static int future_set_asyncio_future_blocking(struct future *self, int value)
{
    if (!is_alive(self)) {
        return -1;
    }
    FLAG_SET(self->blocking, value != 0);
    return 0;
}

static PyObject *future_get_loop(struct future *self)
{
    return or_none(FIELD_GET(self, loop));
}

static PyObject *future_get_callbacks(struct future *self)
{
    if (!is_alive(self)) {
        return NULL;
    }
    PyObject *all = LOCKED((PyObject *)self, callbacks_list_locked(self));
    return all == NULL && PyErr_Occurred() ? NULL : or_none(all);
}

static PyObject *future_get_result(struct future *self)
{
    return is_alive(self) ? or_none(FIELD_GET(self, result)) : NULL;
}

static PyObject *future_get_exception(struct future *self)
{
    return is_alive(self) ? or_none(FIELD_GET(self, exception)) : NULL;
}

static PyObject *future_get_log_traceback(struct future *self)
{
    return is_alive(self) ? PyBool_FromLong(FLAG(self->log_traceback)) : NULL;
}

static int future_set_log_traceback(struct future *self, int value)
{
    if (value) {
        PyErr_SetString(PyExc_ValueError, "_log_traceback can only be set to False");
        return -1;
    }
    FLAG_SET(self->log_traceback, false);
    return 0;
}

static PyObject *future_get_source_traceback(struct future *self)
{
    return or_none(FIELD_GET(self, source_traceback));
}

static PyObject *future_get_cancel_message(struct future *self)
{
    return or_none(FIELD_GET(self, cancel_message));
}

static int future_set_cancel_message(struct future *self, PyObject *message)
{
    FIELD_PUT(self, cancel_message, Py_NewRef(message));
    return 0;
}

static PyObject *future_repr(PyObject *op)
{
    struct future *self = (struct future *)op;
    return is_alive(self) ? PyObject_CallOneArg(self->state->future_repr, op) : NULL;
}

/* ---- the end -------------------------------------------------------------------------------- */

void future_report(struct future *self, PyObject *key, PyObject *message, PyObject *exception)
{
    struct asyncio_state *state = self->state;
    PyObject *trace = FIELD_GET(self, source_traceback);
    PyObject *context = message ? PyDict_New() : NULL;
    PyObject *done = NULL;
    if (context != NULL && PyDict_SetItem(context, state->n_message, message) == 0
        && (!exception || PyDict_SetItem(context, state->n_exception, exception) == 0)
        && PyDict_SetItem(context, key, (PyObject *)self) == 0
        && (!trace || PyDict_SetItem(context, state->n_source_traceback, trace) == 0)) {
        done = PyObject_CallMethodOneArg(self->loop, state->n_call_exception_handler, context);
    }
    if (done == NULL) {
        PyErr_WriteUnraisable((PyObject *)self);
    }
    Py_XDECREF(done);
    Py_XDECREF(context);
    Py_XDECREF(trace);
}

void future_finalize(PyObject *op)
{
    struct future *self = (struct future *)op;
    if (!FLAG(self->log_traceback) || self->loop == NULL) {
        return;
    }
    FLAG_SET(self->log_traceback, false);
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *name = PyType_GetName(Py_TYPE(op));
    PyObject *message =
        name ? PyUnicode_FromFormat("%U exception was never retrieved", name) : NULL;
    future_report(self, self->state->n_future, message, self->exception);
    Py_XDECREF(message);
    Py_XDECREF(name);
    PyErr_SetRaisedException(raised);
}

int future_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct future *self = (struct future *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->loop);
    Py_VISIT(self->callback);
    Py_VISIT(self->context);
    Py_VISIT(self->callbacks);
    Py_VISIT(self->result);
    Py_VISIT(self->exception);
    Py_VISIT(self->exception_tb);
    Py_VISIT(self->source_traceback);
    Py_VISIT(self->cancel_message);
    Py_VISIT(self->cancelled_exc);
    Py_VISIT(self->dict);
    return 0;
}

int future_clear(PyObject *op)
{
    struct future *self = (struct future *)op;
    Py_CLEAR(self->loop);
    Py_CLEAR(self->callback);
    Py_CLEAR(self->context);
    Py_CLEAR(self->callbacks);
    Py_CLEAR(self->result);
    Py_CLEAR(self->exception);
    Py_CLEAR(self->exception_tb);
    Py_CLEAR(self->source_traceback);
    Py_CLEAR(self->cancel_message);
    Py_CLEAR(self->cancelled_exc);
    Py_CLEAR(self->dict);
    return 0;
}

static void future_dealloc(PyObject *op)
{
    DEALLOC_FINALIZED(op, future_dealloc, future_clear);
}

static PyMemberDef future_members[] = {
    {"__dictoffset__", Py_T_PYSSIZET, offsetof(struct future, dict), Py_READONLY, NULL},
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(struct future, weaklist), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot future_slots[] = {
    {Py_tp_dealloc, future_dealloc}, {Py_tp_traverse, future_traverse},
    {Py_tp_clear, future_clear},     {Py_tp_finalize, future_finalize},
    {Py_tp_repr, future_repr},       {Py_tp_doc, (void *)future_doc},
    {Py_tp_iter, future_await},      {Py_am_await, future_await},
    {Py_tp_methods, future_methods}, {Py_tp_members, future_members},
    {Py_tp_getset, future_getset},   {Py_tp_init, bind_future_init},
    {Py_tp_new, future_new},         {0, NULL},
};

PyType_Spec future_spec = {
    "_asyncio.Future",
    sizeof(struct future),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    future_slots,
};

/* ---- awaiting ------------------------------------------------------------------------------- */

PyObject *future_await(PyObject *op)
{
    struct future *future = (struct future *)op;
    if (!is_alive(future)) {
        return NULL;
    }
    struct future_iter *self = type_make((PyTypeObject *)future->state->iter_type);
    if (self != NULL) {
        self->future = (struct future *)Py_NewRef(op);
    }
    return (PyObject *)self;
}

static PySendResult iter_step(PyObject *op, PyObject *Py_UNUSED(arg), PyObject **out)
{
    struct future_iter *self = (struct future_iter *)op;
    *out = NULL;
    struct future *future = (struct future *)FIELD_GET(self, future);
    if (future == NULL) {
        *out = Py_NewRef(Py_None);
        return PYGEN_RETURN;
    }
    if (FLAG(future->status) == PENDING) {
        if (!FLAG(future->blocking)) {
            FLAG_SET(future->blocking, true);
            *out = (PyObject *)future;
            return PYGEN_NEXT;
        }
        PyErr_SetString(PyExc_RuntimeError, "await wasn't used with future");
        Py_DECREF(future);
        return PYGEN_ERROR;
    }
    struct future *taken = (struct future *)LOCKED(op, __extension__({
                                                       PyObject *old = (PyObject *)self->future;
                                                       self->future = NULL;
                                                       old;
                                                   }));
    *out = future_result(future);
    Py_XDECREF(taken);
    Py_DECREF(future);
    return *out ? PYGEN_RETURN : PYGEN_ERROR;
}

/* The yielded object, or NULL with StopIteration if there is a value to return. */
static PyObject *iter_next_or_stop(PyObject *op)
{
    PyObject *out;
    PySendResult rc = iter_step(op, Py_None, &out);
    if (rc == PYGEN_RETURN && out != Py_None) {
        PyObject *stop = PyObject_CallOneArg(PyExc_StopIteration, out);
        if (stop != NULL) {
            PyErr_SetObject(PyExc_StopIteration, stop);
            Py_DECREF(stop);
        }
    }
    if (rc == PYGEN_RETURN) {
        Py_CLEAR(out);
    }
    return out;
}

static PyObject *iter_send(struct future_iter *self, PyObject *Py_UNUSED(value))
{
    PyObject *out = iter_next_or_stop((PyObject *)self);
    if (out == NULL && !PyErr_Occurred()) {
        PyErr_SetNone(PyExc_StopIteration);
    }
    return out;
}

static int iter_close(struct future_iter *self)
{
    PyObject *future = LOCKED((PyObject *)self, __extension__({
                                  PyObject *old = (PyObject *)self->future;
                                  self->future = NULL;
                                  old;
                              }));
    Py_XDECREF(future);
    return 0;
}

static PyObject *iter_throw(struct future_iter *self, PyObject *type, PyObject *value,
                            PyObject *traceback)
{
    if ((value != Py_None || traceback != Py_None)
        && PyErr_WarnEx(PyExc_DeprecationWarning,
                        "the (type, exc, tb) signature of throw() is deprecated, use the "
                        "single-arg signature instead.",
                        1)
               < 0) {
        return NULL;
    }
    if (traceback != Py_None && !PyTraceBack_Check(traceback)) {
        PyErr_SetString(PyExc_TypeError, "throw() third argument must be a traceback");
        return NULL;
    }
    PyObject *error;
    if (PyExceptionClass_Check(type)) {
        if (value != Py_None && PyObject_TypeCheck(value, (PyTypeObject *)type)) {
            error = Py_NewRef(value);
        } else {
            error = value == Py_None       ? PyObject_CallNoArgs(type)
                    : PyTuple_Check(value) ? PyObject_Call(type, value, NULL)
                                           : PyObject_CallOneArg(type, value);
        }
    } else if (PyExceptionInstance_Check(type)) {
        if (value != Py_None) {
            PyErr_SetString(PyExc_TypeError, "instance exception may not have a separate value");
            return NULL;
        }
        error = Py_NewRef(type);
    } else {
        PyErr_SetString(PyExc_TypeError, "exceptions must be classes deriving BaseException or "
                                         "instances of such a class");
        return NULL;
    }
    iter_close(self);
    if (error != NULL && traceback != Py_None) {
        PyException_SetTraceback(error, traceback);
    }
    return raise_instance(error);
}

GC_OBJECT(future_iter, future)

static PyType_Slot iter_slots[] = {
    GC_SLOTS(future_iter),   {Py_tp_iter, PyObject_SelfIter}, {Py_tp_iternext, iter_next_or_stop},
    {Py_am_send, iter_step}, {Py_tp_methods, iter_methods},   {0, NULL},
};

PyType_Spec iter_spec = {
    "_asyncio.FutureIter",
    sizeof(struct future_iter),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE
        | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    iter_slots,
};
