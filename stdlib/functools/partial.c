/* functools.partial. */
#include "functools.h"

struct partial {
    PyObject_HEAD
    PyObject *func, *args, *keywords; /* callable, tuple, dict */
    PyObject *dict, *weaklist;
    PyObject *retired; /* what __setstate__ replaced: calls read the fields without a lock */
    vectorcallfunc vectorcall;
};

#include "partial.bind.h"

enum { STACK_ARGS = 12 };

/* ---- calling -------------------------------------------------------------------------------- */

/* The keywords of a call over the partial's own: a new dict. */
static PyObject *merged_keywords(PyObject *own, PyObject *const *values, PyObject *kwnames)
{
    PyObject *merged = PyDict_Copy(own);
    Py_ssize_t count = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
    for (Py_ssize_t i = 0; merged != NULL && i < count; i++) {
        if (PyDict_SetItem(merged, PyTuple_GET_ITEM(kwnames, i), values[i]) < 0) {
            Py_CLEAR(merged);
        }
    }
    return merged;
}

static PyObject *partial_call_full(struct partial *self, PyObject *const *joined, Py_ssize_t nargs,
                                   PyObject *kwnames)
{
    PyObject *own = self->keywords, *merged = NULL, *result = NULL;
    if (Py_EnterRecursiveCall(" while calling a Python object")) {
        return NULL; /* __setstate__ can make a partial of itself */
    }
    if (PyDict_GET_SIZE(own) == 0) {
        result = PyObject_Vectorcall(self->func, joined, (size_t)nargs, kwnames);
    } else if ((merged = merged_keywords(own, joined + nargs, kwnames)) != NULL) {
        result = PyObject_VectorcallDict(self->func, joined, (size_t)nargs, merged);
        Py_DECREF(merged);
    }
    Py_LeaveRecursiveCall();
    return result;
}

static PyObject *partial_vectorcall(PyObject *op, PyObject *const *args, size_t nargsf,
                                    PyObject *kwnames)
{
    struct partial *self = (struct partial *)op;
    PyObject *own = self->args;
    Py_ssize_t first = PyTuple_GET_SIZE(own), nargs = PyVectorcall_NARGS(nargsf);
    Py_ssize_t nkw = kwnames ? PyTuple_GET_SIZE(kwnames) : 0, total = first + nargs + nkw;
    if (first == 0 || total == first) {
        return partial_call_full(self, first == 0 ? args : bind_items(own), first + nargs, kwnames);
    }
    if (first == 1 && (nargsf & PY_VECTORCALL_ARGUMENTS_OFFSET)) {
        PyObject **window = (PyObject **)args - 1; /* ours to use during the call */
        PyObject *saved = window[0];
        window[0] = PyTuple_GET_ITEM(own, 0);
        PyObject *result = partial_call_full(self, window, nargs + 1, kwnames);
        window[0] = saved;
        return result;
    }
    PyObject *space[STACK_ARGS];
    PyObject **joined = space;
    if (total > STACK_ARGS && (joined = PyMem_New(PyObject *, total)) == NULL) {
        return PyErr_NoMemory();
    }
    memcpy(joined, bind_items(own), sizeof *joined * (size_t)first);
    memcpy(joined + first, args, sizeof *joined * (size_t)(nargs + nkw));
    PyObject *result = partial_call_full(self, joined, first + nargs, kwnames);
    if (joined != space) {
        PyMem_Free(joined);
    }
    return result;
}

/* ---- making --------------------------------------------------------------------------------- */

/* Whether a partial can be folded into the one made of it. */
static bool partial_is_plain(PyObject *func, PyTypeObject *type)
{
    return Py_IS_TYPE(func, type) && ((struct partial *)func)->dict == NULL;
}

