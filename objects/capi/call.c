/* Calling objects: the vectorcall protocol, and all the ways to bring arguments.
 *
 * Arguments travel as an array: the positional ones, then the values of keyword arguments whose
 * names are a tuple of str. Objects without a vectorcall function get a tuple and a dict. */
#include "objects/capi/call.h"
#include "objects/capi/capi.h"

#include <stdarg.h>
#include <string.h>

/* ---- results --------------------------------------------------------------------------------- */

/* Holds a callee to the contract: a result, or an exception, never both or none. */
PyObject *_Py_CheckFunctionResult(PyThreadState *ts, PyObject *callable, PyObject *result,
                                  const char *where)
{
    bool raised = ts->current_exception != NULL;
    if (__builtin_expect((result != NULL) != raised, 1)) {
        return result;
    }
    if (!result) {
        return callable ? PyErr_Format(PyExc_SystemError,
                                       "%R returned NULL without setting an exception", callable)
                        : PyErr_Format(PyExc_SystemError,
                                       "%s returned NULL without setting an exception", where);
    }
    Py_DECREF(result);
    return callable ? raise_from_cause(PyExc_SystemError,
                                       "%R returned a result with an exception set", callable)
                    : raise_from_cause(PyExc_SystemError,
                                       "%s returned a result with an exception set", where);
}

/* ---- the two protocols ----------------------------------------------------------------------- */

vectorcallfunc PyVectorcall_Function(PyObject *callable)
{
    PyTypeObject *type = Py_TYPE(callable);
    if (!PyType_HasFeature(type, Py_TPFLAGS_HAVE_VECTORCALL)) {
        return NULL;
    }
    return *(vectorcallfunc *)((char *)callable + type->tp_vectorcall_offset);
}

#undef PyVectorcall_NARGS
Py_ssize_t PyVectorcall_NARGS(size_t nargsf)
{
    return _PyVectorcall_NARGS(nargsf);
}

/* The dict of keyword arguments whose values stand in an array (new reference). */
PyObject *_PyStack_AsDict(PyObject *const *values, PyObject *kwnames)
{
    PyObject *dict = PyDict_New();
    for (Py_ssize_t i = 0; dict && i < PyTuple_GET_SIZE(kwnames); i++) {
        if (PyDict_SetItem(dict, PyTuple_GET_ITEM(kwnames, i), values[i]) < 0) {
            Py_CLEAR(dict);
        }
    }
    return dict;
}

static PyObject *tuple_of(PyObject *const *items, Py_ssize_t count)
{
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; tuple && i < count; i++) {
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(items[i]));
    }
    return tuple;
}

/* `import mod; mod()` is often meant to be `mod.mod()`. */
static PyObject *raise_not_callable(PyObject *callable)
{
    PyObject *name = NULL, *member = NULL;
    if (PyModule_Check(callable) && PyObject_GetOptionalAttr(callable, ID(__name__), &name) > 0
        && PyUnicode_Check(name) && PyObject_GetOptionalAttr(callable, name, &member) > 0
        && PyCallable_Check(member)) {
        PyErr_Format(PyExc_TypeError,
                     "'%.200s' object is not callable. Did you mean: '%U.%U(...)'?",
                     Py_TYPE(callable)->tp_name, name, name);
    } else {
        PyErr_Clear();
        raise_for_type("'%.200s' object is not callable", callable);
    }
    Py_XDECREF(name);
    Py_XDECREF(member);
    return NULL;
}

/* tp_call with a limit on nesting. */
static PyObject *call_slot(PyThreadState *ts, PyObject *callable, PyObject *args, PyObject *kwargs)
{
    ternaryfunc slot = Py_TYPE(callable)->tp_call;
    if (!slot) {
        return raise_not_callable(callable);
    }
    if (Py_EnterRecursiveCall(" while calling a Python object")) {
        return NULL;
    }
    PyObject *result = slot(callable, args, kwargs);
    Py_LeaveRecursiveCall();
    return _Py_CheckFunctionResult(ts, callable, result, NULL);
}

/* Calls an object that has only tp_call. Keywords are a tuple of names with their values behind the
 * positional arguments, or a dict, or NULL. */
PyObject *_PyObject_MakeTpCall(PyThreadState *ts, PyObject *callable, PyObject *const *args,
                               Py_ssize_t nargs, PyObject *keywords)
{
    if (!Py_TYPE(callable)->tp_call) {
        return raise_not_callable(callable);
    }
    PyObject *tuple = tuple_of(args, nargs);
    if (!tuple) {
        return NULL;
    }
    PyObject *dict = NULL, *result = NULL;
    if (!keywords || PyDict_Check(keywords)) {
        dict = Py_XNewRef(keywords);
    } else if (PyTuple_GET_SIZE(keywords) > 0) {
        dict = _PyStack_AsDict(args + nargs, keywords);
        if (!dict) {
            goto done;
        }
    }
    result = call_slot(ts, callable, tuple, dict);
done:
    Py_DECREF(tuple);
    Py_XDECREF(dict);
    return result;
}

