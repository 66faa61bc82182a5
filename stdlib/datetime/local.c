/* The system's clock and the local time zone. */
#include "datetime/internal.h"

#include <errno.h>
#include <math.h>

/* ---- timestamps ------------------------------------------------------------------------------ */

static bool raise_timestamp(void)
{
    PyErr_SetString(PyExc_OverflowError, "timestamp out of range for platform time_t");
    return false;
}

static bool timestamp_of_double(double value, bool whole, struct timestamp *out)
{
    if (isnan(value)) {
        PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
        return false;
    }
    double seconds, us = 0;
    if (whole) {
        seconds = floor(value);
    } else {
        us = nearbyint(modf(value, &seconds) * 1e6);
        if (us >= 1e6) {
            us -= 1e6;
            seconds += 1;
        } else if (us < 0) {
            us += 1e6;
            seconds -= 1;
        }
    }
    if (!(seconds >= -0x1p63 && seconds < 0x1p63)) {
        return raise_timestamp();
    }
    *out = (struct timestamp){(time_t)seconds, (int)us};
    return true;
}

bool timestamp_of(PyObject *number, bool whole, struct timestamp *out)
{
    if (PyFloat_Check(number)) {
        return timestamp_of_double(PyFloat_AS_DOUBLE(number), whole, out);
    }
    long long seconds;
    if (!bind_longlong(number, &seconds)) {
        return PyErr_ExceptionMatches(PyExc_OverflowError) ? raise_timestamp() : false;
    }
    *out = (struct timestamp){(time_t)seconds, 0};
    return true;
}

struct timestamp timestamp_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (struct timestamp){now.tv_sec, (int)(now.tv_nsec / 1000)};
}

/* ---- local time ------------------------------------------------------------------------------ */

static bool fields_or_error(struct tm *fields)
{
    if (fields == NULL) {
        errno = errno ? errno : EINVAL;
        PyErr_SetFromErrno(PyExc_OSError);
        return false;
    }
    return true;
}

bool local_fields(time_t seconds, struct tm *out)
{
    errno = 0;
    return fields_or_error(localtime_r(&seconds, out));
}

bool utc_fields(time_t seconds, struct tm *out)
{
    errno = 0;
    return fields_or_error(gmtime_r(&seconds, out));
}

bool local_seconds(long long seconds, long long *out)
{
    struct tm tm;
    if (!local_fields((time_t)seconds, &tm)) {
        return false;
    }
    int year = tm.tm_year + 1900;
    if (year < MIN_YEAR || year > MAX_YEAR) {
        PyErr_Format(PyExc_ValueError, "year %i is out of range", year);
        return false;
    }
    struct clock_time clock = {tm.tm_hour, tm.tm_min, tm.tm_sec, 0};
    *out = (long long)ordinal_of(year, tm.tm_mon + 1, tm.tm_mday) * DAY_SECONDS
           + clock_seconds(&clock);
    return true;
}

/* Counts like local_seconds, but from 1970 on both sides. */
static bool local_from_1970(long long seconds, long long *out)
{
    if (!local_seconds(seconds, out)) {
        return false;
    }
    *out -= EPOCH_SECONDS;
    return true;
}

/* The offset at about the right moment leads to a first answer.  If that shows the wanted time,
 * the other answer of an ambiguous time is looked for a day away; if it does not, another offset a
 * little aside must be the right one, or the time was skipped. */
bool local_to_timestamp(long long seconds, int fold, long long *out)
{
    long long wanted = seconds - EPOCH_SECONDS, shown, offset, other_offset;
    if (!local_from_1970(wanted, &shown)) {
        return false;
    }
    offset = shown - wanted;
    long long first = wanted - offset, second;
    if (!local_from_1970(first, &shown)) {
        return false;
    }
    if (shown == wanted) {
        long long probe = first + (fold ? DAY_SECONDS : -DAY_SECONDS), there;
        if (!local_from_1970(probe, &there)) {
            return false;
        }
        other_offset = there - probe;
        if (offset == other_offset) {
            *out = first;
            return true;
        }
    } else {
        other_offset = shown - first;
    }
    second = wanted - other_offset;
    long long again;
    if (!local_from_1970(second, &again)) {
        return false;
    }
    if (again == wanted) {
        *out = second;
    } else if (shown == wanted) {
        *out = first;
    } else { /* skipped: a fold before the jump, by the offset after it */
        *out = (first < second) == (fold != 0) ? first : second;
    }
    return true;
}

PyObject *local_zone_at(time_t seconds)
{
    struct tm tm;
    if (!local_fields(seconds, &tm)) {
        return NULL;
    }
    PyObject *name = PyUnicode_DecodeLocale(tm.tm_zone, "surrogateescape");
    PyObject *offset = name ? delta_make(&delta_type, 0, tm.tm_gmtoff, 0) : NULL;
    PyObject *zone = offset ? timezone_make(offset, name) : NULL;
    Py_XDECREF(name);
    Py_XDECREF(offset);
    return zone;
}
