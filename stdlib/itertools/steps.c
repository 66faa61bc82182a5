/* itertools: iterators that take one step on the iterators below them for each item. */
#include "itertools.h"

struct accumulate {
    PyObject_HEAD
    PyObject *it, *func, *initial, *total; /* func and initial may be NULL: none */
};

struct batched {
    PyObject_HEAD
    PyObject *it;
    Py_ssize_t size;
    int strict;
};

struct chain {
    PyObject_HEAD
    PyObject *source, *active;
};

struct compress {
    PyObject_HEAD
    PyObject *data, *selectors;
};

/* Counts with `value` while that fits, then (or for other numbers) with objects. */
struct count {
    PyObject_HEAD
    PyObject *number, *step; /* number is NULL as long as `value` counts; step is NULL for 1 */
    Py_ssize_t value;
};

struct cycle {
    PyObject_HEAD
    PyObject *it, *saved; /* it is NULL once the first pass is over */
    Py_ssize_t index;
    bool keep_saved; /* restored from a pickle after the first pass: nothing is added to saved */
};

struct dropwhile {
    PyObject_HEAD
    PyObject *predicate, *it;
    bool started;
};

struct filterfalse {
    PyObject_HEAD
    PyObject *predicate, *it;
};

struct islice {
    PyObject_HEAD
    PyObject *it;
    Py_ssize_t next, stop, step, done; /* stop is -1 for none */
};

struct pairwise {
    PyObject_HEAD
    PyObject *it, *old, *row;
};

struct repeat {
    PyObject_HEAD
    PyObject *element;
    Py_ssize_t left; /* -1 for ever */
};

struct starmap {
    PyObject_HEAD
    PyObject *func, *it;
};

struct takewhile {
    PyObject_HEAD
    PyObject *predicate, *it;
    bool stopped;
};

struct zip_longest {
    PyObject_HEAD
    PyObject *its, *fill; /* its: tuple, items replaced by None when they end */
    PyObject *row;        /* the last result, or NULL */
    Py_ssize_t active;
};

#include "steps.bind.h"

/* Makes an object whose field `it` iterates over `iterable`. */
#define MAKE_OVER(name, type, iterable)                                                            \
    __extension__({                                                                                \
        PyObject *made_it = PyObject_GetIter(iterable);                                            \
        struct name *made = made_it ? type_make(type) : NULL;                                      \
        if (made != NULL) {                                                                        \
            made->it = made_it;                                                                    \
        } else {                                                                                   \
            Py_XDECREF(made_it);                                                                   \
        }                                                                                          \
        made;                                                                                      \
    })

/* ---- accumulate ----------------------------------------------------------------------------- */

static PyObject *accumulate_new(PyTypeObject *type, PyObject *iterable, PyObject *func,
                                PyObject *initial)
{
    struct accumulate *self = MAKE_OVER(accumulate, type, iterable);
    if (self != NULL) {
        self->func = func == Py_None ? NULL : Py_NewRef(func);
        self->initial = initial == Py_None ? NULL : Py_NewRef(initial);
    }
    return (PyObject *)self;
}

