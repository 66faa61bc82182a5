/* Instances of classes made in Python, and types as objects: calls, life and death. */
#include "objects/type/internal.h"

#include "locking/refs.h"
#include "objects/weakref.h"
#include "objects/gc/gc.h"

/* ---- calls ----------------------------------------------------------------------------------- */

static PyObject *raise_cannot_create(PyTypeObject *type)
{
    PyErr_Format(PyExc_TypeError, "cannot create '%s' instances", type->tp_name);
    return NULL;
}

PyObject *type_call(PyObject *self, PyObject *args, PyObject *kwds)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (type == &PyType_Type) {
        Py_ssize_t count = PyTuple_GET_SIZE(args);
        if (count == 1 && (kwds == NULL || PyDict_GET_SIZE(kwds) == 0)) {
            return Py_NewRef((PyObject *)Py_TYPE(PyTuple_GET_ITEM(args, 0)));
        }
        if (count != 3) {
            PyErr_SetString(PyExc_TypeError, "type() takes 1 or 3 arguments");
            return NULL;
        }
    }
    if (type->tp_new == NULL) {
        return raise_cannot_create(type);
    }
    PyObject *op = type->tp_new(type, args, kwds);
    if (op == NULL || !PyObject_TypeCheck(op, type)) {
        if (op == NULL && !PyErr_Occurred()) {
            PyErr_Format(PyExc_SystemError, "%R returned NULL without setting an exception", type);
        }
        return op;
    }
    /* __new__ may have made an instance of a subclass. */
    type = Py_TYPE(op);
    if (type->tp_init != NULL && type->tp_init(op, args, kwds) < 0) {
        Py_DECREF(op);
        return NULL;
    }
    return op;
}

/* Makes the argument tuple and keyword dict that tp_new and tp_init want. */
static PyObject *call_by_tuple(PyObject *type, PyObject *const *args, Py_ssize_t count,
                               PyObject *kwnames)
{
    PyObject *tuple = PyTuple_New(count), *kwds = NULL, *result = NULL;
    if (tuple == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
    }
    if (kwnames != NULL && PyTuple_GET_SIZE(kwnames) > 0) {
        kwds = PyDict_New();
        if (kwds == NULL || dict_update_from_kwargs(kwds, kwnames, args + count) < 0) {
            goto done;
        }
    }
    result = type_call(type, tuple, kwds);
done:
    Py_DECREF(tuple);
    Py_XDECREF(kwds);
    return result;
}

/* Calls a plain function __init__ with self laid before the arguments. */
static int call_init(PyObject *init, PyObject *self, PyObject *const *args, size_t nargsf,
                     PyObject *kwnames)
{
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    Py_ssize_t total = count + (kwnames == NULL ? 0 : PyTuple_GET_SIZE(kwnames));
    PyObject *result;
    if (nargsf & PY_VECTORCALL_ARGUMENTS_OFFSET) {
        PyObject **shifted = (PyObject **)args - 1, *saved = shifted[0];
        shifted[0] = self;
        result = PyObject_Vectorcall(init, shifted, (size_t)count + 1, kwnames);
        shifted[0] = saved;
    } else {
        PyObject *small[10], **stack = small;
        if (total + 2 > (Py_ssize_t)ARRAY_SIZE(small)) {
            stack = PyMem_New(PyObject *, total + 2);
            if (stack == NULL) {
                PyErr_NoMemory();
                return -1;
            }
        }
        stack[1] = self;
        memcpy(stack + 2, args, (size_t)total * sizeof(PyObject *));
        result = PyObject_Vectorcall(init, stack + 1,
                                     ((size_t)count + 1) | PY_VECTORCALL_ARGUMENTS_OFFSET, kwnames);
        if (stack != small) {
            PyMem_Free(stack);
        }
    }
    if (result == Py_None) {
        return 0;
    }
    if (result != NULL) {
        PyErr_Format(PyExc_TypeError, "__init__() should return None, not '%.200s'",
                     Py_TYPE(result)->tp_name);
        Py_DECREF(result);
    }
    return -1;
}

PyObject *type_vectorcall(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyTypeObject *type = (PyTypeObject *)self;
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    /* The common class: object's __new__, and an __init__ written in Python or none at all. */
    if (type->tp_new == object_new_slot && !(type->tp_flags & Py_TPFLAGS_IS_ABSTRACT)) {
        if (type->tp_init == object_init_slot && count == 0 && kwnames == NULL) {
            return type->tp_alloc(type, 0);
        }
        PyObject *init =
            type->tp_init == slot_tp_init ? type_lookup_ref(type, ID(__init__), NULL) : NULL;
        if (init != NULL && Py_IS_TYPE(init, &PyFunction_Type)) {
            PyObject *op = type->tp_alloc(type, 0);
            if (op != NULL && call_init(init, op, args, nargsf, kwnames) < 0) {
                Py_CLEAR(op);
            }
            Py_DECREF(init);
            return op;
        }
        Py_XDECREF(init);
    }
    return call_by_tuple(self, args, count, kwnames);
}

