/*
 * Python functions.
 */
#include "interp/vm/vm.h"

#include "objects/birth.h"
#include "objects/gc/gc.h"
#include "objects/weakref.h"

#include "function.bind.h"

#define FUNCTION(op) ((PyFunctionObject *)(op))

/* ---- making ---------------------------------------------------------------------------------- */

/* Where dicts of globals have __name__ and __builtins__: version of the keys, and below it an index of 16 bits for
 * each. Each word is whole, whoever writes it. */
static uint64_t known_globals[64];

/* New references to the values of __name__ and __builtins__ in globals whose places are known; false: not here. */
static bool get_known(PyObject *globals, PyObject **name, PyObject **builtins)
{
    if (!PyDict_CheckExact(globals)) {
        return false;
    }
    PyDictKeysObject *keys = field_load_acquire(&((PyDictObject *)globals)->ma_keys);
    uint32_t version = field_load(&keys->version);
    uint64_t known = field_load(&known_globals[version % Py_ARRAY_LENGTH(known_globals)]);
    if (version == 0 || known >> 32 != version) {
        return false;
    }
    PyObject **at_name = dict_cached_slot(globals, version, (known >> 16) & 0xFFFF);
    PyObject **at_builtins = dict_cached_slot(globals, version, known & 0xFFFF);
    bool empty;
    if (at_name == NULL || at_builtins == NULL || (*name = ref_try_load(at_name, &empty)) == NULL) {
        return false;
    }
    *builtins = ref_try_load(at_builtins, &empty);
    if (*builtins == NULL) {
        Py_DECREF(*name);
        return false;
    }
    return true;
}

static void learn_globals(PyObject *globals)
{
    if (!PyDict_CheckExact(globals)) {
        return;
    }
    PyDictKeysObject *keys = field_load_acquire(&((PyDictObject *)globals)->ma_keys);
    uint32_t version = field_load(&keys->version);
    if (version != 0) {
        Py_ssize_t name = dict_str_index(globals, ID(__name__));
        Py_ssize_t builtins = dict_str_index(globals, ID(__builtins__));
        if (name >= 0 && builtins >= 0 && name <= 0xFFFF && builtins <= 0xFFFF
            && dict_cached_slot(globals, version, 0) != NULL) {
            field_store(&known_globals[version % Py_ARRAY_LENGTH(known_globals)],
                        (uint64_t)version << 32 | (uint64_t)name << 16 | (uint64_t)builtins);
        }
    }
}

/* What a new function takes from its globals: new references, *name perhaps NULL. 0, or -1 with an exception. */
static int function_surroundings(PyObject *globals, PyObject **name, PyObject **builtins)
{
    if (!get_known(globals, name, builtins)) {
        learn_globals(globals);
        if (PyDict_GetItemRef(globals, ID(__builtins__), builtins) < 0) {
            return -1;
        }
        if (*builtins == NULL && (*builtins = Py_XNewRef(PyEval_GetBuiltins())) == NULL) {
            return -1;
        }
        if (PyDict_GetItemRef(globals, ID(__name__), name) < 0) {
            Py_DECREF(*builtins);
            return -1;
        }
    }
    if (unlikely(!PyDict_CheckExact(*builtins)) && PyModule_Check(*builtins)) {
        PyObject *module = *builtins;
        *builtins = Py_NewRef(PyModule_GetDict(module));
        Py_DECREF(module);
    }
    return 0;
}

static int watcher_count; /* how many watchers there are */
static void tell_watchers(PyFunction_WatchEvent event, PyFunctionObject *func, PyObject *value);

