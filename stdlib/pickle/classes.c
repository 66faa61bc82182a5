/* Opcodes to objects: finding classes and functions, making and filling instances. */
#include "pickle.h"

/* ---- finding by name ------------------------------------------------------------------------ */

/* Replaces the names (owned) that Python 2 used by today's. */
static int map_from_python2(struct pickle_state *state, PyObject **module, PyObject **name)
{
    PyObject *key = PyTuple_Pack(2, *module, *name), *mapped;
    int found = key ? PyDict_GetItemRef(state->table_NAME_MAPPING, key, &mapped) : -1;
    Py_XDECREF(key);
    if (found < 0) {
        return -1;
    }
    if (found) {
        bool pair = PyTuple_Check(mapped) && PyTuple_GET_SIZE(mapped) == 2;
        PyObject *first = pair ? PyTuple_GET_ITEM(mapped, 0) : NULL;
        PyObject *second = pair ? PyTuple_GET_ITEM(mapped, 1) : NULL;
        int rc = pair && PyUnicode_Check(first) && PyUnicode_Check(second) ? 0 : -1;
        if (!pair) {
            PyErr_Format(PyExc_RuntimeError,
                         "_compat_pickle.NAME_MAPPING values should be 2-tuples, not %.200s",
                         Py_TYPE(mapped)->tp_name);
        } else if (rc < 0) {
            PyErr_Format(PyExc_RuntimeError,
                         "_compat_pickle.NAME_MAPPING values should be pairs "
                         "of str, not (%.200s, %.200s)",
                         Py_TYPE(first)->tp_name, Py_TYPE(second)->tp_name);
        } else {
            Py_SETREF(*module, Py_NewRef(first));
            Py_SETREF(*name, Py_NewRef(second));
        }
        Py_DECREF(mapped);
        return rc;
    }
    found = PyDict_GetItemRef(state->table_IMPORT_MAPPING, *module, &mapped);
    if (found <= 0) {
        return found;
    }
    if (!PyUnicode_Check(mapped)) {
        PyErr_Format(PyExc_RuntimeError,
                     "_compat_pickle.IMPORT_MAPPING values should be strings, not %.200s",
                     Py_TYPE(mapped)->tp_name);
        Py_DECREF(mapped);
        return -1;
    }
    Py_SETREF(*module, mapped);
    return 0;
}

/* The attribute of a module, along a dotted path since protocol 4. */
static PyObject *attribute_of(PyObject *module, PyObject *name, bool dotted)
{
    PyObject *found = NULL;
    if (dotted) {
        PyObject *path = pickle_path(name, module);
        if (path == NULL) {
            return NULL;
        }
        found = pickle_follow(module, path, NULL);
        Py_DECREF(path);
    } else if (PyObject_GetOptionalAttr(module, name, &found) < 0) {
        return NULL;
    }
    if (found == NULL && !PyErr_Occurred()) {
        PyErr_Format(PyExc_AttributeError, "Can't get attribute %R on %R", name, module);
    }
    return found;
}

static PyObject *import_and_get(PyObject *module_name, PyObject *name, bool dotted)
{
    /* A class that is asked for again and again: its module is imported already, unless some
     * other thread is just about it. */
    PyObject *top = PyImport_ImportModuleLevelObject(module_name, NULL, NULL, NULL, 0);
    if (top == NULL) {
        return NULL;
    }
    PyObject *module = PyImport_GetModule(module_name);
    Py_DECREF(top);
    if (module == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_SetObject(PyExc_KeyError, module_name);
        }
        return NULL;
    }
    PyObject *found = attribute_of(module, name, dotted);
    Py_DECREF(module);
    return found;
}

PyObject *unpickle_own_find_class(struct pickle_state *state, int protocol, bool fix_imports,
                                  PyObject *module_name, PyObject *name)
{
    if (PySys_Audit("pickle.find_class", "OO", module_name, name) < 0) {
        return NULL;
    }
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "attribute name must be string, not '%.200s'",
                     Py_TYPE(name)->tp_name);
        return NULL;
    }
    Py_INCREF(module_name);
    Py_INCREF(name);
    PyObject *found = NULL;
    if (protocol >= 3 || !fix_imports || map_from_python2(state, &module_name, &name) == 0) {
        found = import_and_get(module_name, name, protocol >= 4);
    }
    Py_DECREF(module_name);
    Py_DECREF(name);
    return found;
}

PyObject *unpickle_find_class(struct unpickler *self, PyObject *module_name, PyObject *name)
{
    if (self->find_class != NULL) {
        return PyObject_CallFunctionObjArgs(self->find_class, module_name, name, NULL);
    }
    return unpickle_own_find_class(self->state, self->protocol, self->fix_imports, module_name,
                                   name);
}

