/* Making types ready: filling the dict, finding the MRO, inheriting slots. */
#include "objects/type/internal.h"

#include "locking/refs.h"

/* ---- __new__ --------------------------------------------------------------------------------- */

/* int.__new__ and the like: a C type's tp_new as a function whose first argument is the class. */
PyObject *tp_new_wrapper(PyObject *self, PyObject *args, PyObject *kwds)
{
    if (self == NULL || !PyType_Check(self)) {
        PyErr_SetString(PyExc_SystemError, "__new__() called with non-type 'self'");
        return NULL;
    }
    PyTypeObject *type = (PyTypeObject *)self;
    if (!PyTuple_Check(args) || PyTuple_GET_SIZE(args) < 1) {
        PyErr_Format(PyExc_TypeError, "%s.__new__(): not enough arguments", type->tp_name);
        return NULL;
    }
    PyObject *arg = PyTuple_GET_ITEM(args, 0);
    if (!PyType_Check(arg)) {
        PyErr_Format(PyExc_TypeError, "%s.__new__(X): X is not a type object (%s)", type->tp_name,
                     Py_TYPE(arg)->tp_name);
        return NULL;
    }
    PyTypeObject *subtype = (PyTypeObject *)arg;
    if (!PyType_IsSubtype(subtype, type)) {
        PyErr_Format(PyExc_TypeError, "%s.__new__(%s): %s is not a subtype of %s", type->tp_name,
                     subtype->tp_name, subtype->tp_name, type->tp_name);
        return NULL;
    }
    if (type->tp_new == NULL) {
        PyErr_Format(PyExc_TypeError, "cannot create '%s' instances", type->tp_name);
        return NULL;
    }
    /* The nearest C base decides the layout: only its own tp_new may make the instance. */
    PyTypeObject *base = subtype;
    while (base != NULL && base->tp_new == slot_tp_new) {
        base = base->tp_base;
    }
    if (base != NULL && base->tp_new != type->tp_new) {
        PyErr_Format(PyExc_TypeError, "%s.__new__(%s) is not safe, use %s.__new__()", type->tp_name,
                     subtype->tp_name, base->tp_name);
        return NULL;
    }
    PyObject *rest = PyTuple_GetSlice(args, 1, PyTuple_GET_SIZE(args));
    if (rest == NULL) {
        return NULL;
    }
    PyObject *result = type->tp_new(subtype, rest, kwds);
    Py_DECREF(rest);
    return result;
}

static PyMethodDef new_method = {"__new__", (PyCFunction)(void (*)(void))tp_new_wrapper,
                                 METH_VARARGS | METH_KEYWORDS,
                                 "__new__($type, *args, **kwargs)\n--\n\n"
                                 "Make a new instance; help() of the class tells its arguments."};

/* ---- the dict -------------------------------------------------------------------------------- */

/* Adds a new descriptor (taken over) unless there is one under its name. */
static int add_new(PyObject *dict, PyObject *name, PyObject *value, bool replace)
{
    if (value == NULL) {
        return -1;
    }
    int result =
        replace ? PyDict_SetItem(dict, name, value) : PyDict_SetDefaultRef(dict, name, value, NULL);
    Py_DECREF(value);
    return result < 0 ? -1 : 0;
}

/* What a static type has for methods lives as long as it does, which is for ever (in the main interpreter): nobody
 * need count it, least of all threads that all call list.append. */
static int add_descr(PyObject *dict, PyObject *descr, bool replace)
{
    if (descr != NULL && !type_is_heap(PyDescr_TYPE(descr))
        && thread_interp(thread_self())->is_main) {
        PyObject_GC_UnTrack(descr);
        object_make_immortal(descr);
    }
    return descr == NULL ? -1 : add_new(dict, PyDescr_NAME(descr), descr, replace);
}

