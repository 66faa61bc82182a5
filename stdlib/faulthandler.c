/* faulthandler: tracebacks from signal handlers and from a thread that watches the clock.
 *
 * Signals belong to the process, and so does what is kept here. Handlers read it without locks; it is
 * changed with a handler taken off first, under `lock`. */

#include "interp/dump.h"
#include "interp/state.h"
#include "locking/lock.h"
#include "locking/world.h"
#include "objects/capi/fatal.h"
#include "seconds.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "faulthandler.bind.h"

/* Where a traceback goes. */
struct target {
    int fd;
    bool all_threads;
    struct interp_state *interp;
    PyObject *file; /* owned: keeps fd open; NULL if it was given as a number */
};

static const struct {
    int number;
    const char *name;
} faults[] = {
    {SIGBUS, "Bus error"}, {SIGILL, "Illegal instruction"}, {SIGFPE, "Floating-point exception"},
    {SIGABRT, "Aborted"},  {SIGSEGV, "Segmentation fault"},
};
enum { FAULTS = sizeof faults / sizeof faults[0] };

struct user_signal {
    bool enabled, chain;
    struct target target;
    struct sigaction previous;
};

static struct {
    PyMutex lock;
    bool enabled; /* handlers of faults are set */
    struct target target;
    struct sigaction previous[FAULTS];
    bool has_previous[FAULTS];
    struct user_signal user[NSIG];
    void *stack; /* the main thread's, for handlers */
} state;

enum { STACK_SIZE = 64 * 1024 };

/* ---- files ------------------------------------------------------------------------------------------ */

/* The descriptor of a file: -1 with an exception. *file becomes a new reference to what owns it, or NULL
 * for a number. Flushes; runs Python code. */
static int descriptor_of(PyObject *given, PyObject **file)
{
    *file = NULL;
    if (given == NULL || given == Py_None) {
        given = PySys_GetObject("stderr");
        if (given == NULL || given == Py_None) {
            PyErr_SetString(PyExc_RuntimeError,
                            given == NULL ? "unable to get sys.stderr" : "sys.stderr is None");
            return -1;
        }
    } else if (PyLong_Check(given)) {
        int fd = PyLong_AsInt(given);
        if (fd < 0 && !PyErr_Occurred()) {
            PyErr_SetString(PyExc_ValueError, "file is not a valid file descripter");
        }
        return fd;
    }
    PyObject *number = PyObject_CallMethod(given, "fileno", NULL);
    long fd = -1;
    if (number != NULL && PyLong_Check(number)) {
        fd = PyLong_AsLong(number);
    }
    bool failed = number == NULL;
    Py_XDECREF(number);
    if (failed) {
        return -1;
    }
    if (fd < 0 || fd > INT_MAX) {
        PyErr_Clear();
        PyErr_SetString(PyExc_RuntimeError, "file.fileno() is not a valid file descriptor");
        return -1;
    }
    PyObject *flushed = PyObject_CallMethod(given, "flush", NULL);
    if (flushed == NULL) {
        PyErr_Clear();
    }
    Py_XDECREF(flushed);
    *file = Py_NewRef(given);
    return (int)fd;
}

static int target_init(struct target *target, PyObject *file, int all_threads)
{
    target->fd = descriptor_of(file, &target->file);
    target->all_threads = all_threads;
    target->interp = thread_interp(thread_self());
    return target->fd < 0 ? -1 : 0;
}

/* Signal-safe, but that the world goes on while it reads. */
static void target_dump(const struct target *target)
{
    /* A nested signal would mix two tracebacks. */
    static int busy;
    if (__atomic_exchange_n(&busy, 1, __ATOMIC_ACQUIRE)) {
        return;
    }
    struct thread *current = thread_self() != NULL ? thread_self() : thread_bound();
    if (target->all_threads) {
        dump_stacks(target->fd, target->interp, current);
    } else if (current != NULL) {
        dump_stack(target->fd, current);
    }
    __atomic_store_n(&busy, 0, __ATOMIC_RELEASE);
}

static int faulthandler_dump_traceback(PyObject *module, PyObject *file, int all_threads)
{
    struct target target;
    if (target_init(&target, file, all_threads) < 0) {
        return -1;
    }
    bool stop = all_threads;
    if (stop) {
        world_stop(target.interp);
    }
    target_dump(&target);
    if (stop) {
        world_start(target.interp);
    }
    Py_XDECREF(target.file);
    return PyErr_CheckSignals();
}

