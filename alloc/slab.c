/* Spans, their owners, and what happens when a fast path of slab.h finds nothing.
 *
 * A heap is what one thread allocates from: for each bin the current span, a list of spans with room,
 * and one list of full ones. Heaps are recycled, never freed, so that a late remote free may still
 * look at one.
 *
 * Remote frees: push the slot on the span's remote list; whoever finds that list empty also gives
 * notice: the span is linked into its owner's notice list, once (`noticed`). Only the owner unlinks,
 * and clears `noticed` before it drains. A heap whose thread has ended has a closed notice list; its
 * spans are abandoned, and who adopts one drains it after having become its owner. */
#include "alloc/hooks.h"
#include "alloc/large.h"

enum { CHUNK_SPANS = 16, CHUNK_BYTES = CHUNK_SPANS * SLAB_SPAN };
enum {
    IDLE_CHUNKS = 2,
    WAITING_MANY = 64,
    EMPTY_KEPT = 4,
    CARVE_BYTES = 4096,
    CACHE_BYTES = 16 * 1024,
    CACHE_MOST = 256,
    LEAF_RECORDS = 1 << 16
};

enum span_state { SPAN_IDLE, SPAN_CURRENT, SPAN_ROOMY, SPAN_FULL, SPAN_ABANDONED, SPAN_WAITING };

enum { TRIP_NEVER = UINT32_MAX };

struct alloc_heap {
    struct span *notices; /* atomic; &closed once the thread has ended */
    struct span *roomy[SLAB_BINS];
    uint8_t empty[SLAB_BINS]; /* how many empty ones are kept among them, for the next burst */
    struct span *full;
    struct alloc_heap *next_unused;
};

struct chunk {
    struct chunk *next, *prev;
    char *base;
    int idle; /* how many of its spans nobody uses */
};

struct span *slab_table[1 << SPAN_TABLE_BITS];
static struct span span_empty, closed;
static struct alloc_heap no_heap, nobody; /* "has none yet"; "abandoned" */

THREAD_LOCAL struct slab_thread slab_self = {
    .bin = {[0 ... SLAB_BINS - 1] = &span_empty},
    .heap = &no_heap,
};

static struct {
    struct prim_lock lock;
    struct chunk *chunks;
    struct span *idle;                   /* spans nobody uses */
    int idle_chunks;                     /* chunks all of whose spans are idle */
    struct span *waiting, *waiting_last; /* empty ones in their grace period, oldest first */
    size_t waiting_count;
    struct span *abandoned[SLAB_BINS];
    struct alloc_heap *unused_heaps;
    struct slab_grace grace;
} pool;

/* -- Small helpers ----------------------------------------------------------------------------- */

static inline void *link_get(void *slot)
{
    return atomic_load_relaxed((void **)slot);
}

static inline void link_set(void *slot, void *next)
{
    atomic_store_relaxed((void **)slot, next);
}

/* The first object of a span. */
static inline char *span_slots(const struct span *span)
{
    return span->base + span->first + span->preheader;
}

static inline bool span_has_side(const struct span *span)
{
    return !SLAB_SHARED_READERS && slab_kind_gc((enum slab_kind)span->kind);
}

static inline unsigned span_bin(const struct span *span)
{
    return span->kind * SLAB_CLASSES + span->bin_class;
}

static void list_push(struct span **list, struct span *span)
{
    span->prev = NULL;
    span->next = *list;
    if (*list) {
        (*list)->prev = span;
    }
    *list = span;
}

static void list_remove(struct span **list, struct span *span)
{
    if (span->prev) {
        span->prev->next = span->next;
    } else {
        *list = span->next;
    }
    if (span->next) {
        span->next->prev = span->prev;
    }
    span->next = span->prev = NULL;
}

static struct span *list_pop(struct span **list)
{
    struct span *span = *list;
    if (span) {
        list_remove(list, span);
    }
    return span;
}

/* -- Chunks and idle spans (pool.lock held) ----------------------------------------------------- */

static bool leaf_make(uintptr_t address)
{
    struct span **top = &slab_table[address >> 32];
    if (!atomic_load_relaxed(top)) {
        struct span *leaf = prim_map(LEAF_RECORDS * sizeof(struct span));
        atomic_store_release(top, leaf);
        return leaf != NULL;
    }
    return true;
}

