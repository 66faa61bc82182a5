/*
 * Attributes: the slow paths, and what they teach the site.
 */
#include "interp/vm/vm.h"

#include "objects/descr.h"

enum { SITE_TRIES = 4 };

/* ---- sites ----------------------------------------------------------------------------------- */

static void entry_free(void *entry)
{
    PyMem_RawFree(entry);
}

/* Replaces the op of the current word if it still is a form of the same instruction. */
static bool set_op(struct frame *fp, unsigned op)
{
    uint64_t *word = &fp->body->words[fp->pc - 1 - fp->body->words];
    uint64_t old = field_load(word);
    if (opcode_table[WORD_OP(old)].base != opcode_table[op].base) {
        return false;
    }
    return field_cas(word, &old, (old & ~(uint64_t)0xFFFF) | op);
}

static void set_cache(struct code_site *site, uint64_t cache)
{
    uint64_t old = field_swap(&site->cache, cache);
    if (old != 0 && old >> 48 == CACHE_ENTRY) {
        qsbr_retire((void *)(uintptr_t)old, entry_free);
    }
}

void site_specialise(struct frame *fp, struct code_site *site, unsigned op, uint64_t cache,
                     unsigned give_up)
{
    uint32_t misses = field_load(&site->misses);
    if (misses > SITE_TRIES) {
        return;
    }
    field_store(&site->misses, misses + 1);
    if (misses == SITE_TRIES || op == give_up) {
        set_op(fp, give_up);
        return;
    }
    set_cache(site, cache);
    set_op(fp, op);
}

void site_specialise_entry(struct frame *fp, struct code_site *site, unsigned op,
                           const struct site_entry *entry, unsigned give_up)
{
    if (field_load(&site->misses) >= SITE_TRIES) {
        site_specialise(fp, site, give_up, 0, give_up);
        return;
    }
    struct site_entry *copy = PyMem_RawMalloc(sizeof *copy);
    if (copy != NULL) {
        *copy = *entry;
        site_specialise(fp, site, op, (uint64_t)(uintptr_t)copy, give_up);
    }
}

value_t vm_entry_method_behind(PyObject *owner, struct site_entry *entry)
{
    for (uint32_t i = 1; i <= entry->more; i++) {
        value_t f = vm_entry_method(owner, &entry[i]);
        if (f != VALUE_NULL) {
            return f;
        }
    }
    return VALUE_NULL;
}

void site_specialise_more(struct frame *fp, struct code_site *site, unsigned op,
                          const struct site_entry *entry, unsigned give_up)
{
    struct site_entry *old = NULL;
    if (WORD_OP(field_load(&fp->pc[-1])) == op && field_load(&site->misses) < SITE_TRIES) {
        old = site_entry(site);
    }
    uint32_t more = old == NULL ? 0 : old->more + 1;
    struct site_entry *copy = more == 0 ? NULL : PyMem_RawMalloc((more + 1) * sizeof *copy);
    if (copy == NULL) {
        site_specialise_entry(fp, site, op, entry, give_up);
        return;
    }
    copy[0] = *entry;
    copy[0].more = more;
    memcpy(&copy[1], old, more * sizeof *copy);
    site_specialise(fp, site, op, (uint64_t)(uintptr_t)copy, give_up);
}

static PyObject *site_name(struct frame *fp, unsigned s)
{
    return fp->body->names[fp->body->sites[s].arg];
}

/* ---- GET_ATTR -------------------------------------------------------------------------------- */

/* Whether attributes are found in the usual way; __getattr__, asked when they are not, does not matter to
 * caches of what was found. */
static bool generic_getattr(PyTypeObject *type)
{
    if (type->tp_getattro == slot_tp_getattr_hook) {
        PyObject *getattribute = type_lookup(type, ID(__getattribute__), NULL);
        return getattribute != NULL && Py_IS_TYPE(getattribute, &PyWrapperDescr_Type)
               && ((PyWrapperDescrObject *)getattribute)->d_wrapped
                      == (void *)PyObject_GenericGetAttr;
    }
    return type->tp_getattro == PyObject_GenericGetAttr;
}

