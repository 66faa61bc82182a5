/* itertools: iterators that share the one below them: groupby with its groups, tee. */
#include "itertools.h"

struct groupby {
    PyObject_HEAD
    PyObject *it, *keyfunc, *wanted_key, *key, *value;
    const void *group; /* the group that may still take items; only compared */
};

struct grouper {
    PyObject_HEAD
    PyObject *parent, *wanted_key;
};

enum { TEE_CELLS = 57 };

/* A link of the chain of items that were read: made when the previous one is full. */
struct tee_data {
    PyObject_HEAD
    PyObject *it, *next;
    int count;
    bool running;
    PyObject *values[TEE_CELLS];
};

struct tee {
    PyObject_HEAD
    PyObject *data, *weaklist;
    int index;
};

#include "share.bind.h"

/* ---- groupby -------------------------------------------------------------------------------- */

static PyObject *groupby_new(PyTypeObject *type, PyObject *iterable, PyObject *key)
{
    PyObject *it = PyObject_GetIter(iterable);
    struct groupby *self = it ? type_make(type) : NULL;
    if (self == NULL) {
        Py_XDECREF(it);
        return NULL;
    }
    self->it = it;
    self->keyfunc = Py_NewRef(key);
    return (PyObject *)self;
}

/* Reads the next value and its key; false at the end or on error. */
static bool groupby_advance(struct groupby *self)
{
    PyObject *value = iter_next(self->it);
    if (value == NULL) {
        return false;
    }
    PyObject *key =
        self->keyfunc == Py_None ? Py_NewRef(value) : PyObject_CallOneArg(self->keyfunc, value);
    if (key == NULL) {
        Py_DECREF(value);
        return false;
    }
    field_set(&self->value, value);
    field_set(&self->key, key);
    return true;
}

/* Whether two keys are equal, both kept alive while they are compared; -1 on error. */
static int keys_equal(PyObject *a, PyObject *b)
{
    Py_INCREF(a);
    Py_INCREF(b);
    int equal = PyObject_RichCompareBool(a, b, Py_EQ);
    Py_DECREF(a);
    Py_DECREF(b);
    return equal;
}

static PyObject *grouper_make(PyTypeObject *type, struct groupby *parent, PyObject *wanted_key)
{
    struct grouper *group = type_make(type);
    if (group != NULL) {
        group->parent = Py_NewRef((PyObject *)parent);
        group->wanted_key = Py_NewRef(wanted_key);
        parent->group = group;
    }
    return (PyObject *)group;
}

static PyObject *groupby_step(struct groupby *self)
{
    self->group = NULL;
    for (;;) {
        if (self->key != NULL) {
            if (self->wanted_key == NULL) {
                break;
            }
            int equal = keys_equal(self->wanted_key, self->key);
            if (equal < 0) {
                return NULL;
            }
            if (equal == 0) {
                break;
            }
        }
        if (!groupby_advance(self)) {
            return NULL;
        }
    }
    PyObject *key = Py_NewRef(self->key);
    field_set(&self->wanted_key, Py_NewRef(key));
    PyTypeObject *type = itertools_type(Py_TYPE(self), GROUPER);
    PyObject *group = type ? grouper_make(type, self, key) : NULL;
    PyObject *pair = group ? PyTuple_Pack(2, key, group) : NULL;
    Py_XDECREF(group);
    Py_DECREF(key);
    return pair;
}

STEP_LOCKED(groupby)

static PyObject *groupby_reduce(struct groupby *self)
{
    if (warn_pickling() < 0) {
        return NULL;
    }
    if (self->wanted_key != NULL && self->key != NULL && self->value != NULL) {
        return Py_BuildValue("O(OO)(OOO)", Py_TYPE(self), self->it, self->keyfunc, self->key,
                             self->value, self->wanted_key);
    }
    return Py_BuildValue("O(OO)", Py_TYPE(self), self->it, self->keyfunc);
}

static int groupby_setstate(struct groupby *self, PyObject *state)
{
    if (warn_pickling() < 0) {
        return -1;
    }
    PyObject *key, *value, *wanted;
    if (!PyTuple_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "state is not a tuple");
        return -1;
    }
    if (!PyArg_ParseTuple(state, "OOO", &key, &value, &wanted)) {
        return -1;
    }
    field_set(&self->key, Py_NewRef(key));
    field_set(&self->value, Py_NewRef(value));
    field_set(&self->wanted_key, Py_NewRef(wanted));
    return 0;
}

