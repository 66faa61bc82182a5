/* Types made from a PyType_Spec, and what the C API tells about types. */
#include "objects/type/internal.h"

#include "locking/refs.h"

/* ---- slot numbers ---------------------------------------------------------------------------- */

#define TP(name) [Py_##name] = offsetof(PyHeapTypeObject, ht_type.name) + 1
#define AT(table, name) [Py_##name] = offsetof(PyHeapTypeObject, table.name) + 1

/* 1 + where the slot lies in a heap type; 0: there is no such slot. */
/* clang-format off */
static const short slot_offsets[] = {
    AT(as_buffer, bf_getbuffer), AT(as_buffer, bf_releasebuffer),
    AT(as_mapping, mp_ass_subscript), AT(as_mapping, mp_length), AT(as_mapping, mp_subscript),
    AT(as_number, nb_absolute), AT(as_number, nb_add), AT(as_number, nb_and),
    AT(as_number, nb_bool), AT(as_number, nb_divmod), AT(as_number, nb_float),
    AT(as_number, nb_floor_divide), AT(as_number, nb_index), AT(as_number, nb_inplace_add),
    AT(as_number, nb_inplace_and), AT(as_number, nb_inplace_floor_divide),
    AT(as_number, nb_inplace_lshift), AT(as_number, nb_inplace_multiply),
    AT(as_number, nb_inplace_or), AT(as_number, nb_inplace_power),
    AT(as_number, nb_inplace_remainder), AT(as_number, nb_inplace_rshift),
    AT(as_number, nb_inplace_subtract), AT(as_number, nb_inplace_true_divide),
    AT(as_number, nb_inplace_xor), AT(as_number, nb_int), AT(as_number, nb_invert),
    AT(as_number, nb_lshift), AT(as_number, nb_multiply), AT(as_number, nb_negative),
    AT(as_number, nb_or), AT(as_number, nb_positive), AT(as_number, nb_power),
    AT(as_number, nb_remainder), AT(as_number, nb_rshift), AT(as_number, nb_subtract),
    AT(as_number, nb_true_divide), AT(as_number, nb_xor), AT(as_number, nb_matrix_multiply),
    AT(as_number, nb_inplace_matrix_multiply),
    AT(as_sequence, sq_ass_item), AT(as_sequence, sq_concat), AT(as_sequence, sq_contains),
    AT(as_sequence, sq_inplace_concat), AT(as_sequence, sq_inplace_repeat),
    AT(as_sequence, sq_item), AT(as_sequence, sq_length), AT(as_sequence, sq_repeat),
    AT(as_async, am_await), AT(as_async, am_aiter), AT(as_async, am_anext),
    AT(as_async, am_send),
    TP(tp_alloc), TP(tp_base), TP(tp_bases), TP(tp_call), TP(tp_clear), TP(tp_dealloc),
    TP(tp_del), TP(tp_descr_get), TP(tp_descr_set), TP(tp_doc), TP(tp_getattr), TP(tp_getattro),
    TP(tp_hash), TP(tp_init), TP(tp_is_gc), TP(tp_iter), TP(tp_iternext), TP(tp_methods),
    TP(tp_new), TP(tp_repr), TP(tp_richcompare), TP(tp_setattr), TP(tp_setattro), TP(tp_str),
    TP(tp_traverse), TP(tp_members), TP(tp_getset), TP(tp_free), TP(tp_finalize),
};
/* clang-format on */

static int slot_offset(int slot)
{
    return slot <= 0 || slot >= (int)ARRAY_SIZE(slot_offsets) ? -1 : slot_offsets[slot] - 1;
}

/* ---- reading a spec -------------------------------------------------------------------------- */

