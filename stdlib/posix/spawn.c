/* posix_spawn: a program in a new process, without fork(). */

#include "lists.h"
#include "posix.h"
#include "sigset.h"

#include <spawn.h>

/* ---- what the new process does to its files ------------------------------------------------------ */

/* The items of one action: false with TypeError unless there are `count`. */
static bool action_fits(PyObject *action, const char *name, Py_ssize_t count)
{
    if (PyTuple_GET_SIZE(action) == count) {
        return true;
    }
    PyErr_Format(PyExc_TypeError, "A %s file_action tuple must have %zd elements", name, count);
    return false;
}

/* `keep` holds what the actions point to. An error number as posix_spawn_file_actions_*, or -1 with an
 * exception. */
static int action_add_open(posix_spawn_file_actions_t *actions, PyObject *action, PyObject *keep)
{
    int fd, flags;
    unsigned mode;
    PyObject *path;
    if (!action_fits(action, "open", 5) || !bind_int(PyTuple_GET_ITEM(action, 1), &fd)
        || !fs_bytes_of(PyTuple_GET_ITEM(action, 2), &path)) {
        return -1;
    }
    int kept = PyList_Append(keep, path);
    Py_DECREF(path);
    if (kept < 0 || !bind_int(PyTuple_GET_ITEM(action, 3), &flags)
        || !bind_uint(PyTuple_GET_ITEM(action, 4), &mode)) {
        return -1;
    }
    return posix_spawn_file_actions_addopen(actions, fd, PyBytes_AS_STRING(path), flags,
                                            (mode_t)mode);
}

static int action_add(posix_spawn_file_actions_t *actions, PyObject *action, PyObject *keep)
{
    int kind, fd, other;
    if (!PyTuple_Check(action) || PyTuple_GET_SIZE(action) == 0) {
        PyErr_SetString(PyExc_TypeError, "Each file_actions element must be a non-empty tuple");
        return -1;
    }
    if (!bind_int(PyTuple_GET_ITEM(action, 0), &kind)) {
        return -1;
    }
    switch (kind) {
    case SPAWN_OPEN:
        return action_add_open(actions, action, keep);
    case SPAWN_CLOSE:
        return action_fits(action, "close", 2) && bind_int(PyTuple_GET_ITEM(action, 1), &fd)
                   ? posix_spawn_file_actions_addclose(actions, fd)
                   : -1;
    case SPAWN_DUP2:
        return action_fits(action, "dup2", 3) && bind_int(PyTuple_GET_ITEM(action, 1), &fd)
                       && bind_int(PyTuple_GET_ITEM(action, 2), &other)
                   ? posix_spawn_file_actions_adddup2(actions, fd, other)
                   : -1;
    case SPAWN_CLOSEFROM:
        return action_fits(action, "closefrom", 2) && bind_int(PyTuple_GET_ITEM(action, 1), &fd)
                   ? posix_spawn_file_actions_addclosefrom_np(actions, fd)
                   : -1;
    default:
        PyErr_SetString(PyExc_TypeError, "Unknown file_actions identifier");
        return -1;
    }
}

static bool actions_read(posix_spawn_file_actions_t *actions, PyObject *sequence, PyObject *keep)
{
    PyObject *items = PySequence_Fast(sequence, "file_actions must be a sequence or None");
    bool fine = items != NULL;
    for (Py_ssize_t i = 0; fine && i < PySequence_Fast_GET_SIZE(items); i++) {
        PyObject *action = Py_NewRef(PySequence_Fast_GET_ITEM(items, i));
        int error = action_add(actions, action, keep);
        Py_DECREF(action);
        if (error > 0) {
            errno = error;
            posix_raise();
        }
        fine = error == 0;
    }
    Py_XDECREF(items);
    return fine;
}

/* ---- its attributes ----------------------------------------------------------------------------------- */

struct spawn_options {
    PyObject *setpgroup, *setsigmask, *setsigdef, *scheduler; /* borrowed or NULL */
    int resetids, setsid;
};

static bool set_signals(posix_spawnattr_t *attributes, PyObject *given, short flag, short *flags,
                        int (*set)(posix_spawnattr_t *, const sigset_t *))
{
    sigset_t signals;
    if (given == NULL) {
        return true;
    }
    if (!sigset_of(given, &signals)) {
        return false;
    }
    *flags |= flag;
    errno = set(attributes, &signals);
    return errno == 0 || posix_raise() != NULL;
}

static bool set_scheduler(posix_spawnattr_t *attributes, PyObject *module, PyObject *given,
                          short *flags)
{
    struct sched_param param;
    int policy;
    if (given == NULL) {
        return true;
    }
    if (!PyTuple_Check(given) || PyTuple_GET_SIZE(given) != 2) {
        PyErr_SetString(PyExc_TypeError, "A scheduler tuple must have two elements");
        return false;
    }
    bool keep_policy = PyTuple_GET_ITEM(given, 0) == Py_None;
    if ((!keep_policy && !bind_int(PyTuple_GET_ITEM(given, 0), &policy))
        || !sched_param_of(module, PyTuple_GET_ITEM(given, 1), &param)) {
        return false;
    }
    if (!keep_policy) {
        *flags |= POSIX_SPAWN_SETSCHEDULER;
        errno = posix_spawnattr_setschedpolicy(attributes, policy);
        if (errno != 0) {
            return posix_raise() != NULL;
        }
    }
    *flags |= POSIX_SPAWN_SETSCHEDPARAM;
    errno = posix_spawnattr_setschedparam(attributes, &param);
    return errno == 0 || posix_raise() != NULL;
}

