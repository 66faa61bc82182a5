/* types.GenericAlias: list[int]; and what it shares with unions: finding type parameters, putting
 * arguments in their place, and texts. */
#include "objects/typing.h"

#include "locking/lock.h"
#include "locking/refs.h"
#include "objects/error.h"
#include "objects/type.h"
#include "objects/weakref.h"
#include "generic_alias.bind.h"

#define IS_ALIAS(op) PyObject_TypeCheck(op, &Py_GenericAliasType)

static struct generic_alias *alias_of(PyObject *op)
{
    return (struct generic_alias *)op;
}

/* ---- making ---------------------------------------------------------------------------------- */

static PyObject *alias_vectorcall(PyObject *op, PyObject *const *args, size_t nargsf,
                                  PyObject *kwnames);

static PyObject *alias_make(PyTypeObject *type, PyObject *origin, PyObject *args, bool starred)
{
    args = PyTuple_Check(args) ? Py_NewRef(args) : PyTuple_Pack(1, args);
    struct generic_alias *self =
        args == NULL ? NULL : (struct generic_alias *)type->tp_alloc(type, 0);
    if (self == NULL) {
        Py_XDECREF(args);
        return NULL;
    }
    self->origin = Py_NewRef(origin);
    self->args = args;
    self->starred = starred;
    self->vectorcall = PyVectorcall_Function(origin) == NULL ? NULL : alias_vectorcall;
    return (PyObject *)self;
}

PyObject *Py_GenericAlias(PyObject *origin, PyObject *args)
{
    return alias_make(&Py_GenericAliasType, origin, args, false);
}

static PyObject *generic_alias_new(PyTypeObject *type, PyObject *origin, PyObject *args)
{
    return alias_make(type, origin, args, false);
}

/* ---- text ------------------------------------------------------------------------------------ */

static int has_attr(PyObject *op, PyObject *name)
{
    return PyObject_HasAttrWithError(op, name);
}

static PyObject *list_text(PyObject *list)
{
    PyObject *parts = PyList_New(0), *text = NULL;
    for (Py_ssize_t i = 0; parts != NULL && i < PyList_GET_SIZE(list); i++) {
        PyObject *item = PyList_GetItemRef(list, i);
        PyObject *part = item == NULL ? NULL : alias_item_text(item);
        if (part == NULL || PyList_Append(parts, part) < 0) {
            Py_CLEAR(parts);
        }
        Py_XDECREF(part);
        Py_XDECREF(item);
    }
    PyObject *comma = parts == NULL ? NULL : PyUnicode_FromString(", ");
    PyObject *joined = comma == NULL ? NULL : PyUnicode_Join(comma, parts);
    if (joined != NULL) {
        text = PyUnicode_FromFormat("[%U]", joined);
    }
    Py_XDECREF(joined);
    Py_XDECREF(comma);
    Py_XDECREF(parts);
    return text;
}

/* A class by its name, without "builtins."; anything else by its repr. */
PyObject *alias_item_text(PyObject *item)
{
    if (item == Py_Ellipsis) {
        return PyUnicode_FromString("...");
    }
    if (PyList_CheckExact(item)) {
        return list_text(item);
    }
    int generic = has_attr(item, ID(__origin__));
    if (generic > 0) {
        generic = has_attr(item, ID(__args__));
    }
    if (generic != 0) {
        return generic < 0 ? NULL : PyObject_Repr(item);
    }
    PyObject *qualname = NULL, *module = NULL, *text = NULL;
    if (PyObject_GetOptionalAttr(item, ID(__qualname__), &qualname) < 0
        || PyObject_GetOptionalAttr(item, ID(__module__), &module) < 0) {
        text = NULL;
    } else if (qualname == NULL || module == NULL || module == Py_None) {
        text = PyObject_Repr(item);
    } else if (PyUnicode_Check(module) && PyUnicode_EqualToUTF8(module, "builtins")) {
        text = PyObject_Str(qualname);
    } else {
        text = PyUnicode_FromFormat("%S.%S", module, qualname);
    }
    Py_XDECREF(qualname);
    Py_XDECREF(module);
    return text;
}

