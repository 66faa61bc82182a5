/* Types made at run time by PyType_FromSpec and its relatives. */
#include "parts.h"

#include <stddef.h>
#include <string.h>

/* What a heap type's dealloc does last. */
static void free_instance(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

/* ---- values ------------------------------------------------------------------------------------------ */

struct valued {
    PyObject_HEAD
    int value;
};

struct valued_sub {
    struct valued base;
    int value2;
};

static int valued_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    ((struct valued *)self)->value = 10;
    return 0;
}

static int valued_sub_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    ((struct valued *)self)->value = 10;
    ((struct valued_sub *)self)->value2 = 20;
    return 0;
}

static PyMemberDef valued_members[] = {
    {"value", Py_T_INT, offsetof(struct valued, value), 0, NULL},
    {NULL},
};

static PyMemberDef valued_sub_members[] = {
    {"value2", Py_T_INT, offsetof(struct valued_sub, value2), 0, NULL},
    {NULL},
};

static PyType_Slot valued_slots[] = {
    {Py_tp_init, valued_init},
    {Py_tp_members, valued_members},
    {Py_tp_dealloc, free_instance},
    {Py_tp_doc, "A heap type without GC, but with overridden dealloc."},
    {0, NULL},
};

static PyType_Spec valued_spec = {
    "_testcapi.HeapCType", sizeof(struct valued), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    valued_slots,
};

static PyType_Slot valued_sub_slots[] = {
    {Py_tp_init, valued_sub_init},
    {Py_tp_members, valued_sub_members},
    {Py_tp_doc, "Subclass of HeapCType, without its own dealloc."},
    {0, NULL},
};

static PyType_Spec valued_sub_spec = {
    "_testcapi.HeapCTypeSubclass",
    sizeof(struct valued_sub),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    valued_sub_slots,
};

/* Its finalizer makes the object one of HeapCTypeSubclass, and notes the counts of both types. */
static void change_class(PyObject *self)
{
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *module = PyImport_ImportModule("_testcapi");
    PyObject *old =
        module == NULL ? NULL : PyObject_GetAttrString(module, "HeapCTypeSubclassWithFinalizer");
    PyObject *new = module == NULL ? NULL : PyObject_GetAttrString(module, "HeapCTypeSubclass");
    if (old != NULL && new != NULL && PyObject_SetAttrString(self, "__class__", new) == 0) {
        /* The reference that this function holds counts as the argument of sys.getrefcount() does. */
        PyObject *count = PyLong_FromSsize_t(Py_REFCNT(old));
        PyObject_SetAttrString(old, "refcnt_in_del", count);
        Py_XDECREF(count);
        count = PyLong_FromSsize_t(Py_REFCNT(new));
        PyObject_SetAttrString(new, "refcnt_in_del", count);
        Py_XDECREF(count);
    }
    if (PyErr_Occurred()) {
        PyErr_WriteUnraisable(self);
    }
    Py_XDECREF(old);
    Py_XDECREF(new);
    Py_XDECREF(module);
    PyErr_SetRaisedException(raised);
}

static PyType_Slot finalizer_slots[] = {
    {Py_tp_init, valued_sub_init},
    {Py_tp_members, valued_sub_members},
    {Py_tp_finalize, change_class},
    {Py_tp_doc, "Subclass of HeapCType with a finalizer that reassigns __class__."},
    {0, NULL},
};

static PyType_Spec finalizer_spec = {
    "_testcapi.HeapCTypeSubclassWithFinalizer",
    sizeof(struct valued_sub),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_FINALIZE,
    finalizer_slots,
};

static int visit_type(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static void gc_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    free_instance(self);
}

static PyType_Slot gc_slots[] = {
    {Py_tp_init, valued_init},
    {Py_tp_members, valued_members},
    {Py_tp_dealloc, gc_dealloc},
    {Py_tp_traverse, visit_type},
    {Py_tp_doc, "A heap type with GC, and with overridden dealloc."},
    {0, NULL},
};

static PyType_Spec gc_spec = {
    "_testcapi.HeapGcCType",
    sizeof(struct valued),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    gc_slots,
};

/* ---- docstrings ---------------------------------------------------------------------------------------- */

