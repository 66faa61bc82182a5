/* Source text to code to result: PyRun_*, Py_CompileString*. */

#include "interp/compile/compile.h"
#include "interp/parse/parse.h"
#include "interp/parse/source.h"
#include "interp/state.h"
#include "objects/error.h"

#include <marshal.h>
#include <stdio.h>

/* compile()'s own start symbols and the parser's modes. */
static enum parse_mode mode_of_start(int start)
{
    switch (start) {
    case Py_eval_input:
        return PARSE_EVAL;
    case Py_single_input:
        return PARSE_SINGLE;
    case Py_func_type_input:
        return PARSE_FUNCTYPE;
    default:
        return PARSE_FILE;
    }
}

static int optimization(int optimize)
{
    return optimize >= 0 ? optimize : main_interp_self()->config.optimization_level;
}

PyObject *compile_parsed(struct ast_module *tree, PyObject *filename, PyCompilerFlags *flags,
                         int optimize, struct arena *arena)
{
    if (flags->cf_flags & PyCF_ONLY_AST) {
        if ((flags->cf_flags & PyCF_OPTIMIZED_AST) == PyCF_OPTIMIZED_AST
            && ast_fold(tree, optimization(optimize), flags->cf_flags, arena) < 0) {
            return NULL;
        }
        return ast_to_object(tree);
    }
    return compile_tree(tree, filename, &flags->cf_flags, optimization(optimize), arena);
}

PyObject *compile_source(const char *source, size_t length, PyObject *filename, int mode,
                         PyCompilerFlags *flags, int optimize)
{
    PyCompilerFlags none = _PyCompilerFlags_INIT;
    flags = flags == NULL ? &none : flags;
    struct parse_options options = PARSE_OPTIONS_DEFAULT;
    options.flags = flags->cf_flags;
    options.feature_version = flags->cf_feature_version;
    struct arena arena;
    arena_init(&arena);
    struct ast_module *tree =
        parse_string(source, length, filename, (enum parse_mode)mode, &options, &arena);
    flags->cf_flags |= options.flags & PyCF_MASK;
    PyObject *result =
        tree == NULL ? NULL : compile_parsed(tree, filename, flags, optimize, &arena);
    arena_clear(&arena);
    return result;
}

/* ---- running code -------------------------------------------------------------------------------- */

static PyObject *run_code(PyObject *code, PyObject *globals, PyObject *locals)
{
    if (globals == NULL || !PyDict_Check(globals)) {
        PyErr_SetString(PyExc_SystemError, "globals must be a dict");
        return NULL;
    }
    int known = PyDict_Contains(globals, ID(__builtins__));
    if (known < 0
        || (known == 0 && PyDict_SetItem(globals, ID(__builtins__), PyEval_GetBuiltins()) < 0)) {
        return NULL;
    }
    if (PySys_Audit("exec", "O", code) < 0) {
        return NULL;
    }
    return PyEval_EvalCode(code, globals, locals);
}

static PyObject *run_named(const char *source, size_t length, PyObject *filename, int mode,
                           PyObject *globals, PyObject *locals, PyCompilerFlags *flags)
{
    if (PySys_Audit("compile", "y#O", source, (Py_ssize_t)length, filename) < 0) {
        return NULL;
    }
    PyObject *code = compile_source(source, length, filename, mode, flags, -1);
    if (code == NULL) {
        return NULL;
    }
    PyObject *result = run_code(code, globals, locals);
    Py_DECREF(code);
    return result;
}

PyObject *run_text(const char *source, size_t length, int mode, PyObject *globals, PyObject *locals,
                   PyCompilerFlags *flags)
{
    PyObject *filename = PyUnicode_FromString("<string>");
    PyObject *result =
        filename == NULL ? NULL : run_named(source, length, filename, mode, globals, locals, flags);
    Py_XDECREF(filename);
    return result;
}

