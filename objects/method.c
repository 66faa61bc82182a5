/* method: a callable bound to an object; instancemethod: a callable that binds like a function. */
#include "objects/birth.h"
#include "objects/gc/gc.h"
#include "objects/object.h"

#include "locking/refs.h"
#include "objects/error.h"
#include "objects/type.h"
#include "objects/weakref.h"
#include "method.bind.h"

/* ---- method ---------------------------------------------------------------------------------- */

static PyMethodObject *method_of(PyObject *op)
{
    return (PyMethodObject *)op;
}

/* Puts self before the arguments: in the word that the caller leaves free, or in a copy. */
static PyObject *method_vectorcall(PyObject *op, PyObject *const *args, size_t nargsf,
                                   PyObject *kwnames)
{
    PyObject *self = PyMethod_GET_SELF(op), *func = PyMethod_GET_FUNCTION(op), *result;
    size_t count = (size_t)PyVectorcall_NARGS(nargsf);
    if (stack_check(" while calling a Python object") < 0) {
        return NULL;
    }
    if (nargsf & PY_VECTORCALL_ARGUMENTS_OFFSET) {
        PyObject **shifted = (PyObject **)args - 1, *saved = shifted[0];
        shifted[0] = self;
        result = PyObject_Vectorcall(func, shifted, count + 1, kwnames);
        shifted[0] = saved;
        return result;
    }
    size_t total = count + (kwnames == NULL ? 0 : (size_t)PyTuple_GET_SIZE(kwnames));
    if (total == 0) {
        return PyObject_Vectorcall(func, &self, 1, NULL);
    }
    PyObject *small[8], **copy = small;
    if (total + 1 > sizeof(small) / sizeof(small[0])) {
        copy = PyMem_Malloc((total + 1) * sizeof(PyObject *));
        if (copy == NULL) {
            return PyErr_NoMemory();
        }
    }
    copy[0] = self;
    memcpy(copy + 1, args, total * sizeof(PyObject *));
    result = PyObject_Vectorcall(func, copy, count + 1, kwnames);
    if (copy != small) {
        PyMem_Free(copy);
    }
    return result;
}

PyObject *PyMethod_New(PyObject *func, PyObject *self)
{
    if (self == NULL) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PyMethodObject *method =
        (PyMethodObject *)birth_of_container(&PyMethod_Type, sizeof(PyMethodObject));
    if (method == NULL) {
        return NULL;
    }
    method->im_func = Py_NewRef(func);
    method->im_self = Py_NewRef(self);
    method->im_weakreflist = NULL;
    method->vectorcall = method_vectorcall;
    gc_track_new((PyObject *)method);
    return (PyObject *)method;
}

