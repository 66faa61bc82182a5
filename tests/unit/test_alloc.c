/* Blocks of the three domains and their hooks. */
#include <criterion/criterion.h>
#include <signal.h>

#include "alloc/alloc.h"

Test(alloc, zero_bytes_give_unique_blocks)
{
    for (int domain = 0; domain < MEM_DOMAINS; domain++) {
        void *a = mem_alloc(domain, 0), *b = mem_alloc(domain, 0), *c = mem_calloc(domain, 0, 8);
        cr_assert(a && b && c && a != b && b != c);
        mem_free(domain, a);
        mem_free(domain, b);
        mem_free(domain, c);
        mem_free(domain, NULL);
    }
}

Test(alloc, absurd_sizes_fail)
{
    for (int domain = 0; domain < MEM_DOMAINS; domain++) {
        cr_assert_null(mem_alloc(domain, SIZE_MAX));
        cr_assert_null(mem_alloc(domain, (size_t)PTRDIFF_MAX + 1));
        cr_assert_null(mem_calloc(domain, SIZE_MAX / 2, 3));
        void *p = mem_alloc(domain, 8);
        cr_assert_null(mem_realloc(domain, p, SIZE_MAX));
        mem_free(domain, p);
    }
    cr_assert_null(mem_array(int, SIZE_MAX / 2));
}

Test(alloc, realloc_keeps_the_bytes)
{
    for (int domain = 0; domain < MEM_DOMAINS; domain++) {
        unsigned char *p = mem_realloc(domain, NULL, 1);
        p[0] = 1;
        for (size_t size = 1; size < 200000; size = size * 3 + 1) {
            p = mem_realloc(domain, p, size);
            for (size_t i = 1; i < size; i++) {
                p[i] = (unsigned char)(i * 7);
            }
            p = mem_realloc(domain, p, size * 2);
            cr_assert_eq(p[0], 1);
            for (size_t i = 1; i < size; i++) {
                cr_assert_eq(p[i], (unsigned char)(i * 7));
            }
        }
        for (size_t size = 80000; size > 1; size /= 5) {
            p = mem_realloc(domain, p, size);
            cr_assert(p[0] == 1 && p[size - 1] == (unsigned char)((size - 1) * 7));
        }
        mem_free(domain, p);
    }
}

Test(alloc, calloc_gives_zeroes)
{
    for (int domain = 0; domain < MEM_DOMAINS; domain++) {
        for (int round = 0; round < 3; round++) {
            unsigned char *p = mem_calloc(domain, 33, 7);
            for (int i = 0; i < 231; i++) {
                cr_assert_eq(p[i], 0);
            }
            memset(p, 255, 231);
            mem_free(domain, p);
        }
    }
}

Test(alloc, aligned)
{
    for (size_t alignment = 8; alignment <= 1 << 20; alignment *= 2) {
        void *p = mem_aligned(alignment, 1000);
        cr_assert(p && (uintptr_t)p % alignment == 0);
        mem_aligned_free(p);
    }
}

Test(alloc, chosen_allocations_fail)
{
    mem_fail_nth(2, 4);
    void *p[5];
    for (int i = 0; i < 5; i++) {
        p[i] = mem_alloc(i % 2 ? MEM_MEM : MEM_RAW, 10);
    }
    mem_fail_nth(0, 0);
    cr_assert(p[0] && !p[1] && !p[2] && p[3] && p[4]);
    mem_fail_nth(1, 0);
    cr_assert_null(mem_calloc(MEM_MEM, 1, 1));
    cr_assert_null(mem_realloc(MEM_MEM, p[3], 100));
    cr_assert_null(mem_alloc(MEM_OBJECT, 100));
    mem_fail_nth(0, 0);
    mem_free(MEM_RAW, p[0]);
    mem_free(MEM_MEM, p[3]);
    mem_free(MEM_RAW, p[4]);
    cr_assert_eq(mem_hooked, 0);
}

static size_t tracked_bytes;
static int tracked_blocks;
static int track(unsigned domain, uintptr_t p, size_t size)
{
    (void)domain, (void)p;
    tracked_bytes += size;
    tracked_blocks++;
    return size == 666 ? -1 : 0;
}
static void untrack(unsigned domain, uintptr_t p)
{
    (void)domain, (void)p;
    tracked_blocks--;
}

Test(alloc, tracer_sees_every_domain)
{
    mem_set_trace(track, untrack);
    for (int domain = 0; domain < MEM_DOMAINS; domain++) {
        tracked_bytes = 0;
        tracked_blocks = 0;
        void *p = mem_alloc(domain, 100);
        p = mem_realloc(domain, p, 5000);
        cr_assert_eq(tracked_bytes, 5100);
        cr_assert_eq(tracked_blocks, 1);
        mem_free(domain, p);
        cr_assert_eq(tracked_blocks, 0);
        cr_assert_null(mem_alloc(domain, 666));
    }
    mem_set_trace(NULL, NULL);
    cr_assert_eq(mem_hooked, 0);
}

Test(alloc, debug_fill_and_names)
{
    mem_debug_enable();
    for (int domain = 0; domain < MEM_DOMAINS; domain++) {
        unsigned char *p = mem_alloc(domain, 20);
        cr_assert(p[0] == 0xcd && p[19] == 0xcd && p[20] == 0xfd && p[-1] == 0xfd);
        p = mem_realloc(domain, p, 40);
        cr_assert(p[39] == 0xcd && p[40] == 0xfd);
        mem_free(domain, p);
    }
    cr_assert_not_null(strstr(mem_allocator_name(), "_debug"));
}

Test(alloc, debug_notices_an_overrun, .signal = SIGABRT)
{
    mem_debug_enable();
    char *p = mem_alloc(MEM_MEM, 16);
    p[16] = 'x';
    mem_free(MEM_MEM, p);
}

Test(alloc, debug_notices_the_wrong_domain, .signal = SIGABRT)
{
    mem_debug_enable();
    char *p = mem_alloc(MEM_MEM, 16);
    mem_free(MEM_RAW, p);
}

Test(alloc, configure)
{
    const char *reason = NULL;
    cr_assert_eq(mem_configure(NULL, &reason), 0);
    cr_assert_eq(mem_configure("", &reason), 0);
    cr_assert_eq(mem_configure("default", &reason), 0);
    cr_assert_eq(mem_configure("nonsense", &reason), -1);
    cr_assert_not_null(reason);
    cr_assert_eq(mem_configure(backend_name, &reason), 0);
    cr_assert_str_eq(mem_allocator_name(), backend_name);
}
