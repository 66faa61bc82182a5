/* gil=enabled: one lock per interpreter; to be attached is to hold it. */
#include "locking/gil_lock.h"

int lock_backend_interp_init(struct interp_state *interp, bool own_gil)
{
    return gil_interp_init(interp, own_gil);
}

void lock_backend_take(struct thread *self)
{
    gil_take(thread_interp(self)->gil, self);
}

void lock_backend_drop(struct thread *self)
{
    uint32_t switches;
    gil_drop(thread_interp(self)->gil, self, &switches);
}

bool lock_backend_may_run(struct thread *t)
{
    (void)t;
    return true;
}

void lock_backend_yield(struct thread *self)
{
    struct gil *gil = thread_interp(self)->gil;
    uint32_t switches;
    self->ts._status.active = 0;
    thread_current = NULL;
    interrupt_clear(self, BREAK_DROP);
    if (gil_drop(gil, self, &switches)) {
        gil_await_switch(gil, switches);
    }
    gil_take(gil, self);
    if (atomic_load_acquire(&runtime.finalizing) && runtime.finalizing != self) {
        lock_backend_drop(self);
        thread_hang();
    }
    thread_current = self;
    self->ts._status.active = 1;
}

void lock_backend_after_fork_child(struct thread *self)
{
    gil_after_fork_child(thread_interp(self)->gil, self, true);
}

bool lock_gil_is_enabled(const struct interp_state *interp)
{
    (void)interp;
    return true;
}

int lock_gil_configure(int wanted, const char **reason)
{
    if (wanted == 0) {
        *reason = "Disabling the GIL is not supported by this build";
        return -1;
    }
    return 0;
}

void lock_gil_import_begin(struct thread *self)
{
    (void)self;
}

enum gil_verdict lock_gil_import_end(struct thread *self, bool declared_unused)
{
    (void)self, (void)declared_unused;
    return GIL_FINE;
}
