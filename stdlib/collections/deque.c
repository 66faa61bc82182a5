/* collections.deque: a ring buffer whose capacity is a power of two.
 *
 * Items lie at items[(head + i) & (capacity - 1)].  Every change counts `version` up, by which
 * iterators and searches notice that Python code they called changed the deque under them.
 * Functions without a note run with the deque locked. */
#include "collections.h"

struct deque {
    PyObject_HEAD
    PyObject **items; /* NULL until the first item comes */
    size_t head, capacity;
    Py_ssize_t length, maxlen; /* maxlen -1: none */
    size_t version;
    PyObject *weaklist;
};

struct deque_iterator {
    PyObject_HEAD
    PyObject *deque;
    size_t version;
    Py_ssize_t done; /* items given out */
    Py_ssize_t left;
};

enum { LEAST_CAPACITY = 8 };

#include "deque.bind.h"

static inline PyObject **deque_slot(struct deque *self, Py_ssize_t i)
{
    return &self->items[(self->head + (size_t)i) & (self->capacity - 1)];
}

/* ---- size ----------------------------------------------------------------------------------- */

/* Moves the items into a buffer of `capacity`; -1 with MemoryError. */
static int deque_resize(struct deque *self, size_t capacity)
{
    PyObject **items = PyMem_New(PyObject *, capacity);
    if (items == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    size_t length = (size_t)self->length;
    size_t first = Py_MIN(length, self->capacity - self->head);
    if (length != 0) {
        memcpy(items, self->items + self->head, first * sizeof *items);
        memcpy(items + first, self->items, (length - first) * sizeof *items);
    }
    PyMem_Free(self->items);
    self->items = items;
    self->capacity = capacity;
    self->head = 0;
    return 0;
}

static inline int deque_reserve_one(struct deque *self)
{
    if (LIKELY((size_t)self->length < self->capacity)) {
        return 0;
    }
    return deque_resize(self, self->capacity ? self->capacity * 2 : LEAST_CAPACITY);
}

/* Gives memory back after much was removed; failing to is no error. */
static inline void deque_shrink(struct deque *self)
{
    if (self->capacity > 64 && (size_t)self->length < self->capacity / 8) {
        if (deque_resize(self, self->capacity / 4) < 0) {
            PyErr_Clear();
        }
    }
}

/* ---- ends ----------------------------------------------------------------------------------- */

/* Takes an item off an end (new reference); the deque is not empty. */
static inline PyObject *deque_take_right(struct deque *self)
{
    PyObject *item = *deque_slot(self, self->length - 1);
    self->length--;
    self->version++;
    return item;
}

static inline PyObject *deque_take_left(struct deque *self)
{
    PyObject *item = self->items[self->head];
    self->head = (self->head + 1) & (self->capacity - 1);
    self->length--;
    self->version++;
    return item;
}

/* Adds an item (stolen, also on failure) and drops one from the other end when it is full. */
static inline int deque_add_right(struct deque *self, PyObject *item)
{
    if (deque_reserve_one(self) < 0) {
        Py_DECREF(item);
        return -1;
    }
    *deque_slot(self, self->length++) = item;
    self->version++;
    if (self->maxlen >= 0 && self->length > self->maxlen) {
        Py_DECREF(deque_take_left(self));
    }
    return 0;
}

static inline int deque_add_left(struct deque *self, PyObject *item)
{
    if (deque_reserve_one(self) < 0) {
        Py_DECREF(item);
        return -1;
    }
    self->head = (self->head - 1) & (self->capacity - 1);
    self->items[self->head] = item;
    self->length++;
    self->version++;
    if (self->maxlen >= 0 && self->length > self->maxlen) {
        Py_DECREF(deque_take_right(self));
    }
    return 0;
}

static int deque_append(struct deque *self, PyObject *item)
{
    return deque_add_right(self, Py_NewRef(item));
}

static int deque_appendleft(struct deque *self, PyObject *item)
{
    return deque_add_left(self, Py_NewRef(item));
}

static PyObject *deque_pop(struct deque *self)
{
    if (self->length == 0) {
        PyErr_SetString(PyExc_IndexError, "pop from an empty deque");
        return NULL;
    }
    PyObject *item = deque_take_right(self);
    deque_shrink(self);
    return item;
}

static PyObject *deque_popleft(struct deque *self)
{
    if (self->length == 0) {
        PyErr_SetString(PyExc_IndexError, "pop from an empty deque");
        return NULL;
    }
    PyObject *item = deque_take_left(self);
    deque_shrink(self);
    return item;
}

/* Empties the deque first and lets the items go then, since that may run any code. */
static int deque_clear(struct deque *self)
{
    PyObject **items = self->items;
    size_t head = self->head, capacity = self->capacity;
    Py_ssize_t length = self->length;
    self->items = NULL;
    self->head = self->capacity = 0;
    self->length = 0;
    self->version++;
    for (Py_ssize_t i = 0; i < length; i++) {
        Py_DECREF(items[(head + (size_t)i) & (capacity - 1)]);
    }
    PyMem_Free(items);
    return 0;
}

/* ---- extend --------------------------------------------------------------------------------- */

/* Adds all items of an iterator; no lock held, each item is added under it. */
static int deque_drain(struct deque *self, PyObject *it, int (*add)(struct deque *, PyObject *))
{
    PyObject *item;
    iternextfunc next = Py_TYPE(it)->tp_iternext;
    size_t taken = 0;
    if (self->maxlen == 0) {
        while ((item = next(it)) != NULL) {
            Py_DECREF(item);
            if (UNLIKELY((++taken & 0xFF) == 0) && PyErr_CheckSignals() < 0) {
                return -1;
            }
        }
        return iter_ended() ? 0 : -1;
    }
    while ((item = next(it)) != NULL) {
        if (LOCKED(self, add(self, item)) < 0
            || (UNLIKELY((++taken & 0xFF) == 0) && PyErr_CheckSignals() < 0)) {
            return -1;
        }
    }
    return iter_ended() ? 0 : -1;
}

static int deque_extend_with(struct deque *self, PyObject *iterable,
                             int (*add)(struct deque *, PyObject *))
{
    PyObject *source =
        iterable == (PyObject *)self ? PySequence_List(iterable) : Py_NewRef(iterable);
    PyObject *it = source ? PyObject_GetIter(source) : NULL;
    Py_XDECREF(source);
    int rc = it ? deque_drain(self, it, add) : -1;
    Py_XDECREF(it);
    return rc;
}

static int deque_extend(struct deque *self, PyObject *iterable)
{
    return deque_extend_with(self, iterable, deque_add_right);
}

static int deque_extendleft(struct deque *self, PyObject *iterable)
{
    return deque_extend_with(self, iterable, deque_add_left);
}

static PyObject *deque_inplace_concat(PyObject *op, PyObject *other)
{
    return deque_extend((struct deque *)op, other) < 0 ? NULL : Py_NewRef(op);
}

/* ---- making and copying --------------------------------------------------------------------- */

static Py_ssize_t deque_length(PyObject *op)
{
    return __atomic_load_n(&((struct deque *)op)->length, __ATOMIC_RELAXED);
}

static PyObject *deque_make(PyTypeObject *type, PyObject *Py_UNUSED(args),
                            PyObject *Py_UNUSED(kwargs))
{
    struct deque *self = type_make(type);
    if (self != NULL) {
        self->maxlen = -1;
    }
    return (PyObject *)self;
}

/* Called without the lock: filling a deque takes it for each item. */
static int deque_init(struct deque *self, PyObject *iterable, PyObject *limit)
{
    Py_ssize_t maxlen = -1;
    if (limit != NULL && limit != Py_None) {
        if (!PyLong_Check(limit)) {
            PyErr_SetString(PyExc_TypeError, "an integer is required");
            return -1;
        }
        maxlen = PyLong_AsSsize_t(limit);
        if (maxlen == -1 && PyErr_Occurred()) {
            return -1;
        }
        if (maxlen < 0) {
            PyErr_SetString(PyExc_ValueError, "maxlen must be non-negative");
            return -1;
        }
    }
    self->maxlen = maxlen;
    if (deque_length((PyObject *)self) > 0) {
        (void)LOCKED(self, deque_clear(self));
    }
    return iterable == NULL ? 0 : deque_extend(self, iterable);
}

/* A plain deque with the same items and maxlen. */
static PyObject *deque_duplicate(struct deque *self, PyTypeObject *type)
{
    struct deque *copy = (struct deque *)deque_make(type, NULL, NULL);
    if (copy == NULL) {
        return NULL;
    }
    copy->maxlen = self->maxlen;
    if (self->length != 0 && deque_resize(copy, self->capacity) < 0) {
        Py_DECREF(copy);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < self->length; i++) {
        copy->items[i] = Py_NewRef(*deque_slot(self, i));
    }
    copy->length = self->length;
    return (PyObject *)copy;
}

static PyObject *deque_copy(struct deque *self)
{
    PyTypeObject *type = Py_TYPE(self);
    struct collections_state *state = collections_state_of(type);
    if (state == NULL) {
        return NULL;
    }
    if ((PyObject *)type == state->deque_type) {
        return deque_duplicate(self, type);
    }
    PyObject *copy = self->maxlen < 0
                         ? PyObject_CallOneArg((PyObject *)type, (PyObject *)self)
                         : PyObject_CallFunction((PyObject *)type, "On", self, self->maxlen);
    if (copy != NULL && !PyObject_TypeCheck(copy, (PyTypeObject *)state->deque_type)) {
        PyErr_Format(PyExc_TypeError, "%.200s() must return a deque, not %.200s", type->tp_name,
                     Py_TYPE(copy)->tp_name);
        Py_CLEAR(copy);
    }
    return copy;
}

static PyObject *deque_copy_method(struct deque *self)
{
    return deque_copy(self);
}

static PyObject *deque_concat_locked(struct deque *self, PyObject *other)
{
    PyObject *sum = deque_copy(self);
    if (sum != NULL && deque_extend((struct deque *)sum, other) < 0) {
        Py_CLEAR(sum);
    }
    return sum;
}

static PyObject *deque_concat(PyObject *op, PyObject *other)
{
    struct collections_state *state = collections_state_of(Py_TYPE(op));
    if (state == NULL) {
        return NULL;
    }
    if (!PyObject_TypeCheck(other, (PyTypeObject *)state->deque_type)) {
        PyErr_Format(PyExc_TypeError, "can only concatenate deque (not \"%.200s\") to deque",
                     Py_TYPE(other)->tp_name);
        return NULL;
    }
    return LOCKED(op, deque_concat_locked((struct deque *)op, other));
}

static int deque_repeat_locked(struct deque *self, Py_ssize_t n)
{
    if (n <= 0) {
        deque_clear(self);
        return 0;
    }
    Py_ssize_t length = self->length;
    if (length == 0 || n == 1) {
        return 0;
    }
    if (self->maxlen < 0 && length > PY_SSIZE_T_MAX / n) {
        PyErr_NoMemory();
        return -1;
    }
    /* With a maxlen only the last items stay: start no earlier than needed for them. */
    Py_ssize_t more = self->maxlen < 0 ? length * (n - 1)
                      : n - 1 > self->maxlen / length + 1
                          ? self->maxlen + (length - self->maxlen % length) % length
                          : length * (n - 1);
    PyObject *old = PyList_New(length);
    for (Py_ssize_t i = 0; old != NULL && i < length; i++) {
        PyList_SET_ITEM(old, i, Py_NewRef(*deque_slot(self, i)));
    }
    int rc = old ? 0 : -1;
    for (Py_ssize_t i = 0; rc == 0 && i < more; i++) {
        rc = deque_add_right(self, Py_NewRef(PyList_GET_ITEM(old, i % length)));
    }
    Py_XDECREF(old);
    return rc;
}

static PyObject *deque_inplace_repeat(PyObject *op, Py_ssize_t n)
{
    int rc = LOCKED(op, deque_repeat_locked((struct deque *)op, n));
    return rc < 0 ? NULL : Py_NewRef(op);
}

static PyObject *deque_repeat(PyObject *op, Py_ssize_t n)
{
    PyObject *copy = LOCKED(op, deque_copy((struct deque *)op));
    PyObject *result = copy ? deque_inplace_repeat(copy, n) : NULL;
    Py_XDECREF(copy);
    return result;
}

/* ---- searching ------------------------------------------------------------------------------ */

/* Compares item i with value: 1, 0, or -1 with an exception, also if that changed the deque. */
static int deque_item_is(struct deque *self, Py_ssize_t i, PyObject *value, PyObject *error,
                         const char *complaint)
{
    PyObject *item = Py_NewRef(*deque_slot(self, i));
    size_t version = self->version;
    int equal = PyObject_RichCompareBool(item, value, Py_EQ);
    Py_DECREF(item);
    if (equal >= 0 && self->version != version) {
        PyErr_SetString(error, complaint);
        return -1;
    }
    return equal;
}

static Py_ssize_t deque_count(struct deque *self, PyObject *value)
{
    Py_ssize_t count = 0;
    for (Py_ssize_t i = 0; i < self->length; i++) {
        int equal =
            deque_item_is(self, i, value, PyExc_RuntimeError, "deque mutated during iteration");
        if (equal < 0) {
            return -1;
        }
        count += equal;
    }
    return count;
}

static int deque_contains_locked(struct deque *self, PyObject *value)
{
    for (Py_ssize_t i = 0; i < self->length; i++) {
        int equal =
            deque_item_is(self, i, value, PyExc_RuntimeError, "deque mutated during iteration");
        if (equal != 0) {
            return equal;
        }
    }
    return 0;
}

static int deque_contains(PyObject *op, PyObject *value)
{
    return LOCKED(op, deque_contains_locked((struct deque *)op, value));
}

static Py_ssize_t deque_index(struct deque *self, PyObject *value, Py_ssize_t start,
                              Py_ssize_t stop)
{
    start = start < 0 ? Py_MAX(start + self->length, 0) : start;
    stop = stop < 0 ? Py_MAX(stop + self->length, 0) : Py_MIN(stop, self->length);
    for (Py_ssize_t i = start; i < stop; i++) {
        int equal =
            deque_item_is(self, i, value, PyExc_RuntimeError, "deque mutated during iteration");
        if (equal != 0) {
            return equal < 0 ? -1 : i;
        }
    }
    PyErr_Format(PyExc_ValueError, "%R is not in deque", value);
    return -1;
}

/* ---- in the middle -------------------------------------------------------------------------- */

static inline void deque_copy_item(struct deque *self, Py_ssize_t to, Py_ssize_t from)
{
    *deque_slot(self, to) = *deque_slot(self, from);
}

/* Takes item i out (new reference), moving whichever side is shorter. */
static PyObject *deque_take(struct deque *self, Py_ssize_t i)
{
    PyObject *item = *deque_slot(self, i);
    if (i < self->length / 2) {
        for (; i > 0; i--) {
            deque_copy_item(self, i, i - 1);
        }
        (void)deque_take_left(self);
    } else {
        for (; i < self->length - 1; i++) {
            deque_copy_item(self, i, i + 1);
        }
        (void)deque_take_right(self);
    }
    return item;
}

static int deque_insert(struct deque *self, Py_ssize_t index, PyObject *value)
{
    if (self->maxlen == self->length) {
        PyErr_SetString(PyExc_IndexError, "deque already at its maximum size");
        return -1;
    }
    if (index < 0) {
        index = Py_MAX(index + self->length, 0);
    }
    index = Py_MIN(index, self->length);
    if (index < self->length / 2) {
        if (deque_add_left(self, Py_NewRef(value)) < 0) {
            return -1;
        }
        for (Py_ssize_t i = 0; i < index; i++) {
            deque_copy_item(self, i, i + 1);
        }
    } else {
        if (deque_add_right(self, Py_NewRef(value)) < 0) {
            return -1;
        }
        for (Py_ssize_t i = self->length - 1; i > index; i--) {
            deque_copy_item(self, i, i - 1);
        }
    }
    *deque_slot(self, index) = value;
    return 0;
}

static int deque_remove(struct deque *self, PyObject *value)
{
    for (Py_ssize_t i = 0; i < self->length; i++) {
        int equal =
            deque_item_is(self, i, value, PyExc_IndexError, "deque mutated during remove().");
        if (equal < 0) {
            return -1;
        }
        if (equal > 0) {
            Py_DECREF(deque_take(self, i));
            return 0;
        }
    }
    PyErr_SetString(PyExc_ValueError, "deque.remove(x): x not in deque");
    return -1;
}

static void deque_reverse(struct deque *self)
{
    for (Py_ssize_t i = 0, j = self->length - 1; i < j; i++, j--) {
        PyObject **a = deque_slot(self, i), **b = deque_slot(self, j);
        PyObject *item = *a;
        *a = *b;
        *b = item;
    }
    self->version++;
}

static void deque_rotate(struct deque *self, Py_ssize_t n)
{
    Py_ssize_t length = self->length;
    if (length <= 1) {
        return;
    }
    n %= length;
    n = n > length / 2 ? n - length : n < -(length / 2) ? n + length : n;
    size_t mask = self->capacity - 1;
    for (; n > 0; n--) { /* the last item comes before the first */
        PyObject *item = *deque_slot(self, length - 1);
        self->head = (self->head - 1) & mask;
        self->items[self->head] = item;
    }
    for (; n < 0; n++) {
        PyObject *item = self->items[self->head];
        self->head = (self->head + 1) & mask;
        *deque_slot(self, length - 1) = item;
    }
    self->version++;
}

/* ---- as a sequence -------------------------------------------------------------------------- */

static PyObject *deque_item_locked(struct deque *self, Py_ssize_t i)
{
    if (i < 0 || i >= self->length) {
        PyErr_SetString(PyExc_IndexError, "deque index out of range");
        return NULL;
    }
    return Py_NewRef(*deque_slot(self, i));
}

static PyObject *deque_item(PyObject *op, Py_ssize_t i)
{
    return LOCKED(op, deque_item_locked((struct deque *)op, i));
}

/* What was replaced (new reference), or NULL with IndexError. */
static PyObject *deque_replace_locked(struct deque *self, Py_ssize_t i, PyObject *value)
{
    if (i < 0 || i >= self->length) {
        PyErr_SetString(PyExc_IndexError, "deque index out of range");
        return NULL;
    }
    if (value == NULL) {
        return deque_take(self, i);
    }
    PyObject *old = *deque_slot(self, i);
    *deque_slot(self, i) = Py_NewRef(value);
    return old;
}

static int deque_assign(PyObject *op, Py_ssize_t i, PyObject *value)
{
    PyObject *old = LOCKED(op, deque_replace_locked((struct deque *)op, i, value));
    Py_XDECREF(old);
    return old ? 0 : -1;
}

static PyObject *deque_repr(PyObject *op)
{
    int entered = Py_ReprEnter(op);
    if (entered != 0) {
        return entered < 0 ? NULL : PyUnicode_FromString("[...]");
    }
    PyObject *list = PySequence_List(op);
    PyObject *text = NULL;
    if (list != NULL) {
        Py_ssize_t maxlen = ((struct deque *)op)->maxlen;
        PyObject *name = PyType_GetName(Py_TYPE(op));
        if (name != NULL) {
            text = maxlen >= 0 ? PyUnicode_FromFormat("%U(%R, maxlen=%zd)", name, list, maxlen)
                               : PyUnicode_FromFormat("%U(%R)", name, list);
        }
        Py_XDECREF(name);
        Py_DECREF(list);
    }
    Py_ReprLeave(op);
    return text;
}

static PyObject *deque_compare(PyObject *a, PyObject *b, int op)
{
    struct collections_state *state = collections_state_of(Py_TYPE(a));
    if (state == NULL) {
        return NULL;
    }
    if (!PyObject_TypeCheck(b, (PyTypeObject *)state->deque_type)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    Py_ssize_t a_len = deque_length(a), b_len = deque_length(b);
    if (a == b || (a_len != b_len && (op == Py_EQ || op == Py_NE))) {
        Py_RETURN_RICHCOMPARE(a_len, b_len, op);
    }
    PyObject *left_it = PyObject_GetIter(a), *right_it = left_it ? PyObject_GetIter(b) : NULL;
    PyObject *result = NULL, *left = NULL, *right = NULL;
    while (right_it != NULL) {
        left = PyIter_Next(left_it);
        right = left || !PyErr_Occurred() ? PyIter_Next(right_it) : NULL;
        if (PyErr_Occurred()) {
            break;
        }
        if (left == NULL || right == NULL) { /* one is a prefix of the other */
            int a_rest = left != NULL, b_rest = right != NULL;
            bool holds = op == Py_LT   ? a_rest < b_rest
                         : op == Py_LE ? a_rest <= b_rest
                         : op == Py_EQ ? a_rest == b_rest
                         : op == Py_NE ? a_rest != b_rest
                         : op == Py_GT ? a_rest > b_rest
                                       : a_rest >= b_rest;
            result = PyBool_FromLong(holds);
            break;
        }
        int equal = PyObject_RichCompareBool(left, right, Py_EQ);
        if (equal <= 0) {
            result = equal < 0 ? NULL : PyObject_RichCompare(left, right, op);
            break;
        }
        Py_CLEAR(left);
        Py_CLEAR(right);
    }
    Py_XDECREF(left);
    Py_XDECREF(right);
    Py_XDECREF(left_it);
    Py_XDECREF(right_it);
    return result;
}

static PyObject *deque_reduce(struct deque *self)
{
    PyObject *state = PyObject_CallMethod((PyObject *)self, "__getstate__", NULL);
    PyObject *it = state ? PyObject_GetIter((PyObject *)self) : NULL;
    if (it == NULL) {
        Py_XDECREF(state);
        return NULL;
    }
    return self->maxlen < 0 ? Py_BuildValue("O()NN", Py_TYPE(self), state, it)
                            : Py_BuildValue("O(()n)NN", Py_TYPE(self), self->maxlen, state, it);
}

static size_t deque_sizeof(struct deque *self)
{
    return (size_t)Py_TYPE(self)->tp_basicsize + self->capacity * sizeof(PyObject *);
}

static PyObject *deque_get_maxlen(struct deque *self)
{
    return self->maxlen < 0 ? Py_NewRef(Py_None) : PyLong_FromSsize_t(self->maxlen);
}

/* ---- the type ------------------------------------------------------------------------------- */

static int deque_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct deque *self = (struct deque *)op;
    Py_VISIT(Py_TYPE(op));
    for (Py_ssize_t i = 0; i < self->length; i++) {
        Py_VISIT(*deque_slot(self, i));
    }
    return 0;
}

static int deque_tp_clear(PyObject *op)
{
    return deque_clear((struct deque *)op);
}

static void deque_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_TRASHCAN_BEGIN(op, deque_dealloc) PyTypeObject *type = Py_TYPE(op);
    PyObject_ClearWeakRefs(op);
    deque_clear((struct deque *)op);
    type->tp_free(op);
    Py_DECREF(type);
    Py_TRASHCAN_END
}

