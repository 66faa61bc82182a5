/*
 * int: from and to C's types and arrays of bytes (the C API).
 */
#include "objects/float.h"
#include "objects/int.h"
#include "objects/object.h"
#include <float.h>
#include <math.h>

/* ---- out of ints ----------------------------------------------------------------------------- */

/* The magnitude's low 64 bits; *more when there is something above them. */
static uint64_t low_bits(const PyLongObject *v, bool *more)
{
    Py_ssize_t n = int_ndigits(v);
    const digit *d = int_digits(v);
    uint64_t value = n > 0 ? d[0] : 0;
    value |= n > 1 ? (uint64_t)d[1] << 30 : 0;
    value |= n > 2 ? (uint64_t)d[2] << 60 : 0;
    *more = n > 3 || (n == 3 && d[2] >> 4 != 0);
    return value;
}

bool int_fits_i64(const PyLongObject *v, int64_t *value)
{
    if (int_is_compact(v)) {
        *value = int_compact_value(v);
        return true;
    }
    bool more;
    uint64_t magnitude = low_bits(v, &more);
    if (int_is_negative(v)) {
        *value = (int64_t)-magnitude;
        return !more && magnitude <= (uint64_t)1 << 63;
    }
    *value = (int64_t)magnitude;
    return !more && magnitude < (uint64_t)1 << 63;
}

bool int_fits_u64(const PyLongObject *v, uint64_t *value)
{
    bool more;
    *value = low_bits(v, &more);
    return !more && !int_is_negative(v);
}

/* An int for an argument of the C API: through __index__ if it is none. New reference. */
static PyLongObject *as_int(PyObject *op)
{
    if (op == NULL) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return PyLong_Check(op) ? (PyLongObject *)Py_NewRef(op) : (PyLongObject *)PyNumber_Index(op);
}

/* The value between low and high, or -1 with *overflow = -1 or 1 (0 when an exception is set). */
static int64_t as_signed(PyObject *op, int64_t low, int64_t high, int *overflow)
{
    *overflow = 0;
    PyLongObject *v = as_int(op);
    if (v == NULL) {
        return -1;
    }
    int64_t value;
    if (!int_fits_i64(v, &value) || value < low || value > high) {
        *overflow = int_sign(v);
        value = -1;
    }
    Py_DECREF(v);
    return value;
}

static int64_t as_signed_or_raise(PyObject *op, int64_t low, int64_t high, const char *message)
{
    int overflow;
    int64_t value = as_signed(op, low, high, &overflow);
    if (overflow != 0) {
        PyErr_SetString(PyExc_OverflowError, message);
    }
    return value;
}

long PyLong_AsLong(PyObject *op)
{
    return as_signed_or_raise(op, LONG_MIN, LONG_MAX, "Python int too large to convert to C long");
}

long PyLong_AsLongAndOverflow(PyObject *op, int *overflow)
{
    return as_signed(op, LONG_MIN, LONG_MAX, overflow);
}

long long PyLong_AsLongLong(PyObject *op)
{
    return as_signed_or_raise(op, LLONG_MIN, LLONG_MAX, "int too big to convert");
}

long long PyLong_AsLongLongAndOverflow(PyObject *op, int *overflow)
{
    return as_signed(op, LLONG_MIN, LLONG_MAX, overflow);
}

int PyLong_AsInt(PyObject *op)
{
    return (int)as_signed_or_raise(op, INT_MIN, INT_MAX,
                                   "Python int too large to convert to C int");
}

static bool check_int(PyObject *op)
{
    if (op == NULL) {
        PyErr_BadInternalCall();
        return false;
    }
    if (!PyLong_Check(op)) {
        PyErr_SetString(PyExc_TypeError, "an integer is required");
        return false;
    }
    return true;
}

Py_ssize_t PyLong_AsSsize_t(PyObject *op)
{
    return !check_int(op) ? -1
                          : as_signed_or_raise(op, PY_SSIZE_T_MIN, PY_SSIZE_T_MAX,
                                               "Python int too large to convert to C ssize_t");
}

