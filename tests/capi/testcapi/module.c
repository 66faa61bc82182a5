/* _testcapi: the C API for Python, part by part. Single-phase, since tests want to find the module by its
 * definition. */
#include "parts.h"

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "_testcapi", .m_size = -1,
};

PyMODINIT_FUNC PyInit__testcapi(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL) {
        return NULL;
    }
#ifdef Py_GIL_DISABLED
    PyUnstable_Module_SetGIL(module, Py_MOD_GIL_NOT_USED);
#endif
#define ADD_PART(name)            \
    if (add_##name(module) < 0) { \
        Py_DECREF(module);        \
        return NULL;              \
    }
    EACH_PART(ADD_PART)
    return module;
}
