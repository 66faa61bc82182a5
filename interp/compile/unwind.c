/* Open blocks: what break, continue and return must undo on their way out. */

#include "unit.h"

enum { BLOCKS_MAX = 21 };

static int weight_of(const struct open_block *block)
{
    return block->kind == OPEN_HANDLER ? 2 : block->kind == OPEN_COMPREHENSION ? 0 : 1;
}

void open_push(struct compiler *c, struct open_block *block)
{
    block->outer = c->unit->open;
    block->handler = c->unit->handler;
    c->unit->open = block;
    c->unit->open_count += weight_of(block);
    if (c->unit->open_count > BLOCKS_MAX) {
        fail_syntax(c, "too many statically nested blocks");
    }
}

void open_pop(struct compiler *c)
{
    c->unit->open_count -= weight_of(c->unit->open);
    c->unit->open = c->unit->open->outer;
}

int emit_exit_call(struct compiler *c, int reg)
{
    int base = c->unit->depth;
    emit(c, SAVE_CLEAR, base, reg, 0);
    temp_push(c);
    emit(c, LOAD_NULL, c->unit->depth, 0, 0);
    temp_push(c);
    for (int i = 0; i < 3; i++) {
        load_none(c, c->unit->depth);
        temp_push(c);
    }
    call_window(c, base, 3, base);
    return temp_push(c);
}

void emit_restore_and_reraise(struct compiler *c, int base)
{
    int copy = c->unit->depth;
    emit(c, COPY, copy, base, 0);
    temp_push(c);
    emit(c, POP_EXC, copy, 0, 0);
    temp_pop_to(c, copy);
    emit(c, RERAISE, base + 2, base + 1, 0);
}

/* The handled exception that was put aside in r[reg], with the one being handled above it. */
static void leave_handler(struct compiler *c, int reg)
{
    emit(c, CLEAR, reg + 1, 0, 0);
    int copy = c->unit->depth;
    emit(c, SAVE_CLEAR, copy, reg, 0);
    temp_push(c);
    emit(c, POP_EXC, copy, 0, 0);
    temp_pop_to(c, copy);
}

static void unwind_one(struct compiler *c, struct open_block *block)
{
    struct unit *u = c->unit;
    /* What runs from here on is outside the block. */
    u->handler = block->handler;
    switch (block->kind) {
    case OPEN_WHILE:
    case OPEN_TRY:
    case OPEN_COMPREHENSION:
        break;
    case OPEN_FOR:
    case OPEN_ASYNC_FOR:
        emit(c, CLEAR, block->reg, 0, 0);
        break;
    case OPEN_FINALLY_TRY: {
        struct open_block *saved = u->open;
        u->open = block->outer;
        stmts(c, block->finalbody);
        u->open = saved;
        c->pos = NOWHERE;
        break;
    }
    case OPEN_FINALLY_END:
        leave_handler(c, block->reg);
        break;
    case OPEN_WITH:
    case OPEN_ASYNC_WITH: {
        c->pos = block->pos;
        int result = emit_exit_call(c, block->reg);
        if (block->kind == OPEN_ASYNC_WITH) {
            emit_await(c, result, 2);
        }
        emit(c, DROP, result, 0, 0);
        temp_pop_to(c, result);
        c->pos = NOWHERE;
        break;
    }
    case OPEN_HANDLER:
        leave_handler(c, block->reg);
        if (block->name != NULL) {
            int temp = c->unit->depth;
            load_none(c, temp);
            temp_push(c);
            name_store(c, block->name, temp);
            temp_pop_to(c, temp);
            name_delete(c, block->name);
        }
        break;
    }
}

void unwind_to(struct compiler *c, struct open_block *until)
{
    struct open_block *innermost = c->unit->open;
    for (struct open_block *block = innermost; block != until && !c->failed; block = block->outer) {
        c->unit->open = block;
        unwind_one(c, block);
    }
    c->unit->open = innermost;
}
