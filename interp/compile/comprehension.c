/* Comprehensions and generator expressions.

   List, set and dict comprehensions run in the frame around them (PEP 709): their variables are registers
   of that frame, emptied again when the comprehension ends, or put aside and restored if
   the frame has a variable of the same name. */

#include "unit.h"

static struct comprehension_seq *generators_of(struct expr *e)
{
    return e->kind == EXPR_LISTCOMP   ? e->listcomp.generators
           : e->kind == EXPR_SETCOMP  ? e->setcomp.generators
           : e->kind == EXPR_DICTCOMP ? e->dictcomp.generators
                                      : e->generatorexp.generators;
}

static struct ast_pos element_pos(const struct expr *e)
{
    switch (e->kind) {
    case EXPR_LISTCOMP:
        return e->listcomp.elt->pos;
    case EXPR_SETCOMP:
        return e->setcomp.elt->pos;
    case EXPR_DICTCOMP: {
        struct ast_pos pos = e->dictcomp.key->pos;
        pos.end_line = e->dictcomp.value->pos.end_line;
        pos.end_col = e->dictcomp.value->pos.end_col;
        return pos;
    }
    default:
        return e->generatorexp.elt->pos;
    }
}

/* Adds the innermost element to r[result]. */
static void element(struct compiler *c, struct expr *e, int result)
{
    int base = c->unit->depth;
    switch (e->kind) {
    case EXPR_LISTCOMP: {
        int value = expr(c, e->listcomp.elt, ANY);
        c->pos = e->listcomp.elt->pos;
        emit(c, LIST_APPEND, result, value, 0);
        break;
    }
    case EXPR_SETCOMP: {
        int value = expr(c, e->setcomp.elt, ANY);
        c->pos = e->setcomp.elt->pos;
        emit(c, SET_ADD, result, value, 0);
        break;
    }
    case EXPR_DICTCOMP: {
        int key = expr_operand(c, e->dictcomp.key, e->dictcomp.value);
        int value = expr(c, e->dictcomp.value, ANY);
        c->pos = element_pos(e);
        emit(c, MAP_ADD, result, key, value);
        break;
    }
    default: {
        int value = expr_push(c, e->generatorexp.elt);
        c->pos = e->generatorexp.elt->pos;
        if (c->unit->block->coroutine) {
            emit(c, INTRINSIC1, value, value, INTRINSIC_ASYNC_GEN_WRAP);
        }
        emit(c, YIELD, value, value, 0);
        emit(c, RESUME, 0, 0, 1);
        emit(c, DROP, value, 0, 0);
        break;
    }
    }
    temp_pop_to(c, base);
}

static void loops(struct compiler *c, struct expr *e, size_t depth, int iterator, int result);

static void body(struct compiler *c, struct expr *e, size_t depth, int32_t next, int result)
{
    struct comprehension_seq *generators = generators_of(e);
    struct comprehension *part = generators->items[depth];
    for (size_t i = 0; i < part->ifs->len; i++) {
        expr_jump(c, part->ifs->items[i], false, next);
    }
    if (depth + 1 == generators->len) {
        element(c, e, result);
        return;
    }
    struct comprehension *inner = generators->items[depth + 1];
    int base = c->unit->depth;
    int iterator = expr_push(c, inner->iter);
    c->pos = inner->iter->pos;
    emit(c, inner->is_async ? GET_AITER : GET_ITER, iterator, iterator, 0);
    loops(c, e, depth + 1, iterator, result);
    temp_pop_to(c, base);
}

static void sync_loop(struct compiler *c, struct expr *e, size_t depth, int iterator, int result)
{
    struct comprehension *part = generators_of(e)->items[depth];
    int32_t next = label_new(c), exhausted = label_new(c);
    int base = c->unit->depth;
    int32_t start = label_new(c);
    label_here(c, start);
    c->pos = part->iter->pos;
    int target =
        part->target->kind == EXPR_NAME ? name_store_register(c, part->target->name.id) : ANY;
    if (target != ANY) {
        emit_jump(c, FOR_ITER, iterator, target, exhausted);
        bound_set(c, target);
    } else {
        emit_jump(c, FOR_ITER, iterator, base, exhausted);
        temp_push(c);
        target_store(c, part->target, base);
        temp_pop_to(c, base);
    }
    body(c, e, depth, next, result);
    label_here(c, next);
    c->pos = element_pos(e);
    emit_jump(c, JUMP_BACK, 0, 0, start);
    label_here(c, exhausted);
}

