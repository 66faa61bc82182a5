/* StringIO: a stream of characters in memory, an array of the width that the widest one so far needs. */
#include "io.h"

struct stringio {
    struct iobase base;
    struct io_state *state;
    PyObject *decoder; /* of line ends, or NULL */
    PyObject *newline; /* as given */
    void *chars;
    int kind; /* bytes of a character: 1, 2, 4 */
    Py_ssize_t at, size, room;
    char line_end[3];           /* what ends a line for readline(); "": any of the three */
    bool ready, closed, expand; /* expand: "\n" becomes line_end in write() */
};

#include "stringio.bind.h"

/* ---- steps: under the object's lock ---------------------------------------------------------- */

static bool is_open(struct stringio *self)
{
    if (!self->ready) {
        PyErr_SetString(PyExc_ValueError, "I/O operation on uninitialized object");
    } else if (self->closed) {
        PyErr_SetString(PyExc_ValueError, "I/O operation on closed file");
    }
    return self->ready && !self->closed;
}

/* Copies characters to ones that are as wide or wider. */
static void chars_copy(int to_kind, void *to, Py_ssize_t at, int kind, const void *from,
                       Py_ssize_t count)
{
    if (to_kind == kind) {
        memcpy((char *)to + at * kind, from, (size_t)(count * kind));
        return;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyUnicode_WRITE(to_kind, to, at + i, PyUnicode_READ(kind, from, i));
    }
}

/* Room for `size` characters of at least this width. */
static bool chars_reserve(struct stringio *self, Py_ssize_t size, int kind)
{
    if (LIKELY(size <= self->room && kind <= self->kind)) {
        return true;
    }
    if (size > PY_SSIZE_T_MAX / 8) {
        PyErr_SetString(PyExc_OverflowError, "new buffer size too large");
        return false;
    }
    Py_ssize_t room =
        size <= self->room ? self->room : Py_MAX(size, self->room + (self->room >> 1) + 16);
    bool widen = kind > self->kind;
    kind = widen ? kind : self->kind;
    void *grown = widen ? PyMem_Malloc((size_t)(room * kind))
                        : PyMem_Realloc(self->chars, (size_t)(room * kind));
    if (grown == NULL) {
        PyErr_NoMemory();
        return false;
    }
    if (widen) {
        chars_copy(kind, grown, 0, self->kind, self->chars, self->size);
        PyMem_Free(self->chars);
    }
    self->chars = grown;
    self->kind = kind;
    self->room = room;
    return true;
}

/* Writes text as it is at the position. */
static bool chars_write(struct stringio *self, PyObject *text)
{
    Py_ssize_t count = PyUnicode_GET_LENGTH(text);
    if (self->at > PY_SSIZE_T_MAX - count) {
        PyErr_SetString(PyExc_OverflowError, "new position too large");
        return false;
    }
    if (!chars_reserve(self, self->at + count, (int)PyUnicode_KIND(text))) {
        return false;
    }
    if (self->at > self->size) {
        memset((char *)self->chars + self->size * self->kind, 0,
               (size_t)((self->at - self->size) * self->kind));
    }
    if (count > 0) {
        chars_copy(self->kind, self->chars, self->at, (int)PyUnicode_KIND(text),
                   PyUnicode_DATA(text), count);
    }
    self->at += count;
    self->size = Py_MAX(self->size, self->at);
    return true;
}

/* The text with the line ends it shall be kept with (new reference). */
static PyObject *lines_convert(struct stringio *self, PyObject *text)
{
    PyObject *result =
        self->decoder ? io_decode(self->state, self->decoder, text, true) : Py_NewRef(text);
    if (result != NULL && self->expand) {
        PyObject *from = PyUnicode_FromString("\n"), *to = PyUnicode_FromString(self->line_end);
        PyObject *expanded = from && to ? PyUnicode_Replace(result, from, to, -1) : NULL;
        Py_XDECREF(from);
        Py_XDECREF(to);
        Py_DECREF(result);
        result = expanded;
    }
    return result;
}

