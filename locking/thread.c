/* Thread states: their life, attaching and detaching.
 *
 * The state word decides who may touch a thread state. Its own OS thread goes detached -> attached
 * and back; who stops the world takes detached ones to suspended; who merges counts for a sleeping
 * owner takes it to lent for a moment. From those two only the one who set them leads back. */
#include "locking/internal.h"

#include "intrcheck.h"

#include <errno.h>
#include <unistd.h>

struct runtime runtime;
THREAD_LOCAL struct thread *thread_current;
THREAD_LOCAL struct thread *thread_bound_state;

static const struct thread_layout base_layout = {
    .thread_size = sizeof(struct thread),
    .interp_size = sizeof(struct interp_state),
};
const struct thread_layout *thread_layout = &base_layout;

void thread_layout_set(const struct thread_layout *layout)
{
    thread_layout = layout;
}

struct thread *thread_bound(void)
{
    return thread_bound_state;
}

bool thread_is_main(void)
{
    return (unsigned long)pthread_self() == runtime.main_thread;
}

_Noreturn void thread_hang(void)
{
    for (;;) {
        pause();
    }
}

/* -- New and deleted states ---------------------------------------------------------------------- */

static void thread_set_defaults(struct thread *t, struct interp_state *interp)
{
    PyThreadState *ts = &t->ts;
    ts->interp = interp_public(interp);
    ts->exc_info = &ts->exc_state;
    ts->py_recursion_limit = ts->py_recursion_remaining = 1000;
    ts->c_recursion_remaining = Py_C_RECURSION_LIMIT;
    ts->gilstate_counter = 1;
    ts->what_event = -1;
    ts->_whence = 0;
    ts->_status.initialized = 1;
    ts->_status.unbound = 1;
}

/* -- One thread, or more --------------------------------------------------------------------------- */

#if LOCK_SHARED
bool lock_alone = true;

/* runtime.lock held: so many have gone for good. */
static void count_down(unsigned n)
{
    runtime.thread_count -= n;
    if (runtime.thread_count == 1) {
        atomic_store_release(&lock_alone, true);
    }
}

/* A second state may attach now. Unless it is the caller, whoever runs may be just about to lock an object by a plain
 * store. */
static void alone_end(void)
{
    if (!atomic_load_relaxed(&lock_alone)) {
        return;
    }
    bool others_run = thread_self() == NULL;
    if (others_run) {
        world_stop_all();
    }
    atomic_store_release(&lock_alone, false);
    if (others_run) {
        world_start_all();
    }
}
#else
static void count_down(unsigned n)
{
    runtime.thread_count -= n;
}

static void alone_end(void)
{
}
#endif

/* True if there are others. */
static bool list_add(struct interp_state *interp, struct thread *t)
{
    prim_lock_acquire(&runtime.lock);
    bool others = runtime.thread_count++ > 0;
    t->ts.id = ++interp->next_thread_id;
    t->ts.next = (PyThreadState *)interp->threads;
    if (interp->threads) {
        interp->threads->ts.prev = &t->ts;
    }
    atomic_store_release(&interp->threads, t);
    if (interp->world_requested) {
        t->ts.state = THREAD_SUSPENDED; /* born into a stopped world */
    }
    prim_lock_release(&runtime.lock);
    return others;
}

static void list_remove(struct thread *t)
{
    struct interp_state *interp = thread_interp(t);
    prim_lock_acquire(&runtime.lock);
    if (t->ts.prev) {
        t->ts.prev->next = t->ts.next;
    } else if (interp->threads == t) {
        atomic_store_release(&interp->threads, thread_of(t->ts.next));
    }
    if (t->ts.next) {
        t->ts.next->prev = t->ts.prev;
    }
    t->ts.next = t->ts.prev = NULL;
    count_down(1);
    prim_lock_release(&runtime.lock);
}

struct thread *thread_new(struct interp_state *interp)
{
    struct thread *t = mem_calloc(MEM_RAW, 1, thread_layout->thread_size);
    if (!t) {
        return NULL;
    }
    thread_set_defaults(t, interp);
    if (thread_layout->thread_init && thread_layout->thread_init(t) < 0) {
        mem_free(MEM_RAW, t);
        return NULL;
    }
    if (list_add(interp, t)) {
        alone_end();
    }
    return t;
}

/* A state may have been made in one OS thread and be used in another: it belongs to the one that
 * attaches, since that one's id goes into the objects it makes. */
