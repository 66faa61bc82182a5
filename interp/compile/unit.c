/* Units under compilation: opening, emitting, registers, constants; unit_assemble() is in
   assemble.c. */

#include "unit.h"
#include "objects/ids.h"
#include <string.h>

/* ---- failure ---- */

void fail_syntax(struct compiler *c, const char *format, ...)
{
    if (c->failed) {
        return;
    }
    va_list args;
    va_start(args, format);
    PyErr_FormatV(PyExc_SyntaxError, format, args);
    va_end(args);
    PyErr_RangedSyntaxLocationObject(c->filename, c->pos.line, c->pos.col + 1, c->pos.end_line,
                                     c->pos.end_col + 1);
    fail(c);
}

void warn_syntax(struct compiler *c, const char *format, ...)
{
    if (c->failed) {
        return;
    }
    va_list args;
    va_start(args, format);
    PyObject *message = PyUnicode_FromFormatV(format, args);
    va_end(args);
    if (message == NULL) {
        fail(c);
        return;
    }
    if (PyErr_WarnExplicitObject(PyExc_SyntaxWarning, message, c->filename, c->pos.line, NULL, NULL)
        < 0) {
        if (PyErr_ExceptionMatches(PyExc_SyntaxWarning)) {
            /* A warning that was turned into an error shows the place in the source. */
            PyErr_Clear();
            fail_syntax(c, "%U", message);
        }
        fail(c);
    }
    Py_DECREF(message);
}

PyObject *keep(struct compiler *c, PyObject *object)
{
    object = arena_own(c->arena, object);
    if (object == NULL) {
        fail(c);
    }
    return object;
}

/* Arena memory for one more item; the old array stays behind in the arena. */
static void *grow(struct compiler *c, void *items, uint32_t count, uint32_t *capacity, size_t size)
{
    if (count < *capacity) {
        return items;
    }
    uint32_t wanted = *capacity == 0 ? 16 : *capacity * 2;
    void *grown = arena_alloc(c->arena, wanted * size);
    if (grown == NULL) {
        fail(c);
        return NULL;
    }
    if (count != 0) {
        memcpy(grown, items, count * size);
    }
    *capacity = wanted;
    return grown;
}

/* ---- slots: the registers of localsplus ---- */

static int slot_add(struct compiler *c, PyObject *name, uint8_t kind)
{
    struct unit *u = c->unit;
    PyObject *known = PyDict_GetItemWithError(u->slot_index, name);
    if (known != NULL) {
        int reg = (int)PyLong_AsLong(known);
        u->slot_kinds[reg] |= kind;
        return reg;
    }
    int reg = (int)PyList_GET_SIZE(u->slots);
    if (reg >= 0x7F00) {
        PyErr_SetString(PyExc_OverflowError, "too many local variables");
        fail(c);
        return 0;
    }
    PyObject *number = keep(c, PyLong_FromLong(reg));
    if (number == NULL || PyDict_SetItem(u->slot_index, name, number) < 0
        || PyList_Append(u->slots, name) < 0) {
        fail(c);
        return 0;
    }
    u->slot_kinds[reg] = kind;
    return reg;
}

/* A cell that a class body has for the scopes in it; the body itself may mean another variable by that name. */
static int slot_add_own(struct compiler *c, PyObject *name)
{
    int reg = slot_add(c, name, CODE_FAST_CELL);
    if (!c->failed && PyDict_DelItem(c->unit->slot_index, name) < 0) {
        fail(c);
    }
    return reg;
}

/* Appends the names of `block` that have `scope`, sorted, as slots of `kind`. */
static void slots_sorted(struct compiler *c, const struct block *block, uint32_t scope,
                         uint8_t kind)
{
    PyObject *sorted = keep(c, PyList_New(0));
    for (uint32_t i = 0; !c->failed && i < block->symbols.count; i++) {
        const struct symbol *symbol = &block->symbols.items[i];
        bool wanted =
            symbol->scope == scope || (scope == SCOPE_FREE && (symbol->flags & SYM_FREE_CLASS));
        if (wanted && PyList_Append(sorted, symbol->name) < 0) {
            fail(c);
        }
    }
    if (c->failed || PyList_Sort(sorted) < 0) {
        fail(c);
        return;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(sorted); i++) {
        slot_add(c, PyList_GET_ITEM(sorted, i), kind);
    }
}

/* Does the function itself have a register for the name? */
static bool block_has_slot(const struct block *block, PyObject *name)
{
    const struct symbol *symbol = block_symbol(block, name);
    return block_is_function_like(block) && symbol != NULL
           && (symbol->scope == SCOPE_LOCAL || symbol->scope == SCOPE_CELL
               || symbol->scope == SCOPE_FREE);
}

