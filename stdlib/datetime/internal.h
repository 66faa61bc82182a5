/* What the files of the module _datetime share: the calendar, making and reading objects.
 *
 * The layouts are public (datetime.h).  An object always has room for `tzinfo`; extensions look
 * there only if `hastzinfo` is set.  Dates and times never change once they are made, so nothing
 * here takes a lock; the cached hash is written with relaxed atomics. */
#ifndef KRAIT_STDLIB_DATETIME_INTERNAL_H
#define KRAIT_STDLIB_DATETIME_INTERNAL_H

#define _PY_DATETIME_IMPL
#include "module.h"

#include <datetime.h>
#include <limits.h>
#include <time.h>

#pragma GCC visibility push(hidden)

#define MIN_YEAR 1
#define MAX_YEAR 9999
#define MAX_ORDINAL 3652059
#define MAX_DELTA_DAYS 999999999
#define DAY_SECONDS 86400
#define SECOND_US 1000000LL
#define DAY_US (DAY_SECONDS * SECOND_US)
/* The ordinal of 1970-01-01. */
#define EPOCH_ORDINAL 719163
/* Seconds from the start of ordinal 0 to 1970. */
#define EPOCH_SECONDS ((long long)EPOCH_ORDINAL * DAY_SECONDS)

typedef __int128 wide;

typedef PyDateTime_Delta Delta;
typedef PyDateTime_Date Date;
typedef PyDateTime_Time Time;
typedef PyDateTime_DateTime DateTime;

typedef struct {
    PyObject_HEAD
    PyObject *offset; /* timedelta */
    PyObject *name;   /* str or NULL */
} TimeZone;

extern PyTypeObject date_type, time_type, datetime_type, delta_type, tzinfo_type, timezone_type,
    isocalendar_type;
extern TimeZone utc_zone;

static inline bool is_date(PyObject *op)
{
    return PyObject_TypeCheck(op, &date_type);
}

static inline bool is_time(PyObject *op)
{
    return PyObject_TypeCheck(op, &time_type);
}

static inline bool is_datetime(PyObject *op)
{
    return PyObject_TypeCheck(op, &datetime_type);
}

static inline bool is_delta(PyObject *op)
{
    return PyObject_TypeCheck(op, &delta_type);
}

static inline bool is_tzinfo(PyObject *op)
{
    return PyObject_TypeCheck(op, &tzinfo_type);
}

/* ---- names ----------------------------------------------------------------------------------- */

/* clang-format off */
#define NAMES(X)                                                                                  \
    X(utcoffset) X(dst) X(tzname) X(fromutc) X(strftime) X(struct_time) X(isoformat)              \
    X(fromtimestamp) X(_strptime_datetime) X(__getinitargs__) X(__getstate__) X(time)             \
    X(timetuple) X(as_integer_ratio)
/* clang-format on */

#define NAME_INDEX(word) name_##word,
enum { NAMES(NAME_INDEX) name_count };

/* Interned strings, made when the module is first initialised, kept forever. */
extern PyObject *datetime_names[name_count];

#define NAME(word) (datetime_names[name_##word])

/* ---- the calendar ---------------------------------------------------------------------------- */

struct ymd {
    int year, month, day;
};

static inline bool year_is_leap(int year)
{
    return (year & 3) == 0 && (year % 100 != 0 || year % 400 == 0);
}

static inline int month_length(int year, int month)
{
    return month == 2 ? 28 + year_is_leap(year) : 30 + ((month + (month >> 3)) & 1);
}

/* Day 1 is 0001-01-01.  Years are counted from March on, so that the odd day comes last. */
static inline int ordinal_of(int year, int month, int day)
{
    int y = year - (month <= 2);
    int m = month + (month <= 2 ? 9 : -3);
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 306;
}

/* For ordinals from 1 on. */
static inline struct ymd ymd_of(int ordinal)
{
    unsigned z = (unsigned)ordinal + 305;
    unsigned era = z / 146097, rest = z % 146097;
    unsigned year = (rest - rest / 1460 + rest / 36524 - rest / 146096) / 365;
    unsigned day = rest - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * day + 2) / 153;
    struct ymd out;
    out.day = (int)(day - (153 * month + 2) / 5 + 1);
    out.month = (int)(month < 10 ? month + 3 : month - 9);
    out.year = (int)(year + 400 * era) + (out.month <= 2);
    return out;
}

/* Monday is 0. */
static inline int weekday_of(int year, int month, int day)
{
    return (ordinal_of(year, month, day) + 6) % 7;
}

/* The ordinal of the Monday of week 1: the week with the year's first Thursday. */
static inline int iso_year_start(int year)
{
    int first = ordinal_of(year, 1, 1);
    int weekday = (first + 6) % 7;
    return first - weekday + (weekday > 3 ? 7 : 0);
}

