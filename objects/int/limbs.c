/*
 * Arithmetic of natural numbers in 60-bit limbs: schoolbook and Karatsuba multiplication,
 * schoolbook and recursive division.
 */
#include "objects/int/limbs.h"

#define KARATSUBA_LIMBS 40 /* from here on Karatsuba beats schoolbook */
#define RECURSIVE_LIMBS 80 /* from here on recursive division does */
#define SIGNAL_LIMBS 2000  /* products of this size look for signals */

limb_t *limbs_new(Py_ssize_t n)
{
    limb_t *a = (size_t)n > PY_SSIZE_T_MAX / sizeof(limb_t)
                    ? NULL
                    : PyMem_Malloc((size_t)(n > 0 ? n : 1) * sizeof(limb_t));
    if (a == NULL) {
        PyErr_NoMemory();
    }
    return a;
}

void limbs_from_digits(limb_t *to, const digit *from, Py_ssize_t ndigits)
{
    Py_ssize_t i = 0;
    for (; i + 1 < ndigits; i += 2) {
        *to++ = (limb_t)from[i] | (limb_t)from[i + 1] << INT_SHIFT;
    }
    if (i < ndigits) {
        *to = from[i];
    }
}

PyObject *limbs_to_int(const limb_t *a, Py_ssize_t n, bool negative)
{
    n = limbs_strip(a, n);
    if (n == 0) {
        return int_small(0);
    }
    Py_ssize_t ndigits = 2 * n - (a[n - 1] >> INT_SHIFT == 0);
    PyLongObject *v = int_alloc(ndigits);
    if (v == NULL) {
        return NULL;
    }
    digit *to = v->long_value.ob_digit;
    for (Py_ssize_t i = 0; i < n; i++) {
        *to++ = (digit)(a[i] & INT_MASK);
        if (2 * i + 1 < ndigits) {
            *to++ = (digit)(a[i] >> INT_SHIFT);
        }
    }
    return int_normalized(v, ndigits, negative);
}

/* ---- sums ------------------------------------------------------------------------------------ */

limb_t limbs_add(limb_t *r, const limb_t *a, Py_ssize_t na, const limb_t *b, Py_ssize_t nb)
{
    limb_t carry = 0;
    Py_ssize_t i = 0;
    for (; i < nb; i++) {
        carry += a[i] + b[i];
        r[i] = carry & LIMB_MASK;
        carry >>= LIMB_BITS;
    }
    for (; i < na; i++) {
        carry += a[i];
        r[i] = carry & LIMB_MASK;
        carry >>= LIMB_BITS;
    }
    return carry;
}

limb_t limbs_subtract(limb_t *r, const limb_t *a, Py_ssize_t na, const limb_t *b, Py_ssize_t nb)
{
    limb_t borrow = 0;
    Py_ssize_t i = 0;
    for (; i < nb; i++) {
        limb_t difference = a[i] - b[i] - borrow;
        r[i] = difference & LIMB_MASK;
        borrow = difference >> 63;
    }
    for (; i < na; i++) {
        limb_t difference = a[i] - borrow;
        r[i] = difference & LIMB_MASK;
        borrow = difference >> 63;
    }
    return borrow;
}

int limbs_compare(const limb_t *a, const limb_t *b, Py_ssize_t n)
{
    while (--n >= 0) {
        if (a[n] != b[n]) {
            return a[n] < b[n] ? -1 : 1;
        }
    }
    return 0;
}

/* ---- products -------------------------------------------------------------------------------- */

/* r[0..n] += a[0..n) * m, where r[n] is overwritten by the carry. */
static inline void add_product_1(limb_t *r, const limb_t *a, Py_ssize_t n, limb_t m)
{
    limb_t carry = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        limb2_t t = (limb2_t)a[i] * m + r[i] + carry;
        r[i] = (limb_t)t & LIMB_MASK;
        carry = (limb_t)(t >> LIMB_BITS);
    }
    r[n] = carry;
}

static void multiply_school(limb_t *r, const limb_t *a, Py_ssize_t na, const limb_t *b,
                            Py_ssize_t nb)
{
    memset(r, 0, (size_t)na * sizeof *r);
    for (Py_ssize_t j = 0; j < nb; j++) {
        add_product_1(r + j, a, na, b[j]);
    }
}

/* Column by column: products off the diagonal are made once and doubled. A column of up to 2**8
 * products of 2**120 fits 128 bits. */
