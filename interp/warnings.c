/* Warnings: the `_warnings` module and the PyErr_Warn* functions.
 *
 * Filters, the default action and the registry of warnings shown once are those of the `warnings`
 * module once it is imported (programs replace them there), and this module's own before. */

#include "interp/state.h"
#include "objects/error.h"

#include "warnings.bind.h"

/* ---- state ------------------------------------------------------------------------------------------- */

/* warnings.NAME: new reference; NULL without an exception when there is none, or the module is not there
 * (it is imported only if asked for). */
static PyObject *warnings_attribute(PyObject *name, bool import)
{
    PyObject *module;
    if (import && !Py_IsFinalizing()) {
        module = PyImport_ImportModule("warnings");
    } else {
        PyObject *text = PyUnicode_InternFromString("warnings");
        module = text == NULL ? NULL : PyImport_GetModule(text);
        Py_XDECREF(text);
    }
    if (module == NULL) {
        if (PyErr_ExceptionMatches(PyExc_ImportError)) {
            PyErr_Clear();
        }
        return NULL;
    }
    PyObject *value;
    PyObject_GetOptionalAttr(module, name, &value);
    Py_DECREF(module);
    if (value == Py_None && Py_IsFinalizing()) {
        Py_CLEAR(value); /* the module has been emptied */
    }
    return value;
}

/* The list of filters: the warnings module's, or ours (new reference). */
static PyObject *current_filters(struct main_interp *interp)
{
    PyObject *filters = warnings_attribute(ID(filters), false);
    if (filters == NULL) {
        return PyErr_Occurred() ? NULL : Py_NewRef(interp->warning_filters);
    }
    if (!PyList_Check(filters)) {
        raise_value("_warnings.filters must be a list");
        Py_DECREF(filters);
        return NULL;
    }
    if (filters != interp->warning_filters) {
        /* They stay in force when the module loses them. */
        Py_XSETREF(interp->warning_filters, Py_NewRef(filters));
    }
    return filters;
}

/* ---- filters ---------------------------------------------------------------------------------------------- */

/* Does a filter's pattern (None, str or compiled) fit? */
static int pattern_matches(PyObject *pattern, PyObject *text)
{
    if (pattern == Py_None) {
        return 1;
    }
    if (PyUnicode_CheckExact(pattern)) {
        int order = PyUnicode_Compare(pattern, text);
        return order == -1 && PyErr_Occurred() ? -1 : order == 0;
    }
    PyObject *match = PyObject_CallMethodOneArg(pattern, ID(match), text);
    if (match == NULL) {
        return -1;
    }
    int matched = PyObject_IsTrue(match);
    Py_DECREF(match);
    return matched;
}

struct warning {
    PyObject *message, *text, *category, *filename, *module, *registry, *source; /* borrowed */
    int lineno;
};

static int filter_matches(PyObject *filter, const struct warning *w)
{
    int line = PyLong_AsInt(PyTuple_GET_ITEM(filter, 4));
    if (line == -1 && PyErr_Occurred()) {
        return -1;
    }
    int matched = pattern_matches(PyTuple_GET_ITEM(filter, 1), w->text);
    if (matched > 0) {
        matched = PyObject_IsSubclass(w->category, PyTuple_GET_ITEM(filter, 2));
    }
    if (matched > 0) {
        matched = pattern_matches(PyTuple_GET_ITEM(filter, 3), w->module);
    }
    return matched > 0 ? line == 0 || line == w->lineno : matched;
}

/* The action for a warning (new reference). */
static PyObject *find_action(struct main_interp *interp, const struct warning *w)
{
    PyObject *filters = current_filters(interp), *action = NULL;
    if (filters == NULL) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(filters) && action == NULL; i++) {
        PyObject *filter = PyList_GetItemRef(filters, i);
        if (filter == NULL) {
            break;
        }
        if (!PyTuple_Check(filter) || PyTuple_GET_SIZE(filter) != 5) {
            raise_value("_warnings.filters item %zd isn't a 5-tuple", i);
            Py_DECREF(filter);
            Py_DECREF(filters);
            return NULL;
        }
        int matched = filter_matches(filter, w);
        if (matched > 0) {
            action = Py_NewRef(PyTuple_GET_ITEM(filter, 0));
        }
        Py_DECREF(filter);
        if (matched < 0) {
            Py_DECREF(filters);
            return NULL;
        }
    }
    Py_DECREF(filters);
    if (action == NULL && !PyErr_Occurred()) {
        action = warnings_attribute(ID(defaultaction), false);
        if (action == NULL && !PyErr_Occurred()) {
            action = Py_NewRef(interp->warning_default_action);
        }
        if (action != NULL && !PyUnicode_Check(action)) {
            raise_type("_warnings.defaultaction must be a string, not '%.200s'",
                       Py_TYPE(action)->tp_name);
            Py_CLEAR(action);
        }
    }
    return action;
}

