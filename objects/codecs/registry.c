/* The codec registry: search functions, the cache of what they found, error handlers by name. */
#include "objects/codecs.h"

#include "objects/codecs/handlers.h"
#include "objects/str.h"

#include <ctype.h>

/* One registry per interpreter; made on first use. */
struct registry {
    PyMutex lock;          /* guards the making of the three */
    PyObject *search_path; /* list of functions */
    PyObject *cache;       /* dict: normalised name -> CodecInfo */
    PyObject *errors;      /* dict: name -> handler */
    int imported;          /* the encodings package has registered itself */
};

static struct registry registry;

/* ---- Names ---------------------------------------------------------------------------------- */

/* Lower case, everything but ASCII letters, digits and dots folded to one underscore. */
static bool name_fold(const char *name, char *out, size_t size)
{
    size_t n = 0;
    bool gap = false;
    for (; *name != '\0'; name++) {
        uint8_t c = (uint8_t)*name;
        if (Py_ISALNUM(c) || c == '.') {
            if (n + 2 + (gap && n > 0) > size) {
                return false;
            }
            if (gap && n > 0) {
                out[n++] = '_';
            }
            gap = false;
            out[n++] = (char)Py_TOLOWER(c);
        } else {
            gap = true;
        }
    }
    out[n] = '\0';
    return true;
}

enum codec_builtin codec_builtin_from_name(const char *encoding)
{
    static const struct {
        const char *name;
        enum codec_builtin codec;
    } known[] = {
        {"utf_8", CODEC_UTF_8},         {"utf8", CODEC_UTF_8},
        {"utf_16", CODEC_UTF_16},       {"utf16", CODEC_UTF_16},
        {"utf_16_le", CODEC_UTF_16_LE}, {"utf_16_be", CODEC_UTF_16_BE},
        {"utf_32", CODEC_UTF_32},       {"utf32", CODEC_UTF_32},
        {"utf_32_le", CODEC_UTF_32_LE}, {"utf_32_be", CODEC_UTF_32_BE},
        {"ascii", CODEC_ASCII},         {"us_ascii", CODEC_ASCII},
        {"latin1", CODEC_LATIN_1},      {"latin_1", CODEC_LATIN_1},
        {"iso_8859_1", CODEC_LATIN_1},  {"iso8859_1", CODEC_LATIN_1},
    };
    char name[12];
    if (!name_fold(encoding, name, sizeof name)) {
        return CODEC_NOT_BUILTIN;
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].name, name) == 0) {
            return known[i].codec;
        }
    }
    return CODEC_NOT_BUILTIN;
}

enum codec_errors codec_errors_from_name(const char *errors)
{
    static const struct {
        const char *name;
        enum codec_errors kind;
    } known[] = {
        {"strict", CODEC_ERRORS_STRICT},
        {"surrogateescape", CODEC_ERRORS_SURROGATEESCAPE},
        {"replace", CODEC_ERRORS_REPLACE},
        {"ignore", CODEC_ERRORS_IGNORE},
        {"backslashreplace", CODEC_ERRORS_BACKSLASHREPLACE},
        {"surrogatepass", CODEC_ERRORS_SURROGATEPASS},
        {"xmlcharrefreplace", CODEC_ERRORS_XMLCHARREFREPLACE},
    };
    if (errors == NULL) {
        return CODEC_ERRORS_STRICT;
    }
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].name, errors) == 0) {
            return known[i].kind;
        }
    }
    return CODEC_ERRORS_OTHER;
}

/* ---- The registry itself --------------------------------------------------------------------- */

static int registry_make(void)
{
    if (registry.search_path == NULL) {
        registry.search_path = PyList_New(0);
    }
    if (registry.cache == NULL) {
        registry.cache = PyDict_New();
    }
    if (registry.errors == NULL) {
        registry.errors = codec_handlers_make();
    }
    return registry.search_path == NULL || registry.cache == NULL || registry.errors == NULL ? -1
                                                                                             : 0;
}

static int registry_open(void)
{
    PyMutex_Lock(&registry.lock);
    int failed = registry_make();
    PyMutex_Unlock(&registry.lock);
    return failed;
}

/* The encodings package registers its search function when it is imported. */
static int registry_import(void)
{
    if (registry_open() < 0) {
        return -1;
    }
    if (__atomic_load_n(&registry.imported, __ATOMIC_ACQUIRE)) {
        return 0;
    }
    PyObject *module = PyImport_ImportModule("encodings");
    if (module == NULL) {
        return -1;
    }
    Py_DECREF(module);
    __atomic_store_n(&registry.imported, 1, __ATOMIC_RELEASE);
    return 0;
}

int codecs_init(struct interp_state *interp)
{
    (void)interp;
    return registry_open();
}

void codecs_fini(struct interp_state *interp)
{
    (void)interp;
    Py_CLEAR(registry.search_path);
    Py_CLEAR(registry.cache);
    Py_CLEAR(registry.errors);
    registry.imported = 0;
}

