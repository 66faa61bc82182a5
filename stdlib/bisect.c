/* The module _bisect. */
#include "module.h"

#include "bisect.bind.h"

/* The item to compare at index i (new reference). */
static PyObject *probe_item(PyObject *a, Py_ssize_t i, PyObject *key)
{
    PyObject *item = PyList_CheckExact(a) ? PyList_GetItemRef(a, i) : PySequence_GetItem(a, i);
    if (item == NULL || key == Py_None) {
        return item;
    }
    PyObject *of = PyObject_CallOneArg(key, item);
    Py_DECREF(item);
    return of;
}

/* The first index in [lo, hi) whose item is not before x: not < x on the left side, > x on the
 * right.  -1 with an exception. */
static Py_ssize_t search(PyObject *a, PyObject *x, Py_ssize_t lo, Py_ssize_t hi, PyObject *key,
                         bool right)
{
    if (lo < 0) {
        PyErr_SetString(PyExc_ValueError, "lo must be non-negative");
        return -1;
    }
    if (hi == -1 && (hi = PySequence_Size(a)) < 0) {
        return -1;
    }
    while (lo < hi) {
        Py_ssize_t middle = (Py_ssize_t)(((size_t)lo + (size_t)hi) / 2);
        PyObject *item = probe_item(a, middle, key);
        if (item == NULL) {
            return -1;
        }
        int less = right ? PyObject_RichCompareBool(x, item, Py_LT)
                         : PyObject_RichCompareBool(item, x, Py_LT);
        Py_DECREF(item);
        if (less < 0) {
            return -1;
        }
        if (less == right) {
            hi = middle;
        } else {
            lo = middle + 1;
        }
    }
    return lo;
}

static int insert_sorted(PyObject *a, PyObject *x, Py_ssize_t lo, Py_ssize_t hi, PyObject *key,
                         bool right)
{
    PyObject *wanted = key == Py_None ? Py_NewRef(x) : PyObject_CallOneArg(key, x);
    Py_ssize_t index = wanted ? search(a, wanted, lo, hi, key, right) : -1;
    Py_XDECREF(wanted);
    if (index < 0) {
        return -1;
    }
    if (PyList_CheckExact(a)) {
        return PyList_Insert(a, index, x);
    }
    PyObject *none = PyObject_CallMethod(a, "insert", "nO", index, x);
    Py_XDECREF(none);
    return none ? 0 : -1;
}

static Py_ssize_t bisect_bisect_right(PyObject *Py_UNUSED(module), PyObject *a, PyObject *x,
                                      Py_ssize_t lo, Py_ssize_t hi, PyObject *key)
{
    return search(a, x, lo, hi, key, true);
}

static Py_ssize_t bisect_bisect_left(PyObject *Py_UNUSED(module), PyObject *a, PyObject *x,
                                     Py_ssize_t lo, Py_ssize_t hi, PyObject *key)
{
    return search(a, x, lo, hi, key, false);
}

static int bisect_insort_right(PyObject *Py_UNUSED(module), PyObject *a, PyObject *x, Py_ssize_t lo,
                               Py_ssize_t hi, PyObject *key)
{
    return insert_sorted(a, x, lo, hi, key, true);
}

static int bisect_insort_left(PyObject *Py_UNUSED(module), PyObject *a, PyObject *x, Py_ssize_t lo,
                              Py_ssize_t hi, PyObject *key)
{
    return insert_sorted(a, x, lo, hi, key, false);
}

static PyModuleDef_Slot bisect_slots[] = MODULE_SLOTS_PLAIN;

static PyModuleDef bisect_module = {
    PyModuleDef_HEAD_INIT,       .m_name = "_bisect",     .m_doc = bisect_doc,
    .m_methods = bisect_methods, .m_slots = bisect_slots,
};

MODULE_INIT(_bisect, bisect_module)
