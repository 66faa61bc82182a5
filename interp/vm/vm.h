/*
 * What the parts of the machine share: helpers behind the instructions, and how registers are read and
 * written from outside the loop.
 *
 * A helper named after an instruction gets its operands as register (or site, constant) numbers, does all
 * of it - consuming operands, writing the destination - and returns 0, or -1 with an exception and no
 * operand consumed. fp->pc is up to date when it is called. They may run Python code.
 */
#ifndef KRAIT_VM_H
#define KRAIT_VM_H

#include "Python.h"

#include "interp/frame.h"
#include "interp/interp.h"
#include "locking/lock.h"
#include "locking/refs.h"
#include "locking/world.h"
#include "objects/descr.h"
#include "objects/dict.h"
#include "objects/int.h"
#include "objects/iter_words.h"
#include "objects/list.h"
#include "objects/object.h"
#include "objects/shape.h"
#include "objects/type.h"
#include "objects/value.h"

PyAPI_FUNC(PyObject *) _Py_CheckFunctionResult(PyThreadState *ts, PyObject *callable,
                                               PyObject *result, const char *where);
PyAPI_FUNC(PyObject *)
    _PyObject_MakeTpCall(PyThreadState *ts, PyObject *callable, PyObject *const *args,
                         Py_ssize_t nargs, PyObject *keywords);

#ifndef likely
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#endif

/* For what the loop does all the time: the compiler would rather call it, the loop being so long. */
#define VM_INLINE static inline __attribute__((always_inline))

#define VALUE_NONE value_from_uncounted(Py_None)
#define VALUE_BOOL(truth) value_from_uncounted((truth) ? Py_True : Py_False)

static inline bool value_is_none(value_t v)
{
    return (v | VALUE_UNCOUNTED) == VALUE_NONE;
}

/* ---- registers ------------------------------------------------------------------------------- */

/* Writes a destination: a local's old value is released, a temporary's is dead already. */
static inline void reg_put(struct frame *fp, unsigned d, value_t v)
{
    value_t old = fp->r[d];
    fp->r[d] = v;
    if (d < fp->body->nlocals) {
        value_release(old);
    }
}

/* A moved operand is done with. */
static inline void reg_consume(struct frame *fp, unsigned s)
{
    if (s >= fp->body->nlocals) {
        value_release(fp->r[s]);
    }
}

/* Takes an operand's value as an owned reference (moved from temporaries); NULL with MemoryError, nothing
 * consumed. */
static inline PyObject *reg_take(struct frame *fp, unsigned s)
{
    value_t v = fp->r[s];
    if (s >= fp->body->nlocals) {
        return value_to_owned(v);
    }
    PyObject *op = value_box(&fp->r[s]);
    return op == NULL ? NULL : Py_NewRef(op);
}

/* The object of an operand, borrowed from its register. */
static inline PyObject *reg_object(struct frame *fp, unsigned s)
{
    return value_box(&fp->r[s]);
}

static inline int reg_put_owned(struct frame *fp, unsigned d, PyObject *op)
{
    if (op == NULL) {
        return -1;
    }
    reg_put(fp, d, value_from_owned(op));
    return 0;
}

/* Releases r[from..to) downward, leaving them unbound. */
void reg_release_range(value_t *r, unsigned from, unsigned to);

/* The word for an object that the caller only borrows: uncounted where that is safe, else counted. */
VM_INLINE value_t ref_word(PyObject *op)
{
    return ref_needs_no_count(op) ? value_from_uncounted(op) : value_from_owned(ref_new(op));
}

/* ---- caches ---------------------------------------------------------------------------------- */

/* A site's word is kind << 48 | index << 32 | version, or the address of an entry (kind 0). */
enum cache_kind { CACHE_ENTRY, CACHE_INLINE, CACHE_SLOT, CACHE_MODULE, CACHE_CALLABLE };

#define CACHE_WORD(kind, index, version)                                                           \
    ((uint64_t)(kind) << 48 | (uint64_t)(index) << 32 | (uint32_t)(version))
#define CACHE_INDEX_MAX 0xFFFF

static inline bool cache_matches(uint64_t cache, enum cache_kind kind, uint32_t version)
{
    return (cache & ~((uint64_t)0xFFFF << 32)) == ((uint64_t)kind << 48 | version);
}

static inline unsigned cache_index(uint64_t cache)
{
    return (unsigned)(cache >> 32) & 0xFFFF;
}

#define CACHE_CALLABLE_WORD(v) ((uint64_t)CACHE_CALLABLE << 48 | (v) | VALUE_UNCOUNTED)
#define CACHE_DEFINITION(def) ((uint64_t)CACHE_CALLABLE << 48 | (uint64_t)(uintptr_t)(def))

