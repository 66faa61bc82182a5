/* BaseException: arguments, notes, traceback, context and cause; and the PyException_* functions. */

#include "objects/birth.h"
#include "objects/exceptions/exceptions.h"
#include "objects/gc/gc.h"
#include "objects/tuple.h"
#include "objects/type.h"

#include "base_exception.bind.h"

static inline PyBaseExceptionObject *base_of(PyObject *op)
{
    return (PyBaseExceptionObject *)op;
}

/* ---- birth and death ------------------------------------------------------------------------- */

PyObject *exception_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *self = type->tp_alloc(type, 0);
    if (self != NULL) {
        base_of(self)->args = args == NULL ? PyTuple_New(0) : Py_NewRef(args);
    }
    return self;
}

int exception_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) != 0) {
        return raise_type("%s() takes no keyword arguments", Py_TYPE(self)->tp_name);
    }
    Py_XSETREF(base_of(self)->args, Py_NewRef(args));
    return 0;
}

PyObject *exception_make(PyTypeObject *type, PyObject *args)
{
    PyObject *self;
    if (unlikely(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
        self = type->tp_alloc(type, 0);
    } else {
        self = birth_of_container(type, (size_t)type->tp_basicsize);
        if (self != NULL) {
            memset((char *)self + sizeof(PyObject), 0,
                   (size_t)type->tp_basicsize - sizeof(PyObject));
            gc_track_new(self);
        }
    }
    if (unlikely(self == NULL)) {
        Py_DECREF(args);
        return NULL;
    }
    base_of(self)->args = args;
    return self;
}

PyObject *exception_vectorcall(PyObject *self, PyObject *const *args, size_t nargsf,
                               PyObject *kwnames)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (!exception_is_plain(type) || kwnames != NULL) {
        return type_vectorcall(self, args, nargsf, kwnames);
    }
    PyObject *tuple = tuple_from_array(args, PyVectorcall_NARGS(nargsf));
    return tuple == NULL ? NULL : exception_make(type, tuple);
}

int exception_set_args(PyObject *self, PyObject *const *items, Py_ssize_t count)
{
    PyObject *args = base_of(self)->args;
    if (args != NULL && PyTuple_GET_SIZE(args) == count) {
        Py_ssize_t i = 0;
        while (i < count && PyTuple_GET_ITEM(args, i) == items[i]) {
            i++;
        }
        if (i == count) {
            return 0;
        }
    }
    PyObject *tuple = tuple_from_array(items, count);
    if (tuple == NULL) {
        return -1;
    }
    Py_XSETREF(base_of(self)->args, tuple);
    return 0;
}

/* The types' own fields are all objects, between the common part and the end of the struct; those
 * that hold something else have their own functions. */
int exception_clear(PyObject *self)
{
    PyBaseExceptionObject *exception = base_of(self);
    Py_CLEAR(exception->dict);
    Py_CLEAR(exception->args);
    Py_CLEAR(exception->notes);
    Py_CLEAR(exception->traceback);
    Py_CLEAR(exception->context);
    Py_CLEAR(exception->cause);
    return 0;
}

int exception_traverse(PyObject *self, visitproc visit, void *arg)
{
    PyBaseExceptionObject *exception = base_of(self);
    Py_VISIT(exception->dict);
    Py_VISIT(exception->args);
    Py_VISIT(exception->notes);
    Py_VISIT(exception->traceback);
    Py_VISIT(exception->context);
    Py_VISIT(exception->cause);
    return 0;
}

void exception_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (likely(!(type->tp_flags & Py_TPFLAGS_HEAPTYPE) && type->tp_free == PyObject_GC_Del)) {
        gc_untrack_dead(self);
        type->tp_clear(self);
        death_of_container(self, (size_t)type->tp_basicsize);
        return;
    }
    gc_untrack(self);
    type->tp_clear(self);
    type->tp_free(self);
}

/* ---- text ------------------------------------------------------------------------------------ */