static void square_school(limb_t *r, const limb_t *a, Py_ssize_t n)
{
    limb2_t carry = 0;
    for (Py_ssize_t k = 0; k < 2 * n - 1; k++) {
        Py_ssize_t low = k < n ? 0 : k - n + 1;
        limb2_t sum = 0;
        for (Py_ssize_t i = low, j = k - low; i < j; i++, j--) {
            sum += (limb2_t)a[i] * a[j];
        }
        sum += sum;
        if (!(k & 1)) {
            sum += (limb2_t)a[k / 2] * a[k / 2];
        }
        sum += carry;
        r[k] = (limb_t)sum & LIMB_MASK;
        carry = sum >> LIMB_BITS;
    }
    r[2 * n - 1] = (limb_t)carry;
}

static int multiply_equal(limb_t *r, const limb_t *a, const limb_t *b, Py_ssize_t n,
                          limb_t *scratch);

/* |a - b| of numbers of n and m <= n limbs into r (n limbs); true when negative. */
static bool difference(limb_t *r, const limb_t *a, Py_ssize_t n, const limb_t *b, Py_ssize_t m)
{
    bool above = limbs_strip(a + m, n - m) > 0;
    if (above || limbs_compare(a, b, m) >= 0) {
        limbs_subtract(r, a, n, b, m);
        return false;
    }
    limbs_subtract(r, b, m, a, m);
    memset(r + m, 0, (size_t)(n - m) * sizeof *r);
    return true;
}

/* Three products of half the length: of the low halves, of the high ones, and of the differences,
 * from which the mixed ones follow. scratch: 4 * n + 64 limbs. */
static int multiply_karatsuba(limb_t *r, const limb_t *a, const limb_t *b, Py_ssize_t n,
                              limb_t *scratch)
{
    Py_ssize_t low = (n + 1) / 2, high = n - low;
    if (n > SIGNAL_LIMBS && PyErr_CheckSignals() < 0) {
        return -1;
    }
    limb_t *cross = scratch, *rest = scratch + 2 * low;
    /* The factors of the cross product lie where the result will be. */
    bool negative = difference(r, a, low, a + low, high);
    if (a == b) {
        negative = false;
        if (multiply_equal(cross, r, r, low, rest) < 0) {
            return -1;
        }
    } else {
        negative ^= difference(r + low, b, low, b + low, high);
        if (multiply_equal(cross, r, r + low, low, rest) < 0) {
            return -1;
        }
    }
    if (multiply_equal(r, a, b, low, rest) < 0
        || multiply_equal(r + 2 * low, a + low, b + low, high, rest) < 0) {
        return -1;
    }
    /* middle = l + h - cross, added at `low`. */
    limb_t *middle = rest;
    middle[2 * low] = limbs_add(middle, r, 2 * low, r + 2 * low, 2 * high);
    if (negative) {
        middle[2 * low] += limbs_add(middle, middle, 2 * low, cross, 2 * low);
    } else {
        middle[2 * low] -= limbs_subtract(middle, middle, 2 * low, cross, 2 * low);
    }
    Py_ssize_t room = 2 * n - low, length = 2 * low + 1;
    limbs_add(r + low, r + low, room, middle, length < room ? length : room);
    return 0;
}

static int multiply_equal(limb_t *r, const limb_t *a, const limb_t *b, Py_ssize_t n,
                          limb_t *scratch)
{
    if (n >= KARATSUBA_LIMBS) {
        return multiply_karatsuba(r, a, b, n, scratch);
    }
    if (a == b) {
        square_school(r, a, n);
    } else {
        multiply_school(r, a, n, b, n);
    }
    return 0;
}

/* Pieces of b of the length of a. na <= nb. */
static int multiply_pieces(limb_t *r, const limb_t *a, Py_ssize_t na, const limb_t *b,
                           Py_ssize_t nb, limb_t *scratch)
{
    limb_t *product = scratch, *rest = scratch + 2 * na;
    memset(r, 0, (size_t)(na + nb) * sizeof *r);
    for (Py_ssize_t at = 0; at < nb; at += na) {
        Py_ssize_t n = nb - at < na ? nb - at : na;
        if (n == na) {
            if (multiply_equal(product, a, b + at, na, rest) < 0) {
                return -1;
            }
        } else if (limbs_multiply(product, a, na, b + at, n) < 0) {
            return -1;
        }
        limbs_add(r + at, r + at, na + nb - at, product, na + n);
    }
    return 0;
}

int limbs_multiply(limb_t *r, const limb_t *a, Py_ssize_t na, const limb_t *b, Py_ssize_t nb)
{
    if (na > nb) {
        const limb_t *swap = a;
        a = b;
        b = swap;
        Py_ssize_t n = na;
        na = nb;
        nb = n;
    }
    if (na < KARATSUBA_LIMBS) {
        if (a == b && na == nb) {
            square_school(r, a, na);
        } else {
            multiply_school(r, b, nb, a, na);
        }
        return 0;
    }
    limb_t *scratch = limbs_new(6 * na + 128);
    if (scratch == NULL) {
        return -1;
    }
    int result =
        na == nb ? multiply_equal(r, a, b, na, scratch) : multiply_pieces(r, a, na, b, nb, scratch);
    PyMem_Free(scratch);
    return result;
}

