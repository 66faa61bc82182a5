/* datetime: a date and a time of day. */
#include "datetime/internal.h"

#include "datetime.bind.h"

/* ---- making ---------------------------------------------------------------------------------- */

PyObject *datetime_make(PyTypeObject *type, const struct ymd *date, const struct clock_time *clock,
                        PyObject *zone, int fold)
{
    if (date_check(date->year, date->month, date->day) < 0 || clock_check(clock, fold) < 0
        || tzinfo_check(zone) < 0) {
        return NULL;
    }
    DateTime *self = type_make(type);
    if (self == NULL) {
        return NULL;
    }
    self->hashcode = -1;
    date_data_put(self->data, date->year, date->month, date->day);
    clock_data_put(self->data + 4, clock);
    self->fold = (unsigned char)fold;
    self->hastzinfo = zone != Py_None;
    if (self->hastzinfo) {
        self->tzinfo = Py_NewRef(zone);
    }
    return (PyObject *)self;
}

PyObject *datetime_make_by_call(PyTypeObject *type, const struct ymd *date,
                                const struct clock_time *clock, PyObject *zone, int fold)
{
    if (type == &datetime_type) {
        return datetime_make(type, date, clock, zone, fold);
    }
    PyObject *self =
        PyObject_CallFunction((PyObject *)type, "iiiiiiiO", date->year, date->month, date->day,
                              clock->hour, clock->minute, clock->second, clock->us, zone);
    if (self != NULL && is_datetime(self)) {
        ((DateTime *)self)->fold = (unsigned char)fold;
    }
    return self;
}

/* Splits microseconds since the start of ordinal 0; false with OverflowError. */
static bool fields_of_us(wide us, struct ymd *date, struct clock_time *clock)
{
    if (us < DAY_US || us >= (MAX_ORDINAL + 1) * DAY_US) {
        PyErr_SetString(PyExc_OverflowError, "date value out of range");
        return false;
    }
    long long seconds = (long long)us / SECOND_US;
    int of_day = (int)(seconds % DAY_SECONDS);
    *date = ymd_of((int)(seconds / DAY_SECONDS));
    *clock = (struct clock_time){of_day / 3600, of_day / 60 % 60, of_day % 60,
                                 (int)((long long)us % SECOND_US)};
    return true;
}

PyObject *datetime_from_us(PyTypeObject *type, wide us, PyObject *zone, int fold)
{
    struct ymd date;
    struct clock_time clock;
    return fields_of_us(us, &date, &clock) ? datetime_make(type, &date, &clock, zone, fold) : NULL;
}

PyObject *datetime_from_us_by_call(PyTypeObject *type, wide us, PyObject *zone, int fold)
{
    struct ymd date;
    struct clock_time clock;
    if (!fields_of_us(us, &date, &clock)) {
        return NULL;
    }
    return datetime_make_by_call(type, &date, &clock, zone, fold);
}

static PyObject *moment_new(PyTypeObject *type, int year, int month, int day, int hour, int minute,
                            int second, int us, PyObject *zone, int fold)
{
    return datetime_make(type, &(struct ymd){year, month, day},
                         &(struct clock_time){hour, minute, second, us}, zone, fold);
}

static void moment_dealloc(PyObject *op)
{
    DateTime *self = (DateTime *)op;
    if (self->hastzinfo) {
        Py_XDECREF(self->tzinfo);
    }
    Py_TYPE(op)->tp_free(op);
}

/* ---- pickles --------------------------------------------------------------------------------- */

static const struct pickle_shape moment_shape = {
    .what = "datetime",
    .size = _PyDateTime_DATETIME_DATASIZE,
    .index = 2,
    .mask = 0x7f,
    .low = 1,
    .high = 12,
};

static PyObject *moment_unpickle(PyTypeObject *type, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs == 2 && tzinfo_check(args[1]) < 0) {
        PyErr_SetString(PyExc_TypeError, "bad tzinfo state arg");
        return NULL;
    }
    DateTime *self = type_make(type);
    if (self == NULL) {
        return NULL;
    }
    self->hashcode = -1;
    if (!pickle_load(args[0], &moment_shape, self->data)) {
        Py_DECREF(self);
        return NULL;
    }
    self->fold = self->data[2] >> 7;
    self->data[2] &= 0x7f;
    if (nargs == 2 && args[1] != Py_None) {
        self->hastzinfo = 1;
        self->tzinfo = Py_NewRef(args[1]);
    }
    return (PyObject *)self;
}

