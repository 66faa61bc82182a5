/* The type `object`: making plain instances, pickling, __class__ and the default methods. */
#include "objects/object.h"

#include "locking/lock.h"
#include "locking/world.h"
#include "objects/dict.h"
#include "objects/error.h"
#include "objects/type.h"
#include "objects/type/internal.h"
#include "object_type.bind.h"

/* ---- __new__ and __init__ -------------------------------------------------------------------- */

static bool has_arguments(PyObject *args, PyObject *kwds)
{
    return PyTuple_GET_SIZE(args) != 0 || (kwds != NULL && PyDict_GET_SIZE(kwds) != 0);
}

/* Arguments are left to whichever of __new__ and __init__ the class overrides; when it overrides
 * none or both, they are a mistake. */
int object_init_slot(PyObject *self, PyObject *args, PyObject *kwds)
{
    PyTypeObject *type = Py_TYPE(self);
    if (!has_arguments(args, kwds)) {
        return 0;
    }
    if (type->tp_init != object_init_slot) {
        PyErr_SetString(PyExc_TypeError, "object.__init__() takes exactly one argument "
                                         "(the instance to initialize)");
        return -1;
    }
    if (type->tp_new == object_new_slot) {
        PyErr_Format(PyExc_TypeError,
                     "%.200s.__init__() takes exactly one argument "
                     "(the instance to initialize)",
                     type->tp_name);
        return -1;
    }
    return 0;
}

static void raise_abstract(PyTypeObject *type)
{
    PyObject *names = PyObject_GetAttr((PyObject *)type, ID(__abstractmethods__));
    PyObject *sorted = names == NULL ? NULL : PySequence_List(names);
    Py_XDECREF(names);
    if (sorted == NULL || PyList_Sort(sorted) < 0) {
        Py_XDECREF(sorted);
        return;
    }
    Py_ssize_t count = PyList_GET_SIZE(sorted);
    PyObject *separator = PyUnicode_FromString("', '");
    PyObject *joined = separator == NULL ? NULL : PyUnicode_Join(separator, sorted);
    if (joined != NULL) {
        PyErr_Format(PyExc_TypeError,
                     "Can't instantiate abstract class %s without an implementation for "
                     "abstract method%s '%U'",
                     type->tp_name, count > 1 ? "s" : "", joined);
    }
    Py_XDECREF(joined);
    Py_XDECREF(separator);
    Py_DECREF(sorted);
}

PyObject *object_new_slot(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    if (has_arguments(args, kwds)) {
        if (type->tp_new != object_new_slot) {
            PyErr_SetString(PyExc_TypeError, "object.__new__() takes exactly one argument "
                                             "(the type to instantiate)");
            return NULL;
        }
        if (type->tp_init == object_init_slot) {
            PyErr_Format(PyExc_TypeError, "%.200s() takes no arguments", type->tp_name);
            return NULL;
        }
    }
    if (type->tp_flags & Py_TPFLAGS_IS_ABSTRACT) {
        raise_abstract(type);
        return NULL;
    }
    return type->tp_alloc(type, 0);
}

static void base_dealloc(PyObject *self)
{
    Py_TYPE(self)->tp_free(self);
}

/* ---- text and comparison --------------------------------------------------------------------- */

static PyObject *base_repr(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject *module = type_module_name(type);
    if (module == NULL) {
        PyErr_Clear();
    }
    PyObject *name = PyType_GetQualName(type);
    PyObject *text = NULL;
    if (name != NULL) {
        bool plain =
            module == NULL || !PyUnicode_Check(module) || PyUnicode_EqualToUTF8(module, "builtins");
        text = plain ? PyUnicode_FromFormat("<%s object at %p>", type->tp_name, self)
                     : PyUnicode_FromFormat("<%U.%U object at %p>", module, name, self);
    }
    Py_XDECREF(name);
    Py_XDECREF(module);
    return text;
}