static bool text_write(struct stringio *self, PyObject *text)
{
    PyObject *converted = lines_convert(self, text);
    /* The decoder may have run other threads' code. */
    bool fine = converted != NULL && is_open(self)
                && (PyUnicode_GET_LENGTH(text) == 0 || chars_write(self, converted));
    Py_XDECREF(converted);
    return fine;
}

static Py_ssize_t chars_ahead(struct stringio *self, Py_ssize_t wanted)
{
    Py_ssize_t have = Py_MAX(self->size - self->at, 0);
    return wanted < 0 || wanted > have ? have : wanted;
}

static PyObject *chars_take(struct stringio *self, Py_ssize_t count)
{
    if (count == 0) {
        return PyUnicode_New(0, 0);
    }
    PyObject *text =
        PyUnicode_FromKindAndData(self->kind, (char *)self->chars + self->at * self->kind, count);
    if (text != NULL) {
        self->at += count;
    }
    return text;
}

static PyObject *line_take(struct stringio *self, Py_ssize_t limit)
{
    Py_ssize_t count = chars_ahead(self, limit);
    if (count > 0) {
        Py_ssize_t unused;
        Py_ssize_t end = io_line_end(self->kind, self->chars, self->at, self->at + count,
                                     self->line_end, &unused);
        if (end >= 0) {
            count = end - self->at;
        }
    }
    return chars_take(self, count);
}

/* ---- setting up ------------------------------------------------------------------------------ */

/* Sets how line ends are treated; `newline` NULL stands for "\n". */
static bool newline_set(struct stringio *self, PyObject *newline)
{
    const char *ends = "\n";
    if (newline != NULL && newline != Py_None) {
        if (!PyUnicode_Check(newline)) {
            PyErr_Format(PyExc_TypeError, "newline must be str or None, not %.200s",
                         Py_TYPE(newline)->tp_name);
            return false;
        }
        ends = PyUnicode_AsUTF8(newline);
        if (ends == NULL) {
            return false;
        }
        if (ends[0] && strcmp(ends, "\n") && strcmp(ends, "\r") && strcmp(ends, "\r\n")) {
            PyErr_Format(PyExc_ValueError, "illegal newline value: %R", newline);
            return false;
        }
    }
    PyObject *decoder = NULL;
    if (newline == Py_None || ends[0] == '\0') {
        decoder = PyObject_CallFunctionObjArgs((PyObject *)self->state->newline_type, Py_None,
                                               newline == Py_None ? Py_True : Py_False, NULL);
        if (decoder == NULL) {
            return false;
        }
    }
    PyObject *given = newline ? Py_NewRef(newline) : PyUnicode_FromString("\n");
    if (given == NULL) {
        Py_XDECREF(decoder);
        return false;
    }
    field_set(&self->newline, given);
    field_set(&self->decoder, decoder);
    strcpy(self->line_end, ends);
    self->expand = ends[0] == '\r';
    return true;
}

static int stringio_init(struct stringio *self, PyObject *initial_value, PyObject *newline)
{
    self->ready = false;
    self->state = io_state_of(self);
    if (self->state == NULL) {
        return -1;
    }
    if (initial_value != NULL && initial_value != Py_None && !PyUnicode_Check(initial_value)) {
        PyErr_Format(PyExc_TypeError, "initial_value must be str or None, not %.200s",
                     Py_TYPE(initial_value)->tp_name);
        return -1;
    }
    if (!newline_set(self, newline)) {
        return -1;
    }
    self->at = self->size = 0;
    self->kind = Py_MAX(self->kind, 1);
    self->closed = false;
    self->ready = true;
    if (initial_value != NULL && initial_value != Py_None) {
        if (!text_write(self, initial_value)) {
            return -1;
        }
        self->at = 0;
    }
    return 0;
}

/* ---- methods --------------------------------------------------------------------------------- */

static PyObject *stringio_write(struct stringio *self, PyObject *s)
{
    if (!is_open(self)) {
        return NULL;
    }
    if (!PyUnicode_Check(s)) {
        PyErr_Format(PyExc_TypeError, "string argument expected, got '%s'", Py_TYPE(s)->tp_name);
        return NULL;
    }
    return text_write(self, s) ? PyLong_FromSsize_t(PyUnicode_GET_LENGTH(s)) : NULL;
}

