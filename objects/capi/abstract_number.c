/* PyNumber_*: arithmetic on any objects, and conversion to int and float. */
#include "objects/capi/capi.h"
#include "objects/int.h"

/* ---- dispatch -------------------------------------------------------------------------------- */

/* Both operands may know how: the left one is asked first, unless the right one's type is a
 * subclass that has its own idea. A slot that both share is asked once. */
PyObject *number_try_binary(PyObject *x, PyObject *y, size_t offset)
{
    binaryfunc left = (binaryfunc)number_slot(x, offset);
    binaryfunc right = NULL;
    if (Py_TYPE(x) != Py_TYPE(y)) {
        right = (binaryfunc)number_slot(y, offset);
        if (right == left) {
            right = NULL;
        }
    }
    bool right_first = left && right && PyType_IsSubtype(Py_TYPE(y), Py_TYPE(x));
    binaryfunc order[2] = {right_first ? right : left, right_first ? left : right};
    for (int i = 0; i < 2; i++) {
        if (order[i]) {
            PyObject *result = order[i](x, y);
            if (result != Py_NotImplemented) {
                return result;
            }
        }
    }
    return Py_NotImplemented;
}

PyObject *number_try_inplace(PyObject *x, PyObject *y, size_t inplace, size_t offset)
{
    binaryfunc slot = (binaryfunc)number_slot(x, inplace);
    if (slot) {
        PyObject *result = slot(x, y);
        if (result != Py_NotImplemented) {
            return result;
        }
    }
    return number_try_binary(x, y, offset);
}

static PyObject *raise_operands(PyObject *x, PyObject *y, const char *operator)
{
    const char *hint = "";
    if (strcmp(operator, ">>") == 0 && PyCFunction_CheckExact(x)
        && strcmp(((PyCFunctionObject *)x)->m_ml->ml_name, "print") == 0) {
        hint = ". Did you mean \"print(<message>, file=<output_stream>)\"?";
    }
    return PyErr_Format(PyExc_TypeError,
                        "unsupported operand type(s) for %.100s: '%.100s' and '%.100s'%s", operator,
                        Py_TYPE(x)->tp_name, Py_TYPE(y)->tp_name, hint);
}

static PyObject *binary(PyObject *x, PyObject *y, size_t offset, const char *operator)
{
    PyObject *result = number_try_binary(x, y, offset);
    return result == Py_NotImplemented ? raise_operands(x, y, operator) : result;
}

static PyObject *binary_inplace(PyObject *x, PyObject *y, size_t inplace, size_t offset,
                                const char *operator)
{
    PyObject *result = number_try_inplace(x, y, inplace, offset);
    return result == Py_NotImplemented ? raise_operands(x, y, operator) : result;
}

