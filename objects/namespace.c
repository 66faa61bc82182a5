/* types.SimpleNamespace: attributes and a readable repr. */
#include "objects/namespace.h"

#include "objects/error.h"

struct namespace
{
    PyObject_HEAD
    PyObject *dict;
};

#include "namespace.bind.h"

static PyObject *dict_of(PyObject *op)
{
    return ((struct namespace *)op)->dict;
}

static PyObject *namespace_new(PyTypeObject *type, PyObject *Py_UNUSED(args),
                               PyObject *Py_UNUSED(kwds))
{
    PyObject *self = type->tp_alloc(type, 0);
    if (self != NULL) {
        ((struct namespace *)self)->dict = PyDict_New();
        if (dict_of(self) == NULL) {
            Py_CLEAR(self);
        }
    }
    return self;
}

/* Takes the pairs of a mapping or iterable over. */
static int update_from(PyObject *self, PyObject *source)
{
    PyObject *dict = PyDict_CheckExact(source)
                         ? Py_NewRef(source)
                         : PyObject_CallOneArg((PyObject *)&PyDict_Type, source);
    if (dict == NULL) {
        return -1;
    }
    int result = PyArg_ValidateKeywordArguments(dict) ? PyDict_Update(dict_of(self), dict) : -1;
    Py_DECREF(dict);
    return result;
}

static int namespace_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    PyObject *source = NULL;
    if (!PyArg_UnpackTuple(args,
                           Py_TYPE(self)->tp_name == _PyNamespace_Type.tp_name
                               ? "SimpleNamespace"
                               : Py_TYPE(self)->tp_name,
                           0, 1, &source)
        || (source != NULL && update_from(self, source) < 0)) {
        return -1;
    }
    if (kwds == NULL) {
        return 0;
    }
    return PyArg_ValidateKeywordArguments(kwds) ? PyDict_Update(dict_of(self), kwds) : -1;
}

PyAPI_FUNC(PyObject *) _PyNamespace_New(PyObject *attributes);

PyObject *_PyNamespace_New(PyObject *attributes)
{
    PyObject *self = namespace_new(&_PyNamespace_Type, NULL, NULL);
    if (self != NULL && attributes != NULL && PyDict_Update(dict_of(self), attributes) < 0) {
        Py_CLEAR(self);
    }
    return self;
}

static int add_pairs(PyObject *parts, PyObject *dict)
{
    PyObject *names = PyDict_Keys(dict);
    int result = names == NULL ? -1 : 0;
    for (Py_ssize_t i = 0; result == 0 && i < PyList_GET_SIZE(names); i++) {
        PyObject *name = PyList_GET_ITEM(names, i), *value;
        if (!PyUnicode_Check(name) || PyUnicode_GET_LENGTH(name) == 0) {
            continue;
        }
        result = PyDict_GetItemRef(dict, name, &value);
        if (result > 0) {
            PyObject *part = PyUnicode_FromFormat("%U=%R", name, value);
            result = part == NULL ? -1 : PyList_Append(parts, part);
            Py_XDECREF(part);
            Py_DECREF(value);
        }
    }
    Py_XDECREF(names);
    return result;
}

static PyObject *namespace_repr(PyObject *self)
{
    const char *name = Py_IS_TYPE(self, &_PyNamespace_Type) ? "namespace" : Py_TYPE(self)->tp_name;
    int inside = Py_ReprEnter(self);
    if (inside != 0) {
        return inside > 0 ? PyUnicode_FromFormat("%s(...)", name) : NULL;
    }
    PyObject *parts = PyList_New(0), *text = NULL;
    if (parts != NULL && add_pairs(parts, dict_of(self)) == 0) {
        PyObject *comma = PyUnicode_FromString(", ");
        PyObject *joined = comma == NULL ? NULL : PyUnicode_Join(comma, parts);
        text = joined == NULL ? NULL : PyUnicode_FromFormat("%s(%U)", name, joined);
        Py_XDECREF(joined);
        Py_XDECREF(comma);
    }
    Py_XDECREF(parts);
    Py_ReprLeave(self);
    return text;
}

static PyObject *namespace_compare(PyObject *a, PyObject *b, int op)
{
    if (!PyObject_TypeCheck(a, &_PyNamespace_Type) || !PyObject_TypeCheck(b, &_PyNamespace_Type)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return PyObject_RichCompare(dict_of(a), dict_of(b), op);
}

static PyObject *namespace_reduce(struct namespace *self)
{
    return Py_BuildValue("O()O", Py_TYPE(self), self->dict);
}

static PyObject *namespace_replace(PyObject *self, PyObject *args, PyObject *kwds)
{
    if (PyTuple_GET_SIZE(args) != 0) {
        PyErr_Format(PyExc_TypeError, "__replace__() takes no positional arguments");
        return NULL;
    }
    PyObject *copy = PyObject_CallNoArgs((PyObject *)Py_TYPE(self));
    if (copy == NULL) {
        return NULL;
    }
    if (!PyObject_TypeCheck(copy, &_PyNamespace_Type)) {
        PyErr_Format(PyExc_TypeError, "expect %N type, but %T() returned '%T' object",
                     &_PyNamespace_Type, self, copy);
        Py_CLEAR(copy);
    } else if (PyDict_Update(dict_of(copy), dict_of(self)) < 0
               || (kwds != NULL && PyDict_Update(dict_of(copy), kwds) < 0)) {
        Py_CLEAR(copy);
    }
    return copy;
}

static int namespace_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(dict_of(self));
    return 0;
}

static int namespace_clear(PyObject *self)
{
    Py_CLEAR(((struct namespace *)self)->dict);
    return 0;
}

static void namespace_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    namespace_clear(self);
    Py_TYPE(self)->tp_free(self);
}

static PyMemberDef namespace_members[] = {
    {"__dict__", _Py_T_OBJECT, offsetof(struct namespace, dict), Py_READONLY, NULL},
    {NULL},
};

PyTypeObject _PyNamespace_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "types.SimpleNamespace",
    .tp_basicsize = sizeof(struct namespace),
    .tp_dealloc = namespace_dealloc,
    .tp_repr = namespace_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = namespace_doc,
    .tp_traverse = namespace_traverse,
    .tp_clear = namespace_clear,
    .tp_richcompare = namespace_compare,
    .tp_methods = namespace_methods,
    .tp_members = namespace_members,
    .tp_dictoffset = offsetof(struct namespace, dict),
    .tp_init = namespace_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = namespace_new,
    .tp_free = PyObject_GC_Del,
};
