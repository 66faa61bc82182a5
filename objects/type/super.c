/* super: attributes of the classes behind a given one in the MRO. */
#include "objects/type/internal.h"

#include "objects/bindings.h"

/* The class whose MRO is searched for super(type, obj): obj's, or obj itself when it is a class
 * (new reference). Proxies may claim another class by __class__. */
static PyTypeObject *super_check(PyTypeObject *type, PyObject *obj)
{
    if (PyType_Check(obj) && type_is_subtype((PyTypeObject *)obj, type)) {
        return (PyTypeObject *)Py_NewRef(obj);
    }
    if (type_is_subtype(Py_TYPE(obj), type)) {
        return (PyTypeObject *)Py_NewRef((PyObject *)Py_TYPE(obj));
    }
    PyObject *claimed;
    if (PyObject_GetOptionalAttr(obj, ID(__class__), &claimed) < 0) {
        return NULL;
    }
    if (claimed != NULL && PyType_Check(claimed) && claimed != (PyObject *)Py_TYPE(obj)
        && type_is_subtype((PyTypeObject *)claimed, type)) {
        return (PyTypeObject *)claimed;
    }
    Py_XDECREF(claimed);
    bool is_type = PyType_Check(obj);
    PyErr_Format(PyExc_TypeError,
                 "super(type, obj): obj (%s %.200s) is not an instance or subtype "
                 "of type (%.200s).",
                 is_type ? "type" : "instance of",
                 is_type ? ((PyTypeObject *)obj)->tp_name : Py_TYPE(obj)->tp_name, type->tp_name);
    return NULL;
}