static int add_method(PyTypeObject *type, PyObject *dict, PyMethodDef *def)
{
    bool replace = def->ml_flags & METH_COEXIST;
    if (def->ml_flags & METH_CLASS) {
        if (def->ml_flags & METH_STATIC) {
            PyErr_SetString(PyExc_ValueError, "method cannot be both class and static");
            return -1;
        }
        return add_descr(dict, PyDescr_NewClassMethod(type, def), replace);
    }
    if (!(def->ml_flags & METH_STATIC)) {
        return add_descr(dict, PyDescr_NewMethod(type, def), replace);
    }
    PyObject *func = PyCFunction_NewEx(def, (PyObject *)type, NULL);
    PyObject *name = func == NULL ? NULL : PyUnicode_InternFromString(def->ml_name);
    int result = name == NULL ? -1 : add_new(dict, name, PyStaticMethod_New(func), replace);
    Py_XDECREF(func);
    Py_XDECREF(name);
    return result;
}

static int add_doc(PyTypeObject *type, PyObject *dict)
{
    int present = PyDict_Contains(dict, ID(__doc__));
    if (present != 0) {
        return present < 0 ? -1 : 0;
    }
    PyObject *doc = type->tp_doc == NULL ? Py_NewRef(Py_None)
                                         : doc_without_signature(type->tp_name, type->tp_doc);
    return add_new(dict, ID(__doc__), doc, true);
}

static int fill_dict(PyTypeObject *type, PyObject *dict)
{
    /* __new__ stands only where the type has one of its own; inherited ones are found. */
    if (type->tp_new != NULL && !(type->tp_flags & Py_TPFLAGS_DISALLOW_INSTANTIATION)
        && (!type_is_heap(type) || type->tp_new != slot_tp_new)
        && add_new(dict, ID(__new__), PyCFunction_NewEx(&new_method, (PyObject *)type, NULL), false)
               < 0) {
        return -1;
    }
    if (slots_add_wrappers(type, dict) < 0) {
        return -1;
    }
    for (PyMethodDef *def = type->tp_methods; def != NULL && def->ml_name != NULL; def++) {
        if (add_method(type, dict, def) < 0) {
            return -1;
        }
    }
    for (PyMemberDef *def = type->tp_members; def != NULL && def->name != NULL; def++) {
        if (add_descr(dict, PyDescr_NewMember(type, def), false) < 0) {
            return -1;
        }
    }
    for (PyGetSetDef *def = type->tp_getset; def != NULL && def->name != NULL; def++) {
        if (add_descr(dict, PyDescr_NewGetSet(type, def), false) < 0) {
            return -1;
        }
    }
    return add_doc(type, dict);
}

/* ---- inheritance ----------------------------------------------------------------------------- */

/* What decides which C code may handle instances, from the one base whose layout is extended. */
static void inherit_special(PyTypeObject *type, PyTypeObject *base)
{
    const unsigned long families = Py_TPFLAGS_LONG_SUBCLASS | Py_TPFLAGS_LIST_SUBCLASS
                                   | Py_TPFLAGS_TUPLE_SUBCLASS | Py_TPFLAGS_BYTES_SUBCLASS
                                   | Py_TPFLAGS_UNICODE_SUBCLASS | Py_TPFLAGS_DICT_SUBCLASS
                                   | Py_TPFLAGS_BASE_EXC_SUBCLASS | Py_TPFLAGS_TYPE_SUBCLASS;
    const unsigned long match_self = 1ul << 22;
    if (!(type->tp_flags & Py_TPFLAGS_HAVE_GC) && (base->tp_flags & Py_TPFLAGS_HAVE_GC)
        && type->tp_traverse == NULL && type->tp_clear == NULL) {
        type->tp_flags |= Py_TPFLAGS_HAVE_GC;
        type->tp_traverse = base->tp_traverse;
        type->tp_clear = base->tp_clear;
    }
    type->tp_flags |=
        base->tp_flags
        & (families | match_self | Py_TPFLAGS_MANAGED_DICT | Py_TPFLAGS_MANAGED_WEAKREF);
    if (base->tp_flags & Py_TPFLAGS_ITEMS_AT_END) {
        type->tp_flags |= Py_TPFLAGS_ITEMS_AT_END;
    }
    if (type->tp_basicsize == 0) {
        type->tp_basicsize = base->tp_basicsize;
    }
    if (type->tp_itemsize == 0) {
        type->tp_itemsize = base->tp_itemsize;
    }
    if (type->tp_weaklistoffset == 0) {
        type->tp_weaklistoffset = base->tp_weaklistoffset;
    }
    if (type->tp_dictoffset == 0) {
        type->tp_dictoffset = base->tp_dictoffset;
    }
}

