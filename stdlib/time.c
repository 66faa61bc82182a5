/* The module time. */
#include "seconds.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

struct clock_state {
    PyObject *struct_time;
};

#include "time.bind.h"

/* ---- clocks --------------------------------------------------------------------------------- */

static bool clock_read(clockid_t id, PyTime_t *out)
{
    struct timespec now;
    if (clock_gettime(id, &now) != 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return false;
    }
    *out = (PyTime_t)now.tv_sec * SECOND + now.tv_nsec;
    return true;
}

static PyObject *clock_seconds(clockid_t id)
{
    PyTime_t now;
    return clock_read(id, &now) ? PyFloat_FromDouble(PyTime_AsSecondsDouble(now)) : NULL;
}

static PyObject *clock_nanoseconds(clockid_t id)
{
    PyTime_t now;
    return clock_read(id, &now) ? PyLong_FromLongLong(now) : NULL;
}

#define CLOCK_FUNCTIONS(name, id)                                                                  \
    static PyObject *clock_##name(PyObject *Py_UNUSED(module))                                     \
    {                                                                                              \
        return clock_seconds(id);                                                                  \
    }                                                                                              \
    static PyObject *clock_##name##_ns(PyObject *Py_UNUSED(module))                                \
    {                                                                                              \
        return clock_nanoseconds(id);                                                              \
    }

CLOCK_FUNCTIONS(time, CLOCK_REALTIME)
CLOCK_FUNCTIONS(monotonic, CLOCK_MONOTONIC)
CLOCK_FUNCTIONS(perf_counter, CLOCK_MONOTONIC)
CLOCK_FUNCTIONS(process_time, CLOCK_PROCESS_CPUTIME_ID)
CLOCK_FUNCTIONS(thread_time, CLOCK_THREAD_CPUTIME_ID)

static PyObject *clock_clock_gettime(PyObject *Py_UNUSED(module), int id)
{
    return clock_seconds(id);
}

static PyObject *clock_clock_gettime_ns(PyObject *Py_UNUSED(module), int id)
{
    return clock_nanoseconds(id);
}

