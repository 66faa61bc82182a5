/* Atomic operations on plain variables, one function per operation, type and order.

   Names are _Py_atomic_OPERATION_TYPE[_ORDER]; without an order they are sequentially
   consistent. Sizes are in bits, ssize is Py_ssize_t, ptr a pointer passed as void *.
   compare_exchange stores what it found through its second argument when it fails. */
#ifndef Py_CPYTHON_PYATOMIC_H
#define Py_CPYTHON_PYATOMIC_H

_Py_BEGIN_DECLS

#define _Py_USE_GCC_BUILTIN_ATOMICS 1

#define _Py_ATOMIC_COMMON(name, type)                                                              \
    static inline type _Py_atomic_exchange_##name(type *obj, type value)                           \
    {                                                                                              \
        return __atomic_exchange_n(obj, value, __ATOMIC_SEQ_CST);                                  \
    }                                                                                              \
    static inline int _Py_atomic_compare_exchange_##name(type *obj, type *expected, type desired)  \
    {                                                                                              \
        return __atomic_compare_exchange_n(obj, expected, desired, 0, __ATOMIC_SEQ_CST,            \
                                           __ATOMIC_SEQ_CST);                                      \
    }                                                                                              \
    static inline type _Py_atomic_add_##name(type *obj, type value)                                \
    {                                                                                              \
        return __atomic_fetch_add(obj, value, __ATOMIC_SEQ_CST);                                   \
    }                                                                                              \
    _Py_ATOMIC_LOAD_STORE(name, type, , __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)                        \
    _Py_ATOMIC_LOAD_STORE(name, type, _relaxed, __ATOMIC_RELAXED, __ATOMIC_RELAXED)

#define _Py_ATOMIC_LOAD_STORE(name, type, suffix, load_order, store_order)                         \
    static inline type _Py_atomic_load_##name##suffix(const type *obj)                             \
    {                                                                                              \
        return __atomic_load_n(obj, load_order);                                                   \
    }                                                                                              \
    static inline void _Py_atomic_store_##name##suffix(type *obj, type value)                      \
    {                                                                                              \
        __atomic_store_n(obj, value, store_order);                                                 \
    }

#define _Py_ATOMIC_BITS(name, type)                                                                \
    static inline type _Py_atomic_and_##name(type *obj, type value)                                \
    {                                                                                              \
        return __atomic_fetch_and(obj, value, __ATOMIC_SEQ_CST);                                   \
    }                                                                                              \
    static inline type _Py_atomic_or_##name(type *obj, type value)                                 \
    {                                                                                              \
        return __atomic_fetch_or(obj, value, __ATOMIC_SEQ_CST);                                    \
    }

#define _Py_ATOMIC_LOAD_ACQUIRE(name, type)                                                        \
    static inline type _Py_atomic_load_##name##_acquire(const type *obj)                           \
    {                                                                                              \
        return __atomic_load_n(obj, __ATOMIC_ACQUIRE);                                             \
    }

#define _Py_ATOMIC_STORE_RELEASE(name, type)                                                       \
    static inline void _Py_atomic_store_##name##_release(type *obj, type value)                    \
    {                                                                                              \
        __atomic_store_n(obj, value, __ATOMIC_RELEASE);                                            \
    }

_Py_ATOMIC_COMMON(int, int)
_Py_ATOMIC_COMMON(int8, int8_t)
_Py_ATOMIC_COMMON(int16, int16_t)
_Py_ATOMIC_COMMON(int32, int32_t)
_Py_ATOMIC_COMMON(int64, int64_t)
_Py_ATOMIC_COMMON(intptr, intptr_t)
_Py_ATOMIC_COMMON(uint, unsigned int)
_Py_ATOMIC_COMMON(uint8, uint8_t)
_Py_ATOMIC_COMMON(uint16, uint16_t)
_Py_ATOMIC_COMMON(uint32, uint32_t)
_Py_ATOMIC_COMMON(uint64, uint64_t)
_Py_ATOMIC_COMMON(uintptr, uintptr_t)
_Py_ATOMIC_COMMON(ssize, Py_ssize_t)

