/* Memory of objects whose size is counted in bytes and that refer to nothing: str and bytes. */
#ifndef KRAIT_OBJECTS_ATOM_H
#define KRAIT_OBJECTS_ATOM_H

#include "alloc/slab.h"

#include <string.h>

/* Uninitialised; NULL when memory is short (no exception).  Freed by object_free() or tp_free. */
static inline void *atom_alloc(size_t size)
{
    return slab_alloc(size, SLAB_ATOM);
}

/* Another size for the object at `p`, which nobody else knows and which may move; NULL leaves it as
 * it was.  One that grows little by little gets room to spare, so that it is not moved each time. */
static inline void *atom_realloc(void *p, size_t old_size, size_t size)
{
    size_t usable = slab_usable(p);
    if (size <= usable && size >= usable - (usable >> 2)) {
        prim_unpoison(p, size);
        return p;
    }
    size_t room = size;
    if (size > usable && size - old_size < size >> 3 && size <= SIZE_MAX / 2) {
        room += size >> 3;
    }
    void *moved = slab_alloc(room, SLAB_ATOM);
    if (moved != NULL) {
        memcpy(moved, p, old_size < size ? old_size : size);
        slab_free(p);
    }
    return moved;
}

#endif
