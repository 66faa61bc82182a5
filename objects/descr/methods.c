/* classmethod and staticmethod: callables that bind to the class, or to nothing. */
#include "objects/descr.h"

#include "objects/error.h"

#include "class_methods.bind.h"

/* ---- what both have in common ---------------------------------------------------------------- */

static int holder_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct class_or_static_method *self = (struct class_or_static_method *)op;
    Py_VISIT(self->callable);
    Py_VISIT(self->dict);
    return 0;
}

static int holder_clear(PyObject *op)
{
    struct class_or_static_method *self = (struct class_or_static_method *)op;
    Py_CLEAR(self->callable);
    Py_CLEAR(self->dict);
    return 0;
}

static void holder_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    holder_clear(op);
    Py_TYPE(op)->tp_free(op);
}

/* Looks like the function it wraps. */
static int copy_attributes(PyObject *to, PyObject *from)
{
    PyObject *const names[] = {
        ID(__module__), ID(__name__), ID(__qualname__), ID(__doc__), ID(__annotations__),
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        PyObject *value;
        int found = PyObject_GetOptionalAttr(from, names[i], &value);
        if (found > 0) {
            found = PyObject_SetAttr(to, names[i], value);
            Py_DECREF(value);
        }
        if (found < 0) {
            return -1;
        }
    }
    return 0;
}

static int holder_init(struct class_or_static_method *self, PyObject *callable)
{
    Py_XSETREF(self->callable, Py_NewRef(callable));
    return copy_attributes((PyObject *)self, callable);
}

static PyObject *holder_new(PyTypeObject *type, PyObject *callable)
{
    struct class_or_static_method *self =
        (struct class_or_static_method *)PyType_GenericAlloc(type, 0);
    if (self != NULL) {
        self->callable = Py_NewRef(callable);
    }
    return (PyObject *)self;
}

static PyObject *get_isabstractmethod(PyObject *op, void *Py_UNUSED(closure))
{
    PyObject *flag;
    int found =
        PyObject_GetOptionalAttr(class_or_static_callable(op), ID(__isabstractmethod__), &flag);
    int truth = found <= 0 ? found : PyObject_IsTrue(flag);
    Py_XDECREF(flag);
    return truth < 0 ? NULL : PyBool_FromLong(truth);
}

static PyMemberDef holder_members[] = {
    {"__func__", _Py_T_OBJECT, offsetof(struct class_or_static_method, callable), Py_READONLY,
     NULL},
    {"__wrapped__", _Py_T_OBJECT, offsetof(struct class_or_static_method, callable), Py_READONLY,
     NULL},
    {NULL},
};

static PyGetSetDef holder_getset[] = {
    {"__isabstractmethod__", get_isabstractmethod},
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL},
};

static PyObject *raise_uninitialized(const char *name)
{
    PyErr_Format(PyExc_RuntimeError, "uninitialized %s object", name);
    return NULL;
}

/* ---- classmethod ----------------------------------------------------------------------------- */

static int classmethod_init(struct class_or_static_method *self, PyObject *callable)
{
    return holder_init(self, callable);
}

static PyObject *classmethod_descr_get(PyObject *op, PyObject *obj, PyObject *type)
{
    PyObject *callable = class_or_static_callable(op);
    if (callable == NULL) {
        return raise_uninitialized("classmethod");
    }
    return PyMethod_New(callable, type == NULL ? (PyObject *)Py_TYPE(obj) : type);
}

static PyObject *classmethod_repr(PyObject *op)
{
    return PyUnicode_FromFormat("<classmethod(%R)>", class_or_static_callable(op));
}

PyObject *PyClassMethod_New(PyObject *callable)
{
    return holder_new(&PyClassMethod_Type, callable);
}

PyTypeObject PyClassMethod_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "classmethod",
    .tp_basicsize = sizeof(struct class_or_static_method),
    .tp_dealloc = holder_dealloc,
    .tp_repr = classmethod_repr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = classmethod_doc,
    .tp_traverse = holder_traverse,
    .tp_clear = holder_clear,
    .tp_members = holder_members,
    .tp_getset = holder_getset,
    .tp_descr_get = classmethod_descr_get,
    .tp_dictoffset = offsetof(struct class_or_static_method, dict),
    .tp_init = bind_classmethod_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = PyType_GenericNew,
    .tp_free = PyObject_GC_Del,
};

/* ---- staticmethod ---------------------------------------------------------------------------- */

static int staticmethod_init(struct class_or_static_method *self, PyObject *callable)
{
    return holder_init(self, callable);
}

static PyObject *staticmethod_descr_get(PyObject *op, PyObject *Py_UNUSED(obj),
                                        PyObject *Py_UNUSED(type))
{
    PyObject *callable = class_or_static_callable(op);
    return callable == NULL ? raise_uninitialized("staticmethod") : Py_NewRef(callable);
}

static PyObject *staticmethod_call(PyObject *op, PyObject *args, PyObject *kwds)
{
    return PyObject_Call(class_or_static_callable(op), args, kwds);
}

static PyObject *staticmethod_repr(PyObject *op)
{
    return PyUnicode_FromFormat("<staticmethod(%R)>", class_or_static_callable(op));
}

PyObject *PyStaticMethod_New(PyObject *callable)
{
    return holder_new(&PyStaticMethod_Type, callable);
}

PyTypeObject PyStaticMethod_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "staticmethod",
    .tp_basicsize = sizeof(struct class_or_static_method),
    .tp_dealloc = holder_dealloc,
    .tp_repr = staticmethod_repr,
    .tp_call = staticmethod_call,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = staticmethod_doc,
    .tp_traverse = holder_traverse,
    .tp_clear = holder_clear,
    .tp_members = holder_members,
    .tp_getset = holder_getset,
    .tp_descr_get = staticmethod_descr_get,
    .tp_dictoffset = offsetof(struct class_or_static_method, dict),
    .tp_init = bind_staticmethod_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = PyType_GenericNew,
    .tp_free = PyObject_GC_Del,
};
