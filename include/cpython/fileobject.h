/* Reading lines through C stdio, and the hook for open_code(). */
#ifndef Py_CPYTHON_FILEOBJECT_H
#define Py_CPYTHON_FILEOBJECT_H

_Py_BEGIN_DECLS

typedef PyObject *(*Py_OpenCodeHookFunction)(PyObject *, void *);
PyAPI_FUNC(PyObject *) PyFile_NewStdPrinter(int);
PyAPI_FUNC(PyObject *) PyFile_OpenCode(const char *);
PyAPI_FUNC(PyObject *) PyFile_OpenCodeObject(PyObject *);
PyAPI_FUNC(int) PyFile_SetOpenCodeHook(Py_OpenCodeHookFunction, void *);
PyAPI_DATA(PyTypeObject) PyStdPrinter_Type;
PyAPI_FUNC(char *) Py_UniversalNewlineFgets(char *, int, FILE *, PyObject *);

_Py_END_DECLS

#endif
