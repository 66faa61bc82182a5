/* Expressions and assignment targets. */

#include "objects/ids.h"
#include "unit.h"

/* ---- what may change under one's hands ---- */

static bool seq_unstable(const struct expr_seq *exprs, int *budget);

/* Looks for what assigns a local (walrus, comprehension variables) or suspends the frame; gives up,
   with "yes", when the budget of nodes is spent. */
static bool unstable(const struct expr *e, int *budget)
{
    if (e == NULL) {
        return false;
    }
    if (--*budget < 0) {
        return true;
    }
    switch ((enum expr_kind)e->kind) {
    case EXPR_NAMEDEXPR:
    case EXPR_LISTCOMP:
    case EXPR_SETCOMP:
    case EXPR_DICTCOMP:
    case EXPR_AWAIT:
    case EXPR_YIELD:
    case EXPR_YIELDFROM:
        return true;
    case EXPR_CONSTANT:
    case EXPR_NAME:
        return false;
    case EXPR_BOOLOP:
        return seq_unstable(e->boolop.values, budget);
    case EXPR_BINOP:
        return unstable(e->binop.left, budget) || unstable(e->binop.right, budget);
    case EXPR_UNARYOP:
        return unstable(e->unaryop.operand, budget);
    case EXPR_LAMBDA:
        return seq_unstable(e->lambda.args->defaults, budget)
               || seq_unstable(e->lambda.args->kw_defaults, budget);
    case EXPR_IFEXP:
        return unstable(e->ifexp.test, budget) || unstable(e->ifexp.body, budget)
               || unstable(e->ifexp.orelse, budget);
    case EXPR_DICT:
        return seq_unstable(e->dict.keys, budget) || seq_unstable(e->dict.values, budget);
    case EXPR_SET:
        return seq_unstable(e->set.elts, budget);
    case EXPR_GENERATOREXP:
        return unstable(e->generatorexp.generators->items[0]->iter, budget);
    case EXPR_COMPARE:
        return unstable(e->compare.left, budget) || seq_unstable(e->compare.comparators, budget);
    case EXPR_CALL:
        if (unstable(e->call.func, budget) || seq_unstable(e->call.args, budget)) {
            return true;
        }
        for (size_t i = 0; i < e->call.keywords->len; i++) {
            if (unstable(e->call.keywords->items[i]->value, budget)) {
                return true;
            }
        }
        return false;
    case EXPR_FORMATTEDVALUE:
        return unstable(e->formattedvalue.value, budget)
               || unstable(e->formattedvalue.format_spec, budget);
    case EXPR_JOINEDSTR:
        return seq_unstable(e->joinedstr.values, budget);
    case EXPR_ATTRIBUTE:
        return unstable(e->attribute.value, budget);
    case EXPR_SUBSCRIPT:
        return unstable(e->subscript.value, budget) || unstable(e->subscript.slice, budget);
    case EXPR_STARRED:
        return unstable(e->starred.value, budget);
    case EXPR_LIST:
        return seq_unstable(e->list.elts, budget);
    case EXPR_TUPLE:
        return seq_unstable(e->tuple.elts, budget);
    case EXPR_SLICE:
        return unstable(e->slice.lower, budget) || unstable(e->slice.upper, budget)
               || unstable(e->slice.step, budget);
    case EXPR_KINDS:
        break;
    }
    return true;
}

static bool seq_unstable(const struct expr_seq *exprs, int *budget)
{
    for (size_t i = 0; i < exprs->len; i++) {
        if (unstable(exprs->items[i], budget)) {
            return true;
        }
    }
    return false;
}

bool expr_unstable(const struct compiler *c, const struct expr *e)
{
    const struct block *block = c->unit->block;
    if (e == NULL || !(block->has_walrus_or_comp || block->generator || block->coroutine)) {
        return false;
    }
    int budget = 100;
    return unstable(e, &budget);
}

/* ---- operands ---- */

int expr_push(struct compiler *c, struct expr *e)
{
    int reg = c->unit->depth;
    expr(c, e, reg);
    c->unit->depth = reg;
    return temp_push(c);
}

int expr_operand(struct compiler *c, struct expr *e, struct expr *later)
{
    if (e->kind == EXPR_NAME && expr_unstable(c, later)) {
        return expr_push(c, e);
    }
    return expr(c, e, ANY);
}

int expr_lend(struct compiler *c, struct expr *e, bool stable)
{
    if (stable && e->kind == EXPR_NAME) {
        struct ast_pos saved = c->pos;
        c->pos = e->pos;
        int local = name_register(c, e->name.id);
        if (local != ANY) {
            int temp = c->unit->depth;
            emit(c, BORROW, temp, local, 0);
            c->pos = saved;
            return temp_push(c);
        }
        c->pos = saved;
    }
    return expr_push(c, e);
}

void expr_drop(struct compiler *c, struct expr *e)
{
    int base = c->unit->depth;
    int reg = expr(c, e, ANY);
    if (!is_local(c, reg)) {
        emit(c, DROP, reg, 0, 0);
    }
    temp_pop_to(c, base);
}

/* ---- operators ---- */

