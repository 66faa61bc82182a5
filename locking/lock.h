/* Locks for everybody, and field access that is right in every build.
 *
 * In the default build objects need no lock of their own: CRITICAL_SECTION and the field verbs
 * compile to plain code. The mutexes below are the same code in all builds.
 *
 * Blocking rule: a lock taken with mutex_lock detaches the thread while it waits (its critical
 * sections are suspended; others may change the objects they protect). prim_lock never
 * detaches and is held for a few instructions only. None of these runs Python code, except where a
 * detached thread comes back into an interpreter that ended: then it never returns. */
#ifndef KRAIT_LOCK_H
#define KRAIT_LOCK_H

#include "locking/thread.h"

/* -- Fields that several threads may read and write ------------------------------------------- */

#if LOCK_SHARED
#define field_load(p) atomic_load_relaxed(p)
#define field_load_acquire(p) atomic_load_acquire(p)
#define field_store(p, v) atomic_store_relaxed((p), (v))
#define field_store_release(p, v) atomic_store_release((p), (v))
#else
#define field_load(p) (*(p))
#define field_load_acquire(p) (*(p))
#define field_store(p, v) ((void)(*(p) = (v)))
#define field_store_release(p, v) ((void)(*(p) = (v)))
#endif

/* True where another thread may run between two instructions of this one. */
static inline bool lock_threads_run_together(void)
{
    return LOCK_SHARED;
}

/* The same as a question of the moment: true until the thread next reaches a pause, blocks, or runs Python code, if no
 * other one can run before that. Then nobody sees what is half changed. */
extern bool lock_alone;
static inline bool lock_is_alone(void)
{
    return !LOCK_SHARED || atomic_load_acquire(&lock_alone);
}

/* What reads and writes in one step is atomic where somebody could come in between. All but _cas give the old value. */
#define field_change_(p, new_value, atomic)                                                        \
    ({                                                                                             \
        __typeof__(p) p_ = (p);                                                                    \
        __typeof__(*p_) old_;                                                                      \
        if (lock_is_alone()) {                                                                     \
            old_ = field_load(p_);                                                                 \
            field_store_release(p_, (__typeof__(*p_))(new_value));                                 \
        } else {                                                                                   \
            old_ = atomic;                                                                         \
        }                                                                                          \
        old_;                                                                                      \
    })
#define field_swap(p, v) field_change_(p, v, atomic_swap(p_, (v)))
#define field_add(p, v) field_change_(p, old_ + (v), atomic_add_relaxed(p_, (v)))
#define field_or(p, v) field_change_(p, old_ | (v), atomic_or(p_, (v)))
#define field_and(p, v) field_change_(p, old_ &(v), atomic_and(p_, (v)))
#define field_cas(p, expected, desired)                                                            \
    ({                                                                                             \
        __typeof__(p) p_ = (p);                                                                    \
        __typeof__(p) expected_ = (expected);                                                      \
        bool equal_;                                                                               \
        if (lock_is_alone()) {                                                                     \
            __typeof__(*p_) now_ = field_load(p_);                                                 \
            equal_ = now_ == *expected_;                                                           \
            if (equal_) {                                                                          \
                field_store_release(p_, (desired));                                                \
            } else {                                                                               \
                *expected_ = now_;                                                                 \
            }                                                                                      \
        } else {                                                                                   \
            equal_ = atomic_cas(p_, expected_, (desired));                                         \
        }                                                                                          \
        equal_;                                                                                    \
    })

/* -- The parking lot -------------------------------------------------------------------------- */

enum park_result {
    PARK_WOKEN,   /* by unpark */
    PARK_CHANGED, /* the word was not as expected: nothing waited */
    PARK_TIMEOUT,
    PARK_INTERRUPTED, /* a signal came */
};

enum {
    LOCK_DETACH = 1,  /* detach the thread while it waits */
    LOCK_SIGNALS = 2, /* a signal ends the wait */
};

/* Sleeps in the queue of `address` while the `size` (1, 4 or 8) bytes there equal *expected.
 * timeout_ns < 0: no limit. `arg` is handed to the waker. */
