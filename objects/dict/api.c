/*
 * dict: the C API that is a thin layer over the rest, and watchers.
 */
#include "objects/dict/keys.h"
#include "objects/gc/gc.h"
#include "objects/int.h"

static bool check_dict(PyObject *op)
{
    if (op != NULL && PyDict_Check(op)) {
        return true;
    }
    PyErr_BadInternalCall();
    return false;
}

/* ---- getting --------------------------------------------------------------------------------- */

int PyDict_GetItemRef(PyObject *op, PyObject *key, PyObject **result)
{
    *result = NULL;
    return check_dict(op) ? dict_get_item(op, key, result) : -1;
}

/* The borrowing functions hand out what the dict owns, as their callers expect. */
static PyObject *borrow(int found, PyObject **value)
{
    if (found > 0) {
        Py_DECREF(*value);
    }
    return *value;
}

PyObject *PyDict_GetItemWithError(PyObject *op, PyObject *key)
{
    PyObject *value;
    return check_dict(op) ? borrow(dict_get_item(op, key, &value), &value) : NULL;
}

PyObject *_PyDict_GetItem_KnownHash(PyObject *op, PyObject *key, Py_hash_t hash)
{
    PyObject *value;
    return check_dict(op) ? borrow(dict_get(op, key, hash, &value), &value) : NULL;
}

/* Errors cannot be told by this function, so they are reported and dropped; an exception that the
 * caller has is kept. */
static PyObject *get_ignoring_errors(PyObject *op, PyObject *key, const char *message)
{
    if (op == NULL || !PyDict_Check(op)) {
        return NULL;
    }
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *value;
    int found = dict_get_item(op, key, &value);
    if (found < 0) {
        PyErr_FormatUnraisable(message);
    }
    PyErr_SetRaisedException(raised);
    return borrow(found, &value);
}

PyObject *PyDict_GetItem(PyObject *op, PyObject *key)
{
    return get_ignoring_errors(op, key,
                               "Exception ignored in PyDict_GetItem(); consider using "
                               "PyDict_GetItemRef() or PyDict_GetItemWithError()");
}

PyObject *PyDict_GetItemString(PyObject *op, const char *name)
{
    PyObject *key = PyUnicode_FromString(name);
    if (key == NULL) {
        PyErr_FormatUnraisable("Exception ignored in PyDict_GetItemString(); consider using "
                               "PyDict_GetItemRefString()");
        return NULL;
    }
    PyObject *value =
        get_ignoring_errors(op, key,
                            "Exception ignored in PyDict_GetItemString(); consider using "
                            "PyDict_GetItemRefString()");
    Py_DECREF(key);
    return value;
}

PyObject *_PyDict_GetItemStringWithError(PyObject *op, const char *name)
{
    PyObject *key = PyUnicode_FromString(name);
    if (key == NULL) {
        return NULL;
    }
    PyObject *value = PyDict_GetItemWithError(op, key);
    Py_DECREF(key);
    return value;
}

int PyDict_GetItemStringRef(PyObject *op, const char *name, PyObject **result)
{
    *result = NULL;
    PyObject *key = PyUnicode_FromString(name);
    if (key == NULL) {
        return -1;
    }
    int found = PyDict_GetItemRef(op, key, result);
    Py_DECREF(key);
    return found;
}

int PyDict_Contains(PyObject *op, PyObject *key)
{
    Py_hash_t hash = dict_hash_key(key);
    return hash == -1 ? -1 : dict_contains(op, key, hash);
}

int PyDict_ContainsString(PyObject *op, const char *name)
{
    PyObject *key = PyUnicode_FromString(name);
    if (key == NULL) {
        return -1;
    }
    int found = PyDict_Contains(op, key);
    Py_DECREF(key);
    return found;
}

/* ---- changing -------------------------------------------------------------------------------- */

int PyDict_SetItem(PyObject *op, PyObject *key, PyObject *value)
{
    if (!check_dict(op)) {
        return -1;
    }
    Py_hash_t hash = dict_hash_key(key);
    return hash == -1 ? -1 : dict_set(op, key, hash, value);
}

int PyDict_SetItemString(PyObject *op, const char *name, PyObject *value)
{
    PyObject *key = PyUnicode_InternFromString(name);
    if (key == NULL) {
        return -1;
    }
    int result = PyDict_SetItem(op, key, value);
    Py_DECREF(key);
    return result;
}