PyObject *PyFunction_NewWithQualName(PyObject *op, PyObject *globals, PyObject *qualname)
{
    PyCodeObject *code = (PyCodeObject *)op;
    PyObject *builtins, *module;
    if (function_surroundings(globals, &module, &builtins) < 0) {
        return NULL;
    }
    PyFunctionObject *func =
        (PyFunctionObject *)birth_of_container(&PyFunction_Type, sizeof(PyFunctionObject));
    if (func == NULL) {
        Py_XDECREF(module);
        Py_DECREF(builtins);
        return NULL;
    }
    PyObject *doc = Py_None;
    if (PyTuple_GET_SIZE(code->co_consts) > 0
        && PyUnicode_Check(PyTuple_GET_ITEM(code->co_consts, 0))) {
        doc = PyTuple_GET_ITEM(code->co_consts, 0);
    }
    func->func_globals = Py_NewRef(globals);
    func->func_builtins = builtins;
    func->func_name = Py_NewRef(code->co_name);
    func->func_qualname = Py_NewRef(qualname != NULL ? qualname : code->co_qualname);
    func->func_code = Py_NewRef(op);
    func->func_defaults = func->func_kwdefaults = func->func_closure = NULL;
    func->func_doc = Py_NewRef(doc);
    func->func_dict = func->func_weakreflist = NULL;
    func->func_module = module;
    func->func_annotations = func->func_typeparams = NULL;
    func->vectorcall = interp_call;
    func->func_version = 0;
    if (!(code->co_flags
          & CO_NESTED)) { /* those made in functions come and go: they die when their count says so */
        ref_defer((PyObject *)func);
    }
    gc_track((PyObject *)func);
    if (unlikely(watcher_count != 0)) {
        tell_watchers(PyFunction_EVENT_CREATE, func, NULL);
    }
    return (PyObject *)func;
}

PyObject *PyFunction_New(PyObject *code, PyObject *globals)
{
    return PyFunction_NewWithQualName(code, globals, NULL);
}

int vm_make_function(struct frame *fp, unsigned a, unsigned k)
{
    PyObject *func = PyFunction_New(fp->body->consts[k], frame_globals(fp));
    return reg_put_owned(fp, a, func);
}

int vm_set_function_attribute(struct frame *fp, unsigned a, unsigned b, unsigned what)
{
    PyFunctionObject *func = FUNCTION(value_object(fp->r[a]));
    PyObject *value = reg_take(fp, b), **field;
    if (value == NULL) {
        return -1;
    }
    switch (what) {
    case FUNC_DEFAULTS:
        field = &func->func_defaults;
        break;
    case FUNC_KWDEFAULTS:
        field = &func->func_kwdefaults;
        break;
    case FUNC_ANNOTATIONS:
        field = &func->func_annotations;
        break;
    default:
        field = &func->func_closure;
    }
    Py_XSETREF(*field, value); /* a new function: nobody else knows it */
    return 0;
}

/* ---- fields ---------------------------------------------------------------------------------- */

/* Puts a value (stolen, may be NULL) in the place of another, which calls under way may be reading. */
static void field_replace(PyFunctionObject *self, PyObject **field, PyObject *value)
{
    type_retire(ref_replace(field, value, (PyObject *)self));
}

/* New reference, NULL without an exception if there is none. */
static PyObject *field_get(PyFunctionObject *self, PyObject **field)
{
    PyObject *value;
    CRITICAL_SECTION(self);
    value = Py_XNewRef(*field);
    CRITICAL_SECTION_END();
    return value;
}

/* ---- C API ----------------------------------------------------------------------------------- */

