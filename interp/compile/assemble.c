/* From drafts to words: jump distances, handler ranges, and the code object. */

#include "interp/state.h"
#include "unit.h"
#include <string.h>

/* Which operand of a jump holds the distance: all of b and c, or c alone. */
static bool jump_is_wide(unsigned op)
{
    switch (op) {
    case JUMP:
    case JUMP_BACK:
    case JUMP_IF_TRUE:
    case JUMP_IF_FALSE:
    case JUMP_IF_TRUE_OR_DROP:
    case JUMP_IF_FALSE_OR_DROP:
    case JUMP_IF_NONE:
    case JUMP_IF_NONE_OR_KEEP:
    case JUMP_IF_NOT_NONE:
        return true;
    default:
        return false;
    }
}

static bool fits_signed_16(int64_t distance)
{
    return distance >= INT16_MIN && distance <= INT16_MAX;
}

/* Operand pairs of 32 bits are split by emit_wide(), so only sites, constants and counts overflow. */
static bool operands_need_prefix(const struct draft *draft)
{
    return draft->a > 0xFFFF || draft->b > 0xFFFF || draft->c > 0xFFFF;
}

struct layout {
    uint32_t *at; /* word index of each draft's instruction (after its prefix) */
    uint8_t *prefixed;
    uint32_t words;
};

static int64_t jump_distance(const struct unit *u, const struct layout *layout, uint32_t i)
{
    uint32_t target = (uint32_t)u->labels[u->code[i].label].at;
    /* A jump goes to the prefix, if its target has one. */
    int64_t to = target < u->code_count ? (int64_t)layout->at[target] - layout->prefixed[target]
                                        : layout->words;
    return to - ((int64_t)layout->at[i] + 1);
}

static void place(const struct unit *u, struct layout *layout)
{
    uint32_t word = 0;
    for (uint32_t i = 0; i < u->code_count; i++) {
        word += layout->prefixed[i];
        layout->at[i] = word++;
    }
    layout->words = word;
}

/* Prefixes only ever get added, so this ends. */
static void settle(const struct unit *u, struct layout *layout)
{
    for (uint32_t i = 0; i < u->code_count; i++) {
        layout->prefixed[i] = u->code[i].label == NO_LABEL && operands_need_prefix(&u->code[i]);
    }
    bool changed = true;
    while (changed) {
        changed = false;
        place(u, layout);
        for (uint32_t i = 0; i < u->code_count; i++) {
            if (u->code[i].label != NO_LABEL && !layout->prefixed[i] && !jump_is_wide(u->code[i].op)
                && !fits_signed_16(jump_distance(u, layout, i))) {
                layout->prefixed[i] = 1;
                changed = true;
            }
        }
    }
}

/* Only the line with -X no_debug_ranges. */
static struct code_position position_of(const struct ast_pos *pos)
{
    if (pos->line < 0) {
        return (struct code_position){-1, -1, -1, -1};
    }
    if (!main_interp_self()->config.code_debug_ranges) {
        return (struct code_position){pos->line, pos->line, -1, -1};
    }
    return (struct code_position){pos->line, pos->end_line, pos->col, pos->end_col};
}

static void write_word(const struct unit *u, const struct layout *layout, uint32_t i,
                       struct code_spec *spec)
{
    const struct draft *draft = &u->code[i];
    uint32_t a = draft->a, b = draft->b, c = draft->c;
    if (draft->label != NO_LABEL) {
        uint32_t distance = (uint32_t)(int32_t)jump_distance(u, layout, i);
        if (jump_is_wide(draft->op)) {
            b = distance & 0xFFFF;
            c = distance >> 16;
        } else {
            c = distance;
        }
    }
    uint32_t at = layout->at[i];
    if (layout->prefixed[i]) {
        spec->words[at - 1] = WORD(EXT, a >> 16, b >> 16, c >> 16);
    }
    spec->words[at] = WORD(draft->op, a, b, c);
    struct code_position position = position_of(&draft->pos);
    for (uint32_t k = at - layout->prefixed[i]; k <= at; k++) {
        spec->depths[k] = draft->depth;
        spec->positions[k] = position;
    }
}

