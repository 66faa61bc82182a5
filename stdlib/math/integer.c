/* math: functions of integers, over the arithmetic of int; small ones in machine words. */
#include "math/math.h"

/* Evaluates a new reference `next` from `x` and puts it in x's place. */
#define REPLACE(x, next) Py_SETREF(x, next)

static PyObject *shift_left(PyObject *x, long bits)
{
    PyObject *count = PyLong_FromLong(bits);
    PyObject *result = count ? PyNumber_Lshift(x, count) : NULL;
    Py_XDECREF(count);
    return result;
}

static PyObject *shift_right(PyObject *x, long bits)
{
    PyObject *count = PyLong_FromLong(bits);
    PyObject *result = count ? PyNumber_Rshift(x, count) : NULL;
    Py_XDECREF(count);
    return result;
}

/* The bit length, or -1 with an exception. */
static long bit_length(PyObject *x)
{
    PyObject *bits = PyObject_CallMethod(x, "bit_length", NULL);
    long result = bits ? PyLong_AsLong(bits) : -1;
    Py_XDECREF(bits);
    return result;
}

/* ---- gcd and lcm ---------------------------------------------------------------------------- */

static uint64_t gcd_words(uint64_t a, uint64_t b)
{
    if (a == 0 || b == 0) {
        return a | b;
    }
    int shift = __builtin_ctzll(a | b);
    a >>= __builtin_ctzll(a);
    while (b != 0) {
        b >>= __builtin_ctzll(b);
        uint64_t larger = a > b ? a : b;
        a = a > b ? b : a;
        b = larger - a;
    }
    return a << shift;
}

/* The magnitude, if it fits into a word; false otherwise, never with an exception. */
static inline bool word_of(PyObject *x, uint64_t *out)
{
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(x, &overflow);
    *out = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    return overflow == 0;
}

/* u*a + v*b for small u and v. */
static PyObject *combine(PyObject *a, int64_t u, PyObject *b, int64_t v)
{
    PyObject *u_obj = PyLong_FromLongLong(u), *v_obj = PyLong_FromLongLong(v);
    PyObject *left = u_obj ? PyNumber_Multiply(a, u_obj) : NULL;
    PyObject *right = v_obj ? PyNumber_Multiply(b, v_obj) : NULL;
    PyObject *sum = left && right ? PyNumber_Add(left, right) : NULL;
    Py_XDECREF(u_obj);
    Py_XDECREF(v_obj);
    Py_XDECREF(left);
    Py_XDECREF(right);
    return sum;
}

/* Lehmer: the steps of Euclid's algorithm that the leading bits of a >= b decide, as a matrix
 * (u v; s t) to apply to both.  False if they decide none. */
static bool lehmer_steps(int64_t a, int64_t b, int64_t matrix[4])
{
    int64_t u = 1, v = 0, s = 0, t = 1;
    while (b + s != 0 && b + t != 0) {
        int64_t q = (a + u) / (b + s);
        if (q != (a + v) / (b + t)) {
            break;
        }
        int64_t next_s = u - q * s, next_t = v - q * t, next_b = a - q * b;
        if (llabs(next_s) > INT32_MAX || llabs(next_t) > INT32_MAX) {
            break;
        }
        u = s, v = t, a = b;
        s = next_s, t = next_t, b = next_b;
    }
    matrix[0] = u, matrix[1] = v, matrix[2] = s, matrix[3] = t;
    return v != 0;
}

/* One round on *a >= *b >= 0, both large; false with an exception. */
static bool gcd_round(PyObject **a, PyObject **b)
{
    long bits = bit_length(*a);
    if (bits < 0) {
        return false;
    }
    PyObject *a_top = shift_right(*a, bits - 60), *b_top = shift_right(*b, bits - 60);
    int64_t matrix[4];
    bool decided =
        a_top && b_top && lehmer_steps(PyLong_AsLongLong(a_top), PyLong_AsLongLong(b_top), matrix);
    Py_XDECREF(a_top);
    Py_XDECREF(b_top);
    if (PyErr_Occurred()) {
        return false;
    }
    PyObject *next_a = decided ? combine(*a, matrix[0], *b, matrix[1]) : Py_NewRef(*b);
    PyObject *next_b = decided ? combine(*a, matrix[2], *b, matrix[3]) : PyNumber_Remainder(*a, *b);
    Py_SETREF(*a, next_a);
    Py_SETREF(*b, next_b);
    return next_a != NULL && next_b != NULL && PyErr_CheckSignals() == 0;
}

