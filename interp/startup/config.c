/* PyConfig and PyStatus: the configuration's API (PEP 587). */

#include "interp/startup/startup.h"
#include "locking/config.h"

#include <langinfo.h>
#include <stdlib.h>

#include <string.h>
#include <wchar.h>

/* ---- PyStatus ---------------------------------------------------------------------------------------- */

PyStatus PyStatus_Ok(void)
{
    return (PyStatus){._type = _PyStatus_TYPE_OK};
}

PyStatus PyStatus_Error(const char *message)
{
    return (PyStatus){._type = _PyStatus_TYPE_ERROR, .err_msg = message};
}

PyStatus PyStatus_NoMemory(void)
{
    return PyStatus_Error("memory allocation failed");
}

PyStatus PyStatus_Exit(int exitcode)
{
    return (PyStatus){._type = _PyStatus_TYPE_EXIT, .exitcode = exitcode};
}

int PyStatus_IsError(PyStatus status)
{
    return status._type == _PyStatus_TYPE_ERROR;
}

int PyStatus_IsExit(PyStatus status)
{
    return status._type == _PyStatus_TYPE_EXIT;
}

int PyStatus_Exception(PyStatus status)
{
    return status._type != _PyStatus_TYPE_OK;
}

void Py_ExitStatusException(PyStatus status)
{
    if (PyStatus_IsExit(status)) {
        exit(status.exitcode);
    }
    fprintf(stderr, "Fatal Python error: %s%s%s\n", status.func == NULL ? "" : status.func,
            status.func == NULL ? "" : ": ", status.err_msg == NULL ? "" : status.err_msg);
    exit(1);
}

/* ---- lists of strings ---------------------------------------------------------------------------------- */

static wchar_t *copy_wide(const wchar_t *text)
{
    size_t bytes = (wcslen(text) + 1) * sizeof *text;
    wchar_t *copy = PyMem_RawMalloc(bytes);
    if (copy != NULL) {
        memcpy(copy, text, bytes);
    }
    return copy;
}

PyStatus PyWideStringList_Insert(PyWideStringList *list, Py_ssize_t index, const wchar_t *item)
{
    if (index < 0) {
        return PyStatus_Error("PyWideStringList_Insert index must be >= 0");
    }
    index = index > list->length ? list->length : index;
    wchar_t *copy = copy_wide(item);
    wchar_t **items =
        copy == NULL ? NULL
                     : PyMem_RawRealloc(list->items, (size_t)(list->length + 1) * sizeof *items);
    if (items == NULL) {
        PyMem_RawFree(copy);
        return PyStatus_NoMemory();
    }
    memmove(items + index + 1, items + index, (size_t)(list->length - index) * sizeof *items);
    items[index] = copy;
    list->items = items;
    list->length++;
    return PyStatus_Ok();
}

PyStatus PyWideStringList_Append(PyWideStringList *list, const wchar_t *item)
{
    return PyWideStringList_Insert(list, list->length, item);
}

void wide_list_clear(PyWideStringList *list)
{
    for (Py_ssize_t i = 0; i < list->length; i++) {
        PyMem_RawFree(list->items[i]);
    }
    PyMem_RawFree(list->items);
    *list = (PyWideStringList){0, NULL};
}

static PyStatus list_set(PyWideStringList *list, Py_ssize_t length, wchar_t *const *items)
{
    PyWideStringList copy = {0, NULL};
    for (Py_ssize_t i = 0; i < length; i++) {
        PyStatus status = PyWideStringList_Append(&copy, items[i]);
        if (PyStatus_Exception(status)) {
            wide_list_clear(&copy);
            return status;
        }
    }
    wide_list_clear(list);
    *list = copy;
    return PyStatus_Ok();
}

/* ---- PyConfig -------------------------------------------------------------------------------------------- */

static void config_init(PyConfig *config)
{
    *config = (PyConfig){
        .isolated = -1,
        .use_environment = -1,
        .dev_mode = -1,
        .install_signal_handlers = 1,
        .use_hash_seed = -1,
        .faulthandler = -1,
        .tracemalloc = -1,
        .perf_profiling = -1,
        .code_debug_ranges = 1,
        .site_import = 1,
        .user_site_directory = -1,
        .write_bytecode = 1,
        .configure_c_stdio = 0,
        .buffered_stdio = 1,
        .use_frozen_modules = 1,
        .safe_path = 0,
        .int_max_str_digits = -1,
        .cpu_count = -1,
        .pathconfig_warnings = 1,
        .optimization_level = -1,
        .parser_debug = -1,
        .verbose = -1,
        .quiet = -1,
        .inspect = -1,
        .interactive = -1,
        .bytes_warning = -1,
        ._install_importlib = 1,
        ._init_main = 1,
        ._is_python_build = 0,
        .parse_argv = 0,
    };
    lock_config_set(config, -1);
}

