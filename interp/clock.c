/* PyTime_*: clocks as 64-bit nanoseconds. */

#include "Python.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <sys/time.h>
#include <time.h>

double PyTime_AsSecondsDouble(PyTime_t time)
{
    /* Whole seconds and the rest apart lose less than one division would for large times. */
    return (double)(time / 1000000000) + (double)(time % 1000000000) * 1e-9;
}

static int read_clock(clockid_t clock, PyTime_t *result)
{
    struct timespec now;
    if (clock_gettime(clock, &now) != 0) {
        *result = 0;
        return -1;
    }
    *result = (PyTime_t)now.tv_sec * 1000000000 + now.tv_nsec;
    return 0;
}

static int checked(clockid_t clock, PyTime_t *result)
{
    if (read_clock(clock, result) < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    return 0;
}

int PyTime_MonotonicRaw(PyTime_t *result)
{
    return read_clock(CLOCK_MONOTONIC, result);
}

int PyTime_Monotonic(PyTime_t *result)
{
    return checked(CLOCK_MONOTONIC, result);
}

int PyTime_PerfCounterRaw(PyTime_t *result)
{
    return read_clock(CLOCK_MONOTONIC, result);
}

int PyTime_PerfCounter(PyTime_t *result)
{
    return checked(CLOCK_MONOTONIC, result);
}

int PyTime_TimeRaw(PyTime_t *result)
{
    return read_clock(CLOCK_REALTIME, result);
}

int PyTime_Time(PyTime_t *result)
{
    return checked(CLOCK_REALTIME, result);
}

/* ---- rounding --------------------------------------------------------------------------------- */

enum rounding { ROUND_FLOOR, ROUND_CEILING, ROUND_HALF_EVEN, ROUND_UP };

/* Divides by a positive number, rounding as told: the quotient, and the remainder that belongs to the floor. */
static PyTime_t divide(PyTime_t time, PyTime_t by, enum rounding round)
{
    PyTime_t quotient = time / by, rest = time % by;
    bool negative = time < 0;
    if (rest == 0) {
        return quotient;
    }
    PyTime_t twice = rest < 0 ? -rest - (by + rest) : rest - (by - rest); /* 2 |rest| - by */
    switch (round) {
    case ROUND_FLOOR:
        return quotient - negative;
    case ROUND_CEILING:
        return quotient + !negative;
    case ROUND_HALF_EVEN:
        if (twice < 0 || (twice == 0 && quotient % 2 == 0)) {
            return quotient;
        }
        break;
    case ROUND_UP:
        break;
    }
    return negative ? quotient - 1 : quotient + 1;
}

static double round_double(double x, enum rounding round)
{
    switch (round) {
    case ROUND_FLOOR:
        return floor(x);
    case ROUND_CEILING:
        return ceil(x);
    case ROUND_HALF_EVEN:
        return nearbyint(x);
    default:
        return x < 0 ? floor(x) : ceil(x);
    }
}

/* ---- what extension modules of the library take and give ----------------------------------------- */

#define NS_PER_SECOND ((PyTime_t)1000000000)

PyAPI_FUNC(PyTime_t) _PyTime_FromSeconds(int seconds);
PyAPI_FUNC(int) _PyTime_FromLong(PyTime_t *time, PyObject *number);
PyAPI_FUNC(PyObject *) _PyTime_AsLong(PyTime_t time);
PyAPI_FUNC(int) _PyTime_FromSecondsObject(PyTime_t *time, PyObject *number, int round);
PyAPI_FUNC(int) _PyTime_FromMillisecondsObject(PyTime_t *time, PyObject *number, int round);
PyAPI_FUNC(PyTime_t) _PyTime_AsMilliseconds(PyTime_t time, int round);
PyAPI_FUNC(PyTime_t) _PyTime_AsMicroseconds(PyTime_t time, int round);
PyAPI_FUNC(int) _PyTime_AsTimeval(PyTime_t time, struct timeval *result, int round);
PyAPI_FUNC(void) _PyTime_AsTimeval_clamp(PyTime_t time, struct timeval *result, int round);
PyAPI_FUNC(int) _PyTime_AsTimespec(PyTime_t time, struct timespec *result);
PyAPI_FUNC(void) _PyTime_AsTimespec_clamp(PyTime_t time, struct timespec *result);
PyAPI_FUNC(int) _PyTime_ObjectToTime_t(PyObject *number, time_t *seconds, int round);
PyAPI_FUNC(int) _PyTime_ObjectToTimeval(PyObject *number, time_t *seconds, long *usec, int round);
PyAPI_FUNC(int) _PyTime_ObjectToTimespec(PyObject *number, time_t *seconds, long *nsec, int round);
PyAPI_FUNC(PyObject *) _PyLong_FromTime_t(time_t seconds);
PyAPI_FUNC(PyTime_t) _PyDeadline_Init(PyTime_t timeout);
PyAPI_FUNC(PyTime_t) _PyDeadline_Get(PyTime_t deadline);

static int raise_too_large(void)
{
    PyErr_SetString(PyExc_OverflowError, "timestamp too large to convert to C PyTime_t");
    return -1;
}

PyTime_t _PyTime_FromSeconds(int seconds)
{
    return seconds * NS_PER_SECOND;
}

int _PyTime_FromLong(PyTime_t *time, PyObject *number)
{
    if (!PyLong_Check(number)) {
        PyErr_Format(PyExc_TypeError, "expect int, got %s", Py_TYPE(number)->tp_name);
        return -1;
    }
    long long value = PyLong_AsLongLong(number);
    if (value == -1 && PyErr_Occurred()) {
        return PyErr_ExceptionMatches(PyExc_OverflowError) ? raise_too_large() : -1;
    }
    *time = value;
    return 0;
}

PyObject *_PyTime_AsLong(PyTime_t time)
{
    return PyLong_FromLongLong(time);
}

PyObject *_PyLong_FromTime_t(time_t seconds)
{
    return PyLong_FromLongLong(seconds);
}

/* A number of seconds, or of their parts, that is `scale` nanoseconds each. */
static int time_from_object(PyTime_t *time, PyObject *number, enum rounding round, PyTime_t scale)
{
    if (PyFloat_Check(number)) {
        double value = PyFloat_AsDouble(number);
        if (isnan(value)) {
            PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
            return -1;
        }
        value = round_double(value * (double)scale, round);
        if (!(value >= -0x1p63 && value < 0x1p63)) {
            *time = 0;
            return raise_too_large();
        }
        *time = (PyTime_t)value;
        return 0;
    }
    long long value = PyLong_AsLongLong(number);
    if (value == -1 && PyErr_Occurred()) {
        return PyErr_ExceptionMatches(PyExc_OverflowError) ? raise_too_large() : -1;
    }
    return __builtin_mul_overflow(value, scale, time) ? raise_too_large() : 0;
}

int _PyTime_FromSecondsObject(PyTime_t *time, PyObject *number, int round)
{
    return time_from_object(time, number, round, NS_PER_SECOND);
}

int _PyTime_FromMillisecondsObject(PyTime_t *time, PyObject *number, int round)
{
    return time_from_object(time, number, round, NS_PER_SECOND / 1000);
}

PyTime_t _PyTime_AsMilliseconds(PyTime_t time, int round)
{
    return divide(time, 1000000, round);
}

PyTime_t _PyTime_AsMicroseconds(PyTime_t time, int round)
{
    return divide(time, 1000, round);
}

/* Splits into whole seconds, rounded down, and the rest. */
static PyTime_t split(PyTime_t time, PyTime_t per_second, PyTime_t *rest)
{
    PyTime_t seconds = divide(time, per_second, ROUND_FLOOR);
    *rest = time % per_second;
    *rest += *rest < 0 ? per_second : 0;
    return seconds;
}

void _PyTime_AsTimeval_clamp(PyTime_t time, struct timeval *result, int round)
{
    PyTime_t rest;
    result->tv_sec = split(divide(time, 1000, round), 1000000, &rest);
    result->tv_usec = rest;
}

int _PyTime_AsTimeval(PyTime_t time, struct timeval *result, int round)
{
    _PyTime_AsTimeval_clamp(time, result, round); /* 64 bits of seconds hold any time */
    return 0;
}

void _PyTime_AsTimespec_clamp(PyTime_t time, struct timespec *result)
{
    PyTime_t rest;
    result->tv_sec = split(time, NS_PER_SECOND, &rest);
    result->tv_nsec = rest;
}

int _PyTime_AsTimespec(PyTime_t time, struct timespec *result)
{
    _PyTime_AsTimespec_clamp(time, result);
    return 0;
}

static int raise_no_time_t(void)
{
    PyErr_SetString(PyExc_OverflowError, "timestamp out of range for platform time_t");
    return -1;
}

/* Whole seconds of a float, 0 or -1. */
static int seconds_of_double(double value, time_t *seconds)
{
    if (!(value >= -0x1p63 && value < 0x1p63)) {
        return raise_no_time_t();
    }
    *seconds = (time_t)value;
    return 0;
}

static int seconds_of_int(PyObject *number, time_t *seconds)
{
    long long value = PyLong_AsLongLong(number);
    if (value == -1 && PyErr_Occurred()) {
        return PyErr_ExceptionMatches(PyExc_OverflowError) ? raise_no_time_t() : -1;
    }
    *seconds = value;
    return 0;
}

static int raise_nan(void)
{
    PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
    return -1;
}

int _PyTime_ObjectToTime_t(PyObject *number, time_t *seconds, int round)
{
    if (!PyFloat_Check(number)) {
        return seconds_of_int(number, seconds);
    }
    double value = PyFloat_AsDouble(number);
    return isnan(value) ? raise_nan() : seconds_of_double(round_double(value, round), seconds);
}

/* Seconds and the parts of one, which are rounded. */
static int split_object(PyObject *number, time_t *seconds, long *parts, double per_second,
                        enum rounding round)
{
    *parts = 0;
    if (!PyFloat_Check(number)) {
        return seconds_of_int(number, seconds);
    }
    double whole, value = PyFloat_AsDouble(number);
    if (isnan(value)) {
        return raise_nan();
    }
    double fraction = round_double(modf(value, &whole) * per_second, round);
    if (fraction >= per_second) {
        fraction -= per_second;
        whole += 1;
    } else if (fraction < 0) {
        fraction += per_second;
        whole -= 1;
    }
    *parts = (long)fraction;
    return seconds_of_double(whole, seconds);
}

int _PyTime_ObjectToTimeval(PyObject *number, time_t *seconds, long *usec, int round)
{
    return split_object(number, seconds, usec, 1e6, round);
}

int _PyTime_ObjectToTimespec(PyObject *number, time_t *seconds, long *nsec, int round)
{
    return split_object(number, seconds, nsec, 1e9, round);
}

PyTime_t _PyDeadline_Init(PyTime_t timeout)
{
    PyTime_t now = 0, deadline;
    read_clock(CLOCK_MONOTONIC, &now);
    if (__builtin_add_overflow(now, timeout, &deadline)) {
        deadline = timeout < 0 ? PyTime_MIN : PyTime_MAX;
    }
    return deadline;
}

PyTime_t _PyDeadline_Get(PyTime_t deadline)
{
    PyTime_t now = 0;
    read_clock(CLOCK_MONOTONIC, &now);
    return deadline - now;
}
