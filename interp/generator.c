/*
 * Generators and coroutines: their frames' way on and off the stacks, and the objects.
 *
 * The object holds a struct frame and the registers behind it. While it runs, the record is linked into
 * the thread's chain and the registers are copied to the value stack; when it yields, the live ones come back.
 * `spare` of the record says how many the object holds. One that delegates to another generator stays as it is
 * while values go in and out of that one: it is only linked into the chain ("parked").
 */
#include "interp/generator.h"

#include "interp/vm/resume.h"
#include "objects/bindings.h"
#include "objects/birth.h"
#include "objects/gc/gc.h"
#include "objects/weakref.h"

#define GEN(op) ((PyGenObject *)(op))

static const char *kind_name(PyGenObject *gen)
{
    return PyCoro_CheckExact(gen)       ? "coroutine"
           : PyAsyncGen_CheckExact(gen) ? "async generator"
                                        : "generator";
}

static bool gen_finished(PyGenObject *gen)
{
    return gen->gi_frame_state >= GEN_COMPLETED;
}

/* ---- birth ----------------------------------------------------------------------------------- */

static PyTypeObject *type_for(int flags)
{
    return flags & CO_COROUTINE         ? &PyCoro_Type
           : flags & CO_ASYNC_GENERATOR ? &PyAsyncGen_Type
                                        : &PyGen_Type;
}

