/* Import: the statement's fast path, built-in, frozen and extension modules, and the `_imp` module.
 *
 * Finding and loading is importlib's: its bootstrap is frozen into the binary. What stands here is
 * what it cannot do itself, and what would be too slow there: a module that is already imported. */

#include "interp/magic.h"
#include "interp/state.h"
#include "interp/startup/startup.h"
#include "objects/error.h"
#include "objects/hash.h"
#include "objects/module.h"
#include "objects/namespace.h"

#include <dlfcn.h>

#include "marshal.h"

#include "imp.bind.h"

/* ---- sys.modules ------------------------------------------------------------------------------- */

PyObject *PyImport_GetModuleDict(void)
{
    return main_interp_self()->modules;
}

/* sys.modules[name]: new reference, or NULL, with an exception only if the lookup failed. */
PyObject *PyImport_GetModule(PyObject *name)
{
    PyObject *modules = main_interp_self()->modules, *module;
    if (modules == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "unable to get sys.modules");
        return NULL;
    }
    if (PyDict_CheckExact(modules)) {
        PyDict_GetItemRef(modules, name, &module);
    } else {
        PyMapping_GetOptionalItem(modules, name, &module);
    }
    return module;
}

static PyObject *add_module(PyObject *name)
{
    PyObject *module = PyImport_GetModule(name);
    if (module != NULL && PyModule_Check(module)) {
        return module;
    }
    Py_XDECREF(module);
    if (PyErr_Occurred()) {
        return NULL;
    }
    module = PyModule_NewObject(name);
    if (module != NULL && PyObject_SetItem(main_interp_self()->modules, name, module) < 0) {
        Py_CLEAR(module);
    }
    return module;
}

PyObject *PyImport_AddModuleRef(const char *name)
{
    PyObject *text = PyUnicode_FromString(name);
    PyObject *module = text == NULL ? NULL : add_module(text);
    Py_XDECREF(text);
    return module;
}

PyObject *PyImport_AddModuleObject(PyObject *name)
{
    PyObject *module = add_module(name);
    Py_XDECREF(module); /* sys.modules keeps it */
    return module;
}

PyObject *PyImport_AddModule(const char *name)
{
    PyObject *module = PyImport_AddModuleRef(name);
    Py_XDECREF(module);
    return module;
}

static void remove_module(PyObject *name)
{
    PyObject *raised = error_fetch();
    PyObject *modules = main_interp_self()->modules;
    if (PyMapping_HasKeyWithError(modules, name) > 0) {
        PyObject_DelItem(modules, name);
    }
    PyErr_Clear();
    error_restore(raised);
}

/* ---- the import statement ------------------------------------------------------------------------ */

/* Is the module still being executed, perhaps by another thread? Then importlib must wait for it. */
static int is_initializing(PyObject *module)
{
    PyObject *spec, *flag;
    if (PyObject_GetOptionalAttr(module, ID(__spec__), &spec) <= 0) {
        return PyErr_Occurred() ? -1 : 0;
    }
    int result = PyObject_GetOptionalAttr(spec, ID(_initializing), &flag);
    Py_DECREF(spec);
    if (result > 0) {
        result = PyObject_IsTrue(flag);
        Py_DECREF(flag);
    }
    return result;
}

static PyObject *find_and_load(PyObject *name)
{
    if (PySys_Audit("import", "OOOOO", name, Py_None, Py_None, Py_None, Py_None) < 0) {
        return NULL;
    }
    return PyObject_CallMethodObjArgs(main_interp_self()->importlib, ID(_find_and_load), name,
                                      main_interp_self()->import_func, NULL);
}

/* Frames of importlib itself say nothing about the user's error: they are cut out of the traceback. */
static void trim_traceback(void)
{
    PyObject *raised = error_fetch();
    if (raised == NULL) {
        return;
    }
    bool always = PyErr_GivenExceptionMatches(raised, PyExc_ImportError);
    PyTracebackObject *first = (PyTracebackObject *)PyException_GetTraceback(raised);
    PyTracebackObject *kept = NULL, *chunk = NULL;
    PyObject *result = (PyObject *)first;
    bool in_chunk = false;
    for (PyTracebackObject *tb = first; tb != NULL; tb = tb->tb_next) {
        PyCodeObject *code = PyFrame_GetCode(tb->tb_frame);
        bool bootstrap =
            PyUnicode_EqualToUTF8(code->co_filename, "<frozen importlib._bootstrap>")
            || PyUnicode_EqualToUTF8(code->co_filename, "<frozen importlib._bootstrap_external>");
        bool removes = always || PyUnicode_EqualToUTF8(code->co_name, "_call_with_frames_removed");
        Py_DECREF(code);
        if (bootstrap && !in_chunk) {
            chunk = kept;
        }
        in_chunk = bootstrap;
        if (bootstrap && removes) {
            /* Everything since the chunk began goes. */
            if (chunk == NULL) {
                result = (PyObject *)tb->tb_next;
            } else {
                PyTracebackObject *old = chunk->tb_next;
                chunk->tb_next = (PyTracebackObject *)Py_XNewRef(tb->tb_next);
                Py_XDECREF(old);
            }
            if (chunk == NULL) {
                kept = NULL;
            }
            continue;
        }
        kept = tb;
    }
    Py_XINCREF(result);
    PyException_SetTraceback(raised, result == NULL ? Py_None : result);
    Py_XDECREF(result);
    Py_XDECREF(first);
    error_restore(raised);
}

/* The package that a relative import is relative to (new reference). */
static PyObject *calc_package(PyObject *globals)
{
    PyObject *package = PyDict_GetItemWithError(globals, ID(__package__));
    PyObject *spec = PyDict_GetItemWithError(globals, ID(__spec__));
    if (package != NULL && package != Py_None) {
        if (!PyUnicode_Check(package)) {
            raise_type("package must be a string");
            return NULL;
        }
        if (spec != NULL && spec != Py_None) {
            PyObject *parent = PyObject_GetAttr(spec, ID(parent));
            int same = parent == NULL ? -1 : PyObject_RichCompareBool(package, parent, Py_EQ);
            Py_XDECREF(parent);
            if (same < 0
                || (same == 0
                    && PyErr_WarnEx(PyExc_DeprecationWarning, "__package__ != __spec__.parent", 1)
                           < 0)) {
                return NULL;
            }
        }
        return Py_NewRef(package);
    }
    if (spec != NULL && spec != Py_None) {
        PyObject *parent = PyObject_GetAttr(spec, ID(parent));
        if (parent != NULL && !PyUnicode_Check(parent)) {
            raise_type("__spec__.parent must be a string");
            Py_CLEAR(parent);
        }
        return parent;
    }
    if (PyErr_WarnEx(PyExc_ImportWarning,
                     "can't resolve package from __spec__ or __package__, "
                     "falling back on __name__ and __path__",
                     1)
        < 0) {
        return NULL;
    }
    package = PyDict_GetItemWithError(globals, ID(__name__));
    if (package == NULL) {
        PyErr_SetString(PyExc_KeyError, "'__name__' not in globals");
        return NULL;
    }
    if (!PyUnicode_Check(package)) {
        raise_type("__name__ must be a string");
        return NULL;
    }
    int is_package = PyDict_Contains(globals, ID(__path__));
    if (is_package != 0) {
        return is_package < 0 ? NULL : Py_NewRef(package);
    }
    Py_ssize_t dot = PyUnicode_FindChar(package, '.', 0, PyUnicode_GET_LENGTH(package), -1);
    if (dot < 0) {
        PyErr_SetString(PyExc_ImportError,
                        "attempted relative import with no known parent package");
        return NULL;
    }
    return PyUnicode_Substring(package, 0, dot);
}

