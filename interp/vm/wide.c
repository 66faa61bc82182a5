/*
 * One instruction whose operands have an EXT word in front: the same bodies, compiled once more with wide
 * operands, for code too large for 16 bits. Correct rather than fast.
 */
#include "interp/vm/resume.h"

#define A (WORD_A(w) | WORD_A(prefix) << 16)
#define B (WORD_B(w) | WORD_B(prefix) << 16)
#define C (WORD_C(w) | WORD_C(prefix) << 16)
#define SC (prefix ? (int)C : WORD_SC(w))
#define SBC ((int)WORD_BCU(w))
#define BCU WORD_BCU(w)

#define RELOAD()                                                                                   \
    do {                                                                                           \
        r = fp->r;                                                                                 \
        co = fp->body;                                                                             \
        pc = fp->pc;                                                                               \
    } while (0)
#define NEXT() goto done
#define DISPATCH_AS(number)                                                                        \
    do {                                                                                           \
        op = (unsigned)(number);                                                                   \
        goto dispatch;                                                                             \
    } while (0)
#define FAIL() goto fail
#define FAIL_AGAIN() goto fail_again
#define CALL_FAIL(base)                                                                            \
    do {                                                                                           \
        SAVE();                                                                                    \
        vm_drop_window(fp, base);                                                                  \
        FAIL();                                                                                    \
    } while (0)
#define END_RUN(v)                                                                                 \
    do {                                                                                           \
        state->result = (v);                                                                       \
        return true;                                                                               \
    } while (0)
#define WIDE() Py_UNREACHABLE()
#define TARGET(name) case name:
#define END_TARGET NEXT();

#include "interp/vm/bodies.h"

/* prefix: the EXT word, or 0 (named so that no body hides it). With `failed` a failure is left to the caller. */
static bool step(PyThreadState *ts, struct wide_state *state, uint64_t prefix, unsigned op,
                 bool *failed)
{
    struct frame *fp = state->fp;
    const uint64_t *pc = state->pc;
    value_t *r = fp->r;
    struct code_body *co = fp->body;
    uint64_t w = field_load(pc++); /* other threads may be specialising it */

dispatch:
    switch (op) {
#include "interp/cases.inc"
    default:
        Py_UNREACHABLE();
    }

fail:
    SAVE();
    if (failed != NULL) {
        *failed = true;
        return false;
    }
    fp = vm_unwind(ts, fp, true);
    goto unwound;
fail_again:
    SAVE();
    fp = vm_unwind(ts, fp, false);
unwound:
    if (fp == NULL) {
        state->result = VALUE_NULL;
        return true;
    }
    RELOAD();
done:
    fp->pc = pc;
    state->fp = fp;
    return false;
}

bool vm_wide_step(PyThreadState *ts, struct wide_state *state)
{
    return step(ts, state, field_load(&state->pc[-1]), WORD_OP(field_load(state->pc)), NULL);
}

int vm_single_step(PyThreadState *ts, struct wide_state *state, unsigned op)
{
    const struct code_body *body = state->fp->body;
    const uint64_t *word = --state->pc;
    bool failed = false;
    uint64_t prefix = word > body->words && WORD_OP(word[-1]) == EXT ? word[-1] : 0;
    step(ts, state, prefix, op, &failed);
    return failed ? -1 : 0;
}
