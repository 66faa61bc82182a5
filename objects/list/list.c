/*
 * list: memory, the type with its methods and slots.
 */
#include "objects/compare.h"
#include "objects/birth.h"
#include "objects/list/array.h"
#include "objects/gc/gc.h"
#include "objects/int.h"
#include "objects/iter.h"
#include "objects/str.h"
#include "objects/tuple.h"

/* ---- memory ---------------------------------------------------------------------------------- */

PyObject **array_new(Py_ssize_t n)
{
    if ((size_t)n > PY_SSIZE_T_MAX / sizeof(PyObject *) - 1) {
        return (PyObject **)PyErr_NoMemory();
    }
    PyObject **block = block_alloc(array_bytes(n));
    if (block == NULL) {
        return (PyObject **)PyErr_NoMemory();
    }
    if (ARRAY_PREFIX) {
        *(Py_ssize_t *)block = n;
    }
    return block + ARRAY_PREFIX;
}

void array_free(PyListObject *list, PyObject **items, Py_ssize_t capacity)
{
    if (items != NULL) {
        block_retire((PyObject *)list, items - ARRAY_PREFIX, array_bytes(capacity));
    }
}

/* Gives the array another capacity, not below the size. */
static int list_set_capacity(PyListObject *list, Py_ssize_t capacity)
{
    if ((size_t)capacity > PY_SSIZE_T_MAX / sizeof(PyObject *) - 1) {
        PyErr_NoMemory();
        return -1;
    }
    PyObject **items;
    if (!shared_is_read((PyObject *)list)) {
        PyObject **block = list->ob_item == NULL
                               ? block_alloc(array_bytes(capacity))
                               : block_resize(list->ob_item - ARRAY_PREFIX,
                                              array_bytes(list->allocated), array_bytes(capacity));
        if (block == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        if (ARRAY_PREFIX) {
            *(Py_ssize_t *)block = capacity;
        }
        items = block + ARRAY_PREFIX;
    } else {
        items = array_new(capacity);
        if (items == NULL) {
            return -1;
        }
        Py_ssize_t n = Py_SIZE(list) < capacity ? Py_SIZE(list) : capacity;
        if (n > 0) {
            memcpy(items, list->ob_item, (size_t)n * sizeof(PyObject *));
        }
        memset(items + n, 0, (size_t)(capacity - n) * sizeof(PyObject *));
        array_free(list, list->ob_item, list->allocated);
    }
    field_store_release(&list->ob_item, items);
    field_store(&list->allocated, capacity);
    return 0;
}

/* Capacity for a size that will go on growing: an eighth more. */
static Py_ssize_t capacity_for(Py_ssize_t size, Py_ssize_t old_size)
{
    if (size == 0) {
        return 0;
    }
    size_t capacity = ((size_t)size + ((size_t)size >> 3) + 6) & ~(size_t)3;
    if (size - old_size > (Py_ssize_t)capacity - size) {
        capacity = ((size_t)size + 3) & ~(size_t)3;
    }
    return (Py_ssize_t)capacity;
}

int list_resize_locked(PyListObject *list, Py_ssize_t size)
{
    Py_ssize_t allocated = list->allocated;
    if (allocated >= size && size >= (allocated >> 1)) {
        list_set_size(list, size);
        return 0;
    }
    Py_ssize_t old_size = Py_SIZE(list);
    if (size == 0) {
        PyObject **items = list->ob_item;
        list_set_size(list, 0);
        field_store_release(&list->ob_item, NULL);
        field_store(&list->allocated, 0);
        array_free(list, items, allocated);
        return 0;
    }
    if (size < old_size) {
        list_set_size(list, size);
    }
    if (list_set_capacity(list, capacity_for(size, old_size)) < 0) {
        if (size < old_size) {
            PyErr_Clear(); /* shrinking can always do without */
            return 0;
        }
        return -1;
    }
    list_set_size(list, size);
    return 0;
}

/* ---- making ---------------------------------------------------------------------------------- */

static PyListObject *list_bare(void)
{
    PyListObject *list = (PyListObject *)birth_of_container(&PyList_Type, sizeof(PyListObject));
    if (list != NULL) {
        Py_SET_SIZE(list, 0);
        list->ob_item = NULL;
        list->allocated = 0;
    }
    return list;
}

static PyListObject *list_of_room(Py_ssize_t n)
{
    PyListObject *list = list_bare();
    if (list != NULL && n > 0) {
        list->ob_item = array_new(n);
        if (list->ob_item == NULL) {
            slab_free(list);
            return NULL;
        }
        list->allocated = n;
    }
    return list;
}

PyListObject *list_alloc(Py_ssize_t n)
{
    PyListObject *list = list_of_room(n);
    if (list != NULL) {
        Py_SET_SIZE(list, n);
    }
    return list;
}

PyObject *PyList_New(Py_ssize_t n)
{
    if (n < 0) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PyListObject *list = list_of_room(n);
    if (list == NULL) {
        return NULL;
    }
    if (n > 0) {
        memset(list->ob_item, 0, (size_t)n * sizeof(PyObject *));
        Py_SET_SIZE(list, n);
    }
    gc_track_new((PyObject *)list);
    return (PyObject *)list;
}

PyObject *list_new_presized(Py_ssize_t n)
{
    PyListObject *list = list_of_room(n);
    if (list != NULL) {
        gc_track_new((PyObject *)list);
    }
    return (PyObject *)list;
}

PyObject *list_from_array(PyObject *const *items, Py_ssize_t n)
{
    PyListObject *list = list_of_room(n);
    if (list == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        list->ob_item[i] = Py_NewRef(items[i]);
    }
    Py_SET_SIZE(list, n);
    gc_track_new((PyObject *)list);
    return (PyObject *)list;
}

PyObject *list_from_array_steal(PyObject *const *items, Py_ssize_t n)
{
    PyListObject *list = list_of_room(n);
    if (list == NULL) {
        for (Py_ssize_t i = 0; i < n; i++) {
            Py_DECREF(items[i]);
        }
        return NULL;
    }
    if (n > 0) {
        memcpy(list->ob_item, items, (size_t)n * sizeof(PyObject *));
    }
    Py_SET_SIZE(list, n);
    gc_track_new((PyObject *)list);
    return (PyObject *)list;
}

/* ---- single items ---------------------------------------------------------------------------- */

static PyObject *get_ref_locked(PyListObject *list, Py_ssize_t i)
{
    PyObject *item = NULL;
    Py_BEGIN_CRITICAL_SECTION(list);
    shared_mark((PyObject *)list);
    if (i >= 0 && i < Py_SIZE(list) && list->ob_item[i] != NULL) {
        item = shared_new_ref(list->ob_item[i]);
    }
    Py_END_CRITICAL_SECTION();
    return item;
}

PyObject *list_get_ref(PyListObject *list, Py_ssize_t i)
{
    PyObject *item = list_peek(list, i);
    if (likely(item != NULL)) {
        return Py_NewRef(item);
    }
    if (!lock_threads_run_together() || (size_t)i >= (size_t)field_load(&list->ob_base.ob_size)) {
        return NULL;
    }
    PyObject **items =
        shared_needs_lock((PyObject *)list) ? NULL : field_load_acquire(&list->ob_item);
    bool empty;
    if (items == NULL || i >= array_capacity(items)
        || (item = ref_try_load(&items[i], &empty)) == NULL) {
        return get_ref_locked(list, i);
    }
    if (field_load_acquire(&list->ob_item) != items) {
        Py_DECREF(item);
        return get_ref_locked(list, i);
    }
    return item;
}

int list_append_owned_locked(PyListObject *list, PyObject *item)
{
    Py_ssize_t n = Py_SIZE(list);
    if (list->allocated <= n
        && list_set_capacity(list, n < PY_SSIZE_T_MAX ? capacity_for(n + 1, n) : n) < 0) {
        Py_DECREF(item);
        return -1;
    }
    field_store_release(&list->ob_item[n], item);
    list_set_size(list, n + 1);
    return 0;
}

int list_append_owned(PyListObject *list, PyObject *item)
{
    int result;
    if (likely(lock_is_alone())) {
        return list_append_owned_locked(list, item);
    }
    Py_BEGIN_CRITICAL_SECTION(list);
    result = list_append_owned_locked(list, item);
    Py_END_CRITICAL_SECTION();
    return result;
}

/* False: there is no such item; nothing is changed then. */
static inline bool set_locked(PyListObject *list, Py_ssize_t i, PyObject *item, PyObject **old)
{
    if (unlikely((size_t)i >= (size_t)Py_SIZE(list))) {
        return false;
    }
    *old = list->ob_item[i];
    field_store_release(&list->ob_item[i], item);
    return true;
}

int list_set_owned(PyListObject *list, Py_ssize_t i, PyObject *item)
{
    PyObject *old = item;
    bool done;
    if (likely(lock_is_alone())) {
        done = set_locked(list, i, item, &old);
    } else {
        Py_BEGIN_CRITICAL_SECTION(list);
        done = set_locked(list, i, item, &old);
        Py_END_CRITICAL_SECTION();
    }
    Py_XDECREF(old);
    if (unlikely(!done)) {
        PyErr_SetString(PyExc_IndexError, "list assignment index out of range");
        return -1;
    }
    return 0;
}

/* ---- changing many items --------------------------------------------------------------------- */

static void release_all(PyObject **items, Py_ssize_t n)
{
    for (Py_ssize_t i = n; --i >= 0;) {
        Py_XDECREF(items[i]);
    }
}

static void list_clear_locked(PyListObject *list)
{
    PyObject **items = list->ob_item;
    if (items == NULL) {
        return;
    }
    Py_ssize_t n = Py_SIZE(list), allocated = list->allocated;
    list_set_size(list, 0);
    field_store_release(&list->ob_item, NULL);
    field_store(&list->allocated, 0);
    release_all(items, n);
    array_free(list, items, allocated);
}

void list_clear(PyListObject *list)
{
    Py_BEGIN_CRITICAL_SECTION(list);
    list_clear_locked(list);
    Py_END_CRITICAL_SECTION();
}

int list_replace_locked(PyListObject *list, Py_ssize_t low, Py_ssize_t high, PyObject *const *items,
                        Py_ssize_t n)
{
    Py_ssize_t size = Py_SIZE(list), gone = high - low, grow = n - gone;
    if (size + grow == 0) {
        list_clear_locked(list);
        return 0;
    }
    PyObject *few[16], **old = few;
    if (gone > 16 && (old = PyMem_Malloc((size_t)gone * sizeof(PyObject *))) == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (gone > 0) {
        memcpy(old, list->ob_item + low, (size_t)gone * sizeof(PyObject *));
    }
    if (grow < 0) {
        array_move(list, list->ob_item + high + grow, list->ob_item + high, size - high);
        array_forget(list, list->ob_item + size + grow, -grow);
        list_resize_locked(list, size + grow);
    } else if (grow > 0) {
        if (size > PY_SSIZE_T_MAX - grow || list_resize_locked(list, size + grow) < 0) {
            if (old != few) {
                PyMem_Free(old);
            }
            if (!PyErr_Occurred()) {
                PyErr_NoMemory();
            }
            return -1;
        }
        array_move(list, list->ob_item + high + grow, list->ob_item + high, size - high);
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        field_store_release(&list->ob_item[low + i], Py_NewRef(items[i]));
    }
    release_all(old, gone);
    if (old != few) {
        PyMem_Free(old);
    }
    return 0;
}

/* Appends n items by new references. */
static int append_array(PyListObject *list, PyObject *const *items, Py_ssize_t n)
{
    Py_ssize_t size = Py_SIZE(list);
    if (n == 0) {
        return 0;
    }
    if (size > PY_SSIZE_T_MAX - n) {
        PyErr_NoMemory();
        return -1;
    }
    if (size + n > list->allocated) {
        /* A first filling gets exactly its room. */
        Py_ssize_t capacity = list->ob_item == NULL ? n : capacity_for(size + n, size);
        bool self = items == list->ob_item;
        if (list_set_capacity(list, capacity) < 0) {
            return -1;
        }
        items = self ? list->ob_item : items;
    }
    PyObject **to = list->ob_item + size;
    for (Py_ssize_t i = 0; i < n; i++) {
        field_store_release(&to[i], Py_NewRef(items[i]));
    }
    list_set_size(list, size + n);
    return 0;
}

static int extend_from_iterator(PyListObject *list, PyObject *iterable)
{
    PyObject *it = PyObject_GetIter(iterable);
    if (it == NULL) {
        return -1;
    }
    Py_ssize_t hint = PyObject_LengthHint(iterable, 8);
    if (hint < 0) {
        Py_DECREF(it);
        return -1;
    }
    Py_ssize_t n = Py_SIZE(list);
    /* A hint is no promise: when there is no room for it, the items themselves may still fit. */
    if (hint > 0 && n < PY_SSIZE_T_MAX - hint && list->allocated < n + hint) {
        Py_ssize_t capacity = list->ob_item == NULL ? hint : capacity_for(n + hint, n);
        if (list_set_capacity(list, capacity) < 0) {
            Py_DECREF(it);
            return -1;
        }
    }
    iternextfunc next = Py_TYPE(it)->tp_iternext;
    PyObject *item;
    while ((item = next(it)) != NULL) {
        if (list_append_owned_locked(list, item) < 0 || iter_interrupted() < 0) {
            Py_DECREF(it);
            return -1;
        }
    }
    Py_DECREF(it);
    if (PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_StopIteration)) {
            return -1;
        }
        PyErr_Clear();
    }
    if (Py_SIZE(list) < list->allocated) {
        return list_resize_locked(list, Py_SIZE(list));
    }
    return 0;
}

