/* Threads, interpreters, tracing from C. */
#include "parts.h"

#include <pthread.h>
#include <unistd.h>

/* ---- a thread that is not Python's ------------------------------------------------------------------- */

static struct {
    PyObject *callback;
    PyThread_type_lock started, finished;
} temporary;

static void run_callback(void *unused)
{
    PyGILState_STATE state = PyGILState_Ensure();
    PyThread_release_lock(temporary.started);
    PyObject *result = PyObject_CallNoArgs(temporary.callback);
    Py_CLEAR(temporary.callback);
    if (result == NULL) {
        PyErr_Print();
    }
    Py_XDECREF(result);
    PyGILState_Release(state);
    PyThread_release_lock(temporary.finished);
    PyThread_exit_thread();
}

static void join_temporary(void)
{
    Py_BEGIN_ALLOW_THREADS PyThread_acquire_lock(temporary.finished, 1);
    PyThread_release_lock(temporary.finished);
    Py_END_ALLOW_THREADS PyThread_free_lock(temporary.started);
    PyThread_free_lock(temporary.finished);
    temporary.started = temporary.finished = NULL;
}

FUNCTIONN(call_in_temporary_c_thread)
{
    PyObject *callback;
    int wait = 1;
    if (!PyArg_ParseTuple(args, "O|i", &callback, &wait)) {
        return NULL;
    }
    temporary.started = PyThread_allocate_lock();
    temporary.finished = PyThread_allocate_lock();
    if (temporary.started == NULL || temporary.finished == NULL) {
        return PyErr_NoMemory();
    }
    PyThread_acquire_lock(temporary.started, 1);
    PyThread_acquire_lock(temporary.finished, 1);
    temporary.callback = Py_NewRef(callback);
    if (PyThread_start_new_thread(run_callback, NULL) == PYTHREAD_INVALID_THREAD_ID) {
        PyErr_SetString(PyExc_RuntimeError, "unable to start the thread");
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS PyThread_acquire_lock(temporary.started, 1);
    PyThread_release_lock(temporary.started);
    Py_END_ALLOW_THREADS if (wait)
    {
        join_temporary();
    }
    Py_RETURN_NONE;
}

FUNCTION0(join_temporary_c_thread)
{
    join_temporary();
    Py_RETURN_NONE;
}

static void *wait_on_pipe(void *fd)
{
    char byte;
    (void)!read((int)(intptr_t)fd, &byte, 1);
    return NULL;
}

static struct {
    pthread_t thread;
    int pipe[2];
} waiter;

/* A thread that os.fork() should warn of. */
FUNCTION0(_spawn_pthread_waiter)
{
    if (pipe(waiter.pipe) < 0
        || pthread_create(&waiter.thread, NULL, wait_on_pipe, (void *)(intptr_t)waiter.pipe[0])
               != 0) {
        return PyErr_SetFromErrno(PyExc_RuntimeError);
    }
    Py_RETURN_NONE;
}

FUNCTION0(_end_spawned_pthread)
{
    if (waiter.thread != 0) {
        (void)!write(waiter.pipe[1], "x", 1);
        Py_BEGIN_ALLOW_THREADS pthread_join(waiter.thread, NULL);
        Py_END_ALLOW_THREADS close(waiter.pipe[0]);
        close(waiter.pipe[1]);
        waiter.thread = 0;
    }
    Py_RETURN_NONE;
}

FUNCTION0(gilstate_ensure_release)
{
    PyGILState_STATE state = PyGILState_Ensure();
    PyGILState_Release(state);
    Py_RETURN_NONE;
}

static int call_pending(void *callable)
{
    PyObject *result = PyObject_CallNoArgs(callable);
    Py_DECREF((PyObject *)callable);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

static PyObject *_pending_threadfunc(PyObject *Py_UNUSED(module), PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"callback", "num", "blocking", "ensure_added", NULL};
    PyObject *callable;
    unsigned num = 1;
    int blocking = 0, ensure = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|I$pp:_pending_threadfunc", names, &callable,
                                     &num, &blocking, &ensure)) {
        return NULL;
    }
    for (unsigned i = 0; i < num; i++) {
        Py_INCREF(callable);
    }
    PyThreadState *saved = blocking ? NULL : PyEval_SaveThread();
    unsigned added = 0;
    while (added < num) {
        if (Py_AddPendingCall(call_pending, callable) == 0) {
            added++;
        } else if (!ensure) {
            break;
        }
    }
    if (saved != NULL) {
        PyEval_RestoreThread(saved);
    }
    for (unsigned i = added; i < num; i++) {
        Py_DECREF(callable);
    }
    return PyLong_FromUnsignedLong(added);
}

struct thread_test {
    PyObject *callback;
    PyThread_type_lock done;
};

static void thread_test_run(void *arg)
{
    struct thread_test *test = arg;
    PyGILState_STATE outer = PyGILState_Ensure(), inner = PyGILState_Ensure();
    PyObject *result = PyObject_CallNoArgs(test->callback);
    if (result == NULL) {
        PyErr_Print();
    }
    Py_XDECREF(result);
    PyGILState_Release(inner);
    PyGILState_Release(outer);
    PyThread_release_lock(test->done);
}

/* The callback runs three times here and twice in other threads. */
FUNCTION1(_test_thread_state, callback)
{
    if (!PyCallable_Check(callback)) {
        PyErr_Format(PyExc_TypeError, "'%s' object is not callable", Py_TYPE(callback)->tp_name);
        return NULL;
    }
    struct thread_test test = {callback, PyThread_allocate_lock()};
    for (int i = 0; i < 5; i++) {
        PyThread_acquire_lock(test.done, 1);
        if (i % 2 == 0) {
            thread_test_run(&test);
        } else {
            PyThread_start_new_thread(thread_test_run, &test);
        }
        Py_BEGIN_ALLOW_THREADS PyThread_acquire_lock(test.done, 1);
        PyThread_release_lock(test.done);
        Py_END_ALLOW_THREADS
    }
    PyThread_free_lock(test.done);
    Py_RETURN_NONE;
}

