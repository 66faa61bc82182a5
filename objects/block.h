/*
 * Arrays and tables that belong to one object: small ones come from the slabs, which is a few instructions
 * either way. Who frees one says how large it was.
 */
#ifndef KRAIT_OBJECTS_BLOCK_H
#define KRAIT_OBJECTS_BLOCK_H

#include "alloc/slab.h"
#include "objects/shared.h"

enum { BLOCK_SMALL = 1024 };

/* NULL without an exception when there is no memory. */
static inline void *block_alloc(size_t size)
{
    return likely(size <= BLOCK_SMALL) ? slab_alloc(size, SLAB_RAW) : PyMem_Malloc(size);
}

static inline void block_free(void *block, size_t size)
{
    if (likely(size <= BLOCK_SMALL)) {
        slab_free_sized(block, size, SLAB_RAW);
    } else {
        PyMem_Free(block);
    }
}

/* The block with another size, maybe elsewhere; NULL: no memory, the old one stays. */
static inline void *block_resize(void *block, size_t old_size, size_t size)
{
    if (old_size > BLOCK_SMALL && size > BLOCK_SMALL) {
        return PyMem_Realloc(block, size);
    }
    void *moved = block_alloc(size);
    if (moved != NULL) {
        memcpy(moved, block, old_size < size ? old_size : size);
        block_free(block, old_size);
    }
    return moved;
}

/* Frees a block that op does not use any more, but readers without a lock may. Lock held. */
static inline void block_retire(PyObject *op, void *block, size_t size)
{
    if (shared_is_read(op)) {
        qsbr_retire(block, size <= BLOCK_SMALL ? slab_free : PyMem_Free);
    } else {
        block_free(block, size);
    }
}

#endif
