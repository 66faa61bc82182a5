/*
 * int: powers, with and without a modulus.
 */
#include "objects/float.h"
#include "objects/int/limbs.h"

/* a * b, reduced by the modulus if there is one. Steals nothing. */
static PyObject *multiply_reduced(PyObject *a, PyObject *b, PyObject *modulus)
{
    PyObject *product = int_multiply((PyLongObject *)a, (PyLongObject *)b);
    if (product == NULL || modulus == NULL) {
        return product;
    }
    PyObject *reduced = int_modulo((PyLongObject *)product, (PyLongObject *)modulus);
    Py_DECREF(product);
    return reduced;
}

static int bit_at(const PyLongObject *v, Py_ssize_t i)
{
    return int_digits(v)[i / INT_SHIFT] >> (i % INT_SHIFT) & 1;
}

#define WINDOW 5

/* base**exponent for exponent > 0, from the left. Long exponents take windows of five bits that
 * begin and end with a one, so only odd powers are made beforehand. */
static PyObject *power_positive(PyObject *base, PyLongObject *exponent, PyObject *modulus)
{
    Py_ssize_t bits = (Py_ssize_t)int_bit_length(exponent);
    PyObject *odd[1 << (WINDOW - 1)] = {Py_NewRef(base)};
    int nodd = bits > 60 ? 1 << (WINDOW - 1) : 1;
    PyObject *result = NULL;
    if (nodd > 1) {
        PyObject *square = multiply_reduced(base, base, modulus);
        for (int i = 1; i < nodd && square != NULL; i++) {
            odd[i] = multiply_reduced(odd[i - 1], square, modulus);
            if (odd[i] == NULL) {
                Py_CLEAR(square);
            }
        }
        if (square == NULL) {
            goto done;
        }
        Py_DECREF(square);
    }
    for (Py_ssize_t i = bits - 1; i >= 0;) {
        /* The window ends with the lowest one among the next bits. */
        Py_ssize_t low = i;
        unsigned window = 0;
        if (bit_at(exponent, i)) {
            low = nodd == 1 || i < WINDOW - 1 ? (nodd == 1 ? i : 0) : i - WINDOW + 1;
            while (!bit_at(exponent, low)) {
                low++;
            }
            for (Py_ssize_t k = i; k >= low; k--) {
                window = window << 1 | (unsigned)bit_at(exponent, k);
            }
        }
        for (Py_ssize_t k = i; result != NULL && k >= low; k--) {
            Py_SETREF(result, multiply_reduced(result, result, modulus));
            if (result == NULL) {
                goto done;
            }
        }
        if (window != 0) {
            if (result == NULL) {
                result = Py_NewRef(odd[window >> 1]);
            } else {
                Py_SETREF(result, multiply_reduced(result, odd[window >> 1], modulus));
            }
            if (result == NULL) {
                goto done;
            }
        }
        i = low - 1;
    }
done:
    for (int i = 0; i < nodd; i++) {
        Py_XDECREF(odd[i]);
    }
    return result;
}

/* ---- Montgomery's reduction: powers with an odd modulus without divisions -------------------- */

struct montgomery {
    const limb_t *modulus;
    Py_ssize_t n;
    limb_t inverse;  /* -1 / modulus modulo 2**60 */
    limb_t *product; /* 2 * n + 1 limbs */
};

/* r = t / 2**(60 n) modulo the modulus; t is m->product. */
static void montgomery_reduce(const struct montgomery *m, limb_t *r)
{
    limb_t *t = m->product;
    Py_ssize_t n = m->n;
    limb_t over = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        limb_t q = (t[i] * m->inverse) & LIMB_MASK, carry = 0;
        for (Py_ssize_t j = 0; j < n; j++) {
            limb2_t sum = (limb2_t)q * m->modulus[j] + t[i + j] + carry;
            t[i + j] = (limb_t)sum & LIMB_MASK;
            carry = (limb_t)(sum >> LIMB_BITS);
        }
        limb_t sum = t[i + n] + carry + over;
        t[i + n] = sum & LIMB_MASK;
        over = sum >> LIMB_BITS;
    }
    if (over || limbs_compare(t + n, m->modulus, n) >= 0) {
        limbs_subtract(r, t + n, n, m->modulus, n);
    } else {
        memcpy(r, t + n, (size_t)n * sizeof *r);
    }
}

static int montgomery_multiply(const struct montgomery *m, limb_t *r, const limb_t *a,
                               const limb_t *b)
{
    if (limbs_multiply(m->product, a, m->n, b, m->n) < 0) {
        return -1;
    }
    montgomery_reduce(m, r);
    return 0;
}

