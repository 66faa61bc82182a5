/* BufferedReader, BufferedWriter and BufferedRandom.
 *
 * One buffer serves both directions, one at a time: either it holds bytes read ahead,
 * [start, end), and the raw stream stands behind them; or, when dirty, bytes to be written, and the
 * raw stream stands before them.  Changing the direction seeks back over what was read ahead, or
 * flushes.  A real lock guards it, since the raw stream may run Python code and let go of the
 * interpreter in the middle of a step. */
#include "io.h"

struct buffered {
    struct iobase base;
    PyObject *raw;
    struct io_state *state;
    char *buffer;
    Py_ssize_t size, start, end;
    unsigned long owner; /* the thread in the lock, 0 if none */
    PyMutex mutex;
    bool ready, detached, readable, writable, finalizing, dirty;
    bool plain_file; /* raw is a FileIO, which needs no calls through Python */
};

#include "buffered_names.h"

#include "buffered.bind.h"

/* ---- the lock -------------------------------------------------------------------------------- */

/* At shutdown a thread that holds the lock may never run again: waits a second, then gives up. */
static void lock_at_exit(struct buffered *self)
{
    for (int i = 0; i < 100 && (__atomic_load_n(&self->mutex._bits, __ATOMIC_ACQUIRE) & 1); i++) {
        Py_BEGIN_ALLOW_THREADS usleep(10000);
        Py_END_ALLOW_THREADS
    }
    if (__atomic_load_n(&self->mutex._bits, __ATOMIC_ACQUIRE) & 1) {
        Py_FatalError("could not acquire lock for a buffered stream at interpreter shutdown, "
                      "possibly due to daemon threads");
    }
}

/* 0, or -1 with RuntimeError if this very thread is inside already, e.g. in a signal handler. */
static int buffered_enter(struct buffered *self)
{
    unsigned long me = PyThread_get_thread_ident();
    if (UNLIKELY(__atomic_load_n(&self->owner, __ATOMIC_RELAXED) == me)) {
        PyErr_Format(PyExc_RuntimeError, "reentrant call inside %R", self);
        return -1;
    }
    if (UNLIKELY(Py_IsFinalizing())) {
        lock_at_exit(self);
    }
    PyMutex_Lock(&self->mutex);
    __atomic_store_n(&self->owner, me, __ATOMIC_RELAXED);
    return 0;
}

static void buffered_leave(struct buffered *self)
{
    __atomic_store_n(&self->owner, 0, __ATOMIC_RELAXED);
    PyMutex_Unlock(&self->mutex);
}

/* `expr` (of object type) inside the lock. */
#define ENTERED(self, expr)                                                                        \
    __extension__({                                                                                \
        PyObject *entered_result = NULL;                                                           \
        if (buffered_enter(self) == 0) {                                                           \
            entered_result = (expr);                                                               \
            buffered_leave(self);                                                                  \
        }                                                                                          \
        entered_result;                                                                            \
    })

/* ---- checks ---------------------------------------------------------------------------------- */

/* 0, or -1 with ValueError before __init__ and after detach(). */
static int check_ready(struct buffered *self)
{
    if (LIKELY(self->ready)) {
        return 0;
    }
    PyErr_SetString(PyExc_ValueError, self->detached ? "raw stream has been detached"
                                                     : "I/O operation on uninitialized object");
    return -1;
}

/* 1, 0, or -1 with an exception. */
static int is_closed(struct buffered *self)
{
    if (self->buffer == NULL) {
        return 1; /* even if the raw stream could not be closed */
    }
    return self->plain_file ? fileio_is_closed(self->raw) : io_is_closed(self->state, self->raw);
}

/* 0, or -1 with an exception saying "`action` closed file". */
static int check_open(struct buffered *self, const char *action)
{
    if (check_ready(self) < 0) {
        return -1;
    }
    int closed = is_closed(self);
    if (closed > 0) {
        PyErr_Format(PyExc_ValueError, "%s closed file", action);
    }
    return closed ? -1 : 0;
}

int buffered_is_closed(PyObject *stream)
{
    struct buffered *self = (struct buffered *)stream;
    return check_ready(self) < 0 ? -1 : is_closed(self);
}

static inline Py_ssize_t ahead(struct buffered *self)
{
    return self->dirty ? 0 : self->end - self->start;
}

