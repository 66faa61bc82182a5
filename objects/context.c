/* Context variables and contexts.
 *
 * A context's values are an immutable tree that contexts share: copying takes one count, setting a
 * value makes a few new nodes. The tree branches by five bits of a number that no two variables have
 * in common, so there are no collisions. Only the thread that runs in a context changes it; others
 * may read it at any time, hence the tree's root is taken and replaced under the context's lock. */
#include "objects/context.h"

#include "objects/bindings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LEVEL_BITS = 5, DEEPEST = 13 };

/* Bits of the map tell which of 32 places are taken; each has a pair, of a variable and its value, or
 * of NULL and a node. */
struct node {
    PyObject_VAR_HEAD
    uint32_t map;
    PyObject *items[];
};

struct _pycontextobject {
    PyObject_HEAD
    PyContext *previous; /* while it is entered: what was current before */
    struct node *root;   /* NULL: no values */
    Py_ssize_t count;
    PyObject *weaklist;
    bool entered;
};

struct _pycontextvarobject {
    PyObject_HEAD
    PyObject *name, *fallback;
    uint64_t path; /* the way down the tree */
};

struct _pycontexttokenobject {
    PyObject_HEAD
    PyContext *context;
    PyContextVar *var;
    PyObject *old; /* NULL: none */
    bool used;
};

#include "context.bind.h"

static PyTypeObject node_type, missing_type;

/* ---- the tree -------------------------------------------------------------------------------- */

/* Different for different addresses: each step can be undone. */
static uint64_t path_of(const void *address)
{
    uint64_t x = (uintptr_t)address >> 4;
    x *= 0x9e3779b97f4a7c15u;
    x ^= x >> 32;
    return x * 0xd6e8feb86659fd93u;
}

static uint32_t place_of(const PyContextVar *var, int level)
{
    return (uint32_t)1 << ((var->path >> (level * LEVEL_BITS)) & 31);
}

static Py_ssize_t index_of(const struct node *node, uint32_t place)
{
    return 2 * __builtin_popcount(node->map & (place - 1));
}

/* Borrowed, or NULL. */
static PyObject *tree_find(const struct node *node, const PyContextVar *var)
{
    for (int level = 0; node != NULL; level++) {
        uint32_t place = place_of(var, level);
        if (!(node->map & place)) {
            return NULL;
        }
        Py_ssize_t i = index_of(node, place);
        if (node->items[i] != NULL) {
            return node->items[i] == (PyObject *)var ? node->items[i + 1] : NULL;
        }
        node = (const struct node *)node->items[i + 1];
    }
    return NULL;
}

/* A copy of `from` (or of nothing) where `place` holds the pair, which is borrowed; a NULL value
 * leaves the place out. NULL with an exception. */
static struct node *node_with(const struct node *from, uint32_t place, PyObject *key,
                              PyObject *value)
{
    uint32_t old_map = from ? from->map : 0;
    uint32_t map = value ? old_map | place : old_map & ~place;
    struct node *node = PyObject_GC_NewVar(struct node, &node_type, 2 * __builtin_popcount(map));
    if (node == NULL) {
        return NULL;
    }
    node->map = map;
    for (uint32_t left = map; left != 0; left &= left - 1) {
        uint32_t each = left & -left;
        Py_ssize_t i = index_of(node, each);
        if (each == place) {
            node->items[i] = Py_XNewRef(key);
            node->items[i + 1] = Py_NewRef(value);
        } else {
            Py_ssize_t from_i = index_of(from, each);
            node->items[i] = Py_XNewRef(from->items[from_i]);
            node->items[i + 1] = Py_NewRef(from->items[from_i + 1]);
        }
    }
    PyObject_GC_Track(node);
    return node;
}

/* The tree with the value (borrowed) set: new reference, or NULL with an exception. */
static struct node *tree_set(const struct node *node, int level, PyContextVar *var, PyObject *value)
{
    uint32_t place = place_of(var, level);
    Py_ssize_t i = node ? index_of(node, place) : 0;
    if (node == NULL || !(node->map & place) || node->items[i] == (PyObject *)var) {
        return node_with(node, place, (PyObject *)var, value);
    }
    struct node *below;
    if (node->items[i] == NULL) {
        below = tree_set((struct node *)node->items[i + 1], level + 1, var, value);
    } else {
        /* Another variable is here: both go down. */
        struct node *other =
            tree_set(NULL, level + 1, (PyContextVar *)node->items[i], node->items[i + 1]);
        below = other ? tree_set(other, level + 1, var, value) : NULL;
        Py_XDECREF(other);
    }
    struct node *result = below ? node_with(node, place, NULL, (PyObject *)below) : NULL;
    Py_XDECREF(below);
    return result;
}

