/*
 * float: arithmetic by Python's rules, and the type with its methods and slots.
 */
#include "objects/float.h"
#include "objects/birth.h"
#include "objects/int.h"
#include "objects/object.h"
#include "objects/str.h"
#include "objects/tuple.h"
#include <errno.h>
#include <float.h>
#include <math.h>

PyObject *float_new(double value)
{
    PyFloatObject *op = (PyFloatObject *)birth_of_atom(&PyFloat_Type, sizeof(PyFloatObject));
    if (op != NULL) {
        op->ob_fval = value;
    }
    return (PyObject *)op;
}

PyObject *PyFloat_FromDouble(double value)
{
    return float_new(value);
}

double PyFloat_GetMax(void)
{
    return DBL_MAX;
}

double PyFloat_GetMin(void)
{
    return DBL_MIN;
}

/* ---- arithmetic ------------------------------------------------------------------------------ */

double float_mod(double a, double b)
{
    double rest = fmod(a, b);
    if (rest == 0.0) {
        return copysign(0.0, b);
    }
    return (rest < 0) != (b < 0) ? rest + b : rest;
}

static double floor_divmod(double a, double b, double *remainder)
{
    double rest = fmod(a, b), quotient = (a - rest) / b;
    if (rest == 0.0) {
        rest = copysign(0.0, b);
    } else if ((rest < 0) != (b < 0)) {
        rest += b;
        quotient -= 1.0;
    }
    *remainder = rest;
    if (quotient == 0.0) {
        return copysign(0.0, a / b);
    }
    /* The quotient is nearly an integer: the nearest one, not the one below. */
    double down = floor(quotient);
    return quotient - down > 0.5 ? down + 1.0 : down;
}

double float_floor_divide(double a, double b)
{
    double remainder;
    return floor_divmod(a, b, &remainder);
}

static bool is_odd(double value)
{
    return fmod(fabs(value), 2.0) == 1.0;
}

int float_pow(double a, double b, double *result)
{
    if (b == 0.0) {
        *result = 1.0;
        return 0;
    }
    if (isnan(a)) {
        *result = a;
        return 0;
    }
    if (isnan(b)) {
        *result = a == 1.0 ? 1.0 : b;
        return 0;
    }
    if (isinf(b)) {
        double size = fabs(a);
        *result = size == 1.0 ? 1.0 : (b > 0) == (size > 1.0) ? fabs(b) : 0.0;
        return 0;
    }
    if (isinf(a)) {
        bool odd = is_odd(b);
        *result = b > 0 ? (odd ? a : fabs(a)) : (odd ? copysign(0.0, a) : 0.0);
        return 0;
    }
    if (a == 0.0) {
        bool odd = is_odd(b);
        if (b < 0.0) {
            PyErr_SetString(PyExc_ZeroDivisionError, "0.0 cannot be raised to a negative power");
            return -1;
        }
        *result = odd ? a : 0.0;
        return 0;
    }
    bool negative = false;
    if (a < 0.0) {
        if (b != floor(b)) {
            return 1;
        }
        a = -a;
        negative = is_odd(b);
    }
    if (a == 1.0) {
        *result = negative ? -1.0 : 1.0;
        return 0;
    }
    double power = pow(a, b);
    if (isinf(power)) {
        errno = ERANGE;
        PyErr_SetFromErrno(PyExc_OverflowError);
        return -1;
    }
    *result = negative ? -power : power;
    return 0;
}

