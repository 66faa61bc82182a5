/* The module itertools. */
#include "itertools.h"

#include "itertools.bind.h"

static PyObject *itertools_tee_call(PyObject *module, PyObject *iterable, Py_ssize_t n)
{
    return itertools_tee(module, iterable, n);
}

/* The first ones in the order of the enum in itertools.h. */
static PyType_Spec *const itertools_specs[] = {
    &tee_spec,          &tee_data_spec,   &grouper_spec,      &chain_spec,
    &islice_spec,       &accumulate_spec, &batched_spec,      &compress_spec,
    &count_spec,        &cycle_spec,      &dropwhile_spec,    &filterfalse_spec,
    &pairwise_spec,     &repeat_spec,     &starmap_spec,      &takewhile_spec,
    &zip_longest_spec,  &groupby_spec,    &combinations_spec, &combinations_with_replacement_spec,
    &permutations_spec, &product_spec,
};

static int itertools_exec(PyObject *module)
{
    struct itertools_state *state = PyModule_GetState(module);
    for (size_t i = 0; i < Py_ARRAY_LENGTH(itertools_specs); i++) {
        state->types[i] = (PyObject *)module_type(module, itertools_specs[i], true);
        if (state->types[i] == NULL) {
            return -1;
        }
    }
    return 0;
}

STATE_OBJECTS(itertools)

static PyModuleDef_Slot itertools_slots[] = MODULE_SLOTS(itertools_exec);

PyModuleDef itertools_module = {
    PyModuleDef_HEAD_INIT,          .m_name = "itertools",      .m_doc = itertools_doc,
    .m_methods = itertools_methods, .m_slots = itertools_slots, STATE_FIELDS(itertools),
};

MODULE_INIT(itertools, itertools_module)
