/* BytesIO: a stream of bytes in memory.
 *
 * The bytes lie in a bytes object that is larger than need be while it grows.  It is handed out as it
 * is by getvalue() and read(); from then on it is shared, and the next change makes a copy. */
#include "io.h"

struct bytesio {
    struct iobase base;
    PyObject *bytes; /* NULL: closed */
    Py_ssize_t at, size;
    size_t shared : 1, exports : 63;
};

struct bytesbuffer {
    PyObject_HEAD
    PyObject *source; /* the BytesIO */
};

#include "bytesio.bind.h"

/* ---- steps: under the object's lock ---------------------------------------------------------- */

static bool is_open(struct bytesio *self)
{
    if (self->bytes == NULL) {
        PyErr_SetString(PyExc_ValueError, "I/O operation on closed file.");
    }
    return self->bytes != NULL;
}

static bool may_resize(struct bytesio *self)
{
    if (self->exports != 0) {
        PyErr_SetString(PyExc_BufferError, "Existing exports of data: object cannot be re-sized");
    }
    return self->exports == 0;
}

static inline char *data_of(struct bytesio *self)
{
    return PyBytes_AS_STRING(self->bytes);
}

/* Room for `capacity` bytes, in an object that is ours alone; false with an exception. */
static bool bytes_reserve(struct bytesio *self, Py_ssize_t capacity)
{
    Py_ssize_t room = PyBytes_GET_SIZE(self->bytes);
    if (!self->shared && capacity <= room && capacity >= room / 2) {
        return true;
    }
    if (capacity > room && room > 0) {
        capacity = capacity < PY_SSIZE_T_MAX / 2 ? capacity + (capacity >> 3) + 16 : capacity;
    }
    PyObject *grown = PyBytes_FromStringAndSize(NULL, capacity);
    if (grown == NULL) {
        return false;
    }
    memcpy(PyBytes_AS_STRING(grown), data_of(self), (size_t)Py_MIN(self->size, capacity));
    field_set(&self->bytes, grown);
    self->shared = 0;
    return true;
}

static bool bytes_write(struct bytesio *self, const char *data, Py_ssize_t count)
{
    if (!is_open(self) || !may_resize(self)) {
        return false;
    }
    if (count == 0) {
        return true;
    }
    if (self->at > PY_SSIZE_T_MAX - count - 64) {
        PyErr_SetString(PyExc_OverflowError, "new buffer size too large");
        return false;
    }
    Py_ssize_t end = self->at + count;
    if (!bytes_reserve(self, Py_MAX(end, self->size))) {
        return false;
    }
    if (self->at > self->size) {
        memset(data_of(self) + self->size, 0, (size_t)(self->at - self->size));
    }
    memcpy(data_of(self) + self->at, data, (size_t)count);
    self->at = end;
    self->size = Py_MAX(self->size, end);
    return true;
}

/* How many of `wanted` bytes (negative: all) come next. */
static Py_ssize_t bytes_ahead(struct bytesio *self, Py_ssize_t wanted)
{
    Py_ssize_t have = Py_MAX(self->size - self->at, 0);
    return wanted < 0 || wanted > have ? have : wanted;
}

/* The next `count` bytes, which exist (new reference). */
static PyObject *bytes_take(struct bytesio *self, Py_ssize_t count)
{
    if (count > 1 && self->at == 0 && count == PyBytes_GET_SIZE(self->bytes)
        && self->exports == 0) {
        self->shared = 1;
        self->at = count;
        return Py_NewRef(self->bytes);
    }
    const char *from = count ? data_of(self) + self->at : NULL;
    PyObject *part = PyBytes_FromStringAndSize(from, count);
    if (part != NULL) {
        self->at += count;
    }
    return part;
}

/* The length of the next line, within `limit`. */
static Py_ssize_t line_ahead(struct bytesio *self, Py_ssize_t limit)
{
    Py_ssize_t count = bytes_ahead(self, limit);
    const char *from = data_of(self) + self->at;
    const char *end = count ? memchr(from, '\n', (size_t)count) : NULL;
    return end ? end - from + 1 : count;
}

/* ---- reading --------------------------------------------------------------------------------- */

static PyObject *bytesio_read(struct bytesio *self, Py_ssize_t size)
{
    return is_open(self) ? bytes_take(self, bytes_ahead(self, size)) : NULL;
}

static PyObject *bytesio_read1(struct bytesio *self, Py_ssize_t size)
{
    return bytesio_read(self, size);
}

