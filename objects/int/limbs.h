/*
 * Natural numbers as arrays of 60-bit limbs, least significant first: the engine beneath big ints.
 * Two digits of an int make one limb, so going to and fro is a copy, and a product of limbs costs
 * one machine multiplication for four of digits.
 *
 * Lengths are in limbs; numbers may have leading zero limbs unless said otherwise. Functions that
 * return int give 0, or -1 with MemoryError or what a signal handler raised.
 */
#ifndef KRAIT_OBJECTS_INT_LIMBS_H
#define KRAIT_OBJECTS_INT_LIMBS_H

#include "objects/int.h"

typedef uint64_t limb_t;
typedef unsigned __int128 limb2_t;

#define LIMB_BITS 60
#define LIMB_MASK (((limb_t)1 << LIMB_BITS) - 1)

/* The largest power of ten below a limb. */
#define LIMB_DECIMAL_DIGITS 18
#define LIMB_DECIMAL 1000000000000000000ull

static inline Py_ssize_t limbs_for_digits(Py_ssize_t ndigits)
{
    return (ndigits + 1) / 2;
}

static inline Py_ssize_t limbs_strip(const limb_t *a, Py_ssize_t n)
{
    while (n > 0 && a[n - 1] == 0) {
        n--;
    }
    return n;
}

void limbs_from_digits(limb_t *to, const digit *from, Py_ssize_t ndigits);
/* The int of n limbs. New reference. */
PyObject *limbs_to_int(const limb_t *a, Py_ssize_t n, bool negative);
limb_t *limbs_new(Py_ssize_t n); /* or NULL with MemoryError; PyMem_Free */

/* r = a * b; r has na + nb limbs and overlaps neither; na, nb >= 1. Squares when a == b. */
int limbs_multiply(limb_t *r, const limb_t *a, Py_ssize_t na, const limb_t *b, Py_ssize_t nb);

/* q = a / b, r = a % b: q has na - nb + 1 limbs, r nb limbs (either may be NULL); na >= nb >= 1,
 * the top limb of b is not 0. a and b are not changed. */
int limbs_divide(limb_t *q, limb_t *r, const limb_t *a, Py_ssize_t na, const limb_t *b,
                 Py_ssize_t nb);
/* a /= d in place, returning the remainder; 0 < d < 2**60. */
limb_t limbs_divide_1(limb_t *a, Py_ssize_t n, limb_t d);

/* Carry or borrow out. r may be a. na >= nb. */
limb_t limbs_add(limb_t *r, const limb_t *a, Py_ssize_t na, const limb_t *b, Py_ssize_t nb);
limb_t limbs_subtract(limb_t *r, const limb_t *a, Py_ssize_t na, const limb_t *b, Py_ssize_t nb);
int limbs_compare(const limb_t *a, const limb_t *b, Py_ssize_t n);

#endif
