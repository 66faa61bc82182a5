/* Weak references. Proxies are in weakproxy.c. */
#include "objects/weakref.h"

#include "locking/lock.h"
#include "locking/refs.h"
#include "objects/bindings.h"
#include "objects/error.h"

/* ---- the lists ------------------------------------------------------------------------------- */

/* A list hangs from each object; which of these guards it follows from the object's address.
 * Nothing but list surgery and taking counts happens under them. */
#define STRIPES 64u

static struct {
    PyMutex mutex;
    char padding[63];
} stripes[STRIPES];

static PyMutex *stripe_of(PyObject *op)
{
    uintptr_t bits = (uintptr_t)op;
    return &stripes[(bits >> 4 ^ bits >> 12) % STRIPES].mutex;
}

static PyWeakReference **list_of(PyObject *op)
{
    return (PyWeakReference **)object_weaklist(op);
}

static PyObject *target_of(PyWeakReference *ref)
{
    return field_load_acquire(&ref->wr_object);
}

/* A count on an object that a reference leads to; false when it is dead or dying. The lock of
 * its list is held, so its memory is still there. */
static bool take(PyObject *op)
{
    return Py_REFCNT(op) > 0 && ref_try_inc(op);
}

static void link_after(PyWeakReference **head, PyWeakReference *prev, PyWeakReference *ref)
{
    PyWeakReference *next = prev == NULL ? *head : prev->wr_next;
    ref->wr_prev = prev;
    ref->wr_next = next;
    if (next != NULL) {
        next->wr_prev = ref;
    }
    if (prev != NULL) {
        prev->wr_next = ref;
    } else {
        field_store_release(head, ref);
    }
}

static void unlink_ref(PyWeakReference **head, PyWeakReference *ref)
{
    if (*head == ref) {
        field_store_release(head, ref->wr_next);
    }
    if (ref->wr_prev != NULL) {
        ref->wr_prev->wr_next = ref->wr_next;
    }
    if (ref->wr_next != NULL) {
        ref->wr_next->wr_prev = ref->wr_prev;
    }
    ref->wr_prev = ref->wr_next = NULL;
    field_store_release(&ref->wr_object, Py_None);
}

/* Takes a reference off its object's list, if it is on one. */
static void detach(PyWeakReference *ref)
{
    for (;;) {
        PyObject *op = target_of(ref);
        if (op == Py_None) {
            return;
        }
        PyMutex *mutex = stripe_of(op);
        mutex_lock(mutex);
        bool same = ref->wr_object == op;
        if (same) {
            unlink_ref(list_of(op), ref);
        }
        mutex_unlock(mutex);
        if (same) {
            return;
        }
    }
}

/* ---- making ---------------------------------------------------------------------------------- */

static bool is_proxy_type(PyTypeObject *type)
{
    return type == &_PyWeakref_ProxyType || type == &_PyWeakref_CallableProxyType;
}

/* The shared ones at the list's start: the reference without callback, then such a proxy. */
static void find_shared(PyWeakReference *first, PyWeakReference **ref, PyWeakReference **proxy)
{
    *ref = *proxy = NULL;
    if (first != NULL && Py_IS_TYPE(first, &_PyWeakref_RefType) && first->wr_callback == NULL) {
        *ref = first;
        first = first->wr_next;
    }
    if (first != NULL && is_proxy_type(Py_TYPE(first)) && first->wr_callback == NULL) {
        *proxy = first;
    }
}

/* A shared one that suits, as a new reference, or NULL. */
static PyWeakReference *reuse_locked(PyWeakReference *first, PyTypeObject *type)
{
    PyWeakReference *ref, *proxy;
    find_shared(first, &ref, &proxy);
    PyWeakReference *found = type == &_PyWeakref_RefType ? ref : is_proxy_type(type) ? proxy : NULL;
    return found != NULL && take((PyObject *)found) ? found : NULL;
}

static PyWeakReference *allocate(PyTypeObject *type)
{
    return (PyWeakReference *)(type == &_PyWeakref_RefType || is_proxy_type(type)
                                   ? object_new(type, 0)
                                   : type->tp_alloc(type, 0));
}

static PyObject *weakref_vectorcall(PyObject *op, PyObject *const *args, size_t nargsf,
                                    PyObject *kwnames);

