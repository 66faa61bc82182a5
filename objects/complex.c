/*
 * complex: arithmetic, text, and the type.
 */
#include "objects/birth.h"
#include "objects/float.h"
#include "objects/int.h"
#include "objects/object.h"
#include "objects/str.h"
#include <errno.h>
#include <math.h>

/* ---- making ---------------------------------------------------------------------------------- */

PyObject *PyComplex_FromCComplex(Py_complex value)
{
    PyComplexObject *op =
        (PyComplexObject *)birth_of_atom(&PyComplex_Type, sizeof(PyComplexObject));
    if (op != NULL) {
        op->cval = value;
    }
    return (PyObject *)op;
}

PyObject *PyComplex_FromDoubles(double real, double imag)
{
    return PyComplex_FromCComplex((Py_complex){real, imag});
}

/* ---- arithmetic, as public functions --------------------------------------------------------- */

Py_complex _Py_c_sum(Py_complex a, Py_complex b)
{
    return (Py_complex){a.real + b.real, a.imag + b.imag};
}

Py_complex _Py_c_diff(Py_complex a, Py_complex b)
{
    return (Py_complex){a.real - b.real, a.imag - b.imag};
}

Py_complex _Py_c_neg(Py_complex a)
{
    return (Py_complex){-a.real, -a.imag};
}

Py_complex _Py_c_prod(Py_complex a, Py_complex b)
{
    return (Py_complex){a.real * b.real - a.imag * b.imag, a.real * b.imag + a.imag * b.real};
}

/* Smith's division: by the larger part first, so that nothing overflows on the way. */
Py_complex _Py_c_quot(Py_complex a, Py_complex b)
{
    double size_real = fabs(b.real), size_imag = fabs(b.imag);
    if (size_real >= size_imag) {
        if (size_real == 0.0) {
            errno = EDOM;
            return (Py_complex){0.0, 0.0};
        }
        double ratio = b.imag / b.real, denominator = b.real + b.imag * ratio;
        return (Py_complex){(a.real + a.imag * ratio) / denominator,
                            (a.imag - a.real * ratio) / denominator};
    }
    if (size_imag >= size_real) {
        double ratio = b.real / b.imag, denominator = b.real * ratio + b.imag;
        return (Py_complex){(a.real * ratio + a.imag) / denominator,
                            (a.imag * ratio - a.real) / denominator};
    }
    return (Py_complex){NAN, NAN};
}

Py_complex _Py_c_pow(Py_complex a, Py_complex b)
{
    if (b.real == 0.0 && b.imag == 0.0) {
        return (Py_complex){1.0, 0.0};
    }
    if (a.real == 0.0 && a.imag == 0.0) {
        if (b.imag != 0.0 || b.real < 0.0) {
            errno = EDOM;
        }
        return (Py_complex){0.0, 0.0};
    }
    double size = hypot(a.real, a.imag), angle = atan2(a.imag, a.real);
    double length = pow(size, b.real), phase = angle * b.real;
    if (b.imag != 0.0) {
        length *= exp(-angle * b.imag);
        phase += b.imag * log(size);
    }
    Py_complex power = {length * cos(phase), length * sin(phase)};
    /* What pow() and exp() said of an underflow is no error. */
    errno = isinf(power.real) || isinf(power.imag) ? ERANGE : 0;
    return power;
}

double _Py_c_abs(Py_complex a)
{
    if (!isfinite(a.real) || !isfinite(a.imag)) {
        errno = 0;
        return isinf(a.real) || isinf(a.imag) ? INFINITY : NAN;
    }
    double size = hypot(a.real, a.imag);
    errno = isfinite(size) ? 0 : ERANGE;
    return size;
}

/* Small integral powers by multiplication: exact where they can be. */
static Py_complex power_integral(Py_complex a, long n)
{
    Py_complex result = {1.0, 0.0}, factor = a;
    for (unsigned long left = n < 0 ? -(unsigned long)n : (unsigned long)n; left != 0; left >>= 1) {
        if (left & 1) {
            result = _Py_c_prod(result, factor);
        }
        factor = _Py_c_prod(factor, factor);
    }
    return n < 0 ? _Py_c_quot((Py_complex){1.0, 0.0}, result) : result;
}

