/* The command: what the configuration asks to run. */

#include "interp/startup/startup.h"
#include "interp/parse/parse.h"
#include "objects/error.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

/* ---- sys.path[0] ---------------------------------------------------------------------------------------- */

static int prepend_path(PyObject *entry)
{
    PyObject *path = sys_get(ID(path));
    int result = path == NULL || entry == NULL ? -1 : PyList_Insert(path, 0, entry);
    Py_XDECREF(path);
    Py_XDECREF(entry);
    return result;
}

/* The folder of the script, links resolved (new reference). */
static PyObject *folder_of(const wchar_t *script)
{
    char *name = Py_EncodeLocale(script, NULL);
    char *real = name == NULL ? NULL : realpath(name, NULL);
    const char *text = real != NULL ? real : name;
    const char *slash = text == NULL ? NULL : strrchr(text, '/');
    PyObject *folder =
        slash == NULL ? PyUnicode_FromString("")
                      : PyUnicode_DecodeFSDefaultAndSize(text, slash == text ? 1 : slash - text);
    free(real);
    PyMem_Free(name);
    return folder;
}

static int set_path_0(const PyConfig *config)
{
    if (config->safe_path) {
        return 0;
    }
    if (config->run_module != NULL) {
        char *cwd = getcwd(NULL, 0);
        PyObject *entry = cwd == NULL ? NULL : PyUnicode_DecodeFSDefault(cwd);
        free(cwd);
        return cwd == NULL ? 0 : prepend_path(entry);
    }
    if (config->run_filename != NULL) {
        return prepend_path(folder_of(config->run_filename));
    }
    return prepend_path(PyUnicode_FromString(""));
}

/* ---- running ----------------------------------------------------------------------------------------------- */

/* The exception of the program: shown; the exit status. */
/* The program ended by a KeyboardInterrupt: the process shall die of the signal, as shells expect. */
static bool interrupted;

static int finish_with_exception(void)
{
    int status;
    if (handle_system_exit(&status)) {
        return status;
    }
    if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) {
        interrupted = true;
        display_raised(true);
        return 128 + SIGINT;
    }
    display_raised(true);
    return 1;
}

/* Lets tracebacks show the lines of a program that is in no file. Without success that is not needed. */
static void remember_source(PyObject *code, PyObject *text)
{
    PyObject *linecache = PyImport_ImportModule("linecache");
    PyObject *done = linecache == NULL ? NULL
                                       : PyObject_CallMethod(linecache, "_register_code", "OOs",
                                                             code, text, "<string>");
    Py_XDECREF(linecache);
    Py_XDECREF(done);
    PyErr_Clear();
}

/* Runs `text` as <string> in a namespace: new reference. */
static PyObject *run_source(PyObject *text, const char *utf8, Py_ssize_t length, PyObject *dict,
                            PyCompilerFlags *flags)
{
    PyObject *filename = PyUnicode_FromString("<string>");
    PyObject *code = filename == NULL
                         ? NULL
                         : compile_source(utf8, (size_t)length, filename, PARSE_FILE, flags, -1);
    PyObject *result = NULL;
    if (code != NULL) {
        remember_source(code, text);
        if (PySys_Audit("exec", "O", code) == 0) {
            result = PyEval_EvalCode(code, dict, dict);
        }
    }
    Py_XDECREF(code);
    Py_XDECREF(filename);
    return result;
}

static int run_command(const wchar_t *command, PyCompilerFlags *flags)
{
    PyObject *text = PyUnicode_FromWideChar(command, -1);
    if (text == NULL || PySys_Audit("cpython.run_command", "O", text) < 0) {
        Py_XDECREF(text);
        return finish_with_exception();
    }
    Py_ssize_t length;
    const char *utf8 = PyUnicode_AsUTF8AndSize(text, &length);
    if (utf8 == NULL) {
        fputs("Unable to decode the command from the command line:\n", stderr);
    }
    PyObject *module = utf8 == NULL ? NULL : PyImport_AddModuleRef("__main__");
    PyObject *dict = module == NULL ? NULL : PyModule_GetDict(module);
    flags->cf_flags |= PyCF_IGNORE_COOKIE;
    PyObject *result = dict == NULL ? NULL : run_source(text, utf8, length, dict, flags);
    Py_XDECREF(module);
    Py_DECREF(text);
    if (result == NULL) {
        return finish_with_exception();
    }
    Py_DECREF(result);
    return 0;
}

