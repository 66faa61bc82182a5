/* The module _weakref: a face for objects/weakref.c. */
#include "module.h"

#include "objects/weakref.h"

#include "weakref_module.bind.h"

static Py_ssize_t weakref_module_count(PyObject *Py_UNUSED(module), PyObject *object)
{
    return weakref_count(object);
}

static PyObject *weakref_module_list(PyObject *Py_UNUSED(module), PyObject *object)
{
    return weakref_list(object);
}

static PyObject *weakref_module_proxy(PyObject *Py_UNUSED(module), PyObject *object,
                                      PyObject *callback)
{
    return PyWeakref_NewProxy(object, callback);
}

static int remove_locked(PyObject *dict, PyObject *key)
{
    PyObject *value;
    if (PyDict_GetItemRef(dict, key, &value) <= 0) {
        return PyErr_Occurred() ? -1 : 0;
    }
    int rc = 0;
    if (!PyWeakref_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "not a weakref");
        rc = -1;
    } else if (weakref_is_dead(value)) {
        rc = PyDict_Pop(dict, key, NULL) < 0 ? -1 : 0;
    }
    Py_DECREF(value);
    return rc;
}

static int weakref_module_remove_dead(PyObject *Py_UNUSED(module), PyObject *dict, PyObject *key)
{
    return LOCKED(dict, remove_locked(dict, key));
}

static int weakref_module_exec(PyObject *module)
{
    const struct {
        const char *name;
        PyTypeObject *type;
    } types[] = {
        {"ref", &_PyWeakref_RefType},
        {"ReferenceType", &_PyWeakref_RefType},
        {"ProxyType", &_PyWeakref_ProxyType},
        {"CallableProxyType", &_PyWeakref_CallableProxyType},
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        if (PyModule_AddObjectRef(module, types[i].name, (PyObject *)types[i].type) < 0) {
            return -1;
        }
    }
    return 0;
}

static PyModuleDef_Slot weakref_module_slots[] = MODULE_SLOTS(weakref_module_exec);

static PyModuleDef weakref_module_def = {
    PyModuleDef_HEAD_INIT,           .m_name = "_weakref",
    .m_doc = weakref_module_doc,     .m_methods = weakref_module_methods,
    .m_slots = weakref_module_slots,
};

MODULE_INIT(_weakref, weakref_module_def)
