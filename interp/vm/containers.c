/*
 * Subscripts, building and taking apart.
 */
#include "interp/vm/vm.h"

#include "objects/bytes/bytearray.h"
#include "objects/error.h"
#include "objects/gc/gc.h"
#include "objects/key.h"
#include "objects/set.h"
#include "objects/str.h"
#include "objects/tuple.h"

/* ---- subscripts ------------------------------------------------------------------------------ */

/* dict[key]: new reference. The key may be boxed in place. */
static PyObject *dict_item(PyObject *dict, value_t *key)
{
    PyObject *value;
    int found = dict_get_value(dict, key, &value);
    if (unlikely(found == 0)) {
        PyObject *op = value_box(key);
        if (op != NULL) {
            raise_key(op);
        }
    }
    return value;
}

/* New reference. */
static PyObject *subscript(PyObject *container, value_t *key)
{
    if (container == NULL) {
        return NULL;
    }
    if (PyDict_CheckExact(container)) {
        return dict_item(container, key);
    }
    PyTypeObject *type = Py_TYPE(container);
    if ((type->tp_flags & Py_TPFLAGS_DICT_SUBCLASS)
        && type->tp_as_mapping->mp_subscript == PyDict_Type.tp_as_mapping->mp_subscript) {
        /* Most often it is there; what else there is to do, the slot knows. */
        PyObject *value;
        if (dict_get_value(container, key, &value) != 0) {
            return value;
        }
    }
    if (PyUnicode_CheckExact(container) && value_is_int(*key)) {
        Py_ssize_t i = value_int(*key), length = str_len(container);
        i += i < 0 ? length : 0;
        if (likely((size_t)i < (size_t)length)) {
            return str_from_char(str_read(container, i));
        }
    }
    PyObject *op = value_box(key);
    return op == NULL ? NULL : PyObject_GetItem(container, op);
}

/* The byte as a word, VALUE_NULL if there is none at this index. */
static value_t bytes_item_word(PyObject *op, Py_ssize_t i)
{
    i += i < 0 ? bytes_len(op) : 0;
    return (size_t)i < (size_t)bytes_len(op) ? value_from_int(bytes_data(op)[i]) : VALUE_NULL;
}

/* An item of a list, tuple or bytes by an int, maybe one behind a pointer; unbound: not here. */
static inline value_t sequence_item(value_t o, value_t key)
{
    if (!value_is_pointer(o)) {
        return VALUE_NULL;
    }
    PyObject *op = value_object(o);
    PyTypeObject *type = Py_TYPE(op);
    if (type != &PyList_Type && type != &PyTuple_Type && type != &PyBytes_Type) {
        return VALUE_NULL;
    }
    key = value_number_of(key);
    return !value_is_int(key)      ? VALUE_NULL
           : type == &PyList_Type  ? list_item_word(op, value_int(key))
           : type == &PyTuple_Type ? tuple_item_word(op, value_int(key))
                                   : bytes_item_word(op, value_int(key));
}

/* The word of a new reference; small ints, which have one object each, as numbers. */
static inline value_t result_word(PyObject *op)
{
    return int_is_small_object(op) ? value_from_int(int_small_value(op)) : value_from_owned(op);
}

int vm_get_item(struct frame *fp, unsigned a, unsigned b, unsigned c)
{
    value_t item = sequence_item(fp->r[b], fp->r[c]);
    if (item == VALUE_NULL) {
        PyObject *result = subscript(reg_object(fp, b), &fp->r[c]);
        if (unlikely(result == NULL)) {
            return -1;
        }
        item = result_word(result);
    }
    reg_consume(fp, c);
    reg_consume(fp, b);
    reg_put(fp, a, item);
    return 0;
}

int vm_get_item_k(struct frame *fp, unsigned a, unsigned b, unsigned k)
{
    value_t key = fp->body->kwords[k];
    if (!value_is_int(key)) {
        key = value_from_uncounted(fp->body->consts[k]);
    } else if (value_is_pointer(fp->r[b]) && Py_IS_TYPE(value_object(fp->r[b]), &PyBytes_Type)) {
        value_t item = bytes_item_word(value_object(fp->r[b]), value_int(key));
        if (item != VALUE_NULL) {
            reg_consume(fp, b);
            reg_put(fp, a, item);
            return 0;
        }
    }
    PyObject *result = subscript(reg_object(fp, b), &key);
    if (result == NULL) {
        return -1;
    }
    reg_consume(fp, b);
    reg_put(fp, a, result_word(result));
    return 0;
}

