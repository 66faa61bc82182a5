/* _signal: Python handlers for signals.
 *
 * The C handler only notes the number and asks the main thread for a safe point; the Python handler runs
 * there. What is noted is process-wide, as signals are. */

#include "interp/state.h"
#include "interp/startup/startup.h"
#include "locking/world.h"
#include "module.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "signal_module.bind.h"

static struct {
    sig_atomic_t tripped[NSIG];
    PyObject *handler[NSIG]; /* owned; NULL: not set from Python. Main thread only */
    PyObject *standard, *ignore; /* SIG_DFL and SIG_IGN as objects */
    int wakeup_fd;
} signals = {.wakeup_fd = -1};

/* ---- arrival ----------------------------------------------------------------------------------------- */

static void note_signal(int number)
{
    int saved = errno;
    __atomic_store_n(&signals.tripped[number], 1, __ATOMIC_RELEASE);
    int fd = __atomic_load_n(&signals.wakeup_fd, __ATOMIC_RELAXED);
    if (fd >= 0) {
        unsigned char byte = (unsigned char)number;
        ssize_t ignored = write(fd, &byte, 1);
        (void)ignored;
    }
    interrupts_notify();
    errno = saved;
}

/* Runs the handlers of what has arrived: 0, or -1 with an exception. */
static int run_handlers(void)
{
    for (int number = 1; number < NSIG; number++) {
        if (!__atomic_exchange_n(&signals.tripped[number], 0, __ATOMIC_ACQUIRE)) {
            continue;
        }
        PyObject *handler = Py_XNewRef(signals.handler[number]);
        if (handler == NULL || handler == signals.standard || handler == signals.ignore) {
            Py_XDECREF(handler);
            continue;
        }
        PyObject *frame = (PyObject *)PyEval_GetFrame();
        PyObject *result = PyObject_CallFunction(handler, "iO", number,
                                                 frame == NULL ? Py_None : frame);
        Py_DECREF(handler);
        if (result == NULL) {
            return -1;
        }
        Py_DECREF(result);
    }
    return 0;
}

/* ---- functions ----------------------------------------------------------------------------------------- */

static int check_number(int number)
{
    if (number < 1 || number >= NSIG) {
        PyErr_SetString(PyExc_ValueError, "signal number out of range");
        return -1;
    }
    return 0;
}

static PyObject *signal_module_default_int_handler(PyObject *module, int number, PyObject *frame)
{
    PyErr_SetNone(PyExc_KeyboardInterrupt);
    return NULL;
}

static PyObject *signal_module_signal(PyObject *module, int number, PyObject *handler)
{
    struct sigaction action = {.sa_handler = note_signal};
    sigemptyset(&action.sa_mask);
    if (!thread_is_main()) {
        PyErr_SetString(PyExc_ValueError,
                        "signal only works in main thread of the main interpreter");
        return NULL;
    }
    if (check_number(number) < 0) {
        return NULL;
    }
    if (PyCallable_Check(handler)) {
        action.sa_handler = note_signal;
    } else if (PyLong_Check(handler) && PyLong_AsLong(handler) == (long)SIG_IGN) {
        action.sa_handler = SIG_IGN;
        handler = signals.ignore;
    } else if (PyLong_Check(handler) && PyLong_AsLong(handler) == (long)SIG_DFL) {
        action.sa_handler = SIG_DFL;
        handler = signals.standard;
    } else {
        PyErr_Clear();
        PyErr_SetString(PyExc_TypeError, "signal handler must be signal.SIG_IGN, signal.SIG_DFL, "
                                         "or a callable object");
        return NULL;
    }
    if (PyErr_CheckSignals() < 0) {
        return NULL;
    }
    if (sigaction(number, &action, NULL) < 0) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    PyObject *old = signals.handler[number];
    signals.handler[number] = Py_NewRef(handler);
    return old != NULL ? old : Py_NewRef(Py_None);
}

static PyObject *signal_module_getsignal(PyObject *module, int number)
{
    if (check_number(number) < 0) {
        return NULL;
    }
    PyObject *handler = signals.handler[number];
    return Py_NewRef(handler == NULL ? Py_None : handler);
}

