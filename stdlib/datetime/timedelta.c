/* timedelta: arithmetic on 128-bit counts of microseconds; the largest span needs 67 bits. */
#include "datetime/internal.h"

#include <math.h>

#include "timedelta.bind.h"

/* ---- making ---------------------------------------------------------------------------------- */

static PyObject *delta_make_exact(PyTypeObject *type, int days, int seconds, int us)
{
    Delta *self = type_make(type);
    if (self != NULL) {
        self->hashcode = -1;
        self->days = days;
        self->seconds = seconds;
        self->microseconds = us;
    }
    return (PyObject *)self;
}

static PyObject *raise_too_large(void)
{
    PyErr_SetString(PyExc_OverflowError, "Python int too large to convert to C int");
    return NULL;
}

static PyObject *delta_make_days(PyTypeObject *type, long long days, int seconds, int us)
{
    if (UNLIKELY(days < -MAX_DELTA_DAYS || days > MAX_DELTA_DAYS)) {
        if (days != (int)days) {
            return raise_too_large();
        }
        return PyErr_Format(PyExc_OverflowError, "days=%d; must have magnitude <= %d", (int)days,
                            MAX_DELTA_DAYS);
    }
    return delta_make_exact(type, (int)days, seconds, us);
}

PyObject *delta_make(PyTypeObject *type, long long days, long long seconds, long long us)
{
    if (us < 0 || us >= SECOND_US) {
        seconds += floor_divide(us, SECOND_US, &us);
    }
    if (seconds < 0 || seconds >= DAY_SECONDS) {
        days += floor_divide(seconds, DAY_SECONDS, &seconds);
    }
    return delta_make_days(type, days, (int)seconds, (int)us);
}

PyObject *delta_from_us(PyTypeObject *type, wide us)
{
    if (LIKELY(us == (long long)us)) {
        long long rest, days = floor_divide((long long)us, DAY_US, &rest);
        return delta_make_days(type, days, (int)(rest / SECOND_US), (int)(rest % SECOND_US));
    }
    wide days = us / DAY_US, rest = us % DAY_US;
    if (rest < 0) {
        rest += DAY_US;
        days--;
    }
    if (days != (int)days) {
        return raise_too_large();
    }
    long long part = (long long)rest;
    return delta_make_days(type, (int)days, (int)(part / SECOND_US), (int)(part % SECOND_US));
}

/* ---- wide numbers ---------------------------------------------------------------------------- */

/* Beyond every span, and yet far from the ends of the type. */
#define WIDE_HUGE ((wide)1 << 120)

/* The value of an int; one that is larger than any span becomes WIDE_HUGE or its negative. */
static wide wide_of(PyObject *number)
{
    if (PyUnstable_Long_IsCompact((PyLongObject *)number)) {
        return PyUnstable_Long_CompactValue((PyLongObject *)number);
    }
    wide value;
    Py_ssize_t size = PyLong_AsNativeBytes(number, &value, sizeof value, -1);
    if (size > (Py_ssize_t)sizeof value || value > WIDE_HUGE || value < -WIDE_HUGE) {
        return _PyLong_Sign(number) < 0 ? -WIDE_HUGE : WIDE_HUGE;
    }
    return value;
}

static PyObject *wide_to_int(wide value)
{
    if (value == (long long)value) {
        return PyLong_FromLongLong((long long)value);
    }
    return PyLong_FromNativeBytes(&value, sizeof value, -1);
}

static wide wide_floor(wide value, wide divisor, wide *rest)
{
    wide quotient = value / divisor;
    *rest = value % divisor;
    if (*rest != 0 && (*rest < 0) != (divisor < 0)) {
        *rest += divisor;
        quotient--;
    }
    return quotient;
}

/* The nearest quotient, the even one of two. */
static wide wide_nearest(wide value, wide divisor)
{
    if (divisor < 0) {
        value = -value;
        divisor = -divisor;
    }
    wide rest, quotient = wide_floor(value, divisor, &rest);
    wide missing = divisor - rest;
    return quotient + (rest > missing || (rest == missing && (quotient & 1)));
}

