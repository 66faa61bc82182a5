/* The configuration as a dict and back, for programs that want to look at it or to change it. */

#include "interp/startup/startup.h"
#include "locking/config.h"
#include "objects/error.h"

#include <stddef.h>
#include <wchar.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* the old flags */

PyAPI_FUNC(PyObject *) _PyConfig_AsDict(const PyConfig *config);
PyAPI_FUNC(int) _PyConfig_FromDict(PyConfig *config, PyObject *dict);
PyAPI_FUNC(int) _PyInterpreterState_GetConfigCopy(PyConfig *config);
PyAPI_FUNC(int) _PyInterpreterState_SetConfig(const PyConfig *config);
PyAPI_FUNC(PyObject *) _Py_GetConfigsAsDict(void);

enum field_kind { FLAG, ULONG, TEXT, OPTIONAL_TEXT, TEXTS };

struct field {
    const char *name;
    enum field_kind kind;
    size_t offset;
};

#define FIELD(name, kind) {#name, kind, offsetof(PyConfig, name)},

static const struct field fields[] = {
    FIELD(_config_init, FLAG) FIELD(isolated, FLAG) FIELD(use_environment, FLAG) FIELD(
        dev_mode, FLAG) FIELD(install_signal_handlers, FLAG) FIELD(use_hash_seed, FLAG)
        FIELD(hash_seed, ULONG) FIELD(faulthandler, FLAG) FIELD(tracemalloc, FLAG) FIELD(
            perf_profiling, FLAG) FIELD(import_time, FLAG) FIELD(code_debug_ranges,
                                                                 FLAG) FIELD(show_ref_count, FLAG)
            FIELD(dump_refs, FLAG) FIELD(dump_refs_file, OPTIONAL_TEXT) FIELD(
                malloc_stats, FLAG) FIELD(filesystem_encoding, TEXT) FIELD(filesystem_errors, TEXT)
                FIELD(pycache_prefix, OPTIONAL_TEXT) FIELD(parse_argv, FLAG) FIELD(orig_argv, TEXTS)
                    FIELD(argv, TEXTS) FIELD(xoptions, TEXTS) FIELD(warnoptions, TEXTS) FIELD(
                        site_import, FLAG) FIELD(bytes_warning, FLAG)
                        FIELD(warn_default_encoding, FLAG) FIELD(inspect, FLAG) FIELD(
                            interactive, FLAG) FIELD(optimization_level, FLAG)
                            FIELD(parser_debug, FLAG) FIELD(write_bytecode, FLAG) FIELD(
                                verbose, FLAG) FIELD(quiet, FLAG) FIELD(user_site_directory, FLAG)
                                FIELD(configure_c_stdio, FLAG) FIELD(buffered_stdio, FLAG) FIELD(
                                    stdio_encoding,
                                    TEXT) FIELD(stdio_errors, TEXT)
                                    FIELD(check_hash_pycs_mode, TEXT) FIELD(use_frozen_modules, FLAG) FIELD(
                                        safe_path, FLAG) FIELD(int_max_str_digits, FLAG)
                                        FIELD(cpu_count, FLAG) FIELD(pathconfig_warnings, FLAG) FIELD(
                                            program_name,
                                            TEXT) FIELD(pythonpath_env, OPTIONAL_TEXT)
                                            FIELD(home, OPTIONAL_TEXT) FIELD(platlibdir, TEXT)
                                                FIELD(module_search_paths_set, FLAG) FIELD(
                                                    module_search_paths,
                                                    TEXTS) FIELD(stdlib_dir, OPTIONAL_TEXT)
                                                    FIELD(executable, OPTIONAL_TEXT) FIELD(
                                                        base_executable,
                                                        OPTIONAL_TEXT) FIELD(prefix, OPTIONAL_TEXT)
                                                        FIELD(base_prefix, OPTIONAL_TEXT) FIELD(
                                                            exec_prefix,
                                                            OPTIONAL_TEXT) FIELD(base_exec_prefix,
                                                                                 OPTIONAL_TEXT)
                                                            FIELD(skip_source_first_line, FLAG) FIELD(
                                                                run_command,
                                                                OPTIONAL_TEXT) FIELD(run_module,
                                                                                     OPTIONAL_TEXT)
                                                                FIELD(run_filename, OPTIONAL_TEXT)
                                                                    FIELD(sys_path_0, OPTIONAL_TEXT)
                                                                        FIELD(_install_importlib,
                                                                              FLAG)
                                                                            FIELD(_init_main, FLAG)
                                                                                FIELD(
                                                                                    _is_python_build,
                                                                                    FLAG)};

