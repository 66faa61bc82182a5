/*
 * sys.monitoring (PEP 669): sets of events, instrumented words, and reporting.
 *
 * When a code object is entered and its instrument_version is not the current one, the words at which
 * somebody wants an event get the op INSTRUMENTED; what they do is kept in struct code_monitor. The words of code
 * that runs change while the world is stopped. An event that is tied to no word (exceptions) is
 * reported where it happens, after a look at `listening`. So do the sets themselves, and what DISABLE switches off.
 */
#include "interp/monitoring.h"

#include "interp/vm/vm.h"

uint32_t monitoring_version;
struct monitoring monitoring;

static uint32_t restarts;

/* Which events a word has, by kind; what is disabled is kept per kind. */
enum word_kind { KIND_LINE, KIND_INSTRUCTION, KIND_MAIN, KINDS };

struct word_monitor {
    uint16_t op;             /* what the word does */
    uint8_t disabled[KINDS]; /* tools that returned DISABLE */
    uint8_t starts_line;
    uint8_t after_other_line; /* ... also when control falls into it */
    uint8_t same_line,
        other_line; /* a jump to a word that starts a line, from that line or from another */
};

struct code_monitor {
    int *lines;            /* per word, -1: none */
    uint32_t restarts;     /* how many there had been when `disabled` was last emptied */
    uint32_t local[TOOLS]; /* sets of events of this code object */
    struct word_monitor words[];
};

/* ---- words ----------------------------------------------------------------------------------- */

unsigned monitor_original_op(const struct code_body *body, uint32_t index)
{
    return body->monitor->words[index].op;
}

void monitor_free(struct code_monitor *monitor)
{
    if (monitor != NULL) {
        PyMem_RawFree(monitor->lines);
        PyMem_RawFree(monitor);
    }
}

int monitor_line(const struct code_body *body, int index)
{
    return body->monitor != NULL && index >= 0 && (uint32_t)index < body->nwords
               ? body->monitor->lines[index]
               : code_line(body->code, index);
}

/* The event of a word's op, or -1. */
static int event_of(const struct code_body *body, uint32_t index)
{
    uint64_t w = field_load(&body->words[index]);
    unsigned op =
        body->monitor && WORD_OP(w) == INSTRUMENTED ? body->monitor->words[index].op : WORD_OP(w);
    op = opcode_table[op].base;
    switch (op) {
    case RESUME:
        return WORD_C(w) == 0 ? PY_MONITORING_EVENT_PY_START : PY_MONITORING_EVENT_PY_RESUME;
    case RETURN:
    case RETURN_CONST:
        return PY_MONITORING_EVENT_PY_RETURN;
    case YIELD:
        return PY_MONITORING_EVENT_PY_YIELD;
    case CALL:
    case CALL_EX:
    case LOAD_SUPER_ATTR:
    case LOAD_SUPER_METHOD:
        return PY_MONITORING_EVENT_CALL;
    case JUMP:
    case JUMP_BACK:
        return PY_MONITORING_EVENT_JUMP;
    case SEND:
        return -1;
    default:
        return opcode_table[op].flags & OPCODE_JUMPS ? PY_MONITORING_EVENT_BRANCH : -1;
    }
}

int monitor_jump_target(const struct code_body *body, uint32_t i)
{
    const struct opcode_info *info = &opcode_table[code_base_op(body, i)];
    if (!(info->flags & OPCODE_JUMPS)) {
        return -1;
    }
    const uint64_t *pc = &body->words[i + 1];
    return (int)i + 1
           + (info->c == OPERAND_JUMP ? word_jump(body, pc) : WORD_SBC(field_load(&pc[-1])));
}

/* Words that begin a line: what may run before them stands on another one, or is the start of the function. A jump
 * that comes from the same line is marked too: it says so when it is taken. */
