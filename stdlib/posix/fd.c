/* The module posix: open files by their descriptors. */
#include "posix.h"

#include <langinfo.h>
#include <pty.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <utmp.h>

#define ONE_CALL_MOST ((size_t)0x7ffff000) /* what the system moves at most */

int os_open(PyObject *Py_UNUSED(module), PyObject *arg, int flags, int mode, int dir_fd)
{
    PATH(path);
    flags |= O_CLOEXEC;
    if (!path_read(&path, arg, "open", "path", 0)
        || PySys_Audit("open", "OOi", path.object, Py_None, flags) < 0) {
        return -1;
    }
    int fd = RETRYING(openat(dir_fd, path.name, flags, mode));
    return fd < 0 ? path_fail(&path) : fd;
}

int os_close(PyObject *Py_UNUSED(module), int fd)
{
    /* Not again after EINTR: the descriptor is gone then and may be somebody else's. */
    return posix_check(BLOCKING(close(fd)));
}

int os_closerange(PyObject *Py_UNUSED(module), int low, int high)
{
    low = Py_MAX(low, 0);
    if (low < high) {
        Py_BEGIN_ALLOW_THREADS if (close_range((unsigned)low, (unsigned)high - 1, 0) != 0)
        {
            for (int fd = low; fd < high; fd++) {
                close(fd);
            }
        }
        Py_END_ALLOW_THREADS
    }
    return 0;
}

/* ---- reading and writing -------------------------------------------------------------------- */

/* With an offset below 0, from the file's own position. */
static PyObject *do_read(int fd, Py_ssize_t length, const long long *offset)
{
    if (length < 0) {
        errno = EINVAL;
        return posix_raise();
    }
    size_t most = Py_MIN((size_t)length, ONE_CALL_MOST);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)most);
    if (bytes == NULL) {
        return NULL;
    }
    char *data = PyBytes_AS_STRING(bytes);
    ssize_t got = RETRYING(offset ? pread(fd, data, most, *offset) : read(fd, data, most));
    if (got < 0) {
        posix_fail();
        Py_DECREF(bytes);
        return NULL;
    }
    if ((size_t)got != most) {
        _PyBytes_Resize(&bytes, got);
    }
    return bytes;
}

PyObject *os_read(PyObject *Py_UNUSED(module), int fd, Py_ssize_t length)
{
    return do_read(fd, length, NULL);
}

PyObject *os_pread(PyObject *Py_UNUSED(module), int fd, Py_ssize_t length, long long offset)
{
    return do_read(fd, length, &offset);
}

Py_ssize_t os_write(PyObject *Py_UNUSED(module), int fd, Py_buffer *data)
{
    size_t size = Py_MIN((size_t)data->len, ONE_CALL_MOST);
    ssize_t done = RETRYING(write(fd, data->buf, size));
    if (done >= 0 && (size_t)done < size && PyErr_CheckSignals() < 0) {
        return -1; /* a signal cut it short */
    }
    return done < 0 ? posix_fail() : done;
}

Py_ssize_t os_pwrite(PyObject *Py_UNUSED(module), int fd, Py_buffer *buffer, long long offset)
{
    ssize_t done = RETRYING(pwrite(fd, buffer->buf, (size_t)buffer->len, offset));
    return done < 0 ? posix_fail() : done;
}

struct vectors {
    struct iovec *iov;
    Py_buffer *buffers;
    int count;
};

static void vectors_drop(struct vectors *vectors)
{
    for (int i = 0; i < vectors->count; i++) {
        PyBuffer_Release(&vectors->buffers[i]);
    }
    PyMem_Free(vectors->iov);
    PyMem_Free(vectors->buffers);
}

#define VECTORS(name) __attribute__((cleanup(vectors_drop))) struct vectors name = {NULL, NULL, 0}

