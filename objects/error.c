/* Raising: the state of a thread's raised and handled exceptions, and the PyErr_* functions over it. */

#include "objects/error.h"
#include "objects/exceptions/exceptions.h"
#include "objects/str.h"
#include "objects/tuple.h"

#include <errno.h>
#include <string.h>

static inline PyThreadState *state(void)
{
    return &thread_self()->ts;
}

/* ---- the raised exception -------------------------------------------------------------------- */

PyObject *PyErr_Occurred(void)
{
    PyObject *exception = state()->current_exception;
    return exception == NULL ? NULL : (PyObject *)Py_TYPE(exception);
}

void PyErr_Clear(void)
{
    error_restore(NULL);
}

PyObject *PyErr_GetRaisedException(void)
{
    return error_fetch();
}

void PyErr_SetRaisedException(PyObject *exception)
{
    error_restore(exception);
}

void PyErr_Fetch(PyObject **type, PyObject **value, PyObject **traceback)
{
    PyObject *exception = error_fetch();
    *value = exception;
    *type = exception == NULL ? NULL : Py_NewRef(Py_TYPE(exception));
    *traceback = exception == NULL ? NULL : PyException_GetTraceback(exception);
}

void PyErr_Restore(PyObject *type, PyObject *value, PyObject *traceback)
{
    if (type == NULL) {
        Py_XDECREF(value);
        Py_XDECREF(traceback);
        error_restore(NULL);
        return;
    }
    if (traceback != NULL && traceback != Py_None && !PyTraceBack_Check(traceback)) {
        Py_DECREF(type);
        Py_XDECREF(value);
        Py_DECREF(traceback);
        PyErr_SetString(PyExc_TypeError, "traceback must be a Traceback or None");
        return;
    }
    if (value == NULL || !PyExceptionInstance_Check(value) || (PyObject *)Py_TYPE(value) != type) {
        PyObject *instance = error_instance(type, value);
        Py_XDECREF(value);
        if (instance == NULL) {
            Py_DECREF(type);
            Py_XDECREF(traceback);
            return;
        }
        value = instance;
    }
    if (traceback != NULL && traceback != Py_None) {
        PyException_SetTraceback(value, traceback);
    }
    Py_XDECREF(traceback);
    Py_DECREF(type);
    error_restore(value);
}

void PyErr_NormalizeException(PyObject **type, PyObject **value, PyObject **traceback)
{
    if (*type == NULL || !PyExceptionClass_Check(*type)) {
        return;
    }
    PyObject *instance = error_instance(*type, *value);
    if (instance == NULL) {
        /* What went wrong while making it is the exception now. */
        Py_CLEAR(*type);
        Py_CLEAR(*value);
        PyObject *old = *traceback;
        PyErr_Fetch(type, value, traceback);
        if (*traceback == NULL) {
            *traceback = old;
        } else {
            Py_XDECREF(old);
        }
        return;
    }
    Py_XSETREF(*value, instance);
    Py_SETREF(*type, Py_NewRef(Py_TYPE(instance)));
}

/* ---- making and raising ---------------------------------------------------------------------- */

PyObject *error_instance(PyObject *type, PyObject *value)
{
    if (value != NULL && PyExceptionInstance_Check(value)
        && PyType_IsSubtype(Py_TYPE(value), (PyTypeObject *)type)) {
        return Py_NewRef(value);
    }
    PyObject *exception;
    if (value == NULL || value == Py_None) {
        exception = PyObject_CallNoArgs(type);
    } else if (PyTuple_Check(value)) {
        exception = PyObject_Call(type, value, NULL);
    } else {
        exception = PyObject_CallOneArg(type, value);
    }
    if (exception != NULL && !PyExceptionInstance_Check(exception)) {
        PyErr_Format(PyExc_TypeError,
                     "calling %R should have returned an instance of BaseException, not %s", type,
                     Py_TYPE(exception)->tp_name);
        Py_CLEAR(exception);
    }
    return exception;
}

PyObject *error_handled(void)
{
    for (_PyErr_StackItem *item = state()->exc_info; item != NULL; item = item->previous_item) {
        if (item->exc_value != NULL && item->exc_value != Py_None) {
            return item->exc_value;
        }
    }
    return NULL;
}

static inline PyObject *context_of(PyObject *exception)
{
    return ((PyBaseExceptionObject *)exception)->context;
}

/* Cuts `exception` out of the contexts of `handled`, so that it may get that as its own context. The
 * chain may already have a ring of its own: a second, slower walker notices. */
