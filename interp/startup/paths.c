/* Where things lie: the executable, the library, sys.path.
 *
 * The library is looked for, in this order: below PYTHONHOME; in the folder that the build was told of;
 * beside the executable (an installed tree: ../lib/python3.13); in the prefix of the build; where
 * Debian's packages put it. A folder is the library if it has os.py in it. */

#include "interp/startup/startup.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#define LIBRARY "lib/python3.13" KRAIT_ABIFLAGS
#define LIBRARY_SHARED "lib/python3.13"

static bool is_library(const char *folder)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/os.py", folder);
    return length > 0 && (size_t)length < sizeof path && access(path, R_OK) == 0;
}

/* Finds program_name on PATH, as a shell would. */
static bool search_path(const char *name, char *result)
{
    if (strchr(name, '/') != NULL) {
        return realpath(name, result) != NULL || snprintf(result, PATH_MAX, "%s", name) > 0;
    }
    const char *path = getenv("PATH");
    while (path != NULL && *path != 0) {
        size_t length = strcspn(path, ":");
        snprintf(result, PATH_MAX, "%.*s/%s", (int)length, path, name);
        if (access(result, X_OK) == 0) {
            return true;
        }
        path += length + (path[length] == ':');
    }
    return false;
}

/* The running program: as it was called, so that a virtual environment's link is kept. */
static void find_executable(const PyConfig *config, char *result)
{
    char name[PATH_MAX];
    if (wcstombs(name, config->program_name, sizeof name) == (size_t)-1 ||
        !search_path(name, result)) {
        ssize_t length = readlink("/proc/self/exe", result, PATH_MAX - 1);
        result[length < 0 ? 0 : length] = 0;
    }
    if (result[0] != 0 && result[0] != '/') {
        char absolute[PATH_MAX];
        if (realpath(result, absolute) != NULL) {
            snprintf(result, PATH_MAX, "%s", absolute);
        }
    }
}

static bool try_library(char *result, const char *format, const char *folder)
{
    int length = snprintf(result, PATH_MAX, format, folder);
    return length > 0 && length < PATH_MAX && is_library(result);
}

/* Walks up from the executable to a folder that holds the library. */
static bool library_near(const char *executable, char *library, char *prefix)
{
    char folder[PATH_MAX];
    if (realpath(executable, folder) == NULL) {
        return false;
    }
    for (char *slash; (slash = strrchr(folder, '/')) != NULL && slash != folder;) {
        *slash = 0;
        if (try_library(library, "%s/" LIBRARY, folder) ||
            try_library(library, "%s/" LIBRARY_SHARED, folder)) {
            snprintf(prefix, PATH_MAX, "%s", folder);
            return true;
        }
    }
    return false;
}

static bool find_library(const PyConfig *config, const char *executable, char *library,
                         char *prefix)
{
    char home[PATH_MAX];
    snprintf(prefix, PATH_MAX, "%s", KRAIT_PREFIX);
    if (config->home != NULL && wcstombs(home, config->home, sizeof home) != (size_t)-1) {
        home[strcspn(home, ":")] = 0;
        snprintf(prefix, PATH_MAX, "%s", home);
        return try_library(library, "%s/" LIBRARY, home) ||
               try_library(library, "%s/" LIBRARY_SHARED, home);
    }
    return library_near(executable, library, prefix) ||
           try_library(library, "%s", KRAIT_STDLIB_DIR) ||
           try_library(library, "%s/" LIBRARY, KRAIT_PREFIX) ||
           try_library(library, "%s", "/usr/lib/python3.13");
}

static void report_missing(const PyConfig *config)
{
    if (config->pathconfig_warnings) {
        fprintf(stderr,
                "Python's library was not found: looked beside the executable, in %s, in %s/%s "
                "and in /usr/lib/python3.13. Install libpython3.13-stdlib, or set PYTHONHOME.\n",
                KRAIT_STDLIB_DIR[0] != 0 ? KRAIT_STDLIB_DIR : "(no folder given to the build)",
                KRAIT_PREFIX, LIBRARY);
    }
}

