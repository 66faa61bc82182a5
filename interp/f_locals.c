/*
 * frame.f_locals of functions: a mapping that reads and writes the registers of a frame (PEP 667).
 *
 * Names that the code does not know go to a dict of the frame object (f_extra_locals). A value that a write
 * replaces stays alive in f_locals_cache, since a register further up may hold it uncounted.
 */
#include "interp/vm/vm.h"

struct proxy {
    PyObject_HEAD
    PyFrameObject *frame;
};

static struct frame *proxy_frame(PyObject *self)
{
    return frame_of_object(((struct proxy *)self)->frame);
}

PyObject *frame_locals_proxy(PyFrameObject *op)
{
    struct proxy *self = (struct proxy *)object_new(&PyFrameLocalsProxy_Type, 0);
    if (self != NULL) {
        self->frame = (PyFrameObject *)Py_NewRef((PyObject *)op);
        PyObject_GC_Track(self);
    }
    return (PyObject *)self;
}

/* ---- variables ------------------------------------------------------------------------------- */

/* New reference to variable i, NULL without an exception when unbound. */
static PyObject *variable(struct frame *frame, int i)
{
    PyObject *value;
    if (frame_local_get(frame, i, &value) < 0 || value == NULL) {
        return NULL;
    }
    if (PyCell_Check(value)
        && (code_local_kind(frame_code(frame), i) & (CODE_FAST_CELL | CODE_FAST_FREE))) {
        Py_SETREF(value, cell_load(value));
    }
    return value;
}

/* The index of a name, bound or not when `any`; -1 none, -2 with an exception. */
static int find(struct frame *frame, PyObject *key, bool any)
{
    PyCodeObject *code = frame_code(frame);
    if (PyObject_Hash(key) == -1) {
        return -2;
    }
    for (int i = 0; i < code->co_nlocalsplus; i++) {
        PyObject *name = PyTuple_GET_ITEM(code->co_localsplusnames, i);
        int equal = name == key ? 1 : PyObject_RichCompareBool(name, key, Py_EQ);
        if (equal < 0) {
            return -2;
        }
        if (equal) {
            if (any) {
                if (!(code_local_kind(code, i) & CODE_FAST_HIDDEN)) {
                    return i;
                }
            } else {
                PyObject *value = variable(frame, i);
                if (value != NULL) {
                    Py_DECREF(value);
                    return i;
                }
            }
        }
    }
    return -1;
}

static int keep_alive(PyFrameObject *op, PyObject *value)
{
    if (op->f_locals_cache == NULL && (op->f_locals_cache = PyList_New(0)) == NULL) {
        return -1;
    }
    return PyList_Append(op->f_locals_cache, value);
}

static int set_variable(PyFrameObject *op, int i, PyObject *value)
{
    struct frame *frame = frame_of_object(op);
    value_t old = frame->r[i];
    if (value_is_pointer(old) && old != VALUE_NULL && PyCell_Check(value_object(old))
        && (code_local_kind(frame_code(frame), i) & (CODE_FAST_CELL | CODE_FAST_FREE))) {
        return PyCell_Set(value_object(old), value);
    }
    if (value_is_pointer(old) && old != VALUE_NULL && keep_alive(op, value_object(old)) < 0) {
        return -1;
    }
    frame->r[i] = value_from_owned(Py_NewRef(value));
    value_release(old);
    return 0;
}

/* ---- mapping --------------------------------------------------------------------------------- */

static PyObject *extra_locals(PyObject *self)
{
    return ((struct proxy *)self)->frame->f_extra_locals;
}

static PyObject *proxy_subscript(PyObject *self, PyObject *key)
{
    struct frame *frame = proxy_frame(self);
    int i = find(frame, key, false);
    if (i == -2) {
        return NULL;
    }
    if (i >= 0) {
        return variable(frame, i);
    }
    PyObject *value = NULL, *extra = extra_locals(self);
    if (extra != NULL && PyDict_GetItemRef(extra, key, &value) != 0) {
        return value;
    }
    PyErr_Format(PyExc_KeyError, "local variable '%R' is not defined", key);
    return NULL;
}

