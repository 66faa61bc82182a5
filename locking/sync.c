/* Event, once, condition, reader-writer lock, recursive mutex: all over the parking lot. */
#include "locking/internal.h"

/* -- Event --------------------------------------------------------------------------------------- */

enum { EVENT_UNSET, EVENT_SET, EVENT_AWAITED };

bool event_is_set(const struct event *e)
{
    return atomic_load_acquire(&e->set) == EVENT_SET;
}

void event_set(struct event *e)
{
    if (atomic_swap_seq(&e->set, (uint8_t)EVENT_SET) == EVENT_AWAITED) {
        unpark_all(&e->set);
    }
}

bool event_wait(struct event *e, int64_t timeout_ns)
{
    int64_t end = timeout_ns < 0 ? 0 : prim_now_ns() + timeout_ns;
    while (!event_is_set(e)) {
        uint8_t state = EVENT_UNSET;
        if (!atomic_cas(&e->set, &state, (uint8_t)EVENT_AWAITED) && state == EVENT_SET) {
            break;
        }
        int64_t left = timeout_ns < 0 ? -1 : end - prim_now_ns();
        if (timeout_ns >= 0 && left <= 0) {
            return false;
        }
        state = EVENT_AWAITED;
        park(&e->set, &state, 1, left, NULL, LOCK_DETACH);
    }
    return true;
}

/* -- Once ---------------------------------------------------------------------------------------- */

enum { ONCE_NEW, ONCE_RUNNING, ONCE_DONE, ONCE_AWAITED };

bool once_begin_slow(struct once *o)
{
    for (;;) {
        uint8_t state = atomic_load_acquire(&o->state);
        if (state == ONCE_DONE) {
            return false;
        }
        if (state == ONCE_NEW) {
            if (atomic_cas(&o->state, &state, (uint8_t)ONCE_RUNNING)) {
                return true;
            }
            continue;
        }
        if (state == ONCE_RUNNING && !atomic_cas(&o->state, &state, (uint8_t)ONCE_AWAITED)) {
            continue;
        }
        state = ONCE_AWAITED;
        park(&o->state, &state, 1, -1, NULL, LOCK_DETACH);
    }
}

void once_end(struct once *o, bool ok)
{
    if (atomic_swap_seq(&o->state, (uint8_t)(ok ? ONCE_DONE : ONCE_NEW)) == ONCE_AWAITED) {
        unpark_all(&o->state);
    }
}

/* -- Condition ----------------------------------------------------------------------------------- */

bool condition_wait(struct condition *c, PyMutex *m, int64_t timeout_ns)
{
    uint32_t sequence = atomic_load_seq(&c->sequence);
    mutex_unlock(m);
    enum park_result result = park(&c->sequence, &sequence, 4, timeout_ns, NULL, LOCK_DETACH);
    mutex_lock(m);
    return result != PARK_TIMEOUT;
}

static void nothing(void *ctx, void *arg, bool more)
{
    (void)ctx, (void)arg, (void)more;
}

void condition_signal(struct condition *c)
{
    atomic_add(&c->sequence, 1u);
    unpark(&c->sequence, nothing, NULL);
}

void condition_broadcast(struct condition *c)
{
    atomic_add(&c->sequence, 1u);
    unpark_all(&c->sequence);
}

/* -- Readers and writers ------------------------------------------------------------------------- */

enum { RW_WRITER = 1, RW_WAITED = 2, RW_READER = 4 };

static void rwlock_wait(struct rwlock *l, uint32_t bits)
{
    if (!(bits & RW_WAITED)) {
        if (!atomic_cas(&l->bits, &bits, bits | RW_WAITED)) {
            return;
        }
        bits |= RW_WAITED;
    }
    park(&l->bits, &bits, 4, -1, NULL, LOCK_DETACH);
}

void rwlock_read(struct rwlock *l)
{
    for (;;) {
        uint32_t bits = atomic_load_relaxed(&l->bits);
        if (bits & (RW_WRITER | RW_WAITED)) {
            rwlock_wait(l, bits); /* somebody waits: writers first */
        } else if (atomic_cas_weak(&l->bits, &bits, bits + RW_READER)) {
            return;
        }
    }
}

void rwlock_write(struct rwlock *l)
{
    for (;;) {
        uint32_t bits = atomic_load_relaxed(&l->bits);
        if ((bits & ~(uint32_t)RW_WAITED) != 0) {
            rwlock_wait(l, bits);
        } else if (atomic_cas_weak(&l->bits, &bits, bits | RW_WRITER)) {
            return;
        }
    }
}

/* The last one out clears RW_WAITED and wakes everybody, who then compete. */
static void rwlock_leave(struct rwlock *l, uint32_t amount)
{
    uint32_t bits = atomic_load_relaxed(&l->bits), left;
    do {
        left = bits - amount;
        if (left == RW_WAITED) {
            left = 0;
        }
    } while (!atomic_cas_weak(&l->bits, &bits, left));
    if (left == 0 && bits & RW_WAITED) {
        unpark_all(&l->bits);
    }
}

void rwlock_read_unlock(struct rwlock *l)
{
    rwlock_leave(l, RW_READER);
}

void rwlock_write_unlock(struct rwlock *l)
{
    rwlock_leave(l, RW_WRITER);
}

/* -- Recursive ----------------------------------------------------------------------------------- */

bool recursive_is_held(const struct recursive_mutex *m)
{
    return atomic_load_relaxed(&m->owner) == prim_thread_id();
}

void recursive_lock(struct recursive_mutex *m)
{
    if (recursive_is_held(m)) {
        m->depth++;
        return;
    }
    mutex_lock(&m->m);
    atomic_store_relaxed(&m->owner, prim_thread_id());
}

int recursive_unlock(struct recursive_mutex *m)
{
    if (!recursive_is_held(m)) {
        return -1;
    }
    if (m->depth) {
        m->depth--;
    } else {
        atomic_store_relaxed(&m->owner, (uintptr_t)0);
        mutex_unlock(&m->m);
    }
    return 0;
}