PyObject *unpickle_extension(struct unpickler *self, long code)
{
    struct pickle_state *state = self->state;
    PyObject *key = PyLong_FromLong(code), *found = NULL, *names;
    if (key == NULL || PyDict_GetItemRef(state->table__extension_cache, key, &found) != 0) {
        goto done;
    }
    int known = PyDict_GetItemRef(state->table__inverted_registry, key, &names);
    if (known < 0) {
        goto done;
    }
    if (!known) {
        PyErr_Format(PyExc_ValueError, "unregistered extension code %ld", code);
        goto done;
    }
    if (!PyTuple_Check(names) || PyTuple_GET_SIZE(names) != 2
        || !PyUnicode_Check(PyTuple_GET_ITEM(names, 0))
        || !PyUnicode_Check(PyTuple_GET_ITEM(names, 1))) {
        PyErr_Format(PyExc_ValueError, "_inverted_registry[%ld] isn't a 2-tuple of strings", code);
    } else {
        found = unpickle_find_class(self, PyTuple_GET_ITEM(names, 0), PyTuple_GET_ITEM(names, 1));
        if (found != NULL && PyDict_SetItem(state->table__extension_cache, key, found) < 0) {
            Py_CLEAR(found);
        }
    }
    Py_DECREF(names);
done:
    Py_XDECREF(key);
    return found;
}

/* ---- instances ------------------------------------------------------------------------------ */

PyObject *unpickle_instance(struct pickle_state *state, PyObject *cls, PyObject *args)
{
    if (PyTuple_GET_SIZE(args) == 0 && PyType_Check(cls)) {
        PyObject *with_args;
        if (PyObject_GetOptionalAttr(cls, state->str___getinitargs__, &with_args) < 0) {
            return NULL;
        }
        if (with_args == NULL) {
            return PyObject_CallMethodOneArg(cls, state->str___new__, cls);
        }
        Py_DECREF(with_args);
    }
    return PyObject_CallObject(cls, args);
}

/* A private dict, so that walking it needs no lock; new reference. */
static PyObject *state_dict(struct pickle_state *state, PyObject *value, const char *message)
{
    if (!PyDict_Check(value)) {
        PyErr_SetString(state->unpickling_error, message);
        return NULL;
    }
    return PyDict_Copy(value);
}

/* Whether setting an attribute that the class does not know is the same as an item of __dict__:
 * then the object need not get a dict of its own. */
static bool has_plain_dict(struct pickle_state *state, PyTypeObject *type)
{
    if (!(type->tp_flags & Py_TPFLAGS_MANAGED_DICT) || type->tp_setattro != PyObject_GenericSetAttr
        || type->tp_getattro != PyObject_GenericGetAttr) {
        return false;
    }
    PyObject *descriptor = _PyType_Lookup(type, state->str___dict__);
    return descriptor != NULL && Py_IS_TYPE(descriptor, &PyGetSetDescr_Type);
}

/* object.__dict__[key] = item; *dict is that dict once it is needed. */
static int fill_item(struct pickle_state *state, PyObject *object, bool plain, PyObject *key,
                     PyObject *item, PyObject **dict)
{
    if (plain && PyUnicode_CheckExact(key) && _PyType_Lookup(Py_TYPE(object), key) == NULL) {
        return PyObject_GenericSetAttr(object, key, item);
    }
    if (*dict == NULL) {
        *dict = PyObject_GetAttr(object, state->str___dict__);
    }
    return *dict ? PyObject_SetItem(*dict, key, item) : -1;
}

/* object.__dict__.update(value), with the names interned. */
static int fill_dict(struct pickle_state *state, PyObject *object, PyObject *value)
{
    PyObject *from = state_dict(state, value, "state is not a dictionary"), *dict = NULL;
    bool plain = has_plain_dict(state, Py_TYPE(object));
    int rc = from ? 0 : -1;
    if (rc == 0 && !plain) {
        dict = PyObject_GetAttr(object, state->str___dict__);
        rc = dict ? 0 : -1;
    }
    Py_ssize_t pos = 0;
    PyObject *key, *item;
    while (rc == 0 && PyDict_Next(from, &pos, &key, &item)) {
        Py_INCREF(key);
        if (PyUnicode_CheckExact(key)) {
            PyUnicode_InternInPlace(&key);
        }
        rc = fill_item(state, object, plain, key, item, &dict);
        Py_DECREF(key);
    }
    Py_XDECREF(dict);
    Py_XDECREF(from);
    return rc;
}

static int fill_slots(struct pickle_state *state, PyObject *object, PyObject *value)
{
    PyObject *from = state_dict(state, value, "slot state is not a dictionary");
    int rc = from ? 0 : -1;
    Py_ssize_t pos = 0;
    PyObject *key, *item;
    while (rc == 0 && PyDict_Next(from, &pos, &key, &item)) {
        rc = PyObject_SetAttr(object, key, item);
    }
    Py_XDECREF(from);
    return rc;
}

int unpickle_state(struct pickle_state *state, PyObject *object, PyObject *value)
{
    PyObject *setter;
    if (PyObject_GetOptionalAttr(object, state->str___setstate__, &setter) < 0) {
        return -1;
    }
    if (setter != NULL) {
        PyObject *result = PyObject_CallOneArg(setter, value);
        Py_DECREF(setter);
        Py_XDECREF(result);
        return result ? 0 : -1;
    }
    PyObject *slots = Py_None;
    if (PyTuple_Check(value) && PyTuple_GET_SIZE(value) == 2) {
        slots = PyTuple_GET_ITEM(value, 1);
        value = PyTuple_GET_ITEM(value, 0);
    }
    int rc = value == Py_None ? 0 : fill_dict(state, object, value);
    return rc < 0 || slots == Py_None ? rc : fill_slots(state, object, slots);
}
