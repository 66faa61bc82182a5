/* Calls: the window [callable][self][argument 0]... is laid down where the callee's registers will
   begin, so that a call between Python functions copies nothing. */

#include "unit.h"

enum { ARGUMENT_LIMIT = 4096 }; /* more are passed through a tuple */

static void check_callee(struct compiler *c, struct expr *func)
{
    const char *type;
    switch (func->kind) {
    case EXPR_CONSTANT:
        type = Py_TYPE(func->constant.value)->tp_name;
        break;
    case EXPR_TUPLE:
        type = "tuple";
        break;
    case EXPR_LIST:
    case EXPR_LISTCOMP:
        type = "list";
        break;
    case EXPR_DICT:
    case EXPR_DICTCOMP:
        type = "dict";
        break;
    case EXPR_SET:
    case EXPR_SETCOMP:
        type = "set";
        break;
    case EXPR_GENERATOREXP:
        type = "generator";
        break;
    case EXPR_JOINEDSTR:
    case EXPR_FORMATTEDVALUE:
        type = "str";
        break;
    default:
        return;
    }
    warn_syntax(c, "'%.200s' object is not callable; perhaps you missed a comma?", type);
}

static bool is_simple(const struct expr_seq *args, const struct keyword_seq *keywords)
{
    if (args->len + keywords->len > ARGUMENT_LIMIT) {
        return false;
    }
    for (size_t i = 0; i < args->len; i++) {
        if (args->items[i]->kind == EXPR_STARRED) {
            return false;
        }
    }
    for (size_t i = 0; i < keywords->len; i++) {
        if (keywords->items[i]->arg == NULL) {
            return false;
        }
    }
    return true;
}

