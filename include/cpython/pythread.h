/* The struct behind thread-specific storage. */
#ifndef Py_CPYTHON_PYTHREAD_H
#define Py_CPYTHON_PYTHREAD_H

#include <pthread.h>

_Py_BEGIN_DECLS

PyAPI_DATA(const long long) PY_TIMEOUT_MAX;
#define NATIVE_TSS_KEY_T pthread_key_t
struct _Py_tss_t {
    int _is_initialized;
    pthread_key_t _key;
};

#define Py_tss_NEEDS_INIT {0}

_Py_END_DECLS

#endif
