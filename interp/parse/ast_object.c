/* Trees to objects and back, driven by the table. */

#include "ast_types.h"
#include "parse.h"

#include <string.h>

/* ---- to objects ---- */

static PyObject *group_to_object(struct ast_state *state, int group, const void *node);

static PyObject *value_to_object(struct ast_state *state, int type, const void *at)
{
    switch (type) {
    case TYPE_INT:
        return PyLong_FromLong(*(const int32_t *)at);
    case TYPE_IDENTIFIER:
    case TYPE_STRING:
    case TYPE_CONSTANT:
        return Py_NewRef(*(PyObject *const *)at ? *(PyObject *const *)at : Py_None);
    default:
        if (ast_groups[type].is_enum) {
            return Py_NewRef(state->singletons[ast_groups[type].first + *(const uint8_t *)at]);
        }
        return group_to_object(state, type, *(void *const *)at);
    }
}

static PyObject *seq_to_object(struct ast_state *state, int type, const void *at)
{
    const struct expr_seq *seq = *(const struct expr_seq *const *)at;
    bool is_enum = type < GROUPS && ast_groups[type].is_enum;
    PyObject *list = PyList_New((Py_ssize_t)seq->len);
    for (size_t i = 0; list != NULL && i < seq->len; i++) {
        const void *item = is_enum ? (const void *)&((const struct cmpop_seq *)seq)->items[i]
                                   : (const void *)&seq->items[i];
        PyObject *object = value_to_object(state, type, item);
        if (object == NULL) {
            Py_CLEAR(list);
        } else {
            PyList_SET_ITEM(list, (Py_ssize_t)i, object);
        }
    }
    return list;
}

static int set_position(struct ast_state *state, PyObject *object, const struct ast_pos *pos)
{
    const int32_t values[4] = {pos->line, pos->col, pos->end_line, pos->end_col};
    for (int i = 0; i < 4; i++) {
        PyObject *value = PyLong_FromLong(values[i]);
        int rc = value ? PyObject_SetAttr(object, state->attributes[i], value) : -1;
        Py_XDECREF(value);
        if (rc < 0) {
            return -1;
        }
    }
    return 0;
}

/* The kind of a node of a sum is its first byte. */
static int node_kind(const struct ast_group *group, const void *node)
{
    return group->node_count > 1 ? *(const uint8_t *)node : 0;
}

static PyObject *node_to_object(struct ast_state *state, const struct ast_group *group,
                                const void *data)
{
    int kind = node_kind(group, data), number = group->first + kind;
    const struct ast_node *node = &group->nodes[kind];
    PyObject *object = PyType_GenericNew((PyTypeObject *)state->nodes[number], NULL, NULL);
    for (int i = 0; object != NULL && i < node->field_count; i++) {
        const struct ast_field *field = &node->fields[i];
        const char *at = (const char *)data + field->offset;
        PyObject *value = field->quantity == AST_MANY ? seq_to_object(state, field->type, at)
                                                      : value_to_object(state, field->type, at);
        if (value == NULL || PyObject_SetAttr(object, state->names[number][i], value) < 0) {
            Py_CLEAR(object);
        }
        Py_XDECREF(value);
    }
    if (object != NULL && group->pos >= 0
        && set_position(state, object, (const void *)((const char *)data + group->pos)) < 0) {
        Py_CLEAR(object);
    }
    return object;
}

static PyObject *group_to_object(struct ast_state *state, int group, const void *node)
{
    if (node == NULL) {
        Py_RETURN_NONE;
    }
    if (Py_EnterRecursiveCall(" during  ast construction")) {
        return NULL;
    }
    PyObject *object = node_to_object(state, &ast_groups[group], node);
    Py_LeaveRecursiveCall();
    return object;
}

PyObject *ast_to_object(const struct ast_module *tree)
{
    struct ast_state *state = ast_state_get();
    return state ? group_to_object(state, GROUP_MOD, tree) : NULL;
}

/* ---- from objects ---- */

static int object_to_group(struct ast_state *state, struct arena *arena, int group,
                           PyObject *object, void **out);

static int object_to_int(PyObject *object, int32_t *out)
{
    if (!PyLong_Check(object)) {
        PyErr_Format(PyExc_ValueError, "invalid integer value: %R", object);
        return -1;
    }
    int overflow;
    long value = PyLong_AsLongAndOverflow(object, &overflow);
    if (overflow || value > INT32_MAX || value < INT32_MIN) {
        PyErr_SetString(PyExc_OverflowError, "Python int too large to convert to C int");
        return -1;
    }
    *out = (int32_t)value;
    return 0;
}