static PyObject *bytesio_readinto(struct bytesio *self, Py_buffer *buffer)
{
    if (!is_open(self)) {
        return NULL;
    }
    Py_ssize_t count = bytes_ahead(self, buffer->len);
    if (count > 0) {
        memmove(buffer->buf, data_of(self) + self->at, (size_t)count);
        self->at += count;
    }
    return PyLong_FromSsize_t(count);
}

static PyObject *bytesio_readline(struct bytesio *self, Py_ssize_t size)
{
    return is_open(self) ? bytes_take(self, line_ahead(self, size)) : NULL;
}

static PyObject *bytesio_readlines(struct bytesio *self, Py_ssize_t size)
{
    PyObject *lines = is_open(self) ? PyList_New(0) : NULL;
    Py_ssize_t total = 0, count;
    while (lines != NULL && (count = line_ahead(self, -1)) > 0) {
        PyObject *line = bytes_take(self, count);
        if (line == NULL || PyList_Append(lines, line) < 0) {
            Py_CLEAR(lines);
        }
        Py_XDECREF(line);
        total += count;
        if (size > 0 && total >= size) {
            break;
        }
    }
    return lines;
}

static PyObject *next_line(struct bytesio *self)
{
    Py_ssize_t count = is_open(self) ? line_ahead(self, -1) : 0;
    return count ? bytes_take(self, count) : NULL;
}

static PyObject *bytesio_next(PyObject *op)
{
    return LOCKED(op, next_line((struct bytesio *)op));
}

static PyObject *bytesio_iter(PyObject *op)
{
    return LOCKED(op, is_open((struct bytesio *)op)) ? Py_NewRef(op) : NULL;
}

static PyObject *bytesio_getvalue(struct bytesio *self)
{
    if (!is_open(self)) {
        return NULL;
    }
    if (self->exports != 0) {
        return PyBytes_FromStringAndSize(data_of(self), self->size);
    }
    if (self->size != PyBytes_GET_SIZE(self->bytes)) {
        PyObject *exact = PyBytes_FromStringAndSize(data_of(self), self->size);
        if (exact == NULL) {
            return NULL;
        }
        field_set(&self->bytes, exact);
    }
    self->shared = 1;
    return Py_NewRef(self->bytes);
}

/* ---- writing --------------------------------------------------------------------------------- */

static PyObject *bytesio_write(struct bytesio *self, Py_buffer *b)
{
    return bytes_write(self, b->buf, b->len) ? PyLong_FromSsize_t(b->len) : NULL;
}

static PyObject *bytesio_writelines(struct bytesio *self, PyObject *lines)
{
    if (!LOCKED(self, is_open(self))) {
        return NULL;
    }
    PyObject *it = PyObject_GetIter(lines), *line;
    if (it == NULL) {
        return NULL;
    }
    bool fine = true;
    while (fine && (line = PyIter_Next(it)) != NULL) {
        Py_buffer view;
        fine = PyObject_GetBuffer(line, &view, PyBUF_CONTIG_RO) == 0;
        if (fine) {
            fine = LOCKED(self, bytes_write(self, view.buf, view.len));
            PyBuffer_Release(&view);
        }
        Py_DECREF(line);
    }
    Py_DECREF(it);
    return fine && !PyErr_Occurred() ? Py_NewRef(Py_None) : NULL;
}

static PyObject *bytesio_truncate(struct bytesio *self, PyObject *size)
{
    if (!is_open(self) || !may_resize(self)) {
        return NULL;
    }
    Py_ssize_t length = self->at;
    if (size != Py_None && !bind_ssize(size, &length)) {
        return NULL;
    }
    if (length < 0) {
        PyErr_Format(PyExc_ValueError, "negative size value %zd", length);
        return NULL;
    }
    if (length < self->size) {
        self->size = length;
        if (!bytes_reserve(self, length)) {
            return NULL;
        }
    }
    return PyLong_FromSsize_t(length);
}

/* ---- position, state ------------------------------------------------------------------------- */

static PyObject *bytesio_tell(struct bytesio *self)
{
    return is_open(self) ? PyLong_FromSsize_t(self->at) : NULL;
}

static PyObject *bytesio_seek(struct bytesio *self, Py_ssize_t pos, int whence)
{
    if (!is_open(self)) {
        return NULL;
    }
    if (pos < 0 && whence == 0) {
        PyErr_Format(PyExc_ValueError, "negative seek value %zd", pos);
        return NULL;
    }
    if (whence < 0 || whence > 2) {
        PyErr_Format(PyExc_ValueError, "invalid whence (%i, should be 0, 1 or 2)", whence);
        return NULL;
    }
    Py_ssize_t from = whence == 0 ? 0 : whence == 1 ? self->at : self->size;
    if (pos > PY_SSIZE_T_MAX - from) {
        PyErr_SetString(PyExc_OverflowError, "new position too large");
        return NULL;
    }
    self->at = Py_MAX(from + pos, 0);
    return PyLong_FromSsize_t(self->at);
}

