/*
 * The interpreter loop: dispatch in one of three styles, bodies from the instruction definitions.
 *
 * The whole state is pc, r (registers), fp (frame), co (its code) and ts (thread); w is the current word.
 */
#if defined(__GNUC__) && !defined(__clang__)
/* To the compiler all of this is one loop, out of which constants should be moved: it would keep a few of them in
 * registers, and the address of the machine's registers in memory. */
#pragma GCC optimize("no-move-loop-invariants")
#endif

#include "interp/vm/resume.h"

#define A WORD_A(w)
#define B WORD_B(w)
#define C WORD_C(w)
#define SC WORD_SC(w)
#define SBC WORD_SBC(w)
#define BCU WORD_BCU(w)

#define RELOAD()                                                                                   \
    do {                                                                                           \
        r = fp->r;                                                                                 \
        co = fp->body;                                                                             \
        pc = fp->pc;                                                                               \
    } while (0)
#define CALL_FAIL(base)                                                                            \
    do {                                                                                           \
        SAVE();                                                                                    \
        vm_drop_window(fp, base);                                                                  \
        FAIL();                                                                                    \
    } while (0)

#if defined(DISPATCH_TAILCALL)

/* Each instruction is a function; the state stays in argument registers. */

#if defined(__has_attribute) && __has_attribute(preserve_none)
#define CONVENTION __attribute__((preserve_none))
#else
#define CONVENTION
#endif
#define STATE                                                                                      \
    uint64_t w, const uint64_t *pc, value_t *r, struct frame *fp, struct code_body *co,            \
        PyThreadState *ts
#define STATE_ARGUMENTS w, pc, r, fp, co, ts
#define MUSTTAIL __attribute__((musttail))

typedef CONVENTION value_t (*instruction_fn)(STATE);
static const instruction_fn targets[];

#define NEXT()                                                                                     \
    do {                                                                                           \
        w = field_load(pc++);                                                                      \
        MUSTTAIL return targets[WORD_OP(w)](STATE_ARGUMENTS);                                      \
    } while (0)
#define DISPATCH_AS(op) MUSTTAIL return targets[op](STATE_ARGUMENTS)
#define FAIL() MUSTTAIL return run_fail(STATE_ARGUMENTS)
#define FAIL_AGAIN() MUSTTAIL return run_fail_again(STATE_ARGUMENTS)
#define END_RUN(v) return (v)
#define WIDE() MUSTTAIL return run_wide(STATE_ARGUMENTS)
#define TARGET(name)                                                                               \
    static CONVENTION value_t run_##name(STATE)                                                    \
    {
#define END_TARGET                                                                                 \
    NEXT();                                                                                        \
    }

static CONVENTION value_t run_fail(STATE)
{
    fp->pc = pc;
    fp = vm_unwind(ts, fp, true);
    if (fp == NULL) {
        return VALUE_NULL;
    }
    RELOAD();
    NEXT();
}

static CONVENTION value_t run_fail_again(STATE)
{
    fp->pc = pc;
    fp = vm_unwind(ts, fp, false);
    if (fp == NULL) {
        return VALUE_NULL;
    }
    RELOAD();
    NEXT();
}

/* Apart, because a tail call may not leave a pointer to a local behind. */
static __attribute__((noinline)) bool step_wide(PyThreadState *ts, struct frame **fp,
                                                const uint64_t *pc, value_t *result)
{
    struct wide_state state = {*fp, pc, VALUE_NULL};
    (*fp)->pc = pc;
    if (vm_wide_step(ts, &state)) {
        *result = state.result;
        return true;
    }
    *fp = state.fp;
    return false;
}

static __attribute__((noinline)) struct frame *after_wide(PyThreadState *ts, struct frame *fp,
                                                          const uint64_t *pc, value_t *result)
{
    return step_wide(ts, &fp, pc, result) ? NULL : fp;
}

static value_t wide_result(value_t *result)
{
    return *result;
}

static CONVENTION value_t run_wide(STATE)
{
    static __thread value_t result;
    fp = after_wide(ts, fp, pc, &result);
    if (fp == NULL) {
        return wide_result(&result);
    }
    RELOAD();
    NEXT();
}

#include "interp/vm/bodies.h"
#include "interp/cases.inc"

#define ENTRY(name) [name] = run_##name,
static const instruction_fn targets[] = {OPCODE_LIST(ENTRY)};

value_t interp_run(PyThreadState *ts, struct frame *fp, bool throwing)
{
    thread_set_frame(ts, fp);
    if (throwing) {
        fp = vm_unwind(ts, fp, true);
        if (fp == NULL) {
            return VALUE_NULL;
        }
    }
    const uint64_t *pc = fp->pc;
    uint64_t w = field_load(pc++); /* other threads may be specialising it */
    return targets[WORD_OP(w)](w, pc, fp->r, fp, fp->body, ts);
}

#else

#define FAIL() goto fail
#define FAIL_AGAIN() goto fail_again
#define END_RUN(v) return (v)
#define WIDE() goto wide

#if defined(DISPATCH_SWITCH)
#define NEXT()                                                                                     \
    do {                                                                                           \
        w = field_load(pc++);                                                                      \
        op = WORD_OP(w);                                                                           \
        goto dispatch;                                                                             \
    } while (0)
#define DISPATCH_AS(number)                                                                        \
    do {                                                                                           \
        op = (unsigned)(number);                                                                   \
        goto dispatch;                                                                             \
    } while (0)
#define TARGET(name) case name:
#else
#define NEXT()                                                                                     \
    do {                                                                                           \
        w = field_load(pc++);                                                                      \
        goto *targets[WORD_OP(w)];                                                                 \
    } while (0)
#define DISPATCH_AS(number) goto *targets[number]
#define TARGET(name) target_##name:
#endif
#define END_TARGET NEXT();

#include "interp/vm/bodies.h"

value_t interp_run(PyThreadState *ts, struct frame *fp, bool throwing)
{
#if !defined(DISPATCH_SWITCH)
#define ENTRY(name) [name] = &&target_##name,
    static const void *const targets[] = {OPCODE_LIST(ENTRY)};
#else
    unsigned op;
#endif
    const uint64_t *pc = fp->pc;
    value_t *r = fp->r;
    struct code_body *co = fp->body;
    uint64_t w;

    thread_set_frame(ts, fp);
    if (throwing) {
        goto fail;
    }
    NEXT();

#if defined(DISPATCH_SWITCH)
dispatch:
    switch (op) {
#include "interp/cases.inc"
    default:
        __builtin_unreachable();
    }
#else
#include "interp/cases.inc"
#endif

wide : {
    struct wide_state state = {fp, pc, VALUE_NULL};
    SAVE();
    if (vm_wide_step(ts, &state)) {
        return state.result;
    }
    fp = state.fp;
    RELOAD();
    NEXT();
}

fail:
    SAVE();
    fp = vm_unwind(ts, fp, true);
    if (fp == NULL) {
        return VALUE_NULL;
    }
    RELOAD();
    NEXT();

fail_again:
    SAVE();
    fp = vm_unwind(ts, fp, false);
    if (fp == NULL) {
        return VALUE_NULL;
    }
    RELOAD();
    NEXT();
}

#endif
