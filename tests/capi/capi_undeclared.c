/* An extension that says nothing of the global lock, as most that are older than the free-threaded builds. */
#include "Python.h"

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "capi_undeclared",
};

PyMODINIT_FUNC PyInit_capi_undeclared(void)
{
    return PyModuleDef_Init(&definition);
}