PyObject *PyRun_StringFlags(const char *source, int start, PyObject *globals, PyObject *locals,
                            PyCompilerFlags *flags)
{
    return run_text(source, strlen(source), mode_of_start(start), globals, locals, flags);
}

#undef PyRun_String
PyObject *PyRun_String(const char *source, int start, PyObject *globals, PyObject *locals)
{
    return PyRun_StringFlags(source, start, globals, locals, NULL);
}

/* __main__'s namespace (borrowed). */
static PyObject *main_dict(void)
{
    PyObject *module = PyImport_AddModule("__main__");
    return module == NULL ? NULL : PyModule_GetDict(module);
}

int PyRun_SimpleStringFlags(const char *source, PyCompilerFlags *flags)
{
    PyObject *dict = main_dict();
    PyObject *result =
        dict == NULL ? NULL : PyRun_StringFlags(source, Py_file_input, dict, dict, flags);
    if (result == NULL) {
        PyErr_Print();
        return -1;
    }
    Py_DECREF(result);
    return 0;
}

#undef PyRun_SimpleString
int PyRun_SimpleString(const char *source)
{
    return PyRun_SimpleStringFlags(source, NULL);
}

/* All of a stream, from where it stands: malloc'd, NULL with MemoryError or OSError. */
static char *read_all(FILE *file, size_t *length)
{
    size_t capacity = 1 << 16;
    char *text = PyMem_RawMalloc(capacity);
    *length = 0;
    while (text != NULL) {
        *length += fread(text + *length, 1, capacity - *length, file);
        if (*length < capacity) {
            break;
        }
        char *grown = PyMem_RawRealloc(text, capacity *= 2);
        if (grown == NULL) {
            PyMem_RawFree(text);
        }
        text = grown;
    }
    if (text == NULL) {
        PyErr_NoMemory();
    } else if (ferror(file)) {
        PyErr_SetFromErrno(PyExc_OSError);
        PyMem_RawFree(text);
        text = NULL;
    }
    return text;
}

static PyObject *run_stream(FILE *file, PyObject *filename, int mode, PyObject *globals,
                            PyObject *locals, bool close, PyCompilerFlags *flags)
{
    size_t length;
    char *text = read_all(file, &length);
    if (close) {
        fclose(file);
    }
    if (text == NULL) {
        return NULL;
    }
    PyObject *result = NULL;
    if (source_check_file(text, length, filename) < 0) {
        /* The exception is set. */
    } else if (memchr(text, 0, length) != NULL) {
        PyErr_SetString(PyExc_SyntaxError, "source code cannot contain null bytes");
    } else {
        result = run_named(text, length, filename, mode, globals, locals, flags);
    }
    PyMem_RawFree(text);
    return result;
}

PyObject *PyRun_FileExFlags(FILE *file, const char *filename, int start, PyObject *globals,
                            PyObject *locals, int close, PyCompilerFlags *flags)
{
    PyObject *name = PyUnicode_DecodeFSDefault(filename);
    PyObject *result =
        name == NULL ? NULL
                     : run_stream(file, name, mode_of_start(start), globals, locals, close, flags);
    Py_XDECREF(name);
    return result;
}

/* Whether a file that was just opened is compiled already: its name says so, or the number in front. */
static bool is_compiled(FILE *file, PyObject *filename)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(filename);
    PyObject *suffix = PyUnicode_Substring(filename, Py_MAX(length - 4, 0), length);
    bool named = suffix != NULL && PyUnicode_CompareWithASCIIString(suffix, ".pyc") == 0;
    Py_XDECREF(suffix);
    PyErr_Clear();
    if (named || ftell(file) != 0) {
        return named;
    }
    unsigned char head[4];
    size_t size = fread(head, 1, sizeof head, file);
    rewind(file);
    return size == sizeof head && head[2] == '\r' && head[3] == '\n'
           && (head[0] | head[1] << 8) == (PyImport_GetMagicNumber() & 0xffff);
}

