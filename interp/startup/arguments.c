/* The command line and the PYTHON* environment variables. */

#include "interp/startup/startup.h"
#include "locking/config.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

struct options {
    PyConfig *config;
    Py_ssize_t index; /* of the argument being read */
    int versions;     /* how many -V */
    PyStatus status;
};

static PyStatus usage_error(const PyConfig *config, const char *format, wchar_t option)
{
    fprintf(stderr, format, (int)option);
    help_usage(stderr, config->program_name);
    fputs("Try `python -h' for more information.\n", stderr);
    return PyStatus_Exit(2);
}

/* The value of an option: the rest of its argument, or the next one. NULL: there is none. */
static const wchar_t *option_value(struct options *options, const wchar_t *rest)
{
    if (*rest != 0) {
        return rest;
    }
    PyWideStringList *argv = &options->config->argv;
    return options->index + 1 < argv->length ? argv->items[++options->index] : NULL;
}

/* What follows "name" or "name=" in an -X option: NULL if it is another option, "" without a value. */
static const wchar_t *value_of(const wchar_t *text, const wchar_t *name)
{
    size_t length = wcslen(name);
    if (wcsncmp(text, name, length) != 0) {
        return NULL;
    }
    return text[length] == L'=' ? text + length + 1 : text[length] == 0 ? text + length : NULL;
}

/* A decimal number, or -1. */
static long number_of(const wchar_t *text)
{
    wchar_t *end;
    long number = wcstol(text, &end, 10);
    return *text == 0 || *end != 0 || number > INT32_MAX ? -1 : number;
}

static PyStatus set_max_str_digits(PyConfig *config, const wchar_t *text, const char *complaint)
{
    long digits = number_of(text);
    if (digits != 0 && digits < 640) {
        return PyStatus_Error(complaint);
    }
    config->int_max_str_digits = (int)digits;
    return PyStatus_Ok();
}

static PyStatus set_tracemalloc(PyConfig *config, const wchar_t *text, const char *complaint)
{
    long frames = number_of(text);
    if (frames < 0 || frames > UINT16_MAX) {
        return PyStatus_Error(complaint);
    }
    config->tracemalloc = (int)frames;
    return PyStatus_Ok();
}

static PyStatus set_cpu_count(PyConfig *config, const wchar_t *text)
{
    long count = wcscmp(text, L"default") == 0 ? -1 : number_of(text);
    if (count < 1 && wcscmp(text, L"default") != 0) {
        return PyStatus_Error("-X cpu_count=n option: n is missing or an invalid number, n must "
                              "be greater than 0");
    }
    config->cpu_count = (int)count;
    return PyStatus_Ok();
}

/* Options with a value: true if it was one of them. */
static bool x_option_value(PyConfig *config, const wchar_t *text, PyStatus *status)
{
    const wchar_t *value;
    *status = PyStatus_Ok();
    if ((value = value_of(text, L"pycache_prefix")) != NULL) {
        *status = CONFIG_SET(config, pycache_prefix, value);
    } else if ((value = value_of(text, L"int_max_str_digits")) != NULL) {
        *status = set_max_str_digits(config, value,
                                     "-X int_max_str_digits: invalid limit; must be "
                                     ">= 640 or 0 for unlimited.");
    } else if ((value = value_of(text, L"tracemalloc")) != NULL) {
        *status = set_tracemalloc(config, text[11] == 0 ? L"1" : value,
                                  "-X tracemalloc=NFRAME: invalid number of frames");
    } else if ((value = value_of(text, L"cpu_count")) != NULL) {
        *status = set_cpu_count(config, value);
    } else if ((value = value_of(text, L"frozen_modules")) != NULL) {
        config->use_frozen_modules = wcscmp(value, L"off") != 0;
        if (config->use_frozen_modules && *value != 0 && wcscmp(value, L"on") != 0) {
            *status = PyStatus_Error("bad value for option -X frozen_modules (expected \"on\" or "
                                     "\"off\")");
        }
    } else {
        return false;
    }
    return true;
}