/* The tree without a variable that is in it; false with an exception. An empty one is NULL. */
static bool tree_remove(const struct node *node, int level, PyContextVar *var, struct node **result)
{
    uint32_t place = place_of(var, level);
    Py_ssize_t i = index_of(node, place);
    struct node *below = NULL;
    if (node->items[i] == NULL
        && !tree_remove((struct node *)node->items[i + 1], level + 1, var, &below)) {
        return false;
    }
    if (below == NULL && node->map == place) {
        *result = NULL;
        return true;
    }
    *result = node_with(node, place, NULL, (PyObject *)below);
    Py_XDECREF(below);
    return *result != NULL;
}

/* Calls `visit` for each pair until that is not 0. */
static int tree_each(const struct node *node,
                     int (*visit)(PyObject *var, PyObject *value, void *arg), void *arg)
{
    int rc = 0;
    for (Py_ssize_t i = 0; node && rc == 0 && i < Py_SIZE(node); i += 2) {
        rc = node->items[i] ? visit(node->items[i], node->items[i + 1], arg)
                            : tree_each((struct node *)node->items[i + 1], visit, arg);
    }
    return rc;
}

static int node_traverse(PyObject *op, visitproc visit, void *arg)
{
    for (Py_ssize_t i = 0; i < Py_SIZE(op); i++) {
        Py_VISIT(((struct node *)op)->items[i]);
    }
    return 0;
}

static void node_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    for (Py_ssize_t i = 0; i < Py_SIZE(op); i++) {
        Py_XDECREF(((struct node *)op)->items[i]);
    }
    PyObject_GC_Del(op);
}

static PyTypeObject node_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "_contextvars._node",
    .tp_basicsize = offsetof(struct node, items),
    .tp_itemsize = sizeof(PyObject *),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = node_traverse,
    .tp_dealloc = node_dealloc,
};

/* ---- contexts -------------------------------------------------------------------------------- */

/* The root as it is now (new reference or NULL), with its count. */
static struct node *root_take(PyContext *self, Py_ssize_t *count)
{
    struct node *root;
    Py_BEGIN_CRITICAL_SECTION(self);
    root = (struct node *)Py_XNewRef(self->root);
    *count = self->count;
    Py_END_CRITICAL_SECTION();
    return root;
}

/* Takes over `root`. */
static void root_put(PyContext *self, struct node *root, Py_ssize_t count)
{
    struct node *old;
    Py_BEGIN_CRITICAL_SECTION(self);
    old = self->root;
    self->root = root;
    self->count = count;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(old);
}

static PyContext *context_make(struct node *root, Py_ssize_t count)
{
    PyContext *self = PyObject_GC_New(PyContext, &PyContext_Type);
    if (self != NULL) {
        self->previous = NULL;
        self->root = (struct node *)Py_XNewRef(root);
        self->count = count;
        self->weaklist = NULL;
        self->entered = false;
        PyObject_GC_Track(self);
    }
    return self;
}

/* The current context (borrowed), made if there is none. */
static PyContext *context_current(void)
{
    PyThreadState *ts = PyThreadState_Get();
    if (ts->context == NULL) {
        ts->context = (PyObject *)context_make(NULL, 0);
    }
    return (PyContext *)ts->context;
}

static bool context_check(PyObject *op)
{
    if (PyContext_CheckExact(op)) {
        return true;
    }
    PyErr_SetString(PyExc_TypeError, "an instance of Context was expected");
    return false;
}

PyObject *PyContext_New(void)
{
    return (PyObject *)context_make(NULL, 0);
}

PyObject *PyContext_Copy(PyObject *op)
{
    if (!context_check(op)) {
        return NULL;
    }
    Py_ssize_t count;
    struct node *root = root_take((PyContext *)op, &count);
    PyContext *copy = context_make(root, count);
    Py_XDECREF(root);
    return (PyObject *)copy;
}

