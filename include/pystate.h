/* Thread states and interpreter states. */
#ifndef Py_PYSTATE_H
#define Py_PYSTATE_H

_Py_BEGIN_DECLS

/* Interpreters. */
PyAPI_FUNC(void) PyInterpreterState_Clear(PyInterpreterState *interp);
PyAPI_FUNC(void) PyInterpreterState_Delete(PyInterpreterState *interp);
PyAPI_FUNC(PyInterpreterState *) PyInterpreterState_New(void);
#if _Py_API_VERSION >= 0x03090000
PyAPI_FUNC(PyInterpreterState *) PyInterpreterState_Get(void);
#endif

#if _Py_API_VERSION >= 0x03080000
PyAPI_FUNC(PyObject *) PyInterpreterState_GetDict(PyInterpreterState *interp);
#endif

#if _Py_API_VERSION >= 0x03070000
PyAPI_FUNC(int64_t) PyInterpreterState_GetID(PyInterpreterState *interp);
#endif

/* Thread states: the current one is borrowed and never NULL in Python code. */
PyAPI_FUNC(void) PyThreadState_Clear(PyThreadState *ts);
PyAPI_FUNC(void) PyThreadState_Delete(PyThreadState *ts);
PyAPI_FUNC(PyThreadState *) PyThreadState_Get(void);
PyAPI_FUNC(PyObject *) PyThreadState_GetDict(void);
PyAPI_FUNC(PyThreadState *) PyThreadState_New(PyInterpreterState *interp);
PyAPI_FUNC(int) PyThreadState_SetAsyncExc(unsigned long thread_id, PyObject *exc);
PyAPI_FUNC(PyThreadState *) PyThreadState_Swap(PyThreadState *ts);
#if _Py_API_VERSION >= 0x03090000
PyAPI_FUNC(PyFrameObject *) PyThreadState_GetFrame(PyThreadState *ts);
PyAPI_FUNC(uint64_t) PyThreadState_GetID(PyThreadState *ts);
PyAPI_FUNC(PyInterpreterState *) PyThreadState_GetInterpreter(PyThreadState *ts);
#endif
#define PyThreadState_GET() PyThreadState_Get()

/* Modules that a single-phase extension found by its definition (borrowed). */
#if _Py_API_VERSION >= 0x03030000
PyAPI_FUNC(int) PyState_AddModule(PyObject *module, PyModuleDef *def);
PyAPI_FUNC(int) PyState_RemoveModule(PyModuleDef *def);
#endif

PyAPI_FUNC(PyObject *) PyState_FindModule(PyModuleDef *def);

/* Python from a thread that Python did not start: Ensure, then Release with what it gave. */
typedef enum {
    PyGILState_LOCKED = 0,
    PyGILState_UNLOCKED = 1
} PyGILState_STATE;

PyAPI_FUNC(PyGILState_STATE) PyGILState_Ensure(void);
PyAPI_FUNC(PyThreadState *) PyGILState_GetThisThreadState(void);
PyAPI_FUNC(void) PyGILState_Release(PyGILState_STATE state);

_Py_END_DECLS

#ifndef Py_LIMITED_API
#  include "cpython/pystate.h"
#endif

#endif
