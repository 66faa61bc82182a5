/* Reading and writing chains of filters. */
#include "extensions/lzma_filters.h"

bool uint64_of(PyObject *arg, unsigned long long *out)
{
    *out = PyLong_AsUnsignedLongLong(arg);
    return *out != (unsigned long long)-1 || !PyErr_Occurred();
}

bool uint32_of(PyObject *arg, uint32_t *out)
{
    unsigned long long value;
    if (!uint64_of(arg, &value)) {
        return false;
    }
    if (value > UINT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "Value too large for uint32_t type");
        return false;
    }
    *out = (uint32_t)value;
    return true;
}

/* Where a named option goes. */
struct option {
    const char *name;
    uint32_t *value;
};

static bool option_store(const struct option *options, int count, PyObject *key, PyObject *value)
{
    if (!PyUnicode_Check(key)) {
        return false;
    }
    for (int i = 0; i < count; i++) {
        if (PyUnicode_EqualToUTF8(key, options[i].name)) {
            return options[i].value == NULL || uint32_of(value, options[i].value);
        }
    }
    return false;
}

/* Stores the options of a dict; any other key, or a value that is no such number, is an error. */
static bool options_read(PyObject *spec, const struct option *options, int count, const char *what)
{
    PyObject *items = PyMapping_Items(spec);
    if (items == NULL) {
        return false;
    }
    bool fine = true;
    for (Py_ssize_t i = 0; fine && i < PyList_GET_SIZE(items); i++) {
        PyObject *item = PyList_GET_ITEM(items, i);
        fine =
            PyTuple_Check(item) && PyTuple_GET_SIZE(item) == 2
            && option_store(options, count, PyTuple_GET_ITEM(item, 0), PyTuple_GET_ITEM(item, 1));
    }
    Py_DECREF(items);
    if (!fine) {
        PyErr_Format(PyExc_ValueError, "Invalid filter specifier for %s filter", what);
    }
    return fine;
}

#define READ(spec, what, ...)                                                                      \
    __extension__({                                                                                \
        const struct option options_[] = {{"id", NULL}, __VA_ARGS__};                              \
        options_read(spec, options_, (int)Py_ARRAY_LENGTH(options_), what);                        \
    })

static bool lzma_options_read(lzma_options_lzma *options, PyObject *spec, PyObject *error)
{
    uint32_t preset = LZMA_PRESET_DEFAULT;
    PyObject *given;
    if (PyMapping_GetOptionalItemString(spec, "preset", &given) < 0) {
        return false;
    }
    bool fine = given == NULL || uint32_of(given, &preset);
    Py_XDECREF(given);
    if (!fine) {
        return false;
    }
    if (lzma_lzma_preset(options, preset)) {
        PyErr_Format(error, "Invalid compression preset: %u", preset);
        return false;
    }
    uint32_t mode = options->mode, finder = options->mf;
    fine = READ(spec, "LZMA", {"preset", NULL}, {"dict_size", &options->dict_size},
                {"lc", &options->lc}, {"lp", &options->lp}, {"pb", &options->pb}, {"mode", &mode},
                {"nice_len", &options->nice_len}, {"mf", &finder}, {"depth", &options->depth});
    options->mode = (lzma_mode)mode;
    options->mf = (lzma_match_finder)finder;
    return fine;
}

static bool filter_id(PyObject *spec, lzma_vli *id)
{
    if (!PyMapping_Check(spec)) {
        PyErr_SetString(PyExc_TypeError, "Filter specifier must be a dict or dict-like object");
        return false;
    }
    PyObject *given;
    if (PyMapping_GetOptionalItemString(spec, "id", &given) < 0) {
        return false;
    }
    if (given == NULL) {
        PyErr_SetString(PyExc_ValueError, "Filter specifier must have an \"id\" entry");
        return false;
    }
    unsigned long long value;
    bool fine = uint64_of(given, &value);
    Py_DECREF(given);
    *id = value;
    return fine;
}

