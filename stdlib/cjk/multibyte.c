/* The module _multibytecodec: error handlers around the codecs, input that is not complete yet, and
 * the types that the encodings package builds on. */
#include "cjk.h"

enum { MAX_PENDING_BYTES = 8, MAX_PENDING_CHARS = 2 };

struct codec_object {
    PyObject_HEAD
    const struct cjk_codec *codec;
};

/* An incremental encoder or decoder, or a stream. */
struct multibyte {
    PyObject_HEAD
    const struct cjk_codec *codec;
    struct mb_state state;
    PyObject *errors;                       /* str */
    PyObject *stream;                       /* of streams */
    PyObject *chars;                        /* encoding: what is pending, or NULL */
    unsigned char bytes[MAX_PENDING_BYTES]; /* decoding */
    int count;
};

struct multibyte_state {
    PyObject *codec_type;
};

static PyModuleDef multibyte_module;

#include "multibyte.bind.h"

/* ---- output --------------------------------------------------------------------------------- */

int mb_put(struct mb_out *out, const void *data, Py_ssize_t len)
{
    Py_ssize_t size = out->bytes ? PyBytes_GET_SIZE(out->bytes) : 0;
    if (len > size - out->len) {
        Py_ssize_t need = out->len + len;
        if (out->bytes == NULL) {
            out->bytes = PyBytes_FromStringAndSize(NULL, need + 32);
        } else if (need > PY_SSIZE_T_MAX / 2) {
            Py_CLEAR(out->bytes);
            PyErr_NoMemory();
        } else {
            _PyBytes_Resize(&out->bytes, need + need / 2);
        }
        if (out->bytes == NULL) {
            return MB_FAILED;
        }
    }
    memcpy(PyBytes_AS_STRING(out->bytes) + out->len, data, (size_t)len);
    out->len += len;
    return MB_DONE;
}

int mb_put_code(struct mb_out *out, uint32_t code)
{
    const char bytes[3] = {(char)(code >> 16), (char)(code >> 8), (char)code};
    int len = (int)(code >> 24);
    return mb_put(out, bytes + 3 - len, len);
}

int mb_write_value(_PyUnicodeWriter *writer, const struct cjk_tables *tables, uint32_t value)
{
    if (!(value & CJK_PAIR)) {
        return mb_write(writer, value);
    }
    const struct cjk_pair *pair = &tables->pairs[value & ~CJK_PAIR];
    int rc = mb_write(writer, pair->first);
    return rc < 0 ? rc : mb_write(writer, pair->second);
}

/* What was put, as a new reference. */
static PyObject *out_finish(struct mb_out *out)
{
    if (out->bytes == NULL) {
        return PyBytes_FromStringAndSize(NULL, 0);
    }
    if (out->len != PyBytes_GET_SIZE(out->bytes)) {
        _PyBytes_Resize(&out->bytes, out->len);
    }
    return out->bytes;
}

/* ---- error handlers ------------------------------------------------------------------------- */

static const char *reason_of(int code)
{
    return code == MB_TOO_FEW ? "incomplete multibyte sequence" : "illegal multibyte sequence";
}

/* An exception of a type with the position set; made at the first error and used again. */
static int set_error(PyObject **error, PyObject *type, const char *encoding, PyObject *object,
                     Py_ssize_t start, Py_ssize_t end, const char *reason)
{
    if (*error == NULL) {
        *error = PyObject_CallFunction(type, "sOnns", encoding, object, start, end, reason);
        return *error ? 0 : -1;
    }
    if (type == PyExc_UnicodeEncodeError) {
        return PyUnicodeEncodeError_SetStart(*error, start) < 0
                       || PyUnicodeEncodeError_SetEnd(*error, end) < 0
                       || PyUnicodeEncodeError_SetReason(*error, reason) < 0
                   ? -1
                   : 0;
    }
    return PyUnicodeDecodeError_SetStart(*error, start) < 0
                   || PyUnicodeDecodeError_SetEnd(*error, end) < 0
                   || PyUnicodeDecodeError_SetReason(*error, reason) < 0
               ? -1
               : 0;
}

