/* The debug hooks of the three domains: guard bytes, fills, and a report when they are damaged.
 *
 * A block of n bytes becomes
 *     size (8) | domain letter, 7 guard bytes | n data bytes | 8 guard bytes
 * The domain's letter is what the report and the check of mixed-up domains show. */
#include "alloc/hooks.h"

#include <ctype.h>
#include <stdlib.h>

enum { FRESH = 0xcd, DEAD = 0xdd, GUARD = 0xfd, FRONT = 16, BACK = 8 };

static struct debug_domain {
    char letter;
    struct mem_table below;
} domains[MEM_DOMAINS];
static bool enabled;

/* Set by the upper floors: says what is fatal, and ends the process. */
void (*mem_fatal)(const char *function, const char *message);

/* Set by the upper floors: may this thread use the domains of objects and containers now? */
bool (*mem_may_allocate)(void);

static void fatal(const char *function, const char *message)
{
    if (mem_fatal) {
        mem_fatal(function, message);
    }
    fprintf(stderr, "Fatal Python error: %s: %s\n", function, message);
    abort();
}

/* -- The report -------------------------------------------------------------------------------- */

static void report_guard(const char *where, const uint8_t *guard, int count, bool before)
{
    bool good = true;
    for (int i = 0; i < count; i++) {
        good = good && guard[i] == GUARD;
    }
    if (good) {
        fputs("FORBIDDENBYTE, as expected.\n", stderr);
        return;
    }
    fprintf(stderr, "not all FORBIDDENBYTE (0x%02x):\n", GUARD);
    for (int i = 0; i < count; i++) {
        if (before) {
            fprintf(stderr, "        at %s-%d: 0x%02x", where, count - i, guard[i]);
        } else {
            fprintf(stderr, "        at %s+%d: 0x%02x", where, i, guard[i]);
        }
        fputs(guard[i] == GUARD ? "\n" : " *** OUCH\n", stderr);
    }
}

static void report_data(const uint8_t *p, size_t size)
{
    fputs("    Data at p:", stderr);
    size_t head = size <= 16 ? size : 8;
    for (size_t i = 0; i < head; i++) {
        fprintf(stderr, " %02x", p[i]);
    }
    if (size > 16) {
        fputs(" ...", stderr);
        for (size_t i = size - 8; i < size; i++) {
            fprintf(stderr, " %02x", p[i]);
        }
    }
    fputc('\n', stderr);
}

static void report(const uint8_t *p)
{
    size_t size;
    memcpy(&size, p - FRONT, sizeof(size));
    fprintf(stderr, "Debug memory block at address p=%p: API '%c'\n", (const void *)p,
            isprint(p[-8]) ? p[-8] : '?');
    fprintf(stderr, "    %zu bytes originally requested\n", size);
    fputs("    The 7 pad bytes at p-7 are ", stderr);
    report_guard("p", p - 7, 7, true);
    fprintf(stderr, "    The 8 pad bytes at tail=%p are ", (const void *)(p + size));
    report_guard("tail", p + size, BACK, false);
    if (size) {
        report_data(p, size);
    }
    fputs("\nEnable tracemalloc to get the memory block allocation traceback\n\n", stderr);
    fflush(stderr);
}

static void check(const char *function, const struct debug_domain *domain, const uint8_t *p)
{
    char message[80];
    if (p[-8] != (uint8_t)domain->letter) {
        report(p);
        snprintf(message, sizeof(message),
                 "bad ID: Allocated using API '%c', verified using API '%c'",
                 isprint(p[-8]) ? p[-8] : '?', domain->letter);
        fatal(function, message);
    }
    for (int i = 1; i <= 7; i++) {
        if (p[-i] != GUARD) {
            report(p);
            fatal(function, "bad leading pad byte");
        }
    }
    size_t size;
    memcpy(&size, p - FRONT, sizeof(size));
    for (int i = 0; i < BACK; i++) {
        if (p[size + i] != GUARD) {
            report(p);
            fatal(function, "bad trailing pad byte");
        }
    }
}

/* -- The functions ------------------------------------------------------------------------------ */

static void *dress(const struct debug_domain *domain, uint8_t *block, size_t size)
{
    if (!block) {
        return NULL;
    }
    uint8_t *p = block + FRONT;
    memcpy(block, &size, sizeof(size));
    p[-8] = (uint8_t)domain->letter;
    memset(p - 7, GUARD, 7);
    memset(p + size, GUARD, BACK);
    return p;
}

/* Only raw memory may be had without being attached. */
static void check_thread(const struct debug_domain *domain, const char *function)
{
    if (domain->letter != 'r' && mem_may_allocate != NULL && !mem_may_allocate()) {
        fatal(function, "Python memory allocator called without holding the GIL");
    }
}

static void *debug_malloc(void *ctx, size_t size)
{
    struct debug_domain *domain = ctx;
    check_thread(domain, "_PyMem_DebugMalloc");
    if (size > PTRDIFF_MAX - FRONT - BACK) {
        return NULL;
    }
    uint8_t *block = domain->below.malloc(domain->below.ctx, size + FRONT + BACK);
    if (block) {
        memset(block + FRONT, FRESH, size);
    }
    return dress(domain, block, size);
}

static void *debug_calloc(void *ctx, size_t count, size_t size)
{
    struct debug_domain *domain = ctx;
    size_t bytes = count * size;
    if (bytes > PTRDIFF_MAX - FRONT - BACK) {
        return NULL;
    }
    return dress(domain, domain->below.calloc(domain->below.ctx, 1, bytes + FRONT + BACK), bytes);
}

static void debug_free(void *ctx, void *p)
{
    struct debug_domain *domain = ctx;
    if (!p) {
        return;
    }
    uint8_t *block = (uint8_t *)p - FRONT;
    check("_PyMem_DebugRawFree", domain, p);
    size_t size;
    memcpy(&size, block, sizeof(size));
    memset(block, DEAD, size + FRONT + BACK);
    domain->below.free(domain->below.ctx, block);
}

/* Always moves, so that a stale pointer shows. */
static void *debug_realloc(void *ctx, void *p, size_t size)
{
    struct debug_domain *domain = ctx;
    if (!p) {
        return debug_malloc(ctx, size);
    }
    check("_PyMem_DebugRawRealloc", domain, p);
    size_t old;
    memcpy(&old, (uint8_t *)p - FRONT, sizeof(old));
    void *moved = debug_malloc(ctx, size);
    if (moved) {
        memcpy(moved, p, old < size ? old : size);
        debug_free(ctx, p);
    }
    return moved;
}

void mem_debug_enable(void)
{
    static const char letters[] = "rmo";
    enabled = true;
    for (int i = 0; i < MEM_DOMAINS; i++) {
        struct mem_table table;
        mem_table_get((enum mem_domain)i, &table);
        if (table.malloc == debug_malloc) {
            continue;
        }
        domains[i].letter = letters[i];
        domains[i].below = table;
        mem_table_set((enum mem_domain)i,
                      &(struct mem_table){&domains[i], debug_malloc, debug_calloc, debug_realloc,
                                          debug_free});
    }
}

bool mem_debug_is_enabled(void)
{
    return enabled;
}