static bool chunk_make(void)
{
    struct chunk *chunk = backend_calloc(1, sizeof(*chunk));
    char *base = chunk ? backend_aligned(SLAB_SPAN, CHUNK_BYTES) : NULL;
    uintptr_t last = (uintptr_t)base + CHUNK_BYTES - 1;
    if (!base || last >> (32 + SPAN_TABLE_BITS) || !leaf_make((uintptr_t)base)
        || !leaf_make(last)) {
        backend_free(base);
        backend_free(chunk);
        return false;
    }
    chunk->base = base;
    chunk->next = pool.chunks;
    if (pool.chunks) {
        pool.chunks->prev = chunk;
    }
    pool.chunks = chunk;
    chunk->idle = CHUNK_SPANS;
    pool.idle_chunks++;
    for (int i = CHUNK_SPANS; --i >= 0;) {
        struct span *span = slab_record(base + (size_t)i * SLAB_SPAN);
        span->base = base + (size_t)i * SLAB_SPAN;
        span->chunk = chunk;
        span->state = SPAN_IDLE;
        list_push(&pool.idle, span);
    }
    prim_poison(base, CHUNK_BYTES);
    return true;
}

static void chunk_drop(struct chunk *chunk)
{
    for (int i = 0; i < CHUNK_SPANS; i++) {
        list_remove(&pool.idle, slab_record(chunk->base + (size_t)i * SLAB_SPAN));
    }
    if (chunk->prev) {
        chunk->prev->next = chunk->next;
    } else {
        pool.chunks = chunk->next;
    }
    if (chunk->next) {
        chunk->next->prev = chunk->prev;
    }
    pool.idle_chunks--;
    prim_unpoison(chunk->base, CHUNK_BYTES);
    backend_free(chunk->base);
    backend_free(chunk);
}

static void idle_put(struct span *span, int chunks_to_keep)
{
    struct chunk *chunk = span->chunk;
    backend_free(span->work);
    span->work = NULL;
    span->cache = 0;
    span->kind =
        SLAB_RAW; /* a large object may come to lie here: it has no gc byte at the span's begin */
    atomic_store_relaxed(&span->owner, NULL);
    atomic_store_relaxed(&span->slot, 0u);
    span->state = SPAN_IDLE;
    list_push(&pool.idle, span);
    if (++chunk->idle == CHUNK_SPANS && ++pool.idle_chunks > chunks_to_keep) {
        chunk_drop(chunk);
    }
}

static void waiting_reclaim(int chunks_to_keep)
{
    struct span *span;
    while ((span = pool.waiting) && pool.grace.passed(span->grace)) {
        pool.waiting = span->next;
        pool.waiting_count--;
        span->next = span->prev = NULL;
        idle_put(span, chunks_to_keep);
    }
}

static struct span *idle_take(void)
{
    if (!pool.idle && pool.waiting) {
        waiting_reclaim(IDLE_CHUNKS);
    }
    if (!pool.idle && !chunk_make()) {
        return NULL;
    }
    struct span *span = list_pop(&pool.idle);
    if (span->chunk->idle-- == CHUNK_SPANS) {
        pool.idle_chunks--;
    }
    return span;
}

/* -- Spans of a heap ---------------------------------------------------------------------------- */

static struct alloc_heap *heap_make(void)
{
    prim_lock_acquire(&pool.lock);
    struct alloc_heap *heap = pool.unused_heaps;
    if (heap) {
        pool.unused_heaps = heap->next_unused;
    }
    prim_lock_release(&pool.lock);
    if (heap) {
        atomic_store_release(&heap->notices, NULL);
    } else if (!(heap = backend_calloc(1, sizeof(*heap)))) {
        return NULL;
    }
    slab_self.heap = heap;
    return heap;
}

/* Moves what others freed to the owner's list. Gives whether there is room now. */
static bool span_drain(struct span *span)
{
    if (atomic_load_relaxed(&span->remote)) {
        void *slot = atomic_swap(&span->remote, NULL);
        while (slot) {
            void *next = link_get(slot);
            link_set(slot, span->free);
            span->free = slot;
            span->live--;
            slot = next;
        }
    }
    return span->free != NULL;
}

