/* The module _posixsubprocess.
 *
 * All that the child needs is prepared before the fork: between fork and exec it may only make
 * calls that are safe in a copy of a process with other threads, or, after vfork, in a process whose
 * memory its parent shares. */
#include "account.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>

#include "posixsubprocess.bind.h"

struct child {
    char *const *programs; /* to be tried in turn */
    char *const *argv;
    char *const *envp; /* NULL: the parent's */
    const char *cwd;
    int p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite, errpipe_read, errpipe_write;
    const int *keep; /* sorted */
    Py_ssize_t keep_count;
    bool close_fds, restore_signals, setsid;
    int umask;
    pid_t pgid;
    bool set_gid, set_uid;
    gid_t gid;
    uid_t uid;
    Py_ssize_t group_count; /* -1: leave them */
    gid_t *groups;
    PyObject *preexec_fn;    /* or NULL */
    const sigset_t *unblock; /* after vfork: the signals to block as they were */
};

/* ---- in the child --------------------------------------------------------------------------- */

static void close_between(int first, int last)
{
    if (first > last) {
        return;
    }
#ifdef SYS_close_range
    if (syscall(SYS_close_range, (unsigned)first, (unsigned)last, 0) == 0) {
        return;
    }
#endif
    long limit = sysconf(_SC_OPEN_MAX);
    for (int fd = first; fd <= last && fd < limit; fd++) {
        close(fd);
    }
}

static void close_others(const struct child *child)
{
    int from = 3;
    for (Py_ssize_t i = 0; i < child->keep_count; i++) {
        close_between(from, child->keep[i] - 1);
        from = Py_MAX(from, child->keep[i] + 1);
    }
    close_between(from, INT_MAX);
}

/* Makes `fd` the child's descriptor `as`; false with errno. */
static bool give_fd(int fd, int as)
{
    if (fd == as) {
        int flags = fcntl(fd, F_GETFD);
        return flags >= 0 && fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC) == 0;
    }
    return fd == -1 || dup2(fd, as) >= 0;
}

/* Moves a descriptor out of the way of 0, 1 and 2 below `above`. */
static bool lift_fd(int *fd, int above)
{
    if (*fd < 0 || *fd >= above) {
        return true;
    }
    *fd = fcntl(*fd, F_DUPFD_CLOEXEC, 3);
    return *fd >= 0;
}

static bool child_files(struct child *child)
{
    for (Py_ssize_t i = 0; i < child->keep_count; i++) {
        int fd = child->keep[i];
        if (fd != child->errpipe_write) {
            int flags = fcntl(fd, F_GETFD);
            if (flags < 0 || fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC) < 0) {
                return false;
            }
        }
    }
    const int ours[] = {child->p2cwrite, child->c2pread, child->errread, child->errpipe_read};
    for (int i = 0; i < 4; i++) {
        if (ours[i] >= 0) {
            close(ours[i]);
        }
    }
    return lift_fd(&child->c2pwrite, 1) && lift_fd(&child->errwrite, 2)
           && give_fd(child->p2cread, 0) && give_fd(child->c2pwrite, 1)
           && give_fd(child->errwrite, 2);
}

static void default_signals(void)
{
    signal(SIGPIPE, SIG_DFL);
#ifdef SIGXFSZ
    signal(SIGXFSZ, SIG_DFL);
#endif
}

static bool child_identity(const struct child *child)
{
    if (child->setsid) {
        setsid(); /* a process group leader may not: no matter */
    }
    if (child->pgid >= 0 && setpgid(0, child->pgid) < 0) {
        return false;
    }
    /* The bare system calls change this thread alone: enough for a child, and safe after vfork. */
    if (child->group_count >= 0
        && syscall(SYS_setgroups, (size_t)child->group_count, child->groups) < 0) {
        return false;
    }
    if (child->set_gid && setregid(child->gid, child->gid) < 0) {
        return false;
    }
    return !child->set_uid || setreuid(child->uid, child->uid) == 0;
}

static void write_all(int fd, const char *text)
{
    size_t length = strlen(text);
    while (length > 0) {
        ssize_t written = write(fd, text, length);
        if (written <= 0) {
            return;
        }
        text += written;
        length -= (size_t)written;
    }
}

static void report(const struct child *child, int error, const char *message)
{
    char digits[2 * sizeof error + 1], *at = digits + sizeof digits - 1;
    *at = '\0';
    for (unsigned left = (unsigned)error; left != 0 || *at == '\0'; left >>= 4) {
        *--at = "0123456789abcdef"[left & 15];
        if (left >> 4 == 0) {
            break;
        }
    }
    write_all(child->errpipe_write, "OSError:");
    write_all(child->errpipe_write, at);
    write_all(child->errpipe_write, ":");
    write_all(child->errpipe_write, message);
}