static PyFunctionObject *checked(PyObject *op)
{
    if (!PyFunction_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return FUNCTION(op);
}

PyObject *PyFunction_GetCode(PyObject *op)
{
    return checked(op) ? FUNCTION(op)->func_code : NULL;
}

PyObject *PyFunction_GetGlobals(PyObject *op)
{
    return checked(op) ? FUNCTION(op)->func_globals : NULL;
}

PyObject *PyFunction_GetModule(PyObject *op)
{
    return checked(op) ? FUNCTION(op)->func_module : NULL;
}

PyObject *PyFunction_GetDefaults(PyObject *op)
{
    return checked(op) ? FUNCTION(op)->func_defaults : NULL;
}

PyObject *PyFunction_GetKwDefaults(PyObject *op)
{
    return checked(op) ? FUNCTION(op)->func_kwdefaults : NULL;
}

PyObject *PyFunction_GetClosure(PyObject *op)
{
    return checked(op) ? FUNCTION(op)->func_closure : NULL;
}

/* Sets a field to a value of a type or, for None, to nothing. */
static int set_field(PyObject *op, PyObject **field, PyObject *value, bool right, const char *what)
{
    if (Py_IsNone(value)) {
        value = NULL;
    } else if (!right) {
        PyErr_SetString(PyExc_SystemError, what);
        return -1;
    }
    field_replace(FUNCTION(op), field, Py_XNewRef(value));
    return 0;
}

int PyFunction_SetDefaults(PyObject *op, PyObject *value)
{
    if (checked(op) == NULL
        || set_field(op, &FUNCTION(op)->func_defaults, value, PyTuple_Check(value),
                     "non-tuple default args")
               < 0) {
        return -1;
    }
    tell_watchers(PyFunction_EVENT_MODIFY_DEFAULTS, FUNCTION(op), value);
    return 0;
}

int PyFunction_SetKwDefaults(PyObject *op, PyObject *value)
{
    if (checked(op) == NULL
        || set_field(op, &FUNCTION(op)->func_kwdefaults, value, PyDict_Check(value),
                     "non-dict keyword only default args")
               < 0) {
        return -1;
    }
    tell_watchers(PyFunction_EVENT_MODIFY_KWDEFAULTS, FUNCTION(op), value);
    return 0;
}

int PyFunction_SetClosure(PyObject *op, PyObject *value)
{
    if (checked(op) == NULL) {
        return -1;
    }
    if (!Py_IsNone(value) && !PyTuple_Check(value)) {
        PyErr_Format(PyExc_SystemError, "expected tuple for closure, got '%.100s'",
                     Py_TYPE(value)->tp_name);
        return -1;
    }
    /* Running frames hold cells by way of the function: the old ones stay alive for good. */
    Py_XINCREF(FUNCTION(op)->func_closure);
    return set_field(op, &FUNCTION(op)->func_closure, value, true, "");
}

int PyFunction_SetAnnotations(PyObject *op, PyObject *value)
{
    return checked(op) == NULL ? -1
                               : set_field(op, &FUNCTION(op)->func_annotations, value,
                                           PyDict_Check(value), "non-dict annotations");
}

void PyFunction_SetVectorcall(PyFunctionObject *func, vectorcallfunc vectorcall)
{
    func->vectorcall = vectorcall;
}

/* The annotations as a dict (borrowed), made from the compiler's tuple when first asked for. */
static PyObject *annotations_dict(PyFunctionObject *func)
{
    PyObject *value = func->func_annotations;
    if (value == NULL || !PyTuple_CheckExact(value)) {
        return value;
    }
    PyObject *dict = PyDict_New();
    for (Py_ssize_t i = 0; dict != NULL && i + 1 < PyTuple_GET_SIZE(value); i += 2) {
        if (PyDict_SetItem(dict, PyTuple_GET_ITEM(value, i), PyTuple_GET_ITEM(value, i + 1)) < 0) {
            Py_CLEAR(dict);
        }
    }
    if (dict != NULL) {
        PyObject *old = func->func_annotations;
        field_store_release(&func->func_annotations, dict);
        type_retire(old);
    }
    return dict;
}

PyObject *PyFunction_GetAnnotations(PyObject *op)
{
    return checked(op) ? annotations_dict(FUNCTION(op)) : NULL;
}

/* ---- watchers -------------------------------------------------------------------------------- */

static PyFunction_WatchCallback watchers[8];

int PyFunction_AddWatcher(PyFunction_WatchCallback callback)
{
    for (int i = 0; i < 8; i++) {
        if (watchers[i] == NULL) {
            watchers[i] = callback;
            watcher_count++;
            return i;
        }
    }
    PyErr_SetString(PyExc_RuntimeError, "no more func watcher IDs available");
    return -1;
}

int PyFunction_ClearWatcher(int id)
{
    if (id < 0 || id >= 8) {
        PyErr_Format(PyExc_ValueError, "invalid func watcher ID %d", id);
        return -1;
    }
    if (watchers[id] == NULL) {
        PyErr_Format(PyExc_ValueError, "no func watcher set for ID %d", id);
        return -1;
    }
    watchers[id] = NULL;
    watcher_count--;
    return 0;
}

static const char *const event_names[] = {
    [PyFunction_EVENT_CREATE] = "PyFunction_EVENT_CREATE",
    [PyFunction_EVENT_DESTROY] = "PyFunction_EVENT_DESTROY",
    [PyFunction_EVENT_MODIFY_CODE] = "PyFunction_EVENT_MODIFY_CODE",
    [PyFunction_EVENT_MODIFY_DEFAULTS] = "PyFunction_EVENT_MODIFY_DEFAULTS",
    [PyFunction_EVENT_MODIFY_KWDEFAULTS] = "PyFunction_EVENT_MODIFY_KWDEFAULTS",
};

static void tell_watchers(PyFunction_WatchEvent event, PyFunctionObject *func, PyObject *value)
{
    for (int i = 0; i < 8; i++) {
        if (watchers[i] != NULL && watchers[i](event, func, value) < 0) {
            PyErr_FormatUnraisable("Exception ignored in %s watcher callback for function %U at %p",
                                   event_names[event], func->func_qualname, func);
        }
    }
}

/* ---- attributes ------------------------------------------------------------------------------ */

static PyObject *function_get_code(PyFunctionObject *self)
{
    return Py_NewRef(self->func_code);
}

static int function_set_code(PyFunctionObject *self, PyObject *value)
{
    if (value == NULL || !PyCode_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "__code__ must be set to a code object");
        return -1;
    }
    if (PySys_Audit("object.__setattr__", "OsO", self, "__code__", value) < 0) {
        return -1;
    }
    Py_ssize_t nclosure = self->func_closure ? PyTuple_GET_SIZE(self->func_closure) : 0;
    PyCodeObject *code = (PyCodeObject *)value;
    if (code->co_nfreevars != nclosure) {
        PyErr_Format(PyExc_ValueError, "%U() requires a code object with %zd free vars, not %zd",
                     self->func_name, nclosure, (Py_ssize_t)code->co_nfreevars);
        return -1;
    }
    int kinds = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR;
    if ((((PyCodeObject *)self->func_code)->co_flags & kinds) != (code->co_flags & kinds)
        && PyErr_WarnEx(PyExc_DeprecationWarning,
                        "Assigning a code object of non-matching type is deprecated "
                        "(e.g., from a generator to a plain function)",
                        1)
               < 0) {
        return -1;
    }
    tell_watchers(PyFunction_EVENT_MODIFY_CODE, self, value);
    /* Frames that run the old code hold only the function: the old code stays alive for good. */
    field_store_release(&self->func_code, Py_NewRef(value));
    return 0;
}

