/* The type `type`: attributes of classes, and its methods. */
#include "objects/type/internal.h"

#include "objects/cfunction.h"
#include "objects/weakref.h"
#include "locking/refs.h"
#include "type_attrs.bind.h"

/* ---- lookup and assignment ------------------------------------------------------------------- */

PyObject *type_getattro(PyObject *self, PyObject *name)
{
    PyTypeObject *type = (PyTypeObject *)self, *metatype = Py_TYPE(type);
    if (unlikely(!PyUnicode_Check(name))) {
        PyErr_Format(PyExc_TypeError, "attribute name must be string, not '%.200s'",
                     Py_TYPE(name)->tp_name);
        return NULL;
    }
    if (unlikely(!(type->tp_flags & Py_TPFLAGS_READY)) && PyType_Ready(type) < 0) {
        return NULL;
    }
    /* A data descriptor of the metatype, the class's own attribute, then the metatype's. */
    PyObject *meta = type_lookup_ref(metatype, name, NULL), *result;
    descrgetfunc meta_get = meta == NULL ? NULL : Py_TYPE(meta)->tp_descr_get;
    if (meta_get != NULL && PyDescr_IsData(meta)) {
        result = meta_get(meta, self, (PyObject *)metatype);
        Py_DECREF(meta);
        return result;
    }
    PyObject *own = type_lookup_ref(type, name, NULL);
    if (own != NULL) {
        Py_XDECREF(meta);
        descrgetfunc get = Py_TYPE(own)->tp_descr_get;
        if (get == NULL) {
            return own;
        }
        result = get(own, NULL, self);
        Py_DECREF(own);
        return result;
    }
    if (meta_get != NULL) {
        result = meta_get(meta, self, (PyObject *)metatype);
        Py_DECREF(meta);
        return result;
    }
    if (meta != NULL) {
        return meta;
    }
    PyErr_Format(PyExc_AttributeError, "type object '%.100s' has no attribute '%U'", type->tp_name,
                 name);
    return NULL;
}

static bool is_dunder(PyObject *name)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(name);
    return length > 4 && PyUnicode_READ_CHAR(name, 0) == '_' && PyUnicode_READ_CHAR(name, 1) == '_'
           && PyUnicode_READ_CHAR(name, length - 1) == '_'
           && PyUnicode_READ_CHAR(name, length - 2) == '_';
}

int type_setattro(PyObject *self, PyObject *name, PyObject *value)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (type_is_immutable(type)) {
        PyErr_Format(PyExc_TypeError, "cannot set %R attribute of immutable type '%s'", name,
                     type->tp_name);
        return -1;
    }
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "attribute name must be string, not '%.200s'",
                     Py_TYPE(name)->tp_name);
        return -1;
    }
    /* A data descriptor of the metatype takes the assignment. */
    PyObject *meta = type_lookup_ref(Py_TYPE(type), name, NULL);
    descrsetfunc set = meta == NULL ? NULL : Py_TYPE(meta)->tp_descr_set;
    int result;
    if (set != NULL) {
        result = set(meta, self, value);
        if (result == 0 && is_dunder(name)) {
            type_modified(type);
        }
    } else {
        result = type_set_attr(type, name, value);
    }
    Py_XDECREF(meta);
    return result;
}

/* ---- checks of setters ----------------------------------------------------------------------- */

static bool may_set(PyTypeObject *type, PyObject *value, const char *name)
{
    if (type_is_immutable(type)) {
        PyErr_Format(PyExc_TypeError, "cannot set '%s' attribute of immutable type '%s'", name,
                     type->tp_name);
        return false;
    }
    if (value == NULL) {
        PyErr_Format(PyExc_TypeError, "cannot delete '%s' attribute of immutable type '%s'", name,
                     type->tp_name);
        return false;
    }
    return PySys_Audit("object.__setattr__", "OsO", type, name, value) == 0;
}

/* An entry of the class's own dict: new reference, or NULL, maybe with an exception. */
static PyObject *own_entry(PyTypeObject *type, PyObject *name)
{
    return dict_get_str(type_dict(type), name);
}

