/* The module _sysconfig. */
#include "module.h"

#include "locking/lock.h"

#include "sysconfig_module.bind.h"

static PyObject *sysconfig_module_config_vars(PyObject *Py_UNUSED(module))
{
    return Py_BuildValue("{si}", "Py_GIL_DISABLED", lock_threads_run_together());
}

static PyModuleDef_Slot sysconfig_module_slots[] = MODULE_SLOTS_PLAIN;

static PyModuleDef sysconfig_module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_sysconfig",
    .m_doc = sysconfig_module_doc,
    .m_methods = sysconfig_module_methods,
    .m_slots = sysconfig_module_slots,
};

MODULE_INIT(_sysconfig, sysconfig_module_def)
