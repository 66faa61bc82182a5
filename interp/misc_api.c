/* Functions of the C API that ask or change a little something, and have no better place. */

#include "interp/state.h"
#include "interp/sys_info.h"
#include "objects/error.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

PyAPI_FUNC(int) _Py_IsInterpreterFinalizing(PyInterpreterState *interp);
PyAPI_FUNC(int) _PyEval_SetProfile(PyThreadState *ts, Py_tracefunc function, PyObject *arg);
PyAPI_FUNC(int) _Py_CheckRecursiveCall(PyThreadState *ts, const char *where);

/* ---- threads, interpreters ----------------------------------------------------------------------- */

PyObject *PyThread_GetInfo(void)
{
    return thread_info();
}

PyObject *PyUnstable_InterpreterState_GetMainModule(PyInterpreterState *interp)
{
    PyObject *modules = ((struct main_interp *)interp)->modules, *module = NULL;
    if (modules == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "interpreter not initialized");
        return NULL;
    }
    PyMapping_GetOptionalItemString(modules, "__main__", &module);
    return module;
}

/* There is one interpreter in a process: asking for another fails as it may by the API's contract. */
PyStatus Py_NewInterpreterFromConfig(PyThreadState **ts,
                                     const PyInterpreterConfig *Py_UNUSED(config))
{
    *ts = NULL;
    return PyStatus_Error("more than one interpreter in a process is not supported");
}

PyThreadState *Py_NewInterpreter(void)
{
    return NULL;
}

void Py_EndInterpreter(PyThreadState *Py_UNUSED(ts))
{
    Py_FatalError("the main interpreter cannot be ended");
}

int _Py_IsInterpreterFinalizing(PyInterpreterState *Py_UNUSED(interp))
{
    return Py_IsFinalizing();
}

/* For this thread only, which is the one that callers pass. */
int _PyEval_SetProfile(PyThreadState *Py_UNUSED(ts), Py_tracefunc function, PyObject *arg)
{
    PyEval_SetProfile(function, arg);
    return PyErr_Occurred() ? -1 : 0;
}

/* Only old binaries call it, when their own counter of levels has run out. */
int _Py_CheckRecursiveCall(PyThreadState *Py_UNUSED(ts), const char *where)
{
    return Py_EnterRecursiveCall(where);
}

/* ---- the end --------------------------------------------------------------------------------------- */

struct exit_callback {
    struct exit_callback *next;
    atexit_datacallbackfunc function;
    void *data;
};

int PyUnstable_AtExit(PyInterpreterState *state, atexit_datacallbackfunc function, void *data)
{
    struct main_interp *interp = (struct main_interp *)state;
    struct exit_callback *callback = PyMem_RawMalloc(sizeof *callback);
    if (callback == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    *callback = (struct exit_callback){NULL, function, data};
    struct exit_callback *first = __atomic_load_n(&interp->exit_callbacks, __ATOMIC_ACQUIRE);
    do {
        callback->next = first;
    } while (!__atomic_compare_exchange_n(&interp->exit_callbacks, &first, callback, false,
                                          __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
    return 0;
}

void interp_run_exit_callbacks(struct main_interp *interp)
{
    struct exit_callback *callback;
    while ((callback = interp->exit_callbacks) != NULL) {
        interp->exit_callbacks = callback->next;
        callback->function(callback->data);
        PyMem_RawFree(callback);
    }
}

/* ---- signals ---------------------------------------------------------------------------------------- */

PyOS_sighandler_t PyOS_getsig(int number)
{
    struct sigaction action;
    return sigaction(number, NULL, &action) < 0 ? SIG_ERR : action.sa_handler;
}

/* The handler before. System calls that it interrupts end with EINTR. */
PyOS_sighandler_t PyOS_setsig(int number, PyOS_sighandler_t handler)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK}, before;
    sigemptyset(&action.sa_mask);
    return sigaction(number, &action, &before) < 0 ? SIG_ERR : before.sa_handler;
}

/* ---- files, environment ------------------------------------------------------------------------------ */

/* fopen for a path object; closed in children. NULL with an exception. */
FILE *_Py_fopen_obj(PyObject *path, const char *mode)
{
    PyObject *bytes = NULL;
    FILE *file = NULL;
    if (PySys_Audit("open", "Osi", path, mode, 0) < 0 || !PyUnicode_FSConverter(path, &bytes)) {
        return NULL;
    }
    do {
        Py_BEGIN_ALLOW_THREADS file = fopen(PyBytes_AS_STRING(bytes), mode);
        Py_END_ALLOW_THREADS
    } while (file == NULL && errno == EINTR && PyErr_CheckSignals() == 0);
    if (file == NULL && !PyErr_Occurred()) {
        PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path);
    } else if (file != NULL && fcntl(fileno(file), F_SETFD, FD_CLOEXEC) < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        fclose(file);
        file = NULL;
    }
    Py_DECREF(bytes);
    return file;
}

#undef Py_GETENV
/* getenv, unless the environment is to be ignored. */
char *Py_GETENV(const char *name)
{
    bool ignored = thread_self() != NULL && !main_interp_self()->config.use_environment;
    return ignored ? NULL : getenv(name);
}

/* ---- things for debuggers and profilers -------------------------------------------------------------- */

/* A place for a debugger to stop at. */
void _Py_BreakPoint(void)
{
}

const PyTypeObject *const PyUnstable_ExecutableKinds[PyUnstable_EXECUTABLE_KINDS + 1] = {
    [PyUnstable_EXECUTABLE_KIND_SKIP] = &_PyNone_Type,
    [PyUnstable_EXECUTABLE_KIND_PY_FUNCTION] = &PyCode_Type,
    [PyUnstable_EXECUTABLE_KIND_BUILTIN_FUNCTION] = &PyMethod_Type,
    [PyUnstable_EXECUTABLE_KIND_METHOD_DESCRIPTOR] = &PyMethodDescr_Type,
    [PyUnstable_EXECUTABLE_KINDS] = NULL,
};
