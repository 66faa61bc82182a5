/*
 * Calls of what is written in C: built-in functions and methods, types, anything with a vectorcall function.
 *
 * What extensions define gets owned arguments, as it may look at their counts. Our own functions do not, and their
 * definitions say so (BIND_LENT): they are called with what the registers hold, counted or not, since the caller's
 * window keeps it alive. Only these have forms. A form compares the definition (struct PyMethodDef), not the object: so
 * `list.append` of any list bound to a name, say, is still the same function, and nothing needs to outlive the site.
 */
#include "interp/vm/vm.h"

#include "interp/state.h"
#include "objects/bindings.h"

/* ---- specialising ---------------------------------------------------------------------------- */

static void use_definition(struct frame *fp, struct code_site *site, unsigned op,
                           const PyMethodDef *def)
{
    site_specialise(fp, site, op, CACHE_DEFINITION(def), CALL_ANY);
}

static bool specialise_definition(struct frame *fp, struct code_site *site, const PyMethodDef *def,
                                  bool method)
{
    bool keywords = site->arg2 != 0;
    if (!(def->ml_flags & BIND_LENT)) {
        return false;
    }
    switch (def->ml_flags & ~(METH_COEXIST | METH_CLASS | BIND_LENT)) {
    case METH_NOARGS:
        if (site->arg != 0) {
            return false;
        }
        use_definition(fp, site, method ? CALL_METHOD_NONE : CALL_FUNCTION_NONE, def);
        return true;
    case METH_O:
        if (site->arg != 1 || keywords) {
            return false;
        }
        use_definition(fp, site, method ? CALL_METHOD_ONE : CALL_FUNCTION_ONE, def);
        return true;
    case METH_FASTCALL:
        if (keywords) {
            return false;
        }
        break;
    case METH_FASTCALL | METH_KEYWORDS:
        break;
    default:
        return false;
    }
    if (site->arg > CALL_FAST_MAX) {
        return false;
    }
    unsigned op = method     ? keywords ? CALL_METHOD_NAMES : CALL_METHOD_FAST
                  : keywords ? CALL_FUNCTION_NAMES
                             : CALL_FUNCTION_FAST;
    use_definition(fp, site, op, def);
    return true;
}

static bool is_append(const PyMethodDescrObject *descr)
{
    return PyDescr_TYPE(descr) == &PyList_Type && strcmp(descr->d_method->ml_name, "append") == 0;
}

bool vm_is_builtin(PyObject *callable, const char *name)
{
    const PyCFunctionObject *function = (const PyCFunctionObject *)callable;
    return Py_IS_TYPE(callable, &PyCFunction_Type)
           && function->m_self == main_interp_self()->builtins_module
           && strcmp(function->m_ml->ml_name, name) == 0;
}

bool call_c_specialise(struct frame *fp, struct code_site *site, unsigned b)
{
    PyObject *callable = value_object(fp->r[b]);
    bool method = fp->r[b + 1] != VALUE_NULL, plain = site->arg2 == 0;
    if (method && Py_IS_TYPE(callable, &PyMethodDescr_Type)) {
        PyMethodDescrObject *descr = (PyMethodDescrObject *)callable;
        if (plain && site->arg == 1 && is_append(descr)) {
            use_definition(fp, site, CALL_LIST_APPEND, descr->d_method);
            return true;
        }
        return specialise_definition(fp, site, descr->d_method, true);
    }
    if (!method && Py_IS_TYPE(callable, &PyCFunction_Type)) {
        PyCFunctionObject *function = (PyCFunctionObject *)callable;
        if (plain && site->arg == 1 && vm_is_builtin(callable, "len")) {
            use_definition(fp, site, CALL_LEN, function->m_ml);
            return true;
        }
        if (plain && site->arg == 2 && vm_is_builtin(callable, "isinstance")) {
            use_definition(fp, site, CALL_ISINSTANCE, function->m_ml);
            return true;
        }
        return specialise_definition(fp, site, function->m_ml, false);
    }
    if (!method && PyType_Check(callable)) {
        PyTypeObject *type = (PyTypeObject *)callable;
        if (type_is_static_builtin(type) && type->tp_vectorcall != NULL
            && Py_TYPE(type) == &PyType_Type && site->arg <= CALL_FAST_MAX) {
            site_specialise(fp, site, CALL_TYPE, CACHE_CALLABLE_WORD(fp->r[b]), CALL_ANY);
            return true;
        }
    }
    return false;
}

