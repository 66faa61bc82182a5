/* type.__new__: what a class statement comes down to. */
#include "objects/type/internal.h"

#include "locking/refs.h"

/* What is known about the class being made, step by step. References are borrowed unless said. */
struct class_plan {
    PyTypeObject *metatype;
    PyObject *args; /* as given */
    PyObject *kwds; /* or NULL */
    PyObject *name;
    PyObject *bases; /* owned tuple */
    PyObject *given_dict;
    PyObject *dict;     /* owned copy */
    PyTypeObject *base; /* the one whose layout is extended */
    PyObject *slots;    /* owned sorted tuple of mangled names, or NULL without __slots__ */
    bool may_add_dict, may_add_weak;
    bool add_dict, add_weak;
};

/* ---- bases ----------------------------------------------------------------------------------- */

PyTypeObject *metatype_of(PyTypeObject *metatype, PyObject *bases)
{
    PyTypeObject *winner = metatype;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        PyTypeObject *candidate = Py_TYPE(PyTuple_GET_ITEM(bases, i));
        if (PyType_IsSubtype(winner, candidate)) {
            continue;
        }
        if (PyType_IsSubtype(candidate, winner)) {
            winner = candidate;
            continue;
        }
        PyErr_SetString(PyExc_TypeError,
                        "metaclass conflict: the metaclass of a derived class must be a "
                        "(non-strict) subclass of the metaclasses of all its bases");
        return NULL;
    }
    return winner;
}

PyTypeObject *_PyType_CalculateMetaclass(PyTypeObject *metatype, PyObject *bases)
{
    return metatype_of(metatype, bases);
}

static int refuse_mro_entries(PyObject *bases)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        PyObject *base = PyTuple_GET_ITEM(bases, i);
        int has = PyType_Check(base) ? 0 : PyObject_HasAttrWithError(base, ID(__mro_entries__));
        if (has > 0) {
            PyErr_SetString(PyExc_TypeError, "type() doesn't support MRO entry resolution; "
                                             "use types.new_class()");
        }
        if (has != 0) {
            return -1;
        }
    }
    return 0;
}

/* 1: *made is what another metatype's tp_new gave; 0: go on; -1. */
static int choose_bases(struct class_plan *plan, PyObject *bases, PyObject **made)
{
    if (PyTuple_GET_SIZE(bases) == 0) {
        plan->base = &PyBaseObject_Type;
        plan->bases = PyTuple_Pack(1, &PyBaseObject_Type);
        return plan->bases == NULL ? -1 : 0;
    }
    if (refuse_mro_entries(bases) < 0) {
        return -1;
    }
    PyTypeObject *winner = metatype_of(plan->metatype, bases);
    if (winner == NULL) {
        return -1;
    }
    if (winner != plan->metatype) {
        if (winner->tp_new != type_new) {
            *made = winner->tp_new(winner, plan->args, plan->kwds);
            return *made == NULL ? -1 : 1;
        }
        plan->metatype = winner;
    }
    plan->base = best_base(bases);
    plan->bases = Py_NewRef(bases);
    return plan->base == NULL ? -1 : 0;
}

/* ---- __slots__ ------------------------------------------------------------------------------- */

/* __name becomes _Class__name inside a class (new reference). */
static PyObject *mangle(PyObject *class_name, PyObject *name)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(name);
    Py_ssize_t class_length = PyUnicode_GET_LENGTH(class_name), underscores = 0;
    bool is_private = length > 2 && PyUnicode_READ_CHAR(name, 0) == '_'
                      && PyUnicode_READ_CHAR(name, 1) == '_'
                      && !(PyUnicode_READ_CHAR(name, length - 1) == '_'
                           && PyUnicode_READ_CHAR(name, length - 2) == '_')
                      && PyUnicode_FindChar(name, '.', 0, length, 1) < 0;
    while (underscores < class_length && PyUnicode_READ_CHAR(class_name, underscores) == '_') {
        underscores++;
    }
    if (!is_private || underscores == class_length) {
        return Py_NewRef(name);
    }
    PyObject *stripped = PyUnicode_Substring(class_name, underscores, class_length);
    PyObject *mangled = stripped == NULL ? NULL : PyUnicode_FromFormat("_%U%U", stripped, name);
    Py_XDECREF(stripped);
    return mangled;
}

