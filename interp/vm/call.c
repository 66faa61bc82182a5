/*
 * Calls: the slow paths of CALL, calls with unpacked arguments, and the entrance from C.
 */
#include "interp/vm/vm.h"

void vm_raise_too_deep(PyThreadState *ts)
{
    if (ts->py_recursion_remaining > 0) {
        PyErr_SetString(PyExc_RecursionError, "stack overflow");
        return;
    }
    PyErr_SetString(PyExc_RecursionError, "maximum recursion depth exceeded");
}

/* Releases a call window and raises nothing. */
static void drop_words(value_t *words, Py_ssize_t n)
{
    while (n > 0) {
        FEW_TIMES();
        value_clear(&words[--n]);
    }
}

void vm_drop_window(struct frame *fp, unsigned base)
{
    unsigned depth = fp->body->depths[fp->pc - 1 - fp->body->words];
    drop_words(fp->r + base, (Py_ssize_t)depth - (Py_ssize_t)base);
}

int args_materialise(value_t *words, Py_ssize_t n)
{
    for (Py_ssize_t i = 0; i < n; i++) {
        value_t v = words[i];
        FEW_TIMES();
        if (unlikely(value_is_number(v))) {
            PyObject *op = value_make_object(v);
            if (op == NULL) {
                return -1;
            }
            words[i] = value_from_owned(op);
        }
        else {
            words[i] = value_own(v);
        }
    }
    return 0;
}

/* ---- Python functions ------------------------------------------------------------------------ */

/* Room for a callee and for binding its arguments. */
static bool room_for(PyThreadState *ts, struct frame *top, const struct code_body *body,
                     const value_t *r, Py_ssize_t nargs)
{
    const struct exec_state *exec = &interp_thread(ts)->exec;
    return r + body->nregs + 2 * nargs < exec->values_end && top < exec->control_end
           && ts->py_recursion_remaining > 0;
}

/* Frame of a Python function whose arguments stand at r; consumes func and the words. NULL with an exception. */
static struct frame *enter_function(PyThreadState *ts, struct frame *prev, struct frame *top,
                                    value_t func, value_t *r, Py_ssize_t npos, PyObject *kwnames,
                                    enum on_return how)
{
    PyFunctionObject *f = (PyFunctionObject *)value_object(func);
    struct code_body *body = code_body((PyCodeObject *)f->func_code);
    Py_ssize_t nkw = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
    if (unlikely(!room_for(ts, top, body, r, npos + nkw))) {
        vm_raise_too_deep(ts);
        drop_words(r, npos + nkw);
        value_release(func);
        return NULL;
    }
    if (body->simple && nkw == 0 && body->argcount == npos) {
        vm_clear_locals(body, r);
    }
    else if (interp_bind(ts, f, r, npos, kwnames) < 0) {
        value_release(func);
        return NULL;
    }
    struct frame *frame = vm_push(ts, prev, top, func, body, r, how);
    thread_set_frame(ts, frame);
    return frame;
}

/* ---- specialising ---------------------------------------------------------------------------- */

PyObject *vm_instance_new(PyTypeObject *type)
{
    if (likely(type->tp_alloc == PyType_GenericAlloc)) {
        return object_new_instance(type);
    }
    return type->tp_alloc(type, 0);
}

static bool specialise_class(struct frame *fp, struct code_site *site, PyTypeObject *type)
{
    uint32_t version;
    if (!type_is_heap(type) || Py_TYPE(type) != &PyType_Type
        || type->tp_new != PyBaseObject_Type.tp_new || type->tp_init != slot_tp_init
        || (type->tp_flags & Py_TPFLAGS_IS_ABSTRACT)) {
        return false;
    }
    PyObject *init = type_lookup(type, ID(__init__), &version);
    if (init == NULL || version == 0 || !Py_IS_TYPE(init, &PyFunction_Type)) {
        return false;
    }
    struct site_entry entry = {.kind = CALL_CLASS, .version = version, .owner = (PyObject *)type,
                               .value = init};
    site_specialise_entry(fp, site, CALL_CLASS, &entry, CALL_ANY);
    return true;
}

/* Whether it is this function of builtins. */
static bool is_builtin(const PyCFunctionObject *function, const char *name)
{
    return strcmp(function->m_ml->ml_name, name) == 0 && function->m_module != NULL
           && PyUnicode_Check(function->m_module)
           && PyUnicode_EqualToUTF8(function->m_module, "builtins");
}

