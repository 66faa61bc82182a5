/* _lsprof: what cProfile stands on.
 *
 * The profiler is a tool of sys.monitoring. Each thread has a lane: the stack of its calls that are under
 * way. When a call ends, its time goes to the entry of its function, is taken off its caller's own time,
 * and, if asked, goes to the pair of caller and function too. */

#include "seconds.h"

#include <structmember.h>

/* Figures of a function, or of a function called by one other. */
struct tally {
    struct tally *next;    /* in its bucket */
    const void *key;       /* what tells functions apart */
    PyObject *subject;     /* owned: the code object, or a text for what is written in C */
    PyTime_t total, own;   /* the outermost calls; without what they called */
    long calls, recursive; /* all calls; those that were not outermost */
    long depth;            /* calls under way */
    struct table *callees; /* of a function: tallies of what it called; may be NULL */
};

struct table {
    struct tally **buckets;
    size_t mask, count; /* mask + 1 buckets, none while buckets is NULL */
};

struct call {
    struct call *caller;
    struct tally *function;
    PyTime_t start, below; /* below: time of the calls that it made */
};

struct lane {
    struct lane *next;
    unsigned long thread;
    struct call *innermost;
};

struct profiler {
    PyObject_HEAD
    struct table table;
    struct lane *lanes;
    struct call *spare; /* for reuse */
    PyObject *timer;    /* owned or NULL */
    PyObject *missing;  /* owned: sys.monitoring.MISSING while enabled */
    double unit;
    bool enabled, subcalls, builtins;
    bool in_timer; /* the user's timer runs: nothing may be taken away under its call */
    bool out_of_memory;
};

struct lsprof_state {
    PyObject *profiler_type, *entry_type, *subentry_type;
};

static PyModuleDef definition;

#include "lsprof.bind.h"

enum { TOOL = 2 }; /* sys.monitoring.PROFILER_ID */

/* ---- tables -------------------------------------------------------------------------------------------- */

static size_t bucket_of(const struct table *table, const void *key)
{
    return (size_t)(((uintptr_t)key >> 4) * 0x9E3779B97F4A7C15u >> 16) & table->mask;
}

static struct tally *table_find(const struct table *table, const void *key)
{
    if (table->buckets == NULL) {
        return NULL;
    }
    struct tally *tally = table->buckets[bucket_of(table, key)];
    while (tally != NULL && tally->key != key) {
        tally = tally->next;
    }
    return tally;
}

static bool table_grow(struct table *table)
{
    struct table old = *table;
    size_t slots = old.buckets == NULL ? 16 : (old.mask + 1) * 2;
    table->buckets = PyMem_Calloc(slots, sizeof *table->buckets);
    if (table->buckets == NULL) {
        *table = old;
        return false;
    }
    table->mask = slots - 1;
    for (size_t i = 0; old.buckets != NULL && i <= old.mask; i++) {
        for (struct tally *t = old.buckets[i], *next; t != NULL; t = next) {
            next = t->next;
            struct tally **bucket = &table->buckets[bucket_of(table, t->key)];
            t->next = *bucket;
            *bucket = t;
        }
    }
    PyMem_Free(old.buckets);
    return true;
}

/* Adds a tally of a key that is not there; `subject` is taken over in any case. NULL without memory. */
static struct tally *table_add(struct table *table, const void *key, PyObject *subject)
{
    struct tally *tally = NULL;
    if ((table->buckets != NULL && table->count <= table->mask) || table_grow(table)) {
        tally = PyMem_Calloc(1, sizeof *tally);
    }
    if (tally == NULL) {
        Py_DECREF(subject);
        return NULL;
    }
    struct tally **bucket = &table->buckets[bucket_of(table, key)];
    *tally = (struct tally){.next = *bucket, .key = key, .subject = subject};
    *bucket = tally;
    table->count++;
    return tally;
}