/* Asks a handler: its answer (new reference), a pair, and the position that it names. */
static PyObject *ask_handler(const char *errors, PyObject *error, Py_ssize_t len, bool bytes_too,
                             Py_ssize_t *pos)
{
    PyObject *handler = PyCodec_LookupError(errors);
    PyObject *answer = handler ? PyObject_CallOneArg(handler, error) : NULL;
    Py_XDECREF(handler);
    if (answer == NULL) {
        return NULL;
    }
    bool fine = PyTuple_Check(answer) && PyTuple_GET_SIZE(answer) == 2
                && (PyUnicode_Check(PyTuple_GET_ITEM(answer, 0))
                    || (bytes_too && PyBytes_Check(PyTuple_GET_ITEM(answer, 0))))
                && PyLong_Check(PyTuple_GET_ITEM(answer, 1));
    if (!fine) {
        PyErr_Format(PyExc_TypeError, "%s error handler must return (str, int) tuple",
                     bytes_too ? "encoding" : "decoding");
        Py_DECREF(answer);
        return NULL;
    }
    Py_ssize_t at = PyLong_AsSsize_t(PyTuple_GET_ITEM(answer, 1));
    if (at < 0 && !PyErr_Occurred()) {
        at += len;
    }
    if (at < 0 || at > len) {
        PyErr_Clear();
        PyErr_Format(PyExc_IndexError, "position %zd from error handler out of bounds", at);
        Py_DECREF(answer);
        return NULL;
    }
    *pos = at;
    return answer;
}

/* ---- encoding ------------------------------------------------------------------------------- */

struct encoding {
    const struct cjk_codec *codec;
    struct mb_state *state;
    PyObject *text;
    const char *errors;
    struct mb_text in;
    struct mb_out out;
    PyObject *error;
};

static int encode_all(struct encoding *job, bool flush);

/* Encodes what a handler gave instead, or takes it if it is bytes. */
static int put_replacement(struct encoding *job, PyObject *text)
{
    if (PyBytes_Check(text)) {
        return mb_put(&job->out, PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text));
    }
    struct encoding inner = *job;
    inner.text = text;
    inner.errors = "strict";
    inner.error = NULL;
    inner.in =
        (struct mb_text){PyUnicode_KIND(text), PyUnicode_DATA(text), 0, PyUnicode_GET_LENGTH(text)};
    int rc = encode_all(&inner, true);
    job->out = inner.out;
    Py_XDECREF(inner.error);
    return rc;
}

/* Deals with what could not be encoded: 0, or -1 with an exception. */
static int encode_error(struct encoding *job, int code)
{
    struct mb_text *in = &job->in;
    Py_ssize_t size = code == MB_TOO_FEW ? in->len - in->pos : code;
    if (strcmp(job->errors, "replace") == 0) {
        Py_UCS4 mark = '?';
        struct mb_text text = {PyUnicode_4BYTE_KIND, &mark, 0, 1};
        int rc = job->codec->encode(job->codec, job->state, &text, &job->out, true);
        if (rc == MB_FAILED || (rc != MB_DONE && mb_put(&job->out, "?", 1) < 0)) {
            return -1;
        }
    }
    if (strcmp(job->errors, "replace") == 0 || strcmp(job->errors, "ignore") == 0) {
        in->pos += size;
        return 0;
    }
    if (set_error(&job->error, PyExc_UnicodeEncodeError, job->codec->name, job->text, in->pos,
                  in->pos + size, reason_of(code))
        < 0) {
        return -1;
    }
    if (strcmp(job->errors, "strict") == 0) {
        PyCodec_StrictErrors(job->error);
        return -1;
    }
    Py_ssize_t pos = 0;
    PyObject *answer = ask_handler(job->errors, job->error, in->len, true, &pos);
    int rc = answer ? put_replacement(job, PyTuple_GET_ITEM(answer, 0)) : -1;
    Py_XDECREF(answer);
    in->pos = pos;
    return rc < 0 ? -1 : 0;
}

/* Encodes up to the end, or, without `flush`, to where more is needed. */
static int encode_all(struct encoding *job, bool flush)
{
    for (unsigned count = 1; job->in.pos < job->in.len; count++) {
        int rc = job->codec->encode(job->codec, job->state, &job->in, &job->out, flush);
        if (rc == MB_DONE || (rc == MB_TOO_FEW && !flush)) {
            return 0;
        }
        if (rc == MB_FAILED || encode_error(job, rc) < 0
            || ((count & 0xfff) == 0 && PyErr_CheckSignals() < 0)) {
            return -1;
        }
    }
    return 0;
}

