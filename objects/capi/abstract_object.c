/* PyObject_*: size, items, format and class membership of any object. */
#include "objects/type.h"
#include "objects/capi/capi.h"
#include "objects/str.h"

#include <stdarg.h>

/* ---- errors ---------------------------------------------------------------------------------- */

PyObject *raise_null_argument(void)
{
    if (!PyErr_Occurred()) {
        PyErr_SetString(PyExc_SystemError, "null argument to internal routine");
    }
    return NULL;
}

PyObject *raise_for_type(const char *text, PyObject *op)
{
    return PyErr_Format(PyExc_TypeError, text, Py_TYPE(op)->tp_name);
}

int raise_for_type_int(const char *text, PyObject *op)
{
    PyErr_Format(PyExc_TypeError, text, Py_TYPE(op)->tp_name);
    return -1;
}

PyObject *raise_from_cause(PyObject *type, const char *format, ...)
{
    PyObject *cause = PyErr_GetRaisedException();
    va_list va;
    va_start(va, format);
    PyErr_FormatV(type, format, va);
    va_end(va);
    PyObject *raised = PyErr_GetRaisedException();
    PyException_SetCause(raised, Py_NewRef(cause));
    PyException_SetContext(raised, cause);
    PyErr_SetRaisedException(raised);
    return NULL;
}

/* ---- type and size --------------------------------------------------------------------------- */

PyObject *PyObject_Type(PyObject *op)
{
    return op ? Py_NewRef((PyObject *)Py_TYPE(op)) : raise_null_argument();
}

Py_ssize_t PyObject_Size(PyObject *op)
{
    if (!op) {
        raise_null_argument();
        return -1;
    }
    PySequenceMethods *sequence = Py_TYPE(op)->tp_as_sequence;
    return sequence && sequence->sq_length ? sequence->sq_length(op) : PyMapping_Size(op);
}

#undef PyObject_Length
Py_ssize_t PyObject_Length(PyObject *op)
{
    return PyObject_Size(op);
}

static bool has_length(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    return (type->tp_as_sequence && type->tp_as_sequence->sq_length)
           || (type->tp_as_mapping && type->tp_as_mapping->mp_length);
}

/* How many items iteration will probably give: len(), else __length_hint__(), else the default.
 * -1 with an exception. */
Py_ssize_t PyObject_LengthHint(PyObject *op, Py_ssize_t fallback)
{
    if (has_length(op)) {
        Py_ssize_t length = PyObject_Size(op);
        if (length >= 0 || !PyErr_ExceptionMatches(PyExc_TypeError)) {
            return length;
        }
        PyErr_Clear();
    }
    PyObject *method = object_lookup_special(op, ID(__length_hint__));
    if (!method) {
        return PyErr_Occurred() ? -1 : fallback;
    }
    PyObject *hint = PyObject_CallNoArgs(method);
    Py_DECREF(method);
    if (!hint) {
        if (!PyErr_ExceptionMatches(PyExc_TypeError)) {
            return -1;
        }
        PyErr_Clear();
        return fallback;
    }
    Py_ssize_t length = -1;
    if (hint == Py_NotImplemented) {
        length = fallback;
    } else if (!PyLong_Check(hint)) {
        raise_for_type("__length_hint__ must be an integer, not %.100s", hint);
    } else {
        length = PyLong_AsSsize_t(hint);
        if (length < 0 && !PyErr_Occurred()) {
            PyErr_SetString(PyExc_ValueError, "__length_hint__() should return >= 0");
            length = -1;
        }
    }
    Py_DECREF(hint);
    return length;
}

/* ---- items ----------------------------------------------------------------------------------- */

static PyObject *get_by_index(PyObject *op, PyObject *key)
{
    if (!PyIndex_Check(key)) {
        return raise_for_type("sequence index must be integer, not '%.200s'", key);
    }
    Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
    return i == -1 && PyErr_Occurred() ? NULL : PySequence_GetItem(op, i);
}