/* Runs what a compiled file holds, in a namespace (new reference). */
static PyObject *run_compiled(FILE *file, PyObject *globals, bool close)
{
    PyObject *code = NULL;
    if (PyMarshal_ReadLongFromFile(file) != PyImport_GetMagicNumber()) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_RuntimeError, "Bad magic number in .pyc file");
        }
    } else {
        /* Flags, and the time and size of the source or its hash. */
        for (int i = 0; i < 3; i++) {
            (void)PyMarshal_ReadLongFromFile(file);
        }
        code = PyErr_Occurred() ? NULL : PyMarshal_ReadLastObjectFromFile(file);
    }
    if (close) {
        fclose(file);
    }
    if (code == NULL) {
        return NULL;
    }
    PyObject *result = NULL;
    if (PyCode_Check(code)) {
        result = PyEval_EvalCode(code, globals, globals);
    } else {
        PyErr_SetString(PyExc_RuntimeError, "Bad code object in .pyc file");
    }
    Py_DECREF(code);
    return result;
}

/* The loader that __main__ has when it is run from a file, by its name in importlib; 0 or -1. */
static int set_main_loader(PyObject *dict, PyObject *filename, const char *name)
{
    PyObject *external =
        PyObject_GetAttrString(main_interp_self()->importlib, "_bootstrap_external");
    PyObject *type = external == NULL ? NULL : PyObject_GetAttrString(external, name);
    PyObject *loader =
        type == NULL ? NULL : PyObject_CallFunction(type, "sO", "__main__", filename);
    int result = loader == NULL ? -1 : PyDict_SetItemString(dict, "__loader__", loader);
    Py_XDECREF(loader);
    Py_XDECREF(type);
    Py_XDECREF(external);
    return result;
}

/* Runs a file as __main__, with __file__ set while it runs. 0, or -1 with the exception printed. */
int run_simple_file(FILE *file, PyObject *filename, bool close, PyCompilerFlags *flags)
{
    PyObject *dict = main_dict();
    if (dict == NULL) {
        return -1;
    }
    bool set_file = !PyDict_Contains(dict, ID(__file__));
    if (set_file
        && (PyDict_SetItem(dict, ID(__file__), filename) < 0
            || PyDict_SetItemString(dict, "__cached__", Py_None) < 0)) {
        return -1;
    }
    bool compiled = file != stdin && is_compiled(file, filename);
    const char *loader = compiled ? "SourcelessFileLoader" : "SourceFileLoader";
    PyObject *result = NULL;
    if (file == stdin || set_main_loader(dict, filename, loader) == 0) {
        result = compiled ? run_compiled(file, dict, close)
                          : run_stream(file, filename, PARSE_FILE, dict, dict, close, flags);
    }
    if (result == NULL) {
        PyErr_Print();
    }
    if (set_file) {
        if (PyDict_DelItem(dict, ID(__file__)) < 0
            || PyDict_DelItemString(dict, "__cached__") < 0) {
            PyErr_Clear();
        }
    }
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

int PyRun_SimpleFileExFlags(FILE *file, const char *filename, int close, PyCompilerFlags *flags)
{
    PyObject *name = PyUnicode_DecodeFSDefault(filename);
    int result = name == NULL ? -1 : run_simple_file(file, name, close, flags);
    Py_XDECREF(name);
    return result;
}

/* ---- compiling -------------------------------------------------------------------------------------- */

PyObject *Py_CompileStringObject(const char *source, PyObject *filename, int start,
                                 PyCompilerFlags *flags, int optimize)
{
    return compile_source(source, strlen(source), filename, mode_of_start(start), flags, optimize);
}

PyObject *Py_CompileStringExFlags(const char *source, const char *filename, int start,
                                  PyCompilerFlags *flags, int optimize)
{
    PyObject *name = PyUnicode_DecodeFSDefault(filename);
    PyObject *code =
        name == NULL ? NULL : Py_CompileStringObject(source, name, start, flags, optimize);
    Py_XDECREF(name);
    return code;
}

#undef Py_CompileString
PyObject *Py_CompileString(const char *source, const char *filename, int start)
{
    return Py_CompileStringExFlags(source, filename, start, NULL, -1);
}

/* ---- interactive ------------------------------------------------------------------------------------- */

struct prompt_reader {
    FILE *in;
};

/* sys.NAME as text for a prompt (new reference). */
static PyObject *prompt_text(PyObject *name, const char *standard)
{
    PyObject *prompt = sys_get(name);
    PyObject *text = prompt == NULL ? PyUnicode_FromString(standard) : PyObject_Str(prompt);
    Py_XDECREF(prompt);
    return text;
}

static PyObject *read_prompted(void *context, int continued)
{
    struct prompt_reader *reader = context;
    PyObject *prompt = continued ? prompt_text(ID(ps2), "... ") : prompt_text(ID(ps1), ">>> ");
    const char *text = prompt == NULL ? NULL : PyUnicode_AsUTF8(prompt);
    if (text == NULL) {
        Py_XDECREF(prompt);
        return NULL;
    }
    char *line = PyOS_Readline(reader->in, stdout, text);
    Py_DECREF(prompt);
    if (line == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_SetNone(PyExc_KeyboardInterrupt);
        }
        return NULL;
    }
    PyObject *result = PyUnicode_DecodeLocale(line, "surrogateescape");
    PyMem_Free(line);
    return result;
}