static bool vectors_read(struct vectors *vectors, const char *function, PyObject *sequence,
                         int flags)
{
    if (!PySequence_Check(sequence)) {
        PyErr_Format(PyExc_TypeError, "%s() arg 2 must be a sequence", function);
        return false;
    }
    Py_ssize_t count = PySequence_Size(sequence);
    if (count < 0) {
        return false;
    }
    if (count > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "too many buffers");
        return false;
    }
    vectors->iov = PyMem_New(struct iovec, count ? count : 1);
    vectors->buffers = PyMem_New(Py_buffer, count ? count : 1);
    if (vectors->iov == NULL || vectors->buffers == NULL) {
        PyErr_NoMemory();
        return false;
    }
    for (int i = 0; i < count; i++) {
        PyObject *item = PySequence_GetItem(sequence, i);
        int rc = item ? PyObject_GetBuffer(item, &vectors->buffers[i], flags) : -1;
        Py_XDECREF(item);
        if (rc < 0) {
            return false;
        }
        vectors->iov[i].iov_base = vectors->buffers[i].buf;
        vectors->iov[i].iov_len = (size_t)vectors->buffers[i].len;
        vectors->count++;
    }
    return true;
}

Py_ssize_t os_readv(PyObject *Py_UNUSED(module), int fd, PyObject *buffers)
{
    VECTORS(v);
    if (!vectors_read(&v, "readv", buffers, PyBUF_WRITABLE)) {
        return -1;
    }
    ssize_t done = RETRYING(readv(fd, v.iov, v.count));
    return done < 0 ? posix_fail() : done;
}

Py_ssize_t os_preadv(PyObject *Py_UNUSED(module), int fd, PyObject *buffers, long long offset,
                     int flags)
{
    VECTORS(v);
    if (!vectors_read(&v, "preadv", buffers, PyBUF_WRITABLE)) {
        return -1;
    }
    ssize_t done = RETRYING(preadv2(fd, v.iov, v.count, offset, flags));
    return done < 0 ? posix_fail() : done;
}

Py_ssize_t os_writev(PyObject *Py_UNUSED(module), int fd, PyObject *buffers)
{
    VECTORS(v);
    if (!vectors_read(&v, "writev", buffers, PyBUF_SIMPLE)) {
        return -1;
    }
    ssize_t done = RETRYING(writev(fd, v.iov, v.count));
    return done < 0 ? posix_fail() : done;
}

Py_ssize_t os_pwritev(PyObject *Py_UNUSED(module), int fd, PyObject *buffers, long long offset,
                      int flags)
{
    VECTORS(v);
    if (!vectors_read(&v, "pwritev", buffers, PyBUF_SIMPLE)) {
        return -1;
    }
    ssize_t done = RETRYING(pwritev2(fd, v.iov, v.count, offset, flags));
    return done < 0 ? posix_fail() : done;
}

PyObject *os_sendfile(PyObject *Py_UNUSED(module), int out_fd, int in_fd, PyObject *offset,
                      Py_ssize_t count)
{
    long long value = 0;
    bool given;
    if (!offset_or_none(offset, &value, &given)) {
        return NULL;
    }
    off_t at = value;
    ssize_t done = RETRYING(sendfile(out_fd, in_fd, given ? &at : NULL, (size_t)count));
    return done < 0 ? posix_raise() : PyLong_FromSsize_t(done);
}

static bool count_is_fine(Py_ssize_t count)
{
    if (count < 0) {
        PyErr_SetString(PyExc_ValueError, "negative value for 'count' not allowed");
    }
    return count >= 0;
}

PyObject *os_copy_file_range(PyObject *Py_UNUSED(module), int src, int dst, Py_ssize_t count,
                             PyObject *offset_src, PyObject *offset_dst)
{
    long long from = 0, to = 0;
    bool has_from, has_to;
    if (!count_is_fine(count) || !offset_or_none(offset_src, &from, &has_from)
        || !offset_or_none(offset_dst, &to, &has_to)) {
        return NULL;
    }
    off_t at = from, into = to;
    ssize_t done = RETRYING(
        copy_file_range(src, has_from ? &at : NULL, dst, has_to ? &into : NULL, (size_t)count, 0));
    return done < 0 ? posix_raise() : PyLong_FromSsize_t(done);
}

