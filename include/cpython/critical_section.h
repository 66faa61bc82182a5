/* Critical sections: hold the lock of one or two objects for a block of code.

   A section is suspended when its thread blocks or starts another section, so sections cannot
   deadlock; only what is re-read after such a point is still true. With a global lock they are
   plain blocks. Both macros open a scope that the End macro closes. */
#ifndef Py_CPYTHON_CRITICAL_SECTION_H
#define Py_CPYTHON_CRITICAL_SECTION_H

_Py_BEGIN_DECLS

typedef struct PyCriticalSection PyCriticalSection;
typedef struct PyCriticalSection2 PyCriticalSection2;

PyAPI_FUNC(void) PyCriticalSection2_Begin(PyCriticalSection2 *section, PyObject *a, PyObject *b);
PyAPI_FUNC(void) PyCriticalSection2_End(PyCriticalSection2 *section);
PyAPI_FUNC(void) PyCriticalSection_Begin(PyCriticalSection *section, PyObject *op);
PyAPI_FUNC(void) PyCriticalSection_End(PyCriticalSection *section);

#ifdef Py_GIL_DISABLED
struct PyCriticalSection {
    uintptr_t _cs_prev;
    PyMutex *_cs_mutex;
};

struct PyCriticalSection2 {
    PyCriticalSection _cs_base;
    PyMutex *_cs_mutex2;
};

#  define Py_BEGIN_CRITICAL_SECTION(op)                                                            \
      {                                                                                            \
          PyCriticalSection _py_cs;                                                                \
          PyCriticalSection_Begin(&_py_cs, _PyObject_CAST(op))
#  define Py_END_CRITICAL_SECTION()                                                                \
          PyCriticalSection_End(&_py_cs);                                                          \
      }
#  define Py_BEGIN_CRITICAL_SECTION2(a, b)                                                         \
      {                                                                                            \
          PyCriticalSection2 _py_cs2;                                                              \
          PyCriticalSection2_Begin(&_py_cs2, _PyObject_CAST(a), _PyObject_CAST(b))
#  define Py_END_CRITICAL_SECTION2()                                                               \
          PyCriticalSection2_End(&_py_cs2);                                                        \
      }
#else
#  define Py_BEGIN_CRITICAL_SECTION(op) {
#  define Py_END_CRITICAL_SECTION() }
#  define Py_BEGIN_CRITICAL_SECTION2(a, b) {
#  define Py_END_CRITICAL_SECTION2() }
#endif

_Py_END_DECLS

#endif
