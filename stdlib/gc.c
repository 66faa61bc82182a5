/* The gc module: what programs see of the cycle collector. */
#include "objects/gc/gc.h"
#include "stdlib/module.h"

#include "gc.bind.h"

static struct gc_state *state(void)
{
    return gc_state_of(thread_interp(thread_self()));
}

/* ---- switches and figures -------------------------------------------------------------------- */

static int gc_enable(PyObject *Py_UNUSED(module))
{
    PyGC_Enable();
    return 0;
}

static int gc_disable(PyObject *Py_UNUSED(module))
{
    PyGC_Disable();
    return 0;
}

static int gc_isenabled(PyObject *Py_UNUSED(module))
{
    return PyGC_IsEnabled();
}

static Py_ssize_t gc_collect_generation(PyObject *Py_UNUSED(module), int generation)
{
    if (generation < 0 || generation >= GC_GENERATIONS) {
        PyErr_SetString(PyExc_ValueError, "invalid generation");
        return -1;
    }
    return gc_collect(generation);
}

static int gc_set_debug(PyObject *Py_UNUSED(module), int flags)
{
    state()->debug = flags;
    return 0;
}

static int gc_get_debug(PyObject *Py_UNUSED(module))
{
    return state()->debug;
}

static PyObject *gc_set_threshold(PyObject *Py_UNUSED(module), PyObject *const *args,
                                  Py_ssize_t nargs)
{
    int value[GC_GENERATIONS];
    if (nargs < 1 || nargs > GC_GENERATIONS) {
        PyErr_SetString(PyExc_TypeError, "gc.set_threshold requires 1 to 3 arguments");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < nargs; i++) {
        value[i] = PyLong_AsInt(args[i]);
        if (value[i] == -1 && PyErr_Occurred()) {
            return NULL;
        }
    }
    for (Py_ssize_t i = 0; i < nargs; i++) {
        atomic_store_relaxed(&state()->threshold[i], value[i]);
    }
    Py_RETURN_NONE;
}

static PyObject *gc_get_threshold(PyObject *Py_UNUSED(module))
{
    int *threshold = state()->threshold;
    return Py_BuildValue("(iii)", threshold[0], threshold[1], threshold[2]);
}

static PyObject *gc_get_count(PyObject *Py_UNUSED(module))
{
    gc_count_flush(thread_self());
    int *count = state()->count;
    return Py_BuildValue("(iii)", atomic_load_relaxed(&count[0]), count[1], count[2]);
}

static PyObject *gc_get_stats(PyObject *Py_UNUSED(module))
{
    PyObject *list = PyList_New(0);
    for (int i = 0; list && i < GC_GENERATIONS; i++) {
        struct gc_stats stats = state()->stats[i];
        PyObject *dict = Py_BuildValue("{snsnsn}", "collections", stats.collections, "collected",
                                       stats.collected, "uncollectable", stats.uncollectable);
        if (dict == NULL || PyList_Append(list, dict) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(dict);
    }
    return list;
}

static int gc_freeze_all(PyObject *Py_UNUSED(module))
{
    gc_freeze();
    return 0;
}

static int gc_unfreeze_all(PyObject *Py_UNUSED(module))
{
    gc_unfreeze();
    return 0;
}

static Py_ssize_t gc_get_freeze_count(PyObject *Py_UNUSED(module))
{
    return gc_frozen_count();
}

/* ---- objects --------------------------------------------------------------------------------- */

static int gc_object_is_tracked(PyObject *Py_UNUSED(module), PyObject *obj)
{
    return PyObject_GC_IsTracked(obj);
}

static int gc_object_is_finalized(PyObject *Py_UNUSED(module), PyObject *obj)
{
    return PyObject_GC_IsFinalized(obj);
}

static int append(PyObject *op, void *list)
{
    return op == list ? 0 : PyList_Append(list, op);
}

static PyObject *gc_get_objects(PyObject *Py_UNUSED(module), Py_ssize_t generation)
{
    if (generation >= GC_GENERATIONS) {
        PyErr_Format(
            PyExc_ValueError,
            "generation parameter must be less than the number of available generations (%i)",
            GC_GENERATIONS);
        return NULL;
    }
    if (generation < -1) {
        PyErr_SetString(PyExc_ValueError, "generation parameter cannot be negative");
        return NULL;
    }
    PyObject *list = PyList_New(0);
    if (list && gc_each((int)generation, append, list) < 0) {
        Py_CLEAR(list);
    }
    return list;
}

struct referrers {
    PyObject *const *objs;
    Py_ssize_t count;
    PyObject *result, *arguments;
};

static int is_wanted(PyObject *op, void *arg)
{
    struct referrers *search = arg;
    for (Py_ssize_t i = 0; i < search->count; i++) {
        if (op == search->objs[i]) {
            return 1;
        }
    }
    return 0;
}

/* Asked while no other thread runs. */
static bool is_referrer(PyObject *op, void *arg)
{
    struct referrers *search = arg;
    traverseproc traverse = Py_TYPE(op)->tp_traverse;
    return op != search->result && op != search->arguments && traverse
           && traverse(op, is_wanted, search);
}

static int append_referrer(PyObject *op, void *arg)
{
    return PyList_Append(((struct referrers *)arg)->result, op);
}

/* The arguments as a tuple, after the audit hooks have seen it. */
static PyObject *audited(const char *event, PyObject *const *objs, Py_ssize_t count)
{
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; tuple && i < count; i++) {
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(objs[i]));
    }
    if (tuple && PySys_Audit(event, "(O)", tuple) < 0) {
        Py_CLEAR(tuple);
    }
    return tuple;
}