/* The absolute name of `level` dots and `name` (new reference). */
static PyObject *resolve_name(PyObject *name, PyObject *globals, int level)
{
    if (globals == NULL) {
        PyErr_SetString(PyExc_KeyError, "'__name__' not in globals");
        return NULL;
    }
    if (!PyDict_Check(globals)) {
        raise_type("globals must be a dict");
        return NULL;
    }
    PyObject *package = calc_package(globals);
    if (package == NULL) {
        return NULL;
    }
    Py_ssize_t length = PyUnicode_GET_LENGTH(package);
    if (length == 0) {
        PyErr_SetString(PyExc_ImportError,
                        "attempted relative import with no known parent package");
        Py_DECREF(package);
        return NULL;
    }
    for (int up = 1; up < level && length >= 0; up++) {
        length = PyUnicode_FindChar(package, '.', 0, length, -1);
    }
    PyObject *base = length < 0 ? NULL : PyUnicode_Substring(package, 0, length);
    Py_DECREF(package);
    if (base == NULL) {
        if (length < 0) {
            PyErr_SetString(PyExc_ImportError,
                            "attempted relative import beyond top-level package");
        }
        return NULL;
    }
    PyObject *absolute = PyUnicode_GET_LENGTH(name) == 0
                             ? Py_NewRef(base)
                             : PyUnicode_FromFormat("%U.%U", base, name);
    Py_DECREF(base);
    return absolute;
}

/* The module called `name`, imported if it is not yet (new reference). */
static PyObject *import_absolute(PyObject *name)
{
    PyObject *module = PyImport_GetModule(name);
    if (module == NULL && PyErr_Occurred()) {
        return NULL;
    }
    if (module == NULL || module == Py_None) {
        Py_XDECREF(module);
        module = find_and_load(name);
    } else {
        int busy = is_initializing(module);
        if (busy > 0) {
            PyObject *done = PyObject_CallMethodOneArg(main_interp_self()->importlib,
                                                       ID(_lock_unlock_module), name);
            Py_XDECREF(done);
            busy = done == NULL ? -1 : 0;
        }
        if (busy < 0) {
            Py_CLEAR(module);
        }
    }
    return module;
}

/* `import a.b` gives a: the package before the first dot of the name as written. */
static PyObject *head_of(PyObject *name, PyObject *absolute, int level, PyObject *module)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(name);
    if (level != 0 && length == 0) {
        return Py_NewRef(module);
    }
    Py_ssize_t dot = PyUnicode_FindChar(name, '.', 0, length, 1);
    if (dot < 0) {
        return dot == -2 ? NULL : Py_NewRef(module);
    }
    if (level == 0) {
        PyObject *front = PyUnicode_Substring(name, 0, dot);
        PyObject *head = front == NULL ? NULL : import_absolute(front);
        Py_XDECREF(front);
        return head;
    }
    PyObject *front =
        PyUnicode_Substring(absolute, 0, PyUnicode_GET_LENGTH(absolute) - (length - dot));
    PyObject *head = front == NULL ? NULL : PyImport_GetModule(front);
    if (head == NULL && front != NULL && !PyErr_Occurred()) {
        PyErr_Format(PyExc_KeyError, "%R not in sys.modules as expected", front);
    }
    Py_XDECREF(front);
    return head;
}

PyObject *PyImport_ImportModuleLevelObject(PyObject *name, PyObject *globals, PyObject *locals,
                                           PyObject *fromlist, int level)
{
    if (name == NULL) {
        PyErr_SetString(PyExc_ValueError, "Empty module name");
        return NULL;
    }
    if (!PyUnicode_Check(name)) {
        raise_type("module name must be a string");
        return NULL;
    }
    if (level < 0) {
        raise_value("level must be >= 0");
        return NULL;
    }
    PyObject *absolute = NULL, *module = NULL, *result = NULL;
    if (level > 0) {
        absolute = resolve_name(name, globals, level);
    } else if (PyUnicode_GET_LENGTH(name) == 0) {
        raise_value("Empty module name");
    } else {
        absolute = Py_NewRef(name);
    }
    module = absolute == NULL ? NULL : import_absolute(absolute);
    if (module != NULL) {
        int from = fromlist != NULL && fromlist != Py_None ? PyObject_IsTrue(fromlist) : 0;
        PyObject *path = NULL;
        if (from == 0) {
            result = head_of(name, absolute, level, module);
        } else if (from > 0 && PyObject_GetOptionalAttr(module, ID(__path__), &path) >= 0) {
            result = path == NULL
                         ? Py_NewRef(module)
                         : PyObject_CallMethodObjArgs(main_interp_self()->importlib,
                                                      ID(_handle_fromlist), module, fromlist,
                                                      main_interp_self()->import_func, NULL);
            Py_XDECREF(path);
        }
    }
    Py_XDECREF(absolute);
    Py_XDECREF(module);
    if (result == NULL) {
        trim_traceback();
    }
    return result;
}

PyObject *PyImport_ImportModuleLevel(const char *name, PyObject *globals, PyObject *locals,
                                     PyObject *fromlist, int level)
{
    PyObject *text = PyUnicode_FromString(name);
    PyObject *module =
        text == NULL ? NULL
                     : PyImport_ImportModuleLevelObject(text, globals, locals, fromlist, level);
    Py_XDECREF(text);
    return module;
}

