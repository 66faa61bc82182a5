/* Object slabs: classes, reuse, other threads' frees, walking, large objects. */
#include <criterion/criterion.h>
#include <pthread.h>

#include "alloc/slab.h"

Test(slab, classes_cover_every_size)
{
    for (size_t size = 1; size <= SLAB_MAX; size++) {
        unsigned class = slab_class(size);
        cr_assert(class < SLAB_CLASSES);
        cr_assert(slab_class_size(class) >= size, "size %zu", size);
        cr_assert(class == 0 || slab_class_size(class - 1) < size, "size %zu", size);
        cr_assert_eq(slab_class_size(class) % 16, 0);
    }
}

Test(slab, objects_do_not_overlap)
{
    enum { COUNT = 3000 };
    static char *object[COUNT];
    static size_t size[COUNT];
    for (int kind = SLAB_ATOM; kind <= SLAB_RAW; kind++) {
        size_t preheader = slab_kind_preheader(kind);
        for (int i = 0; i < COUNT; i++) {
            size[i] = 32 + (size_t)(i * 37) % (i % 100 ? 500 : 12000);
            object[i] = slab_alloc(size[i], kind);
            cr_assert(object[i] && (uintptr_t)object[i] % 16 == 0);
            cr_assert(slab_usable(object[i]) >= size[i]);
            memset(object[i] - preheader, i & 0xff, preheader + size[i]);
        }
        for (int i = 0; i < COUNT; i++) {
            for (size_t k = 0; k < size[i] + preheader; k += 7) {
                cr_assert_eq((unsigned char)object[i][(ptrdiff_t)k - (ptrdiff_t)preheader],
                             i & 0xff);
            }
            slab_free(object[i]);
        }
    }
}

Test(slab, foreign_pointers_are_in_no_slab)
{
    static int in_data;
    int on_stack;
    void *block = mem_alloc(MEM_RAW, 100);
    cr_assert_null(slab_of(&in_data));
    cr_assert_null(slab_of(&on_stack));
    cr_assert_null(slab_of(NULL));
    cr_assert_null(slab_of((void *)~7ul));
    if (!SLAB_DIRECT) {
        void *p = slab_alloc(48, SLAB_ATOM);
        cr_assert_not_null(slab_of(p));
        slab_free(p);
    }
    mem_free(MEM_RAW, block);
}

#if SLAB_SHARED_READERS
Test(slab, free_slots_refuse_references)
{
    uint64_t *p = slab_alloc(64, SLAB_GC_16);
    for (int i = 0; i < 8; i++) {
        p[i] = ~0ul;
    }
    slab_free(p);
    cr_assert_eq(p[1], 0);
    cr_assert_eq(p[2], 0);
}
#endif

Test(slab, memory_is_used_again)
{
    struct mem_usage before, after;
    enum { COUNT = 50000 };
    static void *object[COUNT];
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < COUNT; i++) {
            object[i] = slab_alloc(100, SLAB_ATOM);
        }
        if (round == 0) {
            mem_usage(&before);
        }
        for (int i = 0; i < COUNT; i++) {
            slab_free(object[(i * 7) % COUNT]);
        }
    }
    mem_usage(&after);
    cr_assert(after.slab_bytes <= before.slab_bytes);
    slab_reclaim(true);
    mem_usage(&after);
    cr_assert(after.slab_bytes <= 4 << 20);
    cr_assert(SLAB_DIRECT || after.slab_blocks < 100);
}

static int count_and_clear(void *object, void *arg)
{
    ++*(int *)arg;
    if (SLAB_SHARED_READERS) {
        ((uint8_t *)object)[11] = 0;
    } else {
        *slab_gc_byte(object) = 0;
    }
    return 0;
}

static int count(void *object, void *arg)
{
    (void)object;
    ++*(int *)arg;
    return 0;
}

static void mark(void *object, uint8_t bits)
{
    if (SLAB_SHARED_READERS) {
        memset(object, 0, 32);
        ((uint8_t *)object)[11] = bits;
    } else {
        *slab_gc_byte(object) |= bits;
    }
}

Test(slab, containers_are_found_by_their_byte)
{
    enum { COUNT = 2000 };
    static void *object[COUNT];
    int marked = 0;
    for (int i = 0; i < COUNT; i++) {
        object[i] = slab_alloc(i % 50 ? 40 + (size_t)i % 400 : 20000, i % 3 == 0   ? SLAB_ATOM
                                                                      : i % 3 == 1 ? SLAB_GC
                                                                                   : SLAB_GC_32);
        memset(object[i], 0, 32);
        if (i % 3 && i % 2) {
            mark(object[i], 1);
            marked++;
        }
    }
    int found = 0;
    slab_each_gc(1, count, &found);
    cr_assert_eq(found, marked);

    for (int i = 0; i < COUNT; i++) {
        if (i % 3) {
            *slab_work_make(object[i]) = (uint32_t)i;
        }
    }
    for (int i = 0; i < COUNT; i++) {
        cr_assert(i % 3 == 0 || *slab_work(object[i]) == (uint32_t)i);
    }
    slab_work_end();

    found = 0;
    slab_each_gc(0xff, count_and_clear, &found);
    cr_assert_eq(found, marked);
    found = 0;
    slab_each_gc(0xff, count, &found);
    cr_assert_eq(found, 0);
    if (!SLAB_DIRECT) {
        found = 0;
        slab_each(1 << SLAB_ATOM | 1 << SLAB_GC | 1 << SLAB_GC_32, count, &found);
        cr_assert_eq(found, COUNT);
    }
    for (int i = 0; i < COUNT; i += 2) {
        slab_free(object[i]);
    }
    if (!SLAB_DIRECT) {
        found = 0;
        slab_each(1 << SLAB_ATOM | 1 << SLAB_GC | 1 << SLAB_GC_32, count, &found);
        cr_assert_eq(found, COUNT / 2);
    }
    for (int i = 1; i < COUNT; i += 2) {
        slab_free(object[i]);
    }
}