static int list_extend_locked(PyListObject *list, PyObject *iterable)
{
    if (PyList_CheckExact(iterable) || (PyObject *)list == iterable) {
        return append_array(list, list_items(iterable), Py_SIZE(iterable));
    }
    if (PyTuple_CheckExact(iterable)) {
        return append_array(list, tuple_items(iterable), Py_SIZE(iterable));
    }
    return extend_from_iterator(list, iterable);
}

int list_extend(PyListObject *list, PyObject *iterable)
{
    int result;
    Py_BEGIN_CRITICAL_SECTION2(list, iterable);
    result = list_extend_locked(list, iterable);
    Py_END_CRITICAL_SECTION2();
    return result;
}

PyObject *list_slice(PyListObject *list, Py_ssize_t low, Py_ssize_t high)
{
    PyObject *slice;
    Py_BEGIN_CRITICAL_SECTION(list);
    Py_ssize_t size = Py_SIZE(list);
    high = high > size ? size : high;
    low = low > high ? high : low;
    slice = list_from_array(list->ob_item + low, high - low);
    Py_END_CRITICAL_SECTION();
    return slice;
}

static PyObject *slice_with_step(PyListObject *list, Py_ssize_t start, Py_ssize_t step,
                                 Py_ssize_t n)
{
    PyListObject *result = list_of_room(n);
    if (result == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0, from = start; i < n; i++, from += step) {
        result->ob_item[i] = Py_NewRef(list->ob_item[from]);
    }
    Py_SET_SIZE(result, n);
    gc_track_new((PyObject *)result);
    return (PyObject *)result;
}