/* -X options that set fields at once; all stand in sys._xoptions. */
static PyStatus x_option(PyConfig *config, const wchar_t *text)
{
    PyStatus status;
    if (x_option_value(config, text, &status)) {
        return status;
    }
    if (wcscmp(text, L"dev") == 0) {
        config->dev_mode = 1;
    } else if (wcscmp(text, L"faulthandler") == 0) {
        config->faulthandler = 1;
    } else if (wcscmp(text, L"importtime") == 0) {
        config->import_time = 1;
    } else if (wcscmp(text, L"no_debug_ranges") == 0) {
        config->code_debug_ranges = 0;
    } else if (wcscmp(text, L"warn_default_encoding") == 0) {
        config->warn_default_encoding = 1;
    }
    return PyStatus_Ok();
}

static wchar_t *command_of(const wchar_t *text)
{
    size_t length = wcslen(text);
    wchar_t *command = PyMem_RawMalloc((length + 2) * sizeof *command);
    if (command != NULL) {
        wmemcpy(command, text, length);
        wmemcpy(command + length, L"\n", 2);
    }
    return command;
}

/* -c, -m, -W and -X; what option() gives. */
static int option_with_value(struct options *options, wchar_t letter, const wchar_t *rest)
{
    PyConfig *config = options->config;
    const wchar_t *value = option_value(options, rest);
    if (value == NULL) {
        options->status = usage_error(config, "Argument expected for the -%c option\n", letter);
        return 2;
    }
    switch (letter) {
    case L'c':
        config->run_command = command_of(value);
        if (config->run_command == NULL) {
            options->status = PyStatus_NoMemory();
        }
        return 2;
    case L'm':
        options->status = CONFIG_SET(config, run_module, value);
        return 2;
    case L'W':
        options->status = PyWideStringList_Append(&config->warnoptions, value);
        break;
    default:
        options->status = PyWideStringList_Append(&config->xoptions, value);
        if (!PyStatus_Exception(options->status)) {
            options->status = x_option(config, value);
        }
        break;
    }
    return PyStatus_Exception(options->status) ? 2 : 1;
}

/* A letter that says one thing about one field: false if it is another one. */
static bool flag_option(PyConfig *config, wchar_t letter)
{
    const struct {
        wchar_t letter;
        int value; /* -1: once more */
        int *field;
    } flags[] = {
        {L'b', -1, &config->bytes_warning},
        {L'B', 0, &config->write_bytecode},
        {L'd', -1, &config->parser_debug},
        {L'E', 0, &config->use_environment},
        {L'i', -1, &config->inspect},
        {L'i', -1, &config->interactive},
        {L'I', 1, &config->isolated},
        {L'I', 0, &config->use_environment},
        {L'I', 0, &config->user_site_directory},
        {L'O', -1, &config->optimization_level},
        {L'P', 1, &config->safe_path},
        {L'q', -1, &config->quiet},
        {L'R', 0, &config->use_hash_seed},
        {L's', 0, &config->user_site_directory},
        {L'S', 0, &config->site_import},
        {L'u', 0, &config->buffered_stdio},
        {L'v', -1, &config->verbose},
        {L'x', 1, &config->skip_source_first_line},
    };
    bool found = false;
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (flags[i].letter == letter) {
            *flags[i].field = flags[i].value >= 0   ? flags[i].value
                              : *flags[i].field < 0 ? 1
                                                    : *flags[i].field + 1;
            found = true;
        }
    }
    return found;
}

/* One letter; `rest` is what follows it in its argument. 0: go on with the next letter, 1: the
 * argument is used up, 2: the options end here. */
static int option(struct options *options, wchar_t letter, const wchar_t *rest)
{
    PyConfig *config = options->config;
    if (flag_option(config, letter)) {
        return 0;
    }
    switch (letter) {
    case L't':
        return 0;
    case L'V':
        options->versions++;
        return 0;
    case L'h':
    case L'?':
        help_show(config->program_name, HELP_OPTIONS);
        options->status = PyStatus_Exit(0);
        return 2;
    case L'c':
    case L'm':
    case L'W':
    case L'X':
        return option_with_value(options, letter, rest);
    default:
        options->status = usage_error(config, "Unknown option: -%c\n", letter);
        return 2;
    }
}

