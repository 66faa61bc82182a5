/* The parts of biased reference counting that are not inline: what a foreign thread's decrement does,
 * the queues of owners, merging, deferring.
 *
 * Owners are found by thread id in a table of chains. Under a chain's lock a thread state neither
 * appears nor goes, so who holds it may put something into its queue. */
#include "locking/internal.h"

#if LOCK_SHARED

enum { OWNER_CHAINS = 127, SAMPLE_EVERY = 64 };
enum {
    GC_SAMPLED_ONCE = 32,
    GC_SAMPLED_TWICE = 128
}; /* free in builds whose collector has no generations */

static struct chain {
    struct prim_lock lock;
    struct thread *first;
    char pad[CACHE_LINE - 16];
} chains[OWNER_CHAINS];

bool (*ref_may_promote)(PyObject *op);

static struct chain *chain_of(uintptr_t tid)
{
    return &chains[(tid >> 12) % OWNER_CHAINS];
}

/* thread_id is pthread_self(), which on Linux is the address of the control block. */
void owner_register(struct thread *t)
{
    struct chain *chain = chain_of(t->ts.thread_id);
    prim_lock_acquire(&chain->lock);
    t->owner_next = chain->first;
    chain->first = t;
    prim_lock_release(&chain->lock);
}

void owner_unregister(struct thread *t)
{
    struct chain *chain = chain_of(atomic_load_relaxed(&t->ts.thread_id));
    prim_lock_acquire(&chain->lock);
    struct thread **link = &chain->first;
    while (*link && *link != t) {
        link = &(*link)->owner_next;
    }
    if (*link) {
        *link = t->owner_next;
    }
    prim_lock_release(&chain->lock);
}

void owners_after_fork_child(struct thread *self)
{
    memset(chains, 0, sizeof(chains));
    self->merge_lock = (struct prim_lock){0};
    owner_register(self);
}

/* -- Merging ------------------------------------------------------------------------------------- */

Py_ssize_t ref_merge(PyObject *op, Py_ssize_t extra)
{
    if (ref_is_immortal(op)) {
        return (Py_ssize_t)UINT32_MAX;
    }
    Py_ssize_t local = (Py_ssize_t)atomic_load_relaxed(&op->ob_ref_local);
    Py_ssize_t shared = atomic_load_relaxed(&op->ob_ref_shared), merged;
    atomic_store_relaxed(&op->ob_ref_local, 0u);
    atomic_store_relaxed(&op->ob_tid, (uintptr_t)0);
    do {
        merged = ((shared >> REF_SHIFT) + local + extra) * REF_ONE + REF_MERGED;
    } while (!atomic_cas_weak(&op->ob_ref_shared, &shared, merged));
    return merged >> REF_SHIFT;
}

/* Takes the whole queue; the caller frees it. */
static PyObject **queue_take(struct thread *t, uint32_t *count)
{
    prim_lock_acquire(&t->merge_lock);
    PyObject **queue = t->merge;
    *count = t->merge_count;
    t->merge = NULL;
    atomic_store_relaxed(&t->merge_count, 0u);
    t->merge_capacity = 0;
    prim_lock_release(&t->merge_lock);
    return queue;
}

static bool queue_put(struct thread *t, PyObject *op)
{
    bool done = true;
    prim_lock_acquire(&t->merge_lock);
    if (t->merge_count == t->merge_capacity) {
        uint32_t capacity = t->merge_capacity ? t->merge_capacity * 2 : 32;
        PyObject **queue = backend_realloc(t->merge, capacity * sizeof(*queue));
        done = queue != NULL;
        if (done) {
            t->merge = queue;
            t->merge_capacity = capacity;
        }
    }
    if (done) {
        t->merge[t->merge_count] = op;
        atomic_store_relaxed(&t->merge_count, t->merge_count + 1);
    }
    prim_lock_release(&t->merge_lock);
    return done;
}

/* Merges a queue; the objects that died move to its front. Gives how many. */
static uint32_t queue_merge(PyObject **queue, uint32_t count)
{
    uint32_t dead = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (ref_merge(queue[i], -1) == 0) {
            queue[dead++] = queue[i];
        }
    }
    return dead;
}

