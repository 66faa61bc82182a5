/* The types Unpickler and the view of its memo. */
#include "pickle.h"

struct memo_proxy {
    PyObject_HEAD
    PyObject *owner; /* the unpickler */
};

#include "unpickler.bind.h"

/* ---- the memo ------------------------------------------------------------------------------- */

/* Numbers above this go to a dict unless they follow on the others: a pickle of ten bytes must not
 * make us take gigabytes. */
enum { MEMO_NEAR = 1 << 17 };

PyObject *unpickler_memo_get(struct unpickler *self, Py_ssize_t index)
{
    if (index < self->memo_room) {
        return self->memo[index];
    }
    if (self->memo_far == NULL) {
        return NULL;
    }
    PyObject *key = PyLong_FromSsize_t(index);
    PyObject *object = key ? PyDict_GetItemWithError(self->memo_far, key) : NULL;
    Py_XDECREF(key);
    return object;
}

static int memo_put_far(struct unpickler *self, Py_ssize_t index, PyObject *object)
{
    if (self->memo_far == NULL) {
        self->memo_far = PyDict_New();
    }
    PyObject *key = self->memo_far ? PyLong_FromSsize_t(index) : NULL;
    int known = key ? PyDict_Contains(self->memo_far, key) : -1;
    int rc = known < 0 ? -1 : PyDict_SetItem(self->memo_far, key, object);
    if (rc == 0 && !known) {
        self->memo_used++;
    }
    Py_XDECREF(key);
    return rc;
}

