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
/* A call of the type, without a tuple for nothing. */
PyObject *exception_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                               PyObject *kwnames);
PyObject *exception_str(PyObject *self);
/* An instance of an exception type whose tp_new and tp_init are the ones above; args (a tuple) is STOLEN, also on
 * failure. New reference, or NULL with MemoryError. */
PyObject *exception_make(PyTypeObject *type, PyObject *args);
/* Whether the type is such. */
static inline bool exception_is_plain(const PyTypeObject *type)
{
    return type->tp_new == exception_new && type->tp_init == exception_init;
}

/* Sets args to a tuple of these (borrowed) items, unless it holds just them. 0 or -1. */
int exception_set_args(PyObject *self, PyObject *const *items, Py_ssize_t count);

/* A MemoryError that needs no memory if none is left (new reference, never NULL). */
PyObject *memory_error_new(void);

/* A static exception type called `name` in builtins, deriving from `base`. Slots not given are inherited. */
#define EXCEPTION_TYPE_AS(c_name, name, base, struct_type, flags, docstring, ...)                  \
    PyTypeObject exception_##c_name = {                                                            \
        PyVarObject_HEAD_INIT(&PyType_Type,                                                        \
                              0) /* MemoryError may be raised before types are ready */            \
            .tp_name = name,                                                                       \
        .tp_basicsize = sizeof(struct_type),                                                       \
        .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | (flags),                            \
        .tp_doc = docstring,                                                                       \
        .tp_base = &exception_##base,                                                              \
        .tp_vectorcall = exception_vectorcall,                                                     \
        __VA_ARGS__}

/* One with fields of its own: it has its own tp_traverse and tp_clear. */
#define EXCEPTION_TYPE(name, base, struct_type, docstring, ...)                                    \
    EXCEPTION_TYPE_AS(name, #name, base, struct_type, Py_TPFLAGS_HAVE_GC, docstring, __VA_ARGS__); \
    PyObject *PyExc_##name = (PyObject *)&exception_##name

/* One that has only other methods than its base, or just another name. */
#define SIMPLE_EXCEPTION(name, base, docstring, ...)                                               \
    EXCEPTION_TYPE_AS(name, #name, base, PyBaseExceptionObject, 0, docstring, __VA_ARGS__);        \
    PyObject *PyExc_##name = (PyObject *)&exception_##name

/* A member of an exception that is an object (None while unset). */
#define EXCEPTION_MEMBER(struct_type, field, doc)                                                  \
    {                                                                                              \
#field, _Py_T_OBJECT, offsetof(struct_type, field), 0, PyDoc_STR(doc)                      \
    }

extern PyTypeObject exception_BaseException, exception_Exception, exception_ImportError,
    exception_OSError, exception_ConnectionError, exception_SyntaxError, exception_IndentationError,
    exception_NameError, exception_LookupError, exception_ValueError, exception_UnicodeError,
    exception_ArithmeticError, exception_RuntimeError, exception_Warning, exception_AttributeError,
    exception_StopIteration, exception_SystemExit, exception_KeyError, exception_MemoryError,
    exception_BaseExceptionGroup, exception_UnicodeEncodeError, exception_UnicodeDecodeError,
    exception_UnicodeTranslateError, exception_TabError, exception_IncompleteInputError,
    exception_ModuleNotFoundError;

#endif
