/* FileIO: a file descriptor as a raw stream. */
#include "io.h"

#include <fcntl.h>
#include <sys/stat.h>

struct fileio {
    struct iobase base;
    int fd; /* -1: closed */
    bool created, readable, writable, appending, closefd, finalizing;
    signed char seekable; /* -1: not asked yet */
    int block_size;
};

#include "fileio.bind.h"

/* ---- steps ----------------------------------------------------------------------------------- */

static inline int fd_of(struct fileio *self)
{
    return __atomic_load_n(&self->fd, __ATOMIC_RELAXED);
}

/* The descriptor, or -1 with ValueError. */
static int fd_open(struct fileio *self)
{
    int fd = fd_of(self);
    if (fd < 0) {
        PyErr_SetString(PyExc_ValueError, "I/O operation on closed file");
    }
    return fd;
}

static PyObject *not_able(struct fileio *self, const char *action)
{
    struct io_state *state = io_state_of(self);
    if (state != NULL) {
        PyErr_Format(state->unsupported, "File not open for %s", action);
    }
    return NULL;
}

/* Repeats a system call until no signal interrupts it.  Its value; -2 if it would block; -1 with an
 * exception. */
#define SYSTEM_CALL(result, call)                                                                  \
    do {                                                                                           \
        int call_error;                                                                            \
        Py_BEGIN_ALLOW_THREADS errno = 0;                                                          \
        (result) = (call);                                                                         \
        call_error = errno;                                                                        \
        Py_END_ALLOW_THREADS errno = call_error;                                                   \
    } while ((result) < 0 && errno == EINTR && PyErr_CheckSignals() == 0)

static Py_ssize_t call_result(Py_ssize_t count)
{
    if (count >= 0 || PyErr_Occurred()) {
        return count;
    }
    if (errno == EAGAIN) {
        return -2;
    }
    PyErr_SetFromErrno(PyExc_OSError);
    return -1;
}

static Py_ssize_t fd_read(int fd, char *to, Py_ssize_t size)
{
    Py_ssize_t count;
    SYSTEM_CALL(count, read(fd, to, (size_t)size));
    return call_result(count);
}

static Py_ssize_t fd_write(int fd, const char *from, Py_ssize_t size)
{
    Py_ssize_t count;
    SYSTEM_CALL(count, write(fd, from, (size_t)size));
    if (count >= 0 && count < size && PyErr_CheckSignals() < 0) {
        return -1; /* a signal cut it short: its handler comes before whatever the caller does with the rest */
    }
    return call_result(count);
}

Py_ssize_t fileio_read_once(PyObject *file, char *to, Py_ssize_t size)
{
    struct fileio *self = (struct fileio *)file;
    int fd = fd_open(self);
    if (fd < 0) {
        return -1;
    }
    if (!self->readable) {
        not_able(self, "reading");
        return -1;
    }
    if (PyErr_CheckSignals() < 0) {
        return -1; /* a source that always has something never gives EINTR */
    }
    return fd_read(fd, to, size);
}

Py_ssize_t fileio_write_once(PyObject *file, const char *from, Py_ssize_t size)
{
    struct fileio *self = (struct fileio *)file;
    int fd = fd_open(self);
    if (fd < 0) {
        return -1;
    }
    if (!self->writable) {
        not_able(self, "writing");
        return -1;
    }
    return fd_write(fd, from, size);
}

bool fileio_is_closed(PyObject *file)
{
    return fd_of((struct fileio *)file) < 0;
}

/* ---- opening --------------------------------------------------------------------------------- */

/* The flags for open(), or -1 with an exception. */
static int mode_parse(struct fileio *self, const char *mode)
{
    int flags = 0, kinds = 0, plus = 0;
    for (const char *c = mode; *c; c++) {
        switch (*c) {
        case 'x':
            self->created = self->writable = true;
            flags |= O_EXCL | O_CREAT;
            kinds++;
            break;
        case 'r':
            self->readable = true;
            kinds++;
            break;
        case 'w':
            self->writable = true;
            flags |= O_CREAT | O_TRUNC;
            kinds++;
            break;
        case 'a':
            self->writable = self->appending = true;
            flags |= O_APPEND | O_CREAT;
            kinds++;
            break;
        case '+':
            self->readable = self->writable = true;
            plus++;
            break;
        case 'b':
            break;
        default:
            PyErr_Format(PyExc_ValueError, "invalid mode: %.200s", mode);
            return -1;
        }
        if (kinds > 1 || plus > 1) {
            break;
        }
    }
    if (kinds != 1 || plus > 1) {
        PyErr_SetString(PyExc_ValueError, "Must have exactly one of create/read/write/append mode "
                                          "and at most one plus");
        return -1;
    }
    flags |= self->readable ? self->writable ? O_RDWR : O_RDONLY : O_WRONLY;
    return flags | O_CLOEXEC;
}

