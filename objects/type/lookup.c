/* Looking attributes up on types: versions, the per-thread cache, watchers, lists of subclasses. */
#include "objects/type/internal.h"

#include "locking/refs.h"

/* Not ranked: dicts are changed, hence critical sections entered, while it is held. That is safe,
 * since a thread that waits for it gives its own critical sections up. */
static struct recursive_mutex type_mutex; /* lookups under it may have to assign a version */

void type_lock(void)
{
    recursive_lock(&type_mutex);
}

void type_unlock(void)
{
    recursive_unlock(&type_mutex);
}

/* ---- per-interpreter state of static types --------------------------------------------------- */

struct static_type_state *type_static_state(PyTypeObject *type)
{
    uintptr_t index = (uintptr_t)field_load(&type->tp_subclasses);
    return index == 0 ? NULL : &object_interp_self()->static_types[index - 1];
}

PyObject *type_dict(PyTypeObject *type)
{
    if (type_is_static_builtin(type)) {
        struct static_type_state *state = type_static_state(type);
        return state == NULL ? NULL : state->dict;
    }
    return field_load_acquire(&type->tp_dict);
}

PyObject *type_mro(PyTypeObject *type)
{
    return field_load_acquire(&type->tp_mro);
}

/* ---- versions -------------------------------------------------------------------------------- */

/* Versions are handed out in rising order and never again; 0 when they have run out. */
static uint32_t last_version;

#define VERSION_TABLE 4096u
static PyTypeObject *types_by_version[VERSION_TABLE];

static uint32_t version_assign_locked(PyTypeObject *type)
{
    if (type->tp_version_tag != 0) {
        return type->tp_version_tag;
    }
    if (!(type->tp_flags & Py_TPFLAGS_READY) || last_version == UINT32_MAX) {
        return 0;
    }
    /* A change of a base must reach this type: the bases have versions first. */
    PyObject *bases = type->tp_bases;
    for (Py_ssize_t i = 0; bases != NULL && i < PyTuple_GET_SIZE(bases); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(bases, i);
        if (version_assign_locked(base) == 0) {
            return 0;
        }
    }
    uint32_t version = ++last_version;
    type->tp_versions_used += type->tp_versions_used < UINT16_MAX;
    types_by_version[version % VERSION_TABLE] = type;
    field_store_release(&type->tp_version_tag, version);
    return version;
}

uint32_t type_version(PyTypeObject *type)
{
    uint32_t version = type_version_now(type);
    if (version == 0) {
        type_lock();
        version = version_assign_locked(type);
        type_unlock();
    }
    return version;
}

PyTypeObject *type_of_version(uint32_t version)
{
    type_lock();
    PyTypeObject *type = types_by_version[version % VERSION_TABLE];
    if (type != NULL && (type->tp_version_tag != version || !ref_try_inc((PyObject *)type))) {
        type = NULL;
    }
    type_unlock();
    return type;
}

void type_forget_version(PyTypeObject *type)
{
    type_lock();
    uint32_t version = type->tp_version_tag;
    if (version != 0) {
        if (types_by_version[version % VERSION_TABLE] == type) {
            types_by_version[version % VERSION_TABLE] = NULL;
        }
        field_store_release(&type->tp_version_tag, 0);
    }
    type_unlock();
}

unsigned int _PyType_GetVersionForCurrentState(PyTypeObject *type);

int PyUnstable_Type_AssignVersionTag(PyTypeObject *type)
{
    return type_version(type) != 0;
}

/* ---- taking versions away, watchers ---------------------------------------------------------- */

void type_modified_locked(PyTypeObject *type)
{
    /* Nothing below has a version when the type has none. */
    if (type->tp_version_tag == 0) {
        return;
    }
    uint32_t version = type->tp_version_tag;
    if (types_by_version[version % VERSION_TABLE] == type) {
        types_by_version[version % VERSION_TABLE] = NULL;
    }
    field_store_release(&type->tp_version_tag, 0);
    struct type_list *below = *type_subclasses(type);
    for (Py_ssize_t i = 0; below != NULL && i < below->count; i++) {
        type_modified_locked(below->items[i]);
    }
}

/* The watched types at and below `type` that have a version: as a list, or NULL when there are
 * none (or no memory for it). */
static void collect_watched_locked(PyTypeObject *type, PyObject **found)
{
    if (type->tp_version_tag == 0) {
        return;
    }
    if (type->tp_watched) {
        if (*found == NULL) {
            *found = PyList_New(0);
        }
        if (*found == NULL || PyList_Append(*found, (PyObject *)type) < 0) {
            PyErr_Clear();
        }
    }
    struct type_list *below = *type_subclasses(type);
    for (Py_ssize_t i = 0; below != NULL && i < below->count; i++) {
        collect_watched_locked(below->items[i], found);
    }
}

