/* PyThreadState_*, PyEval_SaveThread and its kin, PyGILState_*: the C API over thread.c. */
#include "locking/internal.h"

static struct thread *self_or_die(const char *caller)
{
    struct thread *self = thread_self();
    if (unlikely(!self)) {
        lock_fatal(caller, "the function must be called with the GIL held, after Python "
                           "initialization and before Python finalization, but the GIL is released "
                           "(the current Python thread state is NULL)");
    }
    return self;
}

/* -- PyThreadState ------------------------------------------------------------------------------- */

PyThreadState *PyThreadState_Get(void)
{
    return &self_or_die("PyThreadState_Get")->ts;
}

PyThreadState *PyThreadState_GetUnchecked(void)
{
    return (PyThreadState *)thread_self();
}

PyThreadState *PyThreadState_New(PyInterpreterState *interp)
{
    struct thread *t = thread_new(interp_of(interp));
    if (t) {
        thread_bind(t);
    }
    return (PyThreadState *)t;
}

void PyThreadState_Clear(PyThreadState *ts)
{
    thread_clear(thread_of(ts));
}

void PyThreadState_Delete(PyThreadState *ts)
{
    thread_delete(thread_of(ts));
}

void PyThreadState_DeleteCurrent(void)
{
    self_or_die("PyThreadState_DeleteCurrent");
    thread_delete_current();
}

PyThreadState *PyThreadState_Swap(PyThreadState *ts)
{
    struct thread *old = thread_self();
    if (old == thread_of(ts)) {
        return ts;
    }
    if (old) {
        thread_detach();
    }
    if (ts) {
        thread_attach(thread_of(ts));
    }
    return (PyThreadState *)old;
}

PyInterpreterState *PyThreadState_GetInterpreter(PyThreadState *ts)
{
    return ts->interp;
}

uint64_t PyThreadState_GetID(PyThreadState *ts)
{
    return ts->id;
}

PyAPI_FUNC(PyObject *) _PyThreadState_GetDict(PyThreadState *ts);

PyObject *PyThreadState_GetDict(void)
{
    struct thread *self = thread_self();
    return self ? _PyThreadState_GetDict(&self->ts) : NULL;
}

PyObject *_PyThreadState_GetDict(PyThreadState *ts)
{
    if (!ts->dict && !(ts->dict = PyDict_New())) {
        PyErr_Clear();
    }
    return ts->dict;
}

#if LOCK_SHARED
/* For headers of compilers that cannot read the thread register: something of this thread's alone. */
uintptr_t _Py_GetThreadLocal_Addr(void)
{
    return prim_thread_id();
}
#endif

int PyThreadState_SetAsyncExc(unsigned long id, PyObject *exc)
{
    struct thread *self = self_or_die("PyThreadState_SetAsyncExc");
    PyObject *old = NULL;
    int found = 0;
    prim_lock_acquire(&runtime.lock);
    for (struct thread *t = thread_interp(self)->threads; t; t = thread_of(t->ts.next)) {
        if (atomic_load_relaxed(&t->ts.thread_id) == id) {
            old = atomic_swap_seq(&t->ts.async_exc, ref_xnew(exc));
            interrupt_request(t, BREAK_ASYNC);
            found = 1;
            break;
        }
    }
    prim_lock_release(&runtime.lock);
    ref_xdec(old);
    return found;
}

PyAPI_FUNC(void) _PyThreadState_Init(PyThreadState *ts);
PyAPI_FUNC(PyThreadState *) _PyThreadState_Prealloc(PyInterpreterState *interp);
PyAPI_FUNC(PyThreadState *) _PyThreadState_GetCurrent(void);
PyAPI_FUNC(PyThreadState *) _PyThreadState_New(PyInterpreterState *interp, int whence);
PyAPI_FUNC(PyThreadState *) _PyThreadState_NewBound(PyInterpreterState *interp, int whence);

void _PyThreadState_Init(PyThreadState *ts)
{
    (void)ts;
    lock_fatal("_PyThreadState_Init", "_PyThreadState_Init() is for internal use only");
}

