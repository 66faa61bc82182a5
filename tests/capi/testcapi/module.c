/* _testcapi: the C API for Python, part by part. Single-phase, since tests want to find the module by its
 * definition. */
#include "parts.h"
#include "no_gil.h"

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_testcapi",
    .m_size = -1,
};

PyMODINIT_FUNC PyInit__testcapi(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL) {
        return NULL;
    }
    module_needs_no_gil(module);
#define ADD_PART(name)                                                                             \
    if (add_##name(module) < 0) {                                                                  \
        Py_DECREF(module);                                                                         \
        return NULL;                                                                               \
    }
    EACH_PART(ADD_PART)
    return module;
}
