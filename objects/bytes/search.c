/* find, count, split, strip, replace and their like, for bytes and bytearray. */
#include "objects/bytes/internal.h"

#include "objects/str.h"
#include "objects/str/search.h"

/* ---- Arguments ------------------------------------------------------------------------------ */

int needle_open(struct needle *needle, PyObject *argument)
{
    needle->view.obj = NULL;
    if (PyObject_CheckBuffer(argument)) {
        if (PyObject_GetBuffer(argument, &needle->view, PyBUF_SIMPLE) < 0) {
            return -1;
        }
        needle->data = needle->view.buf;
        needle->len = needle->view.len;
        return 0;
    }
    if (!PyIndex_Check(argument)) {
        PyErr_Format(PyExc_TypeError,
                     "argument should be integer or bytes-like object, not '%.200s'",
                     Py_TYPE(argument)->tp_name);
        return -1;
    }
    Py_ssize_t byte = PyNumber_AsSsize_t(argument, NULL);
    if (byte == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (byte < 0 || byte > 255) {
        PyErr_SetString(PyExc_ValueError, "byte must be in range(0, 256)");
        return -1;
    }
    needle->byte = (uint8_t)byte;
    needle->data = &needle->byte;
    needle->len = 1;
    return 0;
}

void needle_close(struct needle *needle)
{
    if (needle->view.obj != NULL) {
        PyBuffer_Release(&needle->view);
    }
}

/* ---- Finding --------------------------------------------------------------------------------- */

static Py_ssize_t find_in(struct blob b, const struct needle *needle, Py_ssize_t start,
                          Py_ssize_t end, bool from_right)
{
    str_clip(&start, &end, b.len);
    if (end - start < needle->len) {
        return -1;
    }
    Py_ssize_t found =
        from_right ? text_rfind(1, b.data + start, end - start, 1, needle->data, needle->len)
                   : text_find(1, b.data + start, end - start, 1, needle->data, needle->len);
    return found < 0 ? -1 : start + found;
}

/* -1 for none, -2 for an exception. */
static Py_ssize_t find_argument(PyObject *self, PyObject *sub, Py_ssize_t start, Py_ssize_t end,
                                bool from_right)
{
    struct needle needle;
    if (needle_open(&needle, sub) < 0) {
        return -2;
    }
    Py_ssize_t found = find_in(blob_of(self), &needle, start, end, from_right);
    needle_close(&needle);
    return found;
}

static PyObject *find_result(Py_ssize_t found)
{
    return found == -2 ? NULL : PyLong_FromSsize_t(found);
}

static PyObject *index_result(Py_ssize_t found)
{
    if (found == -1) {
        PyErr_SetString(PyExc_ValueError, "subsection not found");
    }
    return found < 0 ? NULL : PyLong_FromSsize_t(found);
}

PyObject *blob_find(PyObject *self, PyObject *sub, Py_ssize_t start, Py_ssize_t end)
{
    return find_result(find_argument(self, sub, start, end, false));
}

PyObject *blob_rfind(PyObject *self, PyObject *sub, Py_ssize_t start, Py_ssize_t end)
{
    return find_result(find_argument(self, sub, start, end, true));
}

PyObject *blob_index(PyObject *self, PyObject *sub, Py_ssize_t start, Py_ssize_t end)
{
    return index_result(find_argument(self, sub, start, end, false));
}

PyObject *blob_rindex(PyObject *self, PyObject *sub, Py_ssize_t start, Py_ssize_t end)
{
    return index_result(find_argument(self, sub, start, end, true));
}

PyObject *blob_count(PyObject *self, PyObject *sub, Py_ssize_t start, Py_ssize_t end)
{
    struct needle needle;
    if (needle_open(&needle, sub) < 0) {
        return NULL;
    }
    struct blob b = blob_of(self);
    str_clip(&start, &end, b.len);
    Py_ssize_t count = 0;
    if (end - start >= needle.len) {
        count = text_count(1, b.data + start, end - start, 1, needle.data, needle.len, -1);
    }
    needle_close(&needle);
    return PyLong_FromSsize_t(count);
}

int blob_contains(PyObject *self, PyObject *item)
{
    if (PyIndex_Check(item)) {
        Py_ssize_t byte = PyNumber_AsSsize_t(item, NULL);
        if (byte == -1 && PyErr_Occurred()) {
            return -1;
        }
        if (byte < 0 || byte > 255) {
            PyErr_SetString(PyExc_ValueError, "byte must be in range(0, 256)");
            return -1;
        }
        struct blob b = blob_of(self);
        return b.len > 0 && memchr(b.data, (int)byte, (size_t)b.len) != NULL;
    }
    Py_buffer view;
    if (PyObject_GetBuffer(item, &view, PyBUF_SIMPLE) < 0) {
        return -1;
    }
    struct blob b = blob_of(self);
    int found = text_find(1, b.data, b.len, 1, view.buf, view.len) >= 0;
    PyBuffer_Release(&view);
    return found;
}

/* ---- Ends ------------------------------------------------------------------------------------- */

static int end_matches(PyObject *self, PyObject *part, Py_ssize_t start, Py_ssize_t end,
                       bool suffix)
{
    Py_buffer view;
    if (PyObject_GetBuffer(part, &view, PyBUF_SIMPLE) < 0) {
        return -1;
    }
    struct blob b = blob_of(self);
    str_clip(&start, &end, b.len);
    bool match =
        end - start >= view.len
        && memcmp(b.data + (suffix ? end - view.len : start), view.buf, (size_t)view.len) == 0;
    PyBuffer_Release(&view);
    return match;
}

static PyObject *has_end(PyObject *self, PyObject *ends, Py_ssize_t start, Py_ssize_t end,
                         bool suffix)
{
    if (PyTuple_Check(ends)) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(ends); i++) {
            int match = end_matches(self, PyTuple_GET_ITEM(ends, i), start, end, suffix);
            if (match != 0) {
                return match < 0 ? NULL : Py_True;
            }
        }
        return Py_False;
    }
    int match = end_matches(self, ends, start, end, suffix);
    if (match < 0 && PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Format(PyExc_TypeError, "%s first arg must be bytes or a tuple of bytes, not %s",
                     suffix ? "endswith" : "startswith", Py_TYPE(ends)->tp_name);
    }
    return match < 0 ? NULL : PyBool_FromLong(match);
}