static PyObject *base_str(PyObject *self)
{
    reprfunc repr = Py_TYPE(self)->tp_repr;
    return (repr == NULL ? base_repr : repr)(self);
}

static PyObject *base_richcompare(PyObject *self, PyObject *other, int op)
{
    if (op == Py_EQ && self == other) {
        Py_RETURN_TRUE;
    }
    richcmpfunc compare = Py_TYPE(self)->tp_richcompare;
    if (op != Py_NE || compare == NULL) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    /* Not equal is the opposite of what the class says about equal. */
    PyObject *equal = compare(self, other, Py_EQ);
    if (equal == NULL || equal == Py_NotImplemented) {
        return equal;
    }
    int truth = PyObject_IsTrue(equal);
    Py_DECREF(equal);
    return truth < 0 ? NULL : PyBool_FromLong(!truth);
}

Py_hash_t PyObject_GenericHash(PyObject *op)
{
    return Py_HashPointer(op);
}

static PyObject *base_format(PyObject *self, PyObject *format_spec)
{
    if (PyUnicode_GET_LENGTH(format_spec) > 0) {
        PyErr_Format(PyExc_TypeError, "unsupported format string passed to %.200s.__format__",
                     Py_TYPE(self)->tp_name);
        return NULL;
    }
    return PyObject_Str(self);
}

static PyObject *base_sizeof(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_ssize_t size = type->tp_basicsize;
    if (type->tp_itemsize > 0) {
        Py_ssize_t count = Py_SIZE(self);
        size += (count < 0 ? -count : count) * type->tp_itemsize;
    }
    struct shape *shape = type_shape(type);
    if (shape != NULL) {
        size += shape->capacity * (Py_ssize_t)sizeof(value_t);
    }
    return PyLong_FromSsize_t(size);
}

/* ---- dir ------------------------------------------------------------------------------------- */

/* Adds the names of a class and all its bases, the bases' first. */
int class_names_merge(PyObject *names, PyObject *cls)
{
    if (Py_EnterRecursiveCall(" while collecting the names of a class")) {
        return -1;
    }
    PyObject *dict, *bases = NULL;
    int result = PyObject_GetOptionalAttr(cls, ID(__dict__), &dict);
    if (result > 0) {
        result = PyDict_Update(names, dict);
        Py_DECREF(dict);
    }
    if (result >= 0) {
        result = PyObject_GetOptionalAttr(cls, ID(__bases__), &bases);
    }
    Py_ssize_t count = bases == NULL ? 0 : PySequence_Size(bases);
    if (count < 0) {
        result = -1;
    }
    for (Py_ssize_t i = 0; result >= 0 && i < count; i++) {
        PyObject *base = PySequence_GetItem(bases, i);
        result = base == NULL ? -1 : class_names_merge(names, base);
        Py_XDECREF(base);
    }
    Py_XDECREF(bases);
    Py_LeaveRecursiveCall();
    return result < 0 ? -1 : 0;
}

static PyObject *base_dir(PyObject *self)
{
    PyObject *dict, *names = NULL, *cls = NULL, *result = NULL;
    int found = PyObject_GetOptionalAttr(self, ID(__dict__), &dict);
    if (found < 0) {
        return NULL;
    }
    if (found == 0 || !PyDict_Check(dict)) {
        names = PyDict_New();
    } else {
        names = PyDict_Copy(dict);
    }
    Py_XDECREF(dict);
    if (names != NULL && PyObject_GetOptionalAttr(self, ID(__class__), &cls) >= 0
        && (cls == NULL || class_names_merge(names, cls) == 0)) {
        result = PyDict_Keys(names);
    }
    Py_XDECREF(cls);
    Py_XDECREF(names);
    return result;
}

/* ---- subclasses ------------------------------------------------------------------------------ */

static PyObject *base_subclasshook(PyObject *Py_UNUSED(cls), PyObject *Py_UNUSED(args))
{
    Py_RETURN_NOTIMPLEMENTED;
}