static const uint16_t binary_op[] = {
    [AST_ADD] = ADD,           [AST_SUB] = SUB,  [AST_MULT] = MUL,   [AST_MATMULT] = MATMUL,
    [AST_DIV] = TRUEDIV,       [AST_MOD] = MOD,  [AST_POW] = POW,    [AST_LSHIFT] = LSHIFT,
    [AST_RSHIFT] = RSHIFT,     [AST_BITOR] = OR, [AST_BITXOR] = XOR, [AST_BITAND] = AND,
    [AST_FLOORDIV] = FLOORDIV,
};
static const uint16_t binary_op_k[] = {
    [AST_ADD] = ADD_K,        [AST_SUB] = SUB_K,       [AST_MULT] = MUL_K,
    [AST_DIV] = TRUEDIV_K,    [AST_MOD] = MOD_K,       [AST_POW] = POW_K,
    [AST_LSHIFT] = LSHIFT_K,  [AST_RSHIFT] = RSHIFT_K, [AST_BITOR] = OR_K,
    [AST_BITXOR] = XOR_K,     [AST_BITAND] = AND_K,    [AST_FLOORDIV] = FLOORDIV_K,
    [AST_MATMULT] = MATMUL_K,
};
static const uint16_t inplace_op[] = {
    [AST_ADD] = IADD,           [AST_SUB] = ISUB,  [AST_MULT] = IMUL,   [AST_MATMULT] = IMATMUL,
    [AST_DIV] = ITRUEDIV,       [AST_MOD] = IMOD,  [AST_POW] = IPOW,    [AST_LSHIFT] = ILSHIFT,
    [AST_RSHIFT] = IRSHIFT,     [AST_BITOR] = IOR, [AST_BITXOR] = IXOR, [AST_BITAND] = IAND,
    [AST_FLOORDIV] = IFLOORDIV,
};
static const uint16_t inplace_op_k[] = {
    [AST_ADD] = IADD_K,        [AST_SUB] = ISUB_K,       [AST_MULT] = IMUL_K,
    [AST_DIV] = ITRUEDIV_K,    [AST_MOD] = IMOD_K,       [AST_POW] = IPOW_K,
    [AST_LSHIFT] = ILSHIFT_K,  [AST_RSHIFT] = IRSHIFT_K, [AST_BITOR] = IOR_K,
    [AST_BITXOR] = IXOR_K,     [AST_BITAND] = IAND_K,    [AST_FLOORDIV] = IFLOORDIV_K,
    [AST_MATMULT] = IMATMUL_K,
};

static bool is_const(const struct expr *e)
{
    return e->kind == EXPR_CONSTANT;
}

/* Right operands that the machine keeps as number words. */
static bool is_number_const(const struct expr *e)
{
    return is_const(e)
           && (PyLong_CheckExact(e->constant.value) || PyFloat_CheckExact(e->constant.value));
}

static void binop(struct compiler *c, struct expr *e, int dst)
{
    struct expr *right = e->binop.right;
    int left = expr_operand(c, e->binop.left, right);
    if (is_number_const(right)) {
        c->pos = e->pos;
        emit(c, binary_op_k[e->op], dst, left, (int)const_add(c, right->constant.value));
        return;
    }
    int reg = expr(c, right, ANY);
    c->pos = e->pos;
    emit(c, binary_op[e->op], dst, left, reg);
}

/* value OP= right, with the left value in `left`, into dst. */
void emit_inplace(struct compiler *c, unsigned op, int dst, int left, struct expr *right,
                  const struct ast_pos *pos)
{
    if (is_number_const(right)) {
        c->pos = *pos;
        emit(c, inplace_op_k[op], dst, left, (int)const_add(c, right->constant.value));
        return;
    }
    int reg = expr(c, right, ANY);
    c->pos = *pos;
    emit(c, inplace_op[op], dst, left, reg);
}

static void unaryop(struct compiler *c, struct expr *e, int dst)
{
    static const uint16_t ops[] = {
        [AST_INVERT] = INVERT, [AST_NOT] = NOT, [AST_UADD] = POS, [AST_USUB] = NEG};
    int reg = expr(c, e->unaryop.operand, ANY);
    c->pos = e->pos;
    emit(c, ops[e->op], dst, reg, 0);
}

/* `a and b`: the first value stays in the result's register if it decides. */
static void boolop(struct compiler *c, struct expr *e, int dst)
{
    struct expr_seq *values = e->boolop.values;
    int temp = c->unit->depth; /* never a local: an exception in a later value must not show */
    int32_t end = label_new(c);
    enum opcode op = e->op == AST_AND ? JUMP_IF_FALSE_OR_DROP : JUMP_IF_TRUE_OR_DROP;
    uint64_t *bound = NULL;
    for (size_t i = 0; i + 1 < values->len; i++) {
        expr_push(c, values->items[i]);
        c->pos = e->pos;
        emit_jump(c, op, temp, 0, end);
        if (bound == NULL) {
            bound = bound_save(c);
        }
        temp_pop_to(c, temp);
    }
    expr_push(c, values->items[values->len - 1]);
    label_here(c, end);
    if (bound != NULL) {
        bound_restore(c, bound);
    }
    if (dst != temp) {
        emit(c, MOVE, dst, temp, 0);
    }
}

static void ifexp(struct compiler *c, struct expr *e, int dst)
{
    int32_t orelse = label_new(c), end = label_new(c);
    int base = c->unit->depth;
    expr_jump(c, e->ifexp.test, false, orelse);
    uint64_t *bound = bound_save(c);
    expr(c, e->ifexp.body, dst);
    temp_pop_to(c, base);
    emit_jump(c, JUMP, 0, 0, end);
    label_here(c, orelse);
    bound_restore(c, bound);
    expr(c, e->ifexp.orelse, dst);
    label_here(c, end);
    bound_restore(c, bound);
}

/* ---- comparisons ---- */