static PyObject *weakref_make(PyTypeObject *type, PyObject *op, PyObject *callback)
{
    if (Py_TYPE(op)->tp_weaklistoffset == 0) {
        PyErr_Format(PyExc_TypeError, "cannot create weak reference to '%s' object",
                     Py_TYPE(op)->tp_name);
        return NULL;
    }
    callback = callback == Py_None ? NULL : callback;
    PyWeakReference **head = list_of(op), *ref = NULL;
    PyMutex *mutex = stripe_of(op);
    if (callback == NULL) {
        mutex_lock(mutex);
        ref = reuse_locked(*head, type);
        mutex_unlock(mutex);
        if (ref != NULL) {
            return (PyObject *)ref;
        }
    }
    PyWeakReference *made = allocate(type);
    if (made == NULL) {
        return NULL;
    }
    made->hash = -1;
    made->wr_callback = Py_XNewRef(callback);
    made->wr_object = Py_None;
    made->vectorcall = weakref_vectorcall;
    ref_make_known(op);
    ref_make_known((PyObject *)made);
    mutex_lock(mutex);
    if (callback == NULL) {
        ref = reuse_locked(*head, type); /* somebody may have been faster */
    }
    if (ref == NULL) {
        PyWeakReference *shared, *proxy;
        find_shared(*head, &shared, &proxy);
        bool shareable = callback == NULL && type == &_PyWeakref_RefType;
        PyWeakReference *prev = shareable                                 ? NULL
                                : callback == NULL && is_proxy_type(type) ? shared
                                : proxy != NULL                           ? proxy
                                                                          : shared;
        field_store_release(&made->wr_object, op);
        link_after(head, prev, made);
    }
    mutex_unlock(mutex);
    if (!PyObject_GC_IsTracked((PyObject *)made)) {
        PyObject_GC_Track(made);
    }
    if (ref != NULL) {
        Py_DECREF(made);
        return (PyObject *)ref;
    }
    return (PyObject *)made;
}

PyObject *PyWeakref_NewRef(PyObject *op, PyObject *callback)
{
    return weakref_make(&_PyWeakref_RefType, op, callback);
}

PyObject *PyWeakref_NewProxy(PyObject *op, PyObject *callback)
{
    return weakref_make(
        PyCallable_Check(op) ? &_PyWeakref_CallableProxyType : &_PyWeakref_ProxyType, op, callback);
}

/* ---- reading --------------------------------------------------------------------------------- */

PyObject *weakref_get(PyObject *op)
{
    PyWeakReference *ref = (PyWeakReference *)op;
    PyObject *target = target_of(ref);
    if (target == Py_None) {
        return NULL;
    }
    PyMutex *mutex = stripe_of(target);
    mutex_lock(mutex);
    bool taken = ref->wr_object == target && take(target);
    mutex_unlock(mutex);
    return taken ? target : NULL;
}

bool weakref_is_dead(PyObject *op)
{
    PyObject *target = weakref_get(op);
    Py_XDECREF(target);
    return target == NULL;
}

PyAPI_FUNC(int) _PyWeakref_IsDead(PyObject *op);

int _PyWeakref_IsDead(PyObject *op)
{
    return weakref_is_dead(op);
}

Py_ssize_t weakref_count(PyObject *op)
{
    if (Py_TYPE(op)->tp_weaklistoffset == 0) {
        return 0;
    }
    Py_ssize_t count = 0;
    PyMutex *mutex = stripe_of(op);
    mutex_lock(mutex);
    for (PyWeakReference *ref = *list_of(op); ref != NULL; ref = ref->wr_next) {
        count += Py_REFCNT(ref) > 0;
    }
    mutex_unlock(mutex);
    return count;
}

/* Takes counts on at most `room` of the references; returns how many there are. */
static Py_ssize_t take_refs(PyObject *op, PyObject **refs, Py_ssize_t room)
{
    Py_ssize_t count = 0;
    PyMutex *mutex = stripe_of(op);
    mutex_lock(mutex);
    for (PyWeakReference *ref = *list_of(op); ref != NULL; ref = ref->wr_next) {
        if (count >= room) {
            count++;
        } else if (take((PyObject *)ref)) {
            refs[count++] = (PyObject *)ref;
        }
    }
    mutex_unlock(mutex);
    return count;
}

PyObject *weakref_list(PyObject *op)
{
    if (Py_TYPE(op)->tp_weaklistoffset == 0) {
        return PyList_New(0);
    }
    PyObject *small[16], **refs = small;
    Py_ssize_t room = 16, count;
    while ((count = take_refs(op, refs, room)) > room) {
        for (Py_ssize_t i = 0; i < room; i++) {
            Py_DECREF(refs[i]);
        }
        if (refs != small) {
            PyMem_Free(refs);
        }
        room = count + 16;
        refs = PyMem_New(PyObject *, room);
        if (refs == NULL) {
            return PyErr_NoMemory();
        }
    }
    PyObject *list = PyList_New(count);
    for (Py_ssize_t i = 0; i < count; i++) {
        if (list != NULL) {
            PyList_SET_ITEM(list, i, refs[i]);
        } else {
            Py_DECREF(refs[i]);
        }
    }
    if (refs != small) {
        PyMem_Free(refs);
    }
    return list;
}