static int proxy_store(PyObject *self, PyObject *key, PyObject *value)
{
    PyFrameObject *op = ((struct proxy *)self)->frame;
    int i = find(proxy_frame(self), key, true), status;
    if (i == -2) {
        return -1;
    }
    if (i >= 0) {
        if (value == NULL) {
            PyErr_SetString(PyExc_ValueError, "cannot remove local variables from "
                                              "FrameLocalsProxy");
            return -1;
        }
        CRITICAL_SECTION(op);
        status = set_variable(op, i, value);
        CRITICAL_SECTION_END();
        return status;
    }
    if (value == NULL) {
        if (op->f_extra_locals != NULL) {
            return PyDict_DelItem(op->f_extra_locals, key);
        }
        PyErr_SetObject(PyExc_KeyError, key);
        return -1;
    }
    if (op->f_extra_locals == NULL && (op->f_extra_locals = PyDict_New()) == NULL) {
        return -1;
    }
    return PyDict_SetItem(op->f_extra_locals, key, value);
}

/* Keys of bound variables, then the extra ones: new list. */
static PyObject *proxy_keys(PyObject *self, PyObject *unused)
{
    (void)unused;
    struct frame *frame = proxy_frame(self);
    PyCodeObject *code = frame_code(frame);
    PyObject *list = PyList_New(0), *extra = extra_locals(self);
    for (int i = 0; list != NULL && i < code->co_nlocalsplus; i++) {
        PyObject *value = variable(frame, i);
        if (value != NULL) {
            Py_DECREF(value);
            if (PyList_Append(list, PyTuple_GET_ITEM(code->co_localsplusnames, i)) < 0) {
                Py_CLEAR(list);
            }
        }
    }
    Py_ssize_t pos = 0;
    PyObject *key, *value;
    while (list != NULL && extra != NULL && PyDict_Next(extra, &pos, &key, &value)) {
        if (PyList_Append(list, key) < 0) {
            Py_CLEAR(list);
        }
    }
    return list;
}