int float_compare_int(double a, const PyLongObject *b)
{
    if (isnan(a)) {
        return 2;
    }
    if (isinf(a)) {
        return a > 0 ? 1 : -1;
    }
    int sign_a = (a > 0) - (a < 0), sign_b = int_sign(b);
    if (sign_a != sign_b || sign_a == 0) {
        return (sign_a > sign_b) - (sign_a < sign_b);
    }
    size_t bits = int_bit_length(b);
    int64_t value;
    if (bits <= DBL_MANT_DIG && int_fits_i64(b, &value)) {
        return (a > (double)value) - (a < (double)value);
    }
    int exponent;
    frexp(a, &exponent); /* 2**(exponent - 1) <= |a| < 2**exponent */
    if (exponent < 0 || (size_t)exponent != bits) {
        bool smaller = exponent < 0 || (size_t)exponent < bits;
        return smaller ? -sign_a : sign_a;
    }
    /* Of the same length, above 53 bits, so a is an integer. Its digits against those of b. */
    double rest = fabs(a);
    for (Py_ssize_t i = int_ndigits(b); --i >= 0;) {
        double unit = ldexp(1.0, (int)(i * INT_SHIFT));
        double here = floor(rest / unit);
        digit d = int_digits(b)[i];
        if (here != (double)d) {
            return here < (double)d ? -sign_a : sign_a;
        }
        rest -= here * unit;
    }
    return 0;
}

#define HASH_BITS 61
#define HASH_MODULUS (((uint64_t)1 << HASH_BITS) - 1)

Py_hash_t float_hash(PyObject *op, double value)
{
    if (fabs(value) < 0x1p61) {
        Py_hash_t whole = (Py_hash_t)value;
        if ((double)whole == value) {
            return whole == -1 ? -2 : whole;
        }
    }
    if (!isfinite(value)) {
        return isinf(value) ? (value > 0 ? 314159 : -314159) : Py_HashPointer(op);
    }
    int exponent;
    double m = frexp(fabs(value), &exponent);
    /* m is 53 bits: all of them at once, since 2**61 = 1 modulo 2**61 - 1. */
    uint64_t x = (uint64_t)ldexp(m, DBL_MANT_DIG);
    exponent -= DBL_MANT_DIG;
    int shift = exponent % HASH_BITS;
    shift = shift < 0 ? shift + HASH_BITS : shift;
    x = ((x << shift) & HASH_MODULUS) | (x >> (HASH_BITS - shift));
    Py_hash_t hash = value < 0 ? -(Py_hash_t)x : (Py_hash_t)x;
    return hash == -1 ? -2 : hash;
}

Py_hash_t _Py_HashDouble(PyObject *op, double value)
{
    return float_hash(op, value);
}

/* ---- operands -------------------------------------------------------------------------------- */

double PyFloat_AsDouble(PyObject *op)
{
    if (op == NULL) {
        PyErr_BadArgument();
        return -1.0;
    }
    if (PyFloat_Check(op)) {
        return float_value(op);
    }
    PyNumberMethods *number = Py_TYPE(op)->tp_as_number;
    if (number == NULL || number->nb_float == NULL) {
        if (number != NULL && number->nb_index != NULL) {
            PyObject *index = PyNumber_Index(op);
            double value = index == NULL ? -1.0 : PyLong_AsDouble(index);
            Py_XDECREF(index);
            return value;
        }
        PyErr_Format(PyExc_TypeError, "must be real number, not %.50s", Py_TYPE(op)->tp_name);
        return -1.0;
    }
    PyObject *result = number->nb_float(op);
    if (result == NULL) {
        return -1.0;
    }
    if (!PyFloat_CheckExact(result)) {
        if (!PyFloat_Check(result)) {
            PyErr_Format(PyExc_TypeError, "%.50s.__float__ returned non-float (type %.50s)",
                         Py_TYPE(op)->tp_name, Py_TYPE(result)->tp_name);
            Py_DECREF(result);
            return -1.0;
        }
        if (PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                             "%.50s.__float__ returned non-float (type %.50s).  The ability to "
                             "return an instance of a strict subclass of float is deprecated, and "
                             "may not be supported in a future version of Python.",
                             Py_TYPE(op)->tp_name, Py_TYPE(result)->tp_name)
            < 0) {
            Py_DECREF(result);
            return -1.0;
        }
    }
    double value = float_value(result);
    Py_DECREF(result);
    return value;
}

