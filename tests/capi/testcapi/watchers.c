/* Watchers of dicts, types, code objects and functions. */
#include "parts.h"

/* ---- dicts ------------------------------------------------------------------------------------------- */

static struct {
    PyObject *list; /* owned; of the events so far */
    int watchers;
} dict_events, type_events;

static int dict_note(PyDict_WatchEvent event, PyObject *dict, PyObject *key, PyObject *value)
{
    PyObject *text = NULL;
    switch (event) {
    case PyDict_EVENT_ADDED:
        text = PyUnicode_FromFormat("new:%S:%S", key, value);
        break;
    case PyDict_EVENT_MODIFIED:
        text = PyUnicode_FromFormat("mod:%S:%S", key, value);
        break;
    case PyDict_EVENT_DELETED:
        text = PyUnicode_FromFormat("del:%S", key);
        break;
    case PyDict_EVENT_CLONED:
        text = PyUnicode_FromString("clone");
        break;
    case PyDict_EVENT_CLEARED:
        text = PyUnicode_FromString("clear");
        break;
    case PyDict_EVENT_DEALLOCATED:
        text = PyUnicode_FromString("dealloc");
        break;
    }
    int result = text == NULL ? -1 : PyList_Append(dict_events.list, text);
    Py_XDECREF(text);
    return result;
}

static int dict_second(PyDict_WatchEvent event, PyObject *dict, PyObject *key, PyObject *value)
{
    PyObject *text = PyUnicode_FromString("second");
    int result = text == NULL ? -1 : PyList_Append(dict_events.list, text);
    Py_XDECREF(text);
    return result;
}

static int dict_error(PyDict_WatchEvent event, PyObject *dict, PyObject *key, PyObject *value)
{
    PyErr_SetString(PyExc_RuntimeError, "boom!");
    return -1;
}

FUNCTION1(add_dict_watcher, kind)
{
    long number = PyLong_AsLong(kind);
    int id = PyDict_AddWatcher(number == 2 ? dict_second : number == 1 ? dict_error : dict_note);
    if (id < 0) {
        return NULL;
    }
    if (dict_events.watchers++ == 0) {
        Py_XSETREF(dict_events.list, PyList_New(0));
    }
    return PyLong_FromLong(id);
}

FUNCTION1(clear_dict_watcher, id)
{
    if (PyDict_ClearWatcher(PyLong_AsInt(id)) < 0) {
        return NULL;
    }
    if (--dict_events.watchers == 0) {
        Py_CLEAR(dict_events.list);
    }
    Py_RETURN_NONE;
}

FUNCTIONN(watch_dict)
{
    int id;
    PyObject *dict;
    return PyArg_ParseTuple(args, "iO", &id, &dict) ? none_or_error(PyDict_Watch(id, dict)) : NULL;
}

FUNCTIONN(unwatch_dict)
{
    int id;
    PyObject *dict;
    return PyArg_ParseTuple(args, "iO", &id, &dict) ? none_or_error(PyDict_Unwatch(id, dict))
                                                    : NULL;
}

static PyObject *events_of(PyObject *list)
{
    if (list == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "no watchers active");
        return NULL;
    }
    return Py_NewRef(list);
}

FUNCTION0(get_dict_watcher_events)
{
    return events_of(dict_events.list);
}

/* ---- types -------------------------------------------------------------------------------------------- */

static int type_note(PyTypeObject *type)
{
    return PyList_Append(type_events.list, (PyObject *)type);
}

static int type_wrap(PyTypeObject *type)
{
    PyObject *list = PyList_New(1);
    if (list == NULL) {
        return -1;
    }
    PyList_SET_ITEM(list, 0, Py_NewRef(type));
    int result = PyList_Append(type_events.list, list);
    Py_DECREF(list);
    return result;
}

static int type_error(PyTypeObject *type)
{
    PyErr_SetString(PyExc_RuntimeError, "boom!");
    return -1;
}

FUNCTION1(add_type_watcher, kind)
{
    long number = PyLong_AsLong(kind);
    int id = PyType_AddWatcher(number == 2 ? type_wrap : number == 1 ? type_error : type_note);
    if (id < 0) {
        return NULL;
    }
    if (type_events.watchers++ == 0) {
        Py_XSETREF(type_events.list, PyList_New(0));
    }
    return PyLong_FromLong(id);
}

