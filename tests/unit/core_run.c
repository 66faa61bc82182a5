/* Runs Python files on the core alone: types, compiler and machine, without import or streams.
 *
 *     core_run FILE ...
 *
 * Each file runs as a module called __main__; an exception that it lets out is shown and counted. The
 * last line is "N passed, N failed". */

#include "Python.h"
#include "interp/state.h"

#include <stdio.h>
#include <stdlib.h>

PyStatus startup_core(const PyConfig *config);

static char *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    if (file != NULL && fseek(file, 0, SEEK_END) == 0) {
        long size = ftell(file);
        rewind(file);
        text = malloc((size_t)size + 1);
        *length = text == NULL ? 0 : fread(text, 1, (size_t)size, file);
        text[*length] = 0;
    }
    if (file != NULL) {
        fclose(file);
    }
    return text;
}

/* Type, text and lines of the raised exception. */
static void show_exception(void)
{
    PyObject *exception = PyErr_GetRaisedException();
    PyTracebackObject *tb = (PyTracebackObject *)PyException_GetTraceback(exception);
    for (; tb != NULL; tb = tb->tb_next) {
        PyCodeObject *code = PyFrame_GetCode(tb->tb_frame);
        printf("  %s:%d %s\n", PyUnicode_AsUTF8(code->co_filename),
               PyCode_Addr2Line(code, tb->tb_lasti), PyUnicode_AsUTF8(code->co_name));
    }
    PyObject *text = PyObject_Repr(exception);
    printf("  %s\n", text == NULL ? "?" : PyUnicode_AsUTF8(text));
    PyErr_Clear();
}

static int run(const char *path)
{
    size_t length;
    char *source = read_file(path, &length);
    PyObject *name = PyUnicode_FromString(path), *globals = PyDict_New();
    PyObject *main_name = PyUnicode_FromString("__main__"), *result = NULL;
    if (source != NULL && name != NULL && main_name != NULL && globals != NULL
        && PyDict_SetItemString(globals, "__name__", main_name) == 0
        && PyDict_SetItemString(globals, "__builtins__", main_interp_self()->builtins_module)
               == 0) {
        PyObject *code = compile_source(source, length, name, 0, NULL, 0);
        result = code == NULL ? NULL : PyEval_EvalCode(code, globals, globals);
        Py_XDECREF(code);
    }
    printf("%s %s\n", result != NULL ? "ok    " : "FAILED", path);
    if (source == NULL) {
        printf("  cannot read it\n");
    } else if (result == NULL) {
        show_exception();
    }
    fflush(stdout);
    Py_XDECREF(result);
    Py_XDECREF(globals);
    Py_XDECREF(main_name);
    Py_XDECREF(name);
    free(source);
    return result != NULL;
}

int main(int argc, char **argv)
{
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config.pathconfig_warnings = 0;
    config.site_import = 0;
    PyStatus status = PyConfig_Read(&config);
    if (!PyStatus_Exception(status)) {
        status = startup_core(&config);
    }
    if (PyStatus_Exception(status)) {
        fprintf(stderr, "core_run: %s\n", status.err_msg);
        return 1;
    }
    int passed = 0;
    for (int i = 1; i < argc; i++) {
        passed += run(argv[i]);
    }
    printf("%d passed, %d failed\n", passed, argc - 1 - passed);
    return passed == argc - 1 ? 0 : 1;
}
