/* Big naturals: products and quotients of all sizes against each other and the schoolbook. */
#include <criterion/criterion.h>

#include "../../objects/int/limbs.c"
#include <stdlib.h>

/* What the file asks of the floors around it. */
PyLongObject int_small_table[INT_SMALL_MAX - INT_SMALL_MIN + 1];
void *PyMem_Malloc(size_t size)
{
    return malloc(size);
}
void PyMem_Free(void *p)
{
    free(p);
}
PyObject *PyErr_NoMemory(void)
{
    return NULL;
}
int PyErr_CheckSignals(void)
{
    return 0;
}
PyLongObject *int_alloc(Py_ssize_t n)
{
    (void)n;
    return NULL;
}
PyObject *int_normalized(PyLongObject *v, Py_ssize_t n, bool negative)
{
    (void)n;
    (void)negative;
    return (PyObject *)v;
}

static uint64_t state = 1442695040888963407ull;

static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

/* Random limbs, often all ones or zeros, where carries go wrong. */
static void fill(limb_t *a, Py_ssize_t n)
{
    unsigned kind = next_random() % 3;
    for (Py_ssize_t i = 0; i < n; i++) {
        unsigned choice = next_random() % 4;
        a[i] = kind == 0 || choice > 1 ? next_random() & LIMB_MASK : choice == 0 ? 0 : LIMB_MASK;
    }
    a[n - 1] |= next_random() % 2 ? 1 : (limb_t)1 << (LIMB_BITS - 1);
}

static Py_ssize_t random_length(void)
{
    static const Py_ssize_t lengths[] = {1,  2,  3,   10,  39,  40,  41, 79,
                                         80, 81, 120, 160, 161, 333, 700};
    return lengths[next_random() % (sizeof lengths / sizeof lengths[0])];
}

Test(limbs, products_are_those_of_the_schoolbook)
{
    static limb_t a[700], b[700], got[1400], expected[1400];
    for (int i = 0; i < 400; i++) {
        Py_ssize_t na = random_length(), nb = random_length();
        fill(a, na);
        fill(b, nb);
        cr_assert_eq(limbs_multiply(got, a, na, b, nb), 0);
        multiply_school(expected, a, na, b, nb);
        cr_assert_eq(limbs_compare(got, expected, na + nb), 0, "%zd by %zd", na, nb);
        cr_assert_eq(limbs_multiply(got, a, na, a, na), 0);
        multiply_school(expected, a, na, a, na);
        cr_assert_eq(limbs_compare(got, expected, 2 * na), 0, "square of %zd", na);
    }
}

Test(limbs, quotient_times_divisor_and_remainder_is_the_dividend)
{
    static limb_t a[1400], b[700], q[1400], r[700], back[1500];
    for (int i = 0; i < 600; i++) {
        Py_ssize_t nb = random_length(), na = nb + random_length() - 1;
        fill(a, na);
        fill(b, nb);
        if (i % 3 == 0) {
            /* A multiple, or just below one. */
            multiply_school(a, b, nb, a, na - nb + 1 > 0 ? na - nb + 1 : 1);
            na = nb + (na - nb + 1);
            limb_t one = i % 2;
            limbs_subtract(a, a, na, &one, 1);
        }
        cr_assert_eq(limbs_divide(q, r, a, na, b, nb), 0);
        cr_assert(limbs_compare(r, b, nb) < 0, "%zd by %zd", na, nb);
        multiply_school(back, q, na - nb + 1, b, nb);
        cr_assert_eq(limbs_add(back, back, na + 1, r, nb), 0);
        cr_assert_eq(back[na], 0);
        cr_assert_eq(limbs_compare(back, a, na), 0, "%zd by %zd", na, nb);
    }
}

Test(limbs, division_by_one_limb)
{
    limb_t a[50], copy[50], back[51];
    for (int i = 0; i < 1000; i++) {
        Py_ssize_t n = 1 + (Py_ssize_t)(next_random() % 50);
        limb_t d = (next_random() & LIMB_MASK) >> (next_random() % 59);
        d += d == 0;
        fill(a, n);
        memcpy(copy, a, sizeof copy);
        limb_t remainder = limbs_divide_1(a, n, d);
        cr_assert(remainder < d);
        multiply_school(back, a, n, &d, 1);
        limbs_add(back, back, n + 1, &remainder, 1);
        cr_assert_eq(limbs_compare(back, copy, n), 0);
    }
}
