/* Tasks: coroutines that run step by step. */
#include "asyncio.h"

#include "task.bind.h"

/* A step that the event loop is to call, with an exception to throw or NULL. */
struct step {
    PyObject_HEAD
    struct task *task;
    PyObject *exception;
};

static PyObject *task_wakeup(PyObject *op, PyObject *future);

static PyMethodDef wakeup_def = {"task_wakeup", task_wakeup, METH_O, NULL};

/* ---- steps to come -------------------------------------------------------------------------- */

/* Has the loop run the next step, with an exception (stolen) if not NULL. */
static int step_soon(struct task *self, PyObject *exception)
{
    struct asyncio_state *state = self->base.state;
    struct step *step = type_make((PyTypeObject *)state->step_type);
    if (step == NULL) {
        Py_XDECREF(exception);
        return -1;
    }
    step->task = (struct task *)Py_NewRef(self);
    step->exception = exception;
    int rc = call_soon(state, self->base.loop, (PyObject *)step, NULL, self->run_context);
    Py_DECREF(step);
    return rc;
}

/* The same with RuntimeError; `text` (stolen) may be NULL with an exception. */
static int step_soon_failing(struct task *self, PyObject *text)
{
    PyObject *error = text ? PyObject_CallOneArg(PyExc_RuntimeError, text) : NULL;
    Py_XDECREF(text);
    return error ? step_soon(self, error) : -1;
}

/* ---- cancelling ----------------------------------------------------------------------------- */

static int task_cancel(struct task *self, PyObject *message);

/* future.cancel(msg=message): 1, 0, or -1 with an exception. */
static int cancel_any(struct asyncio_state *state, PyObject *future, PyObject *message)
{
    if (is_plain_task(state, future)) {
        return task_cancel((struct task *)future, message);
    }
    if (is_plain_future(state, future)) {
        return future_do_cancel((struct future *)future, message);
    }
    PyObject *args[] = {future, message};
    PyObject *answer = PyObject_VectorcallMethod(state->n_cancel, args,
                                                 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, state->kw_msg);
    int rc = answer ? PyObject_IsTrue(answer) : -1;
    Py_XDECREF(answer);
    return rc;
}

static int task_cancel(struct task *self, PyObject *message)
{
    FLAG_SET(self->base.log_traceback, false);
    if (FLAG(self->base.status) != PENDING) {
        return 0;
    }
    __atomic_add_fetch(&self->cancels, 1, __ATOMIC_RELAXED);
    PyObject *waiter = FIELD_GET(self, waiter);
    if (waiter != NULL) {
        /* It stays our waiter: it may be a task that goes on in spite of this. */
        if (Py_EnterRecursiveCall(" while cancelling a task")) {
            Py_DECREF(waiter);
            return -1;
        }
        int rc = cancel_any(self->base.state, waiter, message);
        Py_LeaveRecursiveCall();
        Py_DECREF(waiter);
        if (rc != 0) {
            return rc;
        }
    }
    FIELD_PUT(self, base.cancel_message, Py_NewRef(message));
    FLAG_SET(self->must_cancel, true);
    return 1;
}

static int task_cancelling(struct task *self)
{
    return FLAG(self->cancels);
}

static int task_uncancel_locked(struct task *self)
{
    if (self->cancels > 0) {
        FLAG_SET(self->cancels, self->cancels - 1);
        if (self->cancels == 0) {
            FLAG_SET(self->must_cancel, false);
        }
    }
    return self->cancels;
}

static int task_uncancel(struct task *self)
{
    return LOCKED((PyObject *)self, task_uncancel_locked(self));
}

/* ---- what a step yields --------------------------------------------------------------------- */

