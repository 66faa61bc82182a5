/* Type parameters and type aliases: what typing calls TypeVar, ParamSpec, TypeVarTuple,
 * TypeAliasType and Generic. Bounds, constraints, defaults and values may be functions of no
 * arguments, called when they are first asked for. The rules of substitution that typing knows
 * are asked of typing. */
#include "objects/typing.h"

#include "locking/lock.h"
#include "locking/refs.h"
#include "objects/error.h"
#include "objects/type.h"
#include "objects/weakref.h"

/* A value that may still have to be computed. */
struct lazy {
    PyObject *value;    /* NULL until it is known */
    PyObject *evaluate; /* NULL: there is nothing to compute */
};

struct typevar {
    PyObject_HEAD
    PyObject *name;
    struct lazy bound, constraints, dflt;
    PyObject *dict, *weaklist;
    bool covariant, contravariant, infer_variance;
};

struct paramspec {
    PyObject_HEAD
    PyObject *name, *bound;
    struct lazy dflt;
    PyObject *dict, *weaklist;
    bool covariant, contravariant, infer_variance;
};

struct paramspec_part {
    PyObject_HEAD
    PyObject *origin, *weaklist;
};

struct typevartuple {
    PyObject_HEAD
    PyObject *name;
    struct lazy dflt;
    PyObject *dict, *weaklist;
};

struct typealias {
    PyObject_HEAD
    PyObject *name, *type_params, *module;
    struct lazy value;
};

#include "typevar.bind.h"

/* ---- helpers --------------------------------------------------------------------------------- */

/* Borrowed constant or computed value: new reference. */
static PyObject *lazy_get(struct lazy *lazy, PyObject *holder, PyObject *absent)
{
    PyObject *value = ref_load(&lazy->value, holder);
    if (value != NULL) {
        return value;
    }
    if (lazy->evaluate == NULL) {
        return Py_XNewRef(absent);
    }
    value = PyObject_CallNoArgs(lazy->evaluate);
    if (value != NULL) {
        PyObject *old;
        CRITICAL_SECTION(holder);
        old = lazy->value;
        if (old == NULL) {
            field_store_release(&lazy->value, Py_NewRef(value));
        } else {
            Py_SETREF(value, Py_NewRef(old)); /* another thread was first */
        }
        CRITICAL_SECTION_END();
    }
    return value;
}

#define VISIT_LAZY(lazy)                                                                           \
    Py_VISIT((lazy).value);                                                                        \
    Py_VISIT((lazy).evaluate);
#define CLEAR_LAZY(lazy)                                                                           \
    Py_CLEAR((lazy).value);                                                                        \
    Py_CLEAR((lazy).evaluate);

static PyObject *call_typing(const char *name, PyObject *args)
{
    PyObject *typing = args == NULL ? NULL : PyImport_ImportModule("typing");
    PyObject *func = typing == NULL ? NULL : PyObject_GetAttrString(typing, name);
    PyObject *result = func == NULL ? NULL : PyObject_Call(func, args, NULL);
    Py_XDECREF(func);
    Py_XDECREF(typing);
    Py_XDECREF(args);
    return result;
}

static PyObject *type_check(PyObject *arg, const char *message)
{
    if (arg == Py_None) {
        return Py_NewRef((PyObject *)Py_TYPE(arg));
    }
    return call_typing("_type_check", Py_BuildValue("(Os)", arg, message));
}

static PyObject *make_union(PyObject *left, PyObject *right)
{
    return call_typing("_make_union", PyTuple_Pack(2, left, right));
}

/* Where the code that calls us lives becomes the instance's __module__. */
static int set_module(PyObject *op)
{
    PyObject *module = object_hooks.caller_module == NULL ? NULL : object_hooks.caller_module(0);
    if (module == NULL && PyErr_Occurred()) {
        return -1;
    }
    int result = PyObject_SetAttr(op, ID(__module__), module == NULL ? Py_None : module);
    Py_XDECREF(module);
    return result;
}

static PyObject *raise_no_subclass(const char *what)
{
    PyErr_Format(PyExc_TypeError, "Cannot subclass an instance of %s", what);
    return NULL;
}

