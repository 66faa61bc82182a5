/* A mutex of one byte: zero-initialised is unlocked.

   Locking and unlocking without contention are one compare-exchange; a thread that waits is
   parked and detached, so that it stops nobody. Not recursive. */
#ifndef Py_CPYTHON_LOCK_H
#define Py_CPYTHON_LOCK_H

_Py_BEGIN_DECLS

#define _Py_UNLOCKED 0
#define _Py_LOCKED   1

struct PyMutex {
    uint8_t _bits;
};
typedef struct PyMutex PyMutex;

/* The slow paths, used when another thread holds or waits for the lock. */
PyAPI_FUNC(void) PyMutex_Lock(PyMutex *mutex);
PyAPI_FUNC(void) PyMutex_Unlock(PyMutex *mutex);

static inline void _PyMutex_Lock(PyMutex *m)
{
    uint8_t unlocked = _Py_UNLOCKED;
    if (!_Py_atomic_compare_exchange_uint8(&m->_bits, &unlocked, _Py_LOCKED))
        PyMutex_Lock(m);
}
#define PyMutex_Lock _PyMutex_Lock

static inline void _PyMutex_Unlock(PyMutex *m)
{
    uint8_t locked = _Py_LOCKED;
    if (!_Py_atomic_compare_exchange_uint8(&m->_bits, &locked, _Py_UNLOCKED))
        PyMutex_Unlock(m);
}
#define PyMutex_Unlock _PyMutex_Unlock

_Py_END_DECLS

#endif
