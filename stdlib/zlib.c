/* The module zlib, over the library, which works without the interpreter's lock. */
#include "streams.h"

#include <zlib.h>

enum { DEF_BUF_SIZE = 16 * 1024, LARGE_DATA = 5 * 1024 };

#if MAX_MEM_LEVEL >= 8
enum { DEF_MEM_LEVEL = 8 };
#else
enum { DEF_MEM_LEVEL = MAX_MEM_LEVEL };
#endif

/* A compressor uses only the mutex of `base`. */
struct stream {
    struct decoder base;
    z_stream z;
    bool open, raw;
    PyObject *zdict; /* bytes, or NULL */
    PyObject *tail;  /* bytes: input that was not taken in yet */
};

struct zlib_module_state {
    PyObject *error, *deflater_type, *inflater_type, *puller_type;
};

static PyModuleDef zlib_definition;

#include "zlib.bind.h"

static struct zlib_module_state *state_of(struct stream *self)
{
    return PyModule_GetState(PyType_GetModuleByDef(Py_TYPE(self), &zlib_definition));
}

static void raise_zlib(PyObject *error, const z_stream *z, int code, const char *doing)
{
    const char *message = code == Z_VERSION_ERROR ? "library version mismatch" : z->msg;
    if (message == NULL) {
        message = code == Z_BUF_ERROR      ? "incomplete or truncated stream"
                  : code == Z_STREAM_ERROR ? "inconsistent stream state"
                  : code == Z_DATA_ERROR   ? "invalid input data"
                                           : NULL;
    }
    if (message == NULL) {
        PyErr_Format(error, "Error %d %s", code, doing);
    } else {
        PyErr_Format(error, "Error %d %s: %.200s", code, doing, message);
    }
}

/* ---- running a stream ----------------------------------------------------------------------- */

typedef int (*stepper)(z_stream *z, int flush);

static int set_dictionary(z_stream *z, PyObject *zdict)
{
    return inflateSetDictionary(z, (const Bytef *)PyBytes_AS_STRING(zdict),
                                (uInt)PyBytes_GET_SIZE(zdict));
}

/* Runs the stream over the input until that is used up, the stream ends, or the output has its limit.
 * Returns zlib's last code; Z_BUF_ERROR, which only says that nothing could be done, as Z_OK. */
static int run_stream(z_stream *z, stepper step, struct input *in, int flush, struct outflow *out,
                      PyObject *zdict)
{
    int code = Z_OK;
    do {
        uInt part = (uInt)Py_MIN(in->left, UINT_MAX);
        bool last = part == in->left;
        z->next_in = (Bytef *)in->at;
        z->avail_in = part;
        bool full = false;
        do {
            size_t room = outflow_room(out);
            if (room == 0) {
                code = out->no_memory ? Z_MEM_ERROR : code;
                last = true;
                break;
            }
            uInt space = (uInt)Py_MIN(room, UINT_MAX);
            z->next_out = out->bytes + out->length;
            z->avail_out = space;
            code = step(z, last ? flush : Z_NO_FLUSH);
            out->length += space - z->avail_out;
            full = z->avail_out == 0;
            if (code == Z_NEED_DICT && zdict != NULL) {
                code = set_dictionary(z, zdict);
                full = code == Z_OK;
            }
            /* Asked to finish, inflate calls it an error that the room is used up. */
        } while (full && (code == Z_OK || code == Z_BUF_ERROR));
        in->at += part - z->avail_in;
        in->left -= part - z->avail_in;
        if (last || z->avail_in != 0) {
            break;
        }
    } while (code == Z_OK && in->left > 0);
    return code == Z_BUF_ERROR ? Z_OK : code;
}

/* The same without the global lock. */
static int run_unlocked(z_stream *z, stepper step, struct input *in, int flush, struct outflow *out,
                        PyObject *zdict)
{
    int code;
    Py_BEGIN_ALLOW_THREADS code = run_stream(z, step, in, flush, out, zdict);
    Py_END_ALLOW_THREADS return code;
}

/* ---- at once -------------------------------------------------------------------------------- */