/* Immutable once published, but for what is said to be atomic; freed after a grace period. Owns nothing. */
struct site_entry {
    uint32_t kind;     /* the form (opcode) it was made for */
    uint32_t version;  /* of the type or of a dict's keys */
    uint32_t version2; /* of builtins' keys */
    uint32_t index;
    uint32_t more;   /* how many entries for other types lie behind this one */
    PyObject *owner; /* a type, compared by address; the builtins of a global found there */
    PyObject *value; /* valid while the type has the version */
    /* Of globals: */
    PyObject *globals; /* compared by address */
    PyObject **slot;   /* where the value is, while the keys have their versions */
    uint64_t epoch;    /* atomic: dict_keys_epoch when that was last found to be so */
};

/* index of an entry for a type whose instances have no attributes of their own */
#define ENTRY_NO_DICT UINT32_MAX

VM_INLINE struct site_entry *site_entry(const struct code_site *site)
{
    uint64_t cache = field_load_acquire(&site->cache);
    if (!lock_threads_run_together()) {
        return (struct site_entry *)(uintptr_t)cache; /* the form says what it is */
    }
    return cache >> 48 == 0 ? (struct site_entry *)(uintptr_t)cache : NULL;
}

/* Owned words, or unbound when the cache does not hold. No Python code runs. */

VM_INLINE value_t dict_load_slot(PyObject **slot)
{
    if (lock_threads_run_together()) {
        PyObject *op = ref_load_uncounted(slot);
        if (op != NULL) {
            return value_from_uncounted(op);
        }
        bool empty;
        return value_from_owned(ref_try_load(slot, &empty));
    }
    PyObject *op = *slot;
    return op == NULL ? VALUE_NULL : ref_word(op);
}

VM_INLINE value_t dict_load_cached(PyObject *dict, uint64_t cache)
{
    if (unlikely(cache >> 48 != CACHE_MODULE)) {
        return VALUE_NULL;
    }
    PyObject **slot = dict_cached_slot(dict, (uint32_t)cache, cache_index(cache));
    return slot == NULL ? VALUE_NULL : dict_load_slot(slot);
}

VM_INLINE bool attr_load_inline(PyObject *owner, unsigned index, value_t *result)
{
    if (unlikely(!managed_is_inline(field_load_acquire(object_managed_word(owner))))) {
        return false;
    }
    value_t *slot = &object_inline_slots(owner)[index], v = field_load_acquire(slot);
    if (value_is_number(v)) {
        *result = v;
        return true;
    }
    if (unlikely(v <= SLOT_SEALED) || unlikely(!ref_try_hold(value_object(v), (PyObject **)slot))) {
        return v != VALUE_NULL && instance_get_at(owner, (int)index, result);
    }
    *result = v;
    return true;
}

/* Takes v over when true. Releases the old value (may run Python code). */
VM_INLINE bool attr_store_inline(PyObject *owner, unsigned index, value_t v)
{
    if (likely(lock_is_alone())) {
        value_t *slot = &object_inline_slots(owner)[index];
        if (likely(managed_is_inline(*object_managed_word(owner)) && *slot != VALUE_NULL)) {
            value_t old = *slot;
            *slot = v;
            value_release(old);
            return true;
        }
    } else if (value_is_number(v) && instance_replace_at(owner, (int)index, v)) {
        return true;
    }
    return instance_set_at(owner, (int)index, v);
}

VM_INLINE value_t attr_load_field(PyObject **field)
{
    bool empty;
    return value_from_owned(ref_try_load(field, &empty));
}

/* A module's dict; md_dict is the first field in every build. */
static inline PyObject *module_dict(PyObject *module)
{
    return *(PyObject **)((char *)module + sizeof(PyObject));
}

/* Whether an instance has no attribute of its own that could hide one of the type: its version was checked
 * before. */
static inline bool instance_hides_nothing(PyObject *owner)
{
    PyTypeObject *type = Py_TYPE(owner);
    if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) {
        uintptr_t word = object_managed_load(owner);
        return word == 0 || managed_is_inline(word);
    }
    return type->tp_dictoffset == 0;
}

/* What a type has for its instances. */
VM_INLINE value_t vm_entry_method(PyObject *owner, struct site_entry *entry)
{
    if (unlikely(entry == NULL || entry->owner != NULL
                 || type_version_now(Py_TYPE(owner)) != entry->version
                 || (entry->index != ENTRY_NO_DICT && !instance_hides_nothing(owner)))) {
        return VALUE_NULL;
    }
    return ref_word(entry->value);
}