/* ---- slots ----------------------------------------------------------------------------------- */

static void list_dealloc(PyObject *op)
{
    PyListObject *list = (PyListObject *)op;
    bool exact = PyList_CheckExact(op);
    if (likely(exact)) {
        gc_untrack_dead(op);
    } else {
        gc_untrack(op);
    }
    if (list->ob_item != NULL) {
        release_all(list->ob_item, Py_SIZE(list));
        block_free(list->ob_item - ARRAY_PREFIX, array_bytes(list->allocated));
    }
    if (likely(exact)) {
        death_of_container(op, sizeof(PyListObject));
    } else {
        Py_TYPE(op)->tp_free(op);
    }
}

static int list_traverse(PyObject *op, visitproc visit, void *arg)
{
    for (Py_ssize_t i = Py_SIZE(op); --i >= 0;) {
        Py_VISIT(list_items(op)[i]);
    }
    return 0;
}

static int list_tp_clear(PyObject *op)
{
    list_clear((PyListObject *)op);
    return 0;
}

static int repr_items(str_writer *w, PyListObject *list)
{
    PyObject *item;
    for (Py_ssize_t i = 0; (item = list_get_ref(list, i)) != NULL; i++) {
        int failed = (i > 0 && str_writer_ascii(w, ", ", 2) < 0) || str_writer_repr(w, item) < 0;
        Py_DECREF(item);
        if (failed) {
            return -1;
        }
    }
    return 0;
}

