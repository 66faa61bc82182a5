/* PyOS_Readline: one line from the terminal, through a hook that a line editor may set. */

#include "Python.h"
#include "locking/lock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

PyAPI_DATA(PyThreadState *) _PyOS_ReadlineTState;
PyThreadState *_PyOS_ReadlineTState; /* of the thread that reads a line, which is detached */

char *(*PyOS_ReadlineFunctionPointer)(FILE *, FILE *, const char *);
int (*PyOS_InputHook)(void);

static PyMutex lock;

/* The plain way: the prompt to stderr, the line from the stream.  "" at the end of the input, NULL when
 * interrupted. */
static char *read_plain(FILE *in, const char *prompt)
{
    size_t length = 0, capacity = 128;
    char *line = PyMem_RawMalloc(capacity);
    if (line == NULL) {
        return NULL;
    }
    fputs(prompt, stderr);
    fflush(stderr);
    if (PyOS_InputHook != NULL) {
        PyOS_InputHook();
    }
    line[0] = 0;
    while (fgets(line + length, (int)(capacity - length), in) != NULL) {
        length += strlen(line + length);
        if (length > 0 && line[length - 1] == '\n') {
            break;
        }
        char *grown = PyMem_RawRealloc(line, capacity *= 2);
        if (grown == NULL) {
            PyMem_RawFree(line);
            return NULL;
        }
        line = grown;
    }
    if (ferror(in) && errno == EINTR) {
        clearerr(in);
        PyMem_RawFree(line);
        return NULL;
    }
    clearerr(in);
    return line;
}

/* A line with its newline, from PyMem_Malloc; "" at the end, NULL (perhaps without an exception) when
 * interrupted. */
char *PyOS_Readline(FILE *in, FILE *out, const char *prompt)
{
    bool terminal = isatty(fileno(in)) && isatty(fileno(out));
    char *raw;
    PyThreadState *self = PyThreadState_Get();
    Py_BEGIN_ALLOW_THREADS mutex_lock(&lock);
    _PyOS_ReadlineTState = self;
    raw = terminal && PyOS_ReadlineFunctionPointer != NULL
              ? PyOS_ReadlineFunctionPointer(in, out, prompt)
              : read_plain(in, prompt);
    _PyOS_ReadlineTState = NULL;
    mutex_unlock(&lock);
    Py_END_ALLOW_THREADS if (raw == NULL)
    {
        return NULL;
    }
    size_t size = strlen(raw) + 1;
    char *line = PyMem_Malloc(size);
    if (line == NULL) {
        PyErr_NoMemory();
    } else {
        memcpy(line, raw, size);
    }
    PyMem_RawFree(raw);
    return line;
}