static PyObject *deque_iter(PyObject *op);

static PyMemberDef deque_hidden_members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(struct deque, weaklist), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot deque_slots[] = {
    {Py_tp_dealloc, deque_dealloc},
    {Py_tp_traverse, deque_traverse},
    {Py_tp_clear, deque_tp_clear},
    {Py_tp_repr, deque_repr},
    {Py_tp_hash, PyObject_HashNotImplemented},
    {Py_tp_getattro, PyObject_GenericGetAttr},
    {Py_tp_doc, deque_doc},
    {Py_tp_richcompare, deque_compare},
    {Py_tp_iter, deque_iter},
    {Py_tp_getset, deque_getset},
    {Py_tp_members, deque_hidden_members},
    {Py_tp_methods, deque_methods},
    {Py_tp_init, bind_deque_init},
    {Py_tp_new, deque_make},
    {Py_sq_length, deque_length},
    {Py_sq_concat, deque_concat},
    {Py_sq_repeat, deque_repeat},
    {Py_sq_item, deque_item},
    {Py_sq_ass_item, deque_assign},
    {Py_sq_contains, deque_contains},
    {Py_sq_inplace_concat, deque_inplace_concat},
    {Py_sq_inplace_repeat, deque_inplace_repeat},
    {0, NULL},
};

