/* PyTime_*: clocks as 64-bit nanoseconds. */

#include "Python.h"

#include <errno.h>
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
