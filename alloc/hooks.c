/* The slow road of mem_*: allocators set from outside, injected failures, tracing.
 *
 * Each domain has a table of functions. While a table is the built-in one and nothing is hooked,
 * mem_alloc and its kin do not come here at all (MEM_OBJECT excepted). */
#include "alloc/hooks.h"

#include "alloc/slab.h"

#include <stdlib.h>

uint8_t mem_hooked;

/* -- The built-in tables ----------------------------------------------------------------------- */

static void *base_malloc(void *ctx, size_t size)
{
    (void)ctx;
    return backend_alloc(size ? size : 1);
}
static void *base_calloc(void *ctx, size_t count, size_t size)
{
    (void)ctx;
    return count && size ? backend_calloc(count, size) : backend_calloc(1, 1);
}
static void *base_realloc(void *ctx, void *p, size_t size)
{
    (void)ctx;
    return backend_realloc(p, size ? size : 1);
}
static void base_free(void *ctx, void *p)
{
    (void)ctx;
    backend_free(p);
}

static void *object_malloc(void *ctx, size_t size)
{
    (void)ctx;
    return slab_alloc_plain(size ? size : 1, SLAB_RAW);
}
static void *object_calloc(void *ctx, size_t count, size_t size)
{
    void *p = object_malloc(ctx, count * size);
    return p ? memset(p, 0, count * size) : NULL;
}
static void *object_realloc(void *ctx, void *p, size_t size)
{
    return p ? slab_resize_plain(p, size ? size : 1) : object_malloc(ctx, size);
}
static void object_free(void *ctx, void *p)
{
    (void)ctx;
    if (p) {
        slab_free_plain(p);
    }
}

static void *libc_malloc(void *ctx, size_t size)
{
    (void)ctx;
    return malloc(size ? size : 1);
}
static void *libc_calloc(void *ctx, size_t count, size_t size)
{
    (void)ctx;
    return count && size ? calloc(count, size) : calloc(1, 1);
}
static void *libc_realloc(void *ctx, void *p, size_t size)
{
    (void)ctx;
    return realloc(p, size ? size : 1);
}
static void libc_free(void *ctx, void *p)
{
    (void)ctx;
    free(p);
}

static const struct mem_table base_table = {NULL, base_malloc, base_calloc, base_realloc,
                                            base_free};
static const struct mem_table object_table = {NULL, object_malloc, object_calloc, object_realloc,
                                              object_free};
static const struct mem_table libc_table = {NULL, libc_malloc, libc_calloc, libc_realloc,
                                            libc_free};

static struct mem_table tables[MEM_DOMAINS] = {
    {NULL, base_malloc, base_calloc, base_realloc, base_free},
    {NULL, base_malloc, base_calloc, base_realloc, base_free},
    {NULL, object_malloc, object_calloc, object_realloc, object_free},
};
static bool using_libc;

static const struct mem_table *table_default(enum mem_domain domain)
{
    return domain == MEM_OBJECT ? &object_table : &base_table;
}

static bool table_equal(const struct mem_table *a, const struct mem_table *b)
{
    return a->ctx == b->ctx && a->malloc == b->malloc && a->calloc == b->calloc
           && a->realloc == b->realloc && a->free == b->free;
}

/* -- What is hooked ---------------------------------------------------------------------------- */

static struct {
    uint64_t seen, first, last; /* injected failures */
    mem_track_fn track;
    mem_untrack_fn untrack;
} hooks;

static void hooked_update(void)
{
    bool all = hooks.first != 0 || hooks.track != NULL;
    unsigned bits = all ? (1u << MEM_DOMAINS) - 1 : 0;
    if (all || mem_debug_is_enabled()) {
        bits |= MEM_HOOKED_SLABS;
    }
    for (int domain = 0; domain < MEM_DOMAINS; domain++) {
        if (!table_equal(&tables[domain], table_default((enum mem_domain)domain))) {
            bits |= 1u << domain;
        }
    }
    atomic_store_release(&mem_hooked, (uint8_t)bits);
}

void mem_table_get(enum mem_domain domain, struct mem_table *table)
{
    *table = tables[domain];
}

void mem_table_set(enum mem_domain domain, const struct mem_table *table)
{
    tables[domain] = *table;
    hooked_update();
}

void mem_fail_nth(size_t first, size_t last)
{
    hooks.seen = 0;
    hooks.first = first;
    hooks.last = last;
    hooked_update();
}

bool mem_must_fail(void)
{
    uint64_t first = atomic_load_relaxed(&hooks.first);
    if (likely(first == 0)) {
        return false;
    }
    uint64_t number = atomic_add_relaxed(&hooks.seen, 1) + 1;
    return number >= first && (hooks.last == 0 || number < hooks.last);
}

/* -- Tracing ----------------------------------------------------------------------------------- */

void mem_set_trace(mem_track_fn track, mem_untrack_fn untrack)
{
    atomic_store_release(&hooks.untrack, untrack);
    atomic_store_release(&hooks.track, track);
    hooked_update();
}