static bool slot_name_valid(PyObject *name)
{
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "__slots__ items must be strings, not '%.200s'",
                     Py_TYPE(name)->tp_name);
        return false;
    }
    if (!PyUnicode_IsIdentifier(name)) {
        PyErr_SetString(PyExc_TypeError, "__slots__ must be identifiers");
        return false;
    }
    return true;
}

/* Takes __dict__ and __weakref__ out of the slots: 1 taken, 0 an ordinary name, -1. */
static int take_special_slot(struct class_plan *plan, PyObject *name)
{
    bool dict = PyUnicode_Compare(name, ID(__dict__)) == 0;
    bool weak = !dict && PyUnicode_Compare(name, ID(__weakref__)) == 0;
    if (!dict && !weak) {
        return 0;
    }
    bool *wanted = dict ? &plan->add_dict : &plan->add_weak;
    if (!(dict ? plan->may_add_dict : plan->may_add_weak) || *wanted) {
        PyErr_Format(PyExc_TypeError, "%U slot disallowed: we already got one", name);
        return -1;
    }
    *wanted = true;
    return 1;
}

/* Names that the compiler puts into the namespace and that are gone afterwards. */
static bool is_transient(PyObject *name)
{
    return PyUnicode_Compare(name, ID(__qualname__)) == 0
           || PyUnicode_Compare(name, ID(__classcell__)) == 0
           || PyUnicode_Compare(name, ID(__classdictcell__)) == 0;
}

static int collect_slots(struct class_plan *plan, PyObject *declared, PyObject *names)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(declared); i++) {
        PyObject *name = PyTuple_GET_ITEM(declared, i);
        if (!slot_name_valid(name)) {
            return -1;
        }
        int special = take_special_slot(plan, name);
        if (special < 0) {
            return -1;
        }
        if (special) {
            continue;
        }
        PyObject *mangled = mangle(plan->name, name);
        if (mangled == NULL) {
            return -1;
        }
        PyUnicode_InternInPlace(&mangled);
        int bad = PyList_Append(names, mangled) < 0 ? -1 : PyDict_Contains(plan->dict, mangled);
        if (bad > 0 && is_transient(mangled)) {
            bad = 0;
        }
        if (bad > 0) {
            PyErr_Format(PyExc_ValueError, "%R in __slots__ conflicts with class variable", name);
        }
        Py_DECREF(mangled);
        if (bad != 0) {
            return -1;
        }
    }
    return 0;
}

/* A further base may need a dict or weak references that the first one has not. */
static void look_at_other_bases(struct class_plan *plan)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(plan->bases); i++) {
        PyTypeObject *other = (PyTypeObject *)PyTuple_GET_ITEM(plan->bases, i);
        if (other == plan->base) {
            continue;
        }
        if (plan->may_add_dict && other->tp_dictoffset != 0) {
            plan->add_dict = true;
        }
        if (plan->may_add_weak && other->tp_weaklistoffset != 0) {
            plan->add_weak = true;
        }
    }
}