/* ---- from objects ---------------------------------------------------------------------------- */

/* What __complex__ gives: 1 and the value; 0 without such a method; -1. */
static int from_complex_method(PyObject *op, Py_complex *value)
{
    PyObject *method = object_lookup_special(op, ID(__complex__));
    if (method == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    PyObject *result = PyObject_CallNoArgs(method);
    Py_DECREF(method);
    if (result == NULL) {
        return -1;
    }
    if (!PyComplex_Check(result)) {
        PyErr_Format(PyExc_TypeError, "__complex__ returned non-complex (type %.200s)",
                     Py_TYPE(result)->tp_name);
        Py_DECREF(result);
        return -1;
    }
    if (!PyComplex_CheckExact(result)
        && PyErr_WarnFormat(
               PyExc_DeprecationWarning, 1,
               "__complex__ returned non-complex (type %.200s).  The ability to return "
               "an instance of a strict subclass of complex is deprecated, and may not "
               "be supported in a future version of Python.",
               Py_TYPE(result)->tp_name)
               < 0) {
        Py_DECREF(result);
        return -1;
    }
    *value = ((PyComplexObject *)result)->cval;
    Py_DECREF(result);
    return 1;
}

Py_complex PyComplex_AsCComplex(PyObject *op)
{
    Py_complex value = {-1.0, 0.0};
    if (PyComplex_Check(op)) {
        return ((PyComplexObject *)op)->cval;
    }
    if (from_complex_method(op, &value) == 0) {
        value.imag = 0.0;
        value.real = PyFloat_AsDouble(op);
    }
    return value;
}

double PyComplex_RealAsDouble(PyObject *op)
{
    if (PyComplex_Check(op)) {
        return ((PyComplexObject *)op)->cval.real;
    }
    Py_complex value;
    int found = from_complex_method(op, &value);
    return found > 0 ? value.real : found < 0 ? -1.0 : PyFloat_AsDouble(op);
}

double PyComplex_ImagAsDouble(PyObject *op)
{
    if (PyComplex_Check(op)) {
        return ((PyComplexObject *)op)->cval.imag;
    }
    Py_complex value;
    int found = from_complex_method(op, &value);
    if (found == 0) {
        PyFloat_AsDouble(op);
        return PyErr_Occurred() ? -1.0 : 0.0;
    }
    return found > 0 ? value.imag : -1.0;
}

/* ---- slots ----------------------------------------------------------------------------------- */

static inline Py_complex value_of(PyObject *op)
{
    return ((PyComplexObject *)op)->cval;
}

/* An operand of arithmetic: 1; 0 when it is no number we know; -1 with OverflowError. */
static int operand(PyObject *op, Py_complex *value)
{
    value->imag = 0.0;
    if (PyComplex_Check(op)) {
        *value = value_of(op);
        return 1;
    }
    if (PyFloat_Check(op)) {
        value->real = float_value(op);
        return 1;
    }
    if (!PyLong_Check(op)) {
        return 0;
    }
    value->real = PyLong_AsDouble(op);
    return value->real == -1.0 && PyErr_Occurred() ? -1 : 1;
}

#define OPERANDS(a, b, x, y)                                                                       \
    Py_complex x, y;                                                                               \
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
    return PyComplex_FromCComplex(_Py_c_sum(x, y));
}

static PyObject *slot_subtract(PyObject *a, PyObject *b)
{
    OPERANDS(a, b, x, y)
    return PyComplex_FromCComplex(_Py_c_diff(x, y));
}

static PyObject *slot_multiply(PyObject *a, PyObject *b)
{
    OPERANDS(a, b, x, y)
    return PyComplex_FromCComplex(_Py_c_prod(x, y));
}