static bool variance_fits(int covariant, int contravariant, int infer)
{
    if (covariant && contravariant) {
        PyErr_SetString(PyExc_ValueError, "Bivariant types are not supported.");
        return false;
    }
    if (infer && (covariant || contravariant)) {
        PyErr_SetString(PyExc_ValueError, "Variance cannot be specified with infer_variance.");
        return false;
    }
    return true;
}

static PyObject *variance_repr(PyObject *name, bool covariant, bool contravariant, bool infer)
{
    return infer ? Py_NewRef(name)
                 : PyUnicode_FromFormat("%c%U",
                                        covariant       ? '+'
                                        : contravariant ? '-'
                                                        : '~',
                                        name);
}

static bool has_default(struct lazy *dflt)
{
    return dflt->evaluate != NULL || (dflt->value != NULL && dflt->value != &no_default);
}

static PyObject *tuple_of(PyObject *const *items, Py_ssize_t count)
{
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; tuple != NULL && i < count; i++) {
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(items[i]));
    }
    return tuple;
}

/* ---- NoDefault ------------------------------------------------------------------------------- */

static PyObject *no_default_repr(PyObject *Py_UNUSED(self))
{
    return PyUnicode_FromString("typing.NoDefault");
}

static PyObject *no_default_reduce(PyObject *Py_UNUSED(self))
{
    return PyUnicode_FromString("NoDefault");
}

static PyObject *no_default_new(PyTypeObject *Py_UNUSED(type), PyObject *args, PyObject *kwds)
{
    if (PyTuple_GET_SIZE(args) != 0 || (kwds != NULL && PyDict_GET_SIZE(kwds) != 0)) {
        PyErr_SetString(PyExc_TypeError, "NoDefaultType takes no arguments");
        return NULL;
    }
    return &no_default;
}

static void no_default_dealloc(PyObject *self)
{
    object_make_immortal(self);
}

PyTypeObject no_default_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "NoDefaultType",
    .tp_basicsize = sizeof(PyObject),
    .tp_dealloc = no_default_dealloc,
    .tp_repr = no_default_repr,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = no_default_doc,
    .tp_methods = no_default_methods,
    .tp_new = no_default_new,
};

PyObject no_default = REF_IMMORTAL_HEADER(&no_default_type);

/* ---- TypeVar --------------------------------------------------------------------------------- */

static struct typevar *typevar_make(PyObject *name)
{
    struct typevar *self = (struct typevar *)object_new(&typevar_type, 0);
    if (self != NULL) {
        self->name = Py_NewRef(name);
        PyObject_GC_Track(self);
    }
    return self;
}

/* Takes the functions over. */
PyObject *typevar_new_lazy(PyObject *name, PyObject *evaluate_bound, PyObject *evaluate_constraints)
{
    struct typevar *self = typevar_make(name);
    if (self != NULL) {
        self->bound.evaluate = Py_XNewRef(evaluate_bound);
        self->constraints.evaluate = Py_XNewRef(evaluate_constraints);
        self->infer_variance = true;
    }
    return (PyObject *)self;
}

