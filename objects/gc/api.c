/*
 * The collector in the C API.
 */
#include "objects/gc/state.h"

/* ---- tracking ---------------------------------------------------------------------------------- */

#undef PyObject_IS_GC
int PyObject_IS_GC(PyObject *op)
{
    return gc_is_container(op);
}

void PyObject_GC_Track(void *op)
{
    gc_track(op);
}

/* Also called for objects of types without HAVE_GC, by deallocators that do not care. */
void PyObject_GC_UnTrack(void *op)
{
    if (gc_is_container(op)) {
        gc_untrack(op);
    }
}

/* Immortal objects are never tracked, and some are static: they have no gc byte. */
int PyObject_GC_IsTracked(PyObject *op)
{
    return !ref_is_immortal(op) && gc_is_container(op) && gc_is_tracked(op);
}

int PyObject_GC_IsFinalized(PyObject *op)
{
    return gc_is_container(op) && gc_is_finalized(op);
}

/* ---- memory ------------------------------------------------------------------------------------- */

static PyObject *container_new(PyTypeObject *type, Py_ssize_t nitems)
{
    return object_prehdr_words(type) ? object_new(type, nitems) : object_new_raw(type, nitems);
}

PyObject *_PyObject_GC_New(PyTypeObject *type)
{
    return container_new(type, 0);
}

PyVarObject *_PyObject_GC_NewVar(PyTypeObject *type, Py_ssize_t nitems)
{
    if (nitems < 0) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PyVarObject *op = (PyVarObject *)container_new(type, nitems);
    if (op) {
        op->ob_size = nitems;
    }
    return op;
}

PyObject *PyUnstable_Object_GC_NewWithExtraData(PyTypeObject *type, size_t extra)
{
    size_t preheader = object_prehdr_words(type) * sizeof(PyObject *);
    size_t size = object_size(type, 0) + extra;
    char *op = size < extra ? NULL : slab_alloc(size, slab_kind_make(true, preheader));
    if (!op) {
        return PyErr_NoMemory();
    }
    memset(op - preheader, 0, preheader);
    memset(op + sizeof(PyObject), 0, size - sizeof(PyObject));
    return PyObject_Init((PyObject *)op, type);
}

PyVarObject *_PyObject_GC_Resize(PyVarObject *op, Py_ssize_t nitems)
{
    PyTypeObject *type = Py_TYPE(op);
    size_t basic = (size_t)type->tp_basicsize;
    if (nitems < 0
        || (type->tp_itemsize
            && (size_t)nitems > ((size_t)PY_SSIZE_T_MAX - basic) / (size_t)type->tp_itemsize)) {
        return (PyVarObject *)PyErr_NoMemory();
    }
    if (gc_is_tracked((PyObject *)op)) {
        Py_FatalError("_PyObject_GC_Resize: the object is tracked");
    }
    PyVarObject *moved = slab_resize(op, object_size(type, nitems));
    if (!moved) {
        return (PyVarObject *)PyErr_NoMemory();
    }
    moved->ob_size = nitems;
    return moved;
}

void PyObject_GC_Del(void *op)
{
    if (gc_is_container(op) && gc_is_tracked(op)) {
        /* A deallocator that forgot; CPython warns of it in debug builds only. */
        gc_untrack(op);
    }
    object_free(op);
}

/* ---- collecting ---------------------------------------------------------------------------------- */

Py_ssize_t PyGC_Collect(void)
{
    struct gc_state *gc = gc_state_of(thread_interp(thread_self()));
    return gc && gc->enabled ? gc_collect(GC_GENERATIONS - 1) : 0;
}

static int enabled_set(bool value)
{
    struct gc_state *gc = gc_state_of(thread_interp(thread_self()));
    bool before = atomic_load_relaxed(&gc->enabled);
    atomic_store_relaxed(&gc->enabled, value);
    return before;
}

int PyGC_Enable(void)
{
    return enabled_set(true);
}

int PyGC_Disable(void)
{
    return enabled_set(false);
}

int PyGC_IsEnabled(void)
{
    return atomic_load_relaxed(&gc_state_of(thread_interp(thread_self()))->enabled);
}

struct visitor {
    gcvisitobjects_t fn;
    void *arg;
};

static int visit_one(PyObject *op, void *arg)
{
    struct visitor *visitor = arg;
    return visitor->fn(op, visitor->arg) ? 0 : 1; /* its 0 means stop */
}

void PyUnstable_GC_VisitObjects(gcvisitobjects_t fn, void *arg)
{
    struct visitor visitor = {fn, arg};
    if (gc_each(-1, visit_one, &visitor) < 0) {
        PyErr_Clear();
    }
}
