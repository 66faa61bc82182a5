/* The module posix: paths and other arguments, errors. */
#include "posix.h"

#include "account.h"

/* ---- errors --------------------------------------------------------------------------------- */

PyObject *posix_raise(void)
{
    return PyErr_Occurred() ? NULL : PyErr_SetFromErrno(PyExc_OSError);
}

int posix_fail(void)
{
    (void)posix_raise();
    return -1;
}

bool posix_go_on(void)
{
    int error = errno;
    bool fine = PyErr_CheckSignals() == 0;
    errno = error;
    return fine;
}

PyObject *path_raise(const struct path *path)
{
    return PyErr_Occurred() ? NULL
                            : PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path->object);
}

int path_fail(const struct path *path)
{
    (void)path_raise(path);
    return -1;
}

int path_fail2(const struct path *from, const struct path *to)
{
    if (!PyErr_Occurred()) {
        PyErr_SetFromErrnoWithFilenameObjects(PyExc_OSError, from->object, to->object);
    }
    return -1;
}

/* ---- paths ---------------------------------------------------------------------------------- */

void path_drop(struct path *path)
{
    Py_CLEAR(path->object);
    Py_CLEAR(path->bytes);
}

static bool path_refuse(const struct path *path, PyObject *arg, int flags)
{
    static const char *const wanted[] = {
        [0] = "string, bytes or os.PathLike",
        [PATH_FD] = "string, bytes, os.PathLike or integer",
        [PATH_NONE] = "string, bytes, os.PathLike or None",
        [PATH_FD | PATH_NONE] = "string, bytes, os.PathLike, integer or None",
    };
    PyErr_Format(PyExc_TypeError, "%s: %s should be %s, not %.200s", path->function, path->argument,
                 wanted[flags], Py_TYPE(arg)->tp_name);
    return false;
}

static bool fd_of_index(PyObject *arg, int *out)
{
    if (PyBool_Check(arg)
        && PyErr_WarnEx(PyExc_RuntimeWarning, "bool is used as a file descriptor", 1) < 0) {
        return false;
    }
    PyObject *index = PyNumber_Index(arg);
    if (index == NULL) {
        return false;
    }
    int overflow;
    long value = PyLong_AsLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    if (overflow > 0 || value > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "fd is greater than maximum");
        return false;
    }
    if (overflow < 0 || value < INT_MIN) {
        PyErr_SetString(PyExc_OverflowError, "fd is less than minimum");
        return false;
    }
    *out = (int)value;
    return true;
}

static bool path_encode(struct path *path)
{
    if (PyBytes_Check(path->object)) {
        path->is_bytes = true;
        path->bytes = Py_NewRef(path->object);
    } else {
        path->bytes = PyUnicode_EncodeFSDefault(path->object);
        if (path->bytes == NULL) {
            return false;
        }
    }
    path->name = PyBytes_AS_STRING(path->bytes);
    if (strlen(path->name) != (size_t)PyBytes_GET_SIZE(path->bytes)) {
        PyErr_Format(PyExc_ValueError, "%s: embedded null character in %s", path->function,
                     path->argument);
        return false;
    }
    return true;
}

bool path_read(struct path *path, PyObject *arg, const char *function, const char *argument,
               int flags)
{
    path->function = function;
    path->argument = argument;
    path->fd = -1;
    if (arg == Py_None && (flags & PATH_NONE)) {
        path->object = Py_NewRef(Py_None);
        path->name = ".";
        path->is_none = true;
        return true;
    }
    if (!PyUnicode_Check(arg) && !PyBytes_Check(arg)) {
        if ((flags & PATH_FD) && PyIndex_Check(arg)) {
            path->object = Py_NewRef(arg);
            return fd_of_index(arg, &path->fd);
        }
        PyObject *method = PyObject_GetAttrString((PyObject *)Py_TYPE(arg), "__fspath__");
        if (method == NULL) {
            if (PyErr_ExceptionMatches(PyExc_AttributeError)) {
                PyErr_Clear();
                return path_refuse(path, arg, flags);
            }
            return false;
        }
        Py_DECREF(method);
        if (method == Py_None) {
            return path_refuse(path, arg, flags);
        }
        path->object = PyOS_FSPath(arg);
        if (path->object == NULL) {
            return false;
        }
    } else {
        path->object = Py_NewRef(arg);
    }
    return path_encode(path);
}

bool path_fits_dir_fd(const struct path *path, int dir_fd)
{
    if (path->fd >= 0 && dir_fd != AT_FDCWD) {
        PyErr_Format(PyExc_ValueError, "%s: can't specify dir_fd without matching path",
                     path->function);
        return false;
    }
    return true;
}

bool path_fits_links(const struct path *path, int follow_symlinks)
{
    if (path->fd >= 0 && !follow_symlinks) {
        PyErr_Format(PyExc_ValueError, "%s: cannot use fd and follow_symlinks together",
                     path->function);
        return false;
    }
    return true;
}

PyObject *path_text(const char *name, Py_ssize_t length, bool as_bytes)
{
    return as_bytes ? PyBytes_FromStringAndSize(name, length)
                    : PyUnicode_DecodeFSDefaultAndSize(name, length);
}

/* ---- numbers -------------------------------------------------------------------------------- */

