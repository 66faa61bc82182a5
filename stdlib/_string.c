/* _string: the parser of str.format(), for string.Formatter. */
#include <Python.h>

#include "objects/format/format.h"
#include "_string.bind.h"

static PyObject *string_formatter_parser(PyObject *Py_UNUSED(module), PyObject *object)
{
    return template_parser(object);
}

static PyObject *string_formatter_field_name_split(PyObject *Py_UNUSED(module), PyObject *object)
{
    return template_field_name_split(object);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,       .m_name = "_string", .m_doc = string_doc,
    .m_methods = string_methods, .m_slots = slots,
};

PyMODINIT_FUNC PyInit__string(void)
{
    return PyModuleDef_Init(&definition);
}
