/*
 * The module sys.monitoring.
 */
#include "interp/monitoring.h"

#include "monitoring.bind.h"

enum { USER_TOOLS = 6 };

static int check_tool(int tool)
{
    if (tool >= 0 && tool < USER_TOOLS) {
        return 0;
    }
    PyErr_Format(PyExc_ValueError, "invalid tool %d (must be between 0 and 5)", tool);
    return -1;
}

/* Who uses the tool: new reference, or NULL. */
static PyObject *tool_name(int tool)
{
    mutex_lock(&monitoring.lock);
    PyObject *name = Py_XNewRef(monitoring.names[tool]);
    mutex_unlock(&monitoring.lock);
    return name;
}

static int check_used(int tool)
{
    if (check_tool(tool) < 0) {
        return -1;
    }
    PyObject *name = tool_name(tool);
    Py_XDECREF(name);
    if (name == NULL) {
        PyErr_Format(PyExc_ValueError, "tool %d is not in use", tool);
        return -1;
    }
    return 0;
}

static int monitoring_use_tool_id(PyObject *module, int tool, PyObject *name)
{
    (void)module;
    if (check_tool(tool) < 0) {
        return -1;
    }
    if (!PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_ValueError, "tool name must be a str");
        return -1;
    }
    mutex_lock(&monitoring.lock);
    bool used = monitoring.names[tool] != NULL;
    if (!used) {
        monitoring.names[tool] = Py_NewRef(name);
    }
    mutex_unlock(&monitoring.lock);
    if (used) {
        PyErr_Format(PyExc_ValueError, "tool %d is already in use", tool);
        return -1;
    }
    return 0;
}

static int monitoring_free_tool_id(PyObject *module, int tool)
{
    (void)module;
    if (check_tool(tool) < 0) {
        return -1;
    }
    mutex_lock(&monitoring.lock);
    PyObject *name = monitoring.names[tool];
    monitoring.names[tool] = NULL;
    mutex_unlock(&monitoring.lock);
    if (name == NULL) {
        return 0;
    }
    Py_DECREF(name);
    for (int e = 0; e < EVENTS; e++) {
        Py_XDECREF(monitoring_swap_callback(tool, e, NULL));
    }
    return monitoring_set_events(tool, 0);
}

static PyObject *monitoring_get_tool(PyObject *module, int tool)
{
    (void)module;
    if (check_tool(tool) < 0) {
        return NULL;
    }
    PyObject *name = tool_name(tool);
    return name ? name : Py_NewRef(Py_None);
}

static PyObject *monitoring_register_callback(PyObject *module, int tool, int event, PyObject *func)
{
    (void)module;
    if (check_tool(tool) < 0) {
        return NULL;
    }
    int id = event > 0 ? __builtin_ctz((unsigned)event) : -1;
    if (event <= 0 || (event & (event - 1)) != 0) {
        PyErr_SetString(PyExc_ValueError, "The callback can only be set for one event at a time");
        return NULL;
    }
    if (id >= EVENTS) {
        PyErr_Format(PyExc_ValueError, "invalid event %d", event);
        return NULL;
    }
    if (PySys_Audit("sys.monitoring.register_callback", "O", func) < 0) {
        return NULL;
    }
    PyObject *old = monitoring_swap_callback(tool, id, Py_IsNone(func) ? NULL : Py_NewRef(func));
    return old ? old : Py_NewRef(Py_None);
}

static PyObject *monitoring_get_events(PyObject *module, int tool)
{
    (void)module;
    return check_tool(tool) < 0
               ? NULL
               : PyLong_FromUnsignedLong(field_load(&monitoring.events[tool]) & ~C_EVENTS);
}

static int normalise(int events, uint32_t *result)
{
    if (events < 0 || events >= 1 << EVENTS) {
        PyErr_Format(PyExc_ValueError, "invalid event set 0x%x", events);
        return -1;
    }
    uint32_t set = (uint32_t)events;
    if (set & C_EVENTS) {
        if (!(set & EVENT_BIT(CALL))) {
            PyErr_SetString(PyExc_ValueError,
                            "cannot set C_RETURN or C_RAISE events independently");
            return -1;
        }
        set &= ~C_EVENTS;
    }
    *result = set;
    return 0;
}

