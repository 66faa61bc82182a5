/*
 * Exceptions inside the machine: raising, matching, unwinding, `with`.
 */
#include "interp/vm/vm.h"

#include "objects/error.h"

/* ---- words whose operands one needs to know afterwards --------------------------------------- */

static uint64_t word_prefix(const struct code_body *body, const uint64_t *pc)
{
    return pc - 2 >= body->words && WORD_OP(field_load(&pc[-2])) == EXT ? field_load(&pc[-2]) : 0;
}

int word_jump(const struct code_body *body, const uint64_t *pc)
{
    uint64_t x = word_prefix(body, pc);
    return WORD_OP(x) == EXT && x != 0 ? (int)(WORD_C(field_load(&pc[-1])) | WORD_C(x) << 16)
                                       : WORD_SC(field_load(&pc[-1]));
}

unsigned word_a(const struct code_body *body, const uint64_t *pc)
{
    return WORD_A(field_load(&pc[-1])) | WORD_A(word_prefix(body, pc)) << 16;
}

unsigned word_b(const struct code_body *body, const uint64_t *pc)
{
    return WORD_B(field_load(&pc[-1])) | WORD_B(word_prefix(body, pc)) << 16;
}

unsigned word_c(const struct code_body *body, const uint64_t *pc)
{
    return WORD_C(field_load(&pc[-1])) | WORD_C(word_prefix(body, pc)) << 16;
}

/* ---- raising --------------------------------------------------------------------------------- */

static PyObject *instance_of(PyObject *exc, const char *what)
{
    if (PyExceptionClass_Check(exc)) {
        PyObject *instance = PyObject_CallNoArgs(exc);
        if (instance != NULL && !PyExceptionInstance_Check(instance)) {
            PyErr_Format(PyExc_TypeError,
                         "calling %R should have returned an instance of BaseException, not %R",
                         exc, Py_TYPE(instance));
            Py_CLEAR(instance);
        }
        return instance;
    }
    if (PyExceptionInstance_Check(exc)) {
        return Py_NewRef(exc);
    }
    PyErr_SetString(PyExc_TypeError, what);
    return NULL;
}

void vm_raise(struct frame *fp, unsigned e, unsigned c)
{
    PyObject *exc = reg_object(fp, e);
    PyObject *instance = exc ? instance_of(exc, "exceptions must derive from BaseException") : NULL;
    if (instance == NULL) {
        return;
    }
    if (c != REG_NONE) {
        PyObject *cause = reg_object(fp, c);
        if (cause == NULL) {
            Py_DECREF(instance);
            return;
        }
        if (Py_IsNone(cause)) {
            PyException_SetCause(instance, NULL);
        } else {
            cause = instance_of(cause, "exception causes must derive from BaseException");
            if (cause == NULL) {
                Py_DECREF(instance);
                return;
            }
            PyException_SetCause(instance, cause);
        }
    }
    if (likely(Py_IS_TYPE(Py_TYPE(instance), &PyType_Type))) {
        error_raise_instance(instance);
        return;
    }
    PyErr_SetObject((PyObject *)Py_TYPE(instance), instance);
    Py_DECREF(instance);
}

static PyObject *handled_exception(PyThreadState *ts)
{
    for (_PyErr_StackItem *info = ts->exc_info; info != NULL; info = info->previous_item) {
        if (info->exc_value != NULL && !Py_IsNone(info->exc_value)) {
            return info->exc_value;
        }
    }
    return NULL;
}

int vm_raise_current(PyThreadState *ts)
{
    PyObject *exc = handled_exception(ts);
    if (exc == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "No active exception to reraise");
        return 0;
    }
    PyErr_SetRaisedException(Py_NewRef(exc));
    return 1;
}

void vm_reraise(struct frame *fp, unsigned e, unsigned lasti)
{
    (void)lasti; /* vm_unwind() looks at it */
    PyErr_SetRaisedException(Py_NewRef(value_object(fp->r[e])));
}

/* ---- matching -------------------------------------------------------------------------------- */

#define CANNOT_CATCH "catching classes that do not inherit from BaseException is not allowed"