/* Through the __import__ of whoever is running, as an import statement would. */
PyObject *PyImport_Import(PyObject *name)
{
    if (name == NULL) {
        PyErr_BadInternalCall();
        return NULL;
    }
    PyObject *globals = Py_XNewRef(PyEval_GetGlobals());
    PyObject *import = NULL, *fromlist = PyList_New(0), *result = NULL;
    PyObject *builtins = PyEval_GetBuiltins();
    if (globals == NULL) {
        globals = Py_BuildValue("{OO}", ID(__builtins__), builtins);
    }
    if (globals != NULL && fromlist != NULL
        && PyMapping_GetOptionalItem(builtins, ID(__import__), &import) > 0) {
        PyObject *zero = PyLong_FromLong(0);
        PyObject *module =
            PyObject_CallFunctionObjArgs(import, name, globals, globals, fromlist, zero, NULL);
        Py_XDECREF(zero);
        if (module != NULL) {
            Py_DECREF(module);
            result = PyImport_GetModule(name);
            if (result == NULL && !PyErr_Occurred()) {
                PyErr_SetObject(PyExc_KeyError, name);
            }
        }
    } else if (import == NULL && !PyErr_Occurred()) {
        PyErr_SetString(PyExc_ImportError, "__import__ not found");
    }
    Py_XDECREF(import);
    Py_XDECREF(fromlist);
    Py_XDECREF(globals);
    return result;
}

PyObject *PyImport_ImportModule(const char *name)
{
    PyObject *text = PyUnicode_FromString(name);
    PyObject *module = text == NULL ? NULL : PyImport_Import(text);
    Py_XDECREF(text);
    return module;
}

PyObject *PyImport_ImportModuleNoBlock(const char *name)
{
    if (PyErr_WarnEx(PyExc_DeprecationWarning,
                     "PyImport_ImportModuleNoBlock() is deprecated and scheduled for removal in "
                     "Python 3.15. Use PyImport_ImportModule() instead.",
                     1)
        < 0) {
        return NULL;
    }
    return PyImport_ImportModule(name);
}

PyObject *PyImport_ReloadModule(PyObject *module)
{
    PyObject *importlib = PyImport_ImportModule("importlib");
    PyObject *result =
        importlib == NULL ? NULL : PyObject_CallMethodOneArg(importlib, ID(reload), module);
    Py_XDECREF(importlib);
    return result;
}

PyObject *import_name(PyObject *globals, PyObject *name, PyObject *fromlist, PyObject *level)
{
    struct main_interp *interp = main_interp_self();
    PyObject *import;
    PyObject *builtins = PyEval_GetBuiltins();
    if (PyMapping_GetOptionalItem(builtins, ID(__import__), &import) <= 0) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_ImportError, "__import__ not found");
        }
        return NULL;
    }
    PyObject *module;
    if (import == interp->import_func) {
        int dots = PyLong_AsInt(level);
        module = dots == -1 && PyErr_Occurred()
                     ? NULL
                     : PyImport_ImportModuleLevelObject(name, globals, NULL, fromlist, dots);
    } else {
        PyObject *locals = PyEval_GetLocals();
        PyObject *args[] = {name, globals, locals == NULL ? Py_None : locals, fromlist, level};
        module = PyObject_Vectorcall(import, args, 5, NULL);
    }
    Py_DECREF(import);
    return module;
}

/* Why `from module import name` failed, as helpfully as possible. */
static void raise_cannot_import(PyObject *module, PyObject *name)
{
    PyObject *module_name = NULL, *origin = NULL, *spec = NULL;
    if (PyObject_GetOptionalAttr(module, ID(__name__), &module_name) < 0) {
        return;
    }
    if (module_name == NULL || !PyUnicode_Check(module_name)) {
        Py_XSETREF(module_name, PyUnicode_FromString("<unknown module name>"));
    }
    bool busy = false;
    if (PyObject_GetOptionalAttr(module, ID(__spec__), &spec) > 0) {
        busy = is_initializing(module) > 0;
        PyErr_Clear();
        if (PyObject_GetOptionalAttr(spec, ID(origin), &origin) < 0) {
            PyErr_Clear();
        }
        if (origin != NULL && !PyUnicode_Check(origin)) {
            Py_CLEAR(origin);
        }
    }
    PyErr_Clear();
    PyObject *text;
    if (origin == NULL && PyModule_Check(module)) {
        origin = PyModule_GetFilenameObject(module);
        PyErr_Clear();
    }
    if (busy) {
        text = PyUnicode_FromFormat("cannot import name %R from partially initialized module %R "
                                    "(most likely due to a circular import) (%S)",
                                    name, module_name, origin == NULL ? Py_None : origin);
    } else if (origin == NULL) {
        text = PyUnicode_FromFormat("cannot import name %R from %R (unknown location)", name,
                                    module_name);
    } else {
        text =
            PyUnicode_FromFormat("cannot import name %R from %R (%S)", name, module_name, origin);
    }
    if (text != NULL) {
        _PyErr_SetImportErrorWithNameFrom(text, module_name, origin, name);
    }
    Py_XDECREF(text);
    Py_XDECREF(origin);
    Py_XDECREF(spec);
    Py_XDECREF(module_name);
}

PyObject *import_from(PyObject *module, PyObject *name)
{
    PyObject *value, *module_name = NULL;
    if (PyObject_GetOptionalAttr(module, name, &value) != 0) {
        return value;
    }
    /* A submodule of a package that is being imported stands only in sys.modules. */
    if (PyObject_GetOptionalAttr(module, ID(__name__), &module_name) < 0) {
        return NULL;
    }
    if (module_name != NULL && PyUnicode_Check(module_name)) {
        PyObject *full = PyUnicode_FromFormat("%U.%U", module_name, name);
        value = full == NULL ? NULL : PyImport_GetModule(full);
        Py_XDECREF(full);
    }
    Py_XDECREF(module_name);
    if (value == NULL && !PyErr_Occurred()) {
        raise_cannot_import(module, name);
    }
    return value;
}

/* The names `import *` takes: __all__, or those without underscore (new reference). */
static PyObject *star_names(PyObject *module, bool *skip_private)
{
    PyObject *all, *dict;
    *skip_private = false;
    if (PyObject_GetOptionalAttr(module, ID(__all__), &all) != 0) {
        return all;
    }
    if (PyObject_GetOptionalAttr(module, ID(__dict__), &dict) <= 0) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_ImportError,
                            "from-import-* object has no __dict__ and no __all__");
        }
        return NULL;
    }
    *skip_private = true;
    PyObject *keys = PyMapping_Keys(dict);
    Py_DECREF(dict);
    return keys;
}

