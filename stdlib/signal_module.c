/* _signal: Python handlers for signals, and the system's calls about signals.
 *
 * The C handler only notes the number and asks the main thread for a safe point; the Python handler runs
 * there. Handlers belong to the process, as signals do. */

#include "interp/startup/startup.h"
#include "locking/lock.h"
#include "locking/world.h"
#include "seconds.h"
#include "sigset.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

struct signal_state {
    PyObject *itimer_error, *siginfo_type;
};

#include "signal_module.bind.h"

static struct {
    PyMutex mutex;           /* of the handlers, which the main thread alone changes */
    PyObject *handler[NSIG]; /* owned; NULL: not set from Python */
    int wakeup_fd;
    int wakeup_warns; /* about a full buffer */
    int wakeup_errno; /* why the last write failed, to be told at a safe point */
    bool ended;
} signals = {.wakeup_fd = -1};

/* SIG_DFL and SIG_IGN as handlers: small ints. */
static bool is_standard(PyObject *handler, void (*which)(int))
{
    return PyLong_Check(handler) && PyLong_AsVoidPtr(handler) == (void *)which;
}

static bool is_python_handler(PyObject *handler)
{
    return handler != NULL && handler != Py_None && !is_standard(handler, SIG_DFL)
           && !is_standard(handler, SIG_IGN);
}

/* New reference; NULL: none. */
static PyObject *handler_get(int number)
{
    mutex_lock(&signals.mutex);
    PyObject *handler = Py_XNewRef(signals.handler[number]);
    mutex_unlock(&signals.mutex);
    return handler;
}

/* Takes over a reference, gives back another one. */
static PyObject *handler_swap(int number, PyObject *handler)
{
    mutex_lock(&signals.mutex);
    PyObject *old = signals.handler[number];
    signals.handler[number] = handler;
    mutex_unlock(&signals.mutex);
    return old;
}

/* ---- arrival ----------------------------------------------------------------------------------------- */

/* Runs in the C handler: system calls and atomics only. */
static void write_wakeup(int number)
{
    int fd = __atomic_load_n(&signals.wakeup_fd, __ATOMIC_RELAXED);
    unsigned char byte = (unsigned char)number;
    if (fd < 0 || write(fd, &byte, 1) == 1) {
        return;
    }
    bool full = errno == EAGAIN || errno == EWOULDBLOCK;
    if (!full || __atomic_load_n(&signals.wakeup_warns, __ATOMIC_RELAXED)) {
        __atomic_store_n(&signals.wakeup_errno, errno, __ATOMIC_RELAXED);
    }
}

static void note_signal(int number)
{
    int saved = errno;
    write_wakeup(number);
    interrupts_note(number);
    errno = saved;
}

