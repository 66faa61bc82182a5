/* Where things lie: the executable, the library, sys.path.
 *
 * The executable is what the program was called as; its links are kept, so that a virtual environment
 * (pyvenv.cfg beside it or one folder up) is one. The library is looked for from the program behind it:
 *
 *   1. below PYTHONHOME, and nowhere else if that is set;
 *   2. where python-build.cfg beside the program says (a build folder);
 *   3. in each folder upwards of the program, as lib/python3.13 (an installed tree);
 *   4. in the prefix of the build;
 *   5. in the folder that the build was told of, and where Debian's packages put it.
 *
 * A folder is the library if it has os.py in it. */

#include "interp/startup/startup.h"
#include "interp/build_paths.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <wchar.h>

#define NAME_SHARED "python3.13"
#define NAME NAME_SHARED KRAIT_ABIFLAGS
#define ZIP "python313" KRAIT_ABIFLAGS ".zip"
#define DEBIAN_LIBRARY "/usr/lib/python3.13"

struct places {
    char executable[PATH_MAX];      /* sys.executable */
    char base_executable[PATH_MAX]; /* outside the virtual environment, if there is one */
    char prefix[PATH_MAX], exec_prefix[PATH_MAX];
    char library[PATH_MAX];
    char platlibdir[64];
    char extra[2 * PATH_MAX]; /* folders to search before the library, with ':' between */
    char modules[PATH_MAX];   /* where extension modules are */
    char searched[4 * PATH_MAX];
};

/* ---- paths as strings -------------------------------------------------------------------------------- */

static bool copy(char *result, size_t size, const char *text)
{
    size_t length = strlen(text);
    if (length >= size) {
        return false;
    }
    memmove(result, text, length + 1);
    return true;
}

/* folder/name, of at most PATH_MAX. `result` may be `folder`. */
static bool join(char *result, const char *folder, const char *name)
{
    size_t length = strlen(folder), more = strlen(name);
    if (length + 1 + more >= PATH_MAX) {
        return false;
    }
    memmove(result, folder, length);
    if (length > 0 && result[length - 1] != '/') {
        result[length++] = '/';
    }
    memcpy(result + length, name, more + 1);
    return true;
}

/* Cuts the last part off; false if only the root is left. */
static bool go_up(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash == NULL || path[1] == 0) {
        return false;
    }
    slash[slash == path] = 0;
    return true;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static bool encode(char *result, size_t size, const wchar_t *wide)
{
    char *text = Py_EncodeLocale(wide, NULL);
    bool fits = text != NULL && copy(result, size, text);
    PyMem_Free(text);
    return fits;
}

static bool file_exists(const char *folder, const char *name)
{
    char path[PATH_MAX];
    return join(path, folder, name) && access(path, R_OK) == 0;
}

/* The value of `key` in a file of lines `key = value`; the key's case does not matter. */
static bool read_setting(const char *path, const char *key, char *value, size_t size)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    char line[2 * PATH_MAX];
    bool found = false;
    while (!found && fgets(line, sizeof line, file) != NULL) {
        char *equals = strchr(line, '=');
        if (equals == NULL) {
            continue;
        }
        char *start = line + strspn(line, " \t"), *end = equals;
        while (end > start && strchr(" \t", end[-1]) != NULL) {
            end--;
        }
        *end = 0;
        char *text = equals + 1 + strspn(equals + 1, " \t");
        for (end = text + strlen(text); end > text && strchr(" \t\r\n", end[-1]) != NULL;) {
            *--end = 0;
        }
        found = strcasecmp(start, key) == 0 && copy(value, size, text);
    }
    fclose(file);
    return found;
}

/* ---- the executable ----------------------------------------------------------------------------------- */

static bool make_absolute(char *path)
{
    char folder[PATH_MAX];
    if (path[0] == '/') {
        return true;
    }
    const char *name = path[0] == '.' && path[1] == '/' ? path + 2 : path;
    return getcwd(folder, sizeof folder) != NULL && join(folder, folder, name)
           && copy(path, PATH_MAX, folder);
}

/* Finds a program on PATH, as a shell would. */
static bool search_path(const char *name, char *result)
{
    for (const char *path = getenv("PATH"); path != NULL && *path != 0;) {
        char folder[PATH_MAX];
        size_t length = strcspn(path, ":");
        if (length < sizeof folder) {
            memcpy(folder, path, length);
            folder[length] = 0;
            if (join(result, folder, name) && access(result, X_OK) == 0) {
                return true;
            }
        }
        path += length + (path[length] == ':');
    }
    return false;
}

