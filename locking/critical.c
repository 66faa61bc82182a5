/* Critical sections: how they begin when the lock is taken, and their suspension.
 *
 * A thread's sections form a stack linked by _cs_prev. The link to a section carries two tags: that its
 * locks are not held now, and that it has two. Held sections are always the topmost ones.
 * While a section waits for its lock, its lock field is NULL, so that suspending it releases nothing. */
#include "locking/internal.h"

#if LOCK_SHARED

static inline PyCriticalSection *section_of(uintptr_t link)
{
    return (PyCriticalSection *)(link & ~(uintptr_t)CRITICAL_TAGS);
}

static inline bool holds(uintptr_t link, PyMutex *m)
{
    PyCriticalSection *c = section_of(link);
    return link && !(link & CRITICAL_SUSPENDED)
           && (c->_cs_mutex == m
               || (link & CRITICAL_TWO && ((PyCriticalSection2 *)c)->_cs_mutex2 == m));
}

void critical_begin_slow(PyCriticalSection *c, PyMutex *m)
{
    struct thread *self = thread_self();
    c->_cs_mutex = NULL;
    c->_cs_prev = self->ts.critical_section;
    if (holds(c->_cs_prev, m)) {
        return; /* the innermost section has it already; not linked in, end does nothing */
    }
    self->ts.critical_section = (uintptr_t)c;
    mutex_lock(m);
    c->_cs_mutex = m;
}

static inline void object_lock(PyMutex *m)
{
    if (unlikely(!object_try_lock(m))) {
        mutex_lock(m);
    }
}

void critical2_begin_mutexes(PyCriticalSection2 *c, PyMutex *a, PyMutex *b)
{
    struct thread *self = thread_self();
    if (a == b) {
        c->_cs_mutex2 = NULL;
        critical_begin_mutex(&c->_cs_base, a);
        return;
    }
    if ((uintptr_t)a > (uintptr_t)b) {
        PyMutex *swap = a;
        a = b;
        b = swap;
    }
    c->_cs_base._cs_mutex = c->_cs_mutex2 = NULL;
    c->_cs_base._cs_prev = self->ts.critical_section;
    if (holds(c->_cs_base._cs_prev, a) && holds(c->_cs_base._cs_prev, b)) {
        return;
    }
    self->ts.critical_section = (uintptr_t)c | CRITICAL_TWO;
    object_lock(a);
    object_lock(b);
    c->_cs_base._cs_mutex = a;
    c->_cs_mutex2 = b;
}

void critical_suspend_all(struct thread *self)
{
    uintptr_t *link = &self->ts.critical_section;
    while (*link && !(*link & CRITICAL_SUSPENDED)) {
        PyCriticalSection *c = section_of(*link);
        if (c->_cs_mutex) {
            if (*link & CRITICAL_TWO) {
                mutex_unlock(((PyCriticalSection2 *)c)->_cs_mutex2);
            }
            mutex_unlock(c->_cs_mutex);
        }
        *link |= CRITICAL_SUSPENDED;
        link = &c->_cs_prev;
    }
}

void critical_resume_top(struct thread *self)
{
    uintptr_t link = self->ts.critical_section;
    if (!(link & CRITICAL_SUSPENDED)) {
        return;
    }
    PyCriticalSection *c = section_of(link);
    PyCriticalSection2 *two = link & CRITICAL_TWO ? (PyCriticalSection2 *)c : NULL;
    PyMutex *m = c->_cs_mutex, *m2 = two ? two->_cs_mutex2 : NULL;
    c->_cs_mutex = NULL;
    if (two) {
        two->_cs_mutex2 = NULL;
    }
    self->ts.critical_section = link & ~(uintptr_t)CRITICAL_SUSPENDED;
    if (m) {
        mutex_lock(m);
    }
    if (m2) {
        mutex_lock(m2);
    }
    c->_cs_mutex = m;
    if (two) {
        two->_cs_mutex2 = m2;
    }
}

void PyCriticalSection_Begin(PyCriticalSection *c, PyObject *op)
{
    critical_begin(c, op);
}

void PyCriticalSection_End(PyCriticalSection *c)
{
    critical_end(c);
}

void PyCriticalSection2_Begin(PyCriticalSection2 *c, PyObject *a, PyObject *b)
{
    critical2_begin(c, a, b);
}

void PyCriticalSection2_End(PyCriticalSection2 *c)
{
    critical2_end(c);
}

#else

/* The default build exports them too; its objects have no locks. */
PyAPI_FUNC(void) PyCriticalSection_Begin(PyCriticalSection *c, PyObject *op);
PyAPI_FUNC(void) PyCriticalSection_End(PyCriticalSection *c);
PyAPI_FUNC(void) PyCriticalSection2_Begin(PyCriticalSection2 *c, PyObject *a, PyObject *b);
PyAPI_FUNC(void) PyCriticalSection2_End(PyCriticalSection2 *c);

void PyCriticalSection_Begin(PyCriticalSection *c, PyObject *op)
{
    (void)c, (void)op;
}

void PyCriticalSection_End(PyCriticalSection *c)
{
    (void)c;
}

void PyCriticalSection2_Begin(PyCriticalSection2 *c, PyObject *a, PyObject *b)
{
    (void)c, (void)a, (void)b;
}

void PyCriticalSection2_End(PyCriticalSection2 *c)
{
    (void)c;
}

#endif
