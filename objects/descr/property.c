/* property: an attribute computed by functions. */
#include "objects/descr.h"

#include "locking/lock.h"
#include "locking/refs.h"
#include "objects/error.h"
#include "property.bind.h"

/* A field that readers without lock may look at: new reference or NULL. */
static PyObject *load(struct propertyobject *self, PyObject **field)
{
    return ref_load(field, (PyObject *)self);
}

static PyObject *none_to_null(PyObject *op)
{
    return op == Py_None ? NULL : Py_XNewRef(op);
}

/* ---- the name -------------------------------------------------------------------------------- */

/* 1 and a new reference, 0, -1: the name given by __set_name__, else the getter's. */
static int property_name(struct propertyobject *self, PyObject **name)
{
    *name = load(self, &self->name);
    if (*name != NULL) {
        return 1;
    }
    PyObject *getter = load(self, &self->getter);
    if (getter == NULL) {
        return 0;
    }
    int found = PyObject_GetOptionalAttr(getter, ID(__name__), name);
    Py_DECREF(getter);
    return found;
}

static PyObject *property_get_name(struct propertyobject *self)
{
    PyObject *name;
    if (property_name(self, &name) == 0) {
        PyErr_Format(PyExc_AttributeError, "'%.200s' object has no attribute '%U'",
                     Py_TYPE(self)->tp_name, ID(__name__));
    }
    return name;
}

static int property_set_name(struct propertyobject *self, PyObject *value)
{
    PyObject *old;
    CRITICAL_SECTION(self);
    old = self->name;
    field_store_release(&self->name, Py_XNewRef(value));
    CRITICAL_SECTION_END();
    Py_XDECREF(old);
    return 0;
}

static PyObject *property_on_set_name(PyObject *self, PyObject *args)
{
    if (PyTuple_GET_SIZE(args) != 2) {
        PyErr_Format(PyExc_TypeError,
                     "__set_name__() takes 2 positional arguments but %zd were given",
                     PyTuple_GET_SIZE(args));
        return NULL;
    }
    property_set_name((struct propertyobject *)self, PyTuple_GET_ITEM(args, 1));
    Py_RETURN_NONE;
}

/* ---- access ---------------------------------------------------------------------------------- */

/* "property 'x' of 'C' object has no setter" */
static void raise_missing(struct propertyobject *self, PyObject *obj, const char *what)
{
    PyObject *name, *type_name = PyType_GetQualName(Py_TYPE(obj));
    if (type_name == NULL || property_name(self, &name) < 0) {
        Py_XDECREF(type_name);
        return;
    }
    if (name != NULL) {
        PyErr_Format(PyExc_AttributeError, "property %R of %R object has no %s", name, type_name,
                     what);
    } else {
        PyErr_Format(PyExc_AttributeError, "property of %R object has no %s", type_name, what);
    }
    Py_XDECREF(name);
    Py_DECREF(type_name);
}

static PyObject *property_descr_get(PyObject *op, PyObject *obj, PyObject *Py_UNUSED(type))
{
    if (obj == NULL || obj == Py_None) {
        return Py_NewRef(op);
    }
    struct propertyobject *self = (struct propertyobject *)op;
    PyObject *getter = load(self, &self->getter);
    if (getter == NULL) {
        raise_missing(self, obj, "getter");
        return NULL;
    }
    PyObject *result = PyObject_CallOneArg(getter, obj);
    Py_DECREF(getter);
    return result;
}