/* ---- fields ---------------------------------------------------------------------------------- */

struct clock_time {
    int hour, minute, second, us;
};

static inline struct ymd date_fields(const void *op)
{
    return (struct ymd){PyDateTime_GET_YEAR(op), PyDateTime_GET_MONTH(op), PyDateTime_GET_DAY(op)};
}

static inline struct clock_time clock_fields(const unsigned char *data)
{
    return (struct clock_time){data[0], data[1], data[2], data[3] << 16 | data[4] << 8 | data[5]};
}

static inline struct clock_time time_fields(const void *op)
{
    return clock_fields(((const Time *)op)->data);
}

static inline struct clock_time datetime_fields(const void *op)
{
    return clock_fields(((const DateTime *)op)->data + 4);
}

static inline void date_data_put(unsigned char *data, int year, int month, int day)
{
    data[0] = (unsigned char)(year >> 8);
    data[1] = (unsigned char)year;
    data[2] = (unsigned char)month;
    data[3] = (unsigned char)day;
}

static inline void clock_data_put(unsigned char *data, const struct clock_time *clock)
{
    data[0] = (unsigned char)clock->hour;
    data[1] = (unsigned char)clock->minute;
    data[2] = (unsigned char)clock->second;
    data[3] = (unsigned char)(clock->us >> 16);
    data[4] = (unsigned char)(clock->us >> 8);
    data[5] = (unsigned char)clock->us;
}

static inline int date_ordinal(const void *op)
{
    struct ymd date = date_fields(op);
    return ordinal_of(date.year, date.month, date.day);
}

static inline int clock_seconds(const struct clock_time *clock)
{
    return (clock->hour * 60 + clock->minute) * 60 + clock->second;
}

/* Borrowed; None for naive objects. */
static inline PyObject *time_zone(const void *op)
{
    return PyDateTime_TIME_GET_TZINFO((const Time *)op);
}

static inline PyObject *datetime_zone(const void *op)
{
    return PyDateTime_DATE_GET_TZINFO((const DateTime *)op);
}

/* Microseconds since the start of ordinal 0, the time zone left out of account. */
static inline long long datetime_us(const void *op)
{
    struct clock_time clock = datetime_fields(op);
    return ((long long)date_ordinal(op) * DAY_SECONDS + clock_seconds(&clock)) * SECOND_US
           + clock.us;
}

static inline wide delta_us(const void *op)
{
    const Delta *delta = op;
    return ((wide)delta->days * DAY_SECONDS + delta->seconds) * SECOND_US + delta->microseconds;
}

/* For deltas between the ends of the calendar, as offsets are. */
static inline long long delta_us_short(const void *op)
{
    return (long long)delta_us(op);
}

static inline bool delta_equal(const void *left, const void *right)
{
    const Delta *a = left, *b = right;
    return a->days == b->days && a->seconds == b->seconds && a->microseconds == b->microseconds;
}

static inline Py_hash_t hash_cached(const Py_hash_t *slot)
{
    return __atomic_load_n(slot, __ATOMIC_RELAXED);
}

static inline Py_hash_t hash_store(Py_hash_t *slot, Py_hash_t hash)
{
    hash -= hash == -1;
    __atomic_store_n(slot, hash, __ATOMIC_RELAXED);
    return hash;
}

static inline Py_hash_t hash_bytes(const void *data, Py_ssize_t size)
{
    return PyHash_GetFuncDef()->hash(data, size);
}

/* Quotient rounded down and remainder, for a positive divisor. */
static inline long long floor_divide(long long value, long long divisor, long long *rest)
{
    long long quotient = value / divisor;
    *rest = value % divisor;
    if (*rest < 0) {
        *rest += divisor;
        quotient--;
    }
    return quotient;
}

static inline PyObject *compare_result(int order, int op)
{
    Py_RETURN_RICHCOMPARE(order, 0, op);
}

/* For replace(): this field was not given. */
#define UNCHANGED INT_MIN

static inline int changed(int value, int old)
{
    return value == UNCHANGED ? old : value;
}

/* ---- making: new references, or NULL with an exception --------------------------------------- */

/* timedelta.c.  The fields are brought into their ranges; OverflowError beyond the limits. */
PyObject *delta_make(PyTypeObject *type, long long days, long long seconds, long long us);
PyObject *delta_from_us(PyTypeObject *type, wide us);
PyObject *delta_negative(PyObject *delta);

/* 0, or -1 with ValueError. */
int date_check(int year, int month, int day);
int clock_check(const struct clock_time *clock, int fold);
/* 0, or -1 with TypeError, for None or a tzinfo. */
int tzinfo_check(PyObject *zone);

/* Objects of `type` itself, with checked fields. */
PyObject *date_make(PyTypeObject *type, int year, int month, int day);
PyObject *time_make(PyTypeObject *type, const struct clock_time *clock, PyObject *zone, int fold);
PyObject *datetime_make(PyTypeObject *type, const struct ymd *date, const struct clock_time *clock,
                        PyObject *zone, int fold);

