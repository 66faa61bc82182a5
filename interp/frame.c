/*
 * The stacks of a thread, leaving frames, and frame objects made on demand.
 */
#include "interp/frame.h"

#include "alloc/prim.h"
#include "interp/vm/vm.h"
#include "objects/birth.h"
#include "objects/gc/gc.h"

#include <sys/mman.h>
#include <sys/resource.h>

/* ---- stacks ---------------------------------------------------------------------------------- */

/* Instructions with many operands use words above their frame as scratch. */
enum { VALUE_STACK_MARGIN = 70000 };

/* Address space for one stack of a thread. It costs nothing until it is used, unless the process has a limit
 * (`ulimit -v`): then the first thread takes 1/64 of that, and later ones a share that leaves room for hundreds. */
static size_t stack_bytes(bool first_thread)
{
    struct rlimit space;
    if (getrlimit(RLIMIT_AS, &space) < 0 || space.rlim_cur == RLIM_INFINITY) {
        return STACK_BYTES_MOST;
    }
    size_t bytes = (size_t)space.rlim_cur / (first_thread ? 64 : 1024);
    return bytes > STACK_BYTES_MOST ? STACK_BYTES_MOST : bytes & ~(size_t)0xFFFF;
}

/* Reserves *bytes, or what can be had of it. NULL: not even the least. */
static void *stack_reserve(size_t *bytes)
{
    for (;; *bytes = *bytes / 2) {
        if (*bytes < STACK_BYTES_LEAST) {
            *bytes = STACK_BYTES_LEAST;
        }
        void *p = mmap(NULL, *bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (p != MAP_FAILED) {
            return p;
        }
        if (*bytes == STACK_BYTES_LEAST) {
            return NULL;
        }
    }
}

int exec_init(struct exec_state *exec, bool first_thread)
{
    exec->values_bytes = exec->control_bytes = stack_bytes(first_thread);
    exec->values = stack_reserve(&exec->values_bytes);
    exec->control = stack_reserve(&exec->control_bytes);
    if (exec->values == NULL || exec->control == NULL) {
        exec_fini(exec);
        return -1;
    }
    exec->values_end = exec->values + exec->values_bytes / sizeof(value_t) - VALUE_STACK_MARGIN;
    exec->control_end = exec->control + exec->control_bytes / sizeof(struct frame) - 1;
    return 0;
}

void exec_fini(struct exec_state *exec)
{
    if (exec->values != NULL) {
        munmap(exec->values, exec->values_bytes);
    }
    if (exec->control != NULL) {
        munmap(exec->control, exec->control_bytes);
    }
    exec->values = NULL;
    exec->control = NULL;
}

void reg_release_range(value_t *r, unsigned from, unsigned to)
{
    while (to > from) {
        FEW_TIMES();
        value_clear(&r[--to]);
    }
}

/* ---- leaving --------------------------------------------------------------------------------- */

bool frame_is_incomplete(const struct frame *frame)
{
    return frame->owner == FRAME_OF_STACK
           && frame_lasti(frame) < frame_code(frame)->_co_firsttraceable;
}

struct frame *frame_visible(struct frame *frame)
{
    while (frame != NULL && frame_is_incomplete(frame)) {
        frame = frame->prev;
    }
    return frame;
}

/* The object outlives the frame: it takes record and locals over. */
static void frame_escape(struct frame *frame)
{
    PyFrameObject *op = frame->object;
    struct frame *copy = (struct frame *)op->_f_frame_data;
    unsigned nlocals = frame->body->nlocals;
    value_t *words = (value_t *)(copy + 1);
    struct frame *back = frame_visible(frame->prev);

    if (back != NULL && op->f_back == NULL) {
        PyObject *exc = PyErr_GetRaisedException();
        op->f_back = (PyFrameObject *)Py_XNewRef((PyObject *)frame_object(back));
        PyErr_SetRaisedException(exc);
    }
    for (unsigned i = 0; i < nlocals; i++) {
        words[i] = value_own(frame->r[i]);
        frame->r[i] = VALUE_NULL;
    }
    *copy = *frame;
    copy->r = words;
    copy->prev = NULL;
    copy->top = NULL;
    copy->object = op; /* borrowed: itself */
    copy->func = value_own(frame->func);
    copy->owner = FRAME_OF_OBJECT;
    op->f_frame = (struct _PyInterpreterFrame *)copy;
    gc_track((PyObject *)op);
}

void frame_clear(PyThreadState *ts, struct frame *frame, unsigned depth)
{
    PyFrameObject *op = frame->object;
    if (op != NULL && Py_REFCNT(op) > 1) {
        frame_escape(frame);
        thread_set_frame(ts, frame->prev);
        ts->py_recursion_remaining++;
        frame->object = NULL;
        Py_DECREF(op);
        return;
    }
    frame->pc = frame->body->words; /* finalizers do not see it any more */
    reg_release_range(frame->r, 0, depth);
    value_t func = frame->func;
    PyObject *locals = frame->locals;
    if (op != NULL) {
        op->f_frame = NULL;
    }
    frame->object = NULL;
    thread_set_frame(ts, frame->prev);
    ts->py_recursion_remaining++;
    Py_XDECREF(op);
    value_release(func);
    Py_XDECREF(locals);
}

/* ---- objects --------------------------------------------------------------------------------- */

PyFrameObject *frame_object(struct frame *frame)
{
    if (frame->object != NULL) {
        return frame->object;
    }
    size_t size = (size_t)PyFrame_Type.tp_basicsize + frame->body->nlocals * sizeof(value_t);
    PyFrameObject *op = (PyFrameObject *)birth_of_container(&PyFrame_Type, size);
    if (unlikely(op == NULL)) {
        return NULL;
    }
    /* The record and the words come when the frame ends. */
    memset(&op->f_back, 0,
           offsetof(PyFrameObject, _f_frame_data) - offsetof(PyFrameObject, f_back));
    op->f_frame = (struct _PyInterpreterFrame *)frame;
    op->f_trace_lines = 1;
    frame->object = op;
    return op;
}

int frame_local_get(struct frame *frame, int index, PyObject **value)
{
    *value = NULL;
    if (value_is_null(frame->r[index])) {
        return 0;
    }
    PyObject *op = value_box(&frame->r[index]);
    if (op == NULL) {
        return -1;
    }
    *value = Py_NewRef(op);
    return 0;
}

/* ---- roots ----------------------------------------------------------------------------------- */

/* Words of a frame that may be live, given the frame above it (or NULL for the running one). */
static unsigned frame_live_words(struct frame *frame)
{
    int index = frame_lasti(frame);
    if (index < 0) {
        return frame->body->nlocals;
    }
    return frame->body->depths[index];
}

int interp_visit_registers(PyThreadState *ts, visitproc visit, void *arg)
{
    for (struct frame *f = thread_frame(ts); f != NULL; f = f->prev) {
        if (value_is_uncounted(f->func)) {
            int result = visit(value_object(f->func), arg);
            if (result) {
                return result;
            }
        }
        unsigned live = frame_live_words(f);
        for (unsigned i = 0; i < live; i++) {
            value_t v = f->r[i];
            if (value_is_uncounted(v)) {
                int result = visit(value_object(v), arg);
                if (result) {
                    return result;
                }
            }
        }
    }
    return 0;
}