static PyObject *accumulate_step(struct accumulate *self)
{
    if (self->initial != NULL) {
        field_set(&self->total, self->initial);
        self->initial = NULL;
        return Py_NewRef(self->total);
    }
    PyObject *item = iter_next(self->it);
    if (item == NULL) {
        return NULL;
    }
    if (self->total == NULL) {
        self->total = Py_NewRef(item);
        return item;
    }
    PyObject *sum;
    PyObject *total = Py_NewRef(self->total);
    if (self->func == NULL) {
        sum = PyNumber_Add(total, item);
    } else {
        PyObject *args[3] = {NULL, total, item};
        sum = PyObject_Vectorcall(self->func, args + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    }
    Py_DECREF(total);
    Py_DECREF(item);
    if (sum != NULL) {
        field_set(&self->total, Py_NewRef(sum));
    }
    return sum;
}

STEP_LOCKED(accumulate)

/* An iterator over `first` and then what `it` has left. */
static PyObject *chain_before(PyTypeObject *type, PyObject *first, PyObject *it)
{
    PyTypeObject *chain_type = itertools_type(type, CHAIN);
    return chain_type ? PyObject_CallFunction((PyObject *)chain_type, "((O)O)", first, it) : NULL;
}

static PyObject *accumulate_reduce(struct accumulate *self)
{
    if (warn_pickling() < 0) {
        return NULL;
    }
    PyTypeObject *type = Py_TYPE(self);
    PyObject *func = self->func ? self->func : Py_None;
    if (self->initial != NULL) {
        PyObject *it = chain_before(type, self->initial, self->it);
        return it ? Py_BuildValue("O(NO)O", type, it, func, Py_None) : NULL;
    }
    if (self->total == Py_None) {
        /* None as a state means "no total yet": step over a first None instead. */
        PyObject *it = chain_before(type, Py_None, self->it);
        PyTypeObject *islice_type = itertools_type(type, ISLICE);
        if (it == NULL || islice_type == NULL) {
            Py_XDECREF(it);
            return NULL;
        }
        PyObject *again =
            PyObject_CallFunction((PyObject *)itertools_type(type, ACCUMULATE), "NO", it, func);
        return again ? Py_BuildValue("O(NiO)", islice_type, again, 1, Py_None) : NULL;
    }
    return Py_BuildValue("O(OO)O", type, self->it, func, self->total ? self->total : Py_None);
}

static int accumulate_setstate(struct accumulate *self, PyObject *state)
{
    if (warn_pickling() < 0) {
        return -1;
    }
    field_set(&self->total, state == Py_None ? NULL : Py_NewRef(state));
    return 0;
}

GC_OBJECT(accumulate, it, func, initial, total)

static PyType_Slot accumulate_slots[] = {
    ITERATOR_SLOTS(accumulate),
    {Py_tp_doc, accumulate_doc},
    {Py_tp_new, bind_accumulate_new},
    {Py_tp_methods, accumulate_methods},
    {0, NULL},
};

ITERATOR_SPEC(accumulate, Py_TPFLAGS_BASETYPE)

/* ---- batched -------------------------------------------------------------------------------- */

enum { BATCH_AT_ONCE = 4096 };

static PyObject *batched_new(PyTypeObject *type, PyObject *iterable, Py_ssize_t n, int strict)
{
    if (n < 1) {
        PyErr_SetString(PyExc_ValueError, "n must be at least one");
        return NULL;
    }
    struct batched *self = MAKE_OVER(batched, type, iterable);
    if (self != NULL) {
        self->size = n;
        self->strict = strict;
    }
    return (PyObject *)self;
}

/* A batch too large to reserve before its items are seen. */
static PyObject *batched_gather(PyObject *it, Py_ssize_t size)
{
    PyObject *list = PyList_New(0);
    if (list == NULL) {
        return NULL;
    }
    while (PyList_GET_SIZE(list) < size) {
        PyObject *item = iter_next(it);
        if (item == NULL) {
            break;
        }
        int rc = PyList_Append(list, item);
        Py_DECREF(item);
        if (rc < 0) {
            Py_DECREF(list);
            return NULL;
        }
    }
    if (!iter_ended()) {
        Py_DECREF(list);
        return NULL;
    }
    PyObject *tuple = PyList_AsTuple(list);
    Py_DECREF(list);
    return tuple;
}

static PyObject *batched_take(PyObject *it, Py_ssize_t size)
{
    if (size > BATCH_AT_ONCE) {
        return batched_gather(it, size);
    }
    if (PyErr_CheckSignals() < 0 || Py_EnterRecursiveCall(" while iterating")) {
        return NULL;
    }
    Py_LeaveRecursiveCall(); /* once for all of the batch's items */
    PyObject *tuple = PyTuple_New(size);
    if (tuple == NULL) {
        return NULL;
    }
    iternextfunc next = Py_TYPE(it)->tp_iternext;
    for (Py_ssize_t i = 0; i < size; i++) {
        PyObject *item = next(it);
        if (UNLIKELY(item == NULL)) {
            if (!iter_ended()) {
                Py_DECREF(tuple);
                return NULL;
            }
            _PyTuple_Resize(&tuple, i);
            break;
        }
        PyTuple_SET_ITEM(tuple, i, item);
    }
    return tuple;
}

static PyObject *batched_step(struct batched *self)
{
    if (self->it == NULL) {
        return NULL;
    }
    PyObject *it = Py_NewRef(self->it);
    PyObject *tuple = batched_take(it, self->size);
    Py_DECREF(it);
    if (tuple != NULL && PyTuple_GET_SIZE(tuple) == self->size) {
        return tuple;
    }
    Py_CLEAR(self->it);
    if (tuple != NULL && PyTuple_GET_SIZE(tuple) == 0) {
        Py_CLEAR(tuple);
    } else if (tuple != NULL && self->strict) {
        PyErr_SetString(PyExc_ValueError, "batched(): incomplete batch");
        Py_CLEAR(tuple);
    }
    return tuple;
}

STEP_LOCKED(batched)
GC_OBJECT(batched, it)

static PyType_Slot batched_slots[] = {
    ITERATOR_SLOTS(batched),
    {Py_tp_doc, batched_doc},
    {Py_tp_new, bind_batched_new},
    {0, NULL},
};

ITERATOR_SPEC(batched, Py_TPFLAGS_BASETYPE)

/* ---- chain ---------------------------------------------------------------------------------- */

/* `source` is stolen, NULL passes an error on. */
static PyObject *chain_make(PyTypeObject *type, PyObject *source)
{
    struct chain *self = source ? type_make(type) : NULL;
    if (self == NULL) {
        Py_XDECREF(source);
        return NULL;
    }
    self->source = source;
    return (PyObject *)self;
}

static PyObject *chain_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (type->tp_init == PyBaseObject_Type.tp_init && !bind_no_keywords("chain", kwargs)) {
        return NULL;
    }
    return chain_make(type, PyObject_GetIter(args));
}

static PyObject *chain_from_iterable(PyTypeObject *type, PyObject *iterable)
{
    return chain_make(type, PyObject_GetIter(iterable));
}