/* The file argument as a descriptor: -1 without an exception if it is no number, -2 with one. */
static int file_number(PyObject *file)
{
    if (PyBool_Check(file)
        && PyErr_WarnEx(PyExc_RuntimeWarning, "bool is used as a file descriptor", 1) < 0) {
        return -2;
    }
    if (!PyLong_Check(file)) {
        return -1;
    }
    int fd = PyLong_AsInt(file);
    if (fd == -1 && PyErr_Occurred()) {
        PyErr_Clear(); /* refused as a path, then */
        return -1;
    }
    if (fd < 0) {
        PyErr_SetString(PyExc_ValueError, "negative file descriptor");
        return -2;
    }
    return fd;
}

static int open_with_opener(PyObject *file, int flags, PyObject *opener)
{
    PyObject *answer = PyObject_CallFunction(opener, "Oi", file, flags);
    if (answer == NULL) {
        return -1;
    }
    int fd = -1;
    if (!PyLong_Check(answer)) {
        PyErr_SetString(PyExc_TypeError, "expected integer from opener");
    } else if (bind_int(answer, &fd) && fd < 0) {
        PyErr_Format(PyExc_ValueError, "opener returned %d", fd);
        fd = -1;
    }
    Py_DECREF(answer);
    if (fd >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        close(fd);
        fd = -1;
    }
    return fd;
}

static int open_path(PyObject *file, PyObject *path, int flags)
{
    const char *name = PyBytes_AS_STRING(path);
    int fd;
    SYSTEM_CALL(fd, open(name, flags, 0666));
    if (fd < 0 && !PyErr_Occurred()) {
        PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, file);
    }
    return fd;
}

/* Looks at what was opened: 0, or -1 with an exception, e.g. for a folder. */
static int file_inspect(struct fileio *self, PyObject *file)
{
    struct stat info;
    int rc;
    Py_BEGIN_ALLOW_THREADS rc = fstat(self->fd, &info);
    Py_END_ALLOW_THREADS self->block_size = IO_BUFFER_SIZE;
    if (rc < 0) {
        if (errno != EBADF) {
            return 0; /* strange files exist; they fail later if they must */
        }
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    if (S_ISDIR(info.st_mode)) {
        errno = EISDIR;
        PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, file);
        return -1;
    }
    if (info.st_blksize > 1) {
        self->block_size = (int)info.st_blksize;
    }
    return 0;
}

/* Closes the descriptor if it is ours: 0, or -1 with an exception. */
static int fd_close(struct fileio *self)
{
    int fd = __atomic_exchange_n(&self->fd, -1, __ATOMIC_RELAXED);
    int rc = 0, error = 0;
    if (fd >= 0) {
        PyObject *raised = PyErr_GetRaisedException();
        Py_BEGIN_ALLOW_THREADS rc = close(fd);
        error = errno;
        Py_END_ALLOW_THREADS PyErr_SetRaisedException(raised);
    }
    if (rc < 0) {
        errno = error;
        PyErr_SetFromErrno(PyExc_OSError);
    }
    return rc;
}

/* Forgets an open that failed half-way; the exception stays. */
static int open_undo(struct fileio *self, bool own)
{
    PyObject *raised = PyErr_GetRaisedException();
    if (own) {
        if (fd_close(self) < 0) {
            PyErr_Clear();
        }
    } else {
        self->fd = -1;
    }
    PyErr_SetRaisedException(raised);
    return -1;
}