/* Copies a field of `from` at this offset, if the type has none and `from` is where the MRO
 * defines it (its own base has another). */
#define TAKE(field)                                                                                \
    if (type->field == 0 && from->field != 0                                                       \
        && (from->tp_base == NULL || from->field != from->tp_base->field)) {                       \
        type->field = from->field;                                                                 \
    }

static void inherit_table(PyTypeObject *type, PyTypeObject *from, size_t pointer, size_t size)
{
    void **mine = *(void ***)((char *)type + pointer);
    void **theirs = *(void ***)((char *)from + pointer);
    void **before = from->tp_base == NULL ? NULL : *(void ***)((char *)from->tp_base + pointer);
    if (mine == NULL || theirs == NULL || mine == theirs) {
        return;
    }
    for (size_t i = 0; i < size / sizeof(void *); i++) {
        if (mine[i] == NULL && theirs[i] != NULL && (before == NULL || theirs[i] != before[i])) {
            mine[i] = theirs[i];
        }
    }
}

static bool overrides_hash(PyTypeObject *type)
{
    PyObject *dict = type_dict(type);
    return PyDict_Contains(dict, ID(__eq__)) == 1 || PyDict_Contains(dict, ID(__hash__)) == 1;
}

static void inherit_slots(PyTypeObject *type, PyTypeObject *from)
{
    inherit_table(type, from, offsetof(PyTypeObject, tp_as_number), sizeof(PyNumberMethods));
    inherit_table(type, from, offsetof(PyTypeObject, tp_as_sequence), sizeof(PySequenceMethods));
    inherit_table(type, from, offsetof(PyTypeObject, tp_as_mapping), sizeof(PyMappingMethods));
    inherit_table(type, from, offsetof(PyTypeObject, tp_as_buffer), sizeof(PyBufferProcs));
    /* All but am_send, which stands last. */
    inherit_table(type, from, offsetof(PyTypeObject, tp_as_async),
                  offsetof(PyAsyncMethods, am_send));

    TAKE(tp_dealloc)
    if (type->tp_getattr == NULL && type->tp_getattro == NULL) {
        type->tp_getattr = from->tp_getattr;
        type->tp_getattro = from->tp_getattro;
    }
    if (type->tp_setattr == NULL && type->tp_setattro == NULL) {
        type->tp_setattr = from->tp_setattr;
        type->tp_setattro = from->tp_setattro;
    }
    TAKE(tp_repr)
    if (type->tp_call == NULL && (from->tp_flags & Py_TPFLAGS_HAVE_VECTORCALL)) {
        type->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL;
    }
    TAKE(tp_vectorcall_offset)
    TAKE(tp_call)
    TAKE(tp_str)
    if (type->tp_richcompare == NULL && type->tp_hash == NULL && !overrides_hash(type)) {
        /* Equality and hash belong together. */
        type->tp_richcompare = from->tp_richcompare;
        type->tp_hash = from->tp_hash;
    }
    TAKE(tp_iter)
    TAKE(tp_iternext)
    TAKE(tp_descr_get)
    if ((from->tp_flags & Py_TPFLAGS_METHOD_DESCRIPTOR) && type_is_immutable(type)
        && type->tp_descr_get != NULL && type->tp_descr_get == from->tp_descr_get) {
        type->tp_flags |= Py_TPFLAGS_METHOD_DESCRIPTOR;
    }
    TAKE(tp_descr_set)
    TAKE(tp_dictoffset)
    TAKE(tp_init)
    TAKE(tp_alloc)
    TAKE(tp_is_gc)
    TAKE(tp_finalize)
    TAKE(tp_del)
    if ((type->tp_flags & Py_TPFLAGS_HAVE_GC) == (from->tp_flags & Py_TPFLAGS_HAVE_GC)) {
        TAKE(tp_free)
    } else if ((type->tp_flags & Py_TPFLAGS_HAVE_GC) && type->tp_free == NULL
               && from->tp_free == PyObject_Free) {
        type->tp_free = PyObject_GC_Del;
    }
}