#define FIELD_COUNT (sizeof fields / sizeof fields[0])

/* ---- to a dict --------------------------------------------------------------------------------- */

static PyObject *text_object(const wchar_t *text)
{
    return text == NULL ? Py_NewRef(Py_None) : PyUnicode_FromWideChar(text, -1);
}

static PyObject *texts_object(const PyWideStringList *list)
{
    PyObject *result = PyList_New(list->length);
    for (Py_ssize_t i = 0; i < list->length && result != NULL; i++) {
        PyObject *item = text_object(list->items[i]);
        if (item == NULL) {
            Py_CLEAR(result);
        } else {
            PyList_SET_ITEM(result, i, item);
        }
    }
    return result;
}

static PyObject *field_object(const PyConfig *config, const struct field *field)
{
    const void *at = (const char *)config + field->offset;
    switch (field->kind) {
    case FLAG:
        return PyLong_FromLong(*(const int *)at);
    case ULONG:
        return PyLong_FromUnsignedLong(*(const unsigned long *)at);
    case TEXTS:
        return texts_object(at);
    default:
        return text_object(*(wchar_t *const *)at);
    }
}

PyObject *_PyConfig_AsDict(const PyConfig *config)
{
    PyObject *dict = PyDict_New();
    for (size_t i = 0; i < FIELD_COUNT && dict != NULL; i++) {
        PyObject *value = field_object(config, &fields[i]);
        if (value == NULL || PyDict_SetItemString(dict, fields[i].name, value) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(value);
    }
    const int *gil_choice = lock_config_place((PyConfig *)config);
    if (dict != NULL && gil_choice != NULL) {
        PyObject *value = PyLong_FromLong(*gil_choice);
        if (value == NULL || PyDict_SetItemString(dict, "enable_gil", value) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(value);
    }
    return dict;
}

/* ---- from a dict ------------------------------------------------------------------------------- */

static int raise_status(PyStatus status)
{
    PyErr_SetString(PyExc_ValueError, status.err_msg == NULL ? "invalid" : status.err_msg);
    return -1;
}

static int flag_set(int *flag, PyObject *value, const char *name)
{
    if (!PyLong_Check(value)) {
        return raise_type("invalid config type: %s", name);
    }
    int number = PyLong_AsInt(value);
    if (number == -1 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
            return raise_value("invalid config value: %s", name);
        }
        return -1;
    }
    *flag = number;
    return 0;
}

static int text_set(PyConfig *config, wchar_t **text, PyObject *value, const struct field *field)
{
    if (value == Py_None && field->kind == OPTIONAL_TEXT) {
        return PyStatus_Exception(PyConfig_SetString(config, text, NULL)) ? -1 : 0;
    }
    if (!PyUnicode_Check(value)) {
        return value == Py_None ? raise_value("invalid config value: %s", field->name)
                                : raise_type("invalid config type: %s", field->name);
    }
    wchar_t *wide = PyUnicode_AsWideCharString(value, NULL);
    if (wide == NULL) {
        return -1;
    }
    PyStatus status = PyConfig_SetString(config, text, wide);
    PyMem_Free(wide);
    return PyStatus_Exception(status) ? raise_status(status) : 0;
}

static int texts_set(PyConfig *config, PyWideStringList *list, PyObject *value, const char *name)
{
    if (!PyList_CheckExact(value) && !PyTuple_CheckExact(value)) {
        return raise_type("invalid config type: %s", name);
    }
    if (PyStatus_Exception(PyConfig_SetWideStringList(config, list, 0, NULL))) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(value); i++) {
        PyObject *item = PySequence_Fast_GET_ITEM(value, i);
        if (!PyUnicode_Check(item)) {
            return item == Py_None ? raise_value("invalid config value: %s", name)
                                   : raise_type("invalid config type: %s", name);
        }
        wchar_t *wide = PyUnicode_AsWideCharString(item, NULL);
        if (wide == NULL) {
            return -1;
        }
        PyStatus status = PyWideStringList_Append(list, wide);
        PyMem_Free(wide);
        if (PyStatus_Exception(status)) {
            return raise_status(status);
        }
    }
    return 0;
}