/* Where a coroutine was made: a tuple of (file, line, function), innermost first. */
static PyObject *coroutine_origin(int depth, struct frame *frame)
{
    PyObject *list = PyList_New(0);
    for (; list != NULL && frame != NULL && depth > 0;
         depth--, frame = frame_visible(frame->prev)) {
        PyCodeObject *code = frame_code(frame);
        PyObject *entry = Py_BuildValue("OiO", code->co_filename,
                                        code_line(code, frame_lasti(frame)), code->co_name);
        if (entry == NULL || PyList_Append(list, entry) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(entry);
    }
    PyObject *tuple = list ? PyList_AsTuple(list) : NULL;
    Py_XDECREF(list);
    return tuple;
}

/* An even number of registers: see gen_registers_enter(). */
static size_t gen_size(const struct code_body *body)
{
    return offsetof(PyGenObject, gi_iframe) + sizeof(struct frame)
           + (size_t)((body->nregs + 1) & ~1u) * sizeof(value_t);
}

static int set_origin(PyThreadState *ts, PyGenObject *gen, struct frame *frame)
{
    gen->gi_origin_or_finalizer =
        coroutine_origin(ts->coroutine_origin_tracking_depth, frame_visible(frame->prev));
    return gen->gi_origin_or_finalizer == NULL ? -1 : 0;
}

PyObject *gen_new_from_frame(PyThreadState *ts, struct frame *frame)
{
    struct code_body *body = frame->body;
    PyTypeObject *type = type_for(body->code->co_flags);
    PyGenObject *gen = (PyGenObject *)birth_of_container(type, gen_size(body));
    if (unlikely(gen == NULL)) {
        return NULL;
    }
    struct frame *own = gen_frame(gen);
    PyFunctionObject *func = frame_function(frame);
    memset(&gen->gi_weakreflist, 0, (char *)own - (char *)&gen->gi_weakreflist);
    gen->gi_name = Py_NewRef(func->func_name);
    gen->gi_qualname = Py_NewRef(func->func_qualname);
    gen->gi_frame_state = GEN_CREATED;
    if (unlikely(type == &PyCoro_Type && ts->coroutine_origin_tracking_depth > 0)
        && set_origin(ts, gen, frame) < 0) {
        *own = *frame;
        own->func = VALUE_NULL;
        own->object = NULL;
        own->spare = 0;
        gen->gi_frame_state = GEN_CLEARED;
        PyObject_GC_Track(gen);
        Py_DECREF(gen);
        return NULL;
    }
    *own = *frame;
    own->func = value_own(own->func);
    own->prev = own->top = NULL;
    own->r = gen_registers(gen);
    own->owner = FRAME_OF_GENERATOR;
    own->spare = body->nlocals;
    if (own->object != NULL) {
        own->object->f_frame = (struct _PyInterpreterFrame *)own;
    }
    for (unsigned i = 0; i < body->nlocals; i++) {
        FEW_TIMES();
        own->r[i] = value_own(frame->r[i]);
    }
    if (likely(gen_size(body) <= SLAB_MAX)) {
        gc_track_new((PyObject *)gen);
    } else {
        gc_track((PyObject *)gen);
    }
    return (PyObject *)gen;
}

/* ---- delegation ------------------------------------------------------------------------------ */

/* The generator that one suspended in SEND's loop waits for, if it can be resumed with `sent` directly: borrowed,
 * or NULL. Where somebody monitors, each takes its turn. */
static PyGenObject *direct_delegate(PyThreadState *ts, const struct frame *own, value_t sent)
{
    const struct code_body *body = own->body;
    if (body->monitor != NULL || body->instrument_version != vm_instrument_version(ts)
        || own->pc - body->words < 3 || WORD_OP(field_load(&own->pc[-2])) != SEND
        || WORD_OP(field_load(&own->pc[-3])) == EXT) {
        return NULL;
    }
    PyGenObject *gen = GEN(value_object(own->r[WORD_A(field_load(&own->pc[-2]))]));
    return (PyGen_CheckExact(gen) || PyCoro_CheckExact(gen)) && gen_can_send(gen, sent) ? gen
                                                                                        : NULL;
}

/* Parks those that only wait for another one: *gen, *fp and *how become the innermost one's, which is to run at r. */
static void park_delegating(PyThreadState *ts, PyGenObject **gen, struct frame **fp,
                            enum on_return *how, value_t sent, value_t *r)
{
    while ((*gen)->gi_frame_state == GEN_SUSPENDED_YIELD_FROM) {
        struct frame *own = gen_frame(*gen);
        PyGenObject *inner = direct_delegate(ts, own, sent);
        if (inner == NULL) {
            return;
        }
        r += own->body->nregs; /* it comes to the stack when the inner one ends */
        if (unlikely(r + gen_frame(inner)->body->nregs > interp_thread(ts)->exec.values_end
                     || ts->py_recursion_remaining <= 1)) {
            return;
        }
        gen_chain_enter(ts, *gen, *fp, *fp ? (*fp)->top : interp_thread(ts)->exec.control, *how);
        own->pc--; /* as if SEND had called */
        own->parked = 1;
        *fp = own;
        *gen = inner;
        *how = RETURN_SEND;
    }
}

/* What it delegated to has yielded, and it passes that on. */
static void unpark_yielding(PyThreadState *ts, struct frame *own)
{
    PyGenObject *gen = gen_of_frame(own);
    gen_chain_leave(ts, gen);
    own->parked = 0;
    own->pc++;
    gen->gi_frame_state = GEN_SUSPENDED_YIELD_FROM;
}

/* What it delegated to has ended, and it goes on, with its registers at `to`. */
static void unpark_running(struct frame *own, value_t *to)
{
    gen_registers_enter(own, to);
    own->r = to;
    own->parked = 0;
}

/* ---- on and off the stacks ------------------------------------------------------------------- */

struct frame *vm_gen_enter(PyThreadState *ts, struct frame *fp, PyGenObject *gen, value_t sent,
                           enum on_return how)
{
    struct exec_state *exec = &interp_thread(ts)->exec;
    value_t *r = fp ? frame_free_words(fp) : exec->values;
    if (gen->gi_frame_state == GEN_SUSPENDED_YIELD_FROM && sent != VALUE_NULL) {
        park_delegating(ts, &gen, &fp, &how, sent, r);
    }
    struct frame *own = gen_frame(gen);
    bool created = gen->gi_frame_state == GEN_CREATED;
    if (unlikely(r + own->body->nregs > exec->values_end || ts->py_recursion_remaining <= 0)) {
        value_release(sent);
        vm_raise_too_deep(ts);
        return NULL;
    }
    gen_registers_enter(own, r);
    own->r = r;
    gen_chain_enter(ts, gen, fp, fp ? fp->top : exec->control, how);
    thread_set_frame(ts, own);
    if (created) {
        value_release(sent);
    } else if (sent != VALUE_NULL) {
        reg_put(own, own->dst, sent);
    }
    return own;
}

struct frame *vm_gen_pass_on(PyThreadState *ts, struct frame *parked)
{
    enum on_return how;
    do {
        struct frame *next = parked->prev;
        how = parked->on_return;
        unpark_yielding(ts, parked);
        parked = next;
    } while (how == RETURN_SEND && parked->parked);
    thread_set_frame(ts, parked);
    if (how == RETURN_CALL) {
        vm_gen_call_done(parked);
    }
    return how == RETURN_C ? NULL : parked;
}

void vm_gen_call_done(struct frame *caller)
{
    value_t *window = caller->r + word_b(caller->body, caller->pc);
    value_clear(&window[1]);
    value_clear(&window[2]);
}

void vm_gen_finish(PyThreadState *ts, struct frame *fp)
{
    PyGenObject *gen = gen_of_frame(fp);
    if (fp->prev != NULL && fp->prev->parked) {
        unpark_running(fp->prev, fp->r + fp->body->nregs);
    }
    gen->gi_frame_state = GEN_CLEARED;
    ts->exc_info = gen->gi_exc_state.previous_item;
    gen->gi_exc_state.previous_item = NULL;
    /* The code must outlive the frame: gi_code. */
    value_t func = value_copy(fp->func);
    Py_INCREF(gen);
    frame_clear(ts, fp, fp->body->nlocals);
    fp->func = func;
    fp->prev = NULL;
    fp->spare = 0;
    fp->r = gen_registers(gen);
    Py_CLEAR(gen->gi_exc_state.exc_value);
    Py_DECREF(gen);
}

/* Runs it from C: what it yields or returns, as an owned word; VALUE_NULL with an exception. */
static value_t gen_run(PyThreadState *ts, PyGenObject *gen, value_t sent, bool thrown)
{
    if (unlikely(thread_stack_low(thread_of(ts), 0))) {
        value_release(sent);
        raise_stack_used_up("");
        return VALUE_NULL;
    }
    struct frame *fp = thread_frame(ts), *frame = gen_frame(gen);
    value_t *r = fp == NULL ? NULL : frame_free_words(fp);
    if (likely(fp != NULL && gen->gi_frame_state == GEN_SUSPENDED && !thrown
               && gen_resumes_plainly(ts, gen, r))) {
        gen_registers_enter(frame, r);
        frame->r = r;
        gen_chain_enter(ts, gen, fp, fp->top, RETURN_C);
        thread_set_frame(ts, frame);
        reg_put(frame, frame->dst, sent);
        return interp_run(ts, frame, false);
    }
    frame = vm_gen_enter(ts, fp, gen, sent, RETURN_C);
    if (unlikely(frame == NULL)) {
        return VALUE_NULL;
    }
    if (unlikely(thrown)) {
        if (gen->gi_exc_state.exc_value != NULL && !Py_IsNone(gen->gi_exc_state.exc_value)) {
            /* Its context is what the generator is handling. */
            PyObject *exc = PyErr_GetRaisedException();
            PyErr_SetObject((PyObject *)Py_TYPE(exc), exc);
            Py_DECREF(exc);
        }
        monitor_throw(ts, frame);
    }
    return interp_run(ts, frame, thrown);
}

PySendResult gen_resume(PyGenObject *gen, value_t sent, bool thrown, PyObject **result)
{
    value_t v = gen_run(PyThreadState_Get(), gen, sent, thrown);
    bool suspended = gen->gi_frame_state < GEN_EXECUTING;
    *result = value_to_owned(v);
    return *result == NULL ? PYGEN_ERROR : suspended ? PYGEN_NEXT : PYGEN_RETURN;
}

/* ---- StopIteration and its value ------------------------------------------------------------- */

int gen_set_stop_iteration(PyObject *value)
{
    if (!PyTuple_Check(value) && !PyExceptionInstance_Check(value)) {
        PyErr_SetObject(PyExc_StopIteration, value);
        return 0;
    }
    PyObject *exc = PyObject_CallOneArg(PyExc_StopIteration, value);
    if (exc == NULL) {
        return -1;
    }
    PyErr_SetObject(PyExc_StopIteration, exc);
    Py_DECREF(exc);
    return 0;
}

void gen_stop_with(value_t v)
{
    PyObject *result = value_to_owned(v);
    if (result == Py_None) {
        PyErr_SetNone(PyExc_StopIteration);
    } else if (result != NULL) {
        gen_set_stop_iteration(result);
    }
    Py_XDECREF(result);
}

int gen_stop_iteration_value(PyObject **value)
{
    *value = NULL;
    if (PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_StopIteration)) {
            return -1;
        }
        PyObject *exc = PyErr_GetRaisedException();
        *value = Py_NewRef(((PyStopIterationObject *)exc)->value);
        Py_DECREF(exc);
    }
    if (*value == NULL) {
        *value = Py_NewRef(Py_None);
    }
    return 0;
}