void thread_bind(struct thread *t)
{
    PyThreadState *ts = &t->ts;
    size_t size;
    if (ts->_status.bound) {
        owner_unregister(t);
    }
    uintptr_t low = prim_stack_bounds(&size);
    t->stack_low = low ? low + 64 * 1024 : 0;
    t->stack_high = low + size;
    atomic_store_relaxed(&ts->thread_id, (unsigned long)pthread_self());
    ts->native_thread_id = prim_native_id();
    ts->_status.bound = 1;
    ts->_status.unbound = 0;
    owner_register(t);
    if (!runtime.main_state && thread_is_main() && thread_interp(t)->is_main) {
        atomic_store_release(&runtime.main_state, t);
    }
    if (!thread_bound_state
        && (!runtime.gilstate_interp || thread_interp(t) == runtime.gilstate_interp
            || thread_interp(t)->is_main)) {
        thread_bound_state = t;
        ts->_status.bound_gilstate = 1;
    }
}

/* Drops what it holds. Finalizers that run meanwhile may put something there again. */
static void thread_drop_objects(struct thread *t)
{
    PyThreadState *ts = &t->ts;
    PyObject **const fields[] = {
        &ts->threading_local_key, &ts->threading_local_sentinel, &ts->dict,
        &ts->async_exc,           &ts->current_exception,        &ts->exc_state.exc_value,
        &ts->async_gen_firstiter, &ts->async_gen_finalizer,      &ts->context,
    };
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        ref_clear(fields[i]);
    }
    if (thread_layout->thread_clear) {
        thread_layout->thread_clear(t);
    }
}

void thread_clear(struct thread *t)
{
    if (t->ts._status.cleared) {
        return;
    }
    thread_drop_objects(t);
    if (t == thread_self()) {
        ref_merge_queue_run(t);
    }
    t->ts._status.cleared = 1;
}

/* Everything but the objects; `t` is on no list any more and nobody will attach to it. */
static void thread_free(struct thread *t)
{
    qsbr_thread_done(t);
    if (runtime.main_state == t) {
        atomic_store_release(&runtime.main_state, NULL);
    }
    if (thread_bound_state == t) {
        thread_bound_state = NULL;
    }
    if (thread_layout->thread_fini) {
        thread_layout->thread_fini(t);
    }
    mem_free(MEM_RAW, t->merge);
    mem_free(MEM_RAW, t);
}

/* Makes sure that neither a stop of the world nor a lender has a hand on it. */
static void thread_take_away(struct thread *t)
{
    for (;;) {
        int state = THREAD_DETACHED;
        if (atomic_cas(&t->ts.state, &state, (int)THREAD_ATTACHED)) {
            break;
        }
        thread_wait_released(t);
    }
    owner_unregister(t);
    list_remove(t);
}

void thread_delete(struct thread *t)
{
    if (t == thread_self()) {
        lock_fatal("PyThreadState_Delete", "tstate is still current");
    }
    thread_take_away(t);
    t->ts._status.finalized = 1;
    thread_free(t);
}

/* The last queued counts are merged while the thread still is attached; what comes later finds no owner
 * and is merged by whoever drops it. */
void thread_delete_current(void)
{
    struct thread *self = thread_self();
    ref_merge_queue_run(self);
    owner_unregister(self);
    ref_merge_queue_run(self);
    thread_drop_objects(
        self); /* again: those were the last finalizers, and the last counts that it keeps for types */
    slab_thread_done(); /* while attached: who stops the world may walk the slabs */
    thread_detach();
    thread_take_away(self);
    thread_free(self);
}

void thread_exit(void)
{
    thread_clear(thread_self());
    thread_delete_current();
}

/* -- Attach and detach --------------------------------------------------------------------------- */

void thread_wait_released(struct thread *t)
{
    for (;;) {
        uint32_t word = atomic_load_seq(&t->state_waiters);
        int state = atomic_load_seq(&t->ts.state);
        if (state != THREAD_SUSPENDED && state != THREAD_LENT) {
            return;
        }
        prim_futex_wait(&t->state_waiters, word, -1);
    }
}

void thread_release(struct thread *t)
{
    atomic_store_seq(&t->ts.state, (int)THREAD_DETACHED);
    atomic_add(&t->state_waiters, 1u);
    prim_futex_wake(&t->state_waiters, INT32_MAX);
}

bool thread_must_hang(struct thread *t)
{
    struct thread *runtime_ends = atomic_load_acquire(&runtime.finalizing);
    struct thread *interp_ends = atomic_load_acquire(&thread_interp(t)->finalizing);
    return (runtime_ends && runtime_ends != t) || (interp_ends && interp_ends != t);
}

