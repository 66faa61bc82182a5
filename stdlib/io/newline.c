/* IncrementalNewlineDecoder, and the search for line ends. */
#include "io.h"

enum { SEEN_CR = 1, SEEN_LF = 2, SEEN_CRLF = 4 };

struct newline {
    PyObject_HEAD
    PyObject *decoder; /* NULL before __init__, None for input that is text already */
    bool translate, pending_cr;
    unsigned seen;
};

#include "newline.bind.h"

/* ---- line ends ------------------------------------------------------------------------------- */

/* The index of the character in [start, end), or `end`. */
static Py_ssize_t find_char(int kind, const void *data, Py_ssize_t start, Py_ssize_t end,
                            Py_UCS4 wanted)
{
    if (kind == PyUnicode_1BYTE_KIND) {
        const char *from = (const char *)data + start;
        const char *at = start < end ? memchr(from, (int)wanted, (size_t)(end - start)) : NULL;
        return at ? start + (at - from) : end;
    }
    while (start < end && PyUnicode_READ(kind, data, start) != wanted) {
        start++;
    }
    return start;
}

static Py_ssize_t any_line_end(int kind, const void *data, Py_ssize_t start, Py_ssize_t end,
                               Py_ssize_t *consumed)
{
    for (Py_ssize_t i = start; i < end; i++) {
        Py_UCS4 ch = PyUnicode_READ(kind, data, i);
        if (ch == '\n') {
            return i + 1;
        }
        if (ch == '\r') {
            bool pair = i + 1 < end && PyUnicode_READ(kind, data, i + 1) == '\n';
            return i + 1 + pair;
        }
    }
    *consumed = end;
    return -1;
}

Py_ssize_t io_line_end(int kind, const void *data, Py_ssize_t start, Py_ssize_t end,
                       const char *newline, Py_ssize_t *consumed)
{
    if (newline != NULL && newline[0] == '\0') {
        return any_line_end(kind, data, start, end, consumed);
    }
    Py_UCS4 first = newline ? (Py_UCS4)newline[0] : '\n';
    bool pair = newline != NULL && newline[1] != '\0';
    while ((start = find_char(kind, data, start, end, first)) < end) {
        if (!pair) {
            return start + 1;
        }
        if (start + 1 == end) {
            *consumed = start;
            return -1;
        }
        if (PyUnicode_READ(kind, data, start + 1) == (Py_UCS4)newline[1]) {
            return start + 2;
        }
        start++;
    }
    *consumed = end;
    return -1;
}

/* ---- decoding -------------------------------------------------------------------------------- */

/* Notes which line ends there are and writes the text with "\n" for them, if `to` is not NULL: the
 * length of that. */
static Py_ssize_t lines_scan(PyObject *text, PyObject *to, unsigned *seen)
{
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    void *out = to ? PyUnicode_DATA(to) : NULL;
    Py_ssize_t length = PyUnicode_GET_LENGTH(text), n = 0;
    for (Py_ssize_t i = 0; i < length; i++) {
        Py_UCS4 ch = PyUnicode_READ(kind, data, i);
        if (ch == '\n') {
            *seen |= SEEN_LF;
        } else if (ch == '\r') {
            if (i + 1 < length && PyUnicode_READ(kind, data, i + 1) == '\n') {
                *seen |= SEEN_CRLF;
                if (to == NULL) {
                    i++;
                    continue;
                }
                i++;
            } else {
                *seen |= SEEN_CR;
            }
            ch = '\n';
        }
        if (out != NULL) {
            PyUnicode_WRITE(kind, out, n, ch);
        }
        n++;
    }
    return n;
}

/* Takes the line ends of `text` (stolen) into account; new reference. */
static PyObject *lines_translate(struct newline *self, PyObject *text)
{
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    if (find_char(kind, data, 0, length, '\r') == length) {
        if (!(self->seen & SEEN_LF) && find_char(kind, data, 0, length, '\n') < length) {
            self->seen |= SEEN_LF;
        }
        return text;
    }
    if (!self->translate) {
        lines_scan(text, NULL, &self->seen);
        return text;
    }
    PyObject *result = PyUnicode_New(length, PyUnicode_MAX_CHAR_VALUE(text));
    if (result != NULL) {
        Py_ssize_t n = lines_scan(text, result, &self->seen);
        if (n < length) {
            PyUnicode_Resize(&result, n);
        }
    }
    Py_DECREF(text);
    return result;
}

/* Puts back a "\r" kept from last time and keeps a new one at the end; takes and gives `text`. */
static PyObject *cr_carry(struct newline *self, PyObject *text, bool final)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    if (self->pending_cr && (final || length > 0)) {
        PyObject *cr = PyUnicode_FromOrdinal('\r');
        PyObject *joined = cr ? PyUnicode_Concat(cr, text) : NULL;
        Py_XDECREF(cr);
        Py_DECREF(text);
        if (joined == NULL) {
            return NULL;
        }
        text = joined;
        length++;
        self->pending_cr = false;
    }
    if (!final && length > 0 && PyUnicode_READ_CHAR(text, length - 1) == '\r') {
        PyObject *shorter = PyUnicode_Substring(text, 0, length - 1);
        Py_DECREF(text);
        text = shorter;
        self->pending_cr = text != NULL;
    }
    return text;
}