static PyObject *alias_repr(PyObject *op)
{
    struct generic_alias *self = alias_of(op);
    PyObject *origin = alias_item_text(self->origin);
    PyObject *list = origin == NULL ? NULL : PySequence_List(self->args);
    PyObject *args = list == NULL                 ? NULL
                     : PyList_GET_SIZE(list) == 0 ? PyUnicode_FromString("[()]")
                                                  : list_text(list);
    PyObject *text = args == NULL
                         ? NULL
                         : PyUnicode_FromFormat("%s%U%U", self->starred ? "*" : "", origin, args);
    Py_XDECREF(args);
    Py_XDECREF(list);
    Py_XDECREF(origin);
    return text;
}

/* ---- parameters ------------------------------------------------------------------------------ */

static Py_ssize_t index_in(PyObject *tuple, PyObject *item)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++) {
        if (PyTuple_GET_ITEM(tuple, i) == item) {
            return i;
        }
    }
    return -1;
}

static int add_once(PyObject *list, PyObject *item)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        if (PyList_GET_ITEM(list, i) == item) {
            return 0;
        }
    }
    return PyList_Append(list, item);
}

static int add_parameters_of(PyObject *list, PyObject *arg)
{
    if (PyType_Check(arg)) {
        return 0; /* a class's __parameters__ are not this alias's */
    }
    int is_parameter = has_attr(arg, ID(__typing_subst__));
    if (is_parameter != 0) {
        return is_parameter < 0 ? -1 : add_once(list, arg);
    }
    PyObject *inner;
    int result = PyObject_GetOptionalAttr(arg, ID(__parameters__), &inner);
    if (result > 0 && PyTuple_Check(inner)) {
        for (Py_ssize_t i = 0; result >= 0 && i < PyTuple_GET_SIZE(inner); i++) {
            result = add_once(list, PyTuple_GET_ITEM(inner, i));
        }
    }
    Py_XDECREF(inner);
    return result < 0 ? -1 : 0;
}

PyObject *alias_parameters(PyObject *args)
{
    PyObject *list = PyList_New(0), *result = NULL;
    int failed = list == NULL;
    for (Py_ssize_t i = 0; !failed && i < PyTuple_GET_SIZE(args); i++) {
        failed = add_parameters_of(list, PyTuple_GET_ITEM(args, i)) < 0;
    }
    if (!failed) {
        result = PyList_AsTuple(list);
    }
    Py_XDECREF(list);
    return result;
}

/* ---- substitution ---------------------------------------------------------------------------- */

static int extend(PyObject *list, PyObject *tuple)
{
    return PyList_SetSlice(list, PyList_GET_SIZE(list), PyList_GET_SIZE(list), tuple);
}

/* The items of *tuple[int, str] in the place of it. */
static int add_unpacked(PyObject *list, PyObject *item)
{
    if (PyType_Check(item)) {
        return PyList_Append(list, item);
    }
    PyObject *inner;
    int result = PyObject_GetOptionalAttr(item, ID(__typing_unpacked_tuple_args__), &inner);
    if (result < 0) {
        return -1;
    }
    Py_ssize_t count = inner != NULL && PyTuple_Check(inner) ? PyTuple_GET_SIZE(inner) : 0;
    bool fixed = inner != NULL && PyTuple_Check(inner)
                 && !(count > 0 && PyTuple_GET_ITEM(inner, count - 1) == Py_Ellipsis);
    result = fixed ? extend(list, inner) : PyList_Append(list, item);
    Py_XDECREF(inner);
    return result;
}