static uint64_t as_unsigned(PyObject *op, const char *too_large)
{
    if (!check_int(op)) {
        return (uint64_t)-1;
    }
    PyLongObject *v = (PyLongObject *)op;
    uint64_t value;
    if (int_is_negative(v)) {
        PyErr_SetString(PyExc_OverflowError, "can't convert negative value to unsigned int");
        return (uint64_t)-1;
    }
    if (!int_fits_u64(v, &value)) {
        PyErr_SetString(PyExc_OverflowError, too_large);
        return (uint64_t)-1;
    }
    return value;
}

unsigned long PyLong_AsUnsignedLong(PyObject *op)
{
    return as_unsigned(op, "Python int too large to convert to C unsigned long");
}

size_t PyLong_AsSize_t(PyObject *op)
{
    return as_unsigned(op, "Python int too large to convert to C size_t");
}

unsigned long long PyLong_AsUnsignedLongLong(PyObject *op)
{
    return as_unsigned(op, "int too big to convert");
}

static uint64_t as_mask(PyObject *op)
{
    PyLongObject *v = as_int(op);
    if (v == NULL) {
        return (uint64_t)-1;
    }
    bool more;
    uint64_t value = low_bits(v, &more);
    value = int_is_negative(v) ? -value : value;
    Py_DECREF(v);
    return value;
}

unsigned long PyLong_AsUnsignedLongMask(PyObject *op)
{
    return as_mask(op);
}

unsigned long long PyLong_AsUnsignedLongLongMask(PyObject *op)
{
    return as_mask(op);
}

void *PyLong_AsVoidPtr(PyObject *op)
{
    if (!PyLong_Check(op)) {
        PyErr_SetString(PyExc_TypeError, "an integer is required");
        return NULL;
    }
    int64_t value;
    if (int_is_negative((PyLongObject *)op)) {
        value = PyLong_AsLong(op);
        return value == -1 && PyErr_Occurred() ? NULL : (void *)value;
    }
    unsigned long bits = PyLong_AsUnsignedLong(op);
    return bits == (unsigned long)-1 && PyErr_Occurred() ? NULL : (void *)bits;
}

double PyLong_AsDouble(PyObject *op)
{
    if (op == NULL) {
        PyErr_BadInternalCall();
        return -1.0;
    }
    if (!PyLong_Check(op)) {
        PyErr_SetString(PyExc_TypeError, "an integer is required");
        return -1.0;
    }
    PyLongObject *v = (PyLongObject *)op;
    if (int_is_compact(v)) {
        return (double)int_compact_value(v);
    }
    Py_ssize_t exponent;
    double m = int_frexp(v, &exponent);
    if (exponent > DBL_MAX_EXP) {
        PyErr_SetString(PyExc_OverflowError, "int too large to convert to float");
        return -1.0;
    }
    return ldexp(m, (int)exponent);
}

#undef PyUnstable_Long_IsCompact
#undef PyUnstable_Long_CompactValue

int PyUnstable_Long_IsCompact(const PyLongObject *v)
{
    return int_is_compact(v);
}

Py_ssize_t PyUnstable_Long_CompactValue(const PyLongObject *v)
{
    return int_compact_value(v);
}

int _PyLong_Sign(PyObject *op)
{
    return int_sign((PyLongObject *)op);
}

size_t _PyLong_NumBits(PyObject *op)
{
    return int_bit_length((PyLongObject *)op);
}

/* ---- into ints ------------------------------------------------------------------------------- */

PyObject *PyLong_FromLong(long value)
{
    return int_from_i64(value);
}

PyObject *PyLong_FromLongLong(long long value)
{
    return int_from_i64(value);
}

PyObject *PyLong_FromSsize_t(Py_ssize_t value)
{
    return int_from_i64(value);
}

PyObject *PyLong_FromUnsignedLong(unsigned long value)
{
    return int_from_u64(value);
}

PyObject *PyLong_FromUnsignedLongLong(unsigned long long value)
{
    return int_from_u64(value);
}

PyObject *PyLong_FromSize_t(size_t value)
{
    return int_from_u64(value);
}

PyObject *PyLong_FromVoidPtr(void *pointer)
{
    return int_from_u64((uint64_t)pointer);
}

