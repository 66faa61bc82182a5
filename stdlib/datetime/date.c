/* date, and the tuple that isocalendar() gives. */
#include "datetime/internal.h"

#include "date.bind.h"

/* ---- making ---------------------------------------------------------------------------------- */

int date_check(int year, int month, int day)
{
    if (year < MIN_YEAR || year > MAX_YEAR) {
        PyErr_Format(PyExc_ValueError, "year %i is out of range", year);
        return -1;
    }
    if (month < 1 || month > 12) {
        PyErr_SetString(PyExc_ValueError, "month must be in 1..12");
        return -1;
    }
    if (day < 1 || (day > 28 && day > month_length(year, month))) {
        PyErr_SetString(PyExc_ValueError, "day is out of range for month");
        return -1;
    }
    return 0;
}

PyObject *date_make(PyTypeObject *type, int year, int month, int day)
{
    if (date_check(year, month, day) < 0) {
        return NULL;
    }
    Date *self = type_make(type);
    if (self != NULL) {
        self->hashcode = -1;
        date_data_put(self->data, year, month, day);
    }
    return (PyObject *)self;
}

PyObject *date_make_by_call(PyTypeObject *type, int year, int month, int day)
{
    if (type == &date_type) {
        return date_make(type, year, month, day);
    }
    return PyObject_CallFunction((PyObject *)type, "iii", year, month, day);
}

static PyObject *date_new(PyTypeObject *type, int year, int month, int day)
{
    return date_make(type, year, month, day);
}

static PyObject *date_from_ordinal(PyTypeObject *type, int ordinal)
{
    struct ymd date = ymd_of(ordinal);
    return date_make_by_call(type, date.year, date.month, date.day);
}

/* ---- pickles --------------------------------------------------------------------------------- */

bool pickle_matches(PyObject *state, const struct pickle_shape *shape)
{
    unsigned mark;
    if (PyBytes_Check(state)) {
        if (PyBytes_GET_SIZE(state) != shape->size) {
            return false;
        }
        mark = (unsigned char)PyBytes_AS_STRING(state)[shape->index];
    } else if (PyUnicode_Check(state) && PyUnicode_GET_LENGTH(state) == shape->size) {
        mark = PyUnicode_READ_CHAR(state, shape->index);
    } else {
        return false;
    }
    return (mark & shape->mask) >= shape->low && (mark & shape->mask) <= shape->high
           && mark <= 0xff;
}

bool pickle_load(PyObject *state, const struct pickle_shape *shape, unsigned char *data)
{
    if (PyBytes_Check(state)) {
        memcpy(data, PyBytes_AS_STRING(state), (size_t)shape->size);
        return true;
    }
    for (int i = 0; i < shape->size; i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(state, i);
        if (c > 0xff) {
            PyErr_Format(PyExc_ValueError,
                         "Failed to encode latin1 string when unpickling a %s object. "
                         "pickle.load(data, encoding='latin1') is assumed.",
                         shape->what);
            return false;
        }
        data[i] = (unsigned char)c;
    }
    return true;
}

static const struct pickle_shape date_shape = {
    .what = "date",
    .size = _PyDateTime_DATE_DATASIZE,
    .index = 2,
    .mask = ~0u,
    .low = 1,
    .high = 12,
};

static PyObject *date_unpickle(PyTypeObject *type, PyObject *state)
{
    Date *self = type_make(type);
    if (self != NULL) {
        self->hashcode = -1;
        if (!pickle_load(state, &date_shape, self->data)) {
            Py_CLEAR(self);
        }
    }
    return (PyObject *)self;
}

static PyObject *date_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) == 1 && pickle_matches(PyTuple_GET_ITEM(args, 0), &date_shape)) {
        return date_unpickle(type, PyTuple_GET_ITEM(args, 0));
    }
    return bind_date_new(type, args, kwargs);
}

static PyObject *date_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                                 PyObject *kwnames)
{
    if (PyVectorcall_NARGS(nargsf) == 1 && pickle_matches(args[0], &date_shape)) {
        return date_unpickle((PyTypeObject *)type, args[0]);
    }
    return bind_date_new_vectorcall(type, args, nargsf, kwnames);
}

