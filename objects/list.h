/*
 * list: an array of references that over-allocates at its end.
 *
 * Writers hold the list's critical section. Readers of single items take no lock: list_get_ref()
 * loads the array, takes a reference if the item is still alive, and looks again. For that a
 * retired array is freed after a grace period, and in builds with such readers an array carries
 * its capacity in the word before the first item, because size and array cannot be read at once.
 */
#ifndef KRAIT_OBJECTS_LIST_H
#define KRAIT_OBJECTS_LIST_H

#include "Python.h"
#include "objects/shared.h"

static inline PyObject **list_items(PyObject *op)
{
    return ((PyListObject *)op)->ob_item;
}

/* The capacity of an array, where readers take no lock: the word before its first item. */
static inline Py_ssize_t array_capacity(PyObject **items)
{
    return field_load((Py_ssize_t *)items - 1);
}

/* Item i without a reference, for as long as ref_is_held() says; with a global lock until Python code may run. NULL:
 * there is none, or list_get_ref() must get it. */
static inline PyObject *list_peek(PyListObject *list, Py_ssize_t i)
{
    if (unlikely((size_t)i >= (size_t)field_load(&list->ob_base.ob_size)
                 || shared_needs_lock((PyObject *)list))) {
        return NULL;
    }
    PyObject **items = field_load_acquire(&list->ob_item);
    if (lock_threads_run_together() && unlikely(items == NULL || i >= array_capacity(items))) {
        return NULL;
    }
    PyObject *item = field_load_acquire(&items[i]);
    return lock_threads_run_together() && unlikely(item == NULL || !ref_is_held(item)) ? NULL
                                                                                       : item;
}

/* New reference to item i, or NULL without an exception when i is out of range (i < 0 too).
 * Takes no lock, runs no Python code. */
PyObject *list_get_ref(PyListObject *list, Py_ssize_t i);

/* New list of n items; takes over the references, also on failure. */
PyObject *list_from_array_steal(PyObject *const *items, Py_ssize_t n);
/* New list with new references. */
PyObject *list_from_array(PyObject *const *items, Py_ssize_t n);
/* A list of n items that are not set, not yet tracked: the caller fills it and calls gc_track_new(). */
PyListObject *list_alloc(Py_ssize_t n);
/* New empty list with room for n items. */
PyObject *list_new_presized(Py_ssize_t n);

/* Appends; takes over the reference, also on failure. -1 with MemoryError. Takes the lock. */
int list_append_owned(PyListObject *list, PyObject *item);
int list_append_owned_locked(PyListObject *list, PyObject *item);

/* Replaces item i, which must be in range; takes over `item`. The old item is released after the
 * change (may run Python code). -1 with IndexError when out of range. Takes the lock. */
int list_set_owned(PyListObject *list, Py_ssize_t i, PyObject *item);

/* list += iterable. -1 with an exception. May run Python code. Takes the lock. */
int list_extend(PyListObject *list, PyObject *iterable);
/* Room for `size` items and ob_size = size; new items are undefined until stored. Lock held. */
int list_resize_locked(PyListObject *list, Py_ssize_t size);
/* Removes all items. May run Python code (finalizers) after the list is empty. */
void list_clear(PyListObject *list);
/* list[low:high] as a new list, bounds already in range. */
PyObject *list_slice(PyListObject *list, Py_ssize_t low, Py_ssize_t high);

/* Sorts `n` references in place, stable; may run Python code (comparisons). On failure (-1) the
 * array still holds the same references in some order. The array must not be reachable by other
 * code meanwhile. keys may be NULL; else items moves with keys. */
int sort_array(PyObject **keys, PyObject **items, Py_ssize_t n);

extern PyTypeObject *const list_types[];

#endif
