/* Statements other than definitions, try, with and match. */

#include "objects/ids.h"
#include "interp/parse/parse.h"
#include "unit.h"

/* ---- assignment ---- */

/* The elements of a tuple or list display or target; NULL for anything else. */
static struct expr_seq *elements_of(struct expr *e)
{
    return e->kind == EXPR_TUPLE ? e->tuple.elts : e->kind == EXPR_LIST ? e->list.elts : NULL;
}

/* a, b = x, y for different locals of a function: no tuple is made. The values are stored from the last to
 * the first, the order in which temporaries end: only destructors of the old values can tell. */
static bool assign_each(struct compiler *c, struct expr *target, struct expr *value)
{
    struct expr_seq *names = elements_of(target), *values = elements_of(value);
    if (names == NULL || values == NULL || names->len != values->len || names->len > 4) {
        return false;
    }
    int locals[4];
    for (size_t i = 0; i < names->len; i++) {
        if (names->items[i]->kind != EXPR_NAME || values->items[i]->kind == EXPR_STARRED) {
            return false;
        }
        locals[i] = name_store_register(c, names->items[i]->name.id);
        for (size_t k = 0; k < i; k++) {
            if (locals[k] == locals[i]) {
                return false;
            }
        }
        if (locals[i] == ANY) {
            return false;
        }
    }
    int base = c->unit->depth;
    for (size_t i = 0; i < names->len; i++) {
        expr_push(c, values->items[i]);
    }
    for (size_t i = names->len; i-- > 0;) {
        target_store(c, names->items[i], base + (int)i);
    }
    temp_pop_to(c, base);
    return true;
}

static void assign(struct compiler *c, struct stmt *s)
{
    struct expr_seq *targets = s->assign.targets;
    struct expr *value = s->assign.value, *first = targets->items[0];
    int base = c->unit->depth;
    if (targets->len == 1 && first->kind == EXPR_NAME) {
        int local = name_store_register(c, first->name.id);
        if (local != ANY) {
            expr(c, value, local);
            PyObject *name = mangled(c, first->name.id);
            if (name != NULL && !place_of(c, name).deletable) {
                bound_set(c, local);
            }
            return;
        }
    }
    if (targets->len == 1 && assign_each(c, first, value)) {
        return;
    }
    int src = targets->len == 1 ? expr_operand(c, value, first) : expr_push(c, value);
    for (size_t i = 0; i < targets->len; i++) {
        int each = src;
        if (i + 1 < targets->len) {
            each = c->unit->depth;
            emit(c, COPY, each, src, 0);
            temp_push(c);
        }
        target_store(c, targets->items[i], each);
    }
    temp_pop_to(c, base);
}

static void augmented_name(struct compiler *c, struct stmt *s)
{
    struct expr *target = s->augassign.target;
    int base = c->unit->depth;
    int store = name_store_register(c, target->name.id);
    c->pos = target->pos;
    if (store != ANY) {
        int left = expr_unstable(c, s->augassign.value) ? ANY : name_register(c, target->name.id);
        if (left == ANY) {
            name_load(c, target->name.id, base);
            left = temp_push(c);
        }
        emit_inplace(c, s->op, store, left, s->augassign.value, &s->pos);
    } else {
        name_load(c, target->name.id, base);
        temp_push(c);
        emit_inplace(c, s->op, base, base, s->augassign.value, &s->pos);
        temp_pop_to(c, base);
        temp_push(c);
        c->pos = target->pos;
        name_store(c, target->name.id, base);
    }
}

static void augmented_attribute(struct compiler *c, struct stmt *s)
{
    struct expr *target = s->augassign.target;
    int object = expr_operand(c, target->attribute.value, s->augassign.value);
    PyObject *name = mangled(c, target->attribute.attr);
    if (c->failed) {
        return;
    }
    /* The object is used twice: a temporary one is copied for the load. */
    int value = c->unit->depth, from = object;
    if (!is_local(c, object)) {
        emit(c, COPY, value, object, 0);
        from = temp_push(c);
    }
    attribute_pos(c, target);
    emit(c, GET_ATTR, value, from, (int)name_site(c, name));
    temp_pop_to(c, value);
    temp_push(c);
    emit_inplace(c, s->op, value, value, s->augassign.value, &s->pos);
    temp_pop_to(c, value + 1);
    attribute_pos(c, target);
    emit(c, SET_ATTR, object, value, (int)name_site(c, name));
}

