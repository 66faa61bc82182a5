/*
 * The cycle collector.
 *
 * Every object of a type with HAVE_GC has a gc byte (object_gc_byte): tracked, finalized and so on.
 * There is no collector header, and no list links: containers are found by their slabs, and while a
 * collection runs each candidate has a working count in a side array.
 *
 * With a global lock collections are generational. A slot whose object becomes tracked is entered
 * into the list of young ones, once: the bit GC_YOUNG says that it stands there, and stays with the
 * slot when its object dies. So the list grows with the number of slots in use, and a loop that makes
 * and drops one tuple after the other never starts a collection. Objects that survive go to the
 * middle list, then are old (GC_OLDER) and are looked at by full collections only.
 *
 * Without a global lock every collection is a full one, with the world stopped while it searches;
 * finalizers, weak-reference callbacks and tp_clear run with the world running.
 */
#ifndef KRAIT_OBJECTS_GC_H
#define KRAIT_OBJECTS_GC_H

#include "locking/refs.h"
#include "locking/world.h"

/* ---- tracking -------------------------------------------------------------------------------- */

void gc_young_add(PyObject *op, uint8_t *byte);
void gc_count_flush(struct thread *self);
void gc_count_down(void);

/* Several threads may change other bits of the byte of an object that they know. */
static inline void gc_byte_set(PyObject *op, uint8_t bits)
{
    uint8_t *byte = object_gc_byte(op);
    if (!lock_threads_run_together() || ref_is_unique(op)) {
        field_store(byte, (uint8_t)(field_load(byte) | bits));
    } else {
        field_or(byte, bits);
    }
}

static inline void gc_byte_clear(PyObject *op, uint8_t bits)
{
    uint8_t *byte = object_gc_byte(op);
    if (!lock_threads_run_together() || ref_is_unique(op) || ref_is_dead(op)) {
        field_store(byte, (uint8_t)(field_load(byte) & ~bits));
    } else {
        field_and(byte, (uint8_t)~bits);
    }
}

enum { GC_COUNT_BATCH = 64 };

/* From now on the collector looks at op: all its fields are valid. Tracked ones stay so. Runs no Python
 * code; a collection may start at the next safe point. */
static inline void gc_track(PyObject *op)
{
    if (lock_threads_run_together()) {
        gc_byte_set(op, GC_TRACKED);
        struct thread *self = thread_self();
        if (unlikely(++self->gc_net >= GC_COUNT_BATCH)) {
            gc_count_flush(self);
        }
    } else {
        uint8_t *byte = object_gc_byte(op);
        *byte |= GC_TRACKED;
        if (unlikely(!(*byte & GC_YOUNG))) {
            gc_young_add(op, byte);
        }
    }
}

/* The collector leaves op alone. Nothing happens if it is not tracked. */
static inline void gc_untrack(PyObject *op)
{
    if (lock_threads_run_together()) {
        if (field_load(object_gc_byte(op)) & GC_TRACKED) {
            gc_byte_clear(op, GC_TRACKED);
            struct thread *self = thread_self();
            if (unlikely(--self->gc_net <= -GC_COUNT_BATCH)) {
                gc_count_flush(self);
            }
        }
    } else {
        uint8_t *byte = object_gc_byte(op);
        if (SLAB_DIRECT && *byte & GC_TRACKED) {
            gc_count_down();
        }
        *byte &= (uint8_t) ~(GC_TRACKED | GC_OLDER | GC_FROZEN);
    }
}

/* gc_track() for an object that has just been made, of at most SLAB_MAX bytes. */
static inline void gc_track_new(PyObject *op)
{
    uint8_t *byte = object_gc_byte_small(op);
    if (lock_threads_run_together()) {
        field_store(byte, (uint8_t)GC_TRACKED);
        struct thread *self = thread_self();
        if (unlikely(++self->gc_net >= GC_COUNT_BATCH)) {
            gc_count_flush(self);
        }
    } else {
        uint8_t was = *byte;
        *byte = GC_TRACKED | GC_YOUNG;
        if (unlikely(was != GC_YOUNG)) {
            *byte = GC_TRACKED;
            gc_young_add(op, byte);
        }
    }
}

/* gc_untrack() for a dead object of at most SLAB_MAX bytes; its gc byte is clear then, so that
 * slab_free_sized() takes it. */
