/*
 * Shapes: the attribute names that instances of one class keep inline.
 *
 * A class made by `class` whose instances have a dict and no fields of their own owns one shape:
 * an ordered set of names that only ever grows, up to a capacity chosen when the class is made.
 * Attribute i of the shape lies in the i-th slot behind the header of each instance whose
 * managed-dict word is odd (object.h). A slot holds a word as registers do (value.h): a number,
 * an owned pointer, or 0 when the instance does not have this attribute.
 *
 * Order. Dicts remember insertion order. The word of an instance whose attributes were added in
 * the shape's order says how far it got; a few that came out of order are noted in it too. When
 * that does not suffice, or the shape is full, a real dict is made: from then on the word holds
 * that dict, all slots are 0, and the instance never goes back. A new instance has the word 1.
 *
 * What caches may rely on:
 *   - The index of a name in a shape never changes. So (type version) -> index is good for as
 *     long as the version is: read the word, see that it is odd, read slot[index], non-zero.
 *   - A class attribute that was found under (type version), while its name was NOT in the
 *     shape, is not hidden by the instance while its word is odd: before a name that the class
 *     also has is added to the shape, the type's version is changed. When the name is in the
 *     shape, the slot must be looked at first. With an even non-zero word ask the dict.
 *
 * Threads. Slots change under the instance's critical section, by atomic swaps; they are read
 * without a lock: load the word, load the slot, take a reference if it is alive, look again. A slot
 * that holds a number or an immortal object may be given another word without the lock, by compare and
 * swap (instance_replace_at): nobody can be about to take a reference to what it held. Slots whose
 * words are on the way to a dict are sealed, which makes everybody ask under the lock.
 * Names are added under the shape's own mutex and published with their index; the table of
 * names is read without a lock.
 */
#ifndef KRAIT_OBJECTS_SHAPE_H
#define KRAIT_OBJECTS_SHAPE_H

#include "locking/refs.h"
#include "objects/object.h"
#include "objects/value.h"

#define SHAPE_MAX 30
#define SHAPE_TABLE 64 /* hash slots: a power of two, at least twice SHAPE_MAX */
#define SHAPE_NONE (-1)
#define SLOT_SEALED                                                                                \
    VALUE_UNCOUNTED /* a slot being emptied into a dict: a word that no slot holds otherwise */

struct shape {
    PyMutex lock;
    uint8_t capacity;           /* inline slots of every instance */
    uint8_t count;              /* atomic: names so far */
    uint8_t table[SHAPE_TABLE]; /* atomic: 1 + index of a name, 0: free */
    PyObject *names[SHAPE_MAX]; /* owned, interned; set before table and count say so */
};

/* NULL: the type's instances have no inline slots. */
static inline struct shape *type_shape(PyTypeObject *type)
{
    return type->tp_flags & Py_TPFLAGS_INLINE_VALUES
               ? (struct shape *)((PyHeapTypeObject *)type)->ht_cached_keys
               : NULL;
}

static inline value_t *object_inline_slots(PyObject *op)
{
    return (value_t *)((char *)op + sizeof(PyObject));
}

/* ---- shapes ---------------------------------------------------------------------------------- */

/* NULL with MemoryError. */
struct shape *shape_new(unsigned capacity);
void shape_free(struct shape *shape);

/* The index of an interned name, or SHAPE_NONE. No lock, no exception, no Python code. */
int shape_find(const struct shape *shape, PyObject *name);
/* The same for any str. */
int shape_find_str(const struct shape *shape, PyObject *name);
/* Finds or adds an interned name; SHAPE_NONE when the shape is full. Changes the version of
 * `type`, its owner, when that has an attribute of this name. No Python code. */
int shape_add(struct shape *shape, PyTypeObject *type, PyObject *name);

/* ---- attributes of instances, wherever they lie ---------------------------------------------- */
/* For types with MANAGED_DICT only. Names are interned str (borrowed). Values are words:
 * results are owned words, new values are taken over on success. None of these looks at the
 * type's dict or calls descriptors. */

/* 1 and an owned word; 0 when absent; -1 with an exception. */
int instance_get(PyObject *op, PyObject *name, value_t *result);
/* 0, or -1 with an exception (and `value` still the caller's). Takes the object's lock; the old
 * value is released after it (may run Python code). */
int instance_set(PyObject *op, PyObject *name, value_t value);
/* 1 when removed, 0 when absent, -1 with an exception. Takes the lock, as above. */
int instance_delete(PyObject *op, PyObject *name);

/* The same at a known index, for caches guarded by the type's version. */

/* An owned word, or false: not inline, or not set. No Python code. */
bool instance_get_at(PyObject *op, int index, value_t *result);
/* Replaces a number or an immortal object, without the lock; false (value still the caller's) when
 * something else is there. No Python code. */
static inline bool instance_replace_at(PyObject *op, int index, value_t value)
{
    value_t *slot = &object_inline_slots(op)[index];
    value_t old = field_load(slot);
    bool simple = value_is_number(old) || (old > SLOT_SEALED && ref_is_immortal(value_object(old)));
    return simple && managed_is_inline(object_managed_load(op)) && field_cas(slot, &old, value);
}
/* Replaces or adds, in the shape's order; false (value still the caller's) when it cannot be
 * done inline. Takes the object's lock; releases the old value after it. */
bool instance_set_at(PyObject *op, int index, value_t value);

/* Moves inline attributes into a dict, and makes one for an instance without any. Borrowed,
 * valid while the caller keeps op alive and nobody assigns __dict__; NULL with MemoryError. */
BORROWED PyObject *instance_dict(PyObject *op);
/* Whether the instance has any attribute of its own (so a dict is worth making). */
bool instance_is_empty(PyObject *op);

/* Collector and deallocation; world stopped or object dead or locked. */
int instance_visit(PyObject *op, visitproc visit, void *arg);
void instance_clear(PyObject *op);

#endif
