/* functools.lru_cache.
 *
 * The cache is a dict from keys to results, or, where its size is bounded, to links of a list in the
 * order of use.  The dict owns the links; the list only points.  A link's key and result never
 * change, so a hit reads them without a lock; only what reorders the list takes the wrapper's lock,
 * and the most recent link needs no reordering. */
#include "functools.h"

struct lru_link {
    PyObject_HEAD
    struct lru_link *prev, *next; /* NULL: not in the list */
    PyObject *key, *result;
};

/* The arguments of a call, with their hash: computed once, since it may be slow or counted. */
struct lru_key {
    PyObject_VAR_HEAD
    Py_hash_t hash;
    PyObject *items[];
};

struct lru {
    PyObject_HEAD
    PyObject *func, *cache, *info_type, *dict, *weaklist;
    vectorcallfunc vectorcall;
    struct functools_state *state;
    PyObject *module;                 /* keeps state alive */
    Py_ssize_t maxsize, hits, misses; /* maxsize -1: unbounded */
    bool typed;
    struct lru_link *oldest, *newest;
};

#include "lru_cache.bind.h"

/* ---- keys ----------------------------------------------------------------------------------- */

static Py_hash_t lru_key_hash(PyObject *op)
{
    return ((struct lru_key *)op)->hash;
}

static PyObject *lru_key_compare(PyObject *a, PyObject *b, int op)
{
    if (op != Py_EQ || !Py_IS_TYPE(b, Py_TYPE(a)) || Py_SIZE(a) != Py_SIZE(b)) {
        return op == Py_EQ ? Py_NewRef(Py_False) : Py_NewRef(Py_NotImplemented);
    }
    for (Py_ssize_t i = 0; i < Py_SIZE(a); i++) {
        int equal = PyObject_RichCompareBool(((struct lru_key *)a)->items[i],
                                             ((struct lru_key *)b)->items[i], Py_EQ);
        if (equal <= 0) {
            return equal < 0 ? NULL : Py_NewRef(Py_False);
        }
    }
    return Py_NewRef(Py_True);
}

static int lru_key_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    for (Py_ssize_t i = 0; i < Py_SIZE(op); i++) {
        Py_VISIT(((struct lru_key *)op)->items[i]);
    }
    return 0;
}

static void lru_key_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    for (Py_ssize_t i = 0; i < Py_SIZE(op); i++) {
        Py_XDECREF(((struct lru_key *)op)->items[i]);
    }
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot lru_key_slots[] = {
    {Py_tp_hash, lru_key_hash},
    {Py_tp_richcompare, lru_key_compare},
    {Py_tp_traverse, lru_key_traverse},
    {Py_tp_dealloc, lru_key_dealloc},
    {0, NULL},
};

PyType_Spec lru_key_spec = {
    "functools._lru_key",
    sizeof(struct lru_key),
    sizeof(PyObject *),
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION
        | Py_TPFLAGS_IMMUTABLETYPE,
    lru_key_slots,
};

/* Mixes the items' hashes; false on error. */
static bool lru_key_rehash(struct lru_key *key)
{
    Py_uhash_t mixed = 0x9E3779B97F4A7C15u ^ (Py_uhash_t)Py_SIZE(key);
    for (Py_ssize_t i = 0; i < Py_SIZE(key); i++) {
        Py_hash_t hash = PyObject_Hash(key->items[i]);
        if (hash == -1) {
            return false;
        }
        mixed = (mixed ^ (Py_uhash_t)hash) * 0xD6E8FEB86659FD93u;
        mixed ^= mixed >> 32;
    }
    key->hash = mixed == (Py_uhash_t)-1 ? 1 : (Py_hash_t)mixed;
    return true;
}