static inline PyObject *vectorcall(PyThreadState *ts, PyObject *callable, PyObject *const *args,
                                   size_t nargsf, PyObject *kwnames)
{
    vectorcallfunc function = PyVectorcall_Function(callable);
    if (!function) {
        return _PyObject_MakeTpCall(ts, callable, args, _PyVectorcall_NARGS(nargsf), kwnames);
    }
    PyObject *result = function(callable, args, nargsf, kwnames);
    return _Py_CheckFunctionResult(ts, callable, result, NULL);
}

PyObject *PyObject_Vectorcall(PyObject *callable, PyObject *const *args, size_t nargsf,
                              PyObject *kwnames)
{
    return vectorcall(&thread_self()->ts, callable, args, nargsf, kwnames);
}

/* ---- keywords from a dict -------------------------------------------------------------------- */

/* Positional arguments and the items of a dict laid out for a vectorcall. */
struct unpacked {
    PyObject **args;   /* args[-1] may be used by the callee */
    PyObject *kwnames; /* owned */
    Py_ssize_t owned;  /* args[0 .. owned) are references of ours */
    PyObject *small[9];
};

static void unpacked_free(struct unpacked *u)
{
    for (Py_ssize_t i = 0; i < u->owned; i++) {
        Py_DECREF(u->args[i]);
    }
    if (u->args && u->args != u->small + 1) {
        PyMem_Free(u->args - 1);
    }
    Py_XDECREF(u->kwnames);
}

static int unpacked_room(struct unpacked *u, Py_ssize_t count)
{
    u->owned = 0;
    u->kwnames = NULL;
    u->args = u->small + 1;
    if (count < (Py_ssize_t)Py_ARRAY_LENGTH(u->small)) {
        return 0;
    }
    PyObject **block = (size_t)count < PY_SSIZE_T_MAX / sizeof(PyObject *) - 1
                           ? PyMem_Malloc(((size_t)count + 1) * sizeof(PyObject *))
                           : NULL;
    u->args = block ? block + 1 : NULL;
    if (!block) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

/* Copies the arguments; every one becomes a reference of ours, since the dict may change while
 * it is in use. 0, or -1 with an exception. */
static int unpack_keywords(struct unpacked *u, PyObject *const *args, Py_ssize_t nargs,
                           PyObject *dict)
{
    Py_ssize_t nkw = PyDict_GET_SIZE(dict);
    if (unpacked_room(u, nargs + nkw) < 0) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < nargs; i++) {
        u->args[u->owned++] = Py_NewRef(args[i]);
    }
    u->kwnames = PyTuple_New(nkw);
    if (!u->kwnames) {
        goto fail;
    }
    bool all_str = true;
    Py_ssize_t filled = 0;
    Py_BEGIN_CRITICAL_SECTION(dict);
    Py_ssize_t position = 0;
    PyObject *key, *value;
    while (filled < nkw && PyDict_Next(dict, &position, &key, &value)) {
        all_str &= PyUnicode_Check(key) != 0;
        PyTuple_SET_ITEM(u->kwnames, filled++, Py_NewRef(key));
        u->args[u->owned++] = Py_NewRef(value);
    }
    Py_END_CRITICAL_SECTION();
    if (filled < nkw && _PyTuple_Resize(&u->kwnames, filled) < 0) {
        goto fail;
    }
    if (!all_str) {
        PyErr_SetString(PyExc_TypeError, "keywords must be strings");
        goto fail;
    }
    return 0;
fail:
    unpacked_free(u);
    return -1;
}

static PyObject *vectorcall_dict(vectorcallfunc function, PyThreadState *ts, PyObject *callable,
                                 PyObject *const *args, size_t nargsf, PyObject *dict)
{
    PyObject *result;
    Py_ssize_t nargs = _PyVectorcall_NARGS(nargsf);
    if (!dict || PyDict_GET_SIZE(dict) == 0) {
        result = function(callable, args, nargsf, NULL);
    } else {
        struct unpacked u;
        if (unpack_keywords(&u, args, nargs, dict) < 0) {
            return NULL;
        }
        result =
            function(callable, u.args, (size_t)nargs | PY_VECTORCALL_ARGUMENTS_OFFSET, u.kwnames);
        unpacked_free(&u);
    }
    return _Py_CheckFunctionResult(ts, callable, result, NULL);
}