static void augmented_subscript(struct compiler *c, struct stmt *s)
{
    struct expr *target = s->augassign.target;
    struct expr *index = target->subscript.slice;
    /* Object and key in temporaries or in locals that nothing in between assigns. */
    bool stable = !expr_unstable(c, index) && !expr_unstable(c, s->augassign.value);
    int object =
        stable ? expr(c, target->subscript.value, ANY) : expr_push(c, target->subscript.value);
    int key = stable ? expr(c, index, ANY) : expr_push(c, index);
    int value = c->unit->depth;
    int regs[2] = {object, key};
    for (int i = 0; i < 2; i++) {
        if (!is_local(c, regs[i])) {
            emit(c, COPY, c->unit->depth, regs[i], 0);
            regs[i] = temp_push(c);
        }
    }
    c->pos = target->pos;
    emit(c, GET_ITEM, value, regs[0], regs[1]);
    temp_pop_to(c, value);
    temp_push(c);
    emit_inplace(c, s->op, value, value, s->augassign.value, &s->pos);
    temp_pop_to(c, value + 1);
    c->pos = target->pos;
    emit(c, SET_ITEM, object, key, value);
}

static void augmented(struct compiler *c, struct stmt *s)
{
    int base = c->unit->depth;
    switch (s->augassign.target->kind) {
    case EXPR_NAME:
        augmented_name(c, s);
        break;
    case EXPR_ATTRIBUTE:
        augmented_attribute(c, s);
        break;
    default:
        augmented_subscript(c, s);
        break;
    }
    temp_pop_to(c, base);
}

void annotation_value(struct compiler *c, struct expr *annotation)
{
    int reg = c->unit->depth;
    if (c->flags & CO_FUTURE_ANNOTATIONS) {
        PyObject *text = keep(c, ast_unparse(annotation));
        if (text != NULL) {
            load_const(c, reg, text);
        }
        temp_push(c);
        return;
    }
    if (annotation->kind == EXPR_STARRED) {
        /* *args: *Ts */
        int value = expr_push(c, annotation->starred.value);
        emit(c, UNPACK_SEQ, reg, value, 1);
        return;
    }
    expr_push(c, annotation);
}

/* Evaluates an expression for its errors only. */
static void check_annotation(struct compiler *c, struct expr *annotation)
{
    if (c->flags & CO_FUTURE_ANNOTATIONS) {
        return;
    }
    expr_drop(c, annotation);
}

static void annotated_name(struct compiler *c, struct stmt *s)
{
    struct expr *target = s->annassign.target;
    if (s->annassign.simple && !block_is_function_like(c->unit->block)) {
        int base = c->unit->depth;
        annotation_value(c, s->annassign.annotation);
        c->pos = s->pos;
        emit_wide(c, GET_NAME, base + 1, name_site(c, ID(__annotations__)));
        temp_push(c);
        PyObject *name = mangled(c, target->name.id);
        if (name == NULL) {
            return;
        }
        load_const(c, base + 2, name);
        temp_push(c);
        emit(c, SET_ITEM, base + 1, base + 2, base);
        temp_pop_to(c, base);
    }
}

static void annotated(struct compiler *c, struct stmt *s)
{
    struct expr *target = s->annassign.target;
    int base = c->unit->depth;
    if (s->annassign.value != NULL) {
        int src = expr_operand(c, s->annassign.value, target);
        target_store(c, target, src);
        temp_pop_to(c, base);
    }
    switch (target->kind) {
    case EXPR_NAME:
        annotated_name(c, s);
        if (block_is_function_like(c->unit->block)) {
            return;
        }
        break;
    case EXPR_ATTRIBUTE:
        if (s->annassign.value == NULL) {
            expr_drop(c, target->attribute.value);
        }
        break;
    default:
        if (s->annassign.value == NULL) {
            expr_drop(c, target->subscript.value);
            expr_drop(c, target->subscript.slice);
        }
        break;
    }
    if (!s->annassign.simple && !block_is_function_like(c->unit->block)) {
        check_annotation(c, s->annassign.annotation);
    }
}

/* ---- control flow ---- */

