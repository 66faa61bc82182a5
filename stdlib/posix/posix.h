/* What the files of the module posix share.
 *
 * Functions of the module are declared in posix.bind; each file includes this header and defines
 * some of them.  A path comes in as the object that was given and becomes a `struct path` as the
 * first step, since its errors name the function and the parameter. */
#ifndef KRAIT_STDLIB_POSIX_H
#define KRAIT_STDLIB_POSIX_H

#include "module.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

struct posix_state {
    PyObject *stat_result, *statvfs_result, *terminal_size, *times_result, *uname_result,
        *waitid_result, *sched_param;
    PyObject *direntry_type, *scandir_type;
    PyObject *fork_before, *fork_in_child, *fork_in_parent; /* lists of callables */
};

static inline struct posix_state *state_of(PyObject *module)
{
    return PyModule_GetState(module);
}

/* ---- errors and blocking calls -------------------------------------------------------------- */

/* Raises OSError from errno, unless a signal handler has raised already. */
PyObject *posix_raise(void);
int posix_fail(void);

static inline int posix_check(int rc)
{
    return rc < 0 ? posix_fail() : 0;
}

/* A system call while other threads run; errno is the call's. */
#define BLOCKING(expr)                                                                             \
    __extension__({                                                                                \
        __typeof__(expr) blocking_result;                                                          \
        int blocking_errno;                                                                        \
        Py_BEGIN_ALLOW_THREADS errno = 0;                                                          \
        blocking_result = (expr);                                                                  \
        blocking_errno = errno;                                                                    \
        Py_END_ALLOW_THREADS errno = blocking_errno;                                               \
        blocking_result;                                                                           \
    })

/* The same, again after each signal whose handler does not raise. */
#define RETRYING(expr)                                                                             \
    __extension__({                                                                                \
        __typeof__(expr) retrying_result;                                                          \
        do {                                                                                       \
            retrying_result = BLOCKING(expr);                                                      \
        } while (retrying_result == (__typeof__(retrying_result))-1 && errno == EINTR              \
                 && posix_go_on());                                                                \
        retrying_result;                                                                           \
    })

/* After EINTR: whether to go on; errno stays. */
bool posix_go_on(void);

/* ---- paths ---------------------------------------------------------------------------------- */

enum {
    PATH_FD = 1,   /* an open file will do */
    PATH_NONE = 2, /* None stands for the current directory */
};

struct path {
    const char *function, *argument;
    PyObject *object; /* what was given or its __fspath__(); new reference */
    PyObject *bytes;  /* keeps `name`, or NULL */
    const char *name; /* NULL when fd >= 0 */
    int fd;           /* or -1 */
    bool is_bytes;    /* results are bytes */
    bool is_none;     /* the current directory by default */
};

/* Reads a path; may run Python code.  Afterwards path_drop is due, also when it failed; so a
 * `struct path` declared with PATH drops itself. */
bool path_read(struct path *path, PyObject *arg, const char *function, const char *argument,
               int flags);
void path_drop(struct path *path);

#define PATH(name) __attribute__((cleanup(path_drop))) struct path name = {.fd = -1}

/* Raises OSError from errno with the path; two paths. */
PyObject *path_raise(const struct path *path);
int path_fail(const struct path *path);
int path_fail2(const struct path *from, const struct path *to);

static inline int path_check(const struct path *path, int rc)
{
    return rc < 0 ? path_fail(path) : 0;
}

/* Combinations that make no sense: ValueError and false. */
bool path_fits_dir_fd(const struct path *path, int dir_fd);
bool path_fits_links(const struct path *path, int follow_symlinks);

static inline int audited_dir_fd(int dir_fd)
{
    return dir_fd == AT_FDCWD ? -1 : dir_fd;
}

/* Names the system gives, as str or bytes (new reference). */
PyObject *path_text(const char *name, Py_ssize_t length, bool as_bytes);

/* ---- converters ----------------------------------------------------------------------------- */

bool dir_fd_of(PyObject *arg, int *out);
bool uid_of(PyObject *arg, uid_t *out);
bool gid_of(PyObject *arg, gid_t *out);
bool dev_of(PyObject *arg, dev_t *out);
bool id_of(PyObject *arg, id_t *out);
bool fs_bytes_of(PyObject *arg, PyObject **out); /* bytes, new reference */
void fs_bytes_drop(PyObject **bytes);
PyObject *uid_object(uid_t uid);
PyObject *dev_object(dev_t dev);

static inline bool offset_or_none(PyObject *arg, long long *out, bool *given)
{
    *given = arg != Py_None;
    return !*given || bind_longlong(arg, out);
}

/* What a sched_param object says; false with an exception. */
bool sched_param_of(PyObject *module, PyObject *arg, struct sched_param *out);

/* A struct sequence filled from items, which are stolen; NULL if one of them is. */
PyObject *record_make(PyObject *type, PyObject *const *items, Py_ssize_t count);

/* stat_result of what the system says (new reference). */
PyObject *stat_object(struct posix_state *state, const struct stat *status);

/* The text of environment or arguments as the system takes it. */
struct strings {
    char **items;     /* ends with NULL */
    PyObject *owners; /* list of bytes */
};

bool strings_of_sequence(struct strings *strings, PyObject *sequence);
bool strings_of_environ(struct strings *strings, PyObject *mapping);
void strings_drop(struct strings *strings);

#define STRINGS(name) __attribute__((cleanup(strings_drop))) struct strings name = {NULL, NULL}

/* What module.c puts together. */
int posix_add_types(PyObject *module, struct posix_state *state);
int posix_add_records(PyObject *module, struct posix_state *state);
int posix_add_constants(PyObject *module);

#endif
