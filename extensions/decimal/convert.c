/* Making decimal numbers of other objects, and other objects of decimal numbers. */
#include "extensions/decimal/decimal.h"

#include <math.h>

/* ---- making ---------------------------------------------------------------------------------- */

struct number *number_make(PyTypeObject *type)
{
    struct number *self = type_make(type);
    if (self != NULL) {
        self->hash = -1;
        self->mpd.flags = MPD_STATIC | MPD_STATIC_DATA;
        self->mpd.alloc = INLINE_WORDS;
        self->mpd.data = self->words;
    }
    return self;
}

/* The end of every conversion: signals what happened; no number if that is trapped. */
static PyObject *number_finish(struct number *self, struct decimal_state *state,
                               struct context *context, uint32_t status)
{
    if (self != NULL && context_signal(state, context, status) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

/* An exact conversion that could not be exact has failed. */
static uint32_t exact_status(struct number *self, uint32_t status)
{
    if (status & (MPD_Inexact | MPD_Rounded | MPD_Clamped)) {
        mpd_seterror(&self->mpd, MPD_Invalid_operation, &status);
    }
    return status & MPD_Errors;
}

PyObject *number_from_ssize(PyTypeObject *type, Py_ssize_t value)
{
    struct number *self = number_make(type);
    if (self != NULL) {
        uint32_t status = 0;
        mpd_qset_i64_exact(&self->mpd, value, &status);
    }
    return (PyObject *)self;
}

/* Whether rounding would not change a number. */
static bool fits(const mpd_t *mpd, const mpd_context_t *context)
{
    return !mpd_isspecial(mpd) && mpd->digits <= context->prec && mpd->exp > mpd_etiny(context)
           && mpd->exp <= mpd_etop(context) && mpd_adjexp(mpd) <= context->emax
           && mpd_adjexp(mpd) >= context->emin;
}

static PyObject *number_from_number(struct decimal_state *state, PyTypeObject *type,
                                    PyObject *value, struct context *context, bool exact)
{
    const mpd_t *from = MPD(value);
    uint32_t status = 0;
    if (type == state->number_type && Py_IS_TYPE(value, type)
        && (exact || fits(from, &context->mpd))) {
        return Py_NewRef(value);
    }
    struct number *self = number_make(type);
    if (self == NULL) {
        return NULL;
    }
    if (!exact && mpd_isnan(from) && from->digits > context->mpd.prec - context->mpd.clamp) {
        mpd_setspecial(&self->mpd, MPD_POS, MPD_NAN); /* no room for the payload */
        return number_finish(self, state, context, MPD_Conversion_syntax);
    }
    if (!mpd_qcopy(&self->mpd, from, &status)) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    if (!exact) {
        mpd_qfinalize(&self->mpd, &context->mpd, &status);
    }
    return number_finish(self, state, context, status);
}

/* ---- ints ------------------------------------------------------------------------------------ */

static void set_big_int(mpd_t *mpd, PyObject *value, const mpd_context_t *context, uint32_t *status)
{
    const struct _PyLongValue *digits = &((PyLongObject *)value)->long_value;
    mpd_qimport_u32(mpd, digits->ob_digit, digits->lv_tag >> 3,
                    _PyLong_Sign(value) < 0 ? MPD_NEG : MPD_POS, (uint32_t)1 << PyLong_SHIFT,
                    context, status);
}

PyObject *number_from_int(PyTypeObject *type, PyObject *value, struct decimal_state *state,
                          struct context *context, bool exact)
{
    struct number *self = number_make(type);
    if (self == NULL) {
        return NULL;
    }
    mpd_context_t widest;
    uint32_t status = 0;
    mpd_maxcontext(&widest);
    const mpd_context_t *how = exact ? &widest : &context->mpd;
    if (PyUnstable_Long_IsCompact((PyLongObject *)value)) {
        mpd_qset_ssize(&self->mpd, PyUnstable_Long_CompactValue((PyLongObject *)value), how,
                       &status);
    } else {
        set_big_int(&self->mpd, value, how, &status);
    }
    if (exact) {
        status = exact_status(self, status);
    }
    return number_finish(self, state, context, status);
}

int operand_take(struct operand *operand, struct decimal_state *state, PyObject *op)
{
    if (is_number(state, op)) {
        operand->mpd = MPD(op);
        operand->owned = NULL;
        return 1;
    }
    if (!PyLong_Check(op)) {
        return 0;
    }
    uint32_t status = 0;
    if (PyUnstable_Long_IsCompact((PyLongObject *)op)) {
        operand->local = (mpd_t){
            .flags = MPD_STATIC | MPD_STATIC_DATA, .alloc = INLINE_WORDS, .data = operand->words};
        operand->owned = NULL;
        operand->mpd = &operand->local;
        mpd_qset_i64_exact(&operand->local, PyUnstable_Long_CompactValue((PyLongObject *)op),
                           &status);
        return 1;
    }
    mpd_context_t widest;
    mpd_maxcontext(&widest);
    struct number *number = number_make(state->number_type);
    if (number == NULL) {
        return -1;
    }
    set_big_int(&number->mpd, op, &widest, &status);
    if (status & MPD_Malloc_error) {
        Py_DECREF(number);
        PyErr_NoMemory();
        return -1;
    }
    operand->owned = (PyObject *)number;
    operand->mpd = &number->mpd;
    return 1;
}

bool operand_require(struct operand *operand, struct decimal_state *state, PyObject *op)
{
    int rc = operand_take(operand, state, op);
    if (rc == 0) {
        PyErr_Format(PyExc_TypeError, "conversion from %s to Decimal is not supported",
                     Py_TYPE(op)->tp_name);
    }
    return rc > 0;
}

static PyObject *int_from_words(const mpd_t *mpd)
{
    uint32_t *digits = NULL, status = 0;
    size_t count = mpd_qexport_u32(&digits, 0, (uint32_t)1 << PyLong_SHIFT, mpd, &status);
    if (count == SIZE_MAX) {
        return PyErr_NoMemory();
    }
    PyObject *result =
        (PyObject *)_PyLong_FromDigits(mpd_isnegative(mpd), (Py_ssize_t)count, digits);
    mpd_free(digits);
    return result;
}

PyObject *number_to_int(struct decimal_state *state, PyObject *op, struct context *context,
                        int rounding)
{
    const mpd_t *mpd = MPD(op);
    if (mpd_isspecial(mpd)) {
        if (mpd_isnan(mpd)) {
            PyErr_SetString(PyExc_ValueError, "cannot convert NaN to integer");
        } else {
            PyErr_SetString(PyExc_OverflowError, "cannot convert Infinity to integer");
        }
        return NULL;
    }
    mpd_context_t how = context->mpd;
    uint32_t status = 0;
    struct number *whole = number_make(state->number_type);
    if (whole == NULL) {
        return NULL;
    }
    how.round = rounding;
    mpd_qround_to_int(&whole->mpd, mpd, &how, &status);
    PyObject *result = NULL;
    if (context_signal(state, context, status) == 0) {
        status = 0;
        int64_t small = mpd_qget_i64(&whole->mpd, &status);
        result = status == 0 ? PyLong_FromLongLong(small) : int_from_words(&whole->mpd);
    }
    Py_DECREF(whole);
    return result;
}

/* ---- floats ---------------------------------------------------------------------------------- */

/* mpd *= 5**power, exactly. */
static void multiply_by_power_of_5(mpd_t *mpd, unsigned power, uint32_t *status)
{
    mpd_context_t widest;
    mpd_maxcontext(&widest);
    mpd_t *base = mpd_qnew();
    if (base == NULL) {
        *status |= MPD_Malloc_error;
        return;
    }
    mpd_qset_u32(base, 5, &widest, status);
    for (; power != 0; power >>= 1) {
        if (power & 1) {
            mpd_qmul(mpd, mpd, base, &widest, status);
        }
        if (power > 1) {
            mpd_qmul(base, base, base, &widest, status);
        }
    }
    mpd_del(base);
}

/* Every float is an integer times a power of two; 2**-k is 5**k * 10**-k. */
static void set_finite_double(mpd_t *mpd, double value, uint32_t *status)
{
    mpd_context_t widest;
    int exponent;
    mpd_maxcontext(&widest);
    int64_t mantissa = (int64_t)ldexp(frexp(value, &exponent), 53);
    exponent -= 53;
    while (mantissa != 0 && (mantissa & 1) == 0 && exponent < 0) {
        mantissa /= 2;
        exponent++;
    }
    if (mantissa == 0) {
        exponent = 0;
    }
    mpd_qset_i64(mpd, mantissa, &widest, status);
    if (exponent < 0) {
        multiply_by_power_of_5(mpd, (unsigned)-exponent, status);
        mpd->exp = exponent;
    }
    for (; exponent > 0; exponent -= 62) {
        mpd_qmul_i64(mpd, mpd, (int64_t)1 << (exponent < 62 ? exponent : 62), &widest, status);
    }
    mpd_set_sign(mpd, signbit(value) ? MPD_NEG : MPD_POS);
}

PyObject *number_from_double(PyTypeObject *type, double value, struct decimal_state *state,
                             struct context *context, bool exact)
{
    struct number *self = number_make(type);
    uint32_t status = 0;
    if (self == NULL) {
        return NULL;
    }
    if (isfinite(value)) {
        set_finite_double(&self->mpd, value, &status);
        status = exact_status(self, status);
    } else {
        mpd_setspecial(&self->mpd, !isnan(value) && value < 0 ? MPD_NEG : MPD_POS,
                       isnan(value) ? MPD_NAN : MPD_INF);
    }
    if (!exact) {
        mpd_qfinalize(&self->mpd, &context->mpd, &status);
    }
    return number_finish(self, state, context, status);
}

/* A coefficient of at most 53 bits times or by a small power of ten is one correct rounding. */
static bool to_double_fast(const mpd_t *mpd, double *out)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (mpd->digits > 15 || mpd->exp > 22 || mpd->exp < -22) {
        return false;
    }
    double value = (double)mpd->data[0];
    value = mpd->exp < 0 ? value / powers[-mpd->exp] : value * powers[mpd->exp];
    *out = mpd_isnegative(mpd) ? -value : value;
    return true;
}

PyObject *number_to_float(PyObject *op)
{
    const mpd_t *mpd = MPD(op);
    double value;
    if (mpd_isnan(mpd)) {
        if (mpd_issnan(mpd)) {
            PyErr_SetString(PyExc_ValueError, "cannot convert signaling NaN to float");
            return NULL;
        }
        return PyFloat_FromDouble(mpd_isnegative(mpd) ? -(double)NAN : (double)NAN);
    }
    if (mpd_isinfinite(mpd)) {
        return PyFloat_FromDouble(mpd_isnegative(mpd) ? -INFINITY : INFINITY);
    }
    if (to_double_fast(mpd, &value)) {
        return PyFloat_FromDouble(value);
    }
    PyObject *text = number_to_str(op, true, false);
    PyObject *result = text ? PyFloat_FromString(text) : NULL;
    Py_XDECREF(text);
    return result;
}

/* ---- text ------------------------------------------------------------------------------------ */

/* The text in ASCII, to be freed: digits of all scripts become ours, what cannot be part of a
 * number ends it.  Lenient: without spaces around it, and underscores.  NULL with MemoryError. */
static char *text_to_ascii(PyObject *text, bool lenient)
{
    Py_ssize_t start = 0, end = PyUnicode_GET_LENGTH(text);
    char *ascii = PyMem_Malloc((size_t)end + 1), *at = ascii;
    if (ascii == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    if (lenient) {
        while (start < end && Py_UNICODE_ISSPACE(PyUnicode_READ_CHAR(text, start))) {
            start++;
        }
        while (start < end && Py_UNICODE_ISSPACE(PyUnicode_READ_CHAR(text, end - 1))) {
            end--;
        }
    }
    for (Py_ssize_t i = start; i < end; i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(text, i);
        if (lenient && c == '_') {
            continue;
        }
        int digit = c < 128 ? -1 : Py_UNICODE_TODECIMAL(c);
        if (c == 0 || (c >= 128 && digit < 0)) { /* not a number at all */
            at = ascii;
            break;
        }
        *at++ = (char)(digit >= 0 ? '0' + digit : (int)c);
    }
    *at = '\0';
    return ascii;
}

static PyObject *number_from_ascii(PyTypeObject *type, const char *text,
                                   struct decimal_state *state, struct context *context, bool exact)
{
    struct number *self = number_make(type);
    uint32_t status = 0;
    if (self == NULL) {
        return NULL;
    }
    if (exact) {
        mpd_qset_string_exact(&self->mpd, text, &status);
        status = exact_status(self, status);
    } else {
        mpd_qset_string(&self->mpd, text, &context->mpd, &status);
    }
    return number_finish(self, state, context, status);
}

static PyObject *number_from_text(PyTypeObject *type, PyObject *value, struct decimal_state *state,
                                  struct context *context, bool exact)
{
    char *ascii = text_to_ascii(value, exact);
    PyObject *self = ascii ? number_from_ascii(type, ascii, state, context, exact) : NULL;
    PyMem_Free(ascii);
    return self;
}

PyObject *number_to_str(PyObject *op, bool capitals, bool engineering)
{
    char *text;
    mpd_ssize_t size = (engineering ? mpd_to_eng_size : mpd_to_sci_size)(&text, MPD(op), capitals);
    if (size < 0) {
        return PyErr_NoMemory();
    }
    PyObject *result = PyUnicode_FromStringAndSize(text, size);
    mpd_free(text);
    return result;
}

/* ---- tuples ---------------------------------------------------------------------------------- */

static PyObject *raise_value(const char *text)
{
    PyErr_SetString(PyExc_ValueError, text);
    return NULL;
}

static bool sign_read(PyObject *item, int *sign)
{
    if (PyLong_Check(item)) {
        long value = PyLong_AsLong(item);
        PyErr_Clear();
        *sign = (int)value;
        if (value == 0 || value == 1) {
            return true;
        }
    }
    raise_value("sign must be an integer with the value 0 or 1");
    return false;
}

/* The third item: "", "Inf", "NaN" or "sNaN", and the exponent for the first. */
static const char *exponent_read(PyObject *item, Py_ssize_t *exponent)
{
    if (PyUnicode_Check(item)) {
        if (PyUnicode_EqualToUTF8(item, "F")) {
            return "Inf";
        }
        if (PyUnicode_EqualToUTF8(item, "n")) {
            return "NaN";
        }
        if (PyUnicode_EqualToUTF8(item, "N")) {
            return "sNaN";
        }
        raise_value("string argument in the third position must be 'F', 'n' or 'N'");
        return NULL;
    }
    if (!PyLong_Check(item)) {
        raise_value("exponent must be an integer");
        return NULL;
    }
    *exponent = PyLong_AsSsize_t(item);
    return *exponent == -1 && PyErr_Occurred() ? NULL : "";
}

/* Writes the digits; false with ValueError. */
static bool digits_put(char *at, PyObject *digits)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(digits); i++) {
        PyObject *item = PyTuple_GET_ITEM(digits, i);
        long digit = PyLong_Check(item) ? PyLong_AsLong(item) : -1;
        if (digit < 0 || digit > 9) {
            PyErr_Clear();
            raise_value("coefficient must be a tuple of digits");
            return false;
        }
        *at++ = (char)('0' + digit);
    }
    *at = '\0';
    return true;
}

