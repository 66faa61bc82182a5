/* BaseExceptionGroup and ExceptionGroup (PEP 654). */

#include "objects/exceptions/exceptions.h"

#include "exception_group.bind.h"

#define GROUP(op) ((PyBaseExceptionGroupObject *)(op))

/* ---- making ------------------------------------------------------------------------------------ */

static int check_members(PyTypeObject *type, PyObject *excs, bool *all_exceptions)
{
    Py_ssize_t count = PyTuple_GET_SIZE(excs);
    if (count == 0) {
        return raise_value("second argument (exceptions) must be a non-empty sequence");
    }
    *all_exceptions = true;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *exc = PyTuple_GET_ITEM(excs, i);
        if (!PyExceptionInstance_Check(exc)) {
            return raise_value("Item %zd of second argument (exceptions) is not an exception", i);
        }
        if (!PyObject_TypeCheck(exc, &exception_Exception)) {
            *all_exceptions = false;
        }
    }
    return 0;
}

/* The class of the new group: BaseExceptionGroup becomes ExceptionGroup when it can. NULL: refused. */
static PyTypeObject *choose_class(PyTypeObject *type, bool all_exceptions)
{
    PyTypeObject *group = (PyTypeObject *)exception_group_type();
    if (group == NULL) {
        return NULL;
    }
    if (type == &exception_BaseExceptionGroup) {
        return all_exceptions ? group : type;
    }
    if (type == group && !all_exceptions) {
        PyErr_SetString(PyExc_TypeError, "Cannot nest BaseExceptions in an ExceptionGroup");
        return NULL;
    }
    if (type != group && !all_exceptions && PyType_IsSubtype(type, &exception_Exception)) {
        PyErr_Format(PyExc_TypeError, "Cannot nest BaseExceptions in '%.200s'", type->tp_name);
        return NULL;
    }
    return type;
}

static PyObject *group_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *message, *sequence;
    if (!PyArg_ParseTuple(args, "UO:BaseExceptionGroup.__new__", &message, &sequence)) {
        return NULL;
    }
    if (!PySequence_Check(sequence)) {
        PyErr_SetString(PyExc_TypeError, "second argument (exceptions) must be a sequence");
        return NULL;
    }
    PyObject *excs = PySequence_Tuple(sequence);
    bool all_exceptions = false;
    if (excs == NULL || check_members(type, excs, &all_exceptions) < 0
        || (type = choose_class(type, all_exceptions)) == NULL) {
        Py_XDECREF(excs);
        return NULL;
    }
    PyObject *self = exception_new(type, args, kwargs);
    if (self == NULL) {
        Py_DECREF(excs);
        return NULL;
    }
    GROUP(self)->msg = Py_NewRef(message);
    GROUP(self)->excs = excs;
    return self;
}

static int group_clear(PyObject *self)
{
    Py_CLEAR(GROUP(self)->msg);
    Py_CLEAR(GROUP(self)->excs);
    return exception_clear(self);
}

static int group_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(GROUP(self)->msg);
    Py_VISIT(GROUP(self)->excs);
    return exception_traverse(self, visit, arg);
}

static PyObject *group_str(PyObject *self)
{
    Py_ssize_t count = PyTuple_GET_SIZE(GROUP(self)->excs);
    return PyUnicode_FromFormat("%S (%zd sub-exception%s)", GROUP(self)->msg, count,
                                count > 1 ? "s" : "");
}

static PyObject *exception_group_class_getitem(PyTypeObject *type, PyObject *item)
{
    return Py_GenericAlias((PyObject *)type, item);
}

static PyObject *exception_group_derive(PyBaseExceptionGroupObject *self, PyObject *excs)
{
    PyObject *args[] = {self->msg, excs};
    return PyObject_Vectorcall(PyExc_BaseExceptionGroup, args, 2, NULL);
}

/* ---- splitting ---------------------------------------------------------------------------------- */

/* A group of `excs` (borrowed list) like `self`: derived by its own method, with its metadata. NULL with
 * an exception; None for an empty list (new reference). */