static void table_free(struct table *table)
{
    for (size_t i = 0; table->buckets != NULL && i <= table->mask; i++) {
        for (struct tally *t = table->buckets[i], *next; t != NULL; t = next) {
            next = t->next;
            Py_DECREF(t->subject);
            if (t->callees != NULL) {
                table_free(t->callees);
                PyMem_Free(t->callees);
            }
            PyMem_Free(t);
        }
    }
    PyMem_Free(table->buckets);
    *table = (struct table){.buckets = NULL};
}

/* ---- the clock ------------------------------------------------------------------------------------------- */

/* What the user's timer says; its errors are reported and count as 0. */
static PyTime_t ask_timer(struct profiler *self)
{
    self->in_timer = true;
    PyObject *answer = PyObject_CallNoArgs(self->timer);
    self->in_timer = false;
    PyTime_t time = 0;
    bool fine = answer != NULL;
    if (fine && self->unit > 0.0) {
        time = PyLong_AsLongLong(answer);
        fine = time != -1 || !PyErr_Occurred();
    } else if (fine) {
        fine = nanoseconds_of(answer, ROUND_FLOOR, &time);
    }
    Py_XDECREF(answer);
    if (!fine) {
        PyErr_WriteUnraisable(self->timer);
        return 0;
    }
    return time;
}

static PyTime_t read_time(struct profiler *self)
{
    PyTime_t now;
    if (self->timer != NULL) {
        return ask_timer(self);
    }
    PyTime_PerfCounterRaw(&now);
    return now;
}

/* ---- calls ------------------------------------------------------------------------------------------------- */

static struct lane *lane_of_thread(struct profiler *self)
{
    unsigned long thread = PyThread_get_thread_ident();
    for (struct lane *lane = self->lanes; lane != NULL; lane = lane->next) {
        if (lane->thread == thread) {
            return lane;
        }
    }
    struct lane *lane = PyMem_Calloc(1, sizeof *lane);
    if (lane == NULL) {
        self->out_of_memory = true;
        return NULL;
    }
    *lane = (struct lane){.next = self->lanes, .thread = thread};
    return self->lanes = lane;
}

static struct tally *callee_of(struct tally *caller, const struct tally *function, bool add)
{
    struct tally *tally =
        caller->callees == NULL ? NULL : table_find(caller->callees, function->key);
    if (tally != NULL || !add) {
        return tally;
    }
    if (caller->callees == NULL) {
        caller->callees = PyMem_Calloc(1, sizeof *caller->callees);
    }
    return caller->callees == NULL
               ? NULL
               : table_add(caller->callees, function->key, Py_NewRef(function->subject));
}

static void call_begin(struct profiler *self, struct tally *function)
{
    struct lane *lane = lane_of_thread(self);
    struct call *call = self->spare;
    if (call != NULL) {
        self->spare = call->caller;
    } else {
        call = PyMem_Malloc(sizeof *call);
    }
    if (lane == NULL || call == NULL) {
        self->out_of_memory = true;
        PyMem_Free(call);
        return;
    }
    *call = (struct call){.caller = lane->innermost, .function = function};
    lane->innermost = call;
    function->depth++;
    if (self->subcalls && call->caller != NULL) {
        struct tally *pair = callee_of(call->caller->function, function, true);
        if (pair != NULL) {
            pair->depth++;
        } else {
            self->out_of_memory = true;
        }
    }
    call->start = read_time(self);
}

static void tally_end(struct tally *tally, PyTime_t total, PyTime_t own)
{
    if (--tally->depth == 0) {
        tally->total += total;
    } else {
        tally->recursive++;
    }
    tally->own += own;
    tally->calls++;
}

/* Takes the innermost call off the lane. */
static void call_end(struct profiler *self, struct lane *lane)
{
    struct call *call = lane->innermost;
    PyTime_t total = read_time(self) - call->start, own = total - call->below;
    lane->innermost = call->caller;
    if (call->caller != NULL) {
        call->caller->below += total;
        struct tally *pair =
            self->subcalls ? callee_of(call->caller->function, call->function, false) : NULL;
        if (pair != NULL) {
            tally_end(pair, total, own);
        }
    }
    tally_end(call->function, total, own);
    call->caller = self->spare;
    self->spare = call;
}