int import_star(PyObject *module, PyObject *locals)
{
    bool skip_private;
    PyObject *names = star_names(module, &skip_private);
    if (names == NULL) {
        return -1;
    }
    int result = 0;
    for (Py_ssize_t i = 0; result == 0; i++) {
        PyObject *name = PySequence_GetItem(names, i);
        if (name == NULL) {
            if (PyErr_ExceptionMatches(PyExc_IndexError)) {
                PyErr_Clear();
                break;
            }
            result = -1;
            break;
        }
        if (!PyUnicode_Check(name)) {
            PyObject *module_name = PyObject_GetAttr(module, ID(__name__));
            if (module_name != NULL) {
                raise_type(skip_private ? "Key in %U.__dict__ must be str, not %.100s"
                                        : "Item in %U.__all__ must be str, not %.100s",
                           module_name, Py_TYPE(name)->tp_name);
                Py_DECREF(module_name);
            }
            result = -1;
        } else if (!skip_private || PyUnicode_GET_LENGTH(name) == 0
                   || PyUnicode_READ_CHAR(name, 0) != '_') {
            PyObject *value = PyObject_GetAttr(module, name);
            result = value == NULL               ? -1
                     : PyDict_CheckExact(locals) ? PyDict_SetItem(locals, name, value)
                                                 : PyObject_SetItem(locals, name, value);
            Py_XDECREF(value);
        }
        Py_DECREF(name);
    }
    Py_DECREF(names);
    return result;
}

/* ---- executing a code object as a module ------------------------------------------------------------ */

static PyObject *exec_code_in_module(PyObject *name, PyObject *module, PyObject *code)
{
    PyObject *dict = PyModule_GetDict(module);
    int known = PyDict_Contains(dict, ID(__builtins__));
    PyObject *value = NULL;
    if (known > 0
        || (known == 0 && PyDict_SetItem(dict, ID(__builtins__), PyEval_GetBuiltins()) == 0)) {
        value = PyEval_EvalCode(code, dict, dict);
    }
    if (value == NULL) {
        remove_module(name);
        return NULL;
    }
    Py_DECREF(value);
    PyObject *result = PyImport_GetModule(name);
    if (result == NULL && !PyErr_Occurred()) {
        PyErr_Format(PyExc_ImportError, "Loaded module %R not found in sys.modules", name);
    }
    return result;
}

PyObject *PyImport_ExecCodeModuleObject(PyObject *name, PyObject *code, PyObject *pathname,
                                        PyObject *cpathname)
{
    PyObject *module = add_module(name);
    PyObject *result = NULL, *done = NULL;
    if (module == NULL) {
        return NULL;
    }
    PyObject *external =
        PyObject_GetAttrString(main_interp_self()->importlib, "_bootstrap_external");
    if (external != NULL) {
        done =
            PyObject_CallMethod(external, "_fix_up_module", "OOOO", PyModule_GetDict(module), name,
                                pathname != NULL ? pathname : ((PyCodeObject *)code)->co_filename,
                                cpathname == NULL ? Py_None : cpathname);
        Py_DECREF(external);
    }
    if (done != NULL) {
        Py_DECREF(done);
        result = exec_code_in_module(name, module, code);
    }
    Py_DECREF(module);
    return result;
}

/* The source that a cached file was made from, or the file itself (new reference; NULL, without an
 * exception, when importlib does not know). */
static PyObject *source_of_cached(PyObject *cpath)
{
    PyObject *external =
        PyObject_GetAttrString(main_interp_self()->importlib, "_bootstrap_external");
    PyObject *path =
        external == NULL ? NULL : PyObject_CallMethod(external, "_get_sourcefile", "O", cpath);
    Py_XDECREF(external);
    if (path == NULL) {
        PyErr_Clear();
    }
    return path;
}

PyObject *PyImport_ExecCodeModuleWithPathnames(const char *name, PyObject *code,
                                               const char *pathname, const char *cpathname)
{
    PyObject *text = PyUnicode_FromString(name);
    PyObject *path = pathname == NULL ? NULL : PyUnicode_DecodeFSDefault(pathname);
    PyObject *cpath = cpathname == NULL ? NULL : PyUnicode_DecodeFSDefault(cpathname);
    if (pathname == NULL && cpath != NULL) {
        path = source_of_cached(cpath);
    }
    PyObject *module =
        PyErr_Occurred() ? NULL : PyImport_ExecCodeModuleObject(text, code, path, cpath);
    Py_XDECREF(text);
    Py_XDECREF(path);
    Py_XDECREF(cpath);
    return module;
}

PyObject *PyImport_ExecCodeModuleEx(const char *name, PyObject *code, const char *pathname)
{
    return PyImport_ExecCodeModuleWithPathnames(name, code, pathname, NULL);
}

PyObject *PyImport_ExecCodeModule(const char *name, PyObject *code)
{
    return PyImport_ExecCodeModuleWithPathnames(name, code, NULL, NULL);
}

PyObject *PyImport_GetImporter(PyObject *path)
{
    PyObject *util = PyImport_ImportModule("pkgutil");
    PyObject *importer = util == NULL ? NULL : PyObject_CallMethod(util, "get_importer", "O", path);
    Py_XDECREF(util);
    return importer;
}

long PyImport_GetMagicNumber(void)
{
    PyObject *external =
        PyObject_GetAttrString(main_interp_self()->importlib, "_bootstrap_external");
    PyObject *magic =
        external == NULL ? NULL : PyObject_GetAttrString(external, "_RAW_MAGIC_NUMBER");
    long number = magic == NULL ? -1 : PyLong_AsLong(magic);
    Py_XDECREF(magic);
    Py_XDECREF(external);
    return number;
}

const char *PyImport_GetMagicTag(void)
{
    return KRAIT_CACHE_TAG;
}

/* ---- built-in modules ---------------------------------------------------------------------------------- */

extern struct _inittab builtin_modules[];
struct _inittab *PyImport_Inittab = builtin_modules;
static struct _inittab *own_inittab; /* a copy that PyImport_ExtendInittab made, or NULL */

int PyImport_ExtendInittab(struct _inittab *more)
{
    size_t have = 0, extra = 0;
    while (PyImport_Inittab[have].name != NULL) {
        have++;
    }
    while (more[extra].name != NULL) {
        extra++;
    }
    if (extra == 0) {
        return 0;
    }
    struct _inittab *table = PyMem_RawMalloc((have + extra + 1) * sizeof *table);
    if (table == NULL) {
        return -1;
    }
    memcpy(table, PyImport_Inittab, have * sizeof *table);
    memcpy(table + have, more, (extra + 1) * sizeof *table);
    PyMem_RawFree(own_inittab);
    PyImport_Inittab = own_inittab = table;
    return 0;
}

int PyImport_AppendInittab(const char *name, PyObject *(*init)(void))
{
    struct _inittab more[] = {{(char *)name, init}, {NULL, NULL}};
    return PyImport_ExtendInittab(more);
}