FUNCTION1(clear_type_watcher, id)
{
    if (PyType_ClearWatcher(PyLong_AsInt(id)) < 0) {
        return NULL;
    }
    if (--type_events.watchers == 0) {
        Py_CLEAR(type_events.list);
    }
    Py_RETURN_NONE;
}

FUNCTIONN(watch_type)
{
    int id;
    PyObject *type;
    return PyArg_ParseTuple(args, "iO", &id, &type) ? none_or_error(PyType_Watch(id, type)) : NULL;
}

FUNCTIONN(unwatch_type)
{
    int id;
    PyObject *type;
    return PyArg_ParseTuple(args, "iO", &id, &type) ? none_or_error(PyType_Unwatch(id, type))
                                                    : NULL;
}

FUNCTION0(get_type_modified_events)
{
    return events_of(type_events.list);
}

/* ---- code objects ---------------------------------------------------------------------------------------- */

enum { CODE_KINDS = 2 };

static struct {
    int ids[CODE_KINDS], created[CODE_KINDS], destroyed[CODE_KINDS];
} code_events = {.ids = {-1, -1}};

static int code_count(int which, PyCodeEvent event)
{
    if (event == PY_CODE_EVENT_CREATE) {
        code_events.created[which]++;
    } else {
        code_events.destroyed[which]++;
    }
    return 0;
}

static int code_first(PyCodeEvent event, PyCodeObject *code)
{
    return code_count(0, event);
}

static int code_second(PyCodeEvent event, PyCodeObject *code)
{
    return code_count(1, event);
}

static int code_error(PyCodeEvent event, PyCodeObject *code)
{
    PyErr_SetString(PyExc_RuntimeError, "boom!");
    return -1;
}

static int code_ignore(PyCodeEvent event, PyCodeObject *code)
{
    return 0;
}

FUNCTION1(add_code_watcher, which)
{
    long number = PyLong_AsLong(which);
    int id = PyCode_AddWatcher(number == 0 ? code_first : number == 1 ? code_second : code_error);
    if (id < 0) {
        return NULL;
    }
    if (number < CODE_KINDS) {
        code_events.ids[number] = id;
        code_events.created[number] = code_events.destroyed[number] = 0;
    }
    return PyLong_FromLong(id);
}

FUNCTION1(clear_code_watcher, object)
{
    int id = PyLong_AsInt(object);
    if (PyCode_ClearWatcher(id) < 0) {
        return NULL;
    }
    for (int i = 0; i < CODE_KINDS; i++) {
        if (code_events.ids[i] == id) {
            code_events.ids[i] = -1;
            code_events.created[i] = code_events.destroyed[i] = 0;
        }
    }
    Py_RETURN_NONE;
}

FUNCTION1(get_code_watcher_num_created_events, which)
{
    return PyLong_FromLong(code_events.created[PyLong_AsLong(which)]);
}

FUNCTION1(get_code_watcher_num_destroyed_events, which)
{
    return PyLong_FromLong(code_events.destroyed[PyLong_AsLong(which)]);
}

/* Adds until there is no more room, and takes all away again. */
#define TOO_MANY(name, add, clear, callback)                                                       \
    FUNCTION0(name)                                                                                \
    {                                                                                              \
        int ids[16], count = 0;                                                                    \
        while (count < 16 && (ids[count] = add(callback)) >= 0) {                                  \
            count++;                                                                               \
        }                                                                                          \
        PyObject *raised = PyErr_GetRaisedException();                                             \
        while (count > 0) {                                                                        \
            clear(ids[--count]);                                                                   \
        }                                                                                          \
        if (raised == NULL) {                                                                      \
            Py_RETURN_NONE;                                                                        \
        }                                                                                          \
        PyErr_SetRaisedException(raised);                                                          \
        return NULL;                                                                               \
    }

TOO_MANY(allocate_too_many_code_watchers, PyCode_AddWatcher, PyCode_ClearWatcher, code_ignore)

/* ---- functions ------------------------------------------------------------------------------------------- */

enum { FUNCTION_WATCHERS = 2 };

static struct {
    int id;
    PyObject *callback; /* owned, or NULL */
} function_watchers[FUNCTION_WATCHERS] = {{-1, NULL}, {-1, NULL}};