static PyObject *list_repr(PyObject *op)
{
    if (PyList_GET_SIZE(op) == 0) {
        return PyUnicode_FromString("[]");
    }
    int entered = Py_ReprEnter(op);
    if (entered != 0) {
        return entered > 0 ? PyUnicode_FromString("[...]") : NULL;
    }
    str_writer w;
    str_writer_init(&w);
    PyObject *text = NULL;
    if (str_writer_char(&w, '[') == 0 && repr_items(&w, (PyListObject *)op) == 0
        && str_writer_char(&w, ']') == 0) {
        text = str_writer_finish(&w);
    } else {
        str_writer_drop(&w);
    }
    Py_ReprLeave(op);
    return text;
}

static PyObject *list_richcompare(PyObject *a, PyObject *b, int operation)
{
    if (!PyList_Check(a) || !PyList_Check(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (PyList_GET_SIZE(a) != PyList_GET_SIZE(b) && (operation == Py_EQ || operation == Py_NE)) {
        return PyBool_FromLong(operation == Py_NE);
    }
    for (Py_ssize_t i = 0;; i++) {
        PyObject *x = list_get_ref((PyListObject *)a, i);
        PyObject *y = x == NULL ? NULL : list_get_ref((PyListObject *)b, i);
        if (y == NULL) {
            Py_XDECREF(x);
            Py_RETURN_RICHCOMPARE(PyList_GET_SIZE(a), PyList_GET_SIZE(b), operation);
        }
        int equal = loop_pause(i) < 0 ? -1 : x == y ? 1 : PyObject_RichCompareBool(x, y, Py_EQ);
        PyObject *result = NULL;
        if (equal == 0 && (i >= PyList_GET_SIZE(a) || i >= PyList_GET_SIZE(b))) {
            equal = 1; /* the comparison took items away: lengths decide, in the next round */
        }
        if (equal == 0) {
            result = operation == Py_EQ   ? Py_NewRef(Py_False)
                     : operation == Py_NE ? Py_NewRef(Py_True)
                                          : PyObject_RichCompare(x, y, operation);
        }
        Py_DECREF(x);
        Py_DECREF(y);
        if (equal <= 0) {
            return result;
        }
    }
}

static Py_ssize_t list_length(PyObject *op)
{
    return PyList_GET_SIZE(op);
}

static PyObject *list_item(PyObject *op, Py_ssize_t i)
{
    PyObject *item = list_get_ref((PyListObject *)op, i);
    if (item == NULL) {
        PyErr_SetString(PyExc_IndexError, "list index out of range");
    }
    return item;
}

static PyObject *list_concat(PyObject *a, PyObject *b)
{
    if (!PyList_Check(b)) {
        PyErr_Format(PyExc_TypeError, "can only concatenate list (not \"%.200s\") to list",
                     Py_TYPE(b)->tp_name);
        return NULL;
    }
    PyListObject *result = NULL;
    Py_BEGIN_CRITICAL_SECTION2(a, b);
    Py_ssize_t na = Py_SIZE(a), nb = Py_SIZE(b);
    if (na > PY_SSIZE_T_MAX - nb) {
        PyErr_NoMemory();
    } else if ((result = list_of_room(na + nb)) != NULL) {
        for (Py_ssize_t i = 0; i < na; i++) {
            result->ob_item[i] = Py_NewRef(list_items(a)[i]);
        }
        for (Py_ssize_t i = 0; i < nb; i++) {
            result->ob_item[na + i] = Py_NewRef(list_items(b)[i]);
        }
        Py_SET_SIZE(result, na + nb);
        gc_track_new((PyObject *)result);
    }
    Py_END_CRITICAL_SECTION2();
    return (PyObject *)result;
}

static PyObject *list_repeat_locked(PyListObject *list, Py_ssize_t count)
{
    Py_ssize_t n = Py_SIZE(list);
    if (n == 0 || count <= 0) {
        return PyList_New(0);
    }
    if (n > PY_SSIZE_T_MAX / count) {
        return PyErr_NoMemory();
    }
    PyListObject *result = list_of_room(n * count);
    if (result == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = list->ob_item[i], **to = result->ob_item + i;
        for (Py_ssize_t round = 0; round < count; round++, to += n) {
            *to = Py_NewRef(item);
        }
    }
    Py_SET_SIZE(result, n * count);
    gc_track_new((PyObject *)result);
    return (PyObject *)result;
}

static PyObject *list_repeat(PyObject *op, Py_ssize_t count)
{
    PyObject *result;
    Py_BEGIN_CRITICAL_SECTION(op);
    result = list_repeat_locked((PyListObject *)op, count);
    Py_END_CRITICAL_SECTION();
    return result;
}

static int inplace_repeat_locked(PyListObject *list, Py_ssize_t count)
{
    Py_ssize_t n = Py_SIZE(list);
    if (n == 0 || count == 1) {
        return 0;
    }
    if (count < 1) {
        list_clear_locked(list);
        return 0;
    }
    if (n > PY_SSIZE_T_MAX / count) {
        PyErr_NoMemory();
        return -1;
    }
    if (list->allocated < n * count && list_set_capacity(list, n * count) < 0) {
        return -1;
    }
    for (Py_ssize_t i = n; i < n * count; i++) {
        field_store_release(&list->ob_item[i], Py_NewRef(list->ob_item[i - n]));
    }
    list_set_size(list, n * count);
    return 0;
}

static PyObject *list_inplace_repeat(PyObject *op, Py_ssize_t count)
{
    int failed;
    Py_BEGIN_CRITICAL_SECTION(op);
    failed = inplace_repeat_locked((PyListObject *)op, count);
    Py_END_CRITICAL_SECTION();
    return failed < 0 ? NULL : Py_NewRef(op);
}

static PyObject *list_inplace_concat(PyObject *op, PyObject *other)
{
    return list_extend((PyListObject *)op, other) < 0 ? NULL : Py_NewRef(op);
}

enum { ITEM_EQUAL = 1, ITEM_OTHER = 0, ITEM_ERROR = -1, ITEM_NONE = -2 };

static NOINLINE int item_equals_slow(PyListObject *list, Py_ssize_t i, PyObject *value)
{
    PyObject *item = list_get_ref(list, i);
    if (item == NULL) {
        return ITEM_NONE;
    }
    int equal = loop_pause(i) < 0 ? ITEM_ERROR : PyObject_RichCompareBool(item, value, Py_EQ);
    Py_DECREF(item);
    return equal;
}

/* Whether item i equals `value`. May run Python code. */
static inline int item_equals(PyListObject *list, Py_ssize_t i, PyObject *value)
{
    PyObject *item = list_peek(list, i);
    if (likely(item != NULL)) {
        int equal = item == value ? 1 : compare_plain(item, value, Py_EQ);
        if (likely(equal >= 0)) {
            return equal;
        }
    }
    return item_equals_slow(list, i, value);
}

/* The first item from `start` on, and below `stop`, that equals `value`; -1: none, -2: an exception. */
static Py_ssize_t find_item(PyListObject *list, PyObject *value, Py_ssize_t start, Py_ssize_t stop)
{
    for (Py_ssize_t i = start; i < stop; i++) {
        int equal = item_equals(list, i, value);
        if (equal != ITEM_OTHER) {
            return equal == ITEM_EQUAL ? i : equal == ITEM_ERROR ? -2 : -1;
        }
    }
    return -1;
}

static int list_contains(PyObject *op, PyObject *value)
{
    Py_ssize_t i = find_item((PyListObject *)op, value, 0, PY_SSIZE_T_MAX);
    return i >= 0 ? 1 : i == -2 ? -1 : 0;
}

static int delete_range_locked(PyListObject *list, Py_ssize_t low, Py_ssize_t high)
{
    return list_replace_locked(list, low, high, NULL, 0);
}

static int list_ass_item(PyObject *op, Py_ssize_t i, PyObject *value)
{
    if (value != NULL) {
        return list_set_owned((PyListObject *)op, i, Py_NewRef(value));
    }
    int result = -1;
    Py_BEGIN_CRITICAL_SECTION(op);
    if ((size_t)i < (size_t)Py_SIZE(op)) {
        result = delete_range_locked((PyListObject *)op, i, i + 1);
    } else {
        PyErr_SetString(PyExc_IndexError, "list assignment index out of range");
    }
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *list_subscript(PyObject *op, PyObject *key)
{
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) {
            return NULL;
        }
        return list_item(op, i < 0 ? i + PyList_GET_SIZE(op) : i);
    }
    if (!PySlice_Check(key)) {
        PyErr_Format(PyExc_TypeError, "list indices must be integers or slices, not %.200s",
                     Py_TYPE(key)->tp_name);
        return NULL;
    }
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(key, &start, &stop, &step) < 0) {
        return NULL;
    }
    PyObject *result;
    Py_BEGIN_CRITICAL_SECTION(op);
    Py_ssize_t n = PySlice_AdjustIndices(Py_SIZE(op), &start, &stop, step);
    if (n <= 0) {
        result = PyList_New(0);
    } else if (step == 1) {
        result = list_from_array(list_items(op) + start, n);
    } else {
        result = slice_with_step((PyListObject *)op, start, step, n);
    }
    Py_END_CRITICAL_SECTION();
    return result;
}