static void mark_lines(struct code_body *body, const int *lines)
{
    struct word_monitor *words = body->monitor->words;
    uint32_t first = (uint32_t)body->code->_co_firsttraceable;
    int before = -1; /* the line of what falls through, -1: nothing does */
    for (uint32_t i = 0; i < body->nwords; i++) {
        unsigned op = code_base_op(body, i);
        if (op == RESUME) {
            before = i == first ? -1 : before;
            continue;
        }
        if (op == EXT) {
            continue;
        }
        if (i > first && lines[i] >= 0 && lines[i] != before) {
            words[i].starts_line = words[i].after_other_line = 1;
        }
        before = opcode_table[op].flags & OPCODE_ENDS && op != RETURN_GENERATOR ? -1 : lines[i];
    }
    for (uint32_t i = first; i < body->nwords; i++) {
        int target = monitor_jump_target(body, i);
        if (target < 0) {
            continue;
        }
        uint32_t to = (uint32_t)target + (code_base_op(body, (uint32_t)target) == EXT);
        if (lines[to] >= 0 && code_base_op(body, to) != RESUME) {
            words[to].starts_line |= lines[to] != lines[i];
        }
    }
    for (uint32_t i = 0; i < body->nhandlers; i++) {
        uint32_t target = body->handlers[i].target;
        words[target].starts_line |= lines[target] >= 0;
    }
    for (uint32_t i = first; i < body->nwords; i++) {
        int target = monitor_jump_target(body, i);
        if (target >= 0) {
            uint32_t to = (uint32_t)target + (code_base_op(body, (uint32_t)target) == EXT);
            words[i].same_line = words[to].starts_line && lines[to] == lines[i];
            words[i].other_line =
                words[to].starts_line && lines[to] != lines[i] && !words[to].after_other_line;
        }
    }
}

static int monitor_make(struct code_body *body)
{
    if (body->monitor != NULL) {
        return 0;
    }
    struct code_monitor *monitor =
        PyMem_RawCalloc(1, sizeof *monitor + body->nwords * sizeof(struct word_monitor));
    int *lines = PyMem_RawMalloc((body->nwords + 1) * sizeof(int));
    if (monitor == NULL || lines == NULL) {
        PyMem_RawFree(monitor);
        PyMem_RawFree(lines);
        PyErr_NoMemory();
        return -1;
    }
    struct line_iter iter;
    for (uint32_t i = 0; i < body->nwords; i++) {
        lines[i] = -1;
    }
    line_iter_init(&iter, body->code);
    while (line_iter_next(&iter)) {
        for (int i = iter.start; i < iter.stop && i < (int)body->nwords; i++) {
            lines[i] = iter.position.line;
        }
    }
    monitor->lines = lines;
    body->monitor = monitor;
    mark_lines(body, lines);
    return 0;
}

/* Tools that want event e in this code. */
static uint8_t tools_for(const struct code_body *body, int e)
{
    uint8_t tools = 0;
    for (int t = 0; t < TOOLS; t++) {
        uint32_t set = monitoring.events[t] | (body->monitor ? body->monitor->local[t] : 0);
        tools |= (uint8_t)((set >> e & 1) << t);
    }
    return tools;
}

/* Tools that want C_RETURN or C_RAISE are told through CALL. */
static uint8_t tools_for_word(const struct code_body *body, int e)
{
    uint8_t tools = tools_for(body, e);
    if (e == PY_MONITORING_EVENT_CALL) {
        tools |= tools_for(body, PY_MONITORING_EVENT_C_RETURN)
                 | tools_for(body, PY_MONITORING_EVENT_C_RAISE);
    }
    return tools;
}

static void patch_word(struct code_body *body, uint32_t i, bool instrument)
{
    uint64_t *word = &body->words[i], old = field_load(word);
    struct word_monitor *state = &body->monitor->words[i];
    bool is = WORD_OP(old) == INSTRUMENTED;
    if (instrument && !is) {
        /* The general form: a specialised one would not report. */
        state->op = opcode_table[WORD_OP(old)].base;
        field_store(word, (old & ~(uint64_t)0xFFFF) | INSTRUMENTED);
    } else if (!instrument && is) {
        field_store(word, (old & ~(uint64_t)0xFFFF) | state->op);
    }
}

/* Who wants which events in one piece of code. */
struct wants {
    uint8_t lines, instructions, main[EVENTS];
};

static struct wants wants_of(const struct code_body *body)
{
    struct wants wants = {.lines = tools_for(body, PY_MONITORING_EVENT_LINE),
                          .instructions = tools_for(body, PY_MONITORING_EVENT_INSTRUCTION)};
    for (int e = 0; e < EVENTS; e++) {
        wants.main[e] = tools_for_word(body, e);
    }
    return wants;
}