static bool args_unstable(const struct compiler *c, const struct expr_seq *args,
                          const struct keyword_seq *keywords)
{
    for (size_t i = 0; i < args->len; i++) {
        if (expr_unstable(c, args->items[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < keywords->len; i++) {
        if (expr_unstable(c, keywords->items[i]->value)) {
            return true;
        }
    }
    return false;
}

static void check_keywords(struct compiler *c, const struct keyword_seq *keywords)
{
    for (size_t i = 0; i < keywords->len; i++) {
        for (size_t k = 0; k < i && keywords->items[i]->arg != NULL; k++) {
            if (keywords->items[k]->arg == keywords->items[i]->arg) {
                c->pos = keywords->items[i]->pos;
                fail_syntax(c, "keyword argument repeated: %U", keywords->items[i]->arg);
                return;
            }
        }
    }
}

void call_window(struct compiler *c, int base, int count, int dst)
{
    emit(c, CALL, dst, base, (int)site_new(c, (uint32_t)count, 0));
    temp_pop_to(c, base);
}

static PyObject *names_tuple(struct compiler *c, struct keyword_seq *keywords)
{
    PyObject *names = keep(c, PyTuple_New((Py_ssize_t)keywords->len));
    for (size_t i = 0; i < keywords->len && names != NULL; i++) {
        PyTuple_SET_ITEM(names, i, Py_NewRef(keywords->items[i]->arg));
    }
    return names;
}

static void call_simple(struct compiler *c, int base, int count, struct expr_seq *args,
                        struct keyword_seq *keywords, int dst)
{
    bool stable = !args_unstable(c, args, keywords);
    struct ast_pos pos = c->pos;
    for (size_t i = 0; i < args->len; i++) {
        expr_lend(c, args->items[i], stable);
    }
    uint32_t names_const = 0;
    if (keywords->len != 0) {
        PyObject *names = names_tuple(c, keywords);
        for (size_t i = 0; i < keywords->len; i++) {
            expr_lend(c, keywords->items[i]->value, stable);
        }
        if (c->failed) {
            return;
        }
        names_const = 1 + const_add(c, names);
    }
    c->pos = pos;
    uint32_t total = (uint32_t)(count + (int)args->len + (int)keywords->len);
    emit(c, CALL, dst, base, (int)site_new(c, total, names_const));
    temp_pop_to(c, base);
}

/* All positional arguments as one object in a new temporary. */
static void push_star_args(struct compiler *c, int first, int count, struct expr_seq *args,
                           bool stable)
{
    struct ast_pos pos = c->pos;
    if (count == 0 && args->len == 1 && args->items[0]->kind == EXPR_STARRED) {
        expr_lend(c, args->items[0]->starred.value, stable);
        return;
    }
    size_t i = 0;
    for (; i < args->len && i < ARGUMENT_LIMIT && args->items[i]->kind != EXPR_STARRED; i++) {
        expr_push(c, args->items[i]);
    }
    c->pos = pos;
    if (i == args->len) {
        emit(c, BUILD_TUPLE, first, first, count + (int)i);
        temp_pop_to(c, first + 1);
        return;
    }
    emit(c, BUILD_LIST, first, first, count + (int)i);
    temp_pop_to(c, first);
    temp_push(c);
    for (; i < args->len; i++) {
        struct expr *item = args->items[i];
        bool starred = item->kind == EXPR_STARRED;
        int reg = expr(c, starred ? item->starred.value : item, ANY);
        c->pos = pos;
        emit(c, starred ? LIST_EXTEND : LIST_APPEND, first, reg, 0);
        temp_pop_to(c, first + 1);
    }
    emit(c, LIST_TO_TUPLE, first, first, 0);
}

/* All keyword arguments as one dict in a new temporary. */
static void push_star_keywords(struct compiler *c, int base, struct keyword_seq *keywords)
{
    struct ast_pos pos = c->pos;
    int map = c->unit->depth;
    bool have = false;
    for (size_t i = 0; i < keywords->len;) {
        int first = c->unit->depth;
        int run = 0;
        for (; i < keywords->len && keywords->items[i]->arg != NULL && run < 16; i++, run++) {
            load_const(c, c->unit->depth, keywords->items[i]->arg);
            temp_push(c);
            expr_push(c, keywords->items[i]->value);
        }
        c->pos = pos;
        if (run != 0 || !have) {
            emit(c, BUILD_MAP, first, first, run);
            temp_pop_to(c, first);
            temp_push(c);
            if (have) {
                emit(c, DICT_MERGE, map, first, base);
                temp_pop_to(c, map + 1);
            }
            have = true;
        }
        if (i < keywords->len && keywords->items[i]->arg == NULL) {
            int reg = expr(c, keywords->items[i++]->value, ANY);
            c->pos = pos;
            emit(c, DICT_MERGE, map, reg, base);
            temp_pop_to(c, map + 1);
        }
    }
}

static bool all_named(const struct keyword_seq *keywords)
{
    bool all = keywords->len <= 16;
    for (size_t i = 0; i < keywords->len && all; i++) {
        all = keywords->items[i]->arg != NULL;
    }
    return all;
}

/* A tuple of the names, and the values. */
static void push_names(struct compiler *c, struct keyword_seq *keywords)
{
    PyObject *names = names_tuple(c, keywords);
    if (names == NULL) {
        return;
    }
    load_const(c, c->unit->depth, names);
    temp_push(c);
    for (size_t i = 0; i < keywords->len; i++) {
        expr_push(c, keywords->items[i]->value);
    }
}

void call_finish(struct compiler *c, int base, int count, struct expr_seq *args,
                 struct keyword_seq *keywords, int dst)
{
    check_keywords(c, keywords);
    if (is_simple(args, keywords)) {
        call_simple(c, base, count, args, keywords, dst);
        return;
    }
    struct ast_pos pos = c->pos;
    int kind = 0;
    push_star_args(c, base + 2, count, args, !args_unstable(c, args, keywords));
    if (keywords->len != 0) {
        c->pos = pos;
        if (keywords->len == 1 && keywords->items[0]->arg == NULL) {
            expr_lend(c, keywords->items[0]->value, true);
            kind = CALL_EX_MAPPING;
        } else if (all_named(keywords)) {
            push_names(c, keywords);
            kind = CALL_EX_NAMES | (int)keywords->len << CALL_EX_SHIFT;
        } else {
            push_star_keywords(c, base, keywords);
            kind = CALL_EX_DICT;
        }
    }
    c->pos = pos;
    emit(c, CALL_EX, dst, base, kind);
    temp_pop_to(c, base);
}

/* object.name(...): no bound method is made. */
static void method_push(struct compiler *c, struct expr *e)
{
    struct expr *func = e->call.func;
    int base = c->unit->depth;
    bool super = super_push(c, func->attribute.value);
    int object = base;
    if (!super) {
        bool lendable = !args_unstable(c, e->call.args, e->call.keywords);
        object =
            lendable ? expr(c, func->attribute.value, ANY) : expr_push(c, func->attribute.value);
    }
    attribute_pos(c, func);
    PyObject *name = mangled(c, func->attribute.attr);
    if (c->failed) {
        return;
    }
    if (super) {
        uint32_t two = func->attribute.value->call.args->len == 2;
        c->pos = func->attribute.value->pos;
        emit(c, LOAD_SUPER_METHOD, base, base, (int)site_new(c, name_add(c, name), two));
        super_attribute_line(c, func);
    } else {
        emit(c, LOAD_METHOD, base, object, (int)name_site(c, name));
    }
    temp_pop_to(c, base);
    temp_push(c);
    temp_push(c);
}

void call_expr(struct compiler *c, struct expr *e, int dst)
{
    struct expr *func = e->call.func;
    int base = c->unit->depth;
    check_callee(c, func);
    if (func->kind == EXPR_ATTRIBUTE && is_simple(e->call.args, e->call.keywords)) {
        method_push(c, e);
        attribute_pos(c, func);
        c->pos.end_line = e->pos.end_line;
        c->pos.end_col = e->pos.end_col;
        if (func->pos.line == func->pos.end_line) {
            c->pos = e->pos;
        }
    } else {
        expr_push(c, func);
        c->pos = e->pos;
        emit(c, LOAD_NULL, c->unit->depth, 0, 0);
        temp_push(c);
    }
    call_finish(c, base, 0, e->call.args, e->call.keywords, dst);
}