/* Which constructor of the group an object is an instance of; -1: none, -2: exception. */
static int find_kind(struct ast_state *state, const struct ast_group *group, PyObject *object)
{
    for (int i = 0; i < group->node_count; i++) {
        if ((PyObject *)Py_TYPE(object) == state->nodes[group->first + i]) {
            return i;
        }
    }
    for (int i = 0; i < group->node_count; i++) {
        int is = PyObject_IsInstance(object, state->nodes[group->first + i]);
        if (is != 0) {
            return is < 0 ? -2 : i;
        }
    }
    return -1;
}

static int raise_unexpected(const struct ast_group *group, PyObject *object)
{
    PyErr_Format(PyExc_TypeError, "expected some sort of %s, but got %R", group->name, object);
    return -1;
}

static int object_to_enum(struct ast_state *state, const struct ast_group *group, PyObject *object,
                          uint8_t *out)
{
    int kind = find_kind(state, group, object);
    if (kind < 0) {
        return kind == -1 ? raise_unexpected(group, object) : -1;
    }
    *out = (uint8_t)kind;
    return 0;
}

static int own_as(struct arena *arena, PyObject *object, PyObject **out)
{
    *out = arena_own(arena, Py_NewRef(object));
    return *out ? 0 : -1;
}

static int object_to_value(struct ast_state *state, struct arena *arena, int type, PyObject *object,
                           void *out)
{
    switch (type) {
    case TYPE_INT:
        return object_to_int(object, out);
    case TYPE_CONSTANT:
        return own_as(arena, object, out);
    case TYPE_IDENTIFIER:
        if (!PyUnicode_CheckExact(object) && object != Py_None) {
            PyErr_SetString(PyExc_TypeError, "AST identifier must be of type str");
            return -1;
        }
        return object == Py_None ? 0 : own_as(arena, object, out);
    case TYPE_STRING:
        if (!PyUnicode_CheckExact(object) && !PyBytes_CheckExact(object) && object != Py_None) {
            PyErr_SetString(PyExc_TypeError, "AST string must be of type str");
            return -1;
        }
        return object == Py_None ? 0 : own_as(arena, object, out);
    default:
        if (ast_groups[type].is_enum) {
            return object_to_enum(state, &ast_groups[type], object, out);
        }
        return object_to_group(state, arena, type, object, out);
    }
}

static int object_to_seq(struct ast_state *state, struct arena *arena, const char *owner,
                         const struct ast_field *field, PyObject *list, void **out)
{
    if (!PyList_Check(list)) {
        PyErr_Format(PyExc_TypeError, "%s field \"%s\" must be a list, not a %.200s", owner,
                     field->name, Py_TYPE(list)->tp_name);
        return -1;
    }
    Py_ssize_t len = PyList_GET_SIZE(list);
    bool is_enum = field->type < GROUPS && ast_groups[field->type].is_enum;
    struct expr_seq *seq = ast_seq_new(arena, (size_t)len, is_enum ? 1 : sizeof(void *));
    if (seq == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < len; i++) {
        PyObject *item = PyList_GetItemRef(list, i);
        void *at = is_enum ? (void *)&((struct cmpop_seq *)seq)->items[i] : (void *)&seq->items[i];
        int rc = -1;
        if (item == NULL) {
            PyErr_Clear();
        } else if (Py_EnterRecursiveCall("") == 0) {
            rc = object_to_value(state, arena, field->type, item, at);
            Py_LeaveRecursiveCall();
            Py_DECREF(item);
            if (rc < 0) {
                return -1;
            }
        } else {
            Py_DECREF(item);
            return -1;
        }
        if (item == NULL || PyList_GET_SIZE(list) != len) {
            PyErr_Format(PyExc_RuntimeError, "%s field \"%s\" changed size during iteration", owner,
                         field->name);
            return -1;
        }
    }
    *out = seq;
    return 0;
}

static int read_field(struct ast_state *state, struct arena *arena, const struct ast_node *node,
                      const struct ast_field *field, PyObject *name, PyObject *object, char *data)
{
    PyObject *value;
    if (PyObject_GetOptionalAttr(object, name, &value) < 0) {
        return -1;
    }
    void *at = data + field->offset;
    if (value == NULL || (value == Py_None && field->quantity == AST_OPTIONAL)) {
        Py_XDECREF(value);
        if (field->quantity == AST_MANY) {
            *(void **)at = ast_seq_new(arena, 0, 1);
        } else if (field->quantity == AST_ONE) {
            PyErr_Format(PyExc_TypeError, "required field \"%s\" missing from %s", field->name,
                         node->name);
            return -1;
        }
        return 0;
    }
    int rc;
    if (field->quantity == AST_MANY) {
        rc = object_to_seq(state, arena, node->name, field, value, at);
    } else if (Py_EnterRecursiveCall("") == 0) {
        rc = object_to_value(state, arena, field->type, value, at);
        Py_LeaveRecursiveCall();
    } else {
        rc = -1;
    }
    Py_DECREF(value);
    return rc;
}