/* A handler of the main thread's that is interrupted by another signal must not lose its exception. */
static void report_wakeup_error(void)
{
    int error = __atomic_exchange_n(&signals.wakeup_errno, 0, __ATOMIC_RELAXED);
    if (error == 0) {
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    errno = error;
    PyErr_SetFromErrno(PyExc_OSError);
    PyErr_FormatUnraisable("Exception ignored when trying to write to the signal wakeup fd");
    PyErr_SetRaisedException(raised);
}

static int run_handler(int number)
{
    PyObject *handler = handler_get(number);
    if (!is_python_handler(handler)) {
        /* Switched off by another handler after this signal had arrived. */
        if (handler == NULL || is_standard(handler, SIG_DFL)) {
            PyErr_Format(PyExc_OSError, "Signal %i ignored due to race condition", number);
            PyErr_WriteUnraisable(Py_None);
        }
        Py_XDECREF(handler);
        return 0;
    }
    PyObject *frame = (PyObject *)PyEval_GetFrame();
    PyObject *result =
        PyObject_CallFunction(handler, "iO", number, frame == NULL ? Py_None : frame);
    Py_DECREF(handler);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

/* What a safe point of the main thread does: 0, or -1 with an exception; then the rest stays noted. */
static int run_handlers(void)
{
    report_wakeup_error();
    for (int number = 1; number < NSIG; number++) {
        if (interrupts_take(number) && run_handler(number) < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- handlers ------------------------------------------------------------------------------------------ */

static int check_number(int number)
{
    if (number < 1 || number >= NSIG) {
        PyErr_SetString(PyExc_ValueError, "signal number out of range");
        return -1;
    }
    return 0;
}

static int check_main_thread(const char *function)
{
    if (thread_is_main() && thread_interp(thread_self())->is_main) {
        return 0;
    }
    PyErr_Format(PyExc_ValueError, "%s only works in main thread of the main interpreter",
                 function);
    return -1;
}

static PyObject *signal_module_default_int_handler(PyObject *module, int number, PyObject *frame)
{
    PyErr_SetNone(PyExc_KeyboardInterrupt);
    return NULL;
}

static PyObject *signal_module_signal(PyObject *module, int number, PyObject *handler)
{
    struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    if (check_main_thread("signal") < 0 || check_number(number) < 0) {
        return NULL;
    }
    if (is_standard(handler, SIG_IGN)) {
        action.sa_handler = SIG_IGN;
    } else if (is_standard(handler, SIG_DFL)) {
        action.sa_handler = SIG_DFL;
    } else if (!PyCallable_Check(handler)) {
        PyErr_Clear();
        PyErr_SetString(PyExc_TypeError, "signal handler must be signal.SIG_IGN, signal.SIG_DFL, "
                                         "or a callable object");
        return NULL;
    }
    /* What has arrived is for the old handler. */
    if (PyErr_CheckSignals() < 0) {
        return NULL;
    }
    if (sigaction(number, &action, NULL) < 0) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    PyObject *old = handler_swap(number, Py_NewRef(handler));
    return old != NULL ? old : Py_NewRef(Py_None);
}

static PyObject *signal_module_getsignal(PyObject *module, int number)
{
    if (check_number(number) < 0) {
        return NULL;
    }
    PyObject *handler = handler_get(number);
    return handler == NULL ? Py_NewRef(Py_None) : handler;
}

static int signal_module_siginterrupt(PyObject *module, int number, int flag)
{
    struct sigaction action;
    if (check_number(number) < 0) {
        return -1;
    }
    if (sigaction(number, NULL, &action) == 0) {
        action.sa_flags = flag ? action.sa_flags & ~SA_RESTART : action.sa_flags | SA_RESTART;
        if (sigaction(number, &action, NULL) == 0) {
            return 0;
        }
    }
    PyErr_SetFromErrno(PyExc_OSError);
    return -1;
}

static int check_wakeup_fd(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    if (!(flags & O_NONBLOCK)) {
        PyErr_Format(PyExc_ValueError, "the fd %i must be in non-blocking mode", fd);
        return -1;
    }
    return 0;
}

static int set_wakeup_fd(int fd, int warns)
{
    __atomic_store_n(&signals.wakeup_warns, warns, __ATOMIC_RELAXED);
    return __atomic_exchange_n(&signals.wakeup_fd, fd, __ATOMIC_RELAXED);
}

static int signal_module_set_wakeup_fd(PyObject *module, int fd, int warn_on_full_buffer)
{
    if (check_main_thread("set_wakeup_fd") < 0 || (fd != -1 && check_wakeup_fd(fd) < 0)) {
        return -1;
    }
    return set_wakeup_fd(fd, warn_on_full_buffer);
}

PyAPI_FUNC(int) PySignal_SetWakeupFd(int fd);

int PySignal_SetWakeupFd(int fd)
{
    return set_wakeup_fd(fd < 0 ? -1 : fd, 1);
}

static PyObject *signal_module_strsignal(PyObject *module, int number)
{
    if (check_number(number) < 0) {
        return NULL;
    }
    const char *text = strsignal(number);
    if (text == NULL || strstr(text, "Unknown signal") != NULL) {
        Py_RETURN_NONE;
    }
    return PyUnicode_FromString(text);
}

/* ---- sending ------------------------------------------------------------------------------------------- */

static int signal_module_raise_signal(PyObject *module, int number)
{
    int result;
    Py_BEGIN_ALLOW_THREADS result = raise(number);
    Py_END_ALLOW_THREADS if (result != 0)
    {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    return PyErr_CheckSignals();
}

static int signal_module_pthread_kill(PyObject *module, unsigned long thread, int number)
{
    if (PySys_Audit("signal.pthread_kill", "ki", thread, number) < 0) {
        return -1;
    }
    int error = pthread_kill((pthread_t)thread, number);
    if (error != 0) {
        errno = error;
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    return PyErr_CheckSignals();
}

static int signal_module_pidfd_send_signal(PyObject *module, int pidfd, int number,
                                           PyObject *siginfo, int flags)
{
    if (siginfo != Py_None) {
        PyErr_SetString(PyExc_TypeError, "siginfo must be None");
        return -1;
    }
    if (syscall(SYS_pidfd_send_signal, pidfd, number, NULL, flags) < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    return PyErr_CheckSignals();
}

/* ---- timers -------------------------------------------------------------------------------------------- */

static long signal_module_alarm(PyObject *module, int seconds)
{
    return (long)alarm((unsigned)seconds);
}

static bool timeval_of(PyObject *seconds, struct timeval *out)
{
    PyTime_t time;
    if (!nanoseconds_of(seconds, ROUND_CEILING, &time)) {
        return false;
    }
    PyTime_t micros = time / 1000 + (time > 0 && time % 1000 != 0);
    PyTime_t rest = micros % 1000000;
    rest += rest < 0 ? 1000000 : 0;
    *out = (struct timeval){.tv_sec = (micros - rest) / 1000000, .tv_usec = rest};
    return true;
}

static double seconds_of(const struct timeval *time)
{
    return (double)time->tv_sec + (double)time->tv_usec * 1e-6;
}

static PyObject *timer_pair(PyObject *module, int failed, const struct itimerval *timer)
{
    if (failed) {
        struct signal_state *state = PyModule_GetState(module);
        return PyErr_SetFromErrno(state->itimer_error);
    }
    return Py_BuildValue("(dd)", seconds_of(&timer->it_value), seconds_of(&timer->it_interval));
}

static PyObject *signal_module_setitimer(PyObject *module, int which, PyObject *seconds,
                                         PyObject *interval)
{
    struct itimerval timer = {.it_interval = {0, 0}}, old;
    if (!timeval_of(seconds, &timer.it_value)
        || (interval != NULL && !timeval_of(interval, &timer.it_interval))) {
        return NULL;
    }
    bool failed = setitimer((__itimer_which_t)which, &timer, &old) < 0;
    PyObject *result = timer_pair(module, failed, &old);
    /* A short delay is over by now. */
    if (result != NULL && PyErr_CheckSignals() < 0) {
        Py_CLEAR(result);
    }
    return result;
}

static PyObject *signal_module_getitimer(PyObject *module, int which)
{
    struct itimerval timer;
    return timer_pair(module, getitimer((__itimer_which_t)which, &timer) < 0, &timer);
}

/* ---- sets and waiting ------------------------------------------------------------------------------------ */

static PyObject *set_of_sigset(const sigset_t *set)
{
    PyObject *result = PySet_New(NULL);
    for (int number = 1; number < NSIG && result != NULL; number++) {
        if (sigismember(set, number) != 1) {
            continue;
        }
        PyObject *item = PyLong_FromLong(number);
        if (item == NULL || PySet_Add(result, item) < 0) {
            Py_CLEAR(result);
        }
        Py_XDECREF(item);
    }
    return result;
}

static PyObject *signal_module_valid_signals(PyObject *module)
{
    sigset_t set;
    sigfillset(&set);
    return set_of_sigset(&set);
}

static PyObject *signal_module_pthread_sigmask(PyObject *module, int how, sigset_t mask)
{
    sigset_t old;
    int error = pthread_sigmask(how, &mask, &old);
    if (error != 0) {
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    /* A signal that is let through now has its handler run before we return. */
    return PyErr_CheckSignals() < 0 ? NULL : set_of_sigset(&old);
}

static PyObject *signal_module_sigpending(PyObject *module)
{
    sigset_t set;
    return sigpending(&set) < 0 ? PyErr_SetFromErrno(PyExc_OSError) : set_of_sigset(&set);
}

static int signal_module_pause(PyObject *module)
{
    Py_BEGIN_ALLOW_THREADS pause();
    Py_END_ALLOW_THREADS return PyErr_CheckSignals();
}

static PyObject *signal_module_sigwait(PyObject *module, sigset_t set)
{
    int error, number;
    Py_BEGIN_ALLOW_THREADS error = sigwait(&set, &number);
    Py_END_ALLOW_THREADS if (error != 0)
    {
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyLong_FromLong(number);
}

static PyStructSequence_Field siginfo_fields[] = {
    {"si_signo", "number of the signal"},
    {"si_code", "why it was sent"},
    {"si_errno", "error number that goes with it"},
    {"si_pid", "process that sent it"},
    {"si_uid", "user whose process sent it"},
    {"si_status", "exit status, or signal of a child"},
    {"si_band", "event on a descriptor, for SIGPOLL"},
    {NULL, NULL},
};

static PyStructSequence_Desc siginfo_desc = {
    "signal.struct_siginfo",
    "What is known about a signal that was waited for.",
    siginfo_fields,
    7,
};

static PyObject *siginfo_new(PyObject *module, const siginfo_t *info)
{
    struct signal_state *state = PyModule_GetState(module);
    PyObject *result = PyStructSequence_New((PyTypeObject *)state->siginfo_type);
    PyObject *items[] = {
        PyLong_FromLong(info->si_signo),       PyLong_FromLong(info->si_code),
        PyLong_FromLong(info->si_errno),       PyLong_FromLong(info->si_pid),
        PyLong_FromUnsignedLong(info->si_uid), PyLong_FromLong(info->si_status),
        PyLong_FromLong(info->si_band),
    };
    bool fine = result != NULL;
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
        fine = fine && items[i] != NULL;
        if (result != NULL) {
            PyStructSequence_SetItem(result, (Py_ssize_t)i, items[i]);
        } else {
            Py_XDECREF(items[i]);
        }
    }
    if (!fine) {
        Py_CLEAR(result);
    }
    return result;
}

static PyObject *signal_module_sigwaitinfo(PyObject *module, sigset_t set)
{
    for (;;) {
        siginfo_t info;
        int result;
        Py_BEGIN_ALLOW_THREADS result = sigwaitinfo(&set, &info);
        Py_END_ALLOW_THREADS if (result >= 0)
        {
            return siginfo_new(module, &info);
        }
        if (errno != EINTR) {
            return PyErr_SetFromErrno(PyExc_OSError);
        }
        if (PyErr_CheckSignals() < 0) {
            return NULL;
        }
    }
}

static PyObject *signal_module_sigtimedwait(PyObject *module, sigset_t set, PyObject *timeout)
{
    PyTime_t left, now;
    if (!nanoseconds_of(timeout, ROUND_CEILING, &left)) {
        return NULL;
    }
    if (left < 0) {
        PyErr_SetString(PyExc_ValueError, "timeout must be non-negative");
        return NULL;
    }
    PyTime_MonotonicRaw(&now);
    PyTime_t deadline = left > PyTime_MAX - now ? PyTime_MAX : now + left;
    for (;;) {
        struct timespec wait = timespec_of(left);
        siginfo_t info;
        int result;
        Py_BEGIN_ALLOW_THREADS result = sigtimedwait(&set, &info, &wait);
        Py_END_ALLOW_THREADS if (result >= 0)
        {
            return siginfo_new(module, &info);
        }
        if (errno != EINTR) {
            return errno == EAGAIN ? Py_NewRef(Py_None) : PyErr_SetFromErrno(PyExc_OSError);
        }
        if (PyErr_CheckSignals() < 0) {
            return NULL;
        }
        PyTime_MonotonicRaw(&now);
        left = deadline - now;
        if (left < 0) {
            Py_RETURN_NONE;
        }
    }
}

/* ---- the module -------------------------------------------------------------------------------------------- */

/* clang-format off */
static const struct constant numbers[] = {
    CONSTANT(SIGHUP), CONSTANT(SIGINT), CONSTANT(SIGQUIT), CONSTANT(SIGILL), CONSTANT(SIGTRAP),
    CONSTANT(SIGIOT), CONSTANT(SIGABRT), CONSTANT(SIGFPE), CONSTANT(SIGKILL), CONSTANT(SIGBUS),
    CONSTANT(SIGSEGV), CONSTANT(SIGSYS), CONSTANT(SIGPIPE), CONSTANT(SIGALRM), CONSTANT(SIGTERM),
    CONSTANT(SIGUSR1), CONSTANT(SIGUSR2), {"SIGCLD", SIGCHLD}, CONSTANT(SIGCHLD), CONSTANT(SIGPWR),
    CONSTANT(SIGIO), CONSTANT(SIGURG), CONSTANT(SIGWINCH), CONSTANT(SIGPOLL), CONSTANT(SIGSTOP),
    CONSTANT(SIGTSTP), CONSTANT(SIGCONT), CONSTANT(SIGTTIN), CONSTANT(SIGTTOU), CONSTANT(SIGVTALRM),
    CONSTANT(SIGPROF), CONSTANT(SIGXCPU), CONSTANT(SIGXFSZ), CONSTANT(SIGSTKFLT), CONSTANT(NSIG),
    CONSTANT(SIG_BLOCK), CONSTANT(SIG_UNBLOCK), CONSTANT(SIG_SETMASK), CONSTANT(ITIMER_REAL),
    CONSTANT(ITIMER_VIRTUAL), CONSTANT(ITIMER_PROF), {"SIG_DFL", (intptr_t)SIG_DFL},
    {"SIG_IGN", (intptr_t)SIG_IGN},
};
/* clang-format on */

/* Fills `handler` with what the process started with: 0, or -1 with an exception. */
static int note_initial(void)
{
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;
        if (signals.handler[number] != NULL || sigaction(number, NULL, &action) < 0) {
            continue;
        }
        if (action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN) {
            signals.handler[number] = PyLong_FromVoidPtr((void *)action.sa_handler);
            if (signals.handler[number] == NULL) {
                return -1;
            }
        }
    }
    return 0;
}

/* SIGINT, which start-up has taken over, raises KeyboardInterrupt. */
static int take_interrupt(PyObject *module)
{
    struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    struct sigaction old;
    if (sigaction(SIGINT, NULL, &old) < 0 || old.sa_handler == SIG_IGN || old.sa_handler == SIG_DFL
        || signals.handler[SIGINT] != NULL) {
        return 0;
    }
    PyObject *handler = PyObject_GetAttrString(module, "default_int_handler");
    if (handler == NULL) {
        return -1;
    }
    signals.handler[SIGINT] = handler;
    sigaction(SIGINT, &action, NULL);
    return 0;
}

static bool has_python_handler(int number)
{
    PyObject *handler = handler_get(number);
    bool handles = __atomic_load_n(&signals.ended, __ATOMIC_RELAXED) || is_python_handler(handler);
    Py_XDECREF(handler);
    return handles;
}

/* The end of the interpreter: signals do again what they did before it. */
static void end_signals(void)
{
    __atomic_store_n(&signals.ended, true, __ATOMIC_RELAXED);
    set_wakeup_fd(-1, 1);
    for (int number = 1; number < NSIG; number++) {
        PyObject *handler = handler_swap(number, NULL);
        if (is_python_handler(handler)) {
            signal(number, SIG_DFL);
        }
        Py_XDECREF(handler);
    }
}

static int signal_exec(PyObject *module)
{
    struct signal_state *state = PyModule_GetState(module);
    state->itimer_error = PyErr_NewException("signal.itimer_error", PyExc_OSError, NULL);
    state->siginfo_type = (PyObject *)PyStructSequence_NewType(&siginfo_desc);
    if (state->itimer_error == NULL || state->siginfo_type == NULL
        || PyModule_AddObjectRef(module, "ItimerError", state->itimer_error) < 0
        || PyModule_AddObjectRef(module, "struct_siginfo", state->siginfo_type) < 0
        || module_constants(module, numbers, sizeof numbers / sizeof numbers[0]) < 0
        || PyModule_AddIntConstant(module, "SIGRTMIN", SIGRTMIN) < 0
        || PyModule_AddIntConstant(module, "SIGRTMAX", SIGRTMAX) < 0) {
        return -1;
    }
    if (!thread_is_main() || !thread_interp(thread_self())->is_main) {
        return 0;
    }
    interrupts_python_handler = has_python_handler;
    interrupts_handler = run_handlers;
    interrupts_end = end_signals;
    return note_initial() < 0 ? -1 : take_interrupt(module);
}

STATE_OBJECTS(signal)

static PyModuleDef_Slot slots[] = MODULE_SLOTS(signal_exec);

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,      .m_name = "_signal",
    .m_doc = signal_module_doc, .m_methods = signal_module_methods,
    .m_slots = slots,           STATE_FIELDS(signal),
};

MODULE_INIT(_signal, definition)
