/* time: a time of day. */
#include "datetime/internal.h"

#include "time_of_day.bind.h"

/* ---- making ---------------------------------------------------------------------------------- */

static int raise_value(const char *text)
{
    PyErr_SetString(PyExc_ValueError, text);
    return -1;
}

int clock_check(const struct clock_time *clock, int fold)
{
    if (clock->hour < 0 || clock->hour > 23) {
        return raise_value("hour must be in 0..23");
    }
    if (clock->minute < 0 || clock->minute > 59) {
        return raise_value("minute must be in 0..59");
    }
    if (clock->second < 0 || clock->second > 59) {
        return raise_value("second must be in 0..59");
    }
    if (clock->us < 0 || clock->us > 999999) {
        return raise_value("microsecond must be in 0..999999");
    }
    return fold == 0 || fold == 1 ? 0 : raise_value("fold must be either 0 or 1");
}

int tzinfo_check(PyObject *zone)
{
    if (zone == Py_None || is_tzinfo(zone)) {
        return 0;
    }
    PyErr_Format(PyExc_TypeError,
                 "tzinfo argument must be None or of a tzinfo subclass, not type '%s'",
                 Py_TYPE(zone)->tp_name);
    return -1;
}

PyObject *time_make(PyTypeObject *type, const struct clock_time *clock, PyObject *zone, int fold)
{
    if (clock_check(clock, fold) < 0 || tzinfo_check(zone) < 0) {
        return NULL;
    }
    Time *self = type_make(type);
    if (self == NULL) {
        return NULL;
    }
    self->hashcode = -1;
    clock_data_put(self->data, clock);
    self->fold = (unsigned char)fold;
    self->hastzinfo = zone != Py_None;
    if (self->hastzinfo) {
        self->tzinfo = Py_NewRef(zone);
    }
    return (PyObject *)self;
}

PyObject *time_make_by_call(PyTypeObject *type, const struct clock_time *clock, PyObject *zone,
                            int fold)
{
    if (type == &time_type) {
        return time_make(type, clock, zone, fold);
    }
    PyObject *self = PyObject_CallFunction((PyObject *)type, "iiiiO", clock->hour, clock->minute,
                                           clock->second, clock->us, zone);
    if (self != NULL && is_time(self)) {
        ((Time *)self)->fold = (unsigned char)fold;
    }
    return self;
}

static PyObject *time_new(PyTypeObject *type, int hour, int minute, int second, int us,
                          PyObject *zone, int fold)
{
    return time_make(type, &(struct clock_time){hour, minute, second, us}, zone, fold);
}

static void time_dealloc(PyObject *op)
{
    Time *self = (Time *)op;
    if (self->hastzinfo) {
        Py_XDECREF(self->tzinfo);
    }
    Py_TYPE(op)->tp_free(op);
}

/* ---- pickles --------------------------------------------------------------------------------- */

static const struct pickle_shape time_shape = {
    .what = "time",
    .size = _PyDateTime_TIME_DATASIZE,
    .index = 0,
    .mask = 0x7f,
    .low = 0,
    .high = 23,
};

static PyObject *time_unpickle(PyTypeObject *type, PyObject *const *args, Py_ssize_t nargs)
{
    if (nargs == 2 && tzinfo_check(args[1]) < 0) {
        PyErr_SetString(PyExc_TypeError, "bad tzinfo state arg");
        return NULL;
    }
    Time *self = type_make(type);
    if (self == NULL) {
        return NULL;
    }
    self->hashcode = -1;
    if (!pickle_load(args[0], &time_shape, self->data)) {
        Py_DECREF(self);
        return NULL;
    }
    self->fold = self->data[0] >> 7;
    self->data[0] &= 0x7f;
    if (nargs == 2 && args[1] != Py_None) {
        self->hastzinfo = 1;
        self->tzinfo = Py_NewRef(args[1]);
    }
    return (PyObject *)self;
}

static PyObject *time_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t nargs = PyTuple_GET_SIZE(args);
    if (nargs >= 1 && nargs <= 2 && pickle_matches(PyTuple_GET_ITEM(args, 0), &time_shape)) {
        return time_unpickle(type, bind_items(args), nargs);
    }
    return bind_time_new(type, args, kwargs);
}