static PyObject *clock_clock_getres(PyObject *Py_UNUSED(module), int id)
{
    struct timespec step;
    if (clock_getres(id, &step) != 0) {
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyFloat_FromDouble((double)step.tv_sec + (double)step.tv_nsec * 1e-9);
}

static int clock_clock_settime_ns(PyObject *Py_UNUSED(module), int id, long long time)
{
    struct timespec value = timespec_of(time);
    if (clock_settime(id, &value) != 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    return 0;
}

static int clock_clock_settime(PyObject *module, int id, PyObject *arg)
{
    PyTime_t time;
    return nanoseconds_of(arg, ROUND_FLOOR, &time) ? clock_clock_settime_ns(module, id, time) : -1;
}

static PyObject *clock_pthread_getcpuclockid(PyObject *Py_UNUSED(module), unsigned long thread)
{
    clockid_t id;
    int error = pthread_getcpuclockid((pthread_t)thread, &id);
    if (error != 0) {
        errno = error;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    return PyLong_FromLong(id);
}

static PyObject *clock_get_clock_info(PyObject *Py_UNUSED(module), const char *name)
{
    static const struct {
        const char *name, *call;
        clockid_t id;
        bool monotonic, adjustable;
    } clocks[] = {
        {"time", "clock_gettime(CLOCK_REALTIME)", CLOCK_REALTIME, false, true},
        {"monotonic", "clock_gettime(CLOCK_MONOTONIC)", CLOCK_MONOTONIC, true, false},
        {"perf_counter", "clock_gettime(CLOCK_MONOTONIC)", CLOCK_MONOTONIC, true, false},
        {"process_time", "clock_gettime(CLOCK_PROCESS_CPUTIME_ID)", CLOCK_PROCESS_CPUTIME_ID, true,
         false},
        {"thread_time", "clock_gettime(CLOCK_THREAD_CPUTIME_ID)", CLOCK_THREAD_CPUTIME_ID, true,
         false},
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(clocks); i++) {
        if (strcmp(name, clocks[i].name) == 0) {
            struct timespec step = {0, 1};
            (void)clock_getres(clocks[i].id, &step);
            PyObject *types = PyImport_ImportModule("types");
            PyObject *make = types ? PyObject_GetAttrString(types, "SimpleNamespace") : NULL;
            PyObject *none = make ? PyTuple_New(0) : NULL;
            PyObject *fields =
                none ? Py_BuildValue("{sssOsOsd}", "implementation", clocks[i].call, "monotonic",
                                     clocks[i].monotonic ? Py_True : Py_False, "adjustable",
                                     clocks[i].adjustable ? Py_True : Py_False, "resolution",
                                     (double)step.tv_sec + (double)step.tv_nsec * 1e-9)
                     : NULL;
            PyObject *result = fields ? PyObject_Call(make, none, fields) : NULL;
            Py_XDECREF(types);
            Py_XDECREF(make);
            Py_XDECREF(none);
            Py_XDECREF(fields);
            return result;
        }
    }
    PyErr_SetString(PyExc_ValueError, "unknown clock");
    return NULL;
}

static int clock_sleep(PyObject *Py_UNUSED(module), PyObject *arg)
{
    PyTime_t wait, now;
    if (PySys_Audit("time.sleep", "O", arg) < 0 || !nanoseconds_of(arg, ROUND_AWAY, &wait)) {
        return -1;
    }
    if (wait < 0) {
        PyErr_SetString(PyExc_ValueError, "sleep length must be non-negative");
        return -1;
    }
    if (!clock_read(CLOCK_MONOTONIC, &now)) {
        return -1;
    }
    PyTime_t end;
    if (__builtin_add_overflow(now, wait, &end)) {
        end = INT64_MAX;
    }
    struct timespec deadline = timespec_of(end);
    for (;;) {
        int error;
        Py_BEGIN_ALLOW_THREADS error =
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL);
        Py_END_ALLOW_THREADS if (error == 0)
        {
            return PyErr_CheckSignals();
        }
        if (error != EINTR) {
            errno = error;
            PyErr_SetFromErrno(PyExc_OSError);
            return -1;
        }
        if (PyErr_CheckSignals() < 0) {
            return -1;
        }
    }
}

/* ---- struct_time ---------------------------------------------------------------------------- */

static PyStructSequence_Field struct_time_fields[] = {
    {"tm_year", "year, for example, 1993"},
    {"tm_mon", "month, 1 to 12"},
    {"tm_mday", "day in the month, 1 to 31"},
    {"tm_hour", "hours, range [0, 23]"},
    {"tm_min", "minutes, range [0, 59]"},
    {"tm_sec", "seconds, range [0, 61])"},
    {"tm_wday", "day in the week, 0 for Monday to 6"},
    {"tm_yday", "day in the year, 1 to 366"},
    {"tm_isdst", "summer time: 1 yes, 0 no, -1 not known"},
    {"tm_zone", "short name of the time zone"},
    {"tm_gmtoff", "seconds east of UTC"},
    {NULL, NULL},
};

static PyStructSequence_Desc struct_time_desc = {
    "time.struct_time",
    "The parts of a time, as localtime() and its kin return them.",
    struct_time_fields,
    9,
};

static PyObject *struct_time_make(PyObject *module, const struct tm *parts)
{
    struct clock_state *state = PyModule_GetState(module);
    PyObject *self = PyStructSequence_New((PyTypeObject *)state->struct_time);
    if (self == NULL) {
        return NULL;
    }
    const long long numbers[9] = {
        parts->tm_year + 1900LL,  parts->tm_mon + 1,  parts->tm_mday,
        parts->tm_hour,           parts->tm_min,      parts->tm_sec,
        (parts->tm_wday + 6) % 7, parts->tm_yday + 1, parts->tm_isdst,
    };
    for (int i = 0; i < 9; i++) {
        PyStructSequence_SetItem(self, i, PyLong_FromLongLong(numbers[i]));
    }
    PyStructSequence_SetItem(
        self, 9, PyUnicode_DecodeLocale(parts->tm_zone ? parts->tm_zone : "", "surrogateescape"));
    PyStructSequence_SetItem(self, 10, PyLong_FromLong(parts->tm_gmtoff));
    if (PyErr_Occurred()) {
        Py_CLEAR(self);
    }
    return self;
}

/* Seconds (None: now), rounded down. */
static bool seconds_of(PyObject *arg, time_t *out)
{
    if (arg == Py_None) {
        *out = time(NULL);
        return true;
    }
    if (PyFloat_Check(arg)) {
        double value = __builtin_floor(PyFloat_AS_DOUBLE(arg));
        if (value != value) {
            PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
            return false;
        }
        if (!(value >= -9223372036854775808.0 && value < 9223372036854775808.0)) {
            PyErr_SetString(PyExc_OverflowError, "timestamp out of range for platform time_t");
            return false;
        }
        *out = (time_t)value;
        return true;
    }
    long long value;
    if (!bind_longlong(arg, &value)) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
            PyErr_SetString(PyExc_OverflowError, "timestamp out of range for platform time_t");
        }
        return false;
    }
    *out = value;
    return true;
}

