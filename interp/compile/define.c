/* Functions, lambdas, classes, type parameters and type aliases. */

#include "objects/ids.h"
#include "unit.h"

/* ---- making a function ---- */

void make_function(struct compiler *c, PyObject *code, const struct block *block, int dst)
{
    (void)block;
    if (c->failed) {
        return;
    }
    int depth = c->unit->depth;
    emit_wide(c, MAKE_FUNCTION, dst, const_add(c, code));
    PyObject *free = keep(c, PyCode_GetFreevars((PyCodeObject *)code));
    if (free == NULL || PyTuple_GET_SIZE(free) == 0) {
        return;
    }
    if (depth == dst) {
        temp_push(c);
    }
    int first = c->unit->depth;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(free); i++) {
        int cell = cell_register(c, PyTuple_GET_ITEM(free, i));
        if (cell < 0) {
            PyErr_Format(PyExc_SystemError, "no cell for free variable %R",
                         PyTuple_GET_ITEM(free, i));
            fail(c);
            return;
        }
        emit(c, MOVE, c->unit->depth, cell, 0);
        temp_push(c);
    }
    emit(c, BUILD_TUPLE, first, first, (int)PyTuple_GET_SIZE(free));
    temp_pop_to(c, first);
    temp_push(c);
    emit(c, SET_FUNC_ATTR, dst, first, FUNC_CLOSURE);
    temp_pop_to(c, depth);
}

/* Evaluated defaults wait in temporaries until the function exists. */
struct extras {
    int defaults, kwdefaults, annotations; /* registers, or ANY */
};

static void push_defaults(struct compiler *c, struct arguments *args, struct extras *extras)
{
    extras->defaults = extras->kwdefaults = extras->annotations = ANY;
    struct ast_pos pos = c->pos;
    if (args->defaults->len != 0) {
        int first = c->unit->depth;
        for (size_t i = 0; i < args->defaults->len; i++) {
            expr_push(c, args->defaults->items[i]);
        }
        c->pos = pos;
        emit(c, BUILD_TUPLE, first, first, (int)args->defaults->len);
        temp_pop_to(c, first);
        extras->defaults = temp_push(c);
    }
    int first = c->unit->depth, count = 0;
    for (size_t i = 0; i < args->kw_defaults->len; i++) {
        if (args->kw_defaults->items[i] == NULL) {
            continue;
        }
        PyObject *name = mangled(c, args->kwonlyargs->items[i]->arg);
        if (name == NULL) {
            return;
        }
        load_const(c, c->unit->depth, name);
        temp_push(c);
        expr_push(c, args->kw_defaults->items[i]);
        count++;
    }
    if (count != 0) {
        c->pos = pos;
        emit(c, BUILD_MAP, first, first, count);
        temp_pop_to(c, first);
        extras->kwdefaults = temp_push(c);
    }
}

static int push_annotation(struct compiler *c, PyObject *name, struct expr *annotation)
{
    if (annotation == NULL) {
        return 0;
    }
    PyObject *spelled = mangled(c, name);
    if (spelled == NULL) {
        return 0;
    }
    load_const(c, c->unit->depth, spelled);
    temp_push(c);
    annotation_value(c, annotation);
    return 2;
}

static int push_arg_annotations(struct compiler *c, struct arg_seq *args)
{
    int count = 0;
    for (size_t i = 0; i < args->len; i++) {
        count += push_annotation(c, args->items[i]->arg, args->items[i]->annotation);
    }
    return count;
}

static void push_annotations(struct compiler *c, struct arguments *args, struct expr *returns,
                             struct extras *extras)
{
    int first = c->unit->depth;
    struct ast_pos pos = c->pos;
    int count = push_arg_annotations(c, args->posonlyargs);
    count += push_arg_annotations(c, args->args);
    if (args->vararg != NULL) {
        count += push_annotation(c, args->vararg->arg, args->vararg->annotation);
    }
    count += push_arg_annotations(c, args->kwonlyargs);
    if (args->kwarg != NULL) {
        count += push_annotation(c, args->kwarg->arg, args->kwarg->annotation);
    }
    /* clang-format off */
    count += push_annotation(c, ID(return), returns);
    /* clang-format on */
    if (count != 0) {
        c->pos = pos;
        emit(c, BUILD_TUPLE, first, first, count);
        temp_pop_to(c, first);
        extras->annotations = temp_push(c);
    }
}

