/* Threads and interpreters as the locking floor knows them.
 *
 * A struct thread begins with the public PyThreadState; a struct interp_state is what
 * PyInterpreterState * points to. Upper floors extend both by embedding the struct of the floor
 * below as first member; the topmost floor registers the final sizes with thread_layout_set().
 *
 * A thread is attached (may touch objects), detached (may not; it is quiescent), suspended (detached,
 * and held back by who stopped the world) or lent (detached, and another thread does its
 * housekeeping). With the global lock, attached means holding it. */
#ifndef KRAIT_THREAD_H
#define KRAIT_THREAD_H

#include "Python.h"
#include "pythread.h"

#include "alloc/prim.h"
#include "locking/backend.h"

enum thread_state {
    THREAD_DETACHED = 0,
    THREAD_ATTACHED = 1,
    THREAD_SUSPENDED = 2,
    THREAD_LENT = 3,
};

/* Bits of PyThreadState.eval_breaker. Not zero: the next safe point has work. */
enum {
    BREAK_STOP = 1 << 0,    /* park: somebody stops the world */
    BREAK_DROP = 1 << 1,    /* hand the global lock over */
    BREAK_SIGNAL = 1 << 2,  /* the main thread: a signal handler is due */
    BREAK_PENDING = 1 << 3, /* pending calls */
    BREAK_ASYNC = 1 << 4,   /* PyThreadState_SetAsyncExc */
    BREAK_MERGE = 1 << 5,   /* counts that other threads queued for this one */
    BREAK_QUIET = 1 << 6,   /* somebody waits for a grace period */
    BREAK_COLLECT = 1 << 7, /* a collection is due */
    BREAK_USER = 1 << 8,    /* first bit for upper floors */
    BREAK_PARK_ONLY = BREAK_STOP | BREAK_DROP,
};

struct retired;
struct ref_queue_item;

/* One wait of one thread, in the parking lot. */
struct waiter {
    uint32_t word; /* futex: 0 waiting, 1 woken */
    const void *address;
    void *arg;
    struct waiter *next;
};

struct thread {
    PyThreadState ts; /* first: PyThreadState * and struct thread * convert freely */

    /* -- references whose owner this thread is (refs.c) */
    struct prim_lock merge_lock;
    PyObject **merge;
    uint32_t merge_count, merge_capacity;
    struct thread *owner_next; /* chain in the table of owners by thread id */

    /* -- grace periods (qsbr.c) */
    uint64_t qsbr_seen; /* 0: offline */
    struct retired *retired_first, *retired_last;
    uint32_t retired_count;

    /* -- the world (world.c), attachment (thread.c) */
    bool holds_gil;         /* the backend's */
    uint32_t state_waiters; /* futex word: changes when `state` leaves suspended or lent */
    uint8_t rank_depth;
    uint8_t ranks[31];    /* ranks of held mutexes, checked in debug builds */
    unsigned gil_imports; /* imports under way that asked for the global lock */

    /* -- bounds of the C stack, 0 while unknown */
    uintptr_t stack_low; /* with 64 KiB to spare */
    uintptr_t stack_high;
    bool stack_reserve; /* a RecursionError is being made in what is to spare */
    int32_t gc_net;     /* the collector's: containers tracked less untracked, not yet counted */
    uint32_t sample;    /* slow decrements since the last promotion looked at */
};

static inline struct thread *thread_of(PyThreadState *ts)
{
    return (struct thread *)ts;
}

struct gil; /* the backend's */

struct pending_call {
    int (*fn)(void *);
    void *arg;
};

enum { PENDING_MAIN = 32, PENDING_MAX = 300 };

struct pending_calls {
    struct prim_lock lock;
    uint32_t first, count;
    bool busy;
    struct pending_call call[PENDING_MAX];
};

struct interp_state {
    struct interp_state *next;
    int64_t id;
    struct thread *threads; /* under runtime.lock; thread_newest() without */
    uint64_t next_thread_id;
    struct thread *finalizing; /* the thread that ends this interpreter */
    struct gil *gil, *own_gil;
    bool is_main;

    /* -- stop the world, of this interpreter's threads */
    PyMutex world_lock;
    bool world_stopped, world_requested;
    struct thread *world_owner;
    uint32_t world_word; /* futex of the stopper */

    struct pending_calls pending;
    PyObject *dict;      /* PyInterpreterState_GetDict; owned */
    struct gc_state *gc; /* the collector's */
};

static inline struct interp_state *interp_of(PyInterpreterState *interp)
{
    return (struct interp_state *)interp;
}
static inline PyInterpreterState *interp_public(struct interp_state *interp)
{
    return (PyInterpreterState *)interp;
}
static inline struct interp_state *thread_interp(struct thread *t)
{
    return (struct interp_state *)t->ts.interp;
}

/* -- What upper floors add ------------------------------------------------------------------- */

