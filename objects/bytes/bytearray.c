/* bytearray: a growing array of bytes.
 *
 * The memory belongs to the object alone.  `ob_start` may lie behind `ob_bytes`: bytes taken away in
 * front only move it.  While a buffer of it is exported the size may not change.  Functions here that
 * change the object expect its critical section to be held. */
#include "objects/bytes/bytearray.h"

#include "objects/bytes/internal.h"
#include "objects/bytes/object.h"
#include "objects/str.h"

/* What ob_start points to when there is no memory; extensions compare with it. */
char _PyByteArray_empty_string[] = "";

/* ---- Size -------------------------------------------------------------------------------------- */

static int can_resize(PyByteArrayObject *self)
{
    if (self->ob_exports > 0) {
        PyErr_SetString(PyExc_BufferError, "Existing exports of data: object cannot be re-sized");
        return -1;
    }
    return 0;
}

static void set_size(PyByteArrayObject *self, Py_ssize_t size)
{
    Py_SET_SIZE((PyVarObject *)self, size);
}

int PyByteArray_Resize(PyObject *object, Py_ssize_t size)
{
    PyByteArrayObject *self = (PyByteArrayObject *)object;
    Py_ssize_t offset = self->ob_start - self->ob_bytes, room;
    if (size == Py_SIZE(self)) {
        return 0;
    }
    if (can_resize(self) < 0) {
        return -1;
    }
    if (size < 0 || size > PY_SSIZE_T_MAX - 1) {
        PyErr_NoMemory();
        return -1;
    }
    if (size + offset + 1 <= self->ob_alloc) {
        if (size >= self->ob_alloc / 2) {
            set_size(self, size);
            self->ob_start[size] = '\0';
            return 0;
        }
        room = size + 1; /* give much of it back */
    } else {
        /* An eighth more, so that appending costs constant time on average. */
        room = size <= self->ob_alloc + (self->ob_alloc >> 3)
                   ? size + (size >> 3) + (size < 9 ? 3 : 6)
                   : size + 1;
    }
    char *memory;
    if (offset > 0) {
        memory = PyMem_Malloc((size_t)room);
        if (memory != NULL) {
            memcpy(memory, self->ob_start, (size_t)Py_MIN(size, Py_SIZE(self)));
            PyMem_Free(self->ob_bytes);
        }
    } else {
        memory = PyMem_Realloc(self->ob_bytes, (size_t)room);
    }
    if (memory == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    self->ob_bytes = self->ob_start = memory;
    self->ob_alloc = room;
    set_size(self, size);
    memory[size] = '\0';
    return 0;
}

static uint8_t *data_of(PyObject *self)
{
    return (uint8_t *)PyByteArray_AS_STRING(self);
}

/* Puts `count` bytes in the place of [low, high); `from` must not lie in the array. */
static int replace_range(PyObject *object, Py_ssize_t low, Py_ssize_t high, const void *from,
                         Py_ssize_t count)
{
    PyByteArrayObject *self = (PyByteArrayObject *)object;
    Py_ssize_t size = Py_SIZE(self), growth = count - (high - low);
    if (growth < 0) {
        if (can_resize(self) < 0) {
            return -1;
        }
        if (low == 0) {
            /* Taken away in front: the start moves up. */
            self->ob_start -= growth;
            set_size(self, size + growth);
        } else {
            memmove(data_of(object) + high + growth, data_of(object) + high, (size_t)(size - high));
            if (PyByteArray_Resize(object, size + growth) < 0) {
                return -1;
            }
        }
    } else if (growth > 0) {
        if (size > PY_SSIZE_T_MAX - growth) {
            PyErr_NoMemory();
            return -1;
        }
        if (PyByteArray_Resize(object, size + growth) < 0) {
            return -1;
        }
        memmove(data_of(object) + high + growth, data_of(object) + high, (size_t)(size - high));
    }
    if (count > 0) {
        memcpy(data_of(object) + low, from, (size_t)count);
    }
    return 0;
}

/* ---- The C API ----------------------------------------------------------------------------------- */

PyObject *PyByteArray_FromStringAndSize(const char *data, Py_ssize_t size)
{
    if (size < 0) {
        PyErr_SetString(PyExc_SystemError, "Negative size passed to PyByteArray_FromStringAndSize");
        return NULL;
    }
    PyByteArrayObject *self = PyObject_New(PyByteArrayObject, &PyByteArray_Type);
    if (self == NULL) {
        return NULL;
    }
    self->ob_bytes = self->ob_start = NULL;
    self->ob_alloc = self->ob_exports = 0;
    set_size(self, 0);
    if (size > 0) {
        self->ob_bytes = size > PY_SSIZE_T_MAX - 1 ? NULL : PyMem_Malloc((size_t)size + 1);
        if (self->ob_bytes == NULL) {
            Py_DECREF(self);
            return PyErr_NoMemory();
        }
        self->ob_start = self->ob_bytes;
        self->ob_alloc = size + 1;
        set_size(self, size);
        if (data != NULL) {
            memcpy(self->ob_bytes, data, (size_t)size);
        }
        self->ob_bytes[size] = '\0';
    }
    return (PyObject *)self;
}

PyObject *PyByteArray_FromObject(PyObject *object)
{
    return PyObject_CallOneArg((PyObject *)&PyByteArray_Type, object);
}

Py_ssize_t PyByteArray_Size(PyObject *self)
{
    return PyByteArray_GET_SIZE(self);
}

char *PyByteArray_AsString(PyObject *self)
{
    return PyByteArray_AS_STRING(self);
}

PyObject *PyByteArray_Concat(PyObject *a, PyObject *b)
{
    Py_buffer left = {0}, right = {0};
    PyObject *result = NULL;
    if (PyObject_GetBuffer(a, &left, PyBUF_SIMPLE) < 0
        || PyObject_GetBuffer(b, &right, PyBUF_SIMPLE) < 0) {
        PyErr_Format(PyExc_TypeError, "can't concat %.100s to %.100s", Py_TYPE(b)->tp_name,
                     Py_TYPE(a)->tp_name);
    } else if (left.len > PY_SSIZE_T_MAX - right.len) {
        PyErr_NoMemory();
    } else {
        result = PyByteArray_FromStringAndSize(NULL, left.len + right.len);
        if (result != NULL && Py_SIZE(result) > 0) {
            memcpy(data_of(result), left.buf, (size_t)left.len);
            memcpy(data_of(result) + left.len, right.buf, (size_t)right.len);
        }
    }
    PyBuffer_Release(&left);
    PyBuffer_Release(&right);
    return result;
}

/* ---- Life ---------------------------------------------------------------------------------------- */

void bytearray_dealloc(PyObject *object)
{
    PyByteArrayObject *self = (PyByteArrayObject *)object;
    if (self->ob_exports > 0) {
        PyErr_SetString(PyExc_SystemError, "deallocated bytearray object has exported buffers");
        PyErr_Print();
    }
    PyMem_Free(self->ob_bytes);
    Py_TYPE(object)->tp_free(object);
}

int bytearray_getbuffer(PyObject *object, Py_buffer *view, int flags)
{
    PyByteArrayObject *self = (PyByteArrayObject *)object;
    if (view == NULL) {
        PyErr_SetString(PyExc_BufferError, "bytearray_getbuffer: view==NULL argument is obsolete");
        return -1;
    }
    int result;
    Py_BEGIN_CRITICAL_SECTION(object);
    result =
        PyBuffer_FillInfo(view, object, PyByteArray_AS_STRING(object), Py_SIZE(self), 0, flags);
    self->ob_exports += result == 0;
    Py_END_CRITICAL_SECTION();
    return result;
}

void bytearray_releasebuffer(PyObject *object, Py_buffer *Py_UNUSED(view))
{
    Py_BEGIN_CRITICAL_SECTION(object);
    ((PyByteArrayObject *)object)->ob_exports--;
    Py_END_CRITICAL_SECTION();
}

/* ---- Changing it ----------------------------------------------------------------------------------- */

static int byte_of(PyObject *item, int *byte)
{
    Py_ssize_t value = PyNumber_AsSsize_t(item, NULL);
    if (value == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (value < 0 || value > 255) {
        PyErr_SetString(PyExc_ValueError, "byte must be in range(0, 256)");
        return -1;
    }
    *byte = (int)value;
    return 0;
}

int bytearray_append_item(PyObject *self, PyObject *item)
{
    int byte;
    Py_ssize_t n;
    if (byte_of(item, &byte) < 0) {
        return -1;
    }
    n = Py_SIZE(self);
    if (n == PY_SSIZE_T_MAX) {
        PyErr_SetString(PyExc_OverflowError, "cannot add more objects to bytearray");
        return -1;
    }
    if (PyByteArray_Resize(self, n + 1) < 0) {
        return -1;
    }
    data_of(self)[n] = (uint8_t)byte;
    return 0;
}

int bytearray_insert_item(PyObject *self, Py_ssize_t index, PyObject *item)
{
    int byte;
    if (byte_of(item, &byte) < 0) {
        return -1;
    }
    Py_ssize_t n = Py_SIZE(self);
    if (n == PY_SSIZE_T_MAX) {
        PyErr_SetString(PyExc_OverflowError, "cannot add more objects to bytearray");
        return -1;
    }
    index = index < 0 ? Py_MAX(index + n, 0) : Py_MIN(index, n);
    uint8_t value = (uint8_t)byte;
    return replace_range(self, index, index, &value, 1);
}

/* += and extend() with a bytes-like object. */
int bytearray_add_buffer(PyObject *self, PyObject *other)
{
    Py_buffer view;
    if (PyObject_GetBuffer(other, &view, PyBUF_SIMPLE) < 0) {
        PyErr_Format(PyExc_TypeError, "can't concat %.100s to %.100s", Py_TYPE(other)->tp_name,
                     Py_TYPE(self)->tp_name);
        return -1;
    }
    Py_ssize_t n = Py_SIZE(self), m = view.len;
    int result = -1;
    if (other == self) {
        /* Its own export would forbid the growing. */
        PyBuffer_Release(&view);
        if (n <= PY_SSIZE_T_MAX / 2 && PyByteArray_Resize(self, n * 2) == 0) {
            memcpy(data_of(self) + n, data_of(self), (size_t)n);
            result = 0;
        }
        return result;
    }
    if (n > PY_SSIZE_T_MAX - m) {
        PyErr_NoMemory();
    } else if (PyByteArray_Resize(self, n + m) == 0) {
        memcpy(data_of(self) + n, view.buf, (size_t)m);
        result = 0;
    }
    PyBuffer_Release(&view);
    return result;
}

int bytearray_extend_by(PyObject *self, PyObject *iterable)
{
    if (PyObject_CheckBuffer(iterable)) {
        return bytearray_add_buffer(self, iterable);
    }
    if (Py_TYPE(iterable)->tp_iter == NULL && !PySequence_Check(iterable)) {
        PyErr_Format(PyExc_TypeError, "can't extend bytearray with %.100s",
                     Py_TYPE(iterable)->tp_name);
        return -1;
    }
    struct bytes_writer w;
    bytes_writer_init(&w);
    int result = bytes_write_iterable(&w, iterable, "byte must be in range(0, 256)");
    if (result < 0) {
        if (PyErr_ExceptionMatches(PyExc_TypeError) && PyUnicode_Check(iterable)) {
            PyErr_Format(PyExc_TypeError, "expected iterable of integers; got: 'str'");
        }
    } else {
        Py_ssize_t n = Py_SIZE(self), m = w.pos - w.start;
        result = n > PY_SSIZE_T_MAX - m ? (PyErr_NoMemory(), -1) : PyByteArray_Resize(self, n + m);
        if (result == 0) {
            memcpy(data_of(self) + n, w.start, (size_t)m);
        }
    }
    bytes_writer_drop(&w);
    return result;
}

PyObject *bytearray_pop_at(PyObject *self, Py_ssize_t index)
{
    Py_ssize_t n = Py_SIZE(self);
    if (n == 0) {
        PyErr_SetString(PyExc_IndexError, "pop from empty bytearray");
        return NULL;
    }
    index = index < 0 ? index + n : index;
    if (index < 0 || index >= n) {
        PyErr_SetString(PyExc_IndexError, "pop index out of range");
        return NULL;
    }
    uint8_t byte = data_of(self)[index];
    return replace_range(self, index, index + 1, NULL, 0) < 0 ? NULL : PyLong_FromLong(byte);
}

int bytearray_remove_item(PyObject *self, PyObject *item)
{
    int byte;
    if (byte_of(item, &byte) < 0) {
        return -1;
    }
    Py_ssize_t n = Py_SIZE(self);
    uint8_t *data = data_of(self), *found = n == 0 ? NULL : memchr(data, byte, (size_t)n);
    if (found == NULL) {
        PyErr_SetString(PyExc_ValueError, "value not found in bytearray");
        return -1;
    }
    return replace_range(self, found - data, found - data + 1, NULL, 0);
}

void bytearray_reverse_all(PyObject *self)
{
    Py_ssize_t n = Py_SIZE(self);
    uint8_t *data = data_of(self);
    for (Py_ssize_t i = 0; i < n / 2; i++) {
        uint8_t byte = data[i];
        data[i] = data[n - 1 - i];
        data[n - 1 - i] = byte;
    }
}

int bytearray_imultiply(PyObject *self, Py_ssize_t count)
{
    Py_ssize_t n = Py_SIZE(self);
    count = Py_MAX(count, 0);
    if (count > 0 && n > PY_SSIZE_T_MAX / count) {
        PyErr_NoMemory();
        return -1;
    }
    if (PyByteArray_Resize(self, n * count) < 0) {
        return -1;
    }
    for (Py_ssize_t i = 1; i < count; i++) {
        memcpy(data_of(self) + i * n, data_of(self), (size_t)n);
    }
    return 0;
}

/* ---- Items and slices -------------------------------------------------------------------------------- */

PyObject *bytearray_item(PyObject *self, Py_ssize_t i)
{
    PyObject *result = NULL;
    Py_BEGIN_CRITICAL_SECTION(self);
    if (i < 0 || i >= Py_SIZE(self)) {
        PyErr_SetString(PyExc_IndexError, "bytearray index out of range");
    } else {
        result = PyLong_FromLong(data_of(self)[i]);
    }
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *get_slice(PyObject *self, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t step)
{
    Py_ssize_t count = PySlice_AdjustIndices(Py_SIZE(self), &start, &stop, step);
    if (count <= 0) {
        return PyByteArray_FromStringAndSize(NULL, 0);
    }
    if (step == 1) {
        return PyByteArray_FromStringAndSize((char *)data_of(self) + start, count);
    }
    PyObject *result = PyByteArray_FromStringAndSize(NULL, count);
    for (Py_ssize_t i = 0; result != NULL && i < count; i++) {
        data_of(result)[i] = data_of(self)[start + i * step];
    }
    return result;
}

PyObject *bytearray_subscript(PyObject *self, PyObject *index)
{
    if (PyIndex_Check(index)) {
        Py_ssize_t i = PyNumber_AsSsize_t(index, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) {
            return NULL;
        }
        return bytearray_item(self, i < 0 ? i + Py_SIZE(self) : i);
    }
    if (!PySlice_Check(index)) {
        PyErr_Format(PyExc_TypeError, "bytearray indices must be integers or slices, not %.200s",
                     Py_TYPE(index)->tp_name);
        return NULL;
    }
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(index, &start, &stop, &step) < 0) {
        return NULL;
    }
    PyObject *result;
    Py_BEGIN_CRITICAL_SECTION(self);
    result = get_slice(self, start, stop, step);
    Py_END_CRITICAL_SECTION();
    return result;
}

/* self[start:stop:step] = `count` bytes, which do not lie in self; `deleting` without them. */
static int set_slice(PyObject *self, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t step,
                     const uint8_t *from, Py_ssize_t count, bool deleting)
{
    Py_ssize_t places = PySlice_AdjustIndices(Py_SIZE(self), &start, &stop, step);
    if ((step < 0 && start < stop) || (step > 0 && start > stop)) {
        stop = start;
    }
    if (step == 1) {
        return replace_range(self, start, stop, from, count);
    }
    if (!deleting && count != 0) {
        if (count != places) {
            PyErr_Format(PyExc_ValueError,
                         "attempt to assign bytes of size %zd to extended slice of size %zd", count,
                         places);
            return -1;
        }
        for (Py_ssize_t i = 0; i < count; i++) {
            data_of(self)[start + i * step] = from[i];
        }
        return 0;
    }
    if (places == 0) {
        return 0;
    }
    if (can_resize((PyByteArrayObject *)self) < 0) {
        return -1;
    }
    if (step < 0) {
        start += (places - 1) * step;
        step = -step;
    }
    uint8_t *data = data_of(self);
    Py_ssize_t n = Py_SIZE(self), out = start;
    for (Py_ssize_t i = 0; i < places; i++) {
        /* Close the gap behind the deleted byte, up to the next one. */
        Py_ssize_t from_index = start + i * step + 1;
        Py_ssize_t until = i + 1 < places ? from_index + step - 1 : n;
        memmove(data + out, data + from_index, (size_t)(until - from_index));
        out += until - from_index;
    }
    return PyByteArray_Resize(self, n - places);
}

static int assign_slice(PyObject *self, PyObject *slice, PyObject *value)
{
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(slice, &start, &stop, &step) < 0) {
        return -1;
    }
    PyObject *bytes = NULL; /* a copy that cannot change or move */
    if (value != NULL) {
        if (PyNumber_Check(value) || PyUnicode_Check(value)) {
            PyErr_SetString(PyExc_TypeError, "can assign only bytes, buffers, or iterables of ints "
                                             "in range(0, 256)");
            return -1;
        }
        if (PyByteArray_Check(value) || PyBytes_Check(value)) {
            bytes = PyBytes_FromObject(value);
        } else {
            PyObject *array = PyByteArray_FromObject(value);
            bytes = array == NULL ? NULL : PyBytes_FromObject(array);
            Py_XDECREF(array);
        }
        if (bytes == NULL) {
            return -1;
        }
    }
    int result;
    Py_BEGIN_CRITICAL_SECTION(self);
    result = set_slice(self, start, stop, step, bytes == NULL ? NULL : bytes_data(bytes),
                       bytes == NULL ? 0 : bytes_len(bytes), value == NULL);
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(bytes);
    return result;
}

static int assign_item(PyObject *self, Py_ssize_t i, PyObject *value)
{
    int byte = 0, result = 0;
    if (value != NULL && byte_of(value, &byte) < 0) {
        return -1;
    }
    Py_BEGIN_CRITICAL_SECTION(self);
    if (i < 0 || i >= Py_SIZE(self)) {
        PyErr_SetString(PyExc_IndexError, "bytearray index out of range");
        result = -1;
    } else if (value != NULL) {
        data_of(self)[i] = (uint8_t)byte;
    } else {
        result = replace_range(self, i, i + 1, NULL, 0);
    }
    Py_END_CRITICAL_SECTION();
    return result;
}

bool bytearray_put(PyObject *self, Py_ssize_t i, uint8_t byte)
{
    bool good;
    Py_BEGIN_CRITICAL_SECTION(self);
    i += i < 0 ? Py_SIZE(self) : 0;
    good = i >= 0 && i < Py_SIZE(self);
    if (good) {
        data_of(self)[i] = byte;
    }
    Py_END_CRITICAL_SECTION();
    return good;
}

int bytearray_set_item(PyObject *self, Py_ssize_t i, PyObject *value)
{
    return assign_item(self, i, value);
}

int bytearray_assign_subscript(PyObject *self, PyObject *index, PyObject *value)
{
    if (PyIndex_Check(index)) {
        Py_ssize_t i = PyNumber_AsSsize_t(index, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred()) {
            return -1;
        }
        return assign_item(self, i < 0 ? i + Py_SIZE(self) : i, value);
    }
    if (PySlice_Check(index)) {
        return assign_slice(self, index, value);
    }
    PyErr_Format(PyExc_TypeError, "bytearray indices must be integers or slices, not %.200s",
                 Py_TYPE(index)->tp_name);
    return -1;
}

/* ---- Comparing and showing --------------------------------------------------------------------------- */

Py_ssize_t bytearray_length(PyObject *self)
{
    return Py_SIZE(self);
}

PyObject *bytearray_richcompare(PyObject *a, PyObject *b, int op)
{
    if (!PyObject_CheckBuffer(a) || !PyObject_CheckBuffer(b)) {
        if (bytes_warning_wanted() && (op == Py_EQ || op == Py_NE)
            && (PyUnicode_Check(a) || PyUnicode_Check(b))
            && PyErr_WarnEx(PyExc_BytesWarning, "Comparison between bytearray and string", 1) < 0) {
            return NULL;
        }
        Py_RETURN_NOTIMPLEMENTED;
    }
    Py_buffer left, right;
    if (PyObject_GetBuffer(a, &left, PyBUF_SIMPLE) < 0) {
        PyErr_Clear();
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (PyObject_GetBuffer(b, &right, PyBUF_SIMPLE) < 0) {
        PyErr_Clear();
        PyBuffer_Release(&left);
        Py_RETURN_NOTIMPLEMENTED;
    }
    Py_ssize_t n = Py_MIN(left.len, right.len);
    int order = n == 0 ? 0 : memcmp(left.buf, right.buf, (size_t)n);
    if (order == 0) {
        order = left.len < right.len ? -1 : left.len > right.len;
    }
    PyBuffer_Release(&left);
    PyBuffer_Release(&right);
    Py_RETURN_RICHCOMPARE(order, 0, op);
}

PyObject *bytearray_repr(PyObject *self)
{
    PyObject *name = PyType_GetName(Py_TYPE(self)), *result = NULL;
    if (name == NULL) {
        return NULL;
    }
    PyObject *prefix = PyUnicode_FromFormat("%U(", name);
    const char *text = prefix == NULL ? NULL : PyUnicode_AsUTF8(prefix);
    if (text != NULL && str_is_ascii(prefix)) {
        Py_BEGIN_CRITICAL_SECTION(self);
        result = bytes_to_repr(data_of(self), Py_SIZE(self), true, text, ")");
        Py_END_CRITICAL_SECTION();
    } else if (text != NULL) {
        PyObject *inner;
        Py_BEGIN_CRITICAL_SECTION(self);
        inner = bytes_to_repr(data_of(self), Py_SIZE(self), true, "", ")");
        Py_END_CRITICAL_SECTION();
        result = inner == NULL ? NULL : str_concat(prefix, inner);
        Py_XDECREF(inner);
    }
    Py_XDECREF(prefix);
    Py_DECREF(name);
    return result;
}

PyObject *bytearray_str(PyObject *self)
{
    if (bytes_warning_wanted()
        && PyErr_WarnEx(PyExc_BytesWarning, "str() on a bytearray instance", 1) < 0) {
        return NULL;
    }
    return bytearray_repr(self);
}

/* ---- Construction -------------------------------------------------------------------------------------- */

int bytearray_fill_from(PyObject *self, PyObject *source, const char *encoding, const char *errors)
{
    if (Py_SIZE(self) != 0 && PyByteArray_Resize(self, 0) < 0) {
        return -1;
    }
    if (source == NULL) {
        if (encoding != NULL || errors != NULL) {
            PyErr_SetString(PyExc_TypeError, encoding != NULL ? "encoding without a string argument"
                                                              : "errors without a string argument");
            return -1;
        }
        return 0;
    }
    if (PyUnicode_Check(source)) {
        if (encoding == NULL) {
            PyErr_SetString(PyExc_TypeError, "string argument without an encoding");
            return -1;
        }
        PyObject *bytes = PyUnicode_AsEncodedString(source, encoding, errors);
        int result = bytes == NULL ? -1 : bytearray_add_buffer(self, bytes);
        Py_XDECREF(bytes);
        return result;
    }
    if (encoding != NULL || errors != NULL) {
        PyErr_SetString(PyExc_TypeError, encoding != NULL ? "encoding without a string argument"
                                                          : "errors without a string argument");
        return -1;
    }
    if (PyIndex_Check(source)) {
        Py_ssize_t size = PyNumber_AsSsize_t(source, PyExc_OverflowError);
        if (size == -1 && PyErr_Occurred()) {
            if (!PyErr_ExceptionMatches(PyExc_TypeError)) {
                return -1;
            }
            PyErr_Clear();
        } else {
            if (size < 0) {
                PyErr_SetString(PyExc_ValueError, "negative count");
                return -1;
            }
            if (size > 0) {
                if (PyByteArray_Resize(self, size) < 0) {
                    return -1;
                }
                memset(data_of(self), 0, (size_t)size);
            }
            return 0;
        }
    }
    if (PyObject_CheckBuffer(source)) {
        Py_buffer view;
        if (PyObject_GetBuffer(source, &view, PyBUF_FULL_RO) < 0) {
            return -1;
        }
        int result = PyByteArray_Resize(self, view.len);
        if (result == 0 && view.len > 0) {
            result = PyBuffer_ToContiguous(data_of(self), &view, view.len, 'C');
        }
        PyBuffer_Release(&view);
        return result;
    }
    if (Py_TYPE(source)->tp_iter == NULL && !PySequence_Check(source)) {
        PyErr_Format(PyExc_TypeError, "cannot convert '%.200s' object to bytearray",
                     Py_TYPE(source)->tp_name);
        return -1;
    }
    return bytearray_extend_by(self, source);
}

PyObject *bytearray_reduce_with(PyObject *self, int protocol)
{
    PyObject *state = PyObject_CallMethod(self, "__getstate__", NULL);
    if (state == NULL) {
        return NULL;
    }
    PyObject *result;
    Py_ssize_t n = Py_SIZE(self);
    if (protocol < 3) {
        PyObject *text = str_from_latin1(data_of(self), n);
        result =
            text == NULL ? NULL : Py_BuildValue("(O(Ns)N)", Py_TYPE(self), text, "latin-1", state);
    } else if (n == 0) {
        result = Py_BuildValue("(O()N)", Py_TYPE(self), state);
    } else {
        result = Py_BuildValue("(O(y#)N)", Py_TYPE(self), data_of(self), n, state);
    }
    return result;
}