static PyObject *zlib_module_compress(PyObject *module, Py_buffer *data, int level, int wbits)
{
    PyObject *error = ((struct zlib_module_state *)PyModule_GetState(module))->error;
    z_stream z = {0};
    int code = deflateInit2(&z, level, Z_DEFLATED, wbits, DEF_MEM_LEVEL, Z_DEFAULT_STRATEGY);
    if (code != Z_OK) {
        if (code == Z_MEM_ERROR) {
            PyErr_SetString(PyExc_MemoryError, "Out of memory while compressing data");
        } else if (code == Z_STREAM_ERROR) {
            PyErr_SetString(error, "Bad compression level");
        } else {
            raise_zlib(error, &z, code, "while compressing data");
        }
        return NULL;
    }
    struct outflow out = outflow_start(DEF_BUF_SIZE, -1);
    code = run_unlocked(&z, deflate, &(struct input){data->buf, (size_t)data->len}, Z_FINISH, &out,
                        NULL);
    if (code == Z_MEM_ERROR) {
        PyErr_NoMemory();
    } else if (code != Z_STREAM_END) {
        raise_zlib(error, &z, code, "while compressing data");
    }
    PyObject *result = outflow_finish(&out, code == Z_STREAM_END);
    deflateEnd(&z);
    return result;
}

static PyObject *zlib_module_decompress(PyObject *module, Py_buffer *data, int wbits,
                                        Py_ssize_t bufsize)
{
    PyObject *error = ((struct zlib_module_state *)PyModule_GetState(module))->error;
    if (bufsize < 0) {
        PyErr_SetString(PyExc_ValueError, "bufsize must be non-negative");
        return NULL;
    }
    z_stream z = {0};
    int code = inflateInit2(&z, wbits);
    if (code != Z_OK) {
        if (code == Z_MEM_ERROR) {
            PyErr_SetString(PyExc_MemoryError, "Out of memory while decompressing data");
        } else {
            raise_zlib(error, &z, code, "while preparing to decompress data");
        }
        return NULL;
    }
    struct outflow out = outflow_start((size_t)bufsize, -1);
    code = run_unlocked(&z, inflate, &(struct input){data->buf, (size_t)data->len}, Z_SYNC_FLUSH,
                        &out, NULL);
    if (code == Z_MEM_ERROR) {
        PyErr_SetString(PyExc_MemoryError, "Out of memory while decompressing data");
    } else if (code != Z_STREAM_END) {
        raise_zlib(error, &z, code == Z_OK ? Z_BUF_ERROR : code, "while decompressing data");
    }
    PyObject *result = outflow_finish(&out, code == Z_STREAM_END);
    inflateEnd(&z);
    return result;
}

static unsigned int checksum(uLong (*sum)(uLong, const Bytef *, z_size_t), Py_buffer *data,
                             unsigned int value)
{
    uLong result = value;
    if (data->len > LARGE_DATA) {
        Py_BEGIN_ALLOW_THREADS result = sum(result, data->buf, (z_size_t)data->len);
        Py_END_ALLOW_THREADS
    } else {
        result = sum(result, data->buf, (z_size_t)data->len);
    }
    return (unsigned int)result;
}

static unsigned int zlib_module_adler32(PyObject *Py_UNUSED(module), Py_buffer *data,
                                        unsigned int value)
{
    return checksum(adler32_z, data, value);
}

static unsigned int zlib_module_crc32(PyObject *Py_UNUSED(module), Py_buffer *data,
                                      unsigned int value)
{
    return checksum(crc32_z, data, value);
}

/* ---- stream objects ------------------------------------------------------------------------- */

static struct stream *stream_make(PyObject *type)
{
    struct stream *self = type_make((PyTypeObject *)type);
    if (self == NULL) {
        return NULL;
    }
    self->tail = PyBytes_FromStringAndSize(NULL, 0);
    if (self->tail == NULL || !decoder_init(&self->base)) {
        Py_CLEAR(self);
    }
    return self;
}