int PyWeakref_GetRef(PyObject *op, PyObject **result)
{
    *result = NULL;
    if (op == NULL) {
        PyErr_BadInternalCall();
        return -1;
    }
    if (!PyWeakref_Check(op)) {
        PyErr_SetString(PyExc_TypeError, "expected a weakref");
        return -1;
    }
    *result = weakref_get(op);
    return *result != NULL;
}

PyObject *PyWeakref_GetObject(PyObject *op)
{
    if (op == NULL || !PyWeakref_Check(op)) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PyObject *target = weakref_get(op);
    if (target == NULL) {
        return Py_None;
    }
    Py_DECREF(target); /* borrowed, as this function promises */
    return target;
}

PyObject **PyObject_GET_WEAKREFS_LISTPTR(PyObject *op)
{
    return object_weaklist(op);
}

PyObject *weakref_first(PyObject *op)
{
    PyMutex *mutex = stripe_of(op);
    mutex_lock(mutex);
    PyWeakReference *ref = *list_of(op);
    while (ref != NULL && !take((PyObject *)ref)) {
        ref = ref->wr_next;
    }
    mutex_unlock(mutex);
    return (PyObject *)ref;
}

/* ---- the end of an object -------------------------------------------------------------------- */

void weakref_call_callback(PyWeakReference *ref)
{
    PyObject *callback = ref->wr_callback;
    ref->wr_callback = NULL;
    if (callback != NULL) {
        PyObject *result = PyObject_CallOneArg(callback, (PyObject *)ref);
        if (result == NULL) {
            PyErr_WriteUnraisable(callback);
        }
        Py_XDECREF(result);
        Py_DECREF(callback);
    }
    Py_DECREF(ref);
}

/* Empties the list of an object. References with a callback that still live come back as a chain
 * (by wr_next), each with a reference. */
static PyWeakReference *take_all(PyObject *op)
{
    PyWeakReference **head = list_of(op), *chain = NULL, **last = &chain;
    PyMutex *mutex = stripe_of(op);
    mutex_lock(mutex);
    for (PyWeakReference *ref = *head; ref != NULL; ref = *head) {
        unlink_ref(head, ref);
        if (ref->wr_callback != NULL && take((PyObject *)ref)) {
            *last = ref;
            last = &ref->wr_next;
        }
    }
    mutex_unlock(mutex);
    return chain;
}

void weakref_clear_all(PyObject *op)
{
    if (Py_TYPE(op)->tp_weaklistoffset == 0 || field_load_acquire(list_of(op)) == NULL) {
        return;
    }
    PyWeakReference *chain = take_all(op);
    if (chain == NULL) {
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    while (chain != NULL) {
        PyWeakReference *ref = chain;
        chain = ref->wr_next;
        ref->wr_next = NULL;
        weakref_call_callback(ref);
    }
    PyErr_SetRaisedException(raised);
}

void weakref_clear_collect(PyObject *op, void (*each)(PyWeakReference *, void *), void *arg)
{
    if (Py_TYPE(op)->tp_weaklistoffset == 0 || field_load_acquire(list_of(op)) == NULL) {
        return;
    }
    PyWeakReference *chain = take_all(op);
    while (chain != NULL) {
        PyWeakReference *ref = chain;
        chain = ref->wr_next;
        ref->wr_next = NULL;
        each(ref, arg);
    }
}

void PyObject_ClearWeakRefs(PyObject *op)
{
    if (op == NULL || Py_TYPE(op)->tp_weaklistoffset == 0) {
        PyErr_BadInternalCall();
        return;
    }
    weakref_clear_all(op);
}

void PyUnstable_Object_ClearWeakRefsNoCallbacks(PyObject *op)
{
    if (Py_TYPE(op)->tp_weaklistoffset == 0) {
        return;
    }
    PyWeakReference *chain = take_all(op);
    while (chain != NULL) {
        PyWeakReference *ref = chain;
        chain = ref->wr_next;
        ref->wr_next = NULL;
        Py_DECREF(ref);
    }
}

/* Clears one reference; its callback will not be called. */
void _PyWeakref_ClearRef(PyWeakReference *ref)
{
    detach(ref);
}

/* ---- the type -------------------------------------------------------------------------------- */

static int weakref_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((PyWeakReference *)op)->wr_callback);
    return 0;
}

static int weakref_clear(PyObject *op)
{
    PyWeakReference *ref = (PyWeakReference *)op;
    detach(ref);
    Py_CLEAR(ref->wr_callback);
    return 0;
}

static void weakref_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    weakref_clear(op);
    Py_TYPE(op)->tp_free(op);
}

