/*
 * Binding the arguments of a call to a Python function, in place, and what goes wrong with that.
 */
#include "interp/vm/vm.h"

#include "objects/str.h"
#include "objects/tuple.h"

/* ---- messages -------------------------------------------------------------------------------- */

static PyObject *parameter(PyCodeObject *code, Py_ssize_t i)
{
    return PyTuple_GET_ITEM(code->co_localsplusnames, i);
}

/* 'a', 'b', and 'c' */
static PyObject *list_of_names(PyObject *names)
{
    Py_ssize_t n = PyList_GET_SIZE(names);
    PyObject *text = PyUnicode_FromString("");
    for (Py_ssize_t i = 0; text != NULL && i < n; i++) {
        const char *before = i == 0 ? "" : i < n - 1 ? ", " : n == 2 ? " and " : ", and ";
        PyObject *longer = PyUnicode_FromFormat("%U%s%R", text, before, PyList_GET_ITEM(names, i));
        Py_DECREF(text);
        text = longer;
    }
    return text;
}

static void raise_missing(PyFunctionObject *func, const value_t *r, Py_ssize_t from, Py_ssize_t to,
                          const char *kind)
{
    PyCodeObject *code = (PyCodeObject *)func->func_code;
    PyObject *names = PyList_New(0);
    for (Py_ssize_t i = from; names != NULL && i < to; i++) {
        if (value_is_null(r[i]) && PyList_Append(names, parameter(code, i)) < 0) {
            Py_CLEAR(names);
        }
    }
    PyObject *text = names ? list_of_names(names) : NULL;
    if (text != NULL) {
        Py_ssize_t n = PyList_GET_SIZE(names);
        PyErr_Format(PyExc_TypeError, "%U() missing %zd required %s argument%s: %U",
                     func->func_qualname, n, kind, n == 1 ? "" : "s", text);
    }
    Py_XDECREF(text);
    Py_XDECREF(names);
}

static void raise_too_many(PyFunctionObject *func, const value_t *r, Py_ssize_t given)
{
    PyCodeObject *code = (PyCodeObject *)func->func_code;
    Py_ssize_t argcount = code->co_argcount;
    Py_ssize_t defaults = func->func_defaults ? PyTuple_GET_SIZE(func->func_defaults) : 0;
    Py_ssize_t kwonly = 0;
    for (Py_ssize_t i = argcount; i < argcount + code->co_kwonlyargcount; i++) {
        kwonly += !value_is_null(r[i]);
    }
    PyObject *takes = defaults
                          ? PyUnicode_FromFormat("from %zd to %zd", argcount - defaults, argcount)
                          : PyUnicode_FromFormat("%zd", argcount);
    PyObject *and =
        kwonly == 0 ? PyUnicode_FromString("")
                    : PyUnicode_FromFormat(" positional argument%s (and %zd keyword-only "
                                           "argument%s)",
                                           given != 1 ? "s" : "", kwonly, kwonly != 1 ? "s" : "");
    if (takes != NULL && and != NULL) {
        bool plural = defaults ? true : argcount != 1;
        PyErr_Format(PyExc_TypeError, "%U() takes %U positional argument%s but %zd%U %s given",
                     func->func_qualname, takes, plural ? "s" : "", given, and,
                     given == 1 && kwonly == 0 ? "was" : "were");
    }
    Py_XDECREF(takes);
    Py_XDECREF(and);
}