static void specialise_call(struct frame *fp, struct code_site *site, unsigned b)
{
    PyObject *callable = value_object(fp->r[b]);
    bool self = fp->r[b + 1] != VALUE_NULL;
    if (PyType_Check(callable)) {
        if (!self && specialise_class(fp, site, (PyTypeObject *)callable)) {
            return;
        }
    }
    else if (self && site->arg == 1 && Py_IS_TYPE(callable, &PyMethodDescr_Type)) {
        PyMethodDescrObject *descr = (PyMethodDescrObject *)callable;
        if (PyDescr_TYPE(descr) == &PyList_Type && strcmp(descr->d_method->ml_name, "append") == 0) {
            site_specialise(fp, site, CALL_LIST_APPEND, CACHE_CALLABLE_WORD(fp->r[b]), CALL_ANY);
            return;
        }
        if (PyDescr_TYPE(descr) == &PyGen_Type && strcmp(descr->d_method->ml_name, "send") == 0) {
            site_specialise(fp, site, CALL_SEND, CACHE_CALLABLE_WORD(fp->r[b]), CALL_ANY);
            return;
        }
    }
    else if (!self && site->arg == 1 && Py_IS_TYPE(callable, &PyCFunction_Type)) {
        PyCFunctionObject *function = (PyCFunctionObject *)callable;
        if (strcmp(function->m_ml->ml_name, "len") == 0 && function->m_self != NULL
            && PyModule_Check(function->m_self)) {
            site_specialise(fp, site, CALL_LEN, CACHE_CALLABLE_WORD(fp->r[b]), CALL_ANY);
            return;
        }
        if (is_builtin(function, "next") && value_is_pointer(fp->r[b + 2])
            && Py_IS_TYPE(value_object(fp->r[b + 2]), &PyGen_Type)) {
            site_specialise(fp, site, CALL_NEXT, CACHE_CALLABLE_WORD(fp->r[b]), CALL_ANY);
            return;
        }
    }
    site_specialise(fp, site, CALL_ANY, 0, CALL_ANY);
}

/* ---- CALL ------------------------------------------------------------------------------------ */

/* A call of anything that is not a Python function. */
static struct frame *call_object(PyThreadState *ts, struct frame *fp, unsigned a, value_t *window,
                                 Py_ssize_t nargs, PyObject *kwnames)
{
    bool self = window[1] != VALUE_NULL;
    value_t *words = window + (self ? 1 : 2);
    Py_ssize_t total = nargs + self;
    Py_ssize_t nkw = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
    PyObject *callable = value_box(&window[0]), *result = NULL;

    if (likely(callable != NULL && args_materialise(words, total) == 0)) {
        vectorcallfunc function = PyVectorcall_Function(callable);
        PyObject *const *args = (PyObject *const *)words;
        if (likely(function != NULL)) {
            result = function(callable, args,
                              (size_t)(total - nkw) | PY_VECTORCALL_ARGUMENTS_OFFSET, kwnames);
            if (unlikely((result == NULL) != (ts->current_exception != NULL))) {
                result = _Py_CheckFunctionResult(ts, callable, result, NULL);
            }
        }
        else {
            result = _PyObject_MakeTpCall(ts, callable, args, total - nkw, kwnames);
        }
    }
    if (unlikely(fp->body->monitor != NULL) && callable != NULL
        && monitor_c_result(ts, fp, callable, total > 0 ? value_object(words[0]) : NULL,
                            result == NULL) < 0) {
        Py_CLEAR(result);
    }
    /* A handler runs before the next call may wait for something. */
    if (unlikely(field_load(&ts->eval_breaker) & BREAK_SIGNAL) && result != NULL
        && PyErr_CheckSignals() < 0) {
        Py_CLEAR(result);
    }
    drop_words(window, nargs + 2);
    if (unlikely(result == NULL)) {
        return NULL;
    }
    reg_put(fp, a, value_from_owned(result));
    return fp;
}

