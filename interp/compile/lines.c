/* Source lines of instructions that stand nowhere in the source.

   A statement's end, an implicit return, the jump back of a loop: such drafts come with line -1. One takes the
   position of the draft that surely ran before it, so that a debugger sees no line that is not there. What is reached
   from several places stays without a line, except for an exit of the function: each jump to that gets one of its own. */

#include "unit.h"
#include <string.h>

static bool falls_through(unsigned op)
{
    return op == RETURN_GENERATOR || !(opcode_table[op].flags & OPCODE_ENDS);
}

static bool is_nowhere(const struct draft *draft)
{
    return draft->pos.line < 0;
}

/* Jumps to a jump that stands nowhere go where that goes. */
static void thread_jumps(struct unit *u)
{
    for (uint32_t i = 0; i < u->code_count; i++) {
        struct draft *draft = &u->code[i];
        for (int hops = 0; hops < 16 && draft->label != NO_LABEL; hops++) {
            uint32_t target = (uint32_t)u->labels[draft->label].at;
            if (target >= u->code_count || u->code[target].op != JUMP
                || !is_nowhere(&u->code[target]) || u->code[target].label == draft->label) {
                break;
            }
            draft->label = u->code[target].label;
        }
    }
}

enum { EXIT_MAX = 10 };

/* The number of drafts from `at` on that leave the function and all stand nowhere, or 0. */
static uint32_t exit_length(const struct unit *u, uint32_t at)
{
    for (uint32_t n = 0; n < EXIT_MAX && at + n < u->code_count; n++) {
        const struct draft *draft = &u->code[at + n];
        if (!is_nowhere(draft) || draft->label != NO_LABEL) {
            return 0;
        }
        if (draft->op == RETURN || draft->op == RETURN_CONST) {
            return n + 1;
        }
    }
    return 0;
}

/* How many ways lead to each draft; handlers count as two, since nothing is known about where they are entered from. */
static uint8_t *count_ways(struct compiler *c, struct unit *u)
{
    uint8_t *ways = arena_alloc(c->arena, u->code_count + 1);
    if (ways == NULL) {
        fail(c);
        return NULL;
    }
    memset(ways, 0, u->code_count + 1);
    for (uint32_t i = 0; i < u->code_count; i++) {
        const struct draft *draft = &u->code[i];
        if (i + 1 < u->code_count && falls_through(draft->op) && ways[i + 1] < 2) {
            ways[i + 1]++;
        }
        if (draft->label != NO_LABEL && ways[u->labels[draft->label].at] < 2) {
            ways[u->labels[draft->label].at]++;
        }
    }
    for (uint32_t i = 0; i < u->handler_count; i++) {
        if (u->handlers[i].used) {
            ways[u->labels[u->handlers[i].label].at] = 2;
        }
    }
    return ways;
}

/* Jumps to an exit that others reach too get their own. */
static void split_exits(struct compiler *c, struct unit *u, const uint8_t *ways)
{
    uint32_t count = u->code_count;
    for (uint32_t i = 0; i < count && !c->failed; i++) {
        uint32_t target =
            u->code[i].label == NO_LABEL ? count : (uint32_t)u->labels[u->code[i].label].at;
        uint32_t length = target >= count ? 0 : exit_length(u, target);
        if (length == 1 && u->code[i].op == JUMP) {
            struct draft *draft = &u->code[i], jump = *draft;
            *draft = u->code[target];
            draft->pos = jump.pos;
            draft->handler = jump.handler;
            draft->depth = jump.depth;
        } else if (length > 0 && ways[target] > 1) {
            int32_t label = label_new(c);
            uint32_t at = u->code_count;
            for (uint32_t k = 0; k < length; k++) {
                draft_append(c, target + k);
            }
            if (!c->failed) {
                u->labels[label] = (struct label){(int32_t)at, true};
                u->code[at].pos = u->code[i].pos;
                u->code[i].label = label;
            }
        }
    }
}

static bool take(struct draft *draft, const struct draft *from)
{
    if (!is_nowhere(draft) || is_nowhere(from)) {
        return false;
    }
    draft->pos = from->pos;
    return true;
}

void lines_settle(struct compiler *c, struct unit *u)
{
    thread_jumps(u);
    uint8_t *ways = count_ways(c, u);
    if (ways == NULL) {
        return;
    }
    split_exits(c, u, ways);
    ways = c->failed ? NULL : count_ways(c, u);
    if (ways == NULL) {
        return;
    }
    for (uint32_t i = 0; i < u->code_count; i++) {
        const struct draft *draft = &u->code[i];
        if (i + 1 < u->code_count && falls_through(draft->op) && ways[i + 1] == 1) {
            take(&u->code[i + 1], draft);
        }
        if (draft->label != NO_LABEL && ways[u->labels[draft->label].at] == 1) {
            take(&u->code[u->labels[draft->label].at], draft);
        }
    }
}