PyThreadState *_PyThreadState_Prealloc(PyInterpreterState *interp)
{
    return (PyThreadState *)thread_new(interp_of(interp));
}

PyThreadState *_PyThreadState_GetCurrent(void)
{
    return PyThreadState_GetUnchecked();
}

PyThreadState *_PyThreadState_New(PyInterpreterState *interp, int whence)
{
    PyThreadState *ts = (PyThreadState *)thread_new(interp_of(interp));
    if (ts) {
        ts->_whence = whence;
    }
    return ts;
}

PyThreadState *_PyThreadState_NewBound(PyInterpreterState *interp, int whence)
{
    PyThreadState *ts = PyThreadState_New(interp);
    if (ts) {
        ts->_whence = whence;
    }
    return ts;
}

/* -- PyEval -------------------------------------------------------------------------------------- */

PyThreadState *PyEval_SaveThread(void)
{
    return &thread_detach()->ts;
}

void PyEval_RestoreThread(PyThreadState *ts)
{
    thread_attach(thread_of(ts));
}

void PyEval_AcquireThread(PyThreadState *ts)
{
    thread_attach(thread_of(ts));
}

void PyEval_ReleaseThread(PyThreadState *ts)
{
    if (thread_self() != thread_of(ts)) {
        lock_fatal("PyEval_ReleaseThread", "wrong thread state");
    }
    thread_detach();
}

PyAPI_FUNC(void) PyEval_AcquireLock(void);
PyAPI_FUNC(void) PyEval_ReleaseLock(void);
PyAPI_FUNC(int) PyEval_ThreadsInitialized(void);

void PyEval_AcquireLock(void)
{
    lock_backend_take(self_or_die("PyEval_AcquireLock"));
}

void PyEval_ReleaseLock(void)
{
    lock_backend_drop(self_or_die("PyEval_ReleaseLock"));
}

void PyEval_InitThreads(void)
{
}

int PyEval_ThreadsInitialized(void)
{
    return runtime.initialized;
}

/* -- PyGILState ---------------------------------------------------------------------------------- */

PyThreadState *PyGILState_GetThisThreadState(void)
{
    return (PyThreadState *)thread_bound_state;
}

int PyGILState_Check(void)
{
    struct thread *self = thread_self();
    /* Before there is an interpreter, or in one that GILState does not serve, nothing can be said. */
    if (!runtime.gilstate_interp || (self && !thread_bound_state)) {
        return 1;
    }
    return self && self == thread_bound_state;
}

PyGILState_STATE PyGILState_Ensure(void)
{
    struct thread *t = thread_bound_state;
    if (!t) {
        if (!runtime.gilstate_interp) {
            lock_fatal("PyGILState_Ensure",
                       "PyGILState_Ensure called before Python is initialized");
        }
        t = thread_new(runtime.gilstate_interp);
        if (!t) {
            lock_fatal("PyGILState_Ensure", "Couldn't create thread-state for new thread");
        }
        thread_bind(t);
        thread_attach(t);
        return PyGILState_UNLOCKED; /* its counter is 1: the matching release deletes it */
    }
    bool attached = t == thread_self();
    if (!attached) {
        thread_attach(t);
    }
    t->ts.gilstate_counter++;
    return attached ? PyGILState_LOCKED : PyGILState_UNLOCKED;
}

void PyGILState_Release(PyGILState_STATE old)
{
    struct thread *t = thread_bound_state;
    if (!t || t != thread_self()) {
        lock_fatal("PyGILState_Release",
                   "auto-releasing thread-state, but no thread-state for this "
                   "thread");
    }
    if (--t->ts.gilstate_counter == 0) {
        t->ts.gilstate_counter++; /* finalizers may come by here again */
        thread_clear(t);
        t->ts.gilstate_counter--;
        thread_delete_current();
    } else if (old == PyGILState_UNLOCKED) {
        thread_detach();
    }
}