static PyObject *slot_divide(PyObject *a, PyObject *b)
{
    OPERANDS(a, b, x, y)
    errno = 0;
    Py_complex quotient = _Py_c_quot(x, y);
    if (errno == EDOM) {
        PyErr_SetString(PyExc_ZeroDivisionError, "complex division by zero");
        return NULL;
    }
    return PyComplex_FromCComplex(quotient);
}

static PyObject *slot_power(PyObject *a, PyObject *b, PyObject *modulus)
{
    OPERANDS(a, b, x, y)
    if (modulus != Py_None) {
        PyErr_SetString(PyExc_ValueError, "complex modulo");
        return NULL;
    }
    Py_complex power;
    errno = 0;
    if (y.imag == 0.0 && y.real == floor(y.real) && fabs(y.real) <= 100.0) {
        power = power_integral(x, (long)y.real);
        if (errno == 0 && (isinf(power.real) || isinf(power.imag))) {
            errno = ERANGE;
        }
    } else {
        power = _Py_c_pow(x, y);
    }
    if (errno == EDOM) {
        PyErr_SetString(PyExc_ZeroDivisionError, "0.0 to a negative or complex power");
        return NULL;
    }
    if (errno == ERANGE) {
        PyErr_SetString(PyExc_OverflowError, "complex exponentiation");
        return NULL;
    }
    return PyComplex_FromCComplex(power);
}

static PyObject *slot_negative(PyObject *op)
{
    return PyComplex_FromCComplex(_Py_c_neg(value_of(op)));
}

static PyObject *slot_positive(PyObject *op)
{
    return PyComplex_CheckExact(op) ? Py_NewRef(op) : PyComplex_FromCComplex(value_of(op));
}

static PyObject *slot_absolute(PyObject *op)
{
    double size = _Py_c_abs(value_of(op));
    if (errno == ERANGE) {
        PyErr_SetString(PyExc_OverflowError, "absolute value too large");
        return NULL;
    }
    return float_new(size);
}

static int slot_bool(PyObject *op)
{
    return value_of(op).real != 0.0 || value_of(op).imag != 0.0;
}

static Py_hash_t slot_hash(PyObject *op)
{
    uint64_t real = (uint64_t)float_hash(op, value_of(op).real);
    uint64_t imag = (uint64_t)float_hash(op, value_of(op).imag);
    Py_hash_t hash = (Py_hash_t)(real + 1000003u * imag);
    return hash == -1 ? -2 : hash;
}

static PyObject *slot_richcompare(PyObject *a, PyObject *b, int operation)
{
    if (operation != Py_EQ && operation != Py_NE) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    Py_complex x = value_of(a);
    bool equal;
    if (PyComplex_Check(b)) {
        equal = x.real == value_of(b).real && x.imag == value_of(b).imag;
    } else if (PyFloat_Check(b)) {
        equal = x.imag == 0.0 && x.real == float_value(b);
    } else if (PyLong_Check(b)) {
        equal = x.imag == 0.0 && float_compare_int(x.real, (PyLongObject *)b) == 0;
    } else {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return PyBool_FromLong(equal == (operation == Py_EQ));
}

/* A part as repr shows it: integral values without ".0". */
static char *part_text(double value, bool sign)
{
    return PyOS_double_to_string(value, 'r', 0, sign ? Py_DTSF_SIGN : 0, NULL);
}

static PyObject *slot_repr(PyObject *op)
{
    Py_complex value = value_of(op);
    PyObject *text = NULL;
    if (value.real == 0.0 && !signbit(value.real)) {
        char *imag = part_text(value.imag, false);
        text = imag == NULL ? NULL : PyUnicode_FromFormat("%sj", imag);
        PyMem_Free(imag);
        return text;
    }
    char *real = part_text(value.real, false);
    char *imag = real == NULL ? NULL : part_text(value.imag, true);
    if (imag != NULL) {
        text = PyUnicode_FromFormat("(%s%sj)", real, imag);
    }
    PyMem_Free(real);
    PyMem_Free(imag);
    return text;
}

static void slot_dealloc(PyObject *op)
{
    Py_TYPE(op)->tp_free(op);
}

/* ---- from text ------------------------------------------------------------------------------- */

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && Py_ISSPACE(Py_CHARMASK(*at))) {
        at++;
    }
    return at;
}

