/* Slots of memoryview, for its type (type.c). */
#ifndef KRAIT_OBJECTS_MEMORYVIEW_OBJECT_H
#define KRAIT_OBJECTS_MEMORYVIEW_OBJECT_H

#include <Python.h>

void view_dealloc(PyObject *self);
int view_traverse(PyObject *self, visitproc visit, void *arg);
int view_clear(PyObject *self);
int view_getbuffer(PyObject *self, Py_buffer *out, int flags);
void view_releasebuffer(PyObject *self, Py_buffer *out);
/* A view of the buffer that `get`, a function of the object's type or a base, gives. */
PyAPI_FUNC(PyObject *) _PyMemoryView_FromBufferProc(PyObject *object, int flags, getbufferproc get);
PyObject *view_from_flags(PyObject *object, int flags);

#endif