/* By the entries behind the first one. */
value_t vm_entry_method_behind(PyObject *owner, struct site_entry *entry);

/* A class method or static method, called through an instance or (entry->owner) its class: its function, and the class or
 * nothing as self. Unbound when the entry does not fit. */
enum { ENTRY_STATIC = 0, ENTRY_OF_CLASS = 1 };
VM_INLINE value_t vm_entry_bound(PyObject *owner, struct site_entry *entry, value_t *self)
{
    if (unlikely(entry == NULL)) {
        return VALUE_NULL;
    }
    PyTypeObject *type = entry->owner == owner ? (PyTypeObject *)owner : Py_TYPE(owner);
    if (unlikely(type_version_now(type) != entry->version
                 || (entry->owner != owner
                     && (entry->owner != NULL || !instance_hides_nothing(owner))))) {
        return VALUE_NULL;
    }
    value_t function = dict_load_slot(&((struct class_or_static_method *)entry->value)->callable);
    *self = function == VALUE_NULL || entry->index != ENTRY_OF_CLASS ? VALUE_NULL
                                                                     : ref_word((PyObject *)type);
    return function;
}

/* The same, or an attribute of this very class. */
VM_INLINE value_t vm_entry_attr(PyObject *owner, struct site_entry *entry)
{
    if (likely(entry != NULL && entry->owner == owner)) {
        return type_version_now((PyTypeObject *)owner) == entry->version ? ref_word(entry->value)
                                                                         : VALUE_NULL;
    }
    return vm_entry_method(owner, entry);
}

/* The value slot of a global that an entry found, while that stands; else NULL. Entries found in builtins have
 * them as `owner`, others have NULL. */
PyObject **vm_global_slot_again(struct frame *fp, struct site_entry *entry);
VM_INLINE PyObject **vm_global_slot(struct frame *fp, struct site_entry *entry, bool builtin)
{
    if (unlikely(entry == NULL)) {
        return NULL;
    }
    PyFunctionObject *func = frame_function(fp);
    if (unlikely(field_load_acquire(&entry->epoch) != field_load_acquire(&dict_keys_epoch))) {
        return vm_global_slot_again(fp, entry);
    }
    if (unlikely(func->func_globals != entry->globals
                 || (builtin && func->func_builtins != entry->owner))) {
        return NULL;
    }
    return entry->slot;
}

VM_INLINE value_t vm_global_load(struct frame *fp, struct site_entry *entry, bool builtin)
{
    PyObject **slot = vm_global_slot(fp, entry, builtin);
    return unlikely(slot == NULL) ? VALUE_NULL : dict_load_slot(slot);
}

int vm_store_field(struct frame *fp, PyObject **field, PyObject *owner, unsigned v);

/* Publishes a cache and turns the op of the current word into `op`, if the word still is a form of
 * the same instruction. After too many turns the site becomes `give_up` for good. */
void site_specialise(struct frame *fp, struct code_site *site, unsigned op, uint64_t cache,
                     unsigned give_up);
/* The same with an entry (copied). */
void site_specialise_entry(struct frame *fp, struct code_site *site, unsigned op,
                           const struct site_entry *entry, unsigned give_up);

/* The same, keeping the live entries of a site that has this op already. */
void site_specialise_more(struct frame *fp, struct code_site *site, unsigned op,
                          const struct site_entry *entry, unsigned give_up);

/* ---- arithmetic ------------------------------------------------------------------------------ */

/* clang-format off */
enum arith_kind {
    ARITH_ADD, ARITH_SUBTRACT, ARITH_MULTIPLY, ARITH_TRUE_DIVIDE, ARITH_FLOOR_DIVIDE,
    ARITH_REMAINDER, ARITH_POWER, ARITH_LSHIFT, ARITH_RSHIFT, ARITH_AND, ARITH_OR, ARITH_XOR,
    ARITH_MATRIX_MULTIPLY,
    ARITH_INPLACE,
    ARITH_IADD = ARITH_INPLACE, ARITH_ISUBTRACT, ARITH_IMULTIPLY, ARITH_ITRUE_DIVIDE,
    ARITH_IFLOOR_DIVIDE, ARITH_IREMAINDER, ARITH_IPOWER, ARITH_ILSHIFT, ARITH_IRSHIFT,
    ARITH_IAND, ARITH_IOR, ARITH_IXOR, ARITH_IMATRIX_MULTIPLY,
};
/* clang-format on */
/* Each has a function of its own, so that numbers behind pointers - items of lists, say - meet no
 * switch on the way. */