/* Names that exist only as positional ones were given by keyword: raises and returns true. */
static bool raise_if_positional_only(PyFunctionObject *func, PyObject *const *names, Py_ssize_t nkw)
{
    PyCodeObject *code = (PyCodeObject *)func->func_code;
    PyObject *wrong = PyList_New(0);
    bool raised = wrong == NULL;
    for (Py_ssize_t i = 0; !raised && i < code->co_posonlyargcount; i++) {
        int found = 0;
        for (Py_ssize_t k = 0; k < nkw && found == 0; k++) {
            found = PyObject_RichCompareBool(names[k], parameter(code, i), Py_EQ);
        }
        raised = found < 0 || (found && PyList_Append(wrong, parameter(code, i)) < 0);
    }
    if (!raised && PyList_GET_SIZE(wrong) > 0) {
        PyObject *comma = PyUnicode_FromString(", ");
        PyObject *text = comma ? PyUnicode_Join(comma, wrong) : NULL;
        if (text != NULL) {
            PyErr_Format(PyExc_TypeError,
                         "%U() got some positional-only arguments passed as keyword arguments: "
                         "'%U'",
                         func->func_qualname, text);
        }
        Py_XDECREF(comma);
        Py_XDECREF(text);
        raised = true;
    }
    Py_XDECREF(wrong);
    return raised;
}

/* How far apart two short names are, in halves of an edit: a change of case costs 1, others 2. */
static unsigned name_distance(const char *a, size_t n, const char *b, size_t m, unsigned limit)
{
    enum { LONGEST = 40 };
    unsigned row[LONGEST + 1];
    if (n > LONGEST || m > LONGEST) {
        return limit + 1;
    }
    for (size_t j = 0; j <= m; j++) {
        row[j] = (unsigned)j * 2;
    }
    for (size_t i = 1; i <= n; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i * 2;
        for (size_t j = 1; j <= m; j++) {
            unsigned change = a[i - 1] == b[j - 1]                           ? 0
                              : Py_TOLOWER(a[i - 1]) == Py_TOLOWER(b[j - 1]) ? 1
                                                                             : 2;
            unsigned best = diagonal + change;
            diagonal = row[j];
            best = row[j] + 2 < best ? row[j] + 2 : best;
            best = row[j - 1] + 2 < best ? row[j - 1] + 2 : best;
            row[j] = best;
        }
    }
    return row[m];
}

/* The parameter that the caller may have meant (borrowed), or NULL. */
static PyObject *similar_parameter(PyCodeObject *code, PyObject *name)
{
    Py_ssize_t n, m, total = code->co_argcount + code->co_kwonlyargcount;
    const char *text = PyUnicode_AsUTF8AndSize(name, &n);
    PyObject *best = NULL;
    unsigned best_distance = 0;
    for (Py_ssize_t i = code->co_posonlyargcount; text != NULL && i < total; i++) {
        const char *other = PyUnicode_AsUTF8AndSize(parameter(code, i), &m);
        if (other == NULL) {
            break;
        }
        unsigned limit = (unsigned)(n + m + 3) * 2 / 6;
        unsigned distance = name_distance(text, (size_t)n, other, (size_t)m, limit);
        if (distance <= limit && (best == NULL || distance < best_distance)) {
            best = parameter(code, i);
            best_distance = distance;
        }
    }
    PyErr_Clear();
    return best;
}

static void raise_unexpected(PyFunctionObject *func, PyObject *name, PyObject *const *names,
                             Py_ssize_t nkw)
{
    PyCodeObject *code = (PyCodeObject *)func->func_code;
    if (code->co_posonlyargcount > 0 && raise_if_positional_only(func, names, nkw)) {
        return;
    }
    PyObject *similar = similar_parameter(code, name);
    if (similar != NULL) {
        PyErr_Format(PyExc_TypeError,
                     "%U() got an unexpected keyword argument '%S'. Did you mean '%S'?",
                     func->func_qualname, name, similar);
    } else {
        PyErr_Format(PyExc_TypeError, "%U() got an unexpected keyword argument '%S'",
                     func->func_qualname, name);
    }
}

/* ---- binding --------------------------------------------------------------------------------- */

/* Index of the parameter a keyword names, -1 for none, -2 with an exception. */
static Py_ssize_t find_parameter(PyCodeObject *code, PyObject *name)
{
    Py_ssize_t total = code->co_argcount + code->co_kwonlyargcount;
    for (Py_ssize_t i = code->co_posonlyargcount; i < total; i++) {
        if (parameter(code, i) == name) {
            return i;
        }
    }
    for (Py_ssize_t i = code->co_posonlyargcount; i < total; i++) {
        int equal = PyObject_RichCompareBool(name, parameter(code, i), Py_EQ);
        if (equal) {
            return equal < 0 ? -2 : i;
        }
    }
    return -1;
}

