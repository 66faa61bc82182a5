/*
 * int: sums, products, quotients, comparisons, hash.
 */
#include "objects/float.h"
#include "objects/int/limbs.h"
#include <float.h>
#include <math.h>

#define FEW_LIMBS 64

/* An operand as limbs: in `few` when it is small, else in memory to be freed with release(). */
struct operand {
    limb_t *limbs;
    Py_ssize_t n;
    limb_t few[FEW_LIMBS];
};

static int operand_load(struct operand *o, const PyLongObject *v)
{
    o->n = limbs_for_digits(int_ndigits(v));
    o->limbs = o->n <= FEW_LIMBS ? o->few : limbs_new(o->n);
    if (o->limbs == NULL) {
        return -1;
    }
    limbs_from_digits(o->limbs, int_digits(v), int_ndigits(v));
    return 0;
}

static void operand_release(struct operand *o)
{
    if (o->limbs != o->few) {
        PyMem_Free(o->limbs);
    }
}

/* ---- sums ------------------------------------------------------------------------------------ */

static PyObject *add_magnitudes(const PyLongObject *a, const PyLongObject *b, bool negative)
{
    if (int_ndigits(a) < int_ndigits(b)) {
        const PyLongObject *swap = a;
        a = b;
        b = swap;
    }
    Py_ssize_t na = int_ndigits(a), nb = int_ndigits(b), i = 0;
    PyLongObject *r = int_alloc(na + 1);
    if (r == NULL) {
        return NULL;
    }
    digit *to = r->long_value.ob_digit, carry = 0;
    const digit *x = int_digits(a), *y = int_digits(b);
    for (; i < nb; i++) {
        carry += x[i] + y[i];
        to[i] = carry & INT_MASK;
        carry >>= INT_SHIFT;
    }
    for (; i < na; i++) {
        carry += x[i];
        to[i] = carry & INT_MASK;
        carry >>= INT_SHIFT;
    }
    to[na] = carry;
    return int_normalized(r, na + 1, negative);
}

static PyObject *subtract_magnitudes(const PyLongObject *a, const PyLongObject *b, bool negative)
{
    Py_ssize_t na = int_ndigits(a), nb = int_ndigits(b), i;
    if (na == nb) {
        for (i = na; --i >= 0 && int_digits(a)[i] == int_digits(b)[i];) {
        }
        if (i < 0) {
            return int_small(0);
        }
        na = nb = i + 1;
    }
    if (na < nb || (na == nb && int_digits(a)[na - 1] < int_digits(b)[na - 1])) {
        const PyLongObject *swap = a;
        a = b;
        b = swap;
        Py_ssize_t n = na;
        na = nb;
        nb = n;
        negative = !negative;
    }
    PyLongObject *r = int_alloc(na);
    if (r == NULL) {
        return NULL;
    }
    digit *to = r->long_value.ob_digit, borrow = 0;
    const digit *x = int_digits(a), *y = int_digits(b);
    for (i = 0; i < nb; i++) {
        borrow = x[i] - y[i] - borrow;
        to[i] = borrow & INT_MASK;
        borrow >>= 31;
    }
    for (; i < na; i++) {
        borrow = x[i] - borrow;
        to[i] = borrow & INT_MASK;
        borrow >>= 31;
    }
    return int_normalized(r, na, negative);
}

PyObject *int_add(PyLongObject *a, PyLongObject *b)
{
    if (int_is_compact(a) && int_is_compact(b)) {
        return int_from_i64(int_compact_value(a) + int_compact_value(b));
    }
    if (int_is_negative(a) == int_is_negative(b)) {
        return add_magnitudes(a, b, int_is_negative(a));
    }
    return subtract_magnitudes(a, b, int_is_negative(a));
}

PyObject *int_subtract(PyLongObject *a, PyLongObject *b)
{
    if (int_is_compact(a) && int_is_compact(b)) {
        return int_from_i64(int_compact_value(a) - int_compact_value(b));
    }
    if (int_is_negative(a) == int_is_negative(b)) {
        return subtract_magnitudes(a, b, int_is_negative(a));
    }
    return add_magnitudes(a, b, int_is_negative(a));
}

static PyObject *copy_with_sign(PyLongObject *v, bool negative)
{
    if (int_is_compact(v)) {
        Py_ssize_t value = v->long_value.ob_digit[0];
        return int_from_i64(negative ? -value : value);
    }
    Py_ssize_t n = int_ndigits(v);
    PyLongObject *r = int_alloc(n);
    if (r == NULL) {
        return NULL;
    }
    memcpy(r->long_value.ob_digit, int_digits(v), (size_t)n * sizeof(digit));
    return int_normalized(r, n, negative);
}