int PyCodec_Register(PyObject *search_function)
{
    if (registry_open() < 0) {
        return -1;
    }
    if (search_function == NULL) {
        PyErr_BadArgument();
        return -1;
    }
    if (!PyCallable_Check(search_function)) {
        PyErr_SetString(PyExc_TypeError, "argument must be callable");
        return -1;
    }
    return PyList_Append(registry.search_path, search_function);
}

int PyCodec_Unregister(PyObject *search_function)
{
    if (registry.search_path == NULL) {
        return 0;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(registry.search_path); i++) {
        PyObject *item = PyList_GetItemRef(registry.search_path, i);
        if (item == NULL) {
            return -1;
        }
        Py_DECREF(item);
        if (item == search_function) {
            PyDict_Clear(registry.cache);
            return PyList_SetSlice(registry.search_path, i, i + 1, NULL);
        }
    }
    return 0;
}

/* The name as search functions get it. */
static PyObject *normal_name(const char *encoding)
{
    size_t size = strlen(encoding) + 1;
    char *lower = PyMem_Malloc(size);
    if (lower == NULL) {
        return PyErr_NoMemory();
    }
    name_fold(encoding, lower, size);
    PyObject *name = PyUnicode_FromString(lower);
    PyMem_Free(lower);
    return name;
}

static PyObject *registry_search(PyObject *name, const char *encoding)
{
    if (PyList_GET_SIZE(registry.search_path) == 0) {
        PyErr_SetString(PyExc_LookupError,
                        "no codec search functions registered: can't find encoding");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(registry.search_path); i++) {
        PyObject *function = PyList_GetItemRef(registry.search_path, i);
        if (function == NULL) {
            return NULL;
        }
        PyObject *found = PyObject_CallOneArg(function, name);
        Py_DECREF(function);
        if (found == NULL) {
            return NULL;
        }
        if (found == Py_None) {
            Py_DECREF(found);
            continue;
        }
        if (!PyTuple_Check(found) || PyTuple_GET_SIZE(found) != 4) {
            PyErr_SetString(PyExc_TypeError, "codec search functions must return 4-tuples");
            Py_DECREF(found);
            return NULL;
        }
        return found;
    }
    PyErr_Format(PyExc_LookupError, "unknown encoding: %s", encoding);
    return NULL;
}

PyObject *codec_lookup(const char *encoding)
{
    if (encoding == NULL) {
        PyErr_BadArgument();
        return NULL;
    }
    if (registry_import() < 0) {
        return NULL;
    }
    PyObject *name = normal_name(encoding);
    if (name == NULL) {
        return NULL;
    }
    PyUnicode_InternInPlace(&name);
    PyObject *found;
    if (PyDict_GetItemRef(registry.cache, name, &found) == 0) {
        found = registry_search(name, encoding);
        if (found != NULL && PyDict_SetItem(registry.cache, name, found) < 0) {
            Py_CLEAR(found);
        }
    }
    Py_DECREF(name);
    return found;
}

bool codec_forget(const char *encoding)
{
    PyObject *name = registry.cache == NULL ? NULL : normal_name(encoding);
    bool dropped = name != NULL && PyDict_DelItem(registry.cache, name) == 0;
    PyErr_Clear();
    Py_XDECREF(name);
    return dropped;
}

int PyCodec_KnownEncoding(const char *encoding)
{
    PyObject *found = codec_lookup(encoding);
    if (found == NULL) {
        PyErr_Clear();
        return 0;
    }
    Py_DECREF(found);
    return 1;
}

/* ---- Parts of a codec ------------------------------------------------------------------------- */

static PyObject *codec_item(const char *encoding, Py_ssize_t index)
{
    PyObject *found = codec_lookup(encoding);
    if (found == NULL) {
        return NULL;
    }
    PyObject *item = Py_NewRef(PyTuple_GET_ITEM(found, index));
    Py_DECREF(found);
    return item;
}

PyObject *PyCodec_Encoder(const char *encoding)
{
    return codec_item(encoding, 0);
}

PyObject *PyCodec_Decoder(const char *encoding)
{
    return codec_item(encoding, 1);
}

/* factory(stream[, errors]) */
static PyObject *stream_make(const char *encoding, PyObject *stream, const char *errors,
                             Py_ssize_t index)
{
    PyObject *factory = codec_item(encoding, index);
    if (factory == NULL) {
        return NULL;
    }
    PyObject *result = errors != NULL ? PyObject_CallFunction(factory, "Os", stream, errors)
                                      : PyObject_CallOneArg(factory, stream);
    Py_DECREF(factory);
    return result;
}

PyObject *PyCodec_StreamReader(const char *encoding, PyObject *stream, const char *errors)
{
    return stream_make(encoding, stream, errors, 2);
}

PyObject *PyCodec_StreamWriter(const char *encoding, PyObject *stream, const char *errors)
{
    return stream_make(encoding, stream, errors, 3);
}

static PyObject *incremental_make(const char *encoding, const char *errors, const char *attribute)
{
    PyObject *info = codec_lookup(encoding);
    PyObject *factory = info == NULL ? NULL : PyObject_GetAttrString(info, attribute);
    Py_XDECREF(info);
    if (factory == NULL) {
        return NULL;
    }
    PyObject *result =
        errors != NULL ? PyObject_CallFunction(factory, "s", errors) : PyObject_CallNoArgs(factory);
    Py_DECREF(factory);
    return result;
}