/* Makes `future` what the task waits for, once its callback is there. */
static int wait_for(struct task *self, PyObject *future)
{
    FIELD_PUT(self, waiter, Py_NewRef(future));
    if (!FLAG(self->must_cancel)) {
        return 0;
    }
    PyObject *message = or_none(FIELD_GET(self, base.cancel_message));
    int cancelled = cancel_any(self->base.state, future, message);
    Py_DECREF(message);
    if (cancelled > 0) {
        FLAG_SET(self->must_cancel, false);
    }
    return cancelled < 0 ? -1 : 0;
}

static int yielded_wrongly(struct task *self, PyObject *future)
{
    return step_soon_failing(self, PyUnicode_FromFormat("yield was used instead of yield from in "
                                                        "task %R with %R",
                                                        self, future));
}

static int yielded_of_another_loop(struct task *self, PyObject *future)
{
    return step_soon_failing(self, PyUnicode_FromFormat("Task %R got Future %R attached to a "
                                                        "different loop",
                                                        self, future));
}

static int yielded_itself(struct task *self)
{
    return step_soon_failing(self, PyUnicode_FromFormat("Task cannot await on itself: %R", self));
}

static int yielded_plain_future(struct task *self, struct future *future)
{
    if (future->loop != self->base.loop) {
        return yielded_of_another_loop(self, (PyObject *)future);
    }
    if (!FLAG(future->blocking)) {
        return yielded_wrongly(self, (PyObject *)future);
    }
    FLAG_SET(future->blocking, false);
    PyObject *wakeup = PyCFunction_New(&wakeup_def, (PyObject *)self);
    int rc = wakeup ? future_add_callback(future, wakeup, self->run_context) : -1;
    Py_XDECREF(wakeup);
    return rc < 0 ? -1 : wait_for(self, (PyObject *)future);
}

/* The loop of anything like a future (new reference). */
static PyObject *loop_of(struct asyncio_state *state, PyObject *future)
{
    PyObject *method;
    int rc = PyObject_GetOptionalAttr(future, state->n_get_loop, &method);
    if (rc <= 0) {
        return rc < 0 ? NULL : PyObject_GetAttr(future, state->n_loop);
    }
    PyObject *loop = PyObject_CallNoArgs(method);
    Py_DECREF(method);
    return loop;
}

