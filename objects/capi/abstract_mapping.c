/* PyMapping_*: objects that are indexed by keys. */
#include "objects/capi/capi.h"

int PyMapping_Check(PyObject *op)
{
    return op && Py_TYPE(op)->tp_as_mapping && Py_TYPE(op)->tp_as_mapping->mp_subscript;
}

#undef PyMapping_Length
Py_ssize_t PyMapping_Length(PyObject *op)
{
    return PyMapping_Size(op);
}

Py_ssize_t PyMapping_Size(PyObject *op)
{
    if (!op) {
        raise_null_argument();
        return -1;
    }
    PyTypeObject *type = Py_TYPE(op);
    if (type->tp_as_mapping && type->tp_as_mapping->mp_length) {
        return type->tp_as_mapping->mp_length(op);
    }
    bool is_sequence = type->tp_as_sequence && type->tp_as_sequence->sq_length;
    return raise_for_type_int(
        is_sequence ? "%.200s is not a mapping" : "object of type '%.200s' has no len()", op);
}

/* ---- items ----------------------------------------------------------------------------------- */

int PyMapping_GetOptionalItem(PyObject *op, PyObject *key, PyObject **result)
{
    if (PyDict_CheckExact(op)) {
        return PyDict_GetItemRef(op, key, result);
    }
    *result = PyObject_GetItem(op, key);
    if (*result) {
        return 1;
    }
    if (!PyErr_ExceptionMatches(PyExc_KeyError)) {
        return -1;
    }
    PyErr_Clear();
    return 0;
}

PyObject *PyMapping_GetItemString(PyObject *op, const char *key)
{
    if (!key) {
        return raise_null_argument();
    }
    PyObject *text = PyUnicode_FromString(key);
    if (!text) {
        return NULL;
    }
    PyObject *result = PyObject_GetItem(op, text);
    Py_DECREF(text);
    return result;
}

int PyMapping_GetOptionalItemString(PyObject *op, const char *key, PyObject **result)
{
    *result = NULL;
    if (!key) {
        raise_null_argument();
        return -1;
    }
    PyObject *text = PyUnicode_FromString(key);
    if (!text) {
        return -1;
    }
    int found = PyMapping_GetOptionalItem(op, text, result);
    Py_DECREF(text);
    return found;
}

int PyMapping_SetItemString(PyObject *op, const char *key, PyObject *value)
{
    if (!key) {
        raise_null_argument();
        return -1;
    }
    PyObject *text = PyUnicode_FromString(key);
    if (!text) {
        return -1;
    }
    int status = PyObject_SetItem(op, text, value);
    Py_DECREF(text);
    return status;
}

int PyMapping_HasKeyWithError(PyObject *op, PyObject *key)
{
    PyObject *value;
    int found = PyMapping_GetOptionalItem(op, key, &value);
    Py_XDECREF(value);
    return found;
}

int PyMapping_HasKeyStringWithError(PyObject *op, const char *key)
{
    PyObject *value;
    int found = PyMapping_GetOptionalItemString(op, key, &value);
    Py_XDECREF(value);
    return found;
}

/* These two cannot report errors to their caller. */
int PyMapping_HasKeyString(PyObject *op, const char *key)
{
    int found = op ? PyMapping_HasKeyStringWithError(op, key) : (raise_null_argument(), -1);
    if (found < 0) {
        PyErr_FormatUnraisable("Exception ignored in PyMapping_HasKeyString(); consider using "
                               "PyMapping_HasKeyStringWithError(), "
                               "PyMapping_GetOptionalItemString() or PyMapping_GetItemString()");
        return 0;
    }
    return found;
}

int PyMapping_HasKey(PyObject *op, PyObject *key)
{
    int found = op && key ? PyMapping_HasKeyWithError(op, key) : (raise_null_argument(), -1);
    if (found < 0) {
        PyErr_FormatUnraisable("Exception ignored in PyMapping_HasKey(); consider using "
                               "PyMapping_HasKeyWithError(), PyMapping_GetOptionalItem() or "
                               "PyObject_GetItem()");
        return 0;
    }
    return found;
}

/* ---- keys, values, items as lists ------------------------------------------------------------ */

static PyObject *list_from_method(PyObject *op, PyObject *name)
{
    PyObject *view = PyObject_CallMethodNoArgs(op, name);
    if (!view) {
        return NULL;
    }
    PyObject *it = PyObject_GetIter(view);
    if (!it && PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Format(PyExc_TypeError, "%.200s.%U() returned a non-iterable (type %.200s)",
                     Py_TYPE(op)->tp_name, name, Py_TYPE(view)->tp_name);
    }
    Py_DECREF(view);
    if (!it) {
        return NULL;
    }
    PyObject *list = PySequence_List(it);
    Py_DECREF(it);
    return list;
}

PyObject *PyMapping_Keys(PyObject *op)
{
    if (!op) {
        return raise_null_argument();
    }
    return PyDict_CheckExact(op) ? PyDict_Keys(op) : list_from_method(op, ID(keys));
}

PyObject *PyMapping_Values(PyObject *op)
{
    if (!op) {
        return raise_null_argument();
    }
    return PyDict_CheckExact(op) ? PyDict_Values(op) : list_from_method(op, ID(values));
}

PyObject *PyMapping_Items(PyObject *op)
{
    if (!op) {
        return raise_null_argument();
    }
    return PyDict_CheckExact(op) ? PyDict_Items(op) : list_from_method(op, ID(items));
}