static int bind_keyword(PyFunctionObject *func, value_t *r, PyObject *name, value_t *value,
                        PyObject *extra, PyObject *const *names, Py_ssize_t nkw)
{
    PyCodeObject *code = (PyCodeObject *)func->func_code;
    if (!PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError, "keywords must be strings");
        return -1;
    }
    Py_ssize_t i = find_parameter(code, name);
    if (i == -2) {
        return -1;
    }
    if (i == -1) {
        if (extra == NULL) {
            raise_unexpected(func, name, names, nkw);
            return -1;
        }
        PyObject *op = value_box(value);
        return op == NULL ? -1 : PyDict_SetItem(extra, name, op);
    }
    if (!value_is_null(r[i])) {
        PyErr_Format(PyExc_TypeError, "%U() got multiple values for argument '%S'",
                     func->func_qualname, name);
        return -1;
    }
    r[i] = *value;
    *value = VALUE_NULL;
    return 0;
}

static int bind_defaults(PyFunctionObject *func, value_t *r, Py_ssize_t npos)
{
    PyCodeObject *code = (PyCodeObject *)func->func_code;
    Py_ssize_t argcount = code->co_argcount;
    Py_ssize_t ndefaults = func->func_defaults ? PyTuple_GET_SIZE(func->func_defaults) : 0;
    Py_ssize_t required = argcount - ndefaults;
    for (Py_ssize_t i = npos; i < required; i++) {
        if (value_is_null(r[i])) {
            raise_missing(func, r, npos, required, "positional");
            return -1;
        }
    }
    for (Py_ssize_t i = required > 0 ? required : 0; i < argcount; i++) {
        if (value_is_null(r[i])) {
            r[i] = ref_word(PyTuple_GET_ITEM(func->func_defaults, i - required));
        }
    }
    Py_ssize_t total = argcount + code->co_kwonlyargcount;
    bool missing = false;
    for (Py_ssize_t i = argcount; i < total; i++) {
        if (!value_is_null(r[i])) {
            continue;
        }
        PyObject *value = NULL;
        if (func->func_kwdefaults != NULL
            && PyDict_GetItemRef(func->func_kwdefaults, parameter(code, i), &value) < 0) {
            return -1;
        }
        r[i] = value_from_owned(value);
        missing |= value == NULL;
    }
    if (missing) {
        raise_missing(func, r, argcount, total, "keyword-only");
        return -1;
    }
    return 0;
}

/* The surplus positional words as a tuple. */
static PyObject *surplus_tuple(value_t *words, Py_ssize_t n)
{
    PyObject *tuple = PyTuple_New(n);
    for (Py_ssize_t i = 0; tuple != NULL && i < n; i++) {
        PyObject *op = value_to_owned(words[i]);
        if (op == NULL) {
            Py_CLEAR(tuple);
            break;
        }
        words[i] = VALUE_NULL;
        PyTuple_SET_ITEM(tuple, i, op);
    }
    return tuple;
}

