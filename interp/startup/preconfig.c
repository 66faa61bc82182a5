/* What must be settled before the first block of memory is allocated: PYTHONMALLOC and the debug hooks, the
 * locale and UTF-8 mode (PEP 538, PEP 540).
 *
 * Whether the environment counts depends on the command line (-E, -I, -X dev), which is looked
 * through here without allocating anything; config_read_argv reads it properly later. */

#include "alloc/alloc.h"
#include "interp/startup/startup.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

static bool configured, utf8_mode;

bool preconfig_utf8_mode(void)
{
    return utf8_mode;
}

/* Locales that say nothing but UTF-8, the preferred ones first. */
static const char *const plain_utf8[] = {"C.UTF-8", "C.utf8", "UTF-8"};
enum { PLAIN_UTF8 = sizeof plain_utf8 / sizeof plain_utf8[0] };

static bool is_c_locale(const char *name)
{
    return name == NULL || strcmp(name, "C") == 0 || strcmp(name, "POSIX") == 0;
}

bool preconfig_plain_locale(void)
{
    const char *name = setlocale(LC_CTYPE, NULL);
    bool plain = is_c_locale(name);
    for (int i = 0; i < PLAIN_UTF8 && !plain; i++) {
        plain = strcmp(name, plain_utf8[i]) == 0;
    }
    return plain;
}

const char *environment_variable(bool counts, const char *name)
{
    const char *value = counts ? getenv(name) : NULL;
    return value != NULL && *value != 0 ? value : NULL;
}

static void preconfig_init(PyPreConfig *config, bool isolated)
{
    *config = (PyPreConfig){
        ._config_init = isolated ? 3 : 2,
        .parse_argv = !isolated,
        .isolated = isolated,
        .use_environment = !isolated,
        .configure_locale = !isolated,
        .coerce_c_locale = isolated ? 0 : -1,
        .coerce_c_locale_warn = isolated ? 0 : -1,
        .utf8_mode = isolated ? 0 : -1,
        .dev_mode = isolated ? 0 : -1,
        .allocator = PYMEM_ALLOCATOR_NOT_SET,
    };
}

void PyPreConfig_InitPythonConfig(PyPreConfig *config)
{
    preconfig_init(config, false);
}

void PyPreConfig_InitIsolatedConfig(PyPreConfig *config)
{
    preconfig_init(config, true);
}

/* The i-th argument, up to `size` bytes of it; what is not ASCII becomes "?". */
typedef void (*argument_fn)(const void *argv, Py_ssize_t i, char *text, size_t size);

static void bytes_argument(const void *argv, Py_ssize_t i, char *text, size_t size)
{
    snprintf(text, size, "%s", ((char *const *)argv)[i]);
}

static void wide_argument(const void *argv, Py_ssize_t i, char *text, size_t size)
{
    const wchar_t *wide = ((wchar_t *const *)argv)[i];
    size_t length = 0;
    for (; wide[length] != 0 && length + 1 < size; length++) {
        text[length] = wide[length] < 128 ? (char)wide[length] : '?';
    }
    text[length] = 0;
}

/* utf8_mode of the configuration when an option or variable made no sense. */
enum { UTF8_MODE_INVALID = -2 };

static int read_utf8_mode(const char *value)
{
    return strcmp(value, "1") == 0 ? 1 : strcmp(value, "0") == 0 ? 0 : UTF8_MODE_INVALID;
}

/* The value of -X. */
static void look_at_x(PyPreConfig *config, const char *value)
{
    if (strcmp(value, "dev") == 0) {
        config->dev_mode = 1;
    } else if (strcmp(value, "utf8") == 0) {
        config->utf8_mode = 1;
    } else if (strncmp(value, "utf8=", 5) == 0) {
        config->utf8_mode = read_utf8_mode(value + 5);
    }
}

/* One argument. 0: go on, 1: the next argument is an option's value, 2: the options end here. */
static int look_at(PyPreConfig *config, const char *text, char *option)
{
    if (text[0] != '-' || text[1] == 0 || strcmp(text, "--") == 0) {
        return 2;
    }
    if (text[1] == '-') {
        return strcmp(text, "--check-hash-based-pycs") == 0;
    }
    for (const char *letter = text + 1; *letter != 0; letter++) {
        switch (*letter) {
        case 'I':
            config->isolated = 1;
            config->use_environment = 0;
            break;
        case 'E':
            config->use_environment = 0;
            break;
        case 'c':
        case 'm':
            return 2;
        case 'W':
        case 'X':
            *option = *letter;
            if (letter[1] == 0) {
                return 1;
            }
            if (*letter == 'X') {
                look_at_x(config, letter + 1);
            }
            return 0;
        default:
            break;
        }
    }
    return 0;
}

static void look_through(PyPreConfig *config, argument_fn argument, const void *argv,
                         Py_ssize_t argc)
{
    for (Py_ssize_t i = 1; i < argc; i++) {
        char text[64], option = 0;
        argument(argv, i, text, sizeof text);
        int what = look_at(config, text, &option);
        if (what == 2) {
            return;
        }
        if (what == 1 && ++i < argc && option == 'X') {
            argument(argv, i, text, sizeof text);
            look_at_x(config, text);
        }
    }
}

