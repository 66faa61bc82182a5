/* Small general macros: minimum, stringification, alignment, documentation strings. */
#ifndef Py_PYMACRO_H
#define Py_PYMACRO_H

#define Py_MIN(x, y) (((x) < (y)) ? (x) : (y))
#define Py_MAX(x, y) (((x) > (y)) ? (x) : (y))
#define Py_ABS(x) (((x) < 0) ? -(x) : (x))

/* The text of an argument after macro expansion. */
#define _Py_XSTRINGIFY(x) #x
#define Py_STRINGIFY(x) _Py_XSTRINGIFY(x)

#define Py_MEMBER_SIZE(type, member) sizeof(((type *)0)->member)
#define Py_ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Compile-time assertions: as an expression of value 0, and as a statement. */
#define Py_BUILD_ASSERT_EXPR(cond) ((int)sizeof(char[(cond) ? 1 : -1]) - 1)
#define Py_BUILD_ASSERT(cond) ((void)Py_BUILD_ASSERT_EXPR(cond))

/* Documentation strings; empty in builds without them. */
#define PyDoc_VAR(name) static const char name[]
#ifdef WITH_DOC_STRINGS
#  define PyDoc_STR(text) text
#else
#  define PyDoc_STR(text) ""
#endif
#define PyDoc_STRVAR(name, text) PyDoc_VAR(name) = PyDoc_STR(text)

/* Rounding of sizes and addresses to a power of two. */
#define _Py_SIZE_ROUND_DOWN(n, a) ((size_t)(n) & ~((size_t)(a) - 1))
#define _Py_SIZE_ROUND_UP(n, a) _Py_SIZE_ROUND_DOWN((size_t)(n) + ((size_t)(a) - 1), a)
#define _Py_ALIGN_DOWN(p, a) ((void *)_Py_SIZE_ROUND_DOWN((uintptr_t)(p), a))
#define _Py_ALIGN_UP(p, a) ((void *)_Py_SIZE_ROUND_UP((uintptr_t)(p), a))
#define _Py_IS_ALIGNED(p, a) (((uintptr_t)(p) & ((uintptr_t)(a) - 1)) == 0)

/* Marks a parameter that is not used. */
#if defined(__GNUC__)
#  define Py_UNUSED(name) _unused_##name __attribute__((unused))
#else
#  define Py_UNUSED(name) _unused_##name
#endif

/* Marks a place that control never reaches. */
#if defined(Py_DEBUG)
#  define Py_UNREACHABLE() Py_FatalError("Unreachable C code path reached")
#elif defined(__GNUC__)
#  define Py_UNREACHABLE() __builtin_unreachable()
#else
#  define Py_UNREACHABLE() abort()
#endif

/* The struct whose member a pointer points to. */
#define _Py_CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))

/* An expression that cannot be assigned to. */
#define _Py_RVALUE(expr) ((void)0, (expr))
#define _Py_IS_TYPE_SIGNED(type) ((type)-1 <= 0)

#endif
