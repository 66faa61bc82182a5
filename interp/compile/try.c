/* try statements and with statements.

   A handler is entered with the exception in the first register above those that stay alive (behind the
   raising instruction's index, if the handler asked for it).  While an exception is being handled
   r[base] holds the one that was handled before and r[base + 1] the exception itself. */

#include "unit.h"

/* The end of code that handles an exception: if that raises, the previous exception is the handled one
   again and the new one goes on.  r[base] = previous. */
static void cleanup_here(struct compiler *c, int32_t label, int base)
{
    label_here(c, label);
    temp_pop_to(c, base + 1);
    temp_push(c); /* lasti */
    temp_push(c); /* exception */
    emit_restore_and_reraise(c, base);
    temp_pop_to(c, base);
}

static void try_finally(struct compiler *c, struct stmt *s,
                        void (*body)(struct compiler *, struct stmt *))
{
    int base = c->unit->depth;
    int32_t raised = label_new(c), cleanup = label_new(c), end = label_new(c);
    uint64_t *before = bound_save(c);
    struct open_block open = {.kind = OPEN_FINALLY_TRY, .finalbody = s->try_.finalbody};
    open_push(c, &open);
    handler_push(c, raised, base, false);
    body(c, s);
    handler_pop(c);
    open_pop(c);
    stmts(c, s->try_.finalbody);
    uint64_t *after = bound_save(c);
    bool reachable = !c->unit->unreachable;
    c->pos = NOWHERE;
    emit_jump(c, JUMP, 0, 0, end);

    label_here(c, raised);
    bound_restore(c, before);
    temp_push(c);
    struct open_block finally_end = {.kind = OPEN_FINALLY_END, .reg = base};
    struct ast_pos pos = c->pos;
    c->pos = NOWHERE;
    open_push(c, &finally_end);
    handler_push(c, cleanup, base + 1, true);
    emit(c, PUSH_EXC, base, 0, 0);
    temp_push(c);
    c->pos = pos;
    stmts(c, s->try_.finalbody);
    c->pos = NOWHERE;
    emit(c, RERAISE, base + 1, REG_NONE, 0);
    handler_pop(c);
    open_pop(c);
    cleanup_here(c, cleanup, base);
    c->pos = pos;
    bound_restore(c, reachable ? after : before);
    label_here(c, end);
}

/* Stores the exception under its name and runs the handler's body; afterwards the name is
   deleted, however the body ends. */
static void named_handler_body(struct compiler *c, struct handler *handler, int base)
{
    int32_t cleanup = label_new(c);
    int depth = c->unit->depth;
    emit(c, COPY, depth, base + 1, 0);
    temp_push(c);
    name_store(c, handler->name, depth);
    temp_pop_to(c, depth);
    struct open_block open = {.kind = OPEN_HANDLER, .reg = base, .name = handler->name};
    open_push(c, &open);
    handler_push(c, cleanup, depth, true);
    stmts(c, handler->body);
    handler_pop(c);
    open_pop(c);
    c->pos = NOWHERE;
    int32_t normal = label_new(c);
    emit_jump(c, JUMP, 0, 0, normal);

    label_here(c, cleanup);
    temp_push(c);
    temp_push(c);
    int temp = c->unit->depth;
    load_none(c, temp);
    temp_push(c);
    name_store(c, handler->name, temp);
    temp_pop_to(c, temp);
    name_delete(c, handler->name);
    emit(c, RERAISE, depth + 1, depth, 0);
    temp_pop_to(c, depth);
    label_here(c, normal);
}

static void delete_name(struct compiler *c, PyObject *name)
{
    int temp = c->unit->depth;
    load_none(c, temp);
    temp_push(c);
    name_store(c, name, temp);
    temp_pop_to(c, temp);
    name_delete(c, name);
}

static void leave_handler_normally(struct compiler *c, int base)
{
    emit(c, DROP, base + 1, 0, 0);
    temp_pop_to(c, base + 1);
    emit(c, POP_EXC, base, 0, 0);
    temp_pop_to(c, base);
}