static PyObject *typevar_new(PyTypeObject *Py_UNUSED(type), PyObject *name,
                             PyObject *const *constraints, Py_ssize_t count, PyObject *bound,
                             PyObject *dflt, int covariant, int contravariant, int infer_variance)
{
    if (!variance_fits(covariant, contravariant, infer_variance)) {
        return NULL;
    }
    if (count == 1) {
        PyErr_SetString(PyExc_TypeError, "A single constraint is not allowed");
        return NULL;
    }
    PyObject *checked = bound == Py_None ? NULL : type_check(bound, "Bound must be a type.");
    if (checked == NULL && bound != Py_None) {
        return NULL;
    }
    if (count > 1 && checked != NULL) {
        PyErr_SetString(PyExc_TypeError, "Constraints cannot be combined with bound=...");
        Py_DECREF(checked);
        return NULL;
    }
    struct typevar *self = typevar_make(name);
    if (self == NULL) {
        Py_XDECREF(checked);
        return NULL;
    }
    self->bound.value = checked;
    self->constraints.value = count == 0 ? NULL : tuple_of(constraints, count);
    self->dflt.value = Py_NewRef(dflt);
    self->covariant = covariant;
    self->contravariant = contravariant;
    self->infer_variance = infer_variance;
    if ((count != 0 && self->constraints.value == NULL) || set_module((PyObject *)self) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static PyObject *typevar_repr(PyObject *op)
{
    struct typevar *self = (struct typevar *)op;
    return variance_repr(self->name, self->covariant, self->contravariant, self->infer_variance);
}

static PyObject *typevar_get_bound(struct typevar *self)
{
    return lazy_get(&self->bound, (PyObject *)self, Py_None);
}

static PyObject *typevar_get_constraints(struct typevar *self)
{
    PyObject *value = lazy_get(&self->constraints, (PyObject *)self, NULL);
    return value == NULL && !PyErr_Occurred() ? PyTuple_New(0) : value;
}

static PyObject *typevar_get_default(struct typevar *self)
{
    return lazy_get(&self->dflt, (PyObject *)self, &no_default);
}

static int typevar_has_default(struct typevar *self)
{
    return has_default(&self->dflt);
}

static PyObject *typevar_reduce(struct typevar *self)
{
    return Py_NewRef(self->name);
}

static PyObject *typevar_mro_entries(struct typevar *Py_UNUSED(self), PyObject *Py_UNUSED(bases))
{
    return raise_no_subclass("TypeVar");
}

static PyObject *typevar_typing_subst(struct typevar *self, PyObject *arg)
{
    return call_typing("_typevar_subst", PyTuple_Pack(2, self, arg));
}

/* The default stands in for the first argument that is missing. */
static PyObject *typevar_typing_prepare_subst(struct typevar *self, PyObject *alias, PyObject *args)
{
    PyObject *params = PyObject_GetAttr(alias, ID(__parameters__));
    if (params == NULL) {
        return NULL;
    }
    Py_ssize_t given = PySequence_Length(args), index = PySequence_Index(params, (PyObject *)self);
    Py_DECREF(params);
    if (given == -1 || index == -1) {
        return NULL;
    }
    if (index < given) {
        return Py_NewRef(args);
    }
    PyObject *dflt = index > given ? Py_NewRef(&no_default) : typevar_get_default(self);
    if (dflt == NULL) {
        return NULL;
    }
    if (dflt == &no_default) {
        PyErr_Format(PyExc_TypeError, "Too few arguments for %S; actual %zd, expected at least %zd",
                     alias, given, index + 1);
        Py_DECREF(dflt);
        return NULL;
    }
    PyObject *more = PyTuple_Pack(1, dflt);
    PyObject *result = more == NULL ? NULL : PySequence_Concat(args, more);
    Py_XDECREF(more);
    Py_DECREF(dflt);
    return result;
}

static int typevar_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct typevar *self = (struct typevar *)op;
    VISIT_LAZY(self->bound)
    VISIT_LAZY(self->constraints)
    VISIT_LAZY(self->dflt)
    Py_VISIT(self->dict);
    return 0;
}

static int typevar_clear(PyObject *op)
{
    struct typevar *self = (struct typevar *)op;
    CLEAR_LAZY(self->bound)
    CLEAR_LAZY(self->constraints)
    CLEAR_LAZY(self->dflt)
    Py_CLEAR(self->dict);
    return 0;
}

static void typevar_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    weakref_clear_all(op);
    typevar_clear(op);
    Py_XDECREF(((struct typevar *)op)->name);
    PyObject_GC_Del(op);
}

static PyNumberMethods param_as_number = {.nb_or = make_union};

PyTypeObject typevar_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "typing.TypeVar",
    .tp_basicsize = sizeof(struct typevar),
    .tp_dealloc = typevar_dealloc,
    .tp_repr = typevar_repr,
    .tp_as_number = &param_as_number,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = typevar_doc,
    .tp_traverse = typevar_traverse,
    .tp_clear = typevar_clear,
    .tp_weaklistoffset = offsetof(struct typevar, weaklist),
    .tp_methods = typevar_methods,
    .tp_members = typevar_members,
    .tp_getset = typevar_getset,
    .tp_dictoffset = offsetof(struct typevar, dict),
    .tp_new = bind_typevar_new,
};

/* ---- ParamSpec ------------------------------------------------------------------------------- */

static struct paramspec *paramspec_make(PyObject *name)
{
    struct paramspec *self = (struct paramspec *)object_new(&paramspec_type, 0);
    if (self != NULL) {
        self->name = Py_NewRef(name);
        PyObject_GC_Track(self);
    }
    return self;
}

