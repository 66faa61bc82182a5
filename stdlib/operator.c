/* The module _operator: Python's operators as functions, and three kinds of getters. */
#include "module.h"

struct operator_state {
    PyObject *itemgetter_type, *attrgetter_type, *methodcaller_type;
};

struct itemgetter {
    PyObject_HEAD
    PyObject *items;  /* tuple */
    Py_ssize_t index; /* the only item, if it is a small index, else -1 */
    vectorcallfunc vectorcall;
};

struct attrgetter {
    PyObject_HEAD
    PyObject *attrs; /* tuple; each a str, or for a dotted name a tuple of str */
    vectorcallfunc vectorcall;
};

struct methodcaller {
    PyObject_HEAD
    PyObject *name, *args, *kwargs; /* kwargs: dict or NULL */
    PyObject *values, *kwnames;     /* arguments as a call wants them: (args..., kwargs...) */
    vectorcallfunc vectorcall;
};

#include "operator.bind.h"

/* ---- operators ------------------------------------------------------------------------------ */

#define BINARY(name, call)                                                                         \
    static PyObject *name(PyObject *Py_UNUSED(module), PyObject *a, PyObject *b)                   \
    {                                                                                              \
        return call;                                                                               \
    }

#define UNARY(name, call)                                                                          \
    static PyObject *name(PyObject *Py_UNUSED(module), PyObject *a)                                \
    {                                                                                              \
        return call;                                                                               \
    }

BINARY(operator_add, PyNumber_Add(a, b))
BINARY(operator_sub, PyNumber_Subtract(a, b))
BINARY(operator_mul, PyNumber_Multiply(a, b))
BINARY(operator_matmul, PyNumber_MatrixMultiply(a, b))
BINARY(operator_floordiv, PyNumber_FloorDivide(a, b))
BINARY(operator_truediv, PyNumber_TrueDivide(a, b))
BINARY(operator_mod, PyNumber_Remainder(a, b))
BINARY(operator_lshift, PyNumber_Lshift(a, b))
BINARY(operator_rshift, PyNumber_Rshift(a, b))
BINARY(operator_and, PyNumber_And(a, b))
BINARY(operator_xor, PyNumber_Xor(a, b))
BINARY(operator_or, PyNumber_Or(a, b))
BINARY(operator_iadd, PyNumber_InPlaceAdd(a, b))
BINARY(operator_isub, PyNumber_InPlaceSubtract(a, b))
BINARY(operator_imul, PyNumber_InPlaceMultiply(a, b))
BINARY(operator_imatmul, PyNumber_InPlaceMatrixMultiply(a, b))
BINARY(operator_ifloordiv, PyNumber_InPlaceFloorDivide(a, b))
BINARY(operator_itruediv, PyNumber_InPlaceTrueDivide(a, b))
BINARY(operator_imod, PyNumber_InPlaceRemainder(a, b))
BINARY(operator_ilshift, PyNumber_InPlaceLshift(a, b))
BINARY(operator_irshift, PyNumber_InPlaceRshift(a, b))
BINARY(operator_iand, PyNumber_InPlaceAnd(a, b))
BINARY(operator_ixor, PyNumber_InPlaceXor(a, b))
BINARY(operator_ior, PyNumber_InPlaceOr(a, b))
BINARY(operator_ipow, PyNumber_InPlacePower(a, b, Py_None))
BINARY(operator_pow, PyNumber_Power(a, b, Py_None))
BINARY(operator_concat, PySequence_Concat(a, b))
BINARY(operator_iconcat, PySequence_InPlaceConcat(a, b))
BINARY(operator_lt, PyObject_RichCompare(a, b, Py_LT))
BINARY(operator_le, PyObject_RichCompare(a, b, Py_LE))
BINARY(operator_eq, PyObject_RichCompare(a, b, Py_EQ))
BINARY(operator_ne, PyObject_RichCompare(a, b, Py_NE))
BINARY(operator_gt, PyObject_RichCompare(a, b, Py_GT))
BINARY(operator_ge, PyObject_RichCompare(a, b, Py_GE))
BINARY(operator_getitem, PyObject_GetItem(a, b))
UNARY(operator_neg, PyNumber_Negative(a))
UNARY(operator_pos, PyNumber_Positive(a))
UNARY(operator_inv, PyNumber_Invert(a))
UNARY(operator_invert, PyNumber_Invert(a))
UNARY(operator_abs, PyNumber_Absolute(a))
UNARY(operator_index, PyNumber_Index(a))

