/* Frames: making them, and their local variables. */
#ifndef Py_CPYTHON_FRAMEOBJECT_H
#define Py_CPYTHON_FRAMEOBJECT_H

_Py_BEGIN_DECLS

PyAPI_FUNC(void) PyFrame_FastToLocals(PyFrameObject *frame);
PyAPI_FUNC(int) PyFrame_FastToLocalsWithError(PyFrameObject *frame);
PyAPI_FUNC(void) PyFrame_LocalsToFast(PyFrameObject *frame, int clear);
PyAPI_FUNC(PyFrameObject *) PyFrame_New(PyThreadState *ts, PyCodeObject *code, PyObject *globals,
                                        PyObject *locals);
PyAPI_FUNC(int) _PyFrame_IsEntryFrame(PyFrameObject *frame);

/* The mapping that frame.f_locals of a function gives. */
typedef struct {
    PyObject_HEAD
    PyFrameObject *frame;
} PyFrameLocalsProxyObject;

_Py_END_DECLS

#endif
