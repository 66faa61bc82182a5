/* The datetime module's C API, by its functions and by its macros. */
#include "parts.h"

#include "datetime.h"

FUNCTION0(test_datetime_capi)
{
    if (PyDateTimeAPI == NULL) {
        PyDateTime_IMPORT;
    }
    if (PyDateTimeAPI == NULL) {
        return NULL;
    }
    /* The following C API types need to be there. */
    if (!PyType_Check(PyDateTimeAPI->DateType) || !PyType_Check(PyDateTimeAPI->DateTimeType)
        || !PyType_Check(PyDateTimeAPI->TimeType) || !PyType_Check(PyDateTimeAPI->DeltaType)
        || !PyType_Check(PyDateTimeAPI->TZInfoType)) {
        return failed("the capsule has no types");
    }
    Py_RETURN_NONE;
}

/* ---- checks ---------------------------------------------------------------------------------------- */

#define CHECK_FUNCTION(name, check, check_exact)                                                   \
    FUNCTIONN(name)                                                                                \
    {                                                                                              \
        PyObject *object;                                                                          \
        int exact = 0;                                                                             \
        if (!PyArg_ParseTuple(args, "O|p", &object, &exact)) {                                     \
            return NULL;                                                                           \
        }                                                                                          \
        return PyBool_FromLong(exact ? check_exact(object) : check(object));                       \
    }

CHECK_FUNCTION(datetime_check_date, PyDate_Check, PyDate_CheckExact)
CHECK_FUNCTION(datetime_check_time, PyTime_Check, PyTime_CheckExact)
CHECK_FUNCTION(datetime_check_datetime, PyDateTime_Check, PyDateTime_CheckExact)
CHECK_FUNCTION(datetime_check_delta, PyDelta_Check, PyDelta_CheckExact)
CHECK_FUNCTION(datetime_check_tzinfo, PyTZInfo_Check, PyTZInfo_CheckExact)

/* ---- zones ------------------------------------------------------------------------------------------ */

FUNCTION1(get_timezone_utc_capi, macro)
{
    return Py_NewRef(PyObject_IsTrue(macro) ? PyDateTime_TimeZone_UTC
                                            : PyDateTimeAPI->TimeZone_UTC);
}

/* UTC-5, named by the function and by the macro, and without a name. */
FUNCTION0(make_timezones_capi)
{
    PyObject *offset = PyDelta_FromDSU(0, -18000, 0), *name = PyUnicode_FromString("EST");
    PyObject *named = PyDateTimeAPI->TimeZone_FromTimeZone(offset, name);
    PyObject *by_macro = PyTimeZone_FromOffsetAndName(offset, name);
    PyObject *unnamed = PyTimeZone_FromOffset(offset);
    Py_XDECREF(offset);
    Py_XDECREF(name);
    if (named == NULL || by_macro == NULL || unnamed == NULL) {
        Py_XDECREF(named);
        Py_XDECREF(by_macro);
        Py_XDECREF(unnamed);
        return NULL;
    }
    return Py_BuildValue("(NNN)", named, by_macro, unnamed);
}

FUNCTION0(get_timezones_offset_zero)
{
    PyObject *offset = PyDelta_FromDSU(0, 0, 0), *name = PyUnicode_FromString("");
    PyObject *first = PyTimeZone_FromOffset(offset);
    PyObject *second = PyDateTimeAPI->TimeZone_FromTimeZone(offset, NULL);
    PyObject *named = PyTimeZone_FromOffsetAndName(offset, name);
    Py_XDECREF(offset);
    Py_XDECREF(name);
    if (first == NULL || second == NULL || named == NULL) {
        Py_XDECREF(first);
        Py_XDECREF(second);
        Py_XDECREF(named);
        return NULL;
    }
    return Py_BuildValue("(NNN)", first, second, named);
}

/* ---- making ------------------------------------------------------------------------------------------ */

FUNCTIONN(get_date_fromdate)
{
    int macro, year, month, day;
    if (!PyArg_ParseTuple(args, "piii", &macro, &year, &month, &day)) {
        return NULL;
    }
    return macro ? PyDate_FromDate(year, month, day)
                 : PyDateTimeAPI->Date_FromDate(year, month, day, PyDateTimeAPI->DateType);
}

FUNCTIONN(get_datetime_fromdateandtime)
{
    int macro, v[7];
    if (!PyArg_ParseTuple(args, "piiiiiii", &macro, &v[0], &v[1], &v[2], &v[3], &v[4], &v[5],
                          &v[6])) {
        return NULL;
    }
    return macro ? PyDateTime_FromDateAndTime(v[0], v[1], v[2], v[3], v[4], v[5], v[6])
                 : PyDateTimeAPI->DateTime_FromDateAndTime(v[0], v[1], v[2], v[3], v[4], v[5], v[6],
                                                           Py_None, PyDateTimeAPI->DateTimeType);
}

FUNCTIONN(get_datetime_fromdateandtimeandfold)
{
    int macro, v[8];
    if (!PyArg_ParseTuple(args, "piiiiiiii", &macro, &v[0], &v[1], &v[2], &v[3], &v[4], &v[5],
                          &v[6], &v[7])) {
        return NULL;
    }
    return macro ? PyDateTime_FromDateAndTimeAndFold(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7])
                 : PyDateTimeAPI->DateTime_FromDateAndTimeAndFold(v[0], v[1], v[2], v[3], v[4],
                                                                  v[5], v[6], Py_None, v[7],
                                                                  PyDateTimeAPI->DateTimeType);
}