int PyDict_DelItem(PyObject *op, PyObject *key)
{
    if (!check_dict(op)) {
        return -1;
    }
    Py_hash_t hash = dict_hash_key(key);
    return hash == -1 ? -1 : dict_del(op, key, hash);
}

int PyDict_DelItemString(PyObject *op, const char *name)
{
    PyObject *key = PyUnicode_FromString(name);
    if (key == NULL) {
        return -1;
    }
    int result = PyDict_DelItem(op, key);
    Py_DECREF(key);
    return result;
}

int PyDict_Pop(PyObject *op, PyObject *key, PyObject **result)
{
    PyObject *value = NULL;
    int found = -1;
    if (check_dict(op)) {
        Py_hash_t hash;
        if (dict_size(op) == 0) {
            found = 0;
        } else if ((hash = dict_hash_key(key)) != -1) {
            found = dict_pop(op, key, hash, &value);
        }
    }
    if (result != NULL) {
        *result = value;
    } else {
        Py_XDECREF(value);
    }
    return found;
}

int PyDict_PopString(PyObject *op, const char *name, PyObject **result)
{
    PyObject *key = PyUnicode_FromString(name);
    if (key == NULL) {
        if (result != NULL) {
            *result = NULL;
        }
        return -1;
    }
    int found = PyDict_Pop(op, key, result);
    Py_DECREF(key);
    return found;
}

PyObject *_PyDict_Pop(PyObject *op, PyObject *key, PyObject *dflt)
{
    PyObject *value;
    if (PyDict_Pop(op, key, &value) == 0) {
        if (dflt != NULL) {
            return Py_NewRef(dflt);
        }
        raise_key(key);
    }
    return value;
}

int PyDict_SetDefaultRef(PyObject *op, PyObject *key, PyObject *dflt, PyObject **result)
{
    PyObject *value = NULL;
    int found = -1;
    if (check_dict(op)) {
        Py_hash_t hash = dict_hash_key(key);
        if (hash != -1) {
            found = dict_setdefault(op, key, hash, dflt, &value);
        }
    }
    if (result != NULL) {
        *result = value;
    } else {
        Py_XDECREF(value);
    }
    return found;
}

PyObject *PyDict_SetDefault(PyObject *op, PyObject *key, PyObject *dflt)
{
    PyObject *value;
    PyDict_SetDefaultRef(op, key, dflt, &value);
    Py_XDECREF(value);
    return value;
}

void PyDict_Clear(PyObject *op)
{
    if (op != NULL && PyDict_Check(op)) {
        Py_BEGIN_CRITICAL_SECTION(op);
        dict_clear_locked((PyDictObject *)op);
        Py_END_CRITICAL_SECTION();
    }
}

static int merge_checked(PyObject *op, PyObject *other, int override)
{
    if (!check_dict(op)) {
        return -1;
    }
    if (other == NULL) {
        PyErr_BadInternalCall();
        return -1;
    }
    return dict_merge(op, other, override);
}

int PyDict_Merge(PyObject *op, PyObject *other, int override)
{
    return merge_checked(op, other, override != 0);
}

int PyDict_Update(PyObject *op, PyObject *other)
{
    return merge_checked(op, other, 1);
}

/* ---- whole dicts ----------------------------------------------------------------------------- */

Py_ssize_t PyDict_Size(PyObject *op)
{
    return check_dict(op) ? dict_size(op) : -1;
}

int PyDict_Next(PyObject *op, Py_ssize_t *pos, PyObject **key, PyObject **value)
{
    return PyDict_Check(op) && dict_next(op, pos, key, value, NULL);
}

enum part { KEYS, VALUES, ITEMS };

/* A list of keys, values or pairs; room for them is made first, since that may collect. */
static PyObject *list_of(PyObject *op, enum part part)
{
    if (!check_dict(op)) {
        return NULL;
    }
    for (;;) {
        Py_ssize_t n = dict_size(op), i = 0, pos = 0;
        PyObject *list = PyList_New(n);
        if (list == NULL) {
            return NULL;
        }
        for (Py_ssize_t k = 0; part == ITEMS && k < n; k++) {
            PyObject *pair = PyTuple_New(2);
            if (pair == NULL) {
                Py_DECREF(list);
                return NULL;
            }
            PyList_SET_ITEM(list, k, pair);
        }
        bool fits;
        PyObject *key, *value;
        Py_BEGIN_CRITICAL_SECTION(op);
        fits = dict_size(op) == n;
        while (fits && dict_next(op, &pos, &key, &value, NULL)) {
            if (part == ITEMS) {
                PyTuple_SET_ITEM(PyList_GET_ITEM(list, i), 0, Py_NewRef(key));
                PyTuple_SET_ITEM(PyList_GET_ITEM(list, i), 1, Py_NewRef(value));
            } else {
                PyList_SET_ITEM(list, i, Py_NewRef(part == KEYS ? key : value));
            }
            i++;
        }
        Py_END_CRITICAL_SECTION();
        if (fits) {
            return list;
        }
        Py_DECREF(list);
    }
}