Test(slab, arenas_are_walked_apart)
{
    void *object[3];
    for (uint32_t arena = 0; arena < 3; arena++) {
        slab_use_arena(arena);
        object[arena] = slab_alloc(arena == 1 ? 10000 : 64, SLAB_GC);
        memset(object[arena], 0, 64);
        mark(object[arena], 1);
    }
    for (uint32_t arena = 0; arena < 4; arena++) {
        int found = 0;
        slab_use_arena(arena);
        slab_each_gc(1, count, &found);
        cr_assert_eq(found, arena < 3);
    }
    for (int i = 0; i < 3; i++) {
        slab_free(object[i]); /* from another arena */
    }
    slab_use_arena(0);
}

Test(slab, resize_keeps_object_and_preheader)
{
    for (int kind = SLAB_ATOM; kind <= SLAB_RAW; kind++) {
        ptrdiff_t preheader = (ptrdiff_t)slab_kind_preheader(kind);
        size_t size = 40;
        unsigned char *p = slab_alloc(size, kind);
        memset(p - preheader, 0x5a, size + (size_t)preheader);
        while (size < 100000) {
            size_t larger = size * 2 + 8;
            p = slab_resize(p, larger);
            for (ptrdiff_t i = -preheader; i < (ptrdiff_t)size; i++) {
                cr_assert_eq(p[i], 0x5a);
            }
            memset(p, 0x5a, larger);
            size = larger;
        }
        while (size > 64) {
            size /= 3;
            p = slab_resize(p, size);
            cr_assert(p[-preheader] == 0x5a && p[size - 1] == 0x5a);
        }
        slab_free(p);
    }
}

Test(slab, hooks_reach_objects)
{
    mem_fail_nth(1, 2);
    cr_assert_null(slab_alloc(48, SLAB_GC));
    void *p = slab_alloc(48, SLAB_GC);
    mem_fail_nth(0, 0);
    cr_assert_not_null(p);
    slab_free(p);
}

#if !SLAB_DIRECT
/* -- Threads ------------------------------------------------------------------------------------ */

enum { SLOTS = 512, ROUNDS = 60000 };
static void *mailbox[SLOTS];

/* Everybody allocates, and frees what another put into the mailbox. */
static void *trade(void *arg)
{
    unsigned random = (unsigned)(uintptr_t)arg * 7919 + 1;
    for (int i = 0; i < ROUNDS; i++) {
        random = random * 1103515245 + 12345;
        size_t size = 32 + (random >> 8) % 200;
        if (random % 1000 == 0) {
            size = 10000;
        }
        uint64_t *p = slab_alloc(size, SLAB_ATOM);
        cr_assert_not_null(p);
        p[3] = (uint64_t)(uintptr_t)p;
        uint64_t *other = atomic_swap(&mailbox[(random >> 16) % SLOTS], (void *)p);
        if (other) {
            cr_assert_eq(other[3], (uint64_t)(uintptr_t)other);
            slab_free(other);
        }
    }
    slab_thread_done();
    return NULL;
}

Test(slab, threads_free_each_others_objects)
{
    struct mem_usage usage;
    for (int generation = 0; generation < 4; generation++) {
        pthread_t thread[4];
        for (int i = 0; i < 4; i++) {
            pthread_create(&thread[i], NULL, trade, (void *)(uintptr_t)(generation * 4 + i));
        }
        for (int i = 0; i < 4; i++) {
            pthread_join(thread[i], NULL);
        }
    }
    for (int i = 0; i < SLOTS; i++) {
        if (mailbox[i]) {
            slab_free(mailbox[i]);
            mailbox[i] = NULL;
        }
    }
    slab_reclaim(true);
    mem_usage(&usage);
    cr_assert_eq(usage.slab_blocks, 0, "%zu blocks are left", usage.slab_blocks);
    cr_assert_eq(usage.large_blocks, 0);
}

/* One allocates, the other frees: the spans must come back to the first. */
static void *consumer(void *arg)
{
    (void)arg;
    for (int i = 0; i < 400000;) {
        void *p = atomic_swap(&mailbox[i % SLOTS], NULL);
        if (p) {
            slab_free(p);
            i++;
        } else {
            prim_yield();
        }
    }
    return NULL;
}

Test(slab, remote_frees_come_home)
{
    pthread_t thread;
    struct mem_usage usage;
    pthread_create(&thread, NULL, consumer, NULL);
    for (int i = 0; i < 400000; i++) {
        void *p = slab_alloc(64, SLAB_ATOM);
        while (atomic_load_acquire(&mailbox[i % SLOTS])) {
            prim_yield();
        }
        atomic_store_release(&mailbox[i % SLOTS], p);
    }
    pthread_join(thread, NULL);
    mem_usage(&usage);
    cr_assert(usage.slab_bytes <= 2 << 20, "%zu bytes for 512 objects", usage.slab_bytes);
}
#endif
