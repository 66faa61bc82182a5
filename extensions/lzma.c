/* The module _lzma, over liblzma, which works without the interpreter's lock. */
#include "extensions/lzma_filters.h"
#include "stdlib/streams.h"

enum { FORMAT_AUTO, FORMAT_XZ, FORMAT_ALONE, FORMAT_RAW };
enum { CHECK_UNKNOWN = LZMA_CHECK_ID_MAX + 1 };

struct compressor {
    struct encoder base;
    lzma_stream stream;
};

struct decompressor {
    struct decoder base;
    lzma_stream stream;
    int check;
};

struct lzma_state {
    PyObject *error;
};

static PyModuleDef lzma_definition;

#include "lzma.bind.h"

/* LZMAError (borrowed). */
static PyObject *error_of(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &lzma_definition);
    return ((struct lzma_state *)PyModule_GetState(module))->error;
}

/* False with an exception for a code of an error. */
static bool check(lzma_ret code, PyObject *error)
{
    const char *text;
    switch (code) {
    case LZMA_OK:
    case LZMA_GET_CHECK:
    case LZMA_NO_CHECK:
    case LZMA_STREAM_END:
        return true;
    case LZMA_MEM_ERROR:
        PyErr_NoMemory();
        return false;
    case LZMA_UNSUPPORTED_CHECK:
        text = "Unsupported integrity check";
        break;
    case LZMA_MEMLIMIT_ERROR:
        text = "Memory usage limit exceeded";
        break;
    case LZMA_FORMAT_ERROR:
        text = "Input format not supported by decoder";
        break;
    case LZMA_OPTIONS_ERROR:
        text = "Invalid or unsupported options";
        break;
    case LZMA_DATA_ERROR:
        text = "Corrupt input data";
        break;
    case LZMA_BUF_ERROR:
        text = "Insufficient buffer space";
        break;
    case LZMA_PROG_ERROR:
        text = "Internal error";
        break;
    default:
        PyErr_Format(error, "Unrecognized error from liblzma: %d", (int)code);
        return false;
    }
    PyErr_SetString(error, text);
    return false;
}

static bool raise_value(const char *text)
{
    PyErr_SetString(PyExc_ValueError, text);
    return false;
}

static bool raise_format(int format)
{
    PyErr_Format(PyExc_ValueError, "Invalid container format: %d", format);
    return false;
}

/* Runs the library until the input is used up, the stream ends, or there is no room.  Notes the check of
 * the stream as soon as it is known. */
static lzma_ret run_stream(lzma_stream *stream, struct input *in, lzma_action action,
                           struct outflow *out, int *stream_check)
{
    lzma_ret code = LZMA_OK;
    stream->next_in = in->at;
    stream->avail_in = in->left;
    while (true) {
        size_t room = outflow_room(out);
        if (room == 0) {
            break;
        }
        stream->next_out = out->bytes + out->length;
        stream->avail_out = room;
        code = lzma_code(stream, action);
        out->length += room - stream->avail_out;
        if (code == LZMA_GET_CHECK || code == LZMA_NO_CHECK) {
            *stream_check = (int)lzma_get_check(stream);
            code = LZMA_OK;
            continue;
        }
        if (code == LZMA_BUF_ERROR) { /* nothing could be done: no input, or no room */
            code = LZMA_OK;
            break;
        }
        if (code != LZMA_OK
            || (stream->avail_in == 0 && stream->avail_out != 0 && action == LZMA_RUN)) {
            break;
        }
    }
    in->at = stream->next_in;
    in->left = stream->avail_in;
    return code;
}

/* ---- compressing ----------------------------------------------------------------------------- */

static bool start_xz(lzma_stream *stream, int check_id, uint32_t preset, PyObject *filters,
                     PyObject *error)
{
    struct filter_chain chain;
    if (check_id == -1) {
        check_id = LZMA_CHECK_CRC64;
    }
    if (filters == Py_None) {
        return check(lzma_easy_encoder(stream, preset, (lzma_check)check_id), error);
    }
    return filter_chain_read(&chain, filters, error)
           && check(lzma_stream_encoder(stream, chain.filters, (lzma_check)check_id), error);
}

static bool start_alone(lzma_stream *stream, uint32_t preset, PyObject *filters, PyObject *error)
{
    struct filter_chain chain;
    if (filters == Py_None) {
        if (lzma_lzma_preset(&chain.options[0].lzma, preset)) {
            PyErr_Format(error, "Invalid compression preset: %u", preset);
            return false;
        }
    } else if (!filter_chain_read(&chain, filters, error)) {
        return false;
    } else if (chain.filters[0].id != LZMA_FILTER_LZMA1
               || chain.filters[1].id != LZMA_VLI_UNKNOWN) {
        return raise_value("Invalid filter chain for FORMAT_ALONE - must be a single LZMA1 filter");
    }
    return check(lzma_alone_encoder(stream, &chain.options[0].lzma), error);
}

static bool start_raw(lzma_stream *stream, PyObject *filters, PyObject *error,
                      lzma_ret (*start)(lzma_stream *, const lzma_filter *))
{
    struct filter_chain chain;
    return filter_chain_read(&chain, filters, error) && check(start(stream, chain.filters), error);
}