/* clang-format off */
#define ARITH_KINDS(X)                                                                            \
    X(add, ADD) X(subtract, SUBTRACT) X(multiply, MULTIPLY) X(true_divide, TRUE_DIVIDE)           \
    X(floor_divide, FLOOR_DIVIDE) X(remainder, REMAINDER) X(power, POWER) X(lshift, LSHIFT)       \
    X(rshift, RSHIFT) X(and, AND) X(or, OR) X(xor, XOR) X(matrix_multiply, MATRIX_MULTIPLY)       \
    X(iadd, IADD) X(isubtract, ISUBTRACT) X(imultiply, IMULTIPLY)                                 \
    X(itrue_divide, ITRUE_DIVIDE) X(ifloor_divide, IFLOOR_DIVIDE) X(iremainder, IREMAINDER)       \
    X(ipower, IPOWER) X(ilshift, ILSHIFT) X(irshift, IRSHIFT) X(iand, IAND) X(ior, IOR)           \
    X(ixor, IXOR) X(imatrix_multiply, IMATRIX_MULTIPLY)
/* clang-format on */
enum unary_kind { UNARY_NEGATIVE, UNARY_POSITIVE, UNARY_INVERT };

#define ARITH_DECLARE(name, KIND)                                                                  \
    int vm_arith_##name(struct frame *fp, unsigned a, unsigned b, unsigned c);                     \
    int vm_arith_k_##name(struct frame *fp, unsigned a, unsigned b, unsigned k);
ARITH_KINDS(ARITH_DECLARE)
int vm_unary(struct frame *fp, enum unary_kind kind, unsigned a, unsigned b);
int vm_compare(struct frame *fp, int op, unsigned a, unsigned b, unsigned c);
int vm_compare_k(struct frame *fp, int op, unsigned a, unsigned b, unsigned k);
int vm_compare_test(struct frame *fp, int op, unsigned b, unsigned c);
int vm_compare_test_k(struct frame *fp, int op, unsigned b, unsigned k);
int vm_contains(struct frame *fp, unsigned b, unsigned c);
int vm_is(value_t a, value_t b);
/* Truth of an operand: 1, 0, -1. Consumed unless keep. */
int vm_truth(struct frame *fp, unsigned s, bool keep);

static inline int value_truth_fast(value_t v)
{
    if ((v | VALUE_UNCOUNTED) == value_from_uncounted(Py_True)) {
        return 1;
    }
    if ((v | VALUE_UNCOUNTED) == value_from_uncounted(Py_False) || value_is_none(v)) {
        return 0;
    }
    if (value_is_int(v)) {
        return v != VALUE_INT_TAG;
    }
    return value_is_double(v) ? value_double(v) != 0.0 : -1;
}

/* A machine integer as a value, behind a pointer where no int word holds it; VALUE_NULL with MemoryError. */
static inline value_t vm_int_value(int64_t i)
{
    return value_int_fits(i) ? value_from_int(i) : value_from_owned(PyLong_FromLongLong(i));
}

/* Of int words; false: not here. */
static inline bool vm_int_floordiv(value_t a, value_t b, value_t *result)
{
    int64_t x = value_int(a), y = value_int(b);
    if (y == 0) {
        return false;
    }
    int64_t q = x / y;
    q -= x % y != 0 && (x ^ y) < 0;
    if (!value_int_fits(q)) {
        return false;
    }
    *result = value_from_int(q);
    return true;
}

static inline bool vm_int_mod(value_t a, value_t b, value_t *result)
{
    int64_t x = value_int(a), y = value_int(b);
    if (y == 0) {
        return false;
    }
    int64_t m = x % y;
    *result = value_from_int(m != 0 && (m ^ y) < 0 ? m + y : m);
    return true;
}

static inline bool vm_int_lshift(value_t a, value_t b, value_t *result)
{
    int64_t x = value_int(a), n = value_int(b);
    if ((uint64_t)n > 47 || (x >> (47 - n)) + ((x >> 63) & 1) != 0) {
        return false;
    }
    *result = value_from_int((int64_t)((uint64_t)x << n));
    return true;
}

static inline bool vm_int_rshift(value_t a, value_t b, value_t *result)
{
    int64_t n = value_int(b);
    if (n < 0) {
        return false;
    }
    *result = value_from_int(value_int(a) >> (n > 63 ? 63 : n));
    return true;
}

/* ---- attributes, names, cells ---------------------------------------------------------------- */