PyObject *os_splice(PyObject *Py_UNUSED(module), int src, int dst, Py_ssize_t count,
                    PyObject *offset_src, PyObject *offset_dst, unsigned int flags)
{
    long long from = 0, to = 0;
    bool has_from, has_to;
    if (!count_is_fine(count) || !offset_or_none(offset_src, &from, &has_from)
        || !offset_or_none(offset_dst, &to, &has_to)) {
        return NULL;
    }
    off64_t at = from, into = to;
    ssize_t done = RETRYING(
        splice(src, has_from ? &at : NULL, dst, has_to ? &into : NULL, (size_t)count, flags));
    return done < 0 ? posix_raise() : PyLong_FromSsize_t(done);
}

PyObject *os_lseek(PyObject *Py_UNUSED(module), int fd, long long position, int whence)
{
    off_t now = BLOCKING(lseek(fd, position, whence));
    return now < 0 ? posix_raise() : PyLong_FromLongLong(now);
}

/* ---- descriptors ---------------------------------------------------------------------------- */

int os_dup(PyObject *Py_UNUSED(module), int fd)
{
    int other = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return other < 0 ? posix_fail() : other;
}

int os_dup2(PyObject *Py_UNUSED(module), int fd, int fd2, int inheritable)
{
    int rc = BLOCKING(inheritable || fd == fd2 ? dup2(fd, fd2) : dup3(fd, fd2, O_CLOEXEC));
    if (rc >= 0 && fd == fd2 && !inheritable) {
        rc = fcntl(fd2, F_SETFD, FD_CLOEXEC) < 0 ? -1 : rc;
    }
    return rc < 0 ? posix_fail() : rc;
}

static PyObject *do_pipe(int flags)
{
    int fds[2];
    return BLOCKING(pipe2(fds, flags)) < 0 ? posix_raise() : Py_BuildValue("(ii)", fds[0], fds[1]);
}

PyObject *os_pipe(PyObject *Py_UNUSED(module))
{
    return do_pipe(O_CLOEXEC);
}

PyObject *os_pipe2(PyObject *Py_UNUSED(module), int flags)
{
    return do_pipe(flags);
}

int os_fsync(PyObject *Py_UNUSED(module), int fd)
{
    return posix_check(RETRYING(fsync(fd)));
}

int os_fdatasync(PyObject *Py_UNUSED(module), int fd)
{
    return posix_check(RETRYING(fdatasync(fd)));
}

int os_sync(PyObject *Py_UNUSED(module))
{
    Py_BEGIN_ALLOW_THREADS sync();
    Py_END_ALLOW_THREADS return 0;
}

int os_ftruncate(PyObject *Py_UNUSED(module), int fd, long long length)
{
    if (PySys_Audit("os.truncate", "iL", fd, length) < 0) {
        return -1;
    }
    return posix_check(RETRYING(ftruncate(fd, length)));
}

int os_isatty(PyObject *Py_UNUSED(module), int fd)
{
    return BLOCKING(isatty(fd));
}

int os_get_inheritable(PyObject *Py_UNUSED(module), int fd)
{
    int flags = fcntl(fd, F_GETFD);
    return flags < 0 ? posix_fail() : !(flags & FD_CLOEXEC);
}

static int flag_set(int fd, int get, int set, int flag, bool on)
{
    int flags = fcntl(fd, get);
    int wanted = on ? flags | flag : flags & ~flag;
    return posix_check(flags < 0 ? -1 : wanted == flags ? 0 : fcntl(fd, set, wanted));
}

int os_set_inheritable(PyObject *Py_UNUSED(module), int fd, int inheritable)
{
    return flag_set(fd, F_GETFD, F_SETFD, FD_CLOEXEC, !inheritable);
}

int os_get_blocking(PyObject *Py_UNUSED(module), int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? posix_fail() : !(flags & O_NONBLOCK);
}