static PyObject *chain_step(struct chain *self)
{
    while (self->source != NULL) {
        if (self->active == NULL) {
            PyObject *iterable = iter_next(self->source);
            PyObject *it = iterable ? PyObject_GetIter(iterable) : NULL;
            Py_XDECREF(iterable);
            if (it == NULL) {
                Py_CLEAR(self->source);
                return NULL;
            }
            field_set(&self->active, it);
        }
        PyObject *active = Py_NewRef(self->active);
        PyObject *item = iter_next(active);
        if (LIKELY(item != NULL)) {
            Py_DECREF(active);
            return item;
        }
        bool ended = iter_ended();
        if (ended && self->active == active) {
            Py_CLEAR(self->active);
        }
        Py_DECREF(active);
        if (!ended) {
            return NULL;
        }
    }
    return NULL;
}

STEP_LOCKED(chain)

static PyObject *chain_reduce(struct chain *self)
{
    if (warn_pickling() < 0) {
        return NULL;
    }
    if (self->source == NULL) {
        return Py_BuildValue("O()", Py_TYPE(self));
    }
    if (self->active == NULL) {
        return Py_BuildValue("O()(O)", Py_TYPE(self), self->source);
    }
    return Py_BuildValue("O()(OO)", Py_TYPE(self), self->source, self->active);
}

static int chain_setstate(struct chain *self, PyObject *state)
{
    PyObject *source, *active = NULL;
    if (warn_pickling() < 0 || !PyArg_ParseTuple(state, "O|O", &source, &active)) {
        return -1;
    }
    if (!PyIter_Check(source) || (active != NULL && !PyIter_Check(active))) {
        PyErr_SetString(PyExc_TypeError, "Arguments must be iterators.");
        return -1;
    }
    field_set(&self->source, Py_NewRef(source));
    field_set(&self->active, Py_XNewRef(active));
    return 0;
}

GC_OBJECT(chain, source, active)

static PyType_Slot chain_slots[] = {
    ITERATOR_SLOTS(chain),
    {Py_tp_doc, chain_doc},
    {Py_tp_new, chain_new},
    {Py_tp_methods, chain_methods},
    {0, NULL},
};

ITERATOR_SPEC(chain, Py_TPFLAGS_BASETYPE)

/* ---- compress ------------------------------------------------------------------------------- */

static PyObject *compress_new(PyTypeObject *type, PyObject *data, PyObject *selectors)
{
    PyObject *it = PyObject_GetIter(data);
    PyObject *chosen = it ? PyObject_GetIter(selectors) : NULL;
    struct compress *self = chosen ? type_make(type) : NULL;
    if (self == NULL) {
        Py_XDECREF(it);
        Py_XDECREF(chosen);
        return NULL;
    }
    self->data = it;
    self->selectors = chosen;
    return (PyObject *)self;
}

static PyObject *compress_next(PyObject *op)
{
    struct compress *self = (struct compress *)op; /* never changes: no lock needed */
    for (;;) {
        PyObject *item = iter_next(self->data);
        PyObject *selector = item ? iter_next(self->selectors) : NULL;
        if (selector == NULL) {
            Py_XDECREF(item);
            return NULL;
        }
        int chosen = PyObject_IsTrue(selector);
        Py_DECREF(selector);
        if (chosen > 0) {
            return item;
        }
        Py_DECREF(item);
        if (chosen < 0 || PyErr_CheckSignals() < 0) {
            return NULL;
        }
    }
}

static PyObject *compress_reduce(struct compress *self)
{
    return warn_pickling() < 0 ? NULL
                               : Py_BuildValue("O(OO)", Py_TYPE(self), self->data, self->selectors);
}

GC_OBJECT(compress, data, selectors)

static PyType_Slot compress_slots[] = {
    ITERATOR_SLOTS(compress),
    {Py_tp_doc, compress_doc},
    {Py_tp_new, bind_compress_new},
    {Py_tp_methods, compress_methods},
    {0, NULL},
};

ITERATOR_SPEC(compress, Py_TPFLAGS_BASETYPE)

/* ---- count ---------------------------------------------------------------------------------- */

/* Whether step is the int 1. */
static bool is_one(PyObject *step)
{
    if (step == NULL) {
        return true;
    }
    return PyLong_CheckExact(step) && PyUnstable_Long_IsCompact((PyLongObject *)step)
           && PyUnstable_Long_CompactValue((PyLongObject *)step) == 1;
}

static PyObject *count_new(PyTypeObject *type, PyObject *start, PyObject *step)
{
    if ((start != NULL && !PyNumber_Check(start)) || (step != NULL && !PyNumber_Check(step))) {
        PyErr_SetString(PyExc_TypeError, "a number is required");
        return NULL;
    }
    struct count *self = type_make(type);
    if (self == NULL) {
        return NULL;
    }
    bool by_one = is_one(step);
    self->step = by_one ? NULL : Py_NewRef(step);
    if (start == NULL) {
        self->number = by_one ? NULL : PyLong_FromLong(0);
        return (PyObject *)self;
    }
    if (by_one && PyLong_Check(start)) {
        self->value = PyLong_AsSsize_t(start);
        if (self->value != -1 || !PyErr_Occurred()) {
            return (PyObject *)self;
        }
        PyErr_Clear();
    }
    self->number = Py_NewRef(start);
    return (PyObject *)self;
}

