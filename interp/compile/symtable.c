/* The symbol table, first pass: walks the tree and notes how each block uses its names. */

#include "symtable_internal.h"
#include <string.h>

/* ---- maps ---- */

static inline uint32_t pointer_hash(const void *pointer)
{
    return (uint32_t)(((uintptr_t)pointer >> 3) * 0x9E3779B97F4A7C15u >> 29);
}

enum { MAP_LINEAR_LIMIT = 8 };

static void map_index_insert(struct symbol_map *map, PyObject *name, uint32_t number)
{
    uint32_t slot = pointer_hash(name) & map->index_mask;
    while (map->index[slot] != 0) {
        slot = (slot + 1) & map->index_mask;
    }
    map->index[slot] = number + 1;
}

static struct symbol *map_find(const struct symbol_map *map, PyObject *name)
{
    if (map->index == NULL) {
        for (uint32_t i = 0; i < map->count; i++) {
            if (map->items[i].name == name) {
                return &map->items[i];
            }
        }
        return NULL;
    }
    uint32_t slot = pointer_hash(name) & map->index_mask;
    for (uint32_t number; (number = map->index[slot]) != 0; slot = (slot + 1) & map->index_mask) {
        if (map->items[number - 1].name == name) {
            return &map->items[number - 1];
        }
    }
    return NULL;
}

/* Doubles the room for items; builds the index once a linear search gets slow. */
static int map_grow(struct symbol_map *map, struct arena *arena)
{
    uint32_t capacity = map->capacity == 0 ? 8 : map->capacity * 2;
    struct symbol *items = arena_alloc(arena, capacity * sizeof *items);
    if (items == NULL) {
        return -1;
    }
    if (map->count != 0) {
        memcpy(items, map->items, map->count * sizeof *items);
    }
    map->items = items;
    map->capacity = capacity;
    if (capacity > MAP_LINEAR_LIMIT) {
        map->index = arena_alloc(arena, capacity * 2 * sizeof *map->index);
        if (map->index == NULL) {
            return -1;
        }
        memset(map->index, 0, capacity * 2 * sizeof *map->index);
        map->index_mask = capacity * 2 - 1;
        for (uint32_t i = 0; i < map->count; i++) {
            map_index_insert(map, map->items[i].name, i);
        }
    }
    return 0;
}

struct symbol *map_add(struct symbol_map *map, struct arena *arena, PyObject *name)
{
    struct symbol *symbol = map_find(map, name);
    if (symbol != NULL) {
        return symbol;
    }
    if (map->count == map->capacity && map_grow(map, arena) < 0) {
        return NULL;
    }
    symbol = &map->items[map->count];
    *symbol = (struct symbol){.name = name};
    if (map->index != NULL) {
        map_index_insert(map, name, map->count);
    }
    map->count++;
    return symbol;
}

struct symbol *block_symbol(const struct block *block, PyObject *name)
{
    return map_find(&block->symbols, name);
}

static int table_grow(struct symtable *table)
{
    uint32_t size = table->by_node == NULL ? 64 : (table->map_mask + 1) * 2;
    struct block **slots = arena_alloc(table->arena, size * sizeof *slots);
    if (slots == NULL) {
        return -1;
    }
    memset(slots, 0, size * sizeof *slots);
    for (uint32_t i = 0; table->by_node != NULL && i <= table->map_mask; i++) {
        struct block *block = table->by_node[i];
        if (block != NULL) {
            uint32_t slot = pointer_hash(block->key) & (size - 1);
            while (slots[slot] != NULL) {
                slot = (slot + 1) & (size - 1);
            }
            slots[slot] = block;
        }
    }
    table->by_node = slots;
    table->map_mask = size - 1;
    return 0;
}

struct block *symtable_block(const struct symtable *table, const void *node)
{
    uint32_t slot = pointer_hash(node) & table->map_mask;
    while (table->by_node[slot] != NULL && table->by_node[slot]->key != node) {
        slot = (slot + 1) & table->map_mask;
    }
    return table->by_node[slot];
}

/* ---- errors ---- */

int symtable_error(struct symtable *table, const struct ast_pos *pos, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    PyErr_FormatV(PyExc_SyntaxError, format, args);
    va_end(args);
    PyErr_RangedSyntaxLocationObject(table->filename, pos->line, pos->col + 1, pos->end_line,
                                     pos->end_col + 1);
    return -1;
}

/* ---- blocks ---- */

static struct block *block_enter(struct symtable *table, PyObject *name, enum block_kind kind,
                                 const void *key, const struct ast_pos *pos)
{
    struct block *block = arena_alloc(table->arena, sizeof *block);
    if (block == NULL) {
        return NULL;
    }
    struct block *parent = table->current;
    *block = (struct block){.kind = kind, .name = name, .key = key, .parent = parent, .pos = *pos};
    if (parent != NULL) {
        block->nested = parent->nested || block_is_function_like(parent);
        block->is_method = kind == BLOCK_FUNCTION && parent->kind == BLOCK_CLASS;
        block->iter_expression = parent->iter_expression;
        if (kind != BLOCK_ANNOTATION) {
            if (parent->child_count == parent->child_capacity) {
                uint32_t capacity = parent->child_capacity == 0 ? 4 : parent->child_capacity * 2;
                struct block **children = arena_alloc(table->arena, capacity * sizeof *children);
                if (children == NULL) {
                    return NULL;
                }
                if (parent->child_count != 0) {
                    memcpy(children, parent->children, parent->child_count * sizeof *children);
                }
                parent->children = children;
                parent->child_capacity = capacity;
            }
            parent->children[parent->child_count++] = block;
        }
    }
    if (kind != BLOCK_ANNOTATION) {
        if ((table->map_count + 1) * 2 > table->map_mask && table_grow(table) < 0) {
            return NULL;
        }
        uint32_t slot = pointer_hash(key) & table->map_mask;
        while (table->by_node[slot] != NULL) {
            slot = (slot + 1) & table->map_mask;
        }
        table->by_node[slot] = block;
        table->map_count++;
    }
    table->current = block;
    return block;
}

static inline void block_leave(struct symtable *table)
{
    table->current = table->current->parent;
}

