/* Calling: the conventions of methods, vectorcall, docstrings with signatures. */
#include "parts.h"

#include <stddef.h>

/* ---- calling from C ---------------------------------------------------------------------------------- */

/* The items of a tuple or None (no array at all): 0 or -1. */
static int arguments_of(PyObject *args, PyObject *const **items, Py_ssize_t *count)
{
    *items = NULL;
    *count = 0;
    if (args == Py_None) {
        return 0;
    }
    if (!PyTuple_Check(args)) {
        PyErr_SetString(PyExc_TypeError, "args must be None or a tuple");
        return -1;
    }
    *items = ((PyTupleObject *)args)->ob_item;
    *count = PyTuple_GET_SIZE(args);
    return 0;
}

FUNCTIONN(pyobject_fastcalldict)
{
    PyObject *callable, *tuple, *kwargs, *const *items;
    Py_ssize_t count;
    if (!PyArg_ParseTuple(args, "OOO", &callable, &tuple, &kwargs)
        || arguments_of(tuple, &items, &count) < 0) {
        return NULL;
    }
    NULLABLE(kwargs);
    return PyObject_VectorcallDict(callable, items, (size_t)count, kwargs);
}

FUNCTIONN(pyobject_vectorcall)
{
    PyObject *callable, *tuple, *names, *const *items;
    Py_ssize_t count;
    if (!PyArg_ParseTuple(args, "OOO", &callable, &tuple, &names)
        || arguments_of(tuple, &items, &count) < 0) {
        return NULL;
    }
    NULLABLE(names);
    if (names != NULL) {
        if (!PyTuple_Check(names)) {
            PyErr_SetString(PyExc_TypeError, "kwnames must be None or a tuple");
            return NULL;
        }
        if (PyTuple_GET_SIZE(names) > count) {
            PyErr_SetString(PyExc_ValueError, "kwnames longer than args");
            return NULL;
        }
        count -= PyTuple_GET_SIZE(names);
    }
    return PyObject_Vectorcall(callable, items, (size_t)count, names);
}

FUNCTIONN(pyvectorcall_call)
{
    PyObject *callable, *tuple, *kwargs = NULL;
    if (!PyArg_ParseTuple(args, "OO|O", &callable, &tuple, &kwargs)) {
        return NULL;
    }
    if (!PyTuple_Check(tuple) || (kwargs != NULL && !PyDict_Check(kwargs))) {
        PyErr_SetString(PyExc_TypeError, "args must be a tuple, kwargs a dict");
        return NULL;
    }
    return PyVectorcall_Call(callable, tuple, kwargs);
}

static PyObject *overridden(PyObject *callable, PyObject *const *args, size_t nargs,
                            PyObject *names)
{
    return PyUnicode_FromString("overridden");
}

FUNCTION1(function_setvectorcall, function)
{
    if (!PyFunction_Check(function)) {
        PyErr_SetString(PyExc_TypeError, "'func' must be a function");
        return NULL;
    }
    PyFunction_SetVectorcall((PyFunctionObject *)function, overridden);
    Py_RETURN_NONE;
}

_Py_COMP_DIAG_PUSH _Py_COMP_DIAG_IGNORE_DEPR_DECLS FUNCTIONN(pycfunction_call)
{
    PyObject *function, *tuple, *kwargs = NULL;
    return PyArg_ParseTuple(args, "OO!|O!", &function, &PyTuple_Type, &tuple, &PyDict_Type, &kwargs)
               ? PyObject_Call(function, tuple, kwargs)
               : NULL;
}
_Py_COMP_DIAG_POP

FUNCTION0(return_null_without_error)
{
    PyErr_Clear();
    return NULL;
}

FUNCTION0(return_result_with_error)
{
    PyErr_SetNone(PyExc_ValueError);
    Py_RETURN_NONE;
}

FUNCTIONN(getitem_with_error)
{
    PyObject *map, *key;
    if (!PyArg_ParseTuple(args, "OO", &map, &key)) {
        return NULL;
    }
    PyErr_SetString(PyExc_ValueError, "bug");
    return PyObject_GetItem(map, key);
}

/* ---- how methods are called ------------------------------------------------------------------------------ */

/* A static method and a module's function have no self worth telling, a method has. */
static PyObject *self_or_none(PyObject *self)
{
    return self == NULL ? Py_None : self;
}

static PyObject *meth_varargs(PyObject *self, PyObject *args)
{
    return Py_BuildValue("OO", self_or_none(self), args);
}

static PyObject *meth_varargs_keywords(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return Py_BuildValue("OOO", self_or_none(self), args, kwargs == NULL ? Py_None : kwargs);
}

