/*
 * Iteration and awaiting.
 */
#include "interp/vm/vm.h"

int vm_get_iter(struct frame *fp, unsigned a, unsigned b)
{
    PyObject *op = reg_object(fp, b);
    PyObject *it = op ? PyObject_GetIter(op) : NULL;
    if (it == NULL) {
        return -1;
    }
    reg_consume(fp, b);
    reg_put(fp, a, value_from_owned(it));
    return 0;
}

value_t vm_iter_next(PyObject *it)
{
    iternextfunc next = Py_TYPE(it)->tp_iternext;
    if (unlikely(next == NULL)) {
        PyErr_Format(PyExc_TypeError, "'%.200s' object is not an iterator", Py_TYPE(it)->tp_name);
        return VALUE_NULL;
    }
    return value_from_owned(next(it));
}

int vm_iter_unpack(PyObject *it, value_t *to, unsigned n)
{
    PyTypeObject *type = Py_TYPE(it);
    if (type == &PyEnum_Type && n == 2) {
        return enumerate_next_words(it, to);
    }
    if (type == &PyZip_Type && n == zip_width(it)) {
        return zip_next_words(it, to, n);
    }
    if (type == &PyDictIterItem_Type && n == 2) {
        return dict_iter_item_words(it, to);
    }
    return -1;
}

int vm_iter_end(struct frame *fp)
{
    if (!PyErr_ExceptionMatches(PyExc_StopIteration)) {
        return -1;
    }
    monitor_stop_iteration(PyThreadState_Get(), fp);
    PyErr_Clear();
    return 0;
}

/* ---- async for ------------------------------------------------------------------------------- */

int vm_get_aiter(struct frame *fp, unsigned a, unsigned b)
{
    PyObject *op = reg_object(fp, b);
    if (op == NULL) {
        return -1;
    }
    PyTypeObject *type = Py_TYPE(op);
    if (type->tp_as_async == NULL || type->tp_as_async->am_aiter == NULL) {
        PyErr_Format(PyExc_TypeError,
                     "'async for' requires an object with __aiter__ method, got %.100s",
                     type->tp_name);
        return -1;
    }
    PyObject *it = type->tp_as_async->am_aiter(op);
    if (it == NULL) {
        return -1;
    }
    if (Py_TYPE(it)->tp_as_async == NULL || Py_TYPE(it)->tp_as_async->am_anext == NULL) {
        PyErr_Format(PyExc_TypeError,
                     "'async for' received an object from __aiter__ that does not implement "
                     "__anext__: %.100s",
                     Py_TYPE(it)->tp_name);
        Py_DECREF(it);
        return -1;
    }
    reg_consume(fp, b);
    reg_put(fp, a, value_from_owned(it));
    return 0;
}

int vm_get_anext(struct frame *fp, unsigned a, unsigned b)
{
    PyObject *it = reg_object(fp, b);
    PyTypeObject *type = Py_TYPE(it);
    if (type->tp_as_async == NULL || type->tp_as_async->am_anext == NULL) {
        PyErr_Format(PyExc_TypeError,
                     "'async for' requires an iterator with __anext__ method, got %.100s",
                     type->tp_name);
        return -1;
    }
    PyObject *next = type->tp_as_async->am_anext(it);
    if (next == NULL || PyAsyncGen_CheckExact(it)) {
        return reg_put_owned(fp, a, next);
    }
    PyObject *awaitable = coro_awaitable_iter(next);
    if (awaitable == NULL) {
        PyObject *cause = PyErr_GetRaisedException();
        PyErr_Format(PyExc_TypeError,
                     "'async for' received an invalid object from __anext__: %.100s",
                     Py_TYPE(next)->tp_name);
        PyObject *error = PyErr_GetRaisedException();
        PyException_SetCause(error, Py_NewRef(cause));
        PyException_SetContext(error, cause);
        PyErr_SetRaisedException(error);
    }
    Py_DECREF(next);
    return reg_put_owned(fp, a, awaitable);
}

int vm_end_async_for(struct frame *fp, unsigned a)
{
    PyObject *exc = value_object(fp->r[a + 1]);
    if (PyErr_GivenExceptionMatches(exc, PyExc_StopAsyncIteration)) {
        value_clear(&fp->r[a + 1]);
        value_clear(&fp->r[a]);
        return 0;
    }
    PyErr_SetRaisedException(Py_NewRef(exc));
    return -1;
}