static void one_handler(struct compiler *c, struct handler *handler, int base, int32_t end,
                        uint64_t *joined)
{
    int32_t next = label_new(c);
    c->pos = handler->pos;
    if (handler->type != NULL) {
        int depth = c->unit->depth;
        int type = expr(c, handler->type, ANY);
        c->pos = handler->type->pos;
        emit(c, CHECK_EXC_MATCH, depth, base + 1, type);
        temp_pop_to(c, depth);
        temp_push(c);
        emit_jump(c, JUMP_IF_FALSE, depth, 0, next);
        temp_pop_to(c, depth);
    } else {
        emit(c, NOP, 0, 0, 0); /* a line to stop at */
    }
    int32_t outer = c->unit->handlers[c->unit->handler].outer;
    if (handler->name != NULL) {
        named_handler_body(c, handler, base);
    } else {
        struct open_block open = {.kind = OPEN_HANDLER, .reg = base};
        open_push(c, &open);
        stmts(c, handler->body);
        open_pop(c);
        c->pos = NOWHERE;
    }
    /* From here on an exception is not one inside the handler. */
    int32_t inner = c->unit->handler;
    c->unit->handler = outer;
    leave_handler_normally(c, base);
    if (handler->name != NULL) {
        delete_name(c, handler->name);
    }
    bound_intersect(c, joined);
    emit_jump(c, JUMP, 0, 0, end);
    c->unit->handler = inner;
    temp_pop_to(c, base + 2);
    label_here(c, next);
}

static void try_except(struct compiler *c, struct stmt *s)
{
    int base = c->unit->depth;
    int32_t raised = label_new(c), cleanup = label_new(c), end = label_new(c);
    uint64_t *before = bound_save(c);
    struct open_block open = {.kind = OPEN_TRY};
    open_push(c, &open);
    handler_push(c, raised, base, false);
    stmts(c, s->try_.body);
    handler_pop(c);
    open_pop(c);
    stmts(c, s->try_.orelse);
    uint64_t *joined = bound_save(c);
    if (c->unit->unreachable) {
        for (uint32_t i = 0; i < c->unit->bound_words; i++) {
            joined[i] = ~(uint64_t)0;
        }
    }
    c->pos = NOWHERE;
    emit_jump(c, JUMP, 0, 0, end);

    label_here(c, raised);
    temp_push(c);
    handler_push(c, cleanup, base + 1, true);
    emit(c, PUSH_EXC, base, 0, 0);
    temp_push(c);
    for (size_t i = 0; i < s->try_.handlers->len; i++) {
        struct handler *handler = s->try_.handlers->items[i];
        c->pos = handler->pos;
        if (handler->type == NULL && i + 1 < s->try_.handlers->len) {
            fail_syntax(c, "default 'except:' must be last");
            return;
        }
        bound_restore(c, before);
        one_handler(c, handler, base, end, joined);
    }
    c->pos = NOWHERE;
    emit(c, RERAISE, base + 1, REG_NONE, 0);
    handler_pop(c);
    cleanup_here(c, cleanup, base);
    label_here(c, end);
    bound_restore(c, joined);
}

static void body_only(struct compiler *c, struct stmt *s)
{
    stmts(c, s->try_.body);
}

void stmt_try(struct compiler *c, struct stmt *s)
{
    emit(c, NOP, 0, 0, 0);
    if (s->try_.finalbody->len != 0) {
        try_finally(c, s, s->try_.handlers->len != 0 ? try_except : body_only);
    } else {
        try_except(c, s);
    }
}

/* ---- except* ---- */

/* Registers while the handlers of an except* run. */
enum { STAR_PREVIOUS, STAR_ORIGINAL, STAR_RESULTS, STAR_REST, STAR_MATCH };