static inline void buffer_reset(struct buffered *self)
{
    self->start = self->end = 0;
    self->dirty = false;
}

/* ---- the raw stream: inside the lock --------------------------------------------------------- */

/* The number a raw readinto() or write() answered (stolen): -2 for None, -1 with an exception. */
static Py_ssize_t raw_count(PyObject *answer, const char *method, Py_ssize_t size)
{
    if (answer == NULL) {
        return -1;
    }
    if (answer == Py_None) {
        Py_DECREF(answer);
        return -2;
    }
    Py_ssize_t count = PyNumber_AsSsize_t(answer, PyExc_ValueError);
    Py_DECREF(answer);
    if (count == -1 && PyErr_Occurred()) {
        PyObject *cause = PyErr_GetRaisedException();
        PyErr_Format(PyExc_OSError, "raw %s() failed", method);
        PyObject *error = PyErr_GetRaisedException();
        PyException_SetContext(error, Py_NewRef(cause));
        PyException_SetCause(error, cause);
        PyErr_SetRaisedException(error);
        return -1;
    }
    if (count < 0 || count > size) {
        PyErr_Format(PyExc_OSError,
                     "raw %s() returned invalid length %zd (should have been between 0 and %zd)",
                     method, count, size);
        return -1;
    }
    return count;
}

static Py_ssize_t raw_transfer(struct buffered *self, char *data, Py_ssize_t size, bool writing)
{
    PyObject *view = PyMemoryView_FromMemory(data, size, writing ? PyBUF_READ : PyBUF_WRITE);
    if (view == NULL) {
        return -1;
    }
    PyObject *name = writing ? self->state->names.write : self->state->names.readinto;
    PyObject *answer = io_call_retrying(self->raw, name, view);
    Py_DECREF(view);
    return raw_count(answer, writing ? "write" : "readinto", size);
}

/* Reads once: the count, 0 at the end, -2 if it would block, -1 with an exception. */
static Py_ssize_t raw_read(struct buffered *self, char *to, Py_ssize_t size)
{
    return self->plain_file ? fileio_read_once(self->raw, to, size)
                            : raw_transfer(self, to, size, false);
}

static Py_ssize_t raw_write(struct buffered *self, const char *from, Py_ssize_t size)
{
    return self->plain_file ? fileio_write_once(self->raw, from, size)
                            : raw_transfer(self, (char *)from, size, true);
}

/* The position a raw seek() or tell() answered (stolen); -1 with an exception. */
static Py_ssize_t raw_position(PyObject *answer)
{
    if (answer == NULL) {
        return -1;
    }
    Py_ssize_t at = io_offset(answer);
    Py_DECREF(answer);
    if (at < 0 && !PyErr_Occurred()) {
        PyErr_Format(PyExc_OSError, "Raw stream returned invalid position %zd", at);
    }
    return at < 0 ? -1 : at;
}

static Py_ssize_t raw_seek(struct buffered *self, Py_ssize_t target, int whence)
{
    return raw_position(PyObject_CallMethod(self->raw, "seek", "ni", target, whence));
}

static Py_ssize_t raw_tell(struct buffered *self)
{
    return raw_position(PyObject_CallMethodNoArgs(self->raw, self->state->names.tell));
}

static int raise_blocking(Py_ssize_t written)
{
    PyObject *error = PyObject_CallFunction(PyExc_BlockingIOError, "isn", EAGAIN,
                                            "write could not complete without blocking", written);
    if (error != NULL) {
        PyErr_SetObject(PyExc_BlockingIOError, error);
        Py_DECREF(error);
    }
    return -1;
}

/* Writes out what is dirty: 0, or -1 with an exception; what was not written stays. */
static int write_out(struct buffered *self)
{
    while (self->dirty && self->start < self->end) {
        Py_ssize_t count = raw_write(self, self->buffer + self->start, self->end - self->start);
        if (count < 0) {
            return count == -2 ? raise_blocking(0) : -1;
        }
        self->start += count;
        /* Only part was written: perhaps because of a signal. */
        if (self->start < self->end && PyErr_CheckSignals() < 0) {
            return -1;
        }
    }
    if (self->dirty) {
        buffer_reset(self);
    }
    return 0;
}