enum park_result park(const void *address, const void *expected, size_t size, int64_t timeout_ns,
                      void *arg, int flags);
/* Wakes the longest waiter of `address`, if any. fn is called with the queue locked, with the
 * waiter's arg (NULL if none waits) and whether more are left. */
typedef void (*unpark_fn)(void *ctx, void *arg, bool more);
void unpark(const void *address, unpark_fn fn, void *ctx);
void unpark_all(const void *address);

/* -- Mutex ------------------------------------------------------------------------------------ */

enum {
    MUTEX_LOCKED = 1,
    MUTEX_WAITED = 2, /* somebody is parked on it */
};

enum park_result mutex_lock_slow(PyMutex *m, int64_t timeout_ns, int flags);
void mutex_unlock_slow(PyMutex *m);
bool mutex_try_unlock_slow(PyMutex *m);

static inline bool mutex_try_lock(PyMutex *m)
{
    uint8_t bits = atomic_load_relaxed(&m->_bits);
    return !(bits & MUTEX_LOCKED) && atomic_cas(&m->_bits, &bits, (uint8_t)(bits | MUTEX_LOCKED));
}

/* Locks; detaches while it waits. Not recursive. */
static inline void mutex_lock(PyMutex *m)
{
    uint8_t expected = 0;
    if (unlikely(!atomic_cas(&m->_bits, &expected, (uint8_t)MUTEX_LOCKED))) {
        mutex_lock_slow(m, -1, LOCK_DETACH);
    }
}

/* PARK_WOKEN: locked. 0 = try only. */
static inline enum park_result mutex_lock_timed(PyMutex *m, int64_t timeout_ns, int flags)
{
    return mutex_try_lock(m) ? PARK_WOKEN : mutex_lock_slow(m, timeout_ns, flags);
}

static inline void mutex_unlock(PyMutex *m)
{
    uint8_t expected = MUTEX_LOCKED;
    if (unlikely(!atomic_cas(&m->_bits, &expected, (uint8_t)0))) {
        mutex_unlock_slow(m);
    }
}

/* False if it was not locked, where that may happen. */
static inline bool mutex_try_unlock(PyMutex *m)
{
    uint8_t expected = MUTEX_LOCKED;
    return likely(atomic_cas(&m->_bits, &expected, (uint8_t)0)) || mutex_try_unlock_slow(m);
}

static inline bool mutex_is_locked(const PyMutex *m)
{
    return atomic_load_relaxed(&m->_bits) & MUTEX_LOCKED;
}

/* In the child after fork: nobody holds it. */
static inline void mutex_reinit(PyMutex *m)
{
    m->_bits = 0;
}

/* -- Mutexes with a rank ---------------------------------------------------------------------- */

/* A thread takes ranked mutexes in rising order only; checked unless NDEBUG. Critical sections have
 * no rank: they are taken with none of these held, save RANK_WORLD. */
enum lock_rank {
    RANK_IMPORT = 10,
    RANK_TYPES = 20, /* type cache, subclasses, versions */
    RANK_CODE = 30,
    RANK_INTERN = 40,
    RANK_COLLECTOR = 50,
    RANK_WORLD = 60,
    RANK_MODULES = 70,
    RANK_LEAF = 100, /* takes nothing inside */
};

struct mutex {
    PyMutex m;
    uint8_t rank;
};
#define MUTEX_INIT(r)                                                                              \
    {                                                                                              \
        {0}, (r)                                                                                   \
    }

#ifdef NDEBUG
static inline void rank_push(enum lock_rank rank)
{
    (void)rank;
}
static inline void rank_pop(enum lock_rank rank)
{
    (void)rank;
}
#else
void rank_push(enum lock_rank rank);
void rank_pop(enum lock_rank rank);
#endif

static inline void ranked_lock(struct mutex *m)
{
    rank_push((enum lock_rank)m->rank);
    mutex_lock(&m->m);
}
static inline void ranked_unlock(struct mutex *m)
{
    mutex_unlock(&m->m);
    rank_pop((enum lock_rank)m->rank);
}