PyObject *paramspec_new_lazy(PyObject *name)
{
    struct paramspec *self = paramspec_make(name);
    if (self != NULL) {
        self->infer_variance = true;
    }
    return (PyObject *)self;
}

static PyObject *paramspec_new(PyTypeObject *Py_UNUSED(type), PyObject *name, PyObject *bound,
                               PyObject *dflt, int covariant, int contravariant, int infer_variance)
{
    if (!variance_fits(covariant, contravariant, infer_variance)) {
        return NULL;
    }
    PyObject *checked = type_check(bound, "Bound must be a type.");
    struct paramspec *self = checked == NULL ? NULL : paramspec_make(name);
    if (self == NULL) {
        Py_XDECREF(checked);
        return NULL;
    }
    self->bound = checked;
    self->dflt.value = Py_NewRef(dflt);
    self->covariant = covariant;
    self->contravariant = contravariant;
    self->infer_variance = infer_variance;
    if (set_module((PyObject *)self) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static PyObject *part_make(PyTypeObject *type, PyObject *origin)
{
    struct paramspec_part *self = (struct paramspec_part *)object_new(type, 0);
    if (self != NULL) {
        self->origin = Py_NewRef(origin);
        PyObject_GC_Track(self);
    }
    return (PyObject *)self;
}

static PyObject *paramspec_get_args(struct paramspec *self)
{
    return part_make(&paramspec_args_type, (PyObject *)self);
}

static PyObject *paramspec_get_kwargs(struct paramspec *self)
{
    return part_make(&paramspec_kwargs_type, (PyObject *)self);
}

static PyObject *paramspec_get_default(struct paramspec *self)
{
    return lazy_get(&self->dflt, (PyObject *)self, &no_default);
}

static int paramspec_has_default(struct paramspec *self)
{
    return has_default(&self->dflt);
}

static PyObject *paramspec_reduce(struct paramspec *self)
{
    return Py_NewRef(self->name);
}

static PyObject *paramspec_mro_entries(struct paramspec *Py_UNUSED(self),
                                       PyObject *Py_UNUSED(bases))
{
    return raise_no_subclass("ParamSpec");
}

static PyObject *paramspec_typing_subst(struct paramspec *self, PyObject *arg)
{
    return call_typing("_paramspec_subst", PyTuple_Pack(2, self, arg));
}

static PyObject *paramspec_typing_prepare_subst(struct paramspec *self, PyObject *alias,
                                                PyObject *args)
{
    return call_typing("_paramspec_prepare_subst", PyTuple_Pack(3, self, alias, args));
}

static PyObject *paramspec_repr(PyObject *op)
{
    struct paramspec *self = (struct paramspec *)op;
    return variance_repr(self->name, self->covariant, self->contravariant, self->infer_variance);
}

static int paramspec_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct paramspec *self = (struct paramspec *)op;
    Py_VISIT(self->bound);
    VISIT_LAZY(self->dflt)
    Py_VISIT(self->dict);
    return 0;
}

static int paramspec_clear(PyObject *op)
{
    struct paramspec *self = (struct paramspec *)op;
    Py_CLEAR(self->bound);
    CLEAR_LAZY(self->dflt)
    Py_CLEAR(self->dict);
    return 0;
}

static void paramspec_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    weakref_clear_all(op);
    paramspec_clear(op);
    Py_XDECREF(((struct paramspec *)op)->name);
    PyObject_GC_Del(op);
}

PyTypeObject paramspec_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "typing.ParamSpec",
    .tp_basicsize = sizeof(struct paramspec),
    .tp_dealloc = paramspec_dealloc,
    .tp_repr = paramspec_repr,
    .tp_as_number = &param_as_number,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = paramspec_doc,
    .tp_traverse = paramspec_traverse,
    .tp_clear = paramspec_clear,
    .tp_weaklistoffset = offsetof(struct paramspec, weaklist),
    .tp_methods = paramspec_methods,
    .tp_members = paramspec_members,
    .tp_getset = paramspec_getset,
    .tp_dictoffset = offsetof(struct paramspec, dict),
    .tp_new = bind_paramspec_new,
};

