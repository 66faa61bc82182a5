/* The module math: functions of floats. */
#include "math/math.h"

#include "math.bind.h"

/* ---- functions of one number ---------------------------------------------------------------- */

/* A NaN out of a number is a domain error; an infinity out of a finite number is one as well, or
 * an overflow where the function can overflow. */
static inline double checked(double result, double x, bool overflows)
{
    if (LIKELY(isfinite(result))) {
        return result;
    }
    if (isnan(result)) {
        return isnan(x) ? result : domain_error();
    }
    if (!isfinite(x)) {
        return result;
    }
    return overflows ? range_error() : domain_error();
}

#define FUNCTION(name, call, overflows)                                                            \
    static double math_##name(PyObject *Py_UNUSED(module), double x)                               \
    {                                                                                              \
        return checked(call, x, overflows);                                                        \
    }

FUNCTION(acos, acos(x), false)
FUNCTION(acosh, acosh(x), false)
FUNCTION(asin, asin(x), false)
FUNCTION(asinh, asinh(x), false)
FUNCTION(atan, atan(x), false)
FUNCTION(atanh, atanh(x), false)
FUNCTION(cbrt, cbrt(x), false)
FUNCTION(cos, cos(x), false)
FUNCTION(cosh, cosh(x), true)
FUNCTION(erf, erf(x), false)
FUNCTION(erfc, erfc(x), false)
FUNCTION(exp, exp(x), true)
FUNCTION(exp2, exp2(x), true)
FUNCTION(expm1, expm1(x), true)
FUNCTION(fabs, fabs(x), false)
FUNCTION(log1p, log1p(x), false)
FUNCTION(sin, sin(x), false)
FUNCTION(sinh, sinh(x), true)
FUNCTION(sqrt, sqrt(x), false)
FUNCTION(tan, tan(x), false)
FUNCTION(tanh, tanh(x), false)

static double math_degrees(PyObject *Py_UNUSED(module), double x)
{
    return x * (180.0 / M_PI);
}

static double math_radians(PyObject *Py_UNUSED(module), double x)
{
    return x * (M_PI / 180.0);
}

static double math_ulp(PyObject *Py_UNUSED(module), double x)
{
    if (isnan(x)) {
        return x;
    }
    x = fabs(x);
    if (isinf(x)) {
        return x;
    }
    double next = nextafter(x, HUGE_VAL);
    return isinf(next) ? x - nextafter(x, 0.0) : next - x;
}

static double math_gamma(PyObject *Py_UNUSED(module), double x)
{
    if (x == floor(x) && isfinite(x)) {
        if (x <= 0.0) {
            return domain_error();
        }
        if (x <= 23.0) { /* factorials that a double holds exactly */
            double product = 1.0;
            for (double factor = 2.0; factor < x; factor += 1.0) {
                product *= factor;
            }
            return product;
        }
    }
    if (x == -HUGE_VAL) {
        return domain_error();
    }
    return checked(tgamma(x), x, true);
}

static double math_lgamma(PyObject *Py_UNUSED(module), double x)
{
    if (isinf(x)) {
        return HUGE_VAL;
    }
    if (x == floor(x) && x <= 2.0) {
        return x <= 0.0 ? domain_error() : 0.0;
    }
    int sign;
    return checked(lgamma_r(x, &sign), x, true);
}

static int math_isfinite(PyObject *Py_UNUSED(module), double x)
{
    return isfinite(x) != 0;
}

static int math_isinf(PyObject *Py_UNUSED(module), double x)
{
    return isinf(x) != 0;
}

static int math_isnan(PyObject *Py_UNUSED(module), double x)
{
    return isnan(x) != 0;
}

/* ---- functions of two or three numbers ------------------------------------------------------ */

static double math_atan2(PyObject *Py_UNUSED(module), double y, double x)
{
    return atan2(y, x);
}

static double math_copysign(PyObject *Py_UNUSED(module), double x, double y)
{
    return copysign(x, y);
}

static double math_fmod(PyObject *Py_UNUSED(module), double x, double y)
{
    double result = fmod(x, y);
    return isnan(result) && !isnan(x) && !isnan(y) ? domain_error() : result;
}