static bool parts_of_seconds(PyObject *arg, bool local, struct tm *out)
{
    time_t seconds;
    if (!seconds_of(arg, &seconds)) {
        return false;
    }
    errno = 0;
    if ((local ? localtime_r(&seconds, out) : gmtime_r(&seconds, out)) == NULL) {
        errno = errno ? errno : EINVAL;
        PyErr_SetFromErrno(PyExc_OSError);
        return false;
    }
    return true;
}

static PyObject *clock_gmtime(PyObject *module, PyObject *seconds)
{
    struct tm parts;
    if (!parts_of_seconds(seconds, false, &parts)) {
        return NULL;
    }
    parts.tm_zone = "UTC";
    return struct_time_make(module, &parts);
}

static PyObject *clock_localtime(PyObject *module, PyObject *seconds)
{
    struct tm parts;
    return parts_of_seconds(seconds, true, &parts) ? struct_time_make(module, &parts) : NULL;
}

/* Reads a tuple of nine; the name of its zone (new reference) goes to *zone for as long as `out`
 * is in use. */
static bool parts_read(PyObject *module, const char *function, PyObject *arg, struct tm *out,
                       PyObject **zone)
{
    struct clock_state *state = PyModule_GetState(module);
    *zone = NULL;
    *out = (struct tm){0};
    if (!PyTuple_Check(arg)) {
        PyErr_SetString(PyExc_TypeError, "Tuple or struct_time argument required");
        return false;
    }
    if (PyTuple_GET_SIZE(arg) != 9) {
        PyErr_Format(PyExc_TypeError, "%s(): illegal time tuple argument", function);
        return false;
    }
    int n[9];
    for (int i = 0; i < 9; i++) {
        if (!bind_int(PyTuple_GET_ITEM(arg, i), &n[i])) {
            return false;
        }
    }
    if (n[0] < INT32_MIN + 1900) {
        PyErr_SetString(PyExc_OverflowError, "year out of range");
        return false;
    }
    *out = (struct tm){
        .tm_year = n[0] - 1900,
        .tm_mon = (int)((unsigned)n[1] - 1),
        .tm_mday = n[2],
        .tm_hour = n[3],
        .tm_min = n[4],
        .tm_sec = n[5],
        .tm_wday = n[6] == INT32_MAX ? -1 : (n[6] + 1) % 7,
        .tm_yday = (int)((unsigned)n[7] - 1),
        .tm_isdst = n[8],
    };
    if (Py_IS_TYPE(arg, (PyTypeObject *)state->struct_time)) {
        PyObject *name = PyStructSequence_GetItem(arg, 9);
        PyObject *offset = PyStructSequence_GetItem(arg, 10);
        if (name != NULL && PyUnicode_Check(name)) {
            *zone = PyUnicode_EncodeLocale(name, "surrogateescape");
            if (*zone == NULL) {
                return false;
            }
            out->tm_zone = PyBytes_AS_STRING(*zone);
        }
        if (offset != NULL && offset != Py_None) {
            long value;
            if (!bind_long(offset, &value)) {
                Py_CLEAR(*zone);
                return false;
            }
            out->tm_gmtoff = value;
        }
    }
    return true;
}