PyObject *PyContext_CopyCurrent(void)
{
    PyContext *current = context_current();
    return current ? PyContext_Copy((PyObject *)current) : NULL;
}

int PyContext_Enter(PyObject *op)
{
    if (!context_check(op)) {
        return -1;
    }
    PyContext *self = (PyContext *)op;
    bool entered = false;
    if (!__atomic_compare_exchange_n(&self->entered, &entered, true, false, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED)) {
        PyErr_Format(PyExc_RuntimeError, "cannot enter context: %R is already entered", op);
        return -1;
    }
    PyThreadState *ts = PyThreadState_Get();
    self->previous = (PyContext *)ts->context;
    ts->context = Py_NewRef(op);
    ts->context_ver++;
    return 0;
}

int PyContext_Exit(PyObject *op)
{
    if (!context_check(op)) {
        return -1;
    }
    PyContext *self = (PyContext *)op;
    if (!__atomic_load_n(&self->entered, __ATOMIC_RELAXED)) {
        PyErr_Format(PyExc_RuntimeError, "cannot exit context: %R has not been entered", op);
        return -1;
    }
    PyThreadState *ts = PyThreadState_Get();
    if (ts->context != op) {
        PyErr_SetString(PyExc_RuntimeError, "cannot exit context: thread state references a "
                                            "different context object");
        return -1;
    }
    ts->context = (PyObject *)self->previous;
    ts->context_ver++;
    self->previous = NULL;
    __atomic_store_n(&self->entered, false, __ATOMIC_RELEASE);
    Py_DECREF(op);
    return 0;
}

static PyObject *context_new(PyTypeObject *Py_UNUSED(type), PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) != 0 || (kwargs != NULL && PyDict_GET_SIZE(kwargs) != 0)) {
        PyErr_SetString(PyExc_TypeError, "Context() does not accept any arguments");
        return NULL;
    }
    return PyContext_New();
}

static int context_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((PyContext *)op)->previous);
    Py_VISIT(((PyContext *)op)->root);
    return 0;
}

static int context_clear(PyObject *op)
{
    Py_CLEAR(((PyContext *)op)->previous);
    Py_CLEAR(((PyContext *)op)->root);
    return 0;
}

static void context_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    if (((PyContext *)op)->weaklist != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    context_clear(op);
    PyObject_GC_Del(op);
}

/* The value of a variable: 1 and a new reference, 0 if there is none, -1 with an exception. */
static int context_find(PyObject *op, PyObject *key, PyObject **value)
{
    *value = NULL;
    if (!PyContextVar_CheckExact(key)) {
        PyErr_Format(PyExc_TypeError, "a ContextVar key was expected, got %R", key);
        return -1;
    }
    Py_ssize_t count;
    struct node *root = root_take((PyContext *)op, &count);
    *value = Py_XNewRef(tree_find(root, (PyContextVar *)key));
    Py_XDECREF(root);
    return *value != NULL;
}

static PyObject *context_subscript(PyObject *op, PyObject *key)
{
    PyObject *value;
    if (context_find(op, key, &value) == 0) {
        PyErr_SetObject(PyExc_KeyError, key);
    }
    return value;
}

static int context_contains(PyObject *op, PyObject *key)
{
    PyObject *value;
    int rc = context_find(op, key, &value);
    Py_XDECREF(value);
    return rc;
}

static PyObject *context_get(PyContext *self, PyObject *key, PyObject *fallback)
{
    PyObject *value;
    return context_find((PyObject *)self, key, &value) == 0 ? Py_NewRef(fallback) : value;
}

static Py_ssize_t context_length(PyObject *op)
{
    return __atomic_load_n(&((PyContext *)op)->count, __ATOMIC_RELAXED);
}

static int add_key(PyObject *var, PyObject *Py_UNUSED(value), void *list)
{
    return PyList_Append(list, var);
}

static int add_value(PyObject *Py_UNUSED(var), PyObject *value, void *list)
{
    return PyList_Append(list, value);
}

static int add_item(PyObject *var, PyObject *value, void *list)
{
    PyObject *pair = PyTuple_Pack(2, var, value);
    int rc = pair ? PyList_Append(list, pair) : -1;
    Py_XDECREF(pair);
    return rc;
}