PyObject *integer_gcd(PyObject *x, PyObject *y)
{
    uint64_t small_x, small_y;
    if (word_of(x, &small_x) && word_of(y, &small_y)) {
        return PyLong_FromUnsignedLongLong(gcd_words(small_x, small_y));
    }
    PyObject *a = PyNumber_Absolute(x), *b = a ? PyNumber_Absolute(y) : NULL;
    int smaller = b ? PyObject_RichCompareBool(a, b, Py_LT) : -1;
    if (smaller > 0) {
        PyObject *swapped = a;
        a = b;
        b = swapped;
    }
    bool fine = smaller >= 0;
    while (fine && !word_of(b, &small_y)) {
        fine = gcd_round(&a, &b);
    }
    PyObject *result = NULL;
    if (fine && small_y == 0) {
        result = Py_NewRef(a);
    } else if (fine) {
        PyObject *rest = PyNumber_Remainder(a, b);
        if (rest != NULL && word_of(rest, &small_x)) {
            result = PyLong_FromUnsignedLongLong(gcd_words(small_x, small_y));
        }
        Py_XDECREF(rest);
    }
    Py_XDECREF(a);
    Py_XDECREF(b);
    return result;
}

PyObject *integer_lcm(PyObject *a, PyObject *b)
{
    PyObject *zero = PyLong_FromLong(0);
    int a_zero = zero ? PyObject_RichCompareBool(a, zero, Py_EQ) : -1;
    int b_zero = a_zero == 0 ? PyObject_RichCompareBool(b, zero, Py_EQ) : a_zero;
    if (b_zero != 0) {
        if (b_zero < 0) {
            Py_CLEAR(zero);
        }
        return zero;
    }
    Py_DECREF(zero);
    PyObject *divisor = integer_gcd(a, b);
    PyObject *part = divisor ? PyNumber_FloorDivide(a, divisor) : NULL;
    PyObject *product = part ? PyNumber_Multiply(part, b) : NULL;
    PyObject *result = product ? PyNumber_Absolute(product) : NULL;
    Py_XDECREF(divisor);
    Py_XDECREF(part);
    Py_XDECREF(product);
    return result;
}

/* ---- isqrt ---------------------------------------------------------------------------------- */

static uint64_t root_of_word(uint64_t n)
{
    uint64_t root = (uint64_t)sqrt((double)n);
    while (root > UINT32_MAX || root * root > n) {
        root--;
    }
    while (root < UINT32_MAX && (root + 1) * (root + 1) <= n) {
        root++;
    }
    return root;
}

/* The root of n >= 0 of `bits` bits, at most 1 too large: from the root of the upper half of the
 * bits, which is right in half of them, by one step of Newton. */
static PyObject *root_nearly(PyObject *n, long bits)
{
    if (bits <= 64) {
        uint64_t word = PyLong_AsUnsignedLongLong(n);
        return PyErr_Occurred() ? NULL : PyLong_FromUnsignedLongLong(root_of_word(word));
    }
    long low = (bits / 4) * 2 - 2; /* even: this many bits are left out at first */
    PyObject *upper = shift_right(n, low);
    PyObject *guess = upper ? root_nearly(upper, bits - low) : NULL;
    Py_XDECREF(upper);
    if (guess != NULL) {
        REPLACE(guess, shift_left(guess, low / 2));
    }
    PyObject *quotient = guess ? PyNumber_FloorDivide(n, guess) : NULL;
    PyObject *sum = quotient ? PyNumber_Add(guess, quotient) : NULL;
    PyObject *root = sum ? shift_right(sum, 1) : NULL;
    Py_XDECREF(guess);
    Py_XDECREF(quotient);
    Py_XDECREF(sum);
    return root;
}

