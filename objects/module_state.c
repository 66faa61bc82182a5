/* Single-phase modules found by their definition: PyState_*. */
#include "objects/module.h"

#include "objects/error.h"

/* This interpreter's list, by m_index; None where there is no module. Borrowed, or NULL. */
static PyObject *modules(void)
{
    return object_interp_self()->modules_by_index;
}

PyObject *PyState_FindModule(PyModuleDef *def)
{
    PyObject *list = modules();
    Py_ssize_t index = def->m_base.m_index;
    if (def->m_slots != NULL || index == 0 || list == NULL || index >= PyList_GET_SIZE(list)) {
        return NULL;
    }
    PyObject *module = PyList_GET_ITEM(list, index);
    return module == Py_None ? NULL : module;
}

static int set_module(Py_ssize_t index, PyObject *module)
{
    struct object_interp *interp = object_interp_self();
    if (interp->modules_by_index == NULL) {
        interp->modules_by_index = PyList_New(0);
        if (interp->modules_by_index == NULL) {
            return -1;
        }
    }
    PyObject *list = interp->modules_by_index;
    while (PyList_GET_SIZE(list) <= index) {
        if (PyList_Append(list, Py_None) < 0) {
            return -1;
        }
    }
    return PyList_SetItem(list, index, Py_NewRef(module));
}

int PyState_AddModule(PyObject *module, PyModuleDef *def)
{
    if (def == NULL) {
        Py_FatalError("module definition is NULL");
    }
    if (def->m_slots != NULL) {
        PyErr_SetString(PyExc_SystemError, "PyState_AddModule called on module with slots");
        return -1;
    }
    return set_module(def->m_base.m_index, module);
}

PyAPI_FUNC(int) _PyState_AddModule(PyThreadState *ts, PyObject *module, PyModuleDef *def);
int _PyState_AddModule(PyThreadState *Py_UNUSED(ts), PyObject *module, PyModuleDef *def)
{
    return PyState_AddModule(module, def);
}

int PyState_RemoveModule(PyModuleDef *def)
{
    if (def->m_slots != NULL) {
        PyErr_SetString(PyExc_SystemError, "PyState_RemoveModule called on module with slots");
        return -1;
    }
    PyObject *list = modules();
    Py_ssize_t index = def->m_base.m_index;
    if (index == 0 || list == NULL || index >= PyList_GET_SIZE(list)) {
        Py_FatalError("Module index invalid or out of bounds.");
    }
    return PyList_SetItem(list, index, Py_NewRef(Py_None));
}
