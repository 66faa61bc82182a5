/* Calling error handlers on behalf of codecs. */
#include "objects/codecs/callbacks.h"

#include <stdio.h>

int escape_backslash(Py_UCS4 ch, char *out)
{
    const char *format = ch < 0x100 ? "\\x%02x" : ch < 0x10000 ? "\\u%04x" : "\\U%08x";
    return snprintf(out, 12, format, (unsigned)ch);
}

int escape_xml(Py_UCS4 ch, char *out)
{
    return snprintf(out, 12, "&#%u;", (unsigned)ch);
}

/* Calls the handler and takes its (replacement, position) apart.  New reference, or NULL. */
static PyObject *handler_call(PyObject *handler, PyObject *exception, bool bytes_too,
                              Py_ssize_t *position)
{
    PyObject *result = PyObject_CallOneArg(handler, exception);
    if (result == NULL) {
        return NULL;
    }
    PyObject *replacement = NULL;
    if (PyTuple_Check(result) && PyTuple_GET_SIZE(result) == 2) {
        replacement = PyTuple_GET_ITEM(result, 0);
    }
    if (replacement == NULL
        || (!PyUnicode_Check(replacement) && !(bytes_too && PyBytes_Check(replacement)))) {
        PyErr_Format(PyExc_TypeError, "%s error handler must return (%s, int) tuple",
                     bytes_too ? "encoding" : "decoding", bytes_too ? "str/bytes" : "str");
        Py_DECREF(result);
        return NULL;
    }
    *position = PyLong_AsSsize_t(PyTuple_GET_ITEM(result, 1));
    if (*position == -1 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_Format(PyExc_TypeError, "%s error handler must return (%s, int) tuple",
                         bytes_too ? "encoding" : "decoding", bytes_too ? "str/bytes" : "str");
        }
        Py_DECREF(result);
        return NULL;
    }
    Py_INCREF(replacement);
    Py_DECREF(result);
    return replacement;
}

static int position_check(Py_ssize_t *position, Py_ssize_t length)
{
    Py_ssize_t given = *position;
    if (*position < 0) {
        *position += length;
    }
    if (*position < 0 || *position > length) {
        PyErr_Format(PyExc_IndexError, "position %zd from error handler out of bounds", given);
        return -1;
    }
    return 0;
}

/* Makes the exception, or brings the one that there is up to date. */
static int exception_prepare(PyObject **exception, PyObject *type, const char *encoding,
                             PyObject *object, Py_ssize_t start, Py_ssize_t end, const char *reason)
{
    if (*exception == NULL) {
        *exception = PyObject_CallFunction(type, "sOnns", encoding, object, start, end, reason);
        return *exception == NULL ? -1 : 0;
    }
    if (type == PyExc_UnicodeDecodeError) {
        return PyUnicodeDecodeError_SetStart(*exception, start) < 0
                       || PyUnicodeDecodeError_SetEnd(*exception, end) < 0
                       || PyUnicodeDecodeError_SetReason(*exception, reason) < 0
                   ? -1
                   : 0;
    }
    return PyUnicodeEncodeError_SetStart(*exception, start) < 0
                   || PyUnicodeEncodeError_SetEnd(*exception, end) < 0
                   || PyUnicodeEncodeError_SetReason(*exception, reason) < 0
               ? -1
               : 0;
}

/* ---- Decoding ------------------------------------------------------------------------------ */

void text_decoder_init(struct text_decoder *d, const char *encoding, const char *errors,
                       const void *data, Py_ssize_t size)
{
    *d = (struct text_decoder){
        .encoding = encoding, .errors = errors, .start = data, .end = (const uint8_t *)data + size};
    str_writer_init(&d->out);
}

static int decoder_exception(struct text_decoder *d, const char *reason, Py_ssize_t start,
                             Py_ssize_t end)
{
    PyObject *input = NULL;
    if (d->exception == NULL) {
        input = PyBytes_FromStringAndSize((const char *)d->start, d->end - d->start);
        if (input == NULL) {
            return -1;
        }
    }
    int result = exception_prepare(&d->exception, PyExc_UnicodeDecodeError, d->encoding, input,
                                   start, end, reason);
    Py_XDECREF(input);
    return result;
}