/* Steps down while root**2 > n; Newton from above comes within a few units. */
static PyObject *root_exactly(PyObject *n, PyObject *root)
{
    PyObject *one = PyLong_FromLong(1);
    while (root != NULL && one != NULL) {
        PyObject *square = PyNumber_Multiply(root, root);
        int large = square ? PyObject_RichCompareBool(square, n, Py_GT) : -1;
        Py_XDECREF(square);
        if (large < 0) {
            Py_CLEAR(root);
        } else if (large == 0) {
            break;
        } else {
            REPLACE(root, PyNumber_Subtract(root, one));
        }
    }
    if (one == NULL) {
        Py_CLEAR(root);
    }
    Py_XDECREF(one);
    return root;
}

PyObject *integer_sqrt(PyObject *arg)
{
    PyObject *n = PyNumber_Index(arg);
    if (n == NULL) {
        return NULL;
    }
    PyObject *root = NULL;
    int overflow;
    long long small = PyLong_AsLongLongAndOverflow(n, &overflow);
    if (overflow < 0 || (overflow == 0 && small < 0)) {
        PyErr_SetString(PyExc_ValueError, "isqrt() argument must be nonnegative");
    } else if (overflow == 0) {
        root = PyLong_FromUnsignedLongLong(root_of_word((uint64_t)small));
    } else {
        long bits = bit_length(n);
        root = bits < 0 ? NULL : root_exactly(n, root_nearly(n, bits));
    }
    Py_DECREF(n);
    return root;
}

/* ---- factorial ------------------------------------------------------------------------------ */

/* The product of low, low + 2, ... below high, both odd: halved until words hold it. */
static PyObject *odd_product(unsigned long low, unsigned long high)
{
    unsigned long count = (high - low) / 2;
    unsigned long widest = high < 4 ? 2 : 64 - (unsigned long)__builtin_clzl(high - 2);
    if (count * widest <= 64) {
        unsigned long long product = 1;
        for (; low < high; low += 2) {
            product *= low;
        }
        return PyLong_FromUnsignedLongLong(product);
    }
    unsigned long middle = (low + count) | 1;
    PyObject *left = odd_product(low, middle);
    PyObject *right = left ? odd_product(middle, high) : NULL;
    PyObject *product = right ? PyNumber_Multiply(left, right) : NULL;
    Py_XDECREF(left);
    Py_XDECREF(right);
    return product;
}

/* n! without its factors of two: the odd numbers up to n, times those up to n/2, and so on.  Each
 * level's product grows from the one before. */
static PyObject *odd_factorial(unsigned long n)
{
    PyObject *level = PyLong_FromLong(1), *total = Py_XNewRef(level);
    unsigned long upper = 3;
    for (int shift = 63 - __builtin_clzl(n); shift >= 0 && total != NULL && level != NULL;
         shift--) {
        unsigned long part = n >> shift;
        if (part <= 2) {
            continue;
        }
        unsigned long lower = upper;
        upper = (part + 1) | 1;
        PyObject *odd = odd_product(lower, upper);
        REPLACE(level, odd ? PyNumber_Multiply(level, odd) : NULL);
        Py_XDECREF(odd);
        REPLACE(total, level ? PyNumber_Multiply(total, level) : NULL);
    }
    if (level == NULL) {
        Py_CLEAR(total);
    }
    Py_XDECREF(level);
    return total;
}

PyObject *integer_factorial(PyObject *arg)
{
    PyObject *index = PyNumber_Index(arg);
    if (index == NULL) {
        return NULL;
    }
    int overflow;
    long n = PyLong_AsLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    if (overflow > 0) {
        PyErr_Format(PyExc_OverflowError, "factorial() argument should not exceed %ld", LONG_MAX);
        return NULL;
    }
    if (overflow < 0 || n < 0) {
        PyErr_SetString(PyExc_ValueError, "factorial() not defined for negative values");
        return NULL;
    }
    if (n <= 20) {
        unsigned long product = 1;
        for (long i = 2; i <= n; i++) {
            product *= (unsigned long)i;
        }
        return PyLong_FromUnsignedLong(product);
    }
    PyObject *odd = odd_factorial((unsigned long)n);
    PyObject *result = odd ? shift_left(odd, n - __builtin_popcountl((unsigned long)n)) : NULL;
    Py_XDECREF(odd);
    return result;
}

/* ---- comb and perm -------------------------------------------------------------------------- */