static void if_statement(struct compiler *c, struct stmt *s)
{
    int32_t orelse = label_new(c), end = label_new(c);
    bool has_else = s->if_.orelse->len != 0;
    expr_jump(c, s->if_.test, false, has_else ? orelse : end);
    uint64_t *before = bound_save(c);
    stmts(c, s->if_.body);
    if (!has_else) {
        bound_intersect(c, before);
        label_here(c, end);
        bound_restore(c, before);
        return;
    }
    bool body_ends = c->unit->unreachable;
    uint64_t *after_body = bound_save(c);
    c->pos = NOWHERE;
    emit_jump(c, JUMP, 0, 0, end);
    label_here(c, orelse);
    bound_restore(c, before);
    stmts(c, s->if_.orelse);
    if (!body_ends) {
        bound_intersect(c, after_body);
        bound_restore(c, after_body);
    }
    label_here(c, end);
}

static void loop_else(struct compiler *c, struct stmt_seq *orelse, uint64_t *bound)
{
    bound_restore(c, bound);
    stmts(c, orelse);
    bound_restore(c, bound);
}

static void while_statement(struct compiler *c, struct stmt *s)
{
    int32_t again = label_new(c), exit = label_new(c), end = label_new(c);
    struct open_block open = {.kind = OPEN_WHILE, .break_label = end, .continue_label = again};
    open_push(c, &open);
    label_here(c, again);
    /* Only what was bound before the loop is sure at its head and after it. */
    uint64_t *bound = bound_save(c);
    expr_jump(c, s->while_.test, false, exit);
    stmts(c, s->while_.body);
    c->pos = NOWHERE;
    emit_jump(c, JUMP_BACK, 0, 0, again);
    open_pop(c);
    label_here(c, exit);
    loop_else(c, s->while_.orelse, bound);
    label_here(c, end);
}

static void for_statement(struct compiler *c, struct stmt *s)
{
    int base = c->unit->depth;
    int32_t again = label_new(c), next = label_new(c), exhausted = label_new(c), end = label_new(c);
    expr_push(c, s->for_.iter);
    c->pos = s->for_.iter->pos;
    emit(c, GET_ITER, base, base, 0);
    struct open_block open = {
        .kind = OPEN_FOR, .break_label = end, .continue_label = next, .reg = base};
    open_push(c, &open);
    label_here(c, again);
    uint64_t *bound = bound_save(c);
    struct expr *target = s->for_.target;
    int local = target->kind == EXPR_NAME ? name_store_register(c, target->name.id) : ANY;
    if (local != ANY) {
        emit_jump(c, FOR_ITER, base, local, exhausted);
        if (target->pos.line != s->for_.iter->pos.line) {
            c->pos = target->pos;
            emit(c, NOP, 0, 0, 0); /* the line where it is bound */
        }
        PyObject *name = mangled(c, target->name.id);
        if (name != NULL && !place_of(c, name).deletable) {
            bound_set(c, local);
        }
    } else {
        emit_jump(c, FOR_ITER, base, base + 1, exhausted);
        temp_push(c);
        target_store(c, target, base + 1);
    }
    stmts(c, s->for_.body);
    c->pos = NOWHERE;
    label_here(c, next);
    emit_jump(c, JUMP_BACK, 0, 0, again);
    open_pop(c);
    temp_pop_to(c, base);
    label_here(c, exhausted);
    loop_else(c, s->for_.orelse, bound);
    label_here(c, end);
}

static void async_for_statement(struct compiler *c, struct stmt *s)
{
    if (!c->unit->async) {
        fail_syntax(c, "'async for' outside async function");
        return;
    }
    int base = c->unit->depth;
    int32_t again = label_new(c), ended = label_new(c), end = label_new(c);
    expr_push(c, s->for_.iter);
    c->pos = s->for_.iter->pos;
    emit(c, GET_AITER, base, base, 0);
    struct open_block open = {
        .kind = OPEN_ASYNC_FOR, .break_label = end, .continue_label = again, .reg = base};
    open_push(c, &open);
    label_here(c, again);
    uint64_t *bound = bound_save(c);
    handler_push(c, ended, base + 1, false);
    emit(c, GET_ANEXT, base + 1, base, 0);
    temp_push(c);
    emit_send_loop(c, base + 1, 3);
    handler_pop(c);
    target_store(c, s->for_.target, base + 1);
    stmts(c, s->for_.body);
    c->pos = NOWHERE;
    emit_jump(c, JUMP_BACK, 0, 0, again);
    open_pop(c);
    label_here(c, ended);
    temp_pop_to(c, base + 2);
    c->pos = s->for_.iter->pos;
    emit(c, END_ASYNC_FOR, base, 0, 0);
    temp_pop_to(c, base);
    loop_else(c, s->for_.orelse, bound);
    label_here(c, end);
}