GC_OBJECT(groupby, it, keyfunc, wanted_key, key, value)

static PyType_Slot groupby_slots[] = {
    ITERATOR_SLOTS(groupby),
    {Py_tp_doc, groupby_doc},
    {Py_tp_new, bind_groupby_new},
    {Py_tp_methods, groupby_methods},
    {0, NULL},
};

ITERATOR_SPEC(groupby, Py_TPFLAGS_BASETYPE)

/* -- its groups -- */

static PyObject *grouper_new(PyTypeObject *type, PyObject *parent, PyObject *wanted_key)
{
    PyObject *module = PyType_GetModuleByDef(type, &itertools_module);
    PyObject *groupby = module ? PyObject_GetAttrString(module, "groupby") : NULL;
    if (groupby == NULL) {
        return NULL;
    }
    int is_groupby = PyObject_IsInstance(parent, groupby);
    const char *name = Py_TYPE(parent)->tp_name;
    if (is_groupby == 0) {
        PyErr_Format(PyExc_TypeError, "_grouper() argument 1 must be itertools.groupby, not %.50s",
                     parent == Py_None ? "None" : name);
    }
    Py_DECREF(groupby);
    return is_groupby > 0 ? grouper_make(type, (struct groupby *)parent, wanted_key) : NULL;
}

/* Called with the parent locked: the group reads on only while it is the current one. */
static PyObject *grouper_step(struct grouper *self, struct groupby *parent)
{
    if (parent->group != self) {
        return NULL;
    }
    if (parent->value == NULL && !groupby_advance(parent)) {
        return NULL;
    }
    if (parent->key == NULL || parent->value == NULL) {
        return NULL;
    }
    int equal = keys_equal(self->wanted_key, parent->key);
    if (equal <= 0) {
        return NULL;
    }
    PyObject *value = parent->value;
    parent->value = NULL;
    Py_CLEAR(parent->key);
    return value;
}

static PyObject *grouper_next(PyObject *op)
{
    struct grouper *self = (struct grouper *)op;
    struct groupby *parent = (struct groupby *)self->parent;
    return LOCKED(parent, grouper_step(self, parent));
}

static PyObject *grouper_reduce(struct grouper *self)
{
    if (warn_pickling() < 0) {
        return NULL;
    }
    if (((struct groupby *)self->parent)->group == self) {
        return Py_BuildValue("O(OO)", Py_TYPE(self), self->parent, self->wanted_key);
    }
    PyObject *iter = PyEval_GetBuiltins();
    iter = iter ? PyDict_GetItemString(iter, "iter") : NULL;
    return iter ? Py_BuildValue("O(())", iter) : NULL;
}

GC_OBJECT(grouper, parent, wanted_key)

static PyType_Slot grouper_slots[] = {
    ITERATOR_SLOTS(grouper),
    {Py_tp_new, bind_grouper_new},
    {Py_tp_methods, grouper_methods},
    {0, NULL},
};

PyType_Spec grouper_spec = {
    "itertools._grouper",
    sizeof(struct grouper),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    grouper_slots,
};

/* ---- tee ------------------------------------------------------------------------------------ */

static PyObject *tee_data_make(PyTypeObject *type, PyObject *it)
{
    struct tee_data *data = type_make(type);
    if (data != NULL) {
        data->it = Py_NewRef(it);
    }
    return (PyObject *)data;
}

/* Item i, read now if nobody has yet (new reference). */
static PyObject *tee_data_get(struct tee_data *self, int i)
{
    if (i < self->count) {
        return Py_NewRef(self->values[i]);
    }
    if (self->running) {
        PyErr_SetString(PyExc_RuntimeError, "cannot re-enter the tee iterator");
        return NULL;
    }
    if (self->it == NULL) {
        return NULL;
    }
    self->running = true;
    PyObject *value = iter_next(self->it);
    self->running = false;
    if (value != NULL) {
        self->values[self->count++] = Py_NewRef(value);
    }
    return value;
}