static PyObject *weakref_vectorcall(PyObject *op, PyObject *const *Py_UNUSED(args), size_t nargsf,
                                    PyObject *kwnames)
{
    if (kwnames != NULL && PyTuple_GET_SIZE(kwnames) != 0) {
        PyErr_SetString(PyExc_TypeError, "weakref() takes no keyword arguments");
        return NULL;
    }
    if (PyVectorcall_NARGS(nargsf) != 0) {
        PyErr_Format(PyExc_TypeError, "weakref expected 0 arguments, got %zd",
                     PyVectorcall_NARGS(nargsf));
        return NULL;
    }
    PyObject *target = weakref_get(op);
    return target == NULL ? Py_NewRef(Py_None) : target;
}

static Py_hash_t weakref_hash(PyObject *op)
{
    PyWeakReference *ref = (PyWeakReference *)op;
    Py_hash_t hash = field_load(&ref->hash);
    if (hash != -1) {
        return hash;
    }
    PyObject *target = weakref_get(op);
    if (target == NULL) {
        PyErr_SetString(PyExc_TypeError, "weak object has gone away");
        return -1;
    }
    hash = stack_check(" while hashing") < 0 ? -1 : PyObject_Hash(target);
    Py_DECREF(target);
    field_store(&ref->hash, hash);
    return hash;
}

static PyObject *weakref_repr(PyObject *op)
{
    PyObject *target = weakref_get(op), *name = NULL, *text;
    if (target == NULL) {
        return PyUnicode_FromFormat("<weakref at %p; dead>", op);
    }
    name = object_lookup_special(target,
                                 ID(__name__)); /* without code of the class, which could fail */
    if (name == NULL && PyErr_Occurred()) {
        text = NULL;
    } else if (name == NULL || !PyUnicode_Check(name)) {
        text = PyUnicode_FromFormat("<weakref at %p; to '%T' at %p>", op, target, target);
    } else {
        text =
            PyUnicode_FromFormat("<weakref at %p; to '%T' at %p (%U)>", op, target, target, name);
    }
    Py_XDECREF(name);
    Py_DECREF(target);
    return text;
}

/* References to living objects are equal when the objects are. */
static PyObject *weakref_compare(PyObject *a, PyObject *b, int op)
{
    if ((op != Py_EQ && op != Py_NE) || !PyWeakref_CheckRef(a) || !PyWeakref_CheckRef(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *x = weakref_get(a), *y = weakref_get(b), *result;
    if (x == NULL || y == NULL) {
        result = PyBool_FromLong(op == Py_EQ ? a == b : a != b);
    } else {
        result = PyObject_RichCompare(x, y, op);
    }
    Py_XDECREF(x);
    Py_XDECREF(y);
    return result;
}

static PyObject *weakref_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    Py_ssize_t count = PyTuple_GET_SIZE(args);
    if ((type == &_PyWeakref_RefType && !bind_no_keywords("ref", kwds))
        || !bind_count("__new__", count, 1, 2)) {
        return NULL;
    }
    return weakref_make(type, PyTuple_GET_ITEM(args, 0),
                        count > 1 ? PyTuple_GET_ITEM(args, 1) : NULL);
}

static int weakref_init(PyObject *Py_UNUSED(self), PyObject *args, PyObject *kwds)
{
    return bind_no_keywords("ref", kwds) && bind_count("__init__", PyTuple_GET_SIZE(args), 1, 2)
               ? 0
               : -1;
}

static PyObject *weakref_class_getitem(PyObject *type, PyObject *item)
{
    return Py_GenericAlias(type, item);
}

static PyMethodDef weakref_methods[] = {
    {"__class_getitem__", weakref_class_getitem, METH_O | METH_CLASS,
     "__class_getitem__($type, object, /)\n--\n\nSee PEP 585"},
    {NULL},
};

static PyMemberDef weakref_members[] = {
    {"__callback__", _Py_T_OBJECT, offsetof(PyWeakReference, wr_callback), Py_READONLY, NULL},
    {NULL},
};

PyTypeObject _PyWeakref_RefType = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "weakref.ReferenceType",
    .tp_basicsize = sizeof(PyWeakReference),
    .tp_dealloc = weakref_dealloc,
    .tp_vectorcall_offset = offsetof(PyWeakReference, vectorcall),
    .tp_repr = weakref_repr,
    .tp_hash = weakref_hash,
    .tp_call = PyVectorcall_Call,
    .tp_flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_BASETYPE,
    .tp_traverse = weakref_traverse,
    .tp_clear = weakref_clear,
    .tp_richcompare = weakref_compare,
    .tp_methods = weakref_methods,
    .tp_members = weakref_members,
    .tp_init = weakref_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = weakref_new,
    .tp_free = PyObject_GC_Del,
};

PyTypeObject *const weakref_types[] = {
    &_PyWeakref_RefType,
    &_PyWeakref_ProxyType,
    &_PyWeakref_CallableProxyType,
    NULL,
};
