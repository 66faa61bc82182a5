/* The module _thread: locks, threads and what each thread has to itself. */
#include "module.h"
#include "seconds.h"

#include "locking/lock.h"
#include "locking/thread.h"

#include <math.h>
#include <signal.h>

struct thread_state_ {
    PyObject *lock_type, *rlock_type, *handle_type, *local_type, *holder_type, *args_type;
    PyObject *locals_key; /* of a thread's holder in its dict */
    PyObject *dict_name;
};

/* Locks live in their objects and are a byte each. */
struct lock {
    PyObject_HEAD
    PyMutex mutex;
    PyObject *weaklist;
};

struct rlock {
    PyObject_HEAD
    PyMutex mutex;
    unsigned long owner; /* 0: nobody; only the owner writes and reads its own number here */
    size_t depth;        /* the owner's; others only show it */
    PyObject *weaklist;
};

enum progress { NOT_STARTED, STARTING, RUNNING, DONE };

/* A thread as others see it; shared between its handle object and the thread itself. */
struct handle {
    struct handle *prev, *next; /* all of them; under handles.mutex */
    PyInterpreterState *interp;
    unsigned long ident; /* set by the thread and by who starts it, whoever comes first */
    pthread_t os;
    int refs;
    uint8_t progress; /* enum progress */
    uint8_t ended;    /* parked on by who joins */
    bool daemon;
    bool joinable; /* the system's thread must be joined or let go */
    PyMutex joining;
};

struct handle_object {
    PyObject_HEAD
    struct handle *handle;
};

/* Data of each thread: every local has a dict of its threads' dicts, by thread number. A thread
 * has one holder in its own dict, which knows the locals it uses and takes its dicts out of them when
 * the thread ends. Neither keeps the other alive. */
struct local {
    PyObject_HEAD
    PyObject *dicts, *args, *kwargs;
    PyObject *weaklist;
};

struct holder {
    PyObject_HEAD
    PyObject *number; /* the thread's */
    PyObject *locals; /* list of weak references */
    Py_ssize_t prune_at;
};

static PyModuleDef thread_module;

static struct thread_state_ *state_of(PyObject *module)
{
    return PyModule_GetState(module);
}

#include "thread.bind.h"

/* ---- timeouts -------------------------------------------------------------------------------- */

#define TIMEOUT_MAX_NS (INT64_MAX / 1000 * 1000)

/* The arguments of acquire(): nanoseconds, 0 to try only, -1 without a limit. */
static bool acquire_timeout(int blocking, PyObject *timeout, int64_t *out)
{
    int64_t ns = -1000000000;
    if (timeout != NULL && !nanoseconds_of(timeout, ROUND_AWAY, &ns)) {
        return false;
    }
    bool unset = ns == -1000000000;
    if (!blocking && !unset) {
        PyErr_SetString(PyExc_ValueError, "can't specify a timeout for a non-blocking call");
        return false;
    }
    if (ns < 0 && !unset) {
        PyErr_SetString(PyExc_ValueError, "timeout value must be a non-negative number");
        return false;
    }
    if (ns > TIMEOUT_MAX_NS) {
        PyErr_SetString(PyExc_OverflowError, "timeout value is too large");
        return false;
    }
    *out = !blocking ? 0 : unset ? -1 : ns;
    return true;
}

static int64_t now_ns(void)
{
    PyTime_t now;
    return PyTime_MonotonicRaw(&now) < 0 ? 0 : now;
}

/* Takes a mutex: 1, 0 if the time is up, -1 if a signal's handler raised. */
static int mutex_take(PyMutex *mutex, int64_t ns)
{
    if (LIKELY(mutex_try_lock(mutex))) {
        return 1;
    }
    int64_t deadline = ns > 0 ? now_ns() + ns : 0;
    for (;;) {
        switch (mutex_lock_timed(mutex, ns, LOCK_DETACH | LOCK_SIGNALS)) {
        case PARK_WOKEN:
            return 1;
        case PARK_INTERRUPTED:
            break;
        default:
            return 0;
        }
        if (Py_MakePendingCalls() < 0) {
            return -1;
        }
        if (ns > 0 && (ns = deadline - now_ns()) <= 0) {
            return 0;
        }
    }
}

/* A signal that came meanwhile is handled where acquire() was called, inside its try, and not in what the caller calls next.
 * If the handler raises, the lock is taken all the same: as if the call had returned first. */
static int after_wait(int taken)
{
    bool due = __atomic_load_n(&PyThreadState_GET()->eval_breaker, __ATOMIC_RELAXED) & BREAK_SIGNAL;
    return taken > 0 && UNLIKELY(due) && PyErr_CheckSignals() < 0 ? -1 : taken;
}

/* ---- lock ------------------------------------------------------------------------------------ */

static PyObject *lock_new(PyTypeObject *type)
{
    return type_make(type);
}

static void lock_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    PyObject_ClearWeakRefs(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static int only_type_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    return 0;
}

static PyObject *lock_repr(PyObject *op)
{
    return PyUnicode_FromFormat("<%s %s object at %p>",
                                mutex_is_locked(&((struct lock *)op)->mutex) ? "locked"
                                                                             : "unlocked",
                                Py_TYPE(op)->tp_name, op);
}

