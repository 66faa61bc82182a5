/* The old ways to configure an interpreter before it starts, and to ask where it found things. What they set
 * is kept until the configuration is read; what they tell comes from it. */

#include "interp/startup/startup.h"
#include "objects/error.h"

#include <string.h>
#include <wchar.h>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

PyAPI_FUNC(void) Py_SetPath(const wchar_t *path);
PyAPI_FUNC(void) PySys_AddWarnOption(const wchar_t *option);
PyAPI_FUNC(void) PySys_AddWarnOptionUnicode(PyObject *option);
PyAPI_FUNC(int) PySys_HasWarnOptions(void);
PyAPI_FUNC(void) PySys_AddXOption(const wchar_t *option);
PyAPI_FUNC(void) PySys_SetPath(const wchar_t *path);

const unsigned long Py_Version = PY_VERSION_HEX;

/* ---- before the start ---------------------------------------------------------------------------- */

/* What was set by hand; strings owned. */
static struct {
    wchar_t *path, *program_name, *home;
} preset;

static void preset_string(wchar_t **field, const wchar_t *text)
{
    size_t bytes = text == NULL ? 0 : (wcslen(text) + 1) * sizeof *text;
    wchar_t *copy = text == NULL || *text == 0 ? NULL : PyMem_RawMalloc(bytes);
    if (copy != NULL) {
        memcpy(copy, text, bytes);
    }
    PyMem_RawFree(*field);
    *field = copy;
}

void Py_SetPath(const wchar_t *path)
{
    preset_string(&preset.path, path);
}

void Py_SetProgramName(const wchar_t *name)
{
    preset_string(&preset.program_name, name);
}

void Py_SetPythonHome(const wchar_t *home)
{
    preset_string(&preset.home, home);
}

/* Splits a search path at its colons into the list. */
static PyStatus append_folders(PyWideStringList *list, const wchar_t *path)
{
    PyStatus status = PyStatus_Ok();
    while (path != NULL && !PyStatus_Exception(status)) {
        const wchar_t *colon = wcschr(path, L':');
        size_t length = colon == NULL ? wcslen(path) : (size_t)(colon - path);
        wchar_t *folder = PyMem_RawMalloc((length + 1) * sizeof *folder);
        if (folder == NULL) {
            return PyStatus_NoMemory();
        }
        wmemcpy(folder, path, length);
        folder[length] = 0;
        status = PyWideStringList_Append(list, folder);
        PyMem_RawFree(folder);
        path = colon == NULL ? NULL : colon + 1;
    }
    return status;
}

PyStatus config_read_presets(PyConfig *config)
{
    PyStatus status = PyStatus_Ok();
    if (preset.program_name != NULL && config->program_name == NULL) {
        status = CONFIG_SET(config, program_name, preset.program_name);
    }
    if (preset.home != NULL && config->home == NULL && !PyStatus_Exception(status)) {
        status = CONFIG_SET(config, home, preset.home);
    }
    if (preset.path != NULL && !config->module_search_paths_set && !PyStatus_Exception(status)) {
        status = append_folders(&config->module_search_paths, preset.path);
        config->module_search_paths_set = 1;
    }
    return status;
}

PyStatus _Py_InitializeMain(void)
{
    return Py_IsInitialized() ? PyStatus_Ok() : PyStatus_Error("runtime not initialized");
}

/* ---- what was found ------------------------------------------------------------------------------ */

static const PyConfig *config_or_null(void)
{
    return thread_self() == NULL ? NULL : &main_interp_self()->config;
}

#define CONFIG_GETTER(function, field)                                                             \
    wchar_t *function(void)                                                                        \
    {                                                                                              \
        const PyConfig *config = config_or_null();                                                 \
        return config == NULL ? NULL : config->field;                                              \
    }

CONFIG_GETTER(Py_GetPrefix, prefix)
CONFIG_GETTER(Py_GetExecPrefix, exec_prefix)
CONFIG_GETTER(Py_GetProgramFullPath, executable)
CONFIG_GETTER(Py_GetProgramName, program_name)
CONFIG_GETTER(Py_GetPythonHome, home)

/* The search path as one string, made at the first call and kept. */
wchar_t *Py_GetPath(void)
{
    static wchar_t *joined;
    const PyConfig *config = config_or_null();
    if (joined == NULL && config != NULL) {
        const PyWideStringList *paths = &config->module_search_paths;
        size_t length = 1;
        for (Py_ssize_t i = 0; i < paths->length; i++) {
            length += wcslen(paths->items[i]) + 1;
        }
        wchar_t *text = PyMem_RawCalloc(length, sizeof *text);
        for (Py_ssize_t i = 0; i < paths->length && text != NULL; i++) {
            wcscat(text, paths->items[i]);
            wcscat(text, i + 1 < paths->length ? L":" : L"");
        }
        joined = text;
    }
    return joined;
}

