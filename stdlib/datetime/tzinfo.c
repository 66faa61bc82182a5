/* tzinfo, timezone, and asking time zones. */
#include "datetime/internal.h"

#include "tzinfo.bind.h"

/* ---- asking ---------------------------------------------------------------------------------- */

#define OFFSET_RANGE                                                                               \
    "offset must be a timedelta strictly between -timedelta(hours=24) and timedelta(hours=24)"

static bool offset_is_fine(PyObject *offset)
{
    Delta *delta = (Delta *)offset;
    return delta->days == 0
           || (delta->days == -1 && (delta->seconds != 0 || delta->microseconds != 0));
}

static PyObject *zone_delta(PyObject *zone, PyObject *name, PyObject *arg)
{
    PyObject *offset = PyObject_CallMethodOneArg(zone, name, arg);
    if (offset == NULL || offset == Py_None) {
        return offset;
    }
    if (!is_delta(offset)) {
        PyErr_Format(PyExc_TypeError, "tzinfo.%U() must return None or a timedelta, not '%.200s'",
                     name, Py_TYPE(offset)->tp_name);
        Py_DECREF(offset);
        return NULL;
    }
    if (!offset_is_fine(offset)) {
        Py_DECREF(offset);
        PyErr_SetString(PyExc_ValueError, OFFSET_RANGE ".");
        return NULL;
    }
    return offset;
}

PyObject *zone_utcoffset(PyObject *zone, PyObject *arg)
{
    if (zone == Py_None) {
        return Py_NewRef(zone);
    }
    if (Py_IS_TYPE(zone, &timezone_type)) {
        return Py_NewRef(((TimeZone *)zone)->offset);
    }
    return zone_delta(zone, NAME(utcoffset), arg);
}

PyObject *zone_dst(PyObject *zone, PyObject *arg)
{
    if (zone == Py_None || Py_IS_TYPE(zone, &timezone_type)) {
        Py_RETURN_NONE;
    }
    return zone_delta(zone, NAME(dst), arg);
}

PyObject *zone_tzname(PyObject *zone, PyObject *arg)
{
    if (zone == Py_None) {
        return Py_NewRef(zone);
    }
    PyObject *name = PyObject_CallMethodOneArg(zone, NAME(tzname), arg);
    if (name != NULL && name != Py_None && !PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "tzinfo.tzname() must return None or a string, not '%s'",
                     Py_TYPE(name)->tp_name);
        Py_CLEAR(name);
    }
    return name;
}

/* ---- tzinfo ---------------------------------------------------------------------------------- */

static PyObject *not_implemented(const char *name)
{
    return PyErr_Format(PyExc_NotImplementedError, "a tzinfo subclass must implement %s()", name);
}

static PyObject *tzinfo_tzname(PyDateTime_TZInfo *self, PyObject *moment)
{
    return not_implemented("tzname");
}

static PyObject *tzinfo_utcoffset(PyDateTime_TZInfo *self, PyObject *moment)
{
    return not_implemented("utcoffset");
}

static PyObject *tzinfo_dst(PyDateTime_TZInfo *self, PyObject *moment)
{
    return not_implemented("dst");
}

/* False with an exception unless `moment` is a datetime of this zone. */
static bool fromutc_check(void *self, PyObject *moment)
{
    if (!is_datetime(moment)) {
        PyErr_SetString(PyExc_TypeError, "fromutc: argument must be a datetime");
        return false;
    }
    if (datetime_zone(moment) != (PyObject *)self) {
        PyErr_SetString(PyExc_ValueError, "fromutc: dt.tzinfo is not self");
        return false;
    }
    return true;
}

static PyObject *raise_value(const char *text)
{
    PyErr_SetString(PyExc_ValueError, text);
    return NULL;
}

/* The moment after standard time has been added: what dst() says then decides the rest. */
static PyObject *fromutc_by_dst(PyObject *zone, PyObject *moment, PyObject *offset, PyObject *dst)
{
    PyObject *standard = PyNumber_Subtract(offset, dst);
    PyObject *result = standard ? PyNumber_Add(moment, standard) : NULL;
    Py_XDECREF(standard);
    if (result == NULL) {
        return NULL;
    }
    PyObject *there = zone_dst(zone, result);
    if (there == Py_None) {
        raise_value("fromutc: tz.dst() gave inconsistent results; cannot convert");
        Py_CLEAR(there);
    }
    if (there == NULL) {
        Py_DECREF(result);
        return NULL;
    }
    if (delta_us_short(there) != 0) {
        Py_SETREF(result, PyNumber_Add(result, there));
    }
    Py_DECREF(there);
    return result;
}

static PyObject *tzinfo_fromutc(PyDateTime_TZInfo *self, PyObject *moment)
{
    PyObject *zone = (PyObject *)self, *result = NULL;
    if (!fromutc_check(self, moment)) {
        return NULL;
    }
    PyObject *offset = zone_utcoffset(zone, moment);
    if (offset == NULL) {
        return NULL;
    }
    if (offset == Py_None) {
        Py_DECREF(offset);
        return raise_value("fromutc: non-None utcoffset() result required");
    }
    PyObject *dst = zone_dst(zone, moment);
    if (dst == Py_None) {
        raise_value("fromutc: non-None dst() result required");
    } else if (dst != NULL) {
        result = fromutc_by_dst(zone, moment, offset, dst);
    }
    Py_DECREF(offset);
    Py_XDECREF(dst);
    return result;
}