static int lock_acquire(struct lock *self, int blocking, PyObject *timeout)
{
    int64_t ns;
    return acquire_timeout(blocking, timeout, &ns) ? after_wait(mutex_take(&self->mutex, ns)) : -1;
}

static int lock_release(struct lock *self)
{
    if (UNLIKELY(!mutex_try_unlock(&self->mutex))) {
        PyErr_SetString(PyExc_RuntimeError, "release unlocked lock");
        return -1;
    }
    return 0;
}

static int lock_locked(struct lock *self)
{
    return mutex_is_locked(&self->mutex);
}

static int lock_enter(struct lock *self)
{
    return mutex_take(&self->mutex, -1);
}

static int lock_exit(struct lock *self, PyObject *const *Py_UNUSED(args),
                     Py_ssize_t Py_UNUSED(count))
{
    return lock_release(self);
}

static int lock_at_fork_reinit(struct lock *self)
{
    mutex_reinit(&self->mutex);
    return 0;
}

static PyMemberDef lock_members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(struct lock, weaklist), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot lock_slots[] = {
    {Py_tp_new, bind_lock_new},           {Py_tp_dealloc, lock_dealloc},
    {Py_tp_traverse, only_type_traverse}, {Py_tp_repr, lock_repr},
    {Py_tp_doc, (void *)lock_doc},        {Py_tp_methods, lock_methods},
    {Py_tp_members, lock_members},        {0, NULL},
};

static PyType_Spec lock_spec = {
    "_thread.lock",
    sizeof(struct lock),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    lock_slots,
};

/* ---- RLock ----------------------------------------------------------------------------------- */

static bool rlock_mine(struct rlock *self)
{
    return __atomic_load_n(&self->owner, __ATOMIC_RELAXED) == PyThread_get_thread_ident();
}

static void rlock_own(struct rlock *self, unsigned long owner, size_t depth)
{
    __atomic_store_n(&self->depth, depth, __ATOMIC_RELAXED);
    __atomic_store_n(&self->owner, owner, __ATOMIC_RELAXED);
}

static int rlock_take(struct rlock *self, int64_t ns)
{
    if (rlock_mine(self)) {
        if (self->depth == SIZE_MAX) {
            PyErr_SetString(PyExc_OverflowError, "Internal lock count overflowed");
            return -1;
        }
        rlock_own(self, self->owner, self->depth + 1);
        return 1;
    }
    int taken = mutex_take(&self->mutex, ns);
    if (taken == 1) {
        rlock_own(self, PyThread_get_thread_ident(), 1);
    }
    return taken;
}

static int rlock_acquire(struct rlock *self, int blocking, PyObject *timeout)
{
    int64_t ns;
    return acquire_timeout(blocking, timeout, &ns) ? after_wait(rlock_take(self, ns)) : -1;
}

static int raise_not_owned(void)
{
    PyErr_SetString(PyExc_RuntimeError, "cannot release un-acquired lock");
    return -1;
}

static int rlock_release(struct rlock *self)
{
    if (UNLIKELY(!rlock_mine(self))) {
        return raise_not_owned();
    }
    size_t depth = self->depth - 1;
    rlock_own(self, depth == 0 ? 0 : self->owner, depth);
    if (depth == 0) {
        mutex_unlock(&self->mutex);
    }
    return 0;
}

static int rlock_is_owned(struct rlock *self)
{
    return rlock_mine(self);
}

static size_t rlock_recursion_count(struct rlock *self)
{
    return rlock_mine(self) ? self->depth : 0;
}

static int rlock_acquire_restore(struct rlock *self, PyObject *state)
{
    Py_ssize_t depth;
    unsigned long owner;
    if (!PyArg_ParseTuple(state, "nk:_acquire_restore", &depth, &owner)) {
        return -1;
    }
    /* A condition variable comes back here whatever happens, so signals wait. */
    mutex_lock(&self->mutex);
    rlock_own(self, owner, (size_t)depth);
    return 0;
}

static PyObject *rlock_release_save(struct rlock *self)
{
    if (!rlock_mine(self)) {
        raise_not_owned();
        return NULL;
    }
    PyObject *state = Py_BuildValue("nk", (Py_ssize_t)self->depth, self->owner);
    if (state != NULL) {
        rlock_own(self, 0, 0);
        mutex_unlock(&self->mutex);
    }
    return state;
}

static int rlock_enter(struct rlock *self)
{
    return rlock_take(self, -1);
}

static int rlock_exit(struct rlock *self, PyObject *const *Py_UNUSED(args),
                      Py_ssize_t Py_UNUSED(count))
{
    return rlock_release(self);
}

static int rlock_at_fork_reinit(struct rlock *self)
{
    mutex_reinit(&self->mutex);
    rlock_own(self, 0, 0);
    return 0;
}

static PyObject *rlock_new(PyTypeObject *type, PyObject *Py_UNUSED(args),
                           PyObject *Py_UNUSED(kwargs))
{
    return type_make(type);
}

static PyObject *rlock_repr(PyObject *op)
{
    struct rlock *self = (struct rlock *)op;
    unsigned long owner = __atomic_load_n(&self->owner, __ATOMIC_RELAXED);
    return PyUnicode_FromFormat("<%s %s object owner=%lu count=%zu at %p>",
                                owner ? "locked" : "unlocked", Py_TYPE(op)->tp_name, owner,
                                __atomic_load_n(&self->depth, __ATOMIC_RELAXED), op);
}

