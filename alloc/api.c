/* The memory functions of the C API. */
#include "Python.h"

#include "alloc/hooks.h"

_Static_assert(sizeof(struct mem_table) == sizeof(PyMemAllocatorEx), "one layout");
_Static_assert((int)PYMEM_DOMAIN_RAW == MEM_RAW && (int)PYMEM_DOMAIN_MEM == MEM_MEM
                   && (int)PYMEM_DOMAIN_OBJ == MEM_OBJECT,
               "one numbering");

#define DOMAIN_FUNCTIONS(prefix, domain)                                                           \
    void *prefix##Malloc(size_t size)                                                              \
    {                                                                                              \
        return mem_alloc(domain, size);                                                            \
    }                                                                                              \
    void *prefix##Calloc(size_t count, size_t size)                                                \
    {                                                                                              \
        return mem_calloc(domain, count, size);                                                    \
    }                                                                                              \
    void *prefix##Realloc(void *p, size_t size)                                                    \
    {                                                                                              \
        return mem_realloc(domain, p, size);                                                       \
    }                                                                                              \
    void prefix##Free(void *p)                                                                     \
    {                                                                                              \
        mem_free(domain, p);                                                                       \
    }

DOMAIN_FUNCTIONS(PyMem_Raw, MEM_RAW)
DOMAIN_FUNCTIONS(PyMem_, MEM_MEM)

/* PyObject_Malloc's blocks come from slabs, and PyObject_Free also frees objects (as tp_free). */
void *PyObject_Malloc(size_t size)
{
    if (unlikely(mem_is_hooked(MEM_OBJECT) || size > PTRDIFF_MAX)) {
        return mem_alloc_hooked(MEM_OBJECT, size);
    }
    return slab_alloc(size ? size : 1, SLAB_RAW);
}

void *PyObject_Calloc(size_t count, size_t size)
{
    return mem_calloc(MEM_OBJECT, count, size);
}

void *PyObject_Realloc(void *p, size_t size)
{
    return mem_realloc(MEM_OBJECT, p, size);
}

void PyObject_Free(void *p)
{
    if (unlikely(!p || mem_is_hooked(MEM_OBJECT))) {
        mem_free_hooked(MEM_OBJECT, p);
        return;
    }
    slab_free(p);
}

/* -- Allocators from outside ------------------------------------------------------------------- */

static bool domain_is_valid(PyMemAllocatorDomain domain)
{
    return (unsigned)domain < MEM_DOMAINS;
}

void PyMem_GetAllocator(PyMemAllocatorDomain domain, PyMemAllocatorEx *allocator)
{
    memset(allocator, 0, sizeof(*allocator));
    if (domain_is_valid(domain)) {
        mem_table_get((enum mem_domain)domain, (struct mem_table *)allocator);
    }
}

void PyMem_SetAllocator(PyMemAllocatorDomain domain, PyMemAllocatorEx *allocator)
{
    if (domain_is_valid(domain)) {
        mem_table_set((enum mem_domain)domain, (const struct mem_table *)allocator);
    }
}

void PyMem_SetupDebugHooks(void)
{
    mem_debug_enable();
}

static void *arena_alloc(void *ctx, size_t size)
{
    (void)ctx;
    return backend_aligned(SLAB_SPAN, size);
}

static void arena_free(void *ctx, void *p, size_t size)
{
    (void)ctx, (void)size;
    backend_free(p);
}

static PyObjectArenaAllocator arenas = {NULL, arena_alloc, arena_free};

void PyObject_GetArenaAllocator(PyObjectArenaAllocator *allocator)
{
    *allocator = arenas;
}

void PyObject_SetArenaAllocator(PyObjectArenaAllocator *allocator)
{
    arenas = *allocator;
}

/* -- Blocks of others, for the tracer ------------------------------------------------------------ */

int PyTraceMalloc_Track(unsigned int domain, uintptr_t p, size_t size)
{
    return mem_trace_is_on() ? mem_trace_add(domain, p, size) : -2;
}

int PyTraceMalloc_Untrack(unsigned int domain, uintptr_t p)
{
    if (!mem_trace_is_on()) {
        return -2;
    }
    mem_trace_remove(domain, p);
    return 0;
}

/* -- What upstream's own modules call ----------------------------------------------------------- */

PyAPI_FUNC(const char *) _PyMem_GetCurrentAllocatorName(void);
PyAPI_FUNC(char *) _PyMem_Strdup(const char *s);
PyAPI_FUNC(int) _PyObject_DebugMallocStats(FILE *out);

const char *_PyMem_GetCurrentAllocatorName(void)
{
    return mem_allocator_name();
}

char *_PyMem_Strdup(const char *s)
{
    size_t size = strlen(s) + 1;
    char *copy = mem_alloc(MEM_MEM, size);
    return copy ? memcpy(copy, s, size) : NULL;
}

int _PyObject_DebugMallocStats(FILE *out)
{
    struct mem_usage usage;
    mem_usage(&usage);
    fprintf(out, "%zu bytes in spans, %zu blocks in use\n", usage.slab_bytes, usage.slab_blocks);
    fprintf(out, "%zu bytes in %zu large blocks\n", usage.large_bytes, usage.large_blocks);
    fprintf(out, "%zu bytes wait for the end of a grace period\n", usage.grace_bytes);
    backend_stats(out);
    return 1;
}