static Py_ssize_t decoder_ask(struct text_decoder *d, const char *reason, Py_ssize_t start,
                              Py_ssize_t end)
{
    if (d->handler == NULL) {
        d->handler = PyCodec_LookupError(d->errors);
        if (d->handler == NULL) {
            return -1;
        }
    }
    if (decoder_exception(d, reason, start, end) < 0) {
        return -1;
    }
    Py_ssize_t next;
    PyObject *replacement = handler_call(d->handler, d->exception, false, &next);
    if (replacement == NULL) {
        return -1;
    }
    /* The handler may have put other input into the exception. */
    PyObject *input = PyUnicodeDecodeError_GetObject(d->exception);
    if (input == NULL || !PyBytes_Check(input)) {
        if (input != NULL) {
            PyErr_SetString(PyExc_TypeError, "exception attribute object must be bytes");
        }
        Py_XDECREF(input);
        Py_DECREF(replacement);
        return -1;
    }
    Py_XSETREF(d->held, input);
    d->start = bytes_data(input);
    d->end = d->start + bytes_len(input);
    int failed =
        position_check(&next, bytes_len(input)) < 0 || str_writer_str(&d->out, replacement) < 0;
    Py_DECREF(replacement);
    return failed ? -1 : next;
}

static bool decoder_escapes(struct text_decoder *d, Py_ssize_t start, Py_ssize_t end)
{
    for (Py_ssize_t i = start; i < end; i++) {
        if (d->start[i] < 0x80) {
            return false; /* the handler proper decides */
        }
    }
    return true;
}

Py_ssize_t text_decoder_error(struct text_decoder *d, const char *reason, Py_ssize_t start,
                              Py_ssize_t end)
{
    if (d->kind == CODEC_ERRORS_UNKNOWN) {
        d->kind = codec_errors_from_name(d->errors);
    }
    switch (d->kind) {
    case CODEC_ERRORS_STRICT:
        if (decoder_exception(d, reason, start, end) == 0) {
            PyErr_SetObject((PyObject *)Py_TYPE(d->exception), d->exception);
        }
        return -1;
    case CODEC_ERRORS_IGNORE:
        return end;
    case CODEC_ERRORS_REPLACE:
        return str_writer_char(&d->out, 0xfffd) < 0 ? -1 : end;
    case CODEC_ERRORS_SURROGATEESCAPE:
        if (decoder_escapes(d, start, end)) {
            for (Py_ssize_t i = start; i < end; i++) {
                if (str_writer_char(&d->out, 0xdc00u + d->start[i]) < 0) {
                    return -1;
                }
            }
            return end;
        }
        return decoder_ask(d, reason, start, end);
    default:
        return decoder_ask(d, reason, start, end);
    }
}

PyObject *text_decoder_finish(struct text_decoder *d, bool failed)
{
    PyObject *text = NULL;
    if (failed) {
        str_writer_drop(&d->out);
    } else {
        text = str_writer_finish(&d->out);
    }
    Py_XDECREF(d->handler);
    Py_XDECREF(d->exception);
    Py_XDECREF(d->held);
    return text;
}

/* ---- Encoding ------------------------------------------------------------------------------ */

void text_encoder_init(struct text_encoder *e, const char *encoding, const char *errors,
                       PyObject *text)
{
    *e = (struct text_encoder){.encoding = encoding,
                               .errors = errors,
                               .text = text,
                               .kind = codec_errors_from_name(errors)};
}

void text_encoder_drop(struct text_encoder *e)
{
    Py_CLEAR(e->handler);
    Py_CLEAR(e->exception);
}

void text_encoder_raise(struct text_encoder *e, const char *reason, Py_ssize_t start,
                        Py_ssize_t end)
{
    if (exception_prepare(&e->exception, PyExc_UnicodeEncodeError, e->encoding, e->text, start, end,
                          reason)
        == 0) {
        PyErr_SetObject((PyObject *)Py_TYPE(e->exception), e->exception);
    }
}

PyObject *text_encoder_ask(struct text_encoder *e, const char *reason, Py_ssize_t start,
                           Py_ssize_t end, Py_ssize_t *next)
{
    if (e->handler == NULL) {
        e->handler = PyCodec_LookupError(e->errors);
        if (e->handler == NULL) {
            return NULL;
        }
    }
    if (exception_prepare(&e->exception, PyExc_UnicodeEncodeError, e->encoding, e->text, start, end,
                          reason)
        < 0) {
        return NULL;
    }
    PyObject *replacement = handler_call(e->handler, e->exception, true, next);
    if (replacement != NULL && position_check(next, str_len(e->text)) < 0) {
        Py_CLEAR(replacement);
    }
    return replacement;
}