/* A mutex its holder may take again. */
struct recursive_mutex {
    PyMutex m;
    uint32_t depth;
    uintptr_t owner;
};
void recursive_lock(struct recursive_mutex *m);
/* 0, or -1 if the caller does not hold it. */
int recursive_unlock(struct recursive_mutex *m);
bool recursive_is_held(const struct recursive_mutex *m);

/* -- Event, once, condition, rwlock ------------------------------------------------------------ */

struct event {
    uint8_t set;
};
bool event_is_set(const struct event *e);
void event_set(struct event *e);
/* True if it was set in time. Detaches. timeout_ns < 0: no limit. */
bool event_wait(struct event *e, int64_t timeout_ns);

/* if (once_begin(&o)) { ...; once_end(&o, ok); } : one caller at a time gets true, until one ends
 * with ok; the others wait, detached. */
struct once {
    uint8_t state;
};
bool once_begin_slow(struct once *o);
void once_end(struct once *o, bool ok);
static inline bool once_begin(struct once *o)
{
    return likely(atomic_load_acquire(&o->state) == 2) ? false : once_begin_slow(o);
}

struct condition {
    uint32_t sequence;
};
/* Unlocks m, waits, locks m. False on timeout. May wake for no reason. */
bool condition_wait(struct condition *c, PyMutex *m, int64_t timeout_ns);
void condition_signal(struct condition *c);
void condition_broadcast(struct condition *c);

/* Many readers or one writer; writers first. */
struct rwlock {
    uint32_t bits; /* 1 writer, 2 waited for, 4.. number of readers */
};
void rwlock_read(struct rwlock *l);
void rwlock_read_unlock(struct rwlock *l);
void rwlock_write(struct rwlock *l);
void rwlock_write_unlock(struct rwlock *l);

/* -- Critical sections ------------------------------------------------------------------------- */

/* The lock of one object, or of two, for as long as the section lasts or until the thread blocks:
 * a section is suspended whenever its thread detaches (waits for another lock, runs
 * Py_BEGIN_ALLOW_THREADS), and what the object protects must be looked at anew after
 * anything that may do so. Sections nest; taking the lock of the innermost one again is free.
 * No return or goto out of one without ending it.
 *
 *     CRITICAL_SECTION(op);
 *     ...
 *     CRITICAL_SECTION_END();
 *
 * The public macros Py_BEGIN_CRITICAL_SECTION and its kin mean the same inside the tree. */
#if LOCK_SHARED

/* While only one thread state exists (lock_alone), nobody could come in between two instructions, and objects are locked
 * by plain stores. It ends before a second one attaches (thread.c), so locks taken meanwhile are locks to everybody. */
static inline bool object_try_lock(PyMutex *m)
{
    uint8_t bits = 0;
    if (likely(atomic_load_acquire(&lock_alone))) {
        bits = atomic_load_relaxed(&m->_bits);
        if (likely(!bits)) {
            atomic_store_relaxed(&m->_bits, (uint8_t)MUTEX_LOCKED);
        }
        return !bits;
    }
    return atomic_cas(&m->_bits, &bits, (uint8_t)MUTEX_LOCKED);
}

static inline void object_unlock(PyMutex *m)
{
    if (likely(atomic_load_acquire(&lock_alone)
               && atomic_load_relaxed(&m->_bits) == MUTEX_LOCKED)) {
        atomic_store_relaxed(&m->_bits, (uint8_t)0);
    } else {
        mutex_unlock(m);
    }
}

void critical_begin_slow(PyCriticalSection *c, PyMutex *m);
void critical2_begin_mutexes(PyCriticalSection2 *c, PyMutex *a, PyMutex *b);
void critical_suspend_all(struct thread *self);
void critical_resume_top(struct thread *self);

enum {
    CRITICAL_SUSPENDED = 1, /* tag of the link to a section: its locks are not held */
    CRITICAL_TWO = 2,
    CRITICAL_TAGS = 3,
};