/* Runs the program, or reports why not and comes back. */
static void child_run(struct child *child)
{
    if (!child_files(child)) {
        report(child, errno, "noexec");
        return;
    }
    if (child->cwd != NULL && chdir(child->cwd) < 0) {
        report(child, errno, "noexec:chdir");
        return;
    }
    if (child->umask >= 0) {
        umask((mode_t)child->umask);
    }
    if (child->restore_signals) {
        default_signals();
    }
    if (child->unblock != NULL) {
        sigprocmask(SIG_SETMASK, child->unblock, NULL);
    }
    if (!child_identity(child)) {
        report(child, errno, "noexec");
        return;
    }
    if (child->preexec_fn != NULL) {
        PyObject *result = PyObject_CallNoArgs(child->preexec_fn);
        if (result == NULL) {
            write_all(child->errpipe_write, "SubprocessError:0:Exception occurred in preexec_fn.");
            return;
        }
    }
    if (child->close_fds) {
        close_others(child);
    }
    int error = ENOENT;
    for (char *const *program = child->programs; *program != NULL; program++) {
        if (child->envp != NULL) {
            execve(*program, child->argv, child->envp);
        } else {
            execv(*program, child->argv);
        }
        if (errno != ENOENT && errno != ENOTDIR) {
            error = errno;
        }
    }
    report(child, error, "");
}

/* After vfork the parent sleeps until the child is gone or has another program.  Signals are blocked
 * meanwhile, since a handler would run in the shared memory.  Not inlined, and with nothing of its
 * own after the call that the child could spoil. */
static pid_t __attribute__((noinline)) fork_shared(struct child *child, const sigset_t *old)
{
    child->unblock = old;
    pid_t pid = vfork();
    if (pid == 0) {
        child_run(child);
        _exit(255);
    }
    return pid;
}

/* ---- preparing ------------------------------------------------------------------------------ */

/* A sequence of paths or texts as an array for exec; `keep` gets the bytes it points to. */
static char **exec_array(PyObject *sequence, PyObject *keep)
{
    Py_ssize_t count = PySequence_Size(sequence);
    if (count < 0) {
        return NULL;
    }
    char **array = count < PY_SSIZE_T_MAX / (Py_ssize_t)sizeof *array
                       ? PyMem_Calloc((size_t)count + 1, sizeof *array)
                       : NULL;
    if (array == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PySequence_GetItem(sequence, i), *bytes = NULL;
        if (item != NULL && !PyUnicode_FSConverter(item, &bytes)) {
            bytes = NULL;
        }
        Py_XDECREF(item);
        if (bytes == NULL || PyList_Append(keep, bytes) < 0) {
            Py_XDECREF(bytes);
            PyMem_Free(array);
            array = NULL;
            break;
        }
        array[i] = PyBytes_AS_STRING(bytes);
        Py_DECREF(bytes);
    }
    return array;
}

/* The descriptors to keep: ascending and not negative; NULL with ValueError. */
static int *kept_fds(PyObject *pass_fds)
{
    Py_ssize_t count = PyTuple_GET_SIZE(pass_fds);
    int *fds = PyMem_New(int, count ? count : 1);
    long last = -1;
    if (fds == NULL) {
        PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; fds != NULL && i < count; i++) {
        PyObject *item = PyTuple_GET_ITEM(pass_fds, i);
        long fd = PyLong_Check(item) ? PyLong_AsLong(item) : -1;
        if (fd < 0 || fd <= last || fd > INT_MAX) {
            PyErr_SetString(PyExc_ValueError, "bad value(s) in fds_to_keep");
            PyMem_Free(fds);
            return NULL;
        }
        fds[i] = (int)fd;
        last = fd;
    }
    return fds;
}

static bool extra_groups_of(PyObject *arg, struct child *child)
{
    child->group_count = -1;
    if (arg == Py_None) {
        return true;
    }
    if (!PyList_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, "setgroups argument must be a list");
        return false;
    }
    Py_ssize_t count = PySequence_Size(arg);
    if (count > NGROUPS_MAX) {
        PyErr_SetString(PyExc_ValueError, "too many extra_groups");
        return false;
    }
    child->groups = PyMem_New(gid_t, count ? count : 1);
    if (child->groups == NULL) {
        PyErr_NoMemory();
        return false;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PySequence_GetItem(arg, i);
        bool fine = item != NULL && PyLong_Check(item);
        if (item != NULL && !fine) {
            PyErr_SetString(PyExc_TypeError, "groups must be integers");
        }
        uint32_t gid;
        if (fine && !account_number(item, "gid", &gid)) {
            PyErr_SetString(PyExc_ValueError, "invalid group id");
            fine = false;
        }
        Py_XDECREF(item);
        if (!fine) {
            return false;
        }
        child->groups[i] = gid;
    }
    child->group_count = count;
    return true;
}

