/* Start, end, and main program of the interpreter. */
#ifndef Py_PYLIFECYCLE_H
#define Py_PYLIFECYCLE_H

_Py_BEGIN_DECLS

typedef void (*PyOS_sighandler_t)(int);

/* Start and end; several interpreters in a process. */
PyAPI_FUNC(int) Py_AtExit(void (*function)(void));
PyAPI_FUNC(void) Py_EndInterpreter(PyThreadState *ts);
PyAPI_FUNC(_Py_NO_RETURN void) Py_Exit(int status);
PyAPI_FUNC(void) Py_Finalize(void);
PyAPI_FUNC(void) Py_Initialize(void);
PyAPI_FUNC(void) Py_InitializeEx(int install_signal_handlers);
PyAPI_FUNC(int) Py_IsInitialized(void);
PyAPI_FUNC(PyThreadState *) Py_NewInterpreter(void);
#if _Py_API_VERSION >= 0x03060000
PyAPI_FUNC(int) Py_FinalizeEx(void);
#endif

#if _Py_API_VERSION >= 0x030d0000
PyAPI_FUNC(int) Py_IsFinalizing(void);
#endif

/* Main programs. */
PyAPI_FUNC(int) Py_BytesMain(int argc, char **argv);
PyAPI_FUNC(int) Py_Main(int argc, wchar_t **argv);

/* Texts about the build: borrowed for ever. */
PyAPI_FUNC(const char *) Py_GetBuildInfo(void);
PyAPI_FUNC(const char *) Py_GetCompiler(void);
PyAPI_FUNC(const char *) Py_GetCopyright(void);
PyAPI_FUNC(const char *) Py_GetPlatform(void);
PyAPI_FUNC(const char *) Py_GetVersion(void);
PyAPI_FUNC(PyOS_sighandler_t) PyOS_getsig(int signal);
PyAPI_FUNC(PyOS_sighandler_t) PyOS_setsig(int signal, PyOS_sighandler_t handler);
Py_DEPRECATED(3.13) PyAPI_FUNC(wchar_t *) Py_GetExecPrefix(void);
Py_DEPRECATED(3.13) PyAPI_FUNC(wchar_t *) Py_GetPath(void);
Py_DEPRECATED(3.13) PyAPI_FUNC(wchar_t *) Py_GetPrefix(void);
Py_DEPRECATED(3.13) PyAPI_FUNC(wchar_t *) Py_GetProgramFullPath(void);
Py_DEPRECATED(3.13) PyAPI_FUNC(wchar_t *) Py_GetProgramName(void);
Py_DEPRECATED(3.13) PyAPI_FUNC(wchar_t *) Py_GetPythonHome(void);
Py_DEPRECATED(3.11) PyAPI_FUNC(void) Py_SetProgramName(const wchar_t *name);
Py_DEPRECATED(3.11) PyAPI_FUNC(void) Py_SetPythonHome(const wchar_t *home);
#if _Py_API_VERSION >= 0x030b0000
PyAPI_DATA(const unsigned long) Py_Version;
#endif

_Py_END_DECLS

#ifndef Py_LIMITED_API
#  include "cpython/pylifecycle.h"
#endif

#endif