/* Takes over the reference. */
static PyObject *or_none(PyObject *op)
{
    return op != NULL ? op : Py_NewRef(Py_None);
}

static PyObject *function_get_defaults(PyFunctionObject *self)
{
    if (PySys_Audit("object.__getattr__", "Os", self, "__defaults__") < 0) {
        return NULL;
    }
    return or_none(field_get(self, &self->func_defaults));
}

static int function_set_defaults(PyFunctionObject *self, PyObject *value)
{
    value = value == Py_None ? NULL : value;
    if (value != NULL && !PyTuple_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "__defaults__ must be set to a tuple object");
        return -1;
    }
    if ((value ? PySys_Audit("object.__setattr__", "OsO", self, "__defaults__", value)
               : PySys_Audit("object.__delattr__", "Os", self, "__defaults__"))
        < 0) {
        return -1;
    }
    tell_watchers(PyFunction_EVENT_MODIFY_DEFAULTS, self, value);
    field_replace(self, &self->func_defaults, Py_XNewRef(value));
    return 0;
}

static PyObject *function_get_kwdefaults(PyFunctionObject *self)
{
    if (PySys_Audit("object.__getattr__", "Os", self, "__kwdefaults__") < 0) {
        return NULL;
    }
    return or_none(field_get(self, &self->func_kwdefaults));
}

static int function_set_kwdefaults(PyFunctionObject *self, PyObject *value)
{
    value = value == Py_None ? NULL : value;
    if (value != NULL && !PyDict_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "__kwdefaults__ must be set to a dict object");
        return -1;
    }
    if ((value ? PySys_Audit("object.__setattr__", "OsO", self, "__kwdefaults__", value)
               : PySys_Audit("object.__delattr__", "Os", self, "__kwdefaults__"))
        < 0) {
        return -1;
    }
    tell_watchers(PyFunction_EVENT_MODIFY_KWDEFAULTS, self, value);
    field_replace(self, &self->func_kwdefaults, Py_XNewRef(value));
    return 0;
}

static PyObject *function_get_annotations(PyFunctionObject *self)
{
    PyObject *dict;
    CRITICAL_SECTION(self);
    if (self->func_annotations == NULL) {
        self->func_annotations = PyDict_New();
    }
    dict = Py_XNewRef(annotations_dict(self));
    CRITICAL_SECTION_END();
    return dict;
}

static int function_set_annotations(PyFunctionObject *self, PyObject *value)
{
    value = value == Py_None ? NULL : value;
    if (value != NULL && !PyDict_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "__annotations__ must be set to a dict object");
        return -1;
    }
    field_replace(self, &self->func_annotations, Py_XNewRef(value));
    return 0;
}