static int watchers_in_use; /* how many callbacks are registered anywhere */

static void call_watchers(PyTypeObject *type)
{
    struct object_interp *interp = object_interp_self();
    for (int i = 0; i < TYPE_WATCHERS; i++) {
        if ((type->tp_watched >> i & 1) && interp->type_watchers[i] != NULL
            && interp->type_watchers[i](type) < 0) {
            PyErr_FormatUnraisable("Exception ignored in type watcher callback #%d for %R", i,
                                   type);
        }
    }
}

void type_modified(PyTypeObject *type)
{
    if (type_version_now(type) == 0) {
        return;
    }
    PyObject *watched = NULL;
    type_lock();
    if (field_load(&watchers_in_use) > 0) {
        collect_watched_locked(type, &watched);
    }
    type_modified_locked(type);
    type_unlock();
    for (Py_ssize_t i = 0; watched != NULL && i < PyList_GET_SIZE(watched); i++) {
        call_watchers((PyTypeObject *)PyList_GET_ITEM(watched, i));
    }
    Py_XDECREF(watched);
}

void PyType_Modified(PyTypeObject *type)
{
    type_modified(type);
}

unsigned int PyType_ClearCache(void)
{
    struct object_thread *thread = object_thread_self();
    for (size_t i = 0; thread->type_cache != NULL && i < TYPE_CACHE_SIZE; i++) {
        thread->type_cache[i].version = 0;
        thread->type_cache[i].value = NULL;
        Py_CLEAR(thread->type_cache[i].name);
    }
    return field_load(&last_version);
}

static bool watcher_valid(int id)
{
    if (id < 0 || id >= TYPE_WATCHERS) {
        PyErr_Format(PyExc_ValueError, "Invalid type watcher ID %d", id);
        return false;
    }
    if (object_interp_self()->type_watchers[id] == NULL) {
        PyErr_Format(PyExc_ValueError, "No type watcher set for ID %d", id);
        return false;
    }
    return true;
}

int PyType_AddWatcher(PyType_WatchCallback callback)
{
    struct object_interp *interp = object_interp_self();
    for (int i = 0; i < TYPE_WATCHERS; i++) {
        if (interp->type_watchers[i] == NULL) {
            interp->type_watchers[i] = callback;
            field_add(&watchers_in_use, 1);
            return i;
        }
    }
    PyErr_SetString(PyExc_RuntimeError, "no more type watcher IDs available");
    return -1;
}

int PyType_ClearWatcher(int id)
{
    if (!watcher_valid(id)) {
        return -1;
    }
    object_interp_self()->type_watchers[id] = NULL;
    field_add(&watchers_in_use, -1);
    return 0;
}

static int set_watched(int id, PyObject *op, bool on)
{
    if (!PyType_Check(op)) {
        PyErr_SetString(PyExc_ValueError, "Cannot watch non-type");
        return -1;
    }
    if (!watcher_valid(id)) {
        return -1;
    }
    PyTypeObject *type = (PyTypeObject *)op;
    /* Only types with a version are noticed when they change. */
    type_version(type);
    type_lock();
    type->tp_watched = on ? type->tp_watched | (1 << id) : type->tp_watched & ~(1 << id);
    type_unlock();
    return 0;
}

int PyType_Watch(int id, PyObject *op)
{
    return set_watched(id, op, true);
}

int PyType_Unwatch(int id, PyObject *op)
{
    return set_watched(id, op, false);
}

/* ---- lookup ---------------------------------------------------------------------------------- */

static inline struct type_cache_entry *cache_entry(struct object_thread *thread, uint32_t version,
                                                   PyObject *name)
{
    size_t hash = version ^ ((uintptr_t)name >> 4);
    return &thread->type_cache[hash & (TYPE_CACHE_SIZE - 1)];
}

/* Along the MRO, dict by dict. A new reference, or NULL without exception. */
static PyObject *lookup_walk(PyTypeObject *type, PyObject *name)
{
    PyObject *mro = type_mro(type);
    if (mro == NULL) {
        return NULL;
    }
    /* A dict with keys that are not str may run code that replaces the MRO. */
    PyObject *found = NULL;
    Py_INCREF(mro);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(mro); i++) {
        PyObject *dict = type_dict((PyTypeObject *)PyTuple_GET_ITEM(mro, i));
        if (dict == NULL) {
            continue;
        }
        found = dict_get_str(dict, name);
        if (found != NULL) {
            break;
        }
    }
    Py_DECREF(mro);
    return found;
}