static int long_option(struct options *options, const wchar_t *text)
{
    if (wcscmp(text, L"--help") == 0) {
        return option(options, L'h', L"");
    }
    if (wcscmp(text, L"--help-env") == 0 || wcscmp(text, L"--help-xoptions") == 0
        || wcscmp(text, L"--help-all") == 0) {
        help_show(options->config->program_name, text[7] == L'e'   ? HELP_ENVIRONMENT
                                                 : text[7] == L'x' ? HELP_XOPTIONS
                                                                   : HELP_ALL);
        options->status = PyStatus_Exit(0);
        return 2;
    }
    if (wcscmp(text, L"--version") == 0) {
        options->versions++;
        return 1;
    }
    if (wcscmp(text, L"--check-hash-based-pycs") == 0) {
        const wchar_t *value = option_value(options, L"");
        if (value == NULL) {
            options->status =
                usage_error(options->config, "Argument expected for the -%c option\n", L'-');
            return 2;
        }
        options->status = CONFIG_SET(options->config, check_hash_pycs_mode, value);
        return 1;
    }
    fprintf(stderr, "unknown option %ls\n", text);
    options->status = usage_error(options->config, "", 0);
    return 2;
}

static PyStatus show_version(int versions)
{
    if (versions == 1) {
        printf("Python %s\n", PY_VERSION);
    } else {
        printf("Python %s\n", Py_GetVersion());
    }
    return PyStatus_Exit(0);
}

/* sys.argv: the script (or -c, -m) and what follows. `used`: arguments that were options. */
static PyStatus leave_argv(PyConfig *config, Py_ssize_t used)
{
    PyWideStringList rest = {0, NULL};
    PyStatus status = PyStatus_Ok();
    const wchar_t *zero = config->run_command != NULL  ? L"-c"
                          : config->run_module != NULL ? L"-m"
                                                       : NULL;
    if (zero == NULL && used < config->argv.length) {
        zero = config->argv.items[used++];
        if (wcscmp(zero, L"-") != 0) {
            status = CONFIG_SET(config, run_filename, zero);
        }
    }
    if (!PyStatus_Exception(status)) {
        status = PyWideStringList_Append(&rest, zero == NULL ? L"" : zero);
    }
    for (Py_ssize_t i = used; i < config->argv.length && !PyStatus_Exception(status); i++) {
        status = PyWideStringList_Append(&rest, config->argv.items[i]);
    }
    if (!PyStatus_Exception(status)) {
        status = PyConfig_SetArgv(config, rest.length, rest.items);
    }
    wide_list_clear(&rest);
    return status;
}

PyStatus config_read_argv(PyConfig *config)
{
    struct options options = {.config = config, .index = 1, .status = PyStatus_Ok()};
    bool ended = false;
    while (!ended && options.index < config->argv.length) {
        const wchar_t *text = config->argv.items[options.index];
        if (text[0] != L'-' || text[1] == 0) {
            break;
        }
        int used = 0;
        if (text[1] == L'-') {
            if (text[2] == 0) {
                options.index++;
                break;
            }
            used = long_option(&options, text);
        } else {
            for (const wchar_t *letter = text + 1; *letter != 0 && used == 0; letter++) {
                used = option(&options, *letter, letter + 1);
            }
        }
        options.index++;
        ended = used == 2;
    }
    if (PyStatus_Exception(options.status)) {
        return options.status;
    }
    if (options.versions > 0) {
        return show_version(options.versions);
    }
    return leave_argv(config, options.index);
}

/* ---- the environment --------------------------------------------------------------------------------------- */

static bool has_x_option(const PyConfig *config, const wchar_t *name)
{
    for (Py_ssize_t i = 0; i < config->xoptions.length; i++) {
        if (value_of(config->xoptions.items[i], name) != NULL) {
            return true;
        }
    }
    return false;
}

static const char *variable(const PyConfig *config, const char *name)
{
    return environment_variable(config->use_environment, name);
}

