/* Text of dates and times: ISO 8601 and strftime(). */
#include "datetime/internal.h"

/* ---- writing --------------------------------------------------------------------------------- */

static char *digits_put(char *at, int value, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + count;
}

char *clock_put(char *at, const struct clock_time *clock, const char *timespec)
{
    static const char *const names[] = {"hours", "minutes", "seconds", "milliseconds",
                                        "microseconds"};
    int parts = clock->us ? 4 : 2;
    if (timespec != NULL && strcmp(timespec, "auto") != 0) {
        for (parts = 0; parts < 5 && strcmp(timespec, names[parts]) != 0; parts++) {
        }
        if (parts == 5) {
            PyErr_SetString(PyExc_ValueError, "Unknown timespec value");
            return NULL;
        }
    }
    at = digits_put(at, clock->hour, 2);
    if (parts >= 1) {
        *at++ = ':';
        at = digits_put(at, clock->minute, 2);
    }
    if (parts >= 2) {
        *at++ = ':';
        at = digits_put(at, clock->second, 2);
    }
    if (parts >= 3) {
        *at++ = '.';
        at = parts == 3 ? digits_put(at, clock->us / 1000, 3) : digits_put(at, clock->us, 6);
    }
    return at;
}

char *offset_put(char *at, PyObject *offset, const char *separator)
{
    if (offset == Py_None) {
        return at;
    }
    long long us = delta_us_short(offset);
    *at++ = us < 0 ? '-' : '+';
    us = us < 0 ? -us : us;
    int seconds = (int)(us / SECOND_US), fraction = (int)(us % SECOND_US);
    at = digits_put(at, seconds / 3600, 2);
    at = digits_put(stpcpy(at, separator), seconds / 60 % 60, 2);
    if (seconds % 60 != 0 || fraction != 0) {
        at = digits_put(stpcpy(at, separator), seconds % 60, 2);
    }
    if (fraction != 0) {
        *at++ = '.';
        at = digits_put(at, fraction, 6);
    }
    return at;
}

PyObject *repr_complete(PyObject *text, int fold, PyObject *zone)
{
    if (text == NULL || (!fold && zone == Py_None)) {
        return text;
    }
    PyObject *open = PyUnicode_Substring(text, 0, PyUnicode_GET_LENGTH(text) - 1);
    Py_DECREF(text);
    if (open == NULL) {
        return NULL;
    }
    const char *fold_text = fold ? ", fold=1" : "";
    PyObject *result = zone == Py_None
                           ? PyUnicode_FromFormat("%U%s)", open, fold_text)
                           : PyUnicode_FromFormat("%U%s, tzinfo=%R)", open, fold_text, zone);
    Py_DECREF(open);
    return result;
}

PyObject *struct_time_make(int year, int month, int day, const struct clock_time *clock, int dst)
{
    PyObject *module = PyImport_ImportModule("time");
    if (module == NULL) {
        return NULL;
    }
    PyObject *fields =
        Py_BuildValue("(iiiiiiiii)", year, month, day, clock->hour, clock->minute, clock->second,
                      weekday_of(year, month, day),
                      ordinal_of(year, month, day) - ordinal_of(year, 1, 1) + 1, dst);
    PyObject *result = fields ? PyObject_CallMethodOneArg(module, NAME(struct_time), fields) : NULL;
    Py_DECREF(module);
    Py_XDECREF(fields);
    return result;
}

/* ---- strftime -------------------------------------------------------------------------------- */

PyObject *format_dispatch(PyObject *op, PyObject *format)
{
    if (PyUnicode_GET_LENGTH(format) == 0) {
        return PyObject_Str(op);
    }
    return PyObject_CallMethodOneArg(op, NAME(strftime), format);
}

/* What the codes of our own stand for.  Zones are asked only if need be. */
struct codes {
    PyObject *zone, *arg;
    int us;
};

static PyObject *offset_text(const struct codes *codes, const char *separator)
{
    char text[32];
    PyObject *offset = zone_utcoffset(codes->zone, codes->arg);
    if (offset == NULL) {
        return NULL;
    }
    char *end = offset_put(text, offset, separator);
    Py_DECREF(offset);
    return PyUnicode_FromStringAndSize(text, end - text);
}

/* The zone's name with its percent signs doubled, by the replace() of its own class. */
static PyObject *zone_name_text(const struct codes *codes)
{
    PyObject *name = zone_tzname(codes->zone, codes->arg);
    if (name == Py_None) {
        Py_DECREF(name);
        return PyUnicode_FromStringAndSize("", 0);
    }
    if (name == NULL
        || (PyUnicode_CheckExact(name)
            && PyUnicode_FindChar(name, '%', 0, PyUnicode_GET_LENGTH(name), 1) == -1)) {
        return name;
    }
    Py_SETREF(name, PyObject_CallMethod(name, "replace", "ss", "%", "%%"));
    if (name != NULL && !PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError, "tzname.replace() did not return a string");
        Py_CLEAR(name);
    }
    return name;
}

