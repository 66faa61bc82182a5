/*
 * Frames: a record of control data per running function, and its registers.
 *
 * Records lie on the thread's control stack, registers on its value stack. The callee's registers
 * begin inside the caller's call window, so nothing is copied and all live words of a thread are
 * contiguous. A generator keeps its record and registers in its object; they are copied to the stacks while it
 * runs. While another one runs that it delegates to, the record is linked into the chain and the registers stay
 * where they are (`parked`). `PyThreadState.current_frame` is the running frame's record.
 *
 * Who may read registers: words below depth(pc) are valid, words above are never read. `pc` is up to date
 * whenever other code can look: at calls and safe points.
 */
#ifndef KRAIT_INTERP_FRAME_H
#define KRAIT_INTERP_FRAME_H

#include "Python.h"

#include <stdbool.h>
#include <stdint.h>

#include "internal/pycore_frame.h"

#include "interp/code.h"
#include "locking/thread.h"
#include "objects/object.h"
#include "objects/value.h"

/* What happens with a frame's result. */
enum on_return {
    RETURN_PLAIN, /* to r[dst] of the caller */
    RETURN_C,     /* interp_run() ends with it */
    RETURN_INIT,  /* it must be None; the instance below the window is the result */
    RETURN_FOR,   /* the frame is a generator run by FOR_ITER */
    RETURN_SEND,  /* ... by SEND */
    RETURN_CALL,  /* ... by a CALL of its send() or of next() */
    RETURN_HOOK,  /* it is a __getattr__ that GET_ATTR asked */
};

/* Monitoring: what was said of a call whose end is to be told too. */
enum call_reported { CALL_UNREPORTED, CALL_REPORTED, CALL_REPORTED_SUPER };

enum frame_owner { FRAME_OF_STACK = 0, FRAME_OF_GENERATOR, FRAME_OF_OBJECT };

struct frame {
    struct code_body *body;
    const uint64_t *pc; /* the next instruction; pc - 1 is the current one */
    value_t *r;
    struct frame *prev;    /* the caller's, NULL at the bottom of a thread */
    struct frame *top;     /* where the next record goes */
    value_t func;          /* PyFunctionObject, as an owned or uncounted word */
    PyObject *locals;      /* mapping of module and class code, owned; NULL: fast locals */
    PyFrameObject *object; /* owned; NULL: nobody has looked yet */
    uint16_t dst;
    uint8_t on_return;     /* enum on_return */
    uint8_t owner;         /* enum frame_owner */
    uint8_t call_reported; /* enum call_reported, of the call that is made now */
    uint8_t
        parked; /* a generator that delegates: stands in the chain, but its words do not on the stack */
    uint16_t spare;
};

static inline PyFunctionObject *frame_function(const struct frame *frame)
{
    return (PyFunctionObject *)value_object(frame->func);
}

static inline PyCodeObject *frame_code(const struct frame *frame)
{
    return frame->body->code;
}

/* Index of the current word; -1 before the first. */
static inline int frame_lasti(const struct frame *frame)
{
    return (int)(frame->pc - frame->body->words) - 1;
}

static inline PyObject *frame_globals(const struct frame *frame)
{
    return frame_function(frame)->func_globals;
}

/* Whether code of this frame has run past its first RESUME: unfinished ones are not shown. */
bool frame_is_incomplete(const struct frame *frame);
/* frame, or the next one outward that may be shown; NULL. */
struct frame *frame_visible(struct frame *frame);

/* ---- the thread's stacks --------------------------------------------------------------------- */

/* What each of the two stacks reserves; much less where address space is limited. */
#define STACK_BYTES_MOST ((size_t)64 << 20)
#define STACK_BYTES_LEAST ((size_t)1 << 20)

/* The jump that brought control where it is, for line events. */
struct arrival {
    struct frame *frame; /* NULL: none */
    const uint64_t *pc;  /* behind the target */
    bool other_line;
};

struct exec_state {
    value_t *values, *values_end;
    struct frame *control, *control_end;
    size_t values_bytes, control_bytes; /* reserved */
    uint32_t c_depth;
    struct arrival arrival;
};

/* interp's part of a thread. */
struct interp_thread {
    struct object_thread base;
    struct exec_state exec;
};