PyObject *PyObject_VectorcallDict(PyObject *callable, PyObject *const *args, size_t nargsf,
                                  PyObject *dict)
{
    PyThreadState *ts = &thread_self()->ts;
    vectorcallfunc function = PyVectorcall_Function(callable);
    if (function) {
        return vectorcall_dict(function, ts, callable, args, nargsf, dict);
    }
    return _PyObject_MakeTpCall(ts, callable, args, _PyVectorcall_NARGS(nargsf), dict);
}

/* tp_call of types that have a vectorcall function. */
PyObject *PyVectorcall_Call(PyObject *callable, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t offset = Py_TYPE(callable)->tp_vectorcall_offset;
    vectorcallfunc function = offset > 0 ? *(vectorcallfunc *)((char *)callable + offset) : NULL;
    if (!function) {
        return raise_for_type("'%.200s' object does not support vectorcall", callable);
    }
    return vectorcall_dict(function, &thread_self()->ts, callable, &PyTuple_GET_ITEM(args, 0),
                           (size_t)PyTuple_GET_SIZE(args), kwargs);
}

PyObject *PyObject_Call(PyObject *callable, PyObject *args, PyObject *kwargs)
{
    PyThreadState *ts = &thread_self()->ts;
    vectorcallfunc function = PyVectorcall_Function(callable);
    if (function) {
        return vectorcall_dict(function, ts, callable, &PyTuple_GET_ITEM(args, 0),
                               (size_t)PyTuple_GET_SIZE(args), kwargs);
    }
    return call_slot(ts, callable, args, kwargs);
}

/* ---- few arguments --------------------------------------------------------------------------- */