static int set_own_entry(PyTypeObject *type, PyObject *name, PyObject *value)
{
    return type_set_attr(type, name, value);
}

/* ---- names ----------------------------------------------------------------------------------- */

const char *type_short_name(PyTypeObject *type)
{
    const char *dot = strrchr(type->tp_name, '.');
    return dot == NULL ? type->tp_name : dot + 1;
}

const char *_PyType_Name(PyTypeObject *type)
{
    return type_short_name(type);
}

static PyObject *meta_get_name(PyTypeObject *type)
{
    if (type_is_heap(type)) {
        return Py_NewRef(((PyHeapTypeObject *)type)->ht_name);
    }
    return PyUnicode_FromString(type_short_name(type));
}

static int meta_set_name(PyTypeObject *type, PyObject *value)
{
    if (!may_set(type, value, "__name__")) {
        return -1;
    }
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "can only assign string to %s.__name__, not '%s'",
                     type->tp_name, Py_TYPE(value)->tp_name);
        return -1;
    }
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(value, &length);
    if (text == NULL) {
        return -1;
    }
    if (strlen(text) != (size_t)length) {
        PyErr_SetString(PyExc_ValueError, "type name must not contain null characters");
        return -1;
    }
    PyHeapTypeObject *heap = (PyHeapTypeObject *)type;
    type_lock();
    PyObject *old = heap->ht_name;
    field_store_release(&heap->ht_name, Py_NewRef(value));
    field_store_release(&type->tp_name, text);
    type_unlock();
    type_retire(old);
    return 0;
}

PyObject *type_get_qualname_of(PyTypeObject *type)
{
    return type_is_heap(type) ? Py_NewRef(((PyHeapTypeObject *)type)->ht_qualname)
                              : PyUnicode_FromString(type_short_name(type));
}

static PyObject *meta_get_qualname(PyTypeObject *type)
{
    return type_get_qualname_of(type);
}

static int meta_set_qualname(PyTypeObject *type, PyObject *value)
{
    if (!may_set(type, value, "__qualname__")) {
        return -1;
    }
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "can only assign string to %s.__qualname__, not '%s'",
                     type->tp_name, Py_TYPE(value)->tp_name);
        return -1;
    }
    PyHeapTypeObject *heap = (PyHeapTypeObject *)type;
    type_lock();
    PyObject *old = heap->ht_qualname;
    field_store_release(&heap->ht_qualname, Py_NewRef(value));
    type_unlock();
    type_retire(old);
    return 0;
}

PyObject *type_module_name(PyTypeObject *type)
{
    if (type_is_heap(type)) {
        PyObject *module = own_entry(type, ID(__module__));
        if (module == NULL && !PyErr_Occurred()) {
            PyErr_SetObject(PyExc_AttributeError, ID(__module__));
        }
        return module;
    }
    const char *dot = strrchr(type->tp_name, '.');
    return dot == NULL ? Py_NewRef(ID(builtins))
                       : PyUnicode_FromStringAndSize(type->tp_name, dot - type->tp_name);
}

static PyObject *meta_get_module(PyTypeObject *type)
{
    return type_module_name(type);
}

static int meta_set_module(PyTypeObject *type, PyObject *value)
{
    if (!may_set(type, value, "__module__")) {
        return -1;
    }
    /* The line of the class statement is of no use in another module. */
    if (PyDict_Pop(type_dict(type), ID(__firstlineno__), NULL) < 0) {
        return -1;
    }
    return set_own_entry(type, ID(__module__), value);
}

PyObject *PyType_GetName(PyTypeObject *type)
{
    return meta_get_name(type);
}

PyObject *PyType_GetQualName(PyTypeObject *type)
{
    return type_get_qualname_of(type);
}

PyObject *PyType_GetModuleName(PyTypeObject *type)
{
    return type_module_name(type);
}

