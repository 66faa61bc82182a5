/* The interpreter's own part of a PyInterpreterState: modules, sys, builtins, configuration. */

#ifndef KRAIT_INTERP_STATE_H
#define KRAIT_INTERP_STATE_H

#include "interp/interp.h"
#include "locking/lock.h"
#include "objects/object.h"

struct audit_hook {
    struct audit_hook *next;
    Py_AuditHookFunction function;
    void *data;
};

struct main_interp {
    struct object_interp base;
    PyConfig config; /* as the interpreter was started; strings owned */

    /* -- modules; all owned */
    PyObject *modules; /* sys.modules */
    PyObject *sys_dict, *sys_module;
    PyObject *builtins_dict, *builtins_module;
    PyObject *importlib;   /* importlib._bootstrap, frozen */
    PyObject *import_func; /* builtins.__import__ as it was at start-up */
    PyObject *extensions;  /* dict (path, name) -> capsule: single-phase modules */
    struct recursive_mutex *import_lock;
    int dlopen_flags;

    /* -- hooks */
    PyObject *audit_hooks;  /* list of sys.addaudithook, or NULL */
    PyObject *atexit_calls; /* owned by the atexit module's part */
    int (*before_finalize)(void);
    struct exit_callback *exit_callbacks; /* of PyUnstable_AtExit, newest first; atomic */

    /* -- warnings; owned */
    PyObject *warning_filters, *warning_once, *warning_default_action;
    long warning_filters_version;
    PyMutex warning_lock;

    /* -- small things */
    bool initialized, finalizing;
};

static inline struct main_interp *main_interp_of(PyThreadState *ts)
{
    return (struct main_interp *)ts->interp;
}

static inline struct main_interp *main_interp_self(void)
{
    return main_interp_of(&thread_self()->ts);
}

/* ---- builtins, sys --------------------------------------------------------------------------- */

/* Each makes its module and fills the fields above; -1 with an exception. */
int builtins_init(struct main_interp *interp);
int sys_init(struct main_interp *interp);
/* What sys shows of the configuration (argv, path, flags, ...): after the configuration is final. */
int sys_configure(struct main_interp *interp);

/* sys.name: new reference; NULL, without an exception, when there is none. */
PyObject *sys_get(PyObject *name);
int sys_set(PyObject *name, PyObject *value); /* value borrowed, NULL deletes; -1 with exception */

/* ---- import ---------------------------------------------------------------------------------- */

/* Frozen modules, made at build time; ends with a NULL name. */
struct frozen_module {
    const char *name;
    const unsigned char *code; /* marshalled; */
    int size;
    bool is_package;
    const char *original; /* the module it is an alias of, or NULL */
};
extern const struct frozen_module frozen_modules[];

int import_init(struct main_interp *interp);          /* sys.modules, _imp, importlib._bootstrap */
int import_init_external(struct main_interp *interp); /* path-based import */
/* import statement: new reference. */
PyObject *import_name(PyObject *globals, PyObject *name, PyObject *fromlist, PyObject *level);
PyObject *import_from(PyObject *module, PyObject *name);
int import_star(PyObject *module, PyObject *locals);

/* Makes the calls of PyUnstable_AtExit, newest first. */
void interp_run_exit_callbacks(struct main_interp *interp);

/* ---- warnings -------------------------------------------------------------------------------- */

int warnings_init(struct main_interp *interp);

/* ---- running source -------------------------------------------------------------------------- */

/* Source text (any encoding unless flags say UTF-8) to code: new reference. `optimize` -1: as
 * configured. */
PyObject *compile_source(const char *source, size_t length, PyObject *filename, int start,
                         PyCompilerFlags *flags, int optimize);

/* The text of a str, bytes or buffer without NUL bytes: *owner (new reference) keeps it alive; a str's
 * adds PyCF_IGNORE_COOKIE to the flags. NULL with an exception that speaks of function's argument 1, which
 * must be `what`. May run Python code. */
const char *source_text(PyObject *source, const char *function, const char *what,
                        PyCompilerFlags *flags, PyObject **owner, Py_ssize_t *length);

/* The same from a tree (see interp/parse). */
struct ast_module;
struct arena;
PyObject *compile_parsed(struct ast_module *tree, PyObject *filename, PyCompilerFlags *flags,
                         int optimize, struct arena *arena);

/* Compiles text called "<string>" and runs it: new reference. */
PyObject *run_text(const char *source, size_t length, int start, PyObject *globals,
                   PyObject *locals, PyCompilerFlags *flags);

/* anext(iterator, default): what awaits `awaitable` (new reference). */
PyObject *anext_awaitable_new(PyObject *awaitable, PyObject *fallback);

/* Prints the raised exception, which is cleared, as at the end of a program; sets sys.last_exc when
 * asked. */
void display_raised(bool set_last);

#endif
