/* Weak proxies: every operation goes to the object, as long as it lives. */
#include "objects/weakref.h"

#include "objects/error.h"

/* The object behind a proxy, or any other object itself: new reference, or NULL with
 * ReferenceError. */
static PyObject *unwrap(PyObject *op)
{
    if (!PyWeakref_CheckProxy(op)) {
        return Py_NewRef(op);
    }
    if (stack_check(" in a weak proxy") < 0) {
        return NULL; /* the referent may be a proxy itself */
    }
    PyObject *target = weakref_get(op);
    if (target == NULL) {
        PyErr_SetString(PyExc_ReferenceError, "weakly-referenced object no longer exists");
    }
    return target;
}

#define UNARY(name, call)                                                                          \
    static PyObject *name(PyObject *op)                                                            \
    {                                                                                              \
        PyObject *target = unwrap(op);                                                             \
        PyObject *result = target == NULL ? NULL : call(target);                                   \
        Py_XDECREF(target);                                                                        \
        return result;                                                                             \
    }

#define BINARY(name, call)                                                                         \
    static PyObject *name(PyObject *x, PyObject *y)                                                \
    {                                                                                              \
        PyObject *a = unwrap(x), *b = a == NULL ? NULL : unwrap(y);                                \
        PyObject *result = b == NULL ? NULL : call(a, b);                                          \
        Py_XDECREF(a);                                                                             \
        Py_XDECREF(b);                                                                             \
        return result;                                                                             \
    }

/* The third argument may be NULL. */
#define TERNARY(name, call)                                                                        \
    static PyObject *name(PyObject *x, PyObject *y, PyObject *z)                                   \
    {                                                                                              \
        PyObject *a = unwrap(x), *b = a == NULL ? NULL : unwrap(y);                                \
        PyObject *c = b == NULL || z == NULL ? NULL : unwrap(z);                                   \
        bool fine = b != NULL && (c != NULL || z == NULL);                                         \
        PyObject *result = fine ? call(a, b, c) : NULL;                                            \
        Py_XDECREF(a);                                                                             \
        Py_XDECREF(b);                                                                             \
        Py_XDECREF(c);                                                                             \
        return result;                                                                             \
    }

static PyObject *call_bytes(PyObject *target)
{
    return PyObject_CallMethodNoArgs(target, ID(__bytes__));
}

static PyObject *call_reversed(PyObject *target)
{
    return PyObject_CallMethodNoArgs(target, ID(__reversed__));
}

UNARY(proxy_str, PyObject_Str)
BINARY(proxy_getattr, PyObject_GetAttr)
TERNARY(proxy_call, PyObject_Call)
BINARY(proxy_add, PyNumber_Add)
BINARY(proxy_sub, PyNumber_Subtract)
BINARY(proxy_mul, PyNumber_Multiply)
BINARY(proxy_floor_div, PyNumber_FloorDivide)
BINARY(proxy_true_div, PyNumber_TrueDivide)
BINARY(proxy_mod, PyNumber_Remainder)
BINARY(proxy_divmod, PyNumber_Divmod)
TERNARY(proxy_pow, PyNumber_Power)
UNARY(proxy_neg, PyNumber_Negative)
UNARY(proxy_pos, PyNumber_Positive)
UNARY(proxy_abs, PyNumber_Absolute)
UNARY(proxy_invert, PyNumber_Invert)
BINARY(proxy_lshift, PyNumber_Lshift)
BINARY(proxy_rshift, PyNumber_Rshift)
BINARY(proxy_and, PyNumber_And)
BINARY(proxy_xor, PyNumber_Xor)
BINARY(proxy_or, PyNumber_Or)
UNARY(proxy_int, PyNumber_Long)
UNARY(proxy_float, PyNumber_Float)
UNARY(proxy_index, PyNumber_Index)
BINARY(proxy_matmul, PyNumber_MatrixMultiply)
BINARY(proxy_iadd, PyNumber_InPlaceAdd)
BINARY(proxy_isub, PyNumber_InPlaceSubtract)
BINARY(proxy_imul, PyNumber_InPlaceMultiply)
BINARY(proxy_ifloor_div, PyNumber_InPlaceFloorDivide)
BINARY(proxy_itrue_div, PyNumber_InPlaceTrueDivide)
BINARY(proxy_imod, PyNumber_InPlaceRemainder)
TERNARY(proxy_ipow, PyNumber_InPlacePower)
BINARY(proxy_ilshift, PyNumber_InPlaceLshift)
BINARY(proxy_irshift, PyNumber_InPlaceRshift)
BINARY(proxy_iand, PyNumber_InPlaceAnd)
BINARY(proxy_ixor, PyNumber_InPlaceXor)
BINARY(proxy_ior, PyNumber_InPlaceOr)
BINARY(proxy_imatmul, PyNumber_InPlaceMatrixMultiply)
BINARY(proxy_getitem, PyObject_GetItem)
UNARY(proxy_iter, PyObject_GetIter)
UNARY(proxy_bytes, call_bytes)
UNARY(proxy_reversed, call_reversed)