static inline struct interp_thread *interp_thread(PyThreadState *ts)
{
    return (struct interp_thread *)ts;
}

static inline struct frame *thread_frame(PyThreadState *ts)
{
    return (struct frame *)ts->current_frame;
}

static inline void thread_set_frame(PyThreadState *ts, struct frame *frame)
{
    ts->current_frame = (struct _PyInterpreterFrame *)frame;
}

/* Reserves the stacks: 0, or -1 without an exception. */
int exec_init(struct exec_state *exec, bool first_thread);
void exec_fini(struct exec_state *exec);

/* ---- pushing and popping --------------------------------------------------------------------- */

/* Releases a frame's registers (locals; and temporaries below `depth`), its function, locals
 * mapping and object (which takes the words over if others hold it). The record is dead then.
 * May run Python code. */
void frame_clear(PyThreadState *ts, struct frame *frame, unsigned depth);

/* ---- frame objects --------------------------------------------------------------------------- */

/* The frame's object, made when there is none: borrowed from the frame. NULL with MemoryError. */
PyFrameObject *frame_object(struct frame *frame);
/* The record behind an object; its registers. */
static inline struct frame *frame_of_object(PyFrameObject *op)
{
    return (struct frame *)op->f_frame;
}
/* Sets the line (a jump); 0 or -1 with ValueError. */
int frame_set_lineno(PyFrameObject *op, int line);
/* f_trace, or none (stolen). May run Python code: what it was may go. */
void frame_set_trace(PyFrameObject *op, PyObject *trace);
/* A FrameLocalsProxy (new reference). */
PyObject *frame_locals_proxy(PyFrameObject *op);
/* locals() of a frame: proxy's snapshot as dict for functions, the mapping else. New reference. */
PyObject *frame_locals(struct frame *frame);
/* The value of variable i for others to see: new reference, or NULL without exception if unbound.
 * Boxes in place. -1 with MemoryError. */
int frame_local_get(struct frame *frame, int index, PyObject **value);

/* ---- generators ------------------------------------------------------------------------------ */

enum gen_state {
    GEN_CREATED = -3,
    GEN_SUSPENDED = -2,
    GEN_SUSPENDED_YIELD_FROM = -1,
    GEN_EXECUTING = 0,
    GEN_COMPLETED = 1,
    GEN_CLEARED = 4,
};

static inline struct frame *gen_frame(PyGenObject *gen)
{
    return (struct frame *)((char *)gen + offsetof(PyGenObject, gi_iframe));
}

static inline PyGenObject *gen_of_frame(const struct frame *frame)
{
    return (PyGenObject *)((char *)frame - offsetof(PyGenObject, gi_iframe));
}

static inline value_t *gen_registers(PyGenObject *gen)
{
    return (value_t *)(gen_frame(gen) + 1);
}

/* A generator, coroutine or async generator that takes over the running frame's words and function.
 * New reference; NULL with an exception (nothing taken then). */
PyObject *gen_new_from_frame(PyThreadState *ts, struct frame *frame);

/* Runs a suspended one until it yields or ends. `sent` is taken over: a value, or unbound for a thrown
 * exception, which then is the current one. Result as am_send: an owned reference in *result. */
PySendResult gen_resume(PyGenObject *gen, value_t sent, bool thrown, PyObject **result);

/* Raises StopIteration with a generator's result (a word that is taken over). */
void gen_stop_with(value_t result);
/* next() of a generator: what it yields as an owned word; VALUE_NULL at the end or with an exception. Runs Python code. */
value_t gen_next_word(PyObject *gen);

/* The iterator that `await op` drives: new reference, or NULL with TypeError. */
PyObject *coro_awaitable_iter(PyObject *op);
/* The value of a StopIteration that is the current exception (which is taken away), or None when there is no
 * exception: 0 and a new reference. -1 when another exception is current (it stays). */
int gen_stop_iteration_value(PyObject **value);
/* What a suspended generator delegates to (new reference), or NULL without an exception. */
PyObject *gen_delegate(PyGenObject *gen);

extern PyTypeObject *const frame_types[];
extern PyTypeObject *const generator_types[];

#endif