/* Goes back over what was read ahead: 0, or -1 with an exception. */
static int read_undo(struct buffered *self)
{
    Py_ssize_t count = ahead(self);
    if (count > 0 && raw_seek(self, -count, SEEK_CUR) < 0) {
        return -1;
    }
    if (!self->dirty) {
        buffer_reset(self);
    }
    return 0;
}

/* Makes the buffer one of bytes to be written, or of bytes read. */
static int turn_to_writing(struct buffered *self)
{
    if (self->dirty) {
        return 0;
    }
    if (self->readable && read_undo(self) < 0) {
        return -1;
    }
    buffer_reset(self);
    self->dirty = true;
    return 0;
}

static inline int turn_to_reading(struct buffered *self)
{
    return self->dirty ? write_out(self) : 0;
}

/* Reads more behind what is ahead; as raw_read. */
static Py_ssize_t buffer_fill(struct buffered *self)
{
    if (self->start == self->end) {
        self->start = self->end = 0;
    }
    Py_ssize_t count = raw_read(self, self->buffer + self->end, self->size - self->end);
    if (count > 0) {
        self->end += count;
    }
    return count;
}

/* ---- reading: inside the lock ---------------------------------------------------------------- */

/* Moves up to `size` bytes from the buffer to `to`: how many. */
static Py_ssize_t buffer_take(struct buffered *self, char *to, Py_ssize_t size)
{
    Py_ssize_t count = Py_MIN(ahead(self), size);
    if (count > 0) {
        memcpy(to, self->buffer + self->start, (size_t)count);
        self->start += count;
    }
    return count;
}

/* Joins a start (stolen, may be NULL) and more bytes (borrowed). */
static PyObject *bytes_join(PyObject *first, PyObject *more)
{
    if (first == NULL) {
        return Py_NewRef(more);
    }
    PyBytes_Concat(&first, more);
    return first;
}

static PyObject *read_rest_by_parts(struct buffered *self, PyObject *start)
{
    PyObject *whole = PyByteArray_FromObject(start);
    PyObject *result = NULL;
    while (whole != NULL) {
        PyObject *part = PyObject_CallMethodNoArgs(self->raw, self->state->names.read);
        if (part == NULL) {
            break;
        }
        if (part != Py_None && !PyBytes_Check(part)) {
            PyErr_SetString(PyExc_TypeError, "read() should return bytes");
            Py_DECREF(part);
            break;
        }
        Py_ssize_t length = PyByteArray_GET_SIZE(whole);
        if (part == Py_None || PyBytes_GET_SIZE(part) == 0) {
            if (length == 0) {
                result = part;
            } else {
                Py_DECREF(part);
                result = PyBytes_FromStringAndSize(PyByteArray_AS_STRING(whole), length);
            }
            break;
        }
        Py_ssize_t more = PyBytes_GET_SIZE(part);
        int rc = PyByteArray_Resize(whole, length + more);
        if (rc == 0) {
            memcpy(PyByteArray_AS_STRING(whole) + length, PyBytes_AS_STRING(part), (size_t)more);
        }
        Py_DECREF(part);
        if (rc < 0) {
            break;
        }
    }
    Py_XDECREF(whole);
    return result;
}

static PyObject *read_rest(struct buffered *self)
{
    Py_ssize_t count = ahead(self);
    PyObject *start = PyBytes_FromStringAndSize(self->buffer + self->start, count);
    if (start == NULL) {
        return NULL;
    }
    if (!self->dirty) {
        buffer_reset(self);
    }
    PyObject *readall, *result = NULL;
    if (turn_to_reading(self) < 0
        || PyObject_GetOptionalAttr(self->raw, self->state->names.readall, &readall) < 0) {
        Py_DECREF(start);
        return NULL;
    }
    if (readall == NULL) {
        result = read_rest_by_parts(self, start);
        Py_DECREF(start);
        return result;
    }
    PyObject *rest = PyObject_CallNoArgs(readall);
    Py_DECREF(readall);
    if (rest == Py_None || (rest != NULL && PyBytes_Check(rest))) {
        if (count == 0) {
            result = Py_NewRef(rest);
        } else if (rest == Py_None) {
            result = Py_NewRef(start);
        } else {
            result = bytes_join(Py_NewRef(start), rest);
        }
    } else if (rest != NULL) {
        PyErr_SetString(PyExc_TypeError, "readall() should return bytes");
    }
    Py_XDECREF(rest);
    Py_DECREF(start);
    return result;
}

