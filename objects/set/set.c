/*
 * set and frozenset: the types, their methods, operators and C API.
 */
#include "objects/set/table.h"
#include "objects/birth.h"
#include "objects/block.h"
#include "objects/dict.h"
#include "objects/error.h"
#include "objects/gc/gc.h"
#include "objects/int.h"
#include "objects/str.h"

static inline PySetObject *as_set(PyObject *op)
{
    return (PySetObject *)op;
}

static inline Py_ssize_t set_size(PyObject *op)
{
    return __atomic_load_n(&as_set(op)->used, __ATOMIC_RELAXED);
}

/* ---- with locks ------------------------------------------------------------------------------ */

int set_add_key(PyObject *set, PyObject *key, Py_hash_t hash)
{
    int result;
    Py_BEGIN_CRITICAL_SECTION(set);
    result = set_add_locked(as_set(set), key, hash);
    Py_END_CRITICAL_SECTION();
    return result;
}

int set_contains_key(PyObject *set, PyObject *key, Py_hash_t hash)
{
    int result;
    if (lock_threads_run_together()) {
        shared_join(set);
        result = set_contains_free(as_set(set), key, hash);
        if (likely(result >= 0)) {
            return result;
        }
    }
    Py_BEGIN_CRITICAL_SECTION(set);
    result = set_contains_locked(as_set(set), key, hash);
    Py_END_CRITICAL_SECTION();
    return result;
}

int set_discard_key(PyObject *set, PyObject *key, Py_hash_t hash)
{
    int result;
    Py_BEGIN_CRITICAL_SECTION(set);
    result = set_discard_locked(as_set(set), key, hash);
    Py_END_CRITICAL_SECTION();
    return result;
}

int set_update_from(PyObject *set, PyObject *iterable)
{
    int result;
    Py_BEGIN_CRITICAL_SECTION2(set, iterable);
    result = set_update_locked(as_set(set), iterable);
    Py_END_CRITICAL_SECTION2();
    return result;
}

PyObject *set_from_iterable(PyTypeObject *type, PyObject *iterable)
{
    PyObject *set = (PyObject *)set_new_empty(type);
    if (set != NULL && iterable != NULL && set_update_from(set, iterable) < 0) {
        Py_CLEAR(set);
    }
    return set;
}

/* The type of what operations on `op` return: subclasses give the plain type. */
static PyTypeObject *base_type(PyObject *op)
{
    return PySet_Check(op) ? &PySet_Type : &PyFrozenSet_Type;
}

/* ---- slots ----------------------------------------------------------------------------------- */