static PyObject *date_reduce(Date *self)
{
    return Py_BuildValue("O(y#)", Py_TYPE(self), self->data, (Py_ssize_t)_PyDateTime_DATE_DATASIZE);
}

/* ---- other constructors ---------------------------------------------------------------------- */

static PyObject *date_fromtimestamp(PyTypeObject *type, PyObject *number)
{
    struct timestamp at;
    struct tm fields;
    if (!timestamp_of(number, true, &at) || !local_fields(at.seconds, &fields)) {
        return NULL;
    }
    return date_make_by_call(type, fields.tm_year + 1900, fields.tm_mon + 1, fields.tm_mday);
}

static PyObject *date_fromordinal(PyTypeObject *type, int ordinal)
{
    if (ordinal < 1) {
        PyErr_SetString(PyExc_ValueError, "ordinal must be >= 1");
        return NULL;
    }
    return date_from_ordinal(type, ordinal);
}

static PyObject *date_fromisoformat(PyTypeObject *type, PyObject *text)
{
    struct iso_text parsed;
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "fromisoformat: argument must be str");
        return NULL;
    }
    int rc = iso_parse_date(text, &parsed);
    if (rc <= 0) {
        return rc < 0 ? NULL : iso_parse_error(text);
    }
    return date_make_by_call(type, parsed.date.year, parsed.date.month, parsed.date.day);
}

/* False with an exception. */
static bool iso_component(PyObject *arg, int *out)
{
    if (bind_int(arg, out)) {
        return true;
    }
    if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
        PyErr_SetString(PyExc_ValueError, "ISO calendar component out of range");
    }
    return false;
}

static PyObject *date_fromisocalendar(PyTypeObject *type, PyObject *year_arg, PyObject *week_arg,
                                      PyObject *day_arg)
{
    int year, week, day;
    if (!iso_component(year_arg, &year) || !iso_component(week_arg, &week)
        || !iso_component(day_arg, &day)) {
        return NULL;
    }
    struct ymd date;
    if (year < MIN_YEAR || year > MAX_YEAR) {
        return PyErr_Format(PyExc_ValueError, "Year is out of range: %d", year);
    }
    if (!iso_week_date(year, week, 1, &date)) {
        return PyErr_Format(PyExc_ValueError, "Invalid week: %d", week);
    }
    if (!iso_week_date(year, week, day, &date)) {
        return PyErr_Format(PyExc_ValueError, "Invalid day: %d (range is [1, 7])", day);
    }
    return date_make_by_call(type, date.year, date.month, date.day);
}

/* Through time.time() and fromtimestamp(), both of which may be replaced. */
static PyObject *date_today(PyTypeObject *type)
{
    PyObject *time = PyImport_ImportModule("time");
    PyObject *now = time ? PyObject_CallMethodNoArgs(time, NAME(time)) : NULL;
    PyObject *result =
        now ? PyObject_CallMethodOneArg((PyObject *)type, NAME(fromtimestamp), now) : NULL;
    Py_XDECREF(time);
    Py_XDECREF(now);
    return result;
}

/* ---- arithmetic ------------------------------------------------------------------------------ */

static PyObject *date_shifted(PyObject *op, long long days)
{
    days += date_ordinal(op);
    if (days < 1 || days > MAX_ORDINAL) {
        PyErr_SetString(PyExc_OverflowError, "date value out of range");
        return NULL;
    }
    return date_from_ordinal(Py_TYPE(op), (int)days);
}