/* Offset of a plain object field behind a member descriptor, or 0. */
static Py_ssize_t object_member_offset(PyObject *descr, PyTypeObject *type, bool writing)
{
    if (!Py_IS_TYPE(descr, &PyMemberDescr_Type)) {
        return 0;
    }
    PyMemberDef *member = ((PyMemberDescrObject *)descr)->d_member;
    if (member->type != Py_T_OBJECT_EX || (member->flags & Py_AUDIT_READ)
        || (writing && (member->flags & Py_READONLY)) || !type_is_subtype(type, PyDescr_TYPE(descr))
        || member->offset <= 0 || member->offset > CACHE_INDEX_MAX) {
        return 0;
    }
    return member->offset;
}

/* Whether it is a property with a plain function. */
static bool is_simple_property(PyObject *descr)
{
    if (!Py_IS_TYPE(descr, &PyProperty_Type)) {
        return false;
    }
    PyObject *getter = field_load(&((struct propertyobject *)descr)->getter);
    return getter != NULL && Py_IS_TYPE(getter, &PyFunction_Type);
}

static void learn_module(struct frame *fp, struct code_site *site, PyObject *module, PyObject *name,
                         unsigned op, unsigned give_up)
{
    PyObject *dict = module_dict(module);
    if (dict == NULL || PyDict_GetItemWithError(dict, name) == NULL) {
        PyErr_Clear();
        return;
    }
    Py_ssize_t index = dict_str_index(dict, name);
    uint32_t version = dict_keys_version(dict);
    if (index >= 0 && index <= CACHE_INDEX_MAX && version != 0) {
        site_specialise(fp, site, op, CACHE_WORD(CACHE_MODULE, index, version), give_up);
    }
}

/* A name found on the class itself, when owner is a class without a metaclass of its own. */
static bool learn_class(struct frame *fp, struct code_site *site, PyTypeObject *owner,
                        PyObject *name, unsigned op, unsigned give_up)
{
    uint32_t version, meta_version;
    if (Py_TYPE(owner) != &PyType_Type || type_lookup(&PyType_Type, name, &meta_version) != NULL) {
        return false;
    }
    PyObject *value = type_lookup(owner, name, &version);
    if (value == NULL || version == 0) {
        return false;
    }
    if (Py_TYPE(value)->tp_descr_get != NULL && !Py_IS_TYPE(value, &PyFunction_Type)
        && !Py_IS_TYPE(value, &PyMethodDescr_Type)) {
        return false;
    }
    struct site_entry entry = {
        .kind = op, .version = version, .owner = (PyObject *)owner, .value = value};
    site_specialise_entry(fp, site, op, &entry, give_up);
    return true;
}

/* Could instances hold an attribute of this name inline, in front of the class's? When a name joins the
 * shape later, the type's version changes. */
static bool shape_hides(PyTypeObject *type, PyObject *name)
{
    struct shape *shape = type_shape(type);
    return shape != NULL && shape_find(shape, name) != SHAPE_NONE;
}

/* The attribute is in no place where the usual lookup looks; a name that joins the shape changes the type's version. */
static bool learn_hook(struct frame *fp, struct code_site *site, PyObject *owner)
{
    uint32_t version;
    PyObject *hook = type_lookup(Py_TYPE(owner), ID(__getattr__), &version);
    if (hook == NULL || version == 0 || !vm_is_python(hook) || !instance_hides_nothing(owner)) {
        return false;
    }
    struct site_entry entry = {.kind = GET_ATTR_HOOK, .version = version, .value = hook};
    site_specialise_entry(fp, site, GET_ATTR_HOOK, &entry, GET_ATTR_ANY);
    return true;
}

