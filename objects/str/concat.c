/* Putting strings together: +, +=, join, *. */
#include "objects/str/internal.h"

#include "alloc/slab.h"
#include "objects/atom.h"

PyObject *str_concat(PyObject *left, PyObject *right)
{
    Py_ssize_t n = str_len(left), m = str_len(right);
    if (n == 0) {
        return str_exact(right);
    }
    if (m == 0) {
        return str_exact(left);
    }
    if (n > PY_SSIZE_T_MAX - m) {
        PyErr_SetString(PyExc_OverflowError, "strings are too large to concat");
        return NULL;
    }
    PyObject *result = str_new(n + m, Py_MAX(str_maxchar(left), str_maxchar(right)));
    if (result != NULL) {
        int kind = str_kind(result);
        void *data = str_data(result);
        str_data_copy(kind, data, 0, str_kind(left), str_data(left), 0, n);
        str_data_copy(kind, data, n, str_kind(right), str_data(right), 0, m);
    }
    return result;
}

/* Adds ASCII to ASCII that nobody else knows: NULL without memory, then the string is as it was. */
static PyObject *append_ascii(PyObject *left, PyObject *right)
{
    size_t n = (size_t)str_len(left), m = (size_t)str_len(right), head = sizeof(PyASCIIObject);
    PyObject *grown = atom_realloc(left, head + n + 1, head + n + m + 1);
    if (unlikely(grown == NULL)) {
        return PyErr_NoMemory();
    }
    ((PyASCIIObject *)grown)->length = (Py_ssize_t)(n + m);
    ((PyASCIIObject *)grown)->hash = -1;
    char *data = (char *)grown + head;
    copy_short(data + n, str_data(right), m);
    data[n + m] = 0;
    return grown;
}

int str_concat_inplace(PyObject **p, PyObject *right)
{
    PyObject *left = *p;
    Py_ssize_t n = str_len(left), m = str_len(right);
    if (n == 0) {
        *p = str_exact(right);
        Py_DECREF(left);
        return *p == NULL ? -1 : 0;
    }
    if (m == 0 && PyUnicode_CheckExact(left)) {
        return 0;
    }
    /* The hash is not looked at: a new length means a new hash. */
    bool unique = Py_REFCNT(left) == 1 && PyUnicode_CheckExact(left) && left != right
                  && PyUnicode_IS_COMPACT(left) && !str_is_interned(left);
    if (unique && str_is_ascii(left) && str_is_ascii(right) && m <= PY_SSIZE_T_MAX / 2 - n) {
        PyObject *grown = append_ascii(left, right);
        if (grown == NULL) {
            Py_CLEAR(*p);
            return -1;
        }
        *p = grown;
        return 0;
    }
    if (unique && str_maxchar(left) >= str_maxchar(right) && m <= PY_SSIZE_T_MAX - n) {
        ((PyASCIIObject *)left)->hash = -1;
        if (PyUnicode_Resize(p, n + m) == 0) {
            str_data_copy(str_kind(*p), str_data(*p), n, str_kind(right), str_data(right), 0, m);
            return 0;
        }
        Py_CLEAR(*p);
        return -1;
    }
    *p = str_concat(left, right);
    Py_DECREF(left);
    return *p == NULL ? -1 : 0;
}

PyObject *str_repeat(PyObject *s, Py_ssize_t count)
{
    Py_ssize_t n = str_len(s);
    if (count < 1 || n == 0) {
        return str_empty();
    }
    if (count == 1) {
        return str_exact(s);
    }
    if (n > PY_SSIZE_T_MAX / count) {
        PyErr_SetString(PyExc_OverflowError, "repeated string is too long");
        return NULL;
    }
    PyObject *result = str_new(n * count, str_maxchar(s));
    if (result == NULL) {
        return NULL;
    }
    int kind = str_kind(s);
    char *data = str_data(result);
    if (n == 1) {
        str_data_fill(kind, data, 0, count, str_read(s, 0));
        return result;
    }
    Py_ssize_t size = n * kind, done = size, total = size * count;
    memcpy(data, str_data(s), (size_t)size);
    while (done < total) { /* double what is there */
        Py_ssize_t step = Py_MIN(done, total - done);
        memcpy(data + done, data, (size_t)step);
        done += step;
    }
    return result;
}

/* ---- join ---------------------------------------------------------------------------------- */

/* Total length and widest character; -1 and an exception for an item that is no str. */
static int measure(PyObject *separator, PyObject *const *items, Py_ssize_t count,
                   Py_ssize_t *length, Py_UCS4 *maxchar)
{
    Py_ssize_t between = separator == NULL ? 0 : str_len(separator);
    *length = 0;
    *maxchar = between == 0 ? 0x7f : str_maxchar(separator);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = items[i];
        if (unlikely(!PyUnicode_Check(item))) {
            PyErr_Format(PyExc_TypeError, "sequence item %zd: expected str instance, %.80s found",
                         i, Py_TYPE(item)->tp_name);
            return -1;
        }
        Py_ssize_t add = str_len(item) + (i == 0 ? 0 : between);
        if (add > PY_SSIZE_T_MAX - *length) {
            PyErr_SetString(PyExc_OverflowError, "join() result is too long for a Python string");
            return -1;
        }
        *length += add;
        if (!str_is_ascii(item)) {
            *maxchar = Py_MAX(*maxchar, str_maxchar(item));
        }
    }
    return 0;
}

