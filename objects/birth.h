/*
 * Births of the objects that programs make all the time: the compiler knows their size or kind, so
 * that little is left but taking a slot off a list. For exact static types without a
 * pre-header; object_new() and object_new_raw() do the rest.
 */
#ifndef KRAIT_OBJECTS_BIRTH_H
#define KRAIT_OBJECTS_BIRTH_H

#include "alloc/slab.h"
#include "locking/refs.h"
#include "objects/gc/gc.h"
#include "objects/object.h"

/* Told of each object that begins and ends; for debuggers. */
extern struct ref_tracer {
    PyRefTracer function;
    void *data;
} ref_tracer;

static inline void birth_tell(PyObject *op)
{
    if (unlikely(ref_tracer.function != NULL)) {
        ref_tracer.function(op, PyRefTracer_CREATE, ref_tracer.data);
    }
}

static inline PyObject *birth(PyTypeObject *type, size_t size, enum slab_kind kind)
{
    PyObject *op = slab_alloc(size, kind);
    if (unlikely(op == NULL)) {
        return PyErr_NoMemory();
    }
    ref_init(op);
    field_store(&op->ob_type, type);
    birth_tell(op);
    return op;
}

/* `size` bytes, not cleared behind the header; not for the collector. New reference; NULL with MemoryError. */
static inline PyObject *birth_of_atom(PyTypeObject *type, size_t size)
{
    return birth(type, size, SLAB_ATOM);
}

/* The same for a container, not yet tracked. */
static inline PyObject *birth_of_container(PyTypeObject *type, size_t size)
{
    return birth(type, size, SLAB_GC);
}

/* The ends of these. `size` is what they were born with, to the class of the slot. */
static inline void death_of_atom(PyObject *op, size_t size)
{
    slab_free_sized(op, size, SLAB_ATOM);
}

/* After gc_untrack_dead(). */
static inline void death_of_container(PyObject *op, size_t size)
{
    slab_free_sized(op, size, SLAB_GC);
}

#endif