/* The function made of `code` in the next temporary (live), with its extras. */
static int push_function(struct compiler *c, PyObject *code, const struct block *block,
                         const struct extras *extras)
{
    int function = c->unit->depth;
    make_function(c, code, block, function);
    temp_push(c);
    const struct {
        int reg, kind;
    } attributes[] = {
        {extras->defaults, FUNC_DEFAULTS},
        {extras->kwdefaults, FUNC_KWDEFAULTS},
        {extras->annotations, FUNC_ANNOTATIONS},
    };
    for (int i = 0; i < 3; i++) {
        if (attributes[i].reg == ANY) {
            continue;
        }
        int temp = c->unit->depth;
        emit(c, SAVE_CLEAR, temp, attributes[i].reg, 0);
        temp_push(c);
        emit(c, SET_FUNC_ATTR, function, temp, attributes[i].kind);
        temp_pop_to(c, temp);
    }
    return function;
}

static void set_argument_counts(struct compiler *c, struct arguments *args)
{
    struct unit *u = c->unit;
    u->posonlyargcount = (int)args->posonlyargs->len;
    u->argcount = (int)(args->posonlyargs->len + args->args->len);
    u->kwonlyargcount = (int)args->kwonlyargs->len;
}

static void return_none(struct compiler *c)
{
    c->pos = NOWHERE;
    emit_wide(c, RETURN_CONST, 0, const_add(c, Py_None));
}

/* A generator's body: StopIteration must not leak out of it. */
static void guard_generator(struct compiler *c, int32_t raised)
{
    struct unit *u = c->unit;
    handler_pop(c);
    label_here(c, raised);
    temp_pop_to(c, u->nlocals);
    temp_push(c);
    temp_push(c);
    c->pos = NOWHERE;
    emit(c, INTRINSIC1, u->nlocals + 1, u->nlocals + 1, INTRINSIC_STOPITERATION_ERROR);
    emit(c, RERAISE, u->nlocals + 1, u->nlocals, 0);
    temp_pop_to(c, u->nlocals);
}

PyAPI_FUNC(PyObject *) _PyCompile_CleanDoc(PyObject *doc);

static PyObject *function_code(struct compiler *c, struct stmt *s, const struct block *block,
                               int firstlineno)
{
    if (!unit_enter(c, s->functiondef.name, block, firstlineno)) {
        return NULL;
    }
    set_argument_counts(c, s->functiondef.args);
    struct unit *u = c->unit;
    u->async = s->kind == STMT_ASYNCFUNCTIONDEF;
    PyObject *doc = ast_docstring(s->functiondef.body);
    /* The first constant is the docstring, or None. */
    if (doc != NULL && c->optimize < 2) {
        doc = keep(c, _PyCompile_CleanDoc(doc));
        if (doc != NULL) {
            const_add(c, doc);
        }
    } else {
        const_add(c, Py_None);
    }
    bool generator = block->generator || block->coroutine;
    int32_t raised = label_new(c);
    if (generator) {
        handler_push(c, raised, u->nlocals, true);
    }
    u->open_count = generator; /* the guard counts as a block */
    c->nested_functions++;
    stmts(c, s->functiondef.body);
    c->nested_functions--;
    return_none(c);
    if (generator) {
        guard_generator(c, raised);
    }
    return unit_leave(c);
}

void lambda_expr(struct compiler *c, struct expr *e, int dst)
{
    int base = c->unit->depth;
    const struct block *block = symtable_block(c->table, e);
    struct extras extras;
    push_defaults(c, e->lambda.args, &extras);
    PyObject *name = keep(c, PyUnicode_InternFromString("<lambda>"));
    struct ast_pos pos = c->pos;
    if (name == NULL || !unit_enter(c, name, block, e->pos.line)) {
        return;
    }
    set_argument_counts(c, e->lambda.args);
    struct unit *u = c->unit;
    const_add(c, Py_None);
    bool generator = block->generator;
    int32_t raised = label_new(c);
    if (generator) {
        handler_push(c, raised, u->nlocals, true);
    }
    c->nested_functions++;
    int result = expr(c, e->lambda.body, ANY);
    c->nested_functions--;
    c->pos = e->lambda.body->pos;
    emit(c, RETURN, result, 0, 0);
    if (generator) {
        guard_generator(c, raised);
    }
    PyObject *code = unit_leave(c);
    c->pos = pos;
    if (code == NULL) {
        return;
    }
    int function = push_function(c, code, block, &extras);
    if (function != dst) {
        emit(c, MOVE, dst, function, 0);
    }
    temp_pop_to(c, base);
}

