/* sys.stdin, sys.stdout, sys.stderr. */

#include "interp/startup/startup.h"
#include "objects/codecs.h"
#include "objects/error.h"

#include <unistd.h>
#include <wchar.h>

static bool is_open(int fd)
{
    int copy = dup(fd);
    if (copy >= 0) {
        close(copy);
    }
    return copy >= 0;
}

/* A text stream over the descriptor (new reference), None if it is closed. */
static PyObject *make_stream(const PyConfig *config, PyObject *io, int fd, bool write,
                             const char *name, const char *errors)
{
    if (!is_open(fd)) {
        Py_RETURN_NONE;
    }
    /* Unbuffered streams have no buffer, not even a small one. */
    bool raw = !config->buffered_stdio && write;
    PyObject *buffer = PyObject_CallMethod(io, "open", "isiOOOO", fd, write ? "wb" : "rb",
                                           raw ? 0 : -1, Py_None, Py_None, Py_None, Py_False);
    if (buffer == NULL) {
        return NULL;
    }
    PyObject *inner = raw ? Py_NewRef(buffer) : PyObject_GetAttrString(buffer, "raw");
    PyObject *text = PyUnicode_FromString(name);
    PyObject *stream = NULL, *encoding = NULL, *tty = NULL;
    if (inner == NULL || text == NULL || PyObject_SetAttr(inner, ID(name), text) < 0
        || (tty = PyObject_CallMethod(inner, "isatty", NULL)) == NULL) {
        goto done;
    }
    int interactive = PyObject_IsTrue(tty);
    bool write_through = !config->buffered_stdio;
    bool line_buffering = config->buffered_stdio && (interactive > 0 || fd == STDERR_FILENO);
    encoding = PyUnicode_FromWideChar(config->stdio_encoding, -1);
    if (encoding != NULL) {
        stream = PyObject_CallMethod(io, "TextIOWrapper", "OOssOO", buffer, encoding, errors, "\n",
                                     line_buffering ? Py_True : Py_False,
                                     write_through ? Py_True : Py_False);
    }
    if (stream != NULL) {
        PyObject *mode = PyUnicode_FromString(write ? "w" : "r");
        if (mode == NULL || PyObject_SetAttrString(stream, "mode", mode) < 0) {
            Py_CLEAR(stream);
        }
        Py_XDECREF(mode);
    }
done:
    Py_XDECREF(tty);
    Py_XDECREF(encoding);
    Py_XDECREF(text);
    Py_XDECREF(inner);
    Py_DECREF(buffer);
    return stream;
}

static int put_stream(PyObject *stream, const char *name, const char *original)
{
    int result =
        stream == NULL || PySys_SetObject(name, stream) < 0 || PySys_SetObject(original, stream) < 0
            ? -1
            : 0;
    Py_XDECREF(stream);
    return result;
}

/* Has the configuration say what the codec calls itself, whatever the encoding was called there. */
static int name_encoding(PyConfig *config)
{
    if (wcscmp(config->stdio_encoding, L"utf-8") == 0) {
        return 0;
    }
    PyObject *given = PyUnicode_FromWideChar(config->stdio_encoding, -1);
    const char *text = given == NULL ? NULL : PyUnicode_AsUTF8(given);
    PyObject *codec = text == NULL ? NULL : codec_lookup(text);
    PyObject *name = codec == NULL ? NULL : PyObject_GetAttr(codec, ID(name));
    wchar_t *wide = name == NULL ? NULL : PyUnicode_AsWideCharString(name, NULL);
    int result =
        wide != NULL && !PyStatus_Exception(CONFIG_SET(config, stdio_encoding, wide)) ? 0 : -1;
    PyMem_Free(wide);
    Py_XDECREF(name);
    Py_XDECREF(codec);
    Py_XDECREF(given);
    return result;
}

int streams_init(struct main_interp *interp)
{
    PyObject *io = PyImport_ImportModule("io");
    PyObject *open = io == NULL ? NULL : PyObject_GetAttrString(io, "open");
    int result = -1;
    if (open != NULL && name_encoding(&interp->config) == 0
        && PyDict_SetItemString(interp->builtins_dict, "open", open) == 0) {
        char errors[64];
        snprintf(errors, sizeof errors, "%ls", interp->config.stdio_errors);
        result =
            put_stream(make_stream(&interp->config, io, STDIN_FILENO, false, "<stdin>", errors),
                       "stdin", "__stdin__")
                        < 0
                    || put_stream(make_stream(&interp->config, io, STDOUT_FILENO, true, "<stdout>",
                                              errors),
                                  "stdout", "__stdout__")
                           < 0
                    || put_stream(make_stream(&interp->config, io, STDERR_FILENO, true, "<stderr>",
                                              "backslashreplace"),
                                  "stderr", "__stderr__")
                           < 0
                ? -1
                : 0;
    }
    Py_XDECREF(open);
    Py_XDECREF(io);
    return result;
}
