/* What the files of the module array share. */
#ifndef KRAIT_STDLIB_ARRAY_H
#define KRAIT_STDLIB_ARRAY_H

#include "module.h"

enum item_kind { IS_SIGNED, IS_UNSIGNED, IS_FLOAT, IS_TEXT };

/* A type code. */
struct kind {
    char code;
    int size;
    PyObject *(*get)(const char *at);
    int (*set)(char *at, PyObject *value); /* -1 with an exception, *at as it was */
    const char *format;                    /* for the buffer protocol */
    enum item_kind what;
};

enum { ARRAY_KINDS = 14, ITEM_MAX = 8 /* bytes */ };

extern const struct kind array_kinds[ARRAY_KINDS];

/* The kind with this code, or NULL. */
const struct kind *kind_of(Py_UCS4 code);

static inline bool is_integer(const struct kind *kind)
{
    return kind->what <= IS_UNSIGNED;
}

/* The layout is public: extensions read it. */
struct array {
    PyObject_VAR_HEAD
    char *items;
    Py_ssize_t allocated;
    const struct kind *kind;
    PyObject *weaklist;
    Py_ssize_t exports;
};

static inline char *item_at(struct array *self, Py_ssize_t i)
{
    return self->items + i * self->kind->size;
}

struct arrays_state {
    PyObject *array_type, *iterator_type;
};

/* The state of the module that an array's type comes from (borrowed); NULL with an exception. */
struct arrays_state *state_of(PyTypeObject *type);

/* Whether it is an array of the same module. */
bool is_array(struct array *self, PyObject *op);

/* The functions below want the array locked, and give -1 or NULL with an exception. */

/* ---- storage.c ------------------------------------------------------------------------------ */

/* Makes room for `size` items and makes that the length. */
int array_resize(struct array *self, Py_ssize_t size);

/* A new array of `size` items that are not set yet. */
struct array *array_make(PyTypeObject *type, Py_ssize_t size, const struct kind *kind);

/* Replaces `removed` items from `at` by `count` others, which may lie in the array itself only if
 * no item is removed; `source` is NULL when there are none. */
int array_splice(struct array *self, Py_ssize_t at, Py_ssize_t removed, const char *source,
                 Py_ssize_t count);

/* ---- transfer.c ----------------------------------------------------------------------------- */

/* Add items at the end.  Iterating runs any code. */
int array_extend_iterable(struct array *self, PyObject *iterable);
int array_extend_array(struct array *self, struct array *other); /* locked too */
int array_add_bytes(struct array *self, const void *bytes, Py_ssize_t length);
int array_add_text(struct array *self, PyObject *text); /* for arrays of characters */

PyObject *array_text(struct array *self); /* the same */

/* ---- slots: they lock for themselves -------------------------------------------------------- */

int array_contains(PyObject *op, PyObject *value);
PyObject *array_iter(PyObject *op);
Py_ssize_t array_length(PyObject *op);
PyObject *array_item(PyObject *op, Py_ssize_t i);
int array_assign(PyObject *op, Py_ssize_t i, PyObject *value);
PyObject *array_subscript(PyObject *op, PyObject *key);
int array_subscript_assign(PyObject *op, PyObject *key, PyObject *value);
PyObject *array_concat(PyObject *op, PyObject *other);
PyObject *array_inplace_concat(PyObject *op, PyObject *other);
PyObject *array_repeat(PyObject *op, Py_ssize_t n);
PyObject *array_inplace_repeat(PyObject *op, Py_ssize_t n);

extern PyType_Spec arrayiterator_spec;

/* ---- methods (array.bind) that other files define or call ----------------------------------- */

PyObject *array_reduce_ex(struct array *self, PyTypeObject *cls, PyObject *protocol);
PyObject *arrays_array_reconstructor(PyObject *module, PyObject *type, Py_UCS4 code, int number,
                                     PyObject *items);
PyObject *array_tobytes(struct array *self);
PyObject *array_tolist(struct array *self);
PyObject *array_copy(struct array *self);
int array_append(struct array *self, PyObject *value);

#endif
