/* itertools: product, combinations and permutations.
 *
 * Each keeps indices into a pool; a step moves the indices to the next arrangement and builds the
 * tuple for it.  They run no Python code while they do, so a step under the lock is never torn. */
#include "itertools.h"

enum phase { FRESH, RUNNING, STOPPED };

struct product {
    PyObject_HEAD
    PyObject *pools; /* tuple of tuples */
    PyObject *row;   /* the last result, or NULL */
    Py_ssize_t *indices;
    enum phase phase;
};

/* combinations (with replacement or not) and permutations. */
struct pick {
    PyObject_HEAD
    PyObject *pool; /* tuple */
    PyObject *row;  /* the last result, or NULL */
    Py_ssize_t *indices;
    Py_ssize_t r;
    enum phase phase;
};

struct permutations {
    struct pick pick;
    Py_ssize_t *cycles;
};

#include "combine.bind.h"

static PyObject *new_indices(Py_ssize_t count, Py_ssize_t **out)
{
    *out = PyMem_New(Py_ssize_t, count ? count : 1);
    return *out ? Py_None : PyErr_NoMemory();
}

/* A tuple of `count` numbers. */
static PyObject *indices_tuple(const Py_ssize_t *indices, Py_ssize_t count)
{
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; tuple != NULL && i < count; i++) {
        PyObject *index = PyLong_FromSsize_t(indices[i]);
        if (index == NULL) {
            Py_CLEAR(tuple);
            break;
        }
        PyTuple_SET_ITEM(tuple, i, index);
    }
    return tuple;
}

/* Reads item i of a state tuple, forced into [least, most]; false on error. */
static bool state_index(PyObject *tuple, Py_ssize_t i, Py_ssize_t least, Py_ssize_t most,
                        Py_ssize_t *out)
{
    Py_ssize_t index = PyLong_AsSsize_t(PyTuple_GET_ITEM(tuple, i));
    if (index == -1 && PyErr_Occurred()) {
        return false;
    }
    *out = index < least ? least : index > most ? most : index;
    return true;
}

/* ---- product -------------------------------------------------------------------------------- */

static PyObject *product_pools(PyObject *const *iterables, Py_ssize_t count, Py_ssize_t repeat)
{
    if (repeat < 0) {
        PyErr_SetString(PyExc_ValueError, "repeat argument cannot be negative");
        return NULL;
    }
    if (repeat > 0 && count > PY_SSIZE_T_MAX / (Py_ssize_t)sizeof(Py_ssize_t) / repeat) {
        PyErr_SetString(PyExc_OverflowError, "repeat argument too large");
        return NULL;
    }
    count = repeat == 0 ? 0 : count;
    PyObject *pools = PyTuple_New(count * repeat);
    for (Py_ssize_t i = 0; pools != NULL && i < count; i++) {
        PyObject *pool = PySequence_Tuple(iterables[i]);
        if (pool == NULL) {
            Py_CLEAR(pools);
            break;
        }
        for (Py_ssize_t k = i; k < count * repeat; k += count) {
            PyTuple_SET_ITEM(pools, k, Py_NewRef(pool));
        }
        Py_DECREF(pool);
    }
    return pools;
}

static PyObject *product_new(PyTypeObject *type, PyObject *const *iterables, Py_ssize_t count,
                             Py_ssize_t repeat)
{
    PyObject *pools = product_pools(iterables, count, repeat);
    Py_ssize_t *indices = NULL;
    if (pools != NULL) {
        new_indices(PyTuple_GET_SIZE(pools), &indices);
    }
    struct product *self = indices ? type_make(type) : NULL;
    if (self == NULL) {
        Py_XDECREF(pools);
        PyMem_Free(indices);
        return NULL;
    }
    memset(indices, 0, sizeof *indices * (size_t)PyTuple_GET_SIZE(pools));
    self->pools = pools;
    self->indices = indices;
    return (PyObject *)self;
}

/* Turns the odometer by one; false when it is back at the start. */
static bool product_turn(struct product *self)
{
    for (Py_ssize_t i = PyTuple_GET_SIZE(self->pools); --i >= 0;) {
        if (++self->indices[i] < PyTuple_GET_SIZE(PyTuple_GET_ITEM(self->pools, i))) {
            return true;
        }
        self->indices[i] = 0;
    }
    return false;
}

static bool product_start(struct product *self)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self->pools); i++) {
        if (PyTuple_GET_SIZE(PyTuple_GET_ITEM(self->pools, i)) == 0) {
            return false;
        }
    }
    return true;
}