static void learn_get(struct frame *fp, struct code_site *site, PyObject *owner, PyObject *name)
{
    PyTypeObject *type = Py_TYPE(owner);
    uint32_t version;
    if (PyModule_CheckExact(owner)) {
        learn_module(fp, site, owner, name, GET_ATTR_MODULE, GET_ATTR_ANY);
        return;
    }
    if (PyType_Check(owner)) {
        if (!learn_class(fp, site, (PyTypeObject *)owner, name, GET_ATTR_ENTRY, GET_ATTR_ANY)) {
            site_specialise(fp, site, GET_ATTR_ANY, 0, GET_ATTR_ANY);
        }
        return;
    }
    if (!generic_getattr(type)) {
        site_specialise(fp, site, GET_ATTR_ANY, 0, GET_ATTR_ANY);
        return;
    }
    PyObject *descr = type_lookup(type, name, &version);
    if (version == 0) {
        return;
    }
    if (descr == NULL) {
        struct shape *shape = type_shape(type);
        int index = shape ? shape_find(shape, name) : SHAPE_NONE;
        if (index == SHAPE_NONE && type->tp_getattro == slot_tp_getattr_hook
            && learn_hook(fp, site, owner)) {
            return;
        }
        if (index != SHAPE_NONE && managed_is_inline(object_managed_load(owner))) {
            site_specialise(fp, site, GET_ATTR_INLINE, CACHE_WORD(CACHE_INLINE, index, version),
                            GET_ATTR_ANY);
            return;
        }
    } else {
        if (is_simple_property(descr)) {
            struct site_entry entry = {
                .kind = GET_ATTR_PROPERTY, .version = version, .value = descr};
            site_specialise_entry(fp, site, GET_ATTR_PROPERTY, &entry, GET_ATTR_ANY);
            return;
        }
        Py_ssize_t offset = object_member_offset(descr, type, false);
        if (offset) {
            site_specialise(fp, site, GET_ATTR_SLOT, CACHE_WORD(CACHE_SLOT, offset, version),
                            GET_ATTR_ANY);
            return;
        }
        if (Py_TYPE(descr)->tp_descr_get == NULL && instance_hides_nothing(owner)
            && !shape_hides(type, name)) {
            struct site_entry entry = {.kind = GET_ATTR_ENTRY, .version = version, .value = descr};
            site_specialise_entry(fp, site, GET_ATTR_ENTRY, &entry, GET_ATTR_ANY);
            return;
        }
    }
    site_specialise(fp, site, GET_ATTR_ANY, 0, GET_ATTR_ANY);
}

/* An instance's own attribute as a word, so that a number in it stays one. */
static bool get_own_word(PyObject *owner, PyObject *name, value_t *result)
{
    PyTypeObject *type = Py_TYPE(owner);
    struct shape *shape = type_shape(type);
    if (shape == NULL || !generic_getattr(type) || !managed_is_inline(object_managed_load(owner))) {
        return false;
    }
    int index = shape_find(shape, name);
    if (index == SHAPE_NONE || type_lookup(type, name, NULL) != NULL) {
        return false;
    }
    return instance_get_at(owner, index, result);
}

int vm_get_attr_any(struct frame *fp, unsigned a, unsigned b, unsigned s)
{
    PyObject *owner = reg_object(fp, b), *name = site_name(fp, s);
    value_t result;
    if (owner == NULL) {
        return -1;
    }
    if (!get_own_word(owner, name, &result)) {
        result = value_from_owned(PyObject_GetAttr(owner, name));
        if (result == VALUE_NULL) {
            return -1;
        }
    }
    reg_consume(fp, b);
    reg_put(fp, a, result);
    return 0;
}

int vm_get_attr(struct frame *fp, unsigned a, unsigned b, unsigned s)
{
    if (value_is_pointer(fp->r[b])) {
        learn_get(fp, &fp->body->sites[s], value_object(fp->r[b]), site_name(fp, s));
    }
    return vm_get_attr_any(fp, a, b, s);
}

/* ---- SET_ATTR, DEL_ATTR ---------------------------------------------------------------------- */