static PyObject *moment_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t nargs = PyTuple_GET_SIZE(args);
    if (nargs >= 1 && nargs <= 2 && pickle_matches(PyTuple_GET_ITEM(args, 0), &moment_shape)) {
        return moment_unpickle(type, bind_items(args), nargs);
    }
    return bind_moment_new(type, args, kwargs);
}

static PyObject *moment_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                                   PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (nargs >= 1 && nargs <= 2 && pickle_matches(args[0], &moment_shape)) {
        return moment_unpickle((PyTypeObject *)type, args, nargs);
    }
    return bind_moment_new_vectorcall(type, args, nargsf, kwnames);
}

static PyObject *moment_reduce_ex(DateTime *self, int protocol)
{
    unsigned char data[_PyDateTime_DATETIME_DATASIZE];
    memcpy(data, self->data, sizeof data);
    if (protocol > 3 && self->fold) {
        data[2] |= 0x80;
    }
    PyObject *zone = datetime_zone(self);
    if (zone == Py_None) {
        return Py_BuildValue("O(y#)", Py_TYPE(self), data, (Py_ssize_t)sizeof data);
    }
    return Py_BuildValue("O(y#O)", Py_TYPE(self), data, (Py_ssize_t)sizeof data, zone);
}

static PyObject *moment_reduce(DateTime *self)
{
    return moment_reduce_ex(self, 2);
}

/* ---- from the clock -------------------------------------------------------------------------- */

/* Whether the local time `shown`, in seconds since ordinal 0, is the second of two equal ones:
 * a day before, the clock was ahead by more. */
static int local_fold(long long seconds, long long shown)
{
    long long before, again;
    if (!local_seconds(seconds - DAY_SECONDS, &before)) {
        PyErr_Clear();
        return 0;
    }
    long long change = shown - before - DAY_SECONDS;
    if (change >= 0) {
        return 0;
    }
    if (!local_seconds(seconds + change, &again)) {
        PyErr_Clear();
        return 0;
    }
    return again == shown;
}

static PyObject *datetime_at(PyTypeObject *type, struct timestamp at, bool local, PyObject *zone)
{
    struct tm tm;
    if (!(local ? local_fields : utc_fields)(at.seconds, &tm)) {
        return NULL;
    }
    struct ymd date = {tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday};
    struct clock_time clock = {tm.tm_hour, tm.tm_min, tm.tm_sec < 59 ? tm.tm_sec : 59, at.us};
    int fold = 0;
    if (local && date.year >= MIN_YEAR && date.year <= MAX_YEAR) {
        long long days = ordinal_of(date.year, date.month, date.day);
        fold = local_fold(at.seconds, days * DAY_SECONDS + clock_seconds(&clock));
    }
    return datetime_make_by_call(type, &date, &clock, zone, fold);
}

static PyObject *datetime_at_in_zone(PyTypeObject *type, struct timestamp at, PyObject *zone)
{
    PyObject *self = datetime_at(type, at, zone == Py_None, zone);
    if (self != NULL && zone != Py_None) {
        Py_SETREF(self, PyObject_CallMethodOneArg(zone, NAME(fromutc), self));
    }
    return self;
}

static PyObject *moment_now(PyTypeObject *type, PyObject *zone)
{
    return tzinfo_check(zone) < 0 ? NULL : datetime_at_in_zone(type, timestamp_now(), zone);
}

static PyObject *moment_fromtimestamp(PyTypeObject *type, PyObject *number, PyObject *zone)
{
    struct timestamp at;
    if (tzinfo_check(zone) < 0 || !timestamp_of(number, false, &at)) {
        return NULL;
    }
    return datetime_at_in_zone(type, at, zone);
}

static int warn_deprecated(const char *name, const char *instead)
{
    return PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                            "datetime.datetime.%s() is deprecated and scheduled for removal in a "
                            "future version. Use timezone-aware objects to represent datetimes in "
                            "UTC: datetime.datetime.%s.",
                            name, instead);
}

static PyObject *moment_utcnow(PyTypeObject *type)
{
    if (warn_deprecated("utcnow", "now(datetime.UTC)") < 0) {
        return NULL;
    }
    return datetime_at(type, timestamp_now(), false, Py_None);
}

static PyObject *moment_utcfromtimestamp(PyTypeObject *type, PyObject *number)
{
    struct timestamp at;
    if (warn_deprecated("utcfromtimestamp", "fromtimestamp(timestamp, datetime.UTC)") < 0
        || !timestamp_of(number, false, &at)) {
        return NULL;
    }
    return datetime_at(type, at, false, Py_None);
}