static void end_innermost(struct profiler *self)
{
    struct lane *lane = lane_of_thread(self);
    if (lane != NULL && lane->innermost != NULL) {
        call_end(self, lane);
    }
}

static void drop_lanes(struct profiler *self)
{
    for (struct lane *lane = self->lanes, *next; lane != NULL; lane = next) {
        next = lane->next;
        while (lane->innermost != NULL) {
            call_end(self, lane);
        }
        PyMem_Free(lane);
    }
    self->lanes = NULL;
}

/* ---- what was called ------------------------------------------------------------------------------------------- */

/* A text for a function written in C: new reference. */
static PyObject *describe(PyCFunctionObject *function)
{
    const char *name = function->m_ml->ml_name;
    PyObject *owner = PyCFunction_GET_SELF(function);
    if (owner == NULL || PyModule_Check(owner)) {
        PyObject *module = function->m_module;
        PyObject *text = module == NULL            ? NULL
                         : PyUnicode_Check(module) ? Py_NewRef(module)
                                                   : PyModule_GetNameObject(module);
        PyErr_Clear();
        PyObject *result = text == NULL
                               ? PyUnicode_FromFormat("<built-in method %s>", name)
                               : PyUnicode_FromFormat("<built-in method %U.%s>", text, name);
        Py_XDECREF(text);
        return result;
    }
    /* The descriptor it was bound from knows its class. */
    PyObject *key = PyUnicode_FromString(name);
    PyObject *descriptor = key == NULL ? NULL : _PyType_Lookup(Py_TYPE(owner), key);
    PyObject *result = NULL;
    Py_XDECREF(key);
    if (descriptor != NULL && Py_TYPE(descriptor) != &PyCFunction_Type) {
        result = PyObject_Repr(descriptor);
        PyErr_Clear();
    }
    return result != NULL ? result : PyUnicode_FromFormat("<built-in method %s>", name);
}

/* The function written in C that is behind what is called (new reference), or NULL. */
static PyCFunctionObject *c_function_of(struct profiler *self, PyObject *callable, PyObject *first)
{
    if (PyCFunction_Check(callable)) {
        return (PyCFunctionObject *)Py_NewRef(callable);
    }
    if (!PyObject_TypeCheck(callable, &PyMethodDescr_Type) || first == self->missing) {
        return NULL;
    }
    PyObject *bound = Py_TYPE(callable)->tp_descr_get(callable, first, (PyObject *)Py_TYPE(first));
    if (bound == NULL) {
        PyErr_Clear();
        return NULL;
    }
    if (!PyCFunction_Check(bound)) {
        Py_CLEAR(bound);
    }
    return (PyCFunctionObject *)bound;
}

/* The tally of a key; `make` gives what it is about. NULL without memory, which is noted. */
static struct tally *tally_of(struct profiler *self, const void *key, PyObject *subject)
{
    struct tally *tally = table_find(&self->table, key);
    if (tally == NULL) {
        PyObject *about = PyCFunction_Check(subject) ? describe((PyCFunctionObject *)subject)
                                                     : Py_NewRef(subject);
        tally = about == NULL ? NULL : table_add(&self->table, key, about);
        if (tally == NULL) {
            PyErr_Clear();
            self->out_of_memory = true;
        }
    }
    return tally;
}

static int begin_locked(struct profiler *self, const void *key, PyObject *subject)
{
    PyObject *raised = PyErr_GetRaisedException();
    struct tally *tally = tally_of(self, key, subject);
    if (tally != NULL) {
        call_begin(self, tally);
    }
    PyErr_SetRaisedException(raised);
    return 0;
}

static int end_locked(struct profiler *self)
{
    PyObject *raised = PyErr_GetRaisedException();
    end_innermost(self);
    PyErr_SetRaisedException(raised);
    return 0;
}

/* ---- callbacks -------------------------------------------------------------------------------------------------- */

static int profiler_pystart_callback(struct profiler *self, PyObject *code, PyObject *offset,
                                     PyObject *exception)
{
    return LOCKED(self, begin_locked(self, code, code));
}

