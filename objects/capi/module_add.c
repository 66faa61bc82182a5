/* PyModule_Add*: putting values into a module. */
#include "objects/capi/capi.h"

#include <string.h>

/* Does not steal. */
int PyModule_AddObjectRef(PyObject *module, const char *name, PyObject *value)
{
    if (!PyModule_Check(module)) {
        PyErr_SetString(PyExc_TypeError, "PyModule_AddObjectRef() first argument must be a module");
        return -1;
    }
    if (!value) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_SystemError, "PyModule_AddObjectRef() must be called with an "
                                               "exception raised if value is NULL");
        }
        return -1;
    }
    PyObject *dict = PyModule_GetDict(module);
    if (!dict) {
        PyErr_Format(PyExc_SystemError, "module '%s' has no __dict__", PyModule_GetName(module));
        return -1;
    }
    return PyDict_SetItemString(dict, name, value);
}

/* Steals, also on failure. */
int PyModule_Add(PyObject *module, const char *name, PyObject *value)
{
    int status = PyModule_AddObjectRef(module, name, value);
    Py_XDECREF(value);
    return status;
}

/* Steals on success only. */
int PyModule_AddObject(PyObject *module, const char *name, PyObject *value)
{
    int status = PyModule_AddObjectRef(module, name, value);
    if (status == 0) {
        Py_DECREF(value);
    }
    return status;
}

int PyModule_AddIntConstant(PyObject *module, const char *name, long value)
{
    return PyModule_Add(module, name, PyLong_FromLong(value));
}

int PyModule_AddStringConstant(PyObject *module, const char *name, const char *value)
{
    return PyModule_Add(module, name, PyUnicode_FromString(value));
}

int PyModule_AddType(PyObject *module, PyTypeObject *type)
{
    if (!PyType_HasFeature(type, Py_TPFLAGS_READY) && PyType_Ready(type) < 0) {
        return -1;
    }
    const char *dot = strrchr(type->tp_name, '.');
    return PyModule_AddObjectRef(module, dot ? dot + 1 : type->tp_name, (PyObject *)type);
}