/* ---- P.args and P.kwargs --------------------------------------------------------------------- */

static PyObject *paramspecargs_new(PyTypeObject *type, PyObject *origin)
{
    return part_make(type, origin);
}

static PyObject *paramspeckwargs_new(PyTypeObject *type, PyObject *origin)
{
    return part_make(type, origin);
}

static PyObject *paramspecargs_mro_entries(struct paramspec_part *Py_UNUSED(self),
                                           PyObject *Py_UNUSED(bases))
{
    return raise_no_subclass("ParamSpecArgs");
}

static PyObject *paramspeckwargs_mro_entries(struct paramspec_part *Py_UNUSED(self),
                                             PyObject *Py_UNUSED(bases))
{
    return raise_no_subclass("ParamSpecKwargs");
}

static PyObject *part_repr(PyObject *op)
{
    PyObject *origin = ((struct paramspec_part *)op)->origin;
    const char *part = Py_IS_TYPE(op, &paramspec_args_type) ? "args" : "kwargs";
    return Py_IS_TYPE(origin, &paramspec_type)
               ? PyUnicode_FromFormat("%U.%s", ((struct paramspec *)origin)->name, part)
               : PyUnicode_FromFormat("%R.%s", origin, part);
}

static PyObject *part_compare(PyObject *a, PyObject *b, int op)
{
    if (!Py_IS_TYPE(b, Py_TYPE(a)) || (op != Py_EQ && op != Py_NE)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return PyObject_RichCompare(((struct paramspec_part *)a)->origin,
                                ((struct paramspec_part *)b)->origin, op);
}

static int part_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((struct paramspec_part *)op)->origin);
    return 0;
}

static int part_clear(PyObject *op)
{
    Py_CLEAR(((struct paramspec_part *)op)->origin);
    return 0;
}

static void part_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    weakref_clear_all(op);
    part_clear(op);
    PyObject_GC_Del(op);
}

#define PART_TYPE(kind, full_name)                                                                 \
    {                                                                                              \
        PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = full_name,                                \
                                            .tp_basicsize = sizeof(struct paramspec_part),         \
                                            .tp_dealloc = part_dealloc, .tp_repr = part_repr,      \
                                            .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,   \
                                            .tp_doc = kind##_doc, .tp_traverse = part_traverse,    \
                                            .tp_clear = part_clear,                                \
                                            .tp_richcompare = part_compare,                        \
                                            .tp_weaklistoffset =                                   \
                                                offsetof(struct paramspec_part, weaklist),         \
                                            .tp_methods = kind##_methods,                          \
                                            .tp_members = kind##_members,                          \
                                            .tp_new = bind_##kind##_new,                           \
    }

PyTypeObject paramspec_args_type = PART_TYPE(paramspecargs, "typing.ParamSpecArgs");
PyTypeObject paramspec_kwargs_type = PART_TYPE(paramspeckwargs, "typing.ParamSpecKwargs");

/* ---- TypeVarTuple ---------------------------------------------------------------------------- */

PyObject *typevartuple_new_lazy(PyObject *name)
{
    struct typevartuple *self = (struct typevartuple *)object_new(&typevartuple_type, 0);
    if (self != NULL) {
        self->name = Py_NewRef(name);
        PyObject_GC_Track(self);
    }
    return (PyObject *)self;
}

static PyObject *typevartuple_new(PyTypeObject *Py_UNUSED(type), PyObject *name, PyObject *dflt)
{
    PyObject *self = typevartuple_new_lazy(name);
    if (self != NULL) {
        ((struct typevartuple *)self)->dflt.value = Py_NewRef(dflt);
        if (set_module(self) < 0) {
            Py_CLEAR(self);
        }
    }
    return self;
}

/* typing.Unpack[Ts] */
static PyObject *unpacked(PyObject *op)
{
    PyObject *typing = PyImport_ImportModule("typing");
    PyObject *unpack = typing == NULL ? NULL : PyObject_GetAttrString(typing, "Unpack");
    PyObject *result = unpack == NULL ? NULL : PyObject_GetItem(unpack, op);
    Py_XDECREF(unpack);
    Py_XDECREF(typing);
    return result;
}