static int function_call(int which, PyFunction_WatchEvent event, PyFunctionObject *function,
                         PyObject *value)
{
    PyObject *callback = function_watchers[which].callback;
    if (callback == NULL) {
        return 0;
    }
    /* A dying function cannot be given to Python code. */
    PyObject *what =
        event == PyFunction_EVENT_DESTROY ? PyLong_FromVoidPtr(function) : Py_NewRef(function);
    PyObject *result = what == NULL ? NULL
                                    : PyObject_CallFunction(callback, "iOO", event, what,
                                                            value == NULL ? Py_None : value);
    Py_XDECREF(what);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

static int function_first(PyFunction_WatchEvent event, PyFunctionObject *function, PyObject *value)
{
    return function_call(0, event, function, value);
}

static int function_second(PyFunction_WatchEvent event, PyFunctionObject *function, PyObject *value)
{
    return function_call(1, event, function, value);
}

static int function_ignore(PyFunction_WatchEvent event, PyFunctionObject *function, PyObject *value)
{
    return 0;
}

FUNCTION1(add_func_watcher, callback)
{
    if (!PyFunction_Check(callback)) {
        PyErr_SetString(PyExc_TypeError, "'func' must be a function");
        return NULL;
    }
    for (int i = 0; i < FUNCTION_WATCHERS; i++) {
        if (function_watchers[i].callback == NULL) {
            int id = PyFunction_AddWatcher(i == 0 ? function_first : function_second);
            if (id < 0) {
                return NULL;
            }
            function_watchers[i].id = id;
            function_watchers[i].callback = Py_NewRef(callback);
            return PyLong_FromLong(id);
        }
    }
    PyErr_SetString(PyExc_RuntimeError, "no free watchers");
    return NULL;
}

FUNCTION1(clear_func_watcher, object)
{
    int id = PyLong_AsInt(object);
    if (PyFunction_ClearWatcher(id) < 0) {
        return NULL;
    }
    for (int i = 0; i < FUNCTION_WATCHERS; i++) {
        if (function_watchers[i].id == id) {
            function_watchers[i].id = -1;
            Py_CLEAR(function_watchers[i].callback);
        }
    }
    Py_RETURN_NONE;
}

TOO_MANY(allocate_too_many_func_watchers, PyFunction_AddWatcher, PyFunction_ClearWatcher,
         function_ignore)

FUNCTIONN(set_func_defaults_via_capi)
{
    PyObject *function, *defaults;
    return PyArg_ParseTuple(args, "OO", &function, &defaults)
               ? none_or_error(PyFunction_SetDefaults(function, defaults))
               : NULL;
}

FUNCTIONN(set_func_kwdefaults_via_capi)
{
    PyObject *function, *defaults;
    return PyArg_ParseTuple(args, "OO", &function, &defaults)
               ? none_or_error(PyFunction_SetKwDefaults(function, defaults))
               : NULL;
}

static PyMethodDef methods[] = {
    ONE(add_dict_watcher),
    ONE(clear_dict_watcher),
    VARARGS(watch_dict),
    VARARGS(unwatch_dict),
    NOARGS(get_dict_watcher_events),
    ONE(add_type_watcher),
    ONE(clear_type_watcher),
    VARARGS(watch_type),
    VARARGS(unwatch_type),
    NOARGS(get_type_modified_events),
    ONE(add_code_watcher),
    ONE(clear_code_watcher),
    ONE(get_code_watcher_num_created_events),
    ONE(get_code_watcher_num_destroyed_events),
    NOARGS(allocate_too_many_code_watchers),
    ONE(add_func_watcher),
    ONE(clear_func_watcher),
    NOARGS(allocate_too_many_func_watchers),
    VARARGS(set_func_defaults_via_capi),
    VARARGS(set_func_kwdefaults_via_capi),
    {NULL},
};

int add_watchers(PyObject *module)
{
    static const struct {
        const char *name;
        int value;
    } events[] = {
        {"PYFUNC_EVENT_CREATE", PyFunction_EVENT_CREATE},
        {"PYFUNC_EVENT_DESTROY", PyFunction_EVENT_DESTROY},
        {"PYFUNC_EVENT_MODIFY_CODE", PyFunction_EVENT_MODIFY_CODE},
        {"PYFUNC_EVENT_MODIFY_DEFAULTS", PyFunction_EVENT_MODIFY_DEFAULTS},
        {"PYFUNC_EVENT_MODIFY_KWDEFAULTS", PyFunction_EVENT_MODIFY_KWDEFAULTS},
    };
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (PyModule_AddIntConstant(module, events[i].name, events[i].value) < 0) {
            return -1;
        }
    }
    return PyModule_AddFunctions(module, methods);
}
