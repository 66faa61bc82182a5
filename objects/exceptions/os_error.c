/* OSError: the constructor picks the subclass that an errno value stands for. */

#include "objects/exceptions/exceptions.h"

#include <errno.h>

#include "os_error.bind.h"

extern PyTypeObject exception_BlockingIOError, exception_BrokenPipeError,
    exception_ChildProcessError, exception_ConnectionAbortedError, exception_ConnectionRefusedError,
    exception_ConnectionResetError, exception_FileExistsError, exception_FileNotFoundError,
    exception_InterruptedError, exception_IsADirectoryError, exception_NotADirectoryError,
    exception_PermissionError, exception_ProcessLookupError, exception_TimeoutError;

static PyTypeObject *class_of_errno(long number)
{
    switch (number) {
    case EAGAIN:
#if EWOULDBLOCK != EAGAIN
    case EWOULDBLOCK:
#endif
    case EALREADY:
    case EINPROGRESS:
        return &exception_BlockingIOError;
    case EPIPE:
    case ESHUTDOWN:
        return &exception_BrokenPipeError;
    case ECHILD:
        return &exception_ChildProcessError;
    case ECONNABORTED:
        return &exception_ConnectionAbortedError;
    case ECONNREFUSED:
        return &exception_ConnectionRefusedError;
    case ECONNRESET:
        return &exception_ConnectionResetError;
    case EEXIST:
        return &exception_FileExistsError;
    case ENOENT:
        return &exception_FileNotFoundError;
    case EINTR:
        return &exception_InterruptedError;
    case EISDIR:
        return &exception_IsADirectoryError;
    case ENOTDIR:
        return &exception_NotADirectoryError;
    case EACCES:
    case EPERM:
        return &exception_PermissionError;
    case ESRCH:
        return &exception_ProcessLookupError;
    case ETIMEDOUT:
        return &exception_TimeoutError;
    default:
        return NULL;
    }
}

/* What the arguments (errno, strerror[, filename[, winerror[, filename2]]]) mean; all borrowed. */
struct os_arguments {
    PyObject *myerrno, *strerror, *filename, *filename2;
};

static struct os_arguments take_apart(PyObject *args)
{
    struct os_arguments parts = {NULL, NULL, NULL, NULL};
    Py_ssize_t count = PyTuple_GET_SIZE(args);
    if (count >= 2 && count <= 5) {
        parts.myerrno = PyTuple_GET_ITEM(args, 0);
        parts.strerror = PyTuple_GET_ITEM(args, 1);
        parts.filename = count > 2 ? PyTuple_GET_ITEM(args, 2) : NULL;
        parts.filename2 = count > 4 ? PyTuple_GET_ITEM(args, 4) : NULL;
    }
    return parts;
}

/* Fills the fields. `args` is replaced by its first two items when there is a file name. */
static int fill(PyOSErrorObject *self, PyObject *args)
{
    struct os_arguments parts = take_apart(args);
    bool blocking = Py_IS_TYPE(self, &exception_BlockingIOError);
    bool named = parts.filename != NULL && parts.filename != Py_None;
    self->written = -1;
    if (named && blocking && PyNumber_Check(parts.filename)) {
        /* BlockingIOError's third argument counts the characters that were written. */
        self->written = PyNumber_AsSsize_t(parts.filename, PyExc_ValueError);
        if (self->written == -1 && PyErr_Occurred()) {
            return -1;
        }
        named = false;
    }
    PyObject *kept;
    if (named) {
        kept = PyTuple_GetSlice(args, 0, 2);
        if (kept == NULL) {
            return -1;
        }
        Py_XSETREF(self->filename, Py_NewRef(parts.filename));
        if (parts.filename2 != NULL && parts.filename2 != Py_None) {
            Py_XSETREF(self->filename2, Py_NewRef(parts.filename2));
        }
    } else {
        kept = Py_NewRef(args);
    }
    Py_XSETREF(self->args, kept);
    Py_XSETREF(self->myerrno, Py_XNewRef(parts.myerrno));
    Py_XSETREF(self->strerror, Py_XNewRef(parts.strerror));
    return 0;
}

static PyObject *os_error_new(PyTypeObject *type, PyObject *args, PyObject *kwargs);
static int os_error_init(PyObject *op, PyObject *args, PyObject *kwargs);

/* A subclass that overrides __init__ alone gets its fields from there, by calling ours; one that
 * overrides both, or __new__ alone, from __new__. */
static bool init_fills(PyTypeObject *type)
{
    return type->tp_init != os_error_init && type->tp_new == os_error_new;
}

static int refuse_keywords(PyTypeObject *type, PyObject *kwargs)
{
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) != 0) {
        return raise_type("%s() takes no keyword arguments", type->tp_name);
    }
    return 0;
}