/* What stands in the brackets, as a new tuple. */
static PyObject *arguments_of(PyObject *item)
{
    PyObject *list = PyList_New(0), *result = NULL;
    int failed = list == NULL;
    if (!failed && !PyTuple_Check(item)) {
        failed = add_unpacked(list, item) < 0;
    } else {
        for (Py_ssize_t i = 0; !failed && i < PyTuple_GET_SIZE(item); i++) {
            failed = add_unpacked(list, PyTuple_GET_ITEM(item, i)) < 0;
        }
    }
    if (!failed) {
        result = PyList_AsTuple(list);
    }
    Py_XDECREF(list);
    return result;
}

/* Lets the parameters prepare the arguments (taken over): defaults, TypeVarTuple, ParamSpec. */
static PyObject *prepare(PyObject *self, PyObject *parameters, PyObject *arguments)
{
    for (Py_ssize_t i = 0; arguments != NULL && i < PyTuple_GET_SIZE(parameters); i++) {
        PyObject *hook;
        int found = PyObject_GetOptionalAttr(PyTuple_GET_ITEM(parameters, i),
                                             ID(__typing_prepare_subst__), &hook);
        if (found < 0) {
            Py_CLEAR(arguments);
        } else if (found > 0 && hook != Py_None) {
            Py_SETREF(arguments, PyObject_CallFunctionObjArgs(hook, self, arguments, NULL));
            if (arguments != NULL && !PyTuple_Check(arguments)) {
                Py_SETREF(arguments, PyTuple_Pack(1, arguments));
            }
        }
        Py_XDECREF(hook);
    }
    return arguments;
}

/* An argument that has parameters of its own: list[T] gets T's argument. New reference. */
static PyObject *substitute_inside(PyObject *arg, PyObject *parameters, PyObject *arguments)
{
    PyObject *inner;
    if (PyObject_GetOptionalAttr(arg, ID(__parameters__), &inner) < 0) {
        return NULL;
    }
    if (inner == NULL || !PyTuple_Check(inner) || PyTuple_GET_SIZE(inner) == 0) {
        Py_XDECREF(inner);
        return Py_NewRef(arg);
    }
    PyObject *list = PyList_New(0), *result = NULL;
    int failed = list == NULL;
    for (Py_ssize_t i = 0; !failed && i < PyTuple_GET_SIZE(inner); i++) {
        PyObject *param = PyTuple_GET_ITEM(inner, i);
        Py_ssize_t at = index_in(parameters, param);
        PyObject *value = at < 0 ? param : PyTuple_GET_ITEM(arguments, at);
        bool several = at >= 0 && Py_TYPE(param)->tp_iter != NULL && PyTuple_Check(value);
        failed = (several ? extend(list, value) : PyList_Append(list, value)) < 0;
    }
    PyObject *tuple = failed ? NULL : PyList_AsTuple(list);
    if (tuple != NULL) {
        result = PyObject_GetItem(arg, tuple);
    }
    Py_XDECREF(tuple);
    Py_XDECREF(list);
    Py_DECREF(inner);
    return result;
}

/* The attribute's truth; 0 when there is none. */
static int flag_of(PyObject *op, PyObject *name)
{
    PyObject *value;
    int result = PyObject_GetOptionalAttr(op, name, &value);
    if (result > 0) {
        result = PyObject_IsTrue(value);
    }
    Py_XDECREF(value);
    return result;
}

static int add_substituted(PyObject *list, PyObject *self, PyObject *arg, PyObject *parameters,
                           PyObject *arguments)
{
    if (PyType_Check(arg)) {
        return PyList_Append(list, arg);
    }
    int unpack = flag_of(arg, ID(__typing_is_unpacked_typevartuple__));
    PyObject *hook;
    if (unpack < 0 || PyObject_GetOptionalAttr(arg, ID(__typing_subst__), &hook) < 0) {
        return -1;
    }
    PyObject *value;
    if (hook != NULL) {
        Py_ssize_t at = index_in(parameters, arg);
        value =
            at < 0 ? Py_NewRef(arg) : PyObject_CallOneArg(hook, PyTuple_GET_ITEM(arguments, at));
        Py_DECREF(hook);
    } else {
        value = substitute_inside(arg, parameters, arguments);
    }
    if (value == NULL) {
        return -1;
    }
    int result;
    if (!unpack) {
        result = PyList_Append(list, value);
    } else if (PyTuple_Check(value)) {
        result = extend(list, value);
    } else {
        PyErr_Format(PyExc_TypeError,
                     "expected __typing_subst__ of %T objects to return a tuple, "
                     "not %T",
                     arg, value);
        result = -1;
    }
    (void)self;
    Py_DECREF(value);
    return result;
}

