/* An extension module as its author would write it, with the public headers alone. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject *spam_count(PyObject *Py_UNUSED(module), PyObject *argument)
{
    Py_ssize_t length = PyObject_Length(argument);
    return length < 0 ? NULL : PyLong_FromSsize_t(length + 1);
}

static PyMethodDef spam_methods[] = {
    {"count", spam_count, METH_O, "One more than the length of its argument."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot spam_slots[] = {
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
    {0, NULL},
};

static struct PyModuleDef spam_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "spam",
    .m_methods = spam_methods,
    .m_slots = spam_slots,
};

PyMODINIT_FUNC PyInit_spam(void)
{
    return PyModuleDef_Init(&spam_module);
}
