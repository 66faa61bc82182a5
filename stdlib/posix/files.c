/* The module posix: what is done to files and directories by their paths. */
#include "posix.h"

#include <sys/sysmacros.h>
#include <sys/xattr.h>

#define XATTR_SIZE_MAX_BYTES (1 << 16)

/* ---- the current directory ------------------------------------------------------------------ */

int os_chdir(PyObject *Py_UNUSED(module), PyObject *arg)
{
    PATH(path);
    if (!path_read(&path, arg, "chdir", "path", PATH_FD)
        || PySys_Audit("os.chdir", "(O)", path.object) < 0) {
        return -1;
    }
    return path_check(&path, BLOCKING(path.name ? chdir(path.name) : fchdir(path.fd)));
}

int os_fchdir(PyObject *Py_UNUSED(module), int fd)
{
    if (PySys_Audit("os.chdir", "(i)", fd) < 0) {
        return -1;
    }
    return posix_check(RETRYING(fchdir(fd)));
}

int os_chroot(PyObject *Py_UNUSED(module), PyObject *arg)
{
    PATH(path);
    if (!path_read(&path, arg, "chroot", "path", 0)) {
        return -1;
    }
    return path_check(&path, BLOCKING(chroot(path.name)));
}

static PyObject *current_directory(bool as_bytes)
{
    char *name = BLOCKING(getcwd(NULL, 0));
    if (name == NULL) {
        return posix_raise();
    }
    PyObject *result = path_text(name, (Py_ssize_t)strlen(name), as_bytes);
    free(name);
    return result;
}

PyObject *os_getcwd(PyObject *Py_UNUSED(module))
{
    return current_directory(false);
}

PyObject *os_getcwdb(PyObject *Py_UNUSED(module))
{
    return current_directory(true);
}

/* ---- rights and owners ---------------------------------------------------------------------- */

int os_access(PyObject *Py_UNUSED(module), PyObject *arg, int mode, int dir_fd, int effective_ids,
              int follow_symlinks)
{
    PATH(path);
    if (!path_read(&path, arg, "access", "path", 0)) {
        return -1;
    }
    int flags = (effective_ids ? AT_EACCESS : 0) | (follow_symlinks ? 0 : AT_SYMLINK_NOFOLLOW);
    return BLOCKING(faccessat(dir_fd, path.name, mode, flags)) == 0;
}

int os_chmod(PyObject *Py_UNUSED(module), PyObject *arg, int mode, int dir_fd, int follow_symlinks)
{
    PATH(path);
    if (!path_read(&path, arg, "chmod", "path", PATH_FD)
        || PySys_Audit("os.chmod", "Oii", path.object, mode, audited_dir_fd(dir_fd)) < 0) {
        return -1;
    }
    int rc = BLOCKING(path.name == NULL ? fchmod(path.fd, (mode_t)mode)
                                        : fchmodat(dir_fd, path.name, (mode_t)mode,
                                                   follow_symlinks ? 0 : AT_SYMLINK_NOFOLLOW));
    if (rc < 0 && !follow_symlinks && (errno == ENOTSUP || errno == EOPNOTSUPP)) {
        const char *why = dir_fd != AT_FDCWD
                              ? "chmod: cannot use dir_fd and follow_symlinks together"
                              : "chmod: follow_symlinks unavailable on this platform";
        PyErr_SetString(dir_fd != AT_FDCWD ? PyExc_ValueError : PyExc_NotImplementedError, why);
    }
    return path_check(&path, rc);
}

int os_fchmod(PyObject *Py_UNUSED(module), int fd, int mode)
{
    if (PySys_Audit("os.chmod", "iii", fd, mode, -1) < 0) {
        return -1;
    }
    return posix_check(RETRYING(fchmod(fd, (mode_t)mode)));
}