static PyObject *group_like(PyObject *self, PyObject *excs)
{
    if (PyList_GET_SIZE(excs) == 0) {
        return Py_NewRef(Py_None);
    }
    PyObject *group = PyObject_CallMethodOneArg(self, ID(derive), excs);
    if (group == NULL) {
        return NULL;
    }
    if (!PyObject_TypeCheck(group, &exception_BaseExceptionGroup)) {
        PyErr_SetString(PyExc_TypeError, "derive must return an instance of BaseExceptionGroup");
        Py_DECREF(group);
        return NULL;
    }
    PyObject *traceback = PyException_GetTraceback(self);
    int failed = traceback != NULL && PyException_SetTraceback(group, traceback) < 0;
    Py_XDECREF(traceback);
    PyException_SetContext(group, PyException_GetContext(self));
    PyException_SetCause(group, PyException_GetCause(self));
    PyObject *notes = NULL;
    if (failed || PyObject_GetOptionalAttr(self, ID(__notes__), &notes) < 0) {
        Py_DECREF(group);
        return NULL;
    }
    if (notes != NULL && PySequence_Check(notes)) {
        PyObject *copy = PySequence_List(notes);
        if (copy == NULL || PyObject_SetAttr(group, ID(__notes__), copy) < 0) {
            Py_CLEAR(group);
        }
        Py_XDECREF(copy);
    }
    Py_XDECREF(notes);
    return group;
}

enum matcher_kind { BY_TYPE, BY_PREDICATE, BY_INSTANCES };

struct matcher {
    enum matcher_kind kind;
    PyObject *value; /* borrowed */
};

static bool is_exception_type_or_tuple(PyObject *value)
{
    if (PyExceptionClass_Check(value)) {
        return true;
    }
    if (!PyTuple_CheckExact(value)) {
        return false;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(value); i++) {
        if (!PyExceptionClass_Check(PyTuple_GET_ITEM(value, i))) {
            return false;
        }
    }
    return true;
}

static int matcher_init(struct matcher *matcher, PyObject *value)
{
    matcher->value = value;
    if (PyCallable_Check(value) && !PyType_Check(value)) {
        matcher->kind = BY_PREDICATE;
        return 0;
    }
    if (is_exception_type_or_tuple(value)) {
        matcher->kind = BY_TYPE;
        return 0;
    }
    return raise_type("expected an exception type, a tuple of exception types, "
                      "or a callable (other than a class)");
}

static int matches(const struct matcher *matcher, PyObject *exc)
{
    switch (matcher->kind) {
    case BY_TYPE:
        return PyErr_GivenExceptionMatches(exc, matcher->value);
    case BY_PREDICATE: {
        PyObject *result = PyObject_CallOneArg(matcher->value, exc);
        if (result == NULL) {
            return -1;
        }
        int truth = PyObject_IsTrue(result);
        Py_DECREF(result);
        return truth;
    }
    case BY_INSTANCES: {
        if (PyObject_TypeCheck(exc, &exception_BaseExceptionGroup)) {
            return 0;
        }
        PyObject *id = PyLong_FromVoidPtr(exc);
        int known = id == NULL ? -1 : PySet_Contains(matcher->value, id);
        Py_XDECREF(id);
        return known;
    }
    }
    Py_UNREACHABLE();
}

/* What matches and, if asked for, what does not: new references, None where there is nothing. */
struct parts {
    PyObject *match, *rest;
};

static int split(PyObject *exc, const struct matcher *matcher, bool want_rest, struct parts *parts);

static int split_members(PyObject *exc, const struct matcher *matcher, bool want_rest,
                         struct parts *parts)
{
    PyObject *matched = PyList_New(0), *rest = PyList_New(0);
    int result = matched == NULL || rest == NULL ? -1 : 0;
    PyObject *excs = Py_NewRef(GROUP(exc)->excs);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(excs) && result == 0; i++) {
        struct parts each;
        result = split(PyTuple_GET_ITEM(excs, i), matcher, want_rest, &each);
        if (result < 0) {
            break;
        }
        if (each.match != Py_None) {
            result = PyList_Append(matched, each.match);
        }
        if (result == 0 && each.rest != Py_None) {
            result = PyList_Append(rest, each.rest);
        }
        Py_DECREF(each.match);
        Py_DECREF(each.rest);
    }
    parts->match = result < 0 ? NULL : group_like(exc, matched);
    parts->rest = parts->match == NULL ? NULL : group_like(exc, rest);
    if (parts->rest == NULL) {
        Py_CLEAR(parts->match);
        result = -1;
    }
    Py_XDECREF(matched);
    Py_XDECREF(rest);
    Py_DECREF(excs);
    return result;
}