/* One statement: 0, -1 with the exception printed, or 1 at the end of the input. */
static int interactive_one(struct prompt_reader *reader, PyObject *filename, PyCompilerFlags *flags)
{
    struct parse_options options = PARSE_OPTIONS_DEFAULT;
    options.flags = flags->cf_flags;
    struct arena arena;
    arena_init(&arena);
    int at_end = 0, result = -1;
    struct ast_module *tree =
        parse_interactive(read_prompted, reader, filename, &options, &arena, &at_end, NULL);
    PyObject *dict = main_dict();
    if (tree != NULL && dict != NULL) {
        PyObject *code = compile_parsed(tree, filename, flags, -1, &arena);
        PyObject *value = code == NULL ? NULL : run_code(code, dict, dict);
        Py_XDECREF(code);
        Py_XDECREF(value);
        result = value == NULL ? -1 : 0;
    } else if (at_end) {
        result = 1;
    }
    arena_clear(&arena);
    if (result < 0) {
        PyErr_Print();
    }
    return result;
}

static int set_prompt(PyObject *name, const char *standard)
{
    PyObject *prompt = sys_get(name);
    if (prompt == NULL) {
        prompt = PyUnicode_FromString(standard);
        if (prompt == NULL || sys_set(name, prompt) < 0) {
            Py_XDECREF(prompt);
            return -1;
        }
    }
    Py_DECREF(prompt);
    return 0;
}

int PyRun_InteractiveLoopFlags(FILE *file, const char *filename, PyCompilerFlags *flags)
{
    PyCompilerFlags none = _PyCompilerFlags_INIT;
    flags = flags == NULL ? &none : flags;
    PyObject *name = PyUnicode_DecodeFSDefault(filename);
    if (name == NULL || set_prompt(ID(ps1), ">>> ") < 0 || set_prompt(ID(ps2), "... ") < 0) {
        Py_XDECREF(name);
        PyErr_Print();
        return -1;
    }
    struct prompt_reader reader = {file};
    int result;
    do {
        result = interactive_one(&reader, name, flags);
        fflush(stdout);
    } while (result <= 0);
    Py_DECREF(name);
    return 0;
}

int PyRun_InteractiveOneFlags(FILE *file, const char *filename, PyCompilerFlags *flags)
{
    PyCompilerFlags none = _PyCompilerFlags_INIT;
    PyObject *name = PyUnicode_DecodeFSDefault(filename);
    struct prompt_reader reader = {file};
    int result = name == NULL ? -1 : interactive_one(&reader, name, flags == NULL ? &none : flags);
    Py_XDECREF(name);
    return result;
}