static PyObject *count_step_object(struct count *self)
{
    PyObject *now = self->number ? Py_NewRef(self->number) : PyLong_FromSsize_t(self->value);
    if (now == NULL) {
        return NULL;
    }
    PyObject *step = self->step ? Py_NewRef(self->step) : PyLong_FromLong(1);
    PyObject *next = step ? PyNumber_Add(now, step) : NULL;
    Py_XDECREF(step);
    if (next == NULL) {
        Py_DECREF(now);
        return NULL;
    }
    field_set(&self->number, next);
    return now;
}

static inline PyObject *count_step(struct count *self)
{
    if (LIKELY(self->number == NULL && self->value != PY_SSIZE_T_MAX)) {
        return PyLong_FromSsize_t(self->value++);
    }
    return count_step_object(self);
}

STEP_LOCKED(count)

static PyObject *count_now(struct count *self)
{
    return self->number ? Py_NewRef(self->number) : PyLong_FromSsize_t(self->value);
}

static PyObject *count_repr(PyObject *op)
{
    struct count *self = (struct count *)op;
    const char *name = strrchr(Py_TYPE(op)->tp_name, '.');
    name = name ? name + 1 : Py_TYPE(op)->tp_name;
    PyObject *now = LOCKED(op, count_now(self));
    if (now == NULL) {
        return NULL;
    }
    PyObject *text = self->step == NULL ? PyUnicode_FromFormat("%s(%R)", name, now)
                                        : PyUnicode_FromFormat("%s(%R, %R)", name, now, self->step);
    Py_DECREF(now);
    return text;
}

static PyObject *count_reduce(struct count *self)
{
    if (warn_pickling() < 0) {
        return NULL;
    }
    PyObject *now = LOCKED(self, count_now(self));
    if (now == NULL) {
        return NULL;
    }
    return self->step == NULL ? Py_BuildValue("O(N)", Py_TYPE(self), now)
                              : Py_BuildValue("O(NO)", Py_TYPE(self), now, self->step);
}

GC_OBJECT(count, number, step)

static PyType_Slot count_slots[] = {
    ITERATOR_SLOTS(count),          {Py_tp_doc, count_doc},   {Py_tp_new, bind_count_new},
    {Py_tp_methods, count_methods}, {Py_tp_repr, count_repr}, {0, NULL},
};

ITERATOR_SPEC(count, Py_TPFLAGS_BASETYPE)

/* ---- cycle ---------------------------------------------------------------------------------- */

static PyObject *cycle_new(PyTypeObject *type, PyObject *iterable)
{
    PyObject *saved = PyList_New(0);
    struct cycle *self = saved ? MAKE_OVER(cycle, type, iterable) : NULL;
    if (self == NULL) {
        Py_XDECREF(saved);
        return NULL;
    }
    self->saved = saved;
    return (PyObject *)self;
}

static PyObject *cycle_step(struct cycle *self)
{
    if (self->it != NULL) {
        PyObject *it = Py_NewRef(self->it);
        PyObject *item = iter_next(it);
        Py_DECREF(it);
        if (item != NULL) {
            if (!self->keep_saved && PyList_Append(self->saved, item) < 0) {
                Py_CLEAR(item);
            }
            return item;
        }
        if (!iter_ended()) {
            return NULL;
        }
        Py_CLEAR(self->it);
    }
    if (self->saved == NULL || PyList_GET_SIZE(self->saved) == 0) {
        return NULL;
    }
    Py_ssize_t at = self->index < PyList_GET_SIZE(self->saved) ? self->index : 0;
    self->index = at + 1;
    return PyList_GetItemRef(self->saved, at);
}

STEP_LOCKED(cycle)

static PyObject *cycle_reduce(struct cycle *self)
{
    if (warn_pickling() < 0) {
        return NULL;
    }
    if (self->it != NULL) {
        return Py_BuildValue("O(O)(OO)", Py_TYPE(self), self->it, self->saved,
                             self->keep_saved ? Py_True : Py_False);
    }
    PyObject *it = PyObject_GetIter(self->saved);
    if (it != NULL && self->index != 0) {
        PyObject *none = PyObject_CallMethod(it, "__setstate__", "n", self->index);
        if (none == NULL) {
            Py_DECREF(it);
            return NULL;
        }
        Py_DECREF(none);
    }
    return it ? Py_BuildValue("O(N)(OO)", Py_TYPE(self), it, self->saved, Py_True) : NULL;
}

static int cycle_setstate(struct cycle *self, PyObject *state)
{
    if (warn_pickling() < 0) {
        return -1;
    }
    if (!PyTuple_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "state is not a tuple");
        return -1;
    }
    PyObject *saved;
    int keep;
    if (!PyArg_ParseTuple(state, "O!i", &PyList_Type, &saved, &keep)) {
        return -1;
    }
    field_set(&self->saved, Py_NewRef(saved));
    self->keep_saved = keep != 0;
    self->index = 0;
    return 0;
}

GC_OBJECT(cycle, it, saved)

