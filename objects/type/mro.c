/* Bases: the method resolution order, layouts that fit, and assignment to __bases__. */
#include "objects/type/internal.h"

/* ---- C3 -------------------------------------------------------------------------------------- */

/* One sequence of the merge: classes from `next` on are still to be taken. */
struct merge_row {
    PyObject *tuple;
    Py_ssize_t next;
};

static bool in_tail(const struct merge_row *rows, Py_ssize_t count, PyObject *candidate)
{
    for (Py_ssize_t i = 0; i < count; i++) {
        for (Py_ssize_t j = rows[i].next + 1; j < PyTuple_GET_SIZE(rows[i].tuple); j++) {
            if (PyTuple_GET_ITEM(rows[i].tuple, j) == candidate) {
                return true;
            }
        }
    }
    return false;
}

static PyObject *class_name(PyObject *cls)
{
    PyObject *name;
    if (PyObject_GetOptionalAttr(cls, ID(__name__), &name) == 0) {
        name = PyObject_Repr(cls);
    } else if (name != NULL && !PyUnicode_Check(name)) {
        Py_SETREF(name, PyObject_Str(name));
    }
    return name;
}

/* Names the classes that block each other. */
static void raise_inconsistent(const struct merge_row *rows, Py_ssize_t count)
{
    PyObject *heads = PyDict_New(), *names = PyList_New(0);
    bool fine = heads != NULL && names != NULL;
    for (Py_ssize_t i = 0; fine && i < count; i++) {
        if (rows[i].next < PyTuple_GET_SIZE(rows[i].tuple)) {
            fine =
                PyDict_SetItem(heads, PyTuple_GET_ITEM(rows[i].tuple, rows[i].next), Py_None) == 0;
        }
    }
    Py_ssize_t pos = 0;
    PyObject *cls, *none;
    while (fine && PyDict_Next(heads, &pos, &cls, &none)) {
        PyObject *name = class_name(cls);
        fine = name != NULL && PyList_Append(names, name) == 0;
        Py_XDECREF(name);
    }
    PyObject *comma = fine ? PyUnicode_FromString(", ") : NULL;
    PyObject *text = comma == NULL ? NULL : PyUnicode_Join(comma, names);
    if (text != NULL) {
        PyErr_Format(PyExc_TypeError,
                     "Cannot create a consistent method resolution order (MRO) for bases %U", text);
    }
    Py_XDECREF(text);
    Py_XDECREF(comma);
    Py_XDECREF(names);
    Py_XDECREF(heads);
}

static int merge(PyObject *result, struct merge_row *rows, Py_ssize_t count)
{
    for (;;) {
        PyObject *taken = NULL;
        bool left = false;
        for (Py_ssize_t i = 0; i < count && taken == NULL; i++) {
            if (rows[i].next == PyTuple_GET_SIZE(rows[i].tuple)) {
                continue;
            }
            left = true;
            PyObject *candidate = PyTuple_GET_ITEM(rows[i].tuple, rows[i].next);
            if (!in_tail(rows, count, candidate)) {
                taken = candidate;
            }
        }
        if (!left) {
            return 0;
        }
        if (taken == NULL) {
            raise_inconsistent(rows, count);
            return -1;
        }
        if (PyList_Append(result, taken) < 0) {
            return -1;
        }
        for (Py_ssize_t i = 0; i < count; i++) {
            if (rows[i].next < PyTuple_GET_SIZE(rows[i].tuple)
                && PyTuple_GET_ITEM(rows[i].tuple, rows[i].next) == taken) {
                rows[i].next++;
            }
        }
    }
}

static int check_duplicates(PyObject *bases)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        for (Py_ssize_t j = i + 1; j < PyTuple_GET_SIZE(bases); j++) {
            if (PyTuple_GET_ITEM(bases, i) == PyTuple_GET_ITEM(bases, j)) {
                PyObject *name = class_name(PyTuple_GET_ITEM(bases, i));
                if (name != NULL) {
                    PyErr_Format(PyExc_TypeError, "duplicate base class %U", name);
                    Py_DECREF(name);
                }
                return -1;
            }
        }
    }
    return 0;
}

/* One base: the class, then the base's MRO. */
static PyObject *mro_of_chain(PyTypeObject *type, PyObject *mro)
{
    Py_ssize_t count = PyTuple_GET_SIZE(mro);
    PyObject *result = PyTuple_New(count + 1);
    if (result == NULL) {
        return NULL;
    }
    PyTuple_SET_ITEM(result, 0, Py_NewRef((PyObject *)type));
    for (Py_ssize_t i = 0; i < count; i++) {
        PyTuple_SET_ITEM(result, i + 1, Py_NewRef(PyTuple_GET_ITEM(mro, i)));
    }
    return result;
}

