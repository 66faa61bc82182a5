/* The types Pickler and the view of its memo. */
#include "pickle.h"

struct memo_proxy {
    PyObject_HEAD
    PyObject *owner; /* the pickler */
};

#include "pickler.bind.h"

/* ---- one user at a time --------------------------------------------------------------------- */

int pickle_enter(unsigned long *owner, const char *what, bool again)
{
    unsigned long free = 0, self = PyThread_get_thread_ident();
    if (__atomic_compare_exchange_n(owner, &free, self, false, __ATOMIC_ACQUIRE,
                                    __ATOMIC_RELAXED)) {
        return 1;
    }
    if (free == self && again) {
        return 2;
    }
    PyErr_Format(PyExc_RuntimeError, "%s object is already used", what);
    return -1;
}

void pickle_leave(unsigned long *owner, int entered)
{
    if (entered == 1) {
        __atomic_store_n(owner, 0, __ATOMIC_RELEASE);
    }
}

/* ---- what dump() and dumps() share ---------------------------------------------------------- */

int pickler_set_options(struct pickler *self, PyObject *protocol, bool fix_imports,
                        PyObject *buffer_callback)
{
    long number = DEFAULT_PROTOCOL;
    if (protocol != Py_None) {
        number = PyLong_AsLong(protocol);
        if (number == -1 && PyErr_Occurred()) {
            return -1;
        }
        if (number < 0) {
            number = HIGHEST_PROTOCOL;
        }
    }
    if (number > HIGHEST_PROTOCOL) {
        PyErr_Format(PyExc_ValueError, "pickle protocol must be <= %d", HIGHEST_PROTOCOL);
        return -1;
    }
    if (buffer_callback != Py_None && number < 5) {
        PyErr_SetString(PyExc_ValueError, "buffer_callback needs protocol >= 5");
        return -1;
    }
    self->protocol = (int)number;
    self->bin = number > 0;
    self->fix_imports = fix_imports && number < 3;
    field_set(&self->buffer_callback,
              buffer_callback == Py_None ? NULL : Py_NewRef(buffer_callback));
    return 0;
}

int pickler_set_file(struct pickler *self, PyObject *file)
{
    PyObject *write;
    if (PyObject_GetOptionalAttr(file, self->state->str_write, &write) < 0) {
        return -1;
    }
    if (write == NULL) {
        PyErr_SetString(PyExc_TypeError, "file must have a 'write' attribute");
        return -1;
    }
    field_set(&self->out.write, write);
    return 0;
}

int pickler_write(struct pickler *self, PyObject *object)
{
    struct output *out = &self->out;
    self->fast_nesting = 0;
    Py_CLEAR(self->fast_seen);
    if (self->protocol >= 2 && output_op_number(out, OP_PROTO, (uint64_t)self->protocol, 1) < 0) {
        return -1;
    }
    if (self->protocol >= 4) {
        out->framing = true;
        out->limit = 0;
    }
    return pickle_save(self, object, true) < 0 || output_op(out, OP_STOP) < 0 ? -1
                                                                              : output_finish(out);
}

void pickler_release(struct pickler *self)
{
    output_clear(&self->out);
    pickle_memo_clear(&self->memo);
    Py_CLEAR(self->out.write);
    Py_CLEAR(self->fast_seen);
    Py_CLEAR(self->persistent_id);
    Py_CLEAR(self->own_persistent_id);
    Py_CLEAR(self->reducer_override);
    Py_CLEAR(self->dispatch_table);
    Py_CLEAR(self->used_table);
    Py_CLEAR(self->buffer_callback);
}

/* ---- Pickler -------------------------------------------------------------------------------- */

static int init_entered(struct pickler *self, PyObject *file, PyObject *protocol, bool fix_imports,
                        PyObject *buffer_callback)
{
    if (pickler_set_options(self, protocol, fix_imports, buffer_callback) < 0
        || pickler_set_file(self, file) < 0) {
        return -1;
    }
    self->fast = 0;
    output_clear(&self->out);
    pickle_memo_clear(&self->memo);
    return 0;
}

