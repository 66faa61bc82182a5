/* Reference counts: the exact protocol of the ABI, as inline verbs.
 *
 * Default build: one 64-bit count, changed by whoever holds the global lock; the low half's sign bit
 * means immortal. Increments are 64 bits wide like the decrements: a narrow store that a wide
 * load follows stalls the processor.
 *
 * Free-threaded builds: the owner (ob_tid) counts in ob_ref_local, everybody else in ob_ref_shared,
 * in steps of REF_ONE above two flag bits. ob_ref_local == UINT32_MAX means immortal. States of the
 * flags: 0, weakly known (readers without lock may revive it), queued (for the owner to merge), merged
 * (no owner). A deferred object has GC_DEFERRED in ob_gc_bits and REF_DEFERRED_BIAS in its shared
 * count, which no counting brings to zero; it dies in a collection.
 *
 * ref_dec may run any Python code (a finalizer); the others run none. No lock is needed, save
 * where it says so. "Counted" is a reference somebody must drop, "uncounted" one nobody may. */
#ifndef KRAIT_REFS_H
#define KRAIT_REFS_H

#include "alloc/slab.h"
#include "locking/lock.h"

/* Bits of the gc byte. In the free-threaded builds it is ob_gc_bits, in the default build the slab's
 * side byte (object_gc_byte). */
enum {
    GC_TRACKED = 1,
    GC_FINALIZED = 2,
    GC_UNREACHABLE = 4, /* the collector's, while it runs */
    GC_FROZEN = 8,
    GC_SHARED = 16, /* its arrays are read without lock: retire them, do not free them */
    GC_YOUNG = 32,  /* stands in the collector's list of young containers */
    GC_DEFERRED = 64,
    GC_OLDER = 128, /* has survived a collection */
};

#if LOCK_SHARED

enum { REF_SHIFT = 2, REF_ONE = 4 };
enum {
    REF_WEAK = 1, /* weakly known */
    REF_QUEUED = 2,
    REF_MERGED = 3,
    REF_FLAGS = 3,
};
#define REF_IMMORTAL_LOCAL UINT32_MAX
#define REF_DEFERRED_BIAS ((Py_ssize_t)1 << 60)

/* A static object that is nothing but a header, as initialiser (PyObject_HEAD_INIT is for the start of a larger
 * one). */
#define REF_IMMORTAL_HEADER(type)                                                                  \
    {                                                                                              \
        .ob_ref_local = _Py_IMMORTAL_REFCNT_LOCAL, .ob_type = (type)                               \
    }

static inline bool ref_is_immortal(PyObject *op)
{
    return atomic_load_relaxed(&op->ob_ref_local) == REF_IMMORTAL_LOCAL;
}

static inline bool ref_is_mine(PyObject *op)
{
    return atomic_load_relaxed(&op->ob_tid) == prim_thread_id();
}

static inline bool ref_is_deferred(PyObject *op)
{
    return atomic_load_relaxed(&op->ob_gc_bits) & GC_DEFERRED;
}

/* One more counted reference to an object that the caller knows to be alive. */
static inline void ref_inc(PyObject *op)
{
    uint32_t local = atomic_load_relaxed(&op->ob_ref_local) + 1;
    if (unlikely(local == 0)) {
        return;
    }
    if (likely(ref_is_mine(op))) {
        atomic_store_relaxed(&op->ob_ref_local, local);
    } else {
        atomic_add_relaxed(&op->ob_ref_shared, (Py_ssize_t)REF_ONE);
    }
}

void ref_dec_shared(PyObject *op);
/* n references more (or less) to a deferred object, by whatever thread. */
static inline void ref_add_shared(PyObject *op, Py_ssize_t n)
{
    if (!ref_is_immortal(op)) {
        atomic_add_relaxed(&op->ob_ref_shared, n * REF_ONE);
    }
}
void ref_local_is_zero(PyObject *op);

/* Drops a counted reference. May deallocate, and so run Python code. */
static inline void ref_dec(PyObject *op)
{
    uint32_t local = atomic_load_relaxed(&op->ob_ref_local);
    if (unlikely(local == REF_IMMORTAL_LOCAL)) {
        return;
    }
    if (likely(ref_is_mine(op))) {
        atomic_store_relaxed(&op->ob_ref_local, --local);
        if (unlikely(local == 0)) {
            ref_local_is_zero(op);
        }
    } else {
        ref_dec_shared(op);
    }
}