/* Was `key` shown before, by this registry? Remembers it if asked to. 1, 0 or -1. */
static int already_warned(struct main_interp *interp, PyObject *registry, PyObject *key,
                          bool remember)
{
    PyObject *version = PyDict_GetItemWithError(registry, ID(version));
    if (version == NULL && PyErr_Occurred()) {
        return -1;
    }
    if (version == NULL || !PyLong_CheckExact(version)
        || PyLong_AsLong(version) != interp->warning_filters_version) {
        PyDict_Clear(registry);
        version = PyLong_FromLong(interp->warning_filters_version);
        int stored = version == NULL ? -1 : PyDict_SetItem(registry, ID(version), version);
        Py_XDECREF(version);
        if (stored < 0) {
            return -1;
        }
    } else {
        PyObject *known = PyDict_GetItemWithError(registry, key);
        if (known != NULL) {
            int truth = PyObject_IsTrue(known);
            if (truth != 0) {
                return truth;
            }
        } else if (PyErr_Occurred()) {
            return -1;
        }
    }
    return remember ? PyDict_SetItem(registry, key, Py_True) : 0;
}

/* ---- showing --------------------------------------------------------------------------------------------------- */

/* Without the warnings module: the essentials. */
static void show_plain(const struct warning *w)
{
    PyObject *name = PyObject_GetAttr(w->category, ID(__name__));
    PyObject *err = name == NULL ? NULL : sys_get(ID(stderr));
    if (err != NULL && err != Py_None) {
        PyObject *line =
            PyUnicode_FromFormat("%U:%d: %U: %U\n", w->filename, w->lineno, name, w->text);
        if (line != NULL) {
            PyFile_WriteObject(line, err, Py_PRINT_RAW);
            Py_DECREF(line);
        }
    }
    Py_XDECREF(err);
    Py_XDECREF(name);
    PyErr_Clear();
}

static int show(const struct warning *w)
{
    PyObject *function = warnings_attribute(ID(_showwarnmsg), w->source != NULL);
    if (function == NULL) {
        if (PyErr_Occurred()) {
            return -1;
        }
        show_plain(w);
        return 0;
    }
    PyObject *class = warnings_attribute(ID(WarningMessage), false);
    PyObject *line = PyLong_FromLong(w->lineno), *result = NULL;
    if (class == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_RuntimeError, "unable to get warnings.WarningMessage");
        }
    } else if (line != NULL) {
        PyObject *message = PyObject_CallFunctionObjArgs(
            class, w->message, w->category, w->filename, line, Py_None, Py_None, w->source, NULL);
        result = message == NULL ? NULL : PyObject_CallOneArg(function, message);
        Py_XDECREF(message);
    }
    Py_XDECREF(line);
    Py_XDECREF(class);
    Py_DECREF(function);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

