/* What the files of interp/startup share. */

#ifndef KRAIT_STARTUP_H
#define KRAIT_STARTUP_H

#include "interp/state.h"

/* Reads the command line in config->argv (leaving sys.argv there) into the configuration. */
PyStatus config_read_argv(PyConfig *config);

/* Help: the line with the usage, and the texts. */
enum { HELP_OPTIONS = 1, HELP_ENVIRONMENT = 2, HELP_XOPTIONS = 4, HELP_ALL = 7 };
void help_usage(FILE *out, const wchar_t *program);
void help_show(const wchar_t *program, unsigned parts);

/* Reads PYTHON* variables, if the configuration says so. */
PyStatus config_read_environment(PyConfig *config);

/* A deep copy; what `to` had is freed. */
PyStatus config_copy(PyConfig *to, const PyConfig *from);

/* What Py_SetPath, Py_SetProgramName and Py_SetPythonHome were told, for fields not set yet. */
PyStatus config_read_presets(PyConfig *config);

/* Finds the executable, the library and sys.path. */
PyStatus config_find_paths(PyConfig *config);

/* Sets a string field of a configuration, PyStatus as result. */
#define CONFIG_SET(config, field, text) PyConfig_SetString(config, &(config)->field, text)

/* Runs what the configuration asks for; the exit status. */
int run_main(struct main_interp *interp);

/* Py_FinalizeEx() where nothing comes after it: what nobody would notice is left to the system. */
int finalize_at_exit(void);

/* Has a shared library been imported? */
bool import_has_libraries(void);

/* A file as __main__: 0, or -1 with the exception printed. */
int run_simple_file(FILE *file, PyObject *filename, bool close, PyCompilerFlags *flags);

/* SystemExit is raised: 1 and its status, the exception cleared; 0 otherwise. */
int handle_system_exit(int *status);

/* Registers what lies below interp calls upward; once per process. */
void hooks_init(void);

/* Sets Py_VerboseFlag and the like. */
void flags_from_config(const PyConfig *config);

/* For signal handlers: notes that a signal has arrived, and asks the main thread for a safe point. */
void interrupts_note(int number);
/* Has it arrived? It is forgotten. */
bool interrupts_take(int number);
/* The signal module's: what a safe point runs (0, or -1 with an exception); and whether Python code
 * handles a signal. */
extern int (*interrupts_handler)(void);
extern bool (*interrupts_python_handler)(int number);
/* What it does at the end of the interpreter. */
extern void (*interrupts_end)(void);

/* SIGINT becomes KeyboardInterrupt; loads the signal module. -1 with an exception. */
int interrupts_init(void);

/* sys.stdin, stdout and stderr; -1 with an exception. */
int streams_init(struct main_interp *interp);

/* Is everything UTF-8, whatever the locale says (-X utf8, PYTHONUTF8, or the C locale)? */
bool preconfig_utf8_mode(void);

/* Does the locale say nothing about the language, and at most UTF-8 about the encoding? */
bool preconfig_plain_locale(void);

/* A variable that is set and not empty, or NULL; NULL too if the environment does not count. */
const char *environment_variable(bool counts, const char *name);

/* Frees what is in it. */
void wide_list_clear(PyWideStringList *list);

#endif