static size_t align_max(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

struct spec_plan {
    PyTypeObject *metaclass;
    PyObject *module;
    PyType_Spec *spec;
    bool allows_new;      /* the metaclass may have a tp_new of its own, with a warning */
    PyObject *bases;      /* owned */
    PyTypeObject *base;   /* borrowed from bases */
    PyMemberDef *members; /* of the spec, or NULL */
    Py_ssize_t nmembers;
    const char *doc;
    Py_ssize_t weaklistoffset, dictoffset, vectorcalloffset; /* 0: not given */
    Py_ssize_t basicsize, itemsize, data_offset;
};

static Py_ssize_t *special_member(struct spec_plan *plan, const char *name)
{
    return strcmp(name, "__weaklistoffset__") == 0     ? &plan->weaklistoffset
           : strcmp(name, "__dictoffset__") == 0       ? &plan->dictoffset
           : strcmp(name, "__vectorcalloffset__") == 0 ? &plan->vectorcalloffset
                                                       : NULL;
}

static int read_members(struct spec_plan *plan, PyMemberDef *members)
{
    if (plan->members != NULL) {
        PyErr_SetString(PyExc_SystemError, "Multiple Py_tp_members slots are not supported.");
        return -1;
    }
    plan->members = members;
    for (PyMemberDef *member = members; member->name != NULL; member++) {
        plan->nmembers++;
        if (member->flags & Py_RELATIVE_OFFSET) {
            if (plan->spec->basicsize > 0) {
                PyErr_SetString(PyExc_SystemError, "With Py_RELATIVE_OFFSET, basicsize must be "
                                                   "negative.");
                return -1;
            }
            if (member->offset < 0 || member->offset >= -plan->spec->basicsize) {
                PyErr_SetString(PyExc_SystemError, "Member offset out of range (0..-basicsize)");
                return -1;
            }
        }
        Py_ssize_t *special = special_member(plan, member->name);
        if (special != NULL) {
            *special = member->offset;
        }
    }
    return 0;
}

static int read_spec(struct spec_plan *plan)
{
    if (plan->spec->name == NULL) {
        PyErr_SetString(PyExc_SystemError, "Type spec does not define the name field.");
        return -1;
    }
    for (PyType_Slot *slot = plan->spec->slots; slot->slot != 0; slot++) {
        if (slot_offset(slot->slot) < 0) {
            PyErr_SetString(PyExc_RuntimeError, "invalid slot offset");
            return -1;
        }
        if (slot->slot == Py_tp_members && read_members(plan, slot->pfunc) < 0) {
            return -1;
        }
        if (slot->slot == Py_tp_doc) {
            if (plan->doc != NULL) {
                PyErr_SetString(PyExc_SystemError, "Multiple Py_tp_doc slots are not supported.");
                return -1;
            }
            plan->doc = slot->pfunc;
        }
    }
    return 0;
}

static void *spec_slot(PyType_Spec *spec, int id)
{
    for (PyType_Slot *slot = spec->slots; slot->slot != 0; slot++) {
        if (slot->slot == id) {
            return slot->pfunc;
        }
    }
    return NULL;
}

static PyObject *spec_bases(PyType_Spec *spec, PyObject *given)
{
    if (given != NULL) {
        return PyTuple_Check(given) ? Py_NewRef(given) : PyTuple_Pack(1, given);
    }
    PyObject *base = spec_slot(spec, Py_tp_base), *bases = spec_slot(spec, Py_tp_bases);
    if (bases == NULL) {
        return PyTuple_Pack(1, base == NULL ? (PyObject *)&PyBaseObject_Type : base);
    }
    if (!PyTuple_Check(bases)) {
        PyErr_SetString(PyExc_SystemError, "Py_tp_bases is not a tuple");
        return NULL;
    }
    return Py_NewRef(bases);
}

static int check_mutable_bases(struct spec_plan *plan)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(plan->bases); i++) {
        PyObject *base = PyTuple_GET_ITEM(plan->bases, i);
        if (PyType_Check(base) && !type_is_immutable((PyTypeObject *)base)
            && PyErr_WarnFormat(PyExc_DeprecationWarning, 0,
                                "Creating immutable type %s from mutable base %N is deprecated, "
                                "and slated to be disallowed in Python 3.14.",
                                plan->spec->name, base)
                   < 0) {
            return -1;
        }
    }
    return 0;
}

static int choose_metaclass(struct spec_plan *plan)
{
    PyTypeObject *metaclass = plan->metaclass == NULL ? &PyType_Type : plan->metaclass;
    metaclass = metatype_of(metaclass, plan->bases);
    if (metaclass == NULL) {
        return -1;
    }
    if (!PyType_Check((PyObject *)metaclass) || !PyType_IsSubtype(metaclass, &PyType_Type)) {
        PyErr_Format(PyExc_TypeError, "Metaclass '%R' is not a subclass of 'type'.", metaclass);
        return -1;
    }
    if (metaclass->tp_new != NULL && metaclass->tp_new != PyType_Type.tp_new) {
        if (!plan->allows_new) {
            PyErr_SetString(PyExc_TypeError, "Metaclasses with custom tp_new are not supported.");
            return -1;
        }
        if (PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                             "Type %s uses PyType_Spec with a metaclass that has custom tp_new. "
                             "This is deprecated and will no longer be allowed in Python 3.14.",
                             plan->spec->name)
            < 0) {
            return -1;
        }
    }
    plan->metaclass = metaclass;
    return 0;
}