static int choose_slots(struct class_plan *plan)
{
    PyTypeObject *base = plan->base;
    plan->may_add_dict = base->tp_dictoffset == 0;
    plan->may_add_weak = base->tp_weaklistoffset == 0 && base->tp_itemsize == 0;
    PyObject *given;
    if (PyDict_GetItemRef(plan->dict, ID(__slots__), &given) < 0) {
        return -1;
    }
    if (given == NULL) {
        plan->add_dict = plan->may_add_dict;
        plan->add_weak = plan->may_add_weak;
        return 0;
    }
    PyObject *declared = PyUnicode_Check(given) ? PyTuple_Pack(1, given) : PySequence_Tuple(given);
    Py_DECREF(given);
    if (declared == NULL) {
        return -1;
    }
    int result = -1;
    PyObject *names = PyList_New(0);
    if (PyTuple_GET_SIZE(declared) > 0 && base->tp_itemsize != 0) {
        PyErr_Format(PyExc_TypeError, "nonempty __slots__ not supported for subtype of '%s'",
                     base->tp_name);
    } else if (names != NULL && collect_slots(plan, declared, names) == 0
               && PyList_Sort(names) == 0) {
        plan->slots = PyList_AsTuple(names);
        result = plan->slots == NULL ? -1 : 0;
    }
    Py_XDECREF(names);
    Py_DECREF(declared);
    if (result == 0 && PyTuple_GET_SIZE(plan->bases) > 1) {
        look_at_other_bases(plan);
    }
    return result;
}

/* ---- the type object ------------------------------------------------------------------------- */

static const char *checked_name(PyObject *name)
{
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(name, &length);
    if (text != NULL && strlen(text) != (size_t)length) {
        PyErr_SetString(PyExc_ValueError, "type name must not contain null characters");
        return NULL;
    }
    return text;
}

static PyTypeObject *allocate(struct class_plan *plan)
{
    const char *text = checked_name(plan->name);
    if (text == NULL) {
        return NULL;
    }
    Py_ssize_t nslots = plan->slots == NULL ? 0 : PyTuple_GET_SIZE(plan->slots);
    PyTypeObject *type = (PyTypeObject *)plan->metatype->tp_alloc(plan->metatype, nslots);
    if (type == NULL) {
        return NULL;
    }
    ref_defer((PyObject *)type);
    PyHeapTypeObject *heap = (PyHeapTypeObject *)type;
    type->tp_flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HEAPTYPE | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_FINALIZE;
    type->tp_name = text;
    type->tp_as_async = &heap->as_async;
    type->tp_as_number = &heap->as_number;
    type->tp_as_sequence = &heap->as_sequence;
    type->tp_as_mapping = &heap->as_mapping;
    type->tp_as_buffer = &heap->as_buffer;
    type->tp_bases = Py_NewRef(plan->bases);
    type->tp_base = (PyTypeObject *)Py_NewRef((PyObject *)plan->base);
    type->tp_dict = Py_NewRef(plan->dict);
    ref_defer(plan->dict);
    heap->ht_name = Py_NewRef(plan->name);
    heap->ht_slots = Py_XNewRef(plan->slots);
    return type;
}

/* __slots__ become members behind the base's fields. */
static int lay_out(struct class_plan *plan, PyTypeObject *type)
{
    PyMemberDef *member = (PyMemberDef *)((char *)type + Py_TYPE(type)->tp_basicsize);
    Py_ssize_t offset = plan->base->tp_basicsize;
    type->tp_members = member;
    for (Py_ssize_t i = 0; plan->slots != NULL && i < PyTuple_GET_SIZE(plan->slots); i++) {
        *member = (PyMemberDef){
            .name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(plan->slots, i)),
            .type = Py_T_OBJECT_EX,
            .offset = offset,
        };
        if (member->name == NULL) {
            return -1;
        }
        offset += (Py_ssize_t)sizeof(PyObject *);
        member++;
    }
    type->tp_basicsize = offset;
    type->tp_itemsize = plan->base->tp_itemsize;
    if (plan->add_dict) {
        type->tp_flags |= Py_TPFLAGS_MANAGED_DICT;
        type->tp_dictoffset = -1;
    }
    if (plan->add_weak) {
        type->tp_flags |= Py_TPFLAGS_MANAGED_WEAKREF;
        type->tp_weaklistoffset = OBJECT_MANAGED_WEAKLIST_OFFSET;
    }
    if (plan->add_dict) {
        type->tp_getset = subtype_getset_dict + (plan->add_weak ? 0 : 1);
    } else if (plan->add_weak) {
        type->tp_getset = subtype_getset_weakref;
    }
    return 0;
}