static PyObject *bytesio_close(struct bytesio *self)
{
    if (!may_resize(self)) {
        return NULL;
    }
    Py_CLEAR(self->bytes);
    return Py_NewRef(Py_None);
}

static PyObject *answer_open(struct bytesio *self, PyObject *answer)
{
    return LOCKED(self, is_open(self)) ? Py_NewRef(answer) : NULL;
}

static PyObject *bytesio_readable(struct bytesio *self)
{
    return answer_open(self, Py_True);
}

static PyObject *bytesio_seekable(struct bytesio *self)
{
    return answer_open(self, Py_True);
}

static PyObject *bytesio_writable(struct bytesio *self)
{
    return answer_open(self, Py_True);
}

static PyObject *bytesio_isatty(struct bytesio *self)
{
    return answer_open(self, Py_False);
}

static PyObject *bytesio_flush(struct bytesio *self)
{
    return answer_open(self, Py_None);
}

static PyObject *bytesio_get_closed(struct bytesio *self)
{
    return PyBool_FromLong(self->bytes == NULL);
}

static size_t bytesio_sizeof(struct bytesio *self)
{
    size_t size = (size_t)Py_TYPE((PyObject *)self)->tp_basicsize;
    if (self->bytes != NULL && Py_REFCNT(self->bytes) == 1) {
        size += (size_t)PyBytes_GET_SIZE(self->bytes) + offsetof(PyBytesObject, ob_sval) + 1;
    }
    return size;
}

static PyObject *bytesio_getstate(struct bytesio *self)
{
    PyObject *value = bytesio_getvalue(self);
    if (value == NULL) {
        return NULL;
    }
    PyObject *dict = self->base.dict ? PyDict_Copy(self->base.dict) : Py_NewRef(Py_None);
    if (dict == NULL) {
        Py_DECREF(value);
        return NULL;
    }
    return Py_BuildValue("NnN", value, self->at, dict);
}

/* Adds the entries of a saved __dict__ (None passes); `which` names its place in the state. */
static bool dict_restore(PyObject **dict, PyObject *saved, const char *which)
{
    if (saved == Py_None) {
        return true;
    }
    if (!PyDict_Check(saved)) {
        PyErr_Format(PyExc_TypeError, "%s item of state should be a dict, got a %.200s", which,
                     Py_TYPE(saved)->tp_name);
        return false;
    }
    if (*dict == NULL) {
        *dict = Py_NewRef(saved);
        return true;
    }
    return PyDict_Update(*dict, saved) == 0;
}

static PyObject *bytes_from_buffer(PyObject *source)
{
    Py_buffer view;
    if (PyObject_GetBuffer(source, &view, PyBUF_CONTIG_RO) < 0) {
        return NULL;
    }
    PyObject *bytes = PyBytes_FromStringAndSize(view.buf, view.len);
    PyBuffer_Release(&view);
    return bytes;
}

static int contents_set(struct bytesio *self, PyObject *initial)
{
    PyObject *bytes = initial == NULL || initial == Py_None ? PyBytes_FromStringAndSize(NULL, 0)
                      : PyBytes_CheckExact(initial)         ? Py_NewRef(initial)
                                                            : bytes_from_buffer(initial);
    if (bytes == NULL) {
        return -1;
    }
    field_set(&self->bytes, bytes);
    self->shared = 1;
    self->at = 0;
    self->size = PyBytes_GET_SIZE(bytes);
    return 0;
}

static PyObject *bytesio_setstate(struct bytesio *self, PyObject *state)
{
    if (!PyTuple_Check(state) || PyTuple_GET_SIZE(state) < 3) {
        PyErr_Format(PyExc_TypeError, "%.200s.__setstate__ argument should be 3-tuple, got %.200s",
                     Py_TYPE((PyObject *)self)->tp_name, Py_TYPE(state)->tp_name);
        return NULL;
    }
    PyObject *place = PyTuple_GET_ITEM(state, 1);
    if (!is_open(self) || !may_resize(self) || contents_set(self, PyTuple_GET_ITEM(state, 0)) < 0) {
        return NULL;
    }
    if (!PyLong_Check(place)) {
        PyErr_Format(PyExc_TypeError, "second item of state must be an integer, not %.200s",
                     Py_TYPE(place)->tp_name);
        return NULL;
    }
    Py_ssize_t at = PyLong_AsSsize_t(place);
    if (at < 0) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_ValueError, "position value cannot be negative");
        }
        return NULL;
    }
    self->at = at;
    bool fine = dict_restore(&self->base.dict, PyTuple_GET_ITEM(state, 2), "third");
    return fine ? Py_NewRef(Py_None) : NULL;
}