static int base_init_subclass(PyTypeObject *Py_UNUSED(cls))
{
    return 0;
}

/* ---- __class__ ------------------------------------------------------------------------------- */

static PyObject *base_get_class(PyObject *self)
{
    return Py_NewRef((PyObject *)Py_TYPE(self));
}

static bool may_change_class(PyTypeObject *from, PyTypeObject *to)
{
    bool modules = PyType_IsSubtype(to, &PyModule_Type) && PyType_IsSubtype(from, &PyModule_Type);
    if (!modules && (type_is_immutable(to) || type_is_immutable(from))) {
        PyErr_Format(PyExc_TypeError, "__class__ assignment only supported for mutable types "
                                      "or ModuleType subclasses");
        return false;
    }
    return same_layout(from, to, "__class__");
}

static int base_set_class(PyObject *self, PyObject *value)
{
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "can't delete __class__ attribute");
        return -1;
    }
    if (!PyType_Check(value)) {
        PyErr_Format(PyExc_TypeError, "__class__ must be set to a class, not '%s' object",
                     Py_TYPE(value)->tp_name);
        return -1;
    }
    if (PySys_Audit("object.__setattr__", "OsO", self, "__class__", value) < 0) {
        return -1;
    }
    PyTypeObject *to = (PyTypeObject *)value, *from = Py_TYPE(self);
    if (!may_change_class(from, to)) {
        return -1;
    }
    /* Inline slots belong to the shape of the class that goes. */
    if (type_shape(from) != NULL && instance_dict(self) == NULL) {
        return -1;
    }
    if (type_is_heap(to)) {
        Py_INCREF(to);
    }
    world_stop(thread_interp(thread_self()));
    field_store_release(&self->ob_type, to);
    world_start(thread_interp(thread_self()));
    if (type_is_heap(from)) {
        Py_DECREF(from);
    }
    return 0;
}

/* ---- pickling -------------------------------------------------------------------------------- */

static PyObject *copyreg(void)
{
    PyObject *module = PyImport_GetModule(ID(copyreg));
    return module || PyErr_Occurred() ? module : PyImport_ImportModule("copyreg");
}

/* copyreg.name(args...) */
static PyObject *copyreg_call(const char *name, PyObject *arg)
{
    PyObject *module = copyreg();
    PyObject *func = module == NULL ? NULL : PyObject_GetAttrString(module, name);
    PyObject *result = func == NULL ? NULL : PyObject_CallOneArg(func, arg);
    Py_XDECREF(func);
    Py_XDECREF(module);
    return result;
}

/* The names of a class's slots, from copyreg, which keeps them in the class. */
static PyObject *slot_names(PyTypeObject *cls)
{
    PyObject *dict = type_dict(cls), *names;
    if (PyDict_GetItemRef(dict, ID(__slotnames__), &names) < 0) {
        return NULL;
    }
    if (names == NULL) {
        names = copyreg_call("_slotnames", (PyObject *)cls);
        if (names != NULL && names != Py_None && !PyList_Check(names)) {
            PyErr_SetString(PyExc_TypeError, "copyreg._slotnames didn't return a list or None");
            Py_CLEAR(names);
        }
    } else if (names != Py_None && !PyList_Check(names)) {
        PyErr_Format(PyExc_TypeError, "%.200s.__slotnames__ should be a list or None, not %.200s",
                     cls->tp_name, Py_TYPE(names)->tp_name);
        Py_CLEAR(names);
    }
    return names;
}

