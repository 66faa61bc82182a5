/*
 * Async generators: the objects that asend(), athrow(), aclose() and anext() return, and their states.
 *
 * Inside an async generator `yield v` yields a wrapper around v, which tells it from what an `await` lets
 * through. The objects below drive the generator and turn a wrapper into StopIteration(v).
 */
#include "interp/generator.h"

#define AGEN(op) ((PyAsyncGenObject *)(op))

enum awaitable_state { STATE_INIT, STATE_ITER, STATE_CLOSED };

struct wrapped_value {
    PyObject_HEAD
    PyObject *value;
};

/* asend() and __anext__(). */
struct agen_asend {
    PyObject_HEAD
    PyAsyncGenObject *gen;
    PyObject *sent; /* NULL: __anext__() */
    enum awaitable_state state;
};

/* athrow() and aclose(). */
struct agen_athrow {
    PyObject_HEAD
    PyAsyncGenObject *gen;
    PyObject *type, *value, *tb; /* type NULL: aclose() */
    enum awaitable_state state;
};

/* ---- the wrapper ----------------------------------------------------------------------------- */

PyObject *async_gen_wrap(PyObject *value)
{
    struct wrapped_value *op = (struct wrapped_value *)object_new(&_PyAsyncGenWrappedValue_Type, 0);
    if (op != NULL) {
        op->value = Py_NewRef(value);
        PyObject_GC_Track(op);
    }
    return (PyObject *)op;
}

static int wrapped_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((struct wrapped_value *)self)->value);
    return 0;
}

static void wrapped_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_CLEAR(((struct wrapped_value *)self)->value);
    PyObject_GC_Del(self);
}

PyTypeObject _PyAsyncGenWrappedValue_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "async_generator_wrapped_value",
    .tp_basicsize = sizeof(struct wrapped_value),
    .tp_dealloc = wrapped_dealloc,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = wrapped_traverse,
};

/* What the generator gave, for who awaits: StopIteration(value) for a wrapper. Takes result over. */
static PyObject *unwrap(PyAsyncGenObject *gen, PyObject *result)
{
    if (result == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_SetNone(PyExc_StopAsyncIteration);
        }
        if (PyErr_ExceptionMatches(PyExc_StopAsyncIteration)
            || PyErr_ExceptionMatches(PyExc_GeneratorExit)) {
            gen->ag_closed = 1;
        }
        gen->ag_running_async = 0;
        return NULL;
    }
    if (Py_IS_TYPE(result, &_PyAsyncGenWrappedValue_Type)) {
        gen_set_stop_iteration(((struct wrapped_value *)result)->value);
        Py_DECREF(result);
        gen->ag_running_async = 0;
        return NULL;
    }
    return result;
}

/* ---- hooks ----------------------------------------------------------------------------------- */

int async_gen_init_hooks(PyAsyncGenObject *gen)
{
    if (gen->ag_hooks_inited) {
        return 0;
    }
    gen->ag_hooks_inited = 1;
    PyThreadState *ts = PyThreadState_Get();
    gen->ag_origin_or_finalizer = Py_XNewRef(ts->async_gen_finalizer);
    if (ts->async_gen_firstiter != NULL) {
        PyObject *first = Py_NewRef(ts->async_gen_firstiter);
        PyObject *result = PyObject_CallOneArg(first, (PyObject *)gen);
        Py_DECREF(first);
        if (result == NULL) {
            return -1;
        }
        Py_DECREF(result);
    }
    return 0;
}

int async_gen_finalizer(PyAsyncGenObject *gen)
{
    PyObject *finalizer = gen->ag_origin_or_finalizer;
    if (finalizer == NULL || gen->ag_closed) {
        return 0;
    }
    PyObject *result = PyObject_CallOneArg(finalizer, (PyObject *)gen);
    if (result == NULL) {
        PyErr_WriteUnraisable((PyObject *)gen);
    }
    Py_XDECREF(result);
    return 1;
}

/* ---- asend ----------------------------------------------------------------------------------- */

#define ASEND(op) ((struct agen_asend *)(op))
#define ATHROW(op) ((struct agen_athrow *)(op))

