/* Between the files of objects/gc/ only. */
#ifndef KRAIT_OBJECTS_GC_STATE_H
#define KRAIT_OBJECTS_GC_STATE_H

#include "objects/gc/gc.h"

#include "objects/object.h"
#include "objects/weakref.h"

/* Appends; false without memory. */
bool gc_list_add(struct gc_list *list, PyObject *op);
void gc_list_drop(struct gc_list *list); /* frees it */

/* The search (search.c). The world is stopped, or the global lock held. */

/* Fills `found` with the tracked objects of the generations 0..generation. False without memory. */
bool gc_find_candidates(struct gc_state *gc, int generation, struct gc_list *found);

/* Sets GC_UNREACHABLE in those of `list` that nothing outside of it refers to; `held` is the number of
 * references to each that do not count. False without memory: then no bit is set. */
bool gc_mark_unreachable(struct interp_state *interp, const struct gc_list *list, Py_ssize_t held);

/* Clears the bit in `op` and all that it refers to. `stack` is empty and has room for all. */
void gc_mark_reachable_from(PyObject *op, struct gc_list *stack);

static inline bool gc_has(PyObject *op, uint8_t bit)
{
    return field_load(object_gc_byte(op)) & bit;
}

#endif
