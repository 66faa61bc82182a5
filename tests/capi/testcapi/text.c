/* str: what only the full API has. Time. */
#include "parts.h"

#include <string.h>

/* A str of its own, as wide as the text needs (new reference). */
static PyObject *copy_of(PyObject *text)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    PyObject *copy = PyUnicode_New(length, PyUnicode_MAX_CHAR_VALUE(text));
    if (copy != NULL && PyUnicode_CopyCharacters(copy, 0, text, 0, length) < 0) {
        Py_CLEAR(copy);
    }
    return copy;
}

FUNCTIONN(unicode_fill)
{
    PyObject *text;
    Py_ssize_t start, length;
    unsigned ch;
    if (!PyArg_ParseTuple(args, "OnnI", &text, &start, &length, &ch)) {
        return NULL;
    }
    NULLABLE(text);
    PyObject *copy = text != NULL && PyUnicode_Check(text) ? copy_of(text) : Py_XNewRef(text);
    if (copy == NULL && text != NULL) {
        return NULL;
    }
    Py_ssize_t filled = PyUnicode_Fill(copy, start, length, ch);
    if (filled < 0) {
        Py_XDECREF(copy);
        return NULL;
    }
    return Py_BuildValue("(Nn)", copy, filled);
}

FUNCTIONN(unicode_copycharacters)
{
    PyObject *to, *from;
    Py_ssize_t to_start, from_start, count;
    if (!PyArg_ParseTuple(args, "UnOnn:unicode_copycharacters", &to, &to_start, &from, &from_start,
                          &count)) {
        return NULL;
    }
    NULLABLE(from);
    PyObject *copy = PyUnicode_New(PyUnicode_GET_LENGTH(to), PyUnicode_MAX_CHAR_VALUE(to));
    if (copy == NULL || PyUnicode_Fill(copy, 0, PyUnicode_GET_LENGTH(to), 0) < 0) {
        Py_XDECREF(copy);
        return NULL;
    }
    Py_ssize_t copied = PyUnicode_CopyCharacters(copy, to_start, from, from_start, count);
    if (copied < 0) {
        Py_DECREF(copy);
        return NULL;
    }
    return Py_BuildValue("(Nn)", copy, copied);
}

FUNCTIONN(unicode_asucs4)
{
    PyObject *text;
    Py_ssize_t length;
    int terminate;
    if (!PyArg_ParseTuple(args, "Onp:unicode_asucs4", &text, &length, &terminate)) {
        return NULL;
    }
    NULLABLE(text);
    /* One place more than told shows what is written behind the end. */
    Py_UCS4 *buffer = PyMem_Calloc((size_t)length + 2, sizeof *buffer);
    if (buffer == NULL) {
        return PyErr_NoMemory();
    }
    buffer[length] = 0xffff;
    PyObject *result = NULL;
    if (PyUnicode_AsUCS4(text, buffer, length + (terminate != 0), terminate) != NULL) {
        result = PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, buffer, length + 1);
    }
    PyMem_Free(buffer);
    return result;
}

FUNCTION1(unicode_asucs4copy, text)
{
    NULLABLE(text);
    Py_UCS4 *buffer = PyUnicode_AsUCS4Copy(text);
    if (buffer == NULL) {
        return NULL;
    }
    PyObject *result =
        PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, buffer, PyUnicode_GET_LENGTH(text) + 1);
    PyMem_Free(buffer);
    return result;
}

/* (kind, bytes, how many characters: as many as there are) */
FUNCTIONN(unicode_fromkindanddata)
{
    int kind;
    const char *data;
    Py_ssize_t bytes, size = -100;
    if (!PyArg_ParseTuple(args, "iz#|n", &kind, &data, &bytes, &size)) {
        return NULL;
    }
    if (size == -100) {
        size = kind > 0 ? bytes / kind : bytes;
    }
    return PyUnicode_FromKindAndData(kind, data, size);
}

FUNCTIONN(unicode_asutf8)
{
    PyObject *text;
    Py_ssize_t length;
    if (!PyArg_ParseTuple(args, "On", &text, &length)) {
        return NULL;
    }
    NULLABLE(text);
    const char *utf8 = PyUnicode_AsUTF8(text);
    return utf8 == NULL ? NULL : PyBytes_FromStringAndSize(utf8, length);
}

FUNCTION0(test_string_to_double)
{
    static const struct {
        const char *text;
        double value;
    } good[] = {{"0.1", 0.1}, {"-12e3", -12e3}, {"1.", 1.0}, {".5", 0.5}, {"1e-400", 0.0}};
    static const char *const bad[] = {"", " 1", "1 ", "1a", "++1", "1_0", "0x10"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (PyOS_string_to_double(good[i].text, NULL, NULL) != good[i].value) {
            return failed("%s", good[i].text);
        }
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (PyOS_string_to_double(bad[i], NULL, NULL) != -1
            || !PyErr_ExceptionMatches(PyExc_ValueError)) {
            return failed("'%s' is taken for a number", bad[i]);
        }
        PyErr_Clear();
    }
    char *end;
    const char *text = "1.5rest";
    if (PyOS_string_to_double(text, &end, NULL) != 1.5 || end != text + 3) {
        return failed("the end of a number");
    }
    if (PyOS_string_to_double("1e500", NULL, PyExc_ValueError) != -1
        || !PyErr_ExceptionMatches(PyExc_ValueError)) {
        return failed("an overflow");
    }
    PyErr_Clear();
    Py_RETURN_NONE;
}

/* ---- time -------------------------------------------------------------------------------------------- */

static PyObject *seconds_of(PyTime_t time)
{
    return PyFloat_FromDouble(PyTime_AsSecondsDouble(time));
}

#define CLOCK(name)                                                                                \
    FUNCTION0(name##_now)                                                                          \
    {                                                                                              \
        PyTime_t now;                                                                              \
        return name(&now) < 0 ? NULL : seconds_of(now);                                            \
    }                                                                                              \
    FUNCTION0(name##Raw_now)                                                                       \
    {                                                                                              \
        PyTime_t now;                                                                              \
        return name##Raw(&now) < 0 ? failed("the clock") : seconds_of(now);                        \
    }

CLOCK(PyTime_Monotonic)
CLOCK(PyTime_PerfCounter)
CLOCK(PyTime_Time)

FUNCTION1(as_seconds, number)
{
    PyTime_t time = PyLong_AsLongLong(number);
    return time == -1 && PyErr_Occurred() ? NULL : seconds_of(time);
}

static PyMethodDef methods[] = {
    VARARGS(unicode_fill),
    VARARGS(unicode_copycharacters),
    VARARGS(unicode_asucs4),
    ONE(unicode_asucs4copy),
    VARARGS(unicode_fromkindanddata),
    VARARGS(unicode_asutf8),
    NOARGS(test_string_to_double),
    {"PyTime_AsSecondsDouble", as_seconds, METH_O, NULL},
    {"PyTime_Monotonic", PyTime_Monotonic_now, METH_NOARGS, NULL},
    {"PyTime_MonotonicRaw", PyTime_MonotonicRaw_now, METH_NOARGS, NULL},
    {"PyTime_PerfCounter", PyTime_PerfCounter_now, METH_NOARGS, NULL},
    {"PyTime_PerfCounterRaw", PyTime_PerfCounterRaw_now, METH_NOARGS, NULL},
    {"PyTime_Time", PyTime_Time_now, METH_NOARGS, NULL},
    {"PyTime_TimeRaw", PyTime_TimeRaw_now, METH_NOARGS, NULL},
    {NULL},
};

int add_text(PyObject *module)
{
    return PyModule_AddFunctions(module, methods);
}
