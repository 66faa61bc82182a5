/* Memory of objects, their death, reference counts as functions, and the singletons' public faces. */
#include "objects/object.h"

#include <stdio.h>

#include "alloc/slab.h"
#include "locking/lock.h"
#include "locking/refs.h"
#include "objects/error.h"
#include "objects/birth.h"
#include "objects/gc/gc.h"
#include "objects/int.h"
#include "objects/shape.h"
#include "objects/type.h"

struct object_hooks object_hooks;

/* ---- birth ----------------------------------------------------------------------------------- */

struct ref_tracer ref_tracer;

int PyRefTracer_SetTracer(PyRefTracer tracer, void *data)
{
    ref_tracer.data = data;
    ref_tracer.function = tracer;
    return 0;
}

PyRefTracer PyRefTracer_GetTracer(void **data)
{
    if (data != NULL) {
        *data = ref_tracer.data;
    }
    return ref_tracer.function;
}

/* Memory with a header and a clean pre-header; NULL with MemoryError. */
static inline PyObject *object_memory(PyTypeObject *type, size_t size)
{
    size_t preheader = object_prehdr_words(type) * sizeof(void *);
    bool gc = type->tp_flags & Py_TPFLAGS_HAVE_GC;
    PyObject *op = slab_alloc(size, slab_kind_make(gc, preheader));
    if (unlikely(op == NULL)) {
        return PyErr_NoMemory();
    }
    ref_init(op);
    field_store(&op->ob_type, type);
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        type_count_add(type, 1);
    }
    birth_tell(op);
    if (preheader != 0) {
        *object_managed_word(op) = type->tp_flags & Py_TPFLAGS_INLINE_VALUES ? 1 : 0;
        *object_managed_weaklist(op) = NULL;
    }
    return op;
}

static inline size_t inline_size(PyTypeObject *type)
{
    struct shape *shape = type_shape(type);
    return shape == NULL ? 0 : shape->capacity * sizeof(value_t);
}

/* `room` items are allocated, ob_size says nitems. */
static PyObject *object_new_sized(PyTypeObject *type, Py_ssize_t nitems, Py_ssize_t room)
{
    if (unlikely(type->tp_itemsize != 0
                 && room > (PY_SSIZE_T_MAX - type->tp_basicsize - 64) / type->tp_itemsize)) {
        return PyErr_NoMemory();
    }
    size_t size = object_size(type, room) + inline_size(type);
    PyObject *op = object_memory(type, size);
    if (likely(op != NULL)) {
        memset((char *)op + sizeof(PyObject), 0, size - sizeof(PyObject));
        if (type->tp_itemsize != 0) {
            ((PyVarObject *)op)->ob_size = nitems;
        }
    }
    return op;
}

PyObject *object_new(PyTypeObject *type, Py_ssize_t nitems)
{
    return object_new_sized(type, nitems, nitems);
}

PyObject *object_new_raw(PyTypeObject *type, Py_ssize_t nitems)
{
    if (unlikely(type->tp_itemsize != 0
                 && nitems > (PY_SSIZE_T_MAX - type->tp_basicsize - 64) / type->tp_itemsize)) {
        return PyErr_NoMemory();
    }
    PyObject *op = object_memory(type, object_size(type, nitems));
    /* Types like list have a size but no items in them: theirs is set, too. */
    if (likely(op != NULL) && type->tp_basicsize >= (Py_ssize_t)sizeof(PyVarObject)) {
        ((PyVarObject *)op)->ob_size = nitems;
    }
    return op;
}

void object_free(PyObject *op)
{
    slab_free(op);
}

