/* What sys shows of the build, the machine and the configuration. */

#include "interp/sys_info.h"
#include "interp/startup/startup.h"
#include "locking/config.h"
#include "interp/state.h"
#include "objects/error.h"
#include "objects/list.h"
#include "objects/namespace.h"

#include <float.h>
#include <string.h>

#ifdef __clang__
#define COMPILER "[Clang " __clang_version__ "]"
#else
#define COMPILER "[GCC " __VERSION__ "]"
#endif

const char *Py_GetCompiler(void)
{
    return COMPILER;
}

const char *Py_GetPlatform(void)
{
    return "linux";
}

const char *Py_GetCopyright(void)
{
    return "Copyright (c) the Krait developers.\n"
           "Python is a trademark of the Python Software Foundation.";
}

const char *Py_GetBuildInfo(void)
{
    return "krait " KRAIT_VERSION ", " __DATE__ ", " __TIME__;
}

/* "3.13.5 (krait 0.1.0, Nov 22 2026, ...) [GCC ...]", marked as CPython marks free-threaded builds. */
const char *Py_GetVersion(void)
{
    return PY_VERSION
#if KRAIT_FREE_THREADING
        " experimental free-threading build"
#endif
        " (krait " KRAIT_VERSION ", " __DATE__ ", " __TIME__ ") " COMPILER;
}

/* ---- struct sequences --------------------------------------------------------------------------------- */

/* A struct sequence of the given values (references taken over; NULL = failure): new reference. */
static PyObject *make_info(PyStructSequence_Desc *desc, PyObject *const *values)
{
    PyTypeObject *type = PyStructSequence_NewType(desc);
    PyObject *info = type == NULL ? NULL : PyStructSequence_New(type);
    int count = 0;
    while (desc->fields[count].name != NULL) {
        count++;
    }
    for (int i = 0; i < count; i++) {
        if (values[i] == NULL || info == NULL) {
            Py_CLEAR(info);
            Py_XDECREF(values[i]);
        } else {
            PyStructSequence_SetItem(info, i, values[i]);
        }
    }
    if (type != NULL) {
        /* Programs cannot make more of these. */
        type->tp_flags |= Py_TPFLAGS_DISALLOW_INSTANTIATION;
        type->tp_new = NULL;
        Py_DECREF(type);
    }
    return info;
}

static PyObject *int_of(long value)
{
    return PyLong_FromLong(value);
}

static PyObject *version_info(void)
{
    static PyStructSequence_Field fields[] = {
        {"major", "the first number of the version"},
        {"minor", "the second number, of the feature release"},
        {"micro", "the third number, of the bug-fix release"},
        {"releaselevel", "how far it is: 'alpha', 'beta', 'candidate' or 'final'"},
        {"serial", "which one of that level"},
        {NULL, NULL},
    };
    static PyStructSequence_Desc desc = {
        "sys.version_info", "sys.version_info\n\nThe version of the language, in parts.", fields,
        5};
    PyObject *values[] = {int_of(PY_MAJOR_VERSION), int_of(PY_MINOR_VERSION),
                          int_of(PY_MICRO_VERSION), PyUnicode_FromString("final"),
                          int_of(PY_RELEASE_SERIAL)};
    return make_info(&desc, values);
}

static PyObject *float_info(void)
{
    static PyStructSequence_Field fields[] = {
        {"max", "the largest finite float (DBL_MAX)"},
        {"max_exp", "the largest e for which radix**(e-1) is a finite float (DBL_MAX_EXP)"},
        {"max_10_exp", "the largest e for which 10**e is a finite float (DBL_MAX_10_EXP)"},
        {"min", "the smallest normalized float above zero (DBL_MIN)"},
        {"min_exp", "the smallest e for which radix**(e-1) is normalized (DBL_MIN_EXP)"},
        {"min_10_exp", "the smallest e for which 10**e is normalized (DBL_MIN_10_EXP)"},
        {"dig", "how many decimal digits always survive in a float (DBL_DIG)"},
        {"mant_dig", "how many digits of the radix the mantissa has (DBL_MANT_DIG)"},
        {"epsilon", "how far 1.0 is from the next larger float (DBL_EPSILON)"},
        {"radix", "the base of the exponent (FLT_RADIX)"},
        {"rounds", "how results are rounded (FLT_ROUNDS)"},
        {NULL, NULL},
    };
    static PyStructSequence_Desc desc = {
        "sys.float_info", "sys.float_info\n\nThe limits and the precision of floats.", fields, 11};
    PyObject *values[] = {PyFloat_FromDouble(DBL_MAX),
                          int_of(DBL_MAX_EXP),
                          int_of(DBL_MAX_10_EXP),
                          PyFloat_FromDouble(DBL_MIN),
                          int_of(DBL_MIN_EXP),
                          int_of(DBL_MIN_10_EXP),
                          int_of(DBL_DIG),
                          int_of(DBL_MANT_DIG),
                          PyFloat_FromDouble(DBL_EPSILON),
                          int_of(FLT_RADIX),
                          int_of(FLT_ROUNDS)};
    return make_info(&desc, values);
}

