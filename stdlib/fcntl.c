/* The module fcntl. */
#include "module.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>

static bool request_of(PyObject *arg, unsigned int *out);

#include "fcntl.bind.h"

enum { COPIED_MOST = 1024 }; /* bytes that the system may read and write back */

static PyObject *raise_errno(void)
{
    PyErr_SetFromErrno(PyExc_OSError);
    return NULL;
}

static bool request_of(PyObject *arg, unsigned int *out)
{
    return bind_uint_mask(arg, out);
}

/* After a call that gave -1: whether to call again (a signal came, its handler is content). */
static bool call_again(bool *failed)
{
    *failed = false;
    if (errno != EINTR) {
        return false;
    }
    *failed = PyErr_CheckSignals() < 0;
    return !*failed;
}

/* Makes a call without the lock until no signal interrupts it.  `result` is -1 on error. */
#define CALL(result, call, failed)                                                                 \
    do {                                                                                           \
        Py_BEGIN_ALLOW_THREADS result = call;                                                      \
        Py_END_ALLOW_THREADS                                                                       \
    } while (result == -1 && call_again(&failed))

/* The bytes of a str or bytes-like argument; 0 if it is something else, -1 on error. */
static int argument_bytes(PyObject *arg, Py_buffer *view)
{
    if (arg == NULL) {
        return 0;
    }
    if (PyUnicode_Check(arg) || PyObject_CheckBuffer(arg)) {
        return bind_buffer_or_str(arg, view) ? 1 : -1;
    }
    return 0;
}

static PyObject *fcntl_module_fcntl(PyObject *Py_UNUSED(module), int fd, int cmd, PyObject *arg)
{
    int result;
    bool failed;
    Py_buffer view;
    int is_bytes = argument_bytes(arg, &view);
    if (is_bytes < 0) {
        return NULL;
    }
    if (is_bytes) {
        char copy[COPIED_MOST];
        Py_ssize_t length = view.len;
        if (length > COPIED_MOST) {
            PyErr_SetString(PyExc_ValueError, "fcntl string arg too long");
            PyBuffer_Release(&view);
            return NULL;
        }
        memcpy(copy, view.buf, (size_t)length);
        PyBuffer_Release(&view);
        CALL(result, fcntl(fd, cmd, copy), failed);
        if (result == -1) {
            return failed ? NULL : raise_errno();
        }
        return PyBytes_FromStringAndSize(copy, length);
    }
    unsigned int number = 0;
    if (arg != NULL && !bind_uint_mask(arg, &number)) {
        return NULL;
    }
    CALL(result, fcntl(fd, cmd, (int)number), failed);
    if (result == -1) {
        return failed ? NULL : raise_errno();
    }
    return PyLong_FromLong(result);
}

/* An ioctl on a copy of the bytes; afterwards it is in `copy`.  -1 on error. */
static int ioctl_copied(int fd, unsigned int request, const Py_buffer *view, char *copy)
{
    int result;
    bool failed;
    memcpy(copy, view->buf, (size_t)view->len);
    CALL(result, ioctl(fd, request, copy), failed);
    if (result == -1 && !failed) {
        raise_errno();
    }
    return result;
}

static PyObject *ioctl_bytes(int fd, unsigned int request, Py_buffer *view, bool mutate)
{
    char copy[COPIED_MOST];
    int result;
    bool failed;
    if (mutate && view->len > COPIED_MOST) {
        CALL(result, ioctl(fd, request, view->buf), failed);
        if (result == -1) {
            return failed ? NULL : raise_errno();
        }
        return PyLong_FromLong(result);
    }
    if (view->len > COPIED_MOST) {
        PyErr_SetString(PyExc_ValueError, "ioctl string arg too long");
        return NULL;
    }
    result = ioctl_copied(fd, request, view, copy);
    if (result == -1) {
        return NULL;
    }
    if (!mutate) {
        return PyBytes_FromStringAndSize(copy, view->len);
    }
    memcpy(view->buf, copy, (size_t)view->len);
    return PyLong_FromLong(result);
}

static PyObject *fcntl_module_ioctl(PyObject *Py_UNUSED(module), int fd, unsigned int request,
                                    PyObject *arg, int mutate_flag)
{
    if (arg != NULL && (PyUnicode_Check(arg) || PyObject_CheckBuffer(arg))) {
        Py_buffer view;
        bool writable =
            !PyUnicode_Check(arg) && PyObject_GetBuffer(arg, &view, PyBUF_WRITABLE) == 0;
        if (!writable) {
            PyErr_Clear();
            if (!bind_buffer_or_str(arg, &view)) {
                return NULL;
            }
        }
        PyObject *result = ioctl_bytes(fd, request, &view, writable && mutate_flag);
        PyBuffer_Release(&view);
        return result;
    }
    unsigned int number = 0;
    if (arg != NULL && !bind_uint_mask(arg, &number)) {
        return NULL;
    }
    int result;
    bool failed;
    CALL(result, ioctl(fd, request, (int)number), failed);
    if (result == -1) {
        return failed ? NULL : raise_errno();
    }
    return PyLong_FromLong(result);
}

