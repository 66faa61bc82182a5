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
    uint32_t unused;
    uint8_t gc_byte, kind;
};

enum { NOT_LISTED = UINT32_MAX, FRONT = 48 }; /* header, then at most 32 bytes of pre-header */

struct span *slab_table[1 << SPAN_TABLE_BITS];
THREAD_LOCAL struct slab_thread slab_self;

static struct {
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
    *header_of(p) = (struct header){.index = NOT_LISTED, .kind = (uint8_t)kind};
    if (slab_kind_gc(kind) && !list_add(p)) {
        backend_free(block);
        return NULL;
    }
    list.blocks++;
    return p;
}

void slab_free_plain(void *p)
{
    list_drop(p);
    list.blocks--;
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
    char *block = backend_realloc(header_of(p), FRONT + size);
    void *moved = block ? block + FRONT : p;
    if (header_of(moved)->index != NOT_LISTED) {
        list.item[header_of(moved)->index] = moved;
    }
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
    for (uint32_t i = 0; i < list.count; i++) {
        void *p = list.item[i];
        int result = header_of(p)->gc_byte & mask ? fn(p, arg) : 0;
        if (result) {
            return result;
        }
    }
    return 0;
}

int slab_each_gc_large(uint8_t mask, slab_visit_fn fn, void *arg)
{
    return slab_each_gc(mask, fn, arg);
}

/* Atoms and raw blocks stand in no list here. */
int slab_each(unsigned kinds, slab_visit_fn fn, void *arg)
{
    for (uint32_t i = 0; i < list.count; i++) {
        void *p = list.item[i];
        int result = kinds >> header_of(p)->kind & 1 ? fn(p, arg) : 0;
        if (result) {
            return result;
        }
    }
    return 0;
}

void slab_span_tripped(struct span *span)
{
    (void)span;
}

void mem_usage(struct mem_usage *usage)
{
    *usage = (struct mem_usage){.large_blocks = list.blocks, .backend_bytes = backend_bytes()};
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
}