/* The cache key of a call (new reference): an int or str itself where that is the only argument. */
static PyObject *lru_key_make(struct lru *self, PyObject *const *args, Py_ssize_t nargs,
                              PyObject *kwnames)
{
    Py_ssize_t nkw = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
    if (nargs == 1 && nkw == 0 && !self->typed
        && (PyLong_CheckExact(args[0]) || PyUnicode_CheckExact(args[0]))) {
        return Py_NewRef(args[0]);
    }
    Py_ssize_t size = nargs + (nkw ? 2 * nkw + 1 : 0) + (self->typed ? nargs + nkw : 0);
    PyTypeObject *type = (PyTypeObject *)self->state->lru_key_type;
    struct lru_key *key = PyObject_GC_NewVar(struct lru_key, type, size);
    if (key == NULL) {
        return NULL;
    }
    PyObject **item = key->items;
    for (Py_ssize_t i = 0; i < nargs; i++) {
        *item++ = Py_NewRef(args[i]);
    }
    if (nkw != 0) {
        *item++ = Py_NewRef(self->state->kwd_mark);
    }
    for (Py_ssize_t i = 0; i < nkw; i++) {
        *item++ = Py_NewRef(PyTuple_GET_ITEM(kwnames, i));
        *item++ = Py_NewRef(args[nargs + i]);
    }
    for (Py_ssize_t i = 0; self->typed && i < nargs + nkw; i++) {
        *item++ = Py_NewRef((PyObject *)Py_TYPE(args[i]));
    }
    PyObject_GC_Track(key);
    if (!lru_key_rehash(key)) {
        Py_CLEAR(key);
    }
    return (PyObject *)key;
}

/* ---- the list: all of this under the wrapper's lock ----------------------------------------- */

static void link_out(struct lru *self, struct lru_link *link)
{
    *(link->prev ? &link->prev->next : &self->oldest) = link->next;
    *(link->next ? &link->next->prev : &self->newest) = link->prev;
    link->prev = link->next = NULL;
}

static void link_in(struct lru *self, struct lru_link *link)
{
    link->prev = self->newest;
    link->next = NULL;
    *(self->newest ? &self->newest->next : &self->oldest) = link;
    __atomic_store_n(&self->newest, link, __ATOMIC_RELAXED);
}

static inline bool link_is_in(struct lru *self, struct lru_link *link)
{
    return link->prev != NULL || self->oldest == link;
}

static int link_touch(struct lru *self, struct lru_link *link)
{
    if (link_is_in(self, link)) { /* another thread may have dropped it just now */
        link_out(self, link);
        link_in(self, link);
    }
    return 0;
}

static void lru_link_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    Py_XDECREF(((struct lru_link *)op)->key);
    Py_XDECREF(((struct lru_link *)op)->result);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot lru_link_slots[] = {{Py_tp_dealloc, lru_link_dealloc}, {0, NULL}};

PyType_Spec lru_link_spec = {
    "functools._lru_list_elem",
    sizeof(struct lru_link),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    lru_link_slots,
};

static struct lru_link *link_make(struct lru *self, PyObject *key, PyObject *result)
{
    PyTypeObject *type = (PyTypeObject *)self->state->link_type;
    struct lru_link *link = (struct lru_link *)type->tp_alloc(type, 0);
    if (link != NULL) {
        link->key = Py_NewRef(key);
        link->result = Py_NewRef(result);
    }
    return link;
}

/* Drops the least recently used entry.  1: dropped; 0: its key had gone already; -1: error. */
static int lru_evict(struct lru *self)
{
    struct lru_link *oldest = (struct lru_link *)Py_NewRef((PyObject *)self->oldest);
    link_out(self, oldest);
    PyObject *popped = NULL;
    int found = PyDict_Pop(self->cache, oldest->key, &popped);
    if (found < 0 && !link_is_in(self, oldest)) {
        link_in(self, oldest); /* still in the dict: comparing keys failed */
    }
    Py_XDECREF(popped);
    Py_DECREF(oldest);
    return found;
}