static PyObject *typevartuple_iter(PyObject *op)
{
    PyObject *only = unpacked(op);
    PyObject *tuple = only == NULL ? NULL : PyTuple_Pack(1, only);
    PyObject *result = tuple == NULL ? NULL : PyObject_GetIter(tuple);
    Py_XDECREF(tuple);
    Py_XDECREF(only);
    return result;
}

static PyObject *typevartuple_repr(PyObject *op)
{
    return Py_NewRef(((struct typevartuple *)op)->name);
}

static PyObject *typevartuple_get_default(struct typevartuple *self)
{
    return lazy_get(&self->dflt, (PyObject *)self, &no_default);
}

static int typevartuple_has_default(struct typevartuple *self)
{
    return has_default(&self->dflt);
}

static PyObject *typevartuple_reduce(struct typevartuple *self)
{
    return Py_NewRef(self->name);
}

static PyObject *typevartuple_mro_entries(struct typevartuple *Py_UNUSED(self),
                                          PyObject *Py_UNUSED(bases))
{
    return raise_no_subclass("TypeVarTuple");
}

static PyObject *typevartuple_typing_subst(struct typevartuple *Py_UNUSED(self),
                                           PyObject *Py_UNUSED(arg))
{
    PyErr_SetString(PyExc_TypeError, "Substitution of bare TypeVarTuple is not supported");
    return NULL;
}

static PyObject *typevartuple_typing_prepare_subst(struct typevartuple *self, PyObject *alias,
                                                   PyObject *args)
{
    return call_typing("_typevartuple_prepare_subst", PyTuple_Pack(3, self, alias, args));
}

static int typevartuple_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct typevartuple *self = (struct typevartuple *)op;
    VISIT_LAZY(self->dflt)
    Py_VISIT(self->dict);
    return 0;
}

static int typevartuple_clear(PyObject *op)
{
    struct typevartuple *self = (struct typevartuple *)op;
    CLEAR_LAZY(self->dflt)
    Py_CLEAR(self->dict);
    return 0;
}

static void typevartuple_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    weakref_clear_all(op);
    typevartuple_clear(op);
    Py_XDECREF(((struct typevartuple *)op)->name);
    PyObject_GC_Del(op);
}

PyTypeObject typevartuple_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "typing.TypeVarTuple",
    .tp_basicsize = sizeof(struct typevartuple),
    .tp_dealloc = typevartuple_dealloc,
    .tp_repr = typevartuple_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = typevartuple_doc,
    .tp_traverse = typevartuple_traverse,
    .tp_clear = typevartuple_clear,
    .tp_iter = typevartuple_iter,
    .tp_weaklistoffset = offsetof(struct typevartuple, weaklist),
    .tp_methods = typevartuple_methods,
    .tp_members = typevartuple_members,
    .tp_getset = typevartuple_getset,
    .tp_dictoffset = offsetof(struct typevartuple, dict),
    .tp_new = bind_typevartuple_new,
};

/* ---- TypeAliasType --------------------------------------------------------------------------- */

static struct typealias *typealias_make(PyObject *name, PyObject *type_params)
{
    struct typealias *self = (struct typealias *)object_new(&typealias_type, 0);
    if (self != NULL) {
        self->name = Py_NewRef(name);
        bool some =
            type_params != NULL && type_params != Py_None && PyTuple_GET_SIZE(type_params) > 0;
        self->type_params = some ? Py_NewRef(type_params) : NULL;
        PyObject_GC_Track(self);
    }
    return self;
}

PyObject *typealias_new_lazy(PyObject *arguments)
{
    struct typealias *self =
        typealias_make(PyTuple_GET_ITEM(arguments, 0), PyTuple_GET_ITEM(arguments, 1));
    if (self != NULL) {
        self->value.evaluate = Py_NewRef(PyTuple_GET_ITEM(arguments, 2));
    }
    return (PyObject *)self;
}