PyObject *PyCodec_IncrementalEncoder(const char *encoding, const char *errors)
{
    return incremental_make(encoding, errors, "incrementalencoder");
}

PyObject *PyCodec_IncrementalDecoder(const char *encoding, const char *errors)
{
    return incremental_make(encoding, errors, "incrementaldecoder");
}

/* ---- Using a codec ---------------------------------------------------------------------------- */

/* function(object[, errors])[0]; steals `function` (may be NULL). */
static PyObject *codec_call(PyObject *function, PyObject *object, const char *encoding,
                            const char *errors, bool encoding_it)
{
    if (function == NULL) {
        return NULL;
    }
    PyObject *result = errors != NULL ? PyObject_CallFunction(function, "Os", object, errors)
                                      : PyObject_CallOneArg(function, object);
    Py_DECREF(function);
    if (result == NULL) {
        codec_note_failure(encoding_it ? "encoding" : "decoding", encoding);
        return NULL;
    }
    if (!PyTuple_Check(result) || PyTuple_GET_SIZE(result) != 2) {
        PyErr_SetString(PyExc_TypeError, encoding_it
                                             ? "encoder must return a tuple (object, integer)"
                                             : "decoder must return a tuple (object,integer)");
        Py_DECREF(result);
        return NULL;
    }
    PyObject *value = Py_NewRef(PyTuple_GET_ITEM(result, 0));
    Py_DECREF(result);
    return value;
}

PyObject *PyCodec_Encode(PyObject *object, const char *encoding, const char *errors)
{
    return codec_call(PyCodec_Encoder(encoding), object, encoding, errors, true);
}

PyObject *PyCodec_Decode(PyObject *object, const char *encoding, const char *errors)
{
    return codec_call(PyCodec_Decoder(encoding), object, encoding, errors, false);
}

PyObject *codec_lookup_text(const char *encoding, const char *alternate)
{
    PyObject *info = codec_lookup(encoding);
    if (info == NULL || PyTuple_CheckExact(info)) {
        return info; /* a plain tuple says nothing: taken for a text encoding */
    }
    PyObject *flag;
    int found = PyObject_GetOptionalAttrString(info, "_is_text_encoding", &flag);
    int is_text = found <= 0 ? found == 0 : PyObject_IsTrue(flag);
    if (found > 0) {
        Py_DECREF(flag);
    }
    if (is_text > 0) {
        return info;
    }
    Py_DECREF(info);
    if (is_text == 0) {
        PyErr_Format(PyExc_LookupError,
                     "'%.400s' is not a text encoding; use %s to handle arbitrary codecs", encoding,
                     alternate);
    }
    return NULL;
}

static PyObject *text_function(const char *encoding, const char *alternate, Py_ssize_t index)
{
    PyObject *info = codec_lookup_text(encoding, alternate);
    if (info == NULL) {
        return NULL;
    }
    PyObject *function = Py_NewRef(PyTuple_GET_ITEM(info, index));
    Py_DECREF(info);
    return function;
}

PyObject *codec_encode_text(PyObject *object, const char *encoding, const char *errors)
{
    return codec_call(text_function(encoding, "codecs.encode()", 0), object, encoding, errors,
                      true);
}

PyObject *codec_decode_text(PyObject *object, const char *encoding, const char *errors)
{
    return codec_call(text_function(encoding, "codecs.decode()", 1), object, encoding, errors,
                      false);
}

/* ---- Error handlers --------------------------------------------------------------------------- */

int PyCodec_RegisterError(const char *name, PyObject *handler)
{
    if (registry_open() < 0) {
        return -1;
    }
    if (!PyCallable_Check(handler)) {
        PyErr_SetString(PyExc_TypeError, "handler must be callable");
        return -1;
    }
    return PyDict_SetItemString(registry.errors, name, handler);
}

bool codec_checks_names;

int codec_check_names(const char *encoding, const char *errors)
{
    if (!codec_checks_names) {
        return 0;
    }
    if (encoding != NULL && codec_builtin_from_name(encoding) == CODEC_NOT_BUILTIN) {
        PyObject *codec = PyCodec_Encoder(encoding);
        if (codec == NULL) {
            return -1;
        }
        Py_DECREF(codec);
    }
    if (errors != NULL && codec_errors_from_name(errors) == CODEC_ERRORS_OTHER) {
        PyObject *handler = PyCodec_LookupError(errors);
        if (handler == NULL) {
            return -1;
        }
        Py_DECREF(handler);
    }
    return 0;
}

PyObject *PyCodec_LookupError(const char *name)
{
    if (registry_open() < 0) {
        return NULL;
    }
    name = name == NULL ? "strict" : name;
    PyObject *handler;
    if (PyDict_GetItemStringRef(registry.errors, name, &handler) == 0) {
        PyErr_Format(PyExc_LookupError, "unknown error handler name '%.400s'", name);
    }
    return handler;
}
