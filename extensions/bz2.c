/* The module _bz2, over libbz2, which works without the interpreter's lock. */
#include "stdlib/streams.h"

#include <bzlib.h>

struct compressor {
    struct encoder base;
    bz_stream stream;
    bool open;
};

struct decompressor {
    struct decoder base;
    bz_stream stream;
    bool open, broken;
};

#include "bz2.bind.h"

/* False with an exception for a code of an error. */
static bool check(int code)
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
        PyErr_SetString(PyExc_ValueError, "Internal error - invalid parameters passed to libbzip2");
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

static unsigned int clip(size_t size)
{
    return size < UINT_MAX ? (unsigned int)size : UINT_MAX;
}

/* ---- compressing ----------------------------------------------------------------------------- */

static PyObject *compressor_new(PyTypeObject *type, int level)
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

/* Takes the input in; with BZ_FINISH, until the stream has ended. */
static int run_compressor(bz_stream *stream, struct input in, int action, struct outflow *out)
{
    int code = BZ_OK;
    while (code >= 0 && code != BZ_STREAM_END && (in.left != 0 || action == BZ_FINISH)) {
        size_t room = outflow_room(out);
        if (room == 0) {
            break;
        }
        unsigned int part = clip(in.left), space = clip(room);
        stream->next_in = (char *)in.at;
        stream->avail_in = part;
        stream->next_out = (char *)out->bytes + out->length;
        stream->avail_out = space;
        code = BZ2_bzCompress(stream, part == in.left ? action : BZ_RUN);
        out->length += space - stream->avail_out;
        in.at += part - stream->avail_in;
        in.left -= part - stream->avail_in;
    }
    return code;
}

static bool compressor_run(struct encoder *base, struct input in, bool finish, struct outflow *out)
{
    bz_stream *stream = &((struct compressor *)base)->stream;
    int code;
    Py_BEGIN_ALLOW_THREADS code = run_compressor(stream, in, finish ? BZ_FINISH : BZ_RUN, out);
    Py_END_ALLOW_THREADS return check(code);
}

static PyObject *compressor_compress(struct compressor *self, Py_buffer *data)
{
    return encoder_compress(&self->base, data, compressor_run);
}

static PyObject *compressor_flush(struct compressor *self)
{
    return encoder_flush(&self->base, compressor_run);
}

static void compressor_dealloc(PyObject *op)
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

static PyObject *decompressor_new(PyTypeObject *type)
{
    struct decompressor *self = type_make(type);
    if (self == NULL) {
        return NULL;
    }
    self->open = decoder_init(&self->base) && check(BZ2_bzDecompressInit(&self->stream, 0, 0));
    if (!self->open) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static int run_decompressor(bz_stream *stream, struct input *in, struct outflow *out)
{
    int code = BZ_OK;
    bool full = false;
    do {
        size_t room = outflow_room(out);
        if (room == 0) {
            break;
        }
        unsigned int part = clip(in->left), space = clip(room);
        stream->next_in = (char *)in->at;
        stream->avail_in = part;
        stream->next_out = (char *)out->bytes + out->length;
        stream->avail_out = space;
        code = BZ2_bzDecompress(stream);
        full = stream->avail_out == 0;
        out->length += space - stream->avail_out;
        in->at += part - stream->avail_in;
        in->left -= part - stream->avail_in;
    } while (code == BZ_OK && (in->left != 0 || full));
    return code;
}

static enum decoder_state decompressor_run(struct decoder *base, struct input *in,
                                           struct outflow *out)
{
    struct decompressor *self = (struct decompressor *)base;
    int code;
    if (self->broken) {
        PyErr_SetString(PyExc_ValueError, "Decompressor is unusable after a previous error");
        return DECODER_FAILED;
    }
    Py_BEGIN_ALLOW_THREADS code = run_decompressor(&self->stream, in, out);
    Py_END_ALLOW_THREADS if (!check(code))
    {
        self->broken = true;
        base->needs_input = false;
        return DECODER_FAILED;
    }
    return code == BZ_STREAM_END ? DECODER_ENDED : DECODER_GOES_ON;
}

static PyObject *decompressor_decompress(struct decompressor *self, Py_buffer *data,
                                         Py_ssize_t max_length)
{
    return decoder_decompress(&self->base, data, outflow_start(OUTFLOW_FIRST, max_length),
                              decompressor_run, "End of stream already reached");
}

static PyObject *decompressor_get_unused_data(struct decompressor *self)
{
    return decoder_bytes(&self->base, &self->base.unused);
}

static void decompressor_dealloc(PyObject *op)
{
    struct decompressor *self = (struct decompressor *)op;
    if (self->open) {
        BZ2_bzDecompressEnd(&self->stream);
    }
    decoder_free(&self->base);
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
    "_bz2.BZ2Compressor",
    sizeof(struct compressor),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    compressor_slots,
};

static PyType_Slot decompressor_slots[] = {
    {Py_tp_new, bind_decompressor_new},
    {Py_tp_dealloc, decompressor_dealloc},
    {Py_tp_methods, decompressor_methods},
    {Py_tp_getset, decompressor_getset},
    {Py_tp_members, decompressor_members},
    {Py_tp_doc, (void *)decompressor_doc},
    {0, NULL},
};

static PyType_Spec decompressor_spec = {
    "_bz2.BZ2Decompressor",
    sizeof(struct decompressor),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    decompressor_slots,
};

static int bz2_exec(PyObject *module)
{
    PyTypeObject *type = module_type(module, &compressor_spec, true);
    PyTypeObject *other = type ? module_type(module, &decompressor_spec, true) : NULL;
    Py_XDECREF(type);
    Py_XDECREF(other);
    return other ? 0 : -1;
}

static PyModuleDef_Slot bz2_slots[] = MODULE_SLOTS(bz2_exec);

static PyModuleDef bz2_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_bz2",
    .m_doc = bz2_module_doc,
    .m_slots = bz2_slots,
};

MODULE_INIT(_bz2, bz2_module)