static int bind_words(PyFunctionObject *func, value_t *r, Py_ssize_t npos, PyObject *const *names,
                      Py_ssize_t nkw)
{
    PyCodeObject *code = (PyCodeObject *)func->func_code;
    Py_ssize_t argcount = code->co_argcount, nlocals = code->co_nlocalsplus;
    Py_ssize_t total = argcount + code->co_kwonlyargcount;
    Py_ssize_t given = npos;
    Py_ssize_t args_at = total, kwargs_at = total + ((code->co_flags & CO_VARARGS) != 0);
    PyObject *extra = NULL;
    int status = -1;

    /* Everything that has no place yet moves above the locals. */
    value_t *spare = r + (nlocals > npos + nkw ? nlocals : npos + nkw);
    Py_ssize_t surplus = npos > argcount ? npos - argcount : 0;
    Py_ssize_t nspare = surplus + nkw;
    memmove(spare, r + npos - surplus, (size_t)nspare * sizeof(value_t));
    npos -= surplus;
    for (Py_ssize_t i = npos; i < nlocals; i++) {
        r[i] = VALUE_NULL;
    }
    if (code->co_flags & CO_VARARGS) {
        PyObject *rest = surplus_tuple(spare, surplus);
        if (rest == NULL) {
            goto done;
        }
        r[args_at] = value_from_owned(rest);
    }
    if (code->co_flags & CO_VARKEYWORDS) {
        extra = PyDict_New();
        if (extra == NULL) {
            goto done;
        }
        r[kwargs_at] = value_from_owned(extra);
    }
    for (Py_ssize_t i = 0; i < nkw; i++) {
        if (bind_keyword(func, r, names[i], &spare[surplus + i], extra, names, nkw) < 0) {
            goto done;
        }
    }
    if (surplus > 0 && !(code->co_flags & CO_VARARGS)) {
        raise_too_many(func, r, given);
        goto done;
    }
    status = bind_defaults(func, r, npos);
done:
    reg_release_range(spare, 0, (unsigned)nspare);
    if (status < 0) {
        reg_release_range(r, 0, (unsigned)nlocals);
    }
    return status;
}

/* Names of a subclass of str compare with Python code, whose calls use the words above the running frame, where
 * the arguments lie: those wait elsewhere meanwhile. */
static int bind_aside(PyFunctionObject *func, value_t *r, Py_ssize_t npos, PyObject *const *names,
                      Py_ssize_t nkw)
{
    size_t nlocals = (size_t)((PyCodeObject *)func->func_code)->co_nlocalsplus;
    size_t given = (size_t)(npos + nkw);
    value_t *aside = PyMem_Calloc(nlocals + 2 * given + 1, sizeof(value_t));
    if (aside == NULL) {
        PyErr_NoMemory();
        reg_release_range(r, 0, (unsigned)given);
        return -1;
    }
    memcpy(aside, r, given * sizeof(value_t));
    int status = bind_words(func, aside, npos, names, nkw);
    if (status == 0) {
        memcpy(r, aside, nlocals * sizeof(value_t));
    }
    PyMem_Free(aside);
    return status;
}

/* ---- the usual cases ------------------------------------------------------------------------- */

/* Names of parameters and nearly all keywords are interned: then the same name is the same object. What these
 * functions do not find that way, or what is an error, is left to those above. */

enum { QUICK_KEYWORDS = 8 };

/* The parameter of each keyword, -1 for one that goes to **kwargs. False: not here. */
static bool find_parameters(PyCodeObject *code, Py_ssize_t npos, PyObject *const *names,
                            Py_ssize_t nkw, int *where)
{
    PyObject **parameters = tuple_items(code->co_localsplusnames);
    int total = code->co_argcount + code->co_kwonlyargcount, first = code->co_posonlyargcount;
    int next = npos > first ? (int)npos : first;
    for (Py_ssize_t k = 0; k < nkw; k++) {
        PyObject *name = names[k];
        int i = next;
        if (i >= total || parameters[i] != name) {
            for (i = first; i < total && parameters[i] != name; i++) {
                FEW_TIMES();
            }
        }
        if (i < total) {
            if (i < npos) {
                return false;
            }
            next = i + 1;
        } else {
            if (!(code->co_flags & CO_VARKEYWORDS) || !PyUnicode_CheckExact(name)
                || !PyUnicode_CHECK_INTERNED(name)) {
                return false;
            }
            i = -1;
        }
        where[k] = i;
    }
    return true;
}

/* A dict of the keywords that no parameter wants; the words keep what they have. NULL: not here. */
static PyObject *extra_keywords(value_t *words, PyObject *const *names, Py_ssize_t nkw,
                                const int *where)
{
    PyObject *keys[QUICK_KEYWORDS], *values[QUICK_KEYWORDS];
    Py_ssize_t n = 0;
    for (Py_ssize_t k = 0; k < nkw; k++) {
        if (where[k] < 0) {
            keys[n] = names[k];
            values[n] = value_box(&words[k]);
            if (values[n++] == NULL) {
                return NULL;
            }
        }
    }
    return n == 0 ? PyDict_New() : dict_from_items(keys, 1, values, 1, n);
}