/* ---- yield from, await ----------------------------------------------------------------------- */

int vm_get_yield_from_iter(struct frame *fp, unsigned a, unsigned b)
{
    PyObject *op = reg_object(fp, b), *it;
    if (op == NULL) {
        return -1;
    }
    if (PyCoro_CheckExact(op)) {
        if (!(frame_code(fp)->co_flags & (CO_COROUTINE | CO_ITERABLE_COROUTINE))) {
            PyErr_SetString(PyExc_TypeError, "cannot 'yield from' a coroutine object in a "
                                             "non-coroutine generator");
            return -1;
        }
        it = Py_NewRef(op);
    } else {
        it = PyGen_CheckExact(op) ? Py_NewRef(op) : PyObject_GetIter(op);
    }
    if (it == NULL) {
        return -1;
    }
    reg_consume(fp, b);
    reg_put(fp, a, value_from_owned(it));
    return 0;
}

int vm_get_awaitable(struct frame *fp, unsigned a, unsigned b, unsigned where)
{
    PyObject *op = reg_object(fp, b);
    PyObject *it = op ? coro_awaitable_iter(op) : NULL;
    if (it == NULL) {
        if (op != NULL && where != 0 && PyErr_ExceptionMatches(PyExc_TypeError)
            && (Py_TYPE(op)->tp_as_async == NULL || Py_TYPE(op)->tp_as_async->am_await == NULL)) {
            PyErr_Format(PyExc_TypeError,
                         "'async with' received an object from %s that does not implement "
                         "__await__: %.100s",
                         where == 1 ? "__aenter__" : "__aexit__", Py_TYPE(op)->tp_name);
        }
        return -1;
    }
    if (PyCoro_CheckExact(it) && ((PyCoroObject *)it)->cr_frame_state == GEN_SUSPENDED_YIELD_FROM) {
        Py_DECREF(it);
        PyErr_SetString(PyExc_RuntimeError, "coroutine is being awaited already");
        return -1;
    }
    reg_consume(fp, b);
    reg_put(fp, a, value_from_owned(it));
    return 0;
}

int vm_send(struct frame *fp, unsigned a, unsigned b)
{
    PyObject *receiver = value_object(fp->r[a]), *sent = reg_object(fp, b), *result;
    if (sent == NULL) {
        return -1;
    }
    PySendResult how;
    if (Py_IsNone(sent) && PyIter_Check(receiver)
        && !(Py_TYPE(receiver)->tp_as_async && Py_TYPE(receiver)->tp_as_async->am_send)) {
        result = Py_TYPE(receiver)->tp_iternext(receiver);
        how = result ? PYGEN_NEXT : PYGEN_ERROR;
    } else if (Py_TYPE(receiver)->tp_as_async && Py_TYPE(receiver)->tp_as_async->am_send) {
        how = Py_TYPE(receiver)->tp_as_async->am_send(receiver, sent, &result);
    } else {
        result = PyObject_CallMethodOneArg(receiver, ID(send), sent);
        how = result ? PYGEN_NEXT : PYGEN_ERROR;
    }
    if (how == PYGEN_ERROR) {
        if (PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_StopIteration)) {
            monitor_stop_iteration(PyThreadState_Get(), fp);
        }
        if (gen_stop_iteration_value(&result) < 0) {
            return -1;
        }
        how = PYGEN_RETURN;
    }
    value_t old;
    if (how == PYGEN_RETURN) {
        old = fp->r[a];
        fp->r[a] = value_from_owned(result);
        value_release(old);
        if (b >= fp->body->nlocals) {
            value_clear(&fp->r[b]);
        }
        return 1;
    }
    reg_consume(fp, b);
    reg_put(fp, b, value_from_owned(result));
    return 0;
}

int vm_cleanup_throw(struct frame *fp, unsigned a)
{
    value_t *r = fp->r + a;
    PyObject *exc = value_object(r[1]);
    if (!PyErr_GivenExceptionMatches(exc, PyExc_StopIteration)) {
        PyErr_SetRaisedException(Py_NewRef(exc));
        return -1;
    }
    value_t old = r[0];
    r[0] = value_from_owned(Py_NewRef(((PyStopIterationObject *)exc)->value));
    value_release(old);
    value_clear(&r[1]);
    return 0;
}
