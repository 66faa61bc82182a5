/* The module pwd. */
#include "account.h"

#include <pwd.h>

struct users_state {
    PyObject *user_type;
};

#include "pwd.bind.h"

static PyStructSequence_Field user_fields[] = {
    {"pw_name", "user name"},      {"pw_passwd", "password"},
    {"pw_uid", "user id"},         {"pw_gid", "group id"},
    {"pw_gecos", "real name"},     {"pw_dir", "home directory"},
    {"pw_shell", "shell program"}, {NULL, NULL},
};

static PyStructSequence_Desc user_desc = {
    "pwd.struct_passwd",
    "An entry of the user database: a tuple\n"
    "(pw_name, pw_passwd, pw_uid, pw_gid, pw_gecos, pw_dir, pw_shell).",
    user_fields,
    7,
};

static PyObject *user_object(PyObject *module, const struct passwd *user)
{
    struct users_state *state = PyModule_GetState(module);
    PyObject *entry = PyStructSequence_New((PyTypeObject *)state->user_type);
    if (entry == NULL) {
        return NULL;
    }
    PyObject *items[] = {
        account_text(user->pw_name),         account_text(user->pw_passwd),
        account_number_object(user->pw_uid), account_number_object(user->pw_gid),
        account_text(user->pw_gecos),        account_text(user->pw_dir),
        account_text(user->pw_shell),
    };
    for (int i = 0; i < 7; i++) {
        PyStructSequence_SetItem(entry, i, items[i]);
    }
    if (PyErr_Occurred()) {
        Py_CLEAR(entry);
    }
    return entry;
}

static PyObject *users_getpwuid(PyObject *module, PyObject *uidobj)
{
    uint32_t uid;
    if (!account_number(uidobj, "uid", &uid)) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
            PyErr_SetString(PyExc_KeyError, "getpwuid(): uid not found");
        }
        return NULL;
    }
    struct passwd user, *found = NULL;
    char *buffer = NULL;
    size_t size = 0;
    int status;
    ACCOUNT_LOOKUP(getpwuid_r(uid, &user, buffer, size, &found), buffer, size, status);
    PyObject *entry = NULL;
    if (found != NULL) {
        entry = user_object(module, found);
    } else if (status == ENOMEM) {
        PyErr_NoMemory();
    } else {
        PyObject *number = account_number_object(uid);
        PyErr_Format(PyExc_KeyError, "getpwuid(): uid not found: %S", number);
        Py_XDECREF(number);
    }
    PyMem_RawFree(buffer);
    return entry;
}

static PyObject *users_getpwnam(PyObject *module, PyObject *name)
{
    PyObject *bytes = account_name(name);
    if (bytes == NULL) {
        return NULL;
    }
    struct passwd user, *found = NULL;
    char *buffer = NULL;
    size_t size = 0;
    int status;
    ACCOUNT_LOOKUP(getpwnam_r(PyBytes_AS_STRING(bytes), &user, buffer, size, &found), buffer, size,
                   status);
    PyObject *entry = NULL;
    if (found != NULL) {
        entry = user_object(module, found);
    } else if (status == ENOMEM) {
        PyErr_NoMemory();
    } else {
        PyErr_Format(PyExc_KeyError, "getpwnam(): name not found: %R", name);
    }
    Py_DECREF(bytes);
    PyMem_RawFree(buffer);
    return entry;
}

/* The process has one cursor over the database. */
static PyMutex cursor_mutex;

static PyObject *users_getpwall(PyObject *module)
{
    PyObject *list = PyList_New(0);
    if (list == NULL) {
        return NULL;
    }
    PyMutex_Lock(&cursor_mutex);
    setpwent();
    struct passwd *user;
    while (list != NULL && (user = getpwent()) != NULL) {
        PyObject *entry = user_object(module, user);
        if (entry == NULL || PyList_Append(list, entry) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(entry);
    }
    endpwent();
    PyMutex_Unlock(&cursor_mutex);
    return list;
}

static int users_exec(PyObject *module)
{
    struct users_state *state = PyModule_GetState(module);
    state->user_type = (PyObject *)PyStructSequence_NewType(&user_desc);
    return state->user_type ? PyModule_AddType(module, (PyTypeObject *)state->user_type) : -1;
}

STATE_OBJECTS(users)

static PyModuleDef_Slot users_slots[] = MODULE_SLOTS(users_exec);

static PyModuleDef users_module = {
    PyModuleDef_HEAD_INIT,      .m_name = "pwd",        .m_doc = users_doc,
    .m_methods = users_methods, .m_slots = users_slots, STATE_FIELDS(users),
};

MODULE_INIT(pwd, users_module)
