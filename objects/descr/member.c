/* Fields of C structs as attributes: reading and writing by PyMemberDef. */
#include "objects/descr.h"

#include <limits.h>
#include <string.h>

#include "locking/lock.h"
#include "locking/refs.h"
#include "objects/error.h"

PyObject *PyMember_GetOne(const char *base, PyMemberDef *member)
{
    if (member->flags & Py_RELATIVE_OFFSET) {
        PyErr_SetString(PyExc_SystemError, "PyMember_GetOne used with Py_RELATIVE_OFFSET");
        return NULL;
    }
    const char *field = base + member->offset;
    PyObject *value;
    switch (member->type) {
    case Py_T_BOOL:
        return PyBool_FromLong(*(const char *)field);
    case Py_T_BYTE:
        return PyLong_FromLong(*(const signed char *)field);
    case Py_T_UBYTE:
        return PyLong_FromUnsignedLong(*(const unsigned char *)field);
    case Py_T_SHORT:
        return PyLong_FromLong(*(const short *)field);
    case Py_T_USHORT:
        return PyLong_FromUnsignedLong(*(const unsigned short *)field);
    case Py_T_INT:
        return PyLong_FromLong(*(const int *)field);
    case Py_T_UINT:
        return PyLong_FromUnsignedLong(*(const unsigned int *)field);
    case Py_T_LONG:
        return PyLong_FromLong(*(const long *)field);
    case Py_T_ULONG:
        return PyLong_FromUnsignedLong(*(const unsigned long *)field);
    case Py_T_LONGLONG:
        return PyLong_FromLongLong(*(const long long *)field);
    case Py_T_ULONGLONG:
        return PyLong_FromUnsignedLongLong(*(const unsigned long long *)field);
    case Py_T_PYSSIZET:
        return PyLong_FromSsize_t(*(const Py_ssize_t *)field);
    case Py_T_FLOAT:
        return PyFloat_FromDouble((double)*(const float *)field);
    case Py_T_DOUBLE:
        return PyFloat_FromDouble(*(const double *)field);
    case Py_T_STRING:
        return *(char *const *)field == NULL ? Py_NewRef(Py_None)
                                             : PyUnicode_FromString(*(char *const *)field);
    case Py_T_STRING_INPLACE:
        return PyUnicode_FromString(field);
    case Py_T_CHAR: {
        char ch = *field;
        return PyUnicode_FromStringAndSize(&ch, 1);
    }
    case _Py_T_OBJECT:
        value = ref_load((PyObject **)field, (PyObject *)base);
        return value == NULL ? Py_NewRef(Py_None) : value;
    case Py_T_OBJECT_EX:
        value = ref_load((PyObject **)field, (PyObject *)base);
        if (value == NULL) {
            PyErr_Format(PyExc_AttributeError, "'%T' object has no attribute '%s'",
                         (PyObject *)base, member->name);
        }
        return value;
    case _Py_T_NONE:
        return Py_NewRef(Py_None);
    default:
        PyErr_Format(PyExc_SystemError, "bad memberdescr type for %s", member->name);
        return NULL;
    }
}

static int warn(const char *text)
{
    return PyErr_WarnEx(PyExc_RuntimeWarning, text, 1);
}

/* A signed field of `size` bytes. */
static int set_signed(char *field, size_t size, PyObject *value, long long low, long long high,
                      const char *warning)
{
    long number = PyLong_AsLong(value);
    if (number == -1 && PyErr_Occurred()) {
        return -1;
    }
    memcpy(field, &number, size); /* little end first: the low bytes */
    return warning != NULL && (number < low || number > high) ? warn(warning) : 0;
}

static int set_small_unsigned(char *field, size_t size, PyObject *value, long high,
                              const char *warning)
{
    long number = PyLong_AsLong(value);
    if (number == -1 && PyErr_Occurred()) {
        return -1;
    }
    memcpy(field, &number, size);
    return number < 0 || number > high ? warn(warning) : 0;
}

/* unsigned int, long and long long: negative numbers wrap, with a warning. */
static int set_unsigned(char *field, size_t size, PyObject *value, unsigned long long high,
                        const char *warning)
{
    PyObject *index = PyNumber_Index(value);
    if (index == NULL) {
        return -1;
    }
    int sign = _PyLong_Sign(index), result = 0;
    unsigned long long number;
    if (sign < 0) {
        number = (unsigned long long)PyLong_AsLongLong(index);
    } else {
        number = PyLong_AsUnsignedLongLong(index);
    }
    Py_DECREF(index);
    if (number == (unsigned long long)-1 && PyErr_Occurred()) {
        return -1;
    }
    memcpy(field, &number, size);
    if (sign < 0) {
        result = warn("Writing negative value into unsigned field");
    } else if (number > high) {
        result = warn(warning);
    }
    return result;
}