int os_set_blocking(PyObject *Py_UNUSED(module), int fd, int blocking)
{
    return flag_set(fd, F_GETFL, F_SETFL, O_NONBLOCK, !blocking);
}

int os_lockf(PyObject *Py_UNUSED(module), int fd, int command, long long length)
{
    if (PySys_Audit("os.lockf", "iiL", fd, command, length) < 0) {
        return -1;
    }
    return posix_check(BLOCKING(lockf(fd, command, length)));
}

/* These calls return the error instead of setting errno. */
static int returned_error(int error)
{
    errno = error;
    return error == 0 ? 0 : -1;
}

int os_posix_fadvise(PyObject *Py_UNUSED(module), int fd, long long offset, long long length,
                     int advice)
{
    return posix_check(RETRYING(returned_error(posix_fadvise(fd, offset, length, advice))));
}

int os_posix_fallocate(PyObject *Py_UNUSED(module), int fd, long long offset, long long length)
{
    return posix_check(RETRYING(returned_error(posix_fallocate(fd, offset, length))));
}

int os_memfd_create(PyObject *Py_UNUSED(module), PyObject *name, unsigned int flags)
{
    int fd = BLOCKING(memfd_create(PyBytes_AS_STRING(name), flags));
    return fd < 0 ? posix_fail() : fd;
}

int os_eventfd(PyObject *Py_UNUSED(module), unsigned int initval, int flags)
{
    int fd = BLOCKING(eventfd(initval, flags));
    return fd < 0 ? posix_fail() : fd;
}

PyObject *os_eventfd_read(PyObject *Py_UNUSED(module), int fd)
{
    eventfd_t value;
    return BLOCKING(eventfd_read(fd, &value)) < 0 ? posix_raise()
                                                  : PyLong_FromUnsignedLongLong(value);
}

int os_eventfd_write(PyObject *Py_UNUSED(module), int fd, unsigned long long value)
{
    return posix_check(BLOCKING(eventfd_write(fd, value)));
}

/* ---- timers --------------------------------------------------------------------------------- */

int os_timerfd_create(PyObject *Py_UNUSED(module), int clockid, int flags)
{
    int fd = BLOCKING(timerfd_create(clockid, TFD_CLOEXEC | flags));
    return fd < 0 ? posix_fail() : fd;
}

static struct timespec timespec_of(long long nanoseconds)
{
    long long rest = nanoseconds % 1000000000, whole = nanoseconds / 1000000000;
    if (rest < 0) {
        rest += 1000000000;
        whole--;
    }
    return (struct timespec){.tv_sec = whole, .tv_nsec = (long)rest};
}

static PyObject *timer_object(const struct itimerspec *spec, bool as_ns)
{
    const struct timespec *v = &spec->it_value, *i = &spec->it_interval;
    if (as_ns) {
        return Py_BuildValue("(LL)", (long long)v->tv_sec * 1000000000 + v->tv_nsec,
                             (long long)i->tv_sec * 1000000000 + i->tv_nsec);
    }
    return Py_BuildValue("(dd)", (double)v->tv_sec + (double)v->tv_nsec * 1e-9,
                         (double)i->tv_sec + (double)i->tv_nsec * 1e-9);
}

static PyObject *timer_set(int fd, int flags, long long initial, long long interval, bool as_ns)
{
    struct itimerspec spec = {timespec_of(interval), timespec_of(initial)}, old;
    if (BLOCKING(timerfd_settime(fd, flags, &spec, &old)) < 0) {
        return posix_raise();
    }
    return timer_object(&old, as_ns);
}

static bool nanoseconds_of(double seconds, long long *out)
{
    if (seconds != seconds) {
        PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
        return false;
    }
    double value = __builtin_floor(seconds * 1e9);
    if (!(value >= -9223372036854775808.0 && value < 9223372036854775808.0)) {
        PyErr_SetString(PyExc_OverflowError, "timestamp out of range for platform time_t");
        return false;
    }
    *out = (long long)value;
    return true;
}