static int add_wakeup(struct task *self, PyObject *future)
{
    struct asyncio_state *state = self->base.state;
    PyObject *wakeup = PyCFunction_New(&wakeup_def, (PyObject *)self);
    if (wakeup == NULL) {
        return -1;
    }
    PyObject *args[] = {future, wakeup, self->run_context};
    PyObject *done = PyObject_VectorcallMethod(
        state->n_add_done_callback, args, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, state->kw_context);
    Py_DECREF(wakeup);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

/* Something that has the flag `blocking` of futures. */
static int yielded_like_future(struct task *self, PyObject *future, PyObject *blocking)
{
    struct asyncio_state *state = self->base.state;
    PyObject *loop = loop_of(state, future);
    if (loop == NULL) {
        return -1;
    }
    bool same = loop == self->base.loop;
    Py_DECREF(loop);
    if (!same) {
        return yielded_of_another_loop(self, future);
    }
    int waits = PyObject_IsTrue(blocking);
    if (waits <= 0) {
        return waits < 0 ? -1 : yielded_wrongly(self, future);
    }
    if (future == (PyObject *)self) {
        return yielded_itself(self);
    }
    if (PyObject_SetAttr(future, state->n_blocking, Py_False) < 0 || add_wakeup(self, future) < 0) {
        return -1;
    }
    return wait_for(self, future);
}

static int handle_yield(struct task *self, PyObject *value)
{
    struct asyncio_state *state = self->base.state;
    if (value == (PyObject *)self) {
        return yielded_itself(self);
    }
    if (is_plain_future(state, value)) {
        return yielded_plain_future(self, (struct future *)value);
    }
    if (value == Py_None) {
        return step_soon(self, NULL); /* a turn for the others */
    }
    PyObject *blocking;
    if (PyObject_GetOptionalAttr(value, state->n_blocking, &blocking) < 0) {
        return -1;
    }
    if (blocking != NULL && blocking != Py_None) {
        int rc = yielded_like_future(self, value, blocking);
        Py_DECREF(blocking);
        return rc;
    }
    Py_XDECREF(blocking);
    PyObject *text = PyGen_CheckExact(value)
                         ? PyUnicode_FromFormat("yield was used instead of yield from for "
                                                "generator in task %R with %R",
                                                self, value)
                         : PyUnicode_FromFormat("Task got bad yield: %R", value);
    return step_soon_failing(self, text);
}

/* ---- a step --------------------------------------------------------------------------------- */

/* Resumes the coroutine, with an exception to be thrown if not NULL. */
static PySendResult coro_resume(struct asyncio_state *state, PyObject *coro, PyObject *exception,
                                PyObject **out)
{
    if (exception == NULL) {
        return PyIter_Send(coro, Py_None, out);
    }
    *out = PyObject_CallMethodOneArg(coro, state->n_throw, exception);
    if (*out != NULL) {
        return PYGEN_NEXT;
    }
    if (!PyErr_ExceptionMatches(PyExc_StopIteration)) {
        return PYGEN_ERROR;
    }
    PyObject *stop = PyErr_GetRaisedException();
    *out = or_none(Py_XNewRef(((PyStopIterationObject *)stop)->value));
    Py_DECREF(stop);
    return PYGEN_RETURN;
}

static int finish_with_result(struct task *self, PyObject *value)
{
    if (FLAG(self->must_cancel)) { /* cancelled right before the end */
        FLAG_SET(self->must_cancel, false);
        PyObject *message = FIELD_GET(self, base.cancel_message);
        int rc = future_do_cancel(&self->base, message);
        Py_XDECREF(message);
        return Py_MIN(rc, 0);
    }
    return Py_MIN(future_do_result(&self->base, value), 0);
}

/* Takes the raised exception as the task's; it goes on only if it has to end the loop. */
static int finish_with_error(struct task *self)
{
    struct asyncio_state *state = self->base.state;
    if (PyErr_ExceptionMatches(state->cancelled_error)) {
        FIELD_PUT(self, base.cancelled_exc, PyErr_GetRaisedException());
        return Py_MIN(future_do_cancel(&self->base, NULL), 0);
    }
    PyObject *error = PyErr_GetRaisedException();
    if (error == NULL) { /* a coroutine that breaks the protocol */
        PyErr_SetString(PyExc_SystemError, "coroutine failed without an exception");
        error = PyErr_GetRaisedException();
    }
    if (future_do_exception(&self->base, error) < 0) {
        Py_DECREF(error);
        return -1;
    }
    if (PyErr_GivenExceptionMatches(error, PyExc_KeyboardInterrupt)
        || PyErr_GivenExceptionMatches(error, PyExc_SystemExit)) {
        PyErr_SetRaisedException(error);
        return -1;
    }
    Py_DECREF(error);
    return 0;
}

/* The exception to throw into the coroutine if the task is to be cancelled (new reference or NULL);
 * false on error. */
static bool exception_for(struct task *self, PyObject *given, PyObject **out)
{
    *out = Py_XNewRef(given);
    if (!FLAG(self->must_cancel)) {
        return true;
    }
    FLAG_SET(self->must_cancel, false);
    if (given != NULL && PyErr_GivenExceptionMatches(given, self->base.state->cancelled_error)) {
        return true;
    }
    Py_XSETREF(*out, future_cancelled_error(&self->base));
    return *out != NULL;
}

static int step_run(struct task *self, PyObject *given)
{
    struct asyncio_state *state = self->base.state;
    if (FLAG(self->base.status) != PENDING) {
        PyErr_Format(state->invalid_state_error, "__step(): already done: %R %R", self,
                     given ? given : Py_None);
        return -1;
    }
    PyObject *exception;
    if (!exception_for(self, given, &exception)) {
        return -1;
    }
    FIELD_PUT(self, waiter, NULL);
    PyObject *coro = FIELD_GET(self, coro);
    if (coro == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "uninitialized Task object");
        Py_XDECREF(exception);
        return -1;
    }
    PyObject *out;
    PySendResult sent = coro_resume(state, coro, exception, &out);
    Py_XDECREF(exception);
    Py_DECREF(coro);
    if (sent == PYGEN_ERROR) {
        return finish_with_error(self);
    }
    int rc = sent == PYGEN_RETURN ? finish_with_result(self, out) : handle_yield(self, out);
    Py_DECREF(out);
    return rc;
}