PyObject *mro_compute(PyTypeObject *type)
{
    PyObject *bases = type->tp_bases;
    Py_ssize_t count = PyTuple_GET_SIZE(bases);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(bases, i);
        if (base->tp_mro == NULL) {
            PyErr_Format(PyExc_TypeError, "Cannot extend an incomplete type '%.100s'",
                         base->tp_name);
            return NULL;
        }
    }
    if (count == 0) {
        return PyTuple_Pack(1, type);
    }
    if (count == 1) {
        return mro_of_chain(type, ((PyTypeObject *)PyTuple_GET_ITEM(bases, 0))->tp_mro);
    }
    if (check_duplicates(bases) < 0) {
        return NULL;
    }
    struct merge_row *rows = PyMem_New(struct merge_row, count + 1);
    if (rows == NULL) {
        return PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        rows[i] = (struct merge_row){((PyTypeObject *)PyTuple_GET_ITEM(bases, i))->tp_mro, 0};
    }
    rows[count] = (struct merge_row){bases, 0};
    PyObject *list = PyList_New(1), *result = NULL;
    if (list != NULL) {
        PyList_SET_ITEM(list, 0, Py_NewRef((PyObject *)type));
        if (merge(list, rows, count + 1) == 0) {
            result = PyList_AsTuple(list);
        }
        Py_DECREF(list);
    }
    PyMem_Free(rows);
    return result;
}

/* What a metaclass's mro() gave must be classes whose layouts fit. */
static bool check_custom_mro(PyTypeObject *type, PyObject *mro)
{
    PyTypeObject *solid = solid_base(type);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(mro); i++) {
        PyTypeObject *cls = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);
        if (!PyType_Check((PyObject *)cls)) {
            PyErr_Format(PyExc_TypeError, "mro() returned a non-class ('%.500s')",
                         Py_TYPE(cls)->tp_name);
            return false;
        }
        if (!PyType_IsSubtype(solid, solid_base(cls))) {
            PyErr_Format(PyExc_TypeError, "mro() returned base with unsuitable layout ('%.500s')",
                         cls->tp_name);
            return false;
        }
    }
    return true;
}

PyObject *mro_invoke(PyTypeObject *type, bool *custom)
{
    *custom = Py_TYPE(type) != &PyType_Type && Py_TYPE(type) != NULL;
    if (!*custom) {
        return mro_compute(type);
    }
    PyObject *method;
    int unbound = object_lookup_special_method((PyObject *)type, ID(mro), &method);
    if (method == NULL) {
        if (unbound == 0) {
            PyErr_SetObject(PyExc_AttributeError, ID(mro));
        }
        return NULL;
    }
    PyObject *list =
        unbound ? PyObject_CallOneArg(method, (PyObject *)type) : PyObject_CallNoArgs(method);
    Py_DECREF(method);
    if (list == NULL) {
        return NULL;
    }
    PyObject *result = PySequence_Tuple(list);
    Py_DECREF(list);
    if (result != NULL && PyTuple_GET_SIZE(result) == 0) {
        PyErr_Format(PyExc_TypeError, "type MRO must not be empty");
        Py_CLEAR(result);
    }
    if (result != NULL && !check_custom_mro(type, result)) {
        Py_CLEAR(result);
    }
    return result;
}

/* ---- layouts --------------------------------------------------------------------------------- */

static bool adds_fields(PyTypeObject *type, PyTypeObject *base)
{
    return type->tp_basicsize != base->tp_basicsize || type->tp_itemsize != base->tp_itemsize;
}

/* The nearest type at or above this one that adds fields to its instances. */
PyTypeObject *solid_base(PyTypeObject *type)
{
    while (type->tp_base != NULL && !adds_fields(type, type->tp_base)) {
        type = type->tp_base;
    }
    return type;
}