static void inherit_pattern_flags(PyTypeObject *type, PyTypeObject *from)
{
    const unsigned long collection = Py_TPFLAGS_SEQUENCE | Py_TPFLAGS_MAPPING;
    if ((type->tp_flags & collection) == 0) {
        type->tp_flags |= from->tp_flags & collection;
    }
}

/* A type without a table of its own uses its base's: after inheriting, which must not write to that. */
static void share_tables(PyTypeObject *type, PyTypeObject *base)
{
    if (type->tp_as_async == NULL) {
        type->tp_as_async = base->tp_as_async;
    }
    if (type->tp_as_number == NULL) {
        type->tp_as_number = base->tp_as_number;
    }
    if (type->tp_as_sequence == NULL) {
        type->tp_as_sequence = base->tp_as_sequence;
    }
    if (type->tp_as_mapping == NULL) {
        type->tp_as_mapping = base->tp_as_mapping;
    }
    if (type->tp_as_buffer == NULL) {
        type->tp_as_buffer = base->tp_as_buffer;
    }
}

int ready_inherit(PyTypeObject *type)
{
    PyTypeObject *base = type->tp_base;
    if (base != NULL) {
        inherit_special(type, base);
    }
    PyObject *mro = type->tp_mro;
    for (Py_ssize_t i = 1; i < PyTuple_GET_SIZE(mro); i++) {
        PyTypeObject *from = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        if (from->tp_flags & Py_TPFLAGS_READY) {
            inherit_slots(type, from);
            inherit_pattern_flags(type, from);
        }
    }
    if (base != NULL) {
        share_tables(type, base);
    }
    return 0;
}

/* ---- the steps ------------------------------------------------------------------------------- */

static int check_before(PyTypeObject *type)
{
    if (type->tp_name == NULL) {
        PyErr_Format(PyExc_SystemError, "Type does not define the tp_name field.");
        return -1;
    }
    if ((type->tp_flags & Py_TPFLAGS_HAVE_GC) && type->tp_traverse == NULL) {
        PyErr_Format(PyExc_SystemError,
                     "type %s has the Py_TPFLAGS_HAVE_GC flag but has no traverse function",
                     type->tp_name);
        return -1;
    }
    if ((type->tp_flags & Py_TPFLAGS_MANAGED_DICT) && !type_is_heap(type)) {
        PyErr_Format(PyExc_SystemError,
                     "type %s has the Py_TPFLAGS_MANAGED_DICT flag "
                     "but not Py_TPFLAGS_HEAPTYPE flag",
                     type->tp_name);
        return -1;
    }
    return 0;
}

static int set_bases(PyTypeObject *type)
{
    if (type->tp_base == NULL && type != &PyBaseObject_Type) {
        type->tp_base = &PyBaseObject_Type;
        if (type_is_heap(type)) {
            Py_INCREF(type->tp_base);
        }
    }
    PyTypeObject *base = type->tp_base;
    if (base != NULL && !(base->tp_flags & Py_TPFLAGS_READY) && PyType_Ready(base) < 0) {
        return -1;
    }
    if (Py_TYPE(type) == NULL && base != NULL) {
        Py_SET_TYPE(type, Py_TYPE(base));
    }
    if (type->tp_bases == NULL) {
        PyObject *bases = base == NULL ? PyTuple_New(0) : PyTuple_Pack(1, base);
        if (bases == NULL) {
            return -1;
        }
        if (!type_is_heap(type)) {
            object_make_immortal(bases);
            if (base
                != NULL) { /* the empty tuple is static: it has no place for the collector's marks */
                PyObject_GC_UnTrack(bases);
            }
        }
        type->tp_bases = bases;
    }
    return 0;
}