/* The same by calling `type` if it is a subclass.  That runs Python code. */
PyObject *date_make_by_call(PyTypeObject *type, int year, int month, int day);
PyObject *time_make_by_call(PyTypeObject *type, const struct clock_time *clock, PyObject *zone,
                            int fold);
PyObject *datetime_make_by_call(PyTypeObject *type, const struct ymd *date,
                                const struct clock_time *clock, PyObject *zone, int fold);

/* From microseconds since the start of ordinal 0; OverflowError outside the calendar. */
PyObject *datetime_from_us(PyTypeObject *type, wide us, PyObject *zone, int fold);
PyObject *datetime_from_us_by_call(PyTypeObject *type, wide us, PyObject *zone, int fold);

/* The fixed offset; UTC itself for an offset of 0 without a name (may be NULL). */
PyObject *timezone_make(PyObject *offset, PyObject *name);

/* ---- time zones (tzinfo.c): these run Python code -------------------------------------------- */

/* zone.utcoffset(arg) and zone.dst(arg), checked: None, or a timedelta of less than a day. */
PyObject *zone_utcoffset(PyObject *zone, PyObject *arg);
PyObject *zone_dst(PyObject *zone, PyObject *arg);
/* zone.tzname(arg), checked: None or a str. */
PyObject *zone_tzname(PyObject *zone, PyObject *arg);

/* ---- text ------------------------------------------------------------------------------------ */

/* Writes 'HH:MM...' as `timespec` (NULL: automatic) says; the end of what was written, or NULL
 * with ValueError. */
char *clock_put(char *at, const struct clock_time *clock, const char *timespec);
/* Writes 'YYYY-MM-DD'. */
char *date_put(char *at, const void *op);
/* Writes '+HH:MM[:SS[.ffffff]]' with `separator` between the numbers, or nothing for None. */
char *offset_put(char *at, PyObject *offset, const char *separator);

/* `text` with the end '[, fold=1][, tzinfo=...]' before its ')'.  Steals `text`. */
PyObject *repr_complete(PyObject *text, int fold, PyObject *zone);

/* time.strftime() after %z, %:z, %Z and %f were replaced; `zone_arg` is what zone methods get. */
PyObject *format_with_strftime(PyObject *op, PyObject *format, PyObject *timetuple, PyObject *zone,
                               PyObject *zone_arg, int us);
PyObject *struct_time_make(int year, int month, int day, const struct clock_time *clock, int dst);
PyObject *format_dispatch(PyObject *op, PyObject *format);

/* ISO 8601 text; false without an exception if it is malformed. */
struct iso_text {
    struct ymd date;
    struct clock_time clock;
    bool has_offset;
    long long offset_us;
};
PyObject *iso_parse_error(PyObject *text);
/* 1 if well-formed, 0 if not, -1 with an exception. */
int iso_parse_date(PyObject *text, struct iso_text *out);
int iso_parse_time(PyObject *text, struct iso_text *out);
int iso_parse_datetime(PyObject *text, struct iso_text *out);
/* UTC, a fixed offset, or None. */
PyObject *iso_zone(const struct iso_text *parsed);
/* False if there is no such week or day. */
bool iso_week_date(int year, int week, int day, struct ymd *out);

/* ---- the clock (local.c) --------------------------------------------------------------------- */

struct timestamp {
    time_t seconds;
    int us;
};

/* A number of seconds, rounded to even microseconds, or down if `whole`. */
bool timestamp_of(PyObject *number, bool whole, struct timestamp *out);
struct timestamp timestamp_now(void);
/* The broken-down time; false with OSError. */
bool local_fields(time_t seconds, struct tm *out);
bool utc_fields(time_t seconds, struct tm *out);
/* What the local clock shows at `seconds` since 1970, in seconds since ordinal 0. */
bool local_seconds(long long seconds, long long *out);
/* The other way, in seconds since 1970. */
bool local_to_timestamp(long long seconds, int fold, long long *out);
/* The fixed offset that the local zone has at a moment in seconds since 1970. */
PyObject *local_zone_at(time_t seconds);

/* ---- pickles --------------------------------------------------------------------------------- */

/* How the state of a type looks: its size, and a byte that tells it from a plain argument. */
struct pickle_shape {
    const char *what; /* the type, for error messages */
    int size, index;
    unsigned mask, low, high;
};

/* Whether `state` is such bytes, or a str that Python 2 made of them. */
bool pickle_matches(PyObject *state, const struct pickle_shape *shape);
/* Copies what matches into data; false with ValueError for a str that was decoded wrongly. */
bool pickle_load(PyObject *state, const struct pickle_shape *shape, unsigned char *data);

#pragma GCC visibility pop

#endif
