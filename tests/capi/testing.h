/* What the test modules share: short ways to define functions and the module. */
#ifndef KRAIT_TESTS_CAPI_TESTING_H
#define KRAIT_TESTS_CAPI_TESTING_H

#include "Python.h"

#include <stdarg.h>

/* A function without arguments, with one, with a tuple `args`. */
#define FUNCTION0(name)                                                                            \
    static PyObject *name(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused))
#define FUNCTION1(name, arg) static PyObject *name(PyObject *Py_UNUSED(module), PyObject *arg)
#define FUNCTIONN(name) static PyObject *name(PyObject *Py_UNUSED(module), PyObject *args)

/* Their entries in the method table. */
#define NOARGS(name)                                                                               \
    {                                                                                              \
#name, name, METH_NOARGS, NULL                                                             \
    }
#define ONE(name)                                                                                  \
    {                                                                                              \
#name, name, METH_O, NULL                                                                  \
    }
#define VARARGS(name)                                                                              \
    {                                                                                              \
#name, name, METH_VARARGS, NULL                                                            \
    }
#define KEYWORDS(name)                                                                             \
    {                                                                                              \
#name, (PyCFunction)(void (*)(void))name, METH_VARARGS | METH_KEYWORDS, NULL               \
    }

/* None stands for NULL in most tests. */
#define NULLABLE(object) ((object) = (object) == Py_None ? NULL : (object))

/* For results that a failing function must overwrite. */
#define UNSET_POINTER ((void *)"unset")
#define UNSET_SIZE ((Py_ssize_t)0xdddddddddddddddd)
#define UNSET_INT ((int)0xdddddddd)

static inline PyObject *none_or_error(int result)
{
    return result < 0 ? NULL : Py_NewRef(Py_None);
}

/* An int result whose -1 goes with an exception (which is the call's if it has one). */
static inline PyObject *int_or_error(int result)
{
    return result < 0 && PyErr_Occurred() ? NULL : PyLong_FromLong(result);
}

static inline PyObject *size_or_error(Py_ssize_t result)
{
    return result < 0 && PyErr_Occurred() ? NULL : PyLong_FromSsize_t(result);
}

/* A borrowed result; without an exception `otherwise` stands for none. */
static inline PyObject *borrowed_or(PyObject *result, PyObject *otherwise)
{
    return result != NULL ? Py_NewRef(result) : PyErr_Occurred() ? NULL : Py_NewRef(otherwise);
}

/* A test that checks itself has found something: AssertionError. */
__attribute__((format(printf, 1, 2))) static inline PyObject *failed(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (!PyErr_Occurred()) {
        PyErr_FormatV(PyExc_AssertionError, format, args);
    }
    va_end(args);
    return NULL;
}

/* The init function `PyInit_name` of a module with these methods, and what fills it. */
#define MODULE(name, methods, exec)                                                                \
    static PyModuleDef_Slot name##_slots[] = {                                                     \
        {Py_mod_exec, exec},                                                                       \
        {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},                      \
        {Py_mod_gil, Py_MOD_GIL_NOT_USED},                                                         \
        {0, NULL},                                                                                 \
    };                                                                                             \
    static PyModuleDef name##_definition = {                                                       \
        PyModuleDef_HEAD_INIT,                                                                     \
        .m_name = #name,                                                                           \
        .m_methods = methods,                                                                      \
        .m_slots = name##_slots,                                                                   \
    };                                                                                             \
    PyMODINIT_FUNC PyInit_##name(void)                                                             \
    {                                                                                              \
        return PyModuleDef_Init(&name##_definition);                                               \
    }

#endif
