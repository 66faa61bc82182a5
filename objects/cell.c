/* cell: one variable shared between functions. */
#include "objects/birth.h"
#include "objects/object.h"

#include "locking/lock.h"
#include "locking/refs.h"
#include "objects/error.h"
#include "objects/gc/gc.h"
#include "cell.bind.h"

static PyObject **content_of(PyObject *op)
{
    return &((PyCellObject *)op)->ob_ref;
}

static PyObject *cell_get(PyObject *op)
{
    return ref_load(content_of(op), op);
}

PyObject *PyCell_New(PyObject *value)
{
    PyCellObject *cell = (PyCellObject *)birth_of_container(&PyCell_Type, sizeof(PyCellObject));
    if (cell != NULL) {
        cell->ob_ref = Py_XNewRef(value);
        gc_track_new((PyObject *)cell);
    }
    return (PyObject *)cell;
}

PyObject *PyCell_Get(PyObject *op)
{
    if (!PyCell_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    return cell_get(op);
}

int PyCell_Set(PyObject *op, PyObject *value)
{
    if (!PyCell_Check(op)) {
        PyErr_BadInternalCall();
        return -1;
    }
    PyObject *old;
    CRITICAL_SECTION(op);
    old = *content_of(op);
    field_store_release(content_of(op), Py_XNewRef(value));
    CRITICAL_SECTION_END();
    Py_XDECREF(old);
    return 0;
}

static PyObject *cell_new(PyTypeObject *Py_UNUSED(type), PyObject *value)
{
    return PyCell_New(value);
}

static void cell_dealloc(PyObject *op)
{
    gc_untrack_dead(op);
    Py_XDECREF(*content_of(op));
    death_of_container(op, sizeof(PyCellObject));
}

static int cell_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(*content_of(op));
    return 0;
}

static int cell_clear(PyObject *op)
{
    Py_CLEAR(*content_of(op));
    return 0;
}

/* An empty cell is less than any other. */
static PyObject *cell_compare(PyObject *a, PyObject *b, int op)
{
    if (!PyCell_Check(a) || !PyCell_Check(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *x = cell_get(a), *y = cell_get(b), *result;
    if (x != NULL && y != NULL) {
        result = PyObject_RichCompare(x, y, op);
    } else {
        int order = (x != NULL) - (y != NULL);
        bool truth = op == Py_EQ   ? order == 0
                     : op == Py_NE ? order != 0
                     : op == Py_LT ? order < 0
                     : op == Py_LE ? order <= 0
                     : op == Py_GT ? order > 0
                                   : order >= 0;
        result = PyBool_FromLong(truth);
    }
    Py_XDECREF(x);
    Py_XDECREF(y);
    return result;
}

static PyObject *cell_repr(PyObject *op)
{
    PyObject *value = cell_get(op);
    if (value == NULL) {
        return PyUnicode_FromFormat("<cell at %p: empty>", op);
    }
    PyObject *text = PyUnicode_FromFormat("<cell at %p: %.80s object at %p>", op,
                                          Py_TYPE(value)->tp_name, value);
    Py_DECREF(value);
    return text;
}

static PyObject *cell_get_cell_contents(PyObject *op)
{
    PyObject *value = cell_get(op);
    if (value == NULL) {
        PyErr_SetString(PyExc_ValueError, "Cell is empty");
    }
    return value;
}

static int cell_set_cell_contents(PyObject *op, PyObject *value)
{
    return PyCell_Set(op, value);
}

PyTypeObject PyCell_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "cell",
    .tp_basicsize = sizeof(PyCellObject),
    .tp_dealloc = cell_dealloc,
    .tp_repr = cell_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = cell_doc,
    .tp_traverse = cell_traverse,
    .tp_clear = cell_clear,
    .tp_richcompare = cell_compare,
    .tp_getset = cell_getset,
    .tp_new = bind_cell_new,
};