static int check_catchable(PyObject *type, int star)
{
    if (PyTuple_Check(type)) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(type); i++) {
            PyObject *item = PyTuple_GET_ITEM(type, i);
            if (!PyExceptionClass_Check(item)) {
                PyErr_SetString(PyExc_TypeError, CANNOT_CATCH);
                return -1;
            }
        }
    } else if (!PyExceptionClass_Check(type)) {
        PyErr_SetString(PyExc_TypeError, CANNOT_CATCH);
        return -1;
    }
    if (!star) {
        return 0;
    }
    Py_ssize_t n = PyTuple_Check(type) ? PyTuple_GET_SIZE(type) : 1;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PyTuple_Check(type) ? PyTuple_GET_ITEM(type, i) : type;
        int group = PyObject_IsSubclass(item, PyExc_BaseExceptionGroup);
        if (group < 0) {
            return -1;
        }
        if (group) {
            PyErr_SetString(PyExc_TypeError, "catching ExceptionGroup with except* is not allowed. "
                                             "Use except instead.");
            return -1;
        }
    }
    return 0;
}

int vm_check_exc_match(struct frame *fp, unsigned a, unsigned b, unsigned c)
{
    PyObject *exc = reg_object(fp, b), *type = reg_object(fp, c);
    if (type == NULL || check_catchable(type, 0) < 0) {
        return -1;
    }
    int match = PyErr_GivenExceptionMatches(exc, type);
    reg_consume(fp, c);
    reg_put(fp, a, VALUE_BOOL(match));
    return 0;
}

/* Splits exc by type: new references, NULL where nothing is. */
static int group_match(PyObject *exc, PyObject *type, PyObject **match, PyObject **rest)
{
    *match = *rest = NULL;
    if (PyErr_GivenExceptionMatches(exc, type)) {
        if (PyObject_IsInstance(exc, PyExc_BaseExceptionGroup) > 0) {
            *match = Py_NewRef(exc);
            return 0;
        }
        /* A lone exception is caught as a group of one. */
        PyObject *one = PyTuple_Pack(1, exc);
        PyObject *args = one ? Py_BuildValue("(sO)", "", one) : NULL;
        Py_XDECREF(one);
        *match = args ? PyObject_Call(PyExc_BaseExceptionGroup, args, NULL) : NULL;
        Py_XDECREF(args);
        if (*match == NULL) {
            return -1;
        }
        return 0;
    }
    if (PyObject_IsInstance(exc, PyExc_BaseExceptionGroup) <= 0) {
        *rest = Py_NewRef(exc);
        return 0;
    }
    PyObject *pair = PyObject_CallMethod(exc, "split", "(O)", type);
    if (pair == NULL) {
        return -1;
    }
    if (!PyTuple_CheckExact(pair)) {
        PyErr_Format(PyExc_TypeError, "%.200s.split must return a tuple, not %.200s",
                     Py_TYPE(exc)->tp_name, Py_TYPE(pair)->tp_name);
        Py_DECREF(pair);
        return -1;
    }
    if (PyTuple_GET_SIZE(pair) < 2) {
        PyErr_Format(PyExc_TypeError, "%.200s.split must return a 2-tuple, got tuple of size %zd",
                     Py_TYPE(exc)->tp_name, PyTuple_GET_SIZE(pair));
        Py_DECREF(pair);
        return -1;
    }
    PyObject *first = PyTuple_GET_ITEM(pair, 0), *second = PyTuple_GET_ITEM(pair, 1);
    *match = Py_IsNone(first) ? NULL : Py_NewRef(first);
    *rest = Py_IsNone(second) ? NULL : Py_NewRef(second);
    Py_DECREF(pair);
    return 0;
}

int vm_check_eg_match(struct frame *fp, unsigned a, unsigned b)
{
    PyObject *exc = reg_object(fp, a), *type = reg_object(fp, b), *match, *rest;
    if (exc == NULL || type == NULL || check_catchable(type, 1) < 0) {
        return -1;
    }
    if (Py_IsNone(exc)) {
        match = rest = NULL;
    } else if (group_match(exc, type, &match, &rest) < 0) {
        return -1;
    }
    value_t old = fp->r[a];
    reg_consume(fp, b);
    fp->r[a] = rest ? value_from_owned(rest) : VALUE_NONE;
    fp->r[a + 1] = match ? value_from_owned(match) : VALUE_NONE;
    value_release(old);
    if (match != NULL) {
        PyErr_SetHandledException(match);
    }
    return 0;
}

/* ---- with ------------------------------------------------------------------------------------ */