/* ---- faults -------------------------------------------------------------------------------------------- */

static void restore_fault(int i)
{
    if (state.has_previous[i]) {
        state.has_previous[i] = false;
        sigaction(faults[i].number, &state.previous[i], NULL);
    }
}

static void on_fault(int number)
{
    int saved = errno, i = 0;
    while (i < FAULTS - 1 && faults[i].number != number) {
        i++;
    }
    restore_fault(i);
    if (__atomic_load_n(&state.enabled, __ATOMIC_ACQUIRE)) {
        int fd = state.target.fd;
        dump_text(fd, "Fatal Python error: ");
        dump_text(fd, faults[i].name);
        dump_text(fd, "\n\n");
        target_dump(&state.target);
        dump_extensions(fd, state.target.interp);
    }
    errno = saved;
    /* SA_NODEFER: the handler it had before, mostly the default, runs inside this call. */
    raise(number);
}

/* Handlers run on a stack of their own, so that they work when the other one is used up. */
static void prepare_stack(void)
{
    if (state.stack != NULL || (state.stack = malloc(STACK_SIZE)) == NULL) {
        return;
    }
    stack_t stack = {.ss_sp = state.stack, .ss_size = STACK_SIZE}, old;
    if (sigaltstack(NULL, &old) == 0 && (old.ss_flags & SS_DISABLE)) {
        sigaltstack(&stack, NULL);
    }
}

static int install_faults(void)
{
    struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_NODEFER | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    prepare_stack();
    for (int i = 0; i < FAULTS; i++) {
        if (sigaction(faults[i].number, &action, &state.previous[i]) < 0) {
            PyErr_SetFromErrno(PyExc_RuntimeError);
            return -1;
        }
        state.has_previous[i] = true;
    }
    return 0;
}

static void disable_faults(void)
{
    __atomic_store_n(&state.enabled, false, __ATOMIC_RELEASE);
    for (int i = 0; i < FAULTS; i++) {
        restore_fault(i);
    }
}

static void prepare_end(void);

static int faulthandler_enable(PyObject *module, PyObject *file, int all_threads)
{
    struct target target;
    if (target_init(&target, file, all_threads) < 0) {
        return -1;
    }
    prepare_end();
    int result = 0;
    PyMutex_Lock(&state.lock);
    PyObject *old = state.target.file;
    state.target = target;
    if (!state.enabled) {
        __atomic_store_n(&state.enabled, true, __ATOMIC_RELEASE);
        result = install_faults();
    }
    PyMutex_Unlock(&state.lock);
    Py_XDECREF(old);
    return result;
}

static int faulthandler_disable(PyObject *module)
{
    PyMutex_Lock(&state.lock);
    int was = state.enabled;
    disable_faults();
    PyObject *old = state.target.file;
    state.target.file = NULL;
    PyMutex_Unlock(&state.lock);
    Py_XDECREF(old);
    return was;
}

static int faulthandler_is_enabled(PyObject *module)
{
    return state.enabled;
}

/* ---- signals that users choose ------------------------------------------------------------------------------ */

static void on_user_signal(int number);

static int install_user(int number, struct sigaction *previous)
{
    bool chain = state.user[number].chain;
    struct sigaction action = {.sa_handler = on_user_signal,
                               .sa_flags = SA_RESTART | SA_ONSTACK | (chain ? SA_NODEFER : 0)};
    sigemptyset(&action.sa_mask);
    return sigaction(number, &action, previous);
}

static void on_user_signal(int number)
{
    struct user_signal *user = &state.user[number];
    int saved = errno;
    if (!__atomic_load_n(&user->enabled, __ATOMIC_ACQUIRE)) {
        return;
    }
    target_dump(&user->target);
    if (user->chain) {
        sigaction(number, &user->previous, NULL);
        errno = saved;
        raise(number);
        saved = errno;
        install_user(number, NULL);
    }
    errno = saved;
}

static int check_user_signal(int number)
{
    for (int i = 0; i < FAULTS; i++) {
        if (faults[i].number == number) {
            PyErr_Format(PyExc_RuntimeError, "signal %i cannot be registered, use enable() instead",
                         number);
            return -1;
        }
    }
    if (number < 1 || number >= NSIG) {
        PyErr_SetString(PyExc_ValueError, "signal number out of range");
        return -1;
    }
    return 0;
}