static void find_executable(const PyConfig *config, struct places *places)
{
    char name[PATH_MAX], *result = places->executable;
    const wchar_t *given = config->executable != NULL ? config->executable : config->program_name;
    bool found = encode(name, sizeof name, given);
    if (found && strchr(name, '/') != NULL) {
        copy(result, PATH_MAX, name);
    } else if (!found || !search_path(name, result)) {
        ssize_t length = readlink("/proc/self/exe", result, PATH_MAX - 1);
        result[length < 0 ? 0 : length] = 0;
    }
    if (result[0] != 0 && !make_absolute(result)) {
        result[0] = 0;
    }
}

/* The `home` of a virtual environment that holds the executable. */
static bool find_home_of_venv(const char *executable, char *home)
{
    char folder[PATH_MAX], path[PATH_MAX];
    copy(folder, sizeof folder, executable);
    for (int level = 0; level < 2 && go_up(folder); level++) {
        if (join(path, folder, "pyvenv.cfg") && read_setting(path, "home", home, PATH_MAX)) {
            return true;
        }
    }
    return false;
}

static void find_base_executable(const PyConfig *config, struct places *places)
{
    char home[PATH_MAX], *result = places->base_executable;
    if (config->base_executable != NULL && encode(result, PATH_MAX, config->base_executable)) {
        return;
    }
    copy(result, PATH_MAX, places->executable);
    if (config->home != NULL || !find_home_of_venv(places->executable, home)) {
        return;
    }
    char target[PATH_MAX];
    const char *names[] = {
        last_part(places->executable),
        realpath(places->executable, target) != NULL ? last_part(target) : NAME,
        NAME,
        "python3",
        "python",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (join(result, home, names[i]) && access(result, X_OK) == 0) {
            return;
        }
    }
    join(result, home, names[0]);
}

/* ---- the library -------------------------------------------------------------------------------------- */

static bool try_library(struct places *places, const char *folder)
{
    if (folder[0] == 0) {
        return false;
    }
    if (file_exists(folder, "os.py")) {
        return copy(places->library, sizeof places->library, folder);
    }
    size_t length = strlen(places->searched);
    snprintf(places->searched + length, sizeof places->searched - length, "%s%s",
             length == 0 ? "" : ", ", folder);
    return false;
}

/* prefix/lib/python3.13t, or (the library is the same) prefix/lib/python3.13. `quietly` leaves no note of
 * where it looked. */
static bool try_prefix(struct places *places, const char *prefix, bool quietly)
{
    char folder[PATH_MAX], library[PATH_MAX];
    const char *names[] = {NAME, NAME_SHARED};
    for (size_t i = 0; i < 1 + (strcmp(NAME, NAME_SHARED) != 0); i++) {
        if (!join(folder, prefix, places->platlibdir) || !join(library, folder, names[i])) {
            return false;
        }
        if ((!quietly || file_exists(library, "os.py")) && try_library(places, library)) {
            return true;
        }
    }
    return false;
}

static bool library_upwards(struct places *places, const char *program)
{
    char folder[PATH_MAX];
    copy(folder, sizeof folder, program);
    while (go_up(folder) && folder[1] != 0) {
        if (try_prefix(places, folder, true)) {
            copy(places->prefix, sizeof places->prefix, folder);
            return true;
        }
    }
    return false;
}

static bool library_of_build(struct places *places, const char *program)
{
    char path[PATH_MAX], library[PATH_MAX];
    copy(path, sizeof path, program);
    if (!go_up(path) || !join(path, path, "python-build.cfg")
        || !read_setting(path, "library", library, sizeof library)) {
        return false;
    }
    read_setting(path, "extra", places->extra, sizeof places->extra);
    read_setting(path, "modules", places->modules, sizeof places->modules);
    return try_library(places, library);
}

/* The library belongs to the system; what is ours in the prefix comes before it. */
static bool library_of_system(struct places *places)
{
    if (!try_library(places, KRAIT_STDLIB_DIR) && !try_library(places, DEBIAN_LIBRARY)) {
        return false;
    }
    char folder[PATH_MAX];
    if (join(folder, KRAIT_PREFIX "/lib", NAME) && access(folder, R_OK) == 0) {
        copy(places->extra, sizeof places->extra, folder);
    }
    return true;
}

static bool find_library(const PyConfig *config, struct places *places)
{
    char program[PATH_MAX];
    copy(places->prefix, sizeof places->prefix, KRAIT_PREFIX);
    if (config->home != NULL && encode(places->prefix, PATH_MAX, config->home)) {
        char *colon = strchr(places->prefix, ':');
        copy(places->exec_prefix, sizeof places->exec_prefix,
             colon == NULL ? places->prefix : colon + 1);
        if (colon != NULL) {
            *colon = 0;
        }
        return try_prefix(places, places->prefix, false);
    }
    bool found = (realpath(places->base_executable, program) != NULL
                  && (library_of_build(places, program) || library_upwards(places, program)))
                 || try_prefix(places, KRAIT_PREFIX, false) || library_of_system(places);
    copy(places->exec_prefix, sizeof places->exec_prefix, places->prefix);
    return found;
}