int vm_get_attr(struct frame *fp, unsigned a, unsigned b, unsigned s);
int vm_get_attr_any(struct frame *fp, unsigned a, unsigned b, unsigned s);
int vm_set_attr(struct frame *fp, unsigned a, unsigned b, unsigned s);
int vm_set_attr_any(struct frame *fp, unsigned a, unsigned b, unsigned s);
int vm_del_attr(struct frame *fp, unsigned a, unsigned s);
int vm_load_method(struct frame *fp, unsigned a, unsigned b, unsigned s);
int vm_load_method_any(struct frame *fp, unsigned a, unsigned b, unsigned s);
int vm_load_super(struct frame *fp, unsigned a, unsigned b, unsigned s, bool method);
int vm_load_super_method(struct frame *fp, unsigned a, unsigned b, unsigned s);

int vm_get_global(struct frame *fp, unsigned a, unsigned s);
int vm_get_global_any(struct frame *fp, unsigned a, unsigned s);
int vm_set_global(struct frame *fp, unsigned a, unsigned s);
int vm_set_global_any(struct frame *fp, unsigned a, unsigned s);
int vm_del_global(struct frame *fp, unsigned s);
int vm_get_name(struct frame *fp, unsigned a, unsigned s);
int vm_set_name(struct frame *fp, unsigned a, unsigned s);
int vm_del_name(struct frame *fp, unsigned s);
int vm_load_locals(struct frame *fp, unsigned a);
int vm_get_from_dict_or_globals(struct frame *fp, unsigned a, unsigned b, unsigned s);
int vm_load_build_class(struct frame *fp, unsigned a);
int vm_setup_annotations(struct frame *fp);

int vm_make_cell(struct frame *fp, unsigned a);
int vm_set_deref(struct frame *fp, unsigned a, unsigned b);
int vm_del_deref(struct frame *fp, unsigned a);
int vm_get_from_dict_or_deref(struct frame *fp, unsigned a, unsigned b, unsigned c);
void vm_raise_unbound(struct frame *fp, unsigned s);
void vm_raise_unbound_cell(struct frame *fp, unsigned s);

/* New reference, or NULL without an exception. */
static inline PyObject *cell_load(PyObject *cell)
{
    return ref_load(&((PyCellObject *)cell)->ob_ref, cell);
}

/* The same as a word. */
VM_INLINE value_t vm_cell_word(PyObject *cell)
{
    PyObject *value = cell_load(cell);
    return int_is_small_object(value) ? value_from_int(int_small_value(value))
                                      : value_from_owned(value);
}

/* ---- containers ------------------------------------------------------------------------------ */

int vm_get_item(struct frame *fp, unsigned a, unsigned b, unsigned c);
int vm_get_item_k(struct frame *fp, unsigned a, unsigned b, unsigned k);
int vm_set_item(struct frame *fp, unsigned a, unsigned b, unsigned c);
int vm_set_dict_item(struct frame *fp, unsigned a, unsigned b, unsigned c); /* of an exact dict */
int vm_del_item(struct frame *fp, unsigned a, unsigned b);
int vm_get_slice(struct frame *fp, unsigned a, unsigned b, unsigned c);
int vm_build_slice(struct frame *fp, unsigned a, unsigned b, unsigned n);
int vm_build_tuple(struct frame *fp, unsigned a, unsigned b, unsigned n);
int vm_build_list(struct frame *fp, unsigned a, unsigned b, unsigned n);
int vm_build_set(struct frame *fp, unsigned a, unsigned b, unsigned n);
int vm_build_map(struct frame *fp, unsigned a, unsigned b, unsigned n);
int vm_build_string(struct frame *fp, unsigned a, unsigned b, unsigned n);
int vm_list_append(struct frame *fp, unsigned a, unsigned b);
int vm_set_add(struct frame *fp, unsigned a, unsigned b);
int vm_map_add(struct frame *fp, unsigned a, unsigned b, unsigned c);
int vm_list_extend(struct frame *fp, unsigned a, unsigned b);
int vm_set_update(struct frame *fp, unsigned a, unsigned b);
int vm_dict_update(struct frame *fp, unsigned a, unsigned b);
int vm_dict_merge(struct frame *fp, unsigned a, unsigned b, unsigned c);
/* Adds the keyword arguments of a mapping to those in dict; 0, or -1 with an exception that names the callable. */
int vm_merge_keywords(PyObject *dict, PyObject *mapping, PyObject *callable);
int vm_list_to_tuple(struct frame *fp, unsigned a, unsigned b);
int vm_unpack_sequence(struct frame *fp, unsigned a, unsigned b, unsigned n);
int vm_unpack_ex(struct frame *fp, unsigned a, unsigned b, unsigned before, unsigned after);

/* ---- iteration ------------------------------------------------------------------------------- */