static void set_life_slots(struct class_plan *plan, PyTypeObject *type)
{
    if ((plan->base->tp_flags & Py_TPFLAGS_HAVE_GC) || plan->add_dict
        || type->tp_basicsize > plan->base->tp_basicsize) {
        type->tp_flags |= Py_TPFLAGS_HAVE_GC;
        type->tp_traverse = subtype_traverse;
        type->tp_clear = subtype_clear;
        type->tp_free = PyObject_GC_Del;
    } else {
        type->tp_free = PyObject_Free;
    }
    type->tp_dealloc = subtype_dealloc;
    type->tp_alloc = PyType_GenericAlloc;
    type->tp_vectorcall = type_vectorcall;
}

/* ---- the shape ------------------------------------------------------------------------------- */

/* Adds the names that methods of `type` assign to self. */
static int add_static_attributes(PyObject *names, PyTypeObject *type)
{
    PyObject *dict = type_dict(type);
    PyObject *attributes = dict == NULL ? NULL : dict_get_str(dict, ID(__static_attributes__));
    if (attributes == NULL || !PyTuple_Check(attributes)) {
        Py_XDECREF(attributes);
        return PyErr_Occurred() ? -1 : 0;
    }
    int result = 0;
    for (Py_ssize_t i = 0; result == 0 && i < PyTuple_GET_SIZE(attributes); i++) {
        PyObject *name = PyTuple_GET_ITEM(attributes, i);
        if (PyUnicode_CheckExact(name)) {
            result = PySet_Add(names, name);
        }
    }
    Py_DECREF(attributes);
    return result;
}

/* Instances with a dict and no fields of their own get inline slots: as many as the methods of
 * the class and its bases assign, and some to spare. */
static int make_shape(PyTypeObject *type)
{
    if (!(type->tp_flags & Py_TPFLAGS_MANAGED_DICT)
        || type->tp_basicsize != (Py_ssize_t)sizeof(PyObject) || type->tp_itemsize != 0) {
        return 0;
    }
    PyObject *names = PySet_New(NULL);
    if (names == NULL) {
        return -1;
    }
    int result = 0;
    for (Py_ssize_t i = 0; result == 0 && i < PyTuple_GET_SIZE(type->tp_mro); i++) {
        result = add_static_attributes(names, (PyTypeObject *)PyTuple_GET_ITEM(type->tp_mro, i));
    }
    Py_ssize_t expected = PySet_GET_SIZE(names);
    Py_DECREF(names);
    if (result < 0) {
        return -1;
    }
    unsigned capacity = expected > SHAPE_MAX ? SHAPE_MAX : (unsigned)expected + 1;
    capacity = capacity < 4 ? 4 : (capacity + 1) & ~1u; /* an odd word would be padding */
    struct shape *shape = shape_new(capacity);
    if (shape == NULL) {
        return -1;
    }
    ((PyHeapTypeObject *)type)->ht_cached_keys = (PyDictKeysObject *)shape;
    type->tp_flags |= Py_TPFLAGS_INLINE_VALUES;
    return 0;
}

/* ---- the namespace --------------------------------------------------------------------------- */

