/*
 * What loops take from iterators: items as words (objects/value.h), of built-in iterators without a call, and
 * what pairs would hold without the pairs.
 *
 * Words are owned, or of objects that need no count. VALUE_NULL: the end, or an exception of the iterator. Where
 * it says so Python code may run; none of these takes a lock that the caller may hold.
 */
#ifndef KRAIT_OBJECTS_ITER_WORDS_H
#define KRAIT_OBJECTS_ITER_WORDS_H

#include "locking/refs.h"
#include "objects/iter.h"
#include "objects/list.h"
#include "objects/object.h"
#include "objects/range.h"
#include "objects/value.h"

/* A word for an item (borrowed) of something that may go away while the word lives. */
ALWAYS_INLINE value_t item_word(PyObject *op)
{
    if (ref_is_immortal(op)) {
        return int_is_small_object(op) ? value_from_int(int_small_value(op))
                                       : value_from_uncounted(op);
    }
    return value_from_owned(ref_new(op));
}

/* By index, which may be negative; VALUE_NULL without an exception when there is none. */
ALWAYS_INLINE value_t list_item_word(PyObject *op, int64_t i)
{
    PyListObject *list = (PyListObject *)op;
    i += i < 0 ? PyList_GET_SIZE(op) : 0;
    PyObject *item = list_peek(list, i);
    if (likely(item != NULL)) {
        return item_word(item);
    }
    return lock_threads_run_together() ? value_from_owned(list_get_ref(list, i)) : VALUE_NULL;
}

ALWAYS_INLINE value_t tuple_item_word(PyObject *op, int64_t i)
{
    Py_ssize_t n = Py_SIZE(op);
    i += i < 0 ? n : 0;
    if (unlikely((uint64_t)i >= (uint64_t)n)) {
        return VALUE_NULL;
    }
    return item_word(((PyTupleObject *)op)->ob_item[i]);
}

/* The next items of the iterators of exact lists, tuples and ranges. The end of a sequence may run Python code. */
ALWAYS_INLINE value_t index_iter_word(PyObject *op,
                                      value_t (*item_word_at)(PyObject *seq, int64_t i))
{
    struct index_iter *it = (struct index_iter *)op;
    Py_ssize_t i = iter_index(it);
    PyObject *seq = it->seq;
    value_t v;
    if (unlikely(i < 0 || seq == NULL || (v = item_word_at(seq, i)) == VALUE_NULL)) {
        iter_finish(it);
        return VALUE_NULL;
    }
    iter_set_index(it, i + 1);
    return v;
}

ALWAYS_INLINE value_t list_iter_word(PyObject *op)
{
    return index_iter_word(op, list_item_word);
}

ALWAYS_INLINE value_t tuple_iter_word(PyObject *op)
{
    return index_iter_word(op, tuple_item_word);
}

ALWAYS_INLINE value_t range_iter_word(PyObject *op)
{
    struct range_iter *it = (struct range_iter *)op;
    long left = field_load(&it->left);
    if (unlikely(left <= 0)) {
        return VALUE_NULL;
    }
    long number = field_load(&it->next);
    field_store(&it->left, left - 1);
    field_store(&it->next, (long)((unsigned long)number + (unsigned long)it->step));
    return likely(value_int_fits(number)) ? value_from_int(number)
                                          : value_from_owned(PyLong_FromLong(number));
}

/* The next item of any iterator. May run Python code. */
static inline value_t iter_next_word(PyObject *it)
{
    PyTypeObject *type = Py_TYPE(it);
    return type == &PyListIter_Type    ? list_iter_word(it)
           : type == &PyRangeIter_Type ? range_iter_word(it)
           : type == &PyTupleIter_Type ? tuple_iter_word(it)
                                       : value_from_owned(iter_step(it));
}

/* The same as a new reference, or NULL. */
static inline PyObject *iter_next_object(PyObject *op)
{
    if (likely(Py_IS_TYPE(op, &PyListIter_Type))) {
        struct index_iter *it = (struct index_iter *)op;
        Py_ssize_t i = iter_index(it);
        PyObject *item = likely(i >= 0) ? list_peek((PyListObject *)it->seq, i) : NULL;
        if (likely(item != NULL)) {
            iter_set_index(it, i + 1);
            return ref_new(item);
        }
    }
    return iter_step(op);
}

/* The next pair of an exact enumerate or of an iterator over a dict's items, and the next items of an exact zip of
 * `n` iterators, as words: the first one at words[n - 1]. False at the end or with an exception. May run Python
 * code. */
bool enumerate_next_words(PyObject *op, value_t words[2]);
bool dict_iter_item_words(PyObject *op, value_t words[2]);
bool zip_next_words(PyObject *op, value_t *words, Py_ssize_t n);
/* How many items the tuples of a zip have. */
Py_ssize_t zip_width(PyObject *op);

#endif