static PyObject *newline_decode_text(struct newline *self, PyObject *text, bool final)
{
    text = cr_carry(self, text, final);
    return text ? lines_translate(self, text) : NULL;
}

static bool decoder_ready(struct newline *self)
{
    if (self->decoder == NULL) {
        PyErr_SetString(PyExc_ValueError, "IncrementalNewlineDecoder.__init__() not called");
    }
    return self->decoder != NULL;
}

static PyObject *decoder_call(PyObject *decoder, PyObject *name, PyObject *input, bool final)
{
    return PyObject_CallMethodObjArgs(decoder, name, input, final ? Py_True : Py_False, NULL);
}

static PyObject *text_checked(PyObject *text)
{
    if (text != NULL && !PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "decoder should return a string result, not '%.200s'",
                     Py_TYPE(text)->tp_name);
        Py_CLEAR(text);
    }
    return text;
}

static PyObject *decode_in(struct io_state *state, struct newline *self, PyObject *input,
                           bool final)
{
    if (!decoder_ready(self)) {
        return NULL;
    }
    PyObject *text = text_checked(
        self->decoder == Py_None ? Py_NewRef(input)
                                 : decoder_call(self->decoder, state->names.decode, input, final));
    return text ? LOCKED(self, newline_decode_text(self, text, final)) : NULL;
}

PyObject *io_decode(struct io_state *state, PyObject *decoder, PyObject *input, bool final)
{
    if (Py_IS_TYPE(decoder, state->newline_type)) {
        return decode_in(state, (struct newline *)decoder, input, final);
    }
    return text_checked(decoder_call(decoder, state->names.decode, input, final));
}

/* ---- methods --------------------------------------------------------------------------------- */

static int newline_init(struct newline *self, PyObject *decoder, int translate,
                        PyObject *Py_UNUSED(errors))
{
    field_set(&self->decoder, Py_NewRef(decoder));
    self->translate = translate != 0;
    self->pending_cr = false;
    self->seen = 0;
    return 0;
}

static PyObject *newline_decode(struct newline *self, PyObject *input, int final)
{
    struct io_state *state = io_state_of(self);
    return state ? decode_in(state, self, input, final != 0) : NULL;
}

static PyObject *newline_getstate(struct newline *self)
{
    if (!decoder_ready(self)) {
        return NULL;
    }
    PyObject *buffer = NULL;
    unsigned long long flag = 0;
    if (self->decoder == Py_None) {
        buffer = PyBytes_FromStringAndSize(NULL, 0);
    } else {
        PyObject *state = PyObject_CallMethod(self->decoder, "getstate", NULL);
        if (state == NULL) {
            return NULL;
        }
        if (!PyTuple_Check(state)) {
            PyErr_SetString(PyExc_TypeError, "illegal decoder state");
        } else if (PyArg_ParseTuple(state, "OK;illegal decoder state", &buffer, &flag)) {
            Py_INCREF(buffer);
        } else {
            buffer = NULL;
        }
        Py_DECREF(state);
    }
    return buffer ? Py_BuildValue("NK", buffer, flag << 1 | self->pending_cr) : NULL;
}

static PyObject *newline_setstate(struct newline *self, PyObject *state)
{
    PyObject *buffer;
    unsigned long long flag;
    if (!decoder_ready(self)) {
        return NULL;
    }
    if (!PyTuple_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "state argument must be a tuple");
        return NULL;
    }
    if (!PyArg_ParseTuple(state, "OK;setstate(): illegal state argument", &buffer, &flag)) {
        return NULL;
    }
    self->pending_cr = flag & 1;
    if (self->decoder == Py_None) {
        return Py_NewRef(Py_None);
    }
    return PyObject_CallMethod(self->decoder, "setstate", "((OK))", buffer, flag >> 1);
}

static PyObject *newline_reset(struct newline *self)
{
    if (!decoder_ready(self)) {
        return NULL;
    }
    self->seen = 0;
    self->pending_cr = false;
    return self->decoder == Py_None ? Py_NewRef(Py_None)
                                    : PyObject_CallMethod(self->decoder, "reset", NULL);
}

static PyObject *newline_get_newlines(struct newline *self)
{
    static const char *const names[] = {"\r", "\n", "\r\n"};
    const char *found[3];
    int count = 0;
    for (int i = 0; i < 3; i++) {
        if (self->seen & (1u << i)) {
            found[count++] = names[i];
        }
    }
    switch (count) {
    case 0:
        return Py_NewRef(Py_None);
    case 1:
        return PyUnicode_FromString(found[0]);
    case 2:
        return Py_BuildValue("ss", found[0], found[1]);
    default:
        return Py_BuildValue("sss", found[0], found[1], found[2]);
    }
}

GC_OBJECT(newline, decoder)

static PyType_Slot newline_slots[] = {
    GC_SLOTS(newline),
    {Py_tp_doc, newline_doc},
    {Py_tp_methods, newline_methods},
    {Py_tp_getset, newline_getset},
    {Py_tp_init, bind_newline_init},
    {0, NULL},
};

PyType_Spec newline_spec = {
    "_io.IncrementalNewlineDecoder",
    sizeof(struct newline),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    newline_slots,
};
