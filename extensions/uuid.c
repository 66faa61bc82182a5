/* The module _uuid, with libuuid. */
#include "stdlib/module.h"

#include <uuid/uuid.h>

#include "uuid.bind.h"

static PyObject *uuid_generate_time_safe_py(PyObject *Py_UNUSED(module))
{
    uuid_t number;
    int safe = uuid_generate_time_safe(number);
    return Py_BuildValue("y#i", (const char *)number, (Py_ssize_t)sizeof number, safe);
}

static int uuid_exec(PyObject *module)
{
    return PyModule_AddIntConstant(module, "has_uuid_generate_time_safe", 1);
}

static PyModuleDef_Slot uuid_slots[] = MODULE_SLOTS(uuid_exec);

static PyModuleDef uuid_module = {
    PyModuleDef_HEAD_INIT,     .m_name = "_uuid",     .m_doc = uuid_doc,
    .m_methods = uuid_methods, .m_slots = uuid_slots,
};

MODULE_INIT(_uuid, uuid_module)