static PyObject *asend_make(PyAsyncGenObject *gen, PyObject *sent)
{
    struct agen_asend *op = (struct agen_asend *)object_new(&_PyAsyncGenASend_Type, 0);
    if (op != NULL) {
        op->gen = (PyAsyncGenObject *)Py_NewRef((PyObject *)gen);
        op->sent = Py_XNewRef(sent);
        op->state = STATE_INIT;
        PyObject_GC_Track(op);
    }
    return (PyObject *)op;
}

static PyObject *asend_send(PyObject *self, PyObject *arg)
{
    struct agen_asend *op = ASEND(self);
    if (op->state == STATE_CLOSED) {
        PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited __anext__()/asend()");
        return NULL;
    }
    if (op->state == STATE_INIT) {
        if (op->gen->ag_running_async) {
            op->state = STATE_CLOSED;
            PyErr_SetString(PyExc_RuntimeError,
                            "anext(): asynchronous generator is already running");
            return NULL;
        }
        if (arg == NULL || Py_IsNone(arg)) {
            arg = op->sent;
        }
        op->state = STATE_ITER;
    }
    op->gen->ag_running_async = 1;
    PyObject *result = gen_send_value((PyGenObject *)op->gen, arg ? arg : Py_None, false, false);
    result = unwrap(op->gen, result);
    if (result == NULL) {
        op->state = STATE_CLOSED;
    }
    return result;
}

static PyObject *asend_next(PyObject *self)
{
    return asend_send(self, NULL);
}

static PyObject *asend_throw(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    struct agen_asend *op = ASEND(self);
    PyObject *type, *value, *tb;
    if (op->state == STATE_CLOSED) {
        PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited __anext__()/asend()");
        return NULL;
    }
    if (op->state == STATE_INIT) {
        if (op->gen->ag_running_async) {
            op->state = STATE_CLOSED;
            PyErr_SetString(PyExc_RuntimeError,
                            "anext(): asynchronous generator is already running");
            return NULL;
        }
        op->state = STATE_ITER;
        op->gen->ag_running_async = 1;
    }
    if (!gen_throw_args(args, nargs, &type, &value, &tb)) {
        return NULL;
    }
    PyObject *result = unwrap(op->gen, gen_throw((PyGenObject *)op->gen, false, type, value, tb));
    if (result == NULL) {
        op->state = STATE_CLOSED;
    }
    return result;
}

static PyObject *close_by_throwing(PyObject *self,
                                   PyObject *(*throw)(PyObject *, PyObject *const *, Py_ssize_t),
                                   bool quiet_stop_async)
{
    PyObject *result = throw(self, &PyExc_GeneratorExit, 1);
    if (result != NULL) {
        Py_DECREF(result);
        PyErr_SetString(PyExc_RuntimeError, "coroutine ignored GeneratorExit");
        return NULL;
    }
    if (PyErr_ExceptionMatches(PyExc_StopIteration)
        || (quiet_stop_async && PyErr_ExceptionMatches(PyExc_StopAsyncIteration))
        || PyErr_ExceptionMatches(PyExc_GeneratorExit)) {
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    return NULL;
}

static PyObject *asend_close(PyObject *self, PyObject *unused)
{
    (void)unused;
    if (ASEND(self)->state == STATE_CLOSED) {
        Py_RETURN_NONE;
    }
    return close_by_throwing(self, asend_throw, true);
}

static void asend_finalize(PyObject *self)
{
    struct agen_asend *op = ASEND(self);
    if (op->state == STATE_INIT) {
        PyObject *saved = PyErr_GetRaisedException();
        if (PyErr_WarnFormat(PyExc_RuntimeWarning, 1, "coroutine method %R of %R was never awaited",
                             op->sent ? ID(asend) : ID(__anext__), op->gen->ag_qualname)
            < 0) {
            PyErr_WriteUnraisable(self);
        }
        PyErr_SetRaisedException(saved);
    }
}

static int asend_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(ASEND(self)->gen);
    Py_VISIT(ASEND(self)->sent);
    return 0;
}

static void asend_dealloc(PyObject *self)
{
    if (PyObject_CallFinalizerFromDealloc(self)) {
        return;
    }
    PyObject_GC_UnTrack(self);
    Py_CLEAR(ASEND(self)->gen);
    Py_CLEAR(ASEND(self)->sent);
    PyObject_GC_Del(self);
}

