/* Showing exceptions to the user: PyErr_Print, PyErr_Display, unraisable exceptions. */

#include "interp/state.h"
#include "objects/error.h"
#include "objects/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- SystemExit ----------------------------------------------------------------------------------- */

/* The exit status that SystemExit's code means; prints it if it is not a number. */
static int exit_status(PyObject *code)
{
    if (code == NULL || code == Py_None) {
        return 0;
    }
    if (PyLong_Check(code)) {
        return (int)PyLong_AsLong(code);
    }
    PyObject *err = sys_get(ID(stderr));
    if (err != NULL && err != Py_None) {
        PyFile_WriteObject(code, err, Py_PRINT_RAW);
    } else {
        PyObject_Print(code, stderr, Py_PRINT_RAW);
        fflush(stderr);
    }
    Py_XDECREF(err);
    PySys_WriteStderr("\n");
    return 1;
}

int handle_system_exit(int *status)
{
    struct main_interp *interp = main_interp_self();
    if (interp->config.inspect || !PyErr_ExceptionMatches(PyExc_SystemExit)) {
        return 0;
    }
    fflush(stdout);
    PyObject *exception = error_fetch();
    PyObject *code = PyObject_GetAttr(exception, ID(code));
    if (code == NULL) {
        PyErr_Clear();
    }
    *status = exit_status(code);
    Py_XDECREF(code);
    PyErr_Clear();
    Py_DECREF(exception);
    return 1;
}

/* ---- printing without the library ------------------------------------------------------------------- */

static void print_plain_traceback(PyTracebackObject *tb, PyObject *file)
{
    PyFile_WriteString("Traceback (most recent call last):\n", file);
    for (PyTracebackObject *each = tb; each != NULL; each = each->tb_next) {
        PyCodeObject *code = PyFrame_GetCode(each->tb_frame);
        PyObject *line =
            PyUnicode_FromFormat("  File \"%U\", line %d, in %U\n", code->co_filename,
                                 PyCode_Addr2Line(code, each->tb_lasti), code->co_name);
        if (line != NULL) {
            PyFile_WriteObject(line, file, Py_PRINT_RAW);
            Py_DECREF(line);
        }
        Py_DECREF(code);
    }
}

/* For when the traceback module cannot be imported or fails: the essentials only. */
static void print_plain(PyObject *exception, PyObject *file)
{
    PyObject *tb = PyException_GetTraceback(exception);
    if (tb != NULL && PyTraceBack_Print(tb, file) < 0) {
        PyErr_Clear();
        print_plain_traceback((PyTracebackObject *)tb, file);
    }
    Py_XDECREF(tb);
    PyErr_Clear();
    PyObject *text = PyObject_Str(exception);
    if (text == NULL) {
        PyErr_Clear();
        text = PyUnicode_FromString("<exception str() failed>");
    }
    PyObject *line = text == NULL ? NULL
                     : PyUnicode_GET_LENGTH(text) == 0
                         ? PyUnicode_FromFormat("%s\n", Py_TYPE(exception)->tp_name)
                         : PyUnicode_FromFormat("%s: %U\n", Py_TYPE(exception)->tp_name, text);
    if (line != NULL) {
        PyFile_WriteObject(line, file, Py_PRINT_RAW);
    }
    Py_XDECREF(line);
    Py_XDECREF(text);
    PyErr_Clear();
}

static int print_with_library(PyObject *exception, PyObject *file)
{
    PyObject *module = PyImport_ImportModule("traceback");
    PyObject *print =
        module == NULL ? NULL : PyObject_GetAttrString(module, "_print_exception_bltin");
    Py_XDECREF(module);
    PyObject *result = NULL;
    if (print != NULL && PyCallable_Check(print)) {
        result = PyObject_CallOneArg(print, exception);
    }
    Py_XDECREF(print);
    if (result == NULL) {
        PyErr_Clear();
        return -1;
    }
    Py_DECREF(result);
    return 0;
}

static int flush(PyObject *file)
{
    PyObject *result = PyObject_CallMethodNoArgs(file, ID(flush));
    if (result == NULL) {
        PyErr_Clear();
        return -1;
    }
    Py_DECREF(result);
    return 0;
}