/* ---- decorators ---- */

/* Each decorator waits as the callable of a call window; returns their number. */
static size_t push_decorators(struct compiler *c, struct expr_seq *decorators)
{
    for (size_t i = 0; i < decorators->len; i++) {
        expr_push(c, decorators->items[i]);
        c->pos = decorators->items[i]->pos;
        emit(c, LOAD_NULL, c->unit->depth, 0, 0);
        temp_push(c);
    }
    return decorators->len;
}

/* Calls them, the innermost first, on r[reg] right above the last window; `base` is the first. */
static void apply_decorators(struct compiler *c, struct expr_seq *decorators, int base)
{
    for (size_t i = decorators->len; i-- > 0;) {
        int window = base + 2 * (int)i;
        c->pos = decorators->items[i]->pos;
        temp_pop_to(c, window + 3);
        call_window(c, window, 1, window);
        temp_push(c);
    }
}

/* ---- type parameters ---- */

/* The lazily evaluated expression as a function in a new temporary. */
static void push_lazy(struct compiler *c, struct expr *e, const void *key, PyObject *name)
{
    const struct block *block = symtable_block(c->table, key);
    struct ast_pos pos = c->pos;
    if (!unit_enter(c, name, block, e->pos.line)) {
        temp_push(c);
        return;
    }
    const_add(c, Py_None);
    c->nested_functions++;
    c->pos = e->pos;
    if (e->kind == EXPR_STARRED) {
        /* a TypeVarTuple's default: the unpacked type itself */
        int value = expr_push(c, e->starred.value);
        emit(c, UNPACK_SEQ, value, value, 1);
        emit(c, RETURN, value, 0, 0);
    } else {
        int value = expr(c, e, ANY);
        emit(c, RETURN, value, 0, 0);
    }
    c->nested_functions--;
    PyObject *code = unit_leave(c);
    c->pos = pos;
    int dst = c->unit->depth;
    if (code != NULL) {
        make_function(c, code, block, dst);
    }
    temp_push(c);
}

static void push_type_param(struct compiler *c, struct typeparam *param)
{
    int reg = c->unit->depth;
    c->pos = param->pos;
    load_const(c, reg, param->name);
    temp_push(c);
    if (param->kind == TYPEPARAM_TYPEVAR && param->bound != NULL) {
        push_lazy(c, param->bound, param, param->name);
        emit(c, INTRINSIC2, reg, reg,
             param->bound->kind == EXPR_TUPLE ? INTRINSIC_TYPEVAR_WITH_CONSTRAINTS
                                              : INTRINSIC_TYPEVAR_WITH_BOUND);
        temp_pop_to(c, reg + 1);
    } else {
        static const int intrinsics[] = {
            [TYPEPARAM_TYPEVAR] = INTRINSIC_TYPEVAR,
            [TYPEPARAM_PARAMSPEC] = INTRINSIC_PARAMSPEC,
            [TYPEPARAM_TYPEVARTUPLE] = INTRINSIC_TYPEVARTUPLE,
        };
        emit(c, INTRINSIC1, reg, reg, intrinsics[param->kind]);
    }
    if (param->default_value != NULL) {
        push_lazy(c, param->default_value, (char *)param + 1, param->name);
        emit(c, INTRINSIC2, reg, reg, INTRINSIC_SET_TYPEPARAM_DEFAULT);
        temp_pop_to(c, reg + 1);
    }
    /* It is both a variable of the scope and an item of the tuple. */
    emit(c, COPY, reg + 1, reg, 0);
    temp_push(c);
    name_store(c, param->name, reg + 1);
    temp_pop_to(c, reg + 1);
}

/* The tuple of type parameters in a new temporary. */
static void push_type_params(struct compiler *c, struct typeparam_seq *params)
{
    int first = c->unit->depth;
    bool seen_default = false;
    for (size_t i = 0; i < params->len; i++) {
        struct typeparam *param = params->items[i];
        if (param->default_value != NULL) {
            seen_default = true;
        } else if (seen_default) {
            c->pos = param->pos;
            fail_syntax(c, "non-default type parameter '%U' follows default type parameter",
                        param->name);
            return;
        }
        push_type_param(c, param);
    }
    emit(c, BUILD_TUPLE, first, first, (int)params->len);
    temp_pop_to(c, first);
    temp_push(c);
}

