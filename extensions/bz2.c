/* The module _bz2, over libbz2.  A stream has a mutex, held while the library works without the
 * interpreter's lock. */
#include "extensions/streams.h"

#include <bzlib.h>

struct compressor {
    PyObject_HEAD
    bz_stream stream;
    PyMutex mutex;
    bool open, flushed;
};

struct decompressor {
    PyObject_HEAD
    bz_stream stream;
    PyMutex mutex;
    struct pending pending;
    PyObject *unused; /* bytes */
    bool open, eof, broken, needs_input;
};

#include "bz2.bind.h"

/* False with an exception for a code of an error. */
static bool
check(int code)
{
    switch (code) {
    case BZ_OK:
    case BZ_RUN_OK:
    case BZ_FLUSH_OK:
    case BZ_FINISH_OK:
    case BZ_STREAM_END:
        return true;
    case BZ_CONFIG_ERROR:
        PyErr_SetString(PyExc_SystemError, "libbzip2 was not compiled correctly");
        break;
    case BZ_PARAM_ERROR:
        PyErr_SetString(PyExc_ValueError,
                        "Internal error - invalid parameters passed to libbzip2");
        break;
    case BZ_MEM_ERROR:
        PyErr_NoMemory();
        break;
    case BZ_DATA_ERROR:
    case BZ_DATA_ERROR_MAGIC:
        PyErr_SetString(PyExc_OSError, "Invalid data stream");
        break;
    case BZ_UNEXPECTED_EOF:
        PyErr_SetString(PyExc_EOFError, "Compressed file ended before the logical end-of-stream "
                                        "was detected");
        break;
    case BZ_SEQUENCE_ERROR:
        PyErr_SetString(PyExc_RuntimeError,
                        "Internal error - Invalid sequence of commands sent to libbzip2");
        break;
    default:
        PyErr_Format(PyExc_OSError, "Unrecognized error from libbzip2: %d", code);
    }
    return false;
}

static unsigned int
clip(size_t size)
{
    return size < UINT_MAX ? (unsigned int)size : UINT_MAX;
}

/* ---- compressing ----------------------------------------------------------------------------- */

static PyObject *
compressor_new(PyTypeObject *type, int level)
{
    if (level < 1 || level > 9) {
        PyErr_SetString(PyExc_ValueError, "compresslevel must be between 1 and 9");
        return NULL;
    }
    struct compressor *self = type_make(type);
    if (self != NULL) {
        self->open = check(BZ2_bzCompressInit(&self->stream, level, 0, 0));
        if (!self->open) {
            Py_CLEAR(self);
        }
    }
    return (PyObject *)self;
}

/* Runs the library until the input is used up, or with BZ_FINISH until the stream has ended. */
static int
compress_run(bz_stream *stream, const unsigned char *at, size_t left, int action,
             struct output *out)
{
    int code = BZ_OK;
    while (left != 0 || action == BZ_FINISH) {
        size_t room = output_room(out);
        if (room == 0) {
            break;
        }
        unsigned int part = clip(left), space = clip(room);
        stream->next_in = (char *)at;
        stream->avail_in = part;
        stream->next_out = (char *)out->bytes + out->length;
        stream->avail_out = space;
        code = BZ2_bzCompress(stream, part == left ? action : BZ_RUN);
        out->length += space - stream->avail_out;
        at += part - stream->avail_in;
        left -= part - stream->avail_in;
        if (code < 0 || code == BZ_STREAM_END) {
            break;
        }
    }
    return code;
}

static PyObject *
compressor_step(struct compressor *self, const void *data, Py_ssize_t size, int action)
{
    struct output out = output_start(-1);
    int code;
    Py_BEGIN_ALLOW_THREADS
    code = compress_run(&self->stream, data, (size_t)size, action, &out);
    Py_END_ALLOW_THREADS
    return output_finish(&out, check(code));
}

static PyObject *
compressor_compress(struct compressor *self, Py_buffer *data)
{
    PyObject *result = NULL;
    STREAM_LOCK(self);
    if (self->flushed) {
        PyErr_SetString(PyExc_ValueError, "Compressor has been flushed");
    }
    else {
        result = compressor_step(self, data->buf, data->len, BZ_RUN);
    }
    STREAM_UNLOCK(self);
    return result;
}

static PyObject *
compressor_flush(struct compressor *self)
{
    PyObject *result = NULL;
    STREAM_LOCK(self);
    if (self->flushed) {
        PyErr_SetString(PyExc_ValueError, "Repeated call to flush()");
    }
    else {
        self->flushed = true;
        result = compressor_step(self, NULL, 0, BZ_FINISH);
    }
    STREAM_UNLOCK(self);
    return result;
}

static void
compressor_dealloc(PyObject *op)
{
    struct compressor *self = (struct compressor *)op;
    PyTypeObject *type = Py_TYPE(op);
    if (self->open) {
        BZ2_bzCompressEnd(&self->stream);
    }
    type->tp_free(op);
    Py_DECREF(type);
}

/* ---- decompressing --------------------------------------------------------------------------- */