static int run_module(const wchar_t *name, bool set_argv0)
{
    PyObject *text = PyUnicode_FromWideChar(name, -1);
    PyObject *runpy = PyImport_ImportModule("runpy");
    PyObject *run = runpy == NULL ? NULL : PyObject_GetAttrString(runpy, "_run_module_as_main");
    PyObject *result = NULL;
    if (run != NULL && text != NULL && PySys_Audit("cpython.run_module", "O", text) == 0) {
        result = PyObject_CallFunctionObjArgs(run, text, set_argv0 ? Py_True : Py_False, NULL);
    }
    Py_XDECREF(run);
    Py_XDECREF(runpy);
    Py_XDECREF(text);
    if (result == NULL) {
        return finish_with_exception();
    }
    Py_DECREF(result);
    return 0;
}

/* A folder or zip file with __main__ in it: 1, 0 if it is not one, -1 with an exception. */
static int is_importable(const wchar_t *filename)
{
    PyObject *text = PyUnicode_FromWideChar(filename, -1);
    PyObject *importer = text == NULL ? NULL : PyImport_GetImporter(text);
    int result = importer == NULL ? -1 : importer != Py_None;
    if (result > 0) {
        PyObject *path = sys_get(ID(path));
        result = path == NULL || PyList_Insert(path, 0, text) < 0 ? -1 : 1;
        Py_XDECREF(path);
    }
    Py_XDECREF(importer);
    Py_XDECREF(text);
    return result;
}

/* The name of the script from the root on, as __file__ has it (new reference). */
static PyObject *absolute_name(const wchar_t *filename)
{
    char folder[PATH_MAX];
    if (filename[0] == L'/' || getcwd(folder, sizeof folder) == NULL) {
        return PyUnicode_FromWideChar(filename, -1);
    }
    PyObject *start = PyUnicode_DecodeFSDefault(folder);
    PyObject *rest = PyUnicode_FromWideChar(filename, -1);
    PyObject *whole =
        start == NULL || rest == NULL ? NULL : PyUnicode_FromFormat("%U/%U", start, rest);
    Py_XDECREF(start);
    Py_XDECREF(rest);
    return whole;
}

static int run_file(const PyConfig *config, PyCompilerFlags *flags)
{
    const wchar_t *filename = config->run_filename;
    char *name = Py_EncodeLocale(filename, NULL);
    FILE *file = name == NULL ? NULL : fopen(name, "re");
    struct stat info;
    if (file == NULL) {
        fprintf(stderr, "%ls: can't open file '%s': [Errno %d] %s\n", config->program_name,
                name == NULL ? "?" : name, errno, strerror(errno));
        PyMem_Free(name);
        return 2;
    }
    PyMem_Free(name);
    if (fstat(fileno(file), &info) == 0 && S_ISDIR(info.st_mode)) {
        fprintf(stderr, "%ls: '%ls' is a directory, cannot continue\n", config->program_name,
                filename);
        fclose(file);
        return 1;
    }
    if (config->skip_source_first_line) {
        int c;
        while ((c = getc(file)) != EOF && c != '\n') {
        }
        if (c == '\n') {
            ungetc('\n', file);
        }
    }
    PyObject *text = absolute_name(filename);
    if (text == NULL || PySys_Audit("cpython.run_file", "O", text) < 0) {
        Py_XDECREF(text);
        fclose(file);
        return finish_with_exception();
    }
    int result = run_simple_file(file, text, true, flags);
    Py_DECREF(text);
    return result != 0;
}