int os_chown(PyObject *Py_UNUSED(module), PyObject *arg, uid_t uid, gid_t gid, int dir_fd,
             int follow_symlinks)
{
    PATH(path);
    if (!path_read(&path, arg, "chown", "path", PATH_FD) || !path_fits_dir_fd(&path, dir_fd)
        || !path_fits_links(&path, follow_symlinks)
        || PySys_Audit("os.chown", "OIIi", path.object, uid, gid, audited_dir_fd(dir_fd)) < 0) {
        return -1;
    }
    int flags = follow_symlinks ? 0 : AT_SYMLINK_NOFOLLOW;
    return path_check(&path, BLOCKING(path.name ? fchownat(dir_fd, path.name, uid, gid, flags)
                                                : fchown(path.fd, uid, gid)));
}

int os_fchown(PyObject *Py_UNUSED(module), int fd, uid_t uid, gid_t gid)
{
    if (PySys_Audit("os.chown", "iIIi", fd, uid, gid, -1) < 0) {
        return -1;
    }
    return posix_check(RETRYING(fchown(fd, uid, gid)));
}

int os_lchown(PyObject *Py_UNUSED(module), PyObject *arg, uid_t uid, gid_t gid)
{
    PATH(path);
    if (!path_read(&path, arg, "lchown", "path", 0)
        || PySys_Audit("os.chown", "OIIi", path.object, uid, gid, -1) < 0) {
        return -1;
    }
    return path_check(&path, BLOCKING(lchown(path.name, uid, gid)));
}

/* ---- names ---------------------------------------------------------------------------------- */

int os_link(PyObject *Py_UNUSED(module), PyObject *src, PyObject *dst, int src_dir_fd,
            int dst_dir_fd, int follow_symlinks)
{
    PATH(from);
    PATH(to);
    if (!path_read(&from, src, "link", "src", 0) || !path_read(&to, dst, "link", "dst", 0)
        || PySys_Audit("os.link", "OOii", from.object, to.object, audited_dir_fd(src_dir_fd),
                       audited_dir_fd(dst_dir_fd))
               < 0) {
        return -1;
    }
    /* With nothing asked for, link() decides what becomes of links: here it does not follow. */
    bool plain = src_dir_fd == AT_FDCWD && dst_dir_fd == AT_FDCWD && follow_symlinks;
    int rc = BLOCKING(plain ? link(from.name, to.name)
                            : linkat(src_dir_fd, from.name, dst_dir_fd, to.name,
                                     follow_symlinks ? AT_SYMLINK_FOLLOW : 0));
    return rc < 0 ? path_fail2(&from, &to) : 0;
}

int os_symlink(PyObject *Py_UNUSED(module), PyObject *src, PyObject *dst,
               int Py_UNUSED(target_is_directory), int dir_fd)
{
    PATH(from);
    PATH(to);
    if (!path_read(&from, src, "symlink", "src", 0) || !path_read(&to, dst, "symlink", "dst", 0)
        || PySys_Audit("os.symlink", "OOi", from.object, to.object, audited_dir_fd(dir_fd)) < 0) {
        return -1;
    }
    return BLOCKING(symlinkat(from.name, dir_fd, to.name)) < 0 ? path_fail2(&from, &to) : 0;
}

PyObject *os_readlink(PyObject *Py_UNUSED(module), PyObject *arg, int dir_fd)
{
    PATH(path);
    if (!path_read(&path, arg, "readlink", "path", 0)) {
        return NULL;
    }
    char target[PATH_MAX + 1];
    ssize_t length = BLOCKING(readlinkat(dir_fd, path.name, target, sizeof target - 1));
    return length < 0 ? path_raise(&path) : path_text(target, length, path.is_bytes);
}

static int do_rename(const char *function, PyObject *src, PyObject *dst, int src_dir_fd,
                     int dst_dir_fd)
{
    PATH(from);
    PATH(to);
    if (!path_read(&from, src, function, "src", 0) || !path_read(&to, dst, function, "dst", 0)
        || PySys_Audit("os.rename", "OOii", from.object, to.object, audited_dir_fd(src_dir_fd),
                       audited_dir_fd(dst_dir_fd))
               < 0) {
        return -1;
    }
    int rc = BLOCKING(renameat(src_dir_fd, from.name, dst_dir_fd, to.name));
    return rc < 0 ? path_fail2(&from, &to) : 0;
}

