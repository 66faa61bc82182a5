/* None, Ellipsis and NotImplemented. */
#include "objects/object.h"

#include "objects/bindings.h"
#include "objects/error.h"
#include "singletons.bind.h"

/* These cannot die. An extension that loses count of them may bring them here. */
static void singleton_dealloc(PyObject *self)
{
    object_make_immortal(self);
}

static PyObject *the_singleton(PyObject *singleton, const char *name, PyObject *args,
                               PyObject *kwds)
{
    if (PyTuple_GET_SIZE(args) != 0 || (kwds != NULL && PyDict_GET_SIZE(kwds) != 0)) {
        PyErr_Format(PyExc_TypeError, "%s takes no arguments", name);
        return NULL;
    }
    return singleton;
}

/* ---- None ------------------------------------------------------------------------------------ */

static PyObject *none_new(PyTypeObject *Py_UNUSED(type), PyObject *args, PyObject *kwds)
{
    return the_singleton(Py_None, "NoneType", args, kwds);
}

static PyObject *none_repr(PyObject *Py_UNUSED(self))
{
    return Py_NewRef(ID(None));
}

static int none_bool(PyObject *Py_UNUSED(self))
{
    return 0;
}

static Py_hash_t none_hash(PyObject *Py_UNUSED(self))
{
    return 0xFCA86420;
}

static PyObject *none_richcompare(PyObject *self, PyObject *other, int op)
{
    return PyBaseObject_Type.tp_richcompare(self, other, op);
}

static PyNumberMethods none_as_number = {.nb_bool = none_bool};

PyTypeObject _PyNone_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "NoneType",
    .tp_basicsize = sizeof(PyObject),
    .tp_dealloc = singleton_dealloc,
    .tp_repr = none_repr,
    .tp_as_number = &none_as_number,
    .tp_hash = none_hash,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "The class of None.",
    .tp_richcompare = none_richcompare,
    .tp_new = none_new,
};

PyObject _Py_NoneStruct = REF_IMMORTAL_HEADER(&_PyNone_Type);

/* ---- NotImplemented -------------------------------------------------------------------------- */

static PyObject *not_implemented_new(PyTypeObject *Py_UNUSED(type), PyObject *args, PyObject *kwds)
{
    return the_singleton(Py_NotImplemented, "NotImplementedType", args, kwds);
}

static PyObject *not_implemented_repr(PyObject *Py_UNUSED(self))
{
    return Py_NewRef(ID(NotImplemented));
}

static PyObject *not_implemented_reduce(PyObject *Py_UNUSED(self))
{
    return Py_NewRef(ID(NotImplemented));
}

static int not_implemented_bool(PyObject *Py_UNUSED(self))
{
    return PyErr_WarnEx(PyExc_DeprecationWarning,
                        "NotImplemented should not be used in a boolean context", 1)
                   < 0
               ? -1
               : 1;
}

static PyNumberMethods not_implemented_as_number = {.nb_bool = not_implemented_bool};

PyTypeObject _PyNotImplemented_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "NotImplementedType",
    .tp_basicsize = sizeof(PyObject),
    .tp_dealloc = singleton_dealloc,
    .tp_repr = not_implemented_repr,
    .tp_as_number = &not_implemented_as_number,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "The class of NotImplemented.",
    .tp_methods = not_implemented_methods,
    .tp_new = not_implemented_new,
};

PyObject _Py_NotImplementedStruct = REF_IMMORTAL_HEADER(&_PyNotImplemented_Type);

/* ---- Ellipsis -------------------------------------------------------------------------------- */

static PyObject *ellipsis_new(PyTypeObject *Py_UNUSED(type), PyObject *args, PyObject *kwds)
{
    return the_singleton(Py_Ellipsis, "EllipsisType", args, kwds);
}

static PyObject *ellipsis_repr(PyObject *Py_UNUSED(self))
{
    return Py_NewRef(ID(Ellipsis));
}

static PyObject *ellipsis_reduce(PyObject *Py_UNUSED(self))
{
    return Py_NewRef(ID(Ellipsis));
}

PyTypeObject PyEllipsis_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "ellipsis",
    .tp_basicsize = sizeof(PyObject),
    .tp_dealloc = singleton_dealloc,
    .tp_repr = ellipsis_repr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "The class of `...`.",
    .tp_methods = ellipsis_methods,
    .tp_new = ellipsis_new,
};

PyObject _Py_EllipsisObject = REF_IMMORTAL_HEADER(&PyEllipsis_Type);
