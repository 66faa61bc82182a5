/*
 * int: shifts and the bit operations, which see negative numbers in two's complement.
 */
#include "objects/int.h"

/* ---- shifts ---------------------------------------------------------------------------------- */

static int raise_too_many_digits(void)
{
    PyErr_SetString(PyExc_OverflowError, "too many digits in integer");
    return -1;
}

PyObject *int_left_shift_by(PyLongObject *a, size_t bits)
{
    if (int_is_zero(a)) {
        return int_small(0);
    }
    if (int_is_compact(a) && bits <= 32) {
        return int_from_i64((int64_t)((uint64_t)(int64_t)int_compact_value(a) << bits));
    }
    size_t words = bits / INT_SHIFT;
    int rest = (int)(bits % INT_SHIFT);
    Py_ssize_t n = int_ndigits(a);
    if (words > (size_t)(PY_SSIZE_T_MAX / sizeof(digit)) - (size_t)n - 8) {
        raise_too_many_digits();
        return NULL;
    }
    PyLongObject *r = int_alloc(n + (Py_ssize_t)words + 1);
    if (r == NULL) {
        return NULL;
    }
    digit *to = r->long_value.ob_digit;
    memset(to, 0, words * sizeof(digit));
    to += words;
    uint64_t carry = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        carry |= (uint64_t)int_digits(a)[i] << rest;
        to[i] = (digit)(carry & INT_MASK);
        carry >>= INT_SHIFT;
    }
    to[n] = (digit)carry;
    return int_normalized(r, n + (Py_ssize_t)words + 1, int_is_negative(a));
}

PyObject *int_right_shift_by(PyLongObject *a, size_t bits)
{
    bool negative = int_is_negative(a);
    if (int_is_compact(a)) {
        Py_ssize_t value = int_compact_value(a);
        return int_from_i64(bits > 62 ? (value < 0 ? -1 : 0) : value >> bits);
    }
    size_t words = bits / INT_SHIFT;
    int rest = (int)(bits % INT_SHIFT);
    Py_ssize_t n = int_ndigits(a), kept = n - (Py_ssize_t)words;
    if (words >= (size_t)n) {
        return int_from_i64(negative ? -1 : 0);
    }
    const digit *from = int_digits(a);
    /* Towards minus infinity: when ones are cut off a negative number, its magnitude grows. */
    bool lost = (from[words] & (((digit)1 << rest) - 1)) != 0;
    for (size_t i = 0; negative && !lost && i < words; i++) {
        lost = from[i] != 0;
    }
    PyLongObject *r = int_alloc(kept + 1);
    if (r == NULL) {
        return NULL;
    }
    digit *to = r->long_value.ob_digit;
    digit carry = negative && lost;
    for (Py_ssize_t i = 0; i < kept; i++) {
        uint64_t pair = from[words + (size_t)i];
        if (i + 1 < kept) {
            pair |= (uint64_t)from[words + (size_t)i + 1] << INT_SHIFT;
        }
        carry += (digit)((pair >> rest) & INT_MASK);
        to[i] = carry & INT_MASK;
        carry >>= INT_SHIFT;
    }
    to[kept] = carry;
    return int_normalized(r, kept + 1, negative);
}

PyObject *int_left_shift(PyLongObject *a, PyLongObject *b)
{
    if (int_is_negative(b)) {
        PyErr_SetString(PyExc_ValueError, "negative shift count");
        return NULL;
    }
    if (int_is_zero(a)) {
        return int_small(0);
    }
    uint64_t bits;
    if (!int_fits_u64(b, &bits)) {
        PyErr_SetString(PyExc_OverflowError, "too many digits in integer");
        return NULL;
    }
    return int_left_shift_by(a, bits);
}

PyObject *int_right_shift(PyLongObject *a, PyLongObject *b)
{
    if (int_is_negative(b)) {
        PyErr_SetString(PyExc_ValueError, "negative shift count");
        return NULL;
    }
    uint64_t bits;
    if (!int_fits_u64(b, &bits)) {
        bits = SIZE_MAX;
    }
    return int_right_shift_by(a, bits);
}

/* ---- bit operations -------------------------------------------------------------------------- */

PyObject *int_invert(PyLongObject *v)
{
    if (int_is_compact(v)) {
        return int_from_i64(~(int64_t)int_compact_value(v));
    }
    PyObject *next = int_add(v, (PyLongObject *)int_small(1));
    if (next != NULL) {
        Py_SETREF(next, int_negate((PyLongObject *)next));
    }
    return next;
}

/* The digits of a number in two's complement, one after the other, without end. */
struct twos {
    const digit *digits;
    Py_ssize_t n, i;
    digit flip, carry;
};

static struct twos twos_start(const PyLongObject *v)
{
    bool negative = int_is_negative(v);
    return (struct twos){int_digits(v), int_ndigits(v), 0, negative ? INT_MASK : 0, negative};
}

static inline digit twos_next(struct twos *t)
{
    digit d = ((t->i < t->n ? t->digits[t->i] : 0) ^ t->flip) + t->carry;
    t->i++;
    t->carry = d >> INT_SHIFT;
    return d & INT_MASK;
}

enum bit_operation { BITS_AND, BITS_OR, BITS_XOR };

static inline digit bits_combine(digit x, digit y, enum bit_operation operation)
{
    return operation == BITS_AND ? x & y : operation == BITS_OR ? x | y : x ^ y;
}

static PyObject *bits_big(PyLongObject *a, PyLongObject *b, enum bit_operation operation)
{
    Py_ssize_t na = int_ndigits(a), nb = int_ndigits(b), n = na > nb ? na : nb;
    bool negative_a = int_is_negative(a), negative_b = int_is_negative(b);
    if (operation == BITS_AND && !(negative_a && negative_b)) {
        /* Only as long as the numbers that end in zeros. */
        n = !negative_a && !negative_b ? (na < nb ? na : nb) : negative_a ? nb : na;
    }
    bool negative = bits_combine(negative_a, negative_b, operation);
    PyLongObject *r = int_alloc(n + 1);
    if (r == NULL) {
        return NULL;
    }
    struct twos x = twos_start(a), y = twos_start(b);
    digit *to = r->long_value.ob_digit;
    digit flip = negative ? INT_MASK : 0, carry = negative;
    for (Py_ssize_t i = 0; i < n; i++) {
        carry += bits_combine(twos_next(&x), twos_next(&y), operation) ^ flip;
        to[i] = carry & INT_MASK;
        carry >>= INT_SHIFT;
    }
    to[n] = carry;
    return int_normalized(r, n + 1, negative);
}

PyObject *int_and(PyLongObject *a, PyLongObject *b)
{
    if (int_is_compact(a) && int_is_compact(b)) {
        return int_from_i64(int_compact_value(a) & int_compact_value(b));
    }
    return bits_big(a, b, BITS_AND);
}

PyObject *int_or(PyLongObject *a, PyLongObject *b)
{
    if (int_is_compact(a) && int_is_compact(b)) {
        return int_from_i64(int_compact_value(a) | int_compact_value(b));
    }
    return bits_big(a, b, BITS_OR);
}

PyObject *int_xor(PyLongObject *a, PyLongObject *b)
{
    if (int_is_compact(a) && int_is_compact(b)) {
        return int_from_i64(int_compact_value(a) ^ int_compact_value(b));
    }
    return bits_big(a, b, BITS_XOR);
}