/* 1: bound; 0: nothing has changed, and bind_words() is to be asked (an exception may be set, which it will
 * raise again); -1: failed, and everything is released. */
static int bind_quickly(PyFunctionObject *func, value_t *r, Py_ssize_t npos, PyObject *const *names,
                        Py_ssize_t nkw)
{
    PyCodeObject *code = (PyCodeObject *)func->func_code;
    Py_ssize_t argcount = code->co_argcount, nlocals = code->co_nlocalsplus;
    Py_ssize_t total = argcount + code->co_kwonlyargcount;
    Py_ssize_t surplus = npos > argcount ? npos - argcount : 0;
    int flags = code->co_flags, where[QUICK_KEYWORDS];
    value_t keywords[QUICK_KEYWORDS];
    PyObject *rest = NULL, *extra = NULL;

    if (nkw > QUICK_KEYWORDS || (surplus > 0 && !(flags & CO_VARARGS))
        || (nkw > 0 && !find_parameters(code, npos, names, nkw, where))) {
        return 0;
    }
    if (flags & CO_VARKEYWORDS) {
        extra = extra_keywords(r + npos, names, nkw, where);
        if (extra == NULL) {
            return 0;
        }
    }
    if (flags & CO_VARARGS) {
        rest = (PyObject *)&tuple_empty;
        if (surplus > 0) {
            rest = args_materialise(r + argcount, surplus) < 0 ? NULL
                                                               : (PyObject *)tuple_alloc(surplus);
            if (rest == NULL) {
                Py_XDECREF(extra);
                return 0;
            }
            memcpy(tuple_items(rest), r + argcount, (size_t)surplus * sizeof(value_t));
            tuple_ready((PyTupleObject *)rest);
        }
    }
    /* From here on it succeeds, or an argument is missing. */
    for (Py_ssize_t k = 0; k < nkw; k++) {
        FEW_TIMES();
        keywords[k] = r[npos + k];
    }
    npos -= surplus;
    for (Py_ssize_t i = npos; i < nlocals; i++) {
        FEW_TIMES();
        r[i] = VALUE_NULL;
    }
    if (rest != NULL) {
        r[total++] = value_from_owned(rest);
    }
    if (extra != NULL) {
        r[total] = value_from_owned(extra);
    }
    value_t unused = VALUE_NULL;
    PyObject *twice = NULL;
    for (Py_ssize_t k = 0; k < nkw; k++) {
        FEW_TIMES();
        value_t *slot = where[k] < 0 ? &unused : &r[where[k]], old = *slot;
        *slot = keywords[k];
        if (unlikely(old != VALUE_NULL && where[k] >= 0)) {
            twice = names[k];
        }
        value_release(old);
    }
    value_release(unused);
    if (unlikely(twice != NULL)) {
        PyErr_Format(PyExc_TypeError, "%U() got multiple values for argument '%S'",
                     func->func_qualname, twice);
    } else if (bind_defaults(func, r, npos) == 0) {
        return 1;
    }
    reg_release_range(r, 0, (unsigned)nlocals);
    return -1;
}

int interp_bind_names(PyFunctionObject *func, value_t *r, Py_ssize_t npos, PyObject *const *names,
                      Py_ssize_t nkw)
{
    int bound = bind_quickly(func, r, npos, names, nkw);
    if (likely(bound != 0)) {
        return bound > 0 ? 0 : -1;
    }
    for (Py_ssize_t i = nkw; i-- > 0;) {
        if (unlikely(!PyUnicode_CheckExact(names[i]))) {
            return bind_aside(func, r, npos, names, nkw);
        }
    }
    return bind_words(func, r, npos, names, nkw);
}
