/* Stopping the world, and the slow sides of stop_poll and safe_point.
 *
 * Who stops the world goes through the threads until all are suspended: detached ones at once, by
 * taking their state; attached ones when they reach a pause, or detach. Each of those wakes him. */
#include "locking/internal.h"

struct safe_point_hooks safe_point_hooks;

enum { RESCAN_NS = 1000000 };

/* -- Interrupts ---------------------------------------------------------------------------------- */

void interrupt_request(struct thread *t, uintptr_t bits)
{
    atomic_or(&t->ts.eval_breaker, bits);
}

void interrupt_request_all(struct interp_state *interp, uintptr_t bits)
{
    prim_lock_acquire(&runtime.lock);
    for (struct thread *t = interp->threads; t; t = thread_of(t->ts.next)) {
        interrupt_request(t, bits);
    }
    prim_lock_release(&runtime.lock);
}

/* -- The stopped one's side ---------------------------------------------------------------------- */

static void stopper_wake(struct interp_state *interp)
{
    atomic_add(&interp->world_word, 1u);
    prim_futex_wake(&interp->world_word, 1);
}

void world_notice_detached(struct thread *t)
{
    stopper_wake(thread_interp(t));
}

/* Attached -> suspended, until the world starts. Critical sections stay held. */
static void world_park(struct thread *self)
{
    struct interp_state *interp = thread_interp(self);
    thread_current = NULL;
    atomic_store_seq(&self->ts.state, (int)THREAD_SUSPENDED);
    lock_backend_drop(self);
    stopper_wake(interp);
    for (;;) {
        thread_wait_released(self);
        if (unlikely(thread_must_hang(self))) {
            thread_hang();
        }
        lock_backend_take(self);
        int state = THREAD_DETACHED;
        if (atomic_cas(&self->ts.state, &state, (int)THREAD_ATTACHED)) {
            if (lock_backend_may_run(self)) {
                break;
            }
            atomic_store_seq(&self->ts.state, (int)THREAD_DETACHED);
            if (atomic_load_seq(&self->ts.eval_breaker) & BREAK_STOP) {
                stopper_wake(interp);
            }
        }
        lock_backend_drop(self);
    }
    thread_current = self;
}

void stop_poll_slow(struct thread *self)
{
    while (LOCK_SHARED && atomic_load_seq(&self->ts.eval_breaker) & BREAK_STOP) {
        world_park(self);
    }
}

static int hook_run(struct thread *self, uintptr_t bits, uintptr_t bit,
                    int (*hook)(struct thread *))
{
    if (!(bits & bit)) {
        return 0;
    }
    interrupt_clear(self, bit);
    return hook ? hook(self) : 0;
}

NOINLINE int safe_point_slow(struct thread *self)
{
    stop_poll_slow(self);
    uintptr_t bits = atomic_load_seq(&self->ts.eval_breaker);
    if (bits & BREAK_QUIET) {
        interrupt_clear(self, BREAK_QUIET);
        qsbr_quiescent(self);
        slab_reclaim(false);
    }
    if (bits & BREAK_MERGE) {
        interrupt_clear(self, BREAK_MERGE);
        ref_merge_queue_run(self);
    }
    if (bits & BREAK_SIGNAL && !thread_is_main()) {
        bits &= ~(uintptr_t)BREAK_SIGNAL;
        interrupt_clear(self, BREAK_SIGNAL);
    }
    if (hook_run(self, bits, BREAK_SIGNAL, safe_point_hooks.signals) < 0
        || hook_run(self, bits, BREAK_PENDING, pending_run) < 0
        || hook_run(self, bits, BREAK_COLLECT, safe_point_hooks.collect) < 0) {
        return -1;
    }
    if (bits & BREAK_DROP) {
        lock_backend_yield(self);
    }
    if (hook_run(self, bits, BREAK_ASYNC, safe_point_hooks.async) < 0) {
        return -1;
    }
    uintptr_t user = bits & ~((uintptr_t)BREAK_USER - 1);
    if (user && safe_point_hooks.user) {
        interrupt_clear(self, user);
        return safe_point_hooks.user(self, user);
    }
    return 0;
}

/* -- The stopper's side -------------------------------------------------------------------------- */

static bool thread_suspend(struct thread *t)
{
    int state = atomic_load_seq(&t->ts.state);
    if (state == THREAD_DETACHED && atomic_cas(&t->ts.state, &state, (int)THREAD_SUSPENDED)) {
        return true;
    }
    if (state == THREAD_SUSPENDED) {
        return true;
    }
    interrupt_request(t, BREAK_STOP);
    return false;
}

static bool all_suspended(struct interp_state *interp, struct thread *self)
{
    bool all = true;
    prim_lock_acquire(&runtime.lock);
    interp->world_requested = true;
    for (struct thread *t = interp->threads; t; t = thread_of(t->ts.next)) {
        all = (t == self || thread_suspend(t)) && all;
    }
    prim_lock_release(&runtime.lock);
    return all;
}

void world_stop(struct interp_state *interp)
{
    struct thread *self = thread_self();
    if (LOCK_SHARED) {
        mutex_lock(&interp->world_lock);
        for (;;) {
            uint32_t word = atomic_load_seq(&interp->world_word);
            if (all_suspended(interp, self)) {
                break;
            }
            prim_futex_wait(&interp->world_word, word, RESCAN_NS);
        }
    }
    atomic_store_relaxed(&interp->world_owner, self);
    atomic_store_relaxed(&interp->world_stopped, true);
}

void world_start(struct interp_state *interp)
{
    struct thread *self = thread_self();
    atomic_store_relaxed(&interp->world_stopped, false);
    atomic_store_relaxed(&interp->world_owner, (struct thread *)NULL);
    if (!LOCK_SHARED) {
        return;
    }
    prim_lock_acquire(&runtime.lock);
    interp->world_requested = false;
    for (struct thread *t = interp->threads; t; t = thread_of(t->ts.next)) {
        if (t != self) {
            interrupt_clear(t, BREAK_STOP);
            if (atomic_load_seq(&t->ts.state) == THREAD_SUSPENDED) {
                thread_release(t);
            }
        }
    }
    prim_lock_release(&runtime.lock);
    mutex_unlock(&interp->world_lock);
}

/* Interpreters are made and deleted rarely; one that appears meanwhile has no thread yet. */
static struct interp_state *interp_after(struct interp_state *interp)
{
    prim_lock_acquire(&runtime.lock);
    struct interp_state *next = interp ? interp->next : runtime.interps;
    prim_lock_release(&runtime.lock);
    return next;
}

static PyMutex all_lock;

void world_stop_all(void)
{
    if (LOCK_SHARED) {
        mutex_lock(&all_lock);
    }
    for (struct interp_state *i = interp_after(NULL); i; i = interp_after(i)) {
        world_stop(i);
    }
}

void world_start_all(void)
{
    for (struct interp_state *i = interp_after(NULL); i; i = interp_after(i)) {
        if (atomic_load_relaxed(&i->world_stopped)) {
            world_start(i);
        }
    }
    if (LOCK_SHARED) {
        mutex_unlock(&all_lock);
    }
}

bool world_is_stopped(struct interp_state *interp)
{
    return atomic_load_relaxed(&interp->world_stopped);
}

void world_after_fork_child(void)
{
    mutex_reinit(&all_lock);
    for (struct interp_state *i = runtime.interps; i; i = i->next) {
        mutex_reinit(&i->world_lock);
        i->world_requested = i->world_stopped = false;
        i->world_owner = NULL;
        pending_after_fork_child(i);
    }
    interrupt_clear(thread_self(), BREAK_STOP);
}