static int operator_truth(PyObject *Py_UNUSED(module), PyObject *a)
{
    return PyObject_IsTrue(a);
}

static int operator_not(PyObject *Py_UNUSED(module), PyObject *a)
{
    return PyObject_Not(a);
}

static int operator_is(PyObject *Py_UNUSED(module), PyObject *a, PyObject *b)
{
    return Py_Is(a, b);
}

static int operator_is_not(PyObject *Py_UNUSED(module), PyObject *a, PyObject *b)
{
    return !Py_Is(a, b);
}

static int operator_contains(PyObject *Py_UNUSED(module), PyObject *a, PyObject *b)
{
    return PySequence_Contains(a, b);
}

static Py_ssize_t operator_indexOf(PyObject *Py_UNUSED(module), PyObject *a, PyObject *b)
{
    return PySequence_Index(a, b);
}

static Py_ssize_t operator_countOf(PyObject *Py_UNUSED(module), PyObject *a, PyObject *b)
{
    return PySequence_Count(a, b);
}

static int operator_setitem(PyObject *Py_UNUSED(module), PyObject *a, PyObject *b, PyObject *c)
{
    return PyObject_SetItem(a, b, c);
}

static int operator_delitem(PyObject *Py_UNUSED(module), PyObject *a, PyObject *b)
{
    return PyObject_DelItem(a, b);
}

static Py_ssize_t operator_length_hint(PyObject *Py_UNUSED(module), PyObject *obj,
                                       Py_ssize_t otherwise)
{
    return PyObject_LengthHint(obj, otherwise);
}

static PyObject *operator_call(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs,
                               PyObject *kwnames)
{
    if (nargs < 1) {
        bind_count_error("call", nargs, 1, PY_SSIZE_T_MAX);
        return NULL;
    }
    return PyObject_Vectorcall(args[0], args + 1,
                               (size_t)(nargs - 1) | PY_VECTORCALL_ARGUMENTS_OFFSET, kwnames);
}

/* ---- _compare_digest ------------------------------------------------------------------------ */

/* Takes a time that depends on the length of b alone. */
static bool bytes_same(const volatile unsigned char *a, Py_ssize_t a_len,
                       const volatile unsigned char *b, Py_ssize_t b_len)
{
    volatile unsigned char different = a_len != b_len;
    const volatile unsigned char *left = a_len == b_len ? a : b;
    for (Py_ssize_t i = 0; i < b_len; i++) {
        different |= left[i] ^ b[i];
    }
    return different == 0;
}

static int operator_compare_digest(PyObject *Py_UNUSED(module), PyObject *a, PyObject *b)
{
    if (PyUnicode_Check(a) && PyUnicode_Check(b)) {
        if (!PyUnicode_IS_ASCII(a) || !PyUnicode_IS_ASCII(b)) {
            PyErr_SetString(PyExc_TypeError,
                            "comparing strings with non-ASCII characters is not supported");
            return -1;
        }
        return bytes_same(PyUnicode_1BYTE_DATA(a), PyUnicode_GET_LENGTH(a), PyUnicode_1BYTE_DATA(b),
                          PyUnicode_GET_LENGTH(b));
    }
    if (!PyObject_CheckBuffer(a) && !PyObject_CheckBuffer(b)) {
        PyErr_Format(PyExc_TypeError,
                     "unsupported operand types(s) or combination of types: '%.100s' and '%.100s'",
                     Py_TYPE(a)->tp_name, Py_TYPE(b)->tp_name);
        return -1;
    }
    Py_buffer left, right;
    if (PyObject_GetBuffer(a, &left, PyBUF_SIMPLE) < 0) {
        return -1;
    }
    int same = -1;
    if (left.ndim > 1) {
        PyErr_SetString(PyExc_BufferError, "Buffer must be single dimension");
    } else if (PyObject_GetBuffer(b, &right, PyBUF_SIMPLE) == 0) {
        if (right.ndim > 1) {
            PyErr_SetString(PyExc_BufferError, "Buffer must be single dimension");
        } else {
            same = bytes_same(left.buf, left.len, right.buf, right.len);
        }
        PyBuffer_Release(&right);
    }
    PyBuffer_Release(&left);
    return same;
}