#define BINARY(Name, slot, operator)                                                               \
    PyObject *PyNumber_##Name(PyObject *x, PyObject *y)                                            \
    {                                                                                              \
        return binary(x, y, NUMBER_SLOT(nb_##slot), operator);                                     \
    }
#define INPLACE(Name, slot, operator)                                                              \
    PyObject *PyNumber_InPlace##Name(PyObject *x, PyObject *y)                                     \
    {                                                                                              \
        return binary_inplace(x, y, NUMBER_SLOT(nb_inplace_##slot),                                \
                              NUMBER_SLOT(nb_##slot), operator"=");                                \
    }
#define BINARY_AND_INPLACE(Name, slot, operator)                                                   \
    BINARY(Name, slot, operator) INPLACE(Name, slot, operator)

BINARY_AND_INPLACE(Subtract, subtract, "-")
BINARY_AND_INPLACE(MatrixMultiply, matrix_multiply, "@")
BINARY_AND_INPLACE(FloorDivide, floor_divide, "//")
BINARY_AND_INPLACE(TrueDivide, true_divide, "/")
BINARY_AND_INPLACE(Remainder, remainder, "%")
BINARY_AND_INPLACE(Lshift, lshift, "<<")
BINARY_AND_INPLACE(Rshift, rshift, ">>")
BINARY_AND_INPLACE(And, and, "&")
BINARY_AND_INPLACE(Xor, xor, "^")
BINARY_AND_INPLACE(Or, or, "|")
BINARY(Divmod, divmod, "divmod()")

/* ---- + and *, which sequences know too ------------------------------------------------------- */

static PyObject *concat_or_raise(PyObject *x, PyObject *y, bool inplace)
{
    PySequenceMethods *methods = Py_TYPE(x)->tp_as_sequence;
    if (methods) {
        binaryfunc slot = inplace ? methods->sq_inplace_concat : NULL;
        slot = slot ? slot : methods->sq_concat;
        if (slot) {
            return slot(x, y);
        }
    }
    return raise_operands(x, y, inplace ? "+=" : "+");
}

PyObject *PyNumber_Add(PyObject *x, PyObject *y)
{
    PyObject *result = number_try_binary(x, y, NUMBER_SLOT(nb_add));
    return result == Py_NotImplemented ? concat_or_raise(x, y, false) : result;
}

PyObject *PyNumber_InPlaceAdd(PyObject *x, PyObject *y)
{
    PyObject *result = number_try_inplace(x, y, NUMBER_SLOT(nb_inplace_add), NUMBER_SLOT(nb_add));
    return result == Py_NotImplemented ? concat_or_raise(x, y, true) : result;
}

static PyObject *repeat(ssizeargfunc slot, PyObject *sequence, PyObject *times)
{
    if (!PyIndex_Check(times)) {
        return raise_for_type("can't multiply sequence by non-int of type '%.200s'", times);
    }
    Py_ssize_t count = PyNumber_AsSsize_t(times, PyExc_OverflowError);
    return count == -1 && PyErr_Occurred() ? NULL : slot(sequence, count);
}

static PyObject *repeat_or_raise(PyObject *x, PyObject *y, bool inplace)
{
    PySequenceMethods *left = Py_TYPE(x)->tp_as_sequence, *right = Py_TYPE(y)->tp_as_sequence;
    ssizeargfunc slot = left && inplace ? left->sq_inplace_repeat : NULL;
    if (left && !slot) {
        slot = left->sq_repeat;
    }
    if (slot) {
        return repeat(slot, x, y);
    }
    /* The right operand is not changed, so its in-place form does not count. It is not asked for
     * *= when the left type has sequence slots at all, as every class made in Python has. */
    if (right && right->sq_repeat && !(inplace && left)) {
        return repeat(right->sq_repeat, y, x);
    }
    return raise_operands(x, y, inplace ? "*=" : "*");
}

PyObject *PyNumber_Multiply(PyObject *x, PyObject *y)
{
    PyObject *result = number_try_binary(x, y, NUMBER_SLOT(nb_multiply));
    return result == Py_NotImplemented ? repeat_or_raise(x, y, false) : result;
}

PyObject *PyNumber_InPlaceMultiply(PyObject *x, PyObject *y)
{
    PyObject *result =
        number_try_inplace(x, y, NUMBER_SLOT(nb_inplace_multiply), NUMBER_SLOT(nb_multiply));
    return result == Py_NotImplemented ? repeat_or_raise(x, y, true) : result;
}

/* ---- power ----------------------------------------------------------------------------------- */

static PyObject *raise_power(PyObject *x, PyObject *y, PyObject *z, const char *operator)
{
    if (z == Py_None) {
        return raise_operands(x, y, operator);
    }
    return PyErr_Format(
        PyExc_TypeError,
        "unsupported operand type(s) for %.100s: '%.100s', '%.100s', '%.100s'", operator,
        Py_TYPE(x)->tp_name, Py_TYPE(y)->tp_name, Py_TYPE(z)->tp_name);
}

/* As number_try_binary, with the modulus asked last. */
static PyObject *power(PyObject *x, PyObject *y, PyObject *z, const char *operator)
{
    size_t offset = NUMBER_SLOT(nb_power);
    ternaryfunc left = (ternaryfunc)number_slot(x, offset);
    ternaryfunc right = NULL, third = (ternaryfunc)number_slot(z, offset);
    if (Py_TYPE(x) != Py_TYPE(y)) {
        right = (ternaryfunc)number_slot(y, offset);
        if (right == left) {
            right = NULL;
        }
    }
    if (third == left || third == right) {
        third = NULL;
    }
    bool right_first = left && right && PyType_IsSubtype(Py_TYPE(y), Py_TYPE(x));
    ternaryfunc order[3] = {right_first ? right : left, right_first ? left : right, third};
    for (int i = 0; i < 3; i++) {
        if (order[i]) {
            PyObject *result = order[i](x, y, z);
            if (result != Py_NotImplemented) {
                return result;
            }
        }
    }
    return raise_power(x, y, z, operator);
}

PyObject *PyNumber_Power(PyObject *x, PyObject *y, PyObject *z)
{
    return power(x, y, z, "** or pow()");
}

PyObject *PyNumber_InPlacePower(PyObject *x, PyObject *y, PyObject *z)
{
    ternaryfunc slot = (ternaryfunc)number_slot(x, NUMBER_SLOT(nb_inplace_power));
    if (slot) {
        PyObject *result = slot(x, y, z);
        if (result != Py_NotImplemented) {
            return result;
        }
    }
    return power(x, y, z, "**=");
}

/* ---- one operand ----------------------------------------------------------------------------- */

static PyObject *unary(PyObject *op, size_t offset, const char *text)
{
    if (!op) {
        return raise_null_argument();
    }
    unaryfunc slot = (unaryfunc)number_slot(op, offset);
    return slot ? slot(op) : raise_for_type(text, op);
}

PyObject *PyNumber_Negative(PyObject *op)
{
    return unary(op, NUMBER_SLOT(nb_negative), "bad operand type for unary -: '%.200s'");
}

PyObject *PyNumber_Positive(PyObject *op)
{
    return unary(op, NUMBER_SLOT(nb_positive), "bad operand type for unary +: '%.200s'");
}

PyObject *PyNumber_Invert(PyObject *op)
{
    return unary(op, NUMBER_SLOT(nb_invert), "bad operand type for unary ~: '%.200s'");
}

PyObject *PyNumber_Absolute(PyObject *op)
{
    return unary(op, NUMBER_SLOT(nb_absolute), "bad operand type for abs(): '%.200s'");
}

/* ---- conversion ------------------------------------------------------------------------------ */

int PyIndex_Check(PyObject *op)
{
    return number_slot(op, NUMBER_SLOT(nb_index)) != NULL;
}

int PyNumber_Check(PyObject *op)
{
    return op
           && (PyIndex_Check(op) || number_slot(op, NUMBER_SLOT(nb_int))
               || number_slot(op, NUMBER_SLOT(nb_float)) || PyComplex_Check(op));
}

/* The int that op.__index__() gives, which may be of a subclass: new reference. */
PyAPI_FUNC(PyObject *) _PyNumber_Index(PyObject *op);
PyObject *_PyNumber_Index(PyObject *op)
{
    if (!op) {
        return raise_null_argument();
    }
    if (PyLong_Check(op)) {
        return Py_NewRef(op);
    }
    unaryfunc slot = (unaryfunc)number_slot(op, NUMBER_SLOT(nb_index));
    if (!slot) {
        return raise_for_type("'%.200s' object cannot be interpreted as an integer", op);
    }
    PyObject *result = slot(op);
    if (!result || PyLong_CheckExact(result)) {
        return result;
    }
    if (!PyLong_Check(result)) {
        raise_for_type("__index__ returned non-int (type %.200s)", result);
    } else if (PyErr_WarnFormat(
                   PyExc_DeprecationWarning, 1,
                   "__index__ returned non-int (type %.200s).  The ability to return an instance "
                   "of a strict subclass of int is deprecated, and may be removed in a future "
                   "version of Python.",
                   Py_TYPE(result)->tp_name)
               == 0) {
        return result;
    }
    Py_DECREF(result);
    return NULL;
}

PyObject *PyNumber_Index(PyObject *op)
{
    PyObject *index = _PyNumber_Index(op);
    if (!index || PyLong_CheckExact(index)) {
        return index;
    }
    PyObject *exact = int_absolute((PyLongObject *)index);
    if (exact && int_is_negative((PyLongObject *)index)) {
        Py_SETREF(exact, int_negate((PyLongObject *)exact));
    }
    Py_DECREF(index);
    return exact;
}

/* The index as a C number. Too large for one: `error` is raised, or the nearest number given if
 * error is NULL. */
Py_ssize_t PyNumber_AsSsize_t(PyObject *op, PyObject *error)
{
    PyObject *index = _PyNumber_Index(op);
    if (!index) {
        return -1;
    }
    Py_ssize_t result = PyLong_AsSsize_t(index);
    if (result == -1 && PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_OverflowError)) {
        PyErr_Clear();
        if (!error) {
            result = int_is_negative((PyLongObject *)index) ? PY_SSIZE_T_MIN : PY_SSIZE_T_MAX;
        } else {
            PyErr_Format(error, "cannot fit '%.200s' into an index-sized integer",
                         Py_TYPE(op)->tp_name);
        }
    }
    Py_DECREF(index);
    return result;
}

PyObject *PyNumber_Long(PyObject *op)
{
    return op ? int_from_object(op) : raise_null_argument();
}

/* The value of what __float__ gave (steals it) as an exact float. */
static PyObject *float_of_result(PyObject *op, PyObject *result)
{
    if (!result || PyFloat_CheckExact(result)) {
        return result;
    }
    PyObject *exact = NULL;
    if (!PyFloat_Check(result)) {
        PyErr_Format(PyExc_TypeError, "%.50s.__float__ returned non-float (type %.50s)",
                     Py_TYPE(op)->tp_name, Py_TYPE(result)->tp_name);
    } else if (PyErr_WarnFormat(
                   PyExc_DeprecationWarning, 1,
                   "%.50s.__float__ returned non-float (type %.50s).  The ability to return an "
                   "instance of a strict subclass of float is deprecated, and may be removed "
                   "in a future version of Python.",
                   Py_TYPE(op)->tp_name, Py_TYPE(result)->tp_name)
               == 0) {
        exact = PyFloat_FromDouble(PyFloat_AS_DOUBLE(result));
    }
    Py_DECREF(result);
    return exact;
}

PyObject *PyNumber_Float(PyObject *op)
{
    if (!op) {
        return raise_null_argument();
    }
    if (PyFloat_CheckExact(op)) {
        return Py_NewRef(op);
    }
    unaryfunc slot = (unaryfunc)number_slot(op, NUMBER_SLOT(nb_float));
    if (slot) {
        return float_of_result(op, slot(op));
    }
    if (PyIndex_Check(op)) {
        PyObject *index = _PyNumber_Index(op);
        if (!index) {
            return NULL;
        }
        double value = PyLong_AsDouble(index);
        Py_DECREF(index);
        return value == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(value);
    }
    if (PyFloat_Check(op)) {
        return PyFloat_FromDouble(PyFloat_AS_DOUBLE(op));
    }
    return PyFloat_FromString(op);
}

PyObject *PyNumber_ToBase(PyObject *op, int base)
{
    if (base != 2 && base != 8 && base != 10 && base != 16) {
        PyErr_SetString(PyExc_SystemError, "PyNumber_ToBase: base must be 2, 8, 10 or 16");
        return NULL;
    }
    PyObject *index = _PyNumber_Index(op);
    if (!index) {
        return NULL;
    }
    PyObject *text = int_to_str((PyLongObject *)index, base, base != 10);
    Py_DECREF(index);
    return text;
}
