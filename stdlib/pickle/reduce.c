/* Objects to opcodes: what is found by name, and what __reduce__ describes. */
#include "pickle.h"

/* ---- names ---------------------------------------------------------------------------------- */

PyObject *pickle_path(PyObject *name, PyObject *of)
{
    PyObject *dot = PyUnicode_FromOrdinal('.');
    PyObject *parts = dot ? PyUnicode_Split(name, dot, -1) : NULL;
    Py_XDECREF(dot);
    for (Py_ssize_t i = 0; parts != NULL && i < PyList_GET_SIZE(parts); i++) {
        if (PyUnicode_EqualToUTF8(PyList_GET_ITEM(parts, i), "<locals>")) {
            if (of == NULL) {
                PyErr_Format(PyExc_AttributeError, "Can't get local object %R", name);
            } else {
                PyErr_Format(PyExc_AttributeError, "Can't get local attribute %R on %R", name, of);
            }
            Py_CLEAR(parts);
        }
    }
    return parts;
}

PyObject *pickle_follow(PyObject *object, PyObject *path, PyObject **parent)
{
    PyObject *before = NULL;
    Py_INCREF(object);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(path); i++) {
        Py_XSETREF(before, object);
        if (PyObject_GetOptionalAttr(before, PyList_GET_ITEM(path, i), &object) <= 0) {
            Py_DECREF(before);
            return NULL;
        }
    }
    if (parent != NULL) {
        *parent = before;
    } else {
        Py_XDECREF(before);
    }
    return object;
}

/* Whether a module has the object at this path: 1, 0 or -1. */
static int module_has(PyObject *module, PyObject *path, PyObject *object)
{
    PyObject *found = pickle_follow(module, path, NULL);
    if (found == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    Py_DECREF(found);
    return found == object;
}

/* The name of the imported module in which the object is found, or NULL. */
static PyObject *search_modules(struct pickle_state *state, PyObject *object, PyObject *path)
{
    PyObject *modules = PySys_GetObject("modules");
    if (modules == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "unable to get sys.modules");
        return NULL;
    }
    /* Looking at lazy modules may import others. */
    PyObject *items = PyMapping_Items(modules), *result = NULL;
    Py_ssize_t count = items ? PyList_GET_SIZE(items) : 0;
    for (Py_ssize_t i = 0; i < count && result == NULL; i++) {
        PyObject *pair = PyList_GET_ITEM(items, i);
        PyObject *name = PyTuple_GET_ITEM(pair, 0), *module = PyTuple_GET_ITEM(pair, 1);
        if (module == Py_None || !PyUnicode_Check(name)
            || PyUnicode_Compare(name, state->str___main__) == 0
            || PyUnicode_Compare(name, state->str___mp_main__) == 0) {
            continue;
        }
        int found = module_has(module, path, object);
        if (found < 0) {
            break;
        }
        result = found ? Py_NewRef(name) : NULL;
    }
    if (result == NULL && items != NULL && !PyErr_Occurred()) {
        result = Py_NewRef(state->str___main__);
    }
    Py_XDECREF(items);
    return result;
}

static PyObject *module_name_of(struct pickle_state *state, PyObject *object, PyObject *path)
{
    PyObject *name;
    if (PyObject_GetOptionalAttr(object, state->str___module__, &name) < 0) {
        return NULL;
    }
    if (name != NULL && name != Py_None) {
        return name;
    }
    Py_XDECREF(name);
    return search_modules(state, object, path);
}

static PyObject *qualified_name(struct pickle_state *state, PyObject *object)
{
    PyObject *name;
    if (PyObject_GetOptionalAttr(object, state->str___qualname__, &name) < 0) {
        return NULL;
    }
    return name ? name : PyObject_GetAttr(object, state->str___name__);
}

/* ---- the names of Python 2 ------------------------------------------------------------------ */

static int bad_mapping(const char *what, PyObject *value)
{
    PyErr_Format(PyExc_RuntimeError, "_compat_pickle.%s, not %.200s", what,
                 Py_TYPE(value)->tp_name);
    return -1;
}

