/* The types of `_ast`: the base AST with its constructor, and all others made from the table. */

#include "ast_types.h"
#include "parse.h"

#include <string.h>

struct ast_object {
    PyObject ob_base;
    PyObject *dict;
};

/* ---- AST ---- */

static int ast_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((struct ast_object *)self)->dict);
    return 0;
}

static int ast_clear(PyObject *self)
{
    Py_CLEAR(((struct ast_object *)self)->dict);
    return 0;
}

static void ast_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_TRASHCAN_BEGIN(self, ast_dealloc) ast_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
    Py_TRASHCAN_END
}

static int warn_missing(PyObject *self, PyObject *name)
{
    return PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                            "%.400s.__init__ missing 1 required positional argument: %R. This will "
                            "become an error in Python 3.15.",
                            Py_TYPE(self)->tp_name, name);
}

/* What a field is that the constructor was not given. */
static int set_default(struct ast_state *state, PyObject *self, PyObject *types, PyObject *name)
{
    PyObject *type;
    if (PyDict_Check(types)) {
        if (PyDict_GetItemRef(types, name, &type) < 0) {
            return -1;
        }
    } else {
        type = PyObject_GetItem(types, name);
        if (type == NULL) {
            return -1;
        }
    }
    int rc = 0;
    if (type == NULL) {
        rc = PyErr_WarnFormat(PyExc_DeprecationWarning, 1,
                              "Field %R is missing from %.400s._field_types. This will become an "
                              "error in Python 3.15.",
                              name, Py_TYPE(self)->tp_name);
    } else if ((PyObject *)Py_TYPE(type) == state->union_type) {
        /* optional: the class has the default None */
    } else if (Py_IS_TYPE(type, &Py_GenericAliasType)) {
        PyObject *list = PyList_New(0);
        rc = list ? PyObject_SetAttr(self, name, list) : -1;
        Py_XDECREF(list);
    } else if (type == state->groups[GROUP_EXPR_CONTEXT]) {
        int load = ast_groups[GROUP_EXPR_CONTEXT].first;
        rc = PyObject_SetAttr(self, name, state->singletons[load]);
    } else {
        rc = warn_missing(self, name);
    }
    Py_XDECREF(type);
    return rc;
}

static int set_positional(PyObject *self, PyObject *args, PyObject *fields, Py_ssize_t field_count,
                          PyObject *missing)
{
    Py_ssize_t count = PyTuple_GET_SIZE(args);
    if (count > field_count) {
        PyErr_Format(PyExc_TypeError, "%.400s constructor takes at most %zd positional argument%s",
                     Py_TYPE(self)->tp_name, field_count, field_count == 1 ? "" : "s");
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *name = PySequence_GetItem(fields, i);
        if (name == NULL) {
            return -1;
        }
        int rc = PyObject_SetAttr(self, name, PyTuple_GET_ITEM(args, i));
        if (rc == 0 && PySet_Discard(missing, name) < 0) {
            rc = -1;
        }
        Py_DECREF(name);
        if (rc < 0) {
            return -1;
        }
    }
    return 0;
}

static int set_keyword(struct ast_state *state, PyObject *self, PyObject *fields, PyObject *missing,
                       PyObject *key, PyObject *value)
{
    int known = PySequence_Contains(fields, key);
    if (known < 0) {
        return -1;
    }
    if (known) {
        int open = PySet_Discard(missing, key);
        if (open == 0) {
            PyErr_Format(PyExc_TypeError, "%.400s got multiple values for argument %R",
                         Py_TYPE(self)->tp_name, key);
        }
        if (open <= 0) {
            return -1;
        }
    } else {
        PyObject *attributes = PyObject_GetAttr((PyObject *)Py_TYPE(self), state->attributes_name);
        known = attributes ? PySequence_Contains(attributes, key) : -1;
        Py_XDECREF(attributes);
        if (known < 0
            || (!known
                && PyErr_WarnFormat(
                       PyExc_DeprecationWarning, 1,
                       "%.400s.__init__ got an unexpected keyword argument %R. Support "
                       "for arbitrary keyword arguments is deprecated and will be "
                       "removed in Python 3.15.",
                       Py_TYPE(self)->tp_name, key)
                       < 0)) {
            return -1;
        }
    }
    return PyObject_SetAttr(self, key, value);
}

