/* The module _md5. */
#include "hash/hash.h"

struct md5_state {
    PyObject *type;
};

#include "md5.bind.h"

static PyObject *md5_md5(PyObject *module, PyObject *data, int Py_UNUSED(usedforsecurity),
                         PyObject *string)
{
    struct md5_state *state = PyModule_GetState(module);
    return hash_new((PyTypeObject *)state->type, &hash_md5, data, string);
}

static int md5_exec(PyObject *module)
{
    PyType_Slot slots[] = {
        {Py_tp_dealloc, hash_dealloc},
        {Py_tp_methods, hash_methods_fixed},
        {Py_tp_getset, hash_getset_fixed},
        {0, NULL},
    };
    PyType_Spec spec = {
        "_md5.md5",
        sizeof(struct hash),
        0,
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
        slots,
    };
    struct md5_state *state = PyModule_GetState(module);
    state->type = PyType_FromModuleAndSpec(module, &spec, NULL);
    return PyModule_AddObjectRef(module, "MD5Type", state->type);
}

STATE_OBJECTS(md5)

static PyModuleDef_Slot md5_slots[] = MODULE_SLOTS(md5_exec);

static PyModuleDef md5_module = {
    PyModuleDef_HEAD_INIT, .m_name = "_md5",  .m_methods = md5_methods,
    .m_slots = md5_slots,  STATE_FIELDS(md5),
};

MODULE_INIT(_md5, md5_module)
