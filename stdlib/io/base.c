/* The abstract bases of all streams: _IOBase, _RawIOBase, _BufferedIOBase and _TextIOBase. */
#include "io.h"

#include "iobase.bind.h"

/* ---- small steps ----------------------------------------------------------------------------- */

PyObject *io_unsupported(struct io_state *state, const char *message)
{
    if (state != NULL) {
        PyErr_SetString(state->unsupported, message);
    }
    return NULL;
}

static PyObject *unsupported(void *self, const char *message)
{
    return io_unsupported(io_state_of(self), message);
}

int io_is_closed(struct io_state *state, PyObject *stream)
{
    PyObject *closed = PyObject_GetAttr(stream, state->names.closed);
    int answer = closed ? PyObject_IsTrue(closed) : -1;
    Py_XDECREF(closed);
    return answer;
}

int io_check_open(struct io_state *state, PyObject *stream)
{
    PyObject *closed;
    if (state == NULL || PyObject_GetOptionalAttr(stream, state->names.closed, &closed) < 0) {
        return -1;
    }
    int answer = closed ? PyObject_IsTrue(closed) : 0;
    Py_XDECREF(closed);
    if (answer > 0) {
        PyErr_SetString(PyExc_ValueError, "I/O operation on closed file.");
    }
    return answer ? -1 : 0;
}

int io_check_able(struct io_state *state, PyObject *stream, PyObject *name, const char *message)
{
    PyObject *answer = PyObject_CallMethodNoArgs(stream, name);
    if (answer == NULL) {
        return -1;
    }
    Py_DECREF(answer);
    if (answer == Py_True) {
        return 0;
    }
    io_unsupported(state, message);
    return -1;
}

int io_check_seekable(struct io_state *state, PyObject *stream)
{
    return io_check_able(state, stream, state->names.seekable, "File or stream is not seekable.");
}

int io_check_readable(struct io_state *state, PyObject *stream)
{
    return io_check_able(state, stream, state->names.readable, "File or stream is not readable.");
}

int io_check_writable(struct io_state *state, PyObject *stream)
{
    return io_check_able(state, stream, state->names.writable, "File or stream is not writable.");
}

void io_chain(PyObject *earlier)
{
    if (earlier == NULL) {
        return;
    }
    PyObject *later = PyErr_GetRaisedException();
    if (later == NULL) {
        PyErr_SetRaisedException(earlier);
    } else if (later == earlier) {
        Py_DECREF(earlier);
        PyErr_SetRaisedException(later);
    } else {
        PyException_SetContext(later, earlier);
        PyErr_SetRaisedException(later);
    }
}

PyObject *io_no_pickle(void *op)
{
    PyObject *name = PyType_GetName(Py_TYPE((PyObject *)op));
    if (name != NULL) {
        PyErr_Format(PyExc_TypeError, "cannot pickle '%.100U' instances", name);
        Py_DECREF(name);
    }
    return NULL;
}

/* ---- life ------------------------------------------------------------------------------------ */

/* Closes a stream that was left open.  What goes wrong is reported, since nobody can catch it. */
static void iobase_finalize(PyObject *op)
{
    struct io_state *state = io_state_of(op);
    if (state == NULL) {
        PyErr_Clear();
        return;
    }
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *closed_value;
    int closed = -1;
    if (PyObject_GetOptionalAttr(op, state->names.closed, &closed_value) > 0) {
        closed = PyObject_IsTrue(closed_value);
        Py_DECREF(closed_value);
    }
    if (closed < 0) {
        PyErr_Clear();
    }
    if (closed == 0) {
        /* So that close() can warn, knowing that nobody else called it. */
        if (PyObject_SetAttr(op, state->names._finalizing, Py_True) < 0) {
            PyErr_Clear();
        }
        PyObject *done = PyObject_CallMethodNoArgs(op, state->names.close);
        if (done == NULL) {
            PyErr_WriteUnraisable(op);
        }
        Py_XDECREF(done);
    }
    PyErr_SetRaisedException(raised);
}

bool iobase_dealloc_begin(PyObject *op)
{
    if (PyObject_CallFinalizerFromDealloc(op) < 0) {
        return false;
    }
    PyObject_GC_UnTrack(op);
    PyObject_ClearWeakRefs(op);
    return true;
}

void iobase_free(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    Py_CLEAR(((struct iobase *)op)->dict);
    type->tp_free(op);
    Py_DECREF(type);
}