static const struct _inittab *inittab_find(PyObject *name)
{
    for (const struct _inittab *entry = PyImport_Inittab; entry->name != NULL; entry++) {
        if (PyUnicode_EqualToUTF8(name, entry->name)) {
            return entry;
        }
    }
    return NULL;
}

/* ---- single-phase modules ------------------------------------------------------------------------------- */

/* Their definition is remembered by (file, name): a second import copies the dict that the first
 * left behind, or runs the init function again. */
static PyObject *extension_key(PyObject *file, PyObject *name)
{
    return PyTuple_Pack(2, file, name);
}

static int remember_single_phase(PyObject *module, PyObject *file, PyObject *name,
                                 PyObject *(*init)(void))
{
    struct main_interp *interp = main_interp_self();
    PyModuleDef *def = PyModule_GetDef(module);
    if (def == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    if (def->m_size == -1 && def->m_base.m_copy == NULL) {
        def->m_base.m_copy = PyDict_Copy(PyModule_GetDict(module));
        if (def->m_base.m_copy == NULL) {
            return -1;
        }
    }
    def->m_base.m_init = init;
    PyObject *key = extension_key(file, name);
    PyObject *capsule = key == NULL ? NULL : PyCapsule_New(def, NULL, NULL);
    int result = capsule == NULL ? -1 : PyDict_SetItem(interp->extensions, key, capsule);
    Py_XDECREF(key);
    Py_XDECREF(capsule);
    return result;
}

/* A module that was loaded before (new reference), or NULL, without an exception if it was not. */
static PyObject *reload_single_phase(PyObject *file, PyObject *name)
{
    struct main_interp *interp = main_interp_self();
    PyObject *key = extension_key(file, name), *capsule = NULL, *module;
    if (key == NULL || PyDict_GetItemRef(interp->extensions, key, &capsule) <= 0) {
        Py_XDECREF(key);
        return NULL;
    }
    Py_DECREF(key);
    PyModuleDef *def = PyCapsule_GetPointer(capsule, NULL);
    Py_DECREF(capsule);
    if (def->m_size == -1) {
        module = add_module(name);
        if (module != NULL && PyDict_Update(PyModule_GetDict(module), def->m_base.m_copy) < 0) {
            Py_CLEAR(module);
        }
    } else {
        module = def->m_base.m_init();
        if (module != NULL && PyObject_SetItem(interp->modules, name, module) < 0) {
            Py_CLEAR(module);
        }
    }
    if (module != NULL && PyState_AddModule(module, def) < 0) {
        Py_CLEAR(module);
    }
    return module;
}

/* What a module's init function returned becomes a module (takes the reference). */
static PyObject *finish_init(PyObject *result, PyObject *spec, PyObject *file, PyObject *name,
                             PyObject *(*init)(void))
{
    const char *text = PyUnicode_AsUTF8(name);
    if (result == NULL) {
        if (!PyErr_Occurred()) {
            raise_system("initialization of %s failed without raising an exception", text);
        }
        return NULL;
    }
    if (PyErr_Occurred()) {
        PyObject *cause = error_fetch();
        raise_system("initialization of %s raised unreported exception", text);
        _PyErr_ChainExceptions1(cause);
        return NULL;
    }
    if (Py_TYPE(result) == NULL) { /* a definition that PyModuleDef_Init has not seen */
        raise_system("init function of %s returned uninitialized object", text);
        return NULL;
    }
    if (PyObject_TypeCheck(result, &PyModuleDef_Type)) {
        return PyModule_FromDefAndSpec((PyModuleDef *)result, spec);
    }
    if (!PyModule_Check(result)) {
        raise_system("initialization of %s did not return an extension module", text);
        Py_DECREF(result);
        return NULL;
    }
    PyModuleDef *def = PyModule_GetDef(result);
    if (def != NULL
        && (PyState_AddModule(result, def) < 0
            || remember_single_phase(result, file, name, init) < 0)) {
        Py_CLEAR(result);
    }
    return result;
}

/* ---- extension modules ------------------------------------------------------------------------------------- */

/* "PyInit_name" for the last part of a dotted name; PyInitU_ and punycode if it is not ASCII (new bytes). */
static PyObject *init_symbol(PyObject *name, const char **prefix)
{
    Py_ssize_t dot = PyUnicode_FindChar(name, '.', 0, PyUnicode_GET_LENGTH(name), -1);
    PyObject *last = PyUnicode_Substring(name, dot + 1, PyUnicode_GET_LENGTH(name));
    if (last == NULL) {
        return NULL;
    }
    PyObject *encoded;
    if (PyUnicode_IS_ASCII(last)) {
        *prefix = "PyInit";
        encoded = PyUnicode_AsASCIIString(last);
    } else {
        *prefix = "PyInitU";
        encoded = PyUnicode_AsEncodedString(last, "punycode", NULL);
    }
    Py_DECREF(last);
    PyObject *symbol =
        encoded == NULL ? NULL : PyBytes_FromFormat("%s_%s", *prefix, PyBytes_AS_STRING(encoded));
    Py_XDECREF(encoded);
    for (char *c = symbol == NULL ? NULL : PyBytes_AS_STRING(symbol); c != NULL && *c != 0; c++) {
        *c = *c == '-' ? '_' : *c;
    }
    return symbol;
}

static void raise_import_error(PyObject *name, PyObject *path, PyObject *text)
{
    if (text != NULL) {
        PyErr_SetImportError(text, name, path);
        Py_DECREF(text);
    }
}

/* Why a shared library could not be loaded. */
static PyObject *load_failure(const char *error)
{
    static const char *const runtime = "undefined symbol: _PyRuntime";
    if (error == NULL) {
        error = "unknown dlopen() error";
    }
    if (strstr(error, runtime) != NULL) {
        return PyUnicode_FromFormat("%s (the module was compiled against the private insides of "
                                    "CPython, which Krait does not have)",
                                    error);
    }
    return PyUnicode_DecodeLocale(error, "surrogateescape");
}

/* Symbols are bound now, whatever sys.setdlopenflags() says: one that is missing is an ImportError, and not
 * the end of the process later on. */
static int open_flags(void)
{
    return (main_interp_self()->dlopen_flags & ~RTLD_LAZY) | RTLD_NOW;
}

/* The init function of the shared library `path`, NULL with ImportError. */
static PyObject *(*open_extension(PyObject *name, PyObject *path, bool *ascii))(void)
{
    PyObject *bytes = PyUnicode_EncodeFSDefault(path);
    const char *prefix;
    PyObject *symbol = bytes == NULL ? NULL : init_symbol(name, &prefix);
    PyObject *(*init)(void) = NULL;
    if (symbol != NULL) {
        *ascii = strcmp(prefix, "PyInit") == 0;
        const char *file = PyBytes_AS_STRING(bytes);
        PyObject *relative = strchr(file, '/') == NULL ? PyBytes_FromFormat("./%s", file) : NULL;
        void *handle = dlopen(relative == NULL ? file : PyBytes_AS_STRING(relative), open_flags());
        Py_XDECREF(relative);
        if (handle == NULL) {
            raise_import_error(name, path, load_failure(dlerror()));
        } else {
            *(void **)&init = dlsym(handle, PyBytes_AS_STRING(symbol));
            if (init == NULL) {
                raise_import_error(name, path,
                                   PyUnicode_FromFormat("dynamic module does not define module "
                                                        "export function (%s)",
                                                        PyBytes_AS_STRING(symbol)));
            }
        }
    }
    Py_XDECREF(bytes);
    Py_XDECREF(symbol);
    return init;
}

static PyObject *load_extension(PyObject *spec, PyObject *name, PyObject *path)
{
    PyObject *module = reload_single_phase(path, name);
    if (module != NULL || PyErr_Occurred()) {
        return module;
    }
    bool ascii = true;
    PyObject *(*init)(void) = open_extension(name, path, &ascii);
    if (init == NULL) {
        return NULL;
    }
    PyObject *result = init();
    if (!ascii && result != NULL && !PyObject_TypeCheck(result, &PyModuleDef_Type)) {
        raise_system("initialization of %s did not return PyModuleDef", PyUnicode_AsUTF8(name));
        Py_DECREF(result);
        return NULL;
    }
    module = finish_init(result, spec, path, name, init);
    if (module != NULL && !PyObject_HasAttrWithError(module, ID(__file__))
        && PyModule_Check(module)) {
        if (PyModule_AddObjectRef(module, "__file__", path) < 0) {
            PyErr_Clear();
        }
    }
    return module;
}

/* Has the module said Py_MOD_GIL_NOT_USED? */
static bool module_declares_gil_unused(PyObject *module)
{
    return MODULE_BASICSIZE == sizeof(struct module_object) && PyModule_Check(module)
           && ((struct module_object *)module)->gil == Py_MOD_GIL_NOT_USED;
}

/* What the import of an extension that wants the global lock means in this build: 0 or -1. */
static int report_gil(enum gil_verdict verdict, PyObject *name)
{
    switch (verdict) {
    case GIL_FINE:
        return 0;
    case GIL_SWITCHED:
        return PyErr_WarnFormat(PyExc_RuntimeWarning, 1,
                                "The global interpreter lock (GIL) has been enabled to load "
                                "module '%U', which has not declared that it can run safely "
                                "without the GIL. To override this behavior and keep the GIL "
                                "disabled (at your own risk), run with PYTHON_GIL=0 or -Xgil=0.",
                                name);
    case GIL_REFUSED:
        break;
    }
    if (!PyErr_Occurred()) {
        PyErr_Format(PyExc_ImportError,
                     "module '%U' has not declared that it can run safely without the global "
                     "interpreter lock (GIL), which this build does not have. Use a build with "
                     "-Dgil=optional, or run with PYTHON_GIL=0 or -Xgil=0 to load it at your own "
                     "risk.",
                     name);
    }
    return -1;
}

static bool has_libraries; /* atomic */

bool import_has_libraries(void)
{
    return atomic_load_relaxed(&has_libraries);
}

static PyObject *imp_create_dynamic(PyObject *self, PyObject *spec, PyObject *file)
{
    PyObject *name = PyObject_GetAttr(spec, ID(name));
    PyObject *path = name == NULL ? NULL : PyObject_GetAttr(spec, ID(origin));
    PyObject *module = NULL;
    if (path != NULL && PyUnicode_Check(name) && PyUnicode_Check(path)
        && PySys_Audit("import", "OOOOO", name, path, Py_None, Py_None, Py_None) == 0) {
        struct thread *self = thread_self();
        atomic_store_relaxed(&has_libraries, true);
        lock_gil_import_begin(self);
        module = load_extension(spec, name, path);
        bool unused = module != NULL && module_declares_gil_unused(module);
        if (report_gil(lock_gil_import_end(self, unused), name) < 0) {
            Py_CLEAR(module);
        }
    }
    Py_XDECREF(name);
    Py_XDECREF(path);
    return module;
}

static int exec_module(PyObject *module)
{
    if (!PyModule_Check(module)) {
        return 0;
    }
    PyModuleDef *def = PyModule_GetDef(module);
    if (def == NULL) {
        return 0;
    }
    if (PyModule_GetState(module) != NULL) {
        return 0; /* already initialised */
    }
    return PyModule_ExecDef(module, def);
}

static int imp_exec_dynamic(PyObject *self, PyObject *mod)
{
    return exec_module(mod);
}

/* ---- _imp ------------------------------------------------------------------------------------------------------ */

static PyObject *create_builtin(PyObject *name, PyObject *spec)
{
    PyObject *module = reload_single_phase(name, name);
    if (module != NULL || PyErr_Occurred()) {
        return module;
    }
    const struct _inittab *entry = inittab_find(name);
    if (entry == NULL) {
        return Py_NewRef(Py_None);
    }
    if (entry->initfunc == NULL) {
        return add_module(name); /* sys and builtins are there from the start */
    }
    return finish_init(entry->initfunc(), spec, name, name, entry->initfunc);
}

static PyObject *imp_create_builtin(PyObject *self, PyObject *spec)
{
    PyObject *name = PyObject_GetAttr(spec, ID(name));
    if (name == NULL) {
        return NULL;
    }
    if (!PyUnicode_Check(name)) {
        raise_type("name must be string, not %.200s", Py_TYPE(name)->tp_name);
        Py_DECREF(name);
        return NULL;
    }
    PyObject *module = create_builtin(name, spec);
    Py_DECREF(name);
    return module;
}

static int imp_exec_builtin(PyObject *self, PyObject *mod)
{
    return exec_module(mod);
}

static int imp_is_builtin(PyObject *self, PyObject *name)
{
    const struct _inittab *entry = inittab_find(name);
    return entry == NULL ? 0 : entry->initfunc == NULL ? -1 : 1;
}

static PyObject *imp_extension_suffixes(PyObject *self)
{
    return Py_BuildValue("[sss]", "." KRAIT_SOABI ".so", ".abi3.so", ".so");
}

static int imp_lock_held(PyObject *self)
{
    return recursive_is_held(main_interp_self()->import_lock);
}

static int imp_acquire_lock(PyObject *self)
{
    recursive_lock(main_interp_self()->import_lock);
    return 0;
}

static int imp_release_lock(PyObject *self)
{
    if (recursive_unlock(main_interp_self()->import_lock) < 0) {
        PyErr_SetString(PyExc_RuntimeError, "not holding the import lock");
        return -1;
    }
    return 0;
}

/* fork() waits for imports of other threads that take the lock: the child finds no module that is half imported. */
static void lock_before_fork(void)
{
    recursive_lock(main_interp_self()->import_lock);
}

static void unlock_in_parent(void)
{
    recursive_unlock(main_interp_self()->import_lock);
}

/* Who waited for it is not in the child. */
static void unlock_in_child(void)
{
    struct recursive_mutex *lock = main_interp_self()->import_lock;
    mutex_reinit(&lock->m);
    mutex_lock(&lock->m);
    recursive_unlock(lock);
}

/* Changes the file name of `code` and of the functions in its constants that had the same. */
static int rename_code_file(PyCodeObject *code, PyObject *old, PyObject *path)
{
    if (PyUnicode_Compare(code->co_filename, old) != 0) {
        return PyErr_Occurred() ? -1 : 0;
    }
    if (Py_EnterRecursiveCall(" while setting a file name")) {
        return -1;
    }
    Py_XSETREF(code->co_filename, Py_NewRef(path));
    int result = 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(code->co_consts) && result == 0; i++) {
        PyObject *constant = PyTuple_GET_ITEM(code->co_consts, i);
        if (PyCode_Check(constant)) {
            result = rename_code_file((PyCodeObject *)constant, old, path);
        }
    }
    Py_LeaveRecursiveCall();
    return result;
}