/* ---- quotients ------------------------------------------------------------------------------- */

/* (high * 2**60 + low) / d with high < d: the quotient is a limb. */
static inline limb_t divide_2_by_1(limb_t high, limb_t low, limb_t d, limb_t *remainder)
{
#if defined(__x86_64__)
    limb_t upper = high >> 4, lower = high << 60 | low, q;
    __asm__("divq %4" : "=a"(q), "=d"(*remainder) : "a"(lower), "d"(upper), "rm"(d) : "cc");
    return q;
#else
    limb2_t n = (limb2_t)high << LIMB_BITS | low;
    *remainder = (limb_t)(n % d);
    return (limb_t)(n / d);
#endif
}

limb_t limbs_divide_1(limb_t *a, Py_ssize_t n, limb_t d)
{
    limb_t remainder = 0;
    while (--n >= 0) {
        a[n] = divide_2_by_1(remainder, a[n], d, &remainder);
    }
    return remainder;
}

/* r[0..n) -= a[0..n) * m; what is to be taken from r[n]. */
static inline limb_t subtract_product_1(limb_t *r, const limb_t *a, Py_ssize_t n, limb_t m)
{
    limb_t borrow = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        limb2_t t = (limb2_t)a[i] * m + borrow;
        limb_t low = (limb_t)t & LIMB_MASK;
        borrow = (limb_t)(t >> LIMB_BITS);
        limb_t left = r[i] - low;
        r[i] = left & LIMB_MASK;
        borrow += left >> 63;
    }
    return borrow;
}

/* Knuth's algorithm D. The top bit of b is set (bit 59), a has na limbs and its top nb limbs are
 * less than b. q gets na - nb limbs, the remainder is left in a. nb >= 2. */
static void divide_school(limb_t *q, limb_t *a, Py_ssize_t na, const limb_t *b, Py_ssize_t nb)
{
    limb_t top = b[nb - 1], second = b[nb - 2];
    for (Py_ssize_t j = na - nb - 1; j >= 0; j--) {
        limb_t *u = a + j;
        limb_t guess, rest;
        if (u[nb] >= top) {
            guess = LIMB_MASK;
            limb2_t left = ((limb2_t)u[nb] << LIMB_BITS | u[nb - 1]) - (limb2_t)guess * top;
            rest = left > LIMB_MASK ? LIMB_MASK + 1 : (limb_t)left;
        } else {
            guess = divide_2_by_1(u[nb], u[nb - 1], top, &rest);
        }
        while (rest <= LIMB_MASK
               && (limb2_t)guess * second > ((limb2_t)rest << LIMB_BITS | u[nb - 2])) {
            guess--;
            rest += top;
        }
        limb_t borrow = subtract_product_1(u, b, nb, guess);
        limb_t left = u[nb] - borrow;
        u[nb] = 0;
        if (left >> 63) {
            guess--;
            limbs_add(u, u, nb, b, nb);
        }
        q[j] = guess;
    }
}

static int divide_3_by_2(limb_t *q, limb_t *a, const limb_t *b, Py_ssize_t half, limb_t *scratch);

/* a (2n limbs, its upper half less than b) by b (n limbs, normalised): n limbs of quotient,
 * remainder in the lower half of a. scratch: 2n limbs and what products need. */
static int divide_2_by_1_recursive(limb_t *q, limb_t *a, const limb_t *b, Py_ssize_t n,
                                   limb_t *scratch)
{
    if (n < RECURSIVE_LIMBS || n % 2 != 0) {
        divide_school(q, a, 2 * n, b, n);
        return 0;
    }
    Py_ssize_t half = n / 2;
    if (divide_3_by_2(q + half, a + half, b, half, scratch) < 0) {
        return -1;
    }
    return divide_3_by_2(q, a, b, half, scratch);
}

/* a (3h limbs, less than b shifted by h) by b (2h limbs): h limbs of quotient, remainder in the
 * lower 2h of a. */
