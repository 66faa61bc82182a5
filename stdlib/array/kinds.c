/* What the items of an array can be: the type codes, and how each reads and writes an item. */
#include "array.h"

#define READ(type, at)                                                                             \
    __extension__({                                                                                \
        type read_value;                                                                           \
        memcpy(&read_value, at, sizeof read_value);                                                \
        read_value;                                                                                \
    })

static int overflow(const char *what, bool below)
{
    PyErr_Format(PyExc_OverflowError, "%s is %s", what,
                 below ? "less than minimum" : "greater than maximum");
    return -1;
}

/* Two checks, since messages tell the C type that a value is read as first. */
#define SMALL_INT(name, type, least, most, wide_least, wide_most, what, wide)                      \
    static PyObject *name##_get(const char *at)                                                    \
    {                                                                                              \
        return PyLong_FromLong(READ(type, at));                                                    \
    }                                                                                              \
    static int name##_set(char *at, PyObject *value)                                               \
    {                                                                                              \
        long number;                                                                               \
        if (!bind_long(value, &number)) {                                                          \
            return -1;                                                                             \
        }                                                                                          \
        if (number < wide_least || number > wide_most) {                                           \
            return overflow(wide, number < wide_least);                                            \
        }                                                                                          \
        if (number < least || number > most) {                                                     \
            return overflow(what, number < least);                                                 \
        }                                                                                          \
        memcpy(at, &(type){(type)number}, sizeof(type));                                           \
        return 0;                                                                                  \
    }

SMALL_INT(schar, signed char, -128, 127, SHRT_MIN, SHRT_MAX, "signed char", "signed short integer")
SMALL_INT(uchar, unsigned char, 0, 255, 0, 255, "unsigned byte integer", "unsigned byte integer")
SMALL_INT(short, short, SHRT_MIN, SHRT_MAX, SHRT_MIN, SHRT_MAX, "signed short integer",
          "signed short integer")
SMALL_INT(ushort, unsigned short, 0, USHRT_MAX, INT_MIN, INT_MAX, "unsigned short",
          "signed integer")
SMALL_INT(int, int, INT_MIN, INT_MAX, INT_MIN, INT_MAX, "signed integer", "signed integer")

static PyObject *long_get(const char *at)
{
    return PyLong_FromLong(READ(long, at));
}

static int long_set(char *at, PyObject *value)
{
    long number;
    if (!bind_long(value, &number)) {
        return -1;
    }
    memcpy(at, &number, sizeof number);
    return 0;
}

/* An unsigned long out of anything with __index__; false with an exception. */
static bool unsigned_of(PyObject *value, unsigned long *out)
{
    PyObject *index = PyNumber_Index(value);
    if (index == NULL) {
        return false;
    }
    int over;
    long small = PyLong_AsLongAndOverflow(index, &over);
    bool negative = over < 0 || (over == 0 && small < 0);
    if (negative) {
        PyErr_SetString(PyExc_OverflowError, "can't convert negative value to unsigned int");
    } else {
        *out = over ? PyLong_AsUnsignedLong(index) : (unsigned long)small;
    }
    Py_DECREF(index);
    return !negative && (*out != (unsigned long)-1 || !PyErr_Occurred());
}

static PyObject *uint_get(const char *at)
{
    return PyLong_FromUnsignedLong(READ(unsigned int, at));
}

static int uint_set(char *at, PyObject *value)
{
    unsigned long number;
    if (!unsigned_of(value, &number)) {
        return -1;
    }
    if (number > UINT_MAX) {
        return overflow("unsigned int", false);
    }
    memcpy(at, &(unsigned){(unsigned)number}, sizeof(unsigned));
    return 0;
}

static PyObject *ulong_get(const char *at)
{
    return PyLong_FromUnsignedLong(READ(unsigned long, at));
}

static int ulong_set(char *at, PyObject *value)
{
    unsigned long number;
    if (!unsigned_of(value, &number)) {
        return -1;
    }
    memcpy(at, &number, sizeof number);
    return 0;
}

static PyObject *longlong_get(const char *at)
{
    return PyLong_FromLongLong(READ(long long, at));
}