/* What the action says: 1 show it, 0 do not, -1 with an exception. */
static int decide(struct main_interp *interp, const struct warning *w, PyObject *action,
                  PyObject *key)
{
    if (PyUnicode_EqualToUTF8(action, "error")) {
        PyErr_SetObject(w->category, w->message);
        return -1;
    }
    if (PyUnicode_EqualToUTF8(action, "ignore")) {
        return 0;
    }
    bool always = PyUnicode_EqualToUTF8(action, "always");
    if (w->registry != NULL && w->registry != Py_None && !always
        && PyDict_SetItem(w->registry, key, Py_True) < 0) {
        return -1;
    }
    if (always || PyUnicode_EqualToUTF8(action, "default")) {
        return 1;
    }
    PyObject *registry, *short_key;
    if (PyUnicode_EqualToUTF8(action, "once")) {
        registry = warnings_attribute(ID(onceregistry), false);
        if (registry == NULL && !PyErr_Occurred()) {
            registry = Py_NewRef(interp->warning_once);
        }
        if (registry != NULL && !PyDict_Check(registry)) {
            raise_type("_warnings.onceregistry must be a dict, not '%.200s'",
                       Py_TYPE(registry)->tp_name);
            Py_DECREF(registry);
            return -1;
        }
        short_key = PyTuple_Pack(2, w->text, w->category);
    } else if (PyUnicode_EqualToUTF8(action, "module")) {
        registry = Py_XNewRef(w->registry == Py_None ? NULL : w->registry);
        PyObject *zero = PyLong_FromLong(0);
        short_key = PyTuple_Pack(3, w->text, w->category, zero);
        Py_XDECREF(zero);
        if (registry == NULL) {
            Py_XDECREF(short_key);
            return 1;
        }
    } else {
        PyErr_Format(PyExc_RuntimeError, "Unrecognized action (%R) in warnings.filters:\n %R",
                     action, key);
        return -1;
    }
    int known = registry == NULL || short_key == NULL
                    ? -1
                    : already_warned(interp, registry, short_key, true);
    Py_XDECREF(registry);
    Py_XDECREF(short_key);
    return known < 0 ? -1 : !known;
}

/* The module that a file name suggests (new reference). */
static PyObject *module_of_filename(PyObject *filename)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(filename);
    if (length == 0) {
        return PyUnicode_FromString("<unknown>");
    }
    return length > 3 && PyUnicode_READ_CHAR(filename, length - 3) == '.'
                   && PyUnicode_READ_CHAR(filename, length - 2) == 'p'
                   && PyUnicode_READ_CHAR(filename, length - 1) == 'y'
               ? PyUnicode_Substring(filename, 0, length - 3)
               : Py_NewRef(filename);
}

static int warn_complete(struct main_interp *interp, const struct warning *w)
{
    PyObject *line = PyLong_FromLong(w->lineno);
    PyObject *key = line == NULL ? NULL : PyTuple_Pack(3, w->text, w->category, line);
    Py_XDECREF(line);
    int result = key == NULL ? -1 : 0;
    if (result == 0 && w->registry != NULL && w->registry != Py_None) {
        int known = already_warned(interp, w->registry, key, false);
        if (known != 0) {
            Py_DECREF(key);
            return known < 0 ? -1 : 0;
        }
    }
    PyObject *action = result < 0 ? NULL : find_action(interp, w);
    if (action != NULL && !PyUnicode_Check(action)) {
        raise_type("action must be a string, not '%.200s'", Py_TYPE(action)->tp_name);
        Py_CLEAR(action);
    }
    result = action == NULL ? -1 : decide(interp, w, action, key);
    if (result > 0) {
        result = show(w);
    }
    Py_XDECREF(action);
    Py_XDECREF(key);
    return result;
}

/* Fills in text, category and module where they follow from the rest, and warns. */
static int warn_explicit(struct warning w)
{
    struct main_interp *interp = main_interp_self();
    if (w.registry != NULL && w.registry != Py_None && !PyDict_Check(w.registry)) {
        return raise_type("'registry' must be a dict or None");
    }
    int instance = PyObject_IsInstance(w.message, PyExc_Warning);
    if (instance < 0) {
        return -1;
    }
    PyObject *text, *message, *module;
    if (instance) {
        text = PyObject_Str(w.message);
        message = Py_NewRef(w.message);
        w.category = (PyObject *)Py_TYPE(message);
    } else {
        text = Py_NewRef(w.message);
        message = PyObject_CallOneArg(w.category, w.message);
    }
    module = w.module == NULL ? module_of_filename(w.filename) : Py_NewRef(w.module);
    int result = -1;
    if (text != NULL && message != NULL && module != NULL) {
        w.text = text;
        w.message = message;
        w.module = module;
        result = warn_complete(interp, &w);
    }
    Py_XDECREF(text);
    Py_XDECREF(message);
    Py_XDECREF(module);
    return result;
}

/* ---- where the warning comes from --------------------------------------------------------------------------------- */

