/* The module _abc.
 *
 * Each abstract class has three sets of weak references: the classes registered with it, and
 * those known to be, or not to be, its subclasses. A new registration anywhere may turn a "no" into
 * a "yes", so the set of the latter carries the number of registrations it was filled at. One
 * callback per abstract class takes a dying class out of all its sets. */
#include "module.h"

enum { REGISTRY, CACHE, NEGATIVE, SETS };

struct data {
    PyObject_HEAD
    PyObject *sets[SETS]; /* NULL while empty */
    PyObject *forget;     /* the callback; refers back to us, the collector sees to it */
    uint64_t negative_version;
};

struct abc_state {
    PyTypeObject *data_type;
    PyObject *abc_impl, *abstract, *abstractmethods, *class_name, *subclasscheck, *subclasshook,
        *subclasses, *bases, *tpflags, *dict;
    uint64_t registrations;
};

static struct abc_state *state_of(PyObject *module)
{
    return PyModule_GetState(module);
}

#include "abc.bind.h"

/* ---- what a class remembers ------------------------------------------------------------------ */

/* New reference, or NULL with an exception. */
static struct data *data_of(struct abc_state *state, PyObject *cls)
{
    PyObject *op = PyObject_GetAttr(cls, state->abc_impl);
    if (op != NULL && !Py_IS_TYPE(op, state->data_type)) {
        PyErr_SetString(PyExc_TypeError, "_abc_impl is set to a wrong type");
        Py_CLEAR(op);
    }
    return (struct data *)op;
}

static PyObject *data_forget(PyObject *op, PyObject *ref)
{
    struct data *self = (struct data *)op;
    for (int i = 0; i < SETS; i++) {
        PyObject *set = LOCKED(op, Py_XNewRef(self->sets[i]));
        int rc = set ? PySet_Discard(set, ref) : 0;
        Py_XDECREF(set);
        if (rc < 0) {
            return NULL;
        }
    }
    Py_RETURN_NONE;
}

static PyMethodDef forget_def = {"_forget", data_forget, METH_O, NULL};

static int add_locked(struct data *self, int which, PyObject *cls)
{
    if (self->sets[which] == NULL && (self->sets[which] = PySet_New(NULL)) == NULL) {
        return -1;
    }
    if (self->forget == NULL
        && (self->forget = PyCFunction_New(&forget_def, (PyObject *)self)) == NULL) {
        return -1;
    }
    PyObject *ref = PyWeakref_NewRef(cls, self->forget);
    int rc = ref ? PySet_Add(self->sets[which], ref) : -1;
    Py_XDECREF(ref);
    return rc;
}

static int data_add(struct data *self, int which, PyObject *cls)
{
    return LOCKED(self, add_locked(self, which, cls));
}

/* Whether the class is in a set: 1, 0, or -1 with an exception. */
static int data_has(struct data *self, int which, PyObject *cls)
{
    PyObject *set = LOCKED(self, Py_XNewRef(self->sets[which]));
    if (set == NULL || PySet_GET_SIZE(set) == 0) {
        Py_XDECREF(set);
        return 0;
    }
    PyObject *ref = PyWeakref_NewRef(cls, NULL);
    int rc;
    if (ref != NULL) {
        rc = PySet_Contains(set, ref);
    } else if (PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear(); /* cannot be referred to, so it was never added */
        rc = 0;
    } else {
        rc = -1;
    }
    Py_XDECREF(ref);
    Py_DECREF(set);
    return rc;
}

/* Whether the answers "no" are those of today; if not and asked so, they are dropped. */
static bool negatives_current(struct data *self, struct abc_state *state, bool renew)
{
    uint64_t now = __atomic_load_n(&state->registrations, __ATOMIC_ACQUIRE);
    PyObject *stale = NULL;
    bool current;
    Py_BEGIN_CRITICAL_SECTION(self);
    current = self->negative_version == now;
    if (!current && renew) {
        stale = self->sets[NEGATIVE];
        self->sets[NEGATIVE] = NULL;
        self->negative_version = now;
    }
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(stale);
    return current;
}

static PyObject *data_take(struct data *self, int which)
{
    PyObject *set;
    Py_BEGIN_CRITICAL_SECTION(self);
    set = self->sets[which];
    self->sets[which] = NULL;
    Py_END_CRITICAL_SECTION();
    return set;
}

static int data_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct data *self = (struct data *)op;
    Py_VISIT(Py_TYPE(op));
    for (int i = 0; i < SETS; i++) {
        Py_VISIT(self->sets[i]);
    }
    Py_VISIT(self->forget);
    return 0;
}