static int read_position(struct ast_state *state, const struct ast_group *group, PyObject *object,
                         struct ast_pos *pos)
{
    int32_t *const out[4] = {&pos->line, &pos->col, &pos->end_line, &pos->end_col};
    for (int i = 0; i < 4; i++) {
        PyObject *value;
        if (PyObject_GetOptionalAttr(object, state->attributes[i], &value) < 0) {
            return -1;
        }
        if (value == NULL || (i >= 2 && value == Py_None)) {
            Py_XDECREF(value);
            if (i < 2) {
                PyErr_Format(PyExc_TypeError, "required field \"%U\" missing from %s",
                             state->attributes[i], group->name);
                return -1;
            }
            *out[i] = *out[i - 2];
            continue;
        }
        int rc = object_to_int(value, out[i]);
        Py_DECREF(value);
        if (rc < 0) {
            return -1;
        }
    }
    return 0;
}

/* Pointers that None has left empty where the grammar wants a node. */
static int check_required(const struct ast_node *node, const char *data)
{
    for (int i = 0; i < node->field_count; i++) {
        const struct ast_field *field = &node->fields[i];
        bool pointer =
            field->type != TYPE_INT && !(field->type < GROUPS && ast_groups[field->type].is_enum);
        if (pointer && field->quantity == AST_ONE
            && *(void *const *)(data + field->offset) == NULL) {
            PyErr_Format(PyExc_ValueError, "field '%s' is required for %s", field->name,
                         node->name);
            return -1;
        }
    }
    return 0;
}

static int object_to_node(struct ast_state *state, struct arena *arena,
                          const struct ast_group *group, PyObject *object, void **out)
{
    struct ast_pos pos = {0, 0, 0, 0};
    int kind = group->is_product ? 0 : -1;
    if (!group->is_product) {
        /* Positions are asked for before it is known which node it is. */
        if (group->pos >= 0 && read_position(state, group, object, &pos) < 0) {
            return -1;
        }
        kind = find_kind(state, group, object);
        if (kind < 0) {
            return kind == -1 ? raise_unexpected(group, object) : -1;
        }
    }
    const struct ast_node *node = &group->nodes[kind];
    int number = group->first + kind;
    char *data = arena_alloc(arena, node->size);
    if (data == NULL) {
        return -1;
    }
    memset(data, 0, node->size);
    if (group->node_count > 1) {
        *(uint8_t *)data = (uint8_t)kind;
    }
    for (int i = 0; i < node->field_count; i++) {
        if (read_field(state, arena, node, &node->fields[i], state->names[number][i], object, data)
            < 0) {
            return -1;
        }
    }
    if (group->is_product && group->pos >= 0 && read_position(state, group, object, &pos) < 0) {
        return -1;
    }
    if (check_required(node, data) < 0) {
        return -1;
    }
    if (group->pos >= 0) {
        memcpy(data + group->pos, &pos, sizeof(pos));
    }
    *out = data;
    return 0;
}

static int object_to_group(struct ast_state *state, struct arena *arena, int index,
                           PyObject *object, void **out)
{
    const struct ast_group *group = &ast_groups[index];
    *out = NULL;
    if (object == Py_None && !group->is_product) {
        return 0;
    }
    char where[64];
    PyOS_snprintf(where, sizeof(where), " while traversing '%s' node", group->name);
    if (Py_EnterRecursiveCall(where)) {
        return -1;
    }
    int rc = object_to_node(state, arena, group, object, out);
    Py_LeaveRecursiveCall();
    return rc;
}

struct ast_module *ast_from_object(PyObject *object, enum parse_mode mode, struct arena *arena)
{
    static const uint8_t roots[] = {
        [PARSE_FILE] = MODULE_MODULE,
        [PARSE_EVAL] = MODULE_EXPRESSION,
        [PARSE_SINGLE] = MODULE_INTERACTIVE,
        [PARSE_FUNCTYPE] = MODULE_FUNCTIONTYPE,
    };
    struct ast_state *state = ast_state_get();
    if (state == NULL) {
        return NULL;
    }
    const struct ast_group *group = &ast_groups[GROUP_MOD];
    int is = PyObject_IsInstance(object, state->nodes[group->first + roots[mode]]);
    if (is <= 0) {
        if (is == 0) {
            PyErr_Format(PyExc_TypeError, "expected %s node, got %.400s",
                         group->nodes[roots[mode]].name, Py_TYPE(object)->tp_name);
        }
        return NULL;
    }
    void *module = NULL;
    return object_to_group(state, arena, GROUP_MOD, object, &module) < 0 ? NULL : module;
}