static int choose_sizes(struct spec_plan *plan)
{
    PyTypeObject *base = plan->base;
    plan->basicsize = plan->spec->basicsize;
    plan->itemsize = plan->spec->itemsize;
    plan->data_offset = base->tp_basicsize;
    if (plan->basicsize == 0) {
        plan->basicsize = base->tp_basicsize;
    } else if (plan->basicsize < 0) {
        plan->data_offset = (Py_ssize_t)align_max((size_t)base->tp_basicsize);
        plan->basicsize = plan->data_offset + (Py_ssize_t)align_max((size_t)-plan->basicsize);
        if (base->tp_itemsize != 0 && !(base->tp_flags & Py_TPFLAGS_ITEMS_AT_END)) {
            PyErr_SetString(PyExc_SystemError, "Cannot extend variable-size class without "
                                               "Py_TPFLAGS_ITEMS_AT_END.");
            return -1;
        }
    }
    if (plan->basicsize < base->tp_basicsize) {
        PyErr_Format(PyExc_TypeError,
                     "tp_basicsize for type '%s' (%d) is too small for base '%s' (%d)",
                     plan->spec->name, plan->basicsize, base->tp_name, base->tp_basicsize);
        return -1;
    }
    return 0;
}

/* ---- the type -------------------------------------------------------------------------------- */

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = PyMem_Malloc(size);
    if (copy == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    return memcpy(copy, text, size);
}

static int set_names(PyHeapTypeObject *heap, const char *name)
{
    const char *dot = strrchr(name, '.');
    heap->_ht_tpname = copy_text(name);
    heap->ht_name = PyUnicode_FromString(dot == NULL ? name : dot + 1);
    if (heap->_ht_tpname == NULL || heap->ht_name == NULL) {
        return -1;
    }
    heap->ht_type.tp_name = heap->_ht_tpname;
    heap->ht_qualname = Py_NewRef(heap->ht_name);
    return 0;
}

static void copy_slots(struct spec_plan *plan, PyTypeObject *type)
{
    for (PyType_Slot *slot = plan->spec->slots; slot->slot != 0; slot++) {
        switch (slot->slot) {
        case Py_tp_base:
        case Py_tp_bases:
        case Py_tp_doc:
        case Py_tp_members:
            break; /* done elsewhere */
        default:
            *(void **)((char *)type + slot_offset(slot->slot)) = slot->pfunc;
        }
    }
}

/* The members live in the type; relative offsets become real ones. */
static void copy_members(struct spec_plan *plan, PyTypeObject *type)
{
    if (plan->members == NULL) {
        return;
    }
    PyMemberDef *members = (PyMemberDef *)((char *)type + Py_TYPE(type)->tp_basicsize);
    memcpy(members, plan->members, (size_t)plan->nmembers * sizeof(PyMemberDef));
    for (Py_ssize_t i = 0; i < plan->nmembers; i++) {
        if (members[i].flags & Py_RELATIVE_OFFSET) {
            members[i].flags &= ~Py_RELATIVE_OFFSET;
            members[i].offset += plan->data_offset;
            Py_ssize_t *special = special_member(plan, members[i].name);
            if (special != NULL) {
                *special = members[i].offset;
            }
        }
    }
    type->tp_members = members;
}

static int set_spec_module(PyTypeObject *type, const char *name)
{
    const char *dot = strrchr(name, '.');
    if (dot == NULL) {
        return PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                                "builtin type %.200s has no __module__ attribute", name);
    }
    int present = PyDict_Contains(type->tp_dict, ID(__module__));
    if (present != 0) {
        return present < 0 ? -1 : 0;
    }
    PyObject *module = PyUnicode_FromStringAndSize(name, dot - name);
    int result = -1;
    if (module != NULL) {
        PyUnicode_InternInPlace(&module);
        result = PyDict_SetItem(type->tp_dict, ID(__module__), module);
        Py_DECREF(module);
    }
    return result;
}