/* ---- from text and from parts ---------------------------------------------------------------- */

static PyObject *moment_strptime(PyTypeObject *type, PyObject *text, PyObject *format)
{
    PyObject *module = PyImport_ImportModule("_strptime");
    if (module == NULL) {
        return NULL;
    }
    PyObject *result =
        PyObject_CallMethodObjArgs(module, NAME(_strptime_datetime), type, text, format, NULL);
    Py_DECREF(module);
    return result;
}

static PyObject *moment_fromisoformat(PyTypeObject *type, PyObject *text)
{
    struct iso_text parsed;
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "fromisoformat: argument must be str");
        return NULL;
    }
    int rc = iso_parse_datetime(text, &parsed);
    if (rc <= 0) {
        return rc < 0 ? NULL : iso_parse_error(text);
    }
    PyObject *zone = iso_zone(&parsed);
    PyObject *self =
        zone ? datetime_make_by_call(type, &parsed.date, &parsed.clock, zone, 0) : NULL;
    Py_XDECREF(zone);
    return self;
}

static PyObject *moment_combine(PyTypeObject *type, PyObject *date, PyObject *time, PyObject *zone)
{
    struct ymd day = date_fields(date);
    struct clock_time clock = time_fields(time);
    return datetime_make_by_call(type, &day, &clock, zone ? zone : time_zone(time),
                                 ((Time *)time)->fold);
}

/* ---- fields ---------------------------------------------------------------------------------- */

static int moment_get_hour(DateTime *self)
{
    return PyDateTime_DATE_GET_HOUR(self);
}

static int moment_get_minute(DateTime *self)
{
    return PyDateTime_DATE_GET_MINUTE(self);
}

static int moment_get_second(DateTime *self)
{
    return PyDateTime_DATE_GET_SECOND(self);
}

static int moment_get_microsecond(DateTime *self)
{
    return PyDateTime_DATE_GET_MICROSECOND(self);
}

static PyObject *moment_get_tzinfo(DateTime *self)
{
    return Py_NewRef(datetime_zone(self));
}

static int moment_get_fold(DateTime *self)
{
    return self->fold;
}

static PyObject *moment_utcoffset(DateTime *self)
{
    return zone_utcoffset(datetime_zone(self), (PyObject *)self);
}

static PyObject *moment_dst(DateTime *self)
{
    return zone_dst(datetime_zone(self), (PyObject *)self);
}

static PyObject *moment_tzname(DateTime *self)
{
    return zone_tzname(datetime_zone(self), (PyObject *)self);
}

static PyObject *moment_date(DateTime *self)
{
    struct ymd date = date_fields(self);
    return date_make(&date_type, date.year, date.month, date.day);
}

static PyObject *moment_time(DateTime *self)
{
    struct clock_time clock = datetime_fields(self);
    return time_make(&time_type, &clock, Py_None, self->fold);
}

static PyObject *moment_timetz(DateTime *self)
{
    struct clock_time clock = datetime_fields(self);
    return time_make(&time_type, &clock, datetime_zone(self), self->fold);
}

static PyObject *moment_replace(DateTime *self, int year, int month, int day, int hour, int minute,
                                int second, int us, PyObject *zone, int fold)
{
    struct ymd date = date_fields(self);
    struct clock_time clock = datetime_fields(self);
    date.year = changed(year, date.year);
    date.month = changed(month, date.month);
    date.day = changed(day, date.day);
    clock.hour = changed(hour, clock.hour);
    clock.minute = changed(minute, clock.minute);
    clock.second = changed(second, clock.second);
    clock.us = changed(us, clock.us);
    fold = changed(fold, self->fold);
    if (clock_check(&clock, fold) < 0) {
        return NULL;
    }
    return datetime_make_by_call(Py_TYPE(self), &date, &clock, zone ? zone : datetime_zone(self),
                                 fold);
}

/* ---- arithmetic ------------------------------------------------------------------------------ */

static PyObject *moment_shifted(PyObject *op, PyObject *delta, int sign)
{
    return datetime_from_us_by_call(Py_TYPE(op), datetime_us(op) + sign * delta_us(delta),
                                    datetime_zone(op), 0);
}

static PyObject *moment_add(PyObject *left, PyObject *right)
{
    if (is_datetime(left) && is_delta(right)) {
        return moment_shifted(left, right, 1);
    }
    if (is_datetime(right) && is_delta(left)) {
        return moment_shifted(right, left, 1);
    }
    Py_RETURN_NOTIMPLEMENTED;
}

