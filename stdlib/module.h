/* What the C modules have in common: making types, the garbage collector's three functions for an
 * object with a few references, and running a step under the object's lock. */
#ifndef KRAIT_STDLIB_MODULE_H
#define KRAIT_STDLIB_MODULE_H

#include "objects/bindings.h"

#include <Python.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* The value of `expr`, evaluated in the critical section of `op`.  The section is given up while
 * the thread waits for something else, so what it protects is re-read after calls into Python. */
#define LOCKED(op, expr)                                                                           \
    __extension__({                                                                                \
        __typeof__(expr) locked_result;                                                            \
        Py_BEGIN_CRITICAL_SECTION(op);                                                             \
        locked_result = (expr);                                                                    \
        Py_END_CRITICAL_SECTION();                                                                 \
        locked_result;                                                                             \
    })

/* The same with two objects. */
#define LOCKED2(a, b, expr)                                                                        \
    __extension__({                                                                                \
        __typeof__(expr) locked_result;                                                            \
        Py_BEGIN_CRITICAL_SECTION2(a, b);                                                          \
        locked_result = (expr);                                                                    \
        Py_END_CRITICAL_SECTION2();                                                                \
        locked_result;                                                                             \
    })

#define EACH_0(f)
#define EACH_1(f, a) f(self->a);
#define EACH_2(f, a, ...)                                                                          \
    f(self->a);                                                                                    \
    EACH_1(f, __VA_ARGS__)
#define EACH_3(f, a, ...)                                                                          \
    f(self->a);                                                                                    \
    EACH_2(f, __VA_ARGS__)
#define EACH_4(f, a, ...)                                                                          \
    f(self->a);                                                                                    \
    EACH_3(f, __VA_ARGS__)
#define EACH_5(f, a, ...)                                                                          \
    f(self->a);                                                                                    \
    EACH_4(f, __VA_ARGS__)
#define EACH_6(f, a, ...)                                                                          \
    f(self->a);                                                                                    \
    EACH_5(f, __VA_ARGS__)
#define EACH_7(f, a, ...)                                                                          \
    f(self->a);                                                                                    \
    EACH_6(f, __VA_ARGS__)
#define EACH_8(f, a, ...)                                                                          \
    f(self->a);                                                                                    \
    EACH_7(f, __VA_ARGS__)
#define EACH_PICK(_1, _2, _3, _4, _5, _6, _7, _8, name, ...) name
#define EACH_FIELD(f, ...)                                                                         \
    EACH_PICK(__VA_ARGS__, EACH_8, EACH_7, EACH_6, EACH_5, EACH_4, EACH_3, EACH_2, EACH_1)         \
    (f, __VA_ARGS__)

/* NAME_traverse and NAME_clear for a `struct NAME` with these object fields. */
#define GC_TRAVERSE(name, ...)                                                                     \
    static int name##_traverse(PyObject *op, visitproc visit, void *arg)                           \
    {                                                                                              \
        struct name *self = (struct name *)op;                                                     \
        Py_VISIT(Py_TYPE(op));                                                                     \
        EACH_FIELD(Py_VISIT, __VA_ARGS__)                                                          \
        return 0;                                                                                  \
    }

#define GC_CLEAR(name, ...)                                                                        \
    static int name##_clear(PyObject *op)                                                          \
    {                                                                                              \
        struct name *self = (struct name *)op;                                                     \
        EACH_FIELD(Py_CLEAR, __VA_ARGS__)                                                          \
        return 0;                                                                                  \
    }

#define GC_FIELDS(name, ...) GC_TRAVERSE(name, __VA_ARGS__) GC_CLEAR(name, __VA_ARGS__)

