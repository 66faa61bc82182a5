/* The module posix: who the process is, its environment, and what the system tells of itself. */
#include "posix.h"

#include "lists.h"

#include <grp.h>
#include <sys/random.h>
#include <sys/sysmacros.h>
#include <sys/times.h>
#include <sys/utsname.h>

#define NUMBER_FUNCTION(name, call)                                                                \
    PyObject *os_##name(PyObject *Py_UNUSED(module))                                               \
    {                                                                                              \
        return call;                                                                               \
    }

NUMBER_FUNCTION(getpid, PyLong_FromLong(getpid()))
NUMBER_FUNCTION(getppid, PyLong_FromLong(getppid()))
NUMBER_FUNCTION(getpgrp, PyLong_FromLong(getpgrp()))
NUMBER_FUNCTION(getuid, uid_object(getuid()))
NUMBER_FUNCTION(geteuid, uid_object(geteuid()))
NUMBER_FUNCTION(getgid, uid_object(getgid()))
NUMBER_FUNCTION(getegid, uid_object(getegid()))

PyObject *os_getpgid(PyObject *Py_UNUSED(module), int pid)
{
    pid_t group = getpgid(pid);
    return group < 0 ? posix_raise() : PyLong_FromLong(group);
}

int os_getsid(PyObject *Py_UNUSED(module), int pid)
{
    pid_t session = getsid(pid);
    return session < 0 ? posix_fail() : session;
}

/* int os_NAME(module, parameters) for a call that sets something. */
#define SET_FUNCTION(name, call, ...)                                                              \
    int os_##name(PyObject *Py_UNUSED(module), ##__VA_ARGS__)                                      \
    {                                                                                              \
        return posix_check(call);                                                                  \
    }

SET_FUNCTION(setpgid, setpgid(pid, pgrp), int pid, int pgrp)
SET_FUNCTION(setpgrp, setpgid(0, 0))
SET_FUNCTION(setsid, setsid())
SET_FUNCTION(setuid, setuid(uid), uid_t uid)
SET_FUNCTION(seteuid, seteuid(uid), uid_t uid)
SET_FUNCTION(setgid, setgid(gid), gid_t gid)
SET_FUNCTION(setegid, setegid(gid), gid_t gid)
SET_FUNCTION(setreuid, setreuid(real, effective), uid_t real, uid_t effective)
SET_FUNCTION(setregid, setregid(real, effective), gid_t real, gid_t effective)
SET_FUNCTION(setresuid, setresuid(real, effective, saved), uid_t real, uid_t effective, uid_t saved)
SET_FUNCTION(setresgid, setresgid(real, effective, saved), gid_t real, gid_t effective, gid_t saved)

static PyObject *three_ids(uint32_t real, uint32_t effective, uint32_t saved)
{
    return Py_BuildValue("(NNN)", uid_object(real), uid_object(effective), uid_object(saved));
}

PyObject *os_getresuid(PyObject *Py_UNUSED(module))
{
    uid_t real, effective, saved;
    return getresuid(&real, &effective, &saved) < 0 ? posix_raise()
                                                    : three_ids(real, effective, saved);
}

PyObject *os_getresgid(PyObject *Py_UNUSED(module))
{
    gid_t real, effective, saved;
    return getresgid(&real, &effective, &saved) < 0 ? posix_raise()
                                                    : three_ids(real, effective, saved);
}

static PyObject *groups_list(const gid_t *groups, int count)
{
    PyObject *list = PyList_New(count);
    for (int i = 0; list != NULL && i < count; i++) {
        PyObject *group = uid_object(groups[i]);
        if (group == NULL) {
            Py_CLEAR(list);
        } else {
            PyList_SET_ITEM(list, i, group);
        }
    }
    return list;
}

PyObject *os_getgroups(PyObject *Py_UNUSED(module))
{
    int count = getgroups(0, NULL);
    gid_t *groups = count < 0 ? NULL : PyMem_New(gid_t, count + 1);
    if (groups == NULL) {
        return count < 0 ? posix_raise() : PyErr_NoMemory();
    }
    count = getgroups(count, groups);
    PyObject *list = count < 0 ? posix_raise() : groups_list(groups, count);
    PyMem_Free(groups);
    return list;
}