static bool is_internal(struct frame *frame)
{
    PyObject *file = frame_code(frame)->co_filename;
    Py_ssize_t length = PyUnicode_GET_LENGTH(file);
    PyObject *importlib = PyUnicode_FromString("importlib");
    PyObject *bootstrap = PyUnicode_FromString("_bootstrap");
    bool internal = importlib != NULL && bootstrap != NULL
                    && PyUnicode_Find(file, importlib, 0, length, 1) >= 0
                    && PyUnicode_Find(file, bootstrap, 0, length, 1) >= 0;
    Py_XDECREF(importlib);
    Py_XDECREF(bootstrap);
    return internal;
}

static bool has_prefix(struct frame *frame, PyObject *prefixes)
{
    PyObject *file = frame_code(frame)->co_filename;
    for (Py_ssize_t i = 0; prefixes != NULL && i < PyTuple_GET_SIZE(prefixes); i++) {
        if (PyUnicode_Tailmatch(file, PyTuple_GET_ITEM(prefixes, i), 0, PY_SSIZE_T_MAX, -1) > 0) {
            return true;
        }
    }
    return false;
}

static struct frame *next_external(struct frame *frame, PyObject *prefixes)
{
    do {
        frame = frame_visible(frame->prev);
    } while (frame != NULL && (is_internal(frame) || has_prefix(frame, prefixes)));
    return frame;
}

static struct frame *caller_at(Py_ssize_t level, PyObject *prefixes)
{
    struct frame *frame = frame_visible(thread_frame(&thread_self()->ts));
    if (prefixes != NULL && PyTuple_GET_SIZE(prefixes) > 0 && level < 2) {
        level = 2;
    }
    if (level <= 0 || (frame != NULL && is_internal(frame))) {
        while (--level > 0 && frame != NULL) {
            frame = frame_visible(frame->prev);
        }
    } else {
        while (--level > 0 && frame != NULL) {
            frame = next_external(frame, prefixes);
        }
    }
    return frame;
}

static int warn_at(PyObject *message, PyObject *category, Py_ssize_t level, PyObject *source,
                   PyObject *prefixes)
{
    if (main_interp_self()->warning_filters == NULL) {
        return 0; /* too early in the start for anyone to have asked for warnings */
    }
    struct frame *frame = caller_at(level, prefixes);
    PyObject *globals, *filename;
    struct warning w = {.message = message, .category = category, .source = source};
    if (frame == NULL) {
        globals = Py_NewRef(main_interp_self()->sys_dict);
        filename = PyUnicode_FromString("<sys>");
        w.lineno = 0;
    } else {
        globals = Py_NewRef(frame_globals(frame));
        filename = Py_NewRef(frame_code(frame)->co_filename);
        w.lineno = code_line(frame_code(frame), frame_lasti(frame));
    }
    PyObject *registry = NULL, *module = NULL;
    int result = -1;
    if (filename != NULL && PyDict_GetItemRef(globals, ID(__warningregistry__), &registry) >= 0) {
        if (registry == NULL) {
            registry = PyDict_New();
            if (registry == NULL
                || PyDict_SetItem(globals, ID(__warningregistry__), registry) < 0) {
                goto done;
            }
        }
        if (PyDict_GetItemRef(globals, ID(__name__), &module) < 0) {
            goto done;
        }
        if (module == NULL || !(module == Py_None || PyUnicode_Check(module))) {
            Py_XSETREF(module, PyUnicode_FromString("<string>"));
        }
        w.filename = filename;
        w.registry = registry;
        w.module = module;
        result = module == NULL ? -1 : warn_explicit(w);
    }
done:
    Py_XDECREF(module);
    Py_XDECREF(registry);
    Py_XDECREF(filename);
    Py_DECREF(globals);
    return result;
}

/* The class of the warning: of an instance its own, UserWarning if nothing is said. Borrowed. */
static PyObject *check_category(PyObject *message, PyObject *category)
{
    int instance = PyObject_IsInstance(message, PyExc_Warning);
    if (instance < 0) {
        return NULL;
    }
    if (instance) {
        return (PyObject *)Py_TYPE(message);
    }
    if (category == NULL || category == Py_None) {
        return PyExc_UserWarning;
    }
    int subclass = PyObject_IsSubclass(category, PyExc_Warning);
    if (subclass <= 0) {
        if (subclass == 0 || PyErr_ExceptionMatches(PyExc_TypeError)) {
            raise_type("category must be a Warning subclass, not '%s'", Py_TYPE(category)->tp_name);
        }
        return NULL;
    }
    return category;
}

