/* Functions written in C. */
#ifndef Py_METHODOBJECT_H
#define Py_METHODOBJECT_H

_Py_BEGIN_DECLS

PyAPI_DATA(PyTypeObject) PyCFunction_Type;
#define PyCFunction_CheckExact(op) Py_IS_TYPE((op), &PyCFunction_Type)
#define PyCFunction_Check(op) PyObject_TypeCheck((op), &PyCFunction_Type)

typedef PyObject *(*PyCFunction)(PyObject *, PyObject *);
typedef PyObject *(*PyCFunctionFast)(PyObject *, PyObject *const *, Py_ssize_t);
typedef PyObject *(*PyCFunctionWithKeywords)(PyObject *, PyObject *, PyObject *);
typedef PyObject *(*PyCFunctionFastWithKeywords)(PyObject *, PyObject *const *, Py_ssize_t,
                                                 PyObject *);
typedef PyObject *(*PyCMethod)(PyObject *, PyTypeObject *, PyObject *const *, size_t, PyObject *);
typedef PyCFunctionFast _PyCFunctionFast;
typedef PyCFunctionFastWithKeywords _PyCFunctionFastWithKeywords;

/* Any function pointer as a PyCFunction, without a compiler warning. */
#define _PyCFunction_CAST(func) _Py_CAST(PyCFunction, _Py_CAST(void (*)(void), (func)))

/* A function or method. An array of these ends with a NULL name. */
struct PyMethodDef {
    const char *ml_name;
    PyCFunction ml_meth;
    int ml_flags;
    const char *ml_doc;
};

/* How the function wants its arguments, and what it is bound to. */
#define METH_VARARGS 0x0001
#define METH_KEYWORDS 0x0002
#define METH_NOARGS 0x0004
#define METH_O 0x0008
#define METH_CLASS 0x0010
#define METH_STATIC 0x0020
#define METH_COEXIST 0x0040
#define METH_FASTCALL 0x0080
#define METH_STACKLESS 0x0000
#define METH_METHOD 0x0200

/* The C function, the bound object (borrowed, may be NULL) and the flags. */
PyAPI_FUNC(int) PyCFunction_GetFlags(PyObject *function);
PyAPI_FUNC(PyCFunction) PyCFunction_GetFunction(PyObject *function);
PyAPI_FUNC(PyObject *) PyCFunction_GetSelf(PyObject *function);

/* New function (new reference). The method definition must outlive it. */
PyAPI_FUNC(PyObject *) PyCFunction_New(PyMethodDef *def, PyObject *self);
PyAPI_FUNC(PyObject *) PyCFunction_NewEx(PyMethodDef *def, PyObject *self, PyObject *module);
#if _Py_API_VERSION >= 0x03090000
PyAPI_FUNC(PyObject *) PyCMethod_New(PyMethodDef *def, PyObject *self, PyObject *module,
                                     PyTypeObject *cls);
#endif
#define PyCFunction_New(ml, self) PyCFunction_NewEx((ml), (self), _Py_NULL)
#define PyCFunction_NewEx(ml, self, mod) PyCMethod_New((ml), (self), (mod), _Py_NULL)

_Py_END_DECLS

#ifndef Py_LIMITED_API
#  include "cpython/methodobject.h"
#endif

#endif