PyTypeObject *best_base(PyObject *bases)
{
    PyTypeObject *best = NULL, *winner = NULL;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(bases, i);
        if (!PyType_Check((PyObject *)base)) {
            PyErr_SetString(PyExc_TypeError, "bases must be types");
            return NULL;
        }
        if (!(base->tp_flags & Py_TPFLAGS_READY) && PyType_Ready(base) < 0) {
            return NULL;
        }
        if (!(base->tp_flags & Py_TPFLAGS_BASETYPE)) {
            PyErr_Format(PyExc_TypeError, "type '%.100s' is not an acceptable base type",
                         base->tp_name);
            return NULL;
        }
        PyTypeObject *candidate = solid_base(base);
        if (winner == NULL || (candidate != winner && PyType_IsSubtype(candidate, winner))) {
            winner = candidate;
            best = base;
        } else if (!PyType_IsSubtype(winner, candidate)) {
            PyErr_SetString(PyExc_TypeError, "multiple bases have instance lay-out conflict");
            return NULL;
        }
    }
    return best;
}

/* Whether a class's instances look like its base's, so that it does not matter for assignment. */
static bool like_its_base(PyTypeObject *type)
{
    PyTypeObject *base = type->tp_base;
    return base != NULL && !adds_fields(type, base) && type->tp_dictoffset == base->tp_dictoffset
           && type->tp_weaklistoffset == base->tp_weaklistoffset
           && (type->tp_flags & Py_TPFLAGS_HAVE_GC) == (base->tp_flags & Py_TPFLAGS_HAVE_GC)
           && (type->tp_clear == subtype_clear || type->tp_clear == base->tp_clear);
}

/* Two classes that add the same __slots__ to the same base. */
static bool same_slots(PyTypeObject *a, PyTypeObject *b)
{
    if (a->tp_base != b->tp_base || a->tp_basicsize != b->tp_basicsize
        || a->tp_dictoffset != b->tp_dictoffset || a->tp_weaklistoffset != b->tp_weaklistoffset) {
        return false;
    }
    PyObject *of_a = ((PyHeapTypeObject *)a)->ht_slots, *of_b = ((PyHeapTypeObject *)b)->ht_slots;
    Py_ssize_t size = a->tp_base->tp_basicsize;
    if (of_a != NULL && of_b != NULL) {
        if (PyObject_RichCompareBool(of_a, of_b, Py_EQ) != 1) {
            return false;
        }
        size += PyTuple_GET_SIZE(of_a) * (Py_ssize_t)sizeof(PyObject *);
    }
    return size == a->tp_basicsize;
}

bool same_layout(PyTypeObject *old, PyTypeObject *new_type, const char *attr)
{
    PyTypeObject *a = old, *b = new_type;
    if (old->tp_free != new_type->tp_free) {
        PyErr_Format(PyExc_TypeError, "%s assignment: '%s' deallocator differs from '%s'", attr,
                     new_type->tp_name, old->tp_name);
        return false;
    }
    while (like_its_base(a)) {
        a = a->tp_base;
    }
    while (like_its_base(b)) {
        b = b->tp_base;
    }
    if (a == b || (type_is_heap(a) && type_is_heap(b) && same_slots(a, b))) {
        return true;
    }
    PyErr_Format(PyExc_TypeError, "%s assignment: '%s' object layout differs from '%s'", attr,
                 new_type->tp_name, old->tp_name);
    return false;
}

/* ---- __bases__ ------------------------------------------------------------------------------- */

/* New MROs of a class and all below it, found before anything is changed. */
struct mro_plan {
    PyObject *types; /* list */
    PyObject *mros;  /* list, beside it */
};

static int plan_mros(struct mro_plan *plan, PyTypeObject *type)
{
    bool custom;
    PyObject *old = type->tp_mro;
    if (Py_EnterRecursiveCall(" while updating the MRO of subclasses")) {
        return -1;
    }
    PyObject *mro = mro_invoke(type, &custom);
    int result = -1;
    if (mro != NULL && type->tp_mro != old) {
        /* mro() itself changed the bases: that change stands. */
        result = 0;
    } else if (mro != NULL && PyList_Append(plan->types, (PyObject *)type) == 0
               && PyList_Append(plan->mros, mro) == 0) {
        /* Subclasses compute theirs from this one. */
        type->tp_mro = mro;
        PyObject *below = type_subclass_list(type);
        result = below == NULL ? -1 : 0;
        for (Py_ssize_t i = 0; result == 0 && i < PyList_GET_SIZE(below); i++) {
            result = plan_mros(plan, (PyTypeObject *)PyList_GET_ITEM(below, i));
        }
        Py_XDECREF(below);
        type->tp_mro = old;
    }
    Py_XDECREF(mro);
    Py_LeaveRecursiveCall();
    return result;
}