/* Inside, CALL brings the C events with it. */
static uint32_t with_c_events(uint32_t set)
{
    return set & EVENT_BIT(CALL) ? set | C_EVENTS : set;
}

static int monitoring_set_events_method(PyObject *module, int tool, int events)
{
    uint32_t set;
    (void)module;
    if (check_tool(tool) < 0 || normalise(events, &set) < 0 || check_used(tool) < 0) {
        return -1;
    }
    return monitoring_set_events(tool, with_c_events(set));
}

static PyObject *monitoring_get_local_events(PyObject *module, int tool, PyObject *code)
{
    (void)module;
    if (!PyCode_Check(code)) {
        PyErr_SetString(PyExc_TypeError, "code must be a code object");
        return NULL;
    }
    if (check_tool(tool) < 0) {
        return NULL;
    }
    return PyLong_FromUnsignedLong(monitoring_local((PyCodeObject *)code, tool) & ~C_EVENTS);
}

static int monitoring_set_local_events(PyObject *module, int tool, PyObject *code, int events)
{
    uint32_t set;
    (void)module;
    if (!PyCode_Check(code)) {
        PyErr_SetString(PyExc_TypeError, "code must be a code object");
        return -1;
    }
    if (check_used(tool) < 0 || normalise(events, &set) < 0) {
        return -1;
    }
    if (set >> LOCAL_EVENTS) {
        PyErr_Format(PyExc_ValueError, "invalid local event set 0x%x", events);
        return -1;
    }
    return monitoring_set_local((PyCodeObject *)code, tool, with_c_events(set));
}

static int monitoring_restart_events(PyObject *module)
{
    (void)module;
    return monitoring_restart();
}

static PyObject *monitoring_all_events(PyObject *module)
{
    (void)module;
    PyObject *dict = PyDict_New();
    for (int e = 0; dict && e < EVENTS; e++) {
        uint8_t listening = field_load(&monitoring.listening[e]);
        if (listening) {
            PyObject *tools = PyLong_FromLong(listening);
            if (tools == NULL || PyDict_SetItemString(dict, monitoring_event_names[e], tools) < 0) {
                Py_CLEAR(dict);
            }
            Py_XDECREF(tools);
        }
    }
    return dict;
}

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "sys.monitoring",
    .m_size = -1,
    .m_methods = monitoring_methods,
};

static PyObject *events_namespace(void)
{
    PyObject *dict = PyDict_New();
    for (int e = 0; dict && e < EVENTS; e++) {
        PyObject *bit = PyLong_FromLong(1l << e);
        if (bit == NULL || PyDict_SetItemString(dict, monitoring_event_names[e], bit) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(bit);
    }
    PyObject *zero = dict ? PyLong_FromLong(0) : NULL;
    if (zero == NULL || PyDict_SetItemString(dict, "NO_EVENTS", zero) < 0) {
        Py_CLEAR(dict);
    }
    Py_XDECREF(zero);
    return dict;
}

PyObject *monitoring_module(void)
{
    if (monitoring_init(NULL) < 0) {
        return NULL;
    }
    PyObject *module = PyModule_Create(&module_definition);
    PyObject *dict = module ? events_namespace() : NULL;
    PyObject *events = dict ? _PyNamespace_New(dict) : NULL;
    Py_XDECREF(dict);
    if (events == NULL || PyModule_Add(module, "events", events) < 0
        || PyModule_AddObjectRef(module, "DISABLE", monitoring.disable) < 0
        || PyModule_AddObjectRef(module, "MISSING", monitoring.missing) < 0
        || PyModule_AddIntConstant(module, "DEBUGGER_ID", 0) < 0
        || PyModule_AddIntConstant(module, "COVERAGE_ID", 1) < 0
        || PyModule_AddIntConstant(module, "PROFILER_ID", 2) < 0
        || PyModule_AddIntConstant(module, "OPTIMIZER_ID", 5) < 0) {
        Py_CLEAR(module);
    }
    return module;
}