static int property_descr_set(PyObject *op, PyObject *obj, PyObject *value)
{
    struct propertyobject *self = (struct propertyobject *)op;
    PyObject *func = load(self, value == NULL ? &self->deleter : &self->setter);
    if (func == NULL) {
        raise_missing(self, obj, value == NULL ? "deleter" : "setter");
        return -1;
    }
    PyObject *args[] = {NULL, obj, value};
    PyObject *result = PyObject_Vectorcall(
        func, args + 1, (value == NULL ? 1 : 2) | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    Py_DECREF(func);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

/* ---- copies with another function ------------------------------------------------------------ */

static PyObject *property_copy(struct propertyobject *old, PyObject *get, PyObject *set,
                               PyObject *del)
{
    PyObject *type = PyObject_Type((PyObject *)old);
    if (type == NULL) {
        return NULL;
    }
    get = get == NULL || get == Py_None ? (old->getter ? old->getter : Py_None) : get;
    set = set == NULL || set == Py_None ? (old->setter ? old->setter : Py_None) : set;
    del = del == NULL || del == Py_None ? (old->deleter ? old->deleter : Py_None) : del;
    /* A doc that came from the getter comes from the new getter. */
    PyObject *doc = old->doc_from_getter && get != Py_None ? Py_None
                    : old->doc                             ? old->doc
                                                           : Py_None;
    PyObject *copy = PyObject_CallFunctionObjArgs(type, get, set, del, doc, NULL);
    Py_DECREF(type);
    if (copy != NULL && PyObject_TypeCheck(copy, &PyProperty_Type)) {
        PyObject *name = load(old, &old->name);
        Py_XSETREF(((struct propertyobject *)copy)->name, name);
    }
    return copy;
}

static PyObject *property_getter(struct propertyobject *self, PyObject *func)
{
    return property_copy(self, func, NULL, NULL);
}

static PyObject *property_setter(struct propertyobject *self, PyObject *func)
{
    return property_copy(self, NULL, func, NULL);
}

static PyObject *property_deleter(struct propertyobject *self, PyObject *func)
{
    return property_copy(self, NULL, NULL, func);
}

/* ---- making ---------------------------------------------------------------------------------- */

/* Stores a new reference (taken over) to the doc: in a subclass its own attribute, since the
 * class's __doc__ would hide the field. */
static int set_doc(struct propertyobject *self, PyObject *doc)
{
    if (Py_IS_TYPE(self, &PyProperty_Type)) {
        Py_XSETREF(self->doc, doc);
        return 0;
    }
    int result = PyObject_SetAttr((PyObject *)self, ID(__doc__), doc == NULL ? Py_None : doc);
    Py_XDECREF(doc);
    if (result < 0 && !self->doc_from_getter && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        /* A subclass without room for it: a doc was never promised there. */
        PyErr_Clear();
        result = 0;
    }
    return result;
}

static int property_init(struct propertyobject *self, PyObject *fget, PyObject *fset,
                         PyObject *fdel, PyObject *doc)
{
    Py_XSETREF(self->getter, none_to_null(fget));
    Py_XSETREF(self->setter, none_to_null(fset));
    Py_XSETREF(self->deleter, none_to_null(fdel));
    Py_CLEAR(self->doc);
    Py_CLEAR(self->name);
    self->doc_from_getter = 0;
    PyObject *text = none_to_null(doc);
    if (text == NULL && self->getter != NULL) {
        if (PyObject_GetOptionalAttr(self->getter, ID(__doc__), &text) < 0) {
            return -1;
        }
        if (text == Py_None) {
            Py_CLEAR(text);
        }
        self->doc_from_getter = text != NULL;
    }
    return set_doc(self, text);
}

/* ---- the type -------------------------------------------------------------------------------- */

static PyObject *property_get_isabstractmethod(struct propertyobject *self)
{
    PyObject *functions[] = {self->getter, self->setter, self->deleter};
    for (int i = 0; i < 3; i++) {
        PyObject *flag;
        if (functions[i] == NULL) {
            continue;
        }
        int found = PyObject_GetOptionalAttr(functions[i], ID(__isabstractmethod__), &flag);
        int truth = found <= 0 ? found : PyObject_IsTrue(flag);
        Py_XDECREF(flag);
        if (truth != 0) {
            return truth < 0 ? NULL : Py_NewRef(Py_True);
        }
    }
    Py_RETURN_FALSE;
}

static int property_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct propertyobject *self = (struct propertyobject *)op;
    Py_VISIT(self->getter);
    Py_VISIT(self->setter);
    Py_VISIT(self->deleter);
    Py_VISIT(self->doc);
    Py_VISIT(self->name);
    return 0;
}

static int property_clear(PyObject *op)
{
    struct propertyobject *self = (struct propertyobject *)op;
    Py_CLEAR(self->getter);
    Py_CLEAR(self->setter);
    Py_CLEAR(self->deleter);
    Py_CLEAR(self->doc);
    Py_CLEAR(self->name);
    return 0;
}

static void property_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    property_clear(op);
    Py_TYPE(op)->tp_free(op);
}

PyTypeObject PyProperty_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "property",
    .tp_basicsize = sizeof(struct propertyobject),
    .tp_dealloc = property_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = property_doc,
    .tp_traverse = property_traverse,
    .tp_clear = property_clear,
    .tp_methods = property_methods,
    .tp_members = property_members,
    .tp_getset = property_getset,
    .tp_descr_get = property_descr_get,
    .tp_descr_set = property_descr_set,
    .tp_init = bind_property_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = PyType_GenericNew,
    .tp_free = PyObject_GC_Del,
};
