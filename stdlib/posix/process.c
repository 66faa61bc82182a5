/* The module posix: processes: making them, waiting for them, running programs, scheduling. */
#include "posix.h"

#include <pty.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

PyObject *os_exit(PyObject *Py_UNUSED(module), int status)
{
    _exit(status);
}

PyObject *os_abort(PyObject *Py_UNUSED(module))
{
    abort();
}

/* ---- fork ----------------------------------------------------------------------------------- */

int os_register_at_fork(PyObject *module, PyObject *before, PyObject *after_in_child,
                        PyObject *after_in_parent)
{
    struct posix_state *state = state_of(module);
    struct {
        const char *name;
        PyObject *hook, *list;
    } hooks[] = {
        {"before", before, state->fork_before},
        {"after_in_child", after_in_child, state->fork_in_child},
        {"after_in_parent", after_in_parent, state->fork_in_parent},
    };
    if (before == NULL && after_in_child == NULL && after_in_parent == NULL) {
        PyErr_SetString(PyExc_TypeError, "At least one argument is required.");
        return -1;
    }
    for (int i = 0; i < 3; i++) {
        if (hooks[i].hook != NULL && !PyCallable_Check(hooks[i].hook)) {
            PyErr_Format(PyExc_TypeError, "'%s' must be callable, not %.200s", hooks[i].name,
                         Py_TYPE(hooks[i].hook)->tp_name);
            return -1;
        }
    }
    for (int i = 0; i < 3; i++) {
        if (hooks[i].hook != NULL && PyList_Append(hooks[i].list, hooks[i].hook) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Calls the hooks registered so far; what they raise is reported and goes no further. */
static void hooks_call(PyObject *list, bool last_first)
{
    PyObject *hooks = PyList_AsTuple(list);
    if (hooks == NULL) {
        PyErr_WriteUnraisable(list);
        return;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(hooks);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *hook = PyTuple_GET_ITEM(hooks, last_first ? count - 1 - i : i);
        PyObject *result = PyObject_CallNoArgs(hook);
        if (result == NULL) {
            PyErr_WriteUnraisable(hook);
        }
        Py_XDECREF(result);
    }
    Py_DECREF(hooks);
}

/* How many threads this process has, 0 if the system does not say. */
static long thread_count(void)
{
    char text[512];
    int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0) {
        close(fd);
    }
    text[Py_MAX(size, 0)] = '\0';
    /* The twentieth item; the second is a name in parentheses, which may have blanks in it. */
    char *at = strrchr(text, ')');
    for (int item = 2; at != NULL && item < 20; item++) {
        at = strchr(at + 1, ' ');
    }
    return at ? strtol(at + 1, NULL, 10) : 0;
}

/* Tells the parent what may come of it; 0, or -1 with an exception. */
static int warn_of_threads(const char *function)
{
    if (thread_count() <= 1) {
        return 0;
    }
    return PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                            "This process (pid=%d) is multi-threaded, use of %s() may lead to "
                            "deadlocks in the child.",
                            (int)getpid(), function);
}

/* The fork with everything around it; `master` is for a terminal or NULL.  -1 with an exception. */
static pid_t do_fork(PyObject *module, const char *event, int *master)
{
    struct posix_state *state = state_of(module);
    if (Py_IsFinalizing()) {
        PyErr_SetString(PyExc_PythonFinalizationError, "can't fork at interpreter shutdown");
        return -1;
    }
    if (PySys_Audit(event, NULL) < 0) {
        return -1;
    }
    hooks_call(state->fork_before, true);
    PyOS_BeforeFork();
    pid_t pid = master ? forkpty(master, NULL, NULL, NULL) : fork();
    int error = errno;
    if (pid == 0) {
        PyOS_AfterFork_Child();
        hooks_call(state->fork_in_child, false);
    } else {
        PyOS_AfterFork_Parent();
        hooks_call(state->fork_in_parent, false);
    }
    errno = error;
    if (pid < 0) {
        return posix_fail();
    }
    return pid > 0 && warn_of_threads(event + strlen("os.")) < 0 ? -1 : pid;
}

PyObject *os_fork(PyObject *module)
{
    pid_t pid = do_fork(module, "os.fork", NULL);
    return pid < 0 ? NULL : PyLong_FromLong(pid);
}

PyObject *os_forkpty(PyObject *module)
{
    int master = -1;
    pid_t pid = do_fork(module, "os.forkpty", &master);
    return pid < 0 ? NULL : Py_BuildValue("(ii)", (int)pid, master);
}

/* ---- exec ----------------------------------------------------------------------------------- */

static PyObject *do_exec(const char *function, struct path *path, PyObject *argv, PyObject *env)
{
    const char *what = env ? "execve: argv" : "execv() arg 2";
    STRINGS(arguments);
    STRINGS(variables);
    if (!PyList_Check(argv) && !PyTuple_Check(argv)) {
        PyErr_Format(PyExc_TypeError, "%s must be a tuple or list", what);
        return NULL;
    }
    if (PySequence_Size(argv) < 1) {
        PyErr_Format(PyExc_ValueError, "%s must not be empty", what);
        return NULL;
    }
    if (env != NULL && !PyMapping_Check(env)) {
        PyErr_SetString(PyExc_TypeError, "execve: environment must be a mapping object");
        return NULL;
    }
    if (!strings_of_sequence(&arguments, argv)) {
        return NULL;
    }
    if (arguments.items[0] == NULL || arguments.items[0][0] == '\0') {
        PyErr_Format(PyExc_ValueError, "%s first element cannot be empty", what);
        return NULL;
    }
    if ((env != NULL && !strings_of_environ(&variables, env))
        || PySys_Audit("os.exec", "OOO", path->object, argv, env ? env : Py_None) < 0) {
        return NULL;
    }
    (void)function;
    if (path->name == NULL) {
        fexecve(path->fd, arguments.items, variables.items);
    } else if (env != NULL) {
        execve(path->name, arguments.items, variables.items);
    } else {
        execv(path->name, arguments.items);
    }
    return env ? path_raise(path) : posix_raise();
}

PyObject *os_execv(PyObject *Py_UNUSED(module), PyObject *arg, PyObject *argv)
{
    PATH(path);
    return path_read(&path, arg, "execv", "path", 0) ? do_exec("execv", &path, argv, NULL) : NULL;
}

PyObject *os_execve(PyObject *Py_UNUSED(module), PyObject *arg, PyObject *argv, PyObject *env)
{
    PATH(path);
    return path_read(&path, arg, "execve", "path", PATH_FD) ? do_exec("execve", &path, argv, env)
                                                            : NULL;
}

PyObject *os_system(PyObject *Py_UNUSED(module), PyObject *command)
{
    if (PySys_Audit("os.system", "(O)", command) < 0) {
        return NULL;
    }
    return PyLong_FromLong(BLOCKING(system(PyBytes_AS_STRING(command))));
}

/* ---- wait ----------------------------------------------------------------------------------- */

PyObject *os_waitpid(PyObject *Py_UNUSED(module), int pid, int options)
{
    int status = 0;
    pid_t found = RETRYING(waitpid(pid, &status, options));
    return found < 0 ? posix_raise() : Py_BuildValue("(ii)", (int)found, status);
}

PyObject *os_wait(PyObject *module)
{
    return os_waitpid(module, -1, 0);
}

static PyObject *usage_object(const struct rusage *usage)
{
    PyObject *resource = PyImport_ImportModule("resource");
    PyObject *type = resource ? PyObject_GetAttrString(resource, "struct_rusage") : NULL;
    Py_XDECREF(resource);
    if (type == NULL) {
        return NULL;
    }
#define SECONDS(tv) ((double)(tv).tv_sec + (double)(tv).tv_usec * 1e-6)
    PyObject *fields = Py_BuildValue(
        "((ddllllllllllllll))", SECONDS(usage->ru_utime), SECONDS(usage->ru_stime),
        usage->ru_maxrss, usage->ru_ixrss, usage->ru_idrss, usage->ru_isrss, usage->ru_minflt,
        usage->ru_majflt, usage->ru_nswap, usage->ru_inblock, usage->ru_oublock, usage->ru_msgsnd,
        usage->ru_msgrcv, usage->ru_nsignals, usage->ru_nvcsw, usage->ru_nivcsw);
#undef SECONDS
    PyObject *result = fields ? PyObject_CallObject(type, fields) : NULL;
    Py_XDECREF(fields);
    Py_DECREF(type);
    return result;
}

PyObject *os_wait4(PyObject *Py_UNUSED(module), int pid, int options)
{
    int status = 0;
    struct rusage usage = {0};
    pid_t found = RETRYING(wait4(pid, &status, options, &usage));
    if (found < 0) {
        return posix_raise();
    }
    PyObject *record = usage_object(&usage);
    return record ? Py_BuildValue("(iiN)", (int)found, status, record) : NULL;
}

PyObject *os_wait3(PyObject *module, int options)
{
    return os_wait4(module, -1, options);
}

PyObject *os_waitid(PyObject *module, int idtype, id_t id, int options)
{
    siginfo_t info = {0};
    if (RETRYING(waitid((idtype_t)idtype, id, &info, options)) < 0) {
        return posix_raise();
    }
    if (info.si_pid == 0) {
        Py_RETURN_NONE;
    }
    PyObject *items[] = {
        PyLong_FromLong(info.si_pid),   uid_object(info.si_uid),
        PyLong_FromLong(info.si_signo), PyLong_FromLong(info.si_status),
        PyLong_FromLong(info.si_code),
    };
    return record_make(state_of(module)->waitid_result, items, 5);
}

PyObject *os_waitstatus_to_exitcode(PyObject *Py_UNUSED(module), PyObject *arg)
{
    int status;
    if (!bind_int(arg, &status)) {
        return NULL;
    }
    if (WIFEXITED(status)) {
        return PyLong_FromLong(WEXITSTATUS(status));
    }
    if (WIFSIGNALED(status)) {
        return PyLong_FromLong(-WTERMSIG(status));
    }
    if (WIFSTOPPED(status)) {
        return PyErr_Format(PyExc_ValueError, "process stopped by delivery of signal %i",
                            WSTOPSIG(status));
    }
    return PyErr_Format(PyExc_ValueError, "invalid wait status: %i", status);
}

#define STATUS_FUNCTION(name)                                                                      \
    int os_##name(PyObject *Py_UNUSED(module), int status)                                         \
    {                                                                                              \
        return name(status);                                                                       \
    }

STATUS_FUNCTION(WIFCONTINUED)
STATUS_FUNCTION(WIFSTOPPED)
STATUS_FUNCTION(WIFSIGNALED)
STATUS_FUNCTION(WIFEXITED)
STATUS_FUNCTION(WEXITSTATUS)
STATUS_FUNCTION(WTERMSIG)
STATUS_FUNCTION(WSTOPSIG)

int os_WCOREDUMP(PyObject *Py_UNUSED(module), int status)
{
    return WCOREDUMP(status) != 0;
}

/* ---- signals and priorities ----------------------------------------------------------------- */

int os_kill(PyObject *Py_UNUSED(module), int pid, int signal)
{
    if (PySys_Audit("os.kill", "ii", pid, signal) < 0) {
        return -1;
    }
    int rc = posix_check(kill(pid, signal));
    return rc < 0 ? rc : PyErr_CheckSignals(); /* one to ourselves is handled at once */
}

int os_killpg(PyObject *Py_UNUSED(module), int pgid, int signal)
{
    if (PySys_Audit("os.killpg", "ii", pgid, signal) < 0) {
        return -1;
    }
    int rc = posix_check(killpg(pgid, signal));
    return rc < 0 ? rc : PyErr_CheckSignals();
}

int os_pidfd_open(PyObject *Py_UNUSED(module), int pid, unsigned int flags)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, flags);
    return fd < 0 ? posix_fail() : fd;
}