static int set_defaults(struct ast_state *state, PyObject *self, PyObject *fields,
                        Py_ssize_t field_count, PyObject *missing)
{
    PyObject *types;
    if (PySet_GET_SIZE(missing) == 0) {
        return 0;
    }
    if (PyObject_GetOptionalAttr((PyObject *)Py_TYPE(self), state->field_types_name, &types) < 0) {
        return -1;
    }
    int rc = 0;
    for (Py_ssize_t i = 0; types != NULL && rc == 0 && i < field_count; i++) {
        PyObject *name = PySequence_GetItem(fields, i);
        int open = name ? PySet_Contains(missing, name) : -1;
        rc = open > 0 ? set_default(state, self, types, name) : open;
        Py_XDECREF(name);
    }
    Py_XDECREF(types);
    return rc;
}

static int ast_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    struct ast_state *state = ast_state_get();
    if (state == NULL) {
        return -1;
    }
    PyObject *fields = PyObject_GetAttr((PyObject *)Py_TYPE(self), state->fields_name);
    Py_ssize_t field_count = fields ? PySequence_Size(fields) : -1;
    PyObject *missing = field_count >= 0 ? PySet_New(fields) : NULL;
    int rc = -1;
    if (missing != NULL) {
        rc = set_positional(self, args, fields, field_count, missing);
    }
    PyObject *key, *value;
    Py_ssize_t i = 0;
    while (rc == 0 && kwargs != NULL && PyDict_Next(kwargs, &i, &key, &value)) {
        rc = set_keyword(state, self, fields, missing, key, value);
    }
    if (rc == 0) {
        rc = set_defaults(state, self, fields, field_count, missing);
    }
    Py_XDECREF(missing);
    Py_XDECREF(fields);
    return rc;
}

/* Pickled as a call with None for the fields that are there, which spares the warnings about missing
   ones, and all attributes as state: they may refer back to this very node. */
static PyObject *ast_reduce(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    struct ast_state *state = ast_state_get();
    PyObject *dict = ((struct ast_object *)self)->dict;
    if (state == NULL || dict == NULL) {
        return state ? Py_BuildValue("O()", Py_TYPE(self)) : NULL;
    }
    PyObject *fields = PyObject_GetAttr((PyObject *)Py_TYPE(self), state->fields_name);
    Py_ssize_t count = fields ? PySequence_Size(fields) : -1, present = 0;
    for (; present < count; present++) {
        PyObject *name = PySequence_GetItem(fields, present);
        int found = name ? PyDict_Contains(dict, name) : -1;
        Py_XDECREF(name);
        if (found < 0) {
            count = -1;
        }
        if (found <= 0) {
            break;
        }
    }
    Py_XDECREF(fields);
    PyObject *args = count < 0 ? NULL : PyTuple_New(present);
    for (Py_ssize_t i = 0; args != NULL && i < present; i++) {
        PyTuple_SET_ITEM(args, i, Py_NewRef(Py_None));
    }
    return args ? Py_BuildValue("ONO", Py_TYPE(self), args, dict) : NULL;
}

