/* Where Python objects live: 64 KiB spans of equal slots.
 *
 * Invariants
 *  - A span holds one slot size, one kind and one pre-header size. It is used for another, or given
 *    back, only after a grace period, so a late reader that takes no lock always finds the
 *    header of an object or of a free slot.
 *  - "Object pointer" means the address behind the pre-header. It is 16-byte aligned.
 *  - The first word of a free slot (ob_tid) links it; where readers take no lock
 *    (SLAB_SHARED_READERS) the words at 8 and 16 (gc bits, local and shared count) read 0, so a
 *    try-reference fails. No reader compares a link with its own thread id and finds it equal.
 *  - The record of a span lies outside of it, in a table that maps any address: slab_of(p) is safe
 *    for every pointer, static objects included.
 *  - Only a span's owner thread touches its free list; others push to its atomic remote list.
 *  - A thread keeps some free slots of each bin for itself (struct slab_cache), of whatever span; for
 *    their spans they are in use.
 *  - Objects beyond SLAB_MAX come one by one from the backend, with a record before the pre-header.
 *  - Objects of one arena are freed by threads that use this arena.
 *
 * Nothing here runs Python code or sets exceptions; failure is NULL. The memory is not zeroed. */
#ifndef KRAIT_SLAB_H
#define KRAIT_SLAB_H

#include "alloc.h"

#ifndef SLAB_SHARED_READERS
#error "the build defines SLAB_SHARED_READERS: 1 if objects are read without locks, else 0"
#endif
#ifndef SLAB_DIRECT
#define SLAB_DIRECT 0 /* 1: objects straight from the backend (objects=direct) */
#endif

enum {
    SLAB_SPAN = 64 * 1024,
    SLAB_MAX = 8 * 1024, /* largest slot */
    SLAB_CLASSES = 48,   /* 16..512 by 16, then four to each doubling */
    SLAB_PREHEADERS = 3, /* 0, 16 or 32 bytes */
    SLAB_BINS = SLAB_CLASSES * (2 * SLAB_PREHEADERS + 1),
};

/* In the default build a span of containers begins with a gc byte for each 32 bytes of it, so that
 * the byte of an object is found from its address alone. */
enum {
    SLAB_SIDE_BYTES = SLAB_SHARED_READERS ? 0 : SLAB_SPAN / 32,
    SLAB_GC_SLOT = 32, /* smallest slot of a container */
};

/* The bit of a gc byte that outlives its object: "this slot stands in the collector's list of young
 * containers" (default build). */
enum { SLAB_SIDE_KEEP = 0x20 };

/* A kind is a constant of these; pre-headers are 0, 16 or 32 bytes. */
enum slab_kind {
    SLAB_ATOM = 0, /* objects that the collector does not look at */
    SLAB_ATOM_16 = 1,
    SLAB_ATOM_32 = 2,
    SLAB_GC = 3, /* containers: have a gc byte and a working count */
    SLAB_GC_16 = 4,
    SLAB_GC_32 = 5,
    SLAB_RAW = 6, /* blocks of PyObject_Malloc: never taken for objects */
};

static inline size_t slab_kind_preheader(enum slab_kind kind)
{
    return kind == SLAB_RAW ? 0 : (size_t)(kind % SLAB_PREHEADERS) * 16;
}
static inline bool slab_kind_gc(enum slab_kind kind)
{
    return kind >= SLAB_GC && kind < SLAB_RAW;
}
static inline enum slab_kind slab_kind_make(bool gc, size_t preheader)
{
    return (enum slab_kind)((gc ? SLAB_GC : SLAB_ATOM) + (int)(preheader / 16));
}

/* The class of a slot of `size` bytes (pre-header included, at most SLAB_MAX). */
static inline unsigned slab_class(size_t size)
{
    if (likely(size <= 512)) {
        return size ? (unsigned)((size - 1) >> 4) : 0;
    }
    unsigned top = 63 - (unsigned)__builtin_clzl(size - 1); /* 2^top <= size-1, top >= 9 */
    return 32 + (top - 9) * 4 + (unsigned)((size - 1 - (1ul << top)) >> (top - 2));
}
static inline size_t slab_class_size(unsigned class)
{
    if (class < 32) {
        return (class + 1) * 16;
    }
    unsigned top = (class - 32) / 4 + 9;
    return (1ul << top) + ((class - 32) % 4 + 1) * (1ul << (top - 2));
}

/* -- Records of spans ------------------------------------------------------------------------ */