static PyType_Slot cycle_slots[] = {
    ITERATOR_SLOTS(cycle),
    {Py_tp_doc, cycle_doc},
    {Py_tp_new, bind_cycle_new},
    {Py_tp_methods, cycle_methods},
    {0, NULL},
};

ITERATOR_SPEC(cycle, Py_TPFLAGS_BASETYPE)

/* ---- dropwhile, takewhile, filterfalse ------------------------------------------------------ */

#define NEW_WITH_PREDICATE(name)                                                                   \
    static PyObject *name##_new(PyTypeObject *type, PyObject *predicate, PyObject *iterable)       \
    {                                                                                              \
        struct name *self = MAKE_OVER(name, type, iterable);                                       \
        if (self != NULL) {                                                                        \
            self->predicate = Py_NewRef(predicate);                                                \
        }                                                                                          \
        return (PyObject *)self;                                                                   \
    }

NEW_WITH_PREDICATE(dropwhile)
NEW_WITH_PREDICATE(takewhile)
NEW_WITH_PREDICATE(filterfalse)

/* The truth of predicate(item), of item itself where that is asked for; -1 on error. */
static int holds(PyObject *predicate, PyObject *item)
{
    if (predicate == Py_None || predicate == (PyObject *)&PyBool_Type) {
        return PyObject_IsTrue(item);
    }
    PyObject *good = PyObject_CallOneArg(predicate, item);
    if (good == NULL) {
        return -1;
    }
    int truth = good == Py_True ? 1 : good == Py_False ? 0 : PyObject_IsTrue(good);
    Py_DECREF(good);
    return truth;
}

static int predicate_holds(PyObject *predicate, PyObject *item)
{
    PyObject *good = PyObject_CallOneArg(predicate, item);
    int truth = good ? PyObject_IsTrue(good) : -1;
    Py_XDECREF(good);
    return truth;
}

static PyObject *dropwhile_next(PyObject *op)
{
    struct dropwhile *self = (struct dropwhile *)op;
    PyObject *item;
    while ((item = iter_next(self->it)) != NULL) {
        if (__atomic_load_n(&self->started, __ATOMIC_RELAXED)) {
            return item;
        }
        int good = predicate_holds(self->predicate, item);
        if (good == 0) {
            __atomic_store_n(&self->started, true, __ATOMIC_RELAXED);
            return item;
        }
        Py_DECREF(item);
        if (good < 0 || PyErr_CheckSignals() < 0) {
            return NULL;
        }
    }
    return NULL;
}

static PyObject *takewhile_next(PyObject *op)
{
    struct takewhile *self = (struct takewhile *)op;
    if (__atomic_load_n(&self->stopped, __ATOMIC_RELAXED)) {
        return NULL;
    }
    PyObject *item = iter_next(self->it);
    if (item == NULL) {
        return NULL;
    }
    int good = predicate_holds(self->predicate, item);
    if (good > 0) {
        return item;
    }
    Py_DECREF(item);
    if (good == 0) {
        __atomic_store_n(&self->stopped, true, __ATOMIC_RELAXED);
    }
    return NULL;
}

static PyObject *filterfalse_next(PyObject *op)
{
    struct filterfalse *self = (struct filterfalse *)op;
    PyObject *item;
    while ((item = iter_next(self->it)) != NULL) {
        int good = holds(self->predicate, item);
        if (good == 0) {
            return item;
        }
        Py_DECREF(item);
        if (good < 0 || PyErr_CheckSignals() < 0) {
            return NULL;
        }
    }
    return NULL;
}

static PyObject *dropwhile_reduce(struct dropwhile *self)
{
    return warn_pickling() < 0 ? NULL
                               : Py_BuildValue("O(OO)O", Py_TYPE(self), self->predicate, self->it,
                                               self->started ? Py_True : Py_False);
}

static PyObject *takewhile_reduce(struct takewhile *self)
{
    return warn_pickling() < 0 ? NULL
                               : Py_BuildValue("O(OO)O", Py_TYPE(self), self->predicate, self->it,
                                               self->stopped ? Py_True : Py_False);
}

static PyObject *filterfalse_reduce(struct filterfalse *self)
{
    return warn_pickling() < 0 ? NULL
                               : Py_BuildValue("O(OO)", Py_TYPE(self), self->predicate, self->it);
}

static int flag_setstate(bool *flag, PyObject *state)
{
    int truth = warn_pickling() < 0 ? -1 : PyObject_IsTrue(state);
    if (truth >= 0) {
        *flag = truth;
    }
    return truth < 0 ? -1 : 0;
}

static int dropwhile_setstate(struct dropwhile *self, PyObject *state)
{
    return flag_setstate(&self->started, state);
}

static int takewhile_setstate(struct takewhile *self, PyObject *state)
{
    return flag_setstate(&self->stopped, state);
}

GC_OBJECT(dropwhile, predicate, it)
GC_OBJECT(takewhile, predicate, it)
GC_OBJECT(filterfalse, predicate, it)

static PyType_Slot dropwhile_slots[] = {
    ITERATOR_SLOTS(dropwhile),
    {Py_tp_doc, dropwhile_doc},
    {Py_tp_new, bind_dropwhile_new},
    {Py_tp_methods, dropwhile_methods},
    {0, NULL},
};

