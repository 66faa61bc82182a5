/* The one place that knows which lock was chosen.
 *
 * The build defines LOCK_GIL (gil=enabled), LOCK_FREE (gil=disabled) or LOCK_OPTIONAL and compiles
 * the file of that name. What the rest of the tree sees are three constants and the functions
 * below; a further backend is a further file that defines them, and a branch here.
 *
 *   LOCK_HAS_GIL   a global lock exists in this binary
 *   LOCK_SHARED    threads may run at the same time: counts are biased, fields atomic, objects locked
 *   LOCK_NAME      for summaries */
#ifndef KRAIT_LOCKING_BACKEND_H
#define KRAIT_LOCKING_BACKEND_H

#include <stdbool.h>

#if defined(LOCK_GIL)
#define LOCK_HAS_GIL 1
#define LOCK_SHARED 0
#define LOCK_NAME "enabled"
#elif defined(LOCK_FREE)
#define LOCK_HAS_GIL 0
#define LOCK_SHARED 1
#define LOCK_NAME "disabled"
#elif defined(LOCK_OPTIONAL)
#define LOCK_HAS_GIL 1
#define LOCK_SHARED 1
#define LOCK_NAME "optional"
#else
#error "the build defines no lock backend (LOCK_GIL, LOCK_FREE or LOCK_OPTIONAL)"
#endif

#if defined(Py_GIL_DISABLED) && !LOCK_SHARED
#error "pyconfig.h describes the free-threaded layout, but the lock backend needs the other one"
#elif defined(Py_PYTHON_H) && !defined(Py_GIL_DISABLED) && LOCK_SHARED
#error "pyconfig.h describes the default layout, but the lock backend needs the free-threaded one"
#endif

struct thread;
struct interp_state;

static inline bool lock_backend_has_gil(void)
{
    return LOCK_HAS_GIL;
}

/* -- What a backend file defines ------------------------------------------------------------- */

/* Before the first thread of an interpreter. own_gil: not shared with the main one. 0 or -1 (no
 * memory). */
int lock_backend_interp_init(struct interp_state *interp, bool own_gil);
void lock_backend_interp_fini(struct interp_state *interp);

/* Called around every attachment: take blocks until this thread may run as far as the global lock
 * goes (at once without one), drop lets the next one run. */
void lock_backend_take(struct thread *self);
void lock_backend_drop(struct thread *self);
/* The eval breaker carries BREAK_DROP: hand the lock to whoever waits, and take it again. The
 * thread is attached before and after. */
void lock_backend_yield(struct thread *self);
void lock_backend_after_fork_child(struct thread *self);
/* True if attached threads of `interp` run one at a time. */
bool lock_gil_is_enabled(const struct interp_state *interp);

/* At start-up, from PYTHON_GIL / -X gil: -1 = not given, 0, 1. Returns 0, or -1 with *reason if
 * this build cannot do that. */
int lock_gil_configure(int wanted, const char **reason);

/* Around the creation of an extension module (attached, no lock held). begin makes sure that the
 * global lock is on, where the build can; end is told whether the module declared
 * Py_MOD_GIL_NOT_USED. */
enum gil_verdict {
    GIL_FINE,     /* nothing to say */
    GIL_SWITCHED, /* the lock is now on for good: give CPython's RuntimeWarning */
    GIL_REFUSED,  /* this build has no lock for it: raise ImportError */
};
void lock_gil_import_begin(struct thread *self);
enum gil_verdict lock_gil_import_end(struct thread *self, bool declared_unused);

/* The switch interval in microseconds (without a global lock only remembered). */
void lock_switch_interval_set(unsigned long microseconds);
unsigned long lock_switch_interval_get(void);

#endif