/* Reads until `size` bytes are there or no more come: how many, -2 if there is nothing without
 * waiting, -1 with an exception.  `once`: at most one call below, and none if something is ahead. */
static Py_ssize_t read_to(struct buffered *self, char *to, Py_ssize_t size, bool once)
{
    Py_ssize_t done = buffer_take(self, to, size);
    if (done == size) {
        return done;
    }
    if (turn_to_reading(self) < 0) {
        return -1;
    }
    buffer_reset(self);
    for (bool read = false; done < size && !(once && read); read = true) {
        Py_ssize_t wanted = size - done, count;
        if (wanted > self->size || (wanted == self->size && !once)) {
            count = raw_read(self, to + done, once ? wanted : wanted - wanted % self->size);
            done += Py_MAX(count, 0);
        } else if (once && done > 0) {
            break;
        } else {
            count = buffer_fill(self);
            done += buffer_take(self, to + done, wanted);
        }
        if (count == -1) {
            return -1;
        }
        if (count <= 0) {
            return count == 0 || done > 0 ? done : -2;
        }
    }
    return done;
}

static PyObject *read_some(struct buffered *self, Py_ssize_t size)
{
    if (size <= ahead(self)) {
        self->start += size;
        return PyBytes_FromStringAndSize(self->buffer + self->start - size, size);
    }
    PyObject *data = PyBytes_FromStringAndSize(NULL, size);
    Py_ssize_t count = data ? read_to(self, PyBytes_AS_STRING(data), size, false) : -1;
    if (count < 0) {
        Py_XDECREF(data);
        return count == -2 ? Py_NewRef(Py_None) : NULL;
    }
    if (count < size) {
        _PyBytes_Resize(&data, count);
    }
    return data;
}

static PyObject *read_once(struct buffered *self, Py_ssize_t size)
{
    Py_ssize_t have = ahead(self);
    if (have > 0) {
        return read_some(self, Py_MIN(size, have));
    }
    PyObject *data = PyBytes_FromStringAndSize(NULL, size);
    Py_ssize_t count = data && turn_to_reading(self) == 0 ? 0 : -1;
    if (count == 0) {
        buffer_reset(self);
        count = raw_read(self, PyBytes_AS_STRING(data), size);
    }
    if (count == -1) {
        Py_XDECREF(data);
        return NULL;
    }
    if (count < size) {
        _PyBytes_Resize(&data, Py_MAX(count, 0));
    }
    return data;
}

static PyObject *peek_ahead(struct buffered *self)
{
    if (ahead(self) == 0) {
        if (turn_to_reading(self) < 0) {
            return NULL;
        }
        buffer_reset(self);
        if (buffer_fill(self) == -1) {
            return NULL;
        }
    }
    return PyBytes_FromStringAndSize(self->buffer + self->start, ahead(self));
}

/* The end of the line in what is ahead, and at most `limit` (-1: none) bytes; -1 if there is none. */
static Py_ssize_t line_ahead(struct buffered *self, Py_ssize_t limit)
{
    Py_ssize_t count = ahead(self);
    bool limited = limit >= 0 && count >= limit;
    if (limited) {
        count = limit;
    }
    const char *from = self->buffer + self->start;
    const char *end = count ? memchr(from, '\n', (size_t)count) : NULL;
    return end ? end - from + 1 : limited ? count : -1;
}

static PyObject *read_line(struct buffered *self, Py_ssize_t limit)
{
    PyObject *line = NULL;
    for (;;) {
        Py_ssize_t length = line_ahead(self, limit);
        bool ended = length >= 0;
        if (!ended) {
            length = ahead(self);
        }
        if (line == NULL) {
            line = PyBytes_FromStringAndSize(self->buffer + self->start, length);
        } else if (length > 0) {
            Py_ssize_t before = PyBytes_GET_SIZE(line);
            if (before <= 1) {
                /* Shared with others, so it cannot grow. */
                PyObject *longer = PyBytes_FromStringAndSize(NULL, before + length);
                if (longer != NULL) {
                    memcpy(PyBytes_AS_STRING(longer), PyBytes_AS_STRING(line), (size_t)before);
                }
                Py_SETREF(line, longer);
            } else {
                _PyBytes_Resize(&line, before + length);
            }
            if (line != NULL) {
                memcpy(PyBytes_AS_STRING(line) + before, self->buffer + self->start,
                       (size_t)length);
            }
        }
        if (line == NULL) {
            return NULL;
        }
        if (!self->dirty) {
            self->start += length;
        }
        limit = limit < 0 ? -1 : limit - length;
        if (ended) {
            return line;
        }
        Py_ssize_t count = turn_to_reading(self) < 0 ? -1 : buffer_fill(self);
        if (count == -1) {
            Py_DECREF(line);
            return NULL;
        }
        if (count <= 0) {
            return line;
        }
    }
}