PyObject *os_nice(PyObject *Py_UNUSED(module), int increment)
{
    errno = 0;
    int value = nice(increment);
    return value == -1 && errno != 0 ? posix_raise() : PyLong_FromLong(value);
}

PyObject *os_getpriority(PyObject *Py_UNUSED(module), int which, int who)
{
    errno = 0;
    int value = getpriority((__priority_which_t)which, (id_t)who);
    return errno != 0 ? posix_raise() : PyLong_FromLong(value);
}

int os_setpriority(PyObject *Py_UNUSED(module), int which, int who, int priority)
{
    return posix_check(setpriority((__priority_which_t)which, (id_t)who, priority));
}

int os_sched_get_priority_max(PyObject *Py_UNUSED(module), int policy)
{
    int most = sched_get_priority_max(policy);
    return most < 0 ? posix_fail() : most;
}

int os_sched_get_priority_min(PyObject *Py_UNUSED(module), int policy)
{
    int least = sched_get_priority_min(policy);
    return least < 0 ? posix_fail() : least;
}

int os_sched_getscheduler(PyObject *Py_UNUSED(module), int pid)
{
    int policy = sched_getscheduler(pid);
    return policy < 0 ? posix_fail() : policy;
}

bool sched_param_of(PyObject *module, PyObject *arg, struct sched_param *out)
{
    if (!Py_IS_TYPE(arg, (PyTypeObject *)state_of(module)->sched_param)) {
        PyErr_SetString(PyExc_TypeError, "must have a sched_param object");
        return false;
    }
    long value = PyLong_AsLong(PyStructSequence_GetItem(arg, 0));
    if (value == -1 && PyErr_Occurred()) {
        return false;
    }
    if (value > INT_MAX || value < INT_MIN) {
        PyErr_SetString(PyExc_OverflowError, "sched_priority out of range");
        return false;
    }
    out->sched_priority = (int)value;
    return true;
}

