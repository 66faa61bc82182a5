/* Files: marshal, running source, printing objects. */
#include "parts.h"

#include "marshal.h"

#include <stdio.h>

/* fopen for a path object: NULL with OSError. */
static FILE *open_file(PyObject *path, const char *mode)
{
    PyObject *bytes;
    if (!PyUnicode_FSConverter(path, &bytes)) {
        return NULL;
    }
    FILE *file = fopen(PyBytes_AS_STRING(bytes), mode);
    if (file == NULL) {
        PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path);
    }
    Py_DECREF(bytes);
    return file;
}

/* ---- marshal ----------------------------------------------------------------------------------------- */

FUNCTIONN(pymarshal_write_long_to_file)
{
    long value;
    PyObject *path;
    int version;
    if (!PyArg_ParseTuple(args, "lOi:pymarshal_write_long_to_file", &value, &path, &version)) {
        return NULL;
    }
    FILE *file = open_file(path, "wb");
    if (file == NULL) {
        return NULL;
    }
    PyMarshal_WriteLongToFile(value, file, version);
    fclose(file);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

FUNCTIONN(pymarshal_write_object_to_file)
{
    PyObject *object, *path;
    int version;
    if (!PyArg_ParseTuple(args, "OOi:pymarshal_write_object_to_file", &object, &path, &version)) {
        return NULL;
    }
    FILE *file = open_file(path, "wb");
    if (file == NULL) {
        return NULL;
    }
    PyMarshal_WriteObjectToFile(object, file, version);
    fclose(file);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

enum what { SHORT, LONG, OBJECT, LAST_OBJECT };

/* (what was read, position after it) */
static PyObject *read_marshal(PyObject *args, enum what what)
{
    PyObject *path;
    if (!PyArg_ParseTuple(args, "O", &path)) {
        return NULL;
    }
    FILE *file = open_file(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    PyObject *value = what == SHORT    ? PyLong_FromLong(PyMarshal_ReadShortFromFile(file))
                      : what == LONG   ? PyLong_FromLong(PyMarshal_ReadLongFromFile(file))
                      : what == OBJECT ? PyMarshal_ReadObjectFromFile(file)
                                       : PyMarshal_ReadLastObjectFromFile(file);
    long position = ftell(file);
    fclose(file);
    if (PyErr_Occurred()) {
        Py_XDECREF(value);
        return NULL;
    }
    return Py_BuildValue("Nl", value, position);
}

FUNCTIONN(pymarshal_read_short_from_file)
{
    return read_marshal(args, SHORT);
}

FUNCTIONN(pymarshal_read_long_from_file)
{
    return read_marshal(args, LONG);
}

FUNCTIONN(pymarshal_read_object_from_file)
{
    return read_marshal(args, OBJECT);
}

FUNCTIONN(pymarshal_read_last_object_from_file)
{
    return read_marshal(args, LAST_OBJECT);
}

/* ---- running ------------------------------------------------------------------------------------------- */

/* (source, start, globals=NULL, locals=NULL, flags=0, feature_version=0) */
FUNCTIONN(run_stringflags)
{
    const char *source;
    Py_ssize_t size;
    int start;
    PyObject *globals = NULL, *locals = NULL;
    PyCompilerFlags flags = _PyCompilerFlags_INIT, *used = NULL;
    int cf_flags = 0, version = 0;
    if (!PyArg_ParseTuple(args, "z#iO|Oii", &source, &size, &start, &globals, &locals, &cf_flags,
                          &version)) {
        return NULL;
    }
    NULLABLE(globals);
    NULLABLE(locals);
    if (cf_flags || version) {
        flags.cf_flags = cf_flags;
        flags.cf_feature_version = version;
        used = &flags;
    }
    return PyRun_StringFlags(source, start, globals, locals, used);
}

/* (filename, start, globals=NULL, locals=NULL, closeit=0, flags=0, feature_version=0) */
FUNCTIONN(run_fileexflags)
{
    const char *filename;
    Py_ssize_t size;
    int start;
    PyObject *globals = NULL, *locals = NULL;
    PyCompilerFlags flags = _PyCompilerFlags_INIT, *used = NULL;
    int close = 0, cf_flags = 0, version = 0;
    if (!PyArg_ParseTuple(args, "z#iO|Oiii", &filename, &size, &start, &globals, &locals, &close,
                          &cf_flags, &version)) {
        return NULL;
    }
    NULLABLE(globals);
    NULLABLE(locals);
    if (cf_flags || version) {
        flags.cf_flags = cf_flags;
        flags.cf_feature_version = version;
        used = &flags;
    }
    FILE *file = fopen(filename, "rb");
    if (file == NULL) {
        return PyErr_SetFromErrnoWithFilename(PyExc_OSError, filename);
    }
    PyObject *result = PyRun_FileExFlags(file, filename, start, globals, locals, close, used);
    if (!close) {
        fclose(file);
    }
    return result;
}

/* ---- printing -------------------------------------------------------------------------------------------- */

FUNCTIONN(call_pyobject_print)
{
    PyObject *object, *path, *as_str;
    if (!PyArg_ParseTuple(args, "OOO", &object, &path, &as_str)) {
        return NULL;
    }
    FILE *file = open_file(path, "w+");
    if (file == NULL) {
        return NULL;
    }
    int result = PyObject_Print(object, file, PyObject_IsTrue(as_str) ? Py_PRINT_RAW : 0);
    fclose(file);
    return none_or_error(result);
}

FUNCTIONN(pyobject_print_null)
{
    PyObject *path;
    FILE *file = PyArg_ParseTuple(args, "O", &path) ? open_file(path, "w+") : NULL;
    if (file == NULL) {
        return NULL;
    }
    int result = PyObject_Print(NULL, file, 0);
    fclose(file);
    return none_or_error(result);
}

/* An object with no references left is shown by its address. */
FUNCTIONN(pyobject_print_noref_object)
{
    PyObject *path;
    FILE *file = PyArg_ParseTuple(args, "O", &path) ? open_file(path, "w+") : NULL;
    if (file == NULL) {
        return NULL;
    }
    PyObject *object = PyFloat_FromDouble(2.75);
    char expected[100];
    Py_SET_REFCNT(object, 0);
    snprintf(expected, sizeof expected, "<refcnt %zd at %p>", Py_REFCNT(object), (void *)object);
    int result = PyObject_Print(object, file, 0);
    Py_SET_REFCNT(object, 1);
    Py_DECREF(object);
    fclose(file);
    return result < 0 ? NULL : PyUnicode_FromString(expected);
}

FUNCTIONN(pyobject_print_os_error)
{
    PyObject *path;
    FILE *file = PyArg_ParseTuple(args, "O", &path) ? open_file(path, "r") : NULL;
    if (file == NULL) {
        return NULL;
    }
    int result = PyObject_Print(path, file, 0);
    fclose(file);
    return none_or_error(result);
}

static PyMethodDef methods[] = {
    VARARGS(pymarshal_write_long_to_file),
    VARARGS(pymarshal_write_object_to_file),
    VARARGS(pymarshal_read_short_from_file),
    VARARGS(pymarshal_read_long_from_file),
    VARARGS(pymarshal_read_object_from_file),
    VARARGS(pymarshal_read_last_object_from_file),
    VARARGS(run_stringflags),
    VARARGS(run_fileexflags),
    VARARGS(call_pyobject_print),
    VARARGS(pyobject_print_null),
    VARARGS(pyobject_print_noref_object),
    VARARGS(pyobject_print_os_error),
    {NULL},
};

int add_files(PyObject *module)
{
    return PyModule_AddFunctions(module, methods);
}
