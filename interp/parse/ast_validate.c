/* What a tree must satisfy to be compiled, which the parser guarantees and a tree made by hand may not.

   Goes through all nodes by the table of the grammar; what is special about a node is said by name. */

#include "ast_table.h"
#include "parse.h"

#include <string.h>

static int validate_group(int group, const void *data);
static int validate_expr(const struct expr *e, enum ast_context ctx);
static int validate_pattern(const struct pattern *pattern, bool star_allowed);

static int invalid(const char *message)
{
    PyErr_SetString(PyExc_ValueError, message);
    return -1;
}

/* ---- names, positions, constants ---- */

static int validate_name(PyObject *name)
{
    static const char *const constants[] = {"None", "True", "False"};
    for (int i = 0; i < 3; i++) {
        if (PyUnicode_CompareWithASCIIString(name, constants[i]) == 0) {
            PyErr_Format(PyExc_ValueError, "identifier field can't represent '%s' constant",
                         constants[i]);
            return -1;
        }
    }
    return 0;
}

static int validate_position(const struct ast_pos *pos)
{
    if (pos->line > pos->end_line) {
        PyErr_Format(PyExc_ValueError, "AST node line range (%d, %d) is not valid", (int)pos->line,
                     (int)pos->end_line);
        return -1;
    }
    if ((pos->line < 0 && pos->end_line != pos->line)
        || (pos->col < 0 && pos->col != pos->end_col)) {
        PyErr_Format(PyExc_ValueError,
                     "AST node column range (%d, %d) for line range (%d, %d) is not valid",
                     (int)pos->col, (int)pos->end_col, (int)pos->line, (int)pos->end_line);
        return -1;
    }
    if (pos->line == pos->end_line && pos->col > pos->end_col) {
        PyErr_Format(PyExc_ValueError, "line %d, column %d-%d is not a valid range", (int)pos->line,
                     (int)pos->col, (int)pos->end_col);
        return -1;
    }
    return 0;
}

static int validate_constant(PyObject *value)
{
    if (value == Py_None || value == Py_Ellipsis || PyLong_CheckExact(value)
        || PyFloat_CheckExact(value) || PyComplex_CheckExact(value) || PyBool_Check(value)
        || PyUnicode_CheckExact(value) || PyBytes_CheckExact(value)) {
        return 0;
    }
    if (!PyTuple_CheckExact(value) && !PyFrozenSet_CheckExact(value)) {
        PyObject *name = PyType_GetName(Py_TYPE(value));
        if (name != NULL) {
            PyErr_Format(PyExc_TypeError, "got an invalid type in Constant: %U", name);
            Py_DECREF(name);
        }
        return -1;
    }
    if (Py_EnterRecursiveCall(" during compilation")) {
        return -1;
    }
    PyObject *items = PyObject_GetIter(value), *item;
    int rc = items ? 0 : -1;
    while (rc == 0 && (item = PyIter_Next(items)) != NULL) {
        rc = validate_constant(item);
        Py_DECREF(item);
    }
    if (PyErr_Occurred()) {
        rc = -1;
    }
    Py_XDECREF(items);
    Py_LeaveRecursiveCall();
    return rc;
}

/* ---- contexts ---- */

static const char *const context_names[] = {"Load", "Store", "Del"};

static int validate_context(const struct expr *e, enum ast_context ctx)
{
    switch (e->kind) {
    case EXPR_ATTRIBUTE:
    case EXPR_SUBSCRIPT:
    case EXPR_STARRED:
    case EXPR_NAME:
    case EXPR_LIST:
    case EXPR_TUPLE:
        if (e->ctx != ctx) {
            PyErr_Format(PyExc_ValueError, "expression must have %s context but has %s instead",
                         context_names[ctx], context_names[e->ctx]);
            return -1;
        }
        return 0;
    default:
        if (ctx != AST_LOAD) {
            PyErr_Format(PyExc_ValueError, "expression which can't be assigned to in %s context",
                         context_names[ctx]);
            return -1;
        }
        return 0;
    }
}

/* The context that a field of a statement or a helper node wants of its expressions. */
static enum ast_context field_context(int group, const struct ast_node *node,
                                      const struct ast_field *field)
{
    const char *name = field->name;
    if (group == GROUP_STMT && strcmp(node->name, "Delete") == 0) {
        return AST_DEL;
    }
    bool target = strcmp(name, "target") == 0 || strcmp(name, "targets") == 0
                  || strcmp(name, "optional_vars") == 0
                  || (group == GROUP_STMT && strcmp(name, "name") == 0) /* of a type alias */;
    return target ? AST_STORE : AST_LOAD;
}

/* ---- fields ---- */

