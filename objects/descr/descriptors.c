/* Descriptors of C types: methods, class methods, members, getsets, slot wrappers. */
#include "objects/descr.h"

#include "locking/lock.h"
#include "objects/cfunction.h"
#include "objects/error.h"
#include "objects/type.h"

/* (1).__add__: a slot wrapper bound to an object. */
struct method_wrapper {
    PyObject_HEAD
    PyWrapperDescrObject *descr;
    PyObject *self;
};

#include "descriptors.bind.h"

/* ---- what all have in common ----------------------------------------------------------------- */

static void descr_dealloc(PyObject *op)
{
    PyDescrObject *descr = (PyDescrObject *)op;
    PyObject_GC_UnTrack(op);
    Py_XDECREF(descr->d_type);
    Py_XDECREF(descr->d_name);
    Py_XDECREF(descr->d_qualname);
    PyObject_GC_Del(op);
}

static int descr_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((PyDescrObject *)op)->d_type);
    return 0;
}

static PyObject *descr_text(PyObject *op, const char *format)
{
    PyDescrObject *descr = (PyDescrObject *)op;
    return PyUnicode_FromFormat(format, descr->d_name, descr->d_type->tp_name);
}

static PyObject *method_descr_repr(PyObject *op)
{
    return descr_text(op, "<method '%U' of '%s' objects>");
}

static PyObject *member_descr_repr(PyObject *op)
{
    return descr_text(op, "<member '%U' of '%s' objects>");
}

static PyObject *getset_descr_repr(PyObject *op)
{
    return descr_text(op, "<attribute '%U' of '%s' objects>");
}

static PyObject *wrapper_descr_repr(PyObject *op)
{
    return descr_text(op, "<slot wrapper '%U' of '%s' objects>");
}

static bool check_self(PyDescrObject *descr, PyObject *obj)
{
    if (likely(PyObject_TypeCheck(obj, descr->d_type))) {
        return true;
    }
    PyErr_Format(PyExc_TypeError,
                 "descriptor '%U' for '%.100s' objects doesn't apply to a '%.100s' object",
                 descr->d_name, descr->d_type->tp_name, Py_TYPE(obj)->tp_name);
    return false;
}

/* Type.name, kept once it is made. */
static PyObject *descr_get_qualname(PyObject *op, void *Py_UNUSED(closure))
{
    PyDescrObject *descr = (PyDescrObject *)op;
    PyObject *known = field_load_acquire(&descr->d_qualname);
    if (known != NULL) {
        return Py_NewRef(known);
    }
    PyObject *type_name = PyObject_GetAttr((PyObject *)descr->d_type, ID(__qualname__));
    if (type_name == NULL) {
        return NULL;
    }
    PyObject *name = NULL;
    if (!PyUnicode_Check(type_name)) {
        PyErr_SetString(PyExc_TypeError,
                        "<descriptor>.__objclass__.__qualname__ is not a unicode object");
    } else {
        name = PyUnicode_FromFormat("%U.%U", type_name, descr->d_name);
    }
    Py_DECREF(type_name);
    PyObject *expected = NULL;
    if (name != NULL && !field_cas(&descr->d_qualname, &expected, name)) {
        Py_SETREF(name, Py_NewRef(expected));
        return name;
    }
    return Py_XNewRef(name);
}

static PyObject *reduce_to_getattr(PyObject *holder, PyObject *name)
{
    PyObject *builtins = PyEval_GetBuiltins(), *getattr = NULL;
    if (builtins == NULL || PyMapping_GetOptionalItem(builtins, ID(getattr), &getattr) < 0) {
        return NULL;
    }
    if (getattr == NULL) {
        PyErr_SetObject(PyExc_AttributeError, ID(getattr));
        return NULL;
    }
    return Py_BuildValue("N(OO)", getattr, holder, name);
}

static PyObject *descr_reduce(PyDescrObject *descr)
{
    return reduce_to_getattr((PyObject *)descr->d_type, descr->d_name);
}

static PyMemberDef descr_members[] = {
    {"__objclass__", _Py_T_OBJECT, offsetof(PyDescrObject, d_type), Py_READONLY, NULL},
    {"__name__", _Py_T_OBJECT, offsetof(PyDescrObject, d_name), Py_READONLY, NULL},
    {NULL},
};