FUNCTION0(test_current_tstate_matches)
{
    PyThreadState *here = PyThreadState_Get(), *other = NULL;
    PyThreadState_Swap(NULL);
    PyThreadState *none = PyGILState_GetThisThreadState();
    PyThreadState_Swap(here);
    other = PyGILState_GetThisThreadState();
    return none == here && other == here ? Py_NewRef(Py_None) : failed("thread states differ");
}

FUNCTION0(test_tstate_capi)
{
    PyThreadState *ts = PyThreadState_Get();
    if (PyThreadState_GetUnchecked() != ts || PyThreadState_GetInterpreter(ts) != ts->interp
        || PyInterpreterState_Get() != ts->interp || PyThreadState_GetID(ts) < 1) {
        return failed("the thread's state");
    }
    PyObject *dict = PyThreadState_GetDict();
    if (dict == NULL || !PyDict_Check(dict)) {
        return failed("the thread's dict");
    }
    PyThreadState_EnterTracing(ts);
    PyThreadState_LeaveTracing(ts);
    PyFrameObject *frame = PyThreadState_GetFrame(ts);
    int is_frame = frame != NULL && PyFrame_Check(frame);
    Py_XDECREF(frame);
    return is_frame ? Py_NewRef(Py_None) : failed("the thread's frame");
}

FUNCTION0(test_pythread_tss_key_state)
{
    Py_tss_t key = Py_tss_NEEDS_INIT;
    int value;
    if (PyThread_tss_is_created(&key) || PyThread_tss_create(&key) != 0
        || !PyThread_tss_is_created(&key) || PyThread_tss_create(&key) != 0
        || PyThread_tss_get(&key) != NULL || PyThread_tss_set(&key, &value) != 0
        || PyThread_tss_get(&key) != &value) {
        return failed("a key");
    }
    PyThread_tss_delete(&key);
    if (PyThread_tss_is_created(&key)) {
        return failed("a deleted key");
    }
    Py_tss_t *made = PyThread_tss_alloc();
    if (made == NULL || PyThread_tss_is_created(made)) {
        return failed("a key that was made");
    }
    PyThread_tss_free(made);
    Py_RETURN_NONE;
}

/* Where about the C stack is. */
FUNCTION0(stack_pointer)
{
    return PyLong_FromVoidPtr(__builtin_frame_address(0));
}

/* ---- tracing ------------------------------------------------------------------------------------------------ */

static int record_event(PyObject *list, PyFrameObject *frame, int what, PyObject *arg)
{
    PyObject *event =
        Py_BuildValue("(iiO)", what, PyFrame_GetLineNumber(frame), arg == NULL ? Py_None : arg);
    int result = event == NULL ? -1 : PyList_Append(list, event);
    Py_XDECREF(event);
    return result;
}

/* The first event raises; the list notes that it did. */
static int raise_event(PyObject *list, PyFrameObject *Py_UNUSED(frame), int Py_UNUSED(what),
                       PyObject *Py_UNUSED(arg))
{
    if (PyList_GET_SIZE(list) > 0) {
        return 0;
    }
    if (PyList_Append(list, Py_None) == 0) {
        PyErr_SetNone(PyExc_Exception);
    }
    return -1;
}

FUNCTION1(settrace_to_record, list)
{
    if (!PyList_Check(list)) {
        PyErr_SetString(PyExc_TypeError, "expected a list");
        return NULL;
    }
    PyEval_SetTrace(record_event, list);
    Py_RETURN_NONE;
}

FUNCTION1(settrace_to_error, list)
{
    if (!PyList_Check(list)) {
        PyErr_SetString(PyExc_TypeError, "expected a list");
        return NULL;
    }
    PyEval_SetTrace(raise_event, list);
    Py_RETURN_NONE;
}

/* ---- subinterpreters ----------------------------------------------------------------------------------------- */

#ifdef HAVE_SUBINTERPRETERS
FUNCTIONN(run_in_subinterp)
{
    const char *source;
    if (!PyArg_ParseTuple(args, "s:run_in_subinterp", &source)) {
        return NULL;
    }
    PyThreadState *here = PyThreadState_Get();
    PyThreadState_Swap(NULL);
    PyThreadState *inside = Py_NewInterpreter();
    if (inside == NULL) {
        PyThreadState_Swap(here);
        PyErr_SetString(PyExc_RuntimeError, "sub-interpreter creation failed");
        return NULL;
    }
    int result = PyRun_SimpleString(source);
    Py_EndInterpreter(inside);
    PyThreadState_Swap(here);
    return PyLong_FromLong(result);
}
#endif

static PyMethodDef methods[] = {
    VARARGS(call_in_temporary_c_thread),
    NOARGS(join_temporary_c_thread),
    NOARGS(_spawn_pthread_waiter),
    NOARGS(_end_spawned_pthread),
    NOARGS(gilstate_ensure_release),
    KEYWORDS(_pending_threadfunc),
    ONE(_test_thread_state),
    NOARGS(test_current_tstate_matches),
    NOARGS(test_tstate_capi),
    NOARGS(test_pythread_tss_key_state),
    NOARGS(stack_pointer),
    ONE(settrace_to_record),
    ONE(settrace_to_error),
#ifdef HAVE_SUBINTERPRETERS
    VARARGS(run_in_subinterp),
#endif
    {NULL},
};

int add_threads(PyObject *module)
{
    return PyModule_AddFunctions(module, methods);
}