PyObject *super_find(PyTypeObject *start, PyTypeObject *type, PyObject *name)
{
    PyObject *mro = Py_XNewRef(type_mro(start)), *found = NULL;
    if (mro == NULL) {
        return NULL;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(mro), i = 0;
    while (i < count && PyTuple_GET_ITEM(mro, i) != (PyObject *)type) {
        i++;
    }
    for (i++; i < count && found == NULL; i++) {
        PyObject *dict = type_dict((PyTypeObject *)PyTuple_GET_ITEM(mro, i));
        found = dict == NULL ? NULL : dict_get_str(dict, name);
        if (found == NULL && PyErr_Occurred()) {
            break;
        }
    }
    Py_DECREF(mro);
    return found;
}

/* Binds `found` (taken over) to self, or leaves it unbound if *method is asked for. */
static PyObject *bind(PyObject *found, PyObject *self, PyTypeObject *start, int *method)
{
    if (method != NULL && PyType_HasFeature(Py_TYPE(found), Py_TPFLAGS_METHOD_DESCRIPTOR)
        && (PyObject *)start != self) {
        *method = 1;
        return found;
    }
    descrgetfunc get = Py_TYPE(found)->tp_descr_get;
    if (get != NULL) {
        Py_SETREF(found, get(found, (PyObject *)start == self ? NULL : self, (PyObject *)start));
    }
    return found;
}

static bool is_class_name(PyObject *name)
{
    return PyUnicode_Check(name) && PyUnicode_GET_LENGTH(name) == 9
           && PyUnicode_Compare(name, ID(__class__)) == 0;
}

PyObject *super_lookup(PyTypeObject *type, PyObject *self, PyObject *name, int *method)
{
    if (method != NULL) {
        *method = 0;
    }
    PyTypeObject *start = super_check(type, self);
    if (start == NULL) {
        return NULL;
    }
    PyObject *found = is_class_name(name) ? NULL : super_find(start, type, name);
    if (found != NULL) {
        found = bind(found, self, start, method);
    } else if (!PyErr_Occurred()) {
        /* An attribute of the super object itself. */
        struct superobject *op = (struct superobject *)object_new(&PySuper_Type, 0);
        if (op != NULL) {
            op->type = (PyTypeObject *)Py_NewRef((PyObject *)type);
            op->self = Py_NewRef(self);
            op->self_type = (PyTypeObject *)Py_NewRef((PyObject *)start);
            PyObject_GC_Track(op);
            found = PyObject_GenericGetAttr((PyObject *)op, name);
            Py_DECREF(op);
        }
    }
    Py_DECREF(start);
    return found;
}

PyObject *_PySuper_Lookup(PyTypeObject *type, PyObject *self, PyObject *name, int *method)
{
    return super_lookup(type, self, name, method);
}

/* ---- the type -------------------------------------------------------------------------------- */

static void super_dealloc(PyObject *self)
{
    struct superobject *op = (struct superobject *)self;
    PyObject_GC_UnTrack(self);
    Py_XDECREF(op->self);
    Py_XDECREF(op->type);
    Py_XDECREF(op->self_type);
    Py_TYPE(self)->tp_free(self);
}

static int super_traverse(PyObject *self, visitproc visit, void *arg)
{
    struct superobject *op = (struct superobject *)self;
    Py_VISIT(op->self);
    Py_VISIT(op->type);
    Py_VISIT(op->self_type);
    return 0;
}

static PyObject *super_repr(PyObject *self)
{
    struct superobject *op = (struct superobject *)self;
    const char *name = op->type == NULL ? "NULL" : op->type->tp_name;
    if (op->self_type == NULL) {
        return PyUnicode_FromFormat("<super: <class '%s'>, NULL>", name);
    }
    return PyUnicode_FromFormat("<super: <class '%s'>, <%s object>>", name, op->self_type->tp_name);
}

static PyObject *super_getattro(PyObject *self, PyObject *name)
{
    struct superobject *op = (struct superobject *)self;
    if (op->self_type != NULL && !is_class_name(name)) {
        PyObject *found = super_find(op->self_type, op->type, name);
        if (found != NULL) {
            return bind(found, op->self, op->self_type, NULL);
        }
        if (PyErr_Occurred()) {
            return NULL;
        }
    }
    return PyObject_GenericGetAttr(self, name);
}

static PyObject *super_descr_get(PyObject *self, PyObject *obj, PyObject *Py_UNUSED(type))
{
    struct superobject *op = (struct superobject *)self;
    if (obj == NULL || obj == Py_None || op->self != NULL) {
        return Py_NewRef(self);
    }
    if (!Py_IS_TYPE(self, &PySuper_Type)) {
        return PyObject_CallFunctionObjArgs((PyObject *)Py_TYPE(self), op->type, obj, NULL);
    }
    PyTypeObject *start = super_check(op->type, obj);
    if (start == NULL) {
        return NULL;
    }
    struct superobject *bound = (struct superobject *)PySuper_Type.tp_alloc(&PySuper_Type, 0);
    if (bound == NULL) {
        Py_DECREF(start);
        return NULL;
    }
    bound->type = (PyTypeObject *)Py_NewRef((PyObject *)op->type);
    bound->self = Py_NewRef(obj);
    bound->self_type = start;
    return (PyObject *)bound;
}

static int super_set(struct superobject *op, PyObject *type, PyObject *obj)
{
    PyObject *self = NULL;
    PyTypeObject *cls = NULL, *start = NULL;
    if (type == NULL) {
        if (object_hooks.super_arguments == NULL) {
            PyErr_SetString(PyExc_RuntimeError, "super(): no current frame");
            return -1;
        }
        if (object_hooks.super_arguments(&cls, &self) < 0) {
            return -1;
        }
    } else if (!PyType_Check(type)) {
        PyErr_Format(PyExc_TypeError, "super() argument 1 must be a type, not %.200s",
                     Py_TYPE(type)->tp_name);
        return -1;
    } else {
        cls = (PyTypeObject *)Py_NewRef(type);
        self = obj == Py_None ? NULL : Py_XNewRef(obj);
    }
    if (self != NULL && (start = super_check(cls, self)) == NULL) {
        Py_DECREF(self);
        Py_DECREF(cls);
        return -1;
    }
    Py_XSETREF(op->type, cls);
    Py_XSETREF(op->self, self);
    Py_XSETREF(op->self_type, start);
    return 0;
}

static int super_init(PyObject *self, PyObject *args, PyObject *kwds)
{
    Py_ssize_t count = PyTuple_GET_SIZE(args);
    if (!bind_no_keywords("super", kwds) || !bind_count("super()", count, 0, 2)) {
        return -1;
    }
    return super_set((struct superobject *)self, count > 0 ? PyTuple_GET_ITEM(args, 0) : NULL,
                     count > 1 ? PyTuple_GET_ITEM(args, 1) : NULL);
}

static PyObject *super_vectorcall(PyObject *cls, PyObject *const *args, size_t nargsf,
                                  PyObject *kwnames)
{
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    if (!bind_no_kwnames("super", kwnames) || !bind_count("super()", count, 0, 2)) {
        return NULL;
    }
    PyTypeObject *type = (PyTypeObject *)cls;
    PyObject *self = type->tp_alloc(type, 0);
    if (self != NULL
        && super_set((struct superobject *)self, count > 0 ? args[0] : NULL,
                     count > 1 ? args[1] : NULL)
               < 0) {
        Py_CLEAR(self);
    }
    return self;
}

static PyMemberDef super_members[] = {
    {"__thisclass__", _Py_T_OBJECT, offsetof(struct superobject, type), Py_READONLY,
     "the class whose method called super()"},
    {"__self__", _Py_T_OBJECT, offsetof(struct superobject, self), Py_READONLY,
     "the bound instance or class, or None"},
    {"__self_class__", _Py_T_OBJECT, offsetof(struct superobject, self_type), Py_READONLY,
     "the class whose order of bases is searched, or None"},
    {NULL},
};

PyTypeObject PySuper_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "super",
    .tp_basicsize = sizeof(struct superobject),
    .tp_dealloc = super_dealloc,
    .tp_repr = super_repr,
    .tp_getattro = super_getattro,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .tp_doc = "super(), super(type), super(type, object_or_type)\n"
              "\n"
              "Attributes as the classes after type give them, in the order of bases of the\n"
              "second argument's class. In a method, super() fills in both arguments:\n"
              "\n"
              "    class Window(Frame):\n"
              "        def draw(self, screen):\n"
              "            super().draw(screen)\n",
    .tp_traverse = super_traverse,
    .tp_members = super_members,
    .tp_descr_get = super_descr_get,
    .tp_init = super_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = PyType_GenericNew,
    .tp_free = PyObject_GC_Del,
    .tp_vectorcall = super_vectorcall,
};