PyObject *exception_str(PyObject *self)
{
    PyObject *args = base_of(self)->args;
    switch (PyTuple_GET_SIZE(args)) {
    case 0:
        return PyUnicode_FromStringAndSize(NULL, 0);
    case 1:
        return PyObject_Str(PyTuple_GET_ITEM(args, 0));
    default:
        return PyObject_Str(args);
    }
}

static PyObject *exception_repr(PyObject *self)
{
    const char *name = _PyType_Name(Py_TYPE(self));
    PyObject *args = base_of(self)->args;
    if (PyTuple_GET_SIZE(args) == 1) {
        return PyUnicode_FromFormat("%s(%R)", name, PyTuple_GET_ITEM(args, 0));
    }
    return PyUnicode_FromFormat("%s%R", name, args);
}

/* ---- methods --------------------------------------------------------------------------------- */

static PyObject *base_exception_reduce(PyBaseExceptionObject *self)
{
    if (self->args != NULL && self->dict != NULL) {
        return PyTuple_Pack(3, Py_TYPE(self), self->args, self->dict);
    }
    return PyTuple_Pack(2, Py_TYPE(self), self->args);
}

static PyObject *base_exception_setstate(PyBaseExceptionObject *self, PyObject *state)
{
    if (state == Py_None) {
        Py_RETURN_NONE;
    }
    if (!PyDict_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "state is not a dictionary");
        return NULL;
    }
    /* Setting attributes may run code that changes the dict. */
    PyObject *items = PyDict_Items(state);
    for (Py_ssize_t i = 0; items != NULL && i < PyList_GET_SIZE(items); i++) {
        PyObject *pair = PyList_GET_ITEM(items, i);
        if (PyObject_SetAttr((PyObject *)self, PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1))
            < 0) {
            Py_CLEAR(items);
        }
    }
    if (items == NULL) {
        return NULL;
    }
    Py_DECREF(items);
    Py_RETURN_NONE;
}

static PyObject *base_exception_with_traceback(PyBaseExceptionObject *self, PyObject *tb)
{
    if (PyException_SetTraceback((PyObject *)self, tb) < 0) {
        return NULL;
    }
    return Py_NewRef(self);
}

static int base_exception_add_note(PyBaseExceptionObject *self, PyObject *note)
{
    PyObject *notes;
    if (PyObject_GetOptionalAttr((PyObject *)self, ID(__notes__), &notes) < 0) {
        return -1;
    }
    if (notes == NULL) {
        notes = PyList_New(0);
        if (notes == NULL || PyObject_SetAttr((PyObject *)self, ID(__notes__), notes) < 0) {
            Py_XDECREF(notes);
            return -1;
        }
    } else if (!PyList_Check(notes)) {
        Py_DECREF(notes);
        return raise_type("Cannot add note: __notes__ is not a list");
    }
    int result = PyList_Append(notes, note);
    Py_DECREF(notes);
    return result;
}

static PyObject *base_exception_get_args(PyBaseExceptionObject *self)
{
    return Py_NewRef(self->args == NULL ? Py_None : self->args);
}

static PyObject *base_exception_get_dict(PyBaseExceptionObject *self)
{
    return PyObject_GenericGetDict((PyObject *)self, NULL);
}

static int base_exception_set_dict(PyBaseExceptionObject *self, PyObject *value)
{
    return PyObject_GenericSetDict((PyObject *)self, value, NULL);
}

static int base_exception_set_args(PyBaseExceptionObject *self, PyObject *value)
{
    if (value == NULL) {
        return raise_type("args may not be deleted");
    }
    PyObject *args = PySequence_Tuple(value);
    if (args == NULL) {
        return -1;
    }
    Py_XSETREF(self->args, args);
    return 0;
}

static PyObject *base_exception_get_traceback(PyBaseExceptionObject *self)
{
    return Py_NewRef(self->traceback == NULL ? Py_None : self->traceback);
}