PyObject *os_timerfd_settime(PyObject *Py_UNUSED(module), int fd, int flags, double initial,
                             double interval)
{
    long long first, again;
    if (!nanoseconds_of(initial, &first) || !nanoseconds_of(interval, &again)) {
        return NULL;
    }
    return timer_set(fd, flags, first, again, false);
}

PyObject *os_timerfd_settime_ns(PyObject *Py_UNUSED(module), int fd, int flags, long long initial,
                                long long interval)
{
    return timer_set(fd, flags, initial, interval, true);
}

static PyObject *timer_get(int fd, bool as_ns)
{
    struct itimerspec spec;
    return BLOCKING(timerfd_gettime(fd, &spec)) < 0 ? posix_raise() : timer_object(&spec, as_ns);
}

PyObject *os_timerfd_gettime(PyObject *Py_UNUSED(module), int fd)
{
    return timer_get(fd, false);
}

PyObject *os_timerfd_gettime_ns(PyObject *Py_UNUSED(module), int fd)
{
    return timer_get(fd, true);
}

/* ---- terminals ------------------------------------------------------------------------------ */

PyObject *os_get_terminal_size(PyObject *module, int fd)
{
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0) {
        return posix_raise();
    }
    PyObject *items[] = {PyLong_FromLong(size.ws_col), PyLong_FromLong(size.ws_row)};
    return record_make(state_of(module)->terminal_size, items, 2);
}

PyObject *os_device_encoding(PyObject *Py_UNUSED(module), int fd)
{
    if (!BLOCKING(isatty(fd))) {
        Py_RETURN_NONE;
    }
    const char *name = nl_langinfo(CODESET);
    return PyUnicode_FromString(name && *name ? name : "UTF-8");
}

PyObject *os_openpty(PyObject *Py_UNUSED(module))
{
    int master, slave;
    if (BLOCKING(openpty(&master, &slave, NULL, NULL, NULL)) < 0) {
        return posix_raise();
    }
    if (fcntl(master, F_SETFD, FD_CLOEXEC) < 0 || fcntl(slave, F_SETFD, FD_CLOEXEC) < 0) {
        posix_fail();
        close(master);
        close(slave);
        return NULL;
    }
    return Py_BuildValue("(ii)", master, slave);
}

int os_posix_openpt(PyObject *Py_UNUSED(module), int oflag)
{
    int fd = BLOCKING(posix_openpt(oflag | O_CLOEXEC));
    return fd < 0 ? posix_fail() : fd;
}

int os_grantpt(PyObject *Py_UNUSED(module), int fd)
{
    return posix_check(BLOCKING(grantpt(fd)));
}

int os_unlockpt(PyObject *Py_UNUSED(module), int fd)
{
    return posix_check(BLOCKING(unlockpt(fd)));
}

PyObject *os_ptsname(PyObject *Py_UNUSED(module), int fd)
{
    char name[PATH_MAX];
    int error = ptsname_r(fd, name, sizeof name);
    if (error != 0) {
        errno = error;
        return posix_raise();
    }
    return PyUnicode_DecodeFSDefault(name);
}

PyObject *os_ttyname(PyObject *Py_UNUSED(module), int fd)
{
    char name[PATH_MAX];
    int error = ttyname_r(fd, name, sizeof name);
    if (error != 0) {
        errno = error;
        return posix_raise();
    }
    return PyUnicode_DecodeFSDefault(name);
}

int os_login_tty(PyObject *Py_UNUSED(module), int fd)
{
    return posix_check(BLOCKING(login_tty(fd)));
}

PyObject *os_ctermid(PyObject *Py_UNUSED(module))
{
    char name[L_ctermid];
    return PyUnicode_DecodeFSDefault(ctermid(name));
}

int os_tcgetpgrp(PyObject *Py_UNUSED(module), int fd)
{
    pid_t group = tcgetpgrp(fd);
    return group < 0 ? posix_fail() : group;
}

int os_tcsetpgrp(PyObject *Py_UNUSED(module), int fd, int pgid)
{
    return posix_check(tcsetpgrp(fd, pgid));
}