/* list[low:high] = value, or del if value is NULL. */
static int assign_slice_locked(PyListObject *list, Py_ssize_t low, Py_ssize_t high, PyObject *value)
{
    if (value == NULL) {
        return delete_range_locked(list, low, high);
    }
    PyObject *items = (PyObject *)list == value
                          ? list_from_array(list->ob_item, Py_SIZE(list))
                          : PySequence_Fast(value, "can only assign an iterable");
    if (items == NULL) {
        return -1;
    }
    /* Making the items may have changed the list. */
    Py_ssize_t size = Py_SIZE(list);
    low = low > size ? size : low;
    high = high > size ? size : high < low ? low : high;
    int result = list_replace_locked(list, low, high, PySequence_Fast_ITEMS(items),
                                     PySequence_Fast_GET_SIZE(items));
    Py_DECREF(items);
    return result;
}

static int delete_steps_locked(PyListObject *list, Py_ssize_t start, Py_ssize_t step, Py_ssize_t n)
{
    if (step < 0) {
        start += step * (n - 1);
        step = -step;
    }
    PyObject **gone = PyMem_Malloc((size_t)n * sizeof(PyObject *));
    if (gone == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t size = Py_SIZE(list);
    for (Py_ssize_t i = 0, at = start; i < n; i++, at += step) {
        gone[i] = list->ob_item[at];
        Py_ssize_t keep = (i + 1 < n ? at + step : size) - at - 1;
        array_move(list, list->ob_item + at - i, list->ob_item + at + 1, keep);
    }
    array_forget(list, list->ob_item + size - n, n);
    list_resize_locked(list, size - n);
    release_all(gone, n);
    PyMem_Free(gone);
    return 0;
}

static int assign_steps_locked(PyListObject *list, Py_ssize_t start, Py_ssize_t stop,
                               Py_ssize_t step, PyObject *value)
{
    PyObject *items = (PyObject *)list == value
                          ? list_from_array(list->ob_item, Py_SIZE(list))
                          : PySequence_Fast(value, "must assign iterable to extended slice");
    if (items == NULL) {
        return -1;
    }
    Py_ssize_t n = PySlice_AdjustIndices(Py_SIZE(list), &start, &stop, step);
    if (PySequence_Fast_GET_SIZE(items) != n) {
        PyErr_Format(PyExc_ValueError,
                     "attempt to assign sequence of size %zd to extended slice of size %zd",
                     PySequence_Fast_GET_SIZE(items), n);
        Py_DECREF(items);
        return -1;
    }
    PyObject **old = PyMem_Malloc((size_t)(n + 1) * sizeof(PyObject *));
    if (old == NULL) {
        Py_DECREF(items);
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0, at = start; i < n; i++, at += step) {
        old[i] = list->ob_item[at];
        field_store_release(&list->ob_item[at], Py_NewRef(PySequence_Fast_GET_ITEM(items, i)));
    }
    release_all(old, n);
    PyMem_Free(old);
    Py_DECREF(items);
    return 0;
}

static int assign_by_slice(PyListObject *list, PyObject *slice, PyObject *value)
{
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(slice, &start, &stop, &step) < 0) {
        return -1;
    }
    Py_ssize_t wanted_start = start, wanted_stop = stop;
    Py_ssize_t n = PySlice_AdjustIndices(Py_SIZE(list), &start, &stop, step);
    if (step == 1) {
        return assign_slice_locked(list, start, n > 0 ? stop : start, value);
    }
    if (value != NULL) {
        return assign_steps_locked(list, wanted_start, wanted_stop, step, value);
    }
    return n <= 0 ? 0 : delete_steps_locked(list, start, step, n);
}