static PyMethodDef asend_methods[] = {
    {"send", asend_send, METH_O, NULL},
    {"throw", _PyCFunction_CAST(asend_throw), METH_FASTCALL, NULL},
    {"close", asend_close, METH_NOARGS, NULL},
    {0},
};

static PyAsyncMethods self_await = {.am_await = PyObject_SelfIter};

PyTypeObject _PyAsyncGenASend_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "async_generator_asend",
    .tp_basicsize = sizeof(struct agen_asend),
    .tp_dealloc = asend_dealloc,
    .tp_as_async = &self_await,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = asend_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = asend_next,
    .tp_methods = asend_methods,
    .tp_finalize = asend_finalize,
};

/* ---- athrow, aclose -------------------------------------------------------------------------- */

static PyObject *athrow_make(PyAsyncGenObject *gen, PyObject *type, PyObject *value, PyObject *tb)
{
    struct agen_athrow *op = (struct agen_athrow *)object_new(&_PyAsyncGenAThrow_Type, 0);
    if (op != NULL) {
        op->gen = (PyAsyncGenObject *)Py_NewRef((PyObject *)gen);
        op->type = Py_XNewRef(type);
        op->value = Py_XNewRef(value);
        op->tb = Py_XNewRef(tb);
        op->state = STATE_INIT;
        PyObject_GC_Track(op);
    }
    return (PyObject *)op;
}

static PyObject *yielded_in_aclose(struct agen_athrow *op, PyObject *result)
{
    op->gen->ag_running_async = 0;
    op->state = STATE_CLOSED;
    Py_XDECREF(result);
    PyErr_SetString(PyExc_RuntimeError, "async generator ignored GeneratorExit");
    return NULL;
}

/* The generator raised, or ended. */
static PyObject *athrow_failed(struct agen_athrow *op)
{
    op->gen->ag_running_async = 0;
    op->state = STATE_CLOSED;
    if (!PyErr_Occurred()) {
        PyErr_SetNone(PyExc_StopAsyncIteration);
    }
    if (op->type == NULL
        && (PyErr_ExceptionMatches(PyExc_StopAsyncIteration)
            || PyErr_ExceptionMatches(PyExc_GeneratorExit))) {
        /* That is how aclose() ends well. */
        PyErr_Clear();
        PyErr_SetNone(PyExc_StopIteration);
    }
    return NULL;
}

static PyObject *athrow_begin(struct agen_athrow *op, PyObject *arg)
{
    PyAsyncGenObject *gen = op->gen;
    if (gen->ag_running_async) {
        op->state = STATE_CLOSED;
        PyErr_SetString(PyExc_RuntimeError,
                        op->type == NULL ? "aclose(): asynchronous generator is already running"
                                         : "athrow(): asynchronous generator is already running");
        return NULL;
    }
    if (gen->ag_closed) {
        op->state = STATE_CLOSED;
        PyErr_SetNone(PyExc_StopAsyncIteration);
        return NULL;
    }
    if (arg != NULL && !Py_IsNone(arg)) {
        PyErr_SetString(PyExc_RuntimeError,
                        "can't send non-None value to a just-started coroutine");
        return NULL;
    }
    op->state = STATE_ITER;
    gen->ag_running_async = 1;
    PyObject *result;
    if (op->type == NULL) {
        gen->ag_closed = 1;
        result = gen_throw((PyGenObject *)gen, false, PyExc_GeneratorExit, NULL, NULL);
        if (result != NULL && Py_IS_TYPE(result, &_PyAsyncGenWrappedValue_Type)) {
            return yielded_in_aclose(op, result);
        }
    } else {
        result = unwrap(gen, gen_throw((PyGenObject *)gen, false, op->type, op->value, op->tb));
    }
    return result ? result : athrow_failed(op);
}

