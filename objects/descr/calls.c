/* Calling a C function by its PyMethodDef: bound to self (built-in functions), or with self as the
 * first argument (method descriptors). One pair of functions for each calling convention. */
#include "objects/descr.h"

#include "objects/cfunction.h"
#include "objects/dict.h"
#include "objects/error.h"

/* ---- what goes wrong ------------------------------------------------------------------------- */

static __attribute__((cold)) PyObject *raise_of(PyObject *func, const char *format,
                                                Py_ssize_t count)
{
    PyObject *name = _PyObject_FunctionStr(func);
    if (name != NULL) {
        PyErr_Format(PyExc_TypeError, format, name, count);
        Py_DECREF(name);
    }
    return NULL;
}

static __attribute__((cold)) PyObject *raise_keywords(PyObject *func)
{
    return raise_of(func, "%U takes no keyword arguments", 0);
}

static inline bool no_keywords(PyObject *kwnames)
{
    return likely(kwnames == NULL || PyTuple_GET_SIZE(kwnames) == 0);
}

/* False with RecursionError when the C stack is used up. */
static inline bool stack_left(void)
{
    return stack_check(" while calling a Python object") == 0;
}

static PyObject *tuple_of(PyObject *const *args, Py_ssize_t count)
{
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; tuple != NULL && i < count; i++) {
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
    }
    return tuple;
}

static PyObject *call_varargs(PyMethodDef *def, PyObject *self, PyObject *const *args,
                              Py_ssize_t count, PyObject *kwnames)
{
    PyObject *tuple = tuple_of(args, count), *kwds = NULL, *result = NULL;
    if (tuple == NULL) {
        return NULL;
    }
    if (!no_keywords(kwnames)) {
        kwds = PyDict_New();
        if (kwds == NULL || dict_update_from_kwargs(kwds, kwnames, args + count) < 0) {
            goto done;
        }
    }
    if (def->ml_flags & METH_KEYWORDS) {
        result = ((PyCFunctionWithKeywords)(void (*)(void))def->ml_meth)(self, tuple, kwds);
    } else {
        result = def->ml_meth(self, tuple);
    }
done:
    Py_XDECREF(kwds);
    Py_DECREF(tuple);
    return result;
}

/* ---- built-in functions ---------------------------------------------------------------------- */

#define BOUND(name)                                                                                \
    static PyObject *name(PyObject *func, PyObject *const *args, size_t nargsf, PyObject *kwnames)
#define BOUND_PARTS                                                                                \
    PyMethodDef *def = ((PyCFunctionObject *)func)->m_ml;                                          \
    PyObject *self = def->ml_flags & METH_STATIC ? NULL : ((PyCFunctionObject *)func)->m_self;     \
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);                                                 \
    if (!stack_left()) {                                                                           \
        return NULL;                                                                               \
    }

BOUND(bound_noargs)
{
    BOUND_PARTS
    if (!no_keywords(kwnames)) {
        return raise_keywords(func);
    }
    if (unlikely(count != 0)) {
        return raise_of(func, "%U takes no arguments (%zd given)", count);
    }
    return def->ml_meth(self, NULL);
}

BOUND(bound_o)
{
    BOUND_PARTS
    if (!no_keywords(kwnames)) {
        return raise_keywords(func);
    }
    if (unlikely(count != 1)) {
        return raise_of(func, "%U takes exactly one argument (%zd given)", count);
    }
    return def->ml_meth(self, args[0]);
}

BOUND(bound_fastcall)
{
    BOUND_PARTS
    if (!no_keywords(kwnames)) {
        return raise_keywords(func);
    }
    return ((PyCFunctionFast)(void (*)(void))def->ml_meth)(self, args, count);
}

BOUND(bound_fastcall_keywords)
{
    BOUND_PARTS
    return ((PyCFunctionFastWithKeywords)(void (*)(void))def->ml_meth)(self, args, count, kwnames);
}

BOUND(bound_method)
{
    BOUND_PARTS
    PyTypeObject *cls = PyCFunction_GET_CLASS(func);
    return ((PyCMethod)(void (*)(void))def->ml_meth)(self, cls, args, (size_t)count, kwnames);
}

BOUND(bound_varargs)
{
    BOUND_PARTS
    if (!(def->ml_flags & METH_KEYWORDS) && !no_keywords(kwnames)) {
        return raise_keywords(func);
    }
    return call_varargs(def, self, args, count, kwnames);
}

/* ---- method descriptors ---------------------------------------------------------------------- */

