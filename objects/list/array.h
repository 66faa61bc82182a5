/*
 * The array of a list: what the files of this folder share. All of it wants the list's lock.
 */
#ifndef KRAIT_OBJECTS_LIST_ARRAY_H
#define KRAIT_OBJECTS_LIST_ARRAY_H

#include "objects/block.h"
#include "objects/list.h"
#include "objects/object.h"
#include "objects/shared.h"

/* Words before the first item: the capacity, where readers take no lock. */
#define ARRAY_PREFIX (lock_threads_run_together() ? 1 : 0)

static inline void list_set_size(PyListObject *list, Py_ssize_t size)
{
    field_store_release(&list->ob_base.ob_size, size);
}

static inline size_t array_bytes(Py_ssize_t n)
{
    return (size_t)(n + ARRAY_PREFIX) * sizeof(PyObject *);
}

/* New array for n > 0 items, or NULL with MemoryError. */
PyObject **array_new(Py_ssize_t n);
/* Frees an array of this capacity that list has no more (NULL is fine). */
void array_free(PyListObject *list, PyObject **items, Py_ssize_t capacity);

/* Moves n items within the array, overlapping or not. */
static inline void array_move(PyListObject *list, PyObject **to, PyObject **from, Py_ssize_t n)
{
    if (!shared_is_read((PyObject *)list)) {
        memmove(to, from, (size_t)n * sizeof(PyObject *));
    } else if (to < from) {
        for (Py_ssize_t i = 0; i < n; i++) {
            field_store_release(&to[i], from[i]);
        }
    } else {
        for (Py_ssize_t i = n; --i >= 0;) {
            field_store_release(&to[i], from[i]);
        }
    }
}

/* Empties slots whose items have gone, so that no reader finds them there. */
static inline void array_forget(PyListObject *list, PyObject **items, Py_ssize_t n)
{
    if (shared_is_read((PyObject *)list)) {
        for (Py_ssize_t i = 0; i < n; i++) {
            field_store(&items[i], NULL);
        }
    }
}

/* list[low:high] = the n items of `items` (new references are taken), bounds in range. The old ones
 * are released at the end (may run Python code). `items` must not be the list's own array. */
int list_replace_locked(PyListObject *list, Py_ssize_t low, Py_ssize_t high, PyObject *const *items,
                        Py_ssize_t n);

/* list.sort(). Lock held. */
int list_sort_locked(PyListObject *list, PyObject *key, bool reverse);

PyObject *list_iter(PyObject *list);
PyObject *list_reverse_iter(PyObject *list);

#endif
