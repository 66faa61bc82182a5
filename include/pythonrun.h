/* Running and compiling source text. */
#ifndef Py_PYTHONRUN_H
#define Py_PYTHONRUN_H

_Py_BEGIN_DECLS

PyAPI_DATA(int) (*PyOS_InputHook)(void);
#define PYOS_STACK_MARGIN 2048
PyAPI_FUNC(void) PyErr_Display(PyObject *, PyObject *, PyObject *);
PyAPI_FUNC(void) PyErr_Print(void);
PyAPI_FUNC(void) PyErr_PrintEx(int);
PyAPI_FUNC(PyObject *) Py_CompileString(const char *, const char *, int);
#if _Py_API_VERSION >= 0x030c0000
PyAPI_FUNC(void) PyErr_DisplayException(PyObject *);
#endif

_Py_END_DECLS

#ifndef Py_LIMITED_API
#  include "cpython/pythonrun.h"
#endif

#endif