static PyType_Slot doc_slots[] = {
    {Py_tp_doc, "HeapDocCType(arg1, arg2)\n--\n\nsomedoc"},
    {0, NULL},
};

static PyType_Spec doc_spec = {
    "_testcapi.HeapDocCType", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT, doc_slots,
};

static PyType_Slot null_doc_slots[] = {{Py_tp_doc, NULL}, {0, NULL}};

static PyType_Spec null_doc_spec = {
    "_testcapi.NullTpDocType", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT, null_doc_slots,
};

static PyType_Slot name_slots[] = {{0, NULL}};

static PyType_Spec name_spec = {
    "_testcapi.HeapTypeNameType", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT, name_slots,
};

FUNCTION0(get_heaptype_for_name)
{
    return PyType_FromSpec(&name_spec);
}

/* ---- a dict or weak references of the type's own ------------------------------------------------------------ */

struct with_pointer {
    PyObject_HEAD
    PyObject *pointer;
};

static void plain_dict_dealloc(PyObject *self)
{
    Py_CLEAR(((struct with_pointer *)self)->pointer);
    free_instance(self);
}

static PyGetSetDef dict_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL},
};

static PyMemberDef dict_members[] = {
    {"dictobj", _Py_T_OBJECT, offsetof(struct with_pointer, pointer), 0, NULL},
    {"__dictoffset__", Py_T_PYSSIZET, offsetof(struct with_pointer, pointer), Py_READONLY, NULL},
    {NULL},
};

/* The offset counts from the end. */
static PyMemberDef negative_dict_members[] = {
    {"dictobj", _Py_T_OBJECT, offsetof(struct with_pointer, pointer), 0, NULL},
    {"__dictoffset__", Py_T_PYSSIZET, -(Py_ssize_t)sizeof(void *), Py_READONLY, NULL},
    {NULL},
};

static PyType_Slot dict_slots[] = {
    {Py_tp_members, dict_members},
    {Py_tp_getset, dict_getset},
    {Py_tp_dealloc, plain_dict_dealloc},
    {0, NULL},
};

static PyType_Spec dict_spec = {
    "_testcapi.HeapCTypeWithDict",
    sizeof(struct with_pointer),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    dict_slots,
};

static PyType_Spec dict2_spec = {
    "_testcapi.HeapCTypeWithDict2",
    sizeof(struct with_pointer),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    dict_slots,
};

static PyType_Slot negative_dict_slots[] = {
    {Py_tp_members, negative_dict_members},
    {Py_tp_getset, dict_getset},
    {Py_tp_dealloc, plain_dict_dealloc},
    {0, NULL},
};

static PyType_Spec negative_dict_spec = {
    "_testcapi.HeapCTypeWithNegativeDict",    sizeof(struct with_pointer), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, negative_dict_slots,
};

static int managed_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    return PyObject_VisitManagedDict(self, visit, arg);
}

static int managed_clear(PyObject *self)
{
    PyObject_ClearManagedDict(self);
    return 0;
}

static void managed_dict_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    PyObject_ClearManagedDict(self);
    free_instance(self);
}

static PyType_Slot managed_dict_slots[] = {
    {Py_tp_traverse, managed_traverse},
    {Py_tp_getset, dict_getset},
    {Py_tp_clear, managed_clear},
    {Py_tp_dealloc, managed_dict_dealloc},
    {0, NULL},
};

static PyType_Spec managed_dict_spec = {
    "_testcapi.HeapCTypeWithManagedDict",
    sizeof(PyObject),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_MANAGED_DICT,
    managed_dict_slots,
};

static void managed_weakref_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    PyObject_ClearWeakRefs(self);
    free_instance(self);
}

static PyType_Slot managed_weakref_slots[] = {
    {Py_tp_traverse, visit_type},
    {Py_tp_dealloc, managed_weakref_dealloc},
    {0, NULL},
};

static PyType_Spec managed_weakref_spec = {
    "_testcapi.HeapCTypeWithManagedWeakref",
    sizeof(PyObject),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_MANAGED_WEAKREF,
    managed_weakref_slots,
};

static PyMemberDef weakref_members[] = {
    {"weakreflist", _Py_T_OBJECT, offsetof(struct with_pointer, pointer), Py_READONLY, NULL},
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(struct with_pointer, pointer), Py_READONLY,
     NULL},
    {NULL},
};