static PyMemberDef ast_members[] = {
    {"__dictoffset__", Py_T_PYSSIZET, offsetof(struct ast_object, dict), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyMethodDef ast_methods[] = {
    {"__reduce__", ast_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef ast_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot ast_slots[] = {
    {Py_tp_dealloc, ast_dealloc},
    {Py_tp_getattro, PyObject_GenericGetAttr},
    {Py_tp_setattro, PyObject_GenericSetAttr},
    {Py_tp_traverse, ast_traverse},
    {Py_tp_clear, ast_clear},
    {Py_tp_members, ast_members},
    {Py_tp_methods, ast_methods},
    {Py_tp_getset, ast_getset},
    {Py_tp_init, ast_init},
    {Py_tp_alloc, PyType_GenericAlloc},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_free, PyObject_GC_Del},
    {0, NULL},
};

static PyType_Spec ast_spec = {
    .name = "ast.AST",
    .basicsize = sizeof(struct ast_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = ast_slots,
};

/* ---- the types of the grammar ---- */

static PyObject *field_names(struct ast_state *state, int number, const struct ast_node *node)
{
    PyObject *tuple = PyTuple_New(node->field_count);
    for (int i = 0; tuple != NULL && i < node->field_count; i++) {
        PyObject *name = PyUnicode_InternFromString(node->fields[i].name);
        if (name == NULL) {
            Py_CLEAR(tuple);
            break;
        }
        state->names[number][i] = Py_NewRef(name);
        PyTuple_SET_ITEM(tuple, i, name);
    }
    return tuple;
}

static const char *type_name(int type)
{
    static const char *const builtin[] = {"identifier", "string", "constant", "int"};
    return type < GROUPS ? ast_groups[type].name : builtin[type - GROUPS];
}

/* Name(type field, ...), appended to what `text` holds (stolen; new). */
static PyObject *describe_node(PyObject *text, const struct ast_node *node)
{
    static const char *const suffix[] = {"", "?", "*"};
    PyUnicode_AppendAndDel(&text, PyUnicode_FromString(node->name));
    for (int i = 0; i < node->field_count; i++) {
        const struct ast_field *f = &node->fields[i];
        PyUnicode_AppendAndDel(&text,
                               PyUnicode_FromFormat("%s%s%s %s", i ? ", " : "(", type_name(f->type),
                                                    suffix[f->quantity], f->name));
    }
    if (node->field_count > 0) {
        PyUnicode_AppendAndDel(&text, PyUnicode_FromString(")"));
    }
    return text;
}

/* The documentation of a sum: its alternatives below each other. */
static PyObject *describe_group(const struct ast_group *group)
{
    PyObject *text = PyUnicode_FromFormat("%s = ", group->name);
    int indent = (int)strlen(group->name) + 1;
    for (int i = 0; i < group->node_count; i++) {
        if (i > 0) {
            PyUnicode_AppendAndDel(&text, group->is_enum
                                              ? PyUnicode_FromString(" | ")
                                              : PyUnicode_FromFormat("\n%*s| ", indent, ""));
        }
        text = describe_node(text, &group->nodes[i]);
    }
    return text;
}

/* class NAME(base): _fields, __match_args__, __module__, __doc__; `names` and `doc` are stolen. */
static PyObject *make_type(struct ast_state *state, const char *name, PyObject *base,
                           PyObject *names, PyObject *doc)
{
    PyObject *type = NULL;
    if (names != NULL && doc != NULL) {
        type = PyObject_CallFunction((PyObject *)&PyType_Type, "s(O){OOsOsssO}", name, base,
                                     state->fields_name, names, "__match_args__", names,
                                     "__module__", "ast", "__doc__", doc);
    }
    Py_XDECREF(names);
    Py_XDECREF(doc);
    return type;
}

static int set_attr(PyObject *type, const char *name, PyObject *value)
{
    int rc = value ? PyObject_SetAttrString(type, name, value) : -1;
    Py_XDECREF(value);
    return rc;
}

static int set_attributes(struct ast_state *state, PyObject *type, bool positioned)
{
    PyObject *tuple = positioned ? PyTuple_Pack(4, state->attributes[0], state->attributes[1],
                                                state->attributes[2], state->attributes[3])
                                 : PyTuple_New(0);
    return set_attr(type, "_attributes", tuple);
}

static int make_group(struct ast_state *state, int index)
{
    const struct ast_group *group = &ast_groups[index];
    bool positioned = group->pos >= 0;
    PyObject *type;
    if (group->is_product) {
        PyObject *text = PyUnicode_FromString("");
        type = make_type(state, group->name, state->base,
                         field_names(state, group->first, group->nodes),
                         describe_node(text, group->nodes));
        state->nodes[group->first] = Py_XNewRef(type);
    } else {
        type = make_type(state, group->name, state->base, PyTuple_New(0), describe_group(group));
    }
    state->groups[index] = type;
    if (type == NULL || set_attributes(state, type, positioned) < 0) {
        return -1;
    }
    if (positioned
        && (PyObject_SetAttr(type, state->attributes[2], Py_None) < 0
            || PyObject_SetAttr(type, state->attributes[3], Py_None) < 0)) {
        return -1;
    }
    for (int i = 0; i < group->node_count; i++) {
        const struct ast_node *node = &group->nodes[i];
        int number = group->first + i;
        if (!group->is_product) {
            PyObject *text = PyUnicode_FromString("");
            state->nodes[number] =
                make_type(state, node->name, type, field_names(state, number, node),
                          describe_node(text, node));
            if (state->nodes[number] == NULL) {
                return -1;
            }
        }
        if (group->is_enum) {
            PyTypeObject *enumerator = (PyTypeObject *)state->nodes[number];
            state->singletons[number] = PyType_GenericNew(enumerator, NULL, NULL);
            if (state->singletons[number] == NULL) {
                return -1;
            }
        }
        for (int f = 0; f < node->field_count; f++) {
            if (node->fields[f].quantity == AST_OPTIONAL
                && PyObject_SetAttr(state->nodes[number], state->names[number][f], Py_None) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

/* int, list[ast.stmt], ast.expr | None: new reference */
static PyObject *field_type(struct ast_state *state, const struct ast_field *field)
{
    PyObject *type = field->type < GROUPS           ? state->groups[field->type]
                     : field->type == TYPE_CONSTANT ? (PyObject *)&PyBaseObject_Type
                     : field->type == TYPE_INT      ? (PyObject *)&PyLong_Type
                                                    : (PyObject *)&PyUnicode_Type;
    switch (field->quantity) {
    case AST_MANY:
        return Py_GenericAlias((PyObject *)&PyList_Type, type);
    case AST_OPTIONAL:
        return PyNumber_Or(type, Py_None);
    default:
        return Py_NewRef(type);
    }
}

static int annotate(struct ast_state *state, int number, const struct ast_node *node)
{
    PyObject *types = PyDict_New();
    int rc = types ? 0 : -1;
    for (int i = 0; rc == 0 && i < node->field_count; i++) {
        PyObject *type = field_type(state, &node->fields[i]);
        rc = type ? PyDict_SetItem(types, state->names[number][i], type) : -1;
        Py_XDECREF(type);
    }
    if (rc == 0) {
        rc = PyObject_SetAttr(state->nodes[number], state->field_types_name, types);
    }
    if (rc == 0) {
        rc = PyObject_SetAttrString(state->nodes[number], "__annotations__", types);
    }
    Py_XDECREF(types);
    return rc;
}

static int fill_names(struct ast_state *state)
{
    static const char *const names[] = {"lineno", "col_offset", "end_lineno", "end_col_offset"};
    for (int i = 0; i < 4; i++) {
        state->attributes[i] = PyUnicode_InternFromString(names[i]);
        if (state->attributes[i] == NULL) {
            return -1;
        }
    }
    state->fields_name = PyUnicode_InternFromString("_fields");
    state->attributes_name = PyUnicode_InternFromString("_attributes");
    state->field_types_name = PyUnicode_InternFromString("_field_types");
    PyObject *example = PyNumber_Or((PyObject *)&PyLong_Type, Py_None);
    state->union_type = example ? Py_NewRef(Py_TYPE(example)) : NULL;
    Py_XDECREF(example);
    return state->fields_name && state->attributes_name && state->field_types_name
                   && state->union_type
               ? 0
               : -1;
}

static int fill_state(struct ast_state *state)
{
    if (fill_names(state) < 0) {
        return -1;
    }
    state->base = PyType_FromSpec(&ast_spec);
    if (state->base == NULL || set_attr(state->base, "_fields", PyTuple_New(0)) < 0
        || set_attr(state->base, "__match_args__", PyTuple_New(0)) < 0
        || set_attr(state->base, "_attributes", PyTuple_New(0)) < 0) {
        return -1;
    }
    for (int i = 0; i < GROUPS; i++) {
        if (make_group(state, i) < 0) {
            return -1;
        }
    }
    for (int i = 0; i < GROUPS; i++) {
        for (int n = 0; n < ast_groups[i].node_count; n++) {
            if (annotate(state, ast_groups[i].first + n, &ast_groups[i].nodes[n]) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

/* ---- the state of an interpreter ---- */

static const char state_name[] = "krait.ast";

static void free_state(PyObject *capsule)
{
    struct ast_state *state = PyCapsule_GetPointer(capsule, state_name);
    if (state == NULL) {
        PyErr_Clear();
        return;
    }
    PyObject **object = (PyObject **)state; /* the struct is nothing but references */
    for (size_t i = 0; i < sizeof(*state) / sizeof(*object); i++) {
        Py_CLEAR(object[i]);
    }
    PyMem_Free(state);
}

static PyObject *new_state_capsule(void)
{
    struct ast_state *state = PyMem_Calloc(1, sizeof(*state));
    if (state == NULL) {
        return PyErr_NoMemory();
    }
    PyObject *capsule = PyCapsule_New(state, state_name, free_state);
    if (capsule == NULL) {
        PyMem_Free(state);
    } else if (fill_state(state) < 0) {
        Py_CLEAR(capsule);
    }
    return capsule;
}

struct ast_state *ast_state_get(void)
{
    PyObject *dict = PyInterpreterState_GetDict(PyInterpreterState_Get());
    if (dict == NULL) {
        PyErr_SetString(PyExc_SystemError, "this interpreter cannot keep the types of _ast");
        return NULL;
    }
    PyObject *capsule = PyDict_GetItemString(dict, state_name);
    if (capsule == NULL) {
        /* Two threads may both get here; the first to store its state wins. */
        PyObject *key = PyUnicode_InternFromString(state_name), *mine = new_state_capsule();
        if (key != NULL && mine != NULL && PyDict_SetDefaultRef(dict, key, mine, &capsule) >= 0) {
            Py_DECREF(capsule); /* the dict keeps it */
        }
        Py_XDECREF(key);
        Py_XDECREF(mine);
    }
    return capsule ? PyCapsule_GetPointer(capsule, state_name) : NULL;
}

int ast_types_add(PyObject *module)
{
    struct ast_state *state = ast_state_get();
    if (state == NULL || PyModule_AddObjectRef(module, "AST", state->base) < 0
        || PyModule_AddIntMacro(module, PyCF_ALLOW_TOP_LEVEL_AWAIT) < 0
        || PyModule_AddIntMacro(module, PyCF_ONLY_AST) < 0
        || PyModule_AddIntMacro(module, PyCF_TYPE_COMMENTS) < 0
        || PyModule_AddIntMacro(module, PyCF_OPTIMIZED_AST) < 0) {
        return -1;
    }
    for (int i = 0; i < GROUPS; i++) {
        const struct ast_group *group = &ast_groups[i];
        if (PyModule_AddObjectRef(module, group->name, state->groups[i]) < 0) {
            return -1;
        }
        for (int n = 0; n < group->node_count; n++) {
            if (PyModule_AddObjectRef(module, group->nodes[n].name, state->nodes[group->first + n])
                < 0) {
                return -1;
            }
        }
    }
    return 0;
}

int ast_object_check(PyObject *object)
{
    struct ast_state *state = ast_state_get();
    return state ? PyObject_IsInstance(object, state->base) : -1;
}