void PyConfig_InitPythonConfig(PyConfig *config)
{
    config_init(config);
    config->configure_c_stdio = 1;
    config->parse_argv = 1;
}

void PyConfig_InitIsolatedConfig(PyConfig *config)
{
    config_init(config);
    config->isolated = 1;
    config->use_environment = 0;
    config->user_site_directory = 0;
    config->dev_mode = 0;
    config->install_signal_handlers = 0;
    config->use_hash_seed = 0;
    config->faulthandler = 0;
    config->tracemalloc = 0;
    config->perf_profiling = 0;
    config->int_max_str_digits = 4300;
    config->safe_path = 1;
    config->pathconfig_warnings = 0;
}

PyStatus PyConfig_SetString(PyConfig *config, wchar_t **field, const wchar_t *text)
{
    wchar_t *copy = text == NULL ? NULL : copy_wide(text);
    if (text != NULL && copy == NULL) {
        return PyStatus_NoMemory();
    }
    PyMem_RawFree(*field);
    *field = copy;
    return PyStatus_Ok();
}

PyStatus PyConfig_SetBytesString(PyConfig *config, wchar_t **field, const char *text)
{
    size_t length;
    wchar_t *wide = text == NULL ? NULL : Py_DecodeLocale(text, &length);
    if (text != NULL && wide == NULL) {
        return length == (size_t)-2 ? PyStatus_Error("cannot decode string") : PyStatus_NoMemory();
    }
    PyMem_RawFree(*field);
    *field = wide;
    return PyStatus_Ok();
}

PyStatus PyConfig_SetWideStringList(PyConfig *config, PyWideStringList *list, Py_ssize_t length,
                                    wchar_t **items)
{
    return list_set(list, length, items);
}

PyStatus PyConfig_SetArgv(PyConfig *config, Py_ssize_t argc, wchar_t *const *argv)
{
    return list_set(&config->argv, argc, argv);
}

PyStatus PyConfig_SetBytesArgv(PyConfig *config, Py_ssize_t argc, char *const *argv)
{
    PyWideStringList list = {0, NULL};
    for (Py_ssize_t i = 0; i < argc; i++) {
        wchar_t *wide = NULL;
        PyStatus status = PyConfig_SetBytesString(config, &wide, argv[i]);
        if (!PyStatus_Exception(status)) {
            status = PyWideStringList_Append(&list, wide);
        }
        PyMem_RawFree(wide);
        if (PyStatus_Exception(status)) {
            wide_list_clear(&list);
            return status;
        }
    }
    wide_list_clear(&config->argv);
    config->argv = list;
    return PyStatus_Ok();
}

/* Every string field, and every list. */
/* clang-format off */
#define EACH_STRING(X)                                                                            \
    X(dump_refs_file) X(filesystem_encoding) X(filesystem_errors) X(pycache_prefix)               \
    X(stdio_encoding) X(stdio_errors) X(check_hash_pycs_mode) X(program_name) X(pythonpath_env)   \
    X(home) X(platlibdir) X(stdlib_dir) X(executable) X(base_executable) X(prefix) X(base_prefix) \
    X(exec_prefix) X(base_exec_prefix) X(run_command) X(run_module) X(run_filename) X(sys_path_0)
/* clang-format on */
#define EACH_LIST(X) X(orig_argv) X(argv) X(xoptions) X(warnoptions) X(module_search_paths)

void PyConfig_Clear(PyConfig *config)
{
#define FREE_STRING(field)                                                                         \
    PyMem_RawFree(config->field);                                                                  \
    config->field = NULL;
#define FREE_LIST(field) wide_list_clear(&config->field);
    EACH_STRING(FREE_STRING)
    EACH_LIST(FREE_LIST)
    config->module_search_paths_set = 0;
}

PyStatus config_copy(PyConfig *to, const PyConfig *from)
{
    PyConfig copy = *from;
    PyStatus status = PyStatus_Ok();
#define DETACH_STRING(field) copy.field = NULL;
#define DETACH_LIST(field) copy.field = (PyWideStringList){0, NULL};
    EACH_STRING(DETACH_STRING)
    EACH_LIST(DETACH_LIST)
#define COPY_STRING(field)                                                                         \
    if (!PyStatus_Exception(status)) {                                                             \
        status = PyConfig_SetString(&copy, &copy.field, from->field);                              \
    }
#define COPY_LIST(field)                                                                           \
    if (!PyStatus_Exception(status)) {                                                             \
        status = list_set(&copy.field, from->field.length, from->field.items);                     \
    }
    EACH_STRING(COPY_STRING)
    EACH_LIST(COPY_LIST)
    if (PyStatus_Exception(status)) {
        PyConfig_Clear(&copy);
        return status;
    }
    PyConfig_Clear(to);
    *to = copy;
    return status;
}