static PyObject *generic_scope_name(struct compiler *c, PyObject *name)
{
    return keep(c, PyUnicode_FromFormat("<generic parameters of %U>", name));
}

/* ---- function definitions ---- */

static int first_line(const struct stmt *s, const struct expr_seq *decorators)
{
    return decorators->len != 0 ? decorators->items[0]->pos.line : s->pos.line;
}

/* Inside the scope of its type parameters: makes the function and returns it from the scope. */
static PyObject *generic_function_code(struct compiler *c, struct stmt *s,
                                       const struct extras *outer, int firstlineno)
{
    struct typeparam_seq *params = s->functiondef.type_params;
    const struct block *scope = symtable_block(c->table, params);
    PyObject *name = generic_scope_name(c, s->functiondef.name);
    if (name == NULL || !unit_enter(c, name, scope, firstlineno)) {
        return NULL;
    }
    struct unit *u = c->unit;
    u->argcount = (outer->defaults != ANY) + (outer->kwdefaults != ANY);
    const_add(c, Py_None);
    int tuple = u->depth;
    push_type_params(c, params);
    struct extras extras = {ANY, ANY, ANY};
    int argument = 0;
    if (outer->defaults != ANY) {
        extras.defaults = argument++;
    }
    if (outer->kwdefaults != ANY) {
        extras.kwdefaults = argument;
    }
    c->pos = s->pos;
    push_annotations(c, s->functiondef.args, s->functiondef.returns, &extras);
    const struct block *block = symtable_block(c->table, s);
    PyObject *code = function_code(c, s, block, firstlineno);
    if (code != NULL) {
        c->pos = s->pos;
        int function = push_function(c, code, block, &extras);
        /* The intrinsic takes the function and the tuple side by side. */
        emit(c, SAVE_CLEAR, function + 1, tuple, 0);
        temp_push(c);
        emit(c, INTRINSIC2, function, function, INTRINSIC_SET_FUNCTION_TYPE_PARAMS);
        temp_pop_to(c, function + 1);
        emit(c, RETURN, function, 0, 0);
    }
    return unit_leave(c);
}

void stmt_function(struct compiler *c, struct stmt *s)
{
    int base = c->unit->depth;
    struct expr_seq *decorators = s->functiondef.decorator_list;
    struct arguments *args = s->functiondef.args;
    int firstlineno = first_line(s, decorators);
    push_decorators(c, decorators);
    int target = c->unit->depth;
    c->pos = s->pos;
    struct extras extras;
    if (s->functiondef.type_params->len != 0) {
        /* A hidden function owns the type parameters; the defaults are its arguments. */
        int window = c->unit->depth;
        temp_push(c);
        emit(c, LOAD_NULL, window, 0, 0);
        emit(c, LOAD_NULL, window + 1, 0, 0);
        temp_push(c);
        push_defaults(c, args, &extras);
        int count = (extras.defaults != ANY) + (extras.kwdefaults != ANY);
        PyObject *code = generic_function_code(c, s, &extras, firstlineno);
        c->pos = s->pos;
        if (code == NULL) {
            return;
        }
        int temp = c->unit->depth;
        make_function(c, code, symtable_block(c->table, s->functiondef.type_params), temp);
        temp_push(c);
        emit(c, SWAP, window, temp, 0);
        emit(c, DROP, temp, 0, 0);
        temp_pop_to(c, temp);
        call_window(c, window, count, window);
        temp_push(c);
    } else {
        push_defaults(c, args, &extras);
        push_annotations(c, args, s->functiondef.returns, &extras);
        const struct block *block = symtable_block(c->table, s);
        PyObject *code = function_code(c, s, block, firstlineno);
        c->pos = s->pos;
        if (code == NULL) {
            return;
        }
        int function = push_function(c, code, block, &extras);
        if (function != target) {
            emit(c, SWAP, target, function, 0);
            while (c->unit->depth > target + 1) {
                emit(c, DROP, c->unit->depth - 1, 0, 0);
                temp_pop_to(c, c->unit->depth - 1);
            }
        }
    }
    apply_decorators(c, decorators, base);
    c->pos = s->pos;
    name_store(c, s->functiondef.name, base);
    temp_pop_to(c, base);
}

/* ---- classes ---- */

