/*
 * int: the representation of Python's integers and the operations that the rest of the
 * interpreter uses on them directly.
 *
 * An int is a sign and a magnitude of 30-bit digits, least significant first. long_value.lv_tag
 * holds the number of digits << 3 and a sign code (0 positive, 1 zero, 2 negative). An int of at
 * most one digit is "compact". Ints are immutable; nothing here takes a lock.
 *
 * Unless stated otherwise functions return a new reference, or NULL with an exception set, run no
 * Python code, and take exact ints or instances of subclasses alike as PyLongObject (borrowed).
 */
#ifndef KRAIT_OBJECTS_INT_H
#define KRAIT_OBJECTS_INT_H

#include "Python.h"
#include <stdbool.h>
#include <stdint.h>

#define INT_SHIFT 30
#define INT_BASE ((uint32_t)1 << INT_SHIFT)
#define INT_MASK (INT_BASE - 1)

#define INT_SMALL_MIN (-5)
#define INT_SMALL_MAX 256

enum int_sign_code { INT_POSITIVE = 0, INT_ZERO = 1, INT_NEGATIVE = 2 };

#define INT_SIGN_MASK 3
#define INT_SIZE_SHIFT 3

/* Static and immortal: INT_SMALL_MIN .. INT_SMALL_MAX. */
extern PyLongObject int_small_table[INT_SMALL_MAX - INT_SMALL_MIN + 1];

/* Whether it is one of those in the table, which never die. */
static inline bool int_is_small_object(PyObject *op)
{
    return (uintptr_t)op - (uintptr_t)int_small_table < sizeof(int_small_table);
}

/* Borrowed, immortal; `value` must lie in the small range. */
static inline PyObject *int_small(int value)
{
    return (PyObject *)&int_small_table[value - INT_SMALL_MIN];
}

/* The value of one of these objects. */
static inline int64_t int_small_value(PyObject *op)
{
    return (PyLongObject *)op - int_small_table + INT_SMALL_MIN;
}

static inline bool int_is_small_value(int64_t value)
{
    return (uint64_t)(value - INT_SMALL_MIN) <= (uint64_t)(INT_SMALL_MAX - INT_SMALL_MIN);
}

static inline Py_ssize_t int_ndigits(const PyLongObject *v)
{
    return (Py_ssize_t)(v->long_value.lv_tag >> INT_SIZE_SHIFT);
}

static inline bool int_is_compact(const PyLongObject *v)
{
    return v->long_value.lv_tag < (2 << INT_SIZE_SHIFT);
}

/* Value of a compact int. */
static inline Py_ssize_t int_compact_value(const PyLongObject *v)
{
    Py_ssize_t sign = 1 - (Py_ssize_t)(v->long_value.lv_tag & INT_SIGN_MASK);
    return sign * (Py_ssize_t)v->long_value.ob_digit[0];
}

static inline bool int_is_zero(const PyLongObject *v)
{
    return (v->long_value.lv_tag & INT_SIGN_MASK) == INT_ZERO;
}

static inline bool int_is_negative(const PyLongObject *v)
{
    return (v->long_value.lv_tag & INT_SIGN_MASK) == INT_NEGATIVE;
}

/* -1, 0 or 1. */
static inline int int_sign(const PyLongObject *v)
{
    return 1 - (int)(v->long_value.lv_tag & INT_SIGN_MASK);
}

static inline const digit *int_digits(const PyLongObject *v)
{
    return v->long_value.ob_digit;
}

/* True and the value if v fits in 64 bits; never fails otherwise. */
bool int_fits_i64(const PyLongObject *v, int64_t *value);
bool int_fits_u64(const PyLongObject *v, uint64_t *value);

/* Makes ints; the small ones are the singletons. */
PyObject *int_from_i64(int64_t value);
PyObject *int_from_u64(uint64_t value);
PyObject *int_from_i128(__int128 value);

/* Makes a fresh int with room for ndigits digits (uninitialised), positive; never a singleton.
 * The caller fills the digits and ends with int_normalized(). */
PyLongObject *int_alloc(Py_ssize_t ndigits);
/* Strips leading zero digits, sets the sign, replaces small values by singletons. Steals v. */
PyObject *int_normalized(PyLongObject *v, Py_ssize_t ndigits, bool negative);

/* Arithmetic of exact ints (or subclasses, taken by value). int_floor_divide, int_modulo,
 * int_divmod, int_true_divide raise ZeroDivisionError; int_power follows pow(). Long operations
 * check for signals, so a signal handler may run. */
PyObject *int_add(PyLongObject *a, PyLongObject *b);
PyObject *int_subtract(PyLongObject *a, PyLongObject *b);
PyObject *int_multiply(PyLongObject *a, PyLongObject *b);
PyObject *int_floor_divide(PyLongObject *a, PyLongObject *b);
PyObject *int_modulo(PyLongObject *a, PyLongObject *b);
/* Each of quotient and remainder may be NULL. -1 on failure. */
int int_divmod(PyLongObject *a, PyLongObject *b, PyObject **quotient, PyObject **remainder);
/* (q, r): q nearest to a / b, of two that are as near the even one; b not 0. */
PyObject *int_divmod_near(PyLongObject *a, PyLongObject *b);
PyObject *int_true_divide(PyLongObject *a, PyLongObject *b);
PyObject *int_power(PyObject *a, PyObject *b, PyObject *modulus);
PyObject *int_negate(PyLongObject *v);
PyObject *int_absolute(PyLongObject *v);
PyObject *int_invert(PyLongObject *v);
PyObject *int_left_shift(PyLongObject *a, PyLongObject *b);
PyObject *int_right_shift(PyLongObject *a, PyLongObject *b);
PyObject *int_left_shift_by(PyLongObject *a, size_t bits);
PyObject *int_right_shift_by(PyLongObject *a, size_t bits);
PyObject *int_and(PyLongObject *a, PyLongObject *b);
PyObject *int_or(PyLongObject *a, PyLongObject *b);
PyObject *int_xor(PyLongObject *a, PyLongObject *b);
PyObject *int_gcd(PyLongObject *a, PyLongObject *b);

/* <0, 0, >0. Never fails. */
int int_compare(const PyLongObject *a, const PyLongObject *b);
/* The hash of an int's value; never -1, never fails. */
Py_hash_t int_hash(const PyLongObject *v);
Py_hash_t int_hash_i64(int64_t value);

size_t int_bit_length(const PyLongObject *v);

/* The int as m * 2**e with 0.5 <= |m| < 1, m rounded half-even; e beyond Py_ssize_t is
 * impossible. Never fails. */
double int_frexp(const PyLongObject *v, Py_ssize_t *exponent);

/* Text in the given base (2..36), with prefix 0b/0o/0x if `alternate`. Decimal conversion obeys
 * int_max_str_digits. New str. */
PyObject *int_to_str(PyLongObject *v, int base, bool alternate);

/* int(obj) without a base: through __int__, __index__, __trunc__ or text. May run Python code. */
PyObject *int_from_object(PyObject *op);

/* The limit of digits of decimal conversions (sys.set_int_max_str_digits), per interpreter. */
int int_max_str_digits(void);
void int_set_max_str_digits(int digits);
#define INT_DEFAULT_MAX_STR_DIGITS 4300
#define INT_MAX_STR_DIGITS_THRESHOLD 640

extern PyTypeObject *const int_types[];

#endif