/* Neighbouring drafts with one handler make one range. */
static void write_handlers(const struct unit *u, const struct layout *layout,
                           struct code_spec *spec)
{
    for (uint32_t i = 0; i < u->code_count;) {
        int32_t handler = u->code[i].handler;
        uint32_t start = i;
        while (i < u->code_count && u->code[i].handler == handler) {
            i++;
        }
        if (handler == NO_HANDLER) {
            continue;
        }
        const struct draft_handler *draft = &u->handlers[handler];
        uint32_t target = (uint32_t)u->labels[draft->label].at;
        spec->handlers[spec->nhandlers++] = (struct code_handler){
            .start = layout->at[start] - layout->prefixed[start],
            .end = i < u->code_count ? layout->at[i] - layout->prefixed[i] : layout->words,
            .target = layout->at[target] - layout->prefixed[target],
            .depth = draft->depth,
            .lasti = draft->lasti,
        };
    }
}

static int code_flags(const struct compiler *c, const struct unit *u)
{
    const struct block *block = u->block;
    int flags = u->flags | (c->flags & PyCF_MASK);
    if (block_is_function_like(block)) {
        flags |= CO_NEWLOCALS | CO_OPTIMIZED;
        flags |= block->nested ? CO_NESTED : 0;
        if (block->generator && !block->coroutine) {
            flags |= CO_GENERATOR;
        } else if (block->coroutine) {
            flags |= block->generator ? CO_ASYNC_GENERATOR : CO_COROUTINE;
        }
        flags |= block->varargs ? CO_VARARGS : 0;
        flags |= block->varkeywords ? CO_VARKEYWORDS : 0;
    } else if (unit_is_module_coroutine(c, u)) {
        flags |= CO_COROUTINE;
    }
    return flags;
}

static void *array(struct compiler *c, size_t count, size_t size)
{
    void *memory = arena_alloc(c->arena, (count + 1) * size);
    if (memory == NULL) {
        fail(c);
    }
    return memory;
}

PyObject *unit_assemble(struct compiler *c, struct unit *u)
{
    struct layout layout = {.at = array(c, u->code_count, sizeof *layout.at),
                            .prefixed = array(c, u->code_count, 1)};
    if (c->failed) {
        return NULL;
    }
    settle(u, &layout);
    struct code_spec spec = {
        .words = array(c, layout.words, sizeof *spec.words),
        .nwords = layout.words,
        .depths = array(c, layout.words, sizeof *spec.depths),
        .positions = array(c, layout.words, sizeof *spec.positions),
        .sites = (void *)u->sites,
        .nsites = u->site_count,
        .handlers = array(c, u->code_count, sizeof *spec.handlers),
        .consts = keep(c, PyList_AsTuple(u->consts)),
        .names = keep(c, PyList_AsTuple(u->names)),
        .localsplusnames = keep(c, PyList_AsTuple(u->slots)),
        .localspluskinds =
            keep(c, PyBytes_FromStringAndSize((const char *)u->slot_kinds, u->nlocals)),
        .filename = c->filename,
        .name = u->name,
        .qualname = u->qualname,
        .argcount = u->argcount,
        .posonlyargcount = u->posonlyargcount,
        .kwonlyargcount = u->kwonlyargcount,
        .flags = code_flags(c, u),
        .firstlineno = u->firstlineno,
        .nlocals = u->nlocals,
        .nregs = u->nregs,
    };
    if (c->failed) {
        return NULL;
    }
    for (uint32_t i = 0; i < u->code_count; i++) {
        write_word(u, &layout, i, &spec);
    }
    write_handlers(u, &layout, &spec);
    return (PyObject *)code_new(&spec);
}