int os_sched_setscheduler(PyObject *module, int pid, int policy, PyObject *param)
{
    struct sched_param value;
    return sched_param_of(module, param, &value)
               ? posix_check(sched_setscheduler(pid, policy, &value))
               : -1;
}

PyObject *os_sched_getparam(PyObject *module, int pid)
{
    struct sched_param value;
    if (sched_getparam(pid, &value) < 0) {
        return posix_raise();
    }
    PyObject *items[] = {PyLong_FromLong(value.sched_priority)};
    return record_make(state_of(module)->sched_param, items, 1);
}

int os_sched_setparam(PyObject *module, int pid, PyObject *param)
{
    struct sched_param value;
    return sched_param_of(module, param, &value) ? posix_check(sched_setparam(pid, &value)) : -1;
}

double os_sched_rr_get_interval(PyObject *Py_UNUSED(module), int pid)
{
    struct timespec interval;
    if (sched_rr_get_interval(pid, &interval) < 0) {
        return posix_fail();
    }
    return (double)interval.tv_sec + 1e-9 * (double)interval.tv_nsec;
}

int os_sched_yield(PyObject *Py_UNUSED(module))
{
    return posix_check(BLOCKING(sched_yield()));
}

/* ---- processors: masks grow until the system is content --------------------------------------- */