static PyObject *time_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                                 PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (nargs >= 1 && nargs <= 2 && !PyLong_Check(args[0])
        && pickle_matches(args[0], &time_shape)) {
        return time_unpickle((PyTypeObject *)type, args, nargs);
    }
    return bind_time_new_vectorcall(type, args, nargsf, kwnames);
}

static PyObject *time_reduce_ex(Time *self, int protocol)
{
    unsigned char data[_PyDateTime_TIME_DATASIZE];
    memcpy(data, self->data, sizeof data);
    if (protocol > 3 && self->fold) {
        data[0] |= 0x80;
    }
    PyObject *zone = time_zone(self);
    if (zone == Py_None) {
        return Py_BuildValue("O(y#)", Py_TYPE(self), data, (Py_ssize_t)sizeof data);
    }
    return Py_BuildValue("O(y#O)", Py_TYPE(self), data, (Py_ssize_t)sizeof data, zone);
}

static PyObject *time_reduce(Time *self)
{
    return time_reduce_ex(self, 2);
}

/* ---- fields ---------------------------------------------------------------------------------- */

static int time_get_hour(Time *self)
{
    return self->data[0];
}

static int time_get_minute(Time *self)
{
    return self->data[1];
}

static int time_get_second(Time *self)
{
    return self->data[2];
}

static int time_get_microsecond(Time *self)
{
    return PyDateTime_TIME_GET_MICROSECOND(self);
}

static PyObject *time_get_tzinfo(Time *self)
{
    return Py_NewRef(time_zone(self));
}

static int time_get_fold(Time *self)
{
    return self->fold;
}

static PyObject *time_utcoffset(Time *self)
{
    return zone_utcoffset(time_zone(self), Py_None);
}

static PyObject *time_dst(Time *self)
{
    return zone_dst(time_zone(self), Py_None);
}

static PyObject *time_tzname(Time *self)
{
    return zone_tzname(time_zone(self), Py_None);
}

static PyObject *time_replace(Time *self, int hour, int minute, int second, int us, PyObject *zone,
                              int fold)
{
    struct clock_time clock = time_fields(self);
    clock.hour = changed(hour, clock.hour);
    clock.minute = changed(minute, clock.minute);
    clock.second = changed(second, clock.second);
    clock.us = changed(us, clock.us);
    fold = changed(fold, self->fold);
    if (clock_check(&clock, fold) < 0) {
        return NULL;
    }
    return time_make_by_call(Py_TYPE(self), &clock, zone ? zone : time_zone(self), fold);
}

/* ---- comparing, hashing ---------------------------------------------------------------------- */

static long long time_us(Time *self)
{
    struct clock_time clock = time_fields(self);
    return clock_seconds(&clock) * SECOND_US + clock.us;
}

static PyObject *compare_by_offset(Time *a, Time *b, PyObject *offset_a, PyObject *offset_b, int op)
{
    if ((offset_a == Py_None) != (offset_b == Py_None)) {
        if (op == Py_EQ || op == Py_NE) {
            return PyBool_FromLong(op == Py_NE);
        }
        PyErr_SetString(PyExc_TypeError, "can't compare offset-naive and offset-aware times");
        return NULL;
    }
    long long left = time_us(a), right = time_us(b);
    if (offset_a != Py_None) {
        left -= delta_us_short(offset_a);
        right -= delta_us_short(offset_b);
    }
    return compare_result((left > right) - (left < right), op);
}