/* Makes the next page or so of fresh slots free ones. */
static bool span_carve(struct span *span)
{
    /* To the end of the page, or of the next one: what is not needed yet is not touched. */
    uint32_t room = CARVE_BYTES - (uint32_t)span->carved * span->slot % CARVE_BYTES;
    uint32_t count = (room >= span->slot ? room : room + CARVE_BYTES) / span->slot;
    count += count == 0;
    if (count > (uint32_t)(span->capacity - span->carved)) {
        count = span->capacity - span->carved;
    }
    for (uint32_t i = count; i-- > 0;) {
        void *slot = span_slots(span) + (size_t)(span->carved + i) * span->slot;
        prim_unpoison(slot, SLAB_HEADER);
        slab_clear_counts(slot);
        link_set(slot, span->free);
        span->free = slot;
    }
    span->carved += count;
    return count > 0;
}

static void span_make_full(struct alloc_heap *heap, struct span *span)
{
    span->state = SPAN_FULL;
    span->trip = span->capacity - 1u;
    list_push(&heap->full, span);
}

static void span_make_roomy(struct alloc_heap *heap, struct span *span)
{
    span->state = SPAN_ROOMY;
    span->trip = 0;
    list_push(&heap->roomy[span_bin(span)], span);
}

/* Some of its slots stand in the collector's list of young ones: it must stay what it is. */
static bool span_is_listed(const struct span *span)
{
    unsigned bits = 0;
    if (span_has_side(span)) {
        const char *object = span_slots(span);
        for (unsigned i = 0; i < span->carved; i++, object += span->slot) {
            bits |= *slab_side_byte(object);
        }
    }
    return bits & SLAB_SIDE_KEEP;
}

/* An empty span in no list goes back to the pool. */
static void span_give_back(struct span *span)
{
    bool hurry = false;
    if (!SLAB_SHARED_READERS && span_is_listed(span)) {
        list_push(&slab_self.heap->roomy[span_bin(span)], span);
        return;
    }
    prim_lock_acquire(&pool.lock);
    if (pool.grace.begin) {
        span->state = SPAN_WAITING;
        span->grace = pool.grace.begin();
        span->next = span->prev = NULL;
        if (pool.waiting) {
            pool.waiting_last->next = span;
        } else {
            pool.waiting = span;
        }
        pool.waiting_last = span;
        if (++pool.waiting_count % WAITING_MANY == 0) {
            waiting_reclaim(IDLE_CHUNKS);
            hurry = pool.waiting_count >= WAITING_MANY;
        }
    } else {
        idle_put(span, IDLE_CHUNKS);
    }
    prim_lock_release(&pool.lock);
    if (hurry && pool.grace.hurry) {
        pool.grace.hurry();
    }
}

/* A span with room has become empty. Most often it is about to be filled again: a few are kept. */
static void span_emptied(struct alloc_heap *heap, struct span *span)
{
    unsigned bin = span_bin(span);
    if (heap->empty[bin] < EMPTY_KEPT) {
        heap->empty[bin]++;
    } else if (!atomic_load_relaxed(&span->noticed)) {
        list_remove(&heap->roomy[bin], span);
        span_give_back(span);
    }
}

/* A free made live equal to trip: a full span has room again, or one with room is empty. */
COLD void slab_span_tripped(struct span *span)
{
    struct alloc_heap *heap = slab_self.heap;
    if (span->state == SPAN_FULL) {
        list_remove(&heap->full, span);
        span_make_roomy(heap, span);
    } else if (span->state == SPAN_ROOMY) {
        span_emptied(heap, span);
    }
}

/* False if the heap's thread has ended. */
static bool heap_post(struct alloc_heap *heap, struct span *span)
{
    struct span *first = atomic_load_relaxed(&heap->notices);
    do {
        if (first == &closed) {
            return false;
        }
        atomic_store_relaxed(&span->notice_next, first);
    } while (!atomic_cas_weak(&heap->notices, &first, span));
    return true;
}

/* Tells the owner that slots came back. Without an owner nobody need be told: who becomes the owner
 * drains. It may have become one meanwhile, and others have relied on our flag: then once more. */
static void span_notice(struct span *span)
{
    while (!atomic_swap_seq(&span->noticed, 1u)) {
        struct alloc_heap *heap = atomic_load_seq(&span->owner);
        if (heap && heap != &nobody && heap_post(heap, span)) {
            return;
        }
        atomic_store_seq(&span->noticed, 0u);
        if (!atomic_load_seq(&span->remote) || atomic_load_seq(&span->owner) == heap) {
            return;
        }
    }
}