static void word_update(struct code_body *body, uint32_t i, const struct wants *wants)
{
    const struct word_monitor *state = &body->monitor->words[i];
    if (code_base_op(body, i) == EXT) {
        return;
    }
    int e = event_of(body, i);
    bool lines = state->starts_line | state->same_line | state->other_line;
    bool first = i == (uint32_t)body->code->_co_firsttraceable;
    patch_word(body, i,
               (e >= 0 && (wants->main[e] & ~state->disabled[KIND_MAIN]))
                   || (lines && (wants->lines & ~state->disabled[KIND_LINE]))
                   || (!first && (wants->instructions & ~state->disabled[KIND_INSTRUCTION])));
}

/* What DISABLE switched off before the last restart is on again. */
static void forget_disabled(struct code_body *body)
{
    if (body->monitor->restarts != restarts) {
        body->monitor->restarts = restarts;
        for (uint32_t i = 0; i < body->nwords; i++) {
            memset(body->monitor->words[i].disabled, 0, KINDS);
        }
    }
}

/* World stopped, or nobody else runs this code. */
int monitoring_update_code(struct code_body *body)
{
    bool wanted = body->monitor != NULL;
    for (int t = 0; t < TOOLS; t++) {
        wanted |= monitoring.events[t] != 0;
    }
    if (wanted) {
        if (monitor_make(body) < 0) {
            return -1;
        }
        forget_disabled(body);
        struct wants wants = wants_of(body);
        for (uint32_t i = (uint32_t)body->code->_co_firsttraceable; i < body->nwords; i++) {
            word_update(body, i, &wants);
        }
    }
    body->instrument_version = monitoring_version;
    return 0;
}

int vm_resume_instrument(struct frame *fp)
{
    struct code_body *body = fp->body;
    struct interp_state *interp = thread_interp(thread_self());
    int status = 0;
    if (lock_threads_run_together()) {
        world_stop(interp);
    }
    if (body->instrument_version != monitoring_version) {
        status = monitoring_update_code(body);
    }
    if (lock_threads_run_together()) {
        world_start(interp);
    }
    return status < 0 ? -1 : WORD_OP(field_load(&fp->pc[-1])) == INSTRUMENTED;
}

/* ---- changing sets --------------------------------------------------------------------------- */

static void update_thread(struct thread *thread, void *failed)
{
    for (struct frame *f = thread_frame(&thread->ts); f != NULL; f = f->prev) {
        if (f->body->instrument_version != monitoring_version
            && monitoring_update_code(f->body) < 0) {
            *(int *)failed = 1;
        }
    }
}

void monitoring_begin(void)
{
    world_stop(thread_interp(thread_self()));
}

int monitoring_end(bool changed)
{
    struct interp_state *interp = thread_interp(thread_self());
    int failed = 0;
    if (changed) {
        for (int e = 0; e < EVENTS; e++) {
            uint8_t tools = 0;
            for (int t = 0; t < TOOLS; t++) {
                tools |= (uint8_t)((monitoring.events[t] >> e & 1) << t);
            }
            field_store(&monitoring.listening[e], tools);
        }
        field_store(&monitoring_version, monitoring_version + 1);
        thread_each(interp, update_thread, &failed);
    }
    world_start(interp);
    return failed ? -1 : 0;
}

bool monitoring_put_events(int tool, uint32_t events)
{
    bool changed = monitoring.events[tool] != events;
    monitoring.events[tool] = events;
    return changed;
}

int monitoring_set_events(int tool, uint32_t events)
{
    monitoring_begin();
    return monitoring_end(monitoring_put_events(tool, events));
}

uint32_t monitoring_local(PyCodeObject *code, int tool)
{
    struct code_body *body = code_body(code);
    return body->monitor ? body->monitor->local[tool] : 0;
}

int monitoring_set_local(PyCodeObject *code, int tool, uint32_t events)
{
    struct code_body *body = code_body(code);
    monitoring_begin();
    bool made = monitor_make(body) == 0;
    if (made) {
        body->monitor->local[tool] = events;
    }
    return monitoring_end(made) < 0 || !made ? -1 : 0;
}

int monitoring_restart(void)
{
    monitoring_begin();
    restarts++;
    return monitoring_end(true);
}

/* ---- reporting ------------------------------------------------------------------------------- */

const char *const monitoring_event_names[EVENTS] = {
    "PY_START",    "PY_RESUME", "PY_RETURN", "PY_YIELD",       "CALL",    "LINE",
    "INSTRUCTION", "JUMP",      "BRANCH",    "STOP_ITERATION", "RAISE",   "EXCEPTION_HANDLED",
    "PY_UNWIND",   "PY_THROW",  "RERAISE",   "C_RETURN",       "C_RAISE",
};

