/* objects=direct: every object is a backend block of its own, behind the interface of slab.h.
 *
 * A container has a 16-byte header before its pre-header's room; containers stand in one dense
 * vector, whose index the header holds. For builds with a global lock only: it is the lock that
 * protects the vector, and no late reader exists. */
#include "alloc/hooks.h"

#if SLAB_SHARED_READERS
#error "objects=direct needs a build without lock-free readers"
#endif

struct header {
    uint32_t index; /* in the vector; NOT_LISTED for all but containers */
    uint32_t work;
    uint8_t gc_byte, kind;
    uint16_t arena;
};

enum { NOT_LISTED = UINT32_MAX, FRONT = 48 }; /* header, then at most 32 bytes of pre-header */

struct span *slab_table[1 << SPAN_TABLE_BITS];
THREAD_LOCAL struct slab_thread slab_self;

static struct {
    struct prim_lock lock; /* interpreters may have a global lock each */
    void **item;
    uint32_t count, capacity;
    size_t blocks;
} list;

static struct header *header_of(const void *p)
{
    return (struct header *)((char *)(uintptr_t)p - FRONT);
}

static bool list_add(void *p)
{
    if (list.count == list.capacity) {
        uint32_t capacity = list.capacity ? list.capacity * 2 : 1024;
        void **item = backend_realloc(list.item, capacity * sizeof(*item));
        if (!item) {
            return false;
        }
        list.item = item;
        list.capacity = capacity;
    }
    header_of(p)->index = list.count;
    list.item[list.count++] = p;
    return true;
}

static void list_drop(void *p)
{
    uint32_t index = header_of(p)->index;
    if (index != NOT_LISTED) {
        void *last = list.item[--list.count];
        list.item[index] = last;
        header_of(last)->index = index;
    }
}

void *slab_alloc_plain(size_t size, enum slab_kind kind)
{
    char *block = size > PTRDIFF_MAX - FRONT ? NULL : backend_alloc(FRONT + size);
    if (!block) {
        return NULL;
    }
    void *p = block + FRONT;
    *header_of(p) = (struct header){
        .index = NOT_LISTED, .kind = (uint8_t)kind, .arena = (uint16_t)slab_self.arena};
    prim_lock_acquire(&list.lock);
    bool good = !slab_kind_gc(kind) || list_add(p);
    list.blocks += good;
    prim_lock_release(&list.lock);
    if (!good) {
        backend_free(block);
        return NULL;
    }
    return p;
}

void slab_free_plain(void *p)
{
    prim_lock_acquire(&list.lock);
    list_drop(p);
    list.blocks--;
    prim_lock_release(&list.lock);
    backend_free(header_of(p));
}

void *slab_alloc_slow(size_t size, enum slab_kind kind)
{
    bool hooked = mem_hooked & MEM_HOOKED_SLABS;
    if (hooked && mem_must_fail()) {
        return NULL;
    }
    void *p = slab_alloc_plain(size, kind);
    if (p && hooked && mem_trace_add(0, (uintptr_t)p, size) < 0) {
        slab_free_plain(p);
        return NULL;
    }
    return p;
}

void slab_free_slow(void *p)
{
    if (mem_hooked & MEM_HOOKED_SLABS) {
        mem_trace_remove(0, (uintptr_t)p);
    }
    slab_free_plain(p);
}

void *slab_resize_plain(void *p, size_t size)
{
    if (size > PTRDIFF_MAX - FRONT) {
        return NULL;
    }
    prim_lock_acquire(&list.lock); /* nobody may find the old block meanwhile */
    char *block = backend_realloc(header_of(p), FRONT + size);
    void *moved = block ? block + FRONT : p;
    if (header_of(moved)->index != NOT_LISTED) {
        list.item[header_of(moved)->index] = moved;
    }
    prim_lock_release(&list.lock);
    return block ? moved : NULL;
}

void *slab_resize(void *p, size_t size)
{
    bool hooked = mem_hooked & MEM_HOOKED_SLABS;
    if (hooked && mem_must_fail()) {
        return NULL;
    }
    uintptr_t old = (uintptr_t)p;
    void *moved = slab_resize_plain(p, size);
    if (hooked && moved) {
        mem_trace_remove(0, old);
        mem_trace_add(0, (uintptr_t)moved, size);
    }
    return moved;
}

size_t slab_usable(const void *p)
{
    return backend_usable(header_of(p)) - FRONT;
}

bool slab_holds_object(const void *p)
{
    for (uint32_t i = 0; i < list.count; i++) {
        if (list.item[i] == p) {
            return true;
        }
    }
    return false;
}

uint8_t *slab_gc_byte_large(const void *p)
{
    return &header_of(p)->gc_byte;
}

uint32_t *slab_work_large(const void *p)
{
    return &header_of(p)->work;
}

uint32_t *slab_work_make(void *p)
{
    return slab_work_large(p);
}

void slab_work_end(void)
{
}

int slab_each_gc(uint8_t mask, slab_visit_fn fn, void *arg)
{
    int result = 0;
    prim_lock_acquire(&list.lock);
    for (uint32_t i = 0; i < list.count && !result; i++) {
        void *p = list.item[i];
        if (header_of(p)->arena == slab_self.arena && header_of(p)->gc_byte & mask) {
            result = fn(p, arg);
        }
    }
    prim_lock_release(&list.lock);
    return result;
}

int slab_each_gc_large(uint8_t mask, slab_visit_fn fn, void *arg)
{
    return slab_each_gc(mask, fn, arg);
}

/* Atoms and raw blocks stand in no list here. */
int slab_each(unsigned kinds, slab_visit_fn fn, void *arg)
{
    int result = 0;
    prim_lock_acquire(&list.lock);
    for (uint32_t i = 0; i < list.count && !result; i++) {
        void *p = list.item[i];
        if (header_of(p)->arena == slab_self.arena && kinds >> header_of(p)->kind & 1) {
            result = fn(p, arg);
        }
    }
    prim_lock_release(&list.lock);
    return result;
}

void slab_span_tripped(struct span *span)
{
    (void)span;
}

void slab_free_full(void *p, struct slab_cache *cache)
{
    (void)cache;
    slab_free_slow(p);
}

void mem_usage(struct mem_usage *usage)
{
    *usage = (struct mem_usage){.large_blocks = list.blocks, .backend_bytes = backend_bytes()};
}

void slab_use_arena(uint32_t arena)
{
    slab_self.arena = (uint16_t)arena;
}

void slab_thread_done(void)
{
    backend_thread_done();
}

void slab_set_grace(const struct slab_grace *grace)
{
    (void)grace;
}

void slab_reclaim(bool everything)
{
    if (everything) {
        backend_collect();
    }
}

void slab_after_fork_child(void)
{
    list.lock = (struct prim_lock){0};
}
