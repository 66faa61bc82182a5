/* Large objects: see large.h. */
#include "alloc/large.h"

enum { WAITING_MANY_BYTES = 32 << 20 };

static struct {
    struct prim_lock lock;
    struct large *first;
    size_t bytes, blocks;
    struct large *waiting, *waiting_last; /* freed, oldest first */
    size_t waiting_bytes, waiting_limit;
    struct slab_grace grace;
} heap = {.waiting_limit = WAITING_MANY_BYTES};

static void *object_of(struct large *large)
{
    return (char *)large + LARGE_FRONT;
}

static void link_in(struct large *large)
{
    large->prev = NULL;
    large->next = heap.first;
    if (heap.first) {
        heap.first->prev = large;
    }
    heap.first = large;
    heap.bytes += large->size;
    heap.blocks++;
}

static void link_out(struct large *large)
{
    if (large->prev) {
        large->prev->next = large->next;
    } else {
        heap.first = large->next;
    }
    if (large->next) {
        large->next->prev = large->prev;
    }
    heap.bytes -= large->size;
    heap.blocks--;
}

void *large_alloc(size_t size, enum slab_kind kind)
{
    if (size > PTRDIFF_MAX - LARGE_FRONT) {
        return NULL;
    }
    struct large *large = backend_alloc(LARGE_FRONT + size);
    if (!large) {
        return NULL;
    }
    *large =
        (struct large){.size = size, .kind = (uint8_t)kind, .arena = (uint16_t)slab_self.arena};
    slab_clear_counts(object_of(large));
    prim_lock_acquire(&heap.lock);
    link_in(large);
    prim_lock_release(&heap.lock);
    return object_of(large);
}

/* heap.lock held. Gives the chain of those whose time has come. */
static struct large *waiting_take(void)
{
    struct large *taken = NULL, *large;
    while ((large = heap.waiting) && heap.grace.passed(large->grace)) {
        heap.waiting = large->next;
        heap.waiting_bytes -= large->size;
        large->next = taken;
        taken = large;
    }
    return taken;
}

static void chain_free(struct large *large)
{
    while (large) {
        struct large *next = large->next;
        backend_free(large);
        large = next;
    }
}

void large_free(void *p)
{
    struct large *large = large_of(p), *done = NULL;
    bool hurry = false;
    slab_clear_counts(p);
    prim_lock_acquire(&heap.lock);
    link_out(large);
    if (heap.grace.begin) {
        atomic_store_relaxed((void **)p, NULL);
        large->next = NULL;
        large->grace = heap.grace.begin();
        if (heap.waiting) {
            heap.waiting_last->next = large;
        } else {
            heap.waiting = large;
        }
        heap.waiting_last = large;
        heap.waiting_bytes += large->size;
        done = waiting_take();
        hurry = heap.waiting_bytes > heap.waiting_limit;
    } else {
        large->next = NULL;
        done = large;
    }
    prim_lock_release(&heap.lock);
    chain_free(done);
    if (hurry && heap.grace.hurry) {
        heap.grace.hurry();
    }
}

void *large_resize(void *p, size_t size)
{
    if (size > PTRDIFF_MAX - LARGE_FRONT) {
        return NULL;
    }
    struct large *large = large_of(p);
    prim_lock_acquire(&heap.lock);
    link_out(large);
    prim_lock_release(&heap.lock);
    struct large *moved = backend_realloc(large, LARGE_FRONT + size);
    struct large *current = moved ? moved : large;
    if (moved) {
        moved->size = size;
    }
    prim_lock_acquire(&heap.lock);
    link_in(current);
    prim_lock_release(&heap.lock);
    return moved ? object_of(moved) : NULL;
}

bool large_holds_object(const void *p)
{
    bool found = false;
    prim_lock_acquire(&heap.lock);
    for (struct large *large = heap.first; large && !found; large = large->next) {
        found = object_of(large) == p && large->kind != SLAB_RAW;
    }
    prim_lock_release(&heap.lock);
    return found;
}

int large_each_gc(uint8_t mask, slab_visit_fn fn, void *arg)
{
    int result = 0;
    prim_lock_acquire(&heap.lock);
    for (struct large *large = heap.first; large && !result; large = large->next) {
        uint8_t *object = object_of(large);
        uint8_t byte = SLAB_SHARED_READERS ? atomic_load_relaxed(object + 11) : large->gc_byte;
        if (large->arena == slab_self.arena && slab_kind_gc((enum slab_kind)large->kind)
            && byte & mask) {
            result = fn(object, arg);
        }
    }
    prim_lock_release(&heap.lock);
    return result;
}

int large_each(unsigned kinds, slab_visit_fn fn, void *arg)
{
    int result = 0;
    prim_lock_acquire(&heap.lock);
    for (struct large *large = heap.first; large && !result; large = large->next) {
        if (large->arena == slab_self.arena && kinds >> large->kind & 1) {
            result = fn(object_of(large), arg);
        }
    }
    prim_lock_release(&heap.lock);
    return result;
}

void large_usage(struct mem_usage *usage)
{
    prim_lock_acquire(&heap.lock);
    usage->large_bytes = heap.bytes;
    usage->large_blocks = heap.blocks;
    usage->grace_bytes += heap.waiting_bytes;
    prim_lock_release(&heap.lock);
}

void large_set_grace(const struct slab_grace *grace)
{
    heap.grace = *grace;
}

void large_reclaim(void)
{
    struct large *done = NULL;
    prim_lock_acquire(&heap.lock);
    if (heap.waiting) {
        done = waiting_take();
    }
    prim_lock_release(&heap.lock);
    chain_free(done);
}

void large_after_fork_child(void)
{
    heap.lock = (struct prim_lock){0};
}
