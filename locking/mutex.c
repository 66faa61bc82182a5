/* PyMutex, beyond the one instruction that locks a free one. One byte: locked, and "somebody is
 * parked". A waiter that has slept for a millisecond is handed the lock, so nobody starves. */
#include "locking/internal.h"

enum { SPINS = 40, FAIR_AFTER_NS = 1000000 };

struct mutex_wait {
    int64_t fair_at;
    bool handed_over;
};

enum park_result mutex_lock_slow(PyMutex *m, int64_t timeout_ns, int flags)
{
    if (timeout_ns == 0) {
        return mutex_try_lock(m) ? PARK_WOKEN : PARK_TIMEOUT;
    }
    int64_t start = prim_now_ns();
    struct mutex_wait wait = {.fair_at = start + FAIR_AFTER_NS};
    int spins = lock_threads_run_together() ? SPINS : 0;
    for (;;) {
        uint8_t bits = atomic_load_relaxed(&m->_bits);
        if (!(bits & MUTEX_LOCKED)) {
            if (atomic_cas_weak(&m->_bits, &bits, (uint8_t)(bits | MUTEX_LOCKED))) {
                return PARK_WOKEN;
            }
            continue;
        }
        if (!(bits & MUTEX_WAITED)) {
            if (spins-- > 0) {
                cpu_relax();
                continue;
            }
            if (!atomic_cas_weak(&m->_bits, &bits, (uint8_t)(bits | MUTEX_WAITED))) {
                continue;
            }
            bits |= MUTEX_WAITED;
        }
        int64_t left = timeout_ns;
        if (timeout_ns > 0 && (left = start + timeout_ns - prim_now_ns()) <= 0) {
            return PARK_TIMEOUT;
        }
        enum park_result result = park(&m->_bits, &bits, 1, left, &wait, flags);
        if (result == PARK_WOKEN && wait.handed_over) {
            return PARK_WOKEN;
        }
        if (result == PARK_TIMEOUT || result == PARK_INTERRUPTED) {
            return result;
        }
    }
}

static void mutex_next(void *ctx, void *arg, bool more)
{
    PyMutex *m = ctx;
    struct mutex_wait *wait = arg;
    uint8_t bits = more ? MUTEX_WAITED : 0;
    if (wait && prim_now_ns() >= wait->fair_at) {
        wait->handed_over = true;
        bits |= MUTEX_LOCKED;
    }
    atomic_store_seq(&m->_bits, bits);
}

bool mutex_try_unlock_slow(PyMutex *m)
{
    uint8_t bits = atomic_load_relaxed(&m->_bits);
    while (bits & MUTEX_LOCKED) {
        if (bits & MUTEX_WAITED) {
            unpark(&m->_bits, mutex_next, m);
            return true;
        }
        if (atomic_cas_weak(&m->_bits, &bits, (uint8_t)(bits & ~MUTEX_LOCKED))) {
            return true;
        }
    }
    return false;
}

void mutex_unlock_slow(PyMutex *m)
{
    if (!mutex_try_unlock_slow(m)) {
        lock_fatal("PyMutex_Unlock", "unlocking mutex that is not locked");
    }
}

#undef PyMutex_Lock
#undef PyMutex_Unlock
void PyMutex_Lock(PyMutex *m)
{
    mutex_lock(m);
}

void PyMutex_Unlock(PyMutex *m)
{
    mutex_unlock(m);
}

_Noreturn void lock_fatal(const char *function, const char *message)
{
    _Py_FatalErrorFunc(function, message);
}

/* -- Ranks --------------------------------------------------------------------------------------- */

#ifndef NDEBUG
void rank_push(enum lock_rank rank)
{
    struct thread *self = thread_self();
    if (!self) {
        return;
    }
    if (self->rank_depth && self->ranks[self->rank_depth - 1] >= rank) {
        lock_fatal("rank_push", "locks taken against their order");
    }
    if (self->rank_depth == sizeof(self->ranks)) {
        lock_fatal("rank_push", "too many locks held");
    }
    self->ranks[self->rank_depth++] = (uint8_t)rank;
}

void rank_pop(enum lock_rank rank)
{
    struct thread *self = thread_self();
    if (self && self->rank_depth && self->ranks[self->rank_depth - 1] == rank) {
        self->rank_depth--;
    }
}
#endif