/* Replaces both names (owned) by those that Python 2 had. */
static int map_to_python2(struct pickle_state *state, PyObject **module, PyObject **name)
{
    PyObject *key = PyTuple_Pack(2, *module, *name), *mapped;
    int found = key ? PyDict_GetItemRef(state->table_REVERSE_NAME_MAPPING, key, &mapped) : -1;
    Py_XDECREF(key);
    if (found < 0) {
        return -1;
    }
    if (found) {
        int rc = 0;
        if (!PyTuple_Check(mapped) || PyTuple_GET_SIZE(mapped) != 2) {
            rc = bad_mapping("REVERSE_NAME_MAPPING values should be 2-tuples", mapped);
        } else {
            PyObject *first = PyTuple_GET_ITEM(mapped, 0), *second = PyTuple_GET_ITEM(mapped, 1);
            if (!PyUnicode_Check(first) || !PyUnicode_Check(second)) {
                PyErr_Format(PyExc_RuntimeError,
                             "_compat_pickle.REVERSE_NAME_MAPPING values should be pairs of str, "
                             "not (%.200s, %.200s)",
                             Py_TYPE(first)->tp_name, Py_TYPE(second)->tp_name);
                rc = -1;
            } else {
                Py_SETREF(*module, Py_NewRef(first));
                Py_SETREF(*name, Py_NewRef(second));
            }
        }
        Py_DECREF(mapped);
        return rc;
    }
    found = PyDict_GetItemRef(state->table_REVERSE_IMPORT_MAPPING, *module, &mapped);
    if (found <= 0) {
        return found;
    }
    if (!PyUnicode_Check(mapped)) {
        bad_mapping("REVERSE_IMPORT_MAPPING values should be strings", mapped);
        Py_DECREF(mapped);
        return -1;
    }
    Py_SETREF(*module, mapped);
    return 0;
}

/* ---- globals -------------------------------------------------------------------------------- */

/* A name and a newline; before protocol 3 it must be ASCII. */
static int put_name(struct pickler *self, PyObject *name, const char *what)
{
    if (self->protocol < 3 && !(PyUnicode_Check(name) && PyUnicode_IS_ASCII(name))) {
        PyErr_Format(self->state->pickling_error,
                     "can't pickle %s identifier '%S' using pickle protocol %i", what, name,
                     self->protocol);
        return -1;
    }
    Py_ssize_t len;
    const char *text = PyUnicode_AsUTF8AndSize(name, &len);
    return text && output_put(&self->out, text, len) == 0 ? output_op(&self->out, '\n') : -1;
}

static int put_global(struct pickler *self, PyObject *module_name, PyObject *name)
{
    Py_INCREF(module_name);
    Py_INCREF(name);
    int rc = self->protocol < 3 && self->fix_imports
                 ? map_to_python2(self->state, &module_name, &name)
                 : 0;
    if (rc == 0) {
        rc = output_op(&self->out, OP_GLOBAL) < 0 || put_name(self, module_name, "module") < 0
                 ? -1
                 : put_name(self, name, "global");
    }
    Py_DECREF(module_name);
    Py_DECREF(name);
    return rc;
}