static void cut_ring(PyObject *exception, PyObject *handled)
{
    PyObject *node = handled, *slow = handled;
    bool move_slow = false;
    for (PyObject *context; (context = context_of(node)) != NULL; node = context) {
        if (context == exception) {
            PyException_SetContext(node, NULL);
            return;
        }
        if (context == slow) {
            return;
        }
        if (move_slow) {
            slow = context_of(slow);
        }
        move_slow = !move_slow;
    }
}

void error_raise_instance(PyObject *exception)
{
    PyObject *handled = error_handled();
    if (handled != NULL && handled != exception) {
        Py_INCREF(handled);
        cut_ring(exception, handled);
        PyException_SetContext(exception, handled);
    }
    error_restore(exception);
}

/* Says in a note of the raised exception what was to be raised instead. */
static void note_failure(PyObject *raised, PyObject *type, PyObject *value)
{
    PyObject *args = value == NULL ? NULL : PyObject_Repr(value);
    PyErr_Clear();
    PyObject *note = args == NULL
                         ? PyUnicode_FromFormat("Normalization failed: type=%s args=<unknown>",
                                                ((PyTypeObject *)type)->tp_name)
                         : PyUnicode_FromFormat("Normalization failed: type=%s args=%S",
                                                ((PyTypeObject *)type)->tp_name, args);
    PyObject *done = note == NULL ? NULL : PyObject_CallMethod(raised, "add_note", "O", note);
    PyErr_Clear();
    Py_XDECREF(done);
    Py_XDECREF(note);
    Py_XDECREF(args);
}

void PyErr_SetObject(PyObject *type, PyObject *value)
{
    if (type != NULL && !PyExceptionClass_Check(type)) {
        PyErr_Format(PyExc_SystemError,
                     "_PyErr_SetObject: exception %R is not a BaseException subclass", type);
        return;
    }
    PyErr_Clear();
    if (type == NULL) {
        return;
    }
    PyObject *exception = NULL;
    if (value != NULL && PyExceptionInstance_Check(value) && !Py_IS_TYPE(type, &PyType_Type)
        && PyObject_IsSubclass((PyObject *)Py_TYPE(value), type) < 0) {
        return; /* the class of the class refuses to answer */
    }
    exception = error_instance(type, value);
    if (exception == NULL) {
        /* Making it failed; that exception goes on, in the context of the handled one. */
        exception = error_fetch();
        if (exception == NULL) {
            return;
        }
        note_failure(exception, type, value);
    }
    error_raise_instance(exception);
}

void PyErr_SetNone(PyObject *type)
{
    PyErr_SetObject(type, NULL);
}

void PyErr_SetString(PyObject *type, const char *text)
{
    PyObject *value = PyUnicode_FromString(text);
    if (value != NULL) {
        PyErr_SetObject(type, value);
        Py_DECREF(value);
    }
}

PyObject *PyErr_FormatV(PyObject *type, const char *format, va_list args)
{
    PyErr_Clear(); /* formatting may call repr(), which wants no exception set */
    PyObject *value = PyUnicode_FromFormatV(format, args);
    if (value != NULL) {
        PyErr_SetObject(type, value);
        Py_DECREF(value);
    }
    return NULL;
}

PyObject *PyErr_Format(PyObject *type, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    PyErr_FormatV(type, format, args);
    va_end(args);
    return NULL;
}

#define RAISE_FUNCTION(name, type)                                                                 \
    int name(const char *format, ...)                                                              \
    {                                                                                              \
        va_list args;                                                                              \
        va_start(args, format);                                                                    \
        PyErr_FormatV(type, format, args);                                                         \
        va_end(args);                                                                              \
        return -1;                                                                                 \
    }
RAISE_FUNCTION(raise_type, PyExc_TypeError)
RAISE_FUNCTION(raise_value, PyExc_ValueError)
RAISE_FUNCTION(raise_system, PyExc_SystemError)

int raise_key(PyObject *key)
{
    PyErr_Clear();
    PyObject *args = tuple_from_array(&key, 1);
    PyObject *exception = args == NULL ? NULL : exception_make(&exception_KeyError, args);
    if (exception != NULL) {
        error_raise_instance(exception);
    }
    return -1;
}

void _PyErr_SetKeyError(PyObject *key)
{
    raise_key(key);
}

PyObject *PyErr_NoMemory(void)
{
    error_raise_instance(memory_error_new());
    return NULL;
}

int PyErr_BadArgument(void)
{
    PyErr_SetString(PyExc_TypeError, "bad argument type for built-in operation");
    return 0;
}

