/* Structs of exceptions, and what only the unlimited API offers. */
#ifndef Py_CPYTHON_PYERRORS_H
#define Py_CPYTHON_PYERRORS_H

_Py_BEGIN_DECLS

/* Every exception object begins with these. */
#define PyException_HEAD                                                                           \
    PyObject_HEAD                                                                                  \
    PyObject *dict;                                                                                \
    PyObject *args;                                                                                \
    PyObject *notes;                                                                               \
    PyObject *traceback;                                                                           \
    PyObject *context;                                                                             \
    PyObject *cause;                                                                               \
    char suppress_context;

typedef struct {
    PyException_HEAD
    PyObject *obj;
    PyObject *name;
} PyAttributeErrorObject;

typedef struct {
    PyException_HEAD
    PyObject *msg;
    PyObject *excs;
} PyBaseExceptionGroupObject;

typedef struct {
    PyException_HEAD
} PyBaseExceptionObject;

typedef struct {
    PyException_HEAD
    PyObject *msg;
    PyObject *name;
    PyObject *path;
    PyObject *name_from;
} PyImportErrorObject;

typedef struct {
    PyException_HEAD
    PyObject *name;
} PyNameErrorObject;

typedef struct {
    PyException_HEAD
    PyObject *myerrno;
    PyObject *strerror;
    PyObject *filename;
    PyObject *filename2;
    Py_ssize_t written;
} PyOSErrorObject;

typedef struct {
    PyException_HEAD
    PyObject *value;
} PyStopIterationObject;

typedef struct {
    PyException_HEAD
    PyObject *msg;
    PyObject *filename;
    PyObject *lineno;
    PyObject *offset;
    PyObject *end_lineno;
    PyObject *end_offset;
    PyObject *text;
    PyObject *print_file_and_line;
} PySyntaxErrorObject;

typedef struct {
    PyException_HEAD
    PyObject *code;
} PySystemExitObject;

typedef struct {
    PyException_HEAD
    PyObject *encoding;
    PyObject *object;
    Py_ssize_t start;
    Py_ssize_t end;
    PyObject *reason;
} PyUnicodeErrorObject;

typedef PyOSErrorObject PyEnvironmentErrorObject;

PyAPI_FUNC(void) PyErr_FormatUnraisable(const char *format, ...);
PyAPI_FUNC(PyObject *) PyErr_ProgramTextObject(PyObject *filename, int line);
PyAPI_FUNC(void) PyErr_RangedSyntaxLocationObject(PyObject *filename, int line, int column,
                                                  int end_line, int end_column);
PyAPI_FUNC(void) PyErr_SyntaxLocationObject(PyObject *filename, int line, int column);
PyAPI_DATA(PyObject *) PyExc_PythonFinalizationError;
PyAPI_FUNC(int) PySignal_SetWakeupFd(int fd);
PyAPI_FUNC(PyObject *) PyUnstable_Exc_PrepReraiseStar(PyObject *original, PyObject *raised);
PyAPI_FUNC(void) _PyErr_ChainExceptions1(PyObject *op);
PyAPI_FUNC(_Py_NO_RETURN void) _Py_FatalErrorFunc(const char *function, const char *message);
#define Py_FatalError(message) _Py_FatalErrorFunc(__func__, (message))

_Py_END_DECLS

#endif