static inline void gc_untrack_dead(PyObject *op)
{
    uint8_t *byte = object_gc_byte_small(op);
    if (lock_threads_run_together()) {
        if (field_load(byte) & GC_TRACKED) {
            field_store(byte, (uint8_t)(field_load(byte) & ~GC_TRACKED));
            struct thread *self = thread_self();
            if (unlikely(--self->gc_net <= -GC_COUNT_BATCH)) {
                gc_count_flush(self);
            }
        }
    } else {
        if (SLAB_DIRECT && *byte & GC_TRACKED) {
            gc_count_down();
        }
        *byte &= GC_YOUNG;
    }
}

static inline bool gc_is_tracked(PyObject *op)
{
    return field_load(object_gc_byte(op)) & GC_TRACKED;
}
static inline bool gc_is_finalized(PyObject *op)
{
    return field_load(object_gc_byte(op)) & GC_FINALIZED;
}
static inline void gc_set_finalized(PyObject *op)
{
    gc_byte_set(op, GC_FINALIZED);
}

/* Whether op has a gc byte at all: its type says so, and static types have none. */
static inline bool gc_is_container(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    return type->tp_flags & Py_TPFLAGS_HAVE_GC && (!type->tp_is_gc || type->tp_is_gc(op));
}

/* ---- collecting ------------------------------------------------------------------------------ */

/* Finds and frees unreachable cycles of the generations 0..generation (0, 1 or 2; without a global lock
 * always all). Gives how many objects were unreachable; 0 if a collection is under way. Errors in
 * finalizers are reported as unraisable; the current exception is kept. Runs Python code. Attached, no
 * locks held. */
Py_ssize_t gc_collect(int generation);

/* Calls visit(op, arg) for every object that the registers of the interpreter's threads hold without a
 * count. The world is stopped, or the global lock held. Runs no Python code. */
typedef void (*gc_roots_fn)(struct interp_state *interp, visitproc visit, void *arg);
/* At start-up; at most four. */
void gc_register_roots(gc_roots_fn fn);

/* What is tracked now is left alone by collections, until gc_unfreeze. */
void gc_freeze(void);
void gc_unfreeze(void);

/* ---- state of an interpreter, also what the gc module shows ---------------------------------- */

struct gc_list {
    PyObject **item; /* borrowed, and maybe of objects that died: see GC_YOUNG */
    size_t count, capacity;
};

struct gc_stats {
    Py_ssize_t collections, collected, uncollectable;
};

enum { GC_GENERATIONS = 3 };
enum {
    GC_DEBUG_STATS = 1,
    GC_DEBUG_COLLECTABLE = 2,
    GC_DEBUG_UNCOLLECTABLE = 4,
    GC_DEBUG_SAVEALL = 32,
    GC_DEBUG_LEAK = 38
};

struct gc_state {
    bool enabled;
    bool collecting;
    bool starting; /* see gc_start_up() */
    int debug;
    int threshold[GC_GENERATIONS];
    int count
        [GC_GENERATIONS]; /* [0]: containers made, less those untracked; [1], [2]: collections of
                                  the generation below since */
    struct gc_stats stats[GC_GENERATIONS];
    struct gc_list young, middle;
    Py_ssize_t old_total, old_pending; /* survivors of the last full collection; those since */
    PyObject *garbage;                 /* list, owned */
    PyObject *callbacks;               /* list, owned */
};

/* Makes the state of a new interpreter, and gives it its lists once lists can be made. 0 or -1 without
 * memory. */
int gc_interp_init(struct interp_state *interp);
int gc_interp_ready(struct interp_state *interp);
/* Start-up begins (true) or is over. What it makes stays nearly always, and is old at once: nothing is collected
 * meanwhile, unless it makes very much. */
void gc_start_up(struct interp_state *interp, bool starting);
/* Drops garbage and callbacks; then, without objects left, the rest. */
void gc_interp_clear(struct interp_state *interp);
void gc_interp_fini(struct interp_state *interp);
struct gc_state *gc_state_of(struct interp_state *interp);

/* Calls fn for each tracked object of a generation (-1: all), new references held meanwhile.
 * Stops with fn's result if not 0; -1 also for no memory (with MemoryError). fn may run Python
 * code. */
int gc_each(int generation, int (*fn)(PyObject *op, void *arg), void *arg);
/* The same for those that `wanted` says yes to. It is asked while no other thread runs: it may look at their insides, but
 * neither run Python code nor take a lock. */
int gc_each_of(int generation, bool (*wanted)(PyObject *op, void *arg),
               int (*fn)(PyObject *op, void *arg), void *arg);
/* Calls fn for each object that `op`'s traverse function visits, new references held meanwhile; as above. */
int gc_each_referent(PyObject *op, int (*fn)(PyObject *op, void *arg), void *arg);
Py_ssize_t gc_frozen_count(void);

#endif