int iobase_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    Py_VISIT(((struct iobase *)op)->dict);
    return 0;
}

int iobase_clear(PyObject *op)
{
    Py_CLEAR(((struct iobase *)op)->dict);
    return 0;
}

static void iobase_dealloc(PyObject *op)
{
    if (iobase_dealloc_begin(op)) {
        iobase_free(op);
    }
}

/* ---- _IOBase --------------------------------------------------------------------------------- */

static PyObject *iobase_seek(PyObject *self, PyObject *Py_UNUSED(args))
{
    return unsupported(self, "seek");
}

static PyObject *iobase_tell(struct iobase *self)
{
    struct io_state *state = io_state_of(self);
    return state ? PyObject_CallMethod((PyObject *)self, "seek", "ii", 0, 1) : NULL;
}

static PyObject *iobase_truncate(PyObject *self, PyObject *Py_UNUSED(args))
{
    return unsupported(self, "truncate");
}

/* Whether close() of the base has run: 1, 0, or -1. */
static int iobase_was_closed(struct io_state *state, PyObject *self)
{
    PyObject *flag;
    int found = state ? PyObject_GetOptionalAttr(self, state->names.__IOBase_closed, &flag) : -1;
    if (found > 0) {
        Py_DECREF(flag);
    }
    return found;
}

static PyObject *iobase_get_closed(PyObject *self, void *Py_UNUSED(closure))
{
    int closed = iobase_was_closed(io_state_of(self), self);
    return closed < 0 ? NULL : PyBool_FromLong(closed);
}

static PyObject *iobase_flush(struct iobase *self)
{
    int closed = iobase_was_closed(io_state_of(self), (PyObject *)self);
    if (closed > 0) {
        PyErr_SetString(PyExc_ValueError, "I/O operation on closed file.");
    }
    return closed ? NULL : Py_NewRef(Py_None);
}

PyObject *iobase_close_plain(PyObject *self)
{
    struct io_state *state = io_state_of(self);
    int closed = iobase_was_closed(state, self);
    if (closed) {
        return closed < 0 ? NULL : Py_NewRef(Py_None);
    }
    PyObject *flushed = PyObject_CallMethodNoArgs(self, state->names.flush);
    PyObject *raised = PyErr_GetRaisedException();
    int rc = PyObject_SetAttr(self, state->names.__IOBase_closed, Py_True);
    io_chain(raised);
    if (rc < 0 || flushed == NULL) {
        Py_XDECREF(flushed);
        return NULL;
    }
    Py_DECREF(flushed);
    return Py_NewRef(Py_None);
}

static PyObject *iobase_close(struct iobase *self)
{
    return iobase_close_plain((PyObject *)self);
}

static PyObject *iobase_seekable(struct iobase *Py_UNUSED(self))
{
    return Py_NewRef(Py_False);
}

static PyObject *iobase_readable(struct iobase *Py_UNUSED(self))
{
    return Py_NewRef(Py_False);
}

static PyObject *iobase_writable(struct iobase *Py_UNUSED(self))
{
    return Py_NewRef(Py_False);
}