static PyObject *raise_zero_division(const char *text)
{
    PyErr_SetString(PyExc_ZeroDivisionError, text);
    return NULL;
}

#define ZERO_DIVISION "integer division or modulo by zero"

/* a / b as a float, rounded once. */
static PyObject *wide_ratio(wide a, wide b)
{
    const wide exact = (wide)1 << 53;
    if (b == 0) {
        return raise_zero_division("division by zero");
    }
    if (a <= exact && a >= -exact && b <= exact && b >= -exact) {
        return PyFloat_FromDouble((double)a / (double)b);
    }
    PyObject *left = wide_to_int(a);
    PyObject *right = left ? wide_to_int(b) : NULL;
    PyObject *result = right ? PyNumber_TrueDivide(left, right) : NULL;
    Py_XDECREF(left);
    Py_XDECREF(right);
    return result;
}

/* ---- the constructor ------------------------------------------------------------------------- */

struct sum {
    wide us;
    double fraction; /* of a microsecond, what the floats left over */
};

/* Adds the integral double `value` times `factor`; false with an exception. */
static bool sum_add_integral(struct sum *sum, double value, long long factor)
{
    if (!isfinite(value)) {
        PyObject *number = PyLong_FromDouble(value);
        Py_XDECREF(number);
        return false;
    }
    wide whole = fabs(value) < 0x1p100 ? (wide)value : value < 0 ? -WIDE_HUGE : WIDE_HUGE;
    wide product;
    if (__builtin_mul_overflow(whole, (wide)factor, &product)
        || __builtin_add_overflow(sum->us, product, &sum->us)) {
        raise_too_large();
        return false;
    }
    return true;
}

static bool sum_add_double(struct sum *sum, double value, long long factor)
{
    double whole;
    double fraction = modf(value, &whole);
    if (!sum_add_integral(sum, whole, factor)) {
        return false;
    }
    if (fraction == 0.0) {
        return true;
    }
    fraction = modf((double)factor * fraction, &whole);
    sum->fraction += fraction;
    return sum_add_integral(sum, whole, 1);
}

static bool sum_add(struct sum *sum, const char *name, PyObject *value, long long factor)
{
    if (value == NULL) {
        return true;
    }
    if (PyLong_Check(value)) {
        wide product;
        if (__builtin_mul_overflow(wide_of(value), (wide)factor, &product)
            || __builtin_add_overflow(sum->us, product, &sum->us)) {
            raise_too_large();
            return false;
        }
        return true;
    }
    if (PyFloat_Check(value)) {
        return sum_add_double(sum, PyFloat_AS_DOUBLE(value), factor);
    }
    PyErr_Format(PyExc_TypeError, "unsupported type for timedelta %s component: %s", name,
                 Py_TYPE(value)->tp_name);
    return false;
}

/* Rounds the fractions half to even, as seen for the whole sum. */
static wide sum_round(const struct sum *sum)
{
    double whole = round(sum->fraction);
    if (fabs(whole - sum->fraction) == 0.5) {
        int odd = (int)(sum->us & 1);
        whole = 2.0 * round((sum->fraction + odd) * 0.5) - odd;
    }
    return sum->us + (wide)whole;
}

static PyObject *delta_new(PyTypeObject *type, PyObject *days, PyObject *seconds,
                           PyObject *microseconds, PyObject *milliseconds, PyObject *minutes,
                           PyObject *hours, PyObject *weeks)
{
    struct sum sum = {0};
    if (!sum_add(&sum, "microseconds", microseconds, 1)
        || !sum_add(&sum, "milliseconds", milliseconds, 1000)
        || !sum_add(&sum, "seconds", seconds, SECOND_US)
        || !sum_add(&sum, "minutes", minutes, 60 * SECOND_US)
        || !sum_add(&sum, "hours", hours, 3600 * SECOND_US) || !sum_add(&sum, "days", days, DAY_US)
        || !sum_add(&sum, "weeks", weeks, 7 * DAY_US)) {
        return NULL;
    }
    return delta_from_us(type, sum.fraction != 0.0 ? sum_round(&sum) : sum.us);
}

