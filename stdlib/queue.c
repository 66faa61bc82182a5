/* The module _queue.
 *
 * A ring buffer of items and a line of waiting threads.  Who puts an item while somebody waits hands
 * it to the first in the line and wakes that thread alone; so items arrive in order, and nothing is
 * ever lost when a wait times out or is interrupted. */
#include "module.h"
#include "seconds.h"

struct waiter {
    struct waiter *prev, *next;
    PyThread_type_lock wake; /* held until there is something for us */
    PyObject *item;          /* what was handed over */
};

struct queue {
    PyObject_HEAD
    PyObject **items;
    size_t head, capacity, length;
    struct waiter *first, *last;
    PyObject *weaklist;
};

struct queue_state {
    PyObject *queue_type, *empty;
};

static PyModuleDef queue_module;

#include "queue.bind.h"

/* ---- items and the line: under the queue's lock ---------------------------------------------- */

static void line_leave(struct queue *self, struct waiter *waiter)
{
    *(waiter->prev ? &waiter->prev->next : &self->first) = waiter->next;
    *(waiter->next ? &waiter->next->prev : &self->last) = waiter->prev;
}

static int items_grow(struct queue *self)
{
    size_t capacity = self->capacity ? self->capacity * 2 : 8;
    PyObject **items = PyMem_New(PyObject *, capacity);
    if (items == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < self->length; i++) {
        items[i] = self->items[(self->head + i) & (self->capacity - 1)];
    }
    PyMem_Free(self->items);
    self->items = items;
    self->capacity = capacity;
    self->head = 0;
    return 0;
}

static int put_locked(struct queue *self, PyObject *item)
{
    struct waiter *waiter = self->first;
    if (waiter != NULL) {
        line_leave(self, waiter);
        waiter->item = Py_NewRef(item);
        PyThread_release_lock(waiter->wake);
        return 0;
    }
    if (self->length == self->capacity && items_grow(self) < 0) {
        return -1;
    }
    self->items[(self->head + self->length++) & (self->capacity - 1)] = Py_NewRef(item);
    return 0;
}

/* The first item (new reference), or NULL without an exception; then `waiter`, if any, stands in
 * the line. */
static PyObject *take_locked(struct queue *self, struct waiter *waiter)
{
    if (self->length != 0) {
        PyObject *item = self->items[self->head];
        self->head = (self->head + 1) & (self->capacity - 1);
        self->length--;
        return item;
    }
    if (waiter != NULL) {
        waiter->next = NULL;
        waiter->prev = self->last;
        *(self->last ? &self->last->next : &self->first) = waiter;
        self->last = waiter;
    }
    return NULL;
}

/* Ends a wait: what was handed over after all, or NULL and out of the line. */
static PyObject *give_up_locked(struct queue *self, struct waiter *waiter)
{
    if (waiter->item == NULL) {
        line_leave(self, waiter);
    }
    return waiter->item;
}

/* ---- waiting -------------------------------------------------------------------------------- */

static PyObject *raise_empty(struct queue *self)
{
    PyObject *module = PyType_GetModuleByDef(Py_TYPE(self), &queue_module);
    if (module != NULL) {
        PyErr_SetNone(((struct queue_state *)PyModule_GetState(module))->empty);
    }
    return NULL;
}

/* Sleeps until something was handed over (1), the time is up (0), or a signal handler raised (-1).
 * A deadline of 0 is none. */
static int waiter_sleep(struct waiter *waiter, PyTime_t deadline)
{
    for (;;) {
        long long microseconds = -1;
        if (deadline != 0) {
            PyTime_t now;
            if (PyTime_Monotonic(&now) < 0) {
                return -1;
            }
            microseconds = now >= deadline ? 0 : (deadline - now + 999) / 1000;
        }
        PyLockStatus status;
        Py_BEGIN_ALLOW_THREADS status = PyThread_acquire_lock_timed(waiter->wake, microseconds, 1);
        Py_END_ALLOW_THREADS if (status == PY_LOCK_ACQUIRED)
        {
            return 1;
        }
        if (status == PY_LOCK_FAILURE && microseconds >= 0) {
            return 0;
        }
        if (Py_MakePendingCalls() < 0) {
            return -1;
        }
    }
}

static PyObject *wait_for_item(struct queue *self, PyTime_t deadline)
{
    struct waiter waiter = {.wake = PyThread_allocate_lock()};
    if (waiter.wake == NULL) {
        PyErr_SetString(PyExc_MemoryError, "can't allocate lock");
        return NULL;
    }
    PyThread_acquire_lock(waiter.wake, WAIT_LOCK);
    PyObject *item = LOCKED(self, take_locked(self, &waiter));
    if (item == NULL) {
        int woken = waiter_sleep(&waiter, deadline);
        item = woken == 1 ? waiter.item : LOCKED(self, give_up_locked(self, &waiter));
        if (woken < 0 && item != NULL) {
            /* The signal's exception wins: the item goes to the next one, or stays. */
            PyObject *raised = PyErr_GetRaisedException();
            if (LOCKED(self, put_locked(self, item)) < 0) {
                PyErr_Clear();
            }
            PyErr_SetRaisedException(raised);
            Py_CLEAR(item);
        } else if (item == NULL && woken == 0) {
            raise_empty(self);
        }
    }
    PyThread_release_lock(waiter.wake);
    PyThread_free_lock(waiter.wake);
    return item;
}

