/* The module _datetime: its types, their limits, and the interface for extensions. */
#include "datetime/internal.h"

/* ---- the interface for extensions ------------------------------------------------------------ */

static PyObject *capi_date(int year, int month, int day, PyTypeObject *type)
{
    return date_make(type, year, month, day);
}

static PyObject *capi_datetime_fold(int year, int month, int day, int hour, int minute, int second,
                                    int us, PyObject *zone, int fold, PyTypeObject *type)
{
    return datetime_make(type, &(struct ymd){year, month, day},
                         &(struct clock_time){hour, minute, second, us}, zone, fold);
}

static PyObject *capi_datetime(int year, int month, int day, int hour, int minute, int second,
                               int us, PyObject *zone, PyTypeObject *type)
{
    return capi_datetime_fold(year, month, day, hour, minute, second, us, zone, 0, type);
}

static PyObject *capi_time_fold(int hour, int minute, int second, int us, PyObject *zone, int fold,
                                PyTypeObject *type)
{
    return time_make(type, &(struct clock_time){hour, minute, second, us}, zone, fold);
}

static PyObject *capi_time(int hour, int minute, int second, int us, PyObject *zone,
                           PyTypeObject *type)
{
    return capi_time_fold(hour, minute, second, us, zone, 0, type);
}

/* Fields are always brought into their ranges, `normalize` or not. */
static PyObject *capi_delta(int days, int seconds, int us, int normalize, PyTypeObject *type)
{
    return delta_make(type, days, seconds, us);
}

static PyObject *capi_datetime_from_timestamp(PyObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *method = PyObject_GetAttr(type, NAME(fromtimestamp));
    PyObject *result = method ? PyObject_Call(method, args, kwargs) : NULL;
    Py_XDECREF(method);
    return result;
}

static PyObject *capi_date_from_timestamp(PyObject *type, PyObject *args)
{
    return capi_datetime_from_timestamp(type, args, NULL);
}

static PyDateTime_CAPI capi = {
    .DateType = &date_type,
    .DateTimeType = &datetime_type,
    .TimeType = &time_type,
    .DeltaType = &delta_type,
    .TZInfoType = &tzinfo_type,
    .TimeZone_UTC = (PyObject *)&utc_zone,
    .Date_FromDate = capi_date,
    .DateTime_FromDateAndTime = capi_datetime,
    .Time_FromTime = capi_time,
    .Delta_FromDelta = capi_delta,
    .TimeZone_FromTimeZone = timezone_make,
    .DateTime_FromTimestamp = capi_datetime_from_timestamp,
    .Date_FromTimestamp = capi_date_from_timestamp,
    .DateTime_FromDateAndTimeAndFold = capi_datetime_fold,
    .Time_FromTimeAndFold = capi_time_fold,
};

/* ---- setting up ------------------------------------------------------------------------------ */

PyObject *datetime_names[name_count];

#define NAME_TEXT(word) #word,

/* Interpreters may come here together: the first to store a name wins. */
static int names_make(void)
{
    static const char *const texts[] = {NAMES(NAME_TEXT)};
    for (int i = 0; i < name_count; i++) {
        if (__atomic_load_n(&datetime_names[i], __ATOMIC_ACQUIRE) != NULL) {
            continue;
        }
        PyObject *name = PyUnicode_InternFromString(texts[i]), *none = NULL;
        if (name == NULL) {
            return -1;
        }
        if (!__atomic_compare_exchange_n(&datetime_names[i], &none, name, false, __ATOMIC_ACQ_REL,
                                         __ATOMIC_ACQUIRE)) {
            Py_DECREF(name);
        }
    }
    return 0;
}

/* Gives a type an attribute unless it has it; steals `value`, which may be NULL. */
static int type_set(PyTypeObject *type, const char *name, PyObject *value)
{
    if (value == NULL) {
        return -1;
    }
    PyObject *dict = PyType_GetDict(type);
    int rc = -1;
    if (dict != NULL) {
        PyObject *key = PyUnicode_InternFromString(name);
        rc = key ? PyDict_SetDefaultRef(dict, key, value, NULL) : -1;
        Py_XDECREF(key);
        Py_DECREF(dict);
    }
    Py_DECREF(value);
    PyType_Modified(type);
    return rc < 0 ? -1 : 0;
}