struct thread_layout {
    size_t thread_size, interp_size; /* of the topmost structs */
    /* New, zeroed beyond its base, not attached. 0, or -1 without an exception. */
    int (*thread_init)(struct thread *);
    /* PyThreadState_Clear: drops the references the upper floors hold. Attached; runs Python code. */
    void (*thread_clear)(struct thread *);
    /* Just before the memory goes; no objects are left, nobody is attached to it. */
    void (*thread_fini)(struct thread *);
    int (*interp_init)(struct interp_state *);
    void (*interp_clear)(struct interp_state *);
    void (*interp_fini)(struct interp_state *);
};

/* Before the first interpreter is made. The pointer must stay valid. */
void thread_layout_set(const struct thread_layout *layout);

/* -- The current thread ---------------------------------------------------------------------- */

/* The attached thread, NULL while none is. */
extern THREAD_LOCAL struct thread *thread_current;

static inline struct thread *thread_self(void)
{
    return thread_current;
}

/* What PyGILState_* calls this thread's own state, attached or not. */
struct thread *thread_bound(void);

/* The process */
struct runtime {
    struct prim_lock lock; /* lists of interpreters and threads */
    struct interp_state *interps, *main;
    unsigned thread_count; /* of all interpreters; under `lock` */
    int64_t next_interp_id;
    unsigned long main_thread; /* pthread_self of the main thread */
    struct thread *main_state; /* its state in the main interpreter; atomic, for signal handlers */
    struct thread *finalizing; /* not NULL: every other thread that attaches is hung */
    struct interp_state *gilstate_interp;
    bool initialized;
};
extern struct runtime runtime;

/* True in the thread that initialised the runtime (or that forked). */
bool thread_is_main(void);

/* -- Life ------------------------------------------------------------------------------------ */

/* A detached interpreter without threads, the first one being the main one. NULL: no memory. */
struct interp_state *interp_new(bool own_gil);
/* No threads are left in it. */
void interp_delete(struct interp_state *interp);

/* A detached thread state, not bound to any operating system thread. NULL: no memory, no
 * exception. */
struct thread *thread_new(struct interp_state *interp);
/* Makes it the calling OS thread's (thread_id, C stack bounds, GILState). */
void thread_bind(struct thread *t);
/* Drops the references it holds. The caller is attached (to it or another). Runs Python code. */
void thread_clear(struct thread *t);
/* Frees a cleared, detached state. */
void thread_delete(struct thread *t);
/* Detaches and frees the current one. */
void thread_delete_current(void);
/* thread_clear and thread_delete_current: the end of a thread that ran Python. */
void thread_exit(void);

/* Attach: blocks for the global lock or a stopped world; binds first if needed. Never returns in a
 * thread that comes after the end of the interpreter. Runs no Python code. */
void thread_attach(struct thread *t);
/* Detach the current thread, suspending its critical sections; returns it. errno is kept by both. */
struct thread *thread_detach(void);

/* Starts an operating system thread that runs fn(arg), detached from any interpreter. joinable:
 * the caller joins or releases *handle. 0, or -1. */
int thread_start(void (*fn)(void *), void *arg, bool joinable, unsigned long *ident,
                 pthread_t *handle);

/* Every thread of an interpreter, other than `self`, is taken off its list (a child after fork, or
 * the end): returned as a chain through ts.next. */
struct thread *thread_remove_others(struct thread *self);

/* In the child, attached as before: locks are made anew, other threads forgotten and their states
 * freed (objects they owned stay). */
void thread_before_fork(void);
void thread_after_fork_parent(void);
void thread_after_fork_child(void);

/* What upper floors do around fork(): `before` in the order of registration (may wait for
 * locks), `parent` and `child` in the other. PyOS_BeforeFork and its kin call them. Each may be NULL.
 * `hooks` is static; registering the same again does nothing. */
struct fork_hooks {
    void (*before)(void);
    void (*parent)(void);
    void (*child)(void);
    struct fork_hooks *registered_before, *registered_after; /* the registry's */
};
void fork_register(struct fork_hooks *hooks);

/* The newest thread of an interpreter, NULL if it has none; the older ones hang on ts.next. None of them goes while the
 * world is stopped, but detached ones may come. */
static inline struct thread *thread_newest(struct interp_state *interp)
{
    return atomic_load_acquire(&interp->threads);
}

/* Calls fn for each thread of the interpreter; the list is locked, fn must not block. */
void thread_each(struct interp_state *interp, void (*fn)(struct thread *, void *), void *arg);

/* Where the C stack is. Asking for the frame's address would cost each function that this is compiled into a
 * register, the interpreter's loop among them. */
static inline uintptr_t stack_position(void)
{
#if defined(__x86_64__)
    uintptr_t here;
    __asm__ volatile("mov %%rsp, %0" : "=r"(here));
    return here;
#elif defined(__aarch64__)
    uintptr_t here;
    __asm__ volatile("mov %0, sp" : "=r"(here));
    return here;
#else
    return (uintptr_t)__builtin_frame_address(0);
#endif
}

/* True if the C stack has less than 64 KiB to spare (+ extra bytes). */
static inline bool thread_stack_low(const struct thread *t, size_t extra)
{
    return stack_position() < t->stack_low + extra;
}

#endif