/* A float at *at, if there is one. */
static bool read_float(const char **at, const char *end, double *value)
{
    const char *stop;
    *value = float_parse(*at, (size_t)(end - *at), &stop);
    bool found = stop != *at;
    *at = stop;
    return found;
}

static bool is_j(const char *at, const char *end)
{
    return at < end && (*at | 0x20) == 'j';
}

/* A bare sign before j, or j alone, counts as one: 'j', '-j'. */
static double read_unit(const char **at, const char *end)
{
    double unit = *at < end && **at == '-' ? -1.0 : 1.0;
    *at += *at < end && (**at == '-' || **at == '+');
    return unit;
}

/* real, imagj or real+imagj, with or without parentheses. */
static bool parse(const char *at, const char *end, Py_complex *value)
{
    *value = (Py_complex){0.0, 0.0};
    at = skip_space(at, end);
    bool bracket = at < end && *at == '(';
    if (bracket) {
        at = skip_space(at + 1, end);
    }
    double first;
    if (read_float(&at, end, &first)) {
        if (at < end && (*at == '+' || *at == '-')) {
            value->real = first;
            if (!read_float(&at, end, &value->imag)) {
                value->imag = read_unit(&at, end);
            }
            if (!is_j(at, end)) {
                return false;
            }
            at++;
        } else if (is_j(at, end)) {
            value->imag = first;
            at++;
        } else {
            value->real = first;
        }
    } else {
        value->imag = read_unit(&at, end);
        if (!is_j(at, end)) {
            return false;
        }
        at++;
    }
    at = skip_space(at, end);
    if (bracket) {
        if (at >= end || *at != ')') {
            return false;
        }
        at = skip_space(at + 1, end);
    }
    return at == end;
}

/* Underscores may stand between digits only. Drops them in place; false for any other. */
static bool drop_underscores(char *text, Py_ssize_t *n)
{
    char *to = text;
    for (Py_ssize_t i = 0; i < *n; i++) {
        if (text[i] != '_') {
            continue;
        }
        if (i == 0 || i + 1 == *n || !Py_ISDIGIT(Py_CHARMASK(text[i - 1]))
            || !Py_ISDIGIT(Py_CHARMASK(text[i + 1]))) {
            return false;
        }
    }
    for (Py_ssize_t i = 0; i < *n; i++) {
        if (text[i] != '_') {
            *to++ = text[i];
        }
    }
    *n = to - text;
    return true;
}

static int from_text(PyObject *text, Py_complex *value)
{
    PyObject *ascii = str_digits_to_ascii(text);
    if (ascii == NULL) {
        return -1;
    }
    Py_ssize_t n = str_len(ascii);
    char *copy = PyMem_Malloc((size_t)n + 1);
    if (copy == NULL) {
        Py_DECREF(ascii);
        PyErr_NoMemory();
        return -1;
    }
    memcpy(copy, str_data(ascii), (size_t)n);
    Py_DECREF(ascii);
    bool good = drop_underscores(copy, &n) && parse(copy, copy + n, value);
    PyMem_Free(copy);
    if (!good) {
        PyErr_SetString(PyExc_ValueError, "complex() arg is a malformed string");
        return -1;
    }
    return 0;
}

/* ---- complex() ------------------------------------------------------------------------------- */

static PyObject *new_of(PyTypeObject *type, Py_complex value)
{
    if (type == &PyComplex_Type) {
        return PyComplex_FromCComplex(value);
    }
    PyComplexObject *self = (PyComplexObject *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->cval = value;
    }
    return (PyObject *)self;
}

static bool is_number(PyObject *op)
{
    PyNumberMethods *number = Py_TYPE(op)->tp_as_number;
    return number != NULL && (number->nb_float != NULL || number->nb_index != NULL);
}

