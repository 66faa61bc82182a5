/* Conversion of arguments by the units of a format: shared by getargs.c and getargs_convert.c. */
#ifndef KRAIT_OBJECTS_CAPI_GETARGS_H
#define KRAIT_OBJECTS_CAPI_GETARGS_H

#include "Python.h"

#include <stdarg.h>
#include <stdbool.h>

enum { ARGS_DEPTH = 32 };

/* What must be undone when a later argument is wrong. */
struct cleanup {
    enum cleanup_kind { CLEANUP_BUFFER, CLEANUP_MEMORY, CLEANUP_CONVERTER } kind;
    void *item;
    int (*converter)(PyObject *, void *);
};

/* One run over a format. */
struct parser {
    const char *format;     /* what is left of it */
    va_list va;             /* where results go */
    const char *fname;      /* after ':', or NULL */
    const char *message;    /* after ';', or NULL */
    int levels[ARGS_DEPTH]; /* path to the wrong item within nested tuples, 1-based, 0 ends */
    char text[256];         /* room for an error text */
    struct cleanup *cleanups, few[8];
    int cleanup_count, cleanup_room;
};

/* Converts one argument, a tuple if the format says so. NULL, or the text of what it should have
 * been (an exception may be set instead, then the text does not matter). May run Python code. */
const char *convert_item(struct parser *p, PyObject *arg, int *levels);

/* Skips one unit and its results. NULL, or the text of an error of the format. */
const char *skip_item(struct parser *p);

/* Notes something to be undone. 0, or -1 with MemoryError after having undone it. */
int cleanup_add(struct parser *p, enum cleanup_kind kind, void *item,
                int (*converter)(PyObject *, void *));

/* TypeError unless low <= given <= high; 1, or 0 with the exception. `name` may be NULL. */
PyAPI_FUNC(int)
    _PyArg_CheckPositional(const char *name, Py_ssize_t given, Py_ssize_t low, Py_ssize_t high);
/* TypeError if there are positional arguments; 1, or 0 with the exception. */
PyAPI_FUNC(int) _PyArg_NoPositional(const char *name, PyObject *args);

#endif