PyObject *alias_substitute(PyObject *self, PyObject *args, PyObject *parameters, PyObject *item)
{
    Py_ssize_t expected = PyTuple_GET_SIZE(parameters);
    if (expected == 0) {
        return PyErr_Format(PyExc_TypeError, "%R is not a generic class", self);
    }
    PyObject *arguments = prepare(self, parameters, arguments_of(item));
    if (arguments == NULL) {
        return NULL;
    }
    Py_ssize_t given = PyTuple_GET_SIZE(arguments);
    if (given != expected) {
        PyErr_Format(PyExc_TypeError, "Too %s arguments for %R; actual %zd, expected %zd",
                     given > expected ? "many" : "few", self, given, expected);
        Py_DECREF(arguments);
        return NULL;
    }
    PyObject *list = PyList_New(0), *result = NULL;
    int failed = list == NULL;
    for (Py_ssize_t i = 0; !failed && i < PyTuple_GET_SIZE(args); i++) {
        failed = add_substituted(list, self, PyTuple_GET_ITEM(args, i), parameters, arguments) < 0;
    }
    if (!failed) {
        result = PyList_AsTuple(list);
    }
    Py_XDECREF(list);
    Py_DECREF(arguments);
    return result;
}

/* Borrowed: kept by the alias. */
static PyObject *parameters_of(struct generic_alias *self)
{
    PyObject *known = field_load_acquire(&self->parameters);
    if (known == NULL) {
        PyObject *made = alias_parameters(self->args), *expected = NULL;
        if (made != NULL && !field_cas(&self->parameters, &expected, made)) {
            Py_DECREF(made);
            made = expected;
        }
        known = made;
    }
    return known;
}

static PyObject *generic_alias_get_parameters(struct generic_alias *self)
{
    return Py_XNewRef(parameters_of(self));
}

static PyObject *alias_subscript(PyObject *op, PyObject *item)
{
    struct generic_alias *self = alias_of(op);
    PyObject *parameters = parameters_of(self);
    PyObject *args = parameters == NULL ? NULL : alias_substitute(op, self->args, parameters, item);
    if (args == NULL) {
        return NULL;
    }
    PyObject *result = alias_make(&Py_GenericAliasType, self->origin, args, self->starred);
    Py_DECREF(args);
    return result;
}

static PyObject *generic_alias_get_typing_unpacked_tuple_args(struct generic_alias *self)
{
    return Py_NewRef(self->starred && self->origin == (PyObject *)&PyTuple_Type ? self->args
                                                                                : Py_None);
}

/* ---- attributes and calls -------------------------------------------------------------------- */

