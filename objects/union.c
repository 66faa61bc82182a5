/* types.UnionType: int | str. */
#include "objects/typing.h"

#include "locking/lock.h"
#include "objects/error.h"
#include "objects/type.h"

struct union_object {
    PyObject_HEAD
    PyObject *args;       /* tuple of different types */
    PyObject *parameters; /* tuple, or NULL while nobody has asked */
};

#define IS_UNION(op) Py_IS_TYPE(op, &_PyUnion_Type)

static struct union_object *union_of(PyObject *op)
{
    return (struct union_object *)op;
}

PyObject *_Py_union_args(PyObject *op)
{
    return union_of(op)->args;
}

/* ---- making ---------------------------------------------------------------------------------- */

static bool may_be_member(PyObject *op)
{
    return op == Py_None || PyType_Check(op) || PyObject_TypeCheck(op, &Py_GenericAliasType)
           || IS_UNION(op) || Py_IS_TYPE(op, &typealias_type);
}

/* 1, 0, -1: whether the list has a member like this. list[int] are compared, others must be the
 * same. */
static int is_known(PyObject *list, PyObject *member)
{
    bool alias = PyObject_TypeCheck(member, &Py_GenericAliasType);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        PyObject *other = PyList_GET_ITEM(list, i);
        if (other == member) {
            return 1;
        }
        int equal = alias && PyObject_TypeCheck(other, &Py_GenericAliasType)
                        ? PyObject_RichCompareBool(member, other, Py_EQ)
                        : 0;
        if (equal != 0) {
            return equal;
        }
    }
    return 0;
}

static int add_member(PyObject *list, PyObject *member)
{
    if (IS_UNION(member)) {
        PyObject *inner = union_of(member)->args;
        int result = 0;
        for (Py_ssize_t i = 0; result == 0 && i < PyTuple_GET_SIZE(inner); i++) {
            result = add_member(list, PyTuple_GET_ITEM(inner, i));
        }
        return result;
    }
    if (member == Py_None) {
        member = (PyObject *)Py_TYPE(Py_None);
    }
    int known = is_known(list, member);
    return known < 0 ? -1 : known ? 0 : PyList_Append(list, member);
}

/* Takes the list over. */
static PyObject *union_from_list(PyObject *list)
{
    PyObject *args = PyList_AsTuple(list);
    Py_DECREF(list);
    if (args == NULL || PyTuple_GET_SIZE(args) == 1) {
        PyObject *only = args == NULL ? NULL : Py_NewRef(PyTuple_GET_ITEM(args, 0));
        Py_XDECREF(args);
        return only;
    }
    struct union_object *self = (struct union_object *)object_new(&_PyUnion_Type, 0);
    if (self == NULL) {
        Py_DECREF(args);
        return NULL;
    }
    self->args = args;
    PyObject_GC_Track(self);
    return (PyObject *)self;
}

