/* The module _heapq.  All of it runs with the list locked; a comparison may still change the list,
 * which is an error once it is noticed. */
#include "module.h"

#include "heapq.bind.h"

/* ---- moving items --------------------------------------------------------------------------- */

/* Whether a belongs above b: 1, 0, or -1 on error or if the list has changed its size. */
static inline int above(PyObject *heap, PyObject *a, PyObject *b, bool max)
{
    Py_ssize_t size = PyList_GET_SIZE(heap);
    Py_INCREF(a);
    Py_INCREF(b);
    int result =
        max ? PyObject_RichCompareBool(b, a, Py_LT) : PyObject_RichCompareBool(a, b, Py_LT);
    Py_DECREF(a);
    Py_DECREF(b);
    if (result >= 0 && PyList_GET_SIZE(heap) != size) {
        PyErr_SetString(PyExc_RuntimeError, "list changed size during iteration");
        return -1;
    }
    return result;
}

static inline void swap_items(PyObject *heap, Py_ssize_t i, Py_ssize_t j)
{
    PyObject *item = PyList_GET_ITEM(heap, i);
    PyList_SET_ITEM(heap, i, PyList_GET_ITEM(heap, j));
    PyList_SET_ITEM(heap, j, item);
}

/* Moves item i up, no higher than `top`, until its parent is above it. */
static int sift_up(PyObject *heap, Py_ssize_t top, Py_ssize_t i, bool max)
{
    while (i > top) {
        Py_ssize_t parent = (i - 1) >> 1;
        int rise = above(heap, PyList_GET_ITEM(heap, i), PyList_GET_ITEM(heap, parent), max);
        if (rise <= 0) {
            return rise;
        }
        swap_items(heap, i, parent);
        i = parent;
    }
    return 0;
}

/* Moves item i down to a leaf, the better child always up, then back up to where it belongs: it
 * came from the end of the list mostly, so that this compares less than stopping on the way. */
static int sift_down(PyObject *heap, Py_ssize_t i, bool max)
{
    Py_ssize_t top = i, size = PyList_GET_SIZE(heap);
    while (i < size / 2) {
        Py_ssize_t child = 2 * i + 1;
        if (child + 1 < size) {
            int left =
                above(heap, PyList_GET_ITEM(heap, child), PyList_GET_ITEM(heap, child + 1), max);
            if (left < 0) {
                return -1;
            }
            child += !left;
        }
        swap_items(heap, i, child);
        i = child;
    }
    return sift_up(heap, top, i, max);
}

/* ---- operations ----------------------------------------------------------------------------- */

static int heapq_heappush(PyObject *Py_UNUSED(module), PyObject *heap, PyObject *item)
{
    if (PyList_Append(heap, item) < 0) {
        return -1;
    }
    return sift_up(heap, 0, PyList_GET_SIZE(heap) - 1, false);
}

static PyObject *heap_pop(PyObject *heap, bool max)
{
    Py_ssize_t size = PyList_GET_SIZE(heap);
    if (size == 0) {
        PyErr_SetString(PyExc_IndexError, "index out of range");
        return NULL;
    }
    PyObject *last = Py_NewRef(PyList_GET_ITEM(heap, size - 1));
    if (PyList_SetSlice(heap, size - 1, size, NULL) < 0) {
        Py_DECREF(last);
        return NULL;
    }
    if (size == 1) {
        return last;
    }
    PyObject *first = PyList_GET_ITEM(heap, 0);
    PyList_SET_ITEM(heap, 0, last);
    if (sift_down(heap, 0, max) < 0) {
        Py_CLEAR(first);
    }
    return first;
}

static PyObject *heap_replace(PyObject *heap, PyObject *item, bool max)
{
    if (PyList_GET_SIZE(heap) == 0) {
        PyErr_SetString(PyExc_IndexError, "index out of range");
        return NULL;
    }
    PyObject *first = PyList_GET_ITEM(heap, 0);
    PyList_SET_ITEM(heap, 0, Py_NewRef(item));
    if (sift_down(heap, 0, max) < 0) {
        Py_CLEAR(first);
    }
    return first;
}

/* Level by level from the last parents up. */
static int heap_make(PyObject *heap, bool max)
{
    for (Py_ssize_t i = PyList_GET_SIZE(heap) / 2 - 1; i >= 0; i--) {
        if (sift_down(heap, i, max) < 0) {
            return -1;
        }
    }
    return 0;
}

static PyObject *heapq_heappop(PyObject *Py_UNUSED(module), PyObject *heap)
{
    return heap_pop(heap, false);
}

static PyObject *heapq_heapreplace(PyObject *Py_UNUSED(module), PyObject *heap, PyObject *item)
{
    return heap_replace(heap, item, false);
}

static PyObject *heapq_heappushpop(PyObject *Py_UNUSED(module), PyObject *heap, PyObject *item)
{
    if (PyList_GET_SIZE(heap) == 0) {
        return Py_NewRef(item);
    }
    PyObject *first = Py_NewRef(PyList_GET_ITEM(heap, 0));
    int smaller = PyObject_RichCompareBool(first, item, Py_LT);
    Py_DECREF(first);
    if (smaller <= 0) {
        return smaller < 0 ? NULL : Py_NewRef(item);
    }
    return heap_replace(heap, item, false);
}

static int heapq_heapify(PyObject *Py_UNUSED(module), PyObject *heap)
{
    return heap_make(heap, false);
}

static PyObject *heapq_heappop_max(PyObject *Py_UNUSED(module), PyObject *heap)
{
    return heap_pop(heap, true);
}

static PyObject *heapq_heapreplace_max(PyObject *Py_UNUSED(module), PyObject *heap, PyObject *item)
{
    return heap_replace(heap, item, true);
}

static int heapq_heapify_max(PyObject *Py_UNUSED(module), PyObject *heap)
{
    return heap_make(heap, true);
}

/* ---- the module ----------------------------------------------------------------------------- */

static int heapq_exec(PyObject *module)
{
    PyObject *about = PyUnicode_FromString(
        "A heap is a list a with a[k] <= a[2*k+1] and a[k] <= a[2*k+2] for all k, as far as these\n"
        "items exist: a binary tree without pointers, with its smallest item a[0] on top.");
    int rc = PyModule_AddObjectRef(module, "__about__", about);
    Py_XDECREF(about);
    return rc;
}

static PyModuleDef_Slot heapq_slots[] = MODULE_SLOTS(heapq_exec);

static PyModuleDef heapq_module = {
    PyModuleDef_HEAD_INIT,      .m_name = "_heapq",     .m_doc = heapq_doc,
    .m_methods = heapq_methods, .m_slots = heapq_slots,
};

MODULE_INIT(_heapq, heapq_module)
