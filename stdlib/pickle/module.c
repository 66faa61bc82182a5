/* The module _pickle: dump(), dumps(), load(), loads() and the exceptions. */
#include "pickle.h"

#include "pickle.bind.h"

/* ---- functions ------------------------------------------------------------------------------ */

static int pickle_dump(PyObject *module, PyObject *object, PyObject *file, PyObject *protocol,
                       int fix_imports, PyObject *buffer_callback)
{
    struct pickler pickler = {.state = PyModule_GetState(module)};
    output_begin(&pickler.out, NULL, 0, false);
    int rc = pickler_set_options(&pickler, protocol, fix_imports, buffer_callback);
    if (rc == 0 && (pickler_set_file(&pickler, file) < 0 || pickler_write(&pickler, object) < 0)) {
        rc = -1;
    }
    pickler_release(&pickler);
    return rc;
}

static PyObject *pickle_dumps(PyObject *module, PyObject *object, PyObject *protocol,
                              int fix_imports, PyObject *buffer_callback)
{
    char scratch[512];
    struct pickler pickler = {.state = PyModule_GetState(module)};
    output_begin(&pickler.out, scratch, sizeof scratch, false);
    PyObject *bytes = NULL;
    if (pickler_set_options(&pickler, protocol, fix_imports, buffer_callback) == 0
        && pickler_write(&pickler, object) == 0) {
        bytes = output_take(&pickler.out);
    }
    pickler_release(&pickler);
    return bytes;
}

static PyObject *pickle_load(PyObject *module, PyObject *file, int fix_imports,
                             const char *encoding, const char *errors, PyObject *buffers)
{
    struct unpickler unpickler = {.state = PyModule_GetState(module)};
    PyObject *object = NULL;
    if (unpickler_set_file(&unpickler, file) == 0
        && unpickler_set_options(&unpickler, fix_imports, encoding, errors, buffers) == 0) {
        object = unpickler_run(&unpickler);
    }
    unpickler_release(&unpickler);
    return object;
}

static PyObject *pickle_loads(PyObject *module, PyObject *data, int fix_imports,
                              const char *encoding, const char *errors, PyObject *buffers)
{
    struct unpickler unpickler = {.state = PyModule_GetState(module)};
    Py_buffer view;
    PyObject *object = NULL;
    if (PyObject_GetBuffer(data, &view, PyBUF_CONTIG_RO) < 0) {
        return NULL;
    }
    unpickler.in = (struct input){.data = view.buf, .len = view.len, .state = unpickler.state};
    if (unpickler_set_options(&unpickler, fix_imports, encoding, errors, buffers) == 0) {
        object = unpickler_run(&unpickler);
    }
    unpickler_release(&unpickler);
    PyBuffer_Release(&view);
    return object;
}

/* ---- the module ----------------------------------------------------------------------------- */

static PyObject *import_table(const char *module_name, const char *name)
{
    PyObject *table = _PyImport_GetModuleAttrString(module_name, name);
    if (table != NULL && !PyDict_CheckExact(table)) {
        PyErr_Format(PyExc_RuntimeError, "%s.%s should be a dict, not %.200s", module_name, name,
                     Py_TYPE(table)->tp_name);
        Py_CLEAR(table);
    }
    return table;
}

static int add_exceptions(PyObject *module, struct pickle_state *state)
{
    state->pickle_error = PyErr_NewException("_pickle.PickleError", NULL, NULL);
    if (state->pickle_error == NULL) {
        return -1;
    }
    state->pickling_error = PyErr_NewException("_pickle.PicklingError", state->pickle_error, NULL);
    state->unpickling_error =
        PyErr_NewException("_pickle.UnpicklingError", state->pickle_error, NULL);
    return state->pickling_error == NULL || state->unpickling_error == NULL
                   || PyModule_AddObjectRef(module, "PickleError", state->pickle_error) < 0
                   || PyModule_AddObjectRef(module, "PicklingError", state->pickling_error) < 0
                   || PyModule_AddObjectRef(module, "UnpicklingError", state->unpickling_error) < 0
               ? -1
               : 0;
}

static int add_types(PyObject *module, struct pickle_state *state)
{
    state->pickler_type = (PyObject *)module_type(module, &pickler_spec, true);
    state->unpickler_type = (PyObject *)module_type(module, &unpickler_spec, true);
    state->pickler_memo_type = (PyObject *)module_type(module, &pickler_memo_spec, false);
    state->unpickler_memo_type = (PyObject *)module_type(module, &unpickler_memo_spec, false);
    return state->pickler_type && state->unpickler_type && state->pickler_memo_type
                   && state->unpickler_memo_type
               ? PyModule_AddType(module, &PyPickleBuffer_Type)
               : -1;
}

static int import_tables(struct pickle_state *state)
{
#define X(module, name)                                                                            \
    state->table_##name = import_table(#module, #name);                                            \
    if (state->table_##name == NULL) {                                                             \
        return -1;                                                                                 \
    }
    PICKLE_TABLES(X)
#undef X
#define X(name)                                                                                    \
    state->str_##name = PyUnicode_InternFromString(#name);                                         \
    if (state->str_##name == NULL) {                                                               \
        return -1;                                                                                 \
    }
    PICKLE_STRINGS(X)
#undef X
    state->codecs_encode = _PyImport_GetModuleAttrString("codecs", "encode");
    state->getattr = _PyImport_GetModuleAttrString("builtins", "getattr");
    state->partial = _PyImport_GetModuleAttrString("functools", "partial");
    return state->codecs_encode && state->getattr && state->partial ? 0 : -1;
}

static int pickle_exec(PyObject *module)
{
    struct pickle_state *state = PyModule_GetState(module);
    return add_exceptions(module, state) < 0 || add_types(module, state) < 0 ? -1
                                                                             : import_tables(state);
}

STATE_OBJECTS(pickle)

static PyModuleDef_Slot pickle_slots[] = MODULE_SLOTS(pickle_exec);

PyModuleDef pickle_module = {
    PyModuleDef_HEAD_INIT,       .m_name = "_pickle",     .m_doc = pickle_doc,
    .m_methods = pickle_methods, .m_slots = pickle_slots, STATE_FIELDS(pickle),
};

MODULE_INIT(_pickle, pickle_module)