int vm_get_iter(struct frame *fp, unsigned a, unsigned b);
/* tp_iternext; unbound at the end, or with an exception. */
value_t vm_iter_next(PyObject *it);
/* What a loop would take apart at once - pairs of enumerate() and dict.items(), tuples of zip() - given as n words from
 * `to` on, the first one highest: 1; 0 at the end or with an exception; -1: not here. */
int vm_iter_unpack(PyObject *it, value_t *to, unsigned n);
/* The exception that an iterator ended with: StopIteration is taken away (0), others stay (-1). */
int vm_iter_end(struct frame *fp);
int vm_get_aiter(struct frame *fp, unsigned a, unsigned b);
int vm_get_anext(struct frame *fp, unsigned a, unsigned b);
int vm_end_async_for(struct frame *fp, unsigned a);
int vm_get_yield_from_iter(struct frame *fp, unsigned a, unsigned b);
int vm_get_awaitable(struct frame *fp, unsigned a, unsigned b, unsigned where);
/* 0: yielded, r[b] has the value; 1: returned, r[a] has the result; -1. */
int vm_send(struct frame *fp, unsigned a, unsigned b);
int vm_cleanup_throw(struct frame *fp, unsigned a);

/* ---- calls ----------------------------------------------------------------------------------- */

/* Any call: fp itself when it is done, another frame to run, or NULL with an exception. The window is
 * consumed in every case. */
struct frame *vm_call(PyThreadState *ts, struct frame *fp, unsigned a, unsigned b, unsigned s);
/* The same where a C function is expected: 0 done, 1 not here (nothing consumed), -1. */
int vm_call_c(PyThreadState *ts, struct frame *fp, unsigned a, unsigned b, unsigned s);
struct frame *vm_call_ex(PyThreadState *ts, struct frame *fp, unsigned a, unsigned b,
                         unsigned flags);
/* Whether a call of it may run in a frame of the loop. */
VM_INLINE bool vm_is_python(PyObject *callable)
{
    return Py_IS_TYPE(callable, &PyFunction_Type)
           && likely(((PyFunctionObject *)callable)->vectorcall == interp_call);
}

/* Whether it is the function of this name in builtins. */
bool vm_is_builtin(PyObject *callable, const char *name);
/* Gives the site of a call the form for a C function or type of ours; false when there is none. */
bool call_c_specialise(struct frame *fp, struct code_site *site, unsigned b);
/* Call a function of ours that takes an array, or a static type, with at most so many arguments, which stay in their
 * words. New reference or NULL with an exception. */
enum { CALL_FAST_MAX = 8 };
PyObject *vm_call_definition(const PyMethodDef *def, PyObject *self, value_t *words,
                             unsigned nargs);
PyObject *vm_call_definition_names(const PyMethodDef *def, PyObject *self, value_t *words,
                                   unsigned nargs, PyObject *names);
PyObject *vm_call_type(PyTypeObject *type, value_t *words, unsigned nargs, PyObject *names);

VM_INLINE PyTypeObject *vm_type_of(value_t v)
{
    return value_is_pointer(v) ? Py_TYPE(value_object(v))
           : value_is_int(v)   ? &PyLong_Type
                               : &PyFloat_Type;
}
/* 1, 0, -1. The word may become an object. */
int vm_is_instance(value_t *word, PyObject *class);

/* The definition of r[b] if it is a C function (of a method descriptor) that the site knows, else NULL. */
VM_INLINE PyMethodDef *vm_known_function(value_t f, const struct code_site *site)
{
    if (unlikely(value_is_number(f) || !Py_IS_TYPE(value_object(f), &PyCFunction_Type))) {
        return NULL;
    }
    PyMethodDef *def = ((PyCFunctionObject *)value_object(f))->m_ml;
    return likely(CACHE_DEFINITION(def) == field_load(&site->cache)) ? def : NULL;
}
VM_INLINE PyMethodDef *vm_known_method(value_t f, value_t self, const struct code_site *site)
{
    if (unlikely(value_is_number(f) || self == VALUE_NULL || value_is_number(self)
                 || !Py_IS_TYPE(value_object(f), &PyMethodDescr_Type))) {
        return NULL;
    }
    PyMethodDescrObject *descr = (PyMethodDescrObject *)value_object(f);
    PyMethodDef *def = descr->d_method;
    if (unlikely(CACHE_DEFINITION(def) != field_load(&site->cache))) {
        return NULL;
    }
    return likely(PyObject_TypeCheck(value_object(self), PyDescr_TYPE(descr))) ? def : NULL;
}

void vm_drop_window(struct frame *fp, unsigned base);
PyObject *vm_instance_new(PyTypeObject *type);