static int profiler_pyreturn_callback(struct profiler *self, PyObject *code, PyObject *offset,
                                      PyObject *value)
{
    return LOCKED(self, end_locked(self));
}

static int profiler_ccall_callback(struct profiler *self, PyObject *code, PyObject *offset,
                                   PyObject *callable, PyObject *first)
{
    PyCFunctionObject *function = self->builtins ? c_function_of(self, callable, first) : NULL;
    if (function != NULL) {
        LOCKED(self, begin_locked(self, function->m_ml, (PyObject *)function));
        Py_DECREF(function);
    }
    return 0;
}

static int profiler_creturn_callback(struct profiler *self, PyObject *code, PyObject *offset,
                                     PyObject *callable, PyObject *first)
{
    PyCFunctionObject *function = self->builtins ? c_function_of(self, callable, first) : NULL;
    if (function != NULL) {
        LOCKED(self, end_locked(self));
        Py_DECREF(function);
    }
    return 0;
}

static const struct {
    const char *event, *callback;
} callbacks[] = {
    {"PY_START", "_pystart_callback"},  {"PY_RESUME", "_pystart_callback"},
    {"PY_THROW", "_pystart_callback"},  {"PY_RETURN", "_pyreturn_callback"},
    {"PY_YIELD", "_pyreturn_callback"}, {"PY_UNWIND", "_pyreturn_callback"},
    {"CALL", "_ccall_callback"},        {"C_RETURN", "_creturn_callback"},
    {"C_RAISE", "_creturn_callback"},
};
enum { CALLBACKS = sizeof callbacks / sizeof callbacks[0] };

/* sys.monitoring.NAME(...): 0, or -1 with an exception. */
static int call_monitoring(PyObject *monitoring, const char *name, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    PyObject *args = Py_VaBuildValue(format, values);
    va_end(values);
    PyObject *function = args == NULL ? NULL : PyObject_GetAttrString(monitoring, name);
    PyObject *result = function == NULL ? NULL : PyObject_CallObject(function, args);
    Py_XDECREF(args);
    Py_XDECREF(function);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

/* Sets or, with `set` false, takes away the callbacks; gives the set of events. -1 with an exception. */
static long register_callbacks(struct profiler *self, PyObject *monitoring, bool set)
{
    PyObject *events = PyObject_GetAttrString(monitoring, "events");
    long all = events == NULL ? -1 : 0;
    for (int i = 0; i < CALLBACKS && all >= 0; i++) {
        PyObject *event = PyObject_GetAttrString(events, callbacks[i].event);
        PyObject *callback = !set ? Py_NewRef(Py_None)
                                  : PyObject_GetAttrString((PyObject *)self, callbacks[i].callback);
        if (event == NULL || callback == NULL
            || call_monitoring(monitoring, "register_callback", "(iOO)", TOOL, event, callback)
                   < 0) {
            all = -1;
        } else {
            all |= PyLong_AsLong(event);
        }
        Py_XDECREF(event);
        Py_XDECREF(callback);
    }
    Py_XDECREF(events);
    return all;
}

static PyObject *monitoring_of_sys(void)
{
    PyObject *monitoring = PySys_GetObject("monitoring");
    if (monitoring == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "lost sys.monitoring");
    }
    return Py_XNewRef(monitoring);
}

static int start_monitoring(struct profiler *self, PyObject *monitoring)
{
    if (call_monitoring(monitoring, "use_tool_id", "(is)", TOOL, "cProfile") < 0) {
        PyErr_SetString(PyExc_ValueError, "Another profiling tool is already active");
        return -1;
    }
    Py_XSETREF(self->missing, PyObject_GetAttrString(monitoring, "MISSING"));
    long events = self->missing == NULL ? -1 : register_callbacks(self, monitoring, true);
    if (events < 0 || call_monitoring(monitoring, "set_events", "(il)", TOOL, events) < 0) {
        return -1;
    }
    return 0;
}