/* Before protocol 4 a path is getattr() applied to the global that it begins with. */
static int put_path(struct pickler *self, PyObject *module_name, PyObject *path)
{
    struct output *out = &self->out;
    Py_ssize_t n = PyList_GET_SIZE(path);
    for (Py_ssize_t i = 1; i < n; i++) {
        if (pickle_save(self, self->state->getattr, true) < 0
            || (self->protocol < 2 && output_op(out, OP_MARK) < 0)) {
            return -1;
        }
    }
    if (put_global(self, module_name, PyList_GET_ITEM(path, 0)) < 0) {
        return -1;
    }
    for (Py_ssize_t i = 1; i < n; i++) {
        if (pickle_save(self, PyList_GET_ITEM(path, i), true) < 0
            || output_op(out, self->protocol < 2 ? OP_TUPLE : OP_TUPLE2) < 0
            || output_op(out, OP_REDUCE) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Writes the registered code of a global: 1, 0 if it has none, -1. */
static int put_extension(struct pickler *self, PyObject *module_name, PyObject *name)
{
    PyObject *key = PyTuple_Pack(2, module_name, name), *value;
    int found = key ? PyDict_GetItemRef(self->state->table__extension_registry, key, &value) : -1;
    Py_XDECREF(key);
    if (found <= 0) {
        return found;
    }
    long code = PyLong_AsLong(value);
    Py_DECREF(value);
    if (code == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (code <= 0 || code > 0x7fffffffL) {
        PyErr_Format(PyExc_RuntimeError, "extension code %ld is out of range", code);
        return -1;
    }
    int rc = code <= 0xff     ? output_op_number(&self->out, OP_EXT1, (uint64_t)code, 1)
             : code <= 0xffff ? output_op_number(&self->out, OP_EXT2, (uint64_t)code, 2)
                              : output_op_number(&self->out, OP_EXT4, (uint64_t)code, 4);
    return rc < 0 ? -1 : 1;
}

/* Checks that the name leads back to the object; *parent gets what it is an attribute of (new
 * reference), *module the module (new reference). */
static int check_global(struct pickle_state *state, PyObject *object, PyObject *module_name,
                        PyObject *name, PyObject *path, PyObject **module, PyObject **parent)
{
    PyObject *top = PyImport_ImportModuleLevelObject(module_name, NULL, NULL, NULL, 0);
    *module = top ? PyImport_GetModule(module_name) : NULL;
    Py_XDECREF(top);
    if (*module == NULL) {
        PyObject *error = PyErr_Occurred();
        if (error == NULL || PyErr_GivenExceptionMatches(error, PyExc_Exception)) {
            PyErr_Format(state->pickling_error, "Can't pickle %R: import of module %R failed",
                         object, module_name);
        }
        return -1;
    }
    PyObject *found = pickle_follow(*module, path, parent);
    if (found == object) {
        Py_DECREF(found);
        return 0;
    }
    if (found != NULL) {
        PyErr_Format(state->pickling_error, "Can't pickle %R: it's not the same object as %S.%S",
                     object, module_name, name);
        Py_CLEAR(*parent);
        Py_DECREF(found);
    } else {
        PyErr_Format(state->pickling_error, "Can't pickle %R: attribute lookup %S on %S failed",
                     object, name, module_name);
    }
    Py_CLEAR(*module);
    return -1;
}

static int save_checked_global(struct pickler *self, PyObject *module_name, PyObject *name,
                               PyObject *path, bool of_module)
{
    if (self->protocol >= 2) {
        int rc = put_extension(self, module_name, name);
        if (rc != 0) {
            return rc; /* 1: not to be memoized */
        }
    }
    PyObject *last = PyList_GET_ITEM(path, PyList_GET_SIZE(path) - 1);
    if (self->protocol >= 4) {
        return pickle_save(self, module_name, true) < 0
                       || pickle_save(self, of_module ? last : name, true) < 0
                   ? -1
                   : output_op(&self->out, OP_STACK_GLOBAL);
    }
    return of_module ? put_global(self, module_name, last) : put_path(self, module_name, path);
}

int pickle_global(struct pickler *self, PyObject *object, PyObject *given_name)
{
    struct pickle_state *state = self->state;
    PyObject *name = given_name ? Py_NewRef(given_name) : qualified_name(state, object);
    PyObject *path = name ? pickle_path(name, NULL) : NULL;
    PyObject *module_name = path ? module_name_of(state, object, path) : NULL;
    PyObject *module = NULL, *parent = NULL;
    int rc =
        module_name ? check_global(state, object, module_name, name, path, &module, &parent) : -1;
    if (rc == 0) {
        rc = save_checked_global(self, module_name, name, path, parent == module);
        if (rc == 0) {
            rc = pickle_memoize(self, object);
        }
    }
    Py_XDECREF(module);
    Py_XDECREF(parent);
    Py_XDECREF(module_name);
    Py_XDECREF(path);
    Py_XDECREF(name);
    return rc < 0 ? -1 : 0;
}

/* ---- __reduce__ ----------------------------------------------------------------------------- */

static int refuse(struct pickler *self, const char *message)
{
    PyErr_SetString(self->state->pickling_error, message);
    return -1;
}

static int refuse_type(struct pickler *self, const char *format, PyObject *value)
{
    PyErr_Format(self->state->pickling_error, format, Py_TYPE(value)->tp_name);
    return -1;
}

int pickle_call(struct pickler *self, PyObject *func, PyObject *args, PyObject *object)
{
    PyObject *reduced = args ? PyTuple_Pack(2, func, args) : NULL;
    Py_XDECREF(args);
    int rc = reduced ? pickle_reduced(self, reduced, object) : -1;
    Py_XDECREF(reduced);
    return rc;
}

/* func, args and the opcode that calls. */
static int put_call(struct pickler *self, PyObject *func, PyObject *args, int op)
{
    return pickle_save(self, func, true) < 0 || pickle_save(self, args, true) < 0
               ? -1
               : output_op(&self->out, op);
}

/* cls.__new__(cls, *args, **kwargs) */
static int put_newobj_ex(struct pickler *self, PyObject *args)
{
    if (PyTuple_GET_SIZE(args) != 3) {
        PyErr_Format(self->state->pickling_error,
                     "length of the NEWOBJ_EX argument tuple must be exactly 3, not %zd",
                     PyTuple_GET_SIZE(args));
        return -1;
    }
    PyObject *cls = PyTuple_GET_ITEM(args, 0);
    PyObject *positional = PyTuple_GET_ITEM(args, 1), *keywords = PyTuple_GET_ITEM(args, 2);
    if (!PyType_Check(cls)) {
        return refuse_type(self,
                           "first item from NEWOBJ_EX argument tuple must be a class, not "
                           "%.200s",
                           cls);
    }
    if (!PyTuple_Check(positional)) {
        return refuse_type(self,
                           "second item from NEWOBJ_EX argument tuple must be a tuple, not "
                           "%.200s",
                           positional);
    }
    if (!PyDict_Check(keywords)) {
        return refuse_type(self,
                           "third item from NEWOBJ_EX argument tuple must be a dict, not "
                           "%.200s",
                           keywords);
    }
    if (self->protocol >= 4) {
        return pickle_save(self, cls, true) < 0 || pickle_save(self, positional, true) < 0
                       || pickle_save(self, keywords, true) < 0
                   ? -1
                   : output_op(&self->out, OP_NEWOBJ_EX);
    }
    /* partial(cls.__new__, cls, *args, **kwargs)() */
    PyObject *new_method = PyObject_GetAttr(cls, self->state->str___new__);
    PyObject *head = new_method ? PyTuple_Pack(2, new_method, cls) : NULL;
    PyObject *all = head ? PySequence_Concat(head, positional) : NULL;
    PyObject *partial = all ? PyObject_Call(self->state->partial, all, keywords) : NULL;
    PyObject *none = partial ? PyTuple_New(0) : NULL;
    int rc = none ? put_call(self, partial, none, OP_REDUCE) : -1;
    Py_XDECREF(none);
    Py_XDECREF(partial);
    Py_XDECREF(all);
    Py_XDECREF(head);
    Py_XDECREF(new_method);
    return rc;
}

/* cls.__new__(cls, *args) */
static int put_newobj(struct pickler *self, PyObject *args, PyObject *object)
{
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    if (n < 1) {
        return refuse(self, "__newobj__ arglist is empty");
    }
    PyObject *cls = PyTuple_GET_ITEM(args, 0);
    if (!PyType_Check(cls)) {
        return refuse(self, "args[0] from __newobj__ args is not a type");
    }
    if (object != NULL && cls != (PyObject *)Py_TYPE(object)) {
        PyObject *own = PyObject_GetAttr(object, self->state->str___class__);
        if (own == NULL) {
            return -1;
        }
        Py_DECREF(own);
        if (own != cls) {
            return refuse(self, "args[0] from __newobj__ args has the wrong class");
        }
    }
    PyObject *rest = PyTuple_GetSlice(args, 1, n);
    int rc = rest ? put_call(self, cls, rest, OP_NEWOBJ) : -1;
    Py_XDECREF(rest);
    return rc;
}

/* Which opcode makes the object: OP_NEWOBJ_EX and OP_NEWOBJ for the functions with these names. */
static int construction(struct pickler *self, PyObject *func)
{
    PyObject *name;
    if (self->protocol < 2 || PyType_Check(func)) {
        return OP_REDUCE;
    }
    if (PyObject_GetOptionalAttr(func, self->state->str___name__, &name) < 0) {
        return -1;
    }
    int op = OP_REDUCE;
    if (name != NULL && PyUnicode_Check(name)) {
        op = PyUnicode_Compare(name, self->state->str___newobj__) == 0      ? OP_NEWOBJ
             : PyUnicode_Compare(name, self->state->str___newobj_ex__) == 0 ? OP_NEWOBJ_EX
                                                                            : OP_REDUCE;
    }
    Py_XDECREF(name);
    return op;
}

static int put_state(struct pickler *self, PyObject *object, PyObject *state, PyObject *setter)
{
    struct output *out = &self->out;
    if (setter == NULL) {
        return pickle_save(self, state, true) < 0 ? -1 : output_op(out, OP_BUILD);
    }
    /* setter(object, state), for what it does and not for what it returns. */
    if (pickle_save(self, setter, true) < 0 || pickle_save(self, object, true) < 0
        || pickle_save(self, state, true) < 0) {
        return -1;
    }
    const char ops[] = {(char)OP_TUPLE2, OP_REDUCE, OP_POP};
    return output_put(out, ops, 3);
}

/* An optional element: NULL for None. */
static PyObject *element(PyObject *tuple, Py_ssize_t i)
{
    PyObject *value = i < PyTuple_GET_SIZE(tuple) ? PyTuple_GET_ITEM(tuple, i) : Py_None;
    return value == Py_None ? NULL : value;
}

int pickle_reduced(struct pickler *self, PyObject *reduced, PyObject *object)
{
    Py_ssize_t size = PyTuple_GET_SIZE(reduced);
    if (size < 2 || size > 6) {
        return refuse(self, "tuple returned by __reduce__ must contain 2 through 6 elements");
    }
    PyObject *func = PyTuple_GET_ITEM(reduced, 0), *args = PyTuple_GET_ITEM(reduced, 1);
    PyObject *state = element(reduced, 2), *items = element(reduced, 3);
    PyObject *pairs = element(reduced, 4), *setter = element(reduced, 5);
    if (!PyCallable_Check(func)) {
        return refuse(self, "first item of the tuple returned by __reduce__ must be callable");
    }
    if (!PyTuple_Check(args)) {
        return refuse(self, "second item of the tuple returned by __reduce__ must be a tuple");
    }
    if (items != NULL && !PyIter_Check(items)) {
        return refuse_type(self,
                           "fourth element of the tuple returned by __reduce__ must be an "
                           "iterator, not %s",
                           items);
    }
    if (pairs != NULL && !PyIter_Check(pairs)) {
        return refuse_type(self,
                           "fifth element of the tuple returned by __reduce__ must be an "
                           "iterator, not %s",
                           pairs);
    }
    if (setter != NULL && !PyCallable_Check(setter)) {
        return refuse_type(self,
                           "sixth element of the tuple returned by __reduce__ must be a "
                           "function, not %s",
                           setter);
    }
    int op = construction(self, func);
    int rc = op < 0               ? -1
             : op == OP_NEWOBJ_EX ? put_newobj_ex(self, args)
             : op == OP_NEWOBJ    ? put_newobj(self, args, object)
                                  : put_call(self, func, args, OP_REDUCE);
    if (rc < 0) {
        return -1;
    }
    if (object != NULL) {
        /* Its own parts may have led to it: then the reader has made it already. */
        Py_ssize_t index = pickle_memo_find(&self->memo, object);
        rc = index < 0                           ? pickle_memoize(self, object)
             : output_op(&self->out, OP_POP) < 0 ? -1
                                                 : pickle_fetch(self, index);
    }
    if (rc == 0 && items != NULL) {
        rc = pickle_append_all(self, items);
    }
    if (rc == 0 && pairs != NULL) {
        rc = pickle_set_all(self, pairs);
    }
    return rc == 0 && state != NULL ? put_state(self, object, state, setter) : rc;
}
