/*
 * Calls: the slow paths of CALL, calls with unpacked arguments, and the entrance from C.
 */
#include "interp/vm/vm.h"

#include "objects/tuple.h"

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
        } else {
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
static struct frame *enter_with_names(PyThreadState *ts, struct frame *prev, struct frame *top,
                                      value_t func, value_t *r, Py_ssize_t npos,
                                      PyObject *const *names, Py_ssize_t nkw, enum on_return how)
{
    PyFunctionObject *f = (PyFunctionObject *)value_object(func);
    struct code_body *body = code_body((PyCodeObject *)f->func_code);
    if (unlikely(!room_for(ts, top, body, r, npos + nkw))) {
        vm_raise_too_deep(ts);
        drop_words(r, npos + nkw);
        value_release(func);
        return NULL;
    }
    if (body->simple && nkw == 0 && body->argcount == npos) {
        vm_clear_locals(body, r);
    } else if (interp_bind_names(f, r, npos, names, nkw) < 0) {
        value_release(func);
        return NULL;
    }
    struct frame *frame = vm_push(ts, prev, top, func, body, r, how);
    thread_set_frame(ts, frame);
    return frame;
}

static inline struct frame *enter_function(PyThreadState *ts, struct frame *prev, struct frame *top,
                                           value_t func, value_t *r, Py_ssize_t npos,
                                           PyObject *kwnames, enum on_return how)
{
    PyObject *const *names = kwnames ? tuple_items(kwnames) : NULL;
    return enter_with_names(ts, prev, top, func, r, npos, names,
                            kwnames ? PyTuple_GET_SIZE(kwnames) : 0, how);
}

/* ---- specialising ---------------------------------------------------------------------------- */

PyObject *vm_instance_new(PyTypeObject *type)
{
    if (likely(type->tp_alloc == PyType_GenericAlloc)) {
        return object_new_instance(type);
    }
    return type->tp_alloc(type, 0);
}

static PyObject *python_method(PyTypeObject *type, PyObject *name, uint32_t *version)
{
    PyObject *method = type_lookup_ref(type, name, version);
    if (method != NULL && !vm_is_python(method)) {
        Py_CLEAR(method);
    }
    return method;
}

/* The __init__ of a class whose instances are made by object.__new__, if it is a Python function (new reference),
 * else NULL. */
static PyObject *plain_init(PyTypeObject *type, uint32_t *version)
{
    if (!type_is_heap(type) || Py_TYPE(type) != &PyType_Type
        || type->tp_new != PyBaseObject_Type.tp_new || type->tp_init != slot_tp_init
        || (type->tp_flags & Py_TPFLAGS_IS_ABSTRACT)) {
        return NULL;
    }
    return python_method(type, ID(__init__), version);
}

static bool specialise_class(struct frame *fp, struct code_site *site, PyTypeObject *type)
{
    uint32_t version;
    PyObject *init = plain_init(type, &version);
    Py_XDECREF(init); /* the type has it, while it has its version */
    if (init == NULL || version == 0) {
        return false;
    }
    struct site_entry entry = {
        .kind = CALL_CLASS, .version = version, .owner = (PyObject *)type, .value = init};
    site_specialise_entry(fp, site, CALL_CLASS, &entry, CALL_ANY);
    return true;
}

/* Calls that resume a generator: send() of one, next() with one. */
static bool specialise_resumption(struct frame *fp, struct code_site *site, unsigned b)
{
    PyObject *callable = value_object(fp->r[b]);
    value_t self = fp->r[b + 1], arg = fp->r[b + 2];
    if (site->arg != 1 || site->arg2 != 0) {
        return false;
    }
    unsigned op;
    if (self != VALUE_NULL) {
        if (!Py_IS_TYPE(callable, &PyMethodDescr_Type) || PyDescr_TYPE(callable) != &PyGen_Type
            || strcmp(((PyMethodDescrObject *)callable)->d_method->ml_name, "send") != 0) {
            return false;
        }
        op = CALL_SEND;
    } else {
        if (!value_is_pointer(arg) || !Py_IS_TYPE(value_object(arg), &PyGen_Type)
            || !vm_is_builtin(callable, "next")) {
            return false;
        }
        op = CALL_NEXT;
    }
    site_specialise(fp, site, op, CACHE_CALLABLE_WORD(fp->r[b]), CALL_ANY);
    return true;
}

/* The __call__ of an instance of a class made in Python, if it is a Python function (new reference), else NULL. */
static PyObject *plain_call(PyObject *op, uint32_t *version)
{
    PyTypeObject *type = Py_TYPE(op);
    if (!type_is_heap(type) || type->tp_call != slot_tp_call || PyType_Check(op)) {
        return NULL;
    }
    return python_method(type, ID(__call__), version);
}

static bool specialise_object(struct frame *fp, struct code_site *site, PyObject *op)
{
    uint32_t version;
    PyObject *call = plain_call(op, &version);
    Py_XDECREF(call);
    if (call == NULL || version == 0) {
        return false;
    }
    struct site_entry entry = {.kind = CALL_OBJECT, .version = version, .value = call};
    site_specialise_entry(fp, site, CALL_OBJECT, &entry, CALL_ANY);
    return true;
}

static void specialise_call(struct frame *fp, struct code_site *site, unsigned b)
{
    PyObject *callable = value_object(fp->r[b]);
    if (PyType_Check(callable) && fp->r[b + 1] == VALUE_NULL
        && specialise_class(fp, site, (PyTypeObject *)callable)) {
        return;
    }
    if (fp->r[b + 1] == VALUE_NULL && specialise_object(fp, site, callable)) {
        return;
    }
    if (!specialise_resumption(fp, site, b) && !call_c_specialise(fp, site, b)) {
        site_specialise(fp, site, CALL_ANY, 0, CALL_ANY);
    }
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
        } else {
            result = _PyObject_MakeTpCall(ts, callable, args, total - nkw, kwnames);
        }
    }
    if (unlikely(fp->body->monitor != NULL) && callable != NULL
        && monitor_c_result(ts, fp, callable, total > 0 ? value_object(words[0]) : NULL,
                            result == NULL)
               < 0) {
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

/* A call by position of a function that takes nothing else, some of whose defaults are wanted. NULL: not here. */
static inline struct frame *enter_with_defaults(PyThreadState *ts, struct frame *fp,
                                                value_t *window, Py_ssize_t nargs)
{
    PyFunctionObject *func = (PyFunctionObject *)value_object(window[0]);
    struct code_body *body = code_body((PyCodeObject *)func->func_code);
    Py_ssize_t self = window[1] != VALUE_NULL, missing = body->argcount - nargs - self;
    PyObject *defaults = func->func_defaults;
    value_t *r = window + 2 - self;
    if (!body->simple || missing <= 0 || defaults == NULL || missing > PyTuple_GET_SIZE(defaults)
        || !vm_has_room(ts, fp->top, body, r)) {
        return NULL;
    }
    PyObject **values = tuple_items(defaults) + PyTuple_GET_SIZE(defaults) - missing;
    value_t *word = r + body->argcount - missing;
    for (Py_ssize_t i = 0; i < missing; i++) {
        FEW_TIMES();
        word[i] = ref_word(values[i]);
    }
    vm_clear_locals(body, r);
    struct frame *frame = vm_push(ts, fp, fp->top, window[0], body, r, RETURN_PLAIN);
    thread_set_frame(ts, frame);
    return frame;
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

/* A class whose __init__ is a Python function (taken over): the instance is made, and __init__ entered. Consumes the
 * window. */
static struct frame *enter_init(PyThreadState *ts, struct frame *fp, value_t *window,
                                PyTypeObject *type, PyObject *init, Py_ssize_t nargs,
                                PyObject *kwnames)
{
    value_t func = value_from_owned(init), class = window[0];
    PyObject *self = vm_instance_new(type);
    if (self == NULL) {
        value_release(func);
        drop_words(window, nargs + 2);
        return NULL;
    }
    window[0] = value_from_owned(self);
    window[1] = value_from_uncounted(self);
    value_release(class);
    Py_ssize_t nkw = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
    struct frame *frame =
        enter_function(ts, fp, fp->top, func, window + 1, nargs - nkw + 1, kwnames, RETURN_INIT);
    if (frame == NULL) {
        value_clear(window);
    }
    return frame;
}

struct frame *vm_call(PyThreadState *ts, struct frame *fp, unsigned a, unsigned b, unsigned s)
{
    struct code_site *site = &fp->body->sites[s];
    value_t *window = fp->r + b;
    PyObject *kwnames = site->arg2 ? fp->body->consts[site->arg2 - 1] : NULL, *found;
    Py_ssize_t nargs = site->arg;
    uint32_t version;

    if (unlikely(value_is_number(window[0]))) {
        return call_object(ts, fp, a, window, nargs, kwnames);
    }
    if (Py_IS_TYPE(value_object(window[0]), &PyMethod_Type) && window[1] == VALUE_NULL) {
        unpack_method(window);
    }
    if (vm_is_python(value_object(window[0]))) {
        if (kwnames == NULL) {
            struct frame *frame = enter_with_defaults(ts, fp, window, nargs);
            if (likely(frame != NULL)) {
                fp->dst = (uint16_t)a;
                return frame;
            }
        }
        bool self = window[1] != VALUE_NULL;
        value_t func = window[0];
        Py_ssize_t nkw = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
        window[0] = VALUE_NULL;
        fp->dst = (uint16_t)a;
        return enter_function(ts, fp, fp->top, func, window + 2 - self, nargs - nkw + self, kwnames,
                              RETURN_PLAIN);
    }
    unsigned op = WORD_OP(field_load(&fp->pc[-1]));
    if (op != CALL_ANY && op != INSTRUMENTED) {
        specialise_call(fp, site, b);
    }
    PyObject *callable = value_object(window[0]);
    if (window[1] == VALUE_NULL && likely(fp->body->monitor == NULL)) {
        if (PyType_Check(callable)) {
            found = plain_init((PyTypeObject *)callable, &version);
            if (found != NULL) {
                fp->dst = (uint16_t)a;
                return enter_init(ts, fp, window, (PyTypeObject *)callable, found, nargs, kwnames);
            }
        } else if ((found = plain_call(callable, &version)) != NULL) {
            Py_ssize_t nkw = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
            value_t func = value_from_owned(found);
            window[1] = window[0];
            window[0] = VALUE_NULL;
            fp->dst = (uint16_t)a;
            return enter_function(ts, fp, fp->top, func, window + 1, nargs - nkw + 1, kwnames,
                                  RETURN_PLAIN);
        }
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
            PyErr_Format(PyExc_TypeError, "%U argument after * must be an iterable, not %.200s",
                         text, Py_TYPE(iterable)->tp_name);
            Py_DECREF(text);
        }
        return NULL;
    }
    return PySequence_Tuple(iterable);
}

/* Keywords of an unpacking call: names and their values, all new references. */
struct spread {
    Py_ssize_t n;
    PyObject **names; /* `few`, or a block of its own */
    PyObject *few[8];
};

static void spread_free(struct spread *spread)
{
    for (Py_ssize_t i = 0; i < spread->n; i++) {
        Py_DECREF(spread->names[i]);
    }
    if (spread->names != spread->few) {
        PyMem_Free(spread->names);
    }
}

/* Writes the values to words and the names to *spread. Nobody else's dict grows meanwhile beyond n. */
static int spread_dict(struct spread *spread, PyObject *dict, Py_ssize_t n, value_t *words)
{
    PyObject *key, *value;
    spread->n = 0;
    spread->names = spread->few;
    if (n > (Py_ssize_t)Py_ARRAY_LENGTH(spread->few)) {
        spread->names = PyMem_Malloc((size_t)n * sizeof(PyObject *));
        if (spread->names == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    Py_BEGIN_CRITICAL_SECTION(dict);
    Py_ssize_t pos = 0;
    while (spread->n < n && PyDict_Next(dict, &pos, &key, &value)) {
        spread->names[spread->n] = Py_NewRef(key);
        words[spread->n++] = value_from_owned(Py_NewRef(value));
    }
    Py_END_CRITICAL_SECTION();
    return 0;
}

/* The call of a Python function, `self` (taken over, or unbound) in front of the arguments. Takes func over. NULL with
 * an exception. */
static struct frame *call_ex_function(PyThreadState *ts, struct frame *fp, value_t func,
                                      value_t self, value_t *r, PyObject *tuple, PyObject *dict)
{
    Py_ssize_t n = PyTuple_GET_SIZE(tuple), nkw = dict ? PyDict_GET_SIZE(dict) : 0;
    struct code_body *body = vm_init_body(value_object(func));
    struct spread spread = {0, spread.few, {NULL}};
    if (!room_for(ts, fp->top, body, r, n + nkw + 1)) {
        vm_raise_too_deep(ts);
        goto failed;
    }
    value_t *words = r;
    if (self != VALUE_NULL) {
        words++;
    }
    if (nkw > 0 && spread_dict(&spread, dict, nkw, words + n) < 0) {
        goto failed;
    }
    if (self != VALUE_NULL) {
        r[0] = self;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        FEW_TIMES();
        words[i] = value_from_owned(Py_NewRef(PyTuple_GET_ITEM(tuple, i)));
    }
    struct frame *next = enter_with_names(ts, fp, fp->top, func, r, words + n - r, spread.names,
                                          spread.n, RETURN_PLAIN);
    spread_free(&spread);
    return next;
failed:
    value_release(self);
    value_release(func);
    return NULL;
}

/* The same with keywords whose names are a tuple and whose values stand at `values`, above r; all are taken over. */
static struct frame *call_ex_names(PyThreadState *ts, struct frame *fp, value_t func, value_t self,
                                   value_t *r, PyObject *tuple, PyObject *names, value_t *values)
{
    Py_ssize_t n = PyTuple_GET_SIZE(tuple), nkw = PyTuple_GET_SIZE(names);
    if (!room_for(ts, fp->top, vm_init_body(value_object(func)), r, n + nkw + 1)) {
        vm_raise_too_deep(ts);
        drop_words(values, nkw);
        value_release(self);
        value_release(func);
        return NULL;
    }
    value_t *words = r + (self != VALUE_NULL);
    memmove(words + n, values, (size_t)nkw * sizeof(value_t));
    if (self != VALUE_NULL) {
        r[0] = self;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        FEW_TIMES();
        words[i] = value_from_owned(Py_NewRef(PyTuple_GET_ITEM(tuple, i)));
    }
    return enter_with_names(ts, fp, fp->top, func, r, words + n - r, tuple_items(names), nkw,
                            RETURN_PLAIN);
}

/* The same of anything else; the values stay in their words. */
static PyObject *call_c_names(PyObject *callable, PyObject *tuple, PyObject *names, value_t *values)
{
    Py_ssize_t n = PyTuple_GET_SIZE(tuple), nkw = PyTuple_GET_SIZE(names);
    PyObject *few[16], **args = few;
    if (args_materialise(values, nkw) < 0) {
        return NULL;
    }
    if (1 + n + nkw > (Py_ssize_t)Py_ARRAY_LENGTH(few)) {
        args = PyMem_Malloc((size_t)(1 + n + nkw) * sizeof(PyObject *));
        if (args == NULL) {
            return PyErr_NoMemory();
        }
    }
    memcpy(args + 1, tuple_items(tuple), (size_t)n * sizeof(PyObject *));
    memcpy(args + 1 + n, values, (size_t)nkw * sizeof(PyObject *));
    PyObject *result =
        PyObject_Vectorcall(callable, args + 1, (size_t)n | PY_VECTORCALL_ARGUMENTS_OFFSET, names);
    if (args != few) {
        PyMem_Free(args);
    }
    return result;
}

/* The keyword arguments as a dict: the mapping itself if it is a dict and `lend`, else a new one. */
static PyObject *keyword_dict(PyObject *callable, PyObject *mapping, bool lend)
{
    if (lend && PyDict_CheckExact(mapping)) {
        return Py_NewRef(mapping);
    }
    PyObject *dict = PyDict_New();
    if (dict != NULL && vm_merge_keywords(dict, mapping, callable) < 0) {
        Py_CLEAR(dict);
    }
    return dict;
}

struct frame *vm_call_ex(PyThreadState *ts, struct frame *fp, unsigned a, unsigned b,
                         unsigned flags)
{
    value_t *window = fp->r + b;
    PyObject *callable = value_box(&window[0]);
    PyObject *iterable = callable ? value_box(&window[2]) : NULL;
    PyObject *tuple = NULL, *dict = NULL, *result = NULL;
    struct frame *next = NULL;
    bool method = callable != NULL && Py_IS_TYPE(callable, &PyMethod_Type);
    PyObject *function = method ? PyMethod_GET_FUNCTION(callable) : callable;
    bool python = callable != NULL && vm_is_python(function);

    unsigned nwords = flags & CALL_EX_NAMES ? 4 + (flags >> CALL_EX_SHIFT) : flags & 1 ? 4 : 3;
    if (iterable == NULL) {
        goto done;
    }
    if (flags & 1) {
        PyObject *mapping = value_box(&window[3]);
        bool lend = flags == 1 || python || PyVectorcall_Function(callable) != NULL;
        dict = mapping ? keyword_dict(callable, mapping, lend) : NULL;
        if (dict == NULL) {
            goto done;
        }
    }
    tuple = positional_tuple(callable, iterable);
    if (tuple == NULL) {
        goto done;
    }
    if (python) {
        /* The words of the window, which the callee's registers replace. */
        value_t callee = window[0], args = window[2], keywords = flags & 1 ? window[3] : VALUE_NULL;
        value_t func = method ? ref_word(function) : callee;
        value_t self =
            method ? value_from_owned(Py_NewRef(PyMethod_GET_SELF(callable))) : VALUE_NULL;
        window[0] = VALUE_NULL;
        fp->dst = (uint16_t)a;
        next = flags & CALL_EX_NAMES
                   ? call_ex_names(ts, fp, func, self, window + 2, tuple, value_object(window[3]),
                                   window + 4)
                   : call_ex_function(ts, fp, func, self, window + 2, tuple, dict);
        if (method) {
            value_release(callee);
        }
        value_release(args);
        value_release(keywords);
        Py_DECREF(tuple);
        Py_XDECREF(dict);
        return next;
    }
    result = flags & CALL_EX_NAMES
                 ? call_c_names(callable, tuple, value_object(window[3]), window + 4)
                 : PyObject_Call(callable, tuple, dict && PyDict_GET_SIZE(dict) > 0 ? dict : NULL);
    if (unlikely(fp->body->monitor != NULL)
        && monitor_c_result(ts, fp, callable,
                            PyTuple_GET_SIZE(tuple) ? PyTuple_GET_ITEM(tuple, 0) : NULL,
                            result == NULL)
               < 0) {
        Py_CLEAR(result);
    }
done:
    Py_XDECREF(tuple);
    Py_XDECREF(dict);
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

static __attribute__((noinline)) PyObject *call_binding(PyThreadState *ts, PyObject *func,
                                                        PyObject *const *args, Py_ssize_t npos,
                                                        PyObject *kwnames)
{
    Py_ssize_t total = npos + (kwnames ? PyTuple_GET_SIZE(kwnames) : 0);
    struct frame *top;
    value_t *r = free_words(ts, &top);

    if (unlikely(thread_stack_low(thread_of(ts), 0)
                 || r + total >= interp_thread(ts)->exec.values_end)) {
        raise_stack_used_up("");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < total; i++) {
        r[i] = value_from_owned(Py_NewRef(args[i]));
    }
    struct frame *frame =
        enter_function(ts, thread_frame(ts), top, ref_word(func), r, npos, kwnames, RETURN_C);
    return frame == NULL ? NULL : run_entry(ts, frame);
}

PyObject *interp_call(PyObject *func, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyThreadState *ts = &thread_self()->ts;
    Py_ssize_t npos = PyVectorcall_NARGS(nargsf);
    struct code_body *body = vm_init_body(func);
    struct frame *top;
    value_t *r = free_words(ts, &top);

    if (unlikely(kwnames != NULL || body->plain_args != (uint64_t)npos
                 || thread_stack_low(thread_of(ts), 0) || !vm_has_room(ts, top, body, r))) {
        return call_binding(ts, func, args, npos, kwnames);
    }
    for (Py_ssize_t i = 0; i < npos; i++) {
        FEW_TIMES();
        r[i] = value_from_owned(Py_NewRef(args[i]));
    }
    vm_clear_locals(body, r);
    return run_entry(ts, vm_push(ts, thread_frame(ts), top, ref_word(func), body, r, RETURN_C));
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
        if (interp_bind_names((PyFunctionObject *)func, r, 0, NULL, 0) < 0) {
            return NULL;
        }
    } else {
        vm_clear_locals(body, r);
    }
    struct frame *frame =
        vm_push(ts, thread_frame(ts), top, value_from_owned(Py_NewRef(func)), body, r, RETURN_C);
    frame->locals = Py_XNewRef(locals);
    thread_set_frame(ts, frame);
    return run_entry(ts, frame);
}
