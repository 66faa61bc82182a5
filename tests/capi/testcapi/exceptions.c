/* Exceptions: setting, fetching, reporting, making classes of them. */
#include "parts.h"

#include <errno.h>
#include <signal.h>

/* The handled exception becomes another; gives the one before. */
FUNCTION1(set_exception, exception)
{
    PyObject *before = PyErr_GetHandledException();
    PyErr_SetHandledException(exception);
    return before == NULL ? Py_NewRef(Py_None) : before;
}

FUNCTIONN(set_exc_info)
{
    PyObject *type, *value, *traceback, *old_type, *old_value, *old_traceback;
    if (!PyArg_ParseTuple(args, "OOO:test_exc_info", &type, &value, &traceback)) {
        return NULL;
    }
    PyErr_GetExcInfo(&old_type, &old_value, &old_traceback);
    PyErr_SetExcInfo(Py_NewRef(type), Py_NewRef(value), Py_NewRef(traceback));
    PyObject *before = PyTuple_Pack(3, old_type != NULL ? old_type : Py_None,
                                    old_value != NULL ? old_value : Py_None,
                                    old_traceback != NULL ? old_traceback : Py_None);
    Py_XDECREF(old_type);
    Py_XDECREF(old_value);
    Py_XDECREF(old_traceback);
    return before;
}

FUNCTION1(err_set_raised, exception)
{
    PyErr_SetRaisedException(Py_NewRef(exception));
    return NULL;
}

FUNCTIONN(err_restore)
{
    PyObject *type = NULL, *value = NULL, *traceback = NULL;
    Py_ssize_t count = PyTuple_GET_SIZE(args);
    if (count < 1 || count > 3) {
        PyErr_SetString(PyExc_TypeError, "one to three arguments are needed");
        return NULL;
    }
    type = Py_NewRef(PyTuple_GET_ITEM(args, 0));
    value = count > 1 ? Py_NewRef(PyTuple_GET_ITEM(args, 1)) : NULL;
    traceback = count > 2 ? Py_NewRef(PyTuple_GET_ITEM(args, 2)) : NULL;
    if (traceback == Py_None) {
        Py_CLEAR(traceback);
    }
    PyErr_Restore(type, value, traceback);
    return NULL;
}

FUNCTIONN(exc_set_object)
{
    PyObject *type, *value;
    if (PyArg_ParseTuple(args, "OO", &type, &value)) {
        PyErr_SetObject(type, value);
    }
    return NULL;
}