PyObject *blob_startswith(PyObject *self, PyObject *prefix, Py_ssize_t start, Py_ssize_t end)
{
    return has_end(self, prefix, start, end, false);
}

PyObject *blob_endswith(PyObject *self, PyObject *suffix, Py_ssize_t start, Py_ssize_t end)
{
    return has_end(self, suffix, start, end, true);
}

PyObject *blob_removeprefix(PyObject *self, Py_buffer *prefix)
{
    struct blob b = blob_of(self);
    if (prefix->len > 0 && b.len >= prefix->len
        && memcmp(b.data, prefix->buf, (size_t)prefix->len) == 0) {
        return blob_make(b.array, b.data + prefix->len, b.len - prefix->len);
    }
    return blob_same(self);
}

PyObject *blob_removesuffix(PyObject *self, Py_buffer *suffix)
{
    struct blob b = blob_of(self);
    if (suffix->len > 0 && b.len >= suffix->len
        && memcmp(b.data + b.len - suffix->len, suffix->buf, (size_t)suffix->len) == 0) {
        return blob_make(b.array, b.data, b.len - suffix->len);
    }
    return blob_same(self);
}

/* ---- Splitting -------------------------------------------------------------------------------- */

static int push(PyObject *list, struct blob b, Py_ssize_t start, Py_ssize_t end)
{
    PyObject *piece = blob_make(b.array, b.data + start, end - start);
    if (piece == NULL) {
        return -1;
    }
    int result = PyList_Append(list, piece);
    Py_DECREF(piece);
    return result;
}

static int split_space(PyObject *list, struct blob b, Py_ssize_t limit)
{
    Py_ssize_t i = 0;
    for (;;) {
        while (i < b.len && Py_ISSPACE(b.data[i])) {
            i++;
        }
        if (i == b.len) {
            return 0;
        }
        Py_ssize_t start = i;
        if (limit-- <= 0) {
            return push(list, b, start, b.len);
        }
        while (i < b.len && !Py_ISSPACE(b.data[i])) {
            i++;
        }
        if (push(list, b, start, i) < 0) {
            return -1;
        }
    }
}