/* Puts a new result into the bounded cache; -1 on error. */
static int lru_store(struct lru *self, PyObject *key, PyObject *result)
{
    int there = PyDict_Contains(self->cache, key);
    if (there != 0) { /* the function itself or another thread was faster */
        return there < 0 ? -1 : 0;
    }
    if (PyDict_GET_SIZE(self->cache) >= self->maxsize && self->oldest != NULL) {
        int evicted = lru_evict(self);
        if (evicted <= 0) {
            return evicted;
        }
    }
    struct lru_link *link = link_make(self, key, result);
    if (link == NULL) {
        return -1;
    }
    /* In the list first: whoever finds it in the dict may move it. */
    link_in(self, link);
    if (PyDict_SetItem(self->cache, key, (PyObject *)link) < 0) {
        if (link_is_in(self, link)) {
            link_out(self, link);
        }
        Py_DECREF(link);
        return -1;
    }
    Py_DECREF(link);
    return 0;
}

/* ---- bounded and unbounded ------------------------------------------------------------------ */

static inline void count_one(Py_ssize_t *counter)
{
    __atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
}

static PyObject *lru_miss(struct lru *self, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    (void)LOCKED(self, (count_one(&self->misses), 0));
    return PyObject_Vectorcall(self->func, args, nargsf, kwnames);
}