void _PyErr_BadInternalCall(const char *file, int line)
{
    PyErr_Format(PyExc_SystemError, "%s:%d: bad argument to internal function", file, line);
}

#undef PyErr_BadInternalCall
void PyErr_BadInternalCall(void)
{
    PyErr_SetString(PyExc_SystemError, "bad argument to internal function");
}

void _PyErr_ChainExceptions1(PyObject *exception)
{
    if (exception == NULL) {
        return;
    }
    PyObject *raised = error_fetch();
    if (raised == NULL) {
        error_restore(exception);
        return;
    }
    PyException_SetContext(raised, exception);
    error_restore(raised);
}

/* ---- matching -------------------------------------------------------------------------------- */

int PyErr_GivenExceptionMatches(PyObject *given, PyObject *wanted)
{
    if (given == NULL || wanted == NULL) {
        return 0;
    }
    if (PyTuple_Check(wanted)) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(wanted); i++) {
            if (PyErr_GivenExceptionMatches(given, PyTuple_GET_ITEM(wanted, i))) {
                return 1;
            }
        }
        return 0;
    }
    if (PyExceptionInstance_Check(given)) {
        given = PyExceptionInstance_Class(given);
        if (given == wanted) {
            return 1;
        }
    }
    if (PyExceptionClass_Check(given) && PyExceptionClass_Check(wanted)) {
        return PyType_IsSubtype((PyTypeObject *)given, (PyTypeObject *)wanted);
    }
    return given == wanted;
}

int PyErr_ExceptionMatches(PyObject *wanted)
{
    return PyErr_GivenExceptionMatches(PyErr_Occurred(), wanted);
}

/* ---- the handled exception ------------------------------------------------------------------- */

PyObject *PyErr_GetHandledException(void)
{
    return Py_XNewRef(error_handled());
}

void PyErr_SetHandledException(PyObject *exception)
{
    _PyErr_StackItem *item = state()->exc_info;
    PyObject *old = item->exc_value;
    item->exc_value = Py_XNewRef(exception == Py_None ? NULL : exception);
    Py_XDECREF(old);
}

void PyErr_GetExcInfo(PyObject **type, PyObject **value, PyObject **traceback)
{
    PyObject *exception = error_handled();
    *value = Py_XNewRef(exception);
    *type = exception == NULL ? NULL : Py_NewRef(Py_TYPE(exception));
    *traceback = exception == NULL ? NULL : PyException_GetTraceback(exception);
}

void PyErr_SetExcInfo(PyObject *type, PyObject *value, PyObject *traceback)
{
    PyErr_SetHandledException(value);
    Py_XDECREF(value);
    /* They are the value's own and come only for the sake of old callers. */
    Py_XDECREF(type);
    Py_XDECREF(traceback);
}

/* ---- from errno ------------------------------------------------------------------------------ */

PyObject *PyErr_SetFromErrnoWithFilenameObjects(PyObject *type, PyObject *filename,
                                                PyObject *filename2)
{
    int number = errno;
    if (number == EINTR && PyErr_CheckSignals()) {
        return NULL;
    }
    PyObject *text = number == 0 ? PyUnicode_FromString("Error")
                                 : PyUnicode_DecodeLocale(strerror(number), "surrogateescape");
    if (text == NULL) {
        return NULL;
    }
    PyObject *args;
    if (filename == NULL) {
        args = Py_BuildValue("(iO)", number, text);
    } else if (filename2 == NULL) {
        args = Py_BuildValue("(iOO)", number, text, filename);
    } else {
        args = Py_BuildValue("(iOOiO)", number, text, filename, 0, filename2);
    }
    Py_DECREF(text);
    if (args != NULL) {
        PyObject *exception = PyObject_Call(type, args, NULL);
        Py_DECREF(args);
        if (exception != NULL) {
            PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
            Py_DECREF(exception);
        }
    }
    return NULL;
}

PyObject *PyErr_SetFromErrnoWithFilenameObject(PyObject *type, PyObject *filename)
{
    return PyErr_SetFromErrnoWithFilenameObjects(type, filename, NULL);
}

PyObject *PyErr_SetFromErrno(PyObject *type)
{
    return PyErr_SetFromErrnoWithFilenameObjects(type, NULL, NULL);
}

