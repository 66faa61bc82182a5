/* Items of memoryviews: formats of the struct module with one native letter. */
#include "objects/memoryview/memoryview.h"

#include <string.h>

char format_native(const char *format)
{
    if (format == NULL) {
        return 'B';
    }
    format += *format == '@';
    return format[0] != '\0' && format[1] == '\0' && format_size(format[0]) > 0 ? format[0] : 0;
}

Py_ssize_t format_size(char letter)
{
    switch (letter) {
    case 'c':
    case 'b':
    case 'B':
        return 1;
    case 'h':
    case 'H':
    case 'e':
        return 2;
    case 'i':
    case 'I':
        return sizeof(int);
    case 'l':
    case 'L':
        return sizeof(long);
    case 'q':
    case 'Q':
        return sizeof(long long);
    case 'n':
    case 'N':
        return sizeof(Py_ssize_t);
    case 'f':
        return sizeof(float);
    case 'd':
        return sizeof(double);
    case '?':
        return sizeof(bool);
    case 'P':
        return sizeof(void *);
    default:
        return -1;
    }
}

/* Reads an item, which need not be aligned, as a C value of `type`. */
#define LOAD(type, item)                                                                           \
    ({                                                                                             \
        type value_;                                                                               \
        memcpy(&value_, (item), sizeof value_);                                                    \
        value_;                                                                                    \
    })

PyObject *item_unpack(const char *item, const char *format)
{
    switch (format_native(format)) {
    case 'B':
        return PyLong_FromLong(*(const uint8_t *)item);
    case 'b':
        return PyLong_FromLong(*(const int8_t *)item);
    case 'c':
        return PyBytes_FromStringAndSize(item, 1);
    case 'h':
        return PyLong_FromLong(LOAD(short, item));
    case 'H':
        return PyLong_FromLong(LOAD(unsigned short, item));
    case 'i':
        return PyLong_FromLong(LOAD(int, item));
    case 'I':
        return PyLong_FromUnsignedLong(LOAD(unsigned, item));
    case 'l':
        return PyLong_FromLong(LOAD(long, item));
    case 'L':
        return PyLong_FromUnsignedLong(LOAD(unsigned long, item));
    case 'q':
        return PyLong_FromLongLong(LOAD(long long, item));
    case 'Q':
        return PyLong_FromUnsignedLongLong(LOAD(unsigned long long, item));
    case 'n':
        return PyLong_FromSsize_t(LOAD(Py_ssize_t, item));
    case 'N':
        return PyLong_FromSize_t(LOAD(size_t, item));
    case 'e': {
        double value = PyFloat_Unpack2(item, PY_LITTLE_ENDIAN);
        return value == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(value);
    }
    case 'f':
        return PyFloat_FromDouble(LOAD(float, item));
    case 'd':
        return PyFloat_FromDouble(LOAD(double, item));
    case '?':
        return PyBool_FromLong(*item != 0);
    case 'P':
        return PyLong_FromVoidPtr(LOAD(void *, item));
    default:
        PyErr_Format(PyExc_NotImplementedError, "memoryview: format %s not supported", format);
        return NULL;
    }
}

/* ---- Storing ----------------------------------------------------------------------------------------- */

static int wrong_type(const char *format)
{
    PyErr_Format(PyExc_TypeError, "memoryview: invalid type for format '%s'", format);
    return -1;
}

static int wrong_value(const char *format)
{
    PyErr_Format(PyExc_ValueError, "memoryview: invalid value for format '%s'", format);
    return -1;
}

/* What converting a number to C raised, in the words of memoryview. */
static int translate_error(const char *format)
{
    if (PyErr_ExceptionMatches(PyExc_TypeError)) {
        return wrong_type(format);
    }
    if (PyErr_ExceptionMatches(PyExc_OverflowError) || PyErr_ExceptionMatches(PyExc_ValueError)) {
        return wrong_value(format);
    }
    return -1;
}

static int pack_signed(char *item, PyObject *number, const char *format, int size)
{
    long long value = PyLong_AsLongLong(number);
    if (value == -1 && PyErr_Occurred()) {
        return translate_error(format);
    }
    if (size < 8 && (value < -(1ll << (size * 8 - 1)) || value >= 1ll << (size * 8 - 1))) {
        return wrong_value(format);
    }
    memcpy(item, (char *)&value + (PY_BIG_ENDIAN ? 8 - size : 0), (size_t)size);
    return 0;
}