PyObject *name_mangle(struct arena *arena, PyObject *private_name, PyObject *name)
{
    if (private_name == NULL || PyUnicode_GET_LENGTH(name) < 3
        || PyUnicode_READ_CHAR(name, 0) != '_' || PyUnicode_READ_CHAR(name, 1) != '_') {
        return name;
    }
    Py_ssize_t length = PyUnicode_GET_LENGTH(name);
    if ((PyUnicode_READ_CHAR(name, length - 1) == '_'
         && PyUnicode_READ_CHAR(name, length - 2) == '_')
        || PyUnicode_FindChar(name, '.', 0, length, 1) >= 0) {
        return name;
    }
    Py_ssize_t start = 0, class_length = PyUnicode_GET_LENGTH(private_name);
    while (start < class_length && PyUnicode_READ_CHAR(private_name, start) == '_') {
        start++;
    }
    if (start == class_length) {
        return name;
    }
    PyObject *stripped = PyUnicode_Substring(private_name, start, class_length);
    if (stripped == NULL) {
        return NULL;
    }
    PyObject *mangled = PyUnicode_FromFormat("_%U%U", stripped, name);
    Py_DECREF(stripped);
    if (mangled != NULL) {
        PyUnicode_InternInPlace(&mangled);
    }
    return arena_own(arena, mangled);
}

static PyObject *intern(struct symtable *table, const char *text)
{
    return arena_own(table->arena, PyUnicode_InternFromString(text));
}

bool typeparams_name(const struct typeparam_seq *params, PyObject *name)
{
    for (size_t i = 0; i < params->len; i++) {
        if (params->items[i]->name == name
            || PyUnicode_Compare(params->items[i]->name, name) == 0) {
            return true;
        }
    }
    return false;
}

static PyObject *mangle(struct symtable *table, PyObject *name)
{
    if (table->private_only != NULL && !typeparams_name(table->private_only, name)) {
        return name;
    }
    return name_mangle(table->arena, table->private_name, name);
}

static int add_param(struct symtable *table, struct block *block, PyObject *name)
{
    if (block->param_count == block->param_capacity) {
        uint32_t capacity = block->param_capacity == 0 ? 4 : block->param_capacity * 2;
        PyObject **params = arena_alloc(table->arena, capacity * sizeof *params);
        if (params == NULL) {
            return -1;
        }
        if (block->param_count != 0) {
            memcpy(params, block->params, block->param_count * sizeof *params);
        }
        block->params = params;
        block->param_capacity = capacity;
    }
    block->params[block->param_count++] = name;
    return 0;
}

/* A comprehension's iteration variable may be one that a walrus in the same comprehension assigns. */
static int check_comp_target(struct symtable *table, struct symbol *symbol,
                             const struct ast_pos *pos)
{
    if ((symbol->flags & (SYM_GLOBAL | SYM_NONLOCAL)) != 0) {
        return symtable_error(table, pos,
                              "comprehension inner loop cannot rebind assignment expression "
                              "target '%U'",
                              symbol->name);
    }
    symbol->flags |= SYM_COMP_ITER;
    return 0;
}

/* Notes `flag` for an already mangled name in `block`. */
static int define_mangled(struct symtable *table, struct block *block, PyObject *name,
                          uint32_t flag, const struct ast_pos *pos)
{
    struct symbol *symbol = map_add(&block->symbols, table->arena, name);
    if (symbol == NULL) {
        return -1;
    }
    if ((flag & SYM_PARAM) && (symbol->flags & SYM_PARAM)) {
        return symtable_error(table, pos, "duplicate argument '%U' in function definition", name);
    }
    if ((flag & SYM_TYPE_PARAM) && (symbol->flags & SYM_TYPE_PARAM)) {
        return symtable_error(table, pos, "duplicate type parameter '%U'", name);
    }
    symbol->flags |= flag;
    if (block->iter_target && check_comp_target(table, symbol, pos) < 0) {
        return -1;
    }
    if (flag & SYM_PARAM) {
        return add_param(table, block, name);
    }
    if ((flag & SYM_GLOBAL) && block != table->top) {
        struct symbol *global = map_add(&table->top->symbols, table->arena, name);
        if (global == NULL) {
            return -1;
        }
        global->flags |= SYM_GLOBAL;
    }
    return 0;
}

/* __debug__ is a constant. */
static int check_assignable(struct symtable *table, PyObject *name, bool deleted,
                            const struct ast_pos *pos)
{
    if (PyUnicode_READ_CHAR(name, 0) != '_'
        || !PyUnicode_EqualToUTF8AndSize(name, "__debug__", 9)) {
        return 0;
    }
    return symtable_error(table, pos, deleted ? "cannot delete %U" : "cannot assign to %U", name);
}

static int define(struct symtable *table, PyObject *name, uint32_t flag, const struct ast_pos *pos)
{
    if ((flag & (SYM_BOUND | SYM_DELETED))
        && check_assignable(table, name, (flag & SYM_DELETED) != 0, pos) < 0) {
        return -1;
    }
    PyObject *mangled = mangle(table, name);
    return mangled == NULL ? -1 : define_mangled(table, table->current, mangled, flag, pos);
}

static int define_text(struct symtable *table, const char *name, uint32_t flag,
                       const struct ast_pos *pos)
{
    PyObject *interned = intern(table, name);
    return interned == NULL ? -1 : define_mangled(table, table->current, interned, flag, pos);
}

/* ---- expressions ---- */

static int visit_expr(struct symtable *table, struct expr *expr);
static int visit_stmts(struct symtable *table, struct stmt_seq *body);