static PyObject *proxy_next(PyObject *op)
{
    PyObject *target = unwrap(op), *item = NULL;
    if (target == NULL) {
        return NULL;
    }
    if (!PyIter_Check(target)) {
        PyErr_Format(PyExc_TypeError, "Weakref proxy referenced a non-iterator '%.200s' object",
                     Py_TYPE(target)->tp_name);
    } else {
        item = PyIter_Next(target);
    }
    Py_DECREF(target);
    return item;
}

static PyObject *proxy_compare(PyObject *x, PyObject *y, int op)
{
    PyObject *a = unwrap(x), *b = a == NULL ? NULL : unwrap(y);
    PyObject *result = b == NULL ? NULL : PyObject_RichCompare(a, b, op);
    Py_XDECREF(a);
    Py_XDECREF(b);
    return result;
}

static PyObject *proxy_repr(PyObject *op)
{
    PyObject *target = weakref_get(op);
    if (target == NULL) {
        return PyUnicode_FromFormat("<weakproxy at %p; dead>", op);
    }
    PyObject *text = PyUnicode_FromFormat("<weakproxy at %p; to '%T' at %p>", op, target, target);
    Py_DECREF(target);
    return text;
}

static int proxy_setattr(PyObject *op, PyObject *name, PyObject *value)
{
    PyObject *target = unwrap(op);
    int result = target == NULL ? -1 : PyObject_SetAttr(target, name, value);
    Py_XDECREF(target);
    return result;
}

static int proxy_setitem(PyObject *op, PyObject *key, PyObject *value)
{
    PyObject *target = unwrap(op);
    int result = target == NULL  ? -1
                 : value == NULL ? PyObject_DelItem(target, key)
                                 : PyObject_SetItem(target, key, value);
    Py_XDECREF(target);
    return result;
}

static int proxy_bool(PyObject *op)
{
    PyObject *target = unwrap(op);
    int result = target == NULL ? -1 : PyObject_IsTrue(target);
    Py_XDECREF(target);
    return result;
}

static int proxy_contains(PyObject *op, PyObject *item)
{
    PyObject *target = unwrap(op);
    int result = target == NULL ? -1 : PySequence_Contains(target, item);
    Py_XDECREF(target);
    return result;
}

static Py_ssize_t proxy_length(PyObject *op)
{
    PyObject *target = unwrap(op);
    Py_ssize_t result = target == NULL ? -1 : PyObject_Length(target);
    Py_XDECREF(target);
    return result;
}

static PyObject *proxy_bytes_method(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return proxy_bytes(op);
}

static PyObject *proxy_reversed_method(PyObject *op, PyObject *Py_UNUSED(ignored))
{
    return proxy_reversed(op);
}