/* list[int] = value: 1 done, 0 not here, -1. */
static int set_list_item(struct frame *fp, unsigned a, unsigned b, unsigned c)
{
    value_t o = fp->r[a], k = fp->r[b];
    if (!value_is_pointer(o) || !value_is_int(k) || !Py_IS_TYPE(value_object(o), &PyList_Type)) {
        return 0;
    }
    PyListObject *list = (PyListObject *)value_object(o);
    Py_ssize_t i = value_int(k), n = PyList_GET_SIZE((PyObject *)list);
    i += i < 0 ? n : 0;
    if (i < 0 || i >= n) {
        return 0;
    }
    PyObject *value = reg_take(fp, c);
    if (value == NULL) {
        return -1;
    }
    if (c >= fp->body->nlocals) {
        fp->r[c] = VALUE_NULL;
    }
    return list_set_owned(list, i, value) < 0 ? -1 : 1;
}

/* bytearray[int] = int: 1 done, 0 not here. */
static int set_byte(struct frame *fp, unsigned a, unsigned b, unsigned c)
{
    value_t o = fp->r[a], k = fp->r[b], v = fp->r[c];
    if (!value_is_int(k) || !value_is_int(v) || (uint64_t)value_int(v) > UINT8_MAX
        || !value_is_pointer(o) || !Py_IS_TYPE(value_object(o), &PyByteArray_Type)
        || !bytearray_put(value_object(o), value_int(k), (uint8_t)value_int(v))) {
        return 0;
    }
    fp->r[c] = c < fp->body->nlocals ? v : VALUE_NULL;
    return 1;
}

/* dict[r[b]] = r[c], without the dict's register. */
static inline int set_in_dict(struct frame *fp, PyObject *dict, unsigned b, unsigned c)
{
    unsigned nlocals = fp->body->nlocals;
    PyObject *key = reg_object(fp, b);
    Py_hash_t hash = key == NULL ? -1 : key_hash(key);
    PyObject *value = hash == -1 ? NULL : reg_take(fp, c);
    if (unlikely(value == NULL)) {
        return -1;
    }
    if (c >= nlocals) {
        fp->r[c] = VALUE_NULL;
    }
    if (b >= nlocals) {
        key = value_object(value_own(fp->r[b]));
        fp->r[b] = VALUE_NULL;
    } else {
        Py_INCREF(key);
    }
    return dict_set_owned(dict, key, hash, value);
}

int vm_set_dict_item(struct frame *fp, unsigned a, unsigned b, unsigned c)
{
    if (unlikely(set_in_dict(fp, value_object(fp->r[a]), b, c) < 0)) {
        return -1;
    }
    reg_consume(fp, a);
    return 0;
}

int vm_set_item(struct frame *fp, unsigned a, unsigned b, unsigned c)
{
    int done = set_list_item(fp, a, b, c);
    done = done != 0 ? done : set_byte(fp, a, b, c);
    if (done == 0) {
        PyObject *container = reg_object(fp, a), *key = reg_object(fp, b);
        PyObject *value = reg_object(fp, c);
        if (container == NULL || key == NULL || value == NULL) {
            return -1;
        }
        done = PyObject_SetItem(container, key, value);
        if (done == 0) {
            reg_consume(fp, c);
        }
    }
    if (done < 0) {
        return -1;
    }
    reg_consume(fp, b);
    reg_consume(fp, a);
    return 0;
}

int vm_del_item(struct frame *fp, unsigned a, unsigned b)
{
    PyObject *container = reg_object(fp, a), *key = reg_object(fp, b);
    if (container == NULL || key == NULL || PyObject_DelItem(container, key) < 0) {
        return -1;
    }
    reg_consume(fp, b);
    reg_consume(fp, a);
    return 0;
}