FUNCTIONN(exc_set_object_fetch)
{
    PyObject *type, *value, *traceback;
    if (!PyArg_ParseTuple(args, "OO", &type, &value)) {
        return NULL;
    }
    PyErr_SetObject(type, value);
    PyErr_Fetch(&type, &value, &traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
}

FUNCTIONN(err_setstring)
{
    PyObject *type;
    const char *text;
    Py_ssize_t size;
    if (PyArg_ParseTuple(args, "Oz#", &type, &text, &size)) {
        NULLABLE(type);
        PyErr_SetString(type, text);
    }
    return NULL;
}

FUNCTIONN(err_setfromerrnowithfilename)
{
    int error;
    PyObject *type;
    const char *filename;
    Py_ssize_t size;
    if (!PyArg_ParseTuple(args, "iOz#", &error, &type, &filename, &size)) {
        return NULL;
    }
    NULLABLE(type);
    errno = error;
    PyErr_SetFromErrnoWithFilename(type, filename);
    return NULL;
}

FUNCTIONN(err_writeunraisable)
{
    PyObject *exception, *object;
    if (!PyArg_ParseTuple(args, "OO", &exception, &object)) {
        return NULL;
    }
    NULLABLE(exception);
    NULLABLE(object);
    PyErr_SetRaisedException(Py_XNewRef(exception));
    PyErr_WriteUnraisable(object);
    Py_RETURN_NONE;
}

FUNCTIONN(err_formatunraisable)
{
    PyObject *exception, *a[2] = {NULL, NULL};
    const char *format;
    Py_ssize_t size;
    PyObject *head = PyTuple_GetSlice(args, 0, 2);
    int good = head != NULL && PyArg_ParseTuple(head, "Oz#", &exception, &format, &size);
    Py_XDECREF(head);
    if (!good) {
        return NULL;
    }
    for (Py_ssize_t i = 2; i < PyTuple_GET_SIZE(args) && i < 4; i++) {
        a[i - 2] = PyTuple_GET_ITEM(args, i);
    }
    NULLABLE(exception);
    PyErr_SetRaisedException(Py_XNewRef(exception));
    PyErr_FormatUnraisable(format, a[0], a[1]);
    Py_RETURN_NONE;
}

FUNCTIONN(unstable_exc_prep_reraise_star)
{
    PyObject *original, *raised;
    return PyArg_ParseTuple(args, "OO", &original, &raised)
               ? PyUnstable_Exc_PrepReraiseStar(original, raised)
               : NULL;
}

/* The class with that many small ints as its argument. */
FUNCTIONN(raise_exception)
{
    PyObject *type;
    int count;
    if (!PyArg_ParseTuple(args, "Oi:raise_exception", &type, &count)) {
        return NULL;
    }
    PyObject *tuple = PyTuple_New(count);
    for (int i = 0; i < count && tuple != NULL; i++) {
        PyTuple_SET_ITEM(tuple, i, PyLong_FromLong(i));
    }
    if (tuple != NULL) {
        PyErr_SetObject(type, tuple);
        Py_DECREF(tuple);
    }
    return NULL;
}

FUNCTION0(raise_memoryerror)
{
    return PyErr_NoMemory();
}

FUNCTION0(function_set_warning)
{
    return none_or_error(PyErr_WarnEx(PyExc_RuntimeWarning, "Testing PyErr_WarnEx", 2));
}

/* Its name is part of the message. */
FUNCTIONN(_testcapi_fatal_error_impl)
{
    const char *message;
    int release = 0;
    if (!PyArg_ParseTuple(args, "y|i:fatal_error", &message, &release)) {
        return NULL;
    }
    if (release) {
        PyEval_SaveThread();
    }
    Py_FatalError(message);
}

FUNCTIONN(set_errno)
{
    int error;
    if (!PyArg_ParseTuple(args, "i:set_errno", &error)) {
        return NULL;
    }
    errno = error;
    Py_RETURN_NONE;
}

static PyObject *make_exception_with_doc(PyObject *Py_UNUSED(module), PyObject *args,
                                         PyObject *kwargs)
{
    static char *names[] = {"name", "doc", "base", "dict", NULL};
    const char *name, *doc = NULL;
    PyObject *base = NULL, *dict = NULL;
    return PyArg_ParseTupleAndKeywords(args, kwargs, "s|sOO:make_exception_with_doc", names, &name,
                                       &doc, &base, &dict)
               ? PyErr_NewExceptionWithDoc(name, doc, base, dict)
               : NULL;
}

/* A pending signal is seen by the generator that is resumed next. */
FUNCTION1(raise_SIGINT_then_send_None, generator)
{
    raise(SIGINT);
    return PyObject_CallMethod(generator, "send", "O", Py_None);
}

FUNCTION0(crash_no_current_thread)
{
    Py_BEGIN_ALLOW_THREADS PyThreadState_Get();
    Py_END_ALLOW_THREADS return NULL;
}

/* An exception whose making raises the same again, for ever. */
static int recursing_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *type = (PyObject *)Py_TYPE(self);
    PyErr_SetObject(type, Py_None);
    PyErr_NormalizeException(&type, &self, &(PyObject *){NULL});
    return -1;
}

static PyTypeObject RecursingInfinitelyError_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "RecursingInfinitelyError",
    .tp_basicsize = sizeof(PyBaseExceptionObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "Instantiating it goes on for ever.",
    .tp_init = recursing_init,
};

static PyMethodDef methods[] = {
    ONE(set_exception),
    VARARGS(set_exc_info),
    ONE(err_set_raised),
    VARARGS(err_restore),
    VARARGS(exc_set_object),
    VARARGS(exc_set_object_fetch),
    VARARGS(err_setstring),
    VARARGS(err_setfromerrnowithfilename),
    VARARGS(err_writeunraisable),
    VARARGS(err_formatunraisable),
    VARARGS(unstable_exc_prep_reraise_star),
    VARARGS(raise_exception),
    NOARGS(raise_memoryerror),
    NOARGS(function_set_warning),
    {"fatal_error", _testcapi_fatal_error_impl, METH_VARARGS, NULL},
    VARARGS(set_errno),
    KEYWORDS(make_exception_with_doc),
    ONE(raise_SIGINT_then_send_None),
    NOARGS(crash_no_current_thread),
    {NULL},
};

int add_exceptions(PyObject *module)
{
    RecursingInfinitelyError_Type.tp_base = (PyTypeObject *)PyExc_Exception;
    PyObject *error = PyErr_NewException("_testcapi.error", NULL, NULL);
    int result = error == NULL ? -1 : PyModule_AddObjectRef(module, "error", error);
    Py_XDECREF(error);
    return result < 0 || PyModule_AddType(module, &RecursingInfinitelyError_Type) < 0
               ? -1
               : PyModule_AddFunctions(module, methods);
}