static void set_name_const(struct compiler *c, PyObject *name, PyObject *value)
{
    int temp = c->unit->depth;
    load_const(c, temp, value);
    temp_push(c);
    emit_wide(c, SET_NAME, temp, name_site(c, name));
    temp_pop_to(c, temp);
}

/* Annotations of a class or module live in a dict that exists from the start. */
static bool has_annotations(const struct stmt_seq *body);

static bool stmt_has_annotations(const struct stmt *s)
{
    switch (s->kind) {
    case STMT_ANNASSIGN:
        return true;
    case STMT_FOR:
    case STMT_ASYNCFOR:
        return has_annotations(s->for_.body) || has_annotations(s->for_.orelse);
    case STMT_WHILE:
        return has_annotations(s->while_.body) || has_annotations(s->while_.orelse);
    case STMT_IF:
        return has_annotations(s->if_.body) || has_annotations(s->if_.orelse);
    case STMT_WITH:
    case STMT_ASYNCWITH:
        return has_annotations(s->with.body);
    case STMT_MATCH:
        for (size_t i = 0; i < s->match.cases->len; i++) {
            if (has_annotations(s->match.cases->items[i]->body)) {
                return true;
            }
        }
        return false;
    case STMT_TRY:
    case STMT_TRYSTAR:
        for (size_t i = 0; i < s->try_.handlers->len; i++) {
            if (has_annotations(s->try_.handlers->items[i]->body)) {
                return true;
            }
        }
        return has_annotations(s->try_.body) || has_annotations(s->try_.orelse)
               || has_annotations(s->try_.finalbody);
    default:
        return false;
    }
}

static bool has_annotations(const struct stmt_seq *body)
{
    for (size_t i = 0; i < body->len; i++) {
        if (stmt_has_annotations(body->items[i])) {
            return true;
        }
    }
    return false;
}

/* The lines of a docstring without the indentation that they share (the first has none to share): changes
 * the list. 0 or -1. */
static int remove_margin(PyObject *lines)
{
    Py_ssize_t count = PyList_GET_SIZE(lines), margin = PY_SSIZE_T_MAX;
    for (Py_ssize_t i = 1; i < count; i++) {
        PyObject *line = PyList_GET_ITEM(lines, i);
        Py_ssize_t length = PyUnicode_GET_LENGTH(line), spaces = 0;
        while (spaces < length && PyUnicode_READ_CHAR(line, spaces) == ' ') {
            spaces++;
        }
        if (spaces < length && spaces < margin) {
            margin = spaces;
        }
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *line = PyList_GET_ITEM(lines, i);
        Py_ssize_t length = PyUnicode_GET_LENGTH(line), start = 0;
        while (start < length && PyUnicode_READ_CHAR(line, start) == ' '
               && (i == 0 || start < margin)) {
            start++;
        }
        PyObject *rest = PyUnicode_Substring(line, start, length);
        if (rest == NULL || PyList_SetItem(lines, i, rest) < 0) {
            return -1;
        }
    }
    return 0;
}

/* The docstring as the compiler stores it (new reference). */
PyObject *_PyCompile_CleanDoc(PyObject *doc)
{
    PyObject *newline = PyUnicode_FromString("\n"), *result = NULL;
    PyObject *expanded = PyObject_CallMethod(doc, "expandtabs", NULL);
    PyObject *lines =
        newline == NULL || expanded == NULL ? NULL : PyUnicode_Split(expanded, newline, -1);
    if (lines != NULL && remove_margin(lines) == 0) {
        result = PyUnicode_Join(newline, lines);
    }
    Py_XDECREF(lines);
    Py_XDECREF(expanded);
    Py_XDECREF(newline);
    return result;
}

void body_with_docstring(struct compiler *c, struct stmt_seq *body)
{
    if (has_annotations(body)) {
        emit(c, SETUP_ANNOTATIONS, 0, 0, 0);
    }
    PyObject *doc = c->interactive ? NULL : ast_docstring(body);
    if (doc != NULL && c->optimize < 2) {
        c->pos = body->items[0]->pos;
        doc = keep(c, _PyCompile_CleanDoc(doc));
        if (doc != NULL) {
            int temp = c->unit->depth;
            load_const(c, temp, doc);
            temp_push(c);
            c->pos = NOWHERE;
            emit_wide(c, SET_NAME, temp, name_site(c, ID(__doc__)));
            temp_pop_to(c, temp);
        }
        struct stmt_seq *rest =
            arena_alloc(c->arena, sizeof *rest + body->len * sizeof rest->items[0]);
        if (rest == NULL) {
            fail(c);
            return;
        }
        rest->len = body->len - 1;
        for (size_t i = 0; i < rest->len; i++) {
            rest->items[i] = body->items[i + 1];
        }
        body = rest;
    }
    stmts(c, body);
}