static int pickler_init(struct pickler *self, PyObject *file, PyObject *protocol, int fix_imports,
                        PyObject *buffer_callback)
{
    struct pickle_state *state = pickle_state_of(Py_TYPE(self));
    int entered = state ? pickle_enter(&self->owner, "Pickler", false) : -1;
    if (entered < 0) {
        return -1;
    }
    self->state = state;
    int rc = init_entered(self, file, protocol, fix_imports, buffer_callback);
    pickle_leave(&self->owner, entered);
    return rc;
}

static PyObject *pickler_persistent_id(struct pickler *Py_UNUSED(self), PyObject *Py_UNUSED(object))
{
    Py_RETURN_NONE;
}

/* What a subclass has made of the method `name`: 1 and a new reference, 0 for our own, -1. */
static int overridden(PyObject *self, PyObject *base, PyObject *name, PyObject **method)
{
    *method = NULL;
    if ((PyObject *)Py_TYPE(self) == base) {
        return 0;
    }
    PyObject *ours = PyObject_GetAttr(base, name);
    PyObject *theirs = ours ? PyObject_GetAttr((PyObject *)Py_TYPE(self), name) : NULL;
    int rc = theirs ? ours != theirs : -1;
    Py_XDECREF(ours);
    Py_XDECREF(theirs);
    if (rc == 1) {
        *method = PyObject_GetAttr(self, name);
        rc = *method ? 1 : -1;
    }
    return rc;
}

/* Looks up what a subclass may have changed, for one dump. */
static int find_hooks(struct pickler *self)
{
    struct pickle_state *state = self->state;
    PyObject *op = (PyObject *)self, *method;
    if (self->own_persistent_id != NULL) {
        method = Py_NewRef(self->own_persistent_id);
    } else if (overridden(op, state->pickler_type, state->str_persistent_id, &method) < 0) {
        return -1;
    }
    self->persistent_id = method;
    if ((PyObject *)Py_TYPE(self) == state->pickler_type) {
        self->used_table = Py_XNewRef(self->dispatch_table);
        return 0;
    }
    if (PyObject_GetOptionalAttr(op, state->str_reducer_override, &self->reducer_override) < 0
        || PyObject_GetOptionalAttr(op, state->str_dispatch_table, &self->used_table) < 0) {
        return -1;
    }
    return 0;
}

static void drop_hooks(struct pickler *self)
{
    Py_CLEAR(self->persistent_id);
    Py_CLEAR(self->reducer_override);
    Py_CLEAR(self->used_table);
}

static int pickler_dump(struct pickler *self, PyObject *object)
{
    if (self->state == NULL || self->out.write == NULL) {
        struct pickle_state *state = pickle_state_of(Py_TYPE(self));
        if (state != NULL) {
            PyErr_Format(state->pickling_error,
                         "Pickler.__init__() was not called by %s.__init__()",
                         Py_TYPE(self)->tp_name);
        }
        return -1;
    }
    int entered = pickle_enter(&self->owner, "Pickler", false);
    if (entered < 0) {
        return -1;
    }
    output_clear(&self->out);
    int rc = find_hooks(self);
    if (rc == 0) {
        rc = pickler_write(self, object);
    }
    drop_hooks(self);
    output_clear(&self->out);
    pickle_leave(&self->owner, entered);
    return rc;
}

static int pickler_clear_memo(struct pickler *self)
{
    int entered = pickle_enter(&self->owner, "Pickler", true);
    if (entered < 0) {
        return -1;
    }
    pickle_memo_clear(&self->memo);
    pickle_leave(&self->owner, entered);
    return 0;
}

static Py_ssize_t pickler_sizeof(struct pickler *self)
{
    size_t size = (size_t)Py_TYPE(self)->tp_basicsize;
    if (self->memo.table != NULL && self->memo.table != self->memo.small) {
        size += (self->memo.mask + 1) * sizeof *self->memo.table;
    }
    if (self->out.bytes != NULL) {
        size += (size_t)self->out.cap;
    }
    return (Py_ssize_t)size;
}