static const uint16_t compare_op[] = {
    [AST_EQ] = EQ,       [AST_NOTEQ] = NE,
    [AST_LT] = LT,       [AST_LTE] = LE,
    [AST_GT] = GT,       [AST_GTE] = GE,
    [AST_IS] = IS,       [AST_ISNOT] = IS_NOT,
    [AST_IN] = CONTAINS, [AST_NOTIN] = NOT_CONTAINS,
};
static const uint16_t compare_op_k[] = {
    [AST_EQ] = EQ_K,  [AST_NOTEQ] = NE_K, [AST_LT] = LT_K,
    [AST_LTE] = LE_K, [AST_GT] = GT_K,    [AST_GTE] = GE_K,
};
static const uint16_t jump_if[] = {
    [AST_EQ] = JIF_EQ, [AST_NOTEQ] = JIF_NE,     [AST_LT] = JIF_LT, [AST_LTE] = JIF_LE,
    [AST_GT] = JIF_GT, [AST_GTE] = JIF_GE,       [AST_IS] = JIF_IS, [AST_ISNOT] = JIF_IS_NOT,
    [AST_IN] = JIF_IN, [AST_NOTIN] = JIF_NOT_IN,
};
static const uint16_t jump_if_not[] = {
    [AST_EQ] = JIN_EQ,     [AST_NOTEQ] = JIN_NE, [AST_LT] = JIN_LT,     [AST_LTE] = JIN_LE,
    [AST_GT] = JIN_GT,     [AST_GTE] = JIN_GE,   [AST_IS] = JIF_IS_NOT, [AST_ISNOT] = JIF_IS,
    [AST_IN] = JIF_NOT_IN, [AST_NOTIN] = JIF_IN,
};
static const uint16_t jump_if_k[] = {
    [AST_EQ] = JIF_EQ_K,  [AST_NOTEQ] = JIF_NE_K, [AST_LT] = JIF_LT_K,
    [AST_LTE] = JIF_LE_K, [AST_GT] = JIF_GT_K,    [AST_GTE] = JIF_GE_K,
};
static const uint16_t jump_if_not_k[] = {
    [AST_EQ] = JIN_EQ_K,  [AST_NOTEQ] = JIN_NE_K, [AST_LT] = JIN_LT_K,
    [AST_LTE] = JIN_LE_K, [AST_GT] = JIN_GT_K,    [AST_GTE] = JIN_GE_K,
};

static const char *type_name(const struct expr *e);

/* `x is 1` tests what the language does not promise. */
static void check_compare(struct compiler *c, struct expr *e)
{
    struct expr *left = e->compare.left;
    for (size_t i = 0; i < e->compare.ops->len; i++) {
        struct expr *right = e->compare.comparators->items[i];
        unsigned op = e->compare.ops->items[i];
        struct expr *sides[] = {left, right};
        for (int k = 0; (op == AST_IS || op == AST_ISNOT) && k < 2; k++) {
            PyObject *value = is_const(sides[k]) ? sides[k]->constant.value : NULL;
            if (value != NULL && !Py_IsNone(value) && !PyBool_Check(value)
                && value != Py_Ellipsis) {
                c->pos = e->pos;
                warn_syntax(c,
                            op == AST_IS ? "\"is\" with '%.200s' literal. Did you mean \"==\"?"
                                         : "\"is not\" with '%.200s' literal. Did you mean \"!=\"?",
                            type_name(sides[k]));
                break;
            }
        }
        left = right;
    }
}

/* One comparison of r[left] with `right` into dst. */
static void compare_one(struct compiler *c, struct expr *e, unsigned op, int left,
                        struct expr *right, int dst)
{
    if (op <= AST_GTE && is_number_const(right)) {
        c->pos = e->pos;
        emit(c, compare_op_k[op], dst, left, (int)const_add(c, right->constant.value));
        return;
    }
    int reg = expr(c, right, ANY);
    c->pos = e->pos;
    emit(c, compare_op[op], dst, left, reg);
}

/* a < b < c: every comparison but the last leaves if it fails; b is evaluated once. */
static void compare_chain(struct compiler *c, struct expr *e, int dst)
{
    struct expr_seq *rights = e->compare.comparators;
    int base = c->unit->depth;
    int32_t cleanup = label_new(c), end = label_new(c);
    int left = expr_push(c, e->compare.left);
    size_t last = rights->len - 1;
    for (size_t i = 0; i < last; i++) {
        /* r[left] op r[right]; the right side is needed again and moves into left's place. */
        int right = expr_push(c, rights->items[i]);
        int copy = temp_push(c);
        c->pos = e->pos;
        temp_pop_to(c, copy);
        emit(c, COPY, copy, right, 0);
        temp_push(c);
        emit(c, SWAP, left, copy, 0);
        temp_pop_to(c, copy + 1);
        emit(c, compare_op[e->compare.ops->items[i]], right, copy, right);
        temp_pop_to(c, right + 1);
        emit_jump(c, JUMP_IF_FALSE_OR_DROP, right, 0, cleanup);
        temp_pop_to(c, right);
    }
    compare_one(c, e, e->compare.ops->items[last], left, rights->items[last], base);
    temp_pop_to(c, base + 1);
    emit_jump(c, JUMP, 0, 0, end);
    label_here(c, cleanup);
    temp_pop_to(c, base + 2);
    emit(c, SWAP, base, base + 1, 0);
    emit(c, DROP, base + 1, 0, 0);
    temp_pop_to(c, base + 1);
    label_here(c, end);
    if (dst != base) {
        emit(c, MOVE, dst, base, 0);
    }
}

static void compare(struct compiler *c, struct expr *e, int dst)
{
    check_compare(c, e);
    if (e->compare.ops->len > 1) {
        compare_chain(c, e, dst);
        return;
    }
    struct expr *right = e->compare.comparators->items[0];
    int left = expr_operand(c, e->compare.left, right);
    compare_one(c, e, e->compare.ops->items[0], left, right, dst);
}

static bool is_none(const struct expr *e)
{
    return is_const(e) && Py_IsNone(e->constant.value);
}

static void compare_jump(struct compiler *c, struct expr *e, bool when, int32_t label)
{
    check_compare(c, e);
    unsigned op = e->compare.ops->items[0];
    struct expr *right = e->compare.comparators->items[0];
    int base = c->unit->depth;
    int left = expr_operand(c, e->compare.left, right);
    if ((op == AST_IS || op == AST_ISNOT) && is_none(right)) {
        c->pos = e->pos;
        emit_jump(c, (op == AST_IS) == when ? JUMP_IF_NONE : JUMP_IF_NOT_NONE, left, 0, label);
    } else if (op <= AST_GTE && is_number_const(right)) {
        c->pos = e->pos;
        emit_jump(c, when ? jump_if_k[op] : jump_if_not_k[op], left,
                  (int)const_add(c, right->constant.value), label);
    } else {
        int reg = expr(c, right, ANY);
        c->pos = e->pos;
        emit_jump(c, when ? jump_if[op] : jump_if_not[op], left, reg, label);
    }
    temp_pop_to(c, base);
}