static int rsplit_space(PyObject *list, struct blob b, Py_ssize_t limit)
{
    Py_ssize_t i = b.len;
    for (;;) {
        while (i > 0 && Py_ISSPACE(b.data[i - 1])) {
            i--;
        }
        if (i == 0) {
            return 0;
        }
        Py_ssize_t end = i;
        if (limit-- <= 0) {
            return push(list, b, 0, end);
        }
        while (i > 0 && !Py_ISSPACE(b.data[i - 1])) {
            i--;
        }
        if (push(list, b, i, end) < 0) {
            return -1;
        }
    }
}

static int split_by(PyObject *list, struct blob b, const Py_buffer *sep, Py_ssize_t limit)
{
    Py_ssize_t at = 0;
    while (limit-- > 0) {
        Py_ssize_t found = text_find(1, b.data + at, b.len - at, 1, sep->buf, sep->len);
        if (found < 0) {
            break;
        }
        if (push(list, b, at, at + found) < 0) {
            return -1;
        }
        at += found + sep->len;
    }
    return push(list, b, at, b.len);
}

static int rsplit_by(PyObject *list, struct blob b, const Py_buffer *sep, Py_ssize_t limit)
{
    Py_ssize_t end = b.len;
    while (limit-- > 0) {
        Py_ssize_t found = text_rfind(1, b.data, end, 1, sep->buf, sep->len);
        if (found < 0) {
            break;
        }
        if (push(list, b, found + sep->len, end) < 0) {
            return -1;
        }
        end = found;
    }
    return push(list, b, 0, end);
}