static PyObject *tee_data_next_locked(struct tee_data *self)
{
    if (self->next == NULL) {
        self->next = tee_data_make(Py_TYPE(self), self->it);
    }
    return Py_XNewRef(self->next);
}

static int tee_data_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct tee_data *self = (struct tee_data *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->it);
    Py_VISIT(self->next);
    for (int i = 0; i < self->count; i++) {
        Py_VISIT(self->values[i]);
    }
    return 0;
}

/* A long chain is let go link by link, as long as nobody else holds one. */
static void tee_data_release(PyObject *link, PyTypeObject *type)
{
    while (link != NULL && Py_IS_TYPE(link, type) && Py_REFCNT(link) == 1) {
        struct tee_data *data = (struct tee_data *)link;
        PyObject *next = data->next;
        data->next = NULL;
        Py_DECREF(link);
        link = next;
    }
    Py_XDECREF(link);
}

static int tee_data_clear(PyObject *op)
{
    struct tee_data *self = (struct tee_data *)op;
    Py_CLEAR(self->it);
    int count = self->count;
    self->count = 0;
    for (int i = 0; i < count; i++) {
        Py_CLEAR(self->values[i]);
    }
    PyObject *next = self->next;
    self->next = NULL;
    tee_data_release(next, Py_TYPE(op));
    return 0;
}

GC_DEALLOC(tee_data)

static PyObject *tee_data_reduce(struct tee_data *self)
{
    if (warn_pickling() < 0) {
        return NULL;
    }
    PyObject *values = PyList_New(self->count);
    for (int i = 0; values != NULL && i < self->count; i++) {
        PyList_SET_ITEM(values, i, Py_NewRef(self->values[i]));
    }
    PyObject *next = self->next ? self->next : Py_None;
    return values ? Py_BuildValue("O(ONO)", Py_TYPE(self), self->it, values, next) : NULL;
}

static PyObject *tee_data_new(PyTypeObject *type, PyObject *it, PyObject *values, PyObject *next)
{
    struct tee_data *self = (struct tee_data *)tee_data_make(type, it);
    if (self == NULL) {
        return NULL;
    }
    Py_ssize_t count = PyList_GET_SIZE(values);
    if (count > TEE_CELLS) {
        PyErr_SetString(PyExc_ValueError, "Invalid arguments");
        goto fail;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *value = PyList_GetItemRef(values, i);
        if (value == NULL) {
            goto fail;
        }
        self->values[self->count++] = value;
    }
    if (count == TEE_CELLS && next != Py_None) {
        if (!Py_IS_TYPE(next, type)) {
            PyErr_SetString(PyExc_ValueError, "Invalid arguments");
            goto fail;
        }
        self->next = Py_NewRef(next);
    } else if (next != Py_None) {
        PyErr_SetString(PyExc_ValueError, "Invalid arguments");
        goto fail;
    }
    return (PyObject *)self;
fail:
    Py_DECREF(self);
    return NULL;
}

static PyType_Slot tee_data_slots[] = {
    GC_SLOTS(tee_data),
    {Py_tp_doc, tee_data_doc},
    {Py_tp_new, bind_tee_data_new},
    {Py_tp_methods, tee_data_methods},
    {0, NULL},
};

PyType_Spec tee_data_spec = {
    "itertools._tee_dataobject",
    sizeof(struct tee_data),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    tee_data_slots,
};

/* -- the iterators -- */

/* Moves to the next link once this one is used up; -1 on error. */
static int tee_follow(struct tee *self)
{
    if (self->index < TEE_CELLS) {
        return 0;
    }
    struct tee_data *data = (struct tee_data *)self->data;
    PyObject *next = LOCKED(data, tee_data_next_locked(data));
    if (next == NULL) {
        return -1;
    }
    field_set(&self->data, next);
    self->index = 0;
    return 0;
}

static PyObject *tee_step(struct tee *self)
{
    if (tee_follow(self) < 0) {
        return NULL;
    }
    struct tee_data *data = (struct tee_data *)Py_NewRef(self->data);
    PyObject *value = LOCKED(data, tee_data_get(data, self->index));
    if (value != NULL) {
        self->index++;
    }
    Py_DECREF(data);
    return value;
}

STEP_LOCKED(tee)