static PyObject *stringio_read(struct stringio *self, Py_ssize_t size)
{
    return is_open(self) ? chars_take(self, chars_ahead(self, size)) : NULL;
}

static PyObject *stringio_readline(struct stringio *self, Py_ssize_t size)
{
    return is_open(self) ? line_take(self, size) : NULL;
}

static PyObject *next_line(struct stringio *self)
{
    return is_open(self) && chars_ahead(self, -1) > 0 ? line_take(self, -1) : NULL;
}

static PyObject *stringio_next(PyObject *op)
{
    struct stringio *self = (struct stringio *)op;
    if (self->state == NULL || Py_IS_TYPE(op, self->state->stringio_type)) {
        return LOCKED(op, next_line(self));
    }
    PyObject *line = PyObject_CallMethodNoArgs(op, self->state->names.readline);
    if (line != NULL && !PyUnicode_Check(line)) {
        PyErr_Format(PyExc_OSError, "readline() should have returned a str object, not '%.200s'",
                     Py_TYPE(line)->tp_name);
        Py_CLEAR(line);
    }
    if (line != NULL && PyUnicode_GET_LENGTH(line) == 0) {
        Py_CLEAR(line);
    }
    return line;
}

static PyObject *stringio_getvalue(struct stringio *self)
{
    if (!is_open(self)) {
        return NULL;
    }
    return self->size ? PyUnicode_FromKindAndData(self->kind, self->chars, self->size)
                      : PyUnicode_New(0, 0);
}

static PyObject *stringio_tell(struct stringio *self)
{
    return is_open(self) ? PyLong_FromSsize_t(self->at) : NULL;
}

static PyObject *stringio_truncate(struct stringio *self, PyObject *pos)
{
    if (!is_open(self)) {
        return NULL;
    }
    Py_ssize_t size = self->at;
    if (pos != Py_None && !bind_ssize(pos, &size)) {
        return NULL;
    }
    if (size < 0) {
        PyErr_Format(PyExc_ValueError, "Negative size value %zd", size);
        return NULL;
    }
    self->size = Py_MIN(self->size, size);
    return PyLong_FromSsize_t(size);
}

static PyObject *stringio_seek(struct stringio *self, Py_ssize_t pos, int whence)
{
    if (!is_open(self)) {
        return NULL;
    }
    if (whence < 0 || whence > 2) {
        PyErr_Format(PyExc_ValueError, "Invalid whence (%i, should be 0, 1 or 2)", whence);
        return NULL;
    }
    if (pos < 0 && whence == 0) {
        PyErr_Format(PyExc_ValueError, "Negative seek position %zd", pos);
        return NULL;
    }
    if (whence != 0 && pos != 0) {
        PyErr_SetString(PyExc_OSError, "Can't do nonzero cur-relative seeks");
        return NULL;
    }
    self->at = whence == 0 ? pos : whence == 1 ? self->at : self->size;
    return PyLong_FromSsize_t(self->at);
}

static PyObject *stringio_close(struct stringio *self)
{
    self->closed = true;
    PyMem_Free(self->chars);
    self->chars = NULL;
    self->at = self->size = self->room = 0;
    self->kind = 1;
    return Py_NewRef(Py_None);
}

static PyObject *stringio_seekable(struct stringio *self)
{
    return is_open(self) ? Py_NewRef(Py_True) : NULL;
}

static PyObject *stringio_readable(struct stringio *self)
{
    return is_open(self) ? Py_NewRef(Py_True) : NULL;
}

static PyObject *stringio_writable(struct stringio *self)
{
    return is_open(self) ? Py_NewRef(Py_True) : NULL;
}

static PyObject *stringio_get_closed(struct stringio *self)
{
    if (!self->ready) {
        is_open(self);
        return NULL;
    }
    return PyBool_FromLong(self->closed);
}

static PyObject *stringio_get_newlines(struct stringio *self)
{
    if (!is_open(self)) {
        return NULL;
    }
    return self->decoder ? PyObject_GetAttr(self->decoder, self->state->names.newlines)
                         : Py_NewRef(Py_None);
}