/* A bound of a slice: false when it is neither None nor an int that fits. */
static bool slice_bound(value_t v, Py_ssize_t length, Py_ssize_t missing, Py_ssize_t *bound)
{
    if (value_is_none(v)) {
        *bound = missing;
        return true;
    }
    v = value_number_of(v);
    if (!value_is_int(v)) {
        return false;
    }
    Py_ssize_t i = value_int(v);
    i += i < 0 ? length : 0;
    *bound = i < 0 ? 0 : i > length ? length : i;
    return true;
}

/* container[start:stop] of the usual types without a slice object; NULL without an exception: not here. New
 * reference. */
static PyObject *slice_of_exact(PyObject *container, value_t start, value_t stop)
{
    PyTypeObject *type = Py_TYPE(container);
    bool text = type == &PyUnicode_Type;
    if (!text && type != &PyTuple_Type && (type != &PyList_Type || !lock_is_alone())) {
        return NULL;
    }
    Py_ssize_t length = text ? str_len(container) : Py_SIZE(container), low, high;
    if (!slice_bound(start, length, 0, &low) || !slice_bound(stop, length, length, &high)) {
        return NULL;
    }
    high = high < low ? low : high;
    if (text) {
        return low == 0 && high == length ? Py_NewRef(container)
                                          : str_substring(container, low, high);
    }
    return type == &PyTuple_Type ? tuple_slice((PyTupleObject *)container, low, high)
                                 : list_slice((PyListObject *)container, low, high);
}

int vm_get_slice(struct frame *fp, unsigned a, unsigned b, unsigned c)
{
    PyObject *container = reg_object(fp, b);
    if (container == NULL) {
        return -1;
    }
    PyObject *result = slice_of_exact(container, fp->r[c], fp->r[c + 1]);
    if (result == NULL) {
        PyObject *start = reg_object(fp, c), *stop = reg_object(fp, c + 1);
        if (PyErr_Occurred() || start == NULL || stop == NULL) {
            return -1;
        }
        PyObject *slice = PySlice_New(start, stop, NULL);
        result = slice ? PyObject_GetItem(container, slice) : NULL;
        Py_XDECREF(slice);
        if (result == NULL) {
            return -1;
        }
    }
    value_release(fp->r[c + 1]);
    value_release(fp->r[c]);
    reg_consume(fp, b);
    reg_put(fp, a, value_from_owned(result));
    return 0;
}

int vm_build_slice(struct frame *fp, unsigned a, unsigned b, unsigned n)
{
    PyObject *start = reg_object(fp, b), *stop = reg_object(fp, b + 1);
    PyObject *step = n == 3 ? reg_object(fp, b + 2) : NULL;
    if (start == NULL || stop == NULL || (n == 3 && step == NULL)) {
        return -1;
    }
    PyObject *slice = PySlice_New(start, stop, step);
    if (slice == NULL) {
        return -1;
    }
    reg_release_range(fp->r, b, b + n);
    return reg_put_owned(fp, a, slice);
}

/* ---- building -------------------------------------------------------------------------------- */

/* Moves n words out of registers as owned references; undone, and -1 with MemoryError, when a number cannot
 * become an object. */
static inline int take_words(value_t *words, PyObject **items, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        FEW_TIMES();
        items[i] = value_to_owned(words[i]);
        if (unlikely(items[i] == NULL)) {
            while (i-- > 0) {
                words[i] = value_from_owned(items[i]);
            }
            return -1;
        }
    }
    return 0;
}

int vm_build_tuple(struct frame *fp, unsigned a, unsigned b, unsigned n)
{
    if (n == 0) {
        return reg_put_owned(fp, a, PyTuple_New(0));
    }
    PyTupleObject *tuple = tuple_alloc(n);
    if (unlikely(tuple == NULL)) {
        return -1;
    }
    if (unlikely(take_words(fp->r + b, tuple->ob_item, n) < 0)) {
        object_free((PyObject *)tuple);
        return -1;
    }
    reg_put(fp, a, value_from_owned(tuple_ready(tuple)));
    return 0;
}