/* cls[key]: a parametrised class. */
static PyObject *get_class_item(PyObject *cls, PyObject *key)
{
    if (cls == (PyObject *)&PyType_Type) {
        return Py_GenericAlias(cls, key);
    }
    PyObject *method;
    if (PyObject_GetOptionalAttr(cls, ID(__class_getitem__), &method) < 0) {
        return NULL;
    }
    if (method && method != Py_None) {
        PyObject *result = PyObject_CallOneArg(method, key);
        Py_DECREF(method);
        return result;
    }
    Py_XDECREF(method);
    return PyErr_Format(PyExc_TypeError, "type '%.200s' is not subscriptable",
                        ((PyTypeObject *)cls)->tp_name);
}

PyObject *PyObject_GetItem(PyObject *op, PyObject *key)
{
    if (!op || !key) {
        return raise_null_argument();
    }
    PyTypeObject *type = Py_TYPE(op);
    if (type->tp_as_mapping && type->tp_as_mapping->mp_subscript) {
        return type->tp_as_mapping->mp_subscript(op, key);
    }
    if (type->tp_as_sequence && type->tp_as_sequence->sq_item) {
        return get_by_index(op, key);
    }
    if (PyType_Check(op)) {
        return get_class_item(op, key);
    }
    return raise_for_type("'%.200s' object is not subscriptable", op);
}

/* Stores, or deletes if value is NULL. */
static int assign_item(PyObject *op, PyObject *key, PyObject *value, const char *unsupported)
{
    PyTypeObject *type = Py_TYPE(op);
    if (type->tp_as_mapping && type->tp_as_mapping->mp_ass_subscript) {
        return type->tp_as_mapping->mp_ass_subscript(op, key, value);
    }
    if (!type->tp_as_sequence) {
        return raise_for_type_int(unsupported, op);
    }
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) {
            return -1;
        }
        return value ? PySequence_SetItem(op, i, value) : PySequence_DelItem(op, i);
    }
    if (type->tp_as_sequence->sq_ass_item) {
        return raise_for_type_int("sequence index must be integer, not '%.200s'", key);
    }
    return raise_for_type_int(unsupported, op);
}

int PyObject_SetItem(PyObject *op, PyObject *key, PyObject *value)
{
    if (!op || !key || !value) {
        raise_null_argument();
        return -1;
    }
    return assign_item(op, key, value, "'%.200s' object does not support item assignment");
}

int PyObject_DelItem(PyObject *op, PyObject *key)
{
    if (!op || !key) {
        raise_null_argument();
        return -1;
    }
    return assign_item(op, key, NULL, "'%.200s' object does not support item deletion");
}

int PyObject_DelItemString(PyObject *op, const char *key)
{
    if (!op || !key) {
        raise_null_argument();
        return -1;
    }
    PyObject *text = PyUnicode_FromString(key);
    if (!text) {
        return -1;
    }
    int status = PyObject_DelItem(op, text);
    Py_DECREF(text);
    return status;
}

/* ---- format() -------------------------------------------------------------------------------- */

PyObject *PyObject_Format(PyObject *op, PyObject *spec)
{
    if (spec && !PyUnicode_Check(spec)) {
        return PyErr_Format(PyExc_SystemError, "Format specifier must be a string, not %.200s",
                            Py_TYPE(spec)->tp_name);
    }
    if (!spec || PyUnicode_GET_LENGTH(spec) == 0) {
        if (PyUnicode_CheckExact(op)) {
            return Py_NewRef(op);
        }
        if (PyLong_CheckExact(op) || PyFloat_CheckExact(op)) {
            return PyObject_Str(op);
        }
    } else if (PyUnicode_CheckExact(op)) {
        return format_str(op, spec);
    } else if (PyLong_CheckExact(op)) {
        return format_int(op, spec);
    } else if (PyFloat_CheckExact(op)) {
        return format_float(op, spec);
    }
    PyObject *method = object_lookup_special(op, ID(__format__));
    if (!method) {
        return PyErr_Occurred() ? NULL
                                : raise_for_type("Type %.100s doesn't define __format__", op);
    }
    PyObject *empty = spec ? NULL : Py_GetConstant(Py_CONSTANT_EMPTY_STR);
    PyObject *result = PyObject_CallOneArg(method, spec ? spec : empty);
    Py_XDECREF(empty);
    Py_DECREF(method);
    if (result && !PyUnicode_Check(result)) {
        raise_for_type("__format__ must return a str, not %.200s", result);
        Py_CLEAR(result);
    }
    return result;
}

