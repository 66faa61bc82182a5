/* Compiles Python modules to C arrays, at build time: the interpreter cannot import anything before
 * importlib is there, and need not look for what every start imports.
 *
 *     freeze OUT.c NAME=PATH[:package][=ORIGINAL] ...
 *
 * ORIGINAL is what the module is called in the library, "" if it is not there. A path that was given before
 * is not compiled again: the new name gets the same code.
 */

#include "Python.h"
#include "interp/state.h"
#include "marshal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct frozen_module frozen_modules[] = {{NULL, NULL, 0, false, NULL}};

PyStatus startup_core(const PyConfig *config);

static void die(const char *what, const char *name)
{
    fprintf(stderr, "freeze: %s: %s\n", name, what);
    if (thread_self() != NULL && PyErr_Occurred()) {
        PyObject *exception = PyErr_GetRaisedException();
        PyObject *text = PyObject_Repr(exception);
        if (text != NULL) {
            fprintf(stderr, "%s\n", PyUnicode_AsUTF8(text));
        }
    }
    exit(1);
}

static char *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "re");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        die("cannot read", path);
    }
    long size = ftell(file);
    rewind(file);
    char *text = malloc((size_t)size + 1);
    if (text == NULL || fread(text, 1, (size_t)size, file) != (size_t)size) {
        die("cannot read", path);
    }
    fclose(file);
    text[size] = 0;
    *length = (size_t)size;
    return text;
}

/* "importlib._bootstrap" as a C identifier. */
static void identifier(const char *name, char *out)
{
    for (; *name != 0; name++, out++) {
        *out = *name == '.' ? '_' : *name;
    }
    *out = 0;
}

static void write_code(FILE *out, const char *symbol, const char *path, const char *shown)
{
    size_t length;
    char *source = read_file(path, &length);
    PyObject *filename = PyUnicode_FromFormat("<frozen %s>", shown);
    PyObject *code = filename == NULL ? NULL : compile_source(source, length, filename, 0, NULL, 0);
    PyObject *bytes = code == NULL ? NULL : PyMarshal_WriteObjectToString(code, Py_MARSHAL_VERSION);
    if (bytes == NULL) {
        die("cannot compile", path);
    }
    fprintf(out, "static const unsigned char code_%s[] = {", symbol);
    const unsigned char *data = (const unsigned char *)PyBytes_AS_STRING(bytes);
    for (Py_ssize_t i = 0; i < PyBytes_GET_SIZE(bytes); i++) {
        fprintf(out, "%s%u,", i % 24 == 0 ? "\n" : "", data[i]);
    }
    fprintf(out, "\n};\n");
    free(source);
}

struct module {
    const char *name, *path, *original; /* original: NULL if it is the name */
    bool is_package;
    char symbol[256];
};

/* Splits an argument at its '=' and ':'. */
static struct module parse(char *argument)
{
    struct module module = {.name = argument};
    char *path = strchr(argument, '=');
    if (path == NULL) {
        die("NAME=PATH expected", argument);
    }
    *path++ = 0;
    module.path = path;
    char *original = strchr(path, '=');
    if (original != NULL) {
        *original++ = 0;
        module.original = original;
    }
    char *package = strstr(path, ":package");
    if (package != NULL) {
        *package = 0;
        module.is_package = true;
    }
    return module;
}

/* Gives each module the symbol of its code, and writes the code where it is new. */
static void write_codes(FILE *out, struct module *modules, int count)
{
    for (int i = 0; i < count; i++) {
        struct module *module = &modules[i];
        const char *symbol = NULL;
        for (int k = 0; k < i && symbol == NULL; k++) {
            symbol = strcmp(modules[k].path, module->path) == 0 ? modules[k].symbol : NULL;
        }
        if (symbol != NULL) {
            strcpy(module->symbol, symbol);
            continue;
        }
        identifier(module->name, module->symbol);
        bool renamed = module->original != NULL && module->original[0] != 0;
        write_code(out, module->symbol, module->path, renamed ? module->original : module->name);
    }
}

static void write_table(FILE *out, const struct module *modules, int count)
{
    fprintf(out, "\nconst struct frozen_module frozen_modules[] = {\n");
    for (const struct module *module = modules; module < modules + count; module++) {
        const char *quote = module->original == NULL ? "" : "\"";
        fprintf(out, "    {\"%s\", code_%s, sizeof code_%s, %s, %s%s%s},\n", module->name,
                module->symbol, module->symbol, module->is_package ? "true" : "false", quote,
                module->original == NULL ? "NULL" : module->original, quote);
    }
    fprintf(out, "    {NULL, NULL, 0, false, NULL},\n};\n");
}

int main(int argc, char **argv)
{
    FILE *out = argc < 2 ? NULL : fopen(argv[1], "w");
    if (out == NULL) {
        die("cannot write", argc < 2 ? "output" : argv[1]);
    }
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config.use_hash_seed = 1; /* the same output every time */
    config.site_import = 0;
    config.pathconfig_warnings = 0;
    PyStatus status = PyConfig_Read(&config);
    if (!PyStatus_Exception(status)) {
        status = startup_core(&config);
    }
    if (PyStatus_Exception(status)) {
        die(status.err_msg, "start-up");
    }
    fprintf(out, "/* Made by the freeze tool. */\n#include \"interp/state.h\"\n\n");
    int count = argc - 2;
    struct module *modules = calloc((size_t)count + 1, sizeof *modules);
    if (modules == NULL) {
        die("no memory", argv[1]);
    }
    for (int i = 0; i < count; i++) {
        modules[i] = parse(argv[i + 2]);
    }
    write_codes(out, modules, count);
    write_table(out, modules, count);
    free(modules);
    return fclose(out) == 0 ? 0 : 1;
}