PyObject *_Py_union_type_or(PyObject *left, PyObject *right)
{
    if (!may_be_member(left) || !may_be_member(right)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *list = PyList_New(0);
    if (list == NULL || add_member(list, left) < 0 || add_member(list, right) < 0) {
        Py_XDECREF(list);
        return NULL;
    }
    return union_from_list(list);
}

PyObject *union_from_tuple(PyObject *members)
{
    PyObject *result = Py_NewRef(PyTuple_GET_ITEM(members, 0));
    for (Py_ssize_t i = 1; result != NULL && i < PyTuple_GET_SIZE(members); i++) {
        Py_SETREF(result, PyNumber_Or(result, PyTuple_GET_ITEM(members, i)));
    }
    return result;
}

/* ---- slots ----------------------------------------------------------------------------------- */

static PyObject *union_repr(PyObject *op)
{
    PyObject *args = union_of(op)->args, *parts = PyList_New(0), *text = NULL;
    for (Py_ssize_t i = 0; parts != NULL && i < PyTuple_GET_SIZE(args); i++) {
        PyObject *arg = PyTuple_GET_ITEM(args, i);
        PyObject *part =
            arg == (PyObject *)Py_TYPE(Py_None) ? Py_NewRef(ID(None)) : alias_item_text(arg);
        if (part == NULL || PyList_Append(parts, part) < 0) {
            Py_CLEAR(parts);
        }
        Py_XDECREF(part);
    }
    PyObject *bar = parts == NULL ? NULL : PyUnicode_FromString(" | ");
    if (bar != NULL) {
        text = PyUnicode_Join(bar, parts);
        Py_DECREF(bar);
    }
    Py_XDECREF(parts);
    return text;
}

static Py_hash_t union_hash(PyObject *op)
{
    PyObject *set = PyFrozenSet_New(union_of(op)->args);
    Py_hash_t hash = set == NULL ? -1 : PyObject_Hash(set);
    Py_XDECREF(set);
    return hash;
}

/* The order does not matter. */
static PyObject *union_compare(PyObject *a, PyObject *b, int op)
{
    if (!IS_UNION(a) || !IS_UNION(b) || (op != Py_EQ && op != Py_NE)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *x = PySet_New(union_of(a)->args), *y = PySet_New(union_of(b)->args);
    PyObject *result = x == NULL || y == NULL ? NULL : PyObject_RichCompare(x, y, op);
    Py_XDECREF(x);
    Py_XDECREF(y);
    return result;
}

static PyObject *union_get_parameters(PyObject *op, void *Py_UNUSED(closure))
{
    struct union_object *self = union_of(op);
    PyObject *known = field_load_acquire(&self->parameters);
    if (known == NULL) {
        PyObject *made = alias_parameters(self->args), *expected = NULL;
        if (made != NULL && !field_cas(&self->parameters, &expected, made)) {
            Py_DECREF(made);
            made = expected;
        }
        known = made;
    }
    return Py_XNewRef(known);
}

static PyObject *union_subscript(PyObject *op, PyObject *item)
{
    PyObject *parameters = union_get_parameters(op, NULL);
    PyObject *args =
        parameters == NULL ? NULL : alias_substitute(op, union_of(op)->args, parameters, item);
    PyObject *result = args == NULL ? NULL : union_from_tuple(args);
    Py_XDECREF(args);
    Py_XDECREF(parameters);
    return result;
}

/* Says of itself which module it is from, as no instance of another type does. */
static PyObject *union_getattro(PyObject *op, PyObject *name)
{
    if (PyUnicode_Check(name) && PyUnicode_Compare(name, ID(__module__)) == 0) {
        return PyObject_GetAttr((PyObject *)Py_TYPE(op), name);
    }
    return PyObject_GenericGetAttr(op, name);
}

static int union_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(union_of(op)->args);
    Py_VISIT(union_of(op)->parameters);
    return 0;
}

static void union_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_XDECREF(union_of(op)->args);
    Py_XDECREF(union_of(op)->parameters);
    PyObject_GC_Del(op);
}

static PyMemberDef union_members[] = {
    {"__args__", _Py_T_OBJECT, offsetof(struct union_object, args), Py_READONLY, NULL},
    {NULL},
};

static PyGetSetDef union_getset[] = {
    {"__parameters__", union_get_parameters, NULL, "The type parameters that occur in the members.",
     NULL},
    {NULL},
};

static PyNumberMethods union_as_number = {.nb_or = _Py_union_type_or};
static PyMappingMethods union_as_mapping = {.mp_subscript = union_subscript};

PyTypeObject _PyUnion_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "types.UnionType",
    .tp_basicsize = sizeof(struct union_object),
    .tp_dealloc = union_dealloc,
    .tp_repr = union_repr,
    .tp_as_number = &union_as_number,
    .tp_as_mapping = &union_as_mapping,
    .tp_hash = union_hash,
    .tp_getattro = union_getattro,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "A union of types, as int | str makes it.",
    .tp_traverse = union_traverse,
    .tp_richcompare = union_compare,
    .tp_members = union_members,
    .tp_getset = union_getset,
};