static int faulthandler_register(PyObject *module, int number, PyObject *file, int all_threads,
                                 int chain)
{
    struct target target;
    if (check_user_signal(number) < 0 || target_init(&target, file, all_threads) < 0) {
        return -1;
    }
    prepare_end();
    int result = 0;
    struct user_signal *user = &state.user[number];
    PyMutex_Lock(&state.lock);
    PyObject *old = user->target.file;
    bool fresh = !user->enabled;
    user->target = target;
    user->chain = chain;
    if (fresh) {
        prepare_stack();
        result = install_user(number, &user->previous);
        __atomic_store_n(&user->enabled, result == 0, __ATOMIC_RELEASE);
    }
    PyMutex_Unlock(&state.lock);
    Py_XDECREF(old);
    if (result < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
    }
    return result;
}

/* Under the lock: whether it was registered; the file, if any, is the caller's then. */
static bool unregister_user(int number, PyObject **file)
{
    struct user_signal *user = &state.user[number];
    *file = NULL;
    if (!user->enabled) {
        return false;
    }
    __atomic_store_n(&user->enabled, false, __ATOMIC_RELEASE);
    sigaction(number, &user->previous, NULL);
    *file = user->target.file;
    user->target.file = NULL;
    return true;
}

static int faulthandler_unregister(PyObject *module, int number)
{
    if (check_user_signal(number) < 0) {
        return -1;
    }
    PyObject *file;
    PyMutex_Lock(&state.lock);
    bool was = unregister_user(number, &file);
    PyMutex_Unlock(&state.lock);
    Py_XDECREF(file);
    return was;
}

/* ---- the watch --------------------------------------------------------------------------------------------- */

static struct {
    PyMutex lock; /* held while it is started or cancelled */
    bool running;
    pthread_t thread;
    uint32_t cancelled; /* futex */
    struct target target;
    PyTime_t timeout;
    bool repeat, exit;
    char headline[64];
} watch;

/* False once it was cancelled. */
static bool watch_wait(PyTime_t timeout)
{
    int64_t end = prim_now_ns() + timeout;
    for (;;) {
        if (atomic_load_acquire(&watch.cancelled)) {
            return false;
        }
        int64_t left = end - prim_now_ns();
        if (left <= 0) {
            return true;
        }
        prim_futex_wait(&watch.cancelled, 0, left);
    }
}

static void *watch_run(void *unused)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    while (watch_wait(watch.timeout)) {
        dump_text(watch.target.fd, watch.headline);
        dump_stacks(watch.target.fd, watch.target.interp, NULL);
        if (watch.exit) {
            _exit(1);
        }
        if (!watch.repeat) {
            break;
        }
    }
    return unused;
}

/* With watch.lock held; gives the file, whose reference is the caller's. */
static PyObject *watch_cancel(void)
{
    if (!watch.running) {
        return NULL;
    }
    watch.running = false;
    atomic_store_release(&watch.cancelled, 1);
    prim_futex_wake(&watch.cancelled, 1);
    if (thread_self() != NULL) {
        Py_BEGIN_ALLOW_THREADS pthread_join(watch.thread, NULL);
        Py_END_ALLOW_THREADS
    } else {
        pthread_join(watch.thread, NULL);
    }
    PyObject *file = watch.target.file;
    watch.target.file = NULL;
    return file;
}

static int watch_start(void)
{
    atomic_store_release(&watch.cancelled, 0);
    int error = pthread_create(&watch.thread, NULL, watch_run, NULL);
    watch.running = error == 0;
    return error;
}

static void headline_init(PyTime_t timeout)
{
    PyTime_t micros = timeout / 1000, seconds = micros / 1000000;
    int length =
        snprintf(watch.headline, sizeof watch.headline, "Timeout (%lld:%02d:%02d",
                 (long long)(seconds / 3600), (int)(seconds / 60 % 60), (int)(seconds % 60));
    if (micros % 1000000 != 0) {
        length += snprintf(watch.headline + length, sizeof watch.headline - (size_t)length, ".%06d",
                           (int)(micros % 1000000));
    }
    snprintf(watch.headline + length, sizeof watch.headline - (size_t)length, ")!\n");
}