static int fileio_open(struct fileio *self, PyObject *file, PyObject *path, int flags, int given,
                       PyObject *opener)
{
    bool own = given < 0;
    if (!own) {
        self->fd = given;
    } else {
        if (!self->closefd) {
            PyErr_SetString(PyExc_ValueError, "Cannot use closefd=False with file name");
            return -1;
        }
        self->fd = opener != Py_None ? open_with_opener(file, flags, opener)
                                     : open_path(file, path, flags);
        if (self->fd < 0) {
            self->fd = -1;
            return -1;
        }
    }
    struct io_state *state = io_state_of(self);
    if (state == NULL || file_inspect(self, file) < 0
        || PyObject_SetAttr((PyObject *)self, state->names.name, file) < 0) {
        return open_undo(self, own);
    }
    if (self->appending && lseek(self->fd, 0, SEEK_END) < 0 && errno != ESPIPE) {
        PyErr_SetFromErrno(PyExc_OSError);
        return open_undo(self, own);
    }
    return 0;
}

static int fileio_init(struct fileio *self, PyObject *file, const char *mode, int closefd,
                       PyObject *opener)
{
    if (self->fd >= 0) {
        if (self->closefd) {
            if (fd_close(self) < 0) {
                return -1;
            }
        } else {
            self->fd = -1;
        }
    }
    int given = file_number(file);
    PyObject *path = NULL;
    if (given == -2 || (given == -1 && !PyUnicode_FSConverter(file, &path))) {
        return -1;
    }
    self->created = self->readable = self->writable = self->appending = false;
    self->seekable = -1;
    self->closefd = closefd != 0;
    int flags = mode_parse(self, mode);
    int rc = flags < 0 || PySys_Audit("open", "Osi", file, mode, flags) < 0 ? -1 : 0;
    if (rc == 0) {
        rc = fileio_open(self, file, path, flags, given, opener);
    }
    Py_XDECREF(path);
    return rc;
}

static PyObject *fileio_new(PyTypeObject *type, PyObject *Py_UNUSED(args),
                            PyObject *Py_UNUSED(kwargs))
{
    struct fileio *self = type_make(type);
    if (self != NULL) {
        self->fd = -1;
        self->seekable = -1;
        self->closefd = true;
    }
    return (PyObject *)self;
}

/* ---- closing --------------------------------------------------------------------------------- */

static PyObject *fileio_dealloc_warn(struct fileio *self, PyObject *source)
{
    if (self->fd >= 0 && self->closefd) {
        PyObject *raised = PyErr_GetRaisedException();
        if (PyErr_ResourceWarning(source, 1, "unclosed file %R", source) < 0
            && PyErr_ExceptionMatches(PyExc_Warning)) {
            PyErr_WriteUnraisable((PyObject *)self);
        }
        PyErr_SetRaisedException(raised);
    }
    return Py_NewRef(Py_None);
}

static PyObject *fileio_close(struct fileio *self)
{
    PyObject *done = iobase_close_plain((PyObject *)self);
    if (!self->closefd) {
        self->fd = -1;
        return done;
    }
    PyObject *raised = PyErr_GetRaisedException();
    if (self->finalizing) {
        Py_DECREF(fileio_dealloc_warn(self, (PyObject *)self));
    }
    if (fd_close(self) < 0) {
        Py_CLEAR(done);
    }
    io_chain(raised);
    return done;
}

static void fileio_dealloc(PyObject *op)
{
    ((struct fileio *)op)->finalizing = true;
    if (iobase_dealloc_begin(op)) {
        iobase_free(op);
    }
}

/* ---- reading and writing --------------------------------------------------------------------- */

static PyObject *count_object(Py_ssize_t count)
{
    return count == -2 ? Py_NewRef(Py_None) : count < 0 ? NULL : PyLong_FromSsize_t(count);
}

static PyObject *fileio_readinto(struct fileio *self, Py_buffer *buffer)
{
    return count_object(fileio_read_once((PyObject *)self, buffer->buf, buffer->len));
}

static PyObject *fileio_write(struct fileio *self, Py_buffer *b)
{
    return count_object(fileio_write_once((PyObject *)self, b->buf, b->len));
}