PyObject *int_negate(PyLongObject *v)
{
    return copy_with_sign(v, !int_is_negative(v));
}

PyObject *int_absolute(PyLongObject *v)
{
    if (!int_is_negative(v) && PyLong_CheckExact(v)) {
        return Py_NewRef(v);
    }
    return copy_with_sign(v, false);
}

PyObject *_PyLong_Copy(PyLongObject *v)
{
    return copy_with_sign(v, int_is_negative(v));
}

/* ---- products -------------------------------------------------------------------------------- */

PyObject *int_multiply(PyLongObject *a, PyLongObject *b)
{
    if (int_is_compact(a) && int_is_compact(b)) {
        return int_from_i64((int64_t)int_compact_value(a) * int_compact_value(b));
    }
    int64_t x, y;
    if (int_ndigits(a) <= 2 && int_ndigits(b) <= 2 && int_fits_i64(a, &x) && int_fits_i64(b, &y)) {
        return int_from_i128((__int128)x * y);
    }
    if (int_is_zero(a) || int_is_zero(b)) {
        return int_small(0);
    }
    struct operand p, q;
    if (operand_load(&p, a) < 0) {
        return NULL;
    }
    if (a != b && operand_load(&q, b) < 0) {
        operand_release(&p);
        return NULL;
    }
    struct operand *second = a == b ? &p : &q;
    PyObject *result = NULL;
    limb_t few[2 * FEW_LIMBS], *r = few;
    Py_ssize_t n = p.n + second->n;
    if (n > 2 * FEW_LIMBS) {
        r = limbs_new(n);
    }
    if (r != NULL && limbs_multiply(r, p.limbs, p.n, second->limbs, second->n) == 0) {
        result = limbs_to_int(r, n, int_is_negative(a) != int_is_negative(b));
    }
    if (r != few) {
        PyMem_Free(r);
    }
    operand_release(&p);
    if (a != b) {
        operand_release(&q);
    }
    return result;
}

/* ---- quotients ------------------------------------------------------------------------------- */

static int raise_zero_division(const char *message)
{
    PyErr_SetString(PyExc_ZeroDivisionError, message);
    return -1;
}

/* Truncating division of magnitudes, at least two digits each or more in a. Results with the
 * given signs; either may be NULL. */
static int divide_magnitudes(const PyLongObject *a, const PyLongObject *b, PyObject **quotient,
                             bool quotient_negative, PyObject **remainder, bool remainder_negative)
{
    struct operand p, d;
    if (operand_load(&p, a) < 0) {
        return -1;
    }
    if (operand_load(&d, b) < 0) {
        operand_release(&p);
        return -1;
    }
    int result = -1;
    limb_t *q = limbs_new(p.n - d.n + 1 + d.n), *r = q + (p.n - d.n + 1);
    if (q != NULL
        && limbs_divide(quotient != NULL ? q : NULL, remainder != NULL ? r : NULL, p.limbs, p.n,
                        d.limbs, d.n)
               == 0) {
        result = 0;
        if (quotient != NULL) {
            *quotient = limbs_to_int(q, p.n - d.n + 1, quotient_negative);
            result = *quotient == NULL ? -1 : 0;
        }
        if (result == 0 && remainder != NULL) {
            *remainder = limbs_to_int(r, d.n, remainder_negative);
            if (*remainder == NULL) {
                result = -1;
                if (quotient != NULL) {
                    Py_CLEAR(*quotient);
                }
            }
        }
    }
    PyMem_Free(q);
    operand_release(&p);
    operand_release(&d);
    return result;
}

static int compare_magnitudes(const PyLongObject *a, const PyLongObject *b)
{
    Py_ssize_t na = int_ndigits(a), nb = int_ndigits(b);
    if (na != nb) {
        return na < nb ? -1 : 1;
    }
    while (--na >= 0) {
        digit x = int_digits(a)[na], y = int_digits(b)[na];
        if (x != y) {
            return x < y ? -1 : 1;
        }
    }
    return 0;
}

/* The quotient towards zero and the remainder with the sign of a, then moved towards minus
 * infinity where the signs differ. */
