/* What generated argument parsers share (tools/bindings, docs/bindings.md).
 *
 * Everything here is written against the public C API only, so that a module can be compiled for
 * any interpreter with that API.  A converter takes a borrowed argument, stores the C value and
 * returns true, or raises and returns false.  "May run Python code" is said where it is so; all
 * others never do, except to build an exception. */
#ifndef KRAIT_BINDINGS_H
#define KRAIT_BINDINGS_H

#include <Python.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#pragma GCC visibility push(hidden)

#define BIND_FUNC(f) ((PyCFunction)(void (*)(void))(f))
#define BIND_COLD __attribute__((cold, noinline))

/* In ml_flags, above the public ones: the function does not look at the counts of its arguments, so a caller that keeps
 * them alive may pass objects that it has not counted. All functions of generated tables have it but those declared
 * with @counts. */
#define BIND_LENT 0x10000

/* How the arguments of one function may be given. */
struct bind_spec {
    const char *fname; /* as error texts name it, without the parentheses; NULL if they do not */
    const char *names; /* every parameter, each after a byte with its length */
    uint8_t count;     /* parameters, `*args` not counted */
    uint8_t posonly;   /* how many of them have no name for the caller */
    uint8_t maxpos;    /* how many may be given by position */
    uint8_t minpos;    /* how many of these must be given */
    uint8_t minkw;     /* how many keyword-only parameters must be given (the first ones) */
    bool vararg;       /* more positional arguments are welcome */
    bool
        apart; /* keywords are counted by themselves: too many of them are that, whatever their names */
};

/* Lays the arguments into slots[0 .. count), NULL for those not given (all borrowed).  Keywords
 * come either as kwnames, their values after args[nargs), or as a dict.  Returns slots, or NULL
 * with TypeError raised. */
PyObject *const *bind_unpack(const struct bind_spec *spec, PyObject *const *args, Py_ssize_t nargs,
                             PyObject *kwnames, PyObject *kwdict, PyObject **slots);

/* The common call: every argument, by position; then nothing is copied. */
static inline PyObject *const *bind_args(const struct bind_spec *spec, PyObject *const *args,
                                         Py_ssize_t nargs, PyObject *kwnames, PyObject **slots)
{
    if (kwnames == NULL && nargs == spec->count) {
        return args;
    }
    return bind_unpack(spec, args, nargs, kwnames, NULL, slots);
}

/* The items of an argument tuple. */
static inline PyObject *const *bind_items(PyObject *tuple)
{
    return &PyTuple_GET_ITEM(tuple, 0);
}

/* Errors: each raises and returns false. */
bool bind_count_error(const char *fname, Py_ssize_t nargs, Py_ssize_t min,
                      Py_ssize_t max) BIND_COLD;
bool bind_takes_no_arguments(const char *fname) BIND_COLD;
bool bind_takes_no_keywords(const char *fname) BIND_COLD;
bool bind_bad_argument(const char *fname, const char *argument, const char *expected,
                       PyObject *arg) BIND_COLD;
bool bind_group_error(const char *fname, Py_ssize_t min, Py_ssize_t max) BIND_COLD;
int bind_no_delete(const char *attribute) BIND_COLD; /* returns -1 */

static inline bool bind_count(const char *fname, Py_ssize_t nargs, Py_ssize_t min, Py_ssize_t max)
{
    return (nargs >= min && nargs <= max) || bind_count_error(fname, nargs, min, max);
}

static inline bool bind_no_keywords(const char *fname, PyObject *kwargs)
{
    return kwargs == NULL || PyDict_GET_SIZE(kwargs) == 0 || bind_takes_no_keywords(fname);
}

static inline bool bind_no_kwnames(const char *fname, PyObject *kwnames)
{
    return kwnames == NULL || PyTuple_GET_SIZE(kwnames) == 0 || bind_takes_no_keywords(fname);
}

/* Converters that may run Python code (__float__, __index__, __bool__, the buffer protocol). */
bool bind_double_slow(PyObject *arg, double *out);
bool bind_float(PyObject *arg, float *out);
bool bind_complex(PyObject *arg, Py_complex *out);
bool bind_short(PyObject *arg, short *out);
bool bind_int(PyObject *arg, int *out);
bool bind_long(PyObject *arg, long *out);
bool bind_longlong(PyObject *arg, long long *out);
bool bind_ssize_slow(PyObject *arg, Py_ssize_t *out);
bool bind_ssize_or_none(PyObject *arg, Py_ssize_t *out); /* None leaves *out as it is */
bool bind_slice_index(PyObject *arg, Py_ssize_t *out);
bool bind_slice_index_or_none(PyObject *arg, Py_ssize_t *out);
bool bind_fd(PyObject *arg, int *out);
bool bind_byte(PyObject *arg, unsigned char *out); /* an int of 0..255 */

/* Unsigned numbers: negative or too large is an error; the mask ones keep the low bits. */
bool bind_ushort(PyObject *arg, unsigned short *out);
bool bind_uint(PyObject *arg, unsigned int *out);
bool bind_ulong(PyObject *arg, unsigned long *out);
bool bind_ulonglong(PyObject *arg, unsigned long long *out);
bool bind_size(PyObject *arg, size_t *out);
bool bind_uint_mask(PyObject *arg, unsigned int *out);
bool bind_ulong_mask(PyObject *arg, const char *fname, const char *argument, unsigned long *out);

/* Converters whose message names the function and the argument. */
bool bind_utf8(PyObject *arg, const char *fname, const char *argument, const char **out);
bool bind_utf8_or_none(PyObject *arg, const char *fname, const char *argument, const char **out);
bool bind_char(PyObject *arg, const char *fname, const char *argument, char *out);
bool bind_uchar(PyObject *arg, const char *fname, const char *argument, Py_UCS4 *out);
bool bind_buffer_writable(PyObject *arg, const char *fname, const char *argument, Py_buffer *out);
bool bind_buffer_or_str(PyObject *arg, Py_buffer *out);   /* str as UTF-8 */
bool bind_buffer_or_ascii(PyObject *arg, Py_buffer *out); /* str must be ASCII */

static inline bool bind_buffer(PyObject *arg, Py_buffer *out)
{
    return PyObject_GetBuffer(arg, out, PyBUF_SIMPLE) == 0;
}

static inline bool bind_double(PyObject *arg, double *out)
{
    if (PyFloat_CheckExact(arg)) {
        *out = PyFloat_AS_DOUBLE(arg);
        return true;
    }
    return bind_double_slow(arg, out);
}

static inline bool bind_ssize(PyObject *arg, Py_ssize_t *out)
{
    if (PyLong_CheckExact(arg) && PyUnstable_Long_IsCompact((PyLongObject *)arg)) {
        *out = PyUnstable_Long_CompactValue((PyLongObject *)arg);
        return true;
    }
    return bind_ssize_slow(arg, out);
}

static inline bool bind_truth(PyObject *arg, int *out)
{
    if (arg == Py_True || arg == Py_False) {
        *out = arg == Py_True;
        return true;
    }
    *out = PyObject_IsTrue(arg);
    return *out >= 0;
}

#pragma GCC visibility pop

#endif
