/*
 * What every object has in common: its memory, the words before it, its birth and its death.
 *
 * Memory.   [ weakref list ][ managed dict ] | header | fields ... | inline values or items
 * The two words in front (the pre-header) exist only for types with MANAGED_WEAKREF or
 * MANAGED_DICT. No object has a collector header: the collector finds containers by their slabs.
 *
 * The managed-dict word of an instance is one of
 *     0              no attributes yet, and no inline slots
 *     odd            attributes lie in the inline slots; what else it says, only shape.c knows
 *     even non-zero  the address of the instance's dict, a reference owned by the object
 */
#ifndef KRAIT_OBJECTS_OBJECT_H
#define KRAIT_OBJECTS_OBJECT_H

#include "Python.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "locking/refs.h"
#include "locking/thread.h"
#include "objects/ids.h"

/* ---- ownership, said in signatures ----------------------------------------------------------- */

/* OWNED: the caller gets (or gives up nothing of) a reference of its own.
 * BORROWED: somebody else keeps it alive; until when is said beside the function.
 * STOLEN: an argument that is taken over, also on failure.
 * Clang's analyser sees them as annotations, the compiler sees nothing. */
#if defined(__clang__)
#define KRAIT_NOTE(text) __attribute__((annotate(text)))
#else
#define KRAIT_NOTE(text)
#endif
#define OWNED KRAIT_NOTE("krait:owned")
#define BORROWED KRAIT_NOTE("krait:borrowed")
#define STOLEN KRAIT_NOTE("krait:stolen")

/* ---- birth ----------------------------------------------------------------------------------- */

/* Bytes of an instance with n items, inline values not counted, rounded up to 8. */
static inline size_t object_size(PyTypeObject *type, Py_ssize_t nitems)
{
    size_t size = (size_t)type->tp_basicsize + (size_t)nitems * (size_t)type->tp_itemsize;
    return (size + 7) & ~(size_t)7;
}

/* Words before the header: 0 or 2. */
static inline unsigned object_prehdr_words(PyTypeObject *type)
{
    return type->tp_flags & (Py_TPFLAGS_MANAGED_DICT | Py_TPFLAGS_MANAGED_WEAKREF) ? 2 : 0;
}

/* A zero-filled object with a count of 1, ob_size = nitems for variable-sized types, not yet
 * tracked by the collector. Takes a reference on heap types. NULL with MemoryError.
 * Runs no Python code, but may start a collection at the next safe point. */
OWNED PyObject *object_new(PyTypeObject *type, Py_ssize_t nitems);

/* The same without clearing what lies behind the header (ob_size is set): for types that fill
 * every field at once. Never for types with a pre-header or inline values. */
OWNED PyObject *object_new_raw(PyTypeObject *type, Py_ssize_t nitems);

/* An instance of a class without items, tracked: what PyType_GenericAlloc makes of it. */
OWNED PyObject *object_new_instance(PyTypeObject *type);

/* Gives the memory of an object back; fields are already released, and it is untracked.
 * Does not release the type. This is what PyObject_Del and PyObject_GC_Del come down to. */
void object_free(PyObject *op);

/* ---- death ----------------------------------------------------------------------------------- */

/* Calls the type's tp_dealloc for an object whose count has reached zero. Deep structures are
 * deallocated without deep C recursion: when the thread's stack runs short, containers are put
 * aside and taken up again by the outermost call. May run Python code (finalizers). */
void object_dealloc(PyObject *op);

/* Runs tp_finalize once. 0, or -1 when the object came back to life. May run Python code. */
int object_finalize(PyObject *op);

/* ---- immortality ----------------------------------------------------------------------------- */

static inline bool object_is_immortal(PyObject *op)
{
    return _Py_IsImmortal(op);
}

/* For objects that no other thread knows yet. */
void object_make_immortal(PyObject *op);

/* ---- pre-header ------------------------------------------------------------------------------ */

