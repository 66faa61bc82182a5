/* seek() and tell() of text files.
 *
 * A place is a number made of the byte position where the decoder was last in a simple state, that
 * state, and how to get from there to the place: how many bytes to feed and characters to skip. */
#include "text.h"

struct place {
    long long position;
    unsigned flags;
    int feed, skip;
    unsigned char at_end;
};

/* As bytes, least significant first; the size of the packed structure. */
enum { PLACE_BYTES = 21 };

static PyObject *place_pack(const struct place *place)
{
    unsigned char bytes[PLACE_BYTES + 1] = {0};
    memcpy(bytes, &place->position, 8);
    memcpy(bytes + 8, &place->flags, 4);
    memcpy(bytes + 12, &place->feed, 4);
    memcpy(bytes + 16, &place->skip, 4);
    bytes[20] = place->at_end;
    return PyLong_FromNativeBytes(bytes, sizeof bytes, Py_ASNATIVEBYTES_LITTLE_ENDIAN);
}

static bool place_unpack(PyObject *cookie, struct place *place)
{
    unsigned char bytes[PLACE_BYTES] = {0};
    Py_ssize_t size =
        PyLong_AsNativeBytes(cookie, bytes, sizeof bytes,
                             Py_ASNATIVEBYTES_LITTLE_ENDIAN | Py_ASNATIVEBYTES_UNSIGNED_BUFFER);
    if (size < 0) {
        return false;
    }
    if (size > PLACE_BYTES) {
        PyErr_SetString(PyExc_OverflowError, "int too big to convert");
        return false;
    }
    memcpy(&place->position, bytes, 8);
    memcpy(&place->flags, bytes + 8, 4);
    memcpy(&place->feed, bytes + 12, 4);
    memcpy(&place->skip, bytes + 16, 4);
    place->at_end = bytes[20];
    return true;
}

/* Drops a result: 0, or -1 if it is NULL. */
static int done(PyObject *result)
{
    Py_XDECREF(result);
    return result ? 0 : -1;
}

static int decoder_set(struct text *self, const char *bytes, Py_ssize_t size, unsigned flags)
{
    return done(PyObject_CallMethod(self->decoder, "setstate", "((y#I))", bytes, size, flags));
}

static int decoder_reset(struct text *self)
{
    return self->decoder ? done(PyObject_CallMethodNoArgs(self->decoder, self->state->names.reset))
                         : 0;
}

static int encoder_restart(struct text *self, bool at_start)
{
    if (self->encoder == NULL) {
        return 0;
    }
    return done(at_start ? PyObject_CallMethodNoArgs(self->encoder, self->state->names.reset)
                         : PyObject_CallMethod(self->encoder, "setstate", "i", 0));
}

/* ---- seek ------------------------------------------------------------------------------------ */

static PyObject *go_to_end(struct text *self)
{
    PyObject *flushed = PyObject_CallMethodNoArgs((PyObject *)self, self->state->names.flush);
    if (done(flushed) < 0) {
        return NULL;
    }
    text_drop_chars(self);
    if (decoder_reset(self) < 0) {
        return NULL;
    }
    PyObject *at = PyObject_CallMethod(self->buffer, "seek", "ii", 0, 2);
    int there = at ? PyObject_IsTrue(at) : -1;
    if (there < 0 || encoder_restart(self, there == 0) < 0) {
        Py_CLEAR(at);
    }
    return at;
}

/* Decodes from the safe point up to the place. */
static int go_forward(struct text *self, const struct place *place)
{
    PyObject *input = io_call_size(self->buffer, self->state->names.read, place->feed);
    if (input == NULL) {
        return -1;
    }
    if (!PyBytes_Check(input)) {
        PyErr_Format(PyExc_TypeError,
                     "underlying read() should have returned a bytes object, not '%.200s'",
                     Py_TYPE(input)->tp_name);
        Py_DECREF(input);
        return -1;
    }
    PyObject *chars = io_decode(self->state, self->decoder, input, place->at_end);
    self->snap_flags = place->flags;
    field_set(&self->snap_input, input);
    if (chars == NULL) {
        return -1;
    }
    if (PyUnicode_GET_LENGTH(chars) < place->skip) {
        PyErr_SetString(PyExc_OSError, "can't restore logical file position");
        Py_DECREF(chars);
        return -1;
    }
    field_set(&self->chars, chars);
    self->used = place->skip;
    return 0;
}

