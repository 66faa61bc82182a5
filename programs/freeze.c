/* Compiles Python modules to C arrays, at build time: the interpreter cannot import anything before
 * importlib is there.
 *
 *     freeze OUT.c NAME=PATH[:package][=ORIGINAL] ...
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

static void write_module(FILE *out, const char *name, const char *path, const char *shown)
{
    size_t length;
    char *source = read_file(path, &length);
    PyObject *filename = PyUnicode_FromFormat("<frozen %s>", shown);
    PyObject *code =
        filename == NULL ? NULL : compile_source(source, length, filename, 0, NULL, 0);
    PyObject *bytes = code == NULL ? NULL : PyMarshal_WriteObjectToString(code, Py_MARSHAL_VERSION);
    if (bytes == NULL) {
        die("cannot compile", name);
    }
    char symbol[256];
    identifier(name, symbol);
    fprintf(out, "static const unsigned char code_%s[] = {", symbol);
    const unsigned char *data = (const unsigned char *)PyBytes_AS_STRING(bytes);
    for (Py_ssize_t i = 0; i < PyBytes_GET_SIZE(bytes); i++) {
        fprintf(out, "%s%u,", i % 24 == 0 ? "\n" : "", data[i]);
    }
    fprintf(out, "\n};\n");
    free(source);
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
    char *table = calloc((size_t)argc + 1, 512), *end = table;
    for (int i = 2; i < argc; i++) {
        char *name = argv[i], *path = strchr(name, '=');
        if (path == NULL) {
            die("NAME=PATH expected", name);
        }
        *path++ = 0;
        char *original = strchr(path, '=');
        if (original != NULL) {
            *original++ = 0;
        }
        char *package = strstr(path, ":package");
        if (package != NULL) {
            *package = 0;
        }
        const char *shown = original == NULL ? name : original;
        write_module(out, name, path, shown);
        char symbol[256];
        identifier(name, symbol);
        end += sprintf(end, "    {\"%s\", code_%s, sizeof code_%s, %s, %s%s%s},\n", name, symbol,
                       symbol, package == NULL ? "false" : "true", original == NULL ? "" : "\"",
                       original == NULL ? "NULL" : original, original == NULL ? "" : "\"");
    }
    fprintf(out, "\nconst struct frozen_module frozen_modules[] = {\n%s"
                 "    {NULL, NULL, 0, false, NULL},\n};\n", table);
    return fclose(out) == 0 ? 0 : 1;
}
