/* mappingproxy: a mapping that can be read but not changed. */
#include "objects/descr.h"

#include "objects/error.h"
#include "mappingproxy.bind.h"

static PyObject *mapping_of(PyObject *op)
{
    return ((struct mappingproxy *)op)->mapping;
}

static bool is_proxyable(PyObject *mapping)
{
    if (PyMapping_Check(mapping) && !PyList_Check(mapping) && !PyTuple_Check(mapping)) {
        return true;
    }
    PyErr_Format(PyExc_TypeError, "mappingproxy() argument must be a mapping, not %s",
                 Py_TYPE(mapping)->tp_name);
    return false;
}

static PyObject *proxy_new(PyObject *mapping)
{
    struct mappingproxy *self = (struct mappingproxy *)object_new(&PyDictProxy_Type, 0);
    if (self != NULL) {
        self->mapping = Py_NewRef(mapping);
        PyObject_GC_Track(self);
    }
    return (PyObject *)self;
}

PyObject *PyDictProxy_New(PyObject *mapping)
{
    return is_proxyable(mapping) ? proxy_new(mapping) : NULL;
}

static PyObject *mappingproxy_new(PyTypeObject *Py_UNUSED(type), PyObject *mapping)
{
    return PyDictProxy_New(mapping);
}

static PyObject *mappingproxy_get(struct mappingproxy *self, PyObject *key, PyObject *dflt)
{
    return PyObject_CallMethodObjArgs(self->mapping, ID(get), key, dflt, NULL);
}

static PyObject *mappingproxy_keys(struct mappingproxy *self)
{
    return PyObject_CallMethodNoArgs(self->mapping, ID(keys));
}

static PyObject *mappingproxy_values(struct mappingproxy *self)
{
    return PyObject_CallMethodNoArgs(self->mapping, ID(values));
}

static PyObject *mappingproxy_items(struct mappingproxy *self)
{
    return PyObject_CallMethodNoArgs(self->mapping, ID(items));
}

static PyObject *mappingproxy_copy(struct mappingproxy *self)
{
    return PyObject_CallMethodNoArgs(self->mapping, ID(copy));
}

static PyObject *mappingproxy_class_getitem(PyTypeObject *type, PyObject *item)
{
    return Py_GenericAlias((PyObject *)type, item);
}

static PyObject *mappingproxy_reversed(struct mappingproxy *self)
{
    return PyObject_CallMethodNoArgs(self->mapping, ID(__reversed__));
}

/* ---- slots ----------------------------------------------------------------------------------- */

static Py_ssize_t proxy_length(PyObject *op)
{
    return PyObject_Size(mapping_of(op));
}

static PyObject *proxy_subscript(PyObject *op, PyObject *key)
{
    return PyObject_GetItem(mapping_of(op), key);
}

static int proxy_contains(PyObject *op, PyObject *key)
{
    return PyDict_CheckExact(mapping_of(op)) ? PyDict_Contains(mapping_of(op), key)
                                             : PySequence_Contains(mapping_of(op), key);
}

static PyObject *unwrapped(PyObject *op)
{
    return PyObject_TypeCheck(op, &PyDictProxy_Type) ? mapping_of(op) : op;
}

static PyObject *proxy_or(PyObject *left, PyObject *right)
{
    return PyNumber_Or(unwrapped(left), unwrapped(right));
}

static PyObject *proxy_inplace_or(PyObject *op, PyObject *Py_UNUSED(other))
{
    return PyErr_Format(PyExc_TypeError, "'|=' is not supported by %s; use '|' instead",
                        Py_TYPE(op)->tp_name);
}

static PyObject *proxy_iter(PyObject *op)
{
    return PyObject_GetIter(mapping_of(op));
}

static Py_hash_t proxy_hash(PyObject *op)
{
    return stack_check(" while hashing") < 0 ? -1 : PyObject_Hash(mapping_of(op));
}

static PyObject *proxy_str(PyObject *op)
{
    return PyObject_Str(mapping_of(op));
}

static PyObject *proxy_repr(PyObject *op)
{
    return PyUnicode_FromFormat("mappingproxy(%R)", mapping_of(op));
}

static PyObject *proxy_compare(PyObject *op, PyObject *other, int how)
{
    return PyObject_RichCompare(mapping_of(op), other, how);
}

static int proxy_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(mapping_of(op));
    return 0;
}

static void proxy_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_DECREF(mapping_of(op));
    PyObject_GC_Del(op);
}

static PyNumberMethods proxy_as_number = {
    .nb_or = proxy_or,
    .nb_inplace_or = proxy_inplace_or,
};

static PyMappingMethods proxy_as_mapping = {
    .mp_length = proxy_length,
    .mp_subscript = proxy_subscript,
};

static PySequenceMethods proxy_as_sequence = {
    .sq_contains = proxy_contains,
};

PyTypeObject PyDictProxy_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "mappingproxy",
    .tp_basicsize = sizeof(struct mappingproxy),
    .tp_dealloc = proxy_dealloc,
    .tp_repr = proxy_repr,
    .tp_as_number = &proxy_as_number,
    .tp_as_sequence = &proxy_as_sequence,
    .tp_as_mapping = &proxy_as_mapping,
    .tp_hash = proxy_hash,
    .tp_str = proxy_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_MAPPING,
    .tp_doc = mappingproxy_doc,
    .tp_traverse = proxy_traverse,
    .tp_richcompare = proxy_compare,
    .tp_iter = proxy_iter,
    .tp_methods = mappingproxy_methods,
    .tp_new = bind_mappingproxy_new,
};