static int faulthandler_dump_traceback_later(PyObject *module, PyObject *timeout, int repeat,
                                             PyObject *file, int exit)
{
    PyTime_t wait;
    struct target target;
    if (!nanoseconds_of(timeout, ROUND_AWAY, &wait)) {
        return -1;
    }
    if (wait < 1000) {
        PyErr_SetString(PyExc_ValueError, "timeout must be greater than 0");
        return -1;
    }
    if (target_init(&target, file, true) < 0) {
        return -1;
    }
    prepare_end();
    PyMutex_Lock(&watch.lock);
    PyObject *old = watch_cancel();
    watch.target = target;
    watch.timeout = wait;
    watch.repeat = repeat;
    watch.exit = exit;
    headline_init(wait);
    int error = watch_start();
    PyMutex_Unlock(&watch.lock);
    Py_XDECREF(old);
    if (error != 0) {
        PyErr_SetString(PyExc_RuntimeError, "unable to start watchdog thread");
        return -1;
    }
    return 0;
}

static int faulthandler_cancel_dump_traceback_later(PyObject *module)
{
    PyMutex_Lock(&watch.lock);
    PyObject *old = watch_cancel();
    PyMutex_Unlock(&watch.lock);
    Py_XDECREF(old);
    return 0;
}

/* ---- the end of the interpreter; fork ------------------------------------------------------------------------ */

/* Files are let go without closing: nobody can run code by now. */
static void at_end(void)
{
    PyObject *file = watch_cancel();
    (void)file;
    disable_faults();
    for (int number = 1; number < NSIG; number++) {
        unregister_user(number, &file);
    }
}

/* The watch is a thread of the parent's. */
static void forget_watch(void)
{
    watch.lock = (PyMutex){0};
    state.lock = (PyMutex){0};
    watch.running = false;
}

static void prepare_end(void)
{
    static struct fork_hooks hooks = {.child = forget_watch};
    static int once;
    if (!__atomic_exchange_n(&once, 1, __ATOMIC_RELAXED)) {
        Py_AtExit(at_end);
        fork_register(&hooks);
        fatal_before_abort = disable_faults;
    }
}

/* ---- faults on purpose ------------------------------------------------------------------------------------------ */

static void no_core_file(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_CORE, &limit) == 0) {
        limit.rlim_cur = 0;
        setrlimit(RLIMIT_CORE, &limit);
    }
}

static int faulthandler_read_null(PyObject *module)
{
    int *volatile nowhere = NULL;
    no_core_file();
    return *(volatile int *)nowhere;
}

static int faulthandler_sigsegv(PyObject *module, int release_gil)
{
    no_core_file();
    if (release_gil) {
        Py_BEGIN_ALLOW_THREADS raise(SIGSEGV);
        Py_END_ALLOW_THREADS
    } else {
        raise(SIGSEGV);
    }
    return 0;
}

static int faulthandler_sigabrt(PyObject *module)
{
    no_core_file();
    abort();
}

static int faulthandler_sigfpe(PyObject *module)
{
    no_core_file();
    raise(SIGFPE);
    return 0;
}

static void *die_in_thread(void *unused)
{
    _Py_FatalErrorFunc("faulthandler_fatal_error_thread", "in new thread");
    return unused;
}

static int faulthandler_fatal_error_c_thread(PyObject *module)
{
    pthread_t thread;
    no_core_file();
    if (pthread_create(&thread, NULL, die_in_thread, NULL) != 0) {
        PyErr_SetString(PyExc_RuntimeError, "unable to start the thread");
        return -1;
    }
    pthread_join(thread, NULL);
    return 0;
}

enum { STACK_MOST = 100 << 20, STACK_STEP = 4096 };

/* The distance from `from` when it has become too large to go on. */
__attribute__((noinline)) static uintptr_t use_stack(uintptr_t from, size_t *depth)
{
    unsigned char volatile here[STACK_STEP];
    here[0] = here[STACK_STEP - 1] = (unsigned char)*depth;
    uintptr_t used = from - (uintptr_t)here;
    if (used >= STACK_MOST) {
        return used;
    }
    ++*depth;
    used = use_stack(from, depth);
    return used + here[0] - here[STACK_STEP - 1];
}

static PyObject *faulthandler_stack_overflow(PyObject *module)
{
    size_t depth = 0;
    no_core_file();
    uintptr_t used = use_stack((uintptr_t)&depth, &depth);
    PyErr_Format(PyExc_RuntimeError,
                 "unable to raise a stack overflow (allocated %zu bytes on the stack, %zu "
                 "recursive calls)",
                 (size_t)used, depth);
    return NULL;
}

static PyModuleDef_Slot slots[] = MODULE_SLOTS_PLAIN;

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,     .m_name = "faulthandler",
    .m_doc = faulthandler_doc, .m_methods = faulthandler_methods,
    .m_slots = slots,
};

MODULE_INIT(faulthandler, definition)