struct span {
    /* The owner's line. */
    void *free;               /* free slots, as object pointers */
    struct alloc_heap *owner; /* who allocates here; compare only with one's own */
    uint32_t live;            /* slots handed out */
    uint32_t trip;            /* a free that makes live equal to this takes the slow road */
    uint32_t slot;            /* bytes of a slot; 0: no span here */
    uint32_t recip;           /* ceil(2^32 / slot), for index from address */
    uint32_t first;           /* where its slots begin, from base */
    uint16_t capacity, carved;
    uint16_t cache; /* index in slab_self.cache; 0: no span here */
    uint8_t bin_class, kind, state, preheader;
    uint32_t *work; /* a working count per slot while the collector runs, or NULL */
    char *base;
    /* The others' line. */
    _Alignas(CACHE_LINE) void *remote; /* slots freed by other threads */
    struct span *notice_next;
    struct span *next, *prev; /* the owner's list of spans with room, or a global one */
    uint64_t grace;
    struct chunk *chunk; /* what it was cut from */
    uint32_t noticed;    /* stands in the owner's notice list */
    uint32_t arena;      /* whose objects these are */
};

enum { SPAN_TABLE_BITS = 15 };
extern struct span *slab_table[1 << SPAN_TABLE_BITS]; /* by address bits 32..46 */

/* The record of the 64 KiB at p, or NULL. A record with slot == 0 is no span. Any pointer. */
static inline struct span *slab_record(const void *p)
{
    uintptr_t a = (uintptr_t)p;
    struct span *leaf = atomic_load_acquire(&slab_table[(a >> 32) & ((1 << SPAN_TABLE_BITS) - 1)]);
    return leaf ? leaf + ((a >> 16) & 0xffff) : NULL;
}

/* The span that p points into, or NULL: a static object, a large one, or anything else. */
static inline struct span *slab_of(const void *p)
{
    struct span *span = slab_record(p);
    return span && atomic_load_relaxed(&span->slot) ? span : NULL;
}

static inline unsigned span_index(const struct span *span, const void *p)
{
    uint32_t offset = (uint32_t)((uintptr_t)p & (SLAB_SPAN - 1)) - span->first;
    return (unsigned)(((uint64_t)offset * span->recip) >> 32);
}

/* -- Objects --------------------------------------------------------------------------------- */

/* Free slots that a thread has at hand. */
struct slab_cache {
    void *free;
    int32_t room; /* how many more it takes */
};

struct slab_thread {
    struct slab_cache
        cache[SLAB_BINS + 1];    /* of bin i: i + 1; the first one is always empty and full */
    struct span *bin[SLAB_BINS]; /* never NULL: a span, or one that is always empty */
    uint32_t arena;              /* see slab_use_arena */
    struct alloc_heap *heap;     /* never NULL, never equal to the owner of a record without span */
};
extern THREAD_LOCAL struct slab_thread slab_self;

void *slab_alloc_slow(size_t size, enum slab_kind kind);
void slab_free_slow(void *p);
/* Of a cache that has no room: slab_free's slow road. */
void slab_free_full(void *p, struct slab_cache *cache);
void slab_span_tripped(struct span *span);

#if SLAB_SHARED_READERS
/* Words 1 and 2 of a free slot: nothing to reference here. The slot is at least 32 bytes. */
static inline void slab_clear_counts(void *p)
{
    atomic_store_relaxed((uint64_t *)p + 1, 0);
    atomic_store_relaxed((uint64_t *)p + 2, 0);
}
enum { SLAB_HEADER = 32 };
#else
static inline void slab_clear_counts(void *p)
{
    (void)p;
}
enum { SLAB_HEADER = 8 };
#endif

/* The gc byte of a container in a slab (at most SLAB_MAX bytes, not static), in the default build. */
static inline uint8_t *slab_side_byte(const void *p)
{
    uintptr_t a = (uintptr_t)p;
    return (uint8_t *)((a & ~(uintptr_t)(SLAB_SPAN - 1)) + ((a & (SLAB_SPAN - 1)) >> 5));
}

/* The bin of objects of `size` bytes, not counting the pre-header. */
static inline unsigned slab_bin(size_t size, enum slab_kind kind)
{
    size_t slot = size + slab_kind_preheader(kind);
    if ((SLAB_SHARED_READERS || slab_kind_gc(kind)) && slot < SLAB_GC_SLOT) {
        slot = SLAB_GC_SLOT;
    }
    return (unsigned)kind * SLAB_CLASSES + slab_class(slot);
}

static inline bool slab_goes_slow(size_t size, enum slab_kind kind)
{
    return SLAB_DIRECT || PRIM_ASAN || size + slab_kind_preheader(kind) > SLAB_MAX
           || (atomic_load_relaxed(&mem_hooked) & MEM_HOOKED_SLABS);
}

/* Memory for an object of `size` bytes, not counting the pre-header. Fields that late readers look
 * at (the first 24 bytes in the free-threaded builds) must be filled in by atomic stores. */
static inline void *slab_alloc(size_t size, enum slab_kind kind)
{
    if (unlikely(slab_goes_slow(size, kind))) {
        return slab_alloc_slow(size, kind);
    }
    struct slab_cache *cache = &slab_self.cache[1 + slab_bin(size, kind)];
    void *p = cache->free;
    if (unlikely(!p)) {
        return slab_alloc_slow(size, kind);
    }
    cache->free = atomic_load_relaxed((void **)p);
    cache->room++;
    return p;
}

