/* Seconds as Python code gives them, floats or integers, in C. */
#ifndef KRAIT_STDLIB_SECONDS_H
#define KRAIT_STDLIB_SECONDS_H

#include "module.h"

#include <time.h>

#define SECOND 1000000000LL

enum rounding { ROUND_FLOOR, ROUND_CEILING, ROUND_AWAY }; /* away from zero */

/* Seconds as nanoseconds; false with an exception. May run Python code. */
static inline bool nanoseconds_of(PyObject *arg, enum rounding rounding, PyTime_t *out)
{
    if (PyFloat_Check(arg)) {
        double value = PyFloat_AS_DOUBLE(arg);
        if (value != value) {
            PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
            return false;
        }
        value *= 1e9;
        bool up = rounding == ROUND_CEILING || (rounding == ROUND_AWAY && value > 0);
        value = up ? __builtin_ceil(value) : __builtin_floor(value);
        if (!(value >= -9223372036854775808.0 && value < 9223372036854775808.0)) {
            PyErr_SetString(PyExc_OverflowError, "timestamp out of range for platform time_t");
            return false;
        }
        *out = (PyTime_t)value;
        return true;
    }
    long long seconds;
    if (!bind_longlong(arg, &seconds)) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
            PyErr_SetString(PyExc_OverflowError, "timestamp too large to convert to C PyTime_t");
        }
        return false;
    }
    if (__builtin_mul_overflow(seconds, SECOND, out)) {
        PyErr_SetString(PyExc_OverflowError, "timestamp too large to convert to C PyTime_t");
        return false;
    }
    return true;
}

static inline struct timespec timespec_of(PyTime_t time)
{
    PyTime_t rest = time % SECOND;
    rest += rest < 0 ? SECOND : 0;
    return (struct timespec){.tv_sec = (time - rest) / SECOND, .tv_nsec = rest};
}

#endif