void PyErr_Display(PyObject *type, PyObject *value, PyObject *traceback)
{
    if (value == NULL) {
        return;
    }
    PyObject *raised = error_fetch();
    Py_INCREF(value);
    if (PyExceptionInstance_Check(value) && traceback != NULL && PyTraceBack_Check(traceback)
        && ((PyBaseExceptionObject *)value)->traceback == NULL) {
        PyException_SetTraceback(value, traceback);
    }
    PyObject *file = sys_get(ID(stderr));
    if (file == NULL) {
        PyObject_Print(value, stderr, 0);
        fputc('\n', stderr);
    } else if (file != Py_None) {
        if (!PyExceptionInstance_Check(value)) {
            PyObject *line = PyUnicode_FromFormat("TypeError: print_exception(): Exception "
                                                  "expected for value, %s found\n",
                                                  Py_TYPE(value)->tp_name);
            if (line != NULL) {
                PyFile_WriteObject(line, file, Py_PRINT_RAW);
                Py_DECREF(line);
            }
        } else if (print_with_library(value, file) < 0) {
            print_plain(value, file);
        }
        flush(file);
    }
    Py_XDECREF(file);
    Py_DECREF(value);
    PyErr_Clear();
    error_restore(raised);
}

void PyErr_DisplayException(PyObject *exception)
{
    PyErr_Display(NULL, exception, NULL);
}

/* The lines of a traceback without marks below them, as a list of str (new reference). */
static PyObject *traceback_lines(PyObject *traceback)
{
    PyObject *module = PyImport_ImportModule("traceback");
    PyObject *frames =
        module == NULL ? NULL : PyObject_CallMethod(module, "walk_tb", "O", traceback);
    PyObject *summary_type = frames == NULL ? NULL : PyObject_GetAttrString(module, "StackSummary");
    PyObject *summary =
        summary_type == NULL ? NULL : PyObject_CallMethod(summary_type, "extract", "O", frames);
    PyObject *lines = summary == NULL ? NULL : PyObject_CallMethod(summary, "format", NULL);
    Py_XDECREF(summary);
    Py_XDECREF(summary_type);
    Py_XDECREF(frames);
    Py_XDECREF(module);
    return lines;
}

int PyTraceBack_Print(PyObject *traceback, PyObject *file)
{
    if (traceback == NULL) {
        return 0;
    }
    if (!PyTraceBack_Check(traceback)) {
        PyErr_BadInternalCall();
        return -1;
    }
    PyObject *lines = traceback_lines(traceback);
    PyObject *text = lines == NULL ? NULL : PyUnicode_Join(str_empty(), lines);
    int result = -1;
    if (text != NULL && PyFile_WriteString("Traceback (most recent call last):\n", file) == 0) {
        result = PyFile_WriteObject(text, file, Py_PRINT_RAW);
    }
    Py_XDECREF(text);
    Py_XDECREF(lines);
    return result;
}

/* ---- at the end of a program ------------------------------------------------------------------------- */

static void set_last(PyObject *exception)
{
    PyObject *traceback = PyException_GetTraceback(exception);
    if (PySys_SetObject("last_exc", exception) < 0
        || PySys_SetObject("last_type", (PyObject *)Py_TYPE(exception)) < 0
        || PySys_SetObject("last_value", exception) < 0
        || PySys_SetObject("last_traceback", traceback == NULL ? Py_None : traceback) < 0) {
        PyErr_Clear();
    }
    Py_XDECREF(traceback);
}

/* Calls sys.excepthook; what it raises itself is shown as well. */
static void call_excepthook(PyObject *exception)
{
    PyObject *hook = sys_get(ID(excepthook));
    PyObject *traceback = PyException_GetTraceback(exception);
    PyObject *type = (PyObject *)Py_TYPE(exception);
    if (PySys_Audit("sys.excepthook", "OOOO", hook == NULL ? Py_None : hook, type, exception,
                    traceback == NULL ? Py_None : traceback)
        < 0) {
        if (PyErr_ExceptionMatches(PyExc_RuntimeError)) {
            PyErr_Clear();
            goto done;
        }
        PyErr_FormatUnraisable("Exception ignored in audit hook");
    }
    if (hook == NULL) {
        PySys_WriteStderr("sys.excepthook is missing\n");
        PyErr_DisplayException(exception);
        goto done;
    }
    PyObject *args[] = {type, exception, traceback == NULL ? Py_None : traceback};
    PyObject *result = PyObject_Vectorcall(hook, args, 3, NULL);
    if (result == NULL) {
        int status;
        if (handle_system_exit(&status)) {
            Py_Exit(status);
        }
        PyObject *second = error_fetch();
        PySys_WriteStderr("Error in sys.excepthook:\n");
        PyErr_DisplayException(second);
        PySys_WriteStderr("\nOriginal exception was:\n");
        PyErr_DisplayException(exception);
        Py_XDECREF(second);
    }
    Py_XDECREF(result);
done:
    Py_XDECREF(hook);
    Py_XDECREF(traceback);
}