static int imp_fix_co_filename(PyObject *self, PyObject *code, PyObject *path)
{
    PyObject *old = Py_NewRef(((PyCodeObject *)code)->co_filename);
    int result = rename_code_file((PyCodeObject *)code, old, path);
    Py_DECREF(old);
    return result;
}

static PyObject *imp_override_multi_interp_extensions_check(PyObject *self, int override)
{
    return PyLong_FromLong(0);
}

static PyObject *imp_source_hash(PyObject *self, long key, Py_buffer *source)
{
    union {
        uint64_t number;
        unsigned char bytes[sizeof(uint64_t)];
    } hash = {.number = hash_siphash13((uint64_t)key, 0, source->buf, (size_t)source->len)};
    return PyBytes_FromStringAndSize((const char *)hash.bytes, sizeof hash.bytes);
}

/* ---- frozen modules ----------------------------------------------------------------------------------------------- */

static const struct _frozen no_frozen[] = {{NULL, NULL, 0, 0}};
const struct _frozen *PyImport_FrozenModules = no_frozen;

static int frozen_override; /* _override_frozen_modules_for_tests */

/* Modules that importlib needs before it can find any other. */
static bool is_essential(const char *name)
{
    return strcmp(name, "_frozen_importlib") == 0 || strcmp(name, "_frozen_importlib_external") == 0
           || strcmp(name, "zipimport") == 0;
}