/* ---- __slots__ ------------------------------------------------------------------------------- */

#define HEAP_MEMBERS(type) ((PyMemberDef *)((char *)(type) + Py_TYPE(type)->tp_basicsize))

static int visit_slots(PyTypeObject *type, PyObject *self, visitproc visit, void *arg)
{
    PyMemberDef *member = HEAP_MEMBERS(type);
    for (Py_ssize_t i = 0; i < Py_SIZE(type); i++, member++) {
        if (member->type == Py_T_OBJECT_EX) {
            Py_VISIT(*(PyObject **)((char *)self + member->offset));
        }
    }
    return 0;
}

static void clear_slots(PyTypeObject *type, PyObject *self)
{
    PyMemberDef *member = HEAP_MEMBERS(type);
    for (Py_ssize_t i = 0; i < Py_SIZE(type); i++, member++) {
        if (member->type == Py_T_OBJECT_EX && !(member->flags & Py_READONLY)) {
            Py_CLEAR(*(PyObject **)((char *)self + member->offset));
        }
    }
}

/* ---- the collector's view of an instance ----------------------------------------------------- */

int subtype_traverse(PyObject *self, visitproc visit, void *arg)
{
    PyTypeObject *type = Py_TYPE(self), *base = type;
    while (base->tp_traverse == subtype_traverse) {
        if (Py_SIZE(base) != 0) {
            int stopped = visit_slots(base, self, visit, arg);
            if (stopped) {
                return stopped;
            }
        }
        base = base->tp_base;
    }
    if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) {
        if (!(base->tp_flags & Py_TPFLAGS_MANAGED_DICT) || base->tp_traverse == NULL) {
            int stopped = instance_visit(self, visit, arg);
            if (stopped) {
                return stopped;
            }
        }
    }
    if (type_is_heap(type) && (!type_is_heap(base) || base->tp_traverse == NULL)) {
        /* A heap base visits the type itself. */
        Py_VISIT(type);
    }
    return base->tp_traverse == NULL ? 0 : base->tp_traverse(self, visit, arg);
}

int subtype_clear(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self), *base = type;
    while (base->tp_clear == subtype_clear) {
        if (Py_SIZE(base) != 0) {
            clear_slots(base, self);
        }
        base = base->tp_base;
    }
    if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT && !(base->tp_flags & Py_TPFLAGS_MANAGED_DICT)) {
        instance_clear(self);
    }
    return base->tp_clear == NULL ? 0 : base->tp_clear(self);
}

/* ---- death of an instance -------------------------------------------------------------------- */

static PyTypeObject *base_with_other_dealloc(PyTypeObject *type)
{
    while (type->tp_dealloc == subtype_dealloc) {
        type = type->tp_base;
    }
    return type;
}

/* Runs __del__ and what C types have like it; false when the object lives on. */
static bool run_finalizers(PyObject *self, PyTypeObject *type, bool gc)
{
    if (type->tp_finalize != NULL) {
        if (gc) {
            PyObject_GC_Track(self);
        }
        if (PyObject_CallFinalizerFromDealloc(self) < 0) {
            return false;
        }
        if (gc) {
            PyObject_GC_UnTrack(self);
        }
    }
    if (type->tp_del != NULL) {
        type->tp_del(self);
        if (Py_REFCNT(self) > 0) {
            return false;
        }
    }
    return true;
}

/* An instance that has nothing but attributes in its inline slots, and no finalizer. */
static inline bool is_plain(PyTypeObject *type)
{
    return type->tp_base == &PyBaseObject_Type && (type->tp_flags & Py_TPFLAGS_INLINE_VALUES)
           && type->tp_finalize == NULL && type->tp_del == NULL && Py_SIZE(type) == 0
           && type->tp_free == PyObject_GC_Del;
}

static void plain_dealloc(PyObject *self, PyTypeObject *type)
{
    gc_untrack(self);
    if (field_load_acquire(object_managed_weaklist(self))
        != NULL) { /* a dying reference may be taking itself off it */
        weakref_clear_all(self);
    }
    if (managed_is_inline(*object_managed_word(self))) {
        value_t *slot = object_inline_slots(self), *end = slot + type_shape(type)->capacity;
        for (; slot < end; slot++) {
            value_release(*slot);
        }
    } else {
        instance_clear(self);
    }
    slab_free(self);
    type_count_add(type, -1);
}

