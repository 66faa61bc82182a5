/* What the files of this folder share. */
#ifndef KRAIT_OBJECTS_TYPE_INTERNAL_H
#define KRAIT_OBJECTS_TYPE_INTERNAL_H

#include "objects/dict.h"
#include "objects/error.h"
#include "objects/tuple.h"
#include "objects/type.h"
#include "objects/descr.h"
#include "locking/world.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Calls a binary, unary, ... function found under a name: see dispatch.c. Each dispatcher and
 * each wrapper has the type of the slot it serves; the table (slots.c) holds them as void *. */
/* clang-format off */
#define SLOT_DISPATCHERS(X)                                                                     \
    X(slot_tp_repr) X(slot_tp_hash) X(slot_tp_str) X(slot_tp_iter) X(slot_tp_descr_set)         \
    X(slot_tp_finalize) X(slot_am_await) X(slot_am_aiter) X(slot_am_anext)                      \
    X(slot_bf_getbuffer) X(slot_bf_releasebuffer)                                               \
    X(slot_nb_add) X(slot_nb_subtract) X(slot_nb_multiply) X(slot_nb_remainder)                 \
    X(slot_nb_divmod) X(slot_nb_power) X(slot_nb_negative) X(slot_nb_positive)                  \
    X(slot_nb_absolute) X(slot_nb_bool) X(slot_nb_invert) X(slot_nb_lshift) X(slot_nb_rshift)   \
    X(slot_nb_and) X(slot_nb_xor) X(slot_nb_or) X(slot_nb_int) X(slot_nb_float)                 \
    X(slot_nb_inplace_add) X(slot_nb_inplace_subtract) X(slot_nb_inplace_multiply)              \
    X(slot_nb_inplace_remainder) X(slot_nb_inplace_power) X(slot_nb_inplace_lshift)             \
    X(slot_nb_inplace_rshift) X(slot_nb_inplace_and) X(slot_nb_inplace_xor)                     \
    X(slot_nb_inplace_or) X(slot_nb_floor_divide) X(slot_nb_true_divide)                        \
    X(slot_nb_inplace_floor_divide) X(slot_nb_inplace_true_divide) X(slot_nb_index)             \
    X(slot_nb_matrix_multiply) X(slot_nb_inplace_matrix_multiply)                               \
    X(slot_mp_length) X(slot_mp_subscript) X(slot_mp_ass_subscript)                             \
    X(slot_sq_item) X(slot_sq_ass_item) X(slot_sq_contains)
/* clang-format on */

/* wrappers.c: a C slot as a Python method. */
/* clang-format off */
#define SLOT_WRAPPERS(X)                                                                        \
    X(wrap_unaryfunc) X(wrap_binaryfunc) X(wrap_binaryfunc_l) X(wrap_binaryfunc_r)              \
    X(wrap_ternaryfunc) X(wrap_ternaryfunc_r) X(wrap_inquirypred) X(wrap_lenfunc)               \
    X(wrap_indexargfunc) X(wrap_sq_item) X(wrap_sq_setitem) X(wrap_sq_delitem)                  \
    X(wrap_objobjproc) X(wrap_objobjargproc) X(wrap_delitem) X(wrap_setattr) X(wrap_delattr)    \
    X(wrap_hashfunc) X(wrap_next) X(wrap_descr_get) X(wrap_descr_set) X(wrap_descr_delete)      \
    X(wrap_del) X(wrap_buffer) X(wrap_releasebuffer)                                            \
    X(wrap_lt) X(wrap_le) X(wrap_eq) X(wrap_ne) X(wrap_gt) X(wrap_ge)
/* clang-format on */

#define DECLARE_WRAPPER(f) PyObject *f(PyObject *self, PyObject *args, void *wrapped);
SLOT_WRAPPERS(DECLARE_WRAPPER)
PyObject *wrap_init(PyObject *self, PyObject *args, void *wrapped, PyObject *kwds);
PyObject *wrap_call(PyObject *self, PyObject *args, void *wrapped, PyObject *kwds);

/* The dispatchers by name, as addresses; filled in by dispatch.c. */
enum slot_dispatcher_id {
#define DISPATCHER_ID(f) id_##f,
    SLOT_DISPATCHERS(DISPATCHER_ID) SLOT_DISPATCHER_COUNT
};

PyObject *slot_tp_repr(PyObject *);
Py_hash_t slot_tp_hash(PyObject *);
PyObject *slot_tp_str(PyObject *);
PyObject *slot_tp_iter(PyObject *);
int slot_tp_descr_set(PyObject *, PyObject *, PyObject *);
void slot_tp_finalize(PyObject *);
PyObject *slot_am_await(PyObject *);
PyObject *slot_am_aiter(PyObject *);
PyObject *slot_am_anext(PyObject *);
int slot_bf_getbuffer(PyObject *, Py_buffer *, int);
void slot_bf_releasebuffer(PyObject *, Py_buffer *);
int slot_nb_bool(PyObject *);
PyObject *slot_nb_power(PyObject *, PyObject *, PyObject *);
PyObject *slot_nb_inplace_power(PyObject *, PyObject *, PyObject *);
Py_ssize_t slot_mp_length(PyObject *);
PyObject *slot_mp_subscript(PyObject *, PyObject *);
int slot_mp_ass_subscript(PyObject *, PyObject *, PyObject *);
PyObject *slot_sq_item(PyObject *, Py_ssize_t);
int slot_sq_ass_item(PyObject *, Py_ssize_t, PyObject *);
int slot_sq_contains(PyObject *, PyObject *);