static void boolop_jump(struct compiler *c, struct expr *e, bool when, int32_t label)
{
    struct expr_seq *values = e->boolop.values;
    bool decides = e->op == AST_OR; /* the truth value that ends the evaluation early */
    int32_t through = decides == when ? label : label_new(c);
    uint64_t *bound = NULL;
    for (size_t i = 0; i + 1 < values->len; i++) {
        expr_jump(c, values->items[i], decides, through);
        if (bound == NULL) {
            bound = bound_save(c);
        }
    }
    expr_jump(c, values->items[values->len - 1], when, label);
    if (through != label) {
        label_here(c, through);
    }
    if (bound != NULL) {
        bound_restore(c, bound);
    }
}

static void ifexp_jump(struct compiler *c, struct expr *e, bool when, int32_t label)
{
    int32_t orelse = label_new(c), end = label_new(c);
    expr_jump(c, e->ifexp.test, false, orelse);
    uint64_t *bound = bound_save(c);
    expr_jump(c, e->ifexp.body, when, label);
    emit_jump(c, JUMP, 0, 0, end);
    label_here(c, orelse);
    bound_restore(c, bound);
    expr_jump(c, e->ifexp.orelse, when, label);
    label_here(c, end);
    bound_restore(c, bound);
}

static void jump_kind(struct compiler *c, struct expr *e, bool when, int32_t label)
{
    switch (e->kind) {
    case EXPR_UNARYOP:
        if (e->op == AST_NOT) {
            expr_jump(c, e->unaryop.operand, !when, label);
            return;
        }
        break;
    case EXPR_BOOLOP:
        boolop_jump(c, e, when, label);
        return;
    case EXPR_IFEXP:
        ifexp_jump(c, e, when, label);
        return;
    case EXPR_COMPARE:
        if (e->compare.ops->len == 1) {
            compare_jump(c, e, when, label);
            return;
        }
        break;
    case EXPR_CONSTANT: {
        int truth = PyObject_IsTrue(e->constant.value);
        if (truth < 0) {
            fail(c);
        } else if ((truth != 0) == when) {
            emit_jump(c, JUMP, 0, 0, label);
        } else {
            emit(c, NOP, 0, 0, 0);
        }
        return;
    }
    default:
        break;
    }
    int base = c->unit->depth;
    int reg = expr(c, e, ANY);
    c->pos = e->pos;
    emit_jump(c, when ? JUMP_IF_TRUE : JUMP_IF_FALSE, reg, 0, label);
    temp_pop_to(c, base);
}

void expr_jump(struct compiler *c, struct expr *e, bool when, int32_t label)
{
    if (c->failed || Py_EnterRecursiveCall(" during compilation")) {
        fail(c);
        return;
    }
    struct ast_pos saved = c->pos;
    c->pos = e->pos;
    jump_kind(c, e, when, label);
    c->pos = saved;
    Py_LeaveRecursiveCall();
}

/* ---- displays ---- */

enum { DISPLAY_LIMIT = 30 }; /* longer ones are filled one by one, to keep frames small */

static bool any_starred(const struct expr_seq *elts)
{
    for (size_t i = 0; i < elts->len; i++) {
        if (elts->items[i]->kind == EXPR_STARRED) {
            return true;
        }
    }
    return false;
}

/* The elements side by side in new temporaries; the first one's register. */
static int push_run(struct compiler *c, struct expr_seq *elts)
{
    int base = c->unit->depth;
    bool stable = true;
    for (size_t i = 0; i < elts->len && stable; i++) {
        stable = !expr_unstable(c, elts->items[i]);
    }
    for (size_t i = 0; i < elts->len; i++) {
        expr_lend(c, elts->items[i], stable);
    }
    return base;
}

/* A constant tuple of all elements if all are constants (borrowed), or NULL. */
static PyObject *const_elements(struct compiler *c, struct expr_seq *elts)
{
    for (size_t i = 0; i < elts->len; i++) {
        if (!is_const(elts->items[i])) {
            return NULL;
        }
    }
    PyObject *tuple = keep(c, PyTuple_New((Py_ssize_t)elts->len));
    for (size_t i = 0; tuple != NULL && i < elts->len; i++) {
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(elts->items[i]->constant.value));
    }
    return tuple;
}

/* A list or set of the elements, some starred or many, into temp `into` (the next one). */
static void fill_display(struct compiler *c, struct expr_seq *elts, bool set, int into)
{
    int list = temp_push(c);
    size_t i = 0;
    PyObject *constants = elts->len >= 3 ? const_elements(c, elts) : NULL;
    c->unit->depth = list;
    if (constants != NULL) {
        if (set) {
            constants = keep(c, PyFrozenSet_New(constants));
            if (constants == NULL) {
                return;
            }
        }
        emit(c, set ? BUILD_SET : BUILD_LIST, list, list, 0);
        temp_push(c);
        int reg = c->unit->depth;
        load_const(c, reg, constants);
        temp_push(c);
        emit(c, set ? SET_UPDATE : LIST_EXTEND, list, reg, 0);
        temp_pop_to(c, into);
        return;
    }
    while (i < elts->len && i < DISPLAY_LIMIT && elts->items[i]->kind != EXPR_STARRED) {
        expr_push(c, elts->items[i++]);
    }
    struct ast_pos pos = c->pos;
    emit(c, set ? BUILD_SET : BUILD_LIST, list, list, (int)i);
    temp_pop_to(c, list + 1);
    for (; i < elts->len; i++) {
        struct expr *item = elts->items[i];
        bool starred = item->kind == EXPR_STARRED;
        int reg = expr(c, starred ? item->starred.value : item, ANY);
        c->pos = pos;
        emit(c, starred ? (set ? SET_UPDATE : LIST_EXTEND) : (set ? SET_ADD : LIST_APPEND), list,
             reg, 0);
        temp_pop_to(c, list + 1);
    }
    temp_pop_to(c, into);
}