/* ---- isinstance() and issubclass() ----------------------------------------------------------- */

/* An object that has a tuple of bases counts as a class. The tuple as a new reference; NULL,
 * possibly with an exception, if there is none. */
static PyObject *bases_of(PyObject *cls)
{
    PyObject *bases;
    (void)PyObject_GetOptionalAttr(cls, ID(__bases__), &bases);
    if (bases && !PyTuple_Check(bases)) {
        Py_CLEAR(bases);
    }
    return bases;
}

/* Whether the class-like `derived` reaches cls by its bases: 1, 0, or -1 with an exception. */
static int abstract_is_subclass(PyObject *derived, PyObject *cls)
{
    PyObject *bases = NULL;
    int found = 0;
    for (;;) {
        if (derived == cls) {
            found = 1;
            break;
        }
        /* The old bases keep `derived` alive until its own have been fetched. */
        PyObject *next = bases_of(derived);
        Py_XSETREF(bases, next);
        if (!bases) {
            return PyErr_Occurred() ? -1 : 0;
        }
        if (PyTuple_GET_SIZE(bases) != 1) {
            break;
        }
        derived = PyTuple_GET_ITEM(bases, 0);
    }
    if (!found && PyTuple_GET_SIZE(bases) > 0) {
        if (Py_EnterRecursiveCall(" in __issubclass__")) {
            Py_DECREF(bases);
            return -1;
        }
        for (Py_ssize_t i = 0; found == 0 && i < PyTuple_GET_SIZE(bases); i++) {
            found = abstract_is_subclass(PyTuple_GET_ITEM(bases, i), cls);
        }
        Py_LeaveRecursiveCall();
    }
    Py_XDECREF(bases);
    return found;
}

/* 1 if it can serve as a class, else 0 with an exception. */
static int check_class(PyObject *cls, const char *text)
{
    PyObject *bases = bases_of(cls);
    if (bases) {
        Py_DECREF(bases);
        return 1;
    }
    if (!PyErr_Occurred()) {
        PyErr_SetString(PyExc_TypeError, text);
    }
    return 0;
}

/* Whether __class__ says nothing but the type. */
static bool has_plain_class(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    return type->tp_getattro == PyObject_GenericGetAttr
           && type_lookup(type, ID(__class__), NULL)
                  == type_lookup(&PyBaseObject_Type, ID(__class__), NULL);
}

static int plain_is_instance(PyObject *op, PyObject *cls)
{
    bool is_type = PyType_Check(cls);
    if (is_type && PyObject_TypeCheck(op, (PyTypeObject *)cls)) {
        return 1;
    }
    if (is_type && has_plain_class(op)) {
        return 0;
    }
    if (!is_type
        && !check_class(cls, "isinstance() arg 2 must be a type, a tuple of types, or a union")) {
        return -1;
    }
    /* What the object says of itself, which proxies use. */
    PyObject *claimed;
    int result = PyObject_GetOptionalAttr(op, ID(__class__), &claimed);
    if (!claimed) {
        return result;
    }
    if (!is_type) {
        result = abstract_is_subclass(claimed, cls);
    } else {
        result = claimed != (PyObject *)Py_TYPE(op) && PyType_Check(claimed)
                 && PyType_IsSubtype((PyTypeObject *)claimed, (PyTypeObject *)cls);
    }
    Py_DECREF(claimed);
    return result;
}

static int plain_is_subclass(PyObject *derived, PyObject *cls)
{
    if (PyType_Check(cls) && PyType_Check(derived)) {
        return PyType_IsSubtype((PyTypeObject *)derived, (PyTypeObject *)cls);
    }
    if (!check_class(derived, "issubclass() arg 1 must be a class")
        || (!Py_IS_TYPE(cls, &_PyUnion_Type)
            && !check_class(cls, "issubclass() arg 2 must be a class, a tuple of classes, "
                                 "or a union"))) {
        return -1;
    }
    return abstract_is_subclass(derived, cls);
}