PyObject *PyType_GetFullyQualifiedName(PyTypeObject *type)
{
    if (!type_is_heap(type)) {
        return PyUnicode_FromString(type->tp_name);
    }
    PyObject *qualname = type_get_qualname_of(type), *module = type_module_name(type), *name;
    if (qualname == NULL || module == NULL) {
        name = NULL;
    } else if (PyUnicode_Check(module) && PyUnicode_Compare(module, ID(builtins)) != 0
               && PyUnicode_Compare(module, ID(__main__)) != 0) {
        name = PyUnicode_FromFormat("%U.%U", module, qualname);
    } else {
        name = Py_NewRef(qualname);
    }
    Py_XDECREF(module);
    Py_XDECREF(qualname);
    return name;
}

static PyObject *meta_repr(PyObject *self)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (type->tp_name == NULL) {
        /* Not ready yet, and without a name. */
        return PyUnicode_FromFormat("<class at %p>", self);
    }
    PyObject *module = type_module_name(type);
    if (module == NULL) {
        PyErr_Clear();
    }
    PyObject *text;
    if (module != NULL && PyUnicode_Check(module) && PyUnicode_Compare(module, ID(builtins)) != 0) {
        PyObject *qualname = type_get_qualname_of(type);
        text = qualname == NULL ? NULL : PyUnicode_FromFormat("<class '%U.%U'>", module, qualname);
        Py_XDECREF(qualname);
    } else {
        text = PyUnicode_FromFormat("<class '%s'>", type->tp_name);
    }
    Py_XDECREF(module);
    return text;
}

/* ---- bases, MRO, dict ------------------------------------------------------------------------ */

static PyObject *meta_get_bases(PyTypeObject *type)
{
    PyObject *bases = field_load_acquire(&type->tp_bases);
    return Py_NewRef(bases == NULL ? Py_None : bases);
}

static int meta_set_bases(PyTypeObject *type, PyObject *value)
{
    if (!type_is_immutable(type) && value != NULL
        && PySys_Audit("object.__setattr__", "OsO", type, "__bases__", value) < 0) {
        return -1;
    }
    return type_set_bases(type, value, NULL);
}

static PyObject *meta_get_mro(PyTypeObject *type)
{
    PyObject *mro = type_mro(type);
    return Py_NewRef(mro == NULL ? Py_None : mro);
}

static PyObject *meta_mro(PyTypeObject *type)
{
    PyObject *mro = mro_compute(type);
    PyObject *list = mro == NULL ? NULL : PySequence_List(mro);
    Py_XDECREF(mro);
    return list;
}

PyObject *PyType_GetDict(PyTypeObject *type)
{
    return Py_XNewRef(type_dict(type));
}

PyObject *_PyType_GetDict(PyTypeObject *type)
{
    return type_dict(type);
}

static PyObject *meta_get_dict(PyTypeObject *type)
{
    PyObject *dict = type_dict(type);
    return dict == NULL ? Py_NewRef(Py_None) : PyDictProxy_New(dict);
}

static PyObject *meta_subclasses(PyTypeObject *type)
{
    return type_subclass_list(type);
}

bool type_is_subtype(PyTypeObject *type, PyTypeObject *base)
{
    if (type == base) {
        return true;
    }
    PyObject *mro = type_mro(type);
    if (mro != NULL) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(mro); i++) {
            if (PyTuple_GET_ITEM(mro, i) == (PyObject *)base) {
                return true;
            }
        }
        return false;
    }
    /* Not ready: the chain of bases. */
    for (; type != NULL; type = type->tp_base) {
        if (type == base) {
            return true;
        }
    }
    return base == &PyBaseObject_Type;
}

int PyType_IsSubtype(PyTypeObject *type, PyTypeObject *base)
{
    return type_is_subtype(type, base);
}

unsigned long PyType_GetFlags(PyTypeObject *type)
{
    return field_load(&type->tp_flags);
}

int PyType_SUPPORTS_WEAKREFS(PyTypeObject *type)
{
    return type->tp_weaklistoffset != 0;
}

/* ---- documentation, annotations, type parameters --------------------------------------------- */