/* r = a * 2**(60 n) modulo the modulus. */
static int montgomery_enter(const struct montgomery *m, limb_t *r, PyObject *a, limb_t *room)
{
    memset(room, 0, (size_t)(2 * m->n) * sizeof *room);
    limbs_from_digits(room + m->n, int_digits((PyLongObject *)a), int_ndigits((PyLongObject *)a));
    return limbs_divide(NULL, r, room, 2 * m->n, m->modulus, m->n);
}

static int montgomery_power(const struct montgomery *m, limb_t *result, limb_t *odd,
                            PyLongObject *exponent)
{
    Py_ssize_t n = m->n;
    bool started = false;
    for (Py_ssize_t i = (Py_ssize_t)int_bit_length(exponent) - 1; i >= 0;) {
        Py_ssize_t low = i;
        unsigned window = 0;
        if (bit_at(exponent, i)) {
            low = i < WINDOW - 1 ? 0 : i - WINDOW + 1;
            while (!bit_at(exponent, low)) {
                low++;
            }
            for (Py_ssize_t k = i; k >= low; k--) {
                window = window << 1 | (unsigned)bit_at(exponent, k);
            }
        }
        for (Py_ssize_t k = i; started && k >= low; k--) {
            if (montgomery_multiply(m, result, result, result) < 0) {
                return -1;
            }
        }
        if (window != 0) {
            const limb_t *factor = odd + (size_t)(window >> 1) * (size_t)n;
            if (!started) {
                memcpy(result, factor, (size_t)n * sizeof *result);
                started = true;
            } else if (montgomery_multiply(m, result, result, factor) < 0) {
                return -1;
            }
        }
        i = low - 1;
        if (n > 64 && PyErr_CheckSignals() < 0) {
            return -1;
        }
    }
    return 0;
}

/* base**exponent % modulus; 0 <= base < modulus, modulus odd and > 1, exponent > 0. */
static PyObject *power_montgomery(PyObject *base, PyLongObject *exponent, PyLongObject *modulus)
{
    Py_ssize_t n = limbs_for_digits(int_ndigits(modulus));
    enum { ODD = 1 << (WINDOW - 1) };
    limb_t *memory = limbs_new(n + (2 * n + 1) + ODD * n + n + n + 2 * n);
    if (memory == NULL) {
        return NULL;
    }
    limb_t *product = memory + n, *odd = product + 2 * n + 1, *square = odd + ODD * n;
    limb_t *result = square + n, *room = result + n;
    limbs_from_digits(memory, int_digits(modulus), int_ndigits(modulus));
    limb_t inverse = memory[0]; /* right in 3 bits; each round doubles them */
    for (int round = 0; round < 5; round++) {
        inverse *= 2 - memory[0] * inverse;
    }
    struct montgomery m = {memory, n, -inverse & LIMB_MASK, product};
    PyObject *power = NULL;
    if (montgomery_enter(&m, odd, base, room) < 0
        || montgomery_multiply(&m, square, odd, odd) < 0) {
        goto done;
    }
    for (int i = 1; i < ODD; i++) {
        if (montgomery_multiply(&m, odd + i * n, odd + (i - 1) * n, square) < 0) {
            goto done;
        }
    }
    if (montgomery_power(&m, result, odd, exponent) < 0) {
        goto done;
    }
    memset(product, 0, (size_t)(2 * n + 1) * sizeof *product);
    memcpy(product, result, (size_t)n * sizeof *product);
    montgomery_reduce(&m, result);
    power = limbs_to_int(result, n, false);
done:
    PyMem_Free(memory);
    return power;
}

/* ---- inverse --------------------------------------------------------------------------------- */

/* 1 / a modulo n, by the extended Euclidean algorithm. */
static PyObject *invert_modulo(PyObject *a, PyObject *n)
{
    PyObject *x = Py_NewRef(a), *y = Py_NewRef(n), *u = int_small(1), *v = int_small(0);
    while (!int_is_zero((PyLongObject *)y)) {
        PyObject *q, *r;
        if (int_divmod((PyLongObject *)x, (PyLongObject *)y, &q, &r) < 0) {
            goto fail;
        }
        Py_SETREF(x, y);
        y = r;
        PyObject *product = int_multiply((PyLongObject *)q, (PyLongObject *)v);
        Py_DECREF(q);
        PyObject *next =
            product == NULL ? NULL : int_subtract((PyLongObject *)u, (PyLongObject *)product);
        Py_XDECREF(product);
        if (next == NULL) {
            goto fail;
        }
        Py_SETREF(u, v);
        v = next;
    }
    int64_t gcd;
    if (!int_fits_i64((PyLongObject *)x, &gcd) || gcd != 1) {
        PyErr_SetString(PyExc_ValueError, "base is not invertible for the given modulus");
        goto fail;
    }
    Py_DECREF(x);
    Py_DECREF(y);
    Py_DECREF(v);
    return u;
fail:
    Py_XDECREF(x);
    Py_XDECREF(y);
    Py_XDECREF(u);
    Py_XDECREF(v);
    return NULL;
}