PyType_Spec deque_spec = {
    "collections.deque",
    sizeof(struct deque),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_SEQUENCE
        | Py_TPFLAGS_IMMUTABLETYPE,
    deque_slots,
};

/* ---- iterators ------------------------------------------------------------------------------ */

static PyObject *deque_iterator_over(PyTypeObject *type, struct deque *deque)
{
    struct deque_iterator *it = type_make(type);
    if (it != NULL) {
        it->deque = Py_NewRef((PyObject *)deque);
        it->version = deque->version;
        it->left = deque->length;
    }
    return (PyObject *)it;
}

static PyObject *deque_iter(PyObject *op)
{
    struct collections_state *state = collections_state_of(Py_TYPE(op));
    PyTypeObject *type = state ? (PyTypeObject *)state->iterator_type : NULL;
    return type ? LOCKED(op, deque_iterator_over(type, (struct deque *)op)) : NULL;
}

static PyObject *deque_reversed(struct deque *self)
{
    struct collections_state *state = collections_state_of(Py_TYPE(self));
    PyTypeObject *type = state ? (PyTypeObject *)state->reverse_type : NULL;
    return type ? LOCKED(self, deque_iterator_over(type, self)) : NULL;
}

/* Called with the deque locked, which protects its iterators as well. */
static inline PyObject *deque_iterator_step(struct deque_iterator *it, struct deque *deque,
                                            bool backwards)
{
    if (it->version != deque->version) {
        it->left = 0;
        PyErr_SetString(PyExc_RuntimeError, "deque mutated during iteration");
        return NULL;
    }
    if (it->left == 0) {
        return NULL;
    }
    it->left--;
    Py_ssize_t i = it->done++;
    return Py_NewRef(*deque_slot(deque, backwards ? deque->length - 1 - i : i));
}

