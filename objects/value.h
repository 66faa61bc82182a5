/*
 * Words: how a value looks in a register or in an inline attribute slot.
 *
 *     0                                   unbound: no value
 *     0x0000 pppp pppp pppp, bit 0 clear  a pointer that owns one reference
 *     0x0000 pppp pppp pppp, bit 0 set    a pointer that owns none ("uncounted")
 *     0xFFFF iiii iiii iiii               an int of 48 bits, two's complement
 *     anything else                       a double, its bits + 2^49; never a NaN
 *
 * This is the only file that knows the encoding.
 *
 * A number word stands for an exact int or float whose object has not been made. value_box()
 * makes it and puts it in the word's place, so that a value has one identity once anybody has seen
 * it as an object. Ints and floats that are already objects stay objects: arithmetic reads
 * through the pointer.
 *
 * Who keeps the object of an uncounted word alive: it is immortal; or a register of this or of a
 * calling frame owns it and is not assigned while the word lives; or its count is deferred and
 * the collector sees the register. An uncounted word is never stored to the heap: value_own().
 *
 * Nothing here takes a lock. Only value_release() may run Python code (finalizers).
 */
#ifndef KRAIT_OBJECTS_VALUE_H
#define KRAIT_OBJECTS_VALUE_H

#include "Python.h"
#include "objects/int.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef uint64_t value_t;

#define VALUE_INT_TAG ((value_t)0xFFFF << 48)
#define VALUE_PAYLOAD (((value_t)1 << 48) - 1)
#define VALUE_DOUBLE_OFFSET ((value_t)1 << 49)
#define VALUE_UNCOUNTED ((value_t)1)
#define VALUE_NULL ((value_t)0)

#define VALUE_INT_MAX (((int64_t)1 << 47) - 1)
#define VALUE_INT_MIN (-((int64_t)1 << 47))

#define value_likely(x) __builtin_expect(!!(x), 1)
#define value_unlikely(x) __builtin_expect(!!(x), 0)

/* ---- what a word is -------------------------------------------------------------------------- */

static inline bool value_is_null(value_t v)
{
    return v == 0;
}

/* A pointer (or unbound): what is not a number. */
static inline bool value_is_pointer(value_t v)
{
    return v <= VALUE_PAYLOAD;
}

static inline bool value_is_number(value_t v)
{
    return v > VALUE_PAYLOAD;
}

static inline bool value_is_int(value_t v)
{
    return v >= VALUE_INT_TAG;
}

static inline bool value_is_double(value_t v)
{
    return v - VALUE_DOUBLE_OFFSET < VALUE_INT_TAG - VALUE_DOUBLE_OFFSET;
}

static inline bool value_are_ints(value_t a, value_t b)
{
    return (a & b) >= VALUE_INT_TAG;
}

/* A pointer with a reference that this word must release. */
static inline bool value_is_owned(value_t v)
{
    return (v & (VALUE_INT_TAG | VALUE_UNCOUNTED)) == 0 && v != 0;
}

static inline bool value_is_uncounted(value_t v)
{
    return (v & (VALUE_INT_TAG | VALUE_UNCOUNTED)) == VALUE_UNCOUNTED;
}

/* ---- numbers --------------------------------------------------------------------------------- */

static inline bool value_int_fits(int64_t i)
{
    return i >= VALUE_INT_MIN && i <= VALUE_INT_MAX;
}

/* i must fit. */
static inline value_t value_from_int(int64_t i)
{
    return VALUE_INT_TAG | ((value_t)i & VALUE_PAYLOAD);
}

static inline int64_t value_int(value_t v)
{
    return (int64_t)(v << 16) >> 16;
}

/* The int times 2^16: sums, differences and comparisons of these overflow exactly when the ints
 * leave their 48 bits. */
static inline int64_t value_int_scaled(value_t v)
{
    return (int64_t)(v << 16);
}

static inline value_t value_from_scaled(int64_t scaled)
{
    return VALUE_INT_TAG | ((value_t)scaled >> 16);
}

/* d must not be a NaN. */
static inline value_t value_from_double(double d)
{
    value_t bits;
    memcpy(&bits, &d, sizeof bits);
    return bits + VALUE_DOUBLE_OFFSET;
}

static inline double value_double(value_t v)
{
    double d;
    v -= VALUE_DOUBLE_OFFSET;
    memcpy(&d, &v, sizeof d);
    return d;
}

/* Of any number word. */
static inline double value_as_double(value_t v)
{
    return value_is_int(v) ? (double)value_int(v) : value_double(v);
}

/* Of two int words; false when the result does not fit. */
static inline bool value_add(value_t a, value_t b, value_t *result)
{
    int64_t sum;
    if (value_unlikely(__builtin_add_overflow(value_int_scaled(a), value_int_scaled(b), &sum))) {
        return false;
    }
    *result = value_from_scaled(sum);
    return true;
}

