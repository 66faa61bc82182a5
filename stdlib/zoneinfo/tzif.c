/* Reading TZif files, the format of compiled time zones (RFC 8536). */
#include "zoneinfo/zone.h"

enum { HEADER_SIZE = 44 };

struct header {
    int version;
    size_t isut, isstd, leap, times, types, chars;
};

/* Bytes of the file that are not read yet. */
struct input {
    const unsigned char *at;
    size_t left;
};

static bool raise_invalid(const char *what)
{
    PyErr_Format(PyExc_ValueError, "Invalid TZif file: %s", what);
    return false;
}

/* Steps over `size` bytes; NULL with ValueError if there are not so many. */
static const unsigned char *advance(struct input *in, size_t size)
{
    const unsigned char *start = in->at;
    if (in->left < size) {
        raise_invalid("unexpected end");
        return NULL;
    }
    in->at += size;
    in->left -= size;
    return start;
}

static uint32_t read_u32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t read_time(const unsigned char *p, size_t size)
{
    if (size == 4) {
        return (int32_t)read_u32(p);
    }
    return (int64_t)((uint64_t)read_u32(p) << 32 | read_u32(p + 4));
}

static bool header_read(struct input *in, struct header *out)
{
    if (in->left < 4 || memcmp(in->at, "TZif", 4) != 0) {
        return raise_invalid("magic not found");
    }
    const unsigned char *p = advance(in, HEADER_SIZE);
    if (p == NULL) {
        return false;
    }
    if (p[4] != 0 && (p[4] < '1' || p[4] > '9')) {
        return raise_invalid("unknown version");
    }
    *out = (struct header){
        .version = p[4] == 0 ? 1 : p[4] - '0',
        .isut = read_u32(p + 20),
        .isstd = read_u32(p + 24),
        .leap = read_u32(p + 28),
        .times = read_u32(p + 32),
        .types = read_u32(p + 36),
        .chars = read_u32(p + 40),
    };
    if (out->types > 256) {
        return raise_invalid("too many types of local time");
    }
    return true;
}

/* ---- transitions ----------------------------------------------------------------------------- */

static bool transitions_read(struct zone_data *data, struct input *in, const struct header *header,
                             size_t time_size)
{
    size_t count = header->times;
    const unsigned char *times = advance(in, count * time_size);
    const unsigned char *which = times ? advance(in, count) : NULL;
    if (which == NULL) {
        return false;
    }
    if (count == 0) {
        return true;
    }
    data->utc = PyMem_Malloc(count * 3 * sizeof *data->utc);
    data->which = PyMem_Malloc(count);
    if (data->utc == NULL || data->which == NULL) {
        PyErr_NoMemory();
        return false;
    }
    data->local[0] = data->utc + count;
    data->local[1] = data->utc + 2 * count;
    data->count = count;
    for (size_t i = 0; i < count; i++) {
        data->utc[i] = read_time(times + i * time_size, time_size);
        if (which[i] >= header->types) {
            PyErr_Format(PyExc_ValueError, "Invalid transition index found while reading TZif: %d",
                         which[i]);
            return false;
        }
        data->which[i] = which[i];
    }
    return true;
}

/* A transition shows on the clock by the offset before or after it, whichever comes first for fold
 * = 1 and last for fold = 0. */
static void transitions_localize(struct zone_data *data)
{
    for (size_t i = 0; i < data->count; i++) {
        int after = data->periods[data->which[i]].utcoff;
        int before = data->periods[i ? data->which[i - 1] : 0].utcoff;
        data->local[0][i] = data->utc[i] + (before > after ? before : after);
        data->local[1][i] = data->utc[i] + (before > after ? after : before);
    }
}

/* ---- periods --------------------------------------------------------------------------------- */

static bool periods_read(struct zone_data *data, struct input *in, const struct header *header,
                         bool *daylight)
{
    size_t count = header->types;
    const unsigned char *records = advance(in, count * 6);
    const char *names = records ? (const char *)advance(in, header->chars) : NULL;
    if (names == NULL) {
        return false;
    }
    data->periods = PyMem_Calloc(count ? count : 1, sizeof *data->periods);
    if (data->periods == NULL) {
        PyErr_NoMemory();
        return false;
    }
    data->period_count = count;
    for (size_t i = 0; i < count; i++) {
        const unsigned char *record = records + i * 6;
        struct period *period = &data->periods[i];
        period->utcoff = (int32_t)read_u32(record);
        daylight[i] = record[4] != 0;
        if (record[5] >= header->chars) {
            return raise_invalid("no such abbreviation");
        }
        size_t size = strnlen(names + record[5], header->chars - record[5]);
        period->name = PyUnicode_DecodeUTF8(names + record[5], (Py_ssize_t)size, NULL);
        if (period->name == NULL) {
            return false;
        }
    }
    return true;
}