/* ---- resuming -------------------------------------------------------------------------------- */

PyObject *gen_delegate(PyGenObject *gen)
{
    if (gen->gi_frame_state != GEN_SUSPENDED_YIELD_FROM) {
        return NULL;
    }
    struct frame *frame = gen_frame(gen);
    return Py_NewRef(value_object(frame->r[word_b(frame->body, frame->pc) - 1]));
}

PySendResult gen_send_ex(PyGenObject *gen, PyObject *arg, PyObject **result, bool exc, bool closing)
{
    *result = NULL;
    if (gen->gi_frame_state == GEN_CREATED && arg != NULL && !Py_IsNone(arg)) {
        PyErr_Format(PyExc_TypeError, "can't send non-None value to a just-started %s",
                     kind_name(gen));
        return PYGEN_ERROR;
    }
    if (gen->gi_frame_state == GEN_EXECUTING) {
        PyErr_Format(PyExc_ValueError, "%s already executing", kind_name(gen));
        return PYGEN_ERROR;
    }
    if (gen_finished(gen)) {
        if (PyCoro_CheckExact(gen) && !closing) {
            PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited coroutine");
        } else if (arg != NULL && !exc) {
            *result = Py_NewRef(Py_None);
            return PYGEN_RETURN;
        }
        return PYGEN_ERROR;
    }
    value_t sent = exc ? VALUE_NULL : value_from_owned(Py_NewRef(arg ? arg : Py_None));
    PySendResult how = gen_resume(gen, sent, exc, result);
    if (how == PYGEN_RETURN && Py_IsNone(*result) && arg == NULL && !PyAsyncGen_CheckExact(gen)) {
        Py_CLEAR(*result); /* next() at the end: no exception needed */
    }
    return how;
}

static PyObject *result_of_send(PyGenObject *gen, PySendResult how, PyObject *result)
{
    if (how != PYGEN_RETURN) {
        return result;
    }
    if (PyAsyncGen_CheckExact(gen)) {
        PyErr_SetNone(PyExc_StopAsyncIteration);
    } else if (result == NULL) {
        return NULL;
    } else if (Py_IsNone(result)) {
        PyErr_SetNone(PyExc_StopIteration);
    } else {
        gen_set_stop_iteration(result);
    }
    Py_XDECREF(result);
    return NULL;
}