PyObject *PyDict_Keys(PyObject *op)
{
    return list_of(op, KEYS);
}

PyObject *PyDict_Values(PyObject *op)
{
    return list_of(op, VALUES);
}

PyObject *PyDict_Items(PyObject *op)
{
    return list_of(op, ITEMS);
}

/* ---- watchers -------------------------------------------------------------------------------- */

#define FIRST_WATCHER 2 /* the two before it are the interpreter's own */
#define WATCHERS 8

/* Hangs off the interpreter; made with the first watcher. */
static struct dict_interp **watcher_table(void)
{
    return (struct dict_interp **)&object_interp_self()->spare[0];
}

static int check_watcher(int id)
{
    struct dict_interp *table = *watcher_table();
    if (id < 0 || id >= WATCHERS) {
        PyErr_Format(PyExc_ValueError, "Invalid dict watcher ID %d", id);
        return -1;
    }
    if (table == NULL || table->watchers[id] == NULL) {
        PyErr_Format(PyExc_ValueError, "No dict watcher set for ID %d", id);
        return -1;
    }
    return 0;
}

int PyDict_AddWatcher(PyDict_WatchCallback callback)
{
    struct dict_interp **table = watcher_table();
    if (*table == NULL) {
        *table = PyMem_RawCalloc(1, sizeof **table);
        if (*table == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    for (int id = FIRST_WATCHER; id < WATCHERS; id++) {
        if ((*table)->watchers[id] == NULL) {
            (*table)->watchers[id] = callback;
            return id;
        }
    }
    PyErr_SetString(PyExc_RuntimeError, "no more dict watcher IDs available");
    return -1;
}

int PyDict_ClearWatcher(int id)
{
    if (check_watcher(id) < 0) {
        return -1;
    }
    (*watcher_table())->watchers[id] = NULL;
    return 0;
}

static int set_watched(int id, PyObject *op, bool on)
{
    if (!PyDict_Check(op)) {
        PyErr_SetString(PyExc_ValueError, "Cannot watch non-dictionary");
        return -1;
    }
    if (check_watcher(id) < 0) {
        return -1;
    }
    PyDictObject *d = (PyDictObject *)op;
    Py_BEGIN_CRITICAL_SECTION(op);
    uint64_t bit = (uint64_t)1 << id;
    d->ma_version_tag = on ? d->ma_version_tag | bit : d->ma_version_tag & ~bit;
    Py_END_CRITICAL_SECTION();
    return 0;
}

int PyDict_Watch(int id, PyObject *op)
{
    return set_watched(id, op, true);
}

int PyDict_Unwatch(int id, PyObject *op)
{
    return set_watched(id, op, false);
}

static const char *event_name(PyDict_WatchEvent event)
{
    switch (event) {
    case PyDict_EVENT_ADDED:
        return "PyDict_EVENT_ADDED";
    case PyDict_EVENT_MODIFIED:
        return "PyDict_EVENT_MODIFIED";
    case PyDict_EVENT_DELETED:
        return "PyDict_EVENT_DELETED";
    case PyDict_EVENT_CLONED:
        return "PyDict_EVENT_CLONED";
    case PyDict_EVENT_CLEARED:
        return "PyDict_EVENT_CLEARED";
    default:
        return "PyDict_EVENT_DEALLOCATED";
    }
}

void dict_notify_slow(PyDict_WatchEvent event, PyDictObject *d, PyObject *key, PyObject *value)
{
    struct dict_interp *table = *watcher_table();
    unsigned bits = (unsigned)(d->ma_version_tag & 0xff);
    for (int id = 0; table != NULL && id < WATCHERS; id++) {
        PyDict_WatchCallback callback = table->watchers[id];
        if ((bits >> id & 1) && callback != NULL
            && callback(event, (PyObject *)d, key, value) < 0) {
            /* The dict is not named by its repr, which a dict that is just dying has not. */
            PyErr_FormatUnraisable("Exception ignored in %s watcher callback for <dict at %p>",
                                   event_name(event), d);
        }
    }
}