static int drop_special_members(struct spec_plan *plan, PyTypeObject *type)
{
    static const char *const names[] = {"__weaklistoffset__", "__dictoffset__"};
    const Py_ssize_t offsets[] = {plan->weaklistoffset, plan->dictoffset};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (offsets[i] != 0 && PyDict_DelItemString(type->tp_dict, names[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

static int fill_type(struct spec_plan *plan, PyTypeObject *type)
{
    PyHeapTypeObject *heap = (PyHeapTypeObject *)type;
    type->tp_flags = plan->spec->flags | Py_TPFLAGS_HEAPTYPE;
    type->tp_as_async = &heap->as_async;
    type->tp_as_number = &heap->as_number;
    type->tp_as_sequence = &heap->as_sequence;
    type->tp_as_mapping = &heap->as_mapping;
    type->tp_as_buffer = &heap->as_buffer;
    type->tp_base = (PyTypeObject *)Py_NewRef((PyObject *)plan->base);
    type->tp_bases = Py_NewRef(plan->bases);
    type->tp_basicsize = plan->basicsize;
    type->tp_itemsize = plan->itemsize;
    heap->ht_module = Py_XNewRef(plan->module);
    if (set_names(heap, plan->spec->name) < 0) {
        return -1;
    }
    if (plan->doc != NULL && (type->tp_doc = copy_text(plan->doc)) == NULL) {
        return -1;
    }
    copy_slots(plan, type);
    copy_members(plan, type);
    if (type->tp_dealloc == NULL) {
        type->tp_dealloc = subtype_dealloc;
    }
    type->tp_weaklistoffset = plan->weaklistoffset;
    type->tp_dictoffset = plan->dictoffset;
    type->tp_vectorcall_offset = plan->vectorcalloffset;
    if (PyType_Ready(type) < 0) {
        return -1;
    }
    ref_defer(type->tp_dict);
    if (plan->doc == NULL && PyDict_SetDefaultRef(type->tp_dict, ID(__doc__), Py_None, NULL) < 0) {
        return -1;
    }
    return set_spec_module(type, plan->spec->name) < 0 || drop_special_members(plan, type) < 0 ? -1
                                                                                               : 0;
}

static PyObject *type_from_spec(PyTypeObject *metaclass, PyObject *module, PyType_Spec *spec,
                                PyObject *bases, bool allows_new)
{
    struct spec_plan plan = {
        .metaclass = metaclass,
        .module = module,
        .spec = spec,
        .allows_new = allows_new,
    };
    PyTypeObject *type = NULL;
    if (read_spec(&plan) < 0 || (plan.bases = spec_bases(spec, bases)) == NULL) {
        return NULL;
    }
    if (((spec->flags & Py_TPFLAGS_IMMUTABLETYPE) && check_mutable_bases(&plan) < 0)
        || choose_metaclass(&plan) < 0 || (plan.base = best_base(plan.bases)) == NULL
        || choose_sizes(&plan) < 0) {
        goto done;
    }
    type = (PyTypeObject *)plan.metaclass->tp_alloc(plan.metaclass, plan.nmembers);
    if (type != NULL) {
        ref_defer((PyObject *)type);
        if (fill_type(&plan, type) < 0) {
            Py_CLEAR(type);
        }
    }
done:
    Py_DECREF(plan.bases);
    return (PyObject *)type;
}

PyObject *PyType_FromMetaclass(PyTypeObject *metaclass, PyObject *module, PyType_Spec *spec,
                               PyObject *bases)
{
    return type_from_spec(metaclass, module, spec, bases, false);
}

PyObject *PyType_FromModuleAndSpec(PyObject *module, PyType_Spec *spec, PyObject *bases)
{
    return type_from_spec(NULL, module, spec, bases, true);
}

PyObject *PyType_FromSpecWithBases(PyType_Spec *spec, PyObject *bases)
{
    return type_from_spec(NULL, NULL, spec, bases, true);
}

PyObject *PyType_FromSpec(PyType_Spec *spec)
{
    return type_from_spec(NULL, NULL, spec, NULL, true);
}

/* ---- questions ------------------------------------------------------------------------------- */

void *PyType_GetSlot(PyTypeObject *type, int slot)
{
    int offset = slot_offset(slot);
    if (offset < 0) {
        PyErr_BadInternalCall();
        return NULL;
    }
    void **address = slot_address(type, offset);
    return address == NULL ? NULL : *address;
}

PyObject *PyType_GetModule(PyTypeObject *type)
{
    if (!type_is_heap(type)) {
        PyErr_Format(PyExc_TypeError, "PyType_GetModule: Type '%s' is not a heap type",
                     type->tp_name);
        return NULL;
    }
    PyObject *module = ((PyHeapTypeObject *)type)->ht_module;
    if (module == NULL) {
        PyErr_Format(PyExc_TypeError, "PyType_GetModule: Type '%s' has no associated module",
                     type->tp_name);
    }
    return module;
}

void *PyType_GetModuleState(PyTypeObject *type)
{
    PyObject *module = PyType_GetModule(type);
    return module == NULL ? NULL : PyModule_GetState(module);
}

/* The module of this definition that a class on the MRO belongs to; borrowed, no exception. */
static PyObject *module_by_def(PyTypeObject *type, PyModuleDef *def)
{
    PyObject *mro = type_mro(type);
    for (Py_ssize_t i = 0; mro != NULL && i < PyTuple_GET_SIZE(mro); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        PyObject *module = type_is_heap(base) ? ((PyHeapTypeObject *)base)->ht_module : NULL;
        if (module != NULL && PyModule_Check(module) && PyModule_GetDef(module) == def) {
            return module;
        }
    }
    return NULL;
}

static PyObject *raise_no_module(PyTypeObject *type)
{
    PyErr_Format(PyExc_TypeError,
                 "PyType_GetModuleByDef: No superclass of '%s' has the given module",
                 type->tp_name);
    return NULL;
}

PyObject *PyType_GetModuleByDef(PyTypeObject *type, PyModuleDef *def)
{
    PyObject *module = module_by_def(type, def);
    return module == NULL ? raise_no_module(type) : module;
}

PyAPI_FUNC(PyObject *)
    _PyType_GetModuleByDef2(PyTypeObject *left, PyTypeObject *right, PyModuleDef *def);
PyAPI_FUNC(PyObject *) _PyType_GetModuleByDef3(PyTypeObject *left, PyTypeObject *right,
                                               PyTypeObject *third, PyModuleDef *def);

PyObject *_PyType_GetModuleByDef2(PyTypeObject *left, PyTypeObject *right, PyModuleDef *def)
{
    PyObject *module = module_by_def(left, def);
    if (module == NULL) {
        module = module_by_def(right, def);
    }
    if (module == NULL) {
        PyErr_Format(PyExc_TypeError,
                     "PyType_GetModuleByDef: No superclass of '%s' nor '%s' has the given module",
                     left->tp_name, right->tp_name);
    }
    return module;
}

PyObject *_PyType_GetModuleByDef3(PyTypeObject *left, PyTypeObject *right, PyTypeObject *third,
                                  PyModuleDef *def)
{
    PyObject *module = module_by_def(left, def);
    module = module == NULL ? module_by_def(right, def) : module;
    module = module == NULL ? module_by_def(third, def) : module;
    if (module == NULL) {
        PyErr_Format(
            PyExc_TypeError,
            "PyType_GetModuleByDef: No superclass of '%s' nor '%s' nor '%s' has the given module",
            left->tp_name, right->tp_name, third->tp_name);
    }
    return module;
}

void *PyObject_GetTypeData(PyObject *op, PyTypeObject *cls)
{
    return (char *)op + align_max((size_t)cls->tp_base->tp_basicsize);
}

Py_ssize_t PyType_GetTypeDataSize(PyTypeObject *cls)
{
    Py_ssize_t size = cls->tp_basicsize - (Py_ssize_t)align_max((size_t)cls->tp_base->tp_basicsize);
    return size < 0 ? 0 : size;
}

void *PyObject_GetItemData(PyObject *op)
{
    if (!PyType_HasFeature(Py_TYPE(op), Py_TPFLAGS_ITEMS_AT_END)) {
        PyErr_Format(PyExc_TypeError, "type '%s' does not have Py_TPFLAGS_ITEMS_AT_END",
                     Py_TYPE(op)->tp_name);
        return NULL;
    }
    return (char *)op + Py_TYPE(op)->tp_basicsize;
}
