/* Limits and sizes of this platform and build. */
#include "parts.h"

#include <float.h>
#include <limits.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include <wchar.h>

struct constant {
    const char *name;
    enum { SIGNED, UNSIGNED, REAL } kind;
    long long number;
    double real;
};

#define S(name)                                                                                    \
    {                                                                                              \
#name, SIGNED, name, 0                                                                     \
    }
#define U(name)                                                                                    \
    {                                                                                              \
#name, UNSIGNED, (long long)name, 0                                                        \
    }
#define F(name)                                                                                    \
    {                                                                                              \
#name, REAL, 0, name                                                                       \
    }
#define SIZE(name, type)                                                                           \
    {                                                                                              \
#name, SIGNED, sizeof(type), 0                                                             \
    }

#define W_STOPCODE(signal) (((signal) << 8) | 0x7f)

/* clang-format off */
static const struct constant constants[] = {
    S(CHAR_MIN), S(CHAR_MAX), S(UCHAR_MAX), S(SHRT_MIN), S(SHRT_MAX), S(USHRT_MAX), S(INT_MIN),
    S(INT_MAX), U(UINT_MAX), S(LONG_MIN), S(LONG_MAX), U(ULONG_MAX), S(LLONG_MIN), S(LLONG_MAX),
    U(ULLONG_MAX), S(PY_SSIZE_T_MIN), S(PY_SSIZE_T_MAX), U(SIZE_MAX), S(PyTime_MIN), S(PyTime_MAX),
    F(FLT_MIN), F(FLT_MAX), F(DBL_MIN), F(DBL_MAX), SIZE(SIZEOF_WCHAR_T, wchar_t),
    SIZE(SIZEOF_VOID_P, void *), SIZE(SIZEOF_TIME_T, time_t), SIZE(SIZEOF_PID_T, pid_t),
    {"Py_Version", UNSIGNED, PY_VERSION_HEX, 0}, S(Py_single_input), S(Py_file_input), S(Py_eval_input),
    S(Py_C_RECURSION_LIMIT),
};
/* clang-format on */

/* The status of a child that was stopped by the signal, as wait() gives it. */
FUNCTION1(W_STOPCODE_of, signal)
{
    int number = PyLong_AsInt(signal);
    return number == -1 && PyErr_Occurred() ? NULL : PyLong_FromLong(W_STOPCODE(number));
}

static PyMethodDef methods[] = {
    {"W_STOPCODE", W_STOPCODE_of, METH_O, NULL},
    {NULL},
};

int add_constants(PyObject *module)
{
    for (size_t i = 0; i < sizeof constants / sizeof constants[0]; i++) {
        const struct constant *c = &constants[i];
        PyObject *value = c->kind == SIGNED     ? PyLong_FromLongLong(c->number)
                          : c->kind == UNSIGNED ? PyLong_FromUnsignedLongLong(c->number)
                                                : PyFloat_FromDouble(c->real);
        int result = value == NULL ? -1 : PyModule_AddObjectRef(module, c->name, value);
        Py_XDECREF(value);
        if (result < 0) {
            return -1;
        }
    }
    PyObject *three = PyLong_FromLong(3);
    int result = PyModule_AddObjectRef(module, "the_number_three", three);
    Py_XDECREF(three);
    if (result < 0 || PyModule_AddIntConstant(module, "ONE", 1) < 0
        || PyModule_AddObjectRef(module, "WITH_PYMALLOC", Py_False) < 0
        || PyModule_AddObjectRef(module, "WITH_MIMALLOC", Py_True) < 0) {
        return -1;
    }
    return PyModule_AddFunctions(module, methods);
}