static PyObject *tzinfo_reduce(PyDateTime_TZInfo *self)
{
    PyObject *get, *args, *state = NULL;
    int found = PyObject_GetOptionalAttr((PyObject *)self, NAME(__getinitargs__), &get);
    if (found < 0) {
        return NULL;
    }
    args = found ? PyObject_CallNoArgs(get) : PyTuple_New(0);
    Py_XDECREF(get);
    if (args != NULL) {
        state = PyObject_CallMethodNoArgs((PyObject *)self, NAME(__getstate__));
    }
    PyObject *result = state ? PyTuple_Pack(3, Py_TYPE(self), args, state) : NULL;
    Py_XDECREF(args);
    Py_XDECREF(state);
    return result;
}

PyTypeObject tzinfo_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "datetime.tzinfo",
    .tp_basicsize = sizeof(PyDateTime_TZInfo),
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = PyDoc_STR("What time zones have in common; subclasses implement the methods."),
    .tp_methods = tzinfo_methods,
    .tp_new = PyType_GenericNew,
};

/* ---- timezone -------------------------------------------------------------------------------- */

static Delta zero = {PyObject_HEAD_INIT(&delta_type).hashcode = -1};

TimeZone utc_zone = {PyObject_HEAD_INIT(&timezone_type).offset = (PyObject *)&zero};

PyObject *timezone_make(PyObject *offset, PyObject *name)
{
    Delta *delta = (Delta *)offset;
    if (name == NULL && delta->days == 0 && delta->seconds == 0 && delta->microseconds == 0) {
        return Py_NewRef(&utc_zone);
    }
    if (!offset_is_fine(offset)) {
        return PyErr_Format(PyExc_ValueError, OFFSET_RANGE ", not %R.", offset);
    }
    TimeZone *self = type_make(&timezone_type);
    if (self != NULL) {
        self->offset = Py_NewRef(offset);
        self->name = Py_XNewRef(name);
    }
    return (PyObject *)self;
}

static PyObject *timezone_new(PyTypeObject *type, PyObject *offset, PyObject *name)
{
    return timezone_make(offset, name);
}

static void timezone_dealloc(PyObject *op)
{
    TimeZone *self = (TimeZone *)op;
    Py_XDECREF(self->offset);
    Py_XDECREF(self->name);
    Py_TYPE(op)->tp_free(op);
}

static PyObject *timezone_richcompare(PyObject *left, PyObject *right, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !Py_IS_TYPE(right, &timezone_type)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    bool equal = delta_equal(((TimeZone *)left)->offset, ((TimeZone *)right)->offset);
    return PyBool_FromLong(equal == (op == Py_EQ));
}

static Py_hash_t timezone_hash(PyObject *op)
{
    return PyObject_Hash(((TimeZone *)op)->offset);
}

static PyObject *timezone_repr(PyObject *op)
{
    TimeZone *self = (TimeZone *)op;
    const char *type = Py_TYPE(op)->tp_name;
    if (self == &utc_zone) {
        return PyUnicode_FromFormat("%s.utc", type);
    }
    if (self->name == NULL) {
        return PyUnicode_FromFormat("%s(%R)", type, self->offset);
    }
    return PyUnicode_FromFormat("%s(%R, %R)", type, self->offset, self->name);
}

static PyObject *timezone_str(PyObject *op)
{
    TimeZone *self = (TimeZone *)op;
    if (self->name != NULL) {
        return Py_NewRef(self->name);
    }
    char text[40] = "UTC";
    char *end = text + 3;
    if (!delta_equal(self->offset, &zero)) {
        end = offset_put(end, self->offset, ":");
    }
    return PyUnicode_FromStringAndSize(text, end - text);
}

/* False with TypeError. */
static bool moment_check(const char *method, PyObject *moment)
{
    if (moment == Py_None || is_datetime(moment)) {
        return true;
    }
    PyErr_Format(PyExc_TypeError, "%s(dt) argument must be a datetime instance or None, not %.200s",
                 method, Py_TYPE(moment)->tp_name);
    return false;
}

static PyObject *timezone_tzname(TimeZone *self, PyObject *moment)
{
    return moment_check("tzname", moment) ? timezone_str((PyObject *)self) : NULL;
}

static PyObject *timezone_utcoffset(TimeZone *self, PyObject *moment)
{
    return moment_check("utcoffset", moment) ? Py_NewRef(self->offset) : NULL;
}

static PyObject *timezone_dst(TimeZone *self, PyObject *moment)
{
    return moment_check("dst", moment) ? Py_NewRef(Py_None) : NULL;
}

static PyObject *timezone_fromutc(TimeZone *self, PyObject *moment)
{
    if (!fromutc_check(self, moment)) {
        return NULL;
    }
    return datetime_from_us_by_call(
        Py_TYPE(moment), (wide)datetime_us(moment) + delta_us(self->offset), (PyObject *)self, 0);
}

static PyObject *timezone_getinitargs(TimeZone *self)
{
    return self->name ? PyTuple_Pack(2, self->offset, self->name) : PyTuple_Pack(1, self->offset);
}

PyTypeObject timezone_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "datetime.timezone",
    .tp_basicsize = sizeof(TimeZone),
    .tp_dealloc = timezone_dealloc,
    .tp_repr = timezone_repr,
    .tp_hash = timezone_hash,
    .tp_str = timezone_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = timezone_doc,
    .tp_richcompare = timezone_richcompare,
    .tp_methods = timezone_methods,
    .tp_base = &tzinfo_type,
    .tp_new = bind_timezone_new,
};
