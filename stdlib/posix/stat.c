/* The module posix: stat_result, statvfs_result and the functions that make them. */
#include "posix.h"

#include <sys/statvfs.h>

static PyStructSequence_Field stat_fields[] = {
    {"st_mode", "protection bits"},
    {"st_ino", "inode"},
    {"st_dev", "device"},
    {"st_nlink", "number of hard links"},
    {"st_uid", "user ID of owner"},
    {"st_gid", "group ID of owner"},
    {"st_size", "total size, in bytes"},
    {NULL, "integer time of last access"},
    {NULL, "integer time of last modification"},
    {NULL, "integer time of last change"},
    {"st_atime", "last reading, seconds"},
    {"st_mtime", "last change of the content, seconds"},
    {"st_ctime", "last change of the inode, seconds"},
    {"st_atime_ns", "last reading, ns"},
    {"st_mtime_ns", "last change of the content, ns"},
    {"st_ctime_ns", "last change of the inode, ns"},
    {"st_blksize", "the size of block that input and output prefer"},
    {"st_blocks", "512-byte blocks in use"},
    {"st_rdev", "which device a device file stands for"},
    {NULL, NULL},
};

static PyStructSequence_Desc stat_desc = {
    "os.stat_result",
    "What stat() tells about a file.\n\nAs a tuple it has (mode, ino, dev, nlink, uid, gid, size, "
    "atime, mtime, ctime), with times in\nwhole seconds; the attributes have more.",
    stat_fields,
    10,
};

static PyStructSequence_Field statvfs_fields[] = {
    {"f_bsize", NULL},  {"f_frsize", NULL},  {"f_blocks", NULL}, {"f_bfree", NULL},
    {"f_bavail", NULL}, {"f_files", NULL},   {"f_ffree", NULL},  {"f_favail", NULL},
    {"f_flag", NULL},   {"f_namemax", NULL}, {"f_fsid", NULL},   {NULL, NULL},
};

static PyStructSequence_Desc statvfs_desc = {
    "os.statvfs_result",
    "What statvfs() tells about a file system.",
    statvfs_fields,
    10,
};

/* The constructor all struct sequences have; ours only adds to it. */
static newfunc sequence_new;

/* A stat_result made of a plain tuple has its times as attributes too. */
static PyObject *stat_result_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *self = __atomic_load_n(&sequence_new, __ATOMIC_RELAXED)(type, args, kwargs);
    for (Py_ssize_t i = 7; self != NULL && i < 10; i++) {
        if (PyStructSequence_GetItem(self, i + 3) == Py_None) {
            PyStructSequence_SetItem(self, i + 3, Py_NewRef(PyStructSequence_GetItem(self, i)));
        }
    }
    return self;
}

int posix_add_types(PyObject *module, struct posix_state *state)
{
    for (size_t i = 7; i < 10; i++) {
        stat_fields[i].name = PyStructSequence_UnnamedField;
    }
    PyTypeObject *stat_type = PyStructSequence_NewType(&stat_desc);
    state->stat_result = (PyObject *)stat_type;
    state->statvfs_result = (PyObject *)PyStructSequence_NewType(&statvfs_desc);
    if (stat_type == NULL || state->statvfs_result == NULL) {
        return -1;
    }
    __atomic_store_n(&sequence_new, ((PyTypeObject *)state->statvfs_result)->tp_new,
                     __ATOMIC_RELAXED);
    stat_type->tp_new = stat_result_new;
    return PyModule_AddObjectRef(module, "stat_result", state->stat_result) < 0
                   || PyModule_AddObjectRef(module, "statvfs_result", state->statvfs_result) < 0
               ? -1
               : 0;
}

/* Seconds and nanoseconds as one int, exactly. */
static PyObject *nanoseconds_object(const struct timespec *time)
{
    long long whole;
    if (!__builtin_mul_overflow((long long)time->tv_sec, 1000000000LL, &whole)
        && !__builtin_add_overflow(whole, (long long)time->tv_nsec, &whole)) {
        return PyLong_FromLongLong(whole);
    }
    PyObject *seconds = PyLong_FromLongLong(time->tv_sec), *scale = PyLong_FromLong(1000000000);
    PyObject *rest = PyLong_FromLong(time->tv_nsec), *product = NULL, *sum = NULL;
    if (seconds != NULL && scale != NULL && rest != NULL) {
        product = PyNumber_Multiply(seconds, scale);
        sum = product ? PyNumber_Add(product, rest) : NULL;
    }
    Py_XDECREF(seconds);
    Py_XDECREF(scale);
    Py_XDECREF(rest);
    Py_XDECREF(product);
    return sum;
}