static PyObject *os_error_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    bool later = init_fills(type);
    if (!later) {
        if (refuse_keywords(type, kwargs) < 0) {
            return NULL;
        }
        PyObject *number = take_apart(args).myerrno;
        if (type == &exception_OSError && number != NULL && PyLong_Check(number)) {
            int overflow;
            long value = PyLong_AsLongAndOverflow(number, &overflow);
            PyTypeObject *subclass = overflow ? NULL : class_of_errno(value);
            type = subclass == NULL ? type : subclass;
        }
    }
    PyOSErrorObject *self = (PyOSErrorObject *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->written = -1;
    if (later) {
        self->args = PyTuple_New(0);
    } else if (fill(self, args) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static int os_error_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    if (!init_fills(Py_TYPE(op))) {
        return 0;
    }
    if (refuse_keywords(Py_TYPE(op), kwargs) < 0) {
        return -1;
    }
    return fill((PyOSErrorObject *)op, args);
}

static int os_error_clear(PyObject *op)
{
    PyOSErrorObject *self = (PyOSErrorObject *)op;
    Py_CLEAR(self->myerrno);
    Py_CLEAR(self->strerror);
    Py_CLEAR(self->filename);
    Py_CLEAR(self->filename2);
    return exception_clear(op);
}

static int os_error_traverse(PyObject *op, visitproc visit, void *arg)
{
    PyOSErrorObject *self = (PyOSErrorObject *)op;
    Py_VISIT(self->myerrno);
    Py_VISIT(self->strerror);
    Py_VISIT(self->filename);
    Py_VISIT(self->filename2);
    return exception_traverse(op, visit, arg);
}

static PyObject *os_error_str(PyObject *op)
{
    PyOSErrorObject *self = (PyOSErrorObject *)op;
    PyObject *number = self->myerrno == NULL ? Py_None : self->myerrno;
    PyObject *text = self->strerror == NULL ? Py_None : self->strerror;
    if (self->filename != NULL && self->filename2 != NULL) {
        return PyUnicode_FromFormat("[Errno %S] %S: %R -> %R", number, text, self->filename,
                                    self->filename2);
    }
    if (self->filename != NULL) {
        return PyUnicode_FromFormat("[Errno %S] %S: %R", number, text, self->filename);
    }
    if (self->myerrno != NULL && self->strerror != NULL) {
        return PyUnicode_FromFormat("[Errno %S] %S", number, text);
    }
    return exception_str(op);
}

/* The file names are no longer in args: they go back there for pickling. */
static PyObject *os_error_reduce(PyOSErrorObject *self)
{
    PyObject *args;
    if (PyTuple_GET_SIZE(self->args) == 2 && self->filename != NULL) {
        PyObject *first = PyTuple_GET_ITEM(self->args, 0);
        PyObject *second = PyTuple_GET_ITEM(self->args, 1);
        args = self->filename2 == NULL
                   ? PyTuple_Pack(3, first, second, self->filename)
                   : PyTuple_Pack(5, first, second, self->filename, Py_None, self->filename2);
    } else {
        args = Py_NewRef(self->args);
    }
    if (args == NULL) {
        return NULL;
    }
    PyObject *result = self->dict == NULL ? PyTuple_Pack(2, Py_TYPE(self), args)
                                          : PyTuple_Pack(3, Py_TYPE(self), args, self->dict);
    Py_DECREF(args);
    return result;
}

static PyObject *os_error_get_characters_written(PyOSErrorObject *self)
{
    if (self->written == -1) {
        PyErr_SetString(PyExc_AttributeError, "characters_written");
        return NULL;
    }
    return PyLong_FromSsize_t(self->written);
}

static int os_error_set_characters_written(PyOSErrorObject *self, PyObject *value)
{
    if (value == NULL) {
        if (self->written == -1) {
            PyErr_SetString(PyExc_AttributeError, "characters_written");
            return -1;
        }
        self->written = -1;
        return 0;
    }
    Py_ssize_t count = PyNumber_AsSsize_t(value, PyExc_ValueError);
    if (count == -1 && PyErr_Occurred()) {
        return -1;
    }
    self->written = count;
    return 0;
}

static PyMemberDef os_error_members[] = {
    {"errno", _Py_T_OBJECT, offsetof(PyOSErrorObject, myerrno), 0,
     PyDoc_STR("the number of the error")},
    EXCEPTION_MEMBER(PyOSErrorObject, strerror, "what the system says of it"),
    EXCEPTION_MEMBER(PyOSErrorObject, filename, "the file that it is about"),
    EXCEPTION_MEMBER(PyOSErrorObject, filename2, "the other file, where there are two"),
    {NULL},
};

#define OS_SLOTS                                                                                   \
    .tp_new = os_error_new, .tp_init = os_error_init, .tp_clear = os_error_clear,                  \
    .tp_traverse = os_error_traverse

EXCEPTION_TYPE(OSError, Exception, PyOSErrorObject, os_error_doc, .tp_str = os_error_str,
               .tp_members = os_error_members, .tp_methods = os_error_methods,
               .tp_getset = os_error_getset, OS_SLOTS);

#define OS_SUBCLASS(name, base, doc) EXCEPTION_TYPE(name, base, PyOSErrorObject, doc, OS_SLOTS)

OS_SUBCLASS(BlockingIOError, OSError, "The operation would have to wait, and must not.");
OS_SUBCLASS(ConnectionError, OSError, "The base of what can go wrong with a connection.");
OS_SUBCLASS(ChildProcessError, OSError, "An operation on a child process failed.");
OS_SUBCLASS(BrokenPipeError, ConnectionError, "Nobody reads the other end any more.");
OS_SUBCLASS(ConnectionAbortedError, ConnectionError, "The peer gave up while connecting.");
OS_SUBCLASS(ConnectionRefusedError, ConnectionError, "The peer does not accept connections.");
OS_SUBCLASS(ConnectionResetError, ConnectionError, "The peer has closed the connection.");
OS_SUBCLASS(FileExistsError, OSError, "There is a file or folder of this name already.");
OS_SUBCLASS(FileNotFoundError, OSError, "There is no file or folder of this name.");
OS_SUBCLASS(IsADirectoryError, OSError, "A folder stands where a file is needed.");
OS_SUBCLASS(NotADirectoryError, OSError, "Something else stands where a folder is needed.");
OS_SUBCLASS(InterruptedError, OSError, "A signal ended the operation early.");
OS_SUBCLASS(PermissionError, OSError, "The rights do not allow this.");
OS_SUBCLASS(ProcessLookupError, OSError, "There is no such process.");
OS_SUBCLASS(TimeoutError, OSError, "The operation took too long.");