static PyObject *tee_make(PyTypeObject *type, PyObject *data, int index)
{
    struct tee *self = type_make(type);
    if (self != NULL) {
        self->data = Py_NewRef(data);
        self->index = index;
    }
    return (PyObject *)self;
}

static PyObject *tee_copy(struct tee *self)
{
    return LOCKED(self, tee_make(Py_TYPE(self), self->data, self->index));
}

/* An iterable as something that can be copied: a tee as its copy, so that tees never pile up. */
static PyObject *tee_over(PyTypeObject *type, PyObject *iterable)
{
    PyObject *it = PyObject_GetIter(iterable);
    if (it == NULL) {
        return NULL;
    }
    PyObject *made = NULL;
    if (Py_IS_TYPE(it, type)) {
        made = tee_copy((struct tee *)it);
    } else {
        PyTypeObject *data_type = itertools_type(type, TEE_DATA);
        PyObject *data = data_type ? tee_data_make(data_type, it) : NULL;
        made = data ? tee_make(type, data, 0) : NULL;
        Py_XDECREF(data);
    }
    Py_DECREF(it);
    return made;
}

static PyObject *tee_new(PyTypeObject *type, PyObject *iterable)
{
    return tee_over(type, iterable);
}

static PyObject *tee_reduce(struct tee *self)
{
    return warn_pickling() < 0 ? NULL
                               : Py_BuildValue("O(())(Oi)", Py_TYPE(self), self->data, self->index);
}

static int tee_setstate(struct tee *self, PyObject *state)
{
    if (warn_pickling() < 0) {
        return -1;
    }
    if (!PyTuple_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "state is not a tuple");
        return -1;
    }
    PyTypeObject *data_type = itertools_type(Py_TYPE(self), TEE_DATA);
    PyObject *data;
    int index;
    if (data_type == NULL || !PyArg_ParseTuple(state, "O!i", data_type, &data, &index)) {
        return -1;
    }
    if (index < 0 || index > TEE_CELLS) {
        PyErr_SetString(PyExc_ValueError, "Index out of range");
        return -1;
    }
    field_set(&self->data, Py_NewRef(data));
    self->index = index;
    return 0;
}

GC_FIELDS(tee, data)

static void tee_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    PyObject_ClearWeakRefs(op);
    tee_clear(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyMemberDef tee_hidden_members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(struct tee, weaklist), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot tee_slots[] = {
    ITERATOR_SLOTS(tee),
    {Py_tp_doc, tee_doc},
    {Py_tp_new, bind_tee_new},
    {Py_tp_methods, tee_methods},
    {Py_tp_members, tee_hidden_members},
    {0, NULL},
};

PyType_Spec tee_spec = {
    "itertools._tee",
    sizeof(struct tee),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    tee_slots,
};

PyObject *itertools_tee(PyObject *module, PyObject *iterable, Py_ssize_t n)
{
    if (n < 0) {
        PyErr_SetString(PyExc_ValueError, "n must be >= 0");
        return NULL;
    }
    PyObject *result = PyTuple_New(n);
    if (result == NULL || n == 0) {
        return result;
    }
    struct itertools_state *state = PyModule_GetState(module);
    PyObject *it = PyObject_GetIter(iterable);
    PyObject *copy = NULL;
    PyTypeObject *type = (PyTypeObject *)state->types[TEE];
    if (it == NULL || PyObject_GetOptionalAttrString(it, "__copy__", &copy) < 0) {
        goto fail;
    }
    if (copy == NULL || Py_IS_TYPE(it, type)) {
        Py_CLEAR(copy);
        Py_SETREF(it, tee_over(type, it));
        if (it == NULL || (copy = PyObject_GetAttrString(it, "__copy__")) == NULL) {
            goto fail;
        }
    }
    PyTuple_SET_ITEM(result, 0, it);
    it = NULL;
    for (Py_ssize_t i = 1; i < n; i++) {
        PyObject *other = PyObject_CallNoArgs(copy);
        if (other == NULL) {
            goto fail;
        }
        PyTuple_SET_ITEM(result, i, other);
    }
    Py_DECREF(copy);
    return result;
fail:
    Py_XDECREF(it);
    Py_XDECREF(copy);
    Py_DECREF(result);
    return NULL;
}