/* What the alias answers itself; everything else is asked of the origin. */
static bool is_own_attribute(PyObject *name)
{
    PyObject *const own[] = {
        ID(__class__),       ID(__origin__),     ID(__args__),
        ID(__unpacked__),    ID(__parameters__), ID(__typing_unpacked_tuple_args__),
        ID(__mro_entries__), ID(__reduce_ex__),  ID(__reduce__),
        ID(__bases__),       ID(__copy__),       ID(__deepcopy__),
    };
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (own[i] == name || PyUnicode_Compare(own[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static PyObject *alias_getattro(PyObject *op, PyObject *name)
{
    return PyUnicode_Check(name) && !is_own_attribute(name)
               ? PyObject_GetAttr(alias_of(op)->origin, name)
               : PyObject_GenericGetAttr(op, name);
}

static PyObject *generic_alias_dir(struct generic_alias *self)
{
    PyObject *const own[] = {
        ID(__class__),
        ID(__bases__),
        ID(__origin__),
        ID(__args__),
        ID(__unpacked__),
        ID(__parameters__),
        ID(__typing_unpacked_tuple_args__),
        ID(__mro_entries__),
        ID(__reduce_ex__),
        ID(__reduce__),
        ID(__copy__),
        ID(__deepcopy__),
    };
    PyObject *names = PyObject_Dir(self->origin);
    for (size_t i = 0; names != NULL && i < sizeof(own) / sizeof(own[0]); i++) {
        int present = PySequence_Contains(names, own[i]);
        if (present < 0 || (!present && PyList_Append(names, own[i]) < 0)) {
            Py_CLEAR(names);
        }
    }
    return names;
}

/* Marks an instance made by list[int](); those that cannot be marked are fine too. */
static PyObject *mark_instance(PyObject *instance, PyObject *alias)
{
    if (instance != NULL && PyObject_SetAttr(instance, ID(__orig_class__), alias) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)
            && !PyErr_ExceptionMatches(PyExc_TypeError)) {
            Py_DECREF(instance);
            return NULL;
        }
        PyErr_Clear();
    }
    return instance;
}

static PyObject *alias_vectorcall(PyObject *op, PyObject *const *args, size_t nargsf,
                                  PyObject *kwnames)
{
    if (stack_check(" while calling a Python object") < 0) {
        return NULL;
    }
    return mark_instance(PyObject_Vectorcall(alias_of(op)->origin, args, nargsf, kwnames), op);
}

static PyObject *alias_call(PyObject *op, PyObject *args, PyObject *kwds)
{
    return mark_instance(PyObject_Call(alias_of(op)->origin, args, kwds), op);
}

static PyObject *generic_alias_mro_entries(struct generic_alias *self, PyObject *Py_UNUSED(bases))
{
    return PyTuple_Pack(1, self->origin);
}

static PyObject *generic_alias_instancecheck(struct generic_alias *Py_UNUSED(self),
                                             PyObject *Py_UNUSED(op))
{
    PyErr_SetString(PyExc_TypeError, "isinstance() argument 2 cannot be a parameterized generic");
    return NULL;
}

static PyObject *generic_alias_subclasscheck(struct generic_alias *Py_UNUSED(self),
                                             PyObject *Py_UNUSED(op))
{
    PyErr_SetString(PyExc_TypeError, "issubclass() argument 2 cannot be a parameterized generic");
    return NULL;
}

/* builtins.name, a new reference. */
static PyObject *builtin(const char *name)
{
    return PyMapping_GetItemString(PyEval_GetBuiltins(), name);
}

static PyObject *generic_alias_reduce(struct generic_alias *self)
{
    if (!self->starred) {
        return Py_BuildValue("O(OO)", Py_TYPE(self), self->origin, self->args);
    }
    PyObject *plain = Py_GenericAlias(self->origin, self->args);
    PyObject *iterator = plain == NULL ? NULL : PyObject_GetIter(plain);
    PyObject *next = iterator == NULL ? NULL : builtin("next");
    PyObject *result = next == NULL ? NULL : Py_BuildValue("O(O)", next, iterator);
    Py_XDECREF(next);
    Py_XDECREF(iterator);
    Py_XDECREF(plain);
    return result;
}

/* ---- hash, comparison, life ------------------------------------------------------------------ */

static Py_hash_t alias_hash(PyObject *op)
{
    if (stack_check(" while hashing") < 0) {
        return -1;
    }
    Py_hash_t origin = PyObject_Hash(alias_of(op)->origin);
    Py_hash_t args = origin == -1 ? -1 : PyObject_Hash(alias_of(op)->args);
    return args == -1 ? -1 : origin ^ args;
}

static PyObject *alias_compare(PyObject *a, PyObject *b, int op)
{
    if (!IS_ALIAS(a) || !IS_ALIAS(b) || (op != Py_EQ && op != Py_NE)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    int equal = alias_of(a)->starred == alias_of(b)->starred;
    if (equal) {
        equal = PyObject_RichCompareBool(alias_of(a)->origin, alias_of(b)->origin, Py_EQ);
    }
    if (equal > 0) {
        equal = PyObject_RichCompareBool(alias_of(a)->args, alias_of(b)->args, Py_EQ);
    }
    return equal < 0 ? NULL : PyBool_FromLong(op == Py_EQ ? equal : !equal);
}

static int alias_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(alias_of(op)->origin);
    Py_VISIT(alias_of(op)->args);
    Py_VISIT(alias_of(op)->parameters);
    return 0;
}

static void alias_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    if (alias_of(op)->weaklist != NULL) {
        weakref_clear_all(op);
    }
    Py_XDECREF(alias_of(op)->origin);
    Py_XDECREF(alias_of(op)->args);
    Py_XDECREF(alias_of(op)->parameters);
    Py_TYPE(op)->tp_free(op);
}

/* ---- *list[int] ------------------------------------------------------------------------------ */

struct alias_iterator {
    PyObject_HEAD
    PyObject *alias; /* NULL when it has been given out */
};

static PyObject *alias_iter(PyObject *op)
{
    struct alias_iterator *self = (struct alias_iterator *)object_new(&_Py_GenericAliasIterType, 0);
    if (self != NULL) {
        self->alias = Py_NewRef(op);
        PyObject_GC_Track(self);
    }
    return (PyObject *)self;
}

static PyObject *alias_iter_next(PyObject *op)
{
    struct alias_iterator *self = (struct alias_iterator *)op;
    PyObject *alias = field_swap(&self->alias, NULL);
    if (alias == NULL) {
        return NULL;
    }
    PyObject *starred =
        alias_make(&Py_GenericAliasType, alias_of(alias)->origin, alias_of(alias)->args, true);
    Py_DECREF(alias);
    return starred;
}

static PyObject *alias_iter_reduce(PyObject *op)
{
    struct alias_iterator *self = (struct alias_iterator *)op;
    PyObject *iter = builtin("iter");
    if (iter == NULL) {
        return NULL;
    }
    return self->alias != NULL ? Py_BuildValue("N(O)", iter, self->alias)
                               : Py_BuildValue("N(())", iter);
}

static int alias_iter_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((struct alias_iterator *)op)->alias);
    return 0;
}