PyObject *PyErr_SetFromErrnoWithFilename(PyObject *type, const char *filename)
{
    int number = errno;
    PyObject *name = filename == NULL ? NULL : PyUnicode_DecodeFSDefault(filename);
    if (filename != NULL && name == NULL) {
        return NULL;
    }
    errno = number;
    PyErr_SetFromErrnoWithFilenameObjects(type, name, NULL);
    Py_XDECREF(name);
    return NULL;
}

/* ---- import errors --------------------------------------------------------------------------- */

static PyObject *import_error(PyObject *type, PyObject *message, PyObject *name, PyObject *path,
                              PyObject *name_from)
{
    int subclass = PyObject_IsSubclass(type, PyExc_ImportError);
    if (subclass < 0) {
        return NULL;
    }
    if (!subclass) {
        PyErr_SetString(PyExc_TypeError, "expected a subclass of ImportError");
        return NULL;
    }
    if (message == NULL) {
        PyErr_SetString(PyExc_TypeError, "expected a message argument");
        return NULL;
    }
    PyObject *keywords = PyDict_New();
    PyObject *exception = NULL;
    if (keywords != NULL && PyDict_SetItem(keywords, ID(name), name == NULL ? Py_None : name) == 0
        && PyDict_SetItem(keywords, ID(path), path == NULL ? Py_None : path) == 0
        && (name_from == NULL || PyDict_SetItem(keywords, ID(name_from), name_from) == 0)) {
        exception = PyObject_VectorcallDict(type, &message, 1, keywords);
    }
    Py_XDECREF(keywords);
    if (exception != NULL) {
        PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
        Py_DECREF(exception);
    }
    return NULL;
}

PyObject *PyErr_SetImportErrorSubclass(PyObject *type, PyObject *message, PyObject *name,
                                       PyObject *path)
{
    return import_error(type, message, name, path, NULL);
}

PyObject *PyErr_SetImportError(PyObject *message, PyObject *name, PyObject *path)
{
    return import_error(PyExc_ImportError, message, name, path, NULL);
}

PyObject *_PyErr_SetImportErrorWithNameFrom(PyObject *message, PyObject *name, PyObject *path,
                                            PyObject *name_from)
{
    return import_error(PyExc_ImportError, message, name, path, name_from);
}

/* ---- new exception classes ------------------------------------------------------------------- */

/* The dict of the class, with __module__ (taken from the dotted name) and __doc__. */
static PyObject *class_namespace(const char *name, const char *dot, const char *doc, PyObject *dict)
{
    PyObject *copy = dict == NULL ? PyDict_New() : PyDict_Copy(dict);
    if (copy == NULL) {
        return NULL;
    }
    int known = PyDict_Contains(copy, ID(__module__));
    PyObject *module =
        known == 0 ? PyUnicode_FromStringAndSize(name, (Py_ssize_t)(dot - name)) : NULL;
    PyObject *text = doc == NULL ? NULL : PyUnicode_FromString(doc);
    if (known < 0
        || (known == 0 && (module == NULL || PyDict_SetItem(copy, ID(__module__), module) < 0))
        || (doc != NULL && (text == NULL || PyDict_SetItem(copy, ID(__doc__), text) < 0))) {
        Py_CLEAR(copy);
    }
    Py_XDECREF(module);
    Py_XDECREF(text);
    return copy;
}

PyObject *PyErr_NewExceptionWithDoc(const char *name, const char *doc, PyObject *base,
                                    PyObject *dict)
{
    const char *dot = strrchr(name, '.');
    if (dot == NULL) {
        PyErr_SetString(PyExc_SystemError, "PyErr_NewException: name must be module.class");
        return NULL;
    }
    PyObject *namespace = class_namespace(name, dot, doc, dict);
    if (namespace == NULL) {
        return NULL;
    }
    base = base == NULL ? PyExc_Exception : base;
    PyObject *bases = PyTuple_Check(base) ? Py_NewRef(base) : PyTuple_Pack(1, base);
    PyObject *class = bases == NULL ? NULL
                                    : PyObject_CallFunction((PyObject *)&PyType_Type, "sOO",
                                                            dot + 1, bases, namespace);
    Py_XDECREF(bases);
    Py_DECREF(namespace);
    return class;
}

PyObject *PyErr_NewException(const char *name, PyObject *base, PyObject *dict)
{
    return PyErr_NewExceptionWithDoc(name, NULL, base, dict);
}

/* ---- where a syntax error is ----------------------------------------------------------------- */