static int set_text(PyFunctionObject *self, PyObject **field, PyObject *value, const char *what)
{
    if (value == NULL || !PyUnicode_Check(value)) {
        PyErr_SetString(PyExc_TypeError, what);
        return -1;
    }
    field_replace(self, field, Py_NewRef(value));
    return 0;
}

static PyObject *function_get_name(PyFunctionObject *self)
{
    return field_get(self, &self->func_name);
}

static int function_set_name(PyFunctionObject *self, PyObject *value)
{
    return set_text(self, &self->func_name, value, "__name__ must be set to a string object");
}

static PyObject *function_get_qualname(PyFunctionObject *self)
{
    return field_get(self, &self->func_qualname);
}

static int function_set_qualname(PyFunctionObject *self, PyObject *value)
{
    return set_text(self, &self->func_qualname, value,
                    "__qualname__ must be set to a string object");
}

static PyObject *function_get_type_params(PyFunctionObject *self)
{
    PyObject *params = field_get(self, &self->func_typeparams);
    return params ? params : PyTuple_New(0);
}

static int function_set_type_params(PyFunctionObject *self, PyObject *value)
{
    if (value == NULL || !PyTuple_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "__type_params__ must be set to a tuple");
        return -1;
    }
    field_replace(self, &self->func_typeparams, Py_NewRef(value));
    return 0;
}

static PyObject *function_get_dict(PyFunctionObject *self)
{
    return PyObject_GenericGetDict((PyObject *)self, NULL);
}

static int function_set_dict(PyFunctionObject *self, PyObject *value)
{
    return PyObject_GenericSetDict((PyObject *)self, value, NULL);
}

#define OFF(field) offsetof(PyFunctionObject, field)
static PyMemberDef function_fields[] = {
    {"__closure__", _Py_T_OBJECT, OFF(func_closure), Py_READONLY, NULL},
    {"__doc__", _Py_T_OBJECT, OFF(func_doc), 0, NULL},
    {"__globals__", _Py_T_OBJECT, OFF(func_globals), Py_READONLY, NULL},
    {"__module__", _Py_T_OBJECT, OFF(func_module), 0, NULL},
    {"__builtins__", _Py_T_OBJECT, OFF(func_builtins), Py_READONLY, NULL},
    {0},
};

/* ---- function() ------------------------------------------------------------------------------ */

static int check_closure(PyCodeObject *code, PyObject *closure)
{
    if (!PyTuple_Check(closure)) {
        if (code->co_nfreevars && Py_IsNone(closure)) {
            PyErr_SetString(PyExc_TypeError, "arg 5 (closure) must be tuple");
            return -1;
        }
        if (!Py_IsNone(closure)) {
            PyErr_SetString(PyExc_TypeError, "arg 5 (closure) must be None or tuple");
            return -1;
        }
    }
    Py_ssize_t n = Py_IsNone(closure) ? 0 : PyTuple_GET_SIZE(closure);
    if (code->co_nfreevars != n) {
        PyErr_Format(PyExc_ValueError, "%U requires closure of length %zd, not %zd", code->co_name,
                     (Py_ssize_t)code->co_nfreevars, n);
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PyTuple_GET_ITEM(closure, i);
        if (!PyCell_Check(item)) {
            PyErr_Format(PyExc_TypeError, "arg 5 (closure) expected cell, found %s",
                         Py_TYPE(item)->tp_name);
            return -1;
        }
    }
    return 0;
}

static PyObject *function_new(PyTypeObject *type, PyObject *code, PyObject *globals, PyObject *name,
                              PyObject *argdefs, PyObject *closure, PyObject *kwdefaults)
{
    (void)type;
    if (!Py_IsNone(name) && !PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError, "arg 3 (name) must be None or string");
        return NULL;
    }
    if (!Py_IsNone(argdefs) && !PyTuple_Check(argdefs)) {
        PyErr_SetString(PyExc_TypeError, "arg 4 (defaults) must be None or tuple");
        return NULL;
    }
    if (check_closure((PyCodeObject *)code, closure) < 0) {
        return NULL;
    }
    if (!Py_IsNone(kwdefaults) && !PyDict_Check(kwdefaults)) {
        PyErr_SetString(PyExc_TypeError, "arg 6 (kwdefaults) must be None or dict");
        return NULL;
    }
    if (PySys_Audit("function.__new__", "O", code) < 0) {
        return NULL;
    }
    PyFunctionObject *func = (PyFunctionObject *)PyFunction_New(code, globals);
    if (func == NULL) {
        return NULL;
    }
    if (!Py_IsNone(name)) {
        Py_SETREF(func->func_name, Py_NewRef(name));
    }
    func->func_defaults = Py_IsNone(argdefs) ? NULL : Py_NewRef(argdefs);
    func->func_closure = Py_IsNone(closure) ? NULL : Py_NewRef(closure);
    func->func_kwdefaults = Py_IsNone(kwdefaults) ? NULL : Py_NewRef(kwdefaults);
    return (PyObject *)func;
}

