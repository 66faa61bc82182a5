/* The C library's malloc. */
#include "alloc/backend.h"

const char backend_name[] = "malloc";

size_t backend_bytes(void)
{
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
#else
    return 0;
#endif
}

void backend_collect(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

void backend_stats(FILE *out)
{
    fprintf(out, "malloc: %zu bytes in use\n", backend_bytes());
}

void backend_thread_done(void)
{
}