static PyObject *
decompressor_new(PyTypeObject *type)
{
    struct decompressor *self = type_make(type);
    if (self == NULL) {
        return NULL;
    }
    self->needs_input = true;
    self->unused = PyBytes_FromStringAndSize(NULL, 0);
    self->open = self->unused != NULL && check(BZ2_bzDecompressInit(&self->stream, 0, 0));
    if (!self->open) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

/* Runs the library until the input is used up, the stream ends, or there is no room. */
static int
decompress_run(bz_stream *stream, const unsigned char **at, size_t *left, struct output *out)
{
    int code = BZ_OK;
    bool full;
    do {
        size_t room = output_room(out);
        if (room == 0) {
            break;
        }
        unsigned int part = clip(*left), space = clip(room);
        stream->next_in = (char *)*at;
        stream->avail_in = part;
        stream->next_out = (char *)out->bytes + out->length;
        stream->avail_out = space;
        code = BZ2_bzDecompress(stream);
        full = stream->avail_out == 0;
        out->length += space - stream->avail_out;
        *at += part - stream->avail_in;
        *left -= part - stream->avail_in;
    } while (code == BZ_OK && (*left != 0 || full));
    return code;
}

/* What remains to be done after a run: the input that is left, and the flags. */
static bool
decompressor_settle(struct decompressor *self, int code, const unsigned char *at, size_t left,
                    const struct output *out)
{
    if (!check(code)) {
        self->broken = true;
        self->needs_input = false;
        return false;
    }
    if (code != BZ_STREAM_END) {
        self->needs_input = left == 0 && out->length < out->limit;
        return pending_keep(&self->pending, at, left);
    }
    self->eof = true;
    self->needs_input = false;
    PyObject *unused = PyBytes_FromStringAndSize((const char *)at, (Py_ssize_t)left);
    if (unused == NULL) {
        return false;
    }
    field_set(&self->unused, unused);
    return pending_keep(&self->pending, NULL, 0);
}

static PyObject *
decompressor_step(struct decompressor *self, const Py_buffer *data, Py_ssize_t limit)
{
    struct output out = output_start(limit);
    const unsigned char *at;
    size_t left;
    int code;
    if (!pending_join(&self->pending, data, &at, &left)) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    code = decompress_run(&self->stream, &at, &left, &out);
    Py_END_ALLOW_THREADS
    return output_finish(&out, decompressor_settle(self, code, at, left, &out));
}

static PyObject *
decompressor_decompress(struct decompressor *self, Py_buffer *data, Py_ssize_t max_length)
{
    PyObject *result = NULL;
    STREAM_LOCK(self);
    if (self->eof) {
        PyErr_SetString(PyExc_EOFError, "End of stream already reached");
    }
    else if (self->broken) {
        PyErr_SetString(PyExc_ValueError, "Decompressor is unusable after a previous error");
    }
    else {
        result = decompressor_step(self, data, max_length);
    }
    STREAM_UNLOCK(self);
    return result;
}

static int
decompressor_get_eof(struct decompressor *self)
{
    return self->eof;
}

static int
decompressor_get_needs_input(struct decompressor *self)
{
    return self->needs_input;
}

static PyObject *
decompressor_get_unused_data(struct decompressor *self)
{
    STREAM_LOCK(self);
    PyObject *unused = Py_NewRef(self->unused);
    STREAM_UNLOCK(self);
    return unused;
}

static void
decompressor_dealloc(PyObject *op)
{
    struct decompressor *self = (struct decompressor *)op;
    PyTypeObject *type = Py_TYPE(op);
    if (self->open) {
        BZ2_bzDecompressEnd(&self->stream);
    }
    PyMem_Free(self->pending.bytes);
    Py_XDECREF(self->unused);
    type->tp_free(op);
    Py_DECREF(type);
}

/* ---- the module ------------------------------------------------------------------------------ */

static PyType_Slot compressor_slots[] = {
    {Py_tp_new, bind_compressor_new},
    {Py_tp_dealloc, compressor_dealloc},
    {Py_tp_methods, compressor_methods},
    {Py_tp_doc, (void *)compressor_doc},
    {0, NULL},
};

static PyType_Spec compressor_spec = {
    "_bz2.BZ2Compressor", sizeof(struct compressor), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, compressor_slots,
};

static PyType_Slot decompressor_slots[] = {
    {Py_tp_new, bind_decompressor_new},
    {Py_tp_dealloc, decompressor_dealloc},
    {Py_tp_methods, decompressor_methods},
    {Py_tp_getset, decompressor_getset},
    {Py_tp_doc, (void *)decompressor_doc},
    {0, NULL},
};

static PyType_Spec decompressor_spec = {
    "_bz2.BZ2Decompressor", sizeof(struct decompressor), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, decompressor_slots,
};

static int
bz2_exec(PyObject *module)
{
    PyTypeObject *type = module_type(module, &compressor_spec, true);
    PyTypeObject *other = type ? module_type(module, &decompressor_spec, true) : NULL;
    Py_XDECREF(type);
    Py_XDECREF(other);
    return other ? 0 : -1;
}

static PyModuleDef_Slot bz2_slots[] = MODULE_SLOTS(bz2_exec);

static PyModuleDef bz2_module = {
    PyModuleDef_HEAD_INIT, .m_name = "_bz2", .m_doc = bz2_module_doc, .m_slots = bz2_slots,
};

MODULE_INIT(_bz2, bz2_module)
