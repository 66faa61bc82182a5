/* What the files of the module _asyncio share.
 *
 * A future's fields change under its own lock; its status and flags are also read without it.  No
 * lock is held on the way into the event loop, which is Python code: what has to be called is taken
 * out of the future first.  So two threads that finish one future at a time agree on who did, and
 * its callbacks are scheduled once. */
#ifndef KRAIT_STDLIB_ASYNCIO_H
#define KRAIT_STDLIB_ASYNCIO_H

#include "module.h"

#pragma GCC visibility push(hidden)

struct asyncio_state {
    /* types */
    PyObject *future_type, *task_type, *iter_type, *step_type;
    /* from the package asyncio */
    PyObject *cancelled_error, *invalid_state_error, *future_repr, *task_repr, *task_get_stack,
        *task_print_stack, *iscoroutine, *get_policy, *extract_stack;
    /* who is there and who runs; attributes of the module */
    PyObject *scheduled_tasks, *eager_tasks, *current_tasks;
    /* names */
    PyObject *n_add, *n_add_done_callback, *n_blocking, *n_call_exception_handler, *n_call_soon,
        *n_cancel, *n_discard, *n_exception, *n_future, *n_get_debug, *n_get_event_loop,
        *n_get_loop, *n_is_running, *n_loop, *n_message, *n_result, *n_running_loop,
        *n_source_traceback, *n_task, *n_throw;
    PyObject *kw_context, *kw_msg; /* names of one keyword argument */
    uint64_t task_count;           /* for names of tasks; atomic */
};

enum status { PENDING, CANCELLED, FINISHED };

struct future {
    PyObject_HEAD
    struct asyncio_state *state;
    PyObject *loop;
    PyObject *callback, *context; /* the first callback; most futures have one */
    PyObject *callbacks;          /* list of (callback, context), or NULL */
    PyObject *result, *exception, *exception_tb;
    PyObject *source_traceback, *cancel_message, *cancelled_exc;
    PyObject *dict, *weaklist;
    unsigned char status;
    bool log_traceback; /* nobody has asked for the exception */
    bool blocking;      /* yielded by an await that waits */
};

struct task {
    struct future base;
    PyObject *coro, *run_context, *waiter;
    PyObject *name; /* NULL: made of the number when asked for */
    uint64_t number;
    int cancels;
    bool must_cancel, log_destroy;
};

#define FLAG(field) __atomic_load_n(&(field), __ATOMIC_RELAXED)
#define FLAG_SET(field, value) __atomic_store_n(&(field), value, __ATOMIC_RELAXED)

/* A field: new reference or NULL. */
#define FIELD_GET(self, field) LOCKED((PyObject *)(self), Py_XNewRef((self)->field))

/* The field's reference; it is NULL then. */
#define FIELD_TAKE(self, field)                                                                    \
    LOCKED((PyObject *)(self), __extension__({                                                     \
               PyObject *taken = (self)->field;                                                    \
               (self)->field = NULL;                                                               \
               taken;                                                                              \
           }))

/* Stores a value (stolen) and releases what was there, after the lock. */
#define FIELD_PUT(self, field, value)                                                              \
    do {                                                                                           \
        PyObject *put_value = (value);                                                             \
        Py_XDECREF(LOCKED((PyObject *)(self), __extension__({                                      \
                              PyObject *old = (self)->field;                                       \
                              (self)->field = put_value;                                           \
                              old;                                                                 \
                          })));                                                                    \
    } while (0)

static inline PyObject *or_none(PyObject *op)
{
    return op ? op : Py_NewRef(Py_None);
}

static inline struct asyncio_state *state_of(PyObject *module)
{
    return PyModule_GetState(module);
}

/* A future or task of these very types, not of a subclass that may override methods. */
static inline bool is_plain_future(struct asyncio_state *state, PyObject *op)
{
    return (PyObject *)Py_TYPE(op) == state->future_type
           || (PyObject *)Py_TYPE(op) == state->task_type;
}

static inline bool is_plain_task(struct asyncio_state *state, PyObject *op)
{
    return (PyObject *)Py_TYPE(op) == state->task_type;
}

/* ---- loops and the running task (module.c) -------------------------------------------------- */

/* The loop that runs in this thread (new reference), or NULL; an exception only on error. */
PyObject *running_loop(struct asyncio_state *state);

/* That loop or else what the policy says (new reference), or NULL with an exception. */
PyObject *event_loop(struct asyncio_state *state);

/* loop.call_soon(callback[, arg], context=context); without context if it is NULL. */
int call_soon(struct asyncio_state *state, PyObject *loop, PyObject *callback, PyObject *arg,
              PyObject *context);

/* Each -1 with an exception.  swap_current gives the task before (new reference). */
int enter_task(struct asyncio_state *state, PyObject *loop, PyObject *task);
int leave_task(struct asyncio_state *state, PyObject *loop, PyObject *task);
PyObject *swap_current(struct asyncio_state *state, PyObject *loop, PyObject *task);
int register_task(struct asyncio_state *state, PyObject *task);

/* ---- futures (future.c) --------------------------------------------------------------------- */

int future_start(struct future *self, PyObject *loop);

/* Each 1 if done, 0 if it was not pending any more, -1 with an exception.  References are
 * borrowed. */
int future_do_cancel(struct future *self, PyObject *message);
int future_do_result(struct future *self, PyObject *result);
int future_do_exception(struct future *self, PyObject *exception);

/* The result in *out: 1; an exception to be raised: 0 (each a new reference); or -1 with an
 * exception: it is not finished. */
int future_outcome(struct future *self, PyObject **out);

int future_add_callback(struct future *self, PyObject *callback, PyObject *context);
PyObject *future_cancelled_error(struct future *self);

int future_traverse(PyObject *op, visitproc visit, void *arg);
int future_clear(PyObject *op);
void future_finalize(PyObject *op);
PyObject *future_await(PyObject *op);

/* The body of a dealloc: the finalizer, which may bring the object back, and then the end. */
#define DEALLOC_FINALIZED(op, dealloc, clear)                                                      \
    do {                                                                                           \
        if (PyObject_CallFinalizerFromDealloc(op) < 0) {                                           \
            return;                                                                                \
        }                                                                                          \
        PyTypeObject *type = Py_TYPE(op);                                                          \
        PyObject_GC_UnTrack(op);                                                                   \
        Py_TRASHCAN_BEGIN(op, dealloc) PyObject_ClearWeakRefs(op);                                 \
        clear(op);                                                                                 \
        type->tp_free(op);                                                                         \
        Py_DECREF(type);                                                                           \
        Py_TRASHCAN_END                                                                            \
    } while (0)

/* Reports to the loop: {"message": message, key: self, ...}.  Errors are unraisable ones. */
void future_report(struct future *self, PyObject *key, PyObject *message, PyObject *exception);

extern PyType_Spec future_spec, iter_spec, task_spec, step_spec;
extern PyModuleDef asyncio_module;

#pragma GCC visibility pop

#endif