void Py_GetArgcArgv(int *argc, wchar_t ***argv)
{
    const PyConfig *config = config_or_null();
    *argc = config == NULL ? 0 : (int)config->orig_argv.length;
    *argv = config == NULL ? NULL : config->orig_argv.items;
}

/* ---- sys --------------------------------------------------------------------------------------------- */

/* sys.name if it is of the type; else a new one that is put there (borrowed; NULL with an exception). */
static PyObject *sys_container(const char *name, PyTypeObject *type)
{
    PyObject *value = PySys_GetObject(name);
    if (value != NULL && PyObject_TypeCheck(value, type)) {
        return value;
    }
    value = PyObject_CallNoArgs((PyObject *)type);
    if (value != NULL) {
        int result = PySys_SetObject(name, value);
        Py_DECREF(value);
        value = result < 0 ? NULL : value;
    }
    return value;
}

PyObject *PySys_GetXOptions(void)
{
    return sys_container("_xoptions", &PyDict_Type);
}

void PySys_AddXOption(const wchar_t *option)
{
    PyObject *options = PySys_GetXOptions();
    const wchar_t *equals = wcschr(option, L'=');
    PyObject *name = PyUnicode_FromWideChar(option, equals == NULL ? -1 : equals - option);
    PyObject *value = equals == NULL ? Py_NewRef(Py_True) : PyUnicode_FromWideChar(equals + 1, -1);
    if (options == NULL || name == NULL || value == NULL
        || PyDict_SetItem(options, name, value) < 0) {
        PyErr_Clear(); /* there is nobody to tell */
    }
    Py_XDECREF(name);
    Py_XDECREF(value);
}

void PySys_AddWarnOptionUnicode(PyObject *option)
{
    PyObject *options = sys_container("warnoptions", &PyList_Type);
    if (options == NULL || PyList_Append(options, option) < 0) {
        PyErr_Clear();
    }
}

void PySys_AddWarnOption(const wchar_t *option)
{
    PyObject *text = PyUnicode_FromWideChar(option, -1);
    if (text != NULL) {
        PySys_AddWarnOptionUnicode(text);
        Py_DECREF(text);
    }
}

int PySys_HasWarnOptions(void)
{
    PyObject *options = PySys_GetObject("warnoptions");
    return options != NULL && PyList_Check(options) && PyList_GET_SIZE(options) > 0;
}

void PySys_ResetWarnOptions(void)
{
    PyObject *options = PySys_GetObject("warnoptions");
    if (options != NULL && PyList_Check(options)) {
        PyList_SetSlice(options, 0, PyList_GET_SIZE(options), NULL);
    }
}

static PyObject *list_of_strings(Py_ssize_t count, wchar_t **items)
{
    PyObject *list = PyList_New(count);
    for (Py_ssize_t i = 0; i < count && list != NULL; i++) {
        PyObject *item = PyUnicode_FromWideChar(items[i], -1);
        if (item == NULL) {
            Py_CLEAR(list);
        } else {
            PyList_SET_ITEM(list, i, item);
        }
    }
    return list;
}

static void sys_replace(const char *name, PyObject *value)
{
    if (value == NULL || PySys_SetObject(name, value) < 0) {
        Py_FatalError("sys cannot be changed");
    }
    Py_DECREF(value);
}

void PySys_SetPath(const wchar_t *path)
{
    PyWideStringList folders = {0, NULL};
    if (PyStatus_Exception(append_folders(&folders, path))) {
        Py_FatalError("no memory for sys.path");
    }
    sys_replace("path", list_of_strings(folders.length, folders.items));
    for (Py_ssize_t i = 0; i < folders.length; i++) {
        PyMem_RawFree(folders.items[i]);
    }
    PyMem_RawFree(folders.items);
}

/* The script's folder, or "" without one, goes in front of sys.path. */
static int insert_script_folder(int argc, wchar_t **argv)
{
    const wchar_t *script = argc > 0 ? argv[0] : L"";
    const wchar_t *slash = wcsrchr(script, L'/');
    PyObject *path = PySys_GetObject("path");
    PyObject *folder = wcscmp(script, L"-c") == 0 || wcscmp(script, L"-m") == 0 || slash == NULL
                           ? PyUnicode_FromString("")
                           : PyUnicode_FromWideChar(script, slash == script ? 1 : slash - script);
    int result = folder == NULL || path == NULL ? -1 : PyList_Insert(path, 0, folder);
    Py_XDECREF(folder);
    return result;
}

void PySys_SetArgvEx(int argc, wchar_t **argv, int update_path)
{
    wchar_t *none[] = {L""};
    bool given = argc > 0 && argv != NULL;
    sys_replace("argv", list_of_strings(given ? argc : 1, given ? argv : none));
    if (update_path && insert_script_folder(given ? argc : 0, argv) < 0) {
        Py_FatalError("sys.path cannot be changed");
    }
}

void PySys_SetArgv(int argc, wchar_t **argv)
{
    PySys_SetArgvEx(argc, argv, Py_IsolatedFlag == 0);
}