static int proxy_traverse(PyObject *op, visitproc visit, void *arg)
{
    return _PyWeakref_RefType.tp_traverse(op, visit, arg);
}

static int proxy_clear(PyObject *op)
{
    return _PyWeakref_RefType.tp_clear(op);
}

static void proxy_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    proxy_clear(op);
    PyObject_GC_Del(op);
}

static PyMethodDef proxy_methods[] = {
    {"__bytes__", proxy_bytes_method, METH_NOARGS,
     PyDoc_STR("__bytes__($self, /)\n--\n\nThe bytes that the object stands for.")},
    {"__reversed__", proxy_reversed_method, METH_NOARGS,
     PyDoc_STR("__reversed__($self, /)\n--\n\nAn iterator over the object, last item first.")},
    {NULL},
};

/* clang-format off */
static PyNumberMethods proxy_as_number = {
    .nb_add = proxy_add, .nb_subtract = proxy_sub, .nb_multiply = proxy_mul,
    .nb_remainder = proxy_mod, .nb_divmod = proxy_divmod, .nb_power = proxy_pow,
    .nb_negative = proxy_neg, .nb_positive = proxy_pos, .nb_absolute = proxy_abs,
    .nb_bool = proxy_bool, .nb_invert = proxy_invert, .nb_lshift = proxy_lshift,
    .nb_rshift = proxy_rshift, .nb_and = proxy_and, .nb_xor = proxy_xor, .nb_or = proxy_or,
    .nb_int = proxy_int, .nb_float = proxy_float, .nb_inplace_add = proxy_iadd,
    .nb_inplace_subtract = proxy_isub, .nb_inplace_multiply = proxy_imul,
    .nb_inplace_remainder = proxy_imod, .nb_inplace_power = proxy_ipow,
    .nb_inplace_lshift = proxy_ilshift, .nb_inplace_rshift = proxy_irshift,
    .nb_inplace_and = proxy_iand, .nb_inplace_xor = proxy_ixor, .nb_inplace_or = proxy_ior,
    .nb_floor_divide = proxy_floor_div, .nb_true_divide = proxy_true_div,
    .nb_inplace_floor_divide = proxy_ifloor_div, .nb_inplace_true_divide = proxy_itrue_div,
    .nb_index = proxy_index, .nb_matrix_multiply = proxy_matmul,
    .nb_inplace_matrix_multiply = proxy_imatmul,
};
/* clang-format on */

static PySequenceMethods proxy_as_sequence = {
    .sq_length = proxy_length,
    .sq_contains = proxy_contains,
};

static PyMappingMethods proxy_as_mapping = {
    .mp_length = proxy_length,
    .mp_subscript = proxy_getitem,
    .mp_ass_subscript = proxy_setitem,
};

#define PROXY_SLOTS                                                                                \
    .tp_basicsize = sizeof(PyWeakReference), .tp_dealloc = proxy_dealloc, .tp_repr = proxy_repr,   \
    .tp_as_number = &proxy_as_number, .tp_as_sequence = &proxy_as_sequence,                        \
    .tp_as_mapping = &proxy_as_mapping, .tp_hash = PyObject_HashNotImplemented,                    \
    .tp_str = proxy_str, .tp_getattro = proxy_getattr, .tp_setattro = proxy_setattr,               \
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, .tp_traverse = proxy_traverse,            \
    .tp_clear = proxy_clear, .tp_richcompare = proxy_compare, .tp_iter = proxy_iter,

PyTypeObject _PyWeakref_ProxyType = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "weakref.ProxyType",
    PROXY_SLOTS.tp_iternext = proxy_next,
    .tp_methods = proxy_methods,
};

PyTypeObject _PyWeakref_CallableProxyType = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "weakref.CallableProxyType",
    PROXY_SLOTS.tp_iternext = proxy_next,
    .tp_call = proxy_call,
};
