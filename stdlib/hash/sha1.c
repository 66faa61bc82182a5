/* The module _sha1. */
#include "hash/hash.h"

struct sha1_state {
    PyObject *type;
};

#include "sha1.bind.h"

static PyObject *sha1_sha1(PyObject *module, PyObject *data, int Py_UNUSED(usedforsecurity),
                           PyObject *string)
{
    struct sha1_state *state = PyModule_GetState(module);
    return hash_new((PyTypeObject *)state->type, &hash_sha1, data, string);
}

static int sha1_exec(PyObject *module)
{
    PyType_Slot slots[] = {
        {Py_tp_dealloc, hash_dealloc},
        {Py_tp_methods, hash_methods_fixed},
        {Py_tp_getset, hash_getset_fixed},
        {0, NULL},
    };
    PyType_Spec spec = {
        "_sha1.sha1",
        sizeof(struct hash),
        0,
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
        slots,
    };
    struct sha1_state *state = PyModule_GetState(module);
    state->type = PyType_FromModuleAndSpec(module, &spec, NULL);
    return PyModule_AddObjectRef(module, "SHA1Type", state->type);
}

STATE_OBJECTS(sha1)

static PyModuleDef_Slot sha1_slots[] = MODULE_SLOTS(sha1_exec);

static PyModuleDef sha1_module = {
    PyModuleDef_HEAD_INIT, .m_name = "_sha1",  .m_methods = sha1_methods,
    .m_slots = sha1_slots, STATE_FIELDS(sha1),
};

MODULE_INIT(_sha1, sha1_module)