/* A float's or int's value: 1; 0 when it is neither; -1 with OverflowError. */
static int operand(PyObject *op, double *value)
{
    if (PyFloat_Check(op)) {
        *value = float_value(op);
        return 1;
    }
    if (!PyLong_Check(op)) {
        return 0;
    }
    *value = PyLong_AsDouble(op);
    return *value == -1.0 && PyErr_Occurred() ? -1 : 1;
}

#define OPERANDS(a, b, x, y)                                                                       \
    double x, y;                                                                                   \
    {                                                                                              \
        int known = operand(a, &x);                                                                \
        known = known > 0 ? operand(b, &y) : known;                                                \
        if (known <= 0) {                                                                          \
            return known < 0 ? NULL : Py_NewRef(Py_NotImplemented);                                \
        }                                                                                          \
    }

static PyObject *slot_add(PyObject *a, PyObject *b)
{
    OPERANDS(a, b, x, y)
    return float_new(x + y);
}

static PyObject *slot_subtract(PyObject *a, PyObject *b)
{
    OPERANDS(a, b, x, y)
    return float_new(x - y);
}

static PyObject *slot_multiply(PyObject *a, PyObject *b)
{
    OPERANDS(a, b, x, y)
    return float_new(x * y);
}

static PyObject *raise_zero_division(const char *message)
{
    PyErr_SetString(PyExc_ZeroDivisionError, message);
    return NULL;
}

static PyObject *slot_divide(PyObject *a, PyObject *b)
{
    OPERANDS(a, b, x, y)
    return y == 0.0 ? raise_zero_division("float division by zero") : float_new(x / y);
}

static PyObject *slot_modulo(PyObject *a, PyObject *b)
{
    OPERANDS(a, b, x, y)
    return y == 0.0 ? raise_zero_division("float modulo by zero") : float_new(float_mod(x, y));
}

static PyObject *slot_floor_divide(PyObject *a, PyObject *b)
{
    OPERANDS(a, b, x, y)
    return y == 0.0 ? raise_zero_division("float floor division by zero")
                    : float_new(float_floor_divide(x, y));
}

static PyObject *slot_divmod(PyObject *a, PyObject *b)
{
    OPERANDS(a, b, x, y)
    if (y == 0.0) {
        return raise_zero_division("float divmod()");
    }
    double remainder, quotient = floor_divmod(x, y, &remainder);
    return Py_BuildValue("(dd)", quotient, remainder);
}

static PyObject *slot_power(PyObject *a, PyObject *b, PyObject *modulus)
{
    if (modulus != Py_None) {
        PyErr_SetString(PyExc_TypeError,
                        "pow() 3rd argument not allowed unless all arguments are integers");
        return NULL;
    }
    OPERANDS(a, b, x, y)
    double power;
    int failed = float_pow(x, y, &power);
    if (failed > 0) {
        /* A negative number to a fraction is complex. */
        return PyComplex_Type.tp_as_number->nb_power(a, b, modulus);
    }
    return failed < 0 ? NULL : float_new(power);
}

static PyObject *slot_negative(PyObject *op)
{
    return float_new(-float_value(op));
}

static PyObject *slot_absolute(PyObject *op)
{
    return float_new(fabs(float_value(op)));
}

static int slot_bool(PyObject *op)
{
    return float_value(op) != 0.0;
}

static PyObject *slot_int(PyObject *op)
{
    return PyLong_FromDouble(float_value(op));
}

static PyObject *slot_float(PyObject *op)
{
    return PyFloat_CheckExact(op) ? Py_NewRef(op) : float_new(float_value(op));
}

static PyObject *slot_repr(PyObject *op)
{
    char buf[32];
    return str_from_ascii(buf, float_repr(float_value(op), buf));
}

static Py_hash_t slot_hash(PyObject *op)
{
    return float_hash(op, float_value(op));
}