PyObject *PyObject_CallNoArgs(PyObject *callable)
{
    PyObject *args[1];
    return vectorcall(&thread_self()->ts, callable, args + 1, PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}

PyObject *PyObject_CallOneArg(PyObject *callable, PyObject *arg)
{
    PyObject *args[2] = {NULL, arg};
    return vectorcall(&thread_self()->ts, callable, args + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET,
                      NULL);
}

PyObject *PyObject_CallObject(PyObject *callable, PyObject *args)
{
    if (!args) {
        return PyObject_CallNoArgs(callable);
    }
    if (!PyTuple_Check(args)) {
        PyErr_SetString(PyExc_TypeError, "argument list must be a tuple");
        return NULL;
    }
    return PyObject_Call(callable, args, NULL);
}

/* Gone from the headers, still called by old binaries. */
PyAPI_FUNC(PyObject *) PyEval_CallObjectWithKeywords(PyObject *, PyObject *, PyObject *);
PyAPI_FUNC(PyObject *) PyEval_CallFunction(PyObject *, const char *, ...);
PyAPI_FUNC(PyObject *) PyEval_CallMethod(PyObject *, const char *, const char *, ...);

PyObject *PyEval_CallObjectWithKeywords(PyObject *callable, PyObject *args, PyObject *kwargs)
{
    if (args && !PyTuple_Check(args)) {
        PyErr_SetString(PyExc_TypeError, "argument list must be a tuple");
        return NULL;
    }
    if (kwargs && !PyDict_Check(kwargs)) {
        PyErr_SetString(PyExc_TypeError, "keyword list must be a dictionary");
        return NULL;
    }
    return args ? PyObject_Call(callable, args, kwargs)
                : PyObject_VectorcallDict(callable, NULL, 0, kwargs);
}

/* ---- methods --------------------------------------------------------------------------------- */

/* args[0] is the object; the others follow. An unbound method gets the whole array. */
PyObject *PyObject_VectorcallMethod(PyObject *name, PyObject *const *args, size_t nargsf,
                                    PyObject *kwnames)
{
    PyObject *method = NULL;
    int unbound = object_get_method(args[0], name, &method);
    if (!method) {
        return NULL;
    }
    PyObject *result;
    PyThreadState *ts = &thread_self()->ts;
    if (unbound) {
        result = vectorcall(ts, method, args, nargsf & ~PY_VECTORCALL_ARGUMENTS_OFFSET, kwnames);
    } else {
        /* The word of the object serves as the callee's scratch. */
        size_t rest = (size_t)_PyVectorcall_NARGS(nargsf) - 1;
        rest |= nargsf & PY_VECTORCALL_ARGUMENTS_OFFSET;
        result = vectorcall(ts, method, args + 1, rest, kwnames);
    }
    Py_DECREF(method);
    return result;
}

/* ---- arguments from a format ----------------------------------------------------------------- */

/* Calls with the values that a format describes; one tuple is taken as the arguments. */
static PyObject *call_format(PyObject *callable, const char *format, va_list va)
{
    if (!callable) {
        return raise_null_argument();
    }
    if (!format || !*format) {
        return PyObject_CallNoArgs(callable);
    }
    PyObject *small[6], **values;
    Py_ssize_t count;
    va_list copy;
    va_copy(copy, va);
    values = build_values(small, Py_ARRAY_LENGTH(small), format, copy, &count);
    va_end(copy);
    if (!values) {
        return NULL;
    }
    PyObject *result;
    if (count == 1 && PyTuple_Check(values[0])) {
        result = PyObject_Vectorcall(callable, &PyTuple_GET_ITEM(values[0], 0),
                                     (size_t)PyTuple_GET_SIZE(values[0]), NULL);
    } else {
        result = PyObject_Vectorcall(callable, values, (size_t)count, NULL);
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_DECREF(values[i]);
    }
    if (values != small) {
        PyMem_Free(values);
    }
    return result;
}

#define CALL_FORMAT(Name)                                                                          \
    PyObject *Name(PyObject *callable, const char *format, ...)                                    \
    {                                                                                              \
        va_list va;                                                                                \
        va_start(va, format);                                                                      \
        PyObject *result = call_format(callable, format, va);                                      \
        va_end(va);                                                                                \
        return result;                                                                             \
    }

CALL_FORMAT(PyObject_CallFunction)
CALL_FORMAT(PyEval_CallFunction)
CALL_FORMAT(_PyObject_CallFunction_SizeT)

/* `method` is stolen and may be NULL (then with an exception). */
static PyObject *call_method_format(PyObject *method, const char *format, va_list va)
{
    if (!method) {
        return NULL;
    }
    PyObject *result = NULL;
    if (PyCallable_Check(method)) {
        result = call_format(method, format, va);
    } else {
        raise_for_type("attribute of type '%.200s' is not callable", method);
    }
    Py_DECREF(method);
    return result;
}

#define CALL_METHOD(Name, name_type, get)                                                          \
    PyObject *Name(PyObject *op, name_type name, const char *format, ...)                          \
    {                                                                                              \
        if (!op || !name) {                                                                        \
            return raise_null_argument();                                                          \
        }                                                                                          \
        va_list va;                                                                                \
        va_start(va, format);                                                                      \
        PyObject *result = call_method_format(get(op, name), format, va);                          \
        va_end(va);                                                                                \
        return result;                                                                             \
    }

static PyObject *get_attr_id(PyObject *op, _Py_Identifier *id)
{
    PyObject *name = _PyUnicode_FromId(id);
    return name ? PyObject_GetAttr(op, name) : NULL;
}

CALL_METHOD(PyObject_CallMethod, const char *, PyObject_GetAttrString)
CALL_METHOD(PyEval_CallMethod, const char *, PyObject_GetAttrString)
CALL_METHOD(_PyObject_CallMethod_SizeT, const char *, PyObject_GetAttrString)
CALL_METHOD(_PyObject_CallMethod, PyObject *, PyObject_GetAttr)
CALL_METHOD(_PyObject_CallMethodId, _Py_Identifier *, get_attr_id)

/* ---- arguments up to a NULL ------------------------------------------------------------------ */

/* Calls with `first`, if not NULL, and the objects of va up to the NULL. */
static PyObject *call_list(PyObject *callable, PyObject *first, va_list va)
{
    PyObject *small[9], **args = small + 1;
    va_list copy;
    va_copy(copy, va);
    Py_ssize_t count = first != NULL;
    while (va_arg(copy, PyObject *)) {
        count++;
    }
    va_end(copy);
    if (count >= (Py_ssize_t)Py_ARRAY_LENGTH(small)) {
        args = PyMem_Malloc(((size_t)count + 1) * sizeof(PyObject *));
        if (!args) {
            return PyErr_NoMemory();
        }
        args++;
    }
    Py_ssize_t filled = 0;
    if (first) {
        args[filled++] = first;
    }
    while (filled < count) {
        args[filled++] = va_arg(va, PyObject *);
    }
    PyObject *result =
        PyObject_Vectorcall(callable, args, (size_t)count | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    if (args != small + 1) {
        PyMem_Free(args - 1);
    }
    return result;
}

PyObject *PyObject_CallFunctionObjArgs(PyObject *callable, ...)
{
    if (!callable) {
        return raise_null_argument();
    }
    va_list va;
    va_start(va, callable);
    PyObject *result = call_list(callable, NULL, va);
    va_end(va);
    return result;
}

PyObject *PyObject_CallMethodObjArgs(PyObject *op, PyObject *name, ...)
{
    if (!op || !name) {
        return raise_null_argument();
    }
    PyObject *method = NULL;
    int unbound = object_get_method(op, name, &method);
    if (!method) {
        return NULL;
    }
    va_list va;
    va_start(va, name);
    PyObject *result = call_list(method, unbound ? op : NULL, va);
    va_end(va);
    Py_DECREF(method);
    return result;
}