/* A dictionary as bytes; *out NULL for none.  False with an exception. */
static bool dictionary_of(PyObject *zdict, PyObject **out)
{
    *out = NULL;
    if (zdict == NULL || zdict == Py_None) {
        return true;
    }
    *out = PyBytes_FromObject(zdict);
    if (*out != NULL && PyBytes_GET_SIZE(*out) > (Py_ssize_t)UINT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "zdict length does not fit in an unsigned int");
        Py_CLEAR(*out);
    }
    return *out != NULL;
}

/* Raises what the start of a stream gave; the stream is released. */
static PyObject *start_failed(struct stream *self, int code, const char *doing)
{
    if (code == Z_MEM_ERROR) {
        PyErr_Format(PyExc_MemoryError, "Can't allocate memory for %s object", doing);
    } else if (code == Z_STREAM_ERROR) {
        PyErr_SetString(PyExc_ValueError, "Invalid initialization option");
    } else {
        raise_zlib(state_of(self)->error, &self->z, code, "while creating a stream");
    }
    Py_DECREF(self);
    return NULL;
}

static PyObject *zlib_module_compressobj(PyObject *module, int level, int method, int wbits,
                                         int memLevel, int strategy, PyObject *zdict)
{
    struct zlib_module_state *state = PyModule_GetState(module);
    Py_buffer view;
    if (zdict != Py_None && PyObject_GetBuffer(zdict, &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    PyObject *dictionary = NULL;
    if (zdict != Py_None) {
        dictionary = PyBytes_FromStringAndSize(view.buf, view.len);
        PyBuffer_Release(&view);
        if (dictionary == NULL) {
            return NULL;
        }
    }
    struct stream *self = stream_make(state->deflater_type);
    if (self == NULL) {
        Py_XDECREF(dictionary);
        return NULL;
    }
    self->zdict = dictionary;
    int code = deflateInit2(&self->z, level, method, wbits, memLevel, strategy);
    if (code != Z_OK) {
        return start_failed(self, code, "compression");
    }
    self->open = true;
    if (dictionary != NULL) {
        code = deflateSetDictionary(&self->z, (const Bytef *)PyBytes_AS_STRING(dictionary),
                                    (uInt)PyBytes_GET_SIZE(dictionary));
        if (code != Z_OK) {
            PyErr_SetString(PyExc_ValueError, "Invalid dictionary");
            Py_CLEAR(self);
        }
    }
    return (PyObject *)self;
}

/* Starts a decompressor with a dictionary: a raw stream takes it now, others ask for it. */
static PyObject *inflater_start(struct stream *self, int wbits, PyObject *zdict)
{
    if (self == NULL || !dictionary_of(zdict, &self->zdict)) {
        Py_XDECREF(self);
        return NULL;
    }
    int code = inflateInit2(&self->z, wbits);
    if (code != Z_OK) {
        return start_failed(self, code, "decompression");
    }
    self->open = true;
    self->raw = wbits < 0;
    if (self->raw && self->zdict != NULL && set_dictionary(&self->z, self->zdict) != Z_OK) {
        raise_zlib(state_of(self)->error, &self->z, Z_STREAM_ERROR, "while setting zdict");
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static PyObject *zlib_module_decompressobj(PyObject *module, int wbits, PyObject *zdict)
{
    struct zlib_module_state *state = PyModule_GetState(module);
    if (zdict != NULL && !PyObject_CheckBuffer(zdict)) {
        PyErr_SetString(PyExc_TypeError, "zdict argument must support the buffer protocol");
        return NULL;
    }
    return inflater_start(stream_make(state->inflater_type), wbits, zdict);
}

static void stream_drop(PyObject *op, int (*end)(z_stream *))
{
    struct stream *self = (struct stream *)op;
    if (self->open) {
        end(&self->z);
    }
    Py_XDECREF(self->zdict);
    Py_XDECREF(self->tail);
    decoder_free(&self->base);
}

static void deflater_dealloc(PyObject *op)
{
    stream_drop(op, deflateEnd);
}

static void inflater_dealloc(PyObject *op)
{
    stream_drop(op, inflateEnd);
}

/* A stream in the same state. */
static PyObject *stream_copy(struct stream *self, int (*copy)(z_stream *, z_stream *))
{
    struct stream *other = stream_make((PyObject *)Py_TYPE(self));
    if (other == NULL) {
        return NULL;
    }
    PyMutex_Lock(&self->base.mutex);
    int code = copy(&other->z, &self->z);
    other->open = code == Z_OK;
    other->base.eof = self->base.eof;
    other->raw = self->raw;
    other->zdict = Py_XNewRef(self->zdict);
    field_set(&other->base.unused, Py_NewRef(self->base.unused));
    field_set(&other->tail, Py_NewRef(self->tail));
    PyMutex_Unlock(&self->base.mutex);
    if (code == Z_OK) {
        return (PyObject *)other;
    }
    if (code == Z_STREAM_ERROR) {
        PyErr_SetString(PyExc_ValueError, "Inconsistent stream state");
    } else if (code == Z_MEM_ERROR) {
        PyErr_SetString(PyExc_MemoryError, "Can't allocate memory for compression object");
    } else {
        raise_zlib(state_of(self)->error, &self->z, code, "while copying a stream");
    }
    Py_DECREF(other);
    return NULL;
}

/* ---- Compress ------------------------------------------------------------------------------- */

/* Runs the compressor with its mutex held. */
static PyObject *deflater_run(struct stream *self, struct input in, int flush, const char *doing)
{
    struct outflow out = outflow_start(DEF_BUF_SIZE, -1);
    int code = run_unlocked(&self->z, deflate, &in, flush, &out, NULL);
    if (code == Z_STREAM_END && flush == Z_FINISH) {
        code = deflateEnd(&self->z);
        self->open = false;
        memset(&self->z, 0, sizeof self->z);
    }
    if (code == Z_MEM_ERROR) {
        PyErr_NoMemory();
    } else if (code != Z_OK) {
        raise_zlib(state_of(self)->error, &self->z, code, doing);
    }
    return outflow_finish(&out, code == Z_OK);
}

static PyObject *deflater_compress(struct stream *self, Py_buffer *data)
{
    PyMutex_Lock(&self->base.mutex);
    PyObject *result = deflater_run(self, (struct input){data->buf, (size_t)data->len}, Z_NO_FLUSH,
                                    "while compressing data");
    PyMutex_Unlock(&self->base.mutex);
    return result;
}

static PyObject *deflater_flush(struct stream *self, int mode)
{
    if (mode == Z_NO_FLUSH) {
        return PyBytes_FromStringAndSize(NULL, 0);
    }
    PyMutex_Lock(&self->base.mutex);
    PyObject *result =
        deflater_run(self, (struct input){(const unsigned char *)"", 0}, mode, "while flushing");
    PyMutex_Unlock(&self->base.mutex);
    return result;
}

static PyObject *deflater_copy(struct stream *self)
{
    return stream_copy(self, deflateCopy);
}

static PyObject *deflater_copy_method(struct stream *self)
{
    return deflater_copy(self);
}

static PyObject *deflater_deepcopy(struct stream *self, PyObject *Py_UNUSED(memo))
{
    return deflater_copy(self);
}

/* ---- Decompress ----------------------------------------------------------------------------- */

/* Sets a field to the bytes [at, at + left); false with an exception. */
static bool field_bytes(PyObject **field, const unsigned char *at, size_t left)
{
    if (PyBytes_GET_SIZE(*field) == 0 && left == 0) {
        return true;
    }
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)at, (Py_ssize_t)left);
    if (bytes != NULL) {
        field_set(field, bytes);
    }
    return bytes != NULL;
}

/* Adds what follows the end of the stream to the unused data. */
static bool keep_unused(struct stream *self, const struct input *in)
{
    if (in->left == 0) {
        return true;
    }
    PyObject *more = PyBytes_FromStringAndSize((const char *)in->at, (Py_ssize_t)in->left);
    PyObject *all = more ? PySequence_Concat(self->base.unused, more) : NULL;
    Py_XDECREF(more);
    if (all != NULL) {
        field_set(&self->base.unused, all);
    }
    return all != NULL;
}

static enum decoder_state inflater_run(struct stream *self, struct input *in, int flush,
                                       struct outflow *out)
{
    int code = run_unlocked(&self->z, inflate, in, flush, out, self->raw ? NULL : self->zdict);
    if (code == Z_OK) {
        return DECODER_GOES_ON;
    }
    if (code == Z_STREAM_END) {
        return DECODER_ENDED;
    }
    if (code == Z_MEM_ERROR) {
        PyErr_NoMemory();
    } else {
        raise_zlib(state_of(self)->error, &self->z, code, "while decompressing data");
    }
    return DECODER_FAILED;
}

/* A step with the mutex held.  At the end of the stream what is left is unused, otherwise the tail. */
static PyObject *inflater_decompress_locked(struct stream *self, struct input in, int flush,
                                            struct outflow out)
{
    enum decoder_state state = inflater_run(self, &in, flush, &out);
    bool fine = state != DECODER_FAILED;
    if (state == DECODER_ENDED) {
        self->base.eof = true;
        fine = keep_unused(self, &in);
        in.left = 0;
    }
    return outflow_finish(&out, field_bytes(&self->tail, in.at, in.left) && fine);
}

static PyObject *inflater_decompress(struct stream *self, Py_buffer *data, Py_ssize_t max_length)
{
    if (max_length < 0) {
        PyErr_SetString(PyExc_ValueError, "max_length must be non-negative");
        return NULL;
    }
    PyMutex_Lock(&self->base.mutex);
    PyObject *result =
        inflater_decompress_locked(self, (struct input){data->buf, (size_t)data->len}, Z_SYNC_FLUSH,
                                   outflow_start(DEF_BUF_SIZE, max_length ? max_length : -1));
    PyMutex_Unlock(&self->base.mutex);
    return result;
}

static PyObject *inflater_flush(struct stream *self, Py_ssize_t length)
{
    if (length <= 0) {
        PyErr_SetString(PyExc_ValueError, "length must be greater than zero");
        return NULL;
    }
    PyMutex_Lock(&self->base.mutex);
    if (!self->open) { /* flushed before: there is nothing more */
        PyMutex_Unlock(&self->base.mutex);
        return PyBytes_FromStringAndSize(NULL, 0);
    }
    PyObject *tail = Py_NewRef(self->tail);
    struct input in = {(const unsigned char *)PyBytes_AS_STRING(tail),
                       (size_t)PyBytes_GET_SIZE(tail)};
    PyObject *result =
        inflater_decompress_locked(self, in, Z_FINISH, outflow_start((size_t)length, -1));
    Py_DECREF(tail);
    if (self->base.eof && self->open) {
        inflateEnd(&self->z);
        memset(&self->z, 0, sizeof self->z);
        self->open = false;
    }
    PyMutex_Unlock(&self->base.mutex);
    return result;
}

static PyObject *inflater_copy(struct stream *self)
{
    return stream_copy(self, inflateCopy);
}

static PyObject *inflater_copy_method(struct stream *self)
{
    return inflater_copy(self);
}

static PyObject *inflater_deepcopy(struct stream *self, PyObject *Py_UNUSED(memo))
{
    return inflater_copy(self);
}

static PyObject *inflater_get_unused_data(struct stream *self)
{
    return decoder_bytes(&self->base, &self->base.unused);
}

static PyObject *inflater_get_unconsumed_tail(struct stream *self)
{
    return decoder_bytes(&self->base, &self->tail);
}

/* ---- _ZlibDecompressor ---------------------------------------------------------------------- */

static PyObject *puller_new(PyTypeObject *type, int wbits, PyObject *zdict)
{
    if (zdict != NULL && !PyObject_CheckBuffer(zdict)) {
        PyErr_SetString(PyExc_TypeError, "zdict argument must support the buffer protocol");
        return NULL;
    }
    return inflater_start(stream_make((PyObject *)type), wbits, zdict);
}

static enum decoder_state puller_run(struct decoder *base, struct input *in, struct outflow *out)
{
    return inflater_run((struct stream *)base, in, Z_SYNC_FLUSH, out);
}

static PyObject *puller_decompress(struct stream *self, Py_buffer *data, Py_ssize_t max_length)
{
    return decoder_decompress(&self->base, data, outflow_start(DEF_BUF_SIZE, max_length),
                              puller_run, "End of stream already reached");
}

static PyObject *puller_get_unused_data(struct stream *self)
{
    return decoder_bytes(&self->base, &self->base.unused);
}

/* ---- the module ----------------------------------------------------------------------------- */

static PyType_Slot deflater_slots[] = {
    {Py_tp_dealloc, deflater_dealloc},
    {Py_tp_methods, deflater_methods},
    {0, NULL},
};

static PyType_Slot inflater_slots[] = {
    {Py_tp_dealloc, inflater_dealloc},
    {Py_tp_methods, inflater_methods},
    {Py_tp_getset, inflater_getset},
    {Py_tp_members, inflater_members},
    {0, NULL},
};

static PyType_Slot puller_slots[] = {
    {Py_tp_dealloc, inflater_dealloc},
    {Py_tp_methods, puller_methods},
    {Py_tp_getset, puller_getset},
    {Py_tp_members, puller_members},
    {Py_tp_doc, puller_doc},
    {Py_tp_new, bind_puller_new},
    {0, NULL},
};

static PyType_Spec deflater_spec = {
    "zlib.Compress",
    sizeof(struct stream),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    deflater_slots,
};

static PyType_Spec inflater_spec = {
    "zlib.Decompress",
    sizeof(struct stream),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    inflater_slots,
};

static PyType_Spec puller_spec = {
    "zlib._ZlibDecompressor",
    sizeof(struct stream),
    0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    puller_slots,
};

/* clang-format off */
static const struct constant zlib_constants[] = {
    CONSTANT(MAX_WBITS), {"DEFLATED", Z_DEFLATED}, CONSTANT(DEF_MEM_LEVEL),
    CONSTANT(DEF_BUF_SIZE), CONSTANT(Z_NO_COMPRESSION), CONSTANT(Z_BEST_SPEED),
    CONSTANT(Z_BEST_COMPRESSION), CONSTANT(Z_DEFAULT_COMPRESSION), CONSTANT(Z_FILTERED),
    CONSTANT(Z_HUFFMAN_ONLY), CONSTANT(Z_RLE), CONSTANT(Z_FIXED), CONSTANT(Z_DEFAULT_STRATEGY),
    CONSTANT(Z_NO_FLUSH), CONSTANT(Z_PARTIAL_FLUSH), CONSTANT(Z_SYNC_FLUSH),
    CONSTANT(Z_FULL_FLUSH), CONSTANT(Z_FINISH), CONSTANT(Z_BLOCK), CONSTANT(Z_TREES),
};
/* clang-format on */

static int zlib_module_exec(PyObject *module)
{
    struct zlib_module_state *state = PyModule_GetState(module);
    state->error = PyErr_NewException("zlib.error", NULL, NULL);
    state->deflater_type = (PyObject *)module_type(module, &deflater_spec, false);
    state->inflater_type = (PyObject *)module_type(module, &inflater_spec, false);
    state->puller_type = (PyObject *)module_type(module, &puller_spec, true);
    if (state->deflater_type == NULL || state->inflater_type == NULL || state->puller_type == NULL
        || PyModule_AddObjectRef(module, "error", state->error) < 0
        || PyModule_AddStringConstant(module, "ZLIB_VERSION", ZLIB_VERSION) < 0
        || PyModule_AddStringConstant(module, "ZLIB_RUNTIME_VERSION", zlibVersion()) < 0
        || PyModule_AddStringConstant(module, "__version__", "1.0") < 0) {
        return -1;
    }
    return module_constants(module, zlib_constants, Py_ARRAY_LENGTH(zlib_constants));
}

STATE_OBJECTS(zlib_module)

static PyModuleDef_Slot zlib_module_slots[] = MODULE_SLOTS(zlib_module_exec);

static PyModuleDef zlib_definition = {
    PyModuleDef_HEAD_INIT,        .m_name = "zlib",
    .m_doc = zlib_module_doc,     .m_methods = zlib_module_methods,
    .m_slots = zlib_module_slots, STATE_FIELDS(zlib_module),
};

MODULE_INIT(zlib, zlib_definition)