/* Variables of comprehensions inlined below `block` that the frame of `owner` has not yet. In a class or
   module body nobody sees them. */
static void slots_inlined(struct compiler *c, const struct block *owner, const struct block *block)
{
    uint8_t hidden = block_is_function_like(owner) ? 0 : CODE_FAST_HIDDEN;
    for (uint32_t i = 0; i < block->child_count; i++) {
        const struct block *child = block->children[i];
        if (!child->inlined) {
            continue;
        }
        for (uint32_t k = 0; k < child->symbols.count; k++) {
            const struct symbol *symbol = &child->symbols.items[k];
            if ((symbol->flags & SYM_PARAM)
                || (symbol->scope != SCOPE_LOCAL && symbol->scope != SCOPE_CELL)
                || block_has_slot(owner, symbol->name)) {
                continue;
            }
            slot_add(c, symbol->name,
                     hidden | (symbol->scope == SCOPE_CELL ? CODE_FAST_CELL : CODE_FAST_LOCAL));
        }
        slots_inlined(c, owner, child);
    }
}

/* At least as many as the block and the comprehensions inlined in it can have slots. */
static size_t slot_limit(const struct block *block)
{
    size_t limit = block->symbols.count + 2;
    for (uint32_t i = 0; i < block->child_count; i++) {
        limit += block->children[i]->inlined ? slot_limit(block->children[i]) : 0;
    }
    return limit;
}

static void slots_collect(struct compiler *c, const struct block *block)
{
    struct unit *u = c->unit;
    u->slot_kinds = arena_alloc(c->arena, slot_limit(block));
    if (u->slot_kinds == NULL) {
        fail(c);
        return;
    }
    for (uint32_t i = 0; i < block->param_count; i++) {
        slot_add(c, block->params[i], CODE_FAST_LOCAL);
    }
    if (block_is_function_like(block)) {
        for (uint32_t i = 0; i < block->symbols.count; i++) {
            const struct symbol *symbol = &block->symbols.items[i];
            if (symbol->scope == SCOPE_LOCAL) {
                slot_add(c, symbol->name, CODE_FAST_LOCAL);
            }
        }
        slots_inlined(c, block, block);
        slots_sorted(c, block, SCOPE_CELL, CODE_FAST_CELL);
    } else {
        slots_inlined(c, block, block);
        u->class_cell = block->needs_class_closure ? slot_add_own(c, ID(__class__)) : ANY;
        u->classdict_cell = block->needs_classdict ? slot_add_own(c, ID(__classdict__)) : ANY;
    }
    slots_sorted(c, block, SCOPE_FREE, CODE_FAST_FREE);
    u->nlocals = (int)PyList_GET_SIZE(u->slots);
}

/* ---- units ---- */

/* Where the name lives for __qualname__: "outer.<locals>.name", "Class.name" or "name". */
static PyObject *qualified_name(struct compiler *c, struct unit *u)
{
    struct unit *outer = u->outer;
    if (outer != NULL && outer->block->kind == BLOCK_TYPE_PARAMETERS) {
        outer = outer->outer;
    }
    if (outer == NULL || outer->block->kind == BLOCK_MODULE) {
        return u->name;
    }
    PyObject *spelled = mangled(c, u->name);
    if (spelled != NULL && (u->block->kind == BLOCK_FUNCTION || u->block->kind == BLOCK_CLASS)) {
        const struct symbol *symbol = block_symbol(outer->block, spelled);
        if (symbol != NULL && symbol->scope == SCOPE_GLOBAL_EXPLICIT) {
            return u->name;
        }
    }
    bool function = block_is_function_like(outer->block);
    return keep(
        c, PyUnicode_FromFormat(function ? "%U.<locals>.%U" : "%U.%U", outer->qualname, u->name));
}

static void prologue(struct compiler *c);