static PyObject *descr_new(PyTypeObject *kind, PyTypeObject *type, const char *name)
{
    PyDescrObject *descr = (PyDescrObject *)object_new(kind, 0);
    if (descr == NULL) {
        return NULL;
    }
    descr->d_name = PyUnicode_InternFromString(name);
    if (descr->d_name == NULL) {
        object_free((PyObject *)descr);
        return NULL;
    }
    descr->d_type = (PyTypeObject *)Py_NewRef((PyObject *)type);
    PyObject_GC_Track(descr);
    return (PyObject *)descr;
}

/* ---- methods --------------------------------------------------------------------------------- */

PyObject *PyDescr_NewMethod(PyTypeObject *type, PyMethodDef *method)
{
    vectorcallfunc call = method_descr_vectorcall_for(method->ml_flags, method->ml_name);
    if (call == NULL) {
        return NULL;
    }
    PyMethodDescrObject *descr =
        (PyMethodDescrObject *)descr_new(&PyMethodDescr_Type, type, method->ml_name);
    if (descr != NULL) {
        descr->d_method = method;
        descr->vectorcall = call;
    }
    return (PyObject *)descr;
}

static PyObject *method_descr_get(PyObject *op, PyObject *obj, PyObject *type)
{
    PyMethodDescrObject *descr = (PyMethodDescrObject *)op;
    if (obj == NULL) {
        return Py_NewRef(op);
    }
    if (!check_self(&descr->d_common, obj)) {
        return NULL;
    }
    if (!(descr->d_method->ml_flags & METH_METHOD)) {
        return PyCMethod_New(descr->d_method, obj, NULL, NULL);
    }
    if (type != NULL && !PyType_Check(type)) {
        PyErr_Format(PyExc_TypeError, "descriptor '%U' needs a type, not '%s', as arg 2",
                     PyDescr_NAME(op), Py_TYPE(type)->tp_name);
        return NULL;
    }
    return PyCMethod_New(descr->d_method, obj, NULL, descr->d_common.d_type);
}

static PyObject *method_get_doc(PyObject *op, void *Py_UNUSED(closure))
{
    PyMethodDef *def = ((PyMethodDescrObject *)op)->d_method;
    return doc_without_signature(def->ml_name, def->ml_doc);
}

static PyObject *method_get_signature(PyObject *op, void *Py_UNUSED(closure))
{
    PyMethodDef *def = ((PyMethodDescrObject *)op)->d_method;
    return doc_signature(def->ml_name, def->ml_doc);
}

static PyGetSetDef method_getset[] = {
    {"__doc__", method_get_doc},
    {"__qualname__", descr_get_qualname},
    {"__text_signature__", method_get_signature},
    {NULL},
};

PyTypeObject PyMethodDescr_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "method_descriptor",
    .tp_basicsize = sizeof(PyMethodDescrObject),
    .tp_dealloc = descr_dealloc,
    .tp_vectorcall_offset = offsetof(PyMethodDescrObject, vectorcall),
    .tp_repr = method_descr_repr,
    .tp_call = PyVectorcall_Call,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL
                | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .tp_traverse = descr_traverse,
    .tp_methods = descr_methods,
    .tp_members = descr_members,
    .tp_getset = method_getset,
    .tp_descr_get = method_descr_get,
};

/* ---- class methods --------------------------------------------------------------------------- */

PyObject *PyDescr_NewClassMethod(PyTypeObject *type, PyMethodDef *method)
{
    PyMethodDescrObject *descr =
        (PyMethodDescrObject *)descr_new(&PyClassMethodDescr_Type, type, method->ml_name);
    if (descr != NULL) {
        descr->d_method = method;
    }
    return (PyObject *)descr;
}