/* Ends being the current task, after an exception too. */
static int step_leave(struct task *self, int rc)
{
    struct asyncio_state *state = self->base.state;
    if (rc == 0) {
        return leave_task(state, self->base.loop, (PyObject *)self);
    }
    PyObject *raised = PyErr_GetRaisedException();
    if (leave_task(state, self->base.loop, (PyObject *)self) < 0) {
        PyObject *second = PyErr_GetRaisedException();
        PyException_SetContext(second, raised);
        raised = second;
    }
    PyErr_SetRaisedException(raised);
    return rc;
}

static int task_step(struct task *self, PyObject *exception)
{
    if (enter_task(self->base.state, self->base.loop, (PyObject *)self) < 0) {
        return -1;
    }
    return step_leave(self, step_run(self, exception));
}

/* What a future that the task waited for calls. */
static PyObject *task_wakeup(PyObject *op, PyObject *future)
{
    struct task *self = (struct task *)op;
    struct asyncio_state *state = self->base.state;
    PyObject *out = NULL;
    int rc;
    if (is_plain_future(state, future)) {
        rc = future_outcome((struct future *)future, &out);
    } else {
        out = PyObject_CallMethodNoArgs(future, state->n_result);
        rc = out ? 1 : -1;
    }
    if (rc < 0) {
        out = PyErr_GetRaisedException();
    }
    rc = task_step(self, rc > 0 ? NULL : out);
    Py_XDECREF(out);
    return rc < 0 ? NULL : Py_NewRef(Py_None);
}

/* ---- the object for a step ------------------------------------------------------------------ */

static PyObject *step_call(PyObject *op, PyObject *args, PyObject *kwargs)
{
    struct step *self = (struct step *)op;
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) != 0) {
        PyErr_SetString(PyExc_TypeError, "function takes no keyword arguments");
        return NULL;
    }
    if (args != NULL && PyTuple_GET_SIZE(args) != 0) {
        PyErr_SetString(PyExc_TypeError, "function takes no positional arguments");
        return NULL;
    }
    return task_step(self->task, self->exception) < 0 ? NULL : Py_NewRef(Py_None);
}

GC_OBJECT(step, task, exception)