static inline void slab_cache_put(struct slab_cache *cache, void *p)
{
    if (unlikely(--cache->room < 0)) {
        slab_free_full(p, cache);
        return;
    }
    slab_clear_counts(p);
    atomic_store_relaxed((void **)p, cache->free);
    cache->free = p;
}

/* Frees what slab_alloc gave (any kind, any size, from any thread). */
static inline void slab_free(void *p)
{
    struct span *span = slab_record(p);
    if (unlikely(SLAB_DIRECT || PRIM_ASAN || !span
                 || (atomic_load_relaxed(&mem_hooked) & MEM_HOOKED_SLABS))) {
        slab_free_slow(p);
        return;
    }
    if (!SLAB_SHARED_READERS && slab_kind_gc((enum slab_kind)span->kind)) {
        *slab_side_byte(p) &= SLAB_SIDE_KEEP;
    }
    slab_cache_put(&slab_self.cache[span->cache], p);
}

/* The same for who knows what it was made with, down to the class of its slot; the gc byte of a container
 * has been cleared, but for SLAB_SIDE_KEEP. */
static inline void slab_free_sized(void *p, size_t size, enum slab_kind kind)
{
    if (unlikely(slab_goes_slow(size, kind))) {
        slab_free_slow(p);
        return;
    }
    slab_cache_put(&slab_self.cache[1 + slab_bin(size, kind)], p);
}

/* The object with room for `size` bytes, maybe elsewhere, its first bytes and pre-header copied.
 * NULL: failure, the old one stays. Nobody else may know the object. */
void *slab_resize(void *p, size_t size);

/* Bytes from p to the end of its slot or block. */
size_t slab_usable(const void *p);

/* -- For the collector ----------------------------------------------------------------------- */

/* The gc byte of an object of a gc kind, 0 in a new object but for SLAB_SIDE_KEEP. Only without
 * SLAB_SHARED_READERS; with it the byte is in the object's header. */
uint8_t *slab_gc_byte_large(const void *p);
/* Of one of at most SLAB_MAX bytes. */
static inline uint8_t *slab_gc_byte_small(const void *p)
{
    return SLAB_DIRECT ? slab_gc_byte_large(p) : slab_side_byte(p);
}
static inline uint8_t *slab_gc_byte(const void *p)
{
    return likely(!SLAB_DIRECT && slab_of(p)) ? slab_side_byte(p) : slab_gc_byte_large(p);
}

/* The working word of an object of a gc kind, for one collector at a time: make gives it a place (NULL:
 * no memory), with whatever value; end gives all places back. Other threads are stopped. */
uint32_t *slab_work_make(void *p);
void slab_work_end(void);
uint32_t *slab_work_large(const void *p);
static inline uint32_t *slab_work(const void *p)
{
    struct span *span = slab_of(p);
    if (likely(span && span->work)) {
        return &span->work[span_index(span, p)];
    }
    return slab_work_large(p);
}

/* Calls fn for every object of a gc kind whose gc byte has a bit of `mask`; where
 * SLAB_SHARED_READERS the byte is ob_gc_bits (at 11). fn may clear bits, and neither allocates nor
 * frees objects. Stops with fn's result when that is not 0. Only this thread's arena, whose other threads
 * are stopped, or wait for the global lock. */
typedef int (*slab_visit_fn)(void *object, void *arg);
int slab_each_gc(uint8_t mask, slab_visit_fn fn, void *arg);
/* The same for those that lie in no span. */
int slab_each_gc_large(uint8_t mask, slab_visit_fn fn, void *arg);

/* Every live object or block of the kinds in the bit mask (1 << kind). Same conditions. */
int slab_each(unsigned kinds, slab_visit_fn fn, void *arg);

/* -- Threads and grace periods --------------------------------------------------------------- */

/* Interpreters' objects are kept apart, so that each collector finds its own: from now on this thread
 * allocates in, and walks, this arena. 0 at first. */
void slab_use_arena(uint32_t arena);

/* The calling thread will allocate no more here: its spans go to whoever needs one. */
void slab_thread_done(void);

/* How to wait until every reader has passed a quiet point; registered by the locking floor. begin
 * gives a ticket, passed tells whether its time has come. Without them there is no wait. */
struct slab_grace {
    uint64_t (*begin)(void);
    bool (*passed)(uint64_t ticket);
    void (*hurry)(void); /* much waits: ask the threads to pass a quiet point */
};
void slab_set_grace(const struct slab_grace *grace);

/* Takes back what has outlived its grace period and gives idle chunks to the backend; all: also the
 * few spans that are kept for the next burst. Any thread, no locks held. */
void slab_reclaim(bool all);

void slab_after_fork_child(void);

#endif