static void state_to_attached(struct thread *t)
{
    if (!LOCK_SHARED) {
        atomic_store_relaxed(&t->ts.state, (int)THREAD_ATTACHED);
        return;
    }
    for (;;) {
        int state = THREAD_DETACHED;
        if (likely(atomic_cas(&t->ts.state, &state, (int)THREAD_ATTACHED))) {
            return;
        }
        thread_wait_released(t);
    }
}

static void state_to_detached(struct thread *t)
{
    if (!LOCK_SHARED) {
        atomic_store_relaxed(&t->ts.state, (int)THREAD_DETACHED);
        return;
    }
    qsbr_offline(t);
    atomic_store_seq(&t->ts.state, (int)THREAD_DETACHED);
    if (unlikely(atomic_load_seq(&t->ts.eval_breaker) & BREAK_STOP)) {
        world_notice_detached(t);
    }
}

void thread_attach(struct thread *t)
{
    int saved = errno;
    if (unlikely(thread_current)) {
        lock_fatal("thread_attach", "non-NULL old thread state");
    }
    for (;;) {
        if (unlikely(thread_must_hang(t))) {
            thread_hang();
        }
        lock_backend_take(t);
        state_to_attached(t);
        if (likely(lock_backend_may_run(t) && !thread_must_hang(t))) {
            break;
        }
        /* the global lock was switched on, or the end came, while we waited */
        state_to_detached(t);
        lock_backend_drop(t);
    }
    /* Only now: until it was attached, others might have taken the state to its end. */
    if (unlikely(t->ts.thread_id != (unsigned long)pthread_self())) {
        thread_bind(t);
    }
    thread_current = t;
    t->ts._status.active = 1;
    slab_use_arena((uint32_t)thread_interp(t)->id);
    if (LOCK_SHARED) {
        qsbr_online(t);
        if (unlikely(t->ts.critical_section)) {
            critical_resume_top(t);
        }
    }
    errno = saved;
}

struct thread *thread_detach(void)
{
    int saved = errno;
    struct thread *t = thread_current;
    if (unlikely(!t)) {
        lock_fatal("thread_detach",
                   "the function must be called with the GIL held, after Python "
                   "initialization and before Python finalization, but the GIL is released "
                   "(the current Python thread state is NULL)");
    }
    if (unlikely(t->ts.critical_section)) {
        critical_suspend_all(t);
    }
    t->ts._status.active = 0;
    thread_current = NULL;
    /* With the state detached `t` may be freed by who ends the interpreter, but never while it holds
     * the global lock. */
    state_to_detached(t);
    lock_backend_drop(t);
    errno = saved;
    return t;
}

void thread_each(struct interp_state *interp, void (*fn)(struct thread *, void *), void *arg)
{
    prim_lock_acquire(&runtime.lock);
    for (struct thread *t = interp->threads; t; t = thread_of(t->ts.next)) {
        fn(t, arg);
    }
    prim_lock_release(&runtime.lock);
}

struct thread *thread_remove_others(struct thread *self)
{
    struct interp_state *interp = thread_interp(self);
    struct thread *others = NULL;
    prim_lock_acquire(&runtime.lock);
    for (struct thread *t = interp->threads, *next; t; t = next) {
        next = thread_of(t->ts.next);
        if (t != self) {
            t->ts.prev = NULL;
            t->ts.next = (PyThreadState *)others;
            others = t;
            count_down(1);
        }
    }
    interp->threads = self;
    self->ts.next = self->ts.prev = NULL;
    prim_lock_release(&runtime.lock);
    for (struct thread *t = others; t; t = thread_of(t->ts.next)) {
        owner_unregister(t);
    }
    return others;
}

/* -- Fork ---------------------------------------------------------------------------------------- */

void thread_before_fork(void)
{
    world_stop_all();
    prim_lock_acquire(&runtime.lock);
}

void thread_after_fork_parent(void)
{
    prim_lock_release(&runtime.lock);
    world_start_all();
}

static struct thread *fork_others; /* of the parent; a chain, until they are freed */

void thread_after_fork_child(void)
{
    struct thread *self = thread_self();
    runtime.lock = (struct prim_lock){0};
    runtime.main_thread = (unsigned long)pthread_self();
    self->ts.thread_id = runtime.main_thread;
    self->ts.native_thread_id = prim_native_id();
    runtime.main_state = self;
    park_after_fork_child();
    qsbr_after_fork_child();
    owners_after_fork_child(self);
    slab_after_fork_child();
    lock_backend_after_fork_child(self);
    world_after_fork_child();

    fork_others = thread_remove_others(self);
}