/* A good first size for reading the rest of the file: one byte more than there is, to see the end. */
static Py_ssize_t rest_size(int fd)
{
    struct stat info;
    Py_ssize_t size = IO_BUFFER_SIZE;
    Py_BEGIN_ALLOW_THREADS off_t at = lseek(fd, 0, SEEK_CUR);
    if (at >= 0 && fstat(fd, &info) == 0 && info.st_size >= at && info.st_size > 0
        && info.st_size - at < PY_SSIZE_T_MAX - 1) {
        size = (Py_ssize_t)(info.st_size - at) + 1;
    }
    Py_END_ALLOW_THREADS return size;
}

static PyObject *fileio_readall(struct fileio *self)
{
    int fd = fd_open(self);
    if (fd < 0) {
        return NULL;
    }
    Py_ssize_t size = rest_size(fd), length = 0;
    PyObject *data = PyBytes_FromStringAndSize(NULL, size);
    while (data != NULL) {
        if (length == size) {
            Py_ssize_t more = size < 65536 ? size + 1024 : size >> 1;
            if (size > PY_SSIZE_T_MAX - more - 64) {
                PyErr_SetString(PyExc_OverflowError,
                                "unbounded read returned more bytes than a Python bytes object "
                                "can hold");
                Py_CLEAR(data);
                break;
            }
            size += more;
            if (_PyBytes_Resize(&data, size) < 0) {
                break;
            }
        }
        Py_ssize_t count = fd_read(fd, PyBytes_AS_STRING(data) + length, size - length);
        if (count == -1 || (count == -2 && length == 0)) {
            Py_DECREF(data);
            return count_object(count);
        }
        if (count <= 0) {
            _PyBytes_Resize(&data, length);
            break;
        }
        length += count;
    }
    return data;
}

static PyObject *fileio_read(struct fileio *self, Py_ssize_t size)
{
    int fd = fd_open(self);
    if (fd < 0) {
        return NULL;
    }
    if (!self->readable) {
        return not_able(self, "reading");
    }
    if (size < 0) {
        struct io_state *state = io_state_of(self);
        return state ? PyObject_CallMethodNoArgs((PyObject *)self, state->names.readall) : NULL;
    }
    PyObject *data = PyBytes_FromStringAndSize(NULL, size);
    Py_ssize_t count = data ? fd_read(fd, PyBytes_AS_STRING(data), size) : -1;
    if (count < 0) {
        Py_XDECREF(data);
        return count_object(count);
    }
    if (count != size) {
        _PyBytes_Resize(&data, count);
    }
    return data;
}

/* ---- position -------------------------------------------------------------------------------- */

/* The new position (new reference); `target` NULL stands for 0. */
static PyObject *fd_seek(struct fileio *self, int fd, PyObject *target, int whence)
{
    off_t at = 0;
    if (target != NULL) {
        if (PyFloat_Check(target)) {
            PyErr_SetString(PyExc_TypeError, "an integer is required");
            return NULL;
        }
        at = PyLong_AsLong(target);
        if (at == -1 && PyErr_Occurred()) {
            return NULL;
        }
    }
    Py_BEGIN_ALLOW_THREADS at = lseek(fd, at, whence);
    Py_END_ALLOW_THREADS if (self->seekable < 0)
    {
        self->seekable = at >= 0;
    }
    return at < 0 ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromLongLong(at);
}

static PyObject *fileio_seek(struct fileio *self, PyObject *pos, int whence)
{
    int fd = fd_open(self);
    return fd < 0 ? NULL : fd_seek(self, fd, pos, whence);
}

static PyObject *fileio_tell(struct fileio *self)
{
    int fd = fd_open(self);
    return fd < 0 ? NULL : fd_seek(self, fd, NULL, SEEK_CUR);
}

static PyObject *fileio_truncate(struct fileio *self, PyObject *size)
{
    int fd = fd_open(self);
    if (fd < 0) {
        return NULL;
    }
    if (!self->writable) {
        return not_able(self, "writing");
    }
    PyObject *position = size == Py_None ? fd_seek(self, fd, NULL, SEEK_CUR) : Py_NewRef(size);
    if (position == NULL) {
        return NULL;
    }
    long length = PyLong_AsLong(position);
    int rc = length == -1 && PyErr_Occurred() ? -1 : 0;
    if (rc == 0) {
        SYSTEM_CALL(rc, ftruncate(fd, length));
        if (rc < 0 && !PyErr_Occurred()) {
            PyErr_SetFromErrno(PyExc_OSError);
        }
    }
    if (rc < 0) {
        Py_CLEAR(position);
    }
    return position;
}