static void weakref_dealloc(PyObject *self)
{
    if (((struct with_pointer *)self)->pointer != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    free_instance(self);
}

static PyType_Slot weakref_slots[] = {
    {Py_tp_members, weakref_members},
    {Py_tp_dealloc, weakref_dealloc},
    {0, NULL},
};

static PyType_Spec weakref_spec = {
    "_testcapi.HeapCTypeWithWeakref",
    sizeof(struct with_pointer),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    weakref_slots,
};

static PyType_Spec weakref2_spec = {
    "_testcapi.HeapCTypeWithWeakref2",
    sizeof(struct with_pointer),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    weakref_slots,
};

/* ---- buffer, setattr ----------------------------------------------------------------------------------------- */

struct with_buffer {
    PyObject_HEAD
    char data[4];
};

static int own_getbuffer(PyObject *self, Py_buffer *view, int flags)
{
    struct with_buffer *object = (struct with_buffer *)self;
    memcpy(object->data, "1234", 4);
    return PyBuffer_FillInfo(view, self, object->data, 4, 1, flags);
}

static void own_releasebuffer(PyObject *self, Py_buffer *view)
{
    if (view->obj != self) {
        Py_FatalError("a buffer of another object");
    }
}

static PyType_Slot buffer_slots[] = {
    {Py_bf_getbuffer, own_getbuffer},
    {Py_bf_releasebuffer, own_releasebuffer},
    {0, NULL},
};

static PyType_Spec buffer_spec = {
    "_testcapi.HeapCTypeWithBuffer",
    sizeof(struct with_buffer),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    buffer_slots,
};

struct with_setattr {
    PyObject_HEAD
    long value;
};

static int setattr_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    ((struct with_setattr *)self)->value = 10;
    return 0;
}

static int own_setattro(PyObject *self, PyObject *name, PyObject *value)
{
    if (PyUnicode_CompareWithASCIIString(name, "value") != 0) {
        PyErr_SetObject(PyExc_AttributeError, name);
        return -1;
    }
    long number = value == NULL ? 0 : PyLong_AsLong(value);
    if (number == -1 && PyErr_Occurred()) {
        return -1;
    }
    ((struct with_setattr *)self)->value = number;
    return 0;
}

static PyMemberDef setattr_members[] = {
    {"pvalue", Py_T_LONG, offsetof(struct with_setattr, value), 0, NULL},
    {NULL},
};

static PyType_Slot setattr_slots[] = {
    {Py_tp_init, setattr_init},
    {Py_tp_members, setattr_members},
    {Py_tp_setattro, own_setattro},
    {Py_tp_dealloc, free_instance},
    {Py_tp_doc, "A heap type without GC, but with overridden __setattr__."},
    {0, NULL},
};

static PyType_Spec setattr_spec = {
    "_testcapi.HeapCTypeSetattr",
    sizeof(struct with_setattr),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    setattr_slots,
};

/* ---- metaclasses ----------------------------------------------------------------------------------------------- */

static PyType_Slot meta_slots[] = {{0, NULL}};

static PyType_Spec meta_spec = {
    "_testcapi.HeapCTypeMetaclass",
    sizeof(PyHeapTypeObject),
    sizeof(PyMemberDef),
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    meta_slots,
};

static PyType_Spec meta_null_new_spec = {
    "_testcapi.HeapCTypeMetaclassNullNew",
    sizeof(PyHeapTypeObject),
    sizeof(PyMemberDef),
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    meta_slots,
};

static PyObject *custom_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return PyType_Type.tp_new(type, args, kwargs);
}

static PyType_Slot meta_custom_new_slots[] = {{Py_tp_new, custom_new}, {0, NULL}};

static PyType_Spec meta_custom_new_spec = {
    "_testcapi.HeapCTypeMetaclassCustomNew",  sizeof(PyHeapTypeObject), sizeof(PyMemberDef),
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, meta_custom_new_slots,
};

static PyType_Spec via_meta_spec = {
    "_testcapi.HeapCTypeViaMetaclass",        sizeof(PyObject), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, meta_slots,
};

FUNCTION1(pytype_fromspec_meta, metaclass)
{
    return PyType_FromMetaclass((PyTypeObject *)metaclass, NULL, &via_meta_spec, NULL);
}

