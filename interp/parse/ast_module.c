/* _ast: the node types as a module. */

#include "parse.h"

static PyModuleDef_Slot ast_module_slots[] = {
    {Py_mod_exec, ast_types_add},
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
    {0, NULL},
};

static PyModuleDef ast_module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_ast",
    .m_slots = ast_module_slots,
};

PyMODINIT_FUNC PyInit__ast(void)
{
    return PyModuleDef_Init(&ast_module_definition);
}