static PyType_Slot takewhile_slots[] = {
    ITERATOR_SLOTS(takewhile),
    {Py_tp_doc, takewhile_doc},
    {Py_tp_new, bind_takewhile_new},
    {Py_tp_methods, takewhile_methods},
    {0, NULL},
};

static PyType_Slot filterfalse_slots[] = {
    ITERATOR_SLOTS(filterfalse),
    {Py_tp_doc, filterfalse_doc},
    {Py_tp_new, bind_filterfalse_new},
    {Py_tp_methods, filterfalse_methods},
    {0, NULL},
};

ITERATOR_SPEC(dropwhile, Py_TPFLAGS_BASETYPE)
ITERATOR_SPEC(takewhile, Py_TPFLAGS_BASETYPE)
ITERATOR_SPEC(filterfalse, Py_TPFLAGS_BASETYPE)

/* ---- islice --------------------------------------------------------------------------------- */

/* A non-negative index, or `missing` for None; -2 with ValueError for anything else. */
static Py_ssize_t islice_index(PyObject *arg, Py_ssize_t missing, Py_ssize_t least,
                               const char *complaint)
{
    if (arg == NULL || arg == Py_None) {
        return missing;
    }
    Py_ssize_t value = PyNumber_AsSsize_t(arg, PyExc_OverflowError);
    if (value < least) {
        PyErr_SetString(PyExc_ValueError, complaint);
        return -2;
    }
    return value;
}

static PyObject *islice_new(PyTypeObject *type, PyObject *iterable, PyObject *a, PyObject *b,
                            PyObject *c)
{
    Py_ssize_t start = 0, stop;
    if (b == NULL) {
        stop = islice_index(a, -1, 0,
                            "Stop argument for islice() must be None or an integer: "
                            "0 <= x <= sys.maxsize.");
    } else {
        const char *complaint = "Indices for islice() must be None or an integer: "
                                "0 <= x <= sys.maxsize.";
        stop = islice_index(b, -1, 0,
                            "Stop argument for islice() must be None or an integer: "
                            "0 <= x <= sys.maxsize.");
        start = stop == -2 ? -2 : islice_index(a, 0, 0, complaint);
    }
    if (start == -2 || stop == -2) {
        return NULL;
    }
    Py_ssize_t step =
        islice_index(c, 1, 1, "Step for islice() must be a positive integer or None.");
    if (step == -2) {
        return NULL;
    }
    struct islice *self = MAKE_OVER(islice, type, iterable);
    if (self != NULL) {
        self->next = start;
        self->stop = stop;
        self->step = step;
    }
    return (PyObject *)self;
}

static PyObject *islice_step(struct islice *self)
{
    if (self->it == NULL) {
        return NULL;
    }
    PyObject *it = Py_NewRef(self->it);
    Py_ssize_t stop = self->stop;
    PyObject *item = NULL;
    while (self->done < self->next && (stop == -1 || self->done < stop)) {
        if (PyErr_CheckSignals() < 0) {
            Py_DECREF(it);
            return NULL;
        }
        item = iter_next(it);
        if (item == NULL) {
            goto end;
        }
        Py_CLEAR(item);
        self->done++;
    }
    if (stop != -1 && self->done >= stop) {
        goto end;
    }
    item = iter_next(it);
    if (item == NULL) {
        goto end;
    }
    self->done++;
    /* The next one may lie beyond any index. */
    Py_ssize_t limit = stop == -1 ? PY_SSIZE_T_MAX : stop;
    self->next = self->next > limit - self->step ? limit : self->next + self->step;
    Py_DECREF(it);
    return item;
end:
    Py_CLEAR(self->it);
    Py_DECREF(it);
    return NULL;
}

STEP_LOCKED(islice)

static PyObject *islice_reduce(struct islice *self)
{
    if (warn_pickling() < 0) {
        return NULL;
    }
    if (self->it == NULL) {
        PyObject *nothing = PyTuple_New(0);
        PyObject *it = nothing ? PyObject_GetIter(nothing) : NULL;
        Py_XDECREF(nothing);
        return it ? Py_BuildValue("O(Nn)n", Py_TYPE(self), it, (Py_ssize_t)0, (Py_ssize_t)0) : NULL;
    }
    PyObject *stop = self->stop == -1 ? Py_NewRef(Py_None) : PyLong_FromSsize_t(self->stop);
    return stop ? Py_BuildValue("O(OnNn)n", Py_TYPE(self), self->it, self->next, stop, self->step,
                                self->done)
                : NULL;
}

static int islice_setstate(struct islice *self, PyObject *state)
{
    if (warn_pickling() < 0) {
        return -1;
    }
    Py_ssize_t done = PyLong_AsSsize_t(state);
    if (done == -1 && PyErr_Occurred()) {
        return -1;
    }
    self->done = done;
    return 0;
}

GC_OBJECT(islice, it)

static PyType_Slot islice_slots[] = {
    ITERATOR_SLOTS(islice),
    {Py_tp_doc, islice_doc},
    {Py_tp_new, bind_islice_new},
    {Py_tp_methods, islice_methods},
    {0, NULL},
};