static PyObject *meta_get_doc(PyTypeObject *type)
{
    if (!type_is_heap(type) && type->tp_doc != NULL) {
        return doc_without_signature(type->tp_name, type->tp_doc);
    }
    PyObject *doc = own_entry(type, ID(__doc__));
    if (doc == NULL) {
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    }
    descrgetfunc get = Py_TYPE(doc)->tp_descr_get;
    if (get != NULL) {
        Py_SETREF(doc, get(doc, NULL, (PyObject *)type));
    }
    return doc;
}

static int meta_set_doc(PyTypeObject *type, PyObject *value)
{
    if (!may_set(type, value, "__doc__")) {
        return -1;
    }
    return set_own_entry(type, ID(__doc__), value);
}

static PyObject *meta_get_text_signature(PyTypeObject *type)
{
    return doc_signature(type->tp_name, type->tp_doc);
}

static PyObject *meta_get_annotations(PyTypeObject *type)
{
    if (!type_is_heap(type)) {
        PyErr_Format(PyExc_AttributeError, "type object '%s' has no attribute '__annotations__'",
                     type->tp_name);
        return NULL;
    }
    PyObject *annotations = own_entry(type, ID(__annotations__));
    if (annotations != NULL) {
        descrgetfunc get = Py_TYPE(annotations)->tp_descr_get;
        if (get != NULL) {
            Py_SETREF(annotations, get(annotations, NULL, (PyObject *)type));
        }
        return annotations;
    }
    annotations = PyErr_Occurred() ? NULL : PyDict_New();
    if (annotations != NULL && set_own_entry(type, ID(__annotations__), annotations) < 0) {
        Py_CLEAR(annotations);
    }
    return annotations;
}

static int meta_set_annotations(PyTypeObject *type, PyObject *value)
{
    if (type_is_immutable(type)) {
        PyErr_Format(PyExc_TypeError,
                     "cannot set '__annotations__' attribute of immutable type '%s'",
                     type->tp_name);
        return -1;
    }
    if (value != NULL) {
        return set_own_entry(type, ID(__annotations__), value);
    }
    int present = PyDict_Contains(type_dict(type), ID(__annotations__));
    if (present == 0) {
        PyErr_SetString(PyExc_AttributeError, "__annotations__");
    }
    return present <= 0 ? -1 : set_own_entry(type, ID(__annotations__), NULL);
}

static PyObject *meta_get_type_params(PyTypeObject *type)
{
    PyObject *params = type == &PyType_Type ? NULL : own_entry(type, ID(__type_params__));
    if (params == NULL && !PyErr_Occurred()) {
        params = PyTuple_New(0);
    }
    return params;
}

static int meta_set_type_params(PyTypeObject *type, PyObject *value)
{
    if (!may_set(type, value, "__type_params__")) {
        return -1;
    }
    return set_own_entry(type, ID(__type_params__), value);
}

static PyObject *meta_get_abstractmethods(PyTypeObject *type)
{
    /* `type` itself has the descriptor under this name. */
    PyObject *names = type == &PyType_Type ? NULL : own_entry(type, ID(__abstractmethods__));
    if (names == NULL && !PyErr_Occurred()) {
        PyErr_SetObject(PyExc_AttributeError, ID(__abstractmethods__));
    }
    return names;
}

static int meta_set_abstractmethods(PyTypeObject *type, PyObject *value)
{
    int abstract = 0, result;
    if (value != NULL) {
        abstract = PyObject_IsTrue(value);
        if (abstract < 0) {
            return -1;
        }
        result = PyDict_SetItem(type_dict(type), ID(__abstractmethods__), value);
    } else {
        result = PyDict_Pop(type_dict(type), ID(__abstractmethods__), NULL);
        if (result == 0) {
            PyErr_SetObject(PyExc_AttributeError, ID(__abstractmethods__));
            return -1;
        }
    }
    if (result < 0) {
        return -1;
    }
    type_modified(type);
    type_lock();
    unsigned long flags = type->tp_flags & ~Py_TPFLAGS_IS_ABSTRACT;
    field_store(&type->tp_flags, flags | (abstract ? Py_TPFLAGS_IS_ABSTRACT : 0));
    type_unlock();
    return 0;
}

/* ---- methods --------------------------------------------------------------------------------- */