/* With -i there is a dialogue even when nobody sits at a terminal. */
static bool stdin_is_interactive(const PyConfig *config)
{
    return isatty(STDIN_FILENO) || config->interactive;
}

static int run_stdin(const PyConfig *config, PyCompilerFlags *flags)
{
    bool interactive = stdin_is_interactive(config);
    if (PySys_Audit("cpython.run_stdin", NULL) < 0) {
        return finish_with_exception();
    }
    if (!interactive) {
        PyObject *name = PyUnicode_FromString("<stdin>");
        int result = name == NULL ? -1 : run_simple_file(stdin, name, false, flags);
        Py_XDECREF(name);
        return result != 0;
    }
    if (!config->quiet) {
        fprintf(stderr,
                "Python %s on %s\nType \"help\", \"copyright\", \"credits\" or \"license\" "
                "for more information.\n",
                Py_GetVersion(), Py_GetPlatform());
    }
    return PyRun_InteractiveLoopFlags(stdin, "<stdin>", flags);
}

int run_main(struct main_interp *interp)
{
    const PyConfig *config = &interp->config;
    PyCompilerFlags flags = _PyCompilerFlags_INIT;
    int status = 0;
    int importable = config->run_filename == NULL ? 0 : is_importable(config->run_filename);
    if (importable < 0) {
        PyErr_Clear();
        importable = 0;
    }
    if (!importable && set_path_0(config) < 0) {
        return finish_with_exception();
    }
    if (config->run_command != NULL) {
        status = run_command(config->run_command, &flags);
    } else if (config->run_module != NULL) {
        status = run_module(config->run_module, true);
    } else if (importable) {
        status = run_module(L"__main__", false);
    } else if (config->run_filename != NULL) {
        status = run_file(config, &flags);
    } else {
        return run_stdin(config, &flags);
    }
    const char *inspect =
        config->use_environment ? getenv("PYTHONINSPECT") : NULL; /* the program may have set it */
    if ((config->inspect || (inspect != NULL && *inspect != 0)) && stdin_is_interactive(config)) {
        PyRun_InteractiveLoopFlags(stdin, "<stdin>", &flags);
    }
    return status;
}

int Py_RunMain(void)
{
    int status = run_main(main_interp_self());
    if (finalize_at_exit() < 0) {
        status = 120;
    }
    if (interrupted) {
        signal(SIGINT, SIG_DFL);
        kill(getpid(), SIGINT);
    }
    return status;
}

static int start_and_run(PyConfig *config, PyStatus status)
{
    if (!PyStatus_Exception(status)) {
        status = Py_InitializeFromConfig(config);
    }
    PyConfig_Clear(config);
    if (PyStatus_IsExit(status)) {
        return status.exitcode;
    }
    if (PyStatus_Exception(status)) {
        Py_ExitStatusException(status);
    }
    return Py_RunMain();
}

int Py_BytesMain(int argc, char **argv)
{
    PyPreConfig preconfig;
    PyPreConfig_InitPythonConfig(&preconfig);
    PyStatus status = Py_PreInitializeFromBytesArgs(&preconfig, argc, argv);
    if (PyStatus_Exception(status)) {
        Py_ExitStatusException(status);
    }
    setlocale(LC_CTYPE, "");
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    return start_and_run(&config, PyConfig_SetBytesArgv(&config, argc, argv));
}

int Py_Main(int argc, wchar_t **argv)
{
    PyPreConfig preconfig;
    PyPreConfig_InitPythonConfig(&preconfig);
    PyStatus status = Py_PreInitializeFromArgs(&preconfig, argc, argv);
    if (PyStatus_Exception(status)) {
        Py_ExitStatusException(status);
    }
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    return start_and_run(&config, PyConfig_SetArgv(&config, argc, argv));
}