/* The attribute persistent_id of an instance goes before the method, also in subclasses. */
static bool names_persistent_id(PyObject *name)
{
    return PyUnicode_Check(name) && PyUnicode_EqualToUTF8(name, "persistent_id");
}

static PyObject *pickler_getattro(PyObject *op, PyObject *name)
{
    struct pickler *self = (struct pickler *)op;
    if (names_persistent_id(name)) {
        PyObject *own = LOCKED(op, Py_XNewRef(self->own_persistent_id));
        if (own != NULL) {
            return own;
        }
    }
    return PyObject_GenericGetAttr(op, name);
}

static int pickler_setattro(PyObject *op, PyObject *name, PyObject *value)
{
    struct pickler *self = (struct pickler *)op;
    if (names_persistent_id(name)) {
        PyObject *old;
        Py_BEGIN_CRITICAL_SECTION(op);
        old = self->own_persistent_id;
        self->own_persistent_id = Py_XNewRef(value);
        Py_END_CRITICAL_SECTION();
        bool known = value != NULL || old != NULL;
        Py_XDECREF(old);
        if (known) {
            return 0;
        }
    }
    return PyObject_GenericSetAttr(op, name, value);
}

static int pickler_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct pickler *self = (struct pickler *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->out.write);
    Py_VISIT(self->persistent_id);
    Py_VISIT(self->own_persistent_id);
    Py_VISIT(self->reducer_override);
    Py_VISIT(self->dispatch_table);
    Py_VISIT(self->used_table);
    Py_VISIT(self->buffer_callback);
    for (size_t i = 0; self->memo.table != NULL && i <= self->memo.mask; i++) {
        Py_VISIT(self->memo.table[i].object);
    }
    return 0;
}

static int pickler_clear(PyObject *op)
{
    pickler_release((struct pickler *)op);
    return 0;
}

GC_DEALLOC(pickler)

static PyType_Slot pickler_slots[] = {
    GC_SLOTS(pickler),
    {Py_tp_doc, (void *)pickler_doc},
    {Py_tp_methods, pickler_methods},
    {Py_tp_members, pickler_members},
    {Py_tp_getset, pickler_getset},
    {Py_tp_getattro, pickler_getattro},
    {Py_tp_setattro, pickler_setattro},
    {Py_tp_init, bind_pickler_init},
    {Py_tp_new, PyType_GenericNew},
    {0, NULL},
};

PyType_Spec pickler_spec = {
    "_pickle.Pickler",
    sizeof(struct pickler),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    pickler_slots,
};

/* ---- the memo ------------------------------------------------------------------------------- */

/* {address: (number, object)} */
static PyObject *memo_as_dict(const struct memo *memo)
{
    PyObject *dict = PyDict_New();
    for (size_t i = 0; dict != NULL && memo->table != NULL && i <= memo->mask; i++) {
        const struct memo_entry *entry = &memo->table[i];
        if (entry->object != NULL) {
            PyObject *key = PyLong_FromVoidPtr(entry->object);
            PyObject *value = key ? Py_BuildValue("nO", entry->index, entry->object) : NULL;
            if (value == NULL || PyDict_SetItem(dict, key, value) < 0) {
                Py_CLEAR(dict);
            }
            Py_XDECREF(key);
            Py_XDECREF(value);
        }
    }
    return dict;
}

static int memo_from_dict(struct memo *memo, PyObject *dict)
{
    Py_ssize_t pos = 0;
    PyObject *key, *value;
    while (PyDict_Next(dict, &pos, &key, &value)) {
        if (!PyTuple_Check(value) || PyTuple_GET_SIZE(value) != 2) {
            PyErr_SetString(PyExc_TypeError, "'memo' values must be 2-item tuples");
            return -1;
        }
        PyObject *number = PyTuple_GET_ITEM(value, 0);
        if (!PyLong_Check(number)) {
            PyErr_SetString(PyExc_TypeError, "an integer is required");
            return -1;
        }
        Py_ssize_t index = PyLong_AsSsize_t(number);
        if ((index == -1 && PyErr_Occurred())
            || pickle_memo_set(memo, PyTuple_GET_ITEM(value, 1), index) < 0) {
            return -1;
        }
    }
    return 0;
}