static int set_module(struct class_plan *plan)
{
    int present = PyDict_Contains(plan->dict, ID(__module__));
    if (present != 0 || object_hooks.caller_module == NULL) {
        return present < 0 ? -1 : 0;
    }
    PyObject *module = object_hooks.caller_module(0);
    if (module == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    int result = PyDict_SetItem(plan->dict, ID(__module__), module);
    Py_DECREF(module);
    return result;
}

static int set_qualname(struct class_plan *plan, PyTypeObject *type)
{
    PyHeapTypeObject *heap = (PyHeapTypeObject *)type;
    PyObject *qualname;
    if (PyDict_Pop(plan->dict, ID(__qualname__), &qualname) < 0) {
        return -1;
    }
    if (qualname == NULL) {
        heap->ht_qualname = Py_NewRef(plan->name);
        return 0;
    }
    if (!PyUnicode_Check(qualname)) {
        PyErr_Format(PyExc_TypeError, "type __qualname__ must be a str, not %s",
                     Py_TYPE(qualname)->tp_name);
        Py_DECREF(qualname);
        return -1;
    }
    heap->ht_qualname = qualname;
    return 0;
}

/* tp_doc is a copy of a str __doc__, for C code that reads it. */
static int set_doc(struct class_plan *plan, PyTypeObject *type)
{
    PyObject *doc;
    int found = PyDict_GetItemRef(plan->dict, ID(__doc__), &doc);
    if (found <= 0 || !PyUnicode_Check(doc)) {
        Py_XDECREF(doc);
        return found < 0 ? -1 : 0;
    }
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(doc, &length);
    char *copy = text == NULL ? NULL : PyMem_Malloc((size_t)length + 1);
    if (copy != NULL) {
        memcpy(copy, text, (size_t)length + 1);
        type->tp_doc = copy;
    } else if (text != NULL) {
        PyErr_NoMemory();
    }
    Py_DECREF(doc);
    return copy == NULL ? -1 : 0;
}

/* A plain function under this name becomes a static or class method. */
static int wrap_function(struct class_plan *plan, PyObject *name, PyObject *(*wrap)(PyObject *))
{
    PyObject *func;
    int found = PyDict_GetItemRef(plan->dict, name, &func);
    if (found <= 0) {
        return found;
    }
    int result = 0;
    if (PyFunction_Check(func)) {
        PyObject *wrapped = wrap(func);
        result = wrapped == NULL ? -1 : PyDict_SetItem(plan->dict, name, wrapped);
        Py_XDECREF(wrapped);
    }
    Py_DECREF(func);
    return result;
}

/* Stores to a cell that the compiler left in the namespace, and removes it there. */
static int fill_cell(struct class_plan *plan, PyObject *name, PyObject *value)
{
    PyObject *cell;
    if (PyDict_Pop(plan->dict, name, &cell) <= 0) {
        return PyErr_Occurred() ? -1 : 0;
    }
    int result = -1;
    if (PyCell_Check(cell)) {
        result = PyCell_Set(cell, value);
    } else {
        PyErr_Format(PyExc_TypeError, "%U must be a nonlocal cell, not %.200R", name,
                     Py_TYPE(cell));
    }
    Py_DECREF(cell);
    return result;
}

static int set_namespace(struct class_plan *plan, PyTypeObject *type)
{
    if (set_module(plan) < 0 || set_qualname(plan, type) < 0 || set_doc(plan, type) < 0
        || wrap_function(plan, ID(__new__), PyStaticMethod_New) < 0
        || wrap_function(plan, ID(__init_subclass__), PyClassMethod_New) < 0
        || wrap_function(plan, ID(__class_getitem__), PyClassMethod_New) < 0
        || lay_out(plan, type) < 0) {
        return -1;
    }
    set_life_slots(plan, type);
    if (fill_cell(plan, ID(__classcell__), (PyObject *)type) < 0) {
        return -1;
    }
    return fill_cell(plan, ID(__classdictcell__), plan->dict);
}

/* ---- hooks ----------------------------------------------------------------------------------- */

static void note_set_name(PyObject *value, PyObject *key, PyTypeObject *type)
{
    PyObject *error = PyErr_GetRaisedException();
    PyObject *note = PyUnicode_FromFormat("Error calling __set_name__ on '%.100s' instance %R "
                                          "in '%.100s'",
                                          Py_TYPE(value)->tp_name, key, type->tp_name);
    PyObject *result = note == NULL ? NULL : PyObject_CallMethodOneArg(error, ID(add_note), note);
    Py_XDECREF(note);
    if (result == NULL) {
        PyErr_Clear();
    }
    Py_XDECREF(result);
    PyErr_SetRaisedException(error);
}

/* Calls value.__set_name__(type, key) for what the namespace held; the hooks may change it. */
static int call_set_name(PyTypeObject *type)
{
    PyObject *items = PyDict_Copy(type_dict(type));
    if (items == NULL) {
        return -1;
    }
    int result = 0;
    Py_ssize_t pos = 0;
    PyObject *key, *value;
    while (result == 0 && PyDict_Next(items, &pos, &key, &value)) {
        PyObject *method = object_lookup_special(value, ID(__set_name__));
        if (method == NULL) {
            result = PyErr_Occurred() ? -1 : 0;
            continue;
        }
        PyObject *done = PyObject_CallFunctionObjArgs(method, type, key, NULL);
        Py_DECREF(method);
        if (done == NULL) {
            note_set_name(value, key, type);
            result = -1;
        }
        Py_XDECREF(done);
    }
    Py_DECREF(items);
    return result;
}

/* The type's own dict is for names. */
static int warn_of_other_keys(struct class_plan *plan, PyTypeObject *type)
{
    Py_ssize_t pos = 0;
    PyObject *key, *value;
    while (PyDict_Next(plan->dict, &pos, &key, &value)) {
        if (!PyUnicode_CheckExact(key)) {
            return PyErr_WarnFormat(PyExc_RuntimeWarning, 1,
                                    "non-string key in the __dict__ of class %.200s",
                                    type->tp_name);
        }
    }
    return 0;
}

/* super(type, type).__init_subclass__(**kwds) */
static int call_init_subclass(PyTypeObject *type, PyObject *kwds)
{
    if (PySequence_Contains(type->tp_mro, (PyObject *)type)
        == 0) { /* a metaclass's mro() left it out */
        PyErr_Format(
            PyExc_TypeError,
            "super(type, obj): obj (type %.200s) is not an instance or subtype of type (%.200s).",
            type->tp_name, type->tp_name);
        return -1;
    }
    PyObject *func = super_lookup(type, (PyObject *)type, ID(__init_subclass__), NULL);
    if (func == NULL) {
        return -1;
    }
    PyObject *result = PyObject_VectorcallDict(func, NULL, 0, kwds);
    Py_DECREF(func);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

/* ---- all together ---------------------------------------------------------------------------- */

static PyTypeObject *make_class(struct class_plan *plan)
{
    PyTypeObject *type = allocate(plan);
    if (type == NULL) {
        return NULL;
    }
    if (set_namespace(plan, type) < 0 || PyType_Ready(type) < 0) {
        Py_DECREF(type);
        return NULL;
    }
    slots_fix_all(type);
    if (warn_of_other_keys(plan, type) < 0 || make_shape(type) < 0 || call_set_name(type) < 0
        || call_init_subclass(type, plan->kwds) < 0) {
        Py_DECREF(type);
        return NULL;
    }
    return type;
}

PyObject *type_new(PyTypeObject *metatype, PyObject *args, PyObject *kwds)
{
    PyObject *name, *bases, *dict;
    if (!PyArg_ParseTuple(args, "UO!O!:type.__new__", &name, &PyTuple_Type, &bases, &PyDict_Type,
                          &dict)) {
        return NULL;
    }
    struct class_plan plan = {
        .metatype = metatype,
        .args = args,
        .kwds = kwds,
        .name = name,
        .given_dict = dict,
    };
    PyObject *type = NULL;
    if (choose_bases(&plan, bases, &type) == 0) {
        plan.dict = PyDict_Copy(dict);
        if (plan.dict != NULL && choose_slots(&plan) == 0) {
            type = (PyObject *)make_class(&plan);
        }
    }
    Py_XDECREF(plan.bases);
    Py_XDECREF(plan.dict);
    Py_XDECREF(plan.slots);
    return type;
}

int type_init(PyObject *Py_UNUSED(cls), PyObject *args, PyObject *kwds)
{
    Py_ssize_t count = PyTuple_GET_SIZE(args);
    if (kwds != NULL && count == 1 && PyDict_GET_SIZE(kwds) != 0) {
        PyErr_SetString(PyExc_TypeError, "type.__init__() takes no keyword arguments");
        return -1;
    }
    if (count != 1 && count != 3) {
        PyErr_SetString(PyExc_TypeError, "type.__init__() takes 1 or 3 arguments");
        return -1;
    }
    return 0;
}