static PyObject *athrow_send(PyObject *self, PyObject *arg)
{
    struct agen_athrow *op = ATHROW(self);
    PyGenObject *gen = (PyGenObject *)op->gen;
    if (op->state == STATE_CLOSED) {
        PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited aclose()/athrow()");
        return NULL;
    }
    if (gen->gi_frame_state >= GEN_COMPLETED) {
        op->state = STATE_CLOSED;
        PyErr_SetNone(PyExc_StopIteration);
        return NULL;
    }
    if (op->state == STATE_INIT) {
        return athrow_begin(op, arg);
    }
    PyObject *result = gen_send_value(gen, arg ? arg : Py_None, false, false);
    if (op->type != NULL) {
        result = unwrap(op->gen, result);
        if (result == NULL) {
            op->state = STATE_CLOSED;
        }
        return result;
    }
    if (result != NULL && Py_IS_TYPE(result, &_PyAsyncGenWrappedValue_Type)) {
        return yielded_in_aclose(op, result);
    }
    return result ? result : athrow_failed(op);
}

static PyObject *athrow_next(PyObject *self)
{
    return athrow_send(self, NULL);
}

static PyObject *athrow_throw(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    struct agen_athrow *op = ATHROW(self);
    PyObject *type, *value, *tb;
    if (op->state == STATE_CLOSED) {
        PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited aclose()/athrow()");
        return NULL;
    }
    if (op->state == STATE_INIT) {
        if (op->gen->ag_running_async) {
            op->state = STATE_CLOSED;
            PyErr_SetString(PyExc_RuntimeError,
                            op->type == NULL
                                ? "aclose(): asynchronous generator is already running"
                                : "athrow(): asynchronous generator is already running");
            return NULL;
        }
        op->state = STATE_ITER;
        op->gen->ag_running_async = 1;
    }
    if (!gen_throw_args(args, nargs, &type, &value, &tb)) {
        return NULL;
    }
    PyObject *result = gen_throw((PyGenObject *)op->gen, false, type, value, tb);
    if (op->type != NULL) {
        result = unwrap(op->gen, result);
        if (result == NULL) {
            op->state = STATE_CLOSED;
        }
        return result;
    }
    if (result != NULL && Py_IS_TYPE(result, &_PyAsyncGenWrappedValue_Type)) {
        return yielded_in_aclose(op, result);
    }
    return result ? result : athrow_failed(op);
}

static PyObject *athrow_close(PyObject *self, PyObject *unused)
{
    (void)unused;
    if (ATHROW(self)->state == STATE_CLOSED) {
        Py_RETURN_NONE;
    }
    return close_by_throwing(self, athrow_throw, true);
}

static void athrow_finalize(PyObject *self)
{
    struct agen_athrow *op = ATHROW(self);
    if (op->state == STATE_INIT) {
        PyObject *saved = PyErr_GetRaisedException();
        if (PyErr_WarnFormat(PyExc_RuntimeWarning, 1, "coroutine method %R of %R was never awaited",
                             op->type ? ID(athrow) : ID(aclose), op->gen->ag_qualname)
            < 0) {
            PyErr_WriteUnraisable(self);
        }
        PyErr_SetRaisedException(saved);
    }
}

static int athrow_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(ATHROW(self)->gen);
    Py_VISIT(ATHROW(self)->type);
    Py_VISIT(ATHROW(self)->value);
    Py_VISIT(ATHROW(self)->tb);
    return 0;
}

static void athrow_dealloc(PyObject *self)
{
    if (PyObject_CallFinalizerFromDealloc(self)) {
        return;
    }
    PyObject_GC_UnTrack(self);
    Py_CLEAR(ATHROW(self)->gen);
    Py_CLEAR(ATHROW(self)->type);
    Py_CLEAR(ATHROW(self)->value);
    Py_CLEAR(ATHROW(self)->tb);
    PyObject_GC_Del(self);
}

static PyMethodDef athrow_methods[] = {
    {"send", athrow_send, METH_O, NULL},
    {"throw", _PyCFunction_CAST(athrow_throw), METH_FASTCALL, NULL},
    {"close", athrow_close, METH_NOARGS, NULL},
    {0},
};

PyTypeObject _PyAsyncGenAThrow_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "async_generator_athrow",
    .tp_basicsize = sizeof(struct agen_athrow),
    .tp_dealloc = athrow_dealloc,
    .tp_as_async = &self_await,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = athrow_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = athrow_next,
    .tp_methods = athrow_methods,
    .tp_finalize = athrow_finalize,
};

