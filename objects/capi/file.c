/* PyFile_*: files seen from C, which are any objects with the right methods; and paths. */
#include "objects/capi/capi.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

const char *Py_hexdigits = "0123456789abcdef";

/* ---- paths ----------------------------------------------------------------------------------- */

/* The str or bytes that stands for a path: itself, or what __fspath__() gives. New reference. */
PyObject *PyOS_FSPath(PyObject *path)
{
    if (PyUnicode_Check(path) || PyBytes_Check(path)) {
        return Py_NewRef(path);
    }
    PyObject *method = object_lookup_special(path, ID(__fspath__));
    if (!method || method == Py_None) {
        Py_XDECREF(method);
        return PyErr_Occurred()
                   ? NULL
                   : raise_for_type("expected str, bytes or os.PathLike object, not %.200s", path);
    }
    PyObject *result = PyObject_CallNoArgs(method);
    Py_DECREF(method);
    if (result && !PyUnicode_Check(result) && !PyBytes_Check(result)) {
        PyErr_Format(PyExc_TypeError,
                     "expected %.200s.__fspath__() to return str or bytes, not %.200s",
                     Py_TYPE(path)->tp_name, Py_TYPE(result)->tp_name);
        Py_CLEAR(result);
    }
    return result;
}

/* ---- file descriptors ------------------------------------------------------------------------ */

/* The descriptor of an int or of an object with fileno(); -1 with an exception. */
int PyObject_AsFileDescriptor(PyObject *op)
{
    int fd;
    PyObject *method;
    if (PyLong_Check(op)) {
        if (PyBool_Check(op)
            && PyErr_WarnEx(PyExc_RuntimeWarning, "bool is used as a file descriptor", 1) < 0) {
            return -1;
        }
        fd = PyLong_AsInt(op);
    } else if (PyObject_GetOptionalAttr(op, ID(fileno), &method) < 0) {
        return -1;
    } else if (method) {
        PyObject *number = PyObject_CallNoArgs(method);
        Py_DECREF(method);
        if (!number) {
            return -1;
        }
        if (!PyLong_Check(number)) {
            PyErr_SetString(PyExc_TypeError, "fileno() returned a non-integer");
            Py_DECREF(number);
            return -1;
        }
        fd = PyLong_AsInt(number);
        Py_DECREF(number);
    } else {
        PyErr_SetString(PyExc_TypeError, "argument must be an int, or have a fileno() method.");
        return -1;
    }
    if (fd == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (fd < 0) {
        PyErr_Format(PyExc_ValueError, "file descriptor cannot be a negative integer (%i)", fd);
        return -1;
    }
    return fd;
}

/* io.open() of a descriptor. `name` is ignored. */
PyObject *PyFile_FromFd(int fd, const char *Py_UNUSED(name), const char *mode, int buffering,
                        const char *encoding, const char *errors, const char *newline, int closefd)
{
    PyObject *io = PyImport_ImportModule("_io");
    if (!io) {
        return NULL;
    }
    PyObject *file = PyObject_CallMethod(io, "open", "isisssO", fd, mode, buffering, encoding,
                                         errors, newline, closefd ? Py_True : Py_False);
    Py_DECREF(io);
    return file;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* The line without its newline; at the end of the file EOFError. Steals. */
static PyObject *line_or_eof(PyObject *line)
{
    bool text = PyUnicode_Check(line);
    Py_ssize_t length = text ? PyUnicode_GET_LENGTH(line) : PyBytes_GET_SIZE(line);
    PyObject *result = NULL;
    if (length == 0) {
        PyErr_SetString(PyExc_EOFError, "EOF when reading a line");
    } else if (text && PyUnicode_READ_CHAR(line, length - 1) == '\n') {
        result = PyUnicode_Substring(line, 0, length - 1);
    } else if (!text && PyBytes_AS_STRING(line)[length - 1] == '\n') {
        result = PyBytes_FromStringAndSize(PyBytes_AS_STRING(line), length - 1);
    } else {
        return line;
    }
    Py_DECREF(line);
    return result;
}

/* n > 0: at most n characters; n == 0: a whole line; n < 0: a line without its newline, EOFError at
 * the end. New reference to str or bytes. */
PyObject *PyFile_GetLine(PyObject *file, int n)
{
    if (!file) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PyObject *line = n > 0 ? PyObject_CallMethod(file, "readline", "i", n)
                           : PyObject_CallMethodNoArgs(file, ID(readline));
    if (line && !PyUnicode_Check(line) && !PyBytes_Check(line)) {
        PyErr_SetString(PyExc_TypeError, "object.readline() returned non-string");
        Py_CLEAR(line);
    }
    return line && n < 0 ? line_or_eof(line) : line;
}

/* As fgets, with "\r" and "\r\n" read as "\n". */
char *Py_UniversalNewlineFgets(char *buf, int n, FILE *stream, PyObject *file)
{
    if (file) {
        errno = ENXIO;
        return NULL;
    }
    char *end = buf;
    int c = EOF;
    flockfile(stream);
    while (--n > 0 && (c = getc_unlocked(stream)) != EOF) {
        if (c == '\r') {
            int next = getc_unlocked(stream);
            if (next != '\n' && next != EOF) {
                ungetc(next, stream);
            }
            c = '\n';
        }
        *end++ = (char)c;
        if (c == '\n') {
            break;
        }
    }
    funlockfile(stream);
    *end = '\0';
    return end == buf ? NULL : buf;
}

/* ---- writing --------------------------------------------------------------------------------- */

int PyFile_WriteObject(PyObject *value, PyObject *file, int flags)
{
    if (!file) {
        PyErr_SetString(PyExc_TypeError, "writeobject with NULL file");
        return -1;
    }
    PyObject *write = PyObject_GetAttr(file, ID(write));
    if (!write) {
        return -1;
    }
    PyObject *text = flags & Py_PRINT_RAW ? PyObject_Str(value) : PyObject_Repr(value);
    PyObject *result = text ? PyObject_CallOneArg(write, text) : NULL;
    Py_DECREF(write);
    Py_XDECREF(text);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

/* Does nothing but fail while an exception is set. */
int PyFile_WriteString(const char *text, PyObject *file)
{
    if (!file) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_SystemError, "null file for PyFile_WriteString");
        }
        return -1;
    }
    if (PyErr_Occurred()) {
        return -1;
    }
    PyObject *string = PyUnicode_FromString(text);
    if (!string) {
        return -1;
    }
    int status = PyFile_WriteObject(string, file, Py_PRINT_RAW);
    Py_DECREF(string);
    return status;
}