static PyType_Spec subclass_spec = {
    "_testcapi.Subclass", 0, 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, meta_slots,
};

FUNCTION1(make_type_with_base, base)
{
    return PyType_FromSpecWithBases(&subclass_spec, base);
}

static PyType_Spec immutable_spec = {
    "_testcapi.ImmutableSubclass",
    0,
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
    meta_slots,
};

FUNCTION1(make_immutable_type_with_base, base)
{
    return PyType_FromSpecWithBases(&immutable_spec, base);
}

/* Slots may be given once only. */
FUNCTION1(create_type_from_repeated_slots, variant)
{
    long number = PyLong_AsLong(variant);
    PyMemberDef members[] = {{"a", Py_T_INT, 0, 0, NULL}, {NULL}};
    PyType_Slot docs[] = {{Py_tp_doc, "a"}, {Py_tp_doc, "b"}, {0, NULL}};
    PyType_Slot twice[] = {{Py_tp_members, members}, {Py_tp_members, members}, {0, NULL}};
    PyType_Spec spec = {
        "_testcapi.RepeatedSlots", 0, 0, Py_TPFLAGS_DEFAULT, number == 0 ? docs : twice,
    };
    return PyType_FromSpec(&spec);
}

/* ---- items behind the object -------------------------------------------------------------------------------------- */

struct collection {
    PyObject_VAR_HEAD
};

static PyObject **collection_items(PyObject *self)
{
    return PyObject_GetItemData(self);
}

static PyObject *collection_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t size = PyTuple_GET_SIZE(args);
    PyObject *self = type->tp_alloc(type, size);
    PyObject **items = self == NULL ? NULL : collection_items(self);
    for (Py_ssize_t i = 0; i < size && items != NULL; i++) {
        items[i] = Py_NewRef(PyTuple_GET_ITEM(args, i));
    }
    return self;
}

static Py_ssize_t collection_length(PyObject *self)
{
    return Py_SIZE(self);
}

static PyObject *collection_item(PyObject *self, Py_ssize_t i)
{
    PyObject **items = collection_items(self);
    if (items == NULL || i < 0 || i >= Py_SIZE(self)) {
        PyErr_Format(PyExc_IndexError, "index %zd out of range", i);
        return NULL;
    }
    return Py_NewRef(items[i]);
}

static int collection_traverse(PyObject *self, visitproc visit, void *arg)
{
    PyObject **items = collection_items(self);
    Py_VISIT(Py_TYPE(self));
    for (Py_ssize_t i = 0; items != NULL && i < Py_SIZE(self); i++) {
        Py_VISIT(items[i]);
    }
    return 0;
}

static int collection_clear(PyObject *self)
{
    PyObject **items = collection_items(self);
    Py_ssize_t size = Py_SIZE(self);
    Py_SET_SIZE(self, 0);
    for (Py_ssize_t i = 0; items != NULL && i < size; i++) {
        Py_CLEAR(items[i]);
    }
    return 0;
}

static void collection_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    collection_clear(self);
    free_instance(self);
}

static PyType_Slot collection_slots[] = {
    {Py_tp_new, collection_new},
    {Py_sq_length, collection_length},
    {Py_sq_item, collection_item},
    {Py_tp_traverse, collection_traverse},
    {Py_tp_clear, collection_clear},
    {Py_tp_dealloc, collection_dealloc},
    {0, NULL},
};

static PyType_Spec collection_spec = {
    "_testcapi.HeapCCollection",
    sizeof(struct collection),
    sizeof(PyObject *),
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_ITEMS_AT_END,
    collection_slots,
};

/* ---- extra room behind an object of the collector's ------------------------------------------------------------------ */

static void **extra_of(PyObject *self)
{
    return (void **)((char *)self + Py_TYPE(self)->tp_basicsize);
}

static PyObject *extra_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *self = PyUnstable_Object_GC_NewWithExtraData(type, sizeof(PyObject *));
    if (self != NULL) {
        memset(self + 1, 0, (size_t)type->tp_basicsize - sizeof(PyObject));
        *extra_of(self) = NULL;
        PyObject_GC_Track(self);
    }
    return self;
}