static int list_ass_subscript(PyObject *op, PyObject *key, PyObject *value)
{
    if (PyIndex_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) {
            return -1;
        }
        return list_ass_item(op, i < 0 ? i + PyList_GET_SIZE(op) : i, value);
    }
    if (!PySlice_Check(key)) {
        PyErr_Format(PyExc_TypeError, "list indices must be integers or slices, not %.200s",
                     Py_TYPE(key)->tp_name);
        return -1;
    }
    int result;
    Py_BEGIN_CRITICAL_SECTION(op);
    result = assign_by_slice((PyListObject *)op, key, value);
    Py_END_CRITICAL_SECTION();
    return result;
}

/* ---- methods --------------------------------------------------------------------------------- */

#include "list.bind.h"

static int list_init(PyListObject *self, PyObject *iterable)
{
    list_clear(self);
    return iterable == NULL ? 0 : list_extend(self, iterable);
}

static PyObject *list_vectorcall(PyObject *type, PyObject *const *args, size_t nargsf,
                                 PyObject *kwnames)
{
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (!bind_no_kwnames("list", kwnames) || !bind_count("list", nargs, 0, 1)) {
        return NULL;
    }
    PyObject *list = type == (PyObject *)&PyList_Type
                         ? PyList_New(0)
                         : PyType_GenericAlloc((PyTypeObject *)type, 0);
    if (list != NULL && nargs == 1 && list_extend((PyListObject *)list, args[0]) < 0) {
        Py_CLEAR(list);
    }
    return list;
}