/* The replacement for the code at `at`, behind the percent sign, and its length; NULL without an
 * exception for codes that are none of ours. */
static PyObject *code_text(const struct codes *codes, PyObject *format, Py_ssize_t at,
                           Py_ssize_t *length)
{
    Py_UCS4 code = PyUnicode_READ_CHAR(format, at);
    *length = 1;
    switch (code) {
    case 'z':
        return offset_text(codes, "");
    case 'Z':
        return zone_name_text(codes);
    case 'f':
        return PyUnicode_FromFormat("%06d", codes->us);
    case ':':
        if (at + 1 < PyUnicode_GET_LENGTH(format) && PyUnicode_READ_CHAR(format, at + 1) == 'z') {
            *length = 2;
            return offset_text(codes, ":");
        }
    }
    return NULL;
}

static int list_add_steal(PyObject *list, PyObject *item)
{
    int rc = item ? PyList_Append(list, item) : -1;
    Py_XDECREF(item);
    return rc;
}

/* Replaces our own codes; new reference. */
static PyObject *codes_replace(const struct codes *codes, PyObject *format)
{
    Py_ssize_t size = PyUnicode_GET_LENGTH(format), done = 0, length;
    PyObject *parts = NULL;
    for (Py_ssize_t i = 0; i + 1 < size; i++) {
        if (PyUnicode_READ_CHAR(format, i) != '%') {
            continue;
        }
        PyObject *text = code_text(codes, format, ++i, &length);
        if (text == NULL) {
            if (PyErr_Occurred()) {
                goto error;
            }
            continue;
        }
        if ((parts == NULL && (parts = PyList_New(0)) == NULL)
            || list_add_steal(parts, PyUnicode_Substring(format, done, i - 1)) < 0) {
            Py_DECREF(text);
            goto error;
        }
        if (list_add_steal(parts, text) < 0) {
            goto error;
        }
        i += length - 1;
        done = i + 1;
    }
    if (parts == NULL) {
        return Py_NewRef(format);
    }
    if (list_add_steal(parts, PyUnicode_Substring(format, done, size)) == 0) {
        PyObject *empty = PyUnicode_FromStringAndSize("", 0);
        PyObject *result = empty ? PyUnicode_Join(empty, parts) : NULL;
        Py_XDECREF(empty);
        Py_DECREF(parts);
        return result;
    }
error:
    Py_XDECREF(parts);
    return NULL;
}

PyObject *format_with_strftime(PyObject *op, PyObject *format, PyObject *timetuple, PyObject *zone,
                               PyObject *zone_arg, int us)
{
    const struct codes codes = {zone, zone_arg, us};
    PyObject *module = PyImport_ImportModule("time");
    PyObject *own = module ? codes_replace(&codes, format) : NULL;
    PyObject *result =
        own ? PyObject_CallMethodObjArgs(module, NAME(strftime), own, timetuple, NULL) : NULL;
    Py_XDECREF(module);
    Py_XDECREF(own);
    return result;
}

/* ---- reading ISO 8601 ------------------------------------------------------------------------ */