static PyObject *extra_get(PyObject *self, void *closure)
{
    PyObject *value = *extra_of(self);
    return Py_NewRef(value == NULL ? Py_None : value);
}

static int extra_set(PyObject *self, PyObject *value, void *closure)
{
    PyObject *before = *extra_of(self);
    *extra_of(self) = Py_XNewRef(value);
    Py_XDECREF(before);
    return 0;
}

static int extra_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT((PyObject *)*extra_of(self));
    return 0;
}

static int extra_clear(PyObject *self)
{
    return extra_set(self, NULL, NULL);
}

static void extra_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    extra_clear(self);
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyGetSetDef extra_getset[] = {{"extra", extra_get, extra_set, NULL, NULL}, {NULL}};

static PyType_Slot extra_slots[] = {
    {Py_tp_new, extra_new},     {Py_tp_getset, extra_getset},   {Py_tp_traverse, extra_traverse},
    {Py_tp_clear, extra_clear}, {Py_tp_dealloc, extra_dealloc}, {0, NULL},
};

static PyType_Spec extra_spec = {
    "_testcapi.ObjExtraData",
    sizeof(PyObject),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    extra_slots,
};

/* ---- tests that check themselves ---------------------------------------------------------------------------------------- */

FUNCTION0(test_get_statictype_slots)
{
    newfunc tp_new = PyType_GetSlot(&PyLong_Type, Py_tp_new);
    reprfunc tp_repr = PyType_GetSlot(&PyLong_Type, Py_tp_repr);
    if (tp_new != PyLong_Type.tp_new || tp_repr != PyLong_Type.tp_repr) {
        return failed("a slot of int");
    }
    if (PyType_GetSlot(&PyLong_Type, Py_tp_call) != NULL || PyErr_Occurred()) {
        return failed("a slot that int does not have");
    }
    if (PyType_GetSlot(&PyLong_Type, 0) != NULL || !PyErr_ExceptionMatches(PyExc_SystemError)) {
        return failed("a slot that is none");
    }
    PyErr_Clear();
    Py_RETURN_NONE;
}

FUNCTION0(test_get_type_dict)
{
    PyObject *dict = PyType_GetDict(&PyLong_Type), *name = PyUnicode_FromString("to_bytes");
    int good = dict != NULL && PyDict_Check(dict) && PyDict_Contains(dict, name) == 1;
    Py_XDECREF(dict);
    Py_XDECREF(name);
    return good ? Py_NewRef(Py_None) : failed("the dict of int");
}

/* The name and the slots of a spec may go when the type is made. */
FUNCTION0(test_type_from_ephemeral_spec)
{
    char name[] = "testcapi._Test", doc[] = "a test class";
    PyMemberDef members[] = {{"some_member", Py_T_OBJECT_EX, sizeof(PyObject), 0, NULL}, {NULL}};
    PyType_Slot slots[] = {{Py_tp_doc, doc}, {Py_tp_members, members}, {0, NULL}};
    PyType_Spec spec = {name, sizeof(PyObject) + sizeof(void *), 0, Py_TPFLAGS_DEFAULT, slots};
    PyObject *type = PyType_FromSpec(&spec);
    memset(name, 'x', sizeof name);
    memset(doc, 'x', sizeof doc);
    memset(members, 0, sizeof members);
    memset(slots, 0, sizeof slots);
    memset(&spec, 0, sizeof spec);
    if (type == NULL) {
        return NULL;
    }
    PyObject *instance = PyObject_CallNoArgs(type), *value = PyLong_FromLong(3);
    PyObject *its_doc = PyObject_GetAttrString(type, "__doc__");
    int good = instance != NULL && PyObject_SetAttrString(instance, "some_member", value) == 0
               && PyUnicode_EqualToUTF8(its_doc, "a test class")
               && strcmp(((PyTypeObject *)type)->tp_name, "testcapi._Test") == 0;
    Py_XDECREF(value);
    Py_XDECREF(its_doc);
    Py_XDECREF(type);
    Py_XDECREF(instance);
    return good ? Py_NewRef(Py_None) : failed("the type needs its spec");
}

static PyObject *new_metaclass(const char *name)
{
    PyType_Spec spec = {
        name, 0, 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, meta_slots,
    };
    return PyType_FromSpecWithBases(&spec, (PyObject *)&PyType_Type);
}