static bool compressor_start(struct compressor *self, int format, int check_id,
                             PyObject *preset_arg, PyObject *filters)
{
    PyObject *error = error_of(Py_TYPE(self));
    uint32_t preset = LZMA_PRESET_DEFAULT;
    if (preset_arg != Py_None && filters != Py_None) {
        return raise_value("Cannot specify both preset and filter chain");
    }
    if (preset_arg != Py_None && !uint32_of(preset_arg, &preset)) {
        return false;
    }
    if (format != FORMAT_XZ && check_id != -1 && check_id != LZMA_CHECK_NONE) {
        return raise_value("Integrity checks are only supported by FORMAT_XZ");
    }
    switch (format) {
    case FORMAT_XZ:
        return start_xz(&self->stream, check_id, preset, filters, error);
    case FORMAT_ALONE:
        return start_alone(&self->stream, preset, filters, error);
    case FORMAT_RAW:
        return filters == Py_None ? raise_value("Must specify filters for FORMAT_RAW")
                                  : start_raw(&self->stream, filters, error, lzma_raw_encoder);
    }
    return raise_format(format);
}

static PyObject *compressor_new(PyTypeObject *type, int format, int check_id, PyObject *preset,
                                PyObject *filters)
{
    struct compressor *self = type_make(type);
    if (self != NULL) {
        self->stream = (lzma_stream)LZMA_STREAM_INIT;
        if (!compressor_start(self, format, check_id, preset, filters)) {
            Py_CLEAR(self);
        }
    }
    return (PyObject *)self;
}

static bool compressor_run(struct encoder *base, struct input in, bool finish, struct outflow *out)
{
    lzma_stream *stream = &((struct compressor *)base)->stream;
    int stream_check;
    lzma_ret code;
    Py_BEGIN_ALLOW_THREADS code =
        run_stream(stream, &in, finish ? LZMA_FINISH : LZMA_RUN, out, &stream_check);
    Py_END_ALLOW_THREADS return check(code, error_of(Py_TYPE(base)));
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
    PyTypeObject *type = Py_TYPE(op);
    lzma_end(&((struct compressor *)op)->stream);
    type->tp_free(op);
    Py_DECREF(type);
}

/* ---- decompressing --------------------------------------------------------------------------- */

static bool decompressor_start(struct decompressor *self, int format, PyObject *memlimit_arg,
                               PyObject *filters)
{
    const uint32_t flags = LZMA_TELL_ANY_CHECK | LZMA_TELL_NO_CHECK;
    PyObject *error = error_of(Py_TYPE(self));
    unsigned long long memlimit = UINT64_MAX;
    if (memlimit_arg != Py_None) {
        if (format == FORMAT_RAW) {
            return raise_value("Cannot specify memory limit with FORMAT_RAW");
        }
        if (!uint64_of(memlimit_arg, &memlimit)) {
            return false;
        }
    }
    if (format == FORMAT_RAW && filters == Py_None) {
        return raise_value("Must specify filters for FORMAT_RAW");
    }
    if (format != FORMAT_RAW && filters != Py_None) {
        return raise_value("Cannot specify filters except with FORMAT_RAW");
    }
    self->check = CHECK_UNKNOWN;
    switch (format) {
    case FORMAT_AUTO:
        return check(lzma_auto_decoder(&self->stream, memlimit, flags), error);
    case FORMAT_XZ:
        return check(lzma_stream_decoder(&self->stream, memlimit, flags), error);
    case FORMAT_ALONE:
        self->check = LZMA_CHECK_NONE;
        return check(lzma_alone_decoder(&self->stream, memlimit), error);
    case FORMAT_RAW:
        self->check = LZMA_CHECK_NONE;
        return start_raw(&self->stream, filters, error, lzma_raw_decoder);
    }
    return raise_format(format);
}

static PyObject *decompressor_new(PyTypeObject *type, int format, PyObject *memlimit,
                                  PyObject *filters)
{
    struct decompressor *self = type_make(type);
    if (self != NULL) {
        self->stream = (lzma_stream)LZMA_STREAM_INIT;
        if (!decoder_init(&self->base) || !decompressor_start(self, format, memlimit, filters)) {
            Py_CLEAR(self);
        }
    }
    return (PyObject *)self;
}

static enum decoder_state decompressor_run(struct decoder *base, struct input *in,
                                           struct outflow *out)
{
    struct decompressor *self = (struct decompressor *)base;
    lzma_ret code;
    Py_BEGIN_ALLOW_THREADS code = run_stream(&self->stream, in, LZMA_RUN, out, &self->check);
    Py_END_ALLOW_THREADS if (!check(code, error_of(Py_TYPE(self))))
    {
        return DECODER_FAILED;
    }
    return code == LZMA_STREAM_END ? DECODER_ENDED : DECODER_GOES_ON;
}

static PyObject *decompressor_decompress(struct decompressor *self, Py_buffer *data,
                                         Py_ssize_t max_length)
{
    return decoder_decompress(&self->base, data, outflow_start(OUTFLOW_FIRST, max_length),
                              decompressor_run, "Already at end of stream");
}

