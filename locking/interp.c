/* Interpreters: their list and life, and the part of the C API that is about them alone. */
#include "locking/internal.h"

extern const struct thread_layout *thread_layout;

struct interp_state *interp_new(bool own_gil)
{
    struct interp_state *interp = mem_calloc(MEM_RAW, 1, thread_layout->interp_size);
    if (!interp) {
        return NULL;
    }
    bool first = runtime.main == NULL;
    interp->is_main = first;
    if (lock_backend_interp_init(interp, own_gil || first) < 0) {
        mem_free(MEM_RAW, interp);
        return NULL;
    }
    prim_lock_acquire(&runtime.lock);
    interp->id = runtime.next_interp_id++;
    interp->next = runtime.interps;
    runtime.interps = interp;
    if (first) {
        runtime.main = runtime.gilstate_interp = interp;
        runtime.main_thread = (unsigned long)pthread_self();
        runtime.initialized = true;
    }
    prim_lock_release(&runtime.lock);
    if (first) {
        qsbr_init();
    }
    if (thread_layout->interp_init && thread_layout->interp_init(interp) < 0) {
        interp_delete(interp);
        return NULL;
    }
    return interp;
}

void interp_delete(struct interp_state *interp)
{
    prim_lock_acquire(&runtime.lock);
    struct interp_state **link = &runtime.interps;
    while (*link && *link != interp) {
        link = &(*link)->next;
    }
    if (*link) {
        *link = interp->next;
    }
    if (runtime.main == interp) {
        runtime.main = runtime.gilstate_interp = NULL;
        runtime.next_interp_id = 0;
        runtime.initialized = false;
        runtime.finalizing = NULL;
    }
    prim_lock_release(&runtime.lock);
    if (thread_layout->interp_fini) {
        thread_layout->interp_fini(interp);
    }
    lock_backend_interp_fini(interp);
    mem_free(MEM_RAW, interp);
}

/* -- The C API ----------------------------------------------------------------------------------- */

static struct interp_state *current_interp(const char *caller)
{
    struct thread *self = thread_self();
    if (!self) {
        lock_fatal(caller, "the function must be called with the GIL held, after Python "
                           "initialization and before Python finalization, but the GIL is released "
                           "(the current Python thread state is NULL)");
    }
    return thread_interp(self);
}

PyInterpreterState *PyInterpreterState_Get(void)
{
    return interp_public(current_interp("PyInterpreterState_Get"));
}

PyInterpreterState *PyInterpreterState_New(void)
{
    return interp_public(interp_new(false));
}

void PyInterpreterState_Clear(PyInterpreterState *public)
{
    struct interp_state *interp = interp_of(public);
    if (thread_layout->interp_clear) {
        thread_layout->interp_clear(interp);
    }
    ref_clear(&interp->dict);
}

void PyInterpreterState_Delete(PyInterpreterState *public)
{
    struct interp_state *interp = interp_of(public);
    while (interp->threads) {
        struct thread *t = interp->threads;
        if (t == thread_self()) {
            thread_detach();
        }
        thread_delete(t);
    }
    interp_delete(interp);
}

int64_t PyInterpreterState_GetID(PyInterpreterState *interp)
{
    if (!interp) {
        PyErr_SetString(PyExc_RuntimeError, "no interpreter provided");
        return -1;
    }
    return interp_of(interp)->id;
}

PyObject *PyInterpreterState_GetDict(PyInterpreterState *public)
{
    struct interp_state *interp = interp_of(public);
    if (!atomic_load_acquire(&interp->dict)) {
        PyObject *dict = PyDict_New();
        if (!dict) {
            PyErr_Clear();
            return NULL;
        }
        PyObject *expected = NULL;
        if (!atomic_cas(&interp->dict, &expected, dict)) {
            ref_dec(dict);
        }
    }
    return interp->dict;
}

PyInterpreterState *PyInterpreterState_Head(void)
{
    return interp_public(runtime.interps);
}

PyInterpreterState *PyInterpreterState_Main(void)
{
    return interp_public(runtime.main);
}

PyInterpreterState *PyInterpreterState_Next(PyInterpreterState *interp)
{
    return interp_public(interp_of(interp)->next);
}

PyThreadState *PyInterpreterState_ThreadHead(PyInterpreterState *interp)
{
    return (PyThreadState *)thread_newest(interp_of(interp));
}

PyThreadState *PyThreadState_Next(PyThreadState *ts)
{
    return ts->next;
}
