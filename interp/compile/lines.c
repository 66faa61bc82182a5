/* Source lines of instructions that stand nowhere in the source.

   A statement's end, an implicit return, the jump back of a loop: such drafts come with line -1. One takes the
   position of the draft that surely ran before it, so that a debugger sees no line that is not there. What is reached
   from several places stays without a line, except for a return: each jump to that gets one of its own. */

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

static bool is_bare_return(const struct unit *u, uint32_t at)
{
    return at < u->code_count && u->code[at].op == RETURN_CONST && is_nowhere(&u->code[at]);
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

/* Jumps to a return that others reach too get their own. */
static void split_returns(struct compiler *c, struct unit *u, uint8_t *ways)
{
    uint32_t count = u->code_count;
    for (uint32_t i = 0; i < count && !c->failed; i++) {
        struct draft *draft = &u->code[i];
        uint32_t target = draft->label == NO_LABEL ? count : (uint32_t)u->labels[draft->label].at;
        if (target >= count || !is_bare_return(u, target)) {
            continue;
        }
        if (draft->op == JUMP) {
            struct ast_pos pos = draft->pos;
            int32_t handler = draft->handler;
            uint16_t depth = draft->depth;
            *draft = u->code[target];
            draft->pos = pos;
            draft->handler = handler;
            draft->depth = depth;
        } else if (ways[target] > 1 && !is_nowhere(draft)) {
            int32_t label = label_new(c);
            uint32_t at = draft_append(c, &u->code[target]);
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
    uint8_t *ways = count_ways(c, u);
    if (ways == NULL) {
        return;
    }
    split_returns(c, u, ways);
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