static inline bool value_subtract(value_t a, value_t b, value_t *result)
{
    int64_t difference;
    if (value_unlikely(
            __builtin_sub_overflow(value_int_scaled(a), value_int_scaled(b), &difference))) {
        return false;
    }
    *result = value_from_scaled(difference);
    return true;
}

static inline bool value_multiply(value_t a, value_t b, value_t *result)
{
    int64_t product;
    if (value_unlikely(__builtin_mul_overflow(value_int_scaled(a), value_int(b), &product))) {
        return false;
    }
    *result = value_from_scaled(product);
    return true;
}

/* ---- objects --------------------------------------------------------------------------------- */

/* The object of a pointer word, borrowed. */
static inline PyObject *value_object(value_t v)
{
    return (PyObject *)(uintptr_t)(v & ~VALUE_UNCOUNTED);
}

/* Takes the reference over. NULL gives the unbound word. */
static inline value_t value_from_owned(PyObject *op)
{
    return (value_t)(uintptr_t)op;
}

/* The caller answers for the object's life (see above). Not NULL. */
static inline value_t value_from_uncounted(PyObject *op)
{
    return (value_t)(uintptr_t)op | VALUE_UNCOUNTED;
}

/* The same word, counting nothing: for a copy that lives shorter than v. */
static inline value_t value_borrow(value_t v)
{
    return v | (v - 1 < VALUE_PAYLOAD); /* no branch: VALUE_UNCOUNTED is 1 */
}

/* A copy of v that owns its object. */
static inline value_t value_copy(value_t v)
{
    if (v - 1 < VALUE_PAYLOAD) {
        v &= ~VALUE_UNCOUNTED;
        Py_INCREF((PyObject *)(uintptr_t)v);
    }
    return v;
}

/* Makes v, which the caller gives up, a word that may live in the heap. */
static inline value_t value_own(value_t v)
{
    if (value_unlikely(value_is_uncounted(v))) {
        v &= ~VALUE_UNCOUNTED;
        Py_INCREF((PyObject *)(uintptr_t)v);
    }
    return v;
}

/* Stands in loops over a few words: without it the compiler prepares for thousands of them. */
#define FEW_TIMES() __asm__ volatile("")

/* Gives up what v owns. May run Python code. */
static inline __attribute__((always_inline)) void value_release(value_t v)
{
    if (value_is_owned(v)) {
        Py_DECREF((PyObject *)(uintptr_t)v);
    }
}

/* Sets *slot to unbound, then releases what it held. */
static inline void value_clear(value_t *slot)
{
    value_t old = *slot;
    *slot = VALUE_NULL;
    value_release(old);
}

/* A new object for a number word (new reference; NULL with MemoryError). */
static inline PyObject *value_make_object(value_t v)
{
    if (value_is_int(v) && int_is_small_value(value_int(v))) {
        return int_small((int)value_int(v));
    }
    return value_is_int(v) ? PyLong_FromLongLong(value_int(v))
                           : PyFloat_FromDouble(value_double(v));
}

/* The object that the word in *slot stands for, borrowed from the slot: a number becomes an
 * object there and then (sticky). NULL for an unbound word, or with MemoryError. */
static inline PyObject *value_box(value_t *slot)
{
    if (value_unlikely(value_is_number(*slot))) {
        PyObject *op = value_make_object(*slot);
        if (op == NULL) {
            return NULL;
        }
        *slot = value_from_owned(op);
        return op;
    }
    return value_object(*slot);
}

/* Turns a word that the caller gives up into a new reference; NULL with MemoryError when a
 * number cannot be boxed, NULL without an exception for an unbound word. */
static inline PyObject *value_to_owned(value_t v)
{
    if (value_unlikely(value_is_number(v))) {
        return value_make_object(v);
    }
    return (PyObject *)(uintptr_t)value_own(v);
}

/* The word of an object for arithmetic: a number when op is an exact float or a small exact int,
 * else an uncounted pointer. op must stay alive as long as the word. */
static inline value_t value_read(PyObject *op)
{
    if (Py_IS_TYPE(op, &PyFloat_Type)) {
        double d = ((PyFloatObject *)op)->ob_fval;
        if (d == d) {
            return value_from_double(d);
        }
    } else if (Py_IS_TYPE(op, &PyLong_Type) && ((PyLongObject *)op)->long_value.lv_tag < (2 << 3)) {
        return value_from_int(PyUnstable_Long_CompactValue((PyLongObject *)op));
    }
    return value_from_uncounted(op);
}

/* A number if v is or points to one (as value_read), else v itself; owns nothing new. */
static inline value_t value_number_of(value_t v)
{
    return value_is_number(v) || v == 0 ? v : value_read(value_object(v));
}

#endif