static inline uintptr_t *object_managed_word(PyObject *op)
{
    return (uintptr_t *)op - 1;
}

static inline PyObject **object_managed_weaklist(PyObject *op)
{
    return (PyObject **)op - 2;
}

static inline uintptr_t object_managed_load(PyObject *op)
{
    return __atomic_load_n(object_managed_word(op), __ATOMIC_ACQUIRE);
}

/* Whether the word says that the inline slots hold the attributes. */
static inline bool managed_is_inline(uintptr_t word)
{
    return word & 1;
}

/* Where the weak references to op hang, or NULL when its type supports none. */
static inline PyObject **object_weaklist(PyObject *op)
{
    Py_ssize_t offset = Py_TYPE(op)->tp_weaklistoffset;
    return offset == 0 ? NULL : (PyObject **)((char *)op + offset);
}

#define OBJECT_MANAGED_WEAKLIST_OFFSET (-2 * (Py_ssize_t)sizeof(PyObject *))

/* ---- attributes ------------------------------------------------------------------------------ */

/* The generic lookup without its AttributeError: 1 and a new reference; 0 and NULL when there is
 * no such attribute; -1 with an exception. `dict` replaces the instance's dict if not NULL
 * (borrowed). May run Python code (descriptors). */
int object_get_generic(PyObject *op, PyObject *name, PyObject *dict, PyObject **result);

/* Looks an attribute up for a call: 1 and the unbound callable in *method (new reference): call
 * it with op before the arguments; 0 and the bound attribute; -1 with an exception and NULL.
 * May run Python code. */
int object_get_method(PyObject *op, PyObject *name, PyObject **method);

/* type(op).name bound to op, not looking at the instance: a new reference, or NULL, without an
 * exception when there is none. May run Python code (descriptors). */
OWNED PyObject *object_lookup_special(PyObject *op, PyObject *name);
/* The same, unbound where it can be: as object_get_method, and 0 with NULL when absent. */
int object_lookup_special_method(PyObject *op, PyObject *name, PyObject **method);

/* The instance's dict, made when it has none yet: new reference; NULL with AttributeError or
 * MemoryError. Takes the object's lock. Runs no Python code. */
OWNED PyObject *object_dict(PyObject *op);
/* The same without making one: NULL without exception when there is none, or when the attributes
 * lie inline. */
OWNED PyObject *object_dict_if_made(PyObject *op);

/* Errors: AttributeError with name and obj set; return NULL / -1. */
PyObject *raise_no_attribute(PyObject *op, PyObject *name);
/* Adds name and obj to the current exception if it is an AttributeError that has neither: its message gets better with
 * them. */
void complete_attribute_error(PyObject *op, PyObject *name);

/* object.__getstate__ as copyreg wants it (new reference; may run Python code). */
OWNED PyObject *object_get_state(PyObject *op);

/* ---- calls upward ---------------------------------------------------------------------------- */

/* What the interpreter registers at start-up, since it lies above this floor. */
struct object_hooks {
    /* super() without arguments: the class cell's value and the first argument of the running
     * function, both new references. 0, or -1 with RuntimeError. */
    int (*super_arguments)(PyTypeObject **cls, PyObject **self);
    /* Module name of the running function (its globals' __name__): new reference or NULL without
     * exception. depth 0 is the Python frame that called us. */
    PyObject *(*caller_module)(int depth);
};
extern struct object_hooks object_hooks;

/* ---- state ----------------------------------------------------------------------------------- */

/* One entry of the per-thread cache of attribute lookups on types (type.h). */
struct type_cache_entry {
    uint32_t version; /* of the type; 0: empty. Versions are never used twice. */
    PyObject *name;   /* owned: nobody else may get this address while it stands here */
    PyObject *value;  /* borrowed: valid while the type still has the version; NULL: absent */
};

#define TYPE_CACHE_BITS 11
#define TYPE_CACHE_SIZE (1u << TYPE_CACHE_BITS)