static bool attributes_read(posix_spawnattr_t *attributes, PyObject *module,
                            const struct spawn_options *options)
{
    short flags = (short)((options->resetids ? POSIX_SPAWN_RESETIDS : 0)
                          | (options->setsid ? POSIX_SPAWN_SETSID : 0));
    if (options->setpgroup != NULL) {
        int group;
        if (!bind_int(options->setpgroup, &group)) {
            return false;
        }
        flags |= POSIX_SPAWN_SETPGROUP;
        errno = posix_spawnattr_setpgroup(attributes, group);
        if (errno != 0) {
            return posix_raise() != NULL;
        }
    }
    if (!set_signals(attributes, options->setsigmask, POSIX_SPAWN_SETSIGMASK, &flags,
                     posix_spawnattr_setsigmask)
        || !set_signals(attributes, options->setsigdef, POSIX_SPAWN_SETSIGDEF, &flags,
                        posix_spawnattr_setsigdefault)
        || !set_scheduler(attributes, module, options->scheduler, &flags)) {
        return false;
    }
    errno = posix_spawnattr_setflags(attributes, flags);
    return errno == 0 || posix_raise() != NULL;
}

/* ---- the functions ------------------------------------------------------------------------------------- */

typedef int spawn_function(pid_t *, const char *, const posix_spawn_file_actions_t *,
                           const posix_spawnattr_t *, char *const *, char *const *);

static bool check_arguments(const char *name, PyObject *argv, PyObject *env)
{
    if (!PyList_Check(argv) && !PyTuple_Check(argv)) {
        PyErr_Format(PyExc_TypeError, "%s: argv must be a tuple or list", name);
        return false;
    }
    if (PySequence_Size(argv) < 1) {
        PyErr_Format(PyExc_ValueError, "%s: argv must not be empty", name);
        return false;
    }
    if (env != Py_None && !PyMapping_Check(env)) {
        PyErr_Format(PyExc_TypeError, "%s: environment must be a mapping object or None", name);
        return false;
    }
    return true;
}

/* With actions and attributes read: the process number, or an exception. */
static PyObject *spawn_now(spawn_function *spawn, const struct path *path, PyObject *argv,
                           PyObject *env, const char *name,
                           const posix_spawn_file_actions_t *actions,
                           const posix_spawnattr_t *attributes)
{
    STRINGS(arguments);
    STRINGS(variables);
    if (!strings_of_sequence(&arguments, argv)) {
        return NULL;
    }
    if (arguments.items[0] == NULL || arguments.items[0][0] == '\0') {
        PyErr_Format(PyExc_ValueError, "%s: argv first element cannot be empty", name);
        return NULL;
    }
    if ((env != Py_None && !strings_of_environ(&variables, env))
        || PySys_Audit("os.posix_spawn", "OOO", path->object, argv, env) < 0) {
        return NULL;
    }
    pid_t pid;
    char *const *environment = env == Py_None ? environ : variables.items;
    errno = spawn(&pid, path->name, actions, attributes, arguments.items, environment);
    return errno == 0 ? PyLong_FromLong(pid) : path_raise(path);
}

static PyObject *do_spawn(PyObject *module, const char *name, spawn_function *spawn,
                          PyObject *path_arg, PyObject *argv, PyObject *env, PyObject *file_actions,
                          const struct spawn_options *options)
{
    PATH(path);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    PyObject *result = NULL;
    if (!path_read(&path, path_arg, name, "path", 0) || !check_arguments(name, argv, env)) {
        return NULL;
    }
    PyObject *keep = PyList_New(0);
    if (keep == NULL) {
        return NULL;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    bool with_actions = file_actions != NULL && file_actions != Py_None;
    if ((!with_actions || actions_read(&actions, file_actions, keep))
        && attributes_read(&attributes, module, options)) {
        result =
            spawn_now(spawn, &path, argv, env, name, with_actions ? &actions : NULL, &attributes);
    }
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    Py_DECREF(keep);
    return result;
}

PyObject *os_posix_spawn(PyObject *module, PyObject *path, PyObject *argv, PyObject *env,
                         PyObject *file_actions, PyObject *setpgroup, int resetids, int setsid,
                         PyObject *setsigmask, PyObject *setsigdef, PyObject *scheduler)
{
    struct spawn_options options = {setpgroup, setsigmask, setsigdef, scheduler, resetids, setsid};
    return do_spawn(module, "posix_spawn", posix_spawn, path, argv, env, file_actions, &options);
}

PyObject *os_posix_spawnp(PyObject *module, PyObject *path, PyObject *argv, PyObject *env,
                          PyObject *file_actions, PyObject *setpgroup, int resetids, int setsid,
                          PyObject *setsigmask, PyObject *setsigdef, PyObject *scheduler)
{
    struct spawn_options options = {setpgroup, setsigmask, setsigdef, scheduler, resetids, setsid};
    return do_spawn(module, "posix_spawnp", posix_spawnp, path, argv, env, file_actions, &options);
}
