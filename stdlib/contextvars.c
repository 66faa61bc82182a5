/* The module _contextvars: a face for objects/context.c. */
#include "module.h"

#include "objects/context.h"

#include "contextvars.bind.h"

static PyObject *contextvars_copy_context(PyObject *Py_UNUSED(module))
{
    return PyContext_CopyCurrent();
}

static int contextvars_exec(PyObject *module)
{
    return context_init() < 0 || PyModule_AddType(module, &PyContext_Type) < 0
                   || PyModule_AddType(module, &PyContextVar_Type) < 0
                   || PyModule_AddType(module, &PyContextToken_Type) < 0
               ? -1
               : 0;
}

static PyModuleDef_Slot contextvars_slots[] = MODULE_SLOTS(contextvars_exec);

static PyModuleDef contextvars_module = {
    PyModuleDef_HEAD_INIT,        .m_name = "_contextvars",
    .m_doc = contextvars_doc,     .m_methods = contextvars_methods,
    .m_slots = contextvars_slots,
};

MODULE_INIT(_contextvars, contextvars_module)