static PyMemberDef step_members[] = {
    {"__self__", Py_T_OBJECT_EX, offsetof(struct step, task), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot step_slots[] = {
    GC_SLOTS(step),
    {Py_tp_call, step_call},
    {Py_tp_members, step_members},
    {0, NULL},
};

PyType_Spec step_spec = {
    "_asyncio.TaskStepMethWrapper",
    sizeof(struct step),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE
        | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    step_slots,
};

/* ---- making --------------------------------------------------------------------------------- */

/* Whether something can be run: 1, 0, or -1 with an exception. */
static int is_coroutine(struct asyncio_state *state, PyObject *op)
{
    if (PyCoro_CheckExact(op)) {
        return 1;
    }
    PyObject *answer = PyObject_CallOneArg(state->iscoroutine, op);
    int rc = answer ? PyObject_IsTrue(answer) : -1;
    Py_XDECREF(answer);
    return rc;
}

static int loop_runs(struct task *self)
{
    PyObject *answer = PyObject_CallMethodNoArgs(self->base.loop, self->base.state->n_is_running);
    int rc = answer ? PyObject_IsTrue(answer) : -1;
    Py_XDECREF(answer);
    return rc;
}

/* The first step in the task's own context. */
static int first_step(struct task *self)
{
    if (PyContext_Enter(self->run_context) < 0) {
        return -1;
    }
    int rc = step_run(self, NULL);
    PyObject *raised = PyErr_GetRaisedException();
    if (PyContext_Exit(self->run_context) < 0) {
        Py_XDECREF(raised);
        return -1;
    }
    PyErr_SetRaisedException(raised);
    return rc;
}

/* Runs the first step at once.  Whoever creates the task stays the current one afterwards. */
static int eager_start(struct task *self)
{
    struct asyncio_state *state = self->base.state;
    PyObject *op = (PyObject *)self;
    PyObject *before = swap_current(state, self->base.loop, op);
    if (before == NULL) {
        return -1;
    }
    int rc = PySet_Add(state->eager_tasks, op);
    if (rc == 0) {
        rc = first_step(self);
        PyObject *raised = PyErr_GetRaisedException();
        if (PySet_Discard(state->eager_tasks, op) < 0) {
            rc = -1;
            Py_XSETREF(raised, PyErr_GetRaisedException());
        }
        PyErr_SetRaisedException(raised);
    }
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *own = swap_current(state, self->base.loop, before);
    if (own == NULL) {
        rc = -1;
        Py_XSETREF(raised, PyErr_GetRaisedException());
    }
    Py_XDECREF(own);
    Py_DECREF(before);
    PyErr_SetRaisedException(raised);
    if (FLAG(self->base.status) != PENDING) {
        FIELD_PUT(self, coro, NULL);
    } else if (rc == 0) {
        rc = register_task(state, op);
    }
    return rc;
}

static int name_read(struct task *self, PyObject *name)
{
    if (name == Py_None) {
        self->number = __atomic_add_fetch(&self->base.state->task_count, 1, __ATOMIC_RELAXED);
        FIELD_PUT(self, name, NULL);
        return 0;
    }
    name = PyUnicode_CheckExact(name) ? Py_NewRef(name) : PyObject_Str(name);
    if (name == NULL) {
        return -1;
    }
    FIELD_PUT(self, name, name);
    return 0;
}

static int task_init(struct task *self, PyObject *coro, PyObject *loop, PyObject *name,
                     PyObject *context, int eager)
{
    struct asyncio_state *state = self->base.state;
    if (future_start(&self->base, loop) < 0) {
        return -1;
    }
    FLAG_SET(self->log_destroy, false);
    int fine = is_coroutine(state, coro);
    if (fine <= 0) {
        if (fine == 0) {
            PyErr_Format(PyExc_TypeError, "a coroutine was expected, got %R", coro);
        }
        return -1;
    }
    context = context == Py_None ? PyContext_CopyCurrent() : Py_NewRef(context);
    if (context == NULL) {
        return -1;
    }
    FIELD_PUT(self, run_context, context);
    FIELD_PUT(self, waiter, NULL);
    FIELD_PUT(self, coro, Py_NewRef(coro));
    FLAG_SET(self->must_cancel, false);
    FLAG_SET(self->cancels, 0);
    if (name_read(self, name) < 0) {
        return -1;
    }
    FLAG_SET(self->log_destroy, true);
    if (eager) {
        int runs = loop_runs(self);
        if (runs != 0) {
            return runs < 0 ? -1 : eager_start(self);
        }
    }
    return step_soon(self, NULL) < 0 ? -1 : register_task(state, (PyObject *)self);
}

/* ---- methods and attributes ----------------------------------------------------------------- */

static PyObject *task_set_result(struct task *Py_UNUSED(self), PyObject *Py_UNUSED(result))
{
    PyErr_SetString(PyExc_RuntimeError, "Task does not support set_result operation");
    return NULL;
}

static PyObject *task_set_exception(struct task *Py_UNUSED(self), PyObject *Py_UNUSED(exception))
{
    PyErr_SetString(PyExc_RuntimeError, "Task does not support set_exception operation");
    return NULL;
}

static PyObject *task_get_name(struct task *self)
{
    PyObject *name = FIELD_GET(self, name);
    if (name == NULL && self->number != 0) {
        name = PyUnicode_FromFormat("Task-%llu", (unsigned long long)self->number);
        if (name == NULL) {
            return NULL;
        }
        FIELD_PUT(self, name, Py_NewRef(name));
    }
    return or_none(name);
}

static int task_set_name(struct task *self, PyObject *value)
{
    PyObject *name = PyUnicode_CheckExact(value) ? Py_NewRef(value) : PyObject_Str(value);
    if (name == NULL) {
        return -1;
    }
    FIELD_PUT(self, name, name);
    return 0;
}

static PyObject *task_coroutine(struct task *self)
{
    return or_none(FIELD_GET(self, coro));
}

static PyObject *task_get_coro(struct task *self)
{
    return or_none(FIELD_GET(self, coro));
}

static PyObject *task_get_context(struct task *self)
{
    return or_none(FIELD_GET(self, run_context));
}

static PyObject *task_get_stack(struct task *self, PyObject *limit)
{
    return PyObject_CallFunctionObjArgs(self->base.state->task_get_stack, self, limit, NULL);
}

static PyObject *task_print_stack(struct task *self, PyObject *limit, PyObject *file)
{
    return PyObject_CallFunctionObjArgs(self->base.state->task_print_stack, self, limit, file,
                                        NULL);
}

static int task_get_log_destroy_pending(struct task *self)
{
    return FLAG(self->log_destroy);
}

static int task_set_log_destroy_pending(struct task *self, int value)
{
    FLAG_SET(self->log_destroy, value != 0);
    return 0;
}

static int task_get_must_cancel(struct task *self)
{
    return FLAG(self->must_cancel);
}

static PyObject *task_get_fut_waiter(struct task *self)
{
    return or_none(FIELD_GET(self, waiter));
}

static PyObject *task_repr(PyObject *op)
{
    return PyObject_CallOneArg(((struct task *)op)->base.state->task_repr, op);
}

/* ---- the type ------------------------------------------------------------------------------- */

static void task_finalize(PyObject *op)
{
    struct task *self = (struct task *)op;
    if (FLAG(self->base.status) == PENDING && FLAG(self->log_destroy) && self->base.loop != NULL) {
        PyObject *raised = PyErr_GetRaisedException();
        PyObject *message = PyUnicode_FromString("Task was destroyed but it is pending!");
        future_report(&self->base, self->base.state->n_task, message, NULL);
        Py_XDECREF(message);
        PyErr_SetRaisedException(raised);
    }
    future_finalize(op);
}

static int task_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct task *self = (struct task *)op;
    Py_VISIT(self->coro);
    Py_VISIT(self->run_context);
    Py_VISIT(self->waiter);
    Py_VISIT(self->name);
    return future_traverse(op, visit, arg);
}

static int task_clear(PyObject *op)
{
    struct task *self = (struct task *)op;
    Py_CLEAR(self->coro);
    Py_CLEAR(self->run_context);
    Py_CLEAR(self->waiter);
    Py_CLEAR(self->name);
    return future_clear(op);
}

static void task_dealloc(PyObject *op)
{
    DEALLOC_FINALIZED(op, task_dealloc, task_clear);
}

static PyType_Slot task_slots[] = {
    {Py_tp_dealloc, task_dealloc},   {Py_tp_traverse, task_traverse}, {Py_tp_clear, task_clear},
    {Py_tp_finalize, task_finalize}, {Py_tp_repr, task_repr},         {Py_tp_doc, (void *)task_doc},
    {Py_tp_iter, future_await},      {Py_am_await, future_await},     {Py_tp_methods, task_methods},
    {Py_tp_getset, task_getset},     {Py_tp_init, bind_task_init},    {0, NULL},
};

PyType_Spec task_spec = {
    "_asyncio.Task",
    sizeof(struct task),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    task_slots,
};