static PyObject *meth_o(PyObject *self, PyObject *arg)
{
    return Py_BuildValue("OO", self_or_none(self), arg);
}

static PyObject *meth_noargs(PyObject *self, PyObject *Py_UNUSED(unused))
{
    return Py_NewRef(self_or_none(self));
}

static PyObject *tuple_of(PyObject *const *items, Py_ssize_t count)
{
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; i < count && tuple != NULL; i++) {
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(items[i]));
    }
    return tuple;
}

static PyObject *meth_fastcall(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return Py_BuildValue("ON", self_or_none(self), tuple_of(args, nargs));
}

static PyObject *meth_fastcall_keywords(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                                        PyObject *names)
{
    PyObject *kwargs = PyDict_New();
    for (Py_ssize_t i = 0; names != NULL && kwargs != NULL && i < PyTuple_GET_SIZE(names); i++) {
        PyDict_SetItem(kwargs, PyTuple_GET_ITEM(names, i), args[nargs + i]);
    }
    return kwargs == NULL ? NULL
                          : Py_BuildValue("ONN", self_or_none(self), tuple_of(args, nargs), kwargs);
}

#define METHOD_SET(flags)                                                                          \
    {"meth_varargs", meth_varargs, METH_VARARGS | (flags), NULL},                                  \
        {"meth_varargs_keywords", (PyCFunction)(void (*)(void))meth_varargs_keywords,              \
         METH_VARARGS | METH_KEYWORDS | (flags), NULL},                                            \
        {"meth_o", meth_o, METH_O | (flags), NULL},                                                \
        {"meth_noargs", meth_noargs, METH_NOARGS | (flags), NULL},                                 \
        {"meth_fastcall", (PyCFunction)(void (*)(void))meth_fastcall, METH_FASTCALL | (flags),     \
         NULL},                                                                                    \
        {"meth_fastcall_keywords", (PyCFunction)(void (*)(void))meth_fastcall_keywords,            \
         METH_FASTCALL | METH_KEYWORDS | (flags), NULL},

static PyMethodDef instance_methods[] = {METHOD_SET(0){NULL}};
static PyMethodDef class_methods[] = {METHOD_SET(METH_CLASS){NULL}};
static PyMethodDef static_methods[] = {METHOD_SET(METH_STATIC){NULL}};

static PyTypeObject MethInstance_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "MethInstance",
    .tp_basicsize = sizeof(PyObject),
    .tp_new = PyType_GenericNew,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_methods = instance_methods,
    .tp_doc = "Methods of instances, of each convention.",
};

static PyTypeObject MethClass_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "MethClass",
    .tp_basicsize = sizeof(PyObject),
    .tp_new = PyType_GenericNew,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_methods = class_methods,
    .tp_doc = "Methods of the class, of each convention.",
};

static PyTypeObject MethStatic_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "MethStatic",
    .tp_basicsize = sizeof(PyObject),
    .tp_new = PyType_GenericNew,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_methods = static_methods,
    .tp_doc = "Static methods, of each convention.",
};

/* ---- callable types with vectorcall ------------------------------------------------------------------------ */

struct descriptor {
    PyObject_HEAD
    vectorcallfunc vectorcall;
};

struct descriptor2 {
    struct descriptor base;
    vectorcallfunc vectorcall;
};

/* Was it the base's slot that was called? */
static PyObject *call_base(PyObject *callable, PyObject *const *args, size_t nargs, PyObject *names)
{
    if (PyVectorcall_NARGS(nargs) != 1) {
        PyErr_SetString(PyExc_TypeError, "one argument is needed");
        return NULL;
    }
    Py_RETURN_TRUE;
}

static PyObject *call_derived(PyObject *callable, PyObject *const *args, size_t nargs,
                              PyObject *names)
{
    Py_RETURN_FALSE;
}

static PyObject *descriptor_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *self = type->tp_alloc(type, 0);
    if (self != NULL) {
        ((struct descriptor *)self)->vectorcall = call_base;
    }
    return self;
}

static PyObject *descriptor2_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *self = type->tp_alloc(type, 0);
    if (self != NULL) {
        ((struct descriptor2 *)self)->base.vectorcall = NULL;
        ((struct descriptor2 *)self)->vectorcall = call_derived;
    }
    return self;
}

/* As functions do. */
static PyObject *descriptor_get(PyObject *self, PyObject *object, PyObject *type)
{
    return object == NULL || object == Py_None ? Py_NewRef(self) : PyMethod_New(self, object);
}

static PyObject *descriptor_get_itself(PyObject *self, PyObject *object, PyObject *type)
{
    return Py_NewRef(self);
}

static PyObject *call_gives_args(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return Py_NewRef(args);
}

