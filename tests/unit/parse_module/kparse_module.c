/* _kparse: the parser as an extension module, to be tested under another interpreter. */

#include "parse.h"
#include "tokenizer.h"

#include <string.h>

static int parse_mode_of(const char *name, enum parse_mode *mode)
{
    static const char *const names[] = {"exec", "eval", "single", "func_type"};
    for (int i = 0; i < 4; i++) {
        if (strcmp(name, names[i]) == 0) {
            *mode = (enum parse_mode)i;
            return 0;
        }
    }
    PyErr_SetString(PyExc_ValueError, "mode must be 'exec', 'eval', 'single' or 'func_type'");
    return -1;
}

/* Parses args[0] (str or bytes); options in `options`, the arena is the caller's. */
static struct ast_module *parse_object(PyObject *source, PyObject *filename, enum parse_mode mode,
                                       struct parse_options *options, struct arena *arena)
{
    Py_ssize_t len;
    const char *text;
    if (PyUnicode_Check(source)) {
        text = PyUnicode_AsUTF8AndSize(source, &len);
        options->flags |= PyCF_IGNORE_COOKIE;
    } else {
        char *bytes;
        text = PyBytes_AsStringAndSize(source, &bytes, &len) < 0 ? NULL : bytes;
    }
    return text ? parse_string(text, (size_t)len, filename, mode, options, arena) : NULL;
}

static PyObject *kparse_parse(PyObject *Py_UNUSED(self), PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"source",          "filename", "mode", "flags",
                            "feature_version", "optimize", "tree", NULL};
    PyObject *source, *filename = NULL;
    const char *mode_name = "exec";
    struct parse_options options = PARSE_OPTIONS_DEFAULT;
    int optimize = -1, want_tree = 1;
    enum parse_mode mode;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|Usiiip", names, &source, &filename,
                                     &mode_name, &options.flags, &options.feature_version,
                                     &optimize, &want_tree)
        || parse_mode_of(mode_name, &mode) < 0) {
        return NULL;
    }
    PyObject *name = filename ? Py_NewRef(filename) : PyUnicode_FromString("<unknown>");
    PyObject *result = NULL;
    struct arena arena;
    arena_init(&arena);
    struct ast_module *tree = name ? parse_object(source, name, mode, &options, &arena) : NULL;
    if (tree != NULL && optimize >= 0 && ast_fold(tree, optimize, 0, &arena) < 0) {
        tree = NULL;
    }
    if (tree != NULL) {
        result = want_tree ? ast_to_object(tree) : Py_NewRef(Py_None);
    }
    arena_clear(&arena);
    Py_XDECREF(name);
    return result;
}

/* from_object(tree, mode="exec", optimize=-1, validate=True): the tree converted and converted back */
static PyObject *kparse_roundtrip(PyObject *Py_UNUSED(self), PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"tree", "mode", "optimize", "validate", NULL};
    PyObject *object, *result = NULL;
    const char *mode_name = "exec";
    int optimize = -1, validate = 1;
    enum parse_mode mode;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|sip", names, &object, &mode_name, &optimize,
                                     &validate)
        || parse_mode_of(mode_name, &mode) < 0) {
        return NULL;
    }
    struct arena arena;
    arena_init(&arena);
    struct ast_module *tree = ast_from_object(object, mode, &arena);
    if (tree != NULL && (!validate || ast_validate(tree) == 0)
        && (optimize < 0 || ast_fold(tree, optimize, 0, &arena) == 0)) {
        result = ast_to_object(tree);
    }
    arena_clear(&arena);
    return result;
}

static PyObject *kparse_unparse(PyObject *Py_UNUSED(self), PyObject *source)
{
    struct parse_options options = PARSE_OPTIONS_DEFAULT;
    struct arena arena;
    arena_init(&arena);
    struct ast_module *tree = parse_object(source, NULL, PARSE_EVAL, &options, &arena);
    PyObject *result = tree ? ast_unparse(tree->expression.body) : NULL;
    arena_clear(&arena);
    return result;
}

static PyObject *call_readline(void *context, int Py_UNUSED(continued))
{
    return PyObject_CallNoArgs(context);
}

/* interactive(readline) -> (tree or None at the end, text that was read) */
static PyObject *kparse_interactive(PyObject *Py_UNUSED(self), PyObject *readline)
{
    struct parse_options options = PARSE_OPTIONS_DEFAULT;
    struct arena arena;
    PyObject *name = PyUnicode_FromString("<stdin>"), *consumed = NULL, *result = NULL;
    int at_end = 0;
    if (name == NULL) {
        return NULL;
    }
    arena_init(&arena);
    struct ast_module *tree =
        parse_interactive(call_readline, readline, name, &options, &arena, &at_end, &consumed);
    if (tree != NULL || at_end) {
        PyObject *object = at_end ? Py_NewRef(Py_None) : ast_to_object(tree);
        result = object ? Py_BuildValue("NO", object, consumed) : NULL;
    }
    arena_clear(&arena);
    Py_XDECREF(consumed);
    Py_DECREF(name);
    return result;
}

static PyMethodDef methods[] = {
    {"parse", (PyCFunction)(void (*)(void))kparse_parse, METH_VARARGS | METH_KEYWORDS, NULL},
    {"roundtrip", (PyCFunction)(void (*)(void))kparse_roundtrip, METH_VARARGS | METH_KEYWORDS,
     NULL},
    {"unparse", kparse_unparse, METH_O, NULL},
    {"interactive", kparse_interactive, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, ast_types_add},
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
    {0, NULL},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_kparse",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__kparse(void)
{
    return PyModuleDef_Init(&definition);
}