_Py_ATOMIC_BITS(uint8, uint8_t)
_Py_ATOMIC_BITS(uint16, uint16_t)
_Py_ATOMIC_BITS(uint32, uint32_t)
_Py_ATOMIC_BITS(uint64, uint64_t)
_Py_ATOMIC_BITS(uintptr, uintptr_t)

_Py_ATOMIC_LOAD_ACQUIRE(int, int)
_Py_ATOMIC_LOAD_ACQUIRE(ssize, Py_ssize_t)
_Py_ATOMIC_LOAD_ACQUIRE(uint32, uint32_t)
_Py_ATOMIC_LOAD_ACQUIRE(uint64, uint64_t)
_Py_ATOMIC_LOAD_ACQUIRE(uintptr, uintptr_t)
_Py_ATOMIC_STORE_RELEASE(int, int)
_Py_ATOMIC_STORE_RELEASE(ssize, Py_ssize_t)
_Py_ATOMIC_STORE_RELEASE(uint32, uint32_t)
_Py_ATOMIC_STORE_RELEASE(uint64, uint64_t)
_Py_ATOMIC_STORE_RELEASE(uintptr, uintptr_t)

/* Pointers: any object pointer passes as void *, hence the inner casts. */
static inline void *_Py_atomic_exchange_ptr(void *obj, void *value)
{
    return __atomic_exchange_n((void **)obj, value, __ATOMIC_SEQ_CST);
}

static inline int _Py_atomic_compare_exchange_ptr(void *obj, void *expected, void *desired)
{
    return __atomic_compare_exchange_n((void **)obj, (void **)expected, desired, 0,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static inline void *_Py_atomic_load_ptr(const void *obj)
{
    return __atomic_load_n((void *const *)obj, __ATOMIC_SEQ_CST);
}

static inline void *_Py_atomic_load_ptr_relaxed(const void *obj)
{
    return __atomic_load_n((void *const *)obj, __ATOMIC_RELAXED);
}

static inline void *_Py_atomic_load_ptr_acquire(const void *obj)
{
    return __atomic_load_n((void *const *)obj, __ATOMIC_ACQUIRE);
}

static inline void _Py_atomic_store_ptr(void *obj, void *value)
{
    __atomic_store_n((void **)obj, value, __ATOMIC_SEQ_CST);
}

static inline void _Py_atomic_store_ptr_relaxed(void *obj, void *value)
{
    __atomic_store_n((void **)obj, value, __ATOMIC_RELAXED);
}

static inline void _Py_atomic_store_ptr_release(void *obj, void *value)
{
    __atomic_store_n((void **)obj, value, __ATOMIC_RELEASE);
}

static inline unsigned long long _Py_atomic_load_ullong_relaxed(const unsigned long long *obj)
{
    return __atomic_load_n(obj, __ATOMIC_RELAXED);
}

static inline void _Py_atomic_store_ullong_relaxed(unsigned long long *obj,
                                                   unsigned long long value)
{
    __atomic_store_n(obj, value, __ATOMIC_RELAXED);
}

/* unsigned long has the width of a pointer. */
#define _Py_atomic_load_ulong(p) ((unsigned long)_Py_atomic_load_uint64((const uint64_t *)(p)))
#define _Py_atomic_load_ulong_relaxed(p)                                                           \
    ((unsigned long)_Py_atomic_load_uint64_relaxed((const uint64_t *)(p)))
#define _Py_atomic_store_ulong(p, v) _Py_atomic_store_uint64((uint64_t *)(p), (uint64_t)(v))
#define _Py_atomic_store_ulong_relaxed(p, v)                                                       \
    _Py_atomic_store_uint64_relaxed((uint64_t *)(p), (uint64_t)(v))

static inline void _Py_atomic_fence_seq_cst(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline void _Py_atomic_fence_acquire(void)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
}

static inline void _Py_atomic_fence_release(void)
{
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

#undef _Py_ATOMIC_COMMON
#undef _Py_ATOMIC_LOAD_STORE
#undef _Py_ATOMIC_BITS
#undef _Py_ATOMIC_LOAD_ACQUIRE
#undef _Py_ATOMIC_STORE_RELEASE

_Py_END_DECLS

#endif