static __attribute__((cold)) bool raise_self(PyObject *func, PyObject *const *args,
                                             Py_ssize_t count)
{
    if (count < 1) {
        raise_of(func, "unbound method %U needs an argument", 0);
        return false;
    }
    PyErr_Format(PyExc_TypeError,
                 "descriptor '%U' for '%.100s' objects doesn't apply to a '%.100s' object",
                 PyDescr_NAME(func), PyDescr_TYPE(func)->tp_name, Py_TYPE(args[0])->tp_name);
    return false;
}

static inline bool self_fits(PyObject *func, PyObject *const *args, Py_ssize_t count)
{
    return likely(count >= 1 && PyObject_TypeCheck(args[0], PyDescr_TYPE(func)))
           || raise_self(func, args, count);
}

#define UNBOUND_PARTS                                                                              \
    PyMethodDef *def = ((PyMethodDescrObject *)func)->d_method;                                    \
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);                                                 \
    if (!self_fits(func, args, count) || !stack_left()) {                                          \
        return NULL;                                                                               \
    }

BOUND(unbound_noargs)
{
    UNBOUND_PARTS
    if (!no_keywords(kwnames)) {
        return raise_keywords(func);
    }
    if (unlikely(count != 1)) {
        return raise_of(func, "%U takes no arguments (%zd given)", count - 1);
    }
    return def->ml_meth(args[0], NULL);
}

BOUND(unbound_o)
{
    UNBOUND_PARTS
    if (!no_keywords(kwnames)) {
        return raise_keywords(func);
    }
    if (unlikely(count != 2)) {
        return raise_of(func, "%U takes exactly one argument (%zd given)", count - 1);
    }
    return def->ml_meth(args[0], args[1]);
}

BOUND(unbound_fastcall)
{
    UNBOUND_PARTS
    if (!no_keywords(kwnames)) {
        return raise_keywords(func);
    }
    return ((PyCFunctionFast)(void (*)(void))def->ml_meth)(args[0], args + 1, count - 1);
}

BOUND(unbound_fastcall_keywords)
{
    UNBOUND_PARTS
    return ((PyCFunctionFastWithKeywords)(void (*)(void))def->ml_meth)(args[0], args + 1, count - 1,
                                                                       kwnames);
}

BOUND(unbound_method)
{
    UNBOUND_PARTS
    return ((PyCMethod)(void (*)(void))def->ml_meth)(args[0], PyDescr_TYPE(func), args + 1,
                                                     (size_t)count - 1, kwnames);
}

BOUND(unbound_varargs)
{
    UNBOUND_PARTS
    if (!(def->ml_flags & METH_KEYWORDS) && !no_keywords(kwnames)) {
        return raise_keywords(func);
    }
    return call_varargs(def, args[0], args + 1, count - 1, kwnames);
}

/* ---- choosing -------------------------------------------------------------------------------- */

enum convention { VARARGS, FASTCALL, FASTCALL_KEYWORDS, NOARGS, ONE, METHOD, BAD };

static enum convention convention_of(int flags)
{
    switch (flags
            & (METH_VARARGS | METH_FASTCALL | METH_NOARGS | METH_O | METH_KEYWORDS | METH_METHOD)) {
    case METH_VARARGS:
    case METH_VARARGS | METH_KEYWORDS:
        return VARARGS;
    case METH_FASTCALL:
        return FASTCALL;
    case METH_FASTCALL | METH_KEYWORDS:
        return FASTCALL_KEYWORDS;
    case METH_NOARGS:
        return NOARGS;
    case METH_O:
        return ONE;
    case METH_METHOD | METH_FASTCALL | METH_KEYWORDS:
        return METHOD;
    default:
        return BAD;
    }
}

static vectorcallfunc choose(const vectorcallfunc functions[], int flags, const char *name)
{
    enum convention convention = convention_of(flags);
    if (convention == BAD) {
        PyErr_Format(PyExc_SystemError, "%s() method: bad call flags", name);
        return NULL;
    }
    return functions[convention];
}

vectorcallfunc cfunction_vectorcall_for(int flags, const char *name)
{
    static const vectorcallfunc functions[] = {
        [VARARGS] = bound_varargs,
        [FASTCALL] = bound_fastcall,
        [FASTCALL_KEYWORDS] = bound_fastcall_keywords,
        [NOARGS] = bound_noargs,
        [ONE] = bound_o,
        [METHOD] = bound_method,
    };
    return choose(functions, flags, name);
}

vectorcallfunc method_descr_vectorcall_for(int flags, const char *name)
{
    static const vectorcallfunc functions[] = {
        [VARARGS] = unbound_varargs,
        [FASTCALL] = unbound_fastcall,
        [FASTCALL_KEYWORDS] = unbound_fastcall_keywords,
        [NOARGS] = unbound_noargs,
        [ONE] = unbound_o,
        [METHOD] = unbound_method,
    };
    return choose(functions, flags, name);
}
