/* Between the files of locking/ only. */
#ifndef KRAIT_LOCKING_INTERNAL_H
#define KRAIT_LOCKING_INTERNAL_H

#include "locking/lock.h"
#include "locking/refs.h"
#include "locking/world.h"

_Noreturn void lock_fatal(const char *function, const char *message);

/* True if nothing but thread_attach's own steps keeps the thread from running (the global lock
 * was not switched on meanwhile). A backend's. */
bool lock_backend_may_run(struct thread *t);

/* -- thread.c -- */
extern THREAD_LOCAL struct thread *thread_bound_state;
/* Waits until a suspended or lent thread is neither. Called by its own OS thread. */
void thread_wait_released(struct thread *t);
/* Lets go of a thread that was suspended or lent. */
void thread_release(struct thread *t);
/* True once the interpreter ends and another thread than this one ends it. */
bool thread_must_hang(struct thread *t);
/* Sleeps for ever. */
_Noreturn void thread_hang(void);

/* -- refs.c: who owns the objects of a thread id -- */
#if LOCK_SHARED
void owner_register(struct thread *t);
void owner_unregister(struct thread *t);
void owners_after_fork_child(struct thread *self);
#else
static inline void owner_register(struct thread *t)
{
    (void)t;
}
static inline void owner_unregister(struct thread *t)
{
    (void)t;
}
static inline void owners_after_fork_child(struct thread *self)
{
    (void)self;
}
#endif

/* -- qsbr.c -- */
void qsbr_online(struct thread *t);
void qsbr_offline(struct thread *t);
void qsbr_thread_done(struct thread *t);
void qsbr_init(void);
void qsbr_after_fork_child(void);

/* -- world.c -- */
/* The thread has just become detached and may be awaited by somebody who stops the world. */
void world_notice_detached(struct thread *t);

void world_after_fork_child(void);
void pending_after_fork_child(struct interp_state *interp);
void park_after_fork_child(void);

#endif