static void async_loop(struct compiler *c, struct expr *e, size_t depth, int iterator, int result)
{
    struct comprehension *part = generators_of(e)->items[depth];
    int32_t next = label_new(c), ended = label_new(c);
    int base = c->unit->depth;
    int32_t start = label_new(c);
    label_here(c, start);
    c->pos = part->iter->pos;
    /* The iterator is the word below; what lies between belongs to the comprehension. */
    handler_push(c, ended, base, false);
    emit(c, GET_ANEXT, base, iterator, 0);
    temp_push(c);
    emit_send_loop(c, base, 3);
    handler_pop(c);
    target_store(c, part->target, base);
    temp_pop_to(c, base);
    body(c, e, depth, next, result);
    label_here(c, next);
    c->pos = element_pos(e);
    emit_jump(c, JUMP_BACK, 0, 0, start);
    label_here(c, ended);
    /* r[base] = the exception: it must stand right above the iterator. */
    temp_push(c);
    if (iterator + 1 != base) {
        emit(c, SAVE_CLEAR, c->unit->depth, iterator, 0);
        int copy = temp_push(c);
        emit(c, SWAP, base, copy, 0);
        emit(c, END_ASYNC_FOR, base, 0, 0);
    } else {
        emit(c, END_ASYNC_FOR, iterator, 0, 0);
    }
    temp_pop_to(c, base);
}

static void loops(struct compiler *c, struct expr *e, size_t depth, int iterator, int result)
{
    if (generators_of(e)->items[depth]->is_async) {
        async_loop(c, e, depth, iterator, result);
    } else {
        sync_loop(c, e, depth, iterator, result);
    }
}

/* ---- inlined ---- */

/* Has the frame, or a comprehension around this one, a variable in the same register? */
static bool slot_in_use(struct compiler *c, const struct block *block, PyObject *name)
{
    int reg = cell_register(c, name);
    if (c->unit->slot_kinds[reg] & CODE_FAST_FREE) {
        return true;
    }
    for (const struct block *outer = block->parent;; outer = outer->parent) {
        if (!outer->inlined && !block_is_function_like(outer)) {
            return false;
        }
        const struct symbol *symbol = block_symbol(outer, name);
        if (symbol != NULL && !(symbol->flags & SYM_COMP_ONLY)
            && (symbol->scope == SCOPE_LOCAL || symbol->scope == SCOPE_CELL
                || symbol->scope == SCOPE_FREE)) {
            return true;
        }
        if (!outer->inlined) {
            return false;
        }
    }
}

static bool is_variable(const struct symbol *symbol)
{
    return !(symbol->flags & SYM_PARAM)
           && (symbol->scope == SCOPE_LOCAL || symbol->scope == SCOPE_CELL);
}

/* Puts aside what the comprehension's variables would overwrite. */
static void variables_enter(struct compiler *c, const struct block *block)
{
    for (uint32_t i = 0; i < block->symbols.count; i++) {
        const struct symbol *symbol = &block->symbols.items[i];
        if (!is_variable(symbol)) {
            continue;
        }
        int reg = cell_register(c, symbol->name);
        if (slot_in_use(c, block, symbol->name)) {
            emit(c, SAVE_CLEAR, c->unit->depth, reg, 0);
            temp_push(c);
        }
        if (symbol->scope == SCOPE_CELL) {
            emit(c, MAKE_CELL, reg, 0, 0);
        }
        bound_clear(c, reg);
    }
}

/* `saved` is the first register that variables_enter() used. */
static void variables_leave(struct compiler *c, const struct block *block, int saved)
{
    int temp = saved;
    for (uint32_t i = 0; i < block->symbols.count; i++) {
        const struct symbol *symbol = &block->symbols.items[i];
        if (!is_variable(symbol)) {
            continue;
        }
        int reg = cell_register(c, symbol->name);
        if (slot_in_use(c, block, symbol->name)) {
            emit(c, RESTORE, reg, temp++, 0);
        } else {
            emit(c, CLEAR, reg, 0, 0);
        }
    }
}

static bool has_variables(const struct block *block)
{
    for (uint32_t i = 0; i < block->symbols.count; i++) {
        if (is_variable(&block->symbols.items[i])) {
            return true;
        }
    }
    return false;
}