static PyMemberDef rlock_members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(struct rlock, weaklist), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot rlock_slots[] = {
    {Py_tp_new, rlock_new},
    {Py_tp_dealloc, lock_dealloc},
    {Py_tp_traverse, only_type_traverse},
    {Py_tp_repr, rlock_repr},
    {Py_tp_doc, (void *)rlock_doc},
    {Py_tp_methods, rlock_methods},
    {Py_tp_members, rlock_members},
    {0, NULL},
};

static PyType_Spec rlock_spec = {
    "_thread.RLock",
    sizeof(struct rlock),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    rlock_slots,
};

/* ---- handles --------------------------------------------------------------------------------- */

static struct {
    PyMutex mutex;
    struct handle *first;
} handles;

static struct handle *handle_make(void)
{
    struct handle *handle = PyMem_RawCalloc(1, sizeof(*handle));
    if (handle == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    handle->refs = 1;
    handle->interp = PyInterpreterState_Get();
    mutex_lock(&handles.mutex);
    handle->next = handles.first;
    if (handle->next != NULL) {
        handle->next->prev = handle;
    }
    handles.first = handle;
    mutex_unlock(&handles.mutex);
    return handle;
}

static enum progress handle_progress(struct handle *handle)
{
    return (enum progress)__atomic_load_n(&handle->progress, __ATOMIC_ACQUIRE);
}

static void handle_advance(struct handle *handle, enum progress progress)
{
    __atomic_store_n(&handle->progress, (uint8_t)progress, __ATOMIC_RELEASE);
}

static unsigned long handle_ident(struct handle *handle)
{
    return __atomic_load_n(&handle->ident, __ATOMIC_RELAXED);
}

static void handle_set_ident(struct handle *handle, unsigned long ident)
{
    __atomic_store_n(&handle->ident, ident, __ATOMIC_RELAXED);
}

static void handle_hold(struct handle *handle)
{
    __atomic_fetch_add(&handle->refs, 1, __ATOMIC_RELAXED);
}

/* Any thread, attached or not. */
static void handle_drop(struct handle *handle)
{
    /* The list hands out handles under its mutex, so the last reference goes under it as well. */
    mutex_lock(&handles.mutex);
    bool last = __atomic_sub_fetch(&handle->refs, 1, __ATOMIC_ACQ_REL) == 0;
    if (last) {
        *(handle->prev ? &handle->prev->next : &handles.first) = handle->next;
        if (handle->next != NULL) {
            handle->next->prev = handle->prev;
        }
    }
    mutex_unlock(&handles.mutex);
    if (!last) {
        return;
    }
    if (handle->joinable) {
        pthread_detach(handle->os);
    }
    PyMem_RawFree(handle);
}

/* The thread is past its last Python code. Any thread, attached or not. */
static void handle_end(struct handle *handle)
{
    handle_advance(handle, DONE);
    __atomic_store_n(&handle->ended, 1, __ATOMIC_RELEASE);
    unpark_all(&handle->ended);
}

/* Waits for the end: 1, 0 if the time is up, -1 with an exception. */
static int handle_wait(struct handle *handle, int64_t ns)
{
    int64_t deadline = ns > 0 ? now_ns() + ns : 0;
    const uint8_t running = 0;
    while (!__atomic_load_n(&handle->ended, __ATOMIC_ACQUIRE)) {
        if (ns == 0) {
            return 0;
        }
        enum park_result result =
            park(&handle->ended, &running, 1, ns, NULL, LOCK_DETACH | LOCK_SIGNALS);
        if (result == PARK_INTERRUPTED && Py_MakePendingCalls() < 0) {
            return -1;
        }
        if (ns > 0) {
            int64_t left = deadline - now_ns();
            ns = result == PARK_TIMEOUT || left < 0 ? 0 : left;
        }
    }
    return 1;
}

/* Joins; 0 also if the time is up, -1 with an exception. */
static int handle_join_for(struct handle *handle, int64_t ns)
{
    if (handle_progress(handle) < RUNNING) {
        PyErr_SetString(PyExc_RuntimeError, "thread not started");
        return -1;
    }
    if (handle_ident(handle) == PyThread_get_thread_ident()
        && !__atomic_load_n(&handle->ended, __ATOMIC_ACQUIRE)) {
        PyErr_SetString(PyExc_RuntimeError, "Cannot join current thread");
        return -1;
    }
    int ended = handle_wait(handle, ns);
    if (ended <= 0) {
        return ended;
    }
    /* What is left of the system's thread takes no time worth speaking of. */
    mutex_lock(&handle->joining);
    int failed = 0;
    if (handle->joinable && handle_ident(handle) != PyThread_get_thread_ident()) {
        handle->joinable = false;
        Py_BEGIN_ALLOW_THREADS failed = pthread_join(handle->os, NULL);
        Py_END_ALLOW_THREADS
    }
    mutex_unlock(&handle->joining);
    if (failed) {
        PyErr_SetString(PyExc_RuntimeError, "Failed joining thread");
        return -1;
    }
    return 0;
}

static PyObject *handle_new(PyTypeObject *type)
{
    struct handle_object *self = type_make(type);
    if (self != NULL && (self->handle = handle_make()) == NULL) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static void handle_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    struct handle *handle = ((struct handle_object *)op)->handle;
    if (handle != NULL) {
        handle_drop(handle);
    }
    type->tp_free(op);
    Py_DECREF(type);
}

static PyObject *handle_repr(PyObject *op)
{
    return PyUnicode_FromFormat("<%s object: ident=%lu>", Py_TYPE(op)->tp_name,
                                handle_ident(((struct handle_object *)op)->handle));
}

static int handle_join(struct handle_object *self, PyObject *timeout)
{
    int64_t ns = -1;
    if (timeout != Py_None) {
        if (!nanoseconds_of(timeout, ROUND_AWAY, &ns)) {
            return -1;
        }
        ns = ns < 0 ? -1 : ns;
    }
    return handle_join_for(self->handle, ns);
}

static int handle_set_done(struct handle_object *self)
{
    struct handle *handle = self->handle;
    if (handle_progress(handle) < RUNNING) {
        PyErr_SetString(PyExc_RuntimeError, "thread not started");
        return -1;
    }
    mutex_lock(&handle->joining);
    if (handle->joinable) {
        handle->joinable = false;
        pthread_detach(handle->os);
    }
    mutex_unlock(&handle->joining);
    handle_end(handle);
    return 0;
}

static int handle_is_done(struct handle_object *self)
{
    return __atomic_load_n(&self->handle->ended, __ATOMIC_ACQUIRE);
}

static unsigned long handle_get_ident(struct handle_object *self)
{
    return handle_ident(self->handle);
}

static PyType_Slot handle_slots[] = {
    {Py_tp_new, bind_handle_new},         {Py_tp_dealloc, handle_dealloc},
    {Py_tp_traverse, only_type_traverse}, {Py_tp_repr, handle_repr},
    {Py_tp_doc, (void *)handle_doc},      {Py_tp_methods, handle_methods},
    {Py_tp_getset, handle_getset},        {0, NULL},
};

static PyType_Spec handle_spec = {
    "_thread._ThreadHandle",
    sizeof(struct handle_object),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    handle_slots,
};

/* ---- fork ------------------------------------------------------------------------------------ */

static void fork_before(void)
{
    mutex_lock(&handles.mutex);
}

static void fork_parent(void)
{
    mutex_unlock(&handles.mutex);
}

/* Only the forking thread is left: the others count as ended, and cannot be joined. */
static void fork_child(void)
{
    mutex_reinit(&handles.mutex);
    unsigned long self = PyThread_get_thread_ident();
    for (struct handle *handle = handles.first; handle != NULL; handle = handle->next) {
        mutex_reinit(&handle->joining);
        handle->joinable = false;
        if (handle_ident(handle) != self && handle_progress(handle) != NOT_STARTED) {
            handle->ended = 1;
            handle_advance(handle, DONE);
        }
    }
}

/* ---- starting threads ------------------------------------------------------------------------ */

/* What a new thread needs; made by the old one, freed by the new one. */
struct start {
    struct thread *thread;
    struct handle *handle;
    PyObject *module, *function, *args, *kwargs;
};

static Py_ssize_t running; /* threads started here, in all interpreters */

static void call_function(struct start *start)
{
    PyObject *result = PyObject_Call(start->function, start->args, start->kwargs);
    if (result != NULL) {
        Py_DECREF(result);
    } else if (PyErr_ExceptionMatches(PyExc_SystemExit)) {
        PyErr_Clear();
    } else {
        PyErr_FormatUnraisable("Exception ignored in thread started by %R", start->function);
    }
}

static void start_free(struct start *start)
{
    Py_XDECREF(start->function);
    Py_XDECREF(start->args);
    Py_XDECREF(start->kwargs);
    Py_XDECREF(start->module);
    PyMem_RawFree(start);
}

static void thread_run(void *arg)
{
    struct start *start = arg;
    struct handle *handle = start->handle;
    /* Both sides set these: who comes first must not find them missing. */
    handle_set_ident(handle, PyThread_get_thread_ident());
    handle_advance(handle, RUNNING);
    thread_attach(start->thread);
    __atomic_fetch_add(&running, 1, __ATOMIC_RELAXED);
    call_function(start);
    start_free(start);
    __atomic_fetch_sub(&running, 1, __ATOMIC_RELAXED);
    thread_exit();
    handle_end(handle);
    handle_drop(handle);
}

/* Starts a thread for `handle`, whose progress is STARTING; takes over nothing. -1 with an
 * exception. */
static int start_thread(PyObject *module, struct handle *handle, PyObject *function, PyObject *args,
                        PyObject *kwargs, bool daemon)
{
    if (Py_IsFinalizing()) {
        PyErr_SetString(PyExc_PythonFinalizationError,
                        "can't create new thread at interpreter shutdown");
        return -1;
    }
    struct start *start = PyMem_RawCalloc(1, sizeof(*start));
    struct thread *thread = start ? thread_new(thread_interp(thread_self())) : NULL;
    if (thread == NULL) {
        PyMem_RawFree(start);
        PyErr_NoMemory();
        return -1;
    }
    *start = (struct start){thread,
                            handle,
                            Py_NewRef(module),
                            Py_NewRef(function),
                            Py_NewRef(args),
                            Py_XNewRef(kwargs)};
    handle->daemon = daemon;
    handle_hold(handle);
    unsigned long ident;
    mutex_lock(&handle->joining);
    int failed = thread_start(thread_run, start, true, &ident, &handle->os);
    if (!failed) {
        handle_set_ident(handle, ident);
        handle->joinable = true;
    }
    mutex_unlock(&handle->joining);
    if (failed) {
        thread_clear(thread);
        thread_delete(thread);
        start_free(start);
        handle_drop(handle);
        PyErr_SetString(PyExc_RuntimeError, "can't start new thread");
        return -1;
    }
    uint8_t starting = STARTING; /* the thread may be further already, even at its end */
    __atomic_compare_exchange_n(&handle->progress, &starting, RUNNING, false, __ATOMIC_ACQ_REL,
                                __ATOMIC_ACQUIRE);
    return 0;
}

static PyObject *thread_start_new_thread(PyObject *module, PyObject *function, PyObject *args,
                                         PyObject *kwargs)
{
    if (!PyCallable_Check(function)) {
        PyErr_SetString(PyExc_TypeError, "first arg must be callable");
        return NULL;
    }
    if (!PyTuple_Check(args)) {
        PyErr_SetString(PyExc_TypeError, "2nd arg must be a tuple");
        return NULL;
    }
    if (kwargs != NULL && !PyDict_Check(kwargs)) {
        PyErr_SetString(PyExc_TypeError, "optional 3rd arg must be a dictionary");
        return NULL;
    }
    if (PySys_Audit("_thread.start_new_thread", "OOO", function, args, kwargs ? kwargs : Py_None)
        < 0) {
        return NULL;
    }
    struct handle *handle = handle_make();
    if (handle == NULL) {
        return NULL;
    }
    handle_advance(handle, STARTING);
    PyObject *ident = NULL;
    if (start_thread(module, handle, function, args, kwargs, true) == 0) {
        ident = PyLong_FromUnsignedLong(handle_ident(handle));
    }
    handle_drop(handle);
    return ident;
}

static PyObject *thread_start_joinable_thread(PyObject *module, PyObject *function,
                                              PyObject *handle_op, int daemon)
{
    struct thread_state_ *state = state_of(module);
    if (!PyCallable_Check(function)) {
        PyErr_SetString(PyExc_TypeError, "thread function must be callable");
        return NULL;
    }
    if (handle_op != Py_None && !Py_IS_TYPE(handle_op, (PyTypeObject *)state->handle_type)) {
        PyErr_SetString(PyExc_TypeError, "'handle' must be a _ThreadHandle");
        return NULL;
    }
    if (PySys_Audit("_thread.start_joinable_thread", "OiO", function, daemon, handle_op) < 0) {
        return NULL;
    }
    handle_op = handle_op == Py_None ? handle_new((PyTypeObject *)state->handle_type)
                                     : Py_NewRef(handle_op);
    PyObject *args = handle_op ? PyTuple_New(0) : NULL;
    if (args == NULL) {
        Py_XDECREF(handle_op);
        return NULL;
    }
    struct handle *handle = ((struct handle_object *)handle_op)->handle;
    uint8_t fresh = NOT_STARTED;
    if (!__atomic_compare_exchange_n(&handle->progress, &fresh, STARTING, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        PyErr_SetString(PyExc_RuntimeError, "thread already started");
        Py_CLEAR(handle_op);
    } else if (start_thread(module, handle, function, args, NULL, daemon) < 0) {
        handle_advance(handle, NOT_STARTED);
        Py_CLEAR(handle_op);
    }
    Py_DECREF(args);
    return handle_op;
}

static PyObject *thread_make_thread_handle(PyObject *module, unsigned long ident)
{
    PyObject *op = handle_new((PyTypeObject *)state_of(module)->handle_type);
    if (op != NULL) {
        struct handle *handle = ((struct handle_object *)op)->handle;
        handle_set_ident(handle, ident);
        handle->daemon = true; /* nobody would ever say that it ended */
        handle_advance(handle, RUNNING);
    }
    return op;
}

/* A thread that the end must wait for, held; NULL if there is none. */
static struct handle *next_to_join(PyInterpreterState *interp)
{
    unsigned long self = PyThread_get_thread_ident();
    mutex_lock(&handles.mutex);
    struct handle *handle = handles.first;
    while (handle != NULL
           && (handle->interp != interp || handle_progress(handle) != RUNNING || handle->daemon
               || handle_ident(handle) == self)) {
        handle = handle->next;
    }
    if (handle != NULL) {
        handle_hold(handle);
    }
    mutex_unlock(&handles.mutex);
    return handle;
}

static int thread_shutdown(PyObject *Py_UNUSED(module))
{
    struct handle *handle;
    while ((handle = next_to_join(PyInterpreterState_Get())) != NULL) {
        if (handle_join_for(handle, -1) < 0) {
            PyErr_FormatUnraisable("Exception ignored while joining a thread in "
                                   "_thread._shutdown()");
        }
        handle_drop(handle);
    }
    return 0;
}

/* ---- data of each thread --------------------------------------------------------------------- */

static PyObject *thread_number(void)
{
    return PyLong_FromUnsignedLongLong(PyThreadState_GetID(PyThreadState_Get()));
}

static void holder_dealloc(PyObject *op)
{
    struct holder *self = (struct holder *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject *raised = PyErr_GetRaisedException();
    for (Py_ssize_t i = 0; self->locals && i < PyList_GET_SIZE(self->locals); i++) {
        PyObject *local;
        if (PyWeakref_GetRef(PyList_GET_ITEM(self->locals, i), &local) > 0) {
            PyObject *dicts = ((struct local *)local)->dicts;
            if (dicts != NULL && PyDict_Pop(dicts, self->number, NULL) < 0) {
                PyErr_Clear();
            }
            Py_DECREF(local);
        }
    }
    Py_XDECREF(self->locals);
    Py_XDECREF(self->number);
    PyErr_SetRaisedException(raised);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot holder_slots[] = {
    {Py_tp_dealloc, holder_dealloc},
    {0, NULL},
};

static PyType_Spec holder_spec = {
    "_thread._holder",
    sizeof(struct holder),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    holder_slots,
};

/* This thread's holder (new reference), made if need be. */
static struct holder *holder_get(struct thread_state_ *state, PyObject *number)
{
    PyObject *mine = PyThreadState_GetDict();
    if (mine == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "Couldn't get thread-state dictionary");
        return NULL;
    }
    PyObject *found;
    if (PyDict_GetItemRef(mine, state->locals_key, &found) != 0) {
        return (struct holder *)found;
    }
    struct holder *holder = type_make((PyTypeObject *)state->holder_type);
    if (holder == NULL) {
        return NULL;
    }
    holder->number = Py_NewRef(number);
    holder->locals = PyList_New(0);
    holder->prune_at = 16;
    if (holder->locals == NULL || PyDict_SetItem(mine, state->locals_key, (PyObject *)holder) < 0) {
        Py_CLEAR(holder);
    }
    return holder;
}

/* Drops references to locals that are gone. Only the holder's thread comes here. */
static int holder_prune(struct holder *self)
{
    PyObject *left = PyList_New(0);
    if (left == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(self->locals); i++) {
        PyObject *ref = PyList_GET_ITEM(self->locals, i), *local;
        if (PyWeakref_GetRef(ref, &local) > 0) {
            Py_DECREF(local);
            if (PyList_Append(left, ref) < 0) {
                Py_DECREF(left);
                return -1;
            }
        }
    }
    self->prune_at = 2 * PyList_GET_SIZE(left) + 16;
    field_set(&self->locals, left);
    return 0;
}

static int holder_add(struct holder *self, struct local *local)
{
    if (PyList_GET_SIZE(self->locals) >= self->prune_at && holder_prune(self) < 0) {
        return -1;
    }
    PyObject *ref = PyWeakref_NewRef((PyObject *)local, NULL);
    int rc = ref ? PyList_Append(self->locals, ref) : -1;
    Py_XDECREF(ref);
    return rc;
}

static struct thread_state_ *state_of_local(struct local *self)
{
    PyObject *module = PyType_GetModuleByDef(Py_TYPE(self), &thread_module);
    return module ? state_of(module) : NULL;
}

/* A dict for this thread (new reference), without the user's initialisation. */
static PyObject *local_make_dict(struct local *self, PyObject *number)
{
    struct thread_state_ *state = state_of_local(self);
    struct holder *holder = state ? holder_get(state, number) : NULL;
    PyObject *dict = holder ? PyDict_New() : NULL;
    if (dict != NULL
        && (holder_add(holder, self) < 0 || PyDict_SetItem(self->dicts, number, dict) < 0)) {
        Py_CLEAR(dict);
    }
    Py_XDECREF(holder);
    return dict;
}

/* This thread's dict (new reference); a subclass's __init__ runs when it is new. */
static PyObject *local_dict(struct local *self)
{
    PyObject *number = thread_number();
    if (number == NULL) {
        return NULL;
    }
    PyObject *dict;
    if (PyDict_GetItemRef(self->dicts, number, &dict) == 0) {
        dict = local_make_dict(self, number);
        initproc init = Py_TYPE(self)->tp_init;
        if (dict != NULL && init != PyBaseObject_Type.tp_init
            && init((PyObject *)self, self->args, self->kwargs) < 0) {
            PyObject *raised = PyErr_GetRaisedException();
            if (PyDict_Pop(self->dicts, number, NULL) < 0) {
                PyErr_Clear();
            }
            PyErr_SetRaisedException(raised);
            Py_CLEAR(dict);
        }
    }
    Py_DECREF(number);
    return dict;
}

static PyObject *local_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (type->tp_init == PyBaseObject_Type.tp_init
        && (PyTuple_GET_SIZE(args) != 0 || (kwargs && PyDict_GET_SIZE(kwargs) != 0))) {
        PyErr_SetString(PyExc_TypeError, "Initialization arguments are not supported");
        return NULL;
    }
    struct local *self = type_make(type);
    if (self == NULL) {
        return NULL;
    }
    self->args = Py_NewRef(args);
    self->kwargs = Py_XNewRef(kwargs);
    self->dicts = PyDict_New();
    PyObject *number = self->dicts ? thread_number() : NULL;
    PyObject *dict = number ? local_make_dict(self, number) : NULL;
    Py_XDECREF(number);
    if (dict == NULL) {
        Py_DECREF(self);
        return NULL;
    }
    Py_DECREF(dict);
    return (PyObject *)self;
}

GC_FIELDS(local, dicts, args, kwargs)

static void local_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    PyObject_ClearWeakRefs(op);
    local_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

/* Whether an attribute's name is __dict__, as it sees it: 1, 0, or -1 with an exception. */
static int names_dict(struct local *self, PyObject *name)
{
    if (PyUnicode_CheckExact(name)) {
        return PyUnicode_EqualToUTF8(name, "__dict__");
    }
    struct thread_state_ *state = state_of_local(self);
    return state ? PyObject_RichCompareBool(name, state->dict_name, Py_EQ) : -1;
}

static PyObject *local_getattro(PyObject *op, PyObject *name)
{
    struct local *self = (struct local *)op;
    PyObject *dict = local_dict(self);
    int own = dict ? names_dict(self, name) : 1;
    if (own > 0) {
        return dict;
    }
    PyObject *result = own < 0 ? NULL : _PyObject_GenericGetAttrWithDict(op, name, dict, 0);
    Py_DECREF(dict);
    return result;
}

static int local_setattro(PyObject *op, PyObject *name, PyObject *value)
{
    PyObject *dict = local_dict((struct local *)op);
    if (dict == NULL) {
        return -1;
    }
    int rc = names_dict((struct local *)op, name);
    if (rc > 0) {
        rc = -1;
        PyErr_Format(PyExc_AttributeError, "'%.100s' object attribute '%S' is read-only",
                     Py_TYPE(op)->tp_name, name);
    } else if (rc == 0) {
        rc = _PyObject_GenericSetAttrWithDict(op, name, value, dict);
    }
    Py_DECREF(dict);
    return rc;
}

static PyMemberDef local_members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(struct local, weaklist), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot local_slots[] = {
    GC_SLOTS(local),
    {Py_tp_new, local_new},
    {Py_tp_getattro, local_getattro},
    {Py_tp_setattro, local_setattro},
    {Py_tp_doc, (void *)local_doc},
    {Py_tp_members, local_members},
    {0, NULL},
};

static PyType_Spec local_spec = {
    "_thread._local",
    sizeof(struct local),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    local_slots,
};

/* ---- exceptions nobody caught ----------------------------------------------------------------- */

/* Where to report: sys.stderr, or what the thread kept of it. New reference; None for nowhere. */
static PyObject *report_file(PyObject *thread)
{
    PyObject *file = PySys_GetObject("stderr");
    if (file != NULL && file != Py_None) {
        return Py_NewRef(file);
    }
    return thread == Py_None ? Py_NewRef(Py_None) : PyObject_GetAttrString(thread, "_stderr");
}

/* New reference, or NULL with an exception. */
static PyObject *report_title(PyObject *thread)
{
    PyObject *name = NULL;
    if (thread != Py_None && PyObject_GetOptionalAttrString(thread, "name", &name) < 0) {
        return NULL;
    }
    PyObject *title =
        name ? PyUnicode_FromFormat("Exception in thread %S:\n", name)
             : PyUnicode_FromFormat("Exception in thread %lu:\n", PyThread_get_thread_ident());
    if (title == NULL && name != NULL) {
        PyErr_Clear();
        title = PyUnicode_FromString("Exception in thread <failed to get thread name>:\n");
    }
    Py_XDECREF(name);
    return title;
}

static int report_traceback(PyObject *args, PyObject *file)
{
    PyObject *traceback = PyImport_ImportModule("traceback");
    PyObject *print = traceback ? PyObject_GetAttrString(traceback, "print_exception") : NULL;
    PyObject *values = PyTuple_GetSlice(args, 0, 3);
    PyObject *kwargs = Py_BuildValue("{sO}", "file", file);
    PyObject *done = print && values && kwargs ? PyObject_Call(print, values, kwargs) : NULL;
    Py_XDECREF(traceback);
    Py_XDECREF(print);
    Py_XDECREF(values);
    Py_XDECREF(kwargs);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

static int thread_excepthook(PyObject *module, PyObject *args)
{
    if (!Py_IS_TYPE(args, (PyTypeObject *)state_of(module)->args_type)) {
        PyErr_SetString(PyExc_TypeError, "_thread.excepthook argument type must be ExceptHookArgs");
        return -1;
    }
    PyObject *type = PyStructSequence_GET_ITEM(args, 0);
    PyObject *thread = PyStructSequence_GET_ITEM(args, 3);
    if (type == PyExc_SystemExit) {
        return 0;
    }
    PyObject *file = report_file(thread);
    if (file == NULL || file == Py_None) {
        Py_XDECREF(file);
        return file ? 0 : -1;
    }
    PyObject *title = report_title(thread);
    int rc = title ? PyFile_WriteObject(title, file, Py_PRINT_RAW) : -1;
    Py_XDECREF(title);
    if (rc == 0 && file == PySys_GetObject("stderr")) {
        PyErr_Display(type, PyStructSequence_GET_ITEM(args, 1), PyStructSequence_GET_ITEM(args, 2));
    } else if (rc == 0) {
        rc = report_traceback(args, file);
    }
    PyObject *flushed = rc == 0 ? PyObject_CallMethod(file, "flush", NULL) : NULL;
    rc = flushed ? 0 : -1;
    Py_XDECREF(flushed);
    Py_DECREF(file);
    return rc;
}

static PyStructSequence_Field args_fields[] = {
    {"exc_type", "Exception type"},
    {"exc_value", "Exception value"},
    {"exc_traceback", "Exception traceback"},
    {"thread", "Thread"},
    {NULL, NULL},
};

static PyStructSequence_Desc args_desc = {
    "_thread._ExceptHookArgs",
    "What threading.excepthook is called with.",
    args_fields,
    4,
};

/* ---- small functions ------------------------------------------------------------------------- */

static int thread_daemon_threads_allowed(PyObject *Py_UNUSED(module))
{
    return 1;
}

static PyObject *thread_allocate_lock(PyObject *module)
{
    return type_make((PyTypeObject *)state_of(module)->lock_type);
}

static PyObject *thread_exit_now(PyObject *Py_UNUSED(module))
{
    PyErr_SetNone(PyExc_SystemExit);
    return NULL;
}

static int thread_interrupt_main(PyObject *Py_UNUSED(module), int number)
{
    if (PyErr_SetInterruptEx(number) < 0) {
        PyErr_SetString(PyExc_ValueError, "signal number out of range");
        return -1;
    }
    return PyErr_CheckSignals(); /* here and now, if this is the main thread */
}

static unsigned long thread_get_ident(PyObject *Py_UNUSED(module))
{
    return PyThread_get_thread_ident();
}

static unsigned long thread_get_native_id(PyObject *Py_UNUSED(module))
{
    return PyThread_get_thread_native_id();
}

static Py_ssize_t thread_count(PyObject *Py_UNUSED(module))
{
    return __atomic_load_n(&running, __ATOMIC_RELAXED);
}

static PyObject *thread_stack_size(PyObject *Py_UNUSED(module), Py_ssize_t size)
{
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError, "size must be 0 or a positive value");
        return NULL;
    }
    size_t old = PyThread_get_stacksize();
    int rc = PyThread_set_stacksize((size_t)size);
    if (rc == -1) {
        PyErr_Format(PyExc_ValueError, "size not valid: %zd bytes", size);
    } else if (rc == -2) {
        PyErr_SetString(PyExc_RuntimeError, "setting stack size not supported");
    }
    return rc < 0 ? NULL : PyLong_FromSize_t(old);
}

static int thread_is_main_interpreter(PyObject *Py_UNUSED(module))
{
    return PyInterpreterState_Get() == PyInterpreterState_Main();
}

static unsigned long thread_get_main_thread_ident(PyObject *Py_UNUSED(module))
{
    return runtime.main_thread;
}

/* ---- the module ------------------------------------------------------------------------------ */

static int watch_forks(void)
{
    static struct fork_hooks hooks = {
        .before = fork_before, .parent = fork_parent, .child = fork_child};
    static struct once once;
    if (once_begin(&once)) {
        fork_register(&hooks);
        once_end(&once, true);
    }
    return 0;
}

static int thread_exec(PyObject *module)
{
    struct thread_state_ *state = state_of(module);
    state->lock_type = (PyObject *)module_type(module, &lock_spec, true);
    state->rlock_type = (PyObject *)module_type(module, &rlock_spec, true);
    state->handle_type = (PyObject *)module_type(module, &handle_spec, true);
    state->local_type = (PyObject *)module_type(module, &local_spec, true);
    state->holder_type = (PyObject *)module_type(module, &holder_spec, false);
    state->args_type = (PyObject *)PyStructSequence_NewType(&args_desc);
    state->dict_name = PyUnicode_InternFromString("__dict__");
    state->locals_key = PyUnicode_FromFormat("_thread._local.%p", (void *)module);
    for (size_t i = 0; i < sizeof(*state) / sizeof(PyObject *); i++) {
        if (((PyObject **)state)[i] == NULL) {
            return -1;
        }
    }
    PyObject *limit = PyFloat_FromDouble(floor((double)TIMEOUT_MAX_NS * 1e-9));
    int rc = limit && watch_forks() == 0
                     && PyModule_AddObjectRef(module, "LockType", state->lock_type) == 0
                     && PyModule_AddObjectRef(module, "error", PyExc_RuntimeError) == 0
                     && PyModule_AddType(module, (PyTypeObject *)state->args_type) == 0
                     && PyModule_AddObjectRef(module, "TIMEOUT_MAX", limit) == 0
                 ? 0
                 : -1;
    Py_XDECREF(limit);
    return rc;
}

static int thread_module_traverse(PyObject *module, visitproc visit, void *arg)
{
    PyObject **item = PyModule_GetState(module);
    for (size_t i = 0; i < sizeof(struct thread_state_) / sizeof(PyObject *); i++) {
        Py_VISIT(item[i]);
    }
    return 0;
}

static int thread_module_clear(PyObject *module)
{
    PyObject **item = PyModule_GetState(module);
    for (size_t i = 0; i < sizeof(struct thread_state_) / sizeof(PyObject *); i++) {
        Py_CLEAR(item[i]);
    }
    return 0;
}

static void thread_module_free(void *module)
{
    thread_module_clear(module);
}

static PyModuleDef_Slot thread_slots[] = MODULE_SLOTS(thread_exec);

static PyModuleDef thread_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_thread",
    .m_doc = thread_doc,
    .m_methods = thread_methods,
    .m_slots = thread_slots,
    .m_size = sizeof(struct thread_state_),
    .m_traverse = thread_module_traverse,
    .m_clear = thread_module_clear,
    .m_free = thread_module_free,
};

MODULE_INIT(_thread, thread_module)