int os_rename(PyObject *Py_UNUSED(module), PyObject *src, PyObject *dst, int src_dir_fd,
              int dst_dir_fd)
{
    return do_rename("rename", src, dst, src_dir_fd, dst_dir_fd);
}

int os_replace(PyObject *Py_UNUSED(module), PyObject *src, PyObject *dst, int src_dir_fd,
               int dst_dir_fd)
{
    return do_rename("replace", src, dst, src_dir_fd, dst_dir_fd);
}

int os_mkdir(PyObject *Py_UNUSED(module), PyObject *arg, int mode, int dir_fd)
{
    PATH(path);
    if (!path_read(&path, arg, "mkdir", "path", 0)
        || PySys_Audit("os.mkdir", "Oii", path.object, mode, audited_dir_fd(dir_fd)) < 0) {
        return -1;
    }
    return path_check(&path, BLOCKING(mkdirat(dir_fd, path.name, (mode_t)mode)));
}

static int do_remove(const char *function, const char *event, PyObject *arg, int dir_fd, int flags)
{
    PATH(path);
    if (!path_read(&path, arg, function, "path", 0)
        || PySys_Audit(event, "Oi", path.object, audited_dir_fd(dir_fd)) < 0) {
        return -1;
    }
    return path_check(&path, BLOCKING(unlinkat(dir_fd, path.name, flags)));
}

int os_rmdir(PyObject *Py_UNUSED(module), PyObject *path, int dir_fd)
{
    return do_remove("rmdir", "os.rmdir", path, dir_fd, AT_REMOVEDIR);
}

int os_unlink(PyObject *Py_UNUSED(module), PyObject *path, int dir_fd)
{
    return do_remove("unlink", "os.remove", path, dir_fd, 0);
}

int os_remove(PyObject *Py_UNUSED(module), PyObject *path, int dir_fd)
{
    return do_remove("remove", "os.remove", path, dir_fd, 0);
}

int os_mkfifo(PyObject *Py_UNUSED(module), PyObject *arg, int mode, int dir_fd)
{
    PATH(path);
    if (!path_read(&path, arg, "mkfifo", "path", 0)) {
        return -1;
    }
    return posix_check(RETRYING(mkfifoat(dir_fd, path.name, (mode_t)mode)));
}

int os_mknod(PyObject *Py_UNUSED(module), PyObject *arg, int mode, dev_t device, int dir_fd)
{
    PATH(path);
    if (!path_read(&path, arg, "mknod", "path", 0)) {
        return -1;
    }
    return posix_check(RETRYING(mknodat(dir_fd, path.name, (mode_t)mode, device)));
}

int os_truncate(PyObject *Py_UNUSED(module), PyObject *arg, long long length)
{
    PATH(path);
    if (!path_read(&path, arg, "truncate", "path", PATH_FD)
        || PySys_Audit("os.truncate", "OL", path.object, length) < 0) {
        return -1;
    }
    if (path.name == NULL) {
        return posix_check(RETRYING(ftruncate(path.fd, length)));
    }
    return path_check(&path, BLOCKING(truncate(path.name, length)));
}

/* ---- times ---------------------------------------------------------------------------------- */

/* Nanoseconds, any int. */
static bool time_of_nanoseconds(PyObject *arg, struct timespec *out)
{
    PyObject *scale = PyLong_FromLong(1000000000);
    PyObject *pair = scale ? PyNumber_Divmod(arg, scale) : NULL;
    Py_XDECREF(scale);
    if (pair == NULL) {
        return false;
    }
    if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
        PyErr_Format(PyExc_TypeError, "%.200s.__divmod__() must return a 2-tuple, not %.200s",
                     Py_TYPE(arg)->tp_name, Py_TYPE(pair)->tp_name);
        Py_DECREF(pair);
        return false;
    }
    long long seconds;
    long rest;
    bool fine = bind_longlong(PyTuple_GET_ITEM(pair, 0), &seconds)
                && bind_long(PyTuple_GET_ITEM(pair, 1), &rest);
    Py_DECREF(pair);
    if (fine) {
        *out = (struct timespec){.tv_sec = seconds, .tv_nsec = rest};
    }
    return fine;
}