static bool use_frozen(void)
{
    return frozen_override != 0 ? frozen_override > 0
                                : main_interp_self()->config.use_frozen_modules;
}

static const struct frozen_module *frozen_find(PyObject *name)
{
    for (const struct frozen_module *module = frozen_modules; module->name != NULL; module++) {
        if (PyUnicode_EqualToUTF8(name, module->name)) {
            return use_frozen() || is_essential(module->name) ? module : NULL;
        }
    }
    return NULL;
}

/* What the library calls it: new reference, None if it is not there. */
static PyObject *frozen_original(const struct frozen_module *module, PyObject *name)
{
    return module->original == NULL      ? Py_NewRef(name)
           : module->original[0] == '\0' ? Py_NewRef(Py_None)
                                         : PyUnicode_FromString(module->original);
}

static PyObject *frozen_code(const struct frozen_module *module)
{
    PyObject *code = marshal_read_frozen(module->code, module->size);
    if (code != NULL && !PyCode_Check(code)) {
        raise_type("frozen object %s is not a code object", module->name);
        Py_CLEAR(code);
    }
    return code;
}

static void raise_no_frozen(PyObject *name)
{
    raise_import_error(name, NULL, PyUnicode_FromFormat("No such frozen object named %R", name));
}

static int imp_is_frozen(PyObject *self, PyObject *name)
{
    return frozen_find(name) != NULL;
}

static int imp_is_frozen_package(PyObject *self, PyObject *name)
{
    const struct frozen_module *module = frozen_find(name);
    if (module == NULL) {
        raise_no_frozen(name);
        return -1;
    }
    return module->is_package;
}

static PyObject *imp_find_frozen(PyObject *self, PyObject *name, int withdata)
{
    const struct frozen_module *module = frozen_find(name);
    if (module == NULL) {
        Py_RETURN_NONE;
    }
    PyObject *data = withdata
                         ? PyMemoryView_FromMemory((char *)module->code, module->size, PyBUF_READ)
                         : Py_NewRef(Py_None);
    PyObject *original = frozen_original(module, name);
    PyObject *result =
        data == NULL || original == NULL
            ? NULL
            : Py_BuildValue("(OOO)", data, module->is_package ? Py_True : Py_False, original);
    Py_XDECREF(data);
    Py_XDECREF(original);
    return result;
}

static PyObject *imp_get_frozen_object(PyObject *self, PyObject *name, PyObject *data)
{
    if (data != Py_None) {
        Py_buffer view;
        if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) < 0) {
            return NULL;
        }
        PyObject *code = PyMarshal_ReadObjectFromString(view.buf, view.len);
        PyBuffer_Release(&view);
        if (code != NULL && !PyCode_Check(code)) {
            raise_type("frozen object %R is not a code object", name);
            Py_CLEAR(code);
        }
        return code;
    }
    const struct frozen_module *module = frozen_find(name);
    if (module == NULL) {
        raise_no_frozen(name);
        return NULL;
    }
    return frozen_code(module);
}

/* Runs a frozen module: 1, 0 if there is none of that name, -1 with an exception. */
int PyImport_ImportFrozenModuleObject(PyObject *name)
{
    const struct frozen_module *frozen =
        name == NULL || !PyUnicode_Check(name) ? NULL : frozen_find(name);
    if (frozen == NULL) {
        return 0;
    }
    PyObject *code = frozen_code(frozen), *module = NULL, *done = NULL;
    if (code == NULL || (module = add_module(name)) == NULL) {
        Py_XDECREF(code);
        return -1;
    }
    int result = 0;
    if (frozen->is_package) {
        PyObject *path = PyList_New(0);
        result = path == NULL ? -1 : PyObject_SetAttr(module, ID(__path__), path);
        Py_XDECREF(path);
    }
    if (result == 0) {
        done = exec_code_in_module(name, module, code);
    }
    if (done != NULL) {
        /* What importlib knows the module by. */
        PyObject *original = frozen_original(frozen, name);
        if (original == NULL || PyObject_SetAttrString(done, "__origname__", original) < 0) {
            Py_CLEAR(done);
        }
        Py_XDECREF(original);
    }
    Py_DECREF(code);
    Py_DECREF(module);
    Py_XDECREF(done);
    return done == NULL ? -1 : 1;
}