static bool is_loop(const struct open_block *block)
{
    return block->kind == OPEN_WHILE || block->kind == OPEN_FOR || block->kind == OPEN_ASYNC_FOR;
}

/* What break, continue (`to_loop`) and return leave: the innermost loop, or NULL. Fails if an except* is
   in between. */
static struct open_block *jump_out(struct compiler *c, bool to_loop)
{
    struct open_block *block = c->unit->open;
    while (block != NULL && !(to_loop && is_loop(block))) {
        if (block->star) {
            fail_syntax(c, "'break', 'continue' and 'return' cannot appear in an except* block");
            return NULL;
        }
        block = block->outer;
    }
    return block;
}

static void break_statement(struct compiler *c, struct stmt *s)
{
    struct open_block *loop = jump_out(c, true);
    emit(c, NOP, 0, 0, 0);
    if (loop == NULL) {
        fail_syntax(c, "'break' outside loop");
        return;
    }
    int32_t handler = c->unit->handler;
    int depth = c->unit->depth;
    unwind_to(c, loop->outer);
    emit_jump(c, JUMP, 0, 0, loop->break_label);
    c->unit->handler = handler;
    temp_pop_to(c, depth);
}

static void continue_statement(struct compiler *c, struct stmt *s)
{
    struct open_block *loop = jump_out(c, true);
    emit(c, NOP, 0, 0, 0);
    if (loop == NULL) {
        fail_syntax(c, "'continue' not properly in loop");
        return;
    }
    int32_t handler = c->unit->handler;
    int depth = c->unit->depth;
    unwind_to(c, loop);
    emit_jump(c, loop->kind == OPEN_FOR ? JUMP : JUMP_BACK, 0, 0, loop->continue_label);
    c->unit->handler = handler;
    temp_pop_to(c, depth);
}

static void return_statement(struct compiler *c, struct stmt *s)
{
    struct unit *u = c->unit;
    struct expr *value = s->return_.value;
    if (!block_is_function_like(u->block)) {
        fail_syntax(c, "'return' outside function");
        return;
    }
    if (value != NULL && u->block->generator && u->block->coroutine) {
        fail_syntax(c, "'return' with value in async generator");
        return;
    }
    jump_out(c, false);
    int depth = u->depth;
    int32_t handler = u->handler;
    bool constant = value == NULL || value->kind == EXPR_CONSTANT;
    if (constant) {
        if (value != NULL) {
            c->pos = value->pos;
            emit(c, NOP, 0, 0, 0);
        }
        c->pos = s->pos;
        if (u->open != NULL && (value == NULL || value->pos.line != s->pos.line)) {
            emit(c, NOP, 0, 0, 0);
        }
        unwind_to(c, NULL);
        PyObject *result = value == NULL ? Py_None : value->constant.value;
        emit_wide(c, RETURN_CONST, 0, const_add(c, result));
    } else {
        /* A finally clause may assign the local that is returned. */
        int reg = u->open == NULL ? expr(c, value, ANY) : expr_push(c, value);
        c->pos = s->pos;
        unwind_to(c, NULL);
        emit(c, RETURN, reg, 0, 0);
    }
    u->handler = handler;
    temp_pop_to(c, depth);
}

/* ---- the rest ---- */

static void raise_statement(struct compiler *c, struct stmt *s)
{
    int base = c->unit->depth;
    if (s->raise.exc == NULL) {
        emit(c, RAISE_CURRENT, 0, 0, 0);
    } else if (s->raise.cause == NULL) {
        int exc = expr(c, s->raise.exc, ANY);
        c->pos = s->pos;
        emit(c, RAISE, exc, 0, 0);
    } else {
        int exc = expr_operand(c, s->raise.exc, s->raise.cause);
        int cause = expr(c, s->raise.cause, ANY);
        c->pos = s->pos;
        emit(c, RAISE_FROM, exc, cause, 0);
    }
    temp_pop_to(c, base);
}