/* One line about a library that is not there, or not whole; NULL if all is well. */
static const char *library_problem(struct places *places, bool found)
{
    static char message[sizeof places->searched + 300];
    static const char *const needed[] = {"abc.py", "codecs.py", "io.py", "site.py",
                                         "encodings/__init__.py"};
    if (!found) {
        snprintf(message, sizeof message,
                 "Python's standard library was not found; looked for os.py in %s. Install it "
                 "(Debian: libpython3.13-stdlib), or set PYTHONHOME to a prefix that has %s/%s",
                 places->searched, places->platlibdir, NAME_SHARED);
        return message;
    }
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (!file_exists(places->library, needed[i])) {
            snprintf(message, sizeof message,
                     "Python's standard library in %s is not whole: there is no %s. Install it "
                     "again (Debian: libpython3.13-minimal, libpython3.13-stdlib)",
                     places->library, needed[i]);
            return message;
        }
    }
    return NULL;
}

/* ---- sys.path ----------------------------------------------------------------------------------------- */

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

/* Folders with ':' between; an empty one is the current folder in PYTHONPATH. */
static PyStatus append_folders(PyConfig *config, const wchar_t *path)
{
    PyStatus status = PyStatus_Ok();
    while (path != NULL && !PyStatus_Exception(status)) {
        const wchar_t *colon = wcschr(path, L':');
        size_t length = colon == NULL ? wcslen(path) : (size_t)(colon - path);
        wchar_t *part = PyMem_RawMalloc((length + 1) * sizeof *part);
        if (part == NULL) {
            return PyStatus_NoMemory();
        }
        wmemcpy(part, path, length);
        part[length] = 0;
        status = PyWideStringList_Append(&config->module_search_paths, part);
        PyMem_RawFree(part);
        path = colon == NULL ? NULL : colon + 1;
    }
    return status;
}

static PyStatus fill_search_paths(PyConfig *config, const struct places *places)
{
    char zip[PATH_MAX], modules[PATH_MAX];
    if (!join(zip, places->prefix, places->platlibdir) || !join(zip, zip, ZIP)
        || !join(modules, places->exec_prefix, places->platlibdir)
        || !join(modules, modules, NAME "/lib-dynload")
        || (places->modules[0] != 0 && !copy(modules, sizeof modules, places->modules))) {
        return PyStatus_Error("a path is too long");
    }
    PyStatus status = append_folders(config, config->pythonpath_env);
    if (!PyStatus_Exception(status)) {
        status = append_path(config, zip);
    }
    for (const char *extra = places->extra; *extra != 0 && !PyStatus_Exception(status);) {
        char folder[PATH_MAX];
        size_t length = strcspn(extra, ":");
        snprintf(folder, sizeof folder, "%.*s", (int)length, extra);
        status = append_path(config, folder);
        extra += length + (extra[length] == ':');
    }
    const char *rest[] = {places->library, modules};
    for (size_t i = 0; i < 2 && !PyStatus_Exception(status); i++) {
        status = append_path(config, rest[i]);
    }
    config->module_search_paths_set = 1;
    return status;
}

static PyStatus set_if_missing(PyConfig *config, wchar_t **field, const char *text)
{
    return *field != NULL ? PyStatus_Ok() : PyConfig_SetBytesString(config, field, text);
}

PyStatus config_find_paths(PyConfig *config)
{
    struct places places;
    memset(&places, 0, sizeof places);
    if (config->platlibdir == NULL
        || !encode(places.platlibdir, sizeof places.platlibdir, config->platlibdir)) {
        copy(places.platlibdir, sizeof places.platlibdir, "lib");
    }
    find_executable(config, &places);
    find_base_executable(config, &places);
    const char *problem = library_problem(&places, find_library(config, &places));
    if (problem != NULL && config->pathconfig_warnings && !config->module_search_paths_set) {
        return PyStatus_Error(problem);
    }
    if (places.library[0] == 0
        && !(join(places.library, places.prefix, places.platlibdir)
             && join(places.library, places.library, NAME))) {
        return PyStatus_Error("a path is too long");
    }
    const struct {
        wchar_t **field;
        const char *text;
    } fields[] = {
        {&config->executable, places.executable},
        {&config->base_executable, places.base_executable},
        {&config->prefix, places.prefix},
        {&config->base_prefix, places.prefix},
        {&config->exec_prefix, places.exec_prefix},
        {&config->base_exec_prefix, places.exec_prefix},
        {&config->stdlib_dir, places.library},
        {&config->platlibdir, places.platlibdir},
    };
    PyStatus status = PyStatus_Ok();
    for (size_t i = 0; i < sizeof fields / sizeof fields[0] && !PyStatus_Exception(status); i++) {
        status = set_if_missing(config, fields[i].field, fields[i].text);
    }
    if (!PyStatus_Exception(status) && !config->module_search_paths_set) {
        status = fill_search_paths(config, &places);
    }
    return status;
}