static int set_object(char *base, char *field, PyObject *value)
{
    PyObject *old;
    CRITICAL_SECTION((PyObject *)base);
    old = *(PyObject **)field;
    field_store_release((PyObject **)field, Py_XNewRef(value));
    CRITICAL_SECTION_END();
    Py_XDECREF(old);
    return 0;
}

static int check_deletable(char *field, PyMemberDef *member)
{
    if (member->type == Py_T_OBJECT_EX) {
        if (*(PyObject **)field == NULL) {
            PyErr_SetString(PyExc_AttributeError, member->name);
            return -1;
        }
    } else if (member->type != _Py_T_OBJECT) {
        PyErr_SetString(PyExc_TypeError, "can't delete numeric/char attribute");
        return -1;
    }
    return 0;
}

int PyMember_SetOne(char *base, PyMemberDef *member, PyObject *value)
{
    if (member->flags & Py_RELATIVE_OFFSET) {
        PyErr_SetString(PyExc_SystemError, "PyMember_SetOne used with Py_RELATIVE_OFFSET");
        return -1;
    }
    char *field = base + member->offset;
    if (member->flags & Py_READONLY) {
        PyErr_SetString(PyExc_AttributeError, "readonly attribute");
        return -1;
    }
    if (value == NULL && check_deletable(field, member) < 0) {
        return -1;
    }
    double number;
    switch (member->type) {
    case Py_T_BOOL:
        if (!PyBool_Check(value)) {
            PyErr_SetString(PyExc_TypeError, "attribute value type must be bool");
            return -1;
        }
        *field = value == Py_True;
        return 0;
    case Py_T_BYTE:
        return set_signed(field, 1, value, CHAR_MIN, CHAR_MAX, "Truncation of value to char");
    case Py_T_UBYTE:
        return set_small_unsigned(field, 1, value, UCHAR_MAX,
                                  "Truncation of value to unsigned char");
    case Py_T_SHORT:
        return set_signed(field, sizeof(short), value, SHRT_MIN, SHRT_MAX,
                          "Truncation of value to short");
    case Py_T_USHORT:
        return set_small_unsigned(field, sizeof(short), value, USHRT_MAX,
                                  "Truncation of value to unsigned short");
    case Py_T_INT:
        return set_signed(field, sizeof(int), value, INT_MIN, INT_MAX,
                          "Truncation of value to int");
    case Py_T_UINT:
        return set_unsigned(field, sizeof(int), value, UINT_MAX,
                            "Truncation of value to unsigned int");
    case Py_T_LONG:
        return set_signed(field, sizeof(long), value, 0, 0, NULL);
    case Py_T_ULONG:
    case Py_T_ULONGLONG:
        return set_unsigned(field, sizeof(long), value, ULLONG_MAX, NULL);
    case Py_T_LONGLONG: {
        long long wide = PyLong_AsLongLong(value);
        if (wide == -1 && PyErr_Occurred()) {
            return -1;
        }
        memcpy(field, &wide, sizeof(wide));
        return 0;
    }
    case Py_T_PYSSIZET: {
        Py_ssize_t size = PyLong_AsSsize_t(value);
        if (size == -1 && PyErr_Occurred()) {
            return -1;
        }
        memcpy(field, &size, sizeof(size));
        return 0;
    }
    case Py_T_FLOAT:
    case Py_T_DOUBLE:
        number = PyFloat_AsDouble(value);
        if (number == -1 && PyErr_Occurred()) {
            return -1;
        }
        if (member->type == Py_T_FLOAT) {
            *(float *)field = (float)number;
        } else {
            *(double *)field = number;
        }
        return 0;
    case _Py_T_OBJECT:
    case Py_T_OBJECT_EX:
        return set_object(base, field, value);
    case Py_T_CHAR: {
        Py_ssize_t length;
        const char *text = PyUnicode_AsUTF8AndSize(value, &length);
        if (text == NULL || length != 1) {
            PyErr_BadArgument();
            return -1;
        }
        *field = text[0];
        return 0;
    }
    case Py_T_STRING:
    case Py_T_STRING_INPLACE:
        PyErr_SetString(PyExc_TypeError, "readonly attribute");
        return -1;
    default:
        PyErr_Format(PyExc_SystemError, "bad memberdescr type for %s", member->name);
        return -1;
    }
}