PyObject *gen_send_value(PyGenObject *gen, PyObject *arg, bool exc, bool closing)
{
    PyObject *result;
    PySendResult how = gen_send_ex(gen, arg, &result, exc, closing);
    return result_of_send(gen, how, result);
}

value_t gen_next_word(PyObject *self)
{
    PyGenObject *gen = GEN(self);
    if (unlikely(!gen_can_resume(gen))) {
        return value_from_owned(gen_send_value(gen, NULL, false, false));
    }
    value_t v = gen_run(&thread_self()->ts, gen, VALUE_NONE, false);
    if (likely(gen->gi_frame_state < GEN_EXECUTING) || v == VALUE_NULL) {
        return v;
    }
    if (!value_is_none(v)) { /* else no exception is needed */
        gen_stop_with(v);
    }
    return VALUE_NULL;
}

static PyObject *gen_iternext(PyObject *self)
{
    return value_to_owned(gen_next_word(self));
}

PySendResult gen_am_send(PyObject *self, PyObject *arg, PyObject **result)
{
    return gen_send_ex(GEN(self), arg, result, false, false);
}

/* ---- close and throw ------------------------------------------------------------------------- */

static int close_iterator(PyObject *it)
{
    PyObject *result, *close;
    if (PyGen_CheckExact(it) || PyCoro_CheckExact(it)) {
        result = gen_close(GEN(it));
    } else {
        if (PyObject_GetOptionalAttr(it, ID(close), &close) < 0) {
            PyErr_WriteUnraisable(it);
        }
        if (close == NULL) {
            return 0;
        }
        result = PyObject_CallNoArgs(close);
        Py_DECREF(close);
    }
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

/* Something is done to what the generator delegates to, as if it were running: it stands on the stack meanwhile, but
 * what it handles is not what is being handled. 0, or -1 with RecursionError. */
static int delegation_enter(PyThreadState *ts, PyGenObject *gen)
{
    if (vm_gen_enter(ts, thread_frame(ts), gen, VALUE_NULL, RETURN_C) == NULL) {
        return -1;
    }
    ts->exc_info = gen->gi_exc_state.previous_item;
    return 0;
}

static void delegation_leave(PyThreadState *ts, PyGenObject *gen)
{
    struct frame *frame = gen_frame(gen), *caller = frame->prev;
    gen_suspend(ts, frame, true);
    thread_set_frame(ts, caller);
}

static int close_delegate(PyGenObject *gen, PyObject *delegate)
{
    PyThreadState *ts = PyThreadState_Get();
    if (delegation_enter(ts, gen) < 0) {
        return -1;
    }
    int status = close_iterator(delegate);
    delegation_leave(ts, gen);
    return status;
}

/* Whether it is suspended outside of any try: then GeneratorExit can do nothing in it. */
static bool has_nothing_to_finish(const PyGenObject *gen)
{
    const struct frame *frame = gen_frame((PyGenObject *)gen);
    const struct code_body *body = frame->body;
    const struct code_handler *guard = code_handler_find(body, (uint32_t)frame_lasti(frame));
    if (guard == NULL) {
        return true;
    }
    uint64_t w = field_load(&body->words[guard->target]);
    return code_handler_find(body, guard->target) == NULL
           && code_base_op(body, guard->target) == INTRINSIC1
           && WORD_C(w) == INTRINSIC_STOPITERATION_ERROR;
}

PyObject *gen_close(PyGenObject *gen)
{
    if (gen->gi_frame_state == GEN_CREATED) {
        gen->gi_frame_state = GEN_COMPLETED;
        gen_clear((PyObject *)gen);
        Py_RETURN_NONE;
    }
    if (gen_finished(gen)) {
        Py_RETURN_NONE;
    }
    PyObject *delegate = gen_delegate(gen);
    int failed = 0;
    if (delegate != NULL) {
        failed = close_delegate(gen, delegate);
        Py_DECREF(delegate);
    }
    if (!failed && has_nothing_to_finish(gen)) {
        gen->gi_frame_state = GEN_COMPLETED;
        gen_clear((PyObject *)gen);
        Py_RETURN_NONE;
    }
    if (!failed) {
        PyErr_SetNone(PyExc_GeneratorExit);
    }
    PyObject *result;
    PySendResult how = gen_send_ex(gen, Py_None, &result, true, true);
    if (how == PYGEN_NEXT) {
        Py_DECREF(result);
        PyErr_Format(PyExc_RuntimeError, "%s ignored GeneratorExit", kind_name(gen));
        return NULL;
    }
    if (how == PYGEN_RETURN) {
        return result;
    }
    if (PyErr_ExceptionMatches(PyExc_GeneratorExit)
        || (PyAsyncGen_CheckExact(gen) && PyErr_ExceptionMatches(PyExc_StopAsyncIteration))) {
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    return gen_stop_iteration_value(&result) < 0 ? NULL : result;
}

/* Makes the arguments of throw() the current exception: 0 or -1 (another one is). */
static int set_thrown(PyObject *type, PyObject *value, PyObject *tb)
{
    if (tb == Py_None) {
        tb = NULL;
    } else if (tb != NULL && !PyTraceBack_Check(tb)) {
        PyErr_SetString(PyExc_TypeError, "throw() third argument must be a traceback object");
        return -1;
    }
    if (PyExceptionClass_Check(type)) {
        if (value == Py_None) {
            value = NULL;
        }
        if (value != NULL && PyObject_TypeCheck(value, (PyTypeObject *)type)) {
            Py_INCREF(value);
        } else if (value == NULL) {
            value = PyObject_CallNoArgs(type);
        } else {
            value = PyTuple_Check(value) ? PyObject_CallObject(type, value)
                                         : PyObject_CallOneArg(type, value);
        }
        if (value == NULL) {
            return 0; /* that exception is thrown instead */
        }
        if (!PyExceptionInstance_Check(value)) {
            PyErr_Format(PyExc_TypeError,
                         "calling %R should have returned an instance of BaseException, not %s",
                         type, Py_TYPE(value)->tp_name);
            Py_DECREF(value);
            return 0;
        }
    } else if (PyExceptionInstance_Check(type)) {
        if (value != NULL && !Py_IsNone(value)) {
            PyErr_SetString(PyExc_TypeError, "instance exception may not have a separate value");
            return -1;
        }
        value = Py_NewRef(type);
    } else {
        PyErr_Format(PyExc_TypeError,
                     "exceptions must be classes or instances deriving from BaseException, not %s",
                     Py_TYPE(type)->tp_name);
        return -1;
    }
    if (tb != NULL) {
        PyException_SetTraceback(value, tb);
    }
    /* As it is: without the handled exception as context. */
    PyErr_SetRaisedException(value);
    return 0;
}

static PyObject *throw_here(PyGenObject *gen, PyObject *type, PyObject *value, PyObject *tb)
{
    if (set_thrown(type, value, tb) < 0) {
        return NULL;
    }
    if (gen_finished(gen) && PyCoro_CheckExact(gen)) {
        PyErr_Clear();
        return gen_send_value(gen, Py_None, true, false);
    }
    return gen_send_value(gen, Py_None, true, false);
}

PyObject *gen_throw(PyGenObject *gen, bool close_on_exit, PyObject *type, PyObject *value,
                    PyObject *tb)
{
    PyObject *delegate = gen_delegate(gen), *result, *method;
    if (delegate == NULL) {
        return throw_here(gen, type, value, tb);
    }
    if (PyErr_GivenExceptionMatches(type, PyExc_GeneratorExit) && close_on_exit) {
        int failed = close_delegate(gen, delegate);
        Py_DECREF(delegate);
        return failed ? gen_send_value(gen, Py_None, true, false)
                      : throw_here(gen, type, value, tb);
    }
    PyThreadState *ts = PyThreadState_Get();
    if (PyGen_CheckExact(delegate) || PyCoro_CheckExact(delegate)) {
        result = NULL;
        if (delegation_enter(ts, gen) == 0) {
            result = gen_throw(GEN(delegate), close_on_exit, type, value, tb);
            delegation_leave(ts, gen);
        }
    } else {
        if (PyObject_GetOptionalAttr(delegate, ID(throw), &method) < 0) {
            Py_DECREF(delegate);
            return NULL;
        }
        if (method == NULL) {
            Py_DECREF(delegate);
            return throw_here(gen, type, value, tb);
        }
        result = NULL;
        if (delegation_enter(ts, gen) == 0) {
            result = PyObject_CallFunctionObjArgs(method, type, value, tb, NULL);
            delegation_leave(ts, gen);
        }
        Py_DECREF(method);
    }
    Py_DECREF(delegate);
    if (result == NULL) {
        /* What the delegate raised goes on in here, where a StopIteration ends the delegation. */
        result = gen_send_value(gen, Py_None, true, false);
    }
    return result;
}

bool gen_throw_args(PyObject *const *args, Py_ssize_t nargs, PyObject **type, PyObject **value,
                    PyObject **tb)
{
    if (nargs < 1 || nargs > 3) {
        PyErr_Format(PyExc_TypeError, "throw expected at %s %d argument%s, got %zd",
                     nargs < 1 ? "least" : "most", nargs < 1 ? 1 : 3, nargs < 1 ? "" : "s", nargs);
        return false;
    }
    if (nargs > 1
        && PyErr_WarnEx(PyExc_DeprecationWarning,
                        "the (type, exc, tb) signature of throw() is deprecated, "
                        "use the single-arg signature instead.",
                        1)
               < 0) {
        return false;
    }
    *type = args[0];
    *value = nargs > 1 ? args[1] : NULL;
    *tb = nargs > 2 ? args[2] : NULL;
    return true;
}

/* ---- methods and attributes ------------------------------------------------------------------ */

PyObject *gen_method_send(PyObject *self, PyObject *arg)
{
    return gen_send_value(GEN(self), arg, false, false);
}

PyObject *gen_method_throw(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *type, *value, *tb;
    return gen_throw_args(args, nargs, &type, &value, &tb)
               ? gen_throw(GEN(self), true, type, value, tb)
               : NULL;
}

PyObject *gen_method_close(PyObject *self, PyObject *unused)
{
    (void)unused;
    return gen_close(GEN(self));
}

PyObject *gen_method_sizeof(PyObject *self, PyObject *unused)
{
    (void)unused;
    PyTypeObject *type = Py_TYPE(self);
    return PyLong_FromSsize_t(type->tp_basicsize
                              + gen_frame(GEN(self))->body->nregs * type->tp_itemsize);
}

PyObject *gen_get_name(PyObject *self, void *unused)
{
    (void)unused;
    return Py_NewRef(GEN(self)->gi_name);
}

static int set_text(PyObject **field, PyObject *value, const char *what)
{
    if (value == NULL || !PyUnicode_Check(value)) {
        PyErr_SetString(PyExc_TypeError, what);
        return -1;
    }
    Py_SETREF(*field, Py_NewRef(value));
    return 0;
}

int gen_set_name(PyObject *self, PyObject *value, void *unused)
{
    (void)unused;
    return set_text(&GEN(self)->gi_name, value, "__name__ must be set to a string object");
}

PyObject *gen_get_qualname(PyObject *self, void *unused)
{
    (void)unused;
    return Py_NewRef(GEN(self)->gi_qualname);
}

int gen_set_qualname(PyObject *self, PyObject *value, void *unused)
{
    (void)unused;
    return set_text(&GEN(self)->gi_qualname, value, "__qualname__ must be set to a string object");
}

PyObject *gen_get_delegate(PyObject *self, void *unused)
{
    (void)unused;
    PyObject *delegate = gen_delegate(GEN(self));
    return delegate ? delegate : Py_NewRef(Py_None);
}

PyObject *gen_get_running(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(GEN(self)->gi_frame_state == GEN_EXECUTING);
}

PyObject *gen_get_frame(PyObject *self, void *unused)
{
    (void)unused;
    if (gen_finished(GEN(self))) {
        Py_RETURN_NONE;
    }
    return Py_XNewRef((PyObject *)frame_object(gen_frame(GEN(self))));
}

PyObject *gen_get_suspended(PyObject *self, void *unused)
{
    (void)unused;
    int state = GEN(self)->gi_frame_state;
    return PyBool_FromLong(state == GEN_SUSPENDED || state == GEN_SUSPENDED_YIELD_FROM);
}

PyObject *gen_get_code(PyObject *self, void *unused)
{
    (void)unused;
    return Py_NewRef((PyObject *)frame_code(gen_frame(GEN(self))));
}

PyCodeObject *PyGen_GetCode(PyGenObject *gen)
{
    return (PyCodeObject *)gen_get_code((PyObject *)gen, NULL);
}

/* ---- death ----------------------------------------------------------------------------------- */

int gen_traverse(PyObject *self, visitproc visit, void *arg)
{
    PyGenObject *gen = GEN(self);
    struct frame *frame = gen_frame(gen);
    Py_VISIT(gen->gi_name);
    Py_VISIT(gen->gi_qualname);
    Py_VISIT(gen->gi_exc_state.exc_value);
    Py_VISIT(gen->gi_origin_or_finalizer);
    if (value_is_owned(frame->func)) {
        Py_VISIT(value_object(frame->func));
    }
    if (gen->gi_frame_state < GEN_EXECUTING) {
        value_t *r = gen_registers(gen);
        for (unsigned i = 0; i < frame->spare; i++) {
            if (value_is_owned(r[i])) {
                Py_VISIT(value_object(r[i]));
            }
        }
        Py_VISIT(frame->object);
    }
    return 0;
}

/* Lets go of the frame of one that will not run any more. */
int gen_clear(PyObject *self)
{
    PyGenObject *gen = GEN(self);
    struct frame *frame = gen_frame(gen);
    if (gen->gi_frame_state == GEN_CLEARED || gen->gi_frame_state == GEN_EXECUTING) {
        return 0;
    }
    gen->gi_frame_state = GEN_CLEARED;
    unsigned n = frame->spare;
    frame->spare = 0;
    PyFrameObject *object = frame->object;
    if (object != NULL) {
        PyThreadState *ts = PyThreadState_Get();
        struct frame *current = thread_frame(ts);
        value_t func = value_copy(frame->func);
        reg_release_range(gen_registers(gen), frame->body->nlocals, n);
        frame->prev = NULL;
        frame_clear(ts, frame, frame->body->nlocals);
        thread_set_frame(ts, current);
        ts->py_recursion_remaining--;
        frame->func = func;
    } else {
        reg_release_range(gen_registers(gen), 0, n);
    }
    Py_CLEAR(gen->gi_exc_state.exc_value);
    return 0;
}

/* Warns of a coroutine that nobody awaited; exceptions in between are kept away. */
static void warn_unawaited(PyGenObject *gen)
{
    PyObject *warnings = PyImport_GetModule(ID(warnings)), *function = NULL, *result = NULL;
    if (warnings != NULL
        && PyObject_GetOptionalAttr(warnings, ID(_warn_unawaited_coroutine), &function) > 0) {
        result = PyObject_CallOneArg(function, (PyObject *)gen);
    }
    if (result == NULL && function == NULL && !PyErr_Occurred()) {
        PyErr_WarnFormat(PyExc_RuntimeWarning, 1, "coroutine '%.50S' was never awaited",
                         gen->gi_qualname);
    }
    if (PyErr_Occurred()) {
        PyErr_WriteUnraisable((PyObject *)gen);
    }
    Py_XDECREF(result);
    Py_XDECREF(function);
    Py_XDECREF(warnings);
}

void gen_finalize(PyObject *self)
{
    PyGenObject *gen = GEN(self);
    if (gen_finished(gen)) {
        return;
    }
    PyObject *saved = PyErr_GetRaisedException();
    if (PyAsyncGen_CheckExact(self) && async_gen_finalizer((PyAsyncGenObject *)gen)) {
        PyErr_SetRaisedException(saved);
        return;
    }
    PyObject *result = NULL;
    if (PyCoro_CheckExact(self) && gen->gi_frame_state == GEN_CREATED) {
        warn_unawaited(gen);
    } else {
        result = gen_close(gen);
        if (result == NULL) {
            PyErr_WriteUnraisable(self);
        }
    }
    Py_XDECREF(result);
    PyErr_SetRaisedException(saved);
}

void gen_dealloc(PyObject *self)
{
    PyGenObject *gen = GEN(self);
    size_t size = gen_size(gen_frame(gen)->body);
    if (unlikely(gen->gi_weakreflist != NULL)) {
        gc_untrack(self);
        PyObject_ClearWeakRefs(self);
        gc_track(self);
    }
    if (!gen_finished(gen) && PyObject_CallFinalizerFromDealloc(self)) {
        return;
    }
    if (likely(size <= SLAB_MAX)) {
        gc_untrack_dead(self);
    } else {
        gc_untrack(self);
    }
    Py_CLEAR(gen->gi_origin_or_finalizer);
    gen_clear(self);
    value_clear(&gen_frame(gen)->func);
    Py_DECREF(gen->gi_name);
    Py_DECREF(gen->gi_qualname);
    death_of_container(self, size);
}

/* ---- generator ------------------------------------------------------------------------------- */

static PyObject *gen_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<%s object %S at %p>",
                                PyCoro_CheckExact(self)       ? "coroutine"
                                : PyAsyncGen_CheckExact(self) ? "async_generator"
                                                              : "generator",
                                GEN(self)->gi_qualname, self);
}