static int divide_floor(PyLongObject *a, PyLongObject *b, PyObject **quotient, PyObject **remainder)
{
    bool differ = int_is_negative(a) != int_is_negative(b);
    PyObject *q = NULL, *r = NULL;
    if (compare_magnitudes(a, b) < 0) {
        q = int_small(0);
        r = copy_with_sign(a, int_is_negative(a));
        if (r == NULL) {
            return -1;
        }
    } else if (divide_magnitudes(a, b, quotient != NULL ? &q : NULL, differ, &r, int_is_negative(a))
               < 0) {
        return -1;
    }
    if (differ && !int_is_zero((PyLongObject *)r)) {
        if (remainder != NULL) {
            Py_SETREF(r, int_add((PyLongObject *)r, b));
        }
        if (quotient != NULL) {
            Py_SETREF(q, int_subtract((PyLongObject *)q, (PyLongObject *)int_small(1)));
        }
        if (r == NULL || (quotient != NULL && q == NULL)) {
            Py_XDECREF(q);
            Py_XDECREF(r);
            return -1;
        }
    }
    if (quotient != NULL) {
        *quotient = q;
    }
    if (remainder != NULL) {
        *remainder = r;
    } else {
        Py_DECREF(r);
    }
    return 0;
}

/* 64-bit operands: true when the results fit. b is not 0. */
static bool divide_small(PyLongObject *a, PyLongObject *b, int64_t *quotient, int64_t *remainder)
{
    int64_t x, y;
    if (int_ndigits(a) > 3 || int_ndigits(b) > 3 || !int_fits_i64(a, &x) || !int_fits_i64(b, &y)
        || (x == INT64_MIN && y == -1)) {
        return false;
    }
    int64_t q = x / y, r = x % y;
    if (r != 0 && (r < 0) != (y < 0)) {
        q--;
        r += y;
    }
    *quotient = q;
    *remainder = r;
    return true;
}

PyObject *int_floor_divide(PyLongObject *a, PyLongObject *b)
{
    int64_t q, r;
    PyObject *quotient;
    if (int_is_zero(b)) {
        raise_zero_division("integer division or modulo by zero");
        return NULL;
    }
    if (divide_small(a, b, &q, &r)) {
        return int_from_i64(q);
    }
    return divide_floor(a, b, &quotient, NULL) < 0 ? NULL : quotient;
}

PyObject *int_modulo(PyLongObject *a, PyLongObject *b)
{
    int64_t q, r;
    PyObject *remainder;
    if (int_is_zero(b)) {
        raise_zero_division("integer modulo by zero");
        return NULL;
    }
    if (divide_small(a, b, &q, &r)) {
        return int_from_i64(r);
    }
    return divide_floor(a, b, NULL, &remainder) < 0 ? NULL : remainder;
}

int int_divmod(PyLongObject *a, PyLongObject *b, PyObject **quotient, PyObject **remainder)
{
    int64_t q, r;
    if (int_is_zero(b)) {
        return raise_zero_division("integer division or modulo by zero");
    }
    if (!divide_small(a, b, &q, &r)) {
        return divide_floor(a, b, quotient, remainder);
    }
    if (quotient != NULL && (*quotient = int_from_i64(q)) == NULL) {
        return -1;
    }
    if (remainder != NULL && (*remainder = int_from_i64(r)) == NULL) {
        if (quotient != NULL) {
            Py_CLEAR(*quotient);
        }
        return -1;
    }
    return 0;
}

/* (q, r) with q nearest to a / b, ties to even: what round() needs. */
PyObject *int_divmod_near(PyLongObject *a, PyLongObject *b)
{
    PyObject *q, *r;
    if (int_divmod(a, b, &q, &r) < 0) {
        return NULL;
    }
    /* r has b's sign and is smaller: past the middle, or on it with q odd, go one up. */
    PyObject *twice = int_left_shift_by((PyLongObject *)r, 1);
    if (twice == NULL) {
        goto fail;
    }
    int order = compare_magnitudes((PyLongObject *)twice, b);
    Py_DECREF(twice);
    bool odd = !int_is_zero((PyLongObject *)q) && (int_digits((PyLongObject *)q)[0] & 1);
    if (order > 0 || (order == 0 && odd)) {
        Py_SETREF(q, int_add((PyLongObject *)q, (PyLongObject *)int_small(1)));
        Py_SETREF(r, int_subtract((PyLongObject *)r, b));
        if (q == NULL || r == NULL) {
            goto fail;
        }
    }
    return Py_BuildValue("(NN)", q, r);
fail:
    Py_XDECREF(q);
    Py_XDECREF(r);
    return NULL;
}