/* Appends the item that *item holds, which is unbound then. 0, or -1 with MemoryError. */
VM_INLINE int vm_append(PyObject *op, value_t *item)
{
    PyListObject *list = (PyListObject *)op;
    PyObject *taken = value_to_owned(*item);
    if (unlikely(taken == NULL)) {
        return -1;
    }
    *item = VALUE_NULL;
    if (likely(lock_is_alone())) {
        Py_ssize_t n = Py_SIZE(list);
        if (likely(n < list->allocated)) {
            list->ob_item[n] = taken;
            list->ob_base.ob_size = n + 1;
            return 0;
        }
    }
    return list_append_owned(list, taken);
}

static inline struct code_body *vm_init_body(PyObject *func)
{
    return code_body((PyCodeObject *)((PyFunctionObject *)func)->func_code);
}

/* Of a getter that can run in a frame of the loop, else NULL. */
static inline struct code_body *vm_property_body(value_t f)
{
    if (f == VALUE_NULL || !Py_IS_TYPE(value_object(f), &PyFunction_Type)) {
        return NULL;
    }
    struct code_body *body = vm_init_body(value_object(f));
    return body->simple && body->argcount == 1 ? body : NULL;
}

VM_INLINE bool vm_has_room(PyThreadState *ts, struct frame *top, const struct code_body *body,
                           const value_t *r)
{
    const struct exec_state *exec = &interp_thread(ts)->exec;
    return r + body->nregs <= exec->values_end && top < exec->control_end
           && ts->py_recursion_remaining > 0;
}

/* RecursionError because the C stack is used up; `where` goes behind the text. */
void raise_stack_used_up(const char *where);
/* RecursionError, or MemoryError when a stack is full. */
void vm_raise_too_deep(PyThreadState *ts);

/* Of a plain call: the words r[0..argcount) are there, the other locals become unbound. */
static inline void vm_clear_locals(const struct code_body *body, value_t *r)
{
    for (unsigned i = body->argcount; i < body->nlocals; i++) {
        FEW_TIMES();
        r[i] = VALUE_NULL;
    }
}

/* Fills in a record at `top`; the words r[0..nlocals) are there. */
VM_INLINE struct frame *vm_push(PyThreadState *ts, struct frame *prev, struct frame *top,
                                value_t func, struct code_body *body, value_t *r,
                                enum on_return how)
{
    ts->py_recursion_remaining--;
    top->body = body;
    top->pc = body->words;
    top->r = r;
    top->prev = prev;
    top->top = top + 1;
    top->func = func;
    top->locals = NULL;
    top->object = NULL;
    top->dst = 0;
    top->on_return = (uint8_t)how;
    top->owner = FRAME_OF_STACK;
    top->call_reported = top->parked = 0;
    top->spare = 0;
    return top;
}

/* First free word above a frame; where its next record goes. */
static inline value_t *frame_free_words(struct frame *fp)
{
    return fp->r + fp->body->nregs;
}

/* ---- functions, generators ------------------------------------------------------------------- */

int vm_make_function(struct frame *fp, unsigned a, unsigned k);
int vm_set_function_attribute(struct frame *fp, unsigned a, unsigned b, unsigned what);

static inline bool gen_can_resume(PyGenObject *gen)
{
    return gen->gi_frame_state < GEN_EXECUTING;
}
static inline bool gen_can_send(PyGenObject *gen, value_t sent)
{
    return gen->gi_frame_state == GEN_SUSPENDED || gen->gi_frame_state == GEN_SUSPENDED_YIELD_FROM
           || (gen->gi_frame_state == GEN_CREATED && value_is_none(sent));
}

/* Puts a suspended generator's frame on the stacks, `sent` (taken over) where its yield wants it; of one that delegates
 * to another generator, that one's: the frame to run. NULL with RecursionError (sent released). */
struct frame *vm_gen_enter(PyThreadState *ts, struct frame *fp, PyGenObject *gen, value_t sent,
                           enum on_return how);
/* The CALL that ran a generator (RETURN_CALL) is over: lets go of what its window holds. May run Python code. */
void vm_gen_call_done(struct frame *caller);
/* Takes a frame that returned or failed off the stacks: its registers are released. */
void vm_gen_finish(PyThreadState *ts, struct frame *fp);

/* ---- the rest -------------------------------------------------------------------------------- */