/* ---- anext(it, default) ---------------------------------------------------------------------- */

struct anext_awaitable {
    PyObject_HEAD
    PyObject *wrapped, *fallback;
};

#define ANEXT(op) ((struct anext_awaitable *)(op))

PyObject *anext_awaitable_new(PyObject *awaitable, PyObject *fallback)
{
    struct anext_awaitable *op = (struct anext_awaitable *)object_new(&_PyAnextAwaitable_Type, 0);
    if (op != NULL) {
        op->wrapped = Py_NewRef(awaitable);
        op->fallback = Py_NewRef(fallback);
        PyObject_GC_Track(op);
    }
    return (PyObject *)op;
}

/* The end of the iteration becomes the default. */
static PyObject *anext_result(struct anext_awaitable *op, PyObject *result)
{
    if (result == NULL && PyErr_ExceptionMatches(PyExc_StopAsyncIteration)) {
        PyErr_Clear();
        gen_set_stop_iteration(op->fallback);
    }
    return result;
}

static PyObject *anext_iterator(struct anext_awaitable *op)
{
    PyObject *it = coro_awaitable_iter(op->wrapped);
    if (it != NULL && Py_TYPE(it)->tp_iternext == NULL) {
        /* A coroutine: drive it through its own __await__. */
        PyObject *wrapper = Py_TYPE(it)->tp_as_async->am_await(it);
        Py_SETREF(it, wrapper);
    }
    return it;
}

static PyObject *anext_next(PyObject *self)
{
    PyObject *it = anext_iterator(ANEXT(self));
    PyObject *result = it ? Py_TYPE(it)->tp_iternext(it) : NULL;
    bool raised = it != NULL;
    Py_XDECREF(it);
    return raised ? anext_result(ANEXT(self), result) : NULL;
}

static PyObject *anext_call(PyObject *self, PyObject *name, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *it = anext_iterator(ANEXT(self));
    PyObject *method = it ? PyObject_GetAttr(it, name) : NULL;
    PyObject *result = method ? PyObject_Vectorcall(method, args, (size_t)nargs, NULL) : NULL;
    Py_XDECREF(it);
    if (method == NULL) {
        return NULL;
    }
    Py_DECREF(method);
    return anext_result(ANEXT(self), result);
}

static PyObject *anext_send(PyObject *self, PyObject *arg)
{
    return anext_call(self, ID(send), &arg, 1);
}

static PyObject *anext_throw(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    return anext_call(self, ID(throw), args, nargs);
}

static PyObject *anext_close(PyObject *self, PyObject *unused)
{
    (void)unused;
    return anext_call(self, ID(close), NULL, 0);
}

static int anext_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(ANEXT(self)->wrapped);
    Py_VISIT(ANEXT(self)->fallback);
    return 0;
}

static void anext_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_CLEAR(ANEXT(self)->wrapped);
    Py_CLEAR(ANEXT(self)->fallback);
    PyObject_GC_Del(self);
}

static PyMethodDef anext_methods[] = {
    {"send", anext_send, METH_O, NULL},
    {"throw", _PyCFunction_CAST(anext_throw), METH_FASTCALL, NULL},
    {"close", anext_close, METH_NOARGS, NULL},
    {0},
};

PyTypeObject _PyAnextAwaitable_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "anext_awaitable",
    .tp_basicsize = sizeof(struct anext_awaitable),
    .tp_dealloc = anext_dealloc,
    .tp_as_async = &self_await,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = anext_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = anext_next,
    .tp_methods = anext_methods,
};

/* ---- async generator ------------------------------------------------------------------------- */

static PyObject *agen_anext(PyObject *self)
{
    return async_gen_init_hooks(AGEN(self)) < 0 ? NULL : asend_make(AGEN(self), NULL);
}

static PyObject *agen_asend(PyObject *self, PyObject *arg)
{
    return async_gen_init_hooks(AGEN(self)) < 0 ? NULL : asend_make(AGEN(self), arg);
}

static PyObject *agen_aclose(PyObject *self, PyObject *unused)
{
    (void)unused;
    return async_gen_init_hooks(AGEN(self)) < 0 ? NULL : athrow_make(AGEN(self), NULL, NULL, NULL);
}

