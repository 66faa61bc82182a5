/*
 * Imports, formatting, patterns, intrinsics.
 */
#include "interp/vm/vm.h"

#include "objects/int/text.h"
#include "objects/str.h"
#include "objects/tuple.h"

PyObject *(*interp_typing_hook)(int id, PyObject *a, PyObject *b);

static PyObject *site_name(struct frame *fp, unsigned s)
{
    return fp->body->names[fp->body->sites[s].arg];
}

/* ---- imports --------------------------------------------------------------------------------- */

static PyObject *import_name(struct frame *fp, PyObject *name, PyObject *level, PyObject *from)
{
    PyFunctionObject *func = frame_function(fp);
    PyObject *import = NULL;
    if (PyMapping_GetOptionalItem(func->func_builtins, ID(__import__), &import) < 0) {
        return NULL;
    }
    if (import == NULL) {
        PyErr_SetString(PyExc_ImportError, "__import__ not found");
        return NULL;
    }
    PyObject *locals = fp->locals ? fp->locals : Py_None;
    PyObject *args[] = {NULL, name, func->func_globals, locals, from, level};
    PyObject *module =
        PyObject_Vectorcall(import, args + 1, 5 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    Py_DECREF(import);
    return module;
}

int vm_import_name(struct frame *fp, unsigned a, unsigned b, unsigned s)
{
    PyObject *level = reg_object(fp, b), *from = reg_object(fp, b + 1);
    if (level == NULL || from == NULL) {
        return -1;
    }
    PyObject *module = import_name(fp, site_name(fp, s), level, from);
    if (module == NULL) {
        return -1;
    }
    reg_release_range(fp->r, b, b + 2);
    return reg_put_owned(fp, a, module);
}

static PyObject *spec_origin(PyObject *spec)
{
    PyObject *origin = NULL, *has = NULL;
    if (spec == NULL || Py_IsNone(spec)
        || PyObject_GetOptionalAttr(spec, ID(has_location), &has) <= 0) {
        return NULL;
    }
    int truth = PyObject_IsTrue(has);
    Py_DECREF(has);
    if (truth > 0 && PyObject_GetOptionalAttr(spec, ID(origin), &origin) > 0
        && !PyUnicode_Check(origin)) {
        Py_CLEAR(origin);
    }
    return origin;
}

static int spec_initializing(PyObject *spec)
{
    PyObject *value = NULL;
    if (spec == NULL || PyObject_GetOptionalAttr(spec, ID(_initializing), &value) <= 0) {
        return 0;
    }
    int truth = PyObject_IsTrue(value);
    Py_DECREF(value);
    return truth > 0;
}

static void raise_cannot_import(PyObject *module, PyObject *module_name, PyObject *name)
{
    PyObject *spec = NULL, *origin = NULL, *text = NULL;
    PyObject *shown =
        module_name ? Py_NewRef(module_name) : PyUnicode_FromString("<unknown module name>");
    PyObject_GetOptionalAttr(module, ID(__spec__), &spec);
    PyErr_Clear();
    origin = spec_origin(spec);
    PyErr_Clear();
    if (origin == NULL && PyModule_Check(module)) {
        origin = PyModule_GetFilenameObject(module);
        PyErr_Clear();
    }
    bool initializing = spec_initializing(spec);
    PyErr_Clear();
    if (shown == NULL) {
        Py_XDECREF(spec);
        Py_XDECREF(origin);
        return;
    }
    if (initializing) {
        text = PyUnicode_FromFormat(
            origin ? "cannot import name %R from partially initialized module %R "
                     "(most likely due to a circular import) (%S)"
                   : "cannot import name %R from partially initialized module %R "
                     "(most likely due to a circular import)",
            name, shown, origin);
        if (origin == NULL && text != NULL) {
            PyObject *longer = PyUnicode_FromFormat("%U (unknown location)", text);
            Py_SETREF(text, longer);
        }
    } else {
        text = origin
                   ? PyUnicode_FromFormat("cannot import name %R from %R (%S)", name, shown, origin)
                   : PyUnicode_FromFormat("cannot import name %R from %R (unknown location)", name,
                                          shown);
    }
    PyObject *kwargs = text ? Py_BuildValue("{sOsOsO}", "name", shown, "path",
                                            origin ? origin : Py_None, "name_from", name)
                            : NULL;
    PyObject *args = kwargs ? PyTuple_Pack(1, text) : NULL;
    PyObject *error = args ? PyObject_Call(PyExc_ImportError, args, kwargs) : NULL;
    if (error != NULL) {
        PyErr_SetObject(PyExc_ImportError, error);
    }
    Py_XDECREF(error);
    Py_XDECREF(args);
    Py_XDECREF(kwargs);
    Py_XDECREF(text);
    Py_DECREF(shown);
    Py_XDECREF(origin);
    Py_XDECREF(spec);
}

static PyObject *import_from(PyObject *module, PyObject *name)
{
    PyObject *value, *module_name = NULL;
    if (PyObject_GetOptionalAttr(module, name, &value) != 0) {
        return value;
    }
    /* A circular import: the submodule may be there already. */
    if (PyObject_GetOptionalAttr(module, ID(__name__), &module_name) < 0) {
        return NULL;
    }
    if (module_name != NULL && PyUnicode_Check(module_name)) {
        PyObject *full = PyUnicode_FromFormat("%U.%U", module_name, name);
        value = full ? PyImport_GetModule(full) : NULL;
        Py_XDECREF(full);
        if (value != NULL || PyErr_Occurred()) {
            Py_DECREF(module_name);
            return value;
        }
    } else {
        Py_CLEAR(module_name);
    }
    raise_cannot_import(module, module_name, name);
    Py_XDECREF(module_name);
    return NULL;
}

int vm_import_from(struct frame *fp, unsigned a, unsigned b, unsigned s)
{
    PyObject *module = reg_object(fp, b);
    return reg_put_owned(fp, a, import_from(module, site_name(fp, s)));
}

/* ---- formatting ------------------------------------------------------------------------------ */

/* str(i): new reference. */
static PyObject *int_word_text(int64_t i)
{
    char text[INT64_TEXT_MAX], *end = text + sizeof text, *digits = int64_write(i, end);
    return str_from_ascii(digits, end - digits);
}

int vm_format_simple(struct frame *fp, unsigned a, unsigned b)
{
    if (value_is_int(fp->r[b])) {
        PyObject *digits = int_word_text(value_int(fp->r[b]));
        if (digits == NULL) {
            return -1;
        }
        reg_consume(fp, b);
        reg_put(fp, a, value_from_owned(digits));
        return 0;
    }
    PyObject *op = reg_object(fp, b);
    PyObject *text = op == NULL                 ? NULL
                     : PyUnicode_CheckExact(op) ? Py_NewRef(op)
                                                : PyObject_Format(op, NULL);
    if (text == NULL) {
        return -1;
    }
    reg_consume(fp, b);
    reg_put(fp, a, value_from_owned(text));
    return 0;
}

int vm_format_spec(struct frame *fp, unsigned a, unsigned b, unsigned c)
{
    PyObject *op = reg_object(fp, b), *spec = reg_object(fp, c);
    PyObject *text = op && spec ? PyObject_Format(op, spec) : NULL;
    if (text == NULL) {
        return -1;
    }
    reg_consume(fp, c);
    reg_consume(fp, b);
    reg_put(fp, a, value_from_owned(text));
    return 0;
}

int vm_convert(struct frame *fp, unsigned a, unsigned b, unsigned how)
{
    PyObject *op = reg_object(fp, b);
    PyObject *text = op == NULL ? NULL
                     : how == 1 ? PyObject_Str(op)
                     : how == 2 ? PyObject_Repr(op)
                                : PyObject_ASCII(op);
    if (text == NULL) {
        return -1;
    }
    reg_consume(fp, b);
    reg_put(fp, a, value_from_owned(text));
    return 0;
}

/* ---- patterns -------------------------------------------------------------------------------- */

/* A class pattern being matched: what it has found so far goes into a tuple, under names that must differ. */
struct class_match {
    PyObject *subject;
    PyTypeObject *type;
    PyObject *args;     /* __match_args__: names of the positional sub-patterns; or NULL */
    PyObject *keywords; /* names of the others */
    Py_ssize_t positional;
    PyTupleObject *values;
};

static PyObject *pattern_name(const struct class_match *m, Py_ssize_t i)
{
    return i < m->positional ? PyTuple_GET_ITEM(m->args, i)
                             : PyTuple_GET_ITEM(m->keywords, i - m->positional);
}

/* The attribute of sub-pattern i: 1, 0 when absent, -1. */
static int match_attribute(struct class_match *m, Py_ssize_t i)
{
    PyObject *name = pattern_name(m, i);
    for (Py_ssize_t k = m->args == NULL ? m->positional : 0; k < i; k++) {
        PyObject *other = pattern_name(m, k);
        if (name == other || PyUnicode_Compare(name, other) == 0) {
            PyErr_Format(PyExc_TypeError, "%s() got multiple sub-patterns for attribute %R",
                         m->type->tp_name, name);
            return -1;
        }
    }
    return PyObject_GetOptionalAttr(m->subject, name, &m->values->ob_item[i]);
}

/* The class's __match_args__: 1 with a new reference, 0 when it has none, -1. */
static int match_args_of(PyTypeObject *type, PyObject **args)
{
    int found;
    if (likely(Py_IS_TYPE(type, &PyType_Type))) {
        *args = type_lookup_ref(type, ID(__match_args__), NULL);
        found = *args != NULL;
    }
    if (unlikely(!Py_IS_TYPE(type, &PyType_Type) || (found && !PyTuple_CheckExact(*args)))) {
        if (Py_IS_TYPE(type, &PyType_Type)) {
            Py_CLEAR(*args);
        }
        found = PyObject_GetOptionalAttr((PyObject *)type, ID(__match_args__), args);
    }
    if (unlikely(found > 0 && !PyTuple_CheckExact(*args))) {
        PyErr_Format(PyExc_TypeError, "%s.__match_args__ must be a tuple (got %s)", type->tp_name,
                     Py_TYPE(*args)->tp_name);
        Py_CLEAR(*args);
        return -1;
    }
    return found;
}

/* The positional sub-patterns: 1, 0 no match, -1. */
static int match_positional(struct class_match *m)
{
    int found = match_args_of(m->type, &m->args);
    if (found < 0) {
        return -1;
    }
    bool self = !found && PyType_HasFeature(m->type, _Py_TPFLAGS_MATCH_SELF);
    Py_ssize_t n = m->positional, allowed = found ? PyTuple_GET_SIZE(m->args) : self;
    if (allowed < n) {
        PyErr_Format(PyExc_TypeError, "%s() accepts %zd positional sub-pattern%s (%zd given)",
                     m->type->tp_name, allowed, allowed == 1 ? "" : "s", n);
        return -1;
    }
    if (self) {
        m->values->ob_item[0] = Py_NewRef(m->subject);
        return 1;
    }
    int status = 1;
    for (Py_ssize_t i = 0; i < n && status > 0; i++) {
        PyObject *name = PyTuple_GET_ITEM(m->args, i);
        if (unlikely(!PyUnicode_CheckExact(name))) {
            PyErr_Format(PyExc_TypeError, "__match_args__ elements must be strings (got %s)",
                         Py_TYPE(name)->tp_name);
            return -1;
        }
        status = match_attribute(m, i);
    }
    return status;
}

/* New tuple, None when there is no match, NULL with an exception. */
static PyObject *match_class(PyObject *subject, PyObject *type, Py_ssize_t n, PyObject *names)
{
    if (!PyType_Check(type)) {
        PyErr_SetString(PyExc_TypeError, "called match pattern must be a class");
        return NULL;
    }
    int status = PyObject_IsInstance(subject, type);
    Py_ssize_t total = n + PyTuple_GET_SIZE(names);
    if (status <= 0 || total == 0) {
        return status < 0 ? NULL : status ? PyTuple_New(0) : Py_NewRef(Py_None);
    }
    struct class_match m = {subject, (PyTypeObject *)type, NULL, names, n, tuple_alloc(total)};
    if (m.values == NULL) {
        return NULL;
    }
    memset(m.values->ob_item, 0, (size_t)total * sizeof(PyObject *));
    tuple_ready(m.values);
    if (n > 0) {
        status = match_positional(&m);
    }
    for (Py_ssize_t i = n; status > 0 && i < total; i++) {
        status = match_attribute(&m, i);
    }
    Py_XDECREF(m.args);
    if (status > 0) {
        return (PyObject *)m.values;
    }
    Py_DECREF(m.values);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}

int vm_match_class(struct frame *fp, unsigned a, unsigned b, unsigned n)
{
    PyObject *subject = reg_object(fp, b), *type = reg_object(fp, b + 1);
    PyObject *names = reg_object(fp, b + 2);
    PyObject *result = subject && type ? match_class(subject, type, n, names) : NULL;
    if (result == NULL) {
        return -1;
    }
    reg_release_range(fp->r, b, b + 3);
    return reg_put_owned(fp, a, result);
}

/* The value of one key in an exact dict, as match_keys(). */
static PyObject *match_key_of_dict(PyObject *dict, PyObject *key)
{
    PyObject *value;
    int found = PyDict_GetItemRef(dict, key, &value);
    if (found <= 0) {
        return found < 0 ? NULL : Py_NewRef(Py_None);
    }
    return tuple_from_array_steal(&value, 1);
}

/* New tuple of the values, None when a key is not there, NULL with an exception. */
static PyObject *match_keys(PyObject *map, PyObject *keys)
{
    Py_ssize_t n = PyTuple_GET_SIZE(keys);
    if (n == 0) {
        return PyTuple_New(0);
    }
    if (n == 1 && PyDict_CheckExact(map)) {
        return match_key_of_dict(map, PyTuple_GET_ITEM(keys, 0));
    }
    PyObject *get = NULL, *seen = NULL, *dummy = NULL, *values = NULL, *result = NULL;
    get = PyObject_GetAttr(map, ID(get));
    seen = get ? PySet_New(NULL) : NULL;
    dummy = seen ? PyObject_CallNoArgs((PyObject *)&PyBaseObject_Type) : NULL;
    values = dummy ? PyTuple_New(n) : NULL;
    for (Py_ssize_t i = 0; values != NULL && i < n; i++) {
        PyObject *key = PyTuple_GET_ITEM(keys, i);
        int twice = PySet_Contains(seen, key);
        if (twice != 0 || PySet_Add(seen, key) < 0) {
            if (twice > 0) {
                PyErr_Format(PyExc_ValueError, "mapping pattern checks duplicate key (%R)", key);
            }
            goto done;
        }
        PyObject *args[] = {NULL, key, dummy};
        PyObject *value =
            PyObject_Vectorcall(get, args + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
        if (value == NULL) {
            goto done;
        }
        if (value == dummy) {
            Py_DECREF(value);
            result = Py_NewRef(Py_None);
            goto done;
        }
        PyTuple_SET_ITEM(values, i, value);
    }
    result = Py_XNewRef(values);
done:
    Py_XDECREF(get);
    Py_XDECREF(seen);
    Py_XDECREF(dummy);
    Py_XDECREF(values);
    return result;
}

int vm_match_keys(struct frame *fp, unsigned a, unsigned b, unsigned c)
{
    return reg_put_owned(fp, a, match_keys(reg_object(fp, b), reg_object(fp, c)));
}

int vm_get_len(struct frame *fp, unsigned a, unsigned b)
{
    PyObject *op = reg_object(fp, b);
    Py_ssize_t n = PyTuple_CheckExact(op) ? PyTuple_GET_SIZE(op) : PyObject_Size(op);
    value_t length = n < 0 ? VALUE_NULL : vm_int_value(n);
    if (length == VALUE_NULL) {
        return -1;
    }
    reg_put(fp, a, length);
    return 0;
}

/* ---- intrinsics ------------------------------------------------------------------------------ */

static PyObject *print_expression(PyObject *value)
{
    PyObject *hook = PySys_GetObject("displayhook");
    if (hook == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "lost sys.displayhook");
        return NULL;
    }
    Py_INCREF(hook);
    PyObject *result = PyObject_CallOneArg(hook, value);
    Py_DECREF(hook);
    return result;
}

/* Names that `from m import *` takes: new list, or NULL. *all: they come from __all__. */
static PyObject *star_names(PyObject *module, bool *all)
{
    PyObject *names, *dict;
    *all = true;
    if (PyObject_GetOptionalAttr(module, ID(__all__), &names) != 0) {
        PyObject *list = names ? PySequence_List(names) : NULL;
        Py_XDECREF(names);
        return list;
    }
    *all = false;
    if (PyObject_GetOptionalAttr(module, ID(__dict__), &dict) < 0) {
        return NULL;
    }
    if (dict == NULL) {
        PyErr_SetString(PyExc_ImportError, "from-import-* object has no __dict__ and no __all__");
        return NULL;
    }
    names = PyMapping_Keys(dict);
    Py_DECREF(dict);
    return names;
}

static PyObject *import_star(struct frame *fp, PyObject *module)
{
    bool all;
    if (fp->locals == NULL) {
        PyErr_SetString(PyExc_SystemError, "no locals found during 'import *'");
        return NULL;
    }
    PyObject *names = star_names(module, &all);
    if (names == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(names); i++) {
        PyObject *name = PyList_GET_ITEM(names, i);
        if (!PyUnicode_Check(name)) {
            PyObject *module_name = NULL;
            PyObject_GetOptionalAttr(module, ID(__name__), &module_name);
            if (module_name != NULL && PyUnicode_Check(module_name)) {
                PyErr_Format(PyExc_TypeError, "%s in %U.%s must be str, not %.100s",
                             all ? "Item" : "Key", module_name, all ? "__all__" : "__dict__",
                             Py_TYPE(name)->tp_name);
            } else if (!PyErr_Occurred()) {
                PyErr_Format(PyExc_TypeError, "module __name__ must be a string, not %.100s",
                             module_name ? Py_TYPE(module_name)->tp_name : "NULL");
            }
            Py_XDECREF(module_name);
            goto failed;
        }
        if (!all && PyUnicode_GET_LENGTH(name) && PyUnicode_READ_CHAR(name, 0) == '_') {
            continue;
        }
        PyObject *value = PyObject_GetAttr(module, name);
        int status = value ? PyObject_SetItem(fp->locals, name, value) : -1;
        Py_XDECREF(value);
        if (status < 0) {
            goto failed;
        }
    }
    Py_DECREF(names);
    return Py_NewRef(Py_None);
failed:
    Py_DECREF(names);
    return NULL;
}

/* What escapes a generator as RuntimeError: a StopIteration raised inside it. */
static PyObject *stop_iteration_error(struct frame *fp, PyObject *exc)
{
    const char *message = NULL;
    int flags = frame_code(fp)->co_flags;
    if (PyErr_GivenExceptionMatches(exc, PyExc_StopIteration)) {
        message = flags & CO_ASYNC_GENERATOR ? "async generator raised StopIteration"
                  : flags & CO_COROUTINE     ? "coroutine raised StopIteration"
                                             : "generator raised StopIteration";
    } else if ((flags & CO_ASYNC_GENERATOR)
               && PyErr_GivenExceptionMatches(exc, PyExc_StopAsyncIteration)) {
        message = "async generator raised StopAsyncIteration";
    }
    if (message == NULL) {
        return Py_NewRef(exc);
    }
    PyObject *text = PyUnicode_FromString(message);
    PyObject *error = text ? PyObject_CallOneArg(PyExc_RuntimeError, text) : NULL;
    Py_XDECREF(text);
    if (error != NULL) {
        PyException_SetCause(error, Py_NewRef(exc));
        PyException_SetContext(error, Py_NewRef(exc));
    }
    return error;
}

int vm_intrinsic1(struct frame *fp, unsigned a, unsigned b, unsigned id)
{
    PyObject *op = reg_object(fp, b), *result = NULL;
    if (op == NULL) {
        return -1;
    }
    switch (id) {
    case INTRINSIC_PRINT:
        result = print_expression(op);
        break;
    case INTRINSIC_IMPORT_STAR:
        result = import_star(fp, op);
        break;
    case INTRINSIC_STOPITERATION_ERROR:
        result = stop_iteration_error(fp, op);
        break;
    case INTRINSIC_ASYNC_GEN_WRAP:
        result = async_gen_wrap(op);
        break;
    case INTRINSIC_UNARY_POSITIVE:
        result = PyNumber_Positive(op);
        break;
    case INTRINSIC_LIST_TO_TUPLE:
        result = PyList_AsTuple(op);
        break;
    case INTRINSIC_TYPEVAR:
    case INTRINSIC_PARAMSPEC:
    case INTRINSIC_TYPEVARTUPLE:
    case INTRINSIC_SUBSCRIPT_GENERIC:
    case INTRINSIC_TYPEALIAS:
        result = interp_typing_hook ? interp_typing_hook((int)id, op, NULL) : NULL;
        if (result == NULL && !PyErr_Occurred()) {
            PyErr_SetString(PyExc_NotImplementedError, "type parameters are not available");
        }
        break;
    default:
        PyErr_Format(PyExc_SystemError, "bad intrinsic %u", id);
    }
    if (result == NULL) {
        return -1;
    }
    reg_consume(fp, b);
    reg_put(fp, a, value_from_owned(result));
    return 0;
}

int vm_intrinsic2(struct frame *fp, unsigned a, unsigned b, unsigned id)
{
    PyObject *x = reg_object(fp, b), *y = reg_object(fp, b + 1), *result = NULL;
    if (x == NULL || y == NULL) {
        return -1;
    }
    switch (id) {
    case INTRINSIC_PREP_RERAISE_STAR:
        result = PyUnstable_Exc_PrepReraiseStar(x, y);
        break;
    case INTRINSIC_SET_FUNCTION_TYPE_PARAMS:
        Py_XSETREF(((PyFunctionObject *)x)->func_typeparams, Py_NewRef(y));
        result = Py_NewRef(x);
        break;
    case INTRINSIC_TYPEVAR_WITH_BOUND:
    case INTRINSIC_TYPEVAR_WITH_CONSTRAINTS:
    case INTRINSIC_SET_TYPEPARAM_DEFAULT:
        result = interp_typing_hook ? interp_typing_hook(-(int)id, x, y) : NULL;
        if (result == NULL && !PyErr_Occurred()) {
            PyErr_SetString(PyExc_NotImplementedError, "type parameters are not available");
        }
        break;
    default:
        PyErr_Format(PyExc_SystemError, "bad intrinsic %u", id);
    }
    if (result == NULL) {
        return -1;
    }
    reg_release_range(fp->r, b, b + 2);
    return reg_put_owned(fp, a, result);
}