static int signal_module_raise_signal(PyObject *module, int number)
{
    if (raise(number) != 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    return PyErr_CheckSignals();
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

static int signal_module_alarm(PyObject *module, int seconds)
{
    return (int)alarm((unsigned)seconds);
}

static int signal_module_pause(PyObject *module)
{
    Py_BEGIN_ALLOW_THREADS
    pause();
    Py_END_ALLOW_THREADS
    return PyErr_CheckSignals();
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

static int signal_module_set_wakeup_fd(PyObject *module, int fd, int warn_on_full_buffer)
{
    if (!thread_is_main()) {
        PyErr_SetString(PyExc_ValueError,
                        "set_wakeup_fd only works in main thread of the main interpreter");
        return -1;
    }
    if (fd != -1 && check_wakeup_fd(fd) < 0) {
        return -1;
    }
    return __atomic_exchange_n(&signals.wakeup_fd, fd, __ATOMIC_RELAXED);
}

int PySignal_SetWakeupFd(int fd)
{
    return __atomic_exchange_n(&signals.wakeup_fd, fd < 0 ? -1 : fd, __ATOMIC_RELAXED);
}

static int signal_module_siginterrupt(PyObject *module, int number, int flag)
{
    if (check_number(number) < 0) {
        return -1;
    }
    struct sigaction action;
    if (sigaction(number, NULL, &action) < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    action.sa_flags = flag ? action.sa_flags & ~SA_RESTART : action.sa_flags | SA_RESTART;
    if (sigaction(number, &action, NULL) < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    return 0;
}

static PyObject *signal_module_valid_signals(PyObject *module)
{
    sigset_t set;
    sigfillset(&set);
    PyObject *result = PySet_New(NULL);
    for (int number = 1; number < NSIG && result != NULL; number++) {
        if (sigismember(&set, number) != 1) {
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

/* ---- the module -------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int number;
} names[] = {
    {"SIGHUP", SIGHUP}, {"SIGINT", SIGINT}, {"SIGQUIT", SIGQUIT}, {"SIGILL", SIGILL},
    {"SIGTRAP", SIGTRAP}, {"SIGIOT", SIGIOT}, {"SIGABRT", SIGABRT}, {"SIGFPE", SIGFPE},
    {"SIGKILL", SIGKILL}, {"SIGBUS", SIGBUS}, {"SIGSEGV", SIGSEGV}, {"SIGSYS", SIGSYS},
    {"SIGPIPE", SIGPIPE}, {"SIGALRM", SIGALRM}, {"SIGTERM", SIGTERM}, {"SIGUSR1", SIGUSR1},
    {"SIGUSR2", SIGUSR2}, {"SIGCLD", SIGCHLD}, {"SIGCHLD", SIGCHLD}, {"SIGPWR", SIGPWR},
    {"SIGIO", SIGIO}, {"SIGURG", SIGURG}, {"SIGWINCH", SIGWINCH}, {"SIGPOLL", SIGPOLL},
    {"SIGSTOP", SIGSTOP}, {"SIGTSTP", SIGTSTP}, {"SIGCONT", SIGCONT}, {"SIGTTIN", SIGTTIN},
    {"SIGTTOU", SIGTTOU}, {"SIGVTALRM", SIGVTALRM}, {"SIGPROF", SIGPROF}, {"SIGXCPU", SIGXCPU},
    {"SIGXFSZ", SIGXFSZ}, {"SIGSTKFLT", SIGSTKFLT}, {"NSIG", NSIG},
};

/* The handlers that the process started with. */
static int note_initial(PyObject *int_handler)
{
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;
        if (sigaction(number, NULL, &action) < 0) {
            continue;
        }
        PyObject *handler = action.sa_handler == SIG_DFL   ? signals.standard
                            : action.sa_handler == SIG_IGN ? signals.ignore : NULL;
        Py_XSETREF(signals.handler[number], Py_XNewRef(handler));
    }
    struct sigaction action;
    if (sigaction(SIGINT, NULL, &action) == 0 && action.sa_handler != SIG_IGN) {
        struct sigaction own = {.sa_handler = note_signal};
        sigemptyset(&own.sa_mask);
        sigaction(SIGINT, &own, NULL);
        Py_XSETREF(signals.handler[SIGINT], Py_NewRef(int_handler));
    }
    return 0;
}

static int signal_exec(PyObject *module)
{
    signals.standard = PyLong_FromVoidPtr((void *)SIG_DFL);
    signals.ignore = PyLong_FromVoidPtr((void *)SIG_IGN);
    PyObject *int_handler = PyObject_GetAttrString(module, "default_int_handler");
    if (signals.standard == NULL || signals.ignore == NULL || int_handler == NULL ||
        PyModule_AddObjectRef(module, "SIG_DFL", signals.standard) < 0 ||
        PyModule_AddObjectRef(module, "SIG_IGN", signals.ignore) < 0) {
        Py_XDECREF(int_handler);
        return -1;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (PyModule_AddIntConstant(module, names[i].name, names[i].number) < 0) {
            Py_DECREF(int_handler);
            return -1;
        }
    }
    if (PyModule_AddIntConstant(module, "SIGRTMIN", SIGRTMIN) < 0 ||
        PyModule_AddIntConstant(module, "SIGRTMAX", SIGRTMAX) < 0) {
        Py_DECREF(int_handler);
        return -1;
    }
    interrupts_handler = run_handlers;
    int result = thread_is_main() ? note_initial(int_handler) : 0;
    Py_DECREF(int_handler);
    return result;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, signal_exec},
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_signal",
    .m_doc = signal_module_doc,
    .m_methods = signal_module_methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__signal(void)
{
    return PyModuleDef_Init(&definition);
}