PyObject *PyMethod_Function(PyObject *op)
{
    if (!PyMethod_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return PyMethod_GET_FUNCTION(op);
}

PyObject *PyMethod_Self(PyObject *op)
{
    if (!PyMethod_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return PyMethod_GET_SELF(op);
}

/* What method() and instancemethod() bind can be called; false with TypeError. */
static bool check_function(PyObject *func)
{
    if (!PyCallable_Check(func)) {
        PyErr_SetString(PyExc_TypeError, "first argument must be callable");
        return false;
    }
    return true;
}

static PyObject *bound_method_new(PyTypeObject *Py_UNUSED(type), PyObject *func, PyObject *instance)
{
    if (!check_function(func)) {
        return NULL;
    }
    if (instance == Py_None) {
        PyErr_SetString(PyExc_TypeError, "instance must not be None");
        return NULL;
    }
    return PyMethod_New(func, instance);
}

static void method_dealloc(PyObject *op)
{
    gc_untrack_dead(op);
    if (method_of(op)->im_weakreflist != NULL) {
        weakref_clear_all(op);
    }
    Py_DECREF(method_of(op)->im_func);
    Py_XDECREF(method_of(op)->im_self);
    death_of_container(op, sizeof(PyMethodObject));
}

static int method_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(method_of(op)->im_func);
    Py_VISIT(method_of(op)->im_self);
    return 0;
}

static PyObject *method_repr(PyObject *op)
{
    PyObject *func = PyMethod_GET_FUNCTION(op), *name = NULL;
    if (PyObject_GetOptionalAttr(func, ID(__qualname__), &name) < 0
        || (name == NULL && PyObject_GetOptionalAttr(func, ID(__name__), &name) < 0)) {
        return NULL;
    }
    if (name != NULL && !PyUnicode_Check(name)) {
        Py_CLEAR(name);
    }
    PyObject *text =
        name == NULL ? PyUnicode_FromFormat("<bound method ? of %R>", PyMethod_GET_SELF(op))
                     : PyUnicode_FromFormat("<bound method %U of %R>", name, PyMethod_GET_SELF(op));
    Py_XDECREF(name);
    return text;
}

static Py_hash_t method_hash(PyObject *op)
{
    Py_hash_t func = PyObject_Hash(PyMethod_GET_FUNCTION(op));
    if (func == -1) {
        return -1;
    }
    Py_hash_t hash = PyObject_GenericHash(PyMethod_GET_SELF(op)) ^ func;
    return hash == -1 ? -2 : hash;
}

static PyObject *method_compare(PyObject *a, PyObject *b, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !PyMethod_Check(a) || !PyMethod_Check(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    int equal = PyObject_RichCompareBool(PyMethod_GET_FUNCTION(a), PyMethod_GET_FUNCTION(b), Py_EQ);
    if (equal < 0) {
        return NULL;
    }
    equal = equal && PyMethod_GET_SELF(a) == PyMethod_GET_SELF(b);
    return PyBool_FromLong(op == Py_EQ ? equal : !equal);
}

/* Attributes of the method itself first, then those of the function. */
static PyObject *method_getattro(PyObject *op, PyObject *name)
{
    PyObject *descr = type_lookup_ref(Py_TYPE(op), name, NULL);
    if (descr != NULL) {
        descrgetfunc get = Py_TYPE(descr)->tp_descr_get;
        if (get == NULL) {
            return descr;
        }
        PyObject *result = get(descr, op, (PyObject *)Py_TYPE(op));
        Py_DECREF(descr);
        return result;
    }
    return PyObject_GetAttr(PyMethod_GET_FUNCTION(op), name);
}

/* A bound method is not bound again. */
static PyObject *method_descr_get(PyObject *op, PyObject *Py_UNUSED(obj), PyObject *Py_UNUSED(type))
{
    return Py_NewRef(op);
}

static PyObject *bound_method_reduce(PyObject *op)
{
    PyObject *name = PyObject_GetAttr(PyMethod_GET_FUNCTION(op), ID(__name__)), *getattr = NULL;
    PyObject *builtins = name == NULL ? NULL : PyEval_GetBuiltins();
    if (builtins == NULL || PyMapping_GetOptionalItem(builtins, ID(getattr), &getattr) < 0) {
        Py_XDECREF(name);
        return NULL;
    }
    if (getattr == NULL) {
        PyErr_SetObject(PyExc_AttributeError, ID(getattr));
        Py_DECREF(name);
        return NULL;
    }
    return Py_BuildValue("N(ON)", getattr, PyMethod_GET_SELF(op), name);
}

static PyObject *method_get_doc(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *doc;
    int found = PyObject_GetOptionalAttr(PyMethod_GET_FUNCTION(op), ID(__doc__), &doc);
    return found == 0 ? Py_NewRef(Py_None) : doc;
}

static PyMemberDef method_members[] = {
    {"__func__", _Py_T_OBJECT, offsetof(PyMethodObject, im_func), Py_READONLY, "what gets called"},
    {"__self__", _Py_T_OBJECT, offsetof(PyMethodObject, im_self), Py_READONLY,
     "the first argument of calls"},
    {NULL},
};

static PyGetSetDef method_getset[] = {
    {"__doc__", method_get_doc},
    {NULL},
};

PyTypeObject PyMethod_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "method",
    .tp_basicsize = sizeof(PyMethodObject),
    .tp_dealloc = method_dealloc,
    .tp_vectorcall_offset = offsetof(PyMethodObject, vectorcall),
    .tp_repr = method_repr,
    .tp_hash = method_hash,
    .tp_call = PyVectorcall_Call,
    .tp_getattro = method_getattro,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_doc = bound_method_doc,
    .tp_traverse = method_traverse,
    .tp_richcompare = method_compare,
    .tp_weaklistoffset = offsetof(PyMethodObject, im_weakreflist),
    .tp_methods = bound_method_methods,
    .tp_members = method_members,
    .tp_getset = method_getset,
    .tp_descr_get = method_descr_get,
    .tp_new = bind_bound_method_new,
};

/* ---- instancemethod -------------------------------------------------------------------------- */

PyObject *PyInstanceMethod_New(PyObject *func)
{
    PyInstanceMethodObject *method =
        (PyInstanceMethodObject *)object_new(&PyInstanceMethod_Type, 0);
    if (method != NULL) {
        method->func = Py_NewRef(func);
        gc_track_new((PyObject *)method);
    }
    return (PyObject *)method;
}

PyObject *PyInstanceMethod_Function(PyObject *op)
{
    if (!PyInstanceMethod_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return PyInstanceMethod_GET_FUNCTION(op);
}

static PyObject *instance_method_new(PyTypeObject *Py_UNUSED(type), PyObject *func)
{
    return check_function(func) ? PyInstanceMethod_New(func) : NULL;
}

static void instance_method_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_DECREF(PyInstanceMethod_GET_FUNCTION(op));
    PyObject_GC_Del(op);
}

static int instance_method_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(PyInstanceMethod_GET_FUNCTION(op));
    return 0;
}

