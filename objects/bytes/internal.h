/* What the files of objects/bytes/ share and nobody else needs.
 *
 * bytes and bytearray have the same methods.  The functions here take either as `self` and give back
 * the same type.  A bytearray's critical section must be held (the bindings see to it); arguments
 * that need Python code to be read are converted before the memory of `self` is looked at. */
#ifndef KRAIT_OBJECTS_BYTES_INTERNAL_H
#define KRAIT_OBJECTS_BYTES_INTERNAL_H

#include "objects/bytes.h"

struct blob {
    const uint8_t *data;
    Py_ssize_t len;
    bool array;
};

static inline struct blob blob_of(PyObject *self)
{
    if (PyBytes_Check(self)) {
        return (struct blob){bytes_data(self), bytes_len(self), false};
    }
    return (struct blob){(const uint8_t *)PyByteArray_AS_STRING(self), Py_SIZE(self), true};
}

/* New reference to a bytes or bytearray with these bytes. */
PyObject *blob_make(bool array, const void *data, Py_ssize_t len);
/* `self` if it is exactly bytes, else a copy. */
PyObject *blob_same(PyObject *self);

/* A byte or a bytes-like object, as find() and its like take it. */
struct needle {
    const uint8_t *data;
    Py_ssize_t len;
    uint8_t byte;
    Py_buffer view; /* view.obj != NULL: to be released */
};

int needle_open(struct needle *needle, PyObject *argument);
void needle_close(struct needle *needle);

PyObject *blob_find(PyObject *self, PyObject *sub, Py_ssize_t start, Py_ssize_t end);
PyObject *blob_rfind(PyObject *self, PyObject *sub, Py_ssize_t start, Py_ssize_t end);
PyObject *blob_index(PyObject *self, PyObject *sub, Py_ssize_t start, Py_ssize_t end);
PyObject *blob_rindex(PyObject *self, PyObject *sub, Py_ssize_t start, Py_ssize_t end);
PyObject *blob_count(PyObject *self, PyObject *sub, Py_ssize_t start, Py_ssize_t end);
int blob_contains(PyObject *self, PyObject *item);
PyObject *blob_startswith(PyObject *self, PyObject *prefix, Py_ssize_t start, Py_ssize_t end);
PyObject *blob_endswith(PyObject *self, PyObject *suffix, Py_ssize_t start, Py_ssize_t end);
PyObject *blob_removeprefix(PyObject *self, Py_buffer *prefix);
PyObject *blob_removesuffix(PyObject *self, Py_buffer *suffix);
PyObject *blob_replace(PyObject *self, Py_buffer *old, Py_buffer *new_, Py_ssize_t count);
PyObject *blob_split(PyObject *self, PyObject *sep, Py_ssize_t maxsplit);
PyObject *blob_rsplit(PyObject *self, PyObject *sep, Py_ssize_t maxsplit);
PyObject *blob_splitlines(PyObject *self, int keepends);
PyObject *blob_partition(PyObject *self, PyObject *sep);
PyObject *blob_rpartition(PyObject *self, PyObject *sep);
PyObject *blob_strip(PyObject *self, PyObject *bytes);
PyObject *blob_lstrip(PyObject *self, PyObject *bytes);
PyObject *blob_rstrip(PyObject *self, PyObject *bytes);
PyObject *blob_join(PyObject *self, PyObject *iterable);
PyObject *blob_translate(PyObject *self, PyObject *table, PyObject *delete_);
PyObject *blob_maketrans(Py_buffer *frm, Py_buffer *to);
PyObject *blob_hex(PyObject *self, PyObject *sep, int bytes_per_sep);
PyObject *blob_decode(PyObject *self, const char *encoding, const char *errors);
PyObject *blob_expandtabs(PyObject *self, int tabsize);
PyObject *blob_center(PyObject *self, Py_ssize_t width, char fillchar);
PyObject *blob_ljust(PyObject *self, Py_ssize_t width, char fillchar);
PyObject *blob_rjust(PyObject *self, Py_ssize_t width, char fillchar);
PyObject *blob_zfill(PyObject *self, Py_ssize_t width);
PyObject *blob_upper(PyObject *self);
PyObject *blob_lower(PyObject *self);
PyObject *blob_title(PyObject *self);
PyObject *blob_capitalize(PyObject *self);
PyObject *blob_swapcase(PyObject *self);
PyObject *blob_isalnum(PyObject *self);
PyObject *blob_isalpha(PyObject *self);
PyObject *blob_isascii(PyObject *self);
PyObject *blob_isdigit(PyObject *self);
PyObject *blob_islower(PyObject *self);
PyObject *blob_isspace(PyObject *self);
PyObject *blob_istitle(PyObject *self);
PyObject *blob_isupper(PyObject *self);
PyObject *blob_concat(PyObject *a, PyObject *b);
PyObject *blob_repeat(PyObject *self, Py_ssize_t count);
PyObject *blob_modulo(PyObject *format, PyObject *args);

#endif