static inline void critical_begin_mutex(PyCriticalSection *c, PyMutex *m)
{
    if (likely(object_try_lock(m))) {
        PyThreadState *ts = &thread_self()->ts;
        c->_cs_mutex = m;
        c->_cs_prev = ts->critical_section;
        ts->critical_section = (uintptr_t)c;
    } else {
        critical_begin_slow(c, m);
    }
}

static inline void critical_begin(PyCriticalSection *c, PyObject *op)
{
    critical_begin_mutex(c, &op->ob_mutex);
}

static inline void critical_pop(uintptr_t previous)
{
    struct thread *self = thread_self();
    self->ts.critical_section = previous;
    if (unlikely(previous & CRITICAL_SUSPENDED)) {
        critical_resume_top(self);
    }
}

static inline void critical_end(PyCriticalSection *c)
{
    if (likely(c->_cs_mutex != NULL)) {
        object_unlock(c->_cs_mutex);
        critical_pop(c->_cs_prev);
    }
}

/* Locks in the order of addresses; a == b is one lock. */
static inline void critical2_begin(PyCriticalSection2 *c, PyObject *a, PyObject *b)
{
    critical2_begin_mutexes(c, &a->ob_mutex, &b->ob_mutex);
}

static inline void critical2_end(PyCriticalSection2 *c)
{
    if (likely(c->_cs_base._cs_mutex != NULL)) {
        if (c->_cs_mutex2) {
            object_unlock(c->_cs_mutex2);
        }
        object_unlock(c->_cs_base._cs_mutex);
        critical_pop(c->_cs_base._cs_prev);
    }
}

#define CRITICAL_SECTION(op)                                                                       \
    {                                                                                              \
        PyCriticalSection cs_;                                                                     \
        critical_begin(&cs_, (PyObject *)(op))
#define CRITICAL_SECTION_MUTEX(m)                                                                  \
    {                                                                                              \
        PyCriticalSection cs_;                                                                     \
        critical_begin_mutex(&cs_, (m))
#define CRITICAL_SECTION_END()                                                                     \
    critical_end(&cs_);                                                                            \
    }
#define CRITICAL_SECTION2(a, b)                                                                    \
    {                                                                                              \
        PyCriticalSection2 cs2_;                                                                   \
        critical2_begin(&cs2_, (PyObject *)(a), (PyObject *)(b))
#define CRITICAL_SECTION2_END()                                                                    \
    critical2_end(&cs2_);                                                                          \
    }

/* For assertions: is op's lock held (by anybody)? */
static inline bool object_is_locked(PyObject *op)
{
    return mutex_is_locked(&op->ob_mutex);
}

#else

#define CRITICAL_SECTION(op)                                                                       \
    {                                                                                              \
        (void)(op)
#define CRITICAL_SECTION_MUTEX(m)                                                                  \
    {                                                                                              \
        (void)(m)
#define CRITICAL_SECTION_END() }
#define CRITICAL_SECTION2(a, b)                                                                    \
    {                                                                                              \
        (void)(a), (void)(b)
#define CRITICAL_SECTION2_END() }

static inline void critical_suspend_all(struct thread *self)
{
    (void)self;
}
static inline void critical_resume_top(struct thread *self)
{
    (void)self;
}
static inline bool object_is_locked(PyObject *op)
{
    (void)op;
    return true;
}

#endif

#undef Py_BEGIN_CRITICAL_SECTION
#undef Py_END_CRITICAL_SECTION
#undef Py_BEGIN_CRITICAL_SECTION2
#undef Py_END_CRITICAL_SECTION2
#define Py_BEGIN_CRITICAL_SECTION(op) CRITICAL_SECTION(op)
#define Py_END_CRITICAL_SECTION() CRITICAL_SECTION_END()
#define Py_BEGIN_CRITICAL_SECTION2(a, b) CRITICAL_SECTION2(a, b)
#define Py_END_CRITICAL_SECTION2() CRITICAL_SECTION2_END()

#endif