/* ---- true division --------------------------------------------------------------------------- */

/* The double nearest to mantissa * 2**exponent, where `sticky` says that something was cut off
 * below. The mantissa has 64 significant bits or is exact. */
static double scale_rounded(uint64_t mantissa, Py_ssize_t exponent, bool sticky)
{
    int length = 64 - __builtin_clzll(mantissa);
    Py_ssize_t drop = length - DBL_MANT_DIG;
    /* Denormal results keep fewer bits. */
    if (exponent + drop < DBL_MIN_EXP - DBL_MANT_DIG) {
        drop = DBL_MIN_EXP - DBL_MANT_DIG - exponent;
    }
    if (drop > 0) {
        if (drop > 64) {
            return 0.0;
        }
        uint64_t half = (uint64_t)1 << (drop - 1);
        uint64_t rest = drop == 64 ? mantissa : mantissa & ((half << 1) - 1);
        mantissa = drop == 64 ? 0 : mantissa >> drop;
        if (rest > half || (rest == half && (sticky || (mantissa & 1)))) {
            mantissa++;
        }
        exponent += drop;
    }
    return ldexp((double)mantissa, (int)exponent);
}

/* |a| shifted so that the quotient by |b| has 64 or 65 bits, divided. */
static PyObject *true_divide_big(PyLongObject *a, PyLongObject *b)
{
    Py_ssize_t a_bits = (Py_ssize_t)int_bit_length(a), b_bits = (Py_ssize_t)int_bit_length(b);
    bool negative = int_is_negative(a) != int_is_negative(b);
    Py_ssize_t difference = a_bits - b_bits;
    if (difference > DBL_MAX_EXP) {
        goto overflow;
    }
    if (difference < DBL_MIN_EXP - DBL_MANT_DIG - 1) {
        return float_new(negative ? -0.0 : 0.0);
    }
    Py_ssize_t shift = 63 - difference; /* quotient: 63 or 64 bits */
    PyObject *x = int_absolute(a), *y = int_absolute(b), *q = NULL, *r = NULL;
    if (x != NULL && y != NULL) {
        PyObject **scaled = shift >= 0 ? &x : &y;
        Py_SETREF(*scaled, int_left_shift_by((PyLongObject *)*scaled,
                                             (size_t)(shift >= 0 ? shift : -shift)));
        if (*scaled != NULL) {
            int_divmod((PyLongObject *)x, (PyLongObject *)y, &q, &r);
        }
    }
    Py_XDECREF(x);
    Py_XDECREF(y);
    if (q == NULL) {
        return NULL;
    }
    uint64_t mantissa;
    int_fits_u64((PyLongObject *)q, &mantissa);
    bool sticky = !int_is_zero((PyLongObject *)r);
    Py_DECREF(q);
    Py_DECREF(r);
    double value = scale_rounded(mantissa, -shift, sticky);
    if (isinf(value)) {
        goto overflow;
    }
    return float_new(negative ? -value : value);
overflow:
    PyErr_SetString(PyExc_OverflowError, "integer division result too large for a float");
    return NULL;
}

PyObject *int_true_divide(PyLongObject *a, PyLongObject *b)
{
    if (int_is_zero(b)) {
        raise_zero_division("division by zero");
        return NULL;
    }
    if (int_is_zero(a)) {
        return float_new(int_is_negative(b) ? -0.0 : 0.0);
    }
    /* Both exact as doubles: one division rounds correctly. */
    if (int_bit_length(a) <= DBL_MANT_DIG && int_bit_length(b) <= DBL_MANT_DIG) {
        int64_t x = 0, y = 1;
        int_fits_i64(a, &x);
        int_fits_i64(b, &y);
        return float_new((double)x / (double)y);
    }
    return true_divide_big(a, b);
}

/* ---- comparison, hash, size ------------------------------------------------------------------ */

int int_compare(const PyLongObject *a, const PyLongObject *b)
{
    if (int_is_compact(a) && int_is_compact(b)) {
        Py_ssize_t x = int_compact_value(a), y = int_compact_value(b);
        return (x > y) - (x < y);
    }
    int sign = int_sign(a);
    if (sign != int_sign(b)) {
        return sign < int_sign(b) ? -1 : 1;
    }
    int order = compare_magnitudes(a, b);
    return sign < 0 ? -order : order;
}