static int split(PyObject *exc, const struct matcher *matcher, bool want_rest, struct parts *parts)
{
    int whole = matches(matcher, exc);
    if (whole < 0) {
        return -1;
    }
    if (whole) {
        *parts = (struct parts){Py_NewRef(exc), Py_NewRef(Py_None)};
        return 0;
    }
    if (!PyObject_TypeCheck(exc, &exception_BaseExceptionGroup)) {
        *parts = (struct parts){Py_NewRef(Py_None), Py_NewRef(want_rest ? exc : Py_None)};
        return 0;
    }
    if (Py_EnterRecursiveCall(" in exceptiongroup_split_recursive")) {
        return -1;
    }
    int result = split_members(exc, matcher, want_rest, parts);
    Py_LeaveRecursiveCall();
    return result;
}

static PyObject *exception_group_split(PyBaseExceptionGroupObject *self, PyObject *value)
{
    struct matcher matcher;
    struct parts parts;
    if (matcher_init(&matcher, value) < 0 || split((PyObject *)self, &matcher, true, &parts) < 0) {
        return NULL;
    }
    PyObject *result = PyTuple_Pack(2, parts.match, parts.rest);
    Py_DECREF(parts.match);
    Py_DECREF(parts.rest);
    return result;
}

static PyObject *exception_group_subgroup(PyBaseExceptionGroupObject *self, PyObject *value)
{
    struct matcher matcher;
    struct parts parts;
    if (matcher_init(&matcher, value) < 0 || split((PyObject *)self, &matcher, false, &parts) < 0) {
        return NULL;
    }
    Py_DECREF(parts.rest);
    return parts.match;
}

/* ---- except* -------------------------------------------------------------------------------------- */

/* Ids of all leaves of `exc` into the set `ids`. */
static int collect_leaves(PyObject *exc, PyObject *ids)
{
    if (exc == Py_None) {
        return 0;
    }
    if (!PyObject_TypeCheck(exc, &exception_BaseExceptionGroup)) {
        PyObject *id = PyLong_FromVoidPtr(exc);
        int result = id == NULL ? -1 : PySet_Add(ids, id);
        Py_XDECREF(id);
        return result;
    }
    if (Py_EnterRecursiveCall(" in collect_exception_group_leaf_ids")) {
        return -1;
    }
    int result = 0;
    PyObject *excs = GROUP(exc)->excs;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(excs) && result == 0; i++) {
        result = collect_leaves(PyTuple_GET_ITEM(excs, i), ids);
    }
    Py_LeaveRecursiveCall();
    return result;
}

/* The part of `original` that was re-raised unchanged, with its structure (new reference, or None). */
static PyObject *reraised_part(PyObject *original, PyObject *reraised)
{
    PyObject *ids = PySet_New(NULL);
    if (ids == NULL) {
        return NULL;
    }
    struct parts parts = {NULL, NULL};
    int result = 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(reraised) && result == 0; i++) {
        result = collect_leaves(PyList_GET_ITEM(reraised, i), ids);
    }
    struct matcher matcher = {BY_INSTANCES, ids};
    if (result == 0) {
        result = split(original, &matcher, false, &parts);
    }
    Py_DECREF(ids);
    if (result < 0) {
        return NULL;
    }
    Py_DECREF(parts.rest);
    return parts.match;
}

/* Does `exc` share traceback, context, cause and notes with `original`, that is, was it split off? */
static bool is_same_metadata(PyObject *exc, PyObject *original)
{
    PyBaseExceptionObject *a = (PyBaseExceptionObject *)exc;
    PyBaseExceptionObject *b = (PyBaseExceptionObject *)original;
    return a->notes == b->notes && a->traceback == b->traceback && a->context == b->context
           && a->cause == b->cause;
}

static PyObject *group_of(PyObject *excs)
{
    PyObject *message = PyUnicode_FromStringAndSize(NULL, 0);
    if (message == NULL) {
        return NULL;
    }
    PyObject *args[] = {message, excs};
    PyObject *group = PyObject_Vectorcall(PyExc_BaseExceptionGroup, args, 2, NULL);
    Py_DECREF(message);
    return group;
}