static PyObject *class_method_get(PyObject *op, PyObject *obj, PyObject *type)
{
    PyMethodDescrObject *descr = (PyMethodDescrObject *)op;
    const char *owner = descr->d_common.d_type->tp_name;
    if (type == NULL) {
        if (obj == NULL) {
            PyErr_Format(PyExc_TypeError,
                         "descriptor '%U' for type '%.100s' needs either an object or a type",
                         PyDescr_NAME(op), owner);
            return NULL;
        }
        type = (PyObject *)Py_TYPE(obj);
    }
    if (!PyType_Check(type)) {
        PyErr_Format(PyExc_TypeError,
                     "descriptor '%U' for type '%.100s' needs a type, not a '%.100s' as arg 2",
                     PyDescr_NAME(op), owner, Py_TYPE(type)->tp_name);
        return NULL;
    }
    if (!PyType_IsSubtype((PyTypeObject *)type, descr->d_common.d_type)) {
        PyErr_Format(PyExc_TypeError,
                     "descriptor '%U' requires a subtype of '%.100s' but received '%.100s'",
                     PyDescr_NAME(op), owner, ((PyTypeObject *)type)->tp_name);
        return NULL;
    }
    PyTypeObject *cls = descr->d_method->ml_flags & METH_METHOD ? descr->d_common.d_type : NULL;
    return PyCMethod_New(descr->d_method, type, NULL, cls);
}

static PyObject *class_method_call(PyObject *op, PyObject *args, PyObject *kwds)
{
    Py_ssize_t count = PyTuple_GET_SIZE(args);
    if (count < 1) {
        PyErr_Format(PyExc_TypeError, "descriptor '%U' of '%.100s' object needs an argument",
                     PyDescr_NAME(op), PyDescr_TYPE(op)->tp_name);
        return NULL;
    }
    PyObject *bound = class_method_get(op, NULL, PyTuple_GET_ITEM(args, 0));
    if (bound == NULL) {
        return NULL;
    }
    PyObject *result =
        PyObject_VectorcallDict(bound, &PyTuple_GET_ITEM(args, 0) + 1, (size_t)count - 1, kwds);
    Py_DECREF(bound);
    return result;
}

PyTypeObject PyClassMethodDescr_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "classmethod_descriptor",
    .tp_basicsize = sizeof(PyMethodDescrObject),
    .tp_dealloc = descr_dealloc,
    .tp_repr = method_descr_repr,
    .tp_call = class_method_call,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = descr_traverse,
    .tp_methods = NULL,
    .tp_members = descr_members,
    .tp_getset = method_getset,
    .tp_descr_get = class_method_get,
};

/* ---- members --------------------------------------------------------------------------------- */

PyObject *PyDescr_NewMember(PyTypeObject *type, PyMemberDef *member)
{
    if (member->flags & Py_RELATIVE_OFFSET) {
        PyErr_SetString(PyExc_SystemError, "PyDescr_NewMember used with Py_RELATIVE_OFFSET");
        return NULL;
    }
    PyMemberDescrObject *descr =
        (PyMemberDescrObject *)descr_new(&PyMemberDescr_Type, type, member->name);
    if (descr != NULL) {
        descr->d_member = member;
    }
    return (PyObject *)descr;
}

static PyObject *member_get(PyObject *op, PyObject *obj, PyObject *Py_UNUSED(type))
{
    PyMemberDescrObject *descr = (PyMemberDescrObject *)op;
    if (obj == NULL) {
        return Py_NewRef(op);
    }
    if (!check_self(&descr->d_common, obj)) {
        return NULL;
    }
    if ((descr->d_member->flags & Py_AUDIT_READ)
        && PySys_Audit("object.__getattr__", "Os", obj, descr->d_member->name) < 0) {
        return NULL;
    }
    return PyMember_GetOne((char *)obj, descr->d_member);
}

static int member_set(PyObject *op, PyObject *obj, PyObject *value)
{
    PyMemberDescrObject *descr = (PyMemberDescrObject *)op;
    if (!check_self(&descr->d_common, obj)) {
        return -1;
    }
    return PyMember_SetOne((char *)obj, descr->d_member, value);
}

static PyObject *member_get_doc(PyObject *op, void *Py_UNUSED(closure))
{
    const char *doc = ((PyMemberDescrObject *)op)->d_member->doc;
    return doc == NULL ? Py_NewRef(Py_None) : PyUnicode_FromString(doc);
}

static PyGetSetDef member_getset[] = {
    {"__doc__", member_get_doc},
    {"__qualname__", descr_get_qualname},
    {NULL},
};

