/* PyRun_* for files: the forms with fewer arguments, and those that find out what the file is. */

#include "interp/state.h"
#include "objects/error.h"

#include <string.h>
#include <unistd.h>

#undef PyRun_String
#undef PyRun_AnyFile
#undef PyRun_AnyFileEx
#undef PyRun_AnyFileFlags
#undef PyRun_SimpleFile
#undef PyRun_SimpleFileEx
#undef PyRun_InteractiveOne
#undef PyRun_InteractiveLoop
#undef PyRun_File
#undef PyRun_FileEx
#undef PyRun_FileFlags

/* Is the stream a terminal, or to be treated like one (-i, and no name or a name that means one)? */
int Py_FdIsInteractive(FILE *file, const char *filename)
{
    if (isatty(fileno(file))) {
        return 1;
    }
    return main_interp_self()->config.interactive
           && (filename == NULL || strcmp(filename, "<stdin>") == 0
               || strcmp(filename, "???") == 0);
}

int PyRun_AnyFileExFlags(FILE *file, const char *filename, int close, PyCompilerFlags *flags)
{
    filename = filename == NULL ? "???" : filename;
    if (!Py_FdIsInteractive(file, filename)) {
        return PyRun_SimpleFileExFlags(file, filename, close, flags);
    }
    int result = PyRun_InteractiveLoopFlags(file, filename, flags);
    if (close) {
        fclose(file);
    }
    return result;
}

int PyRun_AnyFileFlags(FILE *file, const char *filename, PyCompilerFlags *flags)
{
    return PyRun_AnyFileExFlags(file, filename, 0, flags);
}

int PyRun_AnyFileEx(FILE *file, const char *filename, int close)
{
    return PyRun_AnyFileExFlags(file, filename, close, NULL);
}

int PyRun_AnyFile(FILE *file, const char *filename)
{
    return PyRun_AnyFileExFlags(file, filename, 0, NULL);
}

int PyRun_SimpleFileEx(FILE *file, const char *filename, int close)
{
    return PyRun_SimpleFileExFlags(file, filename, close, NULL);
}

int PyRun_SimpleFile(FILE *file, const char *filename)
{
    return PyRun_SimpleFileExFlags(file, filename, 0, NULL);
}

PyObject *PyRun_FileFlags(FILE *file, const char *filename, int start, PyObject *globals,
                          PyObject *locals, PyCompilerFlags *flags)
{
    return PyRun_FileExFlags(file, filename, start, globals, locals, 0, flags);
}

PyObject *PyRun_FileEx(FILE *file, const char *filename, int start, PyObject *globals,
                       PyObject *locals, int close)
{
    return PyRun_FileExFlags(file, filename, start, globals, locals, close, NULL);
}

PyObject *PyRun_File(FILE *file, const char *filename, int start, PyObject *globals,
                     PyObject *locals)
{
    return PyRun_FileExFlags(file, filename, start, globals, locals, 0, NULL);
}

int PyRun_InteractiveOne(FILE *file, const char *filename)
{
    return PyRun_InteractiveOneFlags(file, filename, NULL);
}

int PyRun_InteractiveOneObject(FILE *file, PyObject *filename, PyCompilerFlags *flags)
{
    PyObject *bytes = PyUnicode_EncodeFSDefault(filename);
    int result =
        bytes == NULL ? -1 : PyRun_InteractiveOneFlags(file, PyBytes_AS_STRING(bytes), flags);
    Py_XDECREF(bytes);
    return result;
}

int PyRun_InteractiveLoop(FILE *file, const char *filename)
{
    return PyRun_InteractiveLoopFlags(file, filename, NULL);
}