/* Looks at the spans that others gave notice of. */
static void heap_read_notices(struct alloc_heap *heap, struct span *leave)
{
    if (!atomic_load_relaxed(&heap->notices)) {
        return;
    }
    struct span *span = atomic_swap(&heap->notices, leave);
    while (span && span != &closed) {
        struct span *next = atomic_load_relaxed(&span->notice_next);
        atomic_store_seq(&span->noticed, 0u);
        if (atomic_load_relaxed(&span->owner) != heap) {
            /* meant for a former user of this heap */
            if (atomic_load_relaxed(&span->remote)) {
                span_notice(span);
            }
        } else {
            uint32_t before = span->live;
            span_drain(span);
            if (span->state == SPAN_FULL && span->free) {
                list_remove(&heap->full, span);
                span_make_roomy(heap, span);
            }
            if (span->state == SPAN_ROOMY && before && !span->live) {
                span_emptied(heap, span);
            }
        }
        span = next;
    }
}

static void span_set_up(struct span *span, unsigned kind, unsigned class)
{
    size_t slot = slab_class_size(class);
    span->kind = (uint8_t)kind;
    span->first = 0;
    if (span_has_side(span)) {
        span->first = SLAB_SIDE_BYTES;
        prim_unpoison(span->base, SLAB_SIDE_BYTES);
        memset(span->base, 0, SLAB_SIDE_BYTES);
    }
    unsigned capacity = (unsigned)((SLAB_SPAN - span->first) / slot);
    span->free = NULL;
    span->live = 0;
    span->capacity = (uint16_t)capacity;
    span->carved = 0;
    span->bin_class = (uint8_t) class;
    span->cache = (uint16_t)(1 + span_bin(span));
    span->preheader = (uint8_t)slab_kind_preheader((enum slab_kind)kind);
    span->recip = (uint32_t)(((1ull << 32) + slot - 1) / slot);
    atomic_store_relaxed(&span->slot, (uint32_t)slot);
    atomic_store_relaxed(&span->arena, slab_self.arena);
}

static struct span *abandoned_pop(unsigned bin)
{
    struct span *span = pool.abandoned[bin];
    while (span && span->arena != slab_self.arena) {
        span = span->next;
    }
    if (span) {
        list_remove(&pool.abandoned[bin], span);
    }
    return span;
}

/* A span of this bin with a free slot, from wherever there is one. NULL: no memory. */
static struct span *heap_find_span(struct alloc_heap *heap, unsigned kind, unsigned class)
{
    unsigned bin = kind * SLAB_CLASSES + class;
    struct span *span = list_pop(&heap->roomy[bin]);
    if (span) {
        if (!span->live && heap->empty[bin]) {
            heap->empty[bin]--;
        }
        return span;
    }
    for (;;) {
        prim_lock_acquire(&pool.lock);
        bool adopted = (span = abandoned_pop(bin)) != NULL;
        if (!adopted && (span = idle_take())) {
            span_set_up(span, kind, class);
        }
        prim_lock_release(&pool.lock);
        if (!span) {
            return NULL;
        }
        atomic_store_seq(&span->owner, heap);
        if (span_drain(span) || span_carve(span)) {
            return span;
        }
        span_make_full(heap, span);
    }
}

static void *span_pop(struct span *span)
{
    void *slot = span->free;
    span->free = link_get(slot);
    span->live++;
    return slot;
}

/* A span with a free slot, the current one from now on. NULL: no memory. */
static struct span *span_with_room(unsigned bin)
{
    struct span *span = slab_self.bin[bin];
    if (span->free) {
        return span;
    }
    struct alloc_heap *heap = slab_self.heap;
    if (heap == &no_heap && !(heap = heap_make())) {
        return NULL;
    }
    if (span != &span_empty) {
        if (span_drain(span) || span_carve(span)) {
            return span;
        }
        span_make_full(heap, span);
        slab_self.bin[bin] = &span_empty;
    }
    heap_read_notices(heap, NULL);
    span = heap_find_span(heap, bin / SLAB_CLASSES, bin % SLAB_CLASSES);
    if (!span) {
        return NULL;
    }
    span->state = SPAN_CURRENT;
    span->trip = TRIP_NEVER;
    slab_self.bin[bin] = span;
    return span;
}

/* -- Caches --------------------------------------------------------------------------------------- */

static void small_free(struct span *span, void *p);

