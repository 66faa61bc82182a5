/* The module atexit. The calls are a list of (function, args, kwargs or None), which the interpreter
 * owns, so that they are made whatever becomes of the module. */
#include "module.h"

#include "interp/state.h"

#include "atexit.bind.h"

/* The interpreter's list (new reference), or NULL with an exception. */
static PyObject *calls_get(void)
{
    PyObject *calls = main_interp_self()->atexit_calls;
    if (calls == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the interpreter's exit functions have been called");
        return NULL;
    }
    return Py_NewRef(calls);
}

static PyObject *pop_locked(PyObject *calls)
{
    Py_ssize_t last = PyList_GET_SIZE(calls) - 1;
    if (last < 0) {
        return NULL;
    }
    PyObject *call = Py_NewRef(PyList_GET_ITEM(calls, last));
    if (PyList_SetSlice(calls, last, last + 1, NULL) < 0) {
        Py_CLEAR(call);
    }
    return call;
}

/* Makes the calls, the last one first, also those that are registered meanwhile. */
static int run_all(PyObject *calls)
{
    PyObject *call;
    while ((call = LOCKED(calls, pop_locked(calls))) != NULL) {
        PyObject *function = PyTuple_GET_ITEM(call, 0), *kwargs = PyTuple_GET_ITEM(call, 2);
        PyObject *result =
            PyObject_Call(function, PyTuple_GET_ITEM(call, 1), kwargs == Py_None ? NULL : kwargs);
        if (result == NULL) {
            PyErr_FormatUnraisable("Exception ignored in atexit callback %R", function);
        }
        Py_XDECREF(result);
        Py_DECREF(call);
    }
    return PyErr_Occurred() ? -1 : 0;
}

/* At the interpreter's end. */
static int run_last(void)
{
    PyObject *calls = main_interp_self()->atexit_calls;
    if (calls == NULL) {
        return 0;
    }
    Py_INCREF(calls);
    int rc = run_all(calls);
    Py_CLEAR(main_interp_self()->atexit_calls);
    Py_DECREF(calls);
    return rc;
}

static PyObject *atexit_register(PyObject *Py_UNUSED(module), PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) == 0) {
        PyErr_SetString(PyExc_TypeError, "register() takes at least 1 argument (0 given)");
        return NULL;
    }
    PyObject *function = PyTuple_GET_ITEM(args, 0);
    if (!PyCallable_Check(function)) {
        PyErr_SetString(PyExc_TypeError, "the first argument must be callable");
        return NULL;
    }
    PyObject *calls = calls_get();
    PyObject *rest = calls ? PyTuple_GetSlice(args, 1, PyTuple_GET_SIZE(args)) : NULL;
    PyObject *call = rest ? PyTuple_Pack(3, function, rest, kwargs ? kwargs : Py_None) : NULL;
    int rc = call ? PyList_Append(calls, call) : -1;
    Py_XDECREF(call);
    Py_XDECREF(rest);
    Py_XDECREF(calls);
    return rc < 0 ? NULL : Py_NewRef(function);
}

static int atexit_clear_all(PyObject *Py_UNUSED(module))
{
    PyObject *calls = calls_get();
    int rc = calls ? PyList_Clear(calls) : -1;
    Py_XDECREF(calls);
    return rc;
}

/* Takes this very call out of the list, if it is still there. */
static int remove_locked(PyObject *calls, PyObject *call)
{
    for (Py_ssize_t i = PyList_GET_SIZE(calls); i-- > 0;) {
        if (PyList_GET_ITEM(calls, i) == call) {
            return PyList_SetSlice(calls, i, i + 1, NULL);
        }
    }
    return 0;
}

static int atexit_unregister(PyObject *Py_UNUSED(module), PyObject *func)
{
    PyObject *calls = calls_get();
    if (calls == NULL) {
        return -1;
    }
    /* Comparing may run anything, so it goes over a copy. */
    PyObject *copy = PyList_GetSlice(calls, 0, PY_SSIZE_T_MAX);
    int rc = copy ? 0 : -1;
    for (Py_ssize_t i = 0; rc == 0 && i < PyList_GET_SIZE(copy); i++) {
        PyObject *call = PyList_GET_ITEM(copy, i);
        int same = PyObject_RichCompareBool(PyTuple_GET_ITEM(call, 0), func, Py_EQ);
        rc = same > 0 ? LOCKED(calls, remove_locked(calls, call)) : same;
    }
    Py_XDECREF(copy);
    Py_DECREF(calls);
    return rc;
}

static int atexit_run_exitfuncs(PyObject *Py_UNUSED(module))
{
    PyObject *calls = calls_get();
    int rc = calls ? run_all(calls) : -1;
    Py_XDECREF(calls);
    return rc;
}

static Py_ssize_t atexit_ncallbacks(PyObject *Py_UNUSED(module))
{
    PyObject *calls = calls_get();
    Py_ssize_t count = calls ? PyList_GET_SIZE(calls) : -1;
    Py_XDECREF(calls);
    return count;
}

static int atexit_exec(PyObject *Py_UNUSED(module))
{
    struct main_interp *interp = main_interp_self();
    if (interp->atexit_calls == NULL && (interp->atexit_calls = PyList_New(0)) == NULL) {
        return -1;
    }
    interp->before_finalize = run_last;
    return 0;
}

static PyModuleDef_Slot atexit_slots[] = MODULE_SLOTS(atexit_exec);

static PyModuleDef atexit_module = {
    PyModuleDef_HEAD_INIT,       .m_name = "atexit",      .m_doc = atexit_doc,
    .m_methods = atexit_methods, .m_slots = atexit_slots,
};

MODULE_INIT(atexit, atexit_module)
