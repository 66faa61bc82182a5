/* gil=optional: as without a global lock, until one is switched on.
 *
 * It is switched with every thread of the process stopped. A thread that then goes on checks, after
 * it became attached, that it holds the lock if there is one by now (lock_backend_may_run).
 * `users` counts the imports under way that need it, plus one once it is on for good. */
#include "locking/gil_lock.h"

static struct {
    uint32_t users; /* 0: off */
    bool permanent;
    int forced; /* PYTHON_GIL: -1, 0 or 1 */
} state = {.forced = -1};

static bool is_on(void)
{
    return atomic_load_acquire(&state.users) != 0;
}

int lock_backend_interp_init(struct interp_state *interp, bool own_gil)
{
    return gil_interp_init(interp, own_gil);
}

void lock_backend_take(struct thread *self)
{
    if (unlikely(is_on())) {
        gil_take(thread_interp(self)->gil, self);
    }
}

void lock_backend_drop(struct thread *self)
{
    uint32_t switches;
    if (unlikely(atomic_load_relaxed(&self->holds_gil))) {
        gil_drop(thread_interp(self)->gil, self, &switches);
    }
}

/* Asked by an attached thread: the lock can go on or off only after this one has parked again. */
bool lock_backend_may_run(struct thread *t)
{
    if (likely(!is_on())) {
        lock_backend_drop(t); /* it was taken while it still was on */
        return true;
    }
    return atomic_load_relaxed(&t->holds_gil);
}

void lock_backend_yield(struct thread *self)
{
    interrupt_clear(self, BREAK_DROP);
    if (atomic_load_relaxed(&self->holds_gil)) {
        struct gil *gil = thread_interp(self)->gil;
        uint32_t switches = atomic_load_relaxed(&gil->switches);
        bool wanted = atomic_load_relaxed(&gil->waiters) != 0;
        thread_detach();
        if (wanted) {
            gil_await_switch(gil, switches);
        }
        thread_attach(self);
    }
}

void lock_backend_after_fork_child(struct thread *self)
{
    gil_after_fork_child(thread_interp(self)->gil, self, self->holds_gil);
}

bool lock_gil_is_enabled(const struct interp_state *interp)
{
    (void)interp;
    return is_on();
}

int lock_gil_configure(int wanted, const char **reason)
{
    (void)reason;
    state.forced = wanted;
    if (wanted == 1) {
        state.users = 1;
        state.permanent = true;
    }
    return 0;
}

/* The lock goes on: it is ours. A thread that took it before it last went off, and was stopped before it
 * became attached, finds out (lock_backend_may_run). */
static void gil_seize(struct gil *gil, struct thread *self)
{
    prim_lock_acquire(&gil->lock);
    if (gil->holder) {
        atomic_store_relaxed(&gil->holder->holds_gil, false);
    }
    gil->locked = true;
    gil->holder = self;
    atomic_store_relaxed(&self->holds_gil, true);
    prim_lock_release(&gil->lock);
}

/* One more reason for the lock. */
static void user_add(struct thread *self)
{
    world_stop_all();
    if (state.users == 0) {
        gil_seize(thread_interp(self)->gil, self);
    }
    atomic_store_release(&state.users, state.users + 1);
    world_start_all();
}

static void user_remove(struct thread *self)
{
    uint32_t switches;
    world_stop_all();
    atomic_store_release(&state.users, state.users - 1);
    if (state.users == 0) {
        gil_drop(thread_interp(self)->gil, self, &switches);
    }
    world_start_all();
}

void lock_gil_import_begin(struct thread *self)
{
    if (state.forced < 0 && !atomic_load_relaxed(&state.permanent)) {
        user_add(self);
        self->gil_imports++;
    }
}

enum gil_verdict lock_gil_import_end(struct thread *self, bool declared_unused)
{
    if (!self->gil_imports) {
        return GIL_FINE;
    }
    self->gil_imports--;
    if (declared_unused) {
        user_remove(self);
        return GIL_FINE;
    }
    bool already = false;
    if (!atomic_cas(&state.permanent, &already, true)) {
        user_remove(self); /* another import made it permanent meanwhile */
        return GIL_FINE;
    }
    return GIL_SWITCHED;
}