static int check_new_bases(PyTypeObject *type, PyObject *new_bases)
{
    if (new_bases == NULL) {
        PyErr_Format(PyExc_TypeError, "cannot delete '__bases__' attribute of immutable type '%s'",
                     type->tp_name);
        return -1;
    }
    if (!PyTuple_Check(new_bases)) {
        PyErr_Format(PyExc_TypeError, "can only assign tuple to %s.__bases__, not %s",
                     type->tp_name, Py_TYPE(new_bases)->tp_name);
        return -1;
    }
    if (PyTuple_GET_SIZE(new_bases) == 0) {
        PyErr_Format(PyExc_TypeError, "can only assign non-empty tuple to %s.__bases__, not ()",
                     type->tp_name);
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(new_bases); i++) {
        PyObject *base = PyTuple_GET_ITEM(new_bases, i);
        if (!PyType_Check(base)) {
            PyErr_Format(PyExc_TypeError, "%s.__bases__ must be tuple of classes, not '%s'",
                         type->tp_name, Py_TYPE(base)->tp_name);
            return -1;
        }
        PyTypeObject *cls = (PyTypeObject *)base;
        bool cycle = PyType_IsSubtype(cls, type);
        /* While an MRO is being replaced the chain of bases tells more than it. */
        for (PyTypeObject *b = cls; !cycle && b != NULL; b = b->tp_base) {
            cycle = b == type;
        }
        if (cycle) {
            PyErr_SetString(PyExc_TypeError, "a __bases__ item causes an inheritance cycle");
            return -1;
        }
    }
    return 0;
}

static void commit_mros(struct mro_plan *plan)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(plan->types); i++) {
        PyTypeObject *type = (PyTypeObject *)PyList_GET_ITEM(plan->types, i);
        PyObject *old = type->tp_mro;
        type_modified_locked(type);
        field_store_release(&type->tp_mro, Py_NewRef(PyList_GET_ITEM(plan->mros, i)));
        /* Kept alive by the list until the lock is given back. */
        PyList_SetItem(plan->mros, i, old);
    }
}

int type_set_bases(PyTypeObject *type, PyObject *new_bases, void *Py_UNUSED(closure))
{
    if (type_is_immutable(type)) {
        PyErr_Format(PyExc_TypeError, "cannot set '__bases__' attribute of immutable type '%s'",
                     type->tp_name);
        return -1;
    }
    if (check_new_bases(type, new_bases) < 0) {
        return -1;
    }
    PyTypeObject *new_base = best_base(new_bases);
    if (new_base == NULL || !same_layout(type->tp_base, new_base, "__bases__")) {
        return -1;
    }
    PyObject *old_bases = type->tp_bases;
    PyTypeObject *old_base = type->tp_base;
    struct mro_plan plan = {PyList_New(0), PyList_New(0)};
    type->tp_bases = Py_NewRef(new_bases);
    type->tp_base = (PyTypeObject *)Py_NewRef((PyObject *)new_base);
    int result = plan.types == NULL || plan.mros == NULL ? -1 : plan_mros(&plan, type);
    if (type->tp_bases != new_bases) {
        /* A metaclass's mro() assigned __bases__ meanwhile: the inner assignment wins. */
        Py_XDECREF(plan.types);
        Py_XDECREF(plan.mros);
        Py_DECREF(old_bases);
        Py_DECREF(old_base);
        return result;
    }
    if (result < 0) {
        type->tp_bases = old_bases;
        type->tp_base = old_base;
        Py_DECREF(new_bases);
        Py_DECREF(new_base);
    } else {
        type_modified(type);
        type_lock();
        commit_mros(&plan);
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(old_bases); i++) {
            type_remove_subclass_locked((PyTypeObject *)PyTuple_GET_ITEM(old_bases, i), type);
        }
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(new_bases); i++) {
            type_add_subclass_locked((PyTypeObject *)PyTuple_GET_ITEM(new_bases, i), type);
        }
        slots_update_all_locked(type);
        type_unlock();
        type_retire(old_bases);
        type_retire((PyObject *)old_base);
    }
    for (Py_ssize_t i = 0; plan.mros != NULL && i < PyList_GET_SIZE(plan.mros); i++) {
        PyObject *mro = PyList_GET_ITEM(plan.mros, i);
        if (mro != NULL) { /* a class that is being made had none */
            type_retire(Py_NewRef(mro));
        }
    }
    Py_XDECREF(plan.types);
    Py_XDECREF(plan.mros);
    return result;
}