/* ---- questions ------------------------------------------------------------------------------- */

static PyObject *fileio_seekable(struct fileio *self)
{
    int fd = fd_open(self);
    if (fd < 0) {
        return NULL;
    }
    if (self->seekable < 0) {
        PyObject *position = fd_seek(self, fd, NULL, SEEK_CUR);
        if (position == NULL) {
            PyErr_Clear();
        }
        Py_XDECREF(position);
    }
    return PyBool_FromLong(self->seekable > 0);
}

static PyObject *fileio_readable(struct fileio *self)
{
    return fd_open(self) < 0 ? NULL : PyBool_FromLong(self->readable);
}

static PyObject *fileio_writable(struct fileio *self)
{
    return fd_open(self) < 0 ? NULL : PyBool_FromLong(self->writable);
}

static PyObject *fileio_fileno(struct fileio *self)
{
    int fd = fd_open(self);
    return fd < 0 ? NULL : PyLong_FromLong(fd);
}

static PyObject *fileio_isatty(struct fileio *self)
{
    int fd = fd_open(self), answer;
    if (fd < 0) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS answer = isatty(fd);
    Py_END_ALLOW_THREADS return PyBool_FromLong(answer);
}

static PyObject *fileio_getstate(struct fileio *self)
{
    return io_no_pickle(self);
}

static PyObject *fileio_get_closed(struct fileio *self)
{
    return PyBool_FromLong(fd_of(self) < 0);
}

static PyObject *fileio_get_closefd(struct fileio *self)
{
    return PyBool_FromLong(self->closefd);
}

static const char *mode_name(struct fileio *self)
{
    if (self->created) {
        return self->readable ? "xb+" : "xb";
    }
    if (self->appending) {
        return self->readable ? "ab+" : "ab";
    }
    return self->readable ? self->writable ? "rb+" : "rb" : "wb";
}

static PyObject *fileio_get_mode(struct fileio *self)
{
    return PyUnicode_FromString(mode_name(self));
}

static PyObject *fileio_repr(PyObject *op)
{
    struct fileio *self = (struct fileio *)op;
    const char *type = Py_TYPE(op)->tp_name;
    if (self->fd < 0) {
        return PyUnicode_FromFormat("<%.100s [closed]>", type);
    }
    PyObject *name, *text = NULL;
    if (PyObject_GetOptionalAttrString(op, "name", &name) < 0) {
        return NULL;
    }
    const char *closefd = self->closefd ? "True" : "False";
    if (name == NULL) {
        return PyUnicode_FromFormat("<%.100s fd=%d mode='%s' closefd=%s>", type, self->fd,
                                    mode_name(self), closefd);
    }
    int entered = Py_ReprEnter(op);
    if (entered == 0) {
        text = PyUnicode_FromFormat("<%.100s name=%R mode='%s' closefd=%s>", type, name,
                                    mode_name(self), closefd);
        Py_ReprLeave(op);
    } else if (entered > 0) {
        PyErr_Format(PyExc_RuntimeError, "reentrant call inside %s.__repr__", type);
    }
    Py_DECREF(name);
    return text;
}

static PyMemberDef fileio_members[] = {
    {"_blksize", Py_T_INT, offsetof(struct fileio, block_size), 0, NULL},
    {"_finalizing", Py_T_BOOL, offsetof(struct fileio, finalizing), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot fileio_slots[] = {
    {Py_tp_dealloc, fileio_dealloc},
    {Py_tp_traverse, iobase_traverse},
    {Py_tp_clear, iobase_clear},
    {Py_tp_doc, fileio_doc},
    {Py_tp_repr, fileio_repr},
    {Py_tp_methods, fileio_methods},
    {Py_tp_members, fileio_members},
    {Py_tp_getset, fileio_getset},
    {Py_tp_new, fileio_new},
    {Py_tp_init, bind_fileio_init},
    {0, NULL},
};

PyType_Spec fileio_spec = {
    "_io.FileIO",
    sizeof(struct fileio),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    fileio_slots,
};