static PyObject *instance_method_call(PyObject *op, PyObject *args, PyObject *kwds)
{
    return PyObject_Call(PyInstanceMethod_GET_FUNCTION(op), args, kwds);
}

static PyObject *instance_method_descr_get(PyObject *op, PyObject *obj, PyObject *Py_UNUSED(type))
{
    PyObject *func = PyInstanceMethod_GET_FUNCTION(op);
    return obj == NULL ? Py_NewRef(func) : PyMethod_New(func, obj);
}

static PyObject *instance_method_getattro(PyObject *op, PyObject *name)
{
    PyObject *descr = type_lookup_ref(Py_TYPE(op), name, NULL);
    if (descr != NULL) {
        descrgetfunc get = Py_TYPE(descr)->tp_descr_get;
        if (get == NULL) {
            return descr;
        }
        PyObject *result = get(descr, op, (PyObject *)Py_TYPE(op));
        Py_DECREF(descr);
        return result;
    }
    return PyObject_GetAttr(PyInstanceMethod_GET_FUNCTION(op), name);
}

static PyObject *instance_method_compare(PyObject *a, PyObject *b, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !PyInstanceMethod_Check(a) || !PyInstanceMethod_Check(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    int equal = PyObject_RichCompareBool(PyInstanceMethod_GET_FUNCTION(a),
                                         PyInstanceMethod_GET_FUNCTION(b), Py_EQ);
    return equal < 0 ? NULL : PyBool_FromLong(op == Py_EQ ? equal : !equal);
}

static PyObject *instance_method_repr(PyObject *op)
{
    PyObject *func = PyInstanceMethod_GET_FUNCTION(op), *name;
    if (PyObject_GetOptionalAttr(func, ID(__name__), &name) < 0) {
        return NULL;
    }
    if (name != NULL && !PyUnicode_Check(name)) {
        Py_CLEAR(name);
    }
    PyObject *text = name == NULL ? PyUnicode_FromFormat("<instancemethod ? at %p>", op)
                                  : PyUnicode_FromFormat("<instancemethod %U at %p>", name, op);
    Py_XDECREF(name);
    return text;
}

static PyObject *instance_method_get_doc(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *doc;
    int found = PyObject_GetOptionalAttr(PyInstanceMethod_GET_FUNCTION(op), ID(__doc__), &doc);
    return found == 0 ? Py_NewRef(Py_None) : doc;
}

static PyMemberDef instance_method_members[] = {
    {"__func__", _Py_T_OBJECT, offsetof(PyInstanceMethodObject, func), Py_READONLY,
     "what gets called"},
    {NULL},
};

static PyGetSetDef instance_method_getset[] = {
    {"__doc__", instance_method_get_doc},
    {NULL},
};

PyTypeObject PyInstanceMethod_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "instancemethod",
    .tp_basicsize = sizeof(PyInstanceMethodObject),
    .tp_dealloc = instance_method_dealloc,
    .tp_repr = instance_method_repr,
    .tp_call = instance_method_call,
    .tp_getattro = instance_method_getattro,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = instance_method_doc,
    .tp_traverse = instance_method_traverse,
    .tp_richcompare = instance_method_compare,
    .tp_members = instance_method_members,
    .tp_getset = instance_method_getset,
    .tp_descr_get = instance_method_descr_get,
    .tp_new = bind_instance_method_new,
};