static int32_t cache_limit(const struct slab_cache *cache)
{
    unsigned bin = (unsigned)(cache - slab_self.cache) - 1;
    size_t count = CACHE_BYTES / slab_class_size(bin % SLAB_CLASSES);
    return count > CACHE_MOST ? CACHE_MOST : (int32_t)count;
}

static void cache_flush(struct slab_cache *cache)
{
    void *slot = cache->free, *next;
    cache->free = NULL;
    cache->room = 0;
    for (; slot; slot = next) {
        next = link_get(slot);
        small_free(slab_record(slot), slot);
    }
}

static void caches_flush(void)
{
    for (unsigned i = 1; i <= SLAB_BINS; i++) {
        cache_flush(&slab_self.cache[i]);
    }
}

/* Gives back all but the newest half: what comes next may be births as well as deaths. */
static void cache_trim(struct slab_cache *cache, int32_t limit)
{
    int32_t kept = limit / 2;
    void *last = cache->free, *next;
    for (int32_t i = 1; i < kept; i++) {
        last = link_get(last);
    }
    void *slot = link_get(last);
    link_set(last, NULL);
    cache->room = limit - kept;
    for (; slot; slot = next) {
        next = link_get(slot);
        small_free(slab_record(slot), slot);
    }
}

/* A free slot, with others of its span taken over to the cache, which is empty: half of what it may hold. */
static void *cache_fill(struct slab_cache *cache, struct span *span)
{
    int32_t limit = cache_limit(cache), count = (int32_t)(span->carved - span->live) - 1;
    void *slot = span_pop(span);
    if (limit == 0) {
        return slot;
    }
    if (count > limit / 2) {
        void *last = span->free;
        for (count = 1; count < limit / 2; count++) {
            last = link_get(last);
        }
        cache->free = span->free;
        span->free = link_get(last);
        link_set(last, NULL);
    } else {
        cache->free = span->free;
        span->free = NULL;
    }
    span->live += (uint32_t)count;
    cache->room = limit - count;
    return slot;
}

COLD void slab_free_full(void *p, struct slab_cache *cache)
{
    cache->room++;
    int32_t limit = cache == slab_self.cache ? 0 : cache_limit(cache);
    if (limit == 0) {
        slab_free_slow(p);
        return;
    }
    if (cache->free) {
        cache_trim(cache, limit);
    } else {
        cache->room = limit;
    }
    slab_cache_put(cache, p);
}

static void *small_alloc(unsigned bin)
{
    struct span *span = span_with_room(bin);
    if (unlikely(!span)) {
        return NULL;
    }
    struct slab_cache *cache = &slab_self.cache[1 + bin];
    if (PRIM_ASAN || cache->free || (atomic_load_relaxed(&mem_hooked) & MEM_HOOKED_SLABS)) {
        return span_pop(span);
    }
    return cache_fill(cache, span);
}

static void small_free(struct span *span, void *p)
{
    if (PRIM_ASAN) {
        prim_poison((char *)p - span->preheader, span->preheader);
        prim_poison((char *)p + SLAB_HEADER, span->slot - span->preheader - SLAB_HEADER);
    }
    if (span_has_side(span)) {
        *slab_side_byte(p) &= SLAB_SIDE_KEEP;
    }
    slab_clear_counts(p);
    if (atomic_load_relaxed(&span->owner) == slab_self.heap) {
        link_set(p, span->free);
        span->free = p;
        if (--span->live == span->trip) {
            slab_span_tripped(span);
        }
        return;
    }
    void *first = atomic_load_relaxed(&span->remote);
    do {
        link_set(p, first);
    } while (!atomic_cas_weak(&span->remote, &first, p));
    if (!first) {
        span_notice(span);
    }
}

/* -- The slow roads of slab.h ------------------------------------------------------------------- */

void *slab_alloc_plain(size_t size, enum slab_kind kind)
{
    size_t slot = size + slab_kind_preheader(kind);
    if (unlikely(slot > SLAB_MAX)) {
        return large_alloc(size, kind);
    }
    void *p = small_alloc(slab_bin(size, kind));
    if (PRIM_ASAN && p) {
        size_t body = SLAB_SHARED_READERS && size < SLAB_HEADER ? SLAB_HEADER : size;
        prim_unpoison((char *)p - slab_kind_preheader(kind), slab_kind_preheader(kind) + body);
    }
    return p;
}