/* clang-format off */
#define NUMBER_BINARY_SLOTS(X)                                                                  \
    X(add) X(subtract) X(multiply) X(matrix_multiply) X(true_divide) X(floor_divide)            \
    X(remainder) X(divmod) X(lshift) X(rshift) X(and) X(xor) X(or)
#define NUMBER_INPLACE_SLOTS(X)                                                                 \
    X(add) X(subtract) X(multiply) X(matrix_multiply) X(true_divide) X(floor_divide)            \
    X(remainder) X(lshift) X(rshift) X(and) X(xor) X(or)
#define NUMBER_UNARY_SLOTS(X)                                                                   \
    X(negative) X(positive) X(absolute) X(invert) X(int) X(float) X(index)
/* clang-format on */
#define DECLARE_BINARY(n) PyObject *slot_nb_##n(PyObject *, PyObject *);
#define DECLARE_INPLACE(n) PyObject *slot_nb_inplace_##n(PyObject *, PyObject *);
#define DECLARE_UNARY(n) PyObject *slot_nb_##n(PyObject *);
NUMBER_BINARY_SLOTS(DECLARE_BINARY)
NUMBER_INPLACE_SLOTS(DECLARE_INPLACE)
NUMBER_UNARY_SLOTS(DECLARE_UNARY)

/* Of other folders: isinstance and issubclass without hooks, and int | str. */
int _PyObject_RealIsInstance(PyObject *op, PyObject *cls);
int _PyObject_RealIsSubclass(PyObject *derived, PyObject *cls);
PyObject *_Py_union_type_or(PyObject *self, PyObject *other);
PyObject *_PyObject_NextNotImplemented(PyObject *op);

extern PyTypeObject buffer_owner_type; /* dispatch.c */

/* slots.c */
/* Wrapper descriptors for all C slots that the type has and its dict has not. */
int slots_add_wrappers(PyTypeObject *type, PyObject *dict);
/* Where a slot lies in a type; NULL when its table (number methods, ...) is missing. */
void **slot_address(PyTypeObject *type, int offset);
/* Sets all slots of a type that nobody else knows yet from its dict and bases. */
void slots_fix_all(PyTypeObject *type);
/* The type lock is held. Updates the slots for a name, here and below. */
void slots_update_locked(PyTypeObject *type, PyObject *name);
void slots_update_all_locked(PyTypeObject *type);

/* ready.c */
/* Copies what a type inherits from its bases; the MRO stands. */
int ready_inherit(PyTypeObject *type);
int type_ready_core(PyTypeObject *type);
PyObject *tp_new_wrapper(PyObject *self, PyObject *args, PyObject *kwds);

/* lookup.c */
void type_modified_locked(PyTypeObject *type);
int type_add_subclass(PyTypeObject *base, PyTypeObject *type); /* takes the type lock */
int type_add_subclass_locked(PyTypeObject *base, PyTypeObject *type);
void type_remove_subclass(PyTypeObject *base, PyTypeObject *type); /* takes the type lock */
void type_remove_subclass_locked(PyTypeObject *base, PyTypeObject *type);
struct type_list **type_subclasses(PyTypeObject *type);
void type_forget_version(PyTypeObject *type);
OWNED PyObject *type_subclass_list(PyTypeObject *type);

/* mro.c */
/* The MRO by the C3 rule, as a tuple; TypeError when there is none. */
OWNED PyObject *mro_compute(PyTypeObject *type);
/* The same by the metatype's mro() if it overrides it, checked. May run Python code. */
OWNED PyObject *mro_invoke(PyTypeObject *type, bool *custom);
/* The base whose layout the others extend; borrowed; TypeError. */
BORROWED PyTypeObject *best_base(PyObject *bases);
BORROWED PyTypeObject *solid_base(PyTypeObject *type);
bool same_layout(PyTypeObject *old, PyTypeObject *new_type, const char *attr);
int type_set_bases(PyTypeObject *type, PyObject *new_bases, void *closure);

/* new.c */
PyObject *type_new(PyTypeObject *metatype, PyObject *args, PyObject *kwds);
int type_init(PyObject *cls, PyObject *args, PyObject *kwds);
/* The most derived metatype of the bases and this one; borrowed; TypeError. */
BORROWED PyTypeObject *metatype_of(PyTypeObject *metatype, PyObject *bases);

/* instance.c */
PyObject *type_call(PyObject *type, PyObject *args, PyObject *kwds);
void type_dealloc(PyObject *self);
int type_traverse(PyObject *self, visitproc visit, void *arg);
int type_clear(PyObject *self);
int type_is_gc(PyObject *self);

/* attrs.c */
PyObject *type_getattro(PyObject *type, PyObject *name);
int type_setattro(PyObject *type, PyObject *name, PyObject *value);

extern PyMemberDef type_members[];

extern PyGetSetDef subtype_getset_dict[], subtype_getset_weakref[];
PyObject *subtype_dict(PyObject *op, void *closure);

/* spec.c, super.c, object_type.c */

PyObject *type_get_qualname_of(PyTypeObject *type);

#endif