bool dir_fd_of(PyObject *arg, int *out)
{
    if (arg == Py_None) {
        *out = AT_FDCWD;
        return true;
    }
    if (!PyIndex_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "argument should be integer or None, not %.200s",
                     Py_TYPE(arg)->tp_name);
        return false;
    }
    return fd_of_index(arg, out);
}

bool uid_of(PyObject *arg, uid_t *out)
{
    return account_number(arg, "uid", out);
}

bool gid_of(PyObject *arg, gid_t *out)
{
    return account_number(arg, "gid", out);
}

bool dev_of(PyObject *arg, dev_t *out)
{
    PyObject *index = PyNumber_Index(arg);
    if (index == NULL) {
        return false;
    }
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(index, &overflow);
    if (overflow > 0 || value < -1 || overflow < 0) {
        *out = PyLong_AsUnsignedLongLong(index);
    } else {
        *out = (dev_t)value;
    }
    Py_DECREF(index);
    return !PyErr_Occurred();
}

bool id_of(PyObject *arg, id_t *out)
{
    PyObject *index = PyNumber_Index(arg);
    if (index == NULL) {
        return false;
    }
    long long value = PyLong_AsLongLong(index);
    Py_DECREF(index);
    *out = (id_t)value;
    return !PyErr_Occurred();
}

bool fs_bytes_of(PyObject *arg, PyObject **out)
{
    return PyUnicode_FSConverter(arg, out) != 0;
}

void fs_bytes_drop(PyObject **bytes)
{
    Py_CLEAR(*bytes);
}

PyObject *uid_object(uid_t uid)
{
    return account_number_object(uid);
}

PyObject *dev_object(dev_t dev)
{
    return dev == (dev_t)-1 ? PyLong_FromLong(-1) : PyLong_FromUnsignedLongLong(dev);
}

PyObject *record_make(PyObject *type, PyObject *const *items, Py_ssize_t count)
{
    PyObject *record = PyStructSequence_New((PyTypeObject *)type);
    bool fine = record != NULL;
    for (Py_ssize_t i = 0; i < count; i++) {
        fine = fine && items[i] != NULL;
        if (record != NULL && items[i] != NULL) {
            PyStructSequence_SetItem(record, i, items[i]);
        } else {
            Py_XDECREF(items[i]);
        }
    }
    if (!fine) {
        Py_CLEAR(record);
    }
    return record;
}

/* ---- strings for the system ----------------------------------------------------------------- */

void strings_drop(struct strings *strings)
{
    PyMem_Free(strings->items);
    Py_XDECREF(strings->owners);
}

static bool strings_finish(struct strings *strings)
{
    Py_ssize_t count = PyList_GET_SIZE(strings->owners);
    strings->items = PyMem_New(char *, count + 1);
    if (strings->items == NULL) {
        PyErr_NoMemory();
        return false;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        strings->items[i] = PyBytes_AS_STRING(PyList_GET_ITEM(strings->owners, i));
    }
    strings->items[count] = NULL;
    return true;
}

bool strings_of_sequence(struct strings *strings, PyObject *sequence)
{
    strings->owners = PyList_New(0);
    if (strings->owners == NULL) {
        return false;
    }
    Py_ssize_t count = PySequence_Size(sequence);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *bytes = NULL, *item = PySequence_GetItem(sequence, i);
        bool fine =
            item != NULL && fs_bytes_of(item, &bytes) && PyList_Append(strings->owners, bytes) == 0;
        Py_XDECREF(item);
        Py_XDECREF(bytes);
        if (!fine) {
            return false;
        }
    }
    return count >= 0 && strings_finish(strings);
}

static bool environ_add(struct strings *strings, PyObject *key, PyObject *value)
{
    PyObject *name = NULL, *text = NULL;
    bool fine = fs_bytes_of(key, &name) && fs_bytes_of(value, &text);
    if (fine) {
        const char *start = PyBytes_AS_STRING(name);
        if (start[0] == '\0' || strchr(start + 1, '=') != NULL) {
            PyErr_SetString(PyExc_ValueError, "illegal environment variable name");
            fine = false;
        }
    }
    PyObject *pair =
        fine ? PyBytes_FromFormat("%s=%s", PyBytes_AS_STRING(name), PyBytes_AS_STRING(text)) : NULL;
    fine = pair != NULL && PyList_Append(strings->owners, pair) == 0;
    Py_XDECREF(pair);
    Py_XDECREF(name);
    Py_XDECREF(text);
    return fine;
}

bool strings_of_environ(struct strings *strings, PyObject *mapping)
{
    strings->owners = PyList_New(0);
    PyObject *keys = strings->owners ? PyMapping_Keys(mapping) : NULL;
    PyObject *values = keys ? PyMapping_Values(mapping) : NULL;
    bool fine = values != NULL;
    if (fine && (!PyList_Check(keys) || !PyList_Check(values))) {
        PyErr_SetString(PyExc_TypeError, "env.keys() or env.values() is not a list");
        fine = false;
    }
    for (Py_ssize_t i = 0; fine && i < PyList_GET_SIZE(keys) && i < PyList_GET_SIZE(values); i++) {
        fine = environ_add(strings, PyList_GET_ITEM(keys, i), PyList_GET_ITEM(values, i));
    }
    Py_XDECREF(keys);
    Py_XDECREF(values);
    return fine && strings_finish(strings);
}