/* References to a deferred type that this thread's instances have taken or given back: threads that make
 * and drop instances of one class need not all write to it. Its count lies that much off meanwhile, which does not
 * matter: deferred types die in a collection only, and that settles the counts first. */
struct type_count {
    PyTypeObject *type;
    Py_ssize_t count;
};
enum { TYPE_COUNTS = 16 };

/* This floor's part of a thread; locking's is its beginning. interp's starts with this one. */
struct object_thread {
    struct thread base;
    struct type_cache_entry *type_cache; /* TYPE_CACHE_SIZE entries, made at first use */
    PyObject **trash;                    /* containers whose deallocation was put off */
    size_t trash_count, trash_capacity;
    bool trash_running;
    PyObject *repr_running; /* list of objects whose repr is being made, or NULL */
    struct type_count type_counts[TYPE_COUNTS];
};

static inline struct object_thread *object_thread_self(void)
{
    return (struct object_thread *)thread_self();
}

/* An instance of a heap type begins (+1) or ends (-1). Runs no Python code for a deferred type. */
void type_count_settle(struct type_count *entry);
void type_counts_settle(struct object_thread *thread);
static inline void type_count_add(PyTypeObject *type, int n)
{
    if (lock_threads_run_together() && ref_is_deferred((PyObject *)type)) {
        struct type_count *entry =
            &object_thread_self()->type_counts[((uintptr_t)type >> 6) % TYPE_COUNTS];
        if (unlikely(entry->type != type)) {
            type_count_settle(entry);
            entry->type = type;
        }
        entry->count += n;
    } else if (n > 0) {
        ref_inc((PyObject *)type);
    } else {
        ref_dec((PyObject *)type);
    }
}

/* What an interpreter knows about a static type. */
struct static_type_state {
    PyTypeObject *type;
    PyObject *dict;               /* owned */
    struct type_list *subclasses; /* type.h */
    PyObject *weaklist;
    bool ready;
};

/* ---- recursion ------------------------------------------------------------------------------- */

/* 0; or -1 with a RecursionError, its text ending in `where`, when the C stack is nearly used up. For functions that
 * may come to themselves again through an object of the user's, and must be fast when they do not. */
static inline int stack_check(const char *where)
{
    return unlikely(thread_stack_low(thread_self(), 0)) ? Py_EnterRecursiveCall(where) : 0;
}

/* The next item of an iterator that another one draws from, since chains of those may have any length: new
 * reference; NULL at the end or with an exception. Runs Python code. */
static inline PyObject *iter_step(PyObject *it)
{
    return stack_check(" while iterating") < 0 ? NULL : Py_TYPE(it)->tp_iternext(it);
}

#define STATIC_TYPES_MAX 512
#define TYPE_WATCHERS 8

/* This floor's part of an interpreter; locking's is its beginning. */
struct object_interp {
    struct interp_state base;
    struct static_type_state static_types[STATIC_TYPES_MAX];
    PyType_WatchCallback type_watchers[TYPE_WATCHERS];
    PyObject *modules_by_index; /* list: single-phase modules, for PyState_FindModule */
    PyObject *module_repr;      /* importlib._bootstrap._module_repr, or NULL before it is set */
    PyObject *typing_generic;   /* typing.Generic's C part, made on demand */
    void *spare[4];
};

static inline struct object_interp *object_interp_self(void)
{
    return (struct object_interp *)thread_interp(thread_self());
}

/* Frees what this floor keeps for a thread or interpreter. */
void object_thread_fini(struct thread *thread); /* thread_layout.thread_clear calls it */
int object_init(struct interp_state *interp);   /* None, NotImplemented, Ellipsis, type core */
void object_fini(struct interp_state *interp);

extern PyTypeObject *const object_types[]; /* NULL-terminated: this folder's static types */
extern PyTypeObject _PyNone_Type, _PyNotImplemented_Type;

#endif