static PyObject *typealias_new(PyTypeObject *Py_UNUSED(type), PyObject *name, PyObject *value,
                               PyObject *type_params)
{
    if (type_params != NULL && !PyTuple_Check(type_params)) {
        PyErr_SetString(PyExc_TypeError, "type_params must be a tuple");
        return NULL;
    }
    struct typealias *self = typealias_make(name, type_params);
    if (self == NULL) {
        return NULL;
    }
    self->value.value = Py_NewRef(value);
    self->module = object_hooks.caller_module == NULL ? NULL : object_hooks.caller_module(0);
    if (self->module == NULL && PyErr_Occurred()) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static PyObject *typealias_repr(PyObject *op)
{
    return Py_NewRef(((struct typealias *)op)->name);
}

static PyObject *typealias_reduce(struct typealias *self)
{
    return Py_NewRef(self->name);
}

static PyObject *typealias_get_value(struct typealias *self)
{
    return lazy_get(&self->value, (PyObject *)self, Py_None);
}

static PyObject *typealias_get_type_params(struct typealias *self)
{
    return self->type_params == NULL ? PyTuple_New(0) : Py_NewRef(self->type_params);
}

/* Type parameters as arguments: each TypeVarTuple is unpacked. */
static PyObject *unpack_tuples(PyObject *params)
{
    Py_ssize_t count = PyTuple_GET_SIZE(params);
    PyObject *result = PyTuple_New(count);
    for (Py_ssize_t i = 0; result != NULL && i < count; i++) {
        PyObject *param = PyTuple_GET_ITEM(params, i);
        PyObject *item = Py_IS_TYPE(param, &typevartuple_type) ? unpacked(param) : Py_NewRef(param);
        if (item == NULL) {
            Py_CLEAR(result);
        } else {
            PyTuple_SET_ITEM(result, i, item);
        }
    }
    return result;
}

static PyObject *typealias_get_parameters(struct typealias *self)
{
    return self->type_params == NULL ? PyTuple_New(0) : unpack_tuples(self->type_params);
}

static PyObject *typealias_get_module(struct typealias *self)
{
    if (self->module != NULL) {
        return Py_NewRef(self->module);
    }
    if (self->value.evaluate != NULL) {
        return PyObject_GetAttr(self->value.evaluate, ID(__module__));
    }
    Py_RETURN_NONE;
}

static PyObject *typealias_subscript(PyObject *op, PyObject *args)
{
    if (((struct typealias *)op)->type_params == NULL) {
        PyErr_SetString(PyExc_TypeError, "Only generic type aliases are subscriptable");
        return NULL;
    }
    return Py_GenericAlias(op, args);
}

static int typealias_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct typealias *self = (struct typealias *)op;
    Py_VISIT(self->type_params);
    VISIT_LAZY(self->value)
    Py_VISIT(self->module);
    return 0;
}

static int typealias_clear(PyObject *op)
{
    struct typealias *self = (struct typealias *)op;
    Py_CLEAR(self->type_params);
    CLEAR_LAZY(self->value)
    Py_CLEAR(self->module);
    return 0;
}

static void typealias_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    typealias_clear(op);
    Py_XDECREF(((struct typealias *)op)->name);
    PyObject_GC_Del(op);
}

static PyNumberMethods typealias_as_number = {.nb_or = _Py_union_type_or};
static PyMappingMethods typealias_as_mapping = {.mp_subscript = typealias_subscript};

PyTypeObject typealias_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "typing.TypeAliasType",
    .tp_basicsize = sizeof(struct typealias),
    .tp_dealloc = typealias_dealloc,
    .tp_repr = typealias_repr,
    .tp_as_number = &typealias_as_number,
    .tp_as_mapping = &typealias_as_mapping,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = typealias_doc,
    .tp_traverse = typealias_traverse,
    .tp_clear = typealias_clear,
    .tp_methods = typealias_methods,
    .tp_members = typealias_members,
    .tp_getset = typealias_getset,
    .tp_new = bind_typealias_new,
};

/* ---- Generic --------------------------------------------------------------------------------- */

/* typing.name(cls, *args, **kwargs) */
static PyObject *call_with_class(const char *name, PyObject *cls, PyObject *args, PyObject *kwds)
{
    PyObject *typing = PyImport_ImportModule("typing");
    PyObject *func = typing == NULL ? NULL : PyObject_GetAttrString(typing, name);
    PyObject *first = func == NULL ? NULL : PyTuple_Pack(1, cls);
    PyObject *all = first == NULL ? NULL : PySequence_Concat(first, args);
    PyObject *result = all == NULL ? NULL : PyObject_Call(func, all, kwds);
    Py_XDECREF(all);
    Py_XDECREF(first);
    Py_XDECREF(func);
    Py_XDECREF(typing);
    return result;
}