/* A flag: a number raises the field to it, any other text to 1. */
static void flag(const PyConfig *config, int *field, const char *name)
{
    const char *value = variable(config, name);
    if (value == NULL) {
        return;
    }
    char *end;
    long number = strtol(value, &end, 10);
    int level = *end == 0 && number >= 0 && number < 1000 ? (int)number : 1;
    if (*field < level) {
        *field = level;
    }
}

static PyStatus hash_seed(PyConfig *config)
{
    const char *value = variable(config, "PYTHONHASHSEED");
    if (config->use_hash_seed >= 0 || value == NULL || strcmp(value, "random") == 0) {
        return PyStatus_Ok();
    }
    char *end;
    unsigned long seed = strtoul(value, &end, 10);
    if (*end != 0 || seed > 4294967295UL || value[0] == '-') {
        return PyStatus_Error("PYTHONHASHSEED must be \"random\" or an integer in range "
                              "[0; 4294967295]");
    }
    config->use_hash_seed = 1;
    config->hash_seed = seed;
    return PyStatus_Ok();
}

static PyStatus gil_error(const char *text)
{
    return (PyStatus){._type = _PyStatus_TYPE_ERROR, .func = "config_read_gil", .err_msg = text};
}

/* -X gil, before PYTHON_GIL. */
static PyStatus gil_choice(PyConfig *config)
{
    const char *value = variable(config, "PYTHON_GIL");
    bool given = value != NULL;
    bool valid = given && (strcmp(value, "0") == 0 || strcmp(value, "1") == 0);
    int wanted = valid && value[0] == '1';
    for (Py_ssize_t i = 0; i < config->xoptions.length; i++) {
        const wchar_t *option = config->xoptions.items[i];
        if (wcscmp(option, L"gil") == 0 || wcsncmp(option, L"gil=", 4) == 0) {
            given = true;
            valid = wcscmp(option + 3, L"=0") == 0 || wcscmp(option + 3, L"=1") == 0;
            wanted = valid && option[4] == L'1';
            break;
        }
    }
    if (!given) {
        return PyStatus_Ok();
    }
    if (!valid) {
        return gil_error("PYTHON_GIL / -X gil must be \"0\" or \"1\"");
    }
    const char *reason = NULL;
    if (lock_gil_configure(wanted, &reason) < 0) {
        return gil_error(reason);
    }
    lock_config_set(config, wanted);
    return PyStatus_Ok();
}

static PyStatus warn_options(PyConfig *config)
{
    const char *value = variable(config, "PYTHONWARNINGS");
    if (value == NULL) {
        return PyStatus_Ok();
    }
    wchar_t *wide = Py_DecodeLocale(value, NULL);
    if (wide == NULL) {
        return PyStatus_NoMemory();
    }
    PyStatus status = PyStatus_Ok();
    Py_ssize_t position = 0;
    wchar_t *save;
    for (wchar_t *part = wcstok(wide, L",", &save); part != NULL && !PyStatus_Exception(status);
         part = wcstok(NULL, L",", &save)) {
        status = PyWideStringList_Insert(&config->warnoptions, position++, part);
    }
    PyMem_RawFree(wide);
    return status;
}

/* As wide characters; what is too long to be a number becomes text that is none. */
static const wchar_t *widen(const char *value, wchar_t text[32])
{
    return swprintf(text, 32, L"%hs", value) < 0 ? L"?" : text;
}