static int divide_3_by_2(limb_t *q, limb_t *a, const limb_t *b, Py_ssize_t h, limb_t *scratch)
{
    const limb_t *b_high = b + h;
    if (limbs_compare(a + 2 * h, b_high, h) < 0) {
        if (divide_2_by_1_recursive(q, a + h, b_high, h, scratch) < 0) {
            return -1;
        }
        memset(a + 2 * h, 0, (size_t)h * sizeof *a);
    } else {
        /* The quotient would be 2**(60h) or just below: take the largest. */
        for (Py_ssize_t i = 0; i < h; i++) {
            q[i] = LIMB_MASK;
        }
        limbs_subtract(a + 2 * h, a + 2 * h, h, b_high, h);
        limbs_add(a + h, a + h, 2 * h, b_high, h);
    }
    /* a -= q * b_low */
    if (limbs_multiply(scratch, q, h, b, h) < 0) {
        return -1;
    }
    limb_t borrow = limbs_subtract(a, a, 3 * h, scratch, 2 * h);
    while (borrow) {
        limb_t one = 1;
        limbs_subtract(q, q, h, &one, 1);
        borrow -= limbs_add(a, a, 3 * h, b, 2 * h);
    }
    return 0;
}

/* Shifts left by less than a limb; r has n + 1 limbs. */
static void shift_left(limb_t *r, const limb_t *a, Py_ssize_t n, int bits)
{
    limb_t carry = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        r[i] = (a[i] << bits | carry) & LIMB_MASK;
        carry = a[i] >> (LIMB_BITS - bits);
    }
    r[n] = carry;
}

static void shift_right(limb_t *r, const limb_t *a, Py_ssize_t n, int bits)
{
    for (Py_ssize_t i = 0; i < n; i++) {
        limb_t above = i + 1 < n ? a[i + 1] : 0;
        r[i] = (a[i] >> bits | above << (LIMB_BITS - bits)) & LIMB_MASK;
    }
}

/* Division in blocks of nb limbs, where nb is made even down to the recursion's end by shifting
 * both numbers up by whole limbs. */
static int divide_blocks(limb_t *q, limb_t *r, const limb_t *a, Py_ssize_t na, const limb_t *b,
                         Py_ssize_t nb, int bits)
{
    Py_ssize_t step = 1, size = nb;
    while (size >= RECURSIVE_LIMBS) {
        size = (size + 1) / 2;
        step *= 2;
    }
    Py_ssize_t n = size * step, pad = n - nb; /* n >= nb, divisible as often as needed */
    Py_ssize_t blocks = (na + 1 + pad + n - 1) / n;
    limb_t *work = limbs_new((blocks + 1) * n + n + blocks * n + 3 * n);
    if (work == NULL) {
        return -1;
    }
    limb_t *u = work, *v = u + (blocks + 1) * n, *quotient = v + n;
    limb_t *scratch = quotient + blocks * n;
    memset(u, 0, (size_t)(blocks + 1) * (size_t)n * sizeof *u);
    memset(v, 0, (size_t)n * sizeof *v);
    shift_left(u + pad, a, na, bits);
    limb_t top = 0;
    for (Py_ssize_t i = 0; i < nb; i++) {
        v[pad + i] = (b[i] << bits | top) & LIMB_MASK;
        top = b[i] >> (LIMB_BITS - bits);
    }
    int result = 0;
    for (Py_ssize_t i = blocks - 1; i >= 0 && result == 0; i--) {
        result = divide_2_by_1_recursive(quotient + i * n, u + i * n, v, n, scratch);
        if (result == 0 && n > SIGNAL_LIMBS) {
            result = PyErr_CheckSignals();
        }
    }
    if (result == 0) {
        if (q != NULL) {
            memcpy(q, quotient, (size_t)(na - nb + 1) * sizeof *q);
        }
        if (r != NULL) {
            shift_right(r, u + pad, nb, bits);
        }
    }
    PyMem_Free(work);
    return result;
}

int limbs_divide(limb_t *q, limb_t *r, const limb_t *a, Py_ssize_t na, const limb_t *b,
                 Py_ssize_t nb)
{
    if (nb == 1) {
        limb_t remainder = 0;
        for (Py_ssize_t i = na; --i >= 0;) {
            limb_t one = divide_2_by_1(remainder, a[i], b[0], &remainder);
            if (q != NULL) {
                q[i] = one;
            }
        }
        if (r != NULL) {
            r[0] = remainder;
        }
        return 0;
    }
    int bits = __builtin_clzll(b[nb - 1]) - (64 - LIMB_BITS);
    if (nb >= RECURSIVE_LIMBS && na - nb >= RECURSIVE_LIMBS / 2) {
        return divide_blocks(q, r, a, na, b, nb, bits);
    }
    limb_t *work = limbs_new(na + 1 + nb + 1 + (na - nb + 1));
    if (work == NULL) {
        return -1;
    }
    limb_t *u = work, *v = u + na + 1, *quotient = v + nb + 1;
    shift_left(u, a, na, bits);
    shift_left(v, b, nb, bits);
    divide_school(q != NULL ? q : quotient, u, na + 1, v, nb);
    if (r != NULL) {
        shift_right(r, u, nb, bits);
    }
    PyMem_Free(work);
    return 0;
}
