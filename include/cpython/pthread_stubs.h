/* Systems without threads: not supported. */
#ifndef Py_CPYTHON_PTHREAD_STUBS_H
#define Py_CPYTHON_PTHREAD_STUBS_H

#endif