/* ---- itemgetter ----------------------------------------------------------------------------- */

/* The one argument of a getter's call (borrowed), or NULL with TypeError. */
static inline PyObject *getter_operand(const char *name, PyObject *const *args, size_t nargsf,
                                       PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    return bind_no_kwnames(name, kwnames) && bind_count(name, nargs, 1, 1) ? args[0] : NULL;
}

static PyObject *itemgetter_vectorcall(PyObject *op, PyObject *const *args, size_t nargsf,
                                       PyObject *kwnames)
{
    struct itemgetter *self = (struct itemgetter *)op;
    PyObject *of = getter_operand("itemgetter", args, nargsf, kwnames);
    if (of == NULL) {
        return NULL;
    }
    if (self->index >= 0 && PyTuple_CheckExact(of) && self->index < PyTuple_GET_SIZE(of)) {
        return Py_NewRef(PyTuple_GET_ITEM(of, self->index));
    }
    Py_ssize_t count = PyTuple_GET_SIZE(self->items);
    if (count == 1) {
        return PyObject_GetItem(of, PyTuple_GET_ITEM(self->items, 0));
    }
    PyObject *result = PyTuple_New(count);
    for (Py_ssize_t i = 0; result != NULL && i < count; i++) {
        PyObject *item = PyObject_GetItem(of, PyTuple_GET_ITEM(self->items, i));
        if (item == NULL) {
            Py_CLEAR(result);
            break;
        }
        PyTuple_SET_ITEM(result, i, item);
    }
    return result;
}

static PyObject *itemgetter_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (!bind_no_keywords("itemgetter", kwargs)) {
        return NULL;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(args);
    if (count < 1) {
        bind_count_error("itemgetter", count, 1, 1);
        return NULL;
    }
    struct itemgetter *self = type_make(type);
    if (self == NULL) {
        return NULL;
    }
    self->items = Py_NewRef(args);
    self->index = -1;
    self->vectorcall = itemgetter_vectorcall;
    PyObject *first = PyTuple_GET_ITEM(args, 0);
    if (count == 1 && PyLong_CheckExact(first)
        && PyUnstable_Long_IsCompact((PyLongObject *)first)) {
        self->index = PyUnstable_Long_CompactValue((PyLongObject *)first);
    }
    return (PyObject *)self;
}

/* The text "name(a, b)" of a getter; a single part stands without parentheses of its own. */
static PyObject *getter_repr(PyObject *op, PyObject *parts)
{
    int entered = Py_ReprEnter(op);
    if (entered != 0) {
        return entered < 0 ? NULL : PyUnicode_FromFormat("%s(...)", Py_TYPE(op)->tp_name);
    }
    PyObject *text =
        PyTuple_GET_SIZE(parts) == 1
            ? PyUnicode_FromFormat("%s(%R)", Py_TYPE(op)->tp_name, PyTuple_GET_ITEM(parts, 0))
            : PyUnicode_FromFormat("%s%R", Py_TYPE(op)->tp_name, parts);
    Py_ReprLeave(op);
    return text;
}

static PyObject *itemgetter_repr(PyObject *op)
{
    return getter_repr(op, ((struct itemgetter *)op)->items);
}

static PyObject *itemgetter_reduce(struct itemgetter *self)
{
    return Py_BuildValue("OO", Py_TYPE(self), self->items);
}

static PyObject *itemgetter_get_text_signature(struct itemgetter *Py_UNUSED(self))
{
    return PyUnicode_FromString("(obj, /)");
}

GC_OBJECT(itemgetter, items)

#define GETTER_MEMBER(name)                                                                        \
    static PyMemberDef name##_members[] = {                                                        \
        {"__vectorcalloffset__", Py_T_PYSSIZET, offsetof(struct name, vectorcall), Py_READONLY,    \
         NULL},                                                                                    \
        {NULL, 0, 0, 0, NULL},                                                                     \
    };