FUNCTION0(test_from_spec_metatype_inheritance)
{
    PyObject *meta = new_metaclass("_testcapi.MinimalMetaclass");
    PyObject *base = meta == NULL ? NULL : PyObject_CallFunction(meta, "s(){}", "Base");
    PyType_Spec spec = {"_testcapi.MinimalType", 0, 0, Py_TPFLAGS_DEFAULT, meta_slots};
    PyObject *type = base == NULL ? NULL : PyType_FromSpecWithBases(&spec, base);
    int good = type != NULL && (PyObject *)Py_TYPE(type) == meta;
    Py_XDECREF(meta);
    Py_XDECREF(base);
    Py_XDECREF(type);
    return good ? Py_NewRef(Py_None) : failed("the metaclass is not inherited");
}

/* Bases whose metaclasses do not go together. */
FUNCTION0(test_from_spec_invalid_metatype_inheritance)
{
    PyObject *meta_a = new_metaclass("_testcapi.MetaclassA");
    PyObject *meta_b = new_metaclass("_testcapi.MetaclassB");
    PyObject *a = meta_a == NULL ? NULL : PyObject_CallFunction(meta_a, "s(){}", "A");
    PyObject *b = meta_b == NULL ? NULL : PyObject_CallFunction(meta_b, "s(){}", "B");
    PyObject *bases = a == NULL || b == NULL ? NULL : PyTuple_Pack(2, a, b);
    PyType_Spec spec = {"_testcapi.MinimalType", 0, 0, Py_TPFLAGS_DEFAULT, meta_slots};
    PyObject *type = bases == NULL ? NULL : PyType_FromSpecWithBases(&spec, bases);
    Py_XDECREF(meta_a);
    Py_XDECREF(meta_b);
    Py_XDECREF(a);
    Py_XDECREF(b);
    Py_XDECREF(bases);
    Py_XDECREF(type);
    if (type != NULL || !PyErr_ExceptionMatches(PyExc_TypeError)) {
        return failed("the metaclasses are no conflict");
    }
    PyErr_Clear();
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    NOARGS(get_heaptype_for_name),
    ONE(pytype_fromspec_meta),
    ONE(make_type_with_base),
    ONE(make_immutable_type_with_base),
    ONE(create_type_from_repeated_slots),
    NOARGS(test_get_statictype_slots),
    NOARGS(test_get_type_dict),
    NOARGS(test_type_from_ephemeral_spec),
    NOARGS(test_from_spec_metatype_inheritance),
    NOARGS(test_from_spec_invalid_metatype_inheritance),
    {NULL},
};

/* The type with its base, in the module: borrowed; NULL with an exception. */
static PyObject *add_type(PyObject *module, PyType_Spec *spec, PyObject *base, const char *name)
{
    PyObject *type = PyType_FromMetaclass(NULL, NULL, spec, base);
    name = name == NULL ? strchr(spec->name, '.') + 1 : name;
    if (type != NULL && PyModule_Add(module, name, type) < 0) {
        return NULL;
    }
    return type;
}

int add_heaptypes(PyObject *module)
{
    PyType_Spec *const specs[] = {
        &gc_spec,         &doc_spec,           &null_doc_spec,     &dict_spec,
        &dict2_spec,      &negative_dict_spec, &managed_dict_spec, &managed_weakref_spec,
        &weakref_spec,    &weakref2_spec,      &buffer_spec,       &setattr_spec,
        &collection_spec, &extra_spec,
    };
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        if (add_type(module, specs[i], NULL, NULL) == NULL) {
            return -1;
        }
    }
    PyObject *valued = PyType_FromSpec(&valued_spec);
    PyObject *sub = valued == NULL ? NULL : add_type(module, &valued_sub_spec, valued, NULL);
    Py_XDECREF(valued);
    PyObject *type = (PyObject *)&PyType_Type;
    if (sub == NULL || add_type(module, &finalizer_spec, sub, NULL) == NULL
        || add_type(module, &meta_spec, type, NULL) == NULL
        || add_type(module, &meta_null_new_spec, type, NULL) == NULL
        || add_type(module, &meta_custom_new_spec, type, NULL) == NULL) {
        return -1;
    }
    return PyModule_AddFunctions(module, methods);
}