static PyObject *bytesio_getbuffer(struct bytesio *self)
{
    struct io_state *state = is_open(self) ? io_state_of(self) : NULL;
    struct bytesbuffer *buffer = state ? type_make(state->bytesbuffer_type) : NULL;
    if (buffer == NULL) {
        return NULL;
    }
    buffer->source = Py_NewRef(self);
    PyObject *view = PyMemoryView_FromObject((PyObject *)buffer);
    Py_DECREF(buffer);
    return view;
}

static int bytesio_init(struct bytesio *self, PyObject *initial_bytes)
{
    return may_resize(self) ? contents_set(self, initial_bytes) : -1;
}

static PyObject *bytesio_new(PyTypeObject *type, PyObject *Py_UNUSED(args),
                             PyObject *Py_UNUSED(kwargs))
{
    struct bytesio *self = type_make(type);
    if (self != NULL && contents_set(self, NULL) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static int bytesio_clear(PyObject *op)
{
    struct bytesio *self = (struct bytesio *)op;
    if (self->exports == 0) {
        Py_CLEAR(self->bytes);
    }
    return iobase_clear(op);
}

static void bytesio_dealloc(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    PyObject_ClearWeakRefs(op);
    Py_CLEAR(((struct bytesio *)op)->bytes);
    iobase_free(op);
}

static PyType_Slot bytesio_slots[] = {
    {Py_tp_dealloc, bytesio_dealloc},
    {Py_tp_traverse, iobase_traverse},
    {Py_tp_clear, bytesio_clear},
    {Py_tp_doc, bytesio_doc},
    {Py_tp_iter, bytesio_iter},
    {Py_tp_iternext, bytesio_next},
    {Py_tp_methods, bytesio_methods},
    {Py_tp_getset, bytesio_getset},
    {Py_tp_new, bytesio_new},
    {Py_tp_init, bind_bytesio_init},
    {0, NULL},
};

PyType_Spec bytesio_spec = {
    "_io.BytesIO",
    sizeof(struct bytesio),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    bytesio_slots,
};

/* ---- the owner of a view --------------------------------------------------------------------- */

static int export_begin(struct bytesio *source, PyObject *op, Py_buffer *view, int flags)
{
    if (!is_open(source)
        || (source->exports == 0 && source->shared && !bytes_reserve(source, source->size))
        || PyBuffer_FillInfo(view, op, data_of(source), source->size, 0, flags) < 0) {
        return -1;
    }
    source->exports++;
    return 0;
}

static int bytesbuffer_get(PyObject *op, Py_buffer *view, int flags)
{
    struct bytesio *source = (struct bytesio *)((struct bytesbuffer *)op)->source;
    if (view == NULL) {
        PyErr_SetString(PyExc_BufferError, "_BytesIOBuffer: NULL view is not supported");
        return -1;
    }
    return LOCKED(source, export_begin(source, op, view, flags));
}

static void bytesbuffer_release(PyObject *op, Py_buffer *Py_UNUSED(view))
{
    struct bytesio *source = (struct bytesio *)((struct bytesbuffer *)op)->source;
    Py_BEGIN_CRITICAL_SECTION(source);
    source->exports--;
    Py_END_CRITICAL_SECTION();
}

GC_TRAVERSE(bytesbuffer, source)

/* A view may still need the source: only the end of the object lets go of it. */
static int bytesbuffer_clear(PyObject *Py_UNUSED(op))
{
    return 0;
}

static void bytesbuffer_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    Py_CLEAR(((struct bytesbuffer *)op)->source);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot bytesbuffer_slots[] = {
    GC_SLOTS(bytesbuffer),
    {Py_bf_getbuffer, bytesbuffer_get},
    {Py_bf_releasebuffer, bytesbuffer_release},
    {0, NULL},
};

PyType_Spec bytesbuffer_spec = {
    "_io._BytesIOBuffer",
    sizeof(struct bytesbuffer),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE
        | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    bytesbuffer_slots,
};