static PyObject *timezone_of_minutes(int minutes)
{
    PyObject *offset = delta_make(&delta_type, 0, minutes * 60, 0);
    PyObject *zone = offset ? timezone_make(offset, NULL) : NULL;
    Py_XDECREF(offset);
    return zone;
}

static int limits_make(void)
{
    const struct clock_time first = {0}, last = {23, 59, 59, 999999};
    const struct ymd early = {MIN_YEAR, 1, 1}, late = {MAX_YEAR, 12, 31};
    PyTypeObject *const d = &delta_type;
    if (type_set(d, "resolution", delta_make(d, 0, 0, 1)) < 0
        || type_set(d, "min", delta_make(d, -MAX_DELTA_DAYS, 0, 0)) < 0
        || type_set(d, "max", delta_make(d, MAX_DELTA_DAYS, DAY_SECONDS - 1, 999999)) < 0) {
        return -1;
    }
    if (type_set(&date_type, "min", date_make(&date_type, MIN_YEAR, 1, 1)) < 0
        || type_set(&date_type, "max", date_make(&date_type, MAX_YEAR, 12, 31)) < 0
        || type_set(&date_type, "resolution", delta_make(d, 1, 0, 0)) < 0) {
        return -1;
    }
    if (type_set(&time_type, "min", time_make(&time_type, &first, Py_None, 0)) < 0
        || type_set(&time_type, "max", time_make(&time_type, &last, Py_None, 0)) < 0
        || type_set(&time_type, "resolution", delta_make(d, 0, 0, 1)) < 0) {
        return -1;
    }
    PyTypeObject *const m = &datetime_type;
    if (type_set(m, "min", datetime_make(m, &early, &first, Py_None, 0)) < 0
        || type_set(m, "max", datetime_make(m, &late, &last, Py_None, 0)) < 0
        || type_set(m, "resolution", delta_make(d, 0, 0, 1)) < 0) {
        return -1;
    }
    if (type_set(&timezone_type, "utc", Py_NewRef(&utc_zone)) < 0
        || type_set(&timezone_type, "min", timezone_of_minutes(1 - 24 * 60)) < 0
        || type_set(&timezone_type, "max", timezone_of_minutes(24 * 60 - 1)) < 0) {
        return -1;
    }
    return 0;
}

static int datetime_exec(PyObject *module)
{
    PyTypeObject *const types[] = {&date_type,  &time_type,   &datetime_type,
                                   &delta_type, &tzinfo_type, &timezone_type};
    if (names_make() < 0 || PyType_Ready(&isocalendar_type) < 0) {
        return -1;
    }
    for (size_t i = 0; i < Py_ARRAY_LENGTH(types); i++) {
        if (PyModule_AddType(module, types[i]) < 0) {
            return -1;
        }
    }
    if (limits_make() < 0 || PyModule_AddIntConstant(module, "MINYEAR", MIN_YEAR) < 0
        || PyModule_AddIntConstant(module, "MAXYEAR", MAX_YEAR) < 0
        || PyModule_AddObjectRef(module, "UTC", (PyObject *)&utc_zone) < 0) {
        return -1;
    }
    PyObject *capsule = PyCapsule_New(&capi, PyDateTime_CAPSULE_NAME, NULL);
    int rc = PyModule_AddObjectRef(module, "datetime_CAPI", capsule);
    Py_XDECREF(capsule);
    return rc;
}

static PyModuleDef_Slot datetime_slots[] = MODULE_SLOTS(datetime_exec);

static PyModuleDef datetime_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_datetime",
    .m_doc = PyDoc_STR("Dates, times of day, spans and time zones."),
    .m_slots = datetime_slots,
};

MODULE_INIT(_datetime, datetime_module)