/* ---- reading --------------------------------------------------------------------------------- */

static PyObject *buffered_read(struct buffered *self, Py_ssize_t size)
{
    if (check_ready(self) < 0) {
        return NULL;
    }
    if (size < -1) {
        PyErr_SetString(PyExc_ValueError, "read length must be non-negative or -1");
        return NULL;
    }
    if (check_open(self, "read of") < 0) {
        return NULL;
    }
    return ENTERED(self, size < 0 ? read_rest(self) : read_some(self, size));
}

static PyObject *buffered_read1(struct buffered *self, Py_ssize_t size)
{
    if (check_open(self, "read of") < 0) {
        return NULL;
    }
    if (size == 0) {
        return PyBytes_FromStringAndSize(NULL, 0);
    }
    return ENTERED(self, read_once(self, size < 0 ? self->size : size));
}

static PyObject *read_into(struct buffered *self, Py_buffer *buffer, bool once)
{
    Py_ssize_t count = read_to(self, buffer->buf, buffer->len, once);
    return count == -2 ? Py_NewRef(Py_None) : count < 0 ? NULL : PyLong_FromSsize_t(count);
}

static PyObject *buffered_readinto(struct buffered *self, Py_buffer *buffer)
{
    return check_open(self, "readinto of") < 0 ? NULL
                                               : ENTERED(self, read_into(self, buffer, false));
}

static PyObject *buffered_readinto1(struct buffered *self, Py_buffer *buffer)
{
    return check_open(self, "readinto of") < 0 ? NULL
                                               : ENTERED(self, read_into(self, buffer, true));
}

static PyObject *buffered_peek(struct buffered *self, Py_ssize_t Py_UNUSED(size))
{
    return check_open(self, "peek of") < 0 ? NULL : ENTERED(self, peek_ahead(self));
}

static PyObject *buffered_readline(struct buffered *self, Py_ssize_t size)
{
    return check_open(self, "readline of") < 0 ? NULL : ENTERED(self, read_line(self, size));
}