static PyObject *stringio_get_line_buffering(struct stringio *self)
{
    return is_open(self) ? Py_NewRef(Py_False) : NULL;
}

/* ---- pickling -------------------------------------------------------------------------------- */

static PyObject *stringio_getstate(struct stringio *self)
{
    PyObject *value = stringio_getvalue(self);
    if (value == NULL) {
        return NULL;
    }
    PyObject *dict = self->base.dict ? PyDict_Copy(self->base.dict) : Py_NewRef(Py_None);
    if (dict == NULL) {
        Py_DECREF(value);
        return NULL;
    }
    return Py_BuildValue("NOnN", value, self->newline, self->at, dict);
}

static bool place_restore(struct stringio *self, PyObject *place)
{
    if (!PyLong_Check(place)) {
        PyErr_Format(PyExc_TypeError, "third item of state must be an integer, got %.200s",
                     Py_TYPE(place)->tp_name);
        return false;
    }
    Py_ssize_t at = PyLong_AsSsize_t(place);
    if (at < 0) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_ValueError, "position value cannot be negative");
        }
        return false;
    }
    self->at = at;
    return true;
}

static bool dict_restore(struct stringio *self, PyObject *saved)
{
    if (saved == Py_None) {
        return true;
    }
    if (!PyDict_Check(saved)) {
        PyErr_Format(PyExc_TypeError, "fourth item of state should be a dict, got a %.200s",
                     Py_TYPE(saved)->tp_name);
        return false;
    }
    if (self->base.dict == NULL) {
        self->base.dict = Py_NewRef(saved);
        return true;
    }
    return PyDict_Update(self->base.dict, saved) == 0;
}

static PyObject *stringio_setstate(struct stringio *self, PyObject *state)
{
    if (self->ready && self->closed) {
        is_open(self);
        return NULL;
    }
    if (!PyTuple_Check(state) || PyTuple_GET_SIZE(state) < 4) {
        PyErr_Format(PyExc_TypeError, "%.200s.__setstate__ argument should be 4-tuple, got %.200s",
                     Py_TYPE((PyObject *)self)->tp_name, Py_TYPE(state)->tp_name);
        return NULL;
    }
    PyObject *value = PyTuple_GET_ITEM(state, 0);
    if (value != Py_None && !PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "initial_value must be str or None, not %.200s",
                     Py_TYPE(value)->tp_name);
        return NULL;
    }
    /* The value is taken as it is: its line ends were converted when it was first written. */
    if (stringio_init(self, NULL, PyTuple_GET_ITEM(state, 1)) < 0
        || (value != Py_None && !chars_write(self, value))
        || !place_restore(self, PyTuple_GET_ITEM(state, 2))
        || !dict_restore(self, PyTuple_GET_ITEM(state, 3))) {
        return NULL;
    }
    return Py_NewRef(Py_None);
}

/* ---- the type -------------------------------------------------------------------------------- */

static int stringio_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(((struct stringio *)op)->decoder);
    return iobase_traverse(op, visit, arg);
}

static int stringio_clear(PyObject *op)
{
    Py_CLEAR(((struct stringio *)op)->decoder);
    return iobase_clear(op);
}

static void stringio_dealloc(PyObject *op)
{
    struct stringio *self = (struct stringio *)op;
    PyObject_GC_UnTrack(op);
    PyObject_ClearWeakRefs(op);
    self->ready = false;
    PyMem_Free(self->chars);
    Py_CLEAR(self->decoder);
    Py_CLEAR(self->newline);
    iobase_free(op);
}

static PyType_Slot stringio_slots[] = {
    GC_SLOTS(stringio),
    {Py_tp_doc, stringio_doc},
    {Py_tp_iternext, stringio_next},
    {Py_tp_methods, stringio_methods},
    {Py_tp_getset, stringio_getset},
    {Py_tp_init, bind_stringio_init},
    {0, NULL},
};

PyType_Spec stringio_spec = {
    "_io.StringIO",
    sizeof(struct stringio),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    stringio_slots,
};
