/* Whether the end of the process may leave its objects as they are. */
#include "objects/gc/end.h"

#include "objects/gc/state.h"
#include "objects/type/internal.h"

#include <string.h>

struct known {
    PyObject *const *item;
    int count;
};

static bool is_known(const struct known *known, PyObject *op)
{
    for (int i = 0; i < known->count; i++) {
        if (known->item[i] == op) {
            return true;
        }
    }
    return false;
}

/* Instances that the collector does not see: their class tells. */
static bool class_is_noticed(PyTypeObject *type)
{
    return type->tp_flags & Py_TPFLAGS_HEAPTYPE
           && (type->tp_finalize == slot_tp_finalize || type->tp_del);
}

/* Abstract classes keep their books by callbacks, for themselves alone. */
static bool callback_is_noticed(PyObject *callback)
{
    PyObject *self =
        callback && PyCFunction_CheckExact(callback) ? PyCFunction_GET_SELF(callback) : NULL;
    return callback && !(self && strcmp(Py_TYPE(self)->tp_name, "_abc._abc_data") == 0);
}

/* 1 for what somebody may be waiting for the end of. */
static int is_noticed(void *object, void *arg)
{
    PyObject *op = object;
    PyTypeObject *type = Py_TYPE(op);
    if (ref_is_dead(op)) {
        return 0;
    }
    if ((type->tp_finalize || type->tp_del) && !gc_is_finalized(op) && !is_known(arg, op)) {
        return 1;
    }
    if (PyType_Check(op)) {
        return class_is_noticed((PyTypeObject *)op);
    }
    return PyWeakref_Check(op) && callback_is_noticed(((PyWeakReference *)op)->wr_callback);
}

bool gc_ends_quietly(PyObject *const *known, int n)
{
    struct known list = {known, n};
    struct gc_state *gc = thread_interp(thread_self())->gc;
    return gc->debug == 0 && (!gc->callbacks || PyList_GET_SIZE(gc->callbacks) == 0)
           && slab_each_gc(GC_TRACKED, is_noticed, &list) == 0;
}