/* join() where all are ASCII. */
static void join_ascii(uint8_t *out, PyObject *separator, PyObject *const *items, Py_ssize_t count)
{
    const uint8_t *between = separator == NULL ? NULL : str_data(separator);
    size_t gap = separator == NULL ? 0 : (size_t)str_len(separator);
    for (Py_ssize_t i = 0; i < count; i++) {
        if (i > 0 && gap == 1) {
            *out++ = *between;
        } else if (i > 0 && gap > 0) {
            copy_short(out, between, gap);
            out += gap;
        }
        size_t length = (size_t)str_len(items[i]);
        copy_short(out, str_data(items[i]), length);
        out += length;
    }
}

PyObject *str_join(PyObject *separator, PyObject *const *items, Py_ssize_t count)
{
    Py_ssize_t length;
    Py_UCS4 maxchar;
    if (count == 0) {
        return str_empty();
    }
    if (count == 1 && PyUnicode_CheckExact(items[0])) {
        return Py_NewRef(items[0]);
    }
    if (measure(separator, items, count, &length, &maxchar) < 0) {
        return NULL;
    }
    PyObject *result = str_new(length, maxchar);
    if (result == NULL || length == 0) {
        return result;
    }
    int kind = str_kind(result);
    void *data = str_data(result);
    if (maxchar < 0x80) {
        join_ascii(data, separator, items, count);
        return result;
    }
    Py_ssize_t at = 0, between = separator == NULL ? 0 : str_len(separator);
    for (Py_ssize_t i = 0; i < count; i++) {
        if (i > 0 && between > 0) {
            str_data_copy(kind, data, at, str_kind(separator), str_data(separator), 0, between);
            at += between;
        }
        PyObject *item = items[i];
        str_data_copy(kind, data, at, str_kind(item), str_data(item), 0, str_len(item));
        at += str_len(item);
    }
    return result;
}

PyObject *str_join_iterable(PyObject *separator, PyObject *iterable)
{
    if (PyTuple_CheckExact(iterable)) {
        return str_join(separator, ((PyTupleObject *)iterable)->ob_item,
                        PyTuple_GET_SIZE(iterable));
    }
    if (PyList_CheckExact(iterable)) {
        PyObject *result; /* joining runs no Python code: the lock is never given up meanwhile */
        Py_BEGIN_CRITICAL_SECTION(iterable);
        result =
            str_join(separator, ((PyListObject *)iterable)->ob_item, PyList_GET_SIZE(iterable));
        Py_END_CRITICAL_SECTION();
        return result;
    }
    PyObject *items = PySequence_Tuple(iterable);
    if (items == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError) && Py_TYPE(iterable)->tp_iter == NULL
            && !PySequence_Check(iterable)) {
            PyErr_SetString(PyExc_TypeError, "can only join an iterable");
        }
        return NULL;
    }
    PyObject *result =
        str_join(separator, ((PyTupleObject *)items)->ob_item, PyTuple_GET_SIZE(items));
    Py_DECREF(items);
    return result;
}

/* ---- The C API ----------------------------------------------------------------------------- */

PyObject *PyUnicode_Concat(PyObject *left, PyObject *right)
{
    if (str_require(left) < 0) {
        return NULL;
    }
    if (!PyUnicode_Check(right)) {
        PyErr_Format(PyExc_TypeError, "can only concatenate str (not \"%.200s\") to str",
                     Py_TYPE(right)->tp_name);
        return NULL;
    }
    return str_concat(left, right);
}

void PyUnicode_Append(PyObject **p, PyObject *right)
{
    if (p == NULL) {
        PyErr_BadInternalCall();
        return;
    }
    if (*p == NULL || right == NULL || !PyUnicode_Check(*p) || !PyUnicode_Check(right)) {
        if (right == NULL || *p == NULL || !PyErr_Occurred()) {
            PyErr_BadInternalCall();
        }
        Py_CLEAR(*p);
        return;
    }
    str_concat_inplace(p, right);
}

void PyUnicode_AppendAndDel(PyObject **p, PyObject *right)
{
    PyUnicode_Append(p, right);
    Py_XDECREF(right);
}

PyObject *PyUnicode_Join(PyObject *separator, PyObject *iterable)
{
    PyObject *space = NULL;
    if (separator == NULL) {
        separator = space = str_latin1_char(' ');
    } else if (!PyUnicode_Check(separator)) {
        PyErr_Format(PyExc_TypeError, "separator: expected str instance, %.80s found",
                     Py_TYPE(separator)->tp_name);
        return NULL;
    }
    if (iterable == NULL) {
        PyErr_SetString(PyExc_SystemError, "null argument to internal routine");
        return NULL;
    }
    return str_join_iterable(separator, iterable);
}

PyObject *_PyUnicode_JoinArray(PyObject *separator, PyObject *const *items, Py_ssize_t count)
{
    if (separator == NULL) {
        separator = str_latin1_char(' ');
    }
    return str_join(separator, items, count);
}
