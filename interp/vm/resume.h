/*
 * The straight part of resuming and suspending generators: what the loop does itself. generator.c has the rest.
 */
#ifndef KRAIT_VM_RESUME_H
#define KRAIT_VM_RESUME_H

#include "interp/vm/vm.h"

/* A generator's registers to the value stack, as many as are live. They are copied in pairs: an object has an even
 * number of them. */
VM_INLINE void gen_registers_enter(const struct frame *own, value_t *to)
{
    const value_t *from = own->r;
    for (const value_t *end = from + own->spare; from < end; from += 2, to += 2) {
        FEW_TIMES();
        to[0] = from[0];
        to[1] = from[1];
    }
}

/* Links a generator's frame into the chain of those that run. */
VM_INLINE void gen_chain_enter(PyThreadState *ts, PyGenObject *gen, struct frame *fp,
                               struct frame *top, enum on_return how)
{
    struct frame *own = gen_frame(gen);
    ts->py_recursion_remaining--;
    own->prev = fp;
    own->top = top;
    own->on_return = (uint8_t)how;
    gen->gi_frame_state = GEN_EXECUTING;
    gen->gi_exc_state.previous_item = ts->exc_info;
    ts->exc_info = &gen->gi_exc_state;
}

VM_INLINE void gen_chain_leave(PyThreadState *ts, PyGenObject *gen)
{
    ts->py_recursion_remaining++;
    gen_frame(gen)->prev = NULL;
    ts->exc_info = gen->gi_exc_state.previous_item;
    gen->gi_exc_state.previous_item = NULL;
}

/* Whether vm_gen_enter() would have nothing special to do. */
VM_INLINE bool gen_resumes_plainly(PyThreadState *ts, PyGenObject *gen, const value_t *to)
{
    return gen->gi_frame_state <= GEN_SUSPENDED
           && to + gen_frame(gen)->body->nregs <= interp_thread(ts)->exec.values_end
           && ts->py_recursion_remaining > 0;
}

/* Takes a yielding frame off the stacks and out of the chain; the current frame is not set. */
VM_INLINE void gen_suspend(PyThreadState *ts, struct frame *fp, bool yield_from)
{
    PyGenObject *gen = gen_of_frame(fp);
    value_t *to = gen_registers(gen);
    const value_t *from = fp->r;
    unsigned depth = fp->body->depths[fp->pc - 1 - fp->body->words];
    fp->spare = (uint16_t)depth;
    fp->r = to;
    for (value_t *end = to + depth; to < end; to++, from++) {
        FEW_TIMES();
        *to = value_own(*from);
    }
    gen_chain_leave(ts, gen);
    gen->gi_frame_state = yield_from ? GEN_SUSPENDED_YIELD_FROM : GEN_SUSPENDED;
}

/* A frame that delegates only passes on what was yielded to it: the first one outward that does not, or NULL when
 * the value is for C. The current frame is set. */
struct frame *vm_gen_pass_on(PyThreadState *ts, struct frame *parked);

#endif