static PyObject *iobase_need_open(struct iobase *self)
{
    return io_check_open(io_state_of(self), (PyObject *)self) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *iobase_need(struct iobase *self, int (*check)(struct io_state *, PyObject *))
{
    struct io_state *state = io_state_of(self);
    return state && check(state, (PyObject *)self) == 0 ? Py_NewRef(Py_True) : NULL;
}

static PyObject *iobase_need_seekable(struct iobase *self)
{
    return iobase_need(self, io_check_seekable);
}

static PyObject *iobase_need_readable(struct iobase *self)
{
    return iobase_need(self, io_check_readable);
}

static PyObject *iobase_need_writable(struct iobase *self)
{
    return iobase_need(self, io_check_writable);
}

static PyObject *iobase_fileno(struct iobase *self)
{
    return unsupported(self, "fileno");
}

static PyObject *iobase_isatty(struct iobase *self)
{
    return io_check_open(io_state_of(self), (PyObject *)self) < 0 ? NULL : Py_NewRef(Py_False);
}

static PyObject *iobase_enter(struct iobase *self)
{
    return io_check_open(io_state_of(self), (PyObject *)self) < 0 ? NULL : Py_NewRef(self);
}

static PyObject *iobase_exit(PyObject *self, PyObject *Py_UNUSED(args))
{
    struct io_state *state = io_state_of(self);
    return state ? PyObject_CallMethodNoArgs(self, state->names.close) : NULL;
}

/* How many bytes to read next without going past a line end: as much as peek() shows of the line.
 * -1 with an exception. */
static Py_ssize_t line_lookahead(PyObject *peek, Py_ssize_t limit)
{
    PyObject *seen, *one = PyLong_FromLong(1);
    do {
        seen = one ? PyObject_CallOneArg(peek, one) : NULL;
    } while (seen == NULL && one != NULL && io_interrupted());
    Py_XDECREF(one);
    if (seen == NULL) {
        return -1;
    }
    Py_ssize_t count = -1;
    if (!PyBytes_Check(seen)) {
        PyErr_Format(PyExc_OSError, "peek() should have returned a bytes object, not '%.200s'",
                     Py_TYPE(seen)->tp_name);
    } else {
        const char *text = PyBytes_AS_STRING(seen);
        Py_ssize_t length = PyBytes_GET_SIZE(seen);
        if (limit >= 0 && length > limit) {
            length = limit;
        }
        const char *end = length ? memchr(text, '\n', (size_t)length) : NULL;
        count = end ? end - text + 1 : length ? length : 1;
    }
    Py_DECREF(seen);
    return count;
}

/* Reads the line into a bytearray: 0, or -1 with an exception. */
static int line_collect(struct io_state *state, PyObject *self, PyObject *peek, Py_ssize_t limit,
                        PyObject *line)
{
    Py_ssize_t length = 0;
    while (limit < 0 || length < limit) {
        Py_ssize_t ahead = 1;
        if (peek != NULL) {
            ahead = line_lookahead(peek, limit < 0 ? -1 : limit - length);
        }
        PyObject *part = ahead < 0 ? NULL : io_call_size(self, state->names.read, ahead);
        if (part == NULL) {
            return -1;
        }
        if (!PyBytes_Check(part)) {
            PyErr_Format(PyExc_OSError, "read() should have returned a bytes object, not '%.200s'",
                         Py_TYPE(part)->tp_name);
            Py_DECREF(part);
            return -1;
        }
        Py_ssize_t count = PyBytes_GET_SIZE(part);
        int rc = count ? PyByteArray_Resize(line, length + count) : 0;
        bool ended = count == 0 || PyBytes_AS_STRING(part)[count - 1] == '\n';
        if (rc == 0 && count != 0) {
            memcpy(PyByteArray_AS_STRING(line) + length, PyBytes_AS_STRING(part), (size_t)count);
            length += count;
        }
        Py_DECREF(part);
        if (rc < 0 || ended) {
            return rc;
        }
    }
    return 0;
}

static PyObject *iobase_readline(struct iobase *self, Py_ssize_t limit)
{
    struct io_state *state = io_state_of(self);
    PyObject *peek;
    if (state == NULL || PyObject_GetOptionalAttr((PyObject *)self, state->names.peek, &peek) < 0) {
        return NULL;
    }
    PyObject *line = PyByteArray_FromStringAndSize(NULL, 0), *result = NULL;
    if (line != NULL && line_collect(state, (PyObject *)self, peek, limit, line) == 0) {
        result = PyBytes_FromStringAndSize(PyByteArray_AS_STRING(line), PyByteArray_GET_SIZE(line));
    }
    Py_XDECREF(peek);
    Py_XDECREF(line);
    return result;
}

static PyObject *iobase_iter(PyObject *self)
{
    return io_check_open(io_state_of(self), self) < 0 ? NULL : Py_NewRef(self);
}

static PyObject *iobase_next(PyObject *self)
{
    struct io_state *state = io_state_of(self);
    PyObject *line = state ? PyObject_CallMethodNoArgs(self, state->names.readline) : NULL;
    if (line != NULL && PyObject_Size(line) <= 0) {
        Py_CLEAR(line); /* the end, or an error */
    }
    return line;
}

static PyObject *iobase_readlines(struct iobase *self, Py_ssize_t hint)
{
    PyObject *lines = PyList_New(0), *it = lines ? PyObject_GetIter((PyObject *)self) : NULL;
    Py_ssize_t total = 0;
    PyObject *line;
    int rc = it ? 0 : -1;
    while (rc == 0 && (line = PyIter_Next(it)) != NULL) {
        rc = PyList_Append(lines, line);
        Py_ssize_t length = rc == 0 && hint > 0 ? PyObject_Size(line) : 0;
        Py_DECREF(line);
        if (length < 0) {
            rc = -1;
        } else if (hint > 0 && length > hint - total) {
            break;
        }
        total += length;
    }
    Py_XDECREF(it);
    if (rc < 0 || PyErr_Occurred()) {
        Py_CLEAR(lines);
    }
    return lines;
}

static PyObject *iobase_writelines(struct iobase *self, PyObject *lines)
{
    struct io_state *state = io_state_of(self);
    if (io_check_open(state, (PyObject *)self) < 0) {
        return NULL;
    }
    PyObject *it = PyObject_GetIter(lines), *line;
    if (it == NULL) {
        return NULL;
    }
    while ((line = PyIter_Next(it)) != NULL) {
        PyObject *done = io_call_retrying((PyObject *)self, state->names.write, line);
        Py_DECREF(line);
        if (done == NULL) {
            break;
        }
        Py_DECREF(done);
    }
    Py_DECREF(it);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

static PyMemberDef iobase_members[] = {
    {"__dictoffset__", Py_T_PYSSIZET, offsetof(struct iobase, dict), Py_READONLY, NULL},
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(struct iobase, weaklist), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef iobase_getset[] = {
    {"__dict__", PyObject_GenericGetDict, NULL, NULL, NULL},
    {"closed", iobase_get_closed, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot iobase_slots[] = {
    GC_SLOTS(iobase),
    {Py_tp_doc, iobase_doc},
    {Py_tp_iter, iobase_iter},
    {Py_tp_iternext, iobase_next},
    {Py_tp_methods, iobase_methods},
    {Py_tp_members, iobase_members},
    {Py_tp_getset, iobase_getset},
    {Py_tp_finalize, iobase_finalize},
    {0, NULL},
};

PyType_Spec iobase_spec = {
    "_io._IOBase",
    sizeof(struct iobase),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    iobase_slots,
};

/* ---- _RawIOBase ------------------------------------------------------------------------------ */

static PyObject *rawiobase_read(struct iobase *self, Py_ssize_t size)
{
    struct io_state *state = io_state_of(self);
    if (state == NULL) {
        return NULL;
    }
    if (size < 0) {
        return PyObject_CallMethodNoArgs((PyObject *)self, state->names.readall);
    }
    PyObject *space = PyByteArray_FromStringAndSize(NULL, size);
    PyObject *result =
        space ? io_call_retrying((PyObject *)self, state->names.readinto, space) : NULL;
    if (result != NULL && result != Py_None) {
        Py_ssize_t count = PyNumber_AsSsize_t(result, PyExc_ValueError);
        Py_CLEAR(result);
        if (count < 0 ? !PyErr_Occurred() : count > PyByteArray_GET_SIZE(space)) {
            PyErr_Format(PyExc_ValueError, "readinto returned %zd outside buffer size %zd", count,
                         PyByteArray_GET_SIZE(space));
        } else if (count >= 0) {
            result = PyBytes_FromStringAndSize(PyByteArray_AS_STRING(space), count);
        }
    }
    Py_XDECREF(space);
    return result;
}

PyObject *rawiobase_readall_plain(PyObject *self)
{
    struct io_state *state = io_state_of(self);
    PyObject *parts = state ? PyList_New(0) : NULL;
    if (parts == NULL) {
        return NULL;
    }
    PyObject *part, *result = NULL;
    bool fine = false;
    for (;;) {
        part = io_call_size(self, state->names.read, IO_BUFFER_SIZE);
        if (part == NULL) {
            break;
        }
        if (part == Py_None && PyList_GET_SIZE(parts) == 0) {
            Py_DECREF(parts);
            return part;
        }
        if (part != Py_None && !PyBytes_Check(part)) {
            PyErr_SetString(PyExc_TypeError, "read() should return bytes");
            break;
        }
        fine = part == Py_None || PyBytes_GET_SIZE(part) == 0;
        if (fine || PyList_Append(parts, part) < 0) {
            break;
        }
        Py_DECREF(part);
    }
    Py_XDECREF(part);
    if (fine) {
        PyObject *nothing = PyBytes_FromStringAndSize(NULL, 0);
        result = nothing ? PyObject_CallMethod(nothing, "join", "O", parts) : NULL;
        Py_XDECREF(nothing);
    }
    Py_DECREF(parts);
    return result;
}

static PyObject *rawiobase_readall(struct iobase *self)
{
    return rawiobase_readall_plain((PyObject *)self);
}

static PyObject *rawiobase_readinto(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(args))
{
    PyErr_SetNone(PyExc_NotImplementedError);
    return NULL;
}

static PyObject *rawiobase_write(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(args))
{
    PyErr_SetNone(PyExc_NotImplementedError);
    return NULL;
}

#define ABSTRACT_SPEC(prefix, name, getset_slot)                                                   \
    static PyType_Slot prefix##_slots[] = {                                                        \
        GC_SLOTS(iobase),                                                                          \
        {Py_tp_doc, prefix##_doc},                                                                 \
        {Py_tp_methods, prefix##_methods},                                                         \
        getset_slot{0, NULL},                                                                      \
    };                                                                                             \
    PyType_Spec prefix##_spec = {                                                                  \
        "_io." name,                                                                               \
        sizeof(struct iobase),                                                                     \
        0,                                                                                         \
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,  \
        prefix##_slots,                                                                            \
    };

#define NO_SLOT

ABSTRACT_SPEC(rawiobase, "_RawIOBase", NO_SLOT)

/* ---- _BufferedIOBase ------------------------------------------------------------------------- */

static PyObject *bufferediobase_detach(struct iobase *self)
{
    return unsupported(self, "detach");
}

static PyObject *bufferediobase_read(PyObject *self, PyObject *Py_UNUSED(args))
{
    return unsupported(self, "read");
}

static PyObject *bufferediobase_read1(PyObject *self, PyObject *Py_UNUSED(args))
{
    return unsupported(self, "read1");
}

static PyObject *bufferediobase_write(PyObject *self, PyObject *Py_UNUSED(args))
{
    return unsupported(self, "write");
}

static PyObject *read_into(PyObject *self, PyObject *method, Py_buffer *to)
{
    PyObject *data = io_call_size(self, method, to->len), *result = NULL;
    if (data == NULL) {
        return NULL;
    }
    if (!PyBytes_Check(data)) {
        PyErr_SetString(PyExc_TypeError, "read() should return bytes");
    } else if (PyBytes_GET_SIZE(data) > to->len) {
        PyErr_Format(PyExc_ValueError,
                     "read() returned too much data: %zd bytes requested, %zd returned", to->len,
                     PyBytes_GET_SIZE(data));
    } else {
        memcpy(to->buf, PyBytes_AS_STRING(data), (size_t)PyBytes_GET_SIZE(data));
        result = PyLong_FromSsize_t(PyBytes_GET_SIZE(data));
    }
    Py_DECREF(data);
    return result;
}

static PyObject *bufferediobase_readinto(struct iobase *self, Py_buffer *buffer)
{
    struct io_state *state = io_state_of(self);
    return state ? read_into((PyObject *)self, state->names.read, buffer) : NULL;
}

static PyObject *bufferediobase_readinto1(struct iobase *self, Py_buffer *buffer)
{
    struct io_state *state = io_state_of(self);
    return state ? read_into((PyObject *)self, state->names.read1, buffer) : NULL;
}

ABSTRACT_SPEC(bufferediobase, "_BufferedIOBase", NO_SLOT)

/* ---- _TextIOBase ----------------------------------------------------------------------------- */

static PyObject *textiobase_detach(struct iobase *self)
{
    return unsupported(self, "detach");
}

static PyObject *textiobase_read(PyObject *self, PyObject *Py_UNUSED(args))
{
    return unsupported(self, "read");
}

static PyObject *textiobase_readline(PyObject *self, PyObject *Py_UNUSED(args))
{
    return unsupported(self, "readline");
}

static PyObject *textiobase_write(PyObject *self, PyObject *Py_UNUSED(args))
{
    return unsupported(self, "write");
}

static PyObject *textiobase_get_encoding(struct iobase *Py_UNUSED(self))
{
    return Py_NewRef(Py_None);
}

static PyObject *textiobase_get_newlines(struct iobase *Py_UNUSED(self))
{
    return Py_NewRef(Py_None);
}

static PyObject *textiobase_get_errors(struct iobase *Py_UNUSED(self))
{
    return Py_NewRef(Py_None);
}

#define TEXT_GETSET {Py_tp_getset, textiobase_getset},

ABSTRACT_SPEC(textiobase, "_TextIOBase", TEXT_GETSET)