/* NAME_dealloc on top of NAME_clear; long chains are taken apart without deep recursion. */
#define GC_DEALLOC(name)                                                                           \
    static void name##_dealloc(PyObject *op)                                                       \
    {                                                                                              \
        PyObject_GC_UnTrack(op);                                                                   \
        Py_TRASHCAN_BEGIN(op, name##_dealloc) PyTypeObject *type = Py_TYPE(op);                    \
        name##_clear(op);                                                                          \
        type->tp_free(op);                                                                         \
        Py_DECREF(type);                                                                           \
        Py_TRASHCAN_END                                                                            \
    }

#define GC_OBJECT(name, ...) GC_FIELDS(name, __VA_ARGS__) GC_DEALLOC(name)

#define GC_SLOTS(name)                                                                             \
    {Py_tp_traverse, name##_traverse}, {Py_tp_clear, name##_clear},                                \
    {                                                                                              \
        Py_tp_dealloc, name##_dealloc                                                              \
    }

/* Makes a type of `module` from its spec; with `publish` it is also an attribute.  Returns a new
 * reference, or NULL with an exception. */
static inline PyTypeObject *module_type(PyObject *module, PyType_Spec *spec, bool publish)
{
    PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    if (type != NULL && publish && PyModule_AddType(module, type) < 0) {
        Py_CLEAR(type);
    }
    return type;
}

#define MODULE_SLOTS(exec)                                                                         \
    {                                                                                              \
        {Py_mod_exec, exec}, {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED}, \
            {Py_mod_gil, Py_MOD_GIL_NOT_USED}, {0, NULL},                                          \
    }

/* For a module without an exec function. */
#define MODULE_SLOTS_PLAIN                                                                         \
    {                                                                                              \
        {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},                      \
            {Py_mod_gil, Py_MOD_GIL_NOT_USED}, {0, NULL},                                          \
    }

/* A module's state: `struct state` of nothing but object pointers, visited as an array. */
#define STATE_OBJECTS(name)                                                                        \
    static int name##_module_traverse(PyObject *module, visitproc visit, void *arg)                \
    {                                                                                              \
        PyObject **item = PyModule_GetState(module);                                               \
        for (size_t i = 0; i < sizeof(struct name##_state) / sizeof(PyObject *); i++) {            \
            Py_VISIT(item[i]);                                                                     \
        }                                                                                          \
        return 0;                                                                                  \
    }                                                                                              \
    static int name##_module_clear(PyObject *module)                                               \
    {                                                                                              \
        PyObject **item = PyModule_GetState(module);                                               \
        for (size_t i = 0; i < sizeof(struct name##_state) / sizeof(PyObject *); i++) {            \
            Py_CLEAR(item[i]);                                                                     \
        }                                                                                          \
        return 0;                                                                                  \
    }                                                                                              \
    static void name##_module_free(void *module)                                                   \
    {                                                                                              \
        name##_module_clear(module);                                                               \
    }

#define STATE_FIELDS(name)                                                                         \
    .m_size = sizeof(struct name##_state), .m_traverse = name##_module_traverse,                   \
    .m_clear = name##_module_clear, .m_free = name##_module_free

/* The definition and the entry function of a module; `pyname` is its name in C, with underscores. */
#define MODULE_INIT(pyname, def)                                                                   \
    PyMODINIT_FUNC PyInit_##pyname(void);                                                          \
    PyMODINIT_FUNC PyInit_##pyname(void)                                                           \
    {                                                                                              \
        return PyModuleDef_Init(&def);                                                             \
    }

/* A new object of `type` with every field zero and not yet tracked where the type's allocator
 * leaves that to us; the usual one tracks at once. */
static inline void *type_make(PyTypeObject *type)
{
    return type->tp_alloc(type, 0);
}

/* Stores `value` (stolen) in a field and releases what was there, in this order. */
static inline void field_set(PyObject **field, PyObject *value)
{
    PyObject *old = *field;
    *field = value;
    Py_XDECREF(old);
}

/* The next item: new reference, or NULL at the end or on error (PyErr_Occurred tells).  Iterators that draw from
 * iterators may be nested as deep as the user likes, hence the check. */
static inline PyObject *iter_next(PyObject *it)
{
    if (UNLIKELY(Py_EnterRecursiveCall(" while iterating"))) {
        return NULL;
    }
    PyObject *item = Py_TYPE(it)->tp_iternext(it);
    Py_LeaveRecursiveCall();
    return item;
}

/* After iter_next gave NULL: swallows StopIteration.  True at the plain end. */
static inline bool iter_ended(void)
{
    PyObject *error = PyErr_Occurred();
    if (error == NULL) {
        return true;
    }
    if (PyErr_ExceptionMatches(PyExc_StopIteration)) {
        PyErr_Clear();
        return true;
    }
    return false;
}

/* Calls a special method without arguments, looked up on the type as the language does: 1 and the
 * result (new reference), 0 and NULL if the type has none, -1 and NULL on error. */
static inline int special_call(PyObject *op, const char *name, PyObject **result)
{
    *result = NULL;
    PyObject *key = PyUnicode_InternFromString(name);
    PyObject *method = key ? _PyType_Lookup(Py_TYPE(op), key) : NULL;
    Py_XDECREF(key);
    if (method == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    descrgetfunc get = Py_TYPE(method)->tp_descr_get;
    method = get ? get(method, op, (PyObject *)Py_TYPE(op)) : Py_NewRef(method);
    *result = method ? PyObject_CallNoArgs(method) : NULL;
    Py_XDECREF(method);
    return *result ? 1 : -1;
}

/* An attribute of a module that is imported if need be (new reference); NULL with an exception. */
PyAPI_FUNC(PyObject *) _PyImport_GetModuleAttrString(const char *module, const char *attribute);

/* Bytes as lower-case hexadecimal digits: a str; bytes, with a separator (or NULL) between groups of so many bytes,
 * counted from the right, or from the left if the size is negative.  New references, or NULL with an exception. */
PyAPI_FUNC(PyObject *) _Py_strhex(const char *data, Py_ssize_t length);
PyAPI_FUNC(PyObject *)
    _Py_strhex_bytes_with_sep(const char *data, Py_ssize_t length, PyObject *sep, int group);

struct constant {
    const char *name;
    long long value;
};

#define CONSTANT(name)                                                                             \
    {                                                                                              \
#name, name                                                                                \
    }

/* Adds numbers to a module; -1 with an exception. */
static inline int module_constants(PyObject *module, const struct constant *constants, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        PyObject *value = PyLong_FromLongLong(constants[i].value);
        int rc = PyModule_AddObjectRef(module, constants[i].name, value);
        Py_XDECREF(value);
        if (rc < 0) {
            return -1;
        }
    }
    return 0;
}

#endif