static void queue_run(PyObject **queue, uint32_t count)
{
    uint32_t dead = queue_merge(queue, count);
    for (uint32_t i = 0; i < dead; i++) {
        _Py_Dealloc(queue[i]);
    }
    backend_free(queue);
}

void ref_merge_queue_run(struct thread *self)
{
    while (atomic_load_relaxed(&self->merge_count)) {
        uint32_t count;
        PyObject **queue = queue_take(self, &count);
        queue_run(queue, count);
    }
}

/* Threads may be born detached while the world is stopped, so the list needs its lock; it is not held
 * while a queue is worked off. */
static PyObject **queue_take_any(struct interp_state *interp, uint32_t *count)
{
    PyObject **queue = NULL;
    prim_lock_acquire(&runtime.lock);
    for (struct thread *t = interp->threads; t && !queue; t = thread_of(t->ts.next)) {
        if (atomic_load_relaxed(&t->merge_count)) {
            queue = queue_take(t, count);
        }
    }
    prim_lock_release(&runtime.lock);
    return queue;
}

void ref_merge_all(struct interp_state *interp, void (*dead)(PyObject *, void *), void *arg)
{
    PyObject **queue;
    uint32_t count = 0;
    while ((queue = queue_take_any(interp, &count))) {
        uint32_t n = queue_merge(queue, count);
        for (uint32_t i = 0; i < n; i++) {
            dead(queue[i], arg);
        }
        backend_free(queue);
    }
}

/* -- A foreign decrement ------------------------------------------------------------------------- */

/* The owner sleeps detached: its queue is worked off for it, with the state lent so that it does not wake
 * up meanwhile. */
static PyObject **queue_borrow(struct thread *t, uint32_t *dead)
{
    int state = THREAD_DETACHED;
    if (!atomic_cas(&t->ts.state, &state, (int)THREAD_LENT)) {
        return NULL;
    }
    uint32_t count;
    PyObject **queue = queue_take(t, &count);
    *dead = queue_merge(queue, count);
    thread_release(t);
    return queue;
}

/* The first decrement that another thread than the owner did: the owner must merge. */
static void ref_queue(PyObject *op)
{
    uintptr_t tid = atomic_load_relaxed(&op->ob_tid);
    PyObject **queue = NULL;
    uint32_t dead = 0;
    bool owned = false, queued = false;
    if (tid) {
        struct chain *chain = chain_of(tid);
        prim_lock_acquire(&chain->lock);
        for (struct thread *t = chain->first; t && !owned; t = t->owner_next) {
            if (t->ts.thread_id == tid) {
                owned = true;
                queued = queue_put(t, op);
                interrupt_request(t, BREAK_MERGE);
                if (queued && atomic_load_relaxed(&t->ts.state) == THREAD_DETACHED) {
                    queue = queue_borrow(t, &dead);
                }
            }
        }
        if (!owned && ref_merge(op, -1) == 0) {
            prim_lock_release(&chain->lock);
            _Py_Dealloc(op);
            return;
        }
        prim_lock_release(&chain->lock);
    } else if (ref_merge(op, -1) == 0) {
        _Py_Dealloc(op);
        return;
    }
    if (queue) {
        for (uint32_t i = 0; i < dead; i++) {
            _Py_Dealloc(queue[i]);
        }
        backend_free(queue);
    }
    /* !queued with an owner: no memory for the queue. The object keeps one count too many, and lives. */
}

/* Objects that foreign threads count again and again, seen in three samples, become deferred. */
static void sample(struct thread *self, PyObject *op)
{
    if (!self || ++self->sample % SAMPLE_EVERY || !ref_may_promote) {
        return;
    }
    uint8_t bits = atomic_load_relaxed(&op->ob_gc_bits);
    if (bits & GC_DEFERRED || !(bits & GC_TRACKED)) {
        return;
    }
    if (!(bits & GC_SAMPLED_ONCE)) {
        atomic_or(&op->ob_gc_bits, (uint8_t)GC_SAMPLED_ONCE);
    } else if (!(bits & GC_SAMPLED_TWICE)) {
        atomic_or(&op->ob_gc_bits, (uint8_t)GC_SAMPLED_TWICE);
    } else if (ref_may_promote(op)) {
        ref_promote(op);
    }
}