/* Variables with a number; the option of the same meaning wins. */
static PyStatus number_variables(PyConfig *config)
{
    const char *digits = variable(config, "PYTHONINTMAXSTRDIGITS");
    const char *frames = variable(config, "PYTHONTRACEMALLOC");
    const char *cpus = variable(config, "PYTHON_CPU_COUNT");
    const char *frozen = variable(config, "PYTHON_FROZEN_MODULES");
    wchar_t text[32];
    PyStatus status = PyStatus_Ok();
    if (digits != NULL && config->int_max_str_digits < 0) {
        status = set_max_str_digits(config, widen(digits, text),
                                    "PYTHONINTMAXSTRDIGITS: invalid limit; must be "
                                    ">= 640 or 0 for unlimited.");
    }
    if (frames != NULL && config->tracemalloc < 0 && !PyStatus_Exception(status)) {
        status = set_tracemalloc(config, widen(frames, text),
                                 "PYTHONTRACEMALLOC: invalid number of frames");
    }
    if (cpus != NULL && !has_x_option(config, L"cpu_count") && !PyStatus_Exception(status)) {
        status = set_cpu_count(config, widen(cpus, text));
    }
    if (frozen != NULL && !has_x_option(config, L"frozen_modules") && !PyStatus_Exception(status)) {
        config->use_frozen_modules = strcmp(frozen, "off") != 0;
        if (config->use_frozen_modules && strcmp(frozen, "on") != 0) {
            status = PyStatus_Error("bad value for PYTHON_FROZEN_MODULES (expected \"on\" or "
                                    "\"off\")");
        }
    }
    return status;
}

/* PYTHONIOENCODING=NAME:ERRORS, both of which may be missing. */
static PyStatus stream_encoding(PyConfig *config)
{
    const char *value = variable(config, "PYTHONIOENCODING");
    PyStatus status = PyStatus_Ok();
    if (value == NULL) {
        return status;
    }
    size_t length = strcspn(value, ":");
    if (length > 0 && config->stdio_encoding == NULL) {
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)length, value);
        status = PyConfig_SetBytesString(config, &config->stdio_encoding, name);
    }
    if (value[length] == ':' && value[length + 1] != 0 && config->stdio_errors == NULL
        && !PyStatus_Exception(status)) {
        status = PyConfig_SetBytesString(config, &config->stdio_errors, value + length + 1);
    }
    return status;
}

static PyStatus text_variables(PyConfig *config)
{
    const struct {
        const char *name;
        wchar_t **field;
    } strings[] = {
        {"PYTHONPATH", &config->pythonpath_env},
        {"PYTHONHOME", &config->home},
        {"PYTHONPLATLIBDIR", &config->platlibdir},
        {"PYTHONPYCACHEPREFIX", &config->pycache_prefix},
    };
    PyStatus status = PyStatus_Ok();
    for (size_t i = 0; i < sizeof strings / sizeof strings[0] && !PyStatus_Exception(status); i++) {
        const char *value = variable(config, strings[i].name);
        if (value != NULL && *strings[i].field == NULL) {
            status = PyConfig_SetBytesString(config, strings[i].field, value);
        }
    }
    return status;
}

PyStatus config_read_environment(PyConfig *config)
{
    flag(config, &config->optimization_level, "PYTHONOPTIMIZE");
    if (variable(config, "PYTHONDEBUG") != NULL) {
        config->parser_debug = Py_MAX(config->parser_debug, 1);
    }
    flag(config, &config->verbose, "PYTHONVERBOSE");
    flag(config, &config->inspect, "PYTHONINSPECT");
    flag(config, &config->dev_mode, "PYTHONDEVMODE");
    flag(config, &config->faulthandler, "PYTHONFAULTHANDLER");
    flag(config, &config->safe_path, "PYTHONSAFEPATH");
    flag(config, &config->import_time, "PYTHONPROFILEIMPORTTIME");
    flag(config, &config->warn_default_encoding, "PYTHONWARNDEFAULTENCODING");
    if (variable(config, "PYTHONDONTWRITEBYTECODE") != NULL) {
        config->write_bytecode = 0;
    }
    if (variable(config, "PYTHONNOUSERSITE") != NULL) {
        config->user_site_directory = 0;
    }
    if (variable(config, "PYTHONUNBUFFERED") != NULL) {
        config->buffered_stdio = 0;
    }
    if (variable(config, "PYTHONNODEBUGRANGES") != NULL) {
        config->code_debug_ranges = 0;
    }
    PyStatus (*const others[])(PyConfig *) = {
        hash_seed, gil_choice, warn_options, number_variables, text_variables, stream_encoding,
    };
    PyStatus status = PyStatus_Ok();
    for (size_t i = 0; i < sizeof others / sizeof others[0] && !PyStatus_Exception(status); i++) {
        status = others[i](config);
    }
    return status;
}