static PyObject *deque_iterator_next(PyObject *op)
{
    struct deque_iterator *it = (struct deque_iterator *)op;
    struct deque *deque = (struct deque *)it->deque;
    return LOCKED(deque, deque_iterator_step(it, deque, false));
}

static PyObject *deque_reverse_next(PyObject *op)
{
    struct deque_iterator *it = (struct deque_iterator *)op;
    struct deque *deque = (struct deque *)it->deque;
    return LOCKED(deque, deque_iterator_step(it, deque, true));
}

/* An iterator `index` items further on, for unpickling. */
static PyObject *deque_iterator_at(PyTypeObject *type, PyObject *deque, Py_ssize_t index)
{
    struct collections_state *state = collections_state_of(type);
    if (state == NULL) {
        return NULL;
    }
    PyTypeObject *deque_type = (PyTypeObject *)state->deque_type;
    if (!PyObject_TypeCheck(deque, deque_type)) {
        PyErr_Format(PyExc_TypeError, "argument 1 must be collections.deque, not %.50s",
                     deque == Py_None ? "None" : Py_TYPE(deque)->tp_name);
        return NULL;
    }
    struct deque_iterator *it =
        (struct deque_iterator *)LOCKED(deque, deque_iterator_over(type, (struct deque *)deque));
    if (it != NULL && index > 0) {
        it->done = Py_MIN(index, it->left);
        it->left -= it->done;
    }
    return (PyObject *)it;
}