static PyObject *int_info(void)
{
    static PyStructSequence_Field fields[] = {
        {"bits_per_digit", "how many bits of an int one digit has"},
        {"sizeof_digit", "how many bytes one digit takes"},
        {"default_max_str_digits", "how many decimal digits int() and str() convert by default"},
        {"str_digits_check_threshold", "the smallest limit that may be set"},
        {NULL, NULL},
    };
    static PyStructSequence_Desc desc = {
        "sys.int_info", "sys.int_info\n\nHow ints are stored, and what limits their text.", fields,
        4};
    PyObject *values[] = {int_of(30), int_of(4), int_of(4300), int_of(640)};
    return make_info(&desc, values);
}

static PyObject *hash_info(void)
{
    static PyStructSequence_Field fields[] = {
        {"width", "how many bits a hash has"},
        {"modulus", "the prime by which hashes of numbers are reduced"},
        {"inf", "the hash of positive infinity"},
        {"nan", "not used any more"},
        {"imag", "by what the hash of an imaginary part is multiplied"},
        {"algorithm", "how str, bytes and memoryviews are hashed"},
        {"hash_bits", "how many bits that algorithm gives"},
        {"seed_bits", "how many bits its key has"},
        {"cutoff", "below which length a simpler algorithm is used"},
        {NULL, NULL},
    };
    static PyStructSequence_Desc desc = {"sys.hash_info", "hash_info\n\nHow hashes are computed.",
                                         fields, 9};
    PyObject *values[] = {
        int_of(64),      PyLong_FromSize_t(((size_t)1 << 61) - 1), int_of(314159), int_of(0),
        int_of(1000003), PyUnicode_FromString("siphash13"),        int_of(64),     int_of(128),
        int_of(0)};
    return make_info(&desc, values);
}

/* 1 where there is no choice, None where nothing was said. */
static PyObject *gil_choice(const PyConfig *config)
{
    const int *choice = lock_config_place((PyConfig *)config);
    return choice == NULL ? PyLong_FromLong(1)
           : *choice < 0  ? Py_NewRef(Py_None)
                          : PyLong_FromLong(*choice);
}

static PyObject *flags_info(const PyConfig *config)
{
    static PyStructSequence_Field fields[] = {
        {"debug", "-d"},
        {"inspect", "-i"},
        {"interactive", "-i"},
        {"optimize", "-O or -OO"},
        {"dont_write_bytecode", "-B"},
        {"no_user_site", "-s"},
        {"no_site", "-S"},
        {"ignore_environment", "-E"},
        {"verbose", "-v"},
        {"bytes_warning", "-b"},
        {"quiet", "-q"},
        {"hash_randomization", "-R"},
        {"isolated", "-I"},
        {"dev_mode", "-X dev"},
        {"utf8_mode", "-X utf8"},
        {"warn_default_encoding", "-X warn_default_encoding"},
        {"safe_path", "-P"},
        {"int_max_str_digits", "-X int_max_str_digits"},
        {"gil", "-X gil"},
        {NULL, NULL},
    };
    static PyStructSequence_Desc desc = {
        "sys.flags", "sys.flags\n\nWhat was set on the command line or in the environment.", fields,
        18};
    PyObject *values[] = {int_of(config->parser_debug),
                          int_of(config->inspect),
                          int_of(config->interactive),
                          int_of(config->optimization_level),
                          int_of(!config->write_bytecode),
                          int_of(!config->user_site_directory),
                          int_of(!config->site_import),
                          int_of(!config->use_environment),
                          int_of(config->verbose),
                          int_of(config->bytes_warning),
                          int_of(config->quiet),
                          int_of(config->use_hash_seed == 0 || config->hash_seed != 0),
                          int_of(config->isolated),
                          PyBool_FromLong(config->dev_mode),
                          int_of(preconfig_utf8_mode()),
                          int_of(config->warn_default_encoding),
                          PyBool_FromLong(config->safe_path),
                          int_of(config->int_max_str_digits),
                          gil_choice(config)};
    return make_info(&desc, values);
}