static void assert_statement(struct compiler *c, struct stmt *s)
{
    struct expr *test = s->assert_.test;
    if (test->kind == EXPR_TUPLE && test->tuple.elts->len != 0) {
        warn_syntax(c, "assertion is always true, perhaps remove parentheses?");
    } else if (test->kind == EXPR_CONSTANT && PyTuple_Check(test->constant.value)
               && PyTuple_GET_SIZE(test->constant.value) != 0) {
        warn_syntax(c, "assertion is always true, perhaps remove parentheses?");
    }
    if (c->optimize > 0) {
        return;
    }
    int32_t end = label_new(c);
    expr_jump(c, test, true, end);
    int base = c->unit->depth;
    c->pos = test->pos;
    emit(c, LOAD_ASSERTION_ERROR, base, 0, 0);
    temp_push(c);
    if (s->assert_.msg != NULL) {
        emit(c, LOAD_NULL, base + 1, 0, 0);
        temp_push(c);
        expr_push(c, s->assert_.msg);
        c->pos = test->pos;
        call_window(c, base, 1, base);
        temp_push(c);
    }
    emit(c, RAISE, base, 0, 0);
    temp_pop_to(c, base);
    label_here(c, end);
}

static void push_const_int(struct compiler *c, long number)
{
    PyObject *object = keep(c, PyLong_FromLong(number));
    if (object != NULL) {
        load_const(c, c->unit->depth, object);
    }
    temp_push(c);
}

/* import a.b as c: binds the submodule, not the package. */
static void import_as(struct compiler *c, struct alias *alias, int module)
{
    PyObject *name = alias->name;
    Py_ssize_t length = PyUnicode_GET_LENGTH(name);
    Py_ssize_t dot = PyUnicode_FindChar(name, '.', 0, length, 1);
    while (dot >= 0 && !c->failed) {
        Py_ssize_t start = dot + 1;
        dot = PyUnicode_FindChar(name, '.', start, length, 1);
        PyObject *part = keep(c, PyUnicode_Substring(name, start, dot >= 0 ? dot : length));
        if (part == NULL) {
            return;
        }
        Py_INCREF(part);
        PyUnicode_InternInPlace(&part);
        part = keep(c, part);
        emit(c, IMPORT_FROM, module + 1, module, (int)name_site(c, part));
        temp_push(c);
        emit(c, SWAP, module, module + 1, 0);
        emit(c, DROP, module + 1, 0, 0);
        temp_pop_to(c, module + 1);
    }
    name_store(c, alias->asname, module);
}

static void import_statement(struct compiler *c, struct stmt *s)
{
    for (size_t i = 0; i < s->import.names->len; i++) {
        struct alias *alias = s->import.names->items[i];
        int base = c->unit->depth;
        push_const_int(c, 0);
        load_none(c, base + 1);
        temp_push(c);
        emit(c, IMPORT_NAME, base, base, (int)name_site(c, alias->name));
        temp_pop_to(c, base);
        temp_push(c);
        if (alias->asname != NULL) {
            import_as(c, alias, base);
        } else {
            Py_ssize_t dot =
                PyUnicode_FindChar(alias->name, '.', 0, PyUnicode_GET_LENGTH(alias->name), 1);
            PyObject *name = alias->name;
            if (dot >= 0) {
                name = PyUnicode_Substring(alias->name, 0, dot);
                if (name != NULL) {
                    PyUnicode_InternInPlace(&name);
                }
                name = keep(c, name);
            }
            if (name != NULL) {
                name_store(c, name, base);
            }
        }
        temp_pop_to(c, base);
    }
}

static void import_from_statement(struct compiler *c, struct stmt *s)
{
    struct alias_seq *aliases = s->importfrom.names;
    int base = c->unit->depth;
    push_const_int(c, s->importfrom.level);
    PyObject *names = keep(c, PyTuple_New((Py_ssize_t)aliases->len));
    if (names == NULL) {
        return;
    }
    for (size_t i = 0; i < aliases->len; i++) {
        PyTuple_SET_ITEM(names, i, Py_NewRef(aliases->items[i]->name));
    }
    load_const(c, base + 1, names);
    temp_push(c);
    PyObject *module = s->importfrom.module;
    if (module == NULL) {
        module = keep(c, PyUnicode_InternFromString(""));
    }
    if (module == NULL) {
        return;
    }
    emit(c, IMPORT_NAME, base, base, (int)name_site(c, module));
    temp_pop_to(c, base);
    temp_push(c);
    if (aliases->len == 1 && PyUnicode_EqualToUTF8AndSize(aliases->items[0]->name, "*", 1)) {
        emit(c, INTRINSIC1, base, base, INTRINSIC_IMPORT_STAR);
        emit(c, DROP, base, 0, 0);
        temp_pop_to(c, base);
        return;
    }
    for (size_t i = 0; i < aliases->len; i++) {
        struct alias *alias = aliases->items[i];
        PyObject *target = alias->asname != NULL ? alias->asname : alias->name;
        int local = name_store_register(c, target);
        int site = (int)name_site(c, alias->name);
        emit(c, IMPORT_FROM, base + 1, base, site);
        temp_push(c);
        (void)local;
        name_store(c, target, base + 1);
        temp_pop_to(c, base + 1);
    }
    emit(c, DROP, base, 0, 0);
    temp_pop_to(c, base);
}