void subtype_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (likely(is_plain(type))) {
        plain_dealloc(self, type);
        return;
    }
    PyTypeObject *base = base_with_other_dealloc(type);
    bool gc = type->tp_flags & Py_TPFLAGS_HAVE_GC;
    if (gc) {
        PyObject_GC_UnTrack(self);
    }
    if (!run_finalizers(self, type, gc)) {
        return;
    }
    /* __del__ may have changed the class. */
    type = Py_TYPE(self);
    base = base_with_other_dealloc(type);
    if (type->tp_weaklistoffset != 0 && base->tp_weaklistoffset == 0) {
        weakref_clear_all(self);
    }
    for (PyTypeObject *t = type; t != base; t = t->tp_base) {
        if (Py_SIZE(t) != 0) {
            clear_slots(t, self);
        }
    }
    if ((type->tp_flags & Py_TPFLAGS_MANAGED_DICT) && !(base->tp_flags & Py_TPFLAGS_MANAGED_DICT)) {
        instance_clear(self);
        /* The word may hold a dict again if a finalizer assigned an attribute. */
        if (*object_managed_word(self) > 1) {
            instance_clear(self);
        }
    }
    if (gc && (base->tp_flags & Py_TPFLAGS_HAVE_GC)) {
        PyObject_GC_Track(self); /* the base untracks it */
    }
    /* A heap base's own dealloc drops the reference to the type. */
    bool drop_type = type_is_heap(type) && !type_is_heap(base);
    base->tp_dealloc(self);
    if (drop_type) {
        type_count_add(type, -1);
    }
}

/* ---- types as objects ------------------------------------------------------------------------ */

int type_is_gc(PyObject *self)
{
    return type_is_heap((PyTypeObject *)self);
}

int type_traverse(PyObject *self, visitproc visit, void *arg)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (!type_is_heap(type)) {
        return 0;
    }
    PyHeapTypeObject *heap = (PyHeapTypeObject *)type;
    Py_VISIT(type->tp_dict);
    Py_VISIT(type->tp_mro);
    Py_VISIT(type->tp_bases);
    Py_VISIT(type->tp_base);
    Py_VISIT(heap->ht_module);
    /* ht_slots, names and subclasses hold no cycles: strings, and borrowed references. */
    return 0;
}

/* Breaking tp_dict and the MRO is enough; the rest goes with the type. */
int type_clear(PyObject *self)
{
    PyTypeObject *type = (PyTypeObject *)self;
    if (!type_is_heap(type)) {
        return 0;
    }
    type_modified(type);
    if (type->tp_dict != NULL) {
        PyDict_Clear(type->tp_dict);
    }
    Py_CLEAR(((PyHeapTypeObject *)type)->ht_module);
    PyObject *mro = type->tp_mro;
    type->tp_mro = NULL;
    Py_XDECREF(mro);
    return 0;
}

void type_dealloc(PyObject *self)
{
    PyTypeObject *type = (PyTypeObject *)self;
    PyHeapTypeObject *heap = (PyHeapTypeObject *)type;
    if (!type_is_heap(type)) {
        ref_immortalise(self); /* a static type cannot die */
        return;
    }
    PyObject_GC_UnTrack(self);
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *bases = type->tp_bases;
    for (Py_ssize_t i = 0; bases != NULL && i < PyTuple_GET_SIZE(bases); i++) {
        PyObject *base = PyTuple_GET_ITEM(bases, i);
        if (PyType_Check(base)) {
            type_remove_subclass((PyTypeObject *)base, type);
        }
    }
    PyErr_SetRaisedException(raised);
    type_forget_version(type);
    weakref_clear_all(self);
    Py_XDECREF(type->tp_base);
    Py_XDECREF(type->tp_dict);
    Py_XDECREF(type->tp_bases);
    Py_XDECREF(type->tp_mro);
    PyMem_Free(type->tp_subclasses);
    PyMem_Free((char *)type->tp_doc);
    Py_XDECREF(heap->ht_name);
    Py_XDECREF(heap->ht_qualname);
    Py_XDECREF(heap->ht_slots);
    Py_XDECREF(heap->ht_module);
    shape_free((struct shape *)heap->ht_cached_keys);
    PyMem_Free(heap->_ht_tpname);
    Py_TYPE(type)->tp_free(self);
}
