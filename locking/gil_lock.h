/* The global lock itself, for the backends that have one.
 *
 * Whoever waits longer than the switch interval asks the holder to hand it over, and a holder that is asked
 * waits until another thread has really taken it. */
#ifndef KRAIT_GIL_LOCK_H
#define KRAIT_GIL_LOCK_H

#include "locking/internal.h"

struct gil {
    struct prim_lock lock; /* of the fields below */
    bool locked;
    struct thread *holder;
    uint32_t waiters;
    uint32_t yielding; /* threads that wait for a switch */
    uint32_t switches; /* futex: how often it was taken; a yielding thread waits on it */
    uint32_t released; /* futex: how often it was released; waiters sleep on it */
};

static unsigned long gil_interval_us = 5000;

static void gil_take(struct gil *gil, struct thread *t)
{
    prim_lock_acquire(&gil->lock);
    uint32_t seen = gil->switches;
    while (gil->locked) {
        uint32_t word = gil->released;
        atomic_store_relaxed(&gil->waiters, gil->waiters + 1);
        prim_lock_release(&gil->lock);
        int64_t interval = (int64_t)atomic_load_relaxed(&gil_interval_us) * 1000;
        int result = prim_futex_wait(&gil->released, word, interval);
        prim_lock_acquire(&gil->lock);
        atomic_store_relaxed(&gil->waiters, gil->waiters - 1);
        if (result == PRIM_TIMEOUT && gil->locked && gil->switches == seen && gil->holder) {
            interrupt_request(gil->holder, BREAK_DROP);
        }
        seen = gil->switches;
    }
    gil->locked = true;
    gil->holder = t;
    atomic_store_seq(&gil->switches, gil->switches + 1);
    interrupt_clear(t, BREAK_DROP);
    atomic_store_relaxed(&t->holds_gil, true);
    prim_lock_release(&gil->lock);
    if (unlikely(atomic_load_seq(&gil->yielding))) {
        prim_futex_wake(&gil->switches, INT32_MAX);
    }
}

/* Gives how many wait. Does nothing if `t` does not hold it (any more). */
static uint32_t gil_drop(struct gil *gil, struct thread *t, uint32_t *switches)
{
    prim_lock_acquire(&gil->lock);
    *switches = gil->switches;
    if (gil->holder != t) {
        prim_lock_release(&gil->lock);
        return 0;
    }
    atomic_store_relaxed(&t->holds_gil, false);
    gil->locked = false;
    gil->holder = NULL;
    atomic_store_relaxed(&gil->released, gil->released + 1);
    uint32_t waiters = gil->waiters;
    prim_lock_release(&gil->lock);
    if (waiters) {
        prim_futex_wake(&gil->released, 1);
    }
    return waiters;
}

/* After a drop that somebody waited for: until he has the lock. Not for ever, since he may give up. */
static void gil_await_switch(struct gil *gil, uint32_t switches)
{
    atomic_add(&gil->yielding, 1u);
    for (int i = 0; i < 3 && atomic_load_seq(&gil->switches) == switches; i++) {
        prim_futex_wait(&gil->switches, switches, 5000000);
    }
    atomic_sub(&gil->yielding, 1u);
}

static void gil_after_fork_child(struct gil *gil, struct thread *self, bool held)
{
    *gil = (struct gil){.locked = held, .holder = held ? self : NULL, .switches = gil->switches};
}

/* An interpreter's own lock, or the main one's. */
static int gil_interp_init(struct interp_state *interp, bool own)
{
    if (own) {
        interp->own_gil = mem_calloc(MEM_RAW, 1, sizeof(struct gil));
        if (!interp->own_gil) {
            return -1;
        }
    }
    interp->gil = own ? interp->own_gil : runtime.main->gil;
    return 0;
}

void lock_backend_interp_fini(struct interp_state *interp)
{
    mem_free(MEM_RAW, interp->own_gil);
    interp->own_gil = interp->gil = NULL;
}

void lock_switch_interval_set(unsigned long microseconds)
{
    atomic_store_relaxed(&gil_interval_us, microseconds ? microseconds : 1);
}

unsigned long lock_switch_interval_get(void)
{
    return atomic_load_relaxed(&gil_interval_us);
}

#endif