static PyTypeObject MethodDescriptorBase_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "MethodDescriptorBase",
    .tp_basicsize = sizeof(struct descriptor),
    .tp_new = descriptor_new,
    .tp_call = PyVectorcall_Call,
    .tp_vectorcall_offset = offsetof(struct descriptor, vectorcall),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_METHOD_DESCRIPTOR
                | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_descr_get = descriptor_get,
};

static PyTypeObject MethodDescriptorDerived_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "MethodDescriptorDerived",
    .tp_basicsize = sizeof(struct descriptor),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
};

static PyTypeObject MethodDescriptorNopGet_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "MethodDescriptorNopGet",
    .tp_basicsize = sizeof(struct descriptor),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_call = call_gives_args,
    .tp_descr_get = descriptor_get_itself,
};

static PyTypeObject MethodDescriptor2_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "MethodDescriptor2",
    .tp_basicsize = sizeof(struct descriptor2),
    .tp_new = descriptor2_new,
    .tp_call = PyVectorcall_Call,
    .tp_vectorcall_offset = offsetof(struct descriptor2, vectorcall),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_VECTORCALL,
};

/* ---- a class whose vectorcall is set later ------------------------------------------------------------------- */

static PyObject *says_tp_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return PyUnicode_FromString("tp_call");
}

static PyObject *says_vectorcall(PyObject *callable, PyObject *const *args, size_t nargs,
                                 PyObject *names)
{
    return PyUnicode_FromString("vectorcall");
}

/* self.set_vectorcall(type): the slot of that type, which may be a base. */
static PyObject *set_vectorcall(PyObject *self, PyObject *type)
{
    if (!PyType_Check(type)
        || !PyType_HasFeature((PyTypeObject *)type, Py_TPFLAGS_HAVE_VECTORCALL)) {
        PyErr_SetString(PyExc_TypeError, "a type with vectorcall is needed");
        return NULL;
    }
    Py_ssize_t offset = ((PyTypeObject *)type)->tp_vectorcall_offset;
    *(vectorcallfunc *)((char *)self + offset) = says_vectorcall;
    Py_RETURN_NONE;
}

static PyMethodDef settable_methods[] = {ONE(set_vectorcall), {NULL}};

FUNCTIONN(make_vectorcall_class)
{
    PyTypeObject *base = NULL;
    if (!PyArg_ParseTuple(args, "|O!", &PyType_Type, &base)) {
        return NULL;
    }
    base = base == NULL ? &PyBaseObject_Type : base;
    PyMemberDef members[] = {
        {"__vectorcalloffset__", Py_T_PYSSIZET, base->tp_basicsize, Py_READONLY, NULL},
        {NULL},
    };
    PyType_Slot slots[] = {
        {Py_tp_call, says_tp_call},
        {Py_tp_members, members},
        {Py_tp_methods, settable_methods},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "_testcapi.VectorcallClass",
        .basicsize = (int)(base->tp_basicsize + (Py_ssize_t)sizeof(vectorcallfunc)),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_BASETYPE,
        .slots = slots,
    };
    return PyType_FromSpecWithBases(&spec, (PyObject *)base);
}

/* ---- making functions ------------------------------------------------------------------------------------------ */

static PyObject *created_noargs(PyObject *self, PyObject *Py_UNUSED(unused))
{
    return Py_NewRef(self_or_none(self));
}

static PyMethodDef created_definition = {"create_cfunction", created_noargs, METH_NOARGS, NULL};

/* A function whose self is fresh. */
FUNCTION0(create_cfunction)
{
    PyObject *self = PyDict_New();
    PyObject *function = self == NULL ? NULL : PyCFunction_New(&created_definition, self);
    Py_XDECREF(self);
    return function;
}

/* ---- docstrings -------------------------------------------------------------------------------------------------- */

FUNCTION0(documented)
{
    Py_RETURN_NONE;
}

#define NO_SIGNATURE "This docstring has no signature."
#define UNREPRESENTABLE(name, first)                                                               \
    name "(" first ", /, a, b=<x>)\n--\n\n"                                                        \
         "This docstring has a signature with unrepresentable default."

#define UNDOCUMENTED_SET(name, flags)                                                              \
    {"meth_noargs" name, documented, METH_NOARGS | (flags), NO_SIGNATURE},                         \
        {"meth_o" name, documented, METH_O | (flags), NO_SIGNATURE},

static PyMethodDef no_signature_methods[] = {
    UNDOCUMENTED_SET("", 0) UNDOCUMENTED_SET("_class", METH_CLASS)
        UNDOCUMENTED_SET("_static", METH_STATIC) UNDOCUMENTED_SET("_coexist", METH_COEXIST){NULL},
};