static int set_mro(PyTypeObject *type)
{
    if (type->tp_mro != NULL) {
        return 0;
    }
    bool custom;
    PyObject *mro = mro_invoke(type, &custom);
    if (mro == NULL) {
        return -1;
    }
    if (type->tp_mro != NULL) {
        Py_DECREF(mro); /* mro() assigned __bases__ meanwhile: that wins */
        return 0;
    }
    if (!type_is_heap(type)) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(mro); i++) {
            PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
            if (type_is_heap(base)) {
                PyErr_Format(PyExc_TypeError,
                             "type '%.100s' is not dynamically allocated but "
                             "its base type '%.100s' is dynamically allocated",
                             type->tp_name, base->tp_name);
                Py_DECREF(mro);
                return -1;
            }
        }
        object_make_immortal(mro);
        PyObject_GC_UnTrack(mro);
    }
    field_store_release(&type->tp_mro, mro);
    return 0;
}

static void set_new(PyTypeObject *type)
{
    if (type->tp_new != NULL) {
        return;
    }
    /* A C type below object says itself whether it can be instantiated. */
    if (!type_is_heap(type) && type->tp_base == &PyBaseObject_Type) {
        type->tp_flags |= Py_TPFLAGS_DISALLOW_INSTANTIATION;
    }
    if (!(type->tp_flags & Py_TPFLAGS_DISALLOW_INSTANTIATION) && type->tp_base != NULL) {
        type->tp_new = type->tp_base->tp_new;
    }
}

static int set_preheader(PyTypeObject *type)
{
    if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) {
        if (type->tp_dictoffset > 0 || type->tp_dictoffset < -1) {
            PyErr_Format(PyExc_TypeError,
                         "type %s has the Py_TPFLAGS_MANAGED_DICT flag "
                         "but tp_dictoffset is set to incompatible value",
                         type->tp_name);
            return -1;
        }
        type->tp_dictoffset = -1;
    }
    if (type->tp_flags & Py_TPFLAGS_MANAGED_WEAKREF) {
        if (type->tp_weaklistoffset != 0
            && type->tp_weaklistoffset != OBJECT_MANAGED_WEAKLIST_OFFSET) {
            PyErr_Format(PyExc_TypeError,
                         "type %s has the Py_TPFLAGS_MANAGED_WEAKREF flag "
                         "but tp_weaklistoffset is set to incompatible value",
                         type->tp_name);
            return -1;
        }
        type->tp_weaklistoffset = OBJECT_MANAGED_WEAKLIST_OFFSET;
    }
    return 0;
}

/* A type that compares but does not hash is not hashable, and says so. */
static int set_hash(PyTypeObject *type, PyObject *dict)
{
    if (type->tp_hash != NULL) {
        return 0;
    }
    int present = PyDict_Contains(dict, ID(__hash__));
    if (present != 0) {
        return present < 0 ? -1 : 0;
    }
    if (PyDict_SetItem(dict, ID(__hash__), Py_None) < 0) {
        return -1;
    }
    type->tp_hash = PyObject_HashNotImplemented;
    return 0;
}