static bool wants_items(int group, const struct ast_field *field)
{
    static const char *const names[] = {"body", "targets", "items", "names", "cases"};
    if (group == GROUP_MOD || group == GROUP_EXPR || group == GROUP_PATTERN) {
        return false;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(field->name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool allows_none(const struct ast_field *field)
{
    return strcmp(field->name, "keys") == 0 || strcmp(field->name, "kw_defaults") == 0;
}

static int validate_item(int group, const struct ast_node *node, const struct ast_field *field,
                         void *item)
{
    switch (field->type) {
    case GROUP_EXPR:
        return validate_expr(item, field_context(group, node, field));
    case GROUP_PATTERN:
        return validate_pattern(item,
                                group == GROUP_PATTERN && strcmp(node->name, "MatchSequence") == 0);
    case TYPE_IDENTIFIER:
        return validate_name(item);
    default:
        return field->type < GROUPS ? validate_group(field->type, item) : 0;
    }
}

static int validate_seq(int group, const struct ast_node *node, const struct ast_field *field,
                        const struct expr_seq *seq)
{
    if (seq->len == 0 && wants_items(group, field)) {
        PyErr_Format(PyExc_ValueError, "empty %s on %s", field->name, node->name);
        return -1;
    }
    if (field->type < GROUPS && ast_groups[field->type].is_enum) {
        return 0;
    }
    for (size_t i = 0; i < seq->len; i++) {
        if (seq->items[i] == NULL) {
            if (allows_none(field)) {
                continue;
            }
            PyErr_Format(PyExc_ValueError, "None disallowed in %s list",
                         field->type == GROUP_EXPR        ? "expression"
                         : field->type == GROUP_STMT      ? "statement"
                         : field->type == TYPE_IDENTIFIER ? "identifier"
                                                          : ast_groups[field->type].name);
            return -1;
        }
        if (validate_item(group, node, field, seq->items[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

static int validate_fields(int group, const struct ast_node *node, const void *data)
{
    for (int i = 0; i < node->field_count; i++) {
        const struct ast_field *field = &node->fields[i];
        const char *at = (const char *)data + field->offset;
        if (field->type == TYPE_INT || field->type == TYPE_STRING || field->type == TYPE_CONSTANT
            || (field->quantity != AST_MANY && field->type < GROUPS
                && ast_groups[field->type].is_enum)) {
            continue;
        }
        void *value = *(void *const *)at;
        int rc = field->quantity == AST_MANY ? validate_seq(group, node, field, value)
                 : value == NULL             ? 0
                                             : validate_item(group, node, field, value);
        if (rc < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- expressions ---- */

static int validate_elements(const struct expr_seq *elts, enum ast_context ctx)
{
    for (size_t i = 0; i < elts->len; i++) {
        if (elts->items[i] == NULL) {
            return invalid("None disallowed in expression list");
        }
        if (validate_expr(elts->items[i], ctx) < 0) {
            return -1;
        }
    }
    return 0;
}

/* The clauses of a comprehension, before its element. */
static int validate_generators(const struct comprehension_seq *generators)
{
    if (generators->len == 0) {
        return invalid("comprehension with no generators");
    }
    for (size_t i = 0; i < generators->len; i++) {
        if (generators->items[i] != NULL
            && validate_group(GROUP_COMPREHENSION, generators->items[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

/* What concerns one kind only: 1 if that was all there is to the node, 0 to go on, -1. */
static int validate_expr_kind(const struct expr *e, enum ast_context ctx)
{
    switch (e->kind) {
    case EXPR_BOOLOP:
        return e->boolop.values->len < 2 ? invalid("BoolOp with less than 2 values") : 0;
    case EXPR_DICT:
        return e->dict.keys->len != e->dict.values->len
                   ? invalid("Dict doesn't have the same number of keys as values")
                   : 0;
    case EXPR_LISTCOMP:
    case EXPR_SETCOMP:
    case EXPR_GENERATOREXP:
        return validate_generators(e->listcomp.generators);
    case EXPR_DICTCOMP:
        return validate_generators(e->dictcomp.generators);
    case EXPR_COMPARE:
        if (e->compare.comparators->len == 0) {
            return invalid("Compare with no comparators");
        }
        return e->compare.comparators->len != e->compare.ops->len
                   ? invalid("Compare has a different number of comparators and operands")
                   : 0;
    case EXPR_CONSTANT:
        return validate_constant(e->constant.value) < 0 ? -1 : 1;
    case EXPR_NAME:
        return validate_name(e->name.id) < 0 ? -1 : 1;
    case EXPR_NAMEDEXPR:
        if (e->namedexpr.target->kind != EXPR_NAME) {
            PyErr_SetString(PyExc_TypeError, "NamedExpr target must be a Name");
            return -1;
        }
        return validate_expr(e->namedexpr.value, AST_LOAD) < 0 ? -1 : 1;
    case EXPR_STARRED:
        return validate_expr(e->starred.value, ctx) < 0 ? -1 : 1;
    case EXPR_LIST:
    case EXPR_TUPLE:
        return validate_elements(e->tuple.elts, ctx) < 0 ? -1 : 1;
    default:
        return 0;
    }
}

static int validate_expr(const struct expr *e, enum ast_context ctx)
{
    if (validate_position(&e->pos) < 0 || validate_context(e, ctx) < 0) {
        return -1;
    }
    if (Py_EnterRecursiveCall(" during compilation")) {
        return -1;
    }
    int rc = validate_expr_kind(e, ctx);
    if (rc == 0) {
        rc = validate_fields(GROUP_EXPR, &ast_groups[GROUP_EXPR].nodes[e->kind], e);
    }
    Py_LeaveRecursiveCall();
    return rc < 0 ? -1 : 0;
}

/* ---- patterns ---- */

static bool is_number(const struct expr *e, bool real, bool imaginary)
{
    if (e->kind != EXPR_CONSTANT) {
        return false;
    }
    PyObject *value = e->constant.value;
    return (real && (PyFloat_CheckExact(value) || PyLong_CheckExact(value)))
           || (imaginary && PyComplex_CheckExact(value));
}

static bool is_negated(const struct expr *e, bool imaginary)
{
    return e->kind == EXPR_UNARYOP && e->op == AST_USUB
           && is_number(e->unaryop.operand, true, imaginary);
}

static bool is_complex_literal(const struct expr *e)
{
    return (e->op == AST_ADD || e->op == AST_SUB)
           && (is_number(e->binop.left, true, false) || is_negated(e->binop.left, false))
           && is_number(e->binop.right, false, true);
}

/* A value that a pattern compares with. */
static int validate_match_value(const struct expr *e)
{
    if (validate_expr(e, AST_LOAD) < 0) {
        return -1;
    }
    switch (e->kind) {
    case EXPR_CONSTANT: {
        PyObject *value = e->constant.value;
        if (PyLong_CheckExact(value) || PyFloat_CheckExact(value) || PyBytes_CheckExact(value)
            || PyComplex_CheckExact(value) || PyUnicode_CheckExact(value)) {
            return 0;
        }
        return invalid("unexpected constant inside of a literal pattern");
    }
    case EXPR_ATTRIBUTE:
    case EXPR_JOINEDSTR: /* refused when code is made */
        return 0;
    case EXPR_UNARYOP:
        if (is_negated(e, true)) {
            return 0;
        }
        break;
    case EXPR_BINOP:
        if (is_complex_literal(e)) {
            return 0;
        }
        break;
    }
    return invalid("patterns may only match literals and attribute lookups");
}

static int validate_capture(PyObject *name)
{
    if (PyUnicode_CompareWithASCIIString(name, "_") == 0) {
        return invalid("can't capture name '_' in patterns");
    }
    return validate_name(name);
}

static int validate_mapping(const struct pattern *pattern)
{
    const struct expr_seq *keys = pattern->mapping.keys;
    if (keys->len != pattern->mapping.patterns->len) {
        return invalid("MatchMapping doesn't have the same number of keys as patterns");
    }
    if (pattern->mapping.rest != NULL && validate_capture(pattern->mapping.rest) < 0) {
        return -1;
    }
    for (size_t i = 0; i < keys->len; i++) {
        const struct expr *key = keys->items[i];
        if (key == NULL) {
            return invalid("None disallowed in expression list");
        }
        bool singleton = key->kind == EXPR_CONSTANT
                         && (key->constant.value == Py_None || PyBool_Check(key->constant.value));
        if (!singleton && validate_match_value(key) < 0) {
            return -1;
        }
    }
    return 0;
}

static int validate_class(const struct pattern *pattern)
{
    if (pattern->class_.kwd_attrs->len != pattern->class_.kwd_patterns->len) {
        return invalid("MatchClass doesn't have the same number of keyword attributes as patterns");
    }
    const struct expr *cls = pattern->class_.cls;
    while (cls->kind == EXPR_ATTRIBUTE) {
        cls = cls->attribute.value;
    }
    return cls->kind == EXPR_NAME
               ? 0
               : invalid("MatchClass cls field can only contain Name or Attribute nodes.");
}

static int validate_pattern_kind(const struct pattern *pattern, bool star_allowed)
{
    switch ((enum pattern_kind)pattern->kind) {
    case PATTERN_VALUE:
        return validate_match_value(pattern->value.value);
    case PATTERN_SINGLETON:
        if (pattern->singleton.value != Py_None && !PyBool_Check(pattern->singleton.value)) {
            return invalid("MatchSingleton can only contain True, False and None");
        }
        return 0;
    case PATTERN_MAPPING:
        return validate_mapping(pattern);
    case PATTERN_CLASS:
        return validate_class(pattern);
    case PATTERN_STAR:
        if (!star_allowed) {
            return invalid("can't use MatchStar here");
        }
        return pattern->star.name ? validate_capture(pattern->star.name) : 0;
    case PATTERN_AS:
        if (pattern->as.name != NULL) {
            return validate_capture(pattern->as.name);
        }
        return pattern->as.pattern
                   ? invalid("MatchAs must specify a target name if a pattern is given")
                   : 0;
    case PATTERN_OR:
        return pattern->or_.patterns->len < 2 ? invalid("MatchOr requires at least 2 patterns") : 0;
    case PATTERN_SEQUENCE:
    case PATTERN_KINDS:
        break;
    }
    return 0;
}

static int validate_pattern(const struct pattern *pattern, bool star_allowed)
{
    if (validate_position(&pattern->pos) < 0) {
        return -1;
    }
    if (Py_EnterRecursiveCall(" during compilation")) {
        return -1;
    }
    int rc = validate_pattern_kind(pattern, star_allowed);
    if (rc == 0) {
        rc = validate_fields(GROUP_PATTERN, &ast_groups[GROUP_PATTERN].nodes[pattern->kind],
                             pattern);
    }
    Py_LeaveRecursiveCall();
    return rc;
}

/* ---- statements and what belongs to them ---- */

static int validate_try(const struct stmt *s)
{
    const char *name = s->kind == STMT_TRY ? "Try" : "TryStar";
    if (s->try_.handlers->len == 0 && s->try_.finalbody->len == 0) {
        PyErr_Format(PyExc_ValueError, "%s has neither except handlers nor finalbody", name);
        return -1;
    }
    if (s->try_.handlers->len == 0 && s->try_.orelse->len > 0) {
        PyErr_Format(PyExc_ValueError, "%s has orelse but no except handlers", name);
        return -1;
    }
    return 0;
}

static int validate_stmt_kind(const struct stmt *s)
{
    switch (s->kind) {
    case STMT_ANNASSIGN:
        if (s->annassign.target->kind != EXPR_NAME && s->annassign.simple) {
            PyErr_SetString(PyExc_TypeError, "AnnAssign with simple non-Name target");
            return -1;
        }
        return 0;
    case STMT_TYPEALIAS:
        if (s->typealias.name->kind != EXPR_NAME) {
            PyErr_SetString(PyExc_TypeError, "TypeAlias with non-Name name");
            return -1;
        }
        return 0;
    case STMT_RAISE:
        return s->raise.exc == NULL && s->raise.cause != NULL
                   ? invalid("Raise with cause but no exception")
                   : 0;
    case STMT_TRY:
    case STMT_TRYSTAR:
        return s->try_.body->len > 0 ? validate_try(s) : 0;
    case STMT_IMPORTFROM:
        return s->importfrom.level < 0 ? invalid("Negative ImportFrom level") : 0;
    default:
        return 0;
    }
}

/* The parameters, then the numbers of defaults, then the defaults. */
static int validate_arguments(const struct arguments *a)
{
    const struct ast_node *node = ast_groups[GROUP_ARGUMENTS].nodes;
    struct arguments names = *a;
    names.defaults = names.kw_defaults = ast_seq_new(NULL, 0, 1);
    if (validate_fields(GROUP_ARGUMENTS, node, &names) < 0) {
        return -1;
    }
    if (a->posonlyargs->len + a->args->len < a->defaults->len) {
        return invalid("more positional defaults than args on arguments");
    }
    if (a->kwonlyargs->len != a->kw_defaults->len) {
        return invalid("length of kwonlyargs is not the same as kw_defaults on arguments");
    }
    return 0;
}

static int validate_group(int index, const void *data)
{
    const struct ast_group *group = &ast_groups[index];
    if (index == GROUP_ALIAS || index == GROUP_TYPE_IGNORE) {
        return 0; /* names of modules may be anything */
    }
    if (group->pos >= 0 && index != GROUP_KEYWORD
        && validate_position((const void *)((const char *)data + group->pos)) < 0) {
        return -1;
    }
    if (Py_EnterRecursiveCall(" during compilation")) {
        return -1;
    }
    int rc = index == GROUP_STMT        ? validate_stmt_kind(data)
             : index == GROUP_ARGUMENTS ? validate_arguments(data)
                                        : 0;
    if (rc == 0) {
        int kind = group->node_count > 1 ? *(const uint8_t *)data : 0;
        rc = validate_fields(index, &group->nodes[kind], data);
    }
    Py_LeaveRecursiveCall();
    return rc;
}

int ast_validate(const struct ast_module *tree)
{
    return validate_group(GROUP_MOD, tree);
}