static PyObject *decompressor_get_unused_data(struct decompressor *self)
{
    return decoder_bytes(&self->base, &self->base.unused);
}

static void decompressor_dealloc(PyObject *op)
{
    struct decompressor *self = (struct decompressor *)op;
    lzma_end(&self->stream);
    decoder_free(&self->base);
}

/* ---- functions ------------------------------------------------------------------------------- */

static int lzma_module_is_check_supported(PyObject *Py_UNUSED(module), int check_id)
{
    return lzma_check_is_supported((lzma_check)check_id);
}

static PyObject *lzma_module_encode_filter_properties(PyObject *module, PyObject *spec)
{
    struct lzma_state *state = PyModule_GetState(module);
    struct filter_chain chain;
    uint32_t size;
    if (!filter_read(&chain, 0, spec, state->error)
        || !check(lzma_properties_size(&size, chain.filters), state->error)) {
        return NULL;
    }
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    if (bytes != NULL
        && !check(lzma_properties_encode(chain.filters, (uint8_t *)PyBytes_AS_STRING(bytes)),
                  state->error)) {
        Py_CLEAR(bytes);
    }
    return bytes;
}

static PyObject *lzma_module_decode_filter_properties(PyObject *module, unsigned long long id,
                                                      Py_buffer *encoded)
{
    struct lzma_state *state = PyModule_GetState(module);
    lzma_filter filter = {.id = id};
    if (!check(lzma_properties_decode(&filter, NULL, encoded->buf, (size_t)encoded->len),
               state->error)) {
        return NULL;
    }
    PyObject *dict = filter_to_dict(&filter);
    free(filter.options); /* allocated by the library */
    return dict;
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
    "_lzma.LZMACompressor",
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
    "_lzma.LZMADecompressor",
    sizeof(struct decompressor),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    decompressor_slots,
};

static const struct constant constants[] = {
    CONSTANT(FORMAT_AUTO),
    CONSTANT(FORMAT_XZ),
    CONSTANT(FORMAT_ALONE),
    CONSTANT(FORMAT_RAW),
    CONSTANT(CHECK_UNKNOWN),
    {"CHECK_NONE", LZMA_CHECK_NONE},
    {"CHECK_CRC32", LZMA_CHECK_CRC32},
    {"CHECK_CRC64", LZMA_CHECK_CRC64},
    {"CHECK_SHA256", LZMA_CHECK_SHA256},
    {"CHECK_ID_MAX", LZMA_CHECK_ID_MAX},
    {"FILTER_LZMA1", (long long)LZMA_FILTER_LZMA1},
    {"FILTER_LZMA2", LZMA_FILTER_LZMA2},
    {"FILTER_DELTA", LZMA_FILTER_DELTA},
    {"FILTER_X86", LZMA_FILTER_X86},
    {"FILTER_POWERPC", LZMA_FILTER_POWERPC},
    {"FILTER_IA64", LZMA_FILTER_IA64},
    {"FILTER_ARM", LZMA_FILTER_ARM},
    {"FILTER_ARMTHUMB", LZMA_FILTER_ARMTHUMB},
    {"FILTER_SPARC", LZMA_FILTER_SPARC},
    {"MF_HC3", LZMA_MF_HC3},
    {"MF_HC4", LZMA_MF_HC4},
    {"MF_BT2", LZMA_MF_BT2},
    {"MF_BT3", LZMA_MF_BT3},
    {"MF_BT4", LZMA_MF_BT4},
    {"MODE_FAST", LZMA_MODE_FAST},
    {"MODE_NORMAL", LZMA_MODE_NORMAL},
    {"PRESET_DEFAULT", LZMA_PRESET_DEFAULT},
    {"PRESET_EXTREME", LZMA_PRESET_EXTREME},
};

static int lzma_exec(PyObject *module)
{
    struct lzma_state *state = PyModule_GetState(module);
    state->error =
        PyErr_NewExceptionWithDoc("_lzma.LZMAError", "Call to liblzma failed.", NULL, NULL);
    if (state->error == NULL || PyModule_AddObjectRef(module, "LZMAError", state->error) < 0
        || module_constants(module, constants, Py_ARRAY_LENGTH(constants)) < 0) {
        return -1;
    }
    PyTypeObject *type = module_type(module, &compressor_spec, true);
    PyTypeObject *other = type ? module_type(module, &decompressor_spec, true) : NULL;
    Py_XDECREF(type);
    Py_XDECREF(other);
    return other ? 0 : -1;
}

STATE_OBJECTS(lzma)

static PyModuleDef_Slot lzma_slots[] = MODULE_SLOTS(lzma_exec);

static PyModuleDef lzma_definition = {
    PyModuleDef_HEAD_INIT,    .m_name = "_lzma",
    .m_doc = lzma_module_doc, .m_methods = lzma_module_methods,
    .m_slots = lzma_slots,    STATE_FIELDS(lzma),
};

MODULE_INIT(_lzma, lzma_definition)