PyObject *object_new_instance(PyTypeObject *type)
{
    const unsigned long usual = Py_TPFLAGS_HEAPTYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_INLINE_VALUES
                                | Py_TPFLAGS_MANAGED_DICT;
    if (unlikely((type->tp_flags & usual) != usual || type->tp_itemsize != 0)) {
        return PyType_GenericAlloc(type, 0);
    }
    size_t words = ((size_t)type->tp_basicsize >> 3) + type_shape(type)->capacity;
    PyObject *op = slab_alloc(words * 8, SLAB_GC_16);
    if (unlikely(op == NULL)) {
        return PyErr_NoMemory();
    }
    ref_init(op);
    field_store(&op->ob_type, type);
    type_count_add(type, 1);
    birth_tell(op);
    *object_managed_word(op) = 1;
    *object_managed_weaklist(op) = NULL;
    uint64_t *word = (uint64_t *)op + sizeof(PyObject) / 8, *end = (uint64_t *)op + words;
    while (word < end) {
        *word++ = 0;
    }
    if (likely(words * 8 <= SLAB_MAX - 16)) {
        gc_track_new(op);
    } else {
        gc_track(op);
    }
    return op;
}

PyObject *PyType_GenericAlloc(PyTypeObject *type, Py_ssize_t nitems)
{
    /* One item more than asked for: types written in C rely on it as a sentinel. */
    PyObject *op = object_new_sized(type, nitems, nitems + 1);
    if (op != NULL && (type->tp_flags & Py_TPFLAGS_HAVE_GC)) {
        gc_track(op);
    }
    return op;
}

PyObject *PyType_GenericNew(PyTypeObject *type, PyObject *Py_UNUSED(args),
                            PyObject *Py_UNUSED(kwds))
{
    return type->tp_alloc(type, 0);
}

PyObject *PyObject_Init(PyObject *op, PyTypeObject *type)
{
    if (op == NULL) {
        return PyErr_NoMemory();
    }
    ref_init(op);
    field_store(&op->ob_type, type);
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        ref_inc((PyObject *)type);
    }
    return op;
}

PyVarObject *PyObject_InitVar(PyVarObject *op, PyTypeObject *type, Py_ssize_t size)
{
    if (op == NULL) {
        return (PyVarObject *)PyErr_NoMemory();
    }
    PyObject_Init((PyObject *)op, type);
    op->ob_size = size;
    return op;
}

PyObject *_PyObject_New(PyTypeObject *type)
{
    return object_new_raw(type, 0);
}

PyVarObject *_PyObject_NewVar(PyTypeObject *type, Py_ssize_t nitems)
{
    PyVarObject *op = (PyVarObject *)object_new_raw(type, nitems);
    if (op != NULL) {
        op->ob_size = nitems;
    }
    return op;
}

void _Py_NewReference(PyObject *op)
{
    ref_init(op);
}

void _Py_NewReferenceNoTotal(PyObject *op)
{
    ref_init(op);
}

void _Py_ResurrectReference(PyObject *op)
{
    ref_resurrect(op);
}

void object_make_immortal(PyObject *op)
{
    ref_immortalise(op);
}

/* ---- death ----------------------------------------------------------------------------------- */

/* How much C stack a deallocation leaves to what it calls, and how much more there must be
 * before put-off ones are taken up. */
#define DEALLOC_RESERVE ((size_t)64 * 1024)
#define DEALLOC_RESUME ((size_t)192 * 1024)
/* Deallocators with the public macros put their object aside below half of this many levels. */
#define DEALLOC_LEVELS 100

/* Puts a dead container aside. False when there is no memory for that. */
static bool trash_put(struct object_thread *thread, PyObject *op)
{
    if (thread->trash_count == thread->trash_capacity) {
        size_t capacity = thread->trash_capacity == 0 ? 64 : 2 * thread->trash_capacity;
        PyObject **larger = PyMem_RawRealloc(thread->trash, capacity * sizeof(PyObject *));
        if (larger == NULL) {
            return false;
        }
        thread->trash = larger;
        thread->trash_capacity = capacity;
    }
    /* A collection must not find it half dead. */
    PyObject_GC_UnTrack(op);
    thread->trash[thread->trash_count++] = op;
    return true;
}

