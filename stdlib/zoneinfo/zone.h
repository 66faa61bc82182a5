/* What the files of the module _zoneinfo share: the data of a time zone and how to read it.
 *
 * A zone never changes once it is read.  Times are seconds since 1970: of UTC, or of what a local
 * clock shows. */
#ifndef KRAIT_STDLIB_ZONEINFO_ZONE_H
#define KRAIT_STDLIB_ZONEINFO_ZONE_H

#include "module.h"

#pragma GCC visibility push(hidden)

/* What holds for a while: the offset, how much of it is daylight saving time, and the name. */
struct period {
    int utcoff, dstoff;
    PyObject *utc_delta, *dst_delta, *name; /* owned; the deltas are made last */
};

/* When a rule changes, each year: the day as in M3.5.0, J60 or 59, and the time of day. */
struct change {
    char kind; /* 'M', 'J' or 'N' */
    int month, week, day;
    int seconds;
};

/* What holds after the last transition: always the same, or a rule for each year. */
struct rule {
    bool yearly;
    struct period standard, daylight;
    struct change start, end;
};

struct zone_data {
    size_t count; /* of transitions */
    int64_t *utc;
    int64_t *local[2]; /* as the clock shows them, by fold */
    uint8_t *which;    /* the period that begins */
    struct period *periods;
    size_t period_count;
    const struct period *before; /* before the first transition, or NULL */
    struct rule after;
    bool fixed; /* the same at all times */
};

/* Reads a TZif file.  `data` is all zero before; it is to be cleared also after a failure, which is
 * false with ValueError or MemoryError. */
bool zone_data_read(struct zone_data *data, const char *bytes, size_t size);
void zone_data_clear(struct zone_data *data);

/* Reads a POSIX TZ string; false with ValueError or MemoryError. */
bool rule_read(struct rule *rule, const char *text, size_t size);
/* The seconds that the clock shows when the changes of a year come. */
int64_t change_in_year(const struct change *change, int year);

/* Borrowed; the year is that of the time. */
const struct period *zone_period_local(const struct zone_data *data, int64_t time, int year,
                                       int fold);
/* Likewise for a time in UTC; tells whether local time then is the second of two equal ones. */
const struct period *zone_period_utc(const struct zone_data *data, int64_t time, int year,
                                     bool *fold);

#pragma GCC visibility pop

#endif