/* A tuple, list or set display into dst. */
static void display(struct compiler *c, struct expr *e, struct expr_seq *elts, enum opcode build,
                    int dst)
{
    int base = c->unit->depth;
    if (build == BUILD_TUPLE) {
        PyObject *constants = const_elements(c, elts);
        if (constants != NULL) {
            load_const(c, dst, constants);
            return;
        }
    }
    if (elts->len <= DISPLAY_LIMIT && !any_starred(elts)
        && !(build != BUILD_TUPLE && elts->len >= 3 && const_elements(c, elts) != NULL)) {
        push_run(c, elts);
        c->pos = e->pos;
        emit(c, build, dst, base, (int)elts->len);
        return;
    }
    fill_display(c, elts, build == BUILD_SET, base);
    c->pos = e->pos;
    temp_push(c);
    if (build == BUILD_TUPLE) {
        emit(c, LIST_TO_TUPLE, dst, base, 0);
    } else if (dst != base) {
        emit(c, MOVE, dst, base, 0);
    }
}

static void dict_display(struct compiler *c, struct expr *e, int dst)
{
    struct expr_seq *keys = e->dict.keys, *values = e->dict.values;
    int base = c->unit->depth;
    bool have = false;
    size_t run = 0;
    for (size_t i = 0; i <= keys->len; i++) {
        bool update = i < keys->len && keys->items[i] == NULL;
        if ((i == keys->len || update || run == DISPLAY_LIMIT / 2) && (run != 0 || !have)) {
            int first = c->unit->depth - 2 * (int)run;
            c->pos = e->pos;
            if (!have && i == keys->len) {
                emit(c, BUILD_MAP, dst, first, (int)run);
                return;
            }
            if (!have) {
                emit(c, BUILD_MAP, base, first, (int)run);
                temp_pop_to(c, base);
                temp_push(c);
                have = true;
            } else {
                emit(c, BUILD_MAP, first, first, (int)run);
                temp_pop_to(c, first + 1);
                emit(c, DICT_UPDATE, base, first, 0);
                temp_pop_to(c, base + 1);
            }
            run = 0;
        }
        if (i == keys->len) {
            break;
        }
        if (update) {
            int reg = expr(c, values->items[i], ANY);
            c->pos = e->pos;
            emit(c, DICT_UPDATE, base, reg, 0);
            temp_pop_to(c, base + 1);
        } else {
            expr_push(c, keys->items[i]);
            expr_push(c, values->items[i]);
            run++;
        }
    }
    if (dst != base) {
        emit(c, MOVE, dst, base, 0);
    }
}

/* ---- strings ---- */

static void formatted_value(struct compiler *c, struct expr *e, int dst)
{
    int reg = expr_operand(c, e->formattedvalue.value, e->formattedvalue.format_spec);
    c->pos = e->pos;
    if (e->formattedvalue.conversion != -1) {
        int kind = e->formattedvalue.conversion == 's'   ? 1
                   : e->formattedvalue.conversion == 'r' ? 2
                                                         : 3;
        int temp = is_local(c, reg) ? c->unit->depth : reg;
        emit(c, CONVERT, temp, reg, kind);
        if (temp == c->unit->depth) {
            temp_push(c);
        }
        reg = temp;
    }
    if (e->formattedvalue.format_spec == NULL) {
        emit(c, FORMAT_SIMPLE, dst, reg, 0);
        return;
    }
    int spec = expr(c, e->formattedvalue.format_spec, ANY);
    c->pos = e->pos;
    emit(c, FORMAT_SPEC, dst, reg, spec);
}

static void joined_str(struct compiler *c, struct expr *e, int dst)
{
    struct expr_seq *values = e->joinedstr.values;
    int base = c->unit->depth;
    if (values->len <= DISPLAY_LIMIT) {
        for (size_t i = 0; i < values->len; i++) {
            expr_push(c, values->items[i]);
        }
        c->pos = e->pos;
        emit(c, BUILD_STRING, dst, base, (int)values->len);
        return;
    }
    /* "".join(list) for the very long ones */
    PyObject *empty = keep(c, PyUnicode_FromStringAndSize(NULL, 0));
    if (empty == NULL) {
        return;
    }
    load_const(c, base, empty);
    temp_push(c);
    emit(c, LOAD_METHOD, base, base, (int)name_site(c, ID(join)));
    temp_push(c);
    int list = c->unit->depth;
    emit(c, BUILD_LIST, list, list, 0);
    temp_push(c);
    for (size_t i = 0; i < values->len; i++) {
        int reg = expr(c, values->items[i], ANY);
        c->pos = e->pos;
        emit(c, LIST_APPEND, list, reg, 0);
        temp_pop_to(c, list + 1);
    }
    call_window(c, base, 1, dst);
}

/* ---- subscripts ---- */

/* The type a literal surely has, or NULL. */
static const char *literal_type(const struct expr *e)
{
    switch (e->kind) {
    case EXPR_TUPLE:
        return "tuple";
    case EXPR_LIST:
    case EXPR_LISTCOMP:
        return "list";
    case EXPR_DICT:
    case EXPR_DICTCOMP:
        return "dict";
    case EXPR_SET:
    case EXPR_SETCOMP:
        return "set";
    case EXPR_GENERATOREXP:
        return "generator";
    case EXPR_LAMBDA:
        return "function";
    case EXPR_JOINEDSTR:
    case EXPR_FORMATTEDVALUE:
        return "str";
    case EXPR_CONSTANT:
        return Py_TYPE(e->constant.value)->tp_name;
    default:
        return NULL;
    }
}

static const char *type_name(const struct expr *e)
{
    return literal_type(e);
}