PyObject *thread_info(void)
{
    static PyStructSequence_Field fields[] = {
        {"name", "what threads are made of"},
        {"lock", "what locks are made of"},
        {"version", "which library, and its version"},
        {NULL, NULL},
    };
    static PyStructSequence_Desc desc = {
        "sys.thread_info", "sys.thread_info\n\nHow threads are implemented.", fields, 3};
    char version[64] = "";
    size_t length = confstr(_CS_GNU_LIBPTHREAD_VERSION, version, sizeof version);
    PyObject *values[] = {PyUnicode_FromString("pthread"), Py_NewRef(Py_None),
                          length == 0 ? Py_NewRef(Py_None) : PyUnicode_FromString(version)};
    return make_info(&desc, values);
}

static PyObject *implementation(PyObject *version)
{
    PyObject *krait = Py_BuildValue("(s)", KRAIT_VERSION);
    PyObject *attributes =
        Py_BuildValue("{sssssOskssss}", "name", "cpython", "cache_tag", KRAIT_CACHE_TAG, "version",
                      version, "hexversion", (unsigned long)PY_VERSION_HEX, "_multiarch",
                      KRAIT_MULTIARCH, "krait", KRAIT_VERSION);
    Py_XDECREF(krait);
    PyObject *result = attributes == NULL ? NULL : _PyNamespace_New(attributes);
    Py_XDECREF(attributes);
    return result;
}

/* ---- filling the module ---------------------------------------------------------------------------------- */

/* sys.name = value (reference taken over). -1 if the value is NULL. */
static int put(PyObject *dict, const char *name, PyObject *value)
{
    int result = value == NULL ? -1 : PyDict_SetItemString(dict, name, value);
    Py_XDECREF(value);
    return result;
}

static PyObject *wide_list(const PyWideStringList *list)
{
    PyObject *result = PyList_New(list->length);
    for (Py_ssize_t i = 0; i < list->length && result != NULL; i++) {
        PyObject *item = PyUnicode_FromWideChar(list->items[i], -1);
        if (item == NULL) {
            Py_CLEAR(result);
        } else {
            PyList_SET_ITEM(result, i, item);
        }
    }
    return result;
}

static PyObject *wide_or(const wchar_t *text, PyObject *fallback)
{
    return text == NULL ? Py_NewRef(fallback) : PyUnicode_FromWideChar(text, -1);
}