static PyObject *slot_richcompare(PyObject *a, PyObject *b, int operation)
{
    double x = float_value(a);
    if (PyFloat_Check(b)) {
        double y = float_value(b);
        switch (operation) {
        case Py_EQ:
            return PyBool_FromLong(x == y);
        case Py_NE:
            return PyBool_FromLong(x != y);
        case Py_LT:
            return PyBool_FromLong(x < y);
        case Py_LE:
            return PyBool_FromLong(x <= y);
        case Py_GT:
            return PyBool_FromLong(x > y);
        default:
            return PyBool_FromLong(x >= y);
        }
    }
    if (!PyLong_Check(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    int order = float_compare_int(x, (PyLongObject *)b);
    if (order == 2) {
        return PyBool_FromLong(operation == Py_NE);
    }
    Py_RETURN_RICHCOMPARE(order, 0, operation);
}

static void slot_dealloc(PyObject *op)
{
    if (PyFloat_CheckExact(op)) {
        object_free(op);
    } else {
        Py_TYPE(op)->tp_free(op);
    }
}

/* ---- methods --------------------------------------------------------------------------------- */

#include "float.bind.h"

static PyObject *float_new_from(PyTypeObject *type, PyObject *x)
{
    PyObject *value = x == NULL                 ? float_new(0.0)
                      : PyUnicode_CheckExact(x) ? PyFloat_FromString(x)
                                                : PyNumber_Float(x);
    if (value == NULL || type == &PyFloat_Type) {
        return value;
    }
    PyFloatObject *self = (PyFloatObject *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->ob_fval = float_value(value);
    }
    Py_DECREF(value);
    return (PyObject *)self;
}

static PyObject *float_conjugate(PyFloatObject *self)
{
    return slot_float((PyObject *)self);
}

static PyObject *float_trunc(PyFloatObject *self)
{
    return PyLong_FromDouble(self->ob_fval);
}

static PyObject *float_floor(PyFloatObject *self)
{
    return PyLong_FromDouble(floor(self->ob_fval));
}

static PyObject *float_ceil(PyFloatObject *self)
{
    return PyLong_FromDouble(ceil(self->ob_fval));
}

static double round_half_even(double value)
{
    double rounded = round(value);
    return fabs(value - rounded) == 0.5 ? 2.0 * round(value / 2.0) : rounded;
}

static PyObject *float_round(PyFloatObject *self, PyObject *ndigits)
{
    double value = self->ob_fval;
    if (ndigits == Py_None || ndigits == NULL) {
        return PyLong_FromDouble(round_half_even(value));
    }
    Py_ssize_t n = PyNumber_AsSsize_t(ndigits, NULL);
    if (n == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (!isfinite(value) || n > 323) {
        return float_new(value);
    }
    if (n < -308) {
        return float_new(0.0 * value);
    }
    char digits[FLOAT_DIGITS_MAX];
    Py_ssize_t point, count = float_digits(value, FLOAT_FIXED, n, digits, &point);
    double rounded = float_from_decimal(digits, (size_t)count, point - count, signbit(value));
    if (isinf(rounded)) {
        PyErr_SetString(PyExc_OverflowError, "rounded value too large to represent");
        return NULL;
    }
    return float_new(rounded);
}

static PyObject *float_as_integer_ratio(PyFloatObject *self)
{
    double value = self->ob_fval;
    if (isinf(value)) {
        PyErr_SetString(PyExc_OverflowError, "cannot convert Infinity to integer ratio");
        return NULL;
    }
    if (isnan(value)) {
        PyErr_SetString(PyExc_ValueError, "cannot convert NaN to integer ratio");
        return NULL;
    }
    int exponent;
    double m = frexp(value, &exponent);
    int64_t mantissa = (int64_t)ldexp(m, DBL_MANT_DIG);
    exponent -= DBL_MANT_DIG;
    if (mantissa == 0) {
        exponent = 0;
    } else {
        int zeros = __builtin_ctzll((uint64_t)mantissa);
        zeros = exponent < 0 ? (zeros < -exponent ? zeros : -exponent) : 0;
        mantissa /= (int64_t)1 << zeros;
        exponent += zeros;
    }
    PyObject *above = int_from_i64(mantissa), *below = int_small(1);
    if (above != NULL) {
        PyObject **scaled = exponent > 0 ? &above : &below;
        Py_SETREF(*scaled, int_left_shift_by((PyLongObject *)*scaled, (size_t)abs(exponent)));
    }
    if (above == NULL || below == NULL) {
        Py_XDECREF(above);
        Py_XDECREF(below);
        return NULL;
    }
    return tuple_pair_steal(above, below);
}

static int float_is_integer(PyFloatObject *self)
{
    return isfinite(self->ob_fval) && floor(self->ob_fval) == self->ob_fval;
}

static PyObject *float_hex(PyFloatObject *self)
{
    return float_to_hex(self->ob_fval);
}

static PyObject *float_fromhex(PyTypeObject *type, PyObject *string)
{
    Py_ssize_t n;
    const char *text = PyUnicode_AsUTF8AndSize(string, &n);
    double value;
    if (text == NULL || float_from_hex(text, n, &value) < 0) {
        return NULL;
    }
    PyObject *result = float_new(value);
    if (result != NULL && type != &PyFloat_Type) {
        Py_SETREF(result, PyObject_CallOneArg((PyObject *)type, result));
    }
    return result;
}

static PyObject *float_getnewargs(PyFloatObject *self)
{
    return Py_BuildValue("(d)", self->ob_fval);
}

static PyObject *float_getformat(PyTypeObject *Py_UNUSED(type), const char *typestr)
{
    if (strcmp(typestr, "double") != 0 && strcmp(typestr, "float") != 0) {
        PyErr_SetString(PyExc_ValueError, "__getformat__() argument 1 must be 'double' or 'float'");
        return NULL;
    }
    return PyUnicode_FromString(PY_LITTLE_ENDIAN ? "IEEE, little-endian" : "IEEE, big-endian");
}

static PyObject *float_format(PyFloatObject *self, PyObject *format_spec)
{
    return format_float((PyObject *)self, format_spec);
}

static PyObject *float_get_real(PyFloatObject *self)
{
    return slot_float((PyObject *)self);
}

static PyObject *float_get_imag(PyFloatObject *Py_UNUSED(self))
{
    return float_new(0.0);
}

/* ---- the type -------------------------------------------------------------------------------- */

static PyNumberMethods float_as_number = {
    .nb_add = slot_add,
    .nb_subtract = slot_subtract,
    .nb_multiply = slot_multiply,
    .nb_remainder = slot_modulo,
    .nb_divmod = slot_divmod,
    .nb_power = slot_power,
    .nb_negative = slot_negative,
    .nb_positive = slot_float,
    .nb_absolute = slot_absolute,
    .nb_bool = slot_bool,
    .nb_int = slot_int,
    .nb_float = slot_float,
    .nb_floor_divide = slot_floor_divide,
    .nb_true_divide = slot_divide,
};

PyTypeObject PyFloat_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "float",
    .tp_basicsize = sizeof(PyFloatObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | _Py_TPFLAGS_MATCH_SELF,
    .tp_doc = float_doc,
    .tp_dealloc = slot_dealloc,
    .tp_repr = slot_repr,
    .tp_hash = slot_hash,
    .tp_richcompare = slot_richcompare,
    .tp_as_number = &float_as_number,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_methods = float_methods,
    .tp_getset = float_getset,
    .tp_new = bind_float_new_from,
    .tp_vectorcall = bind_float_new_from_vectorcall,
    .tp_free = PyObject_Free,
};

PyTypeObject *const float_types[] = {&PyFloat_Type, NULL};