#define COMMON_METHODS(noun)                                                                       \
    {"send", gen_method_send, METH_O | BIND_LENT,                                                  \
     PyDoc_STR("send($self, value, /)\n--\n\n"                                                     \
               "Put value into " noun " and resume it.\n\n"                                        \
               "Gives what is yielded next, or raises StopIteration.")},                           \
        {"throw", _PyCFunction_CAST(gen_method_throw), METH_FASTCALL | BIND_LENT,                  \
         PyDoc_STR("throw(exception): raise it where it stands in " noun                           \
                   "; what is yielded next, or "                                                   \
                   "StopIteration. (type, value, traceback) are accepted too.")},                  \
        {"close", gen_method_close, METH_NOARGS | BIND_LENT,                                       \
         PyDoc_STR("close($self, /)\n--\n\nRaise GeneratorExit inside " noun ", and end it.")},    \
        SIZEOF_METHOD, CLASS_GETITEM_METHOD

static PyMethodDef generator_methods[] = {
    COMMON_METHODS("generator"),
    {0},
};

static PyGetSetDef generator_getset[] = {
    {"__name__", gen_get_name, gen_set_name, PyDoc_STR("its name"), NULL},
    {"__qualname__", gen_get_qualname, gen_set_qualname,
     PyDoc_STR("its name with those of the scopes around"), NULL},
    {"gi_yieldfrom", gen_get_delegate, NULL, PyDoc_STR("what it delegates to, or None"), NULL},
    {"gi_running", gen_get_running, NULL, NULL, NULL},
    {"gi_frame", gen_get_frame, NULL, NULL, NULL},
    {"gi_suspended", gen_get_suspended, NULL, NULL, NULL},
    {"gi_code", gen_get_code, NULL, NULL, NULL},
    {0},
};