static int profiler_enable(struct profiler *self, int subcalls, int builtins)
{
    PyObject *monitoring = monitoring_of_sys();
    if (monitoring == NULL) {
        return -1;
    }
    int result = self->enabled ? 0 : start_monitoring(self, monitoring);
    Py_DECREF(monitoring);
    if (result == 0) {
        self->subcalls = subcalls;
        self->builtins = builtins;
        self->enabled = true;
    }
    return result;
}

static int stop_monitoring(struct profiler *self)
{
    PyObject *monitoring = monitoring_of_sys();
    int result = monitoring == NULL || register_callbacks(self, monitoring, false) < 0
                         || call_monitoring(monitoring, "set_events", "(ii)", TOOL, 0) < 0
                         || call_monitoring(monitoring, "free_tool_id", "(i)", TOOL) < 0
                     ? -1
                     : 0;
    Py_XDECREF(monitoring);
    return result;
}

static int drop_lanes_locked(struct profiler *self)
{
    drop_lanes(self);
    return 0;
}

static int profiler_disable(struct profiler *self)
{
    if (self->in_timer) {
        PyErr_SetString(PyExc_RuntimeError, "cannot disable profiler in external timer");
        return -1;
    }
    if (!self->enabled) {
        return 0;
    }
    self->enabled = false;
    if (stop_monitoring(self) < 0) {
        return -1;
    }
    LOCKED(self, drop_lanes_locked(self));
    if (self->out_of_memory) {
        PyErr_SetString(PyExc_MemoryError, "memory was exhausted while profiling");
        self->out_of_memory = false;
        return -1;
    }
    return 0;
}

/* Calls under way lose what they point to, so they go too. */
static int clear_locked(struct profiler *self)
{
    for (struct lane *lane = self->lanes; lane != NULL; lane = lane->next) {
        for (struct call *call; (call = lane->innermost) != NULL;) {
            lane->innermost = call->caller;
            PyMem_Free(call);
        }
    }
    table_free(&self->table);
    return 0;
}

static int profiler_clear_method(struct profiler *self)
{
    if (self->in_timer) {
        PyErr_SetString(PyExc_RuntimeError, "cannot clear profiler in external timer");
        return -1;
    }
    return LOCKED(self, clear_locked(self));
}

/* ---- results ------------------------------------------------------------------------------------------------------- */

static PyStructSequence_Field fields[] = {
    {"code", "code object, or a text for a function written in C"},
    {"callcount", "how many times it was called"},
    {"reccallcount", "how many of these from inside itself"},
    {"totaltime", "seconds in it and what it called"},
    {"inlinetime", "seconds in itself"},
    {"calls", "what it called"},
    {NULL, NULL},
};

static PyStructSequence_Field subfields[] = {
    {"code", "code object, or a text for a function written in C"},
    {"callcount", "how many times it was called"},
    {"reccallcount", "how many of these from inside itself"},
    {"totaltime", "seconds in it and what it called"},
    {"inlinetime", "seconds in itself"},
    {NULL, NULL},
};

static PyStructSequence_Desc entry_desc = {"_lsprof.profiler_entry", NULL, fields, 6};
static PyStructSequence_Desc subentry_desc = {"_lsprof.profiler_subentry", NULL, subfields, 5};

/* A list of the tallies of a table that ended at least once: new reference. */
static PyObject *table_list(const struct table *table, struct lsprof_state *state, double factor,
                            bool pairs);

static PyObject *tally_object(const struct tally *tally, struct lsprof_state *state, double factor,
                              bool pair)
{
    PyObject *result =
        PyStructSequence_New((PyTypeObject *)(pair ? state->subentry_type : state->entry_type));
    if (result == NULL) {
        return NULL;
    }
    PyObject *calls = pair                     ? NULL
                      : tally->callees == NULL ? Py_NewRef(Py_None)
                                               : table_list(tally->callees, state, factor, true);
    PyObject *items[] = {
        Py_NewRef(tally->subject),
        PyLong_FromLong(tally->calls),
        PyLong_FromLong(tally->recursive),
        PyFloat_FromDouble(factor * (double)tally->total),
        PyFloat_FromDouble(factor * (double)tally->own),
        calls,
    };
    bool fine = true;
    for (int i = 0; i < (pair ? 5 : 6); i++) {
        fine = fine && items[i] != NULL;
        PyStructSequence_SetItem(result, i, items[i]);
    }
    if (!fine) {
        Py_CLEAR(result);
    }
    return result;
}