/* ---- io.open_code() -------------------------------------------------------------------------- */

/* Set once, before the interpreter starts. */
static Py_OpenCodeHookFunction open_code_hook;
static void *open_code_data;

int PyFile_SetOpenCodeHook(Py_OpenCodeHookFunction hook, void *data)
{
    if (Py_IsInitialized() && PySys_Audit("setopencodehook", NULL) < 0) {
        return -1;
    }
    if (open_code_hook) {
        if (Py_IsInitialized()) {
            PyErr_SetString(PyExc_SystemError, "failed to change existing open_code hook");
        }
        return -1;
    }
    open_code_hook = hook;
    open_code_data = data;
    return 0;
}

/* A file of code, opened for reading bytes: by the hook, else by open(path, "rb"). */
PyObject *PyFile_OpenCodeObject(PyObject *path)
{
    if (!PyUnicode_Check(path)) {
        return PyErr_Format(PyExc_TypeError, "'path' must be 'str', not '%.200s'",
                            Py_TYPE(path)->tp_name);
    }
    if (open_code_hook) {
        return open_code_hook(path, open_code_data);
    }
    PyObject *io = PyImport_ImportModule("_io");
    if (!io) {
        return NULL;
    }
    PyObject *file = PyObject_CallMethod(io, "open", "Os", path, "rb");
    Py_DECREF(io);
    return file;
}

PyObject *PyFile_OpenCode(const char *path)
{
    PyObject *text = PyUnicode_FromString(path);
    if (!text) {
        return NULL;
    }
    PyObject *file = PyFile_OpenCodeObject(text);
    Py_DECREF(text);
    return file;
}
