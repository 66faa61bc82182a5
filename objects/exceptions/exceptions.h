/* What the files of objects/exceptions share. */

#ifndef KRAIT_OBJECTS_EXCEPTIONS_H
#define KRAIT_OBJECTS_EXCEPTIONS_H

#include "Python.h"

#include "objects/error.h"

/* The slots that every exception type starts from. */
PyObject *exception_new(PyTypeObject *type, PyObject *args, PyObject *kwargs);
int exception_init(PyObject *self, PyObject *args, PyObject *kwargs);
int exception_clear(PyObject *self);
int exception_traverse(PyObject *self, visitproc visit, void *arg);
void exception_dealloc(PyObject *self);
PyObject *exception_str(PyObject *self);

/* Sets args to a tuple of these (borrowed) items, unless it holds just them. 0 or -1. */
int exception_set_args(PyObject *self, PyObject *const *items, Py_ssize_t count);

/* A MemoryError that needs no memory if none is left (new reference, never NULL). */
PyObject *memory_error_new(void);

/* The class ExceptionGroup (borrowed, immortal); NULL with an exception. */
PyObject *exception_group_type(void);

/* Fills OSError's table of errno values; -1 with an exception. */
int os_error_map_init(void);

/* A static exception type: `name` in builtins, deriving from `base`, of `struct_type` instances. */
#define EXCEPTION_TYPE(name, base, struct_type, docstring, ...)                                   \
    PyTypeObject exception_##name = {                                                             \
        PyVarObject_HEAD_INIT(NULL, 0)                                                            \
        .tp_name = #name,                                                                         \
        .tp_basicsize = sizeof(struct_type),                                                      \
        .tp_dealloc = exception_dealloc,                                                          \
        .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,                \
        .tp_doc = docstring,                                                                      \
        .tp_traverse = exception_traverse,                                                        \
        .tp_clear = exception_clear,                                                              \
        .tp_base = &exception_##base,                                                             \
        .tp_dictoffset = offsetof(PyBaseExceptionObject, dict),                                   \
        .tp_init = exception_init,                                                                \
        .tp_new = exception_new,                                                                  \
        __VA_ARGS__                                                                               \
    };                                                                                            \
    PyObject *PyExc_##name = (PyObject *)&exception_##name

#define SIMPLE_EXCEPTION(name, base, doc) EXCEPTION_TYPE(name, base, PyBaseExceptionObject, doc)

/* A member of an exception that is an object (None while unset). */
#define EXCEPTION_MEMBER(struct_type, field, doc) \
    {#field, _Py_T_OBJECT, offsetof(struct_type, field), 0, PyDoc_STR(doc)}

extern PyTypeObject exception_BaseException, exception_Exception, exception_ImportError,
    exception_OSError, exception_ConnectionError, exception_SyntaxError,
    exception_IndentationError, exception_NameError, exception_LookupError, exception_ValueError,
    exception_UnicodeError, exception_ArithmeticError, exception_RuntimeError, exception_Warning,
    exception_AttributeError, exception_StopIteration, exception_SystemExit, exception_KeyError,
    exception_MemoryError, exception_BaseExceptionGroup, exception_UnicodeEncodeError,
    exception_UnicodeDecodeError, exception_UnicodeTranslateError, exception_TabError,
    exception_IncompleteInputError, exception_ModuleNotFoundError;

#endif
