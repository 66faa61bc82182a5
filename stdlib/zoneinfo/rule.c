/* Rules for each year, as in CET-1CEST,M3.5.0,M10.5.0/3, and looking up what holds when. */
#include "zoneinfo/zone.h"

/* ---- the calendar ---------------------------------------------------------------------------- */

static bool year_is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days from 1970-01-01 to the first day of a year, 0 or later. */
static int64_t days_before_year(int year)
{
    int64_t y = year + 399;
    return y * 365 + y / 4 - y / 100 + y / 400 - 719162 - 146097;
}

static int days_before_month(int year, int month)
{
    static const short days[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    return days[month - 1] + (month > 2 && year_is_leap(year));
}

/* The week-th such weekday of the month, the last one for week 5; Sunday is 0. */
static int64_t day_by_week(const struct change *change, int year)
{
    int before = days_before_month(year, change->month);
    int next =
        change->month < 12 ? days_before_month(year, change->month + 1) : 365 + year_is_leap(year);
    int64_t first = days_before_year(year) + before;
    int weekday = (int)(((first + 4) % 7 + 7) % 7); /* 1970 began on a Thursday */
    int day = (change->day - weekday + 7) % 7 + (change->week - 1) * 7;
    return first + (day < next - before ? day : day - 7);
}

int64_t change_in_year(const struct change *change, int year)
{
    int64_t day;
    if (change->kind == 'M') {
        day = day_by_week(change, year);
    } else {
        day = days_before_year(year) + change->day;
        if (change->kind == 'J') { /* counts from 1, and February 29 not at all */
            day += change->day >= 60 && year_is_leap(year) ? 0 : -1;
        }
    }
    return day * 86400 + change->seconds;
}

/* ---- looking up ------------------------------------------------------------------------------ */

/* The last change of a rule up to a moment. */
struct last_change {
    int64_t time;
    bool daylight; /* whether it began daylight saving time */
};

static void changes_see(struct last_change *last, int64_t time, int64_t start, int64_t end)
{
    bool start_first = start <= end;
    int64_t first = start_first ? start : end, second = start_first ? end : start;
    if (first <= time) {
        *last = (struct last_change){first, start_first};
    }
    if (second <= time) {
        *last = (struct last_change){second, !start_first};
    }
}

/* Changes are given as local times of each year, which may reach into the next one; so the
 * neighbours count as well.  At the same moment the later year's change decides: a zone may have
 * daylight saving time all the year. */
static struct last_change rule_last_change(const struct rule *rule, int64_t time, int year,
                                           int start_shift, int end_shift)
{
    struct last_change last = {INT64_MIN / 2, false};
    for (int y = year - 1; y <= year + 1; y++) {
        changes_see(&last, time, change_in_year(&rule->start, y) + start_shift,
                    change_in_year(&rule->end, y) + end_shift);
    }
    return last;
}

static const struct period *rule_period_local(const struct rule *rule, int64_t time, int year,
                                              int fold)
{
    if (!rule->yearly) {
        return &rule->standard;
    }
    /* The period with the smaller offset reaches from the end of the skipped hour to the end of the
     * doubled one for fold = 0, and from the start to the start for fold = 1. */
    int ahead = rule->daylight.utcoff - rule->standard.utcoff;
    bool early_end = fold == (ahead >= 0);
    struct last_change last =
        rule_last_change(rule, time, year, early_end ? 0 : ahead, early_end ? -ahead : 0);
    return last.daylight ? &rule->daylight : &rule->standard;
}

static const struct period *rule_period_utc(const struct rule *rule, int64_t time, int year,
                                            bool *fold)
{
    *fold = false;
    if (!rule->yearly) {
        return &rule->standard;
    }
    int standard = rule->standard.utcoff, daylight = rule->daylight.utcoff;
    struct last_change last = rule_last_change(rule, time, year, -standard, -daylight);
    int back = last.daylight ? standard - daylight : daylight - standard;
    *fold = time - last.time < back;
    return last.daylight ? &rule->daylight : &rule->standard;
}

/* How many of the times are not after `time`. */
static size_t count_until(const int64_t *times, size_t count, int64_t time)
{
    size_t low = 0;
    while (low < count) {
        size_t mid = low + (count - low) / 2;
        if (times[mid] <= time) {
            low = mid + 1;
        } else {
            count = mid;
        }
    }
    return low;
}

const struct period *zone_period_local(const struct zone_data *data, int64_t time, int year,
                                       int fold)
{
    const int64_t *local = data->local[fold];
    size_t count = data->count;
    if (count == 0 || time > local[count - 1]) {
        return rule_period_local(&data->after, time, year, fold);
    }
    if (time < local[0]) {
        return data->before;
    }
    return &data->periods[data->which[count_until(local, count, time) - 1]];
}

const struct period *zone_period_utc(const struct zone_data *data, int64_t time, int year,
                                     bool *fold)
{
    size_t count = data->count;
    *fold = false;
    if (count != 0 && time < data->utc[0]) {
        return data->before;
    }
    if (count == 0 || (time > data->utc[count - 1] && data->after.yearly)) {
        return rule_period_utc(&data->after, time, year, fold);
    }
    size_t at = count_until(data->utc, count, time) - 1;
    const struct period *now = &data->periods[data->which[at]];
    const struct period *earlier = at ? &data->periods[data->which[at - 1]] : data->before;
    *fold = earlier->utcoff - now->utcoff > time - data->utc[at];
    return now;
}

/* ---- reading --------------------------------------------------------------------------------- */

struct reader {
    const char *at, *end;
};

static bool take(struct reader *in, char c)
{
    if (in->at < in->end && *in->at == c) {
        in->at++;
        return true;
    }
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Between `least` and `most` digits. */
static bool take_number(struct reader *in, int least, int most, int *value)
{
    int count = 0;
    *value = 0;
    while (count < most && in->at < in->end && is_digit(*in->at)) {
        *value = *value * 10 + *in->at++ - '0';
        count++;
    }
    return count >= least;
}

/* Letters, or letters, digits and signs in angle brackets. */
static bool take_name(struct reader *in, PyObject **name)
{
    bool quoted = take(in, '<');
    const char *start = in->at;
    while (in->at < in->end
           && (is_letter(*in->at)
               || (quoted && (is_digit(*in->at) || *in->at == '+' || *in->at == '-')))) {
        in->at++;
    }
    Py_ssize_t size = in->at - start;
    if (size == 0 || (quoted && !take(in, '>'))) {
        return false;
    }
    *name = PyUnicode_FromStringAndSize(start, size);
    return *name != NULL;
}

/* [+-]h[hh][:mm[:ss]] in seconds. */
static bool take_span(struct reader *in, int most_hours, int *seconds)
{
    int hour, minute = 0, second = 0;
    bool minus = take(in, '-');
    if (!minus) {
        take(in, '+');
    }
    if (!take_number(in, 1, 3, &hour) || hour > most_hours) {
        return false;
    }
    if (take(in, ':')) {
        if (!take_number(in, 2, 2, &minute) || (take(in, ':') && !take_number(in, 2, 2, &second))) {
            return false;
        }
    }
    *seconds = hour * 3600 + minute * 60 + second;
    if (minus) {
        *seconds = -*seconds;
    }
    return true;
}

/* Offsets count to the west there. */
static bool take_offset(struct reader *in, int *seconds)
{
    if (!take_span(in, 24, seconds)) {
        return false;
    }
    *seconds = -*seconds;
    return true;
}

static bool take_change(struct reader *in, struct change *change)
{
    if (!take(in, ',')) {
        return false;
    }
    if (take(in, 'M')) {
        change->kind = 'M';
        if (!take_number(in, 1, 2, &change->month) || !take(in, '.')
            || !take_number(in, 1, 1, &change->week) || !take(in, '.')
            || !take_number(in, 1, 1, &change->day)) {
            return false;
        }
        if (change->month < 1 || change->month > 12 || change->week < 1 || change->week > 5
            || change->day > 6) {
            return false;
        }
    } else {
        change->kind = take(in, 'J') ? 'J' : 'N';
        if (!take_number(in, 1, 3, &change->day) || change->day > 365
            || (change->kind == 'J' && change->day == 0)) {
            return false;
        }
    }
    change->seconds = 2 * 3600;
    return !take(in, '/') || take_span(in, 167, &change->seconds);
}

/* The rule without its objects for offsets; false with or without an exception. */
static bool take_rule(struct reader *in, struct rule *rule)
{
    if (!take_name(in, &rule->standard.name)) {
        return false;
    }
    if (in->at == in->end) {
        return true;
    }
    if (!take_offset(in, &rule->standard.utcoff)) {
        return false;
    }
    if (in->at == in->end) {
        return true;
    }
    rule->yearly = true;
    if (!take_name(in, &rule->daylight.name)) {
        return false;
    }
    rule->daylight.utcoff = rule->standard.utcoff + 3600;
    if (in->at < in->end && *in->at != ',' && !take_offset(in, &rule->daylight.utcoff)) {
        return false;
    }
    rule->daylight.dstoff = rule->daylight.utcoff - rule->standard.utcoff;
    return take_change(in, &rule->start) && take_change(in, &rule->end) && in->at == in->end;
}

bool rule_read(struct rule *rule, const char *text, size_t size)
{
    struct reader in = {text, text + size};
    if (take_rule(&in, rule)) {
        return true;
    }
    if (!PyErr_Occurred()) {
        PyObject *shown = PyBytes_FromStringAndSize(text, (Py_ssize_t)size);
        if (shown != NULL) {
            PyErr_Format(PyExc_ValueError, "Malformed TZ string: %R", shown);
            Py_DECREF(shown);
        }
    }
    return false;
}