/* A snapshot: new dict. */
static PyObject *proxy_copy(PyObject *self, PyObject *unused)
{
    PyObject *keys = proxy_keys(self, unused), *dict = keys ? PyDict_New() : NULL;
    for (Py_ssize_t i = 0; dict != NULL && i < PyList_GET_SIZE(keys); i++) {
        PyObject *key = PyList_GET_ITEM(keys, i), *value = proxy_subscript(self, key);
        if (value == NULL || PyDict_SetItem(dict, key, value) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(value);
    }
    Py_XDECREF(keys);
    return dict;
}

static PyObject *proxy_values(PyObject *self, PyObject *unused)
{
    PyObject *dict = proxy_copy(self, unused), *list = dict ? PyDict_Values(dict) : NULL;
    Py_XDECREF(dict);
    return list;
}

static PyObject *proxy_items(PyObject *self, PyObject *unused)
{
    PyObject *dict = proxy_copy(self, unused), *list = dict ? PyDict_Items(dict) : NULL;
    Py_XDECREF(dict);
    return list;
}

static Py_ssize_t proxy_length(PyObject *self)
{
    PyObject *keys = proxy_keys(self, NULL);
    Py_ssize_t n = keys ? PyList_GET_SIZE(keys) : -1;
    Py_XDECREF(keys);
    return n;
}

static int proxy_contains(PyObject *self, PyObject *key)
{
    int i = find(proxy_frame(self), key, false);
    if (i == -2) {
        return -1;
    }
    PyObject *extra = extra_locals(self);
    return i >= 0 ? 1 : extra ? PyDict_Contains(extra, key) : 0;
}

static PyObject *proxy_iter(PyObject *self)
{
    PyObject *keys = proxy_keys(self, NULL), *it = keys ? PyObject_GetIter(keys) : NULL;
    Py_XDECREF(keys);
    return it;
}

static PyObject *proxy_reversed(PyObject *self, PyObject *unused)
{
    PyObject *keys = proxy_keys(self, unused), *it = NULL;
    if (keys != NULL && PyList_Reverse(keys) == 0) {
        it = PyObject_GetIter(keys);
    }
    Py_XDECREF(keys);
    return it;
}

static PyObject *proxy_contains_method(PyObject *self, PyObject *key)
{
    int found = proxy_contains(self, key);
    return found < 0 ? NULL : PyBool_FromLong(found);
}

static bool count_arguments(const char *name, Py_ssize_t nargs, Py_ssize_t low, Py_ssize_t high)
{
    if (nargs >= low && nargs <= high) {
        return true;
    }
    PyErr_Format(PyExc_TypeError, "%s expected at %s %zd argument%s, got %zd", name,
                 nargs < low ? "least" : "most", nargs < low ? low : high,
                 (nargs < low ? low : high) == 1 ? "" : "s", nargs);
    return false;
}

/* 1 and the value, 0, -1. */
static int lookup(PyObject *self, PyObject *key, PyObject **value)
{
    *value = proxy_subscript(self, key);
    if (*value != NULL) {
        return 1;
    }
    if (PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyErr_Clear();
        return 0;
    }
    return -1;
}

static PyObject *proxy_get(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *value;
    if (!count_arguments("get", nargs, 1, 2) || lookup(self, args[0], &value) < 0) {
        return NULL;
    }
    return value ? value : Py_NewRef(nargs == 2 ? args[1] : Py_None);
}

static PyObject *proxy_setdefault(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *value;
    if (!count_arguments("setdefault", nargs, 1, 2) || lookup(self, args[0], &value) < 0) {
        return NULL;
    }
    if (value == NULL) {
        value = Py_NewRef(nargs == 2 ? args[1] : Py_None);
        if (proxy_store(self, args[0], value) < 0) {
            Py_CLEAR(value);
        }
    }
    return value;
}

static PyObject *proxy_pop(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (!count_arguments("pop", nargs, 1, 2)) {
        return NULL;
    }
    int i = find(proxy_frame(self), args[0], true);
    if (i == -2) {
        return NULL;
    }
    if (i >= 0) {
        PyErr_SetString(PyExc_ValueError, "cannot remove local variables from FrameLocalsProxy");
        return NULL;
    }
    PyObject *value = NULL, *extra = extra_locals(self);
    if (extra != NULL && PyDict_Pop(extra, args[0], &value) != 0) {
        return value;
    }
    if (nargs == 2) {
        return Py_NewRef(args[1]);
    }
    PyErr_SetObject(PyExc_KeyError, args[0]);
    return NULL;
}

/* Takes over all items of a mapping (or of a proxy). */
static int merge(PyObject *self, PyObject *other)
{
    PyObject *items = PyMapping_Items(other);
    for (Py_ssize_t i = 0; items != NULL && i < PyList_GET_SIZE(items); i++) {
        PyObject *pair = PyList_GET_ITEM(items, i);
        if (proxy_store(self, PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1)) < 0) {
            Py_DECREF(items);
            return -1;
        }
    }
    Py_XDECREF(items);
    return items == NULL ? -1 : 0;
}

static PyObject *proxy_update(PyObject *self, PyObject *other)
{
    if (merge(self, other) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_ValueError)) {
            PyErr_SetString(PyExc_TypeError, "update() argument must be dict or another "
                                             "FrameLocalsProxy");
        }
        return NULL;
    }
    Py_RETURN_NONE;
}

static bool mapping_like(PyObject *op)
{
    return PyDict_Check(op) || Py_IS_TYPE(op, &PyFrameLocalsProxy_Type);
}

