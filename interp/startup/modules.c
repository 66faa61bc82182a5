/* The built-in modules: names and init functions. */

#include "Python.h"

#include "optional/optional_modules.h"

/* clang-format off */
#define MODULES(X) \
    X(_abc) \
    X(_ast) \
    X(_asyncio) \
    X(_bisect) \
    X(_blake2) \
    X(_codecs) \
    X(_codecs_cn) \
    X(_codecs_hk) \
    X(_codecs_iso2022) \
    X(_codecs_jp) \
    X(_codecs_kr) \
    X(_codecs_tw) \
    X(_collections) \
    X(_contextvars) \
    X(_csv) \
    X(_datetime) \
    X(_functools) \
    X(_heapq) \
    X(_imp) \
    X(_io) \
    X(_json) \
    X(_locale) \
    X(_lsprof) \
    X(_md5) \
    X(_multibytecodec) \
    X(_multiprocessing) \
    X(_opcode) \
    X(_operator) \
    X(_pickle) \
    X(_posixshmem) \
    X(_posixsubprocess) \
    X(_queue) \
    X(_random) \
    X(_sha1) \
    X(_sha2) \
    X(_sha3) \
    X(_signal) \
    X(_socket) \
    X(_sre) \
    X(_stat) \
    X(_statistics) \
    X(_string) \
    X(_struct) \
    X(_suggestions) \
    X(_symtable) \
    X(_sysconfig) \
    X(_thread) \
    X(_tokenize) \
    X(_tracemalloc) \
    X(_typing) \
    X(_warnings) \
    X(_weakref) \
    X(_zoneinfo) \
    X(array) \
    X(atexit) \
    X(binascii) \
    X(cmath) \
    X(errno) \
    X(faulthandler) \
    X(fcntl) \
    X(gc) \
    X(grp) \
    X(itertools) \
    X(marshal) \
    X(math) \
    X(mmap) \
    X(posix) \
    X(pwd) \
    X(resource) \
    X(select) \
    X(syslog) \
    X(termios) \
    X(time) \
    X(unicodedata) \
    X(zlib)
/* clang-format on */

#define DECLARE(name) extern PyObject *PyInit_##name(void);
MODULES(DECLARE)
OPTIONAL_MODULES(DECLARE)

#define ENTRY(name) {(char *)#name, PyInit_##name},

struct _inittab builtin_modules[] = {
    {(char *)"builtins", NULL},
    {(char *)"sys", NULL},
    MODULES(ENTRY) OPTIONAL_MODULES(ENTRY){NULL, NULL},
};
