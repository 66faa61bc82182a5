/* builtin_function_or_method: a C function bound to a module or an instance; builtin_method, which
 * knows its class too. */
#include "objects/cfunction.h"

#include "locking/refs.h"
#include "objects/descr.h"
#include "objects/error.h"
#include "objects/weakref.h"
#include "objects/bindings.h"

/* ---- making ---------------------------------------------------------------------------------- */

PyObject *PyCMethod_New(PyMethodDef *def, PyObject *self, PyObject *module, PyTypeObject *cls)
{
    vectorcallfunc call = cfunction_vectorcall_for(def->ml_flags, def->ml_name);
    if (call == NULL) {
        return NULL;
    }
    PyTypeObject *type = &PyCFunction_Type;
    if (def->ml_flags & METH_METHOD) {
        if (cls == NULL) {
            PyErr_SetString(PyExc_SystemError, "attempting to create PyCMethod with a METH_METHOD "
                                               "flag but no class");
            return NULL;
        }
        type = &PyCMethod_Type;
    } else if (cls != NULL) {
        PyErr_SetString(PyExc_SystemError, "attempting to create PyCFunction with class but no "
                                           "METH_METHOD flag");
        return NULL;
    }
    PyCFunctionObject *func = (PyCFunctionObject *)object_new_raw(type, 0);
    if (func == NULL) {
        return NULL;
    }
    if (type == &PyCMethod_Type) {
        ((PyCMethodObject *)func)->mm_class = (PyTypeObject *)Py_NewRef((PyObject *)cls);
    }
    func->m_ml = def;
    func->m_self = Py_XNewRef(self);
    func->m_module = Py_XNewRef(module);
    func->m_weakreflist = NULL;
    func->vectorcall = call;
    PyObject_GC_Track(func);
    return (PyObject *)func;
}

#undef PyCFunction_New
#undef PyCFunction_NewEx
PyObject *PyCFunction_New(PyMethodDef *def, PyObject *self)
{
    return PyCMethod_New(def, self, NULL, NULL);
}

PyObject *PyCFunction_NewEx(PyMethodDef *def, PyObject *self, PyObject *module)
{
    return PyCMethod_New(def, self, module, NULL);
}