static int fcntl_module_flock(PyObject *Py_UNUSED(module), int fd, int operation)
{
    int result;
    bool failed;
    CALL(result, flock(fd, operation), failed);
    if (result == -1 && !failed) {
        raise_errno();
    }
    return result;
}

static bool offset_of(PyObject *arg, off_t *out)
{
    long long value = 0;
    if (arg != NULL && !bind_longlong(arg, &value)) {
        return false;
    }
    *out = (off_t)value;
    return true;
}

static int fcntl_module_lockf(PyObject *Py_UNUSED(module), int fd, int cmd, PyObject *len,
                              PyObject *start, int whence)
{
    struct flock lock = {.l_whence = (short)whence};
    if (cmd == LOCK_UN) {
        lock.l_type = F_UNLCK;
    } else if (cmd & LOCK_SH) {
        lock.l_type = F_RDLCK;
    } else if (cmd & LOCK_EX) {
        lock.l_type = F_WRLCK;
    } else {
        PyErr_SetString(PyExc_ValueError, "unrecognized lockf argument");
        return -1;
    }
    if (!offset_of(start, &lock.l_start) || !offset_of(len, &lock.l_len)) {
        return -1;
    }
    int result;
    bool failed;
    CALL(result, fcntl(fd, cmd & LOCK_NB ? F_SETLK : F_SETLKW, &lock), failed);
    if (result == -1 && !failed) {
        raise_errno();
    }
    return result;
}

