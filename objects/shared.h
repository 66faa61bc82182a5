/*
 * Arrays that are read without a lock: when they must outlive their replacement.
 *
 * An object that only its owner has read may free a replaced array at once. The first reader from
 * another thread takes the object's lock and marks the object; from then on readers take no lock
 * and replaced arrays are retired. In the default build all of this is constant.
 */
#ifndef KRAIT_OBJECTS_SHARED_H
#define KRAIT_OBJECTS_SHARED_H

#include "Python.h"
#include "locking/lock.h"
#include "locking/refs.h"
#include "locking/world.h"

/* Whether this reader must take the lock (and then call shared_mark()). */
static inline bool shared_needs_lock(PyObject *op)
{
    return lock_threads_run_together() && !ref_is_mine(op)
           && !(field_load(object_gc_byte(op)) & GC_SHARED);
}

/* Says that readers without a lock may come. Lock held. */
static inline void shared_mark(PyObject *op)
{
    if (lock_threads_run_together() && !(field_load(object_gc_byte(op)) & GC_SHARED)) {
        field_or(object_gc_byte(op), (uint8_t)GC_SHARED);
    }
}

/* Lets this thread look at op's arrays without its lock: whoever replaces one from now on retires it. */
static inline void shared_join(PyObject *op)
{
    if (unlikely(shared_needs_lock(op))) {
        Py_BEGIN_CRITICAL_SECTION(op);
        shared_mark(op);
        Py_END_CRITICAL_SECTION();
    }
}

/* Whether such readers may be looking at op's arrays now. Lock held. */
static inline bool shared_is_read(PyObject *op)
{
    return lock_threads_run_together()
           && (!ref_is_mine(op) || (field_load(object_gc_byte(op)) & GC_SHARED));
}

/* A new reference to an item found under the lock, after which others find it without. */
static inline PyObject *shared_new_ref(PyObject *item)
{
    ref_inc_known(item);
    return item;
}

#endif