static int pack_unsigned(char *item, PyObject *number, const char *format, int size)
{
    unsigned long long value = PyLong_AsUnsignedLongLong(number);
    if (value == (unsigned long long)-1 && PyErr_Occurred()) {
        return translate_error(format);
    }
    if (size < 8 && value >= 1ull << (size * 8)) {
        return wrong_value(format);
    }
    memcpy(item, (char *)&value + (PY_BIG_ENDIAN ? 8 - size : 0), (size_t)size);
    return 0;
}

static int pack_integer(char *item, PyObject *value, const char *format, char letter)
{
    if (PyFloat_Check(value)) {
        return wrong_type(format);
    }
    PyObject *number = PyNumber_Index(value);
    if (number == NULL) {
        return translate_error(format);
    }
    int size = (int)format_size(letter), result;
    if (letter == 'P') {
        void *pointer = PyLong_AsVoidPtr(number);
        result = pointer == NULL && PyErr_Occurred() ? translate_error(format) : 0;
        if (result == 0) {
            memcpy(item, &pointer, sizeof pointer);
        }
    } else {
        bool is_signed = letter == 'b' || letter == 'h' || letter == 'i' || letter == 'l'
                         || letter == 'q' || letter == 'n';
        result = (is_signed ? pack_signed : pack_unsigned)(item, number, format, size);
    }
    Py_DECREF(number);
    return result;
}

static int pack_float(char *item, PyObject *value, const char *format, char letter)
{
    double number = PyFloat_AsDouble(value);
    if (number == -1.0 && PyErr_Occurred()) {
        return translate_error(format);
    }
    if (letter == 'd') {
        memcpy(item, &number, sizeof number);
        return 0;
    }
    if (letter == 'f') {
        float narrow = (float)number;
        memcpy(item, &narrow, sizeof narrow);
        return 0;
    }
    return PyFloat_Pack2(number, item, PY_LITTLE_ENDIAN) < 0 ? translate_error(format) : 0;
}

int item_pack(char *item, PyObject *value, const char *format)
{
    char letter = format_native(format);
    switch (letter) {
    case 0:
        PyErr_Format(PyExc_NotImplementedError, "memoryview: format %s not supported", format);
        return -1;
    case 'e':
    case 'f':
    case 'd':
        return pack_float(item, value, format, letter);
    case '?': {
        int truth = PyObject_IsTrue(value);
        if (truth < 0) {
            return -1;
        }
        *item = (char)truth;
        return 0;
    }
    case 'c':
        if (!PyBytes_Check(value)) {
            return wrong_type(format);
        }
        if (PyBytes_GET_SIZE(value) != 1) {
            return wrong_value(format);
        }
        *item = PyBytes_AS_STRING(value)[0];
        return 0;
    default:
        return pack_integer(item, value, format, letter);
    }
}

/* ---- Comparing ------------------------------------------------------------------------------------------ */

#define EQUAL(type) return LOAD(type, a) == LOAD(type, b)

int items_equal_native(const char *a, char format_a, const char *b, char format_b)
{
    if (format_a != format_b || format_a == 0) {
        return -1;
    }
    switch (format_a) {
    case 'B':
    case 'b':
    case 'c':
        return *a == *b;
    case '?':
        return (*a != 0) == (*b != 0);
    case 'h':
    case 'H':
        EQUAL(short);
    case 'i':
    case 'I':
        EQUAL(int);
    case 'l':
    case 'L':
        EQUAL(long);
    case 'q':
    case 'Q':
        EQUAL(long long);
    case 'n':
    case 'N':
        EQUAL(Py_ssize_t);
    case 'P':
        EQUAL(void *);
    case 'e':
        return PyFloat_Unpack2(a, PY_LITTLE_ENDIAN) == PyFloat_Unpack2(b, PY_LITTLE_ENDIAN);
    case 'f':
        EQUAL(float);
    case 'd':
        EQUAL(double);
    default:
        return -1;
    }
}
