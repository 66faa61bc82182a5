/* The module posix itself: its functions, types and the environment. */
#include "posix.h"

#include <sys/eventfd.h>
#include <sys/mman.h>

#include "posix.bind.h"

int directory_add_types(PyObject *module, struct posix_state *state);

#define FIELDS(...)                                                                                \
    (PyStructSequence_Field[])                                                                     \
    {                                                                                              \
        __VA_ARGS__,                                                                               \
        {                                                                                          \
            NULL, NULL                                                                             \
        }                                                                                          \
    }

static PyStructSequence_Desc terminal_desc = {
    "os.terminal_size",
    "The size of a terminal, in characters.",
    FIELDS({"columns", "characters in a line"}, {"lines", "lines on the screen"}),
    2,
};

static PyStructSequence_Desc times_desc = {
    "posix.times_result",
    "What times() returns, in seconds.",
    FIELDS({"user", "user time"}, {"system", "system time"},
           {"children_user", "user time of children"},
           {"children_system", "system time of children"},
           {"elapsed", "seconds on a clock of unknown start"}),
    5,
};

static PyStructSequence_Desc uname_desc = {
    "posix.uname_result",
    "What uname() returns.",
    FIELDS({"sysname", "operating system name"}, {"nodename", "the machine's name in its network"},
           {"release", "operating system release"}, {"version", "operating system version"},
           {"machine", "hardware identifier"}),
    5,
};

static PyStructSequence_Desc waitid_desc = {
    "posix.waitid_result",
    "What waitid() returns.",
    FIELDS({"si_pid", NULL}, {"si_uid", NULL}, {"si_signo", NULL}, {"si_status", NULL},
           {"si_code", NULL}),
    5,
};

static PyStructSequence_Desc sched_param_desc = {
    "posix.sched_param",
    sched_param_doc,
    FIELDS({"sched_priority", "the scheduling priority"}),
    1,
};

static PyObject *sched_param_new(PyTypeObject *type, PyObject *priority)
{
    PyObject *items[] = {Py_NewRef(priority)};
    return record_make((PyObject *)type, items, 1);
}

static PyObject *sched_param_reduce(PyObject *self, PyObject *Py_UNUSED(unused))
{
    return Py_BuildValue("(O(O))", Py_TYPE(self), PyStructSequence_GetItem(self, 0));
}

static PyMethodDef sched_param_reduce_def = {"__reduce__", sched_param_reduce, METH_NOARGS, NULL};

int posix_add_records(PyObject *module, struct posix_state *state)
{
    struct {
        const char *name;
        PyStructSequence_Desc *desc;
        PyObject **type;
    } records[] = {
        {"terminal_size", &terminal_desc, &state->terminal_size},
        {"times_result", &times_desc, &state->times_result},
        {"uname_result", &uname_desc, &state->uname_result},
        {"waitid_result", &waitid_desc, &state->waitid_result},
        {"sched_param", &sched_param_desc, &state->sched_param},
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(records); i++) {
        *records[i].type = (PyObject *)PyStructSequence_NewType(records[i].desc);
        if (PyModule_AddObjectRef(module, records[i].name, *records[i].type) < 0) {
            return -1;
        }
    }
    PyTypeObject *param = (PyTypeObject *)state->sched_param;
    param->tp_new = bind_sched_param_new;
    PyObject *reduce = PyDescr_NewMethod(param, &sched_param_reduce_def);
    int rc = reduce ? PyObject_SetAttrString(state->sched_param, "__reduce__", reduce) : -1;
    Py_XDECREF(reduce);
    return rc;
}

/* The environment as it was at the start: a dict of bytes; of two of a name the first counts. */
static PyObject *environ_dict(void)
{
    PyObject *dict = PyDict_New();
    for (char **at = environ; dict != NULL && at != NULL && *at != NULL; at++) {
        const char *sign = strchr(*at, '=');
        if (sign == NULL) {
            continue;
        }
        PyObject *name = PyBytes_FromStringAndSize(*at, sign - *at);
        PyObject *value = PyBytes_FromString(sign + 1);
        if (name == NULL || value == NULL || PyDict_SetDefaultRef(dict, name, value, NULL) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(name);
        Py_XDECREF(value);
    }
    return dict;
}

static int posix_exec(PyObject *module)
{
    struct posix_state *state = state_of(module);
    state->fork_before = PyList_New(0);
    state->fork_in_child = PyList_New(0);
    state->fork_in_parent = PyList_New(0);
    if (state->fork_before == NULL || state->fork_in_child == NULL || state->fork_in_parent == NULL
        || posix_add_types(module, state) < 0 || directory_add_types(module, state) < 0
        || posix_add_records(module, state) < 0 || posix_add_constants(module) < 0
        || PyModule_AddObjectRef(module, "error", PyExc_OSError) < 0) {
        return -1;
    }
    PyObject *variables = environ_dict();
    int rc = PyModule_AddObjectRef(module, "environ", variables);
    Py_XDECREF(variables);
    return rc;
}

STATE_OBJECTS(posix)

static PyModuleDef_Slot posix_slots[] = MODULE_SLOTS(posix_exec);

static PyModuleDef posix_module = {
    PyModuleDef_HEAD_INIT,   .m_name = "posix",      .m_doc = os_doc,
    .m_methods = os_methods, .m_slots = posix_slots, STATE_FIELDS(posix),
};

MODULE_INIT(posix, posix_module)