FUNCTIONN(get_time_fromtime)
{
    int macro, v[4];
    if (!PyArg_ParseTuple(args, "piiii", &macro, &v[0], &v[1], &v[2], &v[3])) {
        return NULL;
    }
    return macro ? PyTime_FromTime(v[0], v[1], v[2], v[3])
                 : PyDateTimeAPI->Time_FromTime(v[0], v[1], v[2], v[3], Py_None,
                                                PyDateTimeAPI->TimeType);
}

FUNCTIONN(get_time_fromtimeandfold)
{
    int macro, v[5];
    if (!PyArg_ParseTuple(args, "piiiii", &macro, &v[0], &v[1], &v[2], &v[3], &v[4])) {
        return NULL;
    }
    return macro ? PyTime_FromTimeAndFold(v[0], v[1], v[2], v[3], v[4])
                 : PyDateTimeAPI->Time_FromTimeAndFold(v[0], v[1], v[2], v[3], Py_None, v[4],
                                                       PyDateTimeAPI->TimeType);
}

FUNCTIONN(get_delta_fromdsu)
{
    int macro, days, seconds, microseconds;
    if (!PyArg_ParseTuple(args, "piii", &macro, &days, &seconds, &microseconds)) {
        return NULL;
    }
    return macro ? PyDelta_FromDSU(days, seconds, microseconds)
                 : PyDateTimeAPI->Delta_FromDelta(days, seconds, microseconds, 1,
                                                  PyDateTimeAPI->DeltaType);
}

FUNCTIONN(get_date_fromtimestamp)
{
    PyObject *number;
    int macro = 0;
    if (!PyArg_ParseTuple(args, "O|p", &number, &macro)) {
        return NULL;
    }
    PyObject *tuple = PyTuple_Pack(1, number);
    PyObject *date =
        tuple == NULL ? NULL
        : macro       ? PyDate_FromTimestamp(tuple)
                : PyDateTimeAPI->Date_FromTimestamp((PyObject *)PyDateTimeAPI->DateType, tuple);
    Py_XDECREF(tuple);
    return date;
}

FUNCTIONN(get_datetime_fromtimestamp)
{
    PyObject *number, *zone;
    int use_zone, macro = 0;
    if (!PyArg_ParseTuple(args, "OOp|p", &number, &zone, &use_zone, &macro)) {
        return NULL;
    }
    PyObject *tuple = use_zone ? PyTuple_Pack(2, number, zone) : PyTuple_Pack(1, number);
    PyObject *result = tuple == NULL ? NULL
                       : macro       ? PyDateTime_FromTimestamp(tuple)
                                     : PyDateTimeAPI->DateTime_FromTimestamp(
                                         (PyObject *)PyDateTimeAPI->DateTimeType, tuple, NULL);
    Py_XDECREF(tuple);
    return result;
}

/* ---- reading ------------------------------------------------------------------------------------------ */

FUNCTION1(PyDateTime_GET_of, date)
{
    return Py_BuildValue("(iii)", PyDateTime_GET_YEAR(date), PyDateTime_GET_MONTH(date),
                         PyDateTime_GET_DAY(date));
}

FUNCTION1(PyDateTime_DATE_GET_of, date)
{
    return Py_BuildValue("(iiiiO)", PyDateTime_DATE_GET_HOUR(date),
                         PyDateTime_DATE_GET_MINUTE(date), PyDateTime_DATE_GET_SECOND(date),
                         PyDateTime_DATE_GET_MICROSECOND(date), PyDateTime_DATE_GET_TZINFO(date));
}

FUNCTION1(PyDateTime_TIME_GET_of, time)
{
    return Py_BuildValue("(iiiiO)", PyDateTime_TIME_GET_HOUR(time),
                         PyDateTime_TIME_GET_MINUTE(time), PyDateTime_TIME_GET_SECOND(time),
                         PyDateTime_TIME_GET_MICROSECOND(time), PyDateTime_TIME_GET_TZINFO(time));
}

FUNCTION1(PyDateTime_DELTA_GET_of, delta)
{
    return Py_BuildValue("(iii)", PyDateTime_DELTA_GET_DAYS(delta),
                         PyDateTime_DELTA_GET_SECONDS(delta),
                         PyDateTime_DELTA_GET_MICROSECONDS(delta));
}

static PyMethodDef methods[] = {
    NOARGS(test_datetime_capi),
    VARARGS(datetime_check_date),
    VARARGS(datetime_check_time),
    VARARGS(datetime_check_datetime),
    VARARGS(datetime_check_delta),
    VARARGS(datetime_check_tzinfo),
    ONE(get_timezone_utc_capi),
    NOARGS(make_timezones_capi),
    NOARGS(get_timezones_offset_zero),
    VARARGS(get_date_fromdate),
    VARARGS(get_datetime_fromdateandtime),
    VARARGS(get_datetime_fromdateandtimeandfold),
    VARARGS(get_time_fromtime),
    VARARGS(get_time_fromtimeandfold),
    VARARGS(get_delta_fromdsu),
    VARARGS(get_date_fromtimestamp),
    VARARGS(get_datetime_fromtimestamp),
    {"PyDateTime_GET", PyDateTime_GET_of, METH_O, NULL},
    {"PyDateTime_DATE_GET", PyDateTime_DATE_GET_of, METH_O, NULL},
    {"PyDateTime_TIME_GET", PyDateTime_TIME_GET_of, METH_O, NULL},
    {"PyDateTime_DELTA_GET", PyDateTime_DELTA_GET_of, METH_O, NULL},
    {NULL},
};

int add_datetime(PyObject *module)
{
    return PyModule_AddFunctions(module, methods);
}