int vm_intrinsic1(struct frame *fp, unsigned a, unsigned b, unsigned id);
int vm_intrinsic2(struct frame *fp, unsigned a, unsigned b, unsigned id);
int vm_import_name(struct frame *fp, unsigned a, unsigned b, unsigned s);
int vm_import_from(struct frame *fp, unsigned a, unsigned b, unsigned s);
int vm_format_simple(struct frame *fp, unsigned a, unsigned b);
int vm_format_spec(struct frame *fp, unsigned a, unsigned b, unsigned c);
int vm_convert(struct frame *fp, unsigned a, unsigned b, unsigned how);
int vm_match_class(struct frame *fp, unsigned a, unsigned b, unsigned n);
int vm_match_keys(struct frame *fp, unsigned a, unsigned b, unsigned c);
int vm_get_len(struct frame *fp, unsigned a, unsigned b);
static inline bool vm_has_flag(value_t v, unsigned long flag)
{
    return value_is_pointer(v) && (Py_TYPE(value_object(v))->tp_flags & flag);
}

int vm_before_with(struct frame *fp, unsigned a, unsigned b);
int vm_before_async_with(struct frame *fp, unsigned a, unsigned b);
int vm_with_except_start(struct frame *fp, unsigned a, unsigned b, unsigned c);

/* ---- exceptions ------------------------------------------------------------------------------ */

int vm_check_exc_match(struct frame *fp, unsigned a, unsigned b, unsigned c);
int vm_check_eg_match(struct frame *fp, unsigned a, unsigned b);
/* Set the exception; do not unwind. cause: REG_NONE for none. */
void vm_raise(struct frame *fp, unsigned exc, unsigned cause);
/* 1: an exception was being handled and is set again; 0: RuntimeError is set. */
int vm_raise_current(PyThreadState *ts);
void vm_reraise(struct frame *fp, unsigned exc, unsigned lasti);

/* Goes outward from fp until a handler takes the exception: the frame to go on with, its pc at the handler; NULL
 * when a frame that returns to C was left. */
struct frame *vm_unwind(PyThreadState *ts, struct frame *fp, bool add_traceback);

/* What a frame's return means for a caller that is not a plain one: the frame to go on with; NULL with an
 * exception that is then raised in *caller. v is taken over. */
struct frame *vm_return_to(PyThreadState *ts, struct frame *caller, enum on_return how, value_t v,
                           value_t *window);
/* Displacement of the jump in the word before pc. */
int word_jump(const struct code_body *body, const uint64_t *pc);
/* Operands of the word before pc, whatever their width. */
unsigned word_a(const struct code_body *body, const uint64_t *pc);
unsigned word_b(const struct code_body *body, const uint64_t *pc);
unsigned word_c(const struct code_body *body, const uint64_t *pc);

/* One instruction after EXT. */
struct wide_state {
    struct frame *fp;
    const uint64_t *pc;
    value_t result;
};
/* True when interp_run() is to return `result`. */
bool vm_wide_step(PyThreadState *ts, struct wide_state *state);

/* Does the instruction before which state->pc stands, as `op`: 0, or -1 with an exception that has not been
 * unwound. Not for calls, returns and yields. */
int vm_single_step(PyThreadState *ts, struct wide_state *state, unsigned op);

/* ---- monitoring ------------------------------------------------------------------------------ */

static inline uint32_t vm_instrument_version(PyThreadState *ts)
{
    extern uint32_t monitoring_version;
    return field_load(&monitoring_version);
}
/* 1: words of the frame changed, look at the current one again; 0; -1. */
int vm_resume_instrument(struct frame *fp);
/* Reports the events of the current word: the op to do now; -1 with an exception; -2 when the instruction
 * has been done. May move fp->pc (a jump by the tracer). */
int vm_instrumented(PyThreadState *ts, struct frame *fp);
/* Events off the fast path; nothing when nobody listens. An exception that a tool raises replaces
 * the current one. */
void monitor_raise(PyThreadState *ts, struct frame *fp);
void monitor_reraise(PyThreadState *ts, struct frame *fp);
/* `origin`: the word that raised; `exc` is in the handler's register. -1 when a tool raised. */
int monitor_handled(PyThreadState *ts, struct frame *fp, uint32_t origin, PyObject *exc);
/* A generator that was run by SEND returned *value: 0 or -1. */
int monitor_return_value(PyThreadState *ts, struct frame *fp, value_t *value);
void monitor_unwind(PyThreadState *ts, struct frame *fp);
int monitor_throw(PyThreadState *ts, struct frame *fp);
/* A call of a C function is over. -1 when a tool raised. */
int monitor_c_result(PyThreadState *ts, struct frame *fp, PyObject *callable, PyObject *arg,
                     bool failed);
void monitor_stop_iteration(PyThreadState *ts, struct frame *fp);

#endif