static PyObject *callback_get(int tool, int event)
{
    mutex_lock(&monitoring.lock);
    PyObject *callback = Py_XNewRef(monitoring.callbacks[tool][event]);
    mutex_unlock(&monitoring.lock);
    return callback;
}

PyObject *monitoring_swap_callback(int tool, int event, PyObject *callback)
{
    mutex_lock(&monitoring.lock);
    PyObject *old = monitoring.callbacks[tool][event];
    monitoring.callbacks[tool][event] = callback;
    mutex_unlock(&monitoring.lock);
    return old;
}

int monitoring_call_tool(PyThreadState *ts, int tool, int event, PyObject *const *args,
                         size_t nargs)
{
    PyObject *callback = callback_get(tool, event);
    if (callback == NULL) {
        return 0;
    }
    ts->tracing++;
    PyObject *result =
        PyObject_Vectorcall(callback, args, nargs | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    ts->tracing--;
    Py_DECREF(callback);
    if (result == NULL) {
        return -1;
    }
    Py_DECREF(result);
    if (result != monitoring.disable) {
        return 0;
    }
    if (event >= LOCAL_EVENTS) {
        PyErr_Format(PyExc_ValueError, "Cannot disable %s events. Callback removed.",
                     monitoring_event_names[event]);
        Py_XDECREF(monitoring_swap_callback(tool, event, NULL));
        return -1;
    }
    return 1;
}

struct report {
    int event, index, target; /* target: word index of a jump, else -1 */
    PyObject *arg, *arg2;     /* or NULL */
    uint8_t skipped;          /* tools that are not told */
};

/* Tells `tools`; which of them returned DISABLE, or -1. */
static int report_to(PyThreadState *ts, PyCodeObject *code, uint8_t tools,
                     const struct report *what)
{
    PyObject *args[6] = {NULL, (PyObject *)code};
    size_t nargs = 2;
    int disabled = 0, status = 0;
    if (ts->tracing) {
        return 0;
    }
    int place = what->event == PY_MONITORING_EVENT_LINE ? monitor_line(code_body(code), what->index)
                                                        : what->index * 2;
    if ((args[nargs++] = PyLong_FromLong(place)) == NULL) {
        return -1;
    }
    if (what->event == PY_MONITORING_EVENT_LINE) {
        /* (code, line) */
    } else if (what->target >= 0) {
        if ((args[nargs++] = PyLong_FromLong(what->target * 2)) == NULL) {
            Py_DECREF(args[2]);
            return -1;
        }
    } else if (what->arg != NULL) {
        args[nargs++] = what->arg;
        if (what->arg2 != NULL) {
            args[nargs++] = what->arg2;
        }
    }
    for (int t = 0; t < TOOLS && status >= 0; t++) {
        if (!(tools & 1 << t)) {
            continue;
        }
        if (t >= TOOL_PROFILE) {
            status = legacy_event(ts, t, what->event, code, what->index, what->arg, what->arg2,
                                  what->target);
        } else {
            status = monitoring_call_tool(ts, t, what->event, args + 1, nargs - 1);
            disabled |= status > 0 ? 1 << t : 0;
        }
    }
    Py_XDECREF(args[2]);
    if (what->event != PY_MONITORING_EVENT_LINE && what->target >= 0) {
        Py_XDECREF(args[3]);
    }
    return status < 0 ? -1 : disabled;
}

/* Reports an event at a word to who wants it there. */
static int report_word(PyThreadState *ts, struct frame *fp, enum word_kind kind,
                       const struct report *what)
{
    struct code_body *body = fp->body;
    struct word_monitor *state = &body->monitor->words[what->index];
    uint8_t tools = tools_for(body, what->event) & ~(state->disabled[kind] | what->skipped);
    if (tools == 0) {
        return 0;
    }
    int disabled = report_to(ts, body->code, tools, what);
    if (disabled > 0) {
        monitoring_begin();
        state->disabled[kind] |= (uint8_t)disabled;
        struct wants wants = wants_of(body);
        word_update(body, (uint32_t)what->index, &wants);
        monitoring_end(false);
    }
    return disabled < 0 ? -1 : 0;
}

/* Reports an event about an exception at a word: 0 or -1. */
static int report_about(PyThreadState *ts, struct frame *fp, int event, int index, PyObject *exc)
{
    uint8_t tools = tools_for(fp->body, event);
    struct report what = {event, index, -1, exc, NULL, 0};
    return tools == 0 || report_to(ts, frame_code(fp), tools, &what) >= 0 ? 0 : -1;
}

/* Reports an event that belongs to no word. The current exception is kept unless a tool raises. */
static int report_exception(PyThreadState *ts, struct frame *fp, int event)
{
    PyObject *exc = ts->tracing ? NULL : PyErr_GetRaisedException();
    if (exc == NULL) {
        return 0;
    }
    if (report_about(ts, fp, event, frame_lasti(fp), exc) < 0) {
        Py_DECREF(exc);
        return -1;
    }
    PyErr_SetRaisedException(exc);
    return 0;
}

static inline bool anybody(int event)
{
    return unlikely(field_load(&monitoring.listening[event]) != 0);
}

void monitor_raise(PyThreadState *ts, struct frame *fp)
{
    if (anybody(PY_MONITORING_EVENT_RAISE)) {
        report_exception(ts, fp, PY_MONITORING_EVENT_RAISE);
    }
}

void monitor_reraise(PyThreadState *ts, struct frame *fp)
{
    if (anybody(PY_MONITORING_EVENT_RERAISE)) {
        report_exception(ts, fp, PY_MONITORING_EVENT_RERAISE);
    }
}

void monitor_unwind(PyThreadState *ts, struct frame *fp)
{
    if (anybody(PY_MONITORING_EVENT_PY_UNWIND)) {
        report_exception(ts, fp, PY_MONITORING_EVENT_PY_UNWIND);
    }
}

int monitor_handled(PyThreadState *ts, struct frame *fp, uint32_t origin, PyObject *exc)
{
    int index = (int)(fp->pc - fp->body->words);
    if (fp->body->monitor != NULL) {
        index += code_base_op(fp->body, (uint32_t)index) == EXT;
        interp_thread(ts)->exec.arrival =
            (struct arrival){fp, fp->body->words + index + 1,
                             monitor_line(fp->body, index) != monitor_line(fp->body, (int)origin)};
    }
    return anybody(PY_MONITORING_EVENT_EXCEPTION_HANDLED)
               ? report_about(ts, fp, PY_MONITORING_EVENT_EXCEPTION_HANDLED, index, exc)
               : 0;
}

int monitor_throw(PyThreadState *ts, struct frame *fp)
{
    return anybody(PY_MONITORING_EVENT_PY_THROW)
               ? report_exception(ts, fp, PY_MONITORING_EVENT_PY_THROW)
               : 0;
}

void monitor_stop_iteration(PyThreadState *ts, struct frame *fp)
{
    if (anybody(PY_MONITORING_EVENT_STOP_ITERATION)) {
        report_exception(ts, fp, PY_MONITORING_EVENT_STOP_ITERATION);
    }
}

int monitor_return_value(PyThreadState *ts, struct frame *fp, value_t *value)
{
    if (likely(!anybody(PY_MONITORING_EVENT_STOP_ITERATION)) || ts->tracing) {
        return 0;
    }
    PyObject *op = value_box(value);
    PyObject *exc = op == NULL ? NULL : PyObject_CallOneArg(PyExc_StopIteration, op);
    if (exc == NULL) {
        return -1;
    }
    uint8_t tools = tools_for(fp->body, PY_MONITORING_EVENT_STOP_ITERATION);
    struct report what = {PY_MONITORING_EVENT_STOP_ITERATION, frame_lasti(fp), -1, exc, NULL, 0};
    int status = tools == 0 ? 0 : report_to(ts, frame_code(fp), tools, &what);
    Py_DECREF(exc);
    return status < 0 ? -1 : 0;
}

int monitor_c_result(PyThreadState *ts, struct frame *fp, PyObject *callable, PyObject *arg,
                     bool failed)
{
    int event = failed ? PY_MONITORING_EVENT_C_RAISE : PY_MONITORING_EVENT_C_RETURN;
    uint8_t tools = tools_for(fp->body, event);
    enum call_reported reported = fp->call_reported;
    fp->call_reported = CALL_UNREPORTED;
    if (tools == 0 || ts->tracing || reported == CALL_UNREPORTED) {
        return 0;
    }
    PyObject *exc = PyErr_GetRaisedException();
    struct report what = {event, frame_lasti(fp), -1, callable, arg ? arg : monitoring.missing, 0};
    int status = report_to(ts, frame_code(fp), tools, &what);
    if (status < 0) {
        Py_XDECREF(exc);
        return -1;
    }
    if (exc != NULL) {
        PyErr_SetRaisedException(exc);
    }
    return 0;
}

/* ---- instrumented words ---------------------------------------------------------------------- */

static int report_call(PyThreadState *ts, struct frame *fp, struct report *what)
{
    value_t *window = fp->r + word_b(fp->body, fp->pc);
    bool ex = code_base_op(fp->body, (uint32_t)what->index) == CALL_EX;
    PyObject *callable = value_box(&window[0]), *first = NULL;
    if (callable == NULL) {
        return -1;
    }
    if (window[1] != VALUE_NULL) {
        first = value_box(&window[1]);
    } else if (ex) {
        PyObject *args = value_object(window[2]);
        first =
            PyTuple_CheckExact(args) && PyTuple_GET_SIZE(args) ? PyTuple_GET_ITEM(args, 0) : NULL;
    } else {
        unsigned c = WORD_C(field_load(&fp->pc[-1]));
        if (WORD_OP(field_load(&fp->pc[-2])) == EXT && fp->pc - 2 >= fp->body->words) {
            c |= WORD_C(field_load(&fp->pc[-2])) << 16;
        }
        if (fp->body->sites[c].arg > 0) {
            first = value_box(&window[2]);
            if (first == NULL) {
                return -1;
            }
        }
    }
    what->arg = callable;
    what->arg2 = first ? first : monitoring.missing;
    PyObject *function = PyMethod_Check(callable) ? PyMethod_GET_FUNCTION(callable) : callable;
    fp->call_reported = PyFunction_Check(function) ? CALL_UNREPORTED : CALL_REPORTED;
    return report_word(ts, fp, KIND_MAIN, what);
}

/* super().name calls super(), and says so: vm_load_super() reports how that ended. */
static int report_super(PyThreadState *ts, struct frame *fp, struct report *what)
{
    value_t *window = fp->r + word_b(fp->body, fp->pc);
    bool two = fp->body->sites[word_c(fp->body, fp->pc)].arg2 & 1;
    what->arg = value_box(&window[0]);
    what->arg2 = two ? value_box(&window[1]) : monitoring.missing;
    if (what->arg == NULL || what->arg2 == NULL) {
        return -1;
    }
    fp->call_reported = CALL_REPORTED_SUPER;
    return report_word(ts, fp, KIND_MAIN, what);
}

static bool is_handler(const struct code_body *body, uint32_t index)
{
    for (uint32_t i = 0; i < body->nhandlers; i++) {
        if (body->handlers[i].target == index) {
            return true;
        }
    }
    return false;
}

/* The jump at `index` is about to be or has been taken: its target wants to know whether that was on its line. */
static void note_arrival(PyThreadState *ts, struct frame *fp, int index)
{
    const struct word_monitor *state = &fp->body->monitor->words[index];
    if (state->same_line || state->other_line) {
        struct arrival *arrival = &interp_thread(ts)->exec.arrival;
        const uint64_t *target = fp->body->words + monitor_jump_target(fp->body, (uint32_t)index);
        arrival->frame = fp;
        arrival->pc = target + 1 + (WORD_OP(*target) == EXT);
        arrival->other_line = state->other_line;
    }
}

/* Does the instruction, then reports where it went. -2: done. */
static int do_branch(PyThreadState *ts, struct frame *fp, struct report *what, unsigned op)
{
    struct code_body *body = fp->body;
    const uint64_t *next = fp->pc;
    if (op == FOR_ITER) {
        unsigned a = word_a(body, next), d = word_b(body, next);
        value_t v = vm_iter_next(value_object(fp->r[a]));
        if (v == VALUE_NULL) {
            if (ts->current_exception != NULL && vm_iter_end(fp) < 0) {
                return -1;
            }
            value_clear(&fp->r[a]);
            fp->pc += word_jump(body, next);
        } else {
            reg_put(fp, d, v);
        }
    } else {
        struct wide_state state = {fp, next, VALUE_NULL};
        if (vm_single_step(ts, &state, op) < 0) {
            return -1;
        }
    }
    what->target = (int)(fp->pc - body->words);
    const uint64_t *after = fp->pc;
    bool jumped = what->target == monitor_jump_target(body, (uint32_t)what->index);
    int status = report_word(ts, fp, KIND_MAIN, what);
    fp->pc = after;
    if (jumped) {
        note_arrival(ts, fp, what->index);
    }
    return status < 0 ? -1 : -2;
}

/* Whether control comes to a word that starts a line from another line. A handler starts one for all but the hook of
 * sys.settrace(), wherever its exception comes from. */
static bool enters_line(PyThreadState *ts, struct frame *fp, uint32_t index, struct report *what)
{
    struct arrival *arrival = &interp_thread(ts)->exec.arrival;
    const struct word_monitor *state = &fp->body->monitor->words[index];
    bool at_target = arrival->frame == fp && arrival->pc == fp->pc;
    arrival->frame = NULL;
    if (at_target && !arrival->other_line && is_handler(fp->body, index)) {
        what->skipped = 1 << TOOL_TRACE;
        return true;
    }
    return at_target ? arrival->other_line : state->after_other_line || is_handler(fp->body, index);
}

int vm_instrumented(PyThreadState *ts, struct frame *fp)
{
    struct code_body *body = fp->body;
    const uint64_t *pc = fp->pc;
    struct report what = {0, (int)(pc - body->words) - 1, -1, NULL, NULL, 0};
    struct word_monitor *state = &body->monitor->words[what.index];
    unsigned op = state->op;

    if (op == RESUME && body->instrument_version != monitoring_version) {
        return (int)op; /* RESUME brings the code up to date and comes again */
    }
    int first = body->code->_co_firsttraceable;
    if (state->starts_line && enters_line(ts, fp, (uint32_t)what.index, &what)) {
        what.event = PY_MONITORING_EVENT_LINE;
        if (report_word(ts, fp, KIND_LINE, &what) < 0) {
            return -1;
        }
        what.skipped = 0;
        if (fp->pc != pc) {
            return (int)op; /* the tracer jumped */
        }
    }
    if (what.index > first) {
        what.event = PY_MONITORING_EVENT_INSTRUCTION;
        if (report_word(ts, fp, KIND_INSTRUCTION, &what) < 0) {
            return -1;
        }
        if (fp->pc != pc) {
            return (int)op;
        }
    }
    what.event = event_of(body, (uint32_t)what.index);
    int status = 0;
    PyObject *value;
    switch (what.event) {
    case -1:
        break;
    case PY_MONITORING_EVENT_PY_RETURN:
    case PY_MONITORING_EVENT_PY_YIELD: {
        value_t *slot = op == RETURN  ? &fp->r[word_a(body, pc)]
                        : op == YIELD ? &fp->r[word_b(body, pc)]
                                      : NULL;
        value = slot ? value_box(slot) : body->consts[WORD_BCU(field_load(&pc[-1]))];
        what.arg = value;
        status = value == NULL ? -1 : report_word(ts, fp, KIND_MAIN, &what);
        break;
    }
    case PY_MONITORING_EVENT_CALL:
        status = op == LOAD_SUPER_ATTR || op == LOAD_SUPER_METHOD ? report_super(ts, fp, &what)
                                                                  : report_call(ts, fp, &what);
        break;
    case PY_MONITORING_EVENT_JUMP:
        what.target = what.index + 1 + WORD_SBC(field_load(&pc[-1]));
        status = report_word(ts, fp, KIND_MAIN, &what);
        note_arrival(ts, fp, what.index);
        break;
    case PY_MONITORING_EVENT_BRANCH:
        return do_branch(ts, fp, &what, op);
    default:
        status = report_word(ts, fp, KIND_MAIN, &what);
    }
    if (status < 0) {
        return -1;
    }
    return (int)op;
}

/* ---- start-up -------------------------------------------------------------------------------- */

int monitoring_init(struct object_interp *interp)
{
    (void)interp;
    if (monitoring.disable == NULL) {
        monitoring.disable = PyObject_CallNoArgs((PyObject *)&PyBaseObject_Type);
        monitoring.missing = PyObject_CallNoArgs((PyObject *)&PyBaseObject_Type);
    }
    return monitoring.disable && monitoring.missing ? 0 : -1;
}

void monitoring_fini(struct object_interp *interp)
{
    (void)interp;
    for (int t = 0; t < TOOLS; t++) {
        Py_CLEAR(monitoring.names[t]);
        for (int e = 0; e < EVENTS; e++) {
            Py_CLEAR(monitoring.callbacks[t][e]);
        }
    }
    Py_CLEAR(monitoring.disable);
    Py_CLEAR(monitoring.missing);
}