/* ---- slots ----------------------------------------------------------------------------------- */

static PyObject *function_repr(PyObject *op)
{
    return PyUnicode_FromFormat("<function %U at %p>", FUNCTION(op)->func_qualname, op);
}

static PyObject *function_bind(PyObject *func, PyObject *self, PyObject *type)
{
    (void)type;
    return self == NULL || Py_IsNone(self) ? Py_NewRef(func) : PyMethod_New(func, self);
}

static int function_traverse(PyObject *op, visitproc visit, void *arg)
{
    PyFunctionObject *f = FUNCTION(op);
    Py_VISIT(f->func_globals);
    Py_VISIT(f->func_builtins);
    Py_VISIT(f->func_name);
    Py_VISIT(f->func_qualname);
    Py_VISIT(f->func_code);
    Py_VISIT(f->func_defaults);
    Py_VISIT(f->func_kwdefaults);
    Py_VISIT(f->func_closure);
    Py_VISIT(f->func_doc);
    Py_VISIT(f->func_dict);
    Py_VISIT(f->func_module);
    Py_VISIT(f->func_annotations);
    Py_VISIT(f->func_typeparams);
    return 0;
}

/* Names, code and globals stay: a cleared function can still be shown. */
static int function_clear(PyObject *op)
{
    PyFunctionObject *f = FUNCTION(op);
    Py_CLEAR(f->func_defaults);
    Py_CLEAR(f->func_kwdefaults);
    Py_CLEAR(f->func_closure);
    Py_CLEAR(f->func_doc);
    Py_CLEAR(f->func_dict);
    Py_CLEAR(f->func_module);
    Py_CLEAR(f->func_annotations);
    Py_CLEAR(f->func_typeparams);
    return 0;
}

static void function_dealloc(PyObject *op)
{
    PyFunctionObject *f = FUNCTION(op);
    if (unlikely(watcher_count != 0)) {
        tell_watchers(PyFunction_EVENT_DESTROY, f, NULL);
    }
    gc_untrack_dead(op);
    if (f->func_weakreflist != NULL) {
        PyObject_ClearWeakRefs(op);
    }
    Py_XDECREF(f->func_defaults);
    Py_XDECREF(f->func_kwdefaults);
    Py_XDECREF(f->func_closure);
    Py_XDECREF(f->func_doc);
    Py_XDECREF(f->func_dict);
    Py_XDECREF(f->func_module);
    Py_XDECREF(f->func_annotations);
    Py_XDECREF(f->func_typeparams);
    Py_DECREF(f->func_globals);
    Py_DECREF(f->func_builtins);
    Py_DECREF(f->func_code);
    Py_XDECREF(f->func_name);
    Py_XDECREF(f->func_qualname);
    death_of_container(op, sizeof(PyFunctionObject));
}

PyTypeObject PyFunction_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "function",
    .tp_basicsize = sizeof(PyFunctionObject),
    .tp_dealloc = function_dealloc,
    .tp_vectorcall_offset = OFF(vectorcall),
    .tp_repr = function_repr,
    .tp_call = PyVectorcall_Call,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL
                | Py_TPFLAGS_METHOD_DESCRIPTOR,
    .tp_doc = function_doc,
    .tp_traverse = function_traverse,
    .tp_clear = function_clear,
    .tp_weaklistoffset = OFF(func_weakreflist),
    .tp_members = function_fields,
    .tp_getset = function_getset,
    .tp_descr_get = function_bind,
    .tp_dictoffset = OFF(func_dict),
    .tp_new = bind_function_new,
};

PyTypeObject *const function_types[] = {&PyFunction_Type, NULL};