static PyAsyncMethods generator_async = {.am_send = gen_am_send};

PyTypeObject PyGen_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "generator",
    .tp_basicsize = offsetof(PyGenObject, gi_iframe) + sizeof(struct frame),
    .tp_itemsize = sizeof(value_t),
    .tp_dealloc = gen_dealloc,
    .tp_as_async = &generator_async,
    .tp_repr = gen_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = gen_traverse,
    .tp_weaklistoffset = offsetof(PyGenObject, gi_weakreflist),
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = gen_iternext,
    .tp_methods = generator_methods,
    .tp_getset = generator_getset,
    .tp_finalize = gen_finalize,
};

/* ---- coroutine ------------------------------------------------------------------------------- */

struct coro_wrapper {
    PyObject_HEAD
    PyObject *coro;
};

static PyObject *coro_await(PyObject *self)
{
    struct coro_wrapper *wrapper = (struct coro_wrapper *)object_new(&_PyCoroWrapper_Type, 0);
    if (wrapper != NULL) {
        wrapper->coro = Py_NewRef(self);
        PyObject_GC_Track(wrapper);
    }
    return (PyObject *)wrapper;
}

static PyMethodDef coroutine_methods[] = {
    COMMON_METHODS("coroutine"),
    {0},
};

static PyGetSetDef coroutine_getset[] = {
    {"__name__", gen_get_name, gen_set_name, PyDoc_STR("name of the coroutine"), NULL},
    {"__qualname__", gen_get_qualname, gen_set_qualname,
     PyDoc_STR("name of the coroutine with those of the scopes around"), NULL},
    {"cr_await", gen_get_delegate, NULL, PyDoc_STR("what it waits for, or None"), NULL},
    {"cr_running", gen_get_running, NULL, NULL, NULL},
    {"cr_frame", gen_get_frame, NULL, NULL, NULL},
    {"cr_code", gen_get_code, NULL, NULL, NULL},
    {"cr_suspended", gen_get_suspended, NULL, NULL, NULL},
    {0},
};

