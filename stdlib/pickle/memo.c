/* The memo of a pickler: a hash table of objects by identity. */
#include "pickle.h"

/* The entry of the object, or the free one where it belongs.  Neighbours in memory have neighbouring
 * entries, which the cache likes; those that collide jump about. */
static inline struct memo_entry *memo_slot(const struct memo *memo, PyObject *object)
{
    size_t i = (uintptr_t)object >> 4, jump = i;
    struct memo_entry *entry = &memo->table[i & memo->mask];
    while (entry->object != NULL && entry->object != object) {
        jump >>= 5;
        i = i * 5 + jump + 1;
        entry = &memo->table[i & memo->mask];
    }
    return entry;
}

Py_ssize_t pickle_memo_find(const struct memo *memo, PyObject *object)
{
    if (memo->used == 0) {
        return -1;
    }
    struct memo_entry *entry = memo_slot(memo, object);
    return entry->object ? entry->index : -1;
}

static int memo_resize(struct memo *memo, size_t size)
{
    struct memo_entry *table = PyMem_Calloc(size, sizeof *table), *old = memo->table;
    if (table == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    size_t old_mask = memo->mask;
    memo->table = table;
    memo->mask = size - 1;
    for (size_t i = 0; i <= old_mask; i++) {
        if (old[i].object != NULL) {
            *memo_slot(memo, old[i].object) = old[i];
        }
    }
    if (old != memo->small) {
        PyMem_Free(old);
    }
    return 0;
}

int pickle_memo_set(struct memo *memo, PyObject *object, Py_ssize_t index)
{
    if (memo->table == NULL) {
        memset(memo->small, 0, sizeof memo->small);
        memo->table = memo->small;
        memo->mask = MEMO_SMALL - 1;
    }
    if (memo->used * 3 > memo->mask * 2
        && memo_resize(memo, (memo->mask + 1) * (memo->used > 1000 ? 2 : 4)) < 0) {
        return -1;
    }
    struct memo_entry *entry = memo_slot(memo, object);
    if (entry->object == NULL) {
        entry->object = Py_NewRef(object);
        memo->used++;
    }
    entry->index = index;
    return 0;
}

void pickle_memo_clear(struct memo *memo)
{
    struct memo_entry *table = memo->table, copy[MEMO_SMALL];
    size_t mask = memo->mask;
    if (table == memo->small) {
        table = memcpy(copy, table, sizeof copy);
    }
    memo->table = NULL;
    memo->used = memo->mask = 0;
    for (size_t i = 0; table != NULL && i <= mask; i++) {
        Py_XDECREF(table[i].object);
    }
    if (table != copy) {
        PyMem_Free(table);
    }
}

int pickle_memo_copy(struct memo *to, const struct memo *from)
{
    for (size_t i = 0; from->table != NULL && i <= from->mask; i++) {
        struct memo_entry *entry = &from->table[i];
        if (entry->object != NULL && pickle_memo_set(to, entry->object, entry->index) < 0) {
            pickle_memo_clear(to);
            return -1;
        }
    }
    return 0;
}