static int memo_grow(struct unpickler *self, Py_ssize_t index)
{
    Py_ssize_t room = self->memo_room ? self->memo_room : 32;
    while (room <= index) {
        room *= 2;
    }
    PyObject **memo = PyMem_Realloc(self->memo, (size_t)room * sizeof *memo);
    if (memo == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    memset(memo + self->memo_room, 0, (size_t)(room - self->memo_room) * sizeof *memo);
    self->memo = memo;
    self->memo_room = room;
    return 0;
}

int unpickler_memo_put(struct unpickler *self, Py_ssize_t index, PyObject *object)
{
    if (UNLIKELY(index >= self->memo_room)) {
        if (index >= MEMO_NEAR && (index > self->memo_room || self->memo_far != NULL)) {
            return memo_put_far(self, index, object);
        }
        if (memo_grow(self, index) < 0) {
            return -1;
        }
    }
    PyObject *old = self->memo[index];
    self->memo[index] = Py_NewRef(object);
    self->memo_used += old == NULL;
    Py_XDECREF(old);
    return 0;
}

static void memo_release(PyObject **memo, Py_ssize_t room)
{
    for (Py_ssize_t i = 0; i < room; i++) {
        Py_XDECREF(memo[i]);
    }
    PyMem_Free(memo);
}

void unpickler_memo_clear(struct unpickler *self)
{
    PyObject **memo = self->memo;
    Py_ssize_t room = self->memo_room;
    self->memo = NULL;
    self->memo_room = self->memo_used = 0;
    memo_release(memo, room);
    Py_CLEAR(self->memo_far);
}

/* ---- what load() and loads() share ---------------------------------------------------------- */

static int copy_text(char **to, const char *text, const char *usual)
{
    char *copy = NULL;
    if (strcmp(text, usual) != 0) {
        copy = PyMem_Malloc(strlen(text) + 1);
        if (copy == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        strcpy(copy, text);
    }
    PyMem_Free(*to);
    *to = copy;
    return 0;
}

int unpickler_set_options(struct unpickler *self, bool fix_imports, const char *encoding,
                          const char *errors, PyObject *buffers)
{
    PyObject *iterator = NULL;
    if (buffers != NULL && buffers != Py_None) {
        iterator = PyObject_GetIter(buffers);
        if (iterator == NULL) {
            return -1;
        }
    }
    field_set(&self->buffers, iterator);
    self->fix_imports = fix_imports;
    return copy_text(&self->encoding, encoding, "ASCII") < 0
               ? -1
               : copy_text(&self->errors, errors, "strict");
}

int unpickler_set_file(struct unpickler *self, PyObject *file)
{
    struct pickle_state *state = self->state;
    struct input *in = &self->in;
    input_clear(in);
    in->state = state;
    if (PyObject_GetOptionalAttr(file, state->str_peek, &in->peek) < 0
        || PyObject_GetOptionalAttr(file, state->str_read, &in->read) < 0
        || PyObject_GetOptionalAttr(file, state->str_readline, &in->readline) < 0) {
        input_clear(in);
        return -1;
    }
    if (in->read == NULL || in->readline == NULL) {
        input_clear(in);
        PyErr_SetString(PyExc_TypeError, "file must have 'read' and 'readline' attributes");
        return -1;
    }
    return 0;
}

void unpickler_release(struct unpickler *self)
{
    unpickler_reset(self);
    PyMem_Free(self->stack);
    PyMem_Free(self->marks);
    self->stack = NULL;
    self->marks = NULL;
    self->room = self->mark_room = 0;
    unpickler_memo_clear(self);
    input_clear(&self->in);
    Py_CLEAR(self->buffers);
    Py_CLEAR(self->persistent_load);
    Py_CLEAR(self->own_persistent_load);
    Py_CLEAR(self->find_class);
    PyMem_Free(self->encoding);
    PyMem_Free(self->errors);
    self->encoding = self->errors = NULL;
}

/* ---- Unpickler ------------------------------------------------------------------------------ */

static int unpickler_init(struct unpickler *self, PyObject *file, int fix_imports,
                          const char *encoding, const char *errors, PyObject *buffers)
{
    struct pickle_state *state = pickle_state_of(Py_TYPE(self));
    int entered = state ? pickle_enter(&self->owner, "Unpickler", false) : -1;
    if (entered < 0) {
        return -1;
    }
    self->state = state;
    int rc = unpickler_set_file(self, file);
    if (rc == 0) {
        rc = unpickler_set_options(self, fix_imports, encoding, errors, buffers);
        unpickler_memo_clear(self);
        self->protocol = 0;
    }
    pickle_leave(&self->owner, entered);
    return rc;
}

static PyObject *unpickler_persistent_load(struct unpickler *self, PyObject *Py_UNUSED(id))
{
    struct pickle_state *state = pickle_state_of(Py_TYPE(self));
    if (state != NULL) {
        PyErr_SetString(state->unpickling_error,
                        "A load persistent id instruction was encountered, but no persistent_load "
                        "function was specified.");
    }
    return NULL;
}

static PyObject *unpickler_find_class(struct unpickler *self, PyObject *module_name, PyObject *name)
{
    struct pickle_state *state = pickle_state_of(Py_TYPE(self));
    return state ? unpickle_own_find_class(state, self->protocol, self->fix_imports, module_name,
                                           name)
                 : NULL;
}

/* The method `name`, new reference, when it is not the one that the base class has; 0 or -1. */
static int find_hook(struct unpickler *self, PyObject *name, PyObject **method)
{
    PyObject *base = PyObject_GetAttr(self->state->unpickler_type, name);
    PyObject *own = base ? PyObject_GetAttr((PyObject *)self, name) : NULL;
    int rc = own ? 0 : -1;
    if (own != NULL && PyCFunction_Check(own) && PyCFunction_GET_SELF(own) == (PyObject *)self
        && ((PyMethodDescrObject *)base)->d_method == ((PyCFunctionObject *)own)->m_ml) {
        Py_CLEAR(own);
    }
    Py_XDECREF(base);
    *method = own;
    return rc;
}

static PyObject *load_entered(struct unpickler *self)
{
    bool exact = (PyObject *)Py_TYPE(self) == self->state->unpickler_type;
    PyObject *result = NULL;
    if (exact) {
        self->persistent_load = LOCKED(self, Py_XNewRef(self->own_persistent_load));
    }
    if (exact
        || (find_hook(self, self->state->str_find_class, &self->find_class) == 0
            && find_hook(self, self->state->str_persistent_load, &self->persistent_load) == 0)) {
        result = unpickler_run(self);
    }
    Py_CLEAR(self->find_class);
    Py_CLEAR(self->persistent_load);
    return result;
}

static PyObject *unpickler_load(struct unpickler *self)
{
    if (self->state == NULL || self->in.read == NULL) {
        struct pickle_state *state = pickle_state_of(Py_TYPE(self));
        if (state != NULL) {
            PyErr_Format(state->unpickling_error,
                         "Unpickler.__init__() was not called by %s.__init__()",
                         Py_TYPE(self)->tp_name);
        }
        return NULL;
    }
    int entered = pickle_enter(&self->owner, "Unpickler", false);
    if (entered < 0) {
        return NULL;
    }
    PyObject *result = load_entered(self);
    pickle_leave(&self->owner, entered);
    return result;
}

static Py_ssize_t unpickler_sizeof(struct unpickler *self)
{
    size_t size = (size_t)Py_TYPE(self)->tp_basicsize;
    size += (size_t)(self->memo_room + self->room) * sizeof(PyObject *);
    size += (size_t)self->mark_room * sizeof(Py_ssize_t);
    return (Py_ssize_t)size;
}

/* The attribute persistent_load of an instance goes before the method, also in subclasses. */
static bool names_persistent_load(PyObject *name)
{
    return PyUnicode_Check(name) && PyUnicode_EqualToUTF8(name, "persistent_load");
}

static PyObject *unpickler_getattro(PyObject *op, PyObject *name)
{
    struct unpickler *self = (struct unpickler *)op;
    if (names_persistent_load(name)) {
        PyObject *own = LOCKED(op, Py_XNewRef(self->own_persistent_load));
        if (own != NULL) {
            return own;
        }
    }
    return PyObject_GenericGetAttr(op, name);
}

static int unpickler_setattro(PyObject *op, PyObject *name, PyObject *value)
{
    struct unpickler *self = (struct unpickler *)op;
    if (names_persistent_load(name)) {
        PyObject *old;
        Py_BEGIN_CRITICAL_SECTION(op);
        old = self->own_persistent_load;
        self->own_persistent_load = Py_XNewRef(value);
        Py_END_CRITICAL_SECTION();
        bool known = value != NULL || old != NULL;
        Py_XDECREF(old);
        if (known) {
            return 0;
        }
    }
    return PyObject_GenericSetAttr(op, name, value);
}

static int unpickler_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct unpickler *self = (struct unpickler *)op;
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(self->in.read);
    Py_VISIT(self->in.readline);
    Py_VISIT(self->in.peek);
    Py_VISIT(self->buffers);
    Py_VISIT(self->persistent_load);
    Py_VISIT(self->own_persistent_load);
    Py_VISIT(self->find_class);
    Py_VISIT(self->memo_far);
    for (Py_ssize_t i = 0; i < self->memo_room; i++) {
        Py_VISIT(self->memo[i]);
    }
    for (Py_ssize_t i = 0; i < self->top; i++) {
        Py_VISIT(self->stack[i]);
    }
    return 0;
}

static int unpickler_clear(PyObject *op)
{
    unpickler_release((struct unpickler *)op);
    return 0;
}

GC_DEALLOC(unpickler)

static PyType_Slot unpickler_slots[] = {
    GC_SLOTS(unpickler),
    {Py_tp_doc, (void *)unpickler_doc},
    {Py_tp_methods, unpickler_methods},
    {Py_tp_getset, unpickler_getset},
    {Py_tp_getattro, unpickler_getattro},
    {Py_tp_setattro, unpickler_setattro},
    {Py_tp_init, bind_unpickler_init},
    {Py_tp_new, PyType_GenericNew},
    {0, NULL},
};

PyType_Spec unpickler_spec = {
    "_pickle.Unpickler",
    sizeof(struct unpickler),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    unpickler_slots,
};

/* ---- the memo as an attribute --------------------------------------------------------------- */

static PyObject *unpickler_get_memo(struct unpickler *self)
{
    struct pickle_state *state = pickle_state_of(Py_TYPE(self));
    struct memo_proxy *proxy = state ? type_make((PyTypeObject *)state->unpickler_memo_type) : NULL;
    if (proxy != NULL) {
        proxy->owner = Py_NewRef(self);
    }
    return (PyObject *)proxy;
}

/* {number: object} */
static PyObject *memo_as_dict(struct unpickler *self)
{
    PyObject *dict = self->memo_far ? PyDict_Copy(self->memo_far) : PyDict_New();
    for (Py_ssize_t i = 0; dict != NULL && i < self->memo_room; i++) {
        if (self->memo[i] != NULL) {
            PyObject *key = PyLong_FromSsize_t(i);
            if (key == NULL || PyDict_SetItem(dict, key, self->memo[i]) < 0) {
                Py_CLEAR(dict);
            }
            Py_XDECREF(key);
        }
    }
    return dict;
}

static int memo_from_dict(struct unpickler *self, PyObject *dict)
{
    Py_ssize_t pos = 0;
    PyObject *key, *value;
    while (PyDict_Next(dict, &pos, &key, &value)) {
        if (!PyLong_Check(key)) {
            PyErr_SetString(PyExc_TypeError, "memo key must be integers");
            return -1;
        }
        Py_ssize_t index = PyLong_AsSsize_t(key);
        if (index < 0) {
            if (!PyErr_Occurred()) {
                PyErr_SetString(PyExc_ValueError, "memo key must be positive integers.");
            }
            return -1;
        }
        if (unpickler_memo_put(self, index, value) < 0) {
            return -1;
        }
    }
    return 0;
}

static PyObject *unpickler_memo_copy(struct memo_proxy *self)
{
    struct unpickler *owner = (struct unpickler *)self->owner;
    int entered = pickle_enter(&owner->owner, "Unpickler", true);
    if (entered < 0) {
        return NULL;
    }
    PyObject *dict = memo_as_dict(owner);
    pickle_leave(&owner->owner, entered);
    return dict;
}

/* The memo to be: a dict of our own. */
static PyObject *new_memo(struct pickle_state *state, PyObject *value)
{
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "attribute deletion is not supported");
    } else if (Py_IS_TYPE(value, (PyTypeObject *)state->unpickler_memo_type)) {
        return unpickler_memo_copy((struct memo_proxy *)value);
    } else if (PyDict_Check(value)) {
        return PyDict_Copy(value);
    } else {
        PyErr_Format(PyExc_TypeError,
                     "'memo' attribute must be an UnpicklerMemoProxy object or dict, not %.200s",
                     Py_TYPE(value)->tp_name);
    }
    return NULL;
}