/* A reference to what may already be dead, or a free slot. False: not possible without a lock. */
static inline bool ref_try_inc(PyObject *op)
{
    uint32_t local = atomic_load_relaxed(&op->ob_ref_local) + 1;
    if (unlikely(local == 0)) {
        return true;
    }
    if (likely(ref_is_mine(op))) {
        atomic_store_relaxed(&op->ob_ref_local, local);
        return true;
    }
    Py_ssize_t shared = atomic_load_relaxed(&op->ob_ref_shared);
    do {
        if (shared == 0 || shared == REF_MERGED) {
            return false;
        }
    } while (!atomic_cas_weak(&op->ob_ref_shared, &shared, shared + REF_ONE));
    return true;
}

/* Alive at least until this thread drops a count or pauses: nobody else can end it. So an object that was just read from a
 * slot can be looked at without counting it. */
static inline bool ref_is_held(PyObject *op)
{
    return ref_is_mine(op) || ref_is_immortal(op);
}

/* Counts of a new object: one reference, owned by this thread; no lock, no gc bits. */
static inline void ref_init(PyObject *op)
{
    atomic_store_relaxed(&op->ob_tid, prim_thread_id());
    op->_padding = 0;
    atomic_store_relaxed(&op->ob_mutex._bits, 0);
    atomic_store_relaxed(&op->ob_gc_bits, 0);
    atomic_store_relaxed(&op->ob_ref_local, 1u);
    atomic_store_relaxed(&op->ob_ref_shared, (Py_ssize_t)0);
}

/* A counted reference, and from now on others can take one without a lock. The caller knows the object to
 * be alive (holds the lock of what refers to it). */
void ref_inc_known(PyObject *op);
/* Only the second half; for an object that goes where readers without lock will find it. */
void ref_make_known(PyObject *op);

PyObject *ref_load_locked(PyObject **slot, PyObject *holder);

/* A counted reference to op, which the caller has just read (acquire) from a slot that others may overwrite.
 * False: not possible without a lock. */
static inline bool ref_try_hold(PyObject *op, PyObject **slot)
{
    if (unlikely(!ref_try_inc(op))) {
        return false;
    }
    if (unlikely(op != atomic_load_acquire(slot))) {
        ref_dec(op);
        return false;
    }
    return true;
}

/* A counted reference to what stands in a slot that others may overwrite; NULL: not got without lock, or the
 * slot is empty (*empty tells). */
static inline PyObject *ref_try_load(PyObject **slot, bool *empty)
{
    PyObject *op = atomic_load_acquire(slot);
    *empty = op == NULL;
    return likely(op != NULL) && likely(ref_try_hold(op, slot)) ? op : NULL;
}

/* New reference to what stands in the slot, or NULL if it is empty. The memory of the slot must
 * stay valid until the next quiet point; it belongs to `holder`, whose lock is taken if it cannot
 * be had without. The slot must still be holder's current one then: where holder's array
 * may have been replaced, use ref_try_load and look again under the lock. */
static inline PyObject *ref_load(PyObject **slot, PyObject *holder)
{
    bool empty;
    PyObject *op = ref_try_load(slot, &empty);
    return likely(op || empty) ? op : ref_load_locked(slot, holder);
}

/* True if registers may hold it without a count: immortal, or deferred. */
static inline bool ref_needs_no_count(PyObject *op)
{
    return ref_is_deferred(op) || ref_is_immortal(op);
}

/* Uncounted reference to what stands in the slot if it needs no count, else NULL (take a counted
 * one then). Valid while it stands in a register the collector scans. */
static inline PyObject *ref_load_uncounted(PyObject **slot)
{
    PyObject *op = atomic_load_acquire(slot);
    if (op && ref_needs_no_count(op) && likely(op == atomic_load_acquire(slot))) {
        return op;
    }
    return NULL;
}

/* The gc byte of any object. */
static inline uint8_t *object_gc_byte(PyObject *op)
{
    return &op->ob_gc_bits;
}

/* Of one that lies in a slab, being small and not static. */
static inline uint8_t *object_gc_byte_small(PyObject *op)
{
    return &op->ob_gc_bits;
}