/* How much of an offset is daylight saving time does not stand in the file.  It is the difference
 * to the standard time before or after it, or else an hour. */
static void periods_find_dst(struct zone_data *data, const bool *daylight)
{
    for (size_t i = 1; i < data->count; i++) {
        struct period *period = &data->periods[data->which[i]];
        size_t before = data->which[i - 1];
        if (!daylight[data->which[i]] || period->dstoff != 0) {
            continue;
        }
        if (!daylight[before]) {
            period->dstoff = period->utcoff - data->periods[before].utcoff;
        }
        if (period->dstoff == 0 && i + 1 < data->count && !daylight[data->which[i + 1]]) {
            period->dstoff = period->utcoff - data->periods[data->which[i + 1]].utcoff;
        }
    }
    for (size_t i = 0; i < data->period_count; i++) {
        if (daylight[i] && data->periods[i].dstoff == 0) {
            data->periods[i].dstoff = 3600;
        }
    }
}

/* What holds before the first transition: the first standard time. */
static void periods_find_first(struct zone_data *data, const bool *daylight)
{
    for (size_t i = 0; i < data->period_count; i++) {
        if (!daylight[i]) {
            data->before = &data->periods[i];
            return;
        }
    }
    if (data->count != 0) {
        data->before = &data->periods[data->which[0]];
    }
}

static bool period_equal(const struct period *a, const struct period *b)
{
    return a->utcoff == b->utcoff && a->dstoff == b->dstoff
           && PyUnicode_Compare(a->name, b->name) == 0;
}

/* ---- the end --------------------------------------------------------------------------------- */

/* The line with the rule, behind the blocks of data: may be empty. */
static bool footer_read(struct input *in, const struct header *header, const char **text,
                        size_t *size)
{
    if (advance(in, header->isut + header->isstd + header->leap * 12) == NULL) {
        return false;
    }
    const unsigned char *start = advance(in, 1);
    const unsigned char *end = start ? memchr(in->at, '\n', in->left) : NULL;
    if (start == NULL || *start != '\n' || end == NULL) {
        return PyErr_Occurred() ? false : raise_invalid("no time zone string");
    }
    *text = (const char *)in->at;
    *size = (size_t)(end - in->at);
    return true;
}

static bool after_set(struct zone_data *data, const char *text, size_t size)
{
    if (size != 0) {
        return rule_read(&data->after, text, size);
    }
    if (data->period_count == 0) {
        PyErr_SetString(PyExc_ValueError, "No time zone information found.");
        return false;
    }
    size_t last = data->count ? data->which[data->count - 1] : data->period_count - 1;
    data->after.standard = data->periods[last];
    Py_INCREF(data->after.standard.name);
    return true;
}

bool zone_data_read(struct zone_data *data, const char *bytes, size_t size)
{
    struct input in = {(const unsigned char *)bytes, size};
    struct header header;
    bool daylight[256] = {false};
    size_t time_size = 4;
    if (!header_read(&in, &header)) {
        return false;
    }
    if (header.version > 1) { /* the data follow once more, with wide times */
        size_t skipped = header.times * 5 + header.types * 6 + header.chars + header.leap * 8
                         + header.isstd + header.isut;
        if (advance(&in, skipped) == NULL || !header_read(&in, &header)) {
            return false;
        }
        time_size = 8;
    }
    if (!transitions_read(data, &in, &header, time_size)
        || !periods_read(data, &in, &header, daylight)) {
        return false;
    }
    const char *text = NULL;
    size_t text_size = 0;
    if (header.version > 1 && !footer_read(&in, &header, &text, &text_size)) {
        return false;
    }
    periods_find_dst(data, daylight);
    periods_find_first(data, daylight);
    transitions_localize(data);
    if (!after_set(data, text, text_size)) {
        return false;
    }
    data->fixed =
        data->period_count <= 1 && !data->after.yearly
        && (data->period_count == 0 || period_equal(&data->periods[0], &data->after.standard));
    return true;
}

static void period_clear(struct period *period)
{
    Py_CLEAR(period->utc_delta);
    Py_CLEAR(period->dst_delta);
    Py_CLEAR(period->name);
}

void zone_data_clear(struct zone_data *data)
{
    for (size_t i = 0; i < data->period_count; i++) {
        period_clear(&data->periods[i]);
    }
    period_clear(&data->after.standard);
    period_clear(&data->after.daylight);
    PyMem_Free(data->utc);
    PyMem_Free(data->which);
    PyMem_Free(data->periods);
    memset(data, 0, sizeof *data);
}