PyTypeObject PyMemberDescr_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "member_descriptor",
    .tp_basicsize = sizeof(PyMemberDescrObject),
    .tp_dealloc = descr_dealloc,
    .tp_repr = member_descr_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = descr_traverse,
    .tp_methods = descr_methods,
    .tp_members = descr_members,
    .tp_getset = member_getset,
    .tp_descr_get = member_get,
    .tp_descr_set = member_set,
};

/* ---- getsets --------------------------------------------------------------------------------- */

PyObject *PyDescr_NewGetSet(PyTypeObject *type, PyGetSetDef *getset)
{
    PyGetSetDescrObject *descr =
        (PyGetSetDescrObject *)descr_new(&PyGetSetDescr_Type, type, getset->name);
    if (descr != NULL) {
        descr->d_getset = getset;
    }
    return (PyObject *)descr;
}

static PyObject *getset_get(PyObject *op, PyObject *obj, PyObject *Py_UNUSED(type))
{
    PyGetSetDescrObject *descr = (PyGetSetDescrObject *)op;
    if (obj == NULL) {
        return Py_NewRef(op);
    }
    if (!check_self(&descr->d_common, obj)) {
        return NULL;
    }
    if (descr->d_getset->get != NULL) {
        return descr->d_getset->get(obj, descr->d_getset->closure);
    }
    PyErr_Format(PyExc_AttributeError, "attribute '%U' of '%.100s' objects is not readable",
                 PyDescr_NAME(op), PyDescr_TYPE(op)->tp_name);
    return NULL;
}

static int getset_set(PyObject *op, PyObject *obj, PyObject *value)
{
    PyGetSetDescrObject *descr = (PyGetSetDescrObject *)op;
    if (!check_self(&descr->d_common, obj)) {
        return -1;
    }
    if (descr->d_getset->set != NULL) {
        return descr->d_getset->set(obj, value, descr->d_getset->closure);
    }
    PyErr_Format(PyExc_AttributeError, "attribute '%U' of '%.100s' objects is not writable",
                 PyDescr_NAME(op), PyDescr_TYPE(op)->tp_name);
    return -1;
}

static PyObject *getset_get_doc(PyObject *op, void *Py_UNUSED(closure))
{
    const char *doc = ((PyGetSetDescrObject *)op)->d_getset->doc;
    return doc == NULL ? Py_NewRef(Py_None) : PyUnicode_FromString(doc);
}

static PyGetSetDef getset_getset[] = {
    {"__doc__", getset_get_doc},
    {"__qualname__", descr_get_qualname},
    {NULL},
};

PyTypeObject PyGetSetDescr_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "getset_descriptor",
    .tp_basicsize = sizeof(PyGetSetDescrObject),
    .tp_dealloc = descr_dealloc,
    .tp_repr = getset_descr_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = descr_traverse,
    .tp_members = descr_members,
    .tp_getset = getset_getset,
    .tp_descr_get = getset_get,
    .tp_descr_set = getset_set,
};

/* ---- slot wrappers --------------------------------------------------------------------------- */

PyObject *wrapper_descr_new(PyTypeObject *type, struct wrapperbase *base, void *wrapped)
{
    PyWrapperDescrObject *descr =
        (PyWrapperDescrObject *)descr_new(&PyWrapperDescr_Type, type, base->name);
    if (descr != NULL) {
        descr->d_base = base;
        descr->d_wrapped = wrapped;
    }
    return (PyObject *)descr;
}

PyObject *PyDescr_NewWrapper(PyTypeObject *type, struct wrapperbase *base, void *wrapped)
{
    return wrapper_descr_new(type, base, wrapped);
}

/* self is known to fit. */
static PyObject *wrapper_run(PyWrapperDescrObject *descr, PyObject *self, PyObject *args,
                             PyObject *kwds)
{
    struct wrapperbase *base = descr->d_base;
    if (base->flags & PyWrapperFlag_KEYWORDS) {
        return ((wrapperfunc_kwds)(void (*)(void))base->wrapper)(self, args, descr->d_wrapped,
                                                                 kwds);
    }
    if (kwds != NULL && PyDict_GET_SIZE(kwds) != 0) {
        PyErr_Format(PyExc_TypeError, "wrapper %s() takes no keyword arguments", base->name);
        return NULL;
    }
    return base->wrapper(self, args, descr->d_wrapped);
}