/* Encodes a str: new bytes; *used says how much of it. */
static PyObject *encode_text(const struct cjk_codec *codec, struct mb_state *state, PyObject *text,
                             const char *errors, bool final, Py_ssize_t *used)
{
    struct encoding job = {
        .codec = codec,
        .state = state,
        .text = text,
        .errors = errors,
        .in = {PyUnicode_KIND(text), PyUnicode_DATA(text), 0, PyUnicode_GET_LENGTH(text)},
    };
    int rc = encode_all(&job, final);
    if (rc == 0 && final && codec->encode_reset != NULL) {
        rc = codec->encode_reset(state, &job.out);
    }
    Py_XDECREF(job.error);
    if (rc < 0) {
        Py_XDECREF(job.out.bytes);
        return NULL;
    }
    if (used != NULL) {
        *used = job.in.pos;
    }
    return out_finish(&job.out);
}

/* ---- decoding ------------------------------------------------------------------------------- */

struct decoding {
    const struct cjk_codec *codec;
    struct mb_state *state;
    const char *errors;
    struct mb_bytes in;
    _PyUnicodeWriter writer;
    PyObject *error;
};

static void decoding_begin(struct decoding *job, const struct cjk_codec *codec,
                           struct mb_state *state, const char *errors, const void *data,
                           Py_ssize_t len)
{
    *job =
        (struct decoding){.codec = codec, .state = state, .errors = errors, .in = {data, 0, len}};
    _PyUnicodeWriter_Init(&job->writer);
    job->writer.overallocate = 1;
    job->writer.min_length = len;
}

static void decoding_abandon(struct decoding *job)
{
    _PyUnicodeWriter_Dealloc(&job->writer);
    Py_CLEAR(job->error);
}

static PyObject *decoding_finish(struct decoding *job)
{
    Py_CLEAR(job->error);
    return _PyUnicodeWriter_Finish(&job->writer);
}

static int decode_error(struct decoding *job, int code)
{
    struct mb_bytes *in = &job->in;
    Py_ssize_t size = in->len - in->pos;
    if (code > 0 && code < size) {
        size = code;
    }
    if (strcmp(job->errors, "ignore") == 0) {
        in->pos += size;
        return 0;
    }
    if (strcmp(job->errors, "replace") == 0) {
        in->pos += size;
        return mb_write(&job->writer, 0xfffd) < 0 ? -1 : 0;
    }
    PyObject *object =
        job->error ? NULL : PyBytes_FromStringAndSize((const char *)in->data, in->len);
    if (job->error == NULL && object == NULL) {
        return -1;
    }
    int rc = set_error(&job->error, PyExc_UnicodeDecodeError, job->codec->name, object, in->pos,
                       in->pos + size, reason_of(code));
    Py_XDECREF(object);
    if (rc < 0) {
        return -1;
    }
    if (strcmp(job->errors, "strict") == 0) {
        PyCodec_StrictErrors(job->error);
        return -1;
    }
    Py_ssize_t pos = 0;
    PyObject *answer = ask_handler(job->errors, job->error, in->len, false, &pos);
    if (answer == NULL) {
        return -1;
    }
    rc = _PyUnicodeWriter_WriteStr(&job->writer, PyTuple_GET_ITEM(answer, 0));
    Py_DECREF(answer);
    in->pos = pos;
    return rc;
}

/* Decodes up to the end, or, unless it is final, to where more is needed. */
static int decode_all(struct decoding *job, bool final)
{
    for (unsigned count = 1; job->in.pos < job->in.len; count++) {
        int rc = job->codec->decode(job->codec, job->state, &job->in, &job->writer);
        if (rc == MB_DONE || (rc == MB_TOO_FEW && !final)) {
            return 0;
        }
        if (rc == MB_FAILED || decode_error(job, rc) < 0
            || ((count & 0xfff) == 0 && PyErr_CheckSignals() < 0)) {
            return -1;
        }
    }
    return 0;
}

/* ---- MultibyteCodec ------------------------------------------------------------------------- */

static void state_init(struct mb_state *state, void (*init)(struct mb_state *))
{
    memset(state, 0, sizeof *state);
    if (init != NULL) {
        init(state);
    }
}