/* Seconds, rounded down to nanoseconds. */
static bool time_of_seconds(PyObject *arg, struct timespec *out)
{
    if (!PyFloat_Check(arg)) {
        long long seconds;
        if (!bind_longlong(arg, &seconds)) {
            if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
                PyErr_SetString(PyExc_OverflowError, "timestamp out of range for platform time_t");
            }
            return false;
        }
        *out = (struct timespec){.tv_sec = seconds};
        return true;
    }
    double value = PyFloat_AS_DOUBLE(arg);
    if (value != value) {
        PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
        return false;
    }
    if (!(value >= -9223372036854775808.0 && value < 9223372036854775808.0)) {
        PyErr_SetString(PyExc_OverflowError, "timestamp out of range for platform time_t");
        return false;
    }
    double whole = __builtin_floor(value);
    double rest = __builtin_floor((value - whole) * 1e9);
    *out = (struct timespec){.tv_sec = (time_t)whole, .tv_nsec = (long)rest};
    return true;
}

int os_utime(PyObject *Py_UNUSED(module), PyObject *arg, PyObject *times, PyObject *ns, int dir_fd,
             int follow_symlinks)
{
    PATH(path);
    if (!path_read(&path, arg, "utime", "path", PATH_FD)) {
        return -1;
    }
    if (times != Py_None && ns != NULL) {
        PyErr_SetString(PyExc_ValueError,
                        "utime: you may specify either 'times' or 'ns' but not both");
        return -1;
    }
    struct timespec values[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};
    if (times != Py_None) {
        if (!PyTuple_CheckExact(times) || PyTuple_GET_SIZE(times) != 2) {
            PyErr_SetString(PyExc_TypeError,
                            "utime: 'times' must be either a tuple of two ints or None");
            return -1;
        }
        if (!time_of_seconds(PyTuple_GET_ITEM(times, 0), &values[0])
            || !time_of_seconds(PyTuple_GET_ITEM(times, 1), &values[1])) {
            return -1;
        }
    } else if (ns != NULL) {
        if (!PyTuple_CheckExact(ns) || PyTuple_GET_SIZE(ns) != 2) {
            PyErr_SetString(PyExc_TypeError, "utime: 'ns' must be a tuple of two ints");
            return -1;
        }
        if (!time_of_nanoseconds(PyTuple_GET_ITEM(ns, 0), &values[0])
            || !time_of_nanoseconds(PyTuple_GET_ITEM(ns, 1), &values[1])) {
            return -1;
        }
    }
    if (!path_fits_dir_fd(&path, dir_fd) || !path_fits_links(&path, follow_symlinks)
        || PySys_Audit("os.utime", "OOOi", path.object, times, ns ? ns : Py_None,
                       audited_dir_fd(dir_fd))
               < 0) {
        return -1;
    }
    int rc = BLOCKING(
        path.name ? utimensat(dir_fd, path.name, values, follow_symlinks ? 0 : AT_SYMLINK_NOFOLLOW)
                  : futimens(path.fd, values));
    return path_check(&path, rc);
}

/* ---- extended attributes -------------------------------------------------------------------- */

