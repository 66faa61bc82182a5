/*
 * The words that instruction bodies are written in, for loop.c and wide.c. Before including it a file defines
 * A, B, C, SC, SBC, BCU (operands), NEXT() (go to the next instruction), END_RUN(v) (leave interp_run),
 * RELOAD() (fp has changed: set r, co, pc from it), FAIL(), FAIL_AGAIN(), CALL_FAIL(base), WIDE().
 */

#define SAVE() (fp->pc = pc)

#define PUT(d, v)                                                                                  \
    do {                                                                                           \
        value_t *slot_ = &r[d], old_ = *slot_;                                                     \
        *slot_ = (v);                                                                              \
        if (unlikely(value_is_owned(old_)) && (d) < co->nlocals) {                                 \
            SAVE();                                                                                \
            value_release(old_);                                                                   \
        }                                                                                          \
    } while (0)

#define CONSUME(s)                                                                                 \
    do {                                                                                           \
        if ((s) >= co->nlocals) {                                                                  \
            value_release(r[s]);                                                                   \
        }                                                                                          \
    } while (0)

#define SLOW(call)                                                                                 \
    do {                                                                                           \
        SAVE();                                                                                    \
        if (unlikely((call) < 0)) {                                                                \
            FAIL();                                                                                \
        }                                                                                          \
        NEXT();                                                                                    \
    } while (0)

#define TRUTH_OF(s, truth, keep)                                                                   \
    do {                                                                                           \
        value_t v_ = r[s];                                                                         \
        (truth) = value_truth_fast(v_);                                                            \
        if (unlikely((truth) < 0)) {                                                               \
            SAVE();                                                                                \
            (truth) = vm_truth(fp, s, keep);                                                       \
            if (unlikely((truth) < 0)) {                                                           \
                FAIL();                                                                            \
            }                                                                                      \
        } else if (!(keep) && unlikely(value_is_owned(v_)) && (s) >= co->nlocals) {                \
            value_release(v_);                                                                     \
        }                                                                                          \
    } while (0)
#define TRUTH(s, truth) TRUTH_OF(s, truth, false)
#define TRUTH_KEEP(s, truth) TRUTH_OF(s, truth, true)

#define SAFE_POINT()                                                                               \
    do {                                                                                           \
        if (unlikely(field_load(&ts->eval_breaker) != 0)) {                                        \
            SAVE();                                                                                \
            if (safe_point_of(thread_of(ts)) < 0) {                                                \
                FAIL();                                                                            \
            }                                                                                      \
        }                                                                                          \
    } while (0)

#define STACK_LEFT() likely(!thread_stack_low(thread_of(ts), 0))

/* Gives up the words of a call with n arguments. */
#define RELEASE_WINDOW(base, n)                                                                    \
    for (value_t *first_ = &r[base], *word_ = first_ + (n) + 2; word_ > first_;) {                 \
        FEW_TIMES();                                                                               \
        value_release(*--word_);                                                                   \
    }

/* The result of a C function whose window is gone; NULL with an exception. */
/* Small ints, which have one object each, become numbers. */
#define PUT_RESULT(d, result)                                                                      \
    do {                                                                                           \
        PyObject *result_ = (result);                                                              \
        if (unlikely(result_ == NULL)) {                                                           \
            FAIL();                                                                                \
        }                                                                                          \
        PUT(d, int_is_small_object(result_) ? value_from_int(int_small_value(result_))             \
                                            : value_from_owned(result_));                          \
    } while (0)

#define HAS_ROOM(body, regs) vm_has_room(ts, fp->top, body, regs)

#define ENTER(func_word, body, regs, how)                                                          \
    do {                                                                                           \
        struct code_body *body_ = (body);                                                          \
        value_t *regs_ = (regs);                                                                   \
        vm_clear_locals(body_, regs_);                                                             \
        fp = vm_push(ts, fp, fp->top, (func_word), body_, regs_, (how));                           \
        thread_set_frame(ts, fp);                                                                  \
        r = regs_;                                                                                 \
        co = body_;                                                                                \
        pc = body_->words;                                                                         \
        NEXT();                                                                                    \
    } while (0)

/* The result of vm_call and its kin. */
#define CONTINUE(next_frame, base)                                                                 \
    do {                                                                                           \
        struct frame *next_ = (next_frame);                                                        \
        if (likely(next_ == fp)) {                                                                 \
            NEXT();                                                                                \
        }                                                                                          \
        if (unlikely(next_ == NULL)) {                                                             \
            FAIL();                                                                                \
        }                                                                                          \
        fp = next_;                                                                                \
        RELOAD();                                                                                  \
        NEXT();                                                                                    \
    } while (0)

#define CALL_SLOW(a, b, s) CONTINUE(vm_call(ts, fp, a, b, s), b)

