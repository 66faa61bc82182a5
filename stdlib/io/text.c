/* TextIOWrapper: characters over a buffered binary stream. */
#include "text.h"

#include "objects/codecs.h"

#include "text.bind.h"

/* ---- checks ---------------------------------------------------------------------------------- */

int text_check_ready(struct text *self)
{
    if (LIKELY(self->ready)) {
        return 0;
    }
    PyErr_SetString(PyExc_ValueError, self->detached ? "underlying buffer has been detached"
                                                     : "I/O operation on uninitialized object");
    return -1;
}

int text_check_open(struct text *self)
{
    if (text_check_ready(self) < 0) {
        return -1;
    }
    bool plain = Py_IS_TYPE((PyObject *)self, self->state->text_type);
    int closed = plain && self->plain_buffer
                     ? buffered_is_closed(self->buffer)
                     : io_is_closed(self->state, plain ? self->buffer : (PyObject *)self);
    if (closed > 0) {
        PyErr_SetString(PyExc_ValueError, "I/O operation on closed file.");
    }
    return closed ? -1 : 0;
}

/* ---- setting up ------------------------------------------------------------------------------ */

static bool newline_valid(const char *newline)
{
    if (newline == NULL || !newline[0] || !strcmp(newline, "\n") || !strcmp(newline, "\r")
        || !strcmp(newline, "\r\n")) {
        return true;
    }
    PyErr_Format(PyExc_ValueError, "illegal newline value: %s", newline);
    return false;
}

static void newline_apply(struct text *self, const char *newline)
{
    self->any_newline = newline == NULL || !newline[0];
    self->translate_read = newline == NULL;
    strcpy(self->read_newline, newline ? newline : "\n");
    strcpy(self->write_newline, newline && newline[0] ? newline : "\n");
}

/* The codec of an encoding that is one of text (new reference). */
static PyObject *codec_find(struct io_state *state, PyObject *encoding)
{
    Py_ssize_t length;
    const char *name = PyUnicode_AsUTF8AndSize(encoding, &length);
    if (name == NULL || strlen(name) != (size_t)length) {
        if (name != NULL) {
            PyErr_Format(PyExc_LookupError, "unknown encoding: %.400s", name);
        }
        return NULL;
    }
    PyObject *codec = PyObject_CallOneArg(state->codec_lookup, encoding);
    PyObject *is_text;
    if (codec == NULL
        || PyObject_GetOptionalAttr(codec, state->names._is_text_encoding, &is_text) < 0) {
        Py_XDECREF(codec);
        return NULL;
    }
    int fine = is_text ? PyObject_IsTrue(is_text) : 1;
    Py_XDECREF(is_text);
    if (fine <= 0) {
        if (fine == 0) {
            PyErr_Format(PyExc_LookupError,
                         "'%.400U' is not a text encoding; use codecs.open() to handle arbitrary "
                         "codecs",
                         encoding);
        }
        Py_CLEAR(codec);
    }
    return codec;
}

static enum text_fast codec_fast(PyObject *codec, PyObject *errors)
{
    enum text_fast fast = FAST_NONE;
    PyObject *name;
    if (PyObject_GetOptionalAttrString(codec, "name", &name) < 0) {
        PyErr_Clear();
        return fast;
    }
    if (name != NULL && PyUnicode_Check(name)) {
        fast = PyUnicode_EqualToUTF8(name, "utf-8")       ? FAST_UTF8
               : PyUnicode_EqualToUTF8(name, "ascii")     ? FAST_ASCII
               : PyUnicode_EqualToUTF8(name, "iso8859-1") ? FAST_LATIN1
                                                          : FAST_NONE;
    }
    (void)errors; /* only text that needs no handler goes the short way */
    Py_XDECREF(name);
    return fast;
}

/* Whether the buffer answers True: 1, 0, -1. */
static int buffer_can(struct text *self, PyObject *name)
{
    PyObject *answer = PyObject_CallMethodNoArgs(self->buffer, name);
    int can = answer ? PyObject_IsTrue(answer) : -1;
    Py_XDECREF(answer);
    return can;
}

static int decoder_set(struct text *self, PyObject *codec, PyObject *errors)
{
    int readable = buffer_can(self, self->state->names.readable);
    if (readable <= 0) {
        return readable;
    }
    PyObject *decoder =
        PyObject_CallMethodOneArg(codec, self->state->names.incrementaldecoder, errors);
    if (decoder != NULL && self->any_newline) {
        PyObject *outer =
            PyObject_CallFunctionObjArgs((PyObject *)self->state->newline_type, decoder,
                                         self->translate_read ? Py_True : Py_False, NULL);
        Py_DECREF(decoder);
        decoder = outer;
    }
    if (decoder == NULL) {
        return -1;
    }
    field_set(&self->decoder, decoder);
    return 0;
}