/* The offsets of both, None for those without; false with an exception.  Objects of one and the
 * same zone are compared without asking it: then both are None. */
static bool offsets_of_two(PyObject *left, PyObject *right, PyObject **offset_left,
                           PyObject **offset_right)
{
    *offset_right = NULL;
    if (datetime_zone(left) == datetime_zone(right)) {
        *offset_left = Py_NewRef(Py_None);
        *offset_right = Py_NewRef(Py_None);
        return true;
    }
    *offset_left = moment_utcoffset((DateTime *)left);
    if (*offset_left != NULL) {
        *offset_right = moment_utcoffset((DateTime *)right);
        if (*offset_right != NULL) {
            return true;
        }
        Py_DECREF(*offset_left);
    }
    return false;
}

/* left - right in microseconds; the offsets are both given or both None. */
static wide moment_difference(PyObject *left, PyObject *right, PyObject *offset_left,
                              PyObject *offset_right)
{
    wide difference = (wide)datetime_us(left) - datetime_us(right);
    if (offset_left != Py_None) {
        difference += delta_us(offset_right) - delta_us(offset_left);
    }
    return difference;
}

static PyObject *moment_subtract(PyObject *left, PyObject *right)
{
    if (!is_datetime(left)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (is_delta(right)) {
        return moment_shifted(left, right, -1);
    }
    if (!is_datetime(right)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *offset_left, *offset_right, *result = NULL;
    if (!offsets_of_two(left, right, &offset_left, &offset_right)) {
        return NULL;
    }
    if ((offset_left == Py_None) != (offset_right == Py_None)) {
        PyErr_SetString(PyExc_TypeError, "can't subtract offset-naive and offset-aware datetimes");
    } else {
        result =
            delta_from_us(&delta_type, moment_difference(left, right, offset_left, offset_right));
    }
    Py_DECREF(offset_left);
    Py_DECREF(offset_right);
    return result;
}

/* ---- comparing ------------------------------------------------------------------------------- */

static PyObject *moment_with_fold(PyObject *op, int fold)
{
    struct ymd date = date_fields(op);
    struct clock_time clock = datetime_fields(op);
    return datetime_make(&datetime_type, &date, &clock, datetime_zone(op), fold);
}

/* Whether the offset depends on fold: such a moment equals none of another zone.  -1 with an
 * exception. */
static int moment_is_ambiguous(PyObject *op, PyObject *offset)
{
    PyObject *flipped = moment_with_fold(op, !((DateTime *)op)->fold);
    if (flipped == NULL) {
        return -1;
    }
    PyObject *other = moment_utcoffset((DateTime *)flipped);
    Py_DECREF(flipped);
    if (other == NULL) {
        return -1;
    }
    bool same =
        other == offset || (other != Py_None && offset != Py_None && delta_equal(other, offset));
    Py_DECREF(other);
    return !same;
}

static PyObject *compare_by_offset(PyObject *left, PyObject *right, PyObject *offset_left,
                                   PyObject *offset_right, int op)
{
    bool equality = op == Py_EQ || op == Py_NE;
    if ((offset_left == Py_None) != (offset_right == Py_None)) {
        if (equality) {
            return PyBool_FromLong(op == Py_NE);
        }
        PyErr_SetString(PyExc_TypeError, "can't compare offset-naive and offset-aware datetimes");
        return NULL;
    }
    wide difference = moment_difference(left, right, offset_left, offset_right);
    int order = (difference > 0) - (difference < 0);
    if (equality && order == 0) {
        order = moment_is_ambiguous(left, offset_left);
        if (order == 0) {
            order = moment_is_ambiguous(right, offset_right);
        }
        if (order < 0) {
            return NULL;
        }
    }
    return compare_result(order, op);
}

static PyObject *moment_richcompare(PyObject *left, PyObject *right, int op)
{
    if (!is_datetime(right)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (datetime_zone(left) == datetime_zone(right)) {
        return compare_result(memcmp(((DateTime *)left)->data, ((DateTime *)right)->data,
                                     _PyDateTime_DATETIME_DATASIZE),
                              op);
    }
    PyObject *offset_left, *offset_right;
    if (!offsets_of_two(left, right, &offset_left, &offset_right)) {
        return NULL;
    }
    PyObject *result = compare_by_offset(left, right, offset_left, offset_right, op);
    Py_DECREF(offset_left);
    Py_DECREF(offset_right);
    return result;
}

/* Equal moments in different zones must have equal hashes; so fold is left out of account. */
static Py_hash_t moment_hash(PyObject *op)
{
    DateTime *self = (DateTime *)op;
    Py_hash_t hash = hash_cached(&self->hashcode);
    if (hash != -1) {
        return hash;
    }
    PyObject *offset;
    if (self->fold) {
        PyObject *first = moment_with_fold(op, 0);
        offset = first ? moment_utcoffset((DateTime *)first) : NULL;
        Py_XDECREF(first);
    } else {
        offset = moment_utcoffset(self);
    }
    if (offset == NULL) {
        return -1;
    }
    if (offset == Py_None) {
        hash = hash_bytes(self->data, sizeof self->data);
    } else {
        long long us = datetime_us(self) - delta_us_short(offset);
        hash = hash_bytes(&us, sizeof us);
    }
    Py_DECREF(offset);
    return hash_store(&self->hashcode, hash);
}

/* ---- time zones ------------------------------------------------------------------------------ */

/* The local zone at what a moment without a zone shows.  For a time that was skipped, fold tells
 * whether to take the offset before or after the jump; its timestamp is on the other side. */
static PyObject *local_zone_for(DateTime *self)
{
    long long seconds = datetime_us(self) / SECOND_US, timestamp, other;
    if (!local_to_timestamp(seconds, self->fold, &timestamp)
        || !local_to_timestamp(seconds, !self->fold, &other)) {
        return NULL;
    }
    if (other != timestamp && (other > timestamp) == (self->fold != 0)) {
        timestamp = other;
    }
    return local_zone_at((time_t)timestamp);
}

/* The zone of self, the local one if it has none, and its offset; false with an exception. */
static bool own_zone(DateTime *self, PyObject **zone, PyObject **offset)
{
    *zone = Py_NewRef(datetime_zone(self));
    *offset = zone_utcoffset(*zone, (PyObject *)self);
    if (*offset == Py_None) {
        Py_DECREF(*offset);
        Py_SETREF(*zone, local_zone_for(self));
        *offset = *zone ? zone_utcoffset(*zone, (PyObject *)self) : NULL;
    }
    if (*offset == NULL) {
        Py_XDECREF(*zone);
        return false;
    }
    return true;
}

static PyObject *moment_astimezone(DateTime *self, PyObject *zone)
{
    PyObject *from, *offset, *result = NULL;
    if (tzinfo_check(zone) < 0) {
        return NULL;
    }
    if (zone != Py_None && zone == datetime_zone(self)) {
        return Py_NewRef(self);
    }
    if (!own_zone(self, &from, &offset)) {
        return NULL;
    }
    if (from == zone) {
        result = Py_NewRef(self);
        goto done;
    }
    wide us = datetime_us(self) - delta_us(offset);
    if (zone == Py_None) {
        long long rest, seconds = floor_divide((long long)us, SECOND_US, &rest);
        zone = local_zone_at((time_t)(seconds - EPOCH_SECONDS));
        if (zone == NULL) {
            goto done;
        }
    } else {
        Py_INCREF(zone);
    }
    result = datetime_from_us_by_call(Py_TYPE(self), us, zone, 0);
    if (result != NULL && zone != (PyObject *)&utc_zone) {
        Py_SETREF(result, PyObject_CallMethodOneArg(zone, NAME(fromutc), result));
    }
    Py_DECREF(zone);
done:
    Py_DECREF(from);
    Py_DECREF(offset);
    return result;
}

static PyObject *moment_timestamp(DateTime *self)
{
    long long us = datetime_us(self) - EPOCH_SECONDS * SECOND_US;
    PyObject *offset = moment_utcoffset(self);
    if (offset == NULL) {
        return NULL;
    }
    bool naive = offset == Py_None;
    us -= naive ? 0 : delta_us_short(offset);
    Py_DECREF(offset);
    if (naive) {
        long long seconds;
        if (!local_to_timestamp(datetime_us(self) / SECOND_US, self->fold, &seconds)) {
            return NULL;
        }
        return PyFloat_FromDouble((double)seconds + moment_get_microsecond(self) / 1e6);
    }
    if (us > -(1LL << 53) && us < 1LL << 53) {
        return PyFloat_FromDouble((double)us / 1e6);
    }
    PyObject *delta = delta_from_us(&delta_type, us);
    PyObject *result = delta ? PyObject_CallMethod(delta, "total_seconds", NULL) : NULL;
    Py_XDECREF(delta);
    return result;
}

/* ---- tuples ---------------------------------------------------------------------------------- */

static PyObject *moment_timetuple(DateTime *self)
{
    PyObject *dst = moment_dst(self);
    if (dst == NULL) {
        return NULL;
    }
    int flag = dst == Py_None ? -1 : delta_us(dst) != 0;
    Py_DECREF(dst);
    struct ymd date = date_fields(self);
    struct clock_time clock = datetime_fields(self);
    return struct_time_make(date.year, date.month, date.day, &clock, flag);
}

static PyObject *moment_utctimetuple(DateTime *self)
{
    struct ymd date = date_fields(self);
    struct clock_time clock = datetime_fields(self);
    PyObject *offset = moment_utcoffset(self);
    if (offset == NULL) {
        return NULL;
    }
    bool fine =
        offset == Py_None || fields_of_us(datetime_us(self) - delta_us(offset), &date, &clock);
    Py_DECREF(offset);
    return fine ? struct_time_make(date.year, date.month, date.day, &clock, 0) : NULL;
}

/* ---- text ------------------------------------------------------------------------------------ */

static PyObject *moment_repr(PyObject *op)
{
    struct ymd date = date_fields(op);
    struct clock_time clock = datetime_fields(op);
    char text[80];
    int size = snprintf(text, sizeof text, "%d, %d, %d, %d, %d", date.year, date.month, date.day,
                        clock.hour, clock.minute);
    if (clock.second || clock.us) {
        size += snprintf(text + size, sizeof text - (size_t)size, ", %d", clock.second);
    }
    if (clock.us) {
        snprintf(text + size, sizeof text - (size_t)size, ", %d", clock.us);
    }
    PyObject *all = PyUnicode_FromFormat("%s(%s)", Py_TYPE(op)->tp_name, text);
    return repr_complete(all, ((DateTime *)op)->fold, datetime_zone(op));
}

static PyObject *moment_isoformat(DateTime *self, Py_UCS4 separator, const char *timespec)
{
    char text[80];
    struct clock_time clock = datetime_fields(self);
    char *mid = date_put(text, self);
    *mid = (char)separator;
    char *end = clock_put(mid + 1, &clock, timespec);
    if (end == NULL) {
        return NULL;
    }
    if (self->hastzinfo) {
        PyObject *offset = moment_utcoffset(self);
        if (offset == NULL) {
            return NULL;
        }
        end = offset_put(end, offset, ":");
        Py_DECREF(offset);
    }
    if (LIKELY(separator < 128)) {
        return PyUnicode_FromStringAndSize(text, end - text);
    }
    *mid = *end = '\0';
    return PyUnicode_FromFormat("%s%c%s", text, (int)separator, mid + 1);
}

static PyObject *moment_str(PyObject *op)
{
    if (Py_IS_TYPE(op, &datetime_type)) {
        return moment_isoformat((DateTime *)op, ' ', NULL);
    }
    PyObject *space = PyUnicode_FromStringAndSize(" ", 1);
    PyObject *text = space ? PyObject_CallMethodOneArg(op, NAME(isoformat), space) : NULL;
    Py_XDECREF(space);
    return text;
}

static PyObject *moment_strftime(DateTime *self, PyObject *format)
{
    PyObject *tuple = PyObject_CallMethodNoArgs((PyObject *)self, NAME(timetuple));
    if (tuple == NULL) {
        return NULL;
    }
    PyObject *text = format_with_strftime((PyObject *)self, format, tuple, datetime_zone(self),
                                          (PyObject *)self, moment_get_microsecond(self));
    Py_DECREF(tuple);
    return text;
}

/* ---- the type -------------------------------------------------------------------------------- */

static PyNumberMethods moment_as_number = {
    .nb_add = moment_add,
    .nb_subtract = moment_subtract,
};

PyTypeObject datetime_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "datetime.datetime",
    .tp_basicsize = sizeof(DateTime),
    .tp_dealloc = moment_dealloc,
    .tp_repr = moment_repr,
    .tp_as_number = &moment_as_number,
    .tp_hash = moment_hash,
    .tp_str = moment_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = moment_doc,
    .tp_richcompare = moment_richcompare,
    .tp_methods = moment_methods,
    .tp_getset = moment_getset,
    .tp_base = &date_type,
    .tp_new = moment_tp_new,
    .tp_vectorcall = moment_vectorcall,
};