/* The values of the slots that are set, as a dict; NULL with an exception. */
static PyObject *slot_values(PyObject *obj, PyObject *names)
{
    PyObject *values = PyDict_New();
    for (Py_ssize_t i = 0; values != NULL && i < PyList_GET_SIZE(names); i++) {
        PyObject *name = Py_NewRef(PyList_GET_ITEM(names, i)), *value;
        int found = PyObject_GetOptionalAttr(obj, name, &value);
        if (found < 0 || (found > 0 && PyDict_SetItem(values, name, value) < 0)) {
            Py_CLEAR(values);
        }
        Py_XDECREF(value);
        Py_DECREF(name);
    }
    return values;
}

/* Whether the instance has fields that neither its dict nor its slots account for. */
static bool has_hidden_fields(PyTypeObject *type, Py_ssize_t slots)
{
    Py_ssize_t size = PyBaseObject_Type.tp_basicsize;
    if (type->tp_dictoffset != 0 && !(type->tp_flags & Py_TPFLAGS_MANAGED_DICT)) {
        size += (Py_ssize_t)sizeof(PyObject *);
    }
    if (type->tp_weaklistoffset > 0) {
        size += (Py_ssize_t)sizeof(PyObject *);
    }
    return type->tp_basicsize > size + slots * (Py_ssize_t)sizeof(PyObject *);
}

/* Whether there is surely nothing in the instance's dict. */
static bool has_empty_dict(PyObject *obj)
{
    PyTypeObject *type = Py_TYPE(obj);
    if (type->tp_flags & Py_TPFLAGS_MANAGED_DICT) {
        return instance_is_empty(obj);
    }
    if (type->tp_dictoffset <= 0) {
        return false;
    }
    PyObject *dict = *(PyObject **)((char *)obj + type->tp_dictoffset);
    return dict == NULL || PyDict_GET_SIZE(dict) == 0;
}

static PyObject *default_state(PyObject *obj, bool required)
{
    PyTypeObject *type = Py_TYPE(obj);
    if (required && type->tp_itemsize != 0) {
        PyErr_Format(PyExc_TypeError, "cannot pickle %.200s objects", type->tp_name);
        return NULL;
    }
    PyObject *state;
    if (has_empty_dict(obj)) {
        state = Py_NewRef(Py_None);
    } else {
        PyObject *dict;
        int found = PyObject_GetOptionalAttr(obj, ID(__dict__), &dict);
        if (found < 0) {
            return NULL;
        }
        state = found == 0 || type->tp_dictoffset == 0 ? Py_NewRef(Py_None) : Py_NewRef(dict);
        Py_XDECREF(dict);
    }
    PyObject *names = slot_names(type);
    if (names == NULL) {
        Py_DECREF(state);
        return NULL;
    }
    Py_ssize_t count = names == Py_None ? 0 : PyList_GET_SIZE(names);
    if (required && has_hidden_fields(type, count)) {
        PyErr_Format(PyExc_TypeError, "cannot pickle '%.200s' object", type->tp_name);
        Py_CLEAR(state);
    } else if (count > 0) {
        PyObject *values = slot_values(obj, names);
        if (values == NULL) {
            Py_CLEAR(state);
        } else if (PyDict_GET_SIZE(values) > 0) {
            Py_SETREF(state, PyTuple_Pack(2, state, values));
        }
        Py_XDECREF(values);
    }
    Py_DECREF(names);
    return state;
}

static PyObject *base_getstate(PyObject *self)
{
    return default_state(self, false);
}

static PyObject *state_of(PyObject *obj, bool required)
{
    PyObject *getstate = PyObject_GetAttr(obj, ID(__getstate__));
    if (getstate == NULL) {
        return NULL;
    }
    PyObject *state;
    if (PyCFunction_Check(getstate) && PyCFunction_GET_SELF(getstate) == obj
        && PyCFunction_GET_FUNCTION(getstate) == BIND_FUNC(bind_base_getstate)) {
        state = default_state(obj, required);
    } else {
        state = PyObject_CallNoArgs(getstate);
    }
    Py_DECREF(getstate);
    return state;
}

PyObject *object_get_state(PyObject *op)
{
    return state_of(op, false);
}

