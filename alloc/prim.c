/* Linux under prim.h. */
#include "alloc/prim.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* -- Pages ------------------------------------------------------------------------------------- */

static void *pages_get(size_t size, int protection)
{
    void *p = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

void *prim_reserve(size_t size)
{
    return pages_get(size, PROT_NONE);
}

void *prim_map(size_t size)
{
    return pages_get(size, PROT_READ | PROT_WRITE);
}

bool prim_can_commit(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        return false;
    }
    munmap(p, size);
    return true;
}

int prim_commit(void *start, size_t size)
{
    return mprotect(start, size, PROT_READ | PROT_WRITE);
}

void prim_decommit(void *start, size_t size)
{
    madvise(start, size, MADV_DONTNEED);
    mprotect(start, size, PROT_NONE);
}

void prim_unmap(void *start, size_t size)
{
    munmap(start, size);
}

size_t prim_page_size(void)
{
    static size_t size;
    size_t known = atomic_load_relaxed(&size);
    if (!known) {
        known = (size_t)sysconf(_SC_PAGESIZE);
        atomic_store_relaxed(&size, known);
    }
    return known;
}

/* -- Waiting ----------------------------------------------------------------------------------- */

int prim_futex_wait(uint32_t *word, uint32_t expected, int64_t timeout_ns)
{
    struct timespec limit, *timeout = NULL;
    if (timeout_ns >= 0) {
        limit.tv_sec = timeout_ns / 1000000000;
        limit.tv_nsec = timeout_ns % 1000000000;
        timeout = &limit;
    }
    int saved = errno;
    int result = PRIM_WOKEN;
    if (syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, timeout, NULL, 0) < 0) {
        if (errno == ETIMEDOUT) {
            result = PRIM_TIMEOUT;
        } else if (errno == EINTR) {
            result = PRIM_INTERRUPTED;
        }
    }
    errno = saved;
    return result;
}

void prim_futex_wake(uint32_t *word, int count)
{
    int saved = errno;
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
    errno = saved;
}

int64_t prim_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void prim_yield(void)
{
    sched_yield();
}

unsigned long prim_native_id(void)
{
    return (unsigned long)syscall(SYS_gettid);
}

uintptr_t prim_stack_bounds(size_t *size)
{
    pthread_attr_t attributes;
    void *low = NULL;
    *size = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        size_t guard = 0;
        if (pthread_attr_getstack(&attributes, &low, size) == 0
            && pthread_attr_getguardsize(&attributes, &guard) == 0 && guard < *size) {
            low = (char *)low + guard;
            *size -= guard;
        }
        pthread_attr_destroy(&attributes);
    }
    return (uintptr_t)low;
}

/* -- prim_lock --------------------------------------------------------------------------------- */

void prim_lock_wait(struct prim_lock *lock)
{
    for (int i = 0; i < 40; i++) {
        uint32_t expected = 0;
        if (atomic_load_relaxed(&lock->word) == 0 && atomic_cas(&lock->word, &expected, 1u)) {
            return;
        }
        cpu_relax();
    }
    while (atomic_swap(&lock->word, 2u) != 0) {
        prim_futex_wait(&lock->word, 2, -1);
    }
}

void prim_lock_wake(struct prim_lock *lock)
{
    prim_futex_wake(&lock->word, 1);
}
