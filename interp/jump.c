/*
 * f_lineno = n: a debugger lets a frame go on elsewhere.
 *
 * What the temporaries of a frame are for is known nowhere at run time. So the code is walked through once, from its
 * start along all jumps and into all handlers, and for each word the kinds of its temporaries are noted. A frame may
 * go to a word if its temporaries, after some of them were dropped from the top, are of the kinds that are expected
 * there.
 */
#include "interp/monitoring.h"

static int refuse(const char *why)
{
    PyErr_SetString(PyExc_ValueError, why);
    return -1;
}

/* ---- kinds of temporaries -------------------------------------------------------------------- */

enum reg_kind {
    REG_DEAD,     /* at or above the height */
    REG_OBJECT,   /* a value */
    REG_WINDOW,   /* callable or self in a window for a call */
    REG_ITERATOR, /* of a loop */
    REG_PREVIOUS, /* the exception that was handled before, under the handled one */
    REG_HANDLED,  /* the handled one */
    REG_LASTI,    /* where an exception was raised */
    REG_CLEARED,  /* in height, but moved away: a block is being left */
};

struct jump_map {
    const struct code_body *body;
    unsigned width;   /* temporaries */
    uint8_t *kinds;   /* width of them for each word */
    uint8_t *reached; /* for each word */
    uint32_t *waiting, nwaiting;
};

static uint8_t *kinds_at(const struct jump_map *map, uint32_t index)
{
    return map->kinds + (size_t)index * map->width;
}