/* An iterator over what the tree has at this moment. */
static PyObject *iterate(PyContext *self, int (*add)(PyObject *, PyObject *, void *))
{
    Py_ssize_t count;
    struct node *root = root_take(self, &count);
    PyObject *list = PyList_New(0), *it = NULL;
    if (list != NULL && tree_each(root, add, list) == 0) {
        it = PyObject_GetIter(list);
    }
    Py_XDECREF(list);
    Py_XDECREF(root);
    return it;
}

static PyObject *context_iter(PyObject *op)
{
    return iterate((PyContext *)op, add_key);
}

static PyObject *context_keys(PyContext *self)
{
    return iterate(self, add_key);
}

static PyObject *context_values(PyContext *self)
{
    return iterate(self, add_value);
}

static PyObject *context_items(PyContext *self)
{
    return iterate(self, add_item);
}

static PyObject *context_copy(PyContext *self)
{
    return PyContext_Copy((PyObject *)self);
}

static PyObject *context_run(PyObject *self, PyObject *const *args, Py_ssize_t count,
                             PyObject *kwnames)
{
    if (count < 1) {
        PyErr_SetString(PyExc_TypeError, "run() missing 1 required positional argument");
        return NULL;
    }
    if (PyContext_Enter(self) < 0) {
        return NULL;
    }
    PyObject *result = PyObject_Vectorcall(args[0], args + 1, (size_t)count - 1, kwnames);
    if (PyContext_Exit(self) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

/* 0 if the variable has an equal value in the other tree, 1 if not, -1 with an exception. */
static int differs(PyObject *var, PyObject *value, void *other)
{
    PyObject *theirs = tree_find(other, (PyContextVar *)var);
    int same = theirs ? PyObject_RichCompareBool(value, theirs, Py_EQ) : 0;
    return same < 0 ? -1 : !same;
}

static PyObject *context_compare(PyObject *a, PyObject *b, int op)
{
    if (!PyContext_CheckExact(a) || !PyContext_CheckExact(b) || (op != Py_EQ && op != Py_NE)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    Py_ssize_t a_count, b_count;
    struct node *a_root = root_take((PyContext *)a, &a_count);
    struct node *b_root = root_take((PyContext *)b, &b_count);
    int different = a_root == b_root     ? 0
                    : a_count != b_count ? 1
                                         : tree_each(a_root, differs, b_root);
    Py_XDECREF(a_root);
    Py_XDECREF(b_root);
    return different < 0 ? NULL : PyBool_FromLong((op == Py_EQ) == !different);
}

static PyMappingMethods context_mapping = {
    .mp_length = context_length,
    .mp_subscript = context_subscript,
};

static PySequenceMethods context_sequence = {
    .sq_contains = context_contains,
};

PyTypeObject PyContext_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "_contextvars.Context",
    .tp_basicsize = sizeof(PyContext),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = context_doc,
    .tp_new = context_new,
    .tp_traverse = context_traverse,
    .tp_clear = context_clear,
    .tp_dealloc = context_dealloc,
    .tp_weaklistoffset = offsetof(PyContext, weaklist),
    .tp_hash = PyObject_HashNotImplemented,
    .tp_richcompare = context_compare,
    .tp_iter = context_iter,
    .tp_as_mapping = &context_mapping,
    .tp_as_sequence = &context_sequence,
    .tp_methods = context_methods,
};

/* ---- variables ------------------------------------------------------------------------------- */

static PyContextVar *var_make(PyObject *name, PyObject *fallback)
{
    if (!PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError, "context variable name must be a str");
        return NULL;
    }
    if (PyObject_Hash(name) == -1) {
        return NULL; /* a subclass of str may have none */
    }
    PyContextVar *var = PyObject_GC_New(PyContextVar, &PyContextVar_Type);
    if (var != NULL) {
        var->name = Py_NewRef(name);
        var->fallback = Py_XNewRef(fallback);
        var->path = path_of(var);
        PyObject_GC_Track(var);
    }
    return var;
}

static bool var_check(PyObject *op)
{
    if (PyContextVar_CheckExact(op)) {
        return true;
    }
    PyErr_SetString(PyExc_TypeError, "an instance of ContextVar was expected");
    return false;
}

PyObject *PyContextVar_New(const char *name, PyObject *fallback)
{
    PyObject *text = PyUnicode_FromString(name);
    PyContextVar *var = text ? var_make(text, fallback) : NULL;
    Py_XDECREF(text);
    return (PyObject *)var;
}

int PyContextVar_Get(PyObject *op, PyObject *fallback, PyObject **result)
{
    *result = NULL;
    if (!var_check(op)) {
        return -1;
    }
    PyContextVar *var = (PyContextVar *)op;
    /* The current context changes by this thread alone: no lock to read it. */
    PyContext *current = (PyContext *)PyThreadState_Get()->context;
    PyObject *found = current ? tree_find(current->root, var) : NULL;
    *result = Py_XNewRef(found ? found : fallback ? fallback : var->fallback);
    return 0;
}

static int set_value(PyContext *context, PyContextVar *var, PyObject *value, bool fresh)
{
    struct node *root = tree_set(context->root, 0, var, value);
    if (root == NULL) {
        return -1;
    }
    root_put(context, root, context->count + fresh);
    return 0;
}

PyObject *PyContextVar_Set(PyObject *op, PyObject *value)
{
    PyContext *context = var_check(op) ? context_current() : NULL;
    if (context == NULL) {
        return NULL;
    }
    PyContextVar *var = (PyContextVar *)op;
    PyContextToken *token = PyObject_GC_New(PyContextToken, &PyContextToken_Type);
    if (token == NULL) {
        return NULL;
    }
    PyObject *old = tree_find(context->root, var);
    token->context = (PyContext *)Py_NewRef(context);
    token->var = (PyContextVar *)Py_NewRef(var);
    token->old = Py_XNewRef(old);
    token->used = false;
    PyObject_GC_Track(token);
    if (set_value(context, var, value, token->old == NULL) < 0) {
        Py_CLEAR(token);
    }
    return (PyObject *)token;
}

/* Whether the token can be used here; marks it. */
static bool token_use(PyContextToken *token, PyContextVar *var)
{
    if (token->var != var) {
        PyErr_Format(PyExc_ValueError, "%R was created by a different ContextVar", token);
        return false;
    }
    if (token->context != context_current()) {
        if (!PyErr_Occurred()) {
            PyErr_Format(PyExc_ValueError, "%R was created in a different Context", token);
        }
        return false;
    }
    token->used = true;
    return true;
}

int PyContextVar_Reset(PyObject *op, PyObject *token_op)
{
    if (!var_check(op)) {
        return -1;
    }
    if (!PyContextToken_CheckExact(token_op)) {
        PyErr_Format(PyExc_TypeError, "expected an instance of Token, got %R", token_op);
        return -1;
    }
    PyContextVar *var = (PyContextVar *)op;
    PyContextToken *token = (PyContextToken *)token_op;
    if (token->used) {
        PyErr_Format(PyExc_RuntimeError, "%R has already been used once", token);
        return -1;
    }
    if (!token_use(token, var)) {
        return -1;
    }
    PyContext *context = token->context;
    bool present = tree_find(context->root, var) != NULL;
    if (token->old != NULL) {
        return set_value(context, var, token->old, !present);
    }
    struct node *root;
    if (present) {
        if (!tree_remove(context->root, 0, var, &root)) {
            return -1;
        }
        root_put(context, root, context->count - 1);
    }
    return 0;
}

static PyObject *contextvar_new(PyTypeObject *Py_UNUSED(type), PyObject *name, PyObject *fallback)
{
    return (PyObject *)var_make(name, fallback);
}

static int contextvar_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((PyContextVar *)op)->fallback);
    return 0;
}