/* Sorts the results of the except* clauses into raised and re-raised exceptions. */
static int sort_results(PyObject *original, PyObject *results, PyObject *raised, PyObject *reraised)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(results); i++) {
        PyObject *exc = PyList_GET_ITEM(results, i);
        if (exc == Py_None) {
            continue;
        }
        PyObject *list = is_same_metadata(exc, original) ? reraised : raised;
        if (PyList_Append(list, exc) < 0) {
            return -1;
        }
    }
    return 0;
}

PyObject *_PyExc_PrepReraiseStar(PyObject *original, PyObject *results)
{
    Py_ssize_t count = PyList_GET_SIZE(results);
    if (count == 0) {
        return Py_NewRef(Py_None);
    }
    if (!PyObject_TypeCheck(original, &exception_BaseExceptionGroup)) {
        /* A naked exception was caught and wrapped: there is at most one thing to raise. */
        return Py_NewRef(PyList_GET_ITEM(results, 0));
    }
    PyObject *raised = PyList_New(0), *reraised = PyList_New(0), *result = NULL;
    if (raised != NULL && reraised != NULL
        && sort_results(original, results, raised, reraised) == 0) {
        PyObject *part = reraised_part(original, reraised);
        if (part != NULL && PyList_GET_SIZE(raised) == 0) {
            result = Py_NewRef(part);
        } else if (part != NULL && (part == Py_None || PyList_Append(raised, part) == 0)) {
            result = PyList_GET_SIZE(raised) == 1 ? Py_NewRef(PyList_GET_ITEM(raised, 0))
                                                  : group_of(raised);
        }
        Py_XDECREF(part);
    }
    Py_XDECREF(raised);
    Py_XDECREF(reraised);
    return result;
}

PyObject *PyUnstable_Exc_PrepReraiseStar(PyObject *original, PyObject *results)
{
    if (original == NULL || !PyExceptionInstance_Check(original)) {
        PyErr_SetString(PyExc_TypeError, "orig must be an exception");
        return NULL;
    }
    if (results == NULL || !PyList_Check(results)) {
        PyErr_SetString(PyExc_TypeError, "excs must be a list of exceptions");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(results); i++) {
        PyObject *exc = PyList_GET_ITEM(results, i);
        if (exc == NULL || !(PyExceptionInstance_Check(exc) || Py_IsNone(exc))) {
            PyErr_Format(PyExc_TypeError, "item %zd in excs is not an exception", i);
            return NULL;
        }
    }
    /* Only what was raised has a traceback, and only that can be raised again. */
    if (((PyBaseExceptionObject *)original)->traceback == NULL) {
        PyErr_SetString(PyExc_ValueError, "orig must be a raised exception");
        return NULL;
    }
    return _PyExc_PrepReraiseStar(original, results);
}

/* ---- the types ------------------------------------------------------------------------------------- */

static PyMemberDef group_members[] = {
    {"message", _Py_T_OBJECT, offsetof(PyBaseExceptionGroupObject, msg), Py_READONLY,
     PyDoc_STR("what the group is about")},
    {"exceptions", _Py_T_OBJECT, offsetof(PyBaseExceptionGroupObject, excs), Py_READONLY,
     PyDoc_STR("the exceptions in it")},
    {NULL},
};

EXCEPTION_TYPE(BaseExceptionGroup, BaseException, PyBaseExceptionGroupObject, exception_group_doc,
               .tp_new = group_new, .tp_str = group_str, .tp_clear = group_clear,
               .tp_traverse = group_traverse, .tp_members = group_members,
               .tp_methods = exception_group_methods);

/* ExceptionGroup has two bases, so it is a heap type. One per process: made once, when the first interpreter has its types. */
static PyObject *exception_group;

PyObject *exception_group_type(void)
{
    PyObject *class = __atomic_load_n(&exception_group, __ATOMIC_ACQUIRE);
    if (class != NULL) {
        return class;
    }
    PyObject *bases = PyTuple_Pack(2, PyExc_BaseExceptionGroup, PyExc_Exception);
    class = bases == NULL ? NULL : PyErr_NewException("builtins.ExceptionGroup", bases, NULL);
    Py_XDECREF(bases);
    if (class == NULL) {
        return NULL;
    }
    PyObject *expected = NULL;
    if (!__atomic_compare_exchange_n(&exception_group, &expected, class, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        Py_DECREF(class);
        return expected;
    }
    object_make_immortal(class);
    return class;
}