/* Memory for all of it in one block, at map->reached. */
static int map_alloc(struct jump_map *map, const struct code_body *body)
{
    size_t n = body->nwords, width = body->nregs - body->nlocals;
    uint8_t *block = PyMem_RawCalloc(1, n * sizeof(uint32_t) + n + n * width + width + 1);
    if (block == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    map->body = body;
    map->width = (unsigned)width;
    map->waiting = (uint32_t *)block;
    map->reached = block + n * sizeof(uint32_t);
    map->kinds = map->reached + n;
    map->nwaiting = 0;
    return 0;
}

static void map_free(struct jump_map *map)
{
    PyMem_RawFree(map->waiting);
}

/* Control comes to a word with these kinds. */
static void map_reach(struct jump_map *map, uint32_t index, const uint8_t *kinds)
{
    const struct code_body *body = map->body;
    if (index >= body->nwords || map->reached[index]) {
        return;
    }
    unsigned height = body->depths[index] - body->nlocals;
    uint8_t *to = kinds_at(map, index);
    for (unsigned i = 0; i < height && i < map->width; i++) {
        to[i] = kinds[i] == REG_DEAD ? REG_OBJECT : kinds[i];
    }
    map->reached[index] = 1;
    map->waiting[map->nwaiting++] = index;
}

/* Sets the kind of register `reg`, if it is a temporary. */
static void kind_set(const struct jump_map *map, uint8_t *kinds, unsigned reg, uint8_t kind)
{
    if (reg >= map->body->nlocals && reg - map->body->nlocals < map->width) {
        kinds[reg - map->body->nlocals] = kind;
    }
}

static uint8_t kind_get(const struct jump_map *map, const uint8_t *kinds, unsigned reg)
{
    return reg >= map->body->nlocals && reg - map->body->nlocals < map->width
               ? kinds[reg - map->body->nlocals]
               : REG_OBJECT;
}

/* What the instruction at `index` makes of the kinds. */
static void map_step(const struct jump_map *map, uint32_t index, uint8_t *kinds)
{
    const struct code_body *body = map->body;
    const uint64_t *pc = &body->words[index + 1];
    unsigned op = code_base_op(body, index), a = word_a(body, pc), b = word_b(body, pc);
    const struct opcode_info *info = &opcode_table[op];
    if (info->a == OPERAND_DST || info->a == OPERAND_BASE) {
        kind_set(map, kinds, a, REG_OBJECT);
    }
    if (info->b == OPERAND_DST) {
        kind_set(map, kinds, b, REG_OBJECT);
    }
    switch (op) {
    case GET_ITER:
    case GET_AITER:
        kind_set(map, kinds, a, REG_ITERATOR);
        break;
    case LOAD_NULL: /* stands for self: the callable lies below */
        kind_set(map, kinds, a, REG_WINDOW);
        kind_set(map, kinds, a - 1, REG_WINDOW);
        break;
    case LOAD_METHOD:
    case LOAD_SUPER_METHOD:
        kind_set(map, kinds, a, REG_WINDOW);
        kind_set(map, kinds, a + 1, REG_WINDOW);
        break;
    case PUSH_EXC:
        kind_set(map, kinds, a, REG_PREVIOUS);
        kind_set(map, kinds, a + 1, REG_HANDLED);
        break;
    case SAVE_CLEAR:
        kind_set(map, kinds, b, REG_CLEARED);
        break;
    case CLEAR:
        kind_set(map, kinds, a, REG_CLEARED);
        break;
    case SWAP: {
        uint8_t kind = kind_get(map, kinds, a);
        kind_set(map, kinds, a, kind_get(map, kinds, b));
        kind_set(map, kinds, b, kind);
        break;
    }
    default:
        break;
    }
}

static void map_go_on(struct jump_map *map, uint32_t index, uint8_t *kinds)
{
    const struct code_body *body = map->body;
    unsigned op = code_base_op(body, index);
    const uint8_t *here = kinds_at(map, index);
    const struct code_handler *handler = code_handler_find(body, index);
    if (handler != NULL) {
        unsigned height = handler->depth - body->nlocals;
        memcpy(kinds, here, map->width);
        if (handler->lasti && height < map->width) {
            kinds[height++] = REG_LASTI;
        }
        if (height < map->width) {
            kinds[height] = REG_OBJECT;
        }
        map_reach(map, handler->target, kinds);
    }
    memcpy(kinds, here, map->width);
    map_step(map, index, kinds);
    int target = monitor_jump_target(body, index);
    if (target >= 0) {
        map_reach(map, (uint32_t)target, kinds);
    }
    if (!(opcode_table[op].flags & OPCODE_ENDS) || op == RETURN_GENERATOR) {
        map_reach(map, index + 1, kinds);
    }
}

/* 0, or -1 with MemoryError; map_free() afterwards. */
static int map_make(struct jump_map *map, const struct code_body *body)
{
    if (map_alloc(map, body) < 0) {
        return -1;
    }
    uint8_t *kinds = kinds_at(map, body->nwords); /* one more row */
    map_reach(map, 0, kinds);
    while (map->nwaiting > 0) {
        map_go_on(map, map->waiting[--map->nwaiting], kinds);
    }
    return 0;
}

/* ---- where to -------------------------------------------------------------------------------- */

static bool kind_fits(uint8_t from, uint8_t to)
{
    return from == to || to == REG_CLEARED
           || (to == REG_OBJECT && (from == REG_ITERATOR || from == REG_HANDLED));
}

/* Where the frame is, or may go to: temporaries, the lowest first. */
struct place {
    uint32_t index;
    unsigned height;
    const uint8_t *kinds;
};

static struct place place_at(const struct jump_map *map, uint32_t index)
{
    return (struct place){index, map->body->depths[index] - map->body->nlocals,
                          kinds_at(map, index)};
}

static bool place_fits(const struct place *from, const struct place *to)
{
    for (unsigned i = 0; i < to->height; i++) {
        if (!kind_fits(i < from->height ? from->kinds[i] : REG_DEAD, to->kinds[i])) {
            return false;
        }
    }
    return true;
}

/* How much of what the frame has is still of use there. */
static unsigned place_value(const struct place *place)
{
    unsigned n = 0;
    for (unsigned i = 0; i < place->height; i++) {
        n += place->kinds[i] != REG_CLEARED;
    }
    return n;
}

static const char *why_not_to(const struct place *to)
{
    switch (to->height == 0 ? REG_DEAD : to->kinds[to->height - 1]) {
    case REG_PREVIOUS:
    case REG_HANDLED:
        return "can't jump into an 'except' block as there's no exception";
    case REG_LASTI:
        return "can't jump into a re-raising block as there's no location";
    case REG_ITERATOR:
        return "can't jump into the body of a for loop";
    default:
        return "incompatible stacks";
    }
}

/* The first line with code at or after the wanted one, or -1. */
static int line_with_code(PyCodeObject *code, int line)
{
    struct line_iter iter;
    int best = -1;
    line_iter_init(&iter, code);
    while (line_iter_next(&iter)) {
        if (iter.position.line >= line && (best < 0 || iter.position.line < best)
            && iter.stop - 1 > code->_co_firsttraceable) {
            best = iter.position.line;
        }
    }
    return best;
}

/* Of the words where the line begins, the one that keeps most of what the frame has; -1 with an exception. */
static int choose_target(const struct jump_map *map, const struct place *from, PyCodeObject *code,
                         int line)
{
    struct line_iter iter;
    struct place best = {0};
    int before = -1;
    bool found = false;
    const char *why = "cannot find bytecode for specified line";
    line_iter_init(&iter, code);
    while (line_iter_next(&iter)) {
        bool begins = iter.position.line == line && before != line;
        before = iter.position.line < 0 ? before : iter.position.line;
        if (!begins || iter.start <= code->_co_firsttraceable) {
            continue;
        }
        struct place to = place_at(map, (uint32_t)iter.start);
        if (!map->reached[iter.start]) {
            why = "can't jump into an exception handler, or code may be unreachable";
        } else if (!place_fits(from, &to)) {
            why = why_not_to(&to);
        } else if (!found || place_value(&to) > place_value(&best)) {
            best = to;
            found = true;
        }
    }
    return found ? (int)best.index : refuse(why);
}

/* ---- going there ----------------------------------------------------------------------------- */

/* Locals that the compiler believes bound must be. */
static int bind_locals(struct frame *frame)
{
    int n = 0;
    PyCodeObject *code = frame_code(frame);
    for (int i = 0; i < code->co_nlocalsplus; i++) {
        n += value_is_null(frame->r[i])
             && !(code_local_kind(code, i) & (CODE_FAST_CELL | CODE_FAST_FREE | CODE_FAST_HIDDEN));
    }
    if (n == 0) {
        return 0;
    }
    if (PyErr_WarnFormat(PyExc_RuntimeWarning, 0, "assigning None to %d unbound local%s", n,
                         n == 1 ? "" : "s")
        < 0) {
        return -1;
    }
    for (int i = 0; i < code->co_nlocalsplus; i++) {
        if (value_is_null(frame->r[i])
            && !(code_local_kind(code, i) & (CODE_FAST_CELL | CODE_FAST_FREE | CODE_FAST_HIDDEN))) {
            frame->r[i] = VALUE_NONE;
        }
    }
    return 0;
}

/* Leaves a handler: what was handled before is it again. */
static void restore_handled(PyThreadState *ts, value_t *previous)
{
    if (!value_is_null(*previous)) {
        PyObject *old = ts->exc_info->exc_value;
        ts->exc_info->exc_value = value_is_none(*previous) ? NULL : value_to_owned(*previous);
        *previous = VALUE_NULL;
        Py_XDECREF(old);
    }
}

static void frame_go_to(PyThreadState *ts, struct frame *frame, const struct place *from,
                        const struct place *to)
{
    value_t *temporaries = frame->r + frame->body->nlocals;
    for (unsigned i = from->height; i-- > to->height;) {
        if (from->kinds[i] == REG_PREVIOUS) {
            restore_handled(ts, &temporaries[i]);
        }
        value_clear(&temporaries[i]);
    }
    for (unsigned i = to->height; i-- > 0;) {
        if (i >= from->height) {
            temporaries[i] = VALUE_NULL;
        } else if (to->kinds[i] == REG_CLEARED) {
            if (from->kinds[i] == REG_PREVIOUS) {
                restore_handled(ts, &temporaries[i]);
            }
            value_clear(&temporaries[i]);
        } else {
            /* It may be there because a local has it, which is no longer certain. */
            temporaries[i] = value_own(temporaries[i]);
        }
    }
    frame->pc = frame->body->words + to->index;
}

/* Whether the event that is being traced allows to jump; else -1 with ValueError. */
static int check_event(int event)
{
    switch (event) {
    case PyTrace_CALL:
        return refuse("can't jump from the 'call' trace event of a new frame");
    case PyTrace_EXCEPTION:
    case PyTrace_RETURN:
    case PyTrace_C_CALL:
    case PyTrace_C_EXCEPTION:
    case PyTrace_C_RETURN:
        return refuse("can only jump from a 'line' trace event");
    default:
        return 0;
    }
}

int frame_set_lineno(PyFrameObject *op, int line)
{
    PyThreadState *ts = PyThreadState_Get();
    struct frame *frame = frame_of_object(op);
    PyCodeObject *code = frame_code(frame);
    if (frame->owner == FRAME_OF_OBJECT || !ts->tracing || ts->what_event < 0) {
        return refuse("f_lineno can only be set in a trace function");
    }
    if (check_event(ts->what_event) < 0) {
        return -1;
    }
    if (line < code->co_firstlineno) {
        PyErr_Format(PyExc_ValueError, "line %d comes before the current code block", line);
        return -1;
    }
    int wanted = line_with_code(code, line);
    if (wanted < 0) {
        PyErr_Format(PyExc_ValueError, "line %d comes after the current code block", line);
        return -1;
    }
    struct jump_map map;
    if (map_make(&map, frame->body) < 0) {
        return -1;
    }
    struct place from = place_at(&map, (uint32_t)frame_lasti(frame));
    int target = choose_target(&map, &from, code, wanted);
    if (target >= 0 && bind_locals(frame) < 0) {
        target = -1;
    }
    if (target >= 0) {
        struct place to = place_at(&map, (uint32_t)target);
        frame_go_to(ts, frame, &from, &to);
        op->f_lineno = 0;
    }
    map_free(&map);
    return target < 0 ? -1 : 0;
}
