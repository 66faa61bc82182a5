/* The module grp. */
#include "account.h"

#include <grp.h>

struct groups_state {
    PyObject *group_type;
};

#include "grp.bind.h"

static PyStructSequence_Field group_fields[] = {
    {"gr_name", "group name"},
    {"gr_passwd", "password"},
    {"gr_gid", "group id"},
    {"gr_mem", "group members"},
    {NULL, NULL},
};

static PyStructSequence_Desc group_desc = {
    "grp.struct_group",
    "An entry of the group database: a tuple (gr_name, gr_passwd, gr_gid, gr_mem).",
    group_fields,
    4,
};

static PyObject *group_members(char **names)
{
    PyObject *list = PyList_New(0);
    for (; list != NULL && *names != NULL; names++) {
        PyObject *name = account_text(*names);
        if (name == NULL || PyList_Append(list, name) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(name);
    }
    return list;
}

static PyObject *group_object(PyObject *module, const struct group *group)
{
    struct groups_state *state = PyModule_GetState(module);
    PyObject *entry = PyStructSequence_New((PyTypeObject *)state->group_type);
    if (entry == NULL) {
        return NULL;
    }
    PyObject *items[] = {account_text(group->gr_name), account_text(group->gr_passwd),
                         account_number_object(group->gr_gid), group_members(group->gr_mem)};
    for (int i = 0; i < 4; i++) {
        PyStructSequence_SetItem(entry, i, items[i]);
    }
    if (PyErr_Occurred()) {
        Py_CLEAR(entry);
    }
    return entry;
}

static PyObject *groups_getgrgid(PyObject *module, PyObject *id)
{
    uint32_t gid;
    if (!account_number(id, "gid", &gid)) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
            PyErr_Clear();
            PyErr_Format(PyExc_KeyError, "getgrgid(): gid not found: %S", id);
        }
        return NULL;
    }
    struct group group, *found = NULL;
    char *buffer = NULL;
    size_t size = 0;
    int status;
    ACCOUNT_LOOKUP(getgrgid_r(gid, &group, buffer, size, &found), buffer, size, status);
    PyObject *entry = NULL;
    if (found != NULL) {
        entry = group_object(module, found);
    } else if (status == ENOMEM) {
        PyErr_NoMemory();
    } else {
        PyObject *number = account_number_object(gid);
        PyErr_Format(PyExc_KeyError, "getgrgid(): gid not found: %S", number);
        Py_XDECREF(number);
    }
    PyMem_RawFree(buffer);
    return entry;
}

static PyObject *groups_getgrnam(PyObject *module, PyObject *name)
{
    PyObject *bytes = account_name(name);
    if (bytes == NULL) {
        return NULL;
    }
    struct group group, *found = NULL;
    char *buffer = NULL;
    size_t size = 0;
    int status;
    ACCOUNT_LOOKUP(getgrnam_r(PyBytes_AS_STRING(bytes), &group, buffer, size, &found), buffer, size,
                   status);
    PyObject *entry = NULL;
    if (found != NULL) {
        entry = group_object(module, found);
    } else if (status == ENOMEM) {
        PyErr_NoMemory();
    } else {
        PyErr_Format(PyExc_KeyError, "getgrnam(): name not found: %R", name);
    }
    Py_DECREF(bytes);
    PyMem_RawFree(buffer);
    return entry;
}

/* The process has one cursor over the database. */
static PyMutex cursor_mutex;

static PyObject *groups_getgrall(PyObject *module)
{
    PyObject *list = PyList_New(0);
    if (list == NULL) {
        return NULL;
    }
    PyMutex_Lock(&cursor_mutex);
    setgrent();
    struct group *group;
    while (list != NULL && (group = getgrent()) != NULL) {
        PyObject *entry = group_object(module, group);
        if (entry == NULL || PyList_Append(list, entry) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(entry);
    }
    endgrent();
    PyMutex_Unlock(&cursor_mutex);
    return list;
}

static int groups_exec(PyObject *module)
{
    struct groups_state *state = PyModule_GetState(module);
    state->group_type = (PyObject *)PyStructSequence_NewType(&group_desc);
    return state->group_type ? PyModule_AddType(module, (PyTypeObject *)state->group_type) : -1;
}

STATE_OBJECTS(groups)

static PyModuleDef_Slot groups_slots[] = MODULE_SLOTS(groups_exec);

static PyModuleDef groups_module = {
    PyModuleDef_HEAD_INIT,       .m_name = "grp",         .m_doc = groups_doc,
    .m_methods = groups_methods, .m_slots = groups_slots, STATE_FIELDS(groups),
};

MODULE_INIT(grp, groups_module)
