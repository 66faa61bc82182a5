/*
 * bool: the two ints True and False.
 */
#include "objects/int.h"
#include "objects/object.h"

struct _longobject _Py_FalseStruct = {
    .ob_base = PyObject_HEAD_INIT(&PyBool_Type).long_value = {.lv_tag = INT_ZERO, .ob_digit = {0}},
};

struct _longobject _Py_TrueStruct = {
    .ob_base =
        PyObject_HEAD_INIT(&PyBool_Type).long_value = {.lv_tag = 1 << INT_SIZE_SHIFT | INT_POSITIVE,
                                                       .ob_digit = {1}},
};

PyObject *PyBool_FromLong(long value)
{
    return value ? Py_True : Py_False;
}

static PyObject *bool_repr(PyObject *op)
{
    return op == Py_True ? ID(True) : ID(False);
}

static PyObject *bool_invert(PyObject *op)
{
    if (PyErr_WarnEx(PyExc_DeprecationWarning,
                     "Bitwise inversion '~' on bool is deprecated and will be removed in Python "
                     "3.16. This returns the bitwise inversion of the underlying int object and "
                     "is usually not what you expect from the negation of a bool object. Use the "
                     "'not' operator for boolean negation or ~int(x) for the bitwise inversion of "
                     "the underlying int.",
                     1)
        < 0) {
        return NULL;
    }
    return int_invert((PyLongObject *)op);
}

/* Of two bools a bool, else what ints give. */
static PyObject *bool_and(PyObject *a, PyObject *b)
{
    if (!PyBool_Check(a) || !PyBool_Check(b)) {
        return PyLong_Type.tp_as_number->nb_and(a, b);
    }
    return PyBool_FromLong((a == Py_True) & (b == Py_True));
}

static PyObject *bool_or(PyObject *a, PyObject *b)
{
    if (!PyBool_Check(a) || !PyBool_Check(b)) {
        return PyLong_Type.tp_as_number->nb_or(a, b);
    }
    return PyBool_FromLong((a == Py_True) | (b == Py_True));
}

static PyObject *bool_xor(PyObject *a, PyObject *b)
{
    if (!PyBool_Check(a) || !PyBool_Check(b)) {
        return PyLong_Type.tp_as_number->nb_xor(a, b);
    }
    return PyBool_FromLong((a == Py_True) ^ (b == Py_True));
}

/* Code that counts plainly may bring them to zero. */
static void bool_dealloc(PyObject *op)
{
    object_make_immortal(op);
}

#include "bool.bind.h"

static PyObject *bool_new(PyTypeObject *Py_UNUSED(type), PyObject *x)
{
    int truth = x == NULL ? 0 : PyObject_IsTrue(x);
    return truth < 0 ? NULL : PyBool_FromLong(truth);
}

static PyNumberMethods bool_as_number = {
    .nb_invert = bool_invert,
    .nb_and = bool_and,
    .nb_xor = bool_xor,
    .nb_or = bool_or,
};

PyTypeObject PyBool_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "bool",
    .tp_basicsize = offsetof(PyLongObject, long_value.ob_digit),
    .tp_itemsize = sizeof(digit),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = bool_doc,
    .tp_base = &PyLong_Type,
    .tp_dealloc = bool_dealloc,
    .tp_repr = bool_repr,
    .tp_as_number = &bool_as_number,
    .tp_new = bind_bool_new,
    .tp_vectorcall = bind_bool_new_vectorcall,
};

PyTypeObject *const bool_types[] = {&PyBool_Type, NULL};
