/* Raised and handled exceptions, as this floor and those above see them.
 *
 * The raised exception of a thread is PyThreadState.current_exception (owned, NULL if none); the
 * handled ones are the chain of PyThreadState.exc_info. Both are ABI: extensions read and write them.
 *
 * Every raise_* sets an exception and returns -1 (int) so that `return raise_type(...)` reads well;
 * where a pointer is wanted, `return NULL` follows. Raising makes an instance at once and may run
 * Python code only for exception classes written in Python. */
#ifndef KRAIT_OBJECTS_ERROR_H
#define KRAIT_OBJECTS_ERROR_H

#include "Python.h"

#include "objects/object.h"

#define PRINTF_LIKE(                                                                               \
    format, first) /* formats are PyUnicode_FromFormat's, which printf's check misjudges */

int raise_type(const char *format, ...) PRINTF_LIKE(1, 2);
int raise_value(const char *format, ...) PRINTF_LIKE(1, 2);
int raise_system(const char *format, ...) PRINTF_LIKE(1, 2);
/* KeyError(key): the key as it is, never taken apart when it is a tuple. */
int raise_key(PyObject *key);

/* The raised exception of this thread, put aside (new reference, may be NULL) and back (STOLEN,
 * replacing what was raised meanwhile). */
static inline PyObject *error_fetch(void)
{
    PyThreadState *ts = &thread_self()->ts;
    PyObject *exception = ts->current_exception;
    ts->current_exception = NULL;
    return exception;
}

static inline void error_restore(STOLEN PyObject *exception)
{
    PyThreadState *ts = &thread_self()->ts;
    PyObject *old = ts->current_exception;
    ts->current_exception = exception;
    Py_XDECREF(old);
}

static inline bool error_raised(void)
{
    return thread_self()->ts.current_exception != NULL;
}

/* The exception that is being handled: borrowed from the innermost exc_info entry that has one, or
 * NULL. */
PyObject *error_handled(void);

/* Raises `exception` (STOLEN, an instance), its context set to the handled one unless that would
 * close a ring. */
void error_raise_instance(STOLEN PyObject *exception);

/* An instance of exception class `type` for `value` (borrowed, may be NULL): itself if it is one
 * already, type(*value) for a tuple, type(value) otherwise. New reference, or NULL with another
 * exception raised. May run Python code. */
OWNED PyObject *error_instance(PyObject *type, PyObject *value);

/* ImportError with all its fields (borrowed, may be NULL); always NULL. */
PyObject *_PyErr_SetImportErrorWithNameFrom(PyObject *message, PyObject *name, PyObject *path,
                                            PyObject *name_from);

/* The exception classes and MemoryError's reserve; before anything can fail. -1: no memory. */
int error_init(struct interp_state *interp);
void error_fini(struct interp_state *interp);

/* The class ExceptionGroup (borrowed, immortal); NULL with an exception. */
PyObject *exception_group_type(void);

extern PyTypeObject *const exception_types[]; /* NULL-terminated */
extern const char *const exception_aliases[]; /* pairs: name in builtins, name of the class */

#endif