PyObject *PyLong_FromDouble(double value)
{
    if (isinf(value)) {
        PyErr_SetString(PyExc_OverflowError, "cannot convert float infinity to integer");
        return NULL;
    }
    if (isnan(value)) {
        PyErr_SetString(PyExc_ValueError, "cannot convert float NaN to integer");
        return NULL;
    }
    if (value > -9.2e18 && value < 9.2e18) {
        return int_from_i64((int64_t)value);
    }
    int exponent;
    double m = frexp(fabs(value), &exponent);
    PyObject *mantissa = int_from_i64((int64_t)ldexp(m, DBL_MANT_DIG));
    if (mantissa == NULL) {
        return NULL;
    }
    size_t shift = (size_t)(exponent - DBL_MANT_DIG);
    PyObject *result = int_left_shift_by((PyLongObject *)mantissa, shift);
    Py_DECREF(mantissa);
    if (result != NULL && value < 0) {
        Py_SETREF(result, int_negate((PyLongObject *)result));
    }
    return result;
}

PyLongObject *_PyLong_New(Py_ssize_t ndigits)
{
    return int_alloc(ndigits);
}

PyLongObject *_PyLong_FromDigits(int negative, Py_ssize_t ndigits, digit *digits)
{
    PyLongObject *v = int_alloc(ndigits);
    if (v == NULL) {
        return NULL;
    }
    memcpy(v->long_value.ob_digit, digits, (size_t)ndigits * sizeof(digit));
    return (PyLongObject *)int_normalized(v, ndigits, negative);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

PyObject *_PyLong_FromByteArray(const unsigned char *bytes, size_t n, int little_endian,
                                int is_signed)
{
    if (n == 0) {
        return int_small(0);
    }
    /* The i-th byte from the least significant one. */
    const unsigned char *low = little_endian ? bytes : bytes + n - 1;
    Py_ssize_t step = little_endian ? 1 : -1;
    bool negative = is_signed && (low[(Py_ssize_t)(n - 1) * step] & 0x80);
    unsigned char skip = negative ? 0xff : 0;
    while (n > 0 && low[(Py_ssize_t)(n - 1) * step] == skip) {
        n--;
    }
    if (n > (size_t)(PY_SSIZE_T_MAX / 8 - INT_SHIFT)) {
        PyErr_SetString(PyExc_OverflowError, "byte array too long to convert to int");
        return NULL;
    }
    Py_ssize_t ndigits = ((Py_ssize_t)n * 8 + INT_SHIFT) / INT_SHIFT + 1, at = 0;
    PyLongObject *v = int_alloc(ndigits);
    if (v == NULL) {
        return NULL;
    }
    uint64_t pending = 0;
    int have = 0;
    unsigned carry = 1;
    for (size_t i = 0; i < n; i++) {
        unsigned byte = low[(Py_ssize_t)i * step];
        if (negative) {
            byte = (byte ^ 0xff) + carry;
            carry = byte >> 8;
            byte &= 0xff;
        }
        pending |= (uint64_t)byte << have;
        have += 8;
        if (have >= INT_SHIFT) {
            v->long_value.ob_digit[at++] = (digit)(pending & INT_MASK);
            pending >>= INT_SHIFT;
            have -= INT_SHIFT;
        }
    }
    if (negative) {
        pending += (uint64_t)carry << have;
    }
    while (at < ndigits) {
        v->long_value.ob_digit[at++] = (digit)(pending & INT_MASK);
        pending >>= INT_SHIFT;
    }
    return int_normalized(v, ndigits, negative);
}

/* The low n bytes in two's complement. True when the value fits: as an unsigned number, or with
 * is_signed as a signed one. */
static bool to_bytes(const PyLongObject *v, unsigned char *bytes, size_t n, bool little_endian,
                     bool is_signed)
{
    bool negative = int_is_negative(v);
    uint64_t pending = 0;
    int have = 0;
    unsigned carry = negative, last = 0;
    Py_ssize_t at = 0, ndigits = int_ndigits(v);
    for (size_t i = 0; i < n; i++) {
        if (have < 8) {
            digit d = at < ndigits ? int_digits(v)[at] : 0;
            at++;
            pending |= (uint64_t)d << have;
            have += INT_SHIFT;
        }
        unsigned byte = pending & 0xff;
        pending >>= 8;
        have -= 8;
        if (negative) {
            byte = (byte ^ 0xff) + carry;
            carry = byte >> 8;
            byte &= 0xff;
        }
        bytes[little_endian ? i : n - 1 - i] = (unsigned char)byte;
        last = byte;
    }
    size_t bits = int_bit_length(v);
    if (negative) {
        /* -2**k needs only k + 1 bits: then the sign bit tells. And no byte at all is -1, by old
         * custom. */
        if (n == 0) {
            return is_signed && bits == 1;
        }
        return is_signed && (bits < n * 8 || (bits == n * 8 && (last & 0x80)));
    }
    return bits <= n * 8 - (is_signed && n > 0 ? 1 : 0);
}

int _PyLong_AsByteArray(PyLongObject *v, unsigned char *bytes, size_t n, int little_endian,
                        int is_signed, int with_exceptions)
{
    if (int_is_negative(v) && !is_signed) {
        if (with_exceptions) {
            PyErr_SetString(PyExc_OverflowError, "can't convert negative int to unsigned");
        }
        return -1;
    }
    if (!to_bytes(v, bytes, n, little_endian, is_signed)) {
        if (with_exceptions) {
            PyErr_SetString(PyExc_OverflowError, "int too big to convert");
        }
        return -1;
    }
    return 0;
}

static bool flags_little_endian(int flags)
{
    /* -1, and 2 (native) without the little bit: the machine's own order. */
    return flags == -1 || (flags & 2) ? PY_LITTLE_ENDIAN : (flags & 1);
}

Py_ssize_t PyLong_AsNativeBytes(PyObject *op, void *buffer, Py_ssize_t n, int flags)
{
    if (op == NULL || n < 0) {
        PyErr_BadInternalCall();
        return -1;
    }
    PyLongObject *v;
    if (PyLong_Check(op)) {
        v = (PyLongObject *)Py_NewRef(op);
    } else if (flags != -1 && (flags & Py_ASNATIVEBYTES_ALLOW_INDEX)) {
        v = (PyLongObject *)PyNumber_Index(op);
    } else {
        PyErr_Format(PyExc_TypeError, "expect int, got %T", op);
        v = NULL;
    }
    if (v == NULL) {
        return -1;
    }
    if (flags != -1 && (flags & Py_ASNATIVEBYTES_REJECT_NEGATIVE) && int_is_negative(v)) {
        PyErr_SetString(PyExc_ValueError, "Cannot convert negative int");
        Py_DECREF(v);
        return -1;
    }
    if (n > 0) {
        to_bytes(v, buffer, (size_t)n, flags_little_endian(flags), true);
    }
    size_t bits = int_bit_length(v);
    bool small = int_ndigits(v) <= 1, negative = int_is_negative(v), lowest = negative;
    for (Py_ssize_t i = 0; lowest && i < int_ndigits(v);
         i++) { /* -2**n needs no bit for the sign */
        digit d = int_digits(v)[i];
        lowest = i + 1 < int_ndigits(v) ? d == 0 : (d & (d - 1)) == 0;
    }
    Py_DECREF(v);
    /* What a signed buffer needs, which one of the asked size may do without: for the lowest number that it can
     * hold, or if it is to be read as unsigned. */
    const Py_ssize_t word = sizeof(Py_ssize_t);
    Py_ssize_t needed = (Py_ssize_t)(bits / 8) + 1;
    bool is_unsigned = flags == -1 || (flags & Py_ASNATIVEBYTES_UNSIGNED_BUFFER);
    if (n > 0 && bits % 8 == 0 && needed == n + 1 && (lowest || (!negative && is_unsigned))) {
        needed = n;
    }
    if (small && needed <= n) {
        return Py_MIN(n, word); /* they are said to take the room that there is */
    }
    bool only_the_sign = n > 0 && bits == (size_t)n * 8 && !negative;
    return small && !only_the_sign ? word : needed;
}

PyObject *PyLong_FromNativeBytes(const void *buffer, size_t n, int flags)
{
    if (buffer == NULL) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return _PyLong_FromByteArray(buffer, n, flags_little_endian(flags),
                                 flags == -1 || !(flags & Py_ASNATIVEBYTES_UNSIGNED_BUFFER));
}

PyObject *PyLong_FromUnsignedNativeBytes(const void *buffer, size_t n, int flags)
{
    if (buffer == NULL) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return _PyLong_FromByteArray(buffer, n, flags_little_endian(flags), 0);
}