static PyObject *list_getitem(PyListObject *self, PyObject *key)
{
    return list_subscript((PyObject *)self, key);
}

static int list_insert_locked(PyListObject *self, Py_ssize_t index, PyObject *item)
{
    Py_ssize_t n = Py_SIZE(self);
    if (n == PY_SSIZE_T_MAX) {
        PyErr_SetString(PyExc_OverflowError, "cannot add more objects to list");
        return -1;
    }
    if (list_resize_locked(self, n + 1) < 0) {
        return -1;
    }
    index = index < 0 ? (index + n < 0 ? 0 : index + n) : index > n ? n : index;
    array_move(self, self->ob_item + index + 1, self->ob_item + index, n - index);
    field_store_release(&self->ob_item[index], Py_NewRef(item));
    return 0;
}

static int list_insert(PyListObject *self, Py_ssize_t index, PyObject *object)
{
    return list_insert_locked(self, index, object);
}

static int list_append(PyListObject *self, PyObject *object)
{
    return list_append_owned_locked(self, Py_NewRef(object));
}

static int list_extend_method(PyListObject *self, PyObject *iterable)
{
    return list_extend(self, iterable);
}

static PyObject *list_pop(PyListObject *self, Py_ssize_t index)
{
    Py_ssize_t n = Py_SIZE(self);
    if (n == 0) {
        PyErr_SetString(PyExc_IndexError, "pop from empty list");
        return NULL;
    }
    index = index < 0 ? index + n : index;
    if ((size_t)index >= (size_t)n) {
        PyErr_SetString(PyExc_IndexError, "pop index out of range");
        return NULL;
    }
    PyObject *item = self->ob_item[index];
    array_move(self, self->ob_item + index, self->ob_item + index + 1, n - index - 1);
    array_forget(self, self->ob_item + n - 1, 1);
    list_resize_locked(self, n - 1);
    return item;
}