static void check_subscript(struct compiler *c, struct expr *e)
{
    struct expr *value = e->subscript.value, *index = e->subscript.slice;
    bool plain =
        value->kind == EXPR_SET || value->kind == EXPR_SETCOMP || value->kind == EXPR_GENERATOREXP
        || value->kind == EXPR_LAMBDA
        || (is_const(value)
            && (Py_IsNone(value->constant.value) || value->constant.value == Py_Ellipsis
                || PyLong_CheckExact(value->constant.value) || PyBool_Check(value->constant.value)
                || PyFloat_CheckExact(value->constant.value)
                || PyComplex_CheckExact(value->constant.value)
                || PyAnySet_CheckExact(value->constant.value)));
    if (plain) {
        c->pos = e->pos;
        warn_syntax(c, "'%.200s' object is not subscriptable; perhaps you missed a comma?",
                    literal_type(value));
        return;
    }
    bool sequence = value->kind == EXPR_TUPLE || value->kind == EXPR_LIST
                    || value->kind == EXPR_LISTCOMP || value->kind == EXPR_JOINEDSTR
                    || value->kind == EXPR_FORMATTEDVALUE
                    || (is_const(value)
                        && (PyTuple_CheckExact(value->constant.value)
                            || PyUnicode_CheckExact(value->constant.value)
                            || PyBytes_CheckExact(value->constant.value)));
    const char *index_type = literal_type(index);
    if (sequence && index_type != NULL && index->kind != EXPR_SLICE
        && !(is_const(index)
             && (PyLong_Check(index->constant.value) || PySlice_Check(index->constant.value)))) {
        c->pos = e->pos;
        warn_syntax(c,
                    "%.200s indices must be integers or slices, not %.200s; "
                    "perhaps you missed a comma?",
                    literal_type(value), index_type);
    }
}

/* start and stop (None where absent) in two new temporaries, and step in a third if there is one. */
static int push_slice(struct compiler *c, struct expr *e)
{
    int base = c->unit->depth;
    struct expr *parts[] = {e->slice.lower, e->slice.upper, e->slice.step};
    for (int i = 0; i < (e->slice.step != NULL ? 3 : 2); i++) {
        if (parts[i] != NULL) {
            expr_push(c, parts[i]);
        } else {
            load_none(c, c->unit->depth);
            temp_push(c);
        }
    }
    return base;
}

static void slice(struct compiler *c, struct expr *e, int dst)
{
    int base = push_slice(c, e);
    c->pos = e->pos;
    emit(c, BUILD_SLICE, dst, base, e->slice.step != NULL ? 3 : 2);
}

static void subscript_load(struct compiler *c, struct expr *e, int dst)
{
    struct expr *index = e->subscript.slice;
    check_subscript(c, e);
    int object = expr_operand(c, e->subscript.value, index);
    if (index->kind == EXPR_SLICE && index->slice.step == NULL) {
        int base = push_slice(c, index);
        c->pos = e->pos;
        emit(c, GET_SLICE, dst, object, base);
    } else if (is_const(index)) {
        c->pos = e->pos;
        emit(c, GET_ITEM_K, dst, object, (int)const_add(c, index->constant.value));
    } else {
        int key = expr(c, index, ANY);
        c->pos = e->pos;
        emit(c, GET_ITEM, dst, object, key);
    }
}

/* ---- attributes ---- */

/* super().name and super(type, self).name in a method need no super object. */
static bool is_super_call(struct compiler *c, struct expr *e)
{
    if (e->kind != EXPR_CALL || e->call.func->kind != EXPR_NAME || e->call.keywords->len != 0
        || !PyUnicode_EqualToUTF8AndSize(e->call.func->name.id, "super", 5)
        || c->unit->block->kind != BLOCK_FUNCTION || c->unit->comp != NULL
        || place_of(c, e->call.func->name.id).kind != PLACE_GLOBAL) {
        return false;
    }
    struct unit *module = c->unit;
    while (module->outer != NULL) {
        module = module->outer;
    }
    if (block_symbol(module->block, e->call.func->name.id) != NULL
        && (block_symbol(module->block, e->call.func->name.id)->flags & SYM_BOUND)) {
        return false;
    }
    if (e->call.args->len == 2) {
        return !any_starred(e->call.args);
    }
    return e->call.args->len == 0 && c->unit->argcount > 0 && cell_register(c, ID(__class__)) >= 0
           && c->unit->block->comprehension == COMP_NONE;
}

bool super_push(struct compiler *c, struct expr *e)
{
    if (!is_super_call(c, e)) {
        return false;
    }
    expr_push(c, e->call.func);
    if (e->call.args->len == 2) {
        expr_push(c, e->call.args->items[0]);
        expr_push(c, e->call.args->items[1]);
        return true;
    }
    c->pos = e->pos;
    emit(c, GET_DEREF, c->unit->depth, cell_register(c, ID(__class__)), 0);
    temp_push(c);
    name_load(c, c->unit->block->params[0], c->unit->depth);
    temp_push(c);
    return true;
}

/* The dot's own line, so that a chain of calls over several lines shows the right one. */
void attribute_pos(struct compiler *c, const struct expr *e)
{
    c->pos = e->pos;
    if (e->pos.line != e->pos.end_line) {
        Py_ssize_t length = PyUnicode_GET_LENGTH(e->attribute.attr);
        c->pos.line = e->pos.end_line;
        c->pos.col = length <= e->pos.end_col ? e->pos.end_col - (int)length : 0;
        if (length > e->pos.end_col) {
            c->pos.end_col = c->pos.col = -1;
        }
    }
}

void super_attribute_line(struct compiler *c, const struct expr *e)
{
    int line = e->attribute.value->pos.line;
    attribute_pos(c, e);
    if (c->pos.line != line) {
        emit(c, NOP, 0, 0, 0);
    }
}

static void attribute_load(struct compiler *c, struct expr *e, int dst)
{
    int base = c->unit->depth;
    if (super_push(c, e->attribute.value)) {
        c->pos = e->attribute.value->pos;
        PyObject *name = mangled(c, e->attribute.attr);
        if (name != NULL) {
            uint32_t two = e->attribute.value->call.args->len == 2;
            emit(c, LOAD_SUPER_ATTR, dst, base, (int)site_new(c, name_add(c, name), two));
            super_attribute_line(c, e);
        }
        return;
    }
    int object = expr(c, e->attribute.value, ANY);
    attribute_pos(c, e);
    PyObject *name = mangled(c, e->attribute.attr);
    if (name != NULL) {
        emit(c, GET_ATTR, dst, object, (int)name_site(c, name));
    }
}

