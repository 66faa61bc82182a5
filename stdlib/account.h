/* What the modules grp and pwd share: numbers of users and groups, and growing buffers. */
#ifndef KRAIT_ACCOUNT_H
#define KRAIT_ACCOUNT_H

#include "module.h"

#include <errno.h>
#include <unistd.h>

/* A number of a user or group; -1 stands for "none".  0 with an exception: TypeError if it is no
 * integer, OverflowError if it is too small or large. */
static inline bool account_number(PyObject *arg, const char *what, uint32_t *out)
{
    PyObject *index = PyNumber_Index(arg);
    if (index == NULL) {
        PyErr_Format(PyExc_TypeError, "%s should be integer, not %.200s", what,
                     Py_TYPE(arg)->tp_name);
        return false;
    }
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    *out = (uint32_t)value;
    if (overflow > 0 || value > UINT32_MAX) {
        PyErr_Format(PyExc_OverflowError, "%s is greater than maximum", what);
        return false;
    }
    if (overflow < 0 || value < -1) {
        PyErr_Format(PyExc_OverflowError, "%s is less than minimum", what);
        return false;
    }
    return true;
}

static inline PyObject *account_number_object(uint32_t number)
{
    return number == UINT32_MAX ? PyLong_FromLong(-1) : PyLong_FromUnsignedLong(number);
}

static inline PyObject *account_text(const char *text)
{
    return text ? PyUnicode_DecodeFSDefault(text) : Py_NewRef(Py_None);
}

/* A name for the system: bytes (new reference), or NULL with an exception. */
static inline PyObject *account_name(PyObject *name)
{
    PyObject *bytes = PyUnicode_EncodeFSDefault(name);
    if (bytes != NULL && strlen(PyBytes_AS_STRING(bytes)) != (size_t)PyBytes_GET_SIZE(bytes)) {
        PyErr_SetString(PyExc_ValueError, "embedded null byte");
        Py_CLEAR(bytes);
    }
    return bytes;
}

/* Looks an entry up with a buffer that grows until it is large enough.  `call` uses `buffer` and
 * `size`, and gives an errno.  After it `buffer` is to be freed; `status` is ENOMEM without one. */
#define ACCOUNT_LOOKUP(call, buffer, size, status)                                                 \
    do {                                                                                           \
        size = size ? size * 2 : 1024;                                                             \
        char *larger = PyMem_RawRealloc(buffer, size);                                             \
        if (larger == NULL) {                                                                      \
            status = ENOMEM;                                                                       \
            break;                                                                                 \
        }                                                                                          \
        buffer = larger;                                                                           \
        Py_BEGIN_ALLOW_THREADS status = call;                                                      \
        Py_END_ALLOW_THREADS                                                                       \
    } while (status == ERANGE && size < (1u << 24))

#endif
