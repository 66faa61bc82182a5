/* jemalloc. */
#include "alloc/backend.h"

const char backend_name[] = "jemalloc";

static size_t figure(const char *name)
{
    size_t value = 0, size = sizeof(value);
    return JE_(mallctl)(name, &value, &size, NULL, 0) == 0 ? value : 0;
}

size_t backend_bytes(void)
{
    uint64_t epoch = 1;
    size_t size = sizeof(epoch);
    JE_(mallctl)("epoch", &epoch, &size, &epoch, sizeof(epoch));
    return figure("stats.allocated");
}

void backend_collect(void)
{
    char name[40];
    snprintf(name, sizeof(name), "arena.%d.purge", (int)MALLCTL_ARENAS_ALL);
    JE_(mallctl)(name, NULL, NULL, NULL, 0);
}

void backend_stats(FILE *out)
{
    fprintf(out, "jemalloc: %zu bytes in use\n", backend_bytes());
}

void backend_thread_done(void)
{
    JE_(mallctl)("thread.tcache.flush", NULL, NULL, NULL, 0);
}