static void cache_fill(struct object_thread *thread, uint32_t version, PyObject *name,
                       PyObject *value)
{
    if (thread->type_cache == NULL) {
        thread->type_cache = PyMem_Calloc(TYPE_CACHE_SIZE, sizeof(*thread->type_cache));
        if (thread->type_cache == NULL) {
            return;
        }
    }
    struct type_cache_entry *entry = cache_entry(thread, version, name);
    PyObject *old = entry->name;
    entry->version = version;
    entry->name = Py_NewRef(name);
    entry->value = value;
    Py_XDECREF(old);
}

/* A name whose text may be kept alive for a while by the cache. */
static bool name_cacheable(PyObject *name)
{
    return PyUnicode_CheckExact(name) && PyUnicode_GET_LENGTH(name) <= 100;
}

static PyObject *lookup_slow(PyTypeObject *type, PyObject *name, uint32_t *version)
{
    bool cacheable = name_cacheable(name);
    uint32_t before = cacheable ? type_version(type) : 0;
    PyObject *raised = PyErr_Occurred() ? PyErr_GetRaisedException() : NULL;
    PyObject *value = lookup_walk(type, name);
    if (value == NULL && PyErr_Occurred()) {
        PyErr_Clear(); /* a strange key's __eq__ */
        before = 0;
    }
    if (raised != NULL) {
        PyErr_SetRaisedException(raised);
    }
    if (before != 0 && type_version_now(type) == before) {
        cache_fill(object_thread_self(), before, name, value);
    } else {
        before = 0;
    }
    if (version != NULL) {
        *version = before;
    }
    return value;
}

PyObject *type_lookup_ref(PyTypeObject *type, PyObject *name, uint32_t *version)
{
    struct object_thread *thread = object_thread_self();
    uint32_t now = type_version_now(type);
    if (likely(now != 0 && thread->type_cache != NULL)) {
        struct type_cache_entry *entry = cache_entry(thread, now, name);
        if (likely(entry->version == now && entry->name == name)) {
            if (version != NULL) {
                *version = now;
            }
            return Py_XNewRef(entry->value);
        }
    }
    return lookup_slow(type, name, version);
}

PyObject *type_lookup(PyTypeObject *type, PyObject *name, uint32_t *version)
{
    struct object_thread *thread = object_thread_self();
    uint32_t now = type_version_now(type);
    if (likely(now != 0 && thread->type_cache != NULL)) {
        struct type_cache_entry *entry = cache_entry(thread, now, name);
        if (likely(entry->version == now && entry->name == name)) {
            if (version != NULL) {
                *version = now;
            }
            return entry->value;
        }
    }
    PyObject *value = lookup_slow(type, name, version);
    if (value != NULL) {
        /* The type's dict keeps it, or the grace period after its removal does. */
        Py_DECREF(value);
    }
    return value;
}

PyObject *_PyType_Lookup(PyTypeObject *type, PyObject *name)
{
    return type_lookup(type, name, NULL);
}

PyObject *_PyType_LookupRef(PyTypeObject *type, PyObject *name)
{
    return type_lookup_ref(type, name, NULL);
}

/* A finalizer may run here, so this stands in the queue of pending calls. */
static int release_retired(void *value)
{
    Py_DECREF((PyObject *)value);
    return 0;
}

/* Runs when every reader that may have seen the value has passed a safe point; it must not run
 * Python code itself. With a full queue the value waits for the next round. */
static void retired_is_unseen(void *value)
{
    if (pending_add(thread_interp(thread_self()), release_retired, value, false) < 0) {
        qsbr_retire(value, retired_is_unseen);
    }
}

void type_retire(PyObject *value)
{
    if (value == NULL) {
        return;
    }
    if (lock_threads_run_together()) {
        qsbr_retire(value, retired_is_unseen);
    } else {
        Py_DECREF(value);
    }
}

void type_count_settle(struct type_count *entry)
{
    PyTypeObject *type = entry->type;
    Py_ssize_t count = entry->count;
    *entry = (struct type_count){NULL, 0};
    if (count != 0) {
        ref_add_shared((PyObject *)type, count);
    }
}

void type_counts_settle(struct object_thread *thread)
{
    for (size_t i = 0; i < TYPE_COUNTS; i++) {
        type_count_settle(&thread->type_counts[i]);
    }
}

void object_thread_fini(struct thread *base)
{
    struct object_thread *thread = (struct object_thread *)base;
    type_counts_settle(thread);
    struct type_cache_entry *cache = thread->type_cache;
    thread->type_cache = NULL;
    for (size_t i = 0; cache != NULL && i < TYPE_CACHE_SIZE; i++) {
        Py_XDECREF(cache[i].name);
    }
    PyMem_Free(cache);
    Py_CLEAR(thread->repr_running);
}