static PyObject *partial_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) < 1) {
        PyErr_SetString(PyExc_TypeError, "type 'partial' takes at least one argument");
        return NULL;
    }
    PyObject *func = PyTuple_GET_ITEM(args, 0);
    if (!PyCallable_Check(func)) {
        PyErr_SetString(PyExc_TypeError, "the first argument must be callable");
        return NULL;
    }
    PyObject *module = PyType_GetModuleByDef(type, &functools_module);
    if (module == NULL) {
        return NULL;
    }
    struct functools_state *state = PyModule_GetState(module);
    PyObject *rest = PyTuple_GetSlice(args, 1, PY_SSIZE_T_MAX);
    PyObject *keywords = NULL;
    if (rest != NULL && partial_is_plain(func, (PyTypeObject *)state->partial_type)) {
        struct partial *inner = (struct partial *)func;
        func = inner->func;
        Py_SETREF(rest, PySequence_Concat(inner->args, rest));
        keywords = PyDict_Copy(inner->keywords);
        if (keywords != NULL && kwargs != NULL && PyDict_Update(keywords, kwargs) < 0) {
            Py_CLEAR(keywords);
        }
    } else if (rest != NULL) {
        keywords = kwargs ? PyDict_Copy(kwargs) : PyDict_New();
    }
    struct partial *self = rest && keywords ? type_make(type) : NULL;
    if (self == NULL) {
        Py_XDECREF(rest);
        Py_XDECREF(keywords);
        return NULL;
    }
    self->func = Py_NewRef(func);
    self->args = rest;
    self->keywords = keywords;
    self->vectorcall = partial_vectorcall;
    return (PyObject *)self;
}

GC_FIELDS(partial, func, args, keywords, dict, retired)

static void partial_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_TRASHCAN_BEGIN(op, partial_dealloc) PyTypeObject *type = Py_TYPE(op);
    PyObject_ClearWeakRefs(op);
    partial_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
    Py_TRASHCAN_END
}

/* ---- attributes ----------------------------------------------------------------------------- */

static PyObject *partial_descr_get(PyObject *op, PyObject *instance, PyObject *Py_UNUSED(owner))
{
    if (instance != NULL && instance != Py_None
        && PyErr_WarnEx(PyExc_FutureWarning,
                        "functools.partial will be a method descriptor in future Python versions; "
                        "wrap it in staticmethod() if you want to preserve the old behavior",
                        1)
               < 0) {
        return NULL;
    }
    return Py_NewRef(op);
}

/* Appends ", " and a text (stolen) to *list; -1 on error. */
static int add_part(PyObject *list, PyObject *text)
{
    int rc = text ? PyList_Append(list, text) : -1;
    Py_XDECREF(text);
    return rc;
}

static int partial_parts(struct partial *self, PyObject *list)
{
    if (add_part(list, PyObject_Repr(self->func)) < 0) {
        return -1;
    }
    PyObject *args = Py_NewRef(self->args), *keywords = PyDict_Copy(self->keywords);
    int rc = keywords ? 0 : -1;
    for (Py_ssize_t i = 0; rc == 0 && i < PyTuple_GET_SIZE(args); i++) {
        rc = add_part(list, PyObject_Repr(PyTuple_GET_ITEM(args, i)));
    }
    PyObject *key, *value;
    Py_ssize_t pos = 0;
    while (rc == 0 && PyDict_Next(keywords, &pos, &key, &value)) {
        rc = add_part(list, PyUnicode_FromFormat("%S=%R", key, value));
    }
    Py_DECREF(args);
    Py_XDECREF(keywords);
    return rc;
}

static PyObject *partial_repr(PyObject *op)
{
    int entered = Py_ReprEnter(op);
    if (entered != 0) {
        return entered > 0 ? PyUnicode_FromString("...") : NULL;
    }
    PyObject *result = NULL, *joined = NULL, *list = PyList_New(0);
    PyObject *comma = PyUnicode_FromString(", ");
    PyObject *name = PyType_GetFullyQualifiedName(Py_TYPE(op));
    if (list != NULL && comma != NULL && name != NULL
        && partial_parts((struct partial *)op, list) == 0) {
        joined = PyUnicode_Join(comma, list);
        result = joined ? PyUnicode_FromFormat("%U(%U)", name, joined) : NULL;
    }
    Py_XDECREF(list);
    Py_XDECREF(comma);
    Py_XDECREF(name);
    Py_XDECREF(joined);
    Py_ReprLeave(op);
    return result;
}