/* The input as str (new reference). */
static PyObject *as_text(PyObject *input)
{
    if (PyUnicode_Check(input)) {
        return Py_NewRef(input);
    }
    PyObject *text = PyObject_Str(input);
    if (text != NULL && !PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "couldn't convert the object to unicode.");
        Py_CLEAR(text);
    }
    return text;
}

static PyObject *codec_encode(struct codec_object *self, PyObject *input, const char *errors)
{
    PyObject *text = as_text(input);
    if (text == NULL) {
        return NULL;
    }
    struct mb_state state;
    state_init(&state, self->codec->encode_init);
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    PyObject *bytes =
        encode_text(self->codec, &state, text, errors ? errors : "strict", true, NULL);
    Py_DECREF(text);
    return bytes ? Py_BuildValue("Nn", bytes, length) : NULL;
}

static PyObject *codec_decode(struct codec_object *self, Py_buffer *input, const char *errors)
{
    struct mb_state state;
    struct decoding job;
    state_init(&state, self->codec->decode_init);
    decoding_begin(&job, self->codec, &state, errors ? errors : "strict", input->buf, input->len);
    if (decode_all(&job, true) < 0) {
        decoding_abandon(&job);
        return NULL;
    }
    PyObject *text = decoding_finish(&job);
    return text ? Py_BuildValue("Nn", text, input->len) : NULL;
}

static int codec_traverse(PyObject *op, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(op));
    return 0;
}

static void codec_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    PyObject_GC_UnTrack(op);
    type->tp_free(op);
    Py_DECREF(type);
}

static PyType_Slot codec_slots[] = {
    {Py_tp_traverse, codec_traverse},
    {Py_tp_dealloc, codec_dealloc},
    {Py_tp_getattro, PyObject_GenericGetAttr},
    {Py_tp_methods, codec_methods},
    {0, NULL},
};

static PyType_Spec codec_spec = {
    "_multibytecodec.MultibyteCodec",
    sizeof(struct codec_object),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION
        | Py_TPFLAGS_IMMUTABLETYPE,
    codec_slots,
};

PyObject *multibyte_codec_new(const struct cjk_codec *codec)
{
    PyObject *module = PyImport_ImportModule("_multibytecodec");
    if (module == NULL) {
        return NULL;
    }
    struct codec_object *self = NULL;
    if (PyModule_GetDef(module) == &multibyte_module) {
        struct multibyte_state *state = PyModule_GetState(module);
        self = type_make((PyTypeObject *)state->codec_type);
    } else {
        PyErr_SetString(PyExc_ImportError, "_multibytecodec is another module");
    }
    Py_DECREF(module);
    if (self != NULL) {
        self->codec = codec;
    }
    return (PyObject *)self;
}

/* ---- what the other types share ------------------------------------------------------------- */

static const char *errors_of(struct multibyte *self)
{
    return PyUnicode_AsUTF8(self->errors);
}

static PyObject *multibyte_get_errors(struct multibyte *self)
{
    return LOCKED(self, Py_NewRef(self->errors));
}

static int multibyte_set_errors(struct multibyte *self, PyObject *value)
{
    if (value == NULL) {
        PyErr_SetString(PyExc_AttributeError, "cannot delete attribute");
        return -1;
    }
    if (!PyUnicode_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "errors must be a string");
        return -1;
    }
    if (PyUnicode_AsUTF8(value) == NULL) {
        return -1;
    }
    PyObject *old;
    Py_BEGIN_CRITICAL_SECTION(self);
    old = self->errors;
    self->errors = Py_NewRef(value);
    Py_END_CRITICAL_SECTION();
    Py_DECREF(old);
    return 0;
}

#define ERRORS_OF(name)                                                                            \
    static PyObject *name##_get_errors(struct multibyte *self)                                     \
    {                                                                                              \
        return multibyte_get_errors(self);                                                         \
    }                                                                                              \
    static int name##_set_errors(struct multibyte *self, PyObject *value)                          \
    {                                                                                              \
        return multibyte_set_errors(self, value);                                                  \
    }

ERRORS_OF(encoder)
ERRORS_OF(decoder)
ERRORS_OF(reader)
ERRORS_OF(writer)

