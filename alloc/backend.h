/* The one place that knows which allocator was chosen. A backend is a file backend_NAME.c for its
 * cold parts and a few inline functions here:
 *
 *   backend_alloc, backend_calloc, backend_realloc, backend_free   as malloc and its kin
 *   backend_aligned(alignment, size)    freed with backend_free
 *   backend_usable(p)                   bytes that really lie behind p
 *   backend_name, backend_bytes, backend_collect, backend_stats, backend_thread_done   (in its .c)
 *
 * The build defines ALLOC_MIMALLOC, ALLOC_JEMALLOC or ALLOC_SYSTEM. */
#ifndef KRAIT_ALLOC_BACKEND_H
#define KRAIT_ALLOC_BACKEND_H

#include <stddef.h>
#include <stdio.h>

extern const char backend_name[];
/* Bytes the backend has handed out or holds, 0 if it does not tell. */
size_t backend_bytes(void);
/* Gives memory that lies idle back to the system. */
void backend_collect(void);
void backend_stats(FILE *out);
/* Called by a thread that will not allocate any more. */
void backend_thread_done(void);

#if defined(ALLOC_MIMALLOC)

#include "alloc/prim.h"

#ifdef ALLOC_MIMALLOC_OPENED
/* A system's mimalloc carries malloc's own names. It is opened with its names kept to itself; until
 * that has happened these point to functions that do it. */
struct mimalloc_calls {
    void *(*alloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void (*free)(void *);
    void *(*aligned)(size_t, size_t);
    size_t (*usable)(const void *);
};
extern struct mimalloc_calls mimalloc;
#define MI_(linked, opened) mimalloc.opened
#else
#include <mimalloc.h>
#define MI_(linked, opened) linked
#endif

/* mimalloc maps memory that is not accounted for, which the kernel never refuses: a process that uses more of it than
 * there is gets killed. So a huge request is first tried the accounted way. */
static inline bool backend_refuses(size_t size)
{
    return __builtin_expect(size >= (size_t)1 << 30, 0) && !prim_can_commit(size);
}

static inline void *backend_alloc(size_t size)
{
    return backend_refuses(size) ? NULL : MI_(mi_malloc, alloc)(size);
}
static inline void *backend_calloc(size_t count, size_t size)
{
    size_t all;
    return __builtin_mul_overflow(count, size, &all) || backend_refuses(all)
               ? NULL
               : MI_(mi_calloc, calloc)(count, size);
}
static inline void *backend_realloc(void *p, size_t size)
{
    return backend_refuses(size) ? NULL : MI_(mi_realloc, realloc)(p, size);
}
static inline void backend_free(void *p)
{
    MI_(mi_free, free)(p);
}
static inline void *backend_aligned(size_t alignment, size_t size)
{
    return backend_refuses(size) ? NULL : MI_(mi_malloc_aligned, aligned)(size, alignment);
}
static inline size_t backend_usable(void *p)
{
    return MI_(mi_usable_size, usable)(p);
}

#elif defined(ALLOC_JEMALLOC)

/* Debian's library carries malloc's own names, and so stands in for the process's malloc as well;
 * a library built with the prefix je_ (the wrap) is used under that name. */
#include <stdlib.h>
#include <jemalloc/jemalloc.h>
#ifdef ALLOC_JEMALLOC_PREFIXED
#define JE_(name) je_##name
#else
#define JE_(name) name
#endif
static inline void *backend_alloc(size_t size)
{
    return JE_(malloc)(size);
}
static inline void *backend_calloc(size_t count, size_t size)
{
    return JE_(calloc)(count, size);
}
static inline void *backend_realloc(void *p, size_t size)
{
    return JE_(realloc)(p, size);
}
static inline void backend_free(void *p)
{
    JE_(free)(p);
}
static inline void *backend_aligned(size_t alignment, size_t size)
{
    void *p;
    return JE_(posix_memalign)(&p, alignment, size) == 0 ? p : NULL;
}
static inline size_t backend_usable(void *p)
{
    return JE_(malloc_usable_size)(p);
}

#elif defined(ALLOC_SYSTEM)

#include <malloc.h>
#include <stdlib.h>
static inline void *backend_alloc(size_t size)
{
    return malloc(size);
}
static inline void *backend_calloc(size_t count, size_t size)
{
    return calloc(count, size);
}
static inline void *backend_realloc(void *p, size_t size)
{
    return realloc(p, size);
}
static inline void backend_free(void *p)
{
    free(p);
}
static inline void *backend_aligned(size_t alignment, size_t size)
{
    void *p;
    return posix_memalign(&p, alignment, size) == 0 ? p : NULL;
}
static inline size_t backend_usable(void *p)
{
    return malloc_usable_size(p);
}

#else
#error "the build defines no allocator (ALLOC_MIMALLOC, ALLOC_JEMALLOC or ALLOC_SYSTEM)"
#endif

#endif