int os_setgroups(PyObject *Py_UNUSED(module), PyObject *sequence)
{
    if (!PySequence_Check(sequence)) {
        PyErr_SetString(PyExc_TypeError, "setgroups argument must be a sequence");
        return -1;
    }
    Py_ssize_t count = PySequence_Size(sequence);
    if (count < 0 || count > 65536) {
        if (count > 0) {
            PyErr_SetString(PyExc_ValueError, "too many groups");
        }
        return -1;
    }
    gid_t *groups = PyMem_New(gid_t, count + 1);
    bool fine = groups != NULL;
    if (!fine) {
        PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; fine && i < count; i++) {
        PyObject *item = PySequence_GetItem(sequence, i);
        fine = item != NULL;
        if (fine && !PyLong_Check(item)) {
            PyErr_SetString(PyExc_TypeError, "groups must be integers");
            fine = false;
        }
        fine = fine && gid_of(item, &groups[i]);
        Py_XDECREF(item);
    }
    int rc = fine ? posix_check(setgroups((size_t)count, groups)) : -1;
    PyMem_Free(groups);
    return rc;
}

PyObject *os_getgrouplist(PyObject *Py_UNUSED(module), const char *user, gid_t group)
{
    int count = 64;
    for (;;) {
        int room = count;
        gid_t *groups = PyMem_New(gid_t, room);
        if (groups == NULL) {
            return PyErr_NoMemory();
        }
        if (BLOCKING(getgrouplist(user, group, groups, &count)) >= 0) {
            PyObject *list = groups_list(groups, count);
            PyMem_Free(groups);
            return list;
        }
        PyMem_Free(groups);
        count = count > room ? count : room * 2;
    }
}

int os_initgroups(PyObject *Py_UNUSED(module), PyObject *username, gid_t gid)
{
    return posix_check(BLOCKING(initgroups(PyBytes_AS_STRING(username), gid)));
}

PyObject *os_getlogin(PyObject *Py_UNUSED(module))
{
    char name[256];
    int error = BLOCKING(getlogin_r(name, sizeof name));
    if (error != 0) {
        errno = error;
        return posix_raise();
    }
    return PyUnicode_DecodeFSDefault(name);
}

int os_umask(PyObject *Py_UNUSED(module), int mask)
{
    return (int)umask((mode_t)mask);
}

PyObject *os_uname(PyObject *module)
{
    struct utsname name;
    if (uname(&name) < 0) {
        return posix_raise();
    }
    PyObject *items[] = {
        PyUnicode_DecodeFSDefault(name.sysname), PyUnicode_DecodeFSDefault(name.nodename),
        PyUnicode_DecodeFSDefault(name.release), PyUnicode_DecodeFSDefault(name.version),
        PyUnicode_DecodeFSDefault(name.machine),
    };
    return record_make(state_of(module)->uname_result, items, 5);
}

PyObject *os_times(PyObject *module)
{
    struct tms spent;
    clock_t elapsed = times(&spent);
    if (elapsed == (clock_t)-1) {
        return posix_raise();
    }
    double ticks = (double)sysconf(_SC_CLK_TCK);
    PyObject *items[] = {
        PyFloat_FromDouble((double)spent.tms_utime / ticks),
        PyFloat_FromDouble((double)spent.tms_stime / ticks),
        PyFloat_FromDouble((double)spent.tms_cutime / ticks),
        PyFloat_FromDouble((double)spent.tms_cstime / ticks),
        PyFloat_FromDouble((double)elapsed / ticks),
    };
    return record_make(state_of(module)->times_result, items, 5);
}

PyObject *os_getloadavg(PyObject *Py_UNUSED(module))
{
    double load[3];
    if (getloadavg(load, 3) != 3) {
        PyErr_SetString(PyExc_OSError, "Load averages are unobtainable");
        return NULL;
    }
    return Py_BuildValue("(ddd)", load[0], load[1], load[2]);
}

/* ---- environment ---------------------------------------------------------------------------- */

int os_putenv(PyObject *Py_UNUSED(module), PyObject *name, PyObject *value)
{
    if (strchr(PyBytes_AS_STRING(name), '=') != NULL) {
        PyErr_SetString(PyExc_ValueError, "illegal environment variable name");
        return -1;
    }
    if (PySys_Audit("os.putenv", "OO", name, value) < 0) {
        return -1;
    }
    return posix_check(setenv(PyBytes_AS_STRING(name), PyBytes_AS_STRING(value), 1));
}

int os_unsetenv(PyObject *Py_UNUSED(module), PyObject *name)
{
    if (PySys_Audit("os.unsetenv", "(O)", name) < 0) {
        return -1;
    }
    return posix_check(unsetenv(PyBytes_AS_STRING(name)));
}

PyObject *os_strerror(PyObject *Py_UNUSED(module), int code)
{
    return PyUnicode_DecodeLocale(strerror(code), "surrogateescape");
}

/* ---- configuration -------------------------------------------------------------------------- */