PyObject *os_getxattr(PyObject *Py_UNUSED(module), PyObject *arg, PyObject *attribute,
                      int follow_symlinks)
{
    PATH(path);
    PATH(name);
    if (!path_read(&path, arg, "getxattr", "path", PATH_FD)
        || !path_read(&name, attribute, "getxattr", "attribute", 0)
        || !path_fits_links(&path, follow_symlinks)
        || PySys_Audit("os.getxattr", "OO", path.object, name.object) < 0) {
        return NULL;
    }
    for (size_t room = 128; room <= XATTR_SIZE_MAX_BYTES; room = room < 4096 ? 4096 : room * 16) {
        PyObject *value = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)room);
        if (value == NULL) {
            return NULL;
        }
        char *data = PyBytes_AS_STRING(value);
        ssize_t length = BLOCKING(path.name == NULL ? fgetxattr(path.fd, name.name, data, room)
                                  : follow_symlinks ? getxattr(path.name, name.name, data, room)
                                                    : lgetxattr(path.name, name.name, data, room));
        if (length >= 0) {
            _PyBytes_Resize(&value, length);
            return value;
        }
        Py_DECREF(value);
        if (errno != ERANGE) {
            break;
        }
    }
    return path_raise(&path);
}

int os_setxattr(PyObject *Py_UNUSED(module), PyObject *arg, PyObject *attribute, Py_buffer *value,
                int flags, int follow_symlinks)
{
    PATH(path);
    PATH(name);
    if (!path_read(&path, arg, "setxattr", "path", PATH_FD)
        || !path_read(&name, attribute, "setxattr", "attribute", 0)
        || !path_fits_links(&path, follow_symlinks)
        || PySys_Audit("os.setxattr", "OOy#i", path.object, name.object, value->buf, value->len,
                       flags)
               < 0) {
        return -1;
    }
    size_t size = (size_t)value->len;
    return path_check(
        &path,
        BLOCKING(path.name == NULL ? fsetxattr(path.fd, name.name, value->buf, size, flags)
                 : follow_symlinks ? setxattr(path.name, name.name, value->buf, size, flags)
                                   : lsetxattr(path.name, name.name, value->buf, size, flags)));
}

int os_removexattr(PyObject *Py_UNUSED(module), PyObject *arg, PyObject *attribute,
                   int follow_symlinks)
{
    PATH(path);
    PATH(name);
    if (!path_read(&path, arg, "removexattr", "path", PATH_FD)
        || !path_read(&name, attribute, "removexattr", "attribute", 0)
        || !path_fits_links(&path, follow_symlinks)
        || PySys_Audit("os.removexattr", "OO", path.object, name.object) < 0) {
        return -1;
    }
    return path_check(&path, BLOCKING(path.name == NULL ? fremovexattr(path.fd, name.name)
                                      : follow_symlinks ? removexattr(path.name, name.name)
                                                        : lremovexattr(path.name, name.name)));
}