static PyObject *product_step(struct product *self)
{
    if (self->phase == STOPPED
        || !(self->phase == FRESH ? product_start(self) : product_turn(self))) {
        self->phase = STOPPED;
        return NULL;
    }
    self->phase = RUNNING;
    Py_ssize_t count = PyTuple_GET_SIZE(self->pools);
    PyObject *row = row_next(&self->row, count);
    for (Py_ssize_t i = 0; row != NULL && i < count; i++) {
        PyObject *pool = PyTuple_GET_ITEM(self->pools, i);
        row_set(row, i, PyTuple_GET_ITEM(pool, self->indices[i]));
    }
    return row;
}

STEP_LOCKED(product)

static PyObject *product_reduce(struct product *self)
{
    if (warn_pickling() < 0) {
        return NULL;
    }
    if (self->phase == STOPPED) {
        return Py_BuildValue("O(())", Py_TYPE(self));
    }
    if (self->phase == FRESH) {
        return Py_BuildValue("OO", Py_TYPE(self), self->pools);
    }
    PyObject *state = indices_tuple(self->indices, PyTuple_GET_SIZE(self->pools));
    return state ? Py_BuildValue("OON", Py_TYPE(self), self->pools, state) : NULL;
}

static int product_setstate(struct product *self, PyObject *state)
{
    if (warn_pickling() < 0) {
        return -1;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(self->pools);
    if (!PyTuple_Check(state) || PyTuple_GET_SIZE(state) != count) {
        PyErr_SetString(PyExc_ValueError, "invalid arguments");
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_ssize_t size = PyTuple_GET_SIZE(PyTuple_GET_ITEM(self->pools, i));
        if (size == 0) {
            self->phase = STOPPED;
            return 0;
        }
        if (!state_index(state, i, 0, size - 1, &self->indices[i])) {
            return -1;
        }
    }
    self->phase = RUNNING;
    return 0;
}

static size_t product_sizeof(struct product *self)
{
    return (size_t)Py_TYPE(self)->tp_basicsize
           + (size_t)PyTuple_GET_SIZE(self->pools) * sizeof(Py_ssize_t);
}

GC_TRAVERSE(product, pools, row)

static void product_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    Py_XDECREF(((struct product *)op)->pools);
    Py_XDECREF(((struct product *)op)->row);
    PyMem_Free(((struct product *)op)->indices);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot product_slots[] = {
    {Py_tp_traverse, product_traverse}, {Py_tp_dealloc, product_dealloc},
    {Py_tp_iter, PyObject_SelfIter},    {Py_tp_iternext, product_next},
    {Py_tp_doc, product_doc},           {Py_tp_new, bind_product_new},
    {Py_tp_methods, product_methods},   {0, NULL},
};

ITERATOR_SPEC(product, Py_TPFLAGS_BASETYPE)

/* ---- what the three others share ------------------------------------------------------------ */

/* Takes the pool (stolen, NULL passes an error on). */
static struct pick *pick_make(PyTypeObject *type, PyObject *pool, Py_ssize_t r,
                              Py_ssize_t index_count)
{
    Py_ssize_t *indices = NULL;
    if (pool != NULL && r < 0) {
        PyErr_SetString(PyExc_ValueError, "r must be non-negative");
    } else if (pool != NULL) {
        new_indices(index_count, &indices);
    }
    struct pick *self = indices ? type_make(type) : NULL;
    if (self == NULL) {
        Py_XDECREF(pool);
        PyMem_Free(indices);
        return NULL;
    }
    self->pool = pool;
    self->indices = indices;
    self->r = r;
    return self;
}

static PyObject *pick_row(struct pick *self)
{
    PyObject *row = row_next(&self->row, self->r);
    for (Py_ssize_t i = 0; row != NULL && i < self->r; i++) {
        row_set(row, i, PyTuple_GET_ITEM(self->pool, self->indices[i]));
    }
    return row;
}

static inline PyObject *pick_step(struct pick *self, bool (*advance)(struct pick *))
{
    if (self->phase == STOPPED || (self->phase == RUNNING && !advance(self))) {
        self->phase = STOPPED;
        return NULL;
    }
    self->phase = RUNNING;
    return pick_row(self);
}

static PyObject *pick_reduce(struct pick *self)
{
    if (warn_pickling() < 0) {
        return NULL;
    }
    if (self->phase == FRESH) {
        return Py_BuildValue("O(On)", Py_TYPE(self), self->pool, self->r);
    }
    if (self->phase == STOPPED) {
        return Py_BuildValue("O(()n)", Py_TYPE(self), self->r);
    }
    PyObject *state = indices_tuple(self->indices, self->r);
    return state ? Py_BuildValue("O(On)N", Py_TYPE(self), self->pool, self->r, state) : NULL;
}

static PyObject *replacing_reduce(struct pick *self)
{
    return pick_reduce(self);
}

static size_t pick_sizeof(struct pick *self)
{
    return (size_t)Py_TYPE(self)->tp_basicsize + (size_t)self->r * sizeof(Py_ssize_t);
}

static size_t replacing_sizeof(struct pick *self)
{
    return pick_sizeof(self);
}

/* Restores r indices; index i is at most n - 1, less room for those after it if they differ. */
static int pick_setstate(struct pick *self, PyObject *state, bool distinct)
{
    Py_ssize_t n = PyTuple_GET_SIZE(self->pool);
    if (warn_pickling() < 0) {
        return -1;
    }
    if (!PyTuple_Check(state) || PyTuple_GET_SIZE(state) != self->r
        || (self->r > 0 && (n == 0 || (distinct && self->r > n)))) {
        PyErr_SetString(PyExc_ValueError, "invalid arguments");
        return -1;
    }
    for (Py_ssize_t i = 0; i < self->r; i++) {
        if (!state_index(state, i, 0, distinct ? i + n - self->r : n - 1, &self->indices[i])) {
            return -1;
        }
    }
    self->phase = RUNNING;
    return 0;
}

GC_TRAVERSE(pick, pool, row)

static void pick_dealloc(PyObject *op)
{
    struct pick *self = (struct pick *)op;
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    Py_XDECREF(self->pool);
    Py_XDECREF(self->row);
    PyMem_Free(self->indices);
    type->tp_free(op);
    Py_DECREF(type);
}

#define PICK_SLOTS(name, dealloc)                                                                  \
    {Py_tp_traverse, pick_traverse}, {Py_tp_dealloc, dealloc}, {Py_tp_iter, PyObject_SelfIter},    \
        {Py_tp_iternext, name##_next}, {Py_tp_doc, name##_doc}, {Py_tp_new, bind_##name##_new},    \
        {Py_tp_methods, name##_methods}, {0, NULL},

#define PICK_SPEC(name, slots, size)                                                               \
    PyType_Spec name##_spec = {                                                                    \
        "itertools." #name,                                                                        \
        size,                                                                                      \
        0,                                                                                         \
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,  \
        slots,                                                                                     \
    };

/* ---- combinations --------------------------------------------------------------------------- */

static PyObject *combinations_new(PyTypeObject *type, PyObject *iterable, Py_ssize_t r)
{
    struct pick *self = pick_make(type, PySequence_Tuple(iterable), r, r);
    if (self != NULL) {
        for (Py_ssize_t i = 0; i < r; i++) {
            self->indices[i] = i;
        }
        self->phase = r > PyTuple_GET_SIZE(self->pool) ? STOPPED : FRESH;
    }
    return (PyObject *)self;
}

/* The rightmost index that can still grow does; those after it follow it closely. */
static bool combinations_advance(struct pick *self)
{
    Py_ssize_t n = PyTuple_GET_SIZE(self->pool), i = self->r - 1;
    while (i >= 0 && self->indices[i] == i + n - self->r) {
        i--;
    }
    if (i < 0) {
        return false;
    }
    Py_ssize_t index = ++self->indices[i];
    while (++i < self->r) {
        self->indices[i] = ++index;
    }
    return true;
}

static PyObject *combinations_next(PyObject *op)
{
    return LOCKED(op, pick_step((struct pick *)op, combinations_advance));
}

static int combinations_setstate(struct pick *self, PyObject *state)
{
    return pick_setstate(self, state, true);
}

static PyType_Slot combinations_slots[] = {PICK_SLOTS(combinations, pick_dealloc)};
PICK_SPEC(combinations, combinations_slots, sizeof(struct pick))

/* ---- combinations_with_replacement ---------------------------------------------------------- */

static PyObject *replacing_new(PyTypeObject *type, PyObject *iterable, Py_ssize_t r)
{
    struct pick *self = pick_make(type, PySequence_Tuple(iterable), r, r);
    if (self != NULL) {
        for (Py_ssize_t i = 0; i < r; i++) {
            self->indices[i] = 0;
        }
        self->phase = r > 0 && PyTuple_GET_SIZE(self->pool) == 0 ? STOPPED : FRESH;
    }
    return (PyObject *)self;
}

static bool replacing_advance(struct pick *self)
{
    Py_ssize_t last = PyTuple_GET_SIZE(self->pool) - 1, i = self->r - 1;
    while (i >= 0 && self->indices[i] == last) {
        i--;
    }
    if (i < 0) {
        return false;
    }
    Py_ssize_t index = self->indices[i] + 1;
    for (; i < self->r; i++) {
        self->indices[i] = index;
    }
    return true;
}

static PyObject *replacing_next(PyObject *op)
{
    return LOCKED(op, pick_step((struct pick *)op, replacing_advance));
}

static int replacing_setstate(struct pick *self, PyObject *state)
{
    return pick_setstate(self, state, false);
}

static PyType_Slot replacing_slots[] = {PICK_SLOTS(replacing, pick_dealloc)};
PICK_SPEC(combinations_with_replacement, replacing_slots, sizeof(struct pick))

/* ---- permutations --------------------------------------------------------------------------- */

static void permutations_dealloc(PyObject *op)
{
    PyMem_Free(((struct permutations *)op)->cycles);
    pick_dealloc(op);
}

static PyObject *permutations_new(PyTypeObject *type, PyObject *iterable, PyObject *count)
{
    PyObject *pool = PySequence_Tuple(iterable);
    if (pool == NULL) {
        return NULL;
    }
    Py_ssize_t n = PyTuple_GET_SIZE(pool), r = n;
    if (count != Py_None) {
        if (!PyLong_Check(count)) {
            PyErr_SetString(PyExc_TypeError, "Expected int as r");
            Py_DECREF(pool);
            return NULL;
        }
        r = PyLong_AsSsize_t(count);
        if (r == -1 && PyErr_Occurred()) {
            Py_DECREF(pool);
            return NULL;
        }
    }
    struct pick *self = pick_make(type, pool, r, n);
    if (self == NULL || new_indices(r, &((struct permutations *)self)->cycles) == NULL) {
        Py_XDECREF(self);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        self->indices[i] = i;
    }
    for (Py_ssize_t i = 0; i < r; i++) {
        ((struct permutations *)self)->cycles[i] = n - i;
    }
    self->phase = r > n ? STOPPED : FRESH;
    return (PyObject *)self;
}

/* cycles[i] counts how often position i still changes before the one left of it does. */
static bool permutations_advance(struct pick *self)
{
    Py_ssize_t n = PyTuple_GET_SIZE(self->pool);
    Py_ssize_t *indices = self->indices, *cycles = ((struct permutations *)self)->cycles;
    for (Py_ssize_t i = self->r - 1; i >= 0; i--) {
        if (--cycles[i] != 0) {
            Py_ssize_t j = n - cycles[i], swapped = indices[i];
            indices[i] = indices[j];
            indices[j] = swapped;
            return true;
        }
        Py_ssize_t first = indices[i];
        memmove(indices + i, indices + i + 1, sizeof *indices * (size_t)(n - 1 - i));
        indices[n - 1] = first;
        cycles[i] = n - i;
    }
    return false;
}

static PyObject *permutations_next(PyObject *op)
{
    return LOCKED(op, pick_step((struct pick *)op, permutations_advance));
}

static PyObject *permutations_reduce(struct pick *self)
{
    if (warn_pickling() < 0) {
        return NULL;
    }
    if (self->phase == FRESH) {
        return Py_BuildValue("O(On)", Py_TYPE(self), self->pool, self->r);
    }
    if (self->phase == STOPPED) {
        return Py_BuildValue("O(()n)", Py_TYPE(self), self->r);
    }
    PyObject *indices = indices_tuple(self->indices, PyTuple_GET_SIZE(self->pool));
    PyObject *cycles =
        indices ? indices_tuple(((struct permutations *)self)->cycles, self->r) : NULL;
    if (cycles == NULL) {
        Py_XDECREF(indices);
        return NULL;
    }
    return Py_BuildValue("O(On)(NN)", Py_TYPE(self), self->pool, self->r, indices, cycles);
}

static int permutations_setstate(struct pick *self, PyObject *state)
{
    Py_ssize_t n = PyTuple_GET_SIZE(self->pool);
    PyObject *indices, *cycles;
    if (warn_pickling() < 0) {
        return -1;
    }
    if (!PyTuple_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "state is not a tuple");
        return -1;
    }
    if (!PyArg_ParseTuple(state, "O!O!", &PyTuple_Type, &indices, &PyTuple_Type, &cycles)) {
        return -1;
    }
    if (PyTuple_GET_SIZE(indices) != n || PyTuple_GET_SIZE(cycles) != self->r || self->r > n) {
        PyErr_SetString(PyExc_ValueError, "invalid arguments");
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        if (!state_index(indices, i, 0, n - 1, &self->indices[i])) {
            return -1;
        }
    }
    for (Py_ssize_t i = 0; i < self->r; i++) {
        if (!state_index(cycles, i, 1, n - i, &((struct permutations *)self)->cycles[i])) {
            return -1;
        }
    }
    self->phase = RUNNING;
    return 0;
}

static size_t permutations_sizeof(struct pick *self)
{
    size_t count = (size_t)PyTuple_GET_SIZE(self->pool) + (size_t)self->r;
    return (size_t)Py_TYPE(self)->tp_basicsize + count * sizeof(Py_ssize_t);
}

static PyType_Slot permutations_slots[] = {PICK_SLOTS(permutations, permutations_dealloc)};
PICK_SPEC(permutations, permutations_slots, sizeof(struct permutations))
