/* Integer types, limits and compiler features that all other headers build upon. */
#ifndef Py_PYPORT_H
#define Py_PYPORT_H

/* The version of the stable ABI that may be used, as one number that #if can compare:
   the requested one, or "everything" outside the limited API. */
#ifndef Py_LIMITED_API
#  define _Py_API_VERSION 0x7fffffff
#elif Py_LIMITED_API + 0 < 0x03020000
#  define _Py_API_VERSION 0x03020000
#else
#  define _Py_API_VERSION (Py_LIMITED_API + 0)
#endif

/* ---- compiler features ---- */

#ifdef __has_builtin
#  define _Py__has_builtin(x) __has_builtin(x)
#else
#  define _Py__has_builtin(x) 0
#endif

#ifdef __has_attribute
#  define _Py__has_attribute(x) __has_attribute(x)
#else
#  define _Py__has_attribute(x) 0
#endif

#if defined(__GNUC__)
#  define Py_GCC_ATTRIBUTE(x) __attribute__(x)
#  define Py_DEPRECATED(version) __attribute__((__deprecated__))
#  define Py_ALWAYS_INLINE __attribute__((always_inline))
#  define Py_NO_INLINE __attribute__((noinline))
#  define Py_ALIGNED(x) __attribute__((aligned(x)))
#  define _Py_HOT_FUNCTION __attribute__((hot))
#  define _Py_NO_RETURN __attribute__((__noreturn__))
#  define _Py_TYPEOF(expr) __typeof__(expr)
#  define _Py_COMP_DIAG_PUSH _Pragma("GCC diagnostic push")
#  define _Py_COMP_DIAG_IGNORE_DEPR_DECLS                                                          \
      _Pragma("GCC diagnostic ignored \"-Wdeprecated-declarations\"")
#  define _Py_COMP_DIAG_POP _Pragma("GCC diagnostic pop")
#  define _Py_LIKELY(cond) __builtin_expect(!!(cond), 1)
#  define _Py_UNLIKELY(cond) __builtin_expect(!!(cond), 0)
#else
#  define Py_GCC_ATTRIBUTE(x)
#  define Py_DEPRECATED(version)
#  define Py_ALWAYS_INLINE
#  define Py_NO_INLINE
#  define Py_ALIGNED(x)
#  define _Py_HOT_FUNCTION
#  define _Py_NO_RETURN
#  define _Py_COMP_DIAG_PUSH
#  define _Py_COMP_DIAG_IGNORE_DEPR_DECLS
#  define _Py_COMP_DIAG_POP
#  define _Py_LIKELY(cond) (cond)
#  define _Py_UNLIKELY(cond) (cond)
#endif
#define _Py_DEPRECATED_EXTERNALLY(version) Py_DEPRECATED(version)
#if _Py__has_attribute(nonstring)
#  define _Py_NONSTRING __attribute__((nonstring))
#else
#  define _Py_NONSTRING
#endif

/* Functions of one source file. */
#define Py_LOCAL(type) static type
#define Py_LOCAL_INLINE(type) static inline type

/* ---- casts ---- */

#define _Py_CAST(type, expr) ((type)(expr))
#ifdef __cplusplus
#  define _Py_STATIC_CAST(type, expr) static_cast<type>(expr)
#  define _Py_NULL nullptr
#else
#  define _Py_STATIC_CAST(type, expr) ((type)(expr))
#  define _Py_NULL NULL
#endif

/* A 'const' that older C++ interfaces lack; empty since C and C++ agree. */
#ifdef __cplusplus
#  define PY_CXX_CONST const
#else
#  define PY_CXX_CONST
#endif

/* ---- integers ---- */

#define PY_LONG_LONG long long
#define PY_LLONG_MIN LLONG_MIN
#define PY_LLONG_MAX LLONG_MAX
#define PY_ULLONG_MAX ULLONG_MAX
#define HAVE_LONG_LONG 1
#define PY_INT32_T int32_t
#define PY_UINT32_T uint32_t
#define PY_INT64_T int64_t
#define PY_UINT64_T uint64_t
#define PY_DWORD_MAX 4294967295U

/* Sizes and indices: a signed number as wide as size_t. */
typedef ssize_t Py_ssize_t;
typedef Py_ssize_t Py_ssize_clean_t;
typedef Py_ssize_t Py_hash_t;
typedef size_t Py_uhash_t;
typedef uintptr_t Py_uintptr_t;
typedef intptr_t Py_intptr_t;
#define PY_SSIZE_T_MAX ((Py_ssize_t)(((size_t)-1) >> 1))
#define PY_SSIZE_T_MIN (-PY_SSIZE_T_MAX - 1)
#define PY_SIZE_MAX SIZE_MAX
#define SIZEOF_PY_HASH_T SIZEOF_SIZE_T
#define SIZEOF_PY_UHASH_T SIZEOF_SIZE_T
#define PY_FORMAT_SIZE_T "z"

/* Bits per digit of an int, also visible as sys.int_info. */
#define PYLONG_BITS_IN_DIGIT 30

#define Py_LL(x) x##LL
#define Py_ULL(x) Py_LL(x##U)

/* Right shift that keeps the sign; conversion that must not lose bits. */
#define Py_ARITHMETIC_RIGHT_SHIFT(type, value, bits) ((value) >> (bits))
#ifdef Py_DEBUG
#  define Py_SAFE_DOWNCAST(value, wide, narrow)                                                    \
      (assert((wide)(narrow)(value) == (value)), (narrow)(value))
#else
#  define Py_SAFE_DOWNCAST(value, wide, narrow) ((narrow)(value))
#endif
#define Py_FORCE_EXPANSION(x) x

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#  define PY_BIG_ENDIAN 1
#  define PY_LITTLE_ENDIAN 0
#else
#  define PY_BIG_ENDIAN 0
#  define PY_LITTLE_ENDIAN 1
#endif

/* ---- the C library ---- */

#define Py_MEMCPY memcpy
#define Py_VA_COPY va_copy
/* Threads are always there. */
#define WITH_THREAD 1
#ifdef __linux__
#  define Py_CAN_START_THREADS 1
#else
#  define Py_CAN_START_THREADS 1
#endif

#ifndef Py_CHARMASK
#  define Py_CHARMASK(c) ((unsigned char)((c) & 0xff))
#endif

#endif