/* Names that each end with a NUL, as a list of str. */
static PyObject *names_split(const char *names, ssize_t length)
{
    PyObject *list = PyList_New(0);
    for (const char *at = names; list != NULL && at < names + length; at += strlen(at) + 1) {
        PyObject *name = PyUnicode_DecodeFSDefault(at);
        if (name == NULL || PyList_Append(list, name) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(name);
    }
    return list;
}

PyObject *os_listxattr(PyObject *Py_UNUSED(module), PyObject *arg, int follow_symlinks)
{
    PATH(path);
    if (!path_read(&path, arg, "listxattr", "path", PATH_FD | PATH_NONE)
        || !path_fits_links(&path, follow_symlinks)
        || PySys_Audit("os.listxattr", "(O)", path.object) < 0) {
        return NULL;
    }
    for (size_t room = 256; room <= XATTR_SIZE_MAX_BYTES; room *= 16) {
        char *names = PyMem_Malloc(room);
        if (names == NULL) {
            return PyErr_NoMemory();
        }
        ssize_t length = BLOCKING(path.name == NULL ? flistxattr(path.fd, names, room)
                                  : follow_symlinks ? listxattr(path.name, names, room)
                                                    : llistxattr(path.name, names, room));
        if (length >= 0) {
            PyObject *list = names_split(names, length);
            PyMem_Free(names);
            return list;
        }
        PyMem_Free(names);
        if (errno != ERANGE) {
            break;
        }
    }
    return path_raise(&path);
}

/* ---- paths as text -------------------------------------------------------------------------- */

PyObject *os_fspath(PyObject *Py_UNUSED(module), PyObject *path)
{
    return PyOS_FSPath(path);
}

/* How much of the start of a path is its root: two slashes are special, three or more are one. */
static Py_ssize_t root_length(const char *path)
{
    size_t slashes = strspn(path, "/");
    return slashes == 2 ? 2 : slashes != 0;
}

PyObject *os_path_splitroot_ex(PyObject *Py_UNUSED(module), PyObject *p)
{
    PyObject *bytes;
    bool as_bytes = PyBytes_Check(p);
    if (as_bytes) {
        bytes = Py_NewRef(p);
    } else if (PyUnicode_Check(p)) {
        bytes = PyUnicode_AsEncodedString(p, "utf-8", "surrogatepass");
    } else {
        p = PyOS_FSPath(p);
        PyObject *result = p ? os_path_splitroot_ex(NULL, p) : NULL;
        Py_XDECREF(p);
        return result;
    }
    if (bytes == NULL) {
        return NULL;
    }
    Py_ssize_t root = root_length(PyBytes_AS_STRING(bytes));
    Py_DECREF(bytes);
    if (as_bytes) {
        const char *text = PyBytes_AS_STRING(p);
        return Py_BuildValue("(yy#y#)", "", text, root, text + root, PyBytes_GET_SIZE(p) - root);
    }
    return Py_BuildValue("(sNN)", "", PyUnicode_Substring(p, 0, root),
                         PyUnicode_Substring(p, root, PyUnicode_GET_LENGTH(p)));
}

/* Writes the normal form of `path` to `out`, which has room for it and is not empty after. */
static Py_ssize_t normalize(const char *path, Py_ssize_t length, char *out)
{
    Py_ssize_t root = root_length(path), size = root;
    memset(out, '/', (size_t)root);
    for (const char *at = path, *end = path + length; at < end;) {
        const char *stop = memchr(at, '/', (size_t)(end - at));
        Py_ssize_t part = (stop ? stop : end) - at;
        bool up = part == 2 && at[0] == '.' && at[1] == '.';
        Py_ssize_t last = size; /* where the last part of the result starts */
        while (last > root && out[last - 1] != '/') {
            last--;
        }
        bool last_is_up = size - last == 2 && out[last] == '.' && out[last + 1] == '.';
        if (part == 0 || (part == 1 && *at == '.') || (up && root > 0 && size == root)) {
            /* adds nothing */
        } else if (up && size > root && !last_is_up) {
            size = last > root ? last - 1 : last;
        } else {
            if (size > root) {
                out[size++] = '/';
            }
            memcpy(out + size, at, (size_t)part);
            size += part;
        }
        at += part + 1;
    }
    if (size == 0) {
        out[size++] = '.';
    }
    return size;
}

PyObject *os_path_normpath(PyObject *Py_UNUSED(module), PyObject *arg)
{
    PyObject *path = PyOS_FSPath(arg);
    if (path == NULL) {
        return NULL;
    }
    bool as_bytes = PyBytes_Check(path);
    PyObject *bytes =
        as_bytes ? Py_NewRef(path) : PyUnicode_AsEncodedString(path, "utf-8", "surrogatepass");
    Py_DECREF(path);
    PyObject *result = NULL;
    if (bytes != NULL) {
        Py_ssize_t length = PyBytes_GET_SIZE(bytes);
        char *out = PyMem_Malloc((size_t)length + 2);
        if (out == NULL) {
            PyErr_NoMemory();
        } else {
            Py_ssize_t size = normalize(PyBytes_AS_STRING(bytes), length, out);
            result = as_bytes ? PyBytes_FromStringAndSize(out, size)
                              : PyUnicode_DecodeUTF8(out, size, "surrogatepass");
            PyMem_Free(out);
        }
        Py_DECREF(bytes);
    }
    return result;
}
