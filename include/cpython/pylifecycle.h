/* Start with a configuration; interpreters with their own lock. */
#ifndef Py_CPYTHON_PYLIFECYCLE_H
#define Py_CPYTHON_PYLIFECYCLE_H

_Py_BEGIN_DECLS

#define PyInterpreterConfig_DEFAULT_GIL (0)
#define PyInterpreterConfig_SHARED_GIL (1)
#define PyInterpreterConfig_OWN_GIL (2)

/* What code in a new interpreter may do. */
typedef struct {
    int use_main_obmalloc;
    int allow_fork;
    int allow_exec;
    int allow_threads;
    int allow_daemon_threads;
    int check_multi_interp_extensions;
    int gil;
} PyInterpreterConfig;

#ifdef Py_GIL_DISABLED
#  define _PyInterpreterConfig_LEGACY_CHECK_MULTI_INTERP_EXTENSIONS 1
#else
#  define _PyInterpreterConfig_LEGACY_CHECK_MULTI_INTERP_EXTENSIONS 0
#endif

/* An isolated interpreter, and one that shares as much as Py_NewInterpreter's. */
#define _PyInterpreterConfig_INIT                                                                  \
    {                                                                                              \
        .use_main_obmalloc = 0,                                                                    \
        .allow_fork = 0,                                                                           \
        .allow_exec = 0,                                                                           \
        .allow_threads = 1,                                                                        \
        .allow_daemon_threads = 0,                                                                 \
        .check_multi_interp_extensions = 1,                                                        \
        .gil = PyInterpreterConfig_OWN_GIL,                                                        \
    }
#define _PyInterpreterConfig_LEGACY_INIT                                                           \
    {                                                                                              \
        .use_main_obmalloc = 1,                                                                    \
        .allow_fork = 1,                                                                           \
        .allow_exec = 1,                                                                           \
        .allow_threads = 1,                                                                        \
        .allow_daemon_threads = 1,                                                                 \
        .check_multi_interp_extensions = _PyInterpreterConfig_LEGACY_CHECK_MULTI_INTERP_EXTENSIONS,\
        .gil = PyInterpreterConfig_SHARED_GIL,                                                     \
    }

typedef void (*atexit_datacallbackfunc)(void *);
PyAPI_FUNC(int) PyUnstable_AtExit(PyInterpreterState *interp, atexit_datacallbackfunc function,
                                  void *data);
PyAPI_FUNC(_Py_NO_RETURN void) Py_ExitStatusException(PyStatus status);
PyAPI_FUNC(int) Py_FdIsInteractive(FILE *file, const char *filename);
PyAPI_FUNC(int) Py_FrozenMain(int argc, char **argv);
PyAPI_FUNC(PyStatus) Py_InitializeFromConfig(const PyConfig *config);
PyAPI_FUNC(PyStatus) Py_NewInterpreterFromConfig(PyThreadState **ts,
                                                 const PyInterpreterConfig *config);
PyAPI_FUNC(PyStatus) Py_PreInitialize(const PyPreConfig *config);
PyAPI_FUNC(PyStatus) Py_PreInitializeFromArgs(const PyPreConfig *config, Py_ssize_t argc,
                                              wchar_t **argv);
PyAPI_FUNC(PyStatus) Py_PreInitializeFromBytesArgs(const PyPreConfig *config, Py_ssize_t argc,
                                                   char **argv);
PyAPI_FUNC(int) Py_RunMain(void);
PyAPI_FUNC(PyStatus) _Py_InitializeMain(void);

_Py_END_DECLS

#endif