/* A field that nobody has set. */
static inline void set_default(int *field, int value)
{
    if (*field < 0) {
        *field = value;
    }
}

static void set_defaults(PyConfig *config)
{
    set_default(&config->isolated, 0);
    set_default(&config->use_environment, !config->isolated);
    set_default(&config->user_site_directory, !config->isolated);
    set_default(&config->dev_mode, 0);
    set_default(&config->use_hash_seed, 0);
    set_default(&config->faulthandler, config->dev_mode);
    set_default(&config->tracemalloc, 0);
    set_default(&config->perf_profiling, 0);
    set_default(&config->optimization_level, 0);
    set_default(&config->parser_debug, 0);
    set_default(&config->verbose, 0);
    set_default(&config->quiet, 0);
    set_default(&config->inspect, 0);
    set_default(&config->interactive, 0);
    set_default(&config->bytes_warning, 0);
    set_default(&config->int_max_str_digits, 4300);
    if (config->isolated) {
        config->safe_path = 1;
    }
}

/* What -X dev and -b ask for stands around what the user asks for. */
static PyStatus add_warnings(PyConfig *config)
{
    PyStatus status = PyStatus_Ok();
    if (config->dev_mode) {
        status = PyWideStringList_Insert(&config->warnoptions, 0, L"default");
    }
    if (config->bytes_warning > 0 && !PyStatus_Exception(status)) {
        status = PyWideStringList_Append(&config->warnoptions, config->bytes_warning > 1
                                                                   ? L"error::BytesWarning"
                                                                   : L"default::BytesWarning");
    }
    return status;
}

/* What the standard streams speak: the locale's encoding, under the name that is usual for it. */
static const char *stream_encoding(void)
{
    const char *name = preconfig_utf8_mode() ? "utf-8" : nl_langinfo(CODESET);
    return *name == 0 || strcmp(name, "UTF-8") == 0 ? "utf-8"
           : strcmp(name, "ANSI_X3.4-1968") == 0    ? "ascii"
                                                    : name;
}

static PyStatus set_encodings(PyConfig *config)
{
    PyStatus status = PyStatus_Ok();
    if (config->filesystem_encoding == NULL) {
        status = CONFIG_SET(config, filesystem_encoding, L"utf-8");
    }
    if (!PyStatus_Exception(status) && config->filesystem_errors == NULL) {
        status = CONFIG_SET(config, filesystem_errors, L"surrogateescape");
    }
    bool chosen = config->stdio_encoding != NULL;
    if (!PyStatus_Exception(status) && !chosen) {
        status = PyConfig_SetBytesString(config, &config->stdio_encoding, stream_encoding());
    }
    if (!PyStatus_Exception(status) && config->stdio_errors == NULL) {
        status = CONFIG_SET(config, stdio_errors,
                            !chosen && (preconfig_utf8_mode() || preconfig_plain_locale())
                                ? L"surrogateescape"
                                : L"strict");
    }
    return status;
}

PyStatus PyConfig_Read(PyConfig *config)
{
    PyStatus status = PyStatus_Ok();
    if (config->orig_argv.length == 0) {
        status = list_set(&config->orig_argv, config->argv.length, config->argv.items);
    }
    if (!PyStatus_Exception(status)) {
        status = config_read_presets(config);
    }
    if (!PyStatus_Exception(status) && config->program_name == NULL) {
        const wchar_t *name = config->argv.length > 0 && config->argv.items[0][0] != 0
                                  ? config->argv.items[0]
                                  : L"python3";
        status = CONFIG_SET(config, program_name, name);
    }
    if (!PyStatus_Exception(status) && config->parse_argv) {
        status = config_read_argv(config);
        config->parse_argv = 0;
    }
    if (PyStatus_Exception(status)) {
        return status;
    }
    set_default(&config->isolated, 0);
    set_default(&config->use_environment, !config->isolated);
    status = config_read_environment(config);
    if (PyStatus_Exception(status)) {
        return status;
    }
    set_defaults(config);
    status = add_warnings(config);
    if (!PyStatus_Exception(status)) {
        status = set_encodings(config);
    }
    if (!PyStatus_Exception(status)) {
        status = config_find_paths(config);
    }
    if (config->pycache_prefix != NULL && config->pycache_prefix[0] == 0) {
        status = CONFIG_SET(config, pycache_prefix, NULL);
    }
    if (!PyStatus_Exception(status) && config->argv.length == 0) {
        status = PyWideStringList_Append(&config->argv, L"");
    }
    return status;
}