NOINLINE void *slab_alloc_slow(size_t size, enum slab_kind kind)
{
    if (likely(!(atomic_load_relaxed(&mem_hooked) & MEM_HOOKED_SLABS))) {
        return slab_alloc_plain(size, kind);
    }
    if (mem_must_fail()) {
        return NULL;
    }
    void *p = slab_alloc_plain(size, kind);
    if (p && mem_debug_is_enabled() && size > SLAB_HEADER) {
        memset((char *)p + SLAB_HEADER, 0xcd, size - SLAB_HEADER);
    }
    if (p && mem_trace_add(0, (uintptr_t)p, size) < 0) {
        slab_free_plain(p);
        return NULL;
    }
    return p;
}

void slab_free_plain(void *p)
{
    struct span *span = slab_of(p);
    if (likely(span)) {
        small_free(span, p);
    } else {
        large_free(p);
    }
}

NOINLINE void slab_free_slow(void *p)
{
    if (unlikely(atomic_load_relaxed(&mem_hooked) & MEM_HOOKED_SLABS)) {
        mem_trace_remove(0, (uintptr_t)p);
        struct span *span = slab_of(p);
        if (mem_debug_is_enabled() && span && !PRIM_ASAN) {
            size_t body = span->slot - span->preheader;
            memset((char *)p + SLAB_HEADER, 0xdd, body > SLAB_HEADER ? body - SLAB_HEADER : 0);
        }
    }
    slab_free_plain(p);
}

/* The words a late reader may look at are written atomically. */
static void object_copy(char *to, const char *from, size_t size)
{
    size_t i = 0;
    for (; i < 32 && i + 8 <= size; i += 8) {
        atomic_store_relaxed((uint64_t *)(to + i), *(const uint64_t *)(from + i));
    }
    memcpy(to + i, from + i, size - i);
}

void *slab_resize_plain(void *p, size_t size)
{
    struct span *span = slab_of(p);
    if (!span && !SLAB_SHARED_READERS && size > SLAB_MAX) {
        return large_resize(p, size);
    }
    enum slab_kind kind = span ? (enum slab_kind)span->kind : large_kind(p);
    size_t preheader = slab_kind_preheader(kind), room = slab_usable(p);
    if (size <= room && !PRIM_ASAN && (room - size <= room / 4 || room <= 64)) {
        return p;
    }
    size_t slack = !span && size > room ? size / 8 : 0; /* a large one that grows will grow again */
    void *moved = slab_alloc_plain(size + slack, kind);
    if (!moved) {
        return NULL;
    }
    if (preheader) {
        memcpy((char *)moved - preheader, (char *)p - preheader, preheader);
    }
    size_t common = size < room ? size : room;
    prim_unpoison(p, common);
    object_copy(moved, p, common);
    slab_free_plain(p);
    return moved;
}

void *slab_resize(void *p, size_t size)
{
    if (likely(!(atomic_load_relaxed(&mem_hooked) & MEM_HOOKED_SLABS))) {
        return slab_resize_plain(p, size);
    }
    if (mem_must_fail()) {
        return NULL;
    }
    uintptr_t old = (uintptr_t)p;
    void *moved = slab_resize_plain(p, size);
    if (moved) {
        mem_trace_remove(0, old);
        mem_trace_add(0, (uintptr_t)moved, size);
    }
    return moved;
}

size_t slab_usable(const void *p)
{
    struct span *span = slab_of(p);
    return span ? span->slot - span->preheader : large_usable(p);
}

bool slab_holds_object(const void *p)
{
    struct span *span = slab_of(p);
    return span ? span->kind != SLAB_RAW : large_holds_object(p);
}

uint8_t *slab_gc_byte_large(const void *p)
{
    return &large_of(p)->gc_byte;
}

uint32_t *slab_work_large(const void *p)
{
    return &large_of(p)->work;
}

/* -- Walking ------------------------------------------------------------------------------------ */

static bool span_in_use(const struct span *span)
{
    return span->state != SPAN_IDLE && span->state != SPAN_WAITING && span->slot;
}

/* With pool.lock held. */
#define EACH_SPAN(span)                                                                            \
    for (struct chunk *chunk_ = pool.chunks; chunk_; chunk_ = chunk_->next)                        \
        for (struct span *span = slab_record(chunk_->base), *end_ = span + CHUNK_SPANS;            \
             span < end_; span++)                                                                  \
            if (atomic_load_relaxed(&span->arena) == slab_self.arena && span_in_use(span))