#define HASH_BITS 61
#define HASH_MODULUS (((uint64_t)1 << HASH_BITS) - 1)

Py_hash_t int_hash(const PyLongObject *v)
{
    if (int_is_compact(v)) {
        Py_ssize_t value = int_compact_value(v);
        return value == -1 ? -2 : value;
    }
    uint64_t x = 0;
    for (Py_ssize_t i = int_ndigits(v); --i >= 0;) {
        /* x * 2**30 + digit modulo 2**61 - 1: a rotation and a sum. */
        x = ((x << INT_SHIFT) & HASH_MODULUS) | (x >> (HASH_BITS - INT_SHIFT));
        x += int_digits(v)[i];
        x = x >= HASH_MODULUS ? x - HASH_MODULUS : x;
    }
    Py_hash_t hash = int_is_negative(v) ? -(Py_hash_t)x : (Py_hash_t)x;
    return hash == -1 ? -2 : hash;
}

Py_hash_t int_hash_i64(int64_t value)
{
    uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;
    magnitude = (magnitude & HASH_MODULUS) + (magnitude >> HASH_BITS);
    magnitude = magnitude >= HASH_MODULUS ? magnitude - HASH_MODULUS : magnitude;
    Py_hash_t hash = value < 0 ? -(Py_hash_t)magnitude : (Py_hash_t)magnitude;
    return hash == -1 ? -2 : hash;
}

size_t int_bit_length(const PyLongObject *v)
{
    Py_ssize_t n = int_ndigits(v);
    if (n == 0) {
        return 0;
    }
    digit top = int_digits(v)[n - 1];
    return (size_t)(n - 1) * INT_SHIFT + (size_t)(32 - __builtin_clz(top));
}

double int_frexp(const PyLongObject *v, Py_ssize_t *exponent)
{
    Py_ssize_t n = int_ndigits(v);
    if (n == 0) {
        *exponent = 0;
        return 0.0;
    }
    /* The top 64 bits, and whether anything lies below them. */
    uint64_t top = 0;
    int have = 0;
    bool sticky = false;
    Py_ssize_t i = n;
    while (i > 0 && have < 64) {
        digit d = int_digits(v)[--i];
        int bits = i == n - 1 ? 32 - __builtin_clz(d) : INT_SHIFT;
        int take = bits < 64 - have ? bits : 64 - have;
        top = top << take | d >> (bits - take);
        sticky = (d & (((digit)1 << (bits - take)) - 1)) != 0;
        have += take;
    }
    while (i > 0 && !sticky) {
        sticky = int_digits(v)[--i] != 0;
    }
    int drop = have - DBL_MANT_DIG;
    if (drop > 0) {
        uint64_t half = (uint64_t)1 << (drop - 1), rest = top & ((half << 1) - 1);
        top >>= drop;
        top += rest > half || (rest == half && (sticky || (top & 1)));
    } else {
        drop = 0;
    }
    int e;
    double m = frexp((double)top, &e);
    *exponent = (Py_ssize_t)int_bit_length(v) + (e + drop - have);
    return int_is_negative(v) ? -m : m;
}

/* ---- gcd ------------------------------------------------------------------------------------- */

static uint64_t gcd_u64(uint64_t a, uint64_t b)
{
    if (a == 0 || b == 0) {
        return a | b;
    }
    int shift = __builtin_ctzll(a | b);
    a >>= __builtin_ctzll(a);
    do {
        b >>= __builtin_ctzll(b);
        uint64_t low = a < b ? a : b, high = a < b ? b : a;
        a = low;
        b = high - low;
    } while (b != 0);
    return a << shift;
}

/* The top 62 bits of a number of n limbs, and of another one in the same place. */
static void leading_bits(const limb_t *a, const limb_t *b, Py_ssize_t n, uint64_t *x, uint64_t *y)
{
    int bits = 64 - __builtin_clzll(a[n - 1]); /* 1 .. 60 */
    int below = LIMB_BITS - bits + 2;          /* from the next limb, up to 61 */
    limb_t a1 = n > 1 ? a[n - 2] : 0, b1 = n > 1 ? b[n - 2] : 0;
    limb_t a2 = n > 2 ? a[n - 3] : 0, b2 = n > 2 ? b[n - 3] : 0;
    if (below <= LIMB_BITS) {
        *x = a[n - 1] << below | a1 >> (LIMB_BITS - below);
        *y = b[n - 1] << below | b1 >> (LIMB_BITS - below);
    } else {
        *x = a[n - 1] << below | a1 << 1 | a2 >> (LIMB_BITS - 1);
        *y = b[n - 1] << below | b1 << 1 | b2 >> (LIMB_BITS - 1);
    }
}