static PyStatus set_if_missing(PyConfig *config, wchar_t **field, const char *text)
{
    return *field != NULL ? PyStatus_Ok() : PyConfig_SetBytesString(config, field, text);
}

static PyStatus append_path(PyConfig *config, const char *text)
{
    wchar_t *wide = Py_DecodeLocale(text, NULL);
    if (wide == NULL) {
        return PyStatus_NoMemory();
    }
    PyStatus status = PyWideStringList_Append(&config->module_search_paths, wide);
    PyMem_RawFree(wide);
    return status;
}

/* PYTHONPATH's folders, as they are. */
static PyStatus append_pythonpath(PyConfig *config)
{
    PyStatus status = PyStatus_Ok();
    const wchar_t *path = config->pythonpath_env;
    while (path != NULL && !PyStatus_Exception(status)) {
        const wchar_t *colon = wcschr(path, L':');
        size_t length = colon == NULL ? wcslen(path) : (size_t)(colon - path);
        wchar_t part[PATH_MAX];
        if (length < PATH_MAX) {
            wmemcpy(part, path, length);
            part[length] = 0;
            status = PyWideStringList_Append(&config->module_search_paths, part);
        }
        path = colon == NULL ? NULL : colon + 1;
    }
    return status;
}

/* Where a build keeps the extension modules it has made: the file pybuilddir.txt beside the executable says
 * it, relative to itself. False when this is no build folder. */
static bool find_build_modules(const char *executable, char *folder)
{
    char real[PATH_MAX], name[2 * PATH_MAX], text[PATH_MAX / 2] = "";
    char *slash = realpath(executable, real) == NULL ? NULL : strrchr(real, '/');
    if (slash == NULL) {
        return false;
    }
    *slash = 0;
    snprintf(name, sizeof name, "%s/pybuilddir.txt", real);
    FILE *file = fopen(name, "re");
    if (file == NULL) {
        return false;
    }
    bool found = fgets(text, sizeof text, file) != NULL;
    fclose(file);
    text[strcspn(text, "\n")] = 0;
    snprintf(name, sizeof name, "%s/%s", real, text);
    return found && realpath(name, folder) != NULL;
}

static PyStatus fill_search_paths(PyConfig *config, const char *executable, const char *library,
                                  const char *prefix)
{
    char buffer[PATH_MAX + 32];
    PyStatus status = append_pythonpath(config);
    snprintf(buffer, sizeof buffer, "%s/lib/python313.zip", prefix);
    if (!PyStatus_Exception(status)) {
        status = append_path(config, buffer);
    }
    if (!PyStatus_Exception(status)) {
        status = append_path(config, library);
    }
    if (!find_build_modules(executable, buffer)) {
        snprintf(buffer, sizeof buffer, "%s/" LIBRARY "/lib-dynload", prefix);
    }
    if (!PyStatus_Exception(status)) {
        status = append_path(config, buffer);
    }
    config->module_search_paths_set = 1;
    return status;
}

PyStatus config_find_paths(PyConfig *config)
{
    char executable[PATH_MAX] = "", library[PATH_MAX] = "", prefix[PATH_MAX] = "";
    find_executable(config, executable);
    if (!find_library(config, executable, library, prefix)) {
        report_missing(config);
        snprintf(library, sizeof library, "%s/" LIBRARY, prefix);
    }
    const struct {
        wchar_t **field;
        const char *text;
    } fields[] = {
        {&config->executable, executable}, {&config->base_executable, executable},
        {&config->prefix, prefix},         {&config->base_prefix, prefix},
        {&config->exec_prefix, prefix},    {&config->base_exec_prefix, prefix},
        {&config->stdlib_dir, library},    {&config->platlibdir, "lib"},
    };
    PyStatus status = PyStatus_Ok();
    for (size_t i = 0; i < sizeof fields / sizeof fields[0] && !PyStatus_Exception(status); i++) {
        status = set_if_missing(config, fields[i].field, fields[i].text);
    }
    if (!PyStatus_Exception(status) && !config->module_search_paths_set) {
        status = fill_search_paths(config, executable, library, prefix);
    }
    return status;
}