static int go_to_place(struct text *self, const struct place *place)
{
    if (done(PyObject_CallMethodNoArgs((PyObject *)self, self->state->names.flush)) < 0
        || done(PyObject_CallMethod(self->buffer, "seek", "L", place->position)) < 0) {
        return -1;
    }
    text_drop_chars(self);
    if (self->decoder != NULL) {
        bool start = place->position == 0 && place->flags == 0;
        if ((start ? decoder_reset(self) : decoder_set(self, "", 0, place->flags)) < 0) {
            return -1;
        }
        self->snap_flags = place->flags;
        field_set(&self->snap_input, PyBytes_FromStringAndSize(NULL, 0));
    }
    if (place->skip != 0 && self->decoder != NULL && go_forward(self, place) < 0) {
        return -1;
    }
    return encoder_restart(self, place->position == 0 && place->flags == 0);
}

static PyObject *place_here(struct text *self, PyObject *cookie)
{
    int zero = PyObject_Not(cookie);
    if (zero == 0) {
        io_unsupported(self->state, "can't do nonzero cur-relative seeks");
    }
    return zero > 0 ? PyObject_CallMethodNoArgs((PyObject *)self, self->state->names.tell) : NULL;
}

PyObject *text_go(struct text *self, PyObject *cookie, int whence)
{
    if (!self->seekable) {
        return io_unsupported(self->state, "underlying stream is not seekable");
    }
    PyObject *target = NULL;
    int zero;
    switch (whence) {
    case SEEK_SET:
        target = Py_NewRef(cookie);
        break;
    case SEEK_CUR:
        target = place_here(self, cookie);
        break;
    case SEEK_END:
        zero = PyObject_Not(cookie);
        if (zero == 0) {
            io_unsupported(self->state, "can't do nonzero end-relative seeks");
        }
        return zero > 0 ? go_to_end(self) : NULL;
    default:
        PyErr_Format(PyExc_ValueError, "invalid whence (%d, should be %d, %d or %d)", whence, 0, 1,
                     2);
    }
    if (target == NULL) {
        return NULL;
    }
    PyObject *none = PyLong_FromLong(0);
    int negative = none ? PyObject_RichCompareBool(target, none, Py_LT) : -1;
    Py_XDECREF(none);
    struct place place;
    if (negative > 0) {
        PyErr_Format(PyExc_ValueError, "negative seek position %R", target);
    }
    if (negative != 0 || !place_unpack(target, &place) || go_to_place(self, &place) < 0) {
        Py_CLEAR(target);
    }
    return target;
}

/* ---- tell ------------------------------------------------------------------------------------ */

/* Decodes a few bytes on trial: the number of characters, -1 on error. */
static Py_ssize_t trial_decode(struct text *self, const char *bytes, Py_ssize_t size, bool final)
{
    PyObject *input = PyBytes_FromStringAndSize(bytes, size);
    PyObject *chars = input ? io_decode(self->state, self->decoder, input, final) : NULL;
    Py_ssize_t count = chars ? PyUnicode_GET_LENGTH(chars) : -1;
    Py_XDECREF(input);
    Py_XDECREF(chars);
    return count;
}

/* How many bytes the decoder holds back, and its flags; -1 on error. */
static Py_ssize_t trial_state(struct text *self, unsigned *flags)
{
    PyObject *pair = PyObject_CallMethodNoArgs(self->decoder, self->state->names.getstate);
    PyObject *held;
    unsigned long long value;
    Py_ssize_t size = -1;
    if (pair == NULL) {
        return -1;
    }
    if (!PyTuple_Check(pair)) {
        PyErr_SetString(PyExc_TypeError, "illegal decoder state");
    } else if (PyArg_ParseTuple(pair, "OK;illegal decoder state", &held, &value)) {
        if (PyBytes_Check(held)) {
            size = PyBytes_GET_SIZE(held);
            *flags = (unsigned)value;
        } else {
            PyErr_Format(PyExc_TypeError,
                         "illegal decoder state: the first item should be a bytes object, not "
                         "'%.200s'",
                         Py_TYPE(held)->tp_name);
        }
    }
    Py_DECREF(pair);
    return size;
}

/* Looks for a number of bytes from the start of the input that decode to at most `skip` characters
 * and leave nothing held back: near the place, so that little is left to decode again.  Leaves the
 * decoder behind them; -1 on error. */