static void learn_set(struct frame *fp, struct code_site *site, PyObject *owner, PyObject *name)
{
    PyTypeObject *type = Py_TYPE(owner);
    uint32_t version;
    if (type->tp_setattro == PyObject_GenericSetAttr) {
        PyObject *descr = type_lookup(type, name, &version);
        if (version == 0) {
            return;
        }
        if (descr != NULL) {
            Py_ssize_t offset = object_member_offset(descr, type, true);
            if (offset) {
                site_specialise(fp, site, SET_ATTR_SLOT, CACHE_WORD(CACHE_SLOT, offset, version),
                                SET_ATTR_ANY);
                return;
            }
        }
        if (descr == NULL || Py_TYPE(descr)->tp_descr_set == NULL) {
            struct shape *shape = type_shape(type);
            uintptr_t word = shape ? object_managed_load(owner) : 0;
            int index = shape ? shape_find(shape, name) : SHAPE_NONE;
            if (index != SHAPE_NONE && (word == 0 || managed_is_inline(word))) {
                site_specialise(fp, site, SET_ATTR_INLINE, CACHE_WORD(CACHE_INLINE, index, version),
                                SET_ATTR_ANY);
                return;
            }
            if (shape != NULL && field_load(&site->misses) == 0) {
                return; /* the name joins the shape now; next time it is known */
            }
        }
    }
    site_specialise(fp, site, SET_ATTR_ANY, 0, SET_ATTR_ANY);
}

/* Stores a word where the attribute is the instance's own: 1 done, 0 not here, -1. */
static int set_own_word(PyObject *owner, PyObject *name, value_t value)
{
    PyTypeObject *type = Py_TYPE(owner);
    if (type_shape(type) == NULL || type->tp_setattro != PyObject_GenericSetAttr
        || !value_is_number(value)) {
        return 0;
    }
    PyObject *descr = type_lookup(type, name, NULL);
    if (descr != NULL && Py_TYPE(descr)->tp_descr_set != NULL) {
        return 0;
    }
    return instance_set(owner, name, value) < 0 ? -1 : 1;
}

int vm_set_attr_any(struct frame *fp, unsigned a, unsigned b, unsigned s)
{
    PyObject *owner = reg_object(fp, a), *name = site_name(fp, s);
    if (owner == NULL) {
        return -1;
    }
    int done = set_own_word(owner, name, fp->r[b]);
    if (done == 0) {
        PyObject *value = reg_object(fp, b);
        done = value == NULL ? -1 : PyObject_SetAttr(owner, name, value);
    }
    if (done < 0) {
        return -1;
    }
    reg_consume(fp, b);
    reg_consume(fp, a);
    return 0;
}

int vm_set_attr(struct frame *fp, unsigned a, unsigned b, unsigned s)
{
    if (value_is_pointer(fp->r[a])) {
        learn_set(fp, &fp->body->sites[s], value_object(fp->r[a]), site_name(fp, s));
    }
    return vm_set_attr_any(fp, a, b, s);
}

int vm_store_field(struct frame *fp, PyObject **field, PyObject *owner, unsigned v)
{
    PyObject *value = reg_take(fp, v);
    if (value == NULL) {
        return -1;
    }
    PyObject *old = ref_replace(field, value, owner);
    if (v >= fp->body->nlocals) {
        fp->r[v] = VALUE_NULL;
    }
    Py_XDECREF(old);
    return 0;
}

/* Of an instance whose class has nothing of this name: 1 if it had one, 0 (or not here), -1. */
static int delete_own(PyObject *owner, PyObject *name)
{
    PyTypeObject *type = Py_TYPE(owner);
    if (type->tp_setattro != PyObject_GenericSetAttr || !(type->tp_flags & Py_TPFLAGS_MANAGED_DICT)
        || type_lookup(type, name, NULL) != NULL) {
        return 0;
    }
    return instance_delete(owner, name);
}