/* Sets an attribute of the raised exception to a number, or to None when it is negative. */
static void set_position(PyObject *exception, PyObject *name, int number)
{
    PyObject *value = number < 0 ? Py_NewRef(Py_None) : PyLong_FromLong(number);
    if (value == NULL || PyObject_SetAttr(exception, name, value) < 0) {
        PyErr_Clear();
    }
    Py_XDECREF(value);
}

/* The encoding that a line's comment names ("coding: NAME"), into `name`: false if it names none. */
static bool find_coding(const char *line, char name[64])
{
    line += strspn(line, " \t\f");
    const char *at = *line == '#' ? strstr(line, "coding") : NULL;
    if (at == NULL || (at[6] != ':' && at[6] != '=')) {
        return false;
    }
    at += 7;
    at += strspn(at, " \t");
    size_t n = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
    if (n == 0 || n > 63) {
        return false;
    }
    memcpy(name, at, n);
    name[n] = 0;
    return true;
}

/* Line `lineno` of an open file (new str), or NULL without an exception. */
static PyObject *line_of_file(FILE *file, int lineno)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length = -1;
    char coding[64] = "utf-8";
    for (int i = 0; i < lineno; i++) {
        length = getline(&line, &capacity, file);
        if (length < 0) {
            break;
        }
        if (i < 2) {
            find_coding(line, coding);
        }
    }
    size_t mark = lineno == 1 && length >= 3 && memcmp(line, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    PyObject *text = length < 0
                         ? NULL
                         : PyUnicode_Decode(line + mark, length - (ssize_t)mark, coding, "replace");
    free(line);
    if (text == NULL) {
        PyErr_Clear();
    }
    return text;
}

PyObject *PyErr_ProgramTextObject(PyObject *filename, int lineno)
{
    if (filename == NULL || lineno <= 0) {
        return NULL;
    }
    PyObject *path;
    if (!PyUnicode_FSConverter(filename, &path)) {
        PyErr_Clear();
        return NULL;
    }
    FILE *file = fopen(PyBytes_AS_STRING(path), "re");
    Py_DECREF(path);
    if (file == NULL) {
        return NULL;
    }
    PyObject *text = line_of_file(file, lineno);
    fclose(file);
    return text;
}

PyObject *PyErr_ProgramText(const char *filename, int lineno)
{
    PyObject *name = PyUnicode_DecodeFSDefault(filename);
    PyObject *text = name == NULL ? NULL : PyErr_ProgramTextObject(name, lineno);
    Py_XDECREF(name);
    PyErr_Clear();
    return text;
}

static void set_location(PyObject *filename, int lineno, int col, int end_lineno, int end_col)
{
    PyObject *exception = error_fetch();
    if (exception == NULL) {
        return;
    }
    set_position(exception, ID(lineno), lineno);
    set_position(exception, ID(offset), col);
    set_position(exception, ID(end_lineno), end_lineno);
    set_position(exception, ID(end_offset), end_col);
    if (filename != NULL) {
        if (PyObject_SetAttr(exception, ID(filename), filename) < 0) {
            PyErr_Clear();
        }
        PyObject *text = PyErr_ProgramTextObject(filename, lineno);
        if (text != NULL) {
            if (PyObject_SetAttr(exception, ID(text), text) < 0) {
                PyErr_Clear();
            }
            Py_DECREF(text);
        }
    }
    if ((PyObject *)Py_TYPE(exception) != PyExc_SyntaxError) {
        /* Classes that are not SyntaxError still print like one. */
        if (!PyObject_HasAttrWithError(exception, ID(msg))) {
            PyObject *message = PyObject_Str(exception);
            if (message != NULL) {
                PyObject_SetAttr(exception, ID(msg), message);
                Py_DECREF(message);
            }
        }
        PyErr_Clear();
    }
    error_restore(exception);
}

void PyErr_RangedSyntaxLocationObject(PyObject *filename, int lineno, int col, int end_lineno,
                                      int end_col)
{
    set_location(filename, lineno, col, end_lineno, end_col);
}

void PyErr_SyntaxLocationObject(PyObject *filename, int lineno, int col)
{
    set_location(filename, lineno, col, lineno, -1);
}

void PyErr_SyntaxLocationEx(const char *filename, int lineno, int col)
{
    PyObject *exception = error_fetch();
    PyObject *name = filename == NULL ? NULL : PyUnicode_DecodeFSDefault(filename);
    error_restore(exception);
    PyErr_SyntaxLocationObject(name, lineno, col);
    Py_XDECREF(name);
}

void PyErr_SyntaxLocation(const char *filename, int lineno)
{
    PyErr_SyntaxLocationEx(filename, lineno, -1);
}