PyObject *stat_object(struct posix_state *state, const struct stat *status)
{
    PyObject *items[19] = {
        PyLong_FromLong((long)status->st_mode),
        PyLong_FromUnsignedLongLong(status->st_ino),
        dev_object(status->st_dev),
        PyLong_FromUnsignedLong(status->st_nlink),
        uid_object(status->st_uid),
        uid_object(status->st_gid),
        PyLong_FromLongLong(status->st_size),
    };
    const struct timespec *times[] = {&status->st_atim, &status->st_mtim, &status->st_ctim};
    for (int i = 0; i < 3; i++) {
        items[7 + i] = PyLong_FromLongLong(times[i]->tv_sec);
        items[10 + i] =
            PyFloat_FromDouble((double)times[i]->tv_sec + 1e-9 * (double)times[i]->tv_nsec);
        items[13 + i] = nanoseconds_object(times[i]);
    }
    items[16] = PyLong_FromLong(status->st_blksize);
    items[17] = PyLong_FromLongLong(status->st_blocks);
    items[18] = dev_object(status->st_rdev);
    return record_make(state->stat_result, items, 19);
}

static PyObject *do_stat(PyObject *module, const char *function, PyObject *arg, int dir_fd,
                         int follow_symlinks)
{
    PATH(path);
    int flags = strcmp(function, "stat") == 0 ? PATH_FD : 0;
    if (!path_read(&path, arg, function, "path", flags) || !path_fits_dir_fd(&path, dir_fd)
        || (flags != 0 && !path_fits_links(&path, follow_symlinks))) {
        return NULL;
    }
    struct stat status;
    int rc = BLOCKING(path.name == NULL ? fstat(path.fd, &status)
                                        : fstatat(dir_fd, path.name, &status,
                                                  follow_symlinks ? 0 : AT_SYMLINK_NOFOLLOW));
    return rc < 0 ? path_raise(&path) : stat_object(state_of(module), &status);
}

PyObject *os_stat(PyObject *module, PyObject *path, int dir_fd, int follow_symlinks)
{
    return do_stat(module, "stat", path, dir_fd, follow_symlinks);
}

PyObject *os_lstat(PyObject *module, PyObject *path, int dir_fd)
{
    return do_stat(module, "lstat", path, dir_fd, 0);
}

PyObject *os_fstat(PyObject *module, int fd)
{
    struct stat status;
    if (RETRYING(fstat(fd, &status)) < 0) {
        return posix_raise();
    }
    return stat_object(state_of(module), &status);
}

static PyObject *statvfs_object(PyObject *module, const struct statvfs *status)
{
    PyObject *items[] = {
        PyLong_FromUnsignedLong(status->f_bsize),
        PyLong_FromUnsignedLong(status->f_frsize),
        PyLong_FromUnsignedLongLong(status->f_blocks),
        PyLong_FromUnsignedLongLong(status->f_bfree),
        PyLong_FromUnsignedLongLong(status->f_bavail),
        PyLong_FromUnsignedLongLong(status->f_files),
        PyLong_FromUnsignedLongLong(status->f_ffree),
        PyLong_FromUnsignedLongLong(status->f_favail),
        PyLong_FromUnsignedLong(status->f_flag),
        PyLong_FromUnsignedLong(status->f_namemax),
        PyLong_FromUnsignedLong(status->f_fsid),
    };
    return record_make(state_of(module)->statvfs_result, items, Py_ARRAY_LENGTH(items));
}

PyObject *os_statvfs(PyObject *module, PyObject *arg)
{
    PATH(path);
    if (!path_read(&path, arg, "statvfs", "path", PATH_FD)) {
        return NULL;
    }
    struct statvfs status;
    int rc = BLOCKING(path.name ? statvfs(path.name, &status) : fstatvfs(path.fd, &status));
    return rc < 0 ? path_raise(&path) : statvfs_object(module, &status);
}

PyObject *os_fstatvfs(PyObject *module, int fd)
{
    struct statvfs status;
    if (RETRYING(fstatvfs(fd, &status)) < 0) {
        return posix_raise();
    }
    return statvfs_object(module, &status);
}
