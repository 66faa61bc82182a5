/* The module _sha2. */
#include "hash/hash.h"

enum { SHA224, SHA256, SHA384, SHA512, SHA2_COUNT };

struct sha2_state {
    PyObject *types[SHA2_COUNT];
};

static const struct {
    const char *type;
    const struct hash_algorithm *algorithm;
} sha2_kinds[SHA2_COUNT] = {
    [SHA224] = {"_sha2.SHA224Type", &hash_sha224},
    [SHA256] = {"_sha2.SHA256Type", &hash_sha256},
    [SHA384] = {"_sha2.SHA384Type", &hash_sha384},
    [SHA512] = {"_sha2.SHA512Type", &hash_sha512},
};

#include "sha2.bind.h"

static PyObject *sha2_new(PyObject *module, int kind, PyObject *data, PyObject *string)
{
    struct sha2_state *state = PyModule_GetState(module);
    return hash_new((PyTypeObject *)state->types[kind], sha2_kinds[kind].algorithm, data, string);
}

#define SHA2(name, kind)                                                                           \
    static PyObject *sha2_##name(PyObject *module, PyObject *data, int Py_UNUSED(usedforsecurity), \
                                 PyObject *string)                                                 \
    {                                                                                              \
        return sha2_new(module, kind, data, string);                                               \
    }

SHA2(sha224, SHA224)
SHA2(sha256, SHA256)
SHA2(sha384, SHA384)
SHA2(sha512, SHA512)

static int sha2_exec(PyObject *module)
{
    struct sha2_state *state = PyModule_GetState(module);
    for (int i = 0; i < SHA2_COUNT; i++) {
        PyType_Slot slots[] = {
            {Py_tp_dealloc, hash_dealloc},
            {Py_tp_methods, hash_methods_fixed},
            {Py_tp_getset, hash_getset_fixed},
            {0, NULL},
        };
        PyType_Spec spec = {
            sha2_kinds[i].type,
            sizeof(struct hash),
            0,
            Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
            slots,
        };
        state->types[i] = PyType_FromModuleAndSpec(module, &spec, NULL);
        if (state->types[i] == NULL
            || PyModule_AddType(module, (PyTypeObject *)state->types[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

STATE_OBJECTS(sha2)

static PyModuleDef_Slot sha2_slots[] = MODULE_SLOTS(sha2_exec);

static PyModuleDef sha2_module = {
    PyModuleDef_HEAD_INIT, .m_name = "_sha2",  .m_methods = sha2_methods,
    .m_slots = sha2_slots, STATE_FIELDS(sha2),
};

MODULE_INIT(_sha2, sha2_module)