/* r = m0 * a - m1 * b of n limbs, known not to be negative. */
static void combine(limb_t *r, const limb_t *a, int64_t m0, const limb_t *b, int64_t m1,
                    Py_ssize_t n)
{
    __int128 carry = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        carry += (__int128)a[i] * m0 - (__int128)b[i] * m1;
        r[i] = (limb_t)carry & LIMB_MASK;
        carry >>= LIMB_BITS;
    }
}

/* As many Euclidean steps as the leading bits p >= q of two numbers decide, as coefficients of the
 * linear forms that the numbers become. Returns the number of steps. */
static int lehmer_steps(int64_t p, int64_t q, int64_t m[4])
{
    int64_t a = 1, b = 0, c = 0, d = 1;
    int steps = 0;
    for (; q != c; steps++) {
        int64_t quotient = (p + (a - 1)) / (q - c);
        int64_t s = b + quotient * d, rest = p - quotient * q;
        if (s > rest) {
            break;
        }
        p = q;
        q = rest;
        int64_t t = a + quotient * c;
        a = d;
        b = c;
        c = s;
        d = t;
    }
    m[0] = steps & 1 ? -b : a;
    m[1] = steps & 1 ? -a : b;
    m[2] = steps & 1 ? -d : c;
    m[3] = steps & 1 ? -c : d;
    return steps;
}

/* Lehmer's algorithm: the long numbers are touched once for about thirty bits. x >= y have n limbs,
 * work 2 * n. The gcd is left in x; its length is returned, or -1. */
static Py_ssize_t gcd_lehmer(limb_t *x, limb_t *y, Py_ssize_t n, limb_t *work)
{
    for (unsigned round = 1;; round++) {
        n = limbs_strip(x, n);
        Py_ssize_t ny = limbs_strip(y, n);
        if (ny == 0) {
            return n;
        }
        if (n == 1) {
            x[0] = gcd_u64(x[0], y[0]);
            return 1;
        }
        if (round % 1024 == 0 && PyErr_CheckSignals() < 0) {
            return -1;
        }
        uint64_t p, q;
        int64_t m[4];
        leading_bits(x, y, n, &p, &q);
        if (lehmer_steps((int64_t)p, (int64_t)q, m) > 0) {
            combine(work, x, m[0], y, m[1], n);
            combine(work + n, y, m[3], x, m[2], n);
            memcpy(x, work, (size_t)n * sizeof *x);
            memcpy(y, work + n, (size_t)n * sizeof *y);
            continue;
        }
        if (limbs_divide(NULL, work, x, n, y, ny) < 0) {
            return -1;
        }
        memcpy(x, y, (size_t)ny * sizeof *x);
        memcpy(y, work, (size_t)ny * sizeof *y);
        n = ny;
    }
}

PyObject *int_gcd(PyLongObject *a, PyLongObject *b)
{
    uint64_t u, v;
    if (int_ndigits(a) <= 2 && int_ndigits(b) <= 2) {
        int64_t x = 0, y = 0;
        int_fits_i64(a, &x);
        int_fits_i64(b, &y);
        u = x < 0 ? -(uint64_t)x : (uint64_t)x;
        v = y < 0 ? -(uint64_t)y : (uint64_t)y;
        return int_from_u64(gcd_u64(u, v));
    }
    if (compare_magnitudes(a, b) < 0) {
        PyLongObject *swap = a;
        a = b;
        b = swap;
    }
    Py_ssize_t n = limbs_for_digits(int_ndigits(a));
    limb_t *x = limbs_new(4 * n);
    if (x == NULL) {
        return NULL;
    }
    limb_t *y = x + n, *work = y + n;
    memset(y, 0, (size_t)n * sizeof *y);
    limbs_from_digits(x, int_digits(a), int_ndigits(a));
    limbs_from_digits(y, int_digits(b), int_ndigits(b));
    Py_ssize_t length = gcd_lehmer(x, y, n, work);
    PyObject *result = length < 0 ? NULL : limbs_to_int(x, length, false);
    PyMem_Free(x);
    return result;
}

PyObject *_PyLong_GCD(PyObject *a, PyObject *b)
{
    return int_gcd((PyLongObject *)a, (PyLongObject *)b);
}