/* ---- arithmetic ------------------------------------------------------------------------------ */

static PyObject *delta_add(PyObject *left, PyObject *right)
{
    if (!is_delta(left) || !is_delta(right)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    Delta *a = (Delta *)left, *b = (Delta *)right;
    return delta_make(&delta_type, (long long)a->days + b->days, a->seconds + b->seconds,
                      a->microseconds + b->microseconds);
}

static PyObject *delta_subtract(PyObject *left, PyObject *right)
{
    if (!is_delta(left) || !is_delta(right)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    Delta *a = (Delta *)left, *b = (Delta *)right;
    return delta_make(&delta_type, (long long)a->days - b->days, a->seconds - b->seconds,
                      a->microseconds - b->microseconds);
}

PyObject *delta_negative(PyObject *op)
{
    Delta *self = (Delta *)op;
    return delta_make(&delta_type, -(long long)self->days, -(long long)self->seconds,
                      -(long long)self->microseconds);
}

static PyObject *delta_positive(PyObject *op)
{
    Delta *self = (Delta *)op;
    return delta_make_exact(&delta_type, self->days, self->seconds, self->microseconds);
}

static PyObject *delta_absolute(PyObject *op)
{
    return ((Delta *)op)->days < 0 ? delta_negative(op) : delta_positive(op);
}

static int delta_bool(PyObject *op)
{
    Delta *self = (Delta *)op;
    return self->days != 0 || self->seconds != 0 || self->microseconds != 0;
}

/* The ratio that a float of another class says it is: 1; 0 if that has larger numbers, and the
 * float itself must do; -1 with an exception. */
static int ratio_of(PyObject *number, wide *up, wide *down)
{
    int result = -1;
    PyObject *ratio = PyObject_CallMethodNoArgs(number, NAME(as_integer_ratio));
    if (ratio == NULL) {
        return -1;
    }
    if (!PyTuple_Check(ratio)) {
        PyErr_Format(PyExc_TypeError,
                     "unexpected return type from as_integer_ratio(): expected tuple, not '%.200s'",
                     Py_TYPE(ratio)->tp_name);
    } else if (PyTuple_GET_SIZE(ratio) != 2) {
        PyErr_SetString(PyExc_ValueError, "as_integer_ratio() must return a 2-tuple");
    } else if (!PyLong_Check(PyTuple_GET_ITEM(ratio, 0))
               || !PyLong_Check(PyTuple_GET_ITEM(ratio, 1))) {
        PyErr_SetString(PyExc_TypeError, "as_integer_ratio() must return a tuple of ints");
    } else {
        const wide most = (wide)1 << 59; /* times a span this is far from the limit */
        *up = wide_of(PyTuple_GET_ITEM(ratio, 0));
        *down = wide_of(PyTuple_GET_ITEM(ratio, 1));
        result = *up <= most && *up >= -most && *down <= most && *down >= -most;
    }
    Py_DECREF(ratio);
    return result;
}

static PyObject *delta_times_ratio(PyObject *delta, wide up, wide down)
{
    if (down == 0) {
        return raise_zero_division(ZERO_DIVISION);
    }
    return delta_from_us(&delta_type, wide_nearest(delta_us(delta) * up, down));
}

/* A float as mantissa * 2**exponent; false with the exception of float.as_integer_ratio(). */
static bool double_split(double value, long long *mantissa, int *exponent)
{
    if (isnan(value)) {
        PyErr_SetString(PyExc_ValueError, "cannot convert NaN to integer ratio");
        return false;
    }
    if (isinf(value)) {
        PyErr_SetString(PyExc_OverflowError, "cannot convert Infinity to integer ratio");
        return false;
    }
    *mantissa = (long long)ldexp(frexp(value, exponent), 53);
    *exponent -= 53;
    while (*mantissa != 0 && (*mantissa & 1) == 0) {
        *mantissa >>= 1;
        ++*exponent;
    }
    return true;
}

/* value * 2**shift, or a number beyond every span. */
static wide wide_shift(wide value, int shift)
{
    wide limit = shift < 120 ? WIDE_HUGE >> shift : 0;
    if (value > limit || value < -limit) {
        return value < 0 ? -WIDE_HUGE : WIDE_HUGE;
    }
    return value * ((wide)1 << (shift & 127));
}

static PyObject *delta_times_double(PyObject *delta, PyObject *factor)
{
    long long mantissa;
    int exponent;
    if (!PyFloat_CheckExact(factor)) {
        wide up, down;
        int rc = ratio_of(factor, &up, &down);
        if (rc != 0) {
            return rc < 0 ? NULL : delta_times_ratio(delta, up, down);
        }
    }
    if (!double_split(PyFloat_AS_DOUBLE(factor), &mantissa, &exponent)) {
        return NULL;
    }
    wide product = delta_us(delta) * mantissa;
    if (exponent >= 0) {
        product = wide_shift(product, exponent);
    } else {
        product = exponent > -126 ? wide_nearest(product, (wide)1 << -exponent) : 0;
    }
    return delta_from_us(&delta_type, product);
}

static PyObject *delta_over_double(PyObject *delta, PyObject *divisor)
{
    long long mantissa;
    int exponent;
    if (!PyFloat_CheckExact(divisor)) {
        wide up, down;
        int rc = ratio_of(divisor, &up, &down);
        if (rc != 0) {
            return rc < 0 ? NULL : delta_times_ratio(delta, down, up);
        }
    }
    if (!double_split(PyFloat_AS_DOUBLE(divisor), &mantissa, &exponent)) {
        return NULL;
    }
    if (mantissa == 0) {
        return raise_zero_division(ZERO_DIVISION);
    }
    wide us = delta_us(delta), by = mantissa;
    if (exponent < 0) {
        us = wide_shift(us, -exponent);
    } else {
        by = wide_shift(by, exponent);
    }
    return delta_from_us(&delta_type, wide_nearest(us, by));
}

static PyObject *delta_times_int(PyObject *delta, PyObject *factor)
{
    wide product;
    if (__builtin_mul_overflow(delta_us(delta), wide_of(factor), &product)) {
        return raise_too_large();
    }
    return delta_from_us(&delta_type, product);
}

static PyObject *delta_multiply(PyObject *left, PyObject *right)
{
    if (!is_delta(left)) {
        PyObject *other = left;
        left = right;
        right = other;
    }
    if (PyLong_Check(right)) {
        return delta_times_int(left, right);
    }
    if (PyFloat_Check(right)) {
        return delta_times_double(left, right);
    }
    Py_RETURN_NOTIMPLEMENTED;
}

static PyObject *delta_floor_divide(PyObject *left, PyObject *right)
{
    if (!is_delta(left) || !(is_delta(right) || PyLong_Check(right))) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    bool ratio = is_delta(right);
    wide divisor = ratio ? delta_us(right) : wide_of(right), rest;
    if (divisor == 0) {
        return raise_zero_division(ZERO_DIVISION);
    }
    wide quotient = wide_floor(delta_us(left), divisor, &rest);
    return ratio ? wide_to_int(quotient) : delta_from_us(&delta_type, quotient);
}

static PyObject *delta_true_divide(PyObject *left, PyObject *right)
{
    if (!is_delta(left)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (is_delta(right)) {
        return wide_ratio(delta_us(left), delta_us(right));
    }
    if (PyFloat_Check(right)) {
        return delta_over_double(left, right);
    }
    if (!PyLong_Check(right)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    wide divisor = wide_of(right);
    if (divisor == 0) {
        return raise_zero_division(ZERO_DIVISION);
    }
    return delta_from_us(&delta_type, wide_nearest(delta_us(left), divisor));
}

static PyObject *delta_remainder(PyObject *left, PyObject *right)
{
    if (!is_delta(left) || !is_delta(right)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    wide divisor = delta_us(right), rest;
    if (divisor == 0) {
        return raise_zero_division("integer modulo by zero");
    }
    wide_floor(delta_us(left), divisor, &rest);
    return delta_from_us(&delta_type, rest);
}

static PyObject *delta_divmod(PyObject *left, PyObject *right)
{
    if (!is_delta(left) || !is_delta(right)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    wide divisor = delta_us(right), rest;
    if (divisor == 0) {
        return raise_zero_division(ZERO_DIVISION);
    }
    wide quotient = wide_floor(delta_us(left), divisor, &rest);
    return Py_BuildValue("(NN)", wide_to_int(quotient), delta_from_us(&delta_type, rest));
}

/* ---- comparing, hashing ---------------------------------------------------------------------- */

static PyObject *delta_richcompare(PyObject *left, PyObject *right, int op)
{
    if (!is_delta(right)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    Delta *a = (Delta *)left, *b = (Delta *)right;
    int order = a->days != b->days         ? (a->days > b->days) - (a->days < b->days)
                : a->seconds != b->seconds ? a->seconds - b->seconds
                                           : a->microseconds - b->microseconds;
    return compare_result(order, op);
}

static Py_hash_t delta_hash(PyObject *op)
{
    Delta *self = (Delta *)op;
    Py_hash_t hash = hash_cached(&self->hashcode);
    if (hash != -1) {
        return hash;
    }
    const int fields[3] = {self->days, self->seconds, self->microseconds};
    return hash_store(&self->hashcode, hash_bytes(fields, sizeof fields));
}

/* ---- text and pickles ------------------------------------------------------------------------ */

static PyObject *delta_repr(PyObject *op)
{
    Delta *self = (Delta *)op;
    char text[80] = "";
    int at = 0;
    const struct {
        const char *name;
        int value;
    } parts[] = {
        {"days", self->days}, {"seconds", self->seconds}, {"microseconds", self->microseconds}};
    for (int i = 0; i < 3; i++) {
        if (parts[i].value != 0) {
            at += snprintf(text + at, sizeof text - (size_t)at, "%s%s=%d", at ? ", " : "",
                           parts[i].name, parts[i].value);
        }
    }
    return PyUnicode_FromFormat("%s(%s)", Py_TYPE(op)->tp_name, at ? text : "0");
}

static PyObject *delta_str(PyObject *op)
{
    Delta *self = (Delta *)op;
    char text[80];
    int at = 0;
    if (self->days != 0) {
        at = snprintf(text, sizeof text, "%d day%s, ", self->days,
                      self->days == 1 || self->days == -1 ? "" : "s");
    }
    int minutes = self->seconds / 60;
    at += snprintf(text + at, sizeof text - (size_t)at, "%d:%02d:%02d", minutes / 60, minutes % 60,
                   self->seconds % 60);
    if (self->microseconds != 0) {
        at += snprintf(text + at, sizeof text - (size_t)at, ".%06d", self->microseconds);
    }
    return PyUnicode_FromStringAndSize(text, at);
}

static PyObject *delta_total_seconds(Delta *self)
{
    return wide_ratio(delta_us(self), SECOND_US);
}

static PyObject *delta_reduce(Delta *self)
{
    return Py_BuildValue("O(iii)", Py_TYPE(self), self->days, self->seconds, self->microseconds);
}

/* ---- the type -------------------------------------------------------------------------------- */

static PyNumberMethods delta_as_number = {
    .nb_add = delta_add,
    .nb_subtract = delta_subtract,
    .nb_multiply = delta_multiply,
    .nb_remainder = delta_remainder,
    .nb_divmod = delta_divmod,
    .nb_negative = delta_negative,
    .nb_positive = delta_positive,
    .nb_absolute = delta_absolute,
    .nb_bool = delta_bool,
    .nb_floor_divide = delta_floor_divide,
    .nb_true_divide = delta_true_divide,
};

PyTypeObject delta_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "datetime.timedelta",
    .tp_basicsize = sizeof(Delta),
    .tp_repr = delta_repr,
    .tp_as_number = &delta_as_number,
    .tp_hash = delta_hash,
    .tp_str = delta_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = delta_doc,
    .tp_richcompare = delta_richcompare,
    .tp_methods = delta_methods,
    .tp_members = delta_members,
    .tp_new = bind_delta_new,
    .tp_vectorcall = bind_delta_new_vectorcall,
};