PyCFunction PyCFunction_GetFunction(PyObject *op)
{
    if (!PyCFunction_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return PyCFunction_GET_FUNCTION(op);
}

PyObject *PyCFunction_GetSelf(PyObject *op)
{
    if (!PyCFunction_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return PyCFunction_GET_SELF(op);
}

int PyCFunction_GetFlags(PyObject *op)
{
    if (!PyCFunction_Check(op)) {
        PyErr_BadInternalCall();
        return -1;
    }
    return PyCFunction_GET_FLAGS(op);
}

PyAPI_FUNC(PyObject *) PyCFunction_Call(PyObject *callable, PyObject *args, PyObject *kwargs);

PyObject *PyCFunction_Call(PyObject *callable, PyObject *args, PyObject *kwargs)
{
    return PyObject_Call(callable, args, kwargs);
}

PyTypeObject *PyCMethod_GetClass(PyObject *op)
{
    if (!PyCFunction_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return PyCFunction_GET_CLASS(op);
}

/* ---- attributes ------------------------------------------------------------------------------ */

static PyMethodDef *def_of(PyObject *op)
{
    return ((PyCFunctionObject *)op)->m_ml;
}

static PyObject *cfunction_get_doc(PyObject *op, void *Py_UNUSED(closure))
{
    return doc_without_signature(def_of(op)->ml_name, def_of(op)->ml_doc);
}

static PyObject *cfunction_get_signature(PyObject *op, void *Py_UNUSED(closure))
{
    return doc_signature(def_of(op)->ml_name, def_of(op)->ml_doc);
}

static PyObject *cfunction_get_name(PyObject *op, void *Py_UNUSED(closure))
{
    return PyUnicode_FromString(def_of(op)->ml_name);
}

/* What it belongs to: also for a static method, which is not called with it. */
static PyObject *owner_of(PyObject *op)
{
    return ((PyCFunctionObject *)op)->m_self;
}

/* A module's function has its own name; a method Class.name. */
static PyObject *cfunction_get_qualname(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *self = owner_of(op);
    if (self == NULL || PyModule_Check(self)) {
        return PyUnicode_FromString(def_of(op)->ml_name);
    }
    PyObject *type = PyType_Check(self) ? self : (PyObject *)Py_TYPE(self);
    if (!(((PyTypeObject *)type)->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
        /* Asked for while the type is being made, too. */
        const char *dotted = ((PyTypeObject *)type)->tp_name, *dot = strrchr(dotted, '.');
        return PyUnicode_FromFormat("%s.%s", dot ? dot + 1 : dotted, def_of(op)->ml_name);
    }
    PyObject *qualname = PyObject_GetAttr(type, ID(__qualname__)), *name = NULL;
    if (qualname != NULL && !PyUnicode_Check(qualname)) {
        PyErr_SetString(PyExc_TypeError, "<method>.__class__.__qualname__ is not a unicode object");
    } else if (qualname != NULL) {
        name = PyUnicode_FromFormat("%S.%s", qualname, def_of(op)->ml_name);
    }
    Py_XDECREF(qualname);
    return name;
}

static PyObject *cfunction_get_self(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *self = PyCFunction_GET_SELF(op);
    return Py_NewRef(self == NULL ? Py_None : self);
}

static PyObject *cfunction_reduce(PyObject *op)
{
    PyObject *self = owner_of(op);
    if (self == NULL || PyModule_Check(self)) {
        return PyUnicode_FromString(def_of(op)->ml_name);
    }
    PyObject *builtins = PyEval_GetBuiltins(), *getattr;
    if (builtins == NULL || PyMapping_GetOptionalItem(builtins, ID(getattr), &getattr) < 0) {
        return NULL;
    }
    if (getattr == NULL) {
        PyErr_SetObject(PyExc_AttributeError, ID(getattr));
        return NULL;
    }
    return Py_BuildValue("N(Os)", getattr, self, def_of(op)->ml_name);
}

#include "cfunction.bind.h"

static PyMemberDef cfunction_members[] = {
    {"__module__", _Py_T_OBJECT, offsetof(PyCFunctionObject, m_module), 0, NULL},
    {NULL},
};

static PyGetSetDef cfunction_getset[] = {
    {"__doc__", cfunction_get_doc},
    {"__name__", cfunction_get_name},
    {"__qualname__", cfunction_get_qualname},
    {"__self__", cfunction_get_self},
    {"__text_signature__", cfunction_get_signature},
    {NULL},
};

/* ---- slots ----------------------------------------------------------------------------------- */

static void cfunction_dealloc(PyObject *op)
{
    PyCFunctionObject *func = (PyCFunctionObject *)op;
    PyObject_GC_UnTrack(op);
    if (func->m_weakreflist != NULL) {
        weakref_clear_all(op);
    }
    /* The class first: it may be what keeps the method definition. */
    PyTypeObject *cls = PyCFunction_GET_CLASS(op);
    Py_XDECREF(func->m_self);
    Py_XDECREF(func->m_module);
    Py_XDECREF(cls);
    PyObject_GC_Del(op);
}

static int cfunction_traverse(PyObject *op, visitproc visit, void *arg)
{
    PyCFunctionObject *func = (PyCFunctionObject *)op;
    Py_VISIT(PyCFunction_GET_CLASS(op));
    Py_VISIT(func->m_self);
    Py_VISIT(func->m_module);
    return 0;
}

static PyObject *cfunction_repr(PyObject *op)
{
    PyObject *self = PyCFunction_GET_SELF(op);
    if (self == NULL || PyModule_Check(self)) {
        return PyUnicode_FromFormat("<built-in function %s>", def_of(op)->ml_name);
    }
    return PyUnicode_FromFormat("<built-in method %s of %s object at %p>", def_of(op)->ml_name,
                                Py_TYPE(self)->tp_name, self);
}

static PyObject *cfunction_compare(PyObject *a, PyObject *b, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !PyCFunction_Check(a) || !PyCFunction_Check(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyCFunctionObject *x = (PyCFunctionObject *)a, *y = (PyCFunctionObject *)b;
    bool equal = x->m_self == y->m_self && x->m_ml->ml_meth == y->m_ml->ml_meth;
    return PyBool_FromLong(op == Py_EQ ? equal : !equal);
}

static Py_hash_t cfunction_hash(PyObject *op)
{
    PyCFunctionObject *func = (PyCFunctionObject *)op;
    Py_hash_t hash =
        Py_HashPointer(func->m_self) ^ Py_HashPointer((void *)(uintptr_t)func->m_ml->ml_meth);
    return hash == -1 ? -2 : hash;
}

PyTypeObject PyCFunction_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "builtin_function_or_method",
    .tp_basicsize = sizeof(PyCFunctionObject),
    .tp_dealloc = cfunction_dealloc,
    .tp_vectorcall_offset = offsetof(PyCFunctionObject, vectorcall),
    .tp_repr = cfunction_repr,
    .tp_hash = cfunction_hash,
    .tp_call = PyVectorcall_Call,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_traverse = cfunction_traverse,
    .tp_richcompare = cfunction_compare,
    .tp_weaklistoffset = offsetof(PyCFunctionObject, m_weakreflist),
    .tp_methods = cfunction_methods,
    .tp_members = cfunction_members,
    .tp_getset = cfunction_getset,
};

PyTypeObject PyCMethod_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "builtin_method",
    .tp_basicsize = sizeof(PyCMethodObject),
    .tp_base = &PyCFunction_Type,
};

PyTypeObject *const cfunction_types[] = {&PyCFunction_Type, &PyCMethod_Type, NULL};