int vm_del_attr(struct frame *fp, unsigned a, unsigned s)
{
    PyObject *owner = reg_object(fp, a);
    int gone = owner == NULL ? -1 : delete_own(owner, site_name(fp, s));
    if (gone < 0 || (gone == 0 && PyObject_DelAttr(owner, site_name(fp, s)) < 0)) {
        return -1;
    }
    reg_consume(fp, a);
    return 0;
}

/* ---- LOAD_METHOD ----------------------------------------------------------------------------- */

/* A class method or static method around a Python function or anything else that binds to nothing more. */
static bool is_bound_method(PyObject *descr)
{
    return (Py_IS_TYPE(descr, &PyClassMethod_Type) || Py_IS_TYPE(descr, &PyStaticMethod_Type))
           && class_or_static_callable(descr) != NULL;
}

static void learn_bound_method(struct frame *fp, struct code_site *site, PyObject *descr,
                               uint32_t version, PyObject *class)
{
    uint32_t of = Py_IS_TYPE(descr, &PyClassMethod_Type) ? ENTRY_OF_CLASS : ENTRY_STATIC;
    struct site_entry entry = {
        .kind = LOAD_METHOD_BOUND, .version = version, .index = of, .owner = class, .value = descr};
    site_specialise_entry(fp, site, LOAD_METHOD_BOUND, &entry, LOAD_METHOD_ANY);
}

/* Of a class without a metaclass of its own. */
static bool learn_class_method(struct frame *fp, struct code_site *site, PyTypeObject *owner,
                               PyObject *name)
{
    uint32_t version, meta_version;
    if (Py_TYPE(owner) != &PyType_Type || type_lookup(&PyType_Type, name, &meta_version) != NULL) {
        return false;
    }
    PyObject *value = type_lookup(owner, name, &version);
    if (value == NULL || version == 0) {
        return false;
    }
    if (is_bound_method(value)) {
        learn_bound_method(fp, site, value, version, (PyObject *)owner);
        return true;
    }
    return learn_class(fp, site, owner, name, LOAD_METHOD_CLASS, LOAD_METHOD_ANY);
}

static void learn_method(struct frame *fp, struct code_site *site, PyObject *owner, PyObject *name)
{
    PyTypeObject *type = Py_TYPE(owner);
    uint32_t version;
    if (PyModule_CheckExact(owner)) {
        learn_module(fp, site, owner, name, LOAD_METHOD_MODULE, LOAD_METHOD_ANY);
        return;
    }
    if (PyType_Check(owner)) {
        if (learn_class_method(fp, site, (PyTypeObject *)owner, name)) {
            return;
        }
    } else if (generic_getattr(type)) {
        PyObject *descr = type_lookup(type, name, &version);
        if (version == 0) {
            return;
        }
        if (descr != NULL && instance_hides_nothing(owner) && !shape_hides(type, name)) {
            if (Py_TYPE(descr)->tp_flags & Py_TPFLAGS_METHOD_DESCRIPTOR) {
                struct site_entry entry = {.kind = LOAD_METHOD_ENTRY,
                                           .version = version,
                                           .index = type->tp_dictoffset == 0 ? ENTRY_NO_DICT : 0,
                                           .value = descr};
                site_specialise_more(fp, site, LOAD_METHOD_ENTRY, &entry, LOAD_METHOD_ANY);
                return;
            }
            if (is_bound_method(descr)) {
                learn_bound_method(fp, site, descr, version, NULL);
                return;
            }
        }
    }
    site_specialise(fp, site, LOAD_METHOD_ANY, 0, LOAD_METHOD_ANY);
}

int vm_load_method_any(struct frame *fp, unsigned a, unsigned b, unsigned s)
{
    PyObject *owner = reg_object(fp, b), *method;
    if (owner == NULL) {
        return -1;
    }
    int unbound = object_get_method(owner, site_name(fp, s), &method);
    if (method == NULL) {
        return -1;
    }
    value_t o = fp->r[b];
    if (unbound) {
        fp->r[a + 1] = b < fp->body->nlocals ? value_borrow(o) : o;
        fp->r[a] = value_from_owned(method);
    } else {
        reg_consume(fp, b);
        fp->r[a] = value_from_owned(method);
        fp->r[a + 1] = VALUE_NULL;
    }
    return 0;
}