static PyObject *deque_iterator_new(PyTypeObject *type, PyObject *deque, Py_ssize_t index)
{
    return deque_iterator_at(type, deque, index);
}

static PyObject *deque_reverse_new(PyTypeObject *type, PyObject *deque, Py_ssize_t index)
{
    return deque_iterator_at(type, deque, index);
}

static Py_ssize_t deque_iterator_length_hint(struct deque_iterator *it)
{
    return it->left;
}

static Py_ssize_t deque_reverse_length_hint(struct deque_iterator *it)
{
    return it->left;
}

static PyObject *deque_iterator_reduce(struct deque_iterator *it)
{
    return Py_BuildValue("O(On)", Py_TYPE(it), it->deque, deque_length(it->deque) - it->left);
}

static PyObject *deque_reverse_reduce(struct deque_iterator *it)
{
    return deque_iterator_reduce(it);
}

GC_OBJECT(deque_iterator, deque)

static PyType_Slot deque_iterator_slots[] = {
    GC_SLOTS(deque_iterator),
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, deque_iterator_next},
    {Py_tp_methods, deque_iterator_methods},
    {Py_tp_new, bind_deque_iterator_new},
    {0, NULL},
};

static PyType_Slot deque_reverse_slots[] = {
    GC_SLOTS(deque_iterator),
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, deque_reverse_next},
    {Py_tp_methods, deque_reverse_methods},
    {Py_tp_new, bind_deque_reverse_new},
    {0, NULL},
};

PyType_Spec deque_iterator_spec = {
    "collections._deque_iterator",
    sizeof(struct deque_iterator),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    deque_iterator_slots,
};

PyType_Spec deque_reverse_spec = {
    "collections._deque_reverse_iterator",
    sizeof(struct deque_iterator),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    deque_reverse_slots,
};