static PyObject *time_richcompare(PyObject *left, PyObject *right, int op)
{
    if (!is_time(right)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    Time *a = (Time *)left, *b = (Time *)right;
    if (time_zone(a) == time_zone(b)) {
        return compare_result(memcmp(a->data, b->data, sizeof a->data), op);
    }
    PyObject *offset_a = time_utcoffset(a);
    PyObject *offset_b = offset_a ? time_utcoffset(b) : NULL;
    PyObject *result = offset_b ? compare_by_offset(a, b, offset_a, offset_b, op) : NULL;
    Py_XDECREF(offset_a);
    Py_XDECREF(offset_b);
    return result;
}

/* Equal times of different folds and zones must have equal hashes. */
static Py_hash_t time_hash(PyObject *op)
{
    Time *self = (Time *)op;
    Py_hash_t hash = hash_cached(&self->hashcode);
    if (hash != -1) {
        return hash;
    }
    PyObject *offset;
    if (self->fold) {
        struct clock_time clock = time_fields(self);
        PyObject *first = time_make(&time_type, &clock, time_zone(self), 0);
        offset = first ? time_utcoffset((Time *)first) : NULL;
        Py_XDECREF(first);
    } else {
        offset = time_utcoffset(self);
    }
    if (offset == NULL) {
        return -1;
    }
    if (offset == Py_None) {
        hash = hash_bytes(self->data, sizeof self->data);
    } else {
        long long us = time_us(self) - delta_us_short(offset);
        hash = hash_bytes(&us, sizeof us);
    }
    Py_DECREF(offset);
    return hash_store(&self->hashcode, hash);
}

/* ---- text ------------------------------------------------------------------------------------ */

static PyObject *time_repr(PyObject *op)
{
    Time *self = (Time *)op;
    struct clock_time clock = time_fields(self);
    const char *name = Py_TYPE(op)->tp_name;
    PyObject *text;
    if (clock.us) {
        text = PyUnicode_FromFormat("%s(%d, %d, %d, %d)", name, clock.hour, clock.minute,
                                    clock.second, clock.us);
    } else if (clock.second) {
        text = PyUnicode_FromFormat("%s(%d, %d, %d)", name, clock.hour, clock.minute, clock.second);
    } else {
        text = PyUnicode_FromFormat("%s(%d, %d)", name, clock.hour, clock.minute);
    }
    return repr_complete(text, self->fold, time_zone(self));
}

static PyObject *time_isoformat(Time *self, const char *timespec)
{
    char text[64];
    struct clock_time clock = time_fields(self);
    char *end = clock_put(text, &clock, timespec);
    if (end == NULL) {
        return NULL;
    }
    if (self->hastzinfo) {
        PyObject *offset = time_utcoffset(self);
        if (offset == NULL) {
            return NULL;
        }
        end = offset_put(end, offset, ":");
        Py_DECREF(offset);
    }
    return PyUnicode_FromStringAndSize(text, end - text);
}

static PyObject *time_str(PyObject *op)
{
    if (Py_IS_TYPE(op, &time_type)) {
        return time_isoformat((Time *)op, NULL);
    }
    return PyObject_CallMethodNoArgs(op, NAME(isoformat));
}

/* As if on the first day of 1900. */
static PyObject *time_strftime(Time *self, PyObject *format)
{
    PyObject *tuple = Py_BuildValue("iiiiiiiii", 1900, 1, 1, self->data[0], self->data[1],
                                    self->data[2], 0, 1, -1);
    if (tuple == NULL) {
        return NULL;
    }
    PyObject *text = format_with_strftime((PyObject *)self, format, tuple, time_zone(self), Py_None,
                                          time_get_microsecond(self));
    Py_DECREF(tuple);
    return text;
}

static PyObject *time_format(Time *self, PyObject *format)
{
    return format_dispatch((PyObject *)self, format);
}

static PyObject *time_fromisoformat(PyTypeObject *type, PyObject *text)
{
    struct iso_text parsed;
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "fromisoformat: argument must be str");
        return NULL;
    }
    int rc = iso_parse_time(text, &parsed);
    if (rc <= 0) {
        return rc < 0 ? NULL : iso_parse_error(text);
    }
    PyObject *zone = iso_zone(&parsed);
    PyObject *self = zone ? time_make_by_call(type, &parsed.clock, zone, 0) : NULL;
    Py_XDECREF(zone);
    return self;
}

/* ---- the type -------------------------------------------------------------------------------- */

PyTypeObject time_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "datetime.time",
    .tp_basicsize = sizeof(Time),
    .tp_dealloc = time_dealloc,
    .tp_repr = time_repr,
    .tp_hash = time_hash,
    .tp_str = time_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = time_doc,
    .tp_richcompare = time_richcompare,
    .tp_methods = time_methods,
    .tp_getset = time_getset,
    .tp_new = time_tp_new,
    .tp_vectorcall = time_vectorcall,
};