uint32_t *slab_work_make(void *p)
{
    struct span *span = slab_of(p);
    if (!span) {
        return slab_work_large(p);
    }
    if (!span->work && !(span->work = backend_alloc(span->capacity * sizeof(*span->work)))) {
        return NULL;
    }
    return &span->work[span_index(span, p)];
}

void slab_work_end(void)
{
    prim_lock_acquire(&pool.lock);
    EACH_SPAN(span)
    {
        backend_free(span->work);
        span->work = NULL;
    }
    prim_lock_release(&pool.lock);
}

static int span_each_gc(struct span *span, uint8_t mask, slab_visit_fn fn, void *arg)
{
    char *object = span_slots(span);
    for (unsigned i = 0; i < span->carved; i++, object += span->slot) {
        uint8_t byte = SLAB_SHARED_READERS ? atomic_load_relaxed((uint8_t *)object + 11)
                                           : *slab_side_byte(object);
        int result = byte & mask ? fn(object, arg) : 0;
        if (result) {
            return result;
        }
    }
    return 0;
}

static int spans_each_gc(uint8_t mask, slab_visit_fn fn, void *arg)
{
    EACH_SPAN(span)
    {
        if (slab_kind_gc((enum slab_kind)span->kind)) {
            int result = span_each_gc(span, mask, fn, arg);
            if (result) {
                return result;
            }
        }
    }
    return 0;
}

int slab_each_gc(uint8_t mask, slab_visit_fn fn, void *arg)
{
    prim_lock_acquire(&pool.lock);
    int result = spans_each_gc(mask, fn, arg);
    prim_lock_release(&pool.lock);
    return result ? result : large_each_gc(mask, fn, arg);
}

int slab_each_gc_large(uint8_t mask, slab_visit_fn fn, void *arg)
{
    return large_each_gc(mask, fn, arg);
}

static int span_each(struct span *span, slab_visit_fn fn, void *arg)
{
    uint64_t is_free[SLAB_SPAN / 16 / 64] = {0};
    void *const lists[] = {span->free, atomic_load_acquire(&span->remote)};
    for (int i = 0; i < 2; i++) {
        for (void *slot = lists[i]; slot; slot = link_get(slot)) {
            unsigned index = span_index(span, slot);
            is_free[index / 64] |= 1ull << index % 64;
        }
    }
    char *object = span_slots(span);
    for (unsigned i = 0; i < span->carved; i++, object += span->slot) {
        int result = is_free[i / 64] >> i % 64 & 1 ? 0 : fn(object, arg);
        if (result) {
            return result;
        }
    }
    return 0;
}

static int spans_each(unsigned kinds, slab_visit_fn fn, void *arg)
{
    EACH_SPAN(span)
    {
        if (kinds >> span->kind & 1) {
            int result = span_each(span, fn, arg);
            if (result) {
                return result;
            }
        }
    }
    return 0;
}

int slab_each(unsigned kinds, slab_visit_fn fn, void *arg)
{
    caches_flush();
    prim_lock_acquire(&pool.lock);
    int result = spans_each(kinds, fn, arg);
    prim_lock_release(&pool.lock);
    return result ? result : large_each(kinds, fn, arg);
}

void mem_usage(struct mem_usage *usage)
{
    *usage = (struct mem_usage){.backend_bytes = backend_bytes()};
    caches_flush();
    prim_lock_acquire(&pool.lock);
    for (struct chunk *chunk = pool.chunks; chunk; chunk = chunk->next) {
        usage->slab_bytes += CHUNK_BYTES;
    }
    EACH_SPAN(span)
    {
        usage->slab_blocks += atomic_load_relaxed(&span->live);
    }
    usage->grace_bytes = pool.waiting_count * SLAB_SPAN;
    prim_lock_release(&pool.lock);
    large_usage(usage);
}

/* -- Threads and grace periods ------------------------------------------------------------------ */

static void span_abandon(struct span *span)
{
    span->state = SPAN_ABANDONED;
    atomic_store_seq(&span->owner, &nobody);
    list_push(&pool.abandoned[span_bin(span)], span);
}