/* True if one of the classes in a tuple says so. Tuples in tuples are counted besides the look at the stack, which
 * has room for so many of these small frames that a caller who nests them one by one would wait long. */
static int ask_tuple(PyObject *op, PyObject *classes, int (*ask)(PyObject *, PyObject *),
                     const char *where)
{
    PyThreadState *ts = &thread_self()->ts;
    if (ts->c_recursion_remaining <= 0) {
        PyErr_Format(PyExc_RecursionError, "maximum recursion depth exceeded%s", where);
        return -1;
    }
    if (Py_EnterRecursiveCall(where)) {
        return -1;
    }
    ts->c_recursion_remaining--;
    int result = 0;
    for (Py_ssize_t i = 0; result == 0 && i < PyTuple_GET_SIZE(classes); i++) {
        result = ask(op, PyTuple_GET_ITEM(classes, i));
    }
    ts->c_recursion_remaining++;
    Py_LeaveRecursiveCall();
    return result;
}

/* The same for the members of int | str. */
static int ask_union(PyObject *op, PyObject *cls, int (*ask)(PyObject *, PyObject *),
                     const char *where)
{
    PyObject *members = PyObject_GetAttr(cls, ID(__args__));
    if (!members) {
        return -1;
    }
    int result = ask_tuple(op, members, ask, where);
    Py_DECREF(members);
    return result;
}

/* Calls the hook `name` of the class: 1 or 0; -1 with an exception; 2 if there is no hook. */
static int ask_hook(PyObject *op, PyObject *cls, PyObject *name, const char *where)
{
    PyObject *hook = object_lookup_special(cls, name);
    if (!hook) {
        return PyErr_Occurred() ? -1 : 2;
    }
    PyObject *answer = NULL;
    if (Py_EnterRecursiveCall(where) == 0) {
        answer = PyObject_CallOneArg(hook, op);
        Py_LeaveRecursiveCall();
    }
    Py_DECREF(hook);
    if (!answer) {
        return -1;
    }
    int result = PyObject_IsTrue(answer);
    Py_DECREF(answer);
    return result;
}

int PyObject_IsInstance(PyObject *op, PyObject *cls)
{
    static const char where[] = " in __instancecheck__";
    if (Py_IS_TYPE(op, (PyTypeObject *)cls)) {
        return 1;
    }
    if (PyType_CheckExact(cls)) {
        return plain_is_instance(op, cls);
    }
    if (Py_IS_TYPE(cls, &_PyUnion_Type)) {
        return ask_union(op, cls, PyObject_IsInstance, where);
    }
    if (PyTuple_Check(cls)) {
        return ask_tuple(op, cls, PyObject_IsInstance, where);
    }
    int answer = ask_hook(op, cls, ID(__instancecheck__), where);
    return answer == 2 ? plain_is_instance(op, cls) : answer;
}

int PyObject_IsSubclass(PyObject *derived, PyObject *cls)
{
    static const char where[] = " in __subclasscheck__";
    if (PyType_CheckExact(cls)) {
        return derived == cls ? 1 : plain_is_subclass(derived, cls);
    }
    if (Py_IS_TYPE(cls, &_PyUnion_Type)) {
        return ask_union(derived, cls, PyObject_IsSubclass, where);
    }
    if (PyTuple_Check(cls)) {
        return ask_tuple(derived, cls, PyObject_IsSubclass, where);
    }
    int answer = ask_hook(derived, cls, ID(__subclasscheck__), where);
    return answer == 2 ? plain_is_subclass(derived, cls) : answer;
}

/* What type.__instancecheck__ and type.__subclasscheck__ do. */
PyAPI_FUNC(int) _PyObject_RealIsInstance(PyObject *op, PyObject *cls);
int _PyObject_RealIsInstance(PyObject *op, PyObject *cls)
{
    return plain_is_instance(op, cls);
}

PyAPI_FUNC(int) _PyObject_RealIsSubclass(PyObject *derived, PyObject *cls);
int _PyObject_RealIsSubclass(PyObject *derived, PyObject *cls)
{
    return plain_is_subclass(derived, cls);
}