static int visit_exprs(struct symtable *table, struct expr_seq *exprs)
{
    for (size_t i = 0; i < exprs->len; i++) {
        if (exprs->items[i] != NULL && visit_expr(table, exprs->items[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

static inline int visit_opt(struct symtable *table, struct expr *expr)
{
    return expr == NULL ? 0 : visit_expr(table, expr);
}

static int visit_keywords(struct symtable *table, struct keyword_seq *keywords)
{
    for (size_t i = 0; i < keywords->len; i++) {
        struct keyword *keyword = keywords->items[i];
        if ((keyword->arg != NULL
             && check_assignable(table, keyword->arg, false, &keyword->pos) < 0)
            || visit_expr(table, keyword->value) < 0) {
            return -1;
        }
    }
    return 0;
}

/* `what` may not stand in annotations, type parameter bounds and the like. */
static int check_nameable(struct symtable *table, const char *what, const struct ast_pos *pos)
{
    const char *where = table->current->unnameable;
    if (where == NULL) {
        return 0;
    }
    return symtable_error(table, pos, "%s cannot be used within %s", what, where);
}

static int define_params(struct symtable *table, struct arg_seq *args)
{
    for (size_t i = 0; i < args->len; i++) {
        if (define(table, args->items[i]->arg, SYM_PARAM, &args->items[i]->pos) < 0) {
            return -1;
        }
    }
    return 0;
}

static int visit_params(struct symtable *table, struct arguments *args)
{
    if (define_params(table, args->posonlyargs) < 0 || define_params(table, args->args) < 0
        || define_params(table, args->kwonlyargs) < 0) {
        return -1;
    }
    if (args->vararg != NULL) {
        if (define(table, args->vararg->arg, SYM_PARAM, &args->vararg->pos) < 0) {
            return -1;
        }
        table->current->varargs = true;
    }
    if (args->kwarg != NULL) {
        if (define(table, args->kwarg->arg, SYM_PARAM, &args->kwarg->pos) < 0) {
            return -1;
        }
        table->current->varkeywords = true;
    }
    return 0;
}

static int visit_lambda(struct symtable *table, struct expr *expr)
{
    struct arguments *args = expr->lambda.args;
    PyObject *name = intern(table, "lambda");
    if (name == NULL || visit_exprs(table, args->defaults) < 0
        || visit_exprs(table, args->kw_defaults) < 0
        || block_enter(table, name, BLOCK_FUNCTION, expr, &expr->pos) == NULL) {
        return -1;
    }
    if (visit_params(table, args) < 0 || visit_expr(table, expr->lambda.body) < 0) {
        return -1;
    }
    block_leave(table);
    return 0;
}

/* The target of `:=` inside comprehensions belongs to the scope around all of them. */
static int extend_namedexpr_scope(struct symtable *table, struct expr *target)
{
    PyObject *name = mangle(table, target->name.id);
    if (name == NULL) {
        return -1;
    }
    for (struct block *block = table->current; block != NULL; block = block->parent) {
        if (block->comprehension != COMP_NONE) {
            struct symbol *symbol = block_symbol(block, name);
            if (symbol != NULL && (symbol->flags & SYM_COMP_ITER) && (symbol->flags & SYM_LOCAL)) {
                return symtable_error(table, &target->pos,
                                      "assignment expression cannot rebind comprehension "
                                      "iteration variable '%U'",
                                      target->name.id);
            }
            block->has_walrus_or_comp = true;
            continue;
        }
        block->has_walrus_or_comp = true;
        switch (block->kind) {
        case BLOCK_FUNCTION: {
            struct symbol *symbol = block_symbol(block, name);
            bool global = symbol != NULL && (symbol->flags & SYM_GLOBAL);
            if (define_mangled(table, table->current, name, global ? SYM_GLOBAL : SYM_NONLOCAL,
                               &target->pos)
                < 0) {
                return -1;
            }
            return define_mangled(table, block, name, SYM_LOCAL, &target->pos);
        }
        case BLOCK_MODULE:
            if (define_mangled(table, table->current, name, SYM_GLOBAL, &target->pos) < 0) {
                return -1;
            }
            return define_mangled(table, block, name, SYM_GLOBAL, &target->pos);
        case BLOCK_CLASS:
            return symtable_error(table, &target->pos,
                                  "assignment expression within a comprehension cannot be used "
                                  "in a class body");
        case BLOCK_TYPE_VARIABLE:
            return symtable_error(table, &target->pos,
                                  "assignment expression within a comprehension cannot be used "
                                  "in a TypeVar bound");
        case BLOCK_TYPE_ALIAS:
            return symtable_error(table, &target->pos,
                                  "assignment expression within a comprehension cannot be used "
                                  "in a type alias");
        case BLOCK_TYPE_PARAMETERS:
            return symtable_error(table, &target->pos,
                                  "assignment expression within a comprehension cannot be used "
                                  "within the definition of a generic");
        case BLOCK_ANNOTATION:
            break;
        }
    }
    return 0;
}

static int visit_namedexpr(struct symtable *table, struct expr *expr)
{
    if (check_nameable(table, "named expression", &expr->pos) < 0) {
        return -1;
    }
    if (table->current->iter_expression) {
        return symtable_error(table, &expr->pos,
                              "assignment expression cannot be used in a comprehension "
                              "iterable expression");
    }
    table->current->has_walrus_or_comp = true;
    if (table->current->comprehension != COMP_NONE
        && extend_namedexpr_scope(table, expr->namedexpr.target) < 0) {
        return -1;
    }
    if (visit_expr(table, expr->namedexpr.value) < 0) {
        return -1;
    }
    return visit_expr(table, expr->namedexpr.target);
}

static int visit_comprehension_part(struct symtable *table, struct comprehension *part)
{
    struct block *block = table->current;
    block->iter_target = true;
    if (visit_expr(table, part->target) < 0) {
        return -1;
    }
    block->iter_target = false;
    bool outer = block->iter_expression;
    block->iter_expression = true;
    if (visit_expr(table, part->iter) < 0) {
        return -1;
    }
    block->iter_expression = outer;
    if (visit_exprs(table, part->ifs) < 0) {
        return -1;
    }
    if (part->is_async) {
        block->coroutine = true;
    }
    return 0;
}

static int visit_comprehension(struct symtable *table, struct expr *expr,
                               enum comprehension_kind kind, const char *name,
                               struct comprehension_seq *generators, struct expr *element,
                               struct expr *value)
{
    struct comprehension *first = generators->items[0];
    struct block *outer = table->current;
    outer->has_walrus_or_comp = true;
    bool in_iter = outer->iter_expression;
    outer->iter_expression = true;
    if (visit_expr(table, first->iter) < 0) {
        return -1;
    }
    outer->iter_expression = in_iter;
    PyObject *name_object = intern(table, name);
    if (name_object == NULL) {
        return -1;
    }
    struct block *block = block_enter(table, name_object, BLOCK_FUNCTION, expr, &expr->pos);
    if (block == NULL) {
        return -1;
    }
    block->comprehension = kind;
    block->is_method = false;
    block->coroutine = first->is_async;
    if (define_text(table, ".0", SYM_PARAM, &expr->pos) < 0) {
        return -1;
    }
    block->iter_target = true;
    if (visit_expr(table, first->target) < 0) {
        return -1;
    }
    block->iter_target = false;
    if (visit_exprs(table, first->ifs) < 0) {
        return -1;
    }
    for (size_t i = 1; i < generators->len; i++) {
        if (visit_comprehension_part(table, generators->items[i]) < 0) {
            return -1;
        }
    }
    if (visit_opt(table, value) < 0 || visit_expr(table, element) < 0) {
        return -1;
    }
    block->generator = kind == COMP_GENERATOR;
    block->async_comprehension = block->coroutine && kind != COMP_GENERATOR;
    block_leave(table);
    if (block->async_comprehension) {
        table->current->coroutine = true;
    }
    return 0;
}

static int check_yield(struct symtable *table, const struct expr *expr)
{
    static const char *const where[] = {
        [COMP_LIST] = "'yield' inside list comprehension",
        [COMP_DICT] = "'yield' inside dict comprehension",
        [COMP_SET] = "'yield' inside set comprehension",
        [COMP_GENERATOR] = "'yield' inside generator expression",
    };
    enum comprehension_kind kind = table->current->comprehension;
    if (kind != COMP_NONE) {
        return symtable_error(table, &expr->pos, where[kind]);
    }
    table->current->generator = true;
    return 0;
}

static int visit_name(struct symtable *table, struct expr *expr)
{
    if (expr->ctx != AST_LOAD) {
        return define(table, expr->name.id, SYM_LOCAL | (expr->ctx == AST_DEL ? SYM_DELETED : 0),
                      &expr->pos);
    }
    if (define(table, expr->name.id, SYM_USE, &expr->pos) < 0) {
        return -1;
    }
    if (block_is_function_like(table->current) && table->current->kind != BLOCK_ANNOTATION
        && PyUnicode_EqualToUTF8AndSize(expr->name.id, "super", 5)) {
        return define_text(table, "__class__", SYM_USE, &expr->pos);
    }
    return 0;
}

static int visit_expr_kind(struct symtable *table, struct expr *expr)
{
    switch ((enum expr_kind)expr->kind) {
    case EXPR_NAMEDEXPR:
        return visit_namedexpr(table, expr);
    case EXPR_BOOLOP:
        return visit_exprs(table, expr->boolop.values);
    case EXPR_BINOP:
        if (visit_expr(table, expr->binop.left) < 0) {
            return -1;
        }
        return visit_expr(table, expr->binop.right);
    case EXPR_UNARYOP:
        return visit_expr(table, expr->unaryop.operand);
    case EXPR_LAMBDA:
        return visit_lambda(table, expr);
    case EXPR_IFEXP:
        if (visit_expr(table, expr->ifexp.test) < 0 || visit_expr(table, expr->ifexp.body) < 0) {
            return -1;
        }
        return visit_expr(table, expr->ifexp.orelse);
    case EXPR_DICT:
        if (visit_exprs(table, expr->dict.keys) < 0) {
            return -1;
        }
        return visit_exprs(table, expr->dict.values);
    case EXPR_SET:
        return visit_exprs(table, expr->set.elts);
    case EXPR_LISTCOMP:
        return visit_comprehension(table, expr, COMP_LIST, "<listcomp>", expr->listcomp.generators,
                                   expr->listcomp.elt, NULL);
    case EXPR_SETCOMP:
        return visit_comprehension(table, expr, COMP_SET, "<setcomp>", expr->setcomp.generators,
                                   expr->setcomp.elt, NULL);
    case EXPR_DICTCOMP:
        return visit_comprehension(table, expr, COMP_DICT, "<dictcomp>", expr->dictcomp.generators,
                                   expr->dictcomp.key, expr->dictcomp.value);
    case EXPR_GENERATOREXP:
        return visit_comprehension(table, expr, COMP_GENERATOR, "<genexpr>",
                                   expr->generatorexp.generators, expr->generatorexp.elt, NULL);
    case EXPR_AWAIT:
        if (check_nameable(table, "await expression", &expr->pos) < 0) {
            return -1;
        }
        table->current->coroutine = true;
        return visit_expr(table, expr->await.value);
    case EXPR_YIELD:
        if (check_nameable(table, "yield expression", &expr->pos) < 0
            || visit_opt(table, expr->yield.value) < 0) {
            return -1;
        }
        return check_yield(table, expr);
    case EXPR_YIELDFROM:
        if (check_nameable(table, "yield expression", &expr->pos) < 0
            || visit_expr(table, expr->yieldfrom.value) < 0) {
            return -1;
        }
        return check_yield(table, expr);
    case EXPR_COMPARE:
        if (visit_expr(table, expr->compare.left) < 0) {
            return -1;
        }
        return visit_exprs(table, expr->compare.comparators);
    case EXPR_CALL:
        if (visit_expr(table, expr->call.func) < 0 || visit_exprs(table, expr->call.args) < 0) {
            return -1;
        }
        return visit_keywords(table, expr->call.keywords);
    case EXPR_FORMATTEDVALUE:
        if (visit_expr(table, expr->formattedvalue.value) < 0) {
            return -1;
        }
        return visit_opt(table, expr->formattedvalue.format_spec);
    case EXPR_JOINEDSTR:
        return visit_exprs(table, expr->joinedstr.values);
    case EXPR_CONSTANT:
        return 0;
    case EXPR_ATTRIBUTE:
        if (expr->ctx != AST_LOAD
            && check_assignable(table, expr->attribute.attr, expr->ctx == AST_DEL, &expr->pos)
                   < 0) {
            return -1;
        }
        return visit_expr(table, expr->attribute.value);
    case EXPR_SUBSCRIPT:
        if (visit_expr(table, expr->subscript.value) < 0) {
            return -1;
        }
        return visit_expr(table, expr->subscript.slice);
    case EXPR_STARRED:
        return visit_expr(table, expr->starred.value);
    case EXPR_SLICE:
        if (visit_opt(table, expr->slice.lower) < 0 || visit_opt(table, expr->slice.upper) < 0) {
            return -1;
        }
        return visit_opt(table, expr->slice.step);
    case EXPR_NAME:
        return visit_name(table, expr);
    case EXPR_LIST:
        return visit_exprs(table, expr->list.elts);
    case EXPR_TUPLE:
        return visit_exprs(table, expr->tuple.elts);
    case EXPR_KINDS:
        break;
    }
    Py_UNREACHABLE();
}

static int visit_expr(struct symtable *table, struct expr *expr)
{
    if (Py_EnterRecursiveCall(" during compilation")) {
        return -1;
    }
    int result = visit_expr_kind(table, expr);
    Py_LeaveRecursiveCall();
    return result;
}

/* ---- annotations and type parameters ---- */

static int visit_annotation(struct symtable *table, struct expr *annotation)
{
    if (annotation == NULL) {
        return 0;
    }
    bool postponed = (table->future_flags & CO_FUTURE_ANNOTATIONS) != 0;
    if (!postponed) {
        return visit_expr(table, annotation);
    }
    PyObject *name = intern(table, "_annotation");
    if (name == NULL) {
        return -1;
    }
    struct block *block = block_enter(table, name, BLOCK_ANNOTATION, annotation, &annotation->pos);
    if (block == NULL) {
        return -1;
    }
    block->unnameable = "an annotation";
    if (visit_expr(table, annotation) < 0) {
        return -1;
    }
    block_leave(table);
    return 0;
}

static int visit_arg_annotations(struct symtable *table, struct arg_seq *args)
{
    for (size_t i = 0; i < args->len; i++) {
        if (visit_annotation(table, args->items[i]->annotation) < 0) {
            return -1;
        }
    }
    return 0;
}

static int visit_annotations(struct symtable *table, struct arguments *args, struct expr *returns)
{
    if (visit_arg_annotations(table, args->posonlyargs) < 0
        || visit_arg_annotations(table, args->args) < 0
        || (args->vararg != NULL && visit_annotation(table, args->vararg->annotation) < 0)
        || (args->kwarg != NULL && visit_annotation(table, args->kwarg->annotation) < 0)
        || visit_arg_annotations(table, args->kwonlyargs) < 0) {
        return -1;
    }
    return visit_annotation(table, returns);
}

static int mark_class_visible(struct symtable *table, struct block *block, bool visible,
                              const struct ast_pos *pos)
{
    if (!visible) {
        return 0;
    }
    block->can_see_class = true;
    return define_text(table, "__classdict__", SYM_USE, pos);
}

/* Opens the scope that holds a generic's type parameters. */
static int enter_type_params(struct symtable *table, PyObject *name, const void *key,
                             bool has_defaults, bool has_kwdefaults, bool for_class,
                             const struct ast_pos *pos)
{
    bool in_class = table->current->kind == BLOCK_CLASS;
    struct block *block = block_enter(table, name, BLOCK_TYPE_PARAMETERS, key, pos);
    if (block == NULL) {
        return -1;
    }
    block->unnameable = "the definition of a generic";
    if (mark_class_visible(table, block, in_class, pos) < 0) {
        return -1;
    }
    if (for_class) {
        if (define_text(table, ".type_params", SYM_LOCAL, pos) < 0
            || define_text(table, ".type_params", SYM_USE, pos) < 0
            || define_text(table, ".generic_base", SYM_LOCAL, pos) < 0
            || define_text(table, ".generic_base", SYM_USE, pos) < 0) {
            return -1;
        }
    }
    if (has_defaults && define_text(table, ".defaults", SYM_PARAM, pos) < 0) {
        return -1;
    }
    if (has_kwdefaults && define_text(table, ".kwdefaults", SYM_PARAM, pos) < 0) {
        return -1;
    }
    return 0;
}

/* A bound, constraint or default is evaluated lazily, in a scope of its own. */
static int visit_type_param_expr(struct symtable *table, struct typeparam *param, struct expr *expr,
                                 const void *key, const char *where)
{
    if (expr == NULL) {
        return 0;
    }
    bool in_class = table->current->can_see_class;
    struct block *block = block_enter(table, param->name, BLOCK_TYPE_VARIABLE, key, &expr->pos);
    if (block == NULL) {
        return -1;
    }
    block->unnameable = where;
    if (mark_class_visible(table, block, in_class, &expr->pos) < 0 || visit_expr(table, expr) < 0) {
        return -1;
    }
    block_leave(table);
    return 0;
}

static int visit_type_params(struct symtable *table, struct typeparam_seq *params)
{
    for (size_t i = 0; i < params->len; i++) {
        struct typeparam *param = params->items[i];
        if (PyUnicode_EqualToUTF8AndSize(param->name, "__classdict__", 13)) {
            return symtable_error(table, &param->pos,
                                  "reserved name '%U' cannot be used for type parameter",
                                  param->name);
        }
        if (define(table, param->name, SYM_TYPE_PARAM | SYM_LOCAL, &param->pos) < 0) {
            return -1;
        }
        static const char *const default_of[] = {
            [TYPEPARAM_TYPEVAR] = "a TypeVar default",
            [TYPEPARAM_PARAMSPEC] = "a ParamSpec default",
            [TYPEPARAM_TYPEVARTUPLE] = "a TypeVarTuple default",
        };
        const char *bound_of = param->bound != NULL && param->bound->kind == EXPR_TUPLE
                                   ? "a TypeVar constraint"
                                   : "a TypeVar bound";
        if ((param->kind == TYPEPARAM_TYPEVAR
             && visit_type_param_expr(table, param, param->bound, param, bound_of) < 0)
            || visit_type_param_expr(table, param, param->default_value, (char *)param + 1,
                                     default_of[param->kind])
                   < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- statements ---- */

static bool has_kw_defaults(const struct arguments *args)
{
    for (size_t i = 0; i < args->kw_defaults->len; i++) {
        if (args->kw_defaults->items[i] != NULL) {
            return true;
        }
    }
    return false;
}

static int visit_function(struct symtable *table, struct stmt *stmt)
{
    struct arguments *args = stmt->functiondef.args;
    bool generic = stmt->functiondef.type_params->len != 0;
    if (define(table, stmt->functiondef.name, SYM_LOCAL, &stmt->pos) < 0
        || visit_exprs(table, args->defaults) < 0 || visit_exprs(table, args->kw_defaults) < 0
        || visit_exprs(table, stmt->functiondef.decorator_list) < 0) {
        return -1;
    }
    if (generic
        && (enter_type_params(table, stmt->functiondef.name, stmt->functiondef.type_params,
                              args->defaults->len != 0, has_kw_defaults(args), false, &stmt->pos)
                < 0
            || visit_type_params(table, stmt->functiondef.type_params) < 0)) {
        return -1;
    }
    if (visit_annotations(table, args, stmt->functiondef.returns) < 0) {
        return -1;
    }
    struct block *block =
        block_enter(table, stmt->functiondef.name, BLOCK_FUNCTION, stmt, &stmt->pos);
    if (block == NULL) {
        return -1;
    }
    block->is_method = block->parent->kind == BLOCK_CLASS
                       || (generic && block->parent->parent->kind == BLOCK_CLASS);
    block->coroutine = stmt->kind == STMT_ASYNCFUNCTIONDEF;
    if (visit_params(table, args) < 0 || visit_stmts(table, stmt->functiondef.body) < 0) {
        return -1;
    }
    block_leave(table);
    if (generic) {
        block_leave(table);
    }
    return 0;
}

static int visit_class(struct symtable *table, struct stmt *stmt)
{
    bool generic = stmt->classdef.type_params->len != 0;
    if (define(table, stmt->classdef.name, SYM_LOCAL, &stmt->pos) < 0
        || visit_exprs(table, stmt->classdef.decorator_list) < 0) {
        return -1;
    }
    PyObject *outer_private = table->private_name;
    const struct typeparam_seq *outer_only = table->private_only;
    if (generic) {
        if (enter_type_params(table, stmt->classdef.name, stmt->classdef.type_params, false, false,
                              true, &stmt->pos)
            < 0) {
            return -1;
        }
        table->private_name = stmt->classdef.name;
        table->private_only = stmt->classdef.type_params;
        if (visit_type_params(table, stmt->classdef.type_params) < 0) {
            return -1;
        }
    }
    if (visit_exprs(table, stmt->classdef.bases) < 0
        || visit_keywords(table, stmt->classdef.keywords) < 0
        || block_enter(table, stmt->classdef.name, BLOCK_CLASS, stmt, &stmt->pos) == NULL) {
        return -1;
    }
    table->private_name = stmt->classdef.name;
    table->private_only = NULL;
    if (generic
        && (define_text(table, "__type_params__", SYM_LOCAL, &stmt->pos) < 0
            || define_text(table, ".type_params", SYM_USE, &stmt->pos) < 0)) {
        return -1;
    }
    if (visit_stmts(table, stmt->classdef.body) < 0) {
        return -1;
    }
    block_leave(table);
    if (generic) {
        block_leave(table);
    }
    table->private_name = outer_private;
    table->private_only = outer_only;
    return 0;
}

static int visit_type_alias(struct symtable *table, struct stmt *stmt)
{
    if (visit_expr(table, stmt->typealias.name) < 0) {
        return -1;
    }
    PyObject *name = stmt->typealias.name->name.id;
    bool in_class = table->current->kind == BLOCK_CLASS;
    bool generic = stmt->typealias.type_params->len != 0;
    if (generic
        && (enter_type_params(table, name, stmt->typealias.type_params, false, false, false,
                              &stmt->pos)
                < 0
            || visit_type_params(table, stmt->typealias.type_params) < 0)) {
        return -1;
    }
    struct block *block = block_enter(table, name, BLOCK_TYPE_ALIAS, stmt, &stmt->pos);
    if (block == NULL) {
        return -1;
    }
    block->unnameable = "a type alias";
    if (mark_class_visible(table, block, in_class, &stmt->pos) < 0
        || visit_expr(table, stmt->typealias.value) < 0) {
        return -1;
    }
    block_leave(table);
    if (generic) {
        block_leave(table);
    }
    return 0;
}

static int visit_annassign(struct symtable *table, struct stmt *stmt)
{
    struct expr *target = stmt->annassign.target;
    if (target->kind == EXPR_NAME) {
        PyObject *name = mangle(table, target->name.id);
        if (name == NULL) {
            return -1;
        }
        struct symbol *symbol = block_symbol(table->current, name);
        uint32_t declared = symbol == NULL ? 0 : symbol->flags & (SYM_GLOBAL | SYM_NONLOCAL);
        if (declared != 0 && table->current != table->top && stmt->annassign.simple) {
            return symtable_error(table, &stmt->pos,
                                  declared & SYM_GLOBAL ? "annotated name '%U' can't be global"
                                                        : "annotated name '%U' can't be nonlocal",
                                  target->name.id);
        }
        uint32_t flags = stmt->annassign.simple          ? SYM_ANNOT | SYM_LOCAL
                         : stmt->annassign.value != NULL ? SYM_LOCAL
                                                         : 0;
        if (flags != 0 && define(table, target->name.id, flags, &target->pos) < 0) {
            return -1;
        }
    } else if (visit_expr(table, target) < 0) {
        return -1;
    }
    if (visit_annotation(table, stmt->annassign.annotation) < 0) {
        return -1;
    }
    return visit_opt(table, stmt->annassign.value);
}

struct global_stmt {
    struct global_stmt *next;
    PyObject *name;
    struct ast_pos pos;
};

static int add_directive(struct symtable *table, PyObject *name, const struct ast_pos *pos)
{
    struct global_stmt *directive = arena_alloc(table->arena, sizeof *directive);
    if (directive == NULL) {
        return -1;
    }
    *directive = (struct global_stmt){table->current->directives, name, *pos};
    table->current->directives = directive;
    return 0;
}

int symtable_directive_error(struct symtable *table, const struct block *block, PyObject *name,
                             const char *format)
{
    const struct ast_pos *pos = &block->pos;
    for (const struct global_stmt *d = block->directives; d != NULL; d = d->next) {
        if (d->name == name) {
            pos = &d->pos;
        }
    }
    return symtable_error(table, pos, format, name);
}

static const char *used_before(uint32_t flags, bool global)
{
    if (flags & SYM_PARAM) {
        return global ? "name '%U' is parameter and global" : "name '%U' is parameter and nonlocal";
    }
    if (flags & SYM_USE) {
        return global ? "name '%U' is used prior to global declaration"
                      : "name '%U' is used prior to nonlocal declaration";
    }
    if (flags & SYM_ANNOT) {
        return global ? "annotated name '%U' can't be global"
                      : "annotated name '%U' can't be nonlocal";
    }
    return global ? "name '%U' is assigned to before global declaration"
                  : "name '%U' is assigned to before nonlocal declaration";
}

static int visit_global(struct symtable *table, struct stmt *stmt)
{
    bool global = stmt->kind == STMT_GLOBAL;
    for (size_t i = 0; i < stmt->global.names->len; i++) {
        PyObject *name = mangle(table, stmt->global.names->items[i]);
        if (name == NULL) {
            return -1;
        }
        struct symbol *symbol = block_symbol(table->current, name);
        if (symbol != NULL
            && (symbol->flags & (SYM_PARAM | SYM_LOCAL | SYM_USE | SYM_ANNOT)) != 0) {
            return symtable_error(table, &stmt->pos, used_before(symbol->flags, global), name);
        }
        if (define_mangled(table, table->current, name, global ? SYM_GLOBAL : SYM_NONLOCAL,
                           &stmt->pos)
                < 0
            || add_directive(table, name, &stmt->pos) < 0) {
            return -1;
        }
    }
    return 0;
}

static int visit_aliases(struct symtable *table, struct alias_seq *names)
{
    for (size_t i = 0; i < names->len; i++) {
        struct alias *alias = names->items[i];
        PyObject *name = alias->asname != NULL ? alias->asname : alias->name;
        if (alias->asname == NULL) {
            if (PyUnicode_EqualToUTF8AndSize(name, "*", 1)) {
                if (table->current->kind != BLOCK_MODULE) {
                    return symtable_error(table, &alias->pos,
                                          "import * only allowed at module level");
                }
                continue;
            }
            Py_ssize_t length = PyUnicode_GET_LENGTH(name);
            Py_ssize_t dot = PyUnicode_FindChar(name, '.', 0, length, 1);
            if (dot >= 0) {
                name = PyUnicode_Substring(name, 0, dot);
                if (name != NULL) {
                    PyUnicode_InternInPlace(&name);
                }
                name = arena_own(table->arena, name);
                if (name == NULL) {
                    return -1;
                }
            }
        }
        if (define(table, name, SYM_IMPORT, &alias->pos) < 0) {
            return -1;
        }
    }
    return 0;
}

static int visit_try(struct symtable *table, struct stmt *stmt)
{
    if (visit_stmts(table, stmt->try_.body) < 0) {
        return -1;
    }
    for (size_t i = 0; i < stmt->try_.handlers->len; i++) {
        struct handler *handler = stmt->try_.handlers->items[i];
        if (visit_opt(table, handler->type) < 0) {
            return -1;
        }
        /* The name is deleted when the handler ends. */
        if (handler->name != NULL
            && (check_assignable(table, handler->name, false, &handler->pos) < 0
                || define(table, handler->name, SYM_LOCAL | SYM_DELETED, &handler->pos) < 0)) {
            return -1;
        }
        if (visit_stmts(table, handler->body) < 0) {
            return -1;
        }
    }
    if (visit_stmts(table, stmt->try_.orelse) < 0) {
        return -1;
    }
    return visit_stmts(table, stmt->try_.finalbody);
}

static int visit_pattern(struct symtable *table, struct pattern *pattern);

static int visit_patterns(struct symtable *table, struct pattern_seq *patterns)
{
    for (size_t i = 0; i < patterns->len; i++) {
        if (visit_pattern(table, patterns->items[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

static inline int define_opt(struct symtable *table, PyObject *name, const struct ast_pos *pos)
{
    return name == NULL ? 0 : define(table, name, SYM_LOCAL, pos);
}

static int visit_pattern_kind(struct symtable *table, struct pattern *pattern)
{
    switch ((enum pattern_kind)pattern->kind) {
    case PATTERN_VALUE:
        return visit_expr(table, pattern->value.value);
    case PATTERN_SINGLETON:
        return 0;
    case PATTERN_SEQUENCE:
        return visit_patterns(table, pattern->sequence.patterns);
    case PATTERN_MAPPING:
        if (visit_exprs(table, pattern->mapping.keys) < 0
            || visit_patterns(table, pattern->mapping.patterns) < 0) {
            return -1;
        }
        return define_opt(table, pattern->mapping.rest, &pattern->pos);
    case PATTERN_CLASS:
        if (visit_expr(table, pattern->class_.cls) < 0
            || visit_patterns(table, pattern->class_.patterns) < 0) {
            return -1;
        }
        return visit_patterns(table, pattern->class_.kwd_patterns);
    case PATTERN_STAR:
        return define_opt(table, pattern->star.name, &pattern->pos);
    case PATTERN_AS:
        if (pattern->as.pattern != NULL && visit_pattern(table, pattern->as.pattern) < 0) {
            return -1;
        }
        return define_opt(table, pattern->as.name, &pattern->pos);
    case PATTERN_OR:
        return visit_patterns(table, pattern->or_.patterns);
    case PATTERN_KINDS:
        break;
    }
    Py_UNREACHABLE();
}

static int visit_pattern(struct symtable *table, struct pattern *pattern)
{
    if (Py_EnterRecursiveCall(" during compilation")) {
        return -1;
    }
    int result = visit_pattern_kind(table, pattern);
    Py_LeaveRecursiveCall();
    return result;
}

static int visit_match(struct symtable *table, struct stmt *stmt)
{
    if (visit_expr(table, stmt->match.subject) < 0) {
        return -1;
    }
    for (size_t i = 0; i < stmt->match.cases->len; i++) {
        struct match_case *match_case = stmt->match.cases->items[i];
        if (visit_pattern(table, match_case->pattern) < 0 || visit_opt(table, match_case->guard) < 0
            || visit_stmts(table, match_case->body) < 0) {
            return -1;
        }
    }
    return 0;
}

/* With PyCF_ALLOW_TOP_LEVEL_AWAIT a module may be a coroutine. */
static void note_async(struct symtable *table)
{
    if (table->current->kind == BLOCK_MODULE) {
        table->current->coroutine = true;
    }
}

static int visit_with(struct symtable *table, struct stmt *stmt)
{
    for (size_t i = 0; i < stmt->with.items->len; i++) {
        struct withitem *item = stmt->with.items->items[i];
        if (visit_expr(table, item->context_expr) < 0
            || visit_opt(table, item->optional_vars) < 0) {
            return -1;
        }
    }
    return visit_stmts(table, stmt->with.body);
}

static int visit_for(struct symtable *table, struct stmt *stmt)
{
    if (visit_expr(table, stmt->for_.target) < 0 || visit_expr(table, stmt->for_.iter) < 0
        || visit_stmts(table, stmt->for_.body) < 0) {
        return -1;
    }
    return visit_stmts(table, stmt->for_.orelse);
}

static int visit_stmt_kind(struct symtable *table, struct stmt *stmt)
{
    switch ((enum stmt_kind)stmt->kind) {
    case STMT_FUNCTIONDEF:
    case STMT_ASYNCFUNCTIONDEF:
        return visit_function(table, stmt);
    case STMT_CLASSDEF:
        return visit_class(table, stmt);
    case STMT_RETURN:
        if (stmt->return_.value != NULL) {
            table->current->returns_value = true;
        }
        return visit_opt(table, stmt->return_.value);
    case STMT_DELETE:
        return visit_exprs(table, stmt->delete_.targets);
    case STMT_ASSIGN:
        if (visit_exprs(table, stmt->assign.targets) < 0) {
            return -1;
        }
        return visit_expr(table, stmt->assign.value);
    case STMT_TYPEALIAS:
        return visit_type_alias(table, stmt);
    case STMT_AUGASSIGN:
        if (visit_expr(table, stmt->augassign.target) < 0) {
            return -1;
        }
        return visit_expr(table, stmt->augassign.value);
    case STMT_ANNASSIGN:
        return visit_annassign(table, stmt);
    case STMT_FOR:
        return visit_for(table, stmt);
    case STMT_ASYNCFOR:
        note_async(table);
        return visit_for(table, stmt);
    case STMT_WHILE:
        if (visit_expr(table, stmt->while_.test) < 0 || visit_stmts(table, stmt->while_.body) < 0) {
            return -1;
        }
        return visit_stmts(table, stmt->while_.orelse);
    case STMT_IF:
        if (visit_expr(table, stmt->if_.test) < 0 || visit_stmts(table, stmt->if_.body) < 0) {
            return -1;
        }
        return visit_stmts(table, stmt->if_.orelse);
    case STMT_WITH:
        return visit_with(table, stmt);
    case STMT_ASYNCWITH:
        note_async(table);
        return visit_with(table, stmt);
    case STMT_MATCH:
        return visit_match(table, stmt);
    case STMT_RAISE:
        if (visit_opt(table, stmt->raise.exc) < 0) {
            return -1;
        }
        return visit_opt(table, stmt->raise.cause);
    case STMT_TRY:
    case STMT_TRYSTAR:
        return visit_try(table, stmt);
    case STMT_ASSERT:
        if (visit_expr(table, stmt->assert_.test) < 0) {
            return -1;
        }
        return visit_opt(table, stmt->assert_.msg);
    case STMT_IMPORT:
        return visit_aliases(table, stmt->import.names);
    case STMT_IMPORTFROM:
        return visit_aliases(table, stmt->importfrom.names);
    case STMT_GLOBAL:
    case STMT_NONLOCAL:
        return visit_global(table, stmt);
    case STMT_EXPR:
        return visit_expr(table, stmt->expr.value);
    case STMT_PASS:
    case STMT_BREAK:
    case STMT_CONTINUE:
        return 0;
    case STMT_KINDS:
        break;
    }
    Py_UNREACHABLE();
}

static int visit_stmts(struct symtable *table, struct stmt_seq *body)
{
    if (body->len == 0) {
        return 0;
    }
    if (Py_EnterRecursiveCall(" during compilation")) {
        return -1;
    }
    int result = 0;
    for (size_t i = 0; i < body->len && result == 0; i++) {
        result = visit_stmt_kind(table, body->items[i]);
    }
    Py_LeaveRecursiveCall();
    return result;
}

static int visit_module(struct symtable *table, const struct ast_module *module)
{
    switch ((enum module_kind)module->kind) {
    case MODULE_MODULE:
        return visit_stmts(table, module->module.body);
    case MODULE_INTERACTIVE:
        return visit_stmts(table, module->interactive.body);
    case MODULE_EXPRESSION:
        return visit_expr(table, module->expression.body);
    case MODULE_FUNCTIONTYPE:
    case MODULE_KINDS:
        break;
    }
    PyErr_SetString(PyExc_RuntimeError, "this compiler does not handle FunctionTypes");
    return -1;
}

struct symtable *symtable_build(const struct ast_module *module, PyObject *filename,
                                int future_flags, struct arena *arena)
{
    struct symtable *table = arena_alloc(arena, sizeof *table);
    if (table == NULL) {
        return NULL;
    }
    *table = (struct symtable){.arena = arena, .filename = filename, .future_flags = future_flags};
    PyObject *name = intern(table, "top");
    static const struct ast_pos start = {0, 0, 0, 0};
    if (name == NULL || table_grow(table) < 0
        || (table->top = block_enter(table, name, BLOCK_MODULE, module, &start)) == NULL
        || visit_module(table, module) < 0 || symtable_analyze(table) < 0) {
        return NULL;
    }
    return table;
}