int vm_build_list(struct frame *fp, unsigned a, unsigned b, unsigned n)
{
    PyListObject *list = list_alloc(n);
    if (unlikely(list == NULL)) {
        return -1;
    }
    if (unlikely(take_words(fp->r + b, list->ob_item, n) < 0)) {
        Py_SET_SIZE(list, 0);
        Py_DECREF(list);
        return -1;
    }
    gc_track_new((PyObject *)list);
    reg_put(fp, a, value_from_owned((PyObject *)list));
    return 0;
}

int vm_build_set(struct frame *fp, unsigned a, unsigned b, unsigned n)
{
    value_t *words = fp->r + b;
    PyObject *set = args_materialise(words, n) < 0 ? NULL : PySet_New(NULL);
    for (unsigned i = 0; set != NULL && i < n; i++) {
        if (PySet_Add(set, value_object(words[i])) < 0) {
            Py_CLEAR(set);
        }
    }
    if (set == NULL) {
        return -1;
    }
    reg_release_range(fp->r, b, b + n);
    return reg_put_owned(fp, a, set);
}

int vm_build_map(struct frame *fp, unsigned a, unsigned b, unsigned n)
{
    value_t *words = fp->r + b;
    if (n == 0) {
        return reg_put_owned(fp, a, PyDict_New());
    }
    if (args_materialise(words, 2 * (Py_ssize_t)n) < 0) {
        return -1;
    }
    PyObject *dict = dict_from_pairs_steal((PyObject *const *)words, n);
    if (dict == NULL) {
        memset(words, 0, 2 * n * sizeof(value_t));
        return -1;
    }
    reg_put(fp, a, value_from_owned(dict));
    return 0;
}

int vm_build_string(struct frame *fp, unsigned a, unsigned b, unsigned n)
{
    value_t *words = fp->r + b;
    PyObject *few[16], *text;
    unsigned objects = 0;
    while (objects < n && objects < sizeof few / sizeof few[0]
           && value_is_pointer(words[objects])) {
        few[objects] = value_object(words[objects]);
        objects++;
    }
    if (likely(objects == n)) {
        text = str_join(NULL, few, n);
    } else {
        text = args_materialise(words, n) < 0 ? NULL : str_join(NULL, (PyObject *const *)words, n);
    }
    if (text == NULL) {
        return -1;
    }
    reg_release_range(fp->r, b, b + n);
    return reg_put_owned(fp, a, text);
}

int vm_list_append(struct frame *fp, unsigned a, unsigned b)
{
    PyObject *item = reg_take(fp, b);
    if (item == NULL) {
        return -1;
    }
    if (b >= fp->body->nlocals) {
        fp->r[b] = VALUE_NULL;
    }
    return list_append_owned((PyListObject *)value_object(fp->r[a]), item);
}

int vm_set_add(struct frame *fp, unsigned a, unsigned b)
{
    PyObject *item = reg_object(fp, b);
    Py_hash_t hash = item == NULL ? -1 : key_hash(item);
    if (hash == -1 || set_add_key(value_object(fp->r[a]), item, hash) < 0) {
        return -1;
    }
    reg_consume(fp, b);
    return 0;
}

int vm_map_add(struct frame *fp, unsigned a, unsigned b, unsigned c)
{
    return set_in_dict(fp, value_object(fp->r[a]), b, c);
}

int vm_list_extend(struct frame *fp, unsigned a, unsigned b)
{
    PyObject *iterable = reg_object(fp, b);
    if (iterable == NULL || list_extend((PyListObject *)value_object(fp->r[a]), iterable) < 0) {
        if (iterable != NULL && PyErr_ExceptionMatches(PyExc_TypeError)
            && Py_TYPE(iterable)->tp_iter == NULL && !PySequence_Check(iterable)) {
            PyErr_Clear();
            PyErr_Format(PyExc_TypeError, "Value after * must be an iterable, not %.200s",
                         Py_TYPE(iterable)->tp_name);
        }
        return -1;
    }
    reg_consume(fp, b);
    return 0;
}

int vm_set_update(struct frame *fp, unsigned a, unsigned b)
{
    PyObject *iterable = reg_object(fp, b);
    if (iterable == NULL || set_update_from(value_object(fp->r[a]), iterable) < 0) {
        return -1;
    }
    reg_consume(fp, b);
    return 0;
}