static PyObject *meta_prepare(PyObject *Py_UNUSED(cls), PyObject *const *Py_UNUSED(args),
                              Py_ssize_t Py_UNUSED(nargs), PyObject *Py_UNUSED(kwnames))
{
    return PyDict_New();
}

static int meta_instancecheck(PyTypeObject *type, PyObject *instance)
{
    return _PyObject_RealIsInstance(instance, (PyObject *)type);
}

static int meta_subclasscheck(PyTypeObject *type, PyObject *subclass)
{
    return _PyObject_RealIsSubclass(subclass, (PyObject *)type);
}

int class_names_merge(PyObject *names, PyObject *cls);

static PyObject *meta_dir(PyTypeObject *type)
{
    PyObject *names = PyDict_New(), *result = NULL;
    if (names != NULL && class_names_merge(names, (PyObject *)type) == 0) {
        result = PyDict_Keys(names);
    }
    Py_XDECREF(names);
    return result;
}

static PyObject *meta_sizeof(PyTypeObject *type)
{
    size_t size = sizeof(PyTypeObject);
    if (type_is_heap(type)) {
        size = sizeof(PyHeapTypeObject);
        if (((PyHeapTypeObject *)type)->ht_cached_keys != NULL) {
            size += sizeof(struct shape);
        }
    }
    return PyLong_FromSize_t(size);
}

static PyObject *meta_or(PyObject *self, PyObject *other)
{
    return _Py_union_type_or(self, other);
}

/* type(x), and class statements by vectorcall. */
static PyObject *meta_vectorcall(PyObject *metatype, PyObject *const *args, size_t nargsf,
                                 PyObject *kwnames)
{
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    if (count == 1 && metatype == (PyObject *)&PyType_Type) {
        if (kwnames != NULL && PyTuple_GET_SIZE(kwnames) != 0) {
            PyErr_SetString(PyExc_TypeError, "type() takes 1 or 3 arguments");
            return NULL;
        }
        return Py_NewRef((PyObject *)Py_TYPE(args[0]));
    }
    return type_vectorcall(metatype, args, nargsf, kwnames);
}

/* ---- __dict__ and __weakref__ of instances --------------------------------------------------- */

/* The nearest base written in C that keeps a dict of its own, whose descriptor serves. */
static PyTypeObject *c_base_with_dict(PyTypeObject *type)
{
    for (type = type->tp_base; type != NULL; type = type->tp_base) {
        if (type->tp_dictoffset != 0 && !type_is_heap(type)) {
            return type;
        }
    }
    return NULL;
}

static PyObject *raise_no_dict(PyObject *op)
{
    PyErr_Format(PyExc_TypeError, "this __dict__ descriptor does not support '%.200s' objects",
                 Py_TYPE(op)->tp_name);
    return NULL;
}

/* The descriptor of a C base under __dict__: new reference, NULL without exception if none. */
static PyObject *dict_descriptor(PyTypeObject *base)
{
    PyObject *descr = type_lookup_ref(base, ID(__dict__), NULL);
    if (descr != NULL && !PyDescr_IsData(descr)) {
        Py_CLEAR(descr);
    }
    return descr;
}

PyObject *subtype_dict(PyObject *op, void *context)
{
    PyTypeObject *base = c_base_with_dict(Py_TYPE(op));
    if (base == NULL) {
        return PyObject_GenericGetDict(op, context);
    }
    PyObject *descr = dict_descriptor(base);
    descrgetfunc get = descr == NULL ? NULL : Py_TYPE(descr)->tp_descr_get;
    if (get == NULL) {
        Py_XDECREF(descr);
        return raise_no_dict(op);
    }
    PyObject *dict = get(descr, op, (PyObject *)Py_TYPE(op));
    Py_DECREF(descr);
    return dict;
}