/* Frees the states of the threads that the child does not have. What they held may run finalizers, for which the locks of
 * all floors must be usable again. */
static void fork_free_others(void)
{
    for (struct thread *t = fork_others, *next; t; t = next) {
        next = thread_of(t->ts.next);
        thread_drop_objects(t); /* also of one that was at its end, and cleared */
        thread_free(t);
    }
    fork_others = NULL;
}

/* Hooks are only ever added, so that the calls below need no lock. */
static struct fork_hooks *fork_first, *fork_last;
static struct prim_lock fork_lock;

void fork_register(struct fork_hooks *hooks)
{
    prim_lock_acquire(&fork_lock);
    if (hooks != fork_first && !hooks->registered_before) {
        hooks->registered_before = fork_last;
        atomic_store_release(fork_last ? &fork_last->registered_after : &fork_first, hooks);
        atomic_store_release(&fork_last, hooks);
    }
    prim_lock_release(&fork_lock);
}

/* The last one that PyOS_BeforeFork called: what is registered meanwhile takes no part. */
static struct fork_hooks *fork_called;

void PyOS_BeforeFork(void)
{
    struct fork_hooks *last = atomic_load_acquire(&fork_last);
    for (struct fork_hooks *e = atomic_load_acquire(&fork_first); e;
         e = e == last ? NULL : atomic_load_acquire(&e->registered_after)) {
        if (e->before) {
            e->before();
        }
    }
    thread_before_fork();
    fork_called = last;
}

void PyOS_AfterFork_Parent(void)
{
    struct fork_hooks *last = fork_called;
    thread_after_fork_parent();
    for (struct fork_hooks *e = last; e; e = e->registered_before) {
        if (e->parent) {
            e->parent();
        }
    }
}

void PyOS_AfterFork_Child(void)
{
    thread_after_fork_child();
    fork_lock = (struct prim_lock){0};
    for (struct fork_hooks *e = fork_called; e; e = e->registered_before) {
        if (e->child) {
            e->child();
        }
    }
    fork_free_others();
}

PyAPI_FUNC(void) PyOS_AfterFork(void);

void PyOS_AfterFork(void)
{
    PyOS_AfterFork_Child();
}

/* -- Operating system threads -------------------------------------------------------------------- */

static size_t stack_size;

/* What is asked for may be this little; what a thread gets has room for the reserve of a RecursionError. */
#define STACK_SIZE_LEAST ((size_t)32 * 1024)
#define STACK_SIZE_REAL_LEAST ((size_t)256 * 1024)

static size_t stack_size_real(size_t wanted)
{
    return wanted < STACK_SIZE_REAL_LEAST ? STACK_SIZE_REAL_LEAST : wanted;
}

size_t PyThread_get_stacksize(void)
{
    return stack_size;
}

int PyThread_set_stacksize(size_t size)
{
    if (size == 0) {
        stack_size = 0;
        return 0;
    }
    pthread_attr_t attributes;
    if (size < STACK_SIZE_LEAST || pthread_attr_init(&attributes) != 0) {
        return -1;
    }
    int failed = pthread_attr_setstacksize(&attributes, stack_size_real(size));
    pthread_attr_destroy(&attributes);
    if (failed) {
        return -1;
    }
    stack_size = size;
    return 0;
}

struct start {
    void (*fn)(void *);
    void *arg;
};

static void *thread_main(void *p)
{
    struct start start = *(struct start *)p;
    mem_free(MEM_RAW, p);
    start.fn(start.arg);
    slab_thread_done();
    return NULL;
}

int thread_start(void (*fn)(void *), void *arg, bool joinable, unsigned long *ident,
                 pthread_t *handle)
{
    struct start *start = mem_alloc(MEM_RAW, sizeof(*start));
    if (!start) {
        return -1;
    }
    *start = (struct start){fn, arg};
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    if (stack_size) {
        pthread_attr_setstacksize(&attributes, stack_size_real(stack_size));
    }
    if (!joinable) {
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    }
    pthread_t thread;
    int failed = pthread_create(&thread, &attributes, thread_main, start);
    pthread_attr_destroy(&attributes);
    if (failed) {
        mem_free(MEM_RAW, start);
        return -1;
    }
    if (ident) {
        *ident = (unsigned long)thread;
    }
    if (handle) {
        *handle = thread;
    }
    return 0;
}