bool mem_trace_is_on(void)
{
    return atomic_load_acquire(&hooks.track) != NULL;
}

int mem_trace_add(unsigned domain, uintptr_t p, size_t size)
{
    mem_track_fn track = atomic_load_acquire(&hooks.track);
    return track ? track(domain, p, size) : 0;
}

void mem_trace_remove(unsigned domain, uintptr_t p)
{
    mem_untrack_fn untrack = atomic_load_acquire(&hooks.untrack);
    if (untrack) {
        untrack(domain, p);
    }
}

/* All Python-level domains are one to the tracer. */
static void *traced(enum mem_domain domain, void *p, size_t size)
{
    if (p && mem_trace_add(0, (uintptr_t)p, size) < 0) {
        tables[domain].free(tables[domain].ctx, p);
        return NULL;
    }
    return p;
}

/* -- The slow road ----------------------------------------------------------------------------- */

COLD void *mem_alloc_hooked(enum mem_domain domain, size_t size)
{
    if (size > PTRDIFF_MAX || mem_must_fail()) {
        return NULL;
    }
    struct mem_table *table = &tables[domain];
    return traced(domain, table->malloc(table->ctx, size), size);
}

COLD void *mem_calloc_hooked(enum mem_domain domain, size_t count, size_t size)
{
    if ((size && count > PTRDIFF_MAX / size) || mem_must_fail()) {
        return NULL;
    }
    if (!count || !size) {
        count = size = 1;
    }
    struct mem_table *table = &tables[domain];
    return traced(domain, table->calloc(table->ctx, count, size), count * size);
}

COLD void *mem_realloc_hooked(enum mem_domain domain, void *p, size_t size)
{
    if (size > PTRDIFF_MAX || mem_must_fail()) {
        return NULL;
    }
    struct mem_table *table = &tables[domain];
    uintptr_t old = (uintptr_t)p;
    void *moved = table->realloc(table->ctx, p, size);
    if (moved) {
        if (old) {
            mem_trace_remove(0, old);
        }
        /* The old block is gone, so a tracer without memory goes without this one. */
        mem_trace_add(0, (uintptr_t)moved, size);
    }
    return moved;
}

COLD void mem_free_hooked(enum mem_domain domain, void *p)
{
    if (!p) {
        return;
    }
    if (domain == MEM_OBJECT && slab_holds_object(p)) {
        slab_free(p); /* tp_free of an object: such never pass through a table */
        return;
    }
    mem_trace_remove(0, (uintptr_t)p);
    tables[domain].free(tables[domain].ctx, p);
}

void *mem_aligned(size_t alignment, size_t size)
{
    return size > PTRDIFF_MAX || mem_must_fail() ? NULL
                                                 : backend_aligned(alignment, size ? size : 1);
}

void mem_aligned_free(void *p)
{
    backend_free(p);
}

char *mem_strdup(const char *s)
{
    size_t size = strlen(s) + 1;
    char *copy = mem_alloc(MEM_RAW, size);
    return copy ? memcpy(copy, s, size) : NULL;
}

/* -- PYTHONMALLOC ------------------------------------------------------------------------------ */

static bool name_is(const char *value, const char *name, bool *debug)
{
    size_t length = strlen(name);
    if (strncmp(value, name, length) != 0) {
        return false;
    }
    *debug = strcmp(value + length, "_debug") == 0;
    return *debug || value[length] == '\0';
}

int mem_configure(const char *value, const char **reason)
{
    bool debug = false;
    if (!value || !*value || strcmp(value, "default") == 0) {
        return 0;
    }
    if (strcmp(value, "debug") == 0) {
        mem_debug_enable();
        return 0;
    }
    bool own = name_is(value, backend_name, &debug)
               || (!SLAB_SHARED_READERS && name_is(value, "pymalloc", &debug));
    if (!own) {
        if (!name_is(value, "malloc", &debug)) {
            *reason = "unknown allocator";
            return -1;
        }
        if (SLAB_SHARED_READERS) {
            *reason = "objects are read without locks and need this build's own allocator";
            return -1;
        }
        using_libc = true;
        for (int domain = 0; domain < MEM_DOMAINS; domain++) {
            mem_table_set((enum mem_domain)domain, &libc_table);
        }
    }
    if (debug) {
        mem_debug_enable();
    }
    return 0;
}

const char *mem_allocator_name(void)
{
    bool debug = mem_debug_is_enabled();
    if (using_libc) {
        return debug ? "malloc_debug" : "malloc";
    }
    if (debug) {
        return strcmp(backend_name, "malloc") == 0     ? "malloc_debug"
               : strcmp(backend_name, "jemalloc") == 0 ? "jemalloc_debug"
                                                       : "mimalloc_debug";
    }
    for (int domain = 0; domain < MEM_DOMAINS; domain++) {
        if (!table_equal(&tables[domain], table_default((enum mem_domain)domain))) {
            return NULL;
        }
    }
    return backend_name;
}