static PyObject *builtin_names(void)
{
    PyObject *list = list_new_presized(128);
    for (const struct _inittab *entry = PyImport_Inittab; entry->name != NULL && list != NULL;
         entry++) {
        PyObject *name = PyUnicode_FromString(entry->name);
        if (name == NULL || PyList_Append(list, name) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(name);
    }
    if (list == NULL || PyList_Sort(list) < 0) {
        Py_XDECREF(list);
        return NULL;
    }
    PyObject *tuple = PyList_AsTuple(list);
    Py_DECREF(list);
    return tuple;
}

static const char *const stdlib_names[] = {
#include "interp/stdlib_names.inc"
    NULL,
};

static PyObject *stdlib_module_names(void)
{
    PyObject *set = PySet_New(NULL);
    for (const char *const *name = stdlib_names; *name != NULL && set != NULL; name++) {
        PyObject *text = PyUnicode_FromString(*name);
        if (text == NULL || PySet_Add(set, text) < 0) {
            Py_CLEAR(set);
        }
        Py_XDECREF(text);
    }
    PyObject *frozen = set == NULL ? NULL : PyFrozenSet_New(set);
    Py_XDECREF(set);
    return frozen;
}

/* -X name[=value] as a dict name -> value or True. */
static PyObject *x_options(const PyWideStringList *list)
{
    PyObject *dict = PyDict_New();
    for (Py_ssize_t i = 0; i < list->length && dict != NULL; i++) {
        const wchar_t *text = list->items[i], *equals = wcschr(text, L'=');
        PyObject *name = PyUnicode_FromWideChar(text, equals == NULL ? -1 : equals - text);
        PyObject *value =
            equals == NULL ? Py_NewRef(Py_True) : PyUnicode_FromWideChar(equals + 1, -1);
        if (name == NULL || value == NULL || PyDict_SetItem(dict, name, value) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(name);
        Py_XDECREF(value);
    }
    return dict;
}

static int put_build(PyObject *dict)
{
    PyObject *version = version_info();
    if (version == NULL || PyDict_SetItemString(dict, "version_info", version) < 0) {
        Py_XDECREF(version);
        return -1;
    }
    int result = put(dict, "implementation", implementation(version));
    Py_DECREF(version);
    uint16_t probe = 1;
    bool little = *(unsigned char *)&probe == 1;
    return result < 0 || put(dict, "version", PyUnicode_FromString(Py_GetVersion())) < 0
                   || put(dict, "hexversion", PyLong_FromLong(PY_VERSION_HEX)) < 0
                   || put(dict, "_git", Py_BuildValue("(sss)", "CPython", "", "")) < 0
                   || put(dict, "_framework", PyUnicode_FromString("")) < 0
                   || put(dict, "api_version", int_of(PYTHON_API_VERSION)) < 0
                   || put(dict, "copyright", PyUnicode_FromString(Py_GetCopyright())) < 0
                   || put(dict, "platform", PyUnicode_FromString(Py_GetPlatform())) < 0
                   || put(dict, "maxsize", PyLong_FromSsize_t(PY_SSIZE_T_MAX)) < 0
                   || put(dict, "maxunicode", int_of(0x10ffff)) < 0
                   || put(dict, "float_info", float_info()) < 0
                   || put(dict, "int_info", int_info()) < 0
                   || put(dict, "hash_info", hash_info()) < 0
                   || put(dict, "thread_info", thread_info()) < 0
                   || put(dict, "monitoring", monitoring_module()) < 0
                   || put(dict, "builtin_module_names", builtin_names()) < 0
                   || put(dict, "stdlib_module_names", stdlib_module_names()) < 0
                   || put(dict, "byteorder", PyUnicode_FromString(little ? "little" : "big")) < 0
                   || put(dict, "abiflags", PyUnicode_FromString(KRAIT_ABIFLAGS)) < 0
                   || put(dict, "float_repr_style", PyUnicode_FromString("short")) < 0
               ? -1
               : 0;
}

/* The hooks as they are at start-up, under names with underscores. */
static int put_hooks(PyObject *dict)
{
    static const char *const hooks[] = {"displayhook", "excepthook", "breakpointhook",
                                        "unraisablehook"};
    for (size_t i = 0; i < sizeof hooks / sizeof hooks[0]; i++) {
        char name[32];
        snprintf(name, sizeof name, "__%s__", hooks[i]);
        PyObject *hook = PyDict_GetItemString(dict, hooks[i]);
        if (hook == NULL || PyDict_SetItemString(dict, name, hook) < 0) {
            return -1;
        }
    }
    return 0;
}

int sys_configure(struct main_interp *interp)
{
    PyObject *dict = interp->sys_dict;
    const PyConfig *config = &interp->config;
    PyObject *empty = PyUnicode_FromString("");
    int result =
        empty == NULL || put_build(dict) < 0 || put_hooks(dict) < 0
                || put(dict, "flags", flags_info(config)) < 0
                || put(dict, "argv", wide_list(&config->argv)) < 0
                || put(dict, "orig_argv", wide_list(&config->orig_argv)) < 0
                || put(dict, "path", wide_list(&config->module_search_paths)) < 0
                || put(dict, "warnoptions", wide_list(&config->warnoptions)) < 0
                || put(dict, "_xoptions", x_options(&config->xoptions)) < 0
                || put(dict, "executable", wide_or(config->executable, empty)) < 0
                || put(dict, "_base_executable", wide_or(config->base_executable, empty)) < 0
                || put(dict, "prefix", wide_or(config->prefix, empty)) < 0
                || put(dict, "exec_prefix", wide_or(config->exec_prefix, empty)) < 0
                || put(dict, "base_prefix", wide_or(config->base_prefix, empty)) < 0
                || put(dict, "base_exec_prefix", wide_or(config->base_exec_prefix, empty)) < 0
                || put(dict, "platlibdir", wide_or(config->platlibdir, empty)) < 0
                || put(dict, "_stdlib_dir", wide_or(config->stdlib_dir, Py_None)) < 0
                || put(dict, "pycache_prefix", wide_or(config->pycache_prefix, Py_None)) < 0
                || put(dict, "dont_write_bytecode", PyBool_FromLong(!config->write_bytecode)) < 0
                || put(dict, "meta_path", PyList_New(0)) < 0
                || put(dict, "path_hooks", PyList_New(0)) < 0
                || put(dict, "path_importer_cache", PyDict_New()) < 0
            ? -1
            : 0;
    Py_XDECREF(empty);
    return result;
}