static void set_dealloc(PyObject *op)
{
    PySetObject *set = as_set(op);
    bool exact = PyAnySet_CheckExact(op);
    if (likely(exact)) {
        gc_untrack_dead(op);
    } else {
        gc_untrack(op);
    }
    if (set->weakreflist != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    setentry *entry = set->table;
    for (Py_ssize_t left = set->used; left > 0; entry++) {
        if (entry_is_used(entry)) {
            left--;
            Py_DECREF(entry->key);
        }
    }
    set_table_retire(set, set->table, set->mask);
    if (likely(exact)) {
        death_of_container(op, sizeof(PySetObject));
    } else {
        Py_TYPE(op)->tp_free(op);
    }
}

static int set_traverse(PyObject *op, visitproc visit, void *arg)
{
    PySetObject *set = as_set(op);
    for (Py_ssize_t i = 0; i <= set->mask; i++) {
        if (entry_is_used(&set->table[i])) {
            Py_VISIT(set->table[i].key);
        }
    }
    return 0;
}

static int set_tp_clear(PyObject *op)
{
    set_clear_locked(as_set(op));
    return 0;
}

/* A list of the keys as they were at one moment: new reference, NULL with MemoryError. */
static PyObject *set_keys_list(PyObject *op)
{
    PyObject *list;
    Py_BEGIN_CRITICAL_SECTION(op);
    list = PyList_New(as_set(op)->used);
    Py_ssize_t pos = 0, n = 0;
    PyObject *key;
    Py_hash_t hash;
    while (list != NULL && set_walk(as_set(op), &pos, &key, &hash)) {
        PyList_SET_ITEM(list, n++, Py_NewRef(key));
    }
    Py_END_CRITICAL_SECTION();
    return list;
}

static PyObject *set_repr(PyObject *op)
{
    int entered = Py_ReprEnter(op);
    if (entered != 0) {
        return entered > 0 ? PyUnicode_FromFormat("%s(...)", Py_TYPE(op)->tp_name) : NULL;
    }
    PyObject *text = NULL, *shown = NULL;
    PyObject *list = set_keys_list(op);
    if (list != NULL && PyList_GET_SIZE(list) == 0) {
        text = PyUnicode_FromFormat("%s()", Py_TYPE(op)->tp_name);
    } else if (list != NULL) {
        shown = PyObject_Repr(list);
    }
    if (shown != NULL) {
        /* The list's text without its brackets. */
        PyObject *inner = str_substring(shown, 1, str_len(shown) - 1);
        if (inner != NULL) {
            text = Py_IS_TYPE(op, &PySet_Type)
                       ? PyUnicode_FromFormat("{%U}", inner)
                       : PyUnicode_FromFormat("%s({%U})", Py_TYPE(op)->tp_name, inner);
            Py_DECREF(inner);
        }
    }
    Py_XDECREF(list);
    Py_XDECREF(shown);
    Py_ReprLeave(op);
    return text;
}

static Py_ssize_t set_length(PyObject *op)
{
    return set_size(op);
}

static uint64_t shuffle(uint64_t hash)
{
    return ((hash ^ 89869747u) ^ (hash << 16)) * 3644798167u;
}

/* Does not depend on the order, so the hashes are mixed one by one and joined by xor. */
static Py_hash_t compute_hash(PySetObject *set)
{
    uint64_t hash = 0;
    for (Py_ssize_t i = 0; i <= set->mask; i++) {
        if (entry_is_used(&set->table[i])) {
            hash ^= shuffle((uint64_t)set->table[i].hash);
        }
    }
    hash ^= ((uint64_t)set->used + 1) * 1927868237u;
    hash ^= (hash >> 11) ^ (hash >> 25);
    hash = hash * 69069u + 907133923u;
    return hash == (uint64_t)-1 ? 590923713 : (Py_hash_t)hash;
}

static Py_hash_t frozenset_hash(PyObject *op)
{
    PySetObject *set = as_set(op);
    Py_hash_t hash = __atomic_load_n(&set->hash, __ATOMIC_RELAXED);
    if (hash == -1) {
        hash = compute_hash(set);
        __atomic_store_n(&set->hash, hash, __ATOMIC_RELAXED);
    }
    return hash;
}

/* Whether all keys of a are in b: 1, 0, -1. Locks of both held. */
static int is_subset_locked(PySetObject *a, PySetObject *b)
{
    if (a->used > b->used) {
        return 0;
    }
    Py_ssize_t pos = 0;
    PyObject *key;
    Py_hash_t hash;
    while (set_walk(a, &pos, &key, &hash)) {
        Py_INCREF(key);
        int found = set_contains_locked(b, key, hash);
        Py_DECREF(key);
        if (found <= 0) {
            return found;
        }
    }
    return 1;
}

static int is_subset(PyObject *a, PyObject *b)
{
    int result;
    Py_BEGIN_CRITICAL_SECTION2(a, b);
    result = is_subset_locked(as_set(a), as_set(b));
    Py_END_CRITICAL_SECTION2();
    return result;
}

static int is_equal(PyObject *a, PyObject *b)
{
    if (set_size(a) != set_size(b)) {
        return 0;
    }
    Py_hash_t x = as_set(a)->hash, y = as_set(b)->hash;
    return x != -1 && y != -1 && x != y ? 0 : is_subset(a, b);
}

static PyObject *set_richcompare(PyObject *a, PyObject *b, int operation)
{
    if (!PyAnySet_Check(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    int result = 0;
    switch (operation) {
    case Py_EQ:
        result = is_equal(a, b);
        break;
    case Py_NE:
        result = is_equal(a, b);
        result = result < 0 ? -1 : !result;
        break;
    case Py_LE:
        result = is_subset(a, b);
        break;
    case Py_GE:
        result = is_subset(b, a);
        break;
    case Py_LT:
        result = set_size(a) < set_size(b) ? is_subset(a, b) : 0;
        break;
    case Py_GT:
        result = set_size(a) > set_size(b) ? is_subset(b, a) : 0;
        break;
    }
    return result < 0 ? NULL : PyBool_FromLong(result);
}

/* Does something with a key and its hash; a set as key, which has none, stands for the frozenset
 * of its keys. */
static int with_key(PyObject *set, PyObject *key, int (*act)(PyObject *, PyObject *, Py_hash_t))
{
    Py_hash_t hash = set_hash_key(key);
    if (hash != -1) {
        return act(set, key, hash);
    }
    if (!PySet_Check(key) || !PyErr_ExceptionMatches(PyExc_TypeError)) {
        return -1;
    }
    PyErr_Clear();
    PyObject *frozen = set_from_iterable(&PyFrozenSet_Type, key);
    int result = frozen == NULL ? -1 : act(set, frozen, frozenset_hash(frozen));
    Py_XDECREF(frozen);
    return result;
}

static int set_contains_slot(PyObject *op, PyObject *key)
{
    return with_key(op, key, set_contains_key);
}

/* ---- operations: new sets -------------------------------------------------------------------- */

static PyObject *copy_as(PyObject *op, PyTypeObject *type)
{
    return set_from_iterable(type, op);
}

static PyObject *set_union_of(PyObject *a, PyObject *const *others, Py_ssize_t n)
{
    PyObject *result = copy_as(a, base_type(a));
    for (Py_ssize_t i = 0; i < n && result != NULL; i++) {
        if (others[i] != a && set_update_from(result, others[i]) < 0) {
            Py_CLEAR(result);
        }
    }
    return result;
}

/* To see whether comparisons have changed a set that is being walked: then it may give a key twice. */
struct set_state {
    setentry *table;
    Py_ssize_t fill;
};

static struct set_state state_of(PySetObject *set)
{
    return (struct set_state){set->table, set->fill};
}

/* Adds a key of `walked`, a set without equal keys, to a private one. Takes over the reference. */
static int add_walked(PySetObject *result, PyObject *key, Py_hash_t hash, PySetObject *walked,
                      struct set_state state)
{
    if (likely(walked->table == state.table && walked->fill == state.fill)) {
        return set_add_new(result, key, hash);
    }
    int found = set_add_locked(result, key, hash);
    Py_DECREF(key);
    return found;
}

/* Adds to `result`, which is private, the keys of `walked` that are in `asked`. */
static int intersect_sets(PyObject *result, PyObject *walked, PyObject *asked)
{
    Py_ssize_t pos = 0;
    PyObject *key;
    Py_hash_t hash;
    struct set_state state = state_of(as_set(walked));
    while (set_walk(as_set(walked), &pos, &key, &hash)) {
        Py_INCREF(key);
        int found = set_contains_locked(as_set(asked), key, hash);
        if (found > 0) {
            found = add_walked(as_set(result), key, hash, as_set(walked), state);
        } else {
            Py_DECREF(key);
        }
        if (found < 0) {
            return -1;
        }
    }
    return 0;
}

static int intersect_iterable(PyObject *result, PyObject *set, PyObject *iterable)
{
    PyObject *it = PyObject_GetIter(iterable);
    if (it == NULL) {
        return -1;
    }
    PyObject *key;
    while ((key = PyIter_Next(it)) != NULL) {
        Py_hash_t hash = set_hash_key(key);
        int found = hash == -1 ? -1 : set_contains_locked(as_set(set), key, hash);
        if (found > 0) {
            found = set_add_locked(as_set(result), key, hash);
        }
        Py_DECREF(key);
        if (found < 0) {
            break;
        }
    }
    Py_DECREF(it);
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *intersection(PyObject *a, PyObject *b)
{
    if (a == b) {
        return copy_as(a, base_type(a));
    }
    PyObject *result = (PyObject *)set_new_empty(base_type(a));
    if (result == NULL) {
        return NULL;
    }
    int failed;
    Py_BEGIN_CRITICAL_SECTION2(a, b);
    if (PyAnySet_Check(b)) {
        bool swap = as_set(b)->used > as_set(a)->used;
        failed = intersect_sets(result, swap ? a : b, swap ? b : a);
    } else {
        failed = intersect_iterable(result, a, b);
    }
    Py_END_CRITICAL_SECTION2();
    if (failed < 0) {
        Py_CLEAR(result);
    }
    return result;
}

static PyObject *set_intersection_of(PyObject *a, PyObject *const *others, Py_ssize_t n)
{
    if (n == 0) {
        return copy_as(a, base_type(a));
    }
    PyObject *result = Py_NewRef(a);
    for (Py_ssize_t i = 0; i < n && result != NULL; i++) {
        Py_SETREF(result, intersection(result, others[i]));
    }
    return result;
}

/* Locks of both held. */
static int subtract_locked(PySetObject *set, PyObject *other)
{
    if ((PyObject *)set == other) {
        set_clear_locked(set);
        return 0;
    }
    if (PyAnySet_Check(other)) {
        Py_ssize_t pos = 0;
        PyObject *key;
        Py_hash_t hash;
        /* Walk the smaller one. */
        bool walk_self = as_set(other)->used > set->used * 8;
        while (set_next(walk_self ? (PyObject *)set : other, &pos, &key, &hash)) {
            Py_INCREF(key);
            int found = walk_self ? set_contains_locked(as_set(other), key, hash) : 1;
            if (found > 0) {
                found = set_discard_locked(set, key, hash);
            }
            Py_DECREF(key);
            if (found < 0) {
                return -1;
            }
        }
        return 0;
    }
    PyObject *it = PyObject_GetIter(other);
    if (it == NULL) {
        return -1;
    }
    PyObject *key;
    while ((key = PyIter_Next(it)) != NULL) {
        Py_hash_t hash = set_hash_key(key);
        int failed = hash == -1 ? -1 : set_discard_locked(set, key, hash);
        Py_DECREF(key);
        if (failed < 0) {
            break;
        }
    }
    Py_DECREF(it);
    return PyErr_Occurred() ? -1 : 0;
}

static int subtract(PyObject *set, PyObject *other)
{
    int result;
    Py_BEGIN_CRITICAL_SECTION2(set, other);
    result = subtract_locked(as_set(set), other);
    Py_END_CRITICAL_SECTION2();
    return result;
}

/* The keys of a set or dict that the other, a set or dict, has not. Both locked. */
static int keep_absent(PySetObject *result, PySetObject *set, PyObject *other)
{
    Py_ssize_t pos = 0;
    PyObject *key;
    Py_hash_t hash;
    bool is_dict = PyDict_CheckExact(other);
    struct set_state state = state_of(set);
    while (set_walk(set, &pos, &key, &hash)) {
        Py_INCREF(key);
        int found = is_dict ? dict_contains(other, key, hash)
                            : set_contains_locked(as_set(other), key, hash);
        if (found == 0) {
            found = add_walked(result, key, hash, set, state);
        } else {
            Py_DECREF(key);
        }
        if (found < 0) {
            return -1;
        }
    }
    return 0;
}

static PyObject *difference(PyObject *a, PyObject *b)
{
    bool hashed = PyAnySet_Check(b) || PyDict_CheckExact(b);
    PyObject *result;
    if (!hashed || set_size(a) >> 2 > PyObject_Size(b)) {
        result = copy_as(a, base_type(a));
        if (result != NULL && subtract(result, b) < 0) {
            Py_CLEAR(result);
        }
        return result;
    }
    result = (PyObject *)set_new_empty(base_type(a));
    if (result != NULL) {
        int failed;
        Py_BEGIN_CRITICAL_SECTION2(a, b);
        failed = keep_absent(as_set(result), as_set(a), b);
        Py_END_CRITICAL_SECTION2();
        if (failed < 0) {
            Py_CLEAR(result);
        }
    }
    return result;
}

static PyObject *set_difference_of(PyObject *a, PyObject *const *others, Py_ssize_t n)
{
    if (n == 0) {
        return copy_as(a, base_type(a));
    }
    PyObject *result = difference(a, others[0]);
    for (Py_ssize_t i = 1; i < n && result != NULL; i++) {
        if (subtract(result, others[i]) < 0) {
            Py_CLEAR(result);
        }
    }
    return result;
}

/* set ^= other, another set that nobody else changes meanwhile or that is locked. */
static int toggle_locked(PySetObject *set, PyObject *other)
{
    Py_ssize_t pos = 0;
    PyObject *key;
    Py_hash_t hash;
    while (set_next(other, &pos, &key, &hash)) {
        Py_INCREF(key);
        int found = set_discard_locked(set, key, hash);
        if (found == 0) {
            found = set_add_locked(set, key, hash);
        }
        Py_DECREF(key);
        if (found < 0) {
            return -1;
        }
    }
    return 0;
}

static int toggle(PyObject *set, PyObject *other)
{
    if (set == other) {
        return PySet_Clear(set);
    }
    /* An iterable may name a key twice: it becomes a set first. */
    PyObject *keys =
        PyAnySet_Check(other) ? Py_NewRef(other) : set_from_iterable(&PySet_Type, other);
    if (keys == NULL) {
        return -1;
    }
    int result;
    Py_BEGIN_CRITICAL_SECTION2(set, keys);
    result = toggle_locked(as_set(set), keys);
    Py_END_CRITICAL_SECTION2();
    Py_DECREF(keys);
    return result;
}

static PyObject *symmetric_difference(PyObject *a, PyObject *b)
{
    PyObject *result = copy_as(b, base_type(a));
    if (result != NULL && toggle(result, a) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

/* ---- operators ------------------------------------------------------------------------------- */

#define SET_OPERATOR(NAME, EXPRESSION)                                                             \
    static PyObject *NAME(PyObject *a, PyObject *b)                                                \
    {                                                                                              \
        if (!PyAnySet_Check(a) || !PyAnySet_Check(b)) {                                            \
            Py_RETURN_NOTIMPLEMENTED;                                                              \
        }                                                                                          \
        return EXPRESSION;                                                                         \
    }

SET_OPERATOR(slot_or, set_union_of(a, &b, 1))
SET_OPERATOR(slot_and, intersection(a, b))
SET_OPERATOR(slot_sub, difference(a, b))
SET_OPERATOR(slot_xor, symmetric_difference(a, b))

#define SET_INPLACE(NAME, EXPRESSION)                                                              \
    static PyObject *NAME(PyObject *a, PyObject *b)                                                \
    {                                                                                              \
        if (!PyAnySet_Check(b)) {                                                                  \
            Py_RETURN_NOTIMPLEMENTED;                                                              \
        }                                                                                          \
        return (EXPRESSION) < 0 ? NULL : Py_NewRef(a);                                             \
    }

/* set &= what an operation gave. */
static int take_over(PyObject *set, PyObject *result)
{
    if (result == NULL) {
        return -1;
    }
    int taken;
    Py_BEGIN_CRITICAL_SECTION2(set, result);
    taken = set_take_over(as_set(set), as_set(result));
    Py_END_CRITICAL_SECTION2();
    Py_DECREF(result);
    return taken;
}

SET_INPLACE(slot_ior, set_update_from(a, b))
SET_INPLACE(slot_iand, take_over(a, intersection(a, b)))
SET_INPLACE(slot_isub, subtract(a, b))
SET_INPLACE(slot_ixor, toggle(a, b))

/* ---- methods --------------------------------------------------------------------------------- */

#include "set.bind.h"

static int set_init(PySetObject *self, PyObject *iterable)
{
    if (self->fill != 0) {
        PySet_Clear((PyObject *)self);
    }
    self->hash = -1;
    return iterable == NULL ? 0 : set_update_from((PyObject *)self, iterable);
}

/* Keywords are refused also where a subclass hands them on. */
static int set_tp_init(PyObject *op, PyObject *args, PyObject *kwargs)
{
    return bind_no_keywords("set", kwargs) ? bind_set_init(op, args, NULL) : -1;
}

static PyObject *set_tp_new(PyTypeObject *type, PyObject *Py_UNUSED(args),
                            PyObject *Py_UNUSED(kwargs))
{
    return (PyObject *)set_new_empty(type);
}

static PyObject *set_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                                PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (!bind_no_kwnames("set", kwnames) || !bind_count("set", nargs, 0, 1)) {
        return NULL;
    }
    return set_from_iterable((PyTypeObject *)type, nargs == 0 ? NULL : args[0]);
}

static PyObject *frozenset_new(PyTypeObject *type, PyObject *iterable)
{
    if (type == &PyFrozenSet_Type && iterable != NULL && PyFrozenSet_CheckExact(iterable)) {
        return Py_NewRef(iterable);
    }
    return set_from_iterable(type, iterable);
}

static int set_add(PySetObject *self, PyObject *object)
{
    Py_hash_t hash = set_hash_key(object);
    return hash == -1 ? -1 : set_add_locked(self, object, hash);
}

static void set_clear(PySetObject *self)
{
    set_clear_locked(self);
}

static PyObject *set_copy(PySetObject *self)
{
    return copy_as((PyObject *)self, &PySet_Type);
}

static int set_discard(PySetObject *self, PyObject *object)
{
    return with_key((PyObject *)self, object, set_discard_key);
}

static int set_remove(PySetObject *self, PyObject *object)
{
    int found = with_key((PyObject *)self, object, set_discard_key);
    return found != 0 ? found : raise_key(object);
}

static PyObject *set_pop(PySetObject *self)
{
    if (self->used == 0) {
        PyErr_SetString(PyExc_KeyError, "pop from an empty set");
        return NULL;
    }
    /* From where the last one was found: emptying a set by pops is linear. */
    setentry *entry = self->table + (self->finger & self->mask), *limit = self->table + self->mask;
    while (!entry_is_used(entry)) {
        entry = entry == limit ? self->table : entry + 1;
    }
    PyObject *key = entry_empty(entry);
    field_store(&self->used, self->used - 1);
    self->finger = entry - self->table + 1;
    return key;
}

static int set_update(PySetObject *self, PyObject *const *others, Py_ssize_t n)
{
    for (Py_ssize_t i = 0; i < n; i++) {
        if (set_update_from((PyObject *)self, others[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

static int set_difference_update(PySetObject *self, PyObject *const *others, Py_ssize_t n)
{
    for (Py_ssize_t i = 0; i < n; i++) {
        if (subtract((PyObject *)self, others[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

static int set_intersection_update(PySetObject *self, PyObject *const *others, Py_ssize_t n)
{
    return take_over((PyObject *)self, set_intersection_of((PyObject *)self, others, n));
}

static int set_symmetric_difference_update(PySetObject *self, PyObject *other)
{
    return toggle((PyObject *)self, other);
}

/* What set and frozenset have in common comes twice, since each has its own table of methods. */
#define SHARED_METHODS(P)                                                                          \
    static PyObject *P##_union(PySetObject *self, PyObject *const *others, Py_ssize_t n)           \
    {                                                                                              \
        return set_union_of((PyObject *)self, others, n);                                          \
    }                                                                                              \
    static PyObject *P##_intersection(PySetObject *self, PyObject *const *others, Py_ssize_t n)    \
    {                                                                                              \
        return set_intersection_of((PyObject *)self, others, n);                                   \
    }                                                                                              \
    static PyObject *P##_difference(PySetObject *self, PyObject *const *others, Py_ssize_t n)      \
    {                                                                                              \
        return set_difference_of((PyObject *)self, others, n);                                     \
    }                                                                                              \
    static PyObject *P##_symmetric_difference(PySetObject *self, PyObject *other)                  \
    {                                                                                              \
        return symmetric_difference((PyObject *)self, other);                                      \
    }                                                                                              \
    static int P##_isdisjoint(PySetObject *self, PyObject *other)                                  \
    {                                                                                              \
        return is_disjoint((PyObject *)self, other);                                               \
    }                                                                                              \
    static int P##_issubset(PySetObject *self, PyObject *other)                                    \
    {                                                                                              \
        return is_subset_of((PyObject *)self, other);                                              \
    }                                                                                              \
    static int P##_issuperset(PySetObject *self, PyObject *other)                                  \
    {                                                                                              \
        return is_superset_of((PyObject *)self, other);                                            \
    }                                                                                              \
    static int P##_contains(PySetObject *self, PyObject *object)                                   \
    {                                                                                              \
        return set_contains_slot((PyObject *)self, object);                                        \
    }                                                                                              \
    static PyObject *P##_reduce(PySetObject *self)                                                 \
    {                                                                                              \
        return reduce((PyObject *)self);                                                           \
    }                                                                                              \
    static Py_ssize_t P##_sizeof(PySetObject *self)                                                \
    {                                                                                              \
        return memory((PyObject *)self);                                                           \
    }                                                                                              \
    static PyObject *P##_class_getitem(PyTypeObject *type, PyObject *item)                         \
    {                                                                                              \
        return Py_GenericAlias((PyObject *)type, item);                                            \
    }

static int is_disjoint(PyObject *set, PyObject *other)
{
    if (set == other) {
        return set_size(set) == 0;
    }
    PyObject *walked = other, *asked = set;
    if (PyAnySet_CheckExact(other) && set_size(other) > set_size(set)) {
        walked = set;
        asked = other;
    }
    PyObject *it = PyObject_GetIter(walked);
    if (it == NULL) {
        return -1;
    }
    int found = 0;
    PyObject *key;
    while (found == 0 && (key = PyIter_Next(it)) != NULL) {
        Py_hash_t hash = set_hash_key(key);
        found = hash == -1 ? -1 : set_contains_key(asked, key, hash);
        Py_DECREF(key);
    }
    Py_DECREF(it);
    return PyErr_Occurred() ? -1 : !found;
}

static int is_subset_of(PyObject *set, PyObject *other)
{
    if (PyAnySet_Check(other)) {
        return is_subset(set, other);
    }
    PyObject *common = intersection(set, other);
    if (common == NULL) {
        return -1;
    }
    int result = set_size(common) == set_size(set);
    Py_DECREF(common);
    return result;
}

static int is_superset_of(PyObject *set, PyObject *other)
{
    if (PyAnySet_Check(other)) {
        return is_subset(other, set);
    }
    PyObject *it = PyObject_GetIter(other);
    if (it == NULL) {
        return -1;
    }
    int found = 1;
    PyObject *key;
    while (found > 0 && (key = PyIter_Next(it)) != NULL) {
        found = set_contains_slot(set, key);
        Py_DECREF(key);
    }
    Py_DECREF(it);
    return PyErr_Occurred() ? -1 : found;
}

static PyObject *reduce(PyObject *set)
{
    PyObject *keys = PySequence_List(set);
    PyObject *state = keys == NULL ? NULL : object_get_state(set);
    if (state == NULL) {
        Py_XDECREF(keys);
        return NULL;
    }
    return Py_BuildValue("O(N)N", Py_TYPE(set), keys, state);
}

static Py_ssize_t memory(PyObject *op)
{
    PySetObject *set = as_set(op);
    Py_ssize_t size = Py_TYPE(op)->tp_basicsize;
    if (set->table != set->smalltable) {
        size += (set->mask + 1) * (Py_ssize_t)sizeof(setentry);
    }
    return size;
}

SHARED_METHODS(set)
SHARED_METHODS(frozenset)

static PyObject *frozenset_copy(PySetObject *self)
{
    return PyFrozenSet_CheckExact(self) ? Py_NewRef(self)
                                        : copy_as((PyObject *)self, &PyFrozenSet_Type);
}

/* ---- C API ----------------------------------------------------------------------------------- */

static bool check_set(PyObject *op, bool frozen_too)
{
    if (op != NULL && (PySet_Check(op) || (frozen_too && PyAnySet_Check(op)))) {
        return true;
    }
    PyErr_BadInternalCall();
    return false;
}

PyObject *PySet_New(PyObject *iterable)
{
    return set_from_iterable(&PySet_Type, iterable);
}

PyObject *PyFrozenSet_New(PyObject *iterable)
{
    return frozenset_new(&PyFrozenSet_Type, iterable);
}

Py_ssize_t PySet_Size(PyObject *op)
{
    return check_set(op, true) ? set_size(op) : -1;
}

int PySet_Clear(PyObject *op)
{
    if (!check_set(op, false)) {
        return -1;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    set_clear_locked(as_set(op));
    Py_END_CRITICAL_SECTION();
    return 0;
}

int PySet_Contains(PyObject *op, PyObject *key)
{
    if (!check_set(op, true)) {
        return -1;
    }
    Py_hash_t hash = set_hash_key(key);
    return hash == -1 ? -1 : set_contains_key(op, key, hash);
}

int PySet_Discard(PyObject *op, PyObject *key)
{
    if (!check_set(op, false)) {
        return -1;
    }
    Py_hash_t hash = set_hash_key(key);
    return hash == -1 ? -1 : set_discard_key(op, key, hash);
}

int PySet_Add(PyObject *op, PyObject *key)
{
    /* A frozenset that only its maker has may still be filled. */
    if (op == NULL || (!PySet_Check(op) && (!PyFrozenSet_Check(op) || Py_REFCNT(op) != 1))) {
        PyErr_BadInternalCall();
        return -1;
    }
    Py_hash_t hash = set_hash_key(key);
    return hash == -1 || set_add_key(op, key, hash) < 0 ? -1 : 0;
}

PyObject *PySet_Pop(PyObject *op)
{
    if (!check_set(op, false)) {
        return NULL;
    }
    PyObject *key;
    Py_BEGIN_CRITICAL_SECTION(op);
    key = set_pop(as_set(op));
    Py_END_CRITICAL_SECTION();
    return key;
}

/* ---- types ----------------------------------------------------------------------------------- */

static PyNumberMethods set_as_number = {
    .nb_subtract = slot_sub,
    .nb_and = slot_and,
    .nb_xor = slot_xor,
    .nb_or = slot_or,
    .nb_inplace_subtract = slot_isub,
    .nb_inplace_and = slot_iand,
    .nb_inplace_xor = slot_ixor,
    .nb_inplace_or = slot_ior,
};

static PyNumberMethods frozenset_as_number = {
    .nb_subtract = slot_sub,
    .nb_and = slot_and,
    .nb_xor = slot_xor,
    .nb_or = slot_or,
};

static PySequenceMethods set_as_sequence = {
    .sq_length = set_length,
    .sq_contains = set_contains_slot,
};

PyTypeObject PySet_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "set",
    .tp_basicsize = sizeof(PySetObject),
    .tp_flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | _Py_TPFLAGS_MATCH_SELF,
    .tp_doc = set_doc,
    .tp_dealloc = set_dealloc,
    .tp_traverse = set_traverse,
    .tp_clear = set_tp_clear,
    .tp_repr = set_repr,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_richcompare = set_richcompare,
    .tp_weaklistoffset = offsetof(PySetObject, weakreflist),
    .tp_as_number = &set_as_number,
    .tp_as_sequence = &set_as_sequence,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_iter = set_iter,
    .tp_methods = set_methods,
    .tp_init = set_tp_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = set_tp_new,
    .tp_vectorcall = set_vectorcall,
    .tp_free = PyObject_GC_Del,
};

PyTypeObject PyFrozenSet_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "frozenset",
    .tp_basicsize = sizeof(PySetObject),
    .tp_flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | _Py_TPFLAGS_MATCH_SELF,
    .tp_doc = frozenset_doc,
    .tp_dealloc = set_dealloc,
    .tp_traverse = set_traverse,
    .tp_clear = set_tp_clear,
    .tp_repr = set_repr,
    .tp_hash = frozenset_hash,
    .tp_richcompare = set_richcompare,
    .tp_weaklistoffset = offsetof(PySetObject, weakreflist),
    .tp_as_number = &frozenset_as_number,
    .tp_as_sequence = &set_as_sequence,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_iter = set_iter,
    .tp_methods = frozenset_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = bind_frozenset_new,
    .tp_vectorcall = bind_frozenset_new_vectorcall,
    .tp_free = PyObject_GC_Del,
};

PyTypeObject *const set_types[] = {&PySet_Type, &PyFrozenSet_Type, &PySetIter_Type, NULL};