int vm_dict_update(struct frame *fp, unsigned a, unsigned b)
{
    PyObject *other = reg_object(fp, b);
    if (other == NULL || PyDict_Update(value_object(fp->r[a]), other) < 0) {
        if (other != NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
            PyErr_Clear();
            PyErr_Format(PyExc_TypeError, "'%.200s' object is not a mapping",
                         Py_TYPE(other)->tp_name);
        }
        return -1;
    }
    reg_consume(fp, b);
    return 0;
}

static void explain_merge(PyObject *callable, PyObject *other)
{
    PyObject *text;
    if (PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        text = _PyObject_FunctionStr(callable);
        if (text != NULL) {
            PyErr_Format(PyExc_TypeError, "%U argument after ** must be a mapping, not %.200s",
                         text, Py_TYPE(other)->tp_name);
            Py_DECREF(text);
        }
    } else if (PyErr_ExceptionMatches(PyExc_KeyError)) {
        PyObject *exc = PyErr_GetRaisedException();
        PyObject *args = PyException_GetArgs(exc);
        if (!PyTuple_Check(args) || PyTuple_GET_SIZE(args) != 1) {
            Py_XDECREF(args);
            PyErr_SetRaisedException(exc);
            return;
        }
        PyObject *key = PyTuple_GET_ITEM(args, 0);
        text = _PyObject_FunctionStr(callable);
        if (text != NULL) {
            PyErr_Format(PyExc_TypeError, "%U got multiple values for keyword argument '%S'", text,
                         key);
            Py_DECREF(text);
        }
        Py_DECREF(args);
        Py_DECREF(exc);
    }
}

int vm_merge_keywords(PyObject *dict, PyObject *mapping, PyObject *callable)
{
    if (dict_merge(dict, mapping, 2) < 0) {
        explain_merge(callable, mapping);
        return -1;
    }
    return 0;
}

int vm_dict_merge(struct frame *fp, unsigned a, unsigned b, unsigned c)
{
    PyObject *other = reg_object(fp, b);
    if (other == NULL) {
        return -1;
    }
    if (vm_merge_keywords(value_object(fp->r[a]), other, value_object(fp->r[c])) < 0) {
        return -1;
    }
    reg_consume(fp, b);
    return 0;
}

int vm_list_to_tuple(struct frame *fp, unsigned a, unsigned b)
{
    PyObject *tuple = PyList_AsTuple(value_object(fp->r[b]));
    if (tuple == NULL) {
        return -1;
    }
    reg_consume(fp, b);
    return reg_put_owned(fp, a, tuple);
}

/* ---- taking apart ---------------------------------------------------------------------------- */

static void raise_few(Py_ssize_t wanted, Py_ssize_t got, bool star)
{
    PyErr_Format(PyExc_ValueError,
                 star ? "not enough values to unpack (expected at least %zd, "
                        "got %zd)"
                      : "not enough values to unpack (expected %zd, got %zd)",
                 wanted, got);
}

/* Words for the n items of an array, the first one highest. 0, or -1 with an exception if there are not `wanted`. */
static inline int unpack_items(PyObject *const *items, Py_ssize_t n, value_t *to, unsigned wanted)
{
    if (unlikely(n < (Py_ssize_t)wanted)) {
        raise_few(wanted, n, false);
        return -1;
    }
    if (unlikely(n > (Py_ssize_t)wanted)) {
        PyErr_Format(PyExc_ValueError, "too many values to unpack (expected %u)", wanted);
        return -1;
    }
    for (to += n; n > 0; n--) {
        FEW_TIMES();
        *--to = item_word(*items++);
    }
    return 0;
}

/* Words for the items before the star, a list of those it takes, and the items after it, in the same order. 0, or -1
 * with an exception. */
static int unpack_star(PyObject *const *items, Py_ssize_t n, value_t *to, unsigned before,
                       unsigned after)
{
    Py_ssize_t wanted = (Py_ssize_t)before + after;
    if (unlikely(n < wanted)) {
        raise_few(after ? wanted : before, n, true);
        return -1;
    }
    PyObject *middle = list_from_array(items + before, n - wanted);
    if (unlikely(middle == NULL)) {
        return -1;
    }
    unpack_items(items, before, to + after + 1, before);
    to[after] = value_from_owned(middle);
    return unpack_items(items + n - after, after, to, after);
}