static int base_exception_set_traceback(PyBaseExceptionObject *self, PyObject *value)
{
    if (value == NULL) {
        return raise_type("__traceback__ may not be deleted");
    }
    return PyException_SetTraceback((PyObject *)self, value);
}

static PyObject *base_exception_get_context(PyBaseExceptionObject *self)
{
    return Py_NewRef(self->context == NULL ? Py_None : self->context);
}

static PyObject *base_exception_get_cause(PyBaseExceptionObject *self)
{
    return Py_NewRef(self->cause == NULL ? Py_None : self->cause);
}

/* Checks a new context or cause: *value becomes a new reference, or NULL for None. */
static int check_related(PyObject **value, const char *name, const char *kind)
{
    if (*value == NULL) {
        return raise_type("%s may not be deleted", name);
    }
    if (*value == Py_None) {
        *value = NULL;
        return 0;
    }
    if (!PyExceptionInstance_Check(*value)) {
        return raise_type("exception %s must be None or derive from BaseException", kind);
    }
    Py_INCREF(*value);
    return 0;
}

static int base_exception_set_context(PyBaseExceptionObject *self, PyObject *value)
{
    if (check_related(&value, "__context__", "context") < 0) {
        return -1;
    }
    PyException_SetContext((PyObject *)self, value);
    return 0;
}

static int base_exception_set_cause(PyBaseExceptionObject *self, PyObject *value)
{
    if (check_related(&value, "__cause__", "cause") < 0) {
        return -1;
    }
    PyException_SetCause((PyObject *)self, value);
    return 0;
}

static PyMemberDef members[] = {
    {"__suppress_context__", Py_T_BOOL, offsetof(PyBaseExceptionObject, suppress_context), 0, NULL},
    {NULL},
};

PyTypeObject exception_BaseException = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "BaseException",
    .tp_basicsize = sizeof(PyBaseExceptionObject),
    .tp_dealloc = exception_dealloc,
    .tp_repr = exception_repr,
    .tp_str = exception_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC
                | Py_TPFLAGS_BASE_EXC_SUBCLASS,
    .tp_doc = base_exception_doc,
    .tp_traverse = exception_traverse,
    .tp_clear = exception_clear,
    .tp_methods = base_exception_methods,
    .tp_members = members,
    .tp_getset = base_exception_getset,
    .tp_dictoffset = offsetof(PyBaseExceptionObject, dict),
    .tp_init = exception_init,
    .tp_new = exception_new,
};
PyObject *PyExc_BaseException = (PyObject *)&exception_BaseException;

/* ---- C API ----------------------------------------------------------------------------------- */

PyObject *PyException_GetTraceback(PyObject *self)
{
    return Py_XNewRef(base_of(self)->traceback);
}

int PyException_SetTraceback(PyObject *self, PyObject *traceback)
{
    if (traceback != NULL && traceback != Py_None && !PyTraceBack_Check(traceback)) {
        return raise_type("__traceback__ must be a traceback or None");
    }
    Py_XSETREF(base_of(self)->traceback, Py_XNewRef(traceback == Py_None ? NULL : traceback));
    return 0;
}

PyObject *PyException_GetCause(PyObject *self)
{
    return Py_XNewRef(base_of(self)->cause);
}

void PyException_SetCause(PyObject *self, PyObject *cause)
{
    base_of(self)->suppress_context = 1;
    Py_XSETREF(base_of(self)->cause, cause);
}

PyObject *PyException_GetContext(PyObject *self)
{
    return Py_XNewRef(base_of(self)->context);
}

void PyException_SetContext(PyObject *self, PyObject *context)
{
    Py_XSETREF(base_of(self)->context, context);
}

PyObject *PyException_GetArgs(PyObject *self)
{
    return Py_NewRef(base_of(self)->args);
}

void PyException_SetArgs(PyObject *self, PyObject *args)
{
    Py_INCREF(args);
    Py_XSETREF(base_of(self)->args, args);
}

const char *PyExceptionClass_Name(PyObject *type)
{
    return ((PyTypeObject *)type)->tp_name;
}