void ref_dec_shared(PyObject *op)
{
    sample(thread_self(), op);
    Py_ssize_t shared = atomic_load_relaxed(&op->ob_ref_shared), left;
    bool queue;
    do {
        queue = shared == 0 || shared == REF_WEAK;
        left = queue ? REF_QUEUED : shared - REF_ONE;
    } while (!atomic_cas_weak(&op->ob_ref_shared, &shared, left));
    if (queue) {
        ref_queue(op);
    } else if (left == REF_MERGED) {
        _Py_Dealloc(op);
    }
}

void ref_local_is_zero(PyObject *op)
{
    Py_ssize_t shared = atomic_load_acquire(&op->ob_ref_shared), merged;
    if (shared == 0) {
        _Py_Dealloc(op);
        return;
    }
    atomic_store_relaxed(&op->ob_tid, (uintptr_t)0);
    do {
        merged = (shared & ~(Py_ssize_t)REF_FLAGS) | REF_MERGED;
    } while (!atomic_cas_weak(&op->ob_ref_shared, &shared, merged));
    if (merged == REF_MERGED) {
        _Py_Dealloc(op);
    }
}

/* -- Making an object known, immortal, deferred --------------------------------------------------- */

void ref_make_known(PyObject *op)
{
    Py_ssize_t shared = atomic_load_relaxed(&op->ob_ref_shared);
    while (!(shared & REF_FLAGS) && !ref_is_immortal(op)) {
        if (atomic_cas_weak(&op->ob_ref_shared, &shared, shared | REF_WEAK)) {
            return;
        }
    }
}

void ref_inc_known(PyObject *op)
{
    if (ref_is_immortal(op)) {
        return;
    }
    if (ref_is_mine(op)) {
        ref_inc(op);
        ref_make_known(op);
        return;
    }
    Py_ssize_t shared = atomic_load_relaxed(&op->ob_ref_shared), more;
    do {
        more = shared + REF_ONE;
        if (!(shared & REF_FLAGS)) {
            more |= REF_WEAK;
        }
    } while (!atomic_cas_weak(&op->ob_ref_shared, &shared, more));
}

PyObject *ref_load_locked(PyObject **slot, PyObject *holder)
{
    PyObject *op;
    CRITICAL_SECTION(holder);
    op = atomic_load_relaxed(slot);
    if (op) {
        ref_inc_known(op);
    }
    CRITICAL_SECTION_END();
    return op;
}

void ref_immortalise(PyObject *op)
{
    atomic_store_relaxed(&op->ob_tid, (uintptr_t)0);
    atomic_store_relaxed(&op->ob_ref_local, REF_IMMORTAL_LOCAL);
    atomic_store_relaxed(&op->ob_ref_shared, (Py_ssize_t)0);
}

void ref_promote(PyObject *op)
{
    if (ref_is_immortal(op)) {
        return;
    }
    uint8_t bits = atomic_or(&op->ob_gc_bits, (uint8_t)GC_DEFERRED);
    if (!(bits & GC_DEFERRED)) {
        atomic_add(&op->ob_ref_shared, REF_DEFERRED_BIAS);
    }
}

void ref_defer(PyObject *op)
{
    ref_promote(op);
}

void ref_undefer(PyObject *op)
{
    uint8_t bits = atomic_and(&op->ob_gc_bits, (uint8_t)~GC_DEFERRED);
    if (bits & GC_DEFERRED) {
        atomic_sub(&op->ob_ref_shared, REF_DEFERRED_BIAS);
    }
}

/* -- What binaries call --------------------------------------------------------------------------- */

void _Py_DecRefShared(PyObject *op)
{
    ref_dec_shared(op);
}

PyAPI_FUNC(void) _Py_DecRefSharedDebug(PyObject *op, const char *file, int line);

void _Py_DecRefSharedDebug(PyObject *op, const char *file, int line)
{
    (void)file, (void)line;
    ref_dec_shared(op);
}

void _Py_MergeZeroLocalRefcount(PyObject *op)
{
    ref_local_is_zero(op);
}

#else

typedef int nothing_here; /* with one global lock, counting is inline altogether */

#endif
