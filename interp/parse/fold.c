/* Constant folding on the tree: what compile() computes before it makes code.

   Goes through all nodes by the table of the grammar, children first; the few kinds that can be
   folded are treated by name.  An operation that raises is left for run time. */

#include "ast_table.h"
#include "parse.h"

#include <string.h>

#ifndef CO_FUTURE_ANNOTATIONS
#define CO_FUTURE_ANNOTATIONS 0x1000000
#endif

/* Results may not be larger than this. */
enum {
    MAX_INT_BITS = 128,
    MAX_COLLECTION_ITEMS = 256,
    MAX_STR_CHARS = 4096,
    MAX_TOTAL_ITEMS = 1024,
};

struct folder {
    struct arena *arena;
    int optimize;
    bool keep_annotations; /* they will be strings */
};

static int fold_expr(struct folder *f, struct expr **slot);
static int fold_group(struct folder *f, int group, void **slot);

/* ---- constants ---- */

static bool is_constant(const struct expr *e)
{
    return e->kind == EXPR_CONSTANT;
}

/* Replaces a node by a Constant.  `value` is stolen; NULL with an exception means that nothing is
   folded, unless the exception must be seen. */
static int replace(struct folder *f, struct expr **slot, PyObject *value)
{
    if (value == NULL) {
        if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) {
            return -1;
        }
        PyErr_Clear();
        return 0;
    }
    value = arena_own(f->arena, value);
    struct expr *e = value ? ast_expr_new(f->arena, EXPR_CONSTANT, &(*slot)->pos) : NULL;
    if (e == NULL) {
        return -1;
    }
    e->constant.value = value;
    *slot = e;
    return 0;
}

/* All elements as a tuple (new reference), NULL without an exception if one is not constant. */
static PyObject *constant_tuple(const struct expr_seq *elts)
{
    for (size_t i = 0; i < elts->len; i++) {
        if (!is_constant(elts->items[i])) {
            return NULL;
        }
    }
    PyObject *tuple = PyTuple_New((Py_ssize_t)elts->len);
    for (size_t i = 0; tuple != NULL && i < elts->len; i++) {
        PyTuple_SET_ITEM(tuple, (Py_ssize_t)i, Py_NewRef(elts->items[i]->constant.value));
    }
    return tuple;
}

