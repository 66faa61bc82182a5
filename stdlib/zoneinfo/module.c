/* The module _zoneinfo: ZoneInfo and its caches.
 *
 * Zones are cached twice: every zone that is alive, in a WeakValueDictionary of its class, and the
 * eight used last of ZoneInfo itself, so that they stay alive. */
#include "zoneinfo/zone.h"

#include <datetime.h>

enum { RECENT = 8 };

struct zone {
    PyDateTime_TZInfo base;
    PyObject *weaklist;
    PyObject *key;       /* anything for zones of files */
    PyObject *file_repr; /* how the file was called, or NULL */
    bool from_cache;
    struct zone_data data;
};

struct zone_state {
    PyTypeObject *type;
    PyObject *weak_dictionary; /* weakref.WeakValueDictionary */
    PyObject *alive;           /* that of ZoneInfo */
    PyMutex lock;              /* guards what follows; nothing runs while it is held */
    PyObject *recent[RECENT];  /* last used first, then NULLs */
};

static PyModuleDef zoneinfo_module;

#include "zoneinfo.bind.h"

static struct zone_state *state_of(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &zoneinfo_module);
    return module ? PyModule_GetState(module) : NULL;
}

/* ---- the zones used last --------------------------------------------------------------------- */

/* Moves recent[at] to the front; lock held. */
static void recent_touch(struct zone_state *state, int at)
{
    PyObject *zone = state->recent[at];
    memmove(state->recent + 1, state->recent, (size_t)at * sizeof zone);
    state->recent[0] = zone;
}

/* The zone with such a key, or NULL without an exception.  Only exact strings are compared. */
static PyObject *recent_find(struct zone_state *state, PyObject *key)
{
    PyObject *found = NULL;
    if (!PyUnicode_CheckExact(key)) {
        return NULL;
    }
    PyMutex_Lock(&state->lock);
    for (int i = 0; i < RECENT && state->recent[i] != NULL; i++) {
        PyObject *other = ((struct zone *)state->recent[i])->key;
        if (other == key || (PyUnicode_CheckExact(other) && PyUnicode_Compare(other, key) == 0)) {
            found = Py_NewRef(state->recent[i]);
            recent_touch(state, i);
            break;
        }
    }
    PyMutex_Unlock(&state->lock);
    return found;
}

static void recent_add(struct zone_state *state, PyObject *zone)
{
    PyObject *dropped = NULL;
    int at = 0;
    PyMutex_Lock(&state->lock);
    while (at < RECENT && state->recent[at] != NULL && state->recent[at] != zone) {
        at++;
    }
    if (at == RECENT) {
        dropped = state->recent[--at];
    }
    if (state->recent[at] != zone) {
        state->recent[at] = Py_NewRef(zone);
    }
    recent_touch(state, at);
    PyMutex_Unlock(&state->lock);
    Py_XDECREF(dropped);
}

/* Forgets the zone with such a key, or all for NULL. */
static void recent_remove(struct zone_state *state, PyObject *key)
{
    PyObject *dropped[RECENT];
    int count = 0, kept = 0;
    PyMutex_Lock(&state->lock);
    for (int i = 0; i < RECENT && state->recent[i] != NULL; i++) {
        PyObject *zone = state->recent[i], *other = ((struct zone *)zone)->key;
        bool same = key == NULL || key == other
                    || (PyUnicode_Check(key) && PyUnicode_Check(other)
                        && PyUnicode_Compare(key, other) == 0);
        state->recent[i] = NULL;
        if (same) {
            dropped[count++] = zone;
        } else {
            state->recent[kept++] = zone;
        }
    }
    PyMutex_Unlock(&state->lock);
    while (count > 0) {
        Py_DECREF(dropped[--count]);
    }
}

/* The weak dictionary of a class: new reference. */
static PyObject *alive_of(struct zone_state *state, PyTypeObject *type)
{
    if (type == state->type) {
        return Py_NewRef(state->alive);
    }
    return PyObject_GetAttrString((PyObject *)type, "_weak_cache");
}

/* ---- making ---------------------------------------------------------------------------------- */