PyObject *os_sched_getaffinity(PyObject *Py_UNUSED(module), int pid)
{
    for (int processors = 1024; processors <= 1 << 22; processors *= 2) {
        size_t size = CPU_ALLOC_SIZE(processors);
        cpu_set_t *mask = CPU_ALLOC(processors);
        if (mask == NULL) {
            return PyErr_NoMemory();
        }
        if (sched_getaffinity(pid, size, mask) == 0) {
            PyObject *set = PySet_New(NULL);
            for (int i = 0; set != NULL && i < processors; i++) {
                PyObject *number = CPU_ISSET_S(i, size, mask) ? PyLong_FromLong(i) : NULL;
                if (number != NULL && PySet_Add(set, number) < 0) {
                    Py_CLEAR(set);
                }
                Py_XDECREF(number);
                if (PyErr_Occurred()) {
                    Py_CLEAR(set);
                }
            }
            CPU_FREE(mask);
            return set;
        }
        CPU_FREE(mask);
        if (errno != EINVAL) {
            return posix_raise();
        }
    }
    PyErr_SetString(PyExc_OverflowError, "could not allocate a large enough CPU set");
    return NULL;
}

int os_sched_setaffinity(PyObject *Py_UNUSED(module), int pid, PyObject *numbers)
{
    enum { MOST = 1 << 16 };
    PyObject *iterator = PyObject_GetIter(numbers);
    cpu_set_t *mask = iterator ? PyMem_Calloc(1, CPU_ALLOC_SIZE(MOST)) : NULL;
    if (mask == NULL) {
        Py_XDECREF(iterator);
        return iterator ? (PyErr_NoMemory(), -1) : -1;
    }
    PyObject *item;
    bool fine = true;
    while (fine && (item = PyIter_Next(iterator)) != NULL) {
        long number = 0;
        if (!PyLong_Check(item)) {
            PyErr_Format(PyExc_TypeError, "expected an iterator of ints, but iterator yielded %R",
                         Py_TYPE(item));
        } else {
            number = PyLong_AsLong(item);
            if (number < 0 && !PyErr_Occurred()) {
                PyErr_SetString(PyExc_ValueError, "negative CPU number");
            } else if (number >= MOST) {
                PyErr_SetString(PyExc_OverflowError, "CPU number too large");
            }
        }
        Py_DECREF(item);
        fine = !PyErr_Occurred();
        if (fine) {
            CPU_SET_S((size_t)number, CPU_ALLOC_SIZE(MOST), mask);
        }
    }
    int rc =
        PyErr_Occurred() ? -1 : posix_check(sched_setaffinity(pid, CPU_ALLOC_SIZE(MOST), mask));
    PyMem_Free(mask);
    Py_DECREF(iterator);
    return rc;
}

PyObject *os_cpu_count(PyObject *Py_UNUSED(module))
{
    /* -X cpu_count says what is to be believed. */
    PyObject *configured = PySys_GetObject("_get_cpu_count_config");
    PyObject *wanted = configured != NULL ? PyObject_CallNoArgs(configured) : NULL;
    long count = wanted != NULL ? PyLong_AsLong(wanted) : -1;
    Py_XDECREF(wanted);
    if (PyErr_Occurred()) {
        return NULL;
    }
    count = count > 0 ? count : sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? PyLong_FromLong(count) : Py_NewRef(Py_None);
}

int os_setns(PyObject *Py_UNUSED(module), int fd, int nstype)
{
    return posix_check(BLOCKING(setns(fd, nstype)));
}

int os_unshare(PyObject *Py_UNUSED(module), int flags)
{
    return posix_check(BLOCKING(unshare(flags)));
}