#define ENTER_GENERATOR(generator, sent, how)                                                      \
    do {                                                                                           \
        PyGenObject *gen_ = (generator);                                                           \
        value_t *to_ = r + co->nregs, sent_ = (sent);                                              \
        if (likely(gen_resumes_plainly(ts, gen_, to_))) {                                          \
            bool created_ = gen_->gi_frame_state == GEN_CREATED;                                   \
            struct frame *own_ = gen_frame(gen_);                                                  \
            gen_registers_enter(own_, to_);                                                        \
            gen_chain_enter(ts, gen_, fp, fp->top, (how));                                         \
            thread_set_frame(ts, own_);                                                            \
            own_->r = r = to_;                                                                     \
            fp = own_;                                                                             \
            co = own_->body;                                                                       \
            pc = own_->pc;                                                                         \
            if (!created_) { /* else it is None */                                                 \
                PUT(own_->dst, sent_);                                                             \
            }                                                                                      \
            NEXT();                                                                                \
        }                                                                                          \
        struct frame *next_ = vm_gen_enter(ts, fp, gen_, sent_, (how));                            \
        if (unlikely(next_ == NULL)) {                                                             \
            if ((how) == RETURN_CALL) {                                                            \
                vm_gen_call_done(fp);                                                              \
            }                                                                                      \
            FAIL();                                                                                \
        }                                                                                          \
        fp = next_;                                                                                \
        RELOAD();                                                                                  \
        NEXT();                                                                                    \
    } while (0)

/* Back in the caller with v, a word that may outlive the frame. The frame is off the stacks. */
#define RETURN_INTO(caller, how_, v, window)                                                       \
    do {                                                                                           \
        enum on_return how__ = (how_);                                                             \
        if (likely(how__ == RETURN_PLAIN)) {                                                       \
            fp = (caller);                                                                         \
            RELOAD();                                                                              \
            PUT(fp->dst, v);                                                                       \
            NEXT();                                                                                \
        }                                                                                          \
        if (how__ == RETURN_C) {                                                                   \
            END_RUN(v);                                                                            \
        }                                                                                          \
        struct frame *next__ = vm_return_to(ts, (caller), how__, v, (window));                     \
        fp = (caller);                                                                             \
        RELOAD();                                                                                  \
        if (unlikely(next__ == NULL)) {                                                            \
            FAIL();                                                                                \
        }                                                                                          \
        NEXT();                                                                                    \
    } while (0)

#define LEAVE(result)                                                                              \
    do {                                                                                           \
        value_t result_ = (result);                                                                \
        struct frame *caller_ = fp->prev;                                                          \
        enum on_return kind_ = fp->on_return;                                                      \
        value_t *window_ = r - 1;                                                                  \
        if (likely((fp->owner | (uintptr_t)fp->object | (uintptr_t)fp->locals) == 0)) {            \
            fp->pc = co->words; /* finalizers do not see it any more */                            \
            for (value_t *q_ = r, *end_ = r + co->nlocals; q_ < end_; q_++) {                      \
                value_t word_ = *q_;                                                               \
                FEW_TIMES();                                                                       \
                if (value_is_owned(word_)) {                                                       \
                    *q_ = VALUE_NULL;                                                              \
                    value_release(word_);                                                          \
                }                                                                                  \
            }                                                                                      \
            value_t func_ = fp->func;                                                              \
            ts->py_recursion_remaining++;                                                          \
            thread_set_frame(ts, caller_);                                                         \
            value_release(func_);                                                                  \
        } else if (fp->owner == FRAME_OF_GENERATOR) {                                              \
            SAVE();                                                                                \
            vm_gen_finish(ts, fp);                                                                 \
        } else {                                                                                   \
            SAVE();                                                                                \
            frame_clear(ts, fp, co->nlocals);                                                      \
        }                                                                                          \
        RETURN_INTO(caller_, kind_, result_, window_);                                             \
    } while (0)

/* The words of the frame have gone elsewhere. */
#define LEAVE_EMPTY(result)                                                                        \
    do {                                                                                           \
        value_t result_ = (result);                                                                \
        struct frame *caller_ = fp->prev;                                                          \
        enum on_return kind_ = fp->on_return;                                                      \
        value_t *window_ = r - 1;                                                                  \
        ts->py_recursion_remaining++;                                                              \
        thread_set_frame(ts, caller_);                                                             \
        RETURN_INTO(caller_, kind_, result_, window_);                                             \
    } while (0)

#define YIELD_VALUE(result, yield_from)                                                            \
    do {                                                                                           \
        value_t result_ = (result);                                                                \
        struct frame *caller_ = fp->prev;                                                          \
        enum on_return kind_ = fp->on_return;                                                      \
        gen_suspend(ts, fp, (yield_from));                                                         \
        if (kind_ == RETURN_SEND && unlikely(caller_->parked)) {                                   \
            caller_ = vm_gen_pass_on(ts, caller_);                                                 \
            if (caller_ == NULL) {                                                                 \
                END_RUN(result_);                                                                  \
            }                                                                                      \
        } else {                                                                                   \
            thread_set_frame(ts, caller_);                                                         \
            if (kind_ == RETURN_C) {                                                               \
                END_RUN(result_);                                                                  \
            }                                                                                      \
            if (kind_ == RETURN_CALL) {                                                            \
                vm_gen_call_done(caller_);                                                         \
            }                                                                                      \
        }                                                                                          \
        fp = caller_;                                                                              \
        RELOAD();                                                                                  \
        PUT(fp->dst, result_);                                                                     \
        NEXT();                                                                                    \
    } while (0)