/* ---- pow() ----------------------------------------------------------------------------------- */

static PyObject *power_modulo(PyLongObject *a, PyLongObject *b, PyLongObject *c)
{
    if (int_is_zero(c)) {
        PyErr_SetString(PyExc_ValueError, "pow() 3rd argument cannot be 0");
        return NULL;
    }
    bool negative = int_is_negative(c);
    PyObject *modulus = int_absolute(c), *result = NULL, *base = NULL, *exponent = NULL;
    if (modulus == NULL) {
        return NULL;
    }
    if (modulus == int_small(1)) {
        Py_DECREF(modulus);
        return int_small(0);
    }
    base = int_modulo(a, (PyLongObject *)modulus);
    exponent = int_absolute(b);
    if (base != NULL && int_is_negative(b)) {
        Py_SETREF(base, invert_modulo(base, modulus));
        if (base != NULL) {
            Py_SETREF(base, int_modulo((PyLongObject *)base, (PyLongObject *)modulus));
        }
    }
    if (base == NULL || exponent == NULL) {
        goto done;
    }
    if (int_is_zero((PyLongObject *)exponent)) {
        result = int_small(1);
    } else if ((int_digits((PyLongObject *)modulus)[0] & 1)
               && int_ndigits((PyLongObject *)modulus) > 1
               && int_bit_length((PyLongObject *)exponent) > 8) {
        result = power_montgomery(base, (PyLongObject *)exponent, (PyLongObject *)modulus);
    } else {
        result = power_positive(base, (PyLongObject *)exponent, modulus);
        if (result != NULL) {
            Py_SETREF(result, int_modulo((PyLongObject *)result, (PyLongObject *)modulus));
        }
    }
    if (result != NULL && negative && !int_is_zero((PyLongObject *)result)) {
        Py_SETREF(result, int_add((PyLongObject *)result, c));
    }
done:
    Py_XDECREF(base);
    Py_XDECREF(exponent);
    Py_DECREF(modulus);
    return result;
}

PyObject *int_power(PyObject *a, PyObject *b, PyObject *modulus)
{
    if (!PyLong_Check(a) || !PyLong_Check(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyLongObject *base = (PyLongObject *)a, *exponent = (PyLongObject *)b;
    if (modulus != Py_None) {
        if (!PyLong_Check(modulus)) {
            Py_RETURN_NOTIMPLEMENTED;
        }
        return power_modulo(base, exponent, (PyLongObject *)modulus);
    }
    if (int_is_negative(exponent)) {
        /* A float; int ** -int has float's errors and rounding. */
        double x = PyLong_AsDouble(a), y, power;
        if (x == -1.0 && PyErr_Occurred()) {
            return NULL;
        }
        y = PyLong_AsDouble(b);
        if (y == -1.0 && PyErr_Occurred()) {
            return NULL;
        }
        return float_pow(x, y, &power) < 0 ? NULL : float_new(power);
    }
    if (int_is_zero(exponent)) {
        return int_small(1);
    }
    if (int_is_compact(base)) {
        Py_ssize_t value = int_compact_value(base);
        if (value == 0 || value == 1) {
            return int_from_i64(value);
        }
        if (value == -1) {
            return int_from_i64(int_digits(exponent)[0] & 1 ? -1 : 1);
        }
        uint64_t bits;
        if (value == 2 && int_fits_u64(exponent, &bits)) {
            return int_left_shift_by((PyLongObject *)int_small(1), bits);
        }
    }
    if (exponent == (PyLongObject *)int_small(2)) {
        return int_multiply(base, base);
    }
    PyObject *exact = PyLong_CheckExact(a) ? Py_NewRef(a) : _PyLong_Copy(base);
    if (exact == NULL) {
        return NULL;
    }
    PyObject *result = power_positive(exact, exponent, NULL);
    Py_DECREF(exact);
    return result;
}