static PyObject *buffered_next(PyObject *op)
{
    struct buffered *self = (struct buffered *)op;
    PyObject *line;
    if (check_ready(self) < 0) {
        return NULL;
    }
    if (Py_IS_TYPE(op, self->state->reader_type) || Py_IS_TYPE(op, self->state->random_type)) {
        line = buffered_readline(self, -1);
    } else {
        line = PyObject_CallMethodNoArgs(op, self->state->names.readline);
        if (line != NULL && !PyBytes_Check(line)) {
            PyErr_Format(PyExc_OSError,
                         "readline() should have returned a bytes object, not '%.200s'",
                         Py_TYPE(line)->tp_name);
            Py_CLEAR(line);
        }
    }
    if (line != NULL && PyBytes_GET_SIZE(line) == 0) {
        Py_CLEAR(line);
    }
    return line;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* After a flush that would block: keeps what fits, and raises again with how much that was. */
static Py_ssize_t write_despite_block(struct buffered *self, const char *data, Py_ssize_t size)
{
    if (!PyErr_ExceptionMatches(PyExc_BlockingIOError)) {
        return -1;
    }
    PyErr_Clear();
    memmove(self->buffer, self->buffer + self->start, (size_t)(self->end - self->start));
    self->end -= self->start;
    self->start = 0;
    Py_ssize_t room = Py_MIN(self->size - self->end, size);
    memcpy(self->buffer + self->end, data, (size_t)room);
    self->end += room;
    return room == size ? size : raise_blocking(room);
}

static Py_ssize_t write_from(struct buffered *self, const char *data, Py_ssize_t size)
{
    if (turn_to_writing(self) < 0) {
        return -1;
    }
    if (size <= self->size - self->end) {
        memcpy(self->buffer + self->end, data, (size_t)size);
        self->end += size;
        return size;
    }
    if (write_out(self) < 0) {
        return write_despite_block(self, data, size);
    }
    self->dirty = true;
    Py_ssize_t done = 0;
    while (size - done > self->size) {
        Py_ssize_t count = raw_write(self, data + done, size - done);
        if (count == -1) {
            return -1;
        }
        if (count == -2) {
            memcpy(self->buffer, data + done, (size_t)self->size);
            self->end = self->size;
            return raise_blocking(done + self->size);
        }
        done += count;
        if (PyErr_CheckSignals() < 0) {
            return -1;
        }
    }
    memcpy(self->buffer, data + done, (size_t)(size - done));
    self->end = size - done;
    return size;
}

static PyObject *write_bytes(struct buffered *self, Py_buffer *data)
{
    /* Somebody may have closed the file while we waited for the lock. */
    if (check_open(self, "write to") < 0) {
        return NULL;
    }
    Py_ssize_t count = write_from(self, data->buf, data->len);
    return count < 0 ? NULL : PyLong_FromSsize_t(count);
}

static PyObject *buffered_write(struct buffered *self, Py_buffer *data)
{
    return check_ready(self) < 0 ? NULL : ENTERED(self, write_bytes(self, data));
}

/* ---- flushing, moving ------------------------------------------------------------------------ */

/* Writes out and forgets what was read ahead. */
static int buffer_settle(struct buffered *self)
{
    return turn_to_reading(self) < 0 || (self->readable && read_undo(self) < 0) ? -1 : 0;
}

static PyObject *buffered_flush(struct buffered *self)
{
    if (check_open(self, "flush of") < 0) {
        return NULL;
    }
    return ENTERED(self, buffer_settle(self) < 0 ? NULL : Py_NewRef(Py_None));
}

static PyObject *buffered_flush_raw(struct buffered *self)
{
    return check_ready(self) < 0 ? NULL
                                 : PyObject_CallMethodNoArgs(self->raw, self->state->names.flush);
}

static PyObject *seek_to(struct buffered *self, Py_ssize_t target, int whence)
{
    if (whence != SEEK_END && self->readable && !self->dirty) {
        /* Within what is in the buffer, nothing below needs to move. */
        Py_ssize_t at = raw_tell(self);
        if (at < 0) {
            return NULL;
        }
        Py_ssize_t here = at - ahead(self);
        Py_ssize_t offset = whence == SEEK_SET ? target - here : target;
        if (whence <= SEEK_CUR && offset >= -self->start && offset <= ahead(self)
            && self->end > 0) {
            self->start += offset;
            return PyLong_FromSsize_t(Py_MAX(here + offset, 0)); /* strange devices */
        }
    }
    if (turn_to_reading(self) < 0) {
        return NULL;
    }
    if (whence == SEEK_CUR) {
        target -= ahead(self);
    }
    Py_ssize_t at = raw_seek(self, target, whence);
    if (at < 0) {
        return NULL;
    }
    buffer_reset(self);
    return PyLong_FromSsize_t(at);
}

static PyObject *buffered_seek(struct buffered *self, PyObject *target, int whence)
{
    if (check_ready(self) < 0) {
        return NULL;
    }
    if (whence < 0 || whence > 4) {
        PyErr_Format(PyExc_ValueError, "whence value %d unsupported", whence);
        return NULL;
    }
    if (check_open(self, "seek of") < 0 || io_check_seekable(self->state, self->raw) < 0) {
        return NULL;
    }
    Py_ssize_t offset = io_offset(target);
    if (offset == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return ENTERED(self, seek_to(self, offset, whence));
}

static PyObject *tell_here(struct buffered *self)
{
    Py_ssize_t at = raw_tell(self);
    if (at < 0) {
        return NULL;
    }
    at += self->dirty ? self->end - self->start : -ahead(self);
    return PyLong_FromSsize_t(Py_MAX(at, 0));
}

static PyObject *buffered_tell(struct buffered *self)
{
    return check_ready(self) < 0 ? NULL : ENTERED(self, tell_here(self));
}

static PyObject *truncate_at(struct buffered *self, PyObject *pos)
{
    if (buffer_settle(self) < 0) {
        return NULL;
    }
    return PyObject_CallMethodOneArg(self->raw, self->state->names.truncate, pos);
}

static PyObject *buffered_truncate(struct buffered *self, PyObject *pos)
{
    if (check_open(self, "truncate of") < 0) {
        return NULL;
    }
    if (!self->writable) {
        return io_unsupported(self->state, "truncate");
    }
    return ENTERED(self, truncate_at(self, pos));
}

/* ---- opening and closing --------------------------------------------------------------------- */

static int buffered_open(struct buffered *self, PyObject *raw, Py_ssize_t size, bool readable,
                         bool writable)
{
    self->ready = self->detached = false;
    struct io_state *state = io_state_of(self);
    if (state == NULL || (readable && writable && io_check_seekable(state, raw) < 0)
        || (readable && io_check_readable(state, raw) < 0)
        || (writable && io_check_writable(state, raw) < 0)) {
        return -1;
    }
    if (size <= 0) {
        PyErr_SetString(PyExc_ValueError, "buffer size must be strictly positive");
        return -1;
    }
    char *buffer = PyMem_Malloc((size_t)size);
    if (buffer == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    PyMem_Free(self->buffer);
    self->state = state;
    self->buffer = buffer;
    self->size = size;
    self->readable = readable;
    self->writable = writable;
    buffer_reset(self);
    field_set(&self->raw, Py_NewRef(raw));
    self->plain_file = Py_IS_TYPE(raw, state->fileio_type);
    self->ready = true;
    return 0;
}

static int reader_init(struct buffered *self, PyObject *raw, Py_ssize_t buffer_size)
{
    return buffered_open(self, raw, buffer_size, true, false);
}

static int writer_init(struct buffered *self, PyObject *raw, Py_ssize_t buffer_size)
{
    return buffered_open(self, raw, buffer_size, false, true);
}

static int random_init(struct buffered *self, PyObject *raw, Py_ssize_t buffer_size)
{
    return buffered_open(self, raw, buffer_size, true, true);
}

static PyObject *buffered_dealloc_warn(struct buffered *self, PyObject *source)
{
    if (self->ready && self->raw) {
        PyObject *done =
            PyObject_CallMethodOneArg(self->raw, self->state->names._dealloc_warn, source);
        if (done == NULL) {
            PyErr_Clear();
        }
        Py_XDECREF(done);
    }
    return Py_NewRef(Py_None);
}

/* Closes the raw stream inside the lock, so that whoever waits for that finds it closed. */
static PyObject *raw_close(struct buffered *self)
{
    PyObject *done = PyObject_CallMethodNoArgs(self->raw, self->state->names.close);
    PyMem_Free(self->buffer);
    self->buffer = NULL;
    buffer_reset(self);
    return done;
}

static PyObject *buffered_close(struct buffered *self)
{
    if (check_ready(self) < 0 || buffered_enter(self) < 0) {
        return NULL;
    }
    int closed = is_closed(self);
    buffered_leave(self);
    if (closed) {
        return closed < 0 ? NULL : Py_NewRef(Py_None);
    }
    if (self->finalizing) {
        Py_DECREF(buffered_dealloc_warn(self, (PyObject *)self));
    }
    PyObject *flushed = PyObject_CallMethodNoArgs((PyObject *)self, self->state->names.flush);
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *done = ENTERED(self, raw_close(self));
    io_chain(raised);
    if (flushed == NULL) {
        Py_CLEAR(done);
    }
    Py_XDECREF(flushed);
    return done;
}

static PyObject *buffered_detach(struct buffered *self)
{
    if (check_ready(self) < 0) {
        return NULL;
    }
    PyObject *flushed = PyObject_CallMethodNoArgs((PyObject *)self, self->state->names.flush);
    if (flushed == NULL) {
        return NULL;
    }
    Py_DECREF(flushed);
    PyObject *raw = self->raw;
    self->raw = NULL;
    self->detached = true;
    self->ready = false;
    return raw;
}

/* ---- questions handed on --------------------------------------------------------------------- */

#define ASK_RAW(method)                                                                            \
    static PyObject *buffered_##method(struct buffered *self)                                      \
    {                                                                                              \
        return check_ready(self) < 0                                                               \
                   ? NULL                                                                          \
                   : PyObject_CallMethodNoArgs(self->raw, self->state->names.method);              \
    }

ASK_RAW(seekable)
ASK_RAW(readable)
ASK_RAW(writable)
ASK_RAW(fileno)
ASK_RAW(isatty)

#define GET_RAW(attribute)                                                                         \
    static PyObject *buffered_get_##attribute(PyObject *op, void *Py_UNUSED(closure))              \
    {                                                                                              \
        struct buffered *self = (struct buffered *)op;                                             \
        return check_ready(self) < 0 ? NULL                                                        \
                                     : PyObject_GetAttr(self->raw, self->state->names.attribute);  \
    }

GET_RAW(closed)
GET_RAW(name)
GET_RAW(mode)

static size_t buffered_sizeof(struct buffered *self)
{
    return (size_t)Py_TYPE((PyObject *)self)->tp_basicsize
           + (self->buffer ? (size_t)self->size : 0);
}

static PyObject *buffered_getstate(struct buffered *self)
{
    return io_no_pickle(self);
}

static PyObject *buffered_repr(PyObject *op)
{
    PyObject *name, *text = NULL;
    const char *type = Py_TYPE(op)->tp_name;
    if (PyObject_GetOptionalAttrString(op, "name", &name) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_ValueError)) {
            return NULL;
        }
        PyErr_Clear();
        name = NULL;
    }
    if (name == NULL) {
        return PyUnicode_FromFormat("<%s>", type);
    }
    int entered = Py_ReprEnter(op);
    if (entered == 0) {
        text = PyUnicode_FromFormat("<%s name=%R>", type, name);
        Py_ReprLeave(op);
    } else if (entered > 0) {
        PyErr_Format(PyExc_RuntimeError, "reentrant call inside %s.__repr__", type);
    }
    Py_DECREF(name);
    return text;
}

/* ---- the types ------------------------------------------------------------------------------- */

static int buffered_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((struct buffered *)op)->raw);
    return iobase_traverse(op, visit, arg);
}