static PyObject *agen_athrow(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *type, *value, *tb;
    if (nargs > 1
        && PyErr_WarnEx(PyExc_DeprecationWarning,
                        "the (type, exc, tb) signature of athrow() is deprecated, "
                        "use the single-arg signature instead.",
                        1)
               < 0) {
        return NULL;
    }
    if (nargs < 1 || nargs > 3) {
        PyErr_Format(PyExc_TypeError, "athrow expected at %s argument%s, got %zd",
                     nargs < 1 ? "least 1" : "most 3", nargs < 1 ? "" : "s", nargs);
        return NULL;
    }
    type = args[0];
    value = nargs > 1 ? args[1] : NULL;
    tb = nargs > 2 ? args[2] : NULL;
    return async_gen_init_hooks(AGEN(self)) < 0 ? NULL : athrow_make(AGEN(self), type, value, tb);
}

static PyMethodDef agen_methods[] = {
    {"asend", agen_asend, METH_O,
     PyDoc_STR(
         "asend($self, value, /)\n--\n\nAn awaitable that resumes the generator with value.")},
    {"athrow", _PyCFunction_CAST(agen_athrow), METH_FASTCALL,
     PyDoc_STR("athrow(value)\nathrow(type[,value[,tb]])\n\nraise exception in generator.")},
    {"aclose", agen_aclose, METH_NOARGS,
     PyDoc_STR("aclose($self, /)\n--\n\nAn awaitable that ends the generator.")},
    SIZEOF_METHOD,
    CLASS_GETITEM_METHOD,
    {0},
};

static PyGetSetDef agen_getset[] = {
    {"__name__", gen_get_name, gen_set_name, PyDoc_STR("its name"), NULL},
    {"__qualname__", gen_get_qualname, gen_set_qualname,
     PyDoc_STR("its name with those of the scopes around"), NULL},
    {"ag_await", gen_get_delegate, NULL, PyDoc_STR("what it waits for, or None"), NULL},
    {"ag_frame", gen_get_frame, NULL, NULL, NULL},
    {"ag_code", gen_get_code, NULL, NULL, NULL},
    {"ag_suspended", gen_get_suspended, NULL, NULL, NULL},
    {0},
};

static PyMemberDef agen_members[] = {
    {"ag_running", Py_T_BOOL, offsetof(PyAsyncGenObject, ag_running_async), Py_READONLY, NULL},
    {0},
};

static PyObject *agen_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<async_generator object %S at %p>", AGEN(self)->ag_qualname, self);
}

static PyAsyncMethods agen_async = {
    .am_aiter = PyObject_SelfIter,
    .am_anext = agen_anext,
    .am_send = gen_am_send,
};

PyTypeObject PyAsyncGen_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "async_generator",
    .tp_basicsize = offsetof(PyAsyncGenObject, ag_iframe) + sizeof(struct frame),
    .tp_itemsize = sizeof(value_t),
    .tp_dealloc = gen_dealloc,
    .tp_as_async = &agen_async,
    .tp_repr = agen_repr,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = gen_traverse,
    .tp_weaklistoffset = offsetof(PyAsyncGenObject, ag_weakreflist),
    .tp_methods = agen_methods,
    .tp_members = agen_members,
    .tp_getset = agen_getset,
    .tp_finalize = gen_finalize,
};

static PyObject *refuse_frame(PyFrameObject *frame)
{
    Py_DECREF((PyObject *)frame);
    PyErr_SetString(PyExc_NotImplementedError, "generators cannot be made from frame objects");
    return NULL;
}

PyObject *PyAsyncGen_New(PyFrameObject *frame, PyObject *name, PyObject *qualname)
{
    (void)name, (void)qualname;
    return refuse_frame(frame);
}

/* clang-format off */
PyTypeObject *const generator_types[] = {
    &PyGen_Type, &PyCoro_Type, &_PyCoroWrapper_Type, &PyAsyncGen_Type, &_PyAsyncGenASend_Type,
    &_PyAsyncGenAThrow_Type, &_PyAsyncGenWrappedValue_Type, &_PyAnextAwaitable_Type, NULL,
};
/* clang-format on */