static void trash_empty(struct object_thread *thread)
{
    thread->trash_running = true;
    while (thread->trash_count > 0) {
        PyObject *op = thread->trash[--thread->trash_count];
        Py_TYPE(op)->tp_dealloc(op);
    }
    thread->trash_running = false;
    PyMem_RawFree(thread->trash);
    thread->trash = NULL;
    thread->trash_capacity = 0;
}

void object_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    if (unlikely(ref_tracer.function != NULL)) {
        ref_tracer.function(op, PyRefTracer_DESTROY, ref_tracer.data);
    }
    if (type == &PyFloat_Type) {
        death_of_atom(op, sizeof(PyFloatObject));
        return;
    }
    if (type == &PyLong_Type && !int_is_small_object(op)) {
        /* One digit may lie in a slot for more, if it is the rest of a longer int. */
        if (likely(PyUnstable_Long_IsCompact((PyLongObject *)op))) {
            death_of_atom(op, offsetof(PyLongObject, long_value.ob_digit) + sizeof(digit));
        } else {
            slab_free(op);
        }
        return;
    }
    if (!(type->tp_flags & Py_TPFLAGS_HAVE_GC)) {
        type->tp_dealloc(op);
        return;
    }
    struct object_thread *thread = object_thread_self();
    if (unlikely(thread_stack_low(&thread->base, DEALLOC_RESERVE)) && trash_put(thread, op)) {
        return;
    }
    type->tp_dealloc(op);
    if (unlikely(thread->trash_count != 0) && !thread->trash_running
        && thread->base.ts.c_recursion_remaining > DEALLOC_LEVELS
        && !thread_stack_low(&thread->base, DEALLOC_RESUME)) {
        trash_empty(thread);
    }
}

void _Py_Dealloc(PyObject *op)
{
    object_dealloc(op);
}

/* The macros that extensions compile in count c_recursion_remaining; what they put aside is taken
 * like our own. */
void _PyTrash_thread_deposit_object(PyThreadState *tstate, PyObject *op)
{
    if (!trash_put((struct object_thread *)tstate, op)) {
        Py_TYPE(op)->tp_dealloc(op);
        return;
    }
    tstate->delete_later = op;
}

void _PyTrash_thread_destroy_chain(PyThreadState *tstate)
{
    struct object_thread *thread = (struct object_thread *)tstate;
    tstate->delete_later = NULL;
    if (thread->trash_count != 0 && !thread->trash_running) {
        trash_empty(thread);
    }
}

int object_finalize(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    if (type->tp_finalize == NULL) {
        return 0;
    }
    bool gc = PyObject_IS_GC(op);
    if (gc && PyObject_GC_IsFinalized(op)) {
        return 0;
    }
    type->tp_finalize(op);
    if (gc) {
        gc_set_finalized(op);
    }
    return 0;
}

void PyObject_CallFinalizer(PyObject *op)
{
    object_finalize(op);
}

int PyObject_CallFinalizerFromDealloc(PyObject *op)
{
    if (Py_REFCNT(op) != 0) {
        Py_FatalError(
            "PyObject_CallFinalizerFromDealloc called on object with a non-zero refcount");
    }
    /* Alive again while the finalizer runs. */
    ref_resurrect(op);
    object_finalize(op);
    if (ref_is_unique(op)) {
        ref_set_dead(op);
        return 0;
    }
    /* Somebody has taken a reference: drop the temporary one, which cannot be the last. */
    Py_DECREF(op);
    return -1;
}

/* ---- reference counts as functions ----------------------------------------------------------- */

#undef Py_NewRef
#undef Py_XNewRef
#undef Py_IncRef
#undef Py_DecRef
#undef Py_Is
#undef Py_IsNone
#undef Py_IsTrue
#undef Py_IsFalse

void _Py_SetRefcnt(PyObject *op, Py_ssize_t count)
{
    Py_SET_REFCNT(op, count);
}

