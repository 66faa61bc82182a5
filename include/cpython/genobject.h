/* Generators, coroutines, asynchronous generators. */
#ifndef Py_CPYTHON_GENOBJECT_H
#define Py_CPYTHON_GENOBJECT_H

#ifndef Py_LIMITED_API
_Py_BEGIN_DECLS

#define _PyGenObject_HEAD(prefix)                                                                  \
    PyObject_HEAD                                                                                  \
    PyObject *prefix##_weakreflist;                                                                \
    PyObject *prefix##_name;                                                                       \
    PyObject *prefix##_qualname;                                                                   \
    _PyErr_StackItem prefix##_exc_state;                                                           \
    PyObject *prefix##_origin_or_finalizer;                                                        \
    char prefix##_hooks_inited;                                                                    \
    char prefix##_closed;                                                                          \
    char prefix##_running_async;                                                                   \
    int8_t prefix##_frame_state;                                                                   \
    PyObject *prefix##_iframe[1]; /* the frame follows; private */

/* The three kinds have the same shape. */
typedef struct {
    _PyGenObject_HEAD(gi)
} PyGenObject;

typedef struct {
    _PyGenObject_HEAD(cr)
} PyCoroObject;

typedef struct {
    _PyGenObject_HEAD(ag)
} PyAsyncGenObject;

PyAPI_DATA(PyTypeObject) PyAsyncGen_Type;
PyAPI_DATA(PyTypeObject) PyCoro_Type;
PyAPI_DATA(PyTypeObject) PyGen_Type;
PyAPI_DATA(PyTypeObject) _PyAsyncGenASend_Type;
#define PyGen_Check(op) PyObject_TypeCheck((op), &PyGen_Type)
#define PyGen_CheckExact(op) Py_IS_TYPE((op), &PyGen_Type)
#define PyCoro_CheckExact(op) Py_IS_TYPE((op), &PyCoro_Type)
#define PyAsyncGen_CheckExact(op) Py_IS_TYPE((op), &PyAsyncGen_Type)
#define PyAsyncGenASend_CheckExact(op) Py_IS_TYPE((op), &_PyAsyncGenASend_Type)

/* Make from a frame whose reference is stolen: new reference. */
PyAPI_FUNC(PyObject *) PyAsyncGen_New(PyFrameObject *frame, PyObject *name, PyObject *qualname);
PyAPI_FUNC(PyObject *) PyCoro_New(PyFrameObject *frame, PyObject *name, PyObject *qualname);
PyAPI_FUNC(PyCodeObject *) PyGen_GetCode(PyGenObject *gen);
PyAPI_FUNC(PyObject *) PyGen_New(PyFrameObject *frame);
PyAPI_FUNC(PyObject *) PyGen_NewWithQualName(PyFrameObject *frame, PyObject *name,
                                             PyObject *qualname);

_Py_END_DECLS
#endif

#endif
