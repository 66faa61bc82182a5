/* The ground: atomics, pages, futex, clock, thread-local storage. Nothing here knows Python.
 *
 * The atomic operations work on plain objects (PyObject's fields are plain by ABI) and always say
 * their memory order. There are no stand-alone fences: ThreadSanitizer does not model them. */
#ifndef KRAIT_PRIM_H
#define KRAIT_PRIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef likely
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#endif

#define THREAD_LOCAL _Thread_local
#define COLD __attribute__((noinline, cold))
#define NOINLINE __attribute__((noinline))
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define CACHE_LINE 64

/* -- Atomics --------------------------------------------------------------------------------- */

#define atomic_load_relaxed(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define atomic_load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define atomic_load_seq(p) __atomic_load_n((p), __ATOMIC_SEQ_CST)
#define atomic_store_relaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define atomic_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define atomic_store_seq(p, v) __atomic_store_n((p), (v), __ATOMIC_SEQ_CST)

/* Read-modify-write; each gives the value that stood there before. */
#define atomic_swap(p, v) __atomic_exchange_n((p), (v), __ATOMIC_ACQ_REL)
#define atomic_swap_seq(p, v) __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
#define atomic_add(p, v) __atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST)
#define atomic_sub(p, v) __atomic_fetch_sub((p), (v), __ATOMIC_SEQ_CST)
#define atomic_or(p, v) __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST)
#define atomic_and(p, v) __atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST)
#define atomic_add_relaxed(p, v) __atomic_fetch_add((p), (v), __ATOMIC_RELAXED)
#define atomic_sub_release(p, v) __atomic_fetch_sub((p), (v), __ATOMIC_ACQ_REL)

/* Compare and exchange: true if *p held *expected and now holds `desired`; else *expected is what
 * stood there. `_weak` may fail for no reason and belongs in a loop. */
#define atomic_cas(p, expected, desired)                                                           \
    __atomic_compare_exchange_n((p), (expected), (desired), 0, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE)
#define atomic_cas_weak(p, expected, desired)                                                      \
    __atomic_compare_exchange_n((p), (expected), (desired), 1, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)

static inline void cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield" ::: "memory");
#endif
}

/* -- Pages ----------------------------------------------------------------------------------- */

/* Reserved address space of `size` bytes (a multiple of the page size), unusable until committed.
 * NULL on failure. */
void *prim_reserve(size_t size);
/* Whether the kernel would promise that much memory right now. */
bool prim_can_commit(size_t size);
/* Readable and writable zeroed pages, committed lazily by the system. NULL on failure. */
void *prim_map(size_t size);
/* Both take page-aligned ranges inside a reservation; prim_commit returns 0 or -1. */
int prim_commit(void *start, size_t size);
void prim_decommit(void *start, size_t size);
void prim_unmap(void *start, size_t size);
size_t prim_page_size(void);

/* -- Waiting --------------------------------------------------------------------------------- */

enum { PRIM_WOKEN = 0, PRIM_TIMEOUT = 1, PRIM_INTERRUPTED = 2 };

/* Sleeps while *word == expected; may also wake for no reason (PRIM_WOKEN). timeout_ns < 0: no
 * limit. PRIM_INTERRUPTED: a signal handler ran. */
int prim_futex_wait(uint32_t *word, uint32_t expected, int64_t timeout_ns);
void prim_futex_wake(uint32_t *word, int count);

int64_t prim_now_ns(void); /* monotonic clock */
void prim_yield(void);     /* lets another thread run */

/* The operating system's number of this thread; and the address of its control block, which the
 * cp313t protocol stores in ob_tid. */
unsigned long prim_native_id(void);
static inline uintptr_t prim_thread_id(void)
{
    return (uintptr_t)__builtin_thread_pointer();
}

/* The lowest address the current thread's C stack may use, and its size; 0 if unknown. */
uintptr_t prim_stack_bounds(size_t *size);

/* A small lock for short sections that neither block nor allocate. Zero is unlocked. It is not
 * the Python-level mutex: a thread that waits here stays attached. */
struct prim_lock {
    uint32_t word; /* 0 free, 1 held, 2 held and waited for */
};

void prim_lock_wait(struct prim_lock *lock);
void prim_lock_wake(struct prim_lock *lock);

static inline void prim_lock_acquire(struct prim_lock *lock)
{
    uint32_t expected = 0;
    if (unlikely(!atomic_cas(&lock->word, &expected, 1u))) {
        prim_lock_wait(lock);
    }
}

static inline bool prim_lock_try(struct prim_lock *lock)
{
    uint32_t expected = 0;
    return atomic_cas(&lock->word, &expected, 1u);
}

static inline void prim_lock_release(struct prim_lock *lock)
{
    if (unlikely(atomic_swap(&lock->word, 0u) == 2)) {
        prim_lock_wake(lock);
    }
}

/* -- Sanitizers ------------------------------------------------------------------------------ */

#if defined(__SANITIZE_ADDRESS__)
#define PRIM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PRIM_ASAN 1
#endif
#endif
#ifdef PRIM_ASAN
void __asan_poison_memory_region(void const volatile *, size_t);
void __asan_unpoison_memory_region(void const volatile *, size_t);
#define prim_poison(p, n) __asan_poison_memory_region((p), (n))
#define prim_unpoison(p, n) __asan_unpoison_memory_region((p), (n))
#else
#define PRIM_ASAN 0
#define prim_poison(p, n) ((void)(p), (void)(n))
#define prim_unpoison(p, n) ((void)(p), (void)(n))
#endif

#endif