static void star_handler(struct compiler *c, struct handler *handler, int base, bool last,
                         int32_t reraise)
{
    int32_t no_match = label_new(c), next = label_new(c), raised = label_new(c);
    int rest = base + STAR_REST, match = base + STAR_MATCH;
    c->pos = handler->pos;
    uint64_t *before = bound_save(c);
    if (handler->type != NULL) {
        int type = expr(c, handler->type, ANY);
        c->pos = handler->type->pos;
        emit(c, CHECK_EG_MATCH, rest, type, 0);
    }
    temp_pop_to(c, match);
    temp_push(c);
    emit(c, COPY, match + 1, match, 0);
    temp_push(c);
    emit_jump(c, JUMP_IF_NONE, match + 1, 0, no_match);
    temp_pop_to(c, match + 1);
    if (handler->name != NULL) {
        name_store(c, handler->name, match);
    } else {
        emit(c, DROP, match, 0, 0);
    }
    temp_pop_to(c, match);

    struct open_block open = {
        .kind = OPEN_HANDLER, .reg = base, .name = handler->name, .star = true};
    open_push(c, &open);
    handler_push(c, raised, match, true);
    stmts(c, handler->body);
    handler_pop(c);
    open_pop(c);
    c->pos = NOWHERE;
    if (handler->name != NULL) {
        delete_name(c, handler->name);
    }
    emit_jump(c, JUMP, 0, 0, next);

    /* An exception of the body joins the results. */
    label_here(c, raised);
    bound_restore(c, before);
    temp_push(c);
    temp_push(c);
    if (handler->name != NULL) {
        delete_name(c, handler->name);
    }
    emit(c, LIST_APPEND, base + STAR_RESULTS, match + 1, 0);
    temp_pop_to(c, match + 1);
    emit(c, DROP, match, 0, 0);
    temp_pop_to(c, match);
    emit_jump(c, JUMP, 0, 0, next);

    label_here(c, no_match);
    temp_pop_to(c, match + 1);
    emit(c, DROP, match, 0, 0);
    temp_pop_to(c, match);
    label_here(c, next);
    bound_restore(c, before);
    if (last) {
        emit(c, LIST_APPEND, base + STAR_RESULTS, rest, 0);
        temp_pop_to(c, rest);
        emit_jump(c, JUMP, 0, 0, reraise);
    }
}

static void try_star_except(struct compiler *c, struct stmt *s)
{
    int base = c->unit->depth;
    int32_t raised = label_new(c), cleanup = label_new(c), end = label_new(c),
            reraise = label_new(c), throw = label_new(c);
    uint64_t *before = bound_save(c);
    struct open_block open = {.kind = OPEN_TRY};
    open_push(c, &open);
    handler_push(c, raised, base, false);
    stmts(c, s->try_.body);
    handler_pop(c);
    open_pop(c);
    stmts(c, s->try_.orelse);
    c->pos = NOWHERE;
    emit_jump(c, JUMP, 0, 0, end);

    label_here(c, raised);
    bound_restore(c, before);
    temp_push(c);
    handler_push(c, cleanup, base + 1, true);
    emit(c, PUSH_EXC, base, 0, 0);
    temp_push(c);
    emit(c, BUILD_LIST, base + STAR_RESULTS, base + STAR_RESULTS, 0);
    temp_push(c);
    emit(c, COPY, base + STAR_REST, base + STAR_ORIGINAL, 0);
    temp_push(c);
    for (size_t i = 0; i < s->try_.handlers->len; i++) {
        star_handler(c, s->try_.handlers->items[i], base, i + 1 == s->try_.handlers->len, reraise);
    }
    label_here(c, reraise);
    c->pos = NOWHERE;
    temp_pop_to(c, base + STAR_REST);
    emit(c, INTRINSIC2, base + STAR_ORIGINAL, base + STAR_ORIGINAL, INTRINSIC_PREP_RERAISE_STAR);
    temp_pop_to(c, base + 2);
    emit(c, COPY, base + 2, base + 1, 0);
    temp_push(c);
    emit_jump(c, JUMP_IF_NOT_NONE, base + 2, 0, throw);
    temp_pop_to(c, base + 2);
    handler_pop(c);
    leave_handler_normally(c, base);
    emit_jump(c, JUMP, 0, 0, end);

    label_here(c, throw);
    temp_pop_to(c, base + 2);
    emit(c, SWAP, base, base + 1, 0);
    emit(c, POP_EXC, base + 1, 0, 0);
    temp_pop_to(c, base + 1);
    emit(c, RERAISE, base, REG_NONE, 0);
    cleanup_here(c, cleanup, base);
    label_here(c, end);
    bound_restore(c, before);
}