bool unit_enter(struct compiler *c, PyObject *name, const struct block *block, int firstlineno)
{
    struct unit *u = arena_alloc(c->arena, sizeof *u);
    if (c->failed || u == NULL) {
        fail(c);
        return false;
    }
    *u = (struct unit){
        .outer = c->unit,
        .block = block,
        .name = name,
        .firstlineno = firstlineno,
        .private_name = c->unit == NULL ? NULL : c->unit->private_name,
        .private_only = c->unit == NULL ? NULL : c->unit->private_only,
        .handler = NO_HANDLER,
    };
    u->consts = keep(c, PyList_New(0));
    u->const_index = keep(c, PyDict_New());
    u->names = keep(c, PyList_New(0));
    u->name_index = keep(c, PyDict_New());
    u->slots = keep(c, PyList_New(0));
    u->slot_index = keep(c, PyDict_New());
    if (block->kind == BLOCK_CLASS) {
        u->static_attributes = keep(c, PyList_New(0));
        u->private_name = name;
        u->private_only = NULL;
    }
    if (c->failed) {
        return false;
    }
    struct unit *outer = c->unit;
    u->qualname = qualified_name(c, u);
    c->unit = u;
    slots_collect(c, block);
    if (c->failed) {
        c->unit = outer;
        return false;
    }
    u->depth = u->nregs = u->nlocals;
    u->bound_words = (uint32_t)(u->nlocals + 63) / 64;
    u->bound = arena_alloc(c->arena, (u->bound_words + 1) * sizeof *u->bound);
    if (u->bound == NULL) {
        fail(c);
        c->unit = outer;
        return false;
    }
    memset(u->bound, 0, (u->bound_words + 1) * sizeof *u->bound);
    for (uint32_t i = 0; i < block->param_count; i++) {
        const struct symbol *symbol = block_symbol(block, block->params[i]);
        if (!(symbol->flags & SYM_DELETED)) {
            bound_set(c, (int)i);
        }
    }
    prologue(c);
    return true;
}

/* Cells of an inlined comprehension alone are made by it. */
static bool belongs_to_comprehension(const struct unit *u, int slot)
{
    if (!block_is_function_like(u->block)) {
        return (u->slot_kinds[slot] & CODE_FAST_HIDDEN) != 0;
    }
    const struct symbol *symbol = block_symbol(u->block, PyList_GET_ITEM(u->slots, slot));
    return symbol == NULL || symbol->scope != SCOPE_CELL || (symbol->flags & SYM_COMP_ONLY);
}

/* What runs before the first line: closure, cells, the switch to a generator. */
static void prologue(struct compiler *c)
{
    struct unit *u = c->unit;
    struct ast_pos saved = c->pos;
    /* A module begins before its first line. */
    int line = u->block->kind == BLOCK_MODULE ? 0 : u->firstlineno;
    c->pos = (struct ast_pos){line, 0, u->firstlineno, 0};
    int first_free = -1, free_count = 0;
    for (int i = 0; i < u->nlocals; i++) {
        if (u->slot_kinds[i] & CODE_FAST_FREE) {
            first_free = first_free < 0 ? i : first_free;
            free_count++;
        }
    }
    if (free_count != 0) {
        emit(c, COPY_FREE_VARS, first_free, free_count, 0);
    }
    for (int i = 0; i < u->nlocals; i++) {
        if ((u->slot_kinds[i] & CODE_FAST_CELL) && !belongs_to_comprehension(u, i)) {
            emit(c, MAKE_CELL, i, 0, 0);
        }
    }
    bool generator = u->block->generator || u->block->coroutine;
    if ((generator && u->block->kind == BLOCK_FUNCTION) || unit_is_module_coroutine(c, u)) {
        emit(c, RETURN_GENERATOR, 0, 0, 0);
    }
    emit(c, RESUME, 0, 0, 0);
    c->pos = saved;
}

bool unit_is_module_coroutine(const struct compiler *c, const struct unit *u)
{
    return u->block->kind == BLOCK_MODULE && u->block->coroutine
           && (c->flags & PyCF_ALLOW_TOP_LEVEL_AWAIT);
}

PyObject *unit_leave(struct compiler *c)
{
    struct unit *u = c->unit;
    if (!c->failed) {
        lines_settle(c, u);
    }
    PyObject *code = c->failed ? NULL : keep(c, unit_assemble(c, u));
    c->unit = u->outer;
    return code;
}

/* ---- emitting ---- */

static bool op_ends_flow(enum opcode op)
{
    switch (op) {
    case JUMP:
    case JUMP_BACK:
    case RETURN:
    case RETURN_CONST:
    case RAISE:
    case RAISE_FROM:
    case RAISE_CURRENT:
    case RERAISE:
        return true;
    default:
        return false;
    }
}

static void handler_mark_used(struct unit *u, int32_t handler)
{
    while (handler != NO_HANDLER && !u->handlers[handler].used) {
        u->handlers[handler].used = true;
        u->labels[u->handlers[handler].label].used = true;
        handler = u->handlers[handler].outer;
    }
}