void Py_IncRef(PyObject *op)
{
    Py_XINCREF(op);
}

void Py_DecRef(PyObject *op)
{
    Py_XDECREF(op);
}

void _Py_IncRef(PyObject *op)
{
    Py_INCREF(op);
}

void _Py_DecRef(PyObject *op)
{
    Py_DECREF(op);
}

PyObject *Py_NewRef(PyObject *op)
{
    Py_INCREF(op);
    return op;
}

PyObject *Py_XNewRef(PyObject *op)
{
    Py_XINCREF(op);
    return op;
}

int Py_Is(PyObject *x, PyObject *y)
{
    return x == y;
}

int Py_IsNone(PyObject *x)
{
    return x == Py_None;
}

int Py_IsTrue(PyObject *x)
{
    return x == Py_True;
}

int Py_IsFalse(PyObject *x)
{
    return x == Py_False;
}

PyObject *Py_GetConstantBorrowed(unsigned int id)
{
    switch (id) {
    case Py_CONSTANT_NONE:
        return Py_None;
    case Py_CONSTANT_FALSE:
        return Py_False;
    case Py_CONSTANT_TRUE:
        return Py_True;
    case Py_CONSTANT_ELLIPSIS:
        return Py_Ellipsis;
    case Py_CONSTANT_NOT_IMPLEMENTED:
        return Py_NotImplemented;
    }
    /* The rest are immortal singletons, so that what these calls return is borrowed as well. */
    PyObject *op;
    switch (id) {
    case Py_CONSTANT_ZERO:
        op = PyLong_FromLong(0);
        break;
    case Py_CONSTANT_ONE:
        op = PyLong_FromLong(1);
        break;
    case Py_CONSTANT_EMPTY_STR:
        op = PyUnicode_New(0, 0);
        break;
    case Py_CONSTANT_EMPTY_BYTES:
        op = PyBytes_FromStringAndSize(NULL, 0);
        break;
    case Py_CONSTANT_EMPTY_TUPLE:
        op = PyTuple_New(0);
        break;
    default:
        PyErr_BadInternalCall();
        return NULL;
    }
    return op;
}

PyObject *Py_GetConstant(unsigned int id)
{
    return Py_GetConstantBorrowed(id);
}

/* ---- for debuggers --------------------------------------------------------------------------- */

void _PyObject_Dump(PyObject *op)
{
    if (op == NULL) {
        fprintf(stderr, "<object at NULL>\n");
        fflush(stderr);
        return;
    }
    fprintf(stderr, "object address  : %p\n", (void *)op);
    fprintf(stderr, "object refcount : %zd\n", Py_REFCNT(op));
    fprintf(stderr, "object type     : %p\n", (void *)Py_TYPE(op));
    fprintf(stderr, "object type name: %s\n", Py_TYPE(op) == NULL ? "NULL" : Py_TYPE(op)->tp_name);
    fprintf(stderr, "object repr     : ");
    fflush(stderr);
    PyObject *raised = PyErr_GetRaisedException();
    if (PyObject_Print(op, stderr, 0) < 0) {
        PyErr_Clear();
    }
    PyErr_SetRaisedException(raised);
    fprintf(stderr, "\n");
    fflush(stderr);
}

void _PyObject_AssertFailed(PyObject *obj, const char *expr, const char *msg, const char *file,
                            int line, const char *function)
{
    fprintf(stderr, "%s:%d: ", file, line);
    if (function != NULL) {
        fprintf(stderr, "%s: ", function);
    }
    fprintf(stderr, expr == NULL ? "Assertion failed" : "Assertion \"%s\" failed", expr);
    fprintf(stderr, msg == NULL ? "\n" : ": %s\n", msg);
    fflush(stderr);
    _PyObject_Dump(obj);
    _Py_FatalErrorFunc(__func__, "_PyObject_AssertFailed");
}
