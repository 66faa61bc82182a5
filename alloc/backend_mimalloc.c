/* mimalloc, 2.x or 3.x: linked (the wrap), or opened at the first allocation (a system's library,
 * whose malloc must not become the process's).
 *
 * It takes 64 MiB of address space for each thread. Where that is short (`ulimit -v`) and there is a choice, the C
 * library's malloc stands in for it. */
#include "alloc/backend.h"

#include "alloc/prim.h"

const char backend_name[] = "mimalloc";

#ifdef ALLOC_MIMALLOC_OPENED

#include <dlfcn.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/resource.h>

#define SPACE_ENOUGH ((rlim_t)8 << 30)

static void (*collect_fn)(bool force);

static void *symbol_or_die(void *library, const char *name)
{
    void *address = library ? dlsym(library, name) : NULL;
    if (!address) {
        fprintf(stderr, "Fatal Python error: mimalloc: %s\n", dlerror());
        abort();
    }
    return address;
}

static bool space_is_short(void)
{
    struct rlimit space;
    return getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur < SPACE_ENOUGH;
}

static void *malloc_aligned(size_t size, size_t alignment)
{
    void *p = NULL;
    return posix_memalign(&p, alignment, size) == 0 ? p : NULL;
}

static size_t malloc_usable(const void *p)
{
    return malloc_usable_size((void *)p);
}

static const struct mimalloc_calls stand_in = {malloc, calloc,         realloc,
                                               free,   malloc_aligned, malloc_usable};

/* The C library's dlopen keeps to malloc, so this does not come back here. Threads that arrive together
 * store the same pointers. */
static void library_open(void)
{
    static const char *const names[] = {"libmimalloc.so.2", "libmimalloc.so.3", "libmimalloc.so"};
    void *library = NULL;
    if (space_is_short()) {
        mimalloc = stand_in;
        return;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !library; i++) {
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    }
    atomic_store_release(&collect_fn, symbol_or_die(library, "mi_collect"));
    atomic_store_release(&mimalloc.alloc, symbol_or_die(library, "mi_malloc"));
    atomic_store_release(&mimalloc.calloc, symbol_or_die(library, "mi_calloc"));
    atomic_store_release(&mimalloc.realloc, symbol_or_die(library, "mi_realloc"));
    atomic_store_release(&mimalloc.free, symbol_or_die(library, "mi_free"));
    atomic_store_release(&mimalloc.aligned, symbol_or_die(library, "mi_malloc_aligned"));
    atomic_store_release(&mimalloc.usable, symbol_or_die(library, "mi_usable_size"));
}

static void *first_alloc(size_t size)
{
    library_open();
    return mimalloc.alloc(size);
}
static void *first_calloc(size_t count, size_t size)
{
    library_open();
    return mimalloc.calloc(count, size);
}
static void *first_realloc(void *p, size_t size)
{
    library_open();
    return mimalloc.realloc(p, size);
}
static void first_free(void *p)
{
    if (p) {
        library_open();
        mimalloc.free(p);
    }
}
static void *first_aligned(size_t size, size_t alignment)
{
    library_open();
    return mimalloc.aligned(size, alignment);
}
static size_t first_usable(const void *p)
{
    library_open();
    return mimalloc.usable(p);
}

struct mimalloc_calls mimalloc = {
    first_alloc, first_calloc, first_realloc, first_free, first_aligned, first_usable,
};

/* Before main, so that no thread meets the first_* functions later. */
__attribute__((constructor(101))) static void library_open_early(void)
{
    library_open();
}

void backend_collect(void)
{
    if (collect_fn) {
        collect_fn(true);
    }
}

void backend_thread_done(void)
{
}

#else

void backend_collect(void)
{
    mi_collect(true);
}

void backend_thread_done(void)
{
    mi_thread_done();
}

#endif

size_t backend_bytes(void)
{
    return 0;
}

void backend_stats(FILE *out)
{
    fprintf(out, "mimalloc\n");
}
