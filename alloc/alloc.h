/* Memory blocks: three domains over the chosen backend, with hooks that cost nothing while unused.
 *
 * mem_* is what Krait's own code calls for arrays, tables and buffers. Python objects come from
 * slab.h. PyMem_* and PyObject_Malloc (api.c) are the same functions for extensions.
 *
 * Every function fails by returning NULL, sets no exception, runs no Python code, and may be
 * called from any thread; with or without locks. A request of 0 bytes gives a unique pointer; one
 * beyond PTRDIFF_MAX fails. A block is freed in the domain it came from. */
#ifndef KRAIT_ALLOC_H
#define KRAIT_ALLOC_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "backend.h"
#include "prim.h"

enum mem_domain {
    MEM_RAW,    /* any thread, attached or not */
    MEM_MEM,    /* attached threads: arrays, tables, buffers */
    MEM_OBJECT, /* blocks that extensions take by PyObject_Malloc; may hold objects */
    MEM_DOMAINS
};

/* -- Blocks ---------------------------------------------------------------------------------- */

/* Not zero while a domain's blocks must take the slow road: a debug fill, a trace, a failure to
 * inject, or an allocator set from outside. One bit per domain. */
extern uint8_t mem_hooked;
/* Bit of mem_hooked: slab_alloc must take the slow road as well. */
enum { MEM_HOOKED_SLABS = 0x80 };

void *mem_alloc_hooked(enum mem_domain domain, size_t size);
void *mem_calloc_hooked(enum mem_domain domain, size_t count, size_t size);
void *mem_realloc_hooked(enum mem_domain domain, void *p, size_t size);
void mem_free_hooked(enum mem_domain domain, void *p);

static inline bool mem_is_hooked(enum mem_domain domain)
{
    return unlikely(atomic_load_relaxed(&mem_hooked) & (1u << domain));
}

/* MEM_OBJECT always takes the long way: such a block may live in a slab (see api.c). */
static inline void *mem_alloc(enum mem_domain domain, size_t size)
{
    if (unlikely(domain == MEM_OBJECT || mem_is_hooked(domain) || size > PTRDIFF_MAX)) {
        return mem_alloc_hooked(domain, size);
    }
    return backend_alloc(size ? size : 1);
}

/* count * size zeroed bytes; an overflow of the product is a failure. */
static inline void *mem_calloc(enum mem_domain domain, size_t count, size_t size)
{
    if (unlikely(domain == MEM_OBJECT || mem_is_hooked(domain) || !count || !size
                 || count > PTRDIFF_MAX / size)) {
        return mem_calloc_hooked(domain, count, size);
    }
    return backend_calloc(count, size);
}

/* On failure the old block stays as it was. p == NULL allocates. */
static inline void *mem_realloc(enum mem_domain domain, void *p, size_t size)
{
    if (unlikely(domain == MEM_OBJECT || mem_is_hooked(domain) || size > PTRDIFF_MAX)) {
        return mem_realloc_hooked(domain, p, size);
    }
    return backend_realloc(p, size ? size : 1);
}

static inline void mem_free(enum mem_domain domain, void *p)
{
    if (unlikely(domain == MEM_OBJECT || mem_is_hooked(domain))) {
        mem_free_hooked(domain, p);
        return;
    }
    backend_free(p);
}

/* `alignment` is a power of two; freed with mem_aligned_free. Not seen by hooks but the counter of
 * injected failures. */
void *mem_aligned(size_t alignment, size_t size);
void mem_aligned_free(void *p);

/* `count` items of one type; NULL also when count * sizeof overflows. */
#define mem_array(type, count) ((type *)mem_array_bytes((count), sizeof(type)))
#define mem_array_resize(p, count)                                                                 \
    ((__typeof__(p))mem_array_resize_bytes((p), (count), sizeof(*(p))))
static inline void *mem_array_bytes(size_t count, size_t item)
{
    size_t bytes;
    return __builtin_mul_overflow(count, item, &bytes) ? NULL : mem_alloc(MEM_MEM, bytes);
}
static inline void *mem_array_resize_bytes(void *p, size_t count, size_t item)
{
    size_t bytes;
    return __builtin_mul_overflow(count, item, &bytes) ? NULL : mem_realloc(MEM_MEM, p, bytes);
}

/* A copy in the raw domain of a zero-terminated string; NULL on failure. */
char *mem_strdup(const char *s);

/* -- Usage ----------------------------------------------------------------------------------- */

struct mem_usage {
    size_t slab_bytes;  /* spans, used or not */
    size_t slab_blocks; /* live blocks in spans */
    size_t large_bytes; /* large objects */
    size_t large_blocks;
    size_t grace_bytes;   /* freed, but a reader may still look */
    size_t backend_bytes; /* what the backend tells, or 0 */
};

/* Walks all spans; the figures of other threads' spans are those of a moment. */
void mem_usage(struct mem_usage *usage);

/* -- Hooks ----------------------------------------------------------------------------------- */

/* Makes allocations fail, for tests: counting from now, the ones numbered first..last-1 (from 1)
 * give NULL; last == 0 means for ever, first == 0 switches it off. Counts every domain and slab. */
void mem_fail_nth(size_t first, size_t last);

/* Fills new blocks with 0xCD and freed ones with 0xDD, keeps guard bytes around each, and stops
 * the program with a report when they were damaged or the domain is wrong. To be switched on
 * before the first allocation of the domains (PYTHONMALLOC=debug). */
void mem_debug_enable(void);

/* The tracer's hook points. `track` is called after an allocation (a block that moved or grew is
 * untracked first), `untrack` before a free; neither may allocate from a traced domain without
 * guarding against its own recursion. NULL, NULL removes them. A tracer may make an
 * allocation fail by returning -1 from track. */
typedef int (*mem_track_fn)(unsigned domain, uintptr_t p, size_t size);
typedef void (*mem_untrack_fn)(unsigned domain, uintptr_t p);
void mem_set_trace(mem_track_fn track, mem_untrack_fn untrack);
int mem_trace_add(unsigned domain, uintptr_t p, size_t size);
void mem_trace_remove(unsigned domain, uintptr_t p);

/* Applies the value of PYTHONMALLOC (NULL or "" = default). -1 and nothing done if it is unknown
 * or not allowed in this build; *name then has the reason. Before the first allocation only. */
int mem_configure(const char *value, const char **reason);

/* What sys and _testcapi call the current allocator: "malloc", "mimalloc", "mimalloc_debug",
 * "jemalloc" ..., or NULL if one was set from outside. */
const char *mem_allocator_name(void);

/* A tracer is installed. */
bool mem_trace_is_on(void);

/* For the debug hooks: may this thread use memory that is not raw? NULL: nobody knows yet. */
extern bool (*mem_may_allocate)(void);

#endif