static const char *allocator_of(int allocator)
{
    static const char *const names[] = {
        [PYMEM_ALLOCATOR_DEFAULT] = "default",
        [PYMEM_ALLOCATOR_DEBUG] = "debug",
        [PYMEM_ALLOCATOR_MALLOC] = "malloc",
        [PYMEM_ALLOCATOR_MALLOC_DEBUG] = "malloc_debug",
        [PYMEM_ALLOCATOR_PYMALLOC] = "pymalloc",
        [PYMEM_ALLOCATOR_PYMALLOC_DEBUG] = "pymalloc_debug",
        [PYMEM_ALLOCATOR_MIMALLOC] = "mimalloc",
        [PYMEM_ALLOCATOR_MIMALLOC_DEBUG] = "mimalloc_debug",
    };
    return allocator > 0 && allocator < (int)(sizeof names / sizeof names[0]) ? names[allocator]
                                                                              : NULL;
}

static PyStatus configure_memory(const PyPreConfig *config)
{
    const char *value = allocator_of(config->allocator), *reason = NULL;
    bool from_environment = value == NULL && config->use_environment;
    const char *dev = environment_variable(from_environment, "PYTHONDEVMODE");
    if (value == NULL) {
        value = environment_variable(from_environment, "PYTHONMALLOC");
    }
    if (value == NULL && (config->dev_mode > 0 || (dev != NULL && strcmp(dev, "0") != 0))) {
        value = "debug";
    }
    if (mem_configure(value, &reason) == 0) {
        return PyStatus_Ok();
    }
    static char message[160];
    snprintf(message, sizeof message, "%s: %s", from_environment ? "PYTHONMALLOC" : "allocator",
             reason);
    return PyStatus_Error(message);
}

/* The C locale says nothing about encodings: one with UTF-8 is as plain. Programs that are started get it too. */
static void coerce_locale(const PyPreConfig *config)
{
    const char *all = getenv("LC_ALL"),
               *how = environment_variable(config->use_environment, "PYTHONCOERCECLOCALE");
    if ((all != NULL && *all != 0) || config->coerce_c_locale == 0
        || (how != NULL && strcmp(how, "0") == 0)) {
        return;
    }
    for (int i = 0; i < PLAIN_UTF8; i++) {
        if (setlocale(LC_CTYPE, plain_utf8[i]) != NULL
            && strcmp(nl_langinfo(CODESET), "UTF-8") == 0) {
            setenv("LC_CTYPE", plain_utf8[i], 1);
            if (how != NULL && strcmp(how, "warn") == 0) {
                fprintf(stderr,
                        "Python detected LC_CTYPE=C: LC_CTYPE coerced to %.20s (set another "
                        "locale or PYTHONCOERCECLOCALE=0 to disable this locale coercion "
                        "behavior).\n",
                        plain_utf8[i]);
            }
            return;
        }
    }
    setlocale(LC_CTYPE, "");
}

static PyStatus configure_text(const PyPreConfig *config)
{
    int mode = config->utf8_mode;
    if (mode == UTF8_MODE_INVALID) {
        return (PyStatus){._type = _PyStatus_TYPE_ERROR,
                          .func = "preconfig_init_utf8_mode",
                          .err_msg = "invalid -X utf8 option value"};
    }
    const char *value = environment_variable(config->use_environment, "PYTHONUTF8");
    if (mode < 0 && value != NULL) {
        mode = read_utf8_mode(value);
        if (mode == UTF8_MODE_INVALID) {
            return (PyStatus){._type = _PyStatus_TYPE_ERROR,
                              .func = "preconfig_init_utf8_mode",
                              .err_msg = "invalid PYTHONUTF8 environment variable value"};
        }
    }
    if (!config->configure_locale) {
        utf8_mode = mode > 0;
        return PyStatus_Ok();
    }
    bool plain = is_c_locale(setlocale(LC_CTYPE, ""));
    utf8_mode = mode < 0 ? plain : mode > 0;
    if (plain) {
        coerce_locale(config);
    }
    return PyStatus_Ok();
}

static PyStatus preinitialize(const PyPreConfig *given, argument_fn argument, const void *argv,
                              Py_ssize_t argc)
{
    if (configured) {
        return PyStatus_Ok();
    }
    PyPreConfig config = *given;
    config.use_environment = config.use_environment && !config.isolated;
    if (config.parse_argv) {
        look_through(&config, argument, argv, argc);
    }
    PyStatus status = configure_memory(&config);
    if (!PyStatus_Exception(status)) {
        status = configure_text(&config);
    }
    configured = !PyStatus_Exception(status);
    return status;
}

PyStatus Py_PreInitialize(const PyPreConfig *config)
{
    return preinitialize(config, bytes_argument, NULL, 0);
}

PyStatus Py_PreInitializeFromBytesArgs(const PyPreConfig *config, Py_ssize_t argc, char **argv)
{
    return preinitialize(config, bytes_argument, argv, argc);
}

PyStatus Py_PreInitializeFromArgs(const PyPreConfig *config, Py_ssize_t argc, wchar_t **argv)
{
    return preinitialize(config, wide_argument, argv, argc);
}