static int fold_tuple(struct folder *f, struct expr **slot)
{
    if ((*slot)->ctx != AST_LOAD) {
        return 0;
    }
    PyObject *tuple = constant_tuple((*slot)->tuple.elts);
    if (tuple == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    return replace(f, slot, tuple);
}

/* What is only iterated over or searched: a list can be a tuple, a set of constants a frozenset. */
static int fold_iterable(struct folder *f, struct expr **slot)
{
    struct expr *e = *slot;
    if (e->kind == EXPR_LIST) {
        for (size_t i = 0; i < e->list.elts->len; i++) {
            if (e->list.elts->items[i]->kind == EXPR_STARRED) {
                return 0;
            }
        }
        e->kind = EXPR_TUPLE; /* both have only their elements */
        return fold_tuple(f, slot);
    }
    if (e->kind != EXPR_SET) {
        return 0;
    }
    PyObject *tuple = constant_tuple(e->set.elts);
    if (tuple == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    PyObject *set = PyFrozenSet_New(tuple);
    Py_DECREF(tuple);
    return replace(f, slot, set);
}

/* ---- operators ---- */

/* Bits of an int's magnitude, or a large number. */
static long long bit_length(PyObject *value)
{
    PyObject *bits = PyObject_CallMethod(value, "bit_length", NULL);
    long long result = bits ? PyLong_AsLongLong(bits) : -1;
    Py_XDECREF(bits);
    if (result < 0) {
        PyErr_Clear();
        return 1LL << 60;
    }
    return result;
}

static bool both_ints(PyObject *a, PyObject *b)
{
    return PyLong_Check(a) && PyLong_Check(b);
}

/* A small int's value; `limit` + 1 if it is larger, -1 if it is negative. */
static long long small_int(PyObject *value, long long limit)
{
    int overflow;
    long long result = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow > 0 || result > limit) {
        return limit + 1;
    }
    return overflow < 0 || result < 0 ? -1 : result;
}

/* What remains of `limit` after all items in a constant, down to its depth; negative: too many. */
static Py_ssize_t count_items(PyObject *value, Py_ssize_t limit)
{
    if (PyTuple_Check(value)) {
        limit -= PyTuple_GET_SIZE(value);
        for (Py_ssize_t i = 0; limit >= 0 && i < PyTuple_GET_SIZE(value); i++) {
            limit = count_items(PyTuple_GET_ITEM(value, i), limit);
        }
    } else if (PyFrozenSet_CheckExact(value)) {
        /* Elements of a frozenset are hashable and were counted when it was made. */
        limit -= PySet_GET_SIZE(value);
    }
    return limit;
}

static PyObject *repeat(PyObject *times, PyObject *sequence)
{
    Py_ssize_t size = PyObject_Size(sequence);
    if (size < 0) {
        return NULL;
    }
    if (size > 0) {
        bool is_tuple = PyTuple_Check(sequence);
        Py_ssize_t limit = is_tuple ? MAX_COLLECTION_ITEMS : MAX_STR_CHARS;
        long long n = small_int(times, limit);
        if (n < 0 || n > limit / size
            || (is_tuple && n > 0 && count_items(sequence, MAX_TOTAL_ITEMS / (Py_ssize_t)n) < 0)) {
            return NULL;
        }
    }
    return PyNumber_Multiply(sequence, times);
}

static bool is_repeatable(PyObject *value)
{
    return PyTuple_Check(value) || PyUnicode_Check(value) || PyBytes_Check(value);
}

/* NULL without an exception: the result would be too large, or the operation is left alone. */
static PyObject *multiply(PyObject *a, PyObject *b)
{
    if (both_ints(a, b) && bit_length(a) + bit_length(b) > MAX_INT_BITS && small_int(a, 0) != 0
        && small_int(b, 0) != 0) {
        return NULL;
    }
    if (PyLong_Check(a) && is_repeatable(b)) {
        return repeat(a, b);
    }
    if (PyLong_Check(b) && is_repeatable(a)) {
        return repeat(b, a);
    }
    return PyNumber_Multiply(a, b);
}

static PyObject *power(PyObject *a, PyObject *b)
{
    if (both_ints(a, b) && small_int(b, 0) > 0) {
        long long exponent = small_int(b, MAX_INT_BITS);
        if (bit_length(a) > MAX_INT_BITS / exponent) {
            return NULL;
        }
    }
    return PyNumber_Power(a, b, Py_None);
}

static PyObject *shift_left(PyObject *a, PyObject *b)
{
    if (both_ints(a, b) && small_int(a, 0) != 0 && small_int(b, 0) != 0) {
        long long shift = small_int(b, MAX_INT_BITS);
        if (shift < 0 || shift > MAX_INT_BITS || bit_length(a) > MAX_INT_BITS - shift) {
            return NULL;
        }
    }
    return PyNumber_Lshift(a, b);
}

static PyObject *compute(int op, PyObject *a, PyObject *b)
{
    switch (op) {
    case AST_ADD:
        return PyNumber_Add(a, b);
    case AST_SUB:
        return PyNumber_Subtract(a, b);
    case AST_MULT:
        return multiply(a, b);
    case AST_DIV:
        return PyNumber_TrueDivide(a, b);
    case AST_MOD:
        return PyUnicode_Check(a) || PyBytes_Check(a) ? NULL : PyNumber_Remainder(a, b);
    case AST_POW:
        return power(a, b);
    case AST_LSHIFT:
        return shift_left(a, b);
    case AST_RSHIFT:
        return PyNumber_Rshift(a, b);
    case AST_BITOR:
        return PyNumber_Or(a, b);
    case AST_BITXOR:
        return PyNumber_Xor(a, b);
    case AST_BITAND:
        return PyNumber_And(a, b);
    case AST_FLOORDIV:
        return PyNumber_FloorDivide(a, b);
    default:
        return NULL; /* no constants have `@` */
    }
}

/* ---- '...' % (a, b) ---- */

struct format {
    PyObject *text;
    Py_ssize_t pos, len;
    struct expr **parts; /* room for as many as there can be */
    size_t count;
};

static struct expr *new_constant(struct folder *f, PyObject *value, const struct ast_pos *pos)
{
    value = arena_own(f->arena, value);
    struct expr *e = value ? ast_expr_new(f->arena, EXPR_CONSTANT, pos) : NULL;
    if (e != NULL) {
        e->constant.value = value;
    }
    return e;
}

static const struct ast_pos nowhere = {-1, -1, -1, -1};

/* Text up to the next conversion, with `%%` as one sign.  -1 on failure. */
static int format_literal(struct folder *f, struct format *format)
{
    Py_UCS4 *buffer = PyMem_Malloc(sizeof(Py_UCS4) * (size_t)(format->len - format->pos + 1));
    Py_ssize_t used = 0;
    if (buffer == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    while (format->pos < format->len) {
        Py_UCS4 c = PyUnicode_READ_CHAR(format->text, format->pos);
        if (c == '%') {
            if (format->pos + 1 >= format->len
                || PyUnicode_READ_CHAR(format->text, format->pos + 1) != '%') {
                break;
            }
            format->pos++;
        }
        buffer[used++] = c;
        format->pos++;
    }
    struct expr *e = NULL;
    if (used > 0) {
        e = new_constant(f, PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, buffer, used),
                         &nowhere);
    }
    PyMem_Free(buffer);
    if (e != NULL) {
        format->parts[format->count++] = e;
    }
    return used > 0 && e == NULL ? -1 : 0;
}

static int next_char(struct format *format)
{
    if (format->pos >= format->len) {
        return -1;
    }
    Py_UCS4 c = PyUnicode_READ_CHAR(format->text, format->pos++);
    return c < 128 ? (int)c : -1;
}

/* A number of at most two digits that begins with `c`; -1: longer.  *next: what follows. */
static int format_number(struct format *format, int c, int *next)
{
    int value = 0, digits = 0;
    for (; c >= '0' && c <= '9'; c = next_char(format)) {
        value = value * 10 + (c - '0');
        if (++digits > 2) {
            return -1;
        }
    }
    *next = c;
    return value;
}

/* %[flags][width][.precision]s as a FormattedValue.  1: done, 0: not possible, -1: failure. */
static int format_conversion(struct folder *f, struct format *format, struct expr *value)
{
    char spec[32], *to = spec;
    bool left = false;
    int c, width = -1, precision = -1;
    format->pos++; /* the % sign */
    for (c = next_char(format); c > 0 && strchr("-+ #0", c) != NULL; c = next_char(format)) {
        left |= c == '-';
    }
    if (c >= '0' && c <= '9') {
        width = format_number(format, c, &c);
        if (width < 0) {
            return 0;
        }
    }
    if (c == '.') {
        precision = format_number(format, next_char(format), &c);
        if (precision < 0) {
            return 0;
        }
    }
    if (c != 's' && c != 'r' && c != 'a') {
        return 0;
    }
    if (!left && width > 0) {
        *to++ = '>';
    }
    if (width >= 0) {
        to += sprintf(to, "%d", width);
    }
    if (precision >= 0) {
        to += sprintf(to, ".%d", precision);
    }
    struct expr *e = ast_expr_new(f->arena, EXPR_FORMATTEDVALUE, &value->pos);
    if (e == NULL) {
        return -1;
    }
    e->formattedvalue.value = value;
    e->formattedvalue.conversion = c;
    if (to > spec) {
        e->formattedvalue.format_spec =
            new_constant(f, PyUnicode_FromStringAndSize(spec, to - spec), &nowhere);
        if (e->formattedvalue.format_spec == NULL) {
            return -1;
        }
    }
    format->parts[format->count++] = e;
    return 1;
}

/* The parts of a format that is wholly understood: 1, 0 if it is not, -1 on failure. */
static int format_parts(struct folder *f, struct format *format, const struct expr_seq *elts)
{
    size_t used = 0;
    for (;;) {
        if (format_literal(f, format) < 0) {
            return -1;
        }
        if (format->pos >= format->len) {
            return used == elts->len;
        }
        if (used == elts->len) {
            return 0;
        }
        int done = format_conversion(f, format, elts->items[used++]);
        if (done <= 0) {
            return done;
        }
    }
}

static int fold_format(struct folder *f, struct expr **slot)
{
    struct expr *e = *slot;
    const struct expr_seq *elts = e->binop.right->tuple.elts;
    for (size_t i = 0; i < elts->len; i++) {
        if (elts->items[i]->kind == EXPR_STARRED) {
            return 0;
        }
    }
    struct format format = {.text = e->binop.left->constant.value};
    format.len = PyUnicode_GET_LENGTH(format.text);
    format.parts = arena_alloc(f->arena, (2 * elts->len + 1) * sizeof(*format.parts));
    if (format.parts == NULL) {
        return -1;
    }
    int done = format_parts(f, &format, elts);
    if (done <= 0) {
        return done;
    }
    struct expr_seq *values = AST_SEQ_NEW(f->arena, expr_seq, format.count);
    struct expr *joined = ast_expr_new(f->arena, EXPR_JOINEDSTR, &e->pos);
    if (values == NULL || joined == NULL) {
        return -1;
    }
    for (size_t i = 0; i < format.count; i++) {
        values->items[i] = format.parts[i];
    }
    joined->joinedstr.values = values;
    *slot = joined;
    return 0;
}

/* ---- expressions ---- */

static int fold_binop(struct folder *f, struct expr **slot)
{
    struct expr *left = (*slot)->binop.left, *right = (*slot)->binop.right;
    if (!is_constant(left)) {
        return 0;
    }
    if ((*slot)->op == AST_MOD && right->kind == EXPR_TUPLE
        && PyUnicode_Check(left->constant.value)) {
        return fold_format(f, slot);
    }
    if (!is_constant(right)) {
        return 0;
    }
    PyObject *value = compute((*slot)->op, left->constant.value, right->constant.value);
    return value == NULL && !PyErr_Occurred() ? 0 : replace(f, slot, value);
}

/* `not a in b` is `a not in b`. */
static bool negate_compare(struct expr **slot)
{
    struct expr *e = (*slot)->unaryop.operand;
    if (e->kind != EXPR_COMPARE || e->compare.ops->len != 1) {
        return false;
    }
    uint8_t *op = &e->compare.ops->items[0];
    switch (*op) {
    case AST_IS:
        *op = AST_ISNOT;
        break;
    case AST_ISNOT:
        *op = AST_IS;
        break;
    case AST_IN:
        *op = AST_NOTIN;
        break;
    case AST_NOTIN:
        *op = AST_IN;
        break;
    default:
        return false;
    }
    *slot = e;
    return true;
}

static int fold_unaryop(struct folder *f, struct expr **slot)
{
    struct expr *operand = (*slot)->unaryop.operand;
    if (!is_constant(operand)) {
        if ((*slot)->op == AST_NOT) {
            negate_compare(slot);
        }
        return 0;
    }
    PyObject *value = operand->constant.value, *result = NULL;
    switch ((*slot)->op) {
    case AST_INVERT:
        result = PyNumber_Invert(value);
        break;
    case AST_UADD:
        result = PyNumber_Positive(value);
        break;
    case AST_USUB:
        result = PyNumber_Negative(value);
        break;
    case AST_NOT: {
        int truth = PyObject_IsTrue(value);
        result = truth < 0 ? NULL : PyBool_FromLong(!truth);
        break;
    }
    }
    return replace(f, slot, result);
}

static int fold_subscript(struct folder *f, struct expr **slot)
{
    struct expr *value = (*slot)->subscript.value, *slice = (*slot)->subscript.slice;
    if ((*slot)->ctx != AST_LOAD || !is_constant(value) || !is_constant(slice)) {
        return 0;
    }
    return replace(f, slot, PyObject_GetItem(value->constant.value, slice->constant.value));
}

static int fold_compare(struct folder *f, struct expr *e)
{
    size_t last = e->compare.ops->len - 1;
    uint8_t op = e->compare.ops->items[last];
    return op == AST_IN || op == AST_NOTIN ? fold_iterable(f, &e->compare.comparators->items[last])
                                           : 0;
}

static int fold_name(struct folder *f, struct expr **slot)
{
    if ((*slot)->ctx == AST_LOAD
        && PyUnicode_CompareWithASCIIString((*slot)->name.id, "__debug__") == 0) {
        return replace(f, slot, PyBool_FromLong(f->optimize == 0));
    }
    return 0;
}

static int fold_expr(struct folder *f, struct expr **slot)
{
    struct expr *e = *slot;
    if (e == NULL || is_constant(e)) {
        return 0;
    }
    if (e->kind == EXPR_NAME) {
        return fold_name(f, slot);
    }
    if (fold_group(f, GROUP_EXPR, (void **)slot) < 0) {
        return -1;
    }
    switch (e->kind) {
    case EXPR_BINOP:
        return fold_binop(f, slot);
    case EXPR_UNARYOP:
        return fold_unaryop(f, slot);
    case EXPR_TUPLE:
        return fold_tuple(f, slot);
    case EXPR_SUBSCRIPT:
        return fold_subscript(f, slot);
    case EXPR_COMPARE:
        return fold_compare(f, e);
    default:
        return 0;
    }
}

/* ---- everything else ---- */

/* A first statement that has become a str must not pass for a docstring. */
static int hide_docstring(struct folder *f, struct stmt_seq *body)
{
    struct expr *text = body->items[0]->expr.value;
    struct expr_seq *values = AST_SEQ_NEW(f->arena, expr_seq, 1);
    struct expr *joined = ast_expr_new(f->arena, EXPR_JOINEDSTR, &text->pos);
    if (values == NULL || joined == NULL) {
        return -1;
    }
    values->items[0] = text;
    joined->joinedstr.values = values;
    body->items[0]->expr.value = joined;
    return 0;
}

/* A body that may have a docstring, or NULL. */
static struct stmt_seq *documented_body(int group, void *node)
{
    if (group == GROUP_MOD) {
        struct ast_module *module = node;
        return module->kind == MODULE_MODULE ? module->module.body : NULL;
    }
    if (group == GROUP_STMT) {
        struct stmt *s = node;
        switch (s->kind) {
        case STMT_FUNCTIONDEF:
        case STMT_ASYNCFUNCTIONDEF:
            return s->functiondef.body;
        case STMT_CLASSDEF:
            return s->classdef.body;
        }
    }
    return NULL;
}

static int fold_field(struct folder *f, int type, void **slot)
{
    return type == GROUP_EXPR ? fold_expr(f, (struct expr **)slot)
           : *slot == NULL    ? 0
                              : fold_group(f, type, slot);
}

static bool has_nodes(int type)
{
    return type < GROUPS && !ast_groups[type].is_enum && type != GROUP_ALIAS
           && type != GROUP_TYPE_IGNORE;
}

static bool is_annotation(const struct ast_field *field)
{
    return strcmp(field->name, "annotation") == 0 || strcmp(field->name, "returns") == 0;
}

static int fold_fields(struct folder *f, const struct ast_node *node, char *data)
{
    for (int i = 0; i < node->field_count; i++) {
        const struct ast_field *field = &node->fields[i];
        if (!has_nodes(field->type) || (f->keep_annotations && is_annotation(field))) {
            continue;
        }
        void **slot = (void **)(data + field->offset);
        if (field->quantity != AST_MANY) {
            if (fold_field(f, field->type, slot) < 0) {
                return -1;
            }
            continue;
        }
        struct expr_seq *seq = *slot;
        for (size_t n = 0; n < seq->len; n++) {
            if (fold_field(f, field->type, (void **)&seq->items[n]) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

static int fold_group(struct folder *f, int index, void **slot)
{
    const struct ast_group *group = &ast_groups[index];
    void *data = *slot;
    const struct ast_node *node = &group->nodes[group->node_count > 1 ? *(uint8_t *)data : 0];
    struct stmt_seq *body = documented_body(index, data);
    bool documented = body != NULL && ast_docstring(body) != NULL;

    if (Py_EnterRecursiveCall(" during compilation")) {
        return -1;
    }
    int rc = fold_fields(f, node, data);
    Py_LeaveRecursiveCall();
    if (rc < 0) {
        return -1;
    }
    if (body != NULL && !documented && ast_docstring(body) != NULL) {
        return hide_docstring(f, body);
    }
    if (index == GROUP_COMPREHENSION) {
        return fold_iterable(f, &((struct comprehension *)data)->iter);
    }
    if (index == GROUP_STMT) {
        struct stmt *s = data;
        if (s->kind == STMT_FOR || s->kind == STMT_ASYNCFOR) {
            return fold_iterable(f, &s->for_.iter);
        }
    }
    return 0;
}

int ast_fold(struct ast_module *tree, int optimize, int future_flags, struct arena *arena)
{
    struct folder folder = {
        .arena = arena,
        .optimize = optimize,
        .keep_annotations = (future_flags & CO_FUTURE_ANNOTATIONS) != 0,
    };
    if (tree->kind == MODULE_FUNCTIONTYPE) {
        return 0;
    }
    return fold_group(&folder, GROUP_MOD, (void **)&tree);
}
