/* Pending calls: a ring per interpreter, plus one for the main thread alone. */
#include "locking/internal.h"

static struct pending_calls main_only;

static struct pending_calls *ring_for(struct interp_state *interp, bool main_thread)
{
    return main_thread ? &main_only : &interp->pending;
}

static uint32_t ring_capacity(const struct pending_calls *ring)
{
    return ring == &main_only ? PENDING_MAIN : PENDING_MAX;
}

int pending_add(struct interp_state *interp, int (*fn)(void *), void *arg, bool main_thread)
{
    struct pending_calls *ring = ring_for(interp, main_thread);
    int result = -1;
    prim_lock_acquire(&ring->lock);
    if (ring->count < ring_capacity(ring)) {
        ring->call[(ring->first + ring->count) % ring_capacity(ring)] =
            (struct pending_call){fn, arg};
        atomic_store_relaxed(&ring->count, ring->count + 1);
        result = 0;
    }
    prim_lock_release(&ring->lock);
    interrupt_request_all(interp, BREAK_PENDING);
    return result;
}

static bool ring_take(struct pending_calls *ring, struct pending_call *call)
{
    bool taken = false;
    prim_lock_acquire(&ring->lock);
    if (ring->count) {
        *call = ring->call[ring->first];
        ring->first = (ring->first + 1) % ring_capacity(ring);
        atomic_store_relaxed(&ring->count, ring->count - 1);
        taken = true;
    }
    prim_lock_release(&ring->lock);
    return taken;
}

/* What is there now; calls that are added meanwhile wait for the next safe point. */
static int ring_run(struct thread *self, struct pending_calls *ring)
{
    bool busy = false;
    if (!atomic_cas(&ring->busy, &busy, true)) {
        return 0; /* one of them came back here, or another thread is at it */
    }
    int result = 0;
    struct pending_call call;
    for (uint32_t n = atomic_load_relaxed(&ring->count); n && ring_take(ring, &call); n--) {
        if (call.fn(call.arg) != 0) {
            result = -1;
            break;
        }
    }
    atomic_store_release(&ring->busy, false);
    if (atomic_load_relaxed(&ring->count)) {
        interrupt_request(self, BREAK_PENDING);
    }
    return result;
}

int pending_run(struct thread *self)
{
    interrupt_clear(self, BREAK_PENDING);
    if (ring_run(self, &thread_interp(self)->pending) < 0) {
        return -1;
    }
    return thread_is_main() && thread_interp(self)->is_main ? ring_run(self, &main_only) : 0;
}

int Py_AddPendingCall(int (*fn)(void *), void *arg)
{
    return runtime.main ? pending_add(runtime.main, fn, arg, true) : -1;
}

int Py_MakePendingCalls(void)
{
    struct thread *self = thread_self();
    bool main = thread_is_main() && thread_interp(self)->is_main;
    return main && safe_point_hooks.signals && safe_point_hooks.signals(self) < 0
               ? -1
               : pending_run(self);
}

void pending_after_fork_child(struct interp_state *interp)
{
    main_only.lock = interp->pending.lock = (struct prim_lock){0};
    main_only.busy = interp->pending.busy = false;
}