static PyObject *table_list(const struct table *table, struct lsprof_state *state, double factor,
                            bool pairs)
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list != NULL && table->buckets != NULL && i <= table->mask; i++) {
        for (struct tally *t = table->buckets[i]; list != NULL && t != NULL; t = t->next) {
            if (t->calls == 0) {
                continue;
            }
            PyObject *item = tally_object(t, state, factor, pairs);
            if (item == NULL || PyList_Append(list, item) < 0) {
                Py_CLEAR(list);
            }
            Py_XDECREF(item);
        }
    }
    return list;
}

static PyObject *profiler_getstats(struct profiler *self)
{
    PyObject *module = PyType_GetModuleByDef(Py_TYPE(self), &definition);
    if (module == NULL) {
        return NULL;
    }
    double factor = self->timer != NULL && self->unit > 0.0 ? self->unit : 1e-9;
    return LOCKED(self, table_list(&self->table, PyModule_GetState(module), factor, false));
}

/* ---- the type ------------------------------------------------------------------------------------------------------- */

static int profiler_init(struct profiler *self, PyObject *timer, double timeunit, int subcalls,
                         int builtins)
{
    PyObject *own = timer == NULL || timer == Py_None ? NULL : Py_NewRef(timer);
    Py_XSETREF(self->timer, own);
    self->unit = timeunit;
    self->subcalls = subcalls;
    self->builtins = builtins;
    return 0;
}

static int profiler_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct profiler *self = (struct profiler *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->timer);
    Py_VISIT(self->missing);
    return 0;
}

static int profiler_clear(PyObject *op)
{
    struct profiler *self = (struct profiler *)op;
    Py_CLEAR(self->timer);
    Py_CLEAR(self->missing);
    return 0;
}

static void profiler_dealloc(PyObject *op)
{
    struct profiler *self = (struct profiler *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    if (self->enabled) {
        PyObject *raised = PyErr_GetRaisedException();
        self->enabled = false;
        if (stop_monitoring(self) < 0) {
            PyErr_WriteUnraisable(NULL);
        }
        PyErr_SetRaisedException(raised);
    }
    clear_locked(self);
    drop_lanes(self);
    while (self->spare != NULL) {
        struct call *call = self->spare;
        self->spare = call->caller;
        PyMem_Free(call);
    }
    profiler_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot profiler_slots[] = {
    GC_SLOTS(profiler),
    {Py_tp_methods, profiler_methods},
    {Py_tp_init, bind_profiler_init},
    {Py_tp_doc, (void *)profiler_doc},
    {0, NULL},
};

static PyType_Spec profiler_spec = {
    .name = "_lsprof.Profiler",
    .basicsize = sizeof(struct profiler),
    .flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = profiler_slots,
};

static int lsprof_exec(PyObject *module)
{
    struct lsprof_state *state = PyModule_GetState(module);
    state->profiler_type = (PyObject *)module_type(module, &profiler_spec, true);
    state->entry_type = (PyObject *)PyStructSequence_NewType(&entry_desc);
    state->subentry_type = (PyObject *)PyStructSequence_NewType(&subentry_desc);
    if (state->profiler_type == NULL || state->entry_type == NULL || state->subentry_type == NULL
        || PyModule_AddObjectRef(module, "profiler_entry", state->entry_type) < 0
        || PyModule_AddObjectRef(module, "profiler_subentry", state->subentry_type) < 0) {
        return -1;
    }
    return 0;
}

STATE_OBJECTS(lsprof)

static PyModuleDef_Slot slots[] = MODULE_SLOTS(lsprof_exec);

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "_lsprof", .m_doc = lsprof_doc,
    .m_methods = NULL,     .m_slots = slots,    STATE_FIELDS(lsprof),
};

MODULE_INIT(_lsprof, definition)