static int subtype_setdict(PyObject *op, PyObject *value, void *context)
{
    PyTypeObject *base = c_base_with_dict(Py_TYPE(op));
    if (base != NULL) {
        PyObject *descr = dict_descriptor(base);
        descrsetfunc set = descr == NULL ? NULL : Py_TYPE(descr)->tp_descr_set;
        if (set == NULL) {
            Py_XDECREF(descr);
            raise_no_dict(op);
            return -1;
        }
        int result = set(descr, op, value);
        Py_DECREF(descr);
        return result;
    }
    if (value != NULL && !PyDict_Check(value)) {
        PyErr_Format(PyExc_TypeError, "__dict__ must be set to a dictionary, not a '%.200s'",
                     Py_TYPE(value)->tp_name);
        return -1;
    }
    if (Py_TYPE(op)->tp_flags & Py_TPFLAGS_MANAGED_DICT) {
        return _PyObject_SetManagedDict(op, value);
    }
    PyObject **slot = _PyObject_GetDictPtr(op);
    if (slot == NULL) {
        PyErr_SetString(PyExc_AttributeError, "This object has no __dict__");
        return -1;
    }
    PyObject *old;
    CRITICAL_SECTION(op);
    old = *slot;
    field_store_release(slot, Py_XNewRef(value));
    CRITICAL_SECTION_END();
    Py_XDECREF(old);
    return 0;
}

static PyObject *subtype_getweakref(PyObject *op, void *Py_UNUSED(context))
{
    if (object_weaklist(op) == NULL) {
        PyErr_SetString(PyExc_AttributeError, "This object has no __weakref__");
        return NULL;
    }
    PyObject *first = weakref_first(op);
    return first == NULL ? Py_NewRef(Py_None) : first;
}

/* The second line stands for classes that only add a dict. */
PyGetSetDef subtype_getset_dict[] = {
    {"__weakref__", subtype_getweakref, NULL, "list of weak references to the object", NULL},
    {"__dict__", subtype_dict, subtype_setdict, "dictionary for instance variables", NULL},
    {NULL},
};
PyGetSetDef subtype_getset_weakref[] = {
    {"__weakref__", subtype_getweakref, NULL, "list of weak references to the object", NULL},
    {NULL},
};

/* ---- the type -------------------------------------------------------------------------------- */

PyMemberDef type_members[] = {
    {"__basicsize__", Py_T_PYSSIZET, offsetof(PyTypeObject, tp_basicsize), Py_READONLY, NULL},
    {"__itemsize__", Py_T_PYSSIZET, offsetof(PyTypeObject, tp_itemsize), Py_READONLY, NULL},
    {"__flags__", Py_T_ULONG, offsetof(PyTypeObject, tp_flags), Py_READONLY, NULL},
    {"__weakrefoffset__", Py_T_PYSSIZET, offsetof(PyTypeObject, tp_weaklistoffset), Py_READONLY,
     NULL},
    {"__base__", _Py_T_OBJECT, offsetof(PyTypeObject, tp_base), Py_READONLY, NULL},
    {"__dictoffset__", Py_T_PYSSIZET, offsetof(PyTypeObject, tp_dictoffset), Py_READONLY, NULL},
    {NULL},
};

static PyNumberMethods meta_as_number = {.nb_or = meta_or};

PyTypeObject PyType_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "type",
    .tp_basicsize = sizeof(PyHeapTypeObject),
    .tp_itemsize = sizeof(PyMemberDef),
    .tp_dealloc = type_dealloc,
    .tp_vectorcall_offset = offsetof(PyTypeObject, tp_vectorcall),
    .tp_repr = meta_repr,
    .tp_as_number = &meta_as_number,
    .tp_call = type_call,
    .tp_getattro = type_getattro,
    .tp_setattro = type_setattro,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE
                | Py_TPFLAGS_TYPE_SUBCLASS | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_ITEMS_AT_END,
    .tp_doc = meta_doc,
    .tp_traverse = type_traverse,
    .tp_clear = type_clear,
    .tp_weaklistoffset = offsetof(PyTypeObject, tp_weaklist),
    .tp_methods = meta_methods,
    .tp_members = type_members,
    .tp_getset = meta_getset,
    .tp_dictoffset = offsetof(PyTypeObject, tp_dict),
    .tp_init = type_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = type_new,
    .tp_free = PyObject_GC_Del,
    .tp_is_gc = type_is_gc,
    .tp_vectorcall = meta_vectorcall,
};
