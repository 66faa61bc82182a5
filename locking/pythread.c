/* PyThread_*: threads, locks and thread-specific storage as the C API has them. */
#include "locking/internal.h"

#include <errno.h>

const long long PY_TIMEOUT_MAX = LLONG_MAX / 1000;

void PyThread_init_thread(void)
{
}

unsigned long PyThread_get_thread_ident(void)
{
    return (unsigned long)pthread_self();
}

unsigned long PyThread_get_thread_native_id(void)
{
    return prim_native_id();
}

unsigned long PyThread_start_new_thread(void (*fn)(void *), void *arg)
{
    unsigned long ident;
    return thread_start(fn, arg, false, &ident, NULL) < 0 ? PYTHREAD_INVALID_THREAD_ID : ident;
}

void PyThread_exit_thread(void)
{
    pthread_exit(NULL);
}

/* -- Joinable threads, as upstream's _thread module has them ------------------------------------- */

typedef unsigned long long ident_type;
typedef unsigned long handle_type;
PyAPI_FUNC(ident_type) PyThread_get_thread_ident_ex(void);
PyAPI_FUNC(int) PyThread_start_joinable_thread(void (*fn)(void *), void *arg, ident_type *ident,
                                               handle_type *handle);
PyAPI_FUNC(int) PyThread_join_thread(handle_type handle);
PyAPI_FUNC(int) PyThread_detach_thread(handle_type handle);

ident_type PyThread_get_thread_ident_ex(void)
{
    return (ident_type)pthread_self();
}

int PyThread_start_joinable_thread(void (*fn)(void *), void *arg, ident_type *ident,
                                   handle_type *handle)
{
    unsigned long id;
    pthread_t thread;
    if (thread_start(fn, arg, true, &id, &thread) < 0) {
        return -1;
    }
    *ident = id;
    *handle = (handle_type)thread;
    return 0;
}

int PyThread_join_thread(handle_type handle)
{
    return pthread_join((pthread_t)handle, NULL);
}

int PyThread_detach_thread(handle_type handle)
{
    return pthread_detach((pthread_t)handle);
}

/* -- Locks: a mutex that any thread may unlock ---------------------------------------------------- */

PyThread_type_lock PyThread_allocate_lock(void)
{
    return mem_calloc(MEM_RAW, 1, sizeof(PyMutex));
}

void PyThread_free_lock(PyThread_type_lock lock)
{
    mem_free(MEM_RAW, lock);
}

PyLockStatus PyThread_acquire_lock_timed(PyThread_type_lock lock, long long microseconds,
                                         int interruptible)
{
    int64_t timeout = microseconds < 0                  ? -1
                      : microseconds > INT64_MAX / 1000 ? INT64_MAX
                                                        : microseconds * 1000;
    switch (mutex_lock_timed(lock, timeout, interruptible ? LOCK_SIGNALS : 0)) {
    case PARK_WOKEN:
        return PY_LOCK_ACQUIRED;
    case PARK_INTERRUPTED:
        return PY_LOCK_INTR;
    default:
        return PY_LOCK_FAILURE;
    }
}

int PyThread_acquire_lock(PyThread_type_lock lock, int wait)
{
    return PyThread_acquire_lock_timed(lock, wait ? -1 : 0, 0) == PY_LOCK_ACQUIRED;
}

void PyThread_release_lock(PyThread_type_lock lock)
{
    mutex_unlock(lock);
}

PyAPI_FUNC(PyLockStatus)
    PyThread_acquire_lock_timed_with_retries(PyThread_type_lock lock, long long timeout);

/* Nanoseconds. Detaches while it waits; signal handlers run in between: PY_LOCK_INTR says that one
 * raised. */
PyLockStatus PyThread_acquire_lock_timed_with_retries(PyThread_type_lock lock, long long timeout)
{
    int64_t end = timeout > 0 ? prim_now_ns() + timeout : 0;
    for (;;) {
        enum park_result result = mutex_lock_timed(lock, timeout, LOCK_DETACH | LOCK_SIGNALS);
        if (result == PARK_WOKEN) {
            return PY_LOCK_ACQUIRED;
        }
        if (result != PARK_INTERRUPTED) {
            return PY_LOCK_FAILURE;
        }
        if (Py_MakePendingCalls() < 0) {
            return PY_LOCK_INTR;
        }
        if (timeout > 0 && (timeout = end - prim_now_ns()) <= 0) {
            return PY_LOCK_FAILURE;
        }
    }
}

/* -- Thread-specific storage ---------------------------------------------------------------------- */

Py_tss_t *PyThread_tss_alloc(void)
{
    Py_tss_t *key = mem_alloc(MEM_RAW, sizeof(*key));
    if (key) {
        *key = (Py_tss_t)Py_tss_NEEDS_INIT;
    }
    return key;
}

void PyThread_tss_free(Py_tss_t *key)
{
    if (key) {
        PyThread_tss_delete(key);
        mem_free(MEM_RAW, key);
    }
}

int PyThread_tss_is_created(Py_tss_t *key)
{
    return atomic_load_acquire(&key->_is_initialized);
}

int PyThread_tss_create(Py_tss_t *key)
{
    if (PyThread_tss_is_created(key)) {
        return 0;
    }
    if (pthread_key_create(&key->_key, NULL) != 0) {
        return -1;
    }
    atomic_store_release(&key->_is_initialized, 1);
    return 0;
}

void PyThread_tss_delete(Py_tss_t *key)
{
    if (PyThread_tss_is_created(key)) {
        pthread_key_delete(key->_key);
        atomic_store_release(&key->_is_initialized, 0);
    }
}

int PyThread_tss_set(Py_tss_t *key, void *value)
{
    return pthread_setspecific(key->_key, value) != 0 ? -1 : 0;
}

void *PyThread_tss_get(Py_tss_t *key)
{
    return pthread_getspecific(key->_key);
}

/* The older form, with int keys. */
int PyThread_create_key(void)
{
    pthread_key_t key;
    if (pthread_key_create(&key, NULL) != 0) {
        return -1;
    }
    if (key > INT_MAX) {
        pthread_key_delete(key);
        errno = ENOMEM;
        return -1;
    }
    return (int)key;
}

void PyThread_delete_key(int key)
{
    pthread_key_delete((pthread_key_t)key);
}

void PyThread_delete_key_value(int key)
{
    pthread_setspecific((pthread_key_t)key, NULL);
}

int PyThread_set_key_value(int key, void *value)
{
    return pthread_setspecific((pthread_key_t)key, value) != 0 ? -1 : 0;
}

void *PyThread_get_key_value(int key)
{
    return pthread_getspecific((pthread_key_t)key);
}

void PyThread_ReInitTLS(void)
{
}