static int data_clear(PyObject *op)
{
    struct data *self = (struct data *)op;
    for (int i = 0; i < SETS; i++) {
        Py_CLEAR(self->sets[i]);
    }
    Py_CLEAR(self->forget);
    return 0;
}

GC_DEALLOC(data)

static PyType_Slot data_slots[] = {
    GC_SLOTS(data),
    {Py_tp_doc, (void *)data_doc},
    {0, NULL},
};

static PyType_Spec data_spec = {
    "_abc._abc_data",
    sizeof(struct data),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION
        | Py_TPFLAGS_IMMUTABLETYPE,
    data_slots,
};

/* ---- abstract methods ------------------------------------------------------------------------ */

/* 1, 0, or -1 with an exception. */
static int is_abstract(struct abc_state *state, PyObject *op)
{
    PyObject *flag;
    int rc = PyObject_GetOptionalAttr(op, state->abstract, &flag);
    if (rc > 0) {
        rc = PyObject_IsTrue(flag);
        Py_DECREF(flag);
    }
    return rc;
}

/* Adds the names in the class's own namespace. */
static int collect_own(struct abc_state *state, PyObject *cls, PyObject *names)
{
    PyObject *space = PyObject_GetAttr(cls, state->dict);
    PyObject *items = space ? PyMapping_Items(space) : NULL;
    Py_XDECREF(space);
    if (items == NULL) {
        return -1;
    }
    int rc = 0;
    for (Py_ssize_t i = 0; rc >= 0 && i < PyList_GET_SIZE(items); i++) {
        PyObject *item = PyList_GET_ITEM(items, i);
        rc = is_abstract(state, PyTuple_GET_ITEM(item, 1));
        if (rc > 0) {
            rc = PySet_Add(names, PyTuple_GET_ITEM(item, 0));
        }
    }
    Py_DECREF(items);
    return rc < 0 ? -1 : 0;
}

/* Adds a name that was abstract in a base, unless the class has made it concrete. */
static int collect_inherited(struct abc_state *state, PyObject *cls, PyObject *name,
                             PyObject *names)
{
    PyObject *value;
    int rc = PyObject_GetOptionalAttr(cls, name, &value);
    if (rc > 0) {
        rc = is_abstract(state, value);
        Py_DECREF(value);
    }
    return rc > 0 ? PySet_Add(names, name) : rc;
}

static int collect_base(struct abc_state *state, PyObject *cls, PyObject *base, PyObject *names)
{
    PyObject *theirs;
    int rc = PyObject_GetOptionalAttr(base, state->abstractmethods, &theirs);
    if (rc <= 0) {
        return rc;
    }
    PyObject *it = PyObject_GetIter(theirs);
    Py_DECREF(theirs);
    if (it == NULL) {
        return -1;
    }
    PyObject *name;
    rc = 0;
    while (rc >= 0 && (name = PyIter_Next(it)) != NULL) {
        rc = collect_inherited(state, cls, name, names);
        Py_DECREF(name);
    }
    Py_DECREF(it);
    return rc < 0 || PyErr_Occurred() ? -1 : 0;
}

static int collect_bases(struct abc_state *state, PyObject *cls, PyObject *names)
{
    PyObject *bases = PyObject_GetAttr(cls, state->bases);
    if (bases == NULL) {
        return -1;
    }
    if (!PyTuple_Check(bases)) {
        PyErr_SetString(PyExc_TypeError, "__bases__ is not tuple");
        Py_DECREF(bases);
        return -1;
    }
    int rc = 0;
    for (Py_ssize_t i = 0; rc >= 0 && i < PyTuple_GET_SIZE(bases); i++) {
        rc = collect_base(state, cls, PyTuple_GET_ITEM(bases, i), names);
    }
    Py_DECREF(bases);
    return rc;
}

static int set_abstract_methods(struct abc_state *state, PyObject *cls)
{
    PyObject *names = PyFrozenSet_New(NULL);
    int rc = names && collect_own(state, cls, names) == 0 && collect_bases(state, cls, names) == 0
                 ? PyObject_SetAttr(cls, state->abstractmethods, names)
                 : -1;
    Py_XDECREF(names);
    return rc;
}

/* ---- sequences and mappings in patterns ------------------------------------------------------- */

enum { COLLECTION = Py_TPFLAGS_SEQUENCE | Py_TPFLAGS_MAPPING };