/* ---- suspension ---- */

void emit_send_loop(struct compiler *c, int reg, int resume_kind)
{
    int value = c->unit->depth;
    load_none(c, value);
    temp_push(c);
    int32_t send = label_new(c), done = label_new(c), thrown = label_new(c);
    label_here(c, send);
    emit_jump(c, SEND, reg, value, done);
    handler_push(c, thrown, value, false);
    emit(c, YIELD, value, value, 1);
    emit(c, RESUME, 0, 0, resume_kind);
    handler_pop(c);
    emit_jump(c, JUMP_BACK, 0, 0, send);
    label_here(c, thrown);
    temp_pop_to(c, value + 1);
    emit(c, CLEANUP_THROW, reg, 0, 0);
    temp_pop_to(c, value);
    label_here(c, done);
}

void emit_await(struct compiler *c, int reg, int where)
{
    emit(c, GET_AWAITABLE, reg, reg, where);
    emit_send_loop(c, reg, 3);
}

/* A plain def that awaits has a block marked as a coroutine too: `async` tells what it really is. */
static bool may_await(const struct compiler *c)
{
    return c->unit->async;
}

static void await(struct compiler *c, struct expr *e, int dst)
{
    if (!may_await(c)) {
        if (!block_is_function_like(c->unit->block)) {
            if (!(c->flags & PyCF_ALLOW_TOP_LEVEL_AWAIT)) {
                fail_syntax(c, "'await' outside function");
            }
        } else {
            fail_syntax(c, "'await' outside async function");
        }
    }
    int reg = expr_push(c, e->await.value);
    c->pos = e->pos;
    emit_await(c, reg, 0);
    if (dst != reg) {
        emit(c, MOVE, dst, reg, 0);
    }
}

static void yield(struct compiler *c, struct expr *e, int dst)
{
    if (!block_is_function_like(c->unit->block)) {
        fail_syntax(c, "'yield' outside function");
    }
    int temp = c->unit->depth;
    if (e->yield.value != NULL) {
        expr_push(c, e->yield.value);
    } else {
        load_none(c, temp);
        temp_push(c);
    }
    c->pos = e->pos;
    if (c->unit->block->coroutine) {
        emit(c, INTRINSIC1, temp, temp, INTRINSIC_ASYNC_GEN_WRAP);
    }
    emit(c, YIELD, dst, temp, 0);
    temp_pop_to(c, dst == temp ? temp + 1 : temp);
    emit(c, RESUME, 0, 0, 1);
}

static void yield_from(struct compiler *c, struct expr *e, int dst)
{
    if (!block_is_function_like(c->unit->block)) {
        fail_syntax(c, "'yield from' outside function");
    }
    if (c->unit->async) {
        fail_syntax(c, "'yield from' inside async function");
    }
    int reg = expr_push(c, e->yieldfrom.value);
    c->pos = e->pos;
    emit(c, GET_YIELD_FROM_ITER, reg, reg, 0);
    emit_send_loop(c, reg, 2);
    if (dst != reg) {
        emit(c, MOVE, dst, reg, 0);
    }
}

static void named_expr(struct compiler *c, struct expr *e, int dst)
{
    int temp = c->unit->depth;
    expr_push(c, e->namedexpr.value);
    emit(c, COPY, c->unit->depth, temp, 0);
    int copy = temp_push(c);
    c->pos = e->namedexpr.target->pos;
    name_store(c, e->namedexpr.target->name.id, copy);
    temp_pop_to(c, temp + 1);
    if (dst != temp) {
        emit(c, MOVE, dst, temp, 0);
    }
}

/* ---- dispatch ---- */

static void expr_into(struct compiler *c, struct expr *e, int dst)
{
    switch ((enum expr_kind)e->kind) {
    case EXPR_BOOLOP:
        boolop(c, e, dst);
        return;
    case EXPR_NAMEDEXPR:
        named_expr(c, e, dst);
        return;
    case EXPR_BINOP:
        binop(c, e, dst);
        return;
    case EXPR_UNARYOP:
        unaryop(c, e, dst);
        return;
    case EXPR_LAMBDA:
        lambda_expr(c, e, dst);
        return;
    case EXPR_IFEXP:
        ifexp(c, e, dst);
        return;
    case EXPR_DICT:
        dict_display(c, e, dst);
        return;
    case EXPR_SET:
        display(c, e, e->set.elts, BUILD_SET, dst);
        return;
    case EXPR_LISTCOMP:
    case EXPR_SETCOMP:
    case EXPR_DICTCOMP:
    case EXPR_GENERATOREXP:
        comprehension_expr(c, e, dst);
        return;
    case EXPR_AWAIT:
        await(c, e, dst);
        return;
    case EXPR_YIELD:
        yield(c, e, dst);
        return;
    case EXPR_YIELDFROM:
        yield_from(c, e, dst);
        return;
    case EXPR_COMPARE:
        compare(c, e, dst);
        return;
    case EXPR_CALL:
        call_expr(c, e, dst);
        return;
    case EXPR_FORMATTEDVALUE:
        formatted_value(c, e, dst);
        return;
    case EXPR_JOINEDSTR:
        joined_str(c, e, dst);
        return;
    case EXPR_CONSTANT:
        load_const(c, dst, e->constant.value);
        return;
    case EXPR_ATTRIBUTE:
        attribute_load(c, e, dst);
        return;
    case EXPR_SUBSCRIPT:
        subscript_load(c, e, dst);
        return;
    case EXPR_STARRED:
        fail_syntax(c, e->ctx == AST_STORE ? "starred assignment target must be in a list or tuple"
                                           : "can't use starred expression here");
        return;
    case EXPR_NAME:
        name_load(c, e->name.id, dst);
        return;
    case EXPR_LIST:
        display(c, e, e->list.elts, BUILD_LIST, dst);
        return;
    case EXPR_TUPLE:
        display(c, e, e->tuple.elts, BUILD_TUPLE, dst);
        return;
    case EXPR_SLICE:
        slice(c, e, dst);
        return;
    case EXPR_KINDS:
        break;
    }
    Py_UNREACHABLE();
}