/* Up to `most` items of anything that can be iterated, all if that is PY_SSIZE_T_MAX: a new list, or NULL with an
 * exception. */
static PyObject *items_to_unpack(PyObject *op, Py_ssize_t most)
{
    PyObject *it = PyObject_GetIter(op);
    if (it == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError) && Py_TYPE(op)->tp_iter == NULL
            && !PySequence_Check(op)) {
            PyErr_Format(PyExc_TypeError, "cannot unpack non-iterable %.200s object",
                         Py_TYPE(op)->tp_name);
        }
        return NULL;
    }
    PyListObject *list = (PyListObject *)PyList_New(0);
    int status = list == NULL ? -1 : most == PY_SSIZE_T_MAX ? list_extend(list, it) : 0;
    for (Py_ssize_t i = 0; status == 0 && i < most && most != PY_SSIZE_T_MAX; i++) {
        PyObject *item = PyIter_Next(it);
        if (item == NULL) {
            status = PyErr_Occurred() ? -1 : 1;
        } else {
            status = list_append_owned(list, item);
        }
    }
    Py_DECREF(it);
    if (status < 0) {
        Py_CLEAR(list);
    }
    return (PyObject *)list;
}

/* Of what is neither a tuple of the right size nor a list. */
static NOINLINE int unpack_other(PyObject *op, value_t *to, unsigned n)
{
    if (PyTuple_CheckExact(op)) {
        return unpack_items(tuple_items(op), Py_SIZE(op), to, n);
    }
    PyObject *list = items_to_unpack(op, (Py_ssize_t)n + 1);
    if (list == NULL) {
        return -1;
    }
    int status = unpack_items(list_items(list), PyList_GET_SIZE(list), to, n);
    Py_DECREF(list);
    return status;
}

int vm_unpack_sequence(struct frame *fp, unsigned a, unsigned b, unsigned n)
{
    PyObject *op = reg_object(fp, b);
    if (op == NULL) {
        return -1;
    }
    /* The source may stand where an item goes. */
    value_t source = b >= fp->body->nlocals ? fp->r[b] : VALUE_NULL, *to = fp->r + a;
    int status;
    if (likely(PyTuple_CheckExact(op) && Py_SIZE(op) == n)) {
        PyObject **items = tuple_items(op);
        if (n <= TUPLE_SMALL && n > 0 && value_is_owned(source) && ref_is_unique(op)) {
            /* The last one to hold it: its items need not be counted up and down. */
            for (to += n; n > 0; n--) {
                FEW_TIMES();
                *--to = value_from_owned(*items++);
            }
            gc_untrack_dead(op);
            death_of_container(op, tuple_bytes((Py_ssize_t)(items - tuple_items(op))));
            return 0;
        }
        status = unpack_items(items, n, to, n);
    } else if (PyList_CheckExact(op)) {
        CRITICAL_SECTION(op);
        status = unpack_items(list_items(op), Py_SIZE(op), to, n);
        CRITICAL_SECTION_END();
    } else {
        status = unpack_other(op, to, n);
    }
    if (status == 0) {
        value_release(source);
    }
    return status;
}

int vm_unpack_ex(struct frame *fp, unsigned a, unsigned b, unsigned before, unsigned after)
{
    PyObject *op = reg_object(fp, b);
    if (op == NULL) {
        return -1;
    }
    value_t source = b >= fp->body->nlocals ? fp->r[b] : VALUE_NULL, *to = fp->r + a;
    int status;
    if (PyTuple_CheckExact(op)) {
        status = unpack_star(tuple_items(op), Py_SIZE(op), to, before, after);
    } else if (PyList_CheckExact(op)) {
        CRITICAL_SECTION(op);
        status = unpack_star(list_items(op), Py_SIZE(op), to, before, after);
        CRITICAL_SECTION_END();
    } else {
        PyObject *list = items_to_unpack(op, PY_SSIZE_T_MAX);
        if (list == NULL) {
            return -1;
        }
        status = unpack_star(list_items(list), PyList_GET_SIZE(list), to, before, after);
        Py_DECREF(list);
    }
    if (status == 0) {
        value_release(source);
    }
    return status;
}