static struct draft *emit_draft(struct compiler *c, enum opcode op, uint32_t a, uint32_t b,
                                uint32_t c_)
{
    static struct draft scrap;
    struct unit *u = c->unit;
    if (u->depth > u->nregs) {
        u->nregs = u->depth;
    }
    if (c->failed || u->unreachable) {
        return &scrap;
    }
    u->code = grow(c, u->code, u->code_count, &u->code_capacity, sizeof *u->code);
    if (u->code == NULL) {
        return &scrap;
    }
    struct draft *draft = &u->code[u->code_count++];
    *draft = (struct draft){.op = op,
                            .a = a,
                            .b = b,
                            .c = c_,
                            .depth = (uint16_t)u->depth,
                            .handler = u->handler,
                            .label = NO_LABEL,
                            .pos = c->pos};
    handler_mark_used(u, u->handler);
    u->unreachable = op_ends_flow(op);
    return draft;
}

uint32_t emit(struct compiler *c, enum opcode op, int a, int b, int c_)
{
    emit_draft(c, op, (uint32_t)a, (uint32_t)b, (uint32_t)c_);
    return c->unit->code_count - 1;
}

void draft_append(struct compiler *c, uint32_t index)
{
    struct unit *u = c->unit;
    struct draft *code = grow(c, u->code, u->code_count, &u->code_capacity, sizeof *u->code);
    if (code != NULL) {
        u->code = code;
        u->code[u->code_count++] = u->code[index];
    }
}

void emit_jump(struct compiler *c, enum opcode op, int a, int b, int32_t label)
{
    if (c->failed || c->unit->unreachable) {
        return;
    }
    c->unit->labels[label].used = true;
    emit_draft(c, op, (uint32_t)a, (uint32_t)b, 0)->label = label;
}

int32_t label_new(struct compiler *c)
{
    struct unit *u = c->unit;
    struct label *labels =
        grow(c, u->labels, u->label_count, &u->label_capacity, sizeof *u->labels);
    if (labels == NULL) {
        return 0;
    }
    u->labels = labels;
    u->labels[u->label_count] = (struct label){.at = -1};
    return (int32_t)u->label_count++;
}

void label_here(struct compiler *c, int32_t label)
{
    if (c->failed) {
        return;
    }
    struct unit *u = c->unit;
    u->labels[label].at = (int32_t)u->code_count;
    if (u->labels[label].used) {
        u->unreachable = false;
    }
}

uint32_t site_new(struct compiler *c, uint32_t arg, uint32_t arg2)
{
    struct unit *u = c->unit;
    if (u->unreachable) {
        return 0;
    }
    void *sites = grow(c, u->sites, u->site_count, &u->site_capacity, sizeof *u->sites);
    if (sites == NULL) {
        return 0;
    }
    u->sites = sites;
    u->sites[u->site_count].arg = arg;
    u->sites[u->site_count].arg2 = arg2;
    return u->site_count++;
}

static uint32_t index_add(struct compiler *c, PyObject *list, PyObject *index, PyObject *key,
                          PyObject *value)
{
    PyObject *known = key == NULL ? NULL : PyDict_GetItemWithError(index, key);
    if (known != NULL) {
        return (uint32_t)PyLong_AsLong(known);
    }
    if (key == NULL || PyErr_Occurred()) {
        fail(c);
        return 0;
    }
    uint32_t position = (uint32_t)PyList_GET_SIZE(list);
    PyObject *number = PyLong_FromLong(position);
    if (number == NULL || PyDict_SetItem(index, key, number) < 0
        || PyList_Append(list, value) < 0) {
        fail(c);
    }
    Py_XDECREF(number);
    return position;
}

uint32_t name_add(struct compiler *c, PyObject *name)
{
    struct unit *u = c->unit;
    if (c->failed || u->unreachable) {
        return 0;
    }
    return index_add(c, u->names, u->name_index, name, name);
}

PyObject *mangled(struct compiler *c, PyObject *name)
{
    if (c->unit != NULL && c->unit->private_only != NULL
        && !typeparams_name(c->unit->private_only, name)) {
        return name;
    }
    PyObject *result = name_mangle(c->arena, c->unit == NULL ? NULL : c->unit->private_name, name);
    if (result == NULL) {
        fail(c);
    }
    return result;
}

/* ---- constants ---- */

/* A key under which only constants that may share one object are equal: 0.0 and -0.0, 1 and True
   and 1.0 stay apart (new reference). */