int vm_call_c(PyThreadState *ts, struct frame *fp, unsigned a, unsigned b, unsigned s)
{
    const struct code_body *body = fp->body;
    const struct code_site *site = &body->sites[s];
    value_t *window = fp->r + b, callee = window[0];
    PyObject *callable = value_object(callee);
    if (unlikely(value_is_number(callee) || site->arg2 != 0 || body->monitor != NULL)) {
        return 1;
    }
    PyTypeObject *type = Py_TYPE(callable);
    if (unlikely(type == &PyFunction_Type || type == &PyMethod_Type
                 || !(type->tp_flags & Py_TPFLAGS_HAVE_VECTORCALL))) {
        return 1;
    }
    vectorcallfunc function = *(vectorcallfunc *)((char *)callable + type->tp_vectorcall_offset);
    if (unlikely(function == NULL)) {
        return 1;
    }
    unsigned self = window[1] != VALUE_NULL, total = site->arg + self;
    value_t *words = window + 2 - self, *end = words + total;
    for (value_t *word = words; word < end; word++) {
        FEW_TIMES();
        if (value_is_number(*word)) {
            if (unlikely(value_box(word) == NULL)) {
                drop_words(window, (Py_ssize_t)site->arg + 2);
                return -1;
            }
        }
        else {
            *word = value_own(*word);
        }
    }
    PyObject *result = function(callable, (PyObject *const *)words,
                                total | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    if (unlikely((result == NULL) != (ts->current_exception != NULL))) {
        result = _Py_CheckFunctionResult(ts, callable, result, NULL);
    }
    while (end > words) {
        PyObject *argument = value_object(*--end);
        FEW_TIMES();
        *end = VALUE_NULL;
        ref_dec(argument);
    }
    window[0] = VALUE_NULL;
    value_release(callee);
    if (unlikely(result == NULL)) {
        return -1;
    }
    reg_put(fp, a, value_from_owned(result));
    return 0;
}

/* The bound method in window[0] becomes function and self. */
static void unpack_method(value_t *window)
{
    PyObject *method = value_object(window[0]);
    value_t old = window[0];
    window[1] = value_from_owned(Py_NewRef(PyMethod_GET_SELF(method)));
    window[0] = value_from_owned(Py_NewRef(PyMethod_GET_FUNCTION(method)));
    value_release(old);
}

struct frame *vm_call(PyThreadState *ts, struct frame *fp, unsigned a, unsigned b, unsigned s)
{
    struct code_site *site = &fp->body->sites[s];
    value_t *window = fp->r + b;
    PyObject *kwnames = site->arg2 ? fp->body->consts[site->arg2 - 1] : NULL;
    Py_ssize_t nargs = site->arg;

    if (unlikely(value_is_number(window[0]))) {
        return call_object(ts, fp, a, window, nargs, kwnames);
    }
    if (Py_IS_TYPE(value_object(window[0]), &PyMethod_Type) && window[1] == VALUE_NULL) {
        unpack_method(window);
    }
    if (Py_IS_TYPE(value_object(window[0]), &PyFunction_Type)) {
        bool self = window[1] != VALUE_NULL;
        value_t func = window[0];
        Py_ssize_t nkw = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
        window[0] = VALUE_NULL;
        fp->dst = (uint16_t)a;
        return enter_function(ts, fp, fp->top, func, window + 2 - self, nargs - nkw + self,
                              kwnames, RETURN_PLAIN);
    }
    if (WORD_OP(fp->pc[-1]) == CALL) {
        specialise_call(fp, site, b);
    }
    return call_object(ts, fp, a, window, nargs, kwnames);
}

/* ---- CALL_EX --------------------------------------------------------------------------------- */

static PyObject *function_text(PyObject *callable)
{
    return _PyObject_FunctionStr(callable);
}

/* The positional arguments as an exact tuple (new reference). */
static PyObject *positional_tuple(PyObject *callable, PyObject *iterable)
{
    if (PyTuple_CheckExact(iterable)) {
        return Py_NewRef(iterable);
    }
    if (Py_TYPE(iterable)->tp_iter == NULL && !PySequence_Check(iterable)) {
        PyObject *text = function_text(callable);
        if (text != NULL) {
            PyErr_Format(PyExc_TypeError,
                         "%U argument after * must be an iterable, not %.200s", text,
                         Py_TYPE(iterable)->tp_name);
            Py_DECREF(text);
        }
        return NULL;
    }
    return PySequence_Tuple(iterable);
}

/* Lays tuple and dict down as the words of a window; names of the keywords in *kwnames (new). */
static int spread(value_t *r, PyObject *tuple, PyObject *dict, PyObject **kwnames)
{
    Py_ssize_t n = PyTuple_GET_SIZE(tuple), i = n, pos = 0;
    Py_ssize_t nkw = dict ? PyDict_GET_SIZE(dict) : 0;
    PyObject *key, *value;
    *kwnames = NULL;
    if (nkw > 0 && (*kwnames = PyTuple_New(nkw)) == NULL) {
        return -1;
    }
    for (Py_ssize_t j = 0; j < n; j++) {
        r[j] = value_from_owned(Py_NewRef(PyTuple_GET_ITEM(tuple, j)));
    }
    while (nkw > 0 && i - n < nkw && PyDict_Next(dict, &pos, &key, &value)) {
        PyTuple_SET_ITEM(*kwnames, i - n, Py_NewRef(key));
        r[i++] = value_from_owned(Py_NewRef(value));
    }
    return 0;
}

struct frame *vm_call_ex(PyThreadState *ts, struct frame *fp, unsigned a, unsigned b,
                         unsigned flags)
{
    value_t *window = fp->r + b;
    Py_ssize_t nwords = flags & 1 ? 4 : 3;
    PyObject *callable = value_box(&window[0]);
    PyObject *iterable = callable ? value_box(&window[2]) : NULL;
    PyObject *dict = flags & 1 ? value_object(window[3]) : NULL;
    PyObject *tuple = iterable ? positional_tuple(callable, iterable) : NULL, *result = NULL;
    struct frame *next = NULL;

    if (tuple == NULL) {
        goto done;
    }
    if (Py_IS_TYPE(callable, &PyFunction_Type)) {
        Py_ssize_t n = PyTuple_GET_SIZE(tuple);
        Py_ssize_t nkw = dict ? PyDict_GET_SIZE(dict) : 0;
        struct code_body *body = code_body((PyCodeObject *)((PyFunctionObject *)callable)->func_code);
        if (!room_for(ts, fp->top, body, window, n + nkw + 4)) {
            vm_raise_too_deep(ts);
            goto done;
        }
        value_t func = window[0], w2 = window[2], w3 = flags & 1 ? window[3] : VALUE_NULL;
        window[0] = VALUE_NULL;
        PyObject *kwnames;
        if (spread(window + 2, tuple, dict, &kwnames) < 0) {
            window[0] = func;
            window[2] = w2;
            goto done;
        }
        fp->dst = (uint16_t)a;
        next = enter_function(ts, fp, fp->top, func, window + 2, n, kwnames, RETURN_PLAIN);
        Py_DECREF(tuple);
        Py_XDECREF(kwnames);
        value_release(w2);
        value_release(w3);
        return next;
    }
    result = PyObject_Call(callable, tuple, dict && PyDict_GET_SIZE(dict) > 0 ? dict : NULL);
    if (unlikely(fp->body->monitor != NULL)
        && monitor_c_result(ts, fp, callable, PyTuple_GET_SIZE(tuple) ? PyTuple_GET_ITEM(tuple, 0)
                                                                      : NULL,
                            result == NULL) < 0) {
        Py_CLEAR(result);
    }
done:
    Py_XDECREF(tuple);
    drop_words(window, nwords);
    if (result != NULL) {
        reg_put(fp, a, value_from_owned(result));
        next = fp;
    }
    return next;
}

/* ---- from C ---------------------------------------------------------------------------------- */

static value_t *free_words(PyThreadState *ts, struct frame **top)
{
    struct frame *frame = thread_frame(ts);
    struct exec_state *exec = &interp_thread(ts)->exec;
    if (frame == NULL) {
        *top = exec->control;
        return exec->values;
    }
    *top = frame->top;
    return frame_free_words(frame);
}

static PyObject *run_entry(PyThreadState *ts, struct frame *frame)
{
    value_t result = interp_run(ts, frame, false);
    return value_to_owned(result);
}

PyObject *interp_call(PyObject *func, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyThreadState *ts = PyThreadState_Get();
    Py_ssize_t npos = PyVectorcall_NARGS(nargsf);
    Py_ssize_t total = npos + (kwnames ? PyTuple_GET_SIZE(kwnames) : 0);
    struct frame *top;
    value_t *r = free_words(ts, &top);
    const struct exec_state *exec = &interp_thread(ts)->exec;

    if (unlikely(thread_stack_low(thread_of(ts), 0) || r + total >= exec->values_end)) {
        raise_stack_used_up("");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < total; i++) {
        r[i] = value_from_owned(Py_NewRef(args[i]));
    }
    struct frame *frame = enter_function(ts, thread_frame(ts), top,
                                         value_from_owned(Py_NewRef(func)), r, npos, kwnames,
                                         RETURN_C);
    return frame == NULL ? NULL : run_entry(ts, frame);
}

PyObject *interp_eval(PyObject *func, PyObject *locals)
{
    PyThreadState *ts = PyThreadState_Get();
    struct frame *top;
    value_t *r = free_words(ts, &top);
    struct code_body *body = code_body((PyCodeObject *)((PyFunctionObject *)func)->func_code);

    if (unlikely(thread_stack_low(thread_of(ts), 0) || !room_for(ts, top, body, r, 0))) {
        raise_stack_used_up("");
        return NULL;
    }
    if (body->argcount != 0 || !body->simple) {
        if (interp_bind(ts, (PyFunctionObject *)func, r, 0, NULL) < 0) {
            return NULL;
        }
    }
    else {
        vm_clear_locals(body, r);
    }
    struct frame *frame = vm_push(ts, thread_frame(ts), top, value_from_owned(Py_NewRef(func)),
                                  body, r, RETURN_C);
    frame->locals = Py_XNewRef(locals);
    thread_set_frame(ts, frame);
    return run_entry(ts, frame);
}