static PyObject *gc_get_referrers(PyObject *Py_UNUSED(module), PyObject *const *objs,
                                  Py_ssize_t count)
{
    struct referrers search = {objs, count, NULL, audited("gc.get_referrers", objs, count)};
    if (search.arguments == NULL) {
        return NULL;
    }
    search.result = PyList_New(0);
    if (search.result && gc_each_of(-1, is_referrer, append_referrer, &search) < 0) {
        Py_CLEAR(search.result);
    }
    Py_DECREF(search.arguments);
    return search.result;
}

static int append_any(PyObject *op, void *list)
{
    return PyList_Append(list, op);
}

static PyObject *gc_get_referents(PyObject *Py_UNUSED(module), PyObject *const *objs,
                                  Py_ssize_t count)
{
    PyObject *arguments = audited("gc.get_referents", objs, count);
    PyObject *list = arguments ? PyList_New(0) : NULL;
    for (Py_ssize_t i = 0; list && i < count; i++) {
        if (gc_each_referent(objs[i], append_any, list) < 0) {
            Py_CLEAR(list);
        }
    }
    Py_XDECREF(arguments);
    return list;
}

/* ---- the module ------------------------------------------------------------------------------ */

static int gc_exec(PyObject *module)
{
    struct gc_state *gc = state();
    if (gc->garbage == NULL && gc_interp_ready(thread_interp(thread_self())) < 0) {
        return -1;
    }
    return PyModule_AddObjectRef(module, "garbage", gc->garbage) < 0
                   || PyModule_AddObjectRef(module, "callbacks", gc->callbacks) < 0
                   || PyModule_AddIntConstant(module, "DEBUG_STATS", GC_DEBUG_STATS) < 0
                   || PyModule_AddIntConstant(module, "DEBUG_COLLECTABLE", GC_DEBUG_COLLECTABLE) < 0
                   || PyModule_AddIntConstant(module, "DEBUG_UNCOLLECTABLE", GC_DEBUG_UNCOLLECTABLE)
                          < 0
                   || PyModule_AddIntConstant(module, "DEBUG_SAVEALL", GC_DEBUG_SAVEALL) < 0
                   || PyModule_AddIntConstant(module, "DEBUG_LEAK", GC_DEBUG_LEAK) < 0
               ? -1
               : 0;
}

static PyModuleDef_Slot gc_slots[] = MODULE_SLOTS(gc_exec);

static PyModuleDef gc_module = {
    PyModuleDef_HEAD_INIT,   .m_name = "gc",      .m_doc = gc_doc,
    .m_methods = gc_methods, .m_slots = gc_slots,
};

MODULE_INIT(gc, gc_module)