#define GETTER_SLOTS(name)                                                                         \
    GC_SLOTS(name), {Py_tp_call, PyVectorcall_Call}, {Py_tp_doc, name##_doc},                      \
        {Py_tp_methods, name##_methods}, {Py_tp_members, name##_members},                          \
        {Py_tp_getset, name##_getset}, {Py_tp_new, name##_new}, {Py_tp_repr, name##_repr},         \
        {Py_tp_getattro, PyObject_GenericGetAttr}, {0, NULL},

#define GETTER_SPEC(name)                                                                          \
    static PyType_Spec name##_spec = {                                                             \
        "operator." #name,                                                                         \
        sizeof(struct name),                                                                       \
        0,                                                                                         \
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE                         \
            | Py_TPFLAGS_HAVE_VECTORCALL,                                                          \
        name##_slots,                                                                              \
    };

GETTER_MEMBER(itemgetter)
static PyType_Slot itemgetter_slots[] = {GETTER_SLOTS(itemgetter)};
GETTER_SPEC(itemgetter)

/* ---- attrgetter ----------------------------------------------------------------------------- */

static PyObject *attr_get(PyObject *of, PyObject *attr)
{
    if (PyUnicode_Check(attr)) {
        return PyObject_GetAttr(of, attr);
    }
    Py_INCREF(of);
    for (Py_ssize_t i = 0; of != NULL && i < PyTuple_GET_SIZE(attr); i++) {
        Py_SETREF(of, PyObject_GetAttr(of, PyTuple_GET_ITEM(attr, i)));
    }
    return of;
}

static PyObject *attrgetter_vectorcall(PyObject *op, PyObject *const *args, size_t nargsf,
                                       PyObject *kwnames)
{
    PyObject *attrs = ((struct attrgetter *)op)->attrs;
    PyObject *of = getter_operand("attrgetter", args, nargsf, kwnames);
    if (of == NULL) {
        return NULL;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(attrs);
    if (count == 1) {
        return attr_get(of, PyTuple_GET_ITEM(attrs, 0));
    }
    PyObject *result = PyTuple_New(count);
    for (Py_ssize_t i = 0; result != NULL && i < count; i++) {
        PyObject *value = attr_get(of, PyTuple_GET_ITEM(attrs, i));
        if (value == NULL) {
            Py_CLEAR(result);
            break;
        }
        PyTuple_SET_ITEM(result, i, value);
    }
    return result;
}

/* A name as an interned str, or a tuple of them where it is dotted (new reference). */
static PyObject *attr_split(PyObject *name)
{
    Py_ssize_t len = PyUnicode_GET_LENGTH(name);
    if (PyUnicode_FindChar(name, '.', 0, len, 1) < 0) {
        PyObject *interned = Py_NewRef(name);
        PyUnicode_InternInPlace(&interned);
        return interned;
    }
    PyObject *dot = PyUnicode_FromString(".");
    PyObject *list = dot ? PyUnicode_Split(name, dot, -1) : NULL;
    Py_XDECREF(dot);
    PyObject *parts = list ? PyList_AsTuple(list) : NULL;
    Py_XDECREF(list);
    for (Py_ssize_t i = 0; parts != NULL && i < PyTuple_GET_SIZE(parts); i++) {
        PyUnicode_InternInPlace(&PyTuple_GET_ITEM(parts, i));
    }
    return parts;
}

static PyObject *attrgetter_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (!bind_no_keywords("attrgetter", kwargs)) {
        return NULL;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(args);
    if (count < 1) {
        bind_count_error("attrgetter", count, 1, 1);
        return NULL;
    }
    PyObject *attrs = PyTuple_New(count);
    for (Py_ssize_t i = 0; attrs != NULL && i < count; i++) {
        PyObject *name = PyTuple_GET_ITEM(args, i), *attr = NULL;
        if (!PyUnicode_Check(name)) {
            PyErr_SetString(PyExc_TypeError, "attribute name must be a string");
        } else {
            attr = attr_split(name);
        }
        if (attr == NULL) {
            Py_CLEAR(attrs);
            break;
        }
        PyTuple_SET_ITEM(attrs, i, attr);
    }
    struct attrgetter *self = attrs ? type_make(type) : NULL;
    if (self == NULL) {
        Py_XDECREF(attrs);
        return NULL;
    }
    self->attrs = attrs;
    self->vectorcall = attrgetter_vectorcall;
    return (PyObject *)self;
}

/* The names as they were given: a tuple of str. */
static PyObject *attrgetter_names(struct attrgetter *self)
{
    Py_ssize_t count = PyTuple_GET_SIZE(self->attrs);
    PyObject *dot = PyUnicode_FromString(".");
    PyObject *names = dot ? PyTuple_New(count) : NULL;
    for (Py_ssize_t i = 0; names != NULL && i < count; i++) {
        PyObject *attr = PyTuple_GET_ITEM(self->attrs, i);
        PyObject *name = PyUnicode_Check(attr) ? Py_NewRef(attr) : PyUnicode_Join(dot, attr);
        if (name == NULL) {
            Py_CLEAR(names);
            break;
        }
        PyTuple_SET_ITEM(names, i, name);
    }
    Py_XDECREF(dot);
    return names;
}

static PyObject *attrgetter_repr(PyObject *op)
{
    PyObject *names = attrgetter_names((struct attrgetter *)op);
    PyObject *text = names ? getter_repr(op, names) : NULL;
    Py_XDECREF(names);
    return text;
}

static PyObject *attrgetter_reduce(struct attrgetter *self)
{
    PyObject *names = attrgetter_names(self);
    return names ? Py_BuildValue("ON", Py_TYPE(self), names) : NULL;
}

static PyObject *attrgetter_get_text_signature(struct attrgetter *Py_UNUSED(self))
{
    return PyUnicode_FromString("(obj, /)");
}

GC_OBJECT(attrgetter, attrs)
GETTER_MEMBER(attrgetter)
static PyType_Slot attrgetter_slots[] = {GETTER_SLOTS(attrgetter)};
GETTER_SPEC(attrgetter)

/* ---- methodcaller --------------------------------------------------------------------------- */

enum { CALLER_STACK = 8 };

static PyObject *methodcaller_vectorcall(PyObject *op, PyObject *const *args, size_t nargsf,
                                         PyObject *kwnames)
{
    struct methodcaller *self = (struct methodcaller *)op;
    PyObject *of = getter_operand("methodcaller", args, nargsf, kwnames);
    if (of == NULL) {
        return NULL;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(self->values);
    PyObject *space[CALLER_STACK + 2];
    PyObject **window = space;
    if (count > CALLER_STACK && (window = PyMem_New(PyObject *, count + 2)) == NULL) {
        return PyErr_NoMemory();
    }
    window[0] = NULL;
    window[1] = of;
    for (Py_ssize_t i = 0; i < count; i++) {
        window[i + 2] = PyTuple_GET_ITEM(self->values, i);
    }
    size_t given = (size_t)PyTuple_GET_SIZE(self->args) + 1;
    PyObject *result = PyObject_VectorcallMethod(
        self->name, window + 1, given | PY_VECTORCALL_ARGUMENTS_OFFSET, self->kwnames);
    if (window != space) {
        PyMem_Free(window);
    }
    return result;
}

/* Lays positional and keyword arguments out for the call; false on error. */
static bool methodcaller_layout(struct methodcaller *self, PyObject *kwargs)
{
    Py_ssize_t nargs = PyTuple_GET_SIZE(self->args), nkw = kwargs ? PyDict_GET_SIZE(kwargs) : 0;
    if (nkw == 0) {
        self->values = Py_NewRef(self->args);
        return true;
    }
    self->kwargs = PyDict_Copy(kwargs);
    self->values = PyTuple_New(nargs + nkw);
    self->kwnames = PyTuple_New(nkw);
    if (self->kwargs == NULL || self->values == NULL || self->kwnames == NULL) {
        return false;
    }
    for (Py_ssize_t i = 0; i < nargs; i++) {
        PyTuple_SET_ITEM(self->values, i, Py_NewRef(PyTuple_GET_ITEM(self->args, i)));
    }
    PyObject *key, *value;
    Py_ssize_t pos = 0, i = 0;
    while (PyDict_Next(self->kwargs, &pos, &key, &value)) {
        PyTuple_SET_ITEM(self->kwnames, i, Py_NewRef(key));
        PyTuple_SET_ITEM(self->values, nargs + i++, Py_NewRef(value));
    }
    return true;
}

static PyObject *methodcaller_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) < 1) {
        PyErr_SetString(PyExc_TypeError, "methodcaller needs at least one argument, the method "
                                         "name");
        return NULL;
    }
    PyObject *name = PyTuple_GET_ITEM(args, 0);
    if (!PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError, "method name must be a string");
        return NULL;
    }
    struct methodcaller *self = type_make(type);
    if (self == NULL) {
        return NULL;
    }
    self->name = Py_NewRef(name);
    PyUnicode_InternInPlace(&self->name);
    self->vectorcall = methodcaller_vectorcall;
    self->args = PyTuple_GetSlice(args, 1, PY_SSIZE_T_MAX);
    if (self->args == NULL || !methodcaller_layout(self, kwargs)) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

/* The parts of the repr: the name's, the arguments' and the keywords' texts in a list. */
static PyObject *methodcaller_parts(struct methodcaller *self)
{
    PyObject *list = PyList_New(0);
    Py_ssize_t nargs = PyTuple_GET_SIZE(self->args), count = PyTuple_GET_SIZE(self->values);
    for (Py_ssize_t i = -1; list != NULL && i < count; i++) {
        PyObject *part;
        if (i < nargs) {
            part = PyObject_Repr(i < 0 ? self->name : PyTuple_GET_ITEM(self->values, i));
        } else {
            part = PyUnicode_FromFormat("%U=%R", PyTuple_GET_ITEM(self->kwnames, i - nargs),
                                        PyTuple_GET_ITEM(self->values, i));
        }
        if (part == NULL || PyList_Append(list, part) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(part);
    }
    return list;
}

static PyObject *methodcaller_repr(PyObject *op)
{
    int entered = Py_ReprEnter(op);
    if (entered != 0) {
        return entered < 0 ? NULL : PyUnicode_FromFormat("%s(...)", Py_TYPE(op)->tp_name);
    }
    PyObject *parts = methodcaller_parts((struct methodcaller *)op);
    PyObject *comma = PyUnicode_FromString(", ");
    PyObject *joined = parts && comma ? PyUnicode_Join(comma, parts) : NULL;
    PyObject *text = joined ? PyUnicode_FromFormat("%s(%U)", Py_TYPE(op)->tp_name, joined) : NULL;
    Py_XDECREF(parts);
    Py_XDECREF(comma);
    Py_XDECREF(joined);
    Py_ReprLeave(op);
    return text;
}

static PyObject *methodcaller_reduce(struct methodcaller *self)
{
    PyObject *name = PyTuple_Pack(1, self->name);
    PyObject *args = name ? PySequence_Concat(name, self->args) : NULL;
    Py_XDECREF(name);
    if (args == NULL) {
        return NULL;
    }
    if (self->kwargs == NULL) {
        return Py_BuildValue("ON", Py_TYPE(self), args);
    }
    /* Keywords need a constructor that carries them. */
    PyObject *functools = PyImport_ImportModule("functools");
    PyObject *partial = functools ? PyObject_GetAttrString(functools, "partial") : NULL;
    Py_XDECREF(functools);
    PyObject *first = partial ? PyTuple_Pack(2, Py_TYPE(self), self->name) : NULL;
    PyObject *constructor = first ? PyObject_Call(partial, first, self->kwargs) : NULL;
    Py_XDECREF(first);
    Py_XDECREF(partial);
    Py_DECREF(args);
    return constructor ? Py_BuildValue("NO", constructor, self->args) : NULL;
}

static PyObject *methodcaller_get_text_signature(struct methodcaller *Py_UNUSED(self))
{
    return PyUnicode_FromString("(obj, /)");
}

GC_OBJECT(methodcaller, name, args, kwargs, values, kwnames)
GETTER_MEMBER(methodcaller)
static PyType_Slot methodcaller_slots[] = {GETTER_SLOTS(methodcaller)};
GETTER_SPEC(methodcaller)

/* ---- the module ----------------------------------------------------------------------------- */

static int operator_exec(PyObject *module)
{
    struct operator_state *state = PyModule_GetState(module);
    state->itemgetter_type = (PyObject *)module_type(module, &itemgetter_spec, true);
    state->attrgetter_type = (PyObject *)module_type(module, &attrgetter_spec, true);
    state->methodcaller_type = (PyObject *)module_type(module, &methodcaller_spec, true);
    return state->itemgetter_type && state->attrgetter_type && state->methodcaller_type ? 0 : -1;
}

STATE_OBJECTS(operator)

static PyModuleDef_Slot operator_slots[] = MODULE_SLOTS(operator_exec);

static PyModuleDef operator_module = {
    PyModuleDef_HEAD_INIT,         .m_name = "_operator",     .m_doc = operator_doc,
    .m_methods = operator_methods, .m_slots = operator_slots, STATE_FIELDS(operator),
};

MODULE_INIT(_operator, operator_module)