static PyObject *lru_unbounded(struct lru *self, PyObject *key, PyObject *const *args,
                               size_t nargsf, PyObject *kwnames)
{
    PyObject *result;
    int found = PyDict_GetItemRef(self->cache, key, &result);
    if (found != 0) {
        if (found > 0) {
            (void)LOCKED(self, (count_one(&self->hits), 0));
        }
        return result;
    }
    result = lru_miss(self, args, nargsf, kwnames);
    if (result != NULL && PyDict_SetItem(self->cache, key, result) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

static PyObject *lru_bounded(struct lru *self, PyObject *key, PyObject *const *args, size_t nargsf,
                             PyObject *kwnames)
{
    PyObject *found;
    int rc = PyDict_GetItemRef(self->cache, key, &found);
    if (rc < 0) {
        return NULL;
    }
    if (rc > 0) {
        struct lru_link *link = (struct lru_link *)found;
        PyObject *result = Py_NewRef(link->result);
        bool newest = __atomic_load_n(&self->newest, __ATOMIC_RELAXED) == link;
        (void)LOCKED(self, (count_one(&self->hits), newest ? 0 : link_touch(self, link)));
        Py_DECREF(link);
        return result;
    }
    PyObject *result = lru_miss(self, args, nargsf, kwnames);
    if (result != NULL && LOCKED(self, lru_store(self, key, result)) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

static PyObject *lru_vectorcall(PyObject *op, PyObject *const *args, size_t nargsf,
                                PyObject *kwnames)
{
    struct lru *self = (struct lru *)op;
    if (self->maxsize == 0) {
        return lru_miss(self, args, nargsf, kwnames);
    }
    PyObject *key = lru_key_make(self, args, PyVectorcall_NARGS(nargsf), kwnames);
    if (key == NULL) {
        return NULL;
    }
    PyObject *result = self->maxsize < 0 ? lru_unbounded(self, key, args, nargsf, kwnames)
                                         : lru_bounded(self, key, args, nargsf, kwnames);
    Py_DECREF(key);
    return result;
}

/* ---- the object ----------------------------------------------------------------------------- */

static PyObject *lru_new(PyTypeObject *type, PyObject *function, PyObject *maxsize, int typed,
                         PyObject *info_type)
{
    if (!PyCallable_Check(function)) {
        PyErr_SetString(PyExc_TypeError, "the first argument must be callable");
        return NULL;
    }
    Py_ssize_t limit = -1;
    if (maxsize != Py_None) {
        if (!PyIndex_Check(maxsize)) {
            PyErr_SetString(PyExc_TypeError, "maxsize should be integer or None");
            return NULL;
        }
        limit = PyNumber_AsSsize_t(maxsize, PyExc_OverflowError);
        if (limit == -1 && PyErr_Occurred()) {
            return NULL;
        }
        limit = limit < 0 ? 0 : limit;
    }
    PyObject *module = PyType_GetModuleByDef(type, &functools_module);
    PyObject *cache = module ? PyDict_New() : NULL;
    struct lru *self = cache ? type_make(type) : NULL;
    if (self == NULL) {
        Py_XDECREF(cache);
        return NULL;
    }
    self->func = Py_NewRef(function);
    self->cache = cache;
    self->info_type = Py_NewRef(info_type);
    self->module = Py_NewRef(module);
    self->state = PyModule_GetState(module);
    self->maxsize = limit;
    self->typed = typed;
    self->vectorcall = lru_vectorcall;
    return (PyObject *)self;
}

static PyObject *lru_cache_info(struct lru *self)
{
    PyObject *limit = self->maxsize < 0 ? Py_NewRef(Py_None) : PyLong_FromSsize_t(self->maxsize);
    return limit ? PyObject_CallFunction(self->info_type, "nnNn", self->hits, self->misses, limit,
                                         PyDict_GET_SIZE(self->cache))
                 : NULL;
}

static int lru_cache_clear(struct lru *self)
{
    self->hits = self->misses = 0;
    /* The links leave the list before anything dies with them. */
    while (self->oldest != NULL) {
        link_out(self, self->oldest);
    }
    PyDict_Clear(self->cache);
    return 0;
}

static PyObject *lru_reduce(struct lru *self)
{
    return PyObject_GetAttrString((PyObject *)self, "__qualname__");
}

static int lru_copy(struct lru *Py_UNUSED(self))
{
    return 0;
}

static int lru_deepcopy(struct lru *Py_UNUSED(self), PyObject *Py_UNUSED(memo))
{
    return 0;
}

static PyObject *lru_descr_get(PyObject *op, PyObject *instance, PyObject *Py_UNUSED(owner))
{
    return instance == NULL || instance == Py_None ? Py_NewRef(op) : PyMethod_New(op, instance);
}

static int lru_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct lru *self = (struct lru *)op;
    Py_VISIT(Py_TYPE(op));
    for (struct lru_link *link = self->oldest; link != NULL; link = link->next) {
        Py_VISIT(link->key);
        Py_VISIT(link->result);
    }
    Py_VISIT(self->func);
    Py_VISIT(self->cache);
    Py_VISIT(self->info_type);
    Py_VISIT(self->module);
    Py_VISIT(self->dict);
    return 0;
}

static int lru_clear(PyObject *op)
{
    struct lru *self = (struct lru *)op;
    while (self->oldest != NULL) {
        link_out(self, self->oldest);
    }
    if (self->cache != NULL) {
        PyDict_Clear(self->cache);
    }
    Py_CLEAR(self->func);
    Py_CLEAR(self->info_type);
    Py_CLEAR(self->dict);
    return 0;
}

static void lru_dealloc(PyObject *op)
{
    struct lru *self = (struct lru *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    PyObject_ClearWeakRefs(op);
    lru_clear(op);
    Py_XDECREF(self->cache);
    Py_XDECREF(self->module);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMemberDef lru_members[] = {
    {"__dictoffset__", Py_T_PYSSIZET, offsetof(struct lru, dict), Py_READONLY, NULL},
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(struct lru, weaklist), Py_READONLY, NULL},
    {"__vectorcalloffset__", Py_T_PYSSIZET, offsetof(struct lru, vectorcall), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef lru_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot lru_slots[] = {
    GC_SLOTS(lru),
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_doc, lru_doc},
    {Py_tp_methods, lru_methods},
    {Py_tp_members, lru_members},
    {Py_tp_getset, lru_getset},
    {Py_tp_descr_get, lru_descr_get},
    {Py_tp_new, bind_lru_new},
    {0, NULL},
};

PyType_Spec lru_spec = {
    "functools._lru_cache_wrapper",
    sizeof(struct lru),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_METHOD_DESCRIPTOR
        | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_VECTORCALL,
    lru_slots,
};