/* Parts that are to be printed must make sense; zero stands for the least month and day. */
static bool parts_are_fine(struct tm *parts)
{
    const char *wrong = NULL;
    parts->tm_mon = parts->tm_mon == -1 ? 0 : parts->tm_mon;
    parts->tm_mday = parts->tm_mday == 0 ? 1 : parts->tm_mday;
    parts->tm_yday = parts->tm_yday == -1 ? 0 : parts->tm_yday;
    if (parts->tm_mon < 0 || parts->tm_mon > 11) {
        wrong = "month out of range";
    } else if (parts->tm_mday < 0 || parts->tm_mday > 31) {
        wrong = "day of month out of range";
    } else if (parts->tm_hour < 0 || parts->tm_hour > 23) {
        wrong = "hour out of range";
    } else if (parts->tm_min < 0 || parts->tm_min > 59) {
        wrong = "minute out of range";
    } else if (parts->tm_sec < 0 || parts->tm_sec > 61) {
        wrong = "seconds out of range";
    } else if (parts->tm_wday < 0) {
        wrong = "day of week out of range";
    } else if (parts->tm_yday < 0 || parts->tm_yday > 365) {
        wrong = "day of year out of range";
    }
    if (wrong != NULL) {
        PyErr_SetString(PyExc_ValueError, wrong);
    }
    return wrong == NULL;
}

static PyObject *parts_text(const struct tm *parts)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    return PyUnicode_FromFormat("%.3s %.3s%3d %02d:%02d:%02d %lld", days + 3 * parts->tm_wday,
                                months + 3 * parts->tm_mon, parts->tm_mday, parts->tm_hour,
                                parts->tm_min, parts->tm_sec, parts->tm_year + 1900LL);
}

static PyObject *clock_ctime(PyObject *Py_UNUSED(module), PyObject *seconds)
{
    struct tm parts;
    return parts_of_seconds(seconds, true, &parts) ? parts_text(&parts) : NULL;
}

/* The parts of an argument, or of now without one. */
static bool parts_or_now(PyObject *module, const char *function, PyObject *arg, struct tm *out,
                         PyObject **zone)
{
    *zone = NULL;
    return arg == NULL ? parts_of_seconds(Py_None, true, out)
                       : parts_read(module, function, arg, out, zone) && parts_are_fine(out);
}

static PyObject *clock_asctime(PyObject *module, PyObject *arg)
{
    struct tm parts;
    PyObject *zone;
    PyObject *text =
        parts_or_now(module, "asctime", arg, &parts, &zone) ? parts_text(&parts) : NULL;
    Py_XDECREF(zone);
    return text;
}

static PyObject *clock_mktime(PyObject *module, PyObject *arg)
{
    struct tm parts;
    PyObject *zone;
    bool fine = parts_read(module, "mktime", arg, &parts, &zone);
    Py_XDECREF(zone);
    if (!fine) {
        return NULL;
    }
    parts.tm_wday = -1; /* tells -1 as a result from -1 as an error */
    time_t seconds = mktime(&parts);
    if (seconds == (time_t)-1 && parts.tm_wday == -1) {
        PyErr_SetString(PyExc_OverflowError, "mktime argument out of range");
        return NULL;
    }
    return PyFloat_FromDouble((double)seconds);
}

/* The text of one piece of a format, which has no NUL inside. */
static PyObject *format_text(const char *format, const struct tm *parts)
{
    size_t most = 256 * (strlen(format) + 4);
    for (size_t room = 256;; room *= 4) {
        char *text = PyMem_Malloc(room);
        if (text == NULL) {
            return PyErr_NoMemory();
        }
        size_t length = strftime(text, room, format, parts);
        if (length > 0 || room >= most) {
            PyObject *result =
                PyUnicode_DecodeLocaleAndSize(text, (Py_ssize_t)length, "surrogateescape");
            PyMem_Free(text);
            return result;
        }
        PyMem_Free(text);
    }
}