/* The value of an argument; *is_complex tells whether it had an imaginary part of its own. */
static int argument(PyObject *op, const char *name, bool one, Py_complex *value, bool *is_complex)
{
    int found = 0;
    if (strcmp(name, "real") == 0 && !PyComplex_CheckExact(op)) {
        found = from_complex_method(op, value); /* a subclass may have its own */
    }
    if (found == 0 && PyComplex_Check(op)) {
        *value = value_of(op);
        found = 1;
    }
    *is_complex = found > 0;
    if (found != 0) {
        return found < 0 ? -1 : 0;
    }
    if (!is_number(op)) {
        if (one) {
            PyErr_Format(PyExc_TypeError,
                         "complex() first argument must be a string or a number, not '%.200s'",
                         Py_TYPE(op)->tp_name);
        } else {
            PyErr_Format(PyExc_TypeError, "complex() %s argument must be a number, not '%.200s'",
                         strcmp(name, "real") == 0 ? "first" : "second", Py_TYPE(op)->tp_name);
        }
        return -1;
    }
    value->imag = 0.0;
    value->real = PyFloat_AsDouble(op);
    return value->real == -1.0 && PyErr_Occurred() ? -1 : 0;
}

#include "complex.bind.h"

static PyObject *complex_new(PyTypeObject *type, PyObject *real, PyObject *imag)
{
    if (imag == NULL && real != NULL && PyComplex_CheckExact(real) && type == &PyComplex_Type) {
        return Py_NewRef(real);
    }
    Py_complex value = {0.0, 0.0}, second = {0.0, 0.0};
    bool first_complex = false, second_complex = false;
    if (real != NULL && PyUnicode_Check(real)) {
        if (imag != NULL) {
            PyErr_SetString(PyExc_TypeError,
                            "complex() can't take second arg if first is a string");
            return NULL;
        }
        return from_text(real, &value) < 0 ? NULL : new_of(type, value);
    }
    if (imag != NULL && PyUnicode_Check(imag)) {
        PyErr_SetString(PyExc_TypeError, "complex() second arg can't be a string");
        return NULL;
    }
    if (real != NULL && argument(real, "real", true, &value, &first_complex) < 0) {
        return NULL;
    }
    if (imag != NULL) {
        if (argument(imag, "imag", false, &second, &second_complex) < 0) {
            return NULL;
        }
        /* real + imag * 1j, signs of zeros kept where a part is not complex. */
        value.imag = first_complex ? value.imag + second.real : second.real;
        if (second_complex) {
            value.real -= second.imag;
        }
    }
    return new_of(type, value);
}

static PyObject *complex_conjugate(PyComplexObject *self)
{
    return PyComplex_FromDoubles(self->cval.real, -self->cval.imag);
}

static PyObject *complex_complex(PyComplexObject *self)
{
    return slot_positive((PyObject *)self);
}

static PyObject *complex_getnewargs(PyComplexObject *self)
{
    return Py_BuildValue("(dd)", self->cval.real, self->cval.imag);
}

static PyObject *complex_format(PyComplexObject *self, PyObject *format_spec)
{
    return format_complex((PyObject *)self, format_spec);
}

/* ---- the type -------------------------------------------------------------------------------- */

static PyNumberMethods complex_as_number = {
    .nb_add = slot_add,
    .nb_subtract = slot_subtract,
    .nb_multiply = slot_multiply,
    .nb_power = slot_power,
    .nb_negative = slot_negative,
    .nb_positive = slot_positive,
    .nb_absolute = slot_absolute,
    .nb_bool = slot_bool,
    .nb_true_divide = slot_divide,
};

PyTypeObject PyComplex_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "complex",
    .tp_basicsize = sizeof(PyComplexObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = complex_doc,
    .tp_dealloc = slot_dealloc,
    .tp_repr = slot_repr,
    .tp_hash = slot_hash,
    .tp_richcompare = slot_richcompare,
    .tp_as_number = &complex_as_number,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_methods = complex_methods,
    .tp_members = complex_members,
    .tp_new = bind_complex_new,
    .tp_free = PyObject_Free,
};

PyTypeObject *const complex_types[] = {&PyComplex_Type, NULL};