/* References, without the bias of deferred objects. Others may change it meanwhile. */
static inline Py_ssize_t ref_count(PyObject *op)
{
    uint32_t local = atomic_load_relaxed(&op->ob_ref_local);
    if (local == REF_IMMORTAL_LOCAL) {
        return (Py_ssize_t)UINT32_MAX;
    }
    Py_ssize_t shared = atomic_load_relaxed(&op->ob_ref_shared) >> REF_SHIFT;
    if (ref_is_deferred(op)) {
        shared -= REF_DEFERRED_BIAS >> REF_SHIFT;
    }
    return (Py_ssize_t)local + shared;
}

/* The count of an object that is being deallocated: the only reference goes, nothing is run. */
static inline void ref_set_dead(PyObject *op)
{
    atomic_store_relaxed(&op->ob_tid, (uintptr_t)0);
    atomic_store_relaxed(&op->ob_ref_local, 0u);
    atomic_store_relaxed(&op->ob_ref_shared, (Py_ssize_t)0);
}

/* True if the caller's counted reference is the only one, and nobody can get another. */
static inline bool ref_is_unique(PyObject *op)
{
    if (!ref_is_mine(op)) {
        return atomic_load_acquire(&op->ob_ref_shared) == (REF_ONE | REF_MERGED)
               && atomic_load_relaxed(&op->ob_ref_local) == 0;
    }
    return atomic_load_relaxed(&op->ob_ref_local) == 1
           && atomic_load_relaxed(&op->ob_ref_shared) == 0;
}

/* Nobody has a reference: it is being deallocated. */
static inline bool ref_is_dead(PyObject *op)
{
    return atomic_load_relaxed(&op->ob_ref_local) == 0
           && (atomic_load_relaxed(&op->ob_ref_shared) & ~(Py_ssize_t)REF_FLAGS) == 0;
}

/* A dead object gets one reference, the caller's, to run its finalizer (ref_set_dead gives it up). The gc byte and the lock stay as they are. */
static inline void ref_resurrect(PyObject *op)
{
    atomic_store_relaxed(&op->ob_tid, prim_thread_id());
    atomic_store_relaxed(&op->ob_ref_local, 1u);
    atomic_store_relaxed(&op->ob_ref_shared, (Py_ssize_t)0);
}

void ref_immortalise(PyObject *op);

/* Makes an object deferred that this thread has just made (types, modules, code, functions that are not
 * made in functions, and the dicts of modules and types). Containers only. */
void ref_defer(PyObject *op);

/* The slow decrement looks at an object now and then that foreign threads count often; the type decides,
 * through this function, whether it may be deferred. NULL: never. */
extern bool (*ref_may_promote)(PyObject *op);
static inline void ref_promotion_set(bool (*may_promote)(PyObject *op))
{
    ref_may_promote = may_promote;
}
/* Makes any live container deferred; the caller holds a counted reference. */
void ref_promote(PyObject *op);
/* The collector's: an object that will die is counted again. The world is stopped. */
void ref_undefer(PyObject *op);

/* Drops what other threads queued for this one. Runs Python code. Attached. */
void ref_merge_queue_run(struct thread *self);
/* For the collector, with the world stopped: every queue is merged; objects whose count became zero
 * are pushed to `dead`, still to be deallocated. */
void ref_merge_all(struct interp_state *interp, void (*dead)(PyObject *, void *), void *arg);
/* Counts of an object as one number, owner forgotten: the world is stopped or the caller is the only
 * one who knows it. */
Py_ssize_t ref_merge(PyObject *op, Py_ssize_t extra);

#else /* one global lock */

#define REF_IMMORTAL_HEADER(type)                                                                  \
    {                                                                                              \
        .ob_refcnt = _Py_IMMORTAL_REFCNT, .ob_type = (type)                                        \
    }