/* ---- the module ----------------------------------------------------------------------------------------------------- */

static int warnings_warn(PyObject *module, PyObject *message, PyObject *category,
                         Py_ssize_t stacklevel, PyObject *source, PyObject *prefixes)
{
    category = check_category(message, category);
    for (Py_ssize_t i = 0; prefixes != NULL && i < PyTuple_GET_SIZE(prefixes); i++) {
        PyObject *prefix = PyTuple_GET_ITEM(prefixes, i);
        if (!PyUnicode_Check(prefix)) {
            return raise_type("Found non-str '%s' in skip_file_prefixes.",
                              Py_TYPE(prefix)->tp_name);
        }
    }
    return category == NULL ? -1
                            : warn_at(message, category, stacklevel,
                                      source == Py_None ? NULL : source, prefixes);
}

/* Lets the module's loader read its source, as linecache would: what is wrong with the globals comes to light
 * here. -1 with an exception. */
static int ask_loader(PyObject *globals)
{
    PyObject *external = PyImport_ImportModule("importlib._bootstrap_external");
    PyObject *loader =
        external == NULL ? NULL : PyObject_CallMethod(external, "_bless_my_loader", "O", globals);
    PyObject *name = NULL, *get_source = NULL, *source = NULL;
    int result = -1;
    Py_XDECREF(external);
    if (loader == NULL || PyDict_GetItemRef(globals, ID(__name__), &name) < 0
        || PyObject_GetOptionalAttrString(loader, "get_source", &get_source) < 0) {
        goto done;
    }
    result = 0;
    if (name != NULL && get_source != NULL) {
        source = PyObject_CallOneArg(get_source, name);
        result = source == NULL ? -1 : 0;
    }
done:
    Py_XDECREF(source);
    Py_XDECREF(get_source);
    Py_XDECREF(name);
    Py_XDECREF(loader);
    return result;
}

static int warnings_warn_explicit(PyObject *module, PyObject *message, PyObject *category,
                                  PyObject *filename, int lineno, PyObject *name,
                                  PyObject *registry, PyObject *module_globals, PyObject *source)
{
    if (module_globals != Py_None && !PyDict_Check(module_globals)) {
        return raise_type("module_globals must be a dict, not '%.200s'",
                          Py_TYPE(module_globals)->tp_name);
    }
    if (module_globals != Py_None && ask_loader(module_globals) < 0) {
        return -1;
    }
    struct warning w = {.message = message,
                        .category = category,
                        .filename = filename,
                        .lineno = lineno,
                        .module = name == Py_None ? NULL : name,
                        .registry = registry,
                        .source = source == Py_None ? NULL : source};
    return warn_explicit(w);
}

static int warnings_filters_mutated(PyObject *module)
{
    main_interp_self()->warning_filters_version++;
    return 0;
}

static int warnings_exec(PyObject *module)
{
    struct main_interp *interp = main_interp_self();
    if (warnings_init(interp) < 0) {
        return -1;
    }
    return PyModule_AddObjectRef(module, "filters", interp->warning_filters) < 0
                   || PyModule_AddObjectRef(module, "_onceregistry", interp->warning_once) < 0
                   || PyModule_AddObjectRef(module, "_defaultaction",
                                            interp->warning_default_action)
                          < 0
               ? -1
               : 0;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, warnings_exec},
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,         .m_name = "_warnings", .m_doc = warnings_doc,
    .m_methods = warnings_methods, .m_slots = slots,
};

PyObject *PyInit__warnings(void)
{
    return PyModuleDef_Init(&definition);
}

static PyObject *make_filter(PyObject *category, const char *action, const char *module)
{
    return module == NULL ? Py_BuildValue("(sOOOi)", action, Py_None, category, Py_None, 0)
                          : Py_BuildValue("(sOOsi)", action, Py_None, category, module, 0);
}

