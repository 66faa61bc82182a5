/* The module _asyncio: which loop and which task run, and the module itself.
 *
 *     future.c  futures and awaiting them      task.c  tasks and their steps */
#include "asyncio.h"

#include "asyncio.bind.h"

/* ---- loops ---------------------------------------------------------------------------------- */

PyObject *running_loop(struct asyncio_state *state)
{
    PyObject *thread = PyThreadState_GetDict(), *loop = NULL;
    if (thread == NULL || PyDict_GetItemRef(thread, state->n_running_loop, &loop) <= 0) {
        return NULL;
    }
    if (loop == Py_None) {
        Py_CLEAR(loop);
    }
    return loop;
}

PyObject *event_loop(struct asyncio_state *state)
{
    PyObject *loop = running_loop(state);
    if (loop != NULL || PyErr_Occurred()) {
        return loop;
    }
    PyObject *policy = PyObject_CallNoArgs(state->get_policy);
    if (policy == NULL) {
        return NULL;
    }
    loop = PyObject_CallMethodNoArgs(policy, state->n_get_event_loop);
    Py_DECREF(policy);
    return loop;
}

static PyObject *asyncio_peek_running_loop(PyObject *module)
{
    PyObject *loop = running_loop(state_of(module));
    return loop == NULL && PyErr_Occurred() ? NULL : or_none(loop);
}

static PyObject *must_run(struct asyncio_state *state)
{
    PyObject *loop = running_loop(state);
    if (loop == NULL && !PyErr_Occurred()) {
        PyErr_SetString(PyExc_RuntimeError, "no running event loop");
    }
    return loop;
}

static PyObject *asyncio_get_running_loop(PyObject *module)
{
    return must_run(state_of(module));
}

static int asyncio_set_running_loop(PyObject *module, PyObject *loop)
{
    PyObject *thread = PyThreadState_GetDict();
    if (thread == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "thread-local storage is not available");
        return -1;
    }
    return PyDict_SetItem(thread, state_of(module)->n_running_loop, loop);
}

static PyObject *asyncio_get_event_loop(PyObject *module)
{
    return event_loop(state_of(module));
}

int call_soon(struct asyncio_state *state, PyObject *loop, PyObject *callback, PyObject *arg,
              PyObject *context)
{
    PyObject *args[4] = {loop, callback};
    size_t count = 2;
    if (arg != NULL) {
        args[count++] = arg;
    }
    args[count] = context;
    PyObject *handle =
        PyObject_VectorcallMethod(state->n_call_soon, args, count | PY_VECTORCALL_ARGUMENTS_OFFSET,
                                  context ? state->kw_context : NULL);
    Py_XDECREF(handle);
    return handle ? 0 : -1;
}

/* ---- the running task ----------------------------------------------------------------------- */

int enter_task(struct asyncio_state *state, PyObject *loop, PyObject *task)
{
    PyObject *current;
    int rc = PyDict_SetDefaultRef(state->current_tasks, loop, task, &current);
    if (rc > 0) {
        PyErr_Format(PyExc_RuntimeError,
                     "Cannot enter into task %R while another task %R is being executed.", task,
                     current);
        rc = -1;
    }
    Py_XDECREF(current);
    return rc;
}

int leave_task(struct asyncio_state *state, PyObject *loop, PyObject *task)
{
    PyObject *current;
    if (PyDict_Pop(state->current_tasks, loop, &current) < 0) {
        return -1;
    }
    int rc = 0;
    if (current != task) {
        if (current == NULL || PyDict_SetItem(state->current_tasks, loop, current) == 0) {
            PyErr_Format(PyExc_RuntimeError, "Leaving task %R does not match the current task %R.",
                         task, current ? current : Py_None);
        }
        rc = -1;
    }
    Py_XDECREF(current);
    return rc;
}