/* Forks, and in the child goes on for good.  The number of the child, or -1 with errno. */
static pid_t start_child(struct child *child, bool allow_vfork)
{
    if (child->preexec_fn != NULL) {
        PyOS_BeforeFork();
        pid_t pid = fork();
        int error = errno;
        if (pid == 0) {
            PyOS_AfterFork_Child();
            child_run(child);
            _exit(255);
        }
        PyOS_AfterFork_Parent();
        errno = error;
        return pid;
    }
    if (allow_vfork && !child->set_uid && !child->set_gid && child->group_count < 0) {
        sigset_t all, old;
        sigfillset(&all);
        if (pthread_sigmask(SIG_BLOCK, &all, &old) == 0) {
            pid_t pid = fork_shared(child, &old);
            int error = errno;
            pthread_sigmask(SIG_SETMASK, &old, NULL);
            errno = error;
            return pid;
        }
    }
    pid_t pid = fork();
    if (pid == 0) {
        child_run(child);
        _exit(255);
    }
    return pid;
}

/* The collector stays off over the fork where Python code runs in the child. */
static PyObject *start_and_report(struct child *child, bool allow_vfork)
{
    bool collecting = child->preexec_fn != NULL && PyGC_Disable();
    pid_t pid = start_child(child, allow_vfork);
    int error = errno;
    if (collecting) {
        PyGC_Enable();
    }
    if (pid < 0) {
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyLong_FromLong(pid);
}

static bool id_number(PyObject *arg, const char *what, const char *complaint, uint32_t *out)
{
    if (!PyLong_Check(arg)) {
        PyErr_SetString(PyExc_ValueError, complaint);
        return false;
    }
    return account_number(arg, what, out);
}

static PyObject *spawner_fork_exec(PyObject *Py_UNUSED(module), PyObject *args,
                                   PyObject *executable_list, int close_fds, PyObject *pass_fds,
                                   PyObject *cwd, PyObject *env, int p2cread, int p2cwrite,
                                   int c2pread, int c2pwrite, int errread, int errwrite,
                                   int errpipe_read, int errpipe_write, int restore_signals,
                                   int call_setsid, int pgid_to_set, PyObject *gid,
                                   PyObject *extra_groups, PyObject *uid, int child_umask,
                                   PyObject *preexec_fn, int allow_vfork)
{
    struct child child = {
        .close_fds = close_fds,
        .p2cread = p2cread,
        .p2cwrite = p2cwrite,
        .c2pread = c2pread,
        .c2pwrite = c2pwrite,
        .errread = errread,
        .errwrite = errwrite,
        .errpipe_read = errpipe_read,
        .errpipe_write = errpipe_write,
        .restore_signals = restore_signals,
        .setsid = call_setsid,
        .pgid = pgid_to_set,
        .umask = child_umask,
        .group_count = -1,
        .preexec_fn = preexec_fn == Py_None ? NULL : preexec_fn,
    };
    if (child.preexec_fn != NULL && PyInterpreterState_Get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_RuntimeError, "preexec_fn not supported within subinterpreters");
        return NULL;
    }
    if (child.preexec_fn != NULL && Py_IsFinalizing()) {
        PyErr_SetString(PyExc_PythonFinalizationError,
                        "preexec_fn not supported at interpreter shutdown");
        return NULL;
    }
    if (close_fds && errpipe_write < 3) {
        PyErr_SetString(PyExc_ValueError, "errpipe_write must be >= 3");
        return NULL;
    }
    int *keep = kept_fds(pass_fds);
    if (keep == NULL) {
        return NULL;
    }
    child.keep = keep;
    child.keep_count = PyTuple_GET_SIZE(pass_fds);

    PyObject *result = NULL, *bytes = PyList_New(0), *cwd_bytes = NULL;
    char **programs = NULL, **argv = NULL, **envp = NULL;
    bool fine = bytes && (programs = exec_array(executable_list, bytes)) != NULL
                && (args == Py_None || (argv = exec_array(args, bytes)) != NULL)
                && (env == Py_None || (envp = exec_array(env, bytes)) != NULL)
                && (cwd == Py_None || PyUnicode_FSConverter(cwd, &cwd_bytes))
                && extra_groups_of(extra_groups, &child);
    uint32_t number;
    if (fine && gid != Py_None) {
        fine = id_number(gid, "gid", "invalid group id", &number);
        child.set_gid = true;
        child.gid = number;
    }
    if (fine && uid != Py_None) {
        fine = id_number(uid, "uid", "invalid user id", &number);
        child.set_uid = true;
        child.uid = number;
    }
    if (fine) {
        child.programs = programs;
        child.argv = argv;
        child.envp = envp;
        child.cwd = cwd_bytes ? PyBytes_AS_STRING(cwd_bytes) : NULL;
        result = start_and_report(&child, allow_vfork);
    }
    PyMem_Free(programs);
    PyMem_Free(argv);
    PyMem_Free(envp);
    PyMem_Free(keep);
    PyMem_Free(child.groups);
    Py_XDECREF(cwd_bytes);
    Py_XDECREF(bytes);
    return result;
}

static PyModuleDef_Slot spawner_slots[] = MODULE_SLOTS_PLAIN;

static PyModuleDef spawner_module = {
    PyModuleDef_HEAD_INIT,        .m_name = "_posixsubprocess", .m_doc = spawner_doc,
    .m_methods = spawner_methods, .m_slots = spawner_slots,
};

MODULE_INIT(_posixsubprocess, spawner_module)