static PyObject *class_code(struct compiler *c, struct stmt *s, int firstlineno)
{
    const struct block *block = symtable_block(c->table, s);
    if (!unit_enter(c, s->classdef.name, block, firstlineno)) {
        return NULL;
    }
    struct unit *u = c->unit;
    int temp = u->depth;
    c->pos = (struct ast_pos){firstlineno, 0, firstlineno, 0};
    emit_wide(c, GET_NAME, temp, name_site(c, ID(__name__)));
    temp_push(c);
    emit_wide(c, SET_NAME, temp, name_site(c, ID(__module__)));
    temp_pop_to(c, temp);
    set_name_const(c, ID(__qualname__), u->qualname);
    PyObject *line = keep(c, PyLong_FromLong(firstlineno));
    if (line != NULL) {
        set_name_const(c, ID(__firstlineno__), line);
    }
    if (s->classdef.type_params->len != 0) {
        PyObject *name = keep(c, PyUnicode_InternFromString(".type_params"));
        if (name != NULL) {
            name_load(c, name, temp);
            temp_push(c);
            emit_wide(c, SET_NAME, temp, name_site(c, ID(__type_params__)));
            temp_pop_to(c, temp);
        }
    }
    if (block->needs_classdict) {
        emit(c, LOAD_LOCALS, temp, 0, 0);
        temp_push(c);
        emit(c, SET_DEREF, cell_register(c, ID(__classdict__)), temp, 0);
        temp_pop_to(c, temp);
    }
    uint32_t nested = c->nested_functions++;
    bool interactive = c->interactive;
    c->interactive = false;
    body_with_docstring(c, s->classdef.body);
    c->interactive = interactive;
    c->nested_functions = nested;
    c->pos = NOWHERE;
    PyObject *attributes = keep(c, PyList_AsTuple(u->static_attributes));
    if (attributes != NULL) {
        set_name_const(c, ID(__static_attributes__), attributes);
    }
    if (block->needs_classdict) {
        emit(c, MOVE, temp, cell_register(c, ID(__classdict__)), 0);
        temp_push(c);
        emit_wide(c, SET_NAME, temp, name_site(c, ID(__classdictcell__)));
        temp_pop_to(c, temp);
    }
    if (block->needs_class_closure) {
        emit(c, MOVE, temp, cell_register(c, ID(__class__)), 0);
        temp_push(c);
        emit(c, COPY, temp + 1, temp, 0);
        temp_push(c);
        emit_wide(c, SET_NAME, temp + 1, name_site(c, ID(__classcell__)));
        temp_pop_to(c, temp + 1);
        emit(c, RETURN, temp, 0, 0);
        temp_pop_to(c, temp);
    } else {
        return_none(c);
    }
    return unit_leave(c);
}

/* __build_class__(body, name, *bases, **keywords) into the register `base` (made live). */
static void build_class(struct compiler *c, struct stmt *s, PyObject *code,
                        struct expr *generic_base, int base)
{
    emit(c, LOAD_BUILD_CLASS, base, 0, 0);
    temp_push(c);
    emit(c, LOAD_NULL, base + 1, 0, 0);
    temp_push(c);
    make_function(c, code, symtable_block(c->table, s), base + 2);
    temp_push(c);
    load_const(c, base + 3, s->classdef.name);
    temp_push(c);
    struct expr_seq *bases = s->classdef.bases;
    if (generic_base != NULL) {
        struct expr_seq *more = AST_SEQ_NEW(c->arena, expr_seq, bases->len + 1);
        if (more == NULL) {
            fail(c);
            return;
        }
        for (size_t i = 0; i < bases->len; i++) {
            more->items[i] = bases->items[i];
        }
        more->items[bases->len] = generic_base;
        bases = more;
    }
    call_finish(c, base, 2, bases, s->classdef.keywords, base);
    temp_push(c);
}