static void list_clear_method(PyListObject *self)
{
    list_clear_locked(self);
}

static PyObject *list_copy(PyListObject *self)
{
    return list_from_array(self->ob_item, Py_SIZE(self));
}

static void list_reverse(PyListObject *self)
{
    Py_ssize_t n = Py_SIZE(self);
    for (Py_ssize_t i = 0, j = n - 1; i < j; i++, j--) {
        PyObject *item = self->ob_item[i];
        field_store_release(&self->ob_item[i], self->ob_item[j]);
        field_store_release(&self->ob_item[j], item);
    }
}

static int list_sort(PyListObject *self, PyObject *key, int reverse)
{
    return list_sort_locked(self, key == Py_None ? NULL : key, reverse);
}

static PyObject *list_index(PyListObject *self, PyObject *value, Py_ssize_t start, Py_ssize_t stop)
{
    Py_ssize_t n = PyList_GET_SIZE(self);
    start = start < 0 ? (start + n < 0 ? 0 : start + n) : start;
    stop = stop < 0 ? (stop + n < 0 ? 0 : stop + n) : stop;
    Py_ssize_t i = find_item(self, value, start, stop);
    if (i == -1) {
        PyErr_Format(PyExc_ValueError, "%R is not in list", value);
    }
    return i < 0 ? NULL : PyLong_FromSsize_t(i);
}

static PyObject *list_count(PyListObject *self, PyObject *value)
{
    Py_ssize_t count = 0;
    int equal;
    for (Py_ssize_t i = 0; (equal = item_equals(self, i, value)) >= 0; i++) {
        count += equal;
    }
    return equal == ITEM_ERROR ? NULL : PyLong_FromSsize_t(count);
}

static int list_remove(PyListObject *self, PyObject *value)
{
    Py_ssize_t i = find_item(self, value, 0, PY_SSIZE_T_MAX);
    if (i == -1) {
        PyErr_SetString(PyExc_ValueError, "list.remove(x): x not in list");
    }
    if (i < 0) {
        return -1;
    }
    /* The comparison may have changed the list. */
    return i < Py_SIZE(self) ? delete_range_locked(self, i, i + 1) : 0;
}

static Py_ssize_t list_sizeof(PyListObject *self)
{
    return Py_TYPE(self)->tp_basicsize + field_load(&self->allocated) * (Py_ssize_t)sizeof(void *);
}

static PyObject *list_reversed(PyListObject *self)
{
    return list_reverse_iter((PyObject *)self);
}

static PyObject *list_class_getitem(PyTypeObject *type, PyObject *item)
{
    return Py_GenericAlias((PyObject *)type, item);
}

/* ---- the type -------------------------------------------------------------------------------- */

static PySequenceMethods list_as_sequence = {
    .sq_length = list_length,
    .sq_concat = list_concat,
    .sq_repeat = list_repeat,
    .sq_item = list_item,
    .sq_ass_item = list_ass_item,
    .sq_contains = list_contains,
    .sq_inplace_concat = list_inplace_concat,
    .sq_inplace_repeat = list_inplace_repeat,
};

static PyMappingMethods list_as_mapping = {
    .mp_length = list_length,
    .mp_subscript = list_subscript,
    .mp_ass_subscript = list_ass_subscript,
};

PyTypeObject PyList_Type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0).tp_name = "list",
    .tp_basicsize = sizeof(PyListObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE
                | Py_TPFLAGS_LIST_SUBCLASS | _Py_TPFLAGS_MATCH_SELF | Py_TPFLAGS_SEQUENCE,
    .tp_doc = list_doc,
    .tp_dealloc = list_dealloc,
    .tp_traverse = list_traverse,
    .tp_clear = list_tp_clear,
    .tp_repr = list_repr,
    .tp_hash = PyObject_HashNotImplemented,
    .tp_richcompare = list_richcompare,
    .tp_as_sequence = &list_as_sequence,
    .tp_as_mapping = &list_as_mapping,
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_iter = list_iter,
    .tp_methods = list_methods,
    .tp_init = bind_list_init,
    .tp_alloc = PyType_GenericAlloc,
    .tp_new = PyType_GenericNew,
    .tp_vectorcall = list_vectorcall,
    .tp_free = PyObject_GC_Del,
};

PyTypeObject *const list_types[] = {&PyList_Type, &PyListIter_Type, &PyListRevIter_Type, NULL};