static void inlined(struct compiler *c, struct expr *e, const struct block *block, int dst)
{
    struct comprehension *first = generators_of(e)->items[0];
    int result = c->unit->depth;
    emit(c,
         e->kind == EXPR_LISTCOMP  ? BUILD_LIST
         : e->kind == EXPR_SETCOMP ? BUILD_SET
                                   : BUILD_MAP,
         result, result, 0);
    temp_push(c);
    int iterator = expr_push(c, first->iter);
    c->pos = first->iter->pos;
    emit(c, first->is_async ? GET_AITER : GET_ITER, iterator, iterator, 0);
    c->pos = e->pos;

    uint64_t *bound = bound_save(c);
    int saved = c->unit->depth;
    variables_enter(c, block);
    int top = c->unit->depth;
    int32_t failed = label_new(c), end = label_new(c);
    bool guarded = has_variables(block);
    struct comp_scope scope = {c->unit->comp, block};
    c->unit->comp = &scope;
    struct open_block open = {.kind = OPEN_COMPREHENSION};
    open_push(c, &open);
    if (guarded) {
        handler_push(c, failed, top, false);
    }
    loops(c, e, 0, iterator, result);
    if (guarded) {
        handler_pop(c);
    }
    open_pop(c);
    c->unit->comp = scope.outer;
    c->pos = e->pos;
    variables_leave(c, block, saved);
    if (guarded) {
        temp_pop_to(c, result + 1);
        if (dst != result) {
            emit(c, MOVE, dst, result, 0);
        }
        emit_jump(c, JUMP, 0, 0, end);
        temp_pop_to(c, top);
        label_here(c, failed);
        temp_push(c);
        variables_leave(c, block, saved);
        emit(c, RERAISE, top, REG_NONE, 0);
        temp_pop_to(c, dst == result ? result + 1 : result);
        label_here(c, end);
    } else {
        temp_pop_to(c, result + 1);
        if (dst != result) {
            emit(c, MOVE, dst, result, 0);
        }
    }
    bound_restore(c, bound);
}

/* ---- as a function of its own ---- */

static PyObject *function_body(struct compiler *c, struct expr *e, const struct block *block)
{
    bool outer_async = c->unit->async;
    if (!unit_enter(c, block->name, block, e->pos.line)) {
        return NULL;
    }
    struct unit *u = c->unit;
    u->argcount = 1;
    u->async = e->kind == EXPR_GENERATOREXP || outer_async;
    int result = u->depth;
    int32_t raised = label_new(c);
    bool generator = e->kind == EXPR_GENERATOREXP;
    if (generator) {
        handler_push(c, raised, u->nlocals, true);
    } else {
        emit(c,
             e->kind == EXPR_LISTCOMP  ? BUILD_LIST
             : e->kind == EXPR_SETCOMP ? BUILD_SET
                                       : BUILD_MAP,
             result, result, 0);
        temp_push(c);
    }
    int iterator = u->depth;
    /* The caller made an iterator of it, but a debugger may have put something else there. */
    emit(c, generators_of(e)->items[0]->is_async ? MOVE : GET_ITER, iterator, 0, 0);
    temp_push(c);
    loops(c, e, 0, iterator, result);
    temp_pop_to(c, result);
    c->pos = generator ? NOWHERE : e->pos;
    if (generator) {
        emit_wide(c, RETURN_CONST, 0, const_add(c, Py_None));
        handler_pop(c);
        label_here(c, raised);
        temp_push(c);
        temp_push(c);
        emit(c, INTRINSIC1, result + 1, result + 1, INTRINSIC_STOPITERATION_ERROR);
        emit(c, RERAISE, result + 1, result, 0);
    } else {
        temp_push(c);
        emit(c, RETURN, result, 0, 0);
    }
    return unit_leave(c);
}

static void called(struct compiler *c, struct expr *e, const struct block *block, int dst)
{
    struct comprehension *first = generators_of(e)->items[0];
    int base = c->unit->depth;
    PyObject *code = function_body(c, e, block);
    c->pos = e->pos;
    if (code == NULL) {
        return;
    }
    make_function(c, code, block, base);
    temp_push(c);
    emit(c, LOAD_NULL, base + 1, 0, 0);
    temp_push(c);
    int iterator = expr_push(c, first->iter);
    emit(c, first->is_async ? GET_AITER : GET_ITER, iterator, iterator, 0);
    bool coroutine = block->async_comprehension;
    call_window(c, base, 1, coroutine ? base : dst);
    if (coroutine) {
        temp_push(c);
        emit_await(c, base, 0);
        if (dst != base) {
            emit(c, MOVE, dst, base, 0);
        }
    }
}

void comprehension_expr(struct compiler *c, struct expr *e, int dst)
{
    const struct block *block = symtable_block(c->table, e);
    if (block->async_comprehension && !c->unit->async) {
        fail_syntax(c, "asynchronous comprehension outside of an asynchronous function");
        return;
    }
    if (block->inlined) {
        inlined(c, e, block, dst);
    } else {
        called(c, e, block, dst);
    }
}