static int period_complete(struct period *period)
{
    if (period->name != NULL && period->utc_delta == NULL) {
        period->utc_delta = PyDelta_FromDSU(0, period->utcoff, 0);
        period->dst_delta = period->utc_delta ? PyDelta_FromDSU(0, period->dstoff, 0) : NULL;
        return period->dst_delta ? 0 : -1;
    }
    return 0;
}

/* A zone from what file.read() gives; from_cache and file_repr are left to the caller. */
static struct zone *zone_from_stream(PyTypeObject *type, PyObject *file, PyObject *key)
{
    PyObject *bytes = PyObject_CallMethod(file, "read", NULL);
    if (bytes == NULL) {
        return NULL;
    }
    if (!PyBytes_Check(bytes)) {
        PyErr_Format(PyExc_TypeError, "read() of a binary file returned %.100s, not bytes",
                     Py_TYPE(bytes)->tp_name);
        Py_DECREF(bytes);
        return NULL;
    }
    struct zone *self = type_make(type);
    if (self != NULL) {
        struct zone_data *data = &self->data;
        self->key = Py_NewRef(key);
        bool fine = zone_data_read(data, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
        fine = fine && period_complete(&data->after.standard) == 0
               && period_complete(&data->after.daylight) == 0;
        for (size_t i = 0; fine && i < data->period_count; i++) {
            fine = period_complete(&data->periods[i]) == 0;
        }
        if (!fine) {
            Py_CLEAR(self);
        }
    }
    Py_DECREF(bytes);
    return self;
}

/* Calls a function of a module with one argument. */
static PyObject *call_function(const char *module_name, const char *name, PyObject *arg)
{
    PyObject *module = PyImport_ImportModule(module_name);
    PyObject *result = module ? PyObject_CallMethod(module, name, "O", arg) : NULL;
    Py_XDECREF(module);
    return result;
}

static PyObject *open_for_reading(PyObject *path)
{
    PyObject *io = PyImport_ImportModule("io");
    PyObject *file = io ? PyObject_CallMethod(io, "open", "Os", path, "rb") : NULL;
    Py_XDECREF(io);
    return file;
}

static struct zone *zone_load(PyTypeObject *type, PyObject *key)
{
    PyObject *path = call_function("zoneinfo._tzpath", "find_tzfile", key);
    if (path == NULL) {
        return NULL;
    }
    PyObject *file = path == Py_None ? call_function("zoneinfo._common", "load_tzdata", key)
                                     : open_for_reading(path);
    Py_DECREF(path);
    if (file == NULL) {
        return NULL;
    }
    struct zone *self = zone_from_stream(type, file, key);
    PyObject *error = PyErr_GetRaisedException();
    PyObject *closed = PyObject_CallMethod(file, "close", NULL);
    Py_DECREF(file);
    if (closed == NULL) {
        Py_CLEAR(self);
        _PyErr_ChainExceptions1(error);
        return NULL;
    }
    Py_DECREF(closed);
    PyErr_SetRaisedException(error);
    return self;
}

/* The living zone with such a key, or a new one. */
static PyObject *zone_alive_or_load(PyTypeObject *type, PyObject *alive, PyObject *key)
{
    PyObject *zone = PyObject_CallMethod(alive, "get", "O", key);
    if (zone != Py_None) {
        return zone;
    }
    Py_DECREF(zone);
    struct zone *self = zone_load(type, key);
    if (self == NULL) {
        return NULL;
    }
    self->from_cache = true;
    zone = PyObject_CallMethod(alive, "setdefault", "OO", key, self);
    Py_DECREF(self);
    return zone;
}

static PyObject *zone_new(PyTypeObject *type, PyObject *key)
{
    struct zone_state *state = state_of(type);
    if (state == NULL) {
        return NULL;
    }
    PyObject *zone = type == state->type ? recent_find(state, key) : NULL;
    if (zone != NULL) {
        return zone;
    }
    PyObject *alive = alive_of(state, type);
    zone = alive ? zone_alive_or_load(type, alive, key) : NULL;
    Py_XDECREF(alive);
    if (zone != NULL && Py_IS_TYPE(zone, state->type)) {
        recent_add(state, zone);
    }
    return zone;
}

static PyObject *zone_no_cache(PyTypeObject *type, PyObject *key)
{
    return (PyObject *)zone_load(type, key);
}

static PyObject *zone_from_file(PyTypeObject *type, PyObject *file, PyObject *key)
{
    struct zone *self = zone_from_stream(type, file, key);
    if (self != NULL) {
        self->file_repr = PyObject_Repr(file);
        if (self->file_repr == NULL) {
            Py_CLEAR(self);
        }
    }
    return (PyObject *)self;
}

static int cache_remove(struct zone_state *state, PyTypeObject *type, PyObject *alive,
                        PyObject *key)
{
    if (type == state->type) {
        recent_remove(state, key);
    }
    PyObject *done = PyObject_CallMethod(alive, "pop", "OO", key, Py_None);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

static PyObject *cache_remove_keys(struct zone_state *state, PyTypeObject *type, PyObject *alive,
                                   PyObject *keys)
{
    PyObject *it = PyObject_GetIter(keys), *key;
    if (it == NULL) {
        return NULL;
    }
    while ((key = PyIter_Next(it)) != NULL) {
        int rc = cache_remove(state, type, alive, key);
        Py_DECREF(key);
        if (rc < 0) {
            break;
        }
    }
    Py_DECREF(it);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

static PyObject *zone_clear_cache(PyTypeObject *type, PyObject *keys)
{
    struct zone_state *state = state_of(type);
    PyObject *alive = state ? alive_of(state, type) : NULL, *result;
    if (alive == NULL) {
        return NULL;
    }
    if (keys != Py_None) {
        result = cache_remove_keys(state, type, alive, keys);
    } else {
        if (type == state->type) {
            recent_remove(state, NULL);
        }
        result = PyObject_CallMethod(alive, "clear", NULL);
    }
    Py_DECREF(alive);
    return result;
}

static PyObject *zone_init_subclass(PyObject *op, PyObject *Py_UNUSED(args),
                                    PyObject *Py_UNUSED(kwargs))
{
    struct zone_state *state = state_of((PyTypeObject *)op);
    PyObject *alive = state ? PyObject_CallNoArgs(state->weak_dictionary) : NULL;
    int rc = alive ? PyObject_SetAttrString(op, "_weak_cache", alive) : -1;
    Py_XDECREF(alive);
    return rc < 0 ? NULL : Py_NewRef(Py_None);
}

/* ---- asking ---------------------------------------------------------------------------------- */

struct shown {
    int64_t time; /* seconds since 1970 on the clock that it shows */
    int year, fold;
};

static bool int_attribute(PyObject *op, const char *name, int *out)
{
    PyObject *value = PyObject_GetAttrString(op, name);
    bool fine = value != NULL && bind_int(value, out);
    Py_XDECREF(value);
    return fine;
}

/* What something like a datetime shows, by its attributes. */
static bool shown_by(PyObject *op, struct shown *out)
{
    int hour, minute, second, ordinal;
    PyObject *number = PyObject_CallMethod(op, "toordinal", NULL);
    bool fine = number != NULL && bind_int(number, &ordinal);
    Py_XDECREF(number);
    if (!fine || !int_attribute(op, "hour", &hour) || !int_attribute(op, "minute", &minute)
        || !int_attribute(op, "second", &second) || !int_attribute(op, "year", &out->year)
        || !int_attribute(op, "fold", &out->fold)) {
        return false;
    }
    out->fold = out->fold != 0;
    out->time = (int64_t)(ordinal - 719163) * 86400 + hour * 3600 + minute * 60 + second;
    return true;
}

static void shown_by_datetime(PyObject *op, struct shown *out)
{
    int year = PyDateTime_GET_YEAR(op), month = PyDateTime_GET_MONTH(op);
    int y = year - (month <= 2), m = month + (month <= 2 ? 9 : -3);
    int days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + PyDateTime_GET_DAY(op);
    out->time = (int64_t)(days - 306 - 719163) * 86400 + PyDateTime_DATE_GET_HOUR(op) * 3600
                + PyDateTime_DATE_GET_MINUTE(op) * 60 + PyDateTime_DATE_GET_SECOND(op);
    out->year = year;
    out->fold = PyDateTime_DATE_GET_FOLD(op);
}

/* What holds at `moment`: 1; 0 if that cannot be told, for None; -1 with an exception. */
static int period_at(struct zone *self, PyObject *moment, const struct period **out)
{
    struct shown shown;
    if (moment == Py_None) {
        *out = &self->data.after.standard;
        return self->data.fixed;
    }
    if (PyDateTime_Check(moment)) {
        shown_by_datetime(moment, &shown);
    } else if (!shown_by(moment, &shown)) {
        return -1;
    }
    *out = zone_period_local(&self->data, shown.time, shown.year, shown.fold);
    return 1;
}

#define ASK(method, field)                                                                         \
    static PyObject *zone_##method(struct zone *self, PyObject *moment)                            \
    {                                                                                              \
        const struct period *period;                                                               \
        int rc = period_at(self, moment, &period);                                                 \
        return rc < 0 ? NULL : Py_NewRef(rc ? period->field : Py_None);                            \
    }

ASK(utcoffset, utc_delta)
ASK(dst, dst_delta)
ASK(tzname, name)

/* The same moment with fold = 1; steals `moment`, which nobody else knows. */
static PyObject *fold_set(PyObject *moment)
{
    if (PyDateTime_CheckExact(moment)) {
        ((PyDateTime_DateTime *)moment)->fold = 1;
        return moment;
    }
    PyObject *replace = PyObject_GetAttrString(moment, "replace");
    PyObject *one = replace ? Py_BuildValue("{s:i}", "fold", 1) : NULL;
    PyObject *none = one ? PyTuple_New(0) : NULL;
    PyObject *result = none ? PyObject_Call(replace, none, one) : NULL;
    Py_XDECREF(replace);
    Py_XDECREF(one);
    Py_XDECREF(none);
    Py_DECREF(moment);
    return result;
}

static PyObject *zone_fromutc(struct zone *self, PyObject *moment)
{
    if (!PyDateTime_Check(moment)) {
        PyErr_SetString(PyExc_TypeError, "fromutc: argument must be a datetime");
        return NULL;
    }
    if (PyDateTime_DATE_GET_TZINFO(moment) != (PyObject *)self) {
        PyErr_SetString(PyExc_ValueError, "fromutc: dt.tzinfo is not self");
        return NULL;
    }
    struct shown shown;
    bool fold;
    shown_by_datetime(moment, &shown);
    const struct period *period = zone_period_utc(&self->data, shown.time, shown.year, &fold);
    PyObject *local = PyNumber_Add(moment, period->utc_delta);
    return local != NULL && fold ? fold_set(local) : local;
}

/* ---- text and pickles ------------------------------------------------------------------------ */

static PyObject *zone_repr(PyObject *op)
{
    struct zone *self = (struct zone *)op;
    const char *type = Py_TYPE(op)->tp_name;
    if (self->key != Py_None) {
        return PyUnicode_FromFormat("%s(key=%R)", type, self->key);
    }
    return PyUnicode_FromFormat("%s.from_file(%U)", type, self->file_repr);
}

static PyObject *zone_str(PyObject *op)
{
    PyObject *key = ((struct zone *)op)->key;
    return key != Py_None ? PyObject_Str(key) : zone_repr(op);
}

static PyObject *zone_reduce(struct zone *self)
{
    if (self->file_repr != NULL) {
        PyObject *pickle = PyImport_ImportModule("pickle");
        PyObject *error = pickle ? PyObject_GetAttrString(pickle, "PicklingError") : NULL;
        if (error != NULL) {
            PyErr_SetString(error, "Cannot pickle a ZoneInfo file from a file stream.");
        }
        Py_XDECREF(pickle);
        Py_XDECREF(error);
        return NULL;
    }
    PyObject *unpickle = PyObject_GetAttrString((PyObject *)Py_TYPE(self), "_unpickle");
    return unpickle ? Py_BuildValue("N(Oi)", unpickle, self->key, (int)self->from_cache) : NULL;
}

static PyObject *zone_unpickle(PyTypeObject *type, PyObject *key, int from_cache)
{
    return from_cache ? zone_new(type, key) : (PyObject *)zone_load(type, key);
}

/* ---- the type and the module ----------------------------------------------------------------- */

GC_TRAVERSE(zone, key, file_repr)

static int zone_clear(PyObject *op)
{
    return 0; /* a zone is needed whole as long as anybody knows it */
}

static void zone_dealloc(PyObject *op)
{
    struct zone *self = (struct zone *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    if (self->weaklist != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    Py_CLEAR(self->key);
    Py_CLEAR(self->file_repr);
    zone_data_clear(&self->data);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMemberDef zone_members[] = {
    {"key", Py_T_OBJECT_EX, offsetof(struct zone, key), Py_READONLY,
     PyDoc_STR("the name of the zone in the database, or None")},
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(struct zone, weaklist), Py_READONLY, NULL},
    {0},
};

static PyType_Slot zone_slots[] = {
    GC_SLOTS(zone),
    {Py_tp_repr, zone_repr},
    {Py_tp_str, zone_str},
    {Py_tp_getattro, PyObject_GenericGetAttr},
    {Py_tp_doc, (void *)zone_doc},
    {Py_tp_methods, zone_methods},
    {Py_tp_members, zone_members},
    {Py_tp_new, bind_zone_new},
    {0, NULL},
};

static PyType_Spec zone_spec = {
    "zoneinfo.ZoneInfo",
    sizeof(struct zone),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    zone_slots,
};

static int zoneinfo_exec(PyObject *module)
{
    struct zone_state *state = PyModule_GetState(module);
    PyDateTime_IMPORT;
    if (PyDateTimeAPI == NULL) {
        return -1;
    }
    state->type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &zone_spec,
                                                           (PyObject *)PyDateTimeAPI->TZInfoType);
    if (state->type == NULL
        || PyModule_AddObjectRef(module, "ZoneInfo", (PyObject *)state->type) < 0) {
        return -1;
    }
    state->type->tp_vectorcall = bind_zone_new_vectorcall;
    PyObject *weakref = PyImport_ImportModule("weakref");
    if (weakref == NULL) {
        return -1;
    }
    state->weak_dictionary = PyObject_GetAttrString(weakref, "WeakValueDictionary");
    Py_DECREF(weakref);
    state->alive = state->weak_dictionary ? PyObject_CallNoArgs(state->weak_dictionary) : NULL;
    return state->alive ? 0 : -1;
}

static int zoneinfo_traverse(PyObject *module, visitproc visit, void *arg)
{
    struct zone_state *state = PyModule_GetState(module);
    Py_VISIT(state->type);
    Py_VISIT(state->weak_dictionary);
    Py_VISIT(state->alive);
    for (int i = 0; i < RECENT; i++) {
        Py_VISIT(state->recent[i]);
    }
    return 0;
}

static int zoneinfo_clear(PyObject *module)
{
    struct zone_state *state = PyModule_GetState(module);
    recent_remove(state, NULL);
    Py_CLEAR(state->type);
    Py_CLEAR(state->weak_dictionary);
    Py_CLEAR(state->alive);
    return 0;
}

static void zoneinfo_free(void *module)
{
    zoneinfo_clear(module);
}

static PyModuleDef_Slot zoneinfo_slots[] = MODULE_SLOTS(zoneinfo_exec);

static PyModuleDef zoneinfo_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_zoneinfo",
    .m_doc = PyDoc_STR("The class ZoneInfo."),
    .m_size = sizeof(struct zone_state),
    .m_slots = zoneinfo_slots,
    .m_traverse = zoneinfo_traverse,
    .m_clear = zoneinfo_clear,
    .m_free = zoneinfo_free,
};

MODULE_INIT(_zoneinfo, zoneinfo_module)