PyObject *_PyObject_GetState(PyObject *op)
{
    return state_of(op, false);
}

/* Arguments for __new__: *args and *kwargs, each a new reference or NULL for none. */
static int new_arguments(PyObject *obj, PyObject **args, PyObject **kwargs)
{
    *args = *kwargs = NULL;
    PyObject *method = object_lookup_special(obj, ID(__getnewargs_ex__));
    if (method != NULL) {
        PyObject *pair = PyObject_CallNoArgs(method);
        Py_DECREF(method);
        if (pair == NULL) {
            return -1;
        }
        if (!PyTuple_Check(pair)) {
            PyErr_Format(PyExc_TypeError, "__getnewargs_ex__ should return a tuple, not '%.200s'",
                         Py_TYPE(pair)->tp_name);
        } else if (PyTuple_GET_SIZE(pair) != 2) {
            PyErr_Format(PyExc_ValueError,
                         "__getnewargs_ex__ should return a tuple of length 2, not %zd",
                         PyTuple_GET_SIZE(pair));
        } else if (!PyTuple_Check(PyTuple_GET_ITEM(pair, 0))) {
            PyErr_Format(PyExc_TypeError,
                         "first item of the tuple returned by "
                         "__getnewargs_ex__ must be a tuple, not '%.200s'",
                         Py_TYPE(PyTuple_GET_ITEM(pair, 0))->tp_name);
        } else if (!PyDict_Check(PyTuple_GET_ITEM(pair, 1))) {
            PyErr_Format(PyExc_TypeError,
                         "second item of the tuple returned by "
                         "__getnewargs_ex__ must be a dict, not '%.200s'",
                         Py_TYPE(PyTuple_GET_ITEM(pair, 1))->tp_name);
        } else {
            *args = Py_NewRef(PyTuple_GET_ITEM(pair, 0));
            *kwargs = Py_NewRef(PyTuple_GET_ITEM(pair, 1));
        }
        Py_DECREF(pair);
        return *args == NULL ? -1 : 0;
    }
    if (PyErr_Occurred()) {
        return -1;
    }
    method = object_lookup_special(obj, ID(__getnewargs__));
    if (method == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    *args = PyObject_CallNoArgs(method);
    Py_DECREF(method);
    if (*args != NULL && !PyTuple_Check(*args)) {
        PyErr_Format(PyExc_TypeError, "__getnewargs__ should return a tuple, not '%.200s'",
                     Py_TYPE(*args)->tp_name);
        Py_CLEAR(*args);
    }
    return *args == NULL ? -1 : 0;
}

/* Iterators over what a list or dict subclass contains; None else. */
static int content_iterators(PyObject *obj, PyObject **list_items, PyObject **dict_items)
{
    *list_items = PyList_Check(obj) ? PyObject_GetIter(obj) : Py_NewRef(Py_None);
    if (!PyDict_Check(obj)) {
        *dict_items = Py_NewRef(Py_None);
    } else {
        PyObject *items = PyObject_CallMethodNoArgs(obj, ID(items));
        *dict_items = items == NULL ? NULL : PyObject_GetIter(items);
        Py_XDECREF(items);
    }
    return *list_items == NULL || *dict_items == NULL ? -1 : 0;
}

/* The class followed by the arguments. */
static PyObject *class_and(PyTypeObject *cls, PyObject *args)
{
    Py_ssize_t count = args == NULL ? 0 : PyTuple_GET_SIZE(args);
    PyObject *all = PyTuple_New(count + 1);
    if (all == NULL) {
        return NULL;
    }
    PyTuple_SET_ITEM(all, 0, Py_NewRef((PyObject *)cls));
    for (Py_ssize_t i = 0; i < count; i++) {
        PyTuple_SET_ITEM(all, i + 1, Py_NewRef(PyTuple_GET_ITEM(args, i)));
    }
    return all;
}

/* Protocol 2 and above. */
static PyObject *reduce_by_new(PyObject *obj)
{
    PyTypeObject *type = Py_TYPE(obj);
    PyObject *args, *kwargs;
    if (type->tp_new == NULL) {
        PyErr_Format(PyExc_TypeError, "cannot pickle '%.200s' object", type->tp_name);
        return NULL;
    }
    if (new_arguments(obj, &args, &kwargs) < 0) {
        return NULL;
    }
    bool has_args = args != NULL, has_kwargs = kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0;
    PyObject *module = copyreg(), *func = NULL, *func_args = NULL, *result = NULL;
    if (module != NULL) {
        func = PyObject_GetAttr(module, has_kwargs ? ID(__newobj_ex__) : ID(__newobj__));
        func_args = has_kwargs ? PyTuple_Pack(3, type, args, kwargs) : class_and(type, args);
    }
    Py_XDECREF(module);
    Py_XDECREF(args);
    Py_XDECREF(kwargs);
    PyObject *state = NULL, *list_items = NULL, *dict_items = NULL;
    if (func != NULL && func_args != NULL) {
        state = state_of(obj, !(has_args || PyList_Check(obj) || PyDict_Check(obj)));
        if (state != NULL && content_iterators(obj, &list_items, &dict_items) == 0) {
            result = PyTuple_Pack(5, func, func_args, state, list_items, dict_items);
        }
    }
    Py_XDECREF(func);
    Py_XDECREF(func_args);
    Py_XDECREF(state);
    Py_XDECREF(list_items);
    Py_XDECREF(dict_items);
    return result;
}

static PyObject *common_reduce(PyObject *self, int protocol)
{
    if (protocol >= 2) {
        return reduce_by_new(self);
    }
    PyObject *module = copyreg();
    if (module == NULL) {
        return NULL;
    }
    PyObject *result = PyObject_CallMethod(module, "_reduce_ex", "Oi", self, protocol);
    Py_DECREF(module);
    return result;
}

static PyObject *base_reduce(PyObject *self)
{
    return common_reduce(self, 0);
}

static PyObject *base_reduce_ex(PyObject *self, int protocol)
{
    PyObject *reduce;
    PyTypeObject *type = Py_TYPE(self);
    if (type->tp_getattro == PyObject_GenericGetAttr && Py_IS_TYPE(type, &PyType_Type)
        && type_lookup(type, ID(__reduce__), NULL)
               == type_lookup(&PyBaseObject_Type, ID(__reduce__), NULL)) {
        return common_reduce(self, protocol);
    }
    if (PyObject_GetOptionalAttr(self, ID(__reduce__), &reduce) < 0) {
        return NULL;
    }
    if (reduce != NULL) {
        PyObject *of_class = PyObject_GetAttr((PyObject *)Py_TYPE(self), ID(__reduce__));
        if (of_class == NULL) {
            Py_DECREF(reduce);
            return NULL;
        }
        bool overridden = of_class != type_lookup(&PyBaseObject_Type, ID(__reduce__), NULL);
        Py_DECREF(of_class);
        if (overridden) {
            PyObject *result = PyObject_CallNoArgs(reduce);
            Py_DECREF(reduce);
            return result;
        }
        Py_DECREF(reduce);
    }
    return common_reduce(self, protocol);
}

/* ---- the type -------------------------------------------------------------------------------- */

PyTypeObject PyBaseObject_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "object",
    .tp_basicsize = sizeof(PyObject),
    .tp_dealloc = base_dealloc,
    .tp_repr = base_repr,
    .tp_hash = PyObject_GenericHash,
    .tp_str = base_str,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_setattro = PyObject_GenericSetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "object()\n--\n\n" base_doc,
    .tp_richcompare = base_richcompare,
    .tp_methods = base_methods,
    .tp_getset = base_getset,
    .tp_init = object_init_slot,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = object_new_slot,
    .tp_free = PyObject_Free,
};