PyObject *swap_current(struct asyncio_state *state, PyObject *loop, PyObject *task)
{
    PyObject *before;
    if (task == Py_None) {
        return PyDict_Pop(state->current_tasks, loop, &before) < 0 ? NULL : or_none(before);
    }
    if (PyDict_GetItemRef(state->current_tasks, loop, &before) < 0) {
        return NULL;
    }
    if (PyDict_SetItem(state->current_tasks, loop, task) < 0) {
        Py_XDECREF(before);
        return NULL;
    }
    return or_none(before);
}

static int asyncio_enter_task(PyObject *module, PyObject *loop, PyObject *task)
{
    return enter_task(state_of(module), loop, task);
}

static int asyncio_leave_task(PyObject *module, PyObject *loop, PyObject *task)
{
    return leave_task(state_of(module), loop, task);
}

static PyObject *asyncio_swap_current_task(PyObject *module, PyObject *loop, PyObject *task)
{
    return swap_current(state_of(module), loop, task);
}

static PyObject *asyncio_current_task(PyObject *module, PyObject *loop)
{
    struct asyncio_state *state = state_of(module);
    loop = loop == Py_None ? must_run(state) : Py_NewRef(loop);
    if (loop == NULL) {
        return NULL;
    }
    PyObject *task;
    int rc = PyDict_GetItemRef(state->current_tasks, loop, &task);
    Py_DECREF(loop);
    return rc < 0 ? NULL : or_none(task);
}

/* ---- all tasks ------------------------------------------------------------------------------ */

