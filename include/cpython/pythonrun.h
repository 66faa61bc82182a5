/* Running files, strings and interactive input. */
#ifndef Py_CPYTHON_PYTHONRUN_H
#define Py_CPYTHON_PYTHONRUN_H

_Py_BEGIN_DECLS

/* 0, or -1 after printing the exception; PyRun_String and File give a new reference. */
PyAPI_FUNC(int) PyRun_AnyFile(FILE *file, const char *filename);
PyAPI_FUNC(int) PyRun_AnyFileEx(FILE *file, const char *filename, int close_it);
PyAPI_FUNC(int) PyRun_AnyFileExFlags(FILE *file, const char *filename, int close_it,
                                     PyCompilerFlags *flags);
PyAPI_FUNC(int) PyRun_AnyFileFlags(FILE *file, const char *filename, PyCompilerFlags *flags);
PyAPI_FUNC(PyObject *) PyRun_File(FILE *file, const char *filename, int start, PyObject *globals,
                                  PyObject *locals);
PyAPI_FUNC(PyObject *) PyRun_FileEx(FILE *file, const char *filename, int start, PyObject *globals,
                                    PyObject *locals, int close_it);
PyAPI_FUNC(PyObject *) PyRun_FileExFlags(FILE *file, const char *filename, int start,
                                         PyObject *globals, PyObject *locals, int close_it,
                                         PyCompilerFlags *flags);
PyAPI_FUNC(PyObject *) PyRun_FileFlags(FILE *file, const char *filename, int start,
                                       PyObject *globals, PyObject *locals, PyCompilerFlags *flags);
PyAPI_FUNC(int) PyRun_InteractiveLoop(FILE *file, const char *filename);
PyAPI_FUNC(int) PyRun_InteractiveLoopFlags(FILE *file, const char *filename,
                                           PyCompilerFlags *flags);
PyAPI_FUNC(int) PyRun_InteractiveOne(FILE *file, const char *filename);
PyAPI_FUNC(int) PyRun_InteractiveOneFlags(FILE *file, const char *filename, PyCompilerFlags *flags);
PyAPI_FUNC(int) PyRun_InteractiveOneObject(FILE *file, PyObject *filename, PyCompilerFlags *flags);
PyAPI_FUNC(int) PyRun_SimpleFile(FILE *file, const char *filename);
PyAPI_FUNC(int) PyRun_SimpleFileEx(FILE *file, const char *filename, int close_it);
PyAPI_FUNC(int) PyRun_SimpleFileExFlags(FILE *file, const char *filename, int close_it,
                                        PyCompilerFlags *flags);
PyAPI_FUNC(int) PyRun_SimpleString(const char *text);
PyAPI_FUNC(int) PyRun_SimpleStringFlags(const char *text, PyCompilerFlags *flags);
PyAPI_FUNC(PyObject *) PyRun_String(const char *text, int start, PyObject *globals,
                                    PyObject *locals);
PyAPI_FUNC(PyObject *) PyRun_StringFlags(const char *text, int start, PyObject *globals,
                                         PyObject *locals, PyCompilerFlags *flags);
PyAPI_FUNC(char *) PyOS_Readline(FILE *in, FILE *out, const char *prompt);
PyAPI_DATA(char *) (*PyOS_ReadlineFunctionPointer)(FILE *, FILE *, const char *);
PyAPI_FUNC(PyObject *) Py_CompileStringExFlags(const char *text, const char *filename, int start,
                                               PyCompilerFlags *flags, int optimize);
PyAPI_FUNC(PyObject *) Py_CompileStringObject(const char *text, PyObject *filename, int start,
                                              PyCompilerFlags *flags, int optimize);

/* The same with fewer arguments. */
#define Py_CompileString(str, p, s) Py_CompileStringExFlags(str, p, s, NULL, -1)
#define Py_CompileStringFlags(str, p, s, f) Py_CompileStringExFlags(str, p, s, f, -1)
#define PyRun_String(str, s, g, l) PyRun_StringFlags(str, s, g, l, NULL)
#define PyRun_AnyFile(fp, name) PyRun_AnyFileExFlags(fp, name, 0, NULL)
#define PyRun_AnyFileEx(fp, name, closeit) PyRun_AnyFileExFlags(fp, name, closeit, NULL)
#define PyRun_AnyFileFlags(fp, name, flags) PyRun_AnyFileExFlags(fp, name, 0, flags)
#define PyRun_SimpleString(s) PyRun_SimpleStringFlags(s, NULL)
#define PyRun_SimpleFile(f, p) PyRun_SimpleFileExFlags(f, p, 0, NULL)
#define PyRun_SimpleFileEx(f, p, c) PyRun_SimpleFileExFlags(f, p, c, NULL)
#define PyRun_InteractiveOne(f, p) PyRun_InteractiveOneFlags(f, p, NULL)
#define PyRun_InteractiveLoop(f, p) PyRun_InteractiveLoopFlags(f, p, NULL)
#define PyRun_File(fp, p, s, g, l) PyRun_FileExFlags(fp, p, s, g, l, 0, NULL)
#define PyRun_FileEx(fp, p, s, g, l, c) PyRun_FileExFlags(fp, p, s, g, l, c, NULL)
#define PyRun_FileFlags(fp, p, s, g, l, flags) PyRun_FileExFlags(fp, p, s, g, l, 0, flags)

_Py_END_DECLS

#endif