static inline bool ref_is_immortal(PyObject *op)
{
    return (int32_t)op->ob_refcnt < 0;
}
static inline bool ref_is_mine(PyObject *op)
{
    (void)op;
    return true;
}
static inline bool ref_is_deferred(PyObject *op)
{
    (void)op;
    return false;
}
static inline void ref_inc(PyObject *op)
{
    Py_ssize_t count = op->ob_refcnt;
    if (likely((int32_t)count >= 0)) {
        op->ob_refcnt = count + 1;
    }
}
static inline void ref_dec(PyObject *op)
{
    Py_ssize_t count = op->ob_refcnt;
    if (likely((int32_t)count >= 0)) {
        op->ob_refcnt = --count;
        if (unlikely(count == 0)) {
            _Py_Dealloc(op);
        }
    }
}
static inline void ref_add_shared(PyObject *op, Py_ssize_t n)
{
    op->ob_refcnt += n;
}
static inline bool ref_try_inc(PyObject *op)
{
    ref_inc(op);
    return true;
}
static inline bool ref_is_held(PyObject *op)
{
    (void)op;
    return true;
}
static inline void ref_init(PyObject *op)
{
    op->ob_refcnt = 1;
}
static inline void ref_inc_known(PyObject *op)
{
    ref_inc(op);
}
static inline void ref_make_known(PyObject *op)
{
    (void)op;
}
static inline bool ref_try_hold(PyObject *op, PyObject **slot)
{
    (void)slot;
    ref_inc(op);
    return true;
}
static inline PyObject *ref_try_load(PyObject **slot, bool *empty)
{
    PyObject *op = *slot;
    *empty = op == NULL;
    if (likely(op)) {
        ref_inc(op);
    }
    return op;
}
static inline PyObject *ref_load(PyObject **slot, PyObject *holder)
{
    (void)holder;
    PyObject *op = *slot;
    if (likely(op)) {
        ref_inc(op);
    }
    return op;
}
static inline bool ref_needs_no_count(PyObject *op)
{
    return ref_is_immortal(op);
}
static inline PyObject *ref_load_uncounted(PyObject **slot)
{
    PyObject *op = *slot;
    return op && ref_is_immortal(op) ? op : NULL;
}
static inline uint8_t *object_gc_byte(PyObject *op)
{
    return slab_gc_byte(op);
}
static inline uint8_t *object_gc_byte_small(PyObject *op)
{
    return slab_gc_byte_small(op);
}
static inline Py_ssize_t ref_count(PyObject *op)
{
    return ref_is_immortal(op) ? (Py_ssize_t)UINT32_MAX : op->ob_refcnt;
}
static inline bool ref_is_unique(PyObject *op)
{
    return op->ob_refcnt == 1;
}
static inline void ref_set_dead(PyObject *op)
{
    op->ob_refcnt = 0;
}
static inline bool ref_is_dead(PyObject *op)
{
    return op->ob_refcnt == 0;
}
static inline void ref_resurrect(PyObject *op)
{
    op->ob_refcnt = 1;
}
static inline void ref_immortalise(PyObject *op)
{
    op->ob_refcnt = (Py_ssize_t)UINT32_MAX;
}
static inline void ref_defer(PyObject *op)
{
    (void)op;
}
static inline void ref_promotion_set(bool (*may_promote)(PyObject *op))
{
    (void)may_promote;
}
static inline void ref_promote(PyObject *op)
{
    (void)op;
}
static inline void ref_undefer(PyObject *op)
{
    (void)op;
}
static inline void ref_merge_queue_run(struct thread *self)
{
    (void)self;
}
static inline void ref_merge_all(struct interp_state *interp, void (*dead)(PyObject *, void *),
                                 void *arg)
{
    (void)interp, (void)dead, (void)arg;
}

#endif

/* -- The same in every build ------------------------------------------------------------------- */

static inline PyObject *ref_new(PyObject *op)
{
    ref_inc(op);
    return op;
}
static inline PyObject *ref_xnew(PyObject *op)
{
    if (op) {
        ref_inc(op);
    }
    return op;
}
static inline void ref_xdec(PyObject *op)
{
    if (op) {
        ref_dec(op);
    }
}
/* Empties the slot first, then drops what stood there. The slot is the caller's alone. */
static inline void ref_clear(PyObject **slot)
{
    PyObject *old = *slot;
    if (old) {
        *slot = NULL;
        ref_dec(old);
    }
}
/* Stores a counted reference (stolen, may be NULL), then drops the old one. Readers without lock may look
 * at the slot; writers hold its lock. May run Python code. */
static inline void ref_store(PyObject **slot, PyObject *op)
{
    PyObject *old = *slot;
    field_store_release(slot, op);
    ref_xdec(old);
}

/* Puts a value (stolen, may be NULL) into a slot of `holder`'s that readers without lock may look at, under its lock.
 * What stood there, now the caller's to release. */
static inline PyObject *ref_replace(PyObject **slot, PyObject *op, PyObject *holder)
{
    PyObject *old;
    if (likely(lock_is_alone())) {
        old = *slot;
        *slot = op;
        return old;
    }
    CRITICAL_SECTION(holder);
    old = *slot;
    field_store_release(slot, op);
    CRITICAL_SECTION_END();
    return old;
}

#endif
