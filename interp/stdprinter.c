/* stderrprinter: writes str to a descriptor, for output before the io module can be used. */

#include "interp/state.h"
#include "objects/error.h"

#include <errno.h>
#include <unistd.h>

struct printer {
    PyObject_HEAD
    int fd;
};

static struct printer *printer_of(PyObject *self)
{
    return (struct printer *)self;
}

PyObject *PyFile_NewStdPrinter(int fd)
{
    if (fd != STDOUT_FILENO && fd != STDERR_FILENO) {
        PyErr_BadInternalCall();
        return NULL;
    }
    if (PyType_Ready(&PyStdPrinter_Type) < 0) {
        return NULL;
    }
    PyObject *self = object_new(&PyStdPrinter_Type, 0);
    if (self != NULL) {
        printer_of(self)->fd = fd;
    }
    return self;
}

/* All of it, unless the descriptor fails: the number of bytes written. */
static Py_ssize_t write_all(int fd, const char *data, Py_ssize_t size)
{
    Py_ssize_t done = 0;
    while (done < size) {
        ssize_t wrote;
        Py_BEGIN_ALLOW_THREADS wrote = write(fd, data + done, (size_t)(size - done));
        Py_END_ALLOW_THREADS if (wrote >= 0)
        {
            done += wrote;
        }
        else if (errno == EAGAIN)
        {
            break;
        }
        else if (errno != EINTR)
        {
            PyErr_SetFromErrno(PyExc_OSError);
            return -1;
        }
        else if (PyErr_CheckSignals() < 0)
        {
            return -1;
        }
    }
    return done;
}

static PyObject *printer_write(PyObject *self, PyObject *args)
{
    PyObject *text;
    if (printer_of(self)->fd < 0) {
        Py_RETURN_NONE; /* there is nowhere to write to */
    }
    if (!PyArg_ParseTuple(args, "U", &text)) {
        return NULL;
    }
    PyObject *bytes = PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");
    if (bytes == NULL) {
        return NULL;
    }
    Py_ssize_t done =
        write_all(printer_of(self)->fd, PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes));
    Py_DECREF(bytes);
    return done < 0 ? NULL : PyLong_FromSsize_t(done);
}

static PyObject *printer_fileno(PyObject *self, PyObject *Py_UNUSED(unused))
{
    return PyLong_FromLong(printer_of(self)->fd);
}

static PyObject *printer_isatty(PyObject *self, PyObject *Py_UNUSED(unused))
{
    int fd = printer_of(self)->fd;
    return PyBool_FromLong(fd >= 0 && isatty(fd));
}

static PyObject *printer_none(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(unused))
{
    Py_RETURN_NONE;
}

static PyObject *printer_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<stdprinter(fd=%d) object at %p>", printer_of(self)->fd, self);
}

static PyObject *get_encoding(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure))
{
    Py_RETURN_NONE;
}

static PyObject *get_closed(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure))
{
    Py_RETURN_FALSE;
}

static PyObject *get_mode(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure))
{
    return PyUnicode_FromString("w");
}

static PyMethodDef printer_methods[] = {
    {"close", printer_none, METH_NOARGS, ""},    {"flush", printer_none, METH_NOARGS, ""},
    {"fileno", printer_fileno, METH_NOARGS, ""}, {"isatty", printer_isatty, METH_NOARGS, ""},
    {"write", printer_write, METH_VARARGS, ""},  {NULL},
};

static PyGetSetDef printer_getset[] = {
    {"closed", get_closed, NULL, "Whether the file is closed.", NULL},
    {"encoding", get_encoding, NULL, "The encoding of the file.", NULL},
    {"mode", get_mode, NULL, "How the file was opened.", NULL},
    {NULL},
};

PyTypeObject PyStdPrinter_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "stderrprinter",
    .tp_basicsize = sizeof(struct printer),
    .tp_repr = printer_repr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = "",
    .tp_methods = printer_methods,
    .tp_getset = printer_getset,
};