static void alias_iter_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_XDECREF(((struct alias_iterator *)op)->alias);
    PyObject_GC_Del(op);
}

PyTypeObject _Py_GenericAliasIterType = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "generic_alias_iterator",
    .tp_basicsize = sizeof(struct alias_iterator),
    .tp_dealloc = alias_iter_dealloc,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_traverse = alias_iter_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = alias_iter_next,
    .tp_methods = alias_iter_methods,
};

/* ---- the type -------------------------------------------------------------------------------- */

static PyMappingMethods alias_as_mapping = {.mp_subscript = alias_subscript};
static PyNumberMethods alias_as_number = {.nb_or = _Py_union_type_or};

PyTypeObject Py_GenericAliasType = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "types.GenericAlias",
    .tp_basicsize = sizeof(struct generic_alias),
    .tp_dealloc = alias_dealloc,
    .tp_vectorcall_offset = offsetof(struct generic_alias, vectorcall),
    .tp_repr = alias_repr,
    .tp_as_number = &alias_as_number,
    .tp_as_mapping = &alias_as_mapping,
    .tp_hash = alias_hash,
    .tp_call = alias_call,
    .tp_getattro = alias_getattro,
    .tp_flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_doc = generic_alias_doc,
    .tp_traverse = alias_traverse,
    .tp_richcompare = alias_compare,
    .tp_weaklistoffset = offsetof(struct generic_alias, weaklist),
    .tp_iter = alias_iter,
    .tp_methods = generic_alias_methods,
    .tp_members = generic_alias_members,
    .tp_getset = generic_alias_getset,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = bind_generic_alias_new,
    .tp_free = PyObject_GC_Del,
};