static double math_remainder(PyObject *Py_UNUSED(module), double x, double y)
{
    double result = remainder(x, y);
    return isnan(result) && !isnan(x) && !isnan(y) ? domain_error() : result;
}

static double math_pow(PyObject *Py_UNUSED(module), double x, double y)
{
    double result = pow(x, y);
    if (UNLIKELY(!isfinite(result)) && isfinite(x) && isfinite(y)) {
        return isnan(result) || x == 0.0 ? domain_error() : range_error();
    }
    return result;
}

static double math_fma(PyObject *Py_UNUSED(module), double x, double y, double z)
{
    double result = fma(x, y, z);
    if (isfinite(result)) {
        return result;
    }
    if (isnan(result) && !isnan(x) && !isnan(y) && !isnan(z)) {
        PyErr_SetString(PyExc_ValueError, "invalid operation in fma");
        return -1.0;
    }
    if (isinf(result) && isfinite(x) && isfinite(y) && isfinite(z)) {
        PyErr_SetString(PyExc_OverflowError, "overflow in fma");
        return -1.0;
    }
    return result;
}

/* Floats of one sign are ordered like their bits; this makes all of them so. */
static inline int64_t float_rank(double x)
{
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits < 0 ? INT64_MIN - bits : bits;
}

static double float_of_rank(int64_t rank)
{
    int64_t bits = rank < 0 ? INT64_MIN - rank : rank;
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The number of steps, huge ones cut to what cannot matter; false with an exception. */
static bool step_count(PyObject *steps, uint64_t *count)
{
    steps = PyNumber_Index(steps);
    if (steps == NULL) {
        return false;
    }
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(steps, &overflow);
    Py_DECREF(steps);
    if (overflow < 0 || (overflow == 0 && value < 0)) {
        PyErr_SetString(PyExc_ValueError, "steps must be a non-negative integer");
        return false;
    }
    *count = overflow > 0 ? UINT64_MAX : (uint64_t)value;
    return true;
}

static double math_nextafter(PyObject *Py_UNUSED(module), double x, double y, PyObject *steps)
{
    if (steps == Py_None) {
        return nextafter(x, y);
    }
    uint64_t count;
    if (!step_count(steps, &count)) {
        return -1.0;
    }
    if (count == 0 || isnan(x)) {
        return x;
    }
    if (isnan(y) || x == y) {
        return y;
    }
    int64_t from = float_rank(x), to = float_rank(y);
    uint64_t apart = from < to ? (uint64_t)to - (uint64_t)from : (uint64_t)from - (uint64_t)to;
    if (count >= apart) {
        return y;
    }
    int64_t rank =
        from < to ? (int64_t)((uint64_t)from + count) : (int64_t)((uint64_t)from - count);
    return rank == 0 ? copysign(0.0, from < to ? -1.0 : 1.0) : float_of_rank(rank);
}

static double math_ldexp(PyObject *Py_UNUSED(module), double x, PyObject *i)
{
    if (!PyLong_Check(i)) {
        PyErr_SetString(PyExc_TypeError, "Expected an int as second argument to ldexp.");
        return -1.0;
    }
    int overflow;
    long exponent = PyLong_AsLongAndOverflow(i, &overflow);
    if (exponent == -1 && PyErr_Occurred()) {
        return -1.0;
    }
    if (x == 0.0 || !isfinite(x)) {
        return x;
    }
    if (overflow > 0 || exponent > INT_MAX) {
        return range_error();
    }
    if (overflow < 0 || exponent < INT_MIN) {
        return copysign(0.0, x);
    }
    double result = ldexp(x, (int)exponent);
    return isinf(result) ? range_error() : result;
}

static int math_isclose(PyObject *Py_UNUSED(module), double a, double b, double rel_tol,
                        double abs_tol)
{
    if (rel_tol < 0.0 || abs_tol < 0.0) {
        PyErr_SetString(PyExc_ValueError, "tolerances must be non-negative");
        return -1;
    }
    if (a == b) {
        return 1;
    }
    if (isinf(a) || isinf(b)) {
        return 0;
    }
    double apart = fabs(b - a);
    return apart <= fabs(rel_tol * b) || apart <= fabs(rel_tol * a) || apart <= abs_tol;
}

/* ---- parts of a float ----------------------------------------------------------------------- */

static PyObject *math_frexp(PyObject *Py_UNUSED(module), double x)
{
    int exponent = 0;
    if (isfinite(x) && x != 0.0) {
        x = frexp(x, &exponent);
    }
    return Py_BuildValue("di", x, exponent);
}

static PyObject *math_modf(PyObject *Py_UNUSED(module), double x)
{
    double whole;
    double fraction = modf(x, &whole);
    return Py_BuildValue("dd", fraction, whole);
}

/* Calls x's special method, or, without one, `otherwise` on its value as a float. */
static PyObject *rounded(PyObject *x, const char *method, double (*otherwise)(double))
{
    if (!PyFloat_CheckExact(x)) {
        PyObject *result;
        int found = special_call(x, method, &result);
        if (found != 0) {
            return result;
        }
    }
    double value;
    return bind_double(x, &value) ? PyLong_FromDouble(otherwise(value)) : NULL;
}

static PyObject *math_ceil(PyObject *Py_UNUSED(module), PyObject *x)
{
    return rounded(x, "__ceil__", ceil);
}

static PyObject *math_floor(PyObject *Py_UNUSED(module), PyObject *x)
{
    return rounded(x, "__floor__", floor);
}

static PyObject *math_trunc(PyObject *Py_UNUSED(module), PyObject *x)
{
    if (PyFloat_CheckExact(x)) {
        return PyLong_FromDouble(trunc(PyFloat_AS_DOUBLE(x)));
    }
    PyObject *result;
    if (special_call(x, "__trunc__", &result) == 0) {
        PyErr_Format(PyExc_TypeError, "type %.100s doesn't define __trunc__ method",
                     Py_TYPE(x)->tp_name);
    }
    return result;
}

/* ---- logarithms ----------------------------------------------------------------------------- */

/* The top 64 bits of a positive int as a double, and how far they were shifted down. */
static double int_top_bits(PyObject *number, long *shifted)
{
    double top = -1.0;
    PyObject *bits = PyObject_CallMethod(number, "bit_length", NULL);
    *shifted = bits ? PyLong_AsLong(bits) - 64 : -1;
    Py_XDECREF(bits);
    PyObject *shift = PyErr_Occurred() ? NULL : PyLong_FromLong(*shifted);
    PyObject *high = shift ? PyNumber_Rshift(number, shift) : NULL;
    if (high != NULL) {
        top = PyLong_AsDouble(high);
    }
    Py_XDECREF(shift);
    Py_XDECREF(high);
    return top;
}

/* A logarithm of any number; large ints need not fit into a double.  -1.0 with an exception. */
static double logarithm(PyObject *x, double (*log_of)(double))
{
    double value;
    if (PyLong_Check(x)) {
        value = PyLong_AsDouble(x);
        if (value == -1.0 && PyErr_Occurred()) {
            if (!PyErr_ExceptionMatches(PyExc_OverflowError)) {
                return -1.0;
            }
            PyErr_Clear();
            int overflow;
            (void)PyLong_AsLongLongAndOverflow(x, &overflow);
            if (overflow < 0) {
                return domain_error();
            }
            long shifted;
            double top = int_top_bits(x, &shifted);
            return top < 0.0 ? -1.0 : log_of(top) + log_of(2.0) * (double)shifted;
        }
    } else if (!bind_double(x, &value)) {
        return -1.0;
    }
    if (value <= 0.0) {
        return domain_error();
    }
    return log_of(value);
}

static PyObject *logarithm_object(PyObject *x, double (*log_of)(double))
{
    double result = logarithm(x, log_of);
    return result == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(result);
}

static PyObject *math_log(PyObject *Py_UNUSED(module), PyObject *x, PyObject *base)
{
    PyObject *above = logarithm_object(x, log);
    if (above == NULL || base == NULL) {
        return above;
    }
    PyObject *below = logarithm_object(base, log);
    PyObject *result = below ? PyNumber_TrueDivide(above, below) : NULL;
    Py_DECREF(above);
    Py_XDECREF(below);
    return result;
}

static PyObject *math_log2(PyObject *Py_UNUSED(module), PyObject *x)
{
    return logarithm_object(x, log2);
}

static PyObject *math_log10(PyObject *Py_UNUSED(module), PyObject *x)
{
    return logarithm_object(x, log10);
}

/* ---- points --------------------------------------------------------------------------------- */

enum { STACK_COORDINATES = 16 };

static double *coordinates_new(double *space, Py_ssize_t count)
{
    double *values = count <= STACK_COORDINATES ? space : PyMem_New(double, count);
    if (values == NULL) {
        PyErr_NoMemory();
    }
    return values;
}

static PyObject *math_hypot(PyObject *Py_UNUSED(module), PyObject *const *coordinates,
                            Py_ssize_t count)
{
    double space[STACK_COORDINATES];
    double *values = coordinates_new(space, count);
    PyObject *result = NULL;
    for (Py_ssize_t i = 0; values != NULL; i++) {
        if (i == count) {
            result = PyFloat_FromDouble(vector_norm(values, count));
            break;
        }
        if (!bind_double(coordinates[i], &values[i])) {
            break;
        }
    }
    if (values != space) {
        PyMem_Free(values);
    }
    return result;
}

static PyObject *tuple_distance(PyObject *p, PyObject *q)
{
    Py_ssize_t count = PyTuple_GET_SIZE(p);
    if (PyTuple_GET_SIZE(q) != count) {
        PyErr_SetString(PyExc_ValueError, "both points must have the same number of dimensions");
        return NULL;
    }
    double space[STACK_COORDINATES];
    double *values = coordinates_new(space, count);
    PyObject *result = NULL;
    for (Py_ssize_t i = 0; values != NULL; i++) {
        if (i == count) {
            result = PyFloat_FromDouble(vector_norm(values, count));
            break;
        }
        double a, b;
        if (!bind_double(PyTuple_GET_ITEM(p, i), &a) || !bind_double(PyTuple_GET_ITEM(q, i), &b)) {
            break;
        }
        values[i] = a - b;
    }
    if (values != space) {
        PyMem_Free(values);
    }
    return result;
}

static PyObject *math_dist(PyObject *Py_UNUSED(module), PyObject *p, PyObject *q)
{
    PyObject *from = PySequence_Tuple(p);
    PyObject *to = from ? PySequence_Tuple(q) : NULL;
    PyObject *result = to ? tuple_distance(from, to) : NULL;
    Py_XDECREF(from);
    Py_XDECREF(to);
    return result;
}

/* ---- sums and products ---------------------------------------------------------------------- */

static PyObject *math_fsum(PyObject *Py_UNUSED(module), PyObject *seq)
{
    return sum_floats(seq);
}

static PyObject *math_sumprod(PyObject *Py_UNUSED(module), PyObject *p, PyObject *q)
{
    return sum_products(p, q);
}

/* A product that is held as a C number as long as that is exact, then as an object. */
struct product {
    enum { PRODUCT_INT, PRODUCT_FLOAT, PRODUCT_OBJECT } kind;
    long whole;
    double real;
    PyObject *object;
};

/* Multiplies without an object; false if that cannot be done. */
static inline bool product_unboxed(struct product *p, PyObject *item)
{
    if (PyFloat_CheckExact(item) && p->kind != PRODUCT_OBJECT) {
        if (p->kind == PRODUCT_INT) {
            if (labs(p->whole) > 1L << 53) {
                return false;
            }
            p->real = (double)p->whole;
            p->kind = PRODUCT_FLOAT;
        }
        p->real *= PyFloat_AS_DOUBLE(item);
        return true;
    }
    if (PyLong_CheckExact(item) && p->kind != PRODUCT_OBJECT) {
        int overflow;
        long factor = PyLong_AsLongAndOverflow(item, &overflow);
        if (overflow) {
            return false;
        }
        if (p->kind == PRODUCT_FLOAT) {
            p->real *= (double)factor;
            return true;
        }
        return !__builtin_mul_overflow(p->whole, factor, &factor) && ((p->whole = factor), true);
    }
    return false;
}

static PyObject *product_box(struct product *p)
{
    return p->kind == PRODUCT_INT     ? PyLong_FromLong(p->whole)
           : p->kind == PRODUCT_FLOAT ? PyFloat_FromDouble(p->real)
                                      : p->object;
}

static PyObject *math_prod(PyObject *Py_UNUSED(module), PyObject *iterable, PyObject *start)
{
    PyObject *it = PyObject_GetIter(iterable);
    if (it == NULL) {
        return NULL;
    }
    struct product product = {PRODUCT_INT, 1, 0.0, NULL};
    if (start != NULL && !product_unboxed(&product, start)) {
        product.kind = PRODUCT_OBJECT;
        product.object = Py_NewRef(start);
    }
    PyObject *item;
    while ((item = iter_next(it)) != NULL) {
        if (!product_unboxed(&product, item)) {
            PyObject *so_far = product_box(&product);
            product.kind = PRODUCT_OBJECT;
            product.object = so_far ? PyNumber_Multiply(so_far, item) : NULL;
            Py_XDECREF(so_far);
            if (product.object == NULL) {
                Py_DECREF(item);
                Py_DECREF(it);
                return NULL;
            }
        }
        Py_DECREF(item);
        if (PyErr_CheckSignals() < 0) {
            break;
        }
    }
    Py_DECREF(it);
    if (!iter_ended()) {
        if (product.kind == PRODUCT_OBJECT) {
            Py_DECREF(product.object);
        }
        return NULL;
    }
    return product_box(&product);
}

/* ---- integers ------------------------------------------------------------------------------- */

static PyObject *math_factorial(PyObject *Py_UNUSED(module), PyObject *n)
{
    return integer_factorial(n);
}

static PyObject *math_comb(PyObject *Py_UNUSED(module), PyObject *n, PyObject *k)
{
    return integer_comb(n, k);
}

static PyObject *math_perm(PyObject *Py_UNUSED(module), PyObject *n, PyObject *k)
{
    return k == Py_None ? integer_factorial(n) : integer_perm(n, k);
}

static PyObject *math_isqrt(PyObject *Py_UNUSED(module), PyObject *n)
{
    return integer_sqrt(n);
}

/* Folds integers with `join`, from `start` for none; a single one gives its absolute value. */
static PyObject *fold_integers(PyObject *const *args, Py_ssize_t count, long start,
                               PyObject *(*join)(PyObject *, PyObject *))
{
    if (count == 0) {
        return PyLong_FromLong(start);
    }
    PyObject *result = PyNumber_Index(args[0]);
    if (result != NULL && count == 1) {
        Py_SETREF(result, PyNumber_Absolute(result));
    }
    for (Py_ssize_t i = 1; result != NULL && i < count; i++) {
        PyObject *next = PyNumber_Index(args[i]);
        Py_SETREF(result, next ? join(result, next) : NULL);
        Py_XDECREF(next);
    }
    return result;
}

static PyObject *math_gcd(PyObject *Py_UNUSED(module), PyObject *const *integers, Py_ssize_t count)
{
    return fold_integers(integers, count, 0, integer_gcd);
}

static PyObject *math_lcm(PyObject *Py_UNUSED(module), PyObject *const *integers, Py_ssize_t count)
{
    return fold_integers(integers, count, 1, integer_lcm);
}

/* ---- the module ----------------------------------------------------------------------------- */

static int math_exec(PyObject *module)
{
    static const struct {
        const char *name;
        double value;
    } constants[] = {
        {"pi", M_PI}, {"e", M_E}, {"tau", 2.0 * M_PI}, {"inf", HUGE_VAL}, {"nan", NAN},
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++) {
        PyObject *value = PyFloat_FromDouble(constants[i].value);
        int rc = PyModule_AddObjectRef(module, constants[i].name, value);
        Py_XDECREF(value);
        if (rc < 0) {
            return -1;
        }
    }
    return 0;
}

static PyModuleDef_Slot math_slots[] = MODULE_SLOTS(math_exec);

static PyModuleDef math_module = {
    PyModuleDef_HEAD_INIT,     .m_name = "math",      .m_doc = math_doc,
    .m_methods = math_methods, .m_slots = math_slots,
};

MODULE_INIT(math, math_module)