static PyObject *generic_class_code(struct compiler *c, struct stmt *s, int firstlineno)
{
    struct typeparam_seq *params = s->classdef.type_params;
    PyObject *name = generic_scope_name(c, s->classdef.name);
    PyObject *params_name = keep(c, PyUnicode_InternFromString(".type_params"));
    PyObject *base_name = keep(c, PyUnicode_InternFromString(".generic_base"));
    if (c->failed || !unit_enter(c, name, symtable_block(c->table, params), firstlineno)) {
        return NULL;
    }
    struct unit *u = c->unit;
    u->private_name = s->classdef.name;
    u->private_only = params;
    const_add(c, Py_None);
    int temp = u->depth;
    push_type_params(c, params);
    name_store(c, params_name, temp);
    temp_pop_to(c, temp);
    PyObject *code = class_code(c, s, firstlineno);
    if (code != NULL) {
        c->pos = s->pos;
        name_load(c, params_name, temp);
        temp_push(c);
        emit(c, INTRINSIC1, temp, temp, INTRINSIC_SUBSCRIPT_GENERIC);
        name_store(c, base_name, temp);
        temp_pop_to(c, temp);
        struct expr *generic_base = ast_expr_new(c->arena, EXPR_NAME, &s->pos);
        if (generic_base == NULL) {
            fail(c);
        } else {
            generic_base->name.id = base_name;
            build_class(c, s, code, generic_base, temp);
            emit(c, RETURN, temp, 0, 0);
            temp_pop_to(c, temp);
        }
    }
    return unit_leave(c);
}

void stmt_class(struct compiler *c, struct stmt *s)
{
    int base = c->unit->depth;
    struct expr_seq *decorators = s->classdef.decorator_list;
    int firstlineno = first_line(s, decorators);
    push_decorators(c, decorators);
    int target = c->unit->depth;
    c->pos = s->pos;
    if (s->classdef.type_params->len != 0) {
        PyObject *code = generic_class_code(c, s, firstlineno);
        c->pos = s->pos;
        if (code == NULL) {
            return;
        }
        make_function(c, code, symtable_block(c->table, s->classdef.type_params), target);
        temp_push(c);
        emit(c, LOAD_NULL, target + 1, 0, 0);
        temp_push(c);
        call_window(c, target, 0, target);
        temp_push(c);
    } else {
        PyObject *code = class_code(c, s, firstlineno);
        c->pos = s->pos;
        if (code == NULL) {
            return;
        }
        build_class(c, s, code, NULL, target);
    }
    apply_decorators(c, decorators, base);
    c->pos = s->pos;
    name_store(c, s->classdef.name, base);
    temp_pop_to(c, base);
}

/* ---- type aliases ---- */

/* TypeAliasType(name, type parameters, lazy value) in a new temporary. */
static void push_alias(struct compiler *c, struct stmt *s, int params)
{
    int first = c->unit->depth;
    PyObject *name = s->typealias.name->name.id;
    load_const(c, first, name);
    temp_push(c);
    if (params != ANY) {
        emit(c, SAVE_CLEAR, first + 1, params, 0);
    } else {
        load_none(c, first + 1);
    }
    temp_push(c);
    push_lazy(c, s->typealias.value, s, name);
    emit(c, BUILD_TUPLE, first, first, 3);
    temp_pop_to(c, first);
    temp_push(c);
    emit(c, INTRINSIC1, first, first, INTRINSIC_TYPEALIAS);
}

void stmt_type_alias(struct compiler *c, struct stmt *s)
{
    int base = c->unit->depth;
    struct typeparam_seq *params = s->typealias.type_params;
    if (params->len == 0) {
        push_alias(c, s, ANY);
    } else {
        PyObject *name = generic_scope_name(c, s->typealias.name->name.id);
        const struct block *scope = symtable_block(c->table, params);
        if (name == NULL || !unit_enter(c, name, scope, s->pos.line)) {
            return;
        }
        const_add(c, Py_None);
        int tuple = c->unit->depth;
        push_type_params(c, params);
        c->pos = s->pos;
        push_alias(c, s, tuple);
        emit(c, RETURN, tuple + 1, 0, 0);
        temp_pop_to(c, tuple);
        PyObject *code = unit_leave(c);
        c->pos = s->pos;
        if (code == NULL) {
            return;
        }
        make_function(c, code, scope, base);
        temp_push(c);
        emit(c, LOAD_NULL, base + 1, 0, 0);
        temp_push(c);
        call_window(c, base, 0, base);
        temp_push(c);
    }
    name_store(c, s->typealias.name->name.id, base);
    temp_pop_to(c, base);
}