/* ---- our own --------------------------------------------------------------------------------- */

/* The object of an argument, kept by its word; false with MemoryError. */
static inline bool lend(value_t *word, PyObject **arg)
{
    value_t v = *word;
    *arg = likely(value_is_pointer(v)) ? value_object(v) : value_box(word);
    return *arg != NULL || likely(value_is_pointer(v));
}

/* Most calls have few arguments, for which a loop would do more than its work. */
static inline bool lend_all(value_t *words, unsigned n, PyObject **args)
{
    switch (n) {
    default:
        for (unsigned i = n; i-- > 3;) {
            FEW_TIMES();
            if (!lend(&words[i], &args[i])) {
                return false;
            }
        }
        __attribute__((fallthrough));
    case 3:
        if (!lend(&words[2], &args[2])) {
            return false;
        }
        __attribute__((fallthrough));
    case 2:
        if (!lend(&words[1], &args[1])) {
            return false;
        }
        __attribute__((fallthrough));
    case 1:
        return lend(&words[0], &args[0]);
    case 0:
        return true;
    }
}

PyObject *vm_call_definition(const PyMethodDef *def, PyObject *self, value_t *words, unsigned nargs)
{
    PyObject *args[CALL_FAST_MAX + 1];
    if (unlikely(!lend_all(words, nargs, args + 1))) {
        return NULL;
    }
    void (*function)(void) = (void (*)(void))def->ml_meth;
    return def->ml_flags & METH_KEYWORDS
               ? ((PyCFunctionFastWithKeywords)function)(self, args + 1, nargs, NULL)
               : ((PyCFunctionFast)function)(self, args + 1, nargs);
}

PyObject *vm_call_definition_names(const PyMethodDef *def, PyObject *self, value_t *words,
                                   unsigned nargs, PyObject *names)
{
    PyObject *args[CALL_FAST_MAX + 1];
    if (unlikely(!lend_all(words, nargs, args + 1))) {
        return NULL;
    }
    return ((PyCFunctionFastWithKeywords)(void (*)(void))def->ml_meth)(
        self, args + 1, (Py_ssize_t)nargs - PyTuple_GET_SIZE(names), names);
}

PyObject *vm_call_type(PyTypeObject *type, value_t *words, unsigned nargs, PyObject *names)
{
    PyObject *args[CALL_FAST_MAX + 1];
    if (unlikely(!lend_all(words, nargs, args + 1))) {
        return NULL;
    }
    size_t npos = names == NULL ? nargs : nargs - (size_t)PyTuple_GET_SIZE(names);
    return type->tp_vectorcall((PyObject *)type, args + 1, npos | PY_VECTORCALL_ARGUMENTS_OFFSET,
                               names);
}

int vm_is_instance(value_t *word, PyObject *class)
{
    PyObject *op = value_box(word);
    return op == NULL ? -1 : PyObject_IsInstance(op, class);
}

/* ---- anybody's ------------------------------------------------------------------------------- */

/* Gives the window up; the result goes to r[a]. */
static inline int finish(struct frame *fp, unsigned a, value_t *window, unsigned nargs,
                         PyObject *result)
{
    for (unsigned i = nargs + 2; i-- > 0;) {
        FEW_TIMES();
        value_clear(&window[i]);
    }
    if (unlikely(result == NULL)) {
        return -1;
    }
    reg_put(fp, a, value_from_owned(result));
    return 0;
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
                finish(fp, a, window, site->arg, NULL);
                return -1;
            }
        } else {
            *word = value_own(*word);
        }
    }
    PyObject *result =
        function(callable, (PyObject *const *)words, total | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    if (unlikely((result == NULL) != (ts->current_exception != NULL))) {
        result = _Py_CheckFunctionResult(ts, callable, result, NULL);
    }
    return finish(fp, a, window, site->arg, result);
}