/* ---- change ---------------------------------------------------------------------------------- */

int type_add_attr(PyTypeObject *type, PyObject *name, PyObject *value)
{
    return PyDict_SetItem(type_dict(type), name, value);
}

static PyObject *interned(PyObject *name)
{
    Py_INCREF(name);
    if (PyUnicode_CheckExact(name)) {
        PyUnicode_InternInPlace(&name);
        return name;
    }
    /* Of a subclass of str, only the text counts. */
    Py_SETREF(name, PyUnicode_FromObject(name));
    if (name != NULL) {
        PyUnicode_InternInPlace(&name);
    }
    return name;
}

int type_set_attr(PyTypeObject *type, PyObject *name, PyObject *value)
{
    name = interned(name);
    if (name == NULL) {
        return -1;
    }
    type_modified(type); /* tells the watchers, before the change */
    type_lock();
    type_modified_locked(type);
    PyObject *dict = type_dict(type);
    PyObject *old = dict_get_str(dict, name);
    int result;
    if (value != NULL) {
        result = PyDict_SetItem(dict, name, value);
    } else if (old == NULL) {
        PyErr_SetObject(PyExc_KeyError, name);
        result = -1;
    } else {
        result = PyDict_DelItem(dict, name);
    }
    if (result == 0) {
        slots_update_locked(type, name);
    }
    type_unlock();
    if (result < 0 && value == NULL && PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyErr_Clear();
        PyErr_Format(PyExc_AttributeError, "type object '%.50s' has no attribute '%U'",
                     type->tp_name, name);
    }
    type_retire(old);
    Py_DECREF(name);
    return result;
}

/* ---- subclasses ------------------------------------------------------------------------------ */

struct type_list **type_subclasses(PyTypeObject *type)
{
    static struct type_list *none;
    if (type_is_static_builtin(type)) {
        struct static_type_state *state = type_static_state(type);
        return state == NULL ? &none : &state->subclasses;
    }
    return (struct type_list **)&type->tp_subclasses;
}

int type_add_subclass_locked(PyTypeObject *base, PyTypeObject *type)
{
    struct type_list **slot = type_subclasses(base), *list = *slot;
    if (list == NULL || list->count == list->capacity) {
        Py_ssize_t capacity = list == NULL ? 2 : 2 * list->capacity;
        struct type_list *larger =
            PyMem_Realloc(list, sizeof(*list) + (size_t)capacity * sizeof(PyTypeObject *));
        if (larger == NULL) {
            return -1;
        }
        larger->count = list == NULL ? 0 : larger->count;
        larger->capacity = capacity;
        *slot = list = larger;
    }
    list->items[list->count++] = type;
    return 0;
}

int type_add_subclass(PyTypeObject *base, PyTypeObject *type)
{
    type_lock();
    int result = type_add_subclass_locked(base, type);
    type_unlock();
    if (result < 0) {
        PyErr_NoMemory();
    }
    return result;
}

void type_remove_subclass_locked(PyTypeObject *base, PyTypeObject *type)
{
    struct type_list **slot = type_subclasses(base), *list = *slot;
    if (list == NULL) {
        return;
    }
    /* Young classes die first. */
    for (Py_ssize_t i = list->count; i-- > 0;) {
        if (list->items[i] == type) {
            list->count--;
            memmove(&list->items[i], &list->items[i + 1],
                    (size_t)(list->count - i) * sizeof(list->items[0]));
            break;
        }
    }
    if (list->count == 0) {
        *slot = NULL;
        PyMem_Free(list);
    }
}

void type_remove_subclass(PyTypeObject *base, PyTypeObject *type)
{
    type_lock();
    type_remove_subclass_locked(base, type);
    type_unlock();
}

PyObject *type_subclass_list(PyTypeObject *type)
{
    for (;;) {
        type_lock();
        struct type_list *list = *type_subclasses(type);
        Py_ssize_t count = list == NULL ? 0 : list->count;
        type_unlock();
        PyObject *result = PyList_New(count);
        if (result == NULL) {
            return NULL;
        }
        type_lock();
        list = *type_subclasses(type);
        bool same = (list == NULL ? 0 : list->count) == count;
        Py_ssize_t alive = 0;
        for (Py_ssize_t i = 0; same && i < count; i++) {
            PyObject *sub = (PyObject *)list->items[i];
            if (ref_try_inc(sub)) {
                PyList_SET_ITEM(result, alive++, sub);
            }
        }
        type_unlock();
        Py_SET_SIZE(result, alive);
        if (same) {
            return result;
        }
        Py_DECREF(result);
    }
}