static int contextvar_clear(PyObject *op)
{
    Py_CLEAR(((PyContextVar *)op)->fallback);
    return 0;
}

static void contextvar_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    contextvar_clear(op);
    Py_XDECREF(((PyContextVar *)op)->name);
    PyObject_GC_Del(op);
}

static PyObject *contextvar_repr(PyObject *op)
{
    PyContextVar *var = (PyContextVar *)op;
    if (var->fallback == NULL) {
        return PyUnicode_FromFormat("<ContextVar name=%R at %p>", var->name, var);
    }
    int entered = Py_ReprEnter(op);
    if (entered != 0) {
        return entered < 0 ? NULL : PyUnicode_FromString("...");
    }
    PyObject *text = PyUnicode_FromFormat("<ContextVar name=%R default=%R at %p>", var->name,
                                          var->fallback, var);
    Py_ReprLeave(op);
    return text;
}

static PyObject *contextvar_get(PyContextVar *self, PyObject *fallback)
{
    PyObject *value;
    if (PyContextVar_Get((PyObject *)self, fallback, &value) == 0 && value == NULL) {
        PyErr_SetObject(PyExc_LookupError, (PyObject *)self);
    }
    return value;
}

static PyObject *contextvar_set(PyContextVar *self, PyObject *value)
{
    return PyContextVar_Set((PyObject *)self, value);
}