/* Gives the type and its subclasses a kind of collection. Errors leave some without. */
static int set_collection(struct abc_state *state, PyTypeObject *type, unsigned long kind)
{
    unsigned long flags = PyType_GetFlags(type);
    if ((flags & COLLECTION) == kind || flags & Py_TPFLAGS_IMMUTABLETYPE) {
        return 0;
    }
    __atomic_store_n(&type->tp_flags, (flags & ~(unsigned long)COLLECTION) | kind,
                     __ATOMIC_RELAXED);
    if (Py_EnterRecursiveCall(" while registering a class") != 0) {
        return -1;
    }
    /* type's own __subclasses__: a metaclass may have another */
    PyObject *all =
        PyObject_CallMethodOneArg((PyObject *)&PyType_Type, state->subclasses, (PyObject *)type);
    int rc = all ? 0 : -1;
    for (Py_ssize_t i = 0; rc == 0 && i < PyList_GET_SIZE(all); i++) {
        rc = set_collection(state, (PyTypeObject *)PyList_GET_ITEM(all, i), kind);
    }
    Py_XDECREF(all);
    Py_LeaveRecursiveCall();
    return rc;
}

/* Obeys and removes __abc_tpflags__ in a class body. */
static int take_collection_flags(struct abc_state *state, PyTypeObject *type)
{
    PyObject *space = PyType_GetDict(type);
    if (space == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    PyObject *flags;
    int rc = PyDict_GetItemRef(space, state->tpflags, &flags);
    Py_DECREF(space);
    if (rc <= 0) {
        return rc;
    }
    rc = 0;
    if (PyLong_CheckExact(flags)) {
        long value = PyLong_AsLong(flags);
        if (value == -1 && PyErr_Occurred()) {
            rc = -1;
        } else if ((value & COLLECTION) == COLLECTION) {
            PyErr_SetString(PyExc_TypeError,
                            "__abc_tpflags__ cannot be both Py_TPFLAGS_SEQUENCE and "
                            "Py_TPFLAGS_MAPPING");
            rc = -1;
        } else {
            unsigned long own = PyType_GetFlags(type);
            __atomic_store_n(&type->tp_flags, own | (value & COLLECTION), __ATOMIC_RELAXED);
            rc = PyObject_DelAttr((PyObject *)type, state->tpflags);
        }
    }
    Py_DECREF(flags);
    return rc;
}

/* ---- the functions --------------------------------------------------------------------------- */

static PyObject *abc_get_cache_token(PyObject *module)
{
    return PyLong_FromUnsignedLongLong(
        __atomic_load_n(&state_of(module)->registrations, __ATOMIC_ACQUIRE));
}

static int abc_init(PyObject *module, PyObject *cls)
{
    struct abc_state *state = state_of(module);
    if (set_abstract_methods(state, cls) < 0) {
        return -1;
    }
    struct data *data = type_make(state->data_type);
    if (data == NULL) {
        return -1;
    }
    data->negative_version = __atomic_load_n(&state->registrations, __ATOMIC_ACQUIRE);
    int rc = PyObject_SetAttr(cls, state->abc_impl, (PyObject *)data);
    Py_DECREF(data);
    return rc == 0 && PyType_Check(cls) ? take_collection_flags(state, (PyTypeObject *)cls) : rc;
}

static int reset(PyObject *module, PyObject *cls, int first, int last)
{
    struct data *data = data_of(state_of(module), cls);
    if (data == NULL) {
        return -1;
    }
    for (int i = first; i <= last; i++) {
        Py_XDECREF(data_take(data, i));
    }
    Py_DECREF(data);
    return 0;
}

static int abc_reset_registry(PyObject *module, PyObject *cls)
{
    return reset(module, cls, REGISTRY, REGISTRY);
}

static int abc_reset_caches(PyObject *module, PyObject *cls)
{
    return reset(module, cls, CACHE, NEGATIVE);
}

static PyObject *abc_get_dump(PyObject *module, PyObject *cls)
{
    struct data *data = data_of(state_of(module), cls);
    if (data == NULL) {
        return NULL;
    }
    PyObject *copies[SETS] = {NULL}, *dump = NULL;
    bool fine = true;
    for (int i = 0; i < SETS && fine; i++) {
        PyObject *set = LOCKED(data, Py_XNewRef(data->sets[i]));
        copies[i] = PySet_New(set);
        Py_XDECREF(set);
        fine = copies[i] != NULL;
    }
    if (fine) {
        dump = Py_BuildValue("OOOK", copies[REGISTRY], copies[CACHE], copies[NEGATIVE],
                             LOCKED(data, data->negative_version));
    }
    for (int i = 0; i < SETS; i++) {
        Py_XDECREF(copies[i]);
    }
    Py_DECREF(data);
    return dump;
}

static PyObject *abc_register(PyObject *module, PyObject *cls, PyObject *subclass)
{
    struct abc_state *state = state_of(module);
    if (!PyType_Check(subclass)) {
        PyErr_SetString(PyExc_TypeError, "Can only register classes");
        return NULL;
    }
    int rc = PyObject_IsSubclass(subclass, cls);
    if (rc != 0) {
        return rc < 0 ? NULL : Py_NewRef(subclass);
    }
    /* After the first test, since a class may be registered with itself. */
    rc = PyObject_IsSubclass(cls, subclass);
    if (rc != 0) {
        if (rc > 0) {
            PyErr_SetString(PyExc_RuntimeError, "Refusing to create an inheritance cycle");
        }
        return NULL;
    }
    struct data *data = data_of(state, cls);
    if (data == NULL) {
        return NULL;
    }
    rc = data_add(data, REGISTRY, subclass);
    Py_DECREF(data);
    if (rc < 0) {
        return NULL;
    }
    __atomic_fetch_add(&state->registrations, 1, __ATOMIC_ACQ_REL);
    unsigned long kind = PyType_Check(cls) ? PyType_GetFlags((PyTypeObject *)cls) & COLLECTION : 0;
    if (kind != 0 && set_collection(state, (PyTypeObject *)subclass, kind) < 0) {
        return NULL;
    }
    return Py_NewRef(subclass);
}

/* Asks a class for the answer as a user's metaclass may give it. */
static PyObject *ask(struct abc_state *state, PyObject *cls, PyObject *subclass)
{
    return PyObject_CallMethodOneArg(cls, state->subclasscheck, subclass);
}

static PyObject *ask_both(struct abc_state *state, PyObject *cls, PyObject *subclass,
                          PyObject *subtype)
{
    PyObject *result = ask(state, cls, subclass);
    int truth = result ? PyObject_IsTrue(result) : 1;
    if (truth == 0) {
        Py_SETREF(result, ask(state, cls, subtype));
    } else if (truth < 0) {
        Py_CLEAR(result);
    }
    return result;
}

static PyObject *abc_instancecheck(PyObject *module, PyObject *cls, PyObject *instance)
{
    struct abc_state *state = state_of(module);
    struct data *data = data_of(state, cls);
    if (data == NULL) {
        return NULL;
    }
    PyObject *result = NULL;
    PyObject *subclass = PyObject_GetAttr(instance, state->class_name);
    PyObject *subtype = (PyObject *)Py_TYPE(instance);
    int known = subclass ? data_has(data, CACHE, subclass) : -1;
    if (known > 0) {
        result = Py_NewRef(Py_True);
    } else if (known == 0 && subclass != subtype) {
        result = ask_both(state, cls, subclass, subtype);
    } else if (known == 0) {
        int no = negatives_current(data, state, false) ? data_has(data, NEGATIVE, subclass) : 0;
        result = no < 0 ? NULL : no ? Py_NewRef(Py_False) : ask(state, cls, subclass);
    }
    Py_XDECREF(subclass);
    Py_DECREF(data);
    return result;
}

/* What __subclasshook__ says: 1, 0, -1 with an exception, or 2 for nothing. */
static int ask_hook(struct abc_state *state, PyObject *cls, PyObject *subclass)
{
    PyObject *answer = PyObject_CallMethodOneArg(cls, state->subclasshook, subclass);
    if (answer == NULL) {
        return -1;
    }
    int rc = answer == Py_True ? 1 : answer == Py_False ? 0 : answer == Py_NotImplemented ? 2 : -1;
    Py_DECREF(answer);
    if (rc < 0) {
        PyErr_SetString(PyExc_AssertionError,
                        "__subclasshook__ must return either False, True, or NotImplemented");
    }
    return rc;
}

/* Whether subclass is one of a registered class's: 1, 0, or -1 with an exception. */
static int ask_registry(struct data *data, PyObject *subclass)
{
    PyObject *set = LOCKED(data, Py_XNewRef(data->sets[REGISTRY]));
    if (set == NULL) {
        return 0;
    }
    PyObject *refs = PySequence_List(set);
    Py_DECREF(set);
    int rc = refs ? 0 : -1;
    for (Py_ssize_t i = 0; rc == 0 && i < PyList_GET_SIZE(refs); i++) {
        PyObject *registered;
        rc = PyWeakref_GetRef(PyList_GET_ITEM(refs, i), &registered);
        if (rc > 0) {
            rc = PyObject_IsSubclass(subclass, registered);
            Py_DECREF(registered);
        }
    }
    Py_XDECREF(refs);
    return rc;
}

/* The same for the abstract class's own subclasses, whose registries count too. */
static int ask_subclasses(struct abc_state *state, PyObject *cls, PyObject *subclass)
{
    PyObject *all = PyObject_CallMethodNoArgs(cls, state->subclasses);
    if (all == NULL) {
        return -1;
    }
    int rc = 0;
    if (!PyList_Check(all)) {
        PyErr_SetString(PyExc_TypeError, "__subclasses__() must return a list");
        rc = -1;
    }
    for (Py_ssize_t i = 0; rc == 0 && i < PyList_GET_SIZE(all); i++) {
        PyObject *each = PyList_GetItemRef(all, i);
        rc = each ? PyObject_IsSubclass(subclass, each) : -1;
        Py_XDECREF(each);
    }
    Py_DECREF(all);
    return rc;
}

/* 1, 0, or -1 with an exception; the answer is remembered. */
static int find_answer(struct abc_state *state, struct data *data, PyObject *cls,
                       PyObject *subclass)
{
    int rc = data_has(data, CACHE, subclass);
    if (rc != 0) {
        return rc;
    }
    if (negatives_current(data, state, true)) {
        rc = data_has(data, NEGATIVE, subclass);
        if (rc != 0) {
            return rc < 0 ? -1 : 0;
        }
    }
    uint64_t asked_at = LOCKED(data, data->negative_version);
    int answer = ask_hook(state, cls, subclass);
    if (answer == 2) {
        answer =
            PyType_Check(cls) && PyType_IsSubtype((PyTypeObject *)subclass, (PyTypeObject *)cls);
        answer = answer ? answer : ask_registry(data, subclass);
        answer = answer ? answer : ask_subclasses(state, cls, subclass);
    }
    if (answer > 0 && data_add(data, CACHE, subclass) < 0) {
        return -1;
    }
    /* A "no" that a registration made stale meanwhile is not worth keeping. */
    if (answer == 0 && LOCKED(data, data->negative_version) == asked_at
        && data_add(data, NEGATIVE, subclass) < 0) {
        return -1;
    }
    return answer;
}

static PyObject *abc_subclasscheck(PyObject *module, PyObject *cls, PyObject *subclass)
{
    if (!PyType_Check(subclass)) {
        PyErr_SetString(PyExc_TypeError, "issubclass() arg 1 must be a class");
        return NULL;
    }
    struct abc_state *state = state_of(module);
    struct data *data = data_of(state, cls);
    if (data == NULL) {
        return NULL;
    }
    int answer = find_answer(state, data, cls, subclass);
    Py_DECREF(data);
    return answer < 0 ? NULL : PyBool_FromLong(answer);
}

/* ---- the module ------------------------------------------------------------------------------ */

static int abc_exec(PyObject *module)
{
    struct abc_state *state = state_of(module);
    const struct {
        PyObject **field;
        const char *name;
    } names[] = {
        {&state->abc_impl, "_abc_impl"},
        {&state->abstract, "__isabstractmethod__"},
        {&state->abstractmethods, "__abstractmethods__"},
        {&state->class_name, "__class__"},
        {&state->subclasscheck, "__subclasscheck__"},
        {&state->subclasshook, "__subclasshook__"},
        {&state->subclasses, "__subclasses__"},
        {&state->bases, "__bases__"},
        {&state->tpflags, "__abc_tpflags__"},
        {&state->dict, "__dict__"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if ((*names[i].field = PyUnicode_InternFromString(names[i].name)) == NULL) {
            return -1;
        }
    }
    state->data_type = module_type(module, &data_spec, false);
    return state->data_type ? 0 : -1;
}

static int abc_module_traverse(PyObject *module, visitproc visit, void *arg)
{
    Py_VISIT(state_of(module)->data_type);
    return 0;
}

static int abc_module_clear(PyObject *module)
{
    struct abc_state *state = state_of(module);
    Py_CLEAR(state->data_type);
    PyObject **names[] = {
        &state->abc_impl,      &state->abstract,     &state->abstractmethods, &state->class_name,
        &state->subclasscheck, &state->subclasshook, &state->subclasses,      &state->bases,
        &state->tpflags,       &state->dict,
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        Py_CLEAR(*names[i]);
    }
    return 0;
}

static void abc_module_free(void *module)
{
    abc_module_clear(module);
}

static PyModuleDef_Slot abc_slots[] = MODULE_SLOTS(abc_exec);

static PyModuleDef abc_module = {
    PyModuleDef_HEAD_INIT,    .m_name = "_abc",     .m_doc = abc_doc,
    .m_methods = abc_methods, .m_slots = abc_slots, STATE_FIELDS(abc),
};

MODULE_INIT(_abc, abc_module)