static PyObject *const_key(PyObject *value)
{
    if (Py_IsNone(value) || value == Py_Ellipsis || PyCode_Check(value)) {
        PyObject *id = PyLong_FromVoidPtr(value);
        PyObject *key = id == NULL ? NULL : PyTuple_Pack(2, Py_None, id);
        Py_XDECREF(id);
        return key;
    }
    if (PyFloat_CheckExact(value)) {
        double number = PyFloat_AS_DOUBLE(value);
        return Py_BuildValue("(OOi)", Py_TYPE(value), value, __builtin_signbit(number) != 0);
    }
    if (PyComplex_CheckExact(value)) {
        Py_complex number = PyComplex_AsCComplex(value);
        return Py_BuildValue("(OOii)", Py_TYPE(value), value, __builtin_signbit(number.real) != 0,
                             __builtin_signbit(number.imag) != 0);
    }
    if (PyTuple_CheckExact(value) || PyFrozenSet_CheckExact(value)) {
        PyObject *items = PySequence_List(value);
        if (items == NULL) {
            return NULL;
        }
        for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items); i++) {
            PyObject *key = const_key(PyList_GET_ITEM(items, i));
            if (key == NULL || PyList_SetItem(items, i, key) < 0) {
                Py_DECREF(items);
                return NULL;
            }
        }
        PyObject *keys = PyTuple_CheckExact(value) ? PyList_AsTuple(items) : PyFrozenSet_New(items);
        Py_DECREF(items);
        PyObject *key = keys == NULL ? NULL : PyTuple_Pack(2, Py_TYPE(value), keys);
        Py_XDECREF(keys);
        return key;
    }
    return PyTuple_Pack(2, Py_TYPE(value), value);
}

uint32_t const_add(struct compiler *c, PyObject *value)
{
    struct unit *u = c->unit;
    if (c->failed || u->unreachable) {
        return 0;
    }
    PyObject *key = const_key(value);
    uint32_t position = index_add(c, u->consts, u->const_index, key, value);
    Py_XDECREF(key);
    return position;
}

void load_const(struct compiler *c, int dst, PyObject *value)
{
    if (PyLong_CheckExact(value)) {
        int overflow;
        long number = PyLong_AsLongAndOverflow(value, &overflow);
        if (overflow == 0 && number >= -5 && number <= 256) {
            emit_wide(c, LOAD_INT, dst, (uint32_t)(int32_t)number);
            return;
        }
    }
    emit_wide(c, LOAD_CONST, dst, const_add(c, value));
}

/* ---- registers ---- */

int temp_push(struct compiler *c)
{
    struct unit *u = c->unit;
    int reg = u->depth++;
    if (u->depth > u->nregs) {
        u->nregs = u->depth;
        if (u->nregs > 0xFFF0 && !c->failed) {
            PyErr_SetString(PyExc_OverflowError, "expression needs too many registers");
            fail(c);
        }
    }
    return reg;
}

/* ---- handlers ---- */

int32_t handler_push(struct compiler *c, int32_t label, int depth, bool lasti)
{
    struct unit *u = c->unit;
    struct draft_handler *handlers =
        grow(c, u->handlers, u->handler_count, &u->handler_capacity, sizeof *u->handlers);
    if (handlers == NULL) {
        return NO_HANDLER;
    }
    u->handlers = handlers;
    u->handlers[u->handler_count] = (struct draft_handler){
        .label = label, .outer = u->handler, .depth = (uint16_t)depth, .lasti = lasti};
    u->handler = (int32_t)u->handler_count++;
    return u->handler;
}

void handler_pop(struct compiler *c)
{
    struct unit *u = c->unit;
    if (u->handler != NO_HANDLER) {
        u->handler = u->handlers[u->handler].outer;
    }
}

/* ---- what is surely bound ---- */

void bound_set(struct compiler *c, int reg)
{
    c->unit->bound[reg / 64] |= (uint64_t)1 << (reg % 64);
}

void bound_clear(struct compiler *c, int reg)
{
    c->unit->bound[reg / 64] &= ~((uint64_t)1 << (reg % 64));
}

bool bound_known(const struct compiler *c, int reg)
{
    return (c->unit->bound[reg / 64] >> (reg % 64) & 1) != 0;
}

uint64_t *bound_save(struct compiler *c)
{
    struct unit *u = c->unit;
    uint64_t *saved = arena_alloc(c->arena, (u->bound_words + 1) * sizeof *saved);
    if (saved == NULL) {
        fail(c);
        return u->bound;
    }
    memcpy(saved, u->bound, u->bound_words * sizeof *saved);
    return saved;
}

void bound_restore(struct compiler *c, const uint64_t *saved)
{
    memmove(c->unit->bound, saved, c->unit->bound_words * sizeof *saved);
}

void bound_intersect(struct compiler *c, uint64_t *into)
{
    /* What cannot be reached adds no doubt. */
    if (c->unit->unreachable) {
        return;
    }
    for (uint32_t i = 0; i < c->unit->bound_words; i++) {
        into[i] &= c->unit->bound[i];
    }
}