static PyObject *manager_method(PyObject *manager, PyObject *name, const char *protocol,
                                const char *missing, PyObject *other)
{
    PyObject *method = object_lookup_special(manager, name);
    if (method != NULL || PyErr_Occurred()) {
        return method;
    }
    PyObject *alternative = object_lookup_special(manager, other);
    bool hint = alternative != NULL;
    Py_XDECREF(alternative);
    PyErr_Clear();
    (void)hint;
    PyErr_Format(PyExc_TypeError, "'%.200s' object does not support the %s protocol%s",
                 Py_TYPE(manager)->tp_name, protocol, missing);
    return NULL;
}

static int enter_manager(struct frame *fp, unsigned a, unsigned b, PyObject *enter_name,
                         PyObject *exit_name, const char *protocol, const char *missing)
{
    PyObject *manager = reg_object(fp, b);
    if (manager == NULL) {
        return -1;
    }
    PyObject *enter;
    int unbound = object_lookup_special_method(manager, enter_name, &enter);
    if (enter == NULL) {
        if (unbound == 0) {
            manager_method(manager, enter_name, protocol, "", exit_name);
        }
        return -1;
    }
    PyObject *leave = manager_method(manager, exit_name, protocol, missing, enter_name);
    if (leave == NULL) {
        Py_DECREF(enter);
        return -1;
    }
    PyObject *args[] = {NULL, manager};
    PyObject *result = PyObject_Vectorcall(enter, args + 1 + !unbound,
                                           (size_t)unbound | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    Py_DECREF(enter);
    if (result == NULL) {
        Py_DECREF(leave);
        return -1;
    }
    reg_consume(fp, b);
    fp->r[a] = value_from_owned(leave);
    fp->r[a + 1] = value_from_owned(result);
    return 0;
}

int vm_before_with(struct frame *fp, unsigned a, unsigned b)
{
    return enter_manager(fp, a, b, ID(__enter__), ID(__exit__), "context manager",
                         " (missed __exit__ method)");
}

int vm_before_async_with(struct frame *fp, unsigned a, unsigned b)
{
    return enter_manager(fp, a, b, ID(__aenter__), ID(__aexit__), "asynchronous context manager",
                         " (missed __aexit__ method)");
}

int vm_with_except_start(struct frame *fp, unsigned a, unsigned b, unsigned c)
{
    PyObject *leave = reg_object(fp, b), *exc = reg_object(fp, c);
    PyObject *tb = PyException_GetTraceback(exc);
    PyObject *args[] = {NULL, (PyObject *)Py_TYPE(exc), exc, tb ? tb : Py_None};
    PyObject *result =
        PyObject_Vectorcall(leave, args + 1, 3 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    Py_XDECREF(tb);
    return reg_put_owned(fp, a, result);
}

/* ---- unwinding ------------------------------------------------------------------------------- */

/* First dead register of a word that failed: a call has consumed its window. */
static unsigned depth_at_failure(struct frame *fp, uint32_t index)
{
    const struct code_body *body = fp->body;
    if (opcode_table[code_base_op(body, index)].flags & OPCODE_CALLS) {
        return word_b(body, fp->pc);
    }
    return body->depths[index];
}

/* A RERAISE with a saved position raises from there. */
static uint32_t raising_index(struct frame *fp, uint32_t index)
{
    if (code_base_op(fp->body, index) == RERAISE) {
        unsigned lasti = word_b(fp->body, fp->pc);
        if (lasti != REG_NONE && value_is_int(fp->r[lasti])) {
            uint32_t origin = (uint32_t)value_int(fp->r[lasti]) / 2;
            return origin < fp->body->nwords ? origin : index;
        }
    }
    return index;
}

/* False: a tool that was told raised an exception. */
static bool go_to_handler(PyThreadState *ts, struct frame *fp, uint32_t index, unsigned depth,
                          const struct code_handler *handler)
{
    uint32_t origin = raising_index(fp, index);
    reg_release_range(fp->r, handler->depth, depth);
    unsigned d = handler->depth;
    if (handler->lasti) {
        fp->r[d++] = value_from_int((int64_t)origin * 2);
    }
    PyObject *exc = PyErr_GetRaisedException();
    fp->r[d] = value_from_owned(exc);
    fp->pc = fp->body->words + handler->target;
    return monitor_handled(ts, fp, origin, exc) == 0;
}

struct frame *vm_unwind(PyThreadState *ts, struct frame *fp, bool add_traceback)
{
    bool told = false;
    for (;;) {
        uint32_t index = fp->pc == fp->body->words ? 0 : (uint32_t)(fp->pc - 1 - fp->body->words);
        if (ts->current_exception == NULL) {
            PyErr_SetString(PyExc_SystemError, "error return without exception set");
        }
        if (add_traceback) {
            if (!frame_is_incomplete(fp)) {
                traceback_add(fp);
            }
            monitor_raise(ts, fp);
        } else if (!told) {
            monitor_reraise(ts, fp);
        }
        told = false;
        unsigned depth =
            fp->pc == fp->body->words ? fp->body->nlocals : depth_at_failure(fp, index);
        const struct code_handler *handler = code_handler_find(fp->body, index);
        if (handler != NULL) {
            if (go_to_handler(ts, fp, index, depth, handler)) {
                return fp;
            }
            fp->pc++; /* the first word of the handler has failed */
            add_traceback = false;
            told = true;
            continue;
        }
        uint32_t origin = fp->pc == fp->body->words ? 0 : raising_index(fp, index);
        reg_release_range(fp->r, fp->body->nlocals, depth);
        if (origin != index) {
            for (unsigned i = depth; i < fp->body->depths[origin]; i++) {
                fp->r[i] = VALUE_NULL; /* there they count as live */
            }
            fp->pc = fp->body->words + origin + 1;
        }
        monitor_unwind(ts, fp);
        enum on_return how = fp->on_return;
        struct frame *caller = fp->prev;
        value_t *window = fp->r - 1;
        if (fp->owner == FRAME_OF_GENERATOR) {
            vm_gen_finish(ts, fp);
        } else {
            frame_clear(ts, fp, fp->body->nlocals);
        }
        if (how == RETURN_C) {
            return NULL;
        }
        if (how == RETURN_INIT) {
            value_clear(window);
        } else if (how == RETURN_CALL) {
            vm_gen_call_done(caller);
        } else if (how == RETURN_HOOK) {
            PyObject *owner = value_box(&caller->r[word_b(caller->body, caller->pc)]);
            const struct code_site *site = &caller->body->sites[word_c(caller->body, caller->pc)];
            complete_attribute_error(owner, caller->body->names[site->arg]);
        }
        fp = caller;
        add_traceback = true;
    }
}

struct frame *vm_return_to(PyThreadState *ts, struct frame *caller, enum on_return how, value_t v,
                           value_t *window)
{
    switch (how) {
    case RETURN_INIT:
        if (unlikely(!value_is_none(v))) {
            PyObject *op = value_box(&v);
            if (op != NULL) {
                PyErr_Format(PyExc_TypeError, "__init__() should return None, not '%.200s'",
                             Py_TYPE(op)->tp_name);
            }
            value_release(v);
            value_clear(window);
            return NULL;
        }
        v = *window;
        *window = VALUE_NULL;
        reg_put(caller, caller->dst, v);
        return caller;
    case RETURN_HOOK: {
        unsigned b = word_b(caller->body, caller->pc);
        value_t owner = VALUE_NULL;
        if (b >= caller->body->nlocals) {
            owner = caller->r[b];
            caller->r[b] = VALUE_NULL;
        }
        reg_put(caller, caller->dst, v);
        value_release(owner);
        return caller;
    }
    case RETURN_FOR:
        if (!value_is_none(v) && monitor_return_value(ts, caller, &v) < 0) {
            value_release(v);
            return NULL;
        }
        value_release(v);
        value_clear(&caller->r[word_a(caller->body, caller->pc)]);
        caller->pc += word_jump(caller->body, caller->pc);
        return caller;
    case RETURN_SEND: {
        value_t *receiver = &caller->r[word_a(caller->body, caller->pc)];
        value_t old = *receiver;
        *receiver = v;
        if (monitor_return_value(ts, caller, receiver) < 0) {
            return NULL;
        }
        caller->pc += word_jump(caller->body, caller->pc);
        value_release(old);
        return caller;
    }
    case RETURN_CALL:
        vm_gen_call_done(caller);
        gen_stop_with(v);
        return NULL;
    default:
        Py_UNREACHABLE();
    }
}