static int encoder_set(struct text *self, PyObject *codec, PyObject *errors)
{
    int writable = buffer_can(self, self->state->names.writable);
    if (writable <= 0) {
        return writable;
    }
    PyObject *encoder =
        PyObject_CallMethodOneArg(codec, self->state->names.incrementalencoder, errors);
    if (encoder == NULL) {
        return -1;
    }
    field_set(&self->encoder, encoder);
    self->fast = codec_fast(codec, errors);
    return 0;
}

/* Not at the start of the stream, an encoder shall write no byte order mark. */
static int encoder_settle(struct text *self)
{
    if (!self->seekable || self->encoder == NULL) {
        return 0;
    }
    PyObject *at = PyObject_CallMethodNoArgs(self->buffer, self->state->names.tell);
    int there = at ? PyObject_IsTrue(at) : -1;
    Py_XDECREF(at);
    if (there > 0) {
        PyObject *done = PyObject_CallMethod(self->encoder, "setstate", "i", 0);
        there = done ? 0 : -1;
        Py_XDECREF(done);
    }
    return there;
}

static int codec_apply(struct text *self, PyObject *codec, PyObject *errors)
{
    return decoder_set(self, codec, errors) < 0 || encoder_set(self, codec, errors) < 0 ? -1 : 0;
}

/* The encoding that is meant (new reference). */
static PyObject *encoding_choose(const char *encoding)
{
    if (encoding == NULL) {
        PyObject *flags = PySys_GetObject("flags"), *warn = NULL;
        if (flags && PyObject_GetOptionalAttrString(flags, "warn_default_encoding", &warn) < 0) {
            return NULL;
        }
        int wanted = warn ? PyObject_IsTrue(warn) : 0;
        Py_XDECREF(warn);
        if (wanted < 0
            || (wanted
                && PyErr_WarnEx(PyExc_EncodingWarning, "'encoding' argument not specified", 1)
                       < 0)) {
            return NULL;
        }
    }
    return encoding == NULL || !strcmp(encoding, "locale") ? io_default_encoding()
                                                           : PyUnicode_FromString(encoding);
}

static PyObject *errors_choose(PyObject *errors)
{
    if (errors == Py_None) {
        return PyUnicode_FromString("strict");
    }
    if (!PyUnicode_Check(errors)) {
        PyErr_Format(PyExc_TypeError,
                     "TextIOWrapper() argument 'errors' must be str or None, not %.50s",
                     Py_TYPE(errors)->tp_name);
        return NULL;
    }
    Py_ssize_t length;
    const char *name = PyUnicode_AsUTF8AndSize(errors, &length);
    if (name == NULL || strlen(name) != (size_t)length) {
        if (name != NULL) {
            PyErr_SetString(PyExc_ValueError, "embedded null character");
        }
        return NULL;
    }
    return codec_check_names(NULL, name) < 0 ? NULL : Py_NewRef(errors);
}

static void text_reset(struct text *self)
{
    self->ready = self->detached = false;
    text_drop_chars(self);
    Py_CLEAR(self->buffer);
    Py_CLEAR(self->encoding);
    Py_CLEAR(self->errors);
    Py_CLEAR(self->encoder);
    Py_CLEAR(self->decoder);
    self->pending_size = 0;
    self->bytes_per_char = 0;
    self->chunk_size = IO_BUFFER_SIZE;
    self->fast = FAST_NONE;
}

static int flags_set(struct text *self, int line_buffering, int write_through)
{
    self->line_buffering = line_buffering != 0;
    self->write_through = write_through != 0;
    return 0;
}

static int text_init(struct text *self, PyObject *buffer, const char *encoding, PyObject *errors,
                     const char *newline, int line_buffering, int write_through)
{
    text_reset(self);
    if (!newline_valid(newline) || (self->state = io_state_of(self)) == NULL) {
        return -1;
    }
    self->encoding = encoding_choose(encoding);
    self->errors = self->encoding ? errors_choose(errors) : NULL;
    PyObject *codec = self->errors ? codec_find(self->state, self->encoding) : NULL;
    if (codec == NULL) {
        return -1;
    }
    self->buffer = Py_NewRef(buffer);
    self->plain_buffer = Py_IS_TYPE(buffer, self->state->reader_type)
                         || Py_IS_TYPE(buffer, self->state->writer_type)
                         || Py_IS_TYPE(buffer, self->state->random_type);
    newline_apply(self, newline);
    flags_set(self, line_buffering, write_through);
    int rc = codec_apply(self, codec, self->errors);
    Py_DECREF(codec);
    int seekable = rc < 0 ? -1 : buffer_can(self, self->state->names.seekable);
    if (seekable < 0) {
        return -1;
    }
    self->seekable = self->telling = seekable;
    int read1 = PyObject_HasAttrWithError(buffer, self->state->names.read1);
    if (read1 < 0) {
        return -1;
    }
    self->has_read1 = read1;
    if (encoder_settle(self) < 0) {
        return -1;
    }
    self->ready = true;
    return 0;
}