static int buffered_clear(PyObject *op)
{
    struct buffered *self = (struct buffered *)op;
    self->ready = false;
    Py_CLEAR(self->raw);
    return iobase_clear(op);
}

static void buffered_dealloc(PyObject *op)
{
    struct buffered *self = (struct buffered *)op;
    self->finalizing = true;
    if (!iobase_dealloc_begin(op)) {
        return;
    }
    buffered_clear(op);
    PyMem_Free(self->buffer);
    iobase_free(op);
}

static PyMemberDef buffered_members[] = {
    {"raw", Py_T_OBJECT_EX, offsetof(struct buffered, raw), Py_READONLY, NULL},
    {"_finalizing", Py_T_BOOL, offsetof(struct buffered, finalizing), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef buffered_getset[] = {
    {"closed", buffered_get_closed, NULL, NULL, NULL},
    {"name", buffered_get_name, NULL, NULL, NULL},
    {"mode", buffered_get_mode, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

#define BUFFERED_SPEC(prefix, name, next_slot)                                                     \
    static PyType_Slot prefix##_slots[] = {                                                        \
        GC_SLOTS(buffered),                                                                        \
        {Py_tp_doc, prefix##_doc},                                                                 \
        {Py_tp_repr, buffered_repr},                                                               \
        {Py_tp_methods, prefix##_methods},                                                         \
        {Py_tp_members, buffered_members},                                                         \
        {Py_tp_getset, buffered_getset},                                                           \
        {Py_tp_init, bind_##prefix##_init},                                                        \
        next_slot{0, NULL},                                                                        \
    };                                                                                             \
    PyType_Spec prefix##_spec = {                                                                  \
        "_io." name,                                                                               \
        sizeof(struct buffered),                                                                   \
        0,                                                                                         \
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,  \
        prefix##_slots,                                                                            \
    };

#define NEXT_SLOT {Py_tp_iternext, buffered_next},
#define NO_SLOT

BUFFERED_SPEC(reader, "BufferedReader", NEXT_SLOT)
BUFFERED_SPEC(writer, "BufferedWriter", NO_SLOT)
BUFFERED_SPEC(random, "BufferedRandom", NEXT_SLOT)