static int contextvar_reset(PyContextVar *self, PyObject *token)
{
    return PyContextVar_Reset((PyObject *)self, token);
}

static PyMemberDef contextvar_members[] = {
    {"name", Py_T_OBJECT_EX, offsetof(PyContextVar, name), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

PyTypeObject PyContextVar_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "_contextvars.ContextVar",
    .tp_basicsize = sizeof(PyContextVar),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = contextvar_doc,
    .tp_new = bind_contextvar_new,
    .tp_traverse = contextvar_traverse,
    .tp_clear = contextvar_clear,
    .tp_dealloc = contextvar_dealloc,
    .tp_repr = contextvar_repr,
    .tp_methods = contextvar_methods,
    .tp_members = contextvar_members,
};

/* ---- tokens ---------------------------------------------------------------------------------- */

static struct {
    PyObject_HEAD
} missing = {PyObject_HEAD_INIT(&missing_type)};

static PyObject *missing_repr(PyObject *Py_UNUSED(op))
{
    return PyUnicode_FromString("<Token.MISSING>");
}

static void missing_dealloc(PyObject *Py_UNUSED(op))
{
}

static PyTypeObject missing_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "Token.MISSING",
    .tp_basicsize = sizeof(PyObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_repr = missing_repr,
    .tp_dealloc = missing_dealloc,
};

static PyObject *token_new(PyTypeObject *Py_UNUSED(type), PyObject *Py_UNUSED(args),
                           PyObject *Py_UNUSED(kwargs))
{
    PyErr_SetString(PyExc_RuntimeError, "Tokens can only be created by ContextVars");
    return NULL;
}

static int token_traverse(PyObject *op, visitproc visit, void *arg)
{
    PyContextToken *self = (PyContextToken *)op;
    Py_VISIT(self->context);
    Py_VISIT(self->var);
    Py_VISIT(self->old);
    return 0;
}

static int token_clear(PyObject *op)
{
    PyContextToken *self = (PyContextToken *)op;
    Py_CLEAR(self->context);
    Py_CLEAR(self->var);
    Py_CLEAR(self->old);
    return 0;
}

static void token_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    token_clear(op);
    PyObject_GC_Del(op);
}

static PyObject *token_repr(PyObject *op)
{
    PyContextToken *self = (PyContextToken *)op;
    return PyUnicode_FromFormat("<Token%s var=%R at %p>", self->used ? " used" : "", self->var,
                                self);
}

static PyObject *token_get_var(PyContextToken *self)
{
    return Py_NewRef(self->var);
}

static PyObject *token_get_old_value(PyContextToken *self)
{
    return Py_NewRef(self->old ? self->old : (PyObject *)&missing);
}

PyTypeObject PyContextToken_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "_contextvars.Token",
    .tp_basicsize = sizeof(PyContextToken),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = token_doc,
    .tp_new = token_new,
    .tp_traverse = token_traverse,
    .tp_clear = token_clear,
    .tp_dealloc = token_dealloc,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_repr = token_repr,
    .tp_methods = token_methods,
    .tp_getset = token_getset,
};

PyTypeObject *const context_types[] = {
    &PyContext_Type, &PyContextVar_Type, &PyContextToken_Type, &node_type, &missing_type, NULL,
};

int context_init(void)
{
    for (PyTypeObject *const *type = context_types; *type != NULL; type++) {
        if (PyType_Ready(*type) < 0) {
            return -1;
        }
    }
    PyObject *dict = PyType_GetDict(&PyContextToken_Type);
    int rc = dict ? PyDict_SetItemString(dict, "MISSING", (PyObject *)&missing) : -1;
    Py_XDECREF(dict);
    if (rc == 0) {
        PyType_Modified(&PyContextToken_Type);
    }
    return rc;
}