/* ---- methods -------------------------------------------------------------------------------- */

static int queue_put(struct queue *self, PyObject *item, int Py_UNUSED(block),
                     PyObject *Py_UNUSED(timeout))
{
    return LOCKED(self, put_locked(self, item));
}

static int queue_put_nowait(struct queue *self, PyObject *item)
{
    return LOCKED(self, put_locked(self, item));
}

static PyObject *queue_get_nowait(struct queue *self)
{
    PyObject *item = LOCKED(self, take_locked(self, NULL));
    return item ? item : raise_empty(self);
}

static PyObject *queue_get(struct queue *self, int block, PyObject *timeout)
{
    if (!block) {
        return queue_get_nowait(self);
    }
    PyTime_t deadline = 0, wait = 0;
    if (timeout != Py_None) {
        if (!nanoseconds_of(timeout, ROUND_CEILING, &wait)) {
            return NULL;
        }
        if (wait < 0) {
            PyErr_SetString(PyExc_ValueError, "'timeout' must be a non-negative number");
            return NULL;
        }
    }
    PyObject *item = LOCKED(self, take_locked(self, NULL));
    if (item != NULL) {
        return item;
    }
    if (timeout != Py_None) {
        if (PyTime_Monotonic(&deadline) < 0) {
            return NULL;
        }
        deadline = wait > PyTime_MAX - deadline ? PyTime_MAX : deadline + wait;
    }
    return wait_for_item(self, deadline);
}

static int queue_empty(struct queue *self)
{
    return __atomic_load_n(&self->length, __ATOMIC_RELAXED) == 0;
}

static Py_ssize_t queue_qsize(struct queue *self)
{
    return (Py_ssize_t)__atomic_load_n(&self->length, __ATOMIC_RELAXED);
}

/* ---- the type ------------------------------------------------------------------------------- */

static PyObject *queue_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) != 0) {
        PyErr_Format(PyExc_TypeError, "SimpleQueue() takes no positional arguments");
        return NULL;
    }
    return bind_no_keywords("SimpleQueue", kwargs) ? type_make(type) : NULL;
}

static int queue_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct queue *self = (struct queue *)op;
    Py_VISIT(Py_TYPE(op));
    for (size_t i = 0; i < self->length; i++) {
        Py_VISIT(self->items[(self->head + i) & (self->capacity - 1)]);
    }
    return 0;
}

static int queue_clear(PyObject *op)
{
    struct queue *self = (struct queue *)op;
    PyObject **items = self->items;
    size_t head = self->head, mask = self->capacity - 1, length = self->length;
    self->items = NULL;
    self->head = self->capacity = self->length = 0;
    for (size_t i = 0; i < length; i++) {
        Py_DECREF(items[(head + i) & mask]);
    }
    PyMem_Free(items);
    return 0;
}

static void queue_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    PyObject_ClearWeakRefs(op);
    queue_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMemberDef queue_members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(struct queue, weaklist), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot queue_type_slots[] = {
    GC_SLOTS(queue),
    {Py_tp_doc, queue_doc},
    {Py_tp_methods, queue_methods},
    {Py_tp_members, queue_members},
    {Py_tp_new, queue_new},
    {0, NULL},
};

static PyType_Spec queue_spec = {
    "_queue.SimpleQueue",
    sizeof(struct queue),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    queue_type_slots,
};

static int queue_exec(PyObject *module)
{
    struct queue_state *state = PyModule_GetState(module);
    state->queue_type = (PyObject *)module_type(module, &queue_spec, true);
    state->empty = PyErr_NewExceptionWithDoc("_queue.Empty",
                                             "Raised by get_nowait() and by get() when no item "
                                             "came in time.",
                                             NULL, NULL);
    return state->queue_type && PyModule_AddObjectRef(module, "Empty", state->empty) == 0 ? 0 : -1;
}

STATE_OBJECTS(queue)

static PyModuleDef_Slot queue_slots[] = MODULE_SLOTS(queue_exec);

static PyModuleDef queue_module = {
    PyModuleDef_HEAD_INIT,  .m_name = "_queue",  .m_doc = queue_module_doc,
    .m_slots = queue_slots, STATE_FIELDS(queue),
};

MODULE_INIT(_queue, queue_module)