static PyObject *wrapper_descr_call(PyObject *op, PyObject *args, PyObject *kwds)
{
    Py_ssize_t count = PyTuple_GET_SIZE(args);
    if (count < 1) {
        PyErr_Format(PyExc_TypeError, "descriptor '%U' of '%.100s' object needs an argument",
                     PyDescr_NAME(op), PyDescr_TYPE(op)->tp_name);
        return NULL;
    }
    PyObject *self = PyTuple_GET_ITEM(args, 0);
    if (!PyObject_TypeCheck(self, PyDescr_TYPE(op))) {
        PyErr_Format(PyExc_TypeError,
                     "descriptor '%U' requires a '%.100s' object but received a '%.100s'",
                     PyDescr_NAME(op), PyDescr_TYPE(op)->tp_name, Py_TYPE(self)->tp_name);
        return NULL;
    }
    PyObject *rest = PyTuple_GetSlice(args, 1, count);
    if (rest == NULL) {
        return NULL;
    }
    PyObject *result = wrapper_run((PyWrapperDescrObject *)op, self, rest, kwds);
    Py_DECREF(rest);
    return result;
}

static PyObject *wrapper_descr_get(PyObject *op, PyObject *obj, PyObject *Py_UNUSED(type))
{
    if (obj == NULL) {
        return Py_NewRef(op);
    }
    return check_self((PyDescrObject *)op, obj) ? PyWrapper_New(op, obj) : NULL;
}

static PyObject *wrapper_doc_of(PyWrapperDescrObject *descr)
{
    return doc_without_signature(descr->d_base->name, descr->d_base->doc);
}

static PyObject *wrapper_signature_of(PyWrapperDescrObject *descr)
{
    return doc_signature(descr->d_base->name, descr->d_base->doc);
}

static PyObject *wrapper_descr_get_doc(PyObject *op, void *Py_UNUSED(closure))
{
    return wrapper_doc_of((PyWrapperDescrObject *)op);
}

static PyObject *wrapper_descr_get_signature(PyObject *op, void *Py_UNUSED(closure))
{
    return wrapper_signature_of((PyWrapperDescrObject *)op);
}

static PyGetSetDef wrapper_descr_getset[] = {
    {"__doc__", wrapper_descr_get_doc},
    {"__qualname__", descr_get_qualname},
    {"__text_signature__", wrapper_descr_get_signature},
    {NULL},
};

PyTypeObject PyWrapperDescr_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "wrapper_descriptor",
    .tp_basicsize = sizeof(PyWrapperDescrObject),
    .tp_dealloc = descr_dealloc,
    .tp_repr = wrapper_descr_repr,
    .tp_call = wrapper_descr_call,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .tp_traverse = descr_traverse,
    .tp_methods = descr_methods,
    .tp_members = descr_members,
    .tp_getset = wrapper_descr_getset,
    .tp_descr_get = wrapper_descr_get,
};

/* ---- bound slot wrappers --------------------------------------------------------------------- */

PyObject *PyWrapper_New(PyObject *descr, PyObject *self)
{
    struct method_wrapper *op = (struct method_wrapper *)object_new(&method_wrapper_type, 0);
    if (op != NULL) {
        op->descr = (PyWrapperDescrObject *)Py_NewRef(descr);
        op->self = Py_NewRef(self);
        PyObject_GC_Track(op);
    }
    return (PyObject *)op;
}

static void method_wrapper_dealloc(PyObject *op)
{
    struct method_wrapper *wrapper = (struct method_wrapper *)op;
    PyObject_GC_UnTrack(op);
    Py_XDECREF(wrapper->descr);
    Py_XDECREF(wrapper->self);
    PyObject_GC_Del(op);
}

static int method_wrapper_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct method_wrapper *wrapper = (struct method_wrapper *)op;
    Py_VISIT(wrapper->descr);
    Py_VISIT(wrapper->self);
    return 0;
}

