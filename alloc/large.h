/* Objects beyond SLAB_MAX: one backend block each, in a list. Between the files of alloc/ only.
 *
 *     struct large | 32 bytes, whose end is the pre-header if there is one | object */
#ifndef KRAIT_ALLOC_LARGE_H
#define KRAIT_ALLOC_LARGE_H

#include "alloc/slab.h"

struct large {
    struct large *next, *prev;
    size_t size; /* bytes of the object */
    uint64_t grace;
    uint32_t work;
    uint8_t gc_byte, kind;
    uint16_t arena;
};

enum { LARGE_FRONT = 80 };
_Static_assert(sizeof(struct large) + 32 <= LARGE_FRONT, "record and pre-header fit");

static inline struct large *large_of(const void *p)
{
    return (struct large *)((char *)(uintptr_t)p - LARGE_FRONT);
}

static inline enum slab_kind large_kind(const void *p)
{
    return (enum slab_kind)large_of(p)->kind;
}

static inline size_t large_usable(const void *p)
{
    return large_of(p)->size;
}

void *large_alloc(size_t size, enum slab_kind kind);
void large_free(void *p);
/* Without late readers only. */
void *large_resize(void *p, size_t size);
/* Any pointer; slow. */
bool large_holds_object(const void *p);
int large_each_gc(uint8_t mask, slab_visit_fn fn, void *arg);
int large_each(unsigned kinds, slab_visit_fn fn, void *arg);
void large_usage(struct mem_usage *usage);
void large_set_grace(const struct slab_grace *grace);
void large_reclaim(void);
void large_after_fork_child(void);

#endif