bool filter_read(struct filter_chain *chain, int at, PyObject *spec, PyObject *error)
{
    lzma_filter *filter = &chain->filters[at];
    memset(&chain->options[at], 0, sizeof chain->options[at]);
    filter->options = &chain->options[at];
    if (!filter_id(spec, &filter->id)) {
        return false;
    }
    switch (filter->id) {
    case LZMA_FILTER_LZMA1:
    case LZMA_FILTER_LZMA2:
        return lzma_options_read(&chain->options[at].lzma, spec, error);
    case LZMA_FILTER_DELTA:
        chain->options[at].delta.type = LZMA_DELTA_TYPE_BYTE;
        chain->options[at].delta.dist = 1;
        return READ(spec, "delta", {"dist", &chain->options[at].delta.dist});
    case LZMA_FILTER_X86:
    case LZMA_FILTER_POWERPC:
    case LZMA_FILTER_IA64:
    case LZMA_FILTER_ARM:
    case LZMA_FILTER_ARMTHUMB:
    case LZMA_FILTER_SPARC:
        return READ(spec, "BCJ", {"start_offset", &chain->options[at].bcj.start_offset});
    }
    PyErr_Format(PyExc_ValueError, "Invalid filter ID: %llu", (unsigned long long)filter->id);
    return false;
}

bool filter_chain_read(struct filter_chain *chain, PyObject *specs, PyObject *error)
{
    Py_ssize_t count = PySequence_Size(specs);
    if (count < 0) {
        return false;
    }
    if (count > LZMA_FILTERS_MAX) {
        PyErr_Format(PyExc_ValueError, "Too many filters - liblzma supports a maximum of %d",
                     LZMA_FILTERS_MAX);
        return false;
    }
    for (int i = 0; i < count; i++) {
        PyObject *spec = PySequence_GetItem(specs, i);
        bool fine = spec != NULL && filter_read(chain, i, spec, error);
        Py_XDECREF(spec);
        if (!fine) {
            return false;
        }
    }
    chain->filters[count] = (lzma_filter){.id = LZMA_VLI_UNKNOWN};
    return true;
}

/* ---- writing --------------------------------------------------------------------------------- */

static bool dict_put(PyObject *dict, const char *name, unsigned long long number)
{
    PyObject *value = PyLong_FromUnsignedLongLong(number);
    bool fine = value != NULL && PyDict_SetItemString(dict, name, value) == 0;
    Py_XDECREF(value);
    return fine;
}

static bool options_put(PyObject *dict, const lzma_filter *filter)
{
    const lzma_options_lzma *lzma = filter->options;
    const lzma_options_delta *delta = filter->options;
    const lzma_options_bcj *bcj = filter->options;
    switch (filter->id) {
    case LZMA_FILTER_LZMA1:
        return dict_put(dict, "dict_size", lzma->dict_size) && dict_put(dict, "lc", lzma->lc)
               && dict_put(dict, "lp", lzma->lp) && dict_put(dict, "pb", lzma->pb);
    case LZMA_FILTER_LZMA2:
        return dict_put(dict, "dict_size", lzma->dict_size);
    case LZMA_FILTER_DELTA:
        return dict_put(dict, "dist", delta->dist);
    case LZMA_FILTER_X86:
    case LZMA_FILTER_POWERPC:
    case LZMA_FILTER_IA64:
    case LZMA_FILTER_ARM:
    case LZMA_FILTER_ARMTHUMB:
    case LZMA_FILTER_SPARC:
        return bcj == NULL || dict_put(dict, "start_offset", bcj->start_offset);
    }
    PyErr_Format(PyExc_ValueError, "Invalid filter ID: %llu", (unsigned long long)filter->id);
    return false;
}

PyObject *filter_to_dict(const lzma_filter *filter)
{
    PyObject *dict = PyDict_New();
    if (dict != NULL && (!dict_put(dict, "id", filter->id) || !options_put(dict, filter))) {
        Py_CLEAR(dict);
    }
    return dict;
}