static PyObject *method_wrapper_call(PyObject *op, PyObject *args, PyObject *kwds)
{
    struct method_wrapper *wrapper = (struct method_wrapper *)op;
    return wrapper_run(wrapper->descr, wrapper->self, args, kwds);
}

static PyObject *method_wrapper_repr(PyObject *op)
{
    struct method_wrapper *wrapper = (struct method_wrapper *)op;
    return PyUnicode_FromFormat("<method-wrapper '%s' of %s object at %p>",
                                wrapper->descr->d_base->name, Py_TYPE(wrapper->self)->tp_name,
                                wrapper->self);
}

static PyObject *method_wrapper_compare(PyObject *a, PyObject *b, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !Py_IS_TYPE(a, &method_wrapper_type)
        || !Py_IS_TYPE(b, &method_wrapper_type)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    struct method_wrapper *x = (struct method_wrapper *)a, *y = (struct method_wrapper *)b;
    bool equal = x->descr == y->descr && x->self == y->self;
    return PyBool_FromLong(op == Py_EQ ? equal : !equal);
}

static Py_hash_t method_wrapper_hash(PyObject *op)
{
    struct method_wrapper *wrapper = (struct method_wrapper *)op;
    Py_hash_t hash = Py_HashPointer(wrapper->self) ^ Py_HashPointer(wrapper->descr);
    return hash == -1 ? -2 : hash;
}

static PyObject *method_wrapper_reduce(struct method_wrapper *wrapper)
{
    return reduce_to_getattr(wrapper->self, PyDescr_NAME(wrapper->descr));
}

static PyObject *method_wrapper_get_objclass(PyObject *op, void *Py_UNUSED(closure))
{
    return Py_NewRef((PyObject *)PyDescr_TYPE(((struct method_wrapper *)op)->descr));
}

static PyObject *method_wrapper_get_name(PyObject *op, void *Py_UNUSED(closure))
{
    return Py_NewRef(PyDescr_NAME(((struct method_wrapper *)op)->descr));
}

static PyObject *method_wrapper_get_qualname(PyObject *op, void *closure)
{
    return descr_get_qualname((PyObject *)((struct method_wrapper *)op)->descr, closure);
}

static PyObject *method_wrapper_get_doc(PyObject *op, void *Py_UNUSED(closure))
{
    return wrapper_doc_of(((struct method_wrapper *)op)->descr);
}

static PyObject *method_wrapper_get_signature(PyObject *op, void *Py_UNUSED(closure))
{
    return wrapper_signature_of(((struct method_wrapper *)op)->descr);
}

static PyMemberDef method_wrapper_members[] = {
    {"__self__", _Py_T_OBJECT, offsetof(struct method_wrapper, self), Py_READONLY, NULL},
    {NULL},
};

static PyGetSetDef method_wrapper_getset[] = {
    {"__objclass__", method_wrapper_get_objclass},        {"__name__", method_wrapper_get_name},
    {"__qualname__", method_wrapper_get_qualname},        {"__doc__", method_wrapper_get_doc},
    {"__text_signature__", method_wrapper_get_signature}, {NULL},
};

PyTypeObject method_wrapper_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "method-wrapper",
    .tp_basicsize = sizeof(struct method_wrapper),
    .tp_dealloc = method_wrapper_dealloc,
    .tp_repr = method_wrapper_repr,
    .tp_hash = method_wrapper_hash,
    .tp_call = method_wrapper_call,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = method_wrapper_traverse,
    .tp_richcompare = method_wrapper_compare,
    .tp_methods = method_wrapper_methods,
    .tp_members = method_wrapper_members,
    .tp_getset = method_wrapper_getset,
};

int PyDescr_IsData(PyObject *op)
{
    return Py_TYPE(op)->tp_descr_set != NULL;
}

/* clang-format off */
PyTypeObject *const descr_types[] = {
    &PyMethodDescr_Type, &PyClassMethodDescr_Type, &PyMemberDescr_Type, &PyGetSetDescr_Type,
    &PyWrapperDescr_Type, &method_wrapper_type, &PyProperty_Type, &PyClassMethod_Type,
    &PyStaticMethod_Type, &PyDictProxy_Type, NULL,
};
/* clang-format on */