static PyObject *date_add(PyObject *left, PyObject *right)
{
    if (is_datetime(left) || is_datetime(right)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (is_date(left)) {
        if (is_delta(right)) {
            return date_shifted(left, ((Delta *)right)->days);
        }
    } else if (is_delta(left)) {
        return date_shifted(right, ((Delta *)left)->days);
    }
    Py_RETURN_NOTIMPLEMENTED;
}

static PyObject *date_subtract(PyObject *left, PyObject *right)
{
    if (is_datetime(left) || is_datetime(right) || !is_date(left)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (is_date(right)) {
        return delta_make(&delta_type, date_ordinal(left) - date_ordinal(right), 0, 0);
    }
    if (is_delta(right)) {
        return date_shifted(left, -(long long)((Delta *)right)->days);
    }
    Py_RETURN_NOTIMPLEMENTED;
}

static PyObject *date_replace(Date *self, int year, int month, int day)
{
    struct ymd old = date_fields(self);
    return date_make_by_call(Py_TYPE(self), changed(year, old.year), changed(month, old.month),
                             changed(day, old.day));
}

/* ---- comparing, hashing ---------------------------------------------------------------------- */

static PyObject *date_richcompare(PyObject *left, PyObject *right, int op)
{
    if (!is_date(right) || is_datetime(right)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return compare_result(
        memcmp(((Date *)left)->data, ((Date *)right)->data, _PyDateTime_DATE_DATASIZE), op);
}

static Py_hash_t date_hash(PyObject *op)
{
    Date *self = (Date *)op;
    Py_hash_t hash = hash_cached(&self->hashcode);
    if (hash == -1) {
        hash = hash_store(&self->hashcode, hash_bytes(self->data, sizeof self->data));
    }
    return hash;
}

/* ---- fields ---------------------------------------------------------------------------------- */

static int date_get_year(Date *self)
{
    return PyDateTime_GET_YEAR(self);
}

static int date_get_month(Date *self)
{
    return PyDateTime_GET_MONTH(self);
}

static int date_get_day(Date *self)
{
    return PyDateTime_GET_DAY(self);
}

static int date_toordinal(Date *self)
{
    return date_ordinal(self);
}

static int date_weekday(Date *self)
{
    return (date_ordinal(self) + 6) % 7;
}

static int date_isoweekday(Date *self)
{
    return date_weekday(self) + 1;
}

/* ---- text ------------------------------------------------------------------------------------ */

char *date_put(char *at, const void *op)
{
    struct ymd date = date_fields(op);
    at[0] = (char)('0' + date.year / 1000);
    at[1] = (char)('0' + date.year / 100 % 10);
    at[2] = (char)('0' + date.year / 10 % 10);
    at[3] = (char)('0' + date.year % 10);
    at[4] = '-';
    at[5] = (char)('0' + date.month / 10);
    at[6] = (char)('0' + date.month % 10);
    at[7] = '-';
    at[8] = (char)('0' + date.day / 10);
    at[9] = (char)('0' + date.day % 10);
    return at + 10;
}

static PyObject *date_repr(PyObject *op)
{
    struct ymd date = date_fields(op);
    return PyUnicode_FromFormat("%s(%d, %d, %d)", Py_TYPE(op)->tp_name, date.year, date.month,
                                date.day);
}

static PyObject *date_isoformat(Date *self)
{
    char text[10];
    date_put(text, self);
    return PyUnicode_FromStringAndSize(text, sizeof text);
}

static PyObject *date_str(PyObject *op)
{
    if (Py_IS_TYPE(op, &date_type)) {
        return date_isoformat((Date *)op);
    }
    return PyObject_CallMethodNoArgs(op, NAME(isoformat));
}

static PyObject *date_timetuple(Date *self)
{
    struct ymd date = date_fields(self);
    return struct_time_make(date.year, date.month, date.day, &(struct clock_time){0}, -1);
}

static PyObject *date_strftime(Date *self, PyObject *format)
{
    PyObject *tuple = PyObject_CallMethodNoArgs((PyObject *)self, NAME(timetuple));
    if (tuple == NULL) {
        return NULL;
    }
    PyObject *text =
        format_with_strftime((PyObject *)self, format, tuple, Py_None, (PyObject *)self, 0);
    Py_DECREF(tuple);
    return text;
}

static PyObject *date_format(Date *self, PyObject *format)
{
    return format_dispatch((PyObject *)self, format);
}

static PyObject *date_ctime(Date *self)
{
    static const char days[] = "MonTueWedThuFriSatSun";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct ymd date = date_fields(self);
    struct clock_time clock = {0};
    if (is_datetime((PyObject *)self)) {
        clock = datetime_fields(self);
    }
    char text[64];
    int size = snprintf(text, sizeof text, "%.3s %.3s %2d %02d:%02d:%02d %04d",
                        days + 3 * date_weekday(self), months + 3 * (date.month - 1), date.day,
                        clock.hour, clock.minute, clock.second, date.year);
    return PyUnicode_FromStringAndSize(text, size);
}

/* ---- the ISO calendar ------------------------------------------------------------------------ */

bool iso_week_date(int year, int week, int day, struct ymd *out)
{
    if (year < MIN_YEAR || year > MAX_YEAR || week < 1 || week > 53 || day < 1 || day > 7) {
        return false;
    }
    int start = iso_year_start(year);
    if (week == 53 && iso_year_start(year + 1) - start != 53 * 7) {
        return false;
    }
    int ordinal = start + (week - 1) * 7 + day - 1;
    /* Week 1 of year 1 starts on its first day, but the last week goes beyond the calendar. */
    *out = ymd_of(ordinal);
    return true;
}

static PyObject *isocalendar_new(PyTypeObject *type, int year, int week, int weekday)
{
    PyObject *self = type->tp_alloc(type, 3);
    if (self == NULL) {
        return NULL;
    }
    const int fields[3] = {year, week, weekday};
    for (int i = 0; i < 3; i++) {
        PyObject *number = PyLong_FromLong(fields[i]);
        if (number == NULL) {
            Py_DECREF(self);
            return NULL;
        }
        PyTuple_SET_ITEM(self, i, number);
    }
    return self;
}

static PyObject *date_isocalendar(Date *self)
{
    int year = PyDateTime_GET_YEAR(self), ordinal = date_ordinal(self);
    int start = iso_year_start(year);
    if (ordinal < start) {
        start = iso_year_start(--year);
    } else if (ordinal - start >= 52 * 7 && ordinal >= iso_year_start(year + 1)) {
        start = iso_year_start(++year);
    }
    return isocalendar_new(&isocalendar_type, year, (ordinal - start) / 7 + 1,
                           (ordinal - start) % 7 + 1);
}

static PyObject *isocalendar_get_year(PyTupleObject *self)
{
    return Py_NewRef(self->ob_item[0]);
}

static PyObject *isocalendar_get_week(PyTupleObject *self)
{
    return Py_NewRef(self->ob_item[1]);
}

static PyObject *isocalendar_get_weekday(PyTupleObject *self)
{
    return Py_NewRef(self->ob_item[2]);
}

static PyObject *isocalendar_reduce(PyTupleObject *self)
{
    return Py_BuildValue("O((OOO))", &PyTuple_Type, self->ob_item[0], self->ob_item[1],
                         self->ob_item[2]);
}

static PyObject *isocalendar_repr(PyObject *op)
{
    PyTupleObject *self = (PyTupleObject *)op;
    return PyUnicode_FromFormat("%s(year=%S, week=%S, weekday=%S)", Py_TYPE(op)->tp_name,
                                self->ob_item[0], self->ob_item[1], self->ob_item[2]);
}

/* ---- the types ------------------------------------------------------------------------------- */

static PyNumberMethods date_as_number = {
    .nb_add = date_add,
    .nb_subtract = date_subtract,
};

PyTypeObject date_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "datetime.date",
    .tp_basicsize = sizeof(Date),
    .tp_repr = date_repr,
    .tp_as_number = &date_as_number,
    .tp_hash = date_hash,
    .tp_str = date_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = date_doc,
    .tp_richcompare = date_richcompare,
    .tp_methods = date_methods,
    .tp_getset = date_getset,
    .tp_new = date_tp_new,
    .tp_vectorcall = date_vectorcall,
};

PyTypeObject isocalendar_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "datetime.IsoCalendarDate",
    .tp_basicsize = sizeof(PyTupleObject) - sizeof(PyObject *),
    .tp_itemsize = sizeof(PyObject *),
    .tp_repr = isocalendar_repr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = isocalendar_doc,
    .tp_methods = isocalendar_methods,
    .tp_getset = isocalendar_getset,
    .tp_base = &PyTuple_Type,
    .tp_new = bind_isocalendar_new,
};
