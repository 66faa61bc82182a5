/* Atomic operations, for each width and kind of number. */
#include "parts.h"

#include <stdint.h>

/* clang-format off */
#define EACH_INTEGER(X) \
    X(int, int) X(int8, int8_t) X(int16, int16_t) X(int32, int32_t) X(int64, int64_t) \
    X(intptr, intptr_t) X(uint, unsigned) X(uint8, uint8_t) X(uint16, uint16_t) \
    X(uint32, uint32_t) X(uint64, uint64_t) X(uintptr, uintptr_t) X(ssize, Py_ssize_t)
/* clang-format on */

/* clang-format off */
#define EACH_MASK(X) \
    X(uint8, uint8_t) X(uint16, uint16_t) X(uint32, uint32_t) X(uint64, uint64_t) \
    X(uintptr, uintptr_t)
/* clang-format on */

#define CHECK(condition)                                                                           \
    if (!(condition)) {                                                                            \
        return failed("%s: %s", __func__, #condition);                                             \
    }

#define DEFINE_INTEGER(name, type)                                                                 \
    FUNCTION0(test_atomic_add_##name)                                                              \
    {                                                                                              \
        type x = 0;                                                                                \
        CHECK(_Py_atomic_add_##name(&x, 1) == 0 && x == 1);                                        \
        CHECK(_Py_atomic_add_##name(&x, 2) == 1 && x == 3);                                        \
        CHECK(_Py_atomic_add_##name(&x, (type)-2) == 3 && x == 1);                                 \
        CHECK(_Py_atomic_add_##name(&x, (type)-1) == 1 && x == 0);                                 \
        CHECK(_Py_atomic_add_##name(&x, (type)-1) == 0 && x == (type)-1);                          \
        Py_RETURN_NONE;                                                                            \
    }                                                                                              \
    FUNCTION0(test_atomic_compare_exchange_##name)                                                 \
    {                                                                                              \
        type x = 0, expected = 1;                                                                  \
        CHECK(!_Py_atomic_compare_exchange_##name(&x, &expected, 5));                              \
        CHECK(x == 0 && expected == 0);                                                            \
        CHECK(_Py_atomic_compare_exchange_##name(&x, &expected, 5) && x == 5);                     \
        Py_RETURN_NONE;                                                                            \
    }                                                                                              \
    FUNCTION0(test_atomic_exchange_##name)                                                         \
    {                                                                                              \
        type x = 1;                                                                                \
        CHECK(_Py_atomic_exchange_##name(&x, (type)-7) == 1 && x == (type)-7);                     \
        Py_RETURN_NONE;                                                                            \
    }                                                                                              \
    FUNCTION0(test_atomic_load_store_##name)                                                       \
    {                                                                                              \
        type x = 1;                                                                                \
        CHECK(_Py_atomic_load_##name(&x) == 1);                                                    \
        _Py_atomic_store_##name(&x, 2);                                                            \
        CHECK(x == 2 && _Py_atomic_load_##name##_relaxed(&x) == 2);                                \
        _Py_atomic_store_##name##_relaxed(&x, 3);                                                  \
        CHECK(_Py_atomic_load_##name(&x) == 3);                                                    \
        Py_RETURN_NONE;                                                                            \
    }

#define DEFINE_MASK(name, type)                                                                    \
    FUNCTION0(test_atomic_and_or_##name)                                                           \
    {                                                                                              \
        type x = 0xff;                                                                             \
        CHECK(_Py_atomic_and_##name(&x, 0x0f) == 0xff && x == 0x0f);                               \
        CHECK(_Py_atomic_or_##name(&x, 0x30) == 0x0f && x == 0x3f);                                \
        Py_RETURN_NONE;                                                                            \
    }

EACH_INTEGER(DEFINE_INTEGER)
EACH_MASK(DEFINE_MASK)

FUNCTION0(test_atomic_compare_exchange_ptr)
{
    int a, b;
    void *x = &a, *expected = &b;
    CHECK(!_Py_atomic_compare_exchange_ptr(&x, &expected, &b));
    CHECK(x == &a && expected == &a);
    CHECK(_Py_atomic_compare_exchange_ptr(&x, &expected, &b) && x == &b);
    Py_RETURN_NONE;
}

FUNCTION0(test_atomic_exchange_ptr)
{
    int a, b;
    void *x = &a;
    CHECK(_Py_atomic_exchange_ptr(&x, &b) == &a && x == &b);
    Py_RETURN_NONE;
}

FUNCTION0(test_atomic_load_store_ptr)
{
    int a, b;
    void *x = &a;
    CHECK(_Py_atomic_load_ptr(&x) == &a && _Py_atomic_load_ptr_relaxed(&x) == &a);
    _Py_atomic_store_ptr(&x, &b);
    CHECK(_Py_atomic_load_ptr_acquire(&x) == &b);
    _Py_atomic_store_ptr_release(&x, &a);
    CHECK(x == &a);
    Py_RETURN_NONE;
}

FUNCTION0(test_atomic_load_store_int_release_acquire)
{
    int x = 0;
    _Py_atomic_store_int_release(&x, 42);
    CHECK(_Py_atomic_load_int_acquire(&x) == 42);
    Py_RETURN_NONE;
}

FUNCTION0(test_atomic_fences)
{
    _Py_atomic_fence_seq_cst();
    _Py_atomic_fence_release();
    Py_RETURN_NONE;
}

/* Who sees the flag sees what was written before it. */
static struct {
    int flag, data, wrong;
    PyThread_type_lock done;
} handover;

static void hand_over(void *unused)
{
    for (int i = 1; i <= 10000; i++) {
        while (_Py_atomic_load_int_acquire(&handover.flag) != 0) {
            PyThread_acquire_lock_timed(handover.done, 1, 0);
        }
        handover.data = i;
        _Py_atomic_store_int_release(&handover.flag, 1);
    }
    PyThread_release_lock(handover.done);
}

FUNCTION0(test_atomic_release_acquire)
{
    handover.flag = handover.wrong = 0;
    handover.done = PyThread_allocate_lock();
    PyThread_acquire_lock(handover.done, 1);
    if (PyThread_start_new_thread(hand_over, NULL) == PYTHREAD_INVALID_THREAD_ID) {
        return failed("no thread");
    }
    Py_BEGIN_ALLOW_THREADS for (int i = 1; i <= 10000; i++)
    {
        while (_Py_atomic_load_int_acquire(&handover.flag) != 1) {
        }
        handover.wrong += handover.data != i;
        _Py_atomic_store_int_release(&handover.flag, 0);
    }
    PyThread_acquire_lock(handover.done, 1);
    PyThread_release_lock(handover.done);
    Py_END_ALLOW_THREADS PyThread_free_lock(handover.done);
    return handover.wrong == 0 ? Py_NewRef(Py_None) : failed("%d were late", handover.wrong);
}

#define ENTRIES(name, type)                                                                        \
    NOARGS(test_atomic_add_##name), NOARGS(test_atomic_compare_exchange_##name),                   \
        NOARGS(test_atomic_exchange_##name), NOARGS(test_atomic_load_store_##name),
#define MASK_ENTRY(name, type) NOARGS(test_atomic_and_or_##name),

static PyMethodDef methods[] = {
    EACH_INTEGER(ENTRIES) EACH_MASK(MASK_ENTRY) NOARGS(test_atomic_compare_exchange_ptr),
    NOARGS(test_atomic_exchange_ptr),
    NOARGS(test_atomic_load_store_ptr),
    NOARGS(test_atomic_load_store_int_release_acquire),
    NOARGS(test_atomic_fences),
    NOARGS(test_atomic_release_acquire),
    {NULL},
};

int add_atomics(PyObject *module)
{
    return PyModule_AddFunctions(module, methods);
}
