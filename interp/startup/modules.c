/* The built-in modules: names and init functions. */

#include "Python.h"

#define MODULES(X)                                                                     \
    X(_abc) X(_ast) X(_contextvars) X(_io) X(_locale) X(_opcode) X(_signal) X(_sre) X(_stat) X(_sysconfig) X(_thread) X(atexit) X(errno) X(time) X(_weakref) X(posix) X(_bisect) X(_blake2) X(_csv) X(_json) X(_tokenize) X(array) X(cmath) X(mmap) X(zlib) X(_codecs) X(_collections) X(_functools) X(_heapq) X(_imp)   \
    X(_md5) X(_operator) X(_posixsubprocess) X(_queue) X(_random) X(_sha1) X(_sha2)    \
    X(_sha3) X(_statistics) X(_string) X(_struct) X(_typing) X(_warnings) X(binascii)  \
    X(fcntl) X(gc) X(grp) X(itertools) X(marshal) X(math) X(pwd) X(resource)           \
    X(select) X(syslog) X(termios) X(unicodedata)

#define DECLARE(name) extern PyObject *PyInit_##name(void);
MODULES(DECLARE)

#define ENTRY(name) {(char *)#name, PyInit_##name},

struct _inittab builtin_modules[] = {
    {(char *)"builtins", NULL},
    {(char *)"sys", NULL},
    MODULES(ENTRY)
    {NULL, NULL},
};
