/* Running and compiling source text. */
#ifndef Py_PYTHONRUN_H
#define Py_PYTHONRUN_H

_Py_BEGIN_DECLS

PyAPI_DATA(int) (*PyOS_InputHook)(void);
#define PYOS_STACK_MARGIN 2048
PyAPI_FUNC(void) PyErr_Display(PyObject *type, PyObject *value, PyObject *traceback);
PyAPI_FUNC(void) PyErr_Print(void);
PyAPI_FUNC(void) PyErr_PrintEx(int set_sys_last_vars);
PyAPI_FUNC(PyObject *) Py_CompileString(const char *text, const char *filename, int start);
#if _Py_API_VERSION >= 0x030c0000
PyAPI_FUNC(void) PyErr_DisplayException(PyObject *exc);
#endif

_Py_END_DECLS

#ifndef Py_LIMITED_API
#  include "cpython/pythonrun.h"
#endif

#endif