static Py_ssize_t safe_start(struct text *self, struct place *place, const char *input,
                             Py_ssize_t length, Py_ssize_t skip)
{
    Py_ssize_t bytes = Py_MIN((Py_ssize_t)(self->bytes_per_char * (double)skip), length);
    Py_ssize_t back = 1;
    unsigned flags = place->flags;
    while (bytes > 0) {
        if (decoder_set(self, "", 0, place->flags) < 0) {
            return -1;
        }
        Py_ssize_t chars = trial_decode(self, input, bytes, false);
        Py_ssize_t held = chars < 0 ? -1 : trial_state(self, &flags);
        if (held < 0) {
            return -1;
        }
        if (chars <= skip) {
            if (held == 0) {
                place->flags = flags;
                place->skip = (int)(skip - chars);
                return bytes;
            }
            bytes -= held;
            back = 1;
        } else {
            bytes -= back;
            back *= 2;
        }
    }
    place->skip = (int)skip;
    return decoder_set(self, "", 0, place->flags) < 0 ? -1 : 0;
}

/* Goes on from the safe start a byte at a time until all characters to skip are out. */
static int place_refine(struct text *self, struct place *place, const char *input, Py_ssize_t at,
                        Py_ssize_t length)
{
    place->position += at;
    Py_ssize_t skip = place->skip, decoded = 0;
    unsigned flags = place->flags;
    for (; at < length; at++) {
        Py_ssize_t chars = trial_decode(self, input + at, 1, false);
        Py_ssize_t held = chars < 0 ? -1 : trial_state(self, &flags);
        if (held < 0) {
            return -1;
        }
        decoded += chars;
        place->feed++;
        if (held == 0 && decoded <= skip) {
            /* A simple state again: start from here instead. */
            place->position += place->feed;
            skip -= decoded;
            place->flags = flags;
            place->feed = 0;
            decoded = 0;
        }
        if (decoded >= skip) {
            break;
        }
    }
    if (at == length) {
        Py_ssize_t chars = trial_decode(self, "", 0, true);
        if (chars < 0) {
            return -1;
        }
        decoded += chars;
        place->at_end = 1;
        if (decoded < skip) {
            PyErr_SetString(PyExc_OSError, "can't reconstruct logical file position");
            return -1;
        }
    }
    place->skip = (int)skip;
    return 0;
}

static int place_find(struct text *self, struct place *place)
{
    PyObject *saved = PyObject_CallMethodNoArgs(self->decoder, self->state->names.getstate);
    PyObject *input = Py_NewRef(self->snap_input);
    if (saved == NULL) {
        Py_DECREF(input);
        return -1;
    }
    Py_ssize_t skip = self->used, length = PyBytes_GET_SIZE(input);
    const char *bytes = PyBytes_AS_STRING(input);
    Py_ssize_t at = safe_start(self, place, bytes, length, skip);
    int rc = at < 0 ? -1 : 0;
    if (rc == 0 && place->skip == 0) {
        place->position += at;
    } else if (rc == 0) {
        rc = place_refine(self, place, bytes, at, length);
    }
    PyObject *raised = PyErr_GetRaisedException();
    if (done(PyObject_CallMethodOneArg(self->decoder, self->state->names.setstate, saved)) < 0) {
        rc = -1;
    }
    io_chain(raised);
    Py_DECREF(saved);
    Py_DECREF(input);
    return rc;
}

PyObject *text_place(struct text *self)
{
    if (!self->seekable) {
        return io_unsupported(self->state, "underlying stream is not seekable");
    }
    if (!self->telling) {
        PyErr_SetString(PyExc_OSError, "telling position disabled by next() call");
        return NULL;
    }
    if (text_write_out(self) < 0
        || done(PyObject_CallMethodNoArgs((PyObject *)self, self->state->names.flush)) < 0) {
        return NULL;
    }
    PyObject *at = PyObject_CallMethodNoArgs(self->buffer, self->state->names.tell);
    if (at == NULL || self->decoder == NULL || self->snap_input == NULL) {
        return at;
    }
    struct place place = {.position = PyLong_AsLongLong(at), .flags = (unsigned)self->snap_flags};
    Py_DECREF(at);
    if (place.position == -1 && PyErr_Occurred()) {
        return NULL;
    }
    place.position -= PyBytes_GET_SIZE(self->snap_input);
    bool inside = self->chars != NULL && self->used > 0;
    return inside && place_find(self, &place) < 0 ? NULL : place_pack(&place);
}