void stmt_try_star(struct compiler *c, struct stmt *s)
{
    emit(c, NOP, 0, 0, 0);
    if (s->try_.finalbody->len != 0) {
        try_finally(c, s, try_star_except);
    } else {
        try_star_except(c, s);
    }
}

/* ---- with ---- */

static void with_item(struct compiler *c, struct stmt *s, size_t index)
{
    if (index == s->with.items->len) {
        stmts(c, s->with.body);
        return;
    }
    struct withitem *item = s->with.items->items[index];
    bool async = s->kind == STMT_ASYNCWITH;
    int base = c->unit->depth;
    int32_t raised = label_new(c), cleanup = label_new(c), suppress = label_new(c),
            end = label_new(c);
    int manager = expr(c, item->context_expr, ANY);
    c->pos = item->context_expr->pos;
    emit(c, async ? BEFORE_ASYNC_WITH : BEFORE_WITH, base, manager, 0);
    temp_pop_to(c, base);
    temp_push(c);
    int value = temp_push(c);
    if (async) {
        emit_await(c, value, 1);
    }
    uint64_t *before = bound_save(c);
    struct open_block open = {
        .kind = async ? OPEN_ASYNC_WITH : OPEN_WITH, .reg = base, .pos = item->context_expr->pos};
    open_push(c, &open);
    handler_push(c, raised, base + 1, true);
    if (item->optional_vars != NULL) {
        target_store(c, item->optional_vars, value);
    } else {
        emit(c, DROP, value, 0, 0);
    }
    temp_pop_to(c, value);
    with_item(c, s, index + 1);
    handler_pop(c);
    open_pop(c);
    c->pos = item->context_expr->pos;
    int result = emit_exit_call(c, base);
    if (async) {
        emit_await(c, result, 2);
    }
    emit(c, DROP, result, 0, 0);
    temp_pop_to(c, base + 1);
    emit(c, DROP, base, 0, 0);
    temp_pop_to(c, base);
    emit_jump(c, JUMP, 0, 0, end);

    /* r[base] = __exit__, r[base+1] = lasti, r[base+2] = exception */
    label_here(c, raised);
    temp_pop_to(c, base + 3);
    handler_push(c, cleanup, base + 3, true);
    emit(c, PUSH_EXC, base + 2, 0, 0);
    temp_push(c);
    emit(c, WITH_EXCEPT_START, base + 4, base, base + 3);
    temp_push(c);
    if (async) {
        emit_await(c, base + 4, 2);
    }
    emit_jump(c, JUMP_IF_TRUE, base + 4, 0, suppress);
    temp_pop_to(c, base + 4);
    emit(c, RERAISE, base + 3, base + 1, 0);
    label_here(c, suppress);
    c->pos = NOWHERE;
    handler_pop(c);
    leave_handler_normally(c, base + 2);
    emit(c, DROP, base + 1, 0, 0);
    temp_pop_to(c, base + 1);
    emit(c, DROP, base, 0, 0);
    temp_pop_to(c, base);
    emit_jump(c, JUMP, 0, 0, end);
    cleanup_here(c, cleanup, base + 2);
    temp_pop_to(c, base);
    label_here(c, end);
    bound_restore(c, before);
}

void stmt_with(struct compiler *c, struct stmt *s)
{
    if (s->kind == STMT_ASYNCWITH && !c->unit->async) {
        fail_syntax(c, "'async with' outside async function");
        return;
    }
    with_item(c, s, 0);
}
