/* Frames: reading them. */
#ifndef Py_PYFRAME_H
#define Py_PYFRAME_H

_Py_BEGIN_DECLS

PyAPI_FUNC(PyCodeObject *) PyFrame_GetCode(PyFrameObject *frame);
PyAPI_FUNC(int) PyFrame_GetLineNumber(PyFrameObject *frame);

_Py_END_DECLS

#ifndef Py_LIMITED_API
#  include "cpython/pyframe.h"
#endif

#endif