static void expression_statement(struct compiler *c, struct stmt *s)
{
    struct expr *value = s->expr.value;
    if (c->interactive && c->nested_functions == 0) {
        int base = c->unit->depth;
        expr_push(c, value);
        c->pos = s->pos;
        emit(c, INTRINSIC1, base, base, INTRINSIC_PRINT);
        emit(c, DROP, base, 0, 0);
        temp_pop_to(c, base);
        return;
    }
    if (value->kind == EXPR_CONSTANT) {
        emit(c, NOP, 0, 0, 0); /* a line to stop at */
        return;
    }
    uint32_t before = c->unit->code_count;
    expr_drop(c, value);
    if (c->unit->code_count == before) {
        emit(c, NOP, 0, 0, 0);
    }
}

static void statement(struct compiler *c, struct stmt *s)
{
    switch ((enum stmt_kind)s->kind) {
    case STMT_FUNCTIONDEF:
    case STMT_ASYNCFUNCTIONDEF:
        stmt_function(c, s);
        return;
    case STMT_CLASSDEF:
        stmt_class(c, s);
        return;
    case STMT_RETURN:
        return_statement(c, s);
        return;
    case STMT_DELETE:
        for (size_t i = 0; i < s->delete_.targets->len; i++) {
            target_delete(c, s->delete_.targets->items[i]);
        }
        return;
    case STMT_ASSIGN:
        assign(c, s);
        return;
    case STMT_TYPEALIAS:
        stmt_type_alias(c, s);
        return;
    case STMT_AUGASSIGN:
        augmented(c, s);
        return;
    case STMT_ANNASSIGN:
        annotated(c, s);
        return;
    case STMT_FOR:
        for_statement(c, s);
        return;
    case STMT_ASYNCFOR:
        async_for_statement(c, s);
        return;
    case STMT_WHILE:
        while_statement(c, s);
        return;
    case STMT_IF:
        if_statement(c, s);
        return;
    case STMT_WITH:
    case STMT_ASYNCWITH:
        stmt_with(c, s);
        return;
    case STMT_MATCH:
        stmt_match(c, s);
        return;
    case STMT_RAISE:
        raise_statement(c, s);
        return;
    case STMT_TRY:
        stmt_try(c, s);
        return;
    case STMT_TRYSTAR:
        stmt_try_star(c, s);
        return;
    case STMT_ASSERT:
        assert_statement(c, s);
        return;
    case STMT_IMPORT:
        import_statement(c, s);
        return;
    case STMT_IMPORTFROM:
        import_from_statement(c, s);
        return;
    case STMT_GLOBAL:
    case STMT_NONLOCAL:
        return;
    case STMT_EXPR:
        expression_statement(c, s);
        return;
    case STMT_PASS:
        emit(c, NOP, 0, 0, 0);
        return;
    case STMT_BREAK:
        break_statement(c, s);
        return;
    case STMT_CONTINUE:
        continue_statement(c, s);
        return;
    case STMT_KINDS:
        break;
    }
    Py_UNREACHABLE();
}

void stmts(struct compiler *c, struct stmt_seq *body)
{
    if (body->len == 0) {
        return;
    }
    if (c->failed || Py_EnterRecursiveCall(" during compilation")) {
        fail(c);
        return;
    }
    for (size_t i = 0; i < body->len && !c->failed; i++) {
        c->pos = body->items[i]->pos;
        statement(c, body->items[i]);
    }
    Py_LeaveRecursiveCall();
}
