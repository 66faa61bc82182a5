/*
 * Types: making them ready, looking attributes up, keeping slots and dicts in step.
 *
 * Versions. A type has a version number while its lookups may be cached, else 0. Numbers are
 * never used twice. Whoever changes what a lookup can find (the dict, the bases, a base's dict)
 * first takes the version away, from the type and from everything below it. Values that leave a
 * type's dict are released only after a grace period, so that a reader without locks may use
 * what it found until its next safe point.
 *
 * Locks. One mutex of the process (the type lock) is held while dicts, bases, MRO, slots and the
 * lists of subclasses change, and while a version is given out. It is never held while Python
 * code runs. Slots of a type that others can see are written with the world stopped.
 * Lookups take no lock.
 *
 * Static types. Their dict, subclasses and weak references belong to the interpreter
 * (struct static_type_state in object.h): tp_dict stays NULL and tp_subclasses holds
 * 1 + the index. Slots, MRO and bases are shared by all interpreters, and immutable.
 */
#ifndef KRAIT_OBJECTS_TYPE_H
#define KRAIT_OBJECTS_TYPE_H

#include "objects/object.h"
#include "objects/shape.h"

/* Direct subclasses in the order of their making; borrowed: a type leaves when it dies. */
struct type_list {
    Py_ssize_t count, capacity;
    PyTypeObject *items[];
};

static inline bool type_is_heap(PyTypeObject *type)
{
    return type->tp_flags & Py_TPFLAGS_HEAPTYPE;
}

static inline bool type_is_static_builtin(PyTypeObject *type)
{
    return type->tp_flags & (1ul << 1);
}

static inline bool type_is_immutable(PyTypeObject *type)
{
    return type->tp_flags & Py_TPFLAGS_IMMUTABLETYPE;
}

/* ---- making ready ---------------------------------------------------------------------------- */

/* Makes one of our static types ready for an interpreter, its bases first: slots once per
 * process, dict once per interpreter. 0, or -1 with an exception. Runs no Python code. */
int type_ready(PyTypeObject *type);
/* The same for a NULL-terminated list. */
int type_ready_all(PyTypeObject *const *types);
/* Drops this interpreter's state of a static type. Runs no Python code, but releases. */
void type_static_fini(struct interp_state *interp, PyTypeObject *type);
/* A static type made while running whose name, base and slots the caller has filled in (struct
 * sequences): as type_ready, with IMMUTABLETYPE or not as flags say. */
int type_ready_static_with_flags(PyTypeObject *type, unsigned long flags);

BORROWED PyObject *type_dict(PyTypeObject *type); /* while the type lives */
BORROWED PyObject *type_mro(PyTypeObject *type);  /* until the next safe point */
struct static_type_state *type_static_state(PyTypeObject *type);

/* ---- lookup ---------------------------------------------------------------------------------- */

/* The attribute `name` (a str) along the MRO, not bound; borrowed, valid until the next safe
 * point (with a GIL: until Python code runs); NULL, without exception, when there is none. If
 * version is not NULL it gets the type's version under which this is the answer, or 0 when it
 * must not be cached. No lock on the fast path; runs no Python code. */
BORROWED PyObject *type_lookup(PyTypeObject *type, PyObject *name, uint32_t *version);
/* The same as a new reference. */
OWNED PyObject *type_lookup_ref(PyTypeObject *type, PyObject *name, uint32_t *version);

/* The version the type has now; given one if it has none; 0 if it cannot have one. */
uint32_t type_version(PyTypeObject *type);
static inline uint32_t type_version_now(PyTypeObject *type)
{
    return __atomic_load_n(&type->tp_version_tag, __ATOMIC_ACQUIRE);
}
/* For caches with a version but no type: the type that has it, or NULL (new reference). */
OWNED PyTypeObject *type_of_version(uint32_t version);

bool type_is_subtype(PyTypeObject *type, PyTypeObject *base); /* by MRO, no Python code */

/* ---- change ---------------------------------------------------------------------------------- */

/* Takes the version away from type and its subclasses, and tells the watchers. To be called
 * before the change; the type lock is taken inside. */
void type_modified(PyTypeObject *type);
/* Sets or, with value NULL, deletes an attribute of any type, immutable or not, and updates the
 * slots. 0, or -1 with an exception (AttributeError). May run Python code (old value's end). */
int type_set_attr(PyTypeObject *type, PyObject *name, PyObject *value);
/* Puts an attribute into a type that is just being made ready (no versions, no slots). */
int type_add_attr(PyTypeObject *type, PyObject *name, PyObject *value);
/* Works out again the C slots that stand for `name`, in type and all below that inherit them. */
int slot_update(PyTypeObject *type, PyObject *name);
/* All of them. */
int slot_update_all(PyTypeObject *type);

void type_lock(void);
void type_unlock(void);

/* ---- instances ------------------------------------------------------------------------------- */

/* type.__call__ : tp_new and tp_init, as vectorcall. May run Python code. */
OWNED PyObject *type_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                                PyObject *kwnames);

/* Slots of classes made in Python. Exported because others compare against them. */
PyObject *slot_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwds);
int slot_tp_init(PyObject *self, PyObject *args, PyObject *kwds);
PyObject *slot_tp_getattro(PyObject *self, PyObject *name);     /* only __getattribute__ */
PyObject *slot_tp_getattr_hook(PyObject *self, PyObject *name); /* with __getattr__ */
int slot_tp_setattro(PyObject *self, PyObject *name, PyObject *value);
PyObject *slot_tp_call(PyObject *self, PyObject *args, PyObject *kwds);
PyObject *slot_tp_iternext(PyObject *self);
PyObject *slot_tp_descr_get(PyObject *self, PyObject *obj, PyObject *type);
PyObject *slot_tp_richcompare(PyObject *self, PyObject *other, int op);
void subtype_dealloc(PyObject *self);
int subtype_traverse(PyObject *self, visitproc visit, void *arg);
int subtype_clear(PyObject *self);

PyObject *object_new_slot(PyTypeObject *type, PyObject *args, PyObject *kwds); /* object.__new__ */
int object_init_slot(PyObject *self, PyObject *args, PyObject *kwds);          /* object.__init__ */

/* ---- super ----------------------------------------------------------------------------------- */

struct superobject {
    PyObject_HEAD
    PyTypeObject *type;      /* the class behind which the search starts; owned or NULL */
    PyObject *self;          /* owned or NULL */
    PyTypeObject *self_type; /* whose MRO is searched; owned or NULL */
};

/* What stands under the name behind `type` in start's MRO, not bound: new reference; NULL, without exception when
 * nothing does. Runs no Python code. */
OWNED PyObject *super_find(PyTypeObject *start, PyTypeObject *type, PyObject *name);
/* super(type, self).name without the super object. As object_get_method: with method not NULL,
 * *method is set to 1 when the result is unbound and is to be called with self first. New
 * reference, or NULL with an exception. May run Python code. */
OWNED PyObject *super_lookup(PyTypeObject *type, PyObject *self, PyObject *name, int *method);

/* ---- names for messages and reprs ------------------------------------------------------------ */

const char *type_short_name(PyTypeObject *type); /* tp_name behind its last dot */
OWNED PyObject *type_module_name(PyTypeObject *type);

/* Releases a value (may be NULL) that readers without a lock may still be looking at: once they have passed a safe
 * point. In the default build at once, which may run Python code. */
void type_retire(STOLEN PyObject *value);

#endif