static int longlong_set(char *at, PyObject *value)
{
    PyObject *index = PyNumber_Index(value);
    long long number = index ? PyLong_AsLongLong(index) : -1;
    Py_XDECREF(index);
    if (number == -1 && PyErr_Occurred()) {
        if (index != NULL) {
            PyErr_SetString(PyExc_OverflowError, "int too big to convert");
        }
        return -1;
    }
    memcpy(at, &number, sizeof number);
    return 0;
}

static PyObject *ulonglong_get(const char *at)
{
    return PyLong_FromUnsignedLongLong(READ(unsigned long long, at));
}

static int ulonglong_set(char *at, PyObject *value)
{
    PyObject *index = PyNumber_Index(value);
    if (index == NULL) {
        return -1;
    }
    int over;
    long long small = PyLong_AsLongLongAndOverflow(index, &over);
    unsigned long long number =
        over > 0 ? PyLong_AsUnsignedLongLong(index) : (unsigned long long)small;
    Py_DECREF(index);
    if (over < 0 || (over == 0 && small < 0)) {
        PyErr_SetString(PyExc_OverflowError, "can't convert negative int to unsigned");
        return -1;
    }
    if (number == (unsigned long long)-1 && PyErr_Occurred()) {
        PyErr_SetString(PyExc_OverflowError, "int too big to convert");
        return -1;
    }
    memcpy(at, &number, sizeof number);
    return 0;
}

static PyObject *float_get(const char *at)
{
    return PyFloat_FromDouble(READ(float, at));
}

static int float_set(char *at, PyObject *value)
{
    double number;
    if (!bind_double(value, &number)) {
        return -1;
    }
    memcpy(at, &(float){(float)number}, sizeof(float));
    return 0;
}

static PyObject *double_get(const char *at)
{
    return PyFloat_FromDouble(READ(double, at));
}

static int double_set(char *at, PyObject *value)
{
    double number;
    if (!bind_double(value, &number)) {
        return -1;
    }
    memcpy(at, &number, sizeof number);
    return 0;
}

static PyObject *character_get(const char *at)
{
    return PyUnicode_FromOrdinal((int)READ(Py_UCS4, at));
}

static int character_set(char *at, PyObject *value)
{
    if (!PyUnicode_Check(value) || PyUnicode_GET_LENGTH(value) != 1) {
        PyErr_SetString(PyExc_TypeError, "array item must be unicode character");
        return -1;
    }
    memcpy(at, &(Py_UCS4){PyUnicode_READ_CHAR(value, 0)}, sizeof(Py_UCS4));
    return 0;
}

_Static_assert(sizeof(wchar_t) == sizeof(Py_UCS4), "'u' and 'w' are not the same here");

const struct kind array_kinds[ARRAY_KINDS] = {
    {'b', 1, schar_get, schar_set, "b", IS_SIGNED},
    {'B', 1, uchar_get, uchar_set, "B", IS_UNSIGNED},
    {'u', sizeof(wchar_t), character_get, character_set, "u", IS_TEXT},
    {'w', sizeof(Py_UCS4), character_get, character_set, "w", IS_TEXT},
    {'h', sizeof(short), short_get, short_set, "h", IS_SIGNED},
    {'H', sizeof(short), ushort_get, ushort_set, "H", IS_UNSIGNED},
    {'i', sizeof(int), int_get, int_set, "i", IS_SIGNED},
    {'I', sizeof(int), uint_get, uint_set, "I", IS_UNSIGNED},
    {'l', sizeof(long), long_get, long_set, "l", IS_SIGNED},
    {'L', sizeof(long), ulong_get, ulong_set, "L", IS_UNSIGNED},
    {'q', sizeof(long long), longlong_get, longlong_set, "q", IS_SIGNED},
    {'Q', sizeof(long long), ulonglong_get, ulonglong_set, "Q", IS_UNSIGNED},
    {'f', sizeof(float), float_get, float_set, "f", IS_FLOAT},
    {'d', sizeof(double), double_get, double_set, "d", IS_FLOAT},
};

const struct kind *kind_of(Py_UCS4 code)
{
    for (size_t i = 0; i < ARRAY_KINDS; i++) {
        if ((Py_UCS4)array_kinds[i].code == code) {
            return &array_kinds[i];
        }
    }
    return NULL;
}