static int register_with_bases(PyTypeObject *type)
{
    PyObject *bases = type->tp_bases;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(bases, i);
        if (PyType_Check(base) && type_add_subclass(base, type) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Everything but the dict's existence; the type is not known to others yet. */
int type_ready_core(PyTypeObject *type)
{
    PyObject *dict = type_dict(type);
    if (fill_dict(type, dict) < 0 || set_mro(type) < 0) {
        return -1;
    }
    set_new(type);
    if (ready_inherit(type) < 0 || set_preheader(type) < 0 || set_hash(type, dict) < 0) {
        return -1;
    }
    if (type->tp_free == NULL) {
        type->tp_free = type->tp_flags & Py_TPFLAGS_HAVE_GC ? PyObject_GC_Del : PyObject_Free;
    }
    type->tp_flags |= Py_TPFLAGS_READY;
    return register_with_bases(type);
}

/* ---- types of others, and heap types --------------------------------------------------------- */

int PyType_Ready(PyTypeObject *type)
{
    if (type->tp_flags & (Py_TPFLAGS_READY | Py_TPFLAGS_READYING)) {
        return 0; /* READYING: its mro() looks at it */
    }
    if (check_before(type) < 0) {
        return -1;
    }
    if (!type_is_heap(type)) {
        type->tp_flags |= Py_TPFLAGS_IMMUTABLETYPE;
        ref_immortalise((PyObject *)type);
    }
    type->tp_flags |= Py_TPFLAGS_READYING;
    int result = -1;
    if (type->tp_dict == NULL) {
        type->tp_dict = PyDict_New();
    }
    if (type->tp_dict != NULL && set_bases(type) == 0) {
        result = type_ready_core(type);
    }
    type->tp_flags &= ~Py_TPFLAGS_READYING;
    return result;
}

/* ---- our own static types -------------------------------------------------------------------- */

static uintptr_t static_type_count;

int type_ready(PyTypeObject *type)
{
    bool first = !(type->tp_flags & Py_TPFLAGS_READY);
    if (first && !type_is_static_builtin(type)) {
        if (static_type_count == STATIC_TYPES_MAX) {
            PyErr_SetString(PyExc_SystemError, "too many static types");
            return -1;
        }
        type->tp_flags |= Py_TPFLAGS_IMMUTABLETYPE | 1ul << 1;
        type->tp_subclasses = (void *)++static_type_count;
        ref_immortalise((PyObject *)type);
    }
    struct static_type_state *state = type_static_state(type);
    if (state->ready) {
        return 0;
    }
    if (type->tp_base == NULL && type != &PyBaseObject_Type) {
        type->tp_base = &PyBaseObject_Type;
    }
    if (type->tp_base != NULL && type_ready(type->tp_base) < 0) {
        return -1;
    }
    state->type = type;
    state->dict = PyDict_New();
    if (state->dict == NULL) {
        return -1;
    }
    if (first) {
        if (check_before(type) < 0 || set_bases(type) < 0 || type_ready_core(type) < 0) {
            return -1;
        }
    } else if (fill_dict(type, state->dict) < 0 || register_with_bases(type) < 0
               || (type->tp_hash == PyObject_HashNotImplemented
                   && PyDict_SetDefaultRef(state->dict, ID(__hash__), Py_None, NULL) < 0)) {
        return -1;
    }
    ref_defer(state->dict);
    state->ready = true;
    return 0;
}

int type_ready_static_with_flags(PyTypeObject *type, unsigned long flags)
{
    if (type->tp_flags & Py_TPFLAGS_READY) {
        return 0;
    }
    type->tp_flags |= flags;
    return PyType_Ready(type);
}

int type_ready_all(PyTypeObject *const *types)
{
    for (; *types != NULL; types++) {
        if (type_ready(*types) < 0) {
            return -1;
        }
    }
    return 0;
}

void type_static_fini(struct interp_state *Py_UNUSED(interp), PyTypeObject *type)
{
    struct static_type_state *state = type_static_state(type);
    if (state == NULL || !state->ready) {
        return;
    }
    PyObject_ClearWeakRefs((PyObject *)type);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(type->tp_bases); i++) {
        type_remove_subclass((PyTypeObject *)PyTuple_GET_ITEM(type->tp_bases, i), type);
    }
    type_forget_version(type);
    Py_CLEAR(state->dict);
    PyMem_Free(state->subclasses);
    state->subclasses = NULL;
    state->ready = false;
}
