/* The module cmath: the C library's complex functions, with Python's errors. */
#include "module.h"

#include <complex.h>
#undef I
#include <float.h>
#include <math.h>

#include "cmath.bind.h"

/* Parts as they are: adding with an imaginary unit would spoil infinities and signs. */
static inline double complex from_parts(double real, double imag)
{
    const union {
        double part[2];
        double complex whole;
    } z = {{real, imag}};
    return z.whole;
}

static inline double complex to_c(Py_complex z)
{
    return from_parts(z.real, z.imag);
}

static inline PyObject *from_c(double complex z)
{
    return PyComplex_FromDoubles(creal(z), cimag(z));
}

static inline bool is_finite(double complex z)
{
    return isfinite(creal(z)) && isfinite(cimag(z));
}

static PyObject *domain_error(void)
{
    PyErr_SetString(PyExc_ValueError, "math domain error");
    return NULL;
}

static PyObject *range_error(void)
{
    PyErr_SetString(PyExc_OverflowError, "math range error");
    return NULL;
}

/* The result of a function: too large for finite z is an error. */
static PyObject *checked(double complex result, Py_complex z)
{
    if (isfinite(z.real) && isfinite(z.imag) && !is_finite(result)) {
        return range_error();
    }
    return from_c(result);
}

#define FUNCTION(name)                                                                             \
    static PyObject *cmath_##name(PyObject *Py_UNUSED(module), Py_complex z)                       \
    {                                                                                              \
        return checked(c##name(to_c(z)), z);                                                       \
    }

FUNCTION(acos)
FUNCTION(asin)
FUNCTION(asinh)
FUNCTION(sqrt)

static PyObject *cmath_acosh(PyObject *Py_UNUSED(module), Py_complex z)
{
    if (isnan(z.imag) && isfinite(z.real)) {
        return PyComplex_FromDoubles(NAN, NAN); /* some libraries know an angle here */
    }
    return checked(cacosh(to_c(z)), z);
}

/* The direction of an infinite result is not known where the angle is infinite. */
static bool no_direction(double radius, double angle, bool both_ways)
{
    bool infinite = isinf(radius) && (both_ways || radius > 0.0);
    return (isinf(angle) && isfinite(radius)) || (isinf(angle) && infinite);
}

static PyObject *cmath_exp(PyObject *Py_UNUSED(module), Py_complex z)
{
    return no_direction(z.real, z.imag, false) ? domain_error() : checked(cexp(to_c(z)), z);
}

static PyObject *cmath_cosh(PyObject *Py_UNUSED(module), Py_complex z)
{
    return no_direction(z.real, z.imag, true) ? domain_error() : checked(ccosh(to_c(z)), z);
}

static PyObject *cmath_sinh(PyObject *Py_UNUSED(module), Py_complex z)
{
    return no_direction(z.real, z.imag, true) ? domain_error() : checked(csinh(to_c(z)), z);
}

static PyObject *cmath_cos(PyObject *Py_UNUSED(module), Py_complex z)
{
    return no_direction(z.imag, z.real, true) ? domain_error() : checked(ccos(to_c(z)), z);
}

static PyObject *cmath_sin(PyObject *Py_UNUSED(module), Py_complex z)
{
    return no_direction(z.imag, z.real, true) ? domain_error() : checked(csin(to_c(z)), z);
}

static PyObject *cmath_tanh(PyObject *Py_UNUSED(module), Py_complex z)
{
    if (isnan(z.imag) && isfinite(z.real)) { /* some libraries say zero for the real part */
        return PyComplex_FromDoubles(NAN, NAN);
    }
    return isinf(z.imag) && isfinite(z.real) ? domain_error() : checked(ctanh(to_c(z)), z);
}

static PyObject *cmath_tan(PyObject *Py_UNUSED(module), Py_complex z)
{
    if (isnan(z.real) && isfinite(z.imag)) {
        return PyComplex_FromDoubles(NAN, NAN);
    }
    return isinf(z.real) && isfinite(z.imag) ? domain_error() : checked(ctan(to_c(z)), z);
}

static PyObject *cmath_atan(PyObject *Py_UNUSED(module), Py_complex z)
{
    return z.real == 0.0 && fabs(z.imag) == 1.0 ? domain_error() : checked(catan(to_c(z)), z);
}

static PyObject *cmath_atanh(PyObject *Py_UNUSED(module), Py_complex z)
{
    return z.imag == 0.0 && fabs(z.real) == 1.0 ? domain_error() : checked(catanh(to_c(z)), z);
}

/* The natural logarithm; near a distance of 1 from zero, precise by way of log1p. */
static double complex logarithm(Py_complex z)
{
    double a = fabs(z.real), b = fabs(z.imag), distance;
    if (isfinite(a) && isfinite(b)) {
        double h = hypot(a, b);
        if (h > 0.71 && h < 1.73) {
            double larger = fmax(a, b), smaller = fmin(a, b);
            distance = log1p((larger - 1.0) * (larger + 1.0) + smaller * smaller) / 2.0;
            return from_parts(distance, atan2(z.imag, z.real));
        }
    }
    return clog(to_c(z));
}

static PyObject *cmath_log(PyObject *Py_UNUSED(module), Py_complex z, PyObject *base)
{
    if (z.real == 0.0 && z.imag == 0.0) {
        return domain_error();
    }
    double complex result = logarithm(z);
    if (base == NULL) {
        return from_c(result);
    }
    Py_complex b;
    if (!bind_complex(base, &b)) {
        return NULL;
    }
    if (b.real == 0.0 && b.imag == 0.0) {
        return domain_error();
    }
    PyObject *above = from_c(result), *below = from_c(logarithm(b));
    PyObject *quotient = above && below ? PyNumber_TrueDivide(above, below) : NULL;
    if (quotient == NULL && PyErr_ExceptionMatches(PyExc_ZeroDivisionError)) {
        PyErr_Clear();
        domain_error();
    }
    Py_XDECREF(above);
    Py_XDECREF(below);
    return quotient;
}

static PyObject *cmath_log10(PyObject *Py_UNUSED(module), Py_complex z)
{
    if (z.real == 0.0 && z.imag == 0.0) {
        return domain_error();
    }
    double complex result = logarithm(z);
    return PyComplex_FromDoubles(creal(result) / M_LN10, cimag(result) / M_LN10);
}

/* ---- polar coordinates ---------------------------------------------------------------------- */

static double cmath_phase(PyObject *Py_UNUSED(module), Py_complex z)
{
    return atan2(z.imag, z.real);
}

static PyObject *cmath_polar(PyObject *Py_UNUSED(module), Py_complex z)
{
    double distance = hypot(z.real, z.imag);
    if (isinf(distance) && isfinite(z.real) && isfinite(z.imag)) {
        return range_error();
    }
    return Py_BuildValue("dd", distance, atan2(z.imag, z.real));
}

static PyObject *cmath_rect(PyObject *Py_UNUSED(module), double r, double phi)
{
    if (r != 0.0 && !isnan(r) && isinf(phi)) {
        return domain_error();
    }
    if (isinf(phi)) { /* r is zero or not a number */
        return r == 0.0 ? PyComplex_FromDoubles(0.0, 0.0) : PyComplex_FromDoubles(r, NAN);
    }
    if (isnan(phi)) {
        return isinf(r)   ? PyComplex_FromDoubles(HUGE_VAL, NAN)
               : r == 0.0 ? PyComplex_FromDoubles(0.0, 0.0)
                          : PyComplex_FromDoubles(NAN, NAN);
    }
    if (phi == 0.0) { /* not r * 0.0, which is no number for an infinite r */
        return PyComplex_FromDoubles(r, isnan(r) || !signbit(r) ? phi : -phi);
    }
    if (isinf(r)) {
        return PyComplex_FromDoubles(copysign(r, r * cos(phi)), copysign(r, r * sin(phi)));
    }
    return PyComplex_FromDoubles(r * cos(phi), r * sin(phi));
}

/* ---- tests ---------------------------------------------------------------------------------- */

static int cmath_isfinite(PyObject *Py_UNUSED(module), Py_complex z)
{
    return isfinite(z.real) && isfinite(z.imag);
}

static int cmath_isinf(PyObject *Py_UNUSED(module), Py_complex z)
{
    return isinf(z.real) || isinf(z.imag);
}

static int cmath_isnan(PyObject *Py_UNUSED(module), Py_complex z)
{
    return isnan(z.real) || isnan(z.imag);
}

static int cmath_isclose(PyObject *Py_UNUSED(module), Py_complex a, Py_complex b, double rel_tol,
                         double abs_tol)
{
    if (rel_tol < 0.0 || abs_tol < 0.0) {
        PyErr_SetString(PyExc_ValueError, "tolerances must be non-negative");
        return -1;
    }
    if (a.real == b.real && a.imag == b.imag) {
        return 1;
    }
    if (isinf(a.real) || isinf(a.imag) || isinf(b.real) || isinf(b.imag)) {
        return 0;
    }
    double apart = hypot(a.real - b.real, a.imag - b.imag);
    double size_a = hypot(a.real, a.imag), size_b = hypot(b.real, b.imag);
    return apart <= rel_tol * size_b || apart <= rel_tol * size_a || apart <= abs_tol;
}

/* ---- the module ----------------------------------------------------------------------------- */

static int add_constant(PyObject *module, const char *name, PyObject *value)
{
    int rc = PyModule_AddObjectRef(module, name, value);
    Py_XDECREF(value);
    return rc;
}

static int cmath_exec(PyObject *module)
{
    return add_constant(module, "pi", PyFloat_FromDouble(M_PI)) < 0
                   || add_constant(module, "e", PyFloat_FromDouble(M_E)) < 0
                   || add_constant(module, "tau", PyFloat_FromDouble(2.0 * M_PI)) < 0
                   || add_constant(module, "inf", PyFloat_FromDouble(HUGE_VAL)) < 0
                   || add_constant(module, "infj", PyComplex_FromDoubles(0.0, HUGE_VAL)) < 0
                   || add_constant(module, "nan", PyFloat_FromDouble(fabs(NAN))) < 0
                   || add_constant(module, "nanj", PyComplex_FromDoubles(0.0, fabs(NAN))) < 0
               ? -1
               : 0;
}

static PyModuleDef_Slot cmath_slots[] = MODULE_SLOTS(cmath_exec);

static PyModuleDef cmath_module = {
    PyModuleDef_HEAD_INIT,      .m_name = "cmath",      .m_doc = cmath_doc,
    .m_methods = cmath_methods, .m_slots = cmath_slots,
};

MODULE_INIT(cmath, cmath_module)