static PyMemberDef coroutine_members[] = {
    {"cr_origin", _Py_T_OBJECT, offsetof(PyCoroObject, cr_origin_or_finalizer), Py_READONLY, NULL},
    {0},
};

static PyAsyncMethods coroutine_async = {.am_await = coro_await, .am_send = gen_am_send};

PyTypeObject PyCoro_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "coroutine",
    .tp_basicsize = offsetof(PyCoroObject, cr_iframe) + sizeof(struct frame),
    .tp_itemsize = sizeof(value_t),
    .tp_dealloc = gen_dealloc,
    .tp_as_async = &coroutine_async,
    .tp_repr = gen_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = gen_traverse,
    .tp_weaklistoffset = offsetof(PyCoroObject, cr_weakreflist),
    .tp_methods = coroutine_methods,
    .tp_members = coroutine_members,
    .tp_getset = coroutine_getset,
    .tp_finalize = gen_finalize,
};

PyObject *coro_awaitable_iter(PyObject *op)
{
    if (PyCoro_CheckExact(op)
        || (PyGen_CheckExact(op)
            && (frame_code(gen_frame(GEN(op)))->co_flags & CO_ITERABLE_COROUTINE))) {
        return Py_NewRef(op);
    }
    PyTypeObject *type = Py_TYPE(op);
    unaryfunc await = type->tp_as_async ? type->tp_as_async->am_await : NULL;
    if (await == NULL) {
        PyErr_Format(PyExc_TypeError, "object %.100s can't be used in 'await' expression",
                     type->tp_name);
        return NULL;
    }
    PyObject *it = await(op);
    if (it == NULL) {
        return NULL;
    }
    if (PyCoro_CheckExact(it)
        || (PyGen_CheckExact(it)
            && (frame_code(gen_frame(GEN(it)))->co_flags & CO_ITERABLE_COROUTINE))) {
        PyErr_SetString(PyExc_TypeError, "__await__() returned a coroutine");
        Py_CLEAR(it);
    } else if (!PyIter_Check(it)) {
        PyErr_Format(PyExc_TypeError, "__await__() returned non-iterator of type '%.100s'",
                     Py_TYPE(it)->tp_name);
        Py_CLEAR(it);
    }
    return it;
}