static int scheduled_call(struct asyncio_state *state, PyObject *method, PyObject *task)
{
    PyObject *done = PyObject_CallMethodOneArg(state->scheduled_tasks, method, task);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

int register_task(struct asyncio_state *state, PyObject *task)
{
    return scheduled_call(state, state->n_add, task);
}

static int asyncio_register_task(PyObject *module, PyObject *task)
{
    return register_task(state_of(module), task);
}

static int asyncio_unregister_task(PyObject *module, PyObject *task)
{
    struct asyncio_state *state = state_of(module);
    return scheduled_call(state, state->n_discard, task);
}

static int asyncio_register_eager_task(PyObject *module, PyObject *task)
{
    return PySet_Add(state_of(module)->eager_tasks, task);
}

static int asyncio_unregister_eager_task(PyObject *module, PyObject *task)
{
    return PySet_Discard(state_of(module)->eager_tasks, task) < 0 ? -1 : 0;
}

/* ---- the module ----------------------------------------------------------------------------- */

static int names_make(struct asyncio_state *state)
{
    const struct {
        PyObject **name;
        const char *text;
    } names[] = {
        {&state->n_add, "add"},
        {&state->n_add_done_callback, "add_done_callback"},
        {&state->n_blocking, "_asyncio_future_blocking"},
        {&state->n_call_exception_handler, "call_exception_handler"},
        {&state->n_call_soon, "call_soon"},
        {&state->n_cancel, "cancel"},
        {&state->n_discard, "discard"},
        {&state->n_exception, "exception"},
        {&state->n_future, "future"},
        {&state->n_get_debug, "get_debug"},
        {&state->n_get_event_loop, "get_event_loop"},
        {&state->n_get_loop, "get_loop"},
        {&state->n_is_running, "is_running"},
        {&state->n_loop, "_loop"},
        {&state->n_message, "message"},
        {&state->n_result, "result"},
        {&state->n_running_loop, "_asyncio.running_loop"},
        {&state->n_source_traceback, "source_traceback"},
        {&state->n_task, "task"},
        {&state->n_throw, "throw"},
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(names); i++) {
        *names[i].name = PyUnicode_InternFromString(names[i].text);
        if (*names[i].name == NULL) {
            return -1;
        }
    }
    state->kw_context = Py_BuildValue("(s)", "context");
    state->kw_msg = Py_BuildValue("(s)", "msg");
    return state->kw_context && state->kw_msg ? 0 : -1;
}

static int types_make(PyObject *module, struct asyncio_state *state)
{
    state->iter_type = (PyObject *)module_type(module, &iter_spec, false);
    state->step_type = (PyObject *)module_type(module, &step_spec, false);
    state->future_type = (PyObject *)module_type(module, &future_spec, true);
    if (!state->iter_type || !state->step_type || !state->future_type) {
        return -1;
    }
    state->task_type = PyType_FromModuleAndSpec(module, &task_spec, state->future_type);
    return state->task_type ? PyModule_AddType(module, (PyTypeObject *)state->task_type) : -1;
}

static int registries_make(PyObject *module, struct asyncio_state *state)
{
    PyObject *weakset = _PyImport_GetModuleAttrString("weakref", "WeakSet");
    state->scheduled_tasks = weakset ? PyObject_CallNoArgs(weakset) : NULL;
    Py_XDECREF(weakset);
    state->eager_tasks = PySet_New(NULL);
    state->current_tasks = PyDict_New();
    return state->scheduled_tasks && state->eager_tasks && state->current_tasks
                   && PyModule_AddObjectRef(module, "_scheduled_tasks", state->scheduled_tasks) == 0
                   && PyModule_AddObjectRef(module, "_eager_tasks", state->eager_tasks) == 0
                   && PyModule_AddObjectRef(module, "_current_tasks", state->current_tasks) == 0
               ? 0
               : -1;
}

/* What is better written in Python.  The package imports us in turn, so this comes last. */
static int helpers_import(struct asyncio_state *state)
{
    const struct {
        PyObject **object;
        const char *module, *name;
    } helpers[] = {
        {&state->cancelled_error, "asyncio.exceptions", "CancelledError"},
        {&state->invalid_state_error, "asyncio.exceptions", "InvalidStateError"},
        {&state->get_policy, "asyncio.events", "get_event_loop_policy"},
        {&state->future_repr, "asyncio.base_futures", "_future_repr"},
        {&state->task_repr, "asyncio.base_tasks", "_task_repr"},
        {&state->task_get_stack, "asyncio.base_tasks", "_task_get_stack"},
        {&state->task_print_stack, "asyncio.base_tasks", "_task_print_stack"},
        {&state->iscoroutine, "asyncio.coroutines", "iscoroutine"},
        {&state->extract_stack, "traceback", "extract_stack"},
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(helpers); i++) {
        *helpers[i].object = _PyImport_GetModuleAttrString(helpers[i].module, helpers[i].name);
        if (*helpers[i].object == NULL) {
            return -1;
        }
    }
    return 0;
}

static int asyncio_exec(PyObject *module)
{
    struct asyncio_state *state = state_of(module);
    return names_make(state) < 0 || types_make(module, state) < 0
                   || registries_make(module, state) < 0 || helpers_import(state) < 0
               ? -1
               : 0;
}

enum { STATE_REFERENCES = offsetof(struct asyncio_state, task_count) / sizeof(PyObject *) };

static int asyncio_module_traverse(PyObject *module, visitproc visit, void *arg)
{
    PyObject **item = PyModule_GetState(module);
    for (size_t i = 0; i < STATE_REFERENCES; i++) {
        Py_VISIT(item[i]);
    }
    return 0;
}

static int asyncio_module_clear(PyObject *module)
{
    PyObject **item = PyModule_GetState(module);
    for (size_t i = 0; i < STATE_REFERENCES; i++) {
        Py_CLEAR(item[i]);
    }
    return 0;
}

static void asyncio_module_free(void *module)
{
    asyncio_module_clear(module);
}

static PyModuleDef_Slot asyncio_slots[] = MODULE_SLOTS(asyncio_exec);

PyModuleDef asyncio_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_asyncio",
    .m_doc = asyncio_doc,
    .m_methods = asyncio_methods,
    .m_slots = asyncio_slots,
    .m_size = sizeof(struct asyncio_state),
    .m_traverse = asyncio_module_traverse,
    .m_clear = asyncio_module_clear,
    .m_free = asyncio_module_free,
};

MODULE_INIT(_asyncio, asyncio_module)
