#include "tests/unit/floor.h"

int boxes_dead;

struct box *box_new(int64_t value)
{
    struct box *box = slab_alloc(sizeof(*box), SLAB_GC);
    cr_assert_not_null(box);
    *object_gc_byte(&box->ob) = 0;
    ref_init(&box->ob);
    box->ob.ob_type = NULL;
    for (int i = 0; i < 4; i++) {
        box->value[i] = value;
    }
    return box;
}

/* -- In place of the floors above ---------------------------------------------------------------- */

void _Py_Dealloc(PyObject *op)
{
    struct box *box = (struct box *)op;
    if (op->ob_type) {
        op->ob_type->tp_dealloc(op);
        return;
    }
    atomic_add(&boxes_dead, 1);
    box->value[0] = -1;
    slab_free(op);
}

_Noreturn void _Py_FatalErrorFunc(const char *function, const char *message)
{
    fprintf(stderr, "Fatal Python error: %s: %s\n", function, message);
    abort();
}

PyObject *PyExc_RuntimeError;
PyObject *PyDict_New(void)
{
    return NULL;
}
void PyErr_Clear(void)
{
}
void PyErr_SetString(PyObject *exception, const char *message)
{
    (void)exception, (void)message;
}

/* -- Threads ------------------------------------------------------------------------------------- */

struct thread *floor_start(void)
{
    struct interp_state *interp = interp_new(true);
    cr_assert_not_null(interp);
    struct thread *self = thread_new(interp);
    cr_assert_not_null(self);
    thread_attach(self);
    return self;
}

void floor_stop(void)
{
    struct thread *self = thread_self();
    struct interp_state *interp = thread_interp(self);
    thread_exit();
    interp_delete(interp);
}

static struct {
    void (*fn)(struct floor_thread *);
    void *arg;
    struct interp_state *interp;
} job;

static void *floor_main(void *number)
{
    struct thread *self = thread_new(job.interp);
    thread_attach(self);
    struct floor_thread thread = {(int)(intptr_t)number, job.arg};
    job.fn(&thread);
    thread_exit();
    return NULL;
}

void floor_run(int count, void (*fn)(struct floor_thread *), void *arg)
{
    pthread_t threads[64];
    struct thread *self = thread_self();
    job.fn = fn;
    job.arg = arg;
    job.interp = thread_interp(self);
    thread_detach();
    for (int i = 0; i < count; i++) {
        pthread_create(&threads[i], NULL, floor_main, (void *)(intptr_t)i);
    }
    for (int i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }
    thread_attach(self);
}