static PyObject *split(PyObject *self, PyObject *sep, Py_ssize_t limit, bool from_right)
{
    Py_buffer view = {0};
    limit = limit < 0 ? PY_SSIZE_T_MAX : limit;
    if (sep != Py_None && PyObject_GetBuffer(sep, &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    PyObject *list = NULL;
    if (sep != Py_None && view.len == 0) {
        PyErr_SetString(PyExc_ValueError, "empty separator");
    } else {
        list = PyList_New(0);
    }
    if (list != NULL) {
        struct blob b = blob_of(self);
        int failed = sep == Py_None ? (from_right ? rsplit_space : split_space)(list, b, limit)
                                    : (from_right ? rsplit_by : split_by)(list, b, &view, limit);
        if (failed < 0 || (from_right && PyList_Reverse(list) < 0)) {
            Py_CLEAR(list);
        }
    }
    PyBuffer_Release(&view);
    return list;
}

PyObject *blob_split(PyObject *self, PyObject *sep, Py_ssize_t maxsplit)
{
    return split(self, sep, maxsplit, false);
}

PyObject *blob_rsplit(PyObject *self, PyObject *sep, Py_ssize_t maxsplit)
{
    return split(self, sep, maxsplit, true);
}

PyObject *blob_splitlines(PyObject *self, int keepends)
{
    struct blob b = blob_of(self);
    PyObject *list = PyList_New(0);
    for (Py_ssize_t i = 0; list != NULL && i < b.len;) {
        Py_ssize_t start = i;
        while (i < b.len && b.data[i] != '\n' && b.data[i] != '\r') {
            i++;
        }
        Py_ssize_t end = i;
        if (i < b.len) {
            i += b.data[i] == '\r' && i + 1 < b.len && b.data[i + 1] == '\n' ? 2 : 1;
        }
        if (push(list, b, start, keepends ? i : end) < 0) {
            Py_CLEAR(list);
        }
    }
    return list;
}

static PyObject *partition(PyObject *self, PyObject *sep, bool from_right)
{
    Py_buffer view;
    if (PyObject_GetBuffer(sep, &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    PyObject *parts[3] = {NULL}, *result = NULL;
    if (view.len == 0) {
        PyErr_SetString(PyExc_ValueError, "empty separator");
        goto done;
    }
    struct blob b = blob_of(self);
    Py_ssize_t found = from_right ? text_rfind(1, b.data, b.len, 1, view.buf, view.len)
                                  : text_find(1, b.data, b.len, 1, view.buf, view.len);
    if (found >= 0) {
        parts[0] = blob_make(b.array, b.data, found);
        /* a bytearray gives a copy of the separator, bytes the separator itself */
        parts[1] = b.array ? blob_make(true, view.buf, view.len) : Py_NewRef(sep);
        parts[2] = blob_make(b.array, b.data + found + view.len, b.len - found - view.len);
    } else {
        int whole = from_right ? 2 : 0;
        for (int i = 0; i < 3; i++) {
            parts[i] = i == whole ? blob_same(self) : blob_make(b.array, NULL, 0);
        }
    }
    if (parts[0] != NULL && parts[1] != NULL && parts[2] != NULL) {
        result = PyTuple_Pack(3, parts[0], parts[1], parts[2]);
    }
done:
    for (int i = 0; i < 3; i++) {
        Py_XDECREF(parts[i]);
    }
    PyBuffer_Release(&view);
    return result;
}

PyObject *blob_partition(PyObject *self, PyObject *sep)
{
    return partition(self, sep, false);
}

PyObject *blob_rpartition(PyObject *self, PyObject *sep)
{
    return partition(self, sep, true);
}

/* ---- Stripping -------------------------------------------------------------------------------- */

static PyObject *strip(PyObject *self, PyObject *chars, bool left, bool right)
{
    bool goes[256] = {false};
    if (chars == Py_None) {
        for (int i = 0; i < 256; i++) {
            goes[i] = Py_ISSPACE(i);
        }
    } else {
        Py_buffer view;
        if (PyObject_GetBuffer(chars, &view, PyBUF_SIMPLE) < 0) {
            return NULL;
        }
        for (Py_ssize_t i = 0; i < view.len; i++) {
            goes[((const uint8_t *)view.buf)[i]] = true;
        }
        PyBuffer_Release(&view);
    }
    struct blob b = blob_of(self);
    Py_ssize_t start = 0, end = b.len;
    while (left && start < end && goes[b.data[start]]) {
        start++;
    }
    while (right && end > start && goes[b.data[end - 1]]) {
        end--;
    }
    return end - start == b.len ? blob_same(self) : blob_make(b.array, b.data + start, end - start);
}

PyObject *blob_strip(PyObject *self, PyObject *bytes)
{
    return strip(self, bytes, true, true);
}

PyObject *blob_lstrip(PyObject *self, PyObject *bytes)
{
    return strip(self, bytes, true, false);
}

PyObject *blob_rstrip(PyObject *self, PyObject *bytes)
{
    return strip(self, bytes, false, true);
}

/* ---- Replacing -------------------------------------------------------------------------------- */

PyObject *blob_replace(PyObject *self, Py_buffer *old, Py_buffer *new_, Py_ssize_t limit)
{
    struct blob b = blob_of(self);
    Py_ssize_t count = text_count(1, b.data, b.len, 1, old->buf, old->len, limit);
    if (count == 0) {
        return blob_same(self);
    }
    Py_ssize_t change = new_->len - old->len;
    if (change > 0 && change > (PY_SSIZE_T_MAX - b.len) / count) {
        PyErr_SetString(PyExc_OverflowError, "replace bytes is too long");
        return NULL;
    }
    PyObject *result = blob_make(b.array, NULL, b.len + count * change);
    if (result == NULL) {
        return NULL;
    }
    uint8_t *out = (uint8_t *)blob_of(result).data;
    Py_ssize_t at = 0;
    while (count-- > 0) {
        Py_ssize_t found =
            old->len == 0 ? 0 : text_find(1, b.data + at, b.len - at, 1, old->buf, old->len);
        memcpy(out, b.data + at, (size_t)found);
        out += found;
        memcpy(out, new_->buf, (size_t)new_->len);
        out += new_->len;
        at += found + old->len;
        if (old->len == 0 && at < b.len) {
            *out++ = b.data[at++];
        }
    }
    memcpy(out, b.data + at, (size_t)(b.len - at));
    return result;
}