int warnings_init(struct main_interp *interp)
{
    if (interp->warning_filters != NULL) {
        return 0;
    }
    interp->warning_once = PyDict_New();
    interp->warning_default_action = PyUnicode_InternFromString("default");
    PyObject *filters = PyList_New(0);
    const struct {
        PyObject *category;
        const char *action, *module;
    } standard[] = {
        {PyExc_DeprecationWarning, "default", "__main__"},
        {PyExc_DeprecationWarning, "ignore", NULL},
        {PyExc_PendingDeprecationWarning, "ignore", NULL},
        {PyExc_ImportWarning, "ignore", NULL},
        {PyExc_ResourceWarning, "ignore", NULL},
    };
    for (size_t i = 0; i < sizeof standard / sizeof standard[0] && filters != NULL; i++) {
        PyObject *filter =
            make_filter(standard[i].category, standard[i].action, standard[i].module);
        if (filter == NULL || PyList_Append(filters, filter) < 0) {
            Py_CLEAR(filters);
        }
        Py_XDECREF(filter);
    }
    interp->warning_filters = filters;
    return filters == NULL || interp->warning_once == NULL || interp->warning_default_action == NULL
               ? -1
               : 0;
}

/* ---- C API --------------------------------------------------------------------------------------------------------------- */

static int warn_text(PyObject *source, PyObject *category, PyObject *message, Py_ssize_t level)
{
    if (message == NULL) {
        return -1;
    }
    category = category == NULL ? PyExc_RuntimeWarning : category;
    int result = warn_at(message, category, level, source, NULL);
    Py_DECREF(message);
    return result;
}

int PyErr_WarnEx(PyObject *category, const char *text, Py_ssize_t level)
{
    return warn_text(NULL, category, PyUnicode_FromString(text), level);
}

#undef PyErr_Warn
int PyErr_Warn(PyObject *category, const char *text)
{
    return PyErr_WarnEx(category, text, 1);
}

int PyErr_WarnFormat(PyObject *category, Py_ssize_t level, const char *format, ...)
{
    va_list va;
    va_start(va, format);
    PyObject *message = PyUnicode_FromFormatV(format, va);
    va_end(va);
    return warn_text(NULL, category, message, level);
}

int PyErr_ResourceWarning(PyObject *source, Py_ssize_t level, const char *format, ...)
{
    va_list va;
    va_start(va, format);
    PyObject *message = PyUnicode_FromFormatV(format, va);
    va_end(va);
    return warn_text(source, PyExc_ResourceWarning, message, level);
}

int PyErr_WarnExplicitObject(PyObject *category, PyObject *message, PyObject *filename, int lineno,
                             PyObject *module, PyObject *registry)
{
    struct warning w = {.message = message,
                        .category = category == NULL ? PyExc_RuntimeWarning : category,
                        .filename = filename,
                        .lineno = lineno,
                        .module = module,
                        .registry = registry};
    return warn_explicit(w);
}

int PyErr_WarnExplicit(PyObject *category, const char *text, const char *filename, int lineno,
                       const char *module, PyObject *registry)
{
    PyObject *message = PyUnicode_FromString(text);
    PyObject *file = PyUnicode_DecodeFSDefault(filename);
    PyObject *name = module == NULL ? NULL : PyUnicode_FromString(module);
    int result = message == NULL || file == NULL || (module != NULL && name == NULL)
                     ? -1
                     : PyErr_WarnExplicitObject(category, message, file, lineno, name, registry);
    Py_XDECREF(message);
    Py_XDECREF(file);
    Py_XDECREF(name);
    return result;
}

int PyErr_WarnExplicitFormat(PyObject *category, const char *filename, int lineno,
                             const char *module, PyObject *registry, const char *format, ...)
{
    va_list va;
    va_start(va, format);
    PyObject *message = PyUnicode_FromFormatV(format, va);
    va_end(va);
    PyObject *file = message == NULL ? NULL : PyUnicode_DecodeFSDefault(filename);
    PyObject *name = module == NULL ? NULL : PyUnicode_FromString(module);
    int result = message == NULL || file == NULL || (module != NULL && name == NULL)
                     ? -1
                     : PyErr_WarnExplicitObject(category, message, file, lineno, name, registry);
    Py_XDECREF(message);
    Py_XDECREF(file);
    Py_XDECREF(name);
    return result;
}