static void heap_leave(void)
{
    caches_flush();
    struct alloc_heap *heap = slab_self.heap;
    if (heap == &no_heap) {
        return;
    }
    heap_read_notices(heap, &closed);
    if (!atomic_load_relaxed(&heap->notices)) {
        atomic_store_seq(&heap->notices, &closed);
    }
    prim_lock_acquire(&pool.lock);
    struct span *span;
    for (unsigned bin = 0; bin < SLAB_BINS; bin++) {
        if (slab_self.bin[bin] != &span_empty) {
            span_abandon(slab_self.bin[bin]);
            slab_self.bin[bin] = &span_empty;
        }
        while ((span = list_pop(&heap->roomy[bin]))) {
            span_abandon(span);
        }
    }
    while ((span = list_pop(&heap->full))) {
        span_abandon(span);
    }
    memset(heap->empty, 0, sizeof(heap->empty));
    slab_self.heap = &no_heap;
    heap->next_unused = pool.unused_heaps;
    pool.unused_heaps = heap;
    prim_lock_release(&pool.lock);
}

void slab_thread_done(void)
{
    heap_leave();
    backend_thread_done();
}

void slab_use_arena(uint32_t arena)
{
    arena = (uint16_t)arena;
    if (arena != slab_self.arena) {
        heap_leave();
        slab_self.arena = arena;
    }
}

void slab_set_grace(const struct slab_grace *grace)
{
    pool.grace = *grace;
    large_set_grace(grace);
}

/* Abandoned spans that have become empty. They have no owner, so the lock's holder drains them. */
static void abandoned_reclaim(int chunks_to_keep)
{
    for (unsigned bin = 0; bin < SLAB_BINS; bin++) {
        struct span *next;
        for (struct span *span = pool.abandoned[bin]; span; span = next) {
            next = span->next;
            span_drain(span);
            if (span->live || atomic_load_relaxed(&span->noticed)
                || (!SLAB_SHARED_READERS && span_is_listed(span))) {
                continue;
            }
            list_remove(&pool.abandoned[bin], span);
            if (pool.grace.begin) {
                span->state = SPAN_WAITING;
                span->grace = pool.grace.begin();
                if (pool.waiting) {
                    pool.waiting_last->next = span;
                } else {
                    pool.waiting = span;
                }
                pool.waiting_last = span;
                pool.waiting_count++;
            } else {
                idle_put(span, chunks_to_keep);
            }
        }
    }
}

/* Those that had to stay when they became empty. */
static void heap_give_back_empty(struct alloc_heap *heap)
{
    memset(heap->empty, 0, sizeof(heap->empty));
    for (unsigned bin = 0; bin < SLAB_BINS; bin++) {
        struct span *next;
        for (struct span *span = heap->roomy[bin]; span; span = next) {
            next = span->next;
            if (!span->live && !atomic_load_relaxed(&span->noticed)) {
                list_remove(&heap->roomy[bin], span);
                span_give_back(span);
            }
        }
    }
}

void slab_reclaim(bool everything)
{
    if (everything) {
        caches_flush();
    }
    if (slab_self.heap != &no_heap) {
        heap_read_notices(slab_self.heap, NULL);
    }
    int keep = everything ? 0 : IDLE_CHUNKS;
    if (everything && slab_self.heap != &no_heap) {
        heap_give_back_empty(slab_self.heap);
    }
    prim_lock_acquire(&pool.lock);
    if (everything) {
        abandoned_reclaim(keep);
        struct chunk *next;
        for (struct chunk *chunk = pool.chunks; chunk; chunk = next) {
            next = chunk->next;
            if (chunk->idle == CHUNK_SPANS) {
                chunk_drop(chunk);
            }
        }
    }
    if (pool.waiting) {
        waiting_reclaim(keep);
    }
    prim_lock_release(&pool.lock);
    large_reclaim();
    if (everything) {
        backend_collect();
    }
}

/* The other threads are gone: their spans have no owner any more, whatever lists they stood in. */
void slab_after_fork_child(void)
{
    pool.lock = (struct prim_lock){0};
    large_after_fork_child();
    memset(pool.abandoned, 0, sizeof(pool.abandoned));
    for (struct chunk *chunk = pool.chunks; chunk; chunk = chunk->next) {
        struct span *span = slab_record(chunk->base);
        for (int i = 0; i < CHUNK_SPANS; i++, span++) {
            if (span_in_use(span) && span->owner != slab_self.heap) {
                span->noticed = 0;
                span_abandon(span);
            }
        }
    }
}