static PyObject *generic_class_getitem(PyObject *cls, PyObject *args, PyObject *kwds)
{
    return call_with_class("_generic_class_getitem", cls, args, kwds);
}

static PyObject *generic_init_subclass(PyObject *cls, PyObject *args, PyObject *kwds)
{
    return call_with_class("_generic_init_subclass", cls, args, kwds);
}

/* A heap type: what copies and pickles instances looks for the first base that is not one. */
static PyType_Slot generic_slots[] = {
    {Py_tp_doc, (void *)generic_doc},
    {Py_tp_methods, generic_methods},
    {0, NULL},
};

static PyType_Spec generic_spec = {
    .name = "typing.Generic",
    .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = generic_slots,
};

/* Made when first asked for: borrowed, NULL with an exception. */
static PyObject *generic_type(void)
{
    PyObject **place = &object_interp_self()->typing_generic, *known = atomic_load_acquire(place);
    if (known != NULL) {
        return known;
    }
    PyObject *made = PyType_FromSpec(&generic_spec);
    if (made != NULL && !atomic_cas(place, &known, made)) {
        Py_DECREF(made);
        return known;
    }
    return made;
}

PyObject *generic_subscript(PyObject *params)
{
    PyObject *args = unpack_tuples(params), *generic = generic_type();
    PyObject *one = args == NULL || generic == NULL ? NULL : PyTuple_Pack(1, args);
    PyObject *result =
        one == NULL ? NULL : call_with_class("_generic_class_getitem", generic, one, NULL);
    Py_XDECREF(one);
    Py_XDECREF(args);
    return result;
}

PyObject *typeparam_set_default(PyObject *param, PyObject *evaluate)
{
    struct lazy *dflt = Py_IS_TYPE(param, &typevar_type)     ? &((struct typevar *)param)->dflt
                        : Py_IS_TYPE(param, &paramspec_type) ? &((struct paramspec *)param)->dflt
                        : Py_IS_TYPE(param, &typevartuple_type)
                            ? &((struct typevartuple *)param)->dflt
                            : NULL;
    if (dflt == NULL) {
        PyErr_Format(PyExc_TypeError, "Expected a type param, got %R", param);
        return NULL;
    }
    Py_XSETREF(dflt->evaluate, Py_NewRef(evaluate));
    return Py_NewRef(param);
}

/* clang-format off */
PyTypeObject *const typing_types[] = {
    &Py_GenericAliasType, &_Py_GenericAliasIterType, &_PyUnion_Type, &no_default_type,
    &typevar_type, &paramspec_type, &paramspec_args_type, &paramspec_kwargs_type,
    &typevartuple_type, &typealias_type, NULL,
};
/* clang-format on */

/* ---- _typing --------------------------------------------------------------------------------- */

static PyObject *idfunc(PyObject *Py_UNUSED(module), PyObject *op)
{
    return Py_NewRef(op);
}

static PyMethodDef module_functions[] = {
    {"_idfunc", idfunc, METH_O, "_idfunc($module, x, /)\n--\n\n"},
    {NULL},
};

static int module_exec(PyObject *module)
{
    const struct {
        const char *name;
        PyObject *value;
    } contents[] = {
        {"TypeVar", (PyObject *)&typevar_type},
        {"TypeVarTuple", (PyObject *)&typevartuple_type},
        {"ParamSpec", (PyObject *)&paramspec_type},
        {"ParamSpecArgs", (PyObject *)&paramspec_args_type},
        {"ParamSpecKwargs", (PyObject *)&paramspec_kwargs_type},
        {"Generic", generic_type()},
        {"TypeAliasType", (PyObject *)&typealias_type},
        {"NoDefault", &no_default},
    };
    for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
        if (contents[i].value == NULL
            || PyModule_AddObjectRef(module, contents[i].name, contents[i].value) < 0) {
            return -1;
        }
    }
    return 0;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
    {0, NULL},
};

static PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_typing",
    .m_doc = "Primitives and accelerators for the typing module.",
    .m_methods = module_functions,
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__typing(void);
PyMODINIT_FUNC PyInit__typing(void)
{
    return PyModuleDef_Init(&module_def);
}