/* The items of a tuple as text, to be freed. */
static char *tuple_to_text(PyObject *tuple, PyObject *digits)
{
    int sign;
    Py_ssize_t exponent = 0;
    if (!sign_read(PyTuple_GET_ITEM(tuple, 0), &sign)) {
        return NULL;
    }
    const char *special = exponent_read(PyTuple_GET_ITEM(tuple, 2), &exponent);
    if (special == NULL) {
        return NULL;
    }
    bool infinite = *special == 'I';
    Py_ssize_t count = infinite ? 0 : PyTuple_GET_SIZE(digits);
    char *text = PyMem_Malloc((size_t)count + 40);
    if (text == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    char *at = text + sprintf(text, "%s%s", sign ? "-" : "", special);
    if (!infinite) {
        if (!digits_put(at, digits)) {
            PyMem_Free(text);
            return NULL;
        }
        at += count;
        if (*special == '\0') {
            sprintf(at, "%sE%zd", count ? "" : "0", exponent);
        }
    }
    return text;
}

/* The coefficient as a tuple: new reference. */
static PyObject *coefficient_of(PyObject *tuple)
{
    if (PyTuple_GET_SIZE(tuple) != 3) {
        return raise_value("argument must be a sequence of length 3");
    }
    PyObject *digits = PyTuple_GET_ITEM(tuple, 1);
    if (PyList_Check(digits)) {
        return PyList_AsTuple(digits);
    }
    if (!PyTuple_Check(digits)) {
        PyObject *last = PyTuple_GET_ITEM(tuple, 2);
        if (PyUnicode_Check(last) && PyUnicode_EqualToUTF8(last, "F")) {
            return PyTuple_New(0); /* infinity has none */
        }
        return raise_value("coefficient must be a tuple of digits");
    }
    return Py_NewRef(digits);
}

static PyObject *number_from_tuple(PyTypeObject *type, PyObject *value, struct decimal_state *state,
                                   struct context *context, bool exact)
{
    PyObject *tuple = PySequence_Tuple(value);
    PyObject *digits = tuple ? coefficient_of(tuple) : NULL;
    char *text = digits ? tuple_to_text(tuple, digits) : NULL;
    PyObject *self = text ? number_from_ascii(type, text, state, context, exact) : NULL;
    PyMem_Free(text);
    Py_XDECREF(digits);
    Py_XDECREF(tuple);
    return self;
}

/* The digits of the coefficient, or of the payload of a NaN. */
static PyObject *digits_of(const mpd_t *mpd)
{
    if (mpd_isinfinite(mpd)) {
        return Py_BuildValue("(i)", 0);
    }
    if (mpd->len == 0) {
        return PyTuple_New(0);
    }
    PyObject *digits = PyTuple_New(mpd->digits);
    mpd_ssize_t at = mpd->digits;
    for (mpd_ssize_t i = 0; digits != NULL && at > 0; i++) {
        mpd_uint_t word = mpd->data[i];
        for (int j = 0; j < MPD_RDIGITS && at > 0; j++) {
            PyTuple_SET_ITEM(digits, --at, PyLong_FromLong((long)(word % 10)));
            word /= 10;
        }
    }
    return digits;
}

PyObject *number_to_tuple(struct decimal_state *state, PyObject *op)
{
    const mpd_t *mpd = MPD(op);
    PyObject *exponent = mpd_isinfinite(mpd) ? PyUnicode_FromString("F")
                         : mpd_isqnan(mpd)   ? PyUnicode_FromString("n")
                         : mpd_issnan(mpd)   ? PyUnicode_FromString("N")
                                             : PyLong_FromSsize_t(mpd->exp);
    PyObject *digits = exponent ? digits_of(mpd) : NULL;
    PyObject *result =
        digits ? PyObject_CallFunction(state->tuple, "iOO", mpd_sign(mpd), digits, exponent) : NULL;
    Py_XDECREF(exponent);
    Py_XDECREF(digits);
    return result;
}

/* 10**exponent. */
static PyObject *power_of_ten(mpd_ssize_t exponent)
{
    PyObject *ten = PyLong_FromLong(10);
    PyObject *power = ten ? PyLong_FromSsize_t(exponent) : NULL;
    PyObject *result = power ? PyNumber_Power(ten, power, Py_None) : NULL;
    Py_XDECREF(ten);
    Py_XDECREF(power);
    return result;
}

/* Divides both by their greatest common divisor: a pair. */
static PyObject *ratio_reduced(PyObject *up, PyObject *down)
{
    PyObject *math = PyImport_ImportModule("math"), *result = NULL;
    PyObject *common = math ? PyObject_CallMethod(math, "gcd", "OO", up, down) : NULL;
    Py_XDECREF(math);
    if (common != NULL) {
        PyObject *a = PyNumber_FloorDivide(up, common);
        PyObject *b = a ? PyNumber_FloorDivide(down, common) : NULL;
        result = b ? PyTuple_Pack(2, a, b) : NULL;
        Py_XDECREF(a);
        Py_XDECREF(b);
        Py_DECREF(common);
    }
    return result;
}

PyObject *number_to_ratio(struct decimal_state *state, PyObject *op, struct context *context)
{
    const mpd_t *mpd = MPD(op);
    if (mpd_isspecial(mpd)) {
        if (mpd_isnan(mpd)) {
            return raise_value("cannot convert NaN to integer ratio");
        }
        PyErr_SetString(PyExc_OverflowError, "cannot convert Infinity to integer ratio");
        return NULL;
    }
    mpd_ssize_t exponent = mpd_iszero(mpd) ? 0 : mpd->exp;
    struct number *whole = number_make(state->number_type);
    uint32_t status = 0;
    if (whole == NULL) {
        return NULL;
    }
    if (!mpd_qcopy(&whole->mpd, mpd, &status)) {
        Py_DECREF(whole);
        return PyErr_NoMemory();
    }
    whole->mpd.exp = 0;
    PyObject *up = number_to_int(state, (PyObject *)whole, context, MPD_ROUND_DOWN);
    PyObject *scale = up ? power_of_ten(exponent < 0 ? -exponent : exponent) : NULL;
    PyObject *result = NULL;
    Py_DECREF(whole);
    if (scale != NULL && exponent >= 0) {
        Py_SETREF(up, PyNumber_Multiply(up, scale));
        result = up ? Py_BuildValue("Oi", up, 1) : NULL;
    } else if (scale != NULL) {
        result = ratio_reduced(up, scale);
    }
    Py_XDECREF(up);
    Py_XDECREF(scale);
    return result;
}

/* ---- anything -------------------------------------------------------------------------------- */

PyObject *number_from_object(struct decimal_state *state, PyTypeObject *type, PyObject *value,
                             struct context *context, bool exact)
{
    if (is_number(state, value)) {
        return number_from_number(state, type, value, context, exact);
    }
    if (PyUnicode_Check(value)) {
        return number_from_text(type, value, state, context, exact);
    }
    if (PyLong_Check(value)) {
        return number_from_int(type, value, state, context, exact);
    }
    if (PyTuple_Check(value) || PyList_Check(value)) {
        return number_from_tuple(type, value, state, context, exact);
    }
    if (PyFloat_Check(value)) {
        if (context_signal(state, context, FLOAT_OPERATION) < 0) {
            return NULL;
        }
        return number_from_double(type, PyFloat_AS_DOUBLE(value), state, context, exact);
    }
    PyErr_Format(PyExc_TypeError, "conversion from %s to Decimal is not supported",
                 Py_TYPE(value)->tp_name);
    return NULL;
}