int vm_load_method(struct frame *fp, unsigned a, unsigned b, unsigned s)
{
    if (value_is_pointer(fp->r[b])) {
        learn_method(fp, &fp->body->sites[s], value_object(fp->r[b]), site_name(fp, s));
    }
    return vm_load_method_any(fp, a, b, s);
}

/* ---- super ----------------------------------------------------------------------------------- */

static void learn_super(struct frame *fp, struct code_site *site, PyTypeObject *class,
                        PyObject *self, PyObject *name)
{
    PyTypeObject *type = Py_TYPE(self);
    uint32_t version;
    if (!PyType_Check(self) && type_is_subtype(type, class)) {
        type_lookup(type, name, &version); /* so that it has a version */
        PyObject *found = version == 0 ? NULL : super_find(type, class, name);
        Py_XDECREF(found); /* a class behind has it, while type has its version */
        if (found != NULL && descr_is_method(found)) {
            struct site_entry entry = {.kind = LOAD_SUPER_METHOD_ENTRY,
                                       .version = version,
                                       .owner = (PyObject *)class,
                                       .value = found};
            site_specialise_entry(fp, site, LOAD_SUPER_METHOD_ENTRY, &entry, LOAD_SUPER_METHOD_ANY);
            return;
        }
        PyErr_Clear();
    }
    site_specialise(fp, site, LOAD_SUPER_METHOD_ANY, 0, LOAD_SUPER_METHOD_ANY);
}

int vm_load_super_method(struct frame *fp, unsigned a, unsigned b, unsigned s)
{
    PyObject *super = reg_object(fp, b), *class = reg_object(fp, b + 1);
    PyObject *self = reg_object(fp, b + 2);
    if (super == NULL || class == NULL || self == NULL) {
        return -1;
    }
    if (super == (PyObject *)&PySuper_Type && PyType_Check(class)) {
        learn_super(fp, &fp->body->sites[s], (PyTypeObject *)class, self, site_name(fp, s));
    }
    return vm_load_super(fp, a, b, s, true);
}

int vm_load_super(struct frame *fp, unsigned a, unsigned b, unsigned s, bool method)
{
    struct code_site *site = &fp->body->sites[s];
    PyObject *super = reg_object(fp, b), *class = reg_object(fp, b + 1);
    PyObject *self = reg_object(fp, b + 2), *name = site_name(fp, s), *result;
    int unbound = 0;
    if (super == NULL || class == NULL || self == NULL) {
        return -1;
    }
    if (likely(super == (PyObject *)&PySuper_Type && PyType_Check(class)
               && fp->call_reported != CALL_REPORTED_SUPER)) {
        result = super_lookup((PyTypeObject *)class, self, name, method ? &unbound : NULL);
    } else {
        PyObject *args[] = {NULL, class, self};
        PyObject *object = PyObject_Vectorcall(
            super, args + 1, (site->arg2 & 1 ? 2 : 0) | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
        if (fp->call_reported == CALL_REPORTED_SUPER
            && monitor_c_result(PyThreadState_Get(), fp, super, site->arg2 & 1 ? class : NULL,
                                object == NULL)
                   < 0) {
            Py_CLEAR(object);
        }
        result = object ? PyObject_GetAttr(object, name) : NULL;
        Py_XDECREF(object);
    }
    if (result == NULL) {
        return -1;
    }
    value_t self_word = fp->r[b + 2];
    value_release(fp->r[b]);
    value_release(fp->r[b + 1]);
    if (!method) {
        value_release(self_word);
        reg_put(fp, a, value_from_owned(result));
        return 0;
    }
    fp->r[a] = value_from_owned(result);
    fp->r[a + 1] = unbound ? self_word : VALUE_NULL;
    if (!unbound) {
        value_release(self_word);
    }
    return 0;
}
