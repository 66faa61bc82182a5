/* Pauses, stopping the world, grace periods, interrupts.
 *
 * Two kinds of pause, never confused: stop_poll() only parks and runs nothing, so interior pointers
 * and critical sections may be held. safe_point() may run signal handlers, pending calls,
 * finalizers: any Python code. Both are one load and test while nothing is due. Loops over user data
 * reach one of them every 10 microseconds or so. */
#ifndef KRAIT_WORLD_H
#define KRAIT_WORLD_H

#include "locking/thread.h"

/* -- Pauses ------------------------------------------------------------------------------------ */

void stop_poll_slow(struct thread *self);
int safe_point_slow(struct thread *self);

/* Parks if the world is to stop. Runs no Python code; critical sections stay held. The global lock is
 * not handed over here: others could then change what the interior pointers point into. */
static inline void stop_poll_of(struct thread *self)
{
    if (unlikely(atomic_load_relaxed(&self->ts.eval_breaker) & BREAK_STOP)) {
        stop_poll_slow(self);
    }
}
static inline void stop_poll(void)
{
    stop_poll_of(thread_self());
}

/* Does what is due. 0, or -1 with an exception set. May run any Python code; no interior pointers, no
 * critical section, no mutex may be held. */
static inline int safe_point_of(struct thread *self)
{
    return unlikely(atomic_load_relaxed(&self->ts.eval_breaker)) ? safe_point_slow(self) : 0;
}
static inline int safe_point(void)
{
    return safe_point_of(thread_self());
}

/* What a safe point runs for upper floors; each is called only when its bit was set (the bit has been
 * cleared by then). 0, or -1 with an exception. */
struct safe_point_hooks {
    int (*signals)(struct thread *);              /* BREAK_SIGNAL, main thread only */
    int (*async)(struct thread *);                /* BREAK_ASYNC */
    int (*collect)(struct thread *);              /* BREAK_COLLECT */
    int (*user)(struct thread *, uintptr_t bits); /* BREAK_USER and above */
};
extern struct safe_point_hooks safe_point_hooks;

/* Sets bits of one thread's eval breaker, or of all threads of an interpreter. Any thread, also from a
 * signal handler (the first one). */
void interrupt_request(struct thread *t, uintptr_t bits);
void interrupt_request_all(struct interp_state *interp, uintptr_t bits);
static inline void interrupt_clear(struct thread *t, uintptr_t bits)
{
    __atomic_fetch_and(&t->ts.eval_breaker, ~bits, __ATOMIC_SEQ_CST);
}

/* -- Pending calls ----------------------------------------------------------------------------- */

/* Queues fn(arg) for a safe point of any thread of the interpreter; main_only: of the main thread. Any
 * thread, attached or not. 0, or -1 if the queue is full. */
int pending_add(struct interp_state *interp, int (*fn)(void *), void *arg, bool main_only);
/* Runs what is queued for this thread. 0, or -1 with an exception. */
int pending_run(struct thread *self);

/* -- Stopping the world ------------------------------------------------------------------------ */

/* Returns with every other thread of the interpreter (all: of the process) detached or parked; they stay so
 * until world_start. Not recursive. The caller is attached, and holds no lock that a thread could wait
 * for attached (prim_lock); if two stop at once, the second waits detached. Runs no Python code. In the default
 * build holding the global lock is enough, and these do nothing but keep books. */
void world_stop(struct interp_state *interp);
void world_start(struct interp_state *interp);
void world_stop_all(void);
void world_start_all(void);
bool world_is_stopped(struct interp_state *interp);

/* -- Grace periods ----------------------------------------------------------------------------- */

/* Calls fn(p) once every thread has passed a quiet point (a safe point with the BREAK_QUIET bit, a
 * detached moment). fn may not run Python code; it may free. Any attached thread, any locks held. */
#if LOCK_SHARED
void qsbr_retire(void *p, void (*fn)(void *));
#else
static inline void qsbr_retire(void *p, void (*fn)(void *))
{
    fn(p);
}
#endif

/* This thread holds no pointer that it got without a lock or reference; frees what can be freed. */
void qsbr_quiescent(struct thread *self);

/* Frees what all threads have retired; the world is stopped, or it is the only thread. */
void qsbr_flush(struct interp_state *interp);

/* The two halves, for who keeps his own list: a ticket, and whether its grace period is over. */
uint64_t qsbr_ticket(void);
bool qsbr_passed(uint64_t ticket);

#endif