ITERATOR_SPEC(islice, Py_TPFLAGS_BASETYPE)

/* ---- pairwise ------------------------------------------------------------------------------- */

static PyObject *pairwise_new(PyTypeObject *type, PyObject *iterable)
{
    return (PyObject *)MAKE_OVER(pairwise, type, iterable);
}

static PyObject *pairwise_step(struct pairwise *self)
{
    if (self->it == NULL) {
        return NULL;
    }
    PyObject *it = Py_NewRef(self->it);
    if (self->old == NULL) {
        PyObject *first = iter_next(it);
        field_set(&self->old, first);
        if (first == NULL) {
            Py_CLEAR(self->it);
        }
        if (self->it == NULL) { /* also when the iterator came back to us and ended us */
            Py_CLEAR(self->old);
            Py_DECREF(it);
            return NULL;
        }
    }
    PyObject *old = Py_XNewRef(self->old);
    PyObject *item = iter_next(it);
    Py_DECREF(it);
    if (item == NULL || old == NULL) {
        Py_CLEAR(self->it);
        Py_CLEAR(self->old);
        Py_XDECREF(item);
        Py_XDECREF(old);
        return NULL;
    }
    field_set(&self->old, Py_NewRef(item));
    PyObject *pair = row_next(&self->row, 2);
    if (pair == NULL) {
        Py_DECREF(item);
        Py_DECREF(old);
        return NULL;
    }
    row_put(pair, 0, old);
    row_put(pair, 1, item);
    return pair;
}

STEP_LOCKED(pairwise)
GC_OBJECT(pairwise, it, old, row)

static PyType_Slot pairwise_slots[] = {
    ITERATOR_SLOTS(pairwise),
    {Py_tp_doc, pairwise_doc},
    {Py_tp_new, bind_pairwise_new},
    {0, NULL},
};

ITERATOR_SPEC(pairwise, Py_TPFLAGS_BASETYPE)

/* ---- repeat --------------------------------------------------------------------------------- */

static PyObject *repeat_new(PyTypeObject *type, PyObject *object, Py_ssize_t times)
{
    struct repeat *self = type_make(type);
    if (self != NULL) {
        self->element = Py_NewRef(object);
        self->left = times == PY_SSIZE_T_MIN ? -1 : times < 0 ? 0 : times;
    }
    return (PyObject *)self;
}

static PyObject *repeat_next(PyObject *op)
{
    struct repeat *self = (struct repeat *)op;
    Py_ssize_t left = __atomic_load_n(&self->left, __ATOMIC_RELAXED);
    if (left == 0) {
        return NULL;
    }
    if (left > 0) {
        left = LOCKED(op, self->left > 0 ? self->left-- : 0);
        if (left == 0) {
            return NULL;
        }
    }
    return Py_NewRef(self->element);
}

static PyObject *repeat_repr(PyObject *op)
{
    struct repeat *self = (struct repeat *)op;
    const char *name = strrchr(Py_TYPE(op)->tp_name, '.');
    name = name ? name + 1 : Py_TYPE(op)->tp_name;
    return self->left == -1 ? PyUnicode_FromFormat("%s(%R)", name, self->element)
                            : PyUnicode_FromFormat("%s(%R, %zd)", name, self->element, self->left);
}

static PyObject *repeat_length_hint(struct repeat *self)
{
    if (self->left == -1) {
        PyErr_SetString(PyExc_TypeError, "len() of unsized object");
        return NULL;
    }
    return PyLong_FromSsize_t(self->left);
}

static PyObject *repeat_reduce(struct repeat *self)
{
    if (warn_pickling() < 0) {
        return NULL;
    }
    return self->left == -1 ? Py_BuildValue("O(O)", Py_TYPE(self), self->element)
                            : Py_BuildValue("O(On)", Py_TYPE(self), self->element, self->left);
}

GC_OBJECT(repeat, element)

static PyType_Slot repeat_slots[] = {
    ITERATOR_SLOTS(repeat),          {Py_tp_doc, repeat_doc},   {Py_tp_new, bind_repeat_new},
    {Py_tp_methods, repeat_methods}, {Py_tp_repr, repeat_repr}, {0, NULL},
};

ITERATOR_SPEC(repeat, Py_TPFLAGS_BASETYPE)

/* ---- starmap -------------------------------------------------------------------------------- */

static PyObject *starmap_new(PyTypeObject *type, PyObject *function, PyObject *iterable)
{
    struct starmap *self = MAKE_OVER(starmap, type, iterable);
    if (self != NULL) {
        self->func = Py_NewRef(function);
    }
    return (PyObject *)self;
}

static PyObject *starmap_next(PyObject *op)
{
    struct starmap *self = (struct starmap *)op;
    PyObject *args = iter_next(self->it);
    if (args == NULL) {
        return NULL;
    }
    if (!PyTuple_CheckExact(args)) {
        PyObject *tuple = PySequence_Tuple(args);
        Py_DECREF(args);
        if (tuple == NULL) {
            return NULL;
        }
        args = tuple;
    }
    PyObject *result =
        PyObject_Vectorcall(self->func, bind_items(args), (size_t)PyTuple_GET_SIZE(args), NULL);
    Py_DECREF(args);
    return result;
}