int expr(struct compiler *c, struct expr *e, int dst)
{
    int base = c->unit->depth;
    if (c->failed || Py_EnterRecursiveCall(" during compilation")) {
        fail(c);
        return dst == ANY ? temp_push(c) : dst;
    }
    struct ast_pos saved = c->pos;
    c->pos = e->pos;
    int reg = dst;
    if (dst == ANY && e->kind == EXPR_NAME) {
        reg = name_register(c, e->name.id);
    }
    if (dst == ANY && reg == ANY) {
        expr_into(c, e, base);
        temp_pop_to(c, base);
        reg = temp_push(c);
    } else if (dst != ANY) {
        expr_into(c, e, dst);
        temp_pop_to(c, base);
    }
    c->pos = saved;
    Py_LeaveRecursiveCall();
    return reg;
}

/* ---- targets ---- */

/* The one starred element of an unpacking target; its index, or SIZE_MAX. */
static size_t starred_index(struct compiler *c, struct expr_seq *elts)
{
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < elts->len; i++) {
        if (elts->items[i]->kind == EXPR_STARRED) {
            if (found != SIZE_MAX) {
                fail_syntax(c, "multiple starred expressions in assignment");
            }
            found = i;
        }
    }
    if (found != SIZE_MAX && (found >= 1 << 8 || elts->len - found - 1 >= INT32_MAX >> 8)) {
        fail_syntax(c, "too many expressions in star-unpacking assignment");
    }
    return found;
}

static void unpack(struct compiler *c, struct expr_seq *elts, int src)
{
    struct unit *u = c->unit;
    /* If the source is a temporary it is the top one: its place is the first value's. */
    int base = is_local(c, src) ? u->depth : src;
    size_t star = starred_index(c, elts);
    if (star == SIZE_MAX) {
        emit(c, UNPACK_SEQ, base, src, (int)elts->len);
    } else {
        emit(c, UNPACK_EX, base, src, (int)(star | (elts->len - star - 1) << 8));
    }
    temp_pop_to(c, base + (int)elts->len);
    if (u->depth > u->nregs) {
        u->nregs = u->depth;
    }
    /* The first value lies on top. */
    for (size_t i = 0; i < elts->len; i++) {
        struct expr *target = elts->items[i];
        target_store(c, target->kind == EXPR_STARRED ? target->starred.value : target,
                     base + (int)(elts->len - 1 - i));
    }
    temp_pop_to(c, base);
}

static void note_static_attribute(struct compiler *c, struct expr *target)
{
    struct expr *object = target->attribute.value;
    if (object->kind != EXPR_NAME || !PyUnicode_EqualToUTF8AndSize(object->name.id, "self", 4)) {
        return;
    }
    for (struct unit *u = c->unit; u != NULL; u = u->outer) {
        if (u->block->kind != BLOCK_CLASS) {
            continue;
        }
        int known = PySequence_Contains(u->static_attributes, target->attribute.attr);
        if (known < 0
            || (!known && PyList_Append(u->static_attributes, target->attribute.attr) < 0)) {
            fail(c);
        }
        return;
    }
}

static void attribute_store(struct compiler *c, struct expr *target, int src)
{
    note_static_attribute(c, target);
    int object = expr(c, target->attribute.value, ANY);
    attribute_pos(c, target);
    PyObject *name = mangled(c, target->attribute.attr);
    if (name != NULL) {
        emit(c, SET_ATTR, object, src, (int)name_site(c, name));
    }
}

void target_store(struct compiler *c, struct expr *target, int src)
{
    int base = is_local(c, src) ? c->unit->depth : src;
    struct ast_pos saved = c->pos;
    c->pos = target->pos;
    switch (target->kind) {
    case EXPR_NAME:
        name_store(c, target->name.id, src);
        break;
    case EXPR_ATTRIBUTE:
        attribute_store(c, target, src);
        break;
    case EXPR_SUBSCRIPT: {
        int object = expr_operand(c, target->subscript.value, target->subscript.slice);
        int key = expr(c, target->subscript.slice, ANY);
        c->pos = target->pos;
        emit(c, SET_ITEM, object, key, src);
        break;
    }
    case EXPR_LIST:
        unpack(c, target->list.elts, src);
        break;
    case EXPR_TUPLE:
        unpack(c, target->tuple.elts, src);
        break;
    case EXPR_STARRED:
        fail_syntax(c, "starred assignment target must be in a list or tuple");
        break;
    default:
        PyErr_SetString(PyExc_SystemError, "bad assignment target");
        fail(c);
    }
    c->pos = saved;
    temp_pop_to(c, base);
}

void target_delete(struct compiler *c, struct expr *target)
{
    int base = c->unit->depth;
    struct ast_pos saved = c->pos;
    c->pos = target->pos;
    switch (target->kind) {
    case EXPR_NAME:
        name_delete(c, target->name.id);
        break;
    case EXPR_ATTRIBUTE: {
        int object = expr(c, target->attribute.value, ANY);
        attribute_pos(c, target);
        PyObject *name = mangled(c, target->attribute.attr);
        if (name != NULL) {
            emit(c, DEL_ATTR, object, 0, (int)name_site(c, name));
        }
        break;
    }
    case EXPR_SUBSCRIPT: {
        int object = expr_operand(c, target->subscript.value, target->subscript.slice);
        int key = expr(c, target->subscript.slice, ANY);
        c->pos = target->pos;
        emit(c, DEL_ITEM, object, key, 0);
        break;
    }
    case EXPR_LIST:
    case EXPR_TUPLE: {
        struct expr_seq *elts = target->kind == EXPR_LIST ? target->list.elts : target->tuple.elts;
        for (size_t i = 0; i < elts->len; i++) {
            target_delete(c, elts->items[i]);
        }
        break;
    }
    default:
        PyErr_SetString(PyExc_SystemError, "bad deletion target");
        fail(c);
    }
    c->pos = saved;
    temp_pop_to(c, base);
}