static PyObject *proxy_new(PyObject *type, PyObject *owner)
{
    struct memo_proxy *proxy = type_make((PyTypeObject *)type);
    if (proxy != NULL) {
        proxy->owner = Py_NewRef(owner);
    }
    return (PyObject *)proxy;
}

static PyObject *pickler_get_memo(struct pickler *self)
{
    struct pickle_state *state = pickle_state_of(Py_TYPE(self));
    return state ? proxy_new(state->pickler_memo_type, (PyObject *)self) : NULL;
}

/* Fills a new memo from a dict or the proxy of another pickler. */
static int memo_from(struct memo *memo, struct pickle_state *state, PyObject *value)
{
    if (Py_IS_TYPE(value, (PyTypeObject *)state->pickler_memo_type)) {
        struct pickler *other = (struct pickler *)((struct memo_proxy *)value)->owner;
        int entered = pickle_enter(&other->owner, "Pickler", true);
        if (entered < 0) {
            return -1;
        }
        int rc = pickle_memo_copy(memo, &other->memo);
        pickle_leave(&other->owner, entered);
        return rc;
    }
    if (PyDict_Check(value)) {
        PyObject *copy = PyDict_Copy(value);
        int rc = copy ? memo_from_dict(memo, copy) : -1;
        Py_XDECREF(copy);
        return rc;
    }
    PyErr_Format(PyExc_TypeError,
                 "'memo' attribute must be a PicklerMemoProxy object or dict, not %.200s",
                 Py_TYPE(value)->tp_name);
    return -1;
}

/* Puts the content of `from` into `to`; both were valid and stay so. */
static void memo_exchange(struct memo *a, struct memo *b)
{
    bool a_small = a->table == a->small, b_small = b->table == b->small;
    struct memo saved = *a;
    *a = *b;
    *b = saved;
    if (b_small) {
        a->table = a->small;
    }
    if (a_small) {
        b->table = b->small;
    }
}

static int pickler_set_memo(struct pickler *self, PyObject *value)
{
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "attribute deletion is not supported");
        return -1;
    }
    struct pickle_state *state = pickle_state_of(Py_TYPE(self));
    struct memo memo = {.table = NULL};
    int rc = state ? memo_from(&memo, state, value) : -1;
    if (rc == 0) {
        int entered = pickle_enter(&self->owner, "Pickler", true);
        rc = entered < 0 ? -1 : 0;
        if (rc == 0) {
            memo_exchange(&self->memo, &memo);
            pickle_leave(&self->owner, entered);
        }
    }
    pickle_memo_clear(&memo);
    return rc;
}

static int pickler_memo_clear_all(struct memo_proxy *self)
{
    return pickler_clear_memo((struct pickler *)self->owner);
}

static PyObject *pickler_memo_copy(struct memo_proxy *self)
{
    struct pickler *owner = (struct pickler *)self->owner;
    int entered = pickle_enter(&owner->owner, "Pickler", true);
    if (entered < 0) {
        return NULL;
    }
    PyObject *dict = memo_as_dict(&owner->memo);
    pickle_leave(&owner->owner, entered);
    return dict;
}

static PyObject *pickler_memo_reduce(struct memo_proxy *self)
{
    PyObject *dict = pickler_memo_copy(self);
    return dict ? Py_BuildValue("O(N)", &PyDict_Type, dict) : NULL;
}

static int memo_proxy_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(((struct memo_proxy *)op)->owner);
    return 0;
}

/* The owner stays until the end: the proxy's methods rely on it.  Cycles are broken there. */
static void memo_proxy_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    Py_XDECREF(((struct memo_proxy *)op)->owner);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot pickler_memo_slots[] = {
    {Py_tp_traverse, memo_proxy_traverse},
    {Py_tp_dealloc, memo_proxy_dealloc},
    {Py_tp_hash, PyObject_HashNotImplemented},
    {Py_tp_methods, pickler_memo_methods},
    {0, NULL},
};

PyType_Spec pickler_memo_spec = {
    "_pickle.PicklerMemoProxy",
    sizeof(struct memo_proxy),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    pickler_memo_slots,
};
