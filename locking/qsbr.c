/* Grace periods by quiescent states.
 *
 * A global clock counts tickets. Every attached thread keeps the time of its last quiet point; a detached one
 * keeps 0 and holds nobody up. What was retired with a ticket may be freed once every attached
 * thread has seen that time. A busy thread passes quiet points only when asked (BREAK_QUIET), so they
 * cost nothing while nothing waits. */
#include "locking/internal.h"

struct retired {
    struct retired *next;
    void *p;
    void (*fn)(void *);
    uint64_t ticket;
};

enum { ASK_EVERY = 64 };

static uint64_t clock_now = 1;
static uint64_t clock_passed; /* every ticket up to this one is over */
static struct {
    struct prim_lock lock;
    struct retired *first; /* left by threads that ended */
} orphans;

void qsbr_online(struct thread *t)
{
    atomic_store_seq(&t->qsbr_seen, atomic_load_seq(&clock_now));
}

void qsbr_offline(struct thread *t)
{
    atomic_store_release(&t->qsbr_seen, (uint64_t)0);
}

uint64_t qsbr_ticket(void)
{
    return atomic_add(&clock_now, (uint64_t)1) + 1;
}

bool qsbr_passed(uint64_t ticket)
{
    if (ticket <= atomic_load_acquire(&clock_passed)) {
        return true;
    }
    uint64_t oldest = atomic_load_seq(&clock_now);
    prim_lock_acquire(&runtime.lock);
    for (struct interp_state *interp = runtime.interps; interp; interp = interp->next) {
        for (struct thread *t = interp->threads; t; t = thread_of(t->ts.next)) {
            uint64_t seen = atomic_load_seq(&t->qsbr_seen);
            if (seen && seen < oldest) {
                oldest = seen;
            }
        }
    }
    if (oldest > clock_passed) {
        atomic_store_release(&clock_passed, oldest);
    }
    prim_lock_release(&runtime.lock);
    return ticket <= oldest;
}

/* Asks every thread to pass a quiet point soon. */
static void qsbr_hurry(void)
{
    prim_lock_acquire(&runtime.lock);
    for (struct interp_state *interp = runtime.interps; interp; interp = interp->next) {
        for (struct thread *t = interp->threads; t; t = thread_of(t->ts.next)) {
            if (atomic_load_relaxed(&t->qsbr_seen)) {
                interrupt_request(t, BREAK_QUIET);
            }
        }
    }
    prim_lock_release(&runtime.lock);
}

#if LOCK_SHARED

static void retired_run(struct retired *r)
{
    r->fn(r->p);
    mem_free(MEM_RAW, r);
}

static void retired_append(struct thread *self, struct retired *r)
{
    if (self->retired_last) {
        self->retired_last->next = r;
    } else {
        self->retired_first = r;
    }
    self->retired_last = r;
}

static void retired_process(struct thread *self)
{
    struct retired *r;
    while ((r = self->retired_first) && qsbr_passed(r->ticket)) {
        self->retired_first = r->next;
        if (!r->next) {
            self->retired_last = NULL;
        }
        self->retired_count--;
        retired_run(r);
    }
}

static void orphans_process(void)
{
    struct retired *done = NULL;
    if (!atomic_load_relaxed(&orphans.first)) {
        return;
    }
    prim_lock_acquire(&orphans.lock);
    struct retired **link = &orphans.first, *r;
    while ((r = *link)) {
        if (qsbr_passed(r->ticket)) {
            atomic_store_relaxed(link, r->next);
            r->next = done;
            done = r;
        } else {
            link = &r->next;
        }
    }
    prim_lock_release(&orphans.lock);
    while ((r = done)) {
        done = r->next;
        retired_run(r);
    }
}

void qsbr_retire(void *p, void (*fn)(void *))
{
    struct thread *self = thread_self();
    struct retired *r = mem_alloc(MEM_RAW, sizeof(*r));
    if (!r) {
        return; /* no memory to remember it: it stays for ever, since a reader may look at it */
    }
    *r = (struct retired){.p = p, .fn = fn, .ticket = qsbr_ticket()};
    retired_append(self, r);
    if (++self->retired_count % ASK_EVERY == 0) {
        retired_process(self);
        if (self->retired_count >= ASK_EVERY) {
            qsbr_hurry();
        }
    }
}

void qsbr_quiescent(struct thread *self)
{
    qsbr_online(self);
    retired_process(self);
    orphans_process();
}

void qsbr_thread_done(struct thread *t)
{
    qsbr_offline(t);
    if (!t->retired_first) {
        return;
    }
    prim_lock_acquire(&orphans.lock);
    t->retired_last->next = orphans.first;
    atomic_store_relaxed(&orphans.first, t->retired_first);
    prim_lock_release(&orphans.lock);
    t->retired_first = t->retired_last = NULL;
    t->retired_count = 0;
}

/* What others have retired becomes ours. They do not touch their lists: they are parked, or detached. */
void qsbr_flush(struct interp_state *interp)
{
    struct thread *self = thread_self();
    prim_lock_acquire(&runtime.lock);
    for (struct thread *t = interp->threads; t; t = thread_of(t->ts.next)) {
        if (t != self && t->retired_first) {
            retired_append(self, t->retired_first);
            self->retired_last = t->retired_last;
            self->retired_count += t->retired_count;
            t->retired_first = t->retired_last = NULL;
            t->retired_count = 0;
        }
    }
    prim_lock_release(&runtime.lock);
    qsbr_quiescent(self);
}

#else

void qsbr_quiescent(struct thread *self)
{
    (void)self;
}

void qsbr_thread_done(struct thread *t)
{
    (void)t;
}

void qsbr_flush(struct interp_state *interp)
{
    (void)interp;
}

#endif

void qsbr_init(void)
{
    static const struct slab_grace grace = {qsbr_ticket, qsbr_passed, qsbr_hurry};
    if (LOCK_SHARED) {
        slab_set_grace(&grace);
    }
}

void qsbr_after_fork_child(void)
{
    orphans.lock = (struct prim_lock){0};
}