/* The codec is an attribute of the class, which is a subclass in the encodings package. */
static int take_codec(struct multibyte *self, PyTypeObject *type, bool encodes)
{
    PyObject *module = PyType_GetModuleByDef(type, &multibyte_module);
    PyObject *codec = module ? PyObject_GetAttrString((PyObject *)type, "codec") : NULL;
    if (codec == NULL) {
        return -1;
    }
    struct multibyte_state *state = PyModule_GetState(module);
    int rc = 0;
    if (Py_IS_TYPE(codec, (PyTypeObject *)state->codec_type)) {
        self->codec = ((struct codec_object *)codec)->codec;
        state_init(&self->state, encodes ? self->codec->encode_init : self->codec->decode_init);
    } else {
        PyErr_SetString(PyExc_TypeError, "codec is unexpected type");
        rc = -1;
    }
    Py_DECREF(codec);
    return rc;
}

static PyObject *multibyte_make(PyTypeObject *type, PyObject *stream, const char *errors,
                                bool encodes)
{
    struct multibyte *self = type_make(type);
    if (self == NULL) {
        return NULL;
    }
    self->errors = PyUnicode_FromString(errors);
    self->stream = Py_XNewRef(stream);
    if (self->errors == NULL || take_codec(self, type, encodes) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static PyObject *encoder_new(PyTypeObject *type, const char *errors)
{
    return multibyte_make(type, NULL, errors, true);
}

static PyObject *decoder_new(PyTypeObject *type, const char *errors)
{
    return multibyte_make(type, NULL, errors, false);
}

static PyObject *reader_new(PyTypeObject *type, PyObject *stream, const char *errors)
{
    return multibyte_make(type, stream, errors, false);
}

static PyObject *writer_new(PyTypeObject *type, PyObject *stream, const char *errors)
{
    return multibyte_make(type, stream, errors, true);
}

/* Everything was done in new; subclasses hand their arguments on to init. */
static int multibyte_init(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(args),
                          PyObject *Py_UNUSED(kwargs))
{
    return 0;
}

GC_OBJECT(multibyte, errors, stream, chars)

/* ---- pending characters --------------------------------------------------------------------- */

static int overflow(struct multibyte *self, PyObject *type, PyObject *object, Py_ssize_t end,
                    const char *reason)
{
    PyObject *error =
        PyObject_CallFunction(type, "sOnns", self->codec->name, object, (Py_ssize_t)0, end, reason);
    if (error != NULL) {
        PyErr_SetObject(type, error);
        Py_DECREF(error);
    }
    return -1;
}

/* Encodes what is pending and `input`; keeps what is not complete.  When it fails, what was pending
 * still is. */
static PyObject *encode_more(struct multibyte *self, PyObject *input, bool final)
{
    PyObject *text = as_text(input);
    if (text != NULL && self->chars != NULL) {
        Py_SETREF(text, PyUnicode_Concat(self->chars, text));
    }
    const char *errors = text ? errors_of(self) : NULL;
    Py_ssize_t used;
    PyObject *bytes =
        errors ? encode_text(self->codec, &self->state, text, errors, final, &used) : NULL;
    if (bytes != NULL) {
        Py_ssize_t length = PyUnicode_GET_LENGTH(text);
        PyObject *rest = NULL;
        int rc = 0;
        if (length - used > MAX_PENDING_CHARS) {
            rc = overflow(self, PyExc_UnicodeEncodeError, text, length, "pending buffer overflow");
        } else if (used < length) {
            rest = PyUnicode_Substring(text, used, length);
            rc = rest ? 0 : -1;
        }
        if (rc < 0) {
            Py_CLEAR(bytes);
        } else {
            field_set(&self->chars, rest);
        }
    }
    Py_XDECREF(text);
    return bytes;
}

static PyObject *encoder_encode(struct multibyte *self, PyObject *input, int final)
{
    return encode_more(self, input, final);
}

/* A number: from its lowest byte on, how long the pending text is as UTF-8, this text, and the
 * state of the codec. */
static PyObject *encoder_getstate(struct multibyte *self)
{
    unsigned char buffer[1 + MAX_PENDING_CHARS * 4 + sizeof self->state] = {0};
    Py_ssize_t len = 0;
    if (self->chars != NULL) {
        const char *text = PyUnicode_AsUTF8AndSize(self->chars, &len);
        if (text == NULL) {
            return NULL;
        }
        if (len > MAX_PENDING_CHARS * 4) {
            PyErr_SetString(PyExc_UnicodeError, "pending buffer too large");
            return NULL;
        }
        memcpy(buffer + 1, text, (size_t)len);
    }
    buffer[0] = (unsigned char)len;
    memcpy(buffer + 1 + len, self->state.c, sizeof self->state);
    return PyLong_FromUnsignedNativeBytes(buffer, (size_t)(1 + len) + sizeof self->state,
                                          Py_ASNATIVEBYTES_LITTLE_ENDIAN);
}

static int encoder_setstate(struct multibyte *self, PyObject *number)
{
    unsigned char buffer[1 + MAX_PENDING_CHARS * 4 + sizeof self->state] = {0};
    Py_ssize_t size =
        PyLong_AsNativeBytes(number, buffer, sizeof buffer,
                             Py_ASNATIVEBYTES_LITTLE_ENDIAN | Py_ASNATIVEBYTES_UNSIGNED_BUFFER
                                 | Py_ASNATIVEBYTES_REJECT_NEGATIVE);
    if (size < 0) {
        if (PyErr_ExceptionMatches(PyExc_ValueError)) {
            PyErr_SetString(PyExc_OverflowError, "can't convert negative int to unsigned");
        }
        return -1;
    }
    if (size > (Py_ssize_t)sizeof buffer) {
        PyErr_SetString(PyExc_OverflowError, "int too big to convert");
        return -1;
    }
    if (buffer[0] > MAX_PENDING_CHARS * 4) {
        PyErr_SetString(PyExc_UnicodeError, "pending buffer too large");
        return -1;
    }
    PyObject *chars = NULL;
    if (buffer[0] != 0) {
        chars = PyUnicode_DecodeUTF8((const char *)buffer + 1, buffer[0], "strict");
        if (chars == NULL) {
            return -1;
        }
    }
    memcpy(self->state.c, buffer + 1 + buffer[0], sizeof self->state);
    field_set(&self->chars, chars);
    return 0;
}

static int encoder_reset(struct multibyte *self)
{
    if (self->codec->encode_reset != NULL) {
        struct mb_out dropped = {NULL, 0};
        int rc = self->codec->encode_reset(&self->state, &dropped);
        Py_XDECREF(dropped.bytes);
        if (rc < 0) {
            return -1;
        }
    }
    Py_CLEAR(self->chars);
    return 0;
}

/* ---- pending bytes -------------------------------------------------------------------------- */

/* What is pending and the data behind it (new reference); forgets nothing. */
static PyObject *with_pending(struct multibyte *self, const void *data, Py_ssize_t len)
{
    PyObject *whole = PyBytes_FromStringAndSize(NULL, self->count + len);
    if (whole != NULL) {
        memcpy(PyBytes_AS_STRING(whole), self->bytes, (size_t)self->count);
        if (len > 0) {
            memcpy(PyBytes_AS_STRING(whole) + self->count, data, (size_t)len);
        }
    }
    return whole;
}

static int keep_rest(struct multibyte *self, const struct mb_bytes *in, PyObject *whole)
{
    Py_ssize_t left = in->len - in->pos;
    if (left > MAX_PENDING_BYTES) {
        return overflow(self, PyExc_UnicodeDecodeError, whole, in->len, "pending buffer overflow");
    }
    memcpy(self->bytes, in->data + in->pos, (size_t)left);
    self->count = (int)left;
    return 0;
}

static PyObject *decoder_decode(struct multibyte *self, Py_buffer *input, int final)
{
    PyObject *whole = with_pending(self, input->buf, input->len), *text = NULL;
    const char *errors = whole ? errors_of(self) : NULL;
    if (errors != NULL) {
        struct decoding job;
        decoding_begin(&job, self->codec, &self->state, errors, PyBytes_AS_STRING(whole),
                       PyBytes_GET_SIZE(whole));
        if (decode_all(&job, final) == 0 && keep_rest(self, &job.in, whole) == 0) {
            text = decoding_finish(&job);
        } else {
            decoding_abandon(&job);
        }
    }
    Py_XDECREF(whole);
    return text;
}

static PyObject *decoder_getstate(struct multibyte *self)
{
    PyObject *number = PyLong_FromUnsignedNativeBytes(self->state.c, sizeof self->state,
                                                      Py_ASNATIVEBYTES_LITTLE_ENDIAN);
    return number ? Py_BuildValue("y#N", self->bytes, (Py_ssize_t)self->count, number) : NULL;
}

static int decoder_setstate(struct multibyte *self, PyObject *state)
{
    if (PyTuple_GET_SIZE(state) != 2 || !PyBytes_Check(PyTuple_GET_ITEM(state, 0))
        || !PyLong_Check(PyTuple_GET_ITEM(state, 1))) {
        PyErr_SetString(PyExc_TypeError, "setstate(): illegal state argument");
        return -1;
    }
    PyObject *pending = PyTuple_GET_ITEM(state, 0);
    Py_ssize_t len = PyBytes_GET_SIZE(pending);
    unsigned char number[sizeof self->state];
    Py_ssize_t size =
        PyLong_AsNativeBytes(PyTuple_GET_ITEM(state, 1), number, sizeof number,
                             Py_ASNATIVEBYTES_LITTLE_ENDIAN | Py_ASNATIVEBYTES_UNSIGNED_BUFFER);
    if (size < 0) {
        return -1;
    }
    if (len > MAX_PENDING_BYTES) {
        return overflow(self, PyExc_UnicodeDecodeError, pending, len, "pending buffer too large");
    }
    memcpy(self->state.c, number, sizeof number);
    memcpy(self->bytes, PyBytes_AS_STRING(pending), (size_t)len);
    self->count = (int)len;
    return 0;
}

static int decoder_reset(struct multibyte *self)
{
    if (self->codec->decode_reset != NULL) {
        self->codec->decode_reset(&self->state);
    }
    self->count = 0;
    return 0;
}

/* ---- streams -------------------------------------------------------------------------------- */

/* Calls a method of the stream for bytes; a size below 0 is none. */
static PyObject *stream_bytes(struct multibyte *self, const char *method, Py_ssize_t size)
{
    PyObject *data = size < 0 ? PyObject_CallMethod(self->stream, method, NULL)
                              : PyObject_CallMethod(self->stream, method, "n", size);
    if (data != NULL && !PyBytes_Check(data)) {
        PyErr_Format(PyExc_TypeError, "stream function returned a non-bytes object (%.100s)",
                     Py_TYPE(data)->tp_name);
        Py_CLEAR(data);
    }
    return data;
}

/* One read of the stream.  1 and the text, 0 if nothing is complete yet, -1. */
static int read_once(struct multibyte *self, const char *method, Py_ssize_t size, PyObject **text)
{
    PyObject *data = stream_bytes(self, method, size);
    if (data == NULL) {
        return -1;
    }
    Py_ssize_t got = PyBytes_GET_SIZE(data);
    Py_SETREF(data, with_pending(self, PyBytes_AS_STRING(data), got));
    const char *errors = data ? errors_of(self) : NULL;
    int rc = -1;
    if (errors != NULL) {
        struct decoding job;
        decoding_begin(&job, self->codec, &self->state, errors, PyBytes_AS_STRING(data),
                       PyBytes_GET_SIZE(data));
        bool final = got == 0 || size < 0;
        if (decode_all(&job, final) < 0 || keep_rest(self, &job.in, data) < 0) {
            decoding_abandon(&job);
        } else if (final || job.writer.pos != 0) {
            *text = decoding_finish(&job);
            rc = *text ? 1 : -1;
        } else {
            decoding_abandon(&job);
            rc = 0;
        }
    }
    Py_XDECREF(data);
    return rc;
}

static PyObject *read_text(struct multibyte *self, const char *method, PyObject *size_object)
{
    Py_ssize_t size = -1;
    if (size_object != Py_None) {
        if (!PyLong_Check(size_object)) {
            PyErr_SetString(PyExc_TypeError, "arg 1 must be an integer");
            return NULL;
        }
        size = PyLong_AsSsize_t(size_object);
        if (size == -1 && PyErr_Occurred()) {
            return NULL;
        }
    }
    if (size == 0) {
        return PyUnicode_FromStringAndSize(NULL, 0);
    }
    PyObject *text = NULL;
    int rc;
    while ((rc = read_once(self, method, size, &text)) == 0) {
        size = 1; /* the rest of the first character */
    }
    return rc < 0 ? NULL : text;
}

static PyObject *reader_read(struct multibyte *self, PyObject *size)
{
    return read_text(self, "read", size);
}

static PyObject *reader_readline(struct multibyte *self, PyObject *size)
{
    return read_text(self, "readline", size);
}

static PyObject *reader_readlines(struct multibyte *self, PyObject *size)
{
    PyObject *text = read_text(self, "read", size);
    PyObject *lines = text ? PyUnicode_Splitlines(text, 1) : NULL;
    Py_XDECREF(text);
    return lines;
}

static int reader_reset(struct multibyte *self)
{
    return decoder_reset(self);
}

/* Writes bytes (stolen, may be NULL with an exception) to the stream. */
static int stream_write(struct multibyte *self, PyObject *bytes)
{
    PyObject *result = bytes ? PyObject_CallMethod(self->stream, "write", "O", bytes) : NULL;
    Py_XDECREF(bytes);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

static int writer_write(struct multibyte *self, PyObject *text)
{
    return stream_write(self, encode_more(self, text, false));
}

static int writer_writelines(struct multibyte *self, PyObject *lines)
{
    if (!PySequence_Check(lines)) {
        PyErr_SetString(PyExc_TypeError, "arg must be a sequence object");
        return -1;
    }
    for (Py_ssize_t i = 0; i < PySequence_Size(lines); i++) {
        PyObject *line = PySequence_GetItem(lines, i);
        int rc = line ? writer_write(self, line) : -1;
        Py_XDECREF(line);
        if (rc < 0) {
            return -1;
        }
    }
    return PyErr_Occurred() ? -1 : 0;
}

static int writer_reset(struct multibyte *self)
{
    if (self->chars == NULL) {
        return 0;
    }
    const char *errors = errors_of(self);
    PyObject *bytes =
        errors ? encode_text(self->codec, &self->state, self->chars, errors, true, NULL) : NULL;
    Py_CLEAR(self->chars);
    if (bytes != NULL && PyBytes_GET_SIZE(bytes) == 0) {
        Py_DECREF(bytes);
        return 0;
    }
    return stream_write(self, bytes);
}

/* ---- the types and the module --------------------------------------------------------------- */

#define MULTIBYTE_TYPE(name, pyname, ...)                                                          \
    static PyType_Slot name##_slots[] = {                                                          \
        GC_SLOTS(multibyte),                                                                       \
        {Py_tp_getattro, PyObject_GenericGetAttr},                                                 \
        {Py_tp_methods, name##_methods},                                                           \
        {Py_tp_getset, name##_getset},                                                             \
        {Py_tp_init, multibyte_init},                                                              \
        {Py_tp_new, bind_##name##_new},                                                            \
        __VA_ARGS__{0, NULL},                                                                      \
    };                                                                                             \
    static PyType_Spec name##_spec = {                                                             \
        "_multibytecodec." pyname,                                                                 \
        sizeof(struct multibyte),                                                                  \
        0,                                                                                         \
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,  \
        name##_slots,                                                                              \
    };

MULTIBYTE_TYPE(encoder, "MultibyteIncrementalEncoder", )
MULTIBYTE_TYPE(decoder, "MultibyteIncrementalDecoder", )
MULTIBYTE_TYPE(reader, "MultibyteStreamReader", {Py_tp_members, reader_members}, )
MULTIBYTE_TYPE(writer, "MultibyteStreamWriter", {Py_tp_members, writer_members}, )

static int multibyte_exec(PyObject *module)
{
    struct multibyte_state *state = PyModule_GetState(module);
    state->codec_type = (PyObject *)module_type(module, &codec_spec, false);
    PyType_Spec *const public[] = {&encoder_spec, &decoder_spec, &reader_spec, &writer_spec};
    for (size_t i = 0; i < sizeof public / sizeof *public; i++) {
        PyTypeObject *type = module_type(module, public[i], true);
        if (type == NULL) {
            return -1;
        }
        Py_DECREF(type);
    }
    return state->codec_type ? 0 : -1;
}

STATE_OBJECTS(multibyte)

static PyModuleDef_Slot multibyte_slots[] = MODULE_SLOTS(multibyte_exec);

static PyModuleDef multibyte_module = {
    PyModuleDef_HEAD_INIT,      .m_name = "_multibytecodec", .m_doc = multibyte_doc,
    .m_slots = multibyte_slots, STATE_FIELDS(multibyte),
};

MODULE_INIT(_multibytecodec, multibyte_module)