/* ---- pickling ------------------------------------------------------------------------------- */

static PyObject *partial_reduce(struct partial *self)
{
    return Py_BuildValue("O(O)(OOOO)", Py_TYPE(self), self->func, self->func, self->args,
                         self->keywords, self->dict ? self->dict : Py_None);
}

static int partial_setstate(struct partial *self, PyObject *state)
{
    PyObject *func, *args, *keywords, *dict;
    if (!PyTuple_Check(state) || PyTuple_GET_SIZE(state) != 4) {
        goto invalid;
    }
    func = PyTuple_GET_ITEM(state, 0);
    args = PyTuple_GET_ITEM(state, 1);
    keywords = PyTuple_GET_ITEM(state, 2);
    dict = PyTuple_GET_ITEM(state, 3);
    if (!PyCallable_Check(func) || !PyTuple_Check(args)
        || (keywords != Py_None && !PyDict_Check(keywords))) {
        goto invalid;
    }
    args = PyTuple_CheckExact(args) ? Py_NewRef(args) : PySequence_Tuple(args);
    keywords = keywords == Py_None           ? PyDict_New()
               : PyDict_CheckExact(keywords) ? Py_NewRef(keywords)
                                             : PyDict_Copy(keywords);
    PyObject *retired = Py_BuildValue("(OOOO)", self->func, self->args, self->keywords,
                                      self->retired ? self->retired : Py_None);
    if (args == NULL || keywords == NULL || retired == NULL) {
        Py_XDECREF(args);
        Py_XDECREF(keywords);
        Py_XDECREF(retired);
        return -1;
    }
    field_set(&self->retired, retired);
    field_set(&self->func, Py_NewRef(func));
    field_set(&self->args, args);
    field_set(&self->keywords, keywords);
    field_set(&self->dict, dict == Py_None ? NULL : Py_NewRef(dict));
    return 0;
invalid:
    PyErr_SetString(PyExc_TypeError, "invalid partial state");
    return -1;
}

/* ---- the type ------------------------------------------------------------------------------- */

static PyMemberDef partial_members[] = {
    {"func", Py_T_OBJECT_EX, offsetof(struct partial, func), Py_READONLY,
     "the function that gets called"},
    {"args", Py_T_OBJECT_EX, offsetof(struct partial, args), Py_READONLY,
     "the positional arguments put first"},
    {"keywords", Py_T_OBJECT_EX, offsetof(struct partial, keywords), Py_READONLY,
     "the keyword arguments put in"},
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(struct partial, weaklist), Py_READONLY, NULL},
    {"__dictoffset__", Py_T_PYSSIZET, offsetof(struct partial, dict), Py_READONLY, NULL},
    {"__vectorcalloffset__", Py_T_PYSSIZET, offsetof(struct partial, vectorcall), Py_READONLY,
     NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef partial_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot partial_slots[] = {
    GC_SLOTS(partial),
    {Py_tp_repr, partial_repr},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_getattro, PyObject_GenericGetAttr},
    {Py_tp_setattro, PyObject_GenericSetAttr},
    {Py_tp_doc, partial_doc},
    {Py_tp_methods, partial_methods},
    {Py_tp_members, partial_members},
    {Py_tp_getset, partial_getset},
    {Py_tp_descr_get, partial_descr_get},
    {Py_tp_new, partial_new},
    {0, NULL},
};

PyType_Spec partial_spec = {
    "functools.partial",
    sizeof(struct partial),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE
        | Py_TPFLAGS_HAVE_VECTORCALL,
    partial_slots,
};