static int unpickler_set_memo(struct unpickler *self, PyObject *value)
{
    struct pickle_state *state = pickle_state_of(Py_TYPE(self));
    PyObject *dict = state ? new_memo(state, value) : NULL;
    struct unpickler filled = {.memo = NULL};
    int rc = dict ? memo_from_dict(&filled, dict) : -1;
    Py_XDECREF(dict);
    int entered = rc == 0 ? pickle_enter(&self->owner, "Unpickler", true) : -1;
    if (entered > 0) {
        PyObject **memo = self->memo, *far = self->memo_far;
        Py_ssize_t room = self->memo_room;
        self->memo = filled.memo;
        self->memo_room = filled.memo_room;
        self->memo_used = filled.memo_used;
        self->memo_far = filled.memo_far;
        filled = (struct unpickler){.memo = memo, .memo_room = room, .memo_far = far};
        pickle_leave(&self->owner, entered);
    }
    unpickler_memo_clear(&filled);
    return entered > 0 ? 0 : -1;
}

static int unpickler_memo_clear_all(struct memo_proxy *self)
{
    struct unpickler *owner = (struct unpickler *)self->owner;
    int entered = pickle_enter(&owner->owner, "Unpickler", true);
    if (entered < 0) {
        return -1;
    }
    unpickler_memo_clear(owner);
    pickle_leave(&owner->owner, entered);
    return 0;
}

static PyObject *unpickler_memo_reduce(struct memo_proxy *self)
{
    PyObject *dict = unpickler_memo_copy(self);
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

static PyType_Slot unpickler_memo_slots[] = {
    {Py_tp_traverse, memo_proxy_traverse},
    {Py_tp_dealloc, memo_proxy_dealloc},
    {Py_tp_hash, PyObject_HashNotImplemented},
    {Py_tp_methods, unpickler_memo_methods},
    {0, NULL},
};

PyType_Spec unpickler_memo_spec = {
    "_pickle.UnpicklerMemoProxy",
    sizeof(struct memo_proxy),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    unpickler_memo_slots,
};