/* n * (n-1) * ... of k factors, if a word holds it. */
static bool perm_word(uint64_t n, uint64_t k, uint64_t *out)
{
    uint64_t product = 1;
    for (uint64_t i = 0; i < k; i++) {
        if (__builtin_mul_overflow(product, n - i, &product)) {
            return false;
        }
    }
    *out = product;
    return true;
}

static bool comb_word(uint64_t n, uint64_t k, uint64_t *out)
{
    unsigned __int128 product = 1;
    for (uint64_t i = 0; i < k; i++) {
        product = product * (n - i) / (i + 1);
        if (product > UINT64_MAX) {
            return false;
        }
    }
    *out = (uint64_t)product;
    return true;
}

/* n minus a small number. */
static PyObject *minus(PyObject *n, unsigned long long less)
{
    PyObject *other = PyLong_FromUnsignedLongLong(less);
    PyObject *result = other ? PyNumber_Subtract(n, other) : NULL;
    Py_XDECREF(other);
    return result;
}

/* comb or perm of n and k: C(n, k) = C(n, j) C(n-j, k-j) / C(k, j), P(n, k) = P(n, j) P(n-j, k-j). */
static PyObject *split_count(PyObject *n, unsigned long long k, bool ordered)
{
    uint64_t small, word;
    if (k == 0) {
        return PyLong_FromLong(1);
    }
    if (k == 1) {
        return Py_NewRef(n);
    }
    if (word_of(n, &small) && (ordered ? perm_word(small, k, &word) : comb_word(small, k, &word))) {
        return PyLong_FromUnsignedLongLong(word);
    }
    unsigned long long j = k / 2;
    PyObject *rest = minus(n, j);
    PyObject *first = rest ? split_count(n, j, ordered) : NULL;
    PyObject *second = first ? split_count(rest, k - j, ordered) : NULL;
    PyObject *result = second ? PyNumber_Multiply(first, second) : NULL;
    Py_XDECREF(rest);
    Py_XDECREF(first);
    Py_XDECREF(second);
    if (result == NULL || ordered) {
        return result;
    }
    PyObject *chosen = PyLong_FromUnsignedLongLong(k);
    PyObject *ways = chosen ? split_count(chosen, j, false) : NULL;
    REPLACE(result, ways ? PyNumber_FloorDivide(result, ways) : NULL);
    Py_XDECREF(chosen);
    Py_XDECREF(ways);
    return result;
}

static int is_negative(PyObject *x)
{
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(x, &overflow);
    return overflow < 0 || (overflow == 0 && value < 0);
}

/* The count for ints n and k >= 0; `smaller` is min(k, n - k) for comb. */
static PyObject *count_ways(PyObject *n, PyObject *k, bool ordered)
{
    PyObject *other = PyNumber_Subtract(n, k);
    if (other == NULL) {
        return NULL;
    }
    if (is_negative(other)) {
        Py_DECREF(other);
        return PyLong_FromLong(0);
    }
    int swap = ordered ? 0 : PyObject_RichCompareBool(other, k, Py_LT);
    PyObject *fewer = swap > 0 ? other : k;
    int overflow;
    long long count = PyLong_AsLongLongAndOverflow(fewer, &overflow);
    Py_DECREF(other);
    if (overflow) {
        PyErr_Format(PyExc_OverflowError,
                     ordered ? "k must not exceed %lld" : "min(n - k, k) must not exceed %lld",
                     LLONG_MAX);
        return NULL;
    }
    return split_count(n, (unsigned long long)count, ordered);
}

static PyObject *checked_count(PyObject *n_arg, PyObject *k_arg, bool ordered)
{
    PyObject *n = PyNumber_Index(n_arg), *k = n ? PyNumber_Index(k_arg) : NULL, *result = NULL;
    if (k == NULL) {
        Py_XDECREF(n);
        return NULL;
    }
    if (is_negative(n)) {
        PyErr_SetString(PyExc_ValueError, "n must be a non-negative integer");
    } else if (is_negative(k)) {
        PyErr_SetString(PyExc_ValueError, "k must be a non-negative integer");
    } else {
        result = count_ways(n, k, ordered);
    }
    Py_DECREF(n);
    Py_DECREF(k);
    return result;
}

PyObject *integer_comb(PyObject *n, PyObject *k)
{
    return checked_count(n, k, false);
}

PyObject *integer_perm(PyObject *n, PyObject *k)
{
    return checked_count(n, k, true);
}