PyObject *iso_parse_error(PyObject *text)
{
    return PyErr_Format(PyExc_ValueError, "Invalid isoformat string: %R", text);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads exactly `count` digits; NULL if there are others. */
static const char *digits_get(const char *at, const char *end, int count, int *value)
{
    if (end - at < count) {
        return NULL;
    }
    int number = 0;
    for (int i = 0; i < count; i++) {
        if (!is_digit(at[i])) {
            return NULL;
        }
        number = number * 10 + at[i] - '0';
    }
    *value = number;
    return at + count;
}

/* YYYY-Www[-D] behind the W. */
static bool week_get(const char *at, const char *end, bool dashed, int year, struct ymd *out)
{
    int week, day = 1;
    at = digits_get(at, end, 2, &week);
    if (at == NULL) {
        return false;
    }
    if (at < end) {
        if (dashed && *at++ != '-') {
            return false;
        }
        at = digits_get(at, end, 1, &day);
    }
    return at == end && iso_week_date(year, week, day, out);
}

static bool date_get(const char *at, const char *end, struct ymd *out)
{
    at = digits_get(at, end, 4, &out->year);
    if (at == NULL || at == end) {
        return false;
    }
    bool dashed = *at == '-';
    at += dashed;
    if (at < end && *at == 'W') {
        return week_get(at + 1, end, dashed, out->year, out);
    }
    at = digits_get(at, end, 2, &out->month);
    if (at == NULL || (dashed && (at == end || *at++ != '-'))) {
        return false;
    }
    return digits_get(at, end, 2, &out->day) == end;
}

/* The digits behind a decimal mark; all but the first six are ignored. */
static bool fraction_get(const char *at, const char *end, int *us)
{
    int scale = 100000;
    *us = 0;
    if (at == end) {
        return false;
    }
    for (; at < end; at++) {
        if (!is_digit(*at)) {
            return false;
        }
        *us += (*at - '0') * scale;
        scale /= 10;
    }
    return true;
}

/* HH[:MM[:SS[.f...]]], with colons everywhere or nowhere. */
static bool clock_get(const char *at, const char *end, struct clock_time *out)
{
    int *const fields[] = {&out->hour, &out->minute, &out->second};
    bool colons = false;
    *out = (struct clock_time){0};
    for (int i = 0; i < 3; i++) {
        at = digits_get(at, end, 2, fields[i]);
        if (at == NULL) {
            return false;
        }
        if (at == end) {
            return true;
        }
        if (i == 0) {
            colons = *at == ':';
        }
        if (i < 2 && colons && *at++ != ':') {
            return false;
        }
    }
    return (*at == '.' || *at == ',') && fraction_get(at + 1, end, &out->us);
}

static bool time_get(const char *at, const char *end, struct iso_text *out)
{
    const char *sign = at;
    while (sign < end && *sign != '+' && *sign != '-' && *sign != 'Z') {
        sign++;
    }
    if (!clock_get(at, sign, &out->clock)) {
        return false;
    }
    out->has_offset = sign < end;
    out->offset_us = 0;
    if (!out->has_offset || *sign == 'Z') {
        return sign == end || sign + 1 == end;
    }
    struct clock_time offset;
    if (!clock_get(sign + 1, end, &offset)) {
        return false;
    }
    out->offset_us = clock_seconds(&offset) * SECOND_US + offset.us;
    if (*sign == '-') {
        out->offset_us = -out->offset_us;
    }
    return true;
}

/* How long the date in front is.  With a week, what stands behind it may be a day or the separator:
 * a dash goes with a day, and digits without dashes go to where they make an even number. */
static Py_ssize_t date_length(const char *text, Py_ssize_t size)
{
    if (size <= 7) {
        return size;
    }
    if (text[4] == '-') {
        if (text[5] != 'W') {
            return 10;
        }
        if (text[8] != '-') {
            return 8;
        }
        return size > 10 && is_digit(text[10]) ? 8 : 10;
    }
    if (text[4] != 'W') {
        return 8;
    }
    Py_ssize_t digits = 7;
    while (digits < size && is_digit(text[digits])) {
        digits++;
    }
    return digits < 9 ? digits : digits % 2 == 0 ? 7 : 8;
}

/* The text as bytes, with 1 for what is not ASCII; `buffer` is used if it is large enough.  NULL
 * with an exception. */
static char *text_bytes(PyObject *text, char *buffer, Py_ssize_t room)
{
    Py_ssize_t size = PyUnicode_GET_LENGTH(text);
    if (PyUnicode_IS_ASCII(text)) {
        return (char *)PyUnicode_1BYTE_DATA(text);
    }
    char *bytes = size <= room ? buffer : PyMem_Malloc((size_t)size);
    if (bytes == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < size; i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(text, i);
        bytes[i] = c < 128 ? (char)c : 1;
    }
    return bytes;
}

static bool datetime_get(const char *at, Py_ssize_t size, struct iso_text *out)
{
    if (size < 7) {
        return false;
    }
    Py_ssize_t date_size = date_length(at, size);
    out->clock = (struct clock_time){0};
    out->has_offset = false;
    if (date_size > size || !date_get(at, at + date_size, &out->date)) {
        return false;
    }
    return date_size == size || time_get(at + date_size + 1, at + size, out);
}

enum what { DATE, TIME, DATETIME };

static int iso_parse(PyObject *text, struct iso_text *out, enum what what)
{
    char buffer[64];
    char *bytes = text_bytes(text, buffer, sizeof buffer);
    if (bytes == NULL) {
        return -1;
    }
    Py_ssize_t size = PyUnicode_GET_LENGTH(text);
    bool fine;
    if (what == DATE) {
        fine = (size == 7 || size == 8 || size == 10) && date_get(bytes, bytes + size, &out->date);
    } else if (what == TIME) {
        const char *start = bytes + (size > 0 && *bytes == 'T');
        fine = time_get(start, bytes + size, out);
    } else {
        fine = datetime_get(bytes, size, out);
    }
    if (bytes != buffer && !PyUnicode_IS_ASCII(text)) {
        PyMem_Free(bytes);
    }
    return fine;
}

int iso_parse_date(PyObject *text, struct iso_text *out)
{
    return iso_parse(text, out, DATE);
}

int iso_parse_time(PyObject *text, struct iso_text *out)
{
    return iso_parse(text, out, TIME);
}

int iso_parse_datetime(PyObject *text, struct iso_text *out)
{
    return iso_parse(text, out, DATETIME);
}

PyObject *iso_zone(const struct iso_text *parsed)
{
    if (!parsed->has_offset) {
        Py_RETURN_NONE;
    }
    if (parsed->offset_us == 0) {
        return Py_NewRef(&utc_zone);
    }
    PyObject *delta = delta_from_us(&delta_type, parsed->offset_us);
    PyObject *zone = delta ? timezone_make(delta, NULL) : NULL;
    Py_XDECREF(delta);
    return zone;
}
