/* The module _elementtree. */
#include "optional/etree/etree.h"

static int etree_exec(PyObject *module)
{
    struct etree_state *state = PyModule_GetState(module);
    PyObject *copy = PyImport_ImportModule("copy");
    state->deepcopy = copy ? PyObject_GetAttrString(copy, "deepcopy") : NULL;
    Py_XDECREF(copy);
    state->paths = state->deepcopy ? PyImport_ImportModule("xml.etree.ElementPath") : NULL;
    state->parse_error = state->paths ? PyErr_NewException("xml.etree.ElementTree.ParseError",
                                                           PyExc_SyntaxError, NULL)
                                      : NULL;
    if (state->parse_error == NULL
        || PyModule_AddObjectRef(module, "ParseError", state->parse_error) < 0
        || element_setup(state, module) < 0 || builder_setup(state, module) < 0) {
        return -1;
    }
    return xmlparser_setup(state, module);
}

STATE_OBJECTS(etree)

static PyModuleDef_Slot etree_slots[] = MODULE_SLOTS(etree_exec);

PyModuleDef etree_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_elementtree",
    .m_doc = PyDoc_STR("The inner part of xml.etree.ElementTree."),
    .m_slots = etree_slots,
    STATE_FIELDS(etree),
};

MODULE_INIT(_elementtree, etree_definition)