/* ---- what coroutine.__await__ returns -------------------------------------------------------- */

static PyObject *wrapper_next(PyObject *self)
{
    return gen_iternext(((struct coro_wrapper *)self)->coro);
}

static PyObject *wrapper_send(PyObject *self, PyObject *arg)
{
    return gen_method_send(((struct coro_wrapper *)self)->coro, arg);
}

static PyObject *wrapper_throw(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return gen_method_throw(((struct coro_wrapper *)self)->coro, args, nargs);
}

static PyObject *wrapper_close(PyObject *self, PyObject *unused)
{
    return gen_method_close(((struct coro_wrapper *)self)->coro, unused);
}

static int wrapper_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((struct coro_wrapper *)self)->coro);
    return 0;
}

static void wrapper_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_CLEAR(((struct coro_wrapper *)self)->coro);
    PyObject_GC_Del(self);
}

static PyMethodDef wrapper_methods[] = {
    {"send", wrapper_send, METH_O, NULL},
    {"throw", _PyCFunction_CAST(wrapper_throw), METH_FASTCALL, NULL},
    {"close", wrapper_close, METH_NOARGS, NULL},
    {0},
};

PyTypeObject _PyCoroWrapper_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "coroutine_wrapper",
    .tp_basicsize = sizeof(struct coro_wrapper),
    .tp_dealloc = wrapper_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_doc = PyDoc_STR("A wrapper object implementing __await__ for coroutines."),
    .tp_traverse = wrapper_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = wrapper_next,
    .tp_methods = wrapper_methods,
};

/* ---- from a frame object: nothing of ours makes generators so -------------------------------- */

static PyObject *refuse_frame(PyFrameObject *frame)
{
    Py_DECREF((PyObject *)frame);
    PyErr_SetString(PyExc_NotImplementedError, "generators cannot be made from frame objects");
    return NULL;
}

PyObject *PyGen_New(PyFrameObject *frame)
{
    return refuse_frame(frame);
}

PyObject *PyGen_NewWithQualName(PyFrameObject *frame, PyObject *name, PyObject *qualname)
{
    (void)name, (void)qualname;
    return refuse_frame(frame);
}

PyObject *PyCoro_New(PyFrameObject *frame, PyObject *name, PyObject *qualname)
{
    (void)name, (void)qualname;
    return refuse_frame(frame);
}