/* A number, or a name from a list. */
static bool config_name(PyObject *arg, const struct constant *list, size_t count, int *out)
{
    if (PyIndex_Check(arg)) {
        return bind_int(arg, out);
    }
    if (!PyUnicode_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, "configuration names must be strings or integers");
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (PyUnicode_CompareWithASCIIString(arg, list[i].name) == 0) {
            *out = (int)list[i].value;
            return true;
        }
    }
    PyErr_SetString(PyExc_ValueError, "unrecognized configuration name");
    return false;
}

long os_sysconf(PyObject *Py_UNUSED(module), PyObject *arg)
{
    int name;
    if (!config_name(arg, sysconf_list, sysconf_count, &name)) {
        return -1;
    }
    errno = 0;
    long value = sysconf(name);
    return value == -1 && errno != 0 ? posix_fail() : value;
}

PyObject *os_confstr(PyObject *Py_UNUSED(module), PyObject *arg)
{
    int name;
    if (!config_name(arg, confstr_list, confstr_count, &name)) {
        return NULL;
    }
    errno = 0;
    size_t size = confstr(name, NULL, 0);
    if (size == 0) {
        if (errno != 0) {
            return posix_raise();
        }
        Py_RETURN_NONE;
    }
    char *text = PyMem_Malloc(size);
    if (text == NULL) {
        return PyErr_NoMemory();
    }
    confstr(name, text, size);
    PyObject *result = PyUnicode_DecodeFSDefaultAndSize(text, (Py_ssize_t)size - 1);
    PyMem_Free(text);
    return result;
}

long os_pathconf(PyObject *Py_UNUSED(module), PyObject *arg, PyObject *name_arg)
{
    PATH(path);
    int name;
    if (!path_read(&path, arg, "pathconf", "path", PATH_FD)
        || !config_name(name_arg, pathconf_list, pathconf_count, &name)) {
        return -1;
    }
    errno = 0;
    long value = path.name ? pathconf(path.name, name) : fpathconf(path.fd, name);
    if (value == -1 && errno != 0) {
        return errno == EINVAL ? posix_fail() : path_fail(&path);
    }
    return value;
}

long os_fpathconf(PyObject *Py_UNUSED(module), int fd, PyObject *arg)
{
    int name;
    if (!config_name(arg, pathconf_list, pathconf_count, &name)) {
        return -1;
    }
    errno = 0;
    long value = fpathconf(fd, name);
    return value == -1 && errno != 0 ? posix_fail() : value;
}

/* ---- randomness and devices ----------------------------------------------------------------- */

PyObject *os_urandom(PyObject *Py_UNUSED(module), Py_ssize_t size)
{
    if (size < 0) {
        PyErr_SetString(PyExc_ValueError, "negative argument not allowed");
        return NULL;
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    for (Py_ssize_t done = 0; bytes != NULL && done < size;) {
        char *at = PyBytes_AS_STRING(bytes) + done;
        ssize_t got = RETRYING(getrandom(at, (size_t)Py_MIN(size - done, 1 << 20), 0));
        if (got < 0) {
            posix_fail();
            Py_CLEAR(bytes);
        } else {
            done += got;
        }
    }
    return bytes;
}

PyObject *os_getrandom(PyObject *Py_UNUSED(module), Py_ssize_t size, int flags)
{
    if (size < 0) {
        errno = EINVAL;
        return posix_raise();
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    if (bytes == NULL) {
        return NULL;
    }
    ssize_t got = RETRYING(getrandom(PyBytes_AS_STRING(bytes), (size_t)size, (unsigned)flags));
    if (got < 0) {
        posix_fail();
        Py_DECREF(bytes);
        return NULL;
    }
    if (got != size) {
        _PyBytes_Resize(&bytes, got);
    }
    return bytes;
}

PyObject *os_major(PyObject *Py_UNUSED(module), dev_t device)
{
    return device == (dev_t)-1 ? PyLong_FromLong(-1) : PyLong_FromUnsignedLong(major(device));
}

PyObject *os_minor(PyObject *Py_UNUSED(module), dev_t device)
{
    return device == (dev_t)-1 ? PyLong_FromLong(-1) : PyLong_FromUnsignedLong(minor(device));
}

PyObject *os_makedev(PyObject *Py_UNUSED(module), dev_t upper, dev_t lower)
{
    if ((upper > UINT_MAX && upper != (dev_t)-1) || (lower > UINT_MAX && lower != (dev_t)-1)) {
        PyErr_SetString(PyExc_OverflowError, "Python int too large to convert to C unsigned int");
        return NULL;
    }
    return dev_object(makedev((unsigned)upper, (unsigned)lower));
}

int os_inputhook(PyObject *Py_UNUSED(module))
{
    return PyOS_InputHook != NULL ? (PyOS_InputHook() < 0 ? -1 : 0) : 0;
}

int os_is_inputhook_installed(PyObject *Py_UNUSED(module))
{
    return PyOS_InputHook != NULL;
}
