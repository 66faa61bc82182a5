/* The parking lot: threads asleep, in queues by the address they wait on.
 *
 * A queue's lock is held while the awaited word is compared and the waiter linked in, and while a
 * waker unlinks one and changes the word: so no wake-up is lost. */
#include "locking/internal.h"

enum { BUCKETS = 251 };

static struct bucket {
    struct prim_lock lock;
    struct waiter *first, *last;
    char pad[CACHE_LINE - 24];
} buckets[BUCKETS];

static struct bucket *bucket_of(const void *address)
{
    return &buckets[((uintptr_t)address ^ (uintptr_t)address >> 16) % BUCKETS];
}

static bool word_equals(const void *address, const void *expected, size_t size)
{
    switch (size) {
    case 1:
        return atomic_load_seq((const uint8_t *)address) == *(const uint8_t *)expected;
    case 4:
        return atomic_load_seq((const uint32_t *)address) == *(const uint32_t *)expected;
    default:
        return atomic_load_seq((const uint64_t *)address) == *(const uint64_t *)expected;
    }
}

static void bucket_add(struct bucket *bucket, struct waiter *w)
{
    w->next = NULL;
    if (bucket->last) {
        bucket->last->next = w;
    } else {
        bucket->first = w;
    }
    bucket->last = w;
}

/* Unlinks `w`, or the first waiter of `address` if w is NULL. *more: others wait on that address. */
static struct waiter *bucket_remove(struct bucket *bucket, const void *address, struct waiter *w,
                                    bool *more)
{
    struct waiter *found = NULL, *previous = NULL, *next;
    *more = false;
    for (struct waiter *at = bucket->first; at; at = next) {
        next = at->next;
        if (!found && (w ? at == w : at->address == address)) {
            found = at;
            if (previous) {
                previous->next = next;
            } else {
                bucket->first = next;
            }
            if (bucket->last == at) {
                bucket->last = previous;
            }
            continue;
        }
        *more = *more || at->address == address;
        previous = at;
    }
    return found;
}

static enum park_result wait_for_word(struct waiter *w, int64_t timeout_ns, int flags)
{
    int64_t end = timeout_ns < 0 ? 0 : prim_now_ns() + timeout_ns;
    while (!atomic_load_acquire(&w->word)) {
        int64_t left = timeout_ns < 0 ? -1 : end - prim_now_ns();
        if (timeout_ns >= 0 && left <= 0) {
            return PARK_TIMEOUT;
        }
        if (prim_futex_wait(&w->word, 0, left) == PRIM_INTERRUPTED && flags & LOCK_SIGNALS) {
            return PARK_INTERRUPTED;
        }
    }
    return PARK_WOKEN;
}

enum park_result park(const void *address, const void *expected, size_t size, int64_t timeout_ns,
                      void *arg, int flags)
{
    struct waiter w = {.address = address, .arg = arg};
    struct bucket *bucket = bucket_of(address);
    prim_lock_acquire(&bucket->lock);
    if (!word_equals(address, expected, size)) {
        prim_lock_release(&bucket->lock);
        return PARK_CHANGED;
    }
    bucket_add(bucket, &w);
    prim_lock_release(&bucket->lock);

    struct thread *self = flags & LOCK_DETACH && thread_self() ? thread_detach() : NULL;
    enum park_result result = wait_for_word(&w, timeout_ns, flags);
    if (result != PARK_WOKEN) {
        bool more;
        prim_lock_acquire(&bucket->lock);
        if (!bucket_remove(bucket, address, &w, &more)) {
            result = PARK_WOKEN; /* the waker was quicker */
        }
        prim_lock_release(&bucket->lock);
        while (result == PARK_WOKEN && !atomic_load_acquire(&w.word)) {
            cpu_relax();
        }
    }
    if (self) {
        thread_attach(self);
    }
    return result;
}

static void waiter_wake(struct waiter *w)
{
    uint32_t *word = &w->word;
    atomic_store_release(word,
                         1u); /* from here on *w may be gone; waking a stale address is harmless */
    prim_futex_wake(word, 1);
}

void unpark(const void *address, unpark_fn fn, void *ctx)
{
    bool more;
    struct bucket *bucket = bucket_of(address);
    prim_lock_acquire(&bucket->lock);
    struct waiter *w = bucket_remove(bucket, address, NULL, &more);
    fn(ctx, w ? w->arg : NULL, more);
    prim_lock_release(&bucket->lock);
    if (w) {
        waiter_wake(w);
    }
}

void unpark_all(const void *address)
{
    struct waiter *woken = NULL, *w;
    struct bucket *bucket = bucket_of(address);
    bool more = true;
    prim_lock_acquire(&bucket->lock);
    while (more && (w = bucket_remove(bucket, address, NULL, &more))) {
        w->next = woken;
        woken = w;
    }
    prim_lock_release(&bucket->lock);
    while (woken) {
        w = woken;
        woken = w->next;
        waiter_wake(w);
    }
}

void park_after_fork_child(void)
{
    memset(buckets, 0, sizeof(buckets));
}