/* ---- writing --------------------------------------------------------------------------------- */

static int pending_add(struct text *self, const char *data, Py_ssize_t size)
{
    if (size > self->pending_room - self->pending_size) {
        Py_ssize_t room = Py_MAX(self->pending_size + size, self->chunk_size);
        char *grown = PyMem_Realloc(self->pending, (size_t)room);
        if (grown == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        self->pending = grown;
        self->pending_room = room;
    }
    memcpy(self->pending + self->pending_size, data, (size_t)size);
    self->pending_size += size;
    return 0;
}

static int buffer_write(struct text *self, PyObject *data)
{
    PyObject *done = io_call_retrying(self->buffer, self->state->names.write, data);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

int text_write_out(struct text *self)
{
    if (self->pending_size == 0) {
        return 0;
    }
    PyObject *data = PyBytes_FromStringAndSize(self->pending, self->pending_size);
    if (data == NULL) {
        return -1;
    }
    self->pending_size = 0;
    int rc = buffer_write(self, data);
    Py_DECREF(data);
    return rc;
}

static int buffer_flush(struct text *self)
{
    PyObject *done = PyObject_CallMethodNoArgs(self->buffer, self->state->names.flush);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

int text_flush_all(struct text *self)
{
    return text_write_out(self) < 0 ? -1 : buffer_flush(self);
}

/* The bytes of text that needs no encoder: borrowed from it, or NULL. */
static const char *bytes_within(struct text *self, PyObject *text, Py_ssize_t *size)
{
    bool fits = self->fast == FAST_LATIN1 ? PyUnicode_KIND(text) == PyUnicode_1BYTE_KIND
                                          : self->fast != FAST_NONE && PyUnicode_IS_ASCII(text);
    *size = PyUnicode_GET_LENGTH(text);
    return fits ? PyUnicode_DATA(text) : NULL;
}

/* Adds encoded bytes to what is pending; a lot at once goes on by itself. */
static int bytes_keep(struct text *self, const char *data, Py_ssize_t size)
{
    /* Writing may run code that writes here, too. */
    while (self->pending_size > 0 && self->pending_size + size > self->chunk_size) {
        if (text_write_out(self) < 0) {
            return -1;
        }
    }
    return pending_add(self, data, size);
}

static int text_encode(struct text *self, PyObject *text)
{
    Py_ssize_t size;
    const char *data = bytes_within(self, text, &size);
    if (data != NULL) {
        return bytes_keep(self, data, size);
    }
    PyObject *bytes = PyObject_CallMethodOneArg(self->encoder, self->state->names.encode, text);
    if (bytes == NULL) {
        return -1;
    }
    int rc = -1;
    if (!PyBytes_Check(bytes)) {
        PyErr_Format(PyExc_TypeError, "encoder should return a bytes object, not '%.200s'",
                     Py_TYPE(bytes)->tp_name);
    } else {
        rc = bytes_keep(self, PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes));
    }
    Py_DECREF(bytes);
    return rc;
}

static bool text_has(PyObject *text, Py_UCS4 ch)
{
    return PyUnicode_FindChar(text, ch, 0, PyUnicode_GET_LENGTH(text), 1) >= 0;
}

/* The text with the line ends of the file (new reference). */
static PyObject *lines_for_file(struct text *self, PyObject *text)
{
    PyObject *from = PyUnicode_FromString("\n"), *to = PyUnicode_FromString(self->write_newline);
    PyObject *result = from && to ? PyUnicode_Replace(text, from, to, -1) : NULL;
    Py_XDECREF(from);
    Py_XDECREF(to);
    return result;
}

static PyObject *text_write(struct text *self, PyObject *text)
{
    if (text_check_open(self) < 0) {
        return NULL;
    }
    if (self->encoder == NULL) {
        return io_unsupported(self->state, "not writable");
    }
    bool translate = strcmp(self->write_newline, "\n") != 0;
    bool has_line = (translate || self->line_buffering) && text_has(text, '\n');
    bool flush = self->line_buffering && (has_line || text_has(text, '\r'));
    PyObject *converted = translate && has_line ? lines_for_file(self, text) : Py_NewRef(text);
    int rc = converted ? text_encode(self, converted) : -1;
    Py_XDECREF(converted);
    if (rc == 0 && (self->pending_size >= self->chunk_size || flush || self->write_through)) {
        rc = text_write_out(self);
    }
    if (rc == 0 && flush) {
        rc = buffer_flush(self);
    }
    if (rc < 0) {
        return NULL;
    }
    if (self->snap_input != NULL) {
        text_drop_chars(self);
        if (self->decoder != NULL) {
            PyObject *done = PyObject_CallMethodNoArgs(self->decoder, self->state->names.reset);
            if (done == NULL) {
                return NULL;
            }
            Py_DECREF(done);
        }
    }
    return PyLong_FromSsize_t(PyUnicode_GET_LENGTH(text));
}

/* ---- reading --------------------------------------------------------------------------------- */

void text_drop_chars(struct text *self)
{
    Py_CLEAR(self->chars);
    Py_CLEAR(self->snap_input);
    self->used = 0;
}

/* The decoder's state before a chunk: its bytes (new reference) and flags. */
static PyObject *decoder_state(struct text *self, long long *flags)
{
    PyObject *pair = PyObject_CallMethodNoArgs(self->decoder, self->state->names.getstate);
    PyObject *buffered = NULL;
    if (pair == NULL) {
        return NULL;
    }
    if (!PyTuple_Check(pair)) {
        PyErr_SetString(PyExc_TypeError, "illegal decoder state");
    } else if (PyArg_ParseTuple(pair, "OL;illegal decoder state", &buffered, flags)) {
        if (PyBytes_Check(buffered)) {
            Py_INCREF(buffered);
        } else {
            PyErr_Format(PyExc_TypeError,
                         "illegal decoder state: the first item should be a bytes object, not "
                         "'%.200s'",
                         Py_TYPE(buffered)->tp_name);
            buffered = NULL;
        }
    }
    Py_DECREF(pair);
    return buffered;
}

/* Sets what `chars` (stolen) was decoded from: `before` (stolen, may be NULL) and `input`. */
static int snapshot_set(struct text *self, PyObject *before, long long flags, PyObject *input)
{
    if (before == NULL) {
        return 0;
    }
    PyBytes_Concat(&before, input);
    if (before == NULL) {
        return -1;
    }
    if (!PyBytes_Check(before)) {
        Py_DECREF(before);
        return -1;
    }
    self->snap_flags = flags;
    field_set(&self->snap_input, before);
    return 0;
}

/* Decodes the input: 1, 0 at its end, -1 on error. */
static int chunk_decode(struct text *self, PyObject *input, Py_ssize_t size, PyObject *before,
                        long long flags)
{
    PyObject *chars = io_decode(self->state, self->decoder, input, size == 0);
    if (chars == NULL) {
        Py_XDECREF(before);
        return -1;
    }
    Py_ssize_t length = PyUnicode_GET_LENGTH(chars);
    field_set(&self->chars, chars);
    self->used = 0;
    self->bytes_per_char = length > 0 ? (double)size / (double)length : 0.0;
    if (snapshot_set(self, before, flags, input) < 0) {
        return -1;
    }
    return size > 0 || length > 0;
}

/* Reads and decodes the next part of the file: 1, 0 at the end, -1 with an exception. */
static int chunk_read(struct text *self, Py_ssize_t hint)
{
    if (self->decoder == NULL) {
        io_unsupported(self->state, "not readable");
        return -1;
    }
    PyObject *before = NULL;
    long long flags = 0;
    if (self->telling && (before = decoder_state(self, &flags)) == NULL) {
        return -1;
    }
    if (hint > 0) {
        hint = (Py_ssize_t)((double)hint * Py_MAX(self->bytes_per_char, 1.0));
    }
    PyObject *name = self->has_read1 ? self->state->names.read1 : self->state->names.read;
    PyObject *input = io_call_size(self->buffer, name, Py_MAX(self->chunk_size, hint));
    Py_buffer view;
    if (input == NULL || PyObject_GetBuffer(input, &view, PyBUF_SIMPLE) < 0) {
        if (input != NULL) {
            PyErr_Format(PyExc_TypeError,
                         "underlying %s() should have returned a bytes-like object, not '%.200s'",
                         self->has_read1 ? "read1" : "read", Py_TYPE(input)->tp_name);
            Py_DECREF(input);
        }
        Py_XDECREF(before);
        return -1;
    }
    Py_ssize_t size = view.len;
    PyBuffer_Release(&view);
    int rc = chunk_decode(self, input, size, before, flags);
    Py_DECREF(input);
    return rc;
}

/* The next `count` decoded characters, fewer if there are no more; count -1: all (new reference). */
static PyObject *chars_take(struct text *self, Py_ssize_t count)
{
    if (self->chars == NULL) {
        return PyUnicode_New(0, 0);
    }
    Py_ssize_t length = PyUnicode_GET_LENGTH(self->chars), have = length - self->used;
    if (count < 0 || count > have) {
        count = have;
    }
    PyObject *part = self->used == 0 && count == length
                         ? Py_NewRef(self->chars)
                         : PyUnicode_Substring(self->chars, self->used, self->used + count);
    if (part != NULL) {
        self->used += count;
    }
    return part;
}

/* Joins text (stolen, NULL passes) to `parts`, which is made if need be; false with an exception. */
static bool parts_add(PyObject **parts, PyObject *part)
{
    if (part == NULL || (*parts == NULL && (*parts = PyList_New(0)) == NULL)) {
        Py_XDECREF(part);
        return false;
    }
    int rc = PyList_Append(*parts, part);
    Py_DECREF(part);
    return rc == 0;
}

static PyObject *parts_join(PyObject *parts)
{
    PyObject *nothing = PyUnicode_New(0, 0);
    PyObject *text = nothing ? PyUnicode_Join(nothing, parts) : NULL;
    Py_XDECREF(nothing);
    return text;
}

static PyObject *read_all(struct text *self)
{
    PyObject *bytes = PyObject_CallMethodNoArgs(self->buffer, self->state->names.read);
    if (bytes == NULL) {
        return NULL;
    }
    PyObject *rest =
        bytes == Py_None ? PyUnicode_New(0, 0) : io_decode(self->state, self->decoder, bytes, true);
    Py_DECREF(bytes);
    PyObject *first = rest ? chars_take(self, -1) : NULL;
    PyObject *text = first ? PyUnicode_Concat(first, rest) : NULL;
    Py_XDECREF(first);
    Py_XDECREF(rest);
    if (text != NULL) {
        text_drop_chars(self);
    }
    return text;
}

static PyObject *read_chars(struct text *self, Py_ssize_t size)
{
    PyObject *text = chars_take(self, size), *parts = NULL;
    if (text == NULL) {
        return NULL;
    }
    Py_ssize_t left = size - PyUnicode_GET_LENGTH(text);
    while (left > 0) {
        int more = chunk_read(self, left);
        if (more < 0) {
            Py_DECREF(text);
            Py_XDECREF(parts);
            return NULL;
        }
        if (more == 0) {
            break;
        }
        PyObject *next = chars_take(self, left);
        left -= next ? PyUnicode_GET_LENGTH(next) : 0;
        bool fine = next != NULL && parts_add(&parts, text);
        text = next;
        if (!fine) {
            Py_XDECREF(next);
            Py_XDECREF(parts);
            return NULL;
        }
    }
    if (parts != NULL) {
        bool fine = parts_add(&parts, text);
        text = fine ? parts_join(parts) : NULL;
        Py_DECREF(parts);
    }
    return text;
}

static PyObject *text_read(struct text *self, Py_ssize_t size)
{
    if (text_check_open(self) < 0) {
        return NULL;
    }
    if (self->decoder == NULL) {
        return io_unsupported(self->state, "not readable");
    }
    if (text_write_out(self) < 0) {
        return NULL;
    }
    return size < 0 ? read_all(self) : read_chars(self, size);
}

/* How many characters make the rest of the line, at most `limit` (-1: none); -1 if the line does not
 * end in what is decoded, and then *certain says how many belong to it without doubt. */
static Py_ssize_t line_length(struct text *self, Py_ssize_t limit, Py_ssize_t *certain)
{
    Py_ssize_t end = PyUnicode_GET_LENGTH(self->chars), reached = end;
    const char *newline = self->translate_read ? NULL : self->read_newline;
    Py_ssize_t at = io_line_end(PyUnicode_KIND(self->chars), PyUnicode_DATA(self->chars),
                                self->used, end, newline, &reached);
    Py_ssize_t length = at < 0 ? -1 : at - self->used;
    *certain = reached - self->used;
    if (limit >= 0 && (length < 0 ? *certain : length) >= limit) {
        length = limit;
    }
    return length;
}

/* Reads on with `kept` (stolen, may be empty), the start of "\r\n", put in front. */
static int chunk_after(struct text *self, PyObject *kept)
{
    Py_ssize_t length = kept ? PyUnicode_GET_LENGTH(kept) : 0;
    int more = kept ? chunk_read(self, 0) : -1;
    if (more >= 0 && length > 0) {
        PyObject *joined = more ? PyUnicode_Concat(kept, self->chars) : Py_NewRef(kept);
        if (joined == NULL) {
            more = -1;
        } else {
            field_set(&self->chars, joined);
            self->used = 0;
        }
    }
    Py_XDECREF(kept);
    return more;
}

static PyObject *line_read(struct text *self, Py_ssize_t limit)
{
    PyObject *parts = NULL, *last = NULL;
    for (;;) {
        Py_ssize_t certain = 0, length = -1;
        if (self->chars != NULL && self->used < PyUnicode_GET_LENGTH(self->chars)) {
            length = line_length(self, limit, &certain);
        }
        if (length >= 0) {
            last = chars_take(self, length);
            break;
        }
        if (certain > 0 && !parts_add(&parts, chars_take(self, certain))) {
            goto fail;
        }
        limit = limit < 0 ? -1 : limit - certain;
        int more = limit == 0 ? 0 : chunk_after(self, chars_take(self, -1));
        if (more < 0) {
            goto fail;
        }
        if (more == 0) {
            last = chars_take(self, limit);
            if (limit != 0) {
                Py_CLEAR(self->snap_input);
            }
            break;
        }
    }
    if (parts == NULL || last == NULL) {
        Py_XDECREF(parts);
        return last;
    }
    if (parts_add(&parts, last)) {
        last = parts_join(parts);
        Py_DECREF(parts);
        return last;
    }
fail:
    Py_XDECREF(parts);
    return NULL;
}

static PyObject *text_readline(struct text *self, Py_ssize_t size)
{
    if (text_check_open(self) < 0 || text_write_out(self) < 0) {
        return NULL;
    }
    return line_read(self, size < 0 ? -1 : size);
}

static PyObject *next_line(struct text *self)
{
    if (text_check_ready(self) < 0) {
        return NULL;
    }
    self->telling = false;
    PyObject *line;
    if (Py_IS_TYPE((PyObject *)self, self->state->text_type)) {
        line = text_readline(self, -1);
    } else {
        line = PyObject_CallMethodNoArgs((PyObject *)self, self->state->names.readline);
        if (line != NULL && !PyUnicode_Check(line)) {
            PyErr_Format(PyExc_OSError,
                         "readline() should have returned a str object, not '%.200s'",
                         Py_TYPE(line)->tp_name);
            Py_CLEAR(line);
        }
    }
    if (line != NULL && PyUnicode_GET_LENGTH(line) == 0) {
        /* At the end, the place is known again. */
        Py_CLEAR(line);
        Py_CLEAR(self->snap_input);
        self->telling = self->seekable;
    }
    return line;
}

static PyObject *text_next(PyObject *op)
{
    return LOCKED(op, next_line((struct text *)op));
}

/* ---- other methods --------------------------------------------------------------------------- */

static PyObject *text_flush(struct text *self)
{
    if (text_check_open(self) < 0) {
        return NULL;
    }
    self->telling = self->seekable;
    return text_flush_all(self) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *text_close(struct text *self)
{
    if (text_check_ready(self) < 0) {
        return NULL;
    }
    int closed = io_is_closed(self->state, self->buffer);
    if (closed) {
        return closed < 0 ? NULL : Py_NewRef(Py_None);
    }
    if (self->finalizing) {
        PyObject *warned = PyObject_CallMethodOneArg(self->buffer, self->state->names._dealloc_warn,
                                                     (PyObject *)self);
        if (warned == NULL) {
            PyErr_Clear();
        }
        Py_XDECREF(warned);
    }
    PyObject *flushed = PyObject_CallMethodNoArgs((PyObject *)self, self->state->names.flush);
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *done = PyObject_CallMethodNoArgs(self->buffer, self->state->names.close);
    io_chain(raised);
    if (flushed == NULL) {
        Py_CLEAR(done);
    }
    Py_XDECREF(flushed);
    return done;
}

static PyObject *text_detach(struct text *self)
{
    if (text_check_ready(self) < 0) {
        return NULL;
    }
    PyObject *flushed = PyObject_CallMethodNoArgs((PyObject *)self, self->state->names.flush);
    if (flushed == NULL) {
        return NULL;
    }
    Py_DECREF(flushed);
    PyObject *buffer = self->buffer;
    self->buffer = NULL;
    self->detached = true;
    self->ready = false;
    return buffer;
}

/* A flag that may be None: keeps *flag. */
static bool flag_given(PyObject *value, int *flag)
{
    if (value == Py_None) {
        return true;
    }
    int number = PyLong_AsInt(value);
    *flag = number != 0;
    return number != -1 || !PyErr_Occurred();
}

/* Another encoding, errors or newline for what follows: 0, or -1. */
static int codec_change(struct text *self, PyObject *encoding, PyObject *errors)
{
    if (encoding != Py_None && !PyUnicode_Check(encoding)) {
        PyErr_Format(PyExc_TypeError,
                     "reconfigure() argument 'encoding' must be str or None, not %s",
                     Py_TYPE(encoding)->tp_name);
        return -1;
    }
    if (errors != Py_None && !PyUnicode_Check(errors)) {
        PyErr_Format(PyExc_TypeError, "reconfigure() argument 'errors' must be str or None, not %s",
                     Py_TYPE(errors)->tp_name);
        return -1;
    }
    if (errors != Py_None && PyUnicode_AsUTF8(errors) == NULL) {
        return -1;
    }
    PyObject *name, *handler;
    if (encoding == Py_None) {
        name = Py_NewRef(self->encoding);
        handler = Py_NewRef(errors == Py_None ? self->errors : errors);
    } else {
        name =
            PyUnicode_EqualToUTF8(encoding, "locale") ? io_default_encoding() : Py_NewRef(encoding);
        handler = errors == Py_None ? PyUnicode_FromString("strict") : Py_NewRef(errors);
    }
    PyObject *codec = name && handler ? codec_find(self->state, name) : NULL;
    if (codec == NULL || codec_apply(self, codec, handler) < 0) {
        Py_XDECREF(codec);
        Py_XDECREF(name);
        Py_XDECREF(handler);
        return -1;
    }
    Py_DECREF(codec);
    field_set(&self->encoding, name);
    field_set(&self->errors, handler);
    return encoder_settle(self);
}

static PyObject *text_reconfigure(struct text *self, PyObject *encoding, PyObject *errors,
                                  PyObject *newline, PyObject *line_buffering,
                                  PyObject *write_through)
{
    if (text_check_ready(self) < 0) {
        return NULL;
    }
    bool recode = encoding != Py_None || errors != Py_None || newline != NULL;
    if (self->chars != NULL && recode) {
        return io_unsupported(self->state, "It is not possible to set the encoding or newline of "
                                           "stream after the first read");
    }
    const char *ends = NULL;
    if (newline != NULL && newline != Py_None) {
        if (!PyUnicode_Check(newline)) {
            PyErr_Format(PyExc_TypeError,
                         "reconfigure() argument 'newline' must be str or None, not %s",
                         Py_TYPE(newline)->tp_name);
            return NULL;
        }
        ends = PyUnicode_AsUTF8(newline);
        if (ends == NULL || !newline_valid(ends)) {
            return NULL;
        }
    }
    int lines = self->line_buffering, through = self->write_through;
    if (!flag_given(line_buffering, &lines) || !flag_given(write_through, &through)) {
        return NULL;
    }
    PyObject *flushed = PyObject_CallMethodNoArgs((PyObject *)self, self->state->names.flush);
    if (flushed == NULL) {
        return NULL;
    }
    Py_DECREF(flushed);
    if (newline != NULL) {
        newline_apply(self, ends);
    }
    if (recode && codec_change(self, encoding, errors) < 0) {
        return NULL;
    }
    flags_set(self, lines, through);
    return Py_NewRef(Py_None);
}

#define ASK_BUFFER(method)                                                                         \
    static PyObject *text_##method(struct text *self)                                              \
    {                                                                                              \
        return text_check_ready(self) < 0                                                          \
                   ? NULL                                                                          \
                   : PyObject_CallMethodNoArgs(self->buffer, self->state->names.method);           \
    }

ASK_BUFFER(fileno)
ASK_BUFFER(seekable)
ASK_BUFFER(readable)
ASK_BUFFER(writable)
ASK_BUFFER(isatty)

static PyObject *text_seek(struct text *self, PyObject *cookie, int whence)
{
    return text_check_open(self) < 0 ? NULL : text_go(self, cookie, whence);
}

static PyObject *text_tell(struct text *self)
{
    return text_check_open(self) < 0 ? NULL : text_place(self);
}

static PyObject *text_truncate(struct text *self, PyObject *pos)
{
    if (text_check_ready(self) < 0) {
        return NULL;
    }
    PyObject *flushed = PyObject_CallMethodNoArgs((PyObject *)self, self->state->names.flush);
    if (flushed == NULL) {
        return NULL;
    }
    Py_DECREF(flushed);
    return PyObject_CallMethodOneArg(self->buffer, self->state->names.truncate, pos);
}

static PyObject *text_getstate(struct text *self)
{
    return io_no_pickle(self);
}

/* ---- attributes ------------------------------------------------------------------------------ */

static PyObject *text_get_name(struct text *self)
{
    return text_check_ready(self) < 0 ? NULL
                                      : PyObject_GetAttr(self->buffer, self->state->names.name);
}

static PyObject *text_get_closed(struct text *self)
{
    return text_check_ready(self) < 0 ? NULL
                                      : PyObject_GetAttr(self->buffer, self->state->names.closed);
}

static PyObject *text_get_newlines(struct text *self)
{
    if (text_check_ready(self) < 0) {
        return NULL;
    }
    PyObject *newlines = NULL;
    if (self->decoder != NULL
        && PyObject_GetOptionalAttr(self->decoder, self->state->names.newlines, &newlines) < 0) {
        return NULL;
    }
    return newlines ? newlines : Py_NewRef(Py_None);
}

static PyObject *text_get_errors(struct text *self)
{
    return self->errors == NULL && text_check_ready(self) < 0 ? NULL : Py_NewRef(self->errors);
}

static PyObject *text_get_CHUNK_SIZE(struct text *self)
{
    return text_check_ready(self) < 0 ? NULL : PyLong_FromSsize_t(self->chunk_size);
}

static int text_set_CHUNK_SIZE(struct text *self, Py_ssize_t value)
{
    if (text_check_ready(self) < 0) {
        return -1;
    }
    if (value <= 0) {
        PyErr_SetString(PyExc_ValueError, "a strictly positive integer is required");
        return -1;
    }
    self->chunk_size = value;
    return 0;
}

/* Adds " name=..." to the text (stolen) if there is such an attribute. */
static PyObject *repr_add(PyObject *text, PyObject *op, const char *name)
{
    PyObject *value = NULL;
    if (text == NULL) {
        return NULL;
    }
    if (PyObject_GetOptionalAttrString(op, name, &value) < 0) {
        if (!PyErr_ExceptionMatches(PyExc_ValueError)) {
            Py_DECREF(text);
            return NULL;
        }
        PyErr_Clear();
    }
    if (value != NULL) {
        PyObject *longer = PyUnicode_FromFormat("%U %s=%R", text, name, value);
        Py_DECREF(text);
        Py_DECREF(value);
        text = longer;
    }
    return text;
}

static PyObject *text_repr(PyObject *op)
{
    struct text *self = (struct text *)op;
    if (!self->detached && text_check_ready(self) < 0) {
        return NULL;
    }
    const char *type = Py_TYPE(op)->tp_name;
    int entered = Py_ReprEnter(op);
    if (entered != 0) {
        if (entered > 0) {
            PyErr_Format(PyExc_RuntimeError, "reentrant call inside %s.__repr__", type);
        }
        return NULL;
    }
    PyObject *text = repr_add(PyUnicode_FromFormat("<%s", type), op, "name");
    text = repr_add(text, op, "mode");
    PyObject *result = text ? PyUnicode_FromFormat("%U encoding=%R>", text, self->encoding) : NULL;
    Py_XDECREF(text);
    Py_ReprLeave(op);
    return result;
}

/* ---- the type -------------------------------------------------------------------------------- */

static int text_traverse(PyObject *op, visitproc visit, void *arg)
{
    struct text *self = (struct text *)op;
    EACH_FIELD(Py_VISIT, buffer, encoding, errors, encoder, decoder, chars, snap_input)
    return iobase_traverse(op, visit, arg);
}

static int text_clear(PyObject *op)
{
    struct text *self = (struct text *)op;
    self->ready = false;
    EACH_FIELD(Py_CLEAR, buffer, encoding, errors, encoder, decoder, chars, snap_input)
    return iobase_clear(op);
}

static void text_dealloc(PyObject *op)
{
    struct text *self = (struct text *)op;
    self->finalizing = true;
    if (!iobase_dealloc_begin(op)) {
        return;
    }
    text_clear(op);
    PyMem_Free(self->pending);
    iobase_free(op);
}

static PyMemberDef text_members[] = {
    {"encoding", Py_T_OBJECT_EX, offsetof(struct text, encoding), Py_READONLY, NULL},
    {"buffer", Py_T_OBJECT_EX, offsetof(struct text, buffer), Py_READONLY, NULL},
    {"line_buffering", Py_T_BOOL, offsetof(struct text, line_buffering), Py_READONLY, NULL},
    {"write_through", Py_T_BOOL, offsetof(struct text, write_through), Py_READONLY, NULL},
    {"_finalizing", Py_T_BOOL, offsetof(struct text, finalizing), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot text_slots[] = {
    GC_SLOTS(text),
    {Py_tp_doc, text_doc},
    {Py_tp_repr, text_repr},
    {Py_tp_iternext, text_next},
    {Py_tp_methods, text_methods},
    {Py_tp_members, text_members},
    {Py_tp_getset, text_getset},
    {Py_tp_init, bind_text_init},
    {0, NULL},
};

PyType_Spec text_spec = {
    "_io.TextIOWrapper",
    sizeof(struct text),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    text_slots,
};