static int field_set(PyConfig *config, const struct field *field, PyObject *value)
{
    void *at = (char *)config + field->offset;
    switch (field->kind) {
    case FLAG:
        return flag_set(at, value, field->name);
    case ULONG: {
        unsigned long number = PyLong_Check(value) ? PyLong_AsUnsignedLong(value) : 0;
        if (!PyLong_Check(value)) {
            return raise_type("invalid config type: %s", field->name);
        }
        if (number == (unsigned long)-1 && PyErr_Occurred()) {
            return raise_value("invalid config value: %s", field->name);
        }
        *(unsigned long *)at = number;
        return 0;
    }
    case TEXTS:
        return texts_set(config, at, value, field->name);
    default:
        return text_set(config, at, value, field);
    }
}

/* enable_gil, where the configuration has it. */
static int gil_choice_set(PyConfig *config, PyObject *dict)
{
    int *choice = lock_config_place(config);
    if (choice == NULL) {
        return 0;
    }
    PyObject *value;
    int found = PyDict_GetItemStringRef(dict, "enable_gil", &value);
    if (found == 0) {
        return raise_value("missing config key: %s", "enable_gil");
    }
    int result = found < 0 ? -1 : flag_set(choice, value, "enable_gil");
    Py_XDECREF(value);
    return result;
}

int _PyConfig_FromDict(PyConfig *config, PyObject *dict)
{
    if (!PyDict_Check(dict)) {
        return raise_type("dict expected");
    }
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        PyObject *value;
        int found = PyDict_GetItemStringRef(dict, fields[i].name, &value);
        if (found == 0) {
            return raise_value("missing config key: %s", fields[i].name);
        }
        int result = found < 0 ? -1 : field_set(config, &fields[i], value);
        Py_XDECREF(value);
        if (result < 0) {
            return -1;
        }
    }
    return gil_choice_set(config, dict);
}

/* ---- the interpreter's ------------------------------------------------------------------------- */

int _PyInterpreterState_GetConfigCopy(PyConfig *config)
{
    PyStatus status = config_copy(config, &main_interp_self()->config);
    return PyStatus_Exception(status) ? raise_status(status) : 0;
}

/* The new configuration is complete (it comes from a dict): sys shows it from now on. */
int _PyInterpreterState_SetConfig(const PyConfig *config)
{
    struct main_interp *interp = main_interp_self();
    PyStatus status = config_copy(&interp->config, config);
    return PyStatus_Exception(status) ? raise_status(status) : sys_configure(interp);
}

/* The old global variables that programs may still set before they start the interpreter. */
static PyObject *global_config(void)
{
    return Py_BuildValue(
        "{si si si si si si si si si si si si}", "Py_BytesWarningFlag", Py_BytesWarningFlag,
        "Py_DebugFlag", Py_DebugFlag, "Py_DontWriteBytecodeFlag", Py_DontWriteBytecodeFlag,
        "Py_IgnoreEnvironmentFlag", Py_IgnoreEnvironmentFlag, "Py_InspectFlag", Py_InspectFlag,
        "Py_InteractiveFlag", Py_InteractiveFlag, "Py_IsolatedFlag", Py_IsolatedFlag,
        "Py_NoSiteFlag", Py_NoSiteFlag, "Py_NoUserSiteDirectory", Py_NoUserSiteDirectory,
        "Py_OptimizeFlag", Py_OptimizeFlag, "Py_QuietFlag", Py_QuietFlag, "Py_VerboseFlag",
        Py_VerboseFlag);
}

PyObject *_Py_GetConfigsAsDict(void)
{
    PyConfig *config = &main_interp_self()->config;
    PyObject *own = _PyConfig_AsDict(config), *global = global_config();
    PyObject *pre = Py_BuildValue("{si si si si}", "isolated", config->isolated, "use_environment",
                                  config->use_environment, "dev_mode", config->dev_mode,
                                  "parse_argv", config->parse_argv);
    PyObject *result = NULL;
    if (own != NULL && global != NULL && pre != NULL) {
        result =
            Py_BuildValue("{sOsOsO}", "global_config", global, "pre_config", pre, "config", own);
    }
    Py_XDECREF(own);
    Py_XDECREF(global);
    Py_XDECREF(pre);
    return result;
}