static PyMethodDef unrepresentable_methods[] = {
    {"meth", documented, METH_VARARGS, UNREPRESENTABLE("meth", "$self")},
    {"classmeth", documented, METH_VARARGS | METH_CLASS, UNREPRESENTABLE("classmeth", "$type")},
    {"staticmeth", documented, METH_VARARGS | METH_STATIC,
     "staticmeth(a, b=<x>)\n--\n\nThis docstring has a signature with unrepresentable default."},
    {"with_default", documented, METH_VARARGS,
     "with_default($self, /, x=ONE)\n--\n\n"
     "This instance method has a default parameter value from the module scope."},
    {NULL},
};

static PyTypeObject DocStringNoSignatureTest_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "_testcapi.DocStringNoSignatureTest",
    .tp_basicsize = sizeof(PyObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_methods = no_signature_methods,
    .tp_new = PyType_GenericNew,
};

static PyTypeObject DocStringUnrepresentableSignatureTest_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "_testcapi.DocStringUnrepresentableSignatureTest",
    .tp_basicsize = sizeof(PyObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_methods = unrepresentable_methods,
    .tp_new = PyType_GenericNew,
};

#define DOCUMENTED(name, doc)                                                                      \
    {                                                                                              \
#name, documented, METH_VARARGS, doc                                                       \
    }

/* ---- the part ---------------------------------------------------------------------------------------------------- */

static PyMethodDef methods[] = {
    VARARGS(pyobject_fastcalldict),
    VARARGS(pyobject_vectorcall),
    VARARGS(pyvectorcall_call),
    ONE(function_setvectorcall),
    VARARGS(pycfunction_call),
    NOARGS(return_null_without_error),
    NOARGS(return_result_with_error),
    VARARGS(getitem_with_error),
    METHOD_SET(0) VARARGS(make_vectorcall_class),
    NOARGS(create_cfunction),
    DOCUMENTED(no_docstring, NULL),
    DOCUMENTED(docstring_empty, ""),
    DOCUMENTED(docstring_no_signature, NO_SIGNATURE),
    {"docstring_no_signature_noargs", documented, METH_NOARGS, NO_SIGNATURE},
    {"docstring_no_signature_o", documented, METH_O, NO_SIGNATURE},
    DOCUMENTED(docstring_with_invalid_signature,
               "docstring_with_invalid_signature($module, /, boo)\n\n"
               "This docstring has an invalid signature."),
    DOCUMENTED(docstring_with_invalid_signature2,
               "docstring_with_invalid_signature2($module, /, boo)\n\n--\n\n"
               "This docstring also has an invalid signature."),
    DOCUMENTED(docstring_with_signature, "docstring_with_signature($module, /, sig)\n--\n\n"
                                         "This docstring has a valid signature."),
    DOCUMENTED(docstring_with_signature_but_no_doc,
               "docstring_with_signature_but_no_doc($module, /, sig)\n--\n\n"),
    DOCUMENTED(docstring_with_signature_and_extra_newlines,
               "docstring_with_signature_and_extra_newlines($module, /, parameter)\n--\n\n\n"
               "This docstring has a valid signature and some extra newlines."),
    DOCUMENTED(docstring_with_signature_with_defaults,
               "docstring_with_signature_with_defaults(module, s='avocado',\n"
               "        b=b'bytes', d=3.14, i=35, n=None, t=True, f=False,\n"
               "        local=the_number_three, sys=sys.maxsize,\n"
               "        exp=sys.maxsize - 1)\n--\n\n\n\n"
               "This docstring has a valid signature with parameters,\n"
               "and the parameters take defaults of varying types."),
    DOCUMENTED(func_with_unrepresentable_signature,
               UNREPRESENTABLE("func_with_unrepresentable_signature", "$module")),
    {"test_with_docstring", documented, METH_NOARGS, "This is a pretty normal docstring."},
    {NULL},
};

int add_calls(PyObject *module)
{
    MethodDescriptorDerived_Type.tp_base = &MethodDescriptorBase_Type;
    MethodDescriptorNopGet_Type.tp_base = &MethodDescriptorBase_Type;
    MethodDescriptor2_Type.tp_base = &MethodDescriptorBase_Type;
    PyTypeObject *const types[] = {
        &MethInstance_Type,
        &MethClass_Type,
        &MethStatic_Type,
        &MethodDescriptorBase_Type,
        &MethodDescriptorDerived_Type,
        &MethodDescriptorNopGet_Type,
        &MethodDescriptor2_Type,
        &DocStringNoSignatureTest_Type,
        &DocStringUnrepresentableSignatureTest_Type,
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (PyModule_AddType(module, types[i]) < 0) {
            return -1;
        }
    }
    return PyModule_AddFunctions(module, methods);
}
