/* Signals. PyErr_CheckSignals runs pending handlers: 0, or -1 with an exception set. */
#ifndef Py_INTRCHECK_H
#define Py_INTRCHECK_H

_Py_BEGIN_DECLS

Py_DEPRECATED(3.7) PyAPI_FUNC(void) PyOS_AfterFork(void);
PyAPI_FUNC(int) PyOS_InterruptOccurred(void);
#if _Py_API_VERSION >= 0x03070000
PyAPI_FUNC(void) PyOS_AfterFork_Child(void);
PyAPI_FUNC(void) PyOS_AfterFork_Parent(void);
PyAPI_FUNC(void) PyOS_BeforeFork(void);
#endif

_Py_END_DECLS

#endif