static PyObject *proxy_or(PyObject *left, PyObject *right)
{
    if (!mapping_like(left) || !mapping_like(right)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *dict = PyDict_New();
    if (dict != NULL && (PyDict_Update(dict, left) < 0 || PyDict_Update(dict, right) < 0)) {
        Py_CLEAR(dict);
    }
    return dict;
}

static PyObject *proxy_inplace_or(PyObject *self, PyObject *other)
{
    if (!mapping_like(other)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return merge(self, other) < 0 ? NULL : Py_NewRef(self);
}

static PyObject *proxy_compare(PyObject *self, PyObject *other, int op)
{
    if (Py_IS_TYPE(other, &PyFrameLocalsProxy_Type)) {
        bool same = ((struct proxy *)self)->frame == ((struct proxy *)other)->frame;
        if (op == Py_EQ || op == Py_NE) {
            return PyBool_FromLong(same == (op == Py_EQ));
        }
    } else if (PyDict_Check(other)) {
        PyObject *dict = proxy_copy(self, NULL);
        PyObject *result = dict ? PyObject_RichCompare(dict, other, op) : NULL;
        Py_XDECREF(dict);
        return result;
    }
    Py_RETURN_NOTIMPLEMENTED;
}

static PyObject *proxy_repr(PyObject *self)
{
    int inside = Py_ReprEnter(self);
    if (inside != 0) {
        return inside > 0 ? PyUnicode_FromString("{...}") : NULL;
    }
    PyObject *dict = proxy_copy(self, NULL), *text = dict ? PyObject_Repr(dict) : NULL;
    Py_XDECREF(dict);
    Py_ReprLeave(self);
    return text;
}

/* ---- type ------------------------------------------------------------------------------------ */

static PyObject *proxy_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)type;
    if (PyTuple_GET_SIZE(args) != 1 || (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0)) {
        PyErr_Format(PyExc_TypeError, "FrameLocalsProxy expected 1 argument, got %zd",
                     PyTuple_GET_SIZE(args));
        return NULL;
    }
    PyObject *frame = PyTuple_GET_ITEM(args, 0);
    if (!PyFrame_Check(frame)) {
        PyErr_Format(PyExc_TypeError, "expect frame, not %T", frame);
        return NULL;
    }
    return frame_locals_proxy((PyFrameObject *)frame);
}

static int proxy_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((struct proxy *)self)->frame);
    return 0;
}

static int proxy_clear(PyObject *self)
{
    Py_CLEAR(((struct proxy *)self)->frame);
    return 0;
}

static void proxy_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    proxy_clear(self);
    PyObject_GC_Del(self);
}

static PyMethodDef proxy_methods[] = {
    {"__contains__", proxy_contains_method, METH_O | METH_COEXIST, NULL},
    {"__getitem__", proxy_subscript, METH_O | METH_COEXIST, NULL},
    {"update", proxy_update, METH_O, NULL},
    {"__reversed__", proxy_reversed, METH_NOARGS, NULL},
    {"copy", proxy_copy, METH_NOARGS, NULL},
    {"keys", proxy_keys, METH_NOARGS, NULL},
    {"values", proxy_values, METH_NOARGS, NULL},
    {"items", proxy_items, METH_NOARGS, NULL},
    {"get", _PyCFunction_CAST(proxy_get), METH_FASTCALL, NULL},
    {"pop", _PyCFunction_CAST(proxy_pop), METH_FASTCALL, NULL},
    {"setdefault", _PyCFunction_CAST(proxy_setdefault), METH_FASTCALL, NULL},
    {0},
};

static PyNumberMethods proxy_number = {.nb_or = proxy_or, .nb_inplace_or = proxy_inplace_or};
static PySequenceMethods proxy_sequence = {.sq_contains = proxy_contains};
static PyMappingMethods proxy_mapping = {
    .mp_length = proxy_length,
    .mp_subscript = proxy_subscript,
    .mp_ass_subscript = proxy_store,
};

PyTypeObject PyFrameLocalsProxy_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "FrameLocalsProxy",
    .tp_basicsize = sizeof(struct proxy),
    .tp_dealloc = proxy_dealloc,
    .tp_repr = proxy_repr,
    .tp_as_number = &proxy_number,
    .tp_as_sequence = &proxy_sequence,
    .tp_as_mapping = &proxy_mapping,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_MAPPING,
    .tp_traverse = proxy_traverse,
    .tp_clear = proxy_clear,
    .tp_richcompare = proxy_compare,
    .tp_iter = proxy_iter,
    .tp_methods = proxy_methods,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = proxy_new,
    .tp_free = PyObject_GC_Del,
};