void display_raised(bool remember)
{
    PyObject *exception = error_fetch();
    if (exception == NULL) {
        return;
    }
    if (remember) {
        set_last(exception);
    }
    call_excepthook(exception);
    PyErr_Clear();
    Py_DECREF(exception);
}

void PyErr_PrintEx(int set_sys_last_vars)
{
    int status;
    if (handle_system_exit(&status)) {
        Py_Exit(status);
    }
    display_raised(set_sys_last_vars);
}

void PyErr_Print(void)
{
    PyErr_PrintEx(1);
}

/* ---- unraisable exceptions -------------------------------------------------------------------------------- */

static PyStructSequence_Field unraisable_fields[] = {
    {"exc_type", "Exception type"},
    {"exc_value", "Exception value"},
    {"exc_traceback", "Exception traceback"},
    {"err_msg", "Error message"},
    {"object", "Object causing the exception"},
    {NULL, NULL},
};
static PyStructSequence_Desc unraisable_desc = {
    "builtins.UnraisableHookArgs",
    "UnraisableHookArgs\n\nType used to pass arguments to sys.unraisablehook.",
    unraisable_fields,
    5,
};

/* The argument of sys.unraisablehook (new reference). */
static PyObject *unraisable_args(PyObject *exception, PyObject *message, PyObject *object)
{
    static PyTypeObject type; /* per process: it has no state */
    static struct once ready;
    if (once_begin(&ready)) {
        bool made = PyStructSequence_InitType2(&type, &unraisable_desc) == 0;
        once_end(&ready, made);
        if (!made) {
            return NULL;
        }
    }
    PyObject *args = PyStructSequence_New(&type);
    if (args != NULL) {
        PyObject *traceback = PyException_GetTraceback(exception);
        PyObject *items[] = {
            (PyObject *)Py_TYPE(exception),          exception,
            traceback == NULL ? Py_None : traceback, message == NULL ? Py_None : message,
            object == NULL ? Py_None : object,
        };
        for (int i = 0; i < 5; i++) {
            PyStructSequence_SetItem(args, i, Py_NewRef(items[i]));
        }
        Py_XDECREF(traceback);
    }
    return args;
}

/* sys.name (new reference), or NULL without an exception. */
static PyObject *sys_get_original(const char *name)
{
    return Py_XNewRef(PySys_GetObject(name));
}

/* Says at least what is running, where an exception comes without a traceback. */
static void add_place(PyObject *exception)
{
    PyObject *traceback = PyException_GetTraceback(exception);
    PyFrameObject *frame = traceback == NULL ? PyThreadState_GetFrame(PyThreadState_Get()) : NULL;
    if (frame != NULL) {
        PyErr_SetRaisedException(Py_NewRef(exception));
        PyTraceBack_Here(frame);
        Py_XDECREF(PyErr_GetRaisedException());
        Py_DECREF((PyObject *)frame);
    }
    Py_XDECREF(traceback);
}

static void report_unraisable(PyObject *message, PyObject *object)
{
    PyObject *exception = error_fetch();
    if (exception == NULL) {
        return;
    }
    add_place(exception);
    PyObject *args = unraisable_args(exception, message, object);
    PyObject *hook = args == NULL ? NULL : sys_get(ID(unraisablehook));
    PyObject *result = NULL;
    if (args != NULL && (hook == NULL || hook == Py_None)) {
        Py_XSETREF(hook, sys_get_original("__unraisablehook__"));
    }
    if (hook != NULL && hook != Py_None
        && PySys_Audit("sys.unraisablehook", "OO", hook, args) == 0) {
        result = PyObject_CallOneArg(hook, args);
    }
    if (result == NULL) {
        PyErr_Clear();
        PyErr_DisplayException(exception);
    }
    Py_XDECREF(result);
    Py_XDECREF(hook);
    Py_XDECREF(args);
    Py_DECREF(exception);
}

void PyErr_WriteUnraisable(PyObject *object)
{
    report_unraisable(NULL, object);
}

void PyErr_FormatUnraisable(const char *format, ...)
{
    PyObject *exception = error_fetch(), *message = NULL;
    if (format != NULL) {
        va_list va;
        va_start(va, format);
        message = PyUnicode_FromFormatV(format, va);
        va_end(va);
        PyErr_Clear();
    }
    error_restore(exception);
    report_unraisable(message, NULL);
    Py_XDECREF(message);
}
