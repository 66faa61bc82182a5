/* gil=disabled: no global lock in the binary. */
#include "locking/internal.h"

static unsigned long interval_us = 5000;
static bool forced_off; /* PYTHON_GIL=0: undeclared extensions are let in */

int lock_backend_interp_init(struct interp_state *interp, bool own_gil)
{
    (void)interp, (void)own_gil;
    return 0;
}

void lock_backend_interp_fini(struct interp_state *interp)
{
    (void)interp;
}

void lock_backend_take(struct thread *self)
{
    (void)self;
}

void lock_backend_drop(struct thread *self)
{
    (void)self;
}

bool lock_backend_may_run(struct thread *t)
{
    (void)t;
    return true;
}

void lock_backend_yield(struct thread *self)
{
    interrupt_clear(self, BREAK_DROP);
}

void lock_backend_after_fork_child(struct thread *self)
{
    (void)self;
}

bool lock_gil_is_enabled(const struct interp_state *interp)
{
    (void)interp;
    return false;
}

int lock_gil_configure(int wanted, const char **reason)
{
    if (wanted == 1) {
        *reason = "Enabling the GIL is not supported by this build, which was configured with "
                  "gil=disabled";
        return -1;
    }
    forced_off = wanted == 0;
    return 0;
}

void lock_gil_import_begin(struct thread *self)
{
    (void)self;
}

enum gil_verdict lock_gil_import_end(struct thread *self, bool declared_unused)
{
    (void)self;
    return declared_unused || forced_off ? GIL_FINE : GIL_REFUSED;
}

void lock_switch_interval_set(unsigned long microseconds)
{
    atomic_store_relaxed(&interval_us, microseconds ? microseconds : 1);
}

unsigned long lock_switch_interval_get(void)
{
    return atomic_load_relaxed(&interval_us);
}