static const struct constant fcntl_constants[] = {
#ifdef DN_ACCESS
    CONSTANT(DN_ACCESS),
#endif
#ifdef DN_ATTRIB
    CONSTANT(DN_ATTRIB),
#endif
#ifdef DN_CREATE
    CONSTANT(DN_CREATE),
#endif
#ifdef DN_DELETE
    CONSTANT(DN_DELETE),
#endif
#ifdef DN_MODIFY
    CONSTANT(DN_MODIFY),
#endif
#ifdef DN_MULTISHOT
    CONSTANT(DN_MULTISHOT),
#endif
#ifdef DN_RENAME
    CONSTANT(DN_RENAME),
#endif
#ifdef FASYNC
    CONSTANT(FASYNC),
#endif
#ifdef FD_CLOEXEC
    CONSTANT(FD_CLOEXEC),
#endif
#ifdef FICLONE
    CONSTANT(FICLONE),
#endif
#ifdef FICLONERANGE
    CONSTANT(FICLONERANGE),
#endif
#ifdef F_ADD_SEALS
    CONSTANT(F_ADD_SEALS),
#endif
#ifdef F_DUPFD
    CONSTANT(F_DUPFD),
#endif
#ifdef F_DUPFD_CLOEXEC
    CONSTANT(F_DUPFD_CLOEXEC),
#endif
#ifdef F_EXLCK
    CONSTANT(F_EXLCK),
#endif
#ifdef F_GETFD
    CONSTANT(F_GETFD),
#endif
#ifdef F_GETFL
    CONSTANT(F_GETFL),
#endif
#ifdef F_GETLEASE
    CONSTANT(F_GETLEASE),
#endif
#ifdef F_GETLK
    CONSTANT(F_GETLK),
#endif
#ifdef F_GETLK64
    CONSTANT(F_GETLK64),
#endif
#ifdef F_GETOWN
    CONSTANT(F_GETOWN),
#endif
#ifdef F_GETOWN_EX
    CONSTANT(F_GETOWN_EX),
#endif
#ifdef F_GETPIPE_SZ
    CONSTANT(F_GETPIPE_SZ),
#endif
#ifdef F_GETSIG
    CONSTANT(F_GETSIG),
#endif
#ifdef F_GET_FILE_RW_HINT
    CONSTANT(F_GET_FILE_RW_HINT),
#endif
#ifdef F_GET_RW_HINT
    CONSTANT(F_GET_RW_HINT),
#endif
#ifdef F_GET_SEALS
    CONSTANT(F_GET_SEALS),
#endif
#ifdef F_NOTIFY
    CONSTANT(F_NOTIFY),
#endif
#ifdef F_OFD_GETLK
    CONSTANT(F_OFD_GETLK),
#endif
#ifdef F_OFD_SETLK
    CONSTANT(F_OFD_SETLK),
#endif
#ifdef F_OFD_SETLKW
    CONSTANT(F_OFD_SETLKW),
#endif
#ifdef F_OWNER_PGRP
    CONSTANT(F_OWNER_PGRP),
#endif
#ifdef F_OWNER_PID
    CONSTANT(F_OWNER_PID),
#endif
#ifdef F_OWNER_TID
    CONSTANT(F_OWNER_TID),
#endif
#ifdef F_RDLCK
    CONSTANT(F_RDLCK),
#endif
#ifdef F_SEAL_FUTURE_WRITE
    CONSTANT(F_SEAL_FUTURE_WRITE),
#endif
#ifdef F_SEAL_GROW
    CONSTANT(F_SEAL_GROW),
#endif
#ifdef F_SEAL_SEAL
    CONSTANT(F_SEAL_SEAL),
#endif
#ifdef F_SEAL_SHRINK
    CONSTANT(F_SEAL_SHRINK),
#endif
#ifdef F_SEAL_WRITE
    CONSTANT(F_SEAL_WRITE),
#endif
#ifdef F_SETFD
    CONSTANT(F_SETFD),
#endif
#ifdef F_SETFL
    CONSTANT(F_SETFL),
#endif
#ifdef F_SETLEASE
    CONSTANT(F_SETLEASE),
#endif
#ifdef F_SETLK
    CONSTANT(F_SETLK),
#endif
#ifdef F_SETLK64
    CONSTANT(F_SETLK64),
#endif
#ifdef F_SETLKW
    CONSTANT(F_SETLKW),
#endif
#ifdef F_SETLKW64
    CONSTANT(F_SETLKW64),
#endif
#ifdef F_SETOWN
    CONSTANT(F_SETOWN),
#endif
#ifdef F_SETOWN_EX
    CONSTANT(F_SETOWN_EX),
#endif
#ifdef F_SETPIPE_SZ
    CONSTANT(F_SETPIPE_SZ),
#endif
#ifdef F_SETSIG
    CONSTANT(F_SETSIG),
#endif
#ifdef F_SET_FILE_RW_HINT
    CONSTANT(F_SET_FILE_RW_HINT),
#endif
#ifdef F_SET_RW_HINT
    CONSTANT(F_SET_RW_HINT),
#endif
#ifdef F_SHLCK
    CONSTANT(F_SHLCK),
#endif
#ifdef F_UNLCK
    CONSTANT(F_UNLCK),
#endif
#ifdef F_WRLCK
    CONSTANT(F_WRLCK),
#endif
#ifdef LOCK_EX
    CONSTANT(LOCK_EX),
#endif
#ifdef LOCK_MAND
    CONSTANT(LOCK_MAND),
#endif
#ifdef LOCK_NB
    CONSTANT(LOCK_NB),
#endif
#ifdef LOCK_READ
    CONSTANT(LOCK_READ),
#endif
#ifdef LOCK_RW
    CONSTANT(LOCK_RW),
#endif
#ifdef LOCK_SH
    CONSTANT(LOCK_SH),
#endif
#ifdef LOCK_UN
    CONSTANT(LOCK_UN),
#endif
#ifdef LOCK_WRITE
    CONSTANT(LOCK_WRITE),
#endif
#ifdef RWH_WRITE_LIFE_EXTREME
    CONSTANT(RWH_WRITE_LIFE_EXTREME),
#endif
#ifdef RWH_WRITE_LIFE_LONG
    CONSTANT(RWH_WRITE_LIFE_LONG),
#endif
#ifdef RWH_WRITE_LIFE_MEDIUM
    CONSTANT(RWH_WRITE_LIFE_MEDIUM),
#endif
#ifdef RWH_WRITE_LIFE_NONE
    CONSTANT(RWH_WRITE_LIFE_NONE),
#endif
#ifdef RWH_WRITE_LIFE_NOT_SET
    CONSTANT(RWH_WRITE_LIFE_NOT_SET),
#endif
#ifdef RWH_WRITE_LIFE_SHORT
    CONSTANT(RWH_WRITE_LIFE_SHORT),
#endif
};

static int fcntl_exec(PyObject *module)
{
    return module_constants(module, fcntl_constants, Py_ARRAY_LENGTH(fcntl_constants));
}

static PyModuleDef_Slot fcntl_slots[] = MODULE_SLOTS(fcntl_exec);

static PyModuleDef fcntl_module = {
    PyModuleDef_HEAD_INIT,     .m_name = "fcntl",
    .m_doc = fcntl_module_doc, .m_methods = fcntl_module_methods,
    .m_slots = fcntl_slots,
};

MODULE_INIT(fcntl, fcntl_module)
