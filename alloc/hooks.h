/* Between the files of alloc/ only: the tables behind the domains. */
#ifndef KRAIT_ALLOC_HOOKS_H
#define KRAIT_ALLOC_HOOKS_H

#include "alloc/slab.h"

/* As the public PyMemAllocatorEx. */
struct mem_table {
    void *ctx;
    void *(*malloc)(void *ctx, size_t size);
    void *(*calloc)(void *ctx, size_t count, size_t size);
    void *(*realloc)(void *ctx, void *p, size_t size);
    void (*free)(void *ctx, void *p);
};

void mem_table_get(enum mem_domain domain, struct mem_table *table);
void mem_table_set(enum mem_domain domain, const struct mem_table *table);
bool mem_debug_is_enabled(void);

/* Counts this allocation; true if it is one that mem_fail_nth chose. */
bool mem_must_fail(void);

/* slab_alloc, slab_resize and slab_free without hooks. */
void *slab_alloc_plain(size_t size, enum slab_kind kind);
void *slab_resize_plain(void *p, size_t size);
void slab_free_plain(void *p);
/* p came from slab_alloc with a kind other than SLAB_RAW. Slow. */
bool slab_holds_object(const void *p);

#endif