static PyObject *starmap_reduce(struct starmap *self)
{
    return warn_pickling() < 0 ? NULL : Py_BuildValue("O(OO)", Py_TYPE(self), self->func, self->it);
}

GC_OBJECT(starmap, func, it)

static PyType_Slot starmap_slots[] = {
    ITERATOR_SLOTS(starmap),
    {Py_tp_doc, starmap_doc},
    {Py_tp_new, bind_starmap_new},
    {Py_tp_methods, starmap_methods},
    {0, NULL},
};

ITERATOR_SPEC(starmap, Py_TPFLAGS_BASETYPE)

/* ---- zip_longest ---------------------------------------------------------------------------- */

/* The fill value of a call's keywords (new reference), or NULL with TypeError. */
static PyObject *zip_longest_fill(PyObject *kwargs)
{
    if (kwargs == NULL || PyDict_GET_SIZE(kwargs) == 0) {
        return Py_NewRef(Py_None);
    }
    PyObject *fill = NULL;
    if (PyDict_GET_SIZE(kwargs) == 1) {
        int found = PyDict_GetItemStringRef(kwargs, "fillvalue", &fill);
        if (found != 0) {
            return fill;
        }
    }
    PyErr_SetString(PyExc_TypeError, "zip_longest() got an unexpected keyword argument");
    return NULL;
}

static PyObject *zip_longest_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t count = PyTuple_GET_SIZE(args);
    PyObject *fill = zip_longest_fill(kwargs);
    PyObject *its = fill ? PyTuple_New(count) : NULL;
    for (Py_ssize_t i = 0; its != NULL && i < count; i++) {
        PyObject *it = PyObject_GetIter(PyTuple_GET_ITEM(args, i));
        if (it == NULL) {
            Py_CLEAR(its);
            break;
        }
        PyTuple_SET_ITEM(its, i, it);
    }
    struct zip_longest *self = its ? type_make(type) : NULL;
    if (self == NULL) {
        Py_XDECREF(fill);
        Py_XDECREF(its);
        return NULL;
    }
    self->its = its;
    self->fill = fill;
    self->active = count;
    return (PyObject *)self;
}

/* The item of column i, the fill value when that has ended; NULL at the very end or on error. */
static PyObject *zip_longest_item(struct zip_longest *self, Py_ssize_t i)
{
    PyObject *it = PyTuple_GET_ITEM(self->its, i);
    if (it == Py_None) {
        return Py_NewRef(self->fill);
    }
    Py_INCREF(it);
    PyObject *item = iter_next(it);
    if (item == NULL) {
        bool failed = !iter_ended();
        if (failed) {
            self->active = 0;
        }
        if (PyTuple_GET_ITEM(self->its, i) == it) {
            PyTuple_SET_ITEM(self->its, i, Py_NewRef(Py_None));
            Py_DECREF(it);
            self->active -= failed ? 0 : 1;
        }
        if (!failed && self->active > 0) {
            item = Py_NewRef(self->fill);
        }
    }
    Py_DECREF(it);
    return item;
}

static PyObject *zip_longest_step(struct zip_longest *self)
{
    Py_ssize_t count = PyTuple_GET_SIZE(self->its);
    if (count == 0 || self->active <= 0) {
        return NULL;
    }
    PyObject *row = row_next(&self->row, count);
    for (Py_ssize_t i = 0; row != NULL && i < count; i++) {
        PyObject *item = zip_longest_item(self, i);
        if (item == NULL) {
            Py_CLEAR(self->row); /* holes in it are not for the next one */
            Py_CLEAR(row);
            break;
        }
        row_put(row, i, item);
    }
    return row;
}

STEP_LOCKED(zip_longest)

static PyObject *zip_longest_reduce(struct zip_longest *self)
{
    if (warn_pickling() < 0) {
        return NULL;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(self->its);
    PyObject *args = PyTuple_New(count);
    for (Py_ssize_t i = 0; args != NULL && i < count; i++) {
        PyObject *it = PyTuple_GET_ITEM(self->its, i);
        it = it == Py_None ? PyTuple_New(0) : Py_NewRef(it);
        if (it == NULL) {
            Py_CLEAR(args);
            break;
        }
        PyTuple_SET_ITEM(args, i, it);
    }
    return args ? Py_BuildValue("ONO", Py_TYPE(self), args, self->fill) : NULL;
}

static int zip_longest_setstate(struct zip_longest *self, PyObject *state)
{
    if (warn_pickling() < 0) {
        return -1;
    }
    field_set(&self->fill, Py_NewRef(state));
    return 0;
}

GC_OBJECT(zip_longest, its, fill, row)

static PyType_Slot zip_longest_slots[] = {
    ITERATOR_SLOTS(zip_longest),
    {Py_tp_doc, zip_longest_doc},
    {Py_tp_new, zip_longest_new},
    {Py_tp_methods, zip_longest_methods},
    {0, NULL},
};

ITERATOR_SPEC(zip_longest, Py_TPFLAGS_BASETYPE)