static PyObject *clock_strftime(PyObject *module, PyObject *format, PyObject *arg)
{
    if (!PyUnicode_Check(format)) {
        bind_bad_argument("strftime", "argument 1", "str", format);
        return NULL;
    }
    struct tm parts;
    PyObject *zone;
    if (!parts_or_now(module, "strftime", arg, &parts, &zone)) {
        Py_XDECREF(zone);
        return NULL;
    }
    parts.tm_isdst = Py_MAX(-1, Py_MIN(parts.tm_isdst, 1));
    /* What is not ASCII and NULs go through as they are; the system formats the rest. */
    PyObject *result = PyUnicode_FromString("");
    Py_ssize_t length = PyUnicode_GET_LENGTH(format);
    for (Py_ssize_t at = 0; result != NULL && at < length;) {
        Py_ssize_t start = at;
        PyObject *piece = NULL;
        Py_UCS4 c = PyUnicode_READ_CHAR(format, at);
        bool plain = c == 0 || c > 127;
        while (at < length && (c = PyUnicode_READ_CHAR(format, at), (c == 0 || c > 127) == plain)) {
            at++;
        }
        PyObject *part = PyUnicode_Substring(format, start, at);
        if (part != NULL && !plain) {
            const char *text = PyUnicode_AsUTF8(part);
            piece = text ? format_text(text, &parts) : NULL;
            Py_DECREF(part);
        } else {
            piece = part;
        }
        PyObject *longer = piece ? PyUnicode_Concat(result, piece) : NULL;
        Py_XDECREF(piece);
        Py_SETREF(result, longer);
    }
    Py_XDECREF(zone);
    return result;
}

static PyObject *clock_strptime(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *library = PyImport_ImportModule("_strptime");
    PyObject *function = library ? PyObject_GetAttrString(library, "_strptime_time") : NULL;
    PyObject *result = function ? PyObject_CallObject(function, args) : NULL;
    Py_XDECREF(library);
    Py_XDECREF(function);
    return result;
}

/* ---- zones ---------------------------------------------------------------------------------- */

/* Seconds west of UTC at a time, and what the zone is called then. */
static long zone_at(time_t time, char name[100])
{
    struct tm parts;
    if (localtime_r(&time, &parts) == NULL) {
        strcpy(name, "   ");
        return 0;
    }
    strncpy(name, parts.tm_zone ? parts.tm_zone : "   ", 99);
    name[99] = '\0';
    return -parts.tm_gmtoff;
}

/* timezone, altzone, daylight and tzname: of January and July this year, the one with less sun
 * first. */
static int zones_set(PyObject *module)
{
    char january_name[100], july_name[100];
    const time_t year = (365 * 24 + 6) * 3600;
    time_t january_first = time(NULL) / year * year;
    long january = zone_at(january_first, january_name);
    long july = zone_at(january_first + year / 2, july_name);
    bool south = january < july;
    PyObject *names = south ? Py_BuildValue("(zz)", july_name, january_name)
                            : Py_BuildValue("(zz)", january_name, july_name);
    int rc = names == NULL || PyModule_AddObjectRef(module, "tzname", names) < 0
                     || PyModule_AddIntConstant(module, "timezone", south ? july : january) < 0
                     || PyModule_AddIntConstant(module, "altzone", south ? january : july) < 0
                     || PyModule_AddIntConstant(module, "daylight", january != july) < 0
                 ? -1
                 : 0;
    Py_XDECREF(names);
    return rc;
}

static int clock_tzset(PyObject *module)
{
    tzset();
    return zones_set(module);
}

/* ---- the module ----------------------------------------------------------------------------- */

static const struct constant clock_constants[] = {
    CONSTANT(CLOCK_REALTIME),
    CONSTANT(CLOCK_MONOTONIC),
    CONSTANT(CLOCK_MONOTONIC_RAW),
    CONSTANT(CLOCK_PROCESS_CPUTIME_ID),
    CONSTANT(CLOCK_THREAD_CPUTIME_ID),
    CONSTANT(CLOCK_BOOTTIME),
    CONSTANT(CLOCK_TAI),
    {"_STRUCT_TM_ITEMS", 11},
};

static int clock_exec(PyObject *module)
{
    struct clock_state *state = PyModule_GetState(module);
    state->struct_time = (PyObject *)PyStructSequence_NewType(&struct_time_desc);
    tzset();
    if (PyModule_AddObjectRef(module, "struct_time", state->struct_time) < 0
        || module_constants(module, clock_constants, Py_ARRAY_LENGTH(clock_constants)) < 0) {
        return -1;
    }
    return zones_set(module);
}

STATE_OBJECTS(clock)

static PyModuleDef_Slot clock_slots[] = MODULE_SLOTS(clock_exec);

static PyModuleDef clock_module = {
    PyModuleDef_HEAD_INIT,      .m_name = "time",       .m_doc = clock_doc,
    .m_methods = clock_methods, .m_slots = clock_slots, STATE_FIELDS(clock),
};

MODULE_INIT(time, clock_module)