int PyImport_ImportFrozenModule(const char *name)
{
    PyObject *text = PyUnicode_InternFromString(name);
    int result = text == NULL ? -1 : PyImport_ImportFrozenModuleObject(text);
    Py_XDECREF(text);
    return result;
}

static PyObject *imp_init_frozen(PyObject *self, PyObject *name)
{
    int found = PyImport_ImportFrozenModuleObject(name);
    if (found < 0) {
        return NULL;
    }
    return found == 0 ? Py_NewRef(Py_None) : add_module(name);
}

static PyObject *imp_frozen_module_names(PyObject *self)
{
    PyObject *names = PyList_New(0);
    for (const struct frozen_module *m = frozen_modules; m->name != NULL && names != NULL; m++) {
        PyObject *name = PyUnicode_FromString(m->name);
        if (name == NULL || PyList_Append(names, name) < 0) {
            Py_CLEAR(names);
        }
        Py_XDECREF(name);
    }
    return names;
}

static int imp_override_frozen_modules_for_tests(PyObject *self, int override)
{
    frozen_override = override;
    return 0;
}

static int imp_exec(PyObject *module)
{
    return PyModule_AddStringConstant(module, "check_hash_based_pycs", "default");
}

static PyModuleDef_Slot imp_slots[] = {
    {Py_mod_exec, imp_exec},
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
    {0, NULL},
};

static struct PyModuleDef imp_definition = {
    PyModuleDef_HEAD_INIT,    .m_name = "_imp",     .m_doc = imp_doc,
    .m_methods = imp_methods, .m_slots = imp_slots,
};

PyObject *PyInit__imp(void)
{
    return PyModuleDef_Init(&imp_definition);
}

/* ---- start-up -------------------------------------------------------------------------------------------------------- */

static PyObject *module_repr(PyObject *module)
{
    PyObject *importlib = main_interp_self()->importlib;
    return PyObject_CallMethodOneArg(importlib, ID(_module_repr), module);
}

/* A built-in module outside of importlib, which is not there yet: new reference. */
static PyObject *bootstrap_builtin(const char *text)
{
    PyObject *name = PyUnicode_InternFromString(text);
    PyObject *spec = NULL, *module = NULL;
    PyObject *attributes = name == NULL ? NULL : Py_BuildValue("{sO}", "name", name);
    if (attributes != NULL) {
        spec = _PyNamespace_New(attributes);
        Py_DECREF(attributes);
    }
    if (spec != NULL && (module = create_builtin(name, spec)) != NULL
        && (exec_module(module) < 0
            || PyObject_SetItem(main_interp_self()->modules, name, module) < 0)) {
        Py_CLEAR(module);
    }
    Py_XDECREF(spec);
    Py_XDECREF(name);
    return module;
}

/* importlib's repr of a module, which knows where it came from (new reference). */
static PyObject *repr_of_module(PyObject *module)
{
    PyObject *importlib = main_interp_self()->importlib;
    if (importlib == NULL) {
        return PyUnicode_FromFormat("<module at %p>", module);
    }
    return PyObject_CallMethod(importlib, "_module_repr", "O", module);
}

int import_init(struct main_interp *interp)
{
    static struct fork_hooks hooks = {
        .before = lock_before_fork, .parent = unlock_in_parent, .child = unlock_in_child};
    fork_register(&hooks);
    module_hooks.repr = repr_of_module;
    PyObject *imp = bootstrap_builtin("_imp");
    if (imp == NULL) {
        return -1;
    }
    int found = PyImport_ImportFrozenModule("_frozen_importlib");
    if (found <= 0) {
        if (found == 0) {
            PyErr_SetString(PyExc_ImportError, "there is no frozen importlib._bootstrap");
        }
        Py_DECREF(imp);
        return -1;
    }
    PyObject *importlib = PyImport_AddModuleRef("_frozen_importlib");
    interp->importlib = importlib;
    module_hooks.repr = module_repr;
    PyObject *done = importlib == NULL ? NULL
                                       : PyObject_CallMethod(importlib, "_install", "OO",
                                                             interp->sys_module, imp);
    Py_DECREF(imp);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

/* What is in a .pyc file here is not what CPython's files have: the number in front says so. */
static int set_magic_number(struct main_interp *interp)
{
    static const char magic[] = {(char)(KRAIT_MAGIC & 0xFF), (char)(KRAIT_MAGIC >> 8), '\r', '\n'};
    PyObject *external = PyObject_GetAttrString(interp->importlib, "_bootstrap_external");
    PyObject *bytes = PyBytes_FromStringAndSize(magic, sizeof magic);
    PyObject *raw = PyLong_FromLong(KRAIT_MAGIC | '\r' << 16 | '\n' << 24);
    int result = external == NULL || bytes == NULL || raw == NULL
                         || PyObject_SetAttrString(external, "MAGIC_NUMBER", bytes) < 0
                         || PyObject_SetAttrString(external, "_RAW_MAGIC_NUMBER", raw) < 0
                     ? -1
                     : 0;
    Py_XDECREF(external);
    Py_XDECREF(bytes);
    Py_XDECREF(raw);
    return result;
}

int import_init_external(struct main_interp *interp)
{
    PyObject *done = PyObject_CallMethod(interp->importlib, "_install_external_importers", NULL);
    if (done == NULL) {
        return -1;
    }
    Py_DECREF(done);
    if (set_magic_number(interp) < 0) {
        return -1;
    }
    /* sys.path_hooks gets the zip importer in front of the path-based one. */
    PyObject *zipimport = PyImport_ImportModule("zipimport");
    PyObject *hooks = sys_get(ID(path_hooks));
    int result = 0;
    if (zipimport == NULL) {
        PyErr_Clear();
    } else if (hooks != NULL) {
        PyObject *importer = PyObject_GetAttrString(zipimport, "zipimporter");
        result = importer == NULL ? -1 : PyList_Insert(hooks, 0, importer);
        Py_XDECREF(importer);
    }
    Py_XDECREF(zipimport);
    Py_XDECREF(hooks);
    return result;
}
