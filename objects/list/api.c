/*
 * list: the C API.
 */
#include "objects/list/array.h"
#include "objects/tuple.h"

static bool check_list(PyObject *op)
{
    if (op != NULL && PyList_Check(op)) {
        return true;
    }
    PyErr_BadInternalCall();
    return false;
}

Py_ssize_t PyList_Size(PyObject *op)
{
    return check_list(op) ? PyList_GET_SIZE(op) : -1;
}

PyObject *PyList_GetItemRef(PyObject *op, Py_ssize_t i)
{
    if (op == NULL || !PyList_Check(op)) {
        PyErr_SetString(PyExc_TypeError, "expected a list");
        return NULL;
    }
    PyObject *item = list_get_ref((PyListObject *)op, i);
    if (item == NULL) {
        PyErr_SetString(PyExc_IndexError, "list index out of range");
    }
    return item;
}

PyObject *PyList_GetItem(PyObject *op, Py_ssize_t i)
{
    if (!check_list(op)) {
        return NULL;
    }
    if ((size_t)i >= (size_t)PyList_GET_SIZE(op)) {
        PyErr_SetString(PyExc_IndexError, "list index out of range");
        return NULL;
    }
    return field_load(&list_items(op)[i]);
}

int PyList_SetItem(PyObject *op, Py_ssize_t i, PyObject *item)
{
    if (op == NULL || !PyList_Check(op)) {
        Py_XDECREF(item);
        PyErr_BadInternalCall();
        return -1;
    }
    return list_set_owned((PyListObject *)op, i, item);
}

int PyList_Insert(PyObject *op, Py_ssize_t index, PyObject *item)
{
    if (!check_list(op)) {
        return -1;
    }
    if (item == NULL) {
        PyErr_BadInternalCall();
        return -1;
    }
    int result;
    Py_BEGIN_CRITICAL_SECTION(op);
    Py_ssize_t n = Py_SIZE(op);
    index = index < 0 ? (index + n < 0 ? 0 : index + n) : index > n ? n : index;
    result = list_replace_locked((PyListObject *)op, index, index, &item, 1);
    Py_END_CRITICAL_SECTION();
    return result;
}

int PyList_Append(PyObject *op, PyObject *item)
{
    if (op == NULL || !PyList_Check(op) || item == NULL) {
        PyErr_BadInternalCall();
        return -1;
    }
    return list_append_owned((PyListObject *)op, Py_NewRef(item));
}

int PyList_Extend(PyObject *op, PyObject *iterable)
{
    return check_list(op) ? list_extend((PyListObject *)op, iterable) : -1;
}

int PyList_Clear(PyObject *op)
{
    if (!check_list(op)) {
        return -1;
    }
    list_clear((PyListObject *)op);
    return 0;
}

static void clip(Py_ssize_t *low, Py_ssize_t *high, Py_ssize_t size)
{
    *low = *low < 0 ? 0 : *low > size ? size : *low;
    *high = *high < *low ? *low : *high > size ? size : *high;
}

PyObject *PyList_GetSlice(PyObject *op, Py_ssize_t low, Py_ssize_t high)
{
    if (!check_list(op)) {
        return NULL;
    }
    clip(&low, &high, PyList_GET_SIZE(op));
    return list_slice((PyListObject *)op, low, high);
}

int PyList_SetSlice(PyObject *op, Py_ssize_t low, Py_ssize_t high, PyObject *value)
{
    if (!check_list(op)) {
        return -1;
    }
    PyObject *items = NULL;
    if (value != NULL) {
        items = value == op ? PySequence_List(value)
                            : PySequence_Fast(value, "can only assign an iterable");
        if (items == NULL) {
            return -1;
        }
    }
    int result;
    Py_BEGIN_CRITICAL_SECTION(op);
    clip(&low, &high, Py_SIZE(op));
    result = list_replace_locked((PyListObject *)op, low, high,
                                 items == NULL ? NULL : PySequence_Fast_ITEMS(items),
                                 items == NULL ? 0 : PySequence_Fast_GET_SIZE(items));
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(items);
    return result;
}

int PyList_Sort(PyObject *op)
{
    if (!check_list(op)) {
        return -1;
    }
    int result;
    Py_BEGIN_CRITICAL_SECTION(op);
    result = list_sort_locked((PyListObject *)op, NULL, false);
    Py_END_CRITICAL_SECTION();
    return result;
}

int PyList_Reverse(PyObject *op)
{
    if (!check_list(op)) {
        return -1;
    }
    Py_BEGIN_CRITICAL_SECTION(op);
    PyObject **items = list_items(op);
    for (Py_ssize_t i = 0, j = Py_SIZE(op) - 1; i < j; i++, j--) {
        PyObject *item = items[i];
        field_store_release(&items[i], items[j]);
        field_store_release(&items[j], item);
    }
    Py_END_CRITICAL_SECTION();
    return 0;
}

PyObject *PyList_AsTuple(PyObject *op)
{
    if (!check_list(op)) {
        return NULL;
    }
    PyObject *tuple;
    Py_BEGIN_CRITICAL_SECTION(op);
    tuple = tuple_from_array(list_items(op), Py_SIZE(op));
    Py_END_CRITICAL_SECTION();
    return tuple;
}
